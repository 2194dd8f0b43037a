"""Functions that only look at values: shapes, tests, orderings.  They see plain numbers and return plain results."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..generic import shape_of
from .dispatch import untraced
from .primitive import FUNCTIONS, implements
from .structure import as_traced

__all__ = ["PLAIN"]

#: looked at without derivative, so handed to NumPy on plain values
PLAIN = (np.all, np.any, np.allclose, np.isclose, np.array_equal, np.array_equiv, np.argmax, np.argmin, np.nanargmax,
         np.nanargmin, np.argsort, np.argpartition, np.nonzero, np.flatnonzero, np.argwhere, np.lexsort, np.searchsorted,
         np.digitize, np.isin, np.isreal, np.iscomplex, np.isrealobj, np.iscomplexobj, np.isposinf, np.isneginf,
         np.result_type, np.can_cast, np.min_scalar_type, np.common_type, np.unravel_index, np.ravel_multi_index,
         np.shares_memory, np.may_share_memory, np.histogram_bin_edges, np.array_repr, np.array_str, np.array2string,
         np.count_nonzero, np.ix_, np.zeros_like, np.ones_like, np.empty_like, np.iterable)


def _plain(f: Any) -> Any:
    def rule(*args: Any, **kwargs: Any) -> Any:
        return f(*untraced(args), **untraced(kwargs))

    return rule


for _f in PLAIN:
    FUNCTIONS[_f] = _plain(_f)


@implements(np.shape)
def shape(a: Any) -> tuple[int, ...]:
    """np.shape."""
    return tuple(shape_of(as_traced(a)))


@implements(np.ndim)
def ndim(a: Any) -> int:
    """np.ndim."""
    return len(shape(a))


@implements(np.size)
def size(a: Any, axis: Any = None) -> int:
    """np.size."""
    return int(np.prod(shape(a), dtype=int)) if axis is None else shape(a)[axis]




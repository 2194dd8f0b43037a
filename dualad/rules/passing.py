"""Functions that only look at values: shapes, tests, orderings.  They see plain numbers and return plain results."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

from .._core import Dual, DualVec, Traced, Var
from ..generic import pack, plain, shape_of
from .dispatch import untraced
from .primitive import FUNCTIONS, implements, not_covered
from .structure import as_traced

__all__ = ["PLAIN"]

#: looked at without derivative, so handed to NumPy on plain values
PLAIN = (
    np.all,
    np.any,
    np.allclose,
    np.isclose,
    np.array_equal,
    np.array_equiv,
    np.argmax,
    np.argmin,
    np.nanargmax,
    np.nanargmin,
    np.argsort,
    np.argpartition,
    np.nonzero,
    np.flatnonzero,
    np.argwhere,
    np.lexsort,
    np.searchsorted,
    np.digitize,
    np.isin,
    np.isreal,
    np.iscomplex,
    np.isrealobj,
    np.iscomplexobj,
    np.isposinf,
    np.isneginf,
    np.result_type,
    np.can_cast,
    np.min_scalar_type,
    np.common_type,
    np.unravel_index,
    np.ravel_multi_index,
    np.histogram_bin_edges,
    np.array_repr,
    np.array_str,
    np.array2string,
    np.count_nonzero,
    np.ix_,
    np.zeros_like,
    np.ones_like,
    np.empty_like,
    np.diag_indices_from,
    np.tril_indices_from,
    np.triu_indices_from,
)


def _plain(f: Any) -> Any:
    def rule(*args: Any, **kwargs: Any) -> Any:
        return f(*untraced(args), **untraced(kwargs))

    return rule


for _f in PLAIN:
    FUNCTIONS[_f] = _plain(_f)


@implements(np.shares_memory)
def shares_memory(a: Any, b: Any, /, max_work: Any = None) -> bool:
    """np.shares_memory: views of one tape do."""
    return np.shares_memory(plain(a), plain(b), max_work=max_work)


@implements(np.may_share_memory)
def may_share_memory(a: Any, b: Any, /, max_work: Any = None) -> bool:
    """np.may_share_memory."""
    return np.may_share_memory(plain(a), plain(b), max_work=max_work)


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


def _counting(f: Any) -> None:
    def rule(*args: Any, weights: Any = None, **kwargs: Any) -> Any:
        if isinstance(pack(weights), Traced):
            raise not_covered(f"numpy.{f.__name__} with traced weights", "use np.bincount(bin_numbers, weights)")
        return f(*untraced(args), weights=weights, **untraced(kwargs))

    FUNCTIONS[f] = rule


COUNTING: tuple[Any, ...] = (np.histogram2d, np.histogramdd)

for _count in COUNTING:
    _counting(_count)

# np.isscalar asks no protocol: it knows numbers by this base class.
for _type in (Dual, DualVec, Var):
    numbers.Number.register(_type)

"""Elementwise NumPy functions that are not ufuncs: clip, round, sinc, nan_to_num, real, imag."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import _core
from .._core import Traced
from ..generic import dtype_of, is_array, plain, shape_of
from .dispatch import kink_watchers, untraced
from .elementwise import guarded, locally_constant
from .primitive import Primitive, bind, implements
from .reductions import operand
from .structure import as_traced

__all__ = ["clip"]


# ---- clip ----------------------------------------------------------------------------------------------------------------------


def _clip_parts(xs: Sequence[Any]) -> list[Any]:
    """Partials of minimum(maximum(x, low), high), ties split as those two split them; they are locally constant."""
    x, low, high = (plain(v) for v in xs)
    raised = np.maximum(x, low)
    clipped = np.minimum(raised, high)
    own, lower = (np.where(x == low, 0.5, raised == v) for v in (x, low))
    kept, upper = (np.where(raised == high, 0.5, clipped == v) for v in (raised, high))
    return [part.astype(dtype_of(xs[0]))[()] for part in np.broadcast_arrays(own * kept, lower * kept, upper)]


_clip = locally_constant("clip", np.clip, _clip_parts)


@implements(np.clip)
def clip(a: Any, a_min: Any = None, a_max: Any = None, out: Any = None, *, min: Any = None, max: Any = None) -> Any:
    """np.clip: minimum(maximum(a, low), high); any of the three may be traced."""
    low, high = (given if bound is None or bound is np._NoValue else bound for given, bound in ((a_min, min), (a_max, max)))
    a = operand("clip", a, None, out)
    low, high = (
        None if b is None or b is np._NoValue else b if isinstance(b, (Traced, float, int)) else as_traced(b) for b in (low, high)
    )
    # NumPy's one-sided clip is maximum or minimum; the two-sided one may choose otherwise between zeros of both signs.
    zeros = sum(np.count_nonzero(v := plain(b)) != np.size(v) for b in (a, low, high) if b is not None)
    if low is None or high is None or zeros < 2 or kink_watchers:  # those two are asked what holds at a kink
        result = a if low is None else np.maximum(a, low)
        return result if high is None else np.minimum(result, high)
    return bind(_clip, [a, low, high], {})


# ---- steps ---------------------------------------------------------------------------------------------------------------------

_round = Primitive(
    "round",
    np.round,
    lambda ts, xs, out, lanes, decimals: np.zeros(shape_of(ts[0]), dtype_of(out)),
    lambda ct, xs, out, needs, lanes, decimals: (None,),
)


@implements(np.round, np.around)
def round_(a: Any, decimals: int = 0, out: Any = None) -> Any:
    """np.round: locally constant."""
    a = operand("round", a, None, out)
    return np.rint(a) if decimals == 0 else bind(_round, [a], {"decimals": decimals})


@implements(np.fix)
def fix(x: Any, out: Any = None) -> Any:
    """np.fix: trunc."""
    return np.trunc(operand("fix", x, None, out))


# ---- sinc ----------------------------------------------------------------------------------------------------------------------

_slope = _core.OWN_UFUNCS["sincd"]  # the row of sinc's derivatives of any order, accurate near 0 and far from it


def _sinc_partial(x: Any) -> Any:
    p = _slope(np.float64(x) if type(x) is float else x, 1.0)
    return p if dtype_of(p) == dtype_of(x) else p.astype(dtype_of(x))


_sinc = Primitive(
    "sinc",
    np.sinc,
    lambda ts, xs, out, lanes: _sinc_partial(xs[0]) * ts[0],
    lambda ct, xs, out, needs, lanes: (guarded(_sinc_partial(xs[0]), ct, False),),
)


@implements(np.sinc)
def sinc(x: Any) -> Any:
    """np.sinc."""
    return bind(_sinc, [as_traced(x)], {})


# ---- NaN, real and imaginary parts ----------------------------------------------------------------------------------------------


@implements(np.nan_to_num)
def nan_to_num(x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """np.nan_to_num: what is replaced is constant."""
    x = as_traced(x)
    v = untraced(x)
    replaced = np.nan_to_num(v, nan=nan, posinf=posinf, neginf=neginf)
    finite = np.isfinite(v)
    return np.where(finite, x, replaced) if not np.all(finite) else x


@implements(np.real, np.real_if_close)
def real(val: Any, tol: float = 100) -> Any:
    """np.real of a real value: itself."""
    return as_traced(val)


@implements(np.imag)
def imag(val: Any) -> Any:
    """np.imag of a real value: the constant 0."""
    val = as_traced(val)
    return np.zeros(shape_of(val), val.dtype) if is_array(val) or shape_of(val) else val.dtype.type(0.0)

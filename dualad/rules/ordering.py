"""Order statistics: sort, partition, median, quantile, percentile.

Sorting moves elements: locally it is one permutation, so its derivative is that permutation and its transpose the inverse
one.  Equal elements keep their order (a stable sort).  A quantile lies between two neighbours in the sorted slice, whatever
its method, so its derivative is a weighted sum of those two.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .._core import Traced
from ..generic import dtype_of, plain, shape_of
from .primitive import Primitive, bind, implements, not_covered
from .reductions import axes_from_end, operand, reduction, to_last
from .structure import memory_axes

__all__ = ["order_of"]


# ---- sort and partition ----------------------------------------------------------------------------------------------------------


def _along(x: Any, index: np.ndarray, axis: int) -> Any:
    """take_along_axis, the axis counted from the end, for x with or without lanes."""
    return np.take_along_axis(x, index if len(shape_of(x)) == index.ndim else index[None], axis)


_permuted = Primitive(
    "sort",
    lambda x, f, index, axis: f(x),
    lambda ts, xs, out, lanes, f, index, axis: _along(ts[0], index, axis),
    lambda ct, xs, out, needs, lanes, f, index, axis: (_along(ct, np.argsort(index, axis=axis), axis),),
)


def order_of(v: np.ndarray, out: np.ndarray, axis: int) -> np.ndarray:
    """The permutation along `axis` that makes `out` of v; equal elements keep their order."""
    index = np.empty(v.shape, np.intp)
    np.put_along_axis(index, np.argsort(out, axis=axis, kind="stable"), np.argsort(v, axis=axis, kind="stable"), axis)
    return index


def _permute(name: str, f: Callable[[np.ndarray], np.ndarray], a: Any, axis: int) -> Any:
    v = plain(a)
    axes = memory_axes(v)
    if axes != sorted(axes):  # the result lies in memory as the operand does, which later sums follow
        back = np.argsort(axes)
        moved = _permute(
            name, lambda w: np.transpose(f(np.transpose(w, back)), axes), np.transpose(a, axes), axes.index(axis % v.ndim) - v.ndim
        )
        return np.transpose(moved, back)
    out = f(v)
    index = np.argsort(v, axis=axis, kind="stable") if name == "sort" else order_of(v, out, axis)
    picked = np.take_along_axis(v, index, axis)
    if np.array_equal(picked, out) and np.array_equal(np.signbit(picked), np.signbit(out)):
        return np.take_along_axis(a, index, axis)  # a gather, which lives on the tape
    return bind(_permuted, [a], {"f": f, "index": index, "axis": axis})  # NaNs, or -0.0 and 0.0 in NumPy's own order


def _operand_along(name: str, a: Any, axis: Any) -> tuple[Any, int]:
    a = operand(name, a)
    if axis is None:
        a, axis = np.reshape(a, (-1,)), -1
    if not shape_of(a):
        raise np.exceptions.AxisError(axis, 0)
    return a, axes_from_end(axis, len(shape_of(a)))[0]


@implements(np.sort)
def sort(a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Any:
    """np.sort."""
    if order is not None:
        raise not_covered("numpy.sort with order=", "leave order= out")
    a, at = _operand_along("sort", a, axis)
    return _permute("sort", lambda v: np.sort(v, axis=at, kind=kind, stable=stable), a, at)


@implements(np.partition)
def partition(a: Any, kth: Any, axis: Any = -1, kind: Any = "introselect", order: Any = None) -> Any:
    """np.partition."""
    if order is not None:
        raise not_covered("numpy.partition with order=", "leave order= out")
    a, at = _operand_along("partition", a, axis)
    return _permute("partition", lambda v: np.partition(v, kth, axis=at, kind=kind), a, at)


# ---- quantiles ------------------------------------------------------------------------------------------------------------------


def _quantile_impl(x: Any, f: Callable[..., Any], axis: Any, keepdims: bool) -> Any:
    return f(x, axis=axis, keepdims=keepdims)


def _quantile_jvp(
    ts: Sequence[Any], xs: Sequence[Any], out: Any, lanes: int, f: Callable[..., Any], axis: Any, keepdims: bool
) -> Any:
    shape = tuple(shape_of(xs[0]))
    axes = axes_from_end(axis, len(shape))
    row = to_last(plain(xs[0]), shape, axes)
    n = row.shape[-1]
    # A method says where between the sorted elements it looks: what it makes of 0, 1, 2 ...
    position = np.asarray(f(np.arange(n, dtype=np.float64), axis=None, keepdims=False))
    low = np.floor(position).astype(np.intp)
    share = (position - low).astype(dtype_of(xs[0]))
    t = _along(to_last(ts[0], shape, axes), np.argsort(row, axis=-1, kind="stable"), -1)
    below, above = t[..., low], t[..., np.minimum(low + 1, n - 1)]
    with np.errstate(all="ignore"):
        tangent = np.where(share == 0.0, below, (1.0 - share) * below + share * above)
    if position.ndim:
        tangent = np.moveaxis(tangent, range(-position.ndim, 0), range(1 if lanes else 0, position.ndim + (1 if lanes else 0)))
    tangent = np.reshape(tangent, ((lanes,) if lanes else ()) + tuple(shape_of(out)))
    if np.any(nan := np.isnan(plain(out))):
        tangent = np.where(nan, np.nan, tangent)
    dtype = dtype_of(out)
    return tangent if dtype_of(tangent) == dtype else tangent.astype(dtype)


_quantile = Primitive("quantile", _quantile_impl, _quantile_jvp)


def _order_statistic(name: str, f: Callable[..., Any], a: Any, axis: Any, out: Any, keepdims: Any) -> Any:
    a = operand(name, a, None, out)
    if not np.size(plain(a)):
        raise ValueError(f"numpy.{name} of an empty array has no derivative")
    params = reduction(name, a, axis, None, keepdims)
    return bind(_quantile, [a], {"f": f, **params})


@implements(np.median)
def median(a: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, keepdims: Any = False) -> Any:
    """np.median."""
    return _order_statistic("median", np.median, a, axis, out, keepdims)


def _at_fractions(f: Any) -> None:
    name = f.__name__

    @implements(f)
    def rule(
        a: Any,
        q: Any,
        axis: Any = None,
        out: Any = None,
        overwrite_input: bool = False,
        method: str = "linear",
        keepdims: Any = False,
        *,
        weights: Any = None,
        interpolation: Any = None,
    ) -> Any:
        if isinstance(q, Traced):
            raise not_covered(f"numpy.{name} with a traced q")
        if weights is not None or interpolation is not None:
            raise not_covered(f"numpy.{name} with weights= or interpolation=")
        if isinstance(q, np.ndarray):
            q = q.copy()  # the caller may write into his before the pullback is called
        return _order_statistic(
            name, lambda x, axis, keepdims: f(x, q, axis=axis, method=method, keepdims=keepdims), a, axis, out, keepdims
        )


_at_fractions(np.quantile)
_at_fractions(np.percentile)

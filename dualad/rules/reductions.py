"""Reductions: sum and its kin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import _core
from .._core import VarArray
from ..generic import is_array, shape_of
from .dispatch import METHODS
from .primitive import Primitive, bind, implements, not_covered
from .structure import as_traced

__all__ = ["axes_from_end", "spread"]


def axes_from_end(axis: Any, ndim: int) -> tuple[int, ...]:
    """Reduced axes counted from the end (so that a leading axis of lanes does not shift them)."""
    if axis is None:
        return tuple(range(-ndim, 0))
    axes = axis if isinstance(axis, tuple) else (axis,)
    return tuple(np.lib.array_utils.normalize_axis_index(int(a), ndim) - ndim for a in axes)


def spread(ct: Any, shape: Sequence[int], axes: tuple[int, ...], keepdims: bool, lanes: int) -> Any:
    """A cotangent of a reduction, broadcast back to the shape that was reduced (plus the lanes)."""
    lead = (lanes,) if lanes else ()
    kept = [1 if i - len(shape) in axes else n for i, n in enumerate(shape)]
    return np.broadcast_to(np.reshape(ct, (*lead, *kept)), (*lead, *shape))


def _sum_jvp(ts: Sequence[Any], xs: Sequence[Any], out: Any, lanes: int, axis: Any, keepdims: bool) -> Any:
    return np.sum(ts[0], axis=axes_from_end(axis, len(shape_of(xs[0]))), keepdims=keepdims)


def _sum_vjp(ct: Any, xs: Sequence[Any], out: Any, needs: Sequence[bool], lanes: int, axis: Any, keepdims: bool) -> tuple[Any]:
    shape = tuple(shape_of(xs[0]))
    return (spread(ct, shape, axes_from_end(axis, len(shape)), keepdims, lanes),)


_sum = Primitive("sum", lambda x, axis, keepdims: np.sum(x, axis=axis, keepdims=keepdims), _sum_jvp, _sum_vjp)


@implements(np.sum)
def sum_(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, initial: Any = None,
         where: Any = None) -> Any:
    """np.sum with axis, keepdims and where."""
    a = as_traced(a)
    keepdims = keepdims is not np._NoValue and bool(keepdims)
    if dtype is not None and np.dtype(dtype) != a.dtype:
        a = a.astype(dtype)
    if where is not None and where is not np._NoValue and where is not True:
        a = np.where(where, a, 0.0)
    if initial is not None and initial is not np._NoValue:
        return sum_(a, axis, None, None, keepdims) + initial
    if type(a) is VarArray:
        axes = tuple(i + a.ndim for i in axes_from_end(axis, a.ndim))
        result = np.add.reduce(_core.values(a), axis=None if axis is None else axes)
        total = _core.sum_axes(a, result, axes)
        if not keepdims:
            return total
        return np.reshape(total, tuple(1 if i in axes else n for i, n in enumerate(a.shape)))
    return bind(_sum, [a], {"axis": axis, "keepdims": keepdims}) if is_array(a) or shape_of(a) else a


METHODS[np.add, "reduce"] = lambda a, axis=0, dtype=None, out=None, keepdims=False, initial=None, where=True: sum_(
    a, axis, dtype, None, keepdims, initial, where)

assert not_covered

"""Differences and what is made of them: diff, ediff1d, gradient, trapezoid.

All are NumPy's own formulas over slices of traced values, so there is no rule to state.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._core import Traced
from ..generic import shape_of
from .primitive import implements, not_covered
from .structure import as_traced

__all__ = ["diff", "ediff1d", "gradient", "trapezoid"]


def _along(axis: int, ndim: int, part: Any) -> tuple[Any, ...]:
    """Index that takes `part` of one axis."""
    return (slice(None),) * axis + (part,) + (slice(None),) * (ndim - axis - 1)


def _axis(axis: Any, ndim: int) -> int:
    return int(np.lib.array_utils.normalize_axis_index(axis, ndim))


@implements(np.diff)
def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = np._NoValue, append: Any = np._NoValue) -> Any:
    """np.diff."""
    if n == 0:
        return a
    if n < 0:
        raise ValueError(f"order must be non-negative but got {n}")
    a = as_traced(a)
    shape = tuple(shape_of(a))
    if not shape:
        raise ValueError("diff requires input that is at least one dimensional")
    axis = _axis(axis, len(shape))
    edge = (*shape[:axis], 1, *shape[axis + 1 :])
    parts = [None if p is np._NoValue else as_traced(p) for p in (prepend, append)]
    before, after = (p if p is None or shape_of(p) else np.broadcast_to(p, edge) for p in parts)
    joined = [p for p in (before, a, after) if p is not None]
    if len(joined) > 1:
        a = np.concatenate(joined, axis=axis)
    upper, lower = _along(axis, len(shape), slice(1, None)), _along(axis, len(shape), slice(None, -1))
    for _ in range(n):
        a = a[upper] - a[lower]
    return a


@implements(np.ediff1d)
def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """np.ediff1d."""
    a = np.ravel(as_traced(ary))
    parts = [None if p is None else np.ravel(as_traced(p)) for p in (to_begin, to_end)]
    if all(p is None for p in parts):
        return a[1:] - a[:-1]
    dtype = a.dtype
    for p in parts:
        if p is not None and not np.can_cast(p.dtype, dtype, casting="same_kind"):
            raise TypeError("numpy.ediff1d: to_begin and to_end must be of the array's kind")
    parts.insert(1, a[1:] - a[:-1])
    return np.concatenate([p if p.dtype == dtype else p.astype(dtype) for p in parts if p is not None])


@implements(np.trapezoid)
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """np.trapezoid; y, x and dx may be traced."""
    y = as_traced(y)
    ndim = len(shape_of(y))
    axis = _axis(axis, ndim)
    d = dx
    if x is not None:
        x = as_traced(x)
        d = np.diff(x, axis=axis) if len(shape_of(x)) != 1 else np.reshape(np.diff(x), (-1,) + (1,) * (ndim - axis - 1))
    return np.sum(d * (y[_along(axis, ndim, slice(1, None))] + y[_along(axis, ndim, slice(None, -1))]) / 2.0, axis=axis)


def _spacings(f: Any, varargs: Sequence[Any], axes: Sequence[int]) -> list[Any]:
    """One spacing an axis: a scalar, or the differences of its coordinates."""
    if not varargs:
        return [1.0] * len(axes)
    if len(varargs) == 1 and not shape_of(as_traced(varargs[0])):
        return list(varargs) * len(axes)
    if len(varargs) != len(axes):
        raise TypeError("invalid number of arguments")
    spacings: list[Any] = []
    for given, axis in zip(varargs, axes, strict=True):
        x = as_traced(given)
        if not shape_of(x):
            spacings.append(given)
            continue
        if isinstance(x, Traced):
            raise not_covered("numpy.gradient with traced coordinates", "give traced spacings as scalars, or use np.diff")
        if x.ndim != 1:
            raise ValueError("distances must be either scalars or 1d")
        if len(x) != shape_of(f)[axis]:
            raise ValueError("when 1d, distances must match the length of the corresponding dimension")
        steps = np.diff(x.astype(np.float64) if np.issubdtype(x.dtype, np.integer) else x)
        spacings.append(steps[0] if (steps == steps[0]).all() else steps)
    return spacings


@implements(np.gradient)
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """np.gradient: central differences inside, one-sided ones at the edges; f and scalar spacings may be traced."""
    f = as_traced(f)
    ndim = len(shape_of(f))
    axes = tuple(range(ndim)) if axis is None else np.lib.array_utils.normalize_axis_tuple(axis, ndim)
    if edge_order > 2:
        raise ValueError("'edge_order' greater than 2 not supported")
    results = []
    for at, h in zip(axes, _spacings(f, varargs, axes), strict=True):
        if shape_of(f)[at] < edge_order + 1:
            raise ValueError(
                "Shape of array too small to calculate a numerical gradient, at least (edge_order + 1) elements are required."
            )
        results.append(_gradient_along(f, h, at, ndim, edge_order))
    return results[0] if len(axes) == 1 else tuple(results)


def _gradient_along(f: Any, h: Any, axis: int, ndim: int, edge_order: int) -> Any:
    def part(start: Any, stop: Any) -> Any:
        return f[_along(axis, ndim, slice(start, stop))]

    uniform = not shape_of(h)
    if uniform:
        inside = (part(2, None) - part(None, -2)) / (2.0 * h)
    else:
        d1, d2 = h[:-1], h[1:]
        a, b, c = (
            np.reshape(w, (-1,) + (1,) * (ndim - axis - 1))
            for w in (-d2 / (d1 * (d1 + d2)), (d2 - d1) / (d1 * d2), d1 / (d2 * (d1 + d2)))
        )
        inside = a * part(None, -2) + b * part(1, -1) + c * part(2, None)
    if edge_order == 1:
        first = (part(1, 2) - part(0, 1)) / (h if uniform else h[0])
        last = (part(-1, None) - part(-2, -1)) / (h if uniform else h[-1])
    else:
        if uniform:
            (a, b, c), (p, q, r) = (-1.5 / h, 2.0 / h, -0.5 / h), (0.5 / h, -2.0 / h, 1.5 / h)
        else:
            d1, d2 = h[0], h[1]
            a, b, c = -(2.0 * d1 + d2) / (d1 * (d1 + d2)), (d1 + d2) / (d1 * d2), -d1 / (d2 * (d1 + d2))
            d1, d2 = h[-2], h[-1]
            p, q, r = d2 / (d1 * (d1 + d2)), -(d2 + d1) / (d1 * d2), (2.0 * d2 + d1) / (d2 * (d1 + d2))
        first = a * part(0, 1) + b * part(1, 2) + c * part(2, 3)
        last = p * part(-3, -2) + q * part(-2, -1) + r * part(-1, None)
    parts = [first, inside, last]
    dtype = f.dtype
    return np.concatenate([x if x.dtype == dtype else x.astype(dtype) for x in parts], axis=axis)

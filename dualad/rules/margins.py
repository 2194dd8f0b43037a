"""How near is an operation to a point where it has no derivative?

Two tables over plain numbers, for whoever wants to be told of kinks (:mod:`dualad.kinks`, the explanation of a function):

    AT        ufunc    -> where its operands are at a kink, a jump or an infinite slope exactly
    MARGINS   function -> its operand, and for each element of it the distance to the next kink: 0 at one, inf where there is none

A comparison, and a function that returns places (argmax, searchsorted), chooses a branch of the caller's program: what
they are close to changing is a kink of that program (:data:`CHOICES`), though they have no derivative themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from .reductions import axes_from_end, from_last, to_last

__all__ = ["AT", "CHOICES", "COMPARISONS", "MARGINS", "POINT", "Margin", "margin"]

Margin = tuple[np.ndarray, np.ndarray]


# ---- elementwise -----------------------------------------------------------------------------------------------------------------


def _zero(x: Any, *_: Any) -> Any:
    return np.asarray(x) == 0.0


def _tie(x: Any, y: Any) -> Any:
    return np.equal(x, y)


def _origin(x: Any, y: Any) -> Any:
    return (np.asarray(x) == 0.0) & (np.asarray(y) == 0.0)


def _whole(x: Any) -> Any:
    return np.asarray(x) == np.floor(x)


def _multiple(x: Any, y: Any) -> Any:
    return (np.fmod(x, y) == 0.0) | (np.asarray(y) == 0.0)


def _root(x: Any, y: Any) -> Any:
    """x**y at 0: infinite for y < 1, and not defined to the left where y is no whole number."""
    return (np.asarray(x) == 0.0) & ((np.asarray(y) < 0.0) | (np.asarray(y) != np.floor(y)))


def _end(*ends: float) -> Callable[[Any], Any]:
    return lambda x: np.isin(x, ends)


#: ufunc -> is it at a kink (or a jump, or where its slope is infinite) at these values?
AT: dict[Any, Callable[..., Any]] = {
    np.absolute: _zero,
    np.fabs: _zero,
    np.maximum: _tie,
    np.minimum: _tie,
    np.fmax: _tie,
    np.fmin: _tie,
    np.sqrt: _zero,
    np.cbrt: _zero,
    np.power: _root,
    np.float_power: _root,
    np.reciprocal: _zero,
    np.divide: lambda x, y: np.asarray(y) == 0.0,
    np.log: _zero,
    np.log2: _zero,
    np.log10: _zero,
    np.log1p: _end(-1.0),
    np.arcsin: _end(-1.0, 1.0),
    np.arccos: _end(-1.0, 1.0),
    np.arccosh: _end(1.0),
    np.arctanh: _end(-1.0, 1.0),
    np.hypot: _origin,
    np.arctan2: lambda y, x: (np.asarray(y) == 0.0) & (np.asarray(x) <= 0.0),  # the cut, where it jumps by 2 pi
    np.sign: _zero,
    np.heaviside: _zero,
    np.copysign: lambda x, y: (np.asarray(x) == 0.0) | (np.asarray(y) == 0.0),
    np.floor: _whole,
    np.ceil: _whole,
    np.trunc: lambda x: _whole(x) & (np.asarray(x) != 0.0),
    np.rint: lambda x: np.asarray(x) - np.floor(x) == 0.5,
    np.remainder: _multiple,
    np.floor_divide: _multiple,
    np.fmod: lambda x, y: _multiple(x, y) & (np.asarray(x) != 0.0) | (np.asarray(y) == 0.0),
}

#: comparisons: a branch, which changes where both sides are equal
COMPARISONS = {
    np.less: "<",
    np.less_equal: "<=",
    np.equal: "==",
    np.not_equal: "!=",
    np.greater: ">",
    np.greater_equal: ">=",
}


def _compared(x: Any, y: Any) -> Margin:
    x, y = np.asarray(x), np.asarray(y)
    return x, np.abs(x - y)


# ---- sorted slices ---------------------------------------------------------------------------------------------------------------


def _slices(a: Any, axis: Any, where: Any = True, fill: float = 0.0) -> tuple[np.ndarray, tuple[int, ...], np.ndarray]:
    x = np.asarray(a)
    axes = axes_from_end(axis, x.ndim)
    kept = x if where is True or where is np._NoValue else np.where(where, x, fill)
    return x, axes, to_last(kept, x.shape, axes)


def _gaps(row: np.ndarray, places: Iterable[int] | None) -> np.ndarray:
    """For each element, how far it is from another one that stands on the other side of a place in the sorted slice.

    `places` are the j for which the result treats the j-th and the (j+1)-th element differently; None: all of them.
    """
    out = np.full(row.shape, np.inf)
    n = row.shape[-1]
    if n < 2 or not row.size:
        return out
    order = np.argsort(row, axis=-1, kind="stable")
    s = np.take_along_axis(row, order, -1)
    margin = np.full(s.shape, np.inf)
    if places is None:
        gaps = np.abs(np.diff(s, axis=-1))
        margin[..., 1:] = gaps
        margin[..., :-1] = np.minimum(margin[..., :-1], gaps)
    else:
        for j in places:
            if 0 <= j < n - 1:
                margin[..., : j + 1] = np.fmin(margin[..., : j + 1], s[..., j + 1, None] - s[..., : j + 1])
                margin[..., j + 1 :] = np.fmin(margin[..., j + 1 :], s[..., j + 1 :] - s[..., j, None])
    np.put_along_axis(out, order, margin, -1)
    return np.where(np.isfinite(row), out, np.inf)


def _spread_out(x: np.ndarray, axes: tuple[int, ...], row: np.ndarray) -> Margin:
    return x, np.asarray(from_last(row, x.shape, axes))


def _extremum(sign: float) -> Callable[..., Margin]:
    def margins(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, initial: Any = None, where: Any = True) -> Margin:
        x, axes, row = _slices(a, axis, where, -sign * np.inf)
        row = np.where(np.isnan(row), -sign * np.inf, row)
        first = initial is not None and initial is not np._NoValue
        if first:
            row = np.concatenate([row, np.broadcast_to(np.asarray(initial, row.dtype), (*row.shape[:-1], 1))], -1)
        margin = _gaps(row, (row.shape[-1] - 2,) if sign > 0 else (0,))
        return _spread_out(x, axes, margin[..., :-1] if first else margin)

    return margins


def _argument(sign: float) -> Callable[..., Margin]:
    return lambda a, axis=None, *_, **__: _extremum(sign)(a, axis)


def _sorted(a: Any, axis: Any = -1, *_: Any, **__: Any) -> Margin:
    x, axes, row = _slices(a, axis)
    return _spread_out(x, axes, _gaps(row, None))


def _split(a: Any, kth: Any, axis: Any = -1, *_: Any, **__: Any) -> Margin:
    return _sorted(a, axis)


def _order_statistic(f: Callable[..., Any]) -> Callable[..., Margin]:
    """A median or quantile: a weighted sum of two neighbours in the sorted slice, smooth where equal elements weigh the same."""

    def margins(a: Any, *args: Any, **kwargs: Any) -> Margin:
        q, args = ((), args) if f is np.median else ((kwargs.pop("q") if "q" in kwargs else args[0],), args[1:])
        axis = args[0] if args else kwargs.get("axis")
        x, axes, row = _slices(a, axis)
        n = row.shape[-1]
        if not n:
            return x, np.full(x.shape, np.inf)
        method = {"method": kwargs["method"]} if "method" in kwargs else {}
        weights = np.zeros((np.size(f(np.arange(float(n)), *q, **method)), n + 1))
        at = np.ravel(f(np.arange(float(n)), *q, **method))
        low = np.floor(at).astype(int)
        weights[np.arange(len(at)), low] = 1.0 - (at - low)
        weights[np.arange(len(at)), low + 1] += at - low
        differ = np.flatnonzero(np.any(np.diff(weights[:, :n], axis=1) != 0.0, axis=0))
        return _spread_out(x, axes, _gaps(row, differ.tolist()))

    return margins


# ---- norms, spectra, steps -------------------------------------------------------------------------------------------------------


def _vanishing(x: np.ndarray, size: np.ndarray) -> Margin:
    return x, np.broadcast_to(size, x.shape)


def _std(a: Any, axis: Any = None, *_: Any, where: Any = True, **__: Any) -> Margin:
    x = np.asarray(a)
    axes = axes_from_end(axis, x.ndim)
    kept = True if where is np._NoValue else where
    high = np.max(x, axis=axes, keepdims=True, initial=-np.inf, where=kept)
    low = np.min(x, axis=axes, keepdims=True, initial=np.inf, where=kept)
    return _vanishing(x, np.abs(high - low))


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Margin:
    x = np.asarray(x)
    axes = axes_from_end(axis, x.ndim)
    matrix = len(axes) == 2 and (axis is not None or ord is not None)
    if ord in (None, "fro", "f") or (ord == 2 and not matrix):
        return _vanishing(x, np.linalg.norm(to_last(x, x.shape, axes), axis=-1).reshape(
            [1 if i - x.ndim in axes else n for i, n in enumerate(x.shape)]))
    if matrix and ord in ("nuc", 2, -2):
        return _singular(np.moveaxis(x, axes, (-2, -1)), ord, x)
    size = np.abs(x)
    if matrix:  # the largest (smallest) sum over a column or a row, and no zero in it
        along = axes[0] if abs(ord) == 1 else axes[1]
        sums = np.broadcast_to(np.sum(size, axis=along, keepdims=True), x.shape)
        other = axes[1] if abs(ord) == 1 else axes[0]
        return x, np.fmin(_extremum(ord)(sums, other)[1], np.where(_chosen(sums, ord, other), size, np.inf))
    if ord in (np.inf, -np.inf):
        return x, np.fmin(_extremum(ord)(size, axes)[1], np.where(_chosen(size, ord, axes), size, np.inf))
    if ord == 0 or ord <= 1:
        return x, size
    return _vanishing(x, np.max(size, axis=axes, keepdims=True, initial=0.0))


def _chosen(values: np.ndarray, sign: float, axes: Any) -> np.ndarray:
    best = (np.max if sign > 0 else np.min)(values, axis=axes, keepdims=True)
    return np.asarray(values == best)


def _gap_of_spectrum(s: np.ndarray, keep: slice) -> np.ndarray:
    """Smallest distance between neighbours of a sorted spectrum; what rounding alone can separate counts as equal."""
    gaps = np.abs(np.diff(s, axis=-1))[..., keep]
    largest = np.max(np.abs(s), axis=-1, initial=0.0)
    return np.maximum(np.min(gaps, axis=-1, initial=np.inf) - 16.0 * np.finfo(float).eps * largest, 0.0)


def _singular(a: np.ndarray, ord: Any, x: np.ndarray) -> Margin:
    s = np.linalg.svd(a, compute_uv=False)
    smallest = np.maximum(s[..., -1] - 16.0 * np.finfo(float).eps * s[..., 0], 0.0)
    if ord == "nuc":
        size = smallest
    elif ord == 2:
        size = np.minimum(_gap_of_spectrum(s, slice(0, 1)), s[..., 0])
    else:
        size = np.minimum(_gap_of_spectrum(s, slice(-1, None)), smallest)
    return x, np.full(x.shape, np.min(size, initial=np.inf))


def _spectrum(values: Callable[..., Any]) -> Callable[..., Margin]:
    def margins(a: Any, *args: Any, **kwargs: Any) -> Margin:
        x = np.asarray(a)
        size = np.asarray(_gap_of_spectrum(values(x), slice(None)))
        return x, np.broadcast_to(size[..., None, None], x.shape)

    return margins


def _round(a: Any, decimals: int = 0, out: Any = None) -> Margin:
    x = np.asarray(a)
    if decimals == 0:  # rint, which is asked itself
        return x, np.full(x.shape, np.inf)
    scaled = x * 10.0**decimals
    return x, np.abs(scaled - np.floor(scaled) - 0.5) / 10.0**decimals


def _nearest(x: Any, points: Any) -> Margin:
    x, points = np.asarray(x), np.ravel(np.asarray(points, float))
    if not points.size:
        return x, np.full(x.shape, np.inf)
    points = np.sort(points)
    right = np.clip(np.searchsorted(points, x), 0, len(points) - 1)
    return x, np.minimum(np.abs(x - points[right]), np.abs(x - points[np.maximum(right - 1, 0)]))


def _interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Margin:
    xp, fp = np.asarray(xp, float), np.asarray(fp, float)
    slopes = np.concatenate([[0.0], np.diff(fp) / np.diff(xp), [0.0]])
    return _nearest(x, xp[np.diff(slopes) != 0.0])


def _vector_norm(x: Any, /, *, axis: Any = None, keepdims: Any = False, ord: Any = 2) -> Margin:
    x = np.asarray(x)
    axes = axes_from_end(axis, x.ndim)
    shape = [1 if i - x.ndim in axes else n for i, n in enumerate(x.shape)]
    if ord == 2:
        return _vanishing(x, np.linalg.vector_norm(x, axis=axis).reshape(shape))
    row = to_last(x, x.shape, axes)
    return _spread_out(x, axes, _norm(row, ord, -1)[1])


def _matrix_norm(x: Any, /, *, keepdims: Any = False, ord: Any = "fro") -> Margin:
    return _norm(x, ord, (-2, -1))


_largest, _smallest = _extremum(1.0), _extremum(-1.0)

#: function -> (operand, distance of each of its elements to the next kink)
MARGINS: dict[Any, Callable[..., Margin]] = {
    np.max: _largest,
    np.min: _smallest,
    np.amax: _largest,
    np.amin: _smallest,
    np.nanmax: _largest,
    np.nanmin: _smallest,
    np.sort: _sorted,
    np.partition: _split,
    np.median: _order_statistic(np.median),
    np.quantile: _order_statistic(np.quantile),
    np.percentile: _order_statistic(np.percentile),
    np.std: _std,
    np.nanstd: _std,
    np.linalg.norm: _norm,
    np.linalg.vector_norm: _vector_norm,
    np.linalg.matrix_norm: _matrix_norm,
    np.linalg.eigvalsh: _spectrum(np.linalg.eigvalsh),
    np.linalg.eigh: _spectrum(np.linalg.eigvalsh),
    np.linalg.svd: _spectrum(np.linalg.svdvals),
    np.linalg.svdvals: _spectrum(np.linalg.svdvals),
    np.round: _round,
    np.around: _round,
    np.interp: _interp,
}


def _is_zero(a: Any, *_: Any, **__: Any) -> Margin:
    return _compared(a, 0.0)


#: the same for functions that return places or truth values
CHOICES: dict[Any, Callable[..., Margin]] = {
    **dict.fromkeys(COMPARISONS, _compared),
    np.argmax: _argument(1.0),
    np.nanargmax: _argument(1.0),
    np.argmin: _argument(-1.0),
    np.nanargmin: _argument(-1.0),
    np.argsort: _sorted,
    np.argpartition: _split,
    np.searchsorted: lambda a, v, *_, **__: _nearest(v, a),
    np.digitize: lambda x, bins, right=False: _nearest(x, bins),
    **dict.fromkeys((np.nonzero, np.flatnonzero, np.argwhere, np.count_nonzero, np.any, np.all), _is_zero),
}
#: which argument a function looks at, where it is not the first
POINT = {np.searchsorted: 1}


def margin(f: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Margin | None:
    """Operand and margins of a function (or comparison) at plain values; None for one that is in no table, or cannot be run.

    Examples
    --------
    >>> import numpy as np
    >>> from dualad.rules.margins import margin
    >>> margin(np.max, (np.array([1.0, 3.0, 2.75]),), {})[1]
    array([2.  , 0.25, 0.25])
    """
    table = MARGINS.get(f) or CHOICES.get(f)
    if table is None:
        return None
    try:
        with np.errstate(all="ignore"):
            return table(*args, **kwargs)
    except (TypeError, ValueError, IndexError, np.linalg.LinAlgError):  # the function itself says what is wrong with these
        return None

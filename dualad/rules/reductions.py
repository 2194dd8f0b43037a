"""Reductions: sum, mean, the extrema, var, std and the rest that takes axes away.

Nearly all of them are one thing: their derivative is a weighted sum over the reduced axes, with a weight for each element.

    sum           1                       max, min      1/(number of tied elements), else 0
    var           2 (x - mean)/(n - ddof) std           (x - mean)/((n - ddof) std); 0 on a constant slice
    prod          product of the others   logaddexp     exp(x - result)           (in cumulative and methods)

So a reduction states its weights once (:func:`weighted`), over NumPy functions that accept traced values: both modes and
every order follow.  The value always comes from NumPy's own function.  A maximum that is attained once is that element:
it is picked, and costs no more than an index.

A constant slice has no derivative of std; it gets 0 in both modes, as norm'(0) does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import _core
from .._core import Traced, VarArray
from ..generic import dtype_of, is_array, plain, shape_of
from .dispatch import METHODS, function, untraced
from .elementwise import guarded
from .primitive import Primitive, bind, implements, not_covered
from .structure import as_traced

__all__ = ["axes_from_end", "from_last", "operand", "reduction", "spread", "tied", "to_last", "weighted", "without_nan"]


# ---- axes --------------------------------------------------------------------------------------------------------------------


def axes_from_end(axis: Any, ndim: int) -> tuple[int, ...]:
    """Reduced axes counted from the end (so that a leading axis of lanes does not shift them)."""
    if axis is None:
        return tuple(range(-ndim, 0))
    if type(axis) is int and -ndim <= axis < ndim:
        return (axis - ndim if axis >= 0 else axis,)
    if not ndim and axis in (0, -1, (0,), (-1,)):  # NumPy reduces a scalar along axis 0
        return ()
    return tuple(a - ndim for a in np.lib.array_utils.normalize_axis_tuple(axis, ndim))


def spread(ct: Any, shape: Sequence[int], axes: tuple[int, ...], keepdims: bool, lanes: int) -> Any:
    """A cotangent of a reduction, broadcast back to the shape that was reduced (plus the lanes)."""
    lead = (lanes,) if lanes else ()
    return np.broadcast_to(np.reshape(ct, lead + _kept(shape, axes)), (*lead, *shape))


def _kept(shape: Sequence[int], axes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple([1 if i - len(shape) in axes else n for i, n in enumerate(shape)])


def to_last(x: Any, shape: Sequence[int], axes: tuple[int, ...]) -> Any:
    """x with `axes` (from the end) merged into one last axis; `shape` is that of x without lanes."""
    if axes == (-1,):
        return x
    k, ndim = len(axes), len(shape)
    rest = tuple(n for i, n in enumerate(shape) if i - ndim not in axes)
    lead = tuple(shape_of(x)[: len(shape_of(x)) - ndim])
    return np.reshape(np.moveaxis(x, axes, range(-k, 0)) if k else x, (*lead, *rest, _count(shape, axes)))


def from_last(x: Any, shape: Sequence[int], axes: tuple[int, ...]) -> Any:
    """Undo :func:`to_last`."""
    if axes == (-1,):
        return x
    k, ndim = len(axes), len(shape)
    lead = tuple(shape_of(x)[: len(shape_of(x)) - (ndim - k) - 1])
    rest = tuple(n for i, n in enumerate(shape) if i - ndim not in axes)
    moved = np.reshape(x, lead + rest + tuple(shape[a] for a in axes))
    return np.moveaxis(moved, range(-k, 0), axes) if k else moved


def _count(shape: Sequence[int], axes: tuple[int, ...]) -> int:
    n = 1
    for a in axes:
        n *= shape[a]
    return n


# ---- keywords ----------------------------------------------------------------------------------------------------------------


def operand(name: str, a: Any, dtype: Any = None, out: Any = None) -> Any:
    """The reduced array as one traced value; refuses what a reduction cannot do to it."""
    if out is not None:
        raise not_covered(f"numpy.{name} with out= (a write into an array)", "use its result")
    if dtype is not None and np.dtype(dtype).kind != "f":
        raise TypeError(f"numpy.{name} with dtype={np.dtype(dtype)} of a traced value: only real floating types have a derivative")
    return a if isinstance(a, Traced) else as_traced(a)


def reduction(
    name: str,
    a: Any,
    axis: Any,
    dtype: Any = None,
    keepdims: Any = False,
    initial: Any = None,
    where: Any = True,
) -> dict[str, Any]:
    """NumPy's keywords for a reduction, the ones that change nothing left out."""
    params = {"axis": axis, "keepdims": keepdims is not np._NoValue and bool(keepdims)}
    if dtype is not None and np.dtype(dtype) != a.dtype:
        params["dtype"] = np.dtype(dtype)
    if initial is not None and initial is not np._NoValue:
        if isinstance(initial, Traced):
            raise not_covered(f"numpy.{name} with a traced initial=", "combine it with the result")
        params["initial"] = initial
    if where is not None and where is not np._NoValue and where is not True:
        params["where"] = np.array(untraced(where), bool)  # a copy: the caller may write into his
    return params


# ---- reductions by weights -----------------------------------------------------------------------------------------------------


def weighted(
    name: str, impl: Callable[..., Any], weights: Callable[..., Any], chosen: Callable[[Any, Any], Any] | None = None
) -> Primitive:
    """A reduction whose derivative is a weighted sum.

    Parameters
    ----------
    name : str
    impl : callable
        NumPy's function, ``impl(x, axis=, keepdims=, ...)``.
    weights : callable
        ``weights(x, out, axes, **params)`` of x's shape, by functions that accept traced values; `out` has the reduced axes
        kept with length 1, `axes` count from the end.
    chosen : callable, optional
        ``chosen(x, w)``: plain mask of the elements that the result depends on.  The others (and those that where= leaves
        out) get nothing, not even an infinity times 0.  A weight that happens to be 0 is no reason to leave an element out:
        the weight's own derivative need not be 0.
    """

    def weigh(xs: Sequence[Any], out: Any, axis: Any, dtype: Any, params: dict[str, Any]) -> tuple[Any, Any, Any, Any]:
        x, shape = xs[0], tuple(shape_of(xs[0]))
        axes = axes_from_end(axis, len(shape))
        x = x if dtype is None else x.astype(dtype)
        w = weights(x, np.reshape(out, _kept(shape, axes)), axes, **params)
        mask = params.get("where")
        if chosen is not None:
            mask = chosen(x, w) if mask is None else chosen(x, w) & mask
        return w, mask, axes, shape

    def jvp(
        ts: Sequence[Any], xs: Sequence[Any], out: Any, lanes: int, axis: Any, keepdims: bool, dtype: Any = None, **params: Any
    ) -> Any:
        with np.errstate(all="ignore"):
            w, mask, axes, _ = weigh(xs, out, axis, dtype, params)
            term = w * ts[0]
            return np.sum(term if mask is None else np.where(mask, term, 0.0), axis=axes, keepdims=keepdims)

    def vjp(
        ct: Any,
        xs: Sequence[Any],
        out: Any,
        needs: Sequence[bool],
        lanes: int,
        axis: Any,
        keepdims: bool,
        dtype: Any = None,
        **params: Any,
    ) -> tuple[Any]:
        with np.errstate(all="ignore"):
            w, mask, axes, shape = weigh(xs, out, axis, dtype, params)
            c = guarded(w, spread(ct, shape, axes, keepdims, lanes), False)
            if mask is not None:
                c = np.where(mask, c, -0.0)
        return (c if dtype is None else c.astype(dtype_of(xs[0])),)

    return Primitive(name, impl, jvp, vjp)


# ---- sum and mean --------------------------------------------------------------------------------------------------------------


def _sum_jvp(
    ts: Sequence[Any],
    xs: Sequence[Any],
    out: Any,
    lanes: int,
    axis: Any,
    keepdims: bool,
    dtype: Any = None,
    initial: Any = None,
    where: Any = True,
) -> Any:
    return np.sum(ts[0], axis=axes_from_end(axis, len(shape_of(xs[0]))), keepdims=keepdims, dtype=dtype, where=where)


def _sum_vjp(
    ct: Any,
    xs: Sequence[Any],
    out: Any,
    needs: Sequence[bool],
    lanes: int,
    axis: Any,
    keepdims: bool,
    dtype: Any = None,
    initial: Any = None,
    where: Any = True,
) -> tuple[Any]:
    shape = tuple(shape_of(xs[0]))
    c = spread(ct, shape, axes_from_end(axis, len(shape)), keepdims, lanes)
    if where is not True:
        c = np.where(where, c, -0.0)
    return (c if dtype is None else c.astype(dtype_of(xs[0])),)


_sum = Primitive("sum", np.sum, _sum_jvp, _sum_vjp)


@implements(np.sum)
def sum_(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, initial: Any = None, where: Any = True
) -> Any:
    """np.sum."""
    a = operand("sum", a, dtype, out)
    params = reduction("sum", a, axis, dtype, keepdims, initial, where)
    if type(a) is VarArray and len(params) == 2:
        return _sum_slots(a, axis, params["keepdims"])
    return bind(_sum, [a], params) if len(params) > 2 or is_array(a) or shape_of(a) else a


def _sum_slots(a: VarArray, axis: Any, keepdims: bool) -> Any:
    axes = tuple(i + a.ndim for i in axes_from_end(axis, a.ndim))
    result = np.add.reduce(_core.values(a), axis=None if axis is None else axes)
    total = _core.sum_axes(a, result, axes)
    return total if not keepdims else np.reshape(total, tuple([1 if i in axes else n for i, n in enumerate(a.shape)]))


def _number(shape: Sequence[int], axes: tuple[int, ...], where: Any, keepdims: bool, dtype: Any) -> Any:
    """How many elements a slice has: an int, or an array (of floats, to divide by) where a mask decides."""
    if where is None:
        return _count(shape, axes)
    return np.sum(np.broadcast_to(where, shape), axis=axes, keepdims=keepdims, dtype=np.intp).astype(dtype)


@implements(np.mean)
def mean(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, *, where: Any = True) -> Any:
    """np.mean, which is sum/n in NumPy too."""
    a = operand("mean", a, dtype, out)
    shape = tuple(shape_of(a))
    half = dtype is None and a.dtype == np.float16  # NumPy sums these as float32
    total = sum_(a, axis, np.float32 if half else dtype, None, keepdims, None, where)
    mask = None if where is True or where is np._NoValue else np.asarray(untraced(where), bool)
    kept = keepdims is not np._NoValue and bool(keepdims)
    result = total / _number(shape, axes_from_end(axis, len(shape)), mask, kept, total.dtype)
    return result.astype(np.float16) if half else result


@implements(np.average)
def average(a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: Any = False) -> Any:
    """np.average; the weights may be traced too."""
    a = as_traced(a)
    shape = tuple(shape_of(a))
    keepdims = keepdims is not np._NoValue and bool(keepdims)
    if weights is None:
        avg = mean(a, axis, keepdims=keepdims)
        scale: Any = np.full(shape_of(avg), _count(shape, axes_from_end(axis, len(shape))), avg.dtype)[()]
    else:
        w = as_traced(weights)
        axes = tuple(i + len(shape) for i in axes_from_end(axis, len(shape)))
        if tuple(shape_of(w)) != shape:
            if axis is None:
                raise TypeError("numpy.average: axis must be given when the shapes of a and weights differ")
            if tuple(shape_of(w)) != tuple(shape[i] for i in axes):
                raise ValueError("numpy.average: the shape of weights must be that of a along the given axis")
            w = np.reshape(np.transpose(w, np.argsort(axes)), tuple([n if i in axes else 1 for i, n in enumerate(shape)]))
        scale = np.sum(w, axis=axes, keepdims=keepdims)
        if np.any(plain(scale) == 0.0):
            raise ZeroDivisionError("numpy.average: weights sum to zero, can't be normalized")
        avg = np.sum(np.multiply(a, w), axis=axes, keepdims=keepdims) / scale
    if not returned:
        return avg
    return avg, scale if shape_of(scale) == shape_of(avg) else np.broadcast_to(scale, shape_of(avg))


@implements(np.trace)
def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None) -> Any:
    """np.trace: the sum of a diagonal."""
    return sum_(np.diagonal(operand("trace", a, dtype, out), offset, axis1, axis2), -1, dtype)


# ---- extrema -------------------------------------------------------------------------------------------------------------------


def tied(x: Any, out: Any, axes: tuple[int, ...], initial: Any = None, where: Any = None) -> Any:
    """1/k on the k elements that attain the extremum; locally constant, so of plain values."""
    v, m = plain(x), plain(out)
    mask = (v == m) | (np.isnan(m) & np.isnan(v))
    if where is not None:
        mask = mask & where
    count = np.sum(mask, axis=axes, keepdims=True)
    if initial is not None:
        count = count + (m == initial)  # a constant that is tied takes its even part
    return np.where(mask, 1.0 / np.maximum(count, 1), 0.0).astype(dtype_of(x))


def _attained_once(a: Any, axis: Any, keepdims: bool, ufunc: Any, which: Any) -> Any:
    """a's extreme element(s) picked by index; None when some extremum is tied or NaN."""
    v = plain(a)
    shape = v.shape
    if not v.size:
        return None
    axes = axes_from_end(axis, len(shape))
    if len(axes) == len(shape):
        flat = v.reshape(-1)
        i = which(flat)
        if np.count_nonzero(flat == flat[i]) != 1:
            return None
        one = a[np.unravel_index(i, shape) if len(shape) > 1 else (int(i),)]
        return one if not keepdims else np.reshape(one, (1,) * len(shape))
    extremes = ufunc.reduce(v, axis=axes, keepdims=True)
    mask = v == extremes
    if not axes or np.count_nonzero(mask) != extremes.size or np.isnan(extremes).any():
        return None
    kept = extremes.shape if keepdims else tuple([n for i, n in enumerate(shape) if i - len(shape) not in axes])
    return np.reshape(to_last(a, shape, axes)[to_last(mask, shape, axes)], kept)  # one of each slice, in order


def _extremum(name: str, ufunc: Any, which: Any, *functions: Any) -> None:
    """Register one of max, min, nanmax, nanmin and the ufunc's reduce."""
    primitive = weighted(name, functions[0], tied, lambda x, w: w != 0.0)

    @implements(*functions)
    def rule(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, initial: Any = None, where: Any = True) -> Any:
        a = operand(name, a, None, out)
        params = reduction(name, a, axis, None, keepdims, initial, where)
        if not shape_of(a) and len(params) == 2:
            return a[()] if is_array(a) else a
        if len(params) == 2:
            picked = _attained_once(a, axis, params["keepdims"], ufunc, which)
            if picked is not None:
                return picked
        return bind(primitive, [a], params)

    METHODS[ufunc, "reduce"] = lambda a, axis=0, dtype=None, out=None, keepdims=False, initial=None, where=True: function(
        functions[0], (a,), {"axis": axis, "out": out, "keepdims": keepdims, "initial": initial, "where": where}
    )


_extremum("max", np.maximum, np.ndarray.argmax, np.max, np.amax)
_extremum("min", np.minimum, np.ndarray.argmin, np.min, np.amin)
_extremum("nanmax", np.fmax, np.ndarray.argmax, np.nanmax)
_extremum("nanmin", np.fmin, np.ndarray.argmin, np.nanmin)


@implements(np.ptp)
def ptp(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False) -> Any:
    """np.ptp: max - min."""
    a = operand("ptp", a, None, out)
    return np.max(a, axis, keepdims=keepdims) - np.min(a, axis, keepdims=keepdims)


# ---- var and std ---------------------------------------------------------------------------------------------------------------


def _deviations(x: Any, axes: tuple[int, ...], ddof: float, where: Any) -> tuple[Any, Any]:
    """x - mean(x) (0 where a mask leaves x out) and the divisor of var."""
    n = _number(shape_of(x), axes, where, True, dtype_of(x))
    if where is not None:
        x = np.where(where, x, 0.0)
    deviation = x - np.sum(x, axis=axes, keepdims=True) / n
    return deviation if where is None else np.where(where, deviation, 0.0), np.maximum(n - ddof, 0)


def _var_weights(x: Any, out: Any, axes: tuple[int, ...], ddof: float = 0, where: Any = None) -> Any:
    deviation, divisor = _deviations(x, axes, ddof, where)
    return deviation * np.asarray(2.0 / divisor, dtype_of(x))


def _std_weights(x: Any, out: Any, axes: tuple[int, ...], ddof: float = 0, where: Any = None) -> Any:
    deviation, divisor = _deviations(x, axes, ddof, where)
    v, kept = plain(x), True if where is None else where
    still = np.max(v, axis=axes, keepdims=True, where=kept, initial=-np.inf) == np.min(
        v, axis=axes, keepdims=True, where=kept, initial=np.inf
    )
    still = still | (plain(out) == 0.0)
    # The constant 1 under a slice that does not vary keeps 0/0, and its derivative, out of the other slices.
    return np.where(still, 0.0, deviation / (np.where(still, 1.0, out) * np.asarray(divisor, dtype_of(x))))


def _is_number(x: Any, w: Any) -> Any:
    return ~np.isnan(plain(x))


def _numbers(weights: Callable[..., Any]) -> Callable[..., Any]:
    """Weights that leave NaN elements out."""

    def rule(x: Any, out: Any, axes: tuple[int, ...], ddof: float = 0, where: Any = None) -> Any:
        mask = _is_number(x, None)
        return weights(x, out, axes, ddof, mask if where is None else mask & where)

    return rule


def _var_slots(a: VarArray, axis: Any, keepdims: bool, ddof: float, root: bool) -> Any:
    """NumPy's steps of var and std as entries of the tape; None where they would not give its bits, or a kink needs care."""
    v = _core.values(a)
    n = _count(v.shape, axes_from_end(axis, v.ndim)) if v.size else 0
    if not v.ndim or not v.flags.c_contiguous or n - ddof <= 0:
        return None
    average = _sum_slots(a, axis, True) / n
    result = _sum_slots(np.square(a - average), axis, keepdims) / (n - ddof)
    if not root:
        return result
    # A slice that is constant but for the rounding of its mean has no derivative of std.
    if np.any(plain(result) <= 1e-28 * np.square(np.reshape(plain(average), shape_of(result)))):
        return None
    return np.sqrt(result)


def _spread_measure(f: Any, weights: Callable[..., Any], chosen: Any = None) -> None:
    name = f.__name__
    primitive = weighted(name, f, weights, chosen)

    @implements(f)
    def rule(
        a: Any,
        axis: Any = None,
        dtype: Any = None,
        out: Any = None,
        ddof: Any = 0,
        keepdims: Any = False,
        *,
        where: Any = True,
        mean: Any = None,
        correction: Any = None,
    ) -> Any:
        a = operand(name, a, dtype, out)
        if mean is not None and mean is not np._NoValue:
            raise not_covered(f"numpy.{name} with mean=", "leave mean= out")
        if correction is not None and correction is not np._NoValue:
            if ddof not in (0, None):
                raise ValueError("ddof and correction can't be provided simultaneously.")
            ddof = correction
        params = reduction(name, a, axis, dtype, keepdims, None, where)
        if type(a) is VarArray and len(params) == 2 and chosen is None:
            result = _var_slots(a, axis, params["keepdims"], ddof or 0, f is np.std)
            if result is not None:
                return result
        return bind(primitive, [a], {**params, "ddof": ddof or 0})


_spread_measure(np.var, _var_weights)
_spread_measure(np.std, _std_weights)
_spread_measure(np.nanvar, _numbers(_var_weights), _is_number)
_spread_measure(np.nanstd, _numbers(_std_weights), _is_number)


# ---- NaN left out, as NumPy does it: by a neutral element ----------------------------------------------------------------------


def without_nan(name: str, a: Any, neutral: float, dtype: Any = None, out: Any = None) -> Any:
    """The operand with every NaN replaced by a constant."""
    a = operand(name, a, dtype, out)
    mask = np.isnan(plain(a))
    return np.where(mask, a.dtype.type(neutral), a) if np.any(mask) else a


@implements(np.nansum)
def nansum(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, initial: Any = None, where: Any = True
) -> Any:
    """np.nansum."""
    return sum_(without_nan("nansum", a, 0.0, dtype, out), axis, dtype, None, keepdims, initial, where)


@implements(np.nanmean)
def nanmean(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, *, where: Any = True) -> Any:
    """np.nanmean."""
    filled = without_nan("nanmean", a, 0.0, dtype, out)
    shape = tuple(shape_of(filled))
    mask = np.broadcast_to(~np.isnan(untraced(as_traced(a))), shape)
    if where is not True and where is not np._NoValue:
        mask = mask & np.asarray(untraced(where), bool)
    kept = keepdims is not np._NoValue and bool(keepdims)
    total = sum_(filled, axis, dtype, None, keepdims, None, where)
    return total / _number(shape, axes_from_end(axis, len(shape)), mask, kept, total.dtype)

"""Running sums and products, and the product over axes.

The derivative of a running product obeys a recurrence,

    c[k] = c[k-1] x[k]        dc[k] = x[k] dc[k-1] + c[k-1] dx[k],

and its transpose the same one backwards.  It divides by nothing, so one or several zeros need no case of their own, at any
order.  Where nothing is zero or near the ends of the range, dividing through by c turns the recurrence into a running sum,
which NumPy does in one pass; else it is solved by doubling (Hillis & Steele, 1986): log2(n) elementwise steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._core import Traced
from ..generic import is_array, shape_of
from .primitive import Primitive, bind, implements
from .reductions import axes_from_end, from_last, operand, reduction, to_last, weighted, without_nan

__all__ = ["cumprod", "cumsum", "recurrence"]


def recurrence(a: Any, b: Any) -> Any:
    """s[k] = b[k] + a[k] s[k-1] along the last axis, from s[-1] = 0, by doubling."""
    n, step = shape_of(b)[-1], 1
    while step < n:
        b = np.concatenate([b[..., :step], b[..., step:] + a[..., step:] * b[..., :-step]], axis=-1)
        step *= 2
        if step < n:
            a = np.concatenate([a[..., : step // 2], a[..., step // 2 :] * a[..., : -(step // 2)]], axis=-1)
    return b


def _moderate(*values: Any) -> bool:
    """Plain numbers that can be divided by without over- or underflow."""
    for v in values:
        if isinstance(v, Traced):
            return False
        size = np.abs(v)
        tiny = 1e-30 if size.dtype == np.float32 else 1e-280
        if not (size.min(initial=1.0) > tiny and size.max(initial=1.0) < 1.0 / tiny):
            return False
    return True


def _backwards(x: Any) -> Any:
    return x[..., ::-1]


def _before(x: Any, c: Any) -> Any:
    """Products of the elements before each one, given the running products c."""
    first = np.ones((*shape_of(c)[:-1], 1), c.dtype)
    return np.concatenate([first, c[..., :-1]], axis=-1)


# ---- running sums ------------------------------------------------------------------------------------------------------------


def _cumsum_jvp(ts: Sequence[Any], xs: Sequence[Any], out: Any, lanes: int, axis: int, dtype: Any = None) -> Any:
    return np.cumsum(ts[0], axis=axis, dtype=dtype)


def _cumsum_vjp(
    ct: Any, xs: Sequence[Any], out: Any, needs: Sequence[bool], lanes: int, axis: int, dtype: Any = None
) -> tuple[Any]:
    c = np.flip(np.cumsum(np.flip(ct, axis), axis=axis), axis)
    return (c if dtype is None else c.astype(xs[0].dtype),)


_cumsum = Primitive("cumsum", np.cumsum, _cumsum_jvp, _cumsum_vjp)


def _running(primitive: Primitive, name: str, a: Any, axis: Any, dtype: Any, out: Any) -> Any:
    a = operand(name, a, dtype, out)
    if axis is None:
        a, axis = np.reshape(a, (-1,)), -1
    params = {"axis": axes_from_end(axis, len(shape_of(a)))[0]}
    if dtype is not None and np.dtype(dtype) != a.dtype:
        params["dtype"] = np.dtype(dtype)
    return bind(primitive, [a], params)


@implements(np.cumsum)
def cumsum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    """np.cumsum."""
    return _running(_cumsum, "cumsum", a, axis, dtype, out)


# ---- running products ----------------------------------------------------------------------------------------------------------


def _cumprod_jvp(ts: Sequence[Any], xs: Sequence[Any], out: Any, lanes: int, axis: int, dtype: Any = None) -> Any:
    x, t, c = (np.moveaxis(v, axis, -1) for v in (xs[0] if dtype is None else xs[0].astype(dtype), ts[0], out))
    if _moderate(x, c):
        dc = c * np.cumsum(t / x, axis=-1)
    else:
        with np.errstate(all="ignore"):
            dc = recurrence(x, _before(x, c) * t)
    return np.moveaxis(dc, -1, axis)


def _cumprod_vjp(
    ct: Any, xs: Sequence[Any], out: Any, needs: Sequence[bool], lanes: int, axis: int, dtype: Any = None
) -> tuple[Any]:
    x, ct, c = (np.moveaxis(v, axis, -1) for v in (xs[0] if dtype is None else xs[0].astype(dtype), ct, out))
    if _moderate(x, c):
        g = _backwards(np.cumsum(_backwards(ct * c), axis=-1)) / x
    else:
        with np.errstate(all="ignore"):
            after = np.concatenate([x[..., 1:], x[..., :1]], axis=-1)  # the last entry multiplies s[-1] = 0, so is not used
            g = _before(x, c) * _backwards(recurrence(_backwards(after), _backwards(ct)))
    if type(ct) is np.ndarray:
        # What only reaches results nobody asked for stays untouched (-0.0), whatever the signs of x made of it.
        idle = _backwards(np.logical_and.accumulate(_backwards((ct == 0.0) & np.signbit(ct)), axis=-1))
        g = np.where(idle, -0.0, g) if idle.any() else g
    g = np.moveaxis(g, -1, axis)
    return (g if dtype is None else g.astype(xs[0].dtype),)


_cumprod = Primitive("cumprod", np.cumprod, _cumprod_jvp, _cumprod_vjp)


@implements(np.cumprod)
def cumprod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    """np.cumprod."""
    return _running(_cumprod, "cumprod", a, axis, dtype, out)


def _scaled_before(row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Products of the elements before each one as mantissa and exponent, by doubling: nothing under- or overflows on the way."""
    m, e = np.frexp(_before(row, row))
    step = 1
    while step < m.shape[-1]:
        product, shift = np.frexp(m[..., step:] * m[..., :-step])
        m = np.concatenate([m[..., :step], product], axis=-1)
        e = np.concatenate([e[..., :step], e[..., step:] + e[..., :-step] + shift], axis=-1)
        step *= 2
    return m, e


def _products_of_others(row: np.ndarray) -> np.ndarray:
    m, e = _scaled_before(row)
    n, f = _scaled_before(_backwards(row))
    return np.ldexp(m * _backwards(n), e + _backwards(f))


def _prod_weights(x: Any, out: Any, axes: tuple[int, ...], initial: Any = None, where: Any = None) -> Any:
    """The product of the other elements: those before times those after."""
    shape = shape_of(x)
    if where is not None:
        x = np.where(where, x, 1.0)
    row = to_last(x, shape, axes)
    if shape_of(row)[-1] == 0:
        return x
    if _moderate(row, out):  # out holds `initial` already
        return out / x
    if not isinstance(row, Traced):
        w = _products_of_others(row)
        return from_last(w if initial is None else w * row.dtype.type(initial), shape, axes)
    before = _before(row, np.cumprod(row, axis=-1))
    after = _backwards(_before(row, np.cumprod(_backwards(row), axis=-1)))
    w = from_last(before * after, shape, axes)
    return w if initial is None else w * initial


_prod = weighted("prod", np.prod, _prod_weights)


@implements(np.prod)
def prod(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, initial: Any = None, where: Any = True
) -> Any:
    """np.prod."""
    a = operand("prod", a, dtype, out)
    params = reduction("prod", a, axis, dtype, keepdims, initial, where)
    return bind(_prod, [a], params) if len(params) > 2 or is_array(a) or shape_of(a) else a


# ---- the same under other names ------------------------------------------------------------------------------------------------


@implements(np.nanprod)
def nanprod(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, initial: Any = None, where: Any = True
) -> Any:
    """np.nanprod."""
    return prod(without_nan("nanprod", a, 1.0, dtype, out), axis, dtype, None, keepdims, initial, where)


@implements(np.nancumsum)
def nancumsum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    """np.nancumsum."""
    return cumsum(without_nan("nancumsum", a, 0.0, dtype, out), axis, dtype)


@implements(np.nancumprod)
def nancumprod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    """np.nancumprod."""
    return cumprod(without_nan("nancumprod", a, 1.0, dtype, out), axis, dtype)


def _cumulative(name: str, running: Any, identity: float, x: Any, axis: Any, dtype: Any, out: Any, include_initial: bool) -> Any:
    x = operand(name, x, dtype, out)
    if axis is None and len(shape_of(x)) > 1:
        raise ValueError(f"numpy.{name}: for arrays of more than one dimension axis= is required")
    result = running(x, axis, dtype)
    if not include_initial:
        return result
    axis = -1 if axis is None else axis
    shape = list(shape_of(result))
    shape[axis] = 1
    return np.concatenate([np.full(shape, identity, result.dtype), result], axis=axis)


@implements(np.cumulative_sum)
def cumulative_sum(x: Any, /, *, axis: Any = None, dtype: Any = None, out: Any = None, include_initial: bool = False) -> Any:
    """np.cumulative_sum."""
    return _cumulative("cumulative_sum", cumsum, 0.0, x, axis, dtype, out, include_initial)


@implements(np.cumulative_prod)
def cumulative_prod(x: Any, /, *, axis: Any = None, dtype: Any = None, out: Any = None, include_initial: bool = False) -> Any:
    """np.cumulative_prod."""
    return _cumulative("cumulative_prod", cumprod, 1.0, x, axis, dtype, out, include_initial)

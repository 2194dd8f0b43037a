"""Methods of ufuncs on traced values: add.reduce, multiply.accumulate, logaddexp.reduce, outer of any pair, add.reduceat.

What writes into its argument (`at`) or has no rule raises an error that names it: see `dispatch`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..generic import plain, shape_of
from .cumulative import cumprod, cumsum, prod
from .dispatch import METHODS, untraced
from .primitive import Primitive, bind, not_covered
from .reductions import axes_from_end, operand, reduction, sum_, tied, weighted
from .structure import as_traced

__all__ = ["add_reduceat", "outer"]


def _reduce(function: Callable[..., Any]) -> Callable[..., Any]:
    """A reduction under its ufunc's name, where axis 0 is the default."""

    def rule(
        a: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: Any = False, initial: Any = None, where: Any = True
    ) -> Any:
        return function(a, axis, dtype, out, keepdims, initial, where)

    return rule


def _accumulate(ufunc: Any, function: Callable[..., Any]) -> None:
    def rule(a: Any, axis: Any = 0, dtype: Any = None, out: Any = None) -> Any:
        if shape_of(a := as_traced(a)) == ():
            raise TypeError(f"numpy.{ufunc.__name__}.accumulate runs along an axis; a traced number has none")
        return function(a, axis, dtype, out)

    METHODS[ufunc, "accumulate"] = rule


METHODS[np.add, "reduce"] = _reduce(sum_)
METHODS[np.multiply, "reduce"] = _reduce(prod)
_accumulate(np.add, cumsum)
_accumulate(np.multiply, cumprod)


def _lost(x: Any, y: Any) -> Any:
    """What the rounding of x - y loses, exactly (Knuth's TwoSum); 0 where it is not finite."""
    d = x - y
    part = d - x
    lost = (x - (d - part)) - (y + part)
    return np.where(np.isfinite(lost), lost, 0.0).astype(d.dtype)


def _soft_weights(base: Callable[..., Any], rate: float) -> Callable[..., Any]:
    """base ** x over its sum: how much each element has of the result.

    Not base ** (x - out): the rounding of a large `out` would be the relative error of the weight.  `rate` is log(base).
    """

    def rule(x: Any, out: Any, axes: tuple[int, ...], initial: Any = None, where: Any = None) -> Any:
        v, kept = np.asarray(plain(x)), True if where is None else where
        top = np.max(v, axis=axes, keepdims=True, where=kept, initial=-np.inf if initial is None else initial)
        infinite = np.isinf(top)
        top = np.where(infinite, 0.0, top).astype(v.dtype)
        e = base(x - top) * (1.0 + rate * _lost(v, top))  # a constant shift, which drops out of the ratio
        if where is not None:
            e = np.where(where, e, 0.0)
        total = np.sum(e, axis=axes, keepdims=True)
        w = e / (total if initial is None else total + base(initial - top))
        # An infinite result is shared by the elements that equal it.
        return np.where(infinite, tied(x, out, axes, initial, where), w) if infinite.any() else w

    return rule


def _log_sum(ufunc: Any, base: Any, rate: float) -> None:
    name = f"{ufunc.__name__}.reduce"
    primitive = weighted(name, ufunc.reduce, _soft_weights(base, rate))

    def rule(
        a: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: Any = False, initial: Any = None, where: Any = True
    ) -> Any:
        a = operand(name, a, dtype, out)
        return bind(primitive, [a], reduction(name, a, axis, dtype, keepdims, initial, where))

    METHODS[ufunc, "reduce"] = rule


_log_sum(np.logaddexp, np.exp, 1.0)
_log_sum(np.logaddexp2, np.exp2, np.log(2.0).item())


def outer(ufunc: Any, a: Any, b: Any, **kwargs: Any) -> Any:
    """ufunc.outer: the ufunc of every pair."""
    if ufunc.nin != 2:
        raise ValueError(f"numpy.{ufunc.__name__}.outer: outer is for functions of two arguments")
    a = as_traced(a)
    return ufunc(np.reshape(a, tuple(shape_of(a)) + (1,) * len(shape_of(as_traced(b)))), b, **kwargs)


METHODS[None, "outer"] = outer


def _segments(n: int, index: np.ndarray) -> np.ndarray:
    """Which entry of reduceat's result each of n elements is in (-1 before the first)."""
    return np.searchsorted(index, np.arange(n), side="right") - 1


def _reduceat_jvp(ts: Sequence[Any], xs: Sequence[Any], out: Any, lanes: int, index: Any, axis: int) -> Any:
    return add_reduceat(ts[0], index, axis)


def _reduceat_vjp(ct: Any, xs: Sequence[Any], out: Any, needs: Sequence[bool], lanes: int, index: Any, axis: int) -> tuple[Any]:
    at = _segments(shape_of(xs[0])[axis], index)
    kept = np.reshape(at >= 0, (-1,) + (1,) * (-axis - 1))
    return (np.where(kept, np.take(ct, np.maximum(at, 0), axis=axis), -0.0),)


_reduceat = Primitive("add.reduceat", lambda x, index, axis: np.add.reduceat(x, index, axis), _reduceat_jvp, _reduceat_vjp)


def add_reduceat(a: Any, indices: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
    """np.add.reduceat for rising indices: sums of consecutive stretches."""
    a = operand("add.reduceat", a, dtype, out)
    index = np.array(untraced(indices))
    if dtype is not None or index.ndim != 1 or np.any(np.diff(index) <= 0):
        raise not_covered("numpy.add.reduceat with indices that do not rise, or a dtype", "sum slices")
    return bind(_reduceat, [a], {"index": index, "axis": axes_from_end(axis, len(shape_of(a)))[0]})


METHODS[np.add, "reduceat"] = add_reduceat

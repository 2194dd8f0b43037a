"""What an operation does a little off its point, on the side that the tangent enters.

At a kink the primal alone does not say which piece of a function is next: the tangent does. abs is then the branch with its
sign, a maximum the operand that grows faster, a comparison that holds with equality is answered as it will be a moment later,
equal elements are sorted by their tangents, a step is already taken. (A. Griewank, *On stable piecewise linearization and
generalized algorithmic differentiation*, Optim. Methods Softw. 28 (2013) 1139-1178.)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .._core import Traced
from ..generic import plain, shape_of
from .dispatch import untraced
from .margins import COMPARISONS, POINT, Margin
from .reductions import axes_from_end, from_last, to_last

__all__ = ["Side", "replaced"]

_SMALLER = (np.minimum, np.fmin)


def replaced(here: Any, piece: Any, ufunc: Any, inputs: tuple[Any, ...]) -> Any:
    """`piece` where `here`, the operation itself elsewhere."""
    if not np.ndim(here):
        return piece if here else ufunc(*inputs)
    return np.where(here, piece, ufunc(*inputs))


class Side:
    """A listener for :func:`dualad.kinks.listening` that takes the side of the tangent.

    Parameters
    ----------
    base : int
        Level of the primal whose tangent says where to.
    keeps_equal : bool
        ``==`` of equal numbers stays true, as it is at the point itself.
    """

    def __init__(self, base: int, keeps_equal: bool) -> None:
        self.base, self.keeps_equal = base, keeps_equal

    def tangent(self, x: Any) -> Any:
        """Plain tangent of x on the level above `base`; 0.0 for a constant."""
        while isinstance(x, Traced):
            primal = getattr(x, "primal", None)
            if isinstance(primal, Traced) and primal.level_id == self.base:
                return plain(getattr(x, "tangent", 0.0))
            x = primal
        return 0.0

    # ---- elementwise -------------------------------------------------------------------------------------------------------------

    def row(self, ufunc: Any, inputs: tuple[Any, ...], values: list[Any], here: Any) -> Any:
        """A ufunc some of whose elements are at a kink."""
        tangents = [np.asarray(self.tangent(x)) for x in inputs]
        x, t = inputs[0], tangents[0]
        if ufunc in (np.absolute, np.fabs):
            return replaced(here, 0.0 + np.sign(t)[()] * x, ufunc, inputs)
        if ufunc in (np.maximum, np.minimum, np.fmax, np.fmin):
            y, ahead = inputs[1], t >= tangents[1]
            share = np.where(~ahead if ufunc in _SMALLER else ahead, 1.0, 0.0)[()]
            with np.errstate(invalid="ignore"):  # infinities that tie
                return replaced(np.logical_and(here, np.isfinite(values[0])), y - share * (y - x), ufunc, inputs)
        if ufunc is np.hypot:
            length = np.hypot(*tangents)
            along = [np.where(length == 0.0, 0.0, s / np.where(length == 0.0, 1.0, length))[()] for s in tangents]
            return replaced(here, along[0] * x + along[1] * inputs[1], ufunc, inputs)
        if ufunc is np.copysign:
            turned = (np.asarray(values[1]) == 0.0) & (tangents[1] != 0.0)
            sign = np.where(turned, np.sign(tangents[1]), np.copysign(1.0, values[1]))
            own = np.where(np.asarray(values[0]) == 0.0, np.sign(t), np.sign(values[0]))
            return replaced(here, (sign * own)[()] * x, ufunc, inputs)
        return self._jump(ufunc, inputs, values, tangents)

    def _jump(self, ufunc: Any, inputs: tuple[Any, ...], values: list[Any], tangents: list[np.ndarray]) -> Any:
        """The value at the next floats in that direction, the slope by the rule."""
        with np.errstate(all="ignore"):
            next_floats = [np.nextafter(v, np.copysign(np.inf, t)) for v, t in zip(values, tangents, strict=True)]
            beside = ufunc(*(np.where(t == 0.0, v, w) for v, t, w in zip(values, tangents, next_floats, strict=True)))
            step = np.asarray(beside - ufunc(*values))
            size = 1.0 + np.abs(ufunc(*values))
        step = np.where(np.isnan(beside) | (np.abs(step) > 1e-7 * size), step, 0.0)  # else it is the slope's, or rounding
        jump = np.where(np.isnan(step) & ~np.isnan(beside), 0.0, step)[()]
        result = ufunc(*inputs)
        return result if not np.any(jump != 0.0) else result + jump

    # ---- choices and whole arrays ------------------------------------------------------------------------------------------------

    def choice(self, f: Any, args: tuple[Any, ...], kwargs: dict[str, Any], values: tuple[Any, ...], found: Margin) -> Any:
        """A comparison, or a function of a whole array; None where its own rule will do."""
        here = found[1] == 0.0
        if not np.any(here):
            return None
        if f in COMPARISONS:
            return self._comparison(f, args, values, here)
        result = None
        if f is np.linalg.norm:
            result = self._norm(f, *args, **kwargs)
        elif f is np.std:
            result = self._std(*args, **kwargs)
        elif f in _PLACES:
            result = self._ordered(f, *args, **kwargs)
        return self._nudged(f, args, kwargs) if result is None else result

    def _nudged(self, f: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Whatever has no better way: the function a little further on; what is continuous gets its own value back."""
        i = POINT.get(f, 0)
        if len(args) <= i:
            return None
        x = plain(args[i])
        t = np.broadcast_to(self.tangent(args[i]), np.shape(x))
        with np.errstate(all="ignore"):
            if f in _STEPS or f is np.interp:
                offset = np.where(t == 0.0, 0.0, np.nextafter(x, np.copysign(np.inf, t)) - x)
            else:
                size = float(np.max(np.abs(x), initial=0.0, where=np.isfinite(x)))
                offset = t * (2.0**-26 * (size or 1.0) / np.max(np.abs(t), initial=0.0))
        moved = f(*args[:i], args[i] + np.where(np.isfinite(offset), offset, 0.0)[()], *args[i + 1 :], **kwargs)
        if f in _STEPS or not isinstance(moved, Traced):
            return moved
        return moved + (f(*map(untraced, args), **untraced(kwargs)) - plain(moved))

    def _comparison(self, f: Any, args: tuple[Any, ...], values: tuple[Any, ...], here: Any) -> Any:
        if f in (np.equal, np.not_equal) and self.keeps_equal:
            return None
        ahead = np.asarray(self.tangent(args[0])) - np.asarray(self.tangent(args[1]))
        with np.errstate(all="ignore"):
            return np.where(here & (ahead != 0.0), f(ahead, 0.0), f(*values))[()]

    def _ordered(self, f: Any, a: Any, *args: Any, **kwargs: Any) -> Any:
        """Order statistics: equal elements in the order of their tangents."""
        rest = [v for v in args if v is not None]
        q: tuple[Any, ...] = ()
        if f in (np.quantile, np.percentile):
            q, rest = (kwargs.pop("q"),) if "q" in kwargs else (rest[0],), rest[0 if "q" in kwargs else 1 :]
        axis = rest[0] if rest else kwargs.pop("axis", _PLACES[f][0])
        method = {"method": kwargs.pop("method")} if "method" in kwargs else {}
        unset = all(v is None or v is np._NoValue or v is True for k, v in kwargs.items() if k != "keepdims")
        if len(rest) > 1 or not unset:
            return None
        keepdims = kwargs.get("keepdims") is True
        shape = tuple(shape_of(a))
        axes = axes_from_end(axis, len(shape))
        row = to_last(a, shape, axes)
        t = np.broadcast_to(to_last(np.broadcast_to(self.tangent(a), shape), shape, axes), plain(row).shape)
        order = np.lexsort((t, plain(row)), axis=-1)
        place = _PLACES[f][1]
        if f in (np.argmax, np.argmin, np.argsort):
            chosen = order if place is None else order[..., place]
            return from_last(chosen, shape, axes) if place is None and len(axes) == 1 else chosen
        ordered = np.take_along_axis(row, order, -1)
        if f is np.sort:
            return from_last(ordered, shape, axes) if axis is not None else ordered
        result = ordered[..., place] if place is not None else f(ordered, *q, axis=-1, **method)
        if not keepdims:
            return result
        lead = shape_of(result)[: len(shape_of(result)) - (len(shape) - len(axes))]
        return np.reshape(result, (*lead, *(1 if i - len(shape) in axes else n for i, n in enumerate(shape))))

    def _norm(self, f: Any, x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Any:
        vector = (axis is None and (ord is None or len(shape_of(x)) == 1)) or isinstance(axis, (int, np.integer))
        if not vector:
            return None
        if ord == 1:
            return np.sum(np.abs(x), axis=axis, keepdims=keepdims)
        if ord in (np.inf, -np.inf):
            return (np.max if ord > 0 else np.min)(np.abs(x), axis=axis, keepdims=keepdims)
        if ord not in (None, 2):
            return None
        t = np.broadcast_to(self.tangent(x), shape_of(x))
        length = np.linalg.norm(t, axis=axis, keepdims=True)
        along = np.sum(t / np.where(length == 0.0, 1.0, length) * x, axis=axis, keepdims=keepdims)
        here = np.linalg.norm(plain(x), axis=axis, keepdims=keepdims) == 0.0
        return replaced(here, along, lambda y: f(y, ord, axis, keepdims), (x,))

    def _std(self, a: Any, axis: Any = None, ddof: float = 0, **kwargs: Any) -> Any:
        if kwargs or not (axis is None or isinstance(axis, int)):
            return None
        n = plain(a).size if axis is None else plain(a).shape[axis]
        away = a - np.mean(a, axis=axis, keepdims=True)
        still = np.max(plain(a), axis=axis, keepdims=True) == np.min(plain(a), axis=axis, keepdims=True)
        away = np.where(still, away - plain(away), away)  # the mean of equal numbers may be rounded
        return np.linalg.norm(away, axis=axis) / np.sqrt(n - ddof)


_STEPS = (np.round, np.around, np.searchsorted, np.digitize)
#: function -> (axis where none is given, place of its result in the sorted slice)
_PLACES: dict[Any, tuple[int | None, int | None]] = {
    np.max: (None, -1),
    np.amax: (None, -1),
    np.min: (None, 0),
    np.amin: (None, 0),
    np.argmax: (None, -1),
    np.argmin: (None, 0),
    np.sort: (-1, None),
    np.argsort: (-1, None),
    np.median: (None, None),
    np.quantile: (None, None),
    np.percentile: (None, None),
}

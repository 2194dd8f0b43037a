"""np.interp: piecewise linear in x, linear in the values fp.

Between the points ``xp[j] <= x < xp[j + 1]`` the result is ``(1 - w) fp[j] + w fp[j + 1]`` with ``w`` how far along x lies; so
the slope is that of the segment (at a point, of the segment to its right; at the last point, of the last one), and zero outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._core import Traced
from ..generic import plain
from .primitive import Primitive, bind, implements, not_covered
from .structure import as_traced, put_flat, take_flat

__all__ = ["interp"]


def _weights(x: Any, xp: np.ndarray, left: Any, right: Any) -> tuple[np.ndarray, Any, Any, Any]:
    """Segment of every x, the weights of its two ends, and 1/length where x is inside, else 0."""
    at, n = np.asarray(plain(x)), len(xp)
    j = np.clip(np.searchsorted(xp, at, side="right") - 1, 0, max(n - 2, 0))
    length = xp[np.minimum(j + 1, n - 1)] - xp[j] if n > 1 else np.ones_like(at)
    below, above = at < xp[0], at > xp[-1] if n > 1 else at > xp[0]
    w = np.where(below, 0.0, np.where(above, 1.0 if n > 1 else 0.0, (x - xp[j]) / length))
    kept = ~((below & (left is not None)) | (above & (right is not None)))
    inverse = np.where(below | above, 0.0, 1.0 / length) if n > 1 else np.zeros_like(at)
    return j, np.where(kept, 1.0 - w, 0.0), np.where(kept, w, 0.0), inverse


def _slope(fp: Any, j: np.ndarray, inverse: Any) -> Any:
    return (fp[np.minimum(j + 1, len(fp) - 1)] - fp[j]) * inverse


def _jvp(ts: Sequence[Any], xs: Sequence[Any], out: Any, lanes: int, xp: np.ndarray, left: Any, right: Any) -> Any:
    x, fp = xs
    j, a, b, inverse = _weights(x, xp, left, right)
    total = None if ts[0] is None else ts[0] * _slope(fp, j, inverse)
    if ts[1] is not None:
        n = len(xp)
        part = take_flat(ts[1], index=j + 1, n=n) * a + take_flat(ts[1], index=np.minimum(j + 2, n), n=n) * b
        total = part if total is None else total + part
    return total


def _vjp(ct: Any, xs: Sequence[Any], out: Any, needs: Sequence[bool], lanes: int, xp: np.ndarray, left: Any, right: Any) -> Any:
    x, fp = xs
    j, a, b, inverse = _weights(x, xp, left, right)
    n = len(xp)
    return (
        ct * _slope(fp, j, inverse) if needs[0] else None,
        put_flat(ct * a, index=j + 1, n=n) + put_flat(ct * b, index=np.minimum(j + 2, n), n=n) if needs[1] else None,
    )


_interp = Primitive("interp", lambda x, fp, xp, left, right: np.interp(x, xp, fp, left, right), _jvp, _vjp)


@implements(np.interp)
def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    """np.interp with respect to x and fp; the points xp are constants."""
    if any(isinstance(as_traced(v), Traced) for v in (xp, left, right) if v is not None):
        raise not_covered("numpy.interp with traced xp, left or right")
    if period is not None:
        raise not_covered("numpy.interp with period=", "take x % period and repeat the ends of xp and fp")
    return bind(_interp, [as_traced(x), as_traced(fp)], {"xp": np.asarray(xp, float), "left": left, "right": right})

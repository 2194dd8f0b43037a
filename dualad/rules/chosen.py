"""abs, max and min with a subgradient of the caller's choice at the kink, and their own rule elsewhere."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..generic import dtype_of, plain, shape_of
from .elementwise import align, fit, guarded, select, unbroadcast
from .primitive import Primitive

__all__ = ["chosen"]


@functools.lru_cache(maxsize=64)
def chosen(ufunc: Any, slope: float) -> Primitive:
    """An operation whose partial at a kink is `slope`: of |x| by x at 0, of a maximum or minimum by its first operand at a tie.

    Examples
    --------
    >>> import numpy as np, dualad
    >>> from dualad.rules.chosen import chosen
    >>> dualad.grad(chosen(np.absolute, 0.5))(0.0)
    0.5
    """

    def parts(xs: Sequence[Any]) -> list[Any]:
        """Partials; they are locally constant."""
        x, y = plain(xs[0]), plain(xs[-1])
        if len(xs) == 1:
            found = [np.where(x == 0.0, slope, np.sign(x))]
        else:
            v, tie = ufunc(x, y), np.equal(x, y)
            share = np.where(np.isfinite(x), slope, 0.5)  # of infinities that tie nothing is chosen
            found = [np.where(tie, share, v == x), np.where(tie, 1.0 - share, v == y)]
        return [part.astype(dtype_of(x))[()] for part in found]

    def jvp(ts: Sequence[Any], xs: Sequence[Any], out: Any, lanes: int) -> Any:
        total = None
        for t, p in zip(ts, parts(xs), strict=True):
            if t is not None:
                term = p * align(t, len(shape_of(out)), lanes)
                if np.any(p == 0.0):
                    term = select(p == 0.0 if np.ndim(p) else bool(p == 0.0), 0.0, term)
                total = term if total is None else total + term
        return fit(total, out, lanes, ts)

    def vjp(ct: Any, xs: Sequence[Any], out: Any, needs: Sequence[bool], lanes: int) -> tuple[Any, ...]:
        return tuple(
            unbroadcast(guarded(p, ct, True), tuple(shape_of(x)), lanes) if need else None
            for x, p, need in zip(xs, parts(xs), needs, strict=True)
        )

    return Primitive(ufunc.__name__, ufunc, jvp, vjp)

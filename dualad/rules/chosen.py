"""abs, max and min with a subgradient of the caller's choice at the kink, and their own rule elsewhere."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..generic import dtype_of, plain
from .elementwise import locally_constant
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

    return locally_constant(ufunc.__name__, ufunc, parts)

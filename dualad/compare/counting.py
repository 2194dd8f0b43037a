"""Counting: run f once on a tape and sort what was recorded into the classes of the cost model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import _core
from ..cost import Operations
from ..reverse import record

__all__ = ["count"]


def count(f: Callable[..., Any], *args: Any) -> Operations:
    """Operations of one run of f that depend on its arguments.

    Parameters
    ----------
    f : callable
    *args : float or array_like
        The point; arrays become float64.

    Returns
    -------
    Operations
        Counted on the tape of one recording; see :mod:`dualad.cost` for the convention.

    Raises
    ------
    TypeError
        Inside another transformation, whose tape cannot be counted.

    Notes
    -----
    Cost: one recording, no sweep.

    Examples
    --------
    >>> import numpy as np
    >>> from dualad import compare
    >>> compare.count(lambda x: np.sum(np.sin(x) * x), np.ones(4))
    Operations(const=0, add=3, mult=4, nonlinear=4, calls=0)
    """
    leaves = [float(x) if np.ndim(x) == 0 else np.asarray(x, dtype=float) for x in args]
    recording = record(f, leaves, tuple)
    if not recording.level.plain:
        raise TypeError("count() counts a tape of plain floats: call it outside of grad, jvp and the other transformations")
    return Operations.from_histogram(_core.histogram(recording.level))

"""What one recording of a function holds, whatever containers its arguments are: operations, nodes, bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import _core
from ..cost import Operations
from ..reverse import record
from ..tree import flatten, unflatten

__all__ = ["Recorded", "recorded"]


@dataclass(frozen=True)
class Recorded:
    """One recording.

    Parameters
    ----------
    operations : Operations
        Counted on the tape; see :mod:`dualad.cost`.
    nodes : int
        Entries of the tape: an input, a scalar operation, or one on whole arrays.
    nbytes : int
        What the tape takes: nodes, values and constants.
    """

    operations: Operations
    nodes: int
    nbytes: int


def recorded(f: Callable[..., Any], *args: Any) -> Recorded:
    """Record f once and look at the tape.

    Parameters
    ----------
    f : callable
    *args : float, array_like, or containers of them
        The point.

    Returns
    -------
    Recorded

    Notes
    -----
    Cost: one recording, no sweep.

    Examples
    --------
    >>> from dualad.compare.recorded import recorded
    >>> tape = recorded(lambda x, w: x[0] * x[1] + w, [2.0, 3.0], 1.0)
    >>> tape.operations.mult, tape.operations.add, tape.nodes, tape.nbytes > 0
    (1, 1, 5, True)
    """
    leaves, structure = flatten(args)
    exact = [float(leaf) if np.ndim(leaf) == 0 else np.asarray(leaf, dtype=float) for leaf in leaves]
    level = record(f, exact, lambda traced: unflatten(structure, traced)).level  # type: ignore[no-any-return]
    return Recorded(Operations.from_histogram(_core.histogram(level)), level.nodes, level.nbytes)

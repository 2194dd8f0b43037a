"""Forward mode: open a level, give every input its tangent, run f, take the tangents of the outputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ._core import Level, Traced
from .generic import checked_output, dtype_of, shape_of, wrap_forward
from .tree import flatten

__all__ = ["collect", "push", "zero_like"]


def push(leaves: Sequence[Any], tangents: Sequence[Any], call: Callable[[list[Any]], Any], lanes: int = 0
         ) -> tuple[list[Any], list[Any], Any]:
    """Run a function on duals.

    Parameters
    ----------
    leaves : sequence
        Checked input leaves (floats, arrays, traced values of lower levels).
    tangents : sequence
        One for each leaf, of its shape, with a leading axis of length `lanes` when lanes > 0; None for no tangent.
    call : callable
        Takes the traced leaves, returns the output container of f.
    lanes : int

    Returns
    -------
    outputs, output_tangents : lists
        Leaves; a tangent is an exact zero of the output's shape where the output does not depend on the inputs.
    structure
        Structure of the output container.

    Notes
    -----
    One run of f for all lanes.
    """
    level = Level(False, lanes, True)
    with level:
        return collect(level.level_id, call([x if t is None else wrap_forward(level, x, t)
                                             for x, t in zip(leaves, tangents, strict=True)]), lanes)


def collect(number: int, out: Any, lanes: int = 0) -> tuple[list[Any], list[Any], Any]:
    """Outputs, their tangents and their structure (as :func:`push` returns them) of what f returned at an open level."""
    flat, structure = flatten(out)
    lead = (lanes,) if lanes else ()
    outputs, results = [], []
    for leaf in flat:
        x = checked_output(leaf)
        traced = isinstance(x, Traced) and x.level_id == number
        outputs.append(x.primal if traced else x)
        results.append(x.tangent if traced else zero_like(x, lead))
    return outputs, results, structure


def zero_like(x: Any, lead: tuple[int, ...] = ()) -> Any:
    """The zero tangent of a constant."""
    shape = (*lead, *shape_of(x))
    dtype = dtype_of(x)
    zero = np.zeros(shape, dtype if dtype.kind == "f" else np.float64)
    if shape or isinstance(x, np.ndarray):
        return zero
    return float(zero) if dtype == np.float64 else zero[()]

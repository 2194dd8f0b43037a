"""Reverse mode: open a level and record f; dualad.pull sweeps back.

Two ways lead through here.  Plain float64 arguments go onto a tape of floats (slots); everything else (float32, arguments
traced by another transformation) is recorded call by call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import _core
from ._core import Level, Traced, _NeedsGenericTape, open_count
from .generic import GenericVar, checked_output
from .tree import flatten, unflatten

__all__ = ["Recording", "record"]


class Recording:
    """f recorded at a point: its outputs, and the closed level whose tape is swept.

    Attributes
    ----------
    inputs, outputs : list
        Traced leaves (outputs that do not depend on the inputs are plain values).
    structure
        Structure of the output container.
    level : Level
    """

    __slots__ = ("inputs", "level", "outputs", "structure")

    def __init__(self, level: Level, inputs: list[Any], out: Any) -> None:
        self.level, self.inputs = level, inputs
        leaves, self.structure = flatten(out)
        self.outputs = [checked_output(x) for x in leaves]

    def depends(self, x: Any) -> bool:
        """Is x traced at this level?"""
        return isinstance(x, Traced) and x.level_id == self.level.level_id

    def values(self) -> Any:
        """The output container with this level removed (copies: they outlive the tape)."""
        return unflatten(self.structure, [self.value(x) for x in self.outputs])

    def value(self, x: Any) -> Any:
        """One output with this level removed."""
        if not self.depends(x):
            return x
        if type(x) is _core.VarArray:
            return _core.output_values(self.level, x)
        return x.primal


def record(f: Callable[..., Any], leaves: Sequence[Any], call: Callable[[list[Any]], tuple[Any, ...]]) -> Recording:
    """Run f once on traced leaves.

    Parameters
    ----------
    f : callable
    leaves : sequence
        Checked input leaves.
    call : callable
        Turns traced leaves into the arguments of f.
    """
    plain = not open_count() and all(type(x) is float or _is_double(x) for x in leaves)
    if plain:
        level = Level(True, 0, True)
        try:
            with level:
                inputs = [_core.new_input(level, x) for x in leaves]
                return Recording(level, inputs, f(*call(inputs)))
        except _NeedsGenericTape:
            pass  # a value of another level came in through a closure: start again on the generic tape
    level = Level(True, 0, False)
    with level:
        inputs = [GenericVar(level, _own(x)) for x in leaves]
        return Recording(level, inputs, f(*call(inputs)))


def _own(x: Any) -> Any:
    """A copy of an input array (the caller may write into it later), in its own memory layout (NumPy's loops round by it)."""
    if type(x) is not np.ndarray:
        return x
    if x.flags.c_contiguous or x.flags.f_contiguous or not x.size:
        return np.array(x)
    low, high = np.lib.array_utils.byte_bounds(x)
    if high - low > 16 * x.nbytes:
        return np.array(x)
    copy: Any = np.ndarray(x.shape, x.dtype, np.empty(high - low, np.uint8), x.ctypes.data - low, x.strides)
    copy[...] = x
    return copy


def _is_double(x: Any) -> bool:
    return type(x) is np.float64 or (type(x) is np.ndarray and x.dtype == np.float64)

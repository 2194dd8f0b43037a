"""The generic carriers: traced values whose payload is any array, float or traced value of a lower level.

The compiled core carries float64 numbers and arrays of one level.  Everything else (nested levels, float32, results that
do not live on the tape) is carried here: a :class:`DualArray` in forward mode, a :class:`GenericVar` in reverse mode.
The rules are the same.

Lanes: where a level carries k tangents or cotangents at once, each has one leading axis of length k more than its primal.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from . import _core
from ._core import Dual, Level, Traced, Var, VarArray

__all__ = ["DualArray", "GenericVar", "checked_output", "in_slots", "is_array", "lower", "pack", "plain", "shape_of", "size_of",
           "tangent_of", "wrap_forward"]

MAX_LANES_SCALAR = 128


class _Carrier(Traced):
    """A traced value around a payload, whose shape and dtype it has."""

    __slots__ = ("primal",)
    primal: Any

    def __init__(self, *args: Any) -> None:
        pass

    @property
    def shape(self) -> tuple[int, ...]:
        return shape_of(self.primal)

    @property
    def dtype(self) -> np.dtype[Any]:
        return dtype_of(self.primal)


class DualArray(_Carrier):
    """A primal of any shape or carrier and its tangent (with a leading axis of lanes where the level has them)."""

    __slots__ = ("tangent",)
    tangent: Any

    def __new__(cls, level_id: int, primal: Any, tangent: Any) -> DualArray:
        self = Traced.__new__(cls)
        self.set_level(level_id)
        self.primal = primal
        self.tangent = tangent
        return self


class GenericVar(_Carrier):
    """A value on a reverse level that does not live in the tape's slots: a payload and a key for its adjoint."""

    __slots__ = ("items", "key")
    key: int
    items: Any

    def __new__(cls, level: Level, primal: Any) -> GenericVar:
        self = Traced.__new__(cls)
        self.set_level(level.level_id)
        self.primal = primal
        self.key = level.new_key()
        self.items = None
        return self


def shape_of(x: Any) -> tuple[int, ...]:
    """Shape of a float, array or traced value."""
    kind = type(x)
    if kind is float or kind is int or kind is Var or kind is Dual:
        return ()
    shape = getattr(x, "shape", None)
    return shape if shape is not None else np.shape(x)


def size_of(x: Any) -> int:
    """Number of elements of a float, array or traced value."""
    return math.prod(shape_of(x))


def dtype_of(x: Any) -> np.dtype[Any]:
    """dtype of a float, array or traced value."""
    dtype = getattr(x, "dtype", None)
    return dtype if dtype is not None else np.asarray(x).dtype


def is_array(x: Any) -> bool:
    """Does arithmetic treat x as an array (0-d included) rather than as a scalar?"""
    return isinstance(x, (np.ndarray, VarArray)) or (isinstance(x, (DualArray, GenericVar)) and is_array(x.primal))


def in_slots(x: Any) -> bool:
    """Does x live in the slots of a tape of floats?"""
    return type(x) is Var or type(x) is VarArray


def lower(x: Any, level_id: int) -> Any:
    """What x is one level down: the payload of a value of that level, x itself otherwise."""
    if not isinstance(x, Traced) or x.level_id != level_id:
        return x
    if type(x) is VarArray:
        return _core.values(x)
    return x.primal  # type: ignore[attr-defined]


def tangent_of(x: Any, level_id: int) -> Any:
    """Tangent of x at a forward level; None where it has none."""
    if not isinstance(x, Traced) or x.level_id != level_id:
        return None
    return x.tangent  # type: ignore[attr-defined]


def plain(x: Any) -> Any:
    """The number or ndarray under all levels (a view where the tape holds it: do not write, do not keep)."""
    while isinstance(x, Traced):
        x = _core.values(x) if type(x) is VarArray else x.primal  # type: ignore[attr-defined]
    return x


def wrap_forward(level: Level, primal: Any, tangent: Any) -> Any:
    """A value of a forward level, in the leanest carrier that holds it."""
    kind = type(primal)
    if kind is float or kind is np.float64:
        if not level.lanes:
            if type(tangent) is float or type(tangent) is np.float64:
                return _core.make_dual(level.level_id, primal, tangent)
        elif level.lanes <= MAX_LANES_SCALAR and type(tangent) is np.ndarray and tangent.dtype == np.float64:
            return _core.dual_vec(level.level_id, primal, tangent)
    return DualArray(level.level_id, primal, tangent)


def pack(x: Any) -> Any:
    """Turn an object array or nested list with traced elements into one traced array; anything else is returned as is."""
    if isinstance(x, (list, tuple)):
        return _pack_list(x) if _has_traced(x) else x
    if isinstance(x, np.ndarray) and x.dtype == object and any(isinstance(e, Traced) for e in x.flat):
        x = np.asarray(x)
        return np.reshape(np.stack([as_float(e) for e in x.flat]), x.shape) if x.size else x
    return x


def as_float(x: Any) -> Any:
    """A number as float (traced values as they are)."""
    return x if isinstance(x, Traced) else float(x)


def _has_traced(x: Any) -> bool:
    return any(isinstance(e, Traced) or (isinstance(e, (list, tuple)) and _has_traced(e))
               or (isinstance(e, np.ndarray) and e.dtype == object) for e in x)


def _pack_list(x: Any) -> Any:
    return np.stack([pack(e) if not isinstance(e, Traced) else e for e in x])


def checked_output(x: Any) -> Any:
    """A leaf of what f returned: packed if it is an object array, refused if it is no number (it would lose its derivative).

    Raises
    ------
    TypeError
        For functions, generators, sets, strings and other objects.
    """
    x = pack(x)
    if isinstance(x, (Traced, float, int, complex)):
        return x
    if isinstance(x, (np.ndarray, np.generic)) and x.dtype.kind in "fiubc":
        return x
    if isinstance(x, np.ndarray) and x.dtype == object and all(isinstance(e, (float, int, np.generic)) for e in x.flat):
        return x.astype(np.float64)
    hint = "differentiate f(x)(y) instead" if callable(x) else "return numbers"
    raise TypeError(f"the differentiated function returned {type(x).__name__} ({x!r:.60}); {hint}: floats, arrays, or tuples, "
                    "lists, dicts, namedtuples and dataclasses of them")


def describe(x: Any) -> Any:
    """What printing and truth values of a traced value show."""
    _core.check_open(x)
    p = plain(x)
    return p.copy() if isinstance(p, np.ndarray) else p

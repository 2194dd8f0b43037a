"""What may be differentiated: checks of arguments, shared by every transformation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from ._core import Traced
from .generic import dtype_of, pack, shape_of
from .tree import flatten, unflatten

__all__ = ["Selection", "check_leaf", "check_tangent", "check_tangents"]


def check_leaf(x: Any, who: str, what: str) -> Any:
    """x as a differentiable leaf: a float, a float64/float32 array or a traced value.

    Raises
    ------
    TypeError
        For integers, booleans, complex numbers and anything that is not a number, saying what to write instead.
    """
    if type(x) is float or isinstance(x, Traced):
        return x
    if isinstance(x, np.ndarray):
        kind = x.dtype.kind
        if kind == "f":
            if x.dtype.itemsize > 8:
                raise TypeError(f"{who}: {what} is an array of {x.dtype}; convert it: x.astype(np.float64)")
            if type(x) is not np.ndarray and isinstance(x, (np.ma.MaskedArray, np.matrix)):
                raise TypeError(f"{who}: {what} is a {type(x).__name__}, whose arithmetic is not an array's; pass np.asarray(x)"
                                " (and select with np.where)")
            return x if x.dtype.itemsize >= 4 and x.dtype.isnative else x.astype(np.float64)
        if kind == "O":
            packed = pack(x)
            if packed is not x:
                return packed
        hint: Any = {"i": "write x.astype(float)", "u": "write x.astype(float)", "b": "write x.astype(float)",
                "c": "complex inputs are not differentiated yet; split it into x.real and x.imag"}
        hint = hint.get(kind, "pass an array of floats")
        raise TypeError(f"{who}: {what} is an array of {x.dtype}, which has no derivative; {hint}")
    if isinstance(x, np.floating):
        return x if x.dtype.itemsize <= 8 else float(x)
    if isinstance(x, (bool, np.bool_)):
        raise TypeError(f"{who}: {what} is a bool ({x!r}); pass a float")
    if isinstance(x, (int, np.integer)):
        raise TypeError(f"{who}: {what} is an integer ({x!r}), which has no derivative; write {float(x)!r}, or leave it out "
                        "of argnums")
    if isinstance(x, (complex, np.complexfloating)):
        raise TypeError(f"{who}: {what} is complex ({x!r}); complex inputs are not differentiated yet; pass real and "
                        "imaginary part as two floats")
    raise TypeError(f"{who}: {what} is {type(x).__name__} ({x!r:.60}), not a number or an array; pass floats or arrays, or "
                    "leave it out of argnums")


def check_tangent(t: Any, x: Any, who: str, what: str) -> Any:
    """t as a tangent or cotangent of x: its shape, its dtype."""
    if isinstance(t, (int, np.integer)) and not isinstance(t, bool):
        t = float(t)
    if isinstance(t, np.ndarray) and t.dtype.kind in "iu":
        t = t.astype(float)
    t = check_leaf(t, who, what)
    have, want = tuple(shape_of(t)), tuple(shape_of(x))
    if have != want:
        raise ValueError(f"{who}: {what} has shape {have}, its primal {want}; they must be equal")
    if isinstance(t, Traced):
        return t
    dtype = dtype_of(x)
    if not want:
        return float(t) if type(x) is float or (dtype == np.float64 and not isinstance(x, np.ndarray)) else np.asarray(t, dtype)[()]
    return t if t.dtype == dtype else np.asarray(t, dtype)


def check_tangents(ts: Iterable[Any], xs: Iterable[Any], who: str, what: str) -> list[Any]:
    """Tangents or cotangents of leaves, checked one by one; `what` is what one is called."""
    return [t if type(t) is float and type(x) is float else check_tangent(t, x, who, f"{what} {i}")
            for i, (t, x) in enumerate(zip(ts, xs, strict=True))]


class Selection:
    """The differentiated arguments of a call: their leaves, and how to call f with other leaves in their place.

    Parameters
    ----------
    who : str
        Name of the transformation, for messages.
    argnums : int or tuple of int
    args, kwargs
        The call's arguments; keyword arguments are constants.
    """

    __slots__ = ("argnums", "args", "kwargs", "leaves", "single", "sizes", "structures")

    def __init__(self, who: str, argnums: int | Sequence[int], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.args, self.kwargs = args, kwargs
        self.single = isinstance(argnums, int)
        numbers = (argnums,) if isinstance(argnums, int) else tuple(argnums)
        self.argnums, self.leaves, self.structures, self.sizes = [], [], [], []
        for i in numbers:
            if not isinstance(i, int) or not -len(args) <= i < len(args):
                raise ValueError(f"{who}: argnums {argnums!r} with {len(args)} positional argument{'s' * (len(args) != 1)}"
                                 "; count from 0 and pass the argument by position")
            leaves, structure = flatten(args[i])
            self.argnums.append(i % len(args))
            self.leaves += [x if type(x) is float else check_leaf(x, who, _name(i, structure, j)) for j, x in enumerate(leaves)]
            self.structures.append(structure)
            self.sizes.append(len(leaves))
        if len(set(self.argnums)) != len(self.argnums):
            raise ValueError(f"{who}: argnums {argnums!r} names an argument twice")
        if not self.leaves:
            raise ValueError(f"{who}: nothing to differentiate with respect to: the chosen argument holds no number")

    def call(self, leaves: Sequence[Any]) -> tuple[Any, ...]:
        """All positional arguments, with `leaves` in place of the differentiated ones."""
        args, at = list(self.args), 0
        for i, structure, n in zip(self.argnums, self.structures, self.sizes, strict=True):
            args[i] = unflatten(structure, list(leaves[at:at + n]))
            at += n
        return tuple(args)

    def gather(self, leaves: Sequence[Any]) -> Any:
        """Results, one a leaf, in the containers of the differentiated arguments."""
        out, at = [], 0
        for structure, n in zip(self.structures, self.sizes, strict=True):
            out.append(unflatten(structure, list(leaves[at:at + n])))
            at += n
        return out[0] if self.single else tuple(out)


def _name(i: int, structure: Any, j: int) -> str:
    return f"argument {i}" if structure is None else f"number {j} in argument {i}"


def check_callable(f: Any, who: str) -> Callable[..., Any]:
    """f itself, or a TypeError that says what was given."""
    if not callable(f):
        raise TypeError(f"{who} takes a function as its first argument, not {type(f).__name__}; write {who}(f)(x), not {who}(f(x))")
    return f

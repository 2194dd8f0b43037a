"""What is written about an operation on arrays: its formula, its tangent, what it sends back; and the words for shapes."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .algebra import product

__all__ = ["Lines", "Site", "axes_of", "expanded", "one_operand", "reduced", "repeated", "shaped"]


@dataclass(frozen=True)
class Site:
    """A call on the tape, and what its operands are called.

    Parameters
    ----------
    operation : str
        Name of the operation.
    call : object
        Entry of the tape.
    texts : tuple of str
        The operands, as they are written.
    traced : tuple of bool
        Which operands are values of the program (the others are constants).
    which : int
        Which of several results it is.
    space : mapping
        Values of the program and arrays of the caller, by name: what a condition may be about.
    written : sequence of ast.expr
        What the caller wrote there: comparisons, operations and names.
    """

    operation: str
    call: Any
    texts: tuple[str, ...]
    traced: tuple[bool, ...]
    which: int = 0
    space: Mapping[str, Any] = field(default_factory=dict)
    written: Sequence[ast.expr] = ()

    @property
    def params(self) -> dict[str, Any]:
        return self.call.params  # type: ignore[no-any-return]

    @property
    def x(self) -> Any:
        return self.call.values[0]

    @property
    def out(self) -> Any:
        return self.call.out if self.call.single else self.call.out[self.which]

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        return [np.shape(value) for value in self.call.values]

    def names(self, function: str) -> bool:
        """Did the caller write this function's name there?"""
        return any(isinstance(t, (ast.Name, ast.Attribute)) and ast.unparse(t).split(".")[-1] == function for t in self.written)

    def moved(self, place: int) -> tuple[str, ...]:
        """The texts, one of them replaced by its tangent's name."""
        return tuple(f"d{text}" if i == place else text for i, text in enumerate(self.texts))

    def lines(self, formula: str, tangent: Callable[[int], str], adjoint: Callable[[int], str]) -> Lines:
        """Lines of a formula for each operand that is traced."""
        places = range(len(self.texts))
        return Lines(
            formula,
            tuple(tangent(i) if self.traced[i] else "" for i in places),
            tuple(adjoint(i) if self.traced[i] else "" for i in places),
        )


@dataclass(frozen=True)
class Lines:
    """What is written about an operation.

    Parameters
    ----------
    formula : str
        The operation over the names of its operands.
    tangents : tuple of str
        One for each operand; "" where no line says it. Where one line holds the tangents of all operands, the first one that is
        traced has it, and the others have "0".
    adjoints : tuple of str
        What is added to each operand's adjoint, over `ct`; "" where no line says it.
    """

    formula: str
    tangents: tuple[str, ...] = ()
    adjoints: tuple[str, ...] = ()


def one_operand(formula: str, tangent: str, adjoint: str) -> Lines:
    """Lines of an operation on one array."""
    return Lines(formula, (tangent,), (adjoint,))


def shaped(text: str, shape: tuple[int, ...]) -> str:
    """A formula of one number as an array: "ct" -> "ct*ones(3)"."""
    ones = f"ones({shape[0] if len(shape) == 1 else shape})"
    return ones if text == "1" else product(text, ones)


def reduced(text: str, out: tuple[int, ...], shape: tuple[int, ...]) -> str:
    """A formula of shape `out`, summed over the axes along which an operand of shape `shape` was repeated.

    Examples
    --------
    >>> from dualad.explanation.lines import reduced
    >>> reduced("ct*x", (4, 3), ()), reduced("ct*x", (4, 3), (3,)), reduced("ct", (4, 3), (4, 1))
    ('sum(ct*x)', 'sum(ct*x, axis=0)', 'sum(ct, axis=1, keepdims=True)')
    """
    if out == shape:
        return text
    if not shape:
        return f"sum({text})"
    extra = len(out) - len(shape)
    lead = tuple(range(extra))
    single = tuple(extra + i for i, n in enumerate(shape) if n == 1 and out[extra + i] != 1)
    axes = lead + single
    where = str(axes[0] if len(axes) == 1 else axes)
    if not single:
        return f"sum({text}, axis={where})"
    return f"sum({text}, axis={where}, keepdims=True)" if not lead else f"reshape(sum({text}, axis={where}), {shape})"


def repeated(shape: tuple[int, ...], axis: Any, keepdims: bool) -> str:
    """What a sum over some axes of an array sends to it: `ct` along these axes.

    Examples
    --------
    >>> from dualad.explanation.lines import repeated
    >>> repeated((4, 3), 0, False), repeated((4, 3), 1, False), repeated((4, 3), 1, True)
    ('outer(ones(4), ct)', 'outer(ct, ones(3))', 'ct*ones((4, 3))')
    """
    n = len(shape)
    if keepdims or n == 0:
        return shaped("ct", shape) if n else "ct"
    axes = axes_of(axis, n)
    if len(axes) == n:
        return shaped("ct", shape)
    if n == 2:
        return f"outer(ones({shape[0]}), ct)" if axes == [0] else f"outer(ct, ones({shape[1]}))"
    return shaped(expanded("ct", axes), shape)


def axes_of(axis: Any, ndim: int) -> list[int]:
    """Axes counted from the front."""
    return sorted({a % ndim for a in (axis if isinstance(axis, tuple) else range(ndim) if axis is None else (axis,))})


def expanded(text: str, axes: Sequence[int]) -> str:
    """A reduced value so that it meets the array it was reduced from; leading axes broadcast by themselves."""
    if list(axes) == list(range(len(axes))):
        return text
    return f"expand_dims({text}, {axes[0] if len(axes) == 1 else tuple(axes)})"

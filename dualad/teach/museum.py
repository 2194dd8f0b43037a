"""The bug museum: six mistakes that almost everyone makes once when writing automatic differentiation.

Each exhibit is a part of :mod:`dualad.teach.tiny` in a right and in a wrong version, with an example where the difference bites.

>>> from dualad.teach import museum
>>> museum.run("overwrite", broken=True), museum.run("overwrite", broken=False)
(3.0, 7.0)
"""

from __future__ import annotations

import difflib
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from .. import derivative, grad
from . import tiny

__all__ = ["EXHIBITS", "Exhibit", "View", "names", "run", "show"]

WIDTH = 96


@dataclass(frozen=True)
class Exhibit:
    """One mistake.

    Parameters
    ----------
    name, title : str
    story : str
        What goes wrong, and why.
    right, wrong : callable
        The part of the tiny program, and its broken version.
    example : str
        The example in a formula.
    run : callable
        Takes a part and returns the number that the example gives with it.
    reference : callable
        The number by dualad.
    notice : str
        How to find the mistake in a program of your own.
    """

    name: str
    title: str
    story: str
    right: Callable[..., Any]
    wrong: Callable[..., Any]
    example: str
    run: Callable[[Callable[..., Any]], Any]
    reference: Callable[[], Any]
    notice: str


@dataclass(frozen=True, repr=False)
class View:
    """What :func:`show` returns: prints an exhibit.

    Parameters
    ----------
    exhibit : Exhibit
    wrong, right, reference : float or array
        The numbers of the broken version, of the repaired one and of dualad.
    """

    exhibit: Exhibit
    wrong: Any
    right: Any
    reference: Any

    def difference(self) -> str:
        """The change of code that makes the mistake, as a diff: right version "-", wrong version "+"."""
        return difference(self.exhibit.right, self.exhibit.wrong)

    def __str__(self) -> str:
        exhibit = self.exhibit
        lines = [f"{exhibit.name}: {exhibit.title}", "", *textwrap.wrap(exhibit.story, WIDTH), "", "Code (- right, + wrong):", "",
                 *("    " + line for line in self.difference().splitlines()), "", f"Example: {exhibit.example}", "",
                 *(f"    {name:6}  {_number(value)}" for name, value in self._numbers()), "",
                 *textwrap.wrap("How to notice: " + exhibit.notice, WIDTH)]
        return "\n".join(lines)

    def _numbers(self) -> tuple[tuple[str, Any], ...]:
        return ("wrong", self.wrong), ("right", self.right), ("dualad", self.reference)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        exhibit = self.exhibit
        rows = "".join(f'<tr><th scope="row">{name}</th><td>{escape(_number(value))}</td></tr>'
                       for name, value in self._numbers())
        return (f"<section><h3>{escape(exhibit.name)}: {escape(exhibit.title)}</h3><p>{escape(exhibit.story)}</p>"
                f"<pre>{escape(self.difference())}</pre><p>Example: {escape(exhibit.example)}</p>"
                f"<table><tbody>{rows}</tbody></table><p>How to notice: {escape(exhibit.notice)}</p></section>")


def difference(right: Callable[..., Any], wrong: Callable[..., Any]) -> str:
    """The lines in which two functions differ and those around them, docstrings left aside; all lines if most differ.

    Parameters
    ----------
    right, wrong : callable
    """
    one, two = ([line for line in inspect.getsource(f).rstrip().splitlines() if '"""' not in line] for f in (right, wrong))
    lines = [line for line in difflib.ndiff(one, two) if not line.startswith("?")]
    if sum(line.startswith("-") for line in lines) > 5:
        lines = [*("- " + line for line in one), *("+ " + line for line in two)]
    return "\n".join(line.rstrip() for line in lines)


def _number(value: Any) -> str:
    return f"{value:.6f}" if isinstance(value, float) else f"{np.asarray(value).tolist()} of shape {np.shape(value)}"


# ---- the examples --------------------------------------------------------------------------------------------------------------

def _fan_out(step: Callable[[tiny.Node], None]) -> float:
    x = tiny.Node(3.0)
    tiny.sweep(x * x + x, step=step)
    return float(x.adjoint)


def _second_step(prepare: Callable[..., None]) -> float:
    w = tiny.Node(0.0)
    for step in range(2):
        error = w.plus(-3.0)
        tiny.sweep(error * error, prepare=prepare)
        if step == 0:
            w.value -= 0.25 * w.adjoint
    return float(w.adjoint)


def _diamond(order: Callable[[tiny.Node], list[tiny.Node]]) -> float:
    x = tiny.Node(1.0)
    a = x * x
    b = tiny.exp(a)
    c = a + b
    tiny.sweep(tiny.sqrt(c) + tiny.cos(c), order=order)
    return float(x.adjoint)


def _sqrt_plus_cos(x: Any) -> Any:
    c = x * x + np.exp(x * x)
    return np.sqrt(c) + np.cos(c)


def _in_place(exp: Callable[[tiny.Node], tiny.Node]) -> float:
    x = tiny.Node(1.0)
    y = exp(x)
    square = y * y
    y.value += 1.0  # in place: the buffer of y is used again
    tiny.sweep(square + y)
    return float(x.adjoint)


def _nested(new_tag: Callable[[], int]) -> float:
    inner = lambda x: tiny.derivative(lambda y: x + y, new_tag)(1.0)
    return float(tiny.derivative(lambda x: x * inner(x), new_tag)(1.0))


def _bias(add: Callable[[tiny.Node, tiny.Node], tiny.Node]) -> Any:
    x, b = tiny.Node(np.array([1.0, 2.0, 3.0])), tiny.Node(0.5)
    error = add(x, b)
    tiny.sweep(tiny.total(error * error))
    return b.adjoint if np.ndim(b.adjoint) else float(b.adjoint)


EXHIBITS = {exhibit.name: exhibit for exhibit in (
    Exhibit(
        "overwrite", "= where += belongs",
        "A variable that is used in several places gets a contribution from each of them. Assigning instead of adding keeps the "
        "one that comes last and loses the others. As long as every variable is used once, nothing is wrong, so small tests pass.",
        tiny.accumulate, tiny.overwrite, "d/dx (x x + x) at x = 3, where x is used three times: 2x + 1 = 7",
        _fan_out, lambda: grad(lambda x: x * x + x)(3.0),
        "test a function that uses a variable twice, such as x x: the derivative comes out as x instead of 2x.",
    ),
    Exhibit(
        "twice", "backward twice, adjoints not cleared",
        "The sweep adds to adjoints, so they must be zero before it. Where they are kept, the gradient of the second step of a "
        "training loop is the sum of the first two: the steps grow, and the loss jumps about.",
        tiny.cleared, tiny.kept, "the second gradient of gradient descent on (w - 3)^2 from w = 0 with rate 1/4: 2 (1.5 - 3) = -3",
        _second_step, lambda: grad(lambda w: (w - 3.0) ** 2)(1.5),
        "take the same gradient twice at the same point: the second must be equal to the first, bit for bit.",
    ),
    Exhibit(
        "order", "nodes visited in a wrong order",
        "A node may pass its adjoint on only when all its users have delivered theirs. Breadth-first search from the output meets "
        "a in c = a + e^a before it has seen the exponential, so the contribution of the longer way arrives too late.",
        tiny.topological, tiny.breadth_first, "d/dx (sqrt c + cos c) at x = 1, with a = x^2, b = e^a, c = a + b: 5.983083",
        _diamond, lambda: grad(_sqrt_plus_cos)(1.0),
        "test a graph with a short and a long way between two nodes; chains and trees cannot show it.",
    ),
    Exhibit(
        "saved", "a saved value was changed in place",
        "The derivative of e^x is e^x, so the tape looks at the result again in the sweep. If the buffer of the result was written "
        "to in the meantime (y += 1), it finds another number there. The values of the function stay right.",
        tiny.exp, tiny.exp_reading_later, "y = e^x; s = y y; y += 1; d/dx (s + y) at x = 1: 2 e^2 + e = 17.496394",
        _in_place, lambda: grad(lambda x: np.exp(x) ** 2 + np.exp(x) + 1.0)(1.0),
        "compare with a difference quotient for a program that writes into its arrays; write it without in-place updates and see "
        "whether the gradient changes.",
    ),
    Exhibit(
        "perturbation", "perturbation confusion",
        "A derivative inside a derivative has two perturbations, one of x and one of y. Without a tag that tells them apart, the "
        "inner derivative collects the perturbation of x as if it were its own: d/dy (x + y) comes out as 2.",
        tiny.fresh_tag, tiny.same_tag, "d/dx ( x d/dy (x + y) at y = 1 ) at x = 1: the inner derivative is 1, so it is d/dx x = 1",
        _nested, lambda: derivative(lambda x: x * derivative(lambda y: x + y)(1.0))(1.0),
        "nest two derivatives where the inner function uses the outer variable (Siskind & Pearlmutter 2008).",
    ),
    Exhibit(
        "broadcast", "broadcasting forgotten",
        "One number b is added to every element of an array. Copying it to all of them is an operation, and its pullback is a sum. "
        "Without it the gradient of b has the shape of the array, and the next update turns b into an array without a word.",
        tiny.add_bias, tiny.add_bias_unsummed, "d/db sum (x + b)^2 for x = (1, 2, 3), b = 1/2: 2 (1.5 + 2.5 + 3.5) = 15",
        _bias, lambda: grad(lambda b: np.sum((np.array([1.0, 2.0, 3.0]) + b) ** 2))(0.5),
        "assert that every gradient has the shape of its parameter.",
    ),
)}  # fmt: skip


# ---- the way in ----------------------------------------------------------------------------------------------------------------

def names() -> tuple[str, ...]:
    """The names of the exhibits.

    Examples
    --------
    >>> from dualad.teach import museum
    >>> museum.names()
    ('overwrite', 'twice', 'order', 'saved', 'perturbation', 'broadcast')
    """
    return tuple(EXHIBITS)


def _find(name: str) -> Exhibit:
    if name not in EXHIBITS:
        raise ValueError(f"no exhibit {name!r}; there are {', '.join(EXHIBITS)}")
    return EXHIBITS[name]


def run(name: str, *, broken: bool) -> Any:
    """The number that an exhibit's example gives.

    Parameters
    ----------
    name : str
    broken : bool
        With the mistake, or without it.

    Returns
    -------
    float or array

    Examples
    --------
    >>> from dualad.teach import museum
    >>> museum.run("perturbation", broken=True), museum.run("perturbation", broken=False)
    (2.0, 1.0)
    """
    exhibit = _find(name)
    return exhibit.run(exhibit.wrong if broken else exhibit.right)


def show(name: str) -> View:
    """An exhibit: the mistake, the code that makes it, the wrong number and the right one, how to notice it.

    Parameters
    ----------
    name : str

    Returns
    -------
    View

    Examples
    --------
    >>> from dualad.teach import museum
    >>> print(museum.show("broadcast").difference())  # doctest: +NORMALIZE_WHITESPACE
    - def add_bias(x: Node, b: Node) -> Node:
    + def add_bias_unsummed(x: Node, b: Node) -> Node:
    -     return Node(x.value + b.value, [(x, lambda g: g), (b, lambda g: np.sum(g))])
    +     return Node(x.value + b.value, [(x, lambda g: g), (b, lambda g: g)])
    """
    exhibit = _find(name)
    return View(exhibit, run(name, broken=True), run(name, broken=False), exhibit.reference())

"""Automatic differentiation small enough to read in five minutes: a tape of nodes and a dual number.

Every part that can be got wrong is a function of its own, and the wrong version stands below the right one. The bug museum
(:mod:`dualad.teach.museum`) runs both, and prints the difference between their sources.

    Node         a value, and for each operand the pullback: adjoint of the node -> contribution to the operand
    topological  the order of the sweep         (wrong: breadth_first)
    accumulate   one step of the sweep          (wrong: overwrite)
    cleared      what happens before it         (wrong: kept)
    exp          what an operation remembers    (wrong: exp_reading_later)
    add_bias     the pullback of broadcasting   (wrong: add_bias_unsummed)
    Dual         forward mode, with tags        (wrong: same_tag)
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

__all__ = ["Dual", "Node", "accumulate", "add_bias", "add_bias_unsummed", "breadth_first", "cleared", "cos", "derivative", "exp",
           "exp_reading_later", "fresh_tag", "kept", "overwrite", "same_tag", "sin", "sqrt", "sweep", "topological", "total"]


# ---- reverse mode: a tape ------------------------------------------------------------------------------------------------------

class Node:
    """A value on the tape.

    Parameters
    ----------
    value : float or array
    parents : iterable of (Node, callable)
        Each operand with its pullback.

    Examples
    --------
    >>> from dualad.teach import tiny
    >>> x = tiny.Node(3.0)
    >>> tiny.sweep(x * x + x)
    >>> x.adjoint
    7.0
    """

    def __init__(self, value: Any, parents: Iterable[tuple[Node, Callable[[Any], Any]]] = ()) -> None:
        self.value = value
        self.parents = list(parents)
        self.adjoint: Any = 0.0

    def __add__(self, other: Node) -> Node:
        return Node(self.value + other.value, [(self, lambda g: g), (other, lambda g: g)])

    def __mul__(self, other: Node) -> Node:
        x, y = self.value, other.value
        return Node(x * y, [(self, lambda g: g * y), (other, lambda g: g * x)])

    def times(self, c: float) -> Node:
        """A constant times this."""
        return Node(c * self.value, [(self, lambda g: g * c)])

    def plus(self, c: Any) -> Node:
        """A constant added to this."""
        return Node(self.value + c, [(self, lambda g: g)])


def sin(x: Node) -> Node:
    """sin x."""
    slope = math.cos(x.value)
    return Node(math.sin(x.value), [(x, lambda g: g * slope)])


def cos(x: Node) -> Node:
    """cos x."""
    slope = -math.sin(x.value)
    return Node(math.cos(x.value), [(x, lambda g: g * slope)])


def sqrt(x: Node) -> Node:
    """The square root of x."""
    root = math.sqrt(x.value)
    return Node(root, [(x, lambda g: g / (2.0 * root))])


def total(x: Node) -> Node:
    """The sum of an array."""
    ones = np.ones_like(x.value)
    return Node(float(np.sum(x.value)), [(x, lambda g: g * ones)])


def topological(y: Node) -> list[Node]:
    """y and all it depends on, every node before its operands."""
    order, seen = [], set()

    def visit(node: Node) -> None:
        if node not in seen:
            seen.add(node)
            for parent, _ in node.parents:
                visit(parent)
            order.append(node)  # after everything it depends on

    visit(y)
    return order[::-1]


def breadth_first(y: Node) -> list[Node]:
    """y and all it depends on, in the order in which they are met."""
    order, seen = [y], {y}
    for node in order:
        for parent, _ in node.parents:
            if parent not in seen:
                seen.add(parent)
                order.append(parent)  # perhaps before one of its users
    return order


def accumulate(node: Node) -> None:
    """Pass a node's adjoint on to its operands."""
    for parent, pullback in node.parents:
        parent.adjoint += pullback(node.adjoint)


def overwrite(node: Node) -> None:
    """Pass a node's adjoint on to its operands."""
    for parent, pullback in node.parents:
        parent.adjoint = pullback(node.adjoint)


def cleared(nodes: Iterable[Node]) -> None:
    """Prepare a sweep."""
    for node in nodes:
        node.adjoint = 0.0


def kept(nodes: Iterable[Node]) -> None:
    """Prepare a sweep."""


def sweep(y: Node, order: Callable[[Node], list[Node]] = topological, step: Callable[[Node], None] = accumulate,
          prepare: Callable[[Iterable[Node]], None] = cleared) -> None:
    """The reverse sweep from y: afterwards every node's ``adjoint`` is dy/dnode.

    Parameters
    ----------
    y : Node
    order, step, prepare : callable
        The parts of the sweep; exchange one to see it go wrong.
    """
    nodes = order(y)
    prepare(nodes)
    y.adjoint = 1.0
    for node in nodes:
        step(node)


def exp(x: Node) -> Node:
    """e^x, which is its own derivative."""
    y = Node(math.exp(x.value))
    saved = y.value
    y.parents = [(x, lambda g: g * saved)]
    return y


def exp_reading_later(x: Node) -> Node:
    """e^x, which is its own derivative."""
    y = Node(math.exp(x.value))
    y.parents = [(x, lambda g: g * y.value)]
    return y


def add_bias(x: Node, b: Node) -> Node:
    """An array plus one number for all its elements."""
    return Node(x.value + b.value, [(x, lambda g: g), (b, lambda g: np.sum(g))])


def add_bias_unsummed(x: Node, b: Node) -> Node:
    """An array plus one number for all its elements."""
    return Node(x.value + b.value, [(x, lambda g: g), (b, lambda g: g)])


# ---- forward mode: dual numbers ------------------------------------------------------------------------------------------------

_tags = itertools.count(1)


def fresh_tag() -> int:
    """Whose perturbation is this? Every derivative asks for a tag of its own."""
    return next(_tags)


def same_tag() -> int:
    """Whose perturbation is this? Every derivative asks for a tag of its own."""
    return 0


class Dual:
    """A value and its tangent, with the tag of the derivative that is being taken.

    Parameters
    ----------
    value, tangent : float or Dual
    tag : int

    Examples
    --------
    >>> from dualad.teach import tiny
    >>> tiny.derivative(lambda x: x * x * x)(2.0)
    12.0
    """

    def __init__(self, value: Any, tangent: Any, tag: int) -> None:
        self.value, self.tangent, self.tag = value, tangent, tag

    def __add__(self, other: Any) -> Dual:
        tag, (x, dx), (y, dy) = _aligned(self, other)
        return Dual(x + y, dx + dy, tag)

    def __mul__(self, other: Any) -> Dual:
        tag, (x, dx), (y, dy) = _aligned(self, other)
        return Dual(x * y, x * dy + dx * y, tag)

    __radd__, __rmul__ = __add__, __mul__


def _aligned(a: Any, b: Any) -> tuple[int, tuple[Any, Any], tuple[Any, Any]]:
    """The newest tag of the two, and each split by it: what has an older tag, or none, is a constant."""
    tag = max(x.tag for x in (a, b) if isinstance(x, Dual))
    one, two = ((x.value, x.tangent) if isinstance(x, Dual) and x.tag == tag else (x, 0.0) for x in (a, b))
    return tag, one, two


def derivative(f: Callable[[Any], Any], new_tag: Callable[[], int] = fresh_tag) -> Callable[[Any], Any]:
    """The derivative of a function of one number, by one dual number.

    Parameters
    ----------
    f : callable
    new_tag : callable
        Where the tag comes from.
    """

    def df(x: Any) -> Any:
        tag = new_tag()
        y = f(Dual(x, 1.0, tag))
        return y.tangent if isinstance(y, Dual) and y.tag == tag else 0.0

    return df

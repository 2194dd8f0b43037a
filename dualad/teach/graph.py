"""A function of an exercise as a graph of elementary operations, whose edges can be changed one by one.

The function is run once on :class:`Quantity` objects, which remember its operations. Every operand of every operation is an edge;
its pullback is dualad's own, so no rule is stated here. :class:`Trace` sums the chain rule over the edges, also over changed ones.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from .. import vjp

__all__ = ["Edge", "InDegrees", "Quantity", "Trace", "elementwise", "like", "of_one", "trace"]

_count = itertools.count()
DEGREE = float(np.pi / 180.0)


class Edge:
    """The use of one operand by one operation.

    Parameters
    ----------
    user, operand : Quantity
    function : callable
        The operation as a function of this operand alone.
    place : int
        Which argument of the operation the operand is.
    """

    def __init__(self, user: Quantity, operand: Quantity, function: Callable[[Any], Any], place: int) -> None:
        self.user, self.operand, self.function, self.place = user, operand, function, place

    def pull(self, cotangent: Any, at: Any = None) -> Any:
        """The contribution to the operand's adjoint, with the local derivative taken at the operand or elsewhere."""
        point = self.operand.value if at is None else at
        return vjp(self.function, point)[1](like(cotangent, self.user.value))[0]


class Quantity(np.lib.mixins.NDArrayOperatorsMixin):
    """A number or an array on its way through a function, with the operation it came from.

    Parameters
    ----------
    value : float or array
    name : str
        Of the operation.
    arguments : sequence
        Of the operation, as plain values.
    known : dict, optional
        All results of this trace: an operation that is written twice (x**2 here and there) is one node.
    """

    def __init__(self, value: Any, name: str = "", arguments: Sequence[Any] = (), known: dict[Any, Quantity] | None = None) -> None:
        self.value = float(value) if np.ndim(value) == 0 else np.asarray(value, float)
        self.name, self.arguments = name, arguments
        self.edges: list[Edge] = []
        self.known = {} if known is None else known
        self.number = next(_count)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Quantity:
        if method != "__call__":
            return NotImplemented
        return _apply(ufunc, inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Quantity:
        return _apply(function, args, kwargs)

    def __getitem__(self, index: Any) -> Quantity:
        return _apply(operator.getitem, (self, index), {})

    def __iter__(self) -> Iterator[Quantity]:
        return (self[i] for i in range(len(self)))

    def __len__(self) -> int:
        return len(self.value)  # type: ignore[arg-type]

    @property
    def T(self) -> Quantity:  # noqa: N802 - NumPy's name
        """The transpose."""
        return np.transpose(self)  # type: ignore[call-overload, no-any-return]

    @property
    def shape(self) -> tuple[int, ...]:
        return np.shape(self.value)

    @property
    def ndim(self) -> int:
        return np.ndim(self.value)


class InDegrees(Quantity):
    """A quantity whose angles are taken for degrees, as by a pocket calculator: sin 1 is 0.01745 and its derivative 0.99985."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Quantity:
        if ufunc not in (np.sin, np.cos, np.tan):
            return super().__array_ufunc__(ufunc, method, *inputs, **kwargs)
        result = _apply(ufunc, (self * DEGREE,), kwargs)
        (edge,) = result.edges
        edge.operand, edge.function = self, lambda angle: ufunc(angle * DEGREE) / DEGREE
        return result


def _apply(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Quantity:
    """Run an operation on values, and remember how it depends on each traced argument (also of a list of them)."""
    flat: list[Quantity] = []
    places: list[tuple[int, int | None]] = []
    plain = list(args)
    for i, argument in enumerate(args):
        if isinstance(argument, Quantity):
            flat.append(argument)
            places.append((i, None))
            plain[i] = argument.value
        elif isinstance(argument, list | tuple) and any(isinstance(part, Quantity) for part in argument):
            flat += [part for part in argument if isinstance(part, Quantity)]
            places += [(i, j) for j, part in enumerate(argument) if isinstance(part, Quantity)]
            plain[i] = [part.value if isinstance(part, Quantity) else part for part in argument]
    key = (function, tuple(places), tuple(one.number for one in flat), repr(kwargs),
           tuple(_identity(part) for i, part in enumerate(plain) if (i, None) not in places))
    known = flat[0].known
    if key in known:
        return known[key]
    result = known[key] = type(flat[0])(function(*plain, **kwargs), getattr(function, "__name__", "operation"), plain, known)
    for operand, (i, j) in zip(flat, places, strict=True):
        result.edges.append(Edge(result, operand, _alone(function, plain, kwargs, i, j), i))
    return result


def _identity(constant: Any) -> Any:
    """Something hashable that is equal for equal constants."""
    if isinstance(constant, list | tuple):
        return tuple(map(_identity, constant))
    return (constant.shape, constant.tobytes()) if isinstance(constant, np.ndarray) else repr(constant)


def _alone(function: Callable[..., Any], plain: list[Any], kwargs: Mapping[str, Any], i: int,
           j: int | None) -> Callable[[Any], Any]:
    """The operation as a function of argument i alone, or of part j of it."""
    def of_one(value: Any) -> Any:
        args = list(plain)
        args[i] = value if j is None else [*plain[i][:j], value, *plain[i][j + 1:]]
        return function(*args, **kwargs)

    return of_one


def like(cotangent: Any, value: Any) -> Any:
    return float(cotangent) if np.ndim(value) == 0 else np.broadcast_to(np.asarray(cotangent, float), np.shape(value)).copy()


def same_shape(edge: Edge) -> bool:
    return np.shape(edge.operand.value) == np.shape(edge.user.value) and edge.user.name not in ("transpose", "matmul", "dot", "inv")


def elementwise(edge: Edge) -> bool:
    return same_shape(edge) and edge.user.name not in ("add", "subtract", "negative")


def of_one(edge: Edge) -> bool:
    """An elementwise step that depends on this operand alone; a constant may stand beside it (1 + x, 1 / x)."""
    return same_shape(edge) and len(edge.user.edges) == 1


# ---- one sweep -----------------------------------------------------------------------------------------------------------------

class Trace:
    """The graph of a function at a point.

    Parameters
    ----------
    x, y : Quantity
        The argument and the result.
    """

    def __init__(self, x: Quantity, y: Quantity) -> None:
        self.x, self.y = x, y
        found, waiting = {y.number: y}, [y]
        while waiting:
            for edge in waiting.pop().edges:
                if edge.operand.number not in found:
                    found[edge.operand.number] = edge.operand
                    waiting.append(edge.operand)
        self.nodes = [found[number] for number in sorted(found, reverse=True)]
        depends = {x.number}
        for node in reversed(self.nodes):
            if any(edge.operand.number in depends for edge in node.edges):
                depends.add(node.number)
        #: only what the argument has an influence on
        self.edges = [edge for node in self.nodes for edge in node.edges if edge.operand.number in depends]
        self.outer = self._outermost_sum()

    def _outermost_sum(self) -> set[int]:
        """The nodes from which only sums, differences and constant factors lead to the result."""
        outer, waiting = {self.y.number}, [self.y]
        while waiting:
            node = waiting.pop()
            if node.name in ("add", "subtract", "negative") or (node.name == "multiply" and len(node.edges) == 1):
                for edge in node.edges:
                    outer.add(edge.operand.number)
                    waiting.append(edge.operand)
        return outer

    def blocks(self) -> list[list[Edge]]:
        """Chains of elementwise steps of one operand, the short ones first: a sigmoid, say, from its quotient to its minus sign."""
        found: list[list[Edge]] = []
        seen: set[int] = set()
        for edge in self.edges:
            block = [edge]
            while of_one(block[-1]) and len(block[-1].operand.edges) == 1 and len(self.users(block[-1].operand)) == 1:
                block.append(block[-1].operand.edges[0])
            block = [part for part in block if of_one(part)]
            if len(block) > 1 and id(edge) not in seen:
                found.append(block)
            seen.update(map(id, block))
        lengths = range(2, 1 + max(map(len, found), default=1))
        return [block[i:i + n] for n in lengths for block in found for i in range(len(block) - n + 1)]

    def users(self, node: Quantity) -> list[Edge]:
        """The edges on which a node is an operand."""
        return [edge for edge in self.edges if edge.operand is node]

    def derivative(self, changed: Sequence[Edge] = (), change: Callable[[Edge, Any], Any] | None = None,
                   instead: tuple[Quantity, Any] | None = None) -> Any:
        """dy/dx in stacked layout, with some edges changed; None where the change does not apply to one of them.

        `instead` is a node and what is taken for its derivative by x, in place of all that its edges would say.
        """
        y, x = self.y.value, self.x.value
        rows = []
        for i in range(np.size(y)):
            seed = 1.0 if np.ndim(y) == 0 else np.eye(np.size(y))[i].reshape(np.shape(y))
            adjoints = self._sweep(seed, changed, change, instead)
            if adjoints is None:
                return None
            rows.append(like(adjoints.get(self.x.number, 0.0), x))
        stacked = np.reshape(np.array(rows), (*np.shape(y), *np.shape(x)))
        return float(stacked) if stacked.ndim == 0 else stacked

    def stops(self) -> list[tuple[Quantity, Any]]:
        """The derivatives of a number y by the quantities on the way, where a derivation may stop too early."""
        adjoints = self._sweep(1.0) if np.ndim(self.y.value) == 0 else None
        between = [node for node in self.nodes if node is not self.y and any(edge.user is node for edge in self.edges)]
        return [(node, like(adjoints[node.number], node.value)) for node in between] if adjoints is not None else []

    def _sweep(self, seed: Any, changed: Sequence[Edge] = (), change: Callable[[Edge, Any], Any] | None = None,
               instead: tuple[Quantity, Any] | None = None) -> dict[int, Any] | None:
        """Adjoints by the numbers of the nodes."""
        adjoints = {self.y.number: seed}
        for node in self.nodes:
            if node.number not in adjoints:
                continue
            if instead is not None and node is instead[0]:
                adjoints[self.x.number] = adjoints.get(self.x.number, 0.0) + adjoints[node.number] * instead[1]
                continue
            for edge in node.edges:
                g = adjoints[node.number]
                part = change(edge, g) if change and any(edge is one for one in changed) else edge.pull(g)
                if part is None:
                    return None
                adjoints[edge.operand.number] = adjoints.get(edge.operand.number, 0.0) + part
        return adjoints


def trace(f: Callable[..., Any], at: Mapping[str, Any], wrt: str, kind: type[Quantity] = Quantity) -> Trace:
    """Run f once on Quantities.

    Parameters
    ----------
    f : callable
        Takes the arguments by name.
    at : mapping
    wrt : str
        The argument to follow.
    kind : type
        Quantity or InDegrees.

    Examples
    --------
    >>> from dualad.teach.graph import trace
    >>> trace(lambda x: x * x + x, {"x": 3.0}, "x").derivative()
    7.0
    """
    x = kind(at[wrt])
    y = f(**{**at, wrt: x})
    return Trace(x, y if isinstance(y, Quantity) else kind(y))

"""Derivatives as sums over paths, and by elimination of values: the same number, for very different counts.

The chain rule says that dy/dx is the sum, over all paths from x to y, of the product of the partials along the path. Written out
there may be exponentially many paths; the sweeps factor the sum, and use each partial once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..compare.graph import Graph, Vertex
from ..compare.orders import best_order, markowitz_order
from ..compare.orders import eliminate as _eliminate
from .algebra import parse, substitute, text_of
from .building import Built
from .program import Node, Operand, Program

__all__ = ["Elimination", "Path", "PathSum", "eliminate", "paths", "renamed"]

#: paths that are listed
LISTED = 200


@dataclass(frozen=True)
class Path:
    """One path, and the product of the partials along it.

    Parameters
    ----------
    names : tuple of str
        From the source to the target.
    formulas : tuple of str
        Of the partials.
    partials : tuple of float
    """

    names: tuple[str, ...]
    formulas: tuple[str, ...]
    partials: tuple[float, ...]

    @property
    def product(self) -> float:
        """Of the partials."""
        value = 1.0
        for partial in self.partials:
            value *= partial
        return value

    def __str__(self) -> str:
        factors = " * ".join(f"({f})" if " " in f else f for f in reversed(self.formulas)) or "1"
        return f"{' -> '.join(self.names)}: {factors} = {self.product:.7g}"


@dataclass(frozen=True)
class PathSum:
    """A derivative as a sum over paths.

    Parameters
    ----------
    source, target : str
    listed : tuple of Path
        All paths, or the first 200.
    count : int
        How many there are.
    total : float
        The derivative.
    naive : int
        Multiplications and additions of the sum over paths.
    factored : int
        Multiplications and additions of a reverse sweep over the same part of the graph.
    """

    source: str
    target: str
    listed: tuple[Path, ...]
    count: int
    total: float
    naive: int
    factored: int

    def __str__(self) -> str:
        lines = [f"d{self.target}/d{self.source} = {self.total:.7g}, the sum over {self.count} path{'s' * (self.count != 1)}:"]
        lines += [f"  {path}" for path in self.listed[:20]]
        if self.count > 20:
            lines.append(f"  ... and {self.count - 20} more")
        lines.append(f"Path by path: {self.naive} multiplications and additions; factored, as the sweeps do it: {self.factored}.")
        return "\n".join(lines)


def paths(program: Program, source: int, target: int) -> PathSum:
    """All paths between two values (see :meth:`Explanation.paths`)."""
    nodes = program.nodes
    down = _ancestors(program, target)
    up = {source}
    for node in nodes:
        if any(i in up for i in node.reads):
            up.add(node.index)
    between = down & up
    for i in sorted(between):
        if nodes[i].shape:
            raise TypeError(
                f"{nodes[i].name} is an array of shape {nodes[i].shape}: paths run between numbers; "
                "write the function over its elements, or see dualad.compare.elimination"
            )
    arrivals = {i: _edges(nodes[i], between) for i in between if i != source}
    # number of paths from the source to each value, the sum of their lengths, and the derivative
    count, length, value = {source: 1}, {source: 0}, {source: 1.0}
    for i in sorted(between - {source}):
        count[i] = sum(count[o] for o, _ in arrivals[i])
        length[i] = sum(length[o] + count[o] for o, _ in arrivals[i])
        value[i] = sum(value[o] * _partial(operand) for o, operand in arrivals[i])
    total_count, edges = count.get(target, 0), sum(map(len, arrivals.values()))
    if not total_count or target not in between:
        return PathSum(nodes[source].name, nodes[target].name, (), 0, 0.0, 0, 0)
    naive = (length[target] - total_count) + (total_count - 1)
    straight = len(arrivals.get(target, ()))  # the partials of the target itself are not multiplied by 1
    joins = sum(max(len(out) - 1, 0) for out in _departures(arrivals).values())
    return PathSum(
        nodes[source].name,
        nodes[target].name,
        tuple(_list(nodes, arrivals, source, target)),
        total_count,
        value[target],
        naive,
        edges - straight + joins,
    )


def _ancestors(program: Program, target: int) -> set[int]:
    found = {target}
    for node in reversed(program.nodes[: target + 1]):
        if node.index in found:
            found.update(node.reads)
    return found


Arrivals = Mapping[int, Sequence[tuple[int, Operand]]]


def _edges(node: Node, between: set[int]) -> list[tuple[int, Operand]]:
    return [(o.node, o) for o in node.operands if o.node is not None and o.node in between]


def _departures(arrivals: Arrivals) -> dict[int, list[int]]:
    out: dict[int, list[int]] = {}
    for head, operands in arrivals.items():
        for tail, _ in operands:
            out.setdefault(tail, []).append(head)
    return out


def _partial(operand: Operand) -> float:
    return operand.partial if isinstance(operand.partial, float) else float("nan")


def _list(nodes: Sequence[Node], arrivals: Arrivals, source: int, target: int) -> list[Path]:
    found: list[Path] = []
    todo: list[tuple[int, tuple[str, ...], tuple[str, ...], tuple[float, ...]]] = [(target, (nodes[target].name,), (), ())]
    while todo and len(found) < LISTED:
        i, names, formulas, partials = todo.pop()
        if i == source:
            found.append(Path(names, formulas, partials))
            continue
        for tail, o in reversed(arrivals[i]):
            local = o.formula or f"d{nodes[i].name}/d{o.text}"
            todo.append((tail, (o.text, *names), (local, *formulas), (_partial(o), *partials)))
    return found


# ---- elimination -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Elimination:
    """The Jacobian by eliminating values in an order.

    Parameters
    ----------
    order : tuple of str
    inputs, outputs : tuple of str
    jacobian : tuple of tuple of float
        A row an output.
    multiplications, additions, fill : int
        Products; those that met an edge that was there; those that made a new one.
    """

    order: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    jacobian: tuple[tuple[float, ...], ...]
    multiplications: int
    additions: int
    fill: int

    def __str__(self) -> str:
        lines = [
            f"Eliminated {', '.join(self.order) or 'nothing'}: {self.multiplications} multiplications, {self.additions} additions."
        ]
        lines += [
            f"  d{y}/d{x} = {value:.7g}"
            for y, row in zip(self.outputs, self.jacobian, strict=True)
            for x, value in zip(self.inputs, row, strict=True)
        ]
        return "\n".join(lines)


def graph_of(program: Program) -> Graph:
    """The computational graph of a program of numbers; an output that is read further on, or is an input, gets a copy."""
    read = {i for node in program.nodes for i in node.reads}
    last: list[Vertex] = []
    vertices: list[Vertex] = []
    for node in program.nodes:
        if node.shape:
            raise TypeError(
                f"{node.name} is an array of shape {node.shape}: elimination needs a graph of numbers; "
                "see dualad.compare.elimination, which takes arrays apart"
            )
        total: dict[str, float] = {}
        for o in node.operands:
            if o.node is not None:
                name = program.nodes[o.node].name
                total[name] = total.get(name, 0.0) + _partial(o)
        own = node.index in program.outputs and node.index not in read and bool(node.operation)
        kind = "output" if own else "intermediate" if node.operation else "input"
        value = node.value if isinstance(node.value, float) else 0.0
        (last if own else vertices).append(Vertex(node.name, kind, node.operation, value, tuple(total), tuple(total.values())))
    for i in dict.fromkeys(program.outputs):
        node = program.nodes[i]
        if i in read or not node.operation:
            value = node.value if isinstance(node.value, float) else 0.0
            last.append(Vertex(f"{node.name} (returned)", "output", "copy", value, (node.name,), (1.0,)))
    return Graph((*vertices, *last))


def eliminate(program: Program, order: str | Sequence[str]) -> Elimination:
    """See :meth:`Explanation.eliminate`."""
    graph = graph_of(program)
    between = graph.names("intermediate")
    if isinstance(order, str):
        orders = {
            "forward": lambda: between,
            "reverse": lambda: between[::-1],
            "Markowitz": lambda: markowitz_order(graph),
            "best": lambda: best_order(graph),
        }
        if order not in orders:
            raise ValueError(f"order is {', '.join(orders)}, or the names of all values between, not {order!r}")
        chosen = tuple(orders[order]())
    else:
        chosen = tuple(order)
    jacobian, multiplications, additions, fill = _eliminate(graph, chosen)
    rows = tuple(tuple(float(x) for x in row) for row in np.asarray(jacobian))
    return Elimination(chosen, graph.names("input"), graph.names("output"), rows, multiplications, additions, fill)


# ---- names -------------------------------------------------------------------------------------------------------------


def renaming(names: Mapping[str, str]) -> Callable[[str], str]:
    """A function that puts other names into a formula."""
    trees = {sign + old: parse(sign + new) for old, new in names.items() for sign in ("", "d")}

    def put(text: str) -> str:
        if not text:
            return text
        try:
            return text_of(substitute(parse(text), trees))
        except SyntaxError:
            return text

    return put


def renamed(built: Built, names: Mapping[str, str]) -> Built:
    """The program with other names."""
    put = renaming(names)

    def operand(o: Operand) -> Operand:
        text: Any = names.get(o.text, o.text) if o.node is not None else o.text
        return replace(o, text=text, formula=put(o.formula), pullback=put(o.pullback), tangent=put(o.tangent))

    nodes = [
        replace(
            node,
            name=names.get(node.name, node.name),
            formula=put(node.formula),
            named=node.named or node.name in names,
            operands=tuple(map(operand, node.operands)),
        )
        for node in built.nodes
    ]
    return Built(nodes, built.operations, built.values, built.inputs, built.outputs, built.places, built.notes, built.constants)

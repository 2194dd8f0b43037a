"""The computational graph of a function at a point, taken from a recording: vertices are numbers, edges carry partials.

f runs once on a tape of calls; the partials are those of the rules that the reverse sweep uses. What no output depends on is
left out, and an output that is used further on (or is an input, or is returned twice) gets a copy, an edge with partial 1:
then every path runs from an input to an output and all vertices between can be eliminated (:mod:`dualad.compare.orders`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from .._core import Level
from ..generic import GenericVar, checked_output
from ..rules.elementwise import ROWS
from ..tree import flatten
from .figure import Curve, Figure, Mark

__all__ = ["Graph", "Vertex", "from_entries", "take"]

KINDS = ("input", "intermediate", "output")
#: how often the layers are sorted for the picture
_PASSES = 8
LARGEST = 400

#: a line of a tape's listing: operation, result, operands, partials, value; results and operands are numbers of slots
Entry = tuple[str, int, Sequence[int], Sequence[float], float]


@dataclass(frozen=True)
class Vertex:
    """One number of the computation.

    Parameters
    ----------
    name : str
        x0, x1 ... for inputs, v1, v2 ... for what lies between, y0, y1 ... for outputs.
    kind : {"input", "intermediate", "output"}
    operation : str
        Name of the elementary operation that makes it; "" for an input.
    value : float
    operands : tuple of str
        The vertices it is made of, each once; constants are not in the graph.
    partials : tuple of float
        Its derivative with respect to each of them.
    """

    name: str
    kind: str
    operation: str = ""
    value: float = 0.0
    operands: tuple[str, ...] = ()
    partials: tuple[float, ...] = ()


@dataclass(frozen=True)
class Graph:
    """A computational graph with its partials.

    Parameters
    ----------
    vertices : tuple of Vertex
        Operands before what is made of them.

    Examples
    --------
    >>> import numpy as np
    >>> from dualad.compare.graph import take
    >>> graph = take(lambda x, y: x * np.sin(x * y), 0.5, 2.0)
    >>> print(graph)
    x0  input
    x1  input
    v1  multiply(x0, x1)
    v2  sin(v1)
    y0  multiply(x0, v2)
    """

    vertices: tuple[Vertex, ...] = ()

    def names(self, kind: str) -> tuple[str, ...]:
        """The vertices of one kind ("input", "intermediate", "output"), in the order of the tape."""
        return tuple(vertex.name for vertex in self.vertices if vertex.kind == kind)

    @property
    def edges(self) -> dict[tuple[str, str], float]:
        """(operand, result) -> partial."""
        return {(operand, vertex.name): partial for vertex in self.vertices
                for operand, partial in zip(vertex.operands, vertex.partials, strict=True)}

    def __str__(self) -> str:
        width = max((len(vertex.name) for vertex in self.vertices), default=0)
        return "\n".join(f"{vertex.name:<{width}}  {describe(vertex)}" for vertex in self.vertices)

    def figure(self, name: str, title: str) -> Figure:
        """The graph drawn in layers, inputs on the left."""
        at, routes = _layout(self)
        xs: list[float] = []
        ys: list[float | None] = []
        for route in routes:
            xs += [x for x, _ in route] + [route[-1][0]]
            ys += [*(y for _, y in route), None]
        curves = [Curve("edge: carries one partial", tuple(xs), tuple(ys), "theory", "line")]
        for kind, role in zip(KINDS, ("forward", "value", "reverse"), strict=True):
            places = [at[vertex] for vertex in self.names(kind)]
            if places:
                curves.append(Curve(kind, tuple(x for x, _ in places for _ in range(2)),
                                    tuple(part for _, y in places for part in (y, None)), role))
        marks = tuple(Mark(f"{v.name} {v.operation}".strip(), *at[v.name]) for v in self.vertices)
        counts = {kind: len(self.names(kind)) for kind in KINDS}
        what = (f"{counts['input']} inputs, {counts['intermediate']} intermediate vertices, {counts['output']} outputs and "
                f"{len(self.edges)} edges")
        caption = (f"Every vertex is a number, every edge a partial derivative: {what}. A derivative of an output is the "
                   "sum over all paths of the product of their partials; eliminating a vertex joins its edges in to its edges out.")
        made = "; ".join(f"{v.name} = {describe(v)}" for v in self.vertices if v.kind != "input")
        return Figure(name, title, "layer: longest path from the inputs", "", caption,
                      f"A layered graph of {what}, from left to right: {made}.", tuple(curves), None, marks, "linear", "linear")


def describe(vertex: Vertex) -> str:
    """What a vertex is, in a word."""
    return f"{vertex.operation}({', '.join(vertex.operands)})" if vertex.operation else vertex.kind


def from_entries(entries: Sequence[Entry], inputs: Mapping[int, float],
                 outputs: Sequence[int]) -> Graph:
    """A graph from a plain listing of a tape.

    Parameters
    ----------
    entries : sequence of (operation, result, operands, partials, value)
        In the order they ran.
    inputs : mapping of int to float
        Slots of the inputs and their values.
    outputs : sequence of int
        Slots of the outputs.

    Returns
    -------
    Graph
        Of what the outputs depend on; all inputs are in it.

    Examples
    --------
    >>> from dualad.compare.graph import from_entries
    >>> print(from_entries([("square", 1, (0,), (6.0,), 9.0)], {0: 3.0}, [1]))
    x0  input
    y0  square(x0)
    """
    made = {result for _, result, _, _, _ in entries}
    live = set(outputs)
    for _, result, operands, _, _ in reversed(entries):
        if result in live:
            live.update(operands)
    used = {operand for _, result, operands, _, _ in entries if result in live for operand in operands}
    own = {slot for slot in outputs if slot in made and slot not in used and list(outputs).count(slot) == 1}
    names = {slot: f"x{i}" for i, slot in enumerate(inputs)}
    values = dict(inputs)
    vertices = [Vertex(name, "input", "", inputs[slot]) for slot, name in names.items()]
    between = 0
    last: list[Vertex] = []
    for operation, result, operands, partials, value in entries:
        if result not in live:
            continue
        total: dict[str, float] = {}
        for operand, partial in zip(operands, partials, strict=True):
            total[names[operand]] = total.get(names[operand], 0.0) + partial
        values[result] = value
        if result in own:
            name, kind = f"y{list(outputs).index(result)}", "output"
        else:
            between += 1
            name, kind = f"v{between}", "intermediate"
        names[result] = name
        vertex = Vertex(name, kind, operation, value, tuple(total), tuple(total.values()))
        (last if kind == "output" else vertices).append(vertex)
    last += [Vertex(f"y{i}", "output", "copy", values[slot], (names[slot],), (1.0,)) for i, slot in enumerate(outputs)
             if slot not in own]
    return Graph((*vertices, *sorted(last, key=lambda vertex: int(vertex.name[1:]))))


def take(f: Callable[..., Any], *args: Any) -> Graph:
    """The graph of f at a point.

    Parameters
    ----------
    f : callable
        Returns a float, an array, or a container of them.
    *args : float or array_like

    Returns
    -------
    Graph
        Every element of an array is a vertex; an operation that makes an array makes one vertex an element of it, and elements
        that are only picked or moved (indexing, reshape, stack) keep theirs.

    Raises
    ------
    TypeError
        f returns something that does not depend on its arguments.
    ValueError
        The graph is too large to be looked at.

    Notes
    -----
    Cost: one recording, in Python; the partials of each operation are computed once.

    Examples
    --------
    >>> import numpy as np
    >>> from dualad.compare.graph import take
    >>> print(take(lambda x: np.sum(x * x[0]), np.array([1.0, 2.0])))
    x0  input
    x1  input
    v1  multiply(x0)
    v2  multiply(x1, x0)
    y0  sum(v1, v2)
    """
    with Level(True, 0, False) as level:
        given = [GenericVar(level, float(arg) if np.ndim(arg) == 0 else np.array(arg, dtype=float)) for arg in args]
        leaves = [checked_output(leaf) for leaf in flatten(f(*given))[0]]
    for leaf in leaves:
        if not isinstance(leaf, GenericVar) or leaf.level_id != level.level_id:
            raise TypeError(f"a graph ends in what depends on the inputs, and f returns the constant {leaf!r:.40}")
    slots = _Slots()
    inputs = {slot: float(value) for x in given for slot, value in zip(slots.new(x), np.ravel(x.primal), strict=True)}
    entries: list[Entry] = []
    for call in level.calls:
        entries += _entries(call, slots)
        if len(entries) + len(inputs) > LARGEST:
            raise ValueError(f"the graph has more than {LARGEST} vertices: take a smaller function, or fewer inputs")
    return from_entries(entries, inputs, [slot for leaf in leaves for slot in slots.of(leaf)])


class _Slots:
    """A number for every element of every value on the tape."""

    def __init__(self) -> None:
        self._of: dict[int, list[int]] = {}
        self._next = 0

    def new(self, x: GenericVar) -> list[int]:
        """Numbers for the elements of a value that is made here."""
        size = int(np.size(x.primal))
        self._of[x.key] = list(range(self._next, self._next + size))
        self._next += size
        return self._of[x.key]

    def of(self, x: GenericVar) -> list[int]:
        """The numbers of a value's elements."""
        return self._of[x.key]


def _entries(call: Any, slots: _Slots) -> Iterator[Entry]:
    """One call of the tape, for each element of its results; an element that is only moved keeps its number.

    An elementwise operation reads by broadcasting; any other reads what its partials are not zero for.
    """
    name = call.primitive.name.removeprefix("math.")
    results = [call.out] if call.single else list(call.out)
    sizes = [int(np.size(value)) for value in results]
    for i, (out, value) in enumerate(zip(call.outputs, results, strict=True)):
        if not isinstance(out, GenericVar):  # whole numbers: no derivative
            continue
        seeds = tuple(_seeds(value_j, sizes[i], i == j) for j, value_j in enumerate(results))
        partials = call.primitive.vjp(seeds[0] if call.single else seeds, call.values, call.out,
                                      [x is not None for x in call.inputs], sizes[i], **call.params)
        tables = []
        for x, p in zip(call.inputs, partials, strict=True):
            if x is not None:
                table = np.reshape(p, (sizes[i], -1))
                tables.append((slots.of(x), table, _read(value, x) if name in ROWS else table != 0.0))
        own = slots.new(out)
        for row, number in enumerate(np.ravel(value)):
            pairs = [(slot, float(p)) for numbers, table, touched in tables
                     for slot, p, reads in zip(numbers, table[row], touched[row], strict=True) if reads]
            if name not in ROWS and len(pairs) == 1 and pairs[0][1] == 1.0:
                own[row] = pairs[0][0]
            else:
                yield name, own[row], [slot for slot, _ in pairs], [p for _, p in pairs], float(number)


def _seeds(value: Any, count: int, own: bool) -> Any:
    """One cotangent of a result for each element of it; zeros for another result."""
    size, shape = int(np.size(value)), np.shape(value)
    return np.reshape(np.eye(size), (size, *shape)) if own else np.zeros((count, *shape))


def _read(value: Any, x: GenericVar) -> np.ndarray:
    """Which elements of an operand an elementwise operation reads for each of its results, by broadcasting."""
    size = int(np.size(x.primal))
    read = np.broadcast_to(np.reshape(np.arange(size), np.shape(x.primal)), np.shape(value)).ravel()
    table = np.zeros((read.size, size), dtype=bool)
    table[np.arange(read.size), read] = True
    return table


# ---- layout ----------------------------------------------------------------------------------------------------------

Place = tuple[float, float]


def _layers(graph: Graph) -> dict[str, int]:
    layer: dict[str, int] = {}
    for vertex in graph.vertices:
        layer[vertex.name] = 1 + max((layer[operand] for operand in vertex.operands), default=-1)
    last = max(layer.values(), default=0)
    return {vertex.name: last if vertex.kind == "output" else layer[vertex.name] for vertex in graph.vertices}


def _layout(graph: Graph) -> tuple[dict[str, Place], list[list[Place]]]:
    """Places of the vertices, and the way of every edge, in the manner of Sugiyama, Tagawa & Toda (1981): layers, long edges
    through dummy places, each layer sorted by the mean height of its neighbours."""
    layer = _layers(graph)
    rows: list[list[str]] = [[] for _ in range(1 + max(layer.values(), default=0))]
    for name, number in layer.items():
        rows[number].append(name)
    routes = []
    neighbours: dict[str, list[str]] = {name: [] for name in layer}
    for tail, head in graph.edges:
        route = [tail, *(f"{tail}>{head}@{number}" for number in range(layer[tail] + 1, layer[head])), head]
        for number, place in enumerate(route[1:-1], layer[tail] + 1):
            rows[number].append(place)
            neighbours[place] = []
        for one, other in pairwise(route):
            neighbours[one].append(other)
            neighbours[other].append(one)
        routes.append(route)
    height = {name: _spread(place, len(row)) for row in rows for place, name in enumerate(row)}
    for _ in range(_PASSES):
        for row in rows:
            row.sort(key=functools.partial(_mean_height, neighbours, height))
            height.update({name: _spread(place, len(row)) for place, name in enumerate(row)})
    at = {name: (float(number), height[name]) for number, row in enumerate(rows) for name in row}
    return {name: at[name] for name in layer}, [[at[place] for place in route] for route in routes]


def _spread(place: int, count: int) -> float:
    return (count - 1) / 2 - place


def _mean_height(neighbours: Mapping[str, list[str]], height: Mapping[str, float], name: str) -> float:
    near = neighbours[name]
    return -sum(height[other] for other in near) / len(near) if near else 0.0

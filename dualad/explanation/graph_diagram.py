"""What a drawing of a program shows, whatever draws it: boxes with a few rows of words, edges with a local derivative.

A program of up to 80 values has a box for each of them. Of a longer one, a box stands for a line of the source, or for the lines
of a loop together (what feeds itself through other lines cannot be drawn without a circle), with how many operations ran there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from .program import Block, Node, Operand, Program, Quantity

__all__ = ["LARGEST_DRAWN", "Diagram", "Edge", "Row", "Vertex", "diagram", "groups", "short", "summary"]

#: a longer program is summarised by source lines
LARGEST_DRAWN = 80
#: boxes of a summary
_BOXES = 40
#: letters of a formula or name in a box
_LETTERS = 34


@dataclass(frozen=True)
class Row:
    """A number in a box.

    Parameters
    ----------
    label : str
        "value", "tangent", "adjoint", "operations" ...
    text : str
    """

    label: str
    text: str


@dataclass(frozen=True)
class Vertex:
    """A box.

    Parameters
    ----------
    name : str
    kind : {"input", "intermediate", "output", "lines"}
        lines: a box of a summary.
    formula : str
        What it is made of; "" for an input.
    shape : str
        "(4, 2)"; "" for a number.
    operation : str
        "sin"; "4 operations" for a block.
    rows : tuple of Row
    tip : str
        All of it in full.
    room : tuple of str
        Other numbers that its rows have to hold, in bold, on a page that changes them.
    """

    name: str
    kind: str
    formula: str
    shape: str
    operation: str
    rows: tuple[Row, ...]
    tip: str
    room: tuple[str, ...] = ()


@dataclass(frozen=True)
class Edge:
    """An edge from an operand to what reads it.

    Parameters
    ----------
    tail, head : int
        Vertices.
    place : int
        Which operand of the head.
    label : str
        The local derivative.
    tip : str
    """

    tail: int
    head: int
    place: int
    label: str
    tip: str


@dataclass(frozen=True)
class Diagram:
    """Boxes and edges.

    Parameters
    ----------
    name : str
        Identifies it in a page.
    title, alt : str
        What it shows, in a line; and in words.
    vertices : tuple of Vertex
    edges : tuple of Edge
    notes : tuple of str
    """

    name: str
    title: str
    alt: str
    vertices: tuple[Vertex, ...]
    edges: tuple[Edge, ...]
    notes: tuple[str, ...] = ()


def short(x: Quantity | None) -> str:
    """A number with seven digits; a small array; of a large one its norm.

    Examples
    --------
    >>> from dualad.explanation.graph_diagram import short
    >>> from dualad.explanation.program import Block
    >>> short(0.1 + 0.2), short(Block((100,), norm=3.0))
    ('0.3', 'norm 3')
    """
    if x is None:
        return ""
    if isinstance(x, Block):
        if x.size <= 3 and x.size == len(x.numbers):
            text = "[" + ", ".join(f"{number + 0.0:.4g}" for number in x.numbers) + "]"
            return text if len(x.shape) == 1 else f"norm {x.norm:.5g}"
        return f"norm {x.norm:.5g}"
    return f"{x + 0.0:.7g}"


def cut(text: str, letters: int = _LETTERS) -> str:
    """A line with an ellipsis where it is too long."""
    return text if len(text) <= letters else text[: letters - 1].rstrip() + "…"


def diagram(
    program: Program,
    tangents: Sequence[Quantity] | None = None,
    seed: str = "",
    adjoints: Sequence[Quantity] | None = None,
    target: str = "",
) -> Diagram:
    """The boxes of a program; a summary where it is long.

    Parameters
    ----------
    program : Program
    tangents : sequence of float or Block, optional
        One a node.
    seed : str
        What they are tangents of.
    adjoints : sequence, optional
        By default those of the program.
    target : str
        What the adjoints are of.

    Returns
    -------
    Diagram
    """
    adjoints, target = program.adjoints if adjoints is None else adjoints, target or program.target
    if len(program.nodes) > LARGEST_DRAWN:
        return summary(program, adjoints)
    vertices, edges = [], []
    for node in program.nodes:
        rows = [Row("value", short(node.value))]
        if tangents is not None:
            rows.append(Row("tangent", short(tangents[node.index])))
        if adjoints:
            rows.append(Row("adjoint", short(adjoints[node.index])))
        operation = f"{node.count} operations" if node.operation == "block" else node.operation
        vertices.append(
            Vertex(
                node.name,
                node.kind,
                node.formula,
                str(node.shape) if node.shape else "",
                operation,
                tuple(rows),
                _tip(node, rows, seed, target),
            )
        )
    for a, b, place in program.edges():
        node = program.nodes[b]
        edges.append(Edge(a, b, place, edge_label(node.operands[place]), edge_tip(node, node.operands[place])))
    name = _plain_name(program)
    made = f"; tangents by {seed}" if tangents is not None else ""
    title = f"{program.name} at {_point(program)}"
    alt = (
        f"Computational graph of {program.name}: {len(vertices)} values and {len(edges)} edges, inputs at the top. "
        + "; ".join(_said(vertex) for vertex in vertices[:12])
        + ("; ..." if len(vertices) > 12 else "")
        + f". Adjoints of {target}{made}."
    )
    return Diagram(name, title, alt, tuple(vertices), tuple(edges))


def _plain_name(program: Program) -> str:
    return "graph-" + ("".join(letter if letter.isalnum() else "-" for letter in program.name).strip("-") or "f")


def _point(program: Program) -> str:
    nodes = [program.nodes[i] for i in program.inputs]
    given = ", ".join(f"{node.name} {node.shape}" if node.shape else f"{node.name} = {short(node.value)}" for node in nodes[:6])
    return given + (" ..." if len(nodes) > 6 else "")


def _said(vertex: Vertex) -> str:
    made = f" = {vertex.formula}" if vertex.formula not in ("", vertex.name) else ""
    return f"{vertex.name}{made} is {vertex.rows[0].text}, adjoint {vertex.rows[-1].text}"


def _tip(node: Node, rows: Sequence[Row], seed: str, target: str) -> str:
    lines = [f"{node.name} = {node.formula}" if node.formula else f"{node.name} (input)"]
    if node.shape:
        lines.append(f"shape {node.shape}")
    names = {"tangent": f"tangent by {seed}", "adjoint": f"d{target}/d{node.name}"}
    lines += [f"{names.get(row.label, row.label)} = {row.text}" for row in rows]
    if node.line:
        lines.append(f"line {node.line}: {node.source}")
    return "\n".join(lines)


def edge_label(operand: Operand) -> str:
    """The local derivative in short: its formula and its number."""
    number = short(operand.partial) if isinstance(operand.partial, float) else ""
    if number:
        formula = operand.formula
        plain = formula.lstrip("-").replace(".", "", 1).isdigit()
        return number if plain or not formula or len(formula) > 12 else f"{formula} = {operand.partial:.4g}"
    return cut((operand.pullback or operand.formula).replace("ct", "·"), 22)


def edge_tip(node: Node, operand: Operand) -> str:
    """The same in full."""
    left = f"d{node.name}/d{operand.text}"
    if operand.pullback:
        return f"d{node.name} sends {operand.pullback} to d{operand.text} (ct: the adjoint of {node.name})"
    parts = [left, operand.formula, short(operand.partial)]
    return " = ".join(part for part in dict.fromkeys(parts) if part)


# ---- long programs ---------------------------------------------------------------------------------------------------


def summary(program: Program, adjoints: Sequence[Quantity]) -> Diagram:
    """A box for each source line of a long program, for the lines of a loop together, and for all inputs of one argument."""
    of = groups(program)
    members: list[list[Node]] = [[] for _ in range(max(of) + 1)]
    for node, k in zip(program.nodes, of, strict=True):
        members[k].append(node)
    vertices = tuple(_lines(nodes, adjoints) for nodes in members)
    reads = Counter((of[a], of[b]) for a, b, _ in program.edges() if of[a] != of[b])
    edges = tuple(
        Edge(a, b, 0, f"{n} reads" if n > 1 else "", f"{vertices[b].name} reads {vertices[a].name} {n} times")
        for (a, b), n in sorted(reads.items())
    )
    inside = sum(of[a] == of[b] for a, b, _ in program.edges())
    note = (
        f"{len(program.nodes)} values in {len(vertices)} boxes, one for each line of the source or for the lines of a loop; "
        f"{inside} edges run inside the boxes"
    )
    alt = f"Summary of the computational graph of {program.name}: {note}. " + "; ".join(
        f"{vertex.name}: {vertex.rows[0].text} {vertex.rows[0].label}" for vertex in vertices[:12]
    )
    title = f"{program.name} at {_point(program)}: {len(program.nodes)} values"
    return Diagram(_plain_name(program), title, alt, vertices, edges, (note,))


def groups(program: Program) -> list[int]:
    """Which box of the summary each value is in; a box reads only boxes with smaller numbers."""
    group: dict[tuple[str, ...], int] = {}
    of = [group.setdefault(_key(node), len(group)) for node in program.nodes]
    of = _without_circles(of, program)
    while max(of) >= _BOXES:  # neighbours in the order of the program together: still no circle
        of = [k // 2 for k in of]
    return of


def _key(node: Node) -> tuple[str, ...]:
    if node.kind == "input" or not node.operation:
        return ("input", node.name.partition("[")[0])
    return (node.file, node.function, str(node.line))


def _without_circles(of: Sequence[int], program: Program) -> list[int]:
    """Groups of nodes joined until none reads another one's results and feeds it, then numbered so that operands come first."""
    readers: dict[int, set[int]] = {k: set() for k in of}
    for a, b, _ in program.edges():
        if of[a] != of[b]:
            readers[of[a]].add(of[b])
    component = _components(readers)
    # a topological order of the components: Kahn's, the component that ran first first
    first: dict[int, int] = {}
    for i, k in enumerate(of):
        first.setdefault(component[k], i)
    after: dict[int, set[int]] = {c: set() for c in first}
    waits: Counter[int] = Counter()
    for k, found in readers.items():
        for other in found:
            if component[k] != component[other] and component[other] not in after[component[k]]:
                after[component[k]].add(component[other])
                waits[component[other]] += 1
    ready = sorted((c for c in first if not waits[c]), key=first.__getitem__)
    number: dict[int, int] = {}
    while ready:
        c = ready.pop(0)
        number[c] = len(number)
        for other in after[c]:
            waits[other] -= 1
            if not waits[other]:
                ready.append(other)
        ready.sort(key=first.__getitem__)
    return [number[component[k]] for k in of]


def _components(readers: Mapping[int, set[int]]) -> dict[int, int]:
    """Strongly connected components (Tarjan 1972), without recursion: {group: component}."""
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    component: dict[int, int] = {}
    path: list[int] = []
    for root in readers:
        work = [(root, iter(readers[root]))] if root not in index else []
        while work:
            k, rest = work[-1]
            if k not in index:
                index[k] = low[k] = len(index)
                path.append(k)
            for other in rest:
                if other not in index:
                    work.append((other, iter(readers[other])))
                    break
                if other not in component:
                    low[k] = min(low[k], index[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[k])
                if low[k] == index[k]:
                    while path and index[path[-1]] >= index[k]:
                        component[path.pop()] = k
    return component


def _lines(nodes: Sequence[Node], adjoints: Sequence[Quantity]) -> Vertex:
    named = [node for node in nodes if node.named] or nodes
    first, last = named[0], named[-1]
    kinds = Counter(node.operation for node in nodes if node.operation)
    name = first.name if first is last else f"{first.name} … {last.name}"
    numbers = sorted({node.line for node in nodes if node.line})
    lines = "" if not numbers else f"line {numbers[0]}" if len(numbers) == 1 else f"lines {numbers[0]}–{numbers[-1]}"
    operations = sum(node.count for node in nodes if node.operation)
    rows = [
        Row("operations" if operations else "inputs", str(operations or len(nodes))),
        Row("last value" if first is not last else "value", short(last.value)),
    ]
    if adjoints:
        rows.append(Row("its adjoint" if first is not last else "adjoint", short(adjoints[last.index])))
    made = ", ".join(f"{n} {kind}" for kind, n in kinds.most_common(3)) + (" ..." if len(kinds) > 3 else "")
    sources = list(dict.fromkeys(node.source for node in nodes if node.operation and node.source))
    vertex = Vertex(name, first.kind if len(nodes) == 1 else "lines", sources[0] if sources else "", lines, made, tuple(rows), "")
    said = [name, *sources[:6], made, *(f"{row.label} {row.text}" for row in rows)]
    return replace(vertex, tip="\n".join(text for text in said if text))

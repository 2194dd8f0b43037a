"""A :class:`~dualad.explanation.graph_diagram.Diagram` as text: for a terminal, for Graphviz (DOT), for Markdown (Mermaid)."""

from __future__ import annotations

from .graph_diagram import Diagram, Vertex

__all__ = ["dot", "mermaid", "text"]

#: joints by the sides they have: up 1, down 2, left 4, right 8
_JOINTS = " ╵╷│╴╯╮┤╶╰╭├─┴┬┼"


def text(diagram: Diagram) -> str:
    """The graph beside a list of its values: each has a column from where it is made to where it is last read.

    Examples
    --------
    >>> import dualad
    >>> print(dualad.explain(lambda x, y: x * y + y, 2.0, 3.0).graph().text())
    ●     x            value 2   tangent 1   adjoint 3
    │ ●   y            value 3   tangent 0   adjoint 3
    ╰─┼─● v1 = x*y     value 6   tangent 3   adjoint 1   dv1/dx = y = 3, dv1/dy = x = 2
    ●─┴─╯ f = v1 + y   value 9   tangent 3   adjoint 1   df/dv1 = 1, df/dy = 1
    """
    readers: dict[int, list[int]] = {}
    for edge in diagram.edges:
        readers.setdefault(edge.tail, []).append(edge.head)
    rails: list[str] = []
    lanes: list[int | None] = []
    widest = 0
    for k in range(len(diagram.vertices)):
        reads = {edge.tail for edge in diagram.edges if edge.head == k}
        rail, lanes = _rail(k, reads, {i for i in reads if max(readers[i]) == k}, k in readers, lanes)
        rails.append(rail)
        widest = max(widest, len(rail))
    table = []
    for k, vertex in enumerate(diagram.vertices):
        partials = ", ".join(edge.tip.partition("\n")[0] for edge in diagram.edges if edge.head == k and edge.label)
        made = f" = {vertex.formula}" if vertex.formula not in ("", vertex.name) else ""
        numbers = [f"{row.label} {row.text}" for row in vertex.rows]
        table.append([rails[k].ljust(widest), f"{vertex.name}{made}", vertex.shape, *numbers, partials])
    columns = max(map(len, table), default=0)
    table = [row + [""] * (columns - len(row)) for row in table]
    widths = [max(len(row[c]) for row in table) for c in range(columns)]
    lines = [row[0] + " " + "   ".join(cell.ljust(w) for cell, w in zip(row[1:], widths[1:], strict=True) if w) for row in table]
    return "\n".join(line.rstrip() for line in [*lines, *diagram.notes])


def _rail(k: int, reads: set[int], ending: set[int], is_read: bool, lanes: list[int | None]) -> tuple[str, list[int | None]]:
    """One line of the columns: node k, what it reads, what is read for the last time."""
    before = list(lanes)
    after = [None if value in ending else value for value in before]
    free = [c for c, value in enumerate(after) if value is None and before[c] is None]
    own = free[0] if free else len(after)
    if own == len(after):
        before.append(None)
        after.append(None)
    touched = [c for c, value in enumerate(before) if value in reads and value is not None] + [own]
    low, high = min(touched), max(touched)
    line = ""
    for c in range(len(after)):
        if c == own:
            joint = "●"
        elif c in touched:
            joint = _JOINTS[1 + 2 * (after[c] is not None) + 4 * (c > low) + 8 * (c < high)]
        elif before[c] is not None:
            joint = "│"
        else:
            joint = "─" if low < c < high else " "
        line += joint + ("─" if low <= c < high else " ")
    after[own] = k if is_read else None
    while after and after[-1] is None:
        after.pop()
    return line.rstrip(), after


def dot(diagram: Diagram) -> str:
    """The graph in Graphviz' language.

    Examples
    --------
    >>> import dualad
    >>> print(dualad.explain(lambda x: x * x, 3.0).graph().dot().splitlines()[3])
      n0 [label="x\\nvalue 3\\ntangent 1\\nadjoint 6", style=rounded];
    """
    lines = [
        f'digraph "{_quoted(diagram.name)}" {{',
        f'  label="{_quoted(diagram.title)}"; rankdir=TB;',
        '  node [shape=box, fontname="Helvetica"]; edge [fontname="Helvetica", fontsize=11];',
    ]
    for k, vertex in enumerate(diagram.vertices):
        look = ", style=rounded" if vertex.kind == "input" else ", penwidth=2" if vertex.kind == "output" else ""
        label = "\\n".join(map(_quoted, _said(vertex)))
        lines.append(f'  n{k} [label="{label}"{look}];')
    lines += [f'  n{edge.tail} -> n{edge.head} [label="{_quoted(edge.label)}"];' for edge in diagram.edges]
    return "\n".join([*lines, "}"])


def mermaid(diagram: Diagram) -> str:
    """The graph in Mermaid's language, which Markdown viewers draw.

    Examples
    --------
    >>> import dualad
    >>> print(dualad.explain(lambda x: x * x, 3.0).graph().mermaid())
    flowchart TB
      n0(["x<br>value 3<br>tangent 1<br>adjoint 6"])
      n1["y = x*x<br>value 9<br>tangent 6<br>adjoint 1"]
      n0 -->|"x = 3"| n1
      n0 -->|"x = 3"| n1
    """
    lines = ["flowchart TB"]
    for k, vertex in enumerate(diagram.vertices):
        label = "<br>".join(map(_entities, _said(vertex)))
        opening, closing = ("([", "])") if vertex.kind == "input" else ("[", "]")
        lines.append(f'  n{k}{opening}"{label}"{closing}')
    for edge in diagram.edges:
        label = f'|"{_entities(edge.label)}"|' if edge.label else ""
        lines.append(f"  n{edge.tail} -->{label} n{edge.head}")
    return "\n".join(lines)


def _said(vertex: Vertex) -> list[str]:
    head = f"{vertex.name} = {vertex.formula}" if vertex.formula not in ("", vertex.name) else vertex.name
    return [f"{head} {vertex.shape}".rstrip(), *(f"{row.label} {row.text}" for row in vertex.rows)]


def _quoted(words: str) -> str:
    return words.replace("\\", "\\\\").replace('"', '\\"')


def _entities(words: str) -> str:
    return words.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;").replace("#", "&num;")

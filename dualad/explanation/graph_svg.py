"""A :class:`~dualad.explanation.graph_diagram.Diagram` as SVG: boxes, curved edges, labels on the edges.

+--------------------+   name, shape        Colours are attributes (the file stands alone) that a page overrides by class:
| u1                 |   formula            ink, soft, box, edge, forward, reverse. A box carries data-node, an edge and its
| sin(t)             |   the numbers        label data-edge "head-place": a page that steps through the graph lights them.
| value     0.841471 |
+--------------------+
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..report.labels import Box, text_width
from ..report.marks import escape, num
from ..report.palette import LIGHT, STYLES, readable
from ..report.svg import FONT
from .graph_diagram import Diagram, Edge, Vertex, cut
from .graph_layout import Layout, arrange

__all__ = ["WIDE", "Measures", "draw", "measure"]

#: pixels across a notebook or a printed page at a size that can be read
WIDE = 920.0
_SIZE = 13.0
_LINE = 18.0
_PAD = 11.0
_ARROW = 7.0
_FORWARD = readable(STYLES["forward"].colour, LIGHT.panel)
_REVERSE = readable(STYLES["reverse"].colour, LIGHT.panel)
_COLOURS = {"tangent": _FORWARD, "adjoint": _REVERSE, "its adjoint": _REVERSE}
_CLASSES = {"tangent": "forward", "adjoint": "reverse", "its adjoint": "reverse"}


@dataclass(frozen=True)
class Measures:
    """Sizes of all boxes and labels of a diagram."""

    boxes: tuple[tuple[float, float], ...]
    labels: tuple[tuple[float, float], ...]


def measure(diagram: Diagram) -> Measures:
    """How large boxes and labels must be for their words."""
    return Measures(tuple(map(_box_size, diagram.vertices)), tuple(map(_label_size, diagram.edges)))


def _box_size(vertex: Vertex) -> tuple[float, float]:
    shape = text_width(vertex.shape, 12) + 14 if vertex.shape else 0.0
    widths = [1.1 * text_width(cut(vertex.name, 24), 15) + shape, text_width(cut(_made(vertex)), _SIZE)]
    widths += [text_width(row.label, 12) + 14 + text_width(row.text, _SIZE) for row in vertex.rows]
    label = max((text_width(row.label, 12) for row in vertex.rows), default=0.0)
    widths += [label + 10 + 1.1 * text_width(text, _SIZE) for text in vertex.room]
    return max(104.0, max(widths) + 2 * _PAD), _LINE * (1 + bool(_made(vertex)) + len(vertex.rows)) + 13 + bool(vertex.rows) * 5


def _made(vertex: Vertex) -> str:
    """The second line: the formula, or the operation where there is none."""
    if vertex.formula == vertex.name:  # an element of an array
        return ""
    return vertex.formula or ("" if vertex.kind == "input" else vertex.operation)


def _label_size(edge: Edge) -> tuple[float, float]:
    return (text_width(edge.label, 12) + 8, 17.0) if edge.label else (2.0, 6.0)


def draw(diagram: Diagram, layout: Layout | None = None, wide: float = WIDE) -> str:
    """The diagram as an SVG element that stands alone.

    Parameters
    ----------
    diagram : Diagram
    layout : Layout, optional
    wide : float
        The width to keep to where boxes and edges allow it, if there is no layout yet.

    Returns
    -------
    str

    Examples
    --------
    >>> import dualad
    >>> svg = dualad.explain(lambda x: x * x, 3.0).graph().svg()
    >>> svg.count('class="node'), svg.count('class="edge')
    (2, 2)
    """
    if layout is None:
        sizes = measure(diagram)
        layout = arrange(sizes.boxes, [(edge.tail, edge.head) for edge in diagram.edges], sizes.labels, wide)
    foot = 20.0 * len(diagram.notes)
    whole = max([layout.width, *(text_width(note, 12) + 20 for note in diagram.notes)])
    aside = (whole - layout.width) / 2
    parts = [_edge(edge, route) for edge, route in zip(diagram.edges, layout.routes, strict=True)]
    parts += [_label(edge, box) for edge, box in zip(diagram.edges, layout.labels, strict=True) if edge.label]
    parts += [_node(k, vertex, box) for k, (vertex, box) in enumerate(zip(diagram.vertices, layout.boxes, strict=True))]
    drawn = "".join(parts) if aside < 1 else f'<g transform="translate({num(aside)} 0)">{"".join(parts)}</g>'
    parts = [drawn]
    for k, note in enumerate(diagram.notes):
        y = num(layout.height + 12 + 20 * k)
        parts.append(f'<text class="soft" x="10" y="{y}" fill="{LIGHT.soft}" font-size="12">{escape(note)}</text>')
    w, h = num(whole), num(layout.height + foot)
    name = diagram.name
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="drawing graph" viewBox="0 0 {w} {h}" width="{w}" height="{h}" '
        f'role="img" aria-labelledby="{name}-title {name}-desc" font-family="{FONT}" font-size="{num(_SIZE)}">'
        f'<title id="{name}-title">{escape(diagram.title)}</title><desc id="{name}-desc">{escape(diagram.alt)}</desc>'
        f'<rect class="paper" width="{w}" height="{h}" fill="{LIGHT.paper}"/>{"".join(parts)}</svg>'
    )


def _node(number: int, vertex: Vertex, box: Box) -> str:
    x, y, left, right = box.x, box.y, box.x + _PAD, box.x + box.w - _PAD
    round_corner = 14 if vertex.kind == "input" else 5
    stroke = 2 if vertex.kind == "output" else 1.2
    ink = LIGHT.ink if vertex.kind == "output" else LIGHT.frame
    parts = [f'<g class="node {vertex.kind}" data-node="{number}"><title>{escape(vertex.tip)}</title>']
    if vertex.kind == "lines":  # a pile: several values
        parts.append(
            f'<rect class="box" x="{num(x + 4)}" y="{num(y + 4)}" width="{num(box.w - 2)}" height="{num(box.h - 2)}" '
            f'rx="5" fill="{LIGHT.panel}" stroke="{LIGHT.frame}" stroke-width="1.2"/>'
        )
    fill = LIGHT.panel if vertex.kind == "input" else LIGHT.paper
    parts.append(
        f'<rect class="box" x="{num(x)}" y="{num(y)}" width="{num(box.w)}" height="{num(box.h)}" rx="{round_corner}" '
        f'fill="{fill}" stroke="{ink}" stroke-width="{stroke}"/>'
    )
    y += 19
    parts.append(
        f'<text class="ink" x="{num(left)}" y="{num(y)}" fill="{LIGHT.ink}" font-size="15" font-weight="600">'
        f"{escape(cut(vertex.name, 24))}</text>"
    )
    if vertex.shape:
        parts.append(
            f'<text class="soft" x="{num(right)}" y="{num(y)}" fill="{LIGHT.soft}" font-size="12" text-anchor="end">'
            f"{escape(vertex.shape)}</text>"
        )
    if _made(vertex):
        y += _LINE
        parts.append(f'<text class="ink" x="{num(left)}" y="{num(y)}" fill="{LIGHT.ink}">{escape(cut(_made(vertex)))}</text>')
    if vertex.rows:
        y += 7
        parts.append(f'<path class="rule" d="M{num(box.x)} {num(y)}h{num(box.w)}" stroke="{LIGHT.grid}" fill="none"/>')
        y -= 2
    for row in vertex.rows:
        y += _LINE
        kind, colour = _CLASSES.get(row.label, "ink"), _COLOURS.get(row.label, LIGHT.ink)
        soft, tint = ("soft", LIGHT.soft) if kind == "ink" else (kind, colour)
        parts.append(
            f'<text class="{soft}" x="{num(left)}" y="{num(y)}" fill="{tint}" font-size="12">{escape(row.label)}</text>'
            f'<text class="{kind} number" data-row="{escape(row.label)}" x="{num(right)}" y="{num(y)}" fill="{colour}" '
            f'text-anchor="end">{escape(row.text)}</text>'
        )
    return "".join(parts) + "</g>"


def _edge(edge: Edge, route: Sequence[tuple[float, float]]) -> str:
    (sx, sy), (ex, ey) = route[0], route[-1]
    x, y, path = sx, sy, f"M{num(sx)} {num(sy)}"
    for nx, ny in [*route[1:-1], (ex, ey - _ARROW + 1)]:
        if abs(nx - x) >= 0.05:  # it bends; what is straight down is written as one stretch, however many rows it passes
            middle = (y + ny) / 2
            path += f"V{num(y)}C{num(x)} {num(middle)} {num(nx)} {num(middle)} {num(nx)} {num(ny)}"
            x = nx
        y = ny
    path += f"V{num(y)}"
    return (
        f'<g class="edge" data-edge="{edge.head}-{edge.place}"><title>{escape(edge.tip)}</title>'
        f'<path class="line" d="{path}" fill="none" stroke="{LIGHT.frame}" stroke-width="1.4"/>'
        f'<path class="tip" d="M{num(ex)} {num(ey)}l-3.6 {num(-_ARROW)}h7.2z" fill="{LIGHT.frame}"/>'
        f'<path class="stub" d="M{num(ex)} {num(ey - _ARROW)}V{num(ey)}" fill="none"/>'
        f'<path class="tip up" d="M{num(sx)} {num(sy)}l-3.6 {num(_ARROW)}h7.2z" fill="none"/></g>'
    )


def _label(edge: Edge, box: Box) -> str:
    return (
        f'<g class="label" data-edge="{edge.head}-{edge.place}"><title>{escape(edge.tip)}</title>'
        f'<rect class="paper" x="{num(box.x + 1)}" y="{num(box.y + 0.5)}" width="{num(box.w - 2)}" height="{num(box.h - 1)}" '
        f'rx="4" fill="{LIGHT.paper}"/>'
        f'<text class="soft" x="{num(box.x + box.w / 2)}" y="{num(box.y + 12.7)}" fill="{LIGHT.soft}" font-size="12" '
        f'text-anchor="middle">{escape(edge.label)}</text></g>'
    )

"""Markers and lines as SVG path text: short, with one decimal of a pixel."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from .palette import Style

__all__ = ["Point", "attributes", "escape", "line", "marker", "num", "swatch"]

Point = tuple[float, float]


def num(value: float) -> str:
    """A coordinate.

    Examples
    --------
    >>> from dualad.report.marks import num
    >>> num(12.04), num(-0.01), num(3.55)
    ('12', '0', '3.5')
    """
    text = f"{value:.1f}"
    return "0" if text == "-0.0" else text.removesuffix(".0")


def escape(text: str) -> str:
    """Text as XML has it.

    Examples
    --------
    >>> from dualad.report.marks import escape
    >>> escape('a < b & "c"')
    'a &lt; b &amp; &quot;c&quot;'
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def _polygon(x: float, y: float, radius: float, corners: int, turn: float, inner: float = 1.0) -> str:
    places = []
    for k in range(corners):
        r = radius * (inner if k % 2 else 1.0)
        angle = turn + 2 * math.pi * k / corners
        places.append(f"{num(x + r * math.sin(angle))} {num(y - r * math.cos(angle))}")
    return f"M{'L'.join(places)}z"


def _cross(x: float, y: float, r: float, turn: float) -> str:
    w = r * 0.36
    outline = [(-w, -r), (w, -r), (w, -w), (r, -w), (r, w), (w, w), (w, r), (-w, r), (-w, w), (-r, w), (-r, -w), (-w, -w)]
    cos, sin = math.cos(turn), math.sin(turn)
    return "M" + "L".join(f"{num(x + a * cos - b * sin)} {num(y + a * sin + b * cos)}" for a, b in outline) + "z"


def marker(style: Style, x: float, y: float, r: float) -> str:
    """One marker; it takes colour and filling from the group around it.

    Examples
    --------
    >>> from dualad.report.marks import marker
    >>> from dualad.report.palette import STYLES
    >>> marker(STYLES["reverse"], 10, 10, 4)
    '<path d="M6.4 6.4h7.2v7.2h-7.2z"/>'
    """
    if style.marker == "circle":
        return f'<circle cx="{num(x)}" cy="{num(y)}" r="{num(r)}"/>'
    if style.marker == "square":
        s = r * 0.9
        path = f"M{num(x - s)} {num(y - s)}h{num(2 * s)}v{num(2 * s)}h{num(-2 * s)}z"
    elif style.marker == "diamond":
        d = r * 1.25
        path = f"M{num(x)} {num(y - d)}l{num(d)} {num(d)}l{num(-d)} {num(d)}l{num(-d)} {num(-d)}z"
    elif style.marker == "triangle":
        path = _polygon(x, y + r * 0.1, r * 1.3, 3, 0.0)
    elif style.marker == "down":
        path = _polygon(x, y - r * 0.1, r * 1.3, 3, math.pi)
    elif style.marker == "star":
        path = _polygon(x, y, r * 1.45, 10, 0.0, inner=0.45)
    elif style.marker in ("pentagon", "hexagon"):
        path = _polygon(x, y, r * 1.15, 5 if style.marker == "pentagon" else 6, 0.0)
    else:
        path = _cross(x, y, r * 1.15, math.pi / 4 if style.marker == "cross" else 0.0)
    return f'<path d="{path}"/>'


def line(points: Iterable[Point | None]) -> str:
    """Path through points, broken where there is none.

    Examples
    --------
    >>> from dualad.report.marks import line
    >>> line([(0, 0), (5, 5), None, (9, 9), (10, 10)])
    'M0 0L5 5M9 9L10 10'
    """
    path, pen = "", "M"
    for point in points:
        if point is None:
            pen = "M"
            continue
        path += f"{pen}{num(point[0])} {num(point[1])}"
        pen = "L"
    return path


def staircase(points: Sequence[Point | None]) -> list[Point | None]:
    """Corners of a staircase: each height holds until the next point."""
    corners: list[Point | None] = []
    for point in points:
        if corners and corners[-1] is not None and point is not None:
            corners.append((point[0], corners[-1][1]))
        corners.append(point)
    return corners


def attributes(style: Style, colour: str) -> str:
    """Class and colour of everything drawn in a style; a stylesheet may override the colour."""
    return f'class="k-{style.key}" color="{colour}"'


def swatch(style: Style, colour: str, kind: str = "points") -> str:
    """A small picture of a style for a legend, 28 by 14 pixels.

    Examples
    --------
    >>> from dualad.report.marks import swatch
    >>> from dualad.report.palette import STYLES
    >>> swatch(STYLES["theory"], "#767676", "band").count("<rect")
    1
    """
    return (f'<svg {attributes(style, colour)} viewBox="0 0 28 14" width="28" height="14" aria-hidden="true">'
            f"{swatch_body(style, kind, 0, 0)}</svg>")


def swatch_body(style: Style, kind: str, x: float, y: float) -> str:
    """What is inside a :func:`swatch`, its corner at (x, y)."""
    if kind in ("band", "wedge"):
        look = 'fill="none" stroke="currentColor" stroke-dasharray="4 3"' if kind == "wedge" else (
            'fill="currentColor" fill-opacity=".3"')
        return f'<rect class="{kind}" x="{num(x + 1)}" y="{num(y + 2)}" width="26" height="10" {look}/>'
    middle = y + 7
    body = (f'<path d="M{num(x + 1)} {num(middle)}h26" fill="none" stroke="currentColor" '
            f'stroke-width="{2.2 if kind != "points" else 1.5}"{dashes(style)}/>')
    if kind == "points":
        body += f"<g {filling(style)}>{marker(style, x + 14, middle, 4)}</g>"
    return body


def dashes(style: Style) -> str:
    """Attribute of a dashed line, or nothing."""
    return f' stroke-dasharray="{style.dash}"' if style.dash else ""


def filling(style: Style) -> str:
    """Attributes of a group of markers."""
    return 'class="hollow" fill="#ffffff" stroke="currentColor" stroke-width="1.8"' if style.hollow else 'fill="currentColor"'

"""Heat maps: coloured cells, the line where the value is the neutral one, and the bar that says what a colour means."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..compare.figure import Heat
from .axes import Axis, Tick, plain, tick_text
from .labels import text_width, wrap
from .marks import Point, escape, line, num
from .palette import LIGHT, contrast, diverging, sequential

if TYPE_CHECKING:
    from .svg import Drawing

__all__ = ["axes", "breadth", "cells", "colour", "contour", "depth", "edges", "extent", "neutral", "ticks"]

BAR = 14.0


def edges(places: Sequence[float], scale: str) -> list[float]:
    """Borders of the cells around the places: halfway between neighbours, on the scale.

    Examples
    --------
    >>> from dualad.report.heat import edges
    >>> edges([1.0, 3.0, 5.0], "linear")
    [0.0, 2.0, 4.0, 6.0]
    """
    at = [math.log(p) for p in places] if scale == "log" else list(places)
    if len(at) == 1:
        at = [at[0] - 1, at[0], at[0] + 1]
        borders = [(at[0] + at[1]) / 2, (at[1] + at[2]) / 2]
    else:
        inner = [(a + b) / 2 for a, b in itertools.pairwise(at)]
        borders = [at[0] - (inner[0] - at[0]), *inner, at[-1] + (at[-1] - inner[-1])]
    return [math.exp(b) for b in borders] if scale == "log" else borders


def axes(heat: Heat, xscale: str, yscale: str) -> tuple[Axis, Axis]:
    """Axes that the cells fill to the border."""
    borders = edges(heat.x, xscale), edges(heat.y, yscale)
    return Axis(xscale, borders[0][0], borders[0][-1]), Axis(yscale, borders[1][0], borders[1][-1])


def ticks(d: Drawing, which: str, most: int) -> list[Tick]:
    """Ticks of an axis; under a heat map they stand at the middle of cells."""
    along = d.x if which == "x" else d.y
    if d.figure.heat is None:
        return along.ticks(most)
    places = d.figure.heat.x if which == "x" else d.figure.heat.y
    stride = max(1, math.ceil(len(places) / max(most, 2)))
    return [Tick(p, plain(p)) if 1e-3 <= abs(p) < 1e5 or not p else Tick(p, f"{p:.0e}") for p in places[::stride]]


def extent(heat: Heat) -> tuple[float, float]:
    """Smallest and greatest number of the map.

    Examples
    --------
    >>> from dualad.compare.figure import Heat
    >>> from dualad.report.heat import extent
    >>> extent(Heat((1.0, 2.0), (1.0,), ((-1.0, None),), "z"))
    (-1.0, -1.0)
    """
    numbers = [z for row in heat.z for z in row if z is not None and math.isfinite(z)]
    return (min(numbers), max(numbers)) if numbers else (0.0, 1.0)


def colour(heat: Heat, z: float | None) -> str | None:
    """Colour of a number of the map; None where there is none."""
    if z is None or not math.isfinite(z):
        return None
    low, high = extent(heat)
    if heat.centre is None:
        return sequential((z - low) / (high - low) if high > low else 0.5)
    reach = max(abs(low - heat.centre), abs(high - heat.centre)) or 1.0
    return diverging((z - heat.centre) / reach)


def contour(heat: Heat, level: float, xscale: str = "log", yscale: str = "log") -> list[list[Point]]:
    """The lines along which the map has a value, interpolated between the middles of the cells.

    Parameters
    ----------
    heat : Heat
    level : float
    xscale, yscale : {"log", "linear"}

    Returns
    -------
    list of list of (x, y)
        In the numbers of the axes.

    Examples
    --------
    >>> from dualad.compare.figure import Heat
    >>> from dualad.report.heat import contour
    >>> contour(Heat((0.0, 2.0), (0.0, 1.0), ((-1.0, 1.0), (-1.0, 1.0)), "z"), 0.0, "linear", "linear")
    [[(1.0, 0.0), (1.0, 1.0)]]
    """
    segments: list[tuple[Point, Point]] = []
    for j in range(len(heat.y) - 1):
        for i in range(len(heat.x) - 1):
            corners = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)]
            values = [heat.z[b][a] for a, b in corners]
            cuts = []
            for k in range(4):
                v, w = values[k], values[(k + 1) % 4]
                if v is None or w is None or (v >= level) == (w >= level):
                    continue
                t = (level - v) / (w - v)
                (a, b), (c, e) = corners[k], corners[(k + 1) % 4]
                cuts.append((_between(heat.x[a], heat.x[c], t, xscale), _between(heat.y[b], heat.y[e], t, yscale)))
            segments += [(cuts[k], cuts[k + 1]) for k in range(0, len(cuts) - 1, 2)]
    return _chain(segments)


def _between(a: float, b: float, t: float, scale: str) -> float:
    if a == b:
        return a
    return math.exp((1 - t) * math.log(a) + t * math.log(b)) if scale == "log" else (1 - t) * a + t * b


def _chain(segments: list[tuple[Point, Point]]) -> list[list[Point]]:
    """Segments that share an end become one line."""
    def same(p: Point, q: Point) -> bool:
        return all(math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12) for a, b in zip(p, q, strict=True))

    lines: list[list[Point]] = []
    left = list(segments)
    while left:
        chain = list(left.pop(0))
        grown = True
        while grown:
            grown = False
            for k, (p, q) in enumerate(left):
                for start, end in ((p, q), (q, p)):
                    if same(chain[-1], start):
                        chain.append(end)
                    elif same(chain[0], start):
                        chain.insert(0, end)
                    else:
                        continue
                    left.pop(k)
                    grown = True
                    break
                if grown:
                    break
        lines.append(chain)
    return lines


def breadth(d: Drawing) -> float:
    """Room for the colour bar at the right of the plot (wide drawings)."""
    return 74.0 if d.figure.heat is not None and d.width >= 560 else 0.0


def depth(d: Drawing) -> float:
    """Room for the colour bar below the plot (narrow drawings)."""
    if d.figure.heat is None or d.width >= 560:
        return 0.0
    return 20 + BAR + d.size * (1.5 + 1.3 * len(wrap(d.figure.heat.label, d.size, d.width - d.left)))


def cells(d: Drawing) -> None:
    """Cells, their numbers where they fit, the colour bar."""
    heat = d.figure.heat
    assert heat is not None
    columns = [d.left + (d.x.part(b) or 0.0) * (d.right - d.left) for b in edges(heat.x, d.figure.xscale)]
    rows = [d.bottom - (d.y.part(b) or 0.0) * (d.bottom - d.top) for b in edges(heat.y, d.figure.yscale)]
    small = max(d.size - 2, 11)
    boxes, numbers = [], []
    curves = [[d.point(x, y) for x, y in zip(c.x, c.y, strict=True)] for c in d.figure.curves if c.kind != "band"]
    lines = _neutral_lines(d, heat) + [[point for point in curve if point is not None] for curve in curves]
    fits = min(b - a for a, b in itertools.pairwise(columns)) >= text_width("−88.8", small) + 4
    fits = fits and min(a - b for a, b in itertools.pairwise(rows)) >= small + 4
    for j, line_of in enumerate(heat.z):
        for i, z in enumerate(line_of):
            fill = colour(heat, z)
            if fill is None or z is None:
                continue
            x, y, w, h = columns[i], rows[j + 1], columns[i + 1] - columns[i], rows[j] - rows[j + 1]
            boxes.append(f'<rect x="{num(x)}" y="{num(y)}" width="{num(w + 0.4)}" height="{num(h + 0.4)}" fill="{fill}"/>')
            if fits and not _crossed(lines, x + w / 2, y + h / 2, small):
                ink = "#ffffff" if contrast("#ffffff", fill) > contrast("#1b1d21", fill) else "#1b1d21"
                numbers.append(f'<text x="{num(x + w / 2)}" y="{num(y + h / 2 + small * 0.36)}" fill="{ink}">{_short(z)}</text>')
    d.parts.append(f'<g class="cells" shape-rendering="crispEdges">{"".join(boxes)}</g>')
    if numbers:
        d.parts.append(f'<g class="numbers" font-size="{num(small)}" text-anchor="middle">{"".join(numbers)}</g>')
    _bar(d, heat)


def neutral(d: Drawing) -> None:
    """The line where the value is the neutral one, above cells and bands."""
    heat = d.figure.heat
    for chain in _neutral_lines(d, heat) if heat is not None else ():
        path = line(chain)
        d.parts.append(f'<path d="{path}" fill="none" stroke="#ffffff" stroke-width="5.5" stroke-linecap="round"/>'
                       f'<path d="{path}" fill="none" stroke="#1b1d21" stroke-width="2.4" stroke-linecap="round"/>')


def _neutral_lines(d: Drawing, heat: Heat) -> list[list[Point]]:
    if heat.centre is None or any(c.kind == "line" and "crossover" in f"{c.role} {c.label}" for c in d.figure.curves):
        return []  # the figure brings its own
    chains = contour(heat, heat.centre, d.figure.xscale, d.figure.yscale)
    return [[p for x, y in chain if (p := d.point(x, y)) is not None] for chain in chains]


def _crossed(lines: list[list[Point]], x: float, y: float, size: float) -> bool:
    """Does a line pass through the number at (x, y)?"""
    for chain in lines:
        for (a, b), (c, e) in itertools.pairwise(chain):
            steps = max(1, int(math.hypot(c - a, e - b) / 3))
            for k in range(steps + 1):
                if abs(a + (c - a) * k / steps - x) < 1.5 * size and abs(b + (e - b) * k / steps - y) < 0.8 * size:
                    return True
    return False


def _short(z: float) -> str:
    return f"{z:.1f}".replace("-0.0", "0.0").replace("-", "−") if abs(z) < 100 else plain(round(z))


def _bar(d: Drawing, heat: Heat) -> None:
    low, high = extent(heat)
    if high <= low:
        low, high = low - 0.5, high + 0.5
    scale, steps = Axis("linear", low, high), 32
    upright = d.width >= 560
    small = max(d.size - 1, 11)
    length = (d.bottom - d.top) if upright else (d.right - d.left)
    x0 = d.right + 18 if upright else d.left
    y0 = d.top if upright else d.bottom + 2.2 * d.size + 26 + d.size * 1.3 * len(wrap(heat.label, d.size, d.width - d.left))
    parts = []
    for k in range(steps):
        z = low + (high - low) * (k + 0.5) / steps
        across = num(length / steps + 0.5)
        if upright:
            place = f'x="{num(x0)}" y="{num(y0 + length * (1 - (k + 1) / steps))}" width="{num(BAR)}" height="{across}"'
        else:
            place = f'x="{num(x0 + length * k / steps)}" y="{num(y0)}" width="{across}" height="{num(BAR)}"'
        parts.append(f'<rect {place} fill="{colour(heat, z)}"/>')
    d.parts.append(f'<g class="bar" shape-rendering="crispEdges">{"".join(parts)}</g>')
    numbers = [((scale.part(tick.value) or 0.0) * length, tick_text(tick)) for tick in scale.ticks(7 if upright else 5)]
    if upright:
        d.texts([(x0 + BAR + 6, y0 + length - at + small * 0.36, text) for at, text in numbers], "start", small)
    else:
        d.texts([(x0 + at, y0 + BAR + small * 1.2, text) for at, text in numbers], "middle", small)
    if heat.centre is not None and low < heat.centre < high:
        at = (heat.centre - low) / (high - low) * length
        start, way = ((x0 - 2, y0 + length - at), "h") if upright else ((x0 + at, y0 - 2), "v")
        path = f"M{num(start[0])} {num(start[1])}{way}{num(BAR + 4)}"
        d.parts.append(f'<path d="{path}" stroke="#1b1d21" stroke-width="2.4" fill="none"/>')
    if upright:
        d.text(d.width, d.top - d.size * 0.9, escape(heat.label), anchor="end", kind="soft", colour=LIGHT.soft)
    else:
        for k, words in enumerate(wrap(heat.label, d.size, d.width - d.left)):
            d.text(d.left, d.bottom + 2.2 * d.size + 22 + d.size * 1.3 * (k + 0.5), escape(words), kind="soft", colour=LIGHT.soft)



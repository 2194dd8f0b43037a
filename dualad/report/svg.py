"""Figures as SVG, drawn with nothing but text: frame, bands, heat map, curves, marks, labels, in this order.

    +--------------------------------------------+
    | title                                      |   A Drawing holds the plot's rectangle (left, top, right, bottom),
    | legend, where labels do not do its work    |   both axes, and the rectangles of what is drawn already, so that a
    | y label                                    |   label can look for a free place.
    |      +------------------------+            |
    | tick |          o---o---o     | label      |   Colours are attributes (the file stands alone) that a page overrides
    |      +------------------------+            |   by class: k-<role> for curves, ink, soft, frame, grid for the rest.
    |        tick    x label   tick              |
    +--------------------------------------------+

Words keep their size: a narrow page gets a drawing of its own, not a shrunk one.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from ..compare.figure import Curve, Figure, Mark
from . import heat
from .axes import Axis, Tick, axis, tick_text
from .labels import Box, free_place, spread, text_width, wrap
from .marks import Point, attributes, dashes, escape, filling, line, marker, num, staircase, swatch_body
from .palette import LIGHT, Style, readable, styles

__all__ = ["FONT", "Drawing", "axes", "draw", "shown"]

FONT = "Helvetica Neue,Helvetica,Arial,Liberation Sans,sans-serif"
#: a label stands beside its curve's end if the curve ends in the last part of the axis
_NEAR_THE_END = 0.8
#: annotated points get a ring, unless there are many: then the words are names, as in a graph
_MOST_RINGS = 4


@dataclass
class Drawing:
    """The plot's rectangle, its axes, and what is drawn.

    Parameters
    ----------
    figure : Figure
    width : int
    size : float
        Of the words.
    """

    figure: Figure
    width: int
    size: float
    left: float = 0.0
    top: float = 0.0
    right: float = 0.0
    bottom: float = 0.0
    x: Axis = field(default_factory=lambda: Axis("linear", 0.0, 1.0))
    y: Axis = field(default_factory=lambda: Axis("linear", 0.0, 1.0))
    parts: list[str] = field(default_factory=list)
    lines: list[Box] = field(default_factory=list)  # covered by curves: words avoid it
    words: list[Box] = field(default_factory=list)  # covered by words: words may not cover it

    def point(self, x: float, y: float | None) -> Point | None:
        """Pixels of a point; None if the axes have no place for it."""
        across, up = self.x.part(x), None if y is None else self.y.part(y)
        if across is None or up is None:
            return None
        return self.left + across * (self.right - self.left), self.bottom - up * (self.bottom - self.top)

    def room(self) -> Box:
        """The plot's rectangle."""
        return Box(self.left, self.top, self.right - self.left, self.bottom - self.top)

    def text(self, x: float, y: float, words: str, *, anchor: str = "start", kind: str = "ink", colour: str = LIGHT.ink,
             size: float = 0.0, extra: str = "") -> None:
        """A line of words whose baseline starts (or ends, or is centred) at (x, y)."""
        size = size or self.size
        at = "" if anchor == "start" else f' text-anchor="{anchor}"'
        font = "" if size == self.size else f' font-size="{num(size)}"'
        self.parts.append(f'<text class="{kind}" x="{num(x)}" y="{num(y)}" fill="{colour}"{at}{font}{extra}>{words}</text>')

    def texts(self, places: Sequence[tuple[float, float, str]], anchor: str, size: float) -> None:
        """Short words of one look, such as the numbers along an axis."""
        words = "".join(f'<text x="{num(x)}" y="{num(y)}">{text}</text>' for x, y, text in places)
        self.parts.append(f'<g class="soft" fill="{LIGHT.soft}" font-size="{num(size)}" text-anchor="{anchor}">{words}</g>')

    def free(self, candidates: Sequence[Box]) -> Box | None:
        """The candidate that covers no words and least of the curves; it is taken."""
        wide = [Box(b.x - 2, b.y - 1, b.w + 4, b.h + 2) for b in candidates]
        clear = [b for b in wide if not any(b.overlap(word) for word in self.words)]
        place = free_place(clear, self.lines, self.room(), most=math.inf)
        if place is None:
            return None
        self.words.append(place)
        return Box(place.x + 2, place.y + 1, place.w - 4, place.h - 2)


def draw(figure: Figure, width: int = 860, *, legend: bool = True, title: bool = True) -> str:
    """A figure as an SVG element that stands alone.

    Parameters
    ----------
    figure : Figure
    width : int
        Pixels across; from about 300 up. Words have the same size at every width.
    legend : bool
        Name the curves that no label names. False where the page has a legend of its own.
    title : bool
        Write the title above the plot.

    Returns
    -------
    str

    Examples
    --------
    >>> from dualad.compare.figure import Curve, Figure
    >>> from dualad.report import draw
    >>> curve = Curve("forward", (1.0, 2.0, 4.0), (2.0, 4.0, 8.0), role="forward")
    >>> svg = draw(Figure("cost", "Cost", "n", "operations", "It doubles.", "A rising line.", (curve,)), 400)
    >>> svg.startswith("<svg"), svg.count("<circle")
    (True, 3)
    """
    nameless, d = _compose(figure, width, title, ())
    if legend and nameless:  # what found no place beside its curve gets a legend, and the plot moves down
        _, d = _compose(figure, width, title, nameless)
    height = math.ceil(d.bottom + 2.2 * d.size + 14 + heat.depth(d))
    name = f"{figure.name}-{width}"
    return (f'<svg xmlns="http://www.w3.org/2000/svg" class="drawing" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" role="img" '
            f'aria-labelledby="{name}-title {name}-desc" font-family="{FONT}" font-size="{num(d.size)}">'
            f'<title id="{name}-title">{escape(figure.title)}</title><desc id="{name}-desc">{escape(figure.alt)}</desc>'
            f'<rect class="paper" width="{width}" height="{height}" fill="{LIGHT.paper}"/>{"".join(d.parts)}</svg>')


def _compose(figure: Figure, width: int, title: bool, listed: Collection[int]) -> tuple[list[int], Drawing]:
    """Draw; the curves with these numbers are named in a legend. Returns the numbers of those that no label names."""
    d = Drawing(figure, width, 13.0 if width >= 560 else 12.0)
    d.x, d.y = axes(figure)
    looks = styles((curve.role for curve in figure.curves), on_cells=figure.heat is not None)
    labels = width >= 560 and figure.heat is None and bool(figure.ylabel) and 1 < len(figure.curves) <= 12
    at_end = _labels_at_end(d) if labels else {}
    if title:
        _title(d)
    else:
        d.top = 4.0
    _legend(d, [(figure.curves[i], looks[i]) for i in listed])
    _frame(d, max((text_width(name, d.size) for name in at_end.values()), default=0.0))
    if any(curve.low is not None for curve in figure.curves):
        d.parts.append(f'<clipPath id="{figure.name}-{width}-plot"><rect x="{num(d.left)}" y="{num(d.top)}" '
                       f'width="{num(d.right - d.left)}" height="{num(d.bottom - d.top)}"/></clipPath>')
    if figure.heat is not None:
        heat.cells(d)
    for number, (curve, style) in enumerate(zip(figure.curves, looks, strict=True)):
        if curve.kind == "band":
            _curve(d, number, curve, style)
    _lines_of_marks(d)
    for number, (curve, style) in enumerate(zip(figure.curves, looks, strict=True)):
        if curve.kind != "band":
            _curve(d, number, curve, style)
    if figure.heat is not None:
        heat.neutral(d)
    _end_labels(d, at_end, looks)
    _words_of_marks(d)
    nameless = [i for i in range(len(figure.curves)) if i not in at_end and i not in listed]
    if len(figure.curves) == 1 and figure.heat is None:
        return [], d  # the title names it
    return [i for i in nameless if not (labels and _label_inside(d, i, looks[i]))], d


def shown(figure: Figure, curve: Curve) -> list[int]:
    """Numbers of the points of a curve that get a marker: those that the axes have a place for.

    Examples
    --------
    >>> from dualad.compare.figure import Curve, Figure
    >>> from dualad.report.svg import shown
    >>> curve = Curve("error", (1.0, 2.0, 4.0), (0.0, None, 8.0))
    >>> shown(Figure("errors", "Errors", "n", "error", "", "", (curve,)), curve)
    [2]
    """
    x, y = axes(figure)
    return [k for k, (a, b) in enumerate(zip(curve.x, curve.y, strict=True))
            if b is not None and x.part(a) is not None and y.part(b) is not None]


# ---- frame -----------------------------------------------------------------------------------------------------------


def axes(figure: Figure) -> tuple[Axis, Axis]:
    """Both axes of a figure: they hold its curves, bands, cells and marks.

    Examples
    --------
    >>> from dualad.compare.figure import Curve, Figure
    >>> from dualad.report.svg import axes
    >>> x, y = axes(Figure("cost", "Cost", "n", "operations", "", "", (Curve("f", (1.0, 100.0), (2.0, 4.0)),), yscale="linear"))
    >>> x.low < 1 < 100 < x.high, y.low
    (True, 0.0)
    """
    xs = [x for c in figure.curves for x in c.x]
    ys = [y for c in figure.curves if c.kind != "band" for y in c.y]
    for curve in figure.curves:
        ys += [*(curve.low or ()), *(curve.high or ())]
    if figure.heat is not None:
        return heat.axes(figure.heat, figure.xscale, figure.yscale)
    across, up = [m.x for m in figure.marks], [m.y for m in figure.marks]
    if not figure.ylabel:  # a diagram: places, not amounts
        return axis(figure.xscale, xs, across, pad=0.14, zero=False), axis(figure.yscale, ys, up, pad=0.12, zero=False)
    near_zero = min(xs, default=0.0) <= max(xs, default=0.0) / 3
    return axis(figure.xscale, xs, across, zero=near_zero), axis(figure.yscale, ys, up, pad=0.05)


def _title(d: Drawing) -> None:
    size = d.size + 2
    d.top = 6.0
    for words in wrap(d.figure.title, size, d.width - 8):
        d.top += size * 1.25
        d.text(0, d.top - 4, escape(words), size=size, extra=' font-weight="600"')


def _legend(d: Drawing, entries: Sequence[tuple[Curve, Style]]) -> None:
    if not entries:
        return
    x, d.top = 0.0, d.top + 8
    for curve, style in entries:
        wide = 34 + text_width(curve.label, d.size) + 14
        if x and x + wide > d.width:
            x, d.top = 0.0, d.top + d.size * 1.5
        kind = "wedge" if curve.kind == "band" and d.figure.heat is not None else curve.kind
        body = swatch_body(style, kind, x, d.top + d.size * 0.5 - 5)
        d.parts.append(f'<g {attributes(style, readable(style.colour, LIGHT.paper, 3.0))}>{body}</g>')
        d.text(x + 34, d.top + d.size * 0.86 + 1, escape(curve.label))
        x += wide
    d.top += d.size * 1.5


def _tick_width(tick: Tick, size: float) -> float:
    return text_width(tick.text, size) + text_width(tick.power, size * 0.76)


def _frame(d: Drawing, label_width: float) -> None:
    size, small = d.size, max(d.size - 1, 11)
    height = d.width * (0.5 if d.width >= 560 else 0.74) * (1.1 if d.figure.heat else 1.0)
    y_ticks = heat.ticks(d, "y", round(height / (size * 2.6))) if d.figure.ylabel else []  # an axis without a name has no numbers
    for words in wrap(d.figure.ylabel, size, d.width * 0.62) if d.figure.ylabel else ():
        d.top += size * 1.3
        d.text(0, d.top, escape(words), kind="soft", colour=LIGHT.soft)
    d.top += size * 0.9
    d.left = math.ceil(max((_tick_width(t, small) for t in y_ticks), default=0.0)) + 9
    d.right = d.width - (label_width + 20 if label_width else 12) - heat.breadth(d)
    d.bottom = d.top + height
    widest = max((_tick_width(t, small) for t in heat.ticks(d, "x", 6)), default=20)
    x_ticks = heat.ticks(d, "x", max(2, int((d.right - d.left) / (widest + 22)))) if d.figure.xlabel else []
    inside = d.figure.heat is None
    grid, short = [], []
    for tick in y_ticks:
        y = d.bottom - (d.y.part(tick.value) or 0.0) * (d.bottom - d.top)
        grid.append(f"M{num(d.left)} {num(y)}H{num(d.right)}" if inside else f"M{num(d.left - 4)} {num(y)}h4")
    for tick in x_ticks:
        x = d.left + (d.x.part(tick.value) or 0.0) * (d.right - d.left)
        grid.append(f"M{num(x)} {num(d.top)}V{num(d.bottom)}" if inside else "")
        short.append(f"M{num(x)} {num(d.bottom)}v5")
    for value in d.x.minor(x_ticks) if inside else ():
        short.append(f"M{num(d.left + (d.x.part(value) or 0.0) * (d.right - d.left))} {num(d.bottom)}v3")
    for value in d.y.minor(y_ticks) if inside else ():
        short.append(f"M{num(d.left)} {num(d.bottom - (d.y.part(value) or 0.0) * (d.bottom - d.top))}h-3")
    d.parts.append(f'<path class="grid" d="{"".join(grid)}" stroke="{LIGHT.grid}" fill="none"/>')
    sides = "M{0} {1}V{2}" if d.figure.ylabel else "M{0} {2}"
    sides = sides.format(num(d.left), num(d.top), num(d.bottom)) + (f"H{num(d.right)}" if d.figure.xlabel else "")
    d.parts.append(f'<path class="frame" d="{sides}{"".join(short)}" '
                   f'stroke="{LIGHT.frame}" fill="none"/>')
    rows = [(d.left - 7, d.bottom - (d.y.part(t.value) or 0.0) * (d.bottom - d.top) + small * 0.36, tick_text(t)) for t in y_ticks]
    columns = [(d.left + (d.x.part(t.value) or 0.0) * (d.right - d.left), d.bottom + 8 + small, tick_text(t)) for t in x_ticks]
    d.texts(rows, "end", small)
    d.texts(columns, "middle", small)
    middle = (d.left + d.right) / 2
    d.text(middle, d.bottom + 14 + 2 * size, escape(d.figure.xlabel), anchor="middle", kind="soft", colour=LIGHT.soft)


# ---- curves ----------------------------------------------------------------------------------------------------------


def _curve(d: Drawing, number: int, curve: Curve, style: Style) -> None:
    points = [d.point(x, y) for x, y in zip(curve.x, curve.y, strict=True)]
    body = ""
    if curve.low is not None and curve.high is not None:
        body += _area(d, curve)
    if curve.kind != "band":
        path = staircase(points) if curve.kind == "step" else points
        drawn = line(path)
        if d.figure.heat is not None:
            body += f'<path class="halo" d="{drawn}" fill="none" stroke="#ffffff" stroke-width="4.5"/>'
        body += (f'<path d="{drawn}" fill="none" stroke="currentColor" stroke-width="{1.5 if curve.kind == "points" else 2.2}" '
                 f'stroke-linejoin="round"{dashes(style)}/>')
        d.lines += _covered(path)
    if curve.kind == "points":
        radius = 4.0 if d.width >= 560 else 3.5
        places = [p for p in points if p is not None]
        body += f"<g {filling(style)}>{''.join(marker(style, x, y, radius) for x, y in places)}</g>"
        d.lines += [Box(x - 6, y - 6, 12, 12) for x, y in places]
    colour = LIGHT.frame if curve.kind == "band" and style.key == "theory" else readable(style.colour, LIGHT.paper, 3.0)
    look = attributes(style, colour) if d.figure.heat is None else f'color="{colour}"'  # cells are light in the dark scheme too
    d.parts.append(f'<g data-curve="{number}" {look}>{body}</g>')


def _area(d: Drawing, curve: Curve) -> str:
    """The band between low and high, cut at the axis' ends."""
    floor = d.y.low
    sides: list[list[Point]] = [[], []]
    for side, values in zip(sides, (curve.low, curve.high), strict=True):
        for x, y in zip(curve.x, values or (), strict=True):
            point = d.point(x, y if d.y.part(y) is not None else floor)
            if point is not None:
                side.append((point[0], min(max(point[1], d.top - 2000), d.bottom + 2000)))
    outline = [*sides[0], *reversed(sides[1])]
    if not outline:
        return ""
    clip = f"{d.figure.name}-{d.width}-plot"
    if d.figure.heat is not None:  # the cells are the paper here
        return (f'<path d="{line(outline)}z" fill="#ffffff" fill-opacity=".45" stroke="#1b1d21" stroke-dasharray="4 3" '
                f'clip-path="url(#{clip})"/>')
    opacity = ".28" if curve.kind == "band" else ".2"
    return f'<path class="band" d="{line(outline)}z" fill="currentColor" fill-opacity="{opacity}" clip-path="url(#{clip})"/>'


def _covered(path: Sequence[Point | None]) -> list[Box]:
    """Small boxes along a line."""
    boxes = []
    for a, b in itertools.pairwise(path):
        if a is not None and b is not None:
            dx, dy = b[0] - a[0], b[1] - a[1]
            steps = max(1, int(math.hypot(dx, dy) / 5))
            boxes += [Box(a[0] + dx * k / steps - 2, a[1] + dy * k / steps - 2, 4, 4) for k in range(steps + 1)]
    return boxes


# ---- labels ----------------------------------------------------------------------------------------------------------


def _last(d: Drawing, curve: Curve) -> tuple[float, float] | None:
    """Where a curve ends (parts of the axes): the middle of the last stretch of a band."""
    for k in range(len(curve.x) - 1, -1, -1):
        across = d.x.part(curve.x[k])
        if curve.kind == "band" and curve.low is not None and curve.high is not None:
            ends = [d.y.part(v) for v in (curve.low[k], curve.high[k])]
            up = None if None in ends else sum(min(max(e or 0.0, 0.0), 1.0) for e in ends) / 2
        else:
            y = curve.y[k]
            up = None if y is None else d.y.part(y)
        if across is not None and up is not None:
            return across, up
    return None


def _labels_at_end(d: Drawing) -> dict[int, str]:
    """The curves that are labelled in the right margin: those that end there, if their names are short."""
    named = {}
    for number, curve in enumerate(d.figure.curves):
        end = _last(d, curve)
        if end is not None and end[0] >= _NEAR_THE_END and text_width(curve.label, d.size) <= 0.26 * d.width:
            named[number] = curve.label
    return named


def _end_labels(d: Drawing, names: dict[int, str], looks: Sequence[Style]) -> None:
    numbers = list(names)
    ends = [end for n in numbers if (end := _last(d, d.figure.curves[n])) is not None]
    wanted = [d.bottom - up * (d.bottom - d.top) for _, up in ends]
    heights = spread(wanted, d.size * 1.22, d.top + d.size * 0.4, d.bottom - d.size * 0.2)
    for n, (across, _), y, height in zip(numbers, ends, wanted, heights, strict=True):
        style, x = looks[n], d.left + across * (d.right - d.left)
        start = x + (8 if d.figure.curves[n].kind == "points" else 3)
        leader = f"M{num(start)} {num(y)}L{num(d.right + 9)} {num(height)}"
        ink = LIGHT.soft if style.key == "theory" else readable(style.colour, LIGHT.paper, 4.5)
        body = (f'<path d="{leader}" fill="none" stroke="currentColor" stroke-opacity=".55"/><text class="name" '
                f'x="{num(d.right + 12)}" y="{num(height + d.size * 0.35)}" fill="{ink}">{escape(names[n])}</text>')
        d.parts.append(f'<g data-curve="{n}" {attributes(style, readable(style.colour, LIGHT.paper, 3.0))}>{body}</g>')


def _label_inside(d: Drawing, number: int, style: Style) -> bool:
    """Write the name of a curve that ends within the plot beside its end, if there is room."""
    curve = d.figure.curves[number]
    end = _last(d, curve)
    if end is None or text_width(curve.label, d.size) > 0.3 * d.width:
        return False
    x, y = d.left + end[0] * (d.right - d.left), d.bottom - end[1] * (d.bottom - d.top)
    w, h = text_width(curve.label, d.size), d.size * 1.2
    corners = [(x + 10, y - h / 2), (x - w / 2, y - h - 8), (x - w / 2, y + 8), (x + 8, y - h - 3), (x + 8, y + 3),
               (x - w - 10, y - h / 2)]
    spots = [Box(*corner, w, h) for corner in corners]
    spot = free_place([s for s in spots if not any(s.overlap(word) for word in d.words)], d.lines, d.room())
    if spot is None:
        return False
    d.words.append(spot)
    ink = LIGHT.soft if style.key == "theory" else readable(style.colour, LIGHT.paper, 4.5)
    d.parts.append(f'<g data-curve="{number}" {attributes(style, ink)}><text class="name" x="{num(spot.x)}" '
                   f'y="{num(spot.y + d.size * 0.95)}" fill="{ink}">{escape(curve.label)}</text></g>')
    return True


# ---- marks -----------------------------------------------------------------------------------------------------------


def _lines_of_marks(d: Drawing) -> None:
    for mark in d.figure.marks:
        place = _place_of(d, mark)
        if place is None or (mark.x is not None and mark.y is not None):
            continue
        if mark.y is None:
            path, box = f"M{num(place[0])} {num(d.top)}V{num(d.bottom)}", Box(place[0] - 1, d.top, 2, d.bottom - d.top)
        else:
            path, box = f"M{num(d.left)} {num(place[1])}H{num(d.right)}", Box(d.left, place[1] - 1, d.right - d.left, 2)
        d.parts.append(f'<path class="mark" d="{path}" stroke="{LIGHT.soft}" stroke-dasharray="2 3" fill="none"/>')
        d.lines.append(box)


def _place_of(d: Drawing, mark: Mark) -> Point | None:
    across = 0.0 if mark.x is None else d.x.part(mark.x)
    up = 0.0 if mark.y is None else d.y.part(mark.y)
    if across is None or up is None:
        return None
    return d.left + across * (d.right - d.left), d.bottom - up * (d.bottom - d.top)


def _words_of_marks(d: Drawing) -> None:
    """Each text beside its line or point, where it covers nothing."""
    size = max(d.size - 1, 11)
    rings = sum(mark.x is not None and mark.y is not None for mark in d.figure.marks) <= _MOST_RINGS
    for mark in d.figure.marks:
        place = _place_of(d, mark)
        if place is None:
            continue
        lines = wrap(mark.text, size, 220 + 0.1 * d.width if d.width >= 560 else 0.5 * d.width)
        w, h = max(text_width(words, size) for words in lines), len(lines) * size * 1.2
        x, y = place
        if mark.x is not None and mark.y is not None and rings:
            d.parts.append(f'<circle class="mark" cx="{num(x)}" cy="{num(y)}" r="7" fill="none" stroke="{LIGHT.ink}" '
                           f'stroke-width="1.4"/>')
        spot = d.free(_spots(d, mark, x, y, w, h))
        if spot is None:
            continue
        anchor, at = ("end", spot.x + w) if spot.x + w <= x and mark.x is not None else ("start", spot.x)
        for k, words in enumerate(lines):
            d.text(at, spot.y + size * (0.95 + 1.2 * k), escape(words), anchor=anchor, kind="note", colour=LIGHT.ink, size=size,
                   extra=f' stroke="{LIGHT.paper}" stroke-width="3.5" stroke-linejoin="round" paint-order="stroke"')


def _spots(d: Drawing, mark: Mark, x: float, y: float, w: float, h: float) -> list[Box]:
    """Where the words of a mark may stand, the best places first."""
    tall, wide = (d.bottom - d.top) / 40, (d.right - d.left) / 40
    if mark.x is None:
        return [Box(d.right - w - 4 - k * wide, y - h - 4 if above else y + 4, w, h) for k in range(40) for above in (True, False)]
    if mark.y is None:
        return [Box(x + 6 if after else x - 6 - w, d.top + 4 + k * tall, w, h) for k in range(38) for after in (True, False)]
    spots = []
    for r in (11, 20, 32, 46):
        for angle in (-45, 45, -135, 135, 0, 180, -90, 90):
            c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
            left = x + r * c - (w if c < -0.1 else w / 2 if c < 0.1 else 0)
            spots.append(Box(left, y + r * s - h / 2 + s * h / 2, w, h))
    return spots

"""Figures drawn by matplotlib: one below the other, the style of each curve from the table of `dualad.report`."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from ..compare.figure import Curve, Figure
from ..compare.storage import write_atomically
from ..report.axes import Axis
from ..report.heat import edges
from ..report.palette import LIGHT, MARKERS, Style, diverging, readable, sequential, styles
from ..report.svg import axes

__all__ = ["FORMATS", "save"]

FORMATS = ("png", "svg", "pdf")
MISSING = 'drawing needs matplotlib: pip install "dualad[plot]"'


def _matplotlib() -> tuple[ModuleType, ModuleType]:
    """(matplotlib, its figures), without a window system."""
    try:
        import matplotlib
        import matplotlib.figure
    except ImportError as error:
        raise ImportError(MISSING) from error
    return matplotlib, matplotlib.figure


def save(figures: Figure | Iterable[Figure], path: str | os.PathLike[str]) -> Path:
    """Draw figures, one below the other, to a file.

    Parameters
    ----------
    figures : Figure or iterable of Figure
    path : str or path
        Ends in .png, .svg or .pdf.

    Returns
    -------
    Path

    Raises
    ------
    ImportError
        There is no matplotlib; the message says what to install.
    ValueError
        Another ending, or no figure.
    OSError
        The file cannot be written; nothing is left behind.

    Examples
    --------
    >>> from dualad import plot
    >>> plot.save([], "cost.gif")
    Traceback (most recent call last):
        ...
    ValueError: a picture's name ends in .png, .svg, .pdf, not 'cost.gif'
    """
    target = Path(path)
    kind = target.suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        raise ValueError(f"a picture's name ends in {', '.join('.' + name for name in FORMATS)}, not {target.name!r}")
    chosen = (figures,) if isinstance(figures, Figure) else tuple(figures)
    if not chosen:
        raise ValueError("there is no figure to draw")
    library, module = _matplotlib()
    settings = {
        "font.family": "sans-serif", "font.sans-serif": ["Helvetica Neue", "Helvetica", "Arial", "Liberation Sans", "DejaVu Sans"],
        "font.size": 10, "axes.edgecolor": LIGHT.frame, "axes.labelcolor": LIGHT.soft, "xtick.color": LIGHT.soft,
        "ytick.color": LIGHT.soft, "text.color": LIGHT.ink, "axes.spines.top": False, "axes.spines.right": False,
        "lines.scale_dashes": False, "svg.hashsalt": "dualad", "svg.fonttype": "none", "pdf.fonttype": 42,
    }
    stream = io.BytesIO()
    with library.rc_context(settings):
        sheet = module.Figure(figsize=(8.2, 4.7 * len(chosen)), layout="constrained")
        rows = sheet.subfigures(len(chosen), 1, squeeze=False)[:, 0]  # each with margins of its own
        for row, figure in zip(rows, chosen, strict=True):
            draw(row.subplots(), figure)
        stamp = {"Date": None} if kind == "svg" else {"CreationDate": None} if kind == "pdf" else {}
        sheet.savefig(stream, format=kind, dpi=160, metadata=stamp)  # no date: the same figures give the same file
    return write_atomically(target, stream.getvalue())


def draw(place: Any, figure: Figure) -> None:
    """Draw a figure into matplotlib Axes."""
    x, y = axes(figure)
    place.set_title(figure.title, loc="left", fontweight="bold", fontsize=11)
    place.set_xlabel(figure.xlabel)
    place.set_ylabel(figure.ylabel)
    place.set_xscale(figure.xscale)
    place.set_yscale(figure.yscale)
    place.set_axisbelow(True)
    if figure.heat is not None:
        _cells(place, figure)
    else:
        place.grid(True, color=LIGHT.grid, linewidth=0.8)
    looks = styles((curve.role for curve in figure.curves), on_cells=figure.heat is not None)
    for curve, style in zip(figure.curves, looks, strict=True):
        _curve(place, figure, curve, style)
    rings = sum(mark.x is not None and mark.y is not None for mark in figure.marks) <= 4  # as in the report
    for mark in figure.marks:
        across = None if mark.x is None else x.part(mark.x)
        _mark(place, mark.text, mark.x, mark.y, across is not None and across > 0.6, rings)
    place.set_xlim(x.low, x.high)
    place.set_ylim(y.low, y.high)
    cells = (None, None) if figure.heat is None else (figure.heat.x, figure.heat.y)
    for label, which, along, most, places in ((figure.xlabel, place.xaxis, x, 9, cells[0]),
                                              (figure.ylabel, place.yaxis, y, 8, cells[1])):
        if label:
            _ticks(which, along, most, places)
        else:  # an axis without a name has no numbers
            which.set_visible(False)
            place.spines["left" if which is place.yaxis else "bottom"].set_visible(False)
    if len(figure.curves) > 1 or (figure.heat is not None and figure.curves):
        if figure.heat is None:
            place.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False, borderaxespad=0, fontsize=9)
        else:
            place.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), frameon=False, borderaxespad=0.4, fontsize=9, ncols=3)


def _ticks(which: Any, along: Axis, most: int, places: tuple[float, ...] | None) -> None:
    """The ticks of the report's drawings, so that both pictures read alike."""
    if places is not None:
        stride = max(1, math.ceil(len(places) / most))
        which.set_ticks(list(places[::stride]), [f"{p:g}" for p in places[::stride]])
        which.set_ticks([], minor=True)
        return
    ticks = along.ticks(most)
    power = "$^{{{}}}$"
    which.set_ticks([t.value for t in ticks],
                    [t.text + (power.format(t.power.replace("−", "-")) if t.power else "") for t in ticks])
    which.set_ticks(along.minor(ticks), minor=True)
    which.set_minor_formatter("")


def _curve(place: Any, figure: Figure, curve: Curve, style: Style) -> None:
    colour = LIGHT.frame if curve.kind == "band" and style.key == "theory" else readable(style.colour, LIGHT.paper, 3.0)
    name = curve.label if not curve.label.startswith("_") else f" {curve.label}"  # a leading _ hides from the legend
    if curve.low is not None and curve.high is not None:
        whole = curve.kind == "band"
        if whole and figure.heat is not None:
            place.fill_between(curve.x, curve.low, curve.high, facecolor=(1, 1, 1, 0.45), edgecolor=LIGHT.ink, linestyle="--",
                               label=name)
        else:
            place.fill_between(curve.x, curve.low, curve.high, color=colour, alpha=0.28 if whole else 0.2, linewidth=0,
                               label=name if whole else None)
    if curve.kind == "band":
        return
    y = [math.nan if value is None or (figure.yscale == "log" and value <= 0) else value for value in curve.y]
    dash: Any = (0, tuple(float(part) for part in style.dash.split())) if style.dash else "-"
    look = {"color": colour, "linestyle": dash, "linewidth": 1.3 if curve.kind == "points" else 1.9, "label": name}
    if curve.kind == "points":
        look |= {"marker": MARKERS[style.marker], "markersize": 6, "markeredgewidth": 1.4 if style.hollow else 0.4,
                 "markerfacecolor": LIGHT.paper if style.hollow else colour, "markeredgecolor": colour}
    place.plot(curve.x, y, drawstyle="steps-post" if curve.kind == "step" else "default", **look)


def _cells(place: Any, figure: Figure) -> None:
    from matplotlib.colors import CenteredNorm, LinearSegmentedColormap

    heat = figure.heat
    assert heat is not None
    z = [[math.nan if value is None else value for value in row] for row in heat.z]
    count = 64
    if heat.centre is None:
        colours, norm = [sequential(k / count) for k in range(count + 1)], None
    else:
        colours, norm = [diverging(2 * k / count - 1) for k in range(count + 1)], CenteredNorm(heat.centre)
    scale = LinearSegmentedColormap.from_list("dualad", colours)
    mesh = place.pcolormesh(edges(heat.x, figure.xscale), edges(heat.y, figure.yscale), z, cmap=scale, norm=norm)
    bar = place.figure.colorbar(mesh, ax=place, pad=0.02)
    bar.outline.set_visible(False)
    bar.set_label(heat.label)
    values = [value for row in z for value in row if math.isfinite(value)]
    if heat.centre is not None and len(heat.x) > 1 and len(heat.y) > 1 and min(values) < heat.centre < max(values):
        place.contour(heat.x, heat.y, z, levels=[heat.centre], colors=[LIGHT.ink], linewidths=2)


def _mark(place: Any, text: str, x: float | None, y: float | None, before: bool, ring: bool) -> None:
    """A line or a ring, its words on the left of it (`before`) or on the right."""
    side, way = ("right", -1) if before else ("left", 1)
    halo = {"facecolor": LIGHT.paper, "edgecolor": "none", "alpha": 0.75, "pad": 1}
    if y is None:
        place.axvline(x, color=LIGHT.soft, linestyle=":", linewidth=1.2)
        place.annotate(text, (x, 1), xycoords=("data", "axes fraction"), xytext=(4 * way, -3), textcoords="offset points", va="top",
                       ha=side, fontsize=9, bbox=halo)
    elif x is None:
        place.axhline(y, color=LIGHT.soft, linestyle=":", linewidth=1.2)
        place.annotate(text, (1, y), xycoords=("axes fraction", "data"), xytext=(-4, 3), textcoords="offset points", ha="right",
                       fontsize=9, bbox=halo)
    else:
        if ring:
            place.plot([x], [y], marker="o", markersize=11, markerfacecolor="none", markeredgecolor=LIGHT.ink, linestyle="none")
        place.annotate(text, (x, y), xytext=(9 * way, 7), textcoords="offset points", ha=side, fontsize=9, bbox=halo)

"""Figures and tables as data: what an experiment shows, before anything draws it.

An experiment returns rows; its result turns them into :class:`Table` and :class:`Figure` values. The terminal prints
them, `dualad.report` draws them as SVG in one HTML page, `dualad.plot` through matplotlib. Nothing here knows how.

    Figure
      curves   Curve, Curve ...     lines, markers, bands; the role picks colour, marker and dash in every renderer
      heat     Heat                 one value for each (x, y)
      marks    Mark, Mark ...       a line across, or an annotated point
      caption, alt                  words computed from the data
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Curve", "Figure", "Heat", "Mark", "Table"]

KINDS = ("points", "line", "band", "step")
SCALES = ("log", "linear")


@dataclass(frozen=True)
class Curve:
    """One curve of a figure.

    Parameters
    ----------
    label : str
        Its name in the legend.
    x : tuple of float
    y : tuple of float or None
        None where there is no value: the line breaks there. Ignored for a band.
    role : str
        What it stands for ("forward", "reverse", "differences", "central", "complex", "value", "theory", "binomial",
        "n jvp", "m vjp", "peer 1" ...): picks colour, marker and dash, the same in every figure; "" is the next of the palette.
    kind : {"points", "line", "band", "step"}
        Markers joined by a thin line, a line alone, the area between `low` and `high`, a staircase.
    low, high : tuple of float, optional
        The band around the curve (bootstrap 95 %), or the band itself.

    Examples
    --------
    >>> from dualad.compare.figure import Curve
    >>> Curve("reverse", (1.0, 2.0), (3.0, 3.5), role="reverse").kind
    'points'
    """

    label: str
    x: tuple[float, ...]
    y: tuple[float | None, ...]
    role: str = ""
    kind: str = "points"
    low: tuple[float, ...] | None = None
    high: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind of curve {self.label!r} is {self.kind!r}, not one of {', '.join(KINDS)}")
        lengths = [len(part) for part in (self.x, self.y, self.low, self.high) if part is not None]
        if len(set(lengths)) != 1:
            raise ValueError(f"curve {self.label!r} has parts of different lengths: {lengths}")
        if (self.low is None) != (self.high is None) or (self.kind == "band" and self.low is None):
            raise ValueError(f"curve {self.label!r}: a band takes low and high")


@dataclass(frozen=True)
class Heat:
    """One number for each point of a grid.

    Parameters
    ----------
    x, y : tuple of float
    z : tuple of tuple of float or None
        A row for each y, a number for each x.
    label : str
        What z is.
    centre : float or None
        The number drawn in the neutral colour of a diverging scale; None for a sequential one.

    Examples
    --------
    >>> from dualad.compare.figure import Heat
    >>> Heat((1.0, 2.0), (1.0,), ((0.0, 1.0),), "log2(forward/reverse)").centre
    0.0
    """

    x: tuple[float, ...]
    y: tuple[float, ...]
    z: tuple[tuple[float | None, ...], ...]
    label: str
    centre: float | None = 0.0

    def __post_init__(self) -> None:
        if len(self.z) != len(self.y) or any(len(row) != len(self.x) for row in self.z):
            raise ValueError(f"heat {self.label!r} needs {len(self.y)} rows of {len(self.x)} numbers")


@dataclass(frozen=True)
class Mark:
    """A note in a figure: a vertical line (x alone), a horizontal line (y alone), an annotated point (both).

    Examples
    --------
    >>> from dualad.compare.figure import Mark
    >>> Mark("crossover", x=7.5)
    Mark(text='crossover', x=7.5, y=None)
    """

    text: str
    x: float | None = None
    y: float | None = None

    def __post_init__(self) -> None:
        if self.x is None and self.y is None:
            raise ValueError(f"mark {self.text!r} needs x, y or both")


@dataclass(frozen=True)
class Figure:
    """One picture.

    Parameters
    ----------
    name : str
        Short, of letters, digits and hyphens: part of a file's name.
    title, xlabel, ylabel : str
    caption : str
        "What am I seeing?" in plain words, computed from the data.
    alt : str
        The picture in a sentence, for those who do not see it, computed from the data.
    curves : tuple of Curve
        Drawn in this order.
    heat : Heat, optional
        Drawn below the curves.
    marks : tuple of Mark
    xscale, yscale : {"log", "linear"}

    Examples
    --------
    >>> from dualad.compare.figure import Curve, Figure
    >>> curve = Curve("forward", (1.0, 2.0), (1.0, 2.0), role="forward")
    >>> Figure("cost-n", "Cost", "n", "operations", "Forward grows as n.", "A line.", (curve,)).xscale
    'log'
    """

    name: str
    title: str
    xlabel: str
    ylabel: str
    caption: str
    alt: str
    curves: tuple[Curve, ...] = ()
    heat: Heat | None = None
    marks: tuple[Mark, ...] = ()
    xscale: str = "log"
    yscale: str = "log"

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]*", self.name):
            raise ValueError(f"name of a figure takes letters, digits and hyphens, not {self.name!r}")
        for scale in (self.xscale, self.yscale):
            if scale not in SCALES:
                raise ValueError(f"scale of figure {self.name} is {scale!r}, not one of {', '.join(SCALES)}")


@dataclass(frozen=True)
class Table:
    """A table of raw values: numbers stay numbers, None is an empty cell.

    Parameters
    ----------
    title : str
    header : tuple of str
    rows : tuple of tuple
    caption : str

    Examples
    --------
    >>> from dualad.compare.figure import Table
    >>> Table("Cost", ("n", "operations"), ((1, 20), (2, 44))).rows[1]
    (2, 44)
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    caption: str = ""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.header):
                raise ValueError(f"table {self.title!r} has {len(self.header)} columns and a row of {len(row)} cells")

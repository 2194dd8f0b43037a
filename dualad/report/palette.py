"""Role -> colour, marker and dash: one table for every renderer, so that reverse mode looks the same in all pictures.

The colours are those of Okabe and Ito, which people with any of the common colour blindnesses tell apart; marker and
dash say the same a second time, in grey print too. A colour is moved towards black (towards white in the dark scheme)
until it stands out from the paper: 3 : 1 for lines and markers, 4.5 : 1 for words (WCAG 2.2, 1.4.3 and 1.4.11).

References
----------
M. Okabe & K. Ito, *Color Universal Design*, 2008.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["LIGHT", "MARKERS", "SCHEMES", "STYLES", "Scheme", "Style", "all_styles", "contrast", "diverging", "readable",
           "sequential", "styles"]

BLUE, VERMILION, GREEN, PURPLE = "#0072b2", "#d55e00", "#009e73", "#cc79a7"
ORANGE, SKY, BLACK, GREY = "#e69f00", "#56b4e9", "#1a1a1a", "#767676"
WINE, OLIVE, INDIGO = "#882255", "#7a7a00", "#5b4fb0"  # of P. Tol's sets, for the seventh curve and beyond

#: marker -> what matplotlib calls it; capitals are hollow
MARKERS: Mapping[str, str] = MappingProxyType({
    "circle": "o", "square": "s", "triangle": "^", "down": "v", "diamond": "D", "plus": "P", "cross": "X", "star": "*",
    "pentagon": "p", "hexagon": "h",
})


@dataclass(frozen=True)
class Style:
    """How a role looks.

    Parameters
    ----------
    key : str
        Name of its class in SVG.
    colour : str
        As designed; :func:`readable` fits it to a background.
    marker : str
        One of MARKERS.
    dash : str
        Lengths of line and gap in pixels; "" is a solid line.
    hollow : bool
        The marker is an outline.
    """

    key: str
    colour: str
    marker: str = "circle"
    dash: str = ""
    hollow: bool = False


@dataclass(frozen=True)
class Scheme:
    """Colours of paper and ink.

    Parameters
    ----------
    paper, panel : str
        Background of the page, of tables and buttons.
    ink, soft : str
        Words; words of less weight.
    frame, grid, theory : str
        Axes, grid lines, the band of the theory.
    link : str
    """

    paper: str
    panel: str
    ink: str
    soft: str
    frame: str
    grid: str
    theory: str
    link: str


SCHEMES: Mapping[str, Scheme] = MappingProxyType({
    "light": Scheme("#ffffff", "#f4f5f7", "#1b1d21", "#555a63", "#82868e", "#e4e6ea", "#d3d5da", "#0b5cad"),
    "dark": Scheme("#14161a", "#1f2329", "#e8eaed", "#a9afb9", "#757b85", "#2a2e35", "#3f444d", "#7fb6ff"),
})

LIGHT = SCHEMES["light"]

STYLES: Mapping[str, Style] = MappingProxyType({
    "forward": Style("forward", BLUE, "circle"),
    "reverse": Style("reverse", VERMILION, "square"),
    "differences": Style("differences", GREEN, "triangle", "7 3"),
    "central": Style("central", PURPLE, "diamond", "7 3"),
    "complex": Style("complex", ORANGE, "down", "2 3"),
    "n jvp": Style("n-jvp", SKY, "circle", "5 3", hollow=True),
    "m vjp": Style("m-vjp", WINE, "square", "5 3", hollow=True),
    "chunks": Style("chunks", SKY, "diamond", "", hollow=True),
    "value": Style("value", BLACK, "plus", "1 3"),
    "theory": Style("theory", GREY, "circle", "6 4", hollow=True),
    "binomial": Style("binomial", GREEN, "diamond"),
    "peer 1": Style("peer-1", PURPLE, "cross", "3 2"),
    "peer 2": Style("peer-2", OLIVE, "star", "3 2"),
    "peer 3": Style("peer-3", INDIGO, "pentagon", "3 2"),
    "peer 4": Style("peer-4", GREEN, "hexagon", "3 2"),
    "peer 5": Style("peer-5", WINE, "triangle", "3 2", hollow=True),
    "peer 6": Style("peer-6", ORANGE, "diamond", "3 2", hollow=True),
    "peer 7": Style("peer-7", SKY, "down", "3 2", hollow=True),
})

#: styles of curves without a role of their own, in this order
_FREE = (
    Style("free-1", BLUE, "circle"), Style("free-2", VERMILION, "square"), Style("free-3", GREEN, "triangle"),
    Style("free-4", PURPLE, "diamond"), Style("free-5", ORANGE, "down"), Style("free-6", INDIGO, "cross"),
    Style("free-7", OLIVE, "star"), Style("free-8", BLACK, "plus"), Style("free-9", SKY, "pentagon"),
    Style("free-10", WINE, "hexagon"),
)

#: a curve on a heat map; the bold line of the neutral value is solid
_ON_CELLS = Style("cells", BLACK, "plus", "7 3")


def styles(roles: Iterable[str], *, on_cells: bool = False) -> tuple[Style, ...]:
    """Styles of the curves of one figure: a known role has its own, any other takes the next free colour.

    Parameters
    ----------
    roles : iterable of str
    on_cells : bool
        The curves lie on a heat map: those without a role are black.

    Returns
    -------
    tuple of Style
        Equal roles (other than "") get equal styles.

    Examples
    --------
    >>> from dualad.report.palette import styles
    >>> [(s.colour, s.marker) for s in styles(["reverse", ""])]
    [('#d55e00', 'square'), ('#0072b2', 'circle')]
    """
    wanted = list(roles)
    taken = {STYLES[role].colour for role in wanted if role in STYLES}
    free = sorted(_FREE, key=lambda style: style.colour in taken)  # stable: first the colours that the figure does not have
    if on_cells:
        free = [_ON_CELLS]
    chosen: dict[str, Style] = {}
    result = []
    used = 0
    for role in wanted:
        if role in STYLES:
            result.append(STYLES[role])
        elif role and role in chosen:
            result.append(chosen[role])
        else:
            result.append(free[used % len(free)])
            chosen[role] = result[-1]
            used += 1
    return tuple(result)


def all_styles() -> tuple[Style, ...]:
    """Every style there is, for a stylesheet."""
    return (*STYLES.values(), *_FREE, _ON_CELLS)


# ---- contrast --------------------------------------------------------------------------------------------------------


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (part / 255 for part in _channels(colour))]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2.2).

    Examples
    --------
    >>> from dualad.report.palette import contrast
    >>> round(contrast("#000000", "#ffffff"), 1)
    21.0
    """
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _mix(one: str, other: str, part: float) -> str:
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in zip(_channels(one), _channels(other), strict=True))


def readable(colour: str, background: str, ratio: float = 4.5) -> str:
    """The nearest shade of a colour that has the contrast on a background.

    Parameters
    ----------
    colour, background : str
        As "#rrggbb".
    ratio : float
        3 for lines and markers, 4.5 for words.

    Examples
    --------
    >>> from dualad.report.palette import contrast, readable
    >>> readable("#0072b2", "#ffffff")
    '#0072b2'
    >>> contrast(readable("#e69f00", "#ffffff"), "#ffffff") >= 4.5
    True
    """
    end = "#000000" if _luminance(background) > 0.18 else "#ffffff"
    for step in range(101):
        shade = _mix(colour, end, step / 100)
        if contrast(shade, background) >= ratio:
            return shade
    return end


# ---- colour scales of heat maps --------------------------------------------------------------------------------------

#: blue below the centre, orange above it; lightness alone tells how far (after ColorBrewer's PuOr and RdBu)
_BELOW = ("#f6f5f2", "#c9dcec", "#8fbbdc", "#4a90c2", "#0f639f", "#083a66")
_ABOVE = ("#f6f5f2", "#f8dcbd", "#f2b377", "#df7f2e", "#b5530a", "#6f2f04")
_RISING = ("#f7f6f0", "#d7e4d3", "#a4cbb5", "#61a99b", "#2f7f83", "#175264", "#0d2b40")


def _along(stops: tuple[str, ...], part: float) -> str:
    position = min(max(part, 0.0), 1.0) * (len(stops) - 1)
    first = min(int(position), len(stops) - 2)
    return _mix(stops[first], stops[first + 1], position - first)


def diverging(part: float) -> str:
    """Colour of a number from -1 (blue) over 0 (nearly white) to 1 (orange).

    Examples
    --------
    >>> from dualad.report.palette import diverging
    >>> diverging(0.0), diverging(-1.0), diverging(1.0)
    ('#f6f5f2', '#083a66', '#6f2f04')
    """
    return _along(_ABOVE, part) if part >= 0 else _along(_BELOW, -part)


def sequential(part: float) -> str:
    """Colour of a number from 0 (light) to 1 (dark).

    Examples
    --------
    >>> from dualad.report.palette import sequential
    >>> sequential(0.0), sequential(1.0)
    ('#f7f6f0', '#0d2b40')
    """
    return _along(_RISING, part)

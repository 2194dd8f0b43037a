"""How results print: tables, sparklines of their figures, and what they show in words."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence

from .figure import Figure, Table
from .result import Outputs, Result

__all__ = ["cell", "render", "sparkline", "table"]

BARS, ASCII_BARS = "▁▂▃▄▅▆▇█", "_.-:=+*#"
WIDTH = 100


def sparkline(values: Sequence[float | None], low: float, high: float, ascii_only: bool = False, *, log: bool = True) -> str:
    """One character a value, its height (by the logarithm) between `low` and `high`; a blank where there is none.

    Examples
    --------
    >>> from dualad.compare.terminal import sparkline
    >>> sparkline([1.0, 10.0, None, 100.0], 1.0, 100.0)
    '▁▅ █'
    >>> sparkline([1.0, 10.0, None, 100.0], 1.0, 100.0, ascii_only=True)
    '_= #'
    """
    bars = ASCII_BARS if ascii_only else BARS
    scale = math.log if log else float
    span = scale(high) - scale(low) if high > low and (low > 0 or not log) else 0.0
    marks = []
    for value in values:
        if value is None or not math.isfinite(value) or (log and value <= 0):
            marks.append(" ")
            continue
        height = (scale(value) - scale(low)) / span if span else 0.0
        marks.append(bars[min(len(bars) - 1, max(0, int(height * (len(bars) - 1) + 0.5)))])
    return "".join(marks)


def cell(value: object) -> str:
    """A value of a table as text: integers whole, other numbers to three or four digits, "-" for none.

    Examples
    --------
    >>> from dualad.compare.terminal import cell
    >>> [cell(value) for value in (12, 2.0, 123.4, 3.2e-9, None, True, "text")]
    ['12', '2.00', '123.4', '3.2e-09', '-', 'yes', 'text']
    """
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, float):
        return str(value)
    size = abs(value)
    if not math.isfinite(value):
        return str(value)
    if size and (size < 0.01 or size >= 1e7):
        return f"{value:.2g}" if size < 1 else f"{value:.3g}"
    return f"{value:.2f}" if size < 100 else f"{value:.1f}" if size < 1000 else f"{value:.0f}"


def table(header: Sequence[str], rows: Sequence[Sequence[str]], left: Sequence[bool] = ()) -> str:
    """Columns aligned to the right, those marked in `left` to the left.

    Examples
    --------
    >>> from dualad.compare.terminal import table
    >>> print(table(["n", "cost"], [["1", "2.5"], ["16", "20"]]))
     n  cost
     1   2.5
    16    20
    """
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    sides = left or [False] * len(widths)
    lines = []
    for line in (header, *rows):
        cells = zip(line, widths, sides, strict=True)
        lines.append("  ".join(text.ljust(width) if side else text.rjust(width) for text, width, side in cells).rstrip())
    return "\n".join(lines)


def _table(data: Table) -> list[str]:
    rows = [[cell(value) for value in row] for row in data.rows]
    columns = list(zip(*data.rows, strict=True)) or [()] * len(data.header)
    left = [all(isinstance(value, str | None) for value in column) for column in columns]
    return [data.title, table(data.header, rows, left), *([data.caption] if data.caption else []), ""]


def _sparklines(figure: Figure, ascii_only: bool) -> list[str]:
    if not figure.ylabel:  # a diagram: its heights mean nothing
        return []
    curves = [curve for curve in figure.curves if curve.kind != "band"]
    log = figure.yscale == "log"
    every = [y for curve in curves for y in curve.y if y is not None and math.isfinite(y) and (y > 0 or not log)]
    if not every:
        return []
    width = max(len(curve.label) for curve in curves)
    lines = [f"{figure.title}: {figure.ylabel}, {cell(float(min(every)))} to {cell(float(max(every)))}, against {figure.xlabel}"]
    for curve in curves:
        line = sparkline(curve.y, min(every), max(every), ascii_only, log=log)
        lines.append(f"  {curve.label.ljust(width)}  {line}".rstrip())
    return [*lines, ""]


def _text(result: Result, ascii_only: bool) -> str:
    lines = [result.title, "=" * min(len(result.title), WIDTH), ""]
    for data in result.tables():
        lines += _table(data)
    for figure in result.figures():
        lines += _sparklines(figure, ascii_only)
    lines += [*result.reading(), *(f"Left out: {note}." for note in result.notes)]
    return "\n".join(lines)


def render(result: Outputs, ascii_only: bool | None = None) -> str:
    """The text of a result or report.

    Parameters
    ----------
    result : Result or Report
    ascii_only : bool, optional
        Sparklines in ASCII; by default where standard output cannot carry the bars.
    """
    if ascii_only is None:
        ascii_only = not _carries_bars()
    lines = ["\n\n".join(_text(part, ascii_only) for part in result.results())]
    environment = next((part.environment for part in result.results() if part.environment), {})
    if environment:
        lines += ["", *(f"{name}: {value}" for name, value in environment.items() if value is not None)]
    return "\n".join(lines)


def _carries_bars() -> bool:
    try:
        BARS.encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True

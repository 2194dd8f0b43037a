"""How results print: tables, sparklines, and what they show in words."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence

from .methods import METHODS
from .result import Crossover, Report, Result, Row

__all__ = ["render", "sparkline", "table"]

BARS, ASCII_BARS = "▁▂▃▄▅▆▇█", "_.-:=+*#"
_WEDGES = {"separate": (1.44, 1.6), "together": (1.8, 2.0)}


def sparkline(values: Sequence[float | None], low: float, high: float, ascii_only: bool = False) -> str:
    """One character a value, its height by the logarithm between `low` and `high`; a blank where there is none.

    Examples
    --------
    >>> from dualad.compare.terminal import sparkline
    >>> sparkline([1.0, 10.0, None, 100.0], 1.0, 100.0)
    '▁▅ █'
    >>> sparkline([1.0, 10.0, None, 100.0], 1.0, 100.0, ascii_only=True)
    '_= #'
    """
    bars = ASCII_BARS if ascii_only else BARS
    span = math.log(high / low) if high > low > 0 else 0.0
    marks = []
    for value in values:
        if not value:
            marks.append(" ")
            continue
        height = math.log(value / low) / span if span else 0.0
        marks.append(bars[min(len(bars) - 1, max(0, int(height * (len(bars) - 1) + 0.5)))])
    return "".join(marks)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns aligned to the right.

    Examples
    --------
    >>> from dualad.compare.terminal import table
    >>> print(table(["n", "cost"], [["1", "2.5"], ["16", "20"]]))
     n  cost
     1   2.5
    16    20
    """
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in (header, *rows))


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.2f}" if value < 100 else f"{value:.1f}" if value < 1000 else f"{value:.0f}"


def _methods(rows: Sequence[Row], measured: bool) -> list[str]:
    return [name for name in METHODS if any(row.relative(name, measured) is not None for row in rows)]


def _block(result: Result, measured: bool, ascii_only: bool) -> list[str]:
    names = _methods(result.rows, measured)
    lines = []
    if measured:
        header = ["n", "m", "value us", "again", *names]
        cells = [[str(row.n), str(row.m), f"{row.seconds['value'] * 1e6:.1f}", _number(row.relative("again", True)),
                  *(_number(row.relative(name, True)) for name in names)] for row in result.rows if row.seconds]
    else:
        header = ["n", "m", "value", "tangent", "adjoint", *names]
        cells = []
        for row in result.rows:
            one = row.value.value(row.weights)
            tangent, adjoint = row.active.tangent(row.weights), row.active.gradient(row.weights)
            base = row.active.value(row.weights)
            cells.append([str(row.n), str(row.m), f"{one:.0f}", _number(tangent / base if base else None),
                          _number(adjoint / base if base else None), *(_number(row.relative(name)) for name in names)])
    lines.append(table(header, cells))
    lines.append("")
    every = [c for name in names for c in result.series(name, measured) if c]
    width = max(map(len, names), default=0)
    for name in names:
        slope = result.slope(name, measured)
        grows = "" if slope is None else f"  grows as {result.vary}^{slope + 0.0:.2f}".replace("^-0.00", "^0.00")
        line = sparkline(result.series(name, measured), min(every), max(every), ascii_only)
        lines.append(f"  {name.ljust(width)}  {line}{grows}  ({METHODS[name].summary})")
    return lines


def _where(crossover: Crossover, vary: str, sizes: Sequence[int]) -> str:
    """A crossover in words."""
    if not crossover.cheaper_before:
        return "there is nothing to compare"
    if crossover.at is None:
        span = f"at {vary} = {sizes[0]}" if len(sizes) == 1 else f"at every {vary} from {sizes[0]} to {sizes[-1]}"
        return f"{crossover.cheaper_before} is cheaper {span}: no crossover here"
    return (f"forward and reverse cost the same at {vary} = {crossover.at:.3g} (n/m = {crossover.ratio:.2f}); "
            f"below it {crossover.cheaper_before} is cheaper, above it {crossover.cheaper_after}")


def _words(result: Result) -> list[str]:
    sizes = result.sizes()
    last = result.rows[-1]
    low, high = _WEDGES["together"]
    counted = result.crossover()
    lines = [f"Counted: {_where(counted, result.vary, sizes)}.",
             f"  Theory: {low:g} <= n/m <= {high:g} when tangents share a run and adjoints a recording "
             f"({last.active.break_even(last.weights):.2f} for these operations), "
             f"{_WEDGES['separate'][0]:g} to {_WEDGES['separate'][1]:g} with a run for each "
             f"({last.active.break_even(last.weights, separate=True):.2f} here)."]
    if result.timed:
        measured = result.crossover(True)
        lines.append(f"Measured: {_where(measured, result.vary, sizes)}.")
        if measured.at is not None and counted.at is not None:
            factor = measured.at / counted.at
            lines.append(f"  The clock's crossover lies at {factor:.2g} times the counted one: that gap is overhead (the cost of "
                         "running Python, which all tangents of one run share), not arithmetic.")
        elif measured.at is None and counted.at is not None:
            lines.append("  The count has a crossover in this range, the clock has none: the fixed cost of running Python "
                         "outweighs the arithmetic at these sizes.")
    for clocked in (False, True) if result.timed else (False,):
        alone = result.crossover(clocked, separate=True)
        if alone.at is not None:
            lines.append(f"A run for each tangent against a recording for each adjoint, {'measured' if clocked else 'counted'}: "
                         f"they cross at {result.vary} = {alone.at:.3g} (n/m = {alone.ratio:.2f}).")
    lines.append(_seen(result, last))
    return lines


def _seen(result: Result, last: Row) -> str:
    """What am I seeing?"""
    by = "measured" if result.timed else "counted"
    forward, reverse = (result.slope(name, result.timed) for name in ("forward", "reverse"))
    if forward is None or reverse is None:
        growth = "One size shows a price, not a growth."
    else:
        growth = (f"In units of one value of f, {by}, forward grows as {result.vary}^{forward:.2f} and reverse as "
                  f"{result.vary}^{reverse + 0.0:.2f}: one pays for inputs, the other for outputs.").replace("^-0.00", "^0.00")
    exact = min(("forward", "reverse"), key=lambda name: last.counted[name])
    cost = last.relative(exact)
    runs = last.runs.get("differ.")
    differences = ("" if runs is None or cost is None else
                   f" At the last size differences run f {runs} times and keep about 8 digits; {exact} is exact and counts as "
                   f"{_number(cost)} values of f.")
    return f"What you see: {growth}{differences}"


def _text(result: Result, ascii_only: bool) -> str:
    lines = [result.title, "=" * min(len(result.title), 100), "",
             f"Counted: operations of the whole Jacobian / operations of one value of f (weights: {result.rows[0].weights})"]
    lines += [*_block(result, False, ascii_only), ""]
    if result.timed:
        lines.append("Measured: time of the whole Jacobian / time of one value of f (again: f once more, the noise)")
        lines += [*_block(result, True, ascii_only), ""]
    lines += _words(result)
    lines += [f"Left out: {note}." for note in result.notes]
    return "\n".join(lines)


def render(result: Result | Report, ascii_only: bool | None = None) -> str:
    """The text of a result or report.

    Parameters
    ----------
    result : Result or Report
    ascii_only : bool, optional
        Sparklines in ASCII; by default where standard output cannot carry the bars.
    """
    if ascii_only is None:
        ascii_only = not _carries_bars()
    parts = result.parts if isinstance(result, Report) else (result,)
    lines = ["\n\n".join(_text(part, ascii_only) for part in parts)]
    environment = parts[0].environment
    if environment:
        lines += ["", *(f"{name}: {value}" for name, value in environment.items())]
    return "\n".join(lines)


def _carries_bars() -> bool:
    try:
        BARS.encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True

"""A saved run of pytest-benchmark as a result: tables and pictures of ratio against target, row by row.

Read is what the benches leave in ``extra_info`` (times of pytest-benchmark itself are not used: the ratio is measured with the
plain function and the derivative taking turns). Necessary are `row`, `case` and `ratio`; the rest is shown where it is there::

    row, case      row of the table of targets, and which of its workloads
    ratio, target  time of the derivative / time of the plain function, and what it should be at most (unit "x"; or another unit)
    place          of the row in the table, if the benches ran in another order
    n, m           numbers of inputs and outputs
    operations     of one value, counted on the tape and weighed (dualad.cost)
    bound          what the cost model allows the derivative, in units of one value
    tape_bytes     of one recording
    noise          the plain function against itself
    hand           ratio of the derivative written by hand
    peers, left_out   other libraries: name -> ratio, name -> why there is none
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .figure import Curve, Figure, Mark, Table
from .peers import PEERS
from .result import Result

__all__ = ["Bench", "BenchmarkResult", "from_pytest_benchmark"]

#: workloads in one picture
LINES = 14
#: misses that are said in words; the table has all
WORST = 5


@dataclass(frozen=True)
class Bench:
    """One bench of a saved run.

    Parameters
    ----------
    group, case : str
        Row of the targets; workload.
    ratio : float
        Derivative / plain function, or the figure itself where `unit` is not "x".
    target : float or None
        At most this.
    unit : str
    n, m : int or None
        Inputs, outputs.
    operations, bound : float or None
        Counted operations of one value; what the derivative may cost by the model, in values.
    tape_bytes : int or None
    noise : float or None
        The plain function / itself.
    low, high : float or None
        95 % band of the ratio.
    plain_us : float or None
        Microseconds of the plain function.
    hand : float or None
        Ratio of the derivative by hand.
    peers : mapping of str to float
        Ratios of other libraries.
    left_out : mapping of str to str
        Why others have none.
    """

    group: str
    case: str
    ratio: float
    target: float | None = None
    unit: str = "x"
    n: int | None = None
    m: int | None = None
    operations: float | None = None
    bound: float | None = None
    tape_bytes: int | None = None
    noise: float | None = None
    low: float | None = None
    high: float | None = None
    plain_us: float | None = None
    hand: float | None = None
    peers: Mapping[str, float] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def met(self) -> bool | None:
        """Is the figure at most its target?"""
        return None if self.target is None else self.ratio <= self.target


@dataclass(frozen=True)
class BenchmarkResult(Result, name="benchmarks", rows=(Bench,)):
    """A saved run of the benches.

    Examples
    --------
    >>> from dualad import compare
    >>> info = {"row": "small arrays", "case": "mlp(16)", "ratio": 0.5, "target": 1.0}
    >>> r = compare.from_pytest_benchmark({"benchmarks": [{"name": "test_mlp", "extra_info": info}]})
    >>> r.rows[0].met, r.groups()
    (True, {'small arrays': (0,)})
    """

    def groups(self) -> dict[str, tuple[int, ...]]:
        """Row of the targets to the places of its benches in `rows`."""
        found: dict[str, tuple[int, ...]] = {}
        for place, bench in enumerate(self.rows):
            found[bench.group] = (*found.get(bench.group, ()), place)
        return found

    def peers(self) -> list[str]:
        """The other libraries that ran at least once, those the comparison knows first."""
        ran = dict.fromkeys(name for bench in self.rows for name in bench.peers)
        return [*(name for name in PEERS if name in ran), *(name for name in ran if name not in PEERS)]

    # ---- tables --------------------------------------------------------------------------------------------------------

    def tables(self) -> tuple[Table, ...]:
        ordered = [self.rows[place] for places in self.groups().values() for place in places]
        targets = Table(
            "Targets: time of the derivative / time of the plain function",
            ("row", "case", "measured", "target", "unit", "met", "by hand", "plain us", "noise"),
            tuple((b.group, b.case, b.ratio, b.target, "" if b.unit == "x" else b.unit, b.met, b.hand, b.plain_us, b.noise)
                  for b in ordered),
            "measured: median over interleaved rounds (other units: the figure itself); by hand: the derivative written out in the "
            "plain language; noise: the plain function timed against itself.")
        counted = [b for b in ordered if b.operations]
        tables = [targets]
        if counted:
            tables.append(Table(
                "Counted: operations of one value, what the derivative may cost, the tape of one recording",
                ("row", "case", "n", "m", "operations", "bound", "measured", "tape bytes"),
                tuple((b.group, b.case, b.n, b.m, b.operations, b.bound, b.ratio if b.unit == "x" else None, b.tape_bytes)
                      for b in counted),
                "operations: weighed by the cost model; bound: operations of value and derivative / operations of the value."))
        names = self.peers()
        beside = [b for b in ordered if b.peers]
        if beside:
            tables.append(Table(
                "Other libraries: time of the derivative / time of the plain function",
                ("row", "case", "dualad", "by hand", *names),
                tuple((b.group, b.case, b.ratio, b.hand, *(b.peers.get(name) for name in names)) for b in beside),
                "On the same source; every answer was checked before it was timed; tracing and compiling are not timed."))
        return tuple(tables)

    # ---- figures -------------------------------------------------------------------------------------------------------

    def figures(self) -> tuple[Figure, ...]:
        overview = self._overview()
        sheets = (self._sheet(number, rows) for number, rows in enumerate(self._sheets(), 1))
        return (*((overview,) if overview else ()), *sheets)

    def _overview(self) -> Figure | None:
        """Every row of the targets on one line: measured / target."""
        lines = {row: shares for row, places in self.groups().items()
                 if (shares := [b.ratio / b.target for place in places if (b := self.rows[place]).target and b.ratio > 0])}
        if not lines:
            return None
        height = {row: float(len(lines) - place) for place, row in enumerate(lines)}
        points = [(share, height[row]) for row, shares in lines.items() for share in shares]
        met = [point for point in points if point[0] <= 1.0]
        worst = max(lines, key=lambda row: max(lines[row]))
        curves = (_dots("meets its target", met, "forward"), _dots("misses it", [p for p in points if p[0] > 1.0], "reverse"))
        return Figure(
            "benchmarks-targets", "Measured against target, by row", "measured / target", "",
            f"Every point is a workload; left of the line it meets its target. {len(met)} of {len(points)} do. The farthest off is "
            f"in \"{worst}\", at {max(lines[worst]):.2g} times its target.",
            f"Measured divided by target for {len(points)} workloads in {len(lines)} rows: from {min(points)[0]:.2g} to "
            f"{max(points)[0]:.2g}, {len(met)} at most 1.",
            (_upright("target", 1.0, len(lines)), *(curve for curve in curves if curve.x)), None,
            _names(list(lines), [share for share, _ in points]), "log", "linear")

    def _sheets(self) -> list[dict[str, list[Bench]]]:
        """The timed benches by row, as many rows to a picture as it has lines for."""
        sheets: list[dict[str, list[Bench]]] = []
        for row, places in self.groups().items():
            benches = [b for place in places if (b := self.rows[place]).unit == "x" and b.ratio > 0]
            if not benches:
                continue
            if not sheets or sum(map(len, sheets[-1].values())) + len(benches) > LINES:
                sheets.append({})
            sheets[-1][row] = benches
        return sheets

    def _sheet(self, number: int, rows: Mapping[str, Sequence[Bench]]) -> Figure:
        """Some rows, a line a workload: its ratio, its target, the derivative by hand, other libraries."""
        benches = [b for row in rows.values() for b in row]
        lines = [(b, float(len(benches) - place)) for place, b in enumerate(benches)]
        names = [name for name in self.peers() if any(name in b.peers for b in benches)]
        curves = [
            _upright("plain function", 1.0, len(benches)),
            _dots("target", [(b.target, y) for b, y in lines if b.target], "theory"),
            _dots("by hand", [(b.hand, y) for b, y in lines if b.hand], "value"),
            *(_dots(name, [(b.peers[name], y) for b, y in lines if b.peers.get(name)], _role(name, names)) for name in names),
            _dots("dualad", [(b.ratio, y) for b, y in lines], "forward"),
        ]
        said = "; ".join(f"{b.case} {b.ratio:.3g}" + (f" (target {b.target:g})" if b.target else "") for b in benches)
        others = [(cost / b.ratio, name, b.case) for b in benches for name, cost in b.peers.items() if cost > 0]
        caption = f"A line a workload; farther left is faster, 1 is the plain function itself. dualad: {said}."
        if others:
            near, name, case = min(others)
            caption += (f" Of the others {name} does best: on {case} it takes {near:.2g} of dualad's time." if near < 1 else
                        f" The nearest of the others is {name}, on {case}: {near:.3g} times dualad's time.")
        return Figure(
            f"benchmarks-{number}", "; ".join(rows), "time of the derivative / time of the plain function", "", caption,
            f"{'; '.join(rows)}: {said}.", tuple(curve for curve in curves if curve.x), None,
            _names([_line(b) for b in benches], [x for curve in curves for x in curve.x]), "log", "linear")

    # ---- words ---------------------------------------------------------------------------------------------------------

    def reading(self) -> tuple[str, ...]:
        judged = [b for b in self.rows if b.met is not None]
        lines = []
        if judged:
            missed = sorted((b for b in judged if not b.met), key=lambda b: b.ratio / (b.target or 1.0), reverse=True)
            worst = "; ".join(map(_missed, missed[:WORST])) + (f"; and {len(missed) - WORST} more" if len(missed) > WORST else "")
            lines.append(f"{len(judged) - len(missed)} of {len(judged)} figures meet their target."
                         + (f" Farthest off: {worst}." if missed else ""))
        timed = [b for b in self.rows if b.unit == "x" and b.bound]
        below = [b for b in timed if b.bound is not None and b.ratio < b.bound]
        if timed:
            lines.append(f"{len(below)} of {len(timed)} derivatives take less time than the cost model allows them in operations: "
                         "the plain function pays the overhead of Python or NumPy for every operation, a sweep does not.")
        races = sum(len(b.peers) for b in self.rows)
        if races:
            wins = [name for b in self.rows for name, cost in b.peers.items() if cost < b.ratio]
            by_name = ", ".join(f"{name} {wins.count(name)}" for name in self.peers() if name in wins)
            lines.append(f"The derivative of another library was timed {races} times; it was faster than dualad's {len(wins)} times"
                         + (f" ({by_name})" if wins else "") + ".")
        noise = [max(b.noise, 1.0 / b.noise) for b in self.rows if b.noise]
        if noise:
            middle = sorted(noise)[len(noise) // 2]
            lines.append(f"Noise: the plain function timed twice differs by {100 * (middle - 1):.1f} % in the median of the "
                         f"benches, {100 * (max(noise) - 1):.1f} % at most.")
        return tuple(lines)


def from_pytest_benchmark(run: str | os.PathLike[str] | Mapping[str, Any]) -> BenchmarkResult:
    """A run saved by ``pytest --benchmark-json=run.json``, as a result with tables and pictures.

    Parameters
    ----------
    run : str, path, or mapping
        The file, or what it holds.

    Returns
    -------
    BenchmarkResult
        A row a bench that left `row`, `case` and `ratio` in its ``extra_info``; the others are counted in the notes.

    Raises
    ------
    ValueError
        No saved run, or none of its benches left a ratio; in one line.
    OSError
        The file cannot be read.

    Notes
    -----
    Cost: the file is read; nothing is timed.

    Examples
    --------
    >>> from dualad import compare
    >>> info = {"row": "scalar forward", "case": "kepler(10)", "ratio": 1.2, "target": 1.5, "n": 1, "m": 1, "operations": 560}
    >>> run = {"machine_info": {"python_version": "3.11.7"}, "benchmarks": [{"name": "test_kepler", "extra_info": info}]}
    >>> r = compare.from_pytest_benchmark(run)
    >>> r.reading()[0]
    '1 of 1 figures meet their target.'
    """
    where, saved = _read(run)
    benches = saved.get("benchmarks") if isinstance(saved, Mapping) else None
    if not isinstance(benches, list):
        raise ValueError(f"{where} is no run of pytest-benchmark: it has no list \"benchmarks\" (write one with "
                         "pytest benches --benchmark-json=run.json)")
    found: list[tuple[float, Bench]] = []
    without = 0
    for place, bench in enumerate(benches):
        info = bench.get("extra_info") if isinstance(bench, Mapping) else None
        name = bench.get("name", f"bench {place + 1}") if isinstance(bench, Mapping) else f"bench {place + 1}"
        if not isinstance(info, Mapping) or not {"row", "case", "ratio"} <= info.keys():
            without += 1
            continue
        found.append((info.get("place") or 0, _bench(where, name, info)))
    rows = [bench for _, bench in sorted(found, key=lambda pair: pair[0])]
    if not rows:
        raise ValueError(f"{where}: none of its {len(benches)} benches left row, case and ratio in extra_info, as those of "
                         "benches/ do")
    lacking: dict[str, set[str]] = {}
    for row in rows:
        for name, why in row.left_out.items():
            lacking.setdefault(name, set()).add(why)
    notes = [f"{name}: not installed" for name, reasons in lacking.items() if reasons == {"not installed"}]
    notes += [f"{name} on {row.case}: {why}" for row in rows for name, why in row.left_out.items()
              if lacking[name] != {"not installed"}]
    if without:
        notes.append(f"{without} benches without row, case and ratio in extra_info")
    source = where if where != "the mapping" else None
    return BenchmarkResult("Benches: derivatives against the plain function", {"run": source}, tuple(rows), tuple(notes),
                           _machine(saved))


def _read(run: str | os.PathLike[str] | Mapping[str, Any]) -> tuple[str, Any]:
    """What to call it, and its contents."""
    if isinstance(run, Mapping):
        return "the mapping", run
    if not isinstance(run, str | os.PathLike):
        raise TypeError(f"from_pytest_benchmark takes a path or what the file holds, not {type(run).__name__}")
    path = Path(run)
    text = path.read_text(encoding="utf-8")
    try:
        return path.name, json.loads(text)
    except ValueError as error:
        raise ValueError(f"{path} is no JSON file: {error}") from error


_NUMBERS = ("target", "operations", "bound", "noise", "low", "high", "plain_us", "hand")
_WHOLE = ("n", "m", "tape_bytes")


def _bench(where: str, name: str, info: Mapping[str, Any]) -> Bench:
    """The row of one bench.

    Raises
    ------
    ValueError
        A number that is none, a ratio that is negative or not finite.
    """
    def number(key: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
            raise ValueError(f"{where}: {key} of {name} is {value!r}, not a number of at least 0")
        return float(value)

    numbers = {key: number(key, info[key]) for key in _NUMBERS if info.get(key) is not None}
    whole = {key: int(number(key, info[key])) for key in _WHOLE if info.get(key) is not None}
    peers = info.get("peers") or {}
    left_out = info.get("left_out") or {}
    if not isinstance(peers, Mapping) or not isinstance(left_out, Mapping):
        raise ValueError(f"{where}: peers and left_out of {name} are tables by name of the library")
    return Bench(str(info["row"]), str(info["case"]), number("ratio", info["ratio"]), unit=str(info.get("unit", "x")),
                 peers={str(key): number(f"peer {key}", value) for key, value in peers.items()},
                 left_out={str(key): str(value) for key, value in left_out.items()}, **numbers, **whole)  # type: ignore[arg-type]


def _machine(saved: Mapping[str, Any]) -> dict[str, Any]:
    """Where the run was made: what the benches' conftest noted, else what pytest-benchmark did."""
    info = saved.get("machine_info") or {}
    cpu = info.get("cpu") or {}
    commit = saved.get("commit_info") or {}
    own: dict[str, Any] = dict(info.get("dualad") or {})
    if not own:
        own = {"python": info.get("python_version"), "system": " ".join(str(info[k]) for k in ("system", "release") if k in info),
               "processor": cpu.get("brand_raw") or info.get("processor")}
    if commit.get("id"):
        own["commit"] = f"{commit['id']}{' and changes' if commit.get('dirty') else ''}"
    if saved.get("datetime"):
        own["date"] = str(saved["datetime"])[:16].replace("T", " ")
    return {key: value for key, value in own.items() if value}


def _dots(label: str, points: Sequence[tuple[float | None, float]], role: str) -> Curve:
    """Points that no line joins."""
    x: list[float] = []
    y: list[float | None] = []
    for across, up in points:
        if across is not None:
            x += [across, across]
            y += [up, None]
    return Curve(label, tuple(x), tuple(y), role)


def _upright(label: str, x: float, lines: int) -> Curve:
    """A line across all lines of a picture, and half a line beyond."""
    return Curve(label, (x, x), (0.5, lines + 0.9), "theory", "line")


def _names(names: Sequence[str], across: Sequence[float]) -> tuple[Mark, ...]:
    """The names of the lines, left of all points on a logarithmic axis; text stands above its place, so that lies lower."""
    least, most = min(*across, 1.0), max(*across, 1.0)
    gutter = least / 10.0 ** (0.3 + 0.5 * math.log10(most / least))
    lower = 0.04 * (len(names) + 1.5)
    return tuple(Mark(name, gutter, len(names) - place - lower) for place, name in enumerate(names))


def _role(name: str, names: Sequence[str]) -> str:
    known = list(PEERS)
    return f"peer {known.index(name) + 1 if name in known else len(known) + 1 + names.index(name)}"


def _line(b: Bench) -> str:
    """The workload, with its row if that is a short name."""
    return b.case if len(b.group) > 10 or b.group in b.case else f"{b.group} {b.case}"


def _missed(b: Bench) -> str:
    unit = "" if b.unit == "x" else f" {b.unit}"
    return f"{b.group}, {b.case} ({b.ratio:.3g}{unit}, target {b.target:g}{unit})"

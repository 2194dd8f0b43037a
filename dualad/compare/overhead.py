"""Experiment "overhead": one function as a Python loop, as vectorised NumPy, and as a recording that is replayed.

The arithmetic is the same; what differs is who walks from operation to operation. Python pays for every one, NumPy for every
call on an array, whatever its length, and a recording that runs again in C pays next to nothing: it is the loop without its
interpreter. The same holds for the three gradients. Each time is fitted by

    time = fixed + operations * each

with the operations counted on the tape of the loop, so that the two numbers of every way can be read off.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType, ModuleType
from typing import Any

import numpy as np

from .. import _core, problems
from .. import math as dmath
from ..api import grad
from ..cost import CLASSES, Operations
from ..reverse import record
from .clock import Timing, interleaved
from .counting import count
from .environment import describe
from .figure import Curve, Figure, Mark, Table
from .methods import DisagreementError
from .options import sizes
from .progress import Progress, finished, silent
from .registry import Argument, register
from .result import Result
from .scaling import check_sizes

__all__ = ["FUNCTIONS", "OverheadResult", "OverheadRow", "Pair", "overhead"]

AT = (2, 8, 32, 128, 512, 2048)
TOLERANCE = 1e-11
LARGEST = 100_000

WAYS: Mapping[str, str] = MappingProxyType({
    "loop": "Python loop on floats",
    "numpy": "vectorised NumPy",
    "replay": "recording of the loop, replayed in C",
    "loop gradient": "grad of the loop",
    "numpy gradient": "grad of the vectorised function",
    "replay gradient": "replay and one reverse sweep in C",
})


# ---- functions -----------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Pair:
    """A function in two spellings.

    Parameters
    ----------
    summary : str
    loop : callable
        ``loop(x, m)`` of a list of floats and the module its scalar functions come from.
    vectorised : callable
        Of an array.
    smallest : int
        Least number of inputs.
    """

    summary: str
    loop: Callable[[list[Any], Any], Any]
    vectorised: Callable[[Any], Any]
    smallest: int = 1

    def plain(self, x: list[float]) -> Any:
        """The loop on floats, with Python's own functions."""
        return self.loop(x, math)

    def traced(self, x: list[Any]) -> Any:
        """The loop on traced floats."""
        return self.loop(x, dmath)


def _sum_sin_exp(x: list[Any], m: ModuleType) -> Any:
    total = 0.0
    for t in x:
        total = total + m.sin(t) * m.exp(t)
    return total


def _logsumexp(x: list[Any], m: ModuleType) -> Any:
    total = 0.0
    for t in x:
        total = total + m.exp(t)
    return m.log(total)


FUNCTIONS: Mapping[str, Pair] = MappingProxyType({
    "rosenbrock": Pair("Rosenbrock's valley", problems.get("rosenbrock").f, problems.get("rosenbrock_sliced").f, 2),
    "sum_sin_exp": Pair("sum of sin(x) exp(x)", _sum_sin_exp, lambda x: np.sum(np.sin(x) * np.exp(x))),
    "logsumexp": Pair("log of a sum of exponentials", _logsumexp, lambda x: np.log(np.sum(np.exp(x)))),
})


# ---- result --------------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class OverheadRow:
    """One number of inputs.

    Parameters
    ----------
    n : int
    loop, vectorised : Operations
        Of one value, in the two spellings.
    seconds : mapping of str to Timing, or None
        Way to the time of one value or gradient.
    """

    n: int
    loop: Operations
    vectorised: Operations
    seconds: Mapping[str, Timing] | None = None

    @property
    def operations(self) -> int:
        """Elementary operations of one value, counted on the loop."""
        return int(sum(getattr(self.loop, name) for name in CLASSES))


@dataclass(frozen=True)
class OverheadResult(Result, name="overhead", rows=(OverheadRow,)):
    """Time of one function in three spellings, against its size.

    Examples
    --------
    >>> from dualad import compare
    >>> r = compare.overhead([2, 4], count_only=True)
    >>> [row.operations for row in r.rows]
    [8, 24]
    """

    @property
    def timed(self) -> bool:
        return any(row.seconds is not None for row in self.rows)

    def times(self, way: str) -> tuple[float, ...]:
        """Seconds of one value or gradient, a number a row."""
        return tuple(row.seconds[way].median for row in self.rows)

    def line(self, way: str) -> tuple[float, float]:
        """Fixed cost and cost of an operation, in seconds: least squares of the relative errors, neither below zero."""
        operations, times = np.array([row.operations for row in self.rows], dtype=float), np.array(self.times(way))
        if len(self.rows) == 1:
            return 0.0, float(times[0] / operations[0])
        system = np.stack([1 / times, operations / times], axis=1)
        fixed, each = np.linalg.lstsq(system, np.ones(times.size), rcond=None)[0]
        if fixed < 0 or each < 0:  # then the best line with both at least zero has one of them at zero
            alone = [(float(column @ np.ones(times.size) / (column @ column)), column) for column in system.T]
            errors = [float(np.sum((value * column - 1) ** 2)) for value, column in alone]
            return (alone[0][0], 0.0) if errors[0] < errors[1] else (0.0, alone[1][0])
        return float(fixed), float(each)

    def crossing(self, one: str, other: str) -> float | None:
        """Operations at which two ways take the same time, by their lines; None where they do not cross."""
        (a, b), (c, d) = self.line(one), self.line(other)
        at = (c - a) / (b - d) if b != d else -1.0
        return at if at > 0 else None

    def tables(self) -> tuple[Table, ...]:
        tables = []
        if self.timed:
            tables.append(Table("Measured: nanoseconds an operation of f", ("n", "operations", *WAYS),
                                tuple((row.n, row.operations, *(1e9 * self.times(way)[i] / row.operations for way in WAYS))
                                      for i, row in enumerate(self.rows)),
                                "Time of one value (or gradient) over the operations of one value."))
            tables.append(Table("The two parts of each time: fixed + operations x each",
                                ("way", "fixed us", "each ns", "how"),
                                tuple((way, 1e6 * self.line(way)[0], 1e9 * self.line(way)[1], how) for way, how in WAYS.items())))
        tables.append(Table("Counted: operations of one value, and of value and gradient over them",
                            ("n", "loop", "numpy", "gradient / value"),
                            tuple((row.n, row.operations, sum(getattr(row.vectorised, name) for name in CLASSES),
                                   row.loop.gradient() / row.loop.value()) for row in self.rows),
                            "x**2 of a number is a power, of an array a product; an array's sum has one addition less."))
        return tuple(tables)

    def figures(self) -> tuple[Figure, ...]:
        if not self.timed or len(self.rows) < 2:
            return ()
        return self._figure("overhead-value", "value", ""), self._figure("overhead-gradient", "gradient", " gradient")

    def _figure(self, name: str, what: str, ending: str) -> Figure:
        x = tuple(float(row.n) for row in self.rows)
        curves = []
        for way in ("loop", "numpy", "replay"):
            timings = [(row.seconds[way + ending], row.operations) for row in self.rows if row.seconds]
            median, low, high = (tuple(1e9 * getattr(timing, part) / operations for timing, operations in timings)
                                 for part in ("median", "low", "high"))
            curves.append(Curve(WAYS[way + ending], x, median, "", "points", low, high))
        loop, vectorised, replay = (self.line(way + ending) for way in ("loop", "numpy", "replay"))
        caption = (f"Each operation of the {what} costs the loop {_time(loop[1])} whatever n. NumPy pays {_time(vectorised[0])} "
                   f"before the first and then {_time(vectorised[1])} each, so short arrays are dear. The replayed recording "
                   f"costs {_time(replay[1])} an operation: the loop without its interpreter.")
        first, last = ([1e9 * self.times(way + ending)[i] / self.rows[i].operations for way in ("loop", "numpy", "replay")]
                       for i in (0, -1))
        alt = (f"Log-log plot of nanoseconds an operation of the {what} against n: loop {first[0]:.3g} to "
               f"{last[0]:.3g}, NumPy {first[1]:.3g} to {last[1]:.3g}, replay {first[2]:.3g} to {last[2]:.3g}.")
        marks = []
        at = self._inputs_at(self.crossing("loop" + ending, "numpy" + ending))
        if at is not None:
            marks.append(Mark(f"loop = NumPy, n = {at:.2g}", x=at))
        return Figure(name, f"One {what} in three spellings", "inputs n", "nanoseconds / operation of f", caption, alt,
                      tuple(curves), None, tuple(marks))

    def _inputs_at(self, operations: float | None) -> float | None:
        """The n with so many operations, between the rows; None outside of them."""
        counted = [float(row.operations) for row in self.rows]
        if operations is None or not counted[0] <= operations <= counted[-1]:
            return None
        return float(np.interp(operations, counted, [float(row.n) for row in self.rows]))

    def reading(self) -> tuple[str, ...]:
        last = self.rows[-1]
        counted = last.loop.gradient() / last.loop.value()
        if not self.timed:
            return (f"One value takes {last.operations} operations at n = {last.n}, its gradient {counted:.3g} times as many "
                    "(weighted); nothing was timed, and overhead is what a count does not show.",)
        loop, vectorised, replay = (self.line(way) for way in ("loop", "numpy", "replay"))
        lines = [f"Python spends {_time(loop[1])} on an operation, NumPy {_time(vectorised[1])} and {_time(vectorised[0])} "
                 f"before the first, a replayed recording {_time(replay[1])}."]
        at = self.crossing("loop", "numpy")
        if at is not None:
            lines.append(f"The loop is the faster one up to about {at:.0f} operations, NumPy from there on.")
        ratios = [self.times(f"{way} gradient")[-1] / self.times(way)[-1] for way in ("loop", "numpy", "replay")]
        lines.append(f"At n = {last.n} a gradient takes {ratios[0]:.2g} values in the loop, {ratios[1]:.2g} in NumPy, "
                     f"{ratios[2]:.2g} in the replay; the count says {counted:.2g}.")
        whole = self.times("replay gradient")[-1] / self.times("loop")[-1]
        lines.append("What you see: the arithmetic is the smallest part of a Python program. Recorded once, value and gradient of "
                     f"the loop run again in {whole:.2g} of the time of the loop alone; the count of operations is the same.")
        return tuple(lines)


def _time(seconds: float) -> str:
    """A time in words, to two digits."""
    for unit, factor in (("ms", 1e-3), ("us", 1e-6)):
        if seconds >= factor:
            return f"{seconds / factor:.2g} {unit}"
    return f"{seconds / 1e-9:.2g} ns"


# ---- experiment ------------------------------------------------------------------------------------------------------------

def overhead(at: Sequence[int] = AT, *, function: str = "rosenbrock", seed: int = 0, repeats: int = 15, count_only: bool = False,
             progress: Progress = silent) -> OverheadResult:
    """One function and its gradient as a Python loop, as vectorised NumPy, and as a replayed recording.

    Parameters
    ----------
    at : sequence of int
        Inputs n, increasing.
    function : {"rosenbrock", "sum_sin_exp", "logsumexp"}
    seed : int
        Of the point.
    repeats : int
        Interleaved samples of each way.
    count_only : bool
        Time nothing.
    progress : callable

    Returns
    -------
    OverheadResult
        ``.line(way)``, ``.crossing(one, other)``.

    Raises
    ------
    ValueError
        Sizes or functions that there are not.
    DisagreementError
        Two ways gave different numbers; nothing was timed.

    Notes
    -----
    The recording is made at another point than it is replayed at. Replay makes no comparison again; these functions have none.

    Examples
    --------
    >>> from dualad import compare
    >>> r = compare.overhead([8], function="sum_sin_exp", count_only=True)
    >>> r.rows[0].loop.nonlinear, r.rows[0].vectorised.nonlinear
    (16, 16)
    """
    if function not in FUNCTIONS:
        raise ValueError(f"no function {function!r}; there are {', '.join(FUNCTIONS)}")
    pair = FUNCTIONS[function]
    checked = check_sizes(at, pair.smallest)
    if checked[-1] > LARGEST:
        raise ValueError(f"n is at most {LARGEST}, not {checked[-1]}")
    if repeats < 1 or seed < 0:
        raise ValueError(f"repeats must be at least 1 and seed at least 0, not {repeats} and {seed}")
    row = functools.partial(_row, pair, seed, repeats, not count_only)
    rows = tuple(finished(progress, f"overhead of {function}: n = {n}", OverheadRow, functools.partial(row, n)) for n in checked)
    settings = {"at": list(checked), "function": function, "seed": seed, "repeats": repeats, "count_only": count_only}
    return OverheadResult(f"Overhead: {pair.summary}, as a loop, in NumPy, replayed; seed {seed}", settings, rows, (),
                          {} if count_only else describe())


def calls_of(pair: Pair, x: np.ndarray) -> dict[str, Callable[[], Any]]:
    """Every way as a call without arguments, and the value that a replay has left."""
    numbers = x.tolist()
    recording = record(pair.traced, [1.01 * t for t in numbers], lambda xs: (list(xs),))
    level, inputs, out = recording.level, recording.inputs, recording.outputs[0]
    loop_gradient, gradient = grad(pair.traced), grad(pair.vectorised)
    return {
        "loop": lambda: pair.plain(numbers),
        "numpy": lambda: pair.vectorised(x),
        "replay": lambda: _core.replay(level, inputs, numbers),
        "loop gradient": lambda: loop_gradient(numbers),
        "numpy gradient": lambda: gradient(x),
        "replay gradient": lambda: _core.replay_gradient(level, inputs, out, numbers),
    }


def _row(pair: Pair, seed: int, repeats: int, timed: bool, n: int) -> OverheadRow:
    x = np.random.default_rng([seed, n]).uniform(0.5, 1.5, n)
    calls = calls_of(pair, x)
    value, replayed = calls["replay gradient"]()
    values = {"loop": calls["loop"](), "numpy": calls["numpy"](), "replay": value}
    gradients = {"replay gradient": replayed, **{name: calls[name]() for name in ("loop gradient", "numpy gradient")}}
    for group in (values, gradients):
        (first, wanted), *others = group.items()
        scale = float(np.max(np.abs(wanted)))
        for name, found in others:
            error = float(np.max(np.abs(np.asarray(found) - np.asarray(wanted))))
            if not error <= TOLERANCE * scale:
                raise DisagreementError(f"at n = {n}: {first} and {name} disagree by {error:.3g}")
    tape = record(pair.traced, x.tolist(), lambda xs: (list(xs),))
    loop = Operations.from_histogram(_core.histogram(tape.level))
    return OverheadRow(n, loop, count(pair.vectorised, x), interleaved(calls, repeats) if timed else None)


register(
    "overhead", "one function as a Python loop, in NumPy, and as a replayed recording", overhead,
    Argument("at", sizes, AT, "inputs n: 1,2,5 or 2:2048:x4 or 10:50:+10", metavar="SIZES"),
    Argument("function", str, "rosenbrock", "what is computed", tuple(FUNCTIONS)),
)

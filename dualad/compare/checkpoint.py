"""Experiment "checkpoint": time against memory for a long sequence of steps, by three strategies of reverse mode.

    store all   one tape of all steps                                  no extra step, memory grows as l
    sqrt        blocks of sqrt(l) steps, each under dualad.checkpoint   l extra steps, memory grows as sqrt(l)
    binomial    dualad.checkpoint_sequence with s snapshots             t(l, s) = r l - C(s+r, s+1) extra steps

Extra steps are the runs of a step without a tape; with a tape each step runs once in every strategy.  They are counted by
the step itself, and live bytes by the counters of the tape (:mod:`dualad.compare.live`).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import checkpoint as checkpointed
from .. import checkpoint_sequence, value_and_grad
from ..checkpointing import extra_steps
from ..pull import pull
from ..reverse import record
from .clock import Timing, interleaved
from .environment import describe
from .figure import Curve, Figure, Mark, Table
from .live import Meter, allen_cahn, check_tape, start, words
from .methods import DisagreementError
from .options import positive, sizes
from .progress import Progress, finished, silent
from .registry import Argument, register
from .result import Result
from .scaling import check_sizes

__all__ = ["CheckpointResult", "CheckpointRow", "checkpoint"]

STEPS = 100
SIZE = 64
SNAPSHOTS = (2, 3, 4, 6, 8, 11, 16, 32, 64, 99)
MOST_EXTRA = 100_000
ULPS = 64

Program = Callable[[Callable[[Any], Any], Any], Any]


@dataclass(frozen=True)
class CheckpointRow:
    """One strategy.

    Parameters
    ----------
    strategy : {"store all", "sqrt", "binomial"}
    steps : int
        Length l of the sequence.
    snapshots : int or None
        States s that the binomial schedule may store, the initial one included.
    extra : int
        Counted runs of a step without a tape, for value and gradient.
    least : int or None
        t(l, s), what they must be; None for the others.
    taped : int
        Counted runs on a tape.
    states, state_bytes, tape_bytes, total : int
        Most live at once: states made by runs without a tape (those in work included), their bytes, bytes of tapes with
        adjoints, bytes together.
    seconds : mapping of str to Timing, or None
        "value": the steps alone; "again": once more; "gradient": value and gradient.
    """

    strategy: str
    steps: int
    snapshots: int | None
    extra: int
    least: int | None
    taped: int
    states: int
    state_bytes: int
    tape_bytes: int
    total: int
    seconds: Mapping[str, Timing] | None = None

    @property
    def label(self) -> str:
        """The strategy with its number of snapshots."""
        return self.strategy if self.snapshots is None else f"binomial, s = {self.snapshots}"

    @property
    def work(self) -> float:
        """Runs of a step, with and without tape, in units of the length."""
        return (self.extra + self.taped) / self.steps

    def slower(self, which: str = "gradient") -> float | None:
        """Measured time in units of the steps alone."""
        return None if self.seconds is None else self.seconds[which].median / self.seconds["value"].median


@dataclass(frozen=True)
class CheckpointResult(Result, name="checkpoint", rows=(CheckpointRow,)):
    """Extra steps and live bytes of each strategy.

    Examples
    --------
    >>> from dualad import compare
    >>> r = compare.checkpoint(steps=100, snapshots=[2, 4, 6, 11], size=3, count_only=True)
    >>> [(row.snapshots, row.extra) for row in r.rows if row.snapshots]
    [(2, 845), (4, 374), (6, 280), (11, 209)]
    """

    def row(self, strategy: str) -> CheckpointRow:
        """The first row of a strategy."""
        return next(row for row in self.rows if row.strategy == strategy)

    def binomial(self) -> tuple[CheckpointRow, ...]:
        """The rows of the binomial schedule."""
        return tuple(row for row in self.rows if row.strategy == "binomial")

    def tables(self) -> tuple[Table, ...]:
        timed = self.timed
        everything = self.row("store all").total
        header = ("strategy", "s", "extra steps", "t(l, s)", "steps / l", "states", "state bytes", "tape bytes", "live bytes",
                  "all / live", *(("time / steps alone", "again") if timed else ()))
        rows = tuple((r.strategy, r.snapshots, r.extra, r.least, r.work, r.states, r.state_bytes, r.tape_bytes, r.total,
                      everything / r.total, *((r.slower(), r.slower("again")) if timed else ())) for r in self.rows)
        return (Table(
            f"Value and gradient of {self.row('store all').steps} steps", header, rows,
            "extra steps: counted runs of a step without a tape; t(l, s): their least possible number; states: most alive at "
            "once besides those on a tape, the up to three in work included; bytes: most at once, tapes with adjoints."
            + (" again: the steps alone, timed twice." if timed else "")),)

    def figures(self) -> tuple[Figure, ...]:
        return (*((self._clock(),) if self.timed else ()), self._frontier(), self._schedule())

    def _points(self, y: Callable[[CheckpointRow], float | None], band: bool = False) -> tuple[Curve, ...]:
        curves = []
        groups = (("binomial", self.binomial(), "binomial"), ("blocks of sqrt(l)", (self.row("sqrt"),), ""),
                  ("store all", (self.row("store all"),), "reverse"))
        for label, rows, role in groups:
            bands = [(r.seconds["gradient"], r.seconds["value"].median) for r in rows if r.seconds] if band else []
            low, high = (tuple(t.low / one for t, one in bands), tuple(t.high / one for t, one in bands)) if bands else (None, None)
            curves.append(Curve(label, tuple(float(r.total) for r in rows), tuple(y(r) for r in rows), role, "points", low, high))
        return tuple(curves)

    def _named(self, y: Callable[[CheckpointRow], float]) -> tuple[Mark, ...]:
        """The snapshots of the first, a middle and the last point."""
        rows = self.binomial()
        return tuple(Mark(f"s = {rows[i].snapshots}", float(rows[i].total), y(rows[i]))
                     for i in sorted({0, len(rows) // 2, len(rows) - 1}))

    def _frontier(self) -> Figure:
        few, every, square = self.binomial()[0], self.row("store all"), self.row("sqrt")
        rows = self.binomial()
        return Figure(
            "checkpoint-frontier", "Memory against repeated steps", "live bytes, most at once", "runs of a step / l",
            f"Each point is a way to the same gradient of {every.steps} steps. The lower left is the place to be: to the left is "
            f"less memory, below is less work. Keeping all takes {words(every.total)} and runs each step once. Blocks of "
            f"{_block(square.steps)} steps run each twice, for {words(square.total)}. The binomial schedule with "
            f"{few.snapshots} snapshots makes do with {words(few.total)}, at {few.work:.3g} runs of each step.",
            f"Log-log plot of runs of a step against live bytes: the binomial curve falls from {rows[0].work:.3g} runs at "
            f"{words(rows[0].total)} to {rows[-1].work:.3g} at {words(rows[-1].total)}; blocks lie at {square.work:.3g} and "
            f"{words(square.total)}, all of the tape at {every.work:.3g} and {words(every.total)}.",
            self._points(lambda row: row.work), marks=self._named(lambda row: row.work))

    def _schedule(self) -> Figure:
        rows, steps = self.binomial(), self.row("store all").steps
        line = tuple(range(rows[0].snapshots or 1, (rows[-1].snapshots or 1) + 1))
        exact = all(row.extra == row.least for row in rows)
        return Figure(
            "checkpoint-schedule", "Extra steps of the binomial schedule", "snapshots s", "extra steps",
            f"The line is t(l, s) = r l - C(s+r, s+1) for l = {steps}, the least number of steps that must run again with s "
            f"stored states. The markers are counted; they lie {'on the line, every one' if exact else 'off the line'}. "
            f"From s = {rows[0].snapshots} to {rows[-1].snapshots} they fall from {rows[0].extra} to {rows[-1].extra}; "
            f"below {steps - 1} it cannot go, because the first run, which finds the states, has no tape.",
            f"Log-log plot of extra steps against snapshots: a falling line from {rows[0].extra} to {rows[-1].extra} with the "
            f"counted markers {'on' if exact else 'off'} it.",
            (Curve("t(l, s)", tuple(map(float, line)), tuple(float(extra_steps(steps, s)) for s in line), "theory", "line"),
             Curve("counted", tuple(float(r.snapshots or 0) for r in rows), tuple(float(r.extra) for r in rows), "binomial")))

    def _clock(self) -> Figure:
        every, few, best = self.row("store all"), self.binomial()[0], self.binomial()[-1]
        price = ""
        if few.extra > best.extra and few.seconds and best.seconds:
            one = (self._slower(few) - self._slower(best)) * few.steps / (few.extra - best.extra)
            price = f" Between the two each extra step costs {one:.3g} of a plain one."
        return Figure(
            "checkpoint-time", "Memory against time, measured", "live bytes, most at once", "time / the steps alone",
            f"The same points by the clock. Keeping all takes {self._slower(every):.3g} times the steps alone. With "
            f"{best.snapshots} snapshots it is {self._slower(best):.3g}, with {few.snapshots} it is {self._slower(few):.3g}."
            + price,
            f"Log-log plot of time against live bytes: {self._slower(every):.3g} at {words(every.total)} for all; "
            f"the binomial curve from {self._slower(few):.3g} at {words(few.total)} to {self._slower(best):.3g} at "
            f"{words(best.total)}.",
            self._points(self._slower, band=True), marks=self._named(self._slower))

    def _slower(self, row: CheckpointRow) -> float:
        return row.slower() or math.nan

    def reading(self) -> tuple[str, ...]:
        every, square, rows = self.row("store all"), self.row("sqrt"), self.binomial()
        few = rows[0]
        lines = [f"All {every.steps} steps on one tape hold {words(every.total)}. Blocks of {_block(every.steps)} steps hold "
                 f"{words(square.total)}, {every.total / square.total:.3g} times less, and run {square.extra} steps again.",
                 f"The binomial schedule with {few.snapshots} snapshots holds {words(few.total)}, {every.total / few.total:.3g} "
                 f"times less than all, and runs {few.extra} steps again."]
        if all(row.extra == row.least for row in rows):
            lines.append("Its extra steps are the least possible number t(l, s) at every s: "
                         + ", ".join(f"{row.extra} for s = {row.snapshots}" for row in rows) + ".")
        else:
            lines.append("Its extra steps are NOT the number t(l, s) they should be: this is a fault of dualad.")
        cheaper = [row for row in rows if row.total <= square.total and row.extra <= square.extra]
        if cheaper:
            lines.append(f"Against the blocks it needs fewer steps and less memory at once from s = {cheaper[0].snapshots} to "
                         f"{cheaper[-1].snapshots}." if len(cheaper) > 1 else
                         f"Against the blocks it needs no more steps and no more memory at s = {cheaper[0].snapshots}.")
        if self.timed:
            lines.append(f"By the clock keeping all takes {self._slower(every):.3g} times the steps alone, blocks "
                         f"{self._slower(square):.3g}, "
                         + ", ".join(f"{self._slower(row):.3g} at s = {row.snapshots}" for row in rows) + ".")
        lines.append("What you see: memory is bought with repeated steps. The fewer states are stored, the more steps run again; "
                     "the gradient is the same.")
        return tuple(lines)


def _block(steps: int) -> int:
    """Length of the blocks."""
    return math.isqrt(steps - 1) + 1 if steps > 1 else 1


def _store_all(step: Callable[[Any], Any], state: Any, steps: int) -> Any:
    for _ in range(steps):
        state = step(state)
    return state


def _blocks(step: Callable[[Any], Any], state: Any, steps: int) -> Any:
    length = _block(steps)
    for done in range(0, steps, length):
        state = checkpointed(functools.partial(_store_all, step, steps=min(length, steps - done)))(state)
    return state


def checkpoint(steps: int = STEPS, snapshots: Sequence[int] = SNAPSHOTS, *, size: int = SIZE, seed: int = 0, repeats: int = 15,
               count_only: bool = False, progress: Progress = silent) -> CheckpointResult:
    """Time against memory: all of the tape, blocks of sqrt(l) steps, the binomial schedule with s snapshots.

    Parameters
    ----------
    steps : int
        Length l of the sequence: Runge-Kutta steps of a reaction and diffusion on a ring.
    snapshots : sequence of int
        Numbers s of stored states, the initial one included, increasing.
    size : int
        Numbers in a state.
    seed : int
        Of the initial state.
    repeats : int
        Interleaved samples of each call; medians are reported.
    count_only : bool
        Time nothing: the result is the same on every machine.
    progress : callable

    Returns
    -------
    CheckpointResult

    Raises
    ------
    ValueError
        Sizes that there are not, or a tape of all steps beyond memory.
    DisagreementError
        Two strategies gave different gradients; nothing was timed.

    Notes
    -----
    Cost: each strategy once to count, then `repeats` times and at least a millisecond each.

    References
    ----------
    A. Griewank & A. Walther, *Algorithm 799: revolve*, ACM Trans. Math. Softw. 26 (2000), 19-45.

    Examples
    --------
    >>> from dualad import compare
    >>> r = compare.checkpoint(steps=16, snapshots=[3], size=2, count_only=True)
    >>> [(row.label, row.extra) for row in r.rows]
    [('store all', 0), ('sqrt', 16), ('binomial, s = 3', 33)]
    """
    chosen = check_sizes(snapshots)
    if steps < 2 or size < 1 or seed < 0 or repeats < 1:
        raise ValueError(f"steps must be at least 2, size and repeats 1, seed 0, not {steps}, {size}, {repeats} and {seed}")
    check_tape(steps, size)
    most = extra_steps(steps, chosen[0])
    if most > MOST_EXTRA:
        raise ValueError(f"{steps} steps with {chosen[0]} snapshots repeat {most} steps; give more snapshots")
    programs: list[tuple[str, int | None, Program]] = [
        ("store all", None, functools.partial(_store_all, steps=steps)), ("sqrt", None, functools.partial(_blocks, steps=steps)),
        *(("binomial", s, functools.partial(checkpoint_sequence, n=steps, snapshots=s)) for s in chosen)]
    rows = tuple(finished(progress, f"checkpoint: l = {steps}, {name}" + (f", s = {s}" if s else ""), CheckpointRow,
                          functools.partial(_row, name, s, program, steps, size, seed, 0 if count_only else repeats))
                 for name, s, program in programs)
    settings = {"steps": steps, "snapshots": list(chosen), "size": size, "seed": seed, "repeats": repeats, "count_only": count_only}
    return CheckpointResult(f"checkpoint: {steps} Runge-Kutta steps of u' = D u'' + u - u^3, {size} numbers, seed {seed}", settings,
                            rows, (), {} if count_only else describe())


def _row(name: str, snapshots: int | None, program: Program, steps: int, size: int, seed: int, repeats: int) -> CheckpointRow:
    x = start(size, seed)
    meter, gradient = _counted(program, x)
    plain = value_and_grad(lambda x: _energy(_store_all(allen_cahn, x, steps)))
    _check(name if snapshots is None else f"{name} with {snapshots} snapshots", gradient, plain(x)[1])
    seconds = None
    if repeats:
        both = value_and_grad(lambda x: _energy(program(allen_cahn, x)))
        alone = functools.partial(_store_all, allen_cahn, x, steps)
        seconds = interleaved({"value": alone, "again": alone, "gradient": functools.partial(both, x)}, repeats)
    least = None if snapshots is None else extra_steps(steps, snapshots)
    return CheckpointRow(name, steps, snapshots, meter.plain, least, meter.taped, meter.states, meter.state_bytes, meter.tape_bytes,
                         meter.total, seconds)


def _energy(u: Any) -> Any:
    return 0.5 * np.sum(u * u)


def _counted(program: Program, x: np.ndarray) -> tuple[Meter, np.ndarray]:
    """One value and gradient with a counting step."""
    meter = Meter(allen_cahn)

    def f(x: Any) -> Any:
        meter.outermost(x)
        return _energy(program(meter, x))

    tape = record(f, [x], tuple)
    return meter, pull(tape.level, tape.outputs, [1.0], tape.inputs)[0]


def _check(name: str, found: np.ndarray, wanted: np.ndarray) -> None:
    scale = float(np.max(np.abs(wanted)))
    error = float(np.max(np.abs(found - wanted)))
    if not error <= ULPS * np.finfo(float).eps * scale:
        raise DisagreementError(f"the gradients of {name} and of the plain loop disagree by {error:.3g}")


register(
    "checkpoint", "time against memory: store all, blocks of sqrt(l), binomial", checkpoint,
    Argument("steps", positive, STEPS, "length l of the sequence"),
    Argument("snapshots", sizes, SNAPSHOTS, "stored states s: 1,2,5 or 1:256:x2 or 10:50:+10", metavar="SIZES"),
    Argument("size", positive, SIZE, "numbers in a state"),
)

"""Experiment "memory": what the value, forward mode and reverse mode hold as a program grows deeper.

    value, forward   measured: peak of what Python and NumPy allocate during one run (tracemalloc)
    reverse          exact: entries and bytes of the tape, and its adjoints, by the counters of the core
    binomial         counted: states and the tape of one step, under dualad.checkpoint_sequence

Forward mode carries one tangent beside each number and forgets both with it; the tape forgets nothing.
"""

from __future__ import annotations

import functools
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import checkpoint_sequence, jvp
from ..checkpointing import extra_steps
from ..pull import pull
from ..reverse import record
from .environment import describe
from .figure import Curve, Figure, Table
from .live import Meter, allen_cahn, check_tape, footprint, start, words
from .methods import DisagreementError
from .options import positive, sizes
from .progress import Progress, finished, silent
from .registry import Argument, register
from .result import Result
from .scaling import check_sizes

__all__ = ["MemoryResult", "MemoryRow", "memory"]

AT = (1, 2, 4, 8, 16, 32, 64, 128, 256)
SIZE = 256
SNAPSHOTS = 4
MOST_EXTRA = 100_000
TOLERANCE = 1e-10


@dataclass(frozen=True)
class MemoryRow:
    """One depth.

    Parameters
    ----------
    depth : int
        Steps of the program.
    entries : int
        Of the tape: inputs, array operations.
    tape_bytes, adjoint_bytes : int
        Of the recording (entries, values, constants), and of the adjoints of its sweep.
    checkpoint_bytes, checkpoint_extra : int
        Most live at once, and steps that run again, with the binomial schedule.
    value_bytes, forward_bytes : int or None
        Measured peaks of the value alone and of one jvp.
    """

    depth: int
    entries: int
    tape_bytes: int
    adjoint_bytes: int
    checkpoint_bytes: int
    checkpoint_extra: int
    value_bytes: int | None = None
    forward_bytes: int | None = None

    @property
    def reverse_bytes(self) -> int:
        """Recording and adjoints."""
        return self.tape_bytes + self.adjoint_bytes


@dataclass(frozen=True)
class MemoryResult(Result, name="memory", rows=(MemoryRow,)):
    """Live bytes against depth.

    Examples
    --------
    >>> from dualad import compare
    >>> r = compare.memory([1, 2, 4], size=8, count_only=True)
    >>> [row.entries - r.rows[0].entries for row in r.rows], round(r.slope("reverse_bytes"), 1)
    ([0, 53, 159], 1.0)
    """

    def series(self, name: str) -> tuple[float | None, ...]:
        """One column of the rows: "reverse_bytes", "forward_bytes", "value_bytes", "checkpoint_bytes"."""
        found = [getattr(row, name) for row in self.rows]
        return tuple(None if value is None else float(value) for value in found)

    def slope(self, name: str) -> float | None:
        """Exponent k in bytes = depth^k, over the upper half of the depths; None with fewer than two."""
        points = [(row.depth, y) for row, y in zip(self.rows, self.series(name), strict=True) if y]
        points = points[len(points) // 2:] if len(points) > 3 else points
        if len(points) < 2:
            return None
        x, y = np.log([p[0] for p in points]), np.log([p[1] for p in points])
        return float(np.polyfit(x, y, 1)[0])

    def _a_step(self) -> tuple[float, float] | None:
        """Entries and bytes that one more step adds to the tape."""
        if len(self.rows) < 2:
            return None
        first, last = self.rows[0], self.rows[-1]
        steps = last.depth - first.depth
        return (last.entries - first.entries) / steps, (last.reverse_bytes - first.reverse_bytes) / steps

    @property
    def _measured(self) -> bool:
        return any(row.forward_bytes is not None for row in self.rows)

    def tables(self) -> tuple[Table, ...]:
        measured = self._measured
        header = ("depth", "tape entries", "tape bytes", "adjoint bytes", *(("value peak", "forward peak", "reverse / forward")
                  if measured else ()), "binomial bytes", "extra steps")
        rows = []
        for r in self.rows:
            ratio = (r.value_bytes, r.forward_bytes, r.reverse_bytes / r.forward_bytes) if r.forward_bytes else (None, None, None)
            rows.append((r.depth, r.entries, r.tape_bytes, r.adjoint_bytes, *(ratio if measured else ()), r.checkpoint_bytes,
                         r.checkpoint_extra))
        return (Table(
            f"Live bytes of a derivative, {self.settings['size']} numbers in a state", header, tuple(rows),
            "tape: exact, by its own counters; "
            + ("peaks: measured, what Python and NumPy allocate in one run; " if measured else "")
            + f"binomial: checkpoint_sequence with {self.settings['snapshots']} snapshots, extra steps run again."),)

    def figures(self) -> tuple[Figure, ...]:
        if len(self.rows) < 2:
            return ()
        x = tuple(float(row.depth) for row in self.rows)
        shown = (("reverse: the tape and its adjoints", "reverse_bytes", "reverse"),
                 (f"reverse, binomial with {self.settings['snapshots']} snapshots", "checkpoint_bytes", "binomial"),
                 *((("forward: one tangent", "forward_bytes", "forward"), ("value alone", "value_bytes", "value"))
                   if self._measured else ()))
        curves = tuple(Curve(label, x, self.series(name), role) for label, name, role in shown)
        last = self.rows[-1]
        ends = ", ".join(f"{label.partition(':')[0]} at {words(y[-1])}" for label, y in ((c.label, c.y) for c in curves)
                         if y[-1] is not None)
        return (Figure(
            "memory-depth", "What a derivative holds", "steps of the program", "live bytes, most at once",
            " ".join(self.reading()),
            f"Log-log plot of live bytes against depth from {self.rows[0].depth} to {last.depth}: the tape rises as depth^"
            f"{self.slope('reverse_bytes'):.2f}, the others stay low; at the end {ends}.", curves),)

    def reading(self) -> tuple[str, ...]:
        last, lines = self.rows[-1], []
        step = self._a_step()
        if step is not None:
            lines.append(f"Every step adds {step[0]:.4g} entries and {words(step[1])} to the tape and its adjoints: "
                         f"{words(last.reverse_bytes)} at {last.depth} steps.")
        if last.forward_bytes and last.value_bytes:
            peaks = [row.forward_bytes for row in self.rows if row.forward_bytes]
            lines.append(f"Forward mode holds {words(min(peaks))} to {words(max(peaks))}, whatever the depth: at the end "
                         f"{last.forward_bytes / last.value_bytes:.3g} times what the value alone needs, and "
                         f"{last.reverse_bytes / last.forward_bytes:.4g} times less than the tape.")
        extra = last.checkpoint_extra
        lines.append(f"With {self.settings['snapshots']} snapshots reverse mode holds {words(last.checkpoint_bytes)} and runs "
                     f"{extra} extra step{'s' * (extra != 1)}, {extra / last.depth:.3g} for each step.")
        lines.append("What you see: reverse mode pays for its one sweep with memory that grows as the program does; checkpointing "
                     "pays with repeated steps instead.")
        return tuple(lines)


def _final(u: Any, depth: int) -> Any:
    for _ in range(depth):
        u = allen_cahn(u)
    return 0.5 * np.sum(u * u)


def memory(at: Sequence[int] = AT, *, size: int = SIZE, snapshots: int = SNAPSHOTS, seed: int = 0, count_only: bool = False,
           progress: Progress = silent) -> MemoryResult:
    """Live bytes of forward mode, of the tape, and of a checkpointed sequence as the depth of a program grows.

    Parameters
    ----------
    at : sequence of int
        Depths, increasing: Runge-Kutta steps of a reaction and diffusion on a ring.
    size : int
        Numbers in a state.
    snapshots : int
        States that the binomial schedule may store.
    seed : int
        Of the initial state and the direction.
    count_only : bool
        Measure nothing: the result is the same on every machine.
    progress : callable

    Returns
    -------
    MemoryResult

    Raises
    ------
    ValueError
        Sizes that there are not, or beyond memory.
    DisagreementError
        Forward and reverse mode gave different derivatives.

    Notes
    -----
    Cost: one gradient, one checkpointed gradient, and four directional derivatives at each depth.

    Examples
    --------
    >>> from dualad import compare
    >>> compare.memory([8, 64], size=4, count_only=True).rows[1].checkpoint_extra
    200
    """
    checked = check_sizes(at)
    if size < 1 or snapshots < 1 or seed < 0:
        raise ValueError(f"size and snapshots must be at least 1 and seed at least 0, not {size}, {snapshots} and {seed}")
    check_tape(checked[-1], size)
    most = extra_steps(checked[-1], snapshots)
    if most > MOST_EXTRA:
        raise ValueError(f"{checked[-1]} steps with {snapshots} snapshots repeat {most} steps; give more snapshots")
    rows = tuple(finished(progress, f"memory: depth = {depth}", MemoryRow,
                          functools.partial(_row, depth, size, snapshots, seed, not count_only)) for depth in checked)
    settings = {"at": list(checked), "size": size, "snapshots": snapshots, "seed": seed, "count_only": count_only}
    return MemoryResult(f"memory: Runge-Kutta steps of u' = D u'' + u - u^3, {size} numbers, seed {seed}", settings, rows, (),
                        {} if count_only else describe())


def _row(depth: int, size: int, snapshots: int, seed: int, measured: bool) -> MemoryRow:
    x = start(size, seed)
    direction = np.random.default_rng(seed + 1).normal(size=size)
    f = functools.partial(_final, depth=depth)
    tape = record(f, [x], tuple)
    level = tape.level
    (gradient,) = pull(level, tape.outputs, [1.0], tape.inputs)
    meter = Meter(allen_cahn)

    def sequence(x: Any) -> Any:
        meter.outermost(x)
        u = checkpoint_sequence(meter, x, depth, snapshots)
        return 0.5 * np.sum(u * u)

    other = record(sequence, [x], tuple)
    (again,) = pull(other.level, other.outputs, [1.0], other.inputs)
    run = functools.partial(jvp, f, (x,), (direction,))
    slope = run()[1]
    scale = float(np.sum(np.abs(gradient * direction)))
    for name, found in (("forward and reverse mode", slope), ("forward mode and the checkpointed sequence", again @ direction)):
        if not abs(found - gradient @ direction) <= TOLERANCE * scale:
            raise DisagreementError(f"at depth {depth} {name} disagree by {abs(found - gradient @ direction):.3g}")
    row = MemoryRow(depth, level.nodes, level.nbytes, footprint(level) - level.nbytes, meter.total, meter.plain)
    if not measured:
        return row
    return MemoryRow(**{**vars(row), "value_bytes": _peak(functools.partial(f, x)), "forward_bytes": _peak(run)})


def _peak(call: Callable[[], Any]) -> int:
    """Most bytes that Python and NumPy hold during a call, beyond what they held before; the second of two runs."""
    call()
    running = tracemalloc.is_tracing()
    if not running:
        tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        call()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        if not running:
            tracemalloc.stop()


register(
    "memory", "live bytes as depth grows: forward, the tape, the binomial schedule", memory,
    Argument("at", sizes, AT, "depths: 1,2,5 or 1:256:x2 or 10:50:+10", metavar="SIZES"),
    Argument("size", positive, SIZE, "numbers in a state"),
    Argument("snapshots", positive, SNAPSHOTS, "stored states of the binomial schedule"),
)

"""What the two modes are predicted to cost on one recording: what the tape counts, times measured constants.

Both modes of a Jacobian sweep one recording, a chunk of tangents (forward) or adjoints (reverse) at a time.  So their
times differ by the number of sweeps and of lanes alone, and a mode is chosen without running anything:

    time = sweeps * (start + calls * call + nonlinear * partial)             whatever the number of lanes
         + lanes * (slots * lane + products * product + calls * call_lane)   in C, for each tangent or adjoint
         + leaves * leaf + blocks * block                                    seeding, reading, assembling in Python

The first factors are counted on the tape; the constants are below, in nanoseconds of the machine they were measured on.
Only their ratios decide.  ``benches/test_bench_auto.py`` measures how often the decision is right and fits the constants
anew.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

from . import _core

__all__ = ["FORWARD", "REVERSE", "Counters", "Plan", "SweepConstants", "Sweeps", "counters", "faster", "phrase", "settled",
           "sweep_time", "sweep_times"]  # fmt: skip


class SweepConstants(NamedTuple):
    """Nanoseconds of the parts of one sweep.

    Attributes
    ----------
    start : float
        The sweep itself, in Python.
    leaf, block : float
        A leaf that is seeded or read by a sweep; a block of the result, one for each input leaf and output leaf.
    call, call_lane : float
        A Python rule (linear algebra, custom rules), and each lane of it.
    partial : float
        The partial derivatives of a nonlinear operation, computed once for all lanes.
    lane, product : float
        A number of the tape in one lane; a multiplication inside a matrix product, or an addition inside a sum, in one lane.
    """

    start: float
    leaf: float
    block: float
    call: float
    call_lane: float
    partial: float
    lane: float
    product: float


#: measured on one core of a cloud machine (x86-64, AVX2, Python 3.11, NumPy 2.4)
FORWARD = SweepConstants(start=7000.0, leaf=3000.0, block=1200.0, call=12900.0, call_lane=450.0, partial=4.7, lane=0.91,
                         product=0.026)  # fmt: skip
REVERSE = SweepConstants(start=7000.0, leaf=2870.0, block=1340.0, call=19800.0, call_lane=520.0, partial=0.0, lane=1.38,
                         product=0.026)  # fmt: skip


class Counters(NamedTuple):
    """What a tape counts, as far as time depends on it.

    Attributes
    ----------
    slots : int
        Numbers the operations write: one a scalar operation, one an element of an array operation.
    products : int
        Operations beyond those: inside matrix products and sums.
    nonlinear : int
        Nonlinear operations.
    calls : int
        Calls of Python rules.
    """

    slots: int
    products: int
    nonlinear: int
    calls: int


#: below so many slots times lanes nonlinear operations and products are not counted: they take less than starting a sweep
SMALL = 2000

#: a tie is a difference within this share of what a forward sweep costs apart from its numbers; forward mode, whose operations
#: are fewer where inputs are not more than outputs, then takes it
TIE = 0.1

#: how a mode sweeps: number of sweeps, lanes of all of them together, leaves seeded or read in them
Sweeps = tuple[int, int, int]
#: (inputs, outputs, forward sweeps, reverse sweeps, blocks of the result)
Plan = tuple[int, int, Sweeps, Sweeps, int]


def counters(level: Any, inputs: int) -> Counters:
    """The counters of a tape of floats.

    Parameters
    ----------
    level : Level
    inputs : int
        Slots that hold inputs.
    """
    histogram = _core.histogram(level)
    calls = histogram.pop("call", 0)
    slots = level.slots - inputs
    nonlinear = sum(number for name, number in histogram.items() if name in _nonlinear_rows())
    return Counters(slots, max(sum(histogram.values()) - slots, 0), nonlinear, calls)


@functools.cache
def _nonlinear_rows() -> frozenset[str]:
    from .cost import Operations  # dataclasses: not loaded by importing dualad

    return frozenset(row["name"] for row in _core.rows() if Operations.from_histogram({row["name"]: 1}).nonlinear)


def sweep_time(constants: SweepConstants, tape: Counters, sweeps: Sweeps, blocks: int) -> float:
    """Predicted nanoseconds of all sweeps of one mode.

    Examples
    --------
    >>> from dualad.prediction import FORWARD, REVERSE, Counters, sweep_time
    >>> tape = Counters(slots=1000, products=0, nonlinear=200, calls=0)
    >>> sweep_time(REVERSE, tape, (1, 1, 2), 1) < sweep_time(FORWARD, tape, (2, 64, 3), 1)
    True
    """
    number, lanes, leaves = sweeps
    once = constants.start + tape.calls * constants.call + tape.nonlinear * constants.partial
    lane = tape.slots * constants.lane + tape.products * constants.product + tape.calls * constants.call_lane
    return number * once + lanes * lane + leaves * constants.leaf + blocks * constants.block


def sweep_times(level: Any, plan: Plan) -> tuple[float, float]:
    """Predicted nanoseconds of the sweeps of either mode over a recording.

    Parameters
    ----------
    level : Level
        Of the recording; closed is fine.
    plan : tuple
        As :func:`dualad.jacobians.plan` returns it.

    Returns
    -------
    forward, reverse : float
        Off the tape of floats (float32, nested transformations) nothing is counted, and f runs again for each chunk of
        tangents: the times are then in units of one reverse sweep.

    Examples
    --------
    >>> import numpy as np
    >>> from dualad.prediction import sweep_times
    >>> from dualad.reverse import record
    >>> recording = record(lambda x: np.sum(x * x), [np.ones(1000)], tuple)
    >>> forward, reverse = sweep_times(recording.level, (1000, 1, (8, 1000, 9), (1, 1, 2), 1))
    >>> forward > 10 * reverse
    True
    """
    n, _, forward, reverse, blocks = plan
    if not level.plain:
        return forward[0] * RERUN + forward[1] / LANES_OF_A_RERUN, reverse[0] + reverse[1] / LANES_OF_A_RERUN
    slots = level.slots - n
    small = slots * (forward[1] + reverse[1]) < SMALL
    tape = Counters(slots, 0, 0, len(level.calls)) if small else counters(level, n)
    return sweep_time(FORWARD, tape, forward, blocks), sweep_time(REVERSE, tape, reverse, blocks)


def settled(level: Any, n: int, fs: int, fl: int, fleaves: int, rs: int, rl: int, rleaves: int, blocks: int) -> str:
    """What :func:`faster` answers as far as slots and calls tell, "" where the tape has to be read; the plan as flat numbers."""
    if not level.plain:
        return ""
    start, leaf, block, call, call_lane, partial, lane, product = FORWARD
    start_r, leaf_r, block_r, call_r, call_lane_r, partial_r, lane_r, product_r = REVERSE
    slots, calls = level.slots - n, level.calls
    gap = (fs * start - rs * start_r + (fl * lane - rl * lane_r) * slots + fleaves * leaf - rleaves * leaf_r
           + blocks * (block - block_r) - _tie(fs, fl, fleaves, rl, blocks))  # fmt: skip
    if calls:
        gap += len(calls) * (fs * call - rs * call_r + fl * call_lane - rl * call_lane_r)
    if slots * (fl + rl) < SMALL:
        return "rev" if gap > 0 else "fwd"
    nonlinear = (fs * partial - rs * partial_r) * slots  # no more operations are nonlinear than wrote a number
    products = fl * product - rl * product_r
    if products >= 0 and gap > 0 and gap + nonlinear > 0:
        return "rev"
    return "fwd" if products <= 0 and gap <= 0 and gap + nonlinear <= 0 else ""


def faster(level: Any, plan: Plan) -> str:
    """The mode with the smaller of :func:`sweep_times`, "fwd" or "rev"; the tape is walked only where its slots do not settle it.

    Examples
    --------
    >>> import numpy as np
    >>> from dualad.prediction import faster
    >>> from dualad.reverse import record
    >>> recording = record(lambda x: np.sum(x * x), [np.ones(1000)], tuple)
    >>> faster(recording.level, (1000, 1, (8, 1000, 9), (1, 1, 2), 1))
    'rev'
    """
    n, _, forward, reverse, blocks = plan
    mode = settled(level, n, *forward, *reverse, blocks)
    if mode:
        return mode
    times = sweep_times(level, plan)
    return "fwd" if times[0] <= times[1] + _tie(*forward, reverse[1], blocks) else "rev"


def _tie(sweeps: int, lanes: int, leaves: int, lanes_back: int, blocks: int) -> float:
    """By how much forward mode may be predicted slower and still be taken."""
    return TIE * (sweeps * FORWARD.start + leaves * FORWARD.leaf + blocks * FORWARD.block) if lanes <= lanes_back else 0.0


#: a run of f on duals, in units of one reverse sweep of a recording that is not on the tape of floats
RERUN = 1.2
#: lanes that cost as much as the rest of such a run or sweep
LANES_OF_A_RERUN = 128


def phrase(mode: str, plan: Plan, times: tuple[float, float]) -> str:
    """The reason for a choice, in one sentence.

    Examples
    --------
    >>> from dualad.prediction import phrase
    >>> phrase("rev", (1000, 1, (8, 1000, 9), (1, 1, 2), 1), (4e5, 2e4))
    '1000 inputs, 1 output: 1 adjoint in 1 sweep is predicted to take 0.05 of the time of 1000 tangents in 8 sweeps'
    """
    n, m, (forward, *_), (reverse, *_), _ = plan
    ways = (f"{_count(n, 'tangent')} in {_count(forward, 'sweep')}", f"{_count(m, 'adjoint')} in {_count(reverse, 'sweep')}")
    first, second = (0, 1) if mode == "fwd" else (1, 0)
    verb = "is" if (n, m)[first] == 1 else "are"
    share = times[first] / times[second] if times[second] else 1.0
    if share > 1.0:
        return (f"{_count(n, 'input')}, {_count(m, 'output')}: {ways[first]} {verb} predicted to take about the time of "
                f"{ways[second]}, with fewer operations")  # fmt: skip
    return (f"{_count(n, 'input')}, {_count(m, 'output')}: {ways[first]} {verb} predicted to take {share:.2g} of the time of "
            f"{ways[second]}")


def _count(number: int, name: str) -> str:
    return f"{number} {name}{'s' * (number != 1)}"

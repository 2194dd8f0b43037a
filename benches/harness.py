"""How a bench is measured: answers first, then interleaved runs of the plain function and of its derivative.

All calls of one case are timed round-robin in one process with the garbage collector off, each in a loop long enough for the
clock (processor time: what else the machine does is not counted); the figure is the median over the rounds of derivative /
plain. The plain function is timed twice: the ratio of the two is the noise floor. Nothing here asserts a time; `report.py`
puts the figures beside their targets.
"""

from __future__ import annotations

import gc
import os
import statistics
import time

import numpy as np
import peers

TINY = os.environ.get("DUALAD_BENCH_TINY") == "1"
MIN_SAMPLE = 5e-5 if TINY else 1e-3  # seconds a sample must last
BUDGET = 0.02 if TINY else 1.5  # seconds of samples for each call of a case
ROUNDS = (3, 5) if TINY else (5, 101)


def size(usual, tiny):
    """`usual`, or `tiny` under DUALAD_BENCH_TINY=1."""
    return tiny if TINY else usual


def samples(calls):
    """Seconds of one run of each of `calls` (name to callable without arguments), one entry a round, equally many of each."""
    loops, slowest = {}, 0.0
    for name, call in calls.items():
        call()
        count = 1
        while (seconds := _sample(call, count)) < MIN_SAMPLE and count < 1 << 20:
            count *= 2
        loops[name] = count
        slowest = max(slowest, seconds)
    rounds = int(min(ROUNDS[1], max(ROUNDS[0], BUDGET / slowest)))
    times = {name: [] for name in calls}
    order = list(calls)
    for _ in range(rounds):
        for name in order:
            times[name].append(_sample(calls[name], loops[name]) / loops[name])
        order.append(order.pop(0))  # so that no call always inherits the caches of the same neighbour
    return times


def median_ratio(times, name, base="plain"):
    """Median over the rounds of `name` / `base`: neighbours in time share the machine's mood."""
    return statistics.median(a / b for a, b in zip(times[name], times[base], strict=True))


def _sample(call, count):
    enabled = gc.isenabled()
    gc.disable()
    try:
        start = time.process_time()
        for _ in range(count):
            call()
        return time.process_time() - start
    finally:
        if enabled:
            gc.enable()


def flatten(value):
    """All numbers of nested containers of floats and arrays, as one vector."""
    if isinstance(value, (tuple, list)):
        return np.concatenate([flatten(v) for v in value])
    return np.asarray(value, dtype=float).ravel()


def assert_same(actual, wanted, tolerance=1e-9):
    """The two agree to `tolerance` of the largest entry of `wanted`."""
    actual, wanted = flatten(actual), flatten(wanted)
    assert actual.shape == wanted.shape
    worst, scale = np.max(np.abs(actual - wanted)), np.max(np.abs(wanted))
    assert worst <= tolerance * scale, f"off by {worst:.3g} of {scale:.3g}"


def compare(benchmark, row, case, *, plain, derivative, target, n, m=1, hand=None, others=None):
    """Time `derivative` against `plain` and put the figures into `benchmark.extra_info`.

    Parameters
    ----------
    benchmark : pytest-benchmark's fixture
    row, case : str
        Row of the target table, and which of its workloads this is.
    plain, derivative, hand : callable
        Without arguments: the control without differentiation, the measured call, the derivative written by
        hand.
    target : float
        The ratio aimed at.
    n, m : int
        Numbers of inputs and outputs.
    others : dict
        Further calls by name (the peers), reported beside.
    """
    calls = {"plain": plain, "derivative": derivative, "plain again": plain}
    if hand is not None:
        calls["hand"] = hand
    calls.update(others or {})
    times = samples(calls)
    benchmark.pedantic(derivative, rounds=3, iterations=1)
    info = {
        "row": row, "case": case, "n": n, "m": m, "target": target, "unit": "x",
        "ratio": median_ratio(times, "derivative"), "noise": median_ratio(times, "plain again"),
        "plain_us": statistics.median(times["plain"]) * 1e6, "derivative_us": statistics.median(times["derivative"]) * 1e6,
        "peers": {name: median_ratio(times, name) for name in (others or {})}, "absent": peers.absent(),
    }  # fmt: skip
    if hand is not None:
        info["hand"] = median_ratio(times, "hand")
    benchmark.extra_info.update(info)


def absolute(benchmark, row, case, value, target, unit, **more):
    """Record a figure that is not a ratio of times (`unit`: "us", "ms", "B", "MB")."""
    benchmark.extra_info.update({"row": row, "case": case, "n": 1, "m": 1, "ratio": value, "target": target, "unit": unit, **more})

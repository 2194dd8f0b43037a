"""How a bench is measured: answers first, then interleaved runs of the plain function and of its derivative.

The plain function and its derivative take turns in one process with the garbage collector off, each in a loop long enough for
the clock (processor time: what else the machine does is not counted); the figure is the median over the rounds of derivative /
plain. The plain function is timed twice: the ratio of the two is the noise floor. The derivative by hand and other libraries
take turns with the plain function after that: they run up to a thousand times as long and would leave cold caches, which
costs the one that writes a tape 4 % more than the other (Lorenz). Beside the times stands what one recording holds: counted
operations, what the cost model allows the derivative, bytes. Nothing here asserts a time; `report.py` puts the figures beside
their targets, and `dualad.compare.from_pytest_benchmark` draws them.
"""

from __future__ import annotations

import gc
import os
import statistics
import time

import numpy as np
from targets import ROWS

from dualad.compare import Timing, peers
from dualad.compare.methods import NotApplicableError
from dualad.compare.recorded import recorded

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
        while (seconds := sample(call, count)) < MIN_SAMPLE and count < 1 << 20:
            count *= 2
        loops[name] = count
        slowest = max(slowest, seconds)
    rounds = int(min(ROUNDS[1], max(ROUNDS[0], BUDGET / slowest)))
    times = {name: [] for name in calls}
    order = list(calls)
    for _ in range(rounds):
        for name in order:
            times[name].append(sample(calls[name], loops[name]) / loops[name])
        order.append(order.pop(0))  # so that no call always inherits the caches of the same neighbour
    return times


def median_ratio(times, name, base="plain"):
    """Median over the rounds of `name` / `base`: neighbours in time share the machine's mood."""
    return statistics.median(a / b for a, b in zip(times[name], times[base], strict=True))


def sample(call, count):
    """Seconds that `count` runs of a call take, the garbage collector off."""
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


def bound_of(mode, operations, n, m):
    """What the cost model allows a derivative, in values of the function: its price composed of those of the operations.

    `mode` is "forward" (n tangents), "reverse" (m adjoints), "best" (the cheaper of the two), or a number that says it all.
    """
    if not isinstance(mode, str):
        return float(mode)
    value = operations.value()
    tangents = 1.0 + n * (operations.tangent() / value - 1.0)
    adjoints = 1.0 + m * (operations.gradient() / value - 1.0)
    return {"forward": tangents, "reverse": adjoints, "best": min(tangents, adjoints)}[mode]


def measures_of(mode, f, *primals, sweeps=None):
    """n, m, operations, bound and tape_bytes of f at a point; `sweeps` where the derivative takes fewer than n or m."""
    n, m = flatten(primals).size, flatten(f(*primals)).size
    tape = recorded(f, *primals)
    bound = bound_of(mode, tape.operations, sweeps or n, sweeps or m)
    return {"n": n, "m": m, "operations": tape.operations.value(), "bound": bound, "tape_bytes": tape.nbytes}


def wanted_peers():
    """The peers that take part: all, none for DUALAD_BENCH_PEERS=0, or those it names with commas between."""
    wanted = os.environ.get("DUALAD_BENCH_PEERS", "1")
    return {"0": (), "1": peers.selected(True)}.get(wanted) if wanted in "01" else peers.selected(wanted.split(","))


def peer_calls(problem, args, exact, g=None, primals=()):
    """Calls of the peers that give the right derivative of `problem`, and why the others do not: ({name: call}, {name: reason})."""
    calls, refused = {}, {}
    names = wanted_peers()
    tape = recorded(*((g, *primals) if g else _split(problem, args))) if names else None
    count = 1 if isinstance(problem.argnums, int) else len(problem.argnums)
    for name in names:
        try:
            if problem.kind == "jacobian":
                calls[name] = peers.checked_jacobian(name, g, *primals, exact, tape)
            else:
                calls[name] = peers.checked_gradient(name, problem.f, args, count, exact, tape)
        except NotApplicableError as error:
            refused[name] = str(error)
    return calls, refused


def _split(problem, args):
    g, primals = problem.split(args)
    return g, *primals


def compare(benchmark, row, case, *, plain, derivative, target, measures, hand=None, others=({}, {})):
    """Time `derivative` against `plain` and put the figures into `benchmark.extra_info`.

    Parameters
    ----------
    benchmark : pytest-benchmark's fixture
    row, case : str
        Row of the targets (:mod:`targets`), and which of its workloads this is.
    plain, derivative, hand : callable
        Without arguments: the control without differentiation, the measured call, the derivative written by
        hand.
    target : float
        The ratio aimed at.
    measures : dict
        Of :func:`measures_of`.
    others : pair of dict
        Of :func:`peer_calls`: further calls by name, reported beside, and why others have none.
    """
    times = samples({"plain": plain, "derivative": derivative, "plain again": plain})
    peer_by_name, left_out = others
    beside = {**({} if hand is None else {"hand": hand}), **peer_by_name}
    beside_times = samples({"plain": plain, **beside}) if beside else {}
    benchmark.pedantic(derivative, rounds=3, iterations=1)
    band = Timing.from_samples([a / b for a, b in zip(times["derivative"], times["plain"], strict=True)])
    info = {
        "target": target, "unit": "x", "ratio": band.median, "low": band.low, "high": band.high,
        "noise": median_ratio(times, "plain again"), "plain_us": statistics.median(times["plain"]) * 1e6,
        "derivative_us": statistics.median(times["derivative"]) * 1e6,
        "peers": {name: median_ratio(beside_times, name) for name in peer_by_name}, "left_out": left_out,
    }  # fmt: skip
    if hand is not None:
        info["hand"] = median_ratio(beside_times, "hand")
    record(benchmark, row, case, measures | info)


def absolute(benchmark, row, case, value, target, unit, **more):
    """Record a figure that is not a ratio of times (`unit`: "us", "ms", "B", "MB")."""
    nothing = {"n": 1, "m": 1, "operations": None, "bound": None, "tape_bytes": None}
    unit = "times" if unit == "x" else unit  # "x" is time of a derivative / time of the plain function
    record(benchmark, row, case, nothing | {"ratio": value, "target": target, "unit": unit} | more)


def record(benchmark, row, case, info):
    """Put the figures of one bench into its extra_info; its row must be one of the targets."""
    assert row in ROWS, f"no row {row!r} in benches/targets.py"
    benchmark.group = row
    benchmark.extra_info.update({"row": row, "case": case, "place": list(ROWS).index(row), **info})

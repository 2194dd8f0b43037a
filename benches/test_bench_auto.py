"""Does jacobian(mode="auto") take the faster mode? A grid of n inputs and m outputs for each of several families.

A cell is right when the mode that was taken is within 10 % of the faster one. The last bench fits the constants of
dualad.prediction to this machine and reports how far the built-in ones are off.
"""

from __future__ import annotations

import statistics

import harness
import numpy as np
import pytest

import dualad
from dualad import jacobians, prediction
from dualad.compare.families import FAMILIES
from dualad.reverse import record

SIZES = harness.size([2**i for i in range(10)], [1, 4, 16])
FEW = harness.size([1, 2, 4, 8, 16, 32, 64, 128], [1, 4])
ROUNDS = harness.size(7, 3)
STEPS = harness.size(20, 2)
LONG = harness.size(1e-3, 2e-5)  # seconds that a sample lasts at least


def network(n, m, hidden=32):
    """Inputs -> two tanh layers -> outputs."""
    rng = np.random.default_rng(0)
    layers = [rng.normal(size=(hidden, n)) / n**0.5, rng.normal(size=(hidden, hidden)) / 6, rng.normal(size=(m, hidden))]
    return (lambda x: layers[2] @ np.tanh(layers[1] @ np.tanh(layers[0] @ x))), np.linspace(-1, 1, n)


def waves(n, m):
    """Explicit steps of a nonlinear transport equation, n parameters of its start, m numbers of state."""
    speed, where = np.linspace(0.5, 1.0, m), np.arange(m) % n

    def f(x):
        y = x[where] * speed
        for _ in range(STEPS):
            y = y + 0.05 * (np.roll(y, 1) - y) * y
        return y

    return f, np.linspace(0.1, 1.0, n)


def outer(n, m):
    """m sums of n sines: all of the work is elementwise on arrays (m, n)."""
    frequencies = np.linspace(0.5, 1.0, m)
    return (lambda x: np.sum(np.sin(frequencies[:, None] * x), axis=1)), np.linspace(0.1, 1.0, n)


def loop(n, m):
    """Python loops over x[i] and over the outputs, stacked."""

    def f(x):
        t = x[0]
        for i in range(1, n):
            t = t * x[i] + x[i]
        return np.stack([t * (np.sin(x[j % n]) + j) for j in range(m)])

    return f, np.linspace(0.1, 1.0, n)


def floats(n, m):
    """A list of floats to a list of floats: every number is a leaf of its own."""

    def f(xs):
        t = xs[0]
        for i in range(1, n):
            t = t * xs[i] + xs[i]
        return [t * (xs[j % n] + j) for j in range(m)]

    return f, np.linspace(0.1, 1.0, n).tolist()


def solve(n, m):
    """A linear system between elementwise ends: a call of a Python rule in each sweep."""
    matrix, w = 9.0 * np.eye(8) + np.arange(64.0).reshape(8, 8) / 64, np.linspace(0, 1, m)

    def f(x):
        y = np.linalg.solve(matrix + 0.01 * np.sum(x * x) * np.ones((8, 8)), np.ones(8))
        return np.sin(w * np.sum(y)) * x[0]

    return f, np.linspace(0.1, 1.0, n)


def built_in(name):
    return lambda n, m: FAMILIES[name].make(n, m, 32, 0)[:2]


GRIDS = {
    "chain": (built_in("chain"), SIZES),
    "dense": (built_in("dense"), SIZES),
    "network": (network, SIZES),
    "waves": (waves, SIZES),
    "outer": (outer, SIZES),
    "loop": (loop, SIZES),
    "solve": (solve, SIZES),
    "floats": (floats, FEW),
}


def medians(calls):
    """Median seconds of each of `calls` (name to callable), interleaved, in processor time."""
    loops, slowest, times = {}, 0.0, {name: [] for name in calls}
    for name, call in calls.items():
        call()
        loops[name] = 1
        while (seconds := harness.sample(call, loops[name])) < LONG and loops[name] < 1 << 14:
            loops[name] *= 2
        slowest = max(slowest, seconds)
    for _ in range(ROUNDS if slowest < 0.02 else 3):
        for name, call in calls.items():
            times[name].append(harness.sample(call, loops[name]) / loops[name])
    return {name: statistics.median(t) for name, t in times.items()}


@pytest.mark.parametrize("name", GRIDS)
def test_auto_takes_the_faster_mode(benchmark, name):
    make, sizes = GRIDS[name]
    wrong, lost, overhead, cells = [], [], [], 0
    for n in sizes:
        for m in sizes:
            f, x = make(n, m)
            ways = {mode: dualad.jacobian(f, mode=mode) for mode in ("auto", "fwd", "rev")}
            exact = harness.flatten(ways["rev"](x))
            for mode in ("fwd", "auto"):
                harness.assert_same(ways[mode](x), exact)
            taken = ways["auto"].why(x)[:3]
            seconds = medians({mode: (lambda way=way, x=x: way(x)) for mode, way in ways.items()})
            best = min(seconds["fwd"], seconds["rev"])
            cells += 1
            overhead.append(seconds["auto"] / best)
            if seconds[taken] > 1.1 * best:
                wrong.append(f"{n}x{m} {taken} {seconds[taken] / best:.2f}")
            if seconds["auto"] > 1.1 * best:
                lost.append(f"{n}x{m} {seconds['auto'] / best:.2f}")
    f, x = make(sizes[-1], sizes[0])
    benchmark.pedantic(dualad.jacobian(f), args=(x,), rounds=3, iterations=1)
    harness.absolute(
        benchmark, "auto mode, wrong", f"{name}, {cells} cells", 100.0 * len(wrong) / cells, 5.0, "%", n=max(sizes), m=max(sizes),
        wrong=wrong, slower_than_best=lost, auto_by_best=statistics.median(overhead), cells=cells,
    )  # fmt: skip


def measured_sweeps():
    """(features and seconds of forward, features and seconds of reverse) over the cells of a coarse grid of every family."""
    found = {"fwd": ([], []), "rev": ([], [])}
    for make, sizes in GRIDS.values():
        for n in sizes[::3]:
            for m in sizes[::3]:
                f, x = make(n, m)
                chosen = jacobians.Selection("jacobian", 0, (x,), {})
                recording = record(f, chosen.leaves, chosen.call)
                inputs, _, forward, reverse, blocks = jacobians.plan(recording, chosen.leaves)
                seconds = medians({
                    "fwd": lambda r=recording, c=chosen: jacobians._sweep_columns(r, c),
                    "rev": lambda r=recording, c=chosen: jacobians._reverse(r, c),
                })  # fmt: skip
                tape = prediction.counters(recording.level, inputs)
                for mode, (number, lanes, leaves) in (("fwd", forward), ("rev", reverse)):
                    found[mode][0].append([number, leaves, blocks, number * tape.calls, lanes * tape.calls, number * tape.nonlinear,
                                           lanes * tape.slots, lanes * tape.products])  # fmt: skip
                    found[mode][1].append(seconds[mode] * 1e9)
    return found


@pytest.mark.parametrize("mode", ["fwd", "rev"])
def test_constants(benchmark, mode):
    """Predicted by measured time of all sweeps of a mode, and the constants that fit this machine best."""
    optimize = pytest.importorskip("scipy.optimize")
    features, nanoseconds = map(np.array, measured_sweeps()[mode])
    built_in_constants = prediction.FORWARD if mode == "fwd" else prediction.REVERSE
    factors = np.exp(np.abs(np.log(features @ np.array(built_in_constants) / nanoseconds)))
    start = np.log(np.maximum(built_in_constants, 0.1))
    fitted = optimize.least_squares(
        lambda logs: np.log(features @ np.exp(logs)) - np.log(nanoseconds), start, loss="soft_l1", f_scale=0.1
    )
    benchmark.pedantic(lambda: features @ np.exp(fitted.x), rounds=3, iterations=1)
    constants = dict(zip(prediction.SweepConstants._fields, np.round(np.exp(fitted.x), 3).tolist(), strict=True))
    harness.absolute(
        benchmark, "auto mode, predicted / measured", f"sweeps {mode}, median factor", float(np.median(factors)), 2.0, "x",
        fitted=constants, worst_tenth=float(np.quantile(factors, 0.9)),
    )  # fmt: skip

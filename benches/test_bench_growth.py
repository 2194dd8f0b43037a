"""How time grows with the number of inputs at one output: forward by one power of n more than f, reverse not at all."""

from __future__ import annotations

import harness
import numpy as np
import pytest

from dualad import compare
from dualad.problems.scalar import newton_sqrt


def roots(x):
    """A sum of square roots, each by four Newton steps: a loop over x[i], 13 operations an input."""
    total = 0.0
    for a in x:
        total = total + newton_sqrt(a, 4)
    return total


def logsumexp(x):
    """Three passes over an array."""
    shift = np.max(x)
    return shift + np.log(np.sum(np.exp(x - shift)))


@pytest.mark.parametrize(
    ("method", "wanted", "f", "sizes"),
    [
        ("forward", 1.0, roots, [512, 640, 896, 1152]),
        ("reverse", 0.0, roots, [1024, 2048, 4096, 8192]),
        ("reverse", 0.0, logsumexp, [131072, 262144, 524288, 1048576]),
    ],
)
def test_growth(benchmark, method, wanted, f, sizes):
    """The slope of time / f's own time against n in logarithms, with its 95 % interval (Student's t of the residuals): the
    run of five whose slope is the median.

    The sizes are large enough that the fixed cost of a call does not show, whole blocks of 128 tangents, and small enough that
    the tangents of a block (operations x 128 x 8 bytes) stay below 32 MB: from there on every sweep pays for fresh pages.
    """
    others = ["n jvp", "m vjp", "differences", "central", "complex"]
    settings = {"at": harness.size(sizes, [4, 8]), "repeats": harness.size(31, 3), "without": others}
    runs = [compare.mine(f, **settings).parts[0] for _ in range(harness.size(5, 1))]
    benchmark.pedantic(runs[0].fit, rounds=1)
    fit = sorted((run.fit(measured=True)[method] for run in runs), key=lambda fit: fit.slope)[len(runs) // 2]
    last = runs[0].rows[-1]
    assert all(row.counted["reverse"] <= 4.0 * row.value.value() for row in runs[0].rows)  # the law, counted
    harness.absolute(
        benchmark, "growth at m = 1", f"{method}, {f.__name__}", abs(fit.slope - wanted), 0.1, "of slope", n=last.n, m=1,
        operations=last.value.value(), bound=last.relative(method), slope=fit.slope, slope_low=fit.low, slope_high=fit.high,
    )  # fmt: skip

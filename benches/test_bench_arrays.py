"""NumPy functions: small arrays, large arrays, ADBench, Jacobians, Hessian-vector products."""

from __future__ import annotations

import harness
import numpy as np
import pytest

import dualad
from dualad import problems
from dualad.problems import arrays


def gradient_against_plain(benchmark, row, case, name, args, target):
    problem = problems.get(name)
    g, primals = problem.split(args)
    gradient = dualad.grad(problem.f, argnums=problem.argnums)
    plain = problem.plain
    wanted = problem.closed_form(*args)
    harness.assert_same(gradient(*args), wanted)
    harness.compare(
        benchmark, row, case, target=target, measures=harness.measures_of("reverse", g, *primals),
        plain=lambda: plain(*args), derivative=lambda: gradient(*args), hand=lambda: problem.closed_form(*args),
        others=harness.peer_calls(problem, args, wanted),
    )  # fmt: skip


SMALL = [("sum_sin_exp", 1), ("sum_sin_exp", 10), ("sum_sin_exp", 100), ("sum_sin_exp", 1000)]
SMALL += [("rosenbrock_sliced", 10), ("rosenbrock_sliced", 1000), ("logistic_regression", 20), ("mlp", 16)]


@pytest.mark.parametrize(("name", "n"), SMALL)
def test_small_arrays(benchmark, name, n):
    """Where NumPy's own overhead a call dominates."""
    args = problems.get(name).make(n, seed=0)
    gradient_against_plain(benchmark, "small arrays", f"{name}({n})", name, args, 1.0)


LARGE = [("black_scholes", 1000000), ("black_scholes_tanh", 1000000), ("logsumexp", 1000000)]
LARGE += [("sum_sin_exp", 1000000), ("mlp_softmax", 512)]


@pytest.mark.parametrize(("name", "n"), LARGE)
def test_large_arrays(benchmark, name, n):
    """Where memory and the vector units decide."""
    n = harness.size(n, min(n, 16))
    args = problems.get(name).make(n, seed=0)
    gradient_against_plain(benchmark, "large arrays", f"{name}({n})", name, args, 2.0)


@pytest.mark.parametrize(("d", "k"), [(2, 5), (10, 25)])
def test_gmm(benchmark, d, k):
    """ADBench's Gaussian mixture, 1000 points."""
    from dualad.problems.adbench import gmm_args

    args = gmm_args(harness.size(1000, 10), 0, d, k)
    gradient_against_plain(benchmark, "GMM", f"d{d} K{k}", "gmm", args, 1.5)


@pytest.mark.parametrize("characters", [64, 1024])
def test_lstm(benchmark, characters):
    """ADBench's character LSTM, two layers of 14 bits."""
    args = problems.get("lstm").make(harness.size(characters, 4), seed=0)
    gradient_against_plain(benchmark, "LSTM", f"{characters} characters", "lstm", args, 1.5)


def test_bundle_adjustment(benchmark):
    """ADBench's bundle adjustment: all 2 x 15 blocks by two pullbacks of one recording."""
    problem = problems.get("ba")
    observations = harness.size(31843, 20)
    args = problem.make(observations, seed=0)
    g, primals = problem.split(args)
    seeds = [np.tile(row, (observations, 1)) for row in np.eye(2)]

    def blocks():
        _, pullback = dualad.vjp(g, *primals)
        pulled = (pullback(seed) for seed in seeds)
        return [np.concatenate([c, p, w[:, None]], axis=1) for c, p, w in pulled]

    closed = problem.closed_form(*args)
    harness.assert_same(np.stack(blocks(), axis=1), closed)
    harness.compare(
        benchmark, "BA", f"{observations} observations", target=4.0, measures=harness.measures_of("reverse", g, *primals, sweeps=2),
        plain=lambda: problem.f(*args), derivative=blocks, hand=lambda: problem.closed_form(*args),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("n", "m", "target"),
    [(10, 10, 6.0), (100, 100, 25.0), (1000, 1000, 100.0), (1000, 1, 3.0), (1, 1000, 3.0)],
)
def test_jacobian(benchmark, n, m, target):
    """R^n -> R^m of tanh(Ax) sin(Bx) + exp(-Ax), the mode chosen by the sizes."""
    n, m = harness.size(n, min(n, 12)), harness.size(m, min(m, 12))
    x, a, b = arrays.tanh_sin_args(n, 0, outputs=m)
    problem = problems.get("tanh_sin")
    g, _ = problem.split((x, a, b))
    jacobian = dualad.jacobian(g)
    wanted = problem.closed_form(x, a, b)
    harness.assert_same(jacobian(x), wanted)
    harness.compare(
        benchmark, "Jacobian", f"{n} -> {m}", target=target, measures=harness.measures_of("best", g, x), plain=lambda: g(x),
        derivative=lambda: jacobian(x), hand=lambda: problem.closed_form(x, a, b),
        others=harness.peer_calls(problem, (x, a, b), wanted, g, (x,)),
    )  # fmt: skip


@pytest.mark.parametrize(("name", "n"), [("rosenbrock_sliced", 1000), ("mlp", 16), ("gmm", 1000)])
def test_hessian_vector_product(benchmark, name, n):
    """A Hessian-vector product against one gradient (here the "plain" call is dualad's gradient)."""
    problem = problems.get(name)
    args = problem.make(harness.size(n, min(n, 16)), seed=0)
    g, primals = problem.split(args)
    gradient = dualad.grad(g, argnums=problem.argnums)
    rng = np.random.default_rng(1)

    def like(value):
        return [like(v) for v in value] if isinstance(value, list) else rng.normal(size=np.shape(value))

    tangents = tuple(like(p) for p in primals)

    def shifted(value, tangent, h):
        if isinstance(value, list):
            return [shifted(v, t, h) for v, t in zip(value, tangent, strict=True)]
        return value + h * tangent

    def slope(h):
        moved = (shifted(p, t, h) for p, t in zip(primals, tangents, strict=True))
        return harness.flatten(problem.closed_form(*moved, *args[len(primals) :]))

    h = 1e-4
    wanted = (slope(-2 * h) - 8 * slope(-h) + 8 * slope(h) - slope(2 * h)) / (12 * h)
    product = dualad.hvp(g, primals, tangents)
    # `wanted` is a fourth-order difference of the hand-written gradient: good to about eps / h.
    harness.assert_same(product, wanted, 1e-8)
    harness.compare(
        benchmark, "hvp / gradient", f"{name}({n})", target=2.5, plain=lambda: gradient(*primals),
        measures=harness.measures_of(2.5, g, *primals),  # a tangent of the gradient's own operations
        derivative=lambda: dualad.hvp(g, primals, tangents),
    )  # fmt: skip

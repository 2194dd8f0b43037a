"""Python floats: forward and reverse mode through loops and branches, and what one call costs."""

from __future__ import annotations

import functools
import math
import statistics

import harness
import pytest

import dualad
from dualad import problems

FORWARD = [("newton_sqrt", 20), ("kepler", 10), ("sin_exp_chain", 66), ("horner", 60)]
REVERSE = [("rosenbrock", 10), ("rosenbrock", 100), ("rosenbrock", 1000), ("rosenbrock", 10000)]
REVERSE += [("lorenz_rk4", 1000), ("speelpenning", 1000)]


def one_derivative(benchmark, row, name, n, target):
    problem = problems.get(name)
    args = problem.make(n, seed=0)
    g, (x,) = problem.split(args)
    slope = dualad.derivative(g)
    plain, _ = problem.split(args, problem.plain)
    wanted = problem.closed_form(*args)
    harness.assert_same(slope(x), wanted)
    harness.compare(
        benchmark, row, f"{name}({n})", target=target, measures=harness.measures_of("forward", g, x),
        plain=lambda: plain(x), derivative=lambda: slope(x), hand=lambda: problem.closed_form(*args),
        others=harness.peer_calls(problem, args, wanted),
    )  # fmt: skip


@pytest.mark.parametrize(("name", "n"), FORWARD)
def test_scalar_forward(benchmark, name, n):
    """One derivative of a straight loop of scalar operations."""
    one_derivative(benchmark, "scalar forward", name, harness.size(n, min(n, 10)), 1.5)


@pytest.mark.parametrize("name", ["newton_sqrt_while", "kepler_while"])
def test_scalar_forward_while(benchmark, name):
    """The same with a loop that ends when the data says so."""
    one_derivative(benchmark, "scalar forward, while", name, 1, 1.6)


def square(x):
    return x * x


@pytest.mark.parametrize(
    ("case", "target", "build"),
    [
        ("jvp", 0.4, lambda: lambda: dualad.jvp(square, (1.5,), (1.0,))[1]),
        ("derivative", 0.4, lambda: functools.partial(dualad.derivative(square), 1.5)),
        ("grad", 0.8, lambda: functools.partial(dualad.grad(square), 1.5)),
    ],
)
def test_fixed_cost(benchmark, case, target, build):
    """Microseconds of one call on x*x: what differentiating costs before the function does anything."""
    call = build()
    assert call() == 3.0
    times = harness.samples({"plain": functools.partial(square, 1.5), case: call})
    benchmark.pedantic(call, rounds=3, iterations=10)
    microseconds = {name: statistics.median(seconds) * 1e6 for name, seconds in times.items()}
    measures = harness.measures_of("reverse" if case == "grad" else "forward", square, 1.5)
    harness.absolute(
        benchmark, "fixed cost of a call", case, microseconds[case], target, "us", plain_us=microseconds["plain"], **measures
    )


def one_gradient(benchmark, row, name, n, target):
    problem = problems.get(name)
    args = problem.make(n, seed=0)
    g, (x,) = problem.split(args)
    gradient = dualad.grad(g)
    plain, _ = problem.split(args, problem.plain)
    wanted = problem.closed_form(*args)
    harness.assert_same(gradient(x), wanted)
    harness.compare(
        benchmark, row, f"{name}({n})", target=target, measures=harness.measures_of("reverse", g, x),
        plain=lambda: plain(x), derivative=lambda: gradient(x), hand=lambda: problem.closed_form(*args),
        others=harness.peer_calls(problem, args, wanted),
    )  # fmt: skip


@pytest.mark.parametrize(("name", "n"), REVERSE)
def test_scalar_reverse(benchmark, name, n):
    """A gradient over lists of floats."""
    one_gradient(benchmark, "scalar reverse", name, harness.size(n, min(n, 20)), 1.7)


@pytest.mark.parametrize("n", [1000, 10000, 100000, 1000000])
def test_indexed_loop(benchmark, n):
    """Rosenbrock over ``x[i]`` of an array, against the same loop over the plain array."""
    one_gradient(benchmark, "loop over x[i]", "rosenbrock_indexed", harness.size(n, n // 1000 + 5), 0.6)


@pytest.mark.parametrize(("order", "target"), [(1, 3.0), (4, 6.0), (8, 12.0)])
def test_higher_derivative(benchmark, order, target):
    """The k-th derivative of sin(exp(x) - 1), by Taylor arithmetic."""
    from dualad import math as dmath

    def f(x, m=dmath):
        return m.sin(m.exp(x) - 1.0)

    # Stirling numbers of the second kind (Faa di Bruno): f^(k) = sum_j S(k, j) e^j sin^(j)(e - 1)
    stirling = {1: [1], 4: [1, 7, 6, 1], 8: [1, 127, 966, 1701, 1050, 266, 28, 1]}[order]
    x, scale = 0.3, float(math.factorial(order))
    e = math.exp(x)
    wanted = sum(number * e**j * math.sin(e - 1.0 + j * math.pi / 2.0) for j, number in enumerate(stirling, start=1))
    harness.assert_same(scale * dualad.taylor(f, x, order)[order], wanted)
    plain = functools.partial(f, m=math)
    harness.compare(
        benchmark, "k-th derivative", f"k={order}", target=target, plain=lambda: plain(x),
        measures=harness.measures_of((order + 1) ** 2, f, x),  # Griewank & Walther 2008, section 13.2
        derivative=lambda: scale * dualad.taylor(f, x, order).item(order),
    )  # fmt: skip

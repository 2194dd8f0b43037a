"""Sweeps with a plan (first writes set adjoints, runs go block by block): the same gradients as the sweep that clears everything.

Only tapes of some length have a plan, hence the sizes; 1200 elements are two blocks and a part of a third.
"""

import math

import numpy as np
import pytest

import dualad as da

X = np.linspace(0.3, 1.7, 1200)
M = X.reshape(30, 40)


def poison():
    """Leave NaN in the pooled tape's adjoints, so that what a sweep forgets to write shows."""
    with np.errstate(all="ignore"):
        da.grad(lambda x: np.sum(np.sqrt(x) * np.exp(x) + np.sin(x) * x**3) * np.nan)(np.full(4000, -1.0))


PROGRAMS = {
    "one use": (lambda x: np.sum(np.sin(x)), X),
    "square of itself": (lambda x: np.sum(x * x), X),
    "with its own reverse": (lambda x: np.sum(np.exp(x) * np.exp(x)[::-1]), X),
    "reverse first": (lambda x: (lambda u: np.sum(u[::-1] * u))(np.sin(x)), X),
    "with its own transpose": (lambda x: (lambda u: np.sum(u * u.T))(np.sin(x)), X[:576].reshape(24, 24)),
    "shifted": (lambda x: np.sum(x[1:] * x[:-1]), X),
    "slices of a temporary": (lambda x: (lambda u: np.sum(u[2:] - u[:-2]) + np.sum(u))(np.sin(x)), X),
    "slice after whole": (lambda x: (lambda u: np.sum(u) * np.sum(u[3:5]))(np.exp(x)), X),
    "unused temporary": (lambda x: (np.sin(x), np.sum(x * 2.0))[1], X),
    "unused input": (lambda x: np.sum(np.sin(x[:3]) * 2.0), X),
    "element": (lambda x: np.exp(x)[5] * 2.0, X),
    "elements and whole": (lambda x: (lambda u: u[0] * u[1] + np.sum(u))(np.sin(x)), X),
    "broadcast row": (lambda x: np.sum(np.sin(x) + np.cos(x)[:1]), M),
    "broadcast column": (lambda x: np.sum(np.sin(x) * np.sin(x)[:, :1]), M),
    "single column": (lambda x: np.sum(np.sin(x[:, :1]) * 3.0), M),
    "sum of an axis": (lambda x: np.sum(np.exp(np.sum(np.sin(x), axis=0))), M),
    "sum of the last axis": (lambda x: np.sum(np.exp(np.sum(np.sin(x), axis=1))), M),
    "mean twice": (lambda x: np.mean(x) * np.mean(np.sin(x)), M),
    "transposed": (lambda x: np.sum(np.sin(x).T * 2.0 + 1.0), M),
    "fortran": (lambda x: np.sum(np.exp(x.T)), M),
    "where": (lambda x: np.sum(np.where(X > 1.0, np.sin(x), x * 2.0)), X),
    "maximum": (lambda x: np.sum(np.maximum(np.sin(x), x[::-1])), X),
    "abs at zero": (lambda x: np.sum(np.abs(x - x[3]) * np.sqrt(np.abs(x - x[3]) + 1.0)), X),
    "gathered": (lambda x: np.sum(np.sin(x)[[3, 3, 0]] * np.exp(x)[np.array([1, 2, 3])]), X),
    "product": (lambda x: np.sum((np.sin(x) @ x.T) * 0.5), M),
    "product and use": (lambda x: (lambda u: np.sum(u @ X[:40]) + np.sum(u * u))(np.tanh(x)), M),
    "empty": (lambda x: np.sum(np.sin(x[:0])) + np.sum(x), X),
    "floor": (lambda x: np.sum(np.floor(x * 3.0) * x), X),
    "scalar chain": (lambda x: np.sin(np.sum(x)) * np.sum(x * x[0]) + x[1], X),
    "sum of the input": (lambda x: np.sum(x) * np.sum(np.sin(x)), X),
    "two sums of one temporary": (lambda x: (lambda u: np.sum(u) + np.sum(u) * 2.0)(np.sin(x) * x), X),
    "numbers on one side": (lambda x: np.sum((2.0 - np.exp(x) / 3.0) ** 3 / (x + 0.5) + 1.0 / x), X),
    "angles with a number": (lambda x: np.sum(np.arctan2(x, 2.0) * np.arctan2(3.0, x) + np.copysign(x, -1.0)), X),
    "a traced number": (lambda x: (lambda u: np.sum(u * x[3] - x[4] / u))(np.cos(x)), X),
    "a traced number of a later block": (lambda x: np.sum(x * (np.sin(x) * x[1100])), X),
    "a traced number on the left": (lambda x: np.sum(x * (x[1100] * np.sin(x))), X),
    "slice under a set whole": (lambda x: np.sum(x[:1000] * np.sin(x)[:1000]) + np.sum(np.exp(x) * x), X),
    "shifted under a set whole": (lambda x: np.sum(np.append(np.sin(x[1:]) * x[1:], 1.0) * x) + np.sum(x * np.cos(x)), X),
    "shifted temporaries": (lambda x: (lambda u: np.sum(np.exp(x[1:] * u[:-1]) * u[1:]))(np.sin(x)), X),
    "rectified": (lambda x: np.sum(np.maximum(np.sin(6.0 * x), 0.0) * np.minimum(x, 1.0)), X),
    "root of what is rectified": (lambda x: np.sum(np.sqrt(np.maximum(x - 1.0, 0.0) + 0.25) * np.maximum(x - 1.0, 0.0)), X),
    "more temporaries than blocks": (lambda x: (lambda us: np.sum(math.prod(us)))([np.sin(x + k / 40.0) for k in range(20)]), X),
    "different lengths": (lambda x: np.sum(np.exp(np.sin(x[:1000]) * 0.5)) + np.sum(np.exp(np.cos(x[100:]) * x[100:])), X),
    "slices between": (lambda x: (lambda u: np.sum((u[1:] - u[:-1]) ** 2 * np.exp(u[1:])))(np.sin(x) * x), X),
    "element between": (lambda x: (lambda u: np.sum(np.exp(u) * u[300]))(np.sin(x)), X),
    "result is a temporary": (lambda x: (lambda u: np.exp(u)[0])(x * 2.0), X),
    "sum of a sum": (lambda x: np.sum(3.0 * (np.sin(x) + np.cos(x)) - x / 4.0 - (2.0 - x)), X),
    "sum of a product": (lambda x: np.sum(np.sin(x) * np.exp(x)) * 0.5, X),
    "sum of a product taken further": (lambda x: np.sum(-(np.sin(x) * np.exp(x)) + 2.0 * (np.cos(x) * x)), X),
    "sum of products of one temporary": (lambda x: (lambda u: np.sum(u * np.exp(x) + u * x))(np.sin(x)), X),
    "sum of squares": (lambda x: np.mean((np.sin(x) - 0.5) ** 2 + np.exp(x) * np.exp(x)), X),
    "sum of products with numbers": (lambda x: np.sum(np.sin(x) * x[3] + x[700] * np.exp(x) * x[1100]), X),
    "sum of products with zeros": (lambda x: np.sum(np.sqrt(x - X) * (X * -0.0)) + np.sum(np.exp(x) * (x * 0.0)), X),
    "sum of a choice": (lambda x: np.sum(np.maximum(np.sin(x) * x, np.cos(x)) * np.exp(x)), X),
    "many nodes": (lambda x: sum(np.sum(np.sin(x) * (k + 1.0)) for k in range(40)), X),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_planned_sweep_is_the_cleared_one(name):
    f, x = PROGRAMS[name]
    pulled = da.vjp(f, x)[1](1.0)[0]
    poison()
    planned = da.grad(f)(x)
    np.testing.assert_allclose(planned, pulled, rtol=1e-14, atol=1e-300)  # a run adds block by block: other roundings
    directional = da.jvp(f, (x,), (np.cos(x),))[1]
    assert np.vdot(planned, np.cos(x)) == pytest.approx(directional, rel=1e-12, abs=1e-12, nan_ok=True)


OPERATIONS = (
    lambda u, v: u * v,
    lambda u, v: u + v,
    lambda u, v: np.sin(u) - v * 0.5,
    lambda u, v: np.exp(-u * u),
    lambda u, v: np.maximum(u, v),
    lambda u, v: v / (2.0 + u * u),
    lambda u, v: u * v[::-1],
    lambda u, v: v * u[7] + 1.0,
    lambda u, v: v * u[777] + u[1024] / (3.0 + u),
    lambda u, v: u - np.sum(v) / 1200.0,
    lambda u, v: np.concatenate([u[700:], v[:700]]),
)


@pytest.mark.parametrize("seed", range(40))
def test_random_programs(seed):
    """Operations in any order, between any two of the values so far."""

    def f(x):
        rng, values = np.random.default_rng(seed), [x]
        for _ in range(rng.integers(3, 14)):
            u, v = (values[i] for i in rng.integers(max(0, len(values) - 4), len(values), 2))
            values.append(OPERATIONS[rng.integers(len(OPERATIONS))](u, v))
        return np.sum(values[-1]) + np.sum(values[len(values) // 2])

    pulled = da.vjp(f, X)[1](1.0)[0]
    poison()
    np.testing.assert_allclose(da.grad(f)(X), pulled, rtol=1e-12, atol=1e-300)


def test_several_inputs():
    """Every input gets its own gradient, constant and unused ones zeros."""
    f = lambda a, b, c: np.sum(np.sin(a) * b[::-1])
    poison()
    got = da.grad(f, argnums=(0, 1, 2))(X, X + 1.0, X)
    want = da.vjp(f, X, X + 1.0, X)[1](1.0)
    assert all(np.array_equal(g, w) for g, w in zip(got, want, strict=True))
    assert not got[2].any()


def test_the_branch_not_taken_stays_untouched():
    """An adjoint that no selected operation reaches never meets an infinite partial, set or added."""
    x = np.tile([0.0, 4.0, -1.0], 400)
    poison()
    root = lambda x: np.sum(np.where(x > 0.0, np.sqrt(np.where(x > 0.0, x, 0.0)), 0.0))
    assert np.array_equal(da.grad(root)(x), np.tile([0.0, 0.25, 0.0], 400))
    poison()
    rectified = lambda x: np.sum(np.maximum(np.sqrt(np.abs(x) - 1.0 + 1.0), 1.0))
    assert np.array_equal(da.grad(rectified)(x), np.tile([0.0, 0.25, -0.25], 400))

"""Sweeps that set adjoints instead of clearing and adding: the same gradients as the sweep that clears everything."""

import numpy as np
import pytest

import dualad as da

X = np.linspace(0.3, 1.7, 24)
M = X.reshape(4, 6)


def poison():
    """Leave NaN in the pooled tape's adjoints, so that what a sweep forgets to write shows."""
    with np.errstate(all="ignore"):
        da.grad(lambda x: np.sum(np.sqrt(x) * np.exp(x) + np.sin(x) * x**3) * np.nan)(np.full(4000, -1.0))


PROGRAMS = {
    "one use": (lambda x: np.sum(np.sin(x)), X),
    "square of itself": (lambda x: np.sum(x * x), X),
    "with its own reverse": (lambda x: np.sum(np.exp(x) * np.exp(x)[::-1]), X),
    "reverse first": (lambda x: (lambda u: np.sum(u[::-1] * u))(np.sin(x)), X),
    "with its own transpose": (lambda x: (lambda u: np.sum(u * u.T))(np.sin(x)), X[:16].reshape(4, 4)),
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
    "product and use": (lambda x: (lambda u: np.sum(u @ X[:6]) + np.sum(u * u))(np.tanh(x)), M),
    "empty": (lambda x: np.sum(np.sin(x[:0])) + np.sum(x), X),
    "floor": (lambda x: np.sum(np.floor(x * 3.0) * x), X),
    "scalar chain": (lambda x: np.sin(np.sum(x)) * np.sum(x * x[0]) + x[1], X),
    "many nodes": (lambda x: sum(np.sum(np.sin(x) * (k + 1.0)) for k in range(40)), X),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_planned_sweep_is_the_cleared_one(name):
    f, x = PROGRAMS[name]
    pulled = da.vjp(f, x)[1](1.0)[0]
    poison()
    planned = da.grad(f)(x)
    assert np.array_equal(planned, pulled)
    directional = da.jvp(f, (x,), (np.cos(x),))[1]
    assert np.vdot(planned, np.cos(x)) == pytest.approx(directional, rel=1e-12, abs=1e-12)


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
    x = np.array([0.0, 4.0, -1.0])
    poison()
    root = lambda x: np.sum(np.where(x > 0.0, np.sqrt(np.where(x > 0.0, x, 0.0)), 0.0))
    assert np.array_equal(da.grad(root)(x), [0.0, 0.25, 0.0])

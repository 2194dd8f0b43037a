"""diff, ediff1d, gradient and trapezoid: every keyword against NumPy's bits and the laws."""

import numpy as np
import pytest
from array_laws import float32_kept, obeys_the_laws

import dualad as da

X = np.random.default_rng(3).normal(size=(2, 3, 4))
Y = X[0]


def test_diff():
    obeys_the_laws(np.diff, X)
    obeys_the_laws(lambda x: np.diff(x, 2, 0), Y)
    obeys_the_laws(lambda x: np.diff(x, n=0), Y)
    obeys_the_laws(lambda x, p, a: np.diff(x, axis=1, prepend=p, append=a), Y, 0.3, X[1, :, :2])
    obeys_the_laws(lambda x: np.diff(x, prepend=0, append=[[1], [2], [3]]), Y)
    obeys_the_laws(lambda p: np.diff(np.arange(4.0), prepend=p), 0.3)
    float32_kept(np.diff, Y)
    for bad in (lambda x: np.diff(x, -1), lambda x: np.diff(x[0, 0])):
        with pytest.raises(ValueError, match=r"order|dimension"):
            da.vjp(bad, Y)


def test_ediff1d():
    obeys_the_laws(np.ediff1d, Y)
    obeys_the_laws(lambda x, e: np.ediff1d(x, to_end=e, to_begin=1.0), Y, X[1, 0, :2])
    float32_kept(np.ediff1d, Y)
    with pytest.raises(TypeError):
        da.vjp(lambda x: np.ediff1d(x, to_end=1j), Y)


def test_trapezoid():
    obeys_the_laws(np.trapezoid, X)
    obeys_the_laws(lambda y, x: np.trapezoid(y, x, axis=1), X, np.array([0.1, 0.5, 2.0]))
    obeys_the_laws(lambda y, x: np.trapezoid(y, x, axis=0), X, X + 3)
    obeys_the_laws(lambda y, h: np.trapezoid(y, dx=h), Y, 0.3)
    obeys_the_laws(lambda y: np.trapezoid(y, [0, 1, 3, 4]), Y)
    float32_kept(np.trapezoid, Y)


@pytest.mark.parametrize("edge_order", [1, 2])
def test_gradient(edge_order):
    obeys_the_laws(lambda f: np.gradient(f, edge_order=edge_order), Y)
    obeys_the_laws(lambda f: np.gradient(f, edge_order=edge_order), Y[0])
    obeys_the_laws(lambda f: np.gradient(f, 0.5, [0.0, 1.0, 2.5, 3.0], edge_order=edge_order), Y)
    obeys_the_laws(lambda f: np.gradient(f, [0, 1, 2, 3], axis=1, edge_order=edge_order), Y)
    obeys_the_laws(lambda f: np.gradient(f, axis=(1, 0), edge_order=edge_order), Y)
    obeys_the_laws(lambda f, h: np.gradient(f, h, axis=1, edge_order=edge_order), Y, 1.7)
    obeys_the_laws(lambda f, h, k: np.gradient(f, h, k, edge_order=edge_order), Y, 1.7, 2.2)
    float32_kept(lambda f: np.gradient(f, axis=1, edge_order=edge_order), Y)


def test_gradient_of_what_it_cannot_do():
    with pytest.raises(NotImplementedError, match="traced coordinates"):
        da.vjp(lambda x: np.gradient(np.arange(4.0), x), np.arange(4.0))
    for bad, error in (
        (lambda f: np.gradient(f, 1.0, 2.0, 3.0), TypeError),
        (lambda f: np.gradient(f, [1.0, 2.0], axis=1), ValueError),
        (lambda f: np.gradient(f, edge_order=3), ValueError),
        (lambda f: np.gradient(f[:1]), ValueError),
        (lambda f: np.gradient(f, np.ones((3, 4)), axis=0), ValueError),
    ):
        with pytest.raises(error):
            bad(Y)
        with pytest.raises(error):
            da.vjp(bad, Y)

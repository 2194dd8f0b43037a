"""ufunc.reduce, accumulate, outer and reduceat."""

import mpmath
import numpy as np
import pytest
from array_laws import float32_kept, obeys_the_laws

import dualad as da

X = np.random.default_rng(9).permutation(np.linspace(-1.9, 2.2, 12)).reshape(3, 4)
REDUCED = [np.add, np.multiply, np.maximum, np.minimum, np.fmax, np.fmin, np.logaddexp, np.logaddexp2]


@pytest.mark.parametrize("ufunc", REDUCED, ids=lambda u: u.__name__)
def test_reduce(ufunc):
    obeys_the_laws(lambda x: ufunc.reduce(x), X)
    obeys_the_laws(lambda x: ufunc.reduce(x, axis=(0, 1), keepdims=True), X)
    obeys_the_laws(lambda x: ufunc.reduce(x, 1), X)
    obeys_the_laws(lambda x: ufunc.reduce(x, axis=None), X)
    float32_kept(lambda x: ufunc.reduce(x, axis=-1), X)


@pytest.mark.parametrize("ufunc", [np.add, np.multiply], ids=lambda u: u.__name__)
def test_accumulate(ufunc):
    obeys_the_laws(lambda x: ufunc.accumulate(x), X)
    obeys_the_laws(lambda x: ufunc.accumulate(x, axis=1), X)


@pytest.mark.parametrize(
    "ufunc", [np.multiply, np.add, np.subtract, np.divide, np.hypot, np.arctan2, np.maximum, np.logaddexp], ids=lambda u: u.__name__
)
def test_outer(ufunc):
    y = np.array([0.7, 1.3])
    obeys_the_laws(lambda x, y: ufunc.outer(x, y), X, y)
    obeys_the_laws(lambda x, y: ufunc.outer(x, y), X, 1.5)
    obeys_the_laws(lambda y: ufunc.outer([1.0, 2.0], y), y)


def test_outer_is_for_pairs():
    with pytest.raises(ValueError, match="outer"):
        da.vjp(lambda x: np.sin.outer(x, x), X)


def test_reduceat():
    obeys_the_laws(lambda x: np.add.reduceat(x, [0, 2]), X)
    obeys_the_laws(lambda x: np.add.reduceat(x, [1, 2], axis=1), X)
    obeys_the_laws(lambda x: np.add.reduceat(x, [2], axis=-1), X)
    with pytest.raises(NotImplementedError, match="reduceat"):
        da.vjp(lambda x: np.add.reduceat(x, [2, 0]), X)


def test_log_sum_of_infinities():
    """-inf adds nothing; a slice of nothing else is shared evenly, as logaddexp of two equal numbers is."""
    x = np.array([[-np.inf, 0.0, 1.0], [-np.inf, -np.inf, -np.inf], [np.inf, 1.0, np.inf]])
    e = np.exp(1.0)
    want = [[0.0, 1 / (1 + e), e / (1 + e)], [1 / 3] * 3, [0.5, 0.0, 0.5]]
    for mode in (da.jacfwd, da.jacrev):
        jac = mode(lambda x: np.logaddexp.reduce(x, axis=1))(x)
        np.testing.assert_allclose([jac[i, i] for i in range(3)], want, rtol=1e-15 * 4)


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda x: np.add.at(x, [0], 1.0), "numpy.add.at"),
        (lambda x: np.hypot.reduce(x), "numpy.hypot.reduce"),
        (lambda x: np.maximum.accumulate(x), "numpy.maximum.accumulate"),
        (lambda x: np.add.reduce(x, out=np.zeros(4)), "out"),
        (lambda x: np.multiply.reduceat(x, [0]), "numpy.multiply.reduceat"),
    ],
)
def test_what_is_not_covered_is_named(f, words):
    for run in (da.vjp, lambda f, x: da.jvp(f, (x,), (x,))):
        with pytest.raises(NotImplementedError, match=words):
            run(f, X)


def test_log_sum_weights_are_accurate_at_large_values():
    """At most 8 ulp from mpmath: exp(x - result) would be off by the rounding of the result, 1e-13 here."""
    x = np.array([700.1, 699.3, 650.7, 701.9, -20.0])
    got = da.grad(np.logaddexp.reduce)(x), da.jacfwd(np.logaddexp.reduce)(x)
    with mpmath.workprec(400):
        e = [mpmath.exp(mpmath.mpf(float(v))) for v in x]
        for g in got:
            for gi, ei in zip(g, e, strict=True):
                want = ei / sum(e)
                assert abs(mpmath.mpf(float(gi)) - want) <= 8 * want * 2.0**-52 + mpmath.mpf(2) ** -1074


def test_log_sum_with_initial_and_where():
    mask = X > -1.0
    f = lambda x: np.logaddexp.reduce(x, axis=0, initial=0.3)
    g = lambda x: np.logaddexp.reduce(x, axis=1, where=mask, initial=-np.inf)
    obeys_the_laws(f, X)
    obeys_the_laws(g, X)


@pytest.mark.parametrize("ufunc", [np.logaddexp, np.logaddexp2], ids=lambda u: u.__name__)
def test_log_sum_of_one_number(ufunc):
    """It said "'float' object has no attribute 'dtype'"."""
    assert da.value_and_grad(ufunc.reduce)(2.0) == (2.0, 1.0)
    assert da.jvp(ufunc.reduce, (2.0,), (3.0,)) == (2.0, 3.0)


@pytest.mark.parametrize("ufunc", [np.add, np.multiply], ids=lambda u: u.__name__)
def test_a_number_is_not_accumulated(ufunc):
    """NumPy raises TypeError as well; it was an IndexError about a tuple."""
    for transform in (da.grad, da.derivative):
        with pytest.raises(TypeError, match=rf"numpy\.{ufunc.__name__}\.accumulate runs along an axis"):
            transform(ufunc.accumulate)(2.0)

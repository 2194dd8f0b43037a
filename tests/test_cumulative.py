"""Running sums and products: laws, and products through zeros, overflow and long chains."""

import itertools

import numpy as np
import pytest
from array_laws import float32_kept, obeys_the_laws, same_bits

import dualad as da
from dualad.rules.cumulative import recurrence

X = np.random.default_rng(2).normal(size=(2, 3, 4))


@pytest.mark.parametrize("f", [np.cumsum, np.cumprod, np.nancumsum, np.nancumprod])
@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_running(f, axis):
    obeys_the_laws(lambda x: f(x, axis=axis), X)
    float32_kept(lambda x: f(x, axis=axis), X)


@pytest.mark.parametrize("f", [np.cumulative_sum, np.cumulative_prod])
def test_array_api_names(f):
    for axis in (0, -1):
        obeys_the_laws(lambda x, a=axis: f(x, axis=a), X)
        obeys_the_laws(lambda x, a=axis: f(x, axis=a, include_initial=True), X)
    obeys_the_laws(f, X[0, 0])
    obeys_the_laws(f, 1.2)
    with pytest.raises(ValueError, match="axis"):
        da.vjp(f, X)


def test_methods():
    obeys_the_laws(lambda x: x.cumsum() + x.cumprod(), X[0])
    obeys_the_laws(lambda x: x.cumsum(1) * x.cumprod(0), X[0])


def test_nan_elements_are_neutral():
    x = np.array([1.5, np.nan, -0.7, 2.0])
    for f, g in ((np.nancumsum, np.cumsum), (np.nancumprod, np.cumprod)):
        same_bits(da.vjp(f, x)[0], f(x))
        neutral = np.where(np.isnan(x), 0.0 if g is np.cumsum else 1.0, x)
        for mode in (da.jacfwd, da.jacrev):
            want = da.jacfwd(g)(neutral)
            want[:, 1] = 0.0
            np.testing.assert_allclose(mode(f)(x), want, rtol=1e-14)


def running_product_jacobian(x):
    """Entry (k, i): the product of the elements up to k without element i."""
    n = len(x)
    return np.array([[np.prod(np.delete(x[: k + 1], i)) if i <= k else 0.0 for i in range(n)] for k in range(n)])


@pytest.mark.parametrize("zeros", [c for k in range(4) for c in itertools.combinations(range(5), k)], ids=str)
def test_products_through_zeros(zeros):
    """0, 1, 2 and 3 zeros at every place: exact to rounding in both modes; the second order too."""
    x = np.array([1.5, -0.7, 2.5, 0.3, -1.25])
    x[list(zeros)] = 0.0
    want = running_product_jacobian(x)
    for mode in (da.jacfwd, da.jacrev):
        np.testing.assert_allclose(mode(np.cumprod)(x), want, rtol=1e-15 * 8)
        np.testing.assert_allclose(mode(np.prod)(x), want[-1], rtol=1e-15 * 8)
        np.testing.assert_allclose(mode(np.multiply.reduce)(x), want[-1], rtol=1e-15 * 8)
        np.testing.assert_allclose(mode(lambda x: np.prod(x[:, None] * np.ones(2), axis=0))(x), [want[-1]] * 2, rtol=1e-15 * 8)
    hessian = np.array([[0.0 if i == j else np.prod(np.delete(x, [i, j])) for j in range(5)] for i in range(5)])
    for outer, inner in itertools.product((da.jacfwd, da.jacrev), repeat=2):
        np.testing.assert_allclose(outer(inner(np.prod))(x), hessian, rtol=1e-15 * 16)
        np.testing.assert_allclose(outer(inner(lambda x: np.cumprod(x)[-1]))(x), hessian, rtol=1e-15 * 16)
    third = da.jacfwd(da.jacrev(da.jacfwd(np.prod)))(x)
    np.testing.assert_allclose(third[0, 1, 2], x[3] * x[4], rtol=1e-14)
    obeys_the_laws(np.cumprod, x)


def test_products_with_where_and_zeros():
    x = np.array([[0.0, 2.0, 0.0], [3.0, 0.0, 5.0]])
    mask = np.array([[True, True, False], [True, False, True]])
    for mode in (da.jacfwd, da.jacrev):
        np.testing.assert_array_equal(mode(lambda x: np.prod(x, where=mask))(x), [[30.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
        np.testing.assert_array_equal(mode(lambda x: np.prod(x, where=mask, initial=2.0))(x), [[60.0, 0.0, 0.0], [0.0, 0.0, 0.0]])


def test_products_at_the_ends_of_the_range():
    """A running product that under- or overflows on its way cannot be divided by; its derivative is still right."""
    x = np.array([1e-200, 1e-200, 3.0])
    want = running_product_jacobian(x)
    assert want[1, 0] == 1e-200
    for mode in (da.jacfwd, da.jacrev):
        np.testing.assert_allclose(mode(np.cumprod)(x), want, rtol=1e-15)
        np.testing.assert_allclose(mode(np.prod)(x), want[-1], rtol=1e-15)


@pytest.mark.parametrize("f", [np.cumsum, np.cumprod])
@pytest.mark.parametrize("first", [-2.0, 3.0])
def test_what_comes_later_never_multiplies_an_infinity(f, first):
    """The first running value does not depend on the second element, whose derivative is infinite."""
    for g, x in ((np.sqrt, 0.0), (np.arcsin, 1.0)):
        h = lambda x, g=g: f(np.stack([first * x[0], g(x[1])]))[0]
        np.testing.assert_array_equal(da.grad(h)(np.array([1.0, x])), [first, 0.0])


def test_products_of_the_others_that_would_overflow_on_their_way():
    """What is before one element underflows, what is after it overflows; their product is an ordinary number."""
    x = np.array([1e-200, 1e-200, 5.0, 1e200, 1e200, 0.5])
    for mode in (da.jacfwd, da.jacrev):
        np.testing.assert_allclose(mode(np.prod)(x)[[2, 5]], [0.5, 5.0], rtol=1e-15)
        two = mode(lambda x: np.prod(x, axis=1))(np.stack([x, [0.0, 2.0, 3.0, 1.0, 1.0, 1.0]]))
        np.testing.assert_allclose(two[1, 1], [6.0, 0, 0, 0, 0, 0])
        np.testing.assert_allclose(two[0, 0, 2], 0.5, rtol=1e-15)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 100])
def test_recurrence_by_doubling(n):
    rng = np.random.default_rng(n)
    a, b = rng.normal(size=(2, n)), rng.normal(size=(3, 2, n))
    s, want = np.zeros((3, 2)), []
    for k in range(n):
        s = b[..., k] + a[..., k] * s
        want.append(s)
    np.testing.assert_allclose(recurrence(a, b), np.stack(want, axis=-1), rtol=1e-11, atol=1e-12)


def test_speelpenning_of_length_1000():
    x = np.linspace(0.5, 1.6, 1000)
    want = np.prod(x) / x
    np.testing.assert_allclose(da.grad(np.prod)(x), want, rtol=1e-12)
    np.testing.assert_allclose(da.jvp(np.prod, (x,), (x,))[1], 1000 * np.prod(x), rtol=1e-12)

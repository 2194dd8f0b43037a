"""sort, partition, quantiles: permutations and their transposes, NumPy's bits at NaN and zeros of both signs."""

import warnings

import numpy as np
import pytest
from array_laws import float32_kept, obeys_the_laws, same_bits

import dualad as da


def apart(*shape):
    n = int(np.prod(shape))
    return np.random.default_rng(n).permutation(np.linspace(-2.1, 2.3, n)).reshape(shape)


X = apart(2, 3, 4)
METHODS = [
    "inverted_cdf",
    "averaged_inverted_cdf",
    "closest_observation",
    "interpolated_inverted_cdf",
    "hazen",
    "weibull",
    "linear",
    "median_unbiased",
    "normal_unbiased",
    "lower",
    "higher",
    "midpoint",
    "nearest",
]


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_sort_and_partition(axis):
    obeys_the_laws(lambda x: np.sort(x, axis=axis), X)
    obeys_the_laws(lambda x: np.sort(x, axis=axis, kind="mergesort") ** 2, X)
    obeys_the_laws(lambda x: np.sort(x, axis=axis, stable=True), X)
    obeys_the_laws(lambda x: np.partition(x, 1, axis=axis), X)
    float32_kept(lambda x: np.sort(x, axis=axis), X)


def test_partition_of_many():
    x = apart(101)
    for kth in (0, 50, 100, -1, [3, 70]):
        obeys_the_laws(lambda x, k=kth: np.partition(x, k) ** 2, x, second=False)


def test_idioms():
    x = apart(7)
    obeys_the_laws(lambda x: x[np.argsort(x)], x)
    obeys_the_laws(lambda x: np.take_along_axis(x, np.argsort(-x), 0), x)
    obeys_the_laws(lambda x: x[np.argmax(x)] * x[np.argmin(x)], x)
    obeys_the_laws(lambda x: np.stack(sorted(x)) ** 2, x)
    assert da.vjp(lambda x: np.searchsorted(np.sort(x), 0.3) * x[0], x)[0] == np.searchsorted(np.sort(x), 0.3) * x[0]


def test_equal_elements_keep_their_order():
    x = np.array([2.0, 1.0, 2.0, 1.0])
    want = np.eye(4)[[1, 3, 0, 2]]
    for mode in (da.jacfwd, da.jacrev):
        np.testing.assert_array_equal(mode(np.sort)(x), want)


def test_nan_and_zeros_of_both_signs_come_as_numpy_puts_them():
    rng = np.random.default_rng(4)
    for n in (2, 5, 17, 40, 300):
        x = rng.choice([0.0, -0.0, 1.0, -1.0, np.nan, np.inf], size=n)
        for f in (np.sort, lambda x: np.partition(x, len(x) // 2)):
            same_bits(da.vjp(f, x)[0], f(x))
            same_bits(da.jvp(f, (x,), (x,))[0], f(x))
            jac = da.jacfwd(f)(x)
            np.testing.assert_array_equal(jac, da.jacrev(f)(x))
            np.testing.assert_array_equal(jac.sum(axis=0), np.ones(n))
            np.testing.assert_array_equal(jac.sum(axis=1), np.ones(n))


def test_sort_of_what_sort_cannot_do():
    with pytest.raises(np.exceptions.AxisError):
        da.vjp(lambda x: np.sort(x[0]), np.ones(2))
    with pytest.raises(NotImplementedError, match=r"x\.sort\(\)"):
        da.vjp(lambda x: x.sort(), np.ones(2))
    with pytest.raises(NotImplementedError, match="order"):
        da.vjp(lambda x: np.sort(x, order="f"), np.ones(2))


@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2)], ids=str)
@pytest.mark.parametrize("keepdims", [False, True])
def test_median_and_quantiles(axis, keepdims):
    obeys_the_laws(lambda x: np.median(x, axis=axis, keepdims=keepdims), X)
    for q in (0.3, [0.0, 0.5, 0.77, 1.0], [[0.1, 0.2], [0.3, 0.4]]):
        obeys_the_laws(lambda x, q=q: np.quantile(x, q, axis=axis, keepdims=keepdims) ** 2, X)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_of_percentile(method):
    obeys_the_laws(lambda x: np.percentile(x, [10.0, 37.0, 50.0, 92.0], axis=1, method=method), X)
    obeys_the_laws(lambda x: np.percentile(x, 64.0, method=method), apart(9), second=False)


def test_median_of_odd_even_and_one():
    for n, want in ((1, [1.0]), (2, [0.5, 0.5]), (3, [0.0, 1.0, 0.0]), (4, [0.0, 0.5, 0.5, 0.0])):
        for mode in (da.jacfwd, da.jacrev):
            np.testing.assert_array_equal(mode(np.median)(np.arange(1.0, n + 1.0)), want)
    float32_kept(np.median, apart(6))


def test_median_of_nan_is_nan_in_value_and_derivative():
    x = np.array([[1.0, np.nan, 2.0], [1.0, 2.0, 4.0]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        out, tangent = da.jvp(lambda x: np.median(x, axis=1), (x,), (np.ones((2, 3)),))
    np.testing.assert_array_equal(np.isnan(out), [True, False])
    np.testing.assert_array_equal(tangent, [np.nan, 1.0])


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda x: np.quantile(np.arange(5.0), x[0]), "traced q"),
        (lambda x: np.quantile(x, 0.5, weights=[1, 1], method="inverted_cdf"), "weights"),
        (lambda x: np.median(x, out=np.zeros(())), "out"),
    ],
)
def test_what_is_not_covered_is_named(f, words):
    with pytest.raises(NotImplementedError, match=words):
        da.vjp(f, np.array([0.25, 0.5]))

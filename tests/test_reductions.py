"""Reductions: NumPy's bits, the laws of array_laws over every keyword, and what happens at ties, constant slices and NaN."""

import itertools
import warnings

import numpy as np
import pytest
from array_laws import float32_kept, obeys_the_laws, same_bits

import dualad as da

AXES = [None, 0, 1, -1, (0, 2), (1, 0), (-1, 0, 1)]
NUMBERS = ["sum", "mean", "prod", "var", "std", "nansum", "nanmean", "nanprod", "nanvar", "nanstd"]
EXTREMA = ["max", "min", "amax", "amin", "nanmax", "nanmin", "ptp"]


def apart(*shape):
    """Distinct numbers, far enough from each other for differences not to change their order."""
    n = int(np.prod(shape))
    return np.random.default_rng(n).permutation(np.linspace(-2.1, 2.3, n)).reshape(shape)


X = apart(2, 3, 4)
MASK = np.array([[True, False, True, True], [False, True, True, True], [True, True, False, True]])


@pytest.mark.parametrize("name", NUMBERS + EXTREMA)
@pytest.mark.parametrize("axis", AXES, ids=str)
@pytest.mark.parametrize("keepdims", [False, True])
def test_axes_and_keepdims(name, axis, keepdims):
    f = getattr(np, name)
    obeys_the_laws(lambda x: f(x, axis=axis, keepdims=keepdims), X, second=keepdims)


@pytest.mark.parametrize("name", [*NUMBERS, *EXTREMA, "median"])
def test_ranks_and_layouts(name):
    f = getattr(np, name)
    obeys_the_laws(f, apart(5))
    if "std" not in name:
        obeys_the_laws(f, 1.3)
        obeys_the_laws(f, np.array(1.3))
    x = apart(6, 8)[::2, ::-2]
    obeys_the_laws(lambda x: f(x, axis=0), x)
    obeys_the_laws(lambda x: f(x.T, axis=0), x, second=False)
    obeys_the_laws(lambda x: f(x[:, 1]), x, second=False)


@pytest.mark.parametrize("name", NUMBERS)
def test_where(name):
    f = getattr(np, name)
    x = apart(3, 4)
    for keywords in ({"axis": 0}, {"axis": 1, "keepdims": True}, {}, {"axis": (0, 1)}):
        obeys_the_laws(lambda x, k=keywords: f(x, where=MASK, **k), x)
    obeys_the_laws(lambda x: f(x, axis=1, where=MASK[:, :1] | True), x)


@pytest.mark.parametrize("name", ["max", "min", "nanmax", "nanmin"])
def test_extrema_with_where_and_initial(name):
    f, edge = getattr(np, name), -9.0 if "max" in name else 9.0
    x = apart(3, 4)
    obeys_the_laws(lambda x: f(x, axis=0, where=MASK, initial=edge), x)
    obeys_the_laws(lambda x: f(x, axis=0, initial=0.1), x)
    obeys_the_laws(lambda x: f(x, where=MASK, initial=edge, keepdims=True), x)


@pytest.mark.parametrize("name", ["sum", "prod", "nansum", "nanprod"])
def test_initial(name):
    f = getattr(np, name)
    obeys_the_laws(lambda x: f(x, axis=0, initial=1.7), apart(3, 4))
    obeys_the_laws(lambda x: f(x, initial=1.7, where=MASK), apart(3, 4))


@pytest.mark.parametrize("name", ["var", "std", "nanvar", "nanstd"])
def test_degrees_of_freedom(name):
    f, x = getattr(np, name), apart(3, 4)
    obeys_the_laws(lambda x: f(x, axis=0, ddof=1), x)
    obeys_the_laws(lambda x: f(x, axis=(0, 1), correction=1.5), x)
    obeys_the_laws(lambda x: f(x, axis=1, ddof=1, where=MASK), x)


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "max", "min", "var", "std"])
def test_methods_of_arrays_and_scalars(name):
    x = apart(3, 4)
    obeys_the_laws(lambda x: getattr(x, name)(), x, second=False)
    obeys_the_laws(lambda x: getattr(x, name)(0), x, second=False)
    obeys_the_laws(lambda x: getattr(x, name)(axis=-1, keepdims=True), x, second=False)
    obeys_the_laws(lambda x: getattr(x[0, 0] * 2.0, name)(), x, second=False)


@pytest.mark.parametrize("name", NUMBERS + EXTREMA)
def test_float32_stays_float32(name):
    f = getattr(np, name)
    x = apart(3, 4)
    float32_kept(lambda x: f(x, axis=0), x)
    float32_kept(lambda x: f(x, axis=(0, 1), keepdims=True), x)
    if name != "ptp":
        where = {"where": MASK} | ({"initial": -9.0 if "max" in name else 9.0} if name in EXTREMA else {})
        float32_kept(lambda x: f(x, axis=0, **where), x)


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "var", "std", "nansum", "nanprod", "nanvar"])
def test_dtype_of_the_accumulator(name):
    """A float32 array reduced in float64: NumPy's float64 result; the gradient goes back to float32."""
    f, x = getattr(np, name), apart(3, 4).astype(np.float32)
    t = np.linspace(0.5, 1.0, 12, dtype=np.float32).reshape(3, 4)
    g = lambda x: f(x, axis=0, dtype=np.float64)
    out, tangent = da.jvp(g, (x,), (t,))
    same_bits(out, g(x))
    exact = da.jvp(lambda x: f(x, axis=0), (x.astype(float),), (t.astype(float),))[1]
    np.testing.assert_allclose(tangent, exact, rtol=1e-6)
    out, pullback = da.vjp(g, x)
    same_bits(out, g(x))
    (ct,) = pullback(np.ones(4))
    assert ct.dtype == np.float32
    assert abs(np.sum(ct * t) - np.sum(tangent)) < 1e-5 * (1 + abs(np.sum(tangent)))
    low = lambda x: f(x, axis=0, dtype=np.float32)
    same_bits(da.vjp(low, x.astype(float))[0], low(x.astype(float)))


def test_long_sums_keep_numpys_bits():
    """NumPy's pairwise sum, in blocks and across the buffer of a cast, is not repeated by us but called."""
    rng = np.random.default_rng(5)
    for n in (7, 8, 9, 127, 128, 129, 1000, 8193, 20011):
        x = rng.normal(size=n) * 10.0 ** rng.integers(-8, 8, size=n)
        for f in (
            np.sum,
            np.mean,
            np.var,
            np.std,
            np.prod,
            np.max,
            lambda x: x.sum(),
            lambda x: np.sum(x[::2]),
            lambda x: np.sum(x, where=x > 0),
            lambda x: np.sum(x, initial=1e8),
            lambda x: np.sum(np.reshape(x[: n // 7 * 7], (7, -1)), axis=0),
        ):
            for g in (da.vjp, lambda f, x: da.jvp(f, (x,), (x,))):
                same_bits(g(f, x)[0], f(x))
        single = x.astype(np.float32)
        same_bits(da.vjp(lambda x: np.sum(x, dtype=np.float64), single)[0], np.sum(single, dtype=np.float64))
        same_bits(da.vjp(np.mean, single)[0], np.mean(single))


def test_half_precision_mean_is_summed_in_single_precision():
    f = lambda x: np.mean(x.astype(np.float16))
    x = np.linspace(0, 1, 3001, dtype=np.float32)
    same_bits(da.vjp(f, x)[0], f(x))
    out, tangent = da.jvp(f, (x,), (np.ones_like(x),))
    same_bits(out, f(x))
    assert tangent.dtype == np.float16
    assert tangent == 1.0


@pytest.mark.parametrize("f", [np.max, np.min, np.nanmax, np.nanmin, np.maximum.reduce, np.fmin.reduce])
def test_ties_share_evenly_in_both_modes(f):
    sign = 1.0 if f in (np.max, np.nanmax) or f == np.maximum.reduce else -1.0
    x = sign * np.array([[1.0, 3.0, 3.0, 0.0], [2.0, 2.0, 2.0, 2.0], [0.0, -0.0, -1.0, -1.0]])
    want = np.array([[0, 0.5, 0.5, 0], [0.25] * 4, [0.5, 0.5, 0, 0]])
    forward, reverse = da.jacfwd(lambda x: f(x, axis=1))(x), da.jacrev(lambda x: f(x, axis=1))(x)
    for i in range(3):
        np.testing.assert_array_equal(forward[i, i], want[i])
        np.testing.assert_array_equal(reverse[i, i], want[i])
    whole = da.grad(lambda x: f(x, axis=None))(x)
    np.testing.assert_array_equal(whole, np.array([[0, 0.5, 0.5, 0], [0] * 4, [0] * 4]))
    assert np.all(da.jvp(da.grad(lambda x: f(x, axis=None)), (x,), (x,))[1] == 0.0)
    single = da.grad(lambda x: f(x, axis=None))(x.astype(np.float32))
    np.testing.assert_array_equal(single, whole)


def test_a_constant_that_ties_with_the_maximum_takes_its_part():
    x = np.array([1.0, 3.0, 3.0])
    f = lambda x: np.max(x, initial=3.0)
    np.testing.assert_allclose(da.grad(f)(x), [0, 1 / 3, 1 / 3], rtol=1e-15)
    np.testing.assert_allclose(da.jacfwd(f)(x), [0, 1 / 3, 1 / 3], rtol=1e-15)
    assert np.all(da.grad(lambda x: np.max(x, initial=4.0))(x) == 0.0)


@pytest.mark.parametrize("tied", [False, True])
def test_what_is_not_the_maximum_never_multiplies_an_infinity(tied):
    """d sqrt at 0 is inf; an element that the maximum does not choose must not make inf * 0."""
    x = np.array([0.0, 4.0, 4.0 if tied else 1.0])
    want = [0.0, 0.125, 0.125] if tied else [0.0, 0.25, 0.0]
    for f in (
        lambda x: np.max(np.sqrt(x)),
        lambda x: np.max(np.sqrt(x), axis=0, keepdims=True)[0],
        lambda x: np.max(np.sqrt(np.stack([x, x])), axis=1)[0],
        lambda x: np.max(np.sqrt(x), where=x > 3, initial=0),
    ):
        np.testing.assert_array_equal(da.grad(f)(x), want)
        np.testing.assert_array_equal(da.jacfwd(f)(x), want)
    masked = lambda x: np.sum(np.sqrt(x), where=x > 0)
    assert np.all(np.isfinite(da.grad(masked)(x)))
    assert np.all(np.isfinite(da.jacfwd(masked)(x)))


def test_a_maximum_attained_once_costs_no_entry():
    """It is the element itself: log-sum-exp pays for its maximum no more than for an index."""
    from dualad.reverse import record

    x = apart(50)
    assert (
        record(lambda x: np.max(x), [x], lambda xs: tuple(xs)).level.nodes
        == record(lambda x: x[3], [x], lambda xs: tuple(xs)).level.nodes
    )


def test_maximum_of_nan_is_nan_and_the_derivative_sits_on_it():
    x = np.array([1.0, np.nan, 3.0])
    assert np.isnan(da.vjp(np.max, x)[0])
    np.testing.assert_array_equal(da.grad(np.max)(x), [0, 1, 0])
    np.testing.assert_array_equal(da.grad(np.nanmax)(x), [0, 0, 1])
    np.testing.assert_array_equal(da.jacfwd(np.nanmax)(x), [0, 0, 1])


@pytest.mark.parametrize("name", ["nansum", "nanmean", "nanprod", "nanvar", "nanstd", "nanmax", "nanmin"])
def test_nan_elements_are_left_out(name):
    f = getattr(np, name)
    x = apart(3, 4)
    holes = x.copy()
    holes[0, 1] = holes[2, 2] = holes[1, 2] = np.nan
    kept = ~np.isnan(holes)
    for axis in (None, 0, 1):
        g = lambda x, a=axis: f(x, axis=a)
        same_bits(da.vjp(g, holes)[0], g(holes))
        same_bits(da.jvp(g, (holes,), (x,))[0], g(holes))
        # the same function of the elements that are there
        embed = lambda v, g=g: g(np.where(kept, np.zeros((3, 4)) + v, np.nan))
        obeys_the_laws(embed, x)
        for mode in (da.jacfwd, da.jacrev):
            jac = mode(g)(holes)
            assert np.all(jac[..., ~kept] == 0.0)
            np.testing.assert_allclose(jac, mode(embed)(x), rtol=1e-12)


@pytest.mark.parametrize("f", [np.std, np.nanstd, lambda x, axis: np.std(x, axis=axis, ddof=1), lambda x, axis: x.std(axis)])
def test_std_of_a_constant_slice_has_derivative_zero(f):
    """As norm'(0) = 0; 0.1 three times has a rounded mean, so a std that is not 0, and no more of a derivative."""
    x = np.array([[0.1, 0.1, 0.1], [1.0, 2.0, 4.0], [0.0, 0.0, 0.0]])
    forward, reverse = da.jacfwd(lambda x: f(x, axis=1))(x), da.jacrev(lambda x: f(x, axis=1))(x)
    np.testing.assert_allclose(forward, reverse, rtol=1e-15)
    assert np.all(forward[0] == 0.0)
    assert np.all(forward[2] == 0.0)
    assert np.all(np.abs(forward[1, 1]) > 0.01)
    g = lambda x: np.sum(f(x, axis=1) * np.array([0.0, 1.0, 0.0]))
    second = da.jvp(da.grad(g), (x,), (x * x,))[1]
    assert np.all(np.isfinite(second))


@pytest.mark.parametrize("name", ["sum", "prod", "mean", "var", "nansum", "cumsum", "cumprod"])
def test_empty_arrays(name):
    f = getattr(np, name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        for shape in ((0,), (0, 3), (3, 0)):
            x = np.zeros(shape)
            out, pullback = da.vjp(f, x)
            same_bits(out, f(x))
            assert pullback(np.ones(np.shape(out))[()])[0].shape == shape
            same_bits(da.jvp(f, (x,), (x,))[0], f(x))
            out, pullback = da.vjp(lambda x: f(x, axis=0), x)
            same_bits(out, f(x, axis=0))
            assert pullback(np.ones(np.shape(out))[()])[0].shape == shape


def test_errors_are_numpys():
    x = np.zeros((2, 0))
    for f, error in (
        (lambda x: np.max(x), ValueError),
        (lambda x: np.sum(x, axis=2), np.exceptions.AxisError),
        (lambda x: np.sum(x, axis=(0, 0)), ValueError),
        (lambda x: np.std(x, ddof=1, correction=1), ValueError),
    ):
        with pytest.raises(error):
            f(x)
        for g in (da.vjp, lambda f, x: da.jvp(f, (x,), (x,))):
            with pytest.raises(error):
                g(f, x)


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda x: np.sum(x, 0, None, np.zeros(2)), "numpy.sum with out="),
        (lambda x: np.mean(x, out=np.zeros(())), "numpy.mean with out="),
        (lambda x: np.var(x, mean=1.0), "numpy.var with mean="),
        (lambda x: np.sum(x, initial=x[0, 0]), "numpy.sum with a traced initial="),
        (lambda x: np.sum(x, dtype=int), "numpy.sum with dtype=int64"),
        (lambda x: np.cumsum(x, dtype=complex), "numpy.cumsum with dtype=complex128"),
        (lambda x: np.nanmedian(x), "nanmedian"),
        (lambda x: np.i0(x), "i0"),
    ],
)
def test_what_is_not_covered_is_named(f, words):
    x = apart(2, 2)
    for run in (da.vjp, lambda f, x: da.jvp(f, (x,), (x,))):
        with pytest.raises((NotImplementedError, TypeError), match=words.replace("=", ".")):
            run(f, x)


def test_average():
    w, x = np.array([0.4, 1.2, 0.3, 0.7]), apart(3, 4)
    obeys_the_laws(np.average, x)
    obeys_the_laws(lambda x, w: np.average(x, axis=1, weights=w), x, w)
    obeys_the_laws(lambda x, w: np.average(x, weights=w), x, x * x + 0.3)
    obeys_the_laws(lambda x, w: np.average(x, axis=0, weights=w), x, x * x + 0.3)
    obeys_the_laws(lambda x, w: np.average(x, axis=(2, 1), weights=w, keepdims=True), X, np.arange(1.0, 13.0).reshape(4, 3))
    obeys_the_laws(lambda x: np.average(x, axis=1, weights=[1, 2, 3, 4]), x)
    same_bits(
        da.vjp(lambda x: np.average(x, axis=1, weights=w, returned=True), x)[0], np.average(x, axis=1, weights=w, returned=True)
    )
    same_bits(da.vjp(lambda x: np.average(x, axis=1, returned=True), x)[0], np.average(x, axis=1, returned=True))
    for bad, error in (
        (lambda x: np.average(x, weights=np.zeros((3, 4))), ZeroDivisionError),
        (lambda x: np.average(x, weights=w), TypeError),
        (lambda x: np.average(x, axis=0, weights=w), ValueError),
    ):
        with pytest.raises(error):
            bad(x)
        with pytest.raises(error):
            da.vjp(bad, x)


def test_trace():
    obeys_the_laws(np.trace, apart(3, 4))
    obeys_the_laws(lambda x: x.trace(-1), apart(3, 4))
    obeys_the_laws(lambda x: np.trace(x, 1, 2, 0), X)
    float32_kept(np.trace, apart(3, 3))


def test_log_sum_exp_by_hand():
    def logsumexp(x):
        m = np.max(x, axis=-1, keepdims=True)
        return np.squeeze(m, -1) + np.log(np.sum(np.exp(x - m), axis=-1))

    obeys_the_laws(logsumexp, 3 * X)
    obeys_the_laws(logsumexp, np.array([700.0, 710.0, -800.0, 709.0]))
    tied = np.array([5.0, 5.0, 1.0])
    np.testing.assert_allclose(da.grad(logsumexp)(tied), np.exp(tied - logsumexp(tied)), rtol=4e-16 * 4)


def test_integers_and_lists_of_traced_values():
    f = lambda x: np.sum([x[0], 2.0, x[1] * x[0]]) + np.max([x[0], x[1]]) + np.prod([x[0], x[1], 3.0])
    obeys_the_laws(f, np.array([1.5, 0.3]))
    obeys_the_laws(lambda x: sum(x) + max(x) - min(x), np.array([1.5, 0.3, 2.0]))


W = np.array([[0.3, 1.2, 0.5], [0.7, -0.4, 2.0]])


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(np.sum(x * x, axis=0) ** 2),
        lambda x: np.sum(np.mean(x, axis=1) ** 3),
        lambda x: np.sum(np.max(x * x, axis=0) ** 2),
        lambda x: np.sum(np.var(x, axis=0) ** 2),
        lambda x: np.sum(np.std(x, axis=1) ** 2 * x[:, 0]),
        lambda x: np.sum(np.nanstd(x, axis=1) ** 3),
        lambda x: np.sum(np.prod(x, axis=1) ** 2),
        lambda x: np.sum(np.prod(x, axis=1, where=W > 0) ** 2),
        lambda x: np.sum(np.cumprod(x, axis=1) ** 2),
        lambda x: np.sum(np.sort(x, axis=None) ** 3 * np.arange(6.0)),
        lambda x: np.sum(np.quantile(x, [0.2, 0.7], axis=1) ** 3),
        lambda x: np.sum(np.logaddexp.reduce(x, axis=1) ** 2),
        lambda x: np.sum(np.clip(x - x[0, 0], 0.0, -0.0) ** 3 + np.clip(x, -1, 1) ** 3),
        lambda x: np.average(x * x, weights=x * x + 1),
        lambda x: np.sum(np.sinc(x) ** 2),
    ],
)
def test_three_orders_in_every_combination_of_modes(f):
    """Eight third derivatives are one, and the Hessian's difference; lanes inside lanes inside lanes."""
    modes = (da.jacfwd, da.jacrev)
    x = apart(2, 3)
    hessians = [a(b(f))(x) for a, b in itertools.product(modes, repeat=2)] + [da.hessian(f)(x)]
    for h in hessians[1:]:
        np.testing.assert_allclose(h, hessians[0], rtol=1e-11, atol=1e-12 * (1 + np.max(np.abs(h))))
    thirds = [a(b(c(f)))(x) for a, b, c in itertools.product(modes, repeat=3)]
    for t in thirds[1:]:
        np.testing.assert_allclose(t, thirds[0], rtol=1e-11, atol=1e-12 * (1 + np.max(np.abs(t))))
    step = 1e-4
    difference = (da.hessian(f)(x + step * W) - da.hessian(f)(x - step * W)) / (2 * step)
    np.testing.assert_allclose(difference, np.tensordot(thirds[0], W, 2), atol=1e-6 * (1 + np.max(np.abs(difference))))

"""clip, round, fix, sinc, nan_to_num, real and imaginary parts."""

import itertools

import mpmath
import numpy as np
import pytest
from array_laws import float32_kept, obeys_the_laws, same_bits

import dualad as da

X = np.array([[-1.73, -0.52, 0.31], [0.11, 0.74, 2.9]])


def test_clip():
    obeys_the_laws(lambda x, a, b: np.clip(x, a, b), X, -0.5, 0.6)
    obeys_the_laws(lambda x: np.clip(x, 0, None), X)
    obeys_the_laws(lambda x: np.clip(x, 0.0, None) ** 2, X)
    obeys_the_laws(lambda x: x.clip(max=0.3), X)
    obeys_the_laws(lambda x: np.clip(x, min=-1, max=[0.0, 0.5, 1.0]), X)
    obeys_the_laws(lambda x, a: np.clip(x, a, np.ones(3)), X, np.array([[0.2], [0.3]]))
    obeys_the_laws(lambda x: np.clip(x, 1.0, -1.0), X)
    obeys_the_laws(lambda x: np.clip(x, 0.0, 1.0), 0.3)
    obeys_the_laws(lambda a: np.clip(np.array([-1.0, 0.0, 2.0]), a, 1.5), 0.3)
    float32_kept(lambda x: np.clip(x, -0.5, 0.6), X)
    float32_kept(lambda x: np.clip(x, 0, 1), X)


def test_clip_keeps_numpys_zeros():
    """minimum and maximum choose among 0.0 and -0.0 otherwise than clip does."""
    values = np.array([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan])
    for n in (1, 3, 8, 37):
        for seed in range(20):
            x, low, high = np.random.default_rng(seed).choice(values, size=(3, n))
            for f in (
                lambda x, low=low, high=high: np.clip(x, low, high),
                lambda x: np.clip(x, 0.0, None),
                lambda x: np.clip(x, -0.0, 0.0),
            ):
                for out in (da.vjp(f, x)[0], da.jvp(f, (x,), (np.ones(n),))[0]):
                    np.testing.assert_array_equal(out, f(x))
                    finite = ~np.isnan(out)
                    np.testing.assert_array_equal(np.signbit(out)[finite], np.signbit(f(x))[finite])


@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_clip_splits_ties_as_minimum_of_maximum(shift):
    """shift 0 goes by clip's own rule (zeros in x and bounds), shift 1 by the rows of maximum and minimum."""
    for x, low, high in itertools.product((0.0, 1.0, 2.0), repeat=3):
        point = (x + shift, low + shift, high + shift)
        for mode in (da.jacfwd, da.jacrev):
            got = mode(np.clip, argnums=(0, 1, 2))(*(np.array([p]) for p in point))
            want = mode(lambda x, a, b: np.minimum(np.maximum(x, a), b), argnums=(0, 1, 2))(*(np.array([p]) for p in point))
            np.testing.assert_array_equal(np.ravel(got), np.ravel(want))


def test_clip_does_not_multiply_what_it_cuts_off():
    f = lambda x: np.sum(np.clip(np.sqrt(x), 0.5, 3.0))
    x = np.array([0.0, 4.0])
    np.testing.assert_array_equal(da.grad(f)(x), [0.0, 0.25])
    np.testing.assert_array_equal(da.jacfwd(f)(x), [0.0, 0.25])


def test_steps():
    for f in (np.round, np.around, np.fix, lambda x: np.round(x, 1), lambda x: x.round(1), lambda x: np.round(x, -1)):
        obeys_the_laws(lambda x, f=f: f(x) * x, X)
        float32_kept(f, X)
        assert np.all(da.jacrev(f)(X) == 0.0)
        assert np.all(da.jacfwd(f)(X) == 0.0)


def test_sinc():
    obeys_the_laws(np.sinc, X)
    obeys_the_laws(np.sinc, 0.3)
    obeys_the_laws(np.sinc, np.array([0.0, 1e-9, 1.0, -3.25, 40.5]))
    float32_kept(np.sinc, X)
    x = np.linspace(-30, 30, 2001)
    same_bits(da.vjp(np.sinc, x)[0], np.sinc(x))


def test_derivatives_of_sinc_near_and_far_from_zero():
    """At most 8 ulp from mpmath, to the third derivative."""
    x = np.array([0.0, 1e-300, 1e-12, 1e-5, 3e-3, 0.1, 0.49, 0.77, 1.9, 7.3, 150.25])
    f, df = np.sinc, []
    for _ in range(3):
        f = (lambda f: lambda x: da.jvp(f, (x,), (np.ones_like(x),))[1])(f)
        df.append(f(x))
    with mpmath.workprec(400):
        for order, got in enumerate(df, 1):
            for xi, d in zip(x, got, strict=True):
                z = mpmath.mpf(float(xi))
                series = lambda z, n=order: mpmath.nsum(
                    lambda j: (
                        0
                        if 2 * int(j) < n
                        else (-1) ** int(j)
                        * mpmath.pi ** (2 * int(j))
                        * mpmath.factorial(2 * int(j))
                        / mpmath.factorial(2 * int(j) - n)
                        * z ** (2 * int(j) - n)
                        / mpmath.factorial(2 * int(j) + 1)
                    ),
                    [0, 60],
                )
                want = series(z) if z < 2 else mpmath.diff(lambda t: mpmath.sin(mpmath.pi * t) / (mpmath.pi * t), z, order)
                assert abs(mpmath.mpf(float(d)) - want) <= 8 * abs(want) * 2.0**-52 + mpmath.mpf(2) ** -1074


def test_nan_to_num():
    obeys_the_laws(np.nan_to_num, X)
    x = np.array([1.0, np.nan, np.inf, -np.inf, 2.0])
    f = lambda x: np.nan_to_num(x, nan=3.0, posinf=9.0)
    same_bits(da.vjp(f, x)[0], f(x))
    for mode in (da.jacfwd, da.jacrev):
        np.testing.assert_array_equal(mode(f)(x), np.diag([1.0, 0, 0, 0, 1]))


def test_real_and_imaginary_parts():
    obeys_the_laws(lambda x: np.real(x) * x.real + x.conj() + np.conj(x), X)
    obeys_the_laws(np.real_if_close, X)
    obeys_the_laws(lambda x: x + np.imag(x) + x.imag, X)
    obeys_the_laws(lambda x: x * (1.0 + np.imag(x)), 0.4)

"""np.interp: slopes of segments, weights of points, what lies outside."""

import numpy as np
import pytest
from array_laws import obeys_the_laws

import dualad as da

XP, FP = np.array([-1.0, 0.0, 0.5, 2.0]), np.array([1.0, 3.0, -1.0, 0.5])
X = np.array([-2.0, -0.7, 0.1, 0.2, 1.3, 5.0])

CASES = {
    "x": (lambda x: np.interp(x, XP, FP), X),
    "a float": (lambda x: np.interp(x, XP, FP), 0.3),
    "a matrix": (lambda x: np.interp(x, XP, FP), X.reshape(2, 3)),
    "fp": (lambda fp: np.interp(X, XP, fp), FP),
    "both": (lambda x, fp: np.interp(x, XP, fp), X, FP),
    "both, a float": (lambda x, fp: np.interp(x, XP, fp), 0.3, FP),
    "ends given": (lambda x, fp: np.interp(x, XP, fp, left=7.0, right=-7.0), X, FP),
    "one point": (lambda x, fp: np.interp(x, [0.0], fp), X, FP[:1]),
    "a list as fp": (lambda fp: np.interp(fp[:2], XP, [fp[0], 1.0, fp[1], fp[2]]), FP),
    "composed": (lambda x, fp: np.sin(np.interp(x * x, XP, np.exp(0.3 * fp))) * x, X * 0.3, FP),
}


@pytest.mark.parametrize("case", CASES)
def test_laws(case):
    f, *args = CASES[case]
    obeys_the_laws(f, *args)


def test_slopes_in_closed_form():
    slopes = np.diff(FP) / np.diff(XP)
    got = da.grad(lambda x: np.sum(np.interp(x, XP, FP)))(np.array([-2.0, -0.5, 0.25, 1.0, 3.0]))
    np.testing.assert_allclose(got, [0.0, *slopes, 0.0], rtol=1e-15)


def test_at_a_point_the_slope_is_the_right_segments_in_both_modes():
    slopes = np.diff(FP) / np.diff(XP)
    for x, want in zip(XP, [*slopes, slopes[-1]], strict=True):
        f = lambda x: np.interp(x, XP, FP)
        assert da.grad(f)(x) == da.derivative(f)(x) == pytest.approx(want, rel=1e-15)


def test_what_is_not_covered_says_so():
    for f in (lambda xp: np.interp(0.3, xp, FP), lambda xp: np.interp(xp, XP, FP, left=xp[0])):
        with pytest.raises(NotImplementedError, match=r"numpy\.interp with traced"):
            da.grad(f)(XP)
    with pytest.raises(NotImplementedError, match="period"):
        da.grad(lambda x: np.interp(x, XP, FP, period=3.0))(0.3)

"""Where a derivative does not exist: one convention, in both modes and every carrier; and no NaN from a branch not taken."""

from __future__ import annotations

import math

import numpy as np
import pytest

import dualad
from dualad import math as dmath

inf = math.inf


def ones(x):
    return np.ones(np.shape(x))


#: carrier -> derivative of an elementwise function of one variable at a float
CARRIERS = {
    "Dual": lambda f, x: dualad.derivative(f)(x),
    "Var": lambda f, x: dualad.grad(f)(x),
    "DualVec": lambda f, x: dualad.jacfwd(lambda t: f(t[0]) * 1.0)(np.array([x, 0.5]))[0],
    "element of VarArray": lambda f, x: dualad.grad(lambda t: f(t[1]))(np.array([0.5, x]))[1],
    "VarArray": lambda f, x: dualad.grad(lambda t: np.sum(f(t)))(np.full(6, x))[5],
    "VarArray 0-d": lambda f, x: dualad.grad(lambda t: np.sum(f(t)))(np.array(x)),
    "strided VarArray": lambda f, x: dualad.grad(lambda t: np.sum(f(t[::2])))(np.full(6, x))[4],
    "DualArray": lambda f, x: dualad.jvp(f, (np.full(3, x),), (np.ones(3),))[1][2],
    "DualArray with lanes": lambda f, x: np.diag(dualad.jacfwd(f)(np.full(3, x)))[2],
    "VarArray with lanes": lambda f, x: np.diag(dualad.jacrev(f)(np.full(3, x)))[2],
    "float32": lambda f, x: dualad.grad(lambda t: np.sum(f(t)))(np.full(3, x, np.float32))[2],
    "forward over forward": lambda f, x: dualad.jvp(dualad.derivative(f), (x,), (0.0,))[0],
    "forward over reverse": lambda f, x: dualad.jvp(dualad.grad(lambda t: np.sum(f(t))), (np.full(3, x),), (np.zeros(3),))[0][2],
    "reverse over reverse": lambda f, x: dualad.vjp(dualad.grad(lambda t: np.sum(f(t))), np.full(3, x))[0][2],
    "reverse over forward": lambda f, x: dualad.vjp(dualad.derivative(f), x)[0],
}

UNARY_KINKS = [
    ("abs", abs, 0.0, 0.0),
    ("abs at -0", abs, -0.0, 0.0),
    ("absolute", np.absolute, 0.0, 0.0),
    ("fabs", np.fabs, 0.0, 0.0),
    ("sign", np.sign, 0.0, 0.0),
    *[(f"{f.__name__} at {x}", f, x, 0.0) for f in (np.floor, np.ceil, np.trunc, np.rint) for x in (2.0, -1.0, 0.0, 0.5)],
    ("sqrt", np.sqrt, 0.0, inf),
    ("cbrt", np.cbrt, 0.0, inf),
    ("x**0.5", lambda x: x**0.5, 0.0, inf),
    ("x**1", lambda x: x**1, 0.0, 1.0),
    ("x**2", lambda x: x**2, 0.0, 0.0),
    ("x**3", lambda x: x**3, 0.0, 0.0),
    ("x**0", lambda x: x**0, 0.0, 0.0),
    ("x**-1", lambda x: x**-1.0, 1.0, -1.0),
    ("0**x", lambda x: 0.0**x, 2.0, 0.0),
    ("0**x at 0", lambda x: 0.0**x, 0.0, 0.0),
    ("max(x, 0)", lambda x: np.maximum(x, 0.0), 0.0, 0.5),
    ("max(0, x)", lambda x: np.maximum(0.0, x), 0.0, 0.5),
    ("min(x, 1)", lambda x: np.minimum(x, 1.0), 1.0, 0.5),
    ("fmax(x, 1)", lambda x: np.fmax(x, 1.0), 1.0, 0.5),
    ("fmin(1, x)", lambda x: np.fmin(1.0, x), 1.0, 0.5),
    ("max(x, x)", lambda x: np.maximum(x, x), 0.7, 1.0),
    ("hypot(x, 0)", lambda x: np.hypot(x, 0.0), 0.0, 0.0),
    ("hypot(x, x)", lambda x: np.hypot(x, x), 0.0, 0.0),
    ("heaviside", lambda x: np.heaviside(x, 0.5), 0.0, 0.0),
    ("copysign", lambda x: np.copysign(x, 1.0), 0.0, 0.0),
    ("x // 1", lambda x: x // 1.0, 2.0, 0.0),
    ("x % 1", lambda x: x % 1.0, 2.0, 1.0),
    ("sinc", np.sinc, 0.0, 0.0),
]


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize(("f", "x", "wanted"), [k[1:] for k in UNARY_KINKS], ids=[k[0] for k in UNARY_KINKS])
def test_convention(f, x, wanted, carrier):
    """One table of subgradients, whatever carries the number."""
    with np.errstate(all="ignore"):
        assert float(CARRIERS[carrier](f, x)) == wanted


@pytest.mark.parametrize("f", [dmath.fabs, dmath.sign, dmath.floor, dmath.trunc, dmath.ceil], ids=lambda f: f.__name__)
def test_math_mirror_has_the_same_conventions(f):
    """dualad.math at a kink, both modes."""
    assert dualad.derivative(f)(0.0) == dualad.grad(f)(0.0) == 0.0


@pytest.mark.parametrize("f", [np.maximum, np.minimum, np.fmax, np.fmin])
@pytest.mark.parametrize("kind", [float, lambda v: np.full(4, v)], ids=["scalar", "array"])
def test_ties_split_evenly(f, kind):
    """Both operands traced and equal: half each; of two tied operands a constant takes its half, too."""
    x = kind(1.5)
    for g in dualad.grad(lambda a, b: np.sum(f(a, b)), argnums=(0, 1))(x, x):
        np.testing.assert_array_equal(g, kind(0.5))
    out, tangent = dualad.jvp(f, (x, x), (kind(1.0), kind(3.0)))
    np.testing.assert_array_equal(tangent, kind(2.0))
    np.testing.assert_array_equal(out, x)


@pytest.mark.parametrize("f", [np.max, np.min])
def test_ties_of_a_reduction_split_evenly(f):
    """max over k equal entries gives each 1/k."""
    x = np.array([[2.0, 2.0, 2.0], [1.0, 3.0, 3.0]]) * (1.0 if f is np.max else -1.0)
    wanted = np.array([[1 / 3] * 3, [0.0, 0.5, 0.5]])
    np.testing.assert_allclose(dualad.grad(lambda t: np.sum(f(t, axis=1)))(x), wanted, rtol=1e-15)
    np.testing.assert_allclose(dualad.jvp(lambda t: f(t, axis=1), (x,), (np.arange(6.0).reshape(2, 3),))[1], [1.0, 4.5], rtol=1e-15)


def test_norms_at_the_origin():
    """norm'(0) = 0, where the quotient rule says 0/0."""
    for f in (np.linalg.norm, lambda x: np.hypot(x[0], x[1])):
        np.testing.assert_array_equal(dualad.grad(f)(np.zeros(2)), np.zeros(2))
        assert dualad.jvp(f, (np.zeros(2),), (np.array([1.0, 2.0]),))[1] == 0.0


SAFE = [  # name, function, points, derivative, second derivative
    ("sqrt or 0", lambda x: np.where(x > 0.0, np.sqrt(x), 0.0), (0.0, -1.0), 0.0, 0.0),
    ("0 or sqrt", lambda x: np.where(x <= 0.0, 0.0, np.sqrt(x)), (0.0, -1.0), 0.0, 0.0),
    ("log or x", lambda x: np.where(x > 0.0, np.log(x), x), (0.0, -2.0), 1.0, 0.0),
    ("sin x / x", lambda x: np.where(x == 0.0, 1.0, np.sin(x) / x), (0.0,), 0.0, 0.0),
    ("1/x", lambda x: np.where(x == 0.0, x * x, 1.0 / x), (0.0,), 0.0, 2.0),
    ("power", lambda x: np.where(x > 0.0, x**0.5, 2.0 * x), (0.0, -1.0), 2.0, 0.0),
    ("power of a guard", lambda x: np.where(x > 0.0, np.power(np.where(x > 0.0, x, 1.0), 0.5), 0.0), (0.0, -1.0), 0.0, 0.0),
    ("double guard", lambda x: np.where(x > 0.0, np.log(np.where(x > 0.0, x, 1.0)), 3.0 * x), (0.0, -1.0), 3.0, 0.0),
    ("nested", lambda x: np.where(x > 1.0, np.sqrt(x), np.where(x > 0.0, np.log(x), x**2)), (0.0,), 0.0, 2.0),
    ("nested in the other order", lambda x: np.where(x < 0.0, x**3, np.where(x > 0.0, 1.0 / x, np.where(x > 5.0, np.log(x), x))),
     (0.0,), 1.0, 0.0),
    ("chain behind the guard", lambda x: np.where(x > 0.0, np.exp(np.sqrt(x) * np.log(x)), x), (0.0, -1.0), 1.0, 0.0),
    ("arccos", lambda x: np.where(abs(x) < 1.0, np.arccos(x), 0.0), (1.0, -1.0, 2.0), 0.0, 0.0),
    ("overflow", lambda x: np.where(x < 700.0, np.exp(x), x), (710.0, 1e6), 1.0, 0.0),
    ("sum after the guard", lambda x: 2.0 * np.where(x > 0.0, np.sqrt(x), 0.0) + x, (0.0, -1.0), 1.0, 0.0),
]


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize(("f", "points", "wanted"), [s[1:4] for s in SAFE], ids=[s[0] for s in SAFE])
def test_the_branch_not_taken_contributes_nothing(f, points, wanted, carrier):
    """np.where guards alone: no second where inside is needed, in any carrier."""
    with np.errstate(all="ignore"):
        for x in points:
            got = float(CARRIERS[carrier](f, x))
            assert got == wanted, (x, got)


SECOND = {
    "grad of grad": lambda f, x: dualad.grad(dualad.grad(f))(x),
    "derivative of derivative": lambda f, x: dualad.derivative(dualad.derivative(f))(x),
    "derivative of grad": lambda f, x: dualad.derivative(dualad.grad(f))(x),
    "grad of derivative": lambda f, x: dualad.grad(dualad.derivative(f))(x),
    "hessian": lambda f, x: dualad.hessian(lambda t: np.sum(f(t)))(np.full(2, x))[1, 1],
    "hvp": lambda f, x: dualad.hvp(lambda t: np.sum(f(t)), (np.full(2, x),), (np.ones(2),))[1],
}


@pytest.mark.parametrize("way", SECOND)
@pytest.mark.parametrize(("f", "points", "wanted"), [(s[1], s[2], s[4]) for s in SAFE], ids=[s[0] for s in SAFE])
def test_second_derivatives_are_safe_as_well(f, points, wanted, way):
    """The rules of a rule pass through the same guard."""
    with np.errstate(all="ignore"):
        for x in points:
            assert float(SECOND[way](f, x)) == wanted, x


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize(("f", "x"), [
    (lambda x: np.maximum(1.0, np.sqrt(x)), 0.0),
    (lambda x: np.minimum(np.sqrt(x), -1.0), 0.0),
    (lambda x: np.abs(np.sqrt(x)), 0.0),
    (lambda x: abs(np.sqrt(x)), 0.0),
    (lambda x: np.sqrt(x) // 1.0, 0.0),
    (lambda x: np.heaviside(np.sqrt(x), 0.5), 0.0),
    (lambda x: np.copysign(1.0, np.sqrt(x)), 0.0),
    (lambda x: np.clip(np.cbrt(x), 1.0, 2.0), 0.0),
    (lambda x: np.fmax(np.cbrt(x), 1.0), 0.0),
    (lambda x: np.floor(np.sqrt(x)), 0.0),
], ids=["maximum", "minimum", "abs", "operator abs", "floor_divide", "heaviside", "copysign", "clip", "fmax", "floor"])
def test_operations_that_select_are_guards(f, x, carrier):
    """An operand that was not chosen (or a locally constant result) ends an infinite slope."""
    with np.errstate(all="ignore"):
        assert float(CARRIERS[carrier](f, x)) == 0.0


def test_a_mixed_array_keeps_its_good_elements():
    """Safe beside unsafe elements of one array, and a true infinity is not hidden."""
    x = np.array([-1.0, 0.0, 4.0])

    def guarded(t):
        return np.where(t > 0.0, np.sqrt(t), 0.0)

    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(dualad.grad(lambda t: np.sum(guarded(t)))(x), [0.0, 0.0, 0.25])
        np.testing.assert_array_equal(dualad.jvp(guarded, (x,), (ones(x),))[1], [0.0, 0.0, 0.25])
        np.testing.assert_array_equal(dualad.jacrev(guarded)(x), np.diag([0.0, 0.0, 0.25]))
        np.testing.assert_array_equal(dualad.jacfwd(guarded)(x), np.diag([0.0, 0.0, 0.25]))
        assert dualad.grad(lambda t: np.sum(np.sqrt(t)))(x)[1] == inf
        assert math.isnan(dualad.grad(lambda t: np.sum(np.sqrt(t)))(x)[0])


def test_selection_by_index_is_a_guard():
    """Elements that are not picked have no influence, whatever their slopes."""
    x = np.array([0.0, 4.0, -1.0])
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(dualad.grad(lambda t: np.sqrt(t)[1])(x), [0.0, 0.25, 0.0])
        np.testing.assert_array_equal(dualad.grad(lambda t: np.sum(np.sqrt(t)[t > 0.0]))(x), [0.0, 0.25, 0.0])
        np.testing.assert_array_equal(dualad.grad(lambda t: np.sum(np.log(t)[np.array([1, 1])]))(x), [0.0, 0.5, 0.0])
        np.testing.assert_array_equal(dualad.grad(lambda t: np.sum(np.sqrt(t), where=np.array([False, True, False])))(x),
                                      [0.0, 0.25, 0.0])


def test_python_branches_are_guards():
    """if and conditional expressions record one branch only."""

    def f(x):
        return math.nan if x != x else (x**0.5 if x > 0.0 else x * 2.0)

    assert dualad.grad(f)(0.0) == dualad.derivative(f)(0.0) == 2.0
    assert dualad.grad(f)(4.0) == dualad.derivative(f)(4.0) == 0.25


@pytest.mark.parametrize("jacobian", [dualad.jacfwd, dualad.jacrev, dualad.jacobian], ids=["jacfwd", "jacrev", "jacobian"])
def test_an_infinite_slope_stays_in_its_place(jacobian):
    """sqrt at 0 is infinite in one entry; columns and rows that do not meet it used to become NaN (0 times infinity)."""
    f = lambda x: np.sqrt(x) + x[::-1] * np.arange(3.0)
    with np.errstate(all="ignore"):
        got = jacobian(f)(np.array([0.0, 1.0, 4.0]))
    np.testing.assert_array_equal(got, [[np.inf, 0.0, 0.0], [0.0, 1.5, 0.0], [2.0, 0.0, 0.25]])
    assert not np.signbit(got).any()
    with np.errstate(all="ignore"):
        got = jacobian(lambda a, b: np.stack([np.sqrt(a) + b * a, a - b]), (0, 1))(np.zeros(2), np.ones(2))
    np.testing.assert_array_equal(got[0][0], [[np.inf, 0.0], [0.0, np.inf]])
    np.testing.assert_array_equal(got[1][0], [[0.0, 0.0], [0.0, 0.0]])
    np.testing.assert_array_equal(got[1][1], -np.eye(2))


def test_the_slope_of_a_float_is_a_float():
    """At an end of np.clip that is 0 the forward derivative used to be a 0-d array."""
    for f, x, wanted in ((lambda x: np.clip(x, 0.0, 1.0), 0.0, 0.5), (lambda x: np.clip(x, -1.0, 0.0), -2.0, 0.0)):
        got = dualad.derivative(f)(x), dualad.grad(f)(x)
        assert got == (wanted, wanted)
        assert not any(isinstance(g, np.ndarray) for g in got)
    x = np.array([[0.0, 2.0], [-1.0, 0.5]])
    low = np.zeros((2, 1))
    np.testing.assert_array_equal(dualad.jacfwd(np.clip)(x, low, 1.0), dualad.jacrev(np.clip)(x, low, 1.0))


def test_an_infinite_slope_of_floats():
    got = dualad.jacfwd(lambda a, b: (np.sqrt(a) + b * 2.0, a - b), (0, 1))(0.0, 1.0)
    assert got == ((np.inf, 2.0), (1.0, -1.0))
    assert dualad.jacrev(lambda a, b: (np.sqrt(a) + b * 2.0, a - b), (0, 1))(0.0, 1.0) == got


CUT_OFF = {
    "root of |x|": (lambda x: np.sqrt(np.abs(x)), 0.0),
    "root of max(x, 0)": (lambda x: np.sqrt(np.maximum(x, 0.0)), -1.0),
    "scalar root": (lambda x: dmath.sqrt(abs(x)) + x, 0.0),
    "times -1 on the way": (lambda x: np.sqrt(-1.0 * (-1.0 * np.abs(x))), 0.0),
}


@pytest.mark.parametrize("name", CUT_OFF)
def test_what_a_kink_cuts_off_is_cut_off_in_forward_mode_too(name):
    """jvp and derivative multiplied the zero of |x|' with the infinite slope of the root: NaN, where grad was 0."""
    f, x = CUT_OFF[name]
    with np.errstate(all="ignore"):
        slope = dualad.grad(f)(x)
        assert np.isfinite(slope)
        assert dualad.derivative(f)(x) == dualad.jvp(f, (x,), (1.0,))[1] == dualad.jacfwd(f)(x) == slope
        xs = np.array([x, 1.0])
        g = lambda xs: np.sum(f(xs)) if "scalar" not in name else f(xs[0]) + f(xs[1])
        assert dualad.jvp(g, (xs,), (np.ones(2),))[1] == np.sum(dualad.grad(g)(xs))

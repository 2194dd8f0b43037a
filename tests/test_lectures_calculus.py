"""Worked examples of a first course: scalar rules, gradients, directional derivatives, Taylor polynomials.

Each test carries the id of the example it proves (``L01`` ... ``L44``, errata ``E1`` ... ``E7``) in its name
and compares dualad with the closed form a reader derives by hand. Closed forms are evaluated in double
precision, so they must agree to 1e-12 relative; figures given with d digits must agree to half a unit of the
last one.
"""

# ruff: noqa: N802 - the ids are written as in the list of examples

import math

import numpy as np
import pytest

import dualad as da

forward_and_reverse = pytest.mark.parametrize("d", [da.derivative, da.grad], ids=["forward", "reverse"])
both_jacobians = pytest.mark.parametrize("jac", [da.jacfwd, da.jacrev], ids=["jacfwd", "jacrev"])


def close(got, want):
    """Same shape and equal to 1e-12 relative."""
    assert np.shape(got) == np.shape(want)
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=0)


def nth(f, n):
    """The n-th derivative of a scalar function, by nesting."""
    for _ in range(n):
        f = da.derivative(f)
    return f


# ---------------------------------------------------------------- scalar rules

RULES = {
    "constant": (lambda x: 3.0, lambda x: 0.0),
    "a*x": (lambda x: 2.5 * x, lambda x: 2.5),
    "x**-2": (lambda x: x**-2, lambda x: -2 * x**-3),
    "x**1": (lambda x: x**1, lambda x: 1.0),
    "x**5": (lambda x: x**5, lambda x: 5 * x**4),
    "x**0.5": (lambda x: x**0.5, lambda x: 0.5 * x**-0.5),
    "exp": (lambda x: np.exp(x), lambda x: math.exp(x)),
    "log": (lambda x: np.log(x), lambda x: 1 / x),
    "sum": (lambda x: np.sin(x) + x**3, lambda x: math.cos(x) + 3 * x**2),
    "product": (lambda x: np.sin(x) * x**3, lambda x: math.cos(x) * x**3 + math.sin(x) * 3 * x**2),
    "quotient": (
        lambda x: np.sin(x) / x**3,
        lambda x: (math.cos(x) * x**3 - math.sin(x) * 3 * x**2) / x**6,
    ),
    "chain": (lambda x: np.sin(np.exp(x)), lambda x: math.cos(math.exp(x)) * math.exp(x)),
}


@forward_and_reverse
@pytest.mark.parametrize("x", [0.3, 1.0, 2.75])
@pytest.mark.parametrize("rule", RULES)
def test_L01_scalar_rules(rule, x, d):
    f, df = RULES[rule]
    close(d(f)(x), df(x))


def test_L01_dual_number_carries_value_and_slope():
    t = da.Dual(2.0, 1.0)
    y = t * t * t + 4.0 * t
    assert (y.primal, y.tangent) == (16.0, 16.0)


@pytest.mark.parametrize("n", range(8))
def test_L02_every_order_of_a_power_and_of_the_exponential(n):
    falling = math.prod(range(5 - n + 1, 6)) if n <= 5 else 0
    close(nth(lambda x: x**5, n)(1.5), float(falling) * 1.5 ** (5 - n) if n <= 5 else 0.0)
    close(nth(np.exp, n)(0.7), math.exp(0.7))
    want = [math.sin, math.cos, lambda x: -math.sin(x), lambda x: -math.cos(x)][n % 4]
    close(nth(np.sin, n)(0.7), want(0.7))


@forward_and_reverse
def test_L02_second_derivative_tells_maximum_minimum_line(d):
    f = lambda x: x**3 - 3 * x
    assert d(f)(-1.0) == d(f)(1.0) == 0
    assert d(d(f))(-1.0) == -6  # a maximum
    assert d(d(f))(1.0) == 6  # a minimum
    assert d(d(lambda x: 2 * x + 1))(0.4) == 0  # a line


@forward_and_reverse
def test_L03_subgradient_convention_of_abs(d):
    for absolute in (abs, np.abs):
        assert [d(absolute)(x) for x in (-2.0, -0.0, 0.0, 2.0)] == [-1, 0, 0, 1]


@forward_and_reverse
def test_L03_subgradient_convention_of_the_positive_part(d):
    assert [d(lambda x: np.maximum(0.0, x))(x) for x in (-2.0, 0.0, 2.0)] == [0, 0.5, 1]
    assert [d(lambda x: max(0.0, x))(x) for x in (-2.0, 2.0)] == [0, 1]
    assert 0 <= d(lambda x: max(0.0, x))(0.0) <= 1


@both_jacobians
def test_L03_subgradients_of_arrays_are_those_of_scalars(jac):
    x = np.array([-2.0, 0.0, 2.0])
    np.testing.assert_array_equal(jac(np.abs)(x), np.diag([-1.0, 0.0, 1.0]))
    np.testing.assert_array_equal(jac(lambda x: np.maximum(x, 0.0))(x), np.diag([0.0, 0.5, 1.0]))


@both_jacobians
def test_L10_difference_quotient_closes_in_linearly(jac):
    f = lambda x: np.sin(x) * np.exp(x)
    x = 1.0
    slope, bend = jac(f)(x), jac(jac(f))(x)
    close(bend, 2 * math.cos(x) * math.exp(x))
    for e in (1e-3, 1e-4, 1e-5):
        error = (f(x + e) - f(x)) / e - slope
        # The leading error is e f''/2; the next term is e^2 f'''/6 and rounding adds about 1e-16 / e.
        assert abs(error / (e / 2 * bend) - 1) < e + 1e-15 / e**2


def test_L10_affine_quotient_is_the_slope_and_a_kink_has_two():
    a, b = 1.25, -0.5
    assert da.derivative(lambda x: a * x + b)(0.3) == a
    quotient = lambda e: (abs(0.0 + e) - abs(0.0)) / e
    left, right = quotient(-1e-9), quotient(1e-9)
    assert (left, right) == (-1, 1)
    assert left <= da.derivative(abs)(0.0) <= right


def test_L11_scalar_chain_step_by_step():
    x, dx = 0.8, 0.25
    y, dy = da.jvp(lambda x: x**2 + x, (x,), (dx,))
    z, dz = da.jvp(np.sin, (y,), (dy,))
    close(dy, (2 * x + 1) * dx)
    close(dz, math.cos(x**2 + x) * (2 * x + 1) * dx)
    assert da.jvp(lambda x: np.sin(x**2 + x), (x,), (dx,)) == (z, dz)


# ---------------------------------------------------------------- gradients


def ellipse(x):
    return x[0] ** 2 + 2 * x[1] ** 2


@both_jacobians
def test_L04_gradient_is_perpendicular_to_the_contour(jac):
    x = np.array([0.3, -1.7])
    close(jac(ellipse)(x), np.array([2 * x[0], 4 * x[1]]))
    close(da.grad(ellipse)(np.ones(2)), np.array([2.0, 4.0]))
    # The contour through (1, 1) is t -> (sqrt(3) cos t, sqrt(3/2) sin t), at the angle where both are 1.
    contour = lambda t: np.array([math.sqrt(3) * np.cos(t), math.sqrt(1.5) * np.sin(t)])
    t = math.acos(1 / math.sqrt(3))
    at, along = da.jvp(contour, (t,), (1.0,))
    np.testing.assert_allclose(at, [1, 1], rtol=1e-14)
    assert abs(da.grad(ellipse)(at) @ along) < 1e-14
    assert abs(da.derivative(lambda t: ellipse(contour(t)))(t)) < 1e-14


def test_L28_directional_derivative_is_gradient_dot_direction():
    f = lambda x: np.exp(x[0] * x[1]) + np.sin(x[2]) * x[0]
    x, v = np.array([0.4, -1.1, 2.3]), np.array([0.7, 0.2, -1.5])
    e = math.exp(x[0] * x[1])
    gradient = np.array([x[1] * e + math.sin(x[2]), x[0] * e, x[0] * math.cos(x[2])])
    close(da.grad(f)(x), gradient)
    close(da.jvp(f, (x,), (v,))[1], gradient @ v)
    for i, basis in enumerate(np.eye(3)):
        close(da.jvp(f, (x,), (basis,))[1], gradient[i])


def kinked(x, y):
    """Partials everywhere, yet not differentiable at the origin."""
    return y**3 / (x**2 + y**2)


@forward_and_reverse
@pytest.mark.parametrize("v", [(1.0, 1.0), (1.0, -2.0), (0.5, 3.0)])
def test_L29_slopes_along_lines_are_not_linear_in_the_direction(v, d):
    a, b = v
    along = lambda a, b: d(lambda t: kinked(t * a, t * b))(0.01)
    # f is homogeneous of degree one: its slope along a ray is the same at every distance from the origin.
    close(along(a, b), b**3 / (a**2 + b**2))
    close(along(1.0, 0.0), 0.0)
    close(along(0.0, 1.0), 1.0)
    assert abs(0.0 * a + 1.0 * b - along(a, b)) > 0.05  # the gradient (0, 1) does not predict it


def test_L29_direction_one_one_gives_a_half_against_one():
    close(da.derivative(lambda t: kinked(t, t))(1.0), 0.5)
    assert da.derivative(lambda t: kinked(0.0, t))(1.0) * 1.0 == 1


def test_L35_partial_derivatives():
    x, y = 1.5, -0.8
    dx, dy = da.grad(lambda x, y: (x + 2 * y**3) ** 2, argnums=(0, 1))(x, y)
    close(dx, 2 * (x + 2 * y**3))
    close(dy, 12 * (x + 2 * y**3) * y**2)
    f = lambda x: x[0] ** 2 * x[1] + x[0] * x[1] ** 3
    close(da.grad(f)(np.array([x, y])), np.array([2 * x * y + y**3, x**2 + 3 * x * y**2]))


@forward_and_reverse
@pytest.mark.parametrize("t", [0.4, 1.0, -2.1])
def test_L36_square_plus_twice_on_the_circle(t, d):
    close(d(lambda t: np.sin(t) ** 2 + 2 * np.cos(t))(t), 2 * math.sin(t) * (math.cos(t) - 1))


@forward_and_reverse
def test_L36_exponential_on_the_spiral(d):
    f = lambda x: np.exp(x[0] * x[1] ** 2)
    g = lambda t: np.array([t * np.cos(t), t * np.sin(t)])
    h = lambda t: f(g(t))
    assert abs(h(1.0) - 1.466053) <= 5e-7
    assert abs(d(h)(1.0) - 1.529377) <= 5e-7
    c, s = math.cos(1.0), math.sin(1.0)
    e = math.exp(c * s**2)
    close(d(h)(1.0), e * s**2 * (c - s) + 2 * e * c * s * (s + c))
    close(da.jacfwd(g)(1.0), np.array([c - s, s + c]))
    close(da.jacrev(g)(1.0), np.array([c - s, s + c]))


def test_L36_two_parameters_each_sum_over_both_paths():
    f = lambda s, t: (s * np.cos(t)) ** 2 + 2 * (s * np.sin(t))
    s, t = 1.3, 0.7
    ds, dt = da.grad(f, argnums=(0, 1))(s, t)
    close(ds, 2 * s * math.cos(t) ** 2 + 2 * math.sin(t))
    close(dt, -2 * s**2 * math.cos(t) * math.sin(t) + 2 * s * math.cos(t))
    close(da.jvp(f, (s, t), (1.0, 0.0))[1], ds)
    close(da.jvp(f, (s, t), (0.0, 1.0))[1], dt)


# ---------------------------------------------------------------- Taylor polynomials and linearization


@pytest.mark.parametrize(
    ("f", "x0", "coefficient"),
    [
        (np.exp, 0.0, lambda k: 1 / math.factorial(k)),
        (np.log, 1.0, lambda k: 0.0 if k == 0 else (-1) ** (k + 1) / k),
        (lambda x: 1 / (1 - x), 0.0, lambda k: 1.0),
        (np.sin, 0.0, lambda k: [0, 1, 0, -1][k % 4] / math.factorial(k)),
    ],
    ids=["exp", "log", "geometric", "sin"],
)
def test_L34_taylor_coefficients_by_nesting(f, x0, coefficient):
    for k in range(7):
        close(nth(f, k)(x0) / math.factorial(k), coefficient(k))


def test_L34_taylor_polynomial_of_a_polynomial_is_itself():
    f = lambda x: 2 * x**4 - x**3 + 0.5 * x - 7
    x0, x = 0.75, -1.5
    terms = [nth(f, k)(x0) * (x - x0) ** k / math.factorial(k) for k in range(7)]
    assert terms[5:] == [0, 0]
    close(math.fsum(terms), f(x))


def quartic(x):
    return x[0] ** 2 * x[1] + x[0] * x[1] ** 3


def test_L44_linearization_is_the_tangent_plane():
    x0, delta = np.array([1.2, -0.6]), np.array([0.3, 0.5])
    out, f_jvp = da.linearize(quartic, x0)
    a, b = x0
    close(out, quartic(x0))
    close(f_jvp(delta), np.array([2 * a * b + b**3, a**2 + 3 * a * b**2]) @ delta)
    # What is left is the second order term: half delta' H delta.
    hessian = np.array([[2 * b, 2 * a + 3 * b**2], [2 * a + 3 * b**2, 6 * a * b]])
    e = 1e-4
    rest = quartic(x0 + e * delta) - out - f_jvp(e * delta)
    np.testing.assert_allclose(rest, e**2 * (delta @ hessian @ delta) / 2, rtol=1e-3)


def test_L44_multivariate_taylor_series_of_a_quartic_ends_at_order_four():
    x0, delta = np.array([1.2, -0.6]), np.array([0.3, 0.5])
    tensor, total, derivative = quartic, 0.0, None
    for k in range(6):
        derivative = np.asarray(tensor(x0))
        assert derivative.shape == (2,) * k
        for _ in range(k):
            derivative = derivative @ delta
        total += derivative / math.factorial(k)
        if k == 3:
            assert abs(total - quartic(x0 + delta)) > 1e-3
        tensor = da.jacobian(tensor)
    assert derivative == 0
    close(total, quartic(x0 + delta))


# ---------------------------------------------------------------- errata


@forward_and_reverse
@pytest.mark.parametrize("v", [(1.0, 1.0), (2.0, -0.5), (-1.0, 0.25)])
def test_E4_zero_slope_along_every_line_is_not_differentiability(v, d):
    f = lambda x, y: x**3 * y / (x**4 + y**2)
    a, b = v
    slopes = []
    for t in (1e-2, 1e-4, 1e-6):
        slope = d(lambda t: f(t * a, t * b))(t)
        close(slope, 2 * t * a**3 * b * b**2 / (t**2 * a**4 + b**2) ** 2)
        slopes.append(abs(slope))
    assert slopes[0] > slopes[1] > slopes[2]
    assert slopes[2] < 1e-4
    for t in (1e-2, 1e-4, 1e-6):
        close(d(lambda t: f(t, t**2))(t), 0.5)  # but 1/2 along the parabola: not Frechet


@both_jacobians
def test_E5_mixed_partials_at_a_point_may_differ(jac):
    f = lambda x, y: x * y * (x**2 - y**2) / (x**2 + y**2)
    fx, fy = jac(f, 0), jac(f, 1)
    for h in (1.0, 1e-3, -1e-6):
        close(fx(0.0, h), -h)
        close(fy(h, 0.0), h)
        # f_x along the y axis and f_y along the x axis are lines: their slopes at the origin are -1 and +1.
        close(jac(lambda y: fx(0.0, y))(h), -1.0)
        close(jac(lambda x: fy(x, 0.0))(h), 1.0)


def test_E5_away_from_the_point_the_hessian_is_symmetric():
    f = lambda x: x[0] * x[1] * (x[0] ** 2 - x[1] ** 2) / (x[0] ** 2 + x[1] ** 2)
    hessian = da.hessian(f)
    for h in (1.0, 1e-3):
        for at, mixed in (([0.0, h], -1.0), ([h, 0.0], 1.0)):
            close(hessian(np.array(at))[0, 1], mixed)
            close(hessian(np.array(at))[1, 0], mixed)

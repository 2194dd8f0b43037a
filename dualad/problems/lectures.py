"""The functions that lecture notes on matrix calculus and automatic differentiation work through by hand.

Scalar ones take the module of their elementary functions as ``m``; matrix ones are plain NumPy. Every
derivative below is the closed form a student would derive, in the axis order shape(y)+shape(x).
"""

from __future__ import annotations

import math

import numpy as np

from dualad import math as dmath

from .problem import Problem


def quiz1(x, z, m=dmath):
    """e^(xz) + xz / log x + sin(log x) / (xz)."""
    xz = x * z
    log = m.log(x)
    return m.exp(xz) + xz / log + m.sin(log) / xz


def quiz1_gradient(x, z):
    xz, log = x * z, math.log(x)
    by_x = z * math.exp(xz) + z / log - z / log**2 + (math.cos(log) - math.sin(log)) / (x * xz)
    by_z = x * math.exp(xz) + x / log - math.sin(log) / (xz * z)
    return by_x, by_z


def cos_of_sum(x, m=dmath):
    """J = cos(sin x^2 + 3 x^2)."""
    t = x**2
    return m.cos(m.sin(t) + 3.0 * t)


def cos_of_sum_derivative(x):
    return -math.sin(math.sin(x**2) + 3.0 * x**2) * (math.cos(x**2) + 3.0) * 2.0 * x


def sqrt_plus_cos(x, m=dmath):
    """sqrt(x^2 + e^(x^2)) + cos(x^2 + e^(x^2))."""
    a = x**2
    c = a + m.exp(a)
    return m.sqrt(c) + m.cos(c)


def sqrt_plus_cos_derivative(x):
    c = x**2 + math.exp(x**2)
    return 2.0 * x * (0.5 / math.sqrt(c) - math.sin(c)) * (1.0 + math.exp(x**2))


def baydin(x1, x2, m=dmath):
    """ln x1 + x1 x2 - sin x2, the running example of the survey of Baydin et al. (2018)."""
    return m.log(x1) + x1 * x2 - m.sin(x2)


def baydin_gradient(x1, x2):
    return 1.0 / x1 + x2, x1 - math.cos(x2)


def parabola(x1, x2, m=dmath):
    """x1^2 + 2 x2^2."""
    return x1**2 + 2.0 * x2**2


def square_of_sum(x, y, m=dmath):
    """(x + 2 y^3)^2."""
    return (x + 2.0 * y**3) ** 2


def square_of_sum_gradient(x, y):
    return 2.0 * (x + 2.0 * y**3), 12.0 * (x + 2.0 * y**3) * y**2


def cubic(x1, x2, m=dmath):
    """x1^2 x2 + x1 x2^3."""
    return x1**2 * x2 + x1 * x2**3


def circle_composite(t, m=dmath):
    """x1^2 + 2 x2 on (sin t, cos t)."""
    return m.sin(t) ** 2 + 2.0 * m.cos(t)


def spiral_composite(t, m=dmath):
    """exp(x1 x2^2) on (t cos t, t sin t)."""
    return m.exp((t * m.cos(t)) * (t * m.sin(t)) ** 2)


def spiral_composite_derivative(t):
    cos, sin = math.cos(t), math.sin(t)
    x1, x2 = t * cos, t * sin
    return math.exp(x1 * x2**2) * (x2**2 * (cos - t * sin) + 2.0 * x1 * x2 * (sin + t * cos))


def cross_entropy(theta, x, y):
    """J = -(y log p + (1 - y) log(1 - p)) with p = sigmoid(theta . x), as the slides compose it."""
    p = 1.0 / (1.0 + np.exp(-np.dot(theta, x)))
    return -(y * np.log(p) + (1.0 - y) * np.log(1.0 - p))


def cross_entropy_gradient(theta, x, y):
    return (1.0 / (1.0 + np.exp(-np.dot(theta, x))) - y) * x


def least_squares(w, x, y):
    """|X w - y|^2."""
    residual = x @ w - y
    return residual @ residual


def least_squares_gradient(w, x, y):
    return 2.0 * (x @ w - y) @ x


def quadratic_form(x, a):
    """x^T A x."""
    return x @ a @ x


def quadratic_form_gradient(x, a):
    return (a + a.T) @ x


def matrix_vector(a, x):
    """A x as a function of both: (m, n) and (n,)."""
    return a @ x


def matrix_vector_jacobian(a, x):
    m, n = a.shape
    by_a = np.zeros((m, m, n))
    by_a[np.arange(m), np.arange(m)] = x
    return by_a, a.copy()


def gram(r):
    """K = R^T R."""
    return r.T @ r


def gram_jacobian(r):
    """dK_pq / dR_ij = d_pj R_iq + d_qj R_ip: of (n, n, m, n) entries at most 2 m n^2 - m n are not zero."""
    eye = np.eye(r.shape[1])
    return np.einsum("pj,iq->pqij", eye, r) + np.einsum("qj,ip->pqij", eye, r)


def inverse_form(x, a, b):
    """a^T X^-1 b."""
    return a @ np.linalg.solve(x, b)


def inverse_form_gradient(x, a, b):
    return -np.outer(np.linalg.solve(x.T, a), np.linalg.solve(x, b))


def determinant(x):
    """det X."""
    return np.linalg.det(x)


def determinant_gradient(x):
    return np.linalg.det(x) * np.linalg.inv(x).T


def linear_loss(w, x, y):
    """1/2 |Y - W X|^2, summed over the examples in the columns of X."""
    return 0.5 * np.sum((y - w @ x) ** 2)


def linear_loss_gradient(w, x, y):
    return -(y - w @ x) @ x.T


def _points(*ranges):
    def make(n, seed):
        rng = np.random.default_rng(seed)
        return tuple(float(rng.uniform(low, high)) for low, high in ranges)

    return make


def _normal(*shapes):
    """`shapes` are strings such as "n" or "m n"; n is the size asked for and m = n + 1."""

    def make(n, seed):
        rng = np.random.default_rng(seed)
        return tuple(rng.normal(size=tuple({"n": n, "m": n + 1}[axis] for axis in shape.split())) for shape in shapes)

    return make


def _cross_entropy_args(n, seed):
    rng = np.random.default_rng(seed)
    return rng.normal(size=n), rng.normal(size=n), float(rng.uniform() < 0.5)


def _well_conditioned(n, seed):
    rng = np.random.default_rng(seed)
    return np.eye(n) * 3.0 + rng.uniform(-1.0, 1.0, (n, n)), rng.normal(size=n), rng.normal(size=n)


def _scalar(name, f, ranges, closed_form, cost):
    kind, argnums = ("derivative", 0) if len(ranges) == 1 else ("gradient", tuple(range(len(ranges))))
    tags = frozenset({"scalar", "lecture"})
    return Problem(name, f, _points(*ranges), kind, closed_form, cost, (1, 1), argnums, "math", tags)


def _matrix(name, f, make, closed_form, cost, kind="gradient", argnums=0):
    return Problem(name, f, make, kind, closed_form, cost, (3, 8), argnums, None, frozenset({"array", "lecture"}))


PROBLEMS = (
    _scalar("quiz1", quiz1, ((1.5, 2.5), (1.0, 3.0)), quiz1_gradient, "8 operations"),
    _scalar("cos_of_sum", cos_of_sum, ((0.5, 1.5),), cos_of_sum_derivative, "5 operations"),
    _scalar("sqrt_plus_cos", sqrt_plus_cos, ((0.5, 1.2),), sqrt_plus_cos_derivative, "6 operations"),
    _scalar("baydin", baydin, ((1.0, 3.0), (2.0, 5.0)), baydin_gradient, "5 operations"),
    _scalar("parabola", parabola, ((-2.0, 2.0), (-2.0, 2.0)), lambda x1, x2: (2.0 * x1, 4.0 * x2), "4 operations"),
    _scalar("square_of_sum", square_of_sum, ((-1.0, 1.0), (-1.0, 1.0)), square_of_sum_gradient, "4 operations"),
    _scalar(
        "cubic",
        cubic,
        ((-2.0, 2.0), (-2.0, 2.0)),
        lambda x1, x2: (2.0 * x1 * x2 + x2**3, x1**2 + 3.0 * x1 * x2**2),
        "5 operations",
    ),
    _scalar(
        "circle_composite",
        circle_composite,
        ((-3.0, 3.0),),
        lambda t: 2.0 * math.sin(t) * (math.cos(t) - 1.0),
        "5 operations",
    ),
    _scalar("spiral_composite", spiral_composite, ((0.5, 1.5),), spiral_composite_derivative, "7 operations"),
    _matrix("cross_entropy", cross_entropy, _cross_entropy_args, cross_entropy_gradient, "one inner product"),
    _matrix("least_squares", least_squares, _normal("n", "m n", "m"), least_squares_gradient, "one m x n product"),
    _matrix("quadratic_form", quadratic_form, _normal("n", "n n"), quadratic_form_gradient, "one n x n product"),
    _matrix(
        "matrix_vector",
        matrix_vector,
        _normal("m n", "n"),
        matrix_vector_jacobian,
        "one m x n product",
        "jacobian",
        (0, 1),
    ),
    _matrix("gram", gram, _normal("m n"), gram_jacobian, "one n x m x n product", "jacobian"),
    _matrix("inverse_form", inverse_form, _well_conditioned, inverse_form_gradient, "one n x n solve"),
    _matrix(
        "determinant",
        determinant,
        lambda n, seed: _well_conditioned(n, seed)[:1],
        determinant_gradient,
        "one n x n factorisation",
    ),
    _matrix(
        "linear_loss",
        linear_loss,
        _normal("m n", "n n", "m n"),
        linear_loss_gradient,
        "one m x n x n product",
    ),
)

"""Worked examples of matrix calculus: shapes, layouts, linear maps, identities, Hessians.

Each test carries the id of the example it proves in its name. Jacobians are shape(y) + shape(x) throughout;
a "numerator" or "denominator" layout is a permutation of those axes, and the tests write it out. Closed forms
are evaluated in double precision and must agree to 1e-12 relative.
"""

# ruff: noqa: N802 - the ids are written as in the list of examples

import numpy as np
import pytest

import dualad as da

both_jacobians = pytest.mark.parametrize("jac", [da.jacfwd, da.jacrev], ids=["jacfwd", "jacrev"])
all_jacobians = pytest.mark.parametrize("jac", [da.jacfwd, da.jacrev, da.jacobian], ids=["jacfwd", "jacrev", "jacobian"])


def close(got, want):
    """Same shape and equal to 1e-12 relative (exactly equal where the closed form is zero)."""
    assert np.shape(got) == np.shape(want)
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=0)


@pytest.fixture
def rng():
    return np.random.default_rng(20)


def well_conditioned(rng, n):
    return rng.normal(size=(n, n)) + 3 * np.eye(n)


# ---------------------------------------------------------------- vectors: rules, shapes, layouts


@all_jacobians
def test_L05_vector_rules(jac, rng):
    x, a = rng.normal(size=4), rng.normal(size=(3, 4))
    close(jac(lambda x: 3.0)(x), np.zeros(4))
    close(jac(np.sum)(x), np.ones(4))
    close(jac(lambda x: np.sum(x**2))(x), 2 * x)
    close(jac(lambda x: np.linalg.norm(x) ** 2)(x), 2 * x)
    close(jac(lambda x: x)(x), np.eye(4))
    close(jac(lambda x: a @ x)(x), a)
    close(jac(lambda x: x @ a.T)(x), a)  # the rule x^T A -> A^T, for A = a.T


@all_jacobians
def test_L05_inner_product_of_two_functions(jac, rng):
    x, a = rng.normal(size=4), rng.normal(size=(4, 4))
    u, v = np.sin, lambda x: a @ x
    want = v(x) @ np.diag(np.cos(x)) + u(x) @ a
    close(jac(lambda x: np.dot(u(x), v(x)))(x), want)


@both_jacobians
@pytest.mark.parametrize("x_shape", [(), (3,), (3, 2)], ids=["scalar", "vector", "matrix"])
@pytest.mark.parametrize("y_shape", [(), (4,), (4, 5)], ids=["scalar", "vector", "matrix"])
def test_L06_shape_table(y_shape, x_shape, jac, rng):
    c, w, x = (rng.normal(size=shape)[()] for shape in (y_shape, x_shape, x_shape))
    got = jac(lambda x: c * np.sin(np.sum(w * x)))(x)
    close(got, np.multiply.outer(c, w) * np.cos(np.sum(w * x)))
    assert np.shape(got) == y_shape + x_shape


@both_jacobians
def test_L07_chain_rule_shapes(jac, rng):
    n, k, m = 4, 3, 2
    x, a, b = rng.normal(size=n), rng.normal(size=(k, n)), rng.normal(size=(m, k))
    u = lambda x: np.tanh(a @ x)
    y = lambda u: np.exp(b @ u)
    dy_du, du_dx = jac(y)(u(x)), jac(u)(x)
    assert (dy_du.shape, du_dx.shape) == ((m, k), (k, n))
    close(du_dx, (1 - np.tanh(a @ x) ** 2)[:, None] * a)
    close(jac(lambda x: y(u(x)))(x), dy_du @ du_dx)
    # A scalar result: the (1, k)(k, n) product, without the axis of length one.
    total = lambda u: np.sum(y(u))
    close(jac(lambda x: total(u(x)))(x), jac(total)(u(x)) @ du_dx)


def test_L08_two_regressions(rng):
    x, w, y = rng.normal(size=4), rng.normal(size=4), 0.7
    close(da.grad(lambda w: (np.dot(x, w) - y) ** 2)(w), 2 * (x @ w - y) * x)
    xs, ys = rng.normal(size=(6, 4)), rng.normal(size=6)
    close(da.grad(lambda w: np.sum((xs @ w - ys) ** 2))(w), 2 * (xs @ w - ys) @ xs)
    close(da.grad(lambda w: np.linalg.norm(xs @ w - ys) ** 2)(w), 2 * (xs @ w - ys) @ xs)


@all_jacobians
def test_L12_gradients_have_the_shape_of_their_argument(jac, rng):
    theta, x, a = rng.normal(size=4), rng.normal(size=4), rng.normal(size=(4, 4))
    close(jac(lambda x: theta @ x)(x), theta)
    close(jac(lambda x: x @ a @ x)(x), (a + a.T) @ x)
    symmetric = a + a.T
    close(jac(lambda x: x @ symmetric @ x)(x), 2 * symmetric @ x)


@all_jacobians
def test_L13_jacobian_is_outputs_by_inputs(jac, rng):
    w, x = rng.normal(size=(2, 5)), rng.normal(size=5)
    j = jac(lambda x: w @ x)(x)
    close(j, w)  # numerator layout
    close(j.T, w.T)  # denominator layout: the transpose


@both_jacobians
def test_L14_denominator_layout_chains_right_to_left(jac, rng):
    m, n, p = 4, 3, 2
    x, a, b = rng.normal(size=m), rng.normal(size=(n, m)), rng.normal(size=(p, n))
    f = lambda x: np.sin(a @ x)
    g = lambda y: np.cos(b @ y)
    dx_y, dy_z = jac(f)(x).T, jac(g)(f(x)).T
    assert (dx_y.shape, dy_z.shape) == ((m, n), (n, p))
    close(jac(lambda x: g(f(x)))(x).T, dx_y @ dy_z)


@both_jacobians
def test_L15_the_vjp_avoids_the_big_tensor(jac, rng):
    m, n = 3, 4
    w, x, y = rng.normal(size=(m, n)), rng.normal(size=n), rng.normal(size=m)
    residual = lambda w: y - w @ x
    tensor = jac(residual)(w)
    assert tensor.shape == (m, m, n)
    close(tensor, -np.einsum("ki,j->kij", np.eye(m), x))
    z, pullback = da.vjp(residual, w)
    (gradient,) = pullback(z)
    close(gradient, -np.outer(y - w @ x, x))
    close(np.tensordot(z, tensor, 1), gradient)
    close(da.grad(lambda w: 0.5 * np.sum(residual(w) ** 2))(w), gradient)
    # The pullback hands back m n numbers; the tensor holds m times as many, all but one in m of them zero.
    assert tensor.size == m * gradient.size
    assert np.count_nonzero(tensor) == gradient.size


def test_L16_gradient_of_least_squares_vanishes_at_the_normal_equations(rng):
    xs, ys = rng.normal(size=(4, 9)), rng.normal(size=(3, 9))
    loss = lambda w: 0.5 * np.sum((ys - w @ xs) ** 2)
    w = rng.normal(size=(3, 4))
    close(da.grad(loss)(w), -(ys - w @ xs) @ xs.T)
    best = ys @ xs.T @ np.linalg.inv(xs @ xs.T)
    np.testing.assert_allclose(da.grad(loss)(best), np.zeros((3, 4)), atol=1e-13)


@both_jacobians
def test_L27_only_one_order_of_the_chain_rule_fits(jac, rng):
    p, k = 4, 3
    x, a = rng.normal(size=p), rng.normal(size=(k, p))
    u = lambda x: np.tanh(a @ x)
    y = lambda u: np.sum(u**2)[None]  # one output, kept as an axis
    dy_du, du_dx = jac(y)(u(x)).T, jac(u)(x).T  # denominator layout: (k, 1) and (p, k)
    dy_dx = jac(lambda x: y(u(x)))(x).T
    assert (dy_du.shape, du_dx.shape, dy_dx.shape) == ((k, 1), (p, k), (p, 1))
    options = {"A": (dy_du, du_dx), "B": (dy_du.T, du_dx), "C": (dy_du, du_dx.T), "E": (dy_du, du_dx)}
    for name, (left, right) in options.items():
        assert left.shape[1] != right.shape[0], name
    assert (dy_du.T @ du_dx.T).shape == (1, p)  # D multiplies, but gives a row
    close(du_dx @ dy_du, dy_dx)  # none of A to E: right to left


# ---------------------------------------------------------------- derivatives as linear maps


@pytest.mark.parametrize("case", ["x.z", "x.A", "AXC"])
def test_L30_derivative_of_a_linear_map_is_the_map(case, rng):
    z, b = rng.normal(size=4), rng.normal(size=(4, 3))
    a, c = rng.normal(size=(2, 4)), rng.normal(size=(3, 5))
    f, x = {
        "x.z": (lambda x: x @ z, rng.normal(size=4)),
        "x.A": (lambda x: x @ b, rng.normal(size=4)),
        "AXC": (lambda x: a @ x @ c, rng.normal(size=(4, 3))),
    }[case]
    v, w = rng.normal(size=x.shape), rng.normal(size=x.shape)
    out, f_jvp = da.linearize(f, x)
    close(out, f(x))
    close(f_jvp(v), f(v))
    close(f_jvp(2 * v - 3 * w), 2 * f(v) - 3 * f(w))
    close(da.jvp(f, (x,), (v,))[1], f(v))


def test_L30_transpose_of_the_linear_map(rng):
    a, c, x = rng.normal(size=(2, 4)), rng.normal(size=(3, 5)), rng.normal(size=(4, 3))
    f = lambda x: a @ x @ c
    u, v = rng.normal(size=(2, 5)), rng.normal(size=(4, 3))
    (pulled,) = da.vjp(f, x)[1](u)
    close(pulled, a.T @ u @ c.T)
    close(np.vdot(u, da.linearize(f, x)[1](v)), np.vdot(pulled, v))


def test_L30_derivative_is_linear_in_the_direction_not_in_the_point(rng):
    f = lambda x: np.sin(x) * np.sum(x**2)
    x, v, w = rng.normal(size=(3, 4))
    _, f_jvp = da.linearize(f, x)
    close(f_jvp(v), np.cos(x) * v * np.sum(x**2) + np.sin(x) * 2 * (x @ v))
    close(f_jvp(0.5 * v + 4 * w), 0.5 * f_jvp(v) + 4 * f_jvp(w))


@both_jacobians
def test_L31_chain_rule_is_composition(jac, rng):
    a, x, v = rng.normal(size=(3, 4)), rng.normal(size=4), rng.normal(size=4)
    h = lambda x: np.tanh(a @ x)
    g = lambda u: np.sum(np.exp(u))
    hx, dh = da.jvp(h, (x,), (v,))
    _, composed = da.jvp(g, (hx,), (dh,))
    close(da.jvp(lambda x: g(h(x)), (x,), (v,))[1], composed)
    close(composed, v @ jac(h)(x).T @ da.grad(g)(hx))
    close(composed, np.exp(np.tanh(a @ x)) @ ((1 - np.tanh(a @ x) ** 2) * (a @ v)))


def test_L32_bilinear_product_rule(rng):
    a, x, v = rng.normal(size=(4, 4)), rng.normal(size=4), rng.normal(size=4)
    close(da.jvp(lambda x: x @ a @ x, (x,), (v,))[1], v @ a @ x + x @ a @ v)
    left, right = (lambda x: np.outer(np.sin(x), x)), (lambda x: np.outer(x, np.exp(x)))
    d_left = np.outer(np.cos(x) * v, x) + np.outer(np.sin(x), v)
    d_right = np.outer(v, np.exp(x)) + np.outer(x, np.exp(x) * v)
    got = da.jvp(lambda x: left(x) @ right(x), (x,), (v,))[1]
    close(got, d_left @ right(x) + left(x) @ d_right)


def test_L33_one_hot_directions_read_off_the_partials(rng):
    u, v, x = rng.normal(size=3), rng.normal(size=4), rng.normal(size=(3, 4))
    f = lambda x: u @ x @ v
    by_directions = np.empty((3, 4))
    for i, j in np.ndindex(3, 4):
        one_hot = np.zeros((3, 4))
        one_hot[i, j] = 1
        by_directions[i, j] = da.jvp(f, (x,), (one_hot,))[1]
    close(by_directions, np.outer(u, v))
    close(da.jacfwd(f)(x), np.outer(u, v))
    close(da.grad(f)(x), np.outer(u, v))


# ---------------------------------------------------------------- gradients of matrices and identities


def test_L37_least_squares_loss(rng):
    phi, y, theta = rng.normal(size=(7, 3)), rng.normal(size=7), rng.normal(size=3)
    loss = lambda theta: np.sum((y - phi @ theta) ** 2)
    close(da.grad(loss)(theta), -2 * (y - theta @ phi.T) @ phi)
    close(da.jacrev(lambda theta: y - phi @ theta)(theta), -phi)


@both_jacobians
def test_L38_matrix_by_vector_stacked_or_flattened(jac, rng):
    b, x = rng.normal(size=(4, 2, 3)), rng.normal(size=3)
    f = lambda x: np.sin(b @ x)
    tensor = jac(f)(x)
    close(tensor, np.cos(b @ x)[..., None] * b)
    stacked = np.stack([da.jvp(f, (x,), (e,))[1] for e in np.eye(3)], axis=-1)
    close(stacked, tensor)
    flat = jac(lambda x: f(x).reshape(8))(x)
    assert flat.shape == (8, 3)
    close(flat.reshape(4, 2, 3), tensor)


@both_jacobians
def test_L38_matrix_vector_product_by_the_matrix(jac, rng):
    m, n = 4, 3
    a, x = rng.normal(size=(m, n)), rng.normal(size=n)
    tensor = jac(lambda a: a @ x)(a)
    assert tensor.shape == (m, m, n)
    for i, k in np.ndindex(m, m):
        close(tensor[i, k], x if i == k else np.zeros(n))


@both_jacobians
def test_L38_gram_matrix_by_its_factor(jac, rng):
    m, n = 4, 3
    r = rng.normal(size=(m, n))
    tensor = jac(lambda r: r.T @ r)(r)
    assert tensor.shape == (n, n, m, n)
    for p, q, i, j in np.ndindex(tensor.shape):
        if j == p and p == q:
            want = 2 * r[i, q]
        elif j == p:
            want = r[i, q]
        elif j == q:
            want = r[i, p]
        else:
            want = 0.0
        close(tensor[p, q, i, j], want)
    assert (np.count_nonzero(tensor), tensor.size) == (60, 108)


@both_jacobians
def test_L39_transpose_and_trace_commute_with_the_derivative(jac, rng):
    x, a = rng.normal(size=(3, 3)), rng.normal(size=(3, 3))
    f = lambda x: np.sin(x) @ a @ x
    d = jac(f)(x)
    close(jac(lambda x: f(x).T)(x), d.transpose(1, 0, 2, 3))
    close(jac(lambda x: np.trace(f(x)))(x), np.trace(d, axis1=0, axis2=1))
    close(jac(lambda x: np.trace(x @ a))(x), a.T)


@both_jacobians
def test_L39_determinant(jac, rng):
    x = well_conditioned(rng, 3)
    close(jac(np.linalg.det)(x), np.linalg.det(x) * np.linalg.inv(x).T)
    f = lambda x: x @ x + np.sin(x)
    fx, d = f(x), jac(f)(x)
    want = np.linalg.det(fx) * np.einsum("ij,jikl->kl", np.linalg.inv(fx), d)
    close(jac(lambda x: np.linalg.det(f(x)))(x), want)


@both_jacobians
def test_L39_inverse(jac, rng):
    x, v = well_conditioned(rng, 3), rng.normal(size=(3, 3))
    inverse = np.linalg.inv(x)
    close(jac(np.linalg.inv)(x), -np.einsum("ik,lj->ijkl", inverse, inverse))
    close(da.jvp(np.linalg.inv, (x,), (v,))[1], -inverse @ v @ inverse)
    f = lambda x: x @ x + np.sin(x)
    d, inverse = jac(f)(x), np.linalg.inv(f(x))
    close(jac(lambda x: np.linalg.inv(f(x)))(x), -np.einsum("ia,abkl,bj->ijkl", inverse, d, inverse))


@both_jacobians
def test_L39_bilinear_forms(jac, rng):
    x, a, b = well_conditioned(rng, 3), rng.normal(size=3), rng.normal(size=3)
    it = np.linalg.inv(x).T
    close(jac(lambda x: a @ np.linalg.inv(x) @ b)(x), -it @ np.outer(a, b) @ it)
    close(jac(lambda x: a @ np.linalg.solve(x, b))(x), -it @ np.outer(a, b) @ it)
    close(jac(lambda x: a @ x @ b)(x), np.outer(a, b))
    s = rng.normal(size=3)
    close(jac(lambda s: s @ a)(s), a)
    close(jac(lambda s: a @ s)(s), a)
    close(jac(lambda s: s @ x @ s)(s), s @ (x + x.T))


def test_L39_weighted_least_squares_with_symmetric_weights(rng):
    x, a, s, w = rng.normal(size=5), rng.normal(size=(5, 3)), rng.normal(size=3), rng.normal(size=(5, 5))
    w = w + w.T
    close(da.grad(lambda s: (x - a @ s) @ w @ (x - a @ s))(s), -2 * (x - a @ s) @ w @ a)


def test_L43_hessian_and_hessian_vector_product():
    f = lambda x: x[0] ** 2 * x[1] + x[0] * x[1] ** 3
    a, b = 1.5, -0.8
    x, v = np.array([a, b]), np.array([0.3, 2.0])
    want = np.array([[2 * b, 2 * a + 3 * b**2], [2 * a + 3 * b**2, 6 * a * b]])
    close(da.hessian(f)(x), want)
    for outer in (da.jacfwd, da.jacrev):
        for inner in (da.jacfwd, da.jacrev):
            close(outer(inner(f))(x), want)
    close(da.hvp(f, (x,), (v,)), want @ v)


def test_L43_hessian_tensor_of_a_vector_function(rng):
    m, n = 3, 4
    b, x = rng.normal(size=(m, n, n)), rng.normal(size=n)
    tensor = da.hessian(lambda x: (b @ x) @ x)(x)
    assert tensor.shape == (m, n, n)
    close(tensor, b + b.transpose(0, 2, 1))


BILINEAR_IN_ZERO = {
    "sin": lambda x: -x[0] * np.sin(x[1]),
    "quotient": lambda x: x[0] / (x[1] ** 2 + x[2] ** 2),
    "sum": lambda x: -x[0] * np.sum(np.sin(x)),
    "mean": lambda x: -x[0] * np.mean(np.sin(x)),
    "max": lambda x: -x[0] * np.max(np.sin(x)),
    "var": lambda x: -x[0] * np.var(np.sin(x)),
    "norm": lambda x: -x[0] * np.linalg.norm(np.sin(x)),
    "cumsum": lambda x: -x[0] * np.sum(np.cumsum(np.sin(x)) * x),
    "sort": lambda x: -x[0] * np.sum(np.sort(np.sin(x)) * np.arange(3.0)),
    "dot": lambda x: -x[0] * np.dot(np.sin(x), np.cos(x)),
    "matmul": lambda x: -x[0] * np.sum(np.sin(np.vander([1.0, -2.0, 0.5]) @ np.sin(x))),
    "einsum": lambda x: -x[0] * np.einsum("i,ij,j", np.sin(x), np.vander([1.0, -2.0, 0.5]), np.cos(x)),
    "inverse": lambda x: -x[0] * np.sum(np.linalg.inv(2 * np.eye(3) + np.outer(np.sin(x), x))),
}


@pytest.mark.parametrize("x", [(0.0, 1.0, 2.0), (1.0, 0.0, 2.0), (1.0, 2.0, 0.0), (-0.0, 1.0, -2.0)])
@pytest.mark.parametrize("name", BILINEAR_IN_ZERO)
def test_L43_hessian_where_a_factor_is_zero(name, x):
    """A cotangent of -0.0 that itself depended on x was taken for none at all, and its part of the Hessian lost."""
    f, x = BILINEAR_IN_ZERO[name], np.array(x)
    want = da.jacfwd(da.jacfwd(f))(x)
    assert np.count_nonzero(want) >= 2
    for hessian in (da.hessian(f), da.jacfwd(da.grad(f)), da.jacrev(da.grad(f)), da.jacrev(da.jacfwd(f))):
        np.testing.assert_allclose(hessian(x), want, rtol=1e-12, atol=1e-14)


# ---------------------------------------------------------------- errata


def test_E2_one_example_does_not_determine_the_weights(rng):
    x, y = rng.normal(size=4), rng.normal(size=3)
    assert np.linalg.matrix_rank(np.outer(x, x)) == 1  # so the inverse of x x^T does not exist
    loss = lambda w: 0.5 * np.sum((y - w @ x) ** 2)
    normal = np.linalg.qr(np.column_stack([x, rng.normal(size=(4, 3))]))[0][:, 1:]  # orthogonal to x
    for shift in (np.zeros((3, 3)), rng.normal(size=(3, 3))):
        w = np.outer(y, x) / (x @ x) + shift @ normal.T
        np.testing.assert_allclose(da.grad(loss)(w), np.zeros((3, 4)), atol=1e-14)


@both_jacobians
def test_E2_rows_of_the_residual_tensor_carry_a_minus_sign(jac, rng):
    w, x, y = rng.normal(size=(3, 4)), rng.normal(size=4), rng.normal(size=3)
    tensor = jac(lambda w: y - w @ x)(w)
    for k in range(3):
        close(tensor[k, k], -x)


def test_E2_hessian_diagonal_is_of_second_order(rng):
    x = rng.normal(size=3)
    f = lambda x: np.sum(x**3) + np.prod(x)
    close(np.diag(da.hessian(f)(x)), 6 * x)
    close(da.grad(f)(x), 3 * x**2 + np.prod(x) / x)  # the first order partials are something else
    assert np.all(np.abs(da.grad(f)(x) - 6 * x) > 1e-3)


def test_E3_weighted_least_squares_with_any_weights(rng):
    x, a, s, w = rng.normal(size=5), rng.normal(size=(5, 3)), rng.normal(size=3), rng.normal(size=(5, 5))
    got = da.grad(lambda s: (x - a @ s) @ w @ (x - a @ s))(s)
    close(got, -(x - a @ s) @ (w + w.T) @ a)
    assert np.max(np.abs(got + 2 * (x - a @ s) @ w @ a)) > 0.1  # the symmetric form does not hold


@both_jacobians
def test_E6_product_rule_of_vectors_needs_diagonal_matrices(jac, rng):
    x, a = rng.normal(size=3), rng.normal(size=(3, 3))
    u, v = np.sin, lambda x: a @ x
    du, dv = jac(u)(x), jac(v)(x)
    got = jac(lambda x: u(x) * v(x))(x)
    close(got, np.diag(v(x)) @ du + np.diag(u(x)) @ dv)
    scalars = du @ v(x) + dv @ u(x)  # the scalar rule read as matrix products: not even the right shape
    assert scalars.shape != got.shape


@all_jacobians
def test_E7_layouts_are_permutations_of_axes(jac, rng):
    x, c = rng.normal(size=(3, 2)), rng.normal(size=(4, 5, 3, 2))
    y = lambda x: np.sin(np.tensordot(c, x, 2))
    ours = jac(y)(x)
    want = np.einsum("ml,mlnk->mlnk", np.cos(np.tensordot(c, x, 2)), c)
    close(ours, want)  # shape(y) + shape(x)
    close(ours.transpose(0, 1, 3, 2), np.einsum("mlnk->mlkn", want))  # shape(y) + reversed(shape(x))
    close(ours.transpose(2, 3, 0, 1), np.einsum("mlnk->nkml", want))  # shape(x) + shape(y)
    assert ours.shape == (4, 5, 3, 2)

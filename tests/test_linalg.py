"""Linear algebra: closed forms, the laws of array_laws on batches and lanes, singular and symmetric arguments, errors."""

import warnings

import numpy as np
import pytest
from array_laws import draw, float32_kept, inner, leaves, obeys_the_laws, same_bits

import dualad as da
from dualad.rules import linalg as rules


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def regular(*shape):
    rng = np.random.default_rng(sum(shape))
    return rng.normal(size=shape) + 2 * np.eye(shape[-1])


def symmetric(*shape):
    x = np.random.default_rng(sum(shape)).normal(size=shape)
    return x + np.swapaxes(x, -1, -2)


def positive(*shape):
    x = np.random.default_rng(sum(shape)).normal(size=shape)
    return x @ np.swapaxes(x, -1, -2) + np.eye(shape[-1])


def symmetric_directions(rng, args):
    return [t + np.swapaxes(t, -1, -2) for t in draw(rng, args)]


def close(got, want, rtol=1e-11):
    assert np.shape(got) == np.shape(want)
    np.testing.assert_allclose(got, want, rtol=rtol, atol=rtol * (1.0 + np.max(np.abs(want), initial=0.0)))


# ---- the laws ------------------------------------------------

SQUARE = [(1, 1), (2, 2), (3, 3), (4, 2, 2), (2, 2, 3, 3)]


@pytest.mark.parametrize("shape", SQUARE, ids=str)
@pytest.mark.parametrize("f", [np.linalg.inv, np.linalg.det, np.linalg.slogdet], ids=lambda f: f.__name__)
def test_inv_det_slogdet(f, shape):
    obeys_the_laws(f, regular(*shape), tol=1e-7)


@pytest.mark.parametrize(
    ("sa", "sb"),
    [
        ((3, 3), (3,)), ((3, 3), (3, 2)), ((4, 3, 3), (3,)), ((4, 3, 3), (4, 3, 2)), ((4, 3, 3), (3, 2)), ((3, 3), (4, 3, 2)),
        ((4, 1, 2, 2), (3, 2, 2)), ((1, 2, 2), (4, 2, 1)), ((2, 1, 2, 2), (2,)), ((1, 1), (1,)),
    ],
    ids=str,
)  # fmt: skip
def test_solve(sa, sb, rng):
    a, b = regular(*sa), rng.normal(size=sb)
    obeys_the_laws(np.linalg.solve, a, b, tol=1e-7)
    obeys_the_laws(lambda b: np.linalg.solve(a, b), b, second=False, tol=1e-7)
    obeys_the_laws(lambda a: np.linalg.solve(a, b), a, second=False, tol=1e-7)


@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (4, 2, 2)], ids=str)
def test_cholesky(shape, upper):
    f = lambda a: np.linalg.cholesky(a, upper=upper)
    obeys_the_laws(f, positive(*shape), directions=symmetric_directions, tol=1e-7)
    obeys_the_laws(lambda x: f(x @ np.swapaxes(x, -1, -2)), regular(*shape), tol=1e-7)
    _symmetric_cotangents(f, positive(*shape))


@pytest.mark.parametrize("uplo", ["L", "U"])
@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (4, 2, 2)], ids=str)
def test_eigh(shape, uplo):
    f = lambda a: np.linalg.eigh(a, uplo)
    obeys_the_laws(f, symmetric(*shape), directions=symmetric_directions, tol=1e-7)
    obeys_the_laws(lambda a: np.linalg.eigvalsh(a, uplo), symmetric(*shape), directions=symmetric_directions, tol=1e-7)
    obeys_the_laws(lambda x: f(x + np.swapaxes(x, -1, -2)), regular(*shape), tol=1e-7)
    _symmetric_cotangents(f, symmetric(*shape))
    _symmetric_cotangents(lambda a: np.linalg.eigvalsh(a, uplo), symmetric(*shape))


def _symmetric_cotangents(f, a):
    """Both modes use the symmetric part: gradients are symmetric, and one-sided directions count half, in both alike."""
    rng = np.random.default_rng(2)
    t = rng.normal(size=a.shape)
    out, pullback = da.vjp(f, a)
    ws = [rng.normal(size=np.shape(o)) for o in (out if isinstance(out, tuple) else [out])]
    (ct,) = pullback(type(out)(*ws) if isinstance(out, tuple) else ws[0])
    np.testing.assert_array_equal(ct, np.swapaxes(ct, -1, -2))
    tangent = da.jvp(f, (a,), (t,))[1]
    assert abs(inner(tangent, ws) - inner(ct, t)) <= 1e-11 * (1 + abs(inner(ct, t)))
    close(inner(da.jvp(f, (a,), (0.5 * (t + np.swapaxes(t, -1, -2)),))[1], ws), inner(tangent, ws))


@pytest.mark.parametrize("shape", [(2, 2), (3, 2), (2, 3), (4, 3, 2)], ids=str)
def test_svd(shape, rng):
    x = rng.normal(size=shape)
    obeys_the_laws(lambda x: np.linalg.svd(x, full_matrices=False), x, tol=1e-7)
    obeys_the_laws(np.linalg.svdvals, x, tol=1e-7)
    obeys_the_laws(lambda x: np.linalg.svd(x, compute_uv=False), x, second=False, tol=1e-7)
    if shape[-1] == shape[-2]:
        obeys_the_laws(np.linalg.svd, x, tol=1e-7)


# ---- norms ------------------------------------------------


def away_from_kinks(rng, shape):
    """Elements of either sign whose sizes differ by 0.07 and more, so that differences do not step over a kink."""
    n = int(np.prod(shape))
    return np.reshape(rng.permutation(0.4 + 0.07 * np.arange(n)) * rng.choice([-1.0, 1.0], n), shape)


VECTOR_ORDERS = [None, 2, 1, 3, 2.5, 0.5, -1, np.inf, -np.inf, 0]
MATRIX_ORDERS = [None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf]


@pytest.mark.parametrize("order", VECTOR_ORDERS, ids=str)
def test_vector_norms(order, rng):
    x, y = away_from_kinks(rng, (5,)), away_from_kinks(rng, (3, 4, 2))
    obeys_the_laws(lambda x: np.linalg.norm(x, order), x, tol=1e-7)
    obeys_the_laws(lambda x: np.linalg.norm(x, order, keepdims=True), x, second=False, tol=1e-7)
    for axis in (0, -1, (1,)):
        for keepdims in (False, True):
            obeys_the_laws(
                lambda y, a=axis, k=keepdims: np.linalg.norm(y, order, axis=a, keepdims=k), y, second=axis == -1, tol=1e-7
            )
    if order is not None:
        for axis in (None, 1, (0, 2), (2, 1, 0)):
            obeys_the_laws(lambda y, a=axis: np.linalg.vector_norm(y, axis=a, ord=order), y, second=False, tol=1e-7)
            obeys_the_laws(lambda y, a=axis: np.linalg.vector_norm(y, axis=a, ord=order, keepdims=True), y, second=False, tol=1e-7)


@pytest.mark.parametrize("order", MATRIX_ORDERS, ids=str)
def test_matrix_norms(order, rng):
    x, y = away_from_kinks(rng, (3, 2)), away_from_kinks(rng, (3, 4, 2))
    obeys_the_laws(lambda x: np.linalg.norm(x, order), x, tol=1e-7)
    obeys_the_laws(lambda y: np.linalg.norm(y, order, axis=(0, -1)), y, tol=1e-7)
    obeys_the_laws(lambda y: np.linalg.norm(y, order, axis=(2, 0), keepdims=True), y, second=False, tol=1e-7)
    if order is not None:
        obeys_the_laws(lambda y: np.linalg.matrix_norm(y, ord=order), y, second=False, tol=1e-7)
        obeys_the_laws(lambda y: np.linalg.matrix_norm(y, ord=order, keepdims=True), y, second=False, tol=1e-7)


def test_norm_of_scalars_and_of_any_rank(rng):
    obeys_the_laws(np.linalg.norm, rng.normal(size=(2, 3, 2)))
    obeys_the_laws(lambda x: np.linalg.norm(x), -1.5)
    obeys_the_laws(lambda x: np.linalg.norm(np.sin(x)), rng.normal(size=(2, 3)))


def both(f, x):
    """The gradient by reverse and by forward mode, which must agree exactly."""
    reverse, forward = da.grad(f)(x), da.jacfwd(f)(x)
    np.testing.assert_array_equal(reverse, forward)
    return reverse


def test_norm_at_its_kinks():
    """norm'(0) = 0; equal elements share evenly; the sign of zero is zero."""
    zero = np.zeros(3)
    for order in (None, 2, 1, 3, 2.5, 0.5, np.inf, 0):
        np.testing.assert_array_equal(both(lambda x, o=order: np.linalg.norm(x, o), zero), zero)
    np.testing.assert_array_equal(both(np.linalg.norm, np.zeros((2, 2))), np.zeros((2, 2)))
    np.testing.assert_array_equal(both(lambda x: np.linalg.norm(x, np.inf), np.array([2.0, -2.0, 1.0])), [0.5, -0.5, 0.0])
    np.testing.assert_array_equal(both(lambda x: np.linalg.norm(x, -np.inf), np.array([2.0, -1.0, 1.0])), [0.0, -0.5, 0.5])
    np.testing.assert_array_equal(
        both(lambda x: np.linalg.norm(x, 1), np.array([[1.0, 1.0], [-1.0, 1.0]])), [[0.5, 0.5], [-0.5, 0.5]]
    )
    rows = np.array([[0.0, 0.0], [3.0, 4.0]])
    np.testing.assert_array_equal(both(lambda x: np.sum(np.linalg.norm(x, axis=1)), rows), [[0.0, 0.0], [0.6, 0.8]])
    masked = lambda x: np.sum(np.where(np.array([False, True]), np.log(np.linalg.norm(x, axis=1)), 0.0))
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(da.grad(masked)(rows), [[0.0, 0.0], [0.12, 0.16]], rtol=1e-15)
        rows[0, 0] = np.inf  # a row that np.where does not choose contributes nothing, not even NaN
        np.testing.assert_allclose(da.grad(masked)(rows), [[0.0, 0.0], [0.12, 0.16]], rtol=1e-15)
    np.testing.assert_array_equal(da.hessian(np.linalg.norm)(zero), np.zeros((3, 3)))


@pytest.mark.parametrize("scale", [1e-320, 1e-200, 1e-160, 1e-140, 1.0, 1e150, 1e200, 1e307])
def test_direction_of_a_norm_at_extremes(scale):
    """x / |x| is representable even where the squares (and NumPy's value) overflow or underflow."""
    x = scale * np.array([3.0, -4.0, 0.0])
    with np.errstate(over="ignore"):
        g = both(np.linalg.norm, x)
    length = np.hypot(x[0], x[1])
    np.testing.assert_allclose(
        g, x / length if scale > 1e-300 else np.array([0.6, -0.8, 0.0]), rtol=1e-3 if scale < 1e-300 else 1e-15
    )


# ---- closed forms ------------------------------------------------


def test_closed_forms(rng):
    x, a, b = regular(4, 4), rng.normal(size=4), rng.normal(size=4)
    v = np.linalg.inv(x)
    t = rng.normal(size=(4, 4))
    close(da.grad(np.linalg.det)(x), np.linalg.det(x) * v.T)
    close(da.grad(lambda x: np.log(np.linalg.det(x) ** 2))(x), 2 * v.T)
    close(da.grad(lambda x: np.linalg.slogdet(x)[1])(x), v.T)
    close(da.grad(lambda x: np.linalg.slogdet(x).logabsdet)(x), v.T)
    close(da.jvp(np.linalg.inv, (x,), (t,))[1], -v @ t @ v)
    close(da.jacrev(np.linalg.inv)(x), -np.einsum("ik,lj->ijkl", v, v))
    close(da.grad(lambda x: a @ np.linalg.inv(x) @ b)(x), -v.T @ np.outer(a, b) @ v.T)
    close(da.grad(lambda x: a @ np.linalg.solve(x, b))(x), -v.T @ np.outer(a, b) @ v.T)
    close(da.jacrev(lambda b: np.linalg.solve(x, b))(b), v)
    close(da.jacfwd(lambda b: np.linalg.solve(x, b))(b), v)
    close(da.grad(lambda x: np.trace(np.linalg.inv(x)))(x), -(v @ v).T)
    close(da.grad(lambda x: np.linalg.norm(x) ** 2)(x), 2 * x)
    close(da.hessian(lambda x: np.linalg.norm(x))(a), (np.eye(4) - np.outer(a, a) / (a @ a)) / np.linalg.norm(a))


def test_second_derivatives_of_log_det(rng):
    """d2 log det X = -tr(X^-1 dX X^-1 dX)."""
    x = regular(3, 3)
    v = np.linalg.inv(x)
    want = -np.einsum("jk,li->ijkl", v, v)
    for f in (lambda x: np.linalg.slogdet(x)[1], lambda x: 0.5 * np.log(np.linalg.det(x) ** 2)):
        close(da.hessian(f)(x), want)
        close(da.jacrev(da.grad(f))(x), want)
        close(da.jacfwd(da.jacfwd(f))(x), want)
    third = da.jvp(lambda y: da.jvp(lambda z: da.jvp(lambda u: np.linalg.slogdet(u)[1], (z,), (x,))[1], (y,), (x,))[1], (x,), (x,))[
        1
    ]
    close(third, 2.0 * 3)  # log det(e^s X) = 3 s + ..., by powers of s: along X the derivatives are 3, -3, 6


def test_cholesky_of_log_det_and_of_a_two_by_two(rng):
    a = positive(4, 4)
    close(da.grad(lambda a: 2 * np.sum(np.log(np.diagonal(np.linalg.cholesky(a)))))(a), np.linalg.inv(a))
    # [[p, q], [q, r]]: L = [[sqrt p, 0], [q / sqrt p, sqrt(r - q^2 / p)]]
    p, q, r = 4.0, 1.0, 3.0
    build = lambda p, q, r: np.stack([np.stack([p, q]), np.stack([q, r])])
    entry = lambda p, q, r: np.linalg.cholesky(build(p, q, r))[1, 1]
    root = np.sqrt(r - q * q / p)
    close(da.grad(entry, argnums=(0, 1, 2))(p, q, r), np.array([q * q / (2 * p * p * root), -q / (p * root), 1 / (2 * root)]))


def test_eigenvalue_closed_forms(rng):
    a = symmetric(4, 4)
    w, v = np.linalg.eigh(a)
    t = symmetric(4, 4) @ np.diag([1.0, 2, 3, 4])
    t = t + t.T
    for i in range(4):
        close(da.grad(lambda a, i=i: np.linalg.eigh(a)[0][i])(a), np.outer(v[:, i], v[:, i]))
        close(da.grad(lambda a, i=i: np.linalg.eigvalsh(a)[i])(a), np.outer(v[:, i], v[:, i]))
    gap = w[None, :] - w[:, None]
    m = v.T @ t @ v / np.where(gap == 0, np.inf, gap)
    close(da.jvp(lambda a: np.linalg.eigh(a).eigenvectors, (a,), (t,))[1], v @ m)
    # second order perturbation theory: w_i'' = 2 sum_j (v_j' T v_i)^2 / (w_i - w_j)
    second = da.jvp(lambda y: da.jvp(np.linalg.eigvalsh, (y,), (t,))[1], (a,), (t,))[1]
    close(second, 2 * np.sum((v.T @ t @ v) * m, axis=0) * 1.0)
    close(da.grad(lambda a: np.sum(np.exp(np.linalg.eigvalsh(a))))(a), v @ np.diag(np.exp(w)) @ v.T)


# ---- singular matrices ------------------------------------------------

SINGULAR = {
    "zero": np.zeros((3, 3)),
    "rank one": np.outer([1.0, 2.0, -1.0], [2.0, 0.5, 3.0]),
    "rank two": np.array([[1.0, 2, 3], [4, 5, 6], [7, 8, 9]]),
    "rank two, exactly": np.diag([2.0, 3.0, 0.0]),
    "one by one": np.zeros((1, 1)),
    "nearly": np.diag([1.0, 1.0, 1e-12]) @ np.array([[1.0, 2, 3], [0, 1, 4], [5, 6, 0]]),
}


def cofactors(x):
    n = len(x)
    minor = lambda i, j: np.linalg.det(np.delete(np.delete(x, i, 0), j, 1)) if n > 1 else 1.0
    return np.array([[(-1) ** (i + j) * minor(i, j) for j in range(n)] for i in range(n)])


@pytest.mark.parametrize("name", SINGULAR)
def test_det_of_singular_matrices(name):
    """The gradient is the matrix of cofactors, whatever the rank, and so is its change."""
    x = SINGULAR[name]
    for gradient in (da.grad(np.linalg.det)(x), da.jacfwd(np.linalg.det)(x)):
        np.testing.assert_allclose(gradient, cofactors(x), rtol=1e-13, atol=1e-13 * (1 + np.max(np.abs(x)) ** 2))
    t = np.random.default_rng(4).normal(size=x.shape)
    change = (cofactors(x + t) - cofactors(x - t)) / 2  # exact: cofactors of n <= 3 are quadratic
    for by in (da.jvp(da.grad(np.linalg.det), (x,), (t,))[1], da.grad(lambda x: da.jvp(np.linalg.det, (x,), (t,))[1])(x)):
        np.testing.assert_allclose(by, change, rtol=1e-12, atol=1e-12 * (1 + np.max(np.abs(x)) ** 2))
    hessian = da.hessian(np.linalg.det)(x)
    np.testing.assert_allclose(np.tensordot(hessian, t, 2), change, rtol=1e-12, atol=1e-12 * (1 + np.max(np.abs(x)) ** 2))


def test_det_of_a_stack_with_singular_members(rng):
    stack = np.stack([SINGULAR["rank two"], regular(3, 3), SINGULAR["zero"]])
    jacobian = da.jacrev(np.linalg.det)(stack)
    for i, x in enumerate(stack):
        close(jacobian[i, i], cofactors(x), 1e-12)
        assert not np.any(np.delete(jacobian[i], i, 0))


@pytest.mark.parametrize("scale", [1e-120, 1e-60, 1e60, 1e120])
def test_det_that_over_or_underflows(scale):
    """The cofactors are representable where the determinant is not."""
    x = scale * regular(3, 3)
    with np.errstate(all="ignore"):
        gradient = da.grad(np.linalg.det)(x)
    np.testing.assert_allclose(gradient / scale / scale, cofactors(regular(3, 3)), rtol=1e-12)


def test_third_derivative_of_det(rng):
    x, t = regular(3, 3), rng.normal(size=(3, 3))
    along = lambda f: lambda y: da.jvp(f, (y,), (t,))[1]
    close(along(along(along(np.linalg.det)))(x), 6 * np.linalg.det(t), 1e-9)
    with pytest.raises(NotImplementedError, match=r"third derivative of numpy\.linalg\.det"):
        along(along(along(np.linalg.det)))(SINGULAR["rank two, exactly"])


def test_singular_matrices_raise_as_in_numpy():
    x = SINGULAR["rank two, exactly"]
    for f in (lambda x: np.sum(np.linalg.inv(x)), lambda x: np.sum(np.linalg.solve(x, np.ones(3)))):
        with pytest.raises(np.linalg.LinAlgError):
            da.grad(f)(x)
    with pytest.raises(np.linalg.LinAlgError):
        da.grad(lambda x: np.linalg.slogdet(x)[1])(x)
    with pytest.raises(np.linalg.LinAlgError):
        da.grad(lambda x: np.sum(np.linalg.cholesky(x)))(-np.eye(2))


def test_equal_eigenvalues():
    """Eigenvalues and symmetric functions of them have derivatives; vectors have none, and it shows."""
    x = np.diag([2.0, 2.0, 5.0])
    t = np.array([[1.0, 0.5, 0.2], [0.5, -1.0, 0.3], [0.2, 0.3, 2.0]])
    close(da.grad(lambda a: np.sum(np.linalg.eigh(a)[0] ** 2))(x), 2 * x)
    close(da.grad(lambda a: np.prod(np.linalg.eigvalsh(a)))(x), np.linalg.det(x) * np.linalg.inv(x))
    w, dv = da.jvp(np.linalg.eigh, (x,), (t,))[1]
    close(np.sum(w), np.trace(t))
    assert not np.all(np.isfinite(dv))
    w, dv = da.jvp(np.linalg.eigh, (x,), (np.diag([3.0, 1.0, 1.0]),))[1]
    np.testing.assert_array_equal(dv, np.zeros((3, 3)))
    d = np.diag([3.0, 1.0, 1.0])  # vectors stay along it, but their second derivative is undefined: never a silent zero
    second = da.jvp(lambda y: da.jvp(lambda z: np.linalg.eigh(z)[1], (y,), (d,))[1], (x,), (t,))[1]
    assert not np.all(np.isfinite(second))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        da.jacrev(np.linalg.eigh)(x)


# ---- containers, dtypes, emptiness, costs, errors ------------------------------------------------


def test_named_results_are_kept():
    x = regular(3, 3)
    for out in (*da.jvp(np.linalg.slogdet, (x,), (x,)), da.vjp(np.linalg.slogdet, x)[0]):
        assert type(out).__name__ == "SlogdetResult"
        assert out.logabsdet is out[1]
    for out in (*da.jvp(np.linalg.eigh, (x + x.T,), (x,)), da.vjp(np.linalg.eigh, x + x.T)[0]):
        assert type(out).__name__ == "EighResult"
        assert out.eigenvalues.shape == (3,)
    assert type(da.vjp(np.linalg.svd, x)[0]).__name__ == "SVDResult"
    sign, logabsdet = da.jvp(np.linalg.slogdet, (x,), (np.eye(3),))[1]
    assert sign == 0.0
    close(logabsdet, np.trace(np.linalg.inv(x)))


def test_float32_is_kept():
    for f, args in [
        (np.linalg.inv, [regular(3, 3)]),
        (np.linalg.det, [regular(3, 3)]),
        (np.linalg.slogdet, [regular(2, 3, 3)]),
        (np.linalg.solve, [regular(3, 3), np.ones(3)]),
        (np.linalg.cholesky, [positive(3, 3)]),
        (np.linalg.eigh, [symmetric(3, 3)]),
        (np.linalg.eigvalsh, [symmetric(3, 3)]),
        (np.linalg.norm, [regular(3, 3)]),
        (lambda x: np.linalg.norm(x, 3, axis=0), [regular(3, 3)]),
        (lambda x: np.linalg.norm(x, 1), [regular(3, 3)]),
        (lambda x: np.linalg.norm(x, np.float64(2.5), axis=0), [regular(3, 3)]),
        (lambda x: np.linalg.norm(x, 0, axis=0), [regular(3, 3)]),
        (lambda x: np.linalg.norm(x, np.inf, axis=0), [regular(3, 3)]),
        (np.linalg.svdvals, [regular(3, 3)]),
    ]:
        float32_kept(f, *args)


@pytest.mark.parametrize(
    ("f", "shape"),
    [
        (np.linalg.inv, (0, 0)), (np.linalg.inv, (0, 3, 3)), (np.linalg.det, (0, 0)), (np.linalg.det, (0, 2, 2)),
        (np.linalg.slogdet, (0, 0)), (np.linalg.cholesky, (0, 0)), (np.linalg.eigvalsh, (0, 0)), (np.linalg.norm, (0,)),
        (lambda x: np.linalg.norm(x, axis=1), (3, 0)), (lambda x: np.linalg.norm(x, np.inf, axis=0), (0, 3)),
        (lambda x: np.linalg.solve(np.ones((0, 0)), x), (0, 2)), (np.linalg.eigh, (0, 3, 3)),
    ],
    ids=str,
)  # fmt: skip
def test_empty_matrices(f, shape):
    x = np.ones(shape)
    out, tangent = da.jvp(f, (x,), (x,))
    same_bits(out, f(x))
    assert [np.shape(t) for t in leaves(tangent)] == [np.shape(o) for o in leaves(out)]
    out, pullback = da.vjp(f, x)
    same_bits(out, f(x))
    (ct,) = pullback(type(out)(*map(np.zeros_like, out)) if isinstance(out, tuple) else np.ones(np.shape(out))[()])
    assert ct.shape == shape


def test_a_chunk_of_lanes_is_one_factorisation(rng, monkeypatch):
    """The Jacobian of solve in b solves once, with all tangents as columns."""
    a, b, seen = rng.normal(size=(8, 8)), rng.normal(size=8), []

    class Counting:
        def __getattr__(self, name):
            return getattr(np, name)

        class linalg:  # noqa: N801
            @staticmethod
            def solve(a, b):
                seen.append((np.shape(a), np.shape(b)))
                return np.linalg.solve(a, b)

    monkeypatch.setattr(rules, "np", Counting())
    close(da.jacfwd(lambda b: np.linalg.solve(a, b))(b), np.linalg.inv(a), 1e-9)
    assert seen == [((8, 8), (8, 8))]
    seen.clear()
    close(da.jacrev(lambda b: np.linalg.solve(a, b))(b), np.linalg.inv(a), 1e-9)
    assert seen == [((8, 8), (8, 8))]


def test_calls_break_the_tape_and_sweeps_go_on(rng):
    """Elementwise work before, between and after linear algebra, scalars mixed in."""
    x = rng.normal(size=(3, 3))

    def f(x):
        a = np.sin(x) @ np.sin(x).T + np.exp(x[0, 0]) * np.eye(3)
        l = np.linalg.cholesky(a)
        y = np.linalg.solve(a * np.linalg.norm(x), np.cos(l[:, 0]))
        return np.linalg.slogdet(a)[1] * y[1] + np.sum(np.tanh(l)) / np.linalg.det(a)

    obeys_the_laws(f, x, tol=1e-7)


@pytest.mark.parametrize("name", ["lstsq", "qr", "pinv", "eig", "eigvals", "cond", "tensorinv", "tensorsolve"])
def test_what_is_not_covered_says_so(name):
    x = regular(4, 4)
    f = getattr(np.linalg, name)
    args = {"lstsq": (np.ones(4),), "tensorsolve": (np.ones(4),)}.get(name, ())
    for run in (lambda g: da.jvp(g, (x,), (x,)), lambda g: da.vjp(g, x)):
        with pytest.raises(NotImplementedError, match=name):
            run(lambda x: f(x, *args))
    with pytest.raises(NotImplementedError, match="full_matrices"):
        da.jvp(np.linalg.svd, (np.ones((3, 2)),), (np.ones((3, 2)),))


def test_errors_are_numpys():
    x = np.ones((2, 3))
    for f in (np.linalg.inv, np.linalg.det, np.linalg.slogdet, np.linalg.cholesky, np.linalg.eigh, np.linalg.eigvalsh):
        for run in (lambda g: da.jvp(g, (x,), (x,)), lambda g: da.vjp(g, x)):
            with pytest.raises(np.linalg.LinAlgError):
                run(f)
    wrong = [
        lambda x: np.linalg.norm(x, 3),
        lambda x: np.linalg.norm(x, "nuc", axis=0),
        lambda x: np.linalg.norm(np.stack([x, x]), 2),
        lambda x: np.linalg.matrix_norm(x, ord=7),
        lambda x: np.linalg.solve(np.eye(3), x),
    ]
    for f in wrong:
        with pytest.raises(ValueError, match=r".+"):
            da.jvp(f, (x,), (x,))
    with pytest.raises(TypeError, match=r"linalg\.solve: a complex operand"):
        da.grad(lambda x: np.sum(np.linalg.solve(x, np.array([1j, 0.0]))))(np.eye(2))
    assert da.jvp(lambda x: x * np.linalg.matrix_rank(x), (np.eye(2),), (np.eye(2),))[1][0, 0] == 2.0

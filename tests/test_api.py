"""Signatures and return conventions of the transformations (JAX's), their errors, and how often they run f."""

import math

import numpy as np
import pytest

import dualad as da
from dualad import jacobians

X = np.array([0.5, -1.25, 2.0])
TOLERANCE = 4e-15  # a few roundings of numbers of order one


def close(got, want):
    assert np.shape(got) == np.shape(want)
    np.testing.assert_allclose(got, want, rtol=TOLERANCE, atol=TOLERANCE)


class Counted:
    """A function that counts its calls."""

    def __init__(self, f):
        self.f, self.calls = f, 0

    def __call__(self, *args, **kwargs):
        self.calls += 1
        return self.f(*args, **kwargs)


# ---- return conventions ---------------------------------------------------------------------------------------------

def test_jvp_returns_value_and_tangent():
    out, t = da.jvp(lambda x, y: x * y, (2.0, 3.0), (1.0, 10.0))
    assert (type(out), type(t)) == (float, float)
    assert (out, t) == (6.0, 23.0)
    out, t = da.jvp(lambda x, y: x * y, [X, 3.0], [X, 1.0])
    close(out, 3 * X)
    close(t, 4 * X)


def test_vjp_returns_value_and_a_pullback_that_returns_a_tuple():
    out, pullback = da.vjp(lambda x, y: x * y, X, 2.0)
    close(out, 2 * X)
    for _ in range(3):  # callable again
        cts = pullback(np.array([1.0, 0.0, 1.0]))
        assert type(cts) is tuple
        assert type(cts[1]) is float
        close(cts[0], [2.0, 0.0, 2.0])
        close(cts[1], 2.5)
    assert da.vjp(lambda x: x * x, 3.0)[1](1.0) == (6.0,)


def test_linearize_runs_f_once():
    f = Counted(lambda x, y: np.sin(x) * y)
    out, f_jvp = da.linearize(f, X, 2.0)
    close(out, 2 * np.sin(X))
    for dx, dy in ((X, 1.0), (np.ones(3), 0.0), (np.zeros(3), -1.0)):
        close(f_jvp(dx, dy), 2 * np.cos(X) * dx + np.sin(X) * dy)
    assert f.calls == 1


def test_grad_and_value_and_grad():
    f = lambda x: np.sum(x**3)
    close(da.grad(f)(X), 3 * X**2)
    value, gradient = da.value_and_grad(f)(X)
    assert value == f(X)
    close(gradient, 3 * X**2)
    g = da.grad(lambda x: x**3)(2.0)
    assert type(g) is float
    assert g == 12.0


def test_aux_follows_jax():
    f = lambda x: (np.sum(x * x), {"twice": 2 * x, "word": "w", "none": None})
    gradient, aux = da.grad(f, has_aux=True)(X)
    close(gradient, 2 * X)
    assert aux["word"] == "w"
    assert aux["none"] is None
    assert type(aux["twice"]) is np.ndarray
    close(aux["twice"], 2 * X)
    (value, aux), gradient = da.value_and_grad(f, has_aux=True)(X)
    assert value == np.sum(X * X)
    close(aux["twice"], 2 * X)
    close(gradient, 2 * X)
    with pytest.raises(TypeError, match="has_aux"):
        da.grad(lambda x: x, has_aux=True)(1.0)


def test_aux_loses_its_own_level_only():
    f = lambda x: da.grad(lambda y: (y * y * x, x * y), has_aux=True)(x)[1]
    assert da.grad(f)(3.0) == da.derivative(f)(3.0) == 6.0  # x * x for the outer level, as y's primal is x
    g = lambda x: da.grad(lambda y: (y * y * x, x * y), has_aux=True)(2.0)[1]
    assert da.grad(g)(3.0) == da.derivative(g)(3.0) == 2.0


@pytest.mark.parametrize(("argnums", "want"), [(0, 12.0), (1, 4.0), (-1, 4.0), (-2, 12.0), ((0,), (12.0,)), ((1, 0), (4.0, 12.0)),
                                               ((0, 1), (12.0, 4.0)), ((-1, 0), (4.0, 12.0)), ([0, 1], (12.0, 4.0))])
def test_argnums(argnums, want):
    f = lambda x, y: x**2 * y
    got = da.grad(f, argnums)(2.0, 3.0)
    assert type(got) is type(want)
    assert got == want
    assert da.value_and_grad(f, argnums)(2.0, 3.0) == (12.0, want)
    for jac in (da.jacfwd, da.jacrev, da.jacobian):
        assert jac(f, argnums)(2.0, 3.0) == want


@pytest.mark.parametrize("argnums", [2, -3, (0, 2), "x", 1.5])
@pytest.mark.parametrize("transform", [da.grad, da.value_and_grad, da.jacfwd, da.jacrev, da.jacobian, da.hessian])
def test_wrong_argnums(transform, argnums):
    with pytest.raises((ValueError, TypeError)):
        transform(lambda x, y: x * y, argnums)(1.0, 2.0)


@pytest.mark.parametrize("argnums", [(0, 0), (1, -1), (0, 1, 0)])
@pytest.mark.parametrize("transform", [da.grad, da.value_and_grad, da.jacfwd, da.jacrev])
def test_a_repeated_argnum_is_refused(transform, argnums):
    """It gave the first of the two a gradient of zero."""
    with pytest.raises(ValueError, match="argnums"):
        transform(lambda x, y: x * y, argnums)(2.0, 3.0)


def test_keywords_are_constants():
    f = lambda x, y=2.0, *, k=3.0: np.sum(x) * y * k
    assert da.grad(f)(1.0) == 6.0
    assert da.grad(f)(1.0, k=5.0) == 10.0
    assert da.grad(f)(1.0, y=7.0) == 21.0
    assert da.value_and_grad(f)(1.0, k=1.0) == (2.0, 2.0)
    assert da.derivative(f)(1.0, k=4.0) == 8.0
    for jac in (da.jacfwd, da.jacrev, da.jacobian):
        assert jac(f)(1.0, k=4.0) == 8.0
    assert da.hessian(lambda x, k: k * x * x)(1.0, k=4.0) == 8.0
    with pytest.raises(ValueError, match="by position"):
        da.grad(f)(x=1.0)


def test_other_arguments_may_be_anything():
    f = lambda x, how, n, flags: x**n if how == "power" and flags[1] else x
    assert da.grad(f)(2.0, "power", 3, np.array([False, True])) == 12.0
    assert da.derivative(f)(2.0, "power", 3, [0, 1]) == 12.0


def test_derivative_of_a_curve():
    close(da.derivative(lambda t: np.array([np.cos(t), np.sin(t)]))(0.5), [-np.sin(0.5), np.cos(0.5)])
    got = da.derivative(lambda t: {"a": t * t, "b": (t, 1.0)})(3.0)
    assert got == {"a": 6.0, "b": (1.0, 0.0)}
    d, x = da.derivative, 0.7
    for _ in range(2):
        assert d(d(d(lambda x: np.exp(2 * x))))(x) == pytest.approx(8 * math.exp(2 * x), rel=1e-15)
    with pytest.raises(TypeError, match="scalar argument"):
        d(lambda x: x)(X)


def test_the_result_is_named_after_f():
    def velocity(x):
        """How fast."""
        return x * x

    assert "velocity" in da.grad(velocity).__name__
    assert da.grad(velocity).__doc__ == "How fast."


@pytest.mark.parametrize("transform", [da.grad, da.value_and_grad, da.derivative, da.jacfwd, da.jacrev, da.jacobian, da.hessian])
def test_a_number_is_no_function(transform):
    with pytest.raises(TypeError, match="function"):
        transform(3.0)


def test_errors_of_jvp_vjp_and_linearize():
    f = lambda x, y: x * y
    for primals, tangents in (((1.0, 2.0), (1.0,)), ((1.0, 2.0), (1.0, [2.0])), ((X, 2.0), (X[:2], 1.0)), ((X, 2.0), (1.0, 1.0))):
        with pytest.raises(ValueError, match=r"structure|shape"):
            da.jvp(f, primals, tangents)
    with pytest.raises(TypeError, match="tuples"):
        da.jvp(f, 1.0, 2.0)
    with pytest.raises(TypeError, match="one by one"):
        da.vjp(f)
    with pytest.raises(TypeError, match="one by one"):
        da.linearize(f)
    _, pullback = da.vjp(f, X, 2.0)
    for ct in (1.0, X[:2], (X, X), np.ones((3, 1))):
        with pytest.raises(ValueError, match=r"structure|shape"):
            pullback(ct)
    _, f_jvp = da.linearize(f, X, 2.0)
    for ts in ((X,), (X, X), (X[:2], 1.0)):
        with pytest.raises(ValueError, match=r"structure|shape"):
            f_jvp(*ts)
    with pytest.raises(TypeError, match="tuples"):
        da.hvp(lambda x: x, 1.0, 1.0)


@pytest.mark.parametrize(("out", "words"), [(lambda x: x * np.ones(2), "shape"), (lambda x: (x, x), "container"),
                                            (lambda x: None, "container"), (lambda x: "word", "str"), (lambda x: x[None], "shape")])
def test_grad_needs_one_float(out, words):
    with pytest.raises(TypeError, match=words):
        da.grad(out)(np.float64(2.0) if words == "shape" else 2.0)


def test_a_constant_output_has_zero_derivatives():
    assert da.grad(lambda x: 1.0)(2.0) == 0.0
    close(da.grad(lambda x: 1.0)(X), np.zeros(3))
    assert da.jvp(lambda x: 1.0, (2.0,), (1.0,)) == (1.0, 0.0)
    close(da.jvp(lambda x: X, (2.0,), (1.0,))[1], np.zeros(3))
    close(da.jacfwd(lambda x: X)(X), np.zeros((3, 3)))
    close(da.jacrev(lambda x: X)(X), np.zeros((3, 3)))
    close(da.hessian(lambda x: np.sum(x))(X), np.zeros((3, 3)))
    close(da.vjp(lambda x: (1.0, x), X)[1]((1.0, X))[0], X)


# ---- Jacobians and Hessians -----------------------------------------------------------------------------------------

SHAPES = [(), (0,), (1,), (3,), (2, 2), (2, 1, 3), (0, 2)]


@pytest.mark.parametrize("jac", [da.jacfwd, da.jacrev, da.jacobian])
@pytest.mark.parametrize("x_shape", SHAPES)
@pytest.mark.parametrize("y_shape", SHAPES)
def test_jacobians_are_the_shape_of_y_then_of_x(jac, x_shape, y_shape):
    rng = np.random.default_rng(0)
    w = rng.normal(size=y_shape + x_shape)
    x = rng.normal(size=x_shape) if x_shape else 0.75
    f = lambda x: np.tensordot(w, x, axes=len(x_shape)) if x_shape else w * x
    assert np.shape(f(x)) == y_shape
    close(jac(f)(x), w)


@pytest.mark.parametrize("jac", [da.jacfwd, da.jacrev, da.jacobian])
def test_jacobians_of_containers(jac):
    f = lambda p, s: {"y": p["a"] * s, "z": (np.sum(p["b"]), 2.0)}
    p = {"a": X, "b": np.ones((2, 2))}
    got = jac(f)(p, 3.0)
    assert list(got) == ["y", "z"]
    assert list(got["y"]) == ["a", "b"]
    close(got["y"]["a"], 3 * np.eye(3))
    close(got["y"]["b"], np.zeros((3, 2, 2)))
    close(got["z"][0]["b"], np.ones((2, 2)))
    close(got["z"][1]["a"], np.zeros(3))
    both = jac(f, (1, 0))(p, 3.0)
    close(both["y"][0], X)
    close(both["y"][1]["a"], 3 * np.eye(3))


def test_auto_mode_chooses_and_says_why():
    wide, tall = (lambda x: np.sum(x * x)), (lambda x: np.outer(x, X))
    J = da.jacobian(wide)
    assert J.why(X).startswith("rev: 3 inputs")
    close(J(X), 2 * X)
    assert da.jacobian(tall).why(X).startswith("fwd: 3 inputs")
    assert da.jacobian(wide).why(np.float32(1.0)) == "fwd: one input takes one tangent"
    assert da.jacobian(wide, mode="fwd").why(X) == "fwd: you asked for it"
    for mode in ("fwd", "rev", "auto"):
        close(da.jacobian(wide, mode=mode)(X), 2 * X)
        assert da.jacobian(lambda x: x * x, mode=mode)(3.0) == 6.0
    with pytest.raises(ValueError, match="auto"):
        da.jacobian(wide, mode="backward")


@pytest.mark.parametrize(("jac", "name"), [(da.jacfwd, "pushforward"), (da.jacrev, "pull")])
@pytest.mark.parametrize("n", [7, 48, 200, 700])
def test_jacobians_come_in_chunks(jac, name, n, monkeypatch):
    """One recording of f, and a sweep for every 32 to 128 columns or rows; never one each."""
    f = Counted(lambda x: np.sin(x) * x[0])
    x = np.linspace(0.1, 1.0, n)
    sweeps = Counted(getattr(jacobians, name))
    monkeypatch.setattr(jacobians, name, sweeps)
    got = jac(f)(x)
    assert f.calls == 1
    assert sweeps.calls == math.ceil(n / jacobians.chunk_size(n)) <= max(1, n / 32 + 1)
    want = np.diag(np.cos(x) * x[0])
    want[:, 0] += np.sin(x)
    close(got, want)


def test_hessians_run_f_once_a_chunk():
    f = Counted(lambda x: np.sum(np.sin(x) * x))
    x = np.linspace(0.1, 1.0, 200)
    close(da.hessian(f)(x), np.diag(2 * np.cos(x) - x * np.sin(x)))
    assert f.calls <= 200 / 32 + 1


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def rosenbrock_hessian(x):
    h = np.zeros((x.size, x.size))
    i = np.arange(x.size - 1)
    h[i, i] += 1200 * x[:-1] ** 2 - 400 * x[1:] + 2
    h[i + 1, i + 1] += 200
    h[i, i + 1] = h[i + 1, i] = -400 * x[:-1]
    return h


def test_hessian_and_hvp_of_closed_forms():
    x, v = np.linspace(-1, 1, 9), np.cos(np.arange(9.0))
    want = rosenbrock_hessian(x)
    np.testing.assert_allclose(da.hessian(rosenbrock)(x), want, rtol=1e-13, atol=1e-11)
    np.testing.assert_allclose(da.hvp(rosenbrock, (x,), (v,)), want @ v, rtol=1e-13, atol=1e-11)
    A = np.arange(9.0).reshape(3, 3)
    close(da.hessian(lambda x: x @ A @ x)(X), A + A.T)
    assert da.hessian(lambda x: x**4)(2.0) == 48.0
    X2 = np.arange(1.0, 5.0).reshape(2, 2)
    want = np.zeros((2, 2, 2, 2))
    for i in np.ndindex(2, 2):
        want[i + i] = 6 * X2[i]
    close(da.hessian(lambda x: np.sum(x**3))(X2), want)


def test_hessian_blocks_of_several_arguments_and_containers():
    f = lambda x, y: np.sum(x * x) * y**2
    h = da.hessian(f, (0, 1))(X, 2.0)
    close(h[0][0], 8 * np.eye(3))
    close(h[0][1], 8 * X)
    close(h[1][0], 8 * X)
    close(h[1][1], 2 * np.sum(X * X))
    h = da.hessian(lambda p: p["a"] ** 2 * p["b"])({"a": 3.0, "b": 5.0})
    assert h == {"a": {"a": 10.0, "b": 6.0}, "b": {"a": 6.0, "b": 0.0}}
    hv = da.hvp(f, (X, 2.0), (X, 1.0))
    close(hv[0], 8 * X + 8 * X)
    close(hv[1], 8 * X @ X + 2 * X @ X)
    close(da.hessian(lambda x: x**3)(X)[1], [[0, 0, 0], [0, 6 * X[1], 0], [0, 0, 0]])


# ---- ways out -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("out", [da.value, da.stop_gradient])
def test_ways_out(out):
    f = lambda x: x * out(np.sin(x))
    assert da.grad(f)(2.0) == da.derivative(f)(2.0) == math.sin(2.0)
    close(da.grad(lambda x: np.sum(f(x)))(X), np.sin(X))
    close(da.jacfwd(f)(X), np.diag(np.sin(X)))
    assert da.derivative(da.derivative(f))(2.0) == 0.0  # at every level
    assert da.grad(da.grad(f))(2.0) == 0.0
    assert out(3.0) == 3.0
    assert out({"a": (1.0, [2.0])}) == {"a": (1.0, [2.0])}
    seen = []
    da.grad(lambda x: seen.append(out({"a": x, "b": [x[0], 1.0]})) or np.sum(x))(X)
    assert type(seen[0]["a"]) is np.ndarray
    assert type(seen[0]["b"][0]) in (float, np.float64)
    close(seen[0]["a"], X)


def test_dual_numbers_by_hand():
    x = da.Dual(2.0, 1.0)
    y = x**3 + np.sin(x) - 1.0 / x
    assert (y.primal, y.tangent) == (8.0 + math.sin(2.0) - 0.5, 12.0 + math.cos(2.0) + 0.25)
    assert da.Dual(2.0).tangent == 0.0
    assert "2" in repr(x)


def test_long_recordings_take_fewer_lanes_a_sweep():
    """Slots times lanes stay within 16 MB (the time of a sweep used to jump fivefold past 32 MB), 8 lanes at least."""
    assert jacobians.chunk_size(1000) == jacobians.chunk_size(1000, 16000) == 128
    assert jacobians.chunk_size(1000, 50_000) * 50_000 <= 1 << 21
    assert jacobians.chunk_size(1000, 10**7) == 8
    assert jacobians.chunk_size(5, 10**7) == 5

"""hvp and hessian by C sweeps in dual arithmetic equal the nested transformations, over the whole table and all entries."""

import numpy as np
import pytest

import dualad as da
import dualad.math as dm
from dualad import _core
from dualad.reverse import record

POINTS = {
    "REAL": (0.3, -1.2, 2.1),
    "POSITIVE": (0.4, 1.3, 2.6),
    "UNIT": (0.3, -0.6, 0.1),
    "ABOVE1": (1.4, 2.2, 5.0),
    "NONZERO": (0.3, -1.2, 2.1),
    "ANY": (0.7, -1.4, 1.9),
    "POSANY": (0.7, 1.4, 1.9),
    "MODULO": (5.3, 2.2, 7.7),
    "APART": (0.7, -1.4, 1.9),
    "ORDER": (1.3, 2.2, 3.7),
}
OTHER = {"MODULO": (2.1, 1.5, 3.2), "ORDER": (1.0, 2.0, 1.0)}
ROWS = {row["name"]: row for row in _core.rows()}


def ufunc_of(name):
    return getattr(np, name) if isinstance(getattr(np, name, None), np.ufunc) else _core.OWN_UFUNCS[name]


def same(f, *args):
    """Hessian, products and gradient of f against forward over reverse and forward over forward, nested."""
    argnums = tuple(range(len(args)))
    nested = da.jacfwd(da.jacrev(f, argnums), argnums)(*args)
    other = da.jacfwd(da.jacfwd(f, argnums), argnums)(*args)
    got = da.hessian(f, argnums)(*args)
    vs = tuple(0.5 + 0.25 * np.arange(np.size(x)).reshape(np.shape(x)) if np.ndim(x) else 0.75 for x in args)
    product = da.hvp(f, args, vs)
    product = product if len(args) > 1 else (product,)
    for i in argnums:
        want = 0.0
        for j in argnums:
            np.testing.assert_allclose(got[i][j], nested[i][j], rtol=1e-10, atol=1e-12)
            np.testing.assert_allclose(got[i][j], other[i][j], rtol=1e-10, atol=1e-12)
            want = want + np.tensordot(nested[i][j], vs[j], axes=np.ndim(args[j]))
        np.testing.assert_allclose(product[i], want, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("kind", ["array", "float"])
def test_every_row(name, kind):
    row, f = ROWS[name], ufunc_of(name)
    x = np.array(POINTS[row["domain"]])
    x = x if kind == "array" else float(x[0])
    if row["arity"] == 1:
        same(lambda x: np.sum(f(x) * f(x) * np.sin(x)) if kind == "array" else f(x) * f(x) * np.sin(x), x)
        return
    y = np.array(OTHER.get(row["domain"], (0.6, 1.1, 1.7)))
    y = y if kind == "array" else float(y[0])
    total = np.sum if kind == "array" else (lambda v: v)
    same(lambda x: total(f(x, y) * np.sin(x)), x)  # the second operand a constant
    if row["domain"] != "ORDER":
        same(lambda x, y: total(f(x, y) * np.sin(x * y)), x, y)
        same(lambda y: total(f(x, y) * np.cos(y)), y)


A = np.random.default_rng(0).normal(size=(4, 3))
X = np.array([0.4, -1.1, 0.8])


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(np.tanh(A @ x) ** 2),
        lambda x: np.sum((x[:, None] * x) @ np.sin(x)),
        lambda x: np.sum((x[:, None] * x) @ (x[:, None] + np.cos(x)) * A[:3]),
        lambda x: x @ np.exp(x) * (x @ x),
        lambda x: np.sum(np.where(x > 0.0, np.sqrt(np.abs(x)), x**3)),
        lambda x: np.concatenate([x, x[::-1] ** 2]) @ np.arange(6.0) * x[1] ** 3,
        lambda x: np.sum(np.sum(x[:, None] * A.T, axis=0) ** 3),
        lambda x: np.mean(np.exp(x)) * np.sum(x),
        lambda x: np.sum(np.exp(np.broadcast_to(x, (4, 3)) * A)),
        lambda x: sum(x[i] ** 2 / (1.5 + x[(i + 1) % 3] * x[i]) for i in range(3)),
        lambda x: np.sum(np.sin(x[::2]) * x[1]),
    ],
)
def test_array_entries(f):
    same(f, X)


def test_several_arguments_and_containers():
    same(lambda a, b: a * a * np.sum(np.sin(b) * a), 2.0, X)
    got = da.hessian(lambda p: p["a"] ** 2 * np.sum(p["b"]))({"a": 2.0, "b": X})
    assert got["a"]["a"] == 2.0 * X.sum()
    np.testing.assert_allclose(got["a"]["b"], np.full(3, 4.0))
    np.testing.assert_allclose(got["b"]["b"], np.zeros((3, 3)))
    assert da.hessian(lambda xs: xs[0] ** 2 * xs[1])([1.0, 2.0]) == [[4.0, 2.0], [2.0, 0.0]]


def test_guards_at_second_order():
    f = lambda x: np.sum(np.where(x > 0.0, np.sqrt(x), 0.0))
    np.testing.assert_allclose(da.hessian(f)(np.array([0.0, 4.0])), [[0.0, 0.0], [0.0, -1.0 / 32.0]])


def test_python_calls_take_the_nested_way():
    f = lambda x: np.linalg.det(x[:, None] * x + np.eye(3))
    same(f, X)
    recording = record(f, [X], tuple)
    with pytest.raises(ValueError, match="Python calls"):
        _core.SecondSweep(recording.level, recording.inputs, recording.outputs[0])


def test_one_run_of_f_for_a_whole_hessian():
    runs = []
    da.hessian(lambda x: (runs.append(1), np.sum(np.exp(x) * x[0]))[1])(np.ones(40))
    assert len(runs) == 1


def test_a_constant_function():
    np.testing.assert_array_equal(da.hessian(lambda x: 3.0)(X), np.zeros((3, 3)))
    np.testing.assert_array_equal(da.hvp(lambda x: 3.0 + 0.0 * np.sum(x), (X,), (X,)), np.zeros(3))


@pytest.mark.parametrize("scale", [1e-140, 1e-100, 1e100, 1e140])
def test_tangents_of_any_size(scale):
    """Once the product of two tangents of 1e100 was not negligible beside the value, and the Hessian was wrong."""
    f = lambda u: np.sum(np.arctan(scale * u))
    got = da.hessian(f)(np.array([1.0 / scale]))[0, 0] / scale / scale
    np.testing.assert_allclose(got, -0.5, rtol=1e-14)


POLES = {
    "log at 0": (lambda x: np.sum(np.log(x)), (0.0, 1.0)),
    "log next to 0": (lambda x: np.sum(np.log(x)), (1e-100, 1e-101)),
    "log far down": (lambda x: np.sum(np.log(x) * x), (1e-140, 3e-120)),
    "reciprocal": (lambda x: np.sum(1.0 / x), (1e-100, 2.0)),
    "quotient": (lambda x: x[1] / x[0], (3e-101, 2e-101)),
    "quotient at 0": (lambda x: x[1] / x[0], (0.0, 1.0)),
    "root at 0": (lambda x: np.sum(np.sqrt(x)), (0.0, 4.0)),
    "root next to 0": (lambda x: np.sum(np.sqrt(x)), (1e-190, 4.0)),
    "power at 0": (lambda x: np.sum(x**1.5), (0.0, 4.0)),
    "cube at 0": (lambda x: np.sum(x**3 + x * x), (0.0, -1.0)),
    "large sinh": (lambda x: np.sum(np.sinh(x)), (600.0, 1.0)),
    "large cosh and expm1": (lambda x: np.sum(np.cosh(x) + np.expm1(x)), (500.0, 1.0)),
    "large powers": (lambda x: np.sum(x**4), (1e75, 2.0)),
    "large root": (lambda x: np.sum(np.sqrt(x)), (1e160, 2.0)),
    "large and small powers": (lambda x: x[0] ** 2.5 + x[1] ** -2.5, (1e100, 1.37e-64)),
    "denormal log": (lambda x: np.sum(np.log(x)), (1e-300, 1e200)),
    "infinite exp": (lambda x: np.sum(np.exp(x)), (1e200, 0.5)),
    "abs of cubes": (lambda x: np.sum(np.abs(x**3)), (1e200, -2.0)),
    "reciprocal of abs": (lambda x: np.sum(1.0 / np.abs(x)), (1e-160, 2.0)),
    "inverse sine at 1": (lambda x: np.sum(np.arcsin(x)), (1.0, 0.5)),
    "hyperbolic, next to 1": (lambda x: np.sum(np.arctanh(x)), (1.0 - 2.0**-53, 0.5)),
    "numbers": (lambda x: dm.log(x[0]) * x[1] + 1.0 / x[0], (1e-100, 2.0)),
}


@pytest.mark.parametrize("name", POLES)
def test_poles_and_their_neighbours(name):
    """The Hessian of log was -7.65e199 at 0, off by half at 1e-100, and not symmetric: an imaginary 1e-100 is not small there."""
    f, x = POLES[name][0], np.array(POLES[name][1])
    with np.errstate(all="ignore"):
        want = da.jacfwd(da.jacrev(f))(x)
        v = np.array([1.0, 0.5])
        got, product, wanted = da.hessian(f)(x), da.hvp(f, (x,), (v,)), da.jvp(da.grad(f), (x,), (v,))[1]
    np.testing.assert_allclose(got, want, rtol=1e-11, atol=0)
    np.testing.assert_allclose(product, wanted, rtol=1e-11, atol=0)


@pytest.mark.parametrize("transform", [da.jvp, da.hvp])
def test_tangents_in_other_containers_are_refused_by_name(transform):
    """hvp said "jvp: ... 3 numbers or arrays for 3"."""
    message = f"^{transform.__name__}: tangents have not the structure of primals: 3 .* other containers"
    with pytest.raises(ValueError, match=message):
        transform(lambda xs: xs[0] * xs[1] * xs[2], ([0.5] * 3,), ((1.0,) * 3,))

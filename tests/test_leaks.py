"""Nothing is lost silently: leaked values, exceptions inside f, and all that would detach a value.

Each raises an error that says what to write instead.
"""

import copy
import io
import math
import pickle
import statistics

import numpy as np
import pytest

import dualad as da
from dualad._core import open_count

X = np.array([0.5, -1.25, 2.0])
X32 = X.astype(np.float32)


def linear(f, x):
    return da.linearize(f, x)[0]


#: ways to open a level; each runs f(x) once at least
MODES = {
    "jvp": lambda f, x: da.jvp(f, (x,), (np.ones_like(x) if np.ndim(x) else 1.0,)), "vjp": da.vjp, "linearize": linear,
    "grad": lambda f, x: da.grad(lambda x: (f(x), np.sum(x))[1])(x), "jacfwd": lambda f, x: da.jacfwd(f)(x),
    "jacrev": lambda f, x: da.jacrev(f)(x),
    "generic": lambda f, x: da.jvp(lambda s: da.grad(lambda x: (f(x), np.sum(s * x))[1])(x), (2.0,), (1.0,)),
    "duals of duals": lambda f, x: da.derivative(lambda s: da.jvp(f, (x * s,), (x,))[0])(1.0),
}
modes = pytest.mark.parametrize("run", MODES.values(), ids=MODES)
points = pytest.mark.parametrize("x", [1.5, X, X32, np.array(2.0), np.float64(2.0)],
                                 ids=["float", "array", "float32", "0-d", "float64"])


def inside(run, x, action):
    """Perform action on a traced value inside f; what it returned."""
    seen = []

    def f(x):
        seen[:] = [action(x)]
        return x * 1.0

    run(f, x)
    return seen[0]


# ---- leaked values --------------------------------------------------------------------------------------------------

USES = {"+": lambda t: t + 1.0, "reversed -": lambda t: 1.0 - t, "* itself": lambda t: t * t, "sin": np.sin, "unary": lambda t: -t,
        "sum": np.sum, "stack": lambda t: np.stack([t, t]), "**": lambda t: t**2, "@": lambda t: np.dot(t, 2.0),
        "grad of it": lambda t: da.grad(lambda y: np.sum(y * t))(1.0),
        "jvp of it": lambda t: da.jvp(lambda y: y * t, (1.0,), (1.0,)),
        "jvp at it": lambda t: da.jvp(lambda y: y * y, (t,), (t,)), "vjp at it": lambda t: da.vjp(lambda y: y * y, t),
        "np.abs": np.abs, "clip": lambda t: np.clip(t, 0.0, 1.0), "where": lambda t: np.where(True, t, 0.0)}


@modes
@points
@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_leaked_values_raise(run, x, use):
    leaked = inside(run, x, lambda t: t)
    with pytest.raises(da.LeakedValueError, match="has ended"):
        use(leaked)
    assert open_count() == 0


@modes
@points
@pytest.mark.parametrize("use", [lambda t: t > 0.0, lambda t: np.greater(0.0, t), bool, lambda t: abs(t) * 2.0],
                         ids=["<", "np", "if", "abs"])
def test_leaked_values_steer_no_branch(run, x, use):
    """A comparison of a leaked number answered with the value it had had."""
    if np.ndim(x) and use is bool:
        pytest.skip("the truth value of an array is an error of its own")
    leaked = inside(run, x, lambda t: t)
    with pytest.raises(da.LeakedValueError):
        use(leaked)


@modes
def test_leaked_elements_and_views_raise(run):
    for pick in (lambda t: t[0], lambda t: t[1:], lambda t: t.reshape(3, 1), lambda t: t[[0, 2]], lambda t: np.sin(t)):
        leaked = inside(run, X, pick)
        with pytest.raises(da.LeakedValueError):
            np.sum(leaked * 2.0)


@modes
def test_a_leaked_value_in_a_later_run_raises(run):
    kept = []

    def f(x):
        kept.append(x)
        return np.sum(x * kept[0])

    run(lambda x: kept.append(x) or np.sum(x), X)
    with pytest.raises(da.LeakedValueError):
        run(f, X)
    assert open_count() == 0


def test_a_leaked_value_can_be_shown():
    leaked = inside(MODES["vjp"], 1.5, lambda t: t)
    assert isinstance(repr(leaked), str)
    leaked = inside(MODES["vjp"], X, lambda t: t)
    assert isinstance(repr(leaked), str)


@pytest.mark.parametrize("result", [lambda x: lambda y: x * y, lambda x: (x * k for k in range(3)), lambda x: {1.0, x},
                                    lambda x: "word", lambda x: object(), lambda x: [x, iter([x])]],
                         ids=["function", "generator", "set", "str", "object", "iterator"])
@pytest.mark.parametrize("transform", [da.derivative, da.jacfwd, da.jacrev, da.grad, lambda f: lambda x: da.jvp(f, (x,), (1.0,)),
                                       lambda f: lambda x: da.vjp(f, x), lambda f: lambda x: da.linearize(f, x)])
def test_results_that_are_no_numbers_raise(transform, result):
    """They carried a traced value out and got the derivative 0."""
    with pytest.raises(TypeError):
        transform(result)(3.0)
    assert open_count() == 0


# ---- exceptions -----------------------------------------------------------------------------------------------------

class BrokenError(Exception):
    """Raised by a user's function."""


@modes
@points
def test_an_exception_inside_f_leaves_the_library_usable(run, x):
    def f(x):
        y = np.sin(x) * 2.0
        raise BrokenError(y)

    for _ in range(3):
        with pytest.raises(BrokenError):
            run(f, x)
        assert open_count() == 0
    assert da.grad(lambda x: x**3)(2.0) == da.derivative(lambda x: x**3)(2.0) == 12.0


def test_an_exception_caught_inside_an_outer_level():
    def broken(y):
        raise BrokenError

    def f(x):
        for transform in (da.grad, da.derivative, da.jacfwd, da.hessian):
            with pytest.raises(BrokenError):
                transform(broken)(x)
            assert open_count() == 1
        return x**3

    assert da.grad(f)(2.0) == da.derivative(f)(2.0) == 12.0
    assert open_count() == 0


def test_the_users_exception_is_the_one_that_arrives():
    with pytest.raises(KeyError, match="nothing"):
        da.grad(lambda x: {}["nothing"] * x)(1.0)
    with pytest.raises(ZeroDivisionError):
        da.grad(lambda x: x * (1 // 0))(1.0)
    with pytest.raises(KeyboardInterrupt):
        da.hessian(lambda x: (_ for _ in ()).throw(KeyboardInterrupt()))(X)
    assert open_count() == 0


def test_a_generator_left_unfinished_does_not_hold_a_level():
    def values(x):
        while True:
            yield x
            x = x * 0.5

    f = lambda x: sum(v for v, _ in zip(values(x), range(3), strict=False))
    assert da.grad(f)(1.0) == da.derivative(f)(1.0) == 1.75
    assert open_count() == 0


# ---- what would lose a derivative ------------------------------------------------------------------------------------

SCALAR = {"float": float, "int": int, "math.sin": math.sin, "math.sqrt": math.sqrt, "math.isnan": math.isnan, "complex": complex,
          "math.floor": math.floor, "math.trunc": math.trunc, "round": round, "index": lambda t: [1, 2, 3][t], "range": range,
          "buffer": lambda t: np.zeros(3).__setitem__(0, t), "array": lambda t: np.array([t, t], dtype=float),
          "asarray": lambda t: np.asarray(t, dtype=np.float64), "full": lambda t: np.zeros(2).fill(t),
          "int array": lambda t: np.array([t], dtype=int),
          "fromiter": lambda t: np.fromiter([t, t], float), "statistics": lambda t: statistics.NormalDist(t, 1.0).cdf(0.0)}


@pytest.mark.parametrize("run", [MODES["jvp"], MODES["vjp"], MODES["grad"], MODES["jacfwd"], MODES["duals of duals"]])
@pytest.mark.parametrize("use", SCALAR.values(), ids=SCALAR)
def test_a_scalar_is_not_detached(run, use):
    with pytest.raises((TypeError, ValueError)) as error:
        inside(run, 1.5, use)
    text = f"{error.value} {error.value.__cause__}"  # NumPy words its own error first where the scalar is nested
    assert any(word in text for word in ("np.", "dualad.", "index", "integer")), text
    assert open_count() == 0


ARRAY = {"bool": bool, "float": float, "int": int, "if": lambda t: 1.0 if t > 0 else 2.0,
         "setitem": lambda t: t.__setitem__(0, 1.0),
         "buffer": lambda t: np.zeros(3).__setitem__(0, t[0]), "whole buffer": lambda t: np.zeros(3).__setitem__(slice(None), t),
         "array": lambda t: np.array(t, dtype=float), "save": lambda t: np.save(io.BytesIO(), t), "math": lambda t: math.sin(t[0]),
         "pickle": pickle.dumps, "fft": lambda t: np.fft.fft(t), "copyto": lambda t: np.copyto(np.zeros(3), t),
         "out": lambda t: np.add(t, 1.0, out=np.zeros(3)), "in place": lambda t: np.zeros(3).__iadd__(t),
         "at": lambda t: np.add.at(np.zeros(3), [0], t[0])}


@pytest.mark.parametrize("run", [MODES["jvp"], MODES["vjp"], MODES["grad"], MODES["jacrev"], MODES["generic"]])
@pytest.mark.parametrize("use", ARRAY.values(), ids=ARRAY)
def test_an_array_is_not_detached(run, use):
    with pytest.raises((TypeError, ValueError, NotImplementedError)):
        inside(run, X, use)
    assert open_count() == 0


@pytest.mark.parametrize(("use", "words"), [
    (float, "dualad.math"), (math.sin, "dualad.math"), (int, "np.floor"), (lambda t: np.zeros(3).__setitem__(0, t), "np.stack"),
    (lambda t: np.array([t, t], dtype=float), "np.stack"), (lambda t: [1][t], "plain integers")])
def test_errors_say_what_to_write(use, words):
    for run in (MODES["jvp"], MODES["vjp"]):
        with pytest.raises(TypeError, match=words) as error:
            inside(run, 1.5, use)
        assert "dualad.value" in str(error.value)


@pytest.mark.parametrize("x", [3, True, np.int64(3), np.arange(3), np.array([True]), 1j, np.array([1j]), np.complex128(1j), "word",
                               None, b"x", object(), np.array(["a"]), [1, 2.0], {1.0}, np.array([1, "a"], dtype=object),
                               np.datetime64("2020-01-01")],
                         ids=lambda x: repr(x)[:20])
@pytest.mark.parametrize("transform", [da.grad, da.value_and_grad, da.jacfwd, da.jacrev, da.jacobian, da.hessian, da.derivative,
                                       lambda f: lambda x: da.jvp(f, (x,), (1.0,)), lambda f: lambda x: da.vjp(f, x),
                                       lambda f: lambda x: da.linearize(f, x), lambda f: lambda x: da.hvp(f, (x,), (1.0,))])
def test_inputs_without_a_derivative(transform, x):
    with pytest.raises((TypeError, ValueError)) as error:
        transform(lambda x: x)(x)
    assert open_count() == 0
    if isinstance(error.value, TypeError):
        assert "argument 0" in str(error.value) or "primal 0" in str(error.value)


@pytest.mark.parametrize(("x", "words"), [(3, r"write 3\.0"), (np.arange(3), r"x\.astype\(float\)"), (1j, "complex"),
                                          (np.array([1j]), "complex")])
def test_errors_of_inputs_say_what_to_write(x, words):
    for transform in (da.grad, da.jacfwd, da.jacrev):
        with pytest.raises(TypeError, match=words):
            transform(lambda x: x)(x)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda t: t.copy(), np.copy, lambda t: np.array(t), np.asarray])
def test_copies_keep_the_derivative(copied):
    for x in (1.5, X):
        f = lambda x: np.sum(copied(x) * x)
        np.testing.assert_array_equal(da.grad(f)(x), 2 * x)
        np.testing.assert_array_equal(da.jacfwd(f)(x), 2 * x)


def test_numbers_of_a_row_that_are_still_held_stay_as_they_are():
    """The items of a list and the floats of its gradient are filled again only when nobody holds them."""
    held = []

    def f(xs):
        held.extend(xs)
        return xs[0] * xs[1] + xs[2]

    first = da.grad(f)([1.0, 2.0, 3.0])
    item = da.grad(f)([4.0, 5.0, 6.0])[1]
    third = da.grad(f)((7.0, 8.0, 9.0))
    assert (first, item, third) == ([2.0, 1.0, 1.0], 4.0, (8.0, 7.0, 1.0))
    assert [x.primal for x in held] == [float(i) for i in range(1, 10)]
    assert len(set(map(id, held))) == 9


def test_a_row_longer_than_what_is_kept():
    xs = [1.0 + i / 9000 for i in range(9000)]
    for _ in range(2):
        assert da.grad(lambda xs: sum(x * x for x in xs))(xs) == [2 * x for x in xs]

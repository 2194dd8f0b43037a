"""dualad.kinks: the subgradient chosen, in both modes and at every order; warnings, errors; one-sided derivatives."""

import threading
import warnings

import numpy as np
import pytest

import dualad as da
from dualad import math as dm

MODES = {
    "derivative": lambda f, x: da.derivative(f)(x),
    "grad": lambda f, x: da.grad(f)(x),
    "jacfwd": lambda f, x: float(da.jacfwd(f)(x)),
    "jacrev": lambda f, x: float(da.jacrev(f)(x)),
    "generic": lambda f, x: da.grad(lambda y: da.derivative(lambda t: f(t) * y)(x))(1.0),
    "array": lambda f, x: float(da.grad(lambda v: np.sum(f(v)))(np.array([x, 2.0]))[0]),
    "array forward": lambda f, x: float(da.jvp(f, (np.array([x, 2.0]),), (np.array([1.0, 0.0]),))[1][0]),
    "vmapped": lambda f, x: float(da.jacfwd(lambda v: f(v))(np.array([x, 2.0]))[0, 0]),
}
ABS = {"operator": abs, "np.abs": np.abs, "np.fabs": np.fabs}
RELU = {"maximum": lambda x: np.maximum(x, 0.0), "swapped": lambda x: np.maximum(0.0, x), "fmax": lambda x: np.fmax(x, 0.0),
        "minimum": lambda x: -np.minimum(-x, 0.0), "clip": lambda x: np.clip(x, 0.0, None)}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("f", ABS.values(), ids=ABS)
@pytest.mark.parametrize("a", [-1.0, -0.25, 0.0, 1.0])
def test_abs(mode, f, a):
    with da.kinks(abs=a):
        assert MODES[mode](f, 0.0) == a
        assert MODES[mode](f, -3.0) == -1.0
    assert MODES[mode](f, 0.0) == 0.0


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("f", RELU.values(), ids=RELU)
@pytest.mark.parametrize("b", [0.0, 0.25, 1.0])
def test_relu(mode, f, b):
    with da.kinks(relu=b):
        assert MODES[mode](f, 0.0) == b
        assert MODES[mode](f, -3.0) == 0.0
    assert MODES[mode](f, 0.0) == 0.5


def test_functions_of_math():
    with da.kinks(abs=0.5, relu=0.0):
        assert da.grad(dm.fabs)(0.0) == da.derivative(dm.fabs)(0.0) == 0.5
        assert da.grad(lambda x: dm.maximum(x, 0.0))(0.0) == da.derivative(lambda x: dm.maximum(0.0, x))(0.0) == 0.0


def test_ties_of_two():
    for f in (np.maximum, np.minimum):
        with da.kinks(tie=0.75):
            assert da.grad(f, argnums=(0, 1))(2.0, 2.0) == (0.75, 0.25)
        with da.kinks(relu=0.0):
            assert da.grad(f, argnums=(0, 1))(2.0, 2.0) == (0.5, 0.5)


def test_values_do_not_change():
    """The primal keeps its bits, signs of zero and infinities included."""
    x = np.array([0.0, -0.0, 1.0, np.inf, -np.inf, -2.0])
    with da.kinks(abs=-0.5, relu=0.25, tie=0.25):
        for f in (np.abs, lambda t: np.maximum(t, 0.0), lambda t: np.maximum(t, np.inf), lambda t: np.minimum(t, t)):
            value, _ = da.vjp(f, x)
            assert value.tobytes() == f(x).tobytes()


def test_second_order():
    """f = |x| x has slope 0 and curvature 2a at 0."""
    with da.kinks(abs=0.5):
        assert da.derivative(da.derivative(lambda x: abs(x) * x))(0.0) == 1.0
        assert da.hessian(lambda x: abs(x) * x)(0.0) == 1.0


@pytest.mark.parametrize(("name", "bad"), [("abs", 1.5), ("abs", -1.1), ("relu", -0.1), ("relu", 2.0), ("tie", float("nan"))])
def test_no_subgradient(name, bad):
    with pytest.raises(ValueError, match=f"{name}=.* is no subgradient"), da.kinks(**{name: bad}):
        pass
    with pytest.raises(ValueError, match="'warn'"), da.kinks(on="shout"):
        pass


HITS = {"abs": (abs, 0.0), "sqrt": (np.sqrt, 0.0), "floor": (np.floor, 2.0), "rint": (np.rint, 0.5), "sign": (np.sign, 0.0),
        "power": (lambda x: x**0.5, 0.0), "maximum": (lambda x: np.maximum(x, 1.0), 1.0), "cbrt": (np.cbrt, 0.0)}


@pytest.mark.parametrize("transform", [da.derivative, da.grad], ids=["forward", "reverse"])
@pytest.mark.parametrize("name", HITS)
def test_raise_and_warn(name, transform):
    f, x = HITS[name]
    with da.kinks(on="raise"):
        with pytest.raises(da.KinkError, match=rf"{name.replace('abs', 'absolute')}.*test_kink_choices.py, line \d+"):
            transform(f)(x)
        transform(f)(x + 0.3)
    with da.kinks(on="warn"), pytest.warns(da.KinkWarning, match="has no derivative there"), np.errstate(all="ignore"):
        transform(f)(x)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("error")
        transform(f)(x)


def test_an_array_counts_its_kinks():
    with da.kinks(on="raise"), pytest.raises(da.KinkError, match="2 of 3 elements"):
        da.grad(lambda x: np.sum(np.abs(x)))(np.array([0.0, 1.0, 0.0]))


def test_other_threads_and_errors_are_not_touched():
    found = []
    with da.kinks(abs=1.0):
        thread = threading.Thread(target=lambda: found.append(da.grad(np.abs)(0.0)))
        thread.start()
        thread.join()
        assert da.grad(np.abs)(0.0) == 1.0
    assert found == [0.0]
    with pytest.raises(ZeroDivisionError), da.kinks(abs=1.0):
        raise ZeroDivisionError
    assert da.grad(np.abs)(0.0) == 0.0


def test_nested_choices():
    with da.kinks(abs=1.0):
        with da.kinks(abs=-1.0):
            assert da.grad(np.abs)(0.0) == -1.0
        assert da.grad(np.abs)(0.0) == 1.0


@pytest.mark.parametrize(("f", "x", "left", "right"), [
    (abs, 0.0, -1.0, 1.0),
    (lambda x: np.maximum(x, 0.0), 0.0, 0.0, 1.0),
    (lambda x: np.minimum(2.0 * x, 3.0 * x), 0.0, 3.0, 2.0),
    (lambda x: np.abs(np.abs(x) - x), 0.0, -2.0, 0.0),
    (lambda x: np.sin(x) * np.abs(x - 1.0), 1.0, -np.sin(1.0), np.sin(1.0)),
    (np.sin, 0.3, np.cos(0.3), np.cos(0.3)),
    (dm.fabs, 0.0, -1.0, 1.0),
])  # fmt: skip
def test_one_sided(f, x, left, right):
    assert da.one_sided(f, x) == pytest.approx((left, right), rel=1e-15)
    for sign, wanted in ((-1.0, left), (1.0, right)):
        t = sign * 1e-7
        assert (f(x + t) - f(x)) / t == pytest.approx(wanted, abs=1e-6)


def test_one_sided_of_arrays():
    x, v = np.array([0.0, 1.0, 0.0]), np.array([1.0, 1.0, -2.0])
    left, right = da.one_sided(lambda x: np.sum(np.abs(x)), x, v)
    assert (left, right) == (1.0 - 1.0 - 2.0, 1.0 + 1.0 + 2.0)
    left, right = da.one_sided(lambda x: np.maximum(x, x[::-1]), x, v)
    np.testing.assert_array_equal(right, [1.0, 1.0, 1.0])
    np.testing.assert_array_equal(left, [-2.0, 1.0, -2.0])

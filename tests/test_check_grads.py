"""check_grads passes right derivatives, and finds a rule wrong by 1e-3 and one wrong entry in ten."""

import numpy as np
import pytest

import dualad as da
from dualad.testing import numerical_jacobian

X = np.linspace(-1.5, 2.0, 10)

RIGHT = {
    "scalar": (lambda x: np.sin(x) * x, (0.7,)), "array": (lambda x: np.exp(np.sin(x)), (X,)),
    "sum": (lambda x: np.sum(x**3), (X,)),
    "two": (lambda x, y: x * np.tanh(y), (X, 0.3)),
    "matrix": (lambda a: np.linalg.inv(a + 4 * np.eye(3)), (np.arange(9.0).reshape(3, 3) / 9,)),
    "container": (lambda p: {"y": p["a"] * p["b"], "z": (p["b"] ** 2,)}, ({"a": X[:3], "b": 2.0},)),
    "constant": (lambda x: 3.0, (X,)),
    "large": (lambda x: 1e8 * np.sin(x), (X,)), "0-d": (lambda x: x * x, (np.array(2.0),)),
    "empty": (lambda x: x * 2.0, (np.zeros(0),)),
    "branches": (lambda x: x * x if x > 0 else -x, (0.5,)),
}


@pytest.mark.parametrize("case", RIGHT.values(), ids=RIGHT)
@pytest.mark.parametrize("modes", [("fwd",), ("rev",), ("fwd", "rev")])
def test_right_derivatives_pass(case, modes):
    assert da.check_grads(*case, order=1, modes=modes) is None


@pytest.mark.parametrize("name", ["scalar", "two", "container", "0-d"])
def test_right_derivatives_pass_to_order_three(name):
    f, args = RIGHT[name]
    da.check_grads(f, args, order=2)
    da.check_grads(f, args, order=3 if name == "scalar" else 2, modes=("fwd", "rev"))


def wrong_sine(error):
    """sin with the derivative cos * (1 + error), error an array or a number."""
    @da.custom_jvp
    def f(x):
        return np.sin(x)

    f.defjvp(lambda primals, tangents: (f(*primals), tangents[0] * np.cos(primals[0]) * (1.0 + error)))
    return f


ONE_IN_TEN = np.zeros(10)
ONE_IN_TEN[6] = 1e-3


@pytest.mark.parametrize("modes", [("fwd",), ("rev",), ("fwd", "rev")])
@pytest.mark.parametrize(("error", "x"), [(1e-3, 0.5), (-1e-3, 0.5), (1e-3, X), (ONE_IN_TEN, X), (1e-4, X)])
def test_wrong_rules_are_caught(modes, error, x):
    da.check_grads(wrong_sine(0.0 * error), (x,), 1, modes)  # the same construction without the mistake passes
    with pytest.raises(AssertionError, match="worst entry"):
        da.check_grads(wrong_sine(error), (x,), 1, modes)


def test_a_wrong_reverse_rule_is_caught_in_reverse_mode():
    def sine(error):
        f = da.custom_vjp(lambda x: np.sin(x))
        f.defvjp(lambda x: (np.sin(x), x), lambda x, ct: (ct * np.cos(x) * (1.0 + error),))
        return f

    da.check_grads(sine(0.0), (X,), 1, modes=("rev",))
    with pytest.raises(AssertionError, match="rev: worst entry"):
        da.check_grads(sine(1e-3), (X,), 1, modes=("rev",))


def test_the_worst_entry_is_named():
    error = np.zeros(10)
    error[[2, 6]] = 1e-3, 1e-2
    with pytest.raises(AssertionError) as caught:
        da.check_grads(wrong_sine(error), (X,), 1)
    text = str(caught.value)
    assert text.startswith("fwd: worst entry d out[6] / d in[6]: derivative ")
    assert "2 of 100 entries" in text
    assert repr(np.float64(np.cos(X[6]) * 1.01))[:14] in text


def test_a_wrong_second_derivative_is_caught_in_second_order_only():
    """The first derivative is right and hides a factor from the second: stop_gradient in a rule."""
    @da.custom_jvp
    def f(x):
        return np.sin(x)

    f.defjvp(lambda primals, tangents: (f(*primals), tangents[0] * da.stop_gradient(np.cos(primals[0]))))
    da.check_grads(f, (0.5,), 1)
    with pytest.raises(AssertionError, match=r"in the derivative taken by fwd: .*worst entry"):
        da.check_grads(f, (0.5,), 2)


@pytest.mark.parametrize("wrong", [lambda x: x * da.stop_gradient(x), lambda x: np.sum(x) * da.value(x)])
@pytest.mark.parametrize("mode", ["fwd", "rev"])
def test_detached_values_are_caught(wrong, mode):
    with pytest.raises(AssertionError, match=f"{mode}: worst entry"):
        da.check_grads(wrong, (X,), 1, modes=(mode,))


def test_a_nan_derivative_of_a_finite_function_is_caught():
    with pytest.raises(AssertionError, match="nan"):
        da.check_grads(wrong_sine(np.where(np.arange(10) == 3, np.nan, 0.0)), (X,), 1)


@pytest.mark.parametrize(("order", "modes"), [(0, ("fwd",)), (-1, ("rev",)), (1, ("forward",)), (1, ()), (1, ("fwd", "reverse"))])
def test_wrong_requests(order, modes):
    with pytest.raises(ValueError, match="check_grads"):
        da.check_grads(np.sin, (1.0,), order, modes)


def test_integers_are_refused():
    with pytest.raises(TypeError, match="check_grads: argument 0 is an integer"):
        da.check_grads(np.sin, (1,), 1)


def test_differences_are_good_to_ten_digits():
    J = numerical_jacobian(lambda x: np.exp(x) * x[0], (X[:4],))
    want = np.diag(np.exp(X[:4]) * X[0])
    want[:, 0] += np.exp(X[:4])
    np.testing.assert_allclose(J, want, rtol=1e-10, atol=1e-10)

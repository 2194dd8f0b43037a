"""What a checkpointed function closes over: found, differentiated, frozen as it was at the call; or an error, never a zero."""

import functools
from dataclasses import dataclass

import numpy as np
import pytest

import dualad as da
from dualad import checkpoint, checkpoint_sequence
from dualad._core import open_count
from dualad.closures import Closure


def by_cell(x, w):
    return checkpoint(lambda x: np.tanh(w * x))(x)


def by_default(x, w):
    return checkpoint(lambda x, w=w: np.tanh(w * x))(x)


def by_keyword_default(x, w):
    def f(x, *, w=w):
        return np.tanh(w * x)

    return checkpoint(f)(x)


def by_partial(x, w):
    return checkpoint(functools.partial(lambda w, x: np.tanh(w * x), w))(x)


def by_method(x, w):
    @dataclass
    class Scale:
        w: object

        def __call__(self, x):
            return np.tanh(self.w * x)

    return checkpoint(Scale(w).__call__)(x)


def by_container(x, w):
    held = {"deep": [(w,)]}
    return checkpoint(lambda x: np.tanh(held["deep"][0][0] * x))(x)


def by_inner_function(x, w):
    def inner(x):
        return w * x

    return checkpoint(lambda x: np.tanh(inner(x)))(x)


def by_argument(x, w):
    return checkpoint(lambda g, x: np.tanh(g(x)))(lambda x: w * x, x)


def by_object_array(x, w):
    held = np.array([w, 2.0], dtype=object)
    return checkpoint(lambda x: np.tanh(held[0] * x))(x)


def by_recursion(x, w):
    def f(x, n=3):
        return np.tanh(w * x) if n == 0 else f(x, n - 1)

    return checkpoint(f)(x)


def by_nested_checkpoint(x, w):
    return checkpoint(lambda x: checkpoint(lambda x: np.tanh(w * x))(x))(x)


def by_inner_grad(x, w):
    return checkpoint(lambda x: da.grad(lambda y: np.log(np.cosh(y * w)))(x) / w)(x)


def only_closure(x, w):
    return checkpoint(lambda: np.tanh(w * x))()


CLOSURES = [by_cell, by_default, by_keyword_default, by_partial, by_method, by_container, by_inner_function, by_argument,
            by_object_array, by_recursion, by_nested_checkpoint, by_inner_grad, only_closure]


@pytest.mark.parametrize("f", CLOSURES)
def test_values_it_closes_over_are_differentiated(f):
    """Of the same transformation: they are inputs like the arguments."""
    want = da.grad(lambda x, w: np.tanh(w * x), (0, 1))(0.4, 1.3)
    np.testing.assert_allclose(da.grad(f, (0, 1))(0.4, 1.3), want, rtol=1e-14)
    np.testing.assert_allclose(da.jacfwd(f, (0, 1))(0.4, 1.3), want, rtol=1e-14)
    for second in (da.hessian, lambda f, a: da.jacrev(da.jacrev(f, a), a), lambda f, a: da.jacrev(da.jacfwd(f, a), a)):
        np.testing.assert_allclose(second(f, (0, 1))(0.4, 1.3), da.hessian(lambda x, w: np.tanh(w * x), (0, 1))(0.4, 1.3),
                                   rtol=1e-13)


@pytest.mark.parametrize("f", CLOSURES)
@pytest.mark.parametrize("outer", [da.grad, da.derivative])
@pytest.mark.parametrize("inner", [da.grad, da.derivative])
def test_values_of_an_outer_transformation(f, outer, inner):
    """x is differentiated inside, w outside: two infinitesimals that must not mix."""
    got = outer(lambda w: w * inner(lambda x: f(x, w))(0.4))(1.3)
    want = da.derivative(lambda w: w * da.derivative(lambda x: np.tanh(w * x))(0.4))(1.3)
    assert got == pytest.approx(want, rel=1e-13)


def test_perturbations_do_not_mix():
    for outer in (da.grad, da.derivative):
        for inner in (da.grad, da.derivative):
            assert outer(lambda x: x * inner(lambda y: checkpoint(lambda y: x + y)(y))(1.0))(1.0) == 1.0


GLOBAL = None


def test_a_value_that_cannot_be_seen_is_an_error_not_a_zero():
    class Net:
        def __init__(self, w):
            self.w = w

        def apply(self, x):
            return self.w * x

    def by_global(x):
        return GLOBAL * x

    def f(w, x):
        return checkpoint(Net(w).apply)(x * w)

    def g(w, x):
        global GLOBAL
        GLOBAL = w
        return checkpoint(by_global)(x * w)

    def sequence(w, x):
        return checkpoint_sequence(Net(w).apply, x * w, 4, 2)

    for h in (f, g, sequence):
        with pytest.raises(TypeError, match=r"neither among its arguments nor in the closure.*pass it as an argument"):
            da.grad(h)(2.0, 3.0)
        with pytest.raises(TypeError, match="pass it as an argument"):
            da.grad(lambda w, h=h: da.grad(lambda v: h(v, 3.0))(w))(2.0)
        assert open_count() == 0
    assert da.derivative(lambda w: f(w, 3.0))(2.0) == 12.0  # forward mode just runs


def test_hidden_value_that_meets_no_traced_argument():
    """Nothing among the arguments is traced: the function simply runs, and records as ever."""
    class Net:
        def __init__(self, w):
            self.w = w

        def apply(self, x):
            return self.w * x

    assert da.grad(lambda w: checkpoint(Net(w).apply)(3.0))(2.0) == 3.0


def test_variables_are_those_of_the_call():
    """A closure sees a variable, not its value: a loop's lambdas would all use the last one when they run again."""
    def f(x, wrap):
        for i, w in enumerate([0.3, 0.5, 0.7]):
            x = wrap(lambda x: np.sin(w * x) * (i + 1))(x)
        scale = 1.0
        g = wrap(lambda x: x * scale)
        x = g(x)
        scale = 5.0
        return g(x)

    assert da.grad(lambda x: f(x, checkpoint))(0.9) == da.grad(lambda x: f(x, lambda g: g))(0.9)
    assert (da.grad(lambda x: f(x, lambda g: lambda x: checkpoint_sequence(g, x, 2, 1)))(0.9)
            == da.grad(lambda x: f(x, lambda g: lambda x: g(g(x))))(0.9))

    def rebound(w, x):
        for _ in range(3):
            x = checkpoint(lambda x: np.sin(w * x))(x)
            w = w * 1.5
        return x

    def plain(w, x):
        for _ in range(3):
            x = np.sin(w * x)
            w = w * 1.5
        return x

    np.testing.assert_array_equal(da.grad(rebound, (0, 1))(0.8, 1.2), da.grad(plain, (0, 1))(0.8, 1.2))


def test_a_nonlocal_counter_goes_on_counting():
    count = 0

    def f(x):
        nonlocal count
        count += 1
        return np.sin(x)

    da.grad(checkpoint(f))(1.0)
    assert count == 1  # the run for the derivative counts in its own copy of the variable


# ---- the walk itself ---------------------------------------------------------------------------------------------------------

def found(target):
    """How many traced values it finds when x is traced: target(x) builds the object."""
    counts = []

    def f(x):
        counts.append(len(Closure(target(x)).leaves))
        return x

    da.grad(f)(1.0)
    return counts[0]


def test_each_value_is_found_once():
    assert found(lambda x: lambda y: x * y) == 1
    assert found(lambda x: [x, x, (x, {"a": x}), lambda y: x]) == 1
    assert found(lambda x: (lambda a, b: lambda y: a * b * y)(x * 2.0, x * 3.0)) == 2
    assert found(lambda x: np.sin) == found(lambda x: lambda y: y) == found(lambda x: 3.0) == 0


def test_containers_and_functions_that_hold_themselves():
    held = []
    held.append(held)

    def endless(y):
        return endless(y) if held else y

    assert found(lambda x: lambda y: (held, endless)) == 0

    def f(x):
        def even(n):
            return x if n == 0 else odd(n - 1) * x

        def odd(n):
            return even(n - 1) * x

        return checkpoint(lambda: even(4))()

    assert da.grad(f)(1.5) == pytest.approx(5 * 1.5**4)


def test_values_of_ended_transformations_are_left_alone():
    """A list of old values in the closure of f does no harm as long as f does not use them."""
    old = []
    da.grad(lambda x: (old.append(x), x)[1])(1.0)
    assert da.grad(checkpoint(lambda x: x * len(old)))(3.0) == 1.0
    with pytest.raises(da.LeakedValueError):
        da.grad(checkpoint(lambda x: x * old[0]))(3.0)


def test_a_function_without_traced_values_stays_the_object_it_is():
    f = lambda y: y
    assert Closure(f).replaced([]) is f


def test_names_of_a_replaced_function():
    def f(x):
        def inner(y):
            """Multiply."""
            return x * y

        inner.mark = "kept"
        new = Closure(inner).replaced([2.0])
        assert (new.__name__, new.__doc__, new.mark, new.__qualname__) == ("inner", "Multiply.", "kept", inner.__qualname__)
        assert new is not inner
        assert new(3.0) == 6.0
        return inner(x)

    assert da.grad(f)(1.0) == 2.0

"""dualad.kinks: the subgradient chosen, in both modes and at every order; warnings, errors; one-sided derivatives."""

import threading
import warnings

import numpy as np
import pytest
from kinked_programs import programs

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


@pytest.mark.parametrize("bad", ["1", True, [0.5]])
def test_a_choice_is_a_number(bad):
    with pytest.raises(TypeError, match=r"kinks: abs=.* is no number; choose from \[-1, 1\]"), da.kinks(abs=bad):
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


def test_a_warning_points_at_the_line_of_the_caller():
    """It used to point into this package."""
    with warnings.catch_warnings(record=True) as seen, da.kinks(on="warn"):
        warnings.simplefilter("always")
        da.grad(lambda x: np.abs(x) + np.max(np.stack([x, x])))(0.0)
    assert [w.filename for w in seen] == [__file__] * 2
    assert len({w.lineno for w in seen}) == 1


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


def test_a_clip_with_two_ends_takes_the_choice():
    """At its lower end it used to be an operation of its own, which nothing could be chosen for."""
    for b in (0.0, 0.25, 1.0):
        with da.kinks(relu=b):
            for mode in MODES.values():
                assert mode(lambda x: np.clip(x, 0.0, 1.0), 0.0) == b
    with da.kinks(on="raise"), pytest.raises(da.KinkError, match="maximum"):
        da.grad(lambda x: np.clip(x, 0.0, 1.0))(0.0)


#: name -> (function of an array, a point at a kink of it, a point beside)
WHOLE = {
    "max": (np.max, [2.0, 2.0, 1.0], [2.0, 2.1, 1.0]),
    "amin": (np.amin, [2.0, 1.0, 1.0], [2.0, 1.0, 1.1]),
    "max of rows": (lambda x: np.max(np.reshape(x, (2, 2)), axis=1), [1.0, 2.0, 3.0, 3.0], [3.0, 2.0, 2.0, 3.0]),
    "maximum.reduce": (np.maximum.reduce, [2.0, 2.0], [2.0, 1.0]),
    "max with initial": (lambda x: np.max(x, initial=2.0), [1.0, 2.0], [1.0, 3.0]),
    "nanmax": (np.nanmax, [2.0, np.nan, 2.0], [2.0, np.nan, 1.0]),
    "ptp": (np.ptp, [1.0, 1.0, 0.0], [1.0, 0.5, 0.0]),
    "sort": (np.sort, [1.0, 2.0, 1.0], [1.0, 2.0, 3.0]),
    "partition": (lambda x: np.partition(x, 1), [1.0, 2.0, 1.0], [1.0, 2.0, 3.0]),
    "median": (np.median, [1.0, 2.0, 2.0], [2.0, 1.0, 2.0, 3.0]),  # of four the two in the middle weigh the same
    "quantile": (lambda x: np.quantile(x, 0.4), [1.0, 2.0, 2.0, 2.0], [1.0, 2.0, 2.5, 3.0]),
    "norm": (np.linalg.norm, [0.0, 0.0], [0.0, 1.0]),
    "norm of order 1": (lambda x: np.linalg.norm(x, 1), [0.0, 1.0], [2.0, 1.0]),
    "norm of order inf": (lambda x: np.linalg.norm(x, np.inf), [-1.0, 1.0], [2.0, 1.0]),
    "std": (np.std, [3.0, 3.0], [3.0, 4.0]),
    "eigvalsh": (lambda x: np.linalg.eigvalsh(np.diag(x)), [1.0, 2.0, 1.0], [1.0, 2.0, 3.0]),
    "svdvals": (lambda x: np.linalg.svdvals(np.diag(x)), [1.0, 1.0], [1.0, 2.0]),
    "round": (lambda x: np.round(x, 1), [0.25, 1.0], [0.26, 1.0]),
    "interp": (lambda x: np.interp(x, [0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 5.0, 9.0]), [1.0], [2.0]),  # straight at 2
    "argmax": (lambda x: x[np.argmax(x)], [1.0, 1.0], [1.0, 2.0]),
    "argsort": (lambda x: x[np.argsort(x)], [1.0, 1.0], [1.0, 2.0]),
    "searchsorted": (lambda x: x * np.searchsorted([0.0, 1.0], x), [0.5, 1.0], [0.5, 1.5]),
    "where": (lambda x: np.where(x > 0.0, x, 0.0), [0.0, 1.0], [0.5, 1.0]),
    "where of two": (lambda x: np.where(x <= x[::-1], x, x[::-1]), [1.0, 1.0], [0.5, 1.0]),
    "piecewise": (lambda x: np.piecewise(x, [x < 0.0, x >= 0.0], [lambda t: -t, lambda t: t]), [0.0, 1.0], [-1.0, 1.0]),
}


@pytest.mark.parametrize("name", WHOLE)
def test_functions_of_whole_arrays_are_watched(name):
    """Reductions, order statistics, norms and masks used to pass unseen."""
    f, at, beside = (v if callable(v) else np.array(v) for v in WHOLE[name])
    for run in (lambda x: da.jvp(f, (x,), (np.ones_like(x),)), lambda x: da.vjp(f, x), lambda x: da.jacobian(f)(x)):
        with da.kinks(on="raise"):
            with pytest.raises(da.KinkError, match=r"test_kink_choices.py, line \d+"):
                run(at)
            run(beside)
        with warnings.catch_warnings(record=True) as seen, da.kinks(on="warn"):
            warnings.simplefilter("always")
            run(at)
        assert all(issubclass(w.category, da.KinkWarning) for w in seen)
    value, tangent = da.jvp(f, (at,), (np.cos(at),))
    with warnings.catch_warnings(), da.kinks(on="warn"):
        warnings.simplefilter("ignore", da.KinkWarning)
        again = da.jvp(f, (at,), (np.cos(at),))
    np.testing.assert_array_equal(again[0], value)
    np.testing.assert_array_equal(again[1], tangent)


def test_messages_of_whole_arrays():
    with da.kinks(on="raise"):
        with pytest.raises(da.KinkError, match=r"max\(.*shape \(3,\)\) has no derivative there \(2 of 3 elements\); .*, line"):
            da.grad(np.max)(np.array([2.0, 2.0, 1.0]))
        with pytest.raises(da.KinkError, match=r"max\(array of shape \(2,\)\) has no"):
            da.grad(lambda x: np.max(a=x))(np.array([2.0, 2.0]))
        with pytest.raises(da.KinkError, match=r"array of shape \(2,\) > 0 compares equal numbers \(1 of 2 elements\): the branch"):
            da.grad(lambda x: np.sum(np.where(x > 0.0, x, 0.0)))(np.array([0.0, 1.0]))


def test_a_comparison_with_itself_is_no_kink():
    """`x != x` asks whether x is a number."""
    with da.kinks(on="raise"):
        assert da.grad(lambda x: np.sum(np.where(x == x, x, 0.0)))(np.ones(2)).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("transform", [da.derivative, da.grad, da.jacfwd], ids=["Dual", "Var", "DualVec"])
@pytest.mark.parametrize("f", [
    lambda x: x if x > 0.0 else -x, lambda x: max(x, 0.0), lambda x: min(0.0, x), lambda x: x if 0.0 >= x else 2.0 * x,
    lambda x: x if x == 0.0 else 2.0 * x, lambda x: sorted([x, 2.0 * x])[0]])  # fmt: skip
def test_branches_of_scalars(f, transform):
    with da.kinks(on="raise"):
        with pytest.raises(da.KinkError, match=r"compares equal numbers: the branch changes there; .*test_kink_choices.py, line"):
            transform(f)(0.0)
        transform(f)(1.0)


@pytest.mark.parametrize(("f", "x", "left", "right"), [
    (lambda x: x if x >= 0.0 else -x, 0.0, -1.0, 1.0),
    (lambda x: x if x > 0.0 else -x, 0.0, -1.0, 1.0),
    (lambda x: x * x if 2.0 >= x * x else 4.0 - x * x, 1.0, 2.0, 2.0),
    (lambda x: x**2 if x < 1.0 else 3.0 * x - 2.0, 1.0, 2.0, 3.0),
    (lambda x: max(x, 0.0) + min(2.0 * x, 0.0), 0.0, 2.0, 1.0),
    (lambda x: 1.0 if x == 0.0 else np.sin(x) / x, 0.0, 0.0, 0.0),
    (lambda x: 1.0 + 0.0 * x if x >= 0.0 else -1.0 + x, 0.0, np.inf, 0.0),
    (np.sqrt, 0.0, np.nan, np.inf),
    (np.cbrt, 0.0, np.inf, np.inf),
    (lambda x: x**1.5, 0.0, np.nan, 0.0),
    (np.floor, 2.0, np.inf, 0.0),
    (np.sign, 0.0, np.inf, np.inf),
    (lambda x: np.rint(x) * x, 0.5, 0.0, np.inf),
    (lambda x: x % 1.0, 2.0, -np.inf, 1.0),
    (lambda x: np.copysign(x, x), 0.0, 1.0, 1.0),
    (lambda x: np.hypot(x, 2.0 * x), 0.0, -np.sqrt(5.0), np.sqrt(5.0)),
    (lambda x: np.interp(x, [0.0, 1.0, 2.0], [0.0, 1.0, 5.0]), 1.0, 1.0, 4.0),
    (lambda x: np.clip(x, 0.0, 1.0), 1.0, 1.0, 0.0),
    (lambda x: da.grad(lambda y: np.abs(y) * y)(x), 0.0, -2.0, 2.0),
    (lambda x: da.derivative(lambda y: y * y if y > 0.0 else -y * y)(x), 0.0, -2.0, 2.0),
])  # fmt: skip
def test_one_sided_of_branches_jumps_and_steps(f, x, left, right):
    """The definition: limits of difference quotients; an `if` goes the way it will go beside x."""
    assert da.one_sided(f, x) == pytest.approx((left, right), rel=1e-12, nan_ok=True)


@pytest.mark.parametrize("name", [n for n in WHOLE if n not in ("round", "searchsorted", "eigvalsh", "svdvals")])
def test_one_sided_of_whole_arrays(name):
    """Against difference quotients, along a direction that separates what is tied."""
    f, x, _ = (v if callable(v) else np.array(v) for v in WHOLE[name])
    v = np.cos(1.0 + np.arange(x.size, dtype=float))
    for side, sign in zip(da.one_sided(f, x, v), (-1.0, 1.0), strict=True):
        t = sign * 1e-6
        np.testing.assert_allclose(side, (f(x + t * v) - f(x)) / t, rtol=1e-5, atol=1e-6)
    for side in da.one_sided(f, np.array(WHOLE[name][2]), np.zeros(len(WHOLE[name][2]))):
        np.testing.assert_array_equal(side, 0.0 * side)


def test_one_sided_of_random_compositions():
    """400 programs at whole numbers, against difference quotients."""
    rng = np.random.default_rng(5)
    kinks = 0
    for f, x in programs(rng, 400):
        v, t = rng.normal(size=3), 1e-7
        left, right = da.one_sided(f, x, v)
        assert left == pytest.approx((f(x - t * v) - f(x)) / -t, rel=1e-4, abs=1e-4)
        assert right == pytest.approx((f(x + t * v) - f(x)) / t, rel=1e-4, abs=1e-4)
        kinks += abs(left - right) > 1e-3
    assert kinks > 200


def test_one_sided_in_containers_and_of_floats():
    left, right = da.one_sided(lambda x: {"a": abs(x), "b": (x * x, 3.0)}, 0.0)
    assert (left, right) == ({"a": -1.0, "b": (0.0, 0.0)}, {"a": 1.0, "b": (0.0, 0.0)})
    assert [type(t) for t in da.one_sided(np.abs, 0.0)] == [float, float]
    assert da.one_sided(lambda x: np.abs(x), np.float32(0.0))[1].dtype == np.float32
    with pytest.raises(TypeError, match="integer"):
        da.one_sided(abs, 0)

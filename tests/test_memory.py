"""Memory: 10^6 chained operations, bytes an operation, tapes given back, inputs and constants the user overwrites."""

import gc
import tracemalloc
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dualad as da
from dualad._core import Level, new_input, open_count

MILLION = 10**6


def resident():
    """Bytes of this process in memory (Linux)."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


def recorded(f, *points):
    """A closed level holding f's recording."""
    level = Level(True, 0, True)
    with level:
        f(*[new_input(level, x) for x in points])
    return level


# ---- a million operations --------------------------------------------------------------------------------------------

def logistic(x, n):
    for _ in range(n):
        x = 3.5 * x * (1.0 - x)
    return x


def plain_slope(x, n):
    """Value and slope of the logistic map side by side: the hand-written tangent."""
    d = 1.0
    for _ in range(n):
        x, d = 3.5 * x * (1.0 - x), 3.5 * d * (1.0 - x) + 3.5 * x * -d
    return d


def test_a_million_chained_operations():
    """No recursion anywhere: a chain this long would overflow any stack."""
    f = lambda x: logistic(x, MILLION // 3 + 1)
    value, gradient = da.value_and_grad(f)(0.3)
    assert value == f(0.3)
    out, tangent = da.jvp(f, (0.3,), (1.0,))
    assert out == value
    assert tangent == pytest.approx(gradient, rel=1e-9, abs=0.0)
    assert da.derivative(lambda x: logistic(x, 40))(0.3) == pytest.approx(plain_slope(0.3, 40), rel=1e-13)


@pytest.mark.parametrize("n", [1000, MILLION])
def test_a_long_sum(n):
    def f(x):
        s = x
        for _ in range(n - 1):
            s = s + x
        return s

    assert da.grad(f)(1.0) == da.derivative(f)(1.0) == n


@pytest.mark.parametrize(("step", "operations"), [
    (lambda x, y: x * y, 1), (lambda x, y: x + 1.5, 1), (lambda x, y: np.sin(x), 1), (lambda x, y: -x, 1), (lambda x, y: x**2, 1),
    (lambda x, y: 1.0 / (x + 2.0), 2), (lambda x, y: np.hypot(x, y) * 0.5, 2)])
def test_bytes_of_a_recorded_scalar_operation(step, operations):
    """At most 24 bytes each, nodes and slots counted, whatever the operation."""
    def f(x, y):
        for _ in range(10_000):
            x = step(x, y)

    level = recorded(f, 0.5, 0.9)
    assert 10_000 * operations <= level.nodes <= 10_000 * operations + 4
    assert level.nbytes <= 24 * level.nodes + 256


def test_constants_are_shared():
    """A constant is kept once however often it is used."""
    same = recorded(lambda x: [x := x * 0.5 + 0.25 for _ in range(10_000)], 1.0)
    assert same.nbytes <= 24 * same.nodes + 256


def test_elements_cost_no_node():
    def f(x):
        for i in range(1000):
            x[i]

    bare, touched = recorded(lambda x: None, np.ones(1000)), recorded(f, np.ones(1000))
    assert touched.nodes == bare.nodes
    views = recorded(lambda x: (x[1:], x.reshape(10, 100).T, x[::-2]), np.ones(1000))
    assert views.nbytes == bare.nbytes


def test_a_loop_over_elements_is_linear():
    def f(x):
        s = 0.0
        for i in range(len(x) - 1):
            s = s + x[i] * x[i + 1]

    small, large = (recorded(f, np.ones(n)) for n in (1001, 10_001))
    assert (large.nodes - 1) / (small.nodes - 1) == pytest.approx(10.0, rel=1e-2)
    assert large.nbytes <= 24 * large.nodes + 8 * 10_001 + 256


# ---- tapes are given back ---------------------------------------------------------------------------------------------

X = np.linspace(0.1, 1.0, 50)


def polynomial(x):
    return np.sum(np.sin(x) * x + np.exp(-x) * x[0])


RUNS = {
    "grad": lambda: da.grad(polynomial)(X), "jvp": lambda: da.jvp(polynomial, (X,), (X,)),
    "hessian": lambda: da.hessian(polynomial)(X[:5]),
    "vjp": lambda: da.vjp(polynomial, X)[1](1.0),
    "linearize": lambda: da.linearize(polynomial, X)[1](X), "jacfwd": lambda: da.jacfwd(np.sin)(X),
    "jacrev": lambda: da.jacrev(np.sin)(X), "scalars": lambda: da.grad(lambda x: logistic(x, 100))(0.3),
    "nested": lambda: da.grad(da.derivative(da.grad(lambda x: x**4)))(2.0),
    "calls": lambda: da.grad(lambda x: np.linalg.norm(x))(X),
    "float32": lambda: da.grad(polynomial)(X.astype(np.float32)), "lists": lambda: da.grad(lambda p: p[0] * p[1])([1.0, 2.0]),
    "duals": lambda: da.jacfwd(lambda a, b: a * b, (0, 1))(1.0, 2.0),
}


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_repeated_runs_hold_no_more_memory(run):
    """What Python allocates: no cycle is left to the collector, and not one object a run stays alive.

    Free lists (of Python, of NumPy's scalars) fill for a while, less and less; a leak grows in every window alike.
    """
    n, growth, cycles = 200, [], 0
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        for _ in range(4 * n):
            run()
        gc.collect()
        for _ in range(6):
            before = tracemalloc.get_traced_memory()[0]
            for _ in range(n):
                run()
            cycles += gc.collect()
            growth.append(tracemalloc.get_traced_memory()[0] - before)
    finally:
        tracemalloc.stop()
        gc.enable()
    assert cycles == 0
    assert min(growth) < 24 * n, f"{growth} bytes more"  # the smallest object has 24 bytes
    assert open_count() == 0


def test_tapes_are_reused():
    """The arenas: 40 recordings of half a million operations would need 400 MB if each kept its own."""
    f = lambda x: logistic(x, 150_000)
    da.grad(f)(0.3)
    before = resident()
    for _ in range(40):
        da.grad(f)(0.3)
    assert resident() - before < 50 * 2**20


# Functions whose recordings leave adjoints of every kind behind: (f, x, its gradient by the table or by hand).
def _product(x):
    out = 1.0
    for factor in x:
        out = out * factor
    return out


def _late_inputs(x):
    out = x[0]
    for factor in x[1:]:
        out = out * da.grad(lambda y, a=factor: y * y * a)(0.5)
    return out


LEAVINGS = {
    "short": (lambda x: logistic(x, 3), 0.3, plain_slope(0.3, 3)),
    "long": (lambda x: logistic(x, 900), 0.3, plain_slope(0.3, 900)),
    "unused": (lambda x: [x * da.value(np.sin(x)), np.exp(x)][0], 2.0, np.sin(2.0)),
    "list": (_product, [2.0] * 40, [2.0**39] * 40),
    "nested": (_late_inputs, [2.0, 3.0], [3.0, 2.0]),
    "array": (lambda x: np.sum(x * da.value(np.sin(x))), np.arange(3.0), np.sin(np.arange(3.0))),
    "elements": (lambda x: x[2] * x[0] * x[0], np.array([3.0, 5.0, 7.0]), np.array([42.0, 0.0, 9.0])),
    "mixed": (lambda x: np.sum(x[3:] * x[0]) + x[1], np.arange(1.0, 6.0), np.array([9.0, 1.0, 0.0, 1.0, 1.0])),
    "planned": (lambda x: np.sum(x * x), np.arange(2000.0), np.arange(0.0, 4000.0, 2.0)),
    "call": (lambda x: np.linalg.det(x), np.diag([2.0, 3.0]), np.diag([3.0, 2.0])),
}


@given(st.lists(st.tuples(st.sampled_from(sorted(LEAVINGS)), st.booleans()), min_size=2, max_size=12))
def test_adjoints_one_sweep_leaves_are_not_seen_by_the_next(runs):
    """A sweep clears only what the ones before left, in the same memory: any sequence of gradients and pullbacks is right."""
    for name, pulled in runs:
        f, x, wanted = LEAVINGS[name]
        got = da.vjp(f, x)[1](1.0)[0] if pulled else da.grad(f)(x)
        np.testing.assert_allclose(got, wanted, rtol=1e-12 if name != "long" else 1e-6)


def test_recordings_that_raise_give_their_tapes_back():
    def f(x):
        y = logistic(x, 100_000)
        return y / 0

    with pytest.raises(ZeroDivisionError):
        da.grad(lambda x: logistic(x, 100_000) * (1 // 0))(0.3)
    before = resident()
    for _ in range(40):
        with pytest.raises(ZeroDivisionError):
            da.grad(lambda x: logistic(x, 100_000) * (1 // 0))(0.3)
    assert resident() - before < 50 * 2**20


def test_a_pullback_keeps_its_tape_and_releases_it():
    class Held:
        """Something the recording holds."""

        def __init__(self):
            self.a = np.ones(3)

    held = Held()
    ref = weakref.ref(held)

    def f(x, held=held):
        @da.custom_jvp
        def g(x):
            return x * held.a

        g.defjvp(lambda primals, tangents: (primals[0] * held.a, tangents[0] * held.a))
        return g(x)

    _, pullback = da.vjp(f, np.ones(3))
    del held, f
    gc.collect()
    assert ref() is not None  # the rule is still needed
    np.testing.assert_array_equal(pullback(np.ones(3))[0], np.ones(3))
    del pullback
    gc.collect()
    assert ref() is None


def test_many_pullbacks_live_side_by_side():
    """Each owns its tape: later recordings (and more of them than the pool keeps) do not overwrite earlier ones."""
    pullbacks = [da.vjp(lambda x, k=k: logistic(x, k) * k, 0.3)[1] for k in range(1, 30)]
    da.grad(lambda x: logistic(x, 1000))(0.7)
    for k in reversed(range(1, 30)):
        assert pullbacks[k - 1](1.0)[0] == pytest.approx(k * plain_slope(0.3, k), rel=1e-12)


# ---- what the user overwrites afterwards --------------------------------------------------------------------------------

@pytest.mark.parametrize("n", [3, 5000])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("order", ["C", "view"])
def test_inputs_overwritten_after_the_recording(n, dtype, order):
    x = np.linspace(0.5, 1.5, 2 * n, dtype=dtype)
    x = x[::2] if order == "view" else x[:n].copy()
    kept, w = x.copy(), np.cos(np.arange(n)).astype(dtype)
    out, pullback = da.vjp(lambda x: x * x * w, x)
    lin, f_jvp = da.linearize(lambda x: x * x * w, x)
    weights = w.copy()
    x[...], w[...] = np.nan, np.nan
    for result in (out, lin):
        np.testing.assert_array_equal(result, kept * kept * weights)
    ones = np.ones(n, dtype)
    for got in (pullback(ones)[0], f_jvp(ones), pullback(ones)[0]):
        np.testing.assert_allclose(got, 2 * kept * weights, rtol=4 * np.finfo(dtype).eps)


def test_results_are_the_users_own():
    """Writing into what a transformation returned changes nothing else."""
    x = X.copy()
    out, pullback = da.vjp(lambda x: x, x)
    out[:] = -1.0
    first = pullback(np.ones(50))[0]
    first[:] = -1.0
    np.testing.assert_array_equal(pullback(np.ones(50))[0], np.ones(50))
    np.testing.assert_array_equal(x, X)
    value, gradient = da.value_and_grad(np.sum)(x)
    gradient[:] = 7.0
    assert value == np.sum(X)
    np.testing.assert_array_equal(da.grad(np.sum)(x), np.ones(50))


def test_a_cotangent_overwritten_while_in_use():
    _, pullback = da.vjp(lambda x: x.reshape(5, 10), X)
    ct = np.ones((5, 10))
    (got,) = pullback(ct)
    ct[:] = 3.0
    np.testing.assert_array_equal(got, np.ones(50))
    got[:] = 4.0
    np.testing.assert_array_equal(ct, np.full((5, 10), 3.0))


def test_inputs_are_never_written():
    x = X.copy()
    x.flags.writeable = False
    da.hessian(polynomial)(x)
    da.grad(polynomial)(x)
    np.testing.assert_array_equal(da.jacrev(lambda x: x)(x), np.eye(50))

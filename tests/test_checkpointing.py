"""checkpoint and checkpoint_sequence: values and derivatives of the plain program, stored inputs, exactly counted repetitions."""

import gc
import threading
from collections import namedtuple
from dataclasses import dataclass

import numpy as np
import pytest

import dualad as da
from dualad import checkpoint, checkpoint_sequence, problems
from dualad._core import Level, new_input, open_count, top_level
from dualad.tree import flatten, tree_map, unflatten

RNG = np.random.default_rng(0)
W, X = RNG.normal(size=(3, 3)), np.array([0.3, -0.7, 1.1])

TRANSFORMS = {
    "grad": da.grad,
    "jacfwd": da.jacfwd,
    "jacrev": da.jacrev,
    "hessian": da.hessian,
    "grad of grad": lambda f: da.grad(lambda x: np.sum(da.grad(f)(x) ** 3)),
    "jacfwd of jacfwd": lambda f: da.jacfwd(da.jacfwd(f)),
    "jacrev of jacrev": lambda f: da.jacrev(da.jacrev(f)),
    "jacrev of jacfwd": lambda f: da.jacrev(da.jacfwd(f)),
    "jacfwd of jacrev": lambda f: da.jacfwd(da.jacrev(f)),
    "grad of jvp": lambda f: da.grad(lambda x: da.jvp(f, (x,), (np.cos(x),))[1]),
    "grad of grad of grad": lambda f: da.grad(lambda x: np.sum(da.grad(lambda x: np.sum(da.grad(f)(x) ** 2))(x))),
    "grad of hvp": lambda f: da.grad(lambda x: np.sum(da.hvp(f, (x,), (np.sin(x),)))),
    "pullback differentiated by its cotangent": lambda f: lambda x: da.jacfwd(lambda c: da.vjp(f, x)[1](c)[0] * c)(0.7),
    "pullback, reversed by its cotangent": lambda f: lambda x: da.jacrev(lambda c: da.vjp(f, x)[1](c)[0] * c)(0.7),
    "linearize": lambda f: lambda x: da.linearize(f, x)[1](np.cos(x)),
}  # fmt: skip


def steps(f, x, n=4):
    """A program with pieces to checkpoint: f applied n times."""
    for _ in range(n):
        x = f(x)
    return np.sum(x)


PIECES = {
    "array": lambda x: np.tanh(W @ x) * x,
    "where": lambda x: np.where(x > 0, np.sqrt(np.abs(x)), x * x),
    "call": lambda x: np.linalg.solve(W + 3.0 * np.eye(3), x) * np.linalg.norm(x),
    "elements": lambda x: np.stack([x[0] * x[1], np.exp(-x[2]), x[0]]),
    "identity": lambda x: x,
    "view": lambda x: x[::-1],
    "constant": lambda x: np.ones(3) * 2.0,
}


@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
@pytest.mark.parametrize("piece", PIECES.values(), ids=PIECES)
def test_derivatives_are_those_of_the_plain_function(piece, transform):
    want = transform(lambda x: steps(piece, x))(X)
    for f in (checkpoint(lambda x: steps(piece, x)), lambda x: steps(checkpoint(piece), x)):
        np.testing.assert_allclose(transform(f)(X), want, rtol=1e-13, atol=1e-14)
    assert open_count() == 0


@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
@pytest.mark.parametrize("piece", PIECES.values(), ids=PIECES)
@pytest.mark.parametrize("snapshots", [1, 2, 5])
def test_derivatives_of_a_sequence_are_those_of_the_loop(piece, transform, snapshots):
    want = transform(lambda x: steps(piece, x, 5))(X)
    got = transform(lambda x: np.sum(checkpoint_sequence(piece, x, 5, snapshots)))(X)
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-14)


def test_first_derivatives_are_bitwise_the_plain_ones():
    for f in PIECES.values():
        plain = da.value_and_grad(lambda x, f=f: steps(f, x, 9))(X)
        for g in (lambda x, f=f: steps(checkpoint(f), x, 9), lambda x, f=f: np.sum(checkpoint_sequence(f, x, 9, 2))):
            value, gradient = da.value_and_grad(g)(X)
            assert value == plain[0]
            np.testing.assert_array_equal(gradient, plain[1])


@pytest.mark.parametrize("f", [lambda x: x * x, lambda x: np.sin(x) / x, lambda x: x**3 - 2.0])
@pytest.mark.parametrize("wrap", [checkpoint, lambda f: lambda x: checkpoint_sequence(f, x, 1, 1)])
def test_scalars_to_the_third_order(f, wrap):
    g, d = wrap(f), da.derivative
    assert g(0.7) == f(0.7)
    for D in (da.grad, d):
        for E in (da.grad, d):
            for F in (da.grad, d):
                assert F(E(D(g)))(0.7) == pytest.approx(d(d(d(f)))(0.7), rel=1e-13, abs=1e-13)


def test_float32_stays_float32():
    x = X.astype(np.float32)
    f = lambda x: np.sum(np.tanh(x) * x)
    got = da.grad(checkpoint(f))(x)
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, da.grad(f)(x))
    np.testing.assert_array_equal(da.grad(lambda x: np.sum(checkpoint_sequence(np.tanh, x, 5, 2)))(x),
                                  da.grad(lambda x: steps(np.tanh, x, 5))(x))


@pytest.mark.parametrize("problem", problems.PROBLEMS.values(), ids=problems.PROBLEMS)
def test_every_problem_of_the_list(problem):
    """Value and pullback of each built-in problem, bit for bit; its jvp where the value is a float."""
    f = problem.using(da.math if problem.namespace == "math" else da.numpy)
    g, primals = problem.split(problem.make(problem.sizes[0], seed=0), f)
    (want, plain), (got, again) = da.vjp(g, *primals), da.vjp(checkpoint(g), *primals)
    leaves, structure = flatten(want)
    np.testing.assert_equal(flatten(got), (leaves, structure))
    cts = [np.cos(np.arange(np.size(x), dtype=float)).reshape(np.shape(x)) if np.ndim(x) else 1.0 for x in leaves]
    ct = unflatten(structure, cts)
    np.testing.assert_equal(again(ct), plain(ct))
    direction = tree_map(lambda x: np.ones(np.shape(x)) if np.ndim(x) else 1.0, primals)
    np.testing.assert_equal(da.jvp(checkpoint(g), primals, direction), da.jvp(g, primals, direction))


# ---- containers --------------------------------------------------------------------------------------------------------------

@dataclass
class Layer:
    w: object
    b: object

    def apply(self, x):
        return np.tanh(self.w @ x + self.b)


Pair = namedtuple("Pair", "value label")


def test_containers_in_and_out():
    @checkpoint
    def f(layer, *, options):
        y = layer.apply(options["x"])
        return {"sum": np.sum(y), "rest": [y, Pair(y[0] * 2.0, "name")], "count": 3}

    def g(layer, x):
        out = f(layer, options={"x": x})
        assert out["count"] == 3
        assert out["rest"][1].label == "name"
        return out["sum"] + np.sum(out["rest"][0] ** 2) * out["rest"][1].value

    def plain(layer, x):
        y = layer.apply(x)
        return np.sum(y) + np.sum(y**2) * y[0] * 2.0

    layer = Layer(W, X)
    got, want = (da.grad(h, (0, 1))(layer, X) for h in (g, plain))
    np.testing.assert_allclose(got[0].w, want[0].w, rtol=1e-14)
    np.testing.assert_allclose(got[0].b, want[0].b, rtol=1e-14)
    np.testing.assert_allclose(got[1], want[1], rtol=1e-14)
    assert f(layer, options={"x": X})["rest"][1] == Pair(np.tanh(W @ X + X)[0] * 2.0, "name")


def test_a_sequence_of_containers_whose_structure_changes():
    def step(state, i):
        if i % 2:
            x, count, label = state
            return {"x": np.tanh(x), "count": count + 1, "label": label}
        return state["x"] * 1.5, state["count"] + 1, state["label"]

    def f(x):
        state = {"x": x, "count": 0, "label": "a"}
        out = checkpoint_sequence(step, state, 7, 2)
        assert out[1:] == (7, "a")
        return np.sum(out[0])

    def plain(x):
        state = {"x": x, "count": 0, "label": "a"}
        for i in range(7):
            state = step(state, i)
        return np.sum(state[0])

    np.testing.assert_allclose(da.grad(f)(X), da.grad(plain)(X), rtol=1e-14)
    np.testing.assert_allclose(da.hessian(f)(X), da.hessian(plain)(X), rtol=1e-13, atol=1e-15)


def test_nothing_but_constants():
    """Outside of a transformation, and for outputs that hold no float, it is the function itself."""
    assert checkpoint(lambda: None)() is None
    assert checkpoint(lambda x, y: (x, y))("a", y=3) == ("a", 3)
    assert da.grad(lambda x: x * checkpoint(lambda x: 3)(x))(2.0) == 3.0
    assert da.grad(lambda x: x if checkpoint(lambda x: None)(x) is None else 0.0)(2.0) == 1.0


# ---- functions that change ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("f", [
    lambda x: checkpoint(lambda x: x * RNG.normal())(x),
    lambda x: checkpoint_sequence(lambda x: x * RNG.normal(), x, 4, 2),
    lambda x: checkpoint(lambda x: x + RNG.normal(size=3))(np.stack([x, x, x]))[0]])
def test_a_function_that_returns_something_else_when_it_runs_again(f):
    with pytest.raises(RuntimeError, match="gave other values when it ran again"):
        da.grad(f)(2.0)
    assert open_count() == 0


def test_infinities_and_nan_are_the_same_values():
    f = lambda x: (x, np.log(x * 0.0), np.sqrt(x - 9.0))
    with np.errstate(all="ignore"):
        assert da.grad(lambda x: checkpoint(f)(x)[0])(2.0) == 1.0
        want = da.jacrev(lambda x: f(x)[2])(X)
        np.testing.assert_array_equal(da.jacrev(lambda x: checkpoint(f)(x)[2])(X), want)


# ---- memory ------------------------------------------------------------------------------------------------------------------

def tape(f, *points):
    """The closed level that holds f's recording."""
    level = Level(True, 0, True)
    with level:
        out = f(*[new_input(level, x) for x in points])
    del out
    return level


def long_piece(x, operations=300):
    for _ in range(operations):
        x = np.sin(x) * 1.01
    return x


@pytest.mark.parametrize("operations", [10, 1000])
@pytest.mark.parametrize("point", [0.3, np.linspace(0.0, 1.0, 50)], ids=["scalar", "array"])
def test_the_outer_tape_holds_inputs_and_outputs(operations, point):
    level = tape(checkpoint(lambda x: long_piece(x, operations)), point)
    one = tape(lambda x: None, point)
    assert level.nodes == one.nodes + 1
    size = np.size(point)
    assert level.slots <= 2 * size + 16
    assert level.nbytes <= 2 * 8 * size + 256
    (call,) = level.calls
    held = [*call.values, *call.out]
    assert sum(np.size(x) for x in held) == 2 * size  # the input (where the tape has it) and the output
    assert tape(lambda x: long_piece(x, operations), point).nodes >= 2 * operations


def test_outer_levels_store_inputs_only_too():
    """In grad of grad every entry of the outer tape is a call, and their number does not grow with f."""
    def entries(operations):
        counts = []

        def f(x):
            y = da.grad(lambda x: np.sum(checkpoint(lambda x: long_piece(x, operations))(x)))(x)
            counts.append(top_level([y]).nodes)
            return np.sum(y)

        da.grad(f)(X)
        return counts[0]

    assert entries(4) == entries(400) <= 8


def test_outer_levels_store_one_entry_a_step():
    """Reverse over forward: nothing of a step's inside on the tape of the outer level."""
    def entries(operations):
        counts = []

        def f(x):
            y = da.jvp(lambda x: checkpoint_sequence(lambda x: long_piece(x, operations), x, 6, 2), (x,), (x,))[1]
            counts.append(top_level([y]).nodes)
            return np.sum(y)

        da.grad(f)(X)
        return counts[0]

    assert entries(4) == entries(400) <= 4


def test_no_cycle_is_left_to_the_collector():
    f = checkpoint(lambda x: long_piece(x, 3))
    g = lambda x: np.sum(checkpoint_sequence(lambda x: long_piece(x, 3), x, 8, 3))
    for run in (lambda: da.grad(lambda x: np.sum(f(x)))(X), lambda: da.grad(g)(X), lambda: da.hessian(g)(X),
                lambda: da.grad(lambda x: np.sum(da.grad(g)(x)))(X)):
        run()
        gc.collect()
        gc.disable()
        try:
            run()
            assert gc.collect() == 0
        finally:
            gc.enable()


def test_an_argument_overwritten_after_the_call():
    """Constants are kept as they were, like those of any operation."""
    c = np.array([1.0, 2.0, 3.0])
    _, pullback = da.vjp(lambda x: checkpoint(lambda x, c: x * x * c)(x, c), X)
    c[:] = np.nan
    np.testing.assert_array_equal(pullback(np.ones(3))[0], 2 * X * [1.0, 2.0, 3.0])
    kept = []
    da.grad(lambda x: np.sum(checkpoint(lambda x: (kept.append(x), x * 1.0)[1])(x)))(X)
    np.testing.assert_array_equal(kept[0], X)  # a copy, not a view of the tape
    da.grad(lambda x: np.sum(np.exp(x) * x))(np.ones(50))
    np.testing.assert_array_equal(kept[0], X)


@pytest.mark.parametrize("wrap", [checkpoint, lambda f: lambda x: checkpoint_sequence(f, x, 5, 2)])
def test_pullbacks_can_be_called_again_and_by_threads(wrap):
    f = lambda x: np.tanh(W @ x)
    _, pullback = da.vjp(wrap(f), X)
    plain = da.vjp(f if wrap is checkpoint else lambda x: f(f(f(f(f(x))))), X)[1]
    cts = [np.cos(np.arange(3.0) + i) for i in range(16)]
    want = [plain(ct)[0] for ct in cts]
    np.testing.assert_array_equal([pullback(ct)[0] for ct in cts], want)
    _, fresh = da.vjp(wrap(f), X)
    got = [None] * 16
    start = threading.Barrier(16)

    def work(i):
        start.wait()
        got[i] = fresh(cts[i])[0]

    threads = [threading.Thread(target=work, args=(i,)) for i in range(16)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    np.testing.assert_array_equal(got, want)


def test_an_exception_leaves_all_usable():
    class StopError(Exception):
        pass

    runs = []

    def f(x):
        runs.append(1)
        if len(runs) in failing:
            raise StopError
        return np.sin(x) * x

    for wrap in (checkpoint, lambda f: lambda x: checkpoint_sequence(f, x, 6, 2)):
        for failing in ({1}, {2}, {7}):
            runs.clear()
            _ = None
            if wrap is checkpoint and failing == {7}:
                continue
            with pytest.raises(StopError):
                da.grad(wrap(f))(0.5)
            assert open_count() == 0
        failing = {2}
        runs.clear()
        if wrap is checkpoint:
            _, pullback = da.vjp(wrap(f), 0.5)
            with pytest.raises(StopError):
                pullback(1.0)
            assert pullback(1.0)[0] == da.grad(lambda x: np.sin(x) * x)(0.5)
    failing = set()
    assert da.grad(checkpoint(f))(0.5) == da.grad(lambda x: np.sin(x) * x)(0.5)


def test_rules_of_the_users_own_inside():
    @da.custom_vjp
    def twice(x):
        return 2.0 * x

    twice.defvjp(lambda x: (2.0 * x, None), lambda residuals, ct: (3.0 * ct,))
    assert da.grad(checkpoint(lambda x: twice(x) * x))(1.0) == 5.0
    assert da.grad(lambda x: checkpoint_sequence(twice, x, 4, 2))(1.0) == 81.0


def test_methods_names_and_docstrings():
    class Net:
        scale = 2.0

        @checkpoint
        def apply(self, x):
            """Scale it."""
            return self.scale * x

    assert da.grad(lambda x: Net().apply(x))(1.0) == 2.0
    assert Net.apply.__doc__ == "Scale it."
    assert checkpoint(np.sin).__name__ == "checkpoint(sin)"
    assert da.grad(checkpoint(np.sin))(0.0) == 1.0
    with pytest.raises(TypeError, match="checkpoint takes a function"):
        checkpoint(3.0)


def test_a_function_that_writes_into_its_argument():
    """The input on the tape is not the array f gets; the write itself is refused as everywhere in reverse mode."""
    def f(x):
        x[0] = 5.0
        return x * 1.0

    for wrap in (checkpoint, lambda f: lambda x: checkpoint_sequence(f, x, 2, 1)):
        with pytest.raises((TypeError, NotImplementedError)):
            da.grad(lambda x, w=wrap: np.sum(w(f)(x)))(X)
    assert X[0] == 0.3


def test_duals_made_by_hand():
    y = checkpoint(lambda x: x * x)(da.Dual(3.0, 1.0))
    assert (y.primal, y.tangent) == (9.0, 6.0)
    y = da.grad(lambda x: checkpoint(lambda x: x * x * da.Dual(3.0, 1.0))(x))(2.0)
    assert (y.primal, y.tangent) == (12.0, 4.0)

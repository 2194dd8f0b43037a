"""The binomial schedule: extra steps counted exactly, stored states and live tape bounded, any state, any step."""

import functools
import random
import weakref
from itertools import pairwise
from math import comb

import numpy as np
import pytest

import dualad as da
from dualad import checkpoint, checkpoint_sequence
from dualad._core import Level, Traced, new_input, top_level
from dualad.checkpointing import extra_steps

RNG = np.random.default_rng(0)
W, X = RNG.normal(size=(3, 3)), np.array([0.3, -0.7, 1.1])


def steps(f, x, n):
    """The plain loop."""
    for _ in range(n):
        x = f(x)
    return np.sum(x)


def tape(f, *points):
    """The closed level that holds f's recording."""
    level = Level(True, 0, True)
    with level:
        out = f(*[new_input(level, x) for x in points])
    del out
    return level


# ---- the schedule ------------------------------------------------------------------------------------------------------------

@functools.cache
def fewest(steps, snapshots):
    """The least number of extra steps, by dynamic programming over where the next state is stored."""
    if steps <= 1:
        return 0
    if snapshots == 1:
        return steps * (steps - 1) // 2
    return min(m + fewest(steps - m, snapshots - 1) + fewest(m, snapshots) for m in range(1, steps))


def test_the_formula_is_the_minimum():
    for n in range(1, 61):
        for s in range(1, 13):
            r = next(r for r in range(n + 1) if comb(s + r, s) >= n)
            assert comb(s + r - 1, s) < n
            assert extra_steps(n, s) == r * n - comb(s + r, s + 1) == fewest(n, s)


class Counter:
    """A step that counts its runs, and the arrays it made that are still there."""

    def __init__(self):
        self.plain = self.taped = self.most = 0
        self.alive = weakref.WeakSet()
        self.tapes = []

    def __call__(self, x):
        if isinstance(x, Traced):
            self.taped += 1
            before = top_level([x]).nodes
            y = np.sin(x) * 1.1
            self.tapes.append((before, top_level([y]).nodes))
            return y
        self.plain += 1
        y = (np.sin(x) * 1.1).view(Kept) if isinstance(x, np.ndarray) else np.sin(x) * 1.1
        if isinstance(y, Kept):
            self.alive.add(y)
        self.most = max(self.most, len(self.alive))
        return y


class Kept(np.ndarray):
    """An array that can be watched."""

    __hash__ = object.__hash__


CASES = [(n, s) for n in range(1, 61) for s in range(1, 13)] + [(100, 2), (100, 4), (100, 6), (100, 11)]


def test_extra_steps_are_counted_exactly():
    """Value and gradient together: every step once on a tape, and t(l, s) runs without one, for every (l, s)."""
    for n, s in CASES:
        step = Counter()
        value, gradient = da.value_and_grad(lambda x: checkpoint_sequence(step, x, n, s))(0.7)
        assert (step.plain, step.taped) == (extra_steps(n, s), n), (n, s)
        tangents = da.value_and_grad(lambda x: steps(lambda x: np.sin(x) * 1.1, x, n))(0.7)
        assert (value, gradient) == tangents
    assert [extra_steps(100, s) for s in (2, 4, 6, 11)] == [845, 374, 280, 209]


@pytest.mark.parametrize("n", [1, 2, 5, 10, 33, 60])
@pytest.mark.parametrize("s", [1, 2, 3, 5, 8, 12, 70])
def test_stored_states_never_exceed_the_snapshots(n, s):
    """Live states: the snapshots besides the initial one, and three in work (a step's input and result, the last compared)."""
    step = Counter()
    da.grad(lambda x: np.sum(checkpoint_sequence(step, x, n, s)))(X)
    assert step.plain == extra_steps(n, s)
    assert step.most <= (s - 1) + 3
    assert not step.alive


def test_snapshots_are_used():
    """More room means more states kept and fewer steps: the bound above is not slack."""
    runs = []
    for s in (1, 2, 4, 8):
        step = Counter()
        da.grad(lambda x: np.sum(checkpoint_sequence(step, x, 60, s)))(X)
        runs.append((step.most, step.plain))
    assert [a < b for (a, _), (b, _) in pairwise(runs)] == [True] * 3
    assert [a > b for (_, a), (_, b) in pairwise(runs)] == [True] * 3


def test_one_step_is_on_the_tape_at_a_time():
    step = Counter()
    da.grad(lambda x: np.sum(checkpoint_sequence(step, x, 40, 3)))(X)
    assert len(step.tapes) == 40
    assert len(set(step.tapes)) == 1  # every recording begins on an empty tape and ends after one step
    assert step.tapes[0][1] <= 4
    level = tape(lambda x: checkpoint_sequence(step, x, 40, 3), X)
    assert level.nodes <= 3


def test_a_pullback_called_again_starts_from_the_initial_state():
    step = Counter()
    _, pullback = da.vjp(lambda x: checkpoint_sequence(step, x, 30, 3), 0.7)
    assert step.taped == 1
    first = pullback(1.0)
    assert (step.plain, step.taped) == (extra_steps(30, 3), 30)
    assert pullback(1.0) == first
    assert (step.plain, step.taped) == (2 * extra_steps(30, 3), 60)


def test_forward_mode_repeats_nothing():
    runs = []

    def step(x):
        runs.append(1)
        return np.sin(x)

    da.derivative(lambda x: checkpoint_sequence(step, x, 20, 2))(0.7)
    assert len(runs) == 20
    checkpoint_sequence(step, 0.7, 20, 2)
    assert len(runs) == 40


def test_jacrev_sweeps_all_rows_at_once():
    step = Counter()
    J = da.jacrev(lambda x: checkpoint_sequence(step, x, 12, 3))(X)
    assert (step.plain, step.taped) == (extra_steps(12, 3), 12)
    np.testing.assert_array_equal(J, da.jacrev(lambda x: functools.reduce(lambda x, _: np.sin(x) * 1.1, range(12), x))(X))


# ---- the step's signature, parameters it closes over, bad input --------------------------------------------------------------

def test_the_number_of_the_step():
    powers = lambda x, i: x * np.cos(i + x)
    plain = lambda x: functools.reduce(powers, range(6), x)
    for step in (powers, functools.partial(lambda k, x, i: k * powers(x, i), 1.0)):
        f = lambda x, step=step: checkpoint_sequence(step, x, 6, 2)
        assert f(0.7) == plain(0.7)
        assert da.grad(f)(0.7) == da.grad(plain)(0.7)
        assert da.derivative(da.grad(f))(0.7) == pytest.approx(da.derivative(da.derivative(plain))(0.7), rel=1e-12)
    assert checkpoint_sequence(lambda x, scale=2.0: x * scale, 1.0, 3, 1) == 8.0  # a default is no place for a number
    assert checkpoint_sequence(np.sin, 1.0, 2, 1) == np.sin(np.sin(1.0))


@pytest.mark.parametrize("snapshots", [1, 2, 4])
def test_parameters_of_the_step(snapshots):
    """They get a share from every step; the state itself need not be traced."""
    def f(w, b):
        return np.sum(checkpoint_sequence(lambda x: np.tanh(w @ x + b), X, 8, snapshots))

    def plain(w, b):
        return steps(lambda x: np.tanh(w @ x + b), X, 8)

    for got, want in zip(da.grad(f, (0, 1))(W, X), da.grad(plain, (0, 1))(W, X), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-14, atol=1e-16)
    np.testing.assert_allclose(da.hessian(lambda b: f(W, b))(X), da.hessian(lambda b: plain(W, b))(X), rtol=1e-12, atol=1e-15)


def test_no_step_and_more_snapshots_than_steps():
    assert checkpoint_sequence(np.sin, 0.5, 0, 1) == 0.5
    assert da.grad(lambda x: checkpoint_sequence(np.sin, x, 0, 1))(0.5) == 1.0
    assert da.grad(lambda x: checkpoint_sequence(np.sin, x, 2, 10**9))(0.5) == da.grad(lambda x: np.sin(np.sin(x)))(0.5)
    assert da.grad(lambda x: checkpoint_sequence(np.sin, x, np.int64(2), np.int32(1)))(0.5) != 0.0


@pytest.mark.parametrize(("n", "snapshots", "error", "message"), [
    (-1, 2, ValueError, "n is -1; give at least 0"), (3, 0, ValueError, "snapshots is 0; give at least 1"),
    (2.0, 2, TypeError, r"n is float \(2.0\); give a whole number"), (3, "2", TypeError, "snapshots is str"),
    (True, 2, TypeError, "n is bool"), (3, None, TypeError, "snapshots is NoneType")])
def test_bad_numbers(n, snapshots, error, message):
    with pytest.raises(error, match=message):
        checkpoint_sequence(np.sin, 0.5, n, snapshots)
    with pytest.raises(TypeError, match="checkpoint_sequence takes a function"):
        checkpoint_sequence(0.5, np.sin, 1, 1)


def test_nested_sequences():
    """An inner sequence inside a step of an outer one."""
    def f(x):
        return checkpoint_sequence(lambda y: checkpoint_sequence(lambda z: np.sin(z) + y * 0.1, y, 5, 2) * x, x, 4, 2)

    def plain(x):
        y = x
        for _ in range(4):
            z = y
            for _ in range(5):
                z = np.sin(z) + y * 0.1
            y = z * x
        return y

    assert da.grad(f)(0.8) == pytest.approx(da.grad(plain)(0.8), rel=1e-14)
    assert da.grad(da.grad(f))(0.8) == pytest.approx(da.grad(da.grad(plain))(0.8), rel=1e-13)


# ---- random programs ---------------------------------------------------------------------------------------------------------

OPERATIONS = [lambda x, w: np.sin(x) * w, lambda x, w: x * w + 0.3, lambda x, w: np.exp(-x * x) + w, lambda x, w: np.tanh(x + w),
              lambda x, w: x / (1.5 + w * w)]


def program(rng, depth, wrapped):
    """A random function of x and w: operations, compositions, loops, inner derivatives; `wrapped` says whether pieces of it are
    checkpointed or plain."""
    kind = rng.choice(["operation", "composition", "arguments", "closure", "sequence", "inner"]) if depth else "operation"
    if kind == "operation":
        return rng.choice(OPERATIONS)
    a = program(rng, depth - 1, wrapped)
    if kind == "composition":
        b = program(rng, depth - 1, wrapped)
        return lambda x, w: b(a(x, w), w)
    if kind == "inner":
        transform = rng.choice([da.grad, da.derivative])
        return lambda x, w: transform(lambda y: a(y, w) * y)(x)
    if kind == "sequence":
        n, snapshots = rng.randint(1, 4), rng.randint(1, 3)
        if wrapped:
            return lambda x, w: checkpoint_sequence(lambda x: a(x, w), x, n, snapshots)
        return lambda x, w: functools.reduce(lambda x, _: a(x, w), range(n), x)
    if not wrapped:
        return a
    return (lambda x, w: checkpoint(a)(x, w)) if kind == "arguments" else lambda x, w: checkpoint(lambda x: a(x, w))(x)


@pytest.mark.parametrize("start", range(0, 120, 20))
def test_random_programs(start):
    """First and second derivatives of nested programs, by both variables, in random modes."""
    for seed in range(start, start + 20):
        modes = random.Random(seed + 10**6)
        transforms = [modes.choice([da.grad, da.derivative]) for _ in range(modes.randint(1, 2))]
        for by_x in (True, False):
            found = []
            for wrapped in (True, False):
                h = program(random.Random(seed), 4, wrapped)
                f = (lambda x, h=h: h(x, 0.8)) if by_x else lambda w, h=h: h(0.6, w)
                for transform in transforms:
                    f = transform(f)
                found.append(f(0.6 if by_x else 0.8))
            assert found[0] == pytest.approx(found[1], rel=1e-12, abs=1e-12), (seed, by_x)

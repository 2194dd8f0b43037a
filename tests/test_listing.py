"""What a recording tells about itself: its entries, and its values and gradient on other inputs."""

import math

import numpy as np
import pytest

import dualad as da
from dualad import _core, problems
from dualad.reverse import record


def test_entries_of_scalars():
    """Baydin's example, row by row: names, slots, operands (constants as numbers) and partials."""
    f = lambda a, b: np.log(a) + a * b - 2.0 * np.sin(b)
    recording = record(f, [2.0, 5.0], tuple)
    assert _core.entries(recording.level) == [
        ("input", 0, 1, (1,), (), ()),
        ("input", 1, 1, (1,), (), ()),
        ("log", 2, 1, (), (0,), (0.5,)),
        ("multiply", 3, 1, (), (0, 1), (5.0, 2.0)),
        ("add", 4, 1, (), (2, 3), (1.0, 1.0)),
        ("sin", 5, 1, (), (1,), (math.cos(5.0),)),
        ("multiply", 6, 1, (), (2.0, 5), (math.sin(5.0), 2.0)),
        ("subtract", 7, 1, (), (4, 6), (1.0, -1.0)),
    ]


def test_entries_of_arrays():
    weights = np.array([1.0, 2.0])
    f = lambda x: np.sum(np.where(weights > 1.5, np.tanh(x @ weights), 0.5) * x[[0, 1], [1, 0]])
    recording = record(f, [np.ones((2, 2))], tuple)
    names = [(name, size) for name, slot, size, shape, operands, partials in _core.entries(recording.level)]
    assert names == [("input", 4), ("matmul", 2), ("tanh", 2), ("where", 2), ("pick", 2), ("multiply", 2), ("sum", 1)]
    assert _core.entries(recording.level)[1][4] == (0, None)
    assert _core.entries(recording.level)[4][4] == (1, 2)


def test_entries_of_a_call_and_of_no_tape():
    recording = record(lambda x: np.linalg.det(x), [np.eye(3) * 2.0], tuple)
    assert "call" in [entry[0] for entry in _core.entries(recording.level)]
    with _core.Level(False, 0, True) as forward:
        assert _core.entries(forward) == []


@pytest.mark.parametrize("name", ["rosenbrock", "speelpenning", "horner", "lorenz_rk4", "kepler"])
def test_a_replayed_recording_is_the_function(name):
    """Values bit for bit, gradients to the last digits, at a point the recording has not seen."""
    problem = problems.get(name)
    f, xs = problem.split(problem.make(12, 0))
    flat, structure = da.tree.flatten(xs)
    run = lambda *x: f(*da.tree.unflatten(structure, list(x)))
    recording = record(run, flat, tuple)
    points = [x * 1.01 for x in flat]
    value, gradient = _core.replay_gradient(recording.level, recording.inputs, recording.outputs[0], points)
    assert value == run(*points)
    np.testing.assert_allclose(gradient, da.grad(run, argnums=tuple(range(len(flat))))(*points), rtol=1e-13, atol=1e-13)


def test_replay_refuses_what_it_cannot():
    recording = record(lambda x: np.sum(x * x), [np.ones(3)], tuple)
    with pytest.raises(TypeError, match="scalar operations"):
        _core.replay(recording.level, recording.inputs[:0], [])
    recording = record(lambda a, b: a * b, [2.0, 3.0], tuple)
    with pytest.raises(ValueError, match="as many numbers"):
        _core.replay(recording.level, recording.inputs, [1.0])
    assert recording.inputs[0].primal == 2.0

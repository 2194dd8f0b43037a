"""Which mode: the predictor counts on one recording, jacobian(mode="auto") decides by it, recommend says so.

What is asserted are counts, decisions far from the crossover, and that the two layers agree; never a second.
"""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dualad
from dualad import compare, cost, jacobians, prediction
from dualad.compare.methods import METHODS
from dualad.recommendation import recommend
from dualad.reverse import record


class Counted:
    """A function that counts its runs."""

    def __init__(self, f):
        self.f, self.calls = f, 0

    def __call__(self, *args):
        self.calls += 1
        return self.f(*args)


def planned(f, *leaves):
    recording = record(f, list(leaves), tuple)
    return recording.level, jacobians.plan(recording, leaves)


# ---- how the modes would sweep ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 7, 48, 49, 200, 512, 700])
@pytest.mark.parametrize("jac", ["jacfwd", "jacrev"])
def test_the_planned_sweeps_are_those_that_run(n, jac, monkeypatch):
    f = lambda x: (np.sin(x) * x[0], np.sum(x), 3.0)
    x = np.linspace(0.1, 1.0, n)
    _, (inputs, outputs, forward, reverse, blocks) = planned(f, x)
    assert (inputs, outputs, blocks) == (n, n + 2, 3)
    assert (forward[1], reverse[1]) == (n, n + 1)  # the constant output takes no adjoint
    name = "pushforward" if jac == "jacfwd" else "pull"
    sweeps = Counted(getattr(jacobians, name))
    monkeypatch.setattr(jacobians, name, sweeps)
    getattr(dualad, jac)(f)(x)
    assert sweeps.calls == (forward if jac == "jacfwd" else reverse)[0]


def test_counters_of_a_tape():
    a = np.arange(12.0).reshape(3, 4)
    level, _ = planned(lambda x: np.sin(a @ x) + 1.0, np.ones(4))
    tape = prediction.counters(level, 4)
    assert tape.nonlinear == 3
    assert tape.calls == 0
    assert tape.slots == level.slots - 4 >= 9  # the product, its sines, the sums: three each
    assert tape.products == 12 + 9 + 3 + 3 - tape.slots  # 12 multiplications and 9 additions made 3 numbers
    level, _ = planned(lambda x: np.linalg.det(np.reshape(x, (2, 2))), np.array([2.0, 1.0, 1.0, 3.0]))
    assert prediction.counters(level, 4).calls == 1


sweeps = st.tuples(st.integers(1, 9), st.integers(0, 300), st.integers(0, 300))


@given(sweeps, sweeps, st.integers(0, 50), st.integers(1, 60))
def test_the_short_cut_decides_as_the_whole_formula(forward, reverse, blocks, n):
    """faster() leaves the tape unread where its slots settle the matter: never another answer than that of all counters."""
    x = np.linspace(0.1, 1.0, n)
    level, _ = planned(lambda x: np.outer(np.sin(x), x) @ x, x)
    plan = (n, n, forward, reverse, blocks)
    times = prediction.sweep_times(level, plan)
    back = times[1] + prediction._tie(*forward, reverse[1], blocks)
    if abs(times[0] - back) > 1e-9 * times[0]:
        assert prediction.faster(level, plan) == ("fwd" if times[0] < back else "rev")


@given(st.integers(0, 200), st.integers(0, 200))
def test_one_leaf_in_and_out_is_decided_as_its_plan(n, m):
    x = np.linspace(0.1, 1.0, n)
    recording = record(lambda x: np.sin(np.resize(np.sum(x), m)), [x], tuple)
    assert jacobians._faster(recording, [x]) == prediction.faster(recording.level, jacobians.plan(recording, [x]))


def test_more_of_anything_costs_more():
    tape = prediction.Counters(100, 50, 10, 2)
    for constants in (prediction.FORWARD, prediction.REVERSE):
        base = prediction.sweep_time(constants, tape, (2, 60, 9), 3)
        for field in ("slots", "products", "calls"):
            assert prediction.sweep_time(constants, tape._replace(**{field: 1000}), (2, 60, 9), 3) > base
        for sweeps, blocks in (((3, 60, 9), 3), ((2, 61, 9), 3), ((2, 60, 10), 3), ((2, 60, 9), 4)):
            assert prediction.sweep_time(constants, tape, sweeps, blocks) > base


def test_the_page_prints_the_constants_in_use():
    page = (Path(__file__).resolve().parent.parent / "docs" / "which-mode.md").read_text(encoding="utf-8")
    printed = [tuple(map(float, row)) for row in re.findall(r"^\|[^|\n]*\| ([\d.]+) \| ([\d.]+) \|$", page, re.MULTILINE)]
    assert sorted(printed) == sorted(zip(prediction.FORWARD, prediction.REVERSE, strict=True))


# ---- jacobian(mode="auto") -------------------------------------------------------------------------------------------

A = np.random.default_rng(0).normal(size=(400, 400)) / 20
FAR = [
    (lambda x: np.sum(np.sin(x) * x), np.ones(400), "rev"),
    (lambda x: np.tanh(A[:, :4] @ x), np.ones(4), "fwd"),
    (lambda x: np.tanh(A[:4] @ x), np.ones(400), "rev"),
    (lambda x: [x[0] * float(i) for i in range(50)], np.ones(20), "fwd"),  # 50 outputs of their own: 50 sweeps back, one forward
    (lambda x: np.stack([x[0] * float(i) for i in range(20)]), np.ones(400), "rev"),
    (lambda x: np.linalg.det(np.reshape(x, (20, 20))), (A[:20, :20] + np.eye(20)).ravel(), "rev"),
]


@pytest.mark.parametrize(("f", "x", "mode"), FAR)
def test_far_from_the_crossover_the_mode_is_plain(f, x, mode):
    f = Counted(f)
    jac = dualad.jacobian(f)
    got = jac(x)
    assert f.calls == 1  # decided after the recording that both modes need
    assert jac.why(x).startswith(f"{mode}: {x.size} inputs, ")
    want = dualad.jacobian(f, mode="rev" if mode == "fwd" else "fwd")(x)
    np.testing.assert_allclose(np.asarray(got), np.asarray(want), rtol=1e-9, atol=1e-12)


def test_off_the_tape_of_floats_sweeps_are_compared():
    x = np.ones(200, np.float32)
    few, many = dualad.jacobian(lambda x: np.sum(x * x)), dualad.jacobian(lambda x: np.outer(x[:2], x))
    assert few.why(x).startswith("rev: 200 inputs, 1 output: 1 adjoint in 1 sweep is ")
    assert many.why(x[:100]).startswith("fwd: 100 inputs, 200 outputs")
    assert few(x).dtype == np.float32
    inner = lambda s: dualad.jacobian(lambda x: np.stack([x[0] * x[1] * s, x[1]]))(np.array([2.0, 3.0]))[0, 0]
    assert dualad.derivative(inner)(1.0) == 3.0


def test_sizes_of_nothing():
    for x, f in ((np.ones(0), lambda x: np.sum(x) + x), (np.ones(3), lambda x: x[:0])):
        assert dualad.jacobian(f)(x).shape == (0, x.size)
    assert dualad.jacobian(lambda x: 3.0)(np.ones(2)).tolist() == [0.0, 0.0]
    assert recommend(lambda x: x[:0], np.ones(3)).reverse.operations == 0


# ---- recommend -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("f", "x", "mode"), FAR)
def test_recommend_and_jacobian_agree(f, x, mode):
    advice = dualad.recommend(f, x)
    assert advice.mode == {"fwd": "forward", "rev": "reverse"}[mode]
    assert dualad.jacobian(f).why(x) == f"{mode}: {advice.reason}"
    cheaper, other = (advice.forward, advice.reverse) if mode == "fwd" else (advice.reverse, advice.forward)
    assert 0 < cheaper.time < other.time


def test_the_counted_layer_is_that_of_the_comparison():
    f, x = (lambda x: np.tanh(A[:3, :5] @ x) * x[0]), np.ones(5)
    advice, ops = recommend(f, x), compare.count(f, x)
    assert (advice.inputs, advice.outputs, advice.value) == (5, 3, ops)
    assert advice.forward.operations == METHODS["forward"].price(5, 3, 1, ops, ops)
    assert advice.reverse.operations == METHODS["reverse"].price(5, 3, 1, ops, ops)
    flops = cost.Weights(moves=0)
    assert recommend(f, x, weights=flops).reverse.operations == METHODS["reverse"].price(5, 3, 1, ops, ops, flops)


def test_memory_is_the_recording_one_chunk_and_the_result():
    f, x = (lambda x: np.sum(np.sin(x))), np.ones(1000)
    recording = record(f, [x], tuple)
    level, advice = recording.level, recommend(f, x)
    assert advice.forward.memory == level.nbytes + 128 * level.slots * 8 + 8000
    assert advice.reverse.memory == level.nbytes + level.slots * 8 + 8000


def test_recommend_takes_several_arguments_and_runs_f_once():
    f = Counted(lambda a, p: np.sum(a) * p["x"] ** 2)
    advice = recommend(f, np.ones(3), {"x": 2.0}, argnums=(0, 1))
    assert f.calls == 1
    assert (advice.inputs, advice.outputs) == (4, 1)


def test_it_prints_the_reason_a_table_and_the_prices():
    lines = str(recommend(lambda x: np.sum(x * x), np.ones(1000))).splitlines()
    assert lines[0].startswith("reverse: 1000 inputs, 1 output: 1 adjoint in 1 sweep is predicted to take 0.0")
    assert lines[1].split() == ["operations", "of", "one", "value", "predicted", "time", "memory"]
    assert [line.split()[0] for line in lines[2:4]] == ["forward", "reverse"]
    assert lines[4] == "prices: move 1, add 1, multiply 1, nonlinear 2"
    calls = str(recommend(lambda x: np.linalg.det(np.reshape(x, (2, 2))), np.array([2.0, 1.0, 1.0, 3.0])))
    assert "not counted: 1 call of Python rules" in calls


@pytest.mark.parametrize("mode", ["fwd", "rev"])
def test_the_sentence_has_a_verb_that_fits(mode):
    for n, m in ((1, 1), (1, 2), (2, 1), (2, 2)):
        sentence = prediction.phrase(mode, (n, m, (1, n, 2), (1, m, 2), 1), (2.0, 4.0))
        number = n if mode == "fwd" else m
        assert (" is predicted" in sentence) == (number == 1)
        assert ("take 0.5 of" if mode == "fwd" else "take about the time of") in sentence


def test_bad_input_is_one_line():
    for call, error, words in (
        (lambda: recommend(3.0, 1.0), TypeError, "recommend takes a function"),
        (lambda: recommend(lambda x: x, 1), TypeError, "integer"),
        (lambda: recommend(lambda x: x), ValueError, "argnums 0"),
        (lambda: recommend(lambda x: x, np.ones(2, np.float32)), TypeError, "astype"),
        (lambda: dualad.grad(lambda x: x * recommend(lambda t: t * x, 1.0).inputs)(2.0), TypeError, "outside of grad"),
    ):
        with pytest.raises(error, match=words) as caught:
            call()
        assert "\n" not in str(caught.value)


def test_a_tie_goes_to_the_mode_with_fewer_operations():
    """One number to three: reverse was advised for 0.99 of the time, with three times the operations."""
    advice = recommend(lambda t: np.stack([np.sin(t), np.cos(t), t * t]), 0.5)
    assert advice.mode == "forward"
    assert advice.forward.operations < advice.reverse.operations
    assert dualad.jacobian(lambda t: [t * 2.0, t * 3.0]).why(0.5).startswith("fwd")

"""The experiment "memory": the tape grows by the same entries each step, forward mode does not grow."""

import json
import sys
import tracemalloc
from itertools import pairwise

import numpy as np
import pytest

from dualad import compare
from dualad.checkpointing import extra_steps
from dualad.compare.command import main
from dualad.compare.live import allen_cahn, check_tape, start
from dualad.compare.methods import DisagreementError
from dualad.reverse import record

module = sys.modules["dualad.compare.memory"]


@pytest.fixture(scope="module")
def result():
    return compare.memory((1, 2, 4, 8, 16, 32, 64), size=32)


def test_tape_entries_are_exact(result):
    """An entry for each array operation of a step: what a recording made here has, no more and no less."""
    one, two = (record(lambda u, d=d: [u := allen_cahn(u) for _ in range(d)][-1], [start(32, 0)], tuple).level for d in (1, 2))
    a_step = two.nodes - one.nodes
    assert [b.entries - a.entries for a, b in pairwise(result.rows)] == [a_step * d for d in (1, 2, 4, 8, 16, 32)]
    assert all(row.adjoint_bytes < row.tape_bytes for row in result.rows)


def test_bytes_of_the_tape_are_linear(result):
    grown = [(b.reverse_bytes - a.reverse_bytes) / (b.depth - a.depth) for a, b in pairwise(result.rows)]
    np.testing.assert_allclose(grown, grown[-1], rtol=0.01)
    assert result.slope("reverse_bytes") == pytest.approx(1.0, abs=0.02)


def test_forward_mode_and_the_value_do_not_grow(result):
    for name in ("forward_bytes", "value_bytes"):
        assert result.slope(name) == pytest.approx(0.0, abs=0.1)
    last = result.rows[-1]
    assert last.value_bytes < last.forward_bytes < last.reverse_bytes / 20


def test_tangents_double_the_arrays():
    """With states that are large against Python's objects, forward holds about twice what the value holds."""
    row = compare.memory([8], size=4096).rows[0]
    assert 1.5 <= row.forward_bytes / row.value_bytes <= 4.0


def test_the_binomial_schedule_does_not_grow_but_repeats(result):
    assert result.slope("checkpoint_bytes") == pytest.approx(0.0, abs=0.02)
    assert [row.checkpoint_extra for row in result.rows] == [extra_steps(row.depth, 4) for row in result.rows]


def test_the_measure_sees_a_peak():
    held = []

    def call():
        held.append(np.ones(100_000))
        held.clear()

    assert 800_000 <= module._peak(call) <= 850_000
    tracemalloc.start()
    try:
        assert 800_000 <= module._peak(call) <= 850_000
        assert tracemalloc.is_tracing()  # whoever traces goes on tracing
    finally:
        tracemalloc.stop()


def test_disagreement_is_refused(monkeypatch):
    monkeypatch.setattr(module, "jvp", lambda f, x, dx: (f(*x), 0.0))
    with pytest.raises(DisagreementError, match="at depth 2 forward and reverse mode disagree"):
        compare.memory([2], size=4, count_only=True)


# ---- outputs -----------------------------------------------------------------------------------------------------------------

def test_counts_are_the_same_on_every_machine(tmp_path):
    first, second = (compare.memory([1, 3, 9], size=8, count_only=True) for _ in range(2))
    assert first.to_json(tmp_path / "r.json") == second.to_json()
    assert compare.load(tmp_path / "r.json") == first
    assert not first.timed
    assert first.rows[0].forward_bytes is None
    assert [c.role for c in first.figures()[0].curves] == ["reverse", "binomial"]
    assert len(first.tables()[0].header) == 6


def test_tables_figures_and_reading(result, tmp_path):
    (table,), (figure,) = result.tables(), result.figures()
    assert [row[0] for row in table.rows] == [1, 2, 4, 8, 16, 32, 64]
    assert [c.role for c in figure.curves] == ["reverse", "binomial", "forward", "value"]
    assert figure.alt.startswith("Log-log plot of live bytes")
    reading = " ".join(result.reading())
    assert "entries" in reading
    assert "whatever the depth" in reading
    result.to_json(tmp_path / "r.json")
    assert compare.load(tmp_path / "r.json") == result
    assert result.to_csv().splitlines()[0].startswith("depth,entries,tape_bytes")


def test_one_depth():
    r = compare.memory([3], size=4, count_only=True)
    assert r.figures() == ()
    assert r.slope("reverse_bytes") is None
    assert str(r)


def test_command_line(tmp_path):
    out = tmp_path / "r.json"
    assert main(["memory", "--at", "1,2", "--size", "4", "--snapshots", "2", "--count-only", "--out", str(out)]) == 0
    assert [row["depth"] for row in json.loads(out.read_text())["rows"]] == [1, 2]


@pytest.mark.parametrize(("arguments", "message"), [
    ({"at": []}, "sizes must be"), ({"at": [2, 1]}, "increase"), ({"size": 0}, "size and snapshots"),
    ({"snapshots": 0}, "snapshots"), ({"seed": -1}, "seed"), ({"at": [10**6]}, "choose smaller sizes"),
    ({"at": [5000], "size": 1, "snapshots": 1}, "give more snapshots")])
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        compare.memory(**arguments, count_only=True)


def test_the_bound_on_memory_is_that_of_the_tape():
    level = record(allen_cahn, [start(100, 0)], tuple).level
    assert level.slots == pytest.approx(56 * 100, rel=0.01)
    check_tape(5000, 100)
    with pytest.raises(ValueError, match="holds 56000000 numbers"):
        check_tape(10_000, 100)

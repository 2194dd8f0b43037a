"""The experiment "checkpoint": counted steps equal the formula, bytes are the tapes' own, the pictures say what the rows say."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest

import dualad
from dualad import compare
from dualad.checkpointing import extra_steps
from dualad.compare import live
from dualad.compare.clock import Timing
from dualad.compare.command import main
from dualad.compare.live import Meter, allen_cahn, footprint
from dualad.compare.methods import DisagreementError
from dualad.reverse import record

module = sys.modules["dualad.compare.checkpoint"]


@pytest.fixture(scope="module")
def result():
    return compare.checkpoint(snapshots=[1, 2, 4, 6, 11, 99], size=16, count_only=True)


@pytest.fixture(scope="module")
def timed():
    return compare.checkpoint(12, [2, 3], size=4, repeats=1)


def test_extra_steps_of_the_specification(result):
    """100 steps: 845, 374, 280, 209 extra at 2, 4, 6, 11 snapshots; from the first stored state alone l (l - 1) / 2."""
    assert {row.snapshots: row.extra for row in result.binomial()} == {1: 4950, 2: 845, 4: 374, 6: 280, 11: 209, 99: 99}
    assert all(row.extra == row.least == extra_steps(100, row.snapshots) for row in result.binomial())
    assert (result.row("store all").extra, result.row("sqrt").extra) == (0, 100)
    assert all(row.taped == 100 for row in result.rows)


def test_live_states_are_bounded_by_the_snapshots(result):
    """Besides the initial state (on the tape): s - 1 stored ones and up to three in work."""
    for row in result.binomial():
        assert min(row.snapshots, 98) - 1 <= row.states <= row.snapshots - 1 + 3
        assert row.state_bytes == row.states * 16 * 8
    assert result.row("sqrt").states <= 10 + 2


def test_live_tapes(result):
    """All on one tape; a block of ten; a single step: by the counters of recordings made here."""
    def tape(steps):
        def f(u):
            for _ in range(steps):
                u = allen_cahn(u)
            return u

        return footprint(record(f, [live.start(16, 0)], tuple).level)

    one, ten, every = tape(1), tape(10), tape(100)
    assert result.row("store all").tape_bytes == result.row("store all").total == pytest.approx(every, abs=300)
    outer = 12 * 16 * 16  # the outer tape: states at the ends of blocks with their adjoints
    assert ten <= result.row("sqrt").tape_bytes <= ten + outer + 2000
    for row in result.binomial():
        assert one <= row.tape_bytes <= one + outer + 2000
        assert row.total <= row.tape_bytes + row.state_bytes
    assert every > 90 * one


def test_more_snapshots_are_more_memory_and_fewer_steps(result):
    rows = result.binomial()
    assert sorted(rows, key=lambda r: r.total) == list(rows) == sorted(rows, key=lambda r: -r.extra)


def test_growth_with_the_length():
    """Store all as l, blocks as sqrt(l), the schedule not at all (with s fixed)."""
    short, long = (compare.checkpoint(l, [5], size=8, count_only=True) for l in (64, 256))
    assert long.row("store all").total / short.row("store all").total == pytest.approx(4, rel=0.02)
    assert long.row("sqrt").total / short.row("sqrt").total == pytest.approx(2, rel=0.05)
    assert long.row("binomial").total == pytest.approx(short.row("binomial").total, rel=0.02)


def test_the_meter_counts_what_is_alive():
    step = Meter(lambda x: x * 1.0)
    x = np.ones(10)
    kept = [step(x) for _ in range(5)]
    del kept[1:3]
    kept.append(step(x))
    assert (step.plain, step.states, step.state_bytes) == (6, 5, 400)
    kept.clear()
    step.states = 0
    kept.append(step(x))
    assert step.states == 1


def test_a_wrong_gradient_is_refused(monkeypatch):
    monkeypatch.setattr(module, "checkpoint_sequence", lambda step, state, n, snapshots: state * 1.0)
    with pytest.raises(DisagreementError, match="binomial with 2 snapshots and of the plain loop disagree"):
        compare.checkpoint(8, [2], size=4, count_only=True)


def test_a_schedule_that_repeats_too_much_is_named(monkeypatch):
    """The reading does not claim what the rows do not show."""
    monkeypatch.setattr(module, "extra_steps", lambda steps, snapshots: 5)
    r = compare.checkpoint(8, [2, 3], size=4, count_only=True)
    assert "NOT the number" in " ".join(r.reading())
    assert "off the line" in r.figures()[-1].caption


# ---- outputs -----------------------------------------------------------------------------------------------------------------

def test_the_same_on_every_machine(result):
    again = compare.checkpoint(snapshots=[1, 2, 4, 6, 11, 99], size=16, count_only=True)
    assert again.to_json() == result.to_json()
    assert not result.timed
    assert not result.environment


def test_saved_and_loaded(result, timed, tmp_path):
    for r in (result, timed):
        r.to_json(tmp_path / "r.json")
        assert compare.load(tmp_path / "r.json") == r
    assert isinstance(compare.load(tmp_path / "r.json").rows[0].seconds["gradient"], Timing)
    assert timed.timed
    assert "processor" in timed.environment


def test_settings_run_it_again(result):
    settings = {k: v for k, v in result.settings.items() if k != "repeats"}
    assert compare.checkpoint(**settings).rows == result.rows


def test_tables_figures_and_reading(result, timed):
    (table,) = result.tables()
    assert [row[2] for row in table.rows] == [0, 100, 4950, 845, 374, 280, 209, 99]
    frontier, schedule = result.figures()
    assert frontier.name == "checkpoint-frontier"
    assert [c.label for c in frontier.curves] == ["binomial", "blocks of sqrt(l)", "store all"]
    line, counted = schedule.curves
    assert all(dict(zip(line.x, line.y, strict=True))[x] == y for x, y in zip(counted.x, counted.y, strict=True))
    assert "on the line, every one" in schedule.caption
    assert "374 for s = 4" in " ".join(result.reading())
    assert result.reading()[-1].startswith("What you see: ")
    clock = timed.figures()[0]
    assert clock.name == "checkpoint-time"
    assert clock.curves[0].low is not None
    assert "each extra step costs" in clock.caption
    assert "times the steps alone" in str(timed)
    assert re.search(r", [\d.]+ at s = ", " ".join(timed.reading()))


def test_one_number_of_snapshots():
    r = compare.checkpoint(9, [3], size=4, count_only=True)
    assert [f.name for f in r.figures()] == ["checkpoint-frontier", "checkpoint-schedule"]
    assert str(r)


def test_command_line(tmp_path, capsys):
    out = tmp_path / "r.json"
    code = main(["checkpoint", "--steps", "10", "--snapshots", "2,3", "--size", "4", "--count-only", "--out", str(out)])
    assert code == 0
    assert json.loads(out.read_text())["rows"][2]["extra"] == extra_steps(10, 2) == 20
    assert "binomial" in capsys.readouterr().out


@pytest.mark.parametrize(("arguments", "message"), [
    ({"steps": 1}, "steps must be at least 2"), ({"size": 0}, "size and repeats 1"), ({"seed": -1}, "seed 0"),
    ({"snapshots": []}, "sizes must be"), ({"snapshots": [3, 2]}, "increase"), ({"repeats": 0}, "repeats"),
    ({"steps": 10**6}, "choose smaller sizes"), ({"steps": 3000, "snapshots": [1], "size": 1}, "give more snapshots")])
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        compare.checkpoint(**arguments, count_only=True)


def test_bad_command_line_writes_nothing(tmp_path):
    out = tmp_path / "r.html"
    done = subprocess.run([sys.executable, "-P", "-m", "dualad.compare", "checkpoint", "--snapshots", "zero", "--out", str(out)],
                          capture_output=True, text=True)
    assert done.returncode == 2
    assert "zero" in done.stderr
    assert not list(tmp_path.iterdir())


def test_the_program_of_the_experiment(monkeypatch):
    """The step is Runge's and Kutta's: half the step leaves a sixteenth of the error (where u is constant, u' = u - u^3)."""
    u0, errors = 0.3, []
    exact = u0 * np.e / np.sqrt(1.0 + u0**2 * (np.e**2 - 1.0))
    for steps in (10, 20):
        monkeypatch.setattr(live, "STEP", 1.0 / steps)
        u = np.full(5, u0)
        for _ in range(steps):
            u = allen_cahn(u)
        errors.append(np.max(np.abs(u - exact)))
    assert errors[0] / errors[1] == pytest.approx(16, rel=0.1)
    dualad.check_grads(lambda u: np.sum(allen_cahn(u) ** 2), (np.linspace(-1, 1, 6),), order=2)

"""One function in three spellings: equal answers, equal counts, and the two parts of a time read off a line."""

import dataclasses
import sys

import numpy as np
import pytest

from dualad import compare
from dualad.compare.clock import Timing
from dualad.compare.command import main
from dualad.compare.methods import DisagreementError
from dualad.compare.overhead import FUNCTIONS, WAYS, calls_of


@pytest.fixture(scope="module")
def result():
    return compare.overhead([2, 8, 32, 128], count_only=True)


def timed(result, lines):
    """The result as if each way had taken fixed + each * operations seconds."""
    rows = []
    for row in result.rows:
        seconds = {}
        for way in WAYS:
            fixed, each = lines[way]
            t = fixed + each * row.operations
            seconds[way] = Timing(t, t, 0.9 * t, 1.1 * t)
        rows.append(dataclasses.replace(row, seconds=seconds))
    return dataclasses.replace(result, rows=tuple(rows), environment={"python": "3"})


LINES = {"loop": (1e-7, 2e-8), "numpy": (4e-6, 5e-10), "replay": (0.0, 4e-9), "loop gradient": (2e-6, 3e-8),
         "numpy gradient": (5e-6, 1e-9), "replay gradient": (5e-8, 8e-9)}  # fmt: skip


def test_counts_by_hand(result):
    """Rosenbrock's loop, n - 1 times: three squares, a product, four sums; the sum of an array saves the addition to 0."""
    for row in result.rows:
        steps = row.n - 1
        assert row.loop == compare.Operations(add=4 * steps, mult=steps, nonlinear=3 * steps)
        assert row.operations == 8 * steps
        assert row.vectorised.add == row.loop.add - 1
        assert row.vectorised.mult + row.vectorised.nonlinear == row.loop.mult + row.loop.nonlinear


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_spellings_are_one_function(name):
    pair = FUNCTIONS[name]
    x = np.random.default_rng(3).uniform(0.5, 1.5, 9)
    calls = calls_of(pair, x)
    assert set(calls) == set(WAYS)
    assert pair.plain(x.tolist()) == pytest.approx(pair.vectorised(x), rel=1e-13)
    value, gradient = calls["replay gradient"]()
    assert value == pytest.approx(pair.plain(x.tolist()), rel=1e-15)
    h = 1e-6
    for i in range(9):
        above, below = x.copy(), x.copy()
        above[i] += h
        below[i] -= h
        slope = (pair.vectorised(above) - pair.vectorised(below)) / (2 * h)
        assert gradient[i] == pytest.approx(slope, rel=1e-6, abs=1e-6)


def test_fixed_and_each_are_read_off_the_times(result):
    r = timed(result, LINES)
    for way, (fixed, each) in LINES.items():
        assert r.line(way) == pytest.approx((fixed, each), rel=1e-9, abs=1e-18)
    assert r.crossing("loop", "numpy") == pytest.approx((4e-6 - 1e-7) / (2e-8 - 5e-10))
    assert r.crossing("loop", "replay") is None
    text = " ".join(r.reading())
    assert "Python spends 20 ns on an operation, NumPy 0.5 ns and 4 us before the first, a replayed recording 4 ns" in text
    assert "up to about 200 operations" in text


def test_no_part_of_a_time_is_negative(result):
    """Times that fall, or grow faster than the operations, give a line with one part at zero."""
    r = timed(result, {**LINES, "loop": (-1e-8, 2e-8), "numpy": (4e-6, -1e-9)})
    assert r.line("loop")[0] == 0.0
    assert r.line("loop")[1] > 0
    assert r.line("numpy")[1] == 0.0
    assert r.line("numpy")[0] > 0


def test_figures_show_each_way(result):
    r = timed(result, LINES)
    value, gradient = r.figures()
    assert [curve.label for curve in value.curves] == [WAYS[way] for way in ("loop", "numpy", "replay")]
    assert value.curves[2].y == pytest.approx([4.0] * 4)
    assert value.curves[0].low == pytest.approx([0.9 * y for y in value.curves[0].y])
    assert len(value.marks) == 1
    assert 2 < value.marks[0].x < 128
    assert "4 ns an operation" in value.caption
    assert "8 ns an operation" in gradient.caption
    assert result.figures() == ()


def test_one_size_has_no_fixed_part():
    r = timed(compare.overhead([4], count_only=True), LINES)
    assert r.line("replay") == (0.0, pytest.approx(4e-9))
    assert r.figures() == ()
    assert str(r)


def test_a_measured_run(tmp_path):
    r = compare.overhead([2, 8], function="logsumexp", repeats=1)
    assert r.timed
    assert r.environment
    assert all(set(row.seconds) == set(WAYS) for row in r.rows)
    assert all(min(r.line(way)) >= 0 for way in WAYS)
    r.to_json(tmp_path / "r.json")
    assert compare.load(tmp_path / "r.json") == r


@pytest.mark.parametrize("way", ["replay gradient", "loop gradient", "numpy gradient", "numpy"])
def test_another_answer_is_refused(monkeypatch, way):
    module = sys.modules["dualad.compare.overhead"]
    right = module.calls_of

    def wrong(pair, x):
        calls = right(pair, x)
        original = calls[way]
        if way == "replay gradient":
            calls[way] = lambda: (original()[0], [1.001 * g for g in original()[1]])
        else:
            calls[way] = lambda: 1.001 * np.asarray(original())
        return calls

    monkeypatch.setattr(module, "calls_of", wrong)
    with pytest.raises(DisagreementError, match=r"at n = 4: .* disagree by"):
        compare.overhead([4], count_only=True)


def test_replay_is_at_another_point_than_the_recording(monkeypatch):
    """A replay that did nothing would be found out."""
    module = sys.modules["dualad.compare.overhead"]
    right, recorded = module.record, []
    monkeypatch.setattr(module, "record", lambda f, leaves, call: recorded.extend(leaves) or right(f, leaves, call))
    x = np.array([0.5, 1.0])
    assert module.calls_of(FUNCTIONS["sum_sin_exp"], x)["replay gradient"]()[0] == FUNCTIONS["sum_sin_exp"].plain(x.tolist())
    assert not set(recorded) & set(x.tolist())


@pytest.mark.parametrize(("arguments", "words"), [
    ({"function": "sin"}, "no function 'sin'"), ({"at": [1]}, "at least 2"), ({"at": []}, "at least one"),
    ({"at": [10**6]}, "at most 100000"), ({"repeats": 0}, "repeats"), ({"seed": -1}, "seed"),
])  # fmt: skip
def test_bad_input(arguments, words):
    with pytest.raises(ValueError, match=words):
        compare.overhead(**arguments)


def test_saved_and_run_again(result, tmp_path):
    result.to_json(tmp_path / "r.json")
    assert compare.load(tmp_path / "r.json") == result
    assert compare.overhead(**result.settings) == result


def test_command_line(capsys):
    assert main(["overhead", "--at", "2,4", "--count-only"]) == 0
    assert "overhead is what a count does not show" in capsys.readouterr().out
    assert main(["overhead", "--at", "1"]) == 2

"""Chunks of tangents: every chunk gives the same Jacobian, sweeps and bytes are counted, best and knee follow from the times."""

import dataclasses
import sys

import numpy as np
import pytest

import dualad
from dualad import compare
from dualad.compare.chunk import WAYS, caches, chunked
from dualad.compare.clock import Timing
from dualad.compare.command import main
from dualad.compare.families import FAMILIES
from dualad.compare.methods import DisagreementError
from dualad.cost import Weights


@pytest.fixture(scope="module")
def result():
    return compare.chunk([1, 2, 8, 32, 64], n=32, m=16, count_only=True)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("k", [1, 2, 3, 5, 7, 50])
def test_every_chunk_gives_the_jacobian(way, k):
    """Chunks that do not divide n or m, and larger ones, too."""
    a = np.random.default_rng(0).normal(size=(5, 7))
    f = lambda x: np.tanh(a @ x) * np.sum(x)
    x = np.linspace(0.1, 0.7, 7)
    np.testing.assert_allclose(chunked(way, f, x, k), dualad.jacobian(f)(x), rtol=1e-13, atol=1e-15)
    f = lambda x: np.sum(np.sin(x))
    np.testing.assert_allclose(chunked(way, f, x, k), np.cos(x)[None], rtol=1e-15)


def test_f_runs_once_for_a_recording_and_once_a_chunk_for_duals():
    runs = []

    def f(x):
        runs.append(0)
        return np.sin(x)

    for way, expected in (("forward", 1), ("duals", 4), ("reverse", 1)):
        runs.clear()
        chunked(way, f, np.ones(10), 3)
        assert len(runs) == expected


def test_counts(result):
    """sweeps = ceil(total / k), bytes = 8 k slots, duals pay f again for every chunk."""
    assert [row.k for row in result.rows] == [1, 2, 8, 32]
    assert result.notes == ("k = 64: there are 32 tangents only",)
    operations = compare.count(*_dense_of(result))
    assert result.value == operations.value()
    tangents = 32 * (operations.tangent() - operations.value())
    adjoints = 16 * (operations.gradient() - operations.value())
    for row in result.rows:
        assert row.sweeps == {"forward": -(-32 // row.k), "duals": -(-32 // row.k), "reverse": -(-16 // row.k)}
        assert row.bytes == 8 * result.slots * row.k
        assert row.counted["forward"] == operations.value() + tangents
        assert row.counted["duals"] == row.sweeps["duals"] * operations.value() + tangents
        assert row.counted["reverse"] == operations.value() + adjoints


def _dense_of(result):
    f, x, _ = FAMILIES[result.settings["family"]].make(result.n, result.m, result.settings["depth"], 0)
    return f, x


def timed(result, times):
    """The result as if these had been the times: {way: a time a row}; f takes a second."""
    stamp = lambda seconds: Timing(seconds, seconds, 0.9 * seconds, 1.1 * seconds)
    rows = tuple(dataclasses.replace(row, seconds={"value": stamp(1.0), **{way: stamp(t[i]) for way, t in times.items()}})
                 for i, row in enumerate(result.rows))
    return dataclasses.replace(result, rows=rows, caches={"L1": 8 * result.slots * 4, "L2": 8 * result.slots * 1000},
                               environment={"python": "3"})


def test_best_knee_and_caches_follow_from_the_times(result):
    times = {"forward": [320.0, 90.0, 64.0, 128.0], "duals": [320.0, 160.0, 86.0, 80.0], "reverse": [16.0, 16.0, 8.0, 8.5]}
    r = timed(result, times)
    assert r.each("forward") == (10.0, 90 / 32, 2.0, 4.0)
    assert r.each("reverse") == (1.0, 1.0, 0.5, 8.5 / 16)
    assert [r.best(way) for way in r.ways] == [8, 32, 8]
    assert [r.knee(way) for way in r.ways] == [8, 8, 8]  # duals: 86 is within a tenth of 80
    assert r.fits() == {"L1": 4.0, "L2": 1000.0}
    text = " ".join(r.reading())
    assert "at k = 1,000" in text
    large = " ".join(dataclasses.replace(r, caches={"L3": 8 * r.slots * 14876}).reading())
    assert "at k = 14,900" in large
    assert "5 times faster in chunks of 8" in text
    assert "at 32 it is 2 times slower again" in text
    assert "jacfwd takes 32 at a time here; k = 32 is within 100 % of the best" in text
    measured, counted = r.figures()
    assert [(mark.x, mark.text.split()[0]) for mark in measured.marks] == [(4.0, "L1")]  # L2 lies beyond the picture
    assert counted.marks == ()
    assert measured.curves[0].low[0] == pytest.approx(9.0)
    assert "2 at best, at k = 8" in measured.caption


def test_a_measured_run(tmp_path):
    r = compare.chunk([1, 4], n=8, m=4, family="dense", repeats=1)
    assert r.timed
    assert r.environment
    assert all(set(row.seconds) == {"value", *WAYS} for row in r.rows)
    assert all(row.seconds[way].median > 0 for row in r.rows for way in WAYS)
    r.to_json(tmp_path / "r.json")
    assert compare.load(tmp_path / "r.json") == r
    assert str(r)


def test_one_output_has_no_chunks_of_adjoints():
    r = compare.chunk([1, 4], n=8, family="rosenbrock", count_only=True)
    assert r.ways == ("forward", "duals")
    assert r.m == 1


def test_caches_are_read_from_files(tmp_path):
    for index, (level, kind, size) in enumerate([("1", "Data", "48K"), ("1", "Instruction", "64K"), ("2", "Unified", "2M"),
                                                 ("3", "Unified", "what"), ("4", "Unified", "1G")]):  # fmt: skip
        folder = tmp_path / f"index{index}"
        folder.mkdir()
        for name, text in (("level", level), ("type", kind), ("size", size)):
            (folder / name).write_text(f"{text}\n", encoding="ascii")
    (tmp_path / "index9").mkdir()
    assert caches(str(tmp_path)) == {"L1": 48 << 10, "L2": 2 << 20, "L4": 1 << 30}


@pytest.mark.parametrize("way", ["pull", "pushforward", "push"])
def test_a_wrong_jacobian_is_refused(monkeypatch, way):
    module = sys.modules["dualad.compare.chunk"]
    right = getattr(module, way)

    def wrong(*args, **kwargs):
        found = right(*args, **kwargs)
        return [1.001 * t for t in found] if way != "push" else (found[0], [1.001 * t for t in found[1]], found[2])

    monkeypatch.setattr(module, way, wrong)
    with pytest.raises(DisagreementError, match="in chunks of 2 and jacfwd disagree"):
        compare.chunk([2], n=4, count_only=True)


@pytest.mark.parametrize(("arguments", "words"), [
    ({"family": "sparse"}, "no family"), ({"at": [64], "n": 8}, "larger than the 8"), ({"at": []}, "at least one"),
    ({"family": "rosenbrock", "m": 2}, "one output"), ({"family": "rosenbrock", "n": 1}, "no function of 1 inputs"),
    ({"family": "lorenz", "n": 7}, "n is at most 6"), ({"n": 10**5, "m": 100}, "choose smaller"), ({"repeats": 0}, "repeats"),
    ({"m": 0}, "no function"),
])  # fmt: skip
def test_bad_input(arguments, words):
    with pytest.raises(ValueError, match=words):
        compare.chunk(**arguments)


def test_saved_and_run_again(result, tmp_path):
    result.to_json(tmp_path / "r.json")
    assert compare.load(tmp_path / "r.json") == result
    settings = {**result.settings, "weights": Weights(**result.settings["weights"])}
    assert compare.chunk(**settings).rows == result.rows


def test_command_line(capsys):
    assert main(["chunk", "--at", "1:8:x2", "--n", "8", "--count-only"]) == 0
    assert "travel together" in capsys.readouterr().out
    assert main(["chunk", "--n", "0"]) == 2

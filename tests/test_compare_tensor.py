"""The tensor dz/dW of a layer against the product that avoids it: shapes, counts by hand, growth."""

import sys
from itertools import pairwise

import numpy as np
import pytest

import dualad
from dualad import compare
from dualad.compare.command import main
from dualad.compare.methods import DisagreementError


@pytest.fixture(scope="module")
def result():
    return compare.tensor()


def test_words_have_no_powers_of_ten(result):
    words = " ".join(figure.caption for figure in result.figures()) + " ".join(result.reading())
    assert "times 65,536" in words
    assert "e+" not in words


def test_counts_by_hand(result):
    """W x: m n products, m (n - 1) sums; y - .: m sums; z z: m products, m - 1 sums; half of it: one product."""
    for row in result.rows:
        m, n = row.m, row.n
        z = compare.Operations(add=m * (n - 1) + m, mult=m * n)
        e = compare.Operations(add=z.add + m - 1, mult=z.mult + m + 1)
        assert row.value == e.value()
        assert row.gradient_operations == e.gradient()
        contraction = 4 * m * m * n + 4 * m * n * (m - 1)  # a product and a sum cost 4 each
        assert row.tensor_operations == e.value() + m * (z.gradient() - z.value()) + contraction
        assert (row.tensor_entries, row.tensor_nonzeros, row.gradient_entries) == (m * n * m, m * n, m * n)


def test_the_tensor_costs_m_times_more_memory_and_more_work_with_m(result):
    rows = result.rows
    assert [row.tensor_bytes // row.gradient_bytes for row in rows] == [row.m for row in rows]
    ratios = [row.tensor_operations / row.gradient_operations for row in rows]
    assert all(a < b for a, b in pairwise(ratios))
    assert max(row.gradient_operations / row.value for row in rows) <= 4
    big = [row for row in rows if row.m >= 32]
    slope = np.polyfit(np.log([r.m for r in big]), np.log([r.tensor_operations / r.value for r in big]), 1)[0]
    assert slope == pytest.approx(1, abs=0.05)


def test_the_tensor_that_is_built_has_the_bytes_that_are_counted():
    m, n = 5, 7
    rng = np.random.default_rng(0)
    w, x, y = rng.normal(size=(m, n)), rng.normal(size=n), rng.normal(size=m)
    built = dualad.jacobian(lambda w: y - w @ x)(w)
    (row,) = compare.tensor([m], n=n).rows
    assert built.shape == (m, m, n)
    assert (built.nbytes, int(np.count_nonzero(built))) == (row.tensor_bytes, row.tensor_nonzeros)


def test_large_tensors_are_counted_not_built(result):
    assert [row.m for row in result.rows if not row.built] == [256]
    assert "m = 256" in result.notes[0]


@pytest.mark.parametrize("broken", ["jacrev", "grad"])
def test_a_wrong_derivative_is_refused(monkeypatch, broken):
    module = sys.modules["dualad.compare.tensor"]
    right = getattr(module, broken)
    monkeypatch.setattr(module, broken, lambda f: lambda w: 1.00001 * right(f)(w))
    with pytest.raises(DisagreementError, match="disagree by"):
        compare.tensor([3], n=2)


@pytest.mark.parametrize(("arguments", "words"), [
    ({"at": []}, "at least one"), ({"at": [2, 2]}, "increase"), ({"at": [0]}, "at least 1"), ({"n": 0}, "n must be"),
    ({"at": [10**6], "n": 100}, "choose smaller"),
])  # fmt: skip
def test_bad_input(arguments, words):
    with pytest.raises(ValueError, match=words):
        compare.tensor(**arguments)


def test_saved_drawn_and_run_again(result, tmp_path):
    result.to_json(tmp_path / "r.json")
    assert compare.load(tmp_path / "r.json") == result
    assert not result.timed
    memory, work = result.figures()
    assert "times 65,536" in memory.caption  # 256 squared
    assert memory.curves[0].y[-1] == 8 * 256 * 64 * 256
    assert len(set(work.curves[1].y)) == len(result.rows)
    settings = {**result.settings, "weights": compare.Weights(**result.settings["weights"])}
    assert compare.tensor(**settings) == result


def test_command_line(capsys):
    assert main(["tensor", "--at", "2,4", "--n", "3"]) == 0
    assert "outer product" in capsys.readouterr().out
    assert main(["tensor", "--n", "0"]) == 2

"""The plane of inputs and outputs: the counted crossover lies in the predicted wedge, for every number of outputs."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dualad import cli, compare
from dualad.compare.clock import Timing
from dualad.compare.plane import wedge

SIZES = (1, 2, 4, 8, 16, 32, 64, 128)


@pytest.fixture(scope="module")
def every_m():
    return compare.plane(SIZES, range(1, 65), depth=4, count_only=True)


def test_counted_crossover_lies_in_the_wedge_for_every_m(every_m):
    low, high = wedge()
    assert (low, high) == pytest.approx((1.8, 2.0))
    found = every_m.crossovers()
    assert list(found) == list(range(1, 65))
    for m, crossover in found.items():
        assert low <= crossover.ratio <= high, m
        assert crossover.at == pytest.approx(m * crossover.ratio)
        assert (crossover.cheaper_before, crossover.cheaper_after) == ("forward", "reverse")


def test_separate_runs_cross_in_their_own_wedge_for_every_m():
    """A run for each tangent against a recording for each adjoint: 1.44 <= n/m <= 1.6."""
    slow = ("differences", "central", "complex")
    for m in range(1, 65):
        result = compare.scaling("n", [m, 2 * m], m=m, depth=1, count_only=True, without=slow)
        assert 1.44 <= result.crossover(separate=True).ratio <= 1.6, m


@pytest.mark.parametrize("family", ["chain", "dense"])
def test_sign_follows_the_prediction(family):
    """Outside the wedge the sign of every square is the predicted one."""
    result = compare.plane(SIZES, (1, 3, 8, 20), family=family, depth=2, count_only=True)
    low, high = wedge()
    for row in result.rows:
        ratio = result.ratio(row.n, row.m)
        if row.n / row.m < low:
            assert ratio < 0
        elif row.n / row.m > high:
            assert ratio > 0


counts = st.integers(0, 10**6)


@given(counts, counts, counts, st.integers(1, 10**6))
def test_break_even_of_any_program_lies_in_the_wedge(add, mult, nonlinear, more):
    ops = compare.Operations(add=add, mult=mult, nonlinear=nonlinear + more)
    low, high = wedge()
    assert low * (1 - 1e-12) <= ops.break_even() <= high * (1 + 1e-12)
    assert 1.44 <= ops.break_even(separate=True) <= 1.6 + 1e-12


weights = st.floats(0.01, 100.0)


@given(counts, counts, st.integers(1, 10**6), weights, weights, weights, weights)
def test_wedge_holds_for_any_prices(add, mult, nonlinear, move, plus, times, sine):
    chosen = compare.Weights(move, plus, times, sine)
    low, high = wedge(chosen)
    assert low * (1 - 1e-9) <= compare.Operations(add=add, mult=mult, nonlinear=nonlinear).break_even(chosen) <= high * (1 + 1e-9)


def test_figure_has_the_heat_the_line_and_the_wedge(every_m):
    (figure,) = every_m.figures()
    assert figure.heat.x == SIZES
    assert figure.heat.y == tuple(range(1, 65))
    assert figure.heat.z[0][0] == pytest.approx(every_m.ratio(1, 1))
    (band,) = figure.curves
    assert (band.kind, band.role) == ("band", "theory")
    for low, high, n in zip(band.low, band.high, SIZES, strict=True):
        assert (low, high) == pytest.approx((n / 2.0, n / 1.8))
    assert "n/m = 1.9" in figure.caption
    assert "factor" in figure.alt


def test_tables_and_words(every_m):
    grid, crossovers = every_m.tables()
    assert grid.header == ("", *(f"n = {n}" for n in SIZES))
    assert grid.rows[3][2] == every_m.ratio(2, 4)
    assert [row[0] for row in crossovers.rows] == list(range(1, 65))
    for m, low, high, at, ratio in crossovers.rows:
        assert low <= at <= high
        assert ratio == pytest.approx(at / m)
    text = str(every_m)
    assert "By the count they cost the same at n/m = 1.9" in text
    assert "Measured" not in text


def measured(seconds):
    """A plane of given seconds: (n, m) -> (forward, reverse)."""
    ops = compare.Operations(mult=1)
    rows = tuple(compare.Row(n, m, ops, ops, {"forward": 4.0 + 6 * n, "reverse": 4.0 + 12 * m}, {},
                             {"value": Timing(*[1.0] * 4), "again": Timing(*[1.1] * 4),
                              "forward": Timing(*[f] * 4), "reverse": Timing(*[r] * 4)})
                 for (n, m), (f, r) in seconds.items())  # fmt: skip
    return compare.PlaneResult("test", {}, rows, (), {"processor": "of the test"})


def test_measured_line_and_noise():
    result = measured({(n, m): (float(n), 2.0 * m if m < 4 else 100.0) for n in (1, 2, 4, 8) for m in (1, 2, 4)})
    assert result.timed
    assert result.ratio(8, 1, True) == math.log2(8 / 2)
    assert [c.at for c in result.crossovers(True).values()] == [pytest.approx(2.0), pytest.approx(4.0), None]
    figure = result.figures()[0]
    assert figure.heat.z[0][3] == math.log2(8 / 2)
    assert figure.curves[1].label == "same cost by the count"
    assert figure.curves[1].x == pytest.approx((2.0, 4.0))  # 6 n against 12 m
    assert figure.curves[1].y == (1.0, 2.0)
    assert "forward is cheaper at every n for m = 4" in figure.caption
    text = str(result)
    assert "f timed twice differs by up to 10.0 %" in text
    assert "processor: of the test" in text


def test_plane_is_saved_loaded_and_run_from_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["compare", "plane", "--at", "1,4", "--outputs", "1,2", "--depth", "2", "--count-only", "--out", "p.json"]) == 0
    assert "Crossover: n from which reverse is cheaper" in capsys.readouterr().out
    assert compare.load("p.json") == compare.plane([1, 4], [1, 2], depth=2, count_only=True)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: compare.plane([2, 1]), "increase"),
        (lambda: compare.plane([1], [0]), "at least 1"),
        (lambda: compare.plane([1], family="nobody"), "no family"),
        (lambda: compare.plane([1], family="helmholtz"), "a plane takes one of chain, dense"),
        (lambda: compare.plane([1], repeats=0), "repeats"),
        (lambda: compare.plane([1], depth=-1), "depth"),
        (lambda: compare.plane([1, 10**4], [1, 10**4]), "choose smaller sizes"),
    ],
)
def test_bad_input(call, words):
    with pytest.raises(ValueError, match=words):
        call()

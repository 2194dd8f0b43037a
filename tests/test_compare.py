"""The comparison module: counts are exact, slopes and crossovers follow, answers are checked before the clock starts.

No test asserts a second; the clock itself is tested on a clock of the test's own.
"""

import gc
import math

import numpy as np
import pytest

import dualad
from dualad import compare
from dualad.compare import clock, measure, methods, terminal
from dualad.compare.families import restricted
from dualad.compare.probe import NotDifferentiableError
from dualad.compare.scaling import check_sizes

# ---- prices of whole Jacobians ---------------------------------------------------------------------------------------


def chain_operations(n, m, depth):
    """By hand: n sines and their sum; a sine, a product, two sums a step; a product and a cosine an output."""
    return compare.Operations(add=n - 1 + 2 * depth, mult=depth + m, nonlinear=n + depth + m)


@pytest.mark.parametrize(("n", "m", "depth"), [(2, 1, 0), (7, 3, 5), (40, 1, 32)])
def test_chain_is_counted_as_by_hand(n, m, depth):
    (row,) = compare.scaling("n", [n], m=m, depth=depth, count_only=True).rows
    ops = chain_operations(n, m, depth)
    assert row.value == row.active == ops
    value, tangent, gradient = ops.value(), ops.tangent(), ops.gradient()
    assert row.counted["forward"] == row.runs["forward"] * value + n * (tangent - value)
    assert row.counted["reverse"] == value + m * (gradient - value)
    assert row.counted["n jvp"] == n * tangent
    assert row.counted["m vjp"] == m * gradient
    assert row.counted["differences"] == (n + 1) * value + 4 * n + 8 * n * m
    assert row.counted["central"] == 2 * n * value + 8 * n + 8 * n * m
    assert row.counted["complex"] == n * ops.complex_value() + 4 * n * m
    assert (row.runs["reverse"], row.runs["n jvp"], row.runs["m vjp"]) == (1, n, m)
    assert (row.runs["differences"], row.runs["central"], row.runs["complex"]) == (n + 1, 2 * n, n)


def test_runs_are_counted_as_they_happen():
    """What a method claims to run is what it runs."""
    f = measure._Counted(lambda x: np.outer(np.sin(x), np.cos(x))[0])
    x = np.linspace(0.5, 1.0, 6)
    for method in methods.METHODS.values():
        f.runs = 0
        method.jacobian(f, x)
        assert f.runs == method.runs(6, 6)


def test_slopes_of_counts():
    """Forward pays for inputs, reverse for outputs, and neither for the other."""
    by_n = compare.scaling("n", [2**k for k in range(8)], m=1, depth=400, count_only=True)
    for name in ("n jvp", "differences", "central", "complex"):
        assert by_n.slope(name) == pytest.approx(1.0, abs=0.03)
    assert by_n.slope("forward") == pytest.approx(1.0, abs=0.05)
    assert by_n.slope("reverse") == pytest.approx(0.0, abs=0.02)
    assert by_n.slope("m vjp") == pytest.approx(0.0, abs=0.02)
    by_m = compare.scaling("m", [2**k for k in range(7)], n=8, depth=2000, count_only=True)
    for name in ("reverse", "m vjp"):
        assert by_m.slope(name) == pytest.approx(1.0, abs=0.05)
    for name in ("forward", "n jvp", "differences", "central", "complex"):
        assert by_m.slope(name) == pytest.approx(0.0, abs=0.02)


@pytest.mark.parametrize("m", [1, 3, 4, 16])
def test_crossover_of_the_chain_lies_in_the_wedge(m):
    result = compare.scaling("n", [1, 2, 4, 8, 16, 32, 48], m=m, count_only=True)
    together, separate = result.crossover(), result.crossover(separate=True)
    assert 1.8 <= together.ratio <= 2.0
    assert 1.44 <= separate.ratio <= 1.6
    assert together.at == pytest.approx(m * together.ratio)
    assert (together.cheaper_before, together.cheaper_after) == ("forward", "reverse")
    assert (separate.cheaper_before, separate.cheaper_after) == ("n jvp", "m vjp")


def test_crossover_against_outputs_and_for_other_families():
    by_m = compare.scaling("m", [1, 2, 4, 8, 16, 32], n=16, count_only=True).crossover()
    assert 1.8 <= by_m.ratio <= 2.0
    assert (by_m.cheaper_before, by_m.cheaper_after) == ("reverse", "forward")
    for family in ("helmholtz", "speelpenning"):
        result = compare.scaling("n", [1, 2, 4, 8], family=family, count_only=True)
        assert 1.8 <= result.crossover().ratio <= 2.0
    assert compare.scaling("n", [2, 4, 8], family="rosenbrock", count_only=True).rows[0].value.value() > 0


def test_interpolated_crossover_agrees_with_counting_every_size():
    """The crossing found between powers of two is the first n at which reverse counts less."""
    rough = compare.scaling("n", [1, 4, 16, 64], m=5, count_only=True).crossover()
    exact = compare.scaling("n", range(1, 17), m=5, count_only=True)
    first = next(row.n for row in exact.rows if row.counted["reverse"] < row.counted["forward"])
    assert first == math.ceil(rough.at)


# ---- results -----------------------------------------------------------------------------------------------------------


def timed_result(forward, reverse):
    """Rows n = 1, 2, 4 ... with given seconds."""
    ops = compare.Operations(mult=1)
    rows = tuple(
        compare.Row(2**k, 1, ops, ops, {"forward": 1.0, "reverse": 1.0}, {},
                    {name: clock.Timing(*[s] * 4) for name, s in {"value": 1.0, "again": 1.0, "forward": a, "reverse": b}.items()})
        for k, (a, b) in enumerate(zip(forward, reverse, strict=True))
    )
    return compare.ScalingResult("test", {"vary": "n"}, rows)


def test_measured_crossover():
    found = timed_result([1, 2, 4, 8], [3, 3, 3, 3]).crossover(True)
    assert found.at == pytest.approx(3.0)
    assert found.ratio == pytest.approx(3.0)
    assert (found.cheaper_before, found.cheaper_after) == ("forward", "reverse")
    never = timed_result([1, 2, 4, 8], [9, 9, 9, 9]).crossover(True)
    assert (never.at, never.cheaper_before, never.cheaper_after) == (None, "forward", "forward")
    noisy = timed_result([1, 4, 2, 8], [3, 3, 3, 3]).crossover(True)  # crosses three times: the last one counts
    assert 4 < noisy.at < 8
    assert timed_result([1, 2], [3, 3]).crossover().at is None
    assert timed_result([1], [1]).slope("forward", True) is None


def test_results_are_frozen_and_print():
    result = compare.scaling("n", [1, 2, 4], m=2, count_only=True)
    with pytest.raises(AttributeError):
        result.title = "other"
    with pytest.raises(AttributeError):
        result.rows[0].n = 3
    text = str(result)
    assert "Counted: forward and reverse cost the same at n = 3." in text
    assert "What you see:" in text
    assert "Measured" not in text
    assert "weights: move 1, add 1, multiply 1, nonlinear 2" in text


def test_one_row_prints():
    text = str(compare.mine(lambda x: x * x, 3.0, count_only=True))
    assert "no crossover" in text
    assert "One size shows a price" in text


def test_sparkline_is_monotone_and_falls_back_to_ascii():
    line = terminal.sparkline([1.0, 10.0, 100.0, None], 1.0, 100.0)
    assert line == "▁▅█ "
    plain = terminal.sparkline([1.0, 10.0, 100.0, None], 1.0, 100.0, ascii_only=True)
    assert plain.isascii()
    assert len(set(plain)) == 4
    assert terminal.sparkline([5.0, 5.0], 5.0, 5.0) == "▁▁"


# ---- the caller's own function -----------------------------------------------------------------------------------------


def test_mine_varies_inputs_and_outputs_of_any_function():
    x = np.linspace(0.5, 1.5, 6).reshape(2, 3)
    report = compare.mine(lambda a: np.sin(a) @ a.T, x, count_only=True)
    assert [(r.n, r.m) for r in report.parts[0].rows] == [(1, 4), (2, 4), (4, 4), (6, 4)]
    assert [(r.n, r.m) for r in report.parts[1].rows] == [(6, 1), (6, 2), (6, 4)]
    # 6 sines, then (2, 3) @ (3, 2); the value is counted with all inputs, however few are varied
    assert {r.value for r in report.parts[0].rows} == {compare.Operations(nonlinear=6, mult=12, add=8)}
    assert report.parts[1].rows[-1].counted["reverse"] == report.parts[0].rows[-1].counted["reverse"]
    assert report.rows == report.parts[0].rows + report.parts[1].rows


def test_restricted_is_the_function_with_constants():
    x = np.arange(1.0, 5.0).reshape(2, 2)
    g = restricted(lambda a: a * a, x, 2, 3, 4)
    assert g(np.array([10.0, 20.0])).tolist() == [100.0, 400.0, 9.0]
    assert dualad.jacfwd(g)(np.array([10.0, 20.0])).tolist() == [[20.0, 0.0], [0.0, 40.0], [0.0, 0.0]]


def test_mine_measures():
    report = compare.mine(lambda x: np.sum(x * x), np.ones(3), repeats=1)
    for row in report.rows:
        assert set(row.seconds) == {"value", "again", *methods.METHODS}
        assert all(0 < t.minimum <= t.low <= t.median <= t.high for t in row.seconds.values())
    assert "Measured:" in str(report)
    assert "processor: " in str(report)


def test_mine_draws_points_of_the_sizes_asked_for():
    seen = []

    def f(x):
        seen.append(np.shape(x))
        return np.sum(np.sin(x))

    report = compare.mine(f, at=[1, 3], count_only=True)
    assert [(r.n, r.m) for r in report.rows] == [(1, 1), (3, 1)]
    assert set(seen) == {(1,), (3,)}


def test_a_method_that_cannot_do_the_function_is_left_out_and_named():
    report = compare.mine(lambda x: dualad.math.sin(x), 2.0, count_only=True)
    assert "complex" not in report.rows[0].counted
    assert "Left out: complex at n = 1: f does not take complex numbers" in str(report)
    dropped = compare.mine(lambda x: np.abs(x), 2.0, count_only=True)
    assert "f drops the imaginary part" in str(dropped)


def test_slow_methods_are_counted_not_timed(monkeypatch):
    monkeypatch.setattr(measure, "PATIENCE", 0.0)
    (row,) = compare.scaling("n", [4], repeats=1).rows
    assert set(row.seconds) == {"value", "again", "forward", "reverse"}
    assert set(row.counted) == set(methods.METHODS)


@dualad.custom_jvp
def wrong_rule(x):
    return np.sin(x)


@wrong_rule.defjvp
def _(primals, tangents):
    return np.sin(primals[0]), 1.001 * np.cos(primals[0]) * tangents[0]


@pytest.mark.parametrize(
    ("f", "name"),
    [
        (lambda x: np.sum(wrong_rule(x)), "differences"),  # a rule off by a thousandth
        (lambda x: np.sum(np.abs(x) * x), "complex"),  # the complex step of what is not analytic
    ],
)
def test_disagreement_stops_before_the_clock(monkeypatch, f, name):
    monkeypatch.setattr(measure, "interleaved", lambda *args: pytest.fail("timed a wrong answer"))
    with pytest.raises(compare.DisagreementError, match=f"at n = 2, m = 1: forward and {name} disagree: entry"):
        compare.mine(f, np.array([-1.0, 2.0]))


def test_check_sees_one_wrong_entry_nan_and_shape():
    good = np.arange(1.0, 7.0).reshape(2, 3)
    methods.check({"forward": good, "reverse": good * (1 + 1e-12), "central": good + 1e-8}, {})
    for bad in (np.where(good == 1.0, 1.001, good), np.where(good == 2.0, np.nan, good), good[:1]):
        with pytest.raises(compare.DisagreementError):
            methods.check({"forward": good, "reverse": bad}, {})
    with pytest.raises(NotDifferentiableError, match=r"entry \(0, 0\) of its Jacobian is inf by forward"):
        methods.check({"forward": good * np.inf, "reverse": good}, {})


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: compare.scaling("k"), "vary must"),
        (lambda: compare.scaling("n", []), "at least one"),
        (lambda: compare.scaling("n", [4, 2]), "increase"),
        (lambda: compare.scaling("n", [1.5]), "whole numbers"),
        (lambda: compare.scaling("n", [0, 1]), "at least 1"),
        (lambda: compare.scaling("n", [1], n=3), "give m, not n"),
        (lambda: compare.scaling("n", [1], m=0), "m must be at least 1"),
        (lambda: compare.scaling("n", [1], family="nobody"), "no family"),
        (lambda: compare.scaling("n", [1], family="rosenbrock"), "at least 2"),
        (lambda: compare.scaling("n", [1], family="helmholtz", m=2), "one output"),
        (lambda: compare.scaling("m", [1], family="helmholtz"), "one output"),
        (lambda: compare.scaling("n", [1], repeats=0), "repeats"),
        (lambda: compare.scaling("n", [1], depth=-1), "depth"),
        (lambda: compare.scaling("n", [1], seed=-1), "seed"),
        (lambda: compare.scaling("n", [1], without=["reverse"]), "no method"),
        (lambda: compare.scaling("n", [10**7], m=2), "choose smaller"),
        (lambda: compare.mine(np.sin, np.ones(0)), "nothing to compare"),
        (lambda: compare.mine(np.sin, 1.0, repeats=0), "repeats"),
    ],
)
def test_bad_input_is_a_value_error(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_bad_functions_are_type_errors():
    with pytest.raises(TypeError, match="takes a function"):
        compare.mine(3.0, 1.0)
    with pytest.raises(TypeError, match="floats"):
        compare.mine(lambda x: 1j * x, 1.0)


def test_sizes_are_whole_increasing_numbers():
    assert check_sizes(range(1, 4)) == (1, 2, 3)


# ---- the clock -----------------------------------------------------------------------------------------------------------


class Ticking:
    """A clock that moves only when a call says so."""

    def __init__(self):
        self.time, self.log = 0.0, []

    def call(self, name, seconds):
        def run():
            assert not gc.isenabled()
            self.log.append(name)
            self.time += seconds

        return run


@pytest.fixture
def ticking(monkeypatch):
    fake = Ticking()
    monkeypatch.setattr(clock, "now", lambda: fake.time)
    return fake


def test_samples_double_to_a_millisecond_and_take_turns(ticking):
    found = clock.interleaved({"a": ticking.call("a", 0.3e-3), "b": ticking.call("b", 5e-3)}, repeats=3)
    assert {name: timing.median for name, timing in found.items()} == pytest.approx({"a": 0.3e-3, "b": 5e-3})
    assert [(timing.samples, timing.loops) for timing in found.values()] == [(3, 4), (3, 1)]
    # calibration: a in loops of 1, 2, 4; b once.  Then three turns of four a and one b.
    assert "".join(ticking.log) == "a" * 7 + "b" + "aaaab" * 3


def test_median_shrugs_off_one_slow_sample(ticking):
    times = iter([2e-3, 1e-3, 9.0, 1e-3])
    fast = ticking.call("x", 0.0)

    def call():
        fast()
        ticking.time += next(times)

    found = clock.interleaved({"x": call}, repeats=3)["x"]
    assert (found.median, found.minimum, found.low, found.high) == pytest.approx((1e-3, 1e-3, 1e-3, 9.0))


def test_bootstrap_band_is_the_same_for_the_same_seed_and_holds_the_median():
    rng = np.random.default_rng(1)
    for size in (1, 2, 15, 40):
        samples = rng.lognormal(size=size).tolist()
        one, two = (clock.Timing.from_samples(samples, seed=4) for _ in range(2))
        assert one == two
        assert min(samples) == one.minimum <= one.low <= one.median <= one.high <= max(samples)
    wide, narrow = (clock.Timing.from_samples(rng.normal(100.0, 1.0, size).tolist()) for size in (10, 1000))
    assert narrow.high - narrow.low < wide.high - wide.low
    assert narrow.low < 100.0 < narrow.high or abs(narrow.median - 100.0) < 0.2


def test_the_band_is_that_of_95_percent():
    """Of 0 .. 100 the median's bootstrap quantiles are 50 -+ 1.96 sqrt(101) / 2 = 40.2 and 59.8; of 90 %: 41.7 and 58.3."""
    bands = [clock.Timing.from_samples(range(101), seed=seed) for seed in range(20)]
    assert np.mean([t.low for t in bands]) == pytest.approx(50 - 0.98 * 101**0.5, abs=0.7)
    assert np.mean([t.high for t in bands]) == pytest.approx(50 + 0.98 * 101**0.5, abs=0.7)


def test_band_covers_the_median_as_often_as_it_says():
    """400 samples of 15 draws: the 95 % band holds the true median in 88 to 99 % of them (bootstrap bands are a little short)."""
    rng = np.random.default_rng(0)
    bands = [clock.Timing.from_samples(rng.exponential(size=15).tolist()) for _ in range(400)]
    covered = sum(band.low <= math.log(2.0) <= band.high for band in bands) / len(bands)
    assert 0.88 <= covered <= 0.99


def test_the_budget_ends_the_turns_but_three_are_taken(monkeypatch, ticking):
    spent = iter(range(100))
    monkeypatch.setattr(clock.time, "perf_counter", lambda: float(next(spent)))
    assert clock.interleaved({"x": ticking.call("x", 2e-3)}, repeats=15)["x"].samples == clock.LEAST_TURNS


def test_collector_comes_back_after_an_error(ticking):
    def fail():
        raise RuntimeError("from the function")

    assert gc.isenabled()
    with pytest.raises(RuntimeError):
        clock.interleaved({"x": fail}, repeats=1)
    assert gc.isenabled()


def test_noisy_differences_are_forgiven_by_their_own_estimate():
    """A chain of 2000 steps loses digits in every difference; the check took that for a wrong derivative."""
    (row,) = compare.scaling("n", [4], depth=2000, count_only=True).rows
    assert set(row.counted) == set(methods.METHODS)
    exact = np.ones((1, 1))
    methods.check({"forward": exact, "differences": exact + 1e-2}, {"differences": 1e-3})
    with pytest.raises(compare.DisagreementError):
        methods.check({"forward": exact, "differences": exact + 1e-2}, {"differences": 1e-4})

"""What all experiments share: figures and tables as data, JSON and CSV that lose nothing, a command for each of them."""

import csv
import io
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dualad import cli, compare
from dualad.compare import figure, progress, registry, storage, terminal
from dualad.compare.clock import Timing
from dualad.compare.environment import commit, describe
from dualad.compare.parser import arguments_of
from dualad.compare.result import RESULTS

COMMON = {"seed", "repeats", "count_only"}


# ---- the registry --------------------------------------------------------------------------------------------------------

@pytest.fixture(params=sorted(registry.EXPERIMENTS))
def experiment(request):
    return registry.EXPERIMENTS[request.param]


def test_every_experiment_is_a_function_of_the_module(experiment):
    assert callable(getattr(compare, experiment.name))
    assert getattr(compare, experiment.name).__doc__


def test_every_experiment_is_listed_with_its_options(experiment, capsys):
    assert cli.main(["compare", "list"]) == 0
    assert f"  {experiment.name} " in capsys.readouterr().out
    assert cli.main(["compare", experiment.name, "--help"]) == 0
    text = capsys.readouterr().out
    for argument in arguments_of(experiment):
        assert argument.name.replace("_", "-") in text or argument.metavar in text
    for option in ("--out", "--ascii"):
        assert option in text


def test_options_and_parameters_are_the_same(experiment):
    """An option for every parameter but weights and progress, with the default of the function."""
    declared = {argument.name: argument.default for argument in arguments_of(experiment)}
    parameters = {name: p.default for name, p in registry.inspect.signature(experiment.run).parameters.items()}
    assert set(parameters) - set(declared) <= {"weights", "progress"}
    assert "progress" in parameters
    for name, default in declared.items():
        if parameters[name] is not registry.inspect.Parameter.empty:
            assert storage.encode(default) == storage.encode(parameters[name]) or (not default and not parameters[name]), name


def test_every_result_has_rows_that_can_be_saved():
    for name, kind in RESULTS.items():
        assert kind.row_types, name
        for row in kind.row_types:
            assert row.__dataclass_params__.frozen


def test_the_registry_refuses_a_second_owner_and_unknown_parameters():
    def other(seed=0):
        pass

    with pytest.raises(ValueError, match="already"):
        registry.register("scaling", "", other)
    with pytest.raises(ValueError, match="no parameter 'colour'"):
        registry.register("painting", "", other, registry.Argument("colour"))
    assert "painting" not in registry.EXPERIMENTS


# ---- storage -------------------------------------------------------------------------------------------------------------

numbers = st.floats(allow_nan=False) | st.integers(-(2**60), 2**60)
timings = st.builds(Timing, *[st.floats(0, 1e3)] * 4, st.integers(1, 99), st.integers(1, 2**20))
operations = st.builds(compare.Operations, *[st.integers(0, 10**9)] * 5)
rows = st.builds(
    compare.Row, st.integers(1, 10**6), st.integers(1, 10**6), operations, operations,
    st.dictionaries(st.text(max_size=8), numbers), st.dictionaries(st.text(max_size=8), st.integers(0, 10**6)),
    st.none() | st.dictionaries(st.text(max_size=8), timings),
    st.builds(compare.Weights, *[st.floats(0, 10)] * 4), st.dictionaries(st.text(max_size=8), st.text(max_size=8)))  # fmt: skip


@given(st.lists(rows, max_size=3), st.text(max_size=20), st.lists(st.text(max_size=9), max_size=2))
def test_a_saved_result_is_the_same(made, title, notes):
    result = compare.ScalingResult(title, {"vary": "n", "at": [1, 2]}, tuple(made), tuple(notes), {"machine": "of a test"})
    text = result.to_json()
    assert compare.ScalingResult.from_dict(json.loads(text)) == result
    assert json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))["title"] == title


@dataclass(frozen=True)
class Inner:
    value: float
    note: str = ""


@dataclass(frozen=True)
class Outer:
    inner: Inner | None
    several: tuple[Inner, ...]
    pair: tuple[int, float]
    by_name: Mapping[str, Inner]
    limit: float | None
    count: int
    flag: bool
    words: tuple[str, ...] = ()


@given(st.builds(
    Outer, st.none() | st.builds(Inner, st.floats(allow_nan=False)), st.lists(st.builds(Inner, numbers)).map(tuple),
    st.tuples(st.integers(0, 9), numbers), st.dictionaries(st.text(), st.builds(Inner, numbers), max_size=3),
    st.none() | st.floats(allow_nan=False), st.integers(), st.booleans(), st.lists(st.text()).map(tuple)))  # fmt: skip
def test_rows_of_any_plain_shape_come_back(row):
    again = storage.decode(json.loads(storage.to_text(storage.encode(row))), Outer)
    assert again == row
    assert [type(getattr(again, f.name)) for f in fields(row)] == [type(getattr(row, f.name)) for f in fields(row)]


def test_infinities_and_nan_survive_as_strings():
    text = storage.to_text(storage.encode({"rows": [{"value": math.inf}, {"value": -math.inf}, {"value": math.nan}]}))
    back = [storage.decode(row, Inner).value for row in json.loads(text)["rows"]]
    assert back[:2] == [math.inf, -math.inf]
    assert math.isnan(back[2])


def test_numpy_numbers_become_plain_ones():
    assert storage.encode({"a": np.float64(0.5), "b": np.arange(3), "c": np.int64(2), "d": {3, 1}}) == {
        "a": 0.5, "b": [0, 1, 2], "c": 2, "d": [1, 3]}  # fmt: skip
    with pytest.raises(TypeError, match="not object"):
        storage.encode({"a": object()})


def test_csv_has_every_number():
    result = compare.scaling("n", [1, 2], m=2, count_only=True)
    records = list(csv.DictReader(io.StringIO(result.to_csv())))
    for record, row in zip(records, result.rows, strict=True):
        assert int(record["value.mult"]) == row.value.mult
        assert {name: float(record[f"counted.{name}"]) for name in row.counted} == row.counted
    report = compare.Report((result, compare.plane([1], [1, 2], count_only=True)), "both")
    records = list(csv.DictReader(io.StringIO(report.to_csv())))
    assert [(record["part"], record["experiment"]) for record in records] == [("1", "scaling")] * 2 + [("2", "plane")] * 2


def test_reports_are_saved_part_by_part(tmp_path):
    report = compare.mine(lambda x: np.sin(x) * x, np.ones(3), count_only=True)
    report.to_json(tmp_path / "r.json")
    again = compare.load(tmp_path / "r.json")
    assert again == report
    assert [type(part) for part in again.parts] == [compare.MineResult] * 2
    assert again.rows == report.rows


def test_reports_in_a_report_are_their_parts(tmp_path):
    one, two = compare.mine(lambda x: np.sin(x) * x, np.ones(3), count_only=True), compare.scaling("n", [1, 2], count_only=True)
    report = compare.Report((two, one))
    assert report.parts == (two, *one.parts)
    report.report(tmp_path / "r.html")
    report.to_json(tmp_path / "r.json")
    assert compare.load(tmp_path / "r.json") == report


def test_settings_run_it_again():
    """What a result keeps of its settings is all that is needed."""
    for result in (compare.scaling("m", [1, 3], n=4, family="dense", depth=2, seed=3, count_only=True),
                   compare.plane([1, 3], [2], depth=2, seed=3, count_only=True)):  # fmt: skip
        settings = {**result.settings, "weights": compare.Weights(**result.settings["weights"])}
        assert registry.EXPERIMENTS[result.name].run(**settings) == result


def test_a_keeper_gives_the_rows_it_has():
    class Kept:
        def __init__(self):
            self.lines, self.rows = [], {"b": 7}

        def __call__(self, line):
            self.lines.append(line)

        def find(self, key, kind):
            return self.rows.get(key)

        def keep(self, key, row):
            self.rows[key] = row

    kept = Kept()
    assert [progress.finished(kept, key, int, lambda: 5) for key in "abc"] == [5, 7, 5]
    assert kept.lines == ["a", "c"]
    assert kept.rows == {"a": 5, "b": 7, "c": 5}


# ---- figures and tables --------------------------------------------------------------------------------------------------

def test_figures_of_scaling_hold_the_rows():
    result = compare.scaling("n", [1, 2, 4], m=2, count_only=True)
    (drawn,) = result.figures()
    curves = {curve.label: curve for curve in drawn.curves}
    assert curves["reverse"].y == tuple(row.counted["reverse"] / row.value.value() for row in result.rows)
    assert {curve.role for curve in drawn.curves} == {"theory", *result.methods()}
    for name in ("forward", "reverse"):  # any function's cost lies in the band of its mode
        band = curves[f"{name}, bounds"]
        assert band.kind == "band"
        for low, value, high in zip(band.low, curves[name].y, band.high, strict=True):
            assert low * (1 - 1e-12) <= value <= high * (1 + 1e-12)
    assert drawn.marks[0].x == result.crossover().at
    assert "forward as n^" in drawn.alt


@pytest.mark.parametrize("family", sorted(name for name in compare.registry.EXPERIMENTS["scaling"].arguments[4].choices))
def test_every_family_lies_in_the_theory_band(family):
    """The composed bounds hold for every built-in function, where no input is held constant."""
    result = compare.scaling("n", None, family=family, count_only=True)
    (drawn,) = result.figures()
    curves = {curve.label: curve for curve in drawn.curves}
    for name in ("forward", "reverse"):
        band = curves[f"{name}, bounds"]
        for row, low, value, high in zip(result.rows, band.low, curves[name].y, band.high, strict=True):
            assert value <= high * (1 + 1e-12)
            if row.active == row.value and not row.value.const:
                assert low * (1 - 1e-12) <= value


def test_measured_figures_have_bands():
    result = compare.scaling("n", [1, 2], depth=1, repeats=2)
    measured, counted = result.figures()
    assert (measured.name, counted.name) == ("scaling-n-measured", "scaling-n-counted")
    curve = next(curve for curve in measured.curves if curve.label == "reverse")
    for low, value, high in zip(curve.low, curve.y, curve.high, strict=True):
        assert low <= value <= high


@pytest.mark.parametrize(("forward", "words"), [(2.9, ["forward lies below"]), (3.1, []), (6.1, [])])
def test_words_below_the_band(forward, words):
    """n = 2 tangents cost at least 1 + 2 (2 - 1) = 3 values by count; a clock that shows less is explained."""
    ops = compare.Operations(mult=1)
    row = compare.Row(2, 1, ops, ops, {"forward": 16.0, "reverse": 16.0}, {},
                      {"value": Timing(*[1.0] * 4), "again": Timing(*[1.0] * 4),
                       "forward": Timing(*[forward] * 4), "reverse": Timing(*[3.5] * 4)})  # fmt: skip
    text = str(compare.ScalingResult("test", {"vary": "n"}, (row,), (), {"processor": "of the test"}))
    assert [word for word in ["forward lies below", "reverse lies below"] if word in text] == words


def test_fit_has_the_slope_and_its_interval():
    """Against an exact power law, a noisy one, and two points."""
    ops = compare.Operations(mult=1)

    def result(costs):
        made = [compare.Row(2**k, 1, ops, ops, {"forward": float(c)}, {}) for k, c in enumerate(costs)]
        return compare.ScalingResult("test", {"vary": "n"}, tuple(made)).fit()["forward"]

    exact = result([4.0 * 2.0 ** (1.5 * k) for k in range(8)])
    assert (exact.slope, exact.low, exact.high, exact.points) == pytest.approx((1.5, 1.5, 1.5, 4))
    noisy = result([1.0, 2.0, 4.0, 8.0, 16.0, 36.0, 60.0, 130.0])
    assert noisy.low < 1.0 < noisy.high
    # by hand: slope and Student interval (2 degrees of freedom, 4.303) of log2 of 16, 36, 60, 130
    y = np.log2([16.0, 36.0, 60.0, 130.0])
    slope = float(np.array([-1.5, -0.5, 0.5, 1.5]) @ y / 5.0)
    residual = y - y.mean() - slope * np.array([-1.5, -0.5, 0.5, 1.5])
    half = 4.303 * math.sqrt(float(residual @ residual) / 2 / 5.0)
    assert (noisy.slope, noisy.low, noisy.high) == pytest.approx((slope, slope - half, slope + half))
    two = result([1.0, 2.0])
    assert (two.slope, two.low, two.high) == (pytest.approx(1.0), -math.inf, math.inf)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: figure.Curve("a", (1.0,), (1.0, 2.0)), "different lengths"),
        (lambda: figure.Curve("a", (1.0,), (1.0,), kind="dots"), "kind"),
        (lambda: figure.Curve("a", (1.0,), (1.0,), kind="band"), "low and high"),
        (lambda: figure.Curve("a", (1.0,), (1.0,), low=(1.0,)), "low and high"),
        (lambda: figure.Heat((1.0,), (1.0, 2.0), ((0.0,),), "z"), "2 rows of 1"),
        (lambda: figure.Mark("nowhere"), "x, y or both"),
        (lambda: figure.Figure("a b", "", "", "", "", ""), "letters"),
        (lambda: figure.Figure("a", "", "", "", "", "", xscale="cube"), "cube"),
        (lambda: figure.Table("t", ("a", "b"), ((1,),)), "2 columns"),
    ],
)
def test_malformed_figures_are_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_tables_print_numbers_shortly():
    assert [terminal.cell(x) for x in (0, 0.0, 0.5, 99.994, 123.45, 12345.6, 1e9, 1e-5, math.inf, math.nan, False, None)] == [
        "0", "0.00", "0.50", "99.99", "123.5", "12346", "1e+09", "1e-05", "inf", "nan", "no", "-"]  # fmt: skip
    assert terminal.table(["name", "n"], [["a", "1"], ["long", "10"]], [True, False]) == "name   n\na      1\nlong  10"


def test_notebook_fragment_is_escaped_html():
    result = compare.scaling("n", [1, 2], count_only=True)
    html = result._repr_html_()
    assert html.count("<table>") == len(result.tables())
    assert "R^n -&gt;" in html
    assert "<svg" in html


# ---- the machine ---------------------------------------------------------------------------------------------------------

def test_environment_names_versions_threads_and_commit(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    found = describe()
    assert found["numpy"] == np.__version__
    assert "OMP_NUM_THREADS=1" in found["BLAS threads"]
    assert found["commit"] == commit()
    assert json.dumps(found)


@pytest.mark.parametrize("layout", ["branch", "packed", "detached", "none"])
def test_commit_of_a_checkout(tmp_path, monkeypatch, layout):
    """Read from .git itself: a branch, a packed branch, a bare commit, no checkout."""
    sha = "0123456789abcdef0123456789abcdef01234567"
    package = tmp_path / "dualad" / "compare"
    package.mkdir(parents=True)
    (tmp_path / "csrc").mkdir()
    (tmp_path / "csrc" / "ops.def").write_text("")
    git = tmp_path / ".git"
    if layout != "none":
        (git / "refs" / "heads").mkdir(parents=True)
        (git / "HEAD").write_text(f"{sha}\n" if layout == "detached" else "ref: refs/heads/main\n")
    if layout == "branch":
        (git / "refs" / "heads" / "main").write_text(f"{sha}\n")
    if layout == "packed":
        (git / "packed-refs").write_text(f"# pack-refs\n{'f' * 40} refs/heads/other\n{sha} refs/heads/main\n")
    monkeypatch.setattr("dualad.compare.environment.__file__", str(package / "environment.py"))
    assert commit() == (None if layout == "none" else sha)

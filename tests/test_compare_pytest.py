"""Saved runs of the benches: read, drawn, refused in one line; the benches leave what is read; the docs show what was saved."""

import csv
import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from dualad import compare
from dualad.compare.pytest_runs import LINES, Bench
from dualad.report.svg import draw

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs" / "data" / "benchmarks.json"


def info(**changes):
    return {
        "row": "small arrays", "case": "mlp(16)", "n": 241, "m": 1, "ratio": 1.5, "target": 1.0, "unit": "x", "operations": 100.0,
        "bound": 3.5, "tape_bytes": 1000, "noise": 0.98, "plain_us": 7.5, "hand": 1.4, "peers": {"jax": 2.0, "torch": 1.2},
        "left_out": {"casadi": "not installed", "num-dual": "cannot do this function (TypeError: no erf)"},
    } | changes  # fmt: skip


def run(*benches):
    return {"machine_info": {"python_version": "3.11.7", "system": "Linux", "cpu": {"brand_raw": "A processor"}},
            "commit_info": {"id": "abc", "dirty": True}, "datetime": "2026-01-02T03:04:05.6+00:00",
            "benchmarks": [{"name": f"test_{place}", "extra_info": extra} for place, extra in enumerate(benches)]}  # fmt: skip


def test_a_run_becomes_rows_tables_and_words():
    r = compare.from_pytest_benchmark(run(info(), info(case="tiny", ratio=0.5, peers={}, left_out={})))
    assert [(row.case, row.met) for row in r.rows] == [("mlp(16)", False), ("tiny", True)]
    targets, counted, beside = r.tables()
    assert targets.rows[0] == ("small arrays", "mlp(16)", 1.5, 1.0, "", False, 1.4, 7.5, 0.98)
    assert counted.rows[0] == ("small arrays", "mlp(16)", 241, 1, 100.0, 3.5, 1.5, 1000)
    assert beside.header == ("row", "case", "dualad", "by hand", "jax", "torch")
    assert beside.rows == (("small arrays", "mlp(16)", 1.5, 1.4, 2.0, 1.2),)
    said = " ".join(r.reading())
    assert "1 of 2 figures meet their target. Farthest off: small arrays, mlp(16) (1.5, target 1)." in said
    assert "2 of 2 derivatives take less time than the cost model allows" in said
    assert "timed 2 times; it was faster than dualad's 1 times (torch 1)." in said
    assert "2.0 % in the median" in said
    assert r.notes == ("casadi: not installed", "num-dual on mlp(16): cannot do this function (TypeError: no erf)")
    assert r.environment == {"python": "3.11.7", "system": "Linux", "processor": "A processor", "commit": "abc and changes",
                             "date": "2026-01-02 03:04"}  # fmt: skip
    assert "mlp(16)" in str(r)


def test_figures_show_ratio_against_target_by_row():
    r = compare.from_pytest_benchmark(run(info(), info(row="BA", case="20 observations", ratio=2.0, target=4.0, peers={})))
    overview, sheet = r.figures()
    curves = {curve.label: curve for curve in overview.curves}
    assert [x for x, y in zip(curves["meets its target"].x, curves["meets its target"].y, strict=True) if y] == [0.5]
    assert [x for x, y in zip(curves["misses it"].x, curves["misses it"].y, strict=True) if y] == [1.5]
    assert [mark.text for mark in overview.marks] == ["small arrays", "BA"]
    assert "1 of 2 do" in overview.caption
    assert [mark.text for mark in sheet.marks] == ["mlp(16)", "BA 20 observations"]
    roles = {curve.label: curve.role for curve in sheet.curves}
    assert roles == {"plain function": "theory", "target": "theory", "by hand": "value", "jax": "peer 2", "torch": "peer 3",
                     "dualad": "forward"}  # fmt: skip
    assert "torch does best: on mlp(16) it takes 0.8 of dualad's time" in sheet.caption
    least = min(x for curve in sheet.curves for x in curve.x)
    assert all(mark.x < least for mark in sheet.marks)  # names stand left of all points
    for figure in r.figures():
        assert draw(figure).count("<svg") == 1


def test_no_row_is_split_and_no_picture_is_crowded():
    benches = [info(row=f"row {i}", case=str(j)) for i in range(6) for j in range(5)]
    figures = compare.from_pytest_benchmark(run(*benches)).figures()[1:]
    assert [figure.title for figure in figures] == ["row 0; row 1", "row 2; row 3", "row 4; row 5"]
    assert max(len(figure.marks) for figure in figures) <= LINES


def test_figures_in_other_units_are_in_the_overview_only():
    r = compare.from_pytest_benchmark(run(info(unit="us", ratio=0.2, target=0.4, peers={}, hand=None)))
    assert [figure.name for figure in r.figures()] == ["benchmarks-targets"]
    assert "0.2" in str(r.tables()[0].rows[0])


def test_benches_without_targets_still_draw():
    r = compare.from_pytest_benchmark(run({"row": "mine", "case": "f", "ratio": 2}))
    assert r.rows == (Bench("mine", "f", 2.0),)
    assert [figure.name for figure in r.figures()] == ["benchmarks-1"]
    assert "target" not in " ".join(r.reading())


def test_rows_come_in_the_order_of_the_targets():
    r = compare.from_pytest_benchmark(run(info(row="b", place=1), info(row="a", place=0), info(row="b", case="second", place=1)))
    assert [(row.group, row.case) for row in r.rows] == [("a", "mlp(16)"), ("b", "mlp(16)"), ("b", "second")]


def test_a_result_survives_json_and_csv(tmp_path):
    r = compare.from_pytest_benchmark(run(info()))
    r.to_json(tmp_path / "r.json")
    assert compare.load(tmp_path / "r.json") == r
    (line,) = csv.DictReader(r.to_csv().splitlines())
    assert (line["peers.jax"], line["n"], line["case"]) == ("2.0", "241", "mlp(16)")


def test_a_path_is_read(tmp_path):
    (tmp_path / "run.json").write_text(json.dumps(run(info())))
    r = compare.from_pytest_benchmark(tmp_path / "run.json")
    assert r.settings == {"run": "run.json"}
    assert r.rows == compare.from_pytest_benchmark(str(tmp_path / "run.json")).rows


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, 'no run of pytest-benchmark: it has no list "benchmarks"'),
        ({"benchmarks": {}}, 'it has no list "benchmarks"'),
        ({"benchmarks": []}, "none of its 0 benches left row, case and ratio"),
        (run({"n": 1}), "none of its 1 benches left row, case and ratio"),
        ({"benchmarks": ["text"]}, "none of its 1 benches"),
        (run(info(ratio="fast")), "ratio of test_0 is 'fast', not a number"),
        (run(info(ratio=float("nan"))), "ratio of test_0 is nan, not a number"),
        (run(info(ratio=-1.0)), "ratio of test_0 is -1.0, not a number of at least 0"),
        (run(info(ratio=True)), "ratio of test_0 is True"),
        (run(info(n="many")), "n of test_0 is 'many'"),
        (run(info(peers={"jax": None})), "peer jax of test_0 is None"),
        (run(info(peers=["jax"])), "peers and left_out of test_0 are tables"),
    ],
)
def test_what_is_no_run_is_refused_in_one_line(given, words):
    with pytest.raises(ValueError, match=re.escape(words)) as caught:
        compare.from_pytest_benchmark(given)
    assert "\n" not in str(caught.value)


def test_bad_files_are_refused(tmp_path):
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(ValueError, match="is no JSON file"):
        compare.from_pytest_benchmark(tmp_path / "run.json")
    with pytest.raises(OSError, match="none"):
        compare.from_pytest_benchmark(tmp_path / "none.json")
    with pytest.raises(TypeError, match="takes a path or what the file holds, not int"):
        compare.from_pytest_benchmark(3)


def test_benches_without_figures_are_counted():
    r = compare.from_pytest_benchmark(run(info(), {}))
    assert r.notes[-1] == "1 benches without row, case and ratio in extra_info"


# ---- the benches -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A run of three files of benches at tiny sizes, as the command of the README makes it."""
    if importlib.util.find_spec("pytest_benchmark") is None:
        pytest.skip("pytest-benchmark is not installed")
    out = tmp_path_factory.mktemp("benches") / "run.json"
    done = subprocess.run(
        [sys.executable, "benches/report.py", "--tiny", "--save", str(out), "--out", str(out.with_suffix(".html")), "-k",
         "scalar or growth or jacobian or gmm or vector_product or fixed"], cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return out, done.stdout


def test_every_bench_records_what_is_specified(tiny):
    saved = json.loads(tiny[0].read_text())
    assert len(saved["benchmarks"]) > 20
    for bench in saved["benchmarks"]:
        extra = bench["extra_info"]
        assert {"n", "m", "operations", "bound", "tape_bytes", "ratio", "target", "row", "case"} <= extra.keys(), bench["name"]
        if extra["row"] not in ("growth at m = 1", "hvp / gradient"):
            assert extra["operations"] > 0
            assert extra["tape_bytes"] > 0
            assert 1.0 < extra["bound"] <= 1.0 + 3.0 * min(extra["n"] * 0.5, extra["m"]) + 1e-9 or extra["bound"] >= 4.0


def test_counted_figures_do_not_depend_on_the_machine(tiny):
    """Operations, bounds and sizes of the tiny run follow from the functions alone: golden values of three of them."""
    found = {bench["extra_info"]["case"]: bench["extra_info"] for bench in json.loads(tiny[0].read_text())["benchmarks"]}
    horner, newton, grad = found["horner(10)"], found["newton_sqrt(10)"], found["grad"]
    assert (horner["n"], horner["m"], horner["operations"], horner["bound"]) == (1, 1, 80.0, 2.25)
    assert (newton["operations"], newton["bound"]) == (160.0, 2.312)
    assert (grad["operations"], grad["bound"]) == (4.0, 4.0)


def test_the_report_prints_the_target_table(tiny):
    assert "Targets: time of the derivative / time of the plain function" in tiny[1]
    assert "newton_sqrt(10)" in tiny[1]
    page = tiny[0].with_suffix(".html").read_text()
    assert "Measured against target, by row" in page
    assert compare.from_pytest_benchmark(tiny[0]).rows[0].group == "scalar forward"


def test_every_row_of_the_targets_has_a_bench():
    names = (ROOT / "benches" / "targets.py").read_text(encoding="utf-8")
    rows = re.findall(r'^    "([^"]+)":', names, re.MULTILINE)
    benches = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("benches/test_bench_*.py"))
    assert len(rows) >= 15
    assert [row for row in rows if f'"{row}"' not in benches] == []


# ---- the page ----------------------------------------------------------------------------------------------------------------


def test_the_page_shows_the_saved_run():
    """docs/benchmarks.md holds what docs/data/benchmarks.json says, in the words and digits of its tables."""
    page = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    result = compare.from_pytest_benchmark(TABLE)
    generated = page.partition("<!-- made by docs/make_benchmarks.py -->")[2]
    assert generated, "run docs/make_benchmarks.py"
    script = importlib.util.spec_from_file_location("make_benchmarks", ROOT / "docs" / "make_benchmarks.py")
    module = importlib.util.module_from_spec(script)
    script.loader.exec_module(module)
    assert generated.strip() == module.generated(result).strip()
    assert result.environment["processor"] in page
    assert TABLE.stat().st_size < 100_000


def test_the_saved_run_is_whole():
    """Every row of the targets is in the saved run, every library of the comparison ran, counted figures are there."""
    result = compare.from_pytest_benchmark(TABLE)
    rows = re.findall(r'^    "([^"]+)":', (ROOT / "benches" / "targets.py").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(result.groups()) == set(rows)
    assert result.peers() == list(compare.peers.PEERS)
    assert all(name in result.environment["peers"] for name in compare.peers.PEERS)

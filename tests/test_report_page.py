"""The page without a browser: complete in itself, landmarks, data that comes back (a browser's word: test_report_browser.py)."""

import base64
import gzip
import re
import shlex
from dataclasses import replace
from itertools import pairwise

import pytest
import sample_figures
from page_outline import Outline, check_complete, check_landmarks
from sample_figures import FIGURES, sample

from dualad import compare
from dualad.compare.figure import Curve, Figure
from dualad.report import page
from dualad.report.command import command_line

# ---- page ------------------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def whole():
    return page([sample(), sample("Again", {})])


def test_page_is_complete_in_itself(whole):
    check_complete(whole)


def test_page_has_landmarks_and_a_language(whole):
    check_landmarks(whole)
    outline = Outline(whole)
    assert outline.of("html")[0]["lang"] == "en"
    headings = [int(tag[1]) for tag, _ in outline.elements if re.fullmatch("h[1-6]", tag)]
    assert headings[0] == 1
    assert all(b <= a + 1 for a, b in pairwise(headings))


def test_words_come_before_pictures_and_nothing_is_missing(whole):
    words = " ".join(Outline(whole).words)
    assert words.index("Forward rises with n.") < words.index("What am I seeing?")
    for figure in FIGURES:
        assert words.count(figure.caption) >= 2
        assert figure.title in words
    for needed in ("torch: not installed", "a pencil", "nonlinear", "Of one gradient.", "complex"):
        assert needed in words
    assert words.count("What am I seeing?") == 2 * len(FIGURES)


def test_counts_alone_are_said_to_be_counts():
    assert "they are the same on every machine" in page(sample(environment={}))
    errors = page(compare.accuracy("power", [1, 8]))
    assert "All numbers are counts" not in errors
    assert "may differ in its last digits" in errors


def test_page_gives_the_data_back(tmp_path):
    result = compare.scaling("n", [1, 2, 4], count_only=True)
    links = {a["download"]: a["href"] for a in Outline(page(result)).of("a") if "download" in a}
    file = tmp_path / "run.json"
    unpacked = {name: gzip.decompress(base64.b64decode(link.split(",", 1)[1])) for name, link in links.items()}
    file.write_bytes(unpacked["dualad.json.gz"])
    assert compare.load(file) == result
    assert unpacked["dualad.csv.gz"].decode() == result.to_csv()


def test_page_of_a_report_and_of_its_parts():
    parts = (sample(), sample("Second"))
    assert page(compare.Report(parts)).count("<figure") == page(parts).count("<figure") == 2 * len(FIGURES)
    with pytest.raises(ValueError, match="at least one result"):
        page([])


def test_markup_in_results_is_text(monkeypatch):
    title = "</script><script>alert(1)</script>"
    curves = (Curve(title, (1.0, 2.0), (1.0, 2.0)), Curve("b", (1.0,), (1.0,)))
    monkeypatch.setattr(sample_figures, "FIGURES", (Figure("x", title, title, title, title, title, curves),))
    text = page([replace(sample(title), notes=(title,), environment={"a": title})])
    assert "<script>alert" not in text
    assert "</script><script>a" not in text
    Outline(text)


def test_page_is_the_same_every_time():
    assert page(sample()) == page(sample())


def test_counted_and_measured_share_a_place(whole):
    outline = Outline(whole)
    assert len([1 for attributes in outline.of("div") if attributes.get("class") == "views"]) == 2
    views = [attributes["data-view"] for attributes in outline.of("figure") if attributes["data-view"]]
    assert views == ["Measured", "Counted"] * 2


# ---- the command -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [
    {"vary": "n", "at": [1, 2, 4, 8], "m": 3, "seed": 5, "count_only": True},
    {"vary": "m", "at": [1, 3, 4], "n": 2, "without": ["central", "complex"], "count_only": True},
    {"vary": "n", "at": [10, 20, 30, 40], "family": "rosenbrock", "depth": 7, "count_only": True},
])  # fmt: skip
def test_command_runs_the_same_experiment(arguments, tmp_path, capsys):
    """What the page tells the reader to type gives the same rows."""
    result = compare.scaling(**arguments)
    command = shlex.split(command_line(result.name, result.settings))
    assert command[:2] == ["dualad", "compare"]
    file = tmp_path / "again.json"
    from dualad.cli import main

    assert main([*command[1:], "--out", str(file)]) == 0
    capsys.readouterr()
    assert compare.load(file).rows == result.rows


def test_no_command_where_none_can_say_it():
    assert command_line("nothing", {}) == ""
    assert command_line("mine", {"function": "f"}) == ""
    priced = compare.scaling("n", [1, 2], weights=compare.Weights(moves=0), count_only=True)
    assert command_line(priced.name, priced.settings) == ""

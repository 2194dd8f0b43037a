"""The stepper's page without a browser: complete in itself, data of the program (in a browser: test_explain_browser.py)."""

import base64
import gzip
import json
import re

import numpy as np
import pytest
from explained_examples import compares, explained, lecture, looped
from page_outline import Outline, check_complete, check_landmarks

import dualad
from dualad.explanation import stepper
from dualad.explanation.stepper import STEPPED, page
from dualad.report.palette import SCHEMES, contrast

NAMES = ["lecture", "baydin", "quiz", "network"]


@pytest.fixture(scope="module")
def pages():
    return {name: page(e) for name, e in explained().items()}


def data_of(text):
    return json.loads(re.search(r'<script type="application/json" id="program">(.*?)</script>', text, re.DOTALL)[1])


def count_of_nodes(text):
    """How many nodes the data of a page have, packed or not."""
    kind, inside = re.search(r'<script type="application/(json|gzip)" id="program">(.*?)</script>', text, re.DOTALL).groups()
    return len(json.loads(inside if kind == "json" else gzip.decompress(base64.b64decode(inside)))["nodes"])


@pytest.mark.parametrize("name", NAMES)
def test_page_is_complete_in_itself(pages, name):
    check_complete(pages[name])


@pytest.mark.parametrize("name", NAMES)
def test_page_has_landmarks_names_and_labels(pages, name):
    check_landmarks(pages[name])
    outline = Outline(pages[name])
    assert outline.of("output")
    svg = next(a for a in outline.of("svg") if a.get("role") == "img")
    assert svg["aria-labelledby"].split()[1].endswith("-desc")


@pytest.mark.parametrize("name", NAMES)
def test_data_are_those_of_the_explanation(pages, name):
    data, e = data_of(pages[name]), explained()[name]
    shown = e.fold("name") if name == "network" else e
    program = shown.program
    assert [node["n"] for node in data["nodes"]] == [node.name for node in program.nodes]
    assert [(edge["tail"], edge["head"], edge["place"]) for edge in data["edges"]] == list(program.edges())
    for version in "AB":
        events = list(shown.steps("reverse", version))
        assert [row[6] for row in data[version]] == [event.text for event in events]
        assert [tuple(row[:6]) for row in data[version]] == [
            (event.action, event.node, event.other, event.operand, event.operations, event.memory) for event in events
        ]
    for key, sweep in (("values", "forward"), ("tangents", "tangent")):
        assert [tuple(row[:2]) for row in data[key]] == [(event.action, event.node) for event in shown.steps(sweep)]
    for node, row in zip(program.nodes, data["nodes"], strict=True):
        if not node.shape:
            assert row["v"][1] == node.value
            assert row["a"][1] == program.adjoints[node.index]


def test_tangents_of_every_seed(pages):
    data = data_of(pages["baydin"])
    assert [seed["name"] for seed in data["seeds"]] == ["x1", "x2"]
    assert [seed["t"][-1][1] for seed in data["seeds"]] == pytest.approx([5.5, 5 * 0 + 2 - np.cos(5.0)], rel=1e-14)


def test_end_of_each_version_is_the_gradient(pages):
    data = data_of(pages["quiz"])
    for version in "AB":
        held = {}
        for action, node, *_, value in data[version]:
            if action in ("seed", "set", "increment"):
                held[node] = value[1]
        assert held[0] == pytest.approx(1208.3812, abs=5e-5)
        assert held[1] == pytest.approx(809.7075, abs=5e-5)


def test_source_lines_of_called_functions_are_listed(pages):
    text = pages["network"]
    assert "in <code>sigmoid</code>" in text
    data = data_of(text)
    at = {node["n"]: node["l"] for node in data["nodes"]}
    assert at["h"] == at["p"] == max(at.values())
    count = len(re.findall(r'<li data-line="(\d+)"', text))
    assert [int(k) for k in re.findall(r'<li data-line="(\d+)"', text)] == list(range(count))
    shown = re.findall(rf'<li data-line="{at["a"]}" value="\d+"><code>(.*?)</code>', text)[0]
    assert "a = W1 @ x + b1" in shown


def test_source_marks_keywords_and_comments_and_escapes(pages):
    assert '<span class="w">def</span> lecture(x):' in pages["lecture"]
    assert '<span class="c"># inner</span>' in pages["lecture"]
    text = page(dualad.explain(compares, 2.0))
    Outline(text)
    assert (
        'y = x * 2 <span class="w">if</span> x &lt; 5 <span class="w">else</span> x  <span class="c"># &lt;b&gt;&amp;&quot;</span>'
        in text
    )


def test_a_function_without_source_has_a_page():
    found = {}
    exec("def f(x):\n    return x * x", found)
    text = page(dualad.explain(found["f"], 2.0))
    Outline(text)
    assert "<li data-line" not in text
    assert [node["l"] for node in data_of(text)["nodes"]] == [-1, -1]


def test_without_the_script_all_numbers_are_there(pages):
    words = " ".join(Outline(pages["lecture"]).words)
    for text in ("-0.7649206", "4.560792", "2.280396", "dJ/dt += dJ/dv2 * 3 = 1.932374"):
        assert text in words
    assert '<section id="player" class="player" aria-label="Player" hidden>' in pages["lecture"], "no control that does nothing"


def test_thousands_of_values_are_stepped_through():
    """3004 values, folded or not: steps, a page under 500 kB that is complete, and words for what is summarised."""
    e = dualad.explain(looped, 1.0)
    for by, count, words in ((None, 1003, "3,004 values, folded into 1,003"), ("none", 3004, "3,004 values.")):
        text = page(e, by=by)
        check_complete(text)
        check_landmarks(text)
        said = " ".join(Outline(text).words)
        assert words in said
        assert "the drawing a box for each line of the source" in said
        assert f"of {count}" in said
        assert "4.63719" in said, "the result is there without the script"
        assert text.count("<tr data-row") == 16
        assert len(re.findall(r'data-node="\d', text)) == 4


def test_a_loop_over_arrays_stays_small(monkeypatch):
    """Thirty steps of least squares on one page of 568 kB: three inputs drew sixty lines each, from row to row."""

    def descend(w, X, y):
        for _ in range(30):
            r = X @ w - y
            w = w - 0.01 * (X.T @ r)
        return np.sum(r**2)

    e = dualad.explain(descend, np.ones(4), np.ones((20, 4)), np.ones(20))
    text = page(e)
    check_complete(text)
    assert len(re.findall(r'data-node="\d', text)) == len(e.fold("name").program.nodes)
    monkeypatch.setattr(stepper, "LARGEST_PAGE", 200_000)
    text = page(e)
    assert len(text.encode()) < 200_000
    assert "the drawing a box for each line of the source" in text, "where its drawing is too large, its lines are drawn"


def test_a_program_is_summarised_where_its_page_would_be_too_large(monkeypatch):
    e = dualad.explain(looped, 1.0)
    for limit, value in (("STEPPED_LONG", 1000), ("LARGEST_PAGE", 100_000)):
        with monkeypatch.context() as patched:
            patched.setattr(stepper, limit, value)
            text = page(e)
        assert len(text) < 60_000
        assert "3,004 values: too many to step through" in text
        assert 'id="program"' not in text
        assert "<h1><code>looped</code>, summarised</h1>" in text
        check_complete(text)


def test_largest_program_that_is_stepped_through_stays_small():
    def chain(x):
        for _ in range(STEPPED - 1):
            x = np.sin(x)
        return x

    text = page(dualad.explain(chain, 1.0), by="none")
    assert count_of_nodes(text) == STEPPED
    assert len(text.encode()) < 500_000


def test_arrays_at_their_largest_stay_small():
    e = dualad.explain(lambda A, x: np.sum(np.tanh(A @ x)), np.ones((8, 8)), np.ones(8))
    assert len(page(e).encode()) < 200_000


def test_html_writes_the_whole_file_or_nothing(tmp_path):
    e = dualad.explain(lecture, 1.0)
    assert e.html(tmp_path / "j.html") == str(tmp_path / "j.html")  # not the text: it would flood a terminal
    assert (tmp_path / "j.html").read_text(encoding="utf-8") == e.html()
    assert [path.name for path in tmp_path.iterdir()] == ["j.html"]
    with pytest.raises(ValueError, match=r"ends in \.html, not .*j\.png"):
        e.html(tmp_path / "j.png")
    with pytest.raises(FileNotFoundError):
        e.html(tmp_path / "none" / "j.html")
    with pytest.raises(KeyError, match="no input called 'q'"):
        e.html(tmp_path / "k.html", seed="q")
    assert [path.name for path in tmp_path.iterdir()] == ["j.html"]


def test_target_and_folding():
    e = explained()["quiz"]
    data = data_of(e.html(target="v5"))
    assert data["target"] == "v5"
    assert data["nodes"][-1]["a"] == ["0", 0.0]
    assert len(data_of(e.html(by="name"))["nodes"]) == 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_of_the_sweeps_can_be_read(pages, scheme):
    """The words' colours in the style against paper and panel, 4.5 to 1; the browser test computes what is on the screen."""
    colours = SCHEMES[scheme]
    found = re.findall(r"--t-(?:forward|reverse):(#[0-9a-f]{6})", pages["lecture"])
    mine = found[:2] if scheme == "light" else found[2:4]
    assert len(mine) == 2
    assert all(contrast(c, back) >= 4.5 for c in mine for back in (colours.paper, colours.panel))

"""The lecture companion: every topic and every erratum stands on its page, in slide order, with an example that runs.

A page is a block of imports and then sections, ``### L19 Quiz 1`` or ``### E3 ...``. Each section is run by itself
after the imports; its printed answers are compared.
"""

import doctest
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from dualad import teach

ROOT = Path(__file__).resolve().parent.parent
COMPANION = ROOT / "docs" / "companion"

#: chapter -> its sections, in the order of the slides
CHAPTERS = {
    "1-matrix-calculus": "L01 L02 L03 L04 L05 E6 L07 L06 E7 L08",
    "2-tools-for-deep-learning": "L09 L10 L11 L12 L13 L43 L14 L15 L16 E2",
    "3-backpropagation": "L17 L18 L19 L20 L21 E1 L23 L24 L22 L25 L26 L27",
    "4-directional-derivatives": "L10 L28 L29 E4 L30 L31 L32 L33",
    "5-vector-calculus": "L10 L34 L01 L35 L36 L13 L37 L38 L39 E3 L42 L40 L41 L43 E5 L44",
}
TOPICS = {f"L{i:02d}" for i in range(1, 45)}
ERRATA = {f"E{i}" for i in range(1, 8)}
#: topics that are shown by a picture -> scripts of the gallery that their section links
PICTURES = {"L02": ["second-derivative"], "L03": ["kinks"], "L04": ["contour"], "L10": ["secants", "step-size"], "L24": ["sgd"],
            "L28": ["directional-derivative"], "L29": ["not-differentiable"], "L34": ["taylor-polynomials"],
            "L41": ["plane"]}  # fmt: skip
#: topics that more than one text treats: the chapters that must have them
SHARED = {"L01": "15", "L10": "245", "L13": "25", "L43": "25"}
PARTS = ["Statement", "By hand", "With dualad", "Trace", "Exercise"]


def text_of(chapter):
    return (COMPANION / f"{chapter}.md").read_text(encoding="utf-8")


def split(text):
    """What stands before the first section, and the sections: (id, title, body) each."""
    head, *rest = re.split(r"^### ([LE]\d+) (.+)$", text, flags=re.MULTILINE)
    return head, list(zip(*[iter(rest)] * 3, strict=True))


def blocks(text):
    return re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def run_section(text, name):
    """Run a section after the imports of its page; how many of its examples print an answer."""
    head, sections = split(text)
    body = next(body for found, _, body in sections if found == name)
    parse, report, answers = doctest.DocTestParser(), [], 0
    names = {"__name__": "companion"}
    for code in [*blocks(head), *blocks(body)]:
        test = parse.get_doctest(code, names, name, name, 0)
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS, verbose=False)
        runner.run(test, out=report.append, clear_globs=False)
        names = test.globs
        answers += sum(bool(example.want.strip()) for example in test.examples)
        assert not runner.failures, "".join(report)
    return answers


EVERY = [(chapter, name) for chapter, names in CHAPTERS.items() for name in names.split()]


@pytest.mark.parametrize(("chapter", "name"), EVERY, ids=lambda part: part)
def test_every_section_runs_by_itself_and_prints_an_answer(chapter, name):
    assert run_section(text_of(chapter), name) >= 1


def test_a_wrong_answer_fails_and_a_section_without_one_counts_none():
    page = "```python\n>>> a = 1\n```\n### L01 One\n```python\n>>> a + 1\n2\n```\n### L02 Two\n```python\n>>> b = a\n```\n"
    assert run_section(page, "L01") == 1
    assert run_section(page, "L02") == 0
    with pytest.raises(AssertionError, match="Expected"):
        run_section(page.replace("2\n```\n### L02", "3\n```\n### L02"), "L01")


def test_code_of_the_index_runs():
    page = text_of("index")
    assert run_section("### L00 Index\n" + "".join(f"```python\n{code}```\n" for code in blocks(page)), "L00") >= 2


def test_all_topics_and_errata_are_covered():
    names = [name for _, name in EVERY]
    assert set(names) == TOPICS | ERRATA
    for name in TOPICS | ERRATA:
        chapters = "".join(chapter[0] for chapter, found in EVERY if found == name)
        assert chapters == SHARED.get(name, chapters[0]), name


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_sections_stand_in_slide_order(chapter):
    _, sections = split(text_of(chapter))
    assert [name for name, _, _ in sections] == CHAPTERS[chapter].split()


@pytest.mark.parametrize(("chapter", "name"), EVERY, ids=lambda part: part)
def test_a_deleted_section_is_noticed(chapter, name, monkeypatch):
    head, sections = split(text_of(chapter))
    without = head + "".join(f"### {found} {title}{body}" for found, title, body in sections if found != name)
    monkeypatch.setitem(globals(), "text_of", lambda _: without)
    with pytest.raises(AssertionError):
        test_sections_stand_in_slide_order(chapter)


def test_topics_link_their_pictures():
    found = {}
    for chapter in CHAPTERS:
        for name, _, body in split(text_of(chapter))[1]:
            for script in re.findall(r"\]\(\.\./gallery/([\w-]+)\.py\)", body):
                found.setdefault(name, []).append(script)
    assert found == PICTURES


def test_there_is_no_page_beside_the_chapters():
    assert sorted(path.stem for path in COMPANION.glob("*")) == [*CHAPTERS, "index"]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_topic_has_its_parts_in_order_and_an_erratum_its_box(chapter):
    for name, _, body in split(text_of(chapter))[1]:
        if name.startswith("E"):
            assert body.strip().startswith(f"> **Erratum {name}.**"), name
            continue
        parts = re.findall(r"^\*\*(.+?)\.\*\*", body, re.MULTILINE)
        assert parts == PARTS, f"{name}: {parts}"
        by_hand = body[body.index("**By hand.**") : body.index("**With dualad.**")]
        assert len(re.findall(r"\$[^$]+\$", by_hand)) >= 2, name
        shown, traced = (body.index(f"**{part}.**") for part in ("With dualad", "Trace"))
        assert blocks(body[shown:traced]), name
        assert re.search(r"dualad\.(explain|diagnose)\(", body[traced:]), name


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_exercises_named_on_a_page_belong_to_their_topic(chapter):
    found = 0
    for name, _, body in split(text_of(chapter))[1]:
        for line in re.findall(r"^With a checker: (.*(?:\n\S.*)*)", body, re.MULTILINE):
            listed = str(teach.list(name)).split()
            for exercise in re.findall(r"`([\w-]+)`", line):
                assert exercise in listed, f"{exercise} is no exercise of {name}"
                found += 1
    assert found >= 5


def test_every_topic_and_erratum_has_a_checked_exercise():
    text = "".join(map(text_of, CHAPTERS))
    without = {name for name, _, body in split(text)[1] if "With a checker: `" not in body}
    with_one = {name for name, _, body in split(text)[1] if "With a checker: `" in body}
    assert without <= set(SHARED)
    assert with_one == TOPICS | ERRATA


# ---------------------------------------------------------------- the pages as text

PAGES = [*CHAPTERS, "index"]


def prose(text):
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


def anchors(text):
    headings = re.findall(r"^#+ +(.*)$", prose(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_links_resolve(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(text_of(page))):
        path, _, anchor = target.partition("#")
        to = (COMPANION / path).resolve()
        assert to.exists(), target
        assert not anchor or anchor in anchors(to.read_text(encoding="utf-8")), target


@pytest.mark.parametrize("page", PAGES)
def test_formulas_are_closed_on_their_line(page):
    """A formula that a line break cuts, or a dollar that nothing closes, is not rendered."""
    for line in prose(text_of(page)).splitlines():
        text = re.sub(r"`[^`]*`", "", line)
        assert text.count("$") % 2 == 0, line
        for formula in re.findall(r"\$([^$]*)\$", text):
            assert formula.count("{") == formula.count("}"), line
            assert formula == formula.strip(), f"a space beside a dollar: {line}"
        assert len(line) <= 132 or line.startswith("|"), line


@pytest.mark.parametrize("page", PAGES)
def test_what_is_typed_fits_the_column_of_the_site(page):
    """What is printed may be wider: a table has the columns it has."""
    typed = [line for code in blocks(text_of(page)) for line in code.splitlines() if line.startswith((">>> ", "... "))]
    assert not [line for line in typed if len(line) > 92]


def test_index_lists_every_section():
    linked = re.findall(r"\]\((\d[\w-]+)\.md#([le]\d+)-", text_of("index"))
    assert sorted(linked) == sorted((chapter, name.lower()) for chapter, name in EVERY)
    chapters = re.findall(r"^\d\. \[.*?\]\((.*?)\.md\)", text_of("index"), re.MULTILINE)
    assert chapters == list(CHAPTERS)


CONSOLES = [block for page in PAGES for block in re.findall(r"^```\n\$ python (.*?)^```", text_of(page), re.DOTALL | re.MULTILINE)]


@pytest.mark.parametrize("block", CONSOLES)
def test_commands_print_what_the_page_shows(block):
    command, output = block.split("\n", 1)
    done = subprocess.run([sys.executable, *shlex.split(command, comments=True)], cwd=ROOT, capture_output=True, text=True,
                          timeout=120, check=False)  # fmt: skip
    assert (done.returncode, done.stdout) == (0, output)


def test_commands_are_found():
    assert CONSOLES

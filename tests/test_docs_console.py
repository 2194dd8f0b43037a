"""The terminal sessions of the documentation: each ``$ dualad ...`` of a console block runs and prints what the page says.

A page's sessions run in order, in one empty folder, beside the files the page tells its reader to write: a python block whose
first line is ``# name.py``. In what a command should print, ``...`` stands for anything, also for some lines.
"""

import doctest
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"^```(console|python)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def pages():
    found = [ROOT / "README.md", *(p for p in (ROOT / "docs").rglob("*.md") if not {"_build", "_generated"} & set(p.parts))]
    return sorted(p for p in found if "```console\n" in p.read_text(encoding="utf-8"))


def sessions(text):
    """(file name, its text) or (command, what it prints), in the order of the page."""
    for kind, body in BLOCK.findall(text):
        if kind == "python":
            if name := re.match(r"# (\w+\.py)\n", body):
                yield name[1], body
        else:
            for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
                command, _, want = part.partition("\n")
                yield command, want.rstrip("\n") + "\n" if want.strip() else ""


def run(command, folder):
    words = shlex.split(command)
    assert words[0] in ("dualad", "ls"), f"a page's commands are dualad's, not {command}"
    if words[0] == "dualad":
        words[:1] = [sys.executable, "-P", "-m", "dualad.cli"]
    environment = os.environ | {"PYTHONIOENCODING": "utf-8", "OPENBLAS_NUM_THREADS": "1", "COLUMNS": "120"}
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8", timeout=120)


def check(text, folder):
    """Run a page's sessions; how many commands there were."""
    commands = 0
    for first, second in sessions(text):
        if first.endswith(".py") and " " not in first:
            (folder / first).write_text(second, encoding="utf-8")
            continue
        done = run(first, folder)
        commands += 1
        got = done.stdout + done.stderr
        example = doctest.Example("", second)
        checker = doctest.OutputChecker()
        if second and not checker.check_output(second, got, doctest.ELLIPSIS):
            raise AssertionError(f"$ {first}\n" + checker.output_difference(example, got, doctest.ELLIPSIS))
        assert second or done.returncode == 0, f"$ {first}\n{got}"
    return commands


@pytest.mark.parametrize("path", pages(), ids=lambda p: str(p.relative_to(ROOT)))
def test_sessions_print_what_the_page_says(path, tmp_path):
    if "png" in path.read_text(encoding="utf-8"):
        pytest.importorskip("matplotlib", reason="the page draws a PNG: pip install 'dualad[plot]'")
    assert check(path.read_text(encoding="utf-8"), tmp_path) > 0


def test_a_wrong_session_fails(tmp_path):
    page = "```python\n# mine.py\ndef f(x):\n    return x\n```\n\n```console\n$ dualad --version\ndualad 999\n```\n"
    with pytest.raises(AssertionError, match="999"):
        check(page, tmp_path)
    assert (tmp_path / "mine.py").exists()


def test_the_first_tutorial_draws_its_picture(tmp_path):
    """From the file springs.py to a page, a picture and numbers that load."""
    pytest.importorskip("matplotlib", reason="the page draws a PNG: pip install 'dualad[plot]'")
    from dualad import compare

    assert check((ROOT / "docs" / "first-cost-plot.md").read_text(encoding="utf-8"), tmp_path) >= 3
    assert (tmp_path / "springs.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / "springs.html").read_text(encoding="utf-8")
    report = compare.load(tmp_path / "springs.json")
    assert [row.n for row in report.parts[0].rows] == [1, 2, 4, 8, 16, 32, 64, 128, 256]

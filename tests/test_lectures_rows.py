"""Every worked example has its test: ids L01 ... L44 and errata E1 ... E7, none missing, none invented, none switched off."""

import ast
from pathlib import Path

import pytest

WANTED = {f"L{i:02d}" for i in range(1, 45)} | {f"E{i}" for i in range(1, 8)}
FILES = sorted(path for path in Path(__file__).parent.glob("test_lectures_*.py") if path != Path(__file__))


def checks(statement, checkers):
    """Does a statement assert something, itself or by a helper that does?"""
    for node in ast.walk(statement):
        called = node.func if isinstance(node, ast.Call) else None
        if isinstance(node, ast.Assert) or (isinstance(called, ast.Name) and called.id in checkers):
            return True
        if isinstance(called, ast.Attribute) and (called.attr == "raises" or called.attr.startswith("assert_")):
            return True
    return False


def covered(text):
    """The ids that the test functions of a file check: functions that are skipped or check nothing do not count."""
    functions = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    checkers = {f.name for f in functions if not f.name.startswith("test_") and checks(f, ())}
    marked = lambda f: any("skip" in ast.unparse(mark) or "xfail" in ast.unparse(mark) for mark in f.decorator_list)
    found = [f for f in functions if f.name.startswith("test_") and f.name.split("_")[1] in WANTED]
    return {f.name.split("_")[1] for f in found if checks(f, checkers) and not marked(f)}


def test_every_worked_example_and_erratum_has_a_test():
    assert set().union(*(covered(path.read_text(encoding="utf-8")) for path in FILES)) == WANTED


def test_no_test_belongs_to_an_example_that_does_not_exist():
    named = {f.name.split("_")[1] for path in FILES for f in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
             if isinstance(f, ast.FunctionDef) and f.name.startswith("test_")}  # fmt: skip
    assert {name for name in named if name[0] in "LE" and name[1:].isdigit()} == WANTED


@pytest.mark.parametrize(("body", "counts"), [
    ("def test_L01_a():\n    assert 1\n", True),
    ("def close(a, b):\n    assert a == b\ndef test_L01_a():\n    close(1, 1)\n", True),
    ("def test_L01_a():\n    np.testing.assert_allclose(1, 1)\n", True),
    ("# def test_L01_a():\n#     assert 1\n", False),
    ("def test_L01_a():\n    f(1)\n", False),
    ("@pytest.mark.skip\ndef test_L01_a():\n    assert 1\n", False),
    ("@pytest.mark.xfail(strict=False)\ndef test_L01_a():\n    assert 1\n", False),
])  # fmt: skip
def test_what_counts_as_a_test(body, counts):
    assert covered(body) == ({"L01"} if counts else set())

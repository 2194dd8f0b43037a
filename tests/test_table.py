"""The table csrc/ops.def and everything made from it say the same: the drift test of the rules."""

from __future__ import annotations

import ast
import math
import re
from pathlib import Path

import numpy as np
import pytest
from exact import PAIRS, PARTIALS, ROWS, UFUNCS, distance, mp, points

import dualad
from dualad import _core
from dualad.rules.elementwise import MATH_PRIMITIVES, UFUNC_PRIMITIVES, compile_rule

TABLE = Path(__file__).resolve().parents[1] / "csrc" / "ops.def"
CLASSES = {"MOVE", "ADD", "MUL", "NONLINEAR", "SELECT", "STEP"}
UNARY_DOMAINS = {"REAL", "POSITIVE", "UNIT", "ABOVE1", "NONZERO"}
CONDITIONS = {"lt", "le", "eq"}
# NumPy's loops and libm differ by a few ulp a function; a partial is a product of at most a handful of them.
DRIFT = 16.0


def split_arguments(text: str) -> list[str]:
    """Arguments of a macro call, split at commas outside parentheses."""
    parts, depth, start = [], 0, 0
    for i, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if c == "," and depth == 0:
            parts.append(text[start:i])
            start = i + 1
    return [*parts, text[start:]]


def parse_table() -> list[dict[str, object]]:
    """Rows of csrc/ops.def by a reader of our own, blanks removed."""
    text = re.sub(r"/\*.*?\*/", "", TABLE.read_text(encoding="utf-8"), flags=re.S)
    rows = []
    for match in re.finditer(r"^(UNARY|BINARY)\(", text, flags=re.M):
        depth, end = 1, match.end()
        while depth:
            depth += (text[end] == "(") - (text[end] == ")")
            end += 1
        fields = [re.sub(r"\s+", "", part) for part in split_arguments(text[match.end() : end - 1])]
        arity = 1 if match[1] == "UNARY" else 2
        name, value, *partials, cls, domain = fields
        rows.append({"name": name, "arity": arity, "value": value, "dx": partials[0], "dy": partials[1] if arity == 2 else "",
                     "cls": cls, "domain": domain})
    return rows


def test_the_compiled_core_holds_the_rows_of_the_file():
    """A stale build (or a row lost on the way) shows here."""
    compiled = [{k: re.sub(r"\s+", "", v) if isinstance(v, str) else v for k, v in row.items() if k != "code"}
                for row in _core.rows()]
    assert compiled == parse_table()


def test_names_are_unique_and_codes_leave_room_for_constant_operands():
    """A unary row has one opcode, a binary row three; opcode 0 is no row, and a code fits a byte."""
    rows = _core.rows()
    assert len({row["name"] for row in rows}) == len(rows)
    expected = 1
    for row in rows:
        assert row["code"] == expected, row["name"]
        expected += 1 if row["arity"] == 1 else 3
    assert expected < 250


@pytest.mark.parametrize("name", ROWS)
def test_a_row_is_complete(name):
    """Every row has a ufunc, a scalar function, primitives for other payloads, an exact partial and points to test it at."""
    row, ufunc = ROWS[name], UFUNCS[name]
    assert isinstance(ufunc, np.ufunc)
    assert (ufunc.nin, ufunc.nout) == (row["arity"], 1)
    assert _core.ufunc_codes()[ufunc] in {r["code"] for r in ROWS.values() if UFUNCS[r["name"]] is ufunc}
    assert ufunc in UFUNC_PRIMITIVES
    assert ufunc in MATH_PRIMITIVES
    assert callable(_core.MATH[name])
    assert row["cls"] in CLASSES
    assert row["domain"] in (UNARY_DOMAINS if row["arity"] == 1 else set(PAIRS))
    assert len(PARTIALS[name]) == (1 if row["arity"] == 1 or row["dy"] == "nan" else 2)
    assert len(points(row)) >= 15


def test_nothing_is_listed_that_has_no_row():
    """The exact partials, the ufuncs of ours and the opcodes know no name beyond the table's."""
    assert set(PARTIALS) == set(ROWS)
    assert set(_core.OWN_UFUNCS) <= set(ROWS)
    assert set(_core.MATH) == set(ROWS)
    assert set(_core.ufunc_codes()) == set(UFUNCS.values())
    assert set(UFUNC_PRIMITIVES) == set(UFUNCS.values())


@pytest.mark.parametrize("name", ROWS)
def test_a_row_is_written_in_what_c_and_python_share(name):
    """Float literals, + - * /, x y v, names of rows, conditions only inside select: no integer division, no ternary."""
    row = ROWS[name]
    for field in ("value", "dx", "dy"):
        if not row[field]:
            continue
        tree = ast.parse(row[field], mode="eval")
        chosen = {id(node.args[0]) for node in ast.walk(tree) if isinstance(node, ast.Call) and node.func.id == "select"}
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                assert node.func.id in set(ROWS) | CONDITIONS | {"select"}
                assert (node.func.id in CONDITIONS) == (id(node) in chosen)
                assert not node.keywords
            elif isinstance(node, ast.Name):
                assert node.id in set(ROWS) | CONDITIONS | {"select", "nan", "x", "v"} | ({"y"} if row["arity"] == 2 else set())
            elif isinstance(node, ast.Constant):
                assert type(node.value) is float
            else:
                assert isinstance(node, (ast.Expression, ast.BinOp, ast.UnaryOp, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.USub,
                                         ast.Load))


@pytest.mark.parametrize("name", ROWS)
def test_c_is_the_rule_string(name):
    """What the preprocessor compiled equals the string evaluated by Python, value and partials, over the domain."""
    row = ROWS[name]
    strings = [row["value"]] + [row[p] for p in ("dx", "dy")[: len(PARTIALS[name])]]
    rules = [compile_rule(text) for text in strings]
    for point in points(row):
        x, y = (*map(np.float64, point), np.float64(0.0))[:2]
        v = _core.row_value(row["code"], *point)
        compiled = (v, *_core.row_partials(row["code"], x, y, v))
        with np.errstate(all="ignore"):
            for text, rule, c in zip(strings, rules, compiled, strict=False):
                python = float(rule(x, y, np.float64(v)))
                if math.isfinite(c) and math.isfinite(python):
                    assert distance(python, mp.mpf(c)) <= DRIFT, (text, point, c, python)
                elif not (math.isnan(c) and math.isnan(python)):
                    largest = max(abs(python), abs(c))
                    assert python == c or (math.isinf(largest) and min(abs(python), abs(c)) > 1.7976931348623e308), (text, point)


@pytest.mark.parametrize("name", [n for n in ROWS if n not in _core.OWN_UFUNCS])
def test_values_are_numpys(name):
    """The value column is the function NumPy computes (to the ulp in which two maths libraries differ)."""
    row = ROWS[name]
    for point in points(row):
        with np.errstate(all="ignore"):
            theirs = float(UFUNCS[name](*point))
        ours = _core.row_value(row["code"], *point)
        assert ours == theirs or distance(ours, mp.mpf(theirs)) <= 4.0, point


def test_the_mirror_of_math_has_every_public_row():
    """dualad.math offers the rows under the table's names; rows that only partials use stay private."""
    private = set(ROWS) - set(dir(dualad.math))
    assert private == {"gaussian", "sech2", "softweight", "softweight2", "sincd", "remainder"}

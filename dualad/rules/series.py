"""The partials of the op table in postfix, for Taylor arithmetic in C (csrc/taylor.h).

The words of a text follow its syntax tree; a select becomes a comparison and a jump, so that the side which is not chosen is
never computed.

>>> from dualad.rules.series import words
>>> [word for word, _, _ in words("1.0 + v*v")]
['constant', 'v', 'v', 'multiply', 'add', 'end']
"""

from __future__ import annotations

import ast
import functools
import math

from .. import _core

__all__ = ["load", "words"]

Words = list[tuple[str, int, float]]

_ARITHMETIC = {ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide"}
_CONDITIONS = {"lt": "less", "le": "less_equal", "eq": "equal"}


@functools.cache
def _codes() -> dict[str, tuple[int, int]]:
    """Name of a row: (code, arity)."""
    return {row["name"]: (row["code"], row["arity"]) for row in _core.rows()}


def words(text: str) -> Words:
    """A partial's text as (word, code, number) triples, the last one "end".

    Parameters
    ----------
    text : str
        An expression of csrc/ops.def.

    Returns
    -------
    list of (str, int, float)
    """
    return [*_words(ast.parse(text, mode="eval").body), ("end", 0, 0.0)]


def _words(node: ast.AST) -> Words:
    if isinstance(node, ast.Name):
        return [("constant", 0, math.nan)] if node.id == "nan" else [(node.id, 0, 0.0)]
    if isinstance(node, ast.Constant):
        return [("constant", 0, float(node.value))]  # type: ignore[arg-type]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return [*_words(node.operand), ("negate", 0, 0.0)]
    if isinstance(node, ast.BinOp):
        return [*_words(node.left), *_words(node.right), (_ARITHMETIC[type(node.op)], 0, 0.0)]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        name, args = node.func.id, node.args
        if name == "select":
            condition, chosen, other = args
            assert isinstance(condition, ast.Call)
            assert isinstance(condition.func, ast.Name)
            yes, no = _words(chosen), _words(other)
            test = [word for arg in condition.args for word in _words(arg)]
            return [*test, (_CONDITIONS[condition.func.id], len(yes) + 1, 0.0), *yes, ("jump", len(no), 0.0), *no]
        code, arity = _codes()[name]
        return [*(word for arg in args for word in _words(arg)), (f"function{arity}", code, 0.0)]
    raise SyntaxError(f"csrc/ops.def: {ast.unparse(node)} has no Taylor arithmetic")


@functools.cache
def load() -> None:
    """Give the core the words of every row (once)."""
    _core.set_series_rules([(row["code"], words(row["dx"]), words(row["dy"]) if row["dy"] else []) for row in _core.rows()])

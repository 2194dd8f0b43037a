"""Formulas of operations and of their partials, over the names of a program.

A partial is the text of the rule's row in the table of operations, with the operands' names put in for x and y, the operation's own
formula for v, and each select replaced by the side that these values choose. A few rules of algebra make it look as it does in a
book; tests evaluate every formula and compare it with the number that the sweeps use.

Operations on whole arrays, which are linear maps and not one partial an element, are in :mod:`dualad.explanation.array_formulas`.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..rules.elementwise import NAMESPACE, ROWS, select
from .algebra import Expr, parse, parsed, simplify, substitute, text_of

__all__ = ["call_formula", "partial_formula"]

_INFIX: dict[str, type[ast.operator]] = {
    "add": ast.Add,
    "subtract": ast.Sub,
    "multiply": ast.Mult,
    "divide": ast.Div,
    "power": ast.Pow,
    "matmul": ast.MatMult,
    "dot": ast.MatMult,
}
#: functions that only rules use -> what a book writes
_BOOK: dict[str, str] = {
    "sech2": "1 - tanh(x)**2",
    "gaussian": "exp(-x**2)",
    "softweight": "1/(1 + exp(y - x))",
    "softweight2": "1/(1 + 2**(y - x))",
    "hypot": "sqrt(x**2 + y**2)",
}
#: numbers of rules -> what they are
_NUMBERS = {
    0.6931471805599453: "log(2)",
    1.4426950408889634: "1/log(2)",
    0.4342944819032518: "1/log(10)",
    0.017453292519943295: "pi/180",
    57.29577951308232: "180/pi",
    1.1283791670955126: "2/sqrt(pi)",
}
#: the comparisons of rules
_COMPARISONS: dict[str, type[ast.cmpop]] = {"lt": ast.Lt, "le": ast.LtE, "eq": ast.Eq}
#: which operand an extremum chooses: with x == y dealt with before, v == x says x > y
_CHOOSES: dict[str, type[ast.cmpop]] = {"maximum": ast.Gt, "fmax": ast.Gt, "minimum": ast.Lt, "fmin": ast.Lt}


def call_formula(operation: str, operands: Sequence[str], keywords: str = "") -> str:
    """An operation over the texts of its operands: infix where it has a sign; `keywords` (", axis=0") end a call."""
    trees = [parsed(text) for text in operands]
    if operation == "negative":
        return text_of(ast.UnaryOp(ast.USub(), trees[0]))
    if operation in ("square", "positive", "conjugate") and len(trees) == 1:
        return text_of(ast.BinOp(trees[0], ast.Pow(), ast.Constant(2))) if operation == "square" else text_of(trees[0])
    if operation == "reciprocal":
        return text_of(ast.BinOp(ast.Constant(1), ast.Div(), trees[0]))
    if operation == "transpose" and len(trees) == 1:
        return f"{operands[0]}.T"
    if operation in _INFIX and len(trees) == 2:
        return text_of(ast.BinOp(trees[0], _INFIX[operation](), trees[1]))
    return f"{operation}({', '.join(operands)}{keywords})"


def partial_formula(operation: str, operands: Sequence[str], values: Sequence[Any], out: Any, place: int) -> str:
    """The partial of an elementwise operation by one operand, from the table; "" for what is no row of it.

    Where different elements choose different sides, it is a `where`.

    Parameters
    ----------
    operation : str
        Name of the row.
    operands : sequence of str
        Names, or constants as text.
    values : sequence
        Their values.
    out
        The result.
    place : int
        The operand to differentiate by.

    Examples
    --------
    >>> from dualad.explanation.formulas import partial_formula
    >>> import numpy as np
    >>> partial_formula("sqrt", ["c"], [4.0], 2.0, 0)
    '1/(2*sqrt(c))'
    >>> partial_formula("power", ["x", "3"], [2.0, 3.0], 8.0, 0)
    '3*x**2'
    >>> partial_formula("maximum", ["v", "0"], [np.array([-1.0, 1.0]), 0.0], np.array([0.0, 1.0]), 0)
    'where(v > 0, 1, 0)'
    """
    row = ROWS.get(operation)
    if row is None:
        return ""
    x, y = parsed(operands[0]), parsed(operands[-1])
    v = parsed(call_formula(operation, operands))
    if operation in _WHOLE:
        whole, guard = _WHOLE[operation][place], _GUARDS.get((operation, place), "")
        zero = guard and np.equal(values[0] if guard == "x" else out, 0.0)
        if guard and np.any(zero):
            whole = "0" if np.all(zero) else f"where({guard} == 0, 0, {whole})"
        return text_of(simplify(substitute(parse(whole), {"x": x, "y": y})))
    tree = _Choose(operation, {"x": values[0], "y": values[-1], "v": out}).visit(parse(row["dx" if place == 0 else "dy"]))
    return text_of(simplify(substitute(simplify(tree), {"x": x, "y": y, "v": v})))


#: rows written for the ends of the range, or by a function that no book has: their partials by x and by y away from there
_WHOLE = {
    "power": ("y*x**(y - 1)", "x**y*log(x)"),
    "float_power": ("y*x**(y - 1)", "x**y*log(x)"),
    "divide": ("1/y", "-x/y**2"),
    "arctan2": ("y/(x**2 + y**2)", "-x/(x**2 + y**2)"),
    "arctan": ("1/(1 + x**2)",),
    "hypot": ("x/hypot(x, y)", "y/hypot(x, y)"),
    "sinc": ("(cos(pi*x) - sinc(x))/x",),
}
#: what they must not be divided by, or the logarithm taken of: the partial is 0 there
_GUARDS = {
    ("power", 1): "x",
    ("float_power", 1): "x",
    ("hypot", 0): "hypot(x, y)",
    ("hypot", 1): "hypot(x, y)",
    ("sinc", 0): "x",
}


class _Choose(ast.NodeTransformer):
    """select(c, a, b) -> the side that the values choose, where(c, a, b) where they differ; functions of rules as in a book."""

    def __init__(self, operation: str, values: dict[str, Any]) -> None:
        self.operation, self.values = operation, values

    def visit_Constant(self, tree: ast.Constant) -> Expr:
        return parse(_NUMBERS[tree.value]) if type(tree.value) is float and tree.value in _NUMBERS else tree

    def visit_Call(self, tree: ast.Call) -> Expr:
        name = tree.func.id if isinstance(tree.func, ast.Name) else ""
        if name == "select":
            with np.errstate(all="ignore"):
                holds = eval(
                    compile(ast.fix_missing_locations(ast.Expression(tree.args[0])), "ops.def", "eval"),  # a row of our own table
                    {**NAMESPACE, "select": select},  # not the lazy one: the condition is evaluated as it stands
                    dict(self.values),
                )
            if np.all(holds):
                return self.visit(tree.args[1])  # type: ignore[no-any-return]
            if np.any(holds):
                return ast.Call(ast.Name("where"), [self.visit(side) for side in tree.args], [])
            return self.visit(tree.args[2])  # type: ignore[no-any-return]
        if name in _COMPARISONS:
            if self.operation in _CHOOSES and ast.unparse(tree.args[0]) == "v":
                chosen = ast.unparse(tree.args[1])
                return ast.Compare(ast.Name(chosen), [_CHOOSES[self.operation]()], [ast.Name("y" if chosen == "x" else "x")])
            return ast.Compare(self.visit(tree.args[0]), [_COMPARISONS[name]()], [self.visit(tree.args[1])])
        self.generic_visit(tree)
        if name == "power":
            return ast.BinOp(tree.args[0], ast.Pow(), tree.args[1])
        if name in _BOOK:
            return substitute(parse(_BOOK[name]), dict(zip("xy", tree.args, strict=False)))
        return tree

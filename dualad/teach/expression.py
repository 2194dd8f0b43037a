"""Formulas as students write them, "2*x*cos(x**2)": read into a syntax tree and evaluated, never executed.

Allowed are numbers, the names of the exercise, + - * / @ **, functions of the table below, x[0], A.T and lists.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

__all__ = ["FUNCTIONS", "evaluate"]

def _size(n: float) -> int:
    if not 0 <= n <= 100:
        raise TypeError(f"{n:g} is no size of a small matrix")
    return int(n)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "exp": np.exp, "log": np.log, "ln": np.log, "sqrt": np.sqrt, "tanh": np.tanh,
    "abs": np.abs, "sum": np.sum, "dot": np.dot, "outer": np.outer, "inv": np.linalg.inv, "det": np.linalg.det, "trace": np.trace,
    "diag": np.diag, "transpose": np.transpose, "ones": lambda n: np.ones(_size(n)), "eye": lambda n: np.eye(_size(n)),
    "norm": np.linalg.norm, "sigmoid": lambda a: 1.0 / (1.0 + np.exp(-a)),
}  # fmt: skip
CONSTANTS = {"pi": np.pi, "e": np.e}
BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv, ast.Pow: np.power,
    ast.MatMult: operator.matmul,
}  # fmt: skip
LONGEST = 500


def evaluate(text: str, names: Mapping[str, Any]) -> Any:
    """The value of a formula.

    Parameters
    ----------
    text : str
    names : mapping of str to float or array
        What its variables stand for.

    Returns
    -------
    float or array

    Raises
    ------
    ValueError
        It is no formula, or has a name that is not known; the message says what to write.

    Examples
    --------
    >>> from dualad.teach.expression import evaluate
    >>> float(evaluate("2*x + sin(0)", {"x": 3.0}))
    6.0
    """
    if len(text) > LONGEST:
        raise ValueError(f"a formula of {len(text)} characters: write it in fewer than {LONGEST}, or as a function")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueError(f"{text!r} is not a formula: write it as in Python, 2*x*exp(3*x) or x**2") from None
    try:
        with np.errstate(all="ignore"):
            return _value(tree, {**CONSTANTS, **names}, text)
    except (TypeError, IndexError, np.linalg.LinAlgError, ZeroDivisionError, OverflowError) as error:
        raise ValueError(f"{text!r} cannot be evaluated: {error}") from None


def _value(node: ast.expr, names: Mapping[str, Any], text: str) -> Any:
    value = lambda part: _value(part, names, text)
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return float(node.value)
    if isinstance(node, ast.Name):
        if node.id in names:
            return names[node.id]
        what = "write it with its argument" if node.id in FUNCTIONS else f"the variables are {', '.join(names)}"
        raise ValueError(f"{text!r}: {node.id} is not a variable of this exercise; {what}")
    if isinstance(node, ast.BinOp):
        if isinstance(node.op, ast.BitXor):
            raise ValueError(f"{text!r}: write ** for a power, not ^")
        if type(node.op) in BINARY:
            return BINARY[type(node.op)](value(node.left), value(node.right))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        return -value(node.operand) if isinstance(node.op, ast.USub) else value(node.operand)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        if node.func.id not in FUNCTIONS:
            raise ValueError(f"{text!r}: no function {node.func.id}; there are {', '.join(FUNCTIONS)} (and * for a product)")
        return FUNCTIONS[node.func.id](*map(value, node.args))
    if isinstance(node, ast.Attribute) and node.attr == "T":
        return np.transpose(value(node.value))
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, int):
        return value(node.value)[node.slice.value]
    if isinstance(node, ast.List | ast.Tuple):
        parts = [value(part) for part in node.elts]
        if len({np.shape(part) for part in parts}) > 1:
            raise TypeError("the parts of a list have different shapes")
        return np.array(parts)
    raise ValueError(f"{text!r}: {ast.unparse(node)!r} is not allowed in a formula; use numbers, names, + - * / @ ** and functions")

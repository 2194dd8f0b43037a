"""Formulas of operations and of their partials, over the names of a program.

A partial is the text of the rule's row in the table of operations, with the operands' names put in for x and y, the operation's own
formula for v, and each select replaced by the side that these values choose. A few rules of algebra make it look as it does in a
book; tests evaluate every formula and compare it with the number that the sweeps use.

Array operations have a line for what they do to a tangent (`push`) and to an adjoint (`pullback`), or none. The file goes
past 500 lines because elementwise and array formulas share one small algebra of trees.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from ..rules.elementwise import NAMESPACE, ROWS, select

__all__ = [
    "call_formula",
    "constant",
    "constant_text",
    "join",
    "parse",
    "partial_formula",
    "product",
    "pullback",
    "push",
    "reduced",
    "repeated",
    "shaped",
    "simplify",
    "substitute",
    "text_of",
    "total",
]

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
}

Expr = ast.expr


def parse(text: str) -> Expr:
    """A formula as a tree."""
    return ast.parse(text, mode="eval").body


def text_of(tree: Expr) -> str:
    """A tree as a formula, powers and products without blanks."""
    return _Text().visit(tree)[0]


class _Text:
    """Python text, with blanks around + and - only."""

    _PRECEDENCE: ClassVar[dict[type, tuple[int, str]]] = {
        ast.Add: (1, " + "),
        ast.Sub: (1, " - "),
        ast.Mult: (2, "*"),
        ast.Div: (2, "/"),
        ast.MatMult: (2, " @ "),
        ast.Pow: (4, "**"),
    }

    def visit(self, tree: Expr) -> tuple[str, int]:
        if isinstance(tree, ast.BinOp) and type(tree.op) in self._PRECEDENCE:
            level, sign = self._PRECEDENCE[type(tree.op)]
            (left, a), (right, b) = self.visit(tree.left), self.visit(tree.right)
            power = isinstance(tree.op, ast.Pow)
            if a < level or (power and a <= level):
                left = f"({left})"
            if b < level or (
                b == level and not power and not (isinstance(tree.op, (ast.Add, ast.Mult)) and _same(tree, tree.right))
            ):
                right = f"({right})"
            return f"{left}{sign}{right}", level
        if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub):
            inner, level = self.visit(tree.operand)
            return f"-{inner}" if level >= 2 else f"-({inner})", 1 if level < 2 else 2
        if isinstance(tree, ast.Call):
            parts = [self.visit(a)[0] for a in tree.args] + [f"{k.arg}={self.visit(k.value)[0]}" for k in tree.keywords]
            name = self.visit(tree.func)[0]
            return f"{name}({parts[0]},)" if name == "array" and len(parts) == 1 else f"{name}({', '.join(parts)})", 9
        if isinstance(tree, ast.Attribute):
            inner, level = self.visit(tree.value)
            return f"{inner}.{tree.attr}" if level >= 9 else f"({inner}).{tree.attr}", 9
        if isinstance(tree, ast.Constant) and isinstance(tree.value, (int, float)):
            text = constant_text(tree.value)
            return text, 1 if text.startswith("-") else 9
        return ast.unparse(tree), 9


def _same(outer: ast.BinOp, inner: Expr) -> bool:
    return isinstance(inner, ast.BinOp) and type(inner.op) is type(outer.op)


def constant_text(x: Any) -> str:
    """A constant as it is written in a formula."""
    if isinstance(x, (bool, np.bool_)):
        return str(bool(x))
    if np.ndim(x) == 0:
        value = float(x)
        if value == int(value) if math.isfinite(value) and abs(value) < 1e15 else False:
            return str(int(value))
        return f"{value:.6g}"
    return f"array{np.shape(x)}".replace(" ", "")


# ---- algebra ---------------------------------------------------------------------------------------------------------


def _number(tree: Expr) -> float | None:
    if isinstance(tree, ast.Constant) and isinstance(tree.value, (int, float)) and not isinstance(tree.value, bool):
        return float(tree.value)
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub):
        inner = _number(tree.operand)
        return None if inner is None else -inner
    return None


def _constant(x: float) -> Expr:
    value: float = int(x) if math.isfinite(x) and x == int(x) and abs(x) < 1e15 else x
    return ast.UnaryOp(ast.USub(), ast.Constant(-value)) if value < 0 else ast.Constant(value)


def _negated(tree: Expr) -> Expr | None:
    """The rest of -rest or -3 rest; None where there is no sign."""
    number = _number(tree)
    if number is not None:
        return _constant(-number) if number < 0 else None
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub):
        return tree.operand
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, (ast.Mult, ast.Div)):
        rest = _negated(tree.left)
        return None if rest is None else simplify(ast.BinOp(rest, tree.op, tree.right))
    return None


def simplify(tree: Expr) -> Expr:
    """The few rules that make a rule's text look as in a book; the value stays, up to rounding."""
    return _Simplify().visit(tree)  # type: ignore[no-any-return]


class _Simplify(ast.NodeTransformer):
    def visit_Attribute(self, tree: ast.Attribute) -> Expr:
        self.generic_visit(tree)
        inner = tree.value
        if tree.attr == "T" and isinstance(inner, ast.Attribute) and inner.attr == "T":
            return inner.value
        if tree.attr == "T" and isinstance(inner, ast.Call) and ast.unparse(inner.func) == "outer":
            return ast.Call(inner.func, inner.args[::-1], [])
        return tree

    def visit_UnaryOp(self, tree: ast.UnaryOp) -> Expr:
        self.generic_visit(tree)
        if not isinstance(tree.op, ast.USub):
            return tree
        if _number(tree.operand) == 0.0:
            return ast.Constant(0)
        return _negated(tree.operand) or tree

    def visit_BinOp(self, tree: ast.BinOp) -> Expr:
        self.generic_visit(tree)
        left, right, op = tree.left, tree.right, tree.op
        a, b = _number(left), _number(right)
        if a is not None and b is not None:
            folded = self.fold(op, a, b)
            if folded is not None:
                return folded
        rule = {ast.Add: self.add, ast.Sub: self.subtract, ast.Mult: self.multiply, ast.Div: self.divide, ast.Pow: self.power}.get(
            type(op)
        )
        return rule(left, right, a, b) or tree if rule else tree

    @staticmethod
    def fold(op: ast.operator, a: float, b: float) -> Expr | None:
        value = {ast.Add: a + b, ast.Sub: a - b, ast.Mult: a * b}.get(type(op))
        if value is None and isinstance(op, ast.Pow) and b == int(b) and 0 <= b <= 8:
            value = a**b
        return None if value is None or not math.isfinite(value) else _constant(value)

    @staticmethod
    def add(left: Expr, right: Expr, a: float | None, b: float | None) -> Expr | None:
        if a == 0.0:
            return right
        if b == 0.0:
            return left
        rest = _negated(right)
        if rest is None and ast.dump(left) == ast.dump(right):
            return simplify(ast.BinOp(ast.Constant(2), ast.Mult(), left))
        return ast.BinOp(left, ast.Sub(), rest) if rest is not None else None

    @staticmethod
    def subtract(left: Expr, right: Expr, a: float | None, b: float | None) -> Expr | None:
        if b == 0.0:
            return left
        if a == 0.0:
            return simplify(ast.UnaryOp(ast.USub(), right))
        rest = _negated(right)
        return ast.BinOp(left, ast.Add(), rest) if rest is not None else None

    @staticmethod
    def multiply(left: Expr, right: Expr, a: float | None, b: float | None) -> Expr | None:
        if a == 0.0 or b == 0.0:
            return ast.Constant(0)
        if a == 1.0:
            return right
        if b == 1.0:
            return left
        for one, other in ((left, right), (right, left)):
            rest = _negated(one)
            if rest is not None and _number(one) in (None, -1.0):
                pair = (rest, other) if one is left else (other, rest)
                return simplify(ast.UnaryOp(ast.USub(), simplify(ast.BinOp(pair[0], ast.Mult(), pair[1]))))
        if b is not None and a is None:
            return simplify(ast.BinOp(right, ast.Mult(), left))
        if isinstance(right, ast.BinOp) and isinstance(right.op, (ast.Mult, ast.Div)):  # a*(b*c) -> (a*b)*c
            return simplify(ast.BinOp(simplify(ast.BinOp(left, ast.Mult(), right.left)), right.op, right.right))
        if isinstance(left, ast.BinOp) and isinstance(left.op, ast.Div):  # (a/b)*c -> (a*c)/b
            return simplify(ast.BinOp(simplify(ast.BinOp(left.left, ast.Mult(), right)), ast.Div(), left.right))
        if ast.dump(left) == ast.dump(right):
            return ast.BinOp(left, ast.Pow(), ast.Constant(2))
        return None

    @staticmethod
    def divide(left: Expr, right: Expr, a: float | None, b: float | None) -> Expr | None:
        if b == 1.0:
            return left
        if a == 0.0:
            return ast.Constant(0)
        rest = _negated(left)
        if rest is not None:
            return simplify(ast.UnaryOp(ast.USub(), ast.BinOp(rest, ast.Div(), right)))
        rest = _negated(right)
        if rest is not None:
            return simplify(ast.UnaryOp(ast.USub(), ast.BinOp(left, ast.Div(), rest)))
        if a == 0.5:
            return ast.BinOp(ast.Constant(1), ast.Div(), ast.BinOp(ast.Constant(2), ast.Mult(), right))
        if isinstance(left, ast.BinOp) and isinstance(left.op, ast.Div):  # (a/b)/c -> a/(b*c)
            return ast.BinOp(left.left, ast.Div(), simplify(ast.BinOp(left.right, ast.Mult(), right)))
        if isinstance(right, ast.BinOp) and isinstance(right.op, ast.Div):  # a/(b/c) -> (a*c)/b
            return simplify(ast.BinOp(ast.BinOp(left, ast.Mult(), right.right), ast.Div(), right.left))
        return None

    @staticmethod
    def power(left: Expr, right: Expr, a: float | None, b: float | None) -> Expr | None:
        if b == 1.0:
            return left
        return ast.Constant(1) if b == 0.0 else None


def substitute(tree: Expr, values: Mapping[str, Expr]) -> Expr:
    """The tree with trees put in for names (dotted and indexed names by their text)."""
    return _Substitute(values).visit(tree)  # type: ignore[no-any-return]


class _Substitute(ast.NodeTransformer):
    def __init__(self, values: Mapping[str, Expr]) -> None:
        self.values = values

    def visit_Name(self, tree: ast.Name) -> Expr:
        return self.values.get(tree.id, tree)

    def visit_Attribute(self, tree: ast.Attribute) -> Expr:
        return self.values.get(ast.unparse(tree)) or self.generic_visit(tree)  # type: ignore[return-value]

    def visit_Subscript(self, tree: ast.Subscript) -> Expr:
        return self.values.get(ast.unparse(tree)) or self.generic_visit(tree)  # type: ignore[return-value]

    def visit_Call(self, tree: ast.Call) -> Expr:  # the name of a function is not a value
        tree = ast.Call(tree.func, [self.visit(a) for a in tree.args], tree.keywords)
        return tree


def product(one: str, other: str) -> str:
    """Two formulas multiplied."""
    return text_of(simplify(ast.BinOp(parse(one), ast.Mult(), parse(other))))


def total(parts: Sequence[str]) -> str:
    """Formulas added."""
    tree = parse(parts[0])
    for part in parts[1:]:
        tree = ast.BinOp(tree, ast.Add(), parse(part))
    return text_of(simplify(tree))


def join(parts: Sequence[str], sign: str) -> str:
    """Formulas with a sign between, in brackets where they are sums."""
    return f" {sign} ".join(part if _atomic(part) else f"({part})" for part in parts)


def _atomic(text: str) -> bool:
    try:
        return _Text().visit(parse(text))[1] >= 2 and not text.startswith("-")
    except SyntaxError:
        return True


# ---- operations ------------------------------------------------------------------------------------------------------


def call_formula(operation: str, operands: Sequence[str], keywords: str = "") -> str:
    """An operation over the texts of its operands: infix where it has a sign; `keywords` (", axis=0") end a call."""
    trees = [_parsed(text) for text in operands]
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


def _parsed(text: str) -> Expr:
    try:
        return parse(text)
    except SyntaxError:
        return ast.Name(text)


def partial_formula(
    operation: str, operands: Sequence[str], values: Sequence[Any], out: Any, place: int, fixed: Sequence[bool]
) -> str:
    """The partial of an elementwise operation by one operand, from the table; "" where different elements choose different sides.

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
    fixed : sequence of bool
        Which operands are constants.

    Examples
    --------
    >>> from dualad.explanation.formulas import partial_formula
    >>> partial_formula("sqrt", ["c"], [4.0], 2.0, 0, [False])
    '1/(2*sqrt(c))'
    >>> partial_formula("power", ["x", "3"], [2.0, 3.0], 8.0, 0, [False, True])
    '3*x**2'
    """
    row = ROWS.get(operation)
    if row is None:
        return ""
    x, y = _parsed(operands[0]), _parsed(operands[-1])
    v = _parsed(call_formula(operation, operands))
    if operation in ("power", "float_power") and place == 0 and fixed[1] and np.ndim(values[1]) == 0:
        tree: Expr = ast.BinOp(
            y, ast.Mult(), ast.BinOp(x, ast.Pow(), ast.BinOp(y, ast.Sub(), ast.Constant(1)))
        )  # whatever side is used
        return text_of(simplify(tree))
    if operation in ("power", "float_power") and place == 1:
        return text_of(simplify(ast.BinOp(v, ast.Mult(), ast.Call(ast.Name("log"), [x], []))))
    if operation == "divide" and place == 1:  # -v/y: over the names of the operands
        return text_of(simplify(ast.UnaryOp(ast.USub(), ast.BinOp(x, ast.Div(), ast.BinOp(y, ast.Pow(), ast.Constant(2))))))
    try:
        tree = _Choose({"x": values[0], "y": values[-1], "v": out}).visit(parse(row["dx" if place == 0 else "dy"]))
    except _MixedError:
        return ""
    return text_of(simplify(substitute(simplify(tree), {"x": x, "y": y, "v": v})))


class _MixedError(Exception):
    """The elements of an array choose different sides."""


class _Choose(ast.NodeTransformer):
    """select(c, a, b) -> the side that the values choose; functions of the rules as a book writes them."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values

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
                raise _MixedError
            return self.visit(tree.args[2])  # type: ignore[no-any-return]
        self.generic_visit(tree)
        if name == "power":
            return ast.BinOp(tree.args[0], ast.Pow(), tree.args[1])
        if name in _BOOK:
            return substitute(parse(_BOOK[name]), dict(zip("xy", tree.args, strict=False)))
        return tree


def _matmul(operands: Sequence[str], shapes: Sequence[tuple[int, ...]], place: int) -> str:
    a, b = operands
    ranks = tuple(map(len, shapes))
    if ranks == (2, 1):
        return f"outer(ct, {b})" if place == 0 else f"{a}.T @ ct"
    if ranks == (1, 2):
        return f"{b} @ ct" if place == 0 else f"outer({a}, ct)"
    if ranks == (2, 2):
        return f"ct @ {b}.T" if place == 0 else f"{a}.T @ ct"
    return ""


def _outer(operands: Sequence[str], shapes: Sequence[tuple[int, ...]], place: int) -> str:
    if tuple(map(len, shapes)) != (1, 1):
        return ""
    return f"ct @ {operands[1]}" if place == 0 else f"{operands[0]} @ ct"


def _solve(operands: Sequence[str], shapes: Sequence[tuple[int, ...]], place: int) -> str:
    a, b = operands
    if len(shapes[0]) != 2 or len(shapes[1]) not in (1, 2):
        return ""
    back = f"solve({a}.T, ct)"
    if place == 1:
        return back
    return f"-outer({back}, solve({a}, {b}))" if len(shapes[1]) == 1 else f"-{back} @ solve({a}, {b}).T"


def _square(shapes: Sequence[tuple[int, ...]], text: str) -> str:
    """The text for one square matrix, nothing for a stack of matrices."""
    return text if len(shapes[0]) == 2 and shapes[0][0] == shapes[0][1] else ""


_PULLBACKS: dict[str, Callable[[Sequence[str], Sequence[tuple[int, ...]], int], str]] = {
    "matmul": _matmul,
    "dot": _matmul,
    "transpose": lambda operands, shapes, place: "ct.T",
    "reshape": lambda operands, shapes, place: f"reshape(ct, {shapes[0]})",
    "outer": _outer,
    "solve": _solve,
    "trace": lambda operands, shapes, place: _square(shapes, f"ct*eye({shapes[0][0]})"),
    "inv": lambda operands, shapes, place: _square(shapes, f"-inv({operands[0]}).T @ ct @ inv({operands[0]}).T"),
    "det": lambda operands, shapes, place: _square(shapes, f"ct*det({operands[0]})*inv({operands[0]}).T"),
}


def pullback(operation: str, operands: Sequence[str], shapes: Sequence[tuple[int, ...]], place: int) -> str:
    """What an array operation adds to the adjoint of an operand, over `ct`, the adjoint of its result; "" where no line says it.

    Examples
    --------
    >>> from dualad.explanation.formulas import pullback
    >>> pullback("matmul", ["W", "x"], [(3, 2), (2,)], 0)
    'outer(ct, x)'
    """
    rule = _PULLBACKS.get(operation)
    return rule(operands, shapes, place) if rule else ""


# ---- shapes ----------------------------------------------------------------------------------------------------------


def shaped(text: str, shape: tuple[int, ...]) -> str:
    """A formula of one number as an array: "ct" -> "ct*ones(3)"."""
    ones = f"ones({shape[0] if len(shape) == 1 else shape})"
    return ones if text == "1" else product(text, ones)


def constant(text: str) -> bool:
    """Is a formula a number, the same for every element?"""
    try:
        return _number(parse(text)) is not None
    except SyntaxError:
        return False


def reduced(text: str, out: tuple[int, ...], shape: tuple[int, ...]) -> str:
    """A formula of shape `out`, summed over the axes along which an operand of shape `shape` was repeated.

    Examples
    --------
    >>> from dualad.explanation.formulas import reduced
    >>> reduced("ct*x", (4, 3), ()), reduced("ct*x", (4, 3), (3,)), reduced("ct", (4, 3), (4, 1))
    ('sum(ct*x)', 'sum(ct*x, axis=0)', 'sum(ct, axis=1, keepdims=True)')
    """
    if not shape:
        return f"sum({text})"
    extra = len(out) - len(shape)
    lead = tuple(range(extra))
    single = tuple(extra + i for i, n in enumerate(shape) if n == 1 and out[extra + i] != 1)
    axes = lead + single
    where = str(axes[0] if len(axes) == 1 else axes)
    if not single:
        return f"sum({text}, axis={where})"
    return f"sum({text}, axis={where}, keepdims=True)" if not lead else f"reshape(sum({text}, axis={where}), {shape})"


def repeated(shape: tuple[int, ...], axis: Any, keepdims: bool) -> str:
    """What a sum over some axes of an array sends to it: `ct` along these axes.

    Examples
    --------
    >>> from dualad.explanation.formulas import repeated
    >>> repeated((4, 3), 0, False), repeated((4, 3), 1, False), repeated((4, 3), 1, True)
    ('outer(ones(4), ct)', 'outer(ct, ones(3))', 'ct*ones((4, 3))')
    """
    n = len(shape)
    if keepdims or n == 0:
        return shaped("ct", shape) if n else "ct"
    axes = sorted({a % n for a in (axis if isinstance(axis, tuple) else range(n) if axis is None else (axis,))})
    if len(axes) == n:
        return shaped("ct", shape)
    if n == 2:
        return f"outer(ones({shape[0]}), ct)" if axes == [0] else f"outer(ct, ones({shape[1]}))"
    return shaped(f"expand_dims(ct, {axes[0] if len(axes) == 1 else tuple(axes)})", shape)


#: the tangent of the result is the operation itself, on the tangent of one operand
_LINEAR = {"sum", "cumsum", "transpose", "reshape", "pick", "element", "trace", "matmul", "dot", "outer", "einsum"}


def push(operation: str, formula: str, operands: Sequence[str], shapes: Sequence[tuple[int, ...]], place: int) -> str:
    """What an array operation makes of the tangent of an operand, over the program's names; "" where no line says it.

    Parameters
    ----------
    operation : str
    formula : str
        The operation over the names of its operands.
    operands : sequence of str
        These names.
    shapes : sequence of tuple of int
        Their shapes.
    place : int
        The operand.

    Examples
    --------
    >>> from dualad.explanation.formulas import push
    >>> push("matmul", "A @ x", ["A", "x"], [(2, 3), (3,)], 1), push("sum", "sum(v, axis=0)", ["v"], [(2, 3)], 0)
    ('A @ dx', 'sum(dv, axis=0)')
    """
    d = f"d{operands[place]}"
    if operation in ("inv", "det", "solve"):
        if len(shapes[0]) != 2:
            return ""
        a = operands[0]
        if operation == "solve":
            return f"solve({a}, {d})" if place else f"-solve({a}, {d} @ {formula})"
        return f"-inv({a}) @ {d} @ inv({a})" if operation == "inv" else f"det({a})*trace(inv({a}) @ {d})"
    if operation not in _LINEAR:
        return ""
    try:
        tree, new = parse(formula), parse(d)
    except SyntaxError:
        return ""
    if isinstance(tree, ast.Call):
        if any(k.arg == "where" for k in tree.keywords):
            return ""
        keywords = [k for k in tree.keywords if k.arg != "initial"]  # a constant
        tree = ast.Call(tree.func, [new if i == place else a for i, a in enumerate(tree.args)], keywords)
    elif isinstance(tree, ast.BinOp):
        tree = ast.BinOp(new, tree.op, tree.right) if place == 0 else ast.BinOp(tree.left, tree.op, new)
    elif isinstance(tree, ast.Attribute):
        tree = ast.Attribute(new, tree.attr)
    elif isinstance(tree, ast.Subscript):
        tree = ast.Subscript(new, tree.slice)
    else:
        return ""
    return text_of(tree)

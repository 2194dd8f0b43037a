"""The small algebra of formulas: text to tree and back, a few rules that make it look as in a book, names put in for names.

A formula is Python text over the names of a program; a tree is what `ast` makes of it.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

__all__ = [
    "Expr",
    "constant",
    "constant_text",
    "fill",
    "index_text",
    "is_name",
    "join",
    "parse",
    "parsed",
    "product",
    "simplify",
    "substitute",
    "text_of",
    "total",
    "without_ct",
]

Expr = ast.expr

_SIGNS: dict[type[ast.cmpop], str] = {
    ast.Gt: ">", ast.GtE: ">=", ast.Lt: "<", ast.LtE: "<=", ast.Eq: "==", ast.NotEq: "!="
}  # fmt: skip
#: functions that a sign goes through
_LINEAR = {"sum", "mean", "cumsum", "flip", "reshape", "expand_dims", "place"}
#: unnamed arrays of up to so many numbers are written out
_WRITTEN = 4


def parse(text: str) -> Expr:
    """A formula as a tree."""
    return ast.parse(text, mode="eval").body


def parsed(text: str) -> Expr:
    """A formula as a tree; what is no formula as a name."""
    try:
        return parse(text)
    except SyntaxError:
        return ast.Name(text)


def is_name(text: Any) -> bool:
    """Can a value be called so: x, u_1, x[0], p['w'], layer.w?"""
    try:
        return isinstance(parse(str(text)), (ast.Name, ast.Attribute, ast.Subscript))
    except SyntaxError:
        return False


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
            shape = name == "array" and len(parts) == 1 and isinstance(tree.args[0], ast.Constant)
            return f"{name}({parts[0]},)" if shape else f"{name}({', '.join(parts)})", 9
        if isinstance(tree, ast.Subscript):
            inner, level = self.visit(tree.value)
            return f"{inner if level >= 9 else f'({inner})'}[{index_text(tree.slice, text_of)}]", 9
        if isinstance(tree, (ast.List, ast.Tuple)):
            entries = ", ".join(self.visit(entry)[0] for entry in tree.elts)
            left, right = "[]" if isinstance(tree, ast.List) else ("(", ",)" if len(tree.elts) == 1 else ")")
            return f"{left}{entries}{right}", 9
        if isinstance(tree, ast.Compare) and len(tree.ops) == 1 and type(tree.ops[0]) in _SIGNS:
            return f"{self.visit(tree.left)[0]} {_SIGNS[type(tree.ops[0])]} {self.visit(tree.comparators[0])[0]}", 0
        if isinstance(tree, ast.BinOp) and isinstance(tree.op, (ast.BitAnd, ast.BitOr)):
            sides = [(f"({text})" if level < 9 else text) for text, level in (self.visit(tree.left), self.visit(tree.right))]
            return f" {'&' if isinstance(tree.op, ast.BitAnd) else '|'} ".join(sides), 0
        if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.Invert):
            inner, level = self.visit(tree.operand)
            return f"~{inner}" if level >= 9 else f"~({inner})", 8
        if isinstance(tree, ast.Attribute):
            inner, level = self.visit(tree.value)
            return f"{inner}.{tree.attr}" if level >= 9 else f"({inner}).{tree.attr}", 9
        if isinstance(tree, ast.Constant) and isinstance(tree.value, (int, float)):
            text = constant_text(tree.value)
            return text, 1 if text.startswith("-") else 9
        if isinstance(tree, ast.Constant) and tree.value is ...:
            return "...", 9
        return ast.unparse(tree), 9


def index_text(tree: Expr, write: Callable[[Expr], str]) -> str:
    """What stands between square brackets, its numbers and names as `write` has them."""
    if isinstance(tree, ast.Tuple) and tree.elts:
        return ", ".join(index_text(part, write) for part in tree.elts)
    if isinstance(tree, ast.Slice):
        ends = [write(part) if part else "" for part in (tree.lower, tree.upper)]
        return ":".join(ends + ([write(tree.step)] if tree.step else []))
    return write(tree)


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
    if np.ndim(x) == 1 and 0 < np.size(x) <= _WRITTEN and np.asarray(x).dtype.kind in "fiu":
        entries = [constant_text(entry) for entry in x]
        if all(float(text) == entry for text, entry in zip(entries, x, strict=True)):
            return f"[{', '.join(entries)}]"
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


def _multiple(tree: Expr) -> tuple[float, Expr]:
    """3 and the rest of 3*rest; 1 and the tree where no number stands first."""
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Mult):
        number = _number(tree.left)
        if number is not None:
            return number, tree.right
        number, rest = _multiple(tree.left)
        return number, ast.BinOp(rest, ast.Mult(), tree.right)
    return 1.0, tree


def simplify(tree: Expr) -> Expr:
    """The few rules that make a rule's text look as in a book; the value stays, up to rounding."""
    return _Simplify().visit(tree)  # type: ignore[no-any-return]


class _Simplify(ast.NodeTransformer):
    def visit_Attribute(self, tree: ast.Attribute) -> Expr:
        self.generic_visit(tree)
        inner = tree.value
        if tree.attr == "T" and isinstance(inner, ast.Attribute) and inner.attr == "T":
            return inner.value
        if tree.attr == "T" and isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.MatMult):  # (A @ B.T).T -> B @ A.T
            sides = [self.visit(ast.Attribute(side, "T", ast.Load())) for side in (inner.right, inner.left)]
            if any(not isinstance(side, ast.Attribute) for side in sides):
                return ast.BinOp(sides[0], ast.MatMult(), sides[1])
        if tree.attr == "T" and isinstance(inner, ast.Call) and ast.unparse(inner.func) == "outer":
            return ast.Call(inner.func, inner.args[::-1], [])
        return tree

    def visit_Call(self, tree: ast.Call) -> Expr:
        self.generic_visit(tree)
        if tree.args and ast.unparse(tree.func) in _LINEAR:  # sum(-x) -> -sum(x)
            rest = _negated(tree.args[0]) if _number(tree.args[0]) is None else None
            if rest is not None:
                return ast.UnaryOp(ast.USub(), ast.Call(tree.func, [rest, *tree.args[1:]], tree.keywords))
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
        if isinstance(left, ast.List) or isinstance(right, ast.List):
            listed = self.each(tree)
            if listed is not None:
                return listed
        rule = {ast.Add: self.add, ast.Sub: self.subtract, ast.Mult: self.multiply, ast.Div: self.divide, ast.Pow: self.power}.get(
            type(op)
        )
        return rule(left, right, a, b) or tree if rule else tree

    @staticmethod
    def each(tree: ast.BinOp) -> Expr | None:
        """[1, 2] - 1 -> [0, 1]."""
        pairs = [(x, tree.right) for x in tree.left.elts] if isinstance(tree.left, ast.List) else (
            [(tree.left, x) for x in tree.right.elts] if isinstance(tree.right, ast.List) else [])  # fmt: skip
        numbers = [(_number(x), _number(y)) for x, y in pairs]
        folded = [None if x is None or y is None else _Simplify.fold(tree.op, x, y) for x, y in numbers]
        return ast.List([x for x in folded if x is not None], ast.Load()) if folded and None not in folded else None

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
        (m, one), (n, other) = _multiple(left), _multiple(right)
        if ast.dump(one) == ast.dump(other):
            return simplify(ast.BinOp(_constant(m + n), ast.Mult(), one))
        if isinstance(right, ast.BinOp) and isinstance(right.op, (ast.Add, ast.Sub)):  # a + (b - c)
            return simplify(ast.BinOp(simplify(ast.BinOp(left, ast.Add(), right.left)), right.op, right.right))
        rest, first = _negated(right), _negated(left)
        if rest is None and first is not None:  # -a + b
            return ast.BinOp(right, ast.Sub(), first)
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
        (base, n), (other, m) = _power(left), _power(right)
        if ast.dump(base) == ast.dump(other):
            return simplify(ast.BinOp(base, ast.Pow(), _constant(n + m)))
        if isinstance(left, ast.BinOp) and isinstance(left.op, ast.Mult) and ast.dump(_power(left.right)[0]) == ast.dump(other):
            return ast.BinOp(left.left, ast.Mult(), simplify(ast.BinOp(left.right, ast.Mult(), right)))  # (c*a)*a -> c*a**2
        return _conjugates(left, right)

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
        (n, one), (m, other) = _multiple(left), _multiple(right)
        if abs(m) > 1.0 and n == int(n) and m == int(m) and n % m == 0.0:  # 4*a/(2*b) -> 2*a/b
            return simplify(ast.BinOp(ast.BinOp(_constant(n / m), ast.Mult(), one), ast.Div(), other))
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


def _power(tree: Expr) -> tuple[Expr, float]:
    """x and 3 of x**3; the tree and 1 where there is no number above it."""
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Pow):
        number = _number(tree.right)
        if number is not None and number == int(number) and number >= 1:
            return tree.left, number
    return tree, 1.0


def _conjugates(left: Expr, right: Expr) -> Expr | None:
    """(a - b)*(a + b) -> a**2 - b**2, also under square roots."""
    if isinstance(left, ast.Call) and isinstance(right, ast.Call) and ast.unparse(left.func) == ast.unparse(right.func) == "sqrt":
        inner = _conjugates(left.args[0], right.args[0])
        return None if inner is None else ast.Call(left.func, [inner], [])
    if not (isinstance(left, ast.BinOp) and isinstance(right, ast.BinOp)):
        return None
    pairs = [[ast.dump(side) for side in (tree.left, tree.right)] for tree in (left, right)]
    if not (isinstance(left.op, ast.Sub) and isinstance(right.op, ast.Add) and pairs[0] in (pairs[1], pairs[1][::-1])):
        return None
    a, b = (simplify(ast.BinOp(side, ast.Pow(), ast.Constant(2))) for side in (left.left, left.right))
    return ast.BinOp(a, ast.Sub(), b)


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
        keywords = [ast.keyword(k.arg, self.visit(k.value)) for k in tree.keywords]
        return ast.Call(tree.func, [self.visit(a) for a in tree.args], keywords)


def fill(template: str, **texts: str) -> str:
    """A formula with formulas put in for its names.

    Examples
    --------
    >>> from dualad.explanation.algebra import fill
    >>> fill("c*(x - m)/n", c="ct", x="v", m="mean(v)", n="3")
    'ct*(v - mean(v))/3'
    """
    return text_of(substitute(parse(template), {name: parse(text) for name, text in texts.items()}))


def without_ct(text: str) -> str:
    """What is sent back by a result whose adjoint is 1.

    Examples
    --------
    >>> from dualad.explanation.algebra import without_ct
    >>> without_ct("2*ct*(v - mean(v))/3")
    '2*(v - mean(v))/3'
    """
    return text_of(simplify(substitute(parse(text), {"ct": ast.Constant(1)})))


def constant(text: str) -> bool:
    """Is a formula a number, the same for every element?"""
    try:
        kinds = (ast.Constant, ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop)
        return all(isinstance(part, kinds) for part in ast.walk(parse(text)))
    except SyntaxError:
        return False


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

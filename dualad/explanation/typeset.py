"""Formulas and names of a program in LaTeX, as lecture slides print them."""

from __future__ import annotations

import ast

from .algebra import Expr, constant_text, index_text, parse

__all__ = ["latex", "latex_name"]

_GREEK = {
    "alpha",
    "beta",
    "gamma",
    "delta",
    "epsilon",
    "zeta",
    "eta",
    "theta",
    "kappa",
    "lambda",
    "mu",
    "nu",
    "xi",
    "pi",
    "rho",
    "sigma",
    "tau",
    "phi",
    "chi",
    "psi",
    "omega",
    "Phi",
    "Theta",
    "Sigma",
    "Omega",
    "Delta",
    "Gamma",
    "Lambda",
    "Psi",
    "Xi",
}
_SIGNS = {ast.Gt: ">", ast.GtE: r"\ge", ast.Lt: "<", ast.LtE: r"\le", ast.Eq: "=", ast.NotEq: r"\ne"}
_FUNCTIONS = {"sin", "cos", "tan", "exp", "log", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan", "max", "min", "det"}


def latex_name(name: str) -> str:
    r"""A name of the program in LaTeX: u1 -> u_1, theta -> \theta, x_2 -> x_2, y_star -> y^*.

    Examples
    --------
    >>> from dualad.explanation.typeset import latex_name
    >>> latex_name("u1"), latex_name("y_star"), latex_name("w[0]")
    ('u_1', 'y^*', 'w_{0}')
    """
    name = name.rstrip("_")
    if name.endswith("]") and "[" in name:
        base, _, index = name[:-1].partition("[")
        return rf"{latex_name(base)}_{{{index.replace(chr(39), '').replace('][', ',')}}}"
    head = name.rstrip("0123456789")
    digits = name[len(head) :]
    if head.endswith("_star") or name.endswith("_star"):
        return f"{latex_name(name.removesuffix('_star'))}^*"
    head = head.removesuffix("_") if digits else head
    body = f"\\{head}" if head in _GREEK else head if len(head) <= 1 else rf"\mathit{{{head}}}".replace("_", r"\_")
    return body if not digits else f"{body}_{digits}" if len(digits) == 1 else f"{body}_{{{digits}}}"


def latex(text: str) -> str:
    r"""A formula in LaTeX, as the lecture slides print it.

    Examples
    --------
    >>> from dualad.explanation.typeset import latex
    >>> print(latex("3*t"), latex("-sin(u)"), latex("x**2"), latex("1/(1 + exp(-a))"))
    3t -\sin(u) x^2 \frac{1}{1 + \exp(-a)}
    """
    try:
        return _Latex().visit(parse(text))[0]
    except SyntaxError:
        return rf"\text{{{text}}}".replace("_", r"\_")


class _Latex:
    def visit(self, tree: Expr) -> tuple[str, int]:
        if isinstance(tree, ast.BinOp) and isinstance(tree.op, (ast.BitAnd, ast.BitOr)):
            return self.connected(tree), 0
        if isinstance(tree, ast.BinOp):
            return self.binary(tree)
        if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub):
            inner, level = self.visit(tree.operand)
            return f"-{inner}" if level >= 2 else f"-({inner})", 1
        if isinstance(tree, ast.Call):
            return self.call(tree), 8
        if isinstance(tree, ast.Constant):
            if tree.value is ...:
                return r"\ldots", 9
            text = constant_text(tree.value) if isinstance(tree.value, (int, float)) else rf"\mathtt{{{tree.value!s}}}"
            if "e" in text:
                mantissa, exponent = text.split("e")
                text = rf"{mantissa} \cdot 10^{{{int(exponent)}}}"
            return text, 9
        if isinstance(tree, ast.Compare) and len(tree.ops) == 1 and type(tree.ops[0]) in _SIGNS:
            left, right = self.visit(tree.left)[0], self.visit(tree.comparators[0])[0]
            return f"{left} {_SIGNS[type(tree.ops[0])]} {right}", 0
        if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.Invert):
            return rf"\neg({self.visit(tree.operand)[0]})", 8
        if isinstance(tree, (ast.List, ast.Tuple)):
            left, right = ("[", "]") if isinstance(tree, ast.List) else ("(", ",)" if len(tree.elts) == 1 else ")")
            return f"{left}{', '.join(self.visit(entry)[0] for entry in tree.elts)}{right}", 9
        if isinstance(tree, ast.Subscript):
            return self.subscript(tree), 8
        if isinstance(tree, ast.Attribute) and tree.attr == "T":
            inner, level = self.visit(tree.value)
            return (f"{inner}^T" if level >= 9 and "^" not in inner else f"({inner})^T"), 8
        return latex_name(ast.unparse(tree)), 9

    def subscript(self, tree: ast.Subscript) -> str:
        if isinstance(tree.value, (ast.Name, ast.Attribute)) and isinstance(tree.slice, (ast.Constant, ast.UnaryOp)):
            return latex_name(ast.unparse(tree))  # a name of the program, or an element
        inner, level = self.visit(tree.value)
        return rf"{inner if level >= 9 else f'({inner})'}_{{{index_text(tree.slice, lambda part: self.visit(part)[0])}}}"

    def connected(self, tree: ast.BinOp) -> str:
        """Conditions joined by and, or; one kind inside the other in parentheses."""
        sides = []
        for side in (tree.left, tree.right):
            mixed = isinstance(side, ast.BinOp) and type(side.op) is not type(tree.op)
            sides.append(f"({self.visit(side)[0]})" if mixed else self.visit(side)[0])
        return (r" \wedge " if isinstance(tree.op, ast.BitAnd) else r" \vee ").join(sides)

    def call(self, tree: ast.Call) -> str:
        name = ast.unparse(tree.func)
        arguments = [self.visit(a)[0] for a in tree.args] + [rf"\mathrm{{{k.arg}}}={ast.unparse(k.value)}" for k in tree.keywords]
        if name == "where" and len(tree.args) == 3:  # by cases
            return rf"\left\{{{arguments[1]} \text{{ if }} {arguments[0]}, \text{{ else }} {arguments[2]}\right\}}"
        if name == "sqrt":
            return rf"\sqrt{{{arguments[0]}}}"
        if name in ("absolute", "fabs"):
            return rf"\left|{arguments[0]}\right|"
        if name == "inv" and len(tree.args) == 1:
            return rf"{arguments[0]}^{{-1}}"
        head = f"\\{name}" if name in _FUNCTIONS else rf"\operatorname{{{name}}}".replace("_", r"\_")
        return f"{head}({', '.join(arguments)})"

    def binary(self, tree: ast.BinOp) -> tuple[str, int]:
        (left, a), (right, b) = self.visit(tree.left), self.visit(tree.right)
        if isinstance(tree.op, ast.Div):
            return rf"\frac{{{left}}}{{{right}}}", 7
        if isinstance(tree.op, ast.Pow):
            if isinstance(tree.left, ast.Call) and ast.unparse(tree.left.func) in _FUNCTIONS and len(tree.left.args) == 1:
                head, _, rest = left.partition("(")
                return rf"{head}^{right if len(right) == 1 else f'{{{right}}}'}({rest}", 8
            base = left if a >= 9 and "^" not in left else f"({left})"
            return f"{base}^{right}" if len(right) == 1 else f"{base}^{{{right}}}", 8
        if isinstance(tree.op, (ast.Add, ast.Sub)):
            if b <= 1 and (isinstance(tree.op, ast.Sub) or right.startswith("-")):
                right = f"({right})"
            return f"{left} {'+' if isinstance(tree.op, ast.Add) else '-'} {right}", 1
        left = f"({left})" if a < 2 else left
        right = f"({right})" if b < 2 else right
        if isinstance(tree.op, ast.Mult) and right[0].isdigit():
            return rf"{left} \cdot {right}", 2
        tight = isinstance(tree.left, ast.Constant) or (len(left) > 0 and left[-1] in ")}") or right.startswith("(")
        return f"{left}{'' if tight else ' '}{right}", 2

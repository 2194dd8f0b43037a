"""Conditions of np.where and of where=: a mask is found again in the caller's text, and believed only where that text gives it."""

from __future__ import annotations

import ast
import copy
import itertools
from typing import Any

import numpy as np

from ..rules.elementwise import NAMESPACE
from .algebra import Expr, parse, substitute, text_of
from .lines import Site

__all__ = ["condition_text"]

#: what the text of a condition may be made of
_PLAIN = (ast.Name, ast.Constant, ast.Compare, ast.BinOp, ast.UnaryOp, ast.Subscript, ast.Slice, ast.Tuple, ast.Call, ast.operator,
          ast.unaryop, ast.cmpop, ast.expr_context)  # fmt: skip
_FUNCTIONS = {**NAMESPACE, "abs": np.abs}
#: names that stand for no value of the program are tried on so many of its latest values
_TRIED = 12


def condition_text(mask: Any, site: Site) -> str:
    """A condition as the caller wrote it (x > 0), over the names of the program; "" where none of the text gives this mask."""
    mask = np.asarray(mask)
    for name, value in site.space.items():
        if isinstance(value, np.ndarray) and value.dtype == bool and value.shape == mask.shape and np.array_equal(value, mask):
            return name
    for written in site.written:
        if isinstance(written, (ast.Name, ast.Attribute)):
            continue
        tree = _Short().visit(copy.deepcopy(written))
        if all(isinstance(part, _PLAIN) for part in ast.walk(tree)):
            text = _as_program(tree, mask, site)
            if text:
                return text
    return ""


class _Short(ast.NodeTransformer):
    """np.abs -> abs."""

    def visit_Attribute(self, tree: ast.Attribute) -> Expr:
        self.generic_visit(tree)
        return ast.Name(tree.attr, ast.Load()) if tree.attr in _FUNCTIONS and isinstance(tree.value, ast.Name) else tree


def _as_program(tree: Expr, mask: np.ndarray, site: Site) -> str:
    """The condition over values of the program that give the mask: those of the same name, the latest of several, or any."""
    space = site.space
    functions = {part.func.id for part in ast.walk(tree) if isinstance(part, ast.Call) and isinstance(part.func, ast.Name)}
    if not functions <= _FUNCTIONS.keys():
        return ""
    names = sorted({part.id for part in ast.walk(tree) if isinstance(part, ast.Name)} - functions)
    latest = {base: name for name in space for base, _, number in [name.rpartition("_")] if base and number.isdigit()}
    known = {name: [name] if name in space else [latest[name]] for name in names if name in space or name in latest}
    if len(names) - len(known) > 1:
        return ""
    operands = [text for text in site.texts if text in space]
    tried = list(dict.fromkeys([*operands, *list(space)[: -_TRIED - 1 : -1]]))
    code = compile(ast.fix_missing_locations(ast.Expression(tree)), "condition", "eval")
    for chosen in itertools.product(*(known.get(name, tried) for name in names)):
        values = {name: space[text] for name, text in zip(names, chosen, strict=True)}
        try:
            with np.errstate(all="ignore"):
                value = eval(code, {"__builtins__": {}, **_FUNCTIONS}, values)  # names, signs and functions of the table only
                fits = np.asarray(value).dtype == bool and np.array_equal(np.broadcast_to(value, mask.shape), mask)
        except (TypeError, ValueError, IndexError):  # ValueError: of another shape
            continue
        if fits:
            return text_of(substitute(parse(ast.unparse(tree)), {n: parse(t) for n, t in zip(names, chosen, strict=True)}))
    return ""

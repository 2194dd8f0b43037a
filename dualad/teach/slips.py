"""Derivations with one slip: what comes out if one step of the chain rule is done wrong.

A slip changes one edge of the graph (:mod:`dualad.teach.graph`): it is left out, its sign or a factor two is lost, its local
derivative is replaced by one, transposed, or taken at a wrong point. A wrong rule changes a whole node (the product of the
derivatives for the derivative of the product); a derivation may also stop before the end, be by another variable, or take angles
for degrees. Each of them gives a derivative that is wrong in one place, which is compared with the answer of a student.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from .. import jvp
from .graph import Edge, InDegrees, Quantity, Trace, elementwise, like, of_one, trace

__all__ = ["slips", "stops"]


def _function(edge: Edge) -> bool:
    return of_one(edge) and edge.user.name not in ("multiply", "divide", "add", "subtract", "negative")


def _constant_two(edge: Edge) -> bool:
    constants = [c for c in edge.user.arguments if np.ndim(c) == 0]
    return edge.user.name == "multiply" and len(edge.user.edges) == 1 and 2.0 in constants


def _power(edge: Edge) -> float | None:
    if edge.user.name not in ("power", "square") or edge.user.edges[0] is not edge:
        return None
    exponent = 2.0 if edge.user.name == "square" else edge.user.arguments[1]
    return float(exponent) if np.ndim(exponent) == 0 and not isinstance(exponent, Quantity) else None


def _unlowered(edge: Edge, g: Any) -> Any:
    n = _power(edge)
    return None if n is None else g * n * edge.user.value


def _uncounted(edge: Edge, g: Any) -> Any:
    n = _power(edge)
    return None if n in (None, 2.0) else g * np.power(edge.operand.value, n - 1.0)


def _constant(edge: Edge, g: Any) -> Any:
    n = _power(edge)
    return None if n is None else g * n


def _unsquared(edge: Edge, g: Any) -> Any:
    return edge.pull(g) * edge.operand.value if edge.user.name == "divide" and edge.place == 1 and elementwise(edge) else None


def _untransposed(edge: Edge, g: Any) -> Any:
    """J g where J^T g is right: A for A^T, the inverse for its transpose; where it can be multiplied at all."""
    if edge.user.name not in ("matmul", "dot", "inv") or np.shape(g) != np.shape(edge.operand.value) or np.ndim(g) == 0:
        return None
    return jvp(edge.function, (edge.operand.value,), (like(g, edge.operand.value),))[1]


def _unmultiplied(edge: Edge, g: Any) -> Any:
    """As if the product with a square matrix, or the inner product with a vector, had the derivative 1."""
    x = edge.operand.value
    fits = edge.user.name in ("matmul", "dot") and (np.shape(g) == np.shape(x) != () or (np.ndim(g) == 0 and np.ndim(x) == 1))
    return g * np.ones_like(x) if fits else None


def _half_inverse(edge: Edge, g: Any, left: bool) -> Any:
    if edge.user.name != "inv":
        return None
    inverse = np.transpose(edge.user.value)
    return -inverse @ g if left else -g @ inverse


def _turned(edge: Edge, g: Any) -> Any:
    part = np.asarray(edge.pull(g))
    return part.T if part.ndim == 2 and part.shape[0] == part.shape[1] and edge.user.name != "transpose" else None


#: functions of one number -> code, what some take for their derivative at x (v is the value), hint
WRONG_RULES: dict[str, tuple[str, Callable[[Any, Any], Any], str]] = {
    "exp": ("power rule", lambda x, v: x * np.exp(x - 1.0), "e^x is its own derivative: here the exponent varies, not the base"),
    "tanh": ("sign", lambda x, v: 1.0 + v * v, "check the sign in the derivative of tanh"),
}  # fmt: skip


def _misremembered(edge: Edge, g: Any) -> Any:
    known = WRONG_RULES.get(edge.user.name)
    return None if known is None else g * known[1](edge.operand.value, edge.user.value)


#: NumPy's names of operations -> what students call them
SPOKEN = {"add": "the sum", "subtract": "the difference", "negative": "the minus sign", "multiply": "the product",
          "divide": "the quotient", "power": "the power", "square": "the square", "matmul": "the matrix product",
          "dot": "the inner product", "sum": "the sum over the elements", "getitem": "an element", "transpose": "the transpose",
          "inv": "the inverse", "det": "the determinant", "trace": "the trace", "sqrt": "the root"}  # fmt: skip

#: code, what the slip does to an edge, the hint
KINDS: tuple[tuple[str, Callable[[Edge, Any, Any], Any], str], ...] = (
    ("missed path", lambda edge, g, x: 0.0 * edge.pull(g),
     "the contribution that comes through {op} is missing: add up all the ways from {wrt} to the result"),
    ("chain factor", lambda edge, g, x: g if elementwise(edge) else None,
     "chain rule: multiply by the derivative of {op} as well"),
    ("power rule", lambda edge, g, x: _unlowered(edge, g), "power rule: the exponent goes down by one"),
    ("power rule", lambda edge, g, x: _uncounted(edge, g), "power rule: the exponent comes down as a factor"),
    ("power rule", lambda edge, g, x: _constant(edge, g), "power rule: a power is left, with an exponent that is lower by one"),
    ("sign", lambda edge, g, x: -edge.pull(g), "check the sign of the derivative of {op}"),
    ("factor 2", lambda edge, g, x: 2.0 * edge.pull(g), "there is a factor 2 too many in the derivative of {op}"),
    ("factor 2", lambda edge, g, x: 0.5 * edge.pull(g), "there is a factor 2 missing in the derivative of {op}"),
    ("quotient rule", lambda edge, g, x: _unsquared(edge, g), "quotient rule: the denominator is squared"),
    ("wrong point", lambda edge, g, x: edge.pull(g, x) if _function(edge) and np.shape(x) == np.shape(edge.operand.value) else None,
     "the derivative of {op} is taken at its own argument, not at {wrt}"),
    ("not differentiated", lambda edge, g, x: g * edge.user.value if _function(edge) else None,
     "{op} still has to be differentiated"),
    ("transposed", lambda edge, g, x: _untransposed(edge, g), "the matrix in the derivative of {op} has to be transposed"),
    ("transposed", lambda edge, g, x: _turned(edge, g), "the derivative of {op} is transposed"),
    ("sign", lambda edge, g, x: _misremembered(edge, g), "check the derivative of {op}"),
    ("chain factor", lambda edge, g, x: _unmultiplied(edge, g), "chain rule: multiply by the other factor of {op} as well"),
    ("chain factor", lambda edge, g, x: _half_inverse(edge, g, True), "the inverse stands on both sides in its derivative"),
    ("chain factor", lambda edge, g, x: _half_inverse(edge, g, False), "the inverse stands on both sides in its derivative"),
)  # fmt: skip


def _spoken_of(node: Quantity) -> str:
    return SPOKEN.get(node.name, node.name)


def _spoken(edge: Edge) -> str:
    return _spoken_of(edge.user)


def slips(f: Callable[..., Any], at: Mapping[str, Any], wrt: str) -> Iterator[tuple[str, str, Any]]:
    """Every derivative of f that one slip leads to.

    Parameters
    ----------
    f : callable
        Takes the arguments by name.
    at : mapping
    wrt : str

    Yields
    ------
    code, hint : str
    derivative : float or array or None
        None where the slip is impossible at this edge, so that two points of one function give lists that match.

    Examples
    --------
    >>> import numpy as np
    >>> from dualad.teach.slips import slips
    >>> [(code, wrong) for code, hint, wrong in slips(lambda x: x**2 + x, {"x": 3.0}, "x") if code == "dropped term"]
    [('dropped term', 1.0), ('dropped term', 6.0)]
    """
    graph = trace(f, at, wrt)
    for code, change, hint in KINDS:
        alter = lambda edge, g, change=change: change(edge, g, graph.x.value)
        for edge in graph.edges:
            named, text = code, hint
            if code == "missed path" and edge.user.name in ("add", "subtract") and edge.user.number in graph.outer:
                named, text = "dropped term", "the derivative of a term of the sum is missing"
            elif code == "chain factor" and _constant_two(edge):
                named, text = "factor 2", "a constant factor 2 is missing"
            elif hint.startswith("check the derivative") and edge.user.name in WRONG_RULES:
                named, _, text = WRONG_RULES[edge.user.name]
            yield named, text.format(op=_spoken(edge), wrt=wrt), graph.derivative([edge], alter)
        for block in graph.blocks() if code == "chain factor" else ():
            text = "chain rule: multiply by the derivative of the steps from {first} to {last} as well"
            yield code, text.format(first=_spoken(block[-1]), last=_spoken(block[0])), graph.derivative(block, lambda edge, g: g)
    yield from _wrong_rules(graph)
    turned = trace(f, at, wrt, InDegrees)
    trigonometric = any(node.name in ("sin", "cos", "tan") for node in turned.nodes)
    yield "degrees", "angles are in radians: is your calculator set to degrees?", turned.derivative() if trigonometric else None


def stops(f: Callable[..., Any], at: Mapping[str, Any], wrt: str) -> Iterator[tuple[str, str, Any]]:
    """Where a derivation may end too early, as :func:`slips`: the derivatives of a number by what is on the way, and of that by x.

    Parameters
    ----------
    f : callable
    at : mapping
    wrt : str
    """
    graph = trace(f, at, wrt)
    for node, adjoint in graph.stops():
        text = f"chain rule: this is the derivative by {_spoken_of(node)}, go on to {wrt}"
        yield "chain factor", text, adjoint if np.any(np.abs(adjoint) != 1.0) else None
        slope = Trace(graph.x, node).derivative()
        text = f"chain rule: this is the derivative of {_spoken_of(node)} only, multiply by those of the steps after it"
        yield "chain factor", text, slope if np.any(np.abs(slope) != 1.0) else None


def _wrong_rules(graph: Trace) -> Iterator[tuple[str, str, Any]]:
    """Rules for two functions of one number that are not so; None where the step is of another kind."""
    for node in graph.nodes:
        edges = [edge for edge in graph.edges if edge.user is node]
        of_numbers = np.ndim(graph.x.value) == 0 and all(np.ndim(edge.operand.value) == 0 for edge in edges)
        parts: list[Any] = [Trace(graph.x, edge.operand).derivative() if of_numbers else None for edge in edges]
        product = parts[0] * parts[1] if of_numbers and node.name == "multiply" and len(edges) == 2 else None
        over, under, whole = None, None, None
        if of_numbers and node.name == "divide" and len(edges) == 2:
            (above, below), bottom = parts, edges[1].operand.value
            over, under = above / below if below else None, above - node.value * below
            under, whole = (under, under * bottom) if bottom != 1.0 else (None, None)
        outside, inside = None, None
        if of_numbers and len(edges) == 1 and _function(edges[0]) and edges[0].operand is not graph.x:
            outside, inside = edges[0].pull(1.0), edges[0].pull(1.0, parts[0])
        for code, hint, wrong in (
            ("product rule", "product rule: one factor is differentiated at a time, (fg)' = f'g + fg'", product),
            ("quotient rule", "quotient rule: (f/g)' is not f'/g'", over),
            ("quotient rule", "quotient rule: the denominator is squared", under),
            ("quotient rule", "quotient rule: divide by the square of the denominator", whole),
            ("chain factor", f"chain rule: the derivative of what stands inside {_spoken_of(node)} is missing", outside),
            ("wrong point", "chain rule: f'(g) g', not f'(g')", inside),
        ):
            yield code, hint, None if wrong is None or not np.isfinite(wrong) else graph.derivative(instead=(node, wrong))

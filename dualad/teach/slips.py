"""Derivations with one slip: what comes out if one step of the chain rule is done wrong.

The function is run once on :class:`Quantity` objects, which remember its elementary operations. Every operand of every operation
is an edge of the graph; its pullback is dualad's own, so no rule is stated here. A slip changes one edge: it is left out, its sign
or a factor two is lost, its local derivative is replaced by one, transposed, or taken at a wrong point. A wrong rule changes a
whole node (the product of the derivatives for the derivative of the product). Each of them gives a derivative that is wrong in one
place, which is compared with the answer of a student.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from .. import jvp, vjp

__all__ = ["Quantity", "slips", "trace"]

_count = itertools.count()


class Edge:
    """The use of one operand by one operation.

    Parameters
    ----------
    user, operand : Quantity
    function : callable
        The operation as a function of this operand alone.
    """

    def __init__(self, user: Quantity, operand: Quantity, function: Callable[[Any], Any]) -> None:
        self.user, self.operand, self.function = user, operand, function

    def pull(self, cotangent: Any, at: Any = None) -> Any:
        """The contribution to the operand's adjoint, with the local derivative taken at the operand or elsewhere."""
        point = self.operand.value if at is None else at
        return vjp(self.function, point)[1](_like(cotangent, self.user.value))[0]


class Quantity(np.lib.mixins.NDArrayOperatorsMixin):
    """A number or an array on its way through a function, with the operation it came from.

    Parameters
    ----------
    value : float or array
    name : str
        Of the operation.
    arguments : sequence
        Of the operation, as plain values.
    known : dict, optional
        All results of this trace: an operation that is written twice (x**2 here and there) is one node.
    """

    def __init__(self, value: Any, name: str = "", arguments: Sequence[Any] = (), known: dict[Any, Quantity] | None = None) -> None:
        self.value = float(value) if np.ndim(value) == 0 else np.asarray(value, float)
        self.name, self.arguments = name, arguments
        self.edges: list[Edge] = []
        self.known = {} if known is None else known
        self.number = next(_count)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Quantity:
        if method != "__call__":
            return NotImplemented
        return _apply(ufunc, inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Quantity:
        return _apply(function, args, kwargs)

    def __getitem__(self, index: Any) -> Quantity:
        return _apply(operator.getitem, (self, index), {})

    def __iter__(self) -> Iterator[Quantity]:
        return (self[i] for i in range(len(self)))

    def __len__(self) -> int:
        return len(self.value)  # type: ignore[arg-type]

    @property
    def T(self) -> Quantity:  # noqa: N802 - NumPy's name
        """The transpose."""
        return np.transpose(self)  # type: ignore[call-overload, no-any-return]

    @property
    def shape(self) -> tuple[int, ...]:
        return np.shape(self.value)

    @property
    def ndim(self) -> int:
        return np.ndim(self.value)


def _apply(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Quantity:
    """Run an operation on values, and remember how it depends on each traced argument (also of a list of them)."""
    flat: list[Quantity] = []
    places: list[tuple[int, int | None]] = []
    plain = list(args)
    for i, argument in enumerate(args):
        if isinstance(argument, Quantity):
            flat.append(argument)
            places.append((i, None))
            plain[i] = argument.value
        elif isinstance(argument, list | tuple) and any(isinstance(part, Quantity) for part in argument):
            flat += [part for part in argument if isinstance(part, Quantity)]
            places += [(i, j) for j, part in enumerate(argument) if isinstance(part, Quantity)]
            plain[i] = [part.value if isinstance(part, Quantity) else part for part in argument]
    key = (function, tuple(places), tuple(one.number for one in flat), repr(kwargs),
           tuple(_identity(part) for i, part in enumerate(plain) if (i, None) not in places))
    known = flat[0].known
    if key in known:
        return known[key]
    result = known[key] = Quantity(function(*plain, **kwargs), getattr(function, "__name__", "operation"), plain, known)
    for operand, (i, j) in zip(flat, places, strict=True):
        result.edges.append(Edge(result, operand, _alone(function, plain, kwargs, i, j)))
    return result


def _identity(constant: Any) -> Any:
    """Something hashable that is equal for equal constants."""
    if isinstance(constant, list | tuple):
        return tuple(map(_identity, constant))
    return (constant.shape, constant.tobytes()) if isinstance(constant, np.ndarray) else repr(constant)


def _alone(function: Callable[..., Any], plain: list[Any], kwargs: Mapping[str, Any], i: int,
           j: int | None) -> Callable[[Any], Any]:
    """The operation as a function of argument i alone, or of part j of it."""
    def of_one(value: Any) -> Any:
        args = list(plain)
        args[i] = value if j is None else [*plain[i][:j], value, *plain[i][j + 1:]]
        return function(*args, **kwargs)

    return of_one


def _like(cotangent: Any, value: Any) -> Any:
    return float(cotangent) if np.ndim(value) == 0 else np.broadcast_to(np.asarray(cotangent, float), np.shape(value)).copy()


# ---- one sweep -----------------------------------------------------------------------------------------------------------------

class Trace:
    """The graph of a function at a point.

    Parameters
    ----------
    x, y : Quantity
        The argument and the result.
    """

    def __init__(self, x: Quantity, y: Quantity) -> None:
        self.x, self.y = x, y
        found, waiting = {y.number: y}, [y]
        while waiting:
            for edge in waiting.pop().edges:
                if edge.operand.number not in found:
                    found[edge.operand.number] = edge.operand
                    waiting.append(edge.operand)
        self.nodes = [found[number] for number in sorted(found, reverse=True)]
        depends = {x.number}
        for node in reversed(self.nodes):
            if any(edge.operand.number in depends for edge in node.edges):
                depends.add(node.number)
        #: only what the argument has an influence on
        self.edges = [edge for node in self.nodes for edge in node.edges if edge.operand.number in depends]
        self.outer = self._outermost_sum()

    def _outermost_sum(self) -> set[int]:
        """The nodes from which only sums, differences and constant factors lead to the result."""
        outer, waiting = {self.y.number}, [self.y]
        while waiting:
            node = waiting.pop()
            if node.name in ("add", "subtract", "negative") or (node.name == "multiply" and len(node.edges) == 1):
                for edge in node.edges:
                    outer.add(edge.operand.number)
                    waiting.append(edge.operand)
        return outer

    def blocks(self) -> list[list[Edge]]:
        """Chains of elementwise steps of one operand, the short ones first: a sigmoid, say, from its quotient to its minus sign."""
        found: list[list[Edge]] = []
        seen: set[int] = set()
        for edge in self.edges:
            block = [edge]
            while _of_one(block[-1]) and len(block[-1].operand.edges) == 1 and len(self.users(block[-1].operand)) == 1:
                block.append(block[-1].operand.edges[0])
            block = [part for part in block if _of_one(part)]
            if len(block) > 1 and id(edge) not in seen:
                found.append(block)
            seen.update(map(id, block))
        lengths = range(2, 1 + max(map(len, found), default=1))
        return [block[i:i + n] for n in lengths for block in found for i in range(len(block) - n + 1)]

    def users(self, node: Quantity) -> list[Edge]:
        """The edges on which a node is an operand."""
        return [edge for edge in self.edges if edge.operand is node]

    def derivative(self, changed: Sequence[Edge] = (), change: Callable[[Edge, Any], Any] | None = None,
                   instead: tuple[Quantity, Any] | None = None) -> Any:
        """dy/dx in stacked layout, with some edges changed; None where the change does not apply to one of them.

        `instead` is a node and what is taken for its derivative by x, in place of all that its edges would say.
        """
        y, x = self.y.value, self.x.value
        rows = []
        for i in range(np.size(y)):
            seed = 1.0 if np.ndim(y) == 0 else np.eye(np.size(y))[i].reshape(np.shape(y))
            adjoints = {self.y.number: seed}
            for node in self.nodes:
                if node.number not in adjoints:
                    continue
                if instead is not None and node is instead[0]:
                    adjoints[self.x.number] = adjoints.get(self.x.number, 0.0) + adjoints[node.number] * instead[1]
                    continue
                for edge in node.edges:
                    g = adjoints[node.number]
                    part = change(edge, g) if change and any(edge is one for one in changed) else edge.pull(g)
                    if part is None:
                        return None
                    adjoints[edge.operand.number] = adjoints.get(edge.operand.number, 0.0) + part
            rows.append(_like(adjoints.get(self.x.number, 0.0), x))
        stacked = np.reshape(np.array(rows), (*np.shape(y), *np.shape(x)))
        return float(stacked) if stacked.ndim == 0 else stacked


def trace(f: Callable[..., Any], at: Mapping[str, Any], wrt: str) -> Trace:
    """Run f once on Quantities.

    Parameters
    ----------
    f : callable
        Takes the arguments by name.
    at : mapping
    wrt : str
        The argument to follow.

    Examples
    --------
    >>> from dualad.teach.slips import trace
    >>> trace(lambda x: x * x + x, {"x": 3.0}, "x").derivative()
    7.0
    """
    x = Quantity(at[wrt])
    y = f(**{**at, wrt: x})
    return Trace(x, y if isinstance(y, Quantity) else Quantity(y))


# ---- the slips -----------------------------------------------------------------------------------------------------------------

def _same_shape(edge: Edge) -> bool:
    return np.shape(edge.operand.value) == np.shape(edge.user.value) and edge.user.name not in ("transpose", "matmul", "dot", "inv")


def _elementwise(edge: Edge) -> bool:
    return _same_shape(edge) and edge.user.name not in ("add", "subtract", "negative")


def _of_one(edge: Edge) -> bool:
    """An elementwise step that depends on this operand alone; a constant may stand beside it (1 + x, 1 / x)."""
    return _same_shape(edge) and len(edge.user.edges) == 1


def _function(edge: Edge) -> bool:
    return _of_one(edge) and edge.user.name not in ("multiply", "divide", "add", "subtract", "negative")


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


def _unsquared(edge: Edge, g: Any) -> Any:
    if edge.user.name != "divide" or edge is not edge.user.edges[-1] or edge.operand is edge.user.edges[0].operand:
        return None
    return edge.pull(g) * edge.operand.value if _elementwise(edge) else None


def _untransposed(edge: Edge, g: Any) -> Any:
    """J g where J^T g is right: A for A^T, the inverse for its transpose; where it can be multiplied at all."""
    if edge.user.name not in ("matmul", "dot", "inv") or np.shape(g) != np.shape(edge.operand.value) or np.ndim(g) == 0:
        return None
    return jvp(edge.function, (edge.operand.value,), (_like(g, edge.operand.value),))[1]


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
    ("chain factor", lambda edge, g, x: g if _elementwise(edge) else None,
     "chain rule: multiply by the derivative of {op} as well"),
    ("power rule", lambda edge, g, x: _unlowered(edge, g), "power rule: the exponent goes down by one"),
    ("power rule", lambda edge, g, x: _uncounted(edge, g), "power rule: the exponent comes down as a factor"),
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
)  # fmt: skip


def _spoken(edge: Edge) -> str:
    return SPOKEN.get(edge.user.name, edge.user.name)


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


def _wrong_rules(graph: Trace) -> Iterator[tuple[str, str, Any]]:
    """Rules for two functions of one number that are not so; None where the step is of another kind."""
    for node in graph.nodes:
        edges = [edge for edge in graph.edges if edge.user is node]
        of_numbers = np.ndim(graph.x.value) == 0 and all(np.ndim(edge.operand.value) == 0 for edge in edges)
        parts: list[Any] = [Trace(graph.x, edge.operand).derivative() if of_numbers else None for edge in edges]
        product = parts[0] * parts[1] if of_numbers and node.name == "multiply" and len(edges) == 2 else None
        over, under = None, None
        if of_numbers and node.name == "divide" and len(edges) == 2:
            (above, below), bottom = parts, edges[1].operand.value
            over, under = above / below if below else None, above - node.value * below
            under = under if bottom != 1.0 else None
        outside, inside = None, None
        if of_numbers and len(edges) == 1 and _function(edges[0]) and edges[0].operand is not graph.x:
            outside, inside = edges[0].pull(1.0), edges[0].pull(1.0, parts[0])
        named = SPOKEN.get(node.name, node.name)
        for code, hint, wrong in (
            ("product rule", "product rule: one factor is differentiated at a time, (fg)' = f'g + fg'", product),
            ("quotient rule", "quotient rule: (f/g)' is not f'/g'", over),
            ("quotient rule", "quotient rule: the denominator is squared", under),
            ("chain factor", f"chain rule: the derivative of what stands inside {named} is missing", outside),
            ("wrong point", "chain rule: f'(g) g', not f'(g')", inside),
        ):
            yield code, hint, None if wrong is None or not np.isfinite(wrong) else graph.derivative(instead=(node, wrong))

"""Experiment "elimination": a Jacobian by eliminating the vertices of a small graph; forward and reverse are two orders of many.

f runs once on a tape; :mod:`dualad.compare.graph` makes the graph of it, :mod:`dualad.compare.orders` eliminates. Forward mode
(sparse, all tangents at once) is the order of the tape, reverse mode the opposite one, and neither needs to be the cheapest.
The Jacobian that is left must be that of the sweeps, for every order.

References: U. Naumann, *Optimal accumulation of Jacobian matrices by elimination methods on the dual computational graph*,
Math. Program. 99, 2004, and *The Art of Differentiating Computer Programs*, SIAM 2012; A. Griewank & A. Walther, *Evaluating
Derivatives*, 2nd ed., SIAM 2008, chapter 9.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from .. import problems
from ..custom import custom_jvp
from ..jacobians import jacfwd, jacrev
from ..tree import flatten
from .figure import Curve, Figure, Table
from .graph import Graph, describe, take
from .methods import DisagreementError
from .named import BadInputError, find
from .options import names, numbers
from .orders import EXHAUSTIVE, best_order, eliminate, markowitz_order, spectrum
from .progress import Progress, silent
from .registry import Argument, register
from .result import Result
from .storage import encode

__all__ = ["FUNCTIONS", "Elimination", "EliminationResult", "bow_tie", "elimination", "naumann"]

#: largest relative difference of a Jacobian from that of the sweeps: paths are summed in another order
TOLERANCE = 1e-10


# ---- functions -------------------------------------------------------------------------------------------------------

def naumann(x0: Any, x1: Any) -> Any:
    """t = x0 sin(x0 x1); (cos t, t / x1): the example of Naumann (2004).

    Examples
    --------
    >>> from dualad.compare.elimination import naumann
    >>> [round(float(y), 4) for y in naumann(1.0, 2.0)]
    [0.6143, 0.4546]
    """
    t = x0 * np.sin(x0 * x1)
    return np.cos(t), t / x1


@custom_jvp
def length(*x: Any) -> Any:
    """The length of a vector as one operation of all its entries, by a rule of its own: one vertex of the graph."""
    return np.sqrt(sum(a * a for a in x))


@length.defjvp
def _length_rule(primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    v = length(*primals)
    return v, sum(x * t for x, t in zip(primals, tangents, strict=True)) / v


def bow_tie(x0: Any, x1: Any, x2: Any, x3: Any, x4: Any) -> Any:
    """Five inputs make one number, a chain of three more follows, five outputs fan out of its end.

    Examples
    --------
    >>> from dualad.compare.elimination import bow_tie
    >>> len(bow_tie(1.0, 2.0, 3.0, 4.0, 5.0))
    5
    """
    t = np.exp(np.sin(np.sqrt(length(x0, x1, x2, x3, x4))))
    return np.sin(t), np.cos(t), np.exp(t), np.log(t), np.tanh(t)


def _builtin() -> dict[str, tuple[str, Callable[..., Any], tuple[float, ...]]]:
    """Name -> summary, function of floats, point."""
    found: dict[str, tuple[str, Callable[..., Any], tuple[float, ...]]] = {
        "naumann": ("t = x0 sin(x0 x1); cos t, t / x1", naumann, (0.5, 2.0)),
        "bowtie": ("five inputs, a chain of four vertices, five outputs", bow_tie, (0.2, 0.4, 0.6, 0.8, 1.0)),
    }
    for problem in problems.select("lecture", "scalar"):
        point = tuple(float(x) for x in problem.make(1, 0))
        found[problem.name] = (f"lecture function of {len(point)} number{'s' * (len(point) > 1)}", problem.using(np), point)
    return found


FUNCTIONS: Mapping[str, tuple[str, Callable[..., Any], tuple[float, ...]]] = MappingProxyType(_builtin())


# ---- result ----------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Elimination:
    """One order, carried out.

    Parameters
    ----------
    name : str
        "forward", "reverse", "best", "Markowitz" or "given".
    order : tuple of str
        The intermediate vertices as they went.
    multiplications : int
        Sum of |in| |out|.
    additions : int
        Products that met an edge that was there.
    fill : int
        Products that made a new edge.
    error : float
        Largest difference of the Jacobian from that of the sweeps, relative to its largest entry.
    """

    name: str
    order: tuple[str, ...]
    multiplications: int
    additions: int
    fill: int
    error: float = 0.0


@dataclass(frozen=True)
class EliminationResult(Result, name="elimination", rows=(Elimination,)):
    """What each order costs on one graph.

    Parameters
    ----------
    graph : Graph
    spectrum : tuple of (int, int)
        Multiplications and how many of all orders need them; empty for a graph with too many vertices.

    Examples
    --------
    >>> from dualad import compare
    >>> r = compare.elimination("bowtie")
    >>> {row.name: row.multiplications for row in r.rows}
    {'forward': 40, 'reverse': 40, 'Markowitz': 32, 'best': 32}
    """

    graph: Graph = field(default_factory=Graph)
    spectrum: tuple[tuple[int, int], ...] = ()

    def row(self, name: str) -> Elimination:
        """The order called "forward", "reverse", "Markowitz", "best" or "given"."""
        found: Elimination | None = next((row for row in self.rows if row.name == name), None)
        if found is None:
            raise KeyError(f"no order {name!r}; there are {', '.join(row.name for row in self.rows)}")
        return found

    def tables(self) -> tuple[Table, ...]:
        orders = Table("Multiplications to the Jacobian, by the order in which vertices are eliminated",
                       ("order", "multiplications", "additions", "new edges", "error", "vertices"),
                       tuple((r.name, r.multiplications, r.additions, r.fill, r.error, _brief(r.order)) for r in self.rows),
                       "A multiplication joins an edge in to an edge out; partials that are 1 or -1 count like any other. error: "
                       "largest difference of the Jacobian from that of the sweeps, relative to its largest entry.")
        listing = Table("The graph: what every vertex is made of, and its partials",
                        ("vertex", "kind", "made by", "value", "partials"),
                        tuple((v.name, v.kind, describe(v) if v.operation else None, v.value,
                               ", ".join(f"d{v.name}/d{o} = {p:.4g}" for o, p in zip(v.operands, v.partials, strict=True)) or None)
                              for v in self.graph.vertices))
        return orders, listing

    def figures(self) -> tuple[Figure, ...]:
        name = "elimination"
        drawn = self.graph.figure(f"{name}-graph", "The computational graph")
        if len(self.spectrum) < 2:
            return (drawn,)
        return drawn, self._spectrum_figure(f"{name}-orders")

    def _spectrum_figure(self, name: str) -> Figure:
        costs, ways = zip(*self.spectrum, strict=True)
        total = sum(ways)
        at: dict[int, list[str]] = {}
        for row in self.rows:
            at.setdefault(row.multiplications, []).append(row.name)
        curves = [Curve("all orders", tuple(map(float, costs)), tuple(map(float, ways)), "value")]
        for cost, which in sorted(at.items()):
            role = next((name for name in ("forward", "reverse") if name in which), "binomial" if "best" in which else "")
            curves.append(Curve(f"{', '.join(which)}: {cost}", (float(cost),), (float(dict(self.spectrum)[cost]),), role))
        caption = (f"All {total} orders of {len(self.graph.names('intermediate'))} vertices, sorted by their multiplications: from "
                   f"{costs[0]} ({ways[0]} of them) to {costs[-1]} ({ways[-1]}). Forward and reverse are two of them, at "
                   f"{self.row('forward').multiplications} and {self.row('reverse').multiplications}.")
        pairs = ", ".join(f"{way} with {cost}" for cost, way in self.spectrum[:12])
        return Figure(name, "How many orders cost how much", "multiplications", "orders", caption,
                      f"Number of orders by their multiplications: {pairs}{' and so on' if len(costs) > 12 else ''}.",
                      tuple(curves), None, (), "linear", "log")

    def reading(self) -> tuple[str, ...]:
        forward, reverse = (self.row(name).multiplications for name in ("forward", "reverse"))
        inputs, outputs, p = (len(self.graph.names(kind)) for kind in ("input", "output", "intermediate"))
        lines = [f"The graph has {inputs} inputs, {p} intermediate vertices, {outputs} outputs and {len(self.graph.edges)} edges."]
        cheaper = ("forward and reverse need the same" if forward == reverse else
                   f"{'forward' if forward < reverse else 'reverse'} is the cheaper of the two modes")
        lines.append(f"Forward needs {forward} multiplications, reverse {reverse}: {cheaper}.")
        least = min(forward, reverse)
        if any(row.name == "best" for row in self.rows):
            best = self.row("best")
            lines.append(f"The best of all {math.factorial(p)} orders needs {best.multiplications}"
                         + (f" ({_brief(best.order)}): neither mode is the best." if best.multiplications < least else
                            ": no order beats the cheaper mode here."))
            greedy = self.row("Markowitz").multiplications
            lines.append("Markowitz's greedy rule finds that too." if greedy == best.multiplications else
                         f"Markowitz's greedy rule needs {greedy}: it does not look ahead.")
        else:
            lines.append(f"Markowitz's greedy rule needs {self.row('Markowitz').multiplications}; {p} vertices have too many "
                         f"orders to search them all (at most {EXHAUSTIVE}), so a better one may exist.")
        for row in self.rows:
            if row.name == "given":
                lines.append(f"The given order needs {row.multiplications}.")
        lines.append("What you see: every order gives the same Jacobian, since each only sums products over paths; what it costs "
                     "depends on how the products are shared, and forward and reverse are but two ways to share them.")
        return tuple(lines)


def _brief(order: Sequence[str]) -> str:
    return " ".join(order) if len(order) <= 12 else f"{' '.join(order[:6])} ... {' '.join(order[-3:])}"


# ---- experiment ------------------------------------------------------------------------------------------------------

def elimination(function: str | Callable[..., Any] = "naumann", x: Any = None, order: Sequence[str] | None = None, *,
                progress: Progress = silent) -> EliminationResult:
    """The Jacobian of a small function by eliminating the vertices of its graph, in several orders.

    Parameters
    ----------
    function : str or callable
        "naumann", "bowtie", a scalar function of the lectures, ``module:function``, or a function of yours.
    x : float, array_like or tuple
        The point: an array is one argument, a tuple has one entry an argument. Built-in functions have one of their own.
    order : sequence of str, optional
        One more order to try: the names of all intermediate vertices, as the table lists them.
    progress : callable

    Returns
    -------
    EliminationResult
        A row an order: forward, reverse, Markowitz, best (up to 12 intermediate vertices), given.

    Raises
    ------
    ValueError
        A function or an order that there is not, a graph of more than 400 vertices.
    TypeError
        f returns a constant.
    DisagreementError
        The Jacobian of an order is not that of the sweeps.

    Notes
    -----
    Cost: p 2^p steps for p <= 12 intermediate vertices.

    Examples
    --------
    >>> from dualad import compare
    >>> r = compare.elimination("naumann", order=["v3", "v1", "v2"])
    >>> {row.name: row.multiplications for row in r.rows}
    {'forward': 8, 'reverse': 10, 'Markowitz': 7, 'best': 7, 'given': 10}
    """
    name, summary, f, point = _resolve(function, x)
    progress(f"{name}: recording")
    try:
        graph, exact = take(f, *point), _jacobian(f, point)
    except Exception as error:
        if isinstance(error, DisagreementError) or not isinstance(function, str):
            raise
        raise BadInputError(f"{name}: {type(error).__name__}: {error}") from error  # the function was named: it may fail in any way
    between = graph.names("intermediate")
    orders: dict[str, Sequence[str]] = {"forward": between, "reverse": between[::-1], "Markowitz": markowitz_order(graph)}
    notes, ways = [], {}
    if len(between) <= EXHAUSTIVE:
        orders["best"], ways = best_order(graph), spectrum(graph)
    else:
        notes.append(f"the best order: {len(between)} intermediate vertices are more than the {EXHAUSTIVE} that can be searched")
    if order is not None:
        orders["given"] = list(order)
    rows = tuple(_carried_out(graph, which, chosen, exact) for which, chosen in orders.items())
    settings = {"function": name, "x": None if x is None else [encode(np.asarray(a, dtype=float)) for a in point],
                "order": None if order is None else list(order)}
    return EliminationResult(f"{name}: {summary}", settings, rows, tuple(notes), {}, graph, tuple(ways.items()))


def _resolve(function: str | Callable[..., Any], x: Any) -> tuple[str, str, Callable[..., Any], tuple[Any, ...]]:
    """Name, summary, f and its arguments."""
    if isinstance(function, str) and ":" not in function:
        if function not in FUNCTIONS:
            raise ValueError(f"no function {function!r}; there are {', '.join(FUNCTIONS)}, or name yours as module:function")
        summary, f, point = FUNCTIONS[function]
        if x is not None:
            given = tuple(float(a) for a in np.ravel(np.asarray(x, dtype=float)))
            if len(given) != len(point):
                raise ValueError(f"{function} takes {len(point)} numbers, not {len(given)}")
            point = given
        return function, summary, f, point
    f = find(function) if isinstance(function, str) else function
    if not callable(f):
        raise TypeError(f"elimination takes the name of a function or a function, not {function!r}")
    name = function if isinstance(function, str) else getattr(f, "__name__", type(f).__name__)
    if x is None:
        raise ValueError(f"give the point x at which {name} is recorded")
    args = x if isinstance(x, tuple) else (x[0] if isinstance(x, list) and len(x) == 1 else x,)
    return name, "your function", f, tuple(float(a) if np.ndim(a) == 0 else np.asarray(a, dtype=float) for a in args)


def _jacobian(f: Callable[..., Any], point: tuple[Any, ...]) -> np.ndarray:
    """The Jacobian by forward sweeps, once it agrees with that by reverse sweeps."""
    ends = np.cumsum([np.size(a) for a in point])

    def vector(z: Any) -> Any:
        args = [z[end - np.size(a):end] if np.ndim(a) else z[end - 1] for a, end in zip(point, ends, strict=True)]
        args = [np.reshape(z_part, np.shape(a)) if np.ndim(a) > 1 else z_part for z_part, a in zip(args, point, strict=True)]
        return np.concatenate([np.reshape(leaf, (-1,)) for leaf in flatten(f(*args))[0]])

    x = np.concatenate([np.ravel(a) for a in point]).astype(float)
    forward, reverse = jacfwd(vector)(x), jacrev(vector)(x)
    _check("reverse sweeps", reverse, forward)
    return np.asarray(forward)


def _check(name: str, jacobian: np.ndarray, exact: np.ndarray) -> float:
    """The largest difference, relative to the largest entry."""
    if jacobian.shape != exact.shape:
        raise DisagreementError(f"{name} gives a Jacobian of shape {jacobian.shape}, the forward sweeps one of {exact.shape}")
    scale = float(np.max(np.abs(exact), initial=0.0)) or 1.0
    error = float(np.max(np.abs(jacobian - exact), initial=0.0)) / scale
    if not error <= TOLERANCE:
        raise DisagreementError(f"{name} and the forward sweeps disagree: by {error:.3g} of the largest entry")
    return error


def _carried_out(graph: Graph, name: str, order: Sequence[str], exact: np.ndarray) -> Elimination:
    jacobian, multiplications, additions, fill = eliminate(graph, order)
    return Elimination(name, tuple(order), multiplications, additions, fill, _check(f"the {name} order", jacobian, exact))


register(
    "elimination", "a Jacobian by eliminating vertices of a small graph: forward and reverse are two orders of many", elimination,
    Argument("function", str, "naumann", f"{', '.join(FUNCTIONS)}, or yours as module:function"),
    Argument("x", numbers, None, "the point (necessary for a function of yours)", metavar="X,..."),
    Argument("order", names, None, "one more order, all intermediate vertices: v2,v1,v3", metavar="V,..."),
)

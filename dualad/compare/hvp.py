"""Experiment "hvp": a Hessian times a vector, by every way to nest two derivatives, and through the whole Hessian.

    forward over reverse    d/dt grad f(x + t v)           a tangent rides on the gradient's program
    reverse over forward    grad (d/dt f(x + t v))         a reverse sweep over the program with a tangent
    reverse over reverse    grad (grad f . v)              a reverse sweep over the gradient's program
    forward over forward    d/dx_i d/dt f(x + t v)         n + 1 tangents at once, one second derivative for each input
    full Hessian            H, then H v                    n tangents on the gradient's program

Counting. The tables of the cost model (:mod:`dualad.cost`) say what work a value, a value with its tangent, a value with its
adjoint are, for each class of operations. There are as many classes as kinds of work, so each table is a linear map of work:
T maps the work of a program to that of the program with a tangent, G to that with an adjoint. Second order is their
composition: T G f, G T f, G G f. At the default weights T G lies in [6, 9.5] times f, G T in [6, 12], G G in [9, 16]. The first is
the second-order adjoint of Griewank & Walther (*Evaluating Derivatives*, 2nd ed., SIAM 2008, chapter 5). The order of the two
matters: an adjoint moves more than a tangent does, so it should be taken of the shorter program.
"""

from __future__ import annotations

import functools
import gc
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from ..api import grad, jvp
from ..cost import CLASSES, DEFAULT, GRADIENT, TANGENT, VALUE, Operations, Weights
from ..jacobians import hessian, jacfwd
from ..jacobians import hvp as product
from ..reverse import record
from .clock import Timing, interleaved
from .counting import count
from .environment import describe
from .families import FAMILIES
from .figure import Curve, Figure, Table
from .methods import DisagreementError
from .options import natural, sizes
from .probe import answer
from .progress import Progress, finished, silent
from .registry import Argument, register
from .result import Result
from .scaling import check_sizes
from .storage import encode

__all__ = ["METHODS", "HvpResult", "HvpRow", "WorkMap", "hvp"]

AT = (2, 4, 8, 16, 32, 64, 128)
DEPTH = 8
TOLERANCE = 1e-9
#: the whole Hessian is not built for more inputs
MOST_INPUTS = 1000

METHODS: Mapping[str, str] = MappingProxyType({
    "hvp": "dualad.hvp: forward over reverse, in C sweeps where f allows",
    "forward over reverse": "jvp of grad, nested",
    "reverse over forward": "grad of the directional derivative",
    "reverse over reverse": "grad of grad f . v",
    "forward over forward": "n tangents over one tangent",
    "full Hessian": "hessian, then H @ v",
})

ROLES = {"hvp": "forward", "forward over reverse": "n jvp", "reverse over forward": "reverse", "reverse over reverse": "m vjp",
         "forward over forward": "", "full Hessian": ""}


# ---- counting ----------------------------------------------------------------------------------------------------------

class WorkMap:
    """A table of the cost model as the linear map of work that it is.

    Parameters
    ----------
    table : mapping
        Class to (moves, adds, mults, nonlinear) of one operation and its derivative.

    Examples
    --------
    >>> from dualad.compare.hvp import WorkMap
    >>> from dualad.cost import TANGENT, VALUE
    >>> tangent = WorkMap(TANGENT)
    >>> tangent(VALUE["mult"]) == TANGENT["mult"], tangent(tangent(VALUE["mult"]))
    (True, (12, 5, 9, 0))
    """

    def __init__(self, table: Mapping[str, tuple[int, int, int, int]]) -> None:
        before, after = (np.array([part[name] for name in CLASSES], dtype=float).T for part in (VALUE, table))
        self.matrix = np.rint(after @ np.linalg.inv(before)).astype(int)

    def __call__(self, work: Sequence[int]) -> tuple[int, ...]:
        """The work of the program with its derivative, from the work of the program."""
        return tuple(int(part) for part in self.matrix @ np.asarray(work))


T, G = WorkMap(TANGENT), WorkMap(GRADIENT)


def work_of(operations: Operations) -> tuple[int, ...]:
    """Moves, additions, multiplications and nonlinear functions of one value."""
    return tuple(int(sum(getattr(operations, name) * VALUE[name][i] for name in CLASSES)) for i in range(4))


def counted_work(operations: Operations, n: int) -> dict[str, tuple[int, ...]]:
    """Work of every method, from the operations of f: R^n -> R.

    Examples
    --------
    >>> from dualad.compare.hvp import counted_work
    >>> from dualad.cost import Operations
    >>> counted_work(Operations(mult=1), 3)["forward over reverse"]
    (22, 7, 9, 0)
    """
    f = work_of(operations)
    dot = work_of(Operations(mult=n, add=n - 1))
    many = work_of(Operations(mult=n * n, add=n * (n - 1)))
    over_reverse, over_forward = T(G(f)), T(T(f))

    def ride(base: tuple[int, ...], whole: tuple[int, ...]) -> tuple[int, ...]:
        """n tangents on one run."""
        return tuple(a + n * (b - a) for a, b in zip(base, whole, strict=True))

    return {
        "value": f,
        "gradient": G(f),
        "hvp": over_reverse,
        "forward over reverse": over_reverse,
        "reverse over forward": G(T(f)),
        "reverse over reverse": G([a + b for a, b in zip(G(f), dot, strict=True)]),
        "forward over forward": ride(T(f), over_forward),
        "full Hessian": tuple(a + b for a, b in zip(ride(G(f), over_reverse), many, strict=True)),
    }


def price_of(work: Sequence[int], weights: Weights) -> float:
    """The weighted sum."""
    moves, adds, mults, nonlinear = work
    return moves * weights.moves + adds * weights.adds + mults * weights.mults + nonlinear * weights.nonlinear


def bounds(outer: WorkMap, inner: WorkMap, weights: Weights = DEFAULT) -> tuple[float, float]:
    """Least and greatest price of a composition, in units of the value, over the classes of operations.

    Examples
    --------
    >>> from dualad.compare.hvp import G, T, bounds
    >>> bounds(T, G), bounds(G, T), bounds(G, G)
    ((6.0, 9.5), (6.0, 12.0), (9.0, 16.0))
    """
    ratios = [price_of(outer(inner(VALUE[name])), weights) / price_of(VALUE[name], weights) for name in CLASSES[1:]]
    return min(ratios), max(ratios)


# ---- the methods ---------------------------------------------------------------------------------------------------------

def calls_of(f: Callable[..., Any], x: np.ndarray, v: np.ndarray) -> dict[str, Callable[[], Any]]:
    """Every method as a call without arguments."""

    def directional(z: Any) -> Any:
        return jvp(f, (z,), (v,))[1]

    gradient = grad(f)
    return {
        "hvp": lambda: product(f, (x,), (v,)),
        "forward over reverse": lambda: jvp(gradient, (x,), (v,))[1],
        "reverse over forward": lambda: grad(directional)(x),
        "reverse over reverse": lambda: grad(lambda z: np.sum(gradient(z) * v))(x),
        "forward over forward": lambda: jacfwd(directional)(x),
        "full Hessian": lambda: hessian(f)(x) @ v,
    }


def tapes_of(f: Callable[..., Any], x: np.ndarray, v: np.ndarray) -> dict[str, int]:
    """Bytes of the tape that each method sweeps; those without one in C are missing (theirs is made of Python objects)."""

    def size(g: Callable[..., Any]) -> int:
        return int(record(g, [x], tuple).level.nbytes)

    one, tangent = size(f), size(lambda z: jvp(f, (z,), (v,))[1])
    gradient = grad(f)
    return {"hvp": one, "reverse over forward": tangent, "reverse over reverse": size(lambda z: np.sum(gradient(z) * v)),
            "forward over forward": tangent, "full Hessian": one}


def peak_of(call: Callable[[], Any]) -> int:
    """Bytes that Python and NumPy hold at most while a call runs, over what they held before."""
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        call()
        return max(0, tracemalloc.get_traced_memory()[1] - before)
    finally:
        tracemalloc.stop()


# ---- result ------------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class HvpRow:
    """Costs of one Hessian-vector product of f: R^n -> R.

    Parameters
    ----------
    n : int
    operations : Operations
        Of one value of f.
    counted : mapping of str to float
        Method (and "value", "gradient") to its counted price.
    tape : mapping of str to int
        Method to the bytes of the tape in C that it sweeps.
    peak : mapping of str to int, or None
        Method to the most bytes that Python and NumPy held, measured.
    seconds : mapping of str to Timing, or None
        Method (and "value", "gradient") to the time.
    """

    n: int
    operations: Operations
    counted: Mapping[str, float]
    tape: Mapping[str, int]
    peak: Mapping[str, int] | None = None
    seconds: Mapping[str, Timing] | None = None

    def relative(self, name: str, measured: bool = False) -> float:
        """Cost in units of one value of f."""
        if measured and self.seconds is not None:
            return self.seconds[name].median / self.seconds["value"].median
        return self.counted[name] / self.counted["value"]


@dataclass(frozen=True)
class HvpResult(Result, name="hvp", rows=(HvpRow,)):
    """Six ways to a Hessian-vector product.

    Examples
    --------
    >>> from dualad import compare
    >>> r = compare.hvp([4, 64], count_only=True)
    >>> 6 <= r.rows[1].relative("hvp") <= 9.5, r.rows[1].relative("full Hessian") > 100
    (True, True)
    """

    @property
    def timed(self) -> bool:
        return any(row.seconds is not None for row in self.rows)

    def slope(self, name: str, measured: bool = False) -> float | None:
        """Exponent k of the cost in units of f, over the upper half of the sizes; None with one size."""
        rows = self.rows[len(self.rows) // 2:] if len(self.rows) > 3 else self.rows
        if len(rows) < 2:
            return None
        return float(np.polyfit(np.log([row.n for row in rows]), np.log([row.relative(name, measured) for row in rows]), 1)[0])

    def tables(self) -> tuple[Table, ...]:
        weights = Weights(**self.settings["weights"])
        names = ("gradient", *METHODS)
        tables = [Table(f"Counted: operations of H v / operations of one value of f (weights: {weights})", ("n", "value", *names),
                        tuple((row.n, row.counted["value"], *(row.relative(name) for name in names)) for row in self.rows),
                        "T G f, T G f, G T f, G G f, n tangents on T f, n tangents on G f.")]
        if self.timed:
            tables.append(Table("Measured: time of H v / time of one value of f", ("n", "value us", "again", *names),
                                tuple((row.n, row.seconds["value"].median * 1e6, row.relative("again", True),
                                       *(row.relative(name, True) for name in names)) for row in self.rows if row.seconds),
                                "Medians; again: f once more, the noise."))
        tables.append(Table("Bytes of the tape in C", ("n", *METHODS),
                            tuple((row.n, *(row.tape.get(name) for name in METHODS)) for row in self.rows),
                            "9 bytes a node, 8 a number; nested, forward over reverse has a tape of Python objects instead."))
        if any(row.peak is not None for row in self.rows):
            tables.append(Table("Measured: most bytes that Python and NumPy held", ("n", *METHODS),
                                tuple((row.n, *(row.peak.get(name) for name in METHODS)) for row in self.rows if row.peak),
                                "Over what they held before; the tape in C comes on top."))
        return tuple(tables)

    def figures(self) -> tuple[Figure, ...]:
        if len(self.rows) < 2:
            return ()
        figures = [self._cost(measured) for measured in ((True, False) if self.timed else (False,))]
        return tuple(figures)

    def _cost(self, measured: bool) -> Figure:
        by = "measured" if measured else "counted"
        x = tuple(float(row.n) for row in self.rows)
        low, high = bounds(T, G, Weights(**self.settings["weights"]))
        curves = [Curve("forward over reverse, bounds", x, tuple((low * high) ** 0.5 for _ in x), "theory", "band",
                        tuple(low for _ in x), tuple(high for _ in x))]
        for name in METHODS:
            if not measured and name == "forward over reverse":  # the same count as hvp
                continue
            label = "hvp, forward over reverse" if name == "hvp" and not measured else name
            y = tuple(row.relative(name, measured) for row in self.rows)
            bands = [(row.seconds[name].low / row.seconds["value"].median, row.seconds[name].high / row.seconds["value"].median)
                     for row in self.rows if row.seconds] if measured else []
            curves.append(Curve(label, x, y, ROLES[name], "points", tuple(a for a, _ in bands) if bands else None,
                                tuple(b for _, b in bands) if bands else None))
        last = self.rows[-1]
        cheapest = min(METHODS, key=lambda name: last.relative(name, measured))
        said = ", ".join(f"{name} {last.relative(name, measured):.3g}" for name in METHODS)
        caption = (f"At n = {last.n} {cheapest} is the cheapest way to H v, {by}: "
                   f"{last.relative(cheapest, measured):.3g} values of f; through the whole Hessian it takes "
                   f"{last.relative('full Hessian', measured):.3g}. The grey band is what the cost model allows forward over "
                   f"reverse, {low:.3g} to {high:.3g}, whatever f.")
        alt = (f"Log-log plot of the {by} cost of H v in values of f against n from {self.rows[0].n} to {last.n}; at the end: "
               f"{said}.")
        return Figure(f"hvp-{by}", f"Cost of a Hessian-vector product, {by}", "inputs n",
                      f"{'time' if measured else 'operations'} / one value of f", caption, alt, tuple(curves))

    def reading(self) -> tuple[str, ...]:
        last = self.rows[-1]
        weights = Weights(**self.settings["weights"])
        lines = []
        for name, outer, inner in (("Forward over reverse", T, G), ("Reverse over forward", G, T), ("Reverse over reverse", G, G)):
            low, high = bounds(outer, inner, weights)
            found = last.relative(name.lower())
            lines.append(f"{name}: {found:.3g} values of f at n = {last.n}, counted; the model allows {low:.3g} to {high:.3g}"
                         f"{' and the product with v' if outer is inner else ''}, whatever n.")
        lines.append(f"Forward over forward counts {last.relative('forward over forward'):.3g}, the full Hessian "
                     f"{last.relative('full Hessian'):.3g}: both grow with n.")
        if self.timed:
            order = sorted(METHODS, key=lambda name: last.relative(name, True))
            lines.append("Measured at the last size, cheapest first: "
                         + ", ".join(f"{name} {last.relative(name, True):.3g}" for name in order) + " values of f.")
            gradients = last.relative("hvp", True) / last.relative("gradient", True)
            lines.append(f"Measured, hvp takes {gradients:.3g} gradients. The nested ways run Python for every operation of the "
                         "inner derivative, hvp sweeps one recording in C: that gap is overhead, not arithmetic.")
        lines.append("What you see: a Hessian times a vector costs a small multiple of f, like a gradient, whatever the number of "
                     "inputs; the Hessian itself costs n times that. Take the gradient, and let one tangent ride on it.")
        return tuple(lines)


# ---- experiment --------------------------------------------------------------------------------------------------------

def hvp(at: Sequence[int] = AT, *, family: str = "helmholtz", depth: int = DEPTH, seed: int = 0, repeats: int = 15,
        weights: Weights = DEFAULT, count_only: bool = False, progress: Progress = silent) -> HvpResult:
    """A Hessian times a vector in six ways: operations, bytes, time.

    Parameters
    ----------
    at : sequence of int
        Inputs n, increasing.
    family : str
        A family with one output: "helmholtz", "rosenbrock", "logsumexp", "speelpenning", "mlp", "lorenz", the lectures'.
    depth, seed : int
        As for :func:`dualad.compare.scaling`; the seed draws the vector, too.
    repeats : int
        Interleaved samples of each method.
    weights : Weights
    count_only : bool
        Time nothing.
    progress : callable

    Returns
    -------
    HvpResult

    Raises
    ------
    ValueError
        Sizes or families that there are not.
    DisagreementError
        Two ways gave different vectors; nothing was timed.

    Notes
    -----
    Cost: at every size each way `repeats` times, at least a millisecond each.

    Examples
    --------
    >>> from dualad import compare
    >>> r = compare.hvp([8], family="rosenbrock", count_only=True)
    >>> r.rows[0].relative("gradient") < r.rows[0].relative("hvp") < r.rows[0].relative("reverse over reverse")
    True
    """
    allowed = [name for name, one in FAMILIES.items() if one.one_output]
    if family not in allowed:
        raise ValueError(f"no family {family!r} with one output; there are {', '.join(allowed)}")
    if depth < 0 or repeats < 1 or seed < 0:
        raise ValueError(f"depth and seed must be at least 0 and repeats at least 1, not {depth}, {seed} and {repeats}")
    chosen = FAMILIES[family]
    checked = check_sizes(at, chosen.smallest)
    if chosen.largest is not None and tuple(at) == AT:
        checked = (*(n for n in checked if n < chosen.largest), chosen.largest)
    most = min(chosen.largest or MOST_INPUTS, MOST_INPUTS)
    if checked[-1] > most:
        raise ValueError(f"the Hessian of {family} is built for n up to {most}, not {checked[-1]}")
    row = functools.partial(_row, chosen.make, depth, seed, repeats, weights, not count_only)
    rows = tuple(finished(progress, f"hvp of {family}: n = {n}", HvpRow, functools.partial(row, n)) for n in checked)
    calls = max(one.operations.calls for one in rows)
    notes = (f"up to {calls} calls of primitives that the table does not price are missing in the counts",) if calls else ()
    settings = {"at": list(checked), "family": family, "depth": depth, "seed": seed, "repeats": repeats, "weights": encode(weights),
                "count_only": count_only}
    return HvpResult(f"Hessian-vector products of {family}: {chosen.summary}; seed {seed}", settings, rows, notes,
                     {} if count_only else describe())


def _row(make: Callable[..., Any], depth: int, seed: int, repeats: int, weights: Weights, timed: bool, n: int) -> HvpRow:
    f, x, _ = make(n, 1, depth, seed)
    answer(f, x)
    v = np.random.default_rng([seed, n]).normal(size=x.size)
    calls = calls_of(f, x, v)
    check({name: np.asarray(call()) for name, call in calls.items()}, f"at n = {n}: ")
    operations = count(f, x)
    counted = {name: price_of(work, weights) for name, work in counted_work(operations, n).items()}
    if not timed:
        return HvpRow(n, operations, counted, tapes_of(f, x, v))
    peak = {name: peak_of(call) for name, call in calls.items()}
    plain = {"value": lambda: f(x), "again": lambda: f(x), "gradient": lambda: grad(f)(x)}
    return HvpRow(n, operations, counted, tapes_of(f, x, v), peak, interleaved({**plain, **calls}, repeats))


def check(products: Mapping[str, np.ndarray], where: str = "") -> None:
    """Hold the vectors against the first one.

    Raises
    ------
    DisagreementError
        Naming the two ways.
    """
    names = list(products)
    first = products[names[0]]
    scale = float(np.max(np.abs(first), initial=0.0))
    for name in names[1:]:
        if products[name].shape != first.shape:
            raise DisagreementError(f"{where}{names[0]} gives a vector of shape {first.shape}, {name} one of shape "
                                    f"{products[name].shape}")
        error = float(np.max(np.abs(products[name] - first), initial=0.0))
        if not error <= TOLERANCE * scale:
            raise DisagreementError(f"{where}{names[0]} and {name} disagree by {error:.3g}")


register(
    "hvp", "a Hessian times a vector in six ways, nested and through the whole Hessian", hvp,
    Argument("at", sizes, AT, "inputs n: 1,2,5 or 2:128:x2 or 10:50:+10", metavar="SIZES"),
    Argument("family", str, "helmholtz", "the function", tuple(name for name, one in FAMILIES.items() if one.one_output)),
    Argument("depth", natural, DEPTH, "steps of the equation, rows of the network"),
)

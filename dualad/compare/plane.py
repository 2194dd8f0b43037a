"""Experiment "plane": forward against reverse over the whole plane of inputs n and outputs m."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..cost import CLASSES, DEFAULT, Operations, Weights
from .environment import describe
from .families import FAMILIES
from .figure import Curve, Figure, Heat, Table
from .measure import measure
from .methods import METHODS
from .options import natural, sizes
from .progress import Progress, finished, silent
from .registry import Argument, register
from .result import Result
from .row import Crossover, Row, crossover
from .scaling import DEPTH, check_family, check_sizes
from .storage import encode

__all__ = ["PlaneResult", "plane", "wedge"]

AT = (1, 2, 4, 8, 16, 32, 64, 128)
#: what a plane compares: all tangents in one run, all adjoints from one recording
OTHERS = tuple(name for name in METHODS if name not in ("forward", "reverse"))


def wedge(weights: Weights = DEFAULT) -> tuple[float, float]:
    """Between which n/m forward and reverse cost the same, whatever the function's operations are.

    Examples
    --------
    >>> from dualad.compare.plane import wedge
    >>> [round(ratio, 2) for ratio in wedge()]
    [1.8, 2.0]
    """
    ratios = [Operations(**{name: 1}).break_even(weights) for name in CLASSES[1:]]
    return min(ratios), max(ratios)


@dataclass(frozen=True)
class PlaneResult(Result, name="plane", rows=(Row,)):
    """Costs of forward and reverse at every n and m.

    Examples
    --------
    >>> from dualad import compare
    >>> r = compare.plane([1, 2, 4], [1, 2], count_only=True)
    >>> r.ns(), r.ms(), [round(c.ratio, 2) for c in r.crossovers().values()]
    ([1, 2, 4], [1, 2], [1.94, 1.94])
    """

    def ns(self) -> list[int]:
        """The numbers of inputs."""
        return sorted({row.n for row in self.rows})

    def ms(self) -> list[int]:
        """The numbers of outputs."""
        return sorted({row.m for row in self.rows})

    @property
    def timed(self) -> bool:
        return any(row.seconds is not None for row in self.rows)

    def ratio(self, n: int, m: int, measured: bool = False) -> float | None:
        """log2(cost of forward / cost of reverse) at a point: positive where reverse is cheaper."""
        row = next((row for row in self.rows if (row.n, row.m) == (n, m)), None)
        if row is None:
            return None
        forward, reverse = (row.relative(name, measured) for name in ("forward", "reverse"))
        return math.log2(forward / reverse) if forward and reverse else None

    def crossovers(self, measured: bool = False) -> dict[int, Crossover]:
        """m -> where forward and reverse cost the same as n grows."""
        return {m: crossover([row for row in self.rows if row.m == m], "n", measured) for m in self.ms()}

    def tables(self) -> tuple[Table, ...]:
        return (*(self._grid(measured) for measured in ((False, True) if self.timed else (False,))), self._crossover_table())

    def _grid(self, measured: bool) -> Table:
        by = "time" if measured else "operations"
        rows = tuple((f"m = {m}", *(self.ratio(n, m, measured) for n in self.ns())) for m in self.ms())
        return Table(f"{'Measured' if measured else 'Counted'}: log2({by} of forward / {by} of reverse)",
                     ("", *(f"n = {n}" for n in self.ns())), rows,
                     "Positive: reverse is cheaper; 1 means by a factor of 2." + (f" {self.noise()}." if measured else ""))

    def _crossover_table(self) -> Table:
        counted, measured = self.crossovers(), self.crossovers(True) if self.timed else {}
        low, high = wedge(self.rows[0].weights)
        header = ("m", "predicted from", "to", "counted n", "n/m", *(("measured n", "n/m") if self.timed else ()))
        rows = []
        for m in self.ms():
            cells: list[object] = [m, low * m, high * m, counted[m].at, counted[m].ratio]
            rows.append((*cells, measured[m].at, measured[m].ratio) if self.timed else tuple(cells))
        return Table("Crossover: n from which reverse is cheaper", header, tuple(rows))

    def noise(self) -> str:
        """The noise floor in words."""
        worst = max((max(r, 1 / r) for row in self.rows if (r := row.relative("again", True))), default=1.0)
        return f"f timed twice differs by up to {100 * (worst - 1):.1f} %, which is {math.log2(worst):.2f} on this scale"

    def figures(self) -> tuple[Figure, ...]:
        return tuple(self._figure(measured) for measured in ((True, False) if self.timed else (False,)))

    def _figure(self, measured: bool) -> Figure:
        by = "measured" if measured else "counted"
        ns, ms = self.ns(), self.ms()
        x, y = tuple(map(float, ns)), tuple(map(float, ms))
        z = tuple(tuple(self.ratio(n, m, measured) for n in ns) for m in ms)
        low, high = wedge(self.rows[0].weights)
        below, above = tuple(n / high for n in x), tuple(n / low for n in x)
        middle = tuple(math.sqrt(a * b) for a, b in zip(below, above, strict=True))
        band = Curve(f"predicted: n/m from {low:.2g} to {high:.2g}", x, middle, "theory", "band", below, above)
        curves = (band, self._counted_line()) if measured else (band,)  # where the heat is 0 the renderers draw a bold line
        return Figure(
            f"plane-{by}", f"Forward or reverse, {by}", "inputs n", "outputs m", self._caption(measured),
            f"Heat map over {len(ns)} numbers of inputs and {len(ms)} numbers of outputs: {self._alt(measured)}",
            tuple(curve for curve in curves if curve.x), Heat(x, y, z, f"log2(forward/reverse), {by}"))

    def _counted_line(self) -> Curve:
        found = [(c.at, float(m)) for m, c in self.crossovers().items() if c.at is not None]
        return Curve("same cost by the count", tuple(n for n, _ in found), tuple(m for _, m in found), "", "line")

    def _alt(self, measured: bool) -> str:
        ratios = [(r, n, m) for n in self.ns() for m in self.ms() if (r := self.ratio(n, m, measured)) is not None]
        (least, n0, m0), (most, n1, m1) = min(ratios), max(ratios)
        return (f"forward is cheapest against reverse at n = {n0}, m = {m0} (factor {2 ** -least:.3g}), "
                f"reverse against forward at n = {n1}, m = {m1} (factor {2 ** most:.3g}).")

    def _caption(self, measured: bool) -> str:
        gap = " The gap between that line and the counted one is overhead, not arithmetic." if measured else ""
        return ("Each square is one function R^n -> R^m and compares its whole Jacobian by forward mode with that by reverse mode. "
                "Right and below, with many inputs and few outputs, reverse is cheaper; left and above, forward; on the "
                f"bold line they cost the same. {self._between(measured)}{gap}")

    def _between(self, measured: bool) -> str:
        """Where the crossovers lie, in words."""
        found = self.crossovers(measured)
        ratios = [c.ratio for c in found.values() if c.ratio is not None]
        words = []
        for name in ("forward", "reverse"):
            ms = [str(m) for m, c in found.items() if c.at is None and c.cheaper_before == name]
            words += [f"{name} is cheaper at every n for m = {', '.join(ms)}"] if ms else []
        if ratios:
            span = f"{min(ratios):.2f}" if max(ratios) - min(ratios) < 0.005 else f"{min(ratios):.2f} to {max(ratios):.2f}"
            words.insert(0, f"they cost the same at n/m = {span}")
        return f"By the {'clock' if measured else 'count'} {'; '.join(words)}."

    def reading(self) -> tuple[str, ...]:
        low, high = wedge(self.rows[0].weights)
        lines = [self._between(False),
                 f"Predicted for every function, whatever its operations: n/m from {low:.2g} to {high:.2g}."]
        if self.timed:
            lines += [self._between(True), f"Noise: {self.noise()}."]
        return (*lines, f"What you see: {self._alt(self.timed)}")


def plane(at: Sequence[int] = AT, outputs: Sequence[int] | None = None, *, family: str = "chain", depth: int = DEPTH, seed: int = 0,
          repeats: int = 7, weights: Weights = DEFAULT, count_only: bool = False, progress: Progress = silent) -> PlaneResult:
    """Cost of the whole Jacobian by forward and by reverse mode at every pair of sizes.

    Parameters
    ----------
    at : sequence of int
        The numbers of inputs n, increasing.
    outputs : sequence of int, optional
        The numbers of outputs m; the same ones by default.
    family : {"chain", "dense"}
        A family with any number of outputs.
    depth, seed : int
        Length of the chain; seed of the point.
    repeats : int
        Samples of each method.
    weights : Weights
    count_only : bool
        Time nothing: the result is the same on every machine.
    progress : callable
        Takes a line before each point.

    Returns
    -------
    PlaneResult
        ``.rows``, ``.ratio(n, m)``, ``.crossovers()``.

    Raises
    ------
    ValueError
        Sizes or names that there are not.
    DisagreementError
        The methods gave different answers; nothing was timed.

    Notes
    -----
    Cost: both Jacobians at every pair, `repeats` times and at least a millisecond each.

    References
    ----------
    A. Griewank & A. Walther, *Evaluating Derivatives*, 2nd ed., SIAM 2008, chapters 3 and 4.

    Examples
    --------
    >>> from dualad import compare
    >>> r = compare.plane([1, 8], [1, 8], count_only=True)
    >>> r.ratio(8, 1) > 0 > r.ratio(1, 8)
    True
    """
    if family not in FAMILIES:
        raise ValueError(f"no family {family!r}; there are {', '.join(FAMILIES)}")
    chosen = FAMILIES[family]
    if chosen.one_output:
        many = ", ".join(name for name, one in FAMILIES.items() if not one.one_output)
        raise ValueError(f"family {family} has one output; a plane takes one of {many}")
    if depth < 0 or repeats < 1 or seed < 0:
        raise ValueError(f"depth and seed must be at least 0 and repeats at least 1, not {depth}, {seed} and {repeats}")
    ns = check_sizes(at)
    ms = ns if outputs is None else check_sizes(outputs)
    for n, m in ((n, m) for m in ms for n in ns):
        check_family(chosen, n, m)

    def row(n: int, m: int) -> Row:
        f, x, whole = chosen.make(n, m, depth, seed)
        return measure(f, x, whole=whole, repeats=repeats, without=OTHERS, weights=weights, timed=not count_only)

    rows = tuple(finished(progress, f"plane: n = {n}, m = {m}", Row, functools.partial(row, n, m)) for m in ms for n in ns)
    settings = {"at": ns, "outputs": ms, "family": family, "depth": depth, "seed": seed, "repeats": repeats, "weights": weights,
                "count_only": count_only}
    steps = f", depth {depth}" if chosen.deep else ""
    left_out = sorted({f"{name}: {why}" for one in rows for name, why in one.left_out.items()})
    return PlaneResult(f"plane: {family}, {chosen.summary}{steps}, seed {seed}", encode(settings), rows, tuple(left_out),
                       {} if count_only else describe())


register(
    "plane", "forward against reverse at every n and m: where which is cheaper", plane,
    Argument("at", sizes, AT, "numbers of inputs: 1,2,5 or 1:256:x2 or 10:50:+10", metavar="SIZES"),
    Argument("outputs", sizes, None, "numbers of outputs (default: the same)", metavar="SIZES"),
    Argument("family", str, "chain", "the function", tuple(name for name, one in FAMILIES.items() if not one.one_output)),
    Argument("depth", natural, DEPTH, "steps of the chain"),
)

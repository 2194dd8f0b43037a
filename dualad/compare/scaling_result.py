"""The result of `scaling` and of `mine`: costs of whole Jacobians against n or m, how they grow, where they cross."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..cost import CLASSES, GRADIENT, TANGENT, VALUE, Weights, price
from .figure import Curve, Figure, Mark, Table
from .methods import METHODS
from .peers import PEERS
from .result import Result
from .row import Crossover, Row, crossover

__all__ = ["Fit", "MineResult", "ScalingResult"]

#: 0.975 quantiles of Student's t for 1, 2, 3 ... degrees of freedom
STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131)


@dataclass(frozen=True)
class Fit:
    """A power law: cost grows as size^slope.

    Parameters
    ----------
    slope : float
    low, high : float
        Its 95 % interval (Student's t of the least-squares residuals); infinite with two points.
    points : int
        Rows it rests on.

    Examples
    --------
    >>> from dualad import compare
    >>> fit = compare.scaling("n", [1, 4, 16, 64], count_only=True).fit()["n jvp"]
    >>> round(fit.slope, 2), fit.points
    (1.0, 4)
    """

    slope: float
    low: float
    high: float
    points: int


@dataclass(frozen=True)
class ScalingResult(Result, name="scaling", rows=(Row,)):
    """Costs against n or m.

    Examples
    --------
    >>> from dualad import compare
    >>> r = compare.scaling("n", [1, 2, 4, 8], m=2, count_only=True)
    >>> r.vary, r.sizes(), round(r.crossover().ratio, 2)
    ('n', [1, 2, 4, 8], 1.94)
    """

    @property
    def vary(self) -> str:
        """"n" or "m"."""
        return str(self.settings["vary"])

    def subject(self) -> str:
        """What was differentiated, in short."""
        fixed, last = "m" if self.vary == "n" else "n", self.rows[-1]
        name = str(self.settings.get("family") or self.settings.get("function") or self.name).rpartition(":")[2]
        return f"{name}, {fixed} = {getattr(last, fixed)}"

    def sizes(self) -> list[int]:
        """The varied size of every row."""
        return [getattr(row, self.vary) for row in self.rows]

    def series(self, name: str, measured: bool = False) -> list[float | None]:
        """Cost of a method, a row each, in units of one value of f."""
        return [row.relative(name, measured) for row in self.rows]

    def methods(self, measured: bool = False) -> list[str]:
        """The methods with at least one cost, in the order of the tables."""
        return [name for name in METHODS if any(row.relative(name, measured) is not None for row in self.rows)]

    def peers(self) -> list[str]:
        """The other libraries that were timed, in the order of the tables."""
        return [name for name in PEERS if any(row.relative(name, True) is not None for row in self.rows)]

    def fit(self, measured: bool = False) -> dict[str, Fit]:
        """How each method's cost grows: the least-squares slope in logarithms over the upper half of the sizes (all of
        them, if they are four or fewer).

        Returns
        -------
        dict of str to Fit
            Without the methods that have fewer than two points; measured, with the other libraries.

        Examples
        --------
        >>> from dualad import compare
        >>> r = compare.scaling("n", [64, 128, 256, 512], depth=4, count_only=True)
        >>> round(r.fit()["n jvp"].slope, 1)
        1.0
        """
        names = [*self.methods(measured), *(self.peers() if measured else ())]
        return {name: fit for name in names if (fit := self._fit(name, measured)) is not None}

    def _fit(self, name: str, measured: bool) -> Fit | None:
        points = [(s, c) for s, c in zip(self.sizes(), self.series(name, measured), strict=True) if c]
        points = points[len(points) // 2:] if len(points) > 4 else points
        if len({s for s, _ in points}) < 2:
            return None
        x, y = np.log([s for s, _ in points]), np.log([c for _, c in points])
        x, y = x - x.mean(), y - y.mean()
        slope = float(x @ y / (x @ x))
        freedom = len(points) - 2
        if freedom == 0:
            return Fit(slope, -math.inf, math.inf, 2)
        error = math.sqrt(float(np.sum((y - slope * x) ** 2)) / freedom / float(x @ x))
        half = error * (STUDENT[freedom - 1] if freedom <= len(STUDENT) else 1.96 + 2.5 / freedom)
        return Fit(slope, slope - half, slope + half, len(points))

    def slope(self, name: str, measured: bool = False) -> float | None:
        """Exponent of the growth of one method; None with fewer than two points."""
        fit = self._fit(name, measured)
        return None if fit is None else fit.slope

    def crossover(self, measured: bool = False, *, separate: bool = False) -> Crossover:
        """Where forward and reverse cost the same, between the rows.

        Parameters
        ----------
        measured : bool
            By the clock; by the count otherwise.
        separate : bool
            Compare a run for every tangent with a recording for every adjoint ("n jvp", "m vjp").

        Returns
        -------
        Crossover

        Notes
        -----
        Interpolated linearly in logarithms. In the count the value of f, which both sides pay once, is taken off
        first: what is left is proportional to n and to m, and the interpolation is as good as exact.
        """
        a, b = ("n jvp", "m vjp") if separate else ("forward", "reverse")
        return crossover(self.rows, self.vary, measured, a, b)

    # ---- tables --------------------------------------------------------------------------------------------------------

    @property
    def timed(self) -> bool:
        return any(row.seconds is not None for row in self.rows)

    def tables(self) -> tuple[Table, ...]:
        tables = [self._counted_table()]
        if self.timed:
            tables.append(self._measured_table())
        if self.peers():
            tables.append(self._peers_table())
        return (*tables, self._growth_table())

    def _counted_table(self) -> Table:
        names = self.methods()
        rows = []
        for row in self.rows:
            base, tangent, adjoint = (getattr(row.active, what)(row.weights) for what in ("value", "tangent", "gradient"))
            rows.append((row.n, row.m, row.value.value(row.weights), tangent / base if base else None,
                         adjoint / base if base else None, *(row.relative(name) for name in names)))
        return Table(
            f"Counted: operations of the whole Jacobian / operations of one value of f (weights: {self.rows[0].weights})",
            ("n", "m", "value", "tangent", "adjoint", *names), tuple(rows),
            "value: operations of f; tangent, adjoint: of f with one of them, in units of f.")

    def _measured_table(self) -> Table:
        names = self.methods(True)
        rows = [(row.n, row.m, row.seconds["value"].median * 1e6, row.seconds["value"].minimum * 1e6, row.relative("again", True),
                 *(row.relative(name, True) for name in names)) for row in self.rows if row.seconds]
        return Table("Measured: time of the whole Jacobian / time of one value of f (again: f once more, the noise)",
                     ("n", "m", "value us", "least us", "again", *names), tuple(rows),
                     f"Medians, and the least time of f; {self.noise()}. Minima and 95 % bands of all are in the JSON and the CSV.")

    def _peers_table(self) -> Table:
        names = self.peers()
        rows = [(row.n, row.m, self._best(row)[1], *(row.relative(name, True) for name in names)) for row in self.rows]
        return Table("Other libraries: time of the whole Jacobian / time of one value of f (in NumPy)",
                     ("n", "m", "dualad", *names), tuple(rows),
                     "dualad: forward or reverse, whichever is faster. All answers agree; tracing and compiling are not timed. "
                     + "; ".join(f"{name}: {PEERS[name].summary}" for name in names) + ".")

    def _best(self, row: Row) -> tuple[str, float]:
        """The faster one of forward and reverse, and its time in units of f."""
        return min(((name, cost) for name in ("forward", "reverse") if (cost := row.relative(name, True)) is not None),
                   key=lambda pair: pair[1])

    def _growth_table(self) -> Table:
        counted, measured = self.fit(), self.fit(True) if self.timed else {}
        header = ("method", "counted", *(("measured", "95 % from", "to") if self.timed else ()), "how")
        rows: list[tuple[object, ...]] = []
        for name in self.methods():
            cells: list[object] = [name, _digits(counted[name].slope) if name in counted else None]
            if self.timed:
                fit = measured.get(name)
                cells += [None, None, None] if fit is None else [_digits(fit.slope), _digits(fit.low), _digits(fit.high)]
            rows.append((*cells, METHODS[name].summary))
        for name in self.peers():
            if name in measured:
                fit = measured[name]
                rows.append((name, None, _digits(fit.slope), _digits(fit.low), _digits(fit.high), PEERS[name].summary))
        return Table(f"Growth: exponent k in cost = {self.vary}^k, over the upper half of the sizes", header, tuple(rows))

    def noise(self) -> str:
        """The noise floor in words: f timed against itself."""
        worst = max((max(r, 1 / r) for r in self.series("again", True) if r), default=1.0)
        return f"f timed twice differs by up to {100 * (worst - 1):.1f} %: smaller differences than that mean nothing"

    # ---- figures -------------------------------------------------------------------------------------------------------

    def figures(self) -> tuple[Figure, ...]:
        measured = (self._figure(True), *((self._peers_figure(),) if self.peers() else ())) if self.timed else ()
        return (*measured, self._figure(False))

    def _peers_figure(self) -> Figure:
        names = [name for name in ("forward", "reverse") if name in self.methods(True)] + self.peers()
        last, sizes = self.rows[-1], self.sizes()
        costs = ", ".join(f"{name} {cost:.3g}" for name in names if (cost := last.relative(name, True)) is not None)
        caption = ("A marker is the time of one whole Jacobian by dualad's forward or reverse mode, or by "
                   f"{', '.join(self.peers())}, divided by that of one value of f in NumPy. Every answer was compared with "
                   "dualad's before it was timed; what a library does once for a function (tracing, compiling) is not in the time, "
                   "running it is.")
        return Figure(
            f"{self.name}-{self.vary}-peers", f"{self.subject()}: other libraries on the same function, measured",
            f"{'inputs' if self.vary == 'n' else 'outputs'} {self.vary}", "time / one value of f",
            caption,
            f"Log-log plot of the time of the Jacobian against {self.vary} from {sizes[0]} to {sizes[-1]}, dualad and other "
            f"libraries; at the last size, in values of f: {costs}.",
            tuple(replace(self._curve(name, True), label=f"dualad {name}" if name in METHODS else name) for name in names))

    def _figure(self, measured: bool) -> Figure:
        by = "measured" if measured else "counted"
        names = self.methods(measured)
        curves = [*self._theory(), *(self._curve(name, measured) for name in names)]
        crossover = self.crossover(measured)
        marks = () if crossover.at is None else (Mark(f"crossover {self.vary} = {crossover.at:.3g}", x=crossover.at),)
        fits = self.fit(measured)
        grows = ", ".join(f"{name} as {self.vary}^{_tidy(fits[name].slope):.2f}" for name in names if name in fits)
        sizes = self.sizes()
        return Figure(
            f"{self.name}-{self.vary}-{by}", f"{self.subject()}: cost of the whole Jacobian, {by}",
            f"{'inputs' if self.vary == 'n' else 'outputs'} {self.vary}",
            f"{'time' if measured else 'operations'} / one value of f", self._caption(measured),
            f"Log-log plot of the {by} cost of the Jacobian against {self.vary} from {sizes[0]} to {sizes[-1]}"
            + (f": {grows}." if grows else "."), tuple(curves), None, marks)

    def _caption(self, measured: bool) -> str:
        """What the figure shows; what follows from it is said once, in the reading."""
        what = "the time of" if measured else "the operations of"
        where = _where(self.crossover(measured), self.vary, self.sizes())
        band = (" A marker below its band is no error: the band counts arithmetic, and the clock also sees Python, which all "
                "tangents of a run share.") if measured and self._below_bounds() else ""
        return (f"A marker is {what} one whole Jacobian at one {self.vary}, divided by that of one value of f; both axes are "
                f"logarithmic, so that a straight line is a power of {self.vary}. The grey bands are what the cost model allows "
                f"forward and reverse, whatever f is made of. {where[0].upper()}{where[1:]}.{band}")

    def _curve(self, name: str, measured: bool) -> Curve:
        rows = [row for row in self.rows if row.relative(name, measured) is not None]
        x = tuple(float(getattr(row, self.vary)) for row in rows)
        y = tuple(row.relative(name, measured) for row in rows)
        if not measured:
            return Curve(name, x, y, name)
        bands = [band for row in rows if (band := row.band(name)) is not None]
        role = f"peer {list(PEERS).index(name) + 1}" if name in PEERS else name
        return Curve(name, x, y, role, "points", tuple(low for low, _ in bands), tuple(high for _, high in bands))

    def _theory(self) -> list[Curve]:
        """The bounds of the cost model for any f whatever its operations, as bands."""
        x = tuple(float(size) for size in self.sizes())
        bands = []
        for label, table, count in (("forward, bounds", TANGENT, "n"), ("reverse, bounds", GRADIENT, "m")):
            low, high = _bounds(table, self.rows[0].weights)
            sizes = [getattr(row, count) for row in self.rows]
            below, above = (tuple(1 + (bound - 1) * size for size in sizes) for bound in (low, high))
            middle = tuple(math.sqrt(a * b) for a, b in zip(below, above, strict=True))
            bands.append(Curve(label, x, middle, "theory", "band", below, above))
        return bands

    # ---- words ---------------------------------------------------------------------------------------------------------

    def reading(self) -> tuple[str, ...]:
        sizes = self.sizes()
        last = self.rows[-1]
        counted = self.crossover()
        lines = [f"Counted: {_where(counted, self.vary, sizes)}.",
                 "Theory: 1.8 <= n/m <= 2 when tangents share a run and adjoints a recording "
                 f"({last.active.break_even(last.weights):.2f} for these operations), 1.44 to 1.6 with a run for each "
                 f"({last.active.break_even(last.weights, separate=True):.2f} here)."]
        if not last.active.value(last.weights):
            lines = ["Counted: f has no operation that has a price: there is nothing to compare."]
        if self.timed:
            measured = self.crossover(True)
            lines.append(f"Measured: {_where(measured, self.vary, sizes)}.")
            if measured.at is not None and counted.at is not None:
                factor = measured.at / counted.at
                lines.append(f"The clock's crossover lies at {factor:.2g} times the counted one: that gap is overhead (the cost "
                             "of running Python, which all tangents of one run share), not arithmetic.")
            elif measured.at is None and counted.at is not None:
                lines.append("The count has a crossover in this range, the clock has none: the fixed cost of running Python "
                             "outweighs the arithmetic at these sizes.")
            lines += self._below_bounds() + self._beside()
        for clocked in (False, True) if self.timed else (False,):
            alone = self.crossover(clocked, separate=True)
            if alone.at is not None:
                by = "measured" if clocked else "counted"
                lines.append(f"A run for each tangent against a recording for each adjoint, {by}: "
                             f"they cross at {self.vary} = {alone.at:.3g} (n/m = {alone.ratio:.2f}).")
        if self.timed:
            lines.append(f"Noise: {self.noise()}.")
        return (*lines, self._seen(last))

    def _below_bounds(self) -> list[str]:
        """Why the clock may show less than the count allows."""
        bands = dict(zip(("forward", "reverse"), self._theory(), strict=True))
        lower = [name for name, band in bands.items()
                 if (cost := self.rows[-1].relative(name, True)) is not None and band.low is not None and cost < band.low[-1]]
        if not lower:
            return []
        verb = "lies" if len(lower) == 1 else "lie"
        return [f"At the last size {' and '.join(lower)} {verb} below the grey band, which counts arithmetic only: all tangents of "
                "a run, or adjoints of a recording, share its Python, and Python is most of the time of f."]

    def _beside(self) -> list[str]:
        """Other libraries at the last size that has any."""
        rows = [row for row in self.rows if any(row.relative(name, True) is not None for name in self.peers())]
        if not rows:
            return []
        last = rows[-1]
        costs = sorted((cost, name) for name in self.peers() if (cost := last.relative(name, True)) is not None)
        mode, own = self._best(last)
        said = ", ".join(f"{name} {cost:.3g}" for cost, name in costs)
        return [f"Other libraries at {self.vary} = {getattr(last, self.vary)}, in values of f: {said}; dualad ({mode}) {own:.3g}."]

    def _seen(self, last: Row) -> str:
        """What am I seeing?"""
        by = "measured" if self.timed else "counted"
        forward, reverse = (self.slope(name, self.timed) for name in ("forward", "reverse"))
        if forward is None or reverse is None:
            growth = "One size shows a price, not a growth."
        else:
            growth = (f"In units of one value of f, {by}, forward grows as {self.vary}^{_tidy(forward):.2f} and reverse as "
                      f"{self.vary}^{_tidy(reverse):.2f}: one pays for inputs, the other for outputs.")
        exact = min(("forward", "reverse"), key=lambda name: last.counted[name])
        cost = last.relative(exact)
        runs = last.runs.get("differences")
        differences = ("" if runs is None or cost is None else
                       f" At the last size differences run f {runs} times and keep about 8 digits; {exact} is exact and counts "
                       f"as {cost:.3g} values of f.")
        return f"What you see: {growth}{differences}"


@dataclass(frozen=True)
class MineResult(ScalingResult, name="mine", rows=(Row,)):
    """Costs of the caller's own function against n or m; made by :func:`mine`.

    Parameters
    ----------
    title, settings, rows, notes, environment
        As for :class:`Result`; each row is a :class:`Row`.

    Examples
    --------
    >>> import numpy as np
    >>> from dualad import compare
    >>> report = compare.mine(lambda x: np.sum(np.sin(x) * x), at=[1, 8, 64], count_only=True)
    >>> result = report.parts[0]
    >>> [row.n for row in result.rows], round(result.crossover().at, 1)
    ([1, 8, 64], 1.9)
    """


def _digits(slope: float) -> float | None:
    return round(slope, 2) + 0.0 if math.isfinite(slope) else None


def _tidy(slope: float) -> float:
    """No negative zero after rounding to two digits."""
    return 0.0 if abs(slope) < 0.005 else slope


def _bounds(table: Mapping[str, tuple[int, int, int, int]], weights: Weights) -> tuple[float, float]:
    """Least and greatest price of an operation with its tangent or adjoint, in units of its value."""
    ratios = [price(table[name], weights) / price(VALUE[name], weights) for name in CLASSES[1:]]
    return min(ratios), max(ratios)


def _where(crossover: Crossover, vary: str, sizes: Sequence[int]) -> str:
    """A crossover in words."""
    if not crossover.cheaper_before:
        return "there is nothing to compare"
    if crossover.at is None:
        span = f"at {vary} = {sizes[0]}" if len(sizes) == 1 else f"at every {vary} from {sizes[0]} to {sizes[-1]}"
        return f"{crossover.cheaper_before} is cheaper {span}: no crossover here"
    return (f"forward and reverse cost the same at {vary} = {crossover.at:.3g} (n/m = {crossover.ratio:.2f}); "
            f"below it {crossover.cheaper_before} is cheaper, above it {crossover.cheaper_after}")

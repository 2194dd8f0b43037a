"""Results: rows of counts and seconds, where two methods cross, how a cost grows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .work import DEFAULT, Operations, Weights

__all__ = ["Crossover", "Report", "Result", "Row"]


@dataclass(frozen=True)
class Row:
    """The Jacobian of one f: R^n -> R^m.

    Parameters
    ----------
    n, m : int
    value : Operations
        Of one value of f.
    active : Operations
        Those that depend on the n inputs.
    counted : mapping of str to float
        Method to the counted price of the whole Jacobian.
    runs : mapping of str to int
        Method to how often it ran f.
    seconds : mapping of str to float, or None
        Method to the measured time of the whole Jacobian; "value" and "again" are two measurements of f itself.
    weights : Weights
    """

    n: int
    m: int
    value: Operations
    active: Operations
    counted: Mapping[str, float]
    runs: Mapping[str, int]
    seconds: Mapping[str, float] | None = None
    weights: Weights = DEFAULT

    def relative(self, name: str, measured: bool = False) -> float | None:
        """Cost of a method in units of one value of f; None where there is none."""
        if measured:
            return None if self.seconds is None or name not in self.seconds else self.seconds[name] / self.seconds["value"]
        one = self.value.value(self.weights)
        return None if name not in self.counted or not one else self.counted[name] / one


@dataclass(frozen=True)
class Crossover:
    """Where forward and reverse cost the same.

    Parameters
    ----------
    at : float or None
        The varied size there, interpolated; None if one of them is cheaper at every row.
    cheaper_before, cheaper_after : str
        The cheaper method below and above (the same one without a crossover).
    ratio : float or None
        n/m there.
    """

    at: float | None
    cheaper_before: str
    cheaper_after: str
    ratio: float | None


@dataclass(frozen=True)
class Result:
    """One experiment.

    Parameters
    ----------
    title : str
    vary : {"n", "m"}
    rows : tuple of Row
    notes : tuple of str
        What was left out and why.
    environment : mapping of str to str
        Empty when nothing was timed.
    """

    title: str
    vary: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def timed(self) -> bool:
        """Was anything measured?"""
        return any(row.seconds is not None for row in self.rows)

    def sizes(self) -> list[int]:
        """The varied size of every row."""
        return [getattr(row, self.vary) for row in self.rows]

    def series(self, name: str, measured: bool = False) -> list[float | None]:
        """Cost of a method, a row each, in units of one value of f."""
        return [row.relative(name, measured) for row in self.rows]

    def slope(self, name: str, measured: bool = False) -> float | None:
        """Exponent of the growth: the least-squares slope in logarithms over the upper half of the sizes.

        Returns
        -------
        float or None
            None with fewer than two points.
        """
        points = [(s, c) for s, c in zip(self.sizes(), self.series(name, measured), strict=True) if c]
        points = points[len(points) // 2:] if len(points) > 3 else points
        if len({s for s, _ in points}) < 2:
            return None
        x, y = np.log([s for s, _ in points]), np.log([c for _, c in points])
        x = x - x.mean()
        return float(x @ (y - y.mean()) / (x @ x))

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
        gaps = [gap for row in self.rows if (gap := self._gap(row, a, b, measured)) is not None]
        if not gaps:
            return Crossover(None, "", "", None)
        names = [a if g <= 0 else b for _, g, _ in gaps]
        if names[0] == names[-1]:
            return Crossover(None, names[0], names[0], None)
        last = max(i for i in range(len(gaps) - 1) if names[i] != names[i + 1])  # noise may cross several times
        (s0, g0, r0), (s1, g1, r1) = gaps[last:last + 2]
        t = g0 / (g0 - g1)
        return Crossover(_mix(s0, s1, t), names[0], names[-1], _mix(r0, r1, t))

    def _gap(self, row: Row, a: str, b: str, measured: bool) -> tuple[int, float, float] | None:
        """(size, log(cost a / cost b), n/m) of a row."""
        costs: Any = row.seconds if measured else row.counted
        if costs is None or a not in costs or b not in costs:
            return None
        shared = 0.0 if measured or (a, b) != ("forward", "reverse") else row.value.value(row.weights)
        x, y = costs[a] - shared, costs[b] - shared
        if x <= 0 or y <= 0:
            return None
        return getattr(row, self.vary), math.log(x / y), row.n / row.m

    def __str__(self) -> str:
        return _render(self)


def _mix(a: float, b: float, t: float) -> float:
    return math.exp((1 - t) * math.log(a) + t * math.log(b))


@dataclass(frozen=True)
class Report:
    """Several experiments on one subject; prints them one after the other.

    Parameters
    ----------
    parts : tuple of Result
    """

    parts: tuple[Result, ...]

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows of all parts."""
        return tuple(row for part in self.parts for row in part.rows)

    def __str__(self) -> str:
        return _render(self)


def _render(result: Any) -> str:
    from .terminal import render  # the printing of results knows results, not the other way round

    return render(result)


"""One point of the comparison, and where two costs meet between points."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..cost import DEFAULT, Operations, Weights
from .clock import Timing

__all__ = ["Crossover", "Row", "crossover"]


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
    seconds : mapping of str to Timing, or None
        Method to the measured time of the whole Jacobian; "value" and "again" are two measurements of f itself.
    weights : Weights
    left_out : mapping of str to str
        Method to why it is missing, or was only counted.

    Examples
    --------
    >>> from dualad import compare
    >>> row = compare.scaling("n", [4], count_only=True).rows[0]
    >>> row.n, row.m, row.runs["n jvp"], row.seconds
    (4, 1, 4, None)
    """

    n: int
    m: int
    value: Operations
    active: Operations
    counted: Mapping[str, float]
    runs: Mapping[str, int]
    seconds: Mapping[str, Timing] | None = None
    weights: Weights = DEFAULT
    left_out: Mapping[str, str] = field(default_factory=dict)

    def relative(self, name: str, measured: bool = False) -> float | None:
        """Cost of a method in units of one value of f; None where there is none."""
        if measured:
            if self.seconds is None or name not in self.seconds:
                return None
            return self.seconds[name].median / self.seconds["value"].median
        one = self.value.value(self.weights)
        return None if name not in self.counted or not one else self.counted[name] / one

    def band(self, name: str) -> tuple[float, float] | None:
        """The measured cost's 95 % band in units of one value of f."""
        if self.seconds is None or name not in self.seconds:
            return None
        one = self.seconds["value"].median
        return self.seconds[name].low / one, self.seconds[name].high / one


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

    Examples
    --------
    >>> from dualad import compare
    >>> crossover = compare.scaling("n", [1, 4, 16, 64], m=4, count_only=True).crossover()
    >>> crossover.cheaper_before, crossover.cheaper_after, round(crossover.ratio, 2)
    ('forward', 'reverse', 1.94)
    """

    at: float | None
    cheaper_before: str
    cheaper_after: str
    ratio: float | None


def crossover(rows: Sequence[Row], vary: str, measured: bool, a: str = "forward", b: str = "reverse") -> Crossover:
    """Where methods a and b cost the same, between rows of which one size varies.

    Examples
    --------
    >>> from dualad.compare import Operations, Row
    >>> from dualad.compare.row import crossover
    >>> one = Operations(mult=1)
    >>> rows = [Row(n, 1, one, one, {"forward": 4 + 6 * n, "reverse": 16}, {}) for n in (1, 2, 4)]
    >>> round(crossover(rows, "n", False).at, 6)
    2.0
    """
    gaps = [gap for row in rows if (gap := _gap(row, vary, a, b, measured)) is not None]
    if not gaps:
        return Crossover(None, "", "", None)
    names = [a if g <= 0 else b for _, g, _ in gaps]
    if names[0] == names[-1]:
        return Crossover(None, names[0], names[0], None)
    last = max(i for i in range(len(gaps) - 1) if names[i] != names[i + 1])  # noise may cross several times
    (s0, g0, r0), (s1, g1, r1) = gaps[last:last + 2]
    t = g0 / (g0 - g1)
    return Crossover(_mix(s0, s1, t), names[0], names[-1], _mix(r0, r1, t))


def _gap(row: Row, vary: str, a: str, b: str, measured: bool) -> tuple[int, float, float] | None:
    """(size, log(cost a / cost b), n/m) of a row; in the count without the value that both share."""
    if measured:
        if row.seconds is None or a not in row.seconds or b not in row.seconds:
            return None
        x, y = row.seconds[a].median, row.seconds[b].median
    else:
        if a not in row.counted or b not in row.counted:
            return None
        shared = row.value.value(row.weights) if (a, b) == ("forward", "reverse") else 0.0
        x, y = row.counted[a] - shared, row.counted[b] - shared
    if x <= 0 or y <= 0:
        return None
    return getattr(row, vary), math.log(x / y), row.n / row.m


def _mix(a: float, b: float, t: float) -> float:
    return math.exp((1 - t) * math.log(a) + t * math.log(b))

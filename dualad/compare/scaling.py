"""Experiment "scaling": cost of every method against n (m fixed) or against m (n fixed), on a built-in family."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from itertools import pairwise
from typing import Any

from .environment import describe
from .families import FAMILIES
from .measure import measure
from .methods import METHODS
from .result import Report, Result, Row
from .work import DEFAULT, Weights

__all__ = ["AT", "DEPTH", "check_sizes", "check_without", "collect", "scaling", "short"]

AT = (1, 2, 4, 8, 16, 32, 64, 128, 256)
DEPTH = 32
Progress = Callable[[str], None]


def silent(line: str) -> None:
    """Progress that nobody reads."""


def check_sizes(at: Sequence[int], least: int = 1) -> tuple[int, ...]:
    """The sizes as a tuple of increasing integers.

    Raises
    ------
    ValueError
        Empty, not increasing, or below `least`.

    Examples
    --------
    >>> from dualad.compare.scaling import check_sizes
    >>> check_sizes([1, 2, 4])
    (1, 2, 4)
    """
    sizes = tuple(int(size) for size in at)
    if not sizes or list(sizes) != list(at):
        raise ValueError(f"sizes must be whole numbers, at least one: {list(at)}")
    if sizes[0] < least:
        raise ValueError(f"sizes must be at least {least}, not {sizes[0]}")
    if any(a >= b for a, b in pairwise(sizes)):
        raise ValueError(f"sizes must increase: {list(sizes)}")
    return sizes


def check_without(without: Collection[str]) -> frozenset[str]:
    """The methods to leave out, known by name; forward and reverse stay.

    Raises
    ------
    ValueError
        Another name.
    """
    optional = [name for name in METHODS if name not in ("forward", "reverse")]
    for name in without:
        if name not in optional:
            raise ValueError(f"no method {name!r} to leave out; there are {', '.join(optional)}")
    return frozenset(without)


def collect(title: str, vary: str, points: Sequence[tuple[str, Callable[[], tuple[Any, ...]]]], progress: Progress,
            repeats: int, without: Collection[str], weights: Weights, timed: bool) -> Result:
    """Measure points one after the other: each is (label, function that returns f, x and the operations of one value)."""
    rows: list[Row] = []
    missing: dict[tuple[str, str], list[int]] = {}
    for label, point in points:
        progress(f"{title}: {label}")
        f, x, whole = point()
        row, notes = measure(f, x, whole=whole, repeats=repeats, without=without, weights=weights, timed=timed)
        rows.append(row)
        for note in notes.items():
            missing.setdefault(note, []).append(getattr(row, vary))
    lines = [f"{name} at {vary} = {', '.join(map(str, sizes))}: {why}" for (name, why), sizes in missing.items()]
    calls = max(row.value.calls for row in rows)
    if calls:
        lines.append(f"up to {calls} calls of primitives that the table does not price (linear algebra, rules of your own) "
                     "are missing in the counts")
    return Result(title, vary, tuple(rows), tuple(lines), describe() if timed else {})


def scaling(vary: str = "n", at: Sequence[int] = AT, *, n: int | None = None, m: int | None = None,
            family: str = "chain", depth: int = DEPTH, seed: int = 0, repeats: int = 15, without: Collection[str] = (),
            weights: Weights = DEFAULT, count_only: bool = False, progress: Progress = silent) -> Result:
    """Cost of a whole Jacobian R^n -> R^m by every method, one dimension varied and the other fixed.

    Parameters
    ----------
    vary : {"n", "m"}
        What varies: inputs or outputs.
    at : sequence of int
        Its sizes, increasing.
    n, m : int, optional
        The fixed dimension: m (default 1) when n varies, n (default 16) when m varies.
    family : str
        "chain" (R^n -> one number -> `depth` steps -> R^m), or, with one output, "helmholtz", "rosenbrock",
        "speelpenning".
    depth, seed : int
        Length of the chain; seed of the point.
    repeats : int
        Interleaved samples of each method; medians are reported.
    without : collection of str
        Methods left out.
    weights : Weights
        Price of a move, addition, multiplication, nonlinear function.
    count_only : bool
        Time nothing: the result is the same on every machine.
    progress : callable
        Takes a line before each point.

    Returns
    -------
    Result
        ``.rows``, ``.crossover()``, ``.slope(method)``; printing it gives tables, sparklines and a reading in words.

    Raises
    ------
    ValueError
        Sizes or names that there are not.
    DisagreementError
        Two methods gave different answers; nothing was timed.

    Notes
    -----
    Cost: every method's Jacobian at every size, `repeats` times and at least a millisecond each.

    References
    ----------
    A. Griewank & A. Walther, *Evaluating Derivatives*, 2nd ed., SIAM 2008, chapters 3 and 4.

    Examples
    --------
    >>> from dualad import compare
    >>> r = compare.scaling("n", [1, 4, 16, 64], m=4, count_only=True)
    >>> 1.8 <= r.crossover().ratio <= 2.0
    True
    """
    if vary not in ("n", "m"):
        raise ValueError(f"vary must be 'n' or 'm', not {vary!r}")
    if family not in FAMILIES:
        raise ValueError(f"no family {family!r}; there are {', '.join(FAMILIES)}")
    chosen = FAMILIES[family]
    fixed_name = "m" if vary == "n" else "n"
    if (n if vary == "n" else m) is not None:
        raise ValueError(f"{vary} varies: give {fixed_name}, not {vary}")
    fixed = (m if vary == "n" else n)
    if fixed is None:
        fixed = 1 if vary == "n" else 16
    if fixed < (chosen.smallest if vary == "m" else 1):
        raise ValueError(f"family {family} needs {fixed_name} of at least {chosen.smallest if vary == 'm' else 1}, not {fixed}")
    if chosen.one_output and (vary == "m" or fixed != 1):
        raise ValueError(f"family {family} has one output: vary n at m = 1, or take family chain")
    if depth < 0 or repeats < 1:
        raise ValueError(f"depth must be at least 0 and repeats at least 1, not {depth} and {repeats}")
    sizes = check_sizes(at, chosen.smallest if vary == "n" else 1)
    if seed < 0:
        raise ValueError(f"seed must be at least 0, not {seed}")

    def point(size: int) -> Callable[[], tuple[Any, ...]]:
        inputs, outputs = (size, fixed) if vary == "n" else (fixed, size)
        return lambda: (*chosen.make(inputs, outputs, depth, seed), None)

    steps = f", depth {depth}" if family == "chain" else ""
    title = f"{family}: {chosen.summary}; {fixed_name} = {fixed}{steps}, seed {seed}"
    points = [(f"{vary} = {size}", point(size)) for size in sizes]
    return collect(title, vary, points, progress, repeats, check_without(without), weights, not count_only)


def short(*, seed: int = 0, repeats: int = 15, count_only: bool = False, progress: Progress = silent) -> Report:
    """The short set: the chain against n and against m, and the gradient of a Helmholtz energy; under 30 s.

    Parameters
    ----------
    seed, repeats : int
    count_only : bool
    progress : callable

    Returns
    -------
    Report

    Examples
    --------
    >>> from dualad import compare
    >>> [part.vary for part in compare.short(count_only=True).parts]
    ['n', 'm', 'n']
    """
    common: dict[str, Any] = {"seed": seed, "repeats": repeats, "count_only": count_only, "progress": progress}
    return Report((
        scaling("n", AT, m=4, **common),
        scaling("m", AT, n=16, **common),
        scaling("n", AT[:-2], m=1, family="helmholtz", **common),
    ))

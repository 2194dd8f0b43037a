"""Experiment "scaling": cost of every method against n (m fixed) or against m (n fixed), on a built-in family."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import pairwise
from typing import Any

from ..cost import DEFAULT, Weights
from .environment import describe
from .families import FAMILIES, Family
from .measure import LARGEST_JACOBIAN, measure
from .methods import METHODS
from .options import names, natural, sizes
from .peers import absent, selected, versions
from .progress import Progress, finished, silent
from .registry import Argument, register
from .result import Report
from .row import Row
from .scaling_result import MineResult, ScalingResult
from .storage import encode

__all__ = ["AT", "DEPTH", "check_family", "check_sizes", "check_without", "collect", "scaling", "short"]

AT = (1, 2, 4, 8, 16, 32, 64, 128, 256)
DEPTH = 32

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
    whole = tuple(int(size) for size in at)
    if not whole or list(whole) != list(at):
        raise ValueError(f"sizes must be whole numbers, at least one: {list(at)}")
    if whole[0] < least:
        raise ValueError(f"sizes must be at least {least}, not {whole[0]}")
    if any(a >= b for a, b in pairwise(whole)):
        raise ValueError(f"sizes must increase: {list(whole)}")
    return whole


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


def collect(title: str, settings: Mapping[str, Any], points: Sequence[tuple[str, Callable[[], tuple[Any, ...]]]],
            progress: Progress, repeats: int, without: Collection[str], weights: Weights, timed: bool,
            kind: type[ScalingResult] = ScalingResult, peers: bool | Collection[str] = False) -> ScalingResult:
    """Measure points one after the other: each is (label, function that returns f, x and the operations of one value)."""
    wanted = selected(peers)
    if wanted and not timed:
        raise ValueError("other libraries are timed, not counted: leave out count_only, or the peers")
    lacking = absent(wanted)
    others = [name for name in wanted if name not in lacking]

    def row(point: Callable[[], tuple[Any, ...]]) -> Row:
        f, x, whole = point()
        return measure(f, x, whole=whole, repeats=repeats, without=without, weights=weights, timed=timed, peers=others)

    backwards = kind is MineResult  # the whole function first: what is wrong with it is said before anything is timed
    turns = points[::-1] if backwards else points
    done = [finished(progress, f"{title}: {label}", Row, functools.partial(row, point)) for label, point in turns]
    rows = tuple(done[::-1] if backwards else done)
    vary = settings["vary"]
    missing: dict[tuple[str, str], list[int]] = {}
    for one in rows:
        for note in one.left_out.items():
            missing.setdefault(note, []).append(getattr(one, vary))
    lines = [f"{name} at {vary} = {', '.join(map(str, at))}: {why}" for (name, why), at in missing.items()]
    if lacking:
        lines.append(f'{", ".join(lacking)}: not installed (pip install "dualad[peers]")')
    calls = max(one.value.calls for one in rows)
    if calls:
        lines.append(f"up to {calls} calls of primitives that the table does not price (linear algebra, rules of your own) "
                     "are missing in the counts")
    environment: dict[str, Any] = {**describe(), **({"peers": versions(others) or "none installed"} if wanted else {})}
    return kind(title, encode(settings), rows, tuple(lines), environment if timed else {})


def _default_sizes(family: Family) -> tuple[int, ...]:
    most = family.largest or AT[-1]
    return tuple(sorted({size for size in AT if family.smallest <= size < most} | {most}))


def check_family(family: Family, n: int, m: int) -> None:
    """Does the family have these sizes, in an amount of memory that can be had?"""
    if n < family.smallest or (family.largest is not None and n > family.largest):
        span = f"at least {family.smallest}" if family.largest is None else f"from {family.smallest} to {family.largest}"
        raise ValueError(f"family {family.name} takes n {span}, not {n}")
    if n * m > LARGEST_JACOBIAN:
        raise ValueError(f"a Jacobian of {m} x {n} entries is more than {LARGEST_JACOBIAN}; choose smaller sizes")
    if family.numbers(n, m) > 10 * LARGEST_JACOBIAN:
        raise ValueError(f"family {family.name} at n = {n}, m = {m} holds {family.numbers(n, m)} numbers, more than "
                         f"{10 * LARGEST_JACOBIAN}; choose smaller sizes")


def scaling(vary: str = "n", at: Sequence[int] | None = None, *, n: int | None = None, m: int | None = None,
            family: str = "chain", depth: int = DEPTH, seed: int = 0, repeats: int = 15, without: Collection[str] = (),
            weights: Weights = DEFAULT, count_only: bool = False, peers: bool | Collection[str] = False,
            progress: Progress = silent) -> ScalingResult:
    """Cost of a whole Jacobian R^n -> R^m by every method, one dimension varied and the other fixed.

    Parameters
    ----------
    vary : {"n", "m"}
        What varies: inputs or outputs.
    at : sequence of int, optional
        Its sizes, increasing; the powers of 2 to 256 that the family has by default.
    n, m : int, optional
        The fixed dimension: m (default 1) when n varies, n (default 16) when m varies.
    family : str
        "chain" (R^n -> one number -> `depth` steps -> R^m) and "dense" for any n and m; with one output "helmholtz",
        "rosenbrock", "logsumexp", "speelpenning", "mlp", "lorenz" and the functions of the lectures.
    depth, seed : int
        Length of the chain, rows of the network, steps of the equation; seed of the point.
    repeats : int
        Interleaved samples of each method; medians are reported.
    without : collection of str
        Methods left out.
    weights : Weights
        Price of a move, addition, multiplication, nonlinear function.
    count_only : bool
        Time nothing: the result is the same on every machine.
    peers : bool or collection of str
        Time other libraries beside, where they are installed: all of "autograd", "jax", "torch", "num-dual", "casadi", or those
        named. Each must give dualad's answer first (:mod:`dualad.compare.peers`).
    progress : callable
        Takes a line before each point.

    Returns
    -------
    ScalingResult
        ``.rows``, ``.fit()``, ``.crossover()``, ``.slope(method)``; printing it gives tables, sparklines and a reading in words.

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
    if chosen.one_output and (vary == "m" or fixed != 1):
        raise ValueError(f"family {family} has one output: vary n at m = 1, or take family chain or dense")
    if fixed < 1:
        raise ValueError(f"{fixed_name} must be at least 1, not {fixed}")
    if depth < 0 or repeats < 1:
        raise ValueError(f"depth must be at least 0 and repeats at least 1, not {depth} and {repeats}")
    if seed < 0:
        raise ValueError(f"seed must be at least 0, not {seed}")
    checked = check_sizes(_default_sizes(chosen) if at is None else at)
    pairs = [(size, fixed) if vary == "n" else (fixed, size) for size in checked]
    for inputs, outputs in pairs:
        check_family(chosen, inputs, outputs)
    steps = f", depth {depth}" if chosen.deep else ""
    title = f"{family}: {chosen.summary}; {fixed_name} = {fixed}{steps}, seed {seed}"
    points = [(f"{vary} = {size}", functools.partial(chosen.make, *pair, depth, seed))
              for size, pair in zip(checked, pairs, strict=True)]
    settings = {"vary": vary, "at": checked, "n": n, "m": m, "family": family, "depth": depth, "seed": seed, "repeats": repeats,
                "without": list(without), "weights": weights, "count_only": count_only,
                "peers": peers if isinstance(peers, bool) else list(selected(peers))}
    return collect(title, settings, points, progress, repeats, check_without(without), weights, not count_only, peers=peers)


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

    Raises
    ------
    ValueError
        `repeats` below 1.
    DisagreementError
        Two methods gave different answers.

    Notes
    -----
    Cost: some seconds; under one where `count_only` leaves the clock out.

    Examples
    --------
    >>> from dualad import compare
    >>> [part.vary for part in compare.short(count_only=True).parts]
    ['n', 'm', 'n']
    """
    common: dict[str, Any] = {"seed": seed, "repeats": repeats, "count_only": count_only, "progress": progress}
    return Report((
        scaling("n", m=4, **common),
        scaling("m", n=16, **common),
        scaling("n", AT[:-2], m=1, family="helmholtz", **common),
    ), "short", {"seed": seed, "repeats": repeats, "count_only": count_only})


register(
    "scaling", "a family, n or m varied, the other one fixed", scaling,
    Argument("vary", str, "n", "what varies", ("n", "m")),
    Argument("at", sizes, None, "1,2,5 or 1:256:x2 or 10:50:+10 (default 1:256:x2)", metavar="SIZES"),
    Argument("n", natural, None, "fixed number of inputs, when m varies (default 16)"),
    Argument("m", natural, None, "fixed number of outputs, when n varies (default 1)"),
    Argument("family", str, "chain", "the function", tuple(FAMILIES)),
    Argument("depth", natural, DEPTH, "steps of the chain or the equation, rows of the network"),
    Argument("without", names, (), "methods to leave out, as named by `list`", metavar="METHOD,..."),
    Argument("peers", bool, False, "time autograd, JAX, torch, num-dual, CasADi beside, where installed"),
)
register("short", "the short set: the chain against n and against m, the gradient of a Helmholtz energy", short)

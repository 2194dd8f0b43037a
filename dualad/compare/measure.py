"""One point: the Jacobian of f at x by every method, checked, counted and timed."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np

from ..cost import DEFAULT, Operations, Weights
from .clock import interleaved
from .counting import count
from .methods import FORWARD_STEP, METHODS, DisagreementError, NotApplicableError, check, run_complex_step
from .peers import checked_jacobian
from .probe import NotDifferentiableError, answer, kink
from .recorded import recorded
from .row import Row

__all__ = ["measure"]

#: a method whose f runs would take longer than this many seconds is counted, not timed
PATIENCE = 2.0
#: a method that counts more operations than this is priced, not run: the same decision on every machine
MOST_OPERATIONS = 1e9
LARGEST_JACOBIAN = 10_000_000


class _Counted:
    """f, and how often it ran."""

    def __init__(self, f: Callable[..., Any]) -> None:
        self.f, self.runs = f, 0

    def __call__(self, x: Any) -> Any:
        self.runs += 1
        return self.f(x)


def measure(f: Callable[..., Any], x: np.ndarray, *, whole: Operations | None = None, repeats: int = 9,
            without: Collection[str] = (), weights: Weights = DEFAULT, timed: bool = True, peers: Collection[str] = ()) -> Row:
    """Row of the tables for f: R^n -> R^m at x.

    Parameters
    ----------
    f : callable
        Takes an array (n,), returns a float or an array.
    x : ndarray (n,)
    whole : Operations, optional
        Of one value of f, when f holds some of its inputs constant; counted on f otherwise.
    repeats : int
        Samples a method.
    without : collection of str
        Methods left out.
    weights : Weights
    timed : bool
        False: count only.
    peers : collection of str
        Other libraries, installed ones, to be timed beside (:mod:`dualad.compare.peers`).

    Returns
    -------
    Row

    Raises
    ------
    DisagreementError
        Two methods gave different Jacobians.
    NotDifferentiableError
        The Jacobian is not finite here, or its slopes to both sides differ.
    """
    n = x.size
    start = time.perf_counter()
    y = answer(f, x)
    plain = (time.perf_counter() - start) / 2
    m = y.size
    if n == 0 or m == 0:
        raise ValueError(f"nothing to compare: f maps {n} numbers to {m}")
    if n * m > LARGEST_JACOBIAN:
        raise ValueError(f"a Jacobian of {m} x {n} entries is more than {LARGEST_JACOBIAN}; choose smaller sizes")
    active = count(f, x)
    value = whole or active
    runs = {name: method.runs(n, m) for name, method in METHODS.items() if name not in without}
    prices = {name: METHODS[name].price(n, m, runs[name], value, active, weights) for name in runs}
    priced = _too_expensive(prices, runs, plain if timed else 0.0)
    with np.errstate(all="ignore"):  # what is not finite is said by the check, once
        jacobians, spreads, impossible = _answers(f, x, [name for name in runs if name not in priced], runs)
    try:
        check(jacobians, spreads)
    except NotDifferentiableError as error:
        raise NotDifferentiableError(f"at n = {n}, m = {m}: {error}") from None
    except DisagreementError as error:
        raise _explained(error, f, x, f"at n = {n}, m = {m}: ") from None
    counted = {name: METHODS[name].price(n, m, runs[name], value, active, weights) for name in runs if name not in impossible}
    seconds, refused = None, dict[str, str]()
    if timed:
        calls: dict[str, Callable[[], Any]] = {"value": functools.partial(f, x), "again": functools.partial(f, x)}
        calls.update({name: functools.partial(METHODS[name].jacobian, f, x) for name in jacobians})
        others, refused = _others(f, x, next(iter(jacobians.values())), peers)
        seconds = interleaved({**calls, **others}, repeats)
    return Row(n, m, value, active, counted, runs, seconds, weights, {**priced, **impossible, **refused})


def _others(f: Callable[..., Any], x: np.ndarray, exact: np.ndarray, peers: Collection[str],
            ) -> tuple[dict[str, Callable[[], Any]], dict[str, str]]:
    """Calls of the peers that give dualad's answer, and why the others do not take part."""
    calls: dict[str, Callable[[], Any]] = {}
    refused: dict[str, str] = {}
    if not peers:
        return calls, refused
    tape = recorded(f, x)
    for name in peers:
        try:
            calls[name] = checked_jacobian(name, f, x, exact, tape)
        except NotApplicableError as error:
            refused[name] = str(error)
    return calls, refused


def _too_expensive(prices: Mapping[str, float], runs: Mapping[str, int], plain: float) -> dict[str, str]:
    """The methods that are priced, not run, and why; the cheaper one of forward and reverse always runs."""
    cheaper = min(("forward", "reverse"), key=lambda name: prices[name])
    reasons = {}
    for name in prices:
        if name == cheaper:
            continue
        if prices[name] > MOST_OPERATIONS:
            reasons[name] = f"more than {MOST_OPERATIONS:.0e} operations, counted but not run"
        elif name not in ("forward", "reverse") and runs[name] * plain > PATIENCE:
            reasons[name] = f"would take more than {PATIENCE:g} s, counted but not run"
    return reasons


def _answers(f: Callable[..., Any], x: np.ndarray, names: Collection[str], runs: dict[str, int],
             ) -> tuple[dict[str, np.ndarray], dict[str, float], dict[str, str]]:
    """Jacobians, their own estimates of error, and why a method has none; `runs` becomes what happened."""
    jacobians: dict[str, np.ndarray] = {}
    spreads: dict[str, float] = {}
    impossible: dict[str, str] = {}
    for name in names:
        method = METHODS[name]
        g = _Counted(f)
        try:
            if name == "complex":
                jacobians[name] = run_complex_step(f, x, next(iter(jacobians.values()), np.ones(1)))
            else:
                jacobians[name] = method.jacobian(g, x)
                runs[name] = g.runs
                spreads[name] = method.spread(f, x, jacobians[name])
        except NotApplicableError as error:
            impossible[name] = str(error)
    return jacobians, spreads, impossible


def _explained(error: DisagreementError, f: Callable[..., Any], x: np.ndarray, where: str) -> Exception:
    """The disagreement, or that f has no derivative at x, if that is the reason."""
    if error.entry is not None and METHODS[error.method].step:
        reason = kink(f, x, *error.entry, FORWARD_STEP)
        if reason:
            return NotDifferentiableError(f"{where}f is not differentiable here: {reason}; choose another point")
    return DisagreementError(f"{where}{error}", error.entry, error.method)

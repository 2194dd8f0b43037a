"""One point: the Jacobian of f at x by every method, checked, counted and timed."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from .clock import interleaved
from .counting import count
from .methods import METHODS, DisagreementError, NotApplicableError, check, run_complex_step
from .scaling_result import Row
from .work import DEFAULT, Operations, Weights

__all__ = ["answer", "measure"]

#: a call that would take longer than this many seconds is counted, not timed
PATIENCE = 2.0
LARGEST_JACOBIAN = 10_000_000


class _Counted:
    """f, and how often it ran."""

    def __init__(self, f: Callable[..., Any]) -> None:
        self.f, self.runs = f, 0

    def __call__(self, x: Any) -> Any:
        self.runs += 1
        return self.f(x)


def answer(f: Callable[..., Any], x: Any) -> np.ndarray:
    """f(x) as an array, when it is a float or an array of floats; TypeError otherwise."""
    y = np.asarray(f(x))
    if y.dtype.kind != "f":
        raise TypeError(f"f must return a float or an array of floats, not {y.dtype}")
    return y


def measure(f: Callable[..., Any], x: np.ndarray, *, whole: Operations | None = None, repeats: int = 9,
            without: Collection[str] = (), weights: Weights = DEFAULT, timed: bool = True) -> Row:
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

    Returns
    -------
    Row

    Raises
    ------
    DisagreementError
        Two methods gave different Jacobians.
    """
    n = x.size
    start = time.perf_counter()
    y = answer(f, x)
    plain = time.perf_counter() - start
    m = y.size
    if n == 0 or m == 0:
        raise ValueError(f"nothing to compare: f maps {n} numbers to {m}")
    if n * m > LARGEST_JACOBIAN:
        raise ValueError(f"a Jacobian of {m} x {n} entries is more than {LARGEST_JACOBIAN}; choose smaller sizes")
    active = count(f, x)
    value = whole or active
    notes: dict[str, str] = {}
    jacobians: dict[str, np.ndarray] = {}
    spreads: dict[str, float] = {}
    runs = {name: method.runs(n, m) for name, method in METHODS.items() if name not in without}
    for name in runs:
        method = METHODS[name]
        if timed and name not in ("forward", "reverse") and runs[name] * plain > PATIENCE:
            notes[name] = f"would take more than {PATIENCE:g} s"
            continue
        g = _Counted(f)
        try:
            if name == "complex":
                jacobians[name] = run_complex_step(f, x, next(iter(jacobians.values()), np.ones(1)))
            else:
                jacobians[name] = method.jacobian(g, x)
                runs[name] = g.runs
                spreads[name] = method.spread(f, x, jacobians[name])
        except NotApplicableError as error:
            notes[name] = str(error)
    try:
        check(jacobians, spreads)
    except DisagreementError as error:
        raise DisagreementError(f"at n = {n}, m = {m}: {error}") from None
    counted = {name: METHODS[name].price(n, m, runs[name], value, active, weights) for name in runs
               if name in jacobians or "take more" in notes.get(name, "")}
    seconds = None
    if timed:
        calls: dict[str, Callable[[], Any]] = {"value": functools.partial(f, x), "again": functools.partial(f, x)}
        calls.update({name: functools.partial(METHODS[name].jacobian, f, x) for name in jacobians})
        seconds = interleaved(calls, repeats)
    return Row(n, m, value, active, counted, runs, seconds, weights, notes)

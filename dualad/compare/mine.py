"""The same experiments on the caller's own function."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np

from ..cost import DEFAULT, Weights
from .counting import count
from .families import restricted
from .measure import LARGEST_JACOBIAN
from .peers import selected
from .probe import answer
from .progress import Progress, silent
from .result import Report
from .scaling import AT, check_sizes, check_without, collect
from .scaling_result import MineResult, ScalingResult
from .storage import encode

__all__ = ["mine"]


def mine(f: Callable[..., Any], x: Any = None, *, at: Sequence[int] | None = None, seed: int = 0, repeats: int = 15,
         without: Collection[str] = (), weights: Weights = DEFAULT, count_only: bool = False, peers: bool | Collection[str] = False,
         progress: Progress = silent) -> Report:
    """Cost of the Jacobian of your own function by every method, against its numbers of inputs and of outputs.

    Parameters
    ----------
    f : callable
        Takes one float or one array, returns a float or an array of floats.
    x : float or array_like, optional
        The point. n varies by differentiating with respect to the first 1, 2, 4 ... inputs (the others stay constant),
        m by keeping the first 1, 2, 4 ... outputs: this works for every f.
    at : sequence of int, optional
        Without x: f is called on arrays of these sizes (uniform in [0.5, 1.5]). With x: the numbers of inputs, and of
        outputs, to take; powers of 2 to 256 by default.
    seed : int
        Of the points drawn without x.
    repeats, without, weights, count_only, peers, progress
        As for :func:`dualad.compare.scaling`.

    Returns
    -------
    Report
        One part for n, one for m if f has several outputs.

    Raises
    ------
    ValueError, TypeError
        What is not such a function or such a point.
    DisagreementError
        Two methods gave different answers; nothing was timed.

    Notes
    -----
    A method that cannot do f (the complex step of a function that compares) is left out, and the report says so.

    Examples
    --------
    >>> import numpy as np
    >>> from dualad import compare
    >>> r = compare.mine(lambda x: np.sin(x) * np.sum(x), np.arange(1.0, 9.0), count_only=True)
    >>> [(row.n, row.m) for row in r.rows]
    [(1, 8), (2, 8), (4, 8), (8, 8), (8, 1), (8, 2), (8, 4), (8, 8)]
    """
    if not callable(f):
        raise TypeError(f"mine takes a function, not {f!r}")
    if repeats < 1:
        raise ValueError(f"repeats must be at least 1, not {repeats}")
    leave = check_without(without)
    name = getattr(f, "__name__", None) or type(f).__name__

    settings = {"function": _named(f, x), "x": None if x is None else np.asarray(x, dtype=float).tolist(), "at": at, "seed": seed,
                "repeats": repeats, "without": list(without), "weights": weights, "count_only": count_only,
                "peers": peers if isinstance(peers, bool) else list(selected(peers))}

    def run(title: str, vary: str, points: Sequence[tuple[str, Callable[[], tuple[Any, ...]]]]) -> ScalingResult:
        return collect(title, {**settings, "vary": vary}, points, progress, repeats, leave, weights, not count_only, MineResult,
                       peers)

    if x is None:
        sizes = check_sizes(AT if at is None else at)
        if sizes[-1] > LARGEST_JACOBIAN:  # before the points are made
            raise ValueError(f"a gradient of {sizes[-1]} entries is more than {LARGEST_JACOBIAN}; choose smaller sizes")
        drawn = [(f"n = {n}", lambda n=n: (f, np.random.default_rng(seed).uniform(0.5, 1.5, n), None)) for n in sizes]
        return Report((run(f"{name}: called on arrays of n numbers, seed {seed}", "n", drawn),), "mine", encode(settings))
    x = np.array(x, dtype=float)
    y = answer(f, x if x.ndim else float(x))
    n, m = x.size, y.size
    if n == 0 or m == 0:
        raise ValueError(f"nothing to compare: {name} maps {n} numbers to {m}")
    whole = count(f, x)

    def point(inputs: int, outputs: int) -> Callable[[], tuple[Any, ...]]:
        return lambda: (restricted(f, x, inputs, outputs, m), x.ravel()[:inputs].copy(), whole)

    most = AT[-1] if at is None else max(check_sizes(at))
    columns, rows = _sizes(n, most, at), _sizes(m, most, at)
    parts = [run(f"{name}: the first n of its {n} inputs, m = {rows[-1]} of {m}", "n",
                 [(f"n = {k}", point(k, rows[-1])) for k in columns])]
    if m > 1:
        parts.append(run(f"{name}: the first m of its {m} outputs, n = {columns[-1]} of {n}", "m",
                         [(f"m = {k}", point(columns[-1], k)) for k in rows]))
    return Report(tuple(parts), "mine", encode(settings))


def _sizes(total: int, most: int, at: Sequence[int] | None) -> list[int]:
    """The sizes up to `total` (itself included, unless it is more than `most`)."""
    last = min(total, most)
    return sorted({k for k in (AT if at is None else at) if k < last} | {last})


def _named(f: Callable[..., Any], x: Any) -> str:
    """``module:function`` where a command line can say both f and x, else the name alone."""
    name = getattr(f, "__qualname__", None) or type(f).__name__
    module = getattr(f, "__module__", None)
    by_place = x is None or np.ndim(x) == 0 or (np.ndim(x) == 1 and np.size(x) > 1)
    found: Any = sys.modules.get(module) if module not in (None, "__main__") else None
    for part in name.split("."):
        found = getattr(found, part, None)
    return f"{module}:{name}" if found is f and by_place else name

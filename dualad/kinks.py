"""What happens at a point where a function has no derivative: another choice, a warning, an error; one-sided derivatives."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from . import _core
from ._core import Level, Traced
from .api import jvp
from .arguments import check_leaf
from .generic import GenericVar, lower, plain
from .rules import dispatch
from .rules.dispatch import untraced
from .tree import flatten, tree_map

__all__ = ["KinkError", "KinkWarning", "caller", "kinks", "listening", "one_sided"]


class KinkWarning(UserWarning):
    """An operation was evaluated where it has no derivative (inside ``with kinks(on="warn")``).

    Examples
    --------
    >>> import warnings, dualad
    >>> with warnings.catch_warnings(record=True) as seen, dualad.kinks(on="warn"):
    ...     warnings.simplefilter("always")
    ...     slope = dualad.grad(abs)(0.0)
    >>> seen[0].category.__name__
    'KinkWarning'
    """


class KinkError(ArithmeticError):
    """An operation was evaluated where it has no derivative (inside ``with kinks(on="raise")``).

    Examples
    --------
    >>> import dualad
    >>> with dualad.kinks(on="raise"):  # doctest: +IGNORE_EXCEPTION_DETAIL
    ...     dualad.grad(abs)(0.0)
    Traceback (most recent call last):
    dualad.kinks.KinkError: absolute(0) has no derivative there
    """


class _Choice(NamedTuple):
    """What holds inside a ``with kinks(...)``; `listener`: see :func:`listening`; `within`: the function it answers for."""

    absolute: float | None = None
    relu: float | None = None
    tie: float | None = None
    on: str = "ignore"
    listener: Any = None
    within: Any = None


_current: ContextVar[_Choice | None] = ContextVar("dualad.kinks", default=None)


def _watch(f: Any, args: tuple[Any, ...], kwargs: dict[str, Any] | None = None) -> Any:
    """What the core and the rules ask before an operation: its result where a choice was made, else None."""
    choice = _current.get()
    if choice is None:
        return None
    from .rules import margins

    if f in margins.AT:
        return _watch_row(choice, f, args, margins.AT[f])
    if f in margins.MARGINS or f in margins.CHOICES:
        return _watch_function(choice, f, args, kwargs or {})
    return None


def _watch_row(choice: _Choice, ufunc: Any, inputs: tuple[Any, ...], at: Callable[..., Any]) -> Any:
    if not any(isinstance(x, Traced) for x in inputs):
        return None
    values = [plain(x) for x in inputs]
    with np.errstate(all="ignore"):
        here = at(*values)
    if not np.any(here):
        return None
    _report(choice, ufunc, values, here)
    with _instead(None):  # what follows is arithmetic of ours
        result = None if choice.listener is None else choice.listener.row(ufunc, inputs, values, here)
        return _chosen(choice, ufunc, inputs) if result is None else result


def _watch_function(choice: _Choice, f: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A comparison, or a function of whole arrays."""
    from .rules import margins

    listener = None if choice.within is f else choice.listener
    if (choice.on == "ignore" and listener is None) or (f in margins.COMPARISONS and args[0] is args[1]):  # x != x: is it NaN?
        return None
    values = untraced(args)
    found = margins.margin(f, values, untraced(kwargs))
    if found is None:
        return None
    here = (found[1] == 0.0) & np.isfinite(found[0])
    if np.any(here):
        _report(choice, f, list(values) or [found[0]], here, margins.COMPARISONS.get(f, ""))
    with _instead(choice._replace(on="ignore", within=f)):  # what the rule is made of is no kink of the caller's
        result = None if listener is None else listener.choice(f, args, kwargs, values, found)
        return f(*args, **kwargs) if result is None else result


@contextmanager
def _instead(choice: _Choice | None) -> Iterator[None]:
    token = _current.set(choice)
    try:
        yield
    finally:
        _current.reset(token)


def _chosen(choice: _Choice, ufunc: Any, inputs: tuple[Any, ...]) -> Any:
    """The operation with another slope at the kink; None where nothing was chosen."""
    slope: float | None = None
    if ufunc in (np.absolute, np.fabs):
        slope = choice.absolute
    elif ufunc in (np.maximum, np.minimum, np.fmax, np.fmin):
        first, second = (isinstance(x, Traced) for x in inputs)
        slope = choice.tie
        if not (first and second):
            slope = choice.relu if choice.relu is None or first else 1.0 - choice.relu
    if slope is None:
        return None
    from .rules.chosen import chosen

    return chosen(ufunc, slope)(*inputs)


#: what Python has shown once already
_warned: dict[Any, Any] = {}


def _report(choice: _Choice, f: Any, values: list[Any], here: Any, sign: str = "") -> None:
    if choice.on == "ignore":
        return
    places = "" if not np.ndim(here) else f" ({np.count_nonzero(here)} of {np.size(here)} elements)"
    shown = [_shown(v) for v in values]
    if sign:
        what = f"{shown[0]} {sign} {shown[1]} compares equal numbers{places}: the branch changes there"
    else:
        what = f"{f.__name__}({', '.join(shown)}) has no derivative there{places}"
    path, line = caller()
    message = f"{what}; {path}, line {line}"
    if choice.on == "raise":
        raise KinkError(message)
    warnings.warn_explicit(message, KinkWarning, path, line, registry=_warned)


def _shown(v: Any) -> str:
    if isinstance(v, (int, float, np.number)) or (isinstance(v, np.ndarray) and not v.ndim):
        return f"{v:g}"
    return f"array of shape {np.shape(v)}" if isinstance(v, (np.ndarray, list)) else repr(v)


def caller() -> tuple[str, int]:
    """File and line of the innermost frame outside of this package and NumPy."""
    own = (str(Path(__file__).resolve().parent), str(Path(np.__file__).resolve().parent))
    frame: Any = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(own):
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno


@contextmanager
def _open(choice: _Choice) -> Iterator[None]:
    token = _current.set(choice)
    _core.watch_kinks(True, _watch)
    dispatch.kink_watchers.append(_watch)
    try:
        yield
    finally:
        dispatch.kink_watchers.pop()
        _core.watch_kinks(False, _watch)
        _current.reset(token)


@contextmanager
def listening(listener: Any) -> Iterator[None]:
    """Have a listener told of every choice inside the ``with``; what holds in ``kinks(...)`` around it goes on to hold.

    Parameters
    ----------
    listener
        ``listener.row(ufunc, inputs, values, here)`` is called before an elementwise operation some of whose elements are at
        a kink, ``listener.choice(f, args, kwargs, values, margins)`` before a comparison or a function of
        :mod:`dualad.rules.margins`; what they return is the operation's result, None leaves it to its rule.
    """
    choice = _current.get() or _Choice()
    with _open(choice._replace(listener=listener)):
        yield


@contextmanager
def kinks(*, abs: float | None = None, relu: float | None = None, tie: float | None = None, on: str = "ignore") -> Iterator[None]:
    """Choose the derivative at kinks, or be told of them, inside a ``with``.

    Parameters
    ----------
    abs : float, optional
        Derivative of ``abs`` at 0, in [-1, 1]; 0 where nothing is said.
    relu : float, optional
        Derivative of ``np.maximum(x, c)`` and ``np.minimum(x, c)`` with respect to x where x equals the constant c, in [0, 1]; 0.5
        where nothing is said.
    tie : float, optional
        Share of the first of two traced values that tie in a maximum or minimum, in [0, 1]; 0.5 where nothing is said.
    on : {"ignore", "warn", "raise"}
        At a kink, a jump, an infinite slope or a comparison of equal numbers: nothing, a :class:`KinkWarning`, or a
        :class:`KinkError` that names the operation and the line.

    Raises
    ------
    ValueError
        A choice outside of the subdifferential, or another `on`.
    TypeError
        A choice that is no number.

    Notes
    -----
    Both modes and every order take the choice. What `on` watches: elementwise operations at a kink, a jump or an infinite
    slope, reductions and order statistics whose result is attained more than once (``np.max``, ``np.sort``, ``np.median``), norms
    and ``np.std`` at zero, repeated eigenvalues and singular values, and comparisons of traced numbers that are equal, by
    which ``if``, ``while``, ``np.where`` and Python's own ``max`` choose a branch. Inside, elementwise functions ask Python
    first and cost some microseconds more.

    References
    ----------
    F. H. Clarke, *Optimization and Nonsmooth Analysis* (1983), section 2.1.

    Examples
    --------
    >>> import numpy as np, dualad
    >>> with dualad.kinks(abs=1.0, relu=0.0):
    ...     dualad.grad(np.abs)(0.0), dualad.derivative(lambda x: np.maximum(x, 0.0))(0.0)
    (1.0, 0.0)
    """
    for name, value, low in (("abs", abs, -1.0), ("relu", relu, 0.0), ("tie", tie, 0.0)):
        if isinstance(value, bool) or not isinstance(value, (int, float, np.number, type(None))):
            raise TypeError(f"kinks: {name}={value!r} is no number; choose from [{low:g}, 1]")
        if value is not None and not low <= value <= 1.0:
            raise ValueError(f"kinks: {name}={value!r} is no subgradient; choose from [{low:g}, 1]")
    if on not in ("ignore", "warn", "raise"):
        raise ValueError(f"kinks: on is 'ignore', 'warn' or 'raise', not {on!r}")
    a, b, c = (None if v is None else float(v) for v in (abs, relu, tie))
    chosen = _Choice(a, b, c, on)
    with _open(chosen):
        yield


def one_sided(f: Callable[[Any], Any], x: Any, v: Any = 1.0) -> tuple[Any, Any]:
    """The derivatives of f at x from the left and from the right, along v.

    Parameters
    ----------
    f : callable
        Of one float or array.
    x : float or ndarray
    v : float or ndarray
        Direction, of x's shape.

    Returns
    -------
    left, right
        The limits of ``(f(x + t v) - f(x)) / t`` for t to 0 from below and from above, in the structure of f's result: equal where
        f is differentiable along v, infinite at a jump, NaN on a side where f is not defined.

    Raises
    ------
    TypeError
        When x has no derivative (an integer, a complex number).
    ValueError
        When v has not the shape of x.

    Notes
    -----
    Cost: three forward sweeps. At a kink every operation takes the branch that the tangent enters (Griewank 2013):
    abs, max and min, steps, reductions and order statistics with ties, Euclidean norms at zero, and comparisons of equal
    numbers, so that an ``if`` goes the way it will go beside x. That is exact for functions that are smooth on either side; where
    the tangents of what is compared are equal as well, the way that was taken at x stays.

    References
    ----------
    A. Griewank, *On stable piecewise linearization and generalized algorithmic differentiation*, Optim. Methods Softw. 28
    (2013) 1139-1178.

    Examples
    --------
    >>> import numpy as np, dualad
    >>> dualad.one_sided(lambda x: np.abs(x) + np.maximum(x, 0.0), 0.0)
    (-1.0, 2.0)
    >>> dualad.one_sided(lambda x: x**2 if x < 1.0 else 3.0 * x - 2.0, 1.0)
    (2.0, 3.0)
    """
    x = check_leaf(x, "one_sided", "x")
    here = tree_map(plain, jvp(f, (x,), (v,))[0])
    back, right = (tree_map(_slope, here, *_beside(f, x, direction)) for direction in (0.0 - v, v))
    return tree_map(lambda t: 0.0 - t, back), right


def _beside(f: Callable[[Any], Any], x: Any, v: Any) -> tuple[Any, Any]:
    """Value and tangent of f just beside x."""
    found = _entering(f, x, v, False)
    if _is_finite(found):
        return found
    guarded = _entering(f, x, v, True)  # `if x == 0` may guard a formula that has no value at 0 itself
    return guarded if _is_finite(guarded) else found


def _is_finite(tree: Any) -> bool:
    return all(np.all(np.isfinite(plain(y))) for y in flatten(tree)[0])


def _entering(f: Callable[[Any], Any], x: Any, v: Any, keeps_equal: bool) -> tuple[Any, Any]:
    from .rules.sides import Side

    # On a level of its own the point is a value of the generic carrier, whose comparisons can be answered.
    level = Level(True, 0, False)
    with level, listening(Side(level.level_id, keeps_equal)), np.errstate(all="ignore"):
        value, slope = jvp(f, (GenericVar(level, x),), (v,))
        return tree_map(lambda y: lower(y, level.level_id), value), tree_map(lambda t: lower(t, level.level_id), slope)


def _slope(here: Any, beside: Any, slope: Any) -> Any:
    """The tangent beside a point, or infinity where the value is another one."""
    with np.errstate(all="ignore"):
        step = np.asarray(plain(beside) - here)
        jumps = np.abs(step) > 1e-10 * (1.0 + np.abs(here))
    if np.any(jumps):
        slope = np.where(jumps, np.copysign(np.inf, step), slope)
    if np.any(gone := np.isnan(plain(beside)) & ~np.isnan(here)):
        slope = np.where(gone, np.nan, slope)
    return float(slope) if not np.ndim(here) and isinstance(slope, (np.float64, np.ndarray)) else slope

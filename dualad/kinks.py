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
from ._core import Traced
from .api import jvp
from .generic import plain
from .rules import dispatch
from .tree import tree_map

__all__ = ["KinkError", "KinkWarning", "kinks", "one_sided"]


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
    """What holds inside a ``with kinks(...)``; `directional`: the branch that the tangent enters."""

    absolute: float | None = None
    relu: float | None = None
    tie: float | None = None
    on: str = "ignore"
    directional: bool = False


_current: ContextVar[_Choice | None] = ContextVar("dualad.kinks", default=None)


def _jumps(x: Any) -> Any:
    return np.asarray(x) == np.floor(x)


def _halves(x: Any) -> Any:
    return np.asarray(x) - np.floor(x) == 0.5


#: ufunc -> is it at a kink (or a jump, or where its slope is infinite) at these values?
_AT: dict[Any, Callable[..., Any]] = {
    np.absolute: lambda x: np.asarray(x) == 0.0,
    np.fabs: lambda x: np.asarray(x) == 0.0,
    np.maximum: lambda x, y: np.equal(x, y),
    np.minimum: lambda x, y: np.equal(x, y),
    np.fmax: lambda x, y: np.equal(x, y),
    np.fmin: lambda x, y: np.equal(x, y),
    np.sqrt: lambda x: np.asarray(x) == 0.0,
    np.cbrt: lambda x: np.asarray(x) == 0.0,
    np.power: lambda x, y: (np.asarray(x) == 0.0) & (np.asarray(y) < 1.0) & (np.asarray(y) != 0.0),
    np.hypot: lambda x, y: (np.asarray(x) == 0.0) & (np.asarray(y) == 0.0),
    np.arctan2: lambda x, y: (np.asarray(x) == 0.0) & (np.asarray(y) == 0.0),
    np.sign: lambda x: np.asarray(x) == 0.0,
    np.heaviside: lambda x, y: np.asarray(x) == 0.0,
    np.floor: _jumps,
    np.ceil: _jumps,
    np.trunc: lambda x: _jumps(x) & (np.asarray(x) != 0.0),
    np.rint: _halves,
}
_SMALLER = (np.minimum, np.fmin)


def _watch(ufunc: Any, inputs: tuple[Any, ...]) -> Any:
    """What the core asks before an operation: its result where a choice was made, else None."""
    choice = _current.get()
    if choice is None or ufunc not in _AT:
        return None
    if not any(isinstance(x, Traced) for x in inputs):
        return None
    values = [plain(x) for x in inputs]
    with np.errstate(all="ignore"):
        here = _AT[ufunc](*values)
    if not np.any(here):
        return None
    _report(choice, ufunc, values, here)
    token = _current.set(None)  # what follows is arithmetic of ours
    try:
        return _chosen(choice, ufunc, inputs, values, here)
    finally:
        _current.reset(token)


def _chosen(choice: _Choice, ufunc: Any, inputs: tuple[Any, ...], values: list[Any], here: Any) -> Any:
    """The operation with another linear piece at the kink; None where nothing was chosen."""
    if ufunc in (np.absolute, np.fabs):
        slope: Any = choice.absolute
        if choice.directional:
            slope = np.sign(_tangent(inputs[0]))
        return None if slope is None else _replace(here, 0.0 + slope * inputs[0], ufunc, inputs)
    if ufunc not in (np.maximum, np.minimum, np.fmax, np.fmin):
        return None
    x, y = inputs
    share: Any = choice.tie
    if choice.directional:
        ahead = np.asarray(_tangent(x)) >= np.asarray(_tangent(y))
        share = np.where(~ahead if ufunc in _SMALLER else ahead, 1.0, 0.0)[()]
    elif not (isinstance(x, Traced) and isinstance(y, Traced)):
        share = choice.relu if choice.relu is None or isinstance(x, Traced) else 1.0 - choice.relu
    if share is None:
        return None
    with np.errstate(invalid="ignore"):  # infinities that tie; their slope is not chosen
        finite = np.logical_and(here, np.isfinite(values[0]))
        return _replace(finite, y - share * (y - x), ufunc, inputs)  # keeps the sign of a zero


def _replace(here: Any, piece: Any, ufunc: Any, inputs: tuple[Any, ...]) -> Any:
    if not np.ndim(here):
        return piece if here else ufunc(*inputs)
    return np.where(here, piece, ufunc(*inputs))


def _tangent(x: Any) -> Any:
    return plain(x.tangent) if isinstance(x, Traced) else 0.0


def _report(choice: _Choice, ufunc: Any, values: list[Any], here: Any) -> None:
    if choice.on == "ignore":
        return
    places = "" if not np.ndim(here) else f" ({np.count_nonzero(here)} of {np.size(here)} elements)"
    shown = ", ".join(f"{v:g}" if not np.ndim(v) else f"array of shape {np.shape(v)}" for v in values)
    path, line = _caller()
    message = f"{ufunc.__name__}({shown}) has no derivative there{places}; {path}, line {line}"
    if choice.on == "raise":
        raise KinkError(message)
    warnings.warn(message, KinkWarning, stacklevel=2)


def _caller() -> tuple[str, int]:
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
        At a kink, a jump or an infinite slope (abs, max, min, sqrt, cbrt, powers below 1, hypot, arctan2, sign, floor ...):
        nothing, a :class:`KinkWarning`, or a :class:`KinkError` that names the operation and the line.

    Raises
    ------
    ValueError
        A choice outside of the subdifferential, or another `on`.

    Notes
    -----
    Both modes and every order take the choice. The operators ``%`` and ``//``, reductions (``np.max(x)``) and Python's own
    ``max`` and ``if`` are not watched. Inside, elementary functions ask Python first and cost some microseconds more.

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
        The limits of ``(f(x + t v) - f(x)) / t`` for t to 0 from below and from above, in the structure of f's result. They are
        equal where f is differentiable along v.

    Notes
    -----
    Cost: two forward sweeps. At a kink abs, max and min take the branch that the tangent enters, which is exact for
    compositions of smooth functions with these (A. Griewank, *On stable piecewise linearization and generalized algorithmic
    differentiation*, Optim. Methods Softw. 28 (2013) 1139-1178); a choice by ``if`` is the one that was made at x, and where
    two tangents tie as well, the first operand's is taken.

    Examples
    --------
    >>> import numpy as np, dualad
    >>> dualad.one_sided(lambda x: np.abs(x) + np.maximum(x, 0.0), 0.0)
    (-1.0, 2.0)
    """
    with _open(_Choice(directional=True)):
        right = jvp(f, (x,), (v,))[1]
        left = jvp(f, (x,), (-v,))[1]
    return tree_map(lambda t: 0.0 - t, left), right

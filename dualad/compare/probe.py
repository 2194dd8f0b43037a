"""The caller's function, before anything is made of it: does it give numbers, always the same ones, quietly?

A function that prints would print thousands of times under the clock; one with random output, or one that writes into its
argument, has no derivative to check. Each is refused in one line that says what to change.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["NotDifferentiableError", "answer", "kink"]

#: two runs at one point may differ by this much, relatively: threads add in any order
SAME = 1e-12


class NotDifferentiableError(ValueError):
    """f has no derivative at the point; the message names the entry."""


def _run(f: Callable[..., Any], x: Any) -> Any:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a warning is no answer of f; what is not finite is said below, once
        with np.errstate(all="ignore"):
            y = f(x)
    if printed.getvalue():
        line = printed.getvalue().strip().partition("\n")[0][:40]
        raise ValueError(f"f prints ({line!r}): it would print thousands of times; take the print out")
    return y


def answer(f: Callable[..., Any], x: Any) -> np.ndarray:
    """f(x) as an array.

    Parameters
    ----------
    f : callable
    x : float or ndarray

    Returns
    -------
    ndarray

    Raises
    ------
    TypeError
        f returns something else than a float or an array of floats.
    ValueError
        f prints, changes its argument, gives another answer in its second run, or one that is not finite.

    Notes
    -----
    Cost: two runs of f.

    Examples
    --------
    >>> import numpy as np
    >>> from dualad.compare.probe import answer
    >>> answer(lambda x: 2 * x, np.ones(2))
    array([2., 2.])
    """
    given = np.array(x) if isinstance(x, np.ndarray) else x
    y = _run(f, given)
    if isinstance(y, list | tuple | dict):
        raise TypeError(f"f must return a float or an array of floats, not a {type(y).__name__}: np.stack makes an array of floats")
    if y is None:
        raise TypeError("f must return a float or an array of floats, not None: does it end in a return?")
    y = np.array(y)
    if y.dtype.kind != "f":
        raise TypeError(f"f must return a float or an array of floats, not {y.dtype}")
    if isinstance(x, np.ndarray) and not np.array_equal(given, x, equal_nan=True):
        raise ValueError("f changes its argument: work on a copy, x = x.copy() (or x = x + ..., not x += ...)")
    again = np.asarray(_run(f, np.array(x) if isinstance(x, np.ndarray) else x))
    with np.errstate(all="ignore"):
        same = again.shape == y.shape and bool(np.all((again == y) | (np.abs(again - y) <= SAME * np.abs(y)) | np.isnan(y)))
    if not same:
        raise ValueError("f gives two answers at one point: is it random? Draw the numbers once, outside, or seed them inside f")
    if not np.all(np.isfinite(y)):
        raise NotDifferentiableError(f"f is {y.ravel()[np.argmin(np.isfinite(y))]} at this point; choose another")
    return y


def kink(f: Callable[..., Any], x: np.ndarray, i: int, j: int, step: float) -> str:
    """Why entry (i, j) of the Jacobian may be ambiguous: the slopes to the left and to the right, if they differ; else "".

    Examples
    --------
    >>> import numpy as np
    >>> from dualad.compare.probe import kink
    >>> kink(np.abs, np.zeros(1), 0, 0, 1e-8)
    'the slopes to the left and to the right of entry 0 of x are -1 and 1'
    >>> kink(np.abs, np.ones(1), 0, 0, 1e-8)
    ''
    """
    h = step * max(1.0, abs(x[j]))
    values = []
    for side in (-h, 0.0, h):
        moved = x.copy()
        moved[j] += side
        values.append(float(np.ravel(np.asarray(f(moved), dtype=float))[i]))
    left, right = (values[1] - values[0]) / h, (values[2] - values[1]) / h
    if abs(right - left) <= 1e-3 * max(abs(left), abs(right)):
        return ""
    return f"the slopes to the left and to the right of entry {j} of x are {left:.3g} and {right:.3g}"

"""Exercises with a checker that says what went wrong, and a museum of bugs.

>>> from dualad import teach
>>> teach.check("quiz1", dx=1208, dz=810)
quiz1: right
  dx: right
  dz: right

    tiny, museum    six classic mistakes in automatic differentiation
    exercise        what an exercise and a question are
    calculus, vectors, networks, catalogue    the exercises
    expression      formulas as answers
    slips, mistakes what a wrong answer may come from
    checking        answers read, compared, diagnosed
"""

from __future__ import annotations

from typing import Any

from . import catalogue, checking
from .catalogue import Listing
from .checking import Report, Verdict
from .exercise import Exercise

__all__ = ["Exercise", "Listing", "Report", "Verdict", "answers", "check", "list", "museum", "show"]


def list(topic: str | None = None) -> Listing:
    """The exercises, as a table.

    Parameters
    ----------
    topic : str, optional
        A topic ("gradients"), or the id of a worked example ("L19").

    Returns
    -------
    Listing

    Raises
    ------
    ValueError
        There is no such topic.

    Examples
    --------
    >>> from dualad import teach
    >>> teach.list("L19")
    exercise  topic      asks for  example
    quiz1     gradients  dx, dz    L19
    """
    return catalogue.listing(topic)


def show(name: str) -> Exercise:
    """An exercise: the text, the point, the questions.

    Parameters
    ----------
    name : str
        One of those that :func:`list` has.

    Returns
    -------
    Exercise

    Raises
    ------
    ValueError
        There is no such exercise.

    Examples
    --------
    >>> from dualad import teach
    >>> teach.show("quiz1")
    quiz1 (gradients, L19)
    <BLANKLINE>
    y = exp(xz) + xz / log(x) + sin(log(x)) / (xz).
    <BLANKLINE>
    At x = 2.0, z = 3.0.
    <BLANKLINE>
        dx            dy/dx, to the nearest integer (a value or a formula)
        dz            dy/dz, to the nearest integer (a value or a formula)
    <BLANKLINE>
    Answer with teach.check("quiz1", dx=..., dz=...)
    """
    return catalogue.find(name)


def check(name: str, /, **answers: Any) -> Report:
    """Check answers; a wrong one gets a hint at the mistake behind it.

    Parameters
    ----------
    name : str
        The exercise.
    **answers
        By the names of its questions: a number, a list or array, a formula as text ("2*x*cos(x**2)"), a function of the
        arguments, a shape as a tuple, a word. Formulas and functions are compared at five points.

    Returns
    -------
    Report
        Prints a line an answer; true in an ``if`` when everything is right.

    Raises
    ------
    ValueError, TypeError
        An unknown exercise or question, an answer that cannot be read.

    Notes
    -----
    Answers count as right to four significant digits, or to the decimals that the text asks for.

    Examples
    --------
    >>> from dualad import teach
    >>> teach.check("chain-rule", dx="cos(x**3)")
    chain-rule: 0 of 1 right
      dx: wrong (chain factor): chain rule: multiply by the derivative of the power as well
    >>> bool(teach.check("chain-rule", dx="3*x**2 * cos(x**3)"))
    True
    """
    return checking.check(catalogue.find(name), answers)


def answers(name: str) -> dict[str, Any]:
    """The right answers to an exercise, computed by dualad.

    Parameters
    ----------
    name : str

    Returns
    -------
    dict

    Examples
    --------
    >>> from dualad import teach
    >>> teach.answers("shape-of-a-gradient")
    {'numerator': (2, 4), 'stacked': (4, 2), 'denominator': (4, 2)}
    """
    return catalogue.find(name).answers()


def __getattr__(name: str) -> Any:
    if name == "museum":
        import importlib

        return importlib.import_module(f"{__name__}.museum")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

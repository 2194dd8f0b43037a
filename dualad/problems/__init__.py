"""The one list of problems that tests, benches, the comparison module and the docs draw from.

Examples
--------
>>> from dualad import problems
>>> p = problems.get("baydin")
>>> p.closed_form(2.0, 5.0)[0]
5.5
>>> [q.name for q in problems.select("while")]
['newton_sqrt_while', 'kepler_while']
"""

from __future__ import annotations

from types import MappingProxyType

from . import adbench, arrays, lectures, scalar
from .adbench import gather_observations, read_ba, read_gmm, read_lstm
from .problem import Problem

__all__ = ["PROBLEMS", "Problem", "gather_observations", "get", "read_ba", "read_gmm", "read_lstm", "select"]

PROBLEMS = MappingProxyType({p.name: p for p in (*scalar.PROBLEMS, *arrays.PROBLEMS, *adbench.PROBLEMS, *lectures.PROBLEMS)})


def get(name):
    """The problem called `name`.

    Parameters
    ----------
    name : str
        One of the keys of PROBLEMS.

    Returns
    -------
    Problem
        With the function, its arguments at any size, and its derivative written by hand.

    Raises
    ------
    KeyError
        If there is none; the message lists the names there are.

    Examples
    --------
    >>> from dualad import problems
    >>> problems.get("horner").kind
    'derivative'
    """
    try:
        return PROBLEMS[name]
    except KeyError:
        raise KeyError(f"no problem called {name!r}; there are {', '.join(PROBLEMS)}") from None


def select(*tags):
    """The problems that carry every one of `tags`, in their order.

    Parameters
    ----------
    *tags : str
        None of them selects all problems.

    Returns
    -------
    list of Problem
        Empty where no problem carries them all.

    Examples
    --------
    >>> from dualad import problems
    >>> [p.name for p in problems.select("adbench")]
    ['gmm', 'ba', 'lstm']
    """
    wanted = set(tags)
    return [p for p in PROBLEMS.values() if wanted <= p.tags]

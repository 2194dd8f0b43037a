"""Built-in functions R^n -> R^m whose sizes can be chosen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import problems

__all__ = ["FAMILIES", "Family", "chain"]


@dataclass(frozen=True)
class Family:
    """A function for every n and m.

    Parameters
    ----------
    name, summary, cost : str
    make : callable
        ``make(n, m, depth, seed)`` returns f and the point, an array (n,).
    smallest : int
        Least n it is defined for.
    one_output : bool
        m can only be 1.
    """

    name: str
    summary: str
    cost: str
    make: Callable[[int, int, int, int], tuple[Callable[..., Any], np.ndarray]]
    smallest: int = 1
    one_output: bool = True


def chain(m: int, depth: int) -> Callable[[Any], Any]:
    """The function R^n -> one number -> `depth` steps of the circle map -> R^m.

    Parameters
    ----------
    m, depth : int

    Returns
    -------
    callable
        Takes an array (n,), returns an array (m,).

    Notes
    -----
    Cost: n nonlinear and n - 1 additions; a nonlinear, a multiplication and two additions a step; a nonlinear and a
    multiplication an output. The circle map s -> s + 1 + sin(s)/2 has no fixed point (V. I. Arnold, 1961), so its
    derivative neither vanishes nor explodes over a long chain and every method has something to get right.

    Examples
    --------
    >>> import numpy as np
    >>> from dualad.compare.families import chain
    >>> chain(3, depth=5)(np.ones(2)).shape
    (3,)
    """
    frequencies = np.linspace(0.5, 1.0, m)

    def f(x: Any) -> Any:
        s = np.sum(np.sin(x))
        for _ in range(depth):
            s = s + 0.5 * np.sin(s) + 1.0
        return np.cos(frequencies * s)

    return f


def _make_chain(n: int, m: int, depth: int, seed: int) -> tuple[Callable[..., Any], np.ndarray]:
    return chain(m, depth), np.random.default_rng(seed).uniform(0.5, 1.5, n)


def _from_problems(name: str) -> Callable[[int, int, int, int], tuple[Callable[..., Any], np.ndarray]]:
    def make(n: int, m: int, depth: int, seed: int) -> tuple[Callable[..., Any], np.ndarray]:
        problem = problems.get(name)
        f, (x,) = problem.split(problem.make(n, seed))
        return f, np.array(x, dtype=float)

    return make


FAMILIES = {
    family.name: family
    for family in (
        Family("chain", "R^n -> one number -> depth steps -> R^m", "n + depth + m", _make_chain, one_output=False),
        Family("helmholtz", "Helmholtz energy of a mixed fluid (Baydin et al. 2018)", "n^2", _from_problems("helmholtz")),
        Family("rosenbrock", "Rosenbrock's valley, vectorised", "n", _from_problems("rosenbrock_sliced"), smallest=2),
        Family("speelpenning", "product of all inputs, a Python loop", "n", _from_problems("speelpenning")),
    )
}

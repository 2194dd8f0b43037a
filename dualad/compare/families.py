"""Built-in functions R^n -> R^m whose sizes can be chosen; what is differentiated comes from :mod:`dualad.problems`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from .. import problems
from ..cost import Operations
from ..problems import arrays
from .counting import count

__all__ = ["FAMILIES", "Family", "chain", "restricted"]

#: f, the point (an array (n,)), and the operations of one value of f where some inputs are held constant
Made = tuple[Callable[..., Any], np.ndarray, Operations | None]


@dataclass(frozen=True)
class Family:
    """A function for every n and m.

    Parameters
    ----------
    name, summary, cost : str
    make : callable
        ``make(n, m, depth, seed)`` returns f, the point, an array (n,), and the operations of f with the inputs that are
        held constant (None: there are none).
    smallest : int
        Least n it is defined for.
    largest : int or None
        Greatest n: all the inputs the function has.
    one_output : bool
        m can only be 1.
    deep : bool
        It has a length, the option --depth.
    numbers : callable
        ``numbers(n, m)``: how many numbers its arguments hold, to be known before they are made.
    """

    name: str
    summary: str
    cost: str
    make: Callable[[int, int, int, int], Made]
    smallest: int = 1
    largest: int | None = None
    one_output: bool = True
    deep: bool = False
    numbers: Callable[[int, int], int] = lambda n, m: n + m


def restricted(f: Callable[..., Any], x: np.ndarray, inputs: int, outputs: int, m: int) -> Callable[[Any], Any]:
    """f as a function of its first `inputs` numbers, the others held at x, giving its first `outputs` of m numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from dualad.compare.families import restricted
    >>> restricted(lambda x: 2 * x, np.array([1.0, 5.0]), 1, 2, 2)(np.array([3.0]))
    array([ 6., 10.])
    """
    rest, shape, size = x.ravel()[inputs:], x.shape, x.size

    def place(z: Any) -> Any:
        if not shape:
            return z[0]
        whole = np.concatenate([z, rest]) if inputs < size else z
        return np.reshape(whole, shape) if len(shape) > 1 else whole

    if outputs == m:
        return lambda z: f(place(z))
    return lambda z: np.ravel(f(place(z)))[:outputs]


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


def _make_chain(n: int, m: int, depth: int, seed: int) -> Made:
    return chain(m, depth), np.random.default_rng(seed).uniform(0.5, 1.5, n), None


def _make_dense(n: int, m: int, depth: int, seed: int) -> Made:
    x, a, b = arrays.tanh_sin_args(n, seed, outputs=m)
    return lambda z: arrays.tanh_sin(z, a, b), x, None


def _make_mlp(n: int, m: int, depth: int, seed: int) -> Made:
    """The first n of 12 h + 1 parameters of a 10-h-1 network, the fewest hidden units h that have so many."""
    params, x, y = arrays.network_args(depth or 1, seed, hidden=max(1, -(-(n - 1) // 12)))
    shapes, ends = [np.shape(p) for p in params], np.cumsum([np.size(p) for p in params])

    def f(flat: Any) -> Any:
        parts = [flat[end - int(np.prod(shape)):end] for shape, end in zip(shapes, ends, strict=True)]
        return arrays.mlp([np.reshape(part, shape) for part, shape in zip(parts, shapes, strict=True)], x, y)

    return _first(f, np.concatenate([np.ravel(p) for p in params]), n)


def _first(f: Callable[..., Any], x: np.ndarray, n: int) -> Made:
    """f of its first n inputs."""
    return (f, x, None) if n == x.size else (restricted(f, x, n, 1, 1), x.ravel()[:n].copy(), count(f, x))


def _of_size(name: str) -> Callable[[int, int, int, int], Made]:
    """A problem whose size is its number of inputs."""

    def make(n: int, m: int, depth: int, seed: int) -> Made:
        problem = problems.get(name)
        f, (x,) = problem.split(problem.make(n, seed))
        return f, np.array(x, dtype=float), None

    return make


def _of_length(name: str) -> Callable[[int, int, int, int], Made]:
    """A problem whose size is a number of steps, of its first n inputs."""

    def make(n: int, m: int, depth: int, seed: int) -> Made:
        problem = problems.get(name)
        f, (x,) = problem.split(problem.make(depth, seed))
        return _first(f, np.array(x, dtype=float), n)

    return make


def _lecture(name: str) -> Callable[[int, int, int, int], Made]:
    """A scalar function of the lectures, of its first n arguments."""

    def make(n: int, m: int, depth: int, seed: int) -> Made:
        problem = problems.get(name)
        plain, args = problem.using(np), problem.make(1, seed)
        return _first(lambda x: plain(*(x[i] for i in range(len(args)))), np.array(args, dtype=float), n)

    return make


def _lectures() -> list[Family]:
    """The scalar functions of the lectures."""
    found = []
    for problem in problems.select("lecture", "scalar"):
        arguments = len(problem.make(1, 0))
        found.append(Family(problem.name, f"lecture function of {arguments} number{'s' * (arguments > 1)}", problem.cost,
                            _lecture(problem.name), largest=arguments))
    return found


FAMILIES: Mapping[str, Family] = MappingProxyType({
    family.name: family
    for family in (
        Family("chain", "R^n -> one number -> depth steps -> R^m", "n + depth + m", _make_chain, one_output=False, deep=True),
        Family("helmholtz", "Helmholtz energy of a mixed fluid (Baydin et al. 2018)", "n^2", _of_size("helmholtz"),
               numbers=lambda n, m: n * n),
        Family("rosenbrock", "Rosenbrock's valley, vectorised", "n", _of_size("rosenbrock_sliced"), smallest=2),
        Family("logsumexp", "log of a sum of exponentials, shifted by the maximum", "n", _of_size("logsumexp")),
        Family("speelpenning", "product of all inputs, a Python loop", "n", _of_size("speelpenning")),
        Family("dense", "tanh(Ax) sin(Bx) + exp(-Ax), R^n -> R^m", "n m", _make_dense, one_output=False,
               numbers=lambda n, m: 2 * n * m),
        Family("mlp", "loss of a 10-h-1 tanh network on depth rows, n of its 12 h + 1 parameters", "n depth", _make_mlp, deep=True),
        Family("lorenz", "Lorenz's equations, depth Runge-Kutta steps, n of 3 starts and 3 parameters", "depth",
               _of_length("lorenz_rk4"), largest=6, deep=True),
        *_lectures(),
    )
})

"""Random programs over a scalar and an array: operators, ufuncs, indexing, loops, branches; for the laws of test_laws.

A program is a list of instructions (name, i, j, c).  Registers hold scalars and arrays of shape (n,); an instruction reads
registers i and j (modulo how many there are of its kind) and the constant c, and appends its result.  Every instruction keeps
values and slopes of order one, so that a law can be checked to rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

import dualad
from dualad import math as dmath
from dualad import numpy as dnp

SCALAR: dict[str, Callable[..., Any]] = {}
ARRAY: dict[str, Callable[..., Any]] = {}
EITHER: dict[str, Callable[..., Any]] = {}


def instruction(table: dict[str, Callable[..., Any]]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def add(f: Callable[..., Any]) -> Callable[..., Any]:
        table[f.__name__] = f
        return f

    return add


# Smooth functions of one register, of any kind: (a, b, c) -> value; b is another register that broadcasts with a.
EITHER.update({
    "sin": lambda run, a, b, c: np.sin(a + c),
    "cos": lambda run, a, b, c: np.cos(c * a),
    "tan": lambda run, a, b, c: np.tan(0.3 * np.sin(a)),
    "tanh": lambda run, a, b, c: np.tanh(a - c),
    "arctan": lambda run, a, b, c: np.arctan(2.0 * a),
    "exp": lambda run, a, b, c: np.exp(-np.square(a)),
    "expm1": lambda run, a, b, c: np.expm1(0.5 * np.tanh(a)),
    "log": lambda run, a, b, c: np.log(2.0 + np.sin(a)),
    "log1p": lambda run, a, b, c: np.log1p(a * a),
    "sqrt": lambda run, a, b, c: np.sqrt(1.0 + a**2) - 1.0,
    "arcsinh": lambda run, a, b, c: np.arcsinh(a),
    "sinc": lambda run, a, b, c: np.sinc(0.4 * a),
    "erf": lambda run, a, b, c: dnp.erf(a),
    "cube": lambda run, a, b, c: np.sin(a) ** 3,
    "root": lambda run, a, b, c: (1.2 + np.cos(a)) ** -0.5,
    "reciprocal": lambda run, a, b, c: c / (2.0 + np.cos(a)),
    "negative": lambda run, a, b, c: -a,
    "add": lambda run, a, b, c: 0.5 * a + 0.5 * b,
    "subtract": lambda run, a, b, c: 0.5 * (a - b) + c,
    "multiply": lambda run, a, b, c: np.tanh(a * b),
    "divide": lambda run, a, b, c: a / (1.0 + b * b),
    "power": lambda run, a, b, c: (1.5 + 0.5 * np.sin(a)) ** np.tanh(b),
    "hypot": lambda run, a, b, c: np.hypot(a, 1.0 + b * b) - 1.0,
    "arctan2": lambda run, a, b, c: np.arctan2(a, 1.0 + b * b),
    "logaddexp": lambda run, a, b, c: np.logaddexp(a, b) - 0.5,
    "reused": lambda run, a, b, c: np.sin(a * np.cos(a)) + a * 0.25,
})


@instruction(EITHER)
def absolute(run, a, b, c):
    run.decide(a > 0.0)
    return abs(a)


@instruction(EITHER)
def maximum(run, a, b, c):
    run.decide(a > b)
    return np.maximum(a, b)


@instruction(EITHER)
def where(run, a, b, c):
    return np.where(run.decide(a > c), np.sqrt(abs(a) + 0.5), np.sin(b))


@instruction(EITHER)
def loop(run, a, b, c):
    for k in range(4):
        a = np.sin(a + 0.3 * b) * (0.9 - 0.1 * k)
    return a


# Of a scalar register a and another scalar b.
@instruction(SCALAR)
def branch(run, a, b, c):
    if run.decide(a > b):
        return dmath.sin(a) * b
    return dmath.exp(-a * a) + dmath.atan(b)


@instruction(SCALAR)
def newton(run, a, b, c):
    y = 1.5 + 0.0 * b
    while not run.decide(abs(y * y - (2.0 + dmath.tanh(a))) < 1e-3):
        y = 0.5 * (y + (2.0 + dmath.tanh(a)) / y)
    return y - 1.0


@instruction(SCALAR)
def horner(run, a, b, c):
    total = 0.0
    for coefficient in (0.3, b, -0.5, c):
        total = total * dmath.tanh(a) + coefficient
    return total


@instruction(SCALAR)
def choose(run, a, b, c):
    run.decide(a > b)
    return 0.7 * max(a, b) + 0.3 * min(a, b)


# Of an array register a and another array b; results are scalars or arrays of shape (n,).
ARRAY.update({
    "element": lambda run, a, b, c: a[1 % len(a)],
    "last": lambda run, a, b, c: a[-1] * b[0],
    "sum": lambda run, a, b, c: np.sum(a) / len(a),
    "mean": lambda run, a, b, c: np.mean(a * b),
    "dot": lambda run, a, b, c: np.arctan(a @ b),
    "reverse": lambda run, a, b, c: a[::-1],
    "roll": lambda run, a, b, c: np.concatenate([a[1:], b[:1]]),
    "fancy": lambda run, a, b, c: a[np.arange(len(a)) ** 2 % len(a)],
    "take": lambda run, a, b, c: np.take(a, [0] * len(b)) * 0.5 + b * 0.5,
    "halves": lambda run, a, b, c: np.repeat(np.stack([a, b])[:, ::2], 2, axis=1)[0, : len(a)],
    "fold": lambda run, a, b, c: np.sum(np.sin(a[:, None] - b), axis=0) / len(a),
    "outer": lambda run, a, b, c: np.tanh(np.outer(a, b) @ b),
    "transpose": lambda run, a, b, c: np.stack([a, np.cos(b)]).T.reshape(-1)[len(a) // 2 : len(a) // 2 + len(a)],
    "cumsum": lambda run, a, b, c: np.cumsum(np.sin(a)) / len(a),
    "product": lambda run, a, b, c: np.prod(np.cos(0.3 * a)),
    "variance": lambda run, a, b, c: np.var(a) * 0.2,
    "broadcast": lambda run, a, b, c: np.tanh(a) * np.mean(b),
})


@instruction(ARRAY)
def mask(run, a, b, c):
    chosen = run.decide(a > c)
    return np.sum(np.sin(a)[chosen]) / len(a)


@instruction(ARRAY)
def elements(run, a, b, c):
    total = 0.0
    for i in range(len(a)):
        total = dmath.sin(total + a[i] * b[len(a) - 1 - i])
    return total


@instruction(ARRAY)
def rebuilt(run, a, b, c):
    return np.stack([dmath.tanh(t) + u for t, u in zip(a, b, strict=True)])


@instruction(ARRAY)
def largest(run, a, b, c):
    run.decide(np.argmax(dualad.value(a)) == np.arange(len(a)))
    return np.max(a)


class Program:
    """A drawn program; calling it on (scalar, array) runs it on plain or traced numbers alike."""

    def __init__(self, steps: list[tuple[str, int, int, float]]) -> None:
        self.steps = steps
        self.decisions: list[bytes] = []

    def __repr__(self) -> str:
        return f"Program({self.steps})"

    def decide(self, condition: Any) -> Any:
        """Note which way a comparison went: two points are on the same smooth piece if all went alike."""
        self.decisions.append(np.asarray(condition).tobytes())
        return condition

    def registers(self, s: Any, x: Any) -> tuple[list[Any], list[Any]]:
        self.decisions = []
        scalars, arrays = [s], [x]
        for name, i, j, c in self.steps:
            if name in SCALAR:
                out, kind = SCALAR[name](self, scalars[i % len(scalars)], scalars[j % len(scalars)], c), False
            elif name in ARRAY:
                out = ARRAY[name](self, arrays[i % len(arrays)], arrays[j % len(arrays)], c)
                kind = bool(np.ndim(dualad.value(out)))
            else:
                both = scalars + arrays
                out = EITHER[name](self, both[i % len(both)], both[j % len(both)], c)
                kind = bool(np.ndim(dualad.value(out)))
            (arrays if kind else scalars).append(out if kind or name != "where" else out * 1.0)
        return scalars, arrays

    def scalar(self, s: Any, x: Any) -> Any:
        """A function of rank 0 in which everything computed takes part."""
        scalars, arrays = self.registers(s, x)
        return sum(scalars[1:], 0.5 * scalars[0]) + np.sum(arrays[-1] * np.sin(arrays[-1])) + 0.1 * np.sum(arrays[0])

    def vector(self, s: Any, x: Any) -> Any:
        """A function of rank 1: the last array and the last scalar."""
        scalars, arrays = self.registers(s, x)
        return np.concatenate([arrays[-1] * scalars[-1], np.stack([scalars[-1] + arrays[0][0], scalars[0] * 2.0])])


NAMES = sorted({**SCALAR, **ARRAY, **EITHER})

numbers = st.floats(-1.5, 1.5).map(lambda v: round(v, 3) + 0.0004)  # off the kinks at round numbers
steps = st.tuples(st.sampled_from(NAMES), st.integers(0, 9), st.integers(0, 9), numbers)
programs = st.lists(steps, min_size=1, max_size=9).map(Program)


@st.composite
def points(draw: Any) -> tuple[tuple[float, np.ndarray], tuple[float, np.ndarray]]:
    """A point (s, x) and a direction there; x has 1 to 9 elements."""
    n = draw(st.integers(1, 9))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    return (float(rng.uniform(-1.5, 1.5)), rng.uniform(-1.5, 1.5, n)), (float(rng.normal()), rng.normal(size=n))

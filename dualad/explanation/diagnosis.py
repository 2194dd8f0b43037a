"""`dualad.diagnose`: is a function differentiable at a point? Its directional derivatives are asked, by limits, not by rules.

f is differentiable at x when there is a linear map L with f(x + h) = f(x) + L h + o(|h|) (Frechet). What can be tested, one after
the other: do the one-sided derivatives along +v and -v agree; is v -> D_v f(x) linear (Gateaux); and does the remainder vanish
faster than the step along curves too (x^3 y/(x^4 + y^2) passes the first two at 0 and fails on y = x^2)?
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..api import jvp
from ..tree import flatten, unflatten

__all__ = ["Diagnosis", "Direction", "diagnose"]

#: steps of the difference quotients: 2^-4 ... 2^-18 times the scale of x
_EXPONENTS = range(4, 19)
#: relative difference at which two limits count as different
_TOLERANCE = 1e-5


@dataclass(frozen=True)
class Direction:
    """What happens along one direction.

    Parameters
    ----------
    v : tuple of float
    right, left : float
        One-sided derivatives for h -> 0 from above and from below; nan where there is no limit.
    linear : float
        What the partial derivatives predict, grad f . v.
    """

    v: tuple[float, ...]
    right: float
    left: float
    linear: float


@dataclass(frozen=True)
class Diagnosis:
    """Is f differentiable at a point? True where every test is passed.

    Parameters
    ----------
    defined, continuous : bool
        f has a finite value there, and tends to it along every direction.
    one_sided : bool
        The derivatives along +v and -v agree.
    linear : bool
        v -> D_v f is linear.
    frechet : bool
        The remainder vanishes along curves too.
    partials : tuple of float
        By limits.
    automatic : tuple of float
        What jvp returns along the axes (nan where it fails).
    directions : tuple of Direction
    words : str
        The verdict in a line.
    """

    defined: bool
    continuous: bool
    one_sided: bool
    linear: bool
    frechet: bool
    partials: tuple[float, ...]
    automatic: tuple[float, ...]
    directions: tuple[Direction, ...]
    words: str

    def __bool__(self) -> bool:
        return self.defined and self.continuous and self.one_sided and self.linear and self.frechet

    def __str__(self) -> str:
        yes = {True: "yes", False: "no"}
        lines = [
            self.words,
            f"  continuous: {yes[self.continuous]}; one-sided derivatives agree: {yes[self.one_sided]}; "
            f"v -> D_v f linear: {yes[self.linear]}; remainder vanishes along curves: {yes[self.frechet]}",
            f"  partial derivatives: {_list(self.partials)}; jvp returns {_list(self.automatic)}",
        ]
        for d in self.directions:
            lines.append(f"  v = {_list(d.v)}: from the right {d.right:.6g}, from the left {d.left:.6g}, grad . v = {d.linear:.6g}")
        return "\n".join(lines)


def _list(v: tuple[float, ...]) -> str:
    return f"({', '.join(f'{x:.6g}' for x in v)})"


def diagnose(f: Callable[..., Any], *args: Any, seed: int = 0) -> Diagnosis:
    """Is f differentiable at a point: are its directional derivatives linear in the direction, and do both sides agree?

    Parameters
    ----------
    f : callable
        Returns one number.
    *args : float, array_like or containers of them
        The point.
    seed : int
        Of the random directions.

    Returns
    -------
    Diagnosis
        True where f passes all tests; printing it gives the limits.

    Raises
    ------
    TypeError, ValueError
        The arguments are no finite numbers, or f returns no number.

    Notes
    -----
    Cost: about 60 evaluations of f a direction, and 2 n + 6 directions (axes, diagonals of the first two, random ones). Limits are
    extrapolated from difference quotients: a verdict about numbers, not a proof.

    Examples
    --------
    >>> import dualad
    >>> def f(x, y):
    ...     return y**3 / (x**2 + y**2) if (x, y) != (0.0, 0.0) else 0.0
    >>> d = dualad.diagnose(f, 0.0, 0.0)
    >>> d.one_sided, d.linear
    (True, False)
    >>> print(d.words)
    not differentiable: D_v f is not linear in v: at v = (1, 1) it is 0.5, but grad . v = 1
    """
    if not callable(f):
        raise TypeError(f"diagnose takes a function and a point, not {type(f).__name__}; write diagnose(f, x)")
    if not args:
        raise TypeError("diagnose(f): give the point")
    leaves, structure = flatten(args)
    for leaf in leaves:
        if isinstance(leaf, (bool, str)) or not isinstance(leaf, (int, float, np.ndarray, np.number)):
            raise TypeError(f"diagnose: the point has {type(leaf).__name__} ({leaf!r:.40}) in it, not a number or an array")
    shapes = [np.shape(leaf) for leaf in leaves]
    x0 = np.concatenate([np.ravel(np.asarray(leaf, dtype=float)) for leaf in leaves])
    if not np.all(np.isfinite(x0)):
        raise ValueError(f"diagnose: the point has {x0[~np.isfinite(x0)][0]} in it; give finite numbers")
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])

    def call(z: np.ndarray) -> Any:
        parts = [z[end - int(np.prod(s)) : end].reshape(s) if s else float(z[end - 1]) for end, s in zip(ends, shapes, strict=True)]
        return f(*unflatten(structure, parts))

    def g(z: np.ndarray) -> float:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore", RuntimeWarning)
            try:
                value = call(z)
            except (ZeroDivisionError, OverflowError, ValueError):
                return float("nan")
        if np.size(value) != 1 or isinstance(value, (str, bytes)):
            raise TypeError(f"diagnose: f returned {type(value).__name__} of {np.size(value)} numbers; it must return one")
        return float(np.reshape(value, ()))

    return _examine(g, x0, _automatic(f, structure, x0, ends, shapes), seed)


def _automatic(
    f: Callable[..., Any], structure: Any, x0: np.ndarray, ends: np.ndarray, shapes: list[Any]
) -> tuple[float, ...]:
    """jvp along the axes."""

    def build(z: np.ndarray) -> tuple[Any, ...]:
        parts = [z[end - int(np.prod(s)) : end].reshape(s) if s else float(z[end - 1]) for end, s in zip(ends, shapes, strict=True)]
        out: tuple[Any, ...] = unflatten(structure, parts)
        return out

    found = []
    for one in np.eye(len(x0)):
        try:
            with np.errstate(all="ignore"):
                found.append(float(jvp(f, build(x0), build(one))[1]))
        except (ArithmeticError, ValueError, TypeError, NotImplementedError):
            found.append(float("nan"))
    return tuple(found)


def _examine(g: Callable[[np.ndarray], float], x0: np.ndarray, automatic: tuple[float, ...], seed: int) -> Diagnosis:
    n = len(x0)
    scale = max(1.0, float(np.max(np.abs(x0))))
    f0 = g(x0)
    defined = bool(np.isfinite(f0))
    vectors = [*np.eye(n)]
    for i, j in itertools.islice(itertools.combinations(range(n), 2), 4):
        for s in (1.0, -1.0):
            v = np.zeros(n)
            v[i], v[j] = 1.0, s
            vectors.append(v)
    if n > 1:
        vectors += [*np.random.default_rng(seed).normal(size=(6, n))]
    limits = {k: (_approached(g, x0, v, scale), _approached(g, x0, -v, scale)) for k, v in enumerate(vectors)}
    there = f0
    continuous = defined and all(_tends(values, f0) for pair in limits.values() for values in pair)
    outside = next(
        (
            tuple(map(float, sign * vectors[k]))
            for k, pair in limits.items()
            for sign, values in zip((1.0, -1.0), pair, strict=True)
            if not np.isfinite(values[-1])
        ),
        None,
    )
    if not defined:
        ways = [values[-1] for pair in limits.values() for values in pair if np.isfinite(values[-1])]
        there = float(np.median(ways)) if ways else float("nan")
    sides = [(_one_sided(g, x0, v, there, scale) + 0.0, 0.0 - _one_sided(g, x0, -v, there, scale)) for v in vectors]
    partials = np.array([0.5 * (right + left) if np.isfinite(right) and np.isfinite(left) else np.nan for right, left in sides[:n]])
    directions = tuple(
        Direction(tuple(map(float, v)), right, left, float(v @ partials)) for v, (right, left) in zip(vectors, sides, strict=True)
    )
    one_sided = all(_near(d.right, d.left, 1.0) for d in directions)
    linear = one_sided and all(_near(d.right, d.linear, 1.0) for d in directions)
    curve = _curve(g, x0, partials, there, scale) if linear else None
    frechet = linear and curve is None
    return Diagnosis(
        defined,
        continuous,
        one_sided,
        linear,
        frechet,
        tuple(map(float, partials)),
        automatic,
        directions,
        _verdict(defined, outside, continuous, one_sided, linear, curve, directions, automatic, partials),
    )


def _near(a: float, b: float, scale: float) -> bool:
    if not (np.isfinite(a) and np.isfinite(b)):
        return bool(a == b)
    return bool(abs(a - b) <= _TOLERANCE * (scale + abs(a) + abs(b)))


def _steps(scale: float) -> np.ndarray:
    return scale * 2.0 ** -np.array(_EXPONENTS, dtype=float)


def _approached(g: Callable[[np.ndarray], float], x0: np.ndarray, v: np.ndarray, scale: float) -> list[float]:
    """Values of f along a direction, at ever smaller steps."""
    return [g(x0 + h * v) for h in scale * 10.0 ** -np.arange(6.0, 13.0)]


def _tends(values: list[float], f0: float) -> bool:
    """Do the values tend to f0: are they there, or have they come much nearer?"""
    gaps = [abs(value - f0) for value in values]
    return bool(np.isfinite(gaps[-1]) and (gaps[-1] <= 1e-9 * (1.0 + abs(f0)) or gaps[-1] < 0.3 * gaps[0]))


def _one_sided(g: Callable[[np.ndarray], float], x0: np.ndarray, v: np.ndarray, f0: float, scale: float) -> float:
    """Limit of (f(x + h v) - f(x)) / h for h -> 0 from above, extrapolated by Neville's scheme (Ridders 1982)."""
    steps = _steps(scale)
    quotients = [(g(x0 + h * v) - f0) / h for h in steps]
    best, error = float("nan"), float("inf")
    row: list[float] = []
    for k, q in enumerate(quotients):
        previous, row = row, [q]
        for j in range(1, min(k, 6) + 1):
            factor = 2.0**j
            row.append((factor * row[j - 1] - previous[j - 1]) / (factor - 1.0))
            distance = max(abs(row[j] - row[j - 1]), abs(row[j] - previous[j - 1]))
            if distance < error:
                best, error = row[j], distance
    if np.isfinite(best) and error <= 1e-4 * (1.0 + abs(best)):
        return best
    last = quotients[-1]
    grows = np.isfinite(last) and abs(last) > 1.2 * abs(quotients[-3]) > 0.0
    return float(np.copysign(np.inf, last)) if grows else float("nan")


def _curve(
    g: Callable[[np.ndarray], float], x0: np.ndarray, partials: np.ndarray, f0: float, scale: float
) -> tuple[int, int, float] | None:
    """Axes (v, w) of a curve x + h v + h^2 w along which the remainder does not vanish, and what |remainder| / h tends to."""
    n = len(x0)
    for i, j in itertools.islice(((i, j) for i in range(n) for j in range(n) if i != j), 30):
        for s, t in ((1.0, 1.0), (1.0, -1.0)):
            ratios = []
            for h in scale * np.array([1e-2, 1e-3, 1e-4]):
                step = np.zeros(n)
                step[i], step[j] = s * h, t * h * h / scale
                ratios.append(abs(g(x0 + step) - f0 - partials @ step) / h)
            if ratios[-1] > 1e-6 and ratios[-1] > 0.3 * ratios[0]:
                return i, j, ratios[-1]
    return None


def _verdict(
    defined: bool,
    outside: tuple[float, ...] | None,
    continuous: bool,
    one_sided: bool,
    linear: bool,
    curve: tuple[int, int, float] | None,
    directions: tuple[Direction, ...],
    automatic: tuple[float, ...],
    partials: np.ndarray,
) -> str:
    if not defined:
        return "not differentiable: f has no finite value there" + ("" if not linear else " (its limit could be put in)")
    if outside is not None:
        return f"not differentiable: f has no finite value near the point in the direction {_list(outside)}"
    if not continuous:
        return "not differentiable: f is not continuous there"
    if not one_sided:
        d = next(d for d in directions if not _near(d.right, d.left, 1.0))
        if not (np.isfinite(d.right) or np.isinf(d.right)) or not (np.isfinite(d.left) or np.isinf(d.left)):
            side = "right" if np.isnan(d.right) else "left"
            return f"not differentiable: along v = {_list(d.v)} there is no limit from the {side}"
        return (
            f"not differentiable: along v = {_list(d.v)} the derivative is {d.right:.6g} from the right, {d.left:.6g} from the left"
        )
    if not linear:
        d = next(d for d in directions if not _near(d.right, d.linear, 1.0))
        return (
            f"not differentiable: D_v f is not linear in v: at v = {_list(d.v)} it is {d.right:.6g}, but grad . v = {d.linear:.6g}"
        )
    if curve:
        i, j, ratio = curve
        return (
            f"not differentiable: all directional derivatives are linear in v, but along the curve that leaves along axis {i} and "
            f"bends to axis {j} the remainder is {ratio:.3g} of the step"
        )
    if not all(_near(a, p, 1.0) for a, p in zip(automatic, partials, strict=True)):
        limits = _list(tuple(partials))
        return f"differentiable as far as can be seen, but jvp returns {_list(automatic)} where the limits are {limits}"
    return "differentiable as far as can be seen: the directional derivatives are linear in v, and agree with jvp"

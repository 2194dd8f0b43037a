"""Branches that were decided between equal numbers: the derivatives of the whole function on both sides.

A comparison (``if x >= 0``, Python's ``max``, the mask of ``np.where``) leaves nothing on the tape. So f runs again, once as if the
left side were the smaller one and once as if it were the larger, wherever these two numbers are compared, and the
derivatives of what it returns are set side by side. A branch that is not decided to first order (``if x * x >= 0`` at 0), and one
that guards a formula without a value (``if x == 0``), is looked at a little beside the point.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .._core import Level, Traced
from ..generic import GenericVar, checked_output, plain
from ..kinks import listening, one_sided
from ..pull import pull
from ..rules.elementwise import unbroadcast
from ..rules.margins import CHOICES, COMPARISONS, POINT, Margin
from ..tree import flatten, unflatten
from .building import Built
from .choices import AGREE, Log, Met, flat, last_near, names_of, near_of, snap, text_of
from .program import Kink
from .tracing import Recording, statement

__all__ = ["branch_kinks"]

#: so many branches are looked at from both sides; each costs two runs of f
BRANCHES = 8


class _Forced:
    """A listener that answers one comparison as if its left side were smaller (-1) or larger (1), and leaves the others."""

    def __init__(self, number: int, sign: float, tolerance: float) -> None:
        self.target, self.sign, self.tolerance, self.number = number, sign, tolerance, -1
        self.pair: Any = None

    def row(self, *_: Any) -> None:
        """Nothing."""

    def choice(self, f: Any, args: tuple[Any, ...], kwargs: dict[str, Any], values: tuple[Any, ...], found: Margin) -> Any:
        """The answer, at the one."""
        if f not in CHOICES:
            return None
        self.number += 1
        pair = _pair(f, args)
        if self.number == self.target:
            self.pair = pair
        if self.pair is None or pair not in (self.pair, self.pair[::-1]):
            return None
        sign = self.sign if pair == self.pair else -self.sign  # the same two numbers are in the same order all the way
        operand, _, near = near_of(found, self.tolerance)
        if f in COMPARISONS:
            return np.where(near, f(sign, 0.0), f(*values))[()]
        i = POINT.get(f, 0)
        moved = list(values)
        moved[i] = operand + sign * 4.0 * self.tolerance * np.maximum(1.0, np.abs(operand)) * last_near(near)
        return f(*moved, **kwargs)


def _pair(f: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """What is compared, to be known again."""
    compared = args if f in COMPARISONS else (f, *args)
    return tuple(("traced", x.key) if isinstance(x, GenericVar) else ("plain", np.asarray(plain(x)).tobytes())
                 if isinstance(x, (Traced, float, int, np.ndarray, np.generic)) else ("other", id(x)) for x in compared)


@dataclass(frozen=True)
class _Run:
    """Numbers that f returned, and the gradient of their sum, flat."""

    values: np.ndarray
    gradient: np.ndarray

    def missing(self) -> _Run:
        """What stands for a run that raised an error."""
        return _Run(np.full(self.values.shape, np.nan), np.full(self.gradient.shape, np.nan))

    @property
    def finite(self) -> bool:
        """Is every number finite?"""
        return bool(np.all(np.isfinite(self.values)) and np.all(np.isfinite(self.gradient)))


def _gradient(level: Level, outputs: Sequence[Any], inputs: Sequence[Any]) -> np.ndarray:
    ones = [np.ones(np.shape(plain(y))) if np.shape(plain(y)) else 1.0 for y in outputs]
    with np.errstate(all="ignore"):
        return flat(pull(level, outputs, ones, inputs))


def _run(f: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], argnums: Sequence[int], listener: Any) -> _Run | None:
    level, given, inputs = Level(True, 0, False), list(args), []
    try:
        with level, listening(listener), np.errstate(all="ignore"):
            for i in argnums:
                leaves, structure = flatten(args[i])
                traced = [GenericVar(level, np.array(x) if isinstance(x, np.ndarray) else float(x)) for x in leaves]
                given[i] = unflatten(structure, list(traced))
                inputs += traced
            outputs = [checked_output(y) for y in flatten(f(*given, **kwargs))[0]]
    except Exception:  # the other branch may be there to raise
        return None
    return _Run(flat(outputs), _gradient(level, outputs, inputs))


def branch_kinks(log: Log, recording: Recording, built: Built, f: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any],
                 argnums: Sequence[int], alone: bool) -> list[Kink]:
    """Comparisons between equal numbers, with the derivatives of the whole function on their two sides.

    `alone`: no operation is at a kink; f need not be run again with all of them on one side.
    A comparison of numbers that are only near to each other is left out where both sides agree: the stop of an iteration, say.
    """
    chosen = sorted((met for met in log.met if met.f in CHOICES), key=lambda met: met.distance)[:BRANCHES]
    if not chosen:
        return []
    outputs = [y for y in recording.leaves if isinstance(y, Traced)]
    used = _Run(flat(recording.leaves), _gradient(recording.level, outputs, recording.inputs))
    names = names_of(recording, built)
    alone = alone and len({frozenset(_pair(met.f, met.args)) for met in chosen}) == 1
    found, seen = [], set()
    for met in chosen:
        pair = _pair(met.f, met.args)
        if (pair, met.file, met.line) in seen:
            continue
        seen.add((pair, met.file, met.line))
        same = [other for other in log.met if other.f in CHOICES and _pair(other.f, other.args) in (pair, pair[::-1])]
        first = min(same, key=lambda other: other.number)  # where the two numbers are compared first, f is sent the other way
        order = 1.0 if _pair(first.f, first.args) == pair else -1.0
        ways = (_Forced(first.number, side, log.tolerance) for side in (-order, order))
        below, above = (_run(f, args, kwargs, argnums, way) or used.missing() for way in ways)
        slope = _crossing(met, recording)
        i, sides = _sides(below, above, slope)
        decided = sides is not None and all(side.finite for side in sides)
        if not decided:  # not to first order, or a guard
            sides = _beside(f, args, kwargs, argnums, i, log.tolerance, used)
        if sides is not None:
            kink = _branch(met, used, sides, i, log.tolerance)
            if kink is not None and met.distance == 0.0 and not kink.jumps and not (alone and decided):
                exact = _together(kink, lambda *a: f(*a, **kwargs), _input(args, argnums, i))
                if decided or not _apart(np.array([exact.left, exact.right]), np.array([kink.left, kink.right]), AGREE):
                    kink = exact
            if kink is not None:
                found.append(replace(kink, name=text_of(met, names), formula=text_of(met, names), along=_label(built, i)))
    return sorted(found, key=lambda kink: kink.line)


def _branch(met: Met, used: _Run, sides: tuple[_Run, _Run], i: int, tolerance: float) -> Kink | None:
    """The derivatives on both sides by the i-th input; None for numbers that are not equal where nothing changes."""
    left, right = sides
    close = 1e-10 + 8e3 * tolerance * float(np.max(np.abs([left.gradient, right.gradient])))
    jumps = _apart(left.values, right.values, close) or _apart(used.values, left.values, close)
    agree = not jumps and not _apart(left.gradient, right.gradient, AGREE)
    if agree and met.distance > 0.0:
        return None
    what = _verdict(agree, not _apart(used.gradient, left.gradient, AGREE))
    if any(np.any(np.isnan(side.values)) for side in sides) and not np.any(np.isnan(used.values)):
        what, jumps = "on one side there is no value", False
    elif jumps:
        what = "the value jumps there"
    line, source = statement(met.file, met.line)
    own = float(used.gradient[i])
    return Kink(
        -1,
        "",
        met.f.__name__,
        float(met.operand[met.near][0]),
        met.place,
        own,
        snap(left.gradient[i], own, AGREE),
        snap(right.gradient[i], own, AGREE),
        met.distance,
        jumps,
        int(np.sum(met.near)),
        f"of the branch taken: {what}",
        line=line,
        source=source,
        file=met.file,
    )


def _verdict(agree: bool, used: bool) -> str:
    if not agree:
        return "the derivative of the whole function changes there"
    return "both sides have the same derivative" if used else "both sides have another derivative"


def _together(kink: Kink, f: Callable[..., Any], along: tuple[Any, Any, Callable[[Any], list[Any]]]) -> Kink:
    """The same with every other kink at the point on the same side, where that gives numbers."""
    leaf, direction, put = along

    def g(x: Any) -> Any:
        total: Any = 0.0
        for y in flatten(f(*put(x)))[0]:
            total = total + np.sum(checked_output(y))
        return total

    try:
        left, right = one_sided(g, leaf, direction)
    except Exception:  # the other branch may be there to raise
        return kink
    if not np.isfinite([left, right]).all():
        return kink
    agree = abs(right - left) <= AGREE * (1.0 + min(abs(left), abs(right)))
    words = f"of the branch taken: {_verdict(agree, abs(kink.used - left) <= AGREE * (1.0 + abs(left)))}"
    return replace(kink, left=snap(left, kink.used), right=snap(right, kink.used), convention=words)


def _input(args: Sequence[Any], argnums: Sequence[int], number: int) -> tuple[Any, Any, Callable[[Any], list[Any]]]:
    """The float or array that holds the number-th number of the inputs, that number's direction, the arguments with another one."""
    for i in argnums:
        leaves, structure = flatten(args[i])
        for j, leaf in enumerate(leaves):
            if number < np.size(leaf):
                direction: Any = 1.0
                if np.ndim(leaf):
                    direction = np.zeros(np.shape(leaf))
                    direction[np.unravel_index(number, np.shape(leaf))] = 1.0

                def put(x: Any, i: int = i, j: int = j, leaves: list[Any] = leaves, structure: Any = structure) -> list[Any]:
                    return [*args[:i], unflatten(structure, [*leaves[:j], x, *leaves[j + 1 :]]), *args[i + 1 :]]

                return leaf, direction, put
            number -= np.size(leaf)
    raise IndexError(number)


def _label(built: Built, number: int) -> str:
    """Name of the number-th number of the inputs: x, w[0,2]."""
    for i in built.inputs:
        node = built.nodes[i]
        if number < node.size:
            return f"{node.name}[{','.join(map(str, np.unravel_index(number, node.shape)))}]" if node.shape else node.name
        number -= node.size
    return ""


def _crossing(met: Met, recording: Recording) -> np.ndarray:
    """Gradient of what is compared, left side minus right side, over the elements that are near."""
    sides: Sequence[Any] = (met.args[met.place],)
    shares = last_near(met.near)
    if met.f in COMPARISONS:
        sides, shares = met.args, met.near.astype(float)
    kept = [(x, sign) for x, sign in zip(sides, (1.0, -1.0), strict=False) if getattr(x, "level_id", 0) == recording.level.level_id]
    cts = [unbroadcast(sign * shares, np.shape(x.primal), 0)[()] for x, sign in kept]
    with np.errstate(all="ignore"):
        return flat(pull(recording.level, [x for x, _ in kept], cts, recording.inputs))


def _sides(below: _Run, above: _Run, slope: np.ndarray) -> tuple[int, tuple[_Run, _Run] | None]:
    """Along which input, and the runs to the left and to the right of it."""
    if not np.any(slope):
        return 0, None
    size = np.abs(np.nan_to_num(above.gradient - below.gradient)) * (slope != 0.0)
    i = int(np.argmax(size)) if np.max(size) > 0.0 else int(np.argmax(np.abs(slope)))
    return i, (below, above) if slope[i] > 0.0 else (above, below)


def _beside(f: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], argnums: Sequence[int], i: int, tolerance: float,
            used: _Run) -> tuple[_Run, _Run]:
    """f a little to the left and to the right."""
    leaf, direction, put = _input(args, argnums, i)
    step = 1e3 * max(tolerance, 1e-10) * max(1.0, float(np.max(np.abs(leaf * direction))))
    points = (put(leaf + sign * step * direction) for sign in (-1.0, 1.0))
    left, right = (_run(f, point, kwargs, argnums, Log(0.0)) or used.missing() for point in points)
    return left, right


def _apart(a: np.ndarray, b: np.ndarray, tolerance: float) -> bool:
    if a.shape != b.shape:
        return True
    same = (a == b) | (np.isnan(a) & np.isnan(b)) | (np.abs(a - b) <= tolerance * (1.0 + np.minimum(np.abs(a), np.abs(b))))
    return not np.all(same)

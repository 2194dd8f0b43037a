"""What a function chooses while it runs: reductions with ties, sorts, comparisons.

An elementwise operation at a kink is found by asking its own rule on both sides (:mod:`.kinks`). A maximum, a sort, a median picks
elements, and what it would pick a little further on is asked here: the derivative along one element of the operand, on either
side. Branches are in :mod:`.branches`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._core import Traced
from ..api import jvp
from ..generic import GenericVar, plain
from ..kinks import caller
from ..pull import pushforward
from ..rules.margins import CHOICES, COMPARISONS, MARGINS, POINT, Margin
from ..tree import flatten
from .algebra import constant_text
from .building import Built, operation_name
from .formulas import call_formula
from .program import Kink
from .tracing import Recording, statement

__all__ = ["AGREE", "Log", "Met", "choice_kinks", "flat", "last_near", "names_of", "near_of", "snap", "text_of", "values_of"]

#: so many elements of an operand are tried, until one is found along which the derivative changes
TRIED = 16
#: formulas of values that are no rows are written up to this length
LONGEST = 40
#: derivatives that differ by less than this, relatively, agree
AGREE = 1e-3
_WHY = {
    "max": "ties share evenly",
    "min": "ties share evenly",
    "sort": "the element that was put there",
    "median": "equal elements keep their order",
    "norm": "0, the middle of the unit ball",
    "std": "0, as the norm",
    "interp": "the slope to the right",
    "round": "locally constant",
}
#: functions that are called alike in the report
_FAMILY = {
    np.amax: "max",
    np.nanmax: "max",
    np.amin: "min",
    np.nanmin: "min",
    np.around: "round",
    np.nanstd: "std",
    np.quantile: "median",
    np.percentile: "median",
    np.linalg.vector_norm: "norm",
    np.linalg.matrix_norm: "norm",
}


@dataclass
class Met:
    """A choice that was near to another one."""

    f: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    operand: np.ndarray
    margin: np.ndarray
    near: np.ndarray
    result: Any
    number: int
    file: str
    line: int

    @property
    def place(self) -> int:
        """Which argument is looked at."""
        return POINT.get(self.f, 0)

    @property
    def distance(self) -> float:
        """To the next other choice."""
        return float(np.min(self.margin[self.near]))


def near_of(found: Margin, tolerance: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Operand and margins, and where the margin is within the tolerance (relative to the operand where that is larger than 1)."""
    operand, margin = np.broadcast_arrays(*(np.asarray(a, dtype=float) for a in found))
    return operand, margin, np.isfinite(operand) & (margin <= tolerance * np.maximum(1.0, np.abs(operand)))


class Log:
    """A listener that writes down the choices that were near to another one.

    Parameters
    ----------
    tolerance : float
        How near counts, relative to the operand where that is larger than 1.
    """

    def __init__(self, tolerance: float) -> None:
        self.tolerance, self.number = tolerance, -1
        self.met: list[Met] = []

    def row(self, *_: Any) -> None:
        """Elementwise operations are asked later."""

    def choice(self, f: Any, args: tuple[Any, ...], kwargs: dict[str, Any], values: tuple[Any, ...], found: Margin) -> Any:
        """Note a choice, and let it be made."""
        if f in CHOICES:
            self.number += 1
        operand, margin, near = near_of(found, self.tolerance)
        if not np.any(near):
            return None
        result = f(*args, **kwargs)
        self.met.append(Met(f, args, kwargs, operand, margin, near, result, self.number, *caller()))
        return result


def choice_kinks(log: Log, recording: Recording, built: Built) -> Iterator[Kink]:
    """Kinks of functions of whole arrays that the result depends on."""
    met_here = [met for met in log.met if met.f in MARGINS]
    names = names_of(recording, built) if met_here else {}
    made = {x.key: i for i, x in enumerate(values_of(recording, built))}
    for met in met_here:
        outputs = [o for o in (met.result if isinstance(met.result, tuple) else (met.result,)) if isinstance(o, GenericVar)]
        kept = [i for i, o in enumerate(outputs) if o.key in made]  # of eigh, say, the eigenvalues alone
        node = made[outputs[kept[0]].key] if kept else -1
        text = text_of(met, names)
        if node >= 0:
            text = f"{built.nodes[node].name} = {text}"
        elif outputs and _reaches(recording, outputs):  # no row of its own: the sort of a sorted array
            node = made.get(getattr(met.args[0], "key", -1), -1) if met.args else -1
        if node >= 0:
            kink = _choice(met, built, node, log.tolerance, text, kept)
            if kink is not None:
                yield kink


def _reaches(recording: Recording, values: Sequence[Any]) -> bool:
    """Does anything that f returned depend on these?"""
    ones = [np.ones(np.shape(v.primal)) if np.shape(v.primal) else 1.0 for v in values]
    ends = [y for y in recording.leaves if isinstance(y, Traced)]
    with np.errstate(all="ignore"):
        return any(t is not None for t in pushforward(recording.level, values, ones, ends))


def _choice(met: Met, built: Built, node: int, tolerance: float, text: str, kept: Sequence[int]) -> Kink | None:
    """The element along which the derivative changes most."""
    args = tuple(plain(a) for a in met.args)
    if not args:
        return None
    x = np.asarray(args[0], dtype=float)

    def along(point: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        def f(y: Any) -> Any:
            result = met.f(y, *args[1:], **met.kwargs)
            return tuple(result[i] for i in kept) if isinstance(result, tuple) else result

        with np.errstate(all="ignore"):
            parts = jvp(f, (point,), (v,))
        value, slope = (np.concatenate([np.ravel(plain(y)) for y in flatten(part)[0]]) for part in parts)
        return value, slope

    best: tuple[float, Any] = (-1.0, None)
    for place in np.argwhere(met.near)[:TRIED]:
        at = tuple(place)
        v = np.zeros(x.shape)
        v[at] = 1.0
        step = 2.0 * tolerance * max(1.0, abs(float(x[at])))
        try:
            (low, left), (_, used), (high, right) = (along(x + s * step * v, v) for s in (-1.0, 0.0, 1.0))
        except (ValueError, TypeError, NotImplementedError, np.linalg.LinAlgError):
            return None
        with np.errstate(all="ignore"):
            gap, jump = np.abs(right - left), np.abs(high - low) - 4.0 * step * (1.0 + np.abs(left) + np.abs(right))
        for size, jumps in ((gap, False), (jump, True)):
            i = int(np.nanargmax(np.append(size, 0.0))) if size.size else 0
            if i < size.size and size[i] > max(best[0], 0.0 if jumps else AGREE):
                best = (float(size[i]), (float(x[at]), float(used[i]), snap(left[i], used[i]), snap(right[i], used[i]), jumps))
    if best[1] is None:
        return None
    value, slope, left_, right_, jumps = best[1]
    name = _FAMILY.get(met.f, met.f.__name__)
    why = _WHY.get(name, "")
    if name == "norm" and slope != 0.0:
        why = ""
    shown = built.nodes[node]
    line, source = statement(met.file, met.line)
    return Kink(
        node,
        shown.name,
        met.f.__name__,
        value,
        0,
        slope,
        left_,
        right_,
        met.distance,
        jumps,
        int(np.sum(met.near)),
        f"{why or 'the value of the rule there'}: {slope:.6g}",
        text,
        line,
        source,
        met.file,
    )


def snap(side: float, used: float, tolerance: float = 1e-6) -> float:
    """A side that is the derivative that was used, but for the step to it."""
    return float(used if abs(side - used) <= tolerance * (1.0 + abs(used)) else side)


def names_of(recording: Recording, built: Built) -> dict[int, str]:
    """Key of a value -> what it is called; what no output depends on is called by its formula, if that is short."""
    names = {x.key: node.name for x, node in zip(values_of(recording, built), built.nodes, strict=True)}
    for call in recording.level.calls:
        texts = [constant_text(v) if x is None else names.get(x.key, "") for x, v in zip(call.inputs, call.values, strict=True)]
        for i, out in enumerate(call.outputs):
            if not isinstance(out, GenericVar) or out.key in names:
                continue
            if out.key in recording.names:
                names[out.key] = recording.names[out.key][1]
            elif all(texts):
                operation = operation_name(call)
                where = ", ".join(map(str, np.unravel_index(i, np.shape(call.values[0])))) if operation == "element" else ""
                text = f"{texts[0]}[{where}]" if where else call_formula(operation, texts)
                if len(text) <= LONGEST and (call.single or where):
                    names[out.key] = text
    return names


def values_of(recording: Recording, built: Built) -> Iterator[Any]:
    """The traced value of every node."""
    for i, operation in enumerate(built.operations):
        yield recording.inputs[i] if operation.call is None else operation.call.outputs[operation.place]


def flat(parts: Sequence[Any]) -> np.ndarray:
    """All numbers of some values, one after the other."""
    return np.concatenate([np.ravel(np.asarray(plain(p), dtype=float)) for p in parts]) if len(parts) else np.zeros(0)


def last_near(near: np.ndarray) -> np.ndarray:
    """1 at the last element that is near, else 0."""
    one = np.zeros(near.shape)
    if near.any():
        one[tuple(np.argwhere(near)[-1])] = 1.0
    return one


def text_of(met: Met, names: dict[int, str]) -> str:
    """The comparison over the names of the program."""

    def shown(x: Any) -> str:
        if isinstance(x, GenericVar) and x.key in names:
            return names[x.key]
        x = plain(x)
        return f"{float(x):.6g}" if not np.ndim(x) else f"array {np.shape(x)}"

    if met.f in COMPARISONS:
        return f"{shown(met.args[0])} {COMPARISONS[met.f]} {shown(met.args[1])}"
    return f"{met.f.__name__}({', '.join(shown(a) for a in met.args if isinstance(a, (Traced, float, np.ndarray)))})"

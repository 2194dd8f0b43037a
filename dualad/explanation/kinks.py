"""Kinks: operations evaluated at, or within a tolerance of, a point where they have no derivative.

Nothing here lists kinks. Each operation's own rule is asked a little to the left and a little to the right of its operand: where
the two slopes (or values) differ by more than a smooth function's could, there is a kink between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..rules.elementwise import MATH_PRIMITIVES, ROWS, UFUNC_PRIMITIVES
from ..rules.margins import MARGINS
from .building import Built
from .choices import Log, choice_kinks
from .program import Kink
from .tracing import Recording

__all__ = ["find_kinks"]

#: operations that cannot have a kink, and would only cost time
_SMOOTH = {name for name, row in ROWS.items() if row["cls"] in ("ADD", "MOVE")} | {
    "multiply",
    "square",
    "exp",
    "sin",
    "cos",
    "sum",
    "matmul",
    "dot",
    "pick",
    "elements",
    "where",
    "tanh",
    "product",
    "cumsum",
}
#: primitives of functions that are listened to while f runs
_HEARD = {f.__name__ for f in MARGINS} | {"quantile"}
#: why the derivative of a row of the table is the one it is
_WHY = {
    "absolute": "the middle of the one-sided derivatives",
    "fabs": "the middle of the one-sided derivatives",
    "maximum": "a tie is split evenly",
    "minimum": "a tie is split evenly",
    "fmax": "a tie is split evenly",
    "fmin": "a tie is split evenly",
    "hypot": "0, as the norm",
    "sqrt": "the limit from the right",
    "log": "the limit from the right",
    "cbrt": "the limit",
    "sign": "locally constant",
    "floor": "locally constant",
    "ceil": "locally constant",
    "trunc": "locally constant",
    "rint": "locally constant",
    "heaviside": "locally constant",
    "floor_divide": "locally constant",
}


def find_kinks(built: Built, recording: Recording, log: Log) -> tuple[Kink, ...]:
    """All kinks of the operations of a program, in its order.

    Parameters
    ----------
    built : Built
    recording : Recording
    log : Log
        What was heard while f ran; its tolerance says how near counts, relative to the operand where that is larger than 1.
    """
    found = list(choice_kinks(log, recording, built))
    for node, operation in zip(built.nodes, built.operations, strict=True):
        name = operation.call.primitive.name.removeprefix("math.") if operation.call is not None else ""
        if not name or name in _SMOOTH or name in _HEARD:
            continue
        look = _elementwise if name in ROWS else _other
        for place, operand in enumerate(operation.operands):
            kink = None if operand is None else look(node.index, node.name, name, operation, place, log.tolerance)
            if kink is not None:
                text = f"{node.name} = {node.formula}"
                found.append(replace(kink, formula=text, line=node.line, source=node.source, file=node.file))
    return tuple(sorted(found, key=lambda kink: kink.node))


def _elementwise(index: int, node: str, name: str, operation: Any, place: int, tolerance: float) -> Kink | None:
    call = operation.call
    x = np.asarray(call.values[place], dtype=float)
    step = tolerance * np.maximum(1.0, np.abs(x))
    with np.errstate(all="ignore"):
        sides = [_slope(call, place, x + s * step) for s in (-1.0, 1.0)]
        (below, left), (above, right) = sides
        _, used = _slope(call, place, x)
        at = np.abs(np.nan_to_num(left)) + np.abs(np.nan_to_num(right))
        bent = np.abs(right - left) > 1e-3 * (1.0 + np.minimum(np.abs(left), np.abs(right)))
        bent |= np.isnan(left) != np.isnan(right)
        bent |= np.isinf(used)
        jumps = np.abs(above - below) > 4.0 * step * (at + 1.0)  # a smooth function moves by 2 step slope
        jumps &= np.isfinite(above) & np.isfinite(below)
    hit = np.broadcast_to(bent | jumps, np.shape(call.out)).copy()
    for value in call.values:  # what has overflowed before is no kink
        if np.asarray(value).dtype.kind == "f":
            hit &= np.isfinite(np.asarray(value))
    if not hit.any():
        return None
    where = tuple(np.argwhere(hit)[0]) if hit.ndim else ()

    def pick(a: Any) -> float:
        return float(np.broadcast_to(a, np.shape(call.out))[where])

    value, slope = pick(x), pick(used)
    lower, upper = (slope if abs(pick(side) - slope) <= 1e-3 * (1.0 + abs(slope)) else pick(side) for side in (left, right))
    if np.isinf(slope):  # beside an infinite slope the sides are only large
        lower, upper = (slope if abs(s) > 1e3 or np.isinf(s) else s for s in (lower, upper))
    distance = _distance(call, place, value, x, where, step)
    return Kink(
        index,
        node,
        name,
        value,
        place,
        slope,
        lower,
        upper,
        distance,
        bool(pick(jumps)),
        int(hit.sum()),
        f"{_why(name, call)}: {slope:.6g}",
    )


def _why(name: str, call: Any) -> str:
    own = ROWS[name]["cls"] != "SELECT" or call.primitive in (*UFUNC_PRIMITIVES.values(), *MATH_PRIMITIVES.values())
    return _WHY.get(name, "the value of the rule there") if own else "chosen with kinks(...)"


def _distance(call: Any, place: int, value: float, x: np.ndarray, where: tuple[int, ...], step: np.ndarray) -> float:
    """How far the kink is, by bisection of the interval in which the slope changes; 0 where it is at the value itself."""
    width = float(np.broadcast_to(step, np.shape(call.out))[where]) if where else float(np.max(step))

    def state(offset: float) -> tuple[float, float]:
        moved = np.array(x, dtype=float)
        moved = np.broadcast_to(moved, np.shape(call.out)).copy() if where else moved
        if where:
            moved[where] = value + offset
        else:
            moved = np.asarray(value + offset)
        with np.errstate(all="ignore"):
            out, slope = _slope(call, place, moved)
        shape = np.shape(call.out)
        return float(np.broadcast_to(out, shape)[where]), float(np.broadcast_to(slope, shape)[where])

    def differs(a: tuple[float, float], b: tuple[float, float]) -> bool:
        return any(np.isnan(p) != np.isnan(q) or abs(p - q) > 1e-3 * (1.0 + min(abs(p), abs(q))) for p, q in zip(a, b, strict=True))

    here = state(0.0)
    if np.isinf(here[1]):
        return 0.0
    if differs(here, state(np.nextafter(value, np.inf) - value)) or differs(here, state(np.nextafter(value, -np.inf) - value)):
        return 0.0
    for sign in (1.0, -1.0):
        near, far = 0.0, sign * width
        if differs(here, state(far)):
            for _ in range(60):
                middle = 0.5 * (near + far)
                near, far = (near, middle) if differs(here, state(middle)) else (middle, far)
            return abs(far)
    return 0.0


def _slope(call: Any, place: int, x: np.ndarray) -> tuple[Any, Any]:
    """Value and elementwise partial of an operation with another number for one operand."""
    values = list(call.values)
    values[place] = x if x.ndim else float(x)
    out = call.primitive.impl(*values)
    ones = np.ones(np.shape(x)) if x.ndim else 1.0
    tangents = [ones if i == place else None for i in range(len(values))]
    return out, call.primitive.push(tangents, values, out, 0, call.params)


def _other(index: int, node: str, name: str, operation: Any, place: int, tolerance: float) -> Kink | None:
    """An operation that is no row of the table and is not listened to: asked along one direction through its operand."""
    call = operation.call
    x = np.asarray(call.values[place], dtype=float)
    if not call.single or not x.size:
        return None
    direction = np.cos(1.0 + np.arange(x.size, dtype=float)).reshape(x.shape)
    scale = tolerance * max(1.0, float(np.max(np.abs(x))))
    try:
        with np.errstate(all="ignore"):
            (_, left), (_, used), (_, right) = (_along(call, place, x + s * scale * direction, direction) for s in (-1.0, 0.0, 1.0))
    except (ValueError, TypeError, NotImplementedError, np.linalg.LinAlgError):
        return None
    gap = float(np.max(np.abs(np.asarray(right) - np.asarray(left)), initial=0.0))
    size = float(np.max(np.abs(right), initial=0.0)) + float(np.max(np.abs(left), initial=0.0))
    if not gap > 1e-3 * (1e-6 + size):
        return None
    flat = [float(np.ravel(a)[int(np.argmax(np.abs(np.ravel(right) - np.ravel(left))))]) for a in (left, used, right)]
    return Kink(
        index,
        node,
        name,
        float(np.ravel(x)[0]),
        place,
        flat[1],
        flat[0],
        flat[2],
        0.0,
        False,
        1,
        "the value of the rule there (along a direction)",
    )


def _along(call: Any, place: int, x: np.ndarray, direction: np.ndarray) -> tuple[Any, Any]:
    values = list(call.values)
    values[place] = x
    out = call.primitive.impl(*values, **call.params)
    tangents: Sequence[Any] = [direction if i == place else None for i in range(len(values))]
    return out, call.primitive.push(tangents, values, out, 0, call.params)

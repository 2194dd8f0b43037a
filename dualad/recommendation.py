"""Which mode for my function: f is recorded once, its operations are counted, and both modes are priced and predicted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from . import _core
from .arguments import Selection, check_callable
from .cost import DEFAULT, Operations, Weights
from .jacobians import chunk_size, explain, plan
from .prediction import Counters, counters, sweep_times
from .reverse import Recording, record

__all__ = ["Prediction", "Recommendation", "recommend"]

#: bytes of a number
NUMBER = 8


class RunConstants(NamedTuple):
    """Nanoseconds of the parts of one run of f.

    Attributes
    ----------
    start : float
        The run itself.
    scalar, array, call : float
        An operation on scalars, on arrays, a Python rule.
    slot, product : float
        As ``lane`` and ``product`` of a sweep.
    """

    start: float
    scalar: float
    array: float
    call: float
    slot: float
    product: float


#: measured as the constants of dualad.prediction
VALUE = RunConstants(start=240.0, scalar=67.0, array=610.0, call=3900.0, slot=2.5, product=0.03)
RECORDING = RunConstants(start=2900.0, scalar=111.0, array=1260.0, call=10600.0, slot=2.3, product=0.05)


@dataclass(frozen=True)
class Prediction:
    """What a Jacobian is predicted to cost in one mode.

    Parameters
    ----------
    operations : float
        Counted operations at the weights of the recommendation: the same number on every machine.
    time : float
        Predicted time in units of one value of f.
    memory : int
        Bytes of the recording, of the tangents or adjoints of one chunk, and of the Jacobian.
    """

    operations: float
    time: float
    memory: int


@dataclass(frozen=True)
class Recommendation:
    """Which mode a Jacobian should take, and what either costs; made by :func:`recommend`, printed as a table.

    Parameters
    ----------
    mode : {"forward", "reverse"}
        What ``jacobian(f)`` takes.
    reason : str
        One sentence.
    forward, reverse : Prediction
    inputs, outputs : int
    value : Operations
        Counted operations of one value of f.
    weights : Weights
    """

    mode: str
    reason: str
    forward: Prediction
    reverse: Prediction
    inputs: int
    outputs: int
    value: Operations
    weights: Weights = DEFAULT

    def __str__(self) -> str:
        one = self.value.value(self.weights)
        rows = [("", "operations", "of one value", "predicted time", "memory")]
        for name, cost in (("forward", self.forward), ("reverse", self.reverse)):
            share = _short(cost.operations / one) if one else "-"
            rows.append((name, f"{cost.operations:,.0f}", share, f"{_short(cost.time)} values", _bytes(cost.memory)))
        widths = [max(len(row[i]) for row in rows) for i in range(5)]
        lines = ["  ".join([row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))])
                 for row in rows]  # fmt: skip
        if self.value.calls:
            lines.append(f"not counted: {self.value.calls} call{'s' * (self.value.calls != 1)} of Python rules (linear algebra, "
                         "custom rules) in one value")  # fmt: skip
        return "\n".join([f"{self.mode}: {self.reason}", *lines, f"prices: {self.weights}"])


def recommend(f: Callable[..., Any], *args: Any, argnums: int | Sequence[int] = 0, weights: Weights = DEFAULT) -> Recommendation:
    """Say which mode the Jacobian of f should take, what either costs, and why.

    Parameters
    ----------
    f : callable
        As for :func:`dualad.jacobian`.
    *args : float, array or container of them
        The point.
    argnums : int or tuple of int
        Positional arguments to differentiate with respect to.
    weights : Weights
        Prices of the counted operations.

    Returns
    -------
    Recommendation
        Printing it gives the reason and a table.

    Raises
    ------
    TypeError
        When an argument has no derivative, when f records nothing that can be counted (float32, or inside another
        transformation).

    Notes
    -----
    Cost: one recording of f; nothing is swept and nothing is timed. Operations follow the cost model of Griewank and Walther
    (2008, sections 3.2 and 4.6): forward pays a tangent of every operation for every input, reverse an adjoint for every
    output. The predicted time multiplies what the tape counts by constants measured once on one machine
    (:mod:`dualad.prediction`): take it as a guide, to a factor of two or so. ``jacobian(f)`` decides by the same numbers.

    References
    ----------
    A. Griewank and A. Walther, *Evaluating Derivatives*, 2nd ed., SIAM, 2008.

    Examples
    --------
    >>> import numpy as np, dualad
    >>> advice = dualad.recommend(lambda x: np.sum(np.sin(x) * x), np.ones(1000))
    >>> advice.mode, advice.forward.operations, advice.reverse.operations
    ('reverse', 15007996, 40988)
    """
    check_callable(f, "recommend")
    chosen = Selection("recommend", argnums, args, {})
    recording = record(f, chosen.leaves, chosen.call)
    level = recording.level
    if not level.plain:
        raise TypeError("recommend counts a recording of float64: pass float64 arguments (x.astype(float)), and call it outside of "
                        "grad, jvp and the other transformations")  # fmt: skip
    n, m, *_ = planned = plan(recording, chosen.leaves)
    mode, reason = explain(recording, chosen.leaves)
    value = Operations.from_histogram(_core.histogram(level))
    one, tangent, gradient = value.value(weights), value.tangent(weights), value.gradient(weights)
    base, recorded = _run_times(recording, n, len(chosen.leaves))
    forward_time, reverse_time = ((recorded + t) / base for t in sweep_times(level, planned))
    lanes, lanes_back = chunk_size(n, level.slots), chunk_size(planned[3][1], level.slots)
    result = n * m * NUMBER
    return Recommendation(
        "forward" if mode == "fwd" else "reverse",
        reason,
        Prediction(one + n * (tangent - one), forward_time, level.nbytes + level.slots * lanes * NUMBER + result),
        Prediction(one + m * (gradient - one), reverse_time, level.nbytes + level.slots * lanes_back * NUMBER + result),
        n,
        m,
        value,
        weights,
    )


def run_time(constants: RunConstants, tape: Counters, scalars: int, arrays: int) -> float:
    """Predicted nanoseconds of one run of f, plain or recorded, of so many operations on scalars and on arrays."""
    return (constants.start + scalars * constants.scalar + arrays * constants.array + tape.calls * constants.call
            + tape.slots * constants.slot + tape.products * constants.product)  # fmt: skip


def _run_times(recording: Recording, inputs: int, leaves: int) -> tuple[float, float]:
    """Predicted nanoseconds of one value of f and of its recording."""
    level = recording.level
    tape = counters(level, inputs)
    entries = max(level.nodes - leaves - tape.calls, 0)
    scalars = entries
    if level.nodes <= LISTED:
        scalars = sum(not shape and name not in ARRAY_ENTRIES for name, _, _, shape, _, _ in _core.entries(level))
    return run_time(VALUE, tape, scalars, entries - scalars), run_time(RECORDING, tape, scalars, entries - scalars)


#: recordings with more entries are taken for loops over scalars, not listed one by one
LISTED = 100_000
#: entries that are no operation on scalars though their shape may be ()
ARRAY_ENTRIES = frozenset({"input", "call", "sum", "pick", "where", "matmul"})


def _short(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.2g}"


def _bytes(number: int) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return f"{number} B"

"""The reverse sweep: runs of C over the tape of floats, broken by the Python pullbacks of calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ._core import Level, Sweep, Traced
from .generic import GenericVar, dtype_of, in_slots, shape_of

__all__ = ["pull"]


def pull(level: Level, outputs: Sequence[Any], cotangents: Sequence[Any], inputs: Sequence[Any], lanes: int = 0) -> list[Any]:
    """Cotangents of the inputs.

    Parameters
    ----------
    level : Level
        A reverse level; closed is fine.
    outputs, cotangents : sequences of equal length
        Outputs that are not traced at this level are skipped; a cotangent has the shape of its output, with a leading axis
        of length `lanes` when lanes > 0.
    inputs : sequence of traced values
    lanes : int

    Returns
    -------
    list
        One cotangent an input, with the lanes.

    Notes
    -----
    One sweep for all lanes: each operation's partials are computed once.
    """
    sweep = Sweep(level, lanes)
    sweep.start_reverse()
    external: dict[int, Any] = {}
    number = level.level_id

    def add(x: Any, g: Any) -> None:
        if in_slots(x):
            sweep.add(x, g)
        else:
            old = external.get(x.key)
            external[x.key] = g if old is None else old + g

    def read(x: Any) -> Any:
        if not (isinstance(x, Traced) and x.level_id == number):
            return None
        if not in_slots(x):
            return external.get(x.key)
        view = sweep.at(x)
        return view if np.any((view != 0.0) | ~np.signbit(view)) else None

    for out, ct in zip(outputs, cotangents, strict=True):
        if isinstance(out, Traced) and out.level_id == number and ct is not None:
            add(out, ct)
    while (call := sweep.reverse()) is not None:
        cts = [read(o) for o in call.outputs]
        if all(c is None for c in cts):
            continue
        for x in call.outputs:  # an external adjoint is not needed again: give its memory back
            if type(x) is GenericVar:
                external.pop(x.key, None)
        _pull_call(call, cts, lanes, add)
    if level.plain:  # inputs are in slots
        return [sweep.copy(x) for x in inputs]
    lead = (lanes,) if lanes else ()
    found = [(x, external.get(x.key)) for x in inputs]
    return [np.zeros((*lead, *shape_of(x)), dtype_of(x)) if g is None else g + 0.0 for x, g in found]


def _pull_call(call: Any, cts: list[Any], lanes: int, add: Callable[[Any, Any], None]) -> None:
    ct = cts[0] if call.single else tuple(cts)
    needs = [x is not None for x in call.inputs]
    if call.single and type(ct) is np.ndarray and ct.ndim == 0:
        ct = ct[()]
    grads = call.primitive.vjp(ct, call.values, call.out, needs, lanes, **call.params)
    for x, g in zip(call.inputs, grads, strict=True):
        if x is not None and g is not None:
            add(x, g)


def pushforward(level: Level, inputs: Sequence[Any], tangents: Sequence[Any], outputs: Sequence[Any], lanes: int = 0) -> list[Any]:
    """Tangents of the outputs, by one forward sweep over the recording.

    Parameters
    ----------
    level : Level
    inputs, tangents : sequences of equal length
    outputs : sequence
    lanes : int
        As in :func:`pull`.

    Returns
    -------
    list
        One tangent an output, with the lanes; None for an output that is not traced at this level.
    """
    sweep = Sweep(level, lanes)
    sweep.start_forward()
    external: dict[int, Any] = {}
    number = level.level_id

    def write(x: Any, t: Any) -> None:
        if in_slots(x):
            sweep.at(x)[...] = t
        elif isinstance(x, GenericVar):
            external[x.key] = t

    def read(x: Any) -> Any:
        if not (isinstance(x, Traced) and x.level_id == number):
            return None
        return sweep.at(x) if in_slots(x) else external.get(x.key)

    for x, t in zip(inputs, tangents, strict=True):
        write(x, t)
    while (call := sweep.forward()) is not None:
        ts = [read(x) for x in call.inputs]
        if all(t is None for t in ts):
            for x in call.outputs:
                if in_slots(x):
                    write(x, 0.0)
            continue
        out = call.primitive.push(ts, call.values, call.out, lanes, call.params)
        for x, t in zip(call.outputs, [out] if call.single else out, strict=True):
            if t is not None:
                write(x, t)
            elif in_slots(x):
                write(x, 0.0)
    results = []
    for x in outputs:
        t = read(x)
        results.append(t + 0.0 if t is not None else None)
    return results

"""A function that reverse mode runs again: it stores the leaves it was given, and makes the tape when it sweeps it.

At the highest level among its leaves an :class:`Again` is one call entry (reverse mode) or simply runs (forward mode); the
payloads go through it again one level down. Its pullback and its tangent are an Again of their own, so that an outer
reverse level stores inputs only, too::

    forward   Again(f)(x)     f runs on payloads                 tape: x, f(x)
    pullback  record f at x, sweep its tape with the cotangent   tape: gone afterwards
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import _core
from ._core import Level, Traced, _NeedsGenericTape, top_level
from .api import Pullback
from .forward import push, zero_like
from .generic import lower, plain, tangent_of, wrap_forward
from .pull import pull
from .reverse import Recording, record
from .rules.primitive import Primitive, bind

__all__ = ["Again", "is_inexact", "own", "pulled"]


class Again:
    """A function of leaves whose reverse mode stores the leaves, not the tape.

    Parameters
    ----------
    name : str
        For messages.
    run : callable
        List of leaves -> sequence of leaves; the plain program. A subclass may have it as a method instead.
    """

    def __init__(self, name: str, run: Callable[[list[Any]], Sequence[Any]] | None = None) -> None:
        self.name = name
        self._run = run

    def run(self, leaves: list[Any]) -> Sequence[Any]:
        """Outputs of the plain program."""
        assert self._run is not None
        return self._run(leaves)

    def start(self, leaves: list[Any]) -> tuple[Sequence[Any], Any]:
        """Values at plain leaves, and what the pullback may use once (here: nothing)."""
        return self.run(leaves), None

    def sweep(self, primals: Sequence[Any], cts: Sequence[Any], needs: Sequence[bool], lanes: int, kept: Any,
              known: Sequence[Any] | None) -> list[Any]:
        """Cotangents of the needed primals (None for the others), for cotangents of the outputs (None: no contribution).

        `known` are the outputs of an earlier run, where there are any.
        """
        given = [i for i, c in enumerate(cts) if c is not None]
        tape, _ = self.record(primals, needs, given, known)
        grads = iter(pulled(tape, [cts[i] for i in given], lanes))
        return [next(grads) if need else None for need in needs]

    def record(self, primals: Sequence[Any], needs: Sequence[bool], given: list[int], known: Sequence[Any] | None = None,
               ) -> tuple[Recording, list[Any]]:
        """A recording as a function of the needed primals, its outputs those in `given`; and all outputs.

        An empty `given` is filled with the outputs that are floats.
        """
        every: list[Any] = []

        def f(*moving: Any) -> tuple[Any, ...]:
            rest = iter(moving)
            every[:] = self.run([next(rest) if need else x for x, need in zip(primals, needs, strict=True)])
            if known is not None and not (len(every) == len(known) and all(map(_same, every, known))):
                raise RuntimeError(f"{self.name} gave other values when it ran again for the derivative; what it returns may "
                                   "depend on its arguments only: draw random numbers outside, and leave what it reads as it was")
            if not given:
                given[:] = [i for i, o in enumerate(every) if is_inexact(o)]
            return tuple(every[i] for i in given)

        return _recorded(f, [x for x, need in zip(primals, needs, strict=True) if need]), every

    def __call__(self, leaves: Sequence[Any]) -> Sequence[Any]:
        """Output leaves, of any levels."""
        leaves = list(leaves)
        level = top_level(leaves)
        if level is None:
            return self.run(leaves)
        if level.reverse:
            return self._entry(level, leaves)
        if not any(_on_a_tape(x) for x in leaves):
            return self.run(leaves)
        number = level.level_id
        tangents = [tangent_of(x, number) for x in leaves]
        outs, results = self.tangent([lower(x, number) for x in leaves], tangents, level.lanes)
        self._check(number, [*outs, *results])
        return [o if t is None else wrap_forward(level, o, t) for o, t in zip(outs, results, strict=True)]

    def tangent(self, primals: Sequence[Any], tangents: Sequence[Any], lanes: int) -> tuple[Sequence[Any], Sequence[Any]]:
        """Outputs and their tangents (None for an output that is no float)."""
        n = len(primals)
        moving = [i for i, t in enumerate(tangents) if t is not None]
        every: list[Any] = []

        def call(xs: list[Any]) -> tuple[Any, ...]:
            every[:] = self.run(xs)
            return tuple(o for o in every if is_inexact(o))

        def forward(leaves: list[Any]) -> list[Any]:
            full: list[Any] = [None] * n
            for i, t in zip(moving, leaves[n:], strict=True):
                full[i] = t
            outs, results, _ = push(leaves[:n], full, call, lanes)
            rest = iter(outs)
            return [*(next(rest) if is_inexact(o) else o for o in every), *results]

        both = Again(f"the tangent of {self.name}", forward)([*primals, *(_scalar(tangents[i]) for i in moving)])
        outs, results = both[:len(every)], iter(both[len(every):])
        return outs, [next(results) if is_inexact(o) else None for o in outs]

    def pull(self, primals: Sequence[Any], cts: Sequence[Any], needs: Sequence[bool], lanes: int, kept: Any = None,
             known: Sequence[Any] | None = None) -> list[Any]:
        """As :meth:`sweep`, for leaves of any levels."""
        n = len(primals)
        given = [i for i, c in enumerate(cts) if c is not None]
        if not given:
            return [None] * n
        if known is not None and any(isinstance(x, Traced) for x in known):  # of a level that may end before they are needed
            known = None

        def backward(leaves: list[Any]) -> list[Any]:
            full: list[Any] = [None] * len(cts)
            for i, c in zip(given, leaves[n:], strict=True):
                full[i] = c
            grads = self.sweep(leaves[:n], full, needs, lanes, kept, known)
            return [g for g, need in zip(grads, needs, strict=True) if need]

        grads = iter(Again(f"the pullback of {self.name}", backward)([*primals, *(cts[i] for i in given)]))
        return [next(grads) if need else None for need in needs]

    def _entry(self, level: Level, leaves: list[Any]) -> Sequence[Any]:
        """One call on the tape of a reverse level."""
        box: list[Any] = [None]
        number, slots = level.level_id, level.plain  # the tape holds these functions: they do not hold the level

        def impl(*payloads: Any) -> tuple[Any, ...]:
            xs = [own(x) for x in payloads]
            if top_level(xs) is None:
                outs, box[0] = self.start(xs)
            else:
                outs = self(xs)
            self._check(number, outs)
            if slots and any(isinstance(x, Traced) for x in outs):
                raise _NeedsGenericTape
            return tuple(outs)

        def jvp(tangents: Sequence[Any], primals: Sequence[Any], out: Any, lanes: int) -> tuple[Any, ...]:
            return tuple(self.tangent(primals, tangents, lanes)[1])

        def vjp(cts: Any, primals: Sequence[Any], out: Any, needs: Sequence[bool], lanes: int) -> list[Any]:
            return self.pull(primals, [None if c is None else _scalar(c) for c in cts], needs, lanes, box, out)

        outs: Sequence[Any] = bind(Primitive(self.name, impl, jvp, vjp, dispatches=True), leaves, {})
        return outs

    def _check(self, number: int, outs: Sequence[Any]) -> None:
        """No output of the payloads may belong to the level they were taken from: its tape would not see what made it."""
        if any(isinstance(x, Traced) and x.level_id >= number for x in outs):
            raise TypeError(f"{self.name} uses a traced value that is neither among its arguments nor in the closure of a function "
                            "(it may be an attribute of an object, or global); pass it as an argument")


def _recorded(f: Callable[..., Any], leaves: list[Any]) -> Recording:
    """f on a tape of floats where its inputs are plain, whatever levels are open around it; else on the generic tape."""
    if all(type(x) is float or (isinstance(x, (np.ndarray, np.float64)) and x.dtype == np.float64) for x in leaves):
        level = Level(True, 0, True)
        try:
            with level:
                inputs = [_core.new_input(level, x) for x in leaves]
                return Recording(level, inputs, f(*inputs))
        except _NeedsGenericTape:
            pass
    return record(f, leaves, tuple)


def pulled(tape: Recording, cts: Sequence[Any], lanes: int) -> list[Any]:
    """Cotangents of a recording's inputs."""
    if not (tape.level.plain and any(isinstance(c, Traced) for c in cts)):
        return pull(tape.level, tape.outputs, cts, tape.inputs, lanes)
    lead = (lanes,) if lanes else ()
    cts = [zero_like(tape.value(o), lead) if c is None else c for o, c in zip(tape.outputs, cts, strict=True)]
    back = Pullback(tape, [tape.value(x) for x in tape.inputs], ("tuple", tuple, (None,) * len(tape.inputs)))
    if not lanes:
        return list(back(tuple(cts)))
    rows = [back(tuple(c[i] for c in cts)) for i in range(lanes)]
    return [np.stack(column) for column in zip(*rows, strict=True)]


def _on_a_tape(x: Any) -> bool:
    """Does a reverse level hold x, or one of the values it is made of?"""
    if not isinstance(x, Traced):
        return False
    level = top_level([x])
    if level is None or level.reverse:
        return True
    return any(_on_a_tape(part) for part in (lower(x, level.level_id), tangent_of(x, level.level_id)))


def _same(x: Any, y: Any) -> bool:
    """Are these the values of two runs of one program? (Sums may round otherwise in another memory layout.)"""
    a, b = plain(x), plain(y)
    if not is_inexact(a) or not is_inexact(b):
        return True
    if np.array_equal(a, b):
        return True
    scale = np.max(np.abs(b), initial=0.0, where=np.isfinite(b))
    return np.shape(a) == np.shape(b) and bool(np.allclose(a, b, 1e-6, 1e-6 * scale, equal_nan=True))


def is_inexact(x: Any) -> bool:
    return isinstance(x, (float, Traced)) or (isinstance(x, (np.ndarray, np.generic)) and x.dtype.kind == "f")


def own(x: Any) -> Any:
    """A copy of an array that only shows the tape: the function may keep what it gets."""
    return x.copy() if type(x) is np.ndarray and not x.flags.owndata else x


def _scalar(x: Any) -> Any:
    """A number for an array without axes that shows the adjoint of one."""
    return x[()] if type(x) is np.ndarray and x.ndim == 0 else x

"""What is live while a long program is differentiated: tapes by the core's own counters, states by weak references.

The program is one that checkpointing is made for: u' = D u'' + u - u^3 on a ring (Allen & Cahn's equation), one Runge-Kutta
step after the other.  A step holds one state and needs a tape of about a hundred.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from .._core import Level, Traced, top_level

__all__ = ["Meter", "allen_cahn", "check_tape", "footprint", "start", "words"]

MOST_NUMBERS = 30_000_000
NUMBERS = 56  # of a step's tape, for each number of its state
STEP = 0.1
DIFFUSION = 0.2


def _rate(u: Any) -> Any:
    return DIFFUSION * (np.roll(u, 1) - 2.0 * u + np.roll(u, -1)) + u - u * u * u


def allen_cahn(u: Any) -> Any:
    """One step of the classical Runge-Kutta method, 0.1 long.

    Examples
    --------
    >>> import numpy as np
    >>> from dualad.compare.live import allen_cahn
    >>> allen_cahn(np.ones(3)).tolist()
    [1.0, 1.0, 1.0]
    """
    a = _rate(u)
    b = _rate(u + 0.5 * STEP * a)
    c = _rate(u + 0.5 * STEP * b)
    d = _rate(u + STEP * c)
    return u + STEP / 6.0 * (a + 2.0 * b + 2.0 * c + d)


def start(size: int, seed: int) -> np.ndarray:
    """A state of `size` numbers between -1 and 1."""
    return np.random.default_rng(seed).uniform(-1.0, 1.0, size)


def check_tape(steps: int, size: int) -> None:
    """Refuse, before anything runs, a tape of all steps that is beyond memory.

    Raises
    ------
    ValueError
        It would hold more than 30 million numbers, and as many adjoints.
    """
    if steps * size * NUMBERS > MOST_NUMBERS:
        raise ValueError(f"the tape of {steps} steps of {size} numbers holds {steps * size * NUMBERS} numbers, more than "
                         f"{MOST_NUMBERS}; choose smaller sizes")


def footprint(level: Level) -> int:
    """Bytes of a tape while it is swept: entries, values, constants, and the adjoints (8 bytes a slot)."""
    return level.nbytes + 8 * level.slots


def words(size: float) -> str:
    """Bytes in words, to three digits.

    Examples
    --------
    >>> from dualad.compare.live import words
    >>> words(512), words(59434), words(5.9e6)
    ('512 B', '59.4 kB', '5.9 MB')
    """
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            return f"{size / factor:.3g} {unit}"
    return f"{size:.0f} B"


class Meter:
    """A step that counts its runs and what is live after each.

    Parameters
    ----------
    step : callable
        State array -> state array, a new one.

    Attributes
    ----------
    plain, taped : int
        Runs without and with a tape.
    states : int
        Most states alive at once that runs without a tape made (those in work included).
    state_bytes, tape_bytes, total : int
        Most bytes of such states, of tapes with their adjoints, of both together.

    Notes
    -----
    A tape is known from its first step to the next tape's; the tape of the whole program is given by :meth:`outermost`.
    NumPy's temporaries inside of a step, which are the same in every strategy, are not counted.

    Examples
    --------
    >>> import numpy as np
    >>> from dualad.compare.live import Meter
    >>> step = Meter(np.sin)
    >>> _ = step(step(np.ones(4)))
    >>> step.plain, step.taped, step.state_bytes
    (2, 0, 64)
    """

    def __init__(self, step: Callable[[Any], Any]) -> None:
        self.step = step
        self.plain = self.taped = self.states = self.state_bytes = self.tape_bytes = self.total = 0
        self._outer: Level | None = None
        self._alive: dict[int, tuple[weakref.ref[Any], int]] = {}

    def outermost(self, x: Traced) -> None:
        """The tape of x is the one that stays to the end."""
        self._outer = top_level([x])

    def __call__(self, x: Any) -> Any:
        y = self.step(x)
        inner = 0
        if isinstance(y, Traced):
            self.taped += 1
            level = top_level([y])
            inner = footprint(level) if level is not None and level is not self._outer else 0
        else:
            self.plain += 1
            self._watch(y)
        self._note(inner)
        return y

    def _watch(self, y: np.ndarray) -> None:
        key = id(y)

        def forget(_: Any, alive: dict[int, Any] = self._alive, key: int = key) -> None:
            alive.pop(key, None)

        self._alive[key] = (weakref.ref(y, forget), y.nbytes)

    def _note(self, inner: int) -> None:
        states = sum(size for _, size in self._alive.values())
        tapes = inner + (footprint(self._outer) if self._outer is not None else 0)
        self.states = max(self.states, len(self._alive))
        self.state_bytes = max(self.state_bytes, states)
        self.tape_bytes = max(self.tape_bytes, tapes)
        self.total = max(self.total, states + tapes)

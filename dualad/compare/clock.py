"""The clock: interleaved samples of several calls, garbage collector off, medians with a band.

A sample is a loop that doubles until it lasts a millisecond, so that the clock's resolution does not matter. The clock
counts processor time of this process (where it is fine enough, else wall time): what other programs take in between does
not show; a library's threads add up, which is why `dualad compare` runs BLAS with one. The calls take turns, so that a
slow second of the machine hits all of them. Figures are medians, with the minimum and a 95 % band of the median from
bootstrap samples (Efron 1979), drawn with a fixed seed. Slow calls get fewer turns, three at least, so that an
experiment ends in time on a slow machine too.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Timing", "interleaved"]

#: seconds
now = time.process_time if time.get_clock_info("process_time").resolution <= 1e-6 else time.perf_counter

MIN_SAMPLE = 1e-3  # seconds
MAX_LOOPS = 1 << 20
LEAST_TURNS = 3
BUDGET = 0.5  # seconds of samples after which no further turn is taken
RESAMPLES = 1000


@dataclass(frozen=True)
class Timing:
    """Seconds of one run of a call.

    Parameters
    ----------
    median, minimum : float
        Of the samples.
    low, high : float
        95 % band of the median, by bootstrap.
    samples : int
        How many there were.
    loops : int
        Runs in each.

    Examples
    --------
    >>> from dualad.compare import Timing
    >>> Timing(median=2.0e-6, minimum=1.9e-6, low=1.95e-6, high=2.1e-6, samples=15).median
    2e-06
    """

    median: float
    minimum: float
    low: float
    high: float
    samples: int = 1
    loops: int = 1

    @classmethod
    def from_samples(cls, samples: Sequence[float], loops: int = 1, seed: int = 0) -> Timing:
        """The timing of samples, each in seconds a run.

        Examples
        --------
        >>> from dualad.compare.clock import Timing
        >>> t = Timing.from_samples([1.0, 2.0, 9.0])
        >>> t.median, t.minimum, t.low, t.high
        (2.0, 1.0, 1.0, 9.0)
        """
        times = np.asarray(samples, dtype=float)
        drawn = np.random.default_rng(seed).choice(times, (RESAMPLES, times.size))
        low, high = np.quantile(np.median(drawn, axis=1), (0.025, 0.975))
        return cls(float(np.median(times)), float(times.min()), float(low), float(high), times.size, loops)


@contextmanager
def collector_off() -> Iterator[None]:
    """The cyclic garbage collector off, and afterwards as it was."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _sample(call: Callable[[], Any], loops: int) -> float:
    start = now()
    for _ in range(loops):
        call()
    return now() - start


def _loops(call: Callable[[], Any]) -> int:
    loops = 1
    while _sample(call, loops) < MIN_SAMPLE and loops < MAX_LOOPS:
        loops *= 2
    return loops


def interleaved(calls: Mapping[str, Callable[[], Any]], repeats: int, seed: int = 0) -> dict[str, Timing]:
    """Seconds of one run of each call.

    Parameters
    ----------
    calls : mapping of str to callable
        Without arguments; each has run once before (its answer was checked).
    repeats : int
        Samples of each call, taken in turns; fewer, but three at least, once half a second has gone.
    seed : int
        Of the bootstrap samples.

    Returns
    -------
    dict of str to Timing

    Examples
    --------
    >>> from dualad.compare.clock import interleaved
    >>> sorted(interleaved({"a": list, "b": dict}, repeats=1))
    ['a', 'b']
    """
    with collector_off():
        loops = {name: _loops(call) for name, call in calls.items()}
        samples: dict[str, list[float]] = {name: [] for name in calls}
        start = time.perf_counter()
        for turn in range(repeats):
            if turn >= LEAST_TURNS and time.perf_counter() - start > BUDGET:
                break
            for name, call in calls.items():
                samples[name].append(_sample(call, loops[name]) / loops[name])
    return {name: Timing.from_samples(times, loops[name], seed) for name, times in samples.items()}

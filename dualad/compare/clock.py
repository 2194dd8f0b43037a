"""The clock: interleaved samples of several calls, medians, garbage collector off.

A sample is a loop that doubles until it lasts a millisecond, so that the clock's resolution does not matter. The clock
counts processor time of this process (where it is fine enough, else wall time): what other programs take in between does
not show; a library's threads add up, which is why `dualad compare` runs BLAS with one. The calls take turns, so that a
slow second of the machine hits all of them. Figures are medians. Slow calls get fewer turns, three at least, so that an
experiment ends in time on a slow machine too.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

__all__ = ["interleaved"]

#: seconds
now = time.process_time if time.get_clock_info("process_time").resolution <= 1e-6 else time.perf_counter

MIN_SAMPLE = 1e-3  # seconds
MAX_LOOPS = 1 << 20
LEAST_TURNS = 3
BUDGET = 0.5  # seconds of samples after which no further turn is taken


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


def interleaved(calls: Mapping[str, Callable[[], Any]], repeats: int) -> dict[str, float]:
    """Median seconds of one run of each call.

    Parameters
    ----------
    calls : mapping of str to callable
        Without arguments; each has run once before (its answer was checked).
    repeats : int
        Samples of each call, taken in turns; fewer, but three at least, once half a second has gone.

    Returns
    -------
    dict of str to float

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
    return {name: statistics.median(times) for name, times in samples.items()}

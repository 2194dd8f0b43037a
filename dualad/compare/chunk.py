"""Experiment "chunk": the time of a whole Jacobian against the number of tangents (or adjoints) that one sweep carries.

One sweep reads the tape and computes each partial once, whatever it carries, so k at a time share that cost and the whole
falls as 1/k at first. But every number on the way has k tangents: 8 k bytes for each slot of the tape. When they no longer
fit a cache, they come from the next one, and the curve has a knee. Three ways are timed:

    forward   f is recorded once, k tangents are swept over the recording
    duals     f runs on dual numbers with k tangents each, once for every chunk
    reverse   f is recorded once, k adjoints are swept back
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from ..cost import DEFAULT, Operations, Weights
from ..forward import push
from ..jacobians import chunk_size, jacfwd
from ..pull import pull, pushforward
from ..reverse import record
from .clock import Timing, interleaved
from .counting import count
from .environment import describe
from .families import FAMILIES
from .figure import Curve, Figure, Mark, Table
from .methods import DisagreementError
from .options import natural, positive, sizes
from .probe import answer
from .progress import Progress, finished, silent
from .registry import Argument, register
from .result import Result
from .scaling import DEPTH, check_sizes
from .storage import encode

__all__ = ["ChunkResult", "ChunkRow", "caches", "chunk", "chunked"]

AT = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
WAYS: Mapping[str, str] = MappingProxyType({
    "forward": "tangents swept over one recording",
    "duals": "f on duals, a run for every chunk",
    "reverse": "adjoints swept over one recording",
})
ROLES = {"forward": "forward", "duals": "n jvp", "reverse": "reverse"}
TOLERANCE = 1e-10
MOST_ENTRIES = 4_000_000
#: a chunk within so much of the best one's time counts as good
NEAR = 1.1


# ---- the three ways ------------------------------------------------------------------------------------------------------

def chunked(way: str, f: Callable[..., Any], x: np.ndarray, k: int) -> np.ndarray:
    """The Jacobian (m, n) of f at x, k tangents or adjoints at a time.

    Parameters
    ----------
    way : {"forward", "duals", "reverse"}
    f : callable
        Takes an array (n,), returns an array or a float.
    x : ndarray (n,)
    k : int

    Examples
    --------
    >>> import numpy as np
    >>> from dualad.compare.chunk import chunked
    >>> chunked("reverse", lambda x: x * x, np.array([1.0, 2.0, 3.0]), 2)
    array([[2., 0., 0.],
           [0., 4., 0.],
           [0., 0., 6.]])
    """
    n = x.size
    if way == "duals":
        columns = []
        for start in range(0, n, k):
            seeds = _seeds(n, start, min(start + k, n))
            _, (tangent,), _ = push([x], [seeds], lambda leaves: f(*leaves), len(seeds))
            columns.append(np.reshape(tangent, (len(seeds), -1)))
        return np.concatenate(columns).T
    recording = record(f, [x], tuple)
    (y,) = recording.outputs
    rows = []
    total = n if way == "forward" else int(np.size(recording.value(y)))
    for start in range(0, total, k):
        seeds = _seeds(total, start, min(start + k, total))
        if way == "forward":
            (found,) = pushforward(recording.level, recording.inputs, [seeds], [y], len(seeds))
        else:
            shaped = np.reshape(seeds, (len(seeds), *np.shape(recording.value(y))))
            (found,) = pull(recording.level, [y], [shaped], recording.inputs, len(seeds))
        rows.append(np.reshape(found, (len(seeds), -1)))
    matrix = np.concatenate(rows)
    return matrix.T if way == "forward" else matrix


def _seeds(total: int, start: int, stop: int) -> np.ndarray:
    rows = np.zeros((stop - start, total))
    rows[np.arange(stop - start), np.arange(start, stop)] = 1.0
    return rows


def caches(folder: str = "/sys/devices/system/cpu/cpu0/cache") -> dict[str, int]:
    """Bytes of the data caches of the first processor, where the system tells (Linux); empty elsewhere.

    Examples
    --------
    >>> from dualad.compare.chunk import caches
    >>> all(size > 0 for size in caches().values()), caches("nowhere")
    (True, {})
    """
    found = {}
    for index in sorted(Path(folder).glob("index*")):
        try:
            level, kind, size = ((index / name).read_text(encoding="ascii").strip() for name in ("level", "type", "size"))
            if kind in ("Data", "Unified"):
                found[f"L{level}"] = int(size.rstrip("KMG")) * {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}.get(size[-1], 1)
        except (OSError, ValueError):
            continue
    return found


# ---- result ------------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class ChunkRow:
    """One size of chunk.

    Parameters
    ----------
    k : int
        Tangents or adjoints that a sweep carries.
    sweeps : mapping of str to int
        Way to the number of sweeps for the whole Jacobian.
    bytes : int
        What k tangents of every slot of the tape take.
    counted : mapping of str to float
        Way to the counted price of the whole Jacobian.
    seconds : mapping of str to Timing, or None
        Way (and "value") to the time of the whole Jacobian.
    """

    k: int
    sweeps: Mapping[str, int]
    bytes: int
    counted: Mapping[str, float]
    seconds: Mapping[str, Timing] | None = None


@dataclass(frozen=True)
class ChunkResult(Result, name="chunk", rows=(ChunkRow,)):
    """Time of a Jacobian against the size of its chunks.

    Parameters
    ----------
    n, m, slots : int
        Of f, and of its tape.
    value : float
        Counted price of one value of f.
    caches : mapping of str to int
        Bytes of the data caches, where they are known and something was timed.

    Examples
    --------
    >>> from dualad import compare
    >>> r = compare.chunk([1, 8], n=16, count_only=True)
    >>> [row.sweeps["forward"] for row in r.rows], r.rows[1].bytes == 8 * r.rows[0].bytes
    ([16, 2], True)
    """

    n: int = 0
    m: int = 0
    slots: int = 0
    value: float = 0.0
    caches: Mapping[str, int] = field(default_factory=dict)

    @property
    def timed(self) -> bool:
        return any(row.seconds is not None for row in self.rows)

    @property
    def ways(self) -> tuple[str, ...]:
        """The ways there are: reverse has only one adjoint where f has one output."""
        return tuple(name for name in WAYS if name in self.rows[0].counted)

    def each(self, way: str, measured: bool = True) -> tuple[float, ...]:
        """Cost of one tangent (adjoint) of the Jacobian in units of one value of f, a number a row."""
        total = self.m if way == "reverse" else self.n
        if measured and self.timed:
            return tuple(row.seconds[way].median / row.seconds["value"].median / total for row in self.rows)
        return tuple(row.counted[way] / self.value / total for row in self.rows)

    def best(self, way: str) -> int:
        """The chunk with the least cost."""
        costs = self.each(way)
        return int(self.rows[costs.index(min(costs))].k)

    def knee(self, way: str) -> int:
        """The smallest chunk within 10 % of the least cost: more tangents at once gain nothing."""
        costs = self.each(way)
        return int(next(row.k for row, cost in zip(self.rows, costs, strict=True) if cost <= NEAR * min(costs)))

    def fits(self) -> dict[str, float]:
        """Cache to the number of tangents of every slot that it holds."""
        return {name: size / (8 * self.slots) for name, size in self.caches.items()}

    def tables(self) -> tuple[Table, ...]:
        tables = []
        if self.timed:
            tables.append(Table(
                "Measured: time of the Jacobian / (its tangents or adjoints x time of one value of f)",
                ("k", "sweeps", "bytes", *self.ways),
                tuple((row.k, row.sweeps["forward"], row.bytes, *(self.each(way)[i] for way in self.ways))
                      for i, row in enumerate(self.rows)),
                "k: tangents a sweep; bytes: k tangents of every slot of the tape. " + "; ".join(
                    f"{way}: {how}" for way, how in WAYS.items() if way in self.ways) + "."))
        tables.append(Table(
            f"Counted: operations of the Jacobian / (its tangents or adjoints x operations of f) "
            f"(weights: {Weights(**self.settings['weights'])})", ("k", "sweeps", "bytes", *self.ways),
            tuple((row.k, row.sweeps["forward"], row.bytes, *(self.each(way, False)[i] for way in self.ways))
                  for i, row in enumerate(self.rows)),
            "Arithmetic alone: a recording is run once, whatever the chunk; duals run f again for each."))
        return tuple(tables)

    def figures(self) -> tuple[Figure, ...]:
        if len(self.rows) < 2:
            return ()
        return tuple(self._figure(measured) for measured in ((True, False) if self.timed else (False,)))

    def _figure(self, measured: bool) -> Figure:
        by = "measured" if measured else "counted"
        x = tuple(float(row.k) for row in self.rows)
        curves = []
        for way in self.ways:
            y = self.each(way, measured)
            low = high = None
            if measured:
                low, high = (tuple(getattr(row.seconds[way], end) / row.seconds[way].median * value
                                   for row, value in zip(self.rows, y, strict=True)) for end in ("low", "high"))
            curves.append(Curve(f"{way}: {WAYS[way]}", x, y, ROLES[way], "points", low, high))
        marks = tuple(Mark(f"{name} holds {_size(self.caches[name])}", x=k) for name, k in self.fits().items()
                      if measured and x[0] <= k <= x[-1])
        first = {way: self.each(way, measured)[0] for way in self.ways}
        least = {way: min(self.each(way, measured)) for way in self.ways}
        way = self.ways[0]
        k = self.best(way) if measured else self.rows[-1].k
        caption = (f"One tangent of the Jacobian costs {first[way]:.3g} values of f when it has the sweep for itself and "
                   f"{least[way]:.3g} at best, at k = {k}: reading the tape and computing partials is shared by all on board."
                   + (" To the right of a cache's line the tangents no longer fit it." if marks else ""))
        told = "; ".join(f"{way} falls from {first[way]:.3g} to {least[way]:.3g}" for way in self.ways)
        return Figure(f"chunk-{by}", f"Cost of one tangent against the chunk, {by}", "k, tangents or adjoints a sweep",
                      f"{'time' if measured else 'operations'} of one / one value of f", caption,
                      f"Log-log plot of the {by} cost of one tangent in values of f against k from {self.rows[0].k} to "
                      f"{self.rows[-1].k}: {told}.", tuple(curves), None, marks)

    def reading(self) -> tuple[str, ...]:
        lines = [f"f has {self.n} inputs, {self.m} outputs and a tape of {self.slots} slots: "
                 f"k tangents of each take k times {_size(8 * self.slots)}."]
        if self.timed:
            lines += [self._told(way) for way in self.ways]
            room = [f"{name} ({_size(size)}) at k = {_count(self.fits()[name])}" for name, size in self.caches.items()]
            if room:
                lines.append(f"The tangents fill {', '.join(room)}.")
            chosen = chunk_size(self.n)
            near = min(self.rows, key=lambda row: abs(math.log(row.k / chosen)))
            costs = self.each("forward")
            lines.append(f"jacfwd takes {chosen} at a time here; k = {near.k} is within "
                         f"{100 * (costs[self.rows.index(near)] / min(costs) - 1):.0f} % of the best.")
        lines.append("What you see: tangents are cheap when they travel together. The first pays for the way, the others for their "
                     "seats, until the bus is full: then they wait for memory.")
        return tuple(lines)

    def _told(self, way: str) -> str:
        """The curve of one way in a sentence."""
        costs, last = self.each(way), self.rows[-1].k
        words = (f"{way.capitalize()}: {costs[0] / min(costs):.3g} times faster in chunks of {self.best(way)} than one at a time; "
                 f"from {self.knee(way)} on there is nothing to gain")
        return words + (f", and at {last} it is {costs[-1] / min(costs):.2g} times slower again." if costs[-1] > NEAR * min(costs)
                        else ".")


def _count(k: float) -> str:
    """A number of tangents to three digits, never as a power of ten."""
    return f"{k:.3g}" if k < 1000 else f"{round(k, 2 - int(math.log10(k))):,.0f}"


def _size(number: int) -> str:
    for unit, factor in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if number >= factor:
            return f"{number / factor:.3g} {unit}"
    return f"{number} B"


# ---- experiment --------------------------------------------------------------------------------------------------------

def chunk(at: Sequence[int] = AT, *, n: int = 1024, m: int | None = None, family: str = "chain", depth: int = DEPTH, seed: int = 0,
          repeats: int = 9, weights: Weights = DEFAULT, count_only: bool = False, progress: Progress = silent) -> ChunkResult:
    """Time of a Jacobian R^n -> R^m against the number of tangents, or adjoints, that one sweep carries.

    Parameters
    ----------
    at : sequence of int
        Sizes of chunk k, increasing; those beyond n are left out.
    n, m : int
        Inputs and outputs; m is n by default, 1 for a family with one output.
    family, depth, seed
        As for :func:`dualad.compare.scaling`.
    repeats : int
        Interleaved samples of each way.
    weights : Weights
    count_only : bool
        Time nothing.
    progress : callable

    Returns
    -------
    ChunkResult
        ``.best(way)``, ``.knee(way)``, ``.fits()``.

    Raises
    ------
    ValueError
        Sizes or families that there are not.
    DisagreementError
        A chunk gave another Jacobian; nothing was timed.

    Notes
    -----
    Cost: the whole Jacobian for each way and chunk, `repeats` times.

    Examples
    --------
    >>> from dualad import compare
    >>> r = compare.chunk([1, 4], n=8, count_only=True)
    >>> r.each("duals")[0] > r.each("duals")[1] > r.each("forward")[1]
    True
    """
    if family not in FAMILIES:
        raise ValueError(f"no family {family!r}; there are {', '.join(FAMILIES)}")
    chosen = FAMILIES[family]
    if chosen.one_output and m not in (None, 1):
        raise ValueError(f"family {family} has one output, not m = {m}")
    outputs = 1 if chosen.one_output else (m if m is not None else n)
    if n < chosen.smallest or (chosen.largest is not None and n > chosen.largest) or outputs < 1:
        raise ValueError(f"family {family} has no function of {n} inputs and {outputs} outputs"
                         + (f"; n is at most {chosen.largest}" if chosen.largest else ""))
    if depth < 0 or repeats < 1 or seed < 0:
        raise ValueError(f"depth and seed must be at least 0 and repeats at least 1, not {depth}, {seed} and {repeats}")
    if n * outputs > MOST_ENTRIES:
        raise ValueError(f"a Jacobian of {outputs} x {n} entries is more than {MOST_ENTRIES}; choose smaller sizes")
    checked = tuple(k for k in check_sizes(at) if k <= n)
    if not checked:
        raise ValueError(f"every chunk is larger than the {n} tangents there are: {list(at)}")
    f, x, whole = chosen.make(n, outputs, depth, seed)
    y = answer(f, x)
    ways = [way for way in WAYS if way != "reverse" or y.size > 1]
    active = count(f, x)
    slots = int(record(f, [x], tuple).level.slots)
    exact = np.reshape(np.asarray(jacfwd(f)(x), dtype=float), (y.size, n))
    row = functools.partial(_row, f, x, exact, ways, slots, whole or active, active, repeats, weights, not count_only)
    rows = tuple(finished(progress, f"chunk of {family}, n = {n}, m = {y.size}: k = {k}", ChunkRow, functools.partial(row, k))
                 for k in checked)
    settings = {"at": list(checked), "n": n, "m": m, "family": family, "depth": depth, "seed": seed, "repeats": repeats,
                "weights": encode(weights), "count_only": count_only}
    left = tuple(f"k = {k}: there are {n} tangents only" for k in at if k > n)
    return ChunkResult(f"Chunks: Jacobian of {family}, {chosen.summary}; n = {n}, m = {y.size}, seed {seed}", settings, rows, left,
                       {} if count_only else describe(), n, y.size, slots, (whole or active).value(weights),
                       {} if count_only else caches())


def _row(f: Callable[..., Any], x: np.ndarray, exact: np.ndarray, ways: Sequence[str], slots: int, value: Operations,
         active: Operations, repeats: int, weights: Weights, timed: bool, k: int) -> ChunkRow:
    m, n = exact.shape
    scale = float(np.max(np.abs(exact), initial=0.0))
    for way in ways:
        error = float(np.max(np.abs(chunked(way, f, x, k) - exact), initial=0.0))
        if not error <= TOLERANCE * scale:
            raise DisagreementError(f"{way} in chunks of {k} and jacfwd disagree by {error:.3g}")
    one, base = value.value(weights), active.value(weights)
    tangents, adjoints = n * (active.tangent(weights) - base), m * (active.gradient(weights) - base)
    sweeps = {way: -(-(m if way == "reverse" else n) // k) for way in ways}
    counted = {way: one * (sweeps[way] if way == "duals" else 1) + (adjoints if way == "reverse" else tangents) for way in ways}
    seconds = None
    if timed:
        calls: dict[str, Callable[[], Any]] = {"value": functools.partial(f, x)}
        calls.update({way: functools.partial(chunked, way, f, x, k) for way in ways})
        seconds = interleaved(calls, repeats)
    return ChunkRow(k, sweeps, 8 * slots * k, counted, seconds)


register(
    "chunk", "time of a Jacobian against the number of tangents a sweep carries; the cache knee", chunk,
    Argument("at", sizes, AT, "tangents a sweep: 1,2,5 or 1:1024:x2 or 10:50:+10", metavar="SIZES"),
    Argument("n", positive, 1024, "inputs"),
    Argument("m", positive, None, "outputs (default n, or 1)"),
    Argument("family", str, "chain", "the function", tuple(FAMILIES)),
    Argument("depth", natural, DEPTH, "steps of the chain or the equation, rows of the network"),
)

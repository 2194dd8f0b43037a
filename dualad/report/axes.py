"""Axes: from numbers to pixels, and which numbers are written beside them.

Ticks stand at 1, 2, 5 times a power of ten, at powers of ten when the range is long (every second, fifth, fiftieth one
when it is very long), or at powers of two when that is where the measurements are.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["Axis", "Tick", "axis", "plain", "tick_text"]

MINUS, THIN = "−", " "


@dataclass(frozen=True)
class Tick:
    """A labelled place on an axis.

    Parameters
    ----------
    value : float
    text : str
    power : str
        Written above the line after the text: "10" and "-3" are a thousandth. "" for none.
    """

    value: float
    text: str
    power: str = ""


def tick_text(tick: Tick) -> str:
    """The words of a tick, its power raised, as SVG."""
    power = f'<tspan dy="-.42em" font-size="76%">{tick.power}</tspan>' if tick.power else ""
    return tick.text + power


@dataclass(frozen=True)
class Axis:
    """A scale between two numbers.

    Parameters
    ----------
    scale : {"log", "linear"}
    low, high : float
        Ends of the axis, positive for a logarithmic one.
    binary : bool
        Ticks at powers of two.
    whole : bool
        An axis of whole numbers: no tick between them.

    Examples
    --------
    >>> from dualad.report.axes import Axis
    >>> a = Axis("log", 1.0, 1000.0)
    >>> round(a.part(10.0), 3), [t.text for t in a.ticks(6)]
    (0.333, ['1', '10', '100', '1000'])
    >>> [t.text + "^" + t.power for t in Axis("log", 1e-300, 1e-1).ticks(5)]
    ['10^−300', '10^−200', '10^−100']
    >>> [t.text for t in Axis("linear", 0.0, 1.0).ticks(6)]
    ['0.0', '0.2', '0.4', '0.6', '0.8', '1.0']
    """

    scale: str
    low: float
    high: float
    binary: bool = False
    whole: bool = False

    def part(self, value: float) -> float | None:
        """Where a number lies, 0 at `low` and 1 at `high`; None if the scale has no such number."""
        if not math.isfinite(value):
            return None
        if self.scale == "linear":
            return (value - self.low) / (self.high - self.low)
        if value <= 0:
            return None
        return (math.log(value) - math.log(self.low)) / (math.log(self.high) - math.log(self.low))  # a quotient may overflow

    def ticks(self, most: int) -> list[Tick]:
        """At most so many labelled places."""
        most = max(most, 2)
        if self.scale == "linear":
            return _linear(self.low, self.high, most, 1.0 if self.whole else 0.0)
        if self.binary and (powers := self._powers_of_two(most)):
            return powers
        return _logarithmic(self.low, self.high, most, 1.0 if self.whole else 0.0)

    def minor(self, ticks: Sequence[Tick]) -> list[float]:
        """Places between the ticks of a logarithmic axis that get a short line."""
        if self.scale == "linear" or self.binary or len(ticks) < 2:
            return []
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        decades = last - first
        if decades <= 9:
            places = [10.0 ** e * k for e in range(first, last + 1) for k in range(1, 10)]
        elif decades <= 45:
            places = [10.0 ** e for e in range(first, last + 1)]
        else:
            return []
        taken = {round(math.log10(t.value), 9) for t in ticks}
        return [p for p in places if self.low * (1 - 1e-9) <= p <= self.high * (1 + 1e-9) and round(math.log10(p), 9) not in taken]

    def _powers_of_two(self, most: int) -> list[Tick]:
        first, last = math.ceil(math.log2(self.low) - 1e-9), math.floor(math.log2(self.high) + 1e-9)
        for stride in (1, 2, 3, 4, 5, 6, 8, 10):
            powers = list(range(first, last + 1, stride))
            if 2 <= len(powers) <= most:
                return [Tick(2.0 ** p, plain(2.0 ** p)) if -1 <= p <= 13 else Tick(2.0 ** p, "2", _signed(p)) for p in powers]
        return []


def axis(scale: str, values: Iterable[float | None], marks: Iterable[float | None] = (), *, pad: float = 0.03,
         zero: bool = True) -> Axis:
    """The axis that holds all numbers of a figure.

    Parameters
    ----------
    scale : {"log", "linear"}
    values : iterable of float or None
        Those that the scale cannot show are passed over.
    marks : iterable of float or None
        More numbers to make room for, which do not choose the ticks.
    pad : float
        Room at both ends, in parts of the length.
    zero : bool
        A linear axis of numbers that are not negative starts at 0.

    Examples
    --------
    >>> from dualad.report.axes import axis
    >>> a = axis("log", [1.0, 4.0, 16.0, None, 0.0], pad=0)
    >>> a.low, a.high, a.binary
    (1.0, 16.0, True)
    """
    shown, others = ([float(v) for v in part if v is not None and math.isfinite(v) and (scale == "linear" or v > 0)]
                     for part in (values, marks))
    if not shown + others:
        return Axis(scale, 1.0, 10.0) if scale == "log" else Axis(scale, 0.0, 1.0)
    low, high = min(shown + others), max(shown + others)
    whole = all(v == int(v) for v in shown)
    if scale == "log":
        span = math.log10(high) - math.log10(low)  # high / low may overflow
        if span < 0.3:  # a flat curve is drawn flat, not its noise
            middle, half = (math.log10(high) + math.log10(low)) / 2, 0.35
            low, high = 10 ** (middle - half), 10 ** (middle + half)
            span = 0.7
        room = pad * span
        powers = {round(math.log2(v)) for v in shown} if all(math.log2(v) % 1 == 0 for v in shown) else set()
        ends = max(10 ** (math.log10(low) - room), 5e-324), 10 ** min(math.log10(high) + room, 308.2)
        return Axis(scale, *ends, len(powers) > 2, whole)
    if zero and low >= 0:
        return Axis(scale, 0.0, high * (1 + pad) or 1.0, whole=whole)
    room = pad * (high - low) or abs(high) or 1.0
    return Axis(scale, low - room, high + room, whole=whole)


def _signed(power: int) -> str:
    return f"{MINUS if power < 0 else ''}{abs(power)}"


def plain(value: float, decimals: int | None = None) -> str:
    text = f"{abs(value):.{decimals}f}" if decimals is not None else f"{abs(value):.6g}"
    whole, point, rest = text.partition(".")
    if len(whole) > 4 and "e" not in text:
        whole = f"{int(whole):,}".replace(",", THIN)
    return (MINUS if value < 0 else "") + whole + point + rest


def _linear(low: float, high: float, most: int, least: float = 0.0) -> list[Tick]:
    rough = max((high - low) / most, least)
    magnitude = 10.0 ** math.floor(math.log10(rough))
    for step in (magnitude * k for k in (1, 2, 5, 10, 20, 50)):
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first + 1 <= most:
            break
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    if max(abs(low), abs(high)) >= 1e7 or decimals > 5:
        return [_power_tick(k * step) for k in range(first, last + 1)]
    return [Tick(k * step, plain(k * step, decimals)) for k in range(first, last + 1)]


def _power_tick(value: float) -> Tick:
    if not value:
        return Tick(0.0, "0")
    power = math.floor(math.log10(abs(value)) + 1e-9)
    front = f"{value / 10.0 ** power:.3g}".replace("-", MINUS)
    return Tick(value, f"{front}×10" if front != "1" else "10", _signed(power))


def _decade(power: int, whole: bool) -> Tick:
    if whole or power in (0, 1):
        return Tick(10.0 ** power, plain(10.0 ** power))
    return Tick(10.0 ** power, "10", _signed(power))


def _logarithmic(low: float, high: float, most: int, least: float) -> list[Tick]:
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    whole = low > 0.9e-3 and high < 1.1e5
    span = math.log10(high) - math.log10(low)
    if span <= 3.2:
        for steps in ((1, 2, 5), (1, 3)):
            values = [k * 10.0 ** e for e in range(first - 1, last + 1) for k in steps]
            values = [v for v in values if low * (1 - 1e-9) <= v <= high * (1 + 1e-9)]
            if 3 <= len(values) <= most:
                return [Tick(v, plain(v)) if whole else _power_tick(v) for v in values]
    for stride in (1, 2, 3, 5, 10, 20, 50, 100, 200):
        powers = [p for p in range(first, last + 1) if p % stride == 0]
        if len(powers) <= most:
            break
    if len(powers) >= 2:
        return [_decade(p, whole) for p in powers]
    inside = _linear(low, high, most, least)
    return [t for t in inside if t.value > 0] or [Tick(low, plain(low))]

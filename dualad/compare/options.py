"""What options of the command line are made of: whole numbers, sizes, lists of numbers and of names."""

from __future__ import annotations

import argparse
from itertools import pairwise

__all__ = ["names", "natural", "numbers", "positive", "sizes"]

MOST_SIZES = 1000


def natural(text: str) -> int:
    """A whole number, at least 0.

    Examples
    --------
    >>> from dualad.compare.options import natural
    >>> natural("12")
    12
    """
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"a whole number, at least 0, not {text!r}")
    return int(text)


def positive(text: str) -> int:
    """A whole number, at least 1.

    Examples
    --------
    >>> from dualad.compare.options import positive
    >>> positive("12")
    12
    """
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a whole number, at least 1, not {text!r}")
    return int(text)


def sizes(text: str) -> tuple[int, ...]:
    """Sizes: ``1,2,5``, ``1:256:x2`` (times 2) or ``10:50:+10`` (plus 10).

    Examples
    --------
    >>> from dualad.compare.options import sizes
    >>> sizes("1:256:x4"), sizes("10:30:+10"), sizes("7")
    ((1, 4, 16, 64, 256), (10, 20, 30), (7,))
    """
    try:
        found = _range(text) if ":" in text else tuple(int(part) for part in text.split(","))
    except OverflowError as error:
        raise argparse.ArgumentTypeError(f"{error}, not {text!r}") from None
    except ValueError:
        raise argparse.ArgumentTypeError(f"sizes are 1,2,5 or 1:256:x2 or 10:50:+10, not {text!r}") from None
    if not found or min(found) < 1 or any(a >= b for a, b in pairwise(found)):
        raise argparse.ArgumentTypeError(f"sizes must be at least 1 and increase: {text!r}")
    return found


def _range(text: str) -> tuple[int, ...]:
    first, last, step = text.split(":")
    if len(step) < 2:
        raise ValueError(step)
    size, end, by = int(first), int(last), int(step[1:])
    if step[0] not in "x+" or size < 1 or by < (2 if step[0] == "x" else 1):
        raise ValueError(step)
    found = []
    while size <= end:
        found.append(size)
        if len(found) > MOST_SIZES:
            raise OverflowError(f"at most {MOST_SIZES} sizes")
        size = size * by if step[0] == "x" else size + by
    return tuple(found)


def numbers(text: str) -> list[float]:
    """Numbers with commas between.

    Examples
    --------
    >>> from dualad.compare.options import numbers
    >>> numbers("1,2.5,-3e2")
    [1.0, 2.5, -300.0]
    """
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"numbers with commas between, not {text!r}") from None


def names(text: str) -> list[str]:
    """Names with commas between; none for an empty text.

    Examples
    --------
    >>> from dualad.compare.options import names
    >>> names("central, complex"), names("")
    (['central', 'complex'], [])
    """
    return [part.strip() for part in text.split(",") if part.strip()]

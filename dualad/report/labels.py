"""Where words go: widths of text without a font at hand, and places where words cover nothing.

Widths are those of Helvetica and Arial (Adobe's font metrics), with room for slightly wider faces.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["Box", "free_place", "spread", "text_width", "wrap"]

#: thousandths of the font size
_WIDTHS = {
    **dict.fromkeys("ijl|'", 222), **dict.fromkeys("It.,:;/!f[] ·", 278), **dict.fromkeys("r()-`", 333),
    **dict.fromkeys("Jckszxyv", 500), **dict.fromkeys("+=<>~×−^", 584), **dict.fromkeys("FTZ", 611),
    **dict.fromkeys("ABEKPSVXY&", 667),
    **dict.fromkeys("wCDHNRU", 722), **dict.fromkeys("GOQ", 778), **dict.fromkeys("mM", 833), **dict.fromkeys("W%", 944),
    '"': 355, "@": 1015,
}


def text_width(text: str, size: float) -> float:
    """Width of a line in pixels, a little generous.

    Examples
    --------
    >>> from dualad.report.labels import text_width
    >>> 30 < text_width("forward", 10) < 40
    True
    """
    return sum(_WIDTHS.get(letter, 556) for letter in text) * size * 1.04 / 1000


def wrap(text: str, size: float, width: float) -> list[str]:
    """Lines of at most that width; a longer word stays whole.

    Examples
    --------
    >>> from dualad.report.labels import wrap
    >>> wrap("operations of one value", 10, 70)
    ['operations of', 'one value']
    """
    lines: list[str] = []
    for word in text.split():
        if lines and text_width(f"{lines[-1]} {word}", size) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines or [""]


@dataclass(frozen=True)
class Box:
    """A rectangle: its upper left corner, its width and height.

    Examples
    --------
    >>> from dualad.report.labels import Box
    >>> Box(0, 0, 10, 10).overlap(Box(8, 8, 10, 10))
    4
    """

    x: float
    y: float
    w: float
    h: float

    def overlap(self, other: Box) -> float:
        """Area that two rectangles share."""
        across = min(self.x + self.w, other.x + other.w) - max(self.x, other.x)
        down = min(self.y + self.h, other.y + other.h) - max(self.y, other.y)
        return across * down if across > 0 and down > 0 else 0

    def inside(self, other: Box) -> bool:
        """Does the rectangle lie in another?"""
        return (other.x <= self.x and self.x + self.w <= other.x + other.w
                and other.y <= self.y and self.y + self.h <= other.y + other.h)


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Heights at least `gap` apart and as near to the wanted ones as can be, in the order of the wanted ones.

    Parameters
    ----------
    wanted : sequence of float
    gap : float
    low, high : float
        The heights stay between them, if there is room.

    Returns
    -------
    list of float

    Notes
    -----
    Labels that touch form a block, placed at the mean of what its members want (pool adjacent violators).

    Examples
    --------
    >>> from dualad.report.labels import spread
    >>> spread([10, 10, 50], 10, 0, 100)
    [5.0, 15.0, 50.0]
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    gap = min(gap, (high - low) / max(len(wanted) - 1, 1))
    blocks: list[tuple[float, list[int]]] = []  # (place of the first member, members)

    def place(members: list[int]) -> float:
        first = sum(wanted[i] - k * gap for k, i in enumerate(members)) / len(members)
        return min(max(first, low), high - (len(members) - 1) * gap)

    for i in order:
        members = [i]
        first = place(members)
        while blocks and blocks[-1][0] + len(blocks[-1][1]) * gap > first:
            members = blocks.pop()[1] + members
            first = place(members)
        blocks.append((first, members))
    heights = [0.0] * len(wanted)
    for first, members in blocks:
        for k, i in enumerate(members):
            heights[i] = first + k * gap
    return heights


def free_place(candidates: Iterable[Box], obstacles: Sequence[Box], room: Box, *, most: float = 0.0) -> Box | None:
    """The candidate inside the room that covers least (the first of equals); None if each covers more than `most`.

    Examples
    --------
    >>> from dualad.report.labels import Box, free_place
    >>> free_place([Box(0, 0, 5, 5), Box(10, 0, 5, 5)], [Box(1, 1, 1, 1)], Box(0, 0, 20, 20))
    Box(x=10, y=0, w=5, h=5)
    """
    best, least = None, float("inf")
    for candidate in candidates:
        if not candidate.inside(room):
            continue
        covered = sum(candidate.overlap(obstacle) for obstacle in obstacles)
        if covered < least:
            best, least = candidate, covered
            if not covered:
                break
    return best if least <= most else None

"""All exercises in one order, and how to find one."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from . import calculus, networks, vectors
from .exercise import Exercise, suggestion

__all__ = ["EXERCISES", "Listing", "find", "listing"]

_IN_ORDER = (*calculus.EXERCISES, *vectors.EXERCISES, *networks.EXERCISES)
#: name -> exercise
EXERCISES: dict[str, Exercise] = {exercise.name: exercise for exercise in _IN_ORDER}


@dataclass(frozen=True, repr=False)
class Listing:
    """Exercises as a table.

    Parameters
    ----------
    exercises : tuple of Exercise
    """

    exercises: tuple[Exercise, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(exercise.name for exercise in self.exercises)

    def __len__(self) -> int:
        return len(self.exercises)

    def _rows(self) -> list[tuple[str, str, str, str]]:
        return [(e.name, e.topic, ", ".join(e.questions), " ".join(e.rows)) for e in self.exercises]

    def __str__(self) -> str:
        rows = [("exercise", "topic", "asks for", "example"), *self._rows()]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col">{name}</th>' for name in ("exercise", "topic", "asks for", "example"))
        body = "".join("<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>" for row in self._rows())
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def find(name: str) -> Exercise:
    """An exercise by its name.

    Parameters
    ----------
    name : str

    Raises
    ------
    ValueError
        There is none; the message names the nearest.
    """
    if name not in EXERCISES:
        raise ValueError(f"no exercise {name!r}; {suggestion(name, EXERCISES)}")
    return EXERCISES[name]


def listing(topic: str | None = None) -> Listing:
    """The exercises of a topic, or all.

    Parameters
    ----------
    topic : str, optional
        A topic, or the id of a worked example ("L19").
    """
    found = tuple(e for e in _IN_ORDER if topic is None or topic == e.topic or topic in e.rows)
    if not found:
        topics = ", ".join(dict.fromkeys(e.topic for e in _IN_ORDER))
        raise ValueError(f"no exercises on {topic!r}; the topics are {topics}")
    return Listing(found)

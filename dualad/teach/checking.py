"""An answer is read, compared with the true one, and where it is wrong the mistake is looked for."""

from __future__ import annotations

import ast
import difflib
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from .exercise import Arguments, Exercise, Question
from .expression import evaluate
from .mistakes import agree, diagnose

__all__ = ["Report", "Verdict", "check"]

#: at how many points beside the exercise's own a formula is compared
POINTS = 4


@dataclass(frozen=True)
class Verdict:
    """About one answer.

    Parameters
    ----------
    name : str
        Of the question.
    right : bool
    code : str
        The mistake, one of :data:`dualad.teach.mistakes.CODES`; empty if the answer is right.
    hint : str
        What to look at, in a line.
    """

    name: str
    right: bool
    code: str = ""
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.name}: right" if self.right else f"{self.name}: wrong ({self.code}): {self.hint}"


@dataclass(frozen=True, repr=False)
class Report:
    """About the answers to one exercise; true in an ``if`` when all of them are given and right.

    Parameters
    ----------
    exercise : str
    verdicts : tuple of Verdict
    missing : tuple of str
        Questions that were not answered.
    """

    exercise: str
    verdicts: tuple[Verdict, ...]
    missing: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return not self.missing and all(verdict.right for verdict in self.verdicts)

    def __getitem__(self, name: str) -> Verdict:
        return {verdict.name: verdict for verdict in self.verdicts}[name]

    def _lines(self) -> list[str]:
        return [*map(str, self.verdicts), *(f"{name}: not answered yet" for name in self.missing)]

    def __str__(self) -> str:
        right = sum(verdict.right for verdict in self.verdicts)
        head = "right" if self else f"{right} of {len(self.verdicts) + len(self.missing)} right"
        return "\n".join([f"{self.exercise}: {head}", *("  " + line for line in self._lines())])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        lines = "".join(f"<li>{escape(line)}</li>" for line in self._lines())
        return f"<section><p>{escape(str(self).splitlines()[0])}</p><ul>{lines}</ul></section>"


def check(exercise: Exercise, answers: Mapping[str, Any]) -> Report:
    """Compare answers with the true ones.

    Parameters
    ----------
    exercise : Exercise
    answers : mapping of str to number, array, formula, function, tuple or word
        By the names of the questions.

    Returns
    -------
    Report
    """
    for name in answers:
        exercise.find(name)
    if not answers:
        wanted = ", ".join(f"{name}=..." for name in exercise.questions)
        raise ValueError(f"no answer given: write check({exercise.name!r}, {wanted})")
    verdicts = [_verdict(exercise, name, exercise.find(name), given) for name, given in answers.items()]
    verdicts = [_in_the_others_place(exercise, verdict, verdicts, answers) for verdict in verdicts]
    order = list(exercise.questions)
    return Report(exercise.name, tuple(sorted(verdicts, key=lambda verdict: order.index(verdict.name))),
                  tuple(name for name in order if name not in answers))


def _verdict(exercise: Exercise, name: str, question: Question, given: Any) -> Verdict:
    if question.kind in ("shape", "choice"):
        return _word(exercise, name, question, given)
    if isinstance(given, str) or callable(given):
        if question.kind != "derivative" and callable(given):
            raise TypeError(f"{name} asks for a number, not for a function")
        points = exercise.points(POINTS if question.kind == "derivative" else 0)
        values = [_read(_apply(given, at, name), name) for at in points]
    else:
        points, values = [exercise.at], [_read(given, name)]
    if all(agree(value, question.truth(**at), question.decimals) for value, at in zip(values, points, strict=True)):
        return Verdict(name, True)
    return Verdict(name, False, *diagnose(exercise, name, values, points))


def _in_the_others_place(exercise: Exercise, verdict: Verdict, verdicts: Sequence[Verdict], answers: Mapping[str, Any]) -> Verdict:
    """The verdict, or *swapped* if this wrong answer and another are each right in the other's place (though each alone may look
    like another mistake: -1 and 1 like a sign)."""
    kinds = {name: exercise.find(name).kind for name in answers}
    for other in verdicts:
        comparable = other is not verdict and kinds[verdict.name] == kinds[other.name] != "choice"
        if verdict.right or other.right or not comparable:
            continue
        pair = ((verdict.name, other.name), (other.name, verdict.name))
        if all(_verdict(exercise, name, exercise.find(name), answers[given]).right for name, given in pair):
            return Verdict(verdict.name, False, "swapped", f"this is the answer to {other.name}")
    return verdict


def _apply(given: Any, at: Arguments, name: str) -> Any:
    if isinstance(given, str):
        return evaluate(given, at)
    try:
        wanted = list(inspect.signature(given).parameters)
    except (TypeError, ValueError):
        wanted = []
    try:
        return given(**{key: at[key] for key in wanted}) if wanted and set(wanted) <= set(at) else given(*at.values())
    except Exception as error:
        what = f"{type(error).__name__}: {error}".splitlines()[0]
        raise ValueError(f"the function for {name} failed with {what}; its arguments are {', '.join(at)}") from error


def _short(given: Any) -> str:
    """What was given, on one line and not too long."""
    text = " ".join(str(given).split())
    return text if len(text) <= 60 else text[:57] + "..."


def _read(given: Any, name: str) -> Any:
    try:
        array = np.asarray(given, float)
    except (TypeError, ValueError, OverflowError):
        what = "write a number, a list of numbers, a formula or a function"
        raise TypeError(f"the answer to {name} is {_short(given)}: {what}") from None
    if not np.all(np.isfinite(array)):
        raise ValueError(f"the answer to {name} is not finite: {_short(given)}")
    return array


def _word(exercise: Exercise, name: str, question: Question, given: Any) -> Verdict:
    truth = question.truth(**exercise.at)
    if question.kind == "shape":
        given = _tuple(given, name)
    else:
        words = {str(truth), *(str(mistake.wrong(**exercise.at)) for mistake in question.mistakes)}
        found = [word for word in words if word.lower() == str(given).strip().lower()]
        if not found:
            close = difflib.get_close_matches(str(given), words, 1)
            mean = f"; did you mean {close[0]}?" if close else ""
            raise ValueError(f"{name} is one of {', '.join(sorted(words))}, not {_short(given)!r}{mean}")
        given = found[0]
    if given == truth:
        return Verdict(name, True)
    for mistake in question.mistakes:
        if given == mistake.wrong(**exercise.at):
            return Verdict(name, False, mistake.code, mistake.hint)
    return Verdict(name, False, *_wrong_shape(given, truth))


def _tuple(given: Any, name: str) -> tuple[int, ...]:
    try:
        read = ast.literal_eval(given) if isinstance(given, str) else given
        sizes = [read] if isinstance(read, int | np.integer) else list(read)
        if any(int(size) != size for size in sizes):
            raise ValueError
        return tuple(int(size) for size in sizes)
    except (ValueError, SyntaxError, TypeError, OverflowError):
        raise TypeError(f"the answer to {name} is {_short(given)}: write a shape, as in (3, 4), or () for a number") from None


def _wrong_shape(given: Sequence[int], truth: Sequence[int]) -> tuple[str, str]:
    if tuple(given) == tuple(truth)[::-1]:
        return "transposed", "the axes stand in the reverse order"
    if sorted(given) == sorted(truth):
        return "wrong layout", "the right axes in the order of another layout"
    if sorted(size for size in given if size != 1) == sorted(size for size in truth if size != 1):
        return "wrong layout", "axes of length one: a vector has one axis here"
    if len(given) != len(truth):
        return "shape", f"{len(given)} axes where there should be {len(truth)}"
    return "shape", "the sizes of the axes are wrong"

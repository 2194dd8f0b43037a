"""What was the mistake? Wrong answers compared with those that the common mistakes lead to.

Three sources of wrong answers, in the order in which they are tried: mistakes that belong to one question, mistakes that can be
made with any answer (sign, factor 2, transposed ...), and derivations with one slip (:mod:`dualad.teach.slips`). A formula has to
agree with a wrong answer at several points, a number at one, so that a formula is diagnosed more surely.

Limits: **one slip at a time**; two slips are recognised only where both concern the whole answer (sign and transposed, say).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .. import jacobian, layout
from .exercise import Arguments, Exercise, Question
from .slips import slips, stops

__all__ = ["CODES", "agree", "diagnose"]

#: code -> the hint that is given where nothing more exact is known
CODES = {
    "sign": "the sign is wrong",
    "factor 2": "a factor 2 is missing, or one too many",
    "factor": "a constant factor is wrong",
    "transposed": "the rows should be columns: transpose it",
    "wrong layout": "the numbers are right, their axes stand in the order of another layout",
    "swapped": "this is the answer to another question",
    "dropped term": "the derivative of a term of the sum is missing",
    "missed path": "a contribution is missing: add up all the ways from the variable to the result",
    "chain factor": "chain rule: an inner derivative is missing",
    "power rule": "look at the power rule again",
    "product rule": "look at the product rule again",
    "quotient rule": "look at the quotient rule again",
    "wrong point": "a derivative is taken at a wrong point",
    "degrees": "angles are in radians",
    "not differentiated": "something still has to be differentiated",
    "wrong order": "another derivative is asked for",
    "direction": "the direction is left out",
    "order of elements": "the right numbers in a wrong order",
    "one entry": "not all entries are right",
    "shape": "the answer has a wrong shape",
    "rounding": "nearly: more digits are needed",
    "wrong choice": "another choice is right",
    "unknown": "not right, and none of the common mistakes",
}

RELATIVE = 5e-4
NEARLY = 0.03
MOST = 10


def agree(given: Any, wanted: Any, decimals: int | None = None) -> bool:
    """Is this answer that one, to four significant digits, or to the decimals that were asked for?

    Parameters
    ----------
    given, wanted : float or array
    decimals : int, optional

    Examples
    --------
    >>> from dualad.teach.mistakes import agree
    >>> agree(1208, 1208.3812, decimals=0), agree(4.561, 4.560792), agree(4.5, 4.560792)
    (True, True, False)
    """
    one, two = np.asarray(given, float), np.asarray(wanted, float)
    if one.shape != two.shape:
        return False
    size = float(np.max(np.abs(two), initial=0.0))
    allowed = RELATIVE * np.abs(two) + RELATIVE / 5.0 * size + 1e-12
    if decimals is not None:
        allowed = np.maximum(allowed if decimals > 0 else 0.0, 0.5 * 10.0**-decimals + 1e-9)
    return bool(np.all(np.abs(one - two) <= allowed))


def _whole(truth: Any, question: Question, at: Arguments) -> Iterator[tuple[str, str, Any]]:
    """Mistakes that can be made with any answer."""
    two_axes = truth.ndim == 2
    yield "sign", CODES["sign"], -truth
    yield "transposed", CODES["transposed"], truth.T if two_axes else None
    yield "factor 2", "there is a factor 2 too many", 2.0 * truth
    yield "factor 2", "a factor 2 is missing", 0.5 * truth
    yield "factor 2", "the sign and a factor 2", -2.0 * truth
    yield "factor 2", "the sign and a factor 2", -0.5 * truth
    yield "transposed", "transpose it, and look at the sign", -truth.T if two_axes else None
    yield "transposed", "transpose it, and look for a factor 2", 0.5 * truth.T if two_axes else None
    yield "transposed", "transpose it, and look for a factor 2", 2.0 * truth.T if two_axes else None
    if truth.ndim == 1:
        yield "wrong layout", "a row (1, n): dualad and NumPy write a gradient with one axis", truth[None]
        yield "wrong layout", "a column (n, 1): dualad and NumPy write a gradient with one axis", truth[:, None]
    if truth.ndim > 2:
        x_ndim = np.ndim(at[question.wrt]) if question.wrt else 1
        for name in ("numerator", "denominator"):
            hint = f"the numbers are right, in {name} layout; shape(y) + shape(x) is {truth.shape}"
            yield "wrong layout", hint, layout.convert(truth, "stacked", name, x_ndim=x_ndim)
        for axes in itertools.islice(itertools.permutations(range(truth.ndim)), 1, 24):
            yield "wrong layout", CODES["wrong layout"], truth.transpose(axes)


def _candidates(exercise: Exercise, name: str, at: Arguments) -> list[tuple[str, str, Any]]:
    """The wrong answers at one point, in the order of preference: as many, in the same order, at every point."""
    question = exercise.questions[name]
    truth = np.asarray(question.truth(**at), float)
    found = [(mistake.code, mistake.hint, mistake.wrong(**at)) for mistake in question.mistakes]
    found += _whole(truth, question, at)
    if question.f is not None:
        value = question.f(**at)
        found.append(("not differentiated", "this is the value of the function, not its derivative", value))
        if question.kind == "derivative":
            found += [(code, hint, question.after(wrong, at) if np.any(wrong) else None)  # a slip does not explain an answer of 0
                      for code, hint, wrong in slips(question.f, at, question.wrt)]
            found += stops(question.f, at, question.wrt)
        found += _by_another(question, at)
    for other, asked in exercise.questions.items():
        same = other != name and asked.kind in ("derivative", "number")
        found.append(("swapped", f"this is the answer to {other}", asked.truth(**at) if same else None))
    return found


def _by_another(question: Question, at: Arguments) -> list[tuple[str, str, Any]]:
    """The derivatives by the other arguments: of a^T x by a, say."""
    found: list[tuple[str, str, Any]] = []
    for other, given in at.items():
        if other != question.wrt and question.f is not None and isinstance(given, float | np.ndarray):
            of_one = lambda value, other=other: question.f(**{**at, other: value})
            slope = jacobian(of_one)(given)
            found.append(("swapped", f"this is the derivative by {other}, not by {question.wrt}", slope if np.any(slope) else None))
    return found


def diagnose(exercise: Exercise, name: str, given: Sequence[Any], points: Sequence[Arguments]) -> tuple[str, str]:
    """The mistake behind a wrong answer.

    Parameters
    ----------
    exercise : Exercise
    name : str
        Of the question.
    given : sequence of float or array
        The answer at each of `points`.
    points : sequence of mapping

    Returns
    -------
    code, hint : str

    Examples
    --------
    >>> from dualad.teach import catalogue
    >>> from dualad.teach.mistakes import diagnose
    >>> exercise = catalogue.find("quiz1")
    >>> diagnose(exercise, "dx", [-1208.0], [exercise.at])
    ('sign', 'the sign is wrong')
    """
    question = exercise.questions[name]
    truths = [np.asarray(question.truth(**at), float) for at in points]
    if question.decimals is not None and truths[0].shape == np.shape(given[0]):
        if np.all(np.abs(given[0] - truths[0]) <= 1.0001 * 10.0**-question.decimals):
            return "rounding", f"nearly: round the last digit (to {question.decimals} decimals)"
    left = _candidates(exercise, name, points[0])
    fits = [i for i, (_, _, value) in enumerate(left) if value is not None and agree(given[0], value, question.decimals)]
    others = [_candidates(exercise, name, at) for at in points[1:]] if fits else []  # most answers fit nothing, or have one point
    for i in fits:
        wrong = [candidates[i][2] for candidates in (left, *others)]
        if any(value is None for value in wrong) or all(agree(w, t, None) for w, t in zip(wrong, truths, strict=True)):
            continue
        if all(agree(g, w, question.decimals) for g, w in zip(given, wrong, strict=True)):
            return left[i][0], left[i][1]
    return _by_comparison(given, truths)


def _by_comparison(given: Sequence[Any], truths: Sequence[Any]) -> tuple[str, str]:
    """What can be said from the answer and the truth alone."""
    pairs = [(np.asarray(g, float), t) for g, t in zip(given, truths, strict=True)]
    one, two = pairs[0]
    if one.shape != two.shape:
        return "shape", f"your answer has shape {one.shape}, the right one has shape {two.shape}"
    if all(agree(abs(g), abs(t)) for g, t in pairs):
        return "sign", f"the sign is wrong in {int(np.sum(np.sign(one) != np.sign(two)))} of {one.size} entries"
    if one.size > 1 and all(agree(np.sort(g, axis=None), np.sort(t, axis=None)) for g, t in pairs):
        return "order of elements", CODES["order of elements"]
    ratios = np.concatenate([np.ravel(g / t) if np.all(t) else [np.nan] for g, t in pairs])
    if len(ratios) > 1 and np.ptp(ratios) <= RELATIVE * abs(ratios[0]) and ratios[0]:
        return "factor", f"your answer is {ratios[0]:.4g} times the right one"
    if one.size == 1 == len(pairs) and one.item() and two.item():
        times = max(one.item() / two.item(), two.item() / one.item())
        if 2.5 < times < MOST + 0.5 and abs(times - round(times)) < RELATIVE * times:
            part = f"{times:.0f} times" if abs(one.item()) > abs(two.item()) else f"1/{times:.0f} of"
            return "factor", f"your answer is {part} the right one"
    if all(np.all(abs(g - t) <= NEARLY * abs(t)) for g, t in pairs):
        return "rounding", CODES["rounding"]
    right = int(np.sum([agree(a, b) for a, b in zip(np.ravel(one), np.ravel(two), strict=True)]))
    if right:
        return "one entry", f"{right} of {one.size} entries are right"
    return "unknown", CODES["unknown"]

"""What an exercise is: a text, a point, and questions whose answers are computed, not written down.

A :class:`Question` about a derivative knows the function, so that the true answer comes from dualad at any point, and wrong
answers can be made from the same function by a derivation with one slip (:mod:`dualad.teach.slips`).
"""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np

from .. import derivative, jacobian

__all__ = ["Exercise", "Mistake", "Question", "by", "choice", "directional", "number", "second", "shape"]

Arguments = Mapping[str, Any]
WIDTH = 96


@dataclass(frozen=True)
class Mistake:
    """A mistake that belongs to one question.

    Parameters
    ----------
    code : str
        One of :data:`dualad.teach.mistakes.CODES`.
    wrong : callable
        The answer that it leads to, from the arguments of the exercise by name.
    hint : str
    """

    code: str
    wrong: Callable[..., Any]
    hint: str


@dataclass(frozen=True)
class Question:
    """One thing that is asked for.

    Parameters
    ----------
    asks : str
        In words or a formula.
    truth : callable
        The answer, from the arguments of the exercise by name.
    kind : {"derivative", "number", "shape", "choice"}
        A derivative may also be answered by a formula or a function, which is then compared at several points.
    f, wrt : callable, str
        The function whose derivation may slip, and the argument it is differentiated by; None for other questions.
    after : callable
        What makes the answer out of the derivative: ``after(jacobian, arguments)``.
    decimals : int, optional
        The text asks for an answer rounded to so many decimals.
    mistakes : tuple of Mistake
    """

    asks: str
    truth: Callable[..., Any]
    kind: str
    f: Callable[..., Any] | None = None
    wrt: str = ""
    after: Callable[[Any, Arguments], Any] = field(default=lambda derivative, at: derivative)
    decimals: int | None = None
    mistakes: tuple[Mistake, ...] = ()


@dataclass(frozen=True, repr=False)
class Exercise:
    """An exercise; prints as the student reads it.

    Parameters
    ----------
    name : str
    rows : tuple of str
        The worked examples it belongs to.
    topic, text : str
    at : mapping
        The point: the arguments by name.
    questions : mapping of str to Question
    sample : callable, optional
        ``sample(rng)`` returns other arguments, at which formulas are compared; by default near the point.
    """

    name: str
    rows: tuple[str, ...]
    topic: str
    text: str
    at: Arguments
    questions: Mapping[str, Question]
    sample: Callable[[np.random.Generator], Arguments] | None = None

    def points(self, count: int) -> list[Arguments]:
        """The point and `count` others, the same at every call."""
        rng = np.random.default_rng(20)
        make = self.sample or (lambda rng: {name: _near(given, rng) for name, given in self.at.items()})
        return [self.at, *(make(rng) for _ in range(count))]

    def answers(self) -> dict[str, Any]:
        """The right answers, by dualad."""
        return {name: question.truth(**self.at) for name, question in self.questions.items()}

    def find(self, name: str) -> Question:
        """A question by its name, or an error that says which there are."""
        if name not in self.questions:
            raise ValueError(f"{self.name} does not ask for {name!r}; it asks for {', '.join(self.questions)}")
        return self.questions[name]

    def _lines(self) -> list[str]:
        where = [f"{name} = {_plain(given)}" for name, given in self.at.items()]
        return [*textwrap.wrap(self.text, WIDTH), *(["", *textwrap.wrap(f"At {', '.join(where)}.", WIDTH)] if where else []), "",
                *(f"    {name:12}  {_ask(question)}" for name, question in self.questions.items()), "",
                f"Answer with {self._call()}"]

    def _call(self) -> str:
        return f'teach.check("{self.name}", {", ".join(f"{name}=..." for name in self.questions)})'

    def __str__(self) -> str:
        return "\n".join([f"{self.name} ({self.topic}, {', '.join(self.rows)})", "", *self._lines()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        asks = "".join(f"<tr><th scope=\"row\">{escape(name)}</th><td>{escape(_ask(question))}</td></tr>"
                       for name, question in self.questions.items())
        where = ", ".join(f"{name} = {_plain(given)}" for name, given in self.at.items())
        point = f"<p>At {escape(where)}.</p>" if where else ""
        return (f"<section><h3>{escape(self.name)}</h3><p>{escape(self.text)}</p>{point}"
                f"<table><tbody>{asks}</tbody></table><p>Answer with <code>{escape(self._call())}</code></p></section>")


def _ask(question: Question) -> str:
    rounding = {None: "", 0: ", to the nearest integer"}.get(question.decimals, f", to {question.decimals} decimals")
    forms = {"derivative": " (a value or a formula)", "shape": " (a tuple)"}.get(question.kind, "")
    return question.asks + rounding + forms


def _plain(given: Any) -> str:
    return str(np.asarray(given).tolist()) if isinstance(given, np.ndarray) else repr(given)


def _near(given: Any, rng: np.random.Generator) -> Any:
    """Another value of the same sign and size (so that logarithms stay defined)."""
    factors = rng.uniform(0.7, 1.3, np.shape(given))
    return float(given * factors) if isinstance(given, float) else given * factors if isinstance(given, np.ndarray) else given


def suggestion(name: object, known: Any) -> str:
    """", did you mean ...?" or the way to the list."""
    close = difflib.get_close_matches(str(name), list(known), 1)
    return f"did you mean {close[0]!r}?" if close else "teach.list() has them all"


# ---- kinds of questions --------------------------------------------------------------------------------------------------------

def by(f: Callable[..., Any], wrt: str, asks: str, after: Callable[[Any, Arguments], Any] | None = None, *,
       decimals: int | None = None, mistakes: tuple[Mistake, ...] = ()) -> Question:
    """The derivative of f by one of its arguments, or what `after` makes of it."""
    finish = after or (lambda derivative, at: derivative)

    def truth(**at: Any) -> Any:
        return finish(jacobian(lambda value: f(**{**at, wrt: value}))(at[wrt]), at)

    return Question(asks, truth, "derivative", f, wrt, finish, decimals, mistakes)


def directional(f: Callable[..., Any], wrt: str, along: str, asks: str, mistakes: tuple[Mistake, ...] = ()) -> Question:
    """The derivative of f in a direction that is another argument of the exercise."""
    drop = lambda at: {name: given for name, given in at.items() if name != along}
    after = lambda slope, at: np.tensordot(slope, at[along], axes=np.ndim(at[along]))[()]

    def truth(**at: Any) -> Any:
        return after(jacobian(lambda value: f(**{**drop(at), wrt: value}))(at[wrt]), at)

    forgotten = Mistake("direction", lambda **at: jacobian(lambda value: f(**{**drop(at), wrt: value}))(at[wrt]),
                        f"this is the derivative itself: apply it to the direction {along}")
    return Question(asks, truth, "derivative", lambda **at: f(**drop(at)), wrt, after, None, (forgotten, *mistakes))


def second(f: Callable[..., Any], first: Callable[..., Any], wrt: str, asks: str) -> Question:
    """The second derivative of f; `first` is f' written by hand, in whose derivation one may slip."""
    def truth(**at: Any) -> Any:
        one = lambda value: f(**{**at, wrt: value})
        return derivative(derivative(one))(at[wrt]) if isinstance(at[wrt], float) else jacobian(jacobian(one))(at[wrt])

    stopped = Mistake("wrong order", lambda **at: first(**at), "this is the first derivative: differentiate once more")
    return Question(asks, truth, "derivative", first, wrt, mistakes=(stopped,))


def number(asks: str, truth: Callable[..., Any], *mistakes: Mistake, decimals: int | None = None) -> Question:
    """A number or an array."""
    return Question(asks, truth, "number", decimals=decimals, mistakes=mistakes)


def shape(asks: str, truth: Callable[..., Any], *mistakes: Mistake) -> Question:
    """The shape of an array."""
    return Question(asks, truth, "shape", mistakes=mistakes)


def choice(asks: str, truth: str, **hints: str) -> Question:
    """One of several words or letters; `hints` say what is wrong with the others."""
    mistakes = tuple(Mistake("wrong choice", lambda word=word, **at: word, hint) for word, hint in hints.items())
    return Question(f"{asks}: {', '.join(sorted([truth, *hints]))}", lambda **at: truth, "choice", mistakes=mistakes)

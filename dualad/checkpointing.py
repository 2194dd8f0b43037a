"""Checkpointing: reverse mode that stores the inputs of a piece of program instead of its tape, and runs the piece again.

    checkpoint(f)             one entry on the tape; the pullback records f afresh, sweeps it, forgets it
    checkpoint_sequence       n equal steps with at most s stored states, at the fewest possible repeated steps (revolve)

The mechanism is in `dualad/rerun.py`, what a function closes over in `dualad/closures.py`; here are the two functions and
the binomial schedule. Ten steps with three snapshots (* stored before the step, > run without a tape, R on a tape and swept)::

    step      0  1  2  3  4  5  6  7  8  9
             *>  >  >  > *>  >  > *>  >  R     the way out: the last step needs no second run
                                   >  R        from the last stored state: one extra step
                                   R           its own step; the place is free
                         *> *>  R              ... for a state further left
                            R
                          R
             *> *> *>  R                       at last behind the initial state
                    R
                R
             R                                 15 runs without a tape = t(10, 3)

Which step runs how often is decided by :func:`_split` alone.

A. Griewank & A. Walther, *Algorithm 799: revolve*, ACM Transactions on Mathematical Software 26 (2000), 19-45.
"""

from __future__ import annotations

import functools
import inspect
import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

from ._core import Traced
from .arguments import check_callable
from .closures import Closure
from .forward import zero_like
from .generic import pack
from .rerun import Again, is_inexact, own, pulled
from .reverse import Recording
from .tree import flatten, unflatten

__all__ = ["checkpoint", "checkpoint_sequence", "extra_steps"]


def _name_of(f: Any) -> str:
    return str(getattr(f, "__name__", type(f).__name__))


# ---- one function ------------------------------------------------------------------------------------------------------------

class _Call(Again):
    """f on containers, as a function of their leaves and of what f closes over."""

    def __init__(self, f: Callable[..., Any], given: Sequence[Any], structure: Any) -> None:
        super().__init__(_name_of(f))
        self.structure, self.given = structure, len(given)
        self.functions = [i for i, x in enumerate(given) if callable(x) and not isinstance(x, Traced)]
        self.closure = Closure([f, *(given[i] for i in self.functions)])
        self.last: Any = None  # structure of the output

    def run(self, leaves: list[Any]) -> list[Any]:
        xs = leaves[:self.given]
        f, *functions = self.closure.replaced(leaves[self.given:])
        for i, function in zip(self.functions, functions, strict=True):
            xs[i] = function
        args, kwargs = unflatten(self.structure, xs)
        outs, self.last = flatten(f(*args, **kwargs))
        return [pack(o) for o in outs]


def checkpoint(f: Callable[..., Any]) -> Callable[..., Any]:
    """f with the same values and derivatives, whose reverse mode stores its inputs and runs it again in the pullback.

    Parameters
    ----------
    f : callable
        Any function that returns the same for the same arguments. Arguments and results are floats, arrays, containers of
        them, and anything else that is not differentiated.

    Returns
    -------
    callable
        Takes what f takes. Under `grad`, `vjp`, `jacrev` it makes one entry on the tape. In forward mode f just runs:
        there is nothing to save.

    Raises
    ------
    TypeError
        f uses a traced value that can be neither seen among its arguments nor in its closure (an attribute of an object
        that is no dataclass, a global variable): pass it as an argument.

    Notes
    -----
    Memory: the inputs and outputs of f instead of its tape. Cost: one more run of f for each reverse sweep.
    Values of the same transformation that f closes over count as inputs, through functions, ``functools.partial``, bound
    methods and containers. Nested reverse modes store inputs only at every level.
    f runs again in the pullback: what it prints, counts or draws from a random generator happens again, and what it reads
    besides its arguments must be as it was.

    References
    ----------
    A. Griewank & A. Walther, *Evaluating Derivatives*, 2nd ed., SIAM 2008, chapter 12.

    Examples
    --------
    >>> import numpy as np, dualad
    >>> @dualad.checkpoint
    ... def layer(w, x):
    ...     return np.tanh(w @ x)
    >>> dualad.grad(lambda w: np.sum(layer(w, layer(w, np.ones(2)))))(np.eye(2)).round(4)
    array([[0.6945, 0.6945],
           [0.6945, 0.6945]])
    """
    check_callable(f, "checkpoint")

    def again(*args: Any, **kwargs: Any) -> Any:
        given, structure = flatten((args, kwargs))
        call = _Call(f, given, structure)
        leaves = [*(pack(x) for x in given), *call.closure.leaves]
        if not any(isinstance(x, Traced) for x in leaves):
            return f(*args, **kwargs)
        call.closure.freeze()
        outs = call(leaves)
        call.closure.settle()
        return unflatten(call.last, list(outs))

    if hasattr(f, "__name__"):
        functools.update_wrapper(again, f)
    again.__name__ = f"checkpoint({_name_of(f)})"
    return again


# ---- many steps --------------------------------------------------------------------------------------------------------------

def _repetitions(steps: int, snapshots: int) -> int:
    """The r with C(s+r-1, s) < l <= C(s+r, s): how often the most repeated step runs without a tape."""
    r = 0
    while math.comb(snapshots + r, snapshots) < steps:
        r += 1
    return r


def extra_steps(steps: int, snapshots: int) -> int:
    """Steps that reversing a sequence runs beyond one run each: t(l, s) = r l - C(s+r, s+1).

    Parameters
    ----------
    steps : int
        Length l of the sequence.
    snapshots : int
        States s stored at once, the initial one included.

    Returns
    -------
    int
        The least possible number (Griewank & Walther 2000); r is the integer with C(s+r-1, s) < l <= C(s+r, s).

    Examples
    --------
    >>> from dualad.checkpointing import extra_steps
    >>> [extra_steps(100, s) for s in (2, 4, 6, 11)]
    [845, 374, 280, 209]
    """
    if steps < 1:
        return 0
    r = _repetitions(steps, snapshots)
    return r * steps - math.comb(snapshots + r, snapshots + 1)


def _split(steps: int, snapshots: int) -> int:
    """After how many of `steps` steps to store the next state, when `snapshots` > 1 of them fit (the one at the start too).

    Any m between the bounds C(s+r-2, s) <= m <= C(s+r-1, s) and C(s+r-2, s-1) <= l-m <= C(s+r-1, s-1) is optimal; this is
    the largest.
    """
    s, r = snapshots, _repetitions(steps, snapshots)
    return min(math.comb(s + r - 1, s), steps - math.comb(s + r - 2, s - 1))


#: a state between two steps: leaves and structure
_State = tuple[list[Any], Any]


class _Step(Again):
    """One step, as a function of the leaves of its state and of what it closes over."""

    def __init__(self, step: Callable[..., Any], number: tuple[int, ...], structure: Any, closure: Closure) -> None:
        super().__init__(_name_of(step))
        self.number, self.structure, self.closure = number, structure, closure
        self.last: Any = None

    def run(self, leaves: list[Any]) -> list[Any]:
        end = len(leaves) - len(self.closure.leaves)
        step = self.closure.replaced(leaves[end:])
        outs, self.last = flatten(step(unflatten(self.structure, leaves[:end]), *self.number))
        return [pack(o) for o in outs]


class _Kept:
    """What the forward run leaves to the first pullback: stored states behind the initial one, the tape of the last step."""

    __slots__ = ("active", "given", "stack", "tape")

    def __init__(self, stack: list[tuple[int, _State]], tape: Recording, active: list[bool], given: list[int]) -> None:
        self.stack, self.tape, self.active, self.given = stack, tape, active, given

    def pull(self, cts: Sequence[Any], lanes: int) -> list[Any]:
        """Cotangents of the last step's state and of what it closes over (None where there is no derivative)."""
        grads = iter(pulled(self.tape, [cts[i] for i in self.given], lanes))
        return [next(grads) if active else None for active in self.active]

    def before(self) -> list[Any]:
        """The state the last step started from, and what it closes over."""
        values = iter([self.tape.value(x) for x in self.tape.inputs])
        return [next(values) if active else None for active in self.active]


class _Sequence(Again):
    """n steps with at most `snapshots` stored states: a stack of (steps before it, state) above the initial one."""

    def __init__(self, step: Callable[..., Any], n: int, snapshots: int, structure: Any, closure: Closure) -> None:
        super().__init__(f"the sequence of {_name_of(step)}")
        self.step, self.n, self.snapshots, self.structure, self.closure = step, n, snapshots, structure, closure
        self.numbered = _takes_number(step)
        self.last: Any = None

    def run(self, leaves: list[Any]) -> list[Any]:
        state, held = self._initial(leaves)
        outs, self.last = self._advance(state, held, 0, self.n)
        return outs

    def start(self, leaves: list[Any]) -> tuple[list[Any], _Kept]:
        """Run to the end, storing states; the last step runs on its tape, so that it need not run twice."""
        state, held = self._initial(leaves)
        stack = [(0, state)]
        before, structure = self._descend(stack, self.n, held)
        step, given = self._step(self.n - 1, structure), list[int]()
        active = [is_inexact(x) for x in (*before, *held)]
        tape, outs = step.record([*before, *held], active, given)
        self.last = step.last
        return [tape.value(o) for o in outs], _Kept(stack[1:], tape, active, given)

    def sweep(self, primals: Sequence[Any], cts: Sequence[Any], needs: Sequence[bool], lanes: int, kept: Any,
              known: Sequence[Any] | None) -> list[Any]:
        state, held = self._initial(list(primals))
        wanted = list(needs[len(state[0]):])
        total: list[Any] = [None] * len(held)
        first = _taken(kept)
        stack = [(0, state), *(first.stack if first is not None else [])]
        for i in range(self.n - 1, -1, -1):
            if first is not None:
                parts, known = first.pull(cts, lanes), first.before()[:len(first.active) - len(held)]
                first = None
            else:
                before, structure = self._descend(stack, i + 1, held)
                active = [*(is_inexact(x) for x in before), *wanted]
                parts = self._step(i, structure).pull([*before, *held], cts, active, lanes, known=known)
                known = before
            at = len(parts) - len(held)
            cts = parts[:at]
            total = [t if p is None else p if t is None else t + p for t, p in zip(total, parts[at:], strict=True)]
            if i and stack[-1][0] == i:
                stack.pop()
        lead = (lanes,) if lanes else ()
        return [None if not need else zero_like(x, lead) if g is None else g
                for g, x, need in zip([*cts, *total], primals, needs, strict=True)]

    def _initial(self, leaves: list[Any]) -> tuple[_State, list[Any]]:
        end = len(leaves) - len(self.closure.leaves)
        return (leaves[:end], self.structure), leaves[end:]

    def _step(self, i: int, structure: Any) -> _Step:
        return _Step(self.step, (i,) if self.numbered else (), structure, self.closure)

    def _advance(self, state: _State, held: list[Any], start: int, stop: int) -> _State:
        """The state before step `stop`, from the one before step `start`."""
        leaves, structure = [own(x) for x in state[0]], state[1]
        for i in range(start, stop):
            step = self._step(i, structure)
            leaves = list(step([*leaves, *held]))
            structure = step.last
        return leaves, structure

    def _descend(self, stack: list[tuple[int, _State]], stop: int, held: list[Any]) -> _State:
        """The state before step `stop` - 1, from the last stored one, storing others on the way where places are free."""
        at, state = stack[-1]
        while stop - at > 1:
            free = self.snapshots - len(stack)
            to = at + _split(stop - at, free + 1) if free else stop - 1
            state, at = self._advance(state, held, at, to), to
            if stop - at > 1:
                stack.append((at, state))
        return state


def _taken(kept: list[_Kept] | None) -> _Kept | None:
    """What the forward run kept, the first time it is asked for; later pullbacks start from the initial state."""
    try:
        return kept.pop() if kept else None
    except IndexError:  # another thread was faster
        return None


def _takes_number(step: Callable[..., Any]) -> bool:
    """Does the step have a second parameter that must be given?"""
    try:
        parameters = inspect.signature(step).parameters.values()
    except (TypeError, ValueError):  # a function written in C
        return False
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in positional and p.default is inspect.Parameter.empty for p in parameters) >= 2


def _whole(x: Any, least: int, what: str) -> int:
    if isinstance(x, bool) or not hasattr(x, "__index__") or isinstance(x, Traced):
        raise TypeError(f"checkpoint_sequence: {what} is {type(x).__name__} ({x!r:.60}); give a whole number")
    number = operator.index(x)
    if number < least:
        raise ValueError(f"checkpoint_sequence: {what} is {number}; give at least {least}")
    return number


def checkpoint_sequence(step: Callable[..., Any], state: Any, n: int, snapshots: int) -> Any:
    """The state after n steps; reverse mode stores at most `snapshots` states and the tape of one step.

    Parameters
    ----------
    step : callable
        ``step(state)`` returns the next state. With a second parameter that has no default it is called as
        ``step(state, i)`` with the number of the step, from 0.
    state : float, array or container
        Before the first step.
    n : int
        How many steps.
    snapshots : int
        How many states reverse mode stores at once, the initial one included; at least 1.

    Returns
    -------
    float, array or container
        The state after the last step, which is what ``for i in range(n): state = step(state)`` gives, bit for bit.

    Raises
    ------
    TypeError
        n or snapshots is no whole number; the step uses a traced value that can not be seen (as for :func:`checkpoint`).
    ValueError
        n < 0 or snapshots < 1.

    Notes
    -----
    Cost of value and gradient: every step runs once on a tape of its own, and there are t(n, s) = r n - C(s+r, s+1) further
    runs without a tape, where r is the integer with C(s+r-1, s) < n <= C(s+r, s): the fewest possible for s snapshots
    (:func:`dualad.checkpointing.extra_steps`; 100 steps with 4 snapshots: 374 extra). A pullback that is called again starts
    from the initial state.
    Values that the step closes over are differentiated too. Every float of the state is taken as differentiated.
    Forward mode just runs the steps. In nested reverse modes the innermost follows the schedule; an outer one stores the
    inputs of every step that runs.

    References
    ----------
    A. Griewank & A. Walther, *Algorithm 799: revolve*, ACM Trans. Math. Softw. 26 (2000), 19-45.

    Examples
    --------
    >>> import dualad
    >>> def population(rate):
    ...     return dualad.checkpoint_sequence(lambda x: rate * x * (1.0 - x), 0.2, n=50, snapshots=3)
    >>> round(population(2.0), 12), round(dualad.grad(population)(2.0), 12)    # the limit is 1 - 1/rate
    (0.5, 0.25)
    """
    check_callable(step, "checkpoint_sequence")
    n, snapshots = _whole(n, 0, "n"), _whole(snapshots, 1, "snapshots")
    if not n:
        return state
    leaves, structure = flatten(state)
    closure = Closure(step)
    sequence = _Sequence(step, n, snapshots, structure, closure)
    closure.freeze()
    outs = sequence([*(pack(x) for x in leaves), *closure.leaves])
    closure.settle()
    return unflatten(sequence.last, list(outs))

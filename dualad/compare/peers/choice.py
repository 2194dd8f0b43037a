"""Which peers take part, and their answers: right, and in reasonable time, before anything is measured."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np

from ...tree import flatten
from ..methods import NotApplicableError
from ..recorded import Recorded
from .adapters import PEERS
from .peer import Call, Peer

__all__ = ["absent", "checked_gradient", "checked_jacobian", "selected", "versions"]

#: seconds a derivative of a peer may take to be timed
PATIENCE = 1.0
#: difference from dualad's answer, relative to the largest entry
TOLERANCE = 1e-9


def selected(peers: bool | Collection[str]) -> tuple[str, ...]:
    """Names of peers: all (True), none (False), or those given, in the order of the figures.

    Raises
    ------
    ValueError
        A name that there is not.

    Examples
    --------
    >>> from dualad.compare import peers
    >>> peers.selected(["torch", "autograd"]), peers.selected(False)
    (('autograd', 'torch'), ())
    """
    if isinstance(peers, bool):
        return tuple(PEERS) if peers else ()
    for name in [peers] if isinstance(peers, str) else peers:
        if name not in PEERS:
            raise ValueError(f"no peer {name!r}; there are {', '.join(PEERS)}")
    return tuple(name for name in PEERS if name in peers)


def absent(peers: Collection[str]) -> list[str]:
    """Those that are not installed."""
    return [name for name in peers if not PEERS[name].installed()]


def versions(peers: Collection[str]) -> str:
    """Name and version of those that are installed."""
    return ", ".join(f"{name} {PEERS[name].version()}".strip() for name in peers if PEERS[name].installed())


def checked_jacobian(name: str, f: Callable[..., Any], x: np.ndarray, exact: np.ndarray, tape: Recorded) -> Call:
    """The peer's Jacobian of f: R^n -> R^m at x, after it has given the right answer once.

    Parameters
    ----------
    name : str
        Of the peer.
    f : callable
    x : ndarray (n,)
    exact : ndarray (m, n)
        Dualad's answer.
    tape : Recorded
        Of f at x.

    Returns
    -------
    callable
        Without arguments.

    Raises
    ------
    NotApplicableError
        It cannot, would take too long, or gives another answer; the message says which.
    """
    peer, (m, n) = PEERS[name], exact.shape
    return _checked(peer, lambda: peer.jacobian(f, x, m), tape, n, m, lambda answer: _difference(np.ravel(answer), exact))


def checked_gradient(name: str, f: Callable[..., Any], args: Sequence[Any], count: int, exact: Any, tape: Recorded) -> Call:
    """The peer's gradient of f(*args) with respect to the first `count` arguments, after it has given the right answer once.

    Parameters
    ----------
    name : str
    f : callable
        Returns a number.
    args : sequence
    count : int
    exact
        The right answer: containers of floats and arrays.
    tape : Recorded
        Of f, `count` arguments traced.

    Returns
    -------
    callable

    Raises
    ------
    NotApplicableError
        As for :func:`checked_jacobian`.
    """
    wanted = _flat(exact)
    return _checked(PEERS[name], lambda: PEERS[name].gradient(f, args, count), tape, wanted.size, 1,
                    lambda answer: _difference(_flat(answer), wanted[None]))


def _checked(peer: Peer, build: Callable[[], Call], tape: Recorded, n: int, m: int, difference: Callable[[Any], str]) -> Call:
    if not peer.installed():
        raise NotApplicableError("not installed")
    effort = peer.effort(tape, n, m)
    if effort > peer.most:
        raise NotApplicableError(f"more than {peer.most:,} {peer.unit} are not tried ({effort:.3g})")
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # remarks of theirs on how we call them
            call = build()
            wrong = difference(call())
            start = time.perf_counter()
            call()  # once more: the first one may have compiled
            seconds = time.perf_counter() - start
    except Exception as error:  # what a library refuses, and how, is a finding of the comparison
        raise NotApplicableError(f"cannot do this function ({_first_line(error)})") from error
    if wrong:
        raise NotApplicableError(wrong)
    if seconds > PATIENCE:
        raise NotApplicableError(f"takes more than {PATIENCE:g} s ({seconds:.2g} s)")
    return call


def _difference(answer: np.ndarray, exact: np.ndarray) -> str:
    """How an answer differs; "" if it does not."""
    answer = np.asarray(answer, dtype=float)
    if answer.size != exact.size:
        return f"gives {answer.size} numbers, not {exact.size}"
    error = np.abs(answer.reshape(exact.shape) - exact)
    if np.all(error <= TOLERANCE * max(float(np.max(np.abs(exact), initial=0.0)), np.finfo(float).tiny)):
        return ""
    i, j = np.unravel_index(np.argmax(np.where(np.isnan(error), np.inf, error)), error.shape)
    return f"gives another answer: entry ({i}, {j}) is {answer.reshape(exact.shape)[i, j]:.12g}, by dualad {exact[i, j]:.12g}"


def _flat(value: Any) -> np.ndarray:
    return np.concatenate([np.ravel(np.asarray(leaf, dtype=float)) for leaf in flatten(value)[0]])


def _first_line(error: Exception) -> str:
    words = " ".join((str(error).strip() or "no message").split())
    return f"{type(error).__name__}: {words if len(words) <= 120 else words[:117] + '...'}"

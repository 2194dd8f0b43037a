"""Functions that the command line names as ``module:function``, and the experiment `mine` on them."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from .methods import DisagreementError
from .mine import mine
from .options import names, numbers, sizes
from .progress import Progress, silent
from .registry import Argument, register
from .result import Report

__all__ = ["BadInputError", "find", "mine_by_name"]


class BadInputError(ValueError):
    """Something the user typed; its message is the one line that is printed."""


def find(name: str) -> Callable[..., Any]:
    """The function called ``module:function``, modules of the current directory included."""
    module, colon, path = name.partition(":")
    if not (module and colon and path):
        raise BadInputError(f"name the function as module:function, not {name!r}")
    if "" not in sys.path and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        found: Any = importlib.import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
    except (Exception, SystemExit) as error:  # the module is the caller's: it may fail in any way
        raise BadInputError(f"cannot load {name}: {type(error).__name__}: {error}") from error
    if not callable(found):
        raise BadInputError(f"{name} is not a function")
    return found  # type: ignore[no-any-return]


def mine_by_name(function: str, at: Sequence[int] | None = None, x: Sequence[float] | None = None, seed: int = 0, repeats: int = 15,
                 without: Sequence[str] = (), count_only: bool = False, peers: bool = False, progress: Progress = silent) -> Report:
    """:func:`dualad.compare.mine` of a function called ``module:function``."""
    f = find(function)
    if x is not None and at is not None:
        raise BadInputError("give --at or --x, not both")
    point = x[0] if x is not None and len(x) == 1 else x
    try:
        return mine(f, point, at=at, without=without, seed=seed, repeats=repeats, count_only=count_only, peers=peers,
                    progress=progress)
    except DisagreementError:
        raise
    except (Exception, SystemExit) as error:  # f is the caller's: it may fail in any way
        raise BadInputError(f"{function}: {type(error).__name__}: {error}") from error


register(
    "mine", "your own function, named as module:function", mine_by_name,
    Argument("function", metavar="module:function", help="in a module that can be imported here", positional=True),
    Argument("at", sizes, None, "call it on arrays of these sizes", metavar="SIZES"),
    Argument("x", numbers, None, "call it at this point (one number: a float)", metavar="X,..."),
    Argument("without", names, (), "methods to leave out, as named by `list`", metavar="METHOD,..."),
    Argument("peers", bool, False, "time autograd, JAX, torch, num-dual, CasADi beside, where installed"),
)

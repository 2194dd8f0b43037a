"""`dualad explain module:function --at 2,5`: an explanation from a terminal.

Everything is computed before the first line is printed and the first file written. Exit codes: 0 done, 2 bad input.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from ..compare.named import BadInputError, find
from ..compare.storage import write_atomically
from .entry import explain
from .explanation import Explanation
from .tracing import origin

__all__ = ["main"]


class _Parser(argparse.ArgumentParser):
    """argparse whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        print(f"{self.prog}: error: {' '.join(message.split())}", file=sys.stderr)
        raise SystemExit(2)


def make_parser(prog: str) -> argparse.ArgumentParser:
    """The options."""
    parser = _Parser(
        prog, description="How the derivative of a function at a point comes about, operation by operation.", allow_abbrev=False
    )
    parser.add_argument("function", metavar="module:function", help="in a module that can be imported here")
    parser.add_argument(
        "--at",
        required=True,
        metavar="X,...",
        help="the point: numbers for arguments that are numbers or for one that is "
        'an array; several arrays are separated by ; ("1,2;3,4"), matrices are in brackets ("[[1,2],[3,4]]; [5,6]")',
    )
    parser.add_argument("--forward", nargs="?", const="", metavar="SEED", help="primal trace beside tangent trace")
    parser.add_argument("--reverse", nargs="?", const="B", metavar="A|B", help="primal trace beside adjoint trace, version B or A")
    parser.add_argument("--two-column", action="store_true", help="Forward | Backward, as lectures print it")
    parser.add_argument("--paths", action="store_true", help="the sum over paths")
    parser.add_argument("--kinks", action="store_true", help="operations at a kink")
    parser.add_argument("--fold", metavar="name|function", help="fewer, larger rows")
    for name, what in (("html", "a page"), ("latex", "the two-column table"), ("markdown", "the table"), ("json", "the program")):
        parser.add_argument(f"--{name}", metavar="FILE", help=f"write {what}")
    return parser


def main(argv: Sequence[str], prog: str = "dualad explain") -> int:
    """Explain one function, print it, write the files asked for.

    Parameters
    ----------
    argv : sequence of str
    prog : str

    Returns
    -------
    int
        Exit code: 0 done, 2 bad input.

    Examples
    --------
    >>> from dualad.explanation.command import main
    >>> main(["dualad.problems.lectures:parabola", "--at", "1,1", "--fold", "name"])  # doctest: +ELLIPSIS
    parabola at x1 = 1, x2 = 1
    line | value               | is | adjoint | is
    -----+---------------------+----+---------+---
         | x1                  |  1 | dy/dx1  |  2
         | x2                  |  1 | dy/dx2  |  4
    ... | y = x1**2 + 2*x2**2 |  3 | dy/dy   |  1
    0
    """
    try:
        options = make_parser(prog).parse_args(_joined(argv))
    except SystemExit as stop:
        return int(stop.code or 0)
    try:
        explanation = _explained(options.function, options.at)
        if options.fold:
            explanation = explanation.fold(options.fold)
        text = _text(explanation, options)
        made = [
            (path, contents)
            for name, write in _WRITERS.items()
            if (path := getattr(options, name))
            for contents in (write(explanation),)
        ]
        for path, _ in made:
            if not Path(path).parent.is_dir() or Path(path).is_dir():
                raise BadInputError(
                    f"cannot write {path}: {'it is a folder' if Path(path).is_dir() else 'there is no such folder'}"
                )
        for path, contents in made:
            write_atomically(path, contents)
    except (BadInputError, OSError, ValueError, TypeError, KeyError, ImportError, NotImplementedError) as error:
        print(f"{prog}: error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    try:
        print("\n".join([text, *([""] if made else []), *(f"Written: {path}" for path, _ in made)]), flush=True)
    except BrokenPipeError:  # the reader has closed
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _joined(argv: Sequence[str]) -> list[str]:
    """``--at -1,2`` as ``--at=-1,2``: argparse takes what begins with a minus sign for an option."""
    words: list[str] = []
    for word in argv:
        if words and words[-1] == "--at":
            words[-1] = f"--at={word}"
        else:
            words.append(word)
    return words


def _explained(function: str, at: str) -> Explanation:
    f = find(function)
    args = _arguments(f, at)
    try:
        return explain(f, *args)
    except (Exception, SystemExit) as error:  # f is the caller's: it may fail in any way
        shown = str(error) if isinstance(error, (TypeError, ValueError)) else f"{type(error).__name__}: {error}"
        raise BadInputError(f"{function}: {shown}{_place(error, f)}") from error


def _place(error: BaseException, f: Callable[..., Any]) -> str:
    """Where an error of the caller's own code was raised."""
    file, line = origin(f)[0], 0
    for frame, number in traceback.walk_tb(error.__traceback__):
        if file and frame.f_code.co_filename == file:
            line = number
    return f" (line {line} of {os.path.basename(file)})" if line else ""


def _arguments(f: Callable[..., Any], at: str) -> list[Any]:
    """The point: `;` separates arguments; without it, numbers are arguments of their own where f takes as many."""
    if "[" in at:
        return _brackets(at)
    groups = [[_number(word) for word in group.split(",")] for group in at.split(";")]
    if len(groups) > 1:
        return [group[0] if len(group) == 1 else np.array(group) for group in groups]
    numbers = groups[0]
    try:
        inspect.signature(f).bind(*numbers)
        return list(numbers)
    except TypeError:
        pass
    except ValueError:  # a C function without a signature
        return list(numbers)
    try:
        inspect.signature(f).bind(numbers)
    except TypeError:
        return list(numbers)  # explain says what is wrong
    return [np.array(numbers)]


def _brackets(at: str) -> list[Any]:
    """Arguments some of which are arrays in brackets: "[[1,2],[3,4]]; [5,6]; 2"."""
    try:
        given = ast.literal_eval(f"({at.replace(';', ',')},)")
        return [np.array(x, dtype=float) if isinstance(x, list) else float(x) for x in given]
    except (SyntaxError, ValueError, TypeError):
        raise BadInputError(f"--at takes numbers, or arrays such as [[1,2],[3,4]], and {at!r} is none of them") from None


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        raise BadInputError(f"--at takes numbers separated by commas, and {word.strip()!r} is none; write --at 2,5") from None


def _text(explanation: Explanation, options: argparse.Namespace) -> str:
    parts = []
    if options.forward is not None:
        parts.append(str(explanation.forward(options.forward or None)))
    if options.reverse is not None:
        parts.append(str(explanation.reverse(options.reverse)))
    if options.two_column:
        parts.append(str(explanation.two_column(values=True)))
    if options.paths:
        names = [explanation.program.nodes[i].name for i in explanation.program.inputs]
        parts += [str(explanation.paths(name)) for name in names]
    if options.kinks:
        parts.append(str(explanation.kink_report()))
    return "\n\n".join(parts or [str(explanation)])


_WRITERS: dict[str, Callable[[Explanation], str]] = {
    "html": lambda explanation: explanation.html(),
    "latex": lambda explanation: explanation.latex() + "\n",
    "markdown": lambda explanation: explanation.markdown() + "\n",
    "json": lambda explanation: explanation.json(indent=1) + "\n",
}

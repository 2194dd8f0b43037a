"""`dualad compare`: the experiments from a terminal.

Everything is computed before the first line is printed, so bad input and disagreement leave nothing half written.
Exit codes: 0 done, 1 two methods disagree, 2 bad input.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NoReturn

from .environment import THREADS
from .families import FAMILIES
from .methods import METHODS, DisagreementError
from .mine import mine
from .result import Report, Result
from .scaling import AT, DEPTH, scaling, short
from .terminal import render

__all__ = ["OneLineParser", "main", "parse_sizes", "pin_threads"]

MOST_SIZES = 1000

LIST = "\n".join((
    "experiments",
    "  (none)      the short set: the chain against n and against m, the gradient of a Helmholtz energy",
    "  scaling     a family, n or m varied, the other one fixed",
    "  mine        your own function, named as module:function",
    "families (inputs n, outputs m, operations of one value)",
    *(f"  {f.name:<12}{f.summary}; cost {f.cost}{'; m = 1' if f.one_output else ''}" for f in FAMILIES.values()),
    "methods (columns of the tables)",
    *(f"  {m.name:<12}{m.summary}" for m in METHODS.values()),
))


class BadInputError(Exception):
    """Something the user typed; its message is the one line that is printed."""


class OneLineParser(argparse.ArgumentParser):
    """A parser whose complaints are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message}\n")


def parse_sizes(text: str) -> tuple[int, ...]:
    """Sizes from a command line: ``1,2,5``, ``1:256:x2`` (times 2) or ``10:50:+10`` (plus 10).

    Examples
    --------
    >>> from dualad.compare.command import parse_sizes
    >>> parse_sizes("1:256:x4"), parse_sizes("10:30:+10"), parse_sizes("7")
    ((1, 4, 16, 64, 256), (10, 20, 30), (7,))
    """
    try:
        sizes = _parse_range(text) if ":" in text else tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"sizes are 1,2,5 or 1:256:x2 or 10:50:+10, not {text!r}") from None
    if not sizes or min(sizes) < 1 or any(a >= b for a, b in pairwise(sizes)):
        raise argparse.ArgumentTypeError(f"sizes must be at least 1 and increase: {text!r}")
    return sizes


def _parse_range(text: str) -> tuple[int, ...]:
    first, last, step = text.split(":")
    size, end, by = int(first), int(last), int(step[1:])
    if step[0] not in "x+" or size < 1 or by < (2 if step[0] == "x" else 1):
        raise ValueError(step)
    sizes = []
    while size <= end:
        sizes.append(size)
        if len(sizes) > MOST_SIZES:
            raise ValueError("too many")
        size = size * by if step[0] == "x" else size + by
    return tuple(sizes)


def _natural(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"a whole number, at least 0, not {text!r}")
    return int(text)


def _point(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"numbers with commas between, not {text!r}") from None


def _parser(prog: str) -> OneLineParser:
    common = OneLineParser(add_help=False)
    common.add_argument("--count-only", action="store_true", help="count operations, time nothing: the same on every machine")
    common.add_argument("--seed", type=_natural, default=0, help="of the random point (default 0)")
    common.add_argument("--repeats", type=_natural, default=15, help="samples of each method (default 15)")
    common.add_argument("--ascii", action="store_true", help="sparklines in ASCII")
    methods = OneLineParser(add_help=False)
    methods.add_argument("--without", default="", metavar="METHOD,...", help="methods to leave out, as named by `list`")
    parser = OneLineParser(prog=prog, parents=[common], description=(
        "What each way of differentiating costs as the numbers of inputs n and outputs m grow: counted and measured. "
        "Without an experiment: the short set, in less than 30 s."))
    commands = parser.add_subparsers(dest="experiment", metavar="experiment", parser_class=OneLineParser)
    sub = commands.add_parser("scaling", parents=[common, methods], help="a family, n or m varied", argument_default=None)
    sub.add_argument("--vary", choices=("n", "m"), default="n")
    sub.add_argument("--at", type=parse_sizes, default=AT, metavar="SIZES", help="1,2,5 or 1:256:x2 or 10:50:+10")
    sub.add_argument("--n", type=_natural, help="fixed number of inputs, when m varies (default 16)")
    sub.add_argument("--m", type=_natural, help="fixed number of outputs, when n varies (default 1)")
    sub.add_argument("--family", choices=tuple(FAMILIES), default="chain")
    sub.add_argument("--depth", type=_natural, default=DEPTH, help=f"steps of the chain (default {DEPTH})")
    sub = commands.add_parser("mine", parents=[common, methods], help="your own function")
    sub.add_argument("function", metavar="module:function")
    sub.add_argument("--at", type=parse_sizes, metavar="SIZES", help="call it on arrays of these sizes")
    sub.add_argument("--x", type=_point, metavar="X,...", help="call it at this point (one number: a float)")
    commands.add_parser("list", help="experiments, families, methods")
    return parser


def load(name: str) -> Callable[..., Any]:
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


def _run(options: argparse.Namespace, progress: Callable[[str], None]) -> Result | Report:
    if options.repeats < 1:
        raise BadInputError("--repeats must be at least 1")
    common: dict[str, Any] = {"seed": options.seed, "repeats": options.repeats, "count_only": options.count_only,
                              "progress": progress}
    if options.experiment is None:
        return short(**common)
    without = [name.strip() for name in options.without.split(",") if name.strip()]
    if options.experiment == "scaling":
        try:
            return scaling(options.vary, options.at, n=options.n, m=options.m, family=options.family, depth=options.depth,
                           without=without, **common)
        except ValueError as error:
            raise BadInputError(str(error)) from error
    f = load(options.function)
    if options.x is not None and options.at is not None:
        raise BadInputError("give --at or --x, not both")
    x = options.x[0] if options.x is not None and len(options.x) == 1 else options.x
    try:
        return mine(f, x, at=options.at, without=without, **common)
    except DisagreementError:
        raise
    except Exception as error:  # f is the caller's: it may fail in any way
        raise BadInputError(f"{options.function}: {type(error).__name__}: {error}") from error


def main(argv: Sequence[str], prog: str = "dualad compare") -> int:
    """Run one experiment and print it.

    Parameters
    ----------
    argv : sequence of str
    prog : str
        What the user called.

    Returns
    -------
    int
        Exit code: 0 done, 1 two methods disagree, 2 bad input.

    Examples
    --------
    >>> from dualad.compare.command import main
    >>> main(["list"])  # doctest: +ELLIPSIS
    experiments
    ...
    0
    """
    try:
        options = _parser(prog).parse_args(argv)
    except SystemExit as stop:  # argparse has printed its line, or the help
        return int(stop.code or 0)
    if options.experiment == "list":
        return _print(LIST)
    try:
        result = _run(options, _show_progress if sys.stderr.isatty() else lambda line: None)
    except BadInputError as error:
        return _complain(prog, str(error), 2)
    except DisagreementError as error:
        return _complain(prog, str(error), 1)
    except KeyboardInterrupt:
        return _complain(prog, "interrupted", 130)
    finally:
        if sys.stderr.isatty():
            _show_progress("")
    return _print(render(result, True if options.ascii else None))


def _complain(prog: str, message: str, code: int) -> int:
    print(f"{prog}: error: {' '.join(message.split())}", file=sys.stderr)
    return code


def _show_progress(line: str) -> None:
    print(f"\r\x1b[K{line[:100]}", end="", file=sys.stderr, flush=True)


def _print(text: str) -> int:
    try:
        print(text, flush=True)
    except BrokenPipeError:  # the reader has closed: `dualad compare | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def pin_threads() -> None:
    """Start this program again with one BLAS thread, which must be said before NumPy loads; where threads are set, return.

    Only for a program's own entry point: it replaces the process.
    """
    if sys.platform == "win32" or not sys.executable or any(name in os.environ for name in THREADS):
        return
    os.environ.update(dict.fromkeys(THREADS, "1"))
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])

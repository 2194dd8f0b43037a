"""`dualad compare`: the experiments from a terminal.

Everything is computed before the first line is printed, so bad input and disagreement leave nothing half written.
Exit codes: 0 done, 1 two methods disagree, 2 bad input.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from .environment import THREADS
from .families import FAMILIES
from .methods import METHODS, DisagreementError
from .named import BadInputError
from .options import natural, positive
from .registry import EXPERIMENTS, Argument, Experiment
from .result import Report, Result
from .terminal import render

__all__ = ["OneLineParser", "main", "pin_threads"]

SHORT = "short"


def _list() -> str:
    return "\n".join((
        "experiments",
        *(f"  {experiment.name:<12}{experiment.summary}" for experiment in EXPERIMENTS.values()),
        "families (inputs n, outputs m, operations of one value)",
        *(f"  {f.name:<12}{f.summary}; cost {f.cost}{'; m = 1' if f.one_output else ''}" for f in FAMILIES.values()),
        "methods (columns of the tables)",
        *(f"  {m.name:<12}{m.summary}" for m in METHODS.values()),
    ))


class OneLineParser(argparse.ArgumentParser):
    """A parser whose complaints are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message}\n")


def _add_argument(parser: OneLineParser, argument: Argument) -> None:
    default = "" if argument.default in (None, (), "") or argument.kind is bool else f" (default {_shown(argument.default)})"
    text = (argument.help + default).strip().replace("%", "%%")
    if argument.positional:
        parser.add_argument(argument.name, type=argument.kind, metavar=argument.metavar or None, help=text)
        return
    flag = "--" + argument.name.replace("_", "-")
    if argument.kind is bool:
        parser.add_argument(flag, dest=argument.name, action="store_true", default=bool(argument.default), help=text)
    else:
        parser.add_argument(flag, dest=argument.name, type=argument.kind, default=argument.default, help=text,
                            choices=argument.choices or None, metavar=argument.metavar or None)


def _shown(default: object) -> str:
    return ",".join(map(str, default)) if isinstance(default, tuple | list) else str(default)


def _common(experiment: Experiment) -> list[Argument]:
    common = (Argument("count_only", bool, False, "count operations, time nothing: the same on every machine"),
              Argument("seed", natural, 0, "of the random point"),
              Argument("repeats", positive, 15, "samples of each method"))
    declared = {argument.name for argument in experiment.arguments}
    return [argument for argument in common if experiment.takes(argument.name) and argument.name not in declared]


def _parser(prog: str) -> OneLineParser:
    shared = OneLineParser(add_help=False)
    shared.add_argument("--ascii", action="store_true", help="sparklines in ASCII")
    parser = OneLineParser(prog=prog, parents=[shared], description=(
        "What each way of differentiating costs as the numbers of inputs n and of outputs m grow: counted and measured. "
        "Without an experiment: the short set, in less than 30 s."))
    for argument in _common(EXPERIMENTS[SHORT]):
        _add_argument(parser, argument)
    commands = parser.add_subparsers(dest="experiment", metavar="experiment", parser_class=OneLineParser)
    for experiment in EXPERIMENTS.values():
        sub = commands.add_parser(experiment.name, parents=[shared], help=experiment.summary.replace("%", "%%"))
        for argument in (*experiment.arguments, *_common(experiment)):
            _add_argument(sub, argument)
    commands.add_parser("list", help="experiments, families, methods")
    return parser


def _run(options: argparse.Namespace, progress: Callable[[str], None]) -> Result | Report:
    experiment = EXPERIMENTS[options.experiment or SHORT]
    arguments = (*experiment.arguments, *_common(experiment))
    try:
        return experiment.run(**{a.name: getattr(options, a.name) for a in arguments}, progress=progress)  # type: ignore[no-any-return]
    except (BadInputError, DisagreementError):
        raise
    except (ValueError, TypeError, MemoryError, OSError) as error:
        raise BadInputError(str(error) or type(error).__name__) from error


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
        return _print(_list())
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

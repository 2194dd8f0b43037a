"""The command line's grammar, made from the registry of experiments."""

from __future__ import annotations

import argparse
from typing import NoReturn

from .options import natural, positive
from .registry import EXPERIMENTS, Argument, Experiment

__all__ = ["SHORT", "OneLineParser", "arguments_of", "make_parser"]

#: what runs when no experiment is named
SHORT = "short"


class OneLineParser(argparse.ArgumentParser):
    """A parser whose complaints are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {' '.join(message.split())}\n")


def arguments_of(experiment: Experiment) -> list[Argument]:
    """The options of an experiment: its own, and the common ones that its function takes.

    Examples
    --------
    >>> from dualad.compare.parser import arguments_of
    >>> from dualad.compare.registry import EXPERIMENTS
    >>> [argument.name for argument in arguments_of(EXPERIMENTS["short"])]
    ['count_only', 'seed', 'repeats']
    """
    common = (Argument("count_only", bool, False, "count operations, time nothing: the same on every machine"),
              Argument("seed", natural, experiment.default("seed"), "of the random point"),
              Argument("repeats", positive, experiment.default("repeats"), "samples of each method"))
    declared = {argument.name for argument in experiment.arguments}
    return [*experiment.arguments,
            *(argument for argument in common if experiment.takes(argument.name) and argument.name not in declared)]


def make_parser(prog: str) -> OneLineParser:
    """The parser of `dualad compare`."""
    shared = OneLineParser(add_help=False, argument_default=argparse.SUPPRESS)
    shared.add_argument("--ascii", action="store_true", help="sparklines in ASCII")
    shared.add_argument("--out", action="append", metavar="FILE", help=(
        "write the result to FILE, ending in .html (a page), .json, .csv, .png or .svg; may be given several times"))
    parser = OneLineParser(prog=prog, parents=[shared], description=(
        "What each way of differentiating costs as the numbers of inputs n and of outputs m grow: counted and measured. "
        "Without an experiment: the short set, in less than 30 s, and a page, dualad-compare.html."),
        epilog="A run that was interrupted goes on with: dualad compare replot FILE")
    for argument in arguments_of(EXPERIMENTS[SHORT]):
        _add(parser, argument)
    commands = parser.add_subparsers(dest="experiment", metavar="experiment", parser_class=OneLineParser)
    for experiment in EXPERIMENTS.values():
        summary = experiment.summary.replace("%", "%%")
        sub = commands.add_parser(experiment.name, parents=[shared], help=summary, description=summary)
        for argument in arguments_of(experiment):
            _add(sub, argument)
    again = commands.add_parser("replot", parents=[shared], help="print and draw a saved run again; finish an interrupted one")
    again.add_argument("run", metavar="run.json", help="a file written by --out run.json, or what an interrupted run left")
    commands.add_parser("list", help="experiments, families, methods")
    return parser


def _add(parser: OneLineParser, argument: Argument) -> None:
    shown = argument.default not in (None, (), "") and argument.kind is not bool
    text = (argument.help + (f" (default {_text(argument.default)})" if shown else "")).strip().replace("%", "%%")
    metavar = argument.metavar or None
    if argument.positional:
        parser.add_argument(argument.name, type=argument.kind, metavar=metavar, help=text)
        return
    flag = "--" + argument.name.replace("_", "-")
    if argument.kind is bool:
        parser.add_argument(flag, dest=argument.name, action="store_true", default=bool(argument.default), help=text)
    else:
        parser.add_argument(flag, dest=argument.name, type=argument.kind, default=argument.default, help=text,
                            choices=argument.choices or None, metavar=metavar)


def _text(default: object) -> str:
    return ",".join(map(str, default)) if isinstance(default, tuple | list) else str(default)

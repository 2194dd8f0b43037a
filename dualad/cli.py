"""The command `dualad`."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from . import __version__

__all__ = ["main"]


@dataclass(frozen=True)
class Command:
    """A row of the table: its arguments, what it does, the module whose `main` takes the rest, does it measure time?"""

    arguments: str
    summary: str
    module: str
    measures: bool = False


COMMANDS = {
    "compare": Command("[experiment] [options]", "what each way of differentiating costs", ".compare.command", measures=True),
    "explain": Command("module:function --at X,...", "how a derivative comes about, operation by operation",
                       ".explanation.command"),
}


def usage() -> str:
    """The commands, one a line."""
    lines = [(f"dualad {name} {command.arguments}", command.summary) for name, command in COMMANDS.items()]
    width = max(len(line) for line, _ in lines)
    shown = [f"{line:<{width}}   {summary}" for line, summary in lines]
    return "\n       ".join([f"usage: {shown[0]}", *shown[1:], f"dualad {'|'.join(COMMANDS)} --help", "dualad --version"])


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of the console script.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments; those of the process by default.

    Returns
    -------
    int
        Exit code: 0 done, 1 two methods disagree, 2 bad input.

    Examples
    --------
    >>> from dualad.cli import main
    >>> main(["--help"])  # doctest: +ELLIPSIS
    usage: dualad compare ...
    0
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments in (["--version"], ["-V"]):
        print(f"dualad {__version__}")
        return 0
    if not arguments or arguments[0] in ("--help", "-h"):
        print(usage())
        return 0
    command = COMMANDS.get(arguments[0])
    if command is None:
        print(f"dualad: error: no command {arguments[0]!r}; there is: {', '.join(COMMANDS)}", file=sys.stderr)
        return 2
    module = importlib.import_module(command.module, __package__)
    if command.measures and argv is None:
        module.pin_threads()
    code: int = module.main(arguments[1:])
    return code


if __name__ == "__main__":
    sys.exit(main())

"""The command `dualad`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from . import __version__
from .compare import command

__all__ = ["main"]

USAGE = """usage: dualad compare [experiment] [options]   what each way of differentiating costs
       dualad compare --help
       dualad --version"""


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
        print(USAGE)
        return 0
    if arguments[0] != "compare":
        print(f"dualad: error: no command {arguments[0]!r}; there is: compare", file=sys.stderr)
        return 2
    if argv is None:
        command.pin_threads()
    return command.main(arguments[1:])


if __name__ == "__main__":
    sys.exit(main())

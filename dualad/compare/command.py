"""`dualad compare`: the experiments from a terminal.

Everything is computed before the first line is printed and the first file written, so bad input and disagreement leave
nothing half written.  Exit codes: 0 done, 1 two methods disagree, 2 bad input, 130 interrupted.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from . import unfinished
from .environment import THREADS
from .families import FAMILIES
from .methods import METHODS, DisagreementError
from .named import BadInputError
from .outputs import can_report, check_targets, write_all
from .parser import SHORT, arguments_of, make_parser
from .registry import EXPERIMENTS
from .result import Outputs, load
from .terminal import render
from .unfinished import RowKeeper, Unfinished, beside

__all__ = ["main", "pin_threads"]

PAGE = "dualad-compare.html"


def main(argv: Sequence[str], prog: str = "dualad compare") -> int:
    """Run one experiment, print it, write the files asked for.

    Parameters
    ----------
    argv : sequence of str
    prog : str
        What the user called.

    Returns
    -------
    int
        Exit code: 0 done, 1 two methods disagree, 2 bad input, 130 interrupted.

    Examples
    --------
    >>> from dualad.compare.command import main
    >>> main(["list"])  # doctest: +ELLIPSIS
    experiments
    ...
    0
    """
    try:
        options = make_parser(prog).parse_args(_joined(argv))
    except SystemExit as stop:  # argparse has printed its line, or the help
        return int(stop.code or 0)
    if options.experiment == "list":
        return _print(_list())
    out: list[str] = getattr(options, "out", [])
    ascii_only = True if getattr(options, "ascii", False) else None
    try:
        if options.experiment == "replot":
            result, paths = _replot(options.run, out, prog)
        else:
            experiment = EXPERIMENTS[options.experiment or SHORT]
            if options.experiment is None and not out and can_report():
                out = [PAGE]
            settings = {argument.name: getattr(options, argument.name) for argument in arguments_of(experiment)}
            result, paths = _run(Unfinished(experiment.name, settings, tuple(out)), prog)
        text = render(result, ascii_only)
        written = write_all(result, paths)
    except (BadInputError, OSError, ImportError) as error:
        return _complain(prog, str(error), 2)
    except DisagreementError as error:
        return _complain(prog, str(error), 1)
    except _InterruptedError as error:
        return _complain(prog, str(error), 130)
    return _print("\n".join([text, *([""] if written else []), *(f"Written: {path}" for path in written)]))


def _joined(argv: Sequence[str]) -> list[str]:
    """``--x -1,2`` as ``--x=-1,2``: argparse takes what begins with a minus sign for an option."""
    words: list[str] = []
    for word in argv:
        if re.match(r"-[\d.]", word) and words and re.fullmatch(r"--[a-z-]+", words[-1]):
            words[-1] += f"={word}"
        else:
            words.append(word)
    return words


class _InterruptedError(Exception):
    """Ctrl-C; the message says where the finished rows are."""


def _run(run: Unfinished, prog: str, kept: Path | None = None) -> tuple[Outputs, list[Path]]:
    """Run an experiment, with the rows there are; `kept` is where they came from."""
    if run.experiment not in EXPERIMENTS:
        raise BadInputError(f"no experiment {run.experiment!r}; there are {', '.join(EXPERIMENTS)}")
    paths = check_targets(run.out)
    path = kept or (beside(paths[0]) if paths else None)
    keeper = RowKeeper(run, _show_progress() if sys.stderr.isatty() else lambda line: None, path)
    try:
        result = _guarded(run.experiment, run.settings, keeper)
    except KeyboardInterrupt:
        raise _InterruptedError(_left(keeper, run.experiment, prog)) from None
    except (BadInputError, DisagreementError):
        keeper.forget()
        raise
    finally:
        if sys.stderr.isatty():
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    keeper.forget()
    return result, paths


def _guarded(name: str, settings: Mapping[str, Any], progress: RowKeeper) -> Outputs:
    try:
        return EXPERIMENTS[name].run(**settings, progress=progress)  # type: ignore[no-any-return]
    except (BadInputError, DisagreementError):
        raise
    except MemoryError as error:
        raise BadInputError(f"not enough memory: {error or 'choose smaller sizes'}") from error
    except (ValueError, TypeError, OSError) as error:
        raise BadInputError(str(error) or type(error).__name__) from error


def _left(keeper: RowKeeper, name: str, prog: str) -> str:
    """Where an interrupted run has left its rows."""
    path = keeper.path or beside(f"dualad-{name}.json")
    if not keeper.rows:
        keeper.forget()
        return "interrupted before the first row was done"
    if keeper.path is None:
        try:
            keeper.save(path)
        except OSError as error:
            return f"interrupted; {len(keeper.rows)} finished rows are lost: {error}"
    return f"interrupted; {len(keeper.rows)} finished rows are in {path}: go on with {prog} replot {path.with_suffix('')}"


def _replot(name: str, out: Sequence[str], prog: str) -> tuple[Outputs, list[Path]]:
    """A saved run, or an interrupted one, finished."""
    path = next((path for path in (beside(name), Path(name)) if path.is_file()), None)
    if path is None:
        raise BadInputError(f"there is no file {name}")
    try:
        run = unfinished.read(path)
        if run is None:
            return load(path), check_targets(out)
    except (ValueError, KeyError, TypeError) as error:
        raise BadInputError(str(error)) from error
    targets = tuple(dict.fromkeys((*run.out, *out)))
    return _run(Unfinished(run.experiment, run.settings, targets, run.rows), prog, path)


def _list() -> str:
    width = max(map(len, (*EXPERIMENTS, *FAMILIES, *METHODS))) + 2
    return "\n".join((
        "experiments",
        *(f"  {experiment.name:<{width}}{experiment.summary}" for experiment in EXPERIMENTS.values()),
        "families (inputs n, outputs m, operations of one value)",
        *(f"  {f.name:<{width}}{f.summary}; cost {f.cost}{'; m = 1' if f.one_output else ''}" for f in FAMILIES.values()),
        "methods (columns of the tables)",
        *(f"  {m.name:<{width}}{m.summary}" for m in METHODS.values()),
    ))


def _complain(prog: str, message: str, code: int) -> int:
    print(f"{prog}: error: {' '.join(message.split())}", file=sys.stderr)
    return code


def _show_progress() -> Callable[[str], None]:
    width = max(shutil.get_terminal_size().columns - 1, 20)

    def show(line: str) -> None:
        if len(line) > width:  # the end says where it is
            line = f"{line[:width // 2]}...{line[len(line) - (width - width // 2 - 3):]}"
        print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)

    return show


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

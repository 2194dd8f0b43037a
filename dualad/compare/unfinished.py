"""Interrupted runs: every finished row is on disk at once, and `dualad compare replot` goes on from there.

The file is JSON lines: what was run, then a row each.  A line is appended by one write, so an interrupted one is at most the
last, and is dropped::

    {"format": 1, "unfinished": "scaling", "settings": {...}, "out": ["run.json"]}
    {"key": "chain ...: n = 1", "row": {...}}
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .storage import decode, encode, write_atomically

__all__ = ["RowKeeper", "Unfinished", "beside", "read"]

FORMAT = 1


def beside(path: str | os.PathLike[str]) -> Path:
    """Where the rows of a run are kept until `path` is written.

    Examples
    --------
    >>> from dualad.compare.unfinished import beside
    >>> beside("run.json").name
    'run.json.partial'
    """
    return Path(path).with_name(Path(path).name + ".partial")


@dataclass(frozen=True)
class Unfinished:
    """What an interrupted run has left.

    Parameters
    ----------
    experiment : str
    settings : mapping
        Keywords of its function.
    out : tuple of str
        The files it was to write.
    rows : mapping of str to dict
        By key.
    """

    experiment: str
    settings: Mapping[str, Any]
    out: tuple[str, ...] = ()
    rows: Mapping[str, Any] = field(default_factory=dict)

    def head(self) -> str:
        """The first line of the file."""
        return _line({"format": FORMAT, "unfinished": self.experiment, "settings": encode(self.settings), "out": list(self.out)})


def read(path: str | os.PathLike[str]) -> Unfinished | None:
    """What an interrupted run has left in `path`; None if the file is something else.

    Raises
    ------
    ValueError
        Another version wrote it.
    """
    lines = Path(path).read_text(encoding="utf-8").split("\n")
    head = _parsed(lines[0])
    if not isinstance(head, dict) or "unfinished" not in head:
        return None
    if head.get("format") != FORMAT:
        raise ValueError(f"{path}: its format is {head.get('format')}, this version reads {FORMAT}")
    rows = [row for line in lines[1:-1] if isinstance(row := _parsed(line), dict)]  # after the last newline: an interrupted write
    return Unfinished(head["unfinished"], head["settings"], tuple(head["out"]), {row["key"]: row["row"] for row in rows})


class RowKeeper:
    """Progress that keeps finished rows (:class:`dualad.compare.progress.Keeper`).

    Parameters
    ----------
    run : Unfinished
        What is run, with the rows there are already.
    show : callable
        Takes a line of progress.
    path : path, optional
        Where rows are appended as they are finished; without it they wait in memory for :meth:`save`.
    """

    def __init__(self, run: Unfinished, show: Callable[[str], None], path: Path | None = None) -> None:
        self.run, self.show, self.path = run, show, path
        self.rows: dict[str, Any] = dict(run.rows)
        self.start = time.monotonic()
        if path is not None:
            self.save(path)

    def __call__(self, line: str) -> None:
        self.show(f"{time.monotonic() - self.start:.0f} s, {len(self.rows)} rows done; {line}")

    def find(self, key: str, kind: type) -> Any:
        """The row kept under `key`; None if there is none."""
        return decode(self.rows[key], kind) if key in self.rows else None

    def keep(self, key: str, row: Any) -> None:
        """Keep a finished row, on disk if there is a path."""
        self.rows[key] = encode(row)
        if self.path is not None:
            handle = os.open(self.path, os.O_WRONLY | os.O_APPEND)
            try:
                os.write(handle, _line({"key": key, "row": self.rows[key]}).encode())
            finally:
                os.close(handle)

    def save(self, path: Path) -> None:
        """Write all rows to a file."""
        write_atomically(path, self.run.head() + "".join(_line({"key": key, "row": row}) for key, row in self.rows.items()))

    def forget(self) -> None:
        """The run is over: remove the file."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)


def _line(value: Mapping[str, Any]) -> str:
    return json.dumps(value, allow_nan=False) + "\n"


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None

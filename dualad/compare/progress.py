"""What an experiment tells while it runs, and how its finished rows survive an interruption.

Every experiment takes ``progress``, a callable that is given a line now and then. A :class:`Keeper` is one that also keeps
rows: :func:`finished` asks it for the row an interrupted run has left, and gives it each new one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar, runtime_checkable

__all__ = ["Keeper", "Progress", "finished", "silent"]

Progress = Callable[[str], None]
RowType = TypeVar("RowType")


def silent(line: str) -> None:
    """Progress that nobody reads."""


@runtime_checkable
class Keeper(Protocol):
    """Progress that also keeps rows, by a key that is the same in every run of the same settings."""

    def __call__(self, line: str) -> None:
        """Show a line."""

    def find(self, key: str, kind: type) -> Any:
        """The row kept under `key`, as `kind`; None if there is none."""

    def keep(self, key: str, row: Any) -> None:
        """Keep a finished row."""


def finished(progress: Progress, key: str, kind: type[RowType], compute: Callable[[], RowType]) -> RowType:
    """The row called `key`: the one an interrupted run has left, else computed now and kept.

    Parameters
    ----------
    progress : callable
        Shown `key` before the row is computed.
    key : str
        Names the row: the experiment and everything that tells this row from the others of the run.
    kind : type
        The row's dataclass.
    compute : callable
        Without arguments.

    Returns
    -------
    row

    Examples
    --------
    >>> from dualad.compare.progress import finished, silent
    >>> finished(silent, "n = 4", int, lambda: 4)
    4
    """
    if isinstance(progress, Keeper):
        found: RowType | None = progress.find(key, kind)
        if found is not None:
            return found
    progress(key)
    row = compute()
    if isinstance(progress, Keeper):
        progress.keep(key, row)
    return row

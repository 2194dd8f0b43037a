"""The files a run writes: checked before it starts, written whole when it is done."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Sequence
from pathlib import Path

from .named import BadInputError
from .result import Outputs
from .storage import write_atomically

__all__ = ["check_targets", "write_all"]

TEXTS = (".html", ".json", ".csv")
PICTURES = (".png", ".svg")


def can_report() -> bool:
    """Is the package that writes pages here?"""
    return importlib.util.find_spec("dualad.report.html") is not None


def check_targets(targets: Sequence[str]) -> list[Path]:
    """The paths, when each of them can be written.

    Raises
    ------
    BadInputError
        Unknown ending, no such folder, no right to write there, matplotlib missing.

    Examples
    --------
    >>> from dualad.compare.outputs import check_targets
    >>> check_targets(["run.txt"])
    Traceback (most recent call last):
        ...
    dualad.compare.named.BadInputError: --out takes a name ending in .html, .json, .csv, .png, .svg, not 'run.txt'
    """
    paths = [Path(target) for target in targets]
    for path in paths:
        if path.suffix not in TEXTS + PICTURES or not path.stem:
            raise BadInputError(f"--out takes a name ending in {', '.join(TEXTS + PICTURES)}, not {str(path)!r}")
        if path.suffix in PICTURES and importlib.util.find_spec("matplotlib") is None:
            raise BadInputError(f'--out {path} takes matplotlib, which is not here: pip install "dualad[plot]", or take .html')
        if path.is_dir():
            raise BadInputError(f"cannot write {path}: it is a folder")
        try:
            with tempfile.TemporaryFile(dir=path.parent):
                pass
        except OSError as error:
            raise BadInputError(f"cannot write {path}: {error.strerror or error}") from error
    return paths


def write_all(result: Outputs, paths: Sequence[Path]) -> list[Path]:
    """Write a result to every path; all contents are made before the first file appears.

    Returns
    -------
    list of path
        The files; a picture file stands for several when there are several figures.
    """
    contents: list[tuple[Path, str | bytes]] = []
    for path in paths:
        if path.suffix in PICTURES:
            contents += result.pictures(path)
        else:
            contents.append((path, {".html": result.page, ".json": result.to_json, ".csv": result.to_csv}[path.suffix]()))
    return [write_atomically(path, content) for path, content in contents]

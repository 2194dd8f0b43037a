"""What every experiment returns: rows, and the ways out of them.

A result is a frozen dataclass of plain values. A subclass says what its rows mean (tables, figures, a reading in words);
printing, HTML, pictures, CSV and JSON follow from that, and :func:`load` brings a saved result back as what it was.
"""

from __future__ import annotations

import csv
import dataclasses
import importlib
import io
import json
import os
import tempfile
import typing
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from .figure import Figure, Table
from .storage import decode, encode, to_text, write_atomically

__all__ = ["Report", "Result", "load"]

FORMAT = 1
#: name of an experiment -> class of its result
RESULTS: dict[str, type[Result]] = {}


class Outputs(ABC):
    """The outputs that a result and a report of several have in common."""

    @abstractmethod
    def results(self) -> tuple[Result, ...]:
        """The single results, in order."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON values."""

    @abstractmethod
    def _records(self) -> Iterator[dict[str, Any]]:
        """Rows as flat dicts."""

    @property
    def timed(self) -> bool:
        """Was anything measured?"""
        return any(result.environment for result in self.results())

    def to_json(self, path: str | os.PathLike[str] | None = None) -> str:
        """The JSON text, which :func:`load` reads back; also written to `path` if there is one."""
        return _keep(to_text(self.to_dict()), path)

    def to_csv(self, path: str | os.PathLike[str] | None = None) -> str:
        """The rows as CSV, a column for every number in them ("value.add", "seconds.forward.median"); written to `path` too."""
        records = list(self._records())
        columns = list(dict.fromkeys(name for record in records for name in record))
        stream = io.StringIO()
        writer = csv.DictWriter(stream, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(records)
        return _keep(stream.getvalue(), path)

    def plot(self, path: str | os.PathLike[str]) -> list[Path]:
        """Draw the figures to a .png, .svg or .pdf file, by matplotlib (``pip install "dualad[plot]"``).

        Returns
        -------
        list of path
            The files that were written.

        Raises
        ------
        ImportError
            There is no matplotlib.
        """
        return [write_atomically(target, picture) for target, picture in self.pictures(Path(path))]

    def pictures(self, path: Path) -> list[tuple[Path, bytes]]:
        """The files that :meth:`plot` would write, and their contents."""
        figures = tuple(figure for result in self.results() for figure in result.figures())
        with tempfile.TemporaryDirectory() as folder:
            importlib.import_module("dualad.plot").save(figures, Path(folder) / path.name)  # a layer above
            return [(path.with_name(made.name), made.read_bytes()) for made in sorted(Path(folder).iterdir())]

    def report(self, path: str | os.PathLike[str]) -> Path:
        """Write one self-contained HTML page: tables, figures, what they show, the machine."""
        return write_atomically(path, self.page())

    def page(self) -> str:
        """The HTML page that :meth:`report` writes."""
        return importlib.import_module("dualad.report").page(self)  # type: ignore[no-any-return]  # a layer above

    def __str__(self) -> str:
        return importlib.import_module("dualad.compare.terminal").render(self)  # type: ignore[no-any-return]

    def _repr_html_(self) -> str:
        return importlib.import_module("dualad.compare.notebook").fragment(self.results())  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Result(Outputs):
    """One experiment.

    A subclass is declared with the experiment's name and its row classes, and says what the rows show::

        @dataclass(frozen=True)
        class CheckpointResult(Result, name="checkpoint", rows=(CheckpointRow,)):
            def tables(self): ...
            def figures(self): ...
            def reading(self): ...

    Parameters
    ----------
    title : str
    settings : mapping
        Every argument needed to run it again, as JSON has it.
    rows : tuple
        Frozen dataclasses of numbers, strings, tuples, mappings and other dataclasses.
    notes : tuple of str
        What was left out and why.
    environment : mapping of str to str
        Where it was measured; empty when nothing was timed.

    Examples
    --------
    >>> from dualad import compare
    >>> result = compare.scaling("n", [1, 2], count_only=True)
    >>> isinstance(result, compare.Result), len(result.rows), len(result.tables()), result.settings["family"]
    (True, 2, 2, 'chain')
    """

    title: str
    settings: Mapping[str, Any]
    rows: tuple[Any, ...]
    notes: tuple[str, ...] = ()
    environment: Mapping[str, Any] = field(default_factory=dict)

    name: ClassVar[str] = ""
    row_types: ClassVar[tuple[type, ...]] = ()
    #: whether an untimed run gives the same numbers on every machine: counts do, rounding errors need not
    exact: ClassVar[bool] = True

    def __init_subclass__(cls, *, name: str = "", rows: tuple[type, ...] = (), **others: Any) -> None:
        super().__init_subclass__(**others)
        if name:
            cls.name, cls.row_types = name, rows
            RESULTS[name] = cls

    @abstractmethod
    def tables(self) -> tuple[Table, ...]:
        """The rows as tables of raw values."""

    @abstractmethod
    def figures(self) -> tuple[Figure, ...]:
        """The rows as pictures."""

    @abstractmethod
    def reading(self) -> tuple[str, ...]:
        """What the reader sees, in plain sentences."""

    def results(self) -> tuple[Result, ...]:
        return (self,)

    def to_dict(self) -> dict[str, Any]:
        parts = {part.name: encode(getattr(self, part.name)) for part in dataclasses.fields(self)}
        parts["rows"] = [{"row": type(row).__name__, **encode(row)} for row in self.rows]
        return {"format": FORMAT, "experiment": self.name, **parts}

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Result:
        """The result that :meth:`to_dict` gave."""
        kinds = {kind.__name__: kind for kind in cls.row_types}
        hints = typing.get_type_hints(cls)
        rows = tuple(decode({key: part for key, part in row.items() if key != "row"}, kinds[row["row"]]) for row in saved["rows"])
        others = {part.name: decode(saved[part.name], hints[part.name]) for part in dataclasses.fields(cls)
                  if part.name in saved and part.name != "rows"}
        return cls(rows=rows, **others)

    def _records(self) -> Iterator[dict[str, Any]]:
        for row in self.rows:
            yield dict(_flat("", encode(row)))


@dataclass(frozen=True)
class Report(Outputs):
    """Several results on one subject; prints them one after the other.

    Parameters
    ----------
    parts : tuple of Result
    name : str
        Of the experiment that made it.
    settings : mapping
        Every argument needed to run it again.

    Examples
    --------
    >>> from dualad import compare
    >>> report = compare.Report((compare.scaling("n", [1, 2], count_only=True), compare.tensor([2], n=2)))
    >>> [type(part).__name__ for part in report.parts]
    ['ScalingResult', 'TensorResult']
    """

    parts: tuple[Result, ...]
    name: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        parts = tuple(result for part in self.parts for result in part.results())  # a report among them: its parts
        object.__setattr__(self, "parts", parts)

    @property
    def rows(self) -> tuple[Any, ...]:
        """The rows of all parts."""
        return tuple(row for part in self.parts for row in part.rows)

    @property
    def environment(self) -> Mapping[str, Any]:
        """Where it was measured; empty when nothing was timed."""
        return next((part.environment for part in self.parts if part.environment), {})

    def results(self) -> tuple[Result, ...]:
        return self.parts

    def to_dict(self) -> dict[str, Any]:
        return {"format": FORMAT, "experiment": self.name, "settings": encode(self.settings),
                "parts": [part.to_dict() for part in self.parts]}

    def _records(self) -> Iterator[dict[str, Any]]:
        for number, part in enumerate(self.parts, 1):
            for record in part._records():
                yield {"part": number, "experiment": part.name, **record}


def load(path: str | os.PathLike[str]) -> Result | Report:
    """A result or report saved by ``to_json``.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    Result or Report
        Equal to the one that was saved.

    Raises
    ------
    ValueError
        The file is no saved result.
    OSError
        It cannot be read.

    Notes
    -----
    Cost: the file is read; nothing is counted or timed.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from dualad import compare
    >>> r = compare.scaling("n", [1, 2], count_only=True)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = r.to_json(Path(folder) / "run.json")
    ...     compare.load(Path(folder) / "run.json") == r
    True
    """
    text = Path(path).read_text(encoding="utf-8")
    try:
        saved = json.loads(text)
        if saved["format"] != FORMAT:
            raise ValueError(f"its format is {saved['format']}, this version reads {FORMAT}")
        if "parts" in saved:
            return Report(tuple(_one(part) for part in saved["parts"]), saved["experiment"], saved["settings"])
        return _one(saved)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is no saved result of dualad.compare: {type(error).__name__}: {error}") from error


def _one(saved: Mapping[str, Any]) -> Result:
    if saved["experiment"] not in RESULTS:
        raise ValueError(f"no experiment {saved['experiment']!r}; there are {', '.join(sorted(RESULTS))}")
    return RESULTS[saved["experiment"]].from_dict(saved)


def _keep(text: str, path: str | os.PathLike[str] | None) -> str:
    if path is not None:
        write_atomically(path, text)
    return text


def _flat(prefix: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _flat(f"{prefix}.{key}" if prefix else key, part)
    elif isinstance(value, list):
        yield prefix, json.dumps(value)
    else:
        yield prefix, "" if value is None else value

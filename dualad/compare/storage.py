"""Results on disk: frozen dataclasses to plain JSON values and back, files written whole or not at all.

JSON has no infinity and no NaN: they are written as the strings "inf", "-inf", "nan", and become numbers again where
the type of the field says float.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import tempfile
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["decode", "encode", "to_text", "write_atomically"]


def write_atomically(path: str | os.PathLike[str], content: str | bytes) -> Path:
    """Write a file through a temporary one beside it: whoever looks sees the old content or all of the new one.

    Parameters
    ----------
    path : str or path
    content : str or bytes
        Text is written as UTF-8 with the newlines it has.

    Returns
    -------
    Path

    Raises
    ------
    OSError
        The folder cannot be written to; nothing is left behind.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from dualad.compare.storage import write_atomically
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_atomically(Path(folder) / "a.txt", "whole").read_text(), len(list(Path(folder).iterdir()))
    ('whole', 1)
    """
    target = Path(path)
    if target.is_dir():
        raise IsADirectoryError(f"{target} is a folder")
    handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content.encode("utf-8") if isinstance(content, str) else content)
        if os.name == "posix":  # mkstemp makes a private file; give it the rights an ordinary one would have
            mask = os.umask(0)
            os.umask(mask)
            os.chmod(temporary, 0o666 & ~mask)
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return target


def encode(value: Any) -> Any:
    """A value as JSON has it: dataclasses and mappings become dicts, tuples and arrays lists.

    Examples
    --------
    >>> from dualad.compare import Weights
    >>> from dualad.compare.storage import encode
    >>> encode({"weights": Weights(), "at": (1, 2), "gap": float("inf")})
    {'weights': {'moves': 1, 'adds': 1, 'mults': 1, 'nonlinear': 2}, 'at': [1, 2], 'gap': 'inf'}
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: encode(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): encode(part) for key, part in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return encode(value.tolist())
    if isinstance(value, str) or value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else repr(value)
    if isinstance(value, Sequence | set | frozenset | range):
        return [encode(part) for part in (sorted(value) if isinstance(value, set | frozenset) else value)]
    raise TypeError(f"a result holds numbers, strings, tuples, mappings and dataclasses, not {type(value).__name__}")


def decode(value: Any, kind: Any) -> Any:
    """The value that :func:`encode` was given, when it was of type `kind` (a class or an annotation).

    Examples
    --------
    >>> from dualad.compare import Weights
    >>> from dualad.compare.storage import decode
    >>> decode({"moves": 0, "adds": 1, "mults": 1, "nonlinear": 2}, Weights)
    Weights(moves=0, adds=1, mults=1, nonlinear=2)
    """
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if value is None:
        return None
    if origin in (typing.Union, types.UnionType):
        return _decode_union(value, [part for part in inner if part is not type(None)])
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        known = {field.name for field in dataclasses.fields(kind) if field.init}
        return kind(**{name: decode(part, hints[name]) for name, part in value.items() if name in known})
    if origin is tuple or kind is tuple:
        if not inner or (len(inner) == 2 and inner[1] is Ellipsis):
            return tuple(decode(part, inner[0] if inner else Any) for part in value)
        return tuple(decode(part, one) for part, one in zip(value, inner, strict=True))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {key: decode(part, inner[1]) for key, part in value.items()}
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return [decode(part, inner[0]) for part in value]
    if kind is float and isinstance(value, str):
        return float(value)
    return value


def _decode_union(value: Any, kinds: Sequence[Any]) -> Any:
    if isinstance(value, str) and float in kinds and str not in kinds:
        return float(value)
    structured = [kind for kind in kinds if dataclasses.is_dataclass(kind) or typing.get_origin(kind) is not None]
    if isinstance(value, dict | list) and len(structured) == 1:
        return decode(value, structured[0])
    return decode(value, kinds[0]) if len(kinds) == 1 else value


def to_text(value: Any) -> str:
    """The JSON text of an encoded value: one row of a result a line, keys in their order, the same on every machine.

    Examples
    --------
    >>> from dualad.compare.storage import to_text
    >>> print(to_text({"title": "a", "rows": [{"n": 1}, {"n": 2}]}), end="")
    {
     "title": "a",
     "rows": [
      {"n": 1},
      {"n": 2}
     ]
    }
    """
    return _lines(value, 0) + "\n"


def _lines(value: Any, depth: int) -> str:
    pad = " " * (depth + 1)
    if isinstance(value, dict) and any(isinstance(part, list) and part and isinstance(part[0], dict) for part in value.values()):
        inside = ",\n".join(f"{pad}{json.dumps(key, ensure_ascii=False)}: {_lines(part, depth + 1)}" for key, part in value.items())
        return "{\n" + inside + "\n" + " " * depth + "}"
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(pad + _lines(part, depth + 1) for part in value) + "\n" + " " * depth + "]"
    return json.dumps(value, ensure_ascii=False, allow_nan=False)

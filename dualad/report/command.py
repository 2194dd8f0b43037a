"""The command line that runs an experiment again, from the settings that its result keeps."""

from __future__ import annotations

import inspect
import itertools
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from ..compare import registry
from ..compare.storage import encode

__all__ = ["command_line"]


def command_line(name: str, settings: Mapping[str, Any]) -> str:
    """``dualad compare NAME --option value ...``; "" if no command line can say it.

    Parameters
    ----------
    name : str
        Of the experiment.
    settings : mapping
        Its arguments; those with their default value are left out.

    Returns
    -------
    str

    Examples
    --------
    >>> from dualad import compare
    >>> from dualad.report.command import command_line
    >>> r = compare.scaling("m", [1, 2, 4, 8], n=3, count_only=True)
    >>> command_line(r.name, r.settings)
    'dualad compare scaling --vary m --at 1:8:x2 --n 3 --count-only'
    """
    experiment = registry.EXPERIMENTS.get(name)
    if experiment is None:
        return ""
    defaults = {key: parameter.default for key, parameter in inspect.signature(experiment.run).parameters.items()}
    words = ["dualad", "compare", name]
    known = {argument.name: argument for argument in experiment.arguments}
    for key in [*known, *(k for k in ("seed", "repeats", "count_only") if k in defaults and k not in known)]:
        value, default = encode(settings.get(key)), encode(known[key].default if key in known else defaults[key])
        positional = key in known and known[key].positional
        if positional:
            if not isinstance(value, str) or ":" not in value:
                return ""  # a function that no module names
            words.append(shlex.quote(value))
        elif value is not None and value != default and not (value == [] and default in (None, [])):
            option = f"--{key.replace('_', '-')}"
            words += [option] if value is True else [] if value is False else [option, shlex.quote(_text(value))]
    others = set(settings) - set(known) - {"seed", "repeats", "count_only"}
    if any(key in defaults and encode(settings[key]) != encode(defaults[key]) for key in others):
        return ""  # an argument that only Python has, such as weights of one's own
    return " ".join(words)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return _range(value) or ",".join(str(part) for part in value)
    return str(value)


def _range(values: Sequence[Any]) -> str:
    """``first:last:xfactor`` or ``first:last:+step`` of a long regular list."""
    if len(values) < 4 or not all(isinstance(v, int) and v > 0 for v in values):
        return ""
    first, second, last = values[0], values[1], values[-1]
    if second % first == 0 and all(b == a * (second // first) for a, b in itertools.pairwise(values)):
        return f"{first}:{last}:x{second // first}"
    if all(b - a == second - first for a, b in itertools.pairwise(values)):
        return f"{first}:{last}:+{second - first}"
    return ""

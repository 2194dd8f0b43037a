"""f with another library in NumPy's place: its code is kept, the names that code looks up are bound anew.

Replaced are `numpy`, `dualad.numpy` and `dualad.math`, wherever f reaches them: as a global name, a variable of an enclosing
function, a default, an argument of a `functools.partial`, and in the functions that f calls, through modules too. Functions of
NumPy, of the standard library (`math` takes constants only) and of dualad itself stay what they are.
"""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ... import math as dualad_math
from ... import numpy as dualad_numpy

__all__ = ["rebind"]

NUMERICAL = (np, dualad_math, dualad_numpy)
#: modules of dualad whose functions are problems, not machinery
PROBLEMS = ("dualad.problems", "dualad.compare.families")


def _same(value: np.ndarray) -> Any:
    return value


def rebind(f: Callable[..., Any], namespace: Any, constant: Callable[[np.ndarray], Any] = _same) -> Callable[..., Any]:
    """`f` with `namespace` in place of NumPy and of the modules of scalar functions.

    Parameters
    ----------
    f : callable
        A Python function, a partial of one; anything else is returned as it is.
    namespace
        Has the functions as attributes.
    constant : callable
        Makes the library's own array of an ndarray that f holds (in a closure, a global name, a partial).

    Returns
    -------
    callable
        f is not changed.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from dualad import problems
    >>> from dualad.compare.peers import rebind
    >>> f = problems.get("cos_of_sum").f  # cos(sin x^2 + 3 x^2)
    >>> rebind(f, SimpleNamespace(cos=lambda x: 10 * x, sin=lambda x: x))(1.0)
    40.0
    """
    copy: Callable[..., Any] = _Rebinding(namespace, constant).value(f)
    return copy


class _Rebinding:
    """One rebinding, and what it has copied."""

    def __init__(self, namespace: Any, constant: Callable[[np.ndarray], Any]) -> None:
        self.namespace, self.constant = namespace, constant
        self.copies: dict[int, types.FunctionType] = {}

    def value(self, value: Any) -> Any:
        """A value that f reaches, as the copy shall see it."""
        if isinstance(value, types.ModuleType):
            return self.namespace if value in NUMERICAL else _Module(self, value) if _is_ours(value.__name__) else value
        if isinstance(value, types.FunctionType):
            return self.function(value) if _is_ours(value.__module__) else value
        if isinstance(value, types.MethodType):
            return types.MethodType(self.value(value.__func__), value.__self__)
        if isinstance(value, functools.partial):
            keywords = {name: self.value(part) for name, part in value.keywords.items()}
            return functools.partial(self.value(value.func), *map(self.value, value.args), **keywords)
        if type(value) is np.ndarray and value.dtype.kind == "f":
            return self.constant(value)
        if type(value) in (list, tuple):
            return type(value)(map(self.value, value))
        return value

    def function(self, g: types.FunctionType) -> types.FunctionType:
        """A copy of a Python function."""
        if id(g) not in self.copies:
            scope = dict(g.__globals__)
            cells = tuple(types.CellType() for _ in g.__closure__ or ())
            copy = types.FunctionType(g.__code__, scope, g.__name__, None, cells or None)
            self.copies[id(g)] = copy  # before what it reaches: that may be g again
            copy.__defaults__ = None if g.__defaults__ is None else tuple(map(self.value, g.__defaults__))
            copy.__kwdefaults__ = {name: self.value(part) for name, part in (g.__kwdefaults__ or {}).items()}
            for name in set(_names(g.__code__)) & scope.keys():
                scope[name] = self.value(scope[name])
            for cell, old in zip(cells, g.__closure__ or (), strict=True):
                cell.cell_contents = self.value(old.cell_contents)
        return self.copies[id(g)]


class _Module:
    """A module whose functions are rebound when they are asked for."""

    def __init__(self, rebinding: _Rebinding, module: types.ModuleType) -> None:
        self._rebinding, self._module = rebinding, module

    def __getattr__(self, name: str) -> Any:
        return self._rebinding.value(getattr(self._module, name))


def _names(code: types.CodeType) -> Iterator[str]:
    """The global names and attributes in a function's code and in the functions written inside it."""
    yield from code.co_names
    for part in code.co_consts:
        if isinstance(part, types.CodeType):
            yield from _names(part)


@functools.cache
def _is_ours(module: str) -> bool:
    """Is this a module of problems or of the caller's, not a library?"""
    first = module.partition(".")[0]
    if first == "dualad":
        return module.startswith(PROBLEMS)
    if first in sys.stdlib_module_names:
        return first == "__main__"
    file = getattr(sys.modules.get(first), "__file__", None) or ""
    return "site-packages" not in file and "dist-packages" not in file

"""Traced values that a function holds without being given them: those it closes over, found and replaced.

A function that is run again later cannot use the values of a transformation that has ended by then. So what it closes over
becomes further inputs::

    def loss(w, x):
        layer = lambda x: np.tanh(w @ x)      # w: a cell of layer's closure
        return np.sum(checkpoint(layer)(x))

    held = Closure(layer);  held.leaves -> [w];  held.replaced([v]) -> layer with v in place of w

Looked through are the cells and defaults of functions, the parts of ``functools.partial`` and of bound methods, and the
containers in them (tuples, lists, dicts, dataclasses).

A closure holds variables, not values: in ``for i in range(3): x = checkpoint(lambda x: layers[i](x))(x)`` all three lambdas
read the one `i`, which is 2 when they run again. So the variables are also copied as they are at the call.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from types import CellType, FunctionType, MethodType
from typing import Any

import numpy as np

from ._core import LeakedValueError, Traced, check_open
from .tree import flatten, unflatten

__all__ = ["Closure"]


class Closure:
    """An object (a function, or a container of arguments) and the traced values in it.

    Parameters
    ----------
    target : object

    Attributes
    ----------
    leaves : list
        The traced values, each once; values of transformations that have ended are left alone.

    Examples
    --------
    >>> import dualad
    >>> def f(x):
    ...     g = lambda y: x * y
    ...     return Closure(g).replaced([5.0])(2.0) * x
    >>> dualad.grad(f)(3.0)
    10.0
    """

    __slots__ = ("_frozen", "_target", "leaves")

    def __init__(self, target: Any) -> None:
        self._target = self._frozen = target
        found: dict[int, Any] = {}
        _collect(target, _usable, found, set())
        self.leaves: list[Any] = list(found.values())

    def replaced(self, leaves: Sequence[Any]) -> Any:
        """The object with other values in place of its `leaves`; itself when there are none."""
        if not self.leaves:
            return self._target
        return _Replacement({id(old): new for old, new in zip(self.leaves, leaves, strict=True)}).of(self._target)

    def freeze(self) -> None:
        """Keep a copy of the variables as they are now."""
        self._frozen = _Replacement(None).of(self._target)

    def settle(self) -> None:
        """From now on the variables are those that :meth:`freeze` kept, whatever has become of them since."""
        self._target = self._frozen


def _parts(x: Any) -> list[Any] | None:
    """What a function or container holds; None for anything else."""
    kind = type(x)
    if kind is FunctionType:
        inner = [x.__defaults__, x.__kwdefaults__]
        for cell in x.__closure__ or ():
            inner += _contents(cell)
        return inner
    if kind is functools.partial:
        return [x.func, x.args, x.keywords]
    if kind is MethodType:
        return [x.__func__, x.__self__]
    return None


def _contents(cell: CellType) -> list[Any]:
    try:
        return [cell.cell_contents]
    except ValueError:  # not assigned yet
        return []


def _leaves(x: Any) -> list[Any]:
    try:
        return flatten(x)[0]
    except RecursionError:  # a container that holds itself
        return []


def _collect(x: Any, wanted: Callable[[Traced], bool], found: dict[int, Any], seen: set[int]) -> None:
    """Put the wanted traced values that x leads to into `found`, by their id."""
    if isinstance(x, Traced):
        if wanted(x):
            found[id(x)] = x
        return
    if isinstance(x, np.ndarray):
        if x.dtype == object:
            for element in x.flat:
                _collect(element, wanted, found, seen)
        return
    if id(x) in seen or x is None or isinstance(x, (str, bytes, int, float, complex, type)):
        return
    seen.add(id(x))
    parts = _parts(x)
    for part in _leaves(x) if parts is None else parts:
        if part is not x:
            _collect(part, wanted, found, seen)


def _usable(x: Traced) -> bool:
    try:
        check_open(x)
    except LeakedValueError:
        return False
    return True


class _Replacement:
    """One walk that puts new values in (None: that copies all variables of closures).

    Every object is made anew at most once, so that cycles and variables shared by several functions stay what they are.
    """

    def __init__(self, values: dict[int, Any] | None) -> None:
        self.values = values
        self.made: dict[int, Any] = {}

    def _concerns(self, x: Any) -> bool:
        """Must x be made anew?"""
        if self.values is None:
            return True
        found: dict[int, Any] = {}
        _collect(x, lambda traced: id(traced) in self.values, found, set())  # type: ignore[operator]
        return bool(found)

    def of(self, x: Any) -> Any:
        if isinstance(x, Traced):
            return x if self.values is None else self.values.get(id(x), x)
        if x is None or isinstance(x, (str, bytes, int, float, complex, type)):
            return x
        if id(x) not in self.made:
            makers: dict[type, Callable[[Any], Any]] = {FunctionType: self._function, functools.partial: self._partial,
                                                        MethodType: self._method, np.ndarray: self._array}
            make = makers.get(type(x), self._container)
            self.made[id(x)] = x  # what an object that contains itself finds
            self.made[id(x)] = make(x)
        return self.made[id(x)]

    def _function(self, f: FunctionType) -> FunctionType:
        if not (f.__closure__ or f.__defaults__ or f.__kwdefaults__) or not self._concerns(f):
            return f
        cells = [(cell, self.made.setdefault(id(cell), self._cell(cell))) for cell in f.__closure__ or ()]
        clone = FunctionType(f.__code__, f.__globals__, f.__name__, None, tuple(new for _, new in cells) or None)
        self.made[id(f)] = clone
        clone.__dict__.update(f.__dict__)
        clone.__qualname__, clone.__module__, clone.__doc__ = f.__qualname__, f.__module__, f.__doc__
        clone.__defaults__ = None if f.__defaults__ is None else tuple(self.of(v) for v in f.__defaults__)
        clone.__kwdefaults__ = None if f.__kwdefaults__ is None else {k: self.of(v) for k, v in f.__kwdefaults__.items()}
        for cell, new in cells:
            if new is not cell:
                new.cell_contents = self.of(cell.cell_contents)
        return clone

    def _cell(self, cell: CellType) -> CellType:
        """The cell itself where nothing is replaced (a nonlocal counter goes on counting), else an empty new one."""
        return CellType() if any(self._concerns(inside) for inside in _contents(cell)) else cell

    def _partial(self, x: Any) -> Any:
        return functools.partial(self.of(x.func), *(self.of(v) for v in x.args), **{k: self.of(v) for k, v in x.keywords.items()})

    def _method(self, x: Any) -> Any:
        return MethodType(self.of(x.__func__), self.of(x.__self__))

    def _array(self, x: Any) -> Any:
        if x.dtype != object or not self._concerns(x):
            return x
        new = np.empty(x.shape, object)
        for place, element in np.ndenumerate(x):
            new[place] = self.of(element)
        return new

    def _container(self, x: Any) -> Any:
        leaves = _leaves(x)
        if len(leaves) == 1 and leaves[0] is x:
            return x
        new = [self.of(leaf) for leaf in leaves]
        return x if all(a is b for a, b in zip(leaves, new, strict=True)) else unflatten(flatten(x)[1], new)

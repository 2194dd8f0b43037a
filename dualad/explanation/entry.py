"""`dualad.explain`: how the derivative of a function comes about at a point, operation by operation."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .. import math as traced_math
from ..arguments import check_leaf
from ..kinks import listening
from ..tree import flatten, tree_map
from .branches import branch_kinks
from .building import SEARCHED, build, program_of
from .choices import Log
from .explanation import Explanation
from .kinks import find_kinks
from .program import Kink, Program
from .sweeps import Sweeps
from .tracing import origin, paths_of, record

__all__ = ["explain"]


def explain(
    f: Callable[..., Any], *args: Any, argnums: int | Sequence[int] | None = None, tolerance: float = 1e-8, **kwargs: Any
) -> Explanation:
    """How the derivative of f at a point comes about, operation by operation.

    Parameters
    ----------
    f : callable
        Any function that dualad differentiates.
    *args : float, int, array_like of float, or containers of them
        The point. Integers are taken as floats.
    argnums : int or tuple of int, optional
        Arguments to differentiate; the others are constants. By default all.
    tolerance : float
        How near to a kink an operation counts as being at it, relative to its operand where that is larger than 1; 0: at it.
    **kwargs
        Passed on to f as constants.

    Returns
    -------
    Explanation
        Print it, or look at it in a notebook.

    Raises
    ------
    TypeError
        f is no function, an argument is no number, f returns a constant, or takes another number of arguments.
    ValueError
        An argument is NaN or infinite, or the tolerance is no number of at least 0.

    Notes
    -----
    Cost: f runs once on a Python tape under a line tracer (which is how the names of your variables are found), then one reverse
    sweep, and a forward sweep for each number in the inputs (up to 16). It runs twice more for each branch that was decided between
    equal numbers (up to 8), to see the derivatives on both sides, five times if there are other kinks at the point.

    Examples
    --------
    >>> import dualad
    >>> from dualad import math
    >>> def f(x):
    ...     t = x**2
    ...     u = math.sin(t) + 3 * t
    ...     return math.cos(u)
    >>> print(dualad.explain(f, 1.0).fold("name"))
    f at x = 1
    line | value            | is         | adjoint | is
    -----+------------------+------------+---------+----------
         | x                |          1 | dy/dx   |  4.560792
       2 | t = x**2         |          1 | dy/dt   |  2.280396
       3 | u = sin(t) + 3*t |   3.841471 | dy/du   | 0.6441246
       4 | y = cos(u)       | -0.7649206 | dy/dy   |         1
    """
    if not callable(f):
        raise TypeError(
            f"explain takes a function and its arguments, not {type(f).__name__}; write explain(f, x), not explain(f(x))"
        )
    name = _name(f)
    if getattr(f, "__module__", None) == "math" and callable(getattr(traced_math, name, None)):
        f = getattr(traced_math, name)  # the same function for values that carry a derivative
    names = _argument_names(f, name, args, kwargs)
    chosen = _chosen(argnums, len(args))
    given = list(args)
    for i in chosen:
        given[i] = _checked(args[i], names[i])
    log = Log(_checked_tolerance(tolerance))
    with listening(log):
        recording = record(f, given, dict(kwargs), chosen, names)
    built = build(recording, name)
    sweeps = Sweeps(built.operations, built.values, built.outputs)
    file, source, first = origin(f)
    blank = Program(
        name if name.isidentifier() or name == "<lambda>" else "f", (), (), (), file=file, source=source, first_line=first
    )
    kinks: tuple[Kink, ...] = ()
    if len(built.nodes) <= SEARCHED:
        kinks = find_kinks(built, recording, log)
        kinks = (*kinks, *branch_kinks(log, recording, built, f, given, dict(kwargs), chosen, not kinks))
    program = program_of(built, sweeps, replace(blank, kinks=kinks))
    return Explanation(program, f, tuple(given), dict(kwargs), chosen, built, sweeps)


def _name(f: Any) -> str:
    """Name of a function, of what a functools.partial calls, or of the class of an object that can be called."""
    while isinstance(f, functools.partial):
        f = f.func
    return getattr(f, "__name__", None) or type(f).__name__


def _checked_tolerance(tolerance: Any) -> float:
    """The tolerance, at least some units in the last place: rules are asked on both sides of a point."""
    if not isinstance(tolerance, (int, float, np.number)) or isinstance(tolerance, bool) or not 0.0 <= tolerance < np.inf:
        raise ValueError(f"explain: tolerance is {tolerance!r}; give a number of at least 0, such as 1e-8")
    return max(float(tolerance), 1e-13)


def _argument_names(f: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[str]:
    """Names of the positional arguments; TypeError if f does not take them."""
    try:
        signature = inspect.signature(f)
    except (ValueError, TypeError):  # a C function
        if not args:
            raise TypeError(f"explain({name}): give the arguments at which {name} is explained") from None
        return ["x"] if len(args) == 1 else [f"x{i + 1}" for i in range(len(args))]
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        raise TypeError(f"{name}{signature} was given {len(args)} argument{'s' * (len(args) != 1)}: {error}") from None
    if not args:
        raise TypeError(f"explain({name}): give at least one argument by position; it is what the derivative is taken by")
    found: list[str] = []
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.VAR_POSITIONAL:
            found += [f"{parameter.name}[{i}]" for i in range(len(args) - len(found))]
        elif parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            found.append(parameter.name)
    return found[: len(args)]


def _chosen(argnums: int | Sequence[int] | None, count: int) -> tuple[int, ...]:
    numbers = tuple(range(count)) if argnums is None else (argnums,) if isinstance(argnums, int) else tuple(argnums)
    for i in numbers:
        if not isinstance(i, int) or not -count <= i < count:
            raise ValueError(f"argnums {argnums!r} with {count} positional argument{'s' * (count != 1)}; count from 0")
    numbers = tuple(dict.fromkeys(i % count for i in numbers))
    if not numbers:
        raise ValueError("argnums names no argument: nothing to differentiate by")
    return numbers


def _checked(x: Any, name: str) -> Any:
    """An argument as floats; errors name it."""
    leaves = flatten(x)[0]
    if not leaves:
        raise TypeError(f"explain: {name} holds no number; leave it out with argnums")
    for leaf, path in zip(leaves, paths_of(x, name), strict=True):
        if (
            isinstance(leaf, bool)
            or (isinstance(leaf, np.ndarray) and leaf.dtype.kind not in "iuf")
            or (not isinstance(leaf, (int, float, np.ndarray, np.integer, np.floating)))
        ):
            raise TypeError(
                f"explain: {path} is {type(leaf).__name__} ({leaf!r:.40}), not a number or an array of floats; "
                "leave it out with argnums, or pass it as a keyword argument"
            )
        bad = ~np.isfinite(np.asarray(leaf, dtype=float))
        if np.any(bad):
            raise ValueError(
                f"explain: {path} is {np.asarray(leaf, dtype=float)[bad][0]}{' in places' if np.ndim(leaf) else ''}; "
                "give finite numbers"
            )
    return tree_map(lambda leaf: check_leaf(np.asarray(leaf, dtype=float), "explain", name) if np.ndim(leaf) else float(leaf), x)

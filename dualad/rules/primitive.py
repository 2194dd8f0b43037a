"""Primitives: operations with a derivative rule, and how they act on traced values.

A primitive is a function of plain arrays with two rules.  Applied to traced values it acts at the highest level among its
arguments, treats values of lower levels as constants there, and is applied again, one level down, to the payloads.

Rules are written over the primals and the result, with one convention for lanes: a tangent or cotangent may have one more
leading axis than its primal.  A rule that counts axes from the end (or uses `lanes`, 0 or the number of lanes) serves both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import _core
from .._core import Level, Traced, _NeedsGenericTape, top_level
from ..generic import GenericVar, lower, pack, tangent_of, wrap_forward
from .transpose import transpose_jvp

__all__ = ["FUNCTIONS", "Call", "Primitive", "bind", "implements", "not_covered", "record"]

#: NumPy function (or operation name) -> what it does to traced values
FUNCTIONS: dict[Any, Callable[..., Any]] = {}


def implements(*functions: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register the decorated function as what those NumPy functions do to traced values."""

    def register(rule: Callable[..., Any]) -> Callable[..., Any]:
        for f in functions:
            FUNCTIONS[f] = rule
        return rule

    return register


def not_covered(name: str, instead: str = "") -> NotImplementedError:
    """The error for an operation without a rule."""
    hint = f"; {instead}" if instead else "; write it with covered functions, or give it a rule with dualad.custom_jvp"
    return NotImplementedError(f"{name} is not differentiated yet{hint} (dualad.stop_gradient makes its argument constant)")


class Primitive:
    """An operation with its derivative.

    Parameters
    ----------
    name : str
    impl : callable
        ``impl(*args, **params)`` on plain values; NumPy's own function, so that tracing changes no bit.
    jvp : callable, optional
        ``jvp(tangents, primals, out, lanes, **params) -> tangent of out``.  ``tangents[i]`` is None for a constant argument.
    vjp : callable, optional
        ``vjp(ct, primals, out, needs, lanes, **params) -> cotangents`` (a tuple as long as primals; None where
        ``needs[i]`` is False).  Left out, it is the transpose of `jvp`, found by recording `jvp` itself.
    dispatches : bool
        `impl` itself accepts traced values (a NumPy ufunc does).

    Notes
    -----
    With several results `out`, tangents and `ct` are tuples.
    """

    __slots__ = ("dispatches", "impl", "jvp", "name", "vjp")

    def __init__(self, name: str, impl: Callable[..., Any], jvp: Callable[..., Any] | None = None,
                 vjp: Callable[..., Any] | None = None, dispatches: bool = False) -> None:
        self.name, self.impl, self.jvp, self.dispatches = name, impl, jvp, dispatches
        self.vjp = vjp if vjp is not None else self._transpose

    def __call__(self, *args: Any, **params: Any) -> Any:
        return bind(self, args, params)

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    def push(self, tangents: Sequence[Any], primals: Sequence[Any], out: Any, lanes: int, params: dict[str, Any]) -> Any:
        """Tangent of the result."""
        if self.jvp is None:
            raise TypeError(f"{self.name} has a reverse rule only (custom_vjp): forward mode, jvp and linearize need "
                            "dualad.custom_jvp")
        return self.jvp(tangents, primals, out, lanes, **params)

    def _transpose(self, ct: Any, primals: Sequence[Any], out: Any, needs: Sequence[bool], lanes: int, **params: Any) -> Any:
        return transpose_jvp(self, ct, primals, out, needs, lanes, params)


class Call:
    """A primitive on a reverse level's tape: what its pullback needs."""

    __slots__ = ("inputs", "out", "outputs", "params", "primitive", "single", "values")

    def __init__(self, primitive: Primitive, inputs: list[Any], values: list[Any], out: Any, params: dict[str, Any]) -> None:
        self.primitive, self.inputs, self.values, self.out, self.params = primitive, inputs, values, out, params
        self.single = not isinstance(out, tuple)
        self.outputs: list[Any] = []


def bind(primitive: Primitive, args: Sequence[Any], params: dict[str, Any]) -> Any:
    """Apply a primitive to arguments of any levels."""
    args = [pack(a) if isinstance(a, (list, tuple, np.ndarray)) else a for a in args]
    level = top_level(args)
    if level is None:
        return primitive.impl(*args, **params)
    apply = primitive.impl if primitive.dispatches else primitive
    if level.reverse:
        return record(primitive, level, args, params, apply)
    number = level.level_id
    primals = [lower(a, number) for a in args]
    tangents = [tangent_of(a, number) for a in args]
    out = apply(*primals, **params)
    tangent = primitive.push(tangents, primals, out, level.lanes, params)
    if isinstance(out, tuple):
        return type(out)(*_pairs(level, out, tangent)) if hasattr(out, "_fields") else tuple(_pairs(level, out, tangent))
    return out if tangent is None else wrap_forward(level, out, tangent)


def _pairs(level: Level, out: Sequence[Any], tangents: Sequence[Any]) -> list[Any]:
    return [o if t is None else wrap_forward(level, o, t) for o, t in zip(out, tangents, strict=True)]


def record(primitive: Primitive, level: Level, args: Sequence[Any], params: dict[str, Any], apply: Callable[..., Any]) -> Any:
    """Record a call on a reverse level and return its traced results."""
    number = level.level_id
    values = [lower(a, number) for a in args]
    if level.plain and any(isinstance(v, Traced) for v in values):
        raise _NeedsGenericTape
    inputs = [a if isinstance(a, Traced) and a.level_id == number else None for a in args]
    out = apply(*values, **params)
    # Constants are copied (in their memory order): a later write into the caller's array must not change the derivative.
    kept = [np.array(v) if x is None and isinstance(v, np.ndarray) else v for v, x in zip(values, inputs, strict=True)]
    call = Call(primitive, inputs, kept, out, params)
    outs = [out] if call.single else list(out)
    if level.plain and all(_fits_slots(o) for o in outs):
        call.outputs = _core.append_call(number, call, outs)
    else:
        call.outputs = [GenericVar(level, o) if _is_inexact(o) else o for o in outs]
        level.append_external(call)
    if call.single:
        return call.outputs[0]
    return type(out)(*call.outputs) if hasattr(out, "_fields") else tuple(call.outputs)


def _fits_slots(o: Any) -> bool:
    return type(o) is float or type(o) is np.float64 or (type(o) is np.ndarray and o.dtype == np.float64)


def _is_inexact(o: Any) -> bool:
    return isinstance(o, (float, Traced)) or np.issubdtype(np.asarray(o).dtype, np.inexact)


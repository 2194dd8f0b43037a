"""Elementwise operations: every row of the table csrc/ops.def as a primitive, its partials compiled from the row's strings.

The compiled core takes these operations itself wherever operands are float64 of one level; here is the same rule for every
other payload (nested levels, float32, arrays in forward mode).
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import _core
from .._core import Traced
from ..generic import dtype_of, plain, shape_of
from .primitive import Primitive

__all__ = ["MATH_PRIMITIVES", "ROWS", "UFUNC_PRIMITIVES", "align", "cast", "guarded", "locally_constant", "unbroadcast"]

ROWS = {row["name"]: row for row in _core.rows()}


def select(condition: Any, a: Any, b: Any) -> Any:
    """The table's select: the side that is not chosen has no influence, not even by an infinite derivative."""
    if isinstance(condition, (bool, np.bool_)):
        return a if condition else b
    return np.where(condition, a, b)


def _select_lazily(condition: Any, a: Callable[[], Any], b: Callable[[], Any]) -> Any:
    if np.all(condition):
        return a()
    return np.where(condition, a(), b()) if np.any(condition) else b()


class _LazySelect(ast.NodeTransformer):
    """select(c, a, b) -> select(c, lambda: a, lambda: b): a side that nothing chooses is not computed."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "select":
            nothing = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
            node.args[1:] = [ast.Lambda(nothing, side) for side in node.args[1:]]
        return node


def _namespace() -> dict[str, Any]:
    names: dict[str, Any] = {name: getattr(np, name) for name in ROWS if isinstance(getattr(np, name, None), np.ufunc)}
    names.update(_core.OWN_UFUNCS)
    names.update(select=_select_lazily, lt=np.less, le=np.less_equal, eq=np.equal, nan=np.nan)
    return names


NAMESPACE = _namespace()


@functools.cache
def compile_rule(text: str) -> Callable[[Any, Any, Any], Any]:
    """A partial of the table as a function of (x, y, v), compiled at its first use."""
    tree = _LazySelect().visit(ast.parse(f"lambda x, y, v: {text}", mode="eval"))
    return eval(compile(ast.fix_missing_locations(tree), "ops.def", "eval"), NAMESPACE)  # a row of our own table


def align(t: Any, ndim: int, lanes: int) -> Any:
    """A tangent with lanes, its primal's axes moved to the end so that it broadcasts as the primal would."""
    if not lanes:
        return t
    shape = shape_of(t)
    missing = ndim - (len(shape) - 1)
    return t if missing <= 0 else np.reshape(t, (shape[0],) + (1,) * missing + tuple(shape[1:]))


def unbroadcast(c: Any, shape: tuple[int, ...], lanes: int) -> Any:
    """Sum a cotangent over the axes along which a value of `shape` was broadcast."""
    have = shape_of(c)
    lead = 1 if lanes else 0
    if len(have) - lead == len(shape) and tuple(have[lead:]) == tuple(shape):
        return c
    extra = len(have) - lead - len(shape)
    first = lead + extra
    axes = (*range(lead, first), *(first + i for i, n in enumerate(shape) if n == 1 != have[first + i]))
    c = np.sum(c, axis=axes) if axes else c
    return np.reshape(c, tuple(have[:lead]) + tuple(shape)) if len(shape_of(c)) != lead + len(shape) else c


def guarded(p: Any, ct: Any, selects: bool) -> Any:
    """Partial times cotangent; an untouched cotangent (-0.0) stays untouched, whatever the partial."""
    if type(p) is float and p == 1.0:
        return ct
    c = p * ct
    mask = _untouched(ct, p)
    if selects:
        mask = mask | (plain(p) == 0.0)
    if np.any(mask):
        c = select(mask if np.ndim(mask) else bool(mask), -0.0, c)
    return c


def _untouched(ct: Any, p: Any) -> Any:
    """Where no operation that was selected depends on this cotangent: -0.0 in value, zero in every derivative it carries.

    A cotangent that an outer reverse level records may not be cut off (its own derivative counts), unless the partial is
    infinite and would make a NaN of it.
    """
    g = plain(ct)
    zero = g == 0.0
    if not np.any(zero):
        return zero
    known = _vanishes(ct)
    return zero & ~np.isfinite(plain(p)) if known is None else known & np.signbit(g)


def _vanishes(x: Any) -> Any:
    """Where a value is zero together with all its tangents; None when a reverse level hides what depends on it."""
    if not isinstance(x, Traced):
        return np.equal(x, 0.0)
    tangent = getattr(x, "tangent", None)
    if tangent is None:
        return None
    a, b = _vanishes(x.primal), _vanishes(tangent)  # type: ignore[attr-defined]
    if a is None or b is None:
        return None
    return a & (b.all(axis=0) if np.ndim(b) > np.ndim(a) else b)


def _as_numpy(x: Any, dtype: Any) -> Any:
    return dtype.type(x) if type(x) is float or type(x) is int else x


def _make(row: dict[str, Any], function: Callable[..., Any], name: str) -> Primitive:
    texts = (row["dx"], row["dy"])
    selects = row["cls"] in ("SELECT", "STEP")

    def parts(primals: Sequence[Any], out: Any, i: int) -> Any:
        dtype = dtype_of(out)
        x, v = _as_numpy(primals[0], dtype), _as_numpy(out, dtype)
        y = _as_numpy(primals[1], dtype) if len(primals) == 2 else x
        single = dtype.itemsize < 8 and not any(isinstance(a, Traced) for a in (x, y, v))
        if single:  # thresholds like 1e-290 need double
            x, y, v = (np.asarray(a, np.float64)[()] for a in (x, y, v))
        with np.errstate(all="ignore"):
            p = compile_rule(texts[i])(x, y, v)
            return p if not single or type(p) is float else np.asarray(p, dtype)[()]

    def jvp(tangents: Sequence[Any], primals: Sequence[Any], out: Any, lanes: int) -> Any:
        ndim, total = len(shape_of(out)), None
        for i, t in enumerate(tangents):
            if t is None:
                continue
            t, p = align(t, ndim, lanes), parts(primals, out, i)
            with np.errstate(all="ignore"):
                term = t if type(p) is float and p == 1.0 else p * t
            if selects and np.any(zero := plain(p) == 0.0):
                term = select(zero if np.ndim(zero) else bool(zero), 0.0, term)
            with np.errstate(all="ignore"):
                total = term if total is None else total + term
        return fit(total, out, lanes, tangents)

    def vjp(ct: Any, primals: Sequence[Any], out: Any, needs: Sequence[bool], lanes: int) -> Any:
        with np.errstate(all="ignore"):
            return tuple(unbroadcast(guarded(parts(primals, out, i), ct, selects), shape_of(primals[i]), lanes) if need else None
                         for i, need in enumerate(needs))

    return Primitive(name, function, jvp, vjp, dispatches=True)


def locally_constant(name: str, function: Callable[..., Any], parts: Callable[[Sequence[Any]], Sequence[Any]]) -> Primitive:
    """An elementwise operation that chooses: `parts` of its operands are its partials, plain numbers."""

    def jvp(tangents: Sequence[Any], primals: Sequence[Any], out: Any, lanes: int) -> Any:
        ndim, total = len(shape_of(out)), None
        for t, p in zip(tangents, parts(primals), strict=True):
            if t is not None:
                term = p * align(t, ndim, lanes)
                if np.any(zero := p == 0.0):
                    term = select(zero if np.ndim(zero) else bool(zero), 0.0, term)
                total = term if total is None else total + term
        return fit(total, out, lanes, tangents)

    def vjp(ct: Any, primals: Sequence[Any], out: Any, needs: Sequence[bool], lanes: int) -> tuple[Any, ...]:
        return tuple(
            unbroadcast(guarded(p, ct, True), shape_of(x), lanes) if need else None
            for x, p, need in zip(primals, parts(primals), needs, strict=True)
        )

    return Primitive(name, function, jvp, vjp)


def fit(tangent: Any, out: Any, lanes: int, tangents: Sequence[Any]) -> Any:
    """Give a tangent exactly the result's shape (and the lanes)."""
    want = tuple(shape_of(out))
    if lanes:
        k = next(shape_of(t)[0] for t in tangents if t is not None)
        want = (k, *want)
    if tuple(shape_of(tangent)) != want:
        tangent = np.broadcast_to(tangent, want)
    dtype = dtype_of(out)
    if dtype_of(tangent) != dtype and dtype.kind == "f":
        tangent = cast(tangent, dtype)
    return tangent


def cast(x: Any, dtype: Any) -> Any:
    """x in that dtype; a Python float, which has no astype, too."""
    return x.astype(dtype) if hasattr(x, "astype") else dtype.type(x)


#: ufunc -> primitive whose values are NumPy's
UFUNC_PRIMITIVES: dict[Any, Primitive] = {}
#: ufunc -> primitive whose values are libm's (dualad.math on nested scalars)
MATH_PRIMITIVES: dict[Any, Primitive] = {}

for _name, _row in ROWS.items():
    _ufunc = NAMESPACE[_name]
    if _ufunc not in UFUNC_PRIMITIVES:
        UFUNC_PRIMITIVES[_ufunc] = _make(_row, _ufunc, _name)
        MATH_PRIMITIVES[_ufunc] = _make(_row, _core.MATH[_name], f"math.{_name}")

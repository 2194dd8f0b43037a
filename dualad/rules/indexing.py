"""Indexing and selection: x[key], np.where and the functions that choose among arrays.

All of them move elements (see structure.py); only np.where has a rule of its own, because it is the hot one and because it
must not let an infinite or undefined derivative of the side that is not chosen through.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import _core
from .._core import Traced, top_level
from ..generic import DualArray, GenericVar, dtype_of, pack, plain, shape_of, wrap_forward
from .dispatch import untraced
from .elementwise import align, unbroadcast
from .primitive import FUNCTIONS, Primitive, bind, implements, not_covered
from .structure import as_traced, check_constant, memory_axes, structural, zero

__all__ = ["getitem", "where"]


# ---- x[key] --------------------------------------------------------------------------------------------------------------------


def _leaves_lanes_alone(key: Any) -> bool:
    """May an axis of lanes be put before the indexed axes?  Not when arrays apart from each other move their axis to the front."""
    keys = key if isinstance(key, tuple) else (key,)
    arrays = [i for i, k in enumerate(keys) if isinstance(k, (list, np.ndarray)) and np.ndim(k)]
    basic = [k is None or k is Ellipsis or isinstance(k, (slice, np.integer)) or type(k) is int for k in keys]
    if not arrays:
        return all(basic)
    return all(basic[i] and not isinstance(k, (int, np.integer)) for i, k in enumerate(keys) if i != arrays[0])


def _refuse_traced(key: Any) -> None:
    for k in key if isinstance(key, (tuple, list)) else (key,):
        if isinstance(k, Traced) or (isinstance(k, np.ndarray) and k.dtype == object):
            raise TypeError(
                "a traced value cannot be an index; index with plain integers, slices or boolean arrays "
                "(dualad.value(t).astype(int) if a constant is meant)"
            )
        if isinstance(k, (list, tuple)):
            _refuse_traced(k)


@implements(_core.GETITEM)
def getitem(x: Any, key: Any) -> Any:
    """x[key] of a scalar or a generic carrier; VarArray has its own."""
    _refuse_traced(key)
    if not shape_of(x):
        return _scalar_getitem(x, key)
    if type(x) is GenericVar and type(key) is int and len(x.shape) == 1:
        if x.items is None:  # type: ignore[attr-defined]
            x.items = bind(_elements, [x], {})  # type: ignore[attr-defined]
        return x.items[key]  # type: ignore[attr-defined]
    if type(x) is DualArray:
        level = top_level([x])
        assert level is not None
        if not level.lanes:
            return wrap_forward(level, x.primal[key], x.tangent[key])
        if _leaves_lanes_alone(key):
            return wrap_forward(level, x.primal[key], x.tangent[(slice(None), *(key if isinstance(key, tuple) else (key,)))])
    return structural(lambda leaves: leaves[0][key], [x], views=False)


def _scalar_getitem(x: Any, key: Any) -> Any:
    keys = key if isinstance(key, tuple) else (key,)
    if not all(k is None or k is Ellipsis for k in keys) or sum(k is Ellipsis for k in keys) > 1:
        raise IndexError("invalid index to scalar variable: it has no axes; only t[()], t[...] and t[None] have a meaning")
    new = sum(k is None for k in keys)
    return np.reshape(x, (1,) * new) if new else x


def _untouched(lanes: int) -> Any:
    return np.full((lanes,) if lanes else (), -0.0)


# All elements of a one-dimensional array at once: a Python loop over x[i] stays linear on the generic tape.
_elements = Primitive(
    "elements",
    lambda x: tuple(x),
    lambda ts, xs, out, lanes: tuple(ts[0][..., i] for i in range(len(out))),
    lambda ct, xs, out, needs, lanes: (np.stack([_untouched(lanes) if c is None else c for c in ct], axis=-1),),
)


# ---- np.where ------------------------------------------------------------------------------------------------------------------


def _where_impl(x: Any, y: Any, condition: Any) -> Any:
    out = np.where(condition, x, y)
    return out if out.ndim else out[()]


def _where_jvp(tangents: Sequence[Any], primals: Sequence[Any], out: Any, lanes: int, condition: Any) -> Any:
    ndim, want = len(shape_of(out)), ((lanes,) if lanes else ()) + tuple(shape_of(out))
    result = np.where(
        condition,
        *[zero(x, dtype_of(out), ()) if t is None else align(t, ndim, lanes) for t, x in zip(tangents, primals, strict=True)],
    )
    return result if tuple(shape_of(result)) == want else np.broadcast_to(result, want)


def _where_vjp(ct: Any, primals: Sequence[Any], out: Any, needs: Sequence[bool], lanes: int, condition: Any) -> Any:
    return (
        unbroadcast(np.where(condition, ct, -0.0), shape_of(primals[0]), lanes) if needs[0] else None,
        unbroadcast(np.where(condition, -0.0, ct), shape_of(primals[1]), lanes) if needs[1] else None,
    )


_where = Primitive("where", _where_impl, _where_jvp, _where_vjp)


@implements(np.where)
def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    """np.where: the side that is not chosen gets an untouched cotangent, so it cannot contribute a NaN."""
    condition = np.asarray(untraced(condition)).astype(bool, copy=False)
    if x is None and y is None:
        return np.nonzero(condition)
    x, y = _operand(x), _operand(y)
    level = top_level([x, y])
    if level is None:
        return np.where(condition, x, y)
    if level.reverse and level.plain:
        out = _where_on_slots(level.level_id, condition, x, y)
        if out is not None:
            return out
    return bind(_where, [x, y], {"condition": condition})


def _where_on_slots(number: int, condition: np.ndarray, x: Any, y: Any) -> Any:
    arrays = [condition, *[p for p in (plain(x), plain(y)) if isinstance(p, np.ndarray)]]
    if all(a.ndim < 2 or a.flags.c_contiguous for a in arrays):
        return _core.where(number, condition, x, y)
    result = np.where(condition, plain(x), plain(y))  # for its layout, which later sums follow
    if result.flags.c_contiguous:
        return _core.where(number, condition, x, y)
    axes, shape = memory_axes(result), result.shape
    out = _core.where(number, *[np.transpose(np.broadcast_to(v, shape), axes) for v in (condition, x, y)])
    return None if out is None else np.transpose(out, np.argsort(axes))


def _operand(x: Any) -> Any:
    x = pack(x)
    if not isinstance(x, (Traced, float, int)):
        x = x if isinstance(x, np.generic) else np.asarray(x)
        check_constant(x)
    return x


# ---- choosing among several arrays ---------------------------------------------------------------------------------------------


@implements(np.choose)
def choose(a: Any, choices: Any, out: Any = None, mode: Any = "raise") -> Any:
    """np.choose with plain integer choices."""
    if isinstance(a, Traced):
        raise TypeError("np.choose chooses by plain integers; this index array is traced")
    return structural(lambda parts: np.choose(a, parts, mode=mode), list(choices), views=False)


@implements(np.select)
def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    """np.select: like nested np.where, the choices not taken contribute nothing."""
    conditions = [np.asarray(untraced(c)) for c in condlist]
    return structural(lambda parts: np.select(conditions, parts[:-1], parts[-1]), [*choicelist, default], views=False)


@implements(np.piecewise)
def piecewise(x: Any, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Any:
    """np.piecewise: every function sees only the elements it is used for."""
    x, condlist, count = as_traced(x), untraced(condlist), len(funclist)
    if np.isscalar(condlist) or (not isinstance(condlist[0], (list, np.ndarray)) and len(shape_of(x)) != 0):
        condlist = [condlist]
    conditions = np.asarray(condlist, bool)
    if count == len(conditions) + 1:
        conditions = np.concatenate([conditions, ~np.any(conditions, axis=0, keepdims=True)])
    elif count != len(conditions):
        raise ValueError(
            f"with {len(conditions)} condition(s), either {len(conditions)} or {len(conditions) + 1} functions are expected"
        )
    dtype, shape = dtype_of(x), tuple(shape_of(x))
    masks, values = [], []
    for mask, f in zip(conditions, funclist, strict=True):
        taken = np.atleast_1d(x)[np.atleast_1d(mask)]
        if callable(f) and shape_of(taken)[0] == 0:
            continue
        value = f(taken, *args, **kw) if callable(f) else f
        masks.append(mask)
        values.append(value if isinstance(value := pack(value), Traced) else np.asarray(value, dtype))

    def assemble(parts: list[Any]) -> Any:
        if any(isinstance(p, Traced) for p in parts):
            return FUNCTIONS[_assemble](parts, masks, shape)
        return _assemble(parts, masks, shape)

    return structural(assemble, values, views=False)


def _assemble(parts: Sequence[Any], masks: Sequence[np.ndarray], shape: tuple[int, ...]) -> Any:
    out = np.zeros(shape, np.result_type(*parts))
    for mask, part in zip(masks, parts, strict=True):
        out[mask] = part
    return out


@implements(_assemble)
def _assemble_traced(parts: Sequence[Any], masks: Sequence[np.ndarray], shape: tuple[int, ...]) -> Any:
    return structural(lambda leaves: _assemble(leaves, masks, shape), parts, views=False)


# ---- writes --------------------------------------------------------------------------------------------------------------------


def _refuse_write(f: Any, instead: str) -> None:
    def rule(*args: Any, **kwargs: Any) -> Any:
        raise not_covered(f"numpy.{f.__name__}, which writes into an array,", instead)

    FUNCTIONS[f] = rule


for _f, _instead in (
    (np.fill_diagonal, "use np.where(np.eye(n, dtype=bool), value, x)"),
    (np.put_along_axis, "use np.where or np.take_along_axis"),
    (
        np.copyto,
        "use np.where, np.broadcast_to or t * np.ones(shape) (np.full_like(constant, t) and np.full(..., "
        "dtype=float) come here too)",
    ),
    (np.put, "use np.where or np.concatenate"),
    (np.place, "use np.where or np.select"),
    (np.putmask, "use np.where(mask, values, x)"),
):
    _refuse_write(_f, _instead)

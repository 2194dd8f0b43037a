"""Operations that only move, pick or drop elements: one mechanism for all of them.

Such a function applied to an array of *element numbers* says where every element of its result comes from.  So reshape,
roll, tile, concatenate, tril, pad ... need no rule each: run the function on numbers (0 marks a filled-in zero), and the
derivative is "pick those elements", whose transpose is "add into those elements".  Both are linear, and each other's rule.

On a tape of floats a result that NumPy returns as a view is a view of value and adjoint and costs no entry at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import _core
from .._core import Traced, VarArray, top_level
from ..generic import DualArray, GenericVar, in_slots, lower, pack, shape_of, wrap_forward
from .elementwise import align, unbroadcast
from .primitive import FUNCTIONS, Primitive, bind, implements

__all__ = ["as_traced", "put_flat", "structural", "take_flat"]


# ---- the two linear maps -----------------------------------------------------------------------------------------------------

def _take(x: Any, index: Any = None, n: int = 0) -> Any:
    out = np.asarray(x)[..., np.maximum(index - 1, 0)] if n else np.zeros(np.shape(x)[:-1] + index.shape)
    return np.where(index == 0, 0.0, out) if n and (index == 0).any() else out


def _put(x: Any, index: Any = None, n: int = 0) -> Any:
    x = np.asarray(x)
    lead = x.shape[: x.ndim - index.ndim]
    out = np.full((*lead, n + 1), -0.0, dtype=x.dtype)
    np.add.at(out, (..., index), x)
    return out[..., 1:]


# x[..., index - 1] along the last axis of length n, zero where index is 0
take_flat = Primitive("take_flat", _take,
                      lambda ts, xs, out, lanes, index, n: take_flat(ts[0], index=index, n=n),
                      lambda ct, xs, out, needs, lanes, index, n: (put_flat(ct, index=index, n=n),))
put_flat = Primitive("put_flat", _put,
                     lambda ts, xs, out, lanes, index, n: put_flat(ts[0], index=index, n=n),
                     lambda ct, xs, out, needs, lanes, index, n: (take_flat(ct, index=index, n=n),))


def _pick_impl(*leaves: Any, rebuild: Any, index: Any) -> Any:
    out = rebuild(list(leaves))
    return tuple(out) if isinstance(out, (list, tuple)) else out


def _pick_jvp(tangents: Sequence[Any], leaves: Sequence[Any], out: Any, lanes: int, rebuild: Any, index: Any) -> Any:
    parts = []
    for t, x in zip(tangents, leaves, strict=True):
        n = int(np.prod(shape_of(x), dtype=int))
        k = (lanes,) if lanes else ()
        parts.append(np.zeros((*k, n)) if t is None else np.reshape(t, (*k, n)))
    flat = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=-1)
    n = shape_of(flat)[-1]
    if isinstance(index, tuple):
        return tuple(take_flat(flat, index=i, n=n) for i in index)
    return take_flat(flat, index=index, n=n)


def _pick_vjp(ct: Any, leaves: Sequence[Any], out: Any, needs: Sequence[bool], lanes: int, rebuild: Any, index: Any) -> Any:
    sizes = [int(np.prod(shape_of(x), dtype=int)) for x in leaves]
    flat = None
    for c, i in zip(ct, index, strict=True) if isinstance(index, tuple) else ((ct, index),):
        if c is not None:
            part = put_flat(c, index=i, n=sum(sizes))
            flat = part if flat is None else flat + part
    result, at = [], 0
    for x, n, need in zip(leaves, sizes, needs, strict=True):
        lead = (lanes,) if lanes else ()
        result.append(np.reshape(flat[..., at:at + n], lead + tuple(shape_of(x))) if need else None)
        at += n
    return tuple(result)


pick = Primitive("pick", _pick_impl, _pick_jvp, _pick_vjp)


def _index_of(rebuild: Callable[[list[Any]], Any], leaves: Sequence[Any]) -> Any:
    numbers, at = [], 1
    for x in leaves:
        shape = tuple(shape_of(x))
        n = int(np.prod(shape, dtype=int))
        numbers.append(np.arange(at, at + n).reshape(shape))
        at += n
    out = rebuild(numbers)
    return tuple(np.asarray(o) for o in out) if isinstance(out, (list, tuple)) else np.asarray(out)


# ---- applying a structural function ------------------------------------------------------------------------------------------

def structural(rebuild: Callable[[list[Any]], Any], leaves: Sequence[Any], views: bool = True) -> Any:
    """Apply a function that only moves elements.

    Parameters
    ----------
    rebuild : callable
        Takes the list of leaves (or arrays of element numbers in their place) and returns an array or a list of arrays.
    leaves : sequence
        The arrays it moves, traced or not.
    views : bool
        Whether NumPy may return views (then nothing is recorded on a tape of floats).

    Notes
    -----
    Costs one call of the function on integers besides the one on values; the result is a gather, its transpose a scatter.
    """
    leaves = [pack(x) if isinstance(x, (list, tuple, np.ndarray)) else x for x in leaves]
    level = top_level(leaves)
    if level is None:
        return rebuild(list(leaves))
    number = level.level_id
    if level.plain and level.reverse and all(in_slots(x) for x in leaves if isinstance(x, Traced)):
        return _on_slots(rebuild, leaves, number, views)
    if not level.reverse and len(leaves) == 1 and not level.lanes and views:
        x = leaves[0]
        primal, tangent = rebuild([lower(x, number)]), rebuild([x.tangent])
        if isinstance(primal, (list, tuple)):
            return [wrap_forward(level, p, t) for p, t in zip(primal, tangent, strict=True)]
        return wrap_forward(level, primal, tangent)
    index = _index_of(rebuild, leaves)
    out = bind(pick, list(leaves), {"rebuild": rebuild, "index": index})
    return list(out) if isinstance(index, tuple) else out


def _on_slots(rebuild: Callable[[list[Any]], Any], leaves: Sequence[Any], number: int, views: bool) -> Any:
    first = leaves[0]
    if views and len(leaves) == 1 and type(first) is VarArray:
        out = rebuild([_core.values(first)])
        many = isinstance(out, (list, tuple))
        shown = [_core.wrap_view(first, o) if isinstance(o, np.ndarray) else None for o in (out if many else [out])]
        if all(s is not None for s in shown):
            return shown if many else shown[0]
    numbers = [_core.slots_of(x) if isinstance(x, Traced) else _core.store(number, x) for x in leaves]
    out = rebuild(numbers)
    if isinstance(out, (list, tuple)):
        return [_core.gather(number, np.asarray(o)) for o in out]
    return _core.gather(number, np.asarray(out))


# ---- indexing ----------------------------------------------------------------------------------------------------------------

def _is_basic(key: Any) -> bool:
    keys = key if isinstance(key, tuple) else (key,)
    return all(k is None or k is Ellipsis or isinstance(k, (slice, np.integer)) or (isinstance(k, int) and not isinstance(k, bool))
               for k in keys)


@implements(_core.GETITEM)
def getitem(x: Any, key: Any) -> Any:
    """x[key] of a generic carrier; VarArray has its own."""
    for k in key if isinstance(key, tuple) else (key,):
        if isinstance(k, Traced):
            raise TypeError("a traced value cannot be an index; index with plain integers, slices or boolean arrays")
    if not shape_of(x) and not isinstance(x.primal, np.ndarray) and key not in ((), Ellipsis):
        raise IndexError("invalid index to scalar variable")
    if type(x) is GenericVar and isinstance(key, int) and len(x.shape) == 1:
        if x.items is None:
            x.items = bind(unstack, [x], {})
        return x.items[key]
    if type(x) is DualArray and _is_basic(key):
        level = top_level([x])
        assert level is not None
        keys = key if isinstance(key, tuple) else (key,)
        return wrap_forward(level, x.primal[key], x.tangent[(slice(None), *keys)] if level.lanes else x.tangent[key])
    return structural(lambda leaves: leaves[0][key], [x], views=False)


# All elements of a one-dimensional array at once: a Python loop over x[i] stays linear on the generic tape.
unstack = Primitive(
    "unstack", lambda x: tuple(x),
    lambda ts, xs, out, lanes: tuple(ts[0][..., i] for i in range(len(out))),
    lambda ct, xs, out, needs, lanes: (np.stack([np.full((lanes,) if lanes else (), -0.0) if c is None else c for c in ct], axis=-1),))


# ---- selection -----------------------------------------------------------------------------------------------------------------

def _where_impl(x: Any, y: Any, condition: Any) -> Any:
    out = np.where(condition, x, y)
    return out if out.ndim else out[()]


def _where_jvp(tangents: Sequence[Any], primals: Sequence[Any], out: Any, lanes: int, condition: Any) -> Any:
    ndim, lead = len(shape_of(out)), (lanes,) if lanes else ()
    parts = [0.0 if t is None else align(t, ndim, lanes) for t in tangents]
    result = np.where(condition, *parts)
    return np.broadcast_to(result, (*lead, *shape_of(out))) if shape_of(result) != (*lead, *shape_of(out)) else result


def _where_vjp(ct: Any, primals: Sequence[Any], out: Any, needs: Sequence[bool], lanes: int, condition: Any) -> Any:
    return (unbroadcast(np.where(condition, ct, -0.0), shape_of(primals[0]), lanes) if needs[0] else None,
            unbroadcast(np.where(condition, -0.0, ct), shape_of(primals[1]), lanes) if needs[1] else None)


_where = Primitive("where", _where_impl, _where_jvp, _where_vjp)


@implements(np.where)
def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    """np.where: the side that is not chosen gets an untouched cotangent, so it cannot contribute a NaN."""
    from .dispatch import untraced

    condition = np.asarray(untraced(condition), bool)
    if x is None and y is None:
        return np.nonzero(condition)
    x, y = pack(x), pack(y)
    level = top_level([x, y])
    if level is None:
        return np.where(condition, x, y)
    if level.reverse and level.plain:
        out = _core.where(level.level_id, condition, x, y)
        if out is not None:
            return out
    return bind(_where, [x, y], {"condition": condition})


def as_traced(x: Any) -> Any:
    """A list, object array or traced value as one traced value (np.asarray for what has no traced element)."""
    x = pack(x)
    return x if isinstance(x, Traced) else np.asarray(x)


# ---- dtype -----------------------------------------------------------------------------------------------------------------------

_astype = Primitive("astype", lambda x, dtype: np.asarray(x).astype(dtype) if np.ndim(x) else np.dtype(dtype).type(x),
                    lambda ts, xs, out, lanes, dtype: ts[0].astype(dtype),
                    lambda ct, xs, out, needs, lanes, dtype: (ct.astype(xs[0].dtype if hasattr(xs[0], "dtype") else np.float64),))


@implements(_core.ASTYPE)
def astype(x: Any, dtype: Any) -> Any:
    """x.astype(dtype) for real floating types."""
    dtype = np.dtype(dtype)
    if dtype.kind != "f":
        raise TypeError(f"astype({dtype}) would lose the derivative of a traced value; use np.rint, np.floor or np.trunc, or "
                        "dualad.value(t).astype(...) if a constant is meant")
    return x if dtype == x.dtype else bind(_astype, [x], {"dtype": dtype})


# ---- the functions -----------------------------------------------------------------------------------------------------------------

def register(f: Any, data: str, views: bool = False) -> None:
    """Make NumPy's `f` structural: `data` names the parameters that are moved, in order; "*x" a sequence of them.

    A parameter is named "position:name", for calls by keyword.
    """
    spec = []
    for item in data.split():
        position, name = item.split(":")
        spec.append((int(position), name.lstrip("*"), name.startswith("*")))

    def rule(*args: Any, **kwargs: Any) -> Any:
        args_, leaves, places = list(args), [], []
        for position, name, many in spec:
            if position < len(args_):
                where_, key = args_, position
            elif name in kwargs:
                where_, key = kwargs, name  # type: ignore[assignment]
            else:
                continue
            given = where_[key]
            if many:
                given = list(given)
                places.append((where_, key, len(leaves), len(given)))
                leaves += given
            else:
                places.append((where_, key, len(leaves), None))
                leaves.append(given)

        def rebuild(parts: list[Any]) -> Any:
            for holder, key, at, n in places:
                holder[key] = parts[at] if n is None else parts[at:at + n]
            return f(*args_, **kwargs)

        return structural(rebuild, leaves, views)

    FUNCTIONS[f] = rule


for _f in (np.reshape, np.ravel, np.transpose, np.permute_dims, np.swapaxes, np.moveaxis, np.rollaxis, np.squeeze, np.expand_dims,
           np.flip, np.fliplr, np.flipud, np.rot90, np.matrix_transpose, np.diagonal, np.split, np.array_split,
           np.hsplit, np.vsplit, np.dsplit, np.unstack, np.lib.stride_tricks.sliding_window_view, np.linalg.matrix_transpose,
           np.linalg.diagonal):
    register(_f, "0:a", views=True)
register(np.broadcast_to, "0:array", views=True)
for _f in (np.roll, np.repeat, np.tile, np.take, np.tril, np.triu, np.diagflat, np.resize, np.delete, np.copy):
    register(_f, "0:a")
register(np.diag, "0:v")
register(np.tile, "0:A")
register(np.tril, "0:m")
register(np.triu, "0:m")
register(np.diagflat, "0:v")
register(np.delete, "0:arr")
register(np.take_along_axis, "0:arr")
register(np.compress, "1:a")
register(np.extract, "1:arr")
register(np.append, "0:arr 1:values")
register(np.insert, "0:arr 2:values")
register(np.full_like, "1:fill_value")
for _f in (np.concatenate, np.stack, np.vstack, np.hstack, np.dstack, np.column_stack):
    register(_f, {np.stack: "0:*arrays", np.concatenate: "0:*arrays"}.get(_f, "0:*tup"))
for _f in (np.atleast_1d, np.atleast_2d, np.atleast_3d):
    def _atleast(*arrays: Any, _f: Any = _f) -> Any:
        out = tuple(structural(lambda leaves: _f(leaves[0]), [a]) for a in arrays)
        return out[0] if len(out) == 1 else out
    FUNCTIONS[_f] = _atleast

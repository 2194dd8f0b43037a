"""Operations that only move, pick or drop elements: one mechanism for all of them.

Such a function applied to an array of *element numbers* says where every element of its result comes from.  So reshape,
roll, tile, concatenate, tril, pad ... need no rule each: run the function on numbers (0 marks a filled-in zero), and the
derivative is "pick those elements", whose transpose is "add into those elements".  Both are linear, and each other's rule.

    np.roll([a, b, c], 1)  = [c, a, b]       the function on values
    np.roll([1, 2, 3], 1)  = [3, 1, 2]       the same function on numbers: element 0 of the result is element 3 of x

On a tape of floats a result that NumPy returns as a view is a view of value and adjoint and costs no entry at all; in
forward mode the tangent (with its lanes) is seen through the same strides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import _core
from .._core import Level, Traced, VarArray, top_level
from ..generic import dtype_of, in_slots, lower, pack, plain, shape_of, wrap_forward
from .primitive import FUNCTIONS, Primitive, bind

__all__ = ["as_traced", "check_constant", "memory_axes", "put_flat", "register", "structural", "take_flat", "zero"]


# ---- the two linear maps -----------------------------------------------------------------------------------------------------


def _take(x: Any, index: Any = None, n: int = 0) -> Any:
    x = np.asarray(x)
    if not n:
        return np.zeros(x.shape[:-1] + index.shape, x.dtype)
    out = x[..., np.maximum(index - 1, 0)]
    return np.where(index == 0, 0.0, out) if (index == 0).any() else out


def _put(x: Any, index: Any = None, n: int = 0) -> Any:
    x = np.asarray(x)
    out = np.full((*x.shape[: x.ndim - index.ndim], n + 1), -0.0, dtype=x.dtype)
    if np.bincount(index.ravel(), minlength=1)[1:].max(initial=0) > 1:
        np.add.at(out, (..., index), x)  # type: ignore[arg-type]
    else:  # nothing is picked twice: no addition to order
        out[..., index] = x
    return out[..., 1:]


# x[..., index - 1] along the last axis of length n, zero where index is 0
take_flat: Primitive = Primitive(
    "take_flat",
    _take,
    lambda ts, xs, out, lanes, index, n: take_flat(ts[0], index=index, n=n),
    lambda ct, xs, out, needs, lanes, index, n: (put_flat(ct, index=index, n=n),),
)
put_flat: Primitive = Primitive(
    "put_flat",
    _put,
    lambda ts, xs, out, lanes, index, n: put_flat(ts[0], index=index, n=n),
    lambda ct, xs, out, needs, lanes, index, n: (take_flat(ct, index=index, n=n),),
)


class Moves:
    """A structural function with the shapes of what it moves; the numbers it makes of them are found when first needed."""

    __slots__ = ("_index", "rebuild", "shapes")

    def __init__(self, rebuild: Callable[[list[Any]], Any], leaves: Sequence[Any]) -> None:
        self.rebuild, self.shapes = rebuild, [tuple(shape_of(x)) for x in leaves]
        self._index: Any = None

    @property
    def index(self) -> Any:
        """Where every element of the result comes from: numbers from 1 through all leaves (a tuple for several results)."""
        if self._index is None:
            numbers, at = [], 1
            for shape in self.shapes:
                n = int(np.prod(shape, dtype=int))
                numbers.append(np.arange(at, at + n).reshape(shape))
                at += n
            out = self.rebuild(numbers)
            self._index = tuple(np.asarray(o) for o in out) if isinstance(out, (list, tuple)) else np.asarray(out)
        return self._index

    @property
    def sizes(self) -> list[int]:
        return [int(np.prod(shape, dtype=int)) for shape in self.shapes]


def _pick_impl(*leaves: Any, moves: Moves) -> Any:
    out = moves.rebuild(list(leaves))
    return tuple(out) if isinstance(out, (list, tuple)) else out


def _pick_jvp(tangents: Sequence[Any], leaves: Sequence[Any], out: Any, lanes: int, moves: Moves) -> Any:
    dtype = dtype_of(out[0] if isinstance(out, tuple) else out)
    if not lanes:  # the function is linear: it does to tangents what it does to values
        return _pick_impl(*[zero(x, dtype) if t is None else t for t, x in zip(tangents, leaves, strict=True)], moves=moves)
    parts: list[Any] = []
    for t, x, n in zip(tangents, leaves, moves.sizes, strict=True):
        parts.append(np.zeros((lanes, n), np.result_type(zero(x, dtype), dtype)) if t is None else np.reshape(t, (lanes, n)))
    flat, index = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=-1), moves.index
    if isinstance(index, tuple):
        return tuple(take_flat(flat, index=i, n=sum(moves.sizes)) for i in index)
    return take_flat(flat, index=index, n=sum(moves.sizes))


def zero(x: Any, dtype: Any, shape: tuple[int, ...] | None = None) -> Any:
    """The zero tangent of a constant: a number stays a number (NumPy lets arrays decide the dtype), integers become floats."""
    if type(x) is float or type(x) is int:
        return 0.0
    kept = dtype_of(x)
    return np.zeros(shape_of(x) if shape is None else shape, kept if kept.kind == "f" else dtype)


def _pick_vjp(ct: Any, leaves: Sequence[Any], out: Any, needs: Sequence[bool], lanes: int, moves: Moves) -> Any:
    flat: Any = None
    sizes, index = moves.sizes, moves.index
    for c, i in zip(ct, index, strict=True) if isinstance(index, tuple) else ((ct, index),):
        if c is not None:
            part = put_flat(c, index=i, n=sum(sizes))
            flat = part if flat is None else flat + part
    result, at = [], 0
    for shape, n, need in zip(moves.shapes, sizes, needs, strict=True):
        result.append(np.reshape(flat[..., at : at + n], ((lanes,) if lanes else ()) + shape) if need else None)
        at += n
    return tuple(result)


# It dispatches: on payloads that are traced a level down the function itself is applied, so views stay views there too.
pick = Primitive("pick", _pick_impl, _pick_jvp, _pick_vjp, dispatches=True)


# ---- applying a structural function ------------------------------------------------------------------------------------------


def structural(rebuild: Callable[[list[Any]], Any], leaves: Sequence[Any], views: bool = True) -> Any:
    """Apply a function that only moves elements.

    Parameters
    ----------
    rebuild : callable
        Takes the list of leaves (or arrays of element numbers in their place) and returns an array or a list of arrays.
        What it does may depend on shapes, not on values or on the layout in memory; it may fill in zeros.  It must take
        traced leaves as well (NumPy functions do).
    leaves : sequence
        The arrays it moves, traced or not.
    views : bool
        Whether NumPy may return views (then nothing is recorded on a tape of floats).

    Notes
    -----
    Costs one call of the function on integers besides the one on values; the result is a gather, its transpose a scatter.
    """
    leaves = [_leaf(x) for x in leaves]
    level = top_level(leaves)
    if level is None:
        return rebuild(list(leaves))
    number = level.level_id
    if level.plain and level.reverse and all(in_slots(x) and x.level_id == number for x in leaves if isinstance(x, Traced)):
        return _on_slots(rebuild, leaves, number, views)
    if views and not level.reverse and len(leaves) == 1:
        seen = _see_tangent(rebuild, leaves[0], level)
        if seen is not None:
            primal = rebuild([lower(leaves[0], number)])
            if isinstance(primal, (list, tuple)):
                return [wrap_forward(level, p, t) for p, t in zip(primal, seen, strict=True)]
            return wrap_forward(level, primal, seen)
    out = bind(pick, list(leaves), {"moves": Moves(rebuild, leaves)})
    return list(out) if isinstance(out, tuple) else out


def _leaf(x: Any) -> Any:
    if isinstance(x, (list, tuple, np.ndarray)):
        x = pack(x)
    if not isinstance(x, (Traced, float)):
        x = np.asarray(x) if isinstance(x, (list, tuple)) else x
        check_constant(x)
    return x


def check_constant(x: Any) -> None:
    """Raise for a constant that cannot stand in one array with differentiated numbers."""
    dtype = dtype_of(x)
    if dtype.kind not in "fiub" or dtype.itemsize > 8:
        raise TypeError(
            f"{x!r:.60} of dtype {dtype} beside a traced value; "
            + ("complex numbers are not differentiated yet" if dtype.kind == "c" else "use real numbers or float64 arrays")
        )


def _on_slots(rebuild: Callable[[list[Any]], Any], leaves: Sequence[Any], number: int, views: bool) -> Any:
    first = leaves[0]
    if views and len(leaves) == 1 and type(first) is VarArray:
        out = rebuild([_core.values(first)])
        many = isinstance(out, (list, tuple))
        shown = [_core.wrap_view(first, o) if isinstance(o, np.ndarray) else None for o in (out if many else [out])]
        if all(s is not None for s in shown):
            return shown if many else shown[0]
    numbers = [
        _slots_as_they_lie(x) if isinstance(x, Traced) else _as_it_lies(_core.store(number, x), np.asarray(x)) for x in leaves
    ]
    out = rebuild(numbers)
    if isinstance(out, (list, tuple)):
        return [_gather(number, np.asarray(o)) for o in out]
    return _gather(number, np.asarray(out))


def memory_axes(x: np.ndarray) -> list[int]:
    """Axes of x from the slowest to the fastest in memory, as NumPy orders them for order="K"."""
    strides = np.empty_like(x, np.int8).strides
    return sorted(range(x.ndim), key=lambda i: -strides[i])


# NumPy lays results out as their operands lie, and sums in memory order: the last bits of later sums depend on it.
def _slots_as_they_lie(x: Any) -> np.ndarray:
    numbers, values = _core.slots_of(x), plain(x)
    if numbers.ndim < 2 or values.flags.c_contiguous or not numbers.size:
        return numbers
    steps = [s // 8 * (n - 1) for s, n in zip(values.strides, values.shape, strict=True)]
    low, high = sum(min(s, 0) for s in steps), sum(max(s, 0) for s in steps)
    if high - low > 4 * numbers.size:  # a thin view of a large array: its slots lie far apart
        return _as_it_lies(numbers, values)
    first = numbers.flat[0]  # slots are numbered along the strides
    return np.lib.stride_tricks.as_strided(np.arange(first + low, first + high + 1)[-low:], values.shape, values.strides)


def _as_it_lies(numbers: np.ndarray, values: np.ndarray) -> np.ndarray:
    if numbers.ndim < 2 or values.flags.c_contiguous:
        return numbers
    out = np.empty_like(values, np.int64)
    out[...] = numbers
    return out


def _gather(number: int, index: np.ndarray) -> Any:
    if index.ndim < 2 or index.flags.c_contiguous:
        return _core.gather(number, index)
    axes = memory_axes(index)
    return np.transpose(_core.gather(number, np.transpose(index, axes)), np.argsort(axes))


def _see_tangent(rebuild: Callable[[list[Any]], Any], x: Any, level: Level) -> Any:
    """The tangent (or list of tangents) seen through the strides of the view NumPy makes; None where it makes a copy."""
    tangent = x.tangent
    if not level.lanes:
        return rebuild([tangent])
    if not isinstance(tangent, np.ndarray) or tangent.size == 0:
        return None
    numbers = np.empty(tangent.shape[1:], np.int8)
    out = rebuild([numbers])
    if isinstance(out, (list, tuple)):
        seen = [_through_strides(tangent, numbers, o) for o in out]
        return None if any(s is None for s in seen) else seen
    return _through_strides(tangent, numbers, out)


def _through_strides(tangent: np.ndarray, numbers: np.ndarray, view: Any) -> Any:
    if not isinstance(view, np.ndarray) or view.size == 0 or not np.may_share_memory(view, numbers):
        return None
    offset = view.__array_interface__["data"][0] - numbers.__array_interface__["data"][0]
    tangent = np.ascontiguousarray(tangent)
    flat, item = tangent.reshape(len(tangent), -1), tangent.itemsize
    return np.lib.stride_tricks.as_strided(
        flat[:, offset:], (len(tangent), *view.shape), (tangent.strides[0], *[s * item for s in view.strides])
    )


def as_traced(x: Any) -> Any:
    """A list, object array or traced value as one traced value (np.asarray for what has no traced element)."""
    x = pack(x)
    if not isinstance(x, Traced):
        return np.asarray(x)
    _core.check_open(x)
    return x


# ---- the functions -------------------------------------------------------------------------------------------------------------


def register(f: Any, data: str, views: bool = False) -> None:
    """Make NumPy's `f` structural: `data` names the parameters that are moved, in order.

    A parameter is named "position:name", for calls by keyword; "position:*name" is a sequence of arrays.  A dtype= that `f`
    takes is applied to the result.
    """
    spec = []
    for item in data.split():
        position, name = item.split(":")
        spec.append((int(position), name.lstrip("*"), name.startswith("*")))

    def rule(*args: Any, **kwargs: Any) -> Any:
        given: list[Any] = list(args)
        leaves: list[Any] = []
        places: list[tuple[Any, Any, int, int | None]] = []  # container, key, first leaf, number of leaves (None: the one)
        dtype = kwargs.pop("dtype", None)
        kwargs.pop("casting", None) if dtype is None else None
        for position, name, many in spec:
            holder: Any = given if position < len(given) else kwargs
            key: Any = position if position < len(given) else name
            if holder is kwargs and name not in kwargs:
                continue
            if many:
                parts = list(holder[key])
                places.append((holder, key, len(leaves), len(parts)))
                leaves += parts
            else:
                places.append((holder, key, len(leaves), None))
                leaves.append(holder[key])

        def rebuild(parts: list[Any]) -> Any:
            for holder, key, at, n in places:
                holder[key] = parts[at] if n is None else parts[at : at + n]
            return f(*given, **kwargs)

        out = structural(rebuild, leaves, views)
        return out if dtype is None or not isinstance(out, Traced) else out.astype(dtype)

    FUNCTIONS[f] = rule

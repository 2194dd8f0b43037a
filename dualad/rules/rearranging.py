"""The functions that only move elements: what each of them moves, and the few that need a word more (see structure.py)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import _core
from .._core import Dual, Traced, Var, top_level
from ..generic import dtype_of, plain, shape_of, wrap_forward
from .elementwise import cast
from .primitive import FUNCTIONS, Primitive, bind, implements, not_covered
from .structure import as_traced, memory_axes, register, structural

__all__ = ["MOVERS", "astype", "ravel", "reshape", "stack"]

#: functions by what they move: (position and name of the moved parameters, may NumPy return views?, functions)
MOVERS: tuple[tuple[str, bool, tuple[Any, ...]], ...] = (
    ("0:a", True, (np.transpose, np.permute_dims, np.swapaxes, np.moveaxis, np.rollaxis, np.squeeze, np.expand_dims, np.diagonal)),
    ("0:ary", True, (np.split, np.array_split, np.hsplit, np.vsplit, np.dsplit)),
    ("0:m", True, (np.flip, np.fliplr, np.flipud, np.rot90)),
    (
        "0:x",
        True,
        (np.matrix_transpose, np.linalg.matrix_transpose, np.linalg.diagonal, np.lib.stride_tricks.sliding_window_view),
    ),
    ("0:array", True, (np.broadcast_to,)),
    ("0:a", False, (np.roll, np.repeat, np.take, np.resize, np.copy)),
    ("0:A", False, (np.tile,)),
    ("0:m", False, (np.tril, np.triu)),
    ("0:v", False, (np.diag, np.diagflat)),
    ("0:arr", False, (np.delete, np.take_along_axis)),
    ("1:a", False, (np.compress,)),
    ("1:arr", False, (np.extract,)),
    ("0:arr 1:values", False, (np.append,)),
    ("0:*arrays", False, (np.concatenate,)),
    ("0:*tup", False, (np.vstack, np.hstack, np.dstack, np.column_stack)),
)

for _data, _views, _functions in MOVERS:
    for _f in _functions:
        register(_f, _data, _views)


def _read_order(x: Any, order: Any) -> tuple[Any, Any]:
    """x and order with "A" and "K", which ask how x lies in memory, turned into "C" or "F" (axes moved for "K")."""
    if order is None or order in "CF" or len(shape_of(x)) < 2:
        return x, order or "C"
    p = plain(x)
    if order == "A":
        return x, "F" if p.flags.f_contiguous and not p.flags.c_contiguous else "C"
    return np.transpose(x, memory_axes(p)), "C"


@implements(np.reshape)
def reshape(a: Any, shape: Any = None, order: Any = "C", *, newshape: Any = None, copy: Any = None) -> Any:
    """np.reshape in every order."""
    a, order = _read_order(as_traced(a), order)
    return structural(lambda leaves: np.reshape(leaves[0], newshape if shape is None else shape, order), [a], not copy)


@implements(np.ravel)
def ravel(a: Any, order: Any = "C") -> Any:
    """np.ravel in every order."""
    a, order = _read_order(as_traced(a), order)
    return structural(lambda leaves: np.ravel(leaves[0], order), [a])


def _atleast(f: Any) -> None:
    def rule(*arys: Any) -> Any:
        out = tuple(structural(lambda leaves: f(leaves[0]), [a]) for a in arys)
        return out[0] if len(out) == 1 else out

    FUNCTIONS[f] = rule


for _f in (np.atleast_1d, np.atleast_2d, np.atleast_3d):
    _atleast(_f)


def _stack_scalars(scalars: Sequence[Any]) -> Any:
    """np.stack of floats and traced floats of one level, without an array for each; None when they are something else."""
    level = top_level(scalars)
    kinds = set(map(type, scalars))
    if level is None or not kinds <= {float, Var, Dual}:
        return None
    number = level.level_id
    if any(x.level_id != number for x in scalars if type(x) is not float):
        return None
    if level.reverse:
        constants = [x for x in scalars if type(x) is float]
        stored = iter(_core.store(number, np.array(constants)).tolist() if constants else ())
        return _core.gather(number, np.array([next(stored) if type(x) is float else x.slot_number + 1 for x in scalars], np.int64))
    return wrap_forward(
        level,
        np.array([x if type(x) is float else x.primal for x in scalars]),
        np.array([0.0 if type(x) is float else x.tangent for x in scalars]),
    )


@implements(np.stack)
def stack(arrays: Any, axis: int = 0, out: Any = None, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    """np.stack: the way an array is built from traced scalars."""
    arrays = list(arrays)
    result = _stack_scalars(arrays) if axis in (0, -1) and arrays else None
    if result is None:
        result = structural(lambda leaves: np.stack(leaves, axis), arrays, views=False)
    return result if dtype is None else result.astype(dtype)


@implements(np.unstack)
def unstack(x: Any, /, *, axis: int = 0) -> Any:
    """np.unstack: a tuple of views."""
    return tuple(structural(lambda leaves: np.unstack(leaves[0], axis=axis), [x]))


@implements(np.broadcast_arrays)
def broadcast_arrays(*args: Any, subok: bool = False) -> Any:
    """np.broadcast_arrays: constants stay constants."""
    args = tuple(as_traced(a) for a in args)
    shape = np.broadcast_shapes(*[shape_of(a) for a in args])
    return tuple(np.broadcast_to(a, shape) for a in args)


@implements(np.insert)
def insert(arr: Any, obj: Any, values: Any, axis: Any = None) -> Any:
    """np.insert, which casts the values to the array's dtype: refused where that would round or cut traced values."""
    arr, values = as_traced(arr), as_traced(values)
    if isinstance(values, Traced) and np.result_type(arr.dtype, values.dtype) != arr.dtype:
        raise TypeError(
            f"np.insert would cast traced {values.dtype} values to {arr.dtype}, the dtype of the array; "
            f"make it arr.astype({values.dtype}) first"
        )
    return structural(lambda leaves: np.insert(leaves[0], obj, leaves[1], axis), [arr, values], views=False)


@implements(np.block)
def block(arrays: Any) -> Any:
    """np.block of a nested list."""
    leaves: list[Any] = []

    def number(x: Any) -> Any:
        if isinstance(x, list):
            return [number(e) for e in x]
        leaves.append(x)
        return len(leaves) - 1

    nest = number(arrays)

    def build(x: Any, parts: list[Any]) -> Any:
        return [build(e, parts) for e in x] if isinstance(x, list) else parts[x]

    return structural(lambda parts: np.block(build(nest, parts)), leaves, views=False)


@implements(np.trim_zeros)
def trim_zeros(filt: Any, trim: str = "fb", axis: Any = None) -> Any:
    """np.trim_zeros: a slice, whose ends the values decide."""
    p = plain(filt := as_traced(filt))
    if p.ndim != 1 or axis is not None:
        raise not_covered("numpy.trim_zeros of an array that is not one-dimensional", "slice it")
    found = np.flatnonzero(p)
    if not len(found):
        return filt[:0]
    first = found[0] if "f" in trim.lower() else 0
    last = found[-1] + 1 if "b" in trim.lower() else len(p)
    return filt[int(first) : int(last)]


# ---- dtype ---------------------------------------------------------------------------------------------------------------------

_astype = Primitive(
    "astype",
    lambda x, dtype: np.asarray(x).astype(dtype) if isinstance(x, np.ndarray) else dtype.type(x),
    lambda ts, xs, out, lanes, dtype: cast(ts[0], dtype),
    lambda ct, xs, out, needs, lanes, dtype: (cast(ct, dtype_of(xs[0])),),
)


@implements(_core.ASTYPE)
def astype(x: Any, dtype: Any) -> Any:
    """x.astype(dtype) for real floating types."""
    dtype = np.dtype(dtype)
    if dtype.kind != "f" or dtype.itemsize > 8:
        raise TypeError(
            f"astype({dtype}) would lose the derivative of a traced value; use np.rint, np.floor or np.trunc, or "
            "dualad.value(t).astype(...) if a constant is meant"
        )
    return x if dtype == x.dtype else bind(_astype, [x], {"dtype": dtype})


@implements(np.astype)
def astype_function(x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Any:
    """np.astype."""
    return astype(x, dtype)

"""Arrays made from traced numbers: full_like, linspace and its kin, meshgrid; and np.pad, which puts numbers around an array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._core import Traced
from ..generic import dtype_of, pack, shape_of
from .dispatch import untraced
from .elementwise import align, unbroadcast
from .primitive import Primitive, bind, implements, not_covered
from .structure import as_traced, put_flat, structural, take_flat

__all__ = ["linspace", "pad"]


@implements(np.full_like)
def full_like(
    a: Any, fill_value: Any, dtype: Any = None, order: Any = "K", subok: bool = True, shape: Any = None, *, device: Any = None
) -> Any:
    """np.full_like: only the shape and dtype of `a` matter."""
    fill_value = pack(fill_value)
    if not isinstance(fill_value, Traced):
        return np.full_like(untraced(a), fill_value, dtype, order, subok, shape)
    shape = tuple(shape_of(a)) if shape is None else (shape,) if isinstance(shape, int) else tuple(shape)
    return np.copy(np.broadcast_to(fill_value.astype(dtype_of(a) if dtype is None else dtype), shape))


# ---- ranges between traced ends ------------------------------------------------------------------------------------------------


def _steps(out: Any, ndim: int, endpoint: bool) -> Any:
    """How far along every element lies, 0 at start and 1 at stop: shape (num, 1, ...)."""
    num = shape_of(out)[0]
    div = max(num - 1 if endpoint else num, 1)
    return (np.arange(num) / div).astype(dtype_of(out)).reshape((num,) + (1,) * ndim)


def _linspace_jvp(ts: Sequence[Any], xs: Sequence[Any], out: Any, lanes: int, num: int, endpoint: bool) -> Any:
    ndim = len(shape_of(out)) - 1
    total: Any = None
    w = _steps(out, ndim, endpoint)
    for t, weight in zip(ts, (1.0 - w, w), strict=True):
        if t is not None:
            t = align(t, ndim, lanes)
            shape = tuple(shape_of(t))
            part = np.reshape(t, (lanes, 1, *shape[1:]) if lanes else (1, *shape)) * weight
            total = part if total is None else total + part
    return np.broadcast_to(total, ((lanes,) if lanes else ()) + tuple(shape_of(out)))


def _linspace_vjp(ct: Any, xs: Sequence[Any], out: Any, needs: Sequence[bool], lanes: int, num: int, endpoint: bool) -> Any:
    ndim = len(shape_of(out)) - 1
    w = _steps(out, ndim, endpoint)
    return tuple(
        unbroadcast(np.sum(ct * weight, axis=-1 - ndim), shape_of(x), lanes) if need else None
        for x, need, weight in zip(xs, needs, (1.0 - w, w), strict=True)
    )


_linspace = Primitive("linspace", lambda a, b, num, endpoint: np.linspace(a, b, num, endpoint), _linspace_jvp, _linspace_vjp)


@implements(np.linspace)
def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
    *,
    device: Any = None,
) -> Any:
    """np.linspace between traced ends."""
    start, stop = as_traced(start), as_traced(stop)
    out = bind(_linspace, [start, stop], {"num": num, "endpoint": endpoint})
    if dtype is not None:
        out = out.astype(dtype)
    if axis:
        out = np.moveaxis(out, 0, axis)
    if not retstep:
        return out
    div = num - 1 if endpoint else num
    return out, (stop - start) / div if div > 0 else np.nan


@implements(np.logspace)
def logspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10.0, dtype: Any = None, axis: int = 0
) -> Any:
    """np.logspace: NumPy's own composition."""
    base = as_traced(base)
    if shape_of(base):
        raise not_covered("numpy.logspace with an array as base", "write base ** np.linspace(...)")
    out = np.power(base, np.linspace(start, stop, num=num, endpoint=endpoint, axis=axis))
    return out if dtype is None else out.astype(dtype)


@implements(np.geomspace)
def geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Any:
    """np.geomspace of positive scalars: NumPy's own composition."""
    start, stop = as_traced(start), as_traced(stop)
    if shape_of(start) or shape_of(stop) or not (start > 0.0 and stop > 0.0):
        raise not_covered("numpy.geomspace of arrays or negative numbers", "write np.exp(np.linspace(np.log(a), np.log(b), n))")
    out = logspace(np.log10(start), np.log10(stop), num, endpoint)
    if num > 0:  # the ends are exact
        ends = [np.reshape(start, (1,)), out[1:-1] if endpoint else out[1:]]
        out = np.concatenate([*ends, np.reshape(stop, (1,))] if num > 1 and endpoint else ends)
    return out if dtype is None else out.astype(dtype)


@implements(np.meshgrid)
def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> Any:
    """np.meshgrid: a constant axis gives a constant grid."""
    if indexing not in ("xy", "ij"):
        raise ValueError("Valid values for `indexing` are 'xy' and 'ij'.")
    n, grids = len(xi), []
    for i, x in enumerate(map(as_traced, xi)):
        shape = [1] * n
        shape[i] = -1
        grid = np.reshape(x, tuple(shape))
        grids.append(np.swapaxes(grid, 0, 1) if indexing == "xy" and n > 1 else grid)
    if not sparse:
        grids = list(np.broadcast_arrays(*grids))
    return tuple(g.copy() for g in grids) if copy else tuple(grids)


# ---- np.pad --------------------------------------------------------------------------------------------------------------------

_PAD_MODES = {
    "constant": {"constant_values"},
    "empty": set(),
    "edge": set(),
    "wrap": set(),
    "reflect": {"reflect_type"},
    "symmetric": {"reflect_type"},
}


@implements(np.pad)
def pad(array: Any, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Any:
    """np.pad in the modes that move elements; the constants may be traced.  "empty" pads with zeros."""
    if mode not in _PAD_MODES:
        raise not_covered(f"numpy.pad with mode={mode!r}", "modes are " + ", ".join(map(repr, _PAD_MODES)))
    for name in kwargs:
        if name not in _PAD_MODES[mode]:
            raise ValueError(f"unsupported keyword argument for mode {mode!r}: {name}")
    if kwargs.pop("reflect_type", "even") != "even":
        raise not_covered("numpy.pad with reflect_type='odd'")
    array, width = as_traced(array), untraced(pad_width)
    if mode not in ("constant", "empty"):
        return structural(lambda leaves: np.pad(leaves[0], width, mode), [array], views=False)
    values = as_traced(kwargs.get("constant_values", 0))
    if not isinstance(values, Traced) and not np.any(values):
        return structural(lambda leaves: np.pad(leaves[0], width), [array], views=False)

    def put_around(leaves: list[Any]) -> Any:
        if isinstance(leaves[1], Traced):
            return pad(leaves[0], width, constant_values=leaves[1])
        return np.pad(leaves[0], width, constant_values=leaves[1])

    return structural(put_around, [array, values], views=False)


# ---- counting with weights -----------------------------------------------------------------------------------------------------

_bincount = Primitive(
    "bincount",
    lambda weights, x, minlength: np.bincount(x, weights, minlength),
    lambda ts, xs, out, lanes, x, minlength: put_flat(ts[0], index=x + 1, n=len(out)),
    lambda ct, xs, out, needs, lanes, x, minlength: (take_flat(ct, index=x + 1, n=len(out)),),
)


@implements(np.bincount)
def bincount(x: Any, /, weights: Any = None, minlength: int = 0) -> Any:
    """np.bincount with traced weights: linear in them."""
    if isinstance(x, Traced):
        raise TypeError("np.bincount counts plain integers; this array is traced")
    return bind(_bincount, [as_traced(weights)], {"x": np.asarray(x), "minlength": minlength})


_histogram = Primitive(
    "histogram",
    lambda weights, a, bins, range, number, n: np.histogram(a, bins, range, weights=weights)[0],
    lambda ts, xs, out, lanes, a, bins, range, number, n: put_flat(ts[0], index=number, n=n),
    lambda ct, xs, out, needs, lanes, a, bins, range, number, n: (take_flat(ct, index=number, n=n),),
)


@implements(np.histogram)
def histogram(a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> Any:
    """np.histogram: linear in its weights; the bins and what falls into them are constants."""
    a, bins, range, weights = untraced(a), untraced(bins), untraced(range), pack(weights)
    if not isinstance(weights, Traced):
        return np.histogram(a, bins, range, density, weights)
    a, edges = np.ravel(a), np.histogram_bin_edges(a, bins, range)
    n = len(edges) - 1
    number = np.searchsorted(edges, a, side="right")  # 1 ... n; 0 stands for none
    number[a == edges[-1]] = n
    number[number > n] = 0
    counts = bind(_histogram, [np.ravel(weights)], {"a": a, "bins": bins, "range": range, "number": number, "n": n})
    return counts / np.diff(edges) / np.sum(counts) if density else counts, edges


# ---- functions applied along axes ----------------------------------------------------------------------------------------------


@implements(np.apply_along_axis)
def apply_along_axis(func1d: Any, axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
    """np.apply_along_axis: one call of func1d a line, its results stacked."""
    arr = np.moveaxis(as_traced(arr), axis, -1)
    lead = tuple(shape_of(arr))[:-1]
    if 0 in lead:
        raise ValueError("Cannot apply_along_axis when any iteration dimensions are 0")
    rows = [as_traced(func1d(arr[i], *args, **kwargs)) for i in np.ndindex(*lead)]
    inner = tuple(shape_of(rows[0]))
    out = np.reshape(np.stack(rows), (*lead, *inner))
    first = axis % (len(lead) + 1)
    return np.moveaxis(out, range(len(lead), len(lead) + len(inner)), range(first, first + len(inner))) if inner else out


@implements(np.apply_over_axes)
def apply_over_axes(func: Any, a: Any, axes: Any) -> Any:
    """np.apply_over_axes: NumPy's own composition."""
    value = as_traced(a)
    n = len(shape_of(value))
    for axis in np.atleast_1d(axes):
        axis = int(axis) + n if axis < 0 else int(axis)
        result = func(value, axis)
        if len(shape_of(result)) != len(shape_of(value)):
            result = np.expand_dims(result, axis)
        value = result
    return value

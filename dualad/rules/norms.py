"""Norms of vectors and matrices: each is an inner product with its direction, G = d norm / dx.

    2, fro    x / norm             0 at x = 0 (norm'(0) = 0); scaled where the squares over- or underflow
    1         sign(x)
    inf -inf  sign(x) at the largest (smallest) element, split evenly among equals
    p         sign(x) (|x| / norm)**(p - 1)
    0         0, a count
    matrix    1 -1 inf -inf: sign(x) in the chosen column (row); 2 -2 nuc: from the singular vectors, u v'
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..generic import dtype_of, plain, shape_of
from .dispatch import untraced
from .elementwise import guarded
from .primitive import Primitive, bind, implements
from .products import real_operands
from .reductions import axes_from_end, spread

__all__ = ["matrix_norm", "norm", "vector_norm"]

Axes = tuple[int, ...]
MATRIX = ("columns", "rows", "spectral")


def _kept(v: Any, shape: Sequence[int], axes: Axes) -> Any:
    """A reduced value with its axes kept as length 1."""
    return np.reshape(v, tuple(1 if i - len(shape) in axes else n for i, n in enumerate(shape)))


def _direction(x: Any, out: Any, kind: str, p: Any, axes: Axes) -> Any:
    """d norm / dx, of the shape of x."""
    if kind == "columns" or kind == "rows":
        summed, chosen = axes if kind == "columns" else axes[::-1]
        sums = np.sum(np.abs(plain(x)), axis=summed, keepdims=True)
        return _extreme(sums, p, (chosen,)) * np.sign(x)
    if kind == "spectral":
        return _spectral(x, p, axes)
    if p == 0:
        return np.zeros(shape_of(x), dtype_of(x))
    if p == 1:
        return np.sign(x)
    if abs(p) == np.inf:
        return _extreme(np.abs(plain(x)), p, axes) * np.sign(x)
    v = _kept(out, shape_of(x), axes)
    if p == 2:
        return _unit(x, v, axes)
    zero = plain(v) == 0.0
    with np.errstate(all="ignore"):
        return np.where(zero, 0.0, np.sign(x) * np.power(np.abs(x) / np.where(zero, 1.0, v), float(p) - 1.0))


def _extreme(values: Any, p: float, axes: Axes) -> Any:
    """Weights that pick the largest (p > 0) or smallest values, evenly among equals."""
    if not values.size:
        return np.zeros_like(values)
    best = (np.max if p > 0 else np.min)(values, axis=axes, keepdims=True)
    chosen = (values == best).astype(values.dtype)
    return chosen / np.maximum(chosen.sum(axis=axes, keepdims=True), 1.0)


def _unit(x: Any, v: Any, axes: Axes) -> Any:
    """x / v, and 0 where x is zero."""
    values = plain(v)
    small, large = (1e-140, 1e150) if np.asarray(values).dtype == np.float64 else (1e-15, 1e18)
    if np.all((values > small) & (values < large)):
        return x / v
    m = np.max(np.abs(plain(x)), axis=axes, keepdims=True, initial=0.0)
    m = m if np.ndim(values) else m[()]
    zero = m == 0.0
    scaled = (values <= small) | (values >= large) & np.isfinite(m)
    m = np.where(zero | ~np.isfinite(m), 1.0, m)
    y = x / m
    with np.errstate(all="ignore"):
        length = np.sqrt(np.where(zero, 1.0, np.sum(y * y, axis=axes, keepdims=True)))
        return np.where(scaled, np.where(zero, 0.0, y / length), x / np.where(scaled, 1.0, v))


def _spectral(x: Any, p: Any, axes: Axes) -> Any:
    """u v' of the largest (2) or smallest (-2) singular value, or of all (nuc)."""
    u, _, vt = np.linalg.svd(np.moveaxis(x, axes, (-2, -1)), full_matrices=False)
    if p != "nuc":
        i = 0 if p == 2 else -1
        u, vt = u[..., :, i, None], vt[..., i, None, :]
    return np.moveaxis(u @ vt, (-2, -1), axes)


def _norm_jvp(ts: Sequence[Any], xs: Sequence[Any], out: Any, lanes: int, f: Any, kind: str, p: Any, axes: Axes,
              keepdims: bool) -> Any:
    return np.sum(_direction(xs[0], out, kind, p, axes) * ts[0], axis=axes, keepdims=keepdims)


def _norm_vjp(ct: Any, xs: Sequence[Any], out: Any, needs: Sequence[bool], lanes: int, f: Any, kind: str, p: Any, axes: Axes,
              keepdims: bool) -> tuple[Any]:
    ct = spread(ct, tuple(shape_of(xs[0])), axes, keepdims, lanes)
    return (guarded(_direction(xs[0], out, kind, p, axes), ct, False),)


_norm = Primitive("norm", lambda x, f, **params: f(x), _norm_jvp, _norm_vjp)


def _bind(x: Any, f: Callable[[Any], Any], kind: str, p: Any, axes: Axes, keepdims: Any) -> Any:
    return bind(_norm, [x], {"f": f, "kind": kind, "p": p, "axes": axes, "keepdims": bool(keepdims)})


def _matrix_kind(ord: Any) -> str | None:
    """How the order of a matrix norm acts; None when there is no such order."""
    kinds = {None: "vector", "fro": "vector", "f": "vector", 1: "columns", -1: "columns", np.inf: "rows", -np.inf: "rows",
             2: "spectral", -2: "spectral", "nuc": "spectral"}
    return kinds.get(ord)


@implements(np.linalg.norm)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Any:
    """np.linalg.norm, every order and axis of it."""
    (x,) = real_operands("numpy.linalg.norm", x)
    ndim = len(shape_of(x))
    f = lambda a: np.linalg.norm(a, ord, axis, keepdims)
    if axis is None and (ord is None or (ord in ("f", "fro") and ndim == 2) or (ord == 2 and ndim == 1)):
        return _bind(x, f, "vector", 2, axes_from_end(None, ndim), keepdims)
    axes = axes_from_end(axis, ndim)
    if len(axes) == 1 and not isinstance(ord, str):
        return _bind(x, f, "vector", 2 if ord is None else ord, axes, keepdims)
    kind = _matrix_kind(ord)
    if len(axes) != 2 or kind is None:
        return np.linalg.norm(untraced(x), ord, axis, keepdims)  # NumPy's error
    return _bind(x, f, kind, 2 if kind == "vector" else ord, axes, keepdims)


@implements(np.linalg.vector_norm)
def vector_norm(x: Any, /, *, axis: Any = None, keepdims: Any = False, ord: Any = 2) -> Any:
    """np.linalg.vector_norm, over any axes."""
    (x,) = real_operands("numpy.linalg.vector_norm", x)
    f = lambda a: np.linalg.vector_norm(a, axis=axis, keepdims=keepdims, ord=ord)
    if isinstance(ord, str):
        return f(untraced(x))  # NumPy's error
    return _bind(x, f, "vector", ord, axes_from_end(axis, len(shape_of(x))), keepdims)


@implements(np.linalg.matrix_norm)
def matrix_norm(x: Any, /, *, keepdims: Any = False, ord: Any = "fro") -> Any:
    """np.linalg.matrix_norm, over the last two axes."""
    (x,) = real_operands("numpy.linalg.matrix_norm", x)
    f = lambda a: np.linalg.matrix_norm(a, keepdims=keepdims, ord=ord)
    kind = _matrix_kind(ord)
    if kind is None or len(shape_of(x)) < 2:
        return f(untraced(x))  # NumPy's error
    return _bind(x, f, kind, 2 if kind == "vector" else ord, (-2, -1), keepdims)

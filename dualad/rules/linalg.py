"""Linear algebra: inv, det, slogdet, solve, cholesky, eigh, svd, batched over leading axes.  Norms are in `norms`.

Every rule is written with NumPy functions that take traced values again, so it can be differentiated to any order, and counts
axes from the end, so that a leading axis of lanes is one more batch axis.  Formulas: Giles (2008), "Collected matrix
derivative results for forward and reverse mode algorithmic differentiation"; Murray (2016), arXiv:1602.07527, for cholesky.

Symmetric arguments.  NumPy's cholesky, eigh and eigvalsh read one triangle and take the other for its mirror image.  Their
derivatives here are those of the symmetric matrix: a tangent T counts as (T + T') / 2, and cotangents are symmetric, the
gradient with respect to a symmetric matrix.  On symmetric directions that is what NumPy's values do; a direction that moves one
triangle alone counts half (write the symmetrisation into the function to make the values agree there too).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._core import Traced
from ..generic import dtype_of, plain, shape_of
from .dispatch import untraced
from .elementwise import align, unbroadcast
from .norms import matrix_norm, norm, vector_norm
from .primitive import FUNCTIONS, Primitive, bind, implements, not_covered
from .products import real_operands

__all__ = ["cholesky", "det", "eigh", "eigvalsh", "inv", "matrix_norm", "norm", "slogdet", "solve", "svd", "svdvals", "vector_norm"]

mt = np.matrix_transpose


def _real(name: str, *args: Any) -> list[Any]:
    return real_operands(f"numpy.linalg.{name}", *args)


def _columns(x: Any) -> Any:
    """(..., n) as (..., 1, n)."""
    shape = tuple(shape_of(x))
    return np.reshape(x, (*shape[:-1], 1, shape[-1]))


def _per_matrix(x: Any) -> Any:
    """(...) as (..., 1, 1)."""
    return np.reshape(x, (*shape_of(x), 1, 1))


def _inner(a: Any, b: Any) -> Any:
    """Sum over the last two axes of a * b."""
    return np.sum(a * b, axis=(-2, -1))


def _symmetric(x: Any) -> Any:
    return 0.5 * (x + mt(x))


# ---- inv ---------------------------------------------------------------------------------------------------------------

# d(X^-1) = -X^-1 dX X^-1
_inv = Primitive("inv", np.linalg.inv,
                 lambda ts, xs, out, lanes: -(out @ ts[0] @ out),
                 lambda ct, xs, out, needs, lanes: (-(mt(out) @ ct @ mt(out)),))


@implements(np.linalg.inv)
def inv(a: Any) -> Any:
    """np.linalg.inv: the tangent is -X^-1 T X^-1."""
    return bind(_inv, _real("inv", a), {})


# ---- det ---------------------------------------------------------------------------------------------------------------
# d det(X) = <C, dX> with the cofactor matrix C.  Where X is far from singular C = det(X) X^-T; elsewhere (also where det
# overflows or underflows) C comes from the singular value decomposition, which needs no division: with X = U S V',
# C = det(U) det(V) U diag(prod of the other s) V', and its differential has the products that leave out two of them.

WORST_CONDITION = 1e7  # beyond it det(X) X^-T may lose more than half of the digits


def _regular_inverse(x: Any, d: Any) -> Any:
    """X^-1 of a stack of plain matrices with determinants d where both are safe to multiply; None elsewhere."""
    x, d = np.asarray(x), np.abs(d)
    tiny = np.finfo(x.dtype if x.dtype.kind == "f" else float).tiny
    if not np.all((d > 1e8 * tiny) & (d < 1e-8 / tiny)):
        return None
    try:
        with np.errstate(all="ignore"):
            v = np.linalg.inv(x)
            worst = np.max(np.abs(x).sum(-2).max(-1, initial=0.0) * np.abs(v).sum(-2).max(-1, initial=0.0), initial=0.0)
    except np.linalg.LinAlgError:
        return None
    return v if worst < WORST_CONDITION else None


def _products_without(s: Any, left_out: int) -> Any:
    """For singular values s (..., n): products of all but one (..., n), or of all but two (..., n, n) with zero diagonal."""
    n = s.shape[-1]
    keep = ~np.eye(n, dtype=bool)
    if left_out == 2:
        keep = keep[:, None, :] & keep[None, :, :]
    out = np.where(keep, s.reshape(s.shape[:-1] + (1,) * left_out + (n,)), 1.0).prod(-1)
    return out if left_out == 1 else out * ~np.eye(n, dtype=bool)


def _signed_svd(x: Any) -> tuple[Any, Any, Any, Any]:
    u, s, v = np.linalg.svd(x)
    sign = np.linalg.det(u) * np.linalg.det(v)
    return u, s, v, np.rint(sign)[..., None, None].astype(u.dtype)


def _cofactor_value(x: Any) -> Any:
    d = np.linalg.det(x)
    v = _regular_inverse(x, d)
    if v is not None:
        return d[..., None, None] * mt(v)
    u, s, v, sign = _signed_svd(x)
    return sign * ((u * _products_without(s, 1)[..., None, :]) @ v)


def _cofactor_change_value(t: Any, x: Any) -> Any:
    """Differential of the cofactor matrix at x along t (t may have a leading axis of lanes)."""
    u, s, v, sign = _signed_svd(x)
    m, p = mt(u) @ t @ mt(v), _products_without(s, 2)
    diagonal = (p @ np.diagonal(m, axis1=-2, axis2=-1)[..., None])[..., 0]
    return sign * (u @ (diagonal[..., None, :] * np.eye(s.shape[-1]) - p * mt(m)) @ v)


def _third(*args: Any, **params: Any) -> Any:
    raise NotImplementedError("the third derivative of numpy.linalg.det at a singular (or nearly singular, over- or underflowing) "
                              "matrix is not covered; use slogdet, or write the determinant out by cofactors")


def _cofactor_change_jvp(ts: Sequence[Any], xs: Sequence[Any], out: Any, lanes: int) -> Any:
    return _cofactor_change(ts[0], xs[1]) if ts[1] is None else _third()


def _cofactor_change_vjp(ct: Any, xs: Sequence[Any], out: Any, needs: Sequence[bool], lanes: int) -> Any:
    return (_cofactor_change(ct, xs[1]), None) if not needs[1] else _third()  # a second derivative: symmetric in ct and t


_cofactor_change = Primitive("cofactor_change", _cofactor_change_value, _cofactor_change_jvp, _cofactor_change_vjp)


def _cofactor_along(t: Any, x: Any, c: Any) -> Any:
    """Second derivative of det at x: the change of its gradient c along t."""
    values = plain(x)
    v = _regular_inverse(values, np.linalg.det(values))
    if v is None:
        return _cofactor_change(t, x)
    v = mt(v if x is values else np.linalg.inv(x))
    return c * _per_matrix(_inner(v, t)) - c @ mt(t) @ v


_cofactor = Primitive("cofactor", _cofactor_value,
                      lambda ts, xs, out, lanes: _cofactor_along(ts[0], xs[0], out),
                      lambda ct, xs, out, needs, lanes: (_cofactor_along(ct, xs[0], out),))
_det = Primitive("det", np.linalg.det,
                 lambda ts, xs, out, lanes: _inner(_cofactor(xs[0]), ts[0]),
                 lambda ct, xs, out, needs, lanes: (_per_matrix(ct) * _cofactor(xs[0]),))


@implements(np.linalg.det)
def det(a: Any) -> Any:
    """np.linalg.det: the gradient is the cofactor matrix, at singular matrices too (to the second order)."""
    return bind(_det, _real("det", a), {})


# ---- slogdet -----------------------------------------------------------------------------------------------------------

def _slogdet_jvp(ts: Sequence[Any], xs: Sequence[Any], out: Any, lanes: int) -> tuple[Any, Any]:
    return None, _inner(mt(np.linalg.inv(xs[0])), ts[0])


def _slogdet_vjp(ct: Any, xs: Sequence[Any], out: Any, needs: Sequence[bool], lanes: int) -> tuple[Any]:
    return (None if ct[1] is None else _per_matrix(ct[1]) * mt(np.linalg.inv(xs[0])),)


_slogdet = Primitive("slogdet", np.linalg.slogdet, _slogdet_jvp, _slogdet_vjp)


@implements(np.linalg.slogdet)
def slogdet(a: Any) -> Any:
    """np.linalg.slogdet: the gradient of logabsdet is X^-T (LinAlgError where X is singular); the sign is constant."""
    return bind(_slogdet, _real("slogdet", a), {})


# ---- solve -------------------------------------------------------------------------------------------------------------

def _solve_with(a: Any, b: Any, rank: int, lanes: int) -> Any:
    """a^-1 b for right-hand sides of one (vectors) or two axes, with lanes as more columns: one factorisation a matrix."""
    if rank == 2 and not lanes:
        return np.linalg.solve(a, b)
    if not lanes:
        return np.linalg.solve(a, b[..., None])[..., 0]
    if rank == 1:
        return np.moveaxis(np.linalg.solve(a, np.moveaxis(b, 0, -1)), -1, 0)
    b = np.moveaxis(b, 0, -1)
    *batch, n, m, k = shape_of(b)
    x = np.linalg.solve(a, np.reshape(b, (*batch, n, m * k)))
    return np.moveaxis(np.reshape(x, (*shape_of(x)[:-1], m, k)), -1, 0)


def _times(a: Any, x: Any, rank: int) -> Any:
    """a @ x where x is a stack of vectors (rank 1) or of matrices."""
    return np.matmul(a, x) if rank == 2 else np.matmul(a, x[..., None])[..., 0]


def _solve_jvp(ts: Sequence[Any], xs: Sequence[Any], out: Any, lanes: int) -> Any:
    rank = 1 if len(shape_of(xs[1])) == 1 else 2
    n = len(shape_of(out))
    change: Any = None
    if ts[0] is not None:
        change = -_times(align(ts[0], n - rank + 2, lanes), out, rank)
    if ts[1] is not None:
        tb = align(ts[1], n, lanes)
        change = tb if change is None else change + tb
    lead = (lanes,) if lanes else ()
    if tuple(shape_of(change)) != (*lead, *shape_of(out)):
        change = np.broadcast_to(change, (*lead, *shape_of(out)))
    return _solve_with(xs[0], change, rank, lanes)


def _solve_vjp(ct: Any, xs: Sequence[Any], out: Any, needs: Sequence[bool], lanes: int) -> tuple[Any, Any]:
    rank = 1 if len(shape_of(xs[1])) == 1 else 2
    by_b = _solve_with(mt(xs[0]), ct, rank, lanes)
    by_a = None
    if needs[0]:
        by_a = -(by_b[..., :, None] * out[..., None, :] if rank == 1 else by_b @ mt(out))
        by_a = unbroadcast(by_a, tuple(shape_of(xs[0])), lanes)
    return by_a, unbroadcast(by_b, tuple(shape_of(xs[1])), lanes) if needs[1] else None


_solve = Primitive("solve", np.linalg.solve, _solve_jvp, _solve_vjp)


@implements(np.linalg.solve)
def solve(a: Any, b: Any) -> Any:
    """np.linalg.solve: one-dimensional b is a vector, anything else a stack of matrices (NumPy 2's rule)."""
    return bind(_solve, _real("solve", a, b), {})


# ---- cholesky ----------------------------------------------------------------------------------------------------------

def _half_lower(x: Any) -> Any:
    """The lower triangle with half of the diagonal."""
    n = shape_of(x)[-1]
    return x * (np.tril(np.ones((n, n), dtype_of(x)), -1) + 0.5 * np.eye(n, dtype=dtype_of(x)))


def _cholesky_jvp(ts: Sequence[Any], xs: Sequence[Any], out: Any, lanes: int, upper: bool) -> Any:
    l = mt(out) if upper else out
    inverse = np.linalg.inv(l)
    change = l @ _half_lower(inverse @ _symmetric(ts[0]) @ mt(inverse))
    return mt(change) if upper else change


def _cholesky_vjp(ct: Any, xs: Sequence[Any], out: Any, needs: Sequence[bool], lanes: int, upper: bool) -> tuple[Any]:
    l, ct = (mt(out), mt(ct)) if upper else (out, ct)
    inverse = np.linalg.inv(l)
    return (_symmetric(mt(inverse) @ _half_lower(mt(l) @ ct) @ inverse),)


_cholesky = Primitive("cholesky", lambda a, upper: np.linalg.cholesky(a, upper=upper), _cholesky_jvp, _cholesky_vjp)


@implements(np.linalg.cholesky)
def cholesky(a: Any, /, *, upper: bool = False) -> Any:
    """np.linalg.cholesky of symmetric positive definite matrices; see the module about symmetric arguments."""
    return bind(_cholesky, _real("cholesky", a), {"upper": bool(upper)})


# ---- eigh --------------------------------------------------------------------------------------------------------------

def _gaps(w: Any) -> Any:
    """1 / (w_j - w_i) off the diagonal, 0 on it; infinite where eigenvalues coincide."""
    n = shape_of(w)[-1]
    eye = np.eye(n, dtype=dtype_of(w))
    with np.errstate(divide="ignore"):
        return (1.0 - eye) / (_columns(w) - mt(_columns(w)) + eye)


def _divided(x: Any, w: Any) -> Any:
    """x_ij / (w_j - w_i) off the diagonal; at equal eigenvalues infinite, zero where x_ij is exactly zero, NaN to higher orders."""
    gaps = _gaps(w)
    with np.errstate(invalid="ignore", over="ignore"):
        if isinstance(x, Traced) or np.all(np.isfinite(plain(gaps))):
            return x * gaps
        return np.where(x == 0.0, 0.0, x * gaps)


def _eigh_jvp(ts: Sequence[Any], xs: Sequence[Any], out: Any, lanes: int, UPLO: Any) -> tuple[Any, Any]:
    w, v = out
    m = mt(v) @ _symmetric(ts[0]) @ v
    with np.errstate(invalid="ignore"):
        return np.diagonal(m, axis1=-2, axis2=-1), v @ _divided(m, w)


def _eigh_vjp(ct: Any, xs: Sequence[Any], out: Any, needs: Sequence[bool], lanes: int, UPLO: Any) -> tuple[Any]:
    (by_w, by_v), (w, v) = ct, out
    middle = None
    if by_v is not None:
        middle = _divided(mt(v) @ by_v, w)
    if by_w is not None:
        diagonal = _columns(by_w) * np.eye(shape_of(w)[-1], dtype=dtype_of(w))
        middle = diagonal if middle is None else middle + diagonal
    with np.errstate(invalid="ignore"):
        return (_symmetric(v @ middle @ mt(v)),)


_eigh = Primitive("eigh", lambda a, UPLO: np.linalg.eigh(a, UPLO), _eigh_jvp, _eigh_vjp)


@implements(np.linalg.eigh)
def eigh(a: Any, UPLO: Any = "L") -> Any:
    """np.linalg.eigh: eigenvalues and vectors of symmetric matrices.

    The vectors have no derivative where eigenvalues coincide: theirs is infinite or NaN there unless the direction leaves them
    alone.  The eigenvalues' derivative is V' T V's diagonal, which at equal eigenvalues is the derivative of symmetric functions of
    them (their sum, product ...).
    """
    return bind(_eigh, _real("eigh", a), {"UPLO": UPLO})


def _eigvalsh_jvp(ts: Sequence[Any], xs: Sequence[Any], out: Any, lanes: int, UPLO: Any) -> Any:
    v = np.linalg.eigh(xs[0], UPLO)[1]
    return np.sum(v * (_symmetric(ts[0]) @ v), axis=-2)


def _eigvalsh_vjp(ct: Any, xs: Sequence[Any], out: Any, needs: Sequence[bool], lanes: int, UPLO: Any) -> tuple[Any]:
    v = np.linalg.eigh(xs[0], UPLO)[1]
    return (_symmetric((v * _columns(ct)) @ mt(v)),)


_eigvalsh = Primitive("eigvalsh", lambda a, UPLO: np.linalg.eigvalsh(a, UPLO), _eigvalsh_jvp, _eigvalsh_vjp)


@implements(np.linalg.eigvalsh)
def eigvalsh(a: Any, UPLO: Any = "L") -> Any:
    """np.linalg.eigvalsh: eigenvalues of symmetric matrices, with the derivative rule of eigh's."""
    return bind(_eigvalsh, _real("eigvalsh", a), {"UPLO": UPLO})


# ---- svd ---------------------------------------------------------------------------------------------------------------

def _svd_jvp(ts: Sequence[Any], xs: Sequence[Any], out: Any, lanes: int,
             full_matrices: bool) -> tuple[Any, Any, Any]:
    u, s, vt = out
    m, n = shape_of(xs[0])[-2:]
    k, t, v = min(m, n), ts[0], mt(vt)
    d = mt(u) @ t @ v
    right = d * _columns(s)  # d S
    left = mt(_columns(s)) * d  # S d
    squares = s * s
    with np.errstate(divide="ignore", invalid="ignore"):
        du = u @ _divided(right + mt(right), squares)
        dv = v @ _divided(left + mt(left), squares)
        if m > k:
            tv = t @ v
            du = du + (tv - u @ (mt(u) @ tv)) / _columns(s)
        if n > k:
            tu = mt(t) @ u
            dv = dv + (tu - v @ (vt @ tu)) / _columns(s)
    return du, np.diagonal(d, axis1=-2, axis2=-1), mt(dv)


_svd = Primitive("svd", lambda a, full_matrices: np.linalg.svd(a, full_matrices), _svd_jvp)


@implements(np.linalg.svd)
def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """np.linalg.svd of square matrices, and of others with full_matrices=False.

    The vectors have no derivative where singular values coincide (infinite or NaN there), nor the thin ones' complement.
    """
    (a,) = _real("svd", a)
    shape = shape_of(a)
    if len(shape) < 2:
        return np.linalg.svd(untraced(a))  # NumPy's error
    if hermitian:
        raise not_covered("numpy.linalg.svd with hermitian=True", "use np.linalg.eigh")
    if not compute_uv:
        return svdvals(a)
    if full_matrices and shape[-1] != shape[-2]:
        raise not_covered("numpy.linalg.svd of a matrix that is not square with full_matrices=True", "use full_matrices=False")
    return bind(_svd, [a], {"full_matrices": bool(full_matrices)})


def _svdvals_jvp(ts: Sequence[Any], xs: Sequence[Any], out: Any, lanes: int) -> Any:
    u, _, vt = np.linalg.svd(xs[0], full_matrices=False)
    return np.sum(u * (ts[0] @ mt(vt)), axis=-2)


def _svdvals_vjp(ct: Any, xs: Sequence[Any], out: Any, needs: Sequence[bool], lanes: int) -> tuple[Any]:
    u, _, vt = np.linalg.svd(xs[0], full_matrices=False)
    return ((u * _columns(ct)) @ vt,)


_svdvals = Primitive("svdvals", lambda a: np.linalg.svd(a, compute_uv=False), _svdvals_jvp, _svdvals_vjp)


@implements(np.linalg.svdvals)
def svdvals(x: Any, /) -> Any:
    """np.linalg.svdvals: the singular values."""
    return bind(_svdvals, _real("svdvals", x), {})


FUNCTIONS[np.linalg.matrix_rank] = lambda *args, **kwargs: np.linalg.matrix_rank(*untraced(args), **untraced(kwargs))

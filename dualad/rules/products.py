"""Products: matmul, dot, einsum and their kin, all multilinear; their letters are stated here, their rule in `contraction`.

The compiled core takes matmul of one- and two-dimensional float64 arrays of one level itself; np.dot of such arrays goes
the same way (NumPy computes both by the same calls when the arrays are contiguous, so no bit changes).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import _core
from .._core import VarArray
from ..generic import dtype_of, shape_of
from .contraction import Letters, contract, plus, product, product_jvp, product_vjp, quiet
from .dispatch import GUFUNCS, untraced
from .primitive import FUNCTIONS, Primitive, bind, implements, not_covered
from .structure import as_traced

__all__ = ["matmul", "multilinear", "real_operands"]


def real_operands(name: str, *operands: Any) -> list[Any]:
    """Operands as traced values or real arrays; an error that names the function for anything else."""
    result = []
    for x in operands:
        x = as_traced(x)
        kind = dtype_of(x).kind
        if kind == "c":
            raise TypeError(f"{name}: a complex operand beside a traced value; complex numbers are not differentiated yet")
        if kind not in "fiub":
            raise TypeError(f"{name}: an operand of dtype {dtype_of(x)} beside a traced value; use real numbers or arrays")
        result.append(x)
    return result


def multilinear(f: Callable[..., Any], operands: Sequence[Any], letters: Sequence[Letters], out: Letters) -> Any:
    """Apply NumPy's function f, which is the product of `operands` by these letters."""
    return bind(product, operands, {"f": f, "letters": tuple(letters), "out": tuple(out)})


def _count(n: int, start: int = 0) -> Letters:
    return tuple(range(start, start + n))


# ---- matmul ------------------------------------------------

def matmul_letters(nx: int, ny: int) -> tuple[tuple[Letters, Letters], Letters]:
    """Letters of x @ y: batch axes counted from the end, then 0 (rows), 1 (summed), 2 (columns)."""
    batch = max(nx, ny, 2) - 2
    names = _count(batch, 3)
    x = (1,) if nx == 1 else (*names[batch - (nx - 2):], 0, 1)
    y = (1,) if ny == 1 else (*names[batch - (ny - 2):], 1, 2)
    return (x, y), names + (() if nx == 1 else (0,)) + (() if ny == 1 else (2,))


@quiet
def _matmul_jvp(tangents: Sequence[Any], xs: Sequence[Any], out: Any, lanes: int) -> Any:
    if lanes:
        letters, result = matmul_letters(len(shape_of(xs[0])), len(shape_of(xs[1])))
        return product_jvp(tangents, xs, out, lanes, None, letters, result)
    left = None if tangents[0] is None else np.matmul(tangents[0], xs[1])
    right = None if tangents[1] is None else np.matmul(xs[0], tangents[1])
    return right if left is None else left if right is None else plus(left, right)


@quiet
def _matmul_vjp(ct: Any, xs: Sequence[Any], out: Any, needs: Sequence[bool], lanes: int) -> tuple[Any, ...]:
    a, b = xs
    na, nb = len(shape_of(a)), len(shape_of(b))
    if lanes or na > 2 or nb > 2:
        letters, result = matmul_letters(na, nb)
        return product_vjp(ct, xs, out, needs, lanes, None, letters, result)
    by_a = by_b = None
    if needs[0]:
        by_a = (ct * b if nb == 1 else np.matmul(b, ct)) if na == 1 else (
            np.multiply(np.reshape(ct, (-1, 1)), b) if nb == 1 else np.matmul(ct, np.transpose(b)))
    if needs[1]:
        by_b = (ct * a if na == 1 else np.matmul(ct, a)) if nb == 1 else (
            np.multiply(np.reshape(a, (-1, 1)), ct) if na == 1 else np.matmul(np.transpose(a), ct))
    return by_a, by_b


_matmul = Primitive("matmul", np.matmul, _matmul_jvp, _matmul_vjp)
_dot = Primitive("dot", np.dot, _matmul_jvp, _matmul_vjp)  # of one and two axes, where it is matmul but for the bits


@implements(np.linalg.matmul)
def matmul(x1: Any, x2: Any) -> Any:
    """np.matmul of every pair of ranks."""
    return bind(_matmul, real_operands("numpy.matmul", x1, x2), {})


GUFUNCS[np.matmul] = matmul


@implements(np.linalg.matrix_power)
def matrix_power(a: Any, n: Any) -> Any:
    """np.linalg.matrix_power for integers, by NumPy's own sequence of squarings."""
    (a,) = real_operands("numpy.linalg.matrix_power", a)
    shape = shape_of(a)
    if len(shape) < 2 or shape[-1] != shape[-2]:
        return np.linalg.matrix_power(untraced(a), n)  # NumPy's error
    try:
        n = operator.index(n)
    except TypeError as e:
        raise TypeError("exponent must be an integer") from e
    if n == 0:
        return np.linalg.matrix_power(untraced(a), 0)
    if n < 0:
        a, n = np.linalg.inv(a), -n
    if n == 3:
        return (a @ a) @ a
    square: Any = None
    result: Any = None
    while n > 0:
        square = a if square is None else square @ square
        n, bit = divmod(n, 2)
        if bit:
            result = square if result is None else result @ square
    return result


# ---- products of vectors in the last axis (gufuncs) ------------------------------------------------

def _batched(f: Any, left: Letters, right: Letters, out: Letters) -> Callable[[Any, Any], Any]:
    def rule(x: Any, y: Any) -> Any:
        x, y = real_operands(f"numpy.{f.__name__}", x, y)
        bx, by = len(shape_of(x)) - len(left), len(shape_of(y)) - len(right)
        if bx < 0 or by < 0:
            return f(untraced(x), untraced(y))  # NumPy's error
        names = _count(max(bx, by), 3)
        return multilinear(f, [x, y], [names[len(names) - bx:] + left, names[len(names) - by:] + right], names + out)

    return rule


GUFUNCS[np.vecdot] = _batched(np.vecdot, (1,), (1,), ())
GUFUNCS[np.matvec] = _batched(np.matvec, (0, 1), (1,), (0,))
GUFUNCS[np.vecmat] = _batched(np.vecmat, (0,), (0, 1), (1,))


@implements(np.linalg.vecdot)
def vecdot(x1: Any, x2: Any, axis: int = -1) -> Any:
    """np.linalg.vecdot, over any axis."""
    x, y = real_operands("numpy.linalg.vecdot", x1, x2)
    if axis == -1:
        return GUFUNCS[np.vecdot](x, y)
    nx, ny = len(shape_of(x)), len(shape_of(y))
    n = max(nx, ny)
    # the gufunc's axis counts from each operand's own end when negative, from its own start otherwise
    ax, ay = (np.lib.array_utils.normalize_axis_index(axis, m) for m in (nx, ny))
    names = _count(n - 1, 1)
    f: Any = np.linalg.vecdot
    lx, ly = list(names[n - nx:]), list(names[n - ny:])
    lx.insert(ax, 0)
    ly.insert(ay, 0)
    return multilinear(lambda a, b: f(a, b, axis=axis), [x, y], [tuple(lx), tuple(ly)], names)


# ---- dot, inner, outer, tensordot ------------------------------------------------

def _same_bits_as_matmul(x: Any) -> bool:
    """A one- or two-dimensional contiguous float64 operand of the tape: np.dot and np.matmul compute the same bits there."""
    if type(x) is VarArray:
        x = _core.values(x)
    return (type(x) is np.ndarray and 1 <= x.ndim <= 2 and x.dtype == np.float64
            and (x.flags.c_contiguous or x.flags.f_contiguous))


@implements(np.dot)
def dot(a: Any, b: Any, out: Any = None) -> Any:
    """np.dot of any ranks."""
    if (type(a) is VarArray or type(b) is VarArray) and _same_bits_as_matmul(a) and _same_bits_as_matmul(b):
        return a @ b
    a, b = real_operands("numpy.dot", a, b)
    na, nb = len(shape_of(a)), len(shape_of(b))
    if 1 <= na <= 2 and 1 <= nb <= 2:
        return bind(_dot, [a, b], {})
    la, lb = _count(na, 1), _count(nb, na + 1)
    if na and nb:
        la = (*la[:-1], 0)
        lb = (0,) if nb == 1 else (*lb[:-2], 0, lb[-1])
    return multilinear(np.dot, [a, b], [la, lb], tuple(s for s in la + lb if s))


@implements(np.inner)
def inner(a: Any, b: Any) -> Any:
    """np.inner of any ranks."""
    a, b = real_operands("numpy.inner", a, b)
    na, nb = len(shape_of(a)), len(shape_of(b))
    la, lb = _count(na, 1), _count(nb, na + 1)
    if na and nb:
        la, lb = (*la[:-1], 0), (*lb[:-1], 0)
    return multilinear(np.inner, [a, b], [la, lb], tuple(s for s in la + lb if s))


@implements(np.vdot)
def vdot(a: Any, b: Any) -> Any:
    """np.vdot: the inner product of all elements."""
    a, b = real_operands("numpy.vdot", a, b)
    return multilinear(np.vdot, [np.ravel(a), np.ravel(b)], [(0,), (0,)], ())


@implements(np.outer)
def outer(a: Any, b: Any, out: Any = None) -> Any:
    """np.outer: all products of the elements of a and b."""
    a, b = real_operands("numpy.outer", a, b)
    return multilinear(np.outer, [np.ravel(a), np.ravel(b)], [(0,), (1,)], (0, 1))


@implements(np.linalg.outer)
def linalg_outer(x1: Any, x2: Any) -> Any:
    """np.linalg.outer: of one-dimensional arrays only."""
    x, y = real_operands("numpy.linalg.outer", x1, x2)
    return multilinear(np.linalg.outer, [x, y], [_count(len(shape_of(x))), _count(len(shape_of(y)), 1)], (0, 1))


@implements(np.tensordot, np.linalg.tensordot)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """np.tensordot with an int or two (sequences of) axes."""
    a, b = real_operands("numpy.tensordot", a, b)
    na, nb = len(shape_of(a)), len(shape_of(b))
    try:
        over_a, over_b = axes
    except TypeError:
        n = operator.index(axes)
        over_a, over_b = range(-n, 0), range(n)
    over_a, over_b = ([axis] if np.ndim(axis) == 0 else list(axis) for axis in (over_a, over_b))
    la, lb = list(range(na)), list(range(na, na + nb))
    if len(over_a) == len(over_b) and all(-na <= i < na for i in over_a) and all(-nb <= i < nb for i in over_b):
        for i, j in zip(over_a, over_b, strict=True):
            lb[j] = la[i]
    return multilinear(lambda x, y: np.tensordot(x, y, axes=axes), [a, b], [tuple(la), tuple(lb)],
                       tuple(s for s in la if s not in lb) + tuple(s for s in lb if s not in la))


@implements(np.kron)
def kron(a: Any, b: Any) -> Any:
    """np.kron: one multiplication of reshaped operands."""
    a, b = real_operands("numpy.kron", a, b)
    sa, sb = tuple(shape_of(a)), tuple(shape_of(b))
    if not sa or not sb:
        return np.multiply(a, b)
    n = max(len(sa), len(sb))
    sa, sb = (1,) * (n - len(sa)) + sa, (1,) * (n - len(sb)) + sb
    pairs = np.multiply(np.reshape(a, tuple(s for n in sa for s in (n, 1))), np.reshape(b, tuple(s for n in sb for s in (1, n))))
    return np.reshape(pairs, tuple(i * j for i, j in zip(sa, sb, strict=True)))


@implements(np.linalg.multi_dot)
def multi_dot(arrays: Sequence[Any], *, out: Any = None) -> Any:
    """np.linalg.multi_dot: a chain of matrices in NumPy's order."""
    if out is not None:
        raise not_covered("numpy.linalg.multi_dot with out= (a write into an array)", "use its result")
    xs = real_operands("numpy.linalg.multi_dot", *arrays)
    ranks = [len(shape_of(x)) for x in xs]
    if len(xs) < 2 or ranks[0] not in (1, 2) or ranks[-1] not in (1, 2) or any(r != 2 for r in ranks[1:-1]):
        return np.linalg.multi_dot(untraced(list(arrays)))  # NumPy's error
    letters = [(i, i + 1) for i in range(len(xs))]
    if ranks[0] == 1:
        letters[0] = (1,)  # type: ignore[assignment]
    if ranks[-1] == 1:
        letters[-1] = (len(xs) - 1,)  # type: ignore[assignment]
    ends = ((0,) if ranks[0] == 2 else ()) + ((len(xs),) if ranks[-1] == 2 else ())
    return multilinear(lambda *ops: np.linalg.multi_dot(ops), xs, letters, ends)


# ---- einsum ------------------------------------------------

def _einsum_letters(subscripts: str, ranks: Sequence[int]) -> tuple[list[Letters], Letters]:
    """Letters of every operand and of the result; the axes behind "..." get negative letters, -1 the last."""
    left, arrow, right = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(ranks):
        raise ValueError(f"einsum: {len(terms)} subscripts for {len(ranks)} operands")
    letters: list[Letters] = []
    widest = 0
    for term, rank in zip(terms, ranks, strict=True):
        head, dots, tail = term.partition("...")
        hidden = rank - len(head) - len(tail)
        if hidden < 0 or (hidden and not dots) or "." in head + tail:
            raise ValueError(f"einsum: subscripts {term!r} do not fit an operand of {rank} dimensions")
        widest = max(widest, hidden)
        letters.append((*map(ord, head), *range(-hidden, 0), *map(ord, tail)))
    if arrow:
        head, dots, tail = right.partition("...")
        out = (*map(ord, head), *(range(-widest, 0) if dots else ()), *map(ord, tail))
    else:
        once = left.replace(",", "").replace(".", "")
        out = (*range(-widest, 0), *(ord(c) for c in sorted(set(once)) if once.count(c) == 1))
    return letters, out


def _from_sublists(args: Sequence[Any]) -> tuple[str, list[Any]]:
    """The subscripts string of np.einsum(a, [0, 1], b, [1, 2], [0, 2])."""

    def term(axes: Sequence[Any]) -> str:
        return "".join("..." if i is Ellipsis else chr(ord("A") + i if i < 26 else ord("a") + i - 26) for i in axes)

    operands, axes = list(args[0:2 * (len(args) // 2):2]), list(args[1::2])
    text = ",".join(map(term, axes))
    return text + ("->" + term(args[-1]) if len(args) % 2 else ""), operands


@implements(np.einsum)
def einsum(*args: Any, out: Any = None, optimize: Any = False, **kwargs: Any) -> Any:
    """np.einsum: explicit, implicit, with "...", repeated letters and any number of operands."""
    unknown = [k for k, v in kwargs.items() if v is not None and not (k == "order" and v in ("K", "C"))
               and not (k == "casting" and v == "safe")]
    if unknown:
        raise not_covered(f"numpy.einsum with {', '.join(unknown)}=")
    subscripts, operands = (args[0], list(args[1:])) if isinstance(args[0], str) else _from_sublists(args)
    xs = real_operands("numpy.einsum", *operands)
    letters, result = _einsum_letters(subscripts, [len(shape_of(x)) for x in xs])
    return multilinear(lambda *ops: np.einsum(subscripts, *ops, optimize=optimize), xs, letters, result)


FUNCTIONS[np.einsum_path] = lambda *args, **kwargs: np.einsum_path(*untraced(args), **kwargs)


# ---- trace, cross ------------------------------------------------

@implements(np.trace)
def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None) -> Any:
    """np.trace: the sum of a diagonal."""
    return np.sum(np.diagonal(as_traced(a), offset, axis1, axis2), axis=-1, dtype=dtype)


@implements(np.linalg.trace)
def linalg_trace(x: Any, *, offset: int = 0, dtype: Any = None) -> Any:
    """np.linalg.trace: over the last two axes."""
    return trace(x, offset, -2, -1, dtype)


@implements(np.cross)
def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: Any = None) -> Any:
    """np.cross of vectors of length 3 (and of length 2, while NumPy has it)."""
    a, b = real_operands("numpy.cross", a, b)
    if axis is not None:
        axisa = axisb = axisc = axis
    if min(len(shape_of(a)), len(shape_of(b))) < 1 or {shape_of(a)[axisa], shape_of(b)[axisb]} != {3}:
        np.cross(untraced(a), untraced(b), axisa, axisb, axisc)  # NumPy's error, or its warning for two dimensions
    a, b = np.moveaxis(a, axisa, -1), np.moveaxis(b, axisb, -1)
    a0: Any
    a1: Any
    a2: Any
    b0: Any
    b1: Any
    b2: Any
    a0, a1, a2 = (a[..., i] if i < shape_of(a)[-1] else None for i in range(3))
    b0, b1, b2 = (b[..., i] if i < shape_of(b)[-1] else None for i in range(3))
    c2 = a0 * b1 - a1 * b0
    if a2 is None and b2 is None:
        return c2
    c0 = a1 * b2 if a2 is None else -(a2 * b1) if b2 is None else a1 * b2 - a2 * b1
    c1 = -(a0 * b2) if a2 is None else a2 * b0 if b2 is None else a2 * b0 - a0 * b2
    return np.moveaxis(np.stack([c0, c1, c2], axis=-1), -1, axisc)


@implements(np.linalg.cross)
def linalg_cross(x1: Any, x2: Any, *, axis: int = -1) -> Any:
    """np.linalg.cross: of vectors of length 3 only."""
    x, y = real_operands("numpy.linalg.cross", x1, x2)
    if shape_of(x)[axis] != 3 or shape_of(y)[axis] != 3:
        return np.linalg.cross(untraced(x), untraced(y), axis=axis)  # NumPy's error
    return cross(x, y, axis=axis)


# ---- convolution ------------------------------------------------

def _windows(x: Any, n: int, before: int, after: int) -> Any:
    """All windows of length n of the last axis of x, padded with zeros (or cut, where negative)."""
    length = shape_of(x)[-1]
    x = x[..., max(-before, 0):length - max(-after, 0)]
    lead = shape_of(x)[:-1]
    parts = [np.zeros((*lead, m), dtype_of(x)) for m in (max(before, 0), max(after, 0))]
    count = length + before + after - n + 1
    return np.concatenate([parts[0], x, parts[1]], axis=-1)[..., np.arange(count)[:, None] + np.arange(n)]


def _reach(na: int, nv: int, mode: str) -> tuple[int, int]:
    """Zeros before and after a (na >= nv), so that the result is all windows of length nv times v."""
    if mode == "full":
        return nv - 1, nv - 1
    if mode == "same":  # NumPy keeps na of the na + nv - 1 windows of "full", the middle ones, the larger part before
        return nv // 2, nv - 1 - nv // 2
    return 0, 0


@quiet
def _correlate_jvp(tangents: Sequence[Any], xs: Sequence[Any], out: Any, lanes: int, mode: str) -> Any:
    (a, v), (ta, tv) = xs, tangents
    n = shape_of(v)[0]
    before, after = _reach(shape_of(a)[0], n, mode)
    lane = (2,) if lanes else ()
    left = None if ta is None else contract([_windows(ta, n, before, after), v], [(*lane, 0, 1), (1,)], (*lane, 0))
    right = None if tv is None else contract([_windows(a, n, before, after), tv], [(0, 1), (*lane, 1)], (*lane, 0))
    return right if left is None else left if right is None else left + right


@quiet
def _correlate_vjp(ct: Any, xs: Sequence[Any], out: Any, needs: Sequence[bool], lanes: int, mode: str) -> tuple[Any, ...]:
    a, v = xs
    na, n = shape_of(a)[0], shape_of(v)[0]
    before, after = _reach(na, n, mode)
    lane = (2,) if lanes else ()
    by_a = by_v = None
    if needs[0]:
        by_a = contract([_windows(ct, n, n - 1 - before, n - 1 - after), v[::-1]], [(*lane, 0, 1), (1,)], (*lane, 0))
    if needs[1]:
        by_v = contract([_windows(a, n, before, after), ct], [(0, 1), (*lane, 0)], (*lane, 1))
    return by_a, by_v


_correlate = Primitive("correlate", lambda a, v, mode: np.correlate(a, v, mode), _correlate_jvp, _correlate_vjp)


def _vectors(name: str, a: Any, v: Any, mode: Any) -> tuple[Any, Any]:
    a, v = real_operands(name, a, v)
    if mode not in ("valid", "same", "full"):
        raise not_covered(f"{name} with mode={mode!r}", 'modes are "valid", "same" and "full"')
    return a, v


@implements(np.correlate)
def correlate(a: Any, v: Any, mode: Any = "valid") -> Any:
    """np.correlate of two vectors."""
    a, v = _vectors("numpy.correlate", a, v, mode)
    if len(shape_of(a)) != 1 or len(shape_of(v)) != 1 or not shape_of(a)[0] or not shape_of(v)[0]:
        return np.correlate(untraced(a), untraced(v), mode)  # NumPy's error
    if shape_of(a)[0] >= shape_of(v)[0]:
        return bind(_correlate, [a, v], {"mode": mode})
    return bind(_correlate, [v, a], {"mode": mode})[::-1]  # as NumPy does it: exchanged, and the result reversed


@implements(np.convolve)
def convolve(a: Any, v: Any, mode: Any = "full") -> Any:
    """np.convolve of two vectors: a correlation with the shorter one reversed."""
    a, v = (np.atleast_1d(x) for x in _vectors("numpy.convolve", a, v, mode))
    if len(shape_of(a)) != 1 or len(shape_of(v)) != 1 or not shape_of(a)[0] or not shape_of(v)[0]:
        return np.convolve(untraced(a), untraced(v), mode)  # NumPy's error
    if shape_of(v)[0] > shape_of(a)[0]:
        a, v = v, a
    return bind(_correlate, [a, v[::-1]], {"mode": mode})


@implements(np.polyval)
def polyval(p: Any, x: Any) -> Any:
    """np.polyval by Horner's rule, as NumPy."""
    if isinstance(x, np.poly1d):
        raise not_covered("numpy.polyval of a poly1d")
    p, x = real_operands("numpy.polyval", p, x)
    y = np.zeros(shape_of(x), np.result_type(dtype_of(x)))
    y = y if y.ndim else y[()]
    for i in range(shape_of(p)[0]):
        y = y * x + p[i]
    return y




"""Multilinear maps: every product of NumPy is one, written in the letters of einsum.

A product multiplies its operands along axes with the same letter and sums over the letters that its result has not.  So its
derivative in one operand is a product again, of the tangent with the other operands; the transpose of that one, of the
cotangent with the other operands.  The lanes are one more letter.  Values come from NumPy's own function; the products
inside derivatives come from :func:`contract`, which reorders axes so that the work is one matrix product (BLAS) a pair.

    letters       a tuple of int for each operand, one letter an axis; the result's letters are distinct
    broadcasting  an axis of length 1 meets a longer one of the same letter: it is dropped before, restored after
    repeated      a letter twice in an operand takes its diagonal; the transpose multiplies by the identity
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import combinations
from typing import Any

import numpy as np

from .._core import Traced
from ..generic import dtype_of, shape_of
from .primitive import Primitive, bind

__all__ = ["Letters", "contract", "plus", "product", "product_jvp", "product_vjp", "quiet"]

Letters = tuple[int, ...]

quiet = np.errstate(all="ignore")  # decorates rules: only the user's own operations warn


# ---- evaluation on plain arrays ------------------------------------------------

@lru_cache(maxsize=4096)
def _plan(x: Letters, y: Letters, wanted: frozenset[int]) -> tuple[Any, ...]:
    """Axes of x and y to sum first, the rest in the order (batch, own, summed) and (batch, summed, own); the result's letters."""
    sum_x = tuple(i for i, s in enumerate(x) if s not in wanted and s not in y)
    sum_y = tuple(i for i, s in enumerate(y) if s not in wanted and s not in x)
    x, y = tuple(s for s in x if s in wanted or s in y), tuple(s for s in y if s in wanted or s in x)
    shared = [i for i in x if i in y]
    batch = [i for i in shared if i in wanted]
    summed = [i for i in shared if i not in wanted]
    own_x, own_y = [i for i in x if i not in y], [i for i in y if i not in x]
    return (sum_x, sum_y, tuple(x.index(i) for i in batch + own_x + summed), tuple(y.index(i) for i in batch + summed + own_y),
            len(batch), len(own_x), len(summed), tuple(batch + own_x + own_y))


def _size(shape: Sequence[int]) -> int:
    n = 1
    for s in shape:
        n *= s
    return n


def _pair(x: Any, lx: Letters, y: Any, ly: Letters, wanted: frozenset[int]) -> tuple[Any, Letters]:
    """Product of two arrays with distinct letters each, keeping the wanted ones: one (batched) matrix product."""
    sum_x, sum_y, px, py, nb, nx, ns, letters = _plan(lx, ly, wanted)
    x = (np.add.reduce(x, axis=sum_x) if sum_x else x).transpose(px)
    y = (np.add.reduce(y, axis=sum_y) if sum_y else y).transpose(py)
    batch, own_x, own_y = x.shape[:nb], x.shape[nb:nb + nx], y.shape[nb + ns:]
    if not ns:
        return x.reshape(x.shape + (1,) * len(own_y)) * y.reshape(batch + (1,) * nx + own_y), letters
    k, m, n = _size(x.shape[nb + nx:]), _size(own_x), _size(own_y)
    z = np.matmul(x.reshape((*batch, m, k)), y.reshape((*batch, k, n)))
    return z.reshape(batch + own_x + own_y), letters


def _sum_out(x: Any, letters: Letters, wanted: frozenset[int]) -> tuple[Any, Letters]:
    axes = tuple(i for i, s in enumerate(letters) if s not in wanted)
    return (np.add.reduce(x, axis=axes), tuple(s for s in letters if s in wanted)) if axes else (x, letters)


def _diagonal(x: Any, letters: Letters) -> tuple[Any, Letters]:
    if len(set(letters)) == len(letters):
        return x, letters
    distinct = tuple(dict.fromkeys(letters))
    number = {s: i for i, s in enumerate(distinct)}
    return np.einsum(x, [number[s] for s in letters], [number[s] for s in distinct]), distinct


def _evaluate(operands: Sequence[Any], letters: Sequence[Letters], out: Letters, missing: Sequence[tuple[int, int]]) -> Any:
    work = [_diagonal(np.asarray(x), s) for x, s in zip(operands, letters, strict=True)]
    while len(work) > 1:
        i, j = (0, 1) if len(work) == 2 else min(combinations(range(len(work)), 2), key=lambda pair: _cost(work, pair, out))
        y, x = work.pop(j), work.pop(i)
        work.append(_pair(*x, *y, frozenset(out).union(*(s for _, s in work))))
    z, have = _sum_out(*work[0], frozenset(out))
    for letter, n in missing:
        z, have = np.broadcast_to(z, (n, *z.shape)), (letter, *have)
    if have != out:
        z = z.transpose([have.index(s) for s in out])
    return z if z.ndim else z[()]


def _cost(work: list[tuple[Any, Letters]], pair: tuple[int, int], out: Letters) -> tuple[int, int]:
    """Size of the pair's product, then its multiplications: the greedy order of np.einsum_path."""
    (x, lx), (y, ly) = work[pair[0]], work[pair[1]]
    sizes = dict(zip(lx, x.shape, strict=True)) | dict(zip(ly, y.shape, strict=True))
    wanted = set(out).union(*(s for i, (_, s) in enumerate(work) if i not in pair))
    return _size([n for s, n in sizes.items() if s in wanted]) - x.size - y.size, _size(list(sizes.values()))


def plus(a: Any, b: Any) -> Any:
    """a + b where a is a fresh result of ours: its memory is used again."""
    if type(a) is np.ndarray and type(b) is np.ndarray and a.dtype == b.dtype and a.flags.writeable and a.ndim:
        a += b
        return a
    return a + b


# ---- the primitive ------------------------------------------------

def contract(operands: Sequence[Any], letters: Sequence[Letters], out: Letters, missing: Sequence[tuple[int, int]] = ()) -> Any:
    """The product of operands by letters; `missing` gives letters of the result that no operand has, with their lengths."""
    if not any(isinstance(x, Traced) for x in operands):
        return _evaluate(operands, letters, out, missing)
    return bind(product, list(operands), {"f": None, "letters": tuple(letters), "out": tuple(out), "missing": tuple(missing)})


def _impl(*operands: Any, f: Callable[..., Any] | None, letters: Sequence[Letters], out: Letters,
          missing: Sequence[tuple[int, int]] = ()) -> Any:
    return _evaluate(operands, letters, out, missing) if f is None else f(*operands)


def _drop_ones(operands: Sequence[Any], letters: Sequence[Letters]) -> tuple[list[tuple[int, ...] | None], list[Letters]]:
    """Shapes (None: as it is) and letters of the operands without the axes of length 1 that are broadcast."""
    shapes = [tuple(shape_of(x)) for x in operands]
    if not any(1 in shape for shape in shapes):
        return [None] * len(shapes), list(letters)
    sizes: dict[int, int] = {}
    for shape, s in zip(shapes, letters, strict=True):
        for n, letter in zip(shape, s, strict=True):
            if sizes.get(letter, 1) == 1:
                sizes[letter] = n
    new_shapes: list[tuple[int, ...] | None] = []
    new_letters: list[Letters] = []
    for shape, s in zip(shapes, letters, strict=True):
        kept = [(n, letter) for n, letter in zip(shape, s, strict=True) if n != 1 or sizes[letter] == 1]
        same = len(kept) == len(s)
        new_shapes.append(None if same else tuple(n for n, _ in kept))
        new_letters.append(s if same else tuple(letter for _, letter in kept))
    return new_shapes, new_letters


def _lane_letter(letters: Sequence[Letters], out: Letters) -> int:
    return min(min(s, default=0) for s in (*letters, out)) - 1


@quiet
def product_jvp(tangents: Sequence[Any], operands: Sequence[Any], out_value: Any, lanes: int, f: Any, letters: Sequence[Letters],
                out: Letters, missing: Sequence[tuple[int, int]] = ()) -> Any:
    """Sum over the operands of the product with that one replaced by its tangent."""
    shapes, letters = _drop_ones(operands, letters)
    xs = [x if shape is None else np.reshape(x, shape) for x, shape in zip(operands, shapes, strict=True)]
    lead, lane = ((lanes,), (_lane_letter(letters, out),)) if lanes else ((), ())
    total = None
    for i, (t, shape) in enumerate(zip(tangents, shapes, strict=True)):
        if t is None:
            continue
        t = t if shape is None else np.reshape(t, lead + shape)
        part = contract([*xs[:i], t, *xs[i + 1:]], [*letters[:i], lane + letters[i], *letters[i + 1:]], lane + out, missing)
        total = part if total is None else plus(total, part)
    return total


@quiet
def product_vjp(ct: Any, operands: Sequence[Any], out_value: Any, needs: Sequence[bool], lanes: int, f: Any,
                letters: Sequence[Letters], out: Letters, missing: Sequence[tuple[int, int]] = ()) -> tuple[Any, ...]:
    """For each operand the product of the cotangent with the other operands."""
    shapes, letters = _drop_ones(operands, letters)
    xs = [x if shape is None else np.reshape(x, shape) for x, shape in zip(operands, shapes, strict=True)]
    lead, lane = ((lanes,), (_lane_letter(letters, out),)) if lanes else ((), ())
    result: list[Any] = []
    for i, need in enumerate(needs):
        if not need:
            result.append(None)
            continue
        own, shape = letters[i], tuple(shape_of(xs[i]))
        others, spec = [ct, *xs[:i], *xs[i + 1:]], [lane + out, *letters[:i], *letters[i + 1:]]
        fresh = max(max(s, default=0) for s in (*letters, out)) + 1
        target: list[int] = []
        for letter, n in zip(own, shape, strict=True):  # a repeated letter: its cotangent lies on the diagonal
            if letter in target:
                others.append(np.eye(n, dtype=dtype_of(xs[i])))
                spec.append((letter, fresh))
                letter, fresh = fresh, fresh + 1
            target.append(letter)
        have = {s for letters_ in spec for s in letters_}
        c = contract(others, spec, lane + tuple(target), [(s, n) for s, n in zip(target, shape, strict=True) if s not in have])
        result.append(c if shapes[i] is None else np.reshape(c, lead + tuple(shape_of(operands[i]))))
    return tuple(result)


product = Primitive("product", _impl, product_jvp, product_vjp)

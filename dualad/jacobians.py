"""Jacobians and Hessians: many tangents or cotangents swept at once, in chunks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ._core import Traced
from .api import _named, grad, jvp
from .arguments import Selection, check_callable
from .forward import push
from .generic import dtype_of, shape_of
from .pull import pull
from .reverse import Recording, record
from .tree import flatten, unflatten

__all__ = ["choose_mode", "hessian", "hvp", "jacfwd", "jacobian", "jacrev"]

#: lanes of one sweep: the value and each partial are computed once for all of them
CHUNK = 32
WIDE_CHUNK = 128
#: a reverse sweep of k rows and the recording, against one forward run that carries as many columns
REVERSE_WEIGHT = 1.5


def chunk_size(n: int) -> int:
    """How many of n directions one sweep carries (measured: 32 up to some hundreds, 128 from there on)."""
    return n if n <= 48 else CHUNK if n < 512 else WIDE_CHUNK


def _size(x: Any) -> int:
    return int(np.prod(shape_of(x), dtype=int))


def _basis(leaf: Any, start: int, stop: int, at: int, n: int) -> Any:
    """Tangents of one leaf for the columns [start, stop) of the whole point; the leaf's own are [at, at + n)."""
    lo, hi = max(start, at), min(stop, at + n)
    if lo >= hi:
        return None
    rows = np.zeros((stop - start, n), dtype_of(leaf))
    rows[np.arange(lo - start, hi - start), np.arange(lo - at, hi - at)] = 1.0
    return rows.reshape(stop - start, *shape_of(leaf))


def _split(columns: Any, out_shape: tuple[int, ...], leaves: Sequence[Any]) -> list[Any]:
    """Blocks shape(y) + shape(x), one a leaf, of an array (size of y, size of all leaves)."""
    blocks, at = [], 0
    for x in leaves:
        n = _size(x)
        block = np.reshape(columns[..., at:at + n], (*out_shape, *shape_of(x)))
        blocks.append(block)
        at += n
    return blocks


def _tidy(block: Any, leaf: Any) -> Any:
    if isinstance(block, np.ndarray) and block.ndim == 0 and not isinstance(leaf, np.ndarray):
        return float(block) if type(leaf) is float else block[()]
    return block


def _assemble(chosen: Selection, structure: Any, rows: list[list[Any]]) -> Any:
    return unflatten(structure, [chosen.gather([_tidy(b, x) for b, x in zip(blocks, chosen.leaves, strict=True)]) for blocks in rows])


def jacfwd(f: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """Jacobian by forward sweeps, a chunk of columns each: best when outputs are as many as inputs, or more.

    Parameters
    ----------
    f : callable
        Returns a float, an array or a container of them.
    argnums : int or tuple of int
        Positional arguments to differentiate with respect to.

    Returns
    -------
    callable
        Returns the Jacobian: for each output leaf y and each input leaf x an array of shape ``shape(y) + shape(x)``, in the
        container of the output, holding containers of the argument.

    Raises
    ------
    TypeError
        When an argument has no derivative.

    Notes
    -----
    Cost: one run of f for every 32 to 128 inputs; a run carries all tangents of its chunk.

    Examples
    --------
    >>> import numpy as np, dualad
    >>> dualad.jacfwd(lambda x: x * x)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """
    check_callable(f, "jacfwd")

    def jac(*args: Any, **kwargs: Any) -> Any:
        return _forward(f, Selection("jacfwd", argnums, args, kwargs))

    return _named(jac, f, "jacfwd")


def _forward(f: Callable[..., Any], chosen: Selection) -> Any:
    leaves = chosen.leaves
    sizes = [_size(x) for x in leaves]
    total = sum(sizes)
    step = max(chunk_size(total), 1)
    parts: list[list[Any]] = []
    outs: list[Any] = []
    structure: Any = None
    for start in range(0, max(total, 1), step):
        stop = min(start + step, total)
        tangents, at = [], 0
        for x, n in zip(leaves, sizes, strict=True):
            tangents.append(_basis(x, start, stop, at, n))
            at += n
        outs, results, structure = push(leaves, tangents, lambda xs: f(*chosen.call(xs), **chosen.kwargs), stop - start)
        parts.append([np.reshape(t, (stop - start, _size(y))) for t, y in zip(results, outs, strict=True)])
    rows = []
    for i, y in enumerate(outs):
        columns = parts[0][i] if len(parts) == 1 else np.concatenate([p[i] for p in parts])
        rows.append(_split(np.transpose(columns), tuple(shape_of(y)), leaves))
    return _assemble(chosen, structure, rows)


def jacrev(f: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """Jacobian by one recording and reverse sweeps, a chunk of rows each: best when outputs are far fewer than inputs.

    Parameters
    ----------
    f : callable
        Returns a float, an array or a container of them.
    argnums : int or tuple of int
        Positional arguments to differentiate with respect to.

    Returns
    -------
    callable
        As for :func:`jacfwd`.

    Raises
    ------
    TypeError
        When an argument has no derivative.

    Notes
    -----
    Cost: one recording, and one sweep of the tape for every 32 to 128 outputs.

    Examples
    --------
    >>> import numpy as np, dualad
    >>> dualad.jacrev(lambda x: np.sum(x * x))(np.array([1.0, 2.0]))
    array([2., 4.])
    """
    check_callable(f, "jacrev")

    def jac(*args: Any, **kwargs: Any) -> Any:
        chosen = Selection("jacrev", argnums, args, kwargs)
        return _reverse(record(lambda *xs: f(*xs, **kwargs), chosen.leaves, chosen.call), chosen)

    return _named(jac, f, "jacrev")


def _reverse(recording: Recording, chosen: Selection) -> Any:
    sizes = [_size(x) for x in chosen.leaves]
    rows = []
    for y in recording.outputs:
        shape = tuple(shape_of(y))
        m = _size(y)
        if not recording.depends(y):
            rows.append(_split(np.zeros((m, sum(sizes))), shape, chosen.leaves))
            continue
        parts: list[Any] = []
        step = max(chunk_size(m), 1)
        for start in range(0, m, step):
            k = min(start + step, m) - start
            seeds = np.zeros((k, m), dtype_of(y))
            seeds[np.arange(k), np.arange(start, start + k)] = 1.0
            grads = pull(recording.level, [y], [seeds.reshape(k, *shape)], recording.inputs, k)
            flat = [np.reshape(g, (k, n)) for g, n in zip(grads, sizes, strict=True)]
            parts.append(flat[0] if len(flat) == 1 else np.concatenate(flat, axis=1))
        matrix = np.zeros((0, sum(sizes))) if not parts else parts[0] if len(parts) == 1 else np.concatenate(parts)
        blocks = _split(matrix, shape, chosen.leaves)
        rows.append([b if isinstance(b, Traced) or b.dtype == dtype_of(x) else b.astype(dtype_of(x))
                     for b, x in zip(blocks, chosen.leaves, strict=True)])
    return _assemble(chosen, recording.structure, rows)


def choose_mode(n: int, m: int) -> tuple[str, str]:
    """Which mode a Jacobian R^n -> R^m takes, and why.

    Parameters
    ----------
    n, m : int
        Numbers of inputs and outputs.

    Returns
    -------
    mode : "fwd" or "rev"
    reason : str
        One sentence.

    Notes
    -----
    Forward costs a tangent of every operation for each of the n inputs, reverse an adjoint for each of the m outputs and
    the recording of a tape; one adjoint costs about 1.5 tangents (Griewank & Walther, 2008, section 4.6).

    Examples
    --------
    >>> from dualad.jacobians import choose_mode
    >>> choose_mode(1000, 1)[0], choose_mode(3, 1000)[0]
    ('rev', 'fwd')
    """
    if n <= REVERSE_WEIGHT * m:
        return "fwd", f"{n} inputs are not more than {REVERSE_WEIGHT:g} times the {m} outputs: {n} tangents cost less than {m} adjoints"
    return "rev", f"{n} inputs are more than {REVERSE_WEIGHT:g} times the {m} outputs: {m} adjoints cost less than {n} tangents"


def jacobian(f: Callable[..., Any], argnums: int | Sequence[int] = 0, mode: str = "auto") -> Callable[..., Any]:
    """Jacobian in the mode that its shape asks for.

    Parameters
    ----------
    f : callable
        Returns a float, an array or a container of them.
    argnums : int or tuple of int
    mode : {"auto", "fwd", "rev"}
        "auto" compares the numbers of inputs and outputs.

    Returns
    -------
    callable
        ``J(*args)`` as for :func:`jacfwd`; ``J.why(*args)`` returns the sentence that explains the choice of mode.

    Raises
    ------
    ValueError
        Another mode.

    Notes
    -----
    Cost: that of :func:`jacfwd` or :func:`jacrev`; "auto" runs f once more, undifferentiated, to see how many outputs it
    has (unless there is one input).

    Examples
    --------
    >>> import numpy as np, dualad
    >>> J = dualad.jacobian(lambda x: np.sum(x * x))
    >>> J(np.array([1.0, 2.0]))
    array([2., 4.])
    >>> J.why(np.array([1.0, 2.0]))
    'rev: 2 inputs are more than 1.5 times the 1 outputs: 1 adjoints cost less than 2 tangents'
    """
    check_callable(f, "jacobian")
    if mode not in ("auto", "fwd", "rev"):
        raise ValueError(f"jacobian: mode {mode!r}; choose 'auto', 'fwd' or 'rev'")
    forward, reverse = jacfwd(f, argnums), jacrev(f, argnums)

    def choice(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[str, str]:
        if mode != "auto":
            return mode, "you asked for it"
        n = sum(_size(x) for x in Selection("jacobian", argnums, args, kwargs).leaves)
        if n <= 1:
            return "fwd", "one input takes one tangent"
        return choose_mode(n, sum(_size(y) for y in flatten(f(*args, **kwargs))[0]))

    def jac(*args: Any, **kwargs: Any) -> Any:
        return (forward if choice(args, kwargs)[0] == "fwd" else reverse)(*args, **kwargs)

    def why(*args: Any, **kwargs: Any) -> str:
        return ": ".join(choice(args, kwargs))

    jac.why = why  # type: ignore[attr-defined]
    return _named(jac, f, "jacobian")


def hessian(f: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """Hessian: forward over reverse, a chunk of columns at once.

    Parameters
    ----------
    f : callable
        Returns a float (or an array: the result is then shape(y) + shape(x) + shape(x)).
    argnums : int or tuple of int

    Returns
    -------
    callable
        ``hessian(f)(x)`` has shape ``shape(x) + shape(x)``; for containers, a container of containers.

    Raises
    ------
    TypeError
        When an argument has no derivative.

    Notes
    -----
    Cost: one forward-over-reverse run for every 32 to 128 inputs.

    Examples
    --------
    >>> import numpy as np, dualad
    >>> dualad.hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 3.0]))
    array([[6., 2.],
           [2., 0.]])
    """
    return _named(jacfwd(jacrev(f, argnums), argnums), f, "hessian")


def hvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """Hessian-vector product of a function that returns a float, forward over reverse.

    Parameters
    ----------
    f : callable
    primals : tuple
        The point, one entry an argument.
    tangents : tuple
        The vector, of the same structure and shapes.

    Returns
    -------
    The product: the container of the one argument, or a tuple with one entry an argument when there are several.

    Notes
    -----
    Cost: one recording of f in dual numbers and its reverse sweep; the Hessian is never formed.

    Examples
    --------
    >>> import numpy as np, dualad
    >>> dualad.hvp(lambda x: x[0] ** 2 * x[1], (np.array([1.0, 3.0]),), (np.array([1.0, 0.0]),))
    array([6., 2.])
    """
    if not isinstance(primals, (tuple, list)) or not primals:
        raise TypeError("hvp takes primals and tangents as tuples, one entry an argument: hvp(f, (x,), (v,))")
    argnums: Any = 0 if len(primals) == 1 else tuple(range(len(primals)))
    return jvp(grad(f, argnums), primals, tangents)[1]

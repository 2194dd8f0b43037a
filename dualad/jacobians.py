"""Jacobians and Hessians: many tangents or cotangents swept at once, in chunks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ._core import SecondSweep, Traced, Var, open_count
from .api import _named, grad, jvp
from .arguments import Selection, check_callable, check_tangents
from .forward import push
from .generic import dtype_of, shape_of, size_of
from .prediction import Plan, faster, phrase, settled, sweep_times
from .pull import pull, pushforward
from .reverse import Recording, record
from .tree import flatten, unflatten

__all__ = ["hessian", "hvp", "jacfwd", "jacobian", "jacrev", "plan"]

#: lanes of one sweep: the value and each partial are computed once for all of them
CHUNK = 32
WIDE_CHUNK = 128
#: numbers that the lanes of one sweep fill at most (16 MB: beyond that caches miss, and the system maps pages anew for each sweep)
LANE_NUMBERS = 1 << 21
FEW_LANES = 8


def chunk_size(n: int, slots: int = 0) -> int:
    """How many of n directions one sweep carries over a recording of so many slots.

    Measured: 32 up to some hundreds, 128 from there on; fewer on long recordings, 8 at least.
    """
    lanes = n if n <= 48 else CHUNK if n < 512 else WIDE_CHUNK
    return lanes if lanes * slots <= LANE_NUMBERS else min(lanes, max(FEW_LANES, LANE_NUMBERS // slots))


def _basis(leaf: Any, start: int, stop: int, at: int, n: int) -> Any:
    """Tangents of one leaf for the columns [start, stop) of the whole point; the leaf's own are [at, at + n)."""
    lo, hi = max(start, at), min(stop, at + n)
    if lo >= hi:
        return None
    rows = np.full((stop - start, n), -0.0, dtype_of(leaf))  # of what does not depend on the column's input (csrc/tape.h)
    if n == 1:
        rows[lo - start, 0] = 1.0
    else:
        rows[np.arange(lo - start, hi - start), np.arange(lo - at, hi - at)] = 1.0
    return rows.reshape(stop - start, *shape_of(leaf))


def _split(columns: Any, out_shape: tuple[int, ...], leaves: Sequence[Any]) -> list[Any]:
    """Blocks shape(y) + shape(x), one a leaf, of an array (size of y, size of all leaves)."""
    blocks, at = [], 0
    for x in leaves:
        n = size_of(x)
        block = np.reshape(columns[..., at:at + n], (*out_shape, *shape_of(x)))
        blocks.append(block)
        at += n
    return blocks


def _tidy(block: Any, leaf: Any) -> Any:
    if isinstance(block, np.ndarray) and block.ndim == 0 and not isinstance(leaf, np.ndarray):
        return float(block) if type(leaf) is float else block[()]
    return block


def _assemble(chosen: Selection, structure: Any, rows: list[list[Any]]) -> Any:
    return unflatten(structure, [chosen.gather([_tidy(b, x) for b, x in zip(blocks, chosen.leaves, strict=True)])
                                 for blocks in rows])


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
    Cost: one recording of f and one forward sweep of it for every 32 to 128 inputs, a sweep carrying all tangents of its
    chunk; functions of a few floats run on duals with all their tangents instead.

    Examples
    --------
    >>> import numpy as np, dualad
    >>> dualad.jacfwd(lambda x: x * x)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """
    check_callable(f, "jacfwd")

    def jac(*args: Any, **kwargs: Any) -> Any:
        chosen = Selection("jacfwd", argnums, args, kwargs)
        recording = _recorded(f, chosen)
        return _run_duals(f, chosen) if recording is None else _sweep_columns(recording, chosen)

    return _named(jac, f, "jacfwd")


def _recorded(f: Callable[..., Any], chosen: Selection) -> Recording | None:
    """A recording to sweep tangents over, where that is cheaper than running f on duals: arrays on a tape of floats."""
    if open_count() or (all(type(x) is float for x in chosen.leaves) and len(chosen.leaves) <= WIDE_CHUNK):
        return None
    recording = record(lambda *xs: f(*xs, **chosen.kwargs), chosen.leaves, chosen.call)
    return recording if recording.level.plain else None


def _chunks(n: int, slots: int = 0) -> list[tuple[int, int]]:
    step = max(chunk_size(n, slots), 1)
    return [(start, min(start + step, n)) for start in range(0, n, step)]


def _tangents(chosen: Selection, start: int, stop: int) -> list[Any]:
    """Basis tangents of all leaves for the columns [start, stop); None for a leaf without any."""
    tangents, at = [], 0
    for x in chosen.leaves:
        n = size_of(x)
        tangents.append(_basis(x, start, stop, at, n))
        at += n
    return tangents


def _sweep_columns(recording: Recording, chosen: Selection) -> Any:
    total = sum(size_of(x) for x in chosen.leaves)
    parts: list[list[Any]] = []
    for start, stop in _chunks(total, recording.level.slots):
        k = stop - start
        given = [(x, t) for x, t in zip(recording.inputs, _tangents(chosen, start, stop), strict=True) if t is not None]
        results = pushforward(recording.level, [x for x, _ in given], [t for _, t in given], recording.outputs, k)
        parts.append([np.zeros((k, size_of(y))) if t is None else np.reshape(t, (k, size_of(y)))
                      for t, y in zip(results, recording.outputs, strict=True)])
    return _from_columns(parts, recording.outputs, recording.structure, chosen)


def _run_duals(f: Callable[..., Any], chosen: Selection) -> Any:
    total = sum(size_of(x) for x in chosen.leaves)
    if not total:
        outs, structure = flatten(f(*chosen.args, **chosen.kwargs))
        return _from_columns([], outs, structure, chosen)
    parts: list[list[Any]] = []
    for start, stop in _chunks(total):
        k = stop - start
        outs, results, structure = push(chosen.leaves, _tangents(chosen, start, stop),
                                        lambda xs: f(*chosen.call(xs), **chosen.kwargs), k)
        parts.append([np.reshape(t, (k, size_of(y))) + 0.0 for t, y in zip(results, outs, strict=True)])
    return _from_columns(parts, outs, structure, chosen)


def _from_columns(parts: list[list[Any]], outs: Sequence[Any], structure: Any, chosen: Selection) -> Any:
    rows = []
    for i, y in enumerate(outs):
        columns = (np.zeros((0, size_of(y))) if not parts else parts[0][i] if len(parts) == 1
                   else np.concatenate([p[i] for p in parts]))
        rows.append(_split(np.transpose(columns), tuple(shape_of(y)), chosen.leaves))
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
    Cost: one recording, and one sweep of the tape for every 32 to 128 outputs (fewer, 8 at least, on very long recordings).

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
    sizes = [size_of(x) for x in chosen.leaves]
    swept, total = [], 0
    for y in recording.outputs:
        if recording.depends(y):
            swept.append((y, total, size_of(y)))
            total += swept[-1][2]
    parts: list[Any] = []
    for start, stop in _chunks(total, recording.level.slots):  # rows of all outputs, whichever they belong to
        k = stop - start
        given = [(y, at, n) for y, at, n in swept if at < stop and at + n > start]
        seeds = [_basis(y, start, stop, at, n) for y, at, n in given]
        grads = pull(recording.level, [y for y, _, _ in given], seeds, recording.inputs, k)
        flat = [np.reshape(g, (k, n)) for g, n in zip(grads, sizes, strict=True)]
        parts.append(flat[0] if len(flat) == 1 else np.concatenate(flat, axis=1))
    matrix = np.zeros((0, sum(sizes))) if not parts else parts[0] if len(parts) == 1 else np.concatenate(parts)
    rows, at = [], 0
    for y in recording.outputs:
        m, shape = size_of(y), tuple(shape_of(y))
        if not recording.depends(y):
            rows.append(_split(np.zeros((m, sum(sizes))), shape, chosen.leaves))
            continue
        blocks = _split(matrix[at:at + m], shape, chosen.leaves)
        rows.append([b if isinstance(b, Traced) or b.dtype == dtype_of(x) else b.astype(dtype_of(x))
                     for b, x in zip(blocks, chosen.leaves, strict=True)])
        at += m
    return _assemble(chosen, recording.structure, rows)


def plan(recording: Recording, leaves: Sequence[Any]) -> Plan:
    """How either mode of a Jacobian would sweep a recording.

    Parameters
    ----------
    recording : Recording
    leaves : sequence
        The differentiated leaves.

    Returns
    -------
    n, m : int
        Numbers of inputs and outputs.
    forward, reverse : tuple of int
        Number of sweeps, lanes of all of them together, leaves seeded or read in them.
    blocks : int
        Blocks of the result: an input leaf and an output leaf each.

    Examples
    --------
    >>> import numpy as np
    >>> from dualad.jacobians import plan
    >>> from dualad.reverse import record
    >>> x = [np.ones(1000)]
    >>> plan(record(lambda x: np.sum(x * x), x, tuple), x)
    (1000, 1, (8, 1000, 9), (1, 1, 2), 1)
    """
    outs, inputs = recording.outputs, len(leaves)
    n = size_of(leaves[0]) if inputs == 1 else sum(map(size_of, leaves))
    m = swept = seeded = 0
    for y in outs:
        size = size_of(y)
        m += size
        if recording.depends(y):
            swept += size
            seeded += size > 0
    slots = recording.level.slots
    columns, sweeps = _sweeps(n, slots), _sweeps(swept, slots)
    forward, reverse = (columns, n, inputs + columns * len(outs)), (sweeps, swept, sweeps * inputs + max(seeded, sweeps))
    return n, m, forward, reverse, inputs * len(outs)


def _sweeps(n: int, slots: int) -> int:
    return -(-n // max(chunk_size(n, slots), 1))


def jacobian(f: Callable[..., Any], argnums: int | Sequence[int] = 0, mode: str = "auto") -> Callable[..., Any]:
    """Jacobian in the mode that its shape asks for.

    Parameters
    ----------
    f : callable
        Returns a float, an array or a container of them.
    argnums : int or tuple of int
    mode : {"auto", "fwd", "rev"}
        "auto" takes the mode that is predicted to be faster (see :func:`dualad.recommend`).

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
    Cost: one recording of f, which says how many outputs and operations there are, and the sweeps of either mode over it.

    Examples
    --------
    >>> import numpy as np, dualad
    >>> J = dualad.jacobian(lambda x: np.sum(x * x))
    >>> J(np.array([1.0, 2.0]))
    array([2., 4.])
    >>> print(J.why(np.ones(1000)))  # doctest: +ELLIPSIS
    rev: 1000 inputs, 1 output: 1 adjoint in 1 sweep is predicted to take 0.0... of the time of 1000 tangents in 8 sweeps
    """
    check_callable(f, "jacobian")
    if mode not in ("auto", "fwd", "rev"):
        raise ValueError(f"jacobian: mode {mode!r}; choose 'auto', 'fwd' or 'rev'")

    def recorded(chosen: Selection) -> Recording | None:
        if mode == "fwd" or (mode == "auto" and _one_run_on_duals(chosen)):
            return _recorded(f, chosen)
        return record((lambda *xs: f(*xs, **chosen.kwargs)) if chosen.kwargs else f, chosen.leaves, chosen.call)

    def jac(*args: Any, **kwargs: Any) -> Any:
        chosen = Selection("jacobian", argnums, args, kwargs)
        recording = recorded(chosen)
        if recording is None:
            return _run_duals(f, chosen)
        if mode == "rev" or (mode == "auto" and _faster(recording, chosen.leaves) == "rev"):
            return _reverse(recording, chosen)
        return _sweep_columns(recording, chosen) if recording.level.plain else _run_duals(f, chosen)

    def why(*args: Any, **kwargs: Any) -> str:
        chosen = Selection("jacobian", argnums, args, kwargs)
        if mode != "auto":
            return f"{mode}: you asked for it"
        recording = recorded(chosen)
        if recording is None:
            return "fwd: one input takes one tangent"
        chosen_mode, reason = explain(recording, chosen.leaves)
        return f"{chosen_mode}: {reason}"

    jac.why = why  # type: ignore[attr-defined]
    return _named(jac, f, "jacobian")


def _faster(recording: Recording, leaves: Sequence[Any]) -> str:
    outs = recording.outputs
    if len(leaves) == 1 and len(outs) == 1 and recording.depends(outs[0]):  # the plan of the common case, without its containers
        n, m = getattr(leaves[0], "size", 1), outs[0].size
        slots = recording.level.slots
        columns, rows = _sweeps(n, slots), _sweeps(m, slots)
        mode = settled(recording.level, n, columns, n, 1 + columns, rows, m, 2 * rows, 1)
        if mode:
            return mode
    return faster(recording.level, plan(recording, leaves))


def explain(recording: Recording, leaves: Sequence[Any]) -> tuple[str, str]:
    """The mode that :func:`jacobian` takes over a recording ("fwd" or "rev"), and the reason in one sentence."""
    planned = plan(recording, leaves)
    mode = _faster(recording, leaves)
    return mode, phrase(mode, planned, sweep_times(recording.level, planned))


def _one_run_on_duals(chosen: Selection) -> bool:
    """Off the tape of floats, forward mode runs f again, so one input is not worth a recording."""
    if len(chosen.leaves) != 1:
        return False
    x = chosen.leaves[0]
    return (open_count() > 0 or dtype_of(x) != np.float64) and size_of(x) <= 1


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
    Cost: one recording of f and two sweeps in C for each input; where these do not serve (see :func:`hvp`) one
    forward-over-reverse run for every 32 to 128 inputs.

    Examples
    --------
    >>> import numpy as np, dualad
    >>> dualad.hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 3.0]))
    array([[6., 2.],
           [2., 0.]])
    """
    check_callable(f, "hessian")
    nested = jacfwd(jacrev(f, argnums), argnums)

    def hess(*args: Any, **kwargs: Any) -> Any:
        chosen = Selection("hessian", argnums, args, kwargs)
        sweep = _second_sweep(lambda *xs: f(*xs, **kwargs), chosen)
        matrix = sweep.matrix() if sweep is not None else None
        if matrix is None:
            return nested(*args, **kwargs)
        rows, at = [], 0
        for x in chosen.leaves:
            n = size_of(x)
            blocks = _split(matrix[at:at + n], tuple(shape_of(x)), chosen.leaves)
            rows.append(chosen.gather([_tidy(b, y) for b, y in zip(blocks, chosen.leaves, strict=True)]))
            at += n
        return chosen.gather(rows)

    return _named(hess, f, "hessian")


def _second_sweep(f: Callable[..., Any], chosen: Selection) -> SecondSweep | None:
    """The second-order sweep in C of a function of plain float64 that returns a float; None where it does not apply."""
    if open_count():
        return None
    recording = record(f, chosen.leaves, chosen.call)
    out = recording.outputs[0] if recording.structure is None else None
    if not recording.level.plain or recording.level.calls or type(out) is not Var or not recording.depends(out):
        return None
    return SecondSweep(recording.level, recording.inputs, out)


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

    Raises
    ------
    TypeError
        When f returns no float, or an argument has no derivative.
    ValueError
        When a tangent has not the shape of its primal.

    Notes
    -----
    Cost: one recording of f, one sweep of tangents and one reverse sweep in dual arithmetic; the Hessian is never formed.
    Where f calls functions whose derivatives are Python (linalg ...), is traced itself, is not of float64, has an infinite slope
    or works with values beyond 1e38 or below 1e-38, f runs again with a reverse sweep nested in dual numbers.

    Examples
    --------
    >>> import numpy as np, dualad
    >>> dualad.hvp(lambda x: x[0] ** 2 * x[1], (np.array([1.0, 3.0]),), (np.array([1.0, 0.0]),))
    array([6., 2.])
    """
    if not isinstance(primals, (tuple, list)) or not primals:
        raise TypeError("hvp takes primals and tangents as tuples, one entry an argument: hvp(f, (x,), (v,))")
    argnums: Any = 0 if len(primals) == 1 else tuple(range(len(primals)))
    chosen = Selection("hvp", argnums, tuple(primals), {})
    leaves, structure = flatten(tuple(tangents))
    if structure != flatten(tuple(primals))[1]:
        raise ValueError(f"hvp: tangents have not the structure of primals: {len(leaves)} numbers or arrays for "
                         f"{len(chosen.leaves)}, or other containers")
    leaves = check_tangents(leaves, chosen.leaves, "hvp", "tangent")
    sweep = _second_sweep(f, chosen) if not any(isinstance(v, Traced) for v in leaves) else None
    product = sweep.product(leaves) if sweep is not None else None
    if product is not None:
        return chosen.gather(product)
    return jvp(grad(f, argnums), primals, tangents)[1]

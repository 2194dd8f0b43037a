"""Checks of derivatives against differences and against each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .api import jvp, vjp
from .arguments import Selection
from .generic import size_of
from .jacobians import jacfwd, jacrev
from .tree import flatten, unflatten

__all__ = ["check_grads", "numerical_jacobian"]


def numerical_jacobian(f: Callable[..., Any], args: Sequence[Any], step: float | None = None) -> np.ndarray:
    """Jacobian of all outputs by all inputs from five-point differences, extrapolated over three steps.

    Parameters
    ----------
    f : callable
    args : sequence
        Its arguments; every number in them is varied.
    step : float, optional
        Relative step; by default 2**-8, 2**-10 and 2**-12 are tried and the entries that agree best are kept.

    Returns
    -------
    ndarray, shape (m, n)
        Outputs and inputs flattened in order.

    Raises
    ------
    TypeError, ValueError
        What f itself raises at a point nearby; a step of 0 gives NaN.

    Notes
    -----
    Cost: 4 evaluations of f for each input and step.

    Examples
    --------
    >>> import numpy as np
    >>> from dualad.testing import numerical_jacobian
    >>> np.round(numerical_jacobian(lambda x: x**3, (2.0,)), 9)
    array([[12.]])
    """
    leaves, structure = flatten(tuple(args))
    arrays = [np.array(x, dtype=np.float64) for x in leaves]
    steps = [step] if step is not None else [2.0**-8, 2.0**-10, 2.0**-12]

    def evaluate(i: int, j: int, h: float) -> np.ndarray:
        moved = [a.copy() if k == i else a for k, a in enumerate(arrays)]
        if h:
            moved[i].reshape(-1)[j] += h
        inputs = [m.astype(np.asarray(x).dtype) if np.ndim(x) or isinstance(x, (np.ndarray, np.generic)) else float(m)
                  for m, x in zip(moved, leaves, strict=True)]
        out = flatten(f(*unflatten(structure, inputs)))[0]
        return np.concatenate([np.ravel(np.asarray(o, dtype=np.float64)) for o in out]) if out else np.zeros(0)

    columns = []
    for i, a in enumerate(arrays):
        for j in range(a.size):
            scale = max(abs(float(a.reshape(-1)[j])), 1.0)
            tries = []
            for s in steps:
                h = s * scale
                near = evaluate(i, j, h) - evaluate(i, j, -h)
                far = evaluate(i, j, 2 * h) - evaluate(i, j, -2 * h)
                tries.append((8.0 * near - far) / (12.0 * h))
            best = tries[-1]
            if len(tries) == 3:  # of two neighbouring steps, trust the pair that differs least
                best = np.where(abs(tries[0] - tries[1]) < abs(tries[1] - tries[2]), tries[1], tries[2])
            columns.append(best)
    return np.stack(columns, axis=1) if columns else np.zeros((evaluate(0, 0, 0.0).size, 0))


def check_grads(f: Callable[..., Any], args: Sequence[Any], order: int, modes: Sequence[str] = ("fwd", "rev"),
                rtol: float = 1e-6, atol: float = 1e-6) -> None:
    """Check derivatives of f up to an order, every entry of the Jacobian, against differences and mode against mode.

    Parameters
    ----------
    f : callable
        Returns floats or arrays (or a container of them).
    args : sequence
        The point; every number in it is differentiated.
    order : int
        1 checks first derivatives; k checks derivatives of derivatives, in every combination of `modes`.
    modes : sequence of {"fwd", "rev"}
    rtol, atol : float
        An entry is wrong when ``|ad - fd| > atol * scale + rtol * |fd|``, with scale the largest entry of the Jacobian (at
        least 1).

    Raises
    ------
    AssertionError
        Names the worst entry: mode, output and input it belongs to, both values and their difference.
    ValueError
        An order below 1 or an unknown mode.

    Notes
    -----
    All entries are checked (not a random direction), so one wrong entry in ten is found.  Cost: 12 evaluations of f for
    each input, and one Jacobian a mode.

    Examples
    --------
    >>> import numpy as np, dualad
    >>> dualad.check_grads(lambda x: np.sin(x) * x, (np.array([0.5, 1.5]),), order=2)
    """
    if order < 1:
        raise ValueError(f"check_grads: order {order}; it starts at 1")
    unknown = [m for m in modes if m not in ("fwd", "rev")]
    if unknown or not modes:
        raise ValueError(f"check_grads: modes {tuple(modes)!r}; choose from 'fwd' and 'rev'")
    args = tuple(args)
    argnums = tuple(range(len(args)))
    leaves = Selection("check_grads", argnums, args, {}).leaves
    numerical = numerical_jacobian(f, args)
    for mode in modes:
        jac = (jacfwd if mode == "fwd" else jacrev)(f, argnums)
        _compare(_matrix(jac(*args), f(*args), leaves), numerical, mode, rtol, atol)
        _compare_products(f, args, leaves, mode, numerical, rtol, atol, order)
    if order > 1:
        for mode in modes:
            jac = (jacfwd if mode == "fwd" else jacrev)(f, argnums)
            try:
                check_grads(jac, args, order - 1, modes, rtol * 10, atol * 10)
            except AssertionError as error:
                raise AssertionError(f"in the derivative taken by {mode}: {error}") from None


def _matrix(jac: Any, out: Any, leaves: Sequence[Any]) -> np.ndarray:
    blocks = [np.asarray(b, dtype=np.float64) for b in flatten(jac)[0]]
    rows, at = [], 0
    for y in flatten(out)[0]:
        m = int(np.prod(np.shape(y), dtype=int))
        rows.append(np.concatenate([blocks[at + k].reshape(m, size_of(x)) for k, x in enumerate(leaves)], axis=1))
        at += len(leaves)
    return np.concatenate(rows) if rows else np.zeros((0, sum(np.size(x) for x in leaves)))


def _compare(ad: np.ndarray, fd: np.ndarray, mode: str, rtol: float, atol: float) -> None:
    if ad.shape != fd.shape:
        raise AssertionError(f"{mode}: the Jacobian has shape {ad.shape}, differences say {fd.shape}")
    if not ad.size:
        return
    scale = max(1.0, float(np.nanmax(abs(np.where(np.isfinite(fd), fd, 0.0)))))
    excess = abs(ad - fd) - (atol * scale + rtol * abs(fd))
    excess = np.where(np.isnan(ad) & np.isnan(fd), -np.inf, np.where(np.isnan(ad) | np.isnan(fd), np.inf, excess))
    i, j = np.unravel_index(int(np.argmax(excess)), ad.shape)
    if excess[i, j] > 0.0:
        raise AssertionError(f"{mode}: worst entry d out[{i}] / d in[{j}]: derivative {ad[i, j]!r}, differences {fd[i, j]!r}, "
                             f"off by {ad[i, j] - fd[i, j]:.3g} ({int(np.sum(excess > 0.0))} of {ad.size} entries are wrong)")


def _compare_products(f: Callable[..., Any], args: tuple[Any, ...], leaves: Sequence[Any], mode: str, fd: np.ndarray, rtol: float,
                      atol: float, order: int) -> None:
    """The single-direction sweep (jvp, vjp) of that mode against the same differences."""
    rng = np.random.default_rng(order)
    structure = flatten(args)[1]
    if mode == "fwd":
        ts = [_random(rng, x) for x in leaves]
        _, result = jvp(f, args, unflatten(structure, ts))
        ad = np.concatenate([np.ravel(np.asarray(r, float)) for r in flatten(result)[0]] or [np.zeros(0)])
        direction = np.concatenate([np.ravel(t) for t in ts])
        _compare(ad[:, None], (fd @ direction)[:, None], "fwd (jvp)", rtol, atol)
    else:
        out, pullback = vjp(f, *args)
        outs, shape = flatten(out)
        cts = [_random(rng, y) for y in outs]
        result = pullback(unflatten(shape, cts))
        ad = np.concatenate([np.ravel(np.asarray(r, float)) for r in flatten(result)[0]])
        weights = np.concatenate([np.ravel(c) for c in cts] or [np.zeros(0)])
        _compare(ad[None, :], (weights @ fd)[None, :], "rev (vjp)", rtol, atol)


def _random(rng: np.random.Generator, x: Any) -> Any:
    r = rng.standard_normal(np.shape(x))
    return r.astype(np.asarray(x).dtype) if np.ndim(x) or isinstance(x, np.ndarray) else float(r)




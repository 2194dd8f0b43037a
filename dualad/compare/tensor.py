"""Experiment "tensor": the derivative of a vector by a matrix, built as a tensor, against the product that avoids it.

    z = y - W x,   e = |z|^2 / 2,   W (m, n), x (n,), y (m,), z (m,)

dz/dW has m x n x m entries, of which m n are not zero: dz_k/dW is -x in row k and nothing else. The chain rule contracts it
with de/dz = z to the gradient -(y - W x) x^T of m n entries. A reverse sweep takes z through the rule of the product and
writes the gradient: the tensor is never there. The experiment builds it all the same, by one adjoint for each entry of z.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..api import grad
from ..cost import DEFAULT, VALUE, Weights, price
from ..jacobians import jacrev
from .counting import count
from .figure import Curve, Figure, Table
from .methods import DisagreementError
from .options import positive, sizes
from .progress import Progress, finished, silent
from .registry import Argument, register
from .result import Result
from .scaling import check_sizes
from .storage import encode

__all__ = ["TensorResult", "TensorRow", "tensor"]

AT = (1, 2, 4, 8, 16, 32, 64, 128, 256)
#: tensors with more entries are counted, not built
MOST_ENTRIES = 2_000_000
MOST_INPUTS = 10_000_000
TOLERANCE = 1e-12


@dataclass(frozen=True)
class TensorRow:
    """One size.

    Parameters
    ----------
    m, n : int
        Outputs and inputs of the layer: W is (m, n).
    tensor_entries, tensor_nonzeros, gradient_entries : int
        m n m, m n, m n; 8 bytes each.
    value, tensor_operations, gradient_operations : float
        Counted price of e, of its gradient through the tensor (m adjoints, then the contraction with z), by one reverse sweep.
    built : bool
        The tensor was built, its contraction compared with the sweep and with the formula.
    """

    m: int
    n: int
    tensor_entries: int
    tensor_nonzeros: int
    gradient_entries: int
    value: float
    tensor_operations: float
    gradient_operations: float
    built: bool

    @property
    def tensor_bytes(self) -> int:
        """Of the tensor."""
        return 8 * self.tensor_entries

    @property
    def gradient_bytes(self) -> int:
        """Of the gradient."""
        return 8 * self.gradient_entries


@dataclass(frozen=True)
class TensorResult(Result, name="tensor", rows=(TensorRow,)):
    """Bytes and operations, with and without the tensor.

    Examples
    --------
    >>> from dualad import compare
    >>> r = compare.tensor([2, 64], n=10)
    >>> [row.tensor_bytes // row.gradient_bytes for row in r.rows]
    [2, 64]
    """

    def tables(self) -> tuple[Table, ...]:
        rows = tuple((r.m, r.n, r.tensor_entries, r.tensor_nonzeros / r.tensor_entries, r.tensor_bytes, r.gradient_bytes,
                      r.tensor_operations, r.gradient_operations, r.tensor_operations / r.gradient_operations, r.built)
                     for r in self.rows)
        return (Table(
            f"The gradient of |y - W x|^2 / 2, W (m, n), with the tensor and without ({Weights(**self.settings['weights'])})",
            ("m", "n", "entries of dz/dW", "not zero", "bytes tensor", "bytes sweep", "operations tensor", "operations sweep",
             "ratio", "built"), rows,
            "entries: m n m; not zero: their part that is not; operations tensor: m adjoints and the contraction with z; sweep: "
            "one adjoint. built: the tensor was computed and both gradients compared, with each other and with -(y - W x) x^T."),)

    def figures(self) -> tuple[Figure, ...]:
        if len(self.rows) < 2:
            return ()
        first, last = self.rows[0], self.rows[-1]
        x = tuple(float(row.m) for row in self.rows)
        grown = last.m / first.m
        span = f"From m = {first.m} to {last.m} (times {grown:.4g}), n = {last.n}"
        memory = Figure(
            "tensor-bytes", "Memory of the derivative", "outputs m", "bytes",
            f"{span}, the tensor grows from {_bytes(first.tensor_bytes)} to {_bytes(last.tensor_bytes)}, times "
            f"{last.tensor_bytes / first.tensor_bytes:,.0f}; the gradient, which is all that the next step needs, from "
            f"{_bytes(first.gradient_bytes)} to {_bytes(last.gradient_bytes)}. All but one of every {last.m} entries of the last "
            "tensor are zero.",
            f"Log-log plot of bytes against m: the tensor rises as m squared to {_bytes(last.tensor_bytes)}, the gradient as m to "
            f"{_bytes(last.gradient_bytes)}.",
            (Curve("tensor dz/dW", x, tuple(float(r.tensor_bytes) for r in self.rows)),
             Curve("gradient by the sweep", x, tuple(float(r.gradient_bytes) for r in self.rows), "reverse")))
        work = Figure(
            "tensor-operations", "Operations to the gradient, counted", "outputs m", "operations / one value of e",
            f"{span}, the way through the tensor goes from {first.tensor_operations / first.value:.3g} to "
            f"{last.tensor_operations / last.value:.3g} values of e; one reverse sweep costs "
            f"{last.gradient_operations / last.value:.3g} of them at any size.",
            f"Log-log plot of operations in units of e against m: the tensor rises to {last.tensor_operations / last.value:.3g}, "
            f"the sweep stays flat at {last.gradient_operations / last.value:.3g}.",
            (Curve("through the tensor", x, tuple(r.tensor_operations / r.value for r in self.rows)),
             Curve("one reverse sweep", x, tuple(r.gradient_operations / r.value for r in self.rows), "reverse")))
        return memory, work

    def reading(self) -> tuple[str, ...]:
        last = self.rows[-1]
        built = [row.m for row in self.rows if row.built]
        lines = [f"At m = {last.m}, n = {last.n} the tensor dz/dW holds {_bytes(last.tensor_bytes)}, of which one entry in "
                 f"{last.m} is not zero; the gradient holds {_bytes(last.gradient_bytes)}.",
                 f"Through the tensor the gradient counts {last.tensor_operations / last.gradient_operations:.3g} times the "
                 "operations of one reverse sweep."]
        if built:
            lines.append(f"The tensor was built up to m = {built[-1]}; contracted with z it gave the gradient of the sweep, and "
                         "that of the formula -(y - W x) x^T.")
        lines.append("What you see: the product with the tensor is a small thing (an outer product), the tensor itself is not. A "
                     "vector-Jacobian product asks each operation for the product only.")
        return tuple(lines)


def _bytes(size: int) -> str:
    """Bytes in words, to three digits."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor:
            return f"{size / factor:.3g} {unit}"
    return f"{size} B"


def tensor(at: Sequence[int] = AT, *, n: int = 64, seed: int = 0, weights: Weights = DEFAULT,
           progress: Progress = silent) -> TensorResult:
    """The m x n x m tensor dz/dW of a layer z = y - W x, built, against the vector-Jacobian product that avoids it.

    Parameters
    ----------
    at : sequence of int
        Outputs m, increasing.
    n : int
        Inputs.
    seed : int
        Of W, x and y.
    weights : Weights
    progress : callable

    Returns
    -------
    TensorResult

    Raises
    ------
    ValueError
        Sizes that there are not, or more than memory should hold.
    DisagreementError
        The contracted tensor, the sweep and the formula do not agree.

    Notes
    -----
    Cost: m adjoints where the tensor has up to two million entries; beyond, it is counted only. Nothing is timed.

    Examples
    --------
    >>> from dualad import compare
    >>> r = compare.tensor([4], n=3)
    >>> r.rows[0].tensor_entries, r.rows[0].tensor_nonzeros, r.rows[0].built
    (48, 12, True)
    """
    checked = check_sizes(at)
    if n < 1 or seed < 0:
        raise ValueError(f"n must be at least 1 and seed at least 0, not {n} and {seed}")
    if checked[-1] * n > MOST_INPUTS:
        raise ValueError(f"a matrix of {checked[-1]} x {n} is more than {MOST_INPUTS} numbers; choose smaller sizes")
    rows = tuple(finished(progress, f"tensor: m = {m}, n = {n}", TensorRow, functools.partial(_row, m, n, seed, weights))
                 for m in checked)
    notes = []
    left = [str(row.m) for row in rows if not row.built]
    if left:
        notes.append(f"building the tensor at m = {', '.join(left)}: more than {MOST_ENTRIES} entries")
    settings = {"at": list(checked), "n": n, "seed": seed, "weights": encode(weights)}
    return TensorResult(f"tensor: dz/dW of z = y - W x, n = {n}, seed {seed}", settings, rows, tuple(notes))


def _row(m: int, n: int, seed: int, weights: Weights) -> TensorRow:
    rng = np.random.default_rng(seed)
    w, x, y = rng.normal(size=(m, n)), rng.normal(size=n), rng.normal(size=m)

    def residual(w: Any) -> Any:
        return y - w @ x

    def loss(w: Any) -> Any:
        z = residual(w)
        return 0.5 * (z @ z)

    entries = m * n * m
    whole, part = count(loss, w), count(residual, w)
    contraction = entries * price(VALUE["mult"], weights) + (m - 1) * m * n * price(VALUE["add"], weights)
    value = whole.value(weights)
    built = value + m * (part.gradient(weights) - part.value(weights)) + contraction
    if entries <= MOST_ENTRIES:
        _check(residual(w), jacrev(residual)(w), grad(loss)(w), x)
    return TensorRow(m, n, entries, m * n, m * n, value, built, whole.gradient(weights), entries <= MOST_ENTRIES)


def _check(z: np.ndarray, dz: np.ndarray, gradient: np.ndarray, x: np.ndarray) -> None:
    """The tensor is what the lecture says, and its contraction what the sweep gives."""
    m = z.size
    expected = np.zeros((m, m, x.size))
    expected[np.arange(m), np.arange(m)] = -x
    by_hand = -np.outer(z, x)
    scale = float(np.max(np.abs(by_hand)))
    for name, found, wanted in (("the tensor and -x in row k of slice k", dz, expected),
                                ("the contracted tensor and the reverse sweep", np.tensordot(z, dz, 1), gradient),
                                ("the reverse sweep and -(y - W x) x^T", gradient, by_hand)):
        error = float(np.max(np.abs(found - wanted)))
        if not error <= TOLERANCE * scale:
            raise DisagreementError(f"{name} disagree by {error:.3g}")


register(
    "tensor", "the m x n x m tensor of a layer, built, against the vector-Jacobian product", tensor,
    Argument("at", sizes, AT, "outputs m: 1,2,5 or 1:256:x2 or 10:50:+10", metavar="SIZES"),
    Argument("n", positive, 64, "inputs"),
)

"""The ways to a Jacobian that are compared: exact ones by dualad, finite differences, the complex step.

Every method takes f: R^n -> R^m on an array (n,) and returns the matrix (m, n). What it costs follows from how often it
runs f, and from how many tangents or adjoints ride along (:meth:`Method.price`).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..api import jvp, vjp
from ..cost import DEFAULT, VALUE, Operations, Weights, price
from ..jacobians import jacfwd, jacrev
from .probe import NotDifferentiableError

__all__ = ["METHODS", "DisagreementError", "Method", "NotApplicableError", "check"]

#: steps at which truncation and rounding of a difference quotient balance (Griewank & Walther 2008, section 1.1)
FORWARD_STEP = float(np.finfo(float).eps) ** (1 / 2)
CENTRAL_STEP = float(np.finfo(float).eps) ** (1 / 3)
#: no difference is taken, so the step may vanish beside 1 (Squire & Trapp 1998)
COMPLEX_STEP = 1e-100


class DisagreementError(ArithmeticError):
    """Two methods gave different Jacobians: nothing is timed.

    Parameters
    ----------
    message : str
    entry : tuple of int, optional
        Row and column of the worst entry.
    method : str
        The one that differs from the reference.

    Examples
    --------
    >>> from dualad import compare
    >>> compare.DisagreementError("reverse gives 2.0, forward 1.0", entry=(0, 1), method="reverse").entry
    (0, 1)
    """

    def __init__(self, message: str, entry: tuple[int, int] | None = None, method: str = "") -> None:
        super().__init__(message)
        self.entry, self.method = entry, method


class NotApplicableError(TypeError):
    """The method cannot differentiate this function; the message says why."""


@dataclass(frozen=True)
class Method:
    """One way to a Jacobian.

    Parameters
    ----------
    name : str
        Short name, column of the tables.
    summary : str
    jacobian : callable
        ``jacobian(f, x)`` returns the matrix (m, n); that of a difference quotient takes another step as third argument.
    carries : {"tangents", "adjoints", "differences", "complex"}
        What rides along with a value of f.
    runs : callable
        ``runs(n, m)``: how often f runs; the chunked methods may run it more often, which is counted as it happens.
    tolerance : float
        Relative error to be expected from the method.
    step : float
        Step of a difference quotient; 0 for methods without one.
    """

    name: str
    summary: str
    jacobian: Callable[..., np.ndarray]
    carries: str
    runs: Callable[[int, int], int]
    tolerance: float = 1e-9
    step: float = 0.0

    def spread(self, f: Callable[..., Any], x: np.ndarray, jacobian: np.ndarray) -> float:
        """How far a difference quotient moves when its step is four times as long: its own estimate of its error."""
        if not self.step:
            return 0.0
        return float(np.max(np.abs(self.jacobian(f, x, 4.0 * self.step) - jacobian), initial=0.0))

    def price(self, n: int, m: int, runs: int, value: Operations, active: Operations, weights: Weights = DEFAULT) -> float:
        """Counted cost of the Jacobian.

        Parameters
        ----------
        n, m : int
        runs : int
            How often f ran.
        value : Operations
            Of one value of f.
        active : Operations
            Those that depend on the n inputs (all of them, unless some inputs are held constant).
        weights : Weights
        """
        one = value.value(weights)
        if self.carries == "tangents":
            return runs * one + n * (active.tangent(weights) - active.value(weights))
        if self.carries == "adjoints":
            return runs * one + m * (active.gradient(weights) - active.value(weights))
        add, mult = price(VALUE["add"], weights), price(VALUE["mult"], weights)
        if self.carries == "complex":
            return runs * value.complex_value(weights) + n * m * mult
        moved_inputs = runs - 1 if self.step == FORWARD_STEP else runs
        return runs * one + moved_inputs * add + n * m * (add + mult)


def _matrix(rows: Any, x: np.ndarray) -> np.ndarray:
    return np.reshape(np.asarray(rows, dtype=float), (-1, x.size))


def _forward(f: Callable[..., Any], x: np.ndarray) -> np.ndarray:
    return _matrix(jacfwd(f)(x), x)


def _reverse(f: Callable[..., Any], x: np.ndarray) -> np.ndarray:
    return _matrix(jacrev(f)(x), x)


def _one_tangent_a_run(f: Callable[..., Any], x: np.ndarray) -> np.ndarray:
    return np.stack([np.ravel(jvp(f, (x,), (seed,))[1]) for seed in np.eye(x.size)], axis=1)


def _one_adjoint_a_run(f: Callable[..., Any], x: np.ndarray) -> np.ndarray:
    y, pullback = vjp(f, x)
    size, shape = np.size(y), np.shape(y)
    if size == 0:
        return np.zeros((0, x.size))
    rows = []
    for i in range(size):
        if i:
            y, pullback = vjp(f, x)
        seed = np.zeros(size)
        seed[i] = 1.0
        rows.append(pullback(np.reshape(seed, shape) if shape else 1.0)[0])
    return _matrix(rows, x)


def _numbers(y: Any) -> np.ndarray:
    return np.ravel(np.asarray(y, dtype=float))


def _differences(f: Callable[..., Any], x: np.ndarray, step: float = FORWARD_STEP) -> np.ndarray:
    base = _numbers(f(x))
    columns = []
    for i in range(x.size):
        moved = x.copy()
        moved[i] += step * max(1.0, abs(x[i]))
        columns.append((_numbers(f(moved)) - base) / (moved[i] - x[i]))
    return np.stack(columns, axis=1)


def _central(f: Callable[..., Any], x: np.ndarray, step: float = CENTRAL_STEP) -> np.ndarray:
    columns = []
    for i in range(x.size):
        above, below = x.copy(), x.copy()
        h = step * max(1.0, abs(x[i]))
        above[i] += h
        below[i] -= h
        columns.append((_numbers(f(above)) - _numbers(f(below))) / (above[i] - below[i]))
    return np.stack(columns, axis=1)


def _complex_step(f: Callable[..., Any], x: np.ndarray) -> np.ndarray:
    columns = []
    moved = x.astype(complex)
    for i in range(x.size):
        moved[i] = complex(x[i], COMPLEX_STEP)
        columns.append(np.ravel(np.imag(f(moved))) / COMPLEX_STEP)
        moved[i] = x[i]
    return np.stack(columns, axis=1)


METHODS = {
    method.name: method
    for method in (
        Method("forward", "jacfwd: many tangents ride in one run", _forward, "tangents", lambda n, m: 1),
        Method("reverse", "jacrev: one recording serves all adjoints", _reverse, "adjoints", lambda n, m: 1),
        Method("n jvp", "forward, one run for each tangent", _one_tangent_a_run, "tangents", lambda n, m: n),
        Method("m vjp", "reverse, one recording for each adjoint", _one_adjoint_a_run, "adjoints", lambda n, m: m),
        Method("differences", "forward differences", _differences, "differences", lambda n, m: n + 1, 1e-4, FORWARD_STEP),
        Method("central", "central differences", _central, "differences", lambda n, m: 2 * n, 1e-6, CENTRAL_STEP),
        Method("complex", "complex step", _complex_step, "complex", lambda n, m: n),
    )
}


def run_complex_step(f: Callable[..., Any], x: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """The complex step's Jacobian, or the reason why f has none.

    Raises
    ------
    NotApplicableError
        f refuses complex numbers, or drops the imaginary part.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        try:
            probe = f(x.astype(complex))
            if not np.iscomplexobj(probe) and np.any(exact):
                raise NotApplicableError("f drops the imaginary part")
            return _complex_step(f, x)
        except NotApplicableError:
            raise
        except Exception as error:  # any refusal of the caller's own code
            raise NotApplicableError(f"f does not take complex numbers ({type(error).__name__}: {error})") from error


def check(jacobians: Mapping[str, np.ndarray], spreads: Mapping[str, float]) -> None:
    """Compare the Jacobians of all methods with the first one's.

    Parameters
    ----------
    jacobians : mapping of str to ndarray (m, n)
        By name of the method; the first is the reference.
    spreads : mapping of str to float
        A method's own estimate of its error (:meth:`Method.spread`); 16 times that much is forgiven.

    Raises
    ------
    DisagreementError
        Naming the two methods and the worst entry.
    NotDifferentiableError
        The reference is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from dualad.compare.methods import check
    >>> check({"forward": np.eye(2), "central": np.eye(2) + 1e-8}, {})
    """
    names = list(jacobians)
    exact = jacobians[names[0]]
    if not np.all(np.isfinite(exact)):
        bad = np.isinf(exact) if np.any(np.isinf(exact)) else np.isnan(exact)  # an infinite slope makes NaN of zero tangents
        i, j = np.unravel_index(np.argmax(bad), exact.shape)
        raise NotDifferentiableError(f"f is not differentiable here: entry ({i}, {j}) of its Jacobian is {exact[i, j]} "
                                     f"by {names[0]}; choose another point")
    scale = float(np.max(np.abs(exact), initial=0.0))
    for name in names[1:]:
        method, other = METHODS[name], jacobians[name]
        if other.shape != exact.shape:
            raise DisagreementError(f"{names[0]} gives a Jacobian of shape {exact.shape}, {name} one of {other.shape}")
        with np.errstate(invalid="ignore"):
            error = np.abs(other - exact)
        if np.all(error <= method.tolerance * scale + 16 * spreads.get(name, 0.0)):
            continue
        i, j = np.unravel_index(np.argmax(np.where(np.isnan(error), np.inf, error)), exact.shape)
        hint = "; abs, max and comparisons are not analytic, leave it out with --without complex" if name == "complex" else ""
        raise DisagreementError(f"{names[0]} and {name} disagree: entry ({i}, {j}) is {exact[i, j]:.12g} by {names[0]}, "
                                f"{other[i, j]:.12g} by {name}{hint}", (int(i), int(j)), name)

"""Taylor polynomials: of one variable in one sweep of Taylor arithmetic, of several by sweeps along rays."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import _core
from ._core import Traced
from .api import derivative
from .arguments import check_callable, check_leaf
from .reverse import Recording, record
from .rules import series
from .tree import flatten, tree_map, unflatten

__all__ = ["taylor", "taylor_value"]

#: more sweeps than this are refused
RAYS = 10**6


def taylor(f: Callable[[Any], Any], x0: Any, order: int) -> Any:
    """Taylor coefficients of f at x0, to any order.

    Parameters
    ----------
    f : callable
        Of one float or one float array of shape S; returns a float, an array or a container of them.
    x0 : float or ndarray
        The point (a 0-d array is taken as a float).
    order : int
        Highest power, at least 0.

    Returns
    -------
    ndarray or list
        For a float x0: coefficients of shape (order + 1,) + shape(y), the k-th being ``f^(k)(x0)/k!``; in the structure of
        f's result. For an array x0: a list of order + 1 such structures, the k-th holding the symmetric tensors
        ``D^k f(x0)/k!`` of shape(y) + k * S: the value, the Jacobian, half the Hessian, ... Computed in double, returned in
        float32 for a float32 x0.

    Raises
    ------
    TypeError
        When x0 is not real, or f is not callable.
    ValueError
        When order is not a whole number of at least 0, or the tensors are too large (see Notes).

    Notes
    -----
    Cost: for a float, one recording and one sweep in Taylor arithmetic, O(order^2) an operation. For n numbers, one
    recording and C(n + order, order) - 1 sweeps along rays, from which polarization gives the mixed derivatives.
    More than 10^6 rays are refused: along one direction v, ``taylor(lambda t: f(x0 + t * v), 0.0, order)`` is one sweep for any
    n, and gives the series at every point of an array at once where f is elementwise (v = 1).
    Where f calls rules of Python (linear algebra, rules of your own) or x0 is itself traced, derivatives are nested instead,
    which costs more with every order.

    At a point where f is not differentiable the conventions of the derivative hold; a coefficient that does not exist
    is infinite or NaN.

    References
    ----------
    A. Griewank & A. Walther, *Evaluating Derivatives*, 2nd ed., SIAM 2008, chapter 13; A. Griewank, J. Utke &
    A. Walther, *Evaluating higher derivative tensors by forward propagation of univariate Taylor series*, Math. Comp. 69
    (2000) 1117-1130; the polarization identity is in H. Federer, *Geometric Measure Theory* (1969), section 1.9.

    Examples
    --------
    >>> import numpy as np, dualad
    >>> dualad.taylor(np.exp, 0.0, 4) * [1, 1, 2, 6, 24]
    array([1., 1., 1., 1., 1.])
    >>> value, gradient, half_hessian = dualad.taylor(lambda x: x[0] ** 2 * x[1], np.array([1.0, 2.0]), 2)
    >>> half_hessian
    array([[2., 1.],
           [1., 0.]])
    """
    if type(order) is not int or order < 0:
        if isinstance(order, bool) or not isinstance(order, (int, np.integer)) or order < 0:
            raise ValueError(f"taylor: order is a whole number of at least 0, not {order!r}")
        order = int(order)
    if not callable(f):
        check_callable(f, "taylor")
    if type(x0) is float:
        result = _core.taylor_float(f, x0, order)
        if type(result) is np.ndarray:
            return result
        if result is not None:
            level, inputs, out = result
            if any(_is_object(y) for y in flatten(out)[0]):
                return _elements(f, level, inputs, out, x0, order)
            return _along(f, Recording(level, [inputs], out), x0, 1.0, order)
    series.load()
    x0 = check_leaf(x0, "taylor", "x0")
    if isinstance(x0, Traced):
        if tuple(np.shape(x0)):
            raise TypeError("taylor: x0 is a traced array; a traced float can be expanded inside another transformation")
        return _nested(f, x0, order)
    single = x0.dtype == np.float32 if isinstance(x0, (np.ndarray, np.floating)) else False
    x0 = np.asarray(x0, np.float64) if np.ndim(x0) else float(x0)
    if not isinstance(x0, np.ndarray):
        found = _along(f, record(f, [x0], tuple), x0, 1.0, order)
    else:
        rays = math.comb(x0.size + order, order) - 1
        if rays > RAYS:
            raise ValueError(f"taylor: order {order} in {x0.size} variables takes {rays} sweeps; along one direction v it is one: "
                             "taylor(lambda t: f(x0 + t * v), 0.0, order)")
        found = _tensors(f, record(f, [x0], tuple), x0, order)
    return tree_map(lambda c: c.astype(np.float32), found) if single else found


def _is_object(y: Any) -> bool:
    return isinstance(y, np.ndarray) and y.dtype == object


def _elements(f: Callable[[Any], Any], level: Any, x: Any, out: Any, x0: float, order: int) -> Any:
    """Coefficients where f returned np.array([...]) of traced numbers: those of each element."""
    leaves, structure = flatten(out)
    recording = Recording(level, [x], [y.tolist() if _is_object(y) else y for y in leaves])
    flat = _core.taylor_sweep(level, [x], [1.0], recording.outputs, order) if level.plain else None
    if flat is None:
        return _nested(f, x0, order)
    parts = unflatten(recording.structure, flat)
    found = [np.moveaxis(np.array(p), -1, 0) if _is_object(y) else p for p, y in zip(parts, leaves, strict=True)]
    return unflatten(structure, found)


def _along(f: Callable[[Any], Any], recording: Recording, x0: Any, direction: Any, order: int) -> Any:
    """Coefficients of f(x0 + t direction), in the structure of f's result."""
    flat = _core.taylor_sweep(recording.level, recording.inputs, [direction], recording.outputs, order) \
        if recording.level.plain else None
    if flat is not None:
        return unflatten(recording.structure, flat)
    if isinstance(x0, np.ndarray):
        return _nested(lambda t: f(x0 + t * direction), 0.0, order)
    return _nested(f, x0, order)


def _nested(f: Callable[[Any], Any], x0: Any, order: int) -> Any:
    """The same by nested derivatives."""
    parts, g = [], f
    for k in range(order + 1):
        parts.append(tree_map(lambda y, k=k: y / math.factorial(k), g(x0)))
        g = derivative(g)
    return tree_map(lambda *ys: np.stack(ys), *parts)


def _tensors(f: Callable[[Any], Any], recording: Recording, x0: np.ndarray, order: int) -> list[Any]:
    """D^k f / k! for k = 0 .. order.

    A homogeneous polynomial P of degree k is the diagonal of one symmetric k-linear form A, and k! A(v1 ... vk) is the sum of
    (-1)^(k - |S|) P(sum of v over S) over the subsets S of the arguments.
    """
    n = x0.size
    rays: dict[tuple[int, ...], Any] = {}

    def ray(indices: Sequence[int]) -> Any:
        """Coefficients along the sum of these unit vectors."""
        key = tuple(np.bincount(np.asarray(indices, int), minlength=n)) if len(indices) else (0,) * n
        if key not in rays:
            rays[key] = _along(f, recording, x0, np.reshape(np.array(key, float), x0.shape), order)
        return rays[key]

    def tensor(k: int) -> Any:
        entries = {}
        for indices in itertools.combinations_with_replacement(range(n), k):
            total: Any = None
            for size in range(1, k + 1):
                for chosen in itertools.combinations(indices, size):
                    sign = -1.0 if (k - size) % 2 else 1.0
                    term = tree_map(lambda c, sign=sign: sign * c[k], ray(chosen))
                    total = term if total is None else tree_map(lambda a, b: a + b, total, term)
            entries[indices] = tree_map(lambda c: c / math.factorial(k), total)

        def fill(leaf: Any, *values: Any) -> np.ndarray:
            shape = np.shape(leaf)[1:]
            out = np.empty((*shape, *((n,) * k)))
            for indices, value in zip(entries, values, strict=True):
                for permuted in set(itertools.permutations(indices)):
                    at: Any = (..., *permuted)
                    out[at] = value
            return out.reshape(*shape, *(x0.shape * k))

        return tree_map(fill, ray(()), *entries.values())

    value = tree_map(lambda c: c[0], ray(()))
    return [value, *(tensor(k) for k in range(1, order + 1))]


def taylor_value(coefficients: Any, step: Any) -> Any:
    """The Taylor polynomial at x0 + step.

    Parameters
    ----------
    coefficients : ndarray, list or container
        What :func:`taylor` returned for a float or for an array x0.
    step : float or ndarray
        Distance from x0, of its shape; for a float x0 also an array of distances.

    Returns
    -------
    float, ndarray or container
        The sum of ``coefficients[k] step^k``, in the structure of f's result; an array of distances adds its axes.

    Raises
    ------
    ValueError
        When the shapes do not belong together.

    Notes
    -----
    Cost: Horner's rule, a product for each number of the coefficients; f is not run.

    Examples
    --------
    >>> import numpy as np, dualad
    >>> c = dualad.taylor(np.sin, 0.0, 7)
    >>> bool(abs(dualad.taylor_value(c, 0.5) - np.sin(0.5)) < 1e-8)
    True
    """
    shape = np.shape(step)
    if isinstance(coefficients, list) and shape and _are_tensors(coefficients, shape):
        return tree_map(lambda *tensors: _contracted(tensors, np.asarray(step, float)), *coefficients)
    lengths = {np.shape(c)[:1] for c in flatten(coefficients)[0]}
    if len(lengths) != 1 or () in lengths:
        shapes = ", ".join(str(np.shape(c)) for c in flatten(coefficients)[0][:4])
        raise ValueError(f"taylor_value: coefficients of shapes {shapes} and a step of shape {shape} do not belong together")
    return tree_map(lambda c: np.polynomial.polynomial.polyval(step, np.asarray(c)), coefficients)


def _are_tensors(coefficients: list[Any], shape: tuple[int, ...]) -> bool:
    """Is the k-th entry D^k f / k! for a point of this shape?"""
    columns = [[np.shape(c) for c in flatten(entry)[0]] for entry in coefficients]
    return all(found == [value + shape * k for value in columns[0]] for k, found in enumerate(columns))


def _contracted(tensors: Sequence[Any], step: np.ndarray) -> Any:
    total: Any = 0.0
    for k, tensor in enumerate(tensors):
        term = np.asarray(tensor)
        for _ in range(k):
            term = np.tensordot(term, step, axes=step.ndim)
        total = total + term
    return total[()]

"""The transformations: derivatives of a function as functions (JAX's names, signatures and return conventions)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import _core
from ._core import Traced, open_count
from .arguments import Selection, check_callable, check_leaf, check_tangent, check_tangents
from .forward import collect, push, zero_like
from .generic import shape_of, size_of
from .pull import pull, pushforward
from .reverse import Recording, record
from .tree import flatten, tree_map, unflatten

__all__ = ["derivative", "grad", "jvp", "linearize", "value_and_grad", "vjp"]


# ---- forward -------------------------------------------------------------------------------------------------------------------

def jvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """Value and directional derivative: the Jacobian-vector product, by dual numbers.

    Parameters
    ----------
    f : callable
        Of as many positional arguments as `primals`; returns a float, an array or a container of them.
    primals : tuple or list
        The point: floats, float arrays of any shape, or containers of them.
    tangents : tuple or list
        The direction, of the same structure and shapes.

    Returns
    -------
    out
        ``f(*primals)``, bit for bit.
    tangent_out
        ``J @ tangents``, of the structure and shapes of `out`.

    Raises
    ------
    TypeError
        Primals or tangents that are integers, complex or not numbers.
    ValueError
        Tangents that do not match the primals.

    Notes
    -----
    Cost: one forward sweep, whatever the number of inputs and outputs.  See Griewank & Walther (2008), chapter 3.1.

    Examples
    --------
    >>> import numpy as np, dualad
    >>> dualad.jvp(lambda x, y: x * y + np.sin(x), (2.0, 3.0), (1.0, 0.0))
    (6.909297426825682, 2.5838531634528574)
    """
    if (type(primals) is tuple and len(primals) == 1 and type(primals[0]) is float
            and type(tangents) is tuple and len(tangents) == 1 and type(tangents[0]) is float):
        result = _core.jvp_float(f, primals[0], tangents[0], collect)
        if len(result) == 2:
            return result if result[1] == result[1] else _by_recording(f, primals, tangents, result)
        return unflatten(result[2], result[0]), unflatten(result[2], result[1])
    check_callable(f, "jvp")
    if not isinstance(primals, (tuple, list)) or not isinstance(tangents, (tuple, list)):
        raise TypeError("jvp takes primals and tangents as tuples, one entry an argument: jvp(f, (x,), (dx,))")
    leaves, structure = flatten(tuple(primals))
    directions, other = flatten(tuple(tangents))
    if len(directions) != len(leaves) or other != structure:
        raise ValueError(f"jvp: tangents have not the structure of primals: {len(directions)} numbers or arrays for "
                         f"{len(leaves)}, or other containers")
    leaves = [check_leaf(x, "jvp", f"primal {i}") for i, x in enumerate(leaves)]
    directions = check_tangents(directions, leaves, "jvp", "tangent")
    outs, results, shape = push(leaves, directions, lambda xs: f(*unflatten(structure, xs)))
    found = unflatten(shape, outs), unflatten(shape, results)
    nan = any(isinstance(t, (float, np.ndarray)) and np.isnan(t).any() for t in results)
    return _by_recording(f, tuple(primals), tuple(tangents), found) if nan else found


def _by_recording(f: Callable[..., Any], primals: tuple[Any, ...], tangents: tuple[Any, ...], found: Any) -> Any:
    """A jvp that came out as NaN, by a sweep that knows what no selected branch depends on (there 0 times infinity is 0)."""
    if open_count():
        return found
    out, f_jvp = linearize(f, *primals)
    return out, f_jvp(*tangents)


def derivative(f: Callable[..., Any]) -> Callable[..., Any]:
    """Derivative of a function of one float, by one dual number.

    Parameters
    ----------
    f : callable
        ``f(x, *constants)`` with x a float; it may return an array or a container (a curve).

    Returns
    -------
    callable
        ``derivative(f)(x)`` has the structure and shapes of ``f(x)``.  Apply it again for higher orders.

    Raises
    ------
    TypeError
        When x is not a real scalar.

    Notes
    -----
    Cost: one forward sweep an order.

    Examples
    --------
    >>> import dualad
    >>> f = lambda x: x**3
    >>> dualad.derivative(f)(2.0), dualad.derivative(dualad.derivative(f))(2.0)
    (12.0, 12.0)
    """
    check_callable(f, "derivative")

    def df(x: Any, *args: Any, **kwargs: Any) -> Any:
        if type(x) is float and not args and not kwargs:
            result = _core.derivative_float(f, x, collect)
            if type(result) is not float:
                return unflatten(result[2], result[1])
            return result if result == result else _by_recording(f, (x,), (1.0,), (x, result))[1]
        x = check_leaf(x, "derivative", "argument 0")
        if shape_of(x) != ():
            raise TypeError(f"derivative is for a scalar argument; this one has shape {shape_of(x)}: use grad, jacfwd or jvp")
        one = np.ones((), x.dtype)[()] if isinstance(x, np.generic) else 1.0
        _, results, shape = push([x], [one], lambda xs: f(xs[0], *args, **kwargs))
        return unflatten(shape, results)

    return _named(df, f, "derivative")


# ---- reverse -------------------------------------------------------------------------------------------------------------------

def _scalar_output(recording: Recording, who: str) -> Any:
    if recording.structure is not None or len(recording.outputs) != 1:
        raise TypeError(f"{who} needs a function that returns one float; this one returns a container of "
                        f"{len(recording.outputs)} (use jacrev or vjp, or has_aux=True for extra results)")
    out = recording.outputs[0]
    if not isinstance(out, (Traced, float, np.ndarray, np.floating)):
        raise TypeError(f"{who} needs a function that returns a float; this one returned {type(out).__name__} ({out!r:.60})")
    if shape_of(out) != ():
        raise TypeError(f"{who} needs a function that returns a float; this one returned shape {tuple(shape_of(out))}: sum it, "
                        "or use jacobian, jacrev or vjp")
    return out


def value_and_grad(f: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Callable[..., Any]:
    """Value and gradient of a function that returns a float, by one recording and one reverse sweep.

    Parameters
    ----------
    f : callable
        Returns a float (or ``(float, aux)`` with has_aux).
    argnums : int or tuple of int
        Positional arguments to differentiate with respect to.
    has_aux : bool
        f returns a pair, and its second part is passed through undifferentiated.

    Returns
    -------
    callable
        Returns ``(value, gradient)``, or ``((value, aux), gradient)``; the gradient has the structure, shapes and dtypes of
        the chosen argument (a tuple for a tuple of argnums).

    Raises
    ------
    TypeError
        When the output is not a float, or an argument has no derivative.

    Notes
    -----
    Cost: one recording of f and one reverse sweep, whatever the number of inputs; at most 4 times the operations of f
    (Griewank & Walther, 2008, section 3.3).  Memory: at most 24 bytes a scalar operation.

    Examples
    --------
    >>> import numpy as np, dualad
    >>> dualad.value_and_grad(lambda x: np.sum(x * x))(np.array([1.0, 2.0]))
    (5.0, array([2., 4.]))
    """
    check_callable(f, "value_and_grad")
    several = _in_core(argnums, has_aux)

    def fun(*args: Any, **kwargs: Any) -> Any:
        if several >= 0:
            result = _core.value_and_grad_call(functools.partial(f, **kwargs) if kwargs else f, args, several)
            if result is not None:
                return result if len(result) == 2 else _continue(args, several, *result)
        out, aux, grads = _value_and_grad(f, argnums, has_aux, args, kwargs)
        return ((out, aux), grads) if has_aux else (out, grads)

    return _named(fun, f, "value_and_grad")


def _in_core(argnums: Any, has_aux: bool) -> int:
    """What the compiled core is to differentiate in one call: the first argument (0), the first k and only ones, or -1: nothing."""
    if has_aux:
        return -1
    if type(argnums) is int and argnums == 0:
        return 0
    return len(argnums) if type(argnums) is tuple and argnums and argnums == tuple(range(len(argnums))) else -1


def _continue(args: tuple[Any, ...], several: int, level: Any, inputs: list[Any], out: Any) -> tuple[Any, Any]:
    """The sweep of a recording that the compiled core made but left to Python (it holds calls)."""
    recording = Recording(level, inputs, out)
    return _swept(recording, Selection("grad", tuple(range(several)) if several else 0, args if several else args[:1], {}))


def _swept(recording: Recording, chosen: Selection) -> tuple[Any, Any]:
    out = _scalar_output(recording, "grad")
    grads = pull(recording.level, [out], [_one(out)], recording.inputs)
    return recording.value(out), chosen.gather(_all_like(grads, chosen.leaves))


def _value_and_grad(f: Callable[..., Any], argnums: int | Sequence[int], has_aux: bool, args: tuple[Any, ...],
                    kwargs: dict[str, Any]) -> tuple[Any, Any, Any]:
    chosen = Selection("grad", argnums, args, kwargs)
    aux: list[Any] = []

    def run(*xs: Any) -> Any:
        result = f(*xs, **kwargs)
        if not has_aux:
            return result
        if not isinstance(result, tuple) or len(result) != 2:
            raise TypeError("grad with has_aux=True needs a function that returns (value, aux); it returned "
                            f"{type(result).__name__}")
        aux[:] = [result[1]]
        return result[0]

    recording = record(run, chosen.leaves, chosen.call)
    value_, grads = _swept(recording, chosen)
    return value_, tree_map(lambda a: _drop(recording, a), aux[0]) if has_aux else None, grads


def _one(out: Any) -> Any:
    dtype = getattr(out, "dtype", None)
    return 1.0 if dtype is None or dtype == np.float64 else np.ones((), dtype)[()]


def _drop(recording: Recording, x: Any) -> Any:
    return recording.value(x) if isinstance(x, Traced) and recording.depends(x) else x


def _like(g: Any, x: Any) -> Any:
    """A cotangent with the dtype of its primal; a Python float for a float."""
    if isinstance(g, Traced) or isinstance(x, Traced):
        return g
    if type(x) is float:
        return float(g)
    if isinstance(x, np.ndarray):
        return np.asarray(g, x.dtype)
    return x.dtype.type(g)


def _all_like(gs: Sequence[Any], xs: Sequence[Any]) -> list[Any]:
    return [g if type(g) is float and type(x) is float else _like(g, x) for g, x in zip(gs, xs, strict=True)]


def grad(f: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Callable[..., Any]:
    """Gradient of a function that returns a float, by one reverse sweep.

    Parameters
    ----------
    f : callable
        Returns a float (or ``(float, aux)`` with has_aux).
    argnums : int or tuple of int
        Positional arguments to differentiate with respect to.
    has_aux : bool
        f returns a pair, and its second part is passed through.

    Returns
    -------
    callable
        Returns the gradient (with has_aux: ``(gradient, aux)``), of the structure, shapes and dtypes of the argument.

    Raises
    ------
    TypeError
        When the output is not a float, or an argument has no derivative (an integer, a complex number).

    Notes
    -----
    Cost and references as for :func:`value_and_grad`.

    Examples
    --------
    >>> import numpy as np, dualad
    >>> dualad.grad(lambda x: np.sin(x) * x)(1.0)
    1.3817732906760363
    >>> dualad.grad(lambda p: p["a"] * p["b"])({"a": 2.0, "b": 3.0})
    {'a': 3.0, 'b': 2.0}
    """
    check_callable(f, "grad")
    both, several = value_and_grad(f, argnums, has_aux), _in_core(argnums, has_aux)

    def df(*args: Any, **kwargs: Any) -> Any:
        if several >= 0 and not kwargs:
            result = _core.value_and_grad_call(f, args, several)
            if result is not None:
                return (result if len(result) == 2 else _continue(args, several, *result))[1]
            return _value_and_grad(f, argnums, False, args, kwargs)[2]
        out, grads = both(*args, **kwargs)
        return (grads, out[1]) if has_aux else grads

    return _named(df, f, "grad")


class Pullback:
    """The linear map ct -> J^T ct of one recording; made by :func:`vjp`, callable any number of times."""

    __slots__ = ("_primals", "_recording", "_structures")

    def __init__(self, recording: Recording, primals: list[Any], structures: Any) -> None:
        self._recording, self._primals, self._structures = recording, primals, structures

    def __call__(self, ct: Any) -> tuple[Any, ...]:
        """Cotangents of the primals, a tuple with one entry an argument (cost: one reverse sweep)."""
        r = self._recording
        leaves, structure = flatten(ct)
        if len(leaves) != len(r.outputs) or (structure != r.structure):
            raise ValueError(f"pullback: the cotangent has not the structure of the output: {len(leaves)} numbers or arrays "
                             f"for {len(r.outputs)}")
        cts = [check_tangent(c, o, "pullback", f"cotangent {i}") if isinstance(o, Traced) else c
               for i, (c, o) in enumerate(zip(leaves, r.outputs, strict=True))]
        if r.level.plain and any(isinstance(c, Traced) for c in cts):
            grads = _pull_traced(r, cts)
        else:
            grads = pull(r.level, r.outputs, cts, r.inputs)
        return unflatten(self._structures, _all_like(grads, self._primals))

    def __repr__(self) -> str:
        return f"<pullback of a recording with {self._recording.level.nodes} entries>"


def _pull_traced(r: Recording, cts: list[Any]) -> list[Any]:
    """A traced cotangent on a tape of floats: the pullback is linear, so contract the recording's Jacobian rows with it."""
    total: list[Any] = [None] * len(r.inputs)
    for out, ct in zip(r.outputs, cts, strict=True):
        if not (isinstance(out, Traced) and r.depends(out)):
            continue
        shape = tuple(shape_of(out))
        n = size_of(out)
        if n == 0:
            continue
        rows = pull(r.level, [out], [np.eye(n).reshape(n, *shape)], r.inputs, n)
        flat = np.reshape(ct, (n,))
        for i, row in enumerate(rows):
            part = np.reshape(flat @ row.reshape(n, -1), row.shape[1:])
            total[i] = part if total[i] is None else total[i] + part
    return [np.zeros(shape_of(x)) if t is None else t if shape_of(x) else t[()] if isinstance(t, np.ndarray) else t
            for t, x in zip(total, r.inputs, strict=True)]


def vjp(f: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """Value and pullback: the vector-Jacobian product, by one recording.

    Parameters
    ----------
    f : callable
    *primals
        Its arguments: floats, float arrays, or containers of them.

    Returns
    -------
    out
        ``f(*primals)``, bit for bit.
    pullback : callable
        ``pullback(ct)`` is the tuple ``J.T @ ct``, one entry an argument; `ct` has the structure and shapes of `out`.
        It can be called again; it keeps the tape alive.

    Raises
    ------
    TypeError, ValueError
        Arguments or cotangents without a derivative or of another shape.

    Notes
    -----
    Cost: one recording, then one reverse sweep a pullback.

    Examples
    --------
    >>> import numpy as np, dualad
    >>> out, pullback = dualad.vjp(lambda x, y: x * y, 2.0, 3.0)
    >>> out, pullback(1.0)
    (6.0, (3.0, 2.0))
    """
    check_callable(f, "vjp")
    if not primals:
        raise TypeError("vjp takes the primals one by one: vjp(f, x, y)")
    chosen = Selection("vjp", tuple(range(len(primals))), primals, {})
    recording = record(f, chosen.leaves, chosen.call)
    return recording.values(), Pullback(recording, chosen.leaves, flatten(primals)[1])


def linearize(f: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """Value and the linear map of tangents at a point: f runs once, the map is a sweep over its recording.

    Parameters
    ----------
    f : callable
    *primals
        Its arguments: floats, float arrays, or containers of them.

    Returns
    -------
    out
        ``f(*primals)``.
    f_jvp : callable
        ``f_jvp(*tangents)`` is ``J @ tangents``, of the structure and shapes of `out`; tangents have those of the primals.

    Raises
    ------
    TypeError
        When an argument has no derivative (an integer, a complex number).
    ValueError
        From `f_jvp`: when a tangent has not the shape of its primal.

    Notes
    -----
    Cost: one recording, then one forward sweep over the tape a call.

    Examples
    --------
    >>> import dualad
    >>> out, f_jvp = dualad.linearize(lambda x, y: x * y, 2.0, 3.0)
    >>> out, f_jvp(1.0, 0.0), f_jvp(0.0, 1.0)
    (6.0, 3.0, 2.0)
    """
    check_callable(f, "linearize")
    if not primals:
        raise TypeError("linearize takes the primals one by one: linearize(f, x, y)")
    chosen = Selection("linearize", tuple(range(len(primals))), primals, {})
    recording = record(f, chosen.leaves, chosen.call)
    structure = flatten(primals)[1]

    def f_jvp(*tangents: Any) -> Any:
        leaves, other = flatten(tangents)
        if other != structure:
            raise ValueError("f_jvp: tangents have not the structure of the primals")
        ts = check_tangents(leaves, chosen.leaves, "f_jvp", "tangent")
        if recording.level.plain and any(isinstance(t, Traced) for t in ts):
            results = _push_traced(recording, ts)
        else:
            results = pushforward(recording.level, recording.inputs, ts, recording.outputs)
        outs = [recording.value(o) for o in recording.outputs]
        return unflatten(recording.structure, [zero_like(o) if t is None else _like(t, o)
                                               for t, o in zip(results, outs, strict=True)])

    return recording.values(), f_jvp


def _push_traced(r: Recording, ts: list[Any]) -> list[Any]:
    """Traced tangents on a tape of floats: contract the recording's Jacobian columns with them (the map is linear)."""
    total: list[Any] = [None] * len(r.outputs)
    for x, t in zip(r.inputs, ts, strict=True):
        shape = tuple(shape_of(x))
        n = size_of(x)
        columns = pushforward(r.level, [x], [np.eye(n).reshape(n, *shape)], r.outputs, n) if n else [None] * len(r.outputs)
        for i, column in enumerate(columns):
            if column is not None:
                part = np.reshape(np.reshape(t, (n,)) @ column.reshape(n, -1), column.shape[1:])
                total[i] = part if total[i] is None else total[i] + part
    return total


def _named(wrapper: Callable[..., Any], f: Callable[..., Any], how: str) -> Callable[..., Any]:
    functools.update_wrapper(wrapper, f) if hasattr(f, "__name__") else None
    wrapper.__name__ = f"{how}({getattr(f, '__name__', 'f')})"
    return wrapper

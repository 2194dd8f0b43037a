"""Rules of the user's own: custom_jvp and custom_vjp, with JAX's signatures."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ._core import Traced, top_level
from .generic import dtype_of, pack, shape_of
from .rules.primitive import Primitive, bind
from .tree import flatten, tree_map, unflatten

__all__ = ["custom_jvp", "custom_vjp"]


class _Custom:
    """What both have in common: the function, its constant arguments, and the refusal of a missing rule."""

    def __init__(self, fun: Callable[..., Any], nondiff_argnums: Sequence[int] = ()) -> None:
        if not callable(fun):
            raise TypeError(f"{type(self).__name__} decorates a function, not {type(fun).__name__}")
        self.fun = fun
        self.nondiff_argnums = tuple(nondiff_argnums)
        code = getattr(fun, "__code__", None)  # absent for callables that are no Python functions: these have no defaults
        self._positional = code.co_argcount if code else 0
        self._defaults = bool(getattr(fun, "__defaults__", None))
        functools.update_wrapper(self, fun)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    @property
    def _name(self) -> str:
        return getattr(self.fun, "__name__", "f")

    def _arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[list[Any], Any, list[Any], list[int]]:
        """Leaves and structure of the differentiated arguments, the constant arguments, and the positions of the former."""
        if kwargs or (self._defaults and len(args) < self._positional):
            import inspect

            bound = inspect.signature(self.fun).bind(*args, **kwargs)
            bound.apply_defaults()
            if bound.kwargs:
                raise TypeError(f"{self._name}: pass keyword-only arguments of a function with a custom rule by position")
            args = bound.args
        fixed = [i % len(args) for i in self.nondiff_argnums]
        moving = [i for i in range(len(args)) if i not in fixed]
        for i in fixed:
            if any(isinstance(x, Traced) for x in flatten(args[i])[0]):
                raise TypeError(f"{self._name}: argument {i} is in nondiff_argnums but is traced; take it out of nondiff_argnums")
        leaves, structure = flatten(tuple(args[i] for i in moving))
        return [pack(x) for x in leaves], structure, [args[i] for i in fixed], moving

    def _call(self, fun: Callable[..., Any], constants: list[Any], moving: list[int], args: Sequence[Any]) -> Any:
        full: list[Any] = [None] * (len(constants) + len(moving))
        for i, a in zip(moving, args, strict=True):
            full[i] = tree_map(_own, a)
        rest = iter(constants)
        return fun(*[full[i] if i in moving else next(rest) for i in range(len(full))])

    def _check_level(self, leaves: Sequence[Any], level: Any) -> None:
        for x in leaves:
            if isinstance(x, Traced) and x.level_id >= level.level_id:
                raise TypeError(f"{self._name} has a custom rule and uses a traced value of the same or an inner transformation "
                                "that is not among its arguments; pass it as an argument")


class custom_jvp(_Custom):  # noqa: N801 (a decorator, named as in JAX)
    """A function with a derivative rule of yours, for both modes.

    Parameters
    ----------
    fun : callable
        Its value, written with anything (values it receives are one level down: plain numbers in the simplest case).
    nondiff_argnums : sequence of int
        Arguments that are constants; the rule gets them first.

    Raises
    ------
    TypeError
        `fun` cannot be called; when called: no rule was given, or `fun` uses a traced value that is not among its arguments.
    ValueError
        When called: the tangent has not the structure and shapes of the output.

    Notes
    -----
    ``defjvp`` takes ``rule(*nondiff, primals, tangents) -> (out, tangent_out)`` with tangents linear in `tangents`; reverse
    mode transposes it by recording it.  With many tangents at once (jacfwd) the rule runs once for each.  Cost: one run of
    the rule a tangent; reverse mode records the rule and sweeps that recording.  A rule that is not linear in `tangents`
    raises nothing: :func:`dualad.check_grads` finds it.

    Examples
    --------
    >>> import numpy as np, dualad
    >>> @dualad.custom_jvp
    ... def log1pexp(x):
    ...     return np.logaddexp(0.0, x)
    >>> @log1pexp.defjvp
    ... def rule(primals, tangents):
    ...     (x,), (t,) = primals, tangents
    ...     return log1pexp(x), t / (1.0 + np.exp(-x))
    >>> dualad.grad(log1pexp)(0.0)
    0.5
    """

    def __init__(self, fun: Callable[..., Any], nondiff_argnums: Sequence[int] = ()) -> None:
        super().__init__(fun, nondiff_argnums)
        self.rule: Callable[..., Any] | None = None

    def defjvp(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """Give the rule; returns it, so it serves as a decorator."""
        self.rule = rule
        return rule

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        leaves, structure, constants, moving = self._arguments(args, kwargs)
        level = top_level(leaves)
        if level is None:
            return self.fun(*args, **kwargs)
        if self.rule is None:
            raise TypeError(f"{self._name}: no rule was given; decorate one with @{self._name}.defjvp")
        shapes: list[Any] = []

        def impl(*xs: Any) -> Any:
            out, shape = flatten(self._call(self.fun, constants, moving, unflatten(structure, list(xs))))
            shapes[:] = [shape]
            out = [pack(o) for o in out]
            self._check_level(out, level)
            return tuple(out)

        def jvp(tangents: Sequence[Any], primals: Sequence[Any], out: Any, lanes: int) -> Any:
            if lanes:
                rows = [jvp([None if t is None else t[i] for t in tangents], primals, out, 0) for i in range(lanes)]
                return tuple(np.stack(column) for column in zip(*rows, strict=True))
            full = [_zero(x) if t is None else t for t, x in zip(tangents, primals, strict=True)]
            result = self.rule(*constants, unflatten(structure, list(primals)), unflatten(structure, full))  # type: ignore[misc]
            if not isinstance(result, (tuple, list)) or len(result) != 2:
                raise TypeError(f"{self._name}: the rule returns (out, tangent_out), not {type(result).__name__}")
            flat, shape = flatten(result[1])
            if shape != shapes[0] or any(tuple(shape_of(t)) != tuple(shape_of(o)) for t, o in zip(flat, out, strict=True)):
                raise ValueError(f"{self._name}: the rule's tangent has not the structure and shapes of the output")
            return tuple(flat)

        outs = bind(Primitive(self._name, impl, jvp), leaves, {})
        return unflatten(shapes[0], list(outs))


class custom_vjp(_Custom):  # noqa: N801
    """A function with a reverse rule of yours.

    Parameters
    ----------
    fun : callable
        Its value, written with anything.
    nondiff_argnums : sequence of int
        Arguments that are constants; the backward rule gets them first.

    Raises
    ------
    TypeError
        `fun` cannot be called; when called: no rule was given, forward mode asked, or the rule returned no tuple.
    ValueError
        When called: a cotangent has not the structure and shape of its argument.

    Notes
    -----
    ``defvjp(fwd, bwd)`` with ``fwd(*args) -> (out, residuals)`` and ``bwd(*nondiff, residuals, ct) -> cotangents`` (a tuple
    with one entry an argument, None for one that has no derivative).  Forward mode raises, as in JAX: give custom_jvp for both
    modes.  Cost: one run of `fwd` in place of `fun`, one of `bwd` a reverse sweep and row.

    Examples
    --------
    >>> import dualad
    >>> @dualad.custom_vjp
    ... def clip_gradient(x):
    ...     return x
    >>> clip_gradient.defvjp(lambda x: (x, None), lambda residuals, ct: (min(ct, 1.0),))
    >>> dualad.grad(lambda x: 5.0 * clip_gradient(x))(2.0)
    1.0
    """

    def __init__(self, fun: Callable[..., Any], nondiff_argnums: Sequence[int] = ()) -> None:
        super().__init__(fun, nondiff_argnums)
        self.fwd: Callable[..., Any] | None = None
        self.bwd: Callable[..., Any] | None = None

    def defvjp(self, fwd: Callable[..., Any], bwd: Callable[..., Any]) -> None:
        """Give the rule: forward with residuals, and backward."""
        self.fwd, self.bwd = fwd, bwd

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        leaves, structure, constants, moving = self._arguments(args, kwargs)
        level = top_level(leaves)
        if level is None:
            return self.fun(*args, **kwargs)
        if self.fwd is None or self.bwd is None:
            raise TypeError(f"{self._name}: no rule was given; call {self._name}.defvjp(fwd, bwd)")
        if not level.reverse:
            raise TypeError(f"{self._name} has a reverse rule only (custom_vjp): forward mode (jvp, derivative, jacfwd) needs "
                            "dualad.custom_jvp")
        saved: list[Any] = []

        def impl(*xs: Any) -> Any:
            result = self._call(self.fwd, constants, moving, unflatten(structure, list(xs)))  # type: ignore[arg-type]
            if not isinstance(result, (tuple, list)) or len(result) != 2:
                raise TypeError(f"{self._name}: fwd returns (out, residuals), not {type(result).__name__}")
            out, shape = flatten(result[0])
            out = [pack(o) for o in out]
            self._check_level(out, level)
            saved[:] = [result[1], shape]
            return tuple(out)

        def vjp(ct: Any, primals: Sequence[Any], out: Any, needs: Sequence[bool], lanes: int) -> Any:
            if lanes:
                rows = [vjp([None if c is None else c[i] for c in ct], primals, out, needs, 0) for i in range(lanes)]
                return tuple(None if column[0] is None else np.stack(column) for column in zip(*rows, strict=True))
            full = [_zero(o) if c is None else c for c, o in zip(ct, out, strict=True)]
            grads = self.bwd(*constants, saved[0], unflatten(saved[1], full))  # type: ignore[misc]
            if not isinstance(grads, (tuple, list)) or len(grads) != len(moving):
                raise TypeError(f"{self._name}: bwd returns a tuple with one cotangent for each of the {len(moving)} arguments")
            return tuple(self._cotangents(grads, primals, structure))

        outs = bind(_TopOnly(self._name, impl, None, vjp), leaves, {})
        return unflatten(saved[1], list(outs))

    def _cotangents(self, grads: Sequence[Any], primals: Sequence[Any], structure: Any) -> list[Any]:
        flat: list[Any] = []
        for g, part in zip(grads, structure[2], strict=True):
            n = _count(part)
            if g is None:
                flat += [None] * n
                continue
            leaves, shape = flatten(g)
            if shape != part:
                raise ValueError(f"{self._name}: a cotangent returned by bwd has not the structure of its argument")
            flat += leaves
        for g, x in zip(flat, primals, strict=True):
            if g is not None and tuple(shape_of(g)) != tuple(shape_of(x)):
                raise ValueError(f"{self._name}: bwd returned a cotangent of shape {tuple(shape_of(g))} for an argument of shape "
                                 f"{tuple(shape_of(x))}")
        return flat


class _TopOnly(Primitive):
    """A primitive whose function runs directly on the payloads: fwd is differentiated through by outer levels."""

    __slots__ = ()

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.dispatches = True


def _own(x: Any) -> Any:
    """A copy of an array that only shows the tape: a user's function may keep what it gets."""
    return x.copy() if type(x) is np.ndarray and not x.flags.owndata else x


def _count(structure: Any) -> int:
    if structure is None:
        return 1
    return 0 if structure[0] == "none" else sum(_count(p[1] if structure[0] in ("dict", "dataclass") else p) for p in structure[2])


def _zero(x: Any) -> Any:
    shape, dtype = tuple(shape_of(x)), dtype_of(x)
    return np.zeros(shape, dtype) if shape else 0.0 if dtype == np.float64 else dtype.type(0)




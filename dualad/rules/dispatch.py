"""How np.f(t) reaches a rule: NumPy's __array_ufunc__ and __array_function__."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _core
from .._core import Traced
from ..generic import pack, plain
from .elementwise import MATH_PRIMITIVES, UFUNC_PRIMITIVES
from .primitive import FUNCTIONS, not_covered

__all__ = ["GUFUNCS", "METHODS", "PASS_THROUGH", "function", "ufunc", "untraced"]

#: ufuncs that only look at values: comparisons, tests, logic, integers
PASS_THROUGH = {
    np.less,
    np.less_equal,
    np.equal,
    np.not_equal,
    np.greater,
    np.greater_equal,
    np.isnan,
    np.isinf,
    np.isfinite,
    np.signbit,
    np.spacing,
    np.logical_and,
    np.logical_or,
    np.logical_not,
    np.logical_xor,
    np.bitwise_and,
    np.bitwise_or,
    np.bitwise_xor,
    np.bitwise_invert,
    np.bitwise_left_shift,
    np.bitwise_right_shift,
    np.bitwise_count,
    np.gcd,
    np.lcm,
    np.isnat,
}
#: generalized and several-result ufuncs -> function of traced values (filled by the modules that own them)
GUFUNCS: dict[Any, Any] = {}
#: (ufunc, method) -> function of traced values, for add.reduce and its kin; (None, method) serves every ufunc
METHODS: dict[Any, Any] = {}


def untraced(x: Any) -> Any:
    """x with every traced value in it replaced by its plain value (containers and object arrays included)."""
    if isinstance(x, Traced):
        _core.check_open(x)
        p = plain(x)
        return p.copy(order="K") if isinstance(p, np.ndarray) else p
    if isinstance(x, (list, tuple)):
        return type(x)(untraced(e) for e in x) if not hasattr(x, "_fields") else type(x)(*map(untraced, x))
    if isinstance(x, dict):
        return {k: untraced(v) for k, v in x.items()}
    if isinstance(x, np.ndarray) and x.dtype == object:
        return untraced(pack(x)) if any(isinstance(e, Traced) for e in x.flat) else x
    return x


#: (ufunc or function, args, kwargs) -> what holds at a kink, or None; set while `with dualad.kinks(...)` is open
kink_watchers: list[Any] = []


def ufunc(f: Any, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A ufunc (or one of its methods) on traced values."""
    if kink_watchers and method in ("__call__", "math") and (result := kink_watchers[0](f, inputs)) is not None:
        return result
    if method == "math":
        return MATH_PRIMITIVES[f](*inputs)
    if f in PASS_THROUGH:
        return _look(getattr(f, method), f, inputs, kwargs)
    if kwargs:
        kwargs = _check_keywords(f, kwargs)
    if method != "__call__":
        rule = METHODS.get((f, method)) or METHODS.get((None, method))
        if rule is None:
            raise not_covered(f"{_named(f)[0]}.{method}")
        return rule(*inputs, **kwargs) if (f, method) in METHODS else rule(f, *inputs, **kwargs)
    dtype = kwargs.pop("dtype", None)
    if "where" in kwargs:
        raise not_covered(
            f"numpy.{f.__name__} with where= (it leaves elements of the result unset)",
            f"use np.where(mask, np.{f.__name__}(...), other)",
        )
    if kwargs:
        raise not_covered(f"numpy.{f.__name__} with {', '.join(kwargs)}=")
    inputs = tuple(pack(x) for x in inputs)
    if _check_operands(f, inputs):
        return NotImplemented
    if dtype is not None:  # NumPy computes in that dtype: the operands are cast, not the result
        dtype = _float_dtype(f, dtype)
        inputs = tuple(x.astype(dtype) if isinstance(x, Traced) else np.asarray(x, dtype)[()] for x in inputs)
    primitive = UFUNC_PRIMITIVES.get(f) or GUFUNCS.get(f)
    if primitive is None:
        raise not_covered(*_named(f))
    return primitive(*inputs)


def _named(f: Any) -> tuple[str, str]:
    """Name of a ufunc that has no rule, and what to use instead where there is something (scipy.special has ufuncs too)."""
    short: str = f.__name__
    if hasattr(np, short) and getattr(np, short) == f:
        return f"numpy.{short}", ""
    name = f"{short} (a ufunc that is not NumPy's)"
    return (name, f"use dualad.numpy.{short}") if short in _core.OWN_UFUNCS else (name, "")


def _look(call: Any, f: Any, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A ufunc that only looks at values; its result is plain, so it may go into a plain array."""
    out = kwargs.get("out")
    if any(isinstance(o, Traced) for o in (out if isinstance(out, tuple) else (out,))):
        raise not_covered(f"numpy.{f.__name__} with out= (a write into a traced array)", "use its result")
    return call(*untraced(inputs), **{k: v if k == "out" else untraced(v) for k, v in kwargs.items()})


def _float_dtype(f: Any, dtype: Any) -> np.dtype[Any]:
    dtype = np.dtype(dtype)
    if dtype.kind != "f" or dtype.itemsize > 8:
        raise TypeError(f"numpy.{f.__name__} with dtype={dtype}: a traced value is computed in float16, float32 or float64")
    return dtype


def _check_keywords(f: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    kwargs = dict(kwargs)
    out = kwargs.pop("out", None)
    if out is not None and any(o is not None for o in (out if isinstance(out, tuple) else (out,))):
        raise not_covered(f"numpy.{f.__name__} with out= (a write into an array)", "use its result, or x = x + y for x += y")
    if isinstance(where := kwargs.get("where", True), (bool, np.bool_, np.ndarray)) and np.all(where):
        kwargs.pop("where", None)
    if kwargs.get("casting") == "same_kind":
        kwargs.pop("casting")
    if kwargs.get("order") in ("K", "C"):
        kwargs.pop("order")
    if kwargs.get("subok") is True:
        kwargs.pop("subok")
    if kwargs.get("dtype", 0) is None:
        kwargs.pop("dtype")
    return kwargs


def _check_operands(f: Any, inputs: tuple[Any, ...]) -> bool:
    """Raise for what cannot stand beside a traced value; True where an operand knows ufuncs itself and is to be asked."""
    for x in inputs:
        if isinstance(x, Traced):
            continue
        if type(x) is float or type(x) is int:
            continue
        kind = np.asarray(x).dtype.kind
        if kind == "c":
            raise TypeError(
                f"numpy.{f.__name__}: a complex operand beside a traced value; complex numbers are not differentiated yet"
            )
        if kind not in "fiub":
            if getattr(type(x), "__array_ufunc__", np.ndarray.__array_ufunc__) is not np.ndarray.__array_ufunc__:
                return True
            raise TypeError(
                f"numpy.{f.__name__}: an operand of type {type(x).__name__} (dtype {np.asarray(x).dtype}) beside "
                "a traced value; use real numbers or arrays"
            )
        if isinstance(x, np.ndarray) and type(x) is not np.ndarray and isinstance(x, (np.ma.MaskedArray, np.matrix)):
            raise TypeError(f"numpy.{f.__name__}: {type(x).__name__} beside a traced value; pass np.asarray(x) (and select with "
                            "np.where)")
    return False


def function(f: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A NumPy function (or the operation of that name) on traced values."""
    for a in args:
        _core.check_open(a)
    if kink_watchers and (result := kink_watchers[0](f, args, kwargs)) is not None:
        return result
    rule = FUNCTIONS.get(f)
    if rule is None:
        name = f if isinstance(f, str) else f"{getattr(f, '__module__', 'numpy')}.{getattr(f, '__name__', f)}"
        raise not_covered(name)
    if kwargs.get("out") is not None:
        raise not_covered(f"numpy.{f.__name__} with out= (a write into an array)", "use its result")
    return rule(*args, **kwargs)

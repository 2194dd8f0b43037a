"""Ufuncs with several results, and ldexp: what the table of elementwise rows has no room for.

divmod is the rows floor_divide and remainder.  modf, frexp and ldexp are linear between the points where they jump, so each
is one primitive whose tangent is the same operation on the tangent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._core import Traced
from ..generic import shape_of
from .dispatch import GUFUNCS
from .elementwise import align, fit, unbroadcast
from .primitive import Primitive, bind

__all__ = ["frexp", "ldexp", "modf"]


def divmod_(x: Any, y: Any) -> tuple[Any, Any]:
    """np.divmod: both parts are rows of the table."""
    return np.floor_divide(x, y), np.remainder(x, y)


# modf: the fractional part moves with x, the whole part is a step.
_modf = Primitive(
    "modf", lambda x: tuple(np.modf(x)), lambda ts, xs, out, lanes: (ts[0], None), lambda ct, xs, out, needs, lanes: (ct[0],)
)


def modf(x: Any) -> tuple[Any, Any]:
    """np.modf."""
    return bind(_modf, [x], {})


# frexp: x = m 2**e with e constant between powers of two, so dm = dx 2**-e.
def _scaled(t: Any, exponent: Any) -> Any:
    return np.ldexp(t, -np.asarray(exponent))


_frexp = Primitive(
    "frexp",
    lambda x: tuple(np.frexp(x)),
    lambda ts, xs, out, lanes: (_scaled(ts[0], out[1]), None),
    lambda ct, xs, out, needs, lanes: (None if ct[0] is None else _scaled(ct[0], out[1]),),
)


def frexp(x: Any) -> tuple[Any, Any]:
    """np.frexp: the exponent is a plain integer."""
    return bind(_frexp, [x], {})


def _ldexp_jvp(ts: Sequence[Any], xs: Sequence[Any], out: Any, lanes: int, exponent: Any) -> Any:
    return fit(np.ldexp(align(ts[0], len(shape_of(out)), lanes), exponent), out, lanes, ts)


_ldexp = Primitive(
    "ldexp",
    lambda x, exponent: np.ldexp(x, exponent),
    _ldexp_jvp,
    lambda ct, xs, out, needs, lanes, exponent: (unbroadcast(np.ldexp(ct, exponent), shape_of(xs[0]), lanes),),
)


def ldexp(x: Any, exponent: Any) -> Any:
    """np.ldexp: linear in x; the exponent is a plain integer."""
    if isinstance(exponent, Traced):
        raise TypeError("np.ldexp takes plain integer exponents; this one is traced: use x * np.exp2(e)")
    return bind(_ldexp, [x], {"exponent": np.asarray(exponent)})


GUFUNCS.update({np.divmod: divmod_, np.modf: modf, np.frexp: frexp, np.ldexp: ldexp})

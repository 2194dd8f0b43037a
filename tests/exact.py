"""Closed-form partials of every row of the table in mpmath at 400 bits, points of its domain, and distance in ulp.

Nothing here looks at the rules of csrc/ops.def: the forms are the textbook's, evaluated with so many digits that their
cancellations do not matter.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np

from dualad import _core

BITS = 400
LIMIT = 8.0  # ulp
mp = mpmath.MPContext()
mp.prec = BITS
ROWS = {row["name"]: row for row in _core.rows()}
UFUNCS: dict[str, np.ufunc] = {name: _core.OWN_UFUNCS.get(name) or getattr(np, name) for name in ROWS}


def ulp(exact: Any) -> float:
    """Spacing of the doubles around a number (of the denormals, below the smallest normal one)."""
    size = float(abs(exact))
    return math.ulp(size) if math.isfinite(size) else math.ulp(1.7976931348623157e308)


def distance(got: float, exact: Any) -> float:
    """How many ulp of the exact number `got` lies from it; beyond the largest double, infinity is right."""
    if math.isnan(got):
        return math.inf
    if math.isinf(got):
        exact_size = abs(exact)
        limit = mp.mpf(2) ** 1024 - mp.mpf(2) ** 970 * (1 + LIMIT / 2)  # within LIMIT of what rounds to infinity
        return 0.0 if exact_size >= limit and (got > 0) == (exact > 0) else math.inf
    with mp.workprec(BITS):
        return float(abs(mp.mpf(got) - exact) / ulp(exact))


def constant(c: float) -> Callable[..., Any]:
    return lambda *_: mp.mpf(c)


def sinc_derivative(x: Any, n: int) -> Any:
    """n-th derivative of sin(pi x)/(pi x) by x f_n + n f_(n-1) = pi^(n-1) sin(pi x + n pi/2), digits to spare."""
    if abs(x) < mp.mpf("1e-25"):
        terms = [(-1) ** j * mp.pi ** (2 * j) / mp.factorial(2 * j + 1) * mp.ff(2 * j, n) * mp.mpf(x) ** (2 * j - n)
                 for j in range((n + 1) // 2, (n + 1) // 2 + 12)]
        return mp.fsum(terms)
    with mp.workprec(BITS + 100 * (n + 2) + 1100):
        f = mp.sin(mp.pi * x) / (mp.pi * x)
        for k in range(1, n + 1):
            f = (mp.pi ** (k - 1) * mp.sin(mp.pi * x + k * mp.pi / 2) - k * f) / x
        return f


def polygamma(n: int, x: Any) -> Any:
    return mp.psi(n, x)


def weight(x: Any, y: Any) -> Any:
    return 1 / (1 + mp.exp(y - x))


def weight2(x: Any, y: Any) -> Any:
    return 1 / (1 + mp.mpf(2) ** (y - x))


def chooses(sign: int) -> tuple[Callable[..., Any], Callable[..., Any]]:
    return (lambda x, y: mp.mpf(sign * x > sign * y), lambda x, y: mp.mpf(sign * y > sign * x))


def power_dy(x: Any, y: Any) -> Any:
    return x ** y * mp.log(x) if x > 0 else mp.mpf(0)


def power_dx(x: Any, y: Any) -> Any:
    return mp.mpf(0) if y == 0 else y * x ** (y - 1)


_sech2 = lambda x: 1 / mp.cosh(x) ** 2
_gauss = lambda x: mp.exp(-mp.mpf(x) ** 2)
_two_over_root_pi = 2 / mp.sqrt(mp.pi)

#: name -> (d/dx,) or (d/dx, d/dy)
PARTIALS: dict[str, tuple[Callable[..., Any], ...]] = {
    "positive": (constant(1),),
    "negative": (constant(-1),),
    "conjugate": (constant(1),),
    "absolute": (mp.sign,),
    "fabs": (mp.sign,),
    "sign": (constant(0),),
    "floor": (constant(0),),
    "ceil": (constant(0),),
    "trunc": (constant(0),),
    "rint": (constant(0),),
    "square": (lambda x: 2 * x,),
    "reciprocal": (lambda x: -1 / x ** 2,),
    "sqrt": (lambda x: 1 / (2 * mp.sqrt(x)),),
    "cbrt": (lambda x: 1 / (3 * mp.cbrt(abs(x)) ** 2),),
    "exp": (mp.exp,),
    "exp2": (lambda x: mp.mpf(2) ** x * mp.log(2),),
    "expm1": (mp.exp,),
    "log": (lambda x: 1 / x,),
    "log2": (lambda x: 1 / (x * mp.log(2)),),
    "log10": (lambda x: 1 / (x * mp.log(10)),),
    "log1p": (lambda x: 1 / (1 + x),),
    "sin": (mp.cos,),
    "cos": (lambda x: -mp.sin(x),),
    "tan": (lambda x: 1 / mp.cos(x) ** 2,),
    "arcsin": (lambda x: 1 / mp.sqrt(1 - x ** 2),),
    "arccos": (lambda x: -1 / mp.sqrt(1 - x ** 2),),
    "arctan": (lambda x: 1 / (1 + x ** 2),),
    "sinh": (mp.cosh,),
    "cosh": (mp.sinh,),
    "tanh": (_sech2,),
    "arcsinh": (lambda x: 1 / mp.sqrt(1 + x ** 2),),
    "arccosh": (lambda x: 1 / mp.sqrt(x ** 2 - 1),),
    "arctanh": (lambda x: 1 / (1 - x ** 2),),
    "deg2rad": (lambda x: mp.pi / 180,),
    "radians": (lambda x: mp.pi / 180,),
    "rad2deg": (lambda x: 180 / mp.pi,),
    "degrees": (lambda x: 180 / mp.pi,),
    "sinc": (lambda x: sinc_derivative(x, 1),),
    "sech2": (lambda x: -2 * mp.tanh(x) * _sech2(x),),
    "gaussian": (lambda x: -2 * x * _gauss(x),),
    "erf": (lambda x: _two_over_root_pi * _gauss(x),),
    "erfc": (lambda x: -_two_over_root_pi * _gauss(x),),
    "lgamma": (lambda x: polygamma(0, x),),
    "gamma": (lambda x: mp.gamma(x) * polygamma(0, x),),
    "digamma": (lambda x: polygamma(1, x),),
    "add": (constant(1), constant(1)),
    "subtract": (constant(1), constant(-1)),
    "multiply": (lambda x, y: y, lambda x, y: x),
    "divide": (lambda x, y: 1 / y, lambda x, y: -x / y ** 2),
    "power": (power_dx, power_dy),
    "float_power": (power_dx, power_dy),
    "hypot": (lambda x, y: x / mp.sqrt(x ** 2 + y ** 2), lambda x, y: y / mp.sqrt(x ** 2 + y ** 2)),
    "arctan2": (lambda x, y: y / (x ** 2 + y ** 2), lambda x, y: -x / (x ** 2 + y ** 2)),
    "logaddexp": (weight, lambda x, y: weight(y, x)),
    "logaddexp2": (weight2, lambda x, y: weight2(y, x)),
    "softweight": (lambda x, y: weight(x, y) * weight(y, x), lambda x, y: -weight(x, y) * weight(y, x)),
    "softweight2": (lambda x, y: mp.log(2) * weight2(x, y) * weight2(y, x),
                    lambda x, y: -mp.log(2) * weight2(x, y) * weight2(y, x)),
    "maximum": chooses(1),
    "minimum": chooses(-1),
    "fmax": chooses(1),
    "fmin": chooses(-1),
    "remainder": (constant(1), lambda x, y: -mp.floor(x / y)),
    "fmod": (constant(1), lambda x, y: -mp.sign(x / y) * mp.floor(abs(x / y))),
    "floor_divide": (constant(0), constant(0)),
    "copysign": (lambda x, y: mp.sign(x) * (1 if math.copysign(1.0, y) > 0 else -1), constant(0)),
    "nextafter": (constant(1), constant(0)),
    "heaviside": (constant(0), lambda x, y: mp.mpf(x == 0)),
    "sincd": (lambda x, n: sinc_derivative(x, int(n) + 1),),
    "polygamma": (lambda x, n: polygamma(int(n) + 1, x),),
}

_rng = np.random.default_rng(20)


def _both(xs: Any) -> list[float]:
    return [*map(float, xs), *(-float(x) for x in xs)]


_WIDE = [float(s) for s in 10.0 ** _rng.uniform(-300, 300, 24)]
_EXTREME = [5e-324, 1e-320, 2.2250738585072014e-308, 1e-300, 1e-160, 1e160, 1e200, 1e300, 1.7976931348623157e308]
_NEAR = [float(s) for s in _rng.uniform(1e-3, 6.0, 24)] + [20.0, 26.0, 300.0, 710.0, 745.0]
_INSIDE = [float(s) for s in _rng.uniform(0.0, 1.0, 12)] + [1.0 - 2.0 ** -53, 1.0 - 1e-9, 0.5, 1e-9, 1e-160, 1e-300, 5e-324]

#: domain of the table -> points for unary rows
DOMAINS: dict[str, list[float]] = {
    "REAL": _both(_WIDE + _EXTREME + _NEAR),
    "NONZERO": _both(_WIDE + _EXTREME + _NEAR),
    "POSITIVE": _WIDE + _EXTREME + _NEAR,
    "UNIT": _both(_INSIDE),
    "ABOVE1": [1.0 + x for x in _NEAR] + [1.0 + 2.0 ** -52, 1.0 + 1e-9, 1e160, 1e200, 1e300, 1.7976931348623157e308],
}


_choose = np.random.default_rng(21)


def _pairs(xs: list[float], ys: list[float], n: int = 150) -> list[tuple[float, float]]:
    return [(float(_choose.choice(xs)), float(_choose.choice(ys))) for _ in range(n)]


def _signed(pairs: list[tuple[float, float]]) -> list[tuple[float, float]]:
    return [(s * x, t * y) for x, y in pairs for s in (1.0, -1.0) for t in (1.0, -1.0)]


_GRID = [(a, b) for a in _EXTREME for b in _EXTREME]
_MILD = [float(s) for s in 10.0 ** _rng.uniform(-3, 3, 40)]
_CLOSE = [(x, x * (1.0 + 10.0 ** -k)) for k in (1, 3, 8, 14) for x in (1.0, 0.3, 700.0, 1e-300)]
_STEPS = [(float(q) * y, y) for q, y in zip(_rng.uniform(0.1, 1e6, 60), 10.0 ** _rng.uniform(-20, 20, 60), strict=True)]

#: domain of the table -> points for binary rows
PAIRS: dict[str, list[tuple[float, float]]] = {
    "ANY": _signed(_GRID + _CLOSE + _pairs(_WIDE, _WIDE, 60) + _pairs(_MILD, _MILD, 60)),
    "POSANY": _GRID + [(x, -y) for x, y in _GRID] + _CLOSE + _pairs(DOMAINS["POSITIVE"], DOMAINS["REAL"])
              + _pairs(_MILD, _both(_MILD)) + [(a, 600.0 * b / math.log(a)) for a, b in _pairs(_MILD, _both(_INSIDE))],
    "APART": [(x, y) for x, y in _signed(_CLOSE + _pairs(_MILD, _MILD, 60)) if x != y],
    "MODULO": _signed(_STEPS),
    "ORDER": [(x, float(n)) for n in range(9) for x in [*_NEAR, 1e-300, 1e-9, 1e9]],
}


def points(row: dict[str, Any]) -> list[tuple[float, ...]]:
    """Points of a row's domain, its extremes among them, one tuple a point."""
    if row["arity"] == 2:
        return list(PAIRS[row["domain"]])
    return [(x,) for x in DOMAINS[row["domain"]]]


def exact_partial(name: str, i: int, point: tuple[float, ...]) -> Any:
    """The i-th partial at doubles taken as exact numbers."""
    return mp.mpf(PARTIALS[name][i](*map(mp.mpf, point)))

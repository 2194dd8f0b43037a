"""The math module for traced scalars: ``import dualad.math as math`` and differentiate.

Every function takes floats as well (with math's values, and its ValueError and OverflowError), so one source serves both.
Functions the table names as NumPy does are here under math's names too (``asin`` and ``arcsin``).

Examples
--------
>>> import dualad
>>> from dualad import math
>>> math.sin(0.5) == __import__("math").sin(0.5)
True
>>> dualad.derivative(lambda x: math.exp(math.sin(x)))(0.0)
1.0
"""

from __future__ import annotations

import math as _math
from typing import Any

from . import _core

_ALIASES = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2", "asinh": "arcsinh", "acosh": "arccosh",
            "atanh": "arctanh", "fabs": "absolute", "pow": "power", "radians": "deg2rad", "degrees": "rad2deg"}
_HIDDEN = {"gaussian", "sech2", "softweight", "softweight2", "sincd", "remainder"}  # rows that only partials use

pi, e, tau, inf, nan = _math.pi, _math.e, _math.tau, _math.inf, _math.nan
isnan = _core.plain_predicate(_math.isnan)
isinf = _core.plain_predicate(_math.isinf)
isfinite = _core.plain_predicate(_math.isfinite)

_functions: dict[str, Any] = {name: f for name, f in _core.MATH.items() if name not in _HIDDEN}
_functions.update({alias: _core.MATH[name] for alias, name in _ALIASES.items()})
globals().update(_functions)

__all__ = ["e", "inf", "isfinite", "isinf", "isnan", "nan", "pi", "tau", *sorted(_functions)]

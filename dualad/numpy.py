"""NumPy's names: ``import dualad.numpy as np`` works wherever ``import numpy as np`` does, and adds what NumPy lacks.

Everything is NumPy's own (so plain arrays cost nothing), plus the special functions of the table as ufuncs: erf, erfc,
lgamma, gamma, digamma, polygamma.

Examples
--------
>>> import dualad
>>> import dualad.numpy as np
>>> float(np.erf(0.0)), dualad.grad(lambda x: np.sum(np.erf(x)))(np.zeros(1))
(0.0, array([1.12837917]))
"""

from __future__ import annotations

from typing import Any

import numpy as _numpy

from . import _core

_HIDDEN = {"gaussian", "sech2", "softweight", "softweight2", "sincd", "sinc"}  # rows that only partials use; np.sinc is NumPy's
_own = {name: f for name, f in _core.OWN_UFUNCS.items() if name not in _HIDDEN}
globals().update(_own)

__all__ = sorted({*_numpy.__all__, *_own})


def __getattr__(name: str) -> Any:  # at first use: NumPy loads its own submodules lazily too
    return getattr(_numpy, name)


def __dir__() -> list[str]:
    return __all__

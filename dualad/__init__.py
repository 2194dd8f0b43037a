"""dualad: exact derivatives of plain Python and NumPy code, forward and reverse, from one table of rules.

>>> import numpy as np, dualad
>>> dualad.grad(lambda x: np.sum(np.sin(x) * x))(np.array([0.0, 1.0]))
array([0.        , 1.38177329])
"""

try:
    from . import _core as _core
except ImportError as error:  # started in the source folder, whose core is not compiled
    raise ImportError("the compiled core of dualad is not here: this may be its source folder; start Python elsewhere, or "
                      "install it with pip install -e .") from error
from . import math, numpy
from . import rules as rules
from ._core import Dual, LeakedValueError
from .api import derivative, grad, jvp, linearize, value_and_grad, vjp
from .checkpointing import checkpoint, checkpoint_sequence
from .constants import stop_gradient, value
from .custom import custom_jvp, custom_vjp
from .jacobians import hessian, hvp, jacfwd, jacobian, jacrev
from .kinks import KinkError, KinkWarning, kinks, one_sided
from .series import taylor, taylor_value
from .testing import check_grads

__version__ = "0.1.0"

__all__ = [
    "Dual",
    "KinkError",
    "KinkWarning",
    "LeakedValueError",
    "check_grads",
    "checkpoint",
    "checkpoint_sequence",
    "custom_jvp",
    "custom_vjp",
    "derivative",
    "grad",
    "hessian",
    "hvp",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jvp",
    "kinks",
    "linearize",
    "math",
    "numpy",
    "one_sided",
    "recommend",
    "stop_gradient",
    "taylor",
    "taylor_value",
    "value",
    "value_and_grad",
    "vjp",
]


#: loaded at their first use: a sub-package, or what one of its modules calls by that name
_LAZY = {"compare": "compare", "problems": "problems", "recommend": "recommendation",
         "layout": "layout", "teach": "teach", "explain": "explanation", "diagnose": "explanation"}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    module = importlib.import_module(f"{__name__}.{_LAZY[name]}")
    found = module if _LAZY[name] == name else getattr(module, name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted([*globals(), *_LAZY])

"""dualad: exact derivatives of plain Python and NumPy code, forward and reverse, from one table of rules.

>>> import numpy as np, dualad
>>> dualad.grad(lambda x: np.sum(np.sin(x) * x))(np.array([0.0, 1.0]))
array([0.        , 1.38177329])
"""

from . import math, numpy
from . import rules as _rules
from ._core import Dual, LeakedValueError
from .api import derivative, grad, jvp, linearize, stop_gradient, value, value_and_grad, vjp
from .custom import custom_jvp, custom_vjp
from .jacobians import hessian, hvp, jacfwd, jacobian, jacrev
from .testing import check_grads

__version__ = "0.1.0"

__all__ = [
    "Dual",
    "LeakedValueError",
    "check_grads",
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
    "linearize",
    "math",
    "numpy",
    "stop_gradient",
    "value",
    "value_and_grad",
    "vjp",
]

assert _rules

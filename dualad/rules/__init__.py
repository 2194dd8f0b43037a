"""The rules: what every covered NumPy function does to traced values.

`dispatch` is how NumPy's two protocols reach them.  Importing this package completes the compiled core.
"""

from .. import _core
from ..generic import describe
from . import (
    creation,
    cumulative,
    differences,
    dispatch,
    indexing,
    interpolation,
    linalg,
    methods,
    ordering,
    passing,
    pointwise,
    products,
    rearranging,
    reductions,
    structure,
    ufuncs,
)

_core.set_hooks(dispatch.ufunc, dispatch.function, describe)

__all__ = [
    "creation",
    "cumulative",
    "differences",
    "dispatch",
    "indexing",
    "interpolation",
    "linalg",
    "methods",
    "ordering",
    "passing",
    "pointwise",
    "products",
    "rearranging",
    "reductions",
    "structure",
    "ufuncs",
]

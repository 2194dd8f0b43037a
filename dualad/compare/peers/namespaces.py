"""NumPy's names for libraries that have others, or the same ones with other meanings."""

from __future__ import annotations

import functools
import types
from typing import Any

import numpy as np

__all__ = ["Joined", "casadi_numpy", "shapes", "torch_numpy"]


class Joined:
    """Attributes looked up in one namespace after the other.

    Examples
    --------
    >>> import math
    >>> import types
    >>> from dualad.compare.peers.namespaces import Joined
    >>> Joined(types.SimpleNamespace(pi=3), math).pi, Joined(math).cos(0.0)
    (3, 1.0)
    """

    def __init__(self, *places: Any) -> None:
        self._places = places

    def __getattr__(self, name: str) -> Any:
        for place in self._places:
            if hasattr(place, name):
                return getattr(place, name)
        raise AttributeError(f"there is no function {name}")


def shapes(library: Any) -> Any:
    """Functions that a program also calls on shapes, which are no business of the library's: a product of whole numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from dualad.compare.peers.namespaces import shapes
    >>> int(shapes(np).prod((2, 3)))
    6
    """
    def prod(x: Any, *args: Any, **keywords: Any) -> Any:
        return (np if isinstance(x, tuple) else library).prod(x, *args, **keywords)

    return types.SimpleNamespace(prod=prod)


def torch_numpy(torch: Any) -> Any:
    """NumPy's names over torch: double precision, axes, and numbers where torch insists on tensors."""

    def tensor(x: Any) -> Any:
        return x if isinstance(x, torch.Tensor) else torch.as_tensor(x, dtype=torch.float64)

    def maximum_of(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return torch.max(x) if axis is None else torch.amax(x, dim=axis, keepdim=keepdims)

    def minimum_of(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return torch.min(x) if axis is None else torch.amin(x, dim=axis, keepdim=keepdims)

    def dot(a: Any, b: Any) -> Any:
        return torch.matmul(a, b)

    def of_tensors(name: str) -> Any:
        function = getattr(torch, name)
        return lambda *args: function(*map(tensor, args))

    pairs = ("maximum", "minimum", "logaddexp", "arctan2", "hypot")
    filled = ("zeros", "ones", "full", "eye", "linspace", "arange")
    return Joined(shapes(torch), types.SimpleNamespace(
        max=maximum_of, min=minimum_of, amax=maximum_of, amin=minimum_of, dot=dot, power=torch.pow, array=tensor, asarray=tensor,
        concatenate=torch.cat, **{name: of_tensors(name) for name in pairs},
        **{name: functools.partial(getattr(torch, name), dtype=torch.float64) for name in filled},
    ), torch, torch.special)


def casadi_numpy(casadi: Any) -> Any:
    """NumPy over arrays of CasADi's symbols; a comparison of symbols has no truth value, so maxima are functions of CasADi."""

    larger, smaller = (np.frompyfunc(function, 2, 1) for function in (casadi.fmax, casadi.fmin))

    def maximum_of(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return larger.reduce(x, axis=axis, keepdims=keepdims)

    def minimum_of(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return smaller.reduce(x, axis=axis, keepdims=keepdims)

    own = types.SimpleNamespace(
        max=maximum_of, min=minimum_of, maximum=larger, minimum=smaller, erf=np.frompyfunc(casadi.erf, 1, 1))
    return Joined(own, np)

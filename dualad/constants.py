"""The public ways out of a trace: a traced value as a constant."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._core import Traced, check_open
from .generic import pack, plain
from .tree import tree_map

__all__ = ["stop_gradient", "value"]


def value(x: Any) -> Any:
    """The plain number or array under a traced value: it carries no derivative.

    Parameters
    ----------
    x
        A traced value, a number, an array, or a container of them.

    Returns
    -------
    The same container with plain floats and arrays (copies); anything else comes back as it is, and nothing raises.

    Notes
    -----
    Cost: a copy; no sweep.

    Examples
    --------
    >>> import dualad
    >>> dualad.grad(lambda x: x * dualad.value(x))(3.0)
    3.0
    """
    return tree_map(_plain_copy, x)


def _plain_copy(x: Any) -> Any:
    if not isinstance(x, Traced):
        packed = x if not (isinstance(x, np.ndarray) and x.dtype == object) else pack(x)
        return packed if packed is x else _plain_copy(packed)
    check_open(x)
    p = plain(x)
    return p.copy() if isinstance(p, np.ndarray) else p


def stop_gradient(x: Any) -> Any:
    """x as a constant: its derivative is zero in every mode and at every level.

    Parameters
    ----------
    x
        A traced value, a number, an array, or a container of them.

    Returns
    -------
    The same container with plain floats and arrays (copies); anything else comes back as it is, and nothing raises.

    Notes
    -----
    Cost: a copy; no sweep.

    Examples
    --------
    >>> import dualad
    >>> dualad.grad(lambda x: dualad.stop_gradient(x * x) + x)(3.0)
    1.0
    """
    return value(x)

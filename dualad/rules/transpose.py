"""Transpose of a linear map given by its jvp: reverse rules for primitives that state only how tangents go forward."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._core import Level
from ..generic import GenericVar, dtype_of, shape_of
from ..pull import pull

__all__ = ["transpose_jvp"]


def transpose_jvp(primitive: Any, ct: Any, primals: Sequence[Any], out: Any, needs: Sequence[bool], lanes: int,
                  params: dict[str, Any]) -> tuple[Any, ...]:
    """Pull `ct` back through ``primitive.jvp``, by recording it as a function of the tangents (it is linear in them).

    Cost: one jvp and one pullback; with lanes, one pullback for all cotangents.
    """
    level = Level(True, 0, False)
    with level:
        tangents = [GenericVar(level, np.zeros(shape_of(x), dtype_of(x))) if need else None
                    for x, need in zip(primals, needs, strict=True)]
        result = primitive.jvp(tangents, primals, out, 0, **params)
    results = list(result) if isinstance(out, tuple) else [result]
    cts = list(ct) if isinstance(out, tuple) else [ct]
    wanted = [t for t in tangents if t is not None]
    pulled = iter(pull(level, results, cts, wanted, lanes))
    return tuple(next(pulled) if need else None for need in needs)

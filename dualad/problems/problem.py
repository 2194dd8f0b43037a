"""What a problem is: a function, a way to make its arguments at any size, its derivative by hand.

A :class:`Problem` says nothing about how it is differentiated. Tests compare a derivative with
`closed_form`, benches compare its time with `plain`, the comparison module varies the size given to `make`,
and the docs print `cost`.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

KINDS = ("derivative", "gradient", "jacobian", "blocks")


@dataclass(frozen=True)
class Problem:
    """One function to differentiate, with everything a test or a bench needs to know about it.

    Parameters
    ----------
    name : str
        Unique name, the key in :data:`dualad.problems.PROBLEMS`.
    f : callable
        The function, written with operators and ``import numpy as np``. If `namespace` is set it takes a
        keyword ``m``, the module its scalar functions (``m.sin``) or special functions (``m.erf``) come from.
    make : callable
        ``make(n, seed)`` returns the tuple of all arguments at size `n`, the same one for the same seed.
    kind : {"derivative", "gradient", "jacobian", "blocks"}
        float to float; anything to one float; array to array with axes shape(y)+shape(x); or array to array
        where row p of the result depends on row p of every argument only, so that the Jacobian is a stack of
        small blocks.
    closed_form : callable
        The derivative written by hand, without automatic differentiation, with the arguments of `f`. One
        entry for each of `argnums` (a bare one if `argnums` is an int). For "blocks" the blocks of all
        arguments side by side: ``(p, m, n)``.
    cost : str
        What one evaluation costs at size `n`.
    sizes : tuple of int
        A tiny size for tests and a usual one for measurements.
    argnums : int or tuple of int
        The arguments that are differentiated: 0, or the first few.
    namespace : {None, "math", "numpy"}
        Which mirror module `f` takes as ``m``.
    tags : frozenset of str
        What the problem is made of: "scalar" (Python floats), "loop" (over ``x[i]``), "array", "lecture",
        "adbench", ...

    Examples
    --------
    >>> from dualad import problems
    >>> p = problems.get("newton_sqrt")
    >>> args = p.make(8, seed=0)
    >>> abs(p.plain(*args) - args[0] ** 0.5) < 1e-12
    True
    """

    name: str
    f: Callable[..., Any]
    make: Callable[..., tuple]
    kind: str
    closed_form: Callable[..., Any]
    cost: str
    sizes: tuple[int, int]
    argnums: int | tuple[int, ...] = 0
    namespace: str | None = None
    tags: frozenset[str] = frozenset()

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(f"problem {self.name!r}: kind is {self.kind!r}, not one of {KINDS}")
        count = 1 if isinstance(self.argnums, int) else len(self.argnums)
        if self.argnums not in (0, tuple(range(count))):
            raise ValueError(f"problem {self.name!r}: differentiated arguments come first, not {self.argnums}")

    @property
    def plain(self):
        """`f` without dualad: Python's `math`, or NumPy with the erf of SciPy where that is installed."""
        return self.using(math if self.namespace == "math" else plain_numpy_module())

    def using(self, module):
        """`f` with its functions taken from `module` (a bare `f` if it takes none)."""
        if self.namespace is None:
            return self.f
        return functools.partial(self.f, m=module)

    def split(self, args, f=None):
        """`f` (this problem's own by default) of its differentiated arguments alone, and those arguments.

        Parameters
        ----------
        args : tuple
            All arguments, as `make` returns them.
        f : callable, optional
            Stands in for `self.f`: `self.plain`, or a closed form.

        Returns
        -------
        g : callable
            Takes the differentiated arguments only; the others are bound by name (a `functools.partial`, so
            that a bench pays no Python call for it).
        primals : tuple
            The differentiated arguments.

        Examples
        --------
        >>> from dualad import problems
        >>> p = problems.get("horner")
        >>> g, (x,) = p.split(p.make(3, seed=0), p.plain)
        >>> isinstance(g(x), float)
        True
        """
        f = self.f if f is None else f
        count = 1 if isinstance(self.argnums, int) else len(self.argnums)
        names = [name for name in inspect.signature(f).parameters if name != "m"]
        rest = dict(zip(names[count:], args[count:], strict=False))
        return (functools.partial(f, **rest) if rest else f), args[:count]


@functools.cache
def plain_numpy_module():
    """SciPy's erf in a namespace; `dualad.numpy` (plain on plain arrays) without SciPy."""
    try:
        from scipy.special import erf
    except ImportError:
        import dualad.numpy as dnp

        return dnp

    return SimpleNamespace(erf=erf)

"""What a primitive costs: the cost model of Griewank & Walther, as vectors of work and their price.

An operation belongs to one of four classes. Its work is a vector (moves, additions, multiplications, nonlinear
functions), three times: for its value, for value and tangent, for value and gradient (one adjoint). A price weighs
the four. The tables are those of A. Griewank & A. Walther, *Evaluating Derivatives*, 2nd ed. (SIAM 2008), sections
2.5, 3.2 and 4.6; docs/cost-model.md derives them from the elementary statements. The row for complex numbers is ours.

Counting convention, on which every number printed by :mod:`dualad.compare` rests:

* Counted is what the tape recorded: operations that depend on the inputs. Loading inputs and constants is free.
* A row of the op table counts as one operation of its class: ADD as "add", MUL as "mult", NONLINEAR as "nonlinear".
* A division is a reciprocal (nonlinear) and a multiplication; a reciprocal alone is nonlinear.
* ``x**2`` on a traced float is a power (nonlinear); ``x*x`` and ``np.square(x)`` are multiplications.
* A choice (SELECT: abs, max ...) or a rounding (STEP: floor, sign ...) costs a comparison, priced as an addition.
* An array operation counts once an element; a sum of k elements is k - 1 additions; a product (m, k) @ (k, n) is
  m k n multiplications and m (k - 1) n additions.
* An element copied or picked (MOVE) is a "const": one store.
* A call to a primitive without a row (linear algebra, a rule of the user's) has no price; such calls are counted and
  reported beside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from . import _core

__all__ = ["CLASSES", "COMPLEX", "DEFAULT", "GRADIENT", "TANGENT", "VALUE", "Operations", "Weights", "bounds", "price"]

CLASSES = ("const", "add", "mult", "nonlinear")

#: class -> (moves, adds, mults, nonlinear)
VALUE = {"const": (1, 0, 0, 0), "add": (3, 1, 0, 0), "mult": (3, 0, 1, 0), "nonlinear": (2, 0, 0, 1)}
#: value and one tangent
TANGENT = {"const": (2, 0, 0, 0), "add": (6, 2, 0, 0), "mult": (6, 1, 3, 0), "nonlinear": (4, 0, 1, 2)}
#: value and one adjoint
GRADIENT = {"const": (2, 0, 0, 0), "add": (9, 3, 0, 0), "mult": (11, 2, 3, 0), "nonlinear": (7, 1, 1, 2)}
#: value in complex arithmetic: twice the moves; a product is four and two additions; exp, sin ... of a + ib take four
#: real functions and two products
COMPLEX = {"const": (2, 0, 0, 0), "add": (6, 2, 0, 0), "mult": (6, 2, 4, 0), "nonlinear": (4, 0, 2, 4)}

_CLASS = {"MOVE": "const", "ADD": "add", "MUL": "mult", "NONLINEAR": "nonlinear", "SELECT": "add", "STEP": "add"}
#: rows that are more than their class says: they contain a reciprocal
DIVISIONS = {"divide": ("mult", "nonlinear"), "reciprocal": ("nonlinear",)}


@dataclass(frozen=True)
class Weights:
    """Price of one move, addition, multiplication and nonlinear function.

    Parameters
    ----------
    moves, adds, mults, nonlinear : float
        What one of each costs, in a unit of your choice; ratios are what the library prints.

    Examples
    --------
    >>> from dualad.compare import Weights
    >>> str(Weights())
    'move 1, add 1, multiply 1, nonlinear 2'
    """

    moves: float = 1
    adds: float = 1
    mults: float = 1
    nonlinear: float = 2

    def __str__(self) -> str:
        return f"move {self.moves:g}, add {self.adds:g}, multiply {self.mults:g}, nonlinear {self.nonlinear:g}"


DEFAULT = Weights()


def price(work: tuple[int, int, int, int], weights: Weights = DEFAULT) -> float:
    """Weighted sum of a vector of work.

    Parameters
    ----------
    work : tuple of 4 int
        Moves, additions, multiplications, nonlinear functions: an entry of VALUE, TANGENT, GRADIENT or COMPLEX.
    weights : Weights

    Returns
    -------
    float
        In units of a price of 1.

    Examples
    --------
    >>> from dualad.cost import GRADIENT, VALUE, price
    >>> price(GRADIENT["mult"]) / price(VALUE["mult"])
    4.0
    """
    moves, adds, mults, nonlinear = work
    return moves * weights.moves + adds * weights.adds + mults * weights.mults + nonlinear * weights.nonlinear


def bounds(table: Mapping[str, tuple[int, int, int, int]], weights: Weights = DEFAULT, classes: Sequence[str] = CLASSES
           ) -> tuple[float, float]:
    """Least and greatest price of a table's derivative in units of the value, over classes of operations.

    A program's own ratio is a mean of its operations' ratios, so it lies between the two, whatever the program.

    Parameters
    ----------
    table : mapping
        TANGENT, GRADIENT or COMPLEX.
    weights : Weights
    classes : sequence of str
        Those the program uses; classes whose value is free at these weights have no ratio and are left out.

    Returns
    -------
    least, greatest : float
        NaN when no class has a ratio.

    Examples
    --------
    >>> from dualad.cost import GRADIENT, TANGENT, Weights, bounds
    >>> bounds(TANGENT, classes=("add", "mult", "nonlinear")), bounds(GRADIENT, classes=("add", "mult", "nonlinear"))
    ((2.0, 2.5), (3.0, 4.0))
    >>> bounds(GRADIENT, Weights(moves=0))
    (3.0, 5.0)
    """
    priced = [name for name in classes if price(VALUE[name], weights)]
    ratios = [price(table[name], weights) / price(VALUE[name], weights) for name in priced]
    return (min(ratios), max(ratios)) if ratios else (float("nan"), float("nan"))


@dataclass(frozen=True)
class Operations:
    """How many operations of each class a program executes.

    Parameters
    ----------
    const, add, mult, nonlinear : int
        Operations of the four classes.
    calls : int
        Calls to primitives that have no price.

    Examples
    --------
    >>> from dualad.compare import Operations
    >>> ops = Operations(add=2, mult=1, nonlinear=2)   # ln x1 + x1 x2 - sin x2
    >>> ops.value(), ops.tangent(), ops.gradient()
    (20, 44, 66)
    """

    const: int = 0
    add: int = 0
    mult: int = 0
    nonlinear: int = 0
    calls: int = 0

    @classmethod
    def from_histogram(cls, histogram: Mapping[str, int]) -> Operations:
        """Sort the counters of a tape, ``{row of the op table, "move" or "call": how often}``, into classes."""
        totals = dict.fromkeys(CLASSES, 0)
        calls = 0
        for name, count in histogram.items():
            if name == "call":
                calls += count
            elif name == "move":
                totals["const"] += count
            else:
                for part in DIVISIONS.get(name) or (_CLASS[_ROWS[name]],):
                    totals[part] += count
        return cls(calls=calls, **totals)

    def _total(self, table: Mapping[str, tuple[int, int, int, int]], weights: Weights) -> float:
        return sum(getattr(self, name) * price(table[name], weights) for name in CLASSES)

    def value(self, weights: Weights = DEFAULT) -> float:
        """Price of one value of the function."""
        return self._total(VALUE, weights)

    def tangent(self, weights: Weights = DEFAULT) -> float:
        """Price of one value and one tangent."""
        return self._total(TANGENT, weights)

    def gradient(self, weights: Weights = DEFAULT) -> float:
        """Price of one value and one adjoint."""
        return self._total(GRADIENT, weights)

    def complex_value(self, weights: Weights = DEFAULT) -> float:
        """Price of one value in complex arithmetic."""
        return self._total(COMPLEX, weights)

    def classes(self) -> tuple[str, ...]:
        """The classes of operations it executes.

        Examples
        --------
        >>> from dualad.compare import Operations
        >>> Operations(add=2, mult=1).classes()
        ('add', 'mult')
        """
        return tuple(name for name in CLASSES if getattr(self, name))

    def break_even(self, weights: Weights = DEFAULT, *, separate: bool = False) -> float:
        """Inputs per output n/m from which reverse costs less than forward.

        Parameters
        ----------
        weights : Weights
        separate : bool
            False: all tangents ride in one run, and one recording serves all adjoints: 1.8 (nonlinear) to 2 (add,
            mult). True: a run for every tangent and for every adjoint: 1.44 to 1.6.

        Returns
        -------
        float
            NaN for a program without operations.

        Examples
        --------
        >>> from dualad.compare import Operations
        >>> Operations(mult=5).break_even(), Operations(mult=5).break_even(separate=True)
        (2.0, 1.6)
        """
        value, tangent, gradient = self.value(weights), self.tangent(weights), self.gradient(weights)
        base = 0 if separate else value
        return (gradient - base) / (tangent - base) if tangent > base else float("nan")


_ROWS = {row["name"]: row["cls"] for row in _core.rows()}

"""Experiment "accuracy": the error of a derivative against the step, from 1e-1 to 1e-300.

A difference quotient has two errors: what the series leaves off grows with the step, and the rounding of f, divided by the
step, grows as it shrinks. Together they make a V, whose bottom keeps half of the digits (forward) or two thirds (central).
The complex step subtracts nothing, so its error falls until rounding alone is left, and stays there. Dual numbers and the
reverse sweep have no step at all. The reference is computed in decimal arithmetic of 60 digits from the derivative by hand.

References: W. Squire & G. Trapp, *Using complex variables to estimate derivatives of real functions*, SIAM Review 40, 1998
(two of the functions); A. Griewank & A. Walther, *Evaluating Derivatives*, 2nd ed., SIAM 2008, section
1.1; N. Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd ed., SIAM 2002, section 1.14.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np

from ..api import derivative, grad
from .figure import Curve, Figure, Mark, Table
from .methods import DisagreementError
from .options import sizes
from .progress import Progress, silent
from .registry import Argument, register
from .result import Result

__all__ = ["FUNCTIONS", "METHODS", "AccuracyResult", "AccuracyRow", "Function", "accuracy", "decimal_sin_cos"]

#: digits of the reference
DIGITS = 60
EPS = float(np.finfo(float).eps)
#: errors below a quarter of an ulp are drawn there: a logarithm has no zero
FLOOR = EPS / 8
#: a derivative by duals or adjoints that is further off than this is wrong
TOLERANCE = 1e-12
SMALLEST = 300
#: the series of sine takes more terms the further out it is
FARTHEST = 20.0

METHODS: Mapping[str, str] = MappingProxyType({
    "differences": "(f(x + h) - f(x)) / h",
    "central": "(f(x + h) - f(x - h)) / 2h",
    "complex": "Im f(x + ih) / h",
    "forward": "dual numbers, no step",
    "reverse": "recording and reverse sweep, no step",
})


# ---- functions and their derivatives in decimal arithmetic --------------------------------------------------------------

def decimal_sin_cos(x: Decimal) -> tuple[Decimal, Decimal]:
    """Sine and cosine by their series, to the precision of the current context.

    Examples
    --------
    >>> from decimal import Decimal
    >>> from dualad.compare.accuracy import decimal_sin_cos
    >>> s, c = decimal_sin_cos(Decimal(1))
    >>> print(f"{s:.20f}", abs(s * s + c * c - 1) < Decimal("1e-26"))
    0.84147098480789650665 True
    """
    with localcontext() as context:
        wanted = context.prec
        context.prec += 5 + int(abs(x) / 2)  # terms grow to exp(|x|) and cancel
        total, term, k = [Decimal(0), Decimal(0)], Decimal(1), 0
        while k < abs(x) or abs(term) > Decimal(10) ** -(wanted + 5):
            total[k % 2] += term if k % 4 < 2 else -term
            k += 1
            term = term * x / k
    return +total[1], +total[0]


@dataclass(frozen=True)
class Function:
    """A function of one number, and its derivative to any precision.

    Parameters
    ----------
    formula : str
    f : callable
        Of a float, a complex number or a traced float.
    exact : callable
        The derivative, of a Decimal.
    x : float
        The point.
    """

    formula: str
    f: Callable[[Any], Any]
    exact: Callable[[Decimal], Decimal]
    x: float


def _trapp(x: Any) -> Any:
    return np.exp(x) / (np.sin(x) ** 3 + np.cos(x) ** 3)


def _trapp_exact(x: Decimal) -> Decimal:
    s, c = decimal_sin_cos(x)
    below = s**3 + c**3
    return x.exp() * (below - 3 * s * s * c + 3 * c * c * s) / below**2


def _lecture(x: Any) -> Any:
    return np.cos(np.sin(x * x) + 3.0 * (x * x))


def _lecture_exact(x: Decimal) -> Decimal:
    s, c = decimal_sin_cos(x * x)
    outer, _ = decimal_sin_cos(s + 3 * x * x)
    return -outer * (c + 3) * 2 * x


FUNCTIONS: Mapping[str, Function] = MappingProxyType({
    "power": Function("x^(9/2)", lambda x: x**4.5, lambda x: Decimal("4.5") * x**3 * x.sqrt(), 1.5),
    "trapp": Function("exp(x) / (sin(x)^3 + cos(x)^3)", _trapp, _trapp_exact, 1.5),
    "lecture": Function("cos(sin(x^2) + 3 x^2)", _lecture, _lecture_exact, 1.0),
    "exp": Function("exp(x)", np.exp, lambda x: x.exp(), 1.0),
})


# ---- result ------------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class AccuracyRow:
    """Relative errors at one step.

    Parameters
    ----------
    exponent : int
        The step is 10^-exponent.
    errors : mapping of str to float
        Method to |derivative - exact| / |exact|.
    """

    exponent: int
    errors: Mapping[str, float]

    @property
    def step(self) -> float:
        """The step as a number."""
        return float(f"1e-{self.exponent}")


@dataclass(frozen=True)
class AccuracyResult(Result, name="accuracy", rows=(AccuracyRow,)):
    """Errors against the step.

    Parameters
    ----------
    orders : mapping of str to float
        |f|, and |f''|, |f'''| by nested duals, all relative to |f'|: what predicts the V of the quotients.

    Examples
    --------
    >>> from dualad import compare
    >>> r = compare.accuracy("power")
    >>> 1e-9 < r.best("differences")[1] < 1e-6, r.best("complex")[1] < 1e-15, r.best("forward")[1] < 1e-15
    (True, True, True)
    """

    orders: Mapping[str, float] = field(default_factory=dict)
    exact: ClassVar[bool] = False

    def best(self, method: str) -> tuple[float, float]:
        """The step with the smallest error of a method, and that error."""
        row = min(self.rows, key=lambda row: float(row.errors[method]))
        return row.step, float(row.errors[method])

    def predicted(self, method: str, step: float) -> float:
        """Relative error of "differences" or "central" at a step, by its two terms: the series left off, and rounding.

        Notes
        -----
        forward: h |f''| / 2 + eps |f| / h;  central: h^2 |f'''| / 6 + eps |f| / 2h, all over |f'|. Rounding is taken as half an
        ulp for each value of f; it is what the error may be, and often is less.
        """
        rounding = EPS * self.orders["f"] / step
        if method == "differences":
            return step * self.orders["f''"] / 2 + rounding
        if method == "central":
            return step * step * self.orders["f'''"] / 6 + rounding / 2
        raise ValueError(f"there is no prediction for {method!r}, but for differences and central")

    def predicted_step(self, method: str) -> float:
        """The step at which :meth:`predicted` is least."""
        if method == "differences":
            return math.sqrt(2 * EPS * self.orders["f"] / self.orders["f''"])
        if method == "central":
            return float((1.5 * EPS * self.orders["f"] / self.orders["f'''"]) ** (1 / 3))
        raise ValueError(f"there is no prediction for {method!r}, but for differences and central")

    def tables(self) -> tuple[Table, ...]:
        shown = [row for row in self.rows if row.exponent <= 20 or row.exponent in (50, 100, 200, 300)]
        errors = Table("Relative error of the derivative, by the step h", ("h", *METHODS),
                       tuple((f"1e-{row.exponent}", *(row.errors[name] for name in METHODS)) for row in shown),
                       "Against the derivative by hand in decimal arithmetic of 60 digits; half an ulp is 1.1e-16.")
        best = Table("The best each method can do", ("method", "best step", "error there", "digits", "predicted step", "how"),
                     tuple(self._best_row(name, how) for name, how in METHODS.items()))
        return errors, best

    def _best_row(self, name: str, how: str) -> tuple[object, ...]:
        step, error = self.best(name)
        steps = name not in ("forward", "reverse")
        digits = round(-math.log10(max(error, EPS / 2)), 1)
        predicted = f"{self.predicted_step(name):.1e}" if name in ("differences", "central") else None
        return name, f"{step:.0e}" if steps else None, error, digits, predicted, how

    def figures(self) -> tuple[Figure, ...]:
        near = tuple(row for row in self.rows if row.exponent <= 20)
        figures = [self._figure("accuracy-v", "Error of the derivative near the V", near, True)] if len(near) > 1 else []
        if len(self.rows) > len(near):
            figures.append(self._figure("accuracy-steps", "Error of the derivative, all steps", self.rows, False))
        return tuple(figures)

    def _figure(self, name: str, title: str, rows: Sequence[AccuracyRow], theory: bool) -> Figure:
        steps = tuple(row.step for row in rows)
        curves = []
        if theory:
            both = [[value if (value := self.predicted(method, h)) <= 1 else None for h in steps]
                    for method in ("differences", "central")]
            curves.append(Curve("predicted: series left off, and rounding", (*steps, steps[-1], *steps), (*both[0], None, *both[1]),
                                "theory", "line"))
        flat = rows[0].errors["forward"] == rows[0].errors["reverse"]
        for method, how in METHODS.items():
            if method == "reverse" and flat:
                continue
            errors = tuple(max(float(row.errors[method]), FLOOR) for row in rows)
            label = "forward and reverse: no step" if method == "forward" and flat else f"{method}: {how}"
            curves.append(Curve(label, steps, errors, method, "line" if method in ("forward", "reverse") else "points"))
        (first, low), (middle, lower) = self.best("differences"), self.best("central")
        caption = (f"Differences make a V: too long a step leaves off too much of the series, too short a one divides rounding by "
                   f"nearly nothing. At best {low:.1g} (h = {first:.0e}) and {lower:.1g} (central, h = {middle:.0e}) are left. "
                   "The complex step and both modes of dualad end at the rounding of one number.") if theory else (
                   f"The same down to h = {steps[-1]:.0e}: the V is a notch at the right, and beyond it a quotient keeps no digit. "
                   "The complex step may be as short as floats go, for nothing is subtracted; both modes of dualad have no step.")
        alt = (f"Log-log plot of the relative error against the step from {steps[0]:.0e} to {steps[-1]:.0e}: the two difference "
               f"quotients fall to {low:.1g} and {lower:.1g} and rise again to 1, the complex step falls to "
               f"{self.best('complex')[1]:.1g} and stays, forward and reverse are flat at {self.best('forward')[1]:.1g} and "
               f"{self.best('reverse')[1]:.1g}.")
        mark = Mark("half an ulp", y=EPS / 2)
        return Figure(name, title, "step h", "relative error", caption, alt, tuple(curves), None, (mark,))

    def reading(self) -> tuple[str, ...]:
        first, low = self.best("differences")
        middle, lower = self.best("central")
        complex_error = self.best("complex")[1]
        worst = max(self.best(name)[1] for name in ("forward", "reverse"))
        lines = [f"Forward differences do best at h = {first:.0e}: {_digits(low)} digits are right. Predicted: h = "
                 f"{self.predicted_step('differences'):.0e}, the square root of rounding over curvature.",
                 f"Central differences do best at h = {middle:.0e}: {_digits(lower)} digits."
                 f" Predicted: h = {self.predicted_step('central'):.0e}, a cube root."]
        gone = [row for row in self.rows if row.errors["differences"] == 1.0 and row.errors["central"] == 1.0]
        if gone:
            lines.append(f"From h = {gone[0].step:.0e} on both quotients are exactly 0: x + h is x, and no digit is left.")
        last = self.rows[-1]
        lines.append(f"The complex step never subtracts: {_digits(complex_error)} digits, still at h = {last.step:.0e} "
                     f"(error {last.errors['complex']:.1g}). It needs f in complex arithmetic.")
        lines.append(f"What you see: dual numbers and the reverse sweep have no step to choose and are flat at {worst:.1g} "
                     f"({_digits(worst)} digits): what is left is the rounding of the program itself.")
        return tuple(lines)


def _digits(error: float) -> str:
    return f"{-math.log10(max(error, EPS / 2)):.0f}"


# ---- experiment --------------------------------------------------------------------------------------------------------

def accuracy(function: str = "trapp", at: Sequence[int] | None = None, *, x: float | None = None,
             progress: Progress = silent) -> AccuracyResult:
    """Error of a derivative against the step h: differences, the complex step, and automatic differentiation.

    Parameters
    ----------
    function : {"trapp", "power", "lecture", "exp"}
        exp(x) / (sin(x)^3 + cos(x)^3) and x^(9/2), after of Squire & Trapp (1998); cos(sin(x^2) + 3 x^2) of the lectures; exp(x).
    at : sequence of int, optional
        Exponents e of the steps h = 10^-e, from 1 to 300, increasing; by default 1 to 20, then every tenth to 300.
    x : float, optional
        The point; each function has one of its own.
    progress : callable

    Returns
    -------
    AccuracyResult
        ``.rows``, ``.best(method)``, ``.predicted(method, step)``.

    Raises
    ------
    ValueError
        A function, a step or a point that there is not.
    DisagreementError
        Forward or reverse mode is off by more than rounding.

    Notes
    -----
    Cost: five evaluations of f for each step. Nothing is timed.

    Examples
    --------
    >>> from dualad import compare
    >>> r = compare.accuracy("exp", [1, 8, 20])
    >>> r.rows[2].errors["differences"]
    1.0
    """
    if function not in FUNCTIONS:
        raise ValueError(f"no function {function!r}; there are {', '.join(FUNCTIONS)}")
    chosen = FUNCTIONS[function]
    f, point = chosen.f, chosen.x if x is None else float(x)
    exponents = (*range(1, 21), *range(30, SMALLEST + 1, 10)) if at is None else tuple(int(e) for e in at)
    if not exponents or list(exponents) != sorted(set(exponents)) or list(exponents) != list(at or exponents):
        raise ValueError(f"exponents of the step must be whole numbers that increase: {list(at or ())}")
    if exponents[0] < 1 or exponents[-1] > SMALLEST:
        raise ValueError(f"exponents of the step go from 1 to {SMALLEST}, not {exponents[0]} to {exponents[-1]}")
    if not abs(point) <= FARTHEST:
        raise ValueError(f"x lies between -{FARTHEST:g} and {FARTHEST:g}, not at {point}")
    progress(f"{function} at {point:g}")
    with localcontext() as context:
        context.prec = DIGITS
        try:
            exact = chosen.exact(Decimal(point))
        except ArithmeticError as error:
            raise ValueError(f"{chosen.formula} has no derivative at {point}") from error
        if not exact.is_finite() or abs(exact) < Decimal("1e-100") or not math.isfinite(float(f(point))):
            raise ValueError(f"{chosen.formula} has the derivative {float(exact):g} at {point}: errors relative to it say nothing")
        flat = {"forward": _error(derivative(f)(point), exact), "reverse": _error(grad(f)(point), exact)}
        for name, off in flat.items():
            if not off <= TOLERANCE:
                raise DisagreementError(f"{name} mode and the derivative by hand of {chosen.formula} at {point:g} disagree: "
                                        f"relative error {off:.3g}")
        rows = tuple(AccuracyRow(e, {**_stepped(f, point, float(f"1e-{e}"), exact), **flat}) for e in exponents)
    second, third = derivative(derivative(f)), derivative(derivative(derivative(f)))
    scale = abs(float(exact))
    orders = {"f": abs(float(f(point))) / scale, "f''": abs(second(point)) / scale, "f'''": abs(third(point)) / scale}
    settings = {"function": function, "at": None if at is None else list(exponents), "x": x}
    return AccuracyResult(f"{function}: d/dx {chosen.formula} at x = {point:g}", settings, rows, (), {}, orders)


def _stepped(f: Callable[[Any], Any], x: float, h: float, exact: Decimal) -> dict[str, float]:
    return {
        "differences": _error((f(x + h) - f(x)) / h, exact),
        "central": _error((f(x + h) - f(x - h)) / (2 * h), exact),
        "complex": _error(complex(f(complex(x, h))).imag / h, exact),
    }


def _error(found: Any, exact: Decimal) -> float:
    return float(abs((Decimal(float(found)) - exact) / exact))


def number(text: str) -> float:
    """A number."""
    return float(text)


register(
    "accuracy", "error of a derivative against the step h = 1e-1 .. 1e-300", accuracy,
    Argument("function", str, "trapp", "what is differentiated", tuple(FUNCTIONS)),
    Argument("at", sizes, None, "exponents e of the steps 10^-e: 1:20:+1 (default 1 to 300)", metavar="EXPONENTS"),
    Argument("x", number, None, "the point (default: each function has its own)"),
)

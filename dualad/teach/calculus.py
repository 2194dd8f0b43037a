"""Exercises with numbers: rules, gradients, composites, higher orders, Taylor polynomials."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import derivative, grad, hessian, jacobian, jvp
from .exercise import Exercise, Mistake, by, choice, directional, number, second

__all__ = ["EXERCISES"]


def _quiz1(x: Any, z: Any) -> Any:
    return np.exp(x * z) + x * z / np.log(x) + np.sin(np.log(x)) / (x * z)


def _ellipse(x: Any) -> Any:
    return x[0] ** 2 + 2.0 * x[1] ** 2


def _across(gradient: Any) -> Any:
    """The direction of the contour line: a quarter turn from the gradient."""
    return np.array([-gradient[1], gradient[0]]) / np.linalg.norm(gradient)


def _spiral(t: Any) -> Any:
    return np.exp((t * np.cos(t)) * (t * np.sin(t)) ** 2)


def _on_spiral(s: Any, t: Any) -> Any:
    return (s * np.cos(t)) ** 2 * (s * np.sin(t))


def _sqrt_plus_cos(x: Any) -> Any:
    a = x**2
    c = a + np.exp(a)
    return np.sqrt(c) + np.cos(c)


def _square_of_sum(x: Any, y: Any) -> Any:
    return (x + 2.0 * y**3) ** 2


def _cubic(x1: Any, x2: Any) -> Any:
    return x1**2 * x2 + x1 * x2**3


def _cubic_of(x: Any) -> Any:
    return _cubic(x[0], x[1])


def _coefficients(f: Callable[[Any], Any], x0: float, order: int) -> np.ndarray[Any, Any]:
    """f^(k)(x0) / k!, by nested derivatives."""
    found, factorial = [float(f(x0))], 1.0
    for k in range(1, order + 1):
        f = derivative(f)
        factorial *= k
        found.append(float(f(x0)) / factorial)
    return np.array(found)


def _without_factorials(f: Callable[[Any], Any], x0: float, order: int) -> Any:
    return _coefficients(f, x0, order) * np.cumprod([1.0, *range(1, order + 1)])


def _saddle(x: Any, y: Any) -> Any:
    return x * y * (x**2 - y**2) / (x**2 + y**2)


def _ripple(x: Any, y: Any) -> Any:
    return y**3 / (x**2 + y**2)


def _scalar(name: str, rows: tuple[str, ...], text: str, f: Callable[..., Any], at: dict[str, Any], asks: str) -> Exercise:
    """One function of one number, one derivative."""
    (wrt,) = at
    return Exercise(name, rows, "rules of differentiation", text, at, {f"d{wrt}": by(f, wrt, asks)})


FACTORIALS = Mistake("factor", lambda **at: _without_factorials(np.exp, 0.0, 3) * np.array([1.0, 2.0, 4.0, 8.0]),
                     "these are the derivatives: divide the k-th by k!")

EXERCISES = (
    _scalar("power-rule", ("L01",), "Differentiate y = x^5.", lambda x: x**5, {"x": 1.5}, "dy/dx"),
    _scalar("product-rule", ("L01",), "Differentiate y = x^3 e^(2x).", lambda x: x**3 * np.exp(2.0 * x), {"x": 0.7}, "dy/dx"),
    _scalar("quotient-rule", ("L01",), "Differentiate y = log(x) / x^2.", lambda x: np.log(x) / x**2, {"x": 2.5}, "dy/dx"),
    _scalar("chain-rule", ("L01", "L11"), "Differentiate y = sin(x^3).", lambda x: np.sin(x**3), {"x": 1.3}, "dy/dx"),
    _scalar("chain-twice", ("L01", "L11"), "Differentiate y = log(1 + e^(3x)).", lambda x: np.log(1.0 + np.exp(3.0 * x)),
            {"x": 0.4}, "dy/dx"),
    _scalar("sum-rule", ("L01",), "Differentiate y = 4x^3 - 5 log(x) + e^x.", lambda x: 4.0 * x**3 - 5.0 * np.log(x) + np.exp(x),
            {"x": 1.6}, "dy/dx"),
    Exercise("second-derivative", ("L02",), "higher orders", "Differentiate y = x^4 - 3x^2 twice.", {"x": 1.4},
             {"d2x": second(lambda x: x**4 - 3.0 * x**2, lambda x: 4.0 * x**3 - 6.0 * x, "x", "d2y/dx2")}),
    Exercise("third-derivative", ("L02",), "higher orders", "Differentiate y = x e^x three times.", {"x": 0.8}, {
        "d3x": number("d3y/dx3", lambda x: derivative(derivative(derivative(lambda x: x * np.exp(x))))(x),
                      Mistake("wrong order", lambda x: derivative(derivative(lambda x: x * np.exp(x)))(x),
                          "this is the second derivative"),
                      Mistake("wrong order", lambda x: derivative(lambda x: x * np.exp(x))(x), "this is the first derivative"),
                      Mistake("missed path", lambda x: np.exp(x) * x,
                          "product rule: every differentiation leaves a second term"))}),
    Exercise("maximum-or-minimum", ("L02",), "higher orders", "f'(1) = 0 for f = 5 - (x - 1)^2. What is at x = 1?", {}, {
        "is": choice("the point is", "maximum", minimum="f'' = -2 is negative: f' falls there", line="f'' = -2 is not zero")}),
    Exercise("absolute-value", ("L03",), "kinks", "f = |x| has no derivative at 0, but a set of subgradients, an interval.", {}, {
        "left": number("f'(-2)", lambda: derivative(np.abs)(-2.0)),
        "low": number("the smallest subgradient at 0", lambda: derivative(np.abs)(-1.0)),
        "high": number("the largest subgradient at 0", lambda: derivative(np.abs)(1.0))}),
    Exercise("relu", ("L03",), "kinks", "f = max(0, x). At 0 every slope between two numbers is a subgradient.", {}, {
        "right": number("f'(2)", lambda: derivative(lambda x: np.maximum(0.0, x))(2.0)),
        "low": number("the smallest subgradient at 0", lambda: derivative(lambda x: np.maximum(0.0, x))(-1.0)),
        "high": number("the largest subgradient at 0", lambda: derivative(lambda x: np.maximum(0.0, x))(1.0))}),
    Exercise("parabola", ("L04",), "gradients", "f = x1^2 + 2 x2^2. Write the gradient as a list of two.",
             {"x": np.array([1.5, 0.6])}, {"gradient": by(_ellipse, "x", "df/dx")}),
    Exercise("contour", ("L04", "L28"), "gradients",
        "f = x1^2 + 2 x2^2. How steep is f along the contour line through the point, and "
             "how steep straight up, in the direction of the gradient (a direction has length one)?", {"x": np.array([1.0, 1.0])}, {
                 "along": number("slope along the contour", lambda x: float(jvp(_ellipse, (x,), (_across(grad(_ellipse)(x)),))[1])),
                 "up": number("largest slope", lambda x: float(np.linalg.norm(grad(_ellipse)(x))),
                              Mistake("factor", lambda x: 20.0, "the direction has to have length one"))}),
    Exercise("difference-quotient", ("L10",), "difference quotients",
        "f = x^3. Take the difference quotient forwards with the step h, and "
             "say how far it is from the derivative.", {"x": 2.0, "h": 0.1}, {
                 "quotient": number("(f(x + h) - f(x)) / h", lambda x, h: ((x + h) ** 3 - x**3) / h,
                                    Mistake("not differentiated", lambda x, h: (x + h) ** 3 - x**3, "divide by h"),
                                    Mistake("sign", lambda x, h: (x**3 - (x - h) ** 3) / h, "this is the quotient backwards")),
                 "error": number("quotient - f'(x)", lambda x, h: ((x + h) ** 3 - x**3) / h - derivative(lambda x: x**3)(x))}),
    Exercise("small-change", ("L11",), "rules of differentiation",
        "z = y^3 with y = 2x + 1. By how much does z change, to first order, "
             "when x changes by dx?", {"x": 0.7, "dx": 0.01}, {
                 "slope": by(lambda x, dx: (2.0 * x + 1.0) ** 3, "x", "dz/dx"),
                 "change": directional(lambda x: (2.0 * x + 1.0) ** 3, "x", "dx", "(dz/dx) dx")}),
    Exercise("quiz1", ("L19",), "gradients", "y = exp(xz) + xz / log(x) + sin(log(x)) / (xz).", {"x": 2.0, "z": 3.0}, {
        "dx": by(_quiz1, "x", "dy/dx", decimals=0), "dz": by(_quiz1, "z", "dy/dz", decimals=0)},
        lambda rng: {"x": rng.uniform(1.3, 1.8), "z": rng.uniform(0.5, 1.2)}),
    _scalar("cosine-of-sum", ("L20",), "J = cos(sin(x^2) + 3x^2).", lambda x: np.cos(np.sin(x**2) + 3.0 * x**2), {"x": 1.2},
        "dJ/dx"),
    Exercise("taylor-exponential", ("L34",), "Taylor polynomials",
        "The Taylor polynomial of order 3 of e^(2x) at 0, as a list of the "
             "coefficients of 1, x, x^2, x^3.", {}, {
                 "coefficients": number("a list of four", lambda: _coefficients(lambda x: np.exp(2.0 * x), 0.0, 3), FACTORIALS,
                                        Mistake("chain factor", lambda: _coefficients(np.exp, 0.0, 3), "chain rule: (2x)' = 2"))}),
    Exercise("taylor-logarithm", ("L34",), "Taylor polynomials",
        "The Taylor polynomial of order 3 of log(1 + x) at 0, as a list of the "
             "coefficients of 1, x, x^2, x^3.", {}, {
                 "coefficients": number("a list of four", lambda: _coefficients(lambda x: np.log(1.0 + x), 0.0, 3),
                                        Mistake("factor", lambda: _without_factorials(lambda x: np.log(1.0 + x), 0.0, 3),
                                                "these are the derivatives: divide the k-th by k!"),
                                        Mistake("sign", lambda: np.abs(_coefficients(lambda x: np.log(1.0 + x), 0.0, 3)),
                                                "the signs alternate"))}),
    Exercise("square-of-sum", ("L35",), "gradients", "f = (x + 2y^3)^2.", {"x": 0.9, "y": 0.6}, {
        "dx": by(_square_of_sum, "x", "df/dx"), "dy": by(_square_of_sum, "y", "df/dy")}),
    Exercise("cubic", ("L35",), "gradients", "f = x1^2 x2 + x1 x2^3.", {"x1": 1.3, "x2": 0.7}, {
        "d1": by(_cubic, "x1", "df/dx1"), "d2": by(_cubic, "x2", "df/dx2")}),
    Exercise("on-a-circle", ("L36",), "composites", "f = x1^2 + 2 x2 with x1 = sin t and x2 = cos t.", {"t": 0.8}, {
        "dt": by(lambda t: np.sin(t) ** 2 + 2.0 * np.cos(t), "t", "df/dt")}),
    Exercise("on-a-spiral", ("L36",), "composites", "h = exp(x1 x2^2) with x1 = t cos t and x2 = t sin t.", {"t": 1.1}, {
        "dt": by(_spiral, "t", "dh/dt")}),
    Exercise("polar", ("L36",), "composites", "f = x1^2 x2 with x1 = s cos t and x2 = s sin t.", {"s": 1.4, "t": 0.5}, {
        "ds": by(_on_spiral, "s", "df/ds"), "dt": by(_on_spiral, "t", "df/dt")}),
    Exercise("square-root-and-cosine", ("L40",), "rules of differentiation", "f = sqrt(c) + cos(c) with c = a + e^a and a = x^2.",
             {"x": 0.8}, {"dx": by(_sqrt_plus_cos, "x", "df/dx")}),
    Exercise("hessian", ("L43",), "higher orders", "f = x1^2 x2 + x1 x2^3. Write the Hessian as a list of two rows.",
             {"x": np.array([1.3, 0.7])}, {"H": number(
                 "the matrix of second derivatives", lambda x: hessian(_cubic_of)(x),
                 Mistake("wrong order", lambda x: grad(_cubic_of)(x), "this is the gradient"),
                 Mistake("missed path", lambda x: np.diag(np.diag(hessian(_cubic_of)(x))), "the mixed derivatives are not zero"),
                 *(Mistake("missed path", lambda x, mixed=mixed: hessian(_cubic_of)(x) * np.eye(2) + mixed(x) * (1.0 - np.eye(2)),
                           "both terms of f have a mixed derivative")
                   for mixed in (lambda x: 2.0 * x[0], lambda x: 3.0 * x[1] ** 2)))}),
    Exercise("linearise", ("L44",), "Taylor polynomials", "f = x1^2 x2 + x1 x2^3. Approximate f at x + d by f(x) + (df/dx) d.",
             {"x": np.array([1.0, 2.0]), "d": np.array([0.1, -0.2])}, {
                 "value": number("the linear approximation", lambda x, d: float(_cubic_of(x) + jvp(_cubic_of, (x,), (d,))[1]),
                                 Mistake("dropped term", lambda x, d: float(jvp(_cubic_of, (x,), (d,))[1]), "add f(x)"),
                                 *(Mistake("dropped term", lambda x, d, only=only: float(_cubic_of(x) + jvp(
                                     _cubic_of, (x,), (d * only,))[1]), "d has two entries, and each changes f")
                                     for only in np.eye(2)),
                                 Mistake("sign", lambda x, d: float(_cubic_of(x) - jvp(_cubic_of, (x,), (d,))[1]), "d is added"),
                                 Mistake("wrong order", lambda x, d: float(_cubic_of(x + d)), "this is f itself at x + d"))}),
    Exercise("directional", ("L28",), "directions", "f = x1^2 x2 + x1 x2^3. What is the slope of f in the direction v?",
             {"x": np.array([1.3, 0.7]), "v": np.array([0.6, -0.8])}, {"slope": directional(_cubic_of, "x", "v", "d_v f")}),
    Exercise("not-differentiable", ("L29",), "directions",
        "f = y^3 / (x^2 + y^2), and f = 0 at the origin. All directional derivatives "
             "exist there. Compare the one along v = (1, 1) with what the partial derivatives promise.", {}, {
                 "slope": number("d_v f at the origin", lambda: derivative(lambda t: _ripple(t, t))(1.0)),
                 "promise": number("(df/dx) 1 + (df/dy) 1 at the origin", lambda: derivative(lambda t: _ripple(0.0 * t, t))(1.0))}),
    Exercise("along-a-parabola", ("E4", "L29"), "directions",
        "f = x^3 y / (x^4 + y^2), and f = 0 at the origin, has slope 0 along every "
             "straight line. What is its slope at the origin along the curve y = x^2, x = t?", {}, {
                 "slope": number("d/dt f(t, t^2)", lambda: derivative(lambda t: t**5 / (t**4 + t**4))(0.5),
                                 Mistake("not differentiated", lambda: 0.0, "along the curve, not along its tangent"))}),
    Exercise("mixed-partials", ("E5", "L43"), "higher orders",
        "f = xy (x^2 - y^2) / (x^2 + y^2), and f = 0 at the origin. Take the "
             "mixed derivatives there in both orders: df/dx along the y axis, df/dy along the x axis.", {}, {
                 "xy": number("d/dy (df/dx) at the origin", lambda: float(jacobian(_saddle, 0)(0.0, 1.0))),
                 "yx": number("d/dx (df/dy) at the origin", lambda: float(jacobian(_saddle, 1)(1.0, 0.0)))}),
)  # fmt: skip

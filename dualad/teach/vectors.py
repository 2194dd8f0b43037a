"""Exercises with vectors and matrices: rules, shapes and layouts, regressions, linear maps, matrix identities."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import grad, jacobian, jvp, layout
from .exercise import Exercise, Mistake, by, choice, directional, number, shape

__all__ = ["EXERCISES"]

X3 = np.array([0.5, -1.2, 2.0])
W23 = np.array([[1.0, -2.0, 0.5], [0.3, 1.5, -1.0]])
A33 = np.array([[2.0, 1.0, -0.5], [0.0, 1.5, 0.7], [0.4, -1.0, 3.0]])
S33 = np.array([[2.0, 0.5, -0.3], [0.5, 1.5, 0.7], [-0.3, 0.7, 3.0]])
M22 = np.array([[2.0, 0.7], [-0.4, 1.5]])
DATA = np.array([[1.0, 0.5], [0.3, -1.2], [2.0, 0.8]])
TARGET = np.array([0.4, -1.0, 1.7])
U2, V2 = np.array([1.2, -0.5]), np.array([0.8, 2.0])


def _other_layouts(y: tuple[int, ...], x: tuple[int, ...], wanted: str) -> tuple[Mistake, ...]:
    """The shapes of the other two layouts, where they differ."""
    return tuple(Mistake("wrong layout", lambda name=name: layout.shape(y, x, name), f"this is the {name} layout")
                 for name in layout.CONVENTIONS if layout.shape(y, x, name) != layout.shape(y, x, wanted))


def _in_three_layouts(name: str, rows: tuple[str, ...], words: tuple[str, str], y: tuple[int, ...], x: tuple[int, ...]) -> Exercise:
    text = f"y is {words[0]} of shape {y}, x is {words[1]} of shape {x}. Give the shape of dy/dx in each layout."
    return Exercise(name, rows, "shapes", text, {}, {
        which: shape(f"in {which} layout", lambda which=which: layout.shape(y, x, which), *_other_layouts(y, x, which))
        for which in layout.CONVENTIONS})


def _denominator(x_ndim: int) -> Any:
    return lambda slope, at: layout.convert(slope, "stacked", "denominator", x_ndim=x_ndim)


def _big_tensor() -> Any:
    """dz/dW of z = y - W x, with W of shape (3, 4)."""
    return jacobian(lambda W: np.ones(3) - W @ np.ones(4))(np.ones((3, 4)))


def _weighted(s: Any, A: Any, x: Any, W: Any) -> Any:
    return (x - A @ s) @ W @ (x - A @ s)


VECTORS = "vector rules"
REGRESSION = "regression"
MATRICES = "matrix derivatives"

EXERCISES = (
    Exercise("squared-norm", ("L05",), VECTORS, "f = |x|^2 = x1^2 + ... + xn^2.", {"x": X3}, {
        "gradient": by(lambda x: np.sum(x**2), "x", "df/dx")}),
    Exercise("inner-product", ("L05",), VECTORS, "f = <u, v> with u = sin x (elementwise) and v = A x.", {"x": X3, "A": A33}, {
        "gradient": by(lambda x, A: np.sum(np.sin(x) * (A @ x)), "x", "df/dx")}),
    Exercise("linear-map", ("L05", "L13"), VECTORS, "y = W x with W of shape (2, 3). Rows belong to y.", {"x": X3, "W": W23}, {
        "J": by(lambda x, W: W @ x, "x", "dy/dx")}),
    Exercise("row-times-matrix", ("L05",), VECTORS, "y = x^T B with B of shape (3, 2). Rows belong to y.", {"x": X3, "B": W23.T}, {
        "J": by(lambda x, B: x @ B, "x", "dy/dx")}),
    Exercise("elementwise-product", ("E6", "L05"), VECTORS, "y = x * (A x), elementwise. Rows belong to y.", {"x": X3, "A": A33}, {
        "J": by(lambda x, A: x * (A @ x), "x", "dy/dx")}),
    _in_three_layouts("shape-of-a-gradient", ("L06", "E7"), ("a number", "a matrix"), (), (4, 2)),
    _in_three_layouts("shape-vector-by-matrix", ("L06", "E7"), ("a vector", "a matrix"), (3,), (4, 2)),
    _in_three_layouts("shape-matrix-by-matrix", ("L06", "L38", "E7"), ("a matrix", "a matrix"), (2, 3), (4, 5)),
    Exercise("chain-of-shapes", ("L07",), "shapes", "x in R^4, u = h(x) in R^3, y = g(u) in R^2, rows belong to results. "
             "Give the shapes in dy/dx = (dy/du)(du/dx).", {}, {
                 "outer": shape("dy/du", lambda: (2, 3)), "inner": shape("du/dx", lambda: (3, 4)),
                 "product": shape("dy/dx", lambda: (2, 4))}),
    Exercise("right-to-left", ("L14",), "shapes", "x in R^4, u = h(x) in R^3, y = g(u) in R^2, denominator layout. "
             "Give the shapes in dy/dx = (du/dx)(dy/du).", {}, {
                 "inner": shape("du/dx", lambda: (4, 3)), "outer": shape("dy/du", lambda: (3, 2)),
                 "product": shape("dy/dx", lambda: (4, 2))}),
    Exercise("layout-quiz", ("L27",), "shapes",
        "y = g(u) is a number, u = h(x) a vector, everything in denominator layout: dy/du is a "
             "column, du/dx has a row for each x. Which is the chain rule for dy/dx? "
             "A (dy/du)(du/dx), B (dy/du)^T (du/dx), C (dy/du)(du/dx)^T, D (dy/du)^T (du/dx)^T, E ((dy/du)(du/dx))^T, "
             "F none of them.", {}, {
                 "answer": choice("the chain rule is", "F", A="(k, 1)(p, k) does not multiply", B="(1, k)(p, k) does not multiply",
                                  C="(k, 1)(k, p) does not multiply", D="(1, k)(k, p) is a row (1, p); dy/dx is a column (p, 1)",
                                  E="(k, 1)(p, k) does not multiply, so there is nothing to transpose")}),
    Exercise("one-example", ("L08",), REGRESSION, "z = (<x, w> - y)^2.", {"w": X3, "x": np.array([1.0, 0.5, -0.7]), "y": 0.3}, {
        "dw": by(lambda w, x, y: (x @ w - y) ** 2, "w", "dz/dw")}),
    Exercise("least-squares", ("L08", "L37"), REGRESSION, "z = |X w - y|^2.",
             {"w": np.array([0.7, -0.4]), "X": DATA, "y": TARGET}, {
                 "dw": by(lambda w, X, y: np.sum((X @ w - y) ** 2), "w", "dz/dw")}),
    Exercise("weight-matrix", ("L15",), REGRESSION, "e = 1/2 |y - W x|^2 with W of shape (2, 3).", {"W": W23, "x": X3, "y": U2}, {
        "dW": by(lambda W, x, y: 0.5 * np.sum((y - W @ x) ** 2), "W", "de/dW")}),
    Exercise("big-tensor", ("L15", "E2"), REGRESSION,
             "z = y - W x with W of shape (3, 4). How large is dz/dW, and how much of it is not zero?", {}, {
                 "entries": number("number of entries", lambda: _big_tensor().size),
                 "nonzero": number("entries that are not zero", lambda: int(np.count_nonzero(_big_tensor())))}),
    Exercise("best-slope", ("L16",), REGRESSION, "L = 1/2 sum_i (y_i - w x_i)^2 with one weight w. Where is dL/dw = 0?",
             {"x": np.array([1.0, 2.0, 3.0]), "y": np.array([1.1, 1.9, 3.2])}, {
                 "w": number("the best w", lambda x, y: float(-grad(lambda w: 0.5 * np.sum((y - w * x) ** 2))(0.0)
                                                               / grad(grad(lambda w: 0.5 * np.sum((y - w * x) ** 2)))(0.0)),
                             Mistake("quotient rule", lambda x, y: float(np.mean(y / x)), "the weight is sum(xy) / sum(x^2)"))}),
    Exercise("weighted-least-squares", ("L39", "E3"), REGRESSION, "L = (x - A s)^T W (x - A s). W is not symmetric.",
             {"s": np.array([0.7, -0.4]), "A": DATA, "x": TARGET, "W": A33}, {
                 "ds": by(_weighted, "s", "dL/ds", mistakes=(
                     Mistake("missed path", lambda s, A, x, W: -2.0 * (x - A @ s) @ W @ A,
                             "this needs a symmetric W; s enters on both sides of it: W + W^T"),
                     Mistake("missed path", lambda s, A, x, W: -2.0 * (x - A @ s) @ W.T @ A,
                             "this needs a symmetric W; s enters on both sides of it: W + W^T")))}),
    Exercise("linear-form", ("L12", "L39"), VECTORS, "f = a^T x.", {"x": X3, "a": np.array([1.0, 0.5, -0.7])}, {
        "gradient": by(lambda x, a: a @ x, "x", "df/dx")}),
    Exercise("quadratic-form", ("L12", "L39"), VECTORS, "f = x^T A x. A is not symmetric.", {"x": X3, "A": A33}, {
        "gradient": by(lambda x, A: x @ (A @ x), "x", "df/dx", mistakes=(
            Mistake("missed path", lambda x, A: 2.0 * A @ x, "2 A x needs a symmetric A: x is on both sides of it"),))}),
    Exercise("symmetric-form", ("L12",), VECTORS, "f = x^T S x. S is symmetric.", {"x": X3, "S": S33}, {
        "gradient": by(lambda x, S: x @ (S @ x), "x", "df/dx")},
        lambda rng: {"x": rng.normal(size=3), "S": S33 * rng.uniform(0.5, 2.0)}),
    Exercise("denominator-layout", ("L13",), "shapes", "y = W x with W of shape (2, 3). Give dy/dx in denominator layout.",
             {"x": X3, "W": W23}, {"J": by(
                 lambda x, W: W @ x, "x", "dy/dx in denominator layout", _denominator(1), mistakes=(
                     Mistake("wrong layout", lambda x, W: W, "this is the numerator layout, with rows for y"),))}),
    Exercise("sandwich", ("L30",), "directions", "f(X) = A X C is linear in X. What is Df(X)[V]?",
             {"X": M22, "A": W23.T, "C": W23, "V": np.array([[0.2, -1.0], [0.5, 0.3]])}, {
                 "DfV": directional(lambda X, A, C: A @ X @ C, "X", "V", "the derivative of f in the direction V")}),
    Exercise("composed-directions", ("L31",), "directions",
        "g(u) = sum of u^2 after h(x) = sin(W x). First push v through h, then through g.",
             {"x": X3, "W": W23, "v": np.array([1.0, -1.0, 0.5])}, {
                 "c": directional(lambda x, W: np.sin(W @ x), "x", "v", "c = Dh(x)[v]"),
                 "result": directional(lambda x, W: np.sum(np.sin(W @ x) ** 2), "x", "v", "Dg(h(x))[c]")}),
    Exercise("quadratic-direction", ("L32",), "directions", "f = x^T A x. What is Df(x)[v]?",
             {"x": X3, "A": A33, "v": np.array([1.0, -1.0, 0.5])}, {
        "slope": directional(lambda x, A: x @ (A @ x), "x", "v", "Df(x)[v]", (
            Mistake("missed path", lambda x, A, v: 2.0 * v @ A @ x, "v^T A x and x^T A v differ: A is not symmetric"),
            Mistake("missed path", lambda x, A, v: 2.0 * x @ A @ v, "v^T A x and x^T A v differ: A is not symmetric")))}),
    Exercise("bilinear", ("L33", "L39"), MATRICES, "f = u^T X v.", {"X": M22, "u": U2, "v": V2}, {
        "dX": by(lambda X, u, v: u @ (X @ v), "X", "df/dX, of the shape of X")}),
    Exercise("product-by-its-matrix", ("L38",), MATRICES, "y = A x with A of shape (2, 3). Give dy/dA, its shape is (2, 2, 3).",
             {"A": W23, "x": X3}, {"J": by(lambda A, x: A @ x, "A", "dy/dA")}),
    Exercise("gram", ("L38",), MATRICES, "K = R^T R with R of shape (4, 3), all entries different and not zero.", {}, {
        "shape": shape("shape of dK/dR, stacked", lambda: (3, 3, 4, 3), *_other_layouts((3, 3), (4, 3), "stacked")),
        "nonzero": number("entries that are not zero", lambda: int(np.count_nonzero(
            jacobian(lambda R: R.T @ R)(np.arange(1.0, 13.0).reshape(4, 3)))),
            Mistake("missed path", lambda: 36, "R enters twice: as row and as column")),
        "diagonal": number("dK11 / dR11, as a multiple of R11", lambda: float(
            jacobian(lambda R: R.T @ R)(np.ones((4, 3)))[0, 0, 0, 0]))}),
    Exercise("trace", ("L39",), MATRICES, "f = tr(A X).", {"X": M22, "A": np.array([[1.0, 3.0], [-2.0, 0.5]])}, {
        "dX": by(lambda X, A: np.trace(A @ X), "X", "df/dX, of the shape of X")}),
    Exercise("determinant", ("L39",), MATRICES, "f = det X.", {"X": M22}, {
        "dX": by(lambda X: np.linalg.det(X), "X", "df/dX, of the shape of X", mistakes=(
            Mistake("chain factor", lambda X: np.linalg.inv(X).T, "the factor det X is missing"),))}),
    Exercise("inverse-form", ("L39",), MATRICES, "f = a^T X^-1 b.", {"X": M22, "a": U2, "b": V2}, {
        "dX": by(lambda X, a, b: a @ (np.linalg.inv(X) @ b), "X", "df/dX, of the shape of X")}),
    Exercise("inverse-direction", ("L39",), MATRICES, "f(X) = X^-1. What is Df(X)[V]?",
             {"X": M22, "V": np.array([[0.2, -1.0], [0.5, 0.3]])}, {
        "DfV": number("the derivative of X^-1 in the direction V", lambda X, V: jvp(np.linalg.inv, (X,), (V,))[1],
                      Mistake("order of elements", lambda X, V: -np.linalg.inv(X) @ np.linalg.inv(X) @ V,
                              "matrices do not commute: V stands between the two inverses"),
                      Mistake("chain factor", lambda X, V: -np.linalg.inv(X) @ V, "the inverse stands on both sides of V"))}),
)  # fmt: skip

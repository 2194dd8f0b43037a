"""Thirty more wrong answers, written after the diagnosis and not used to improve it: the figure for mistakes it was not made for.

Labels and rules are those of ``test_teach_mistakes``.
"""

import numpy as np
import pytest
from test_teach_mistakes import as_written, fc, output_error, sigmoid, spiral

from dualad import teach
from dualad.teach import catalogue

exp, log, sin, cos, tanh, inv, outer = np.exp, np.log, np.sin, np.cos, np.tanh, np.linalg.inv, np.outer

FRESH = [
    ("sign", "square-root-and-cosine", "dx", lambda x: (
        0.5 / np.sqrt(x**2 + exp(x**2)) + sin(x**2 + exp(x**2))) * (1 + exp(x**2)) * 2 * x),
    ("sign", "polar", "dt", lambda s, t: 2 * s**3 * cos(t) * sin(t) * sin(t) + (s * cos(t)) ** 2 * s * cos(t)),
    ("sign", "inverse-direction", "DfV", lambda X, V: inv(X) @ V @ inv(X)),
    ("sign", "sum-rule", "dx", "12*x**2 + 5/x + exp(x)"),
    ("sign", "one-hidden-layer", "dbeta", lambda alpha, beta, x: -output_error(alpha, beta, x) * sigmoid(alpha @ x)),
    ("sign", "bernoulli", "dp", "k/p - (n - k)/(1 - p)"),
    ("sign", "quiz1", "dz", lambda x, z: round(-x * exp(x * z) + x / log(x) - sin(log(x)) / (x * z**2))),
    ("transposed", "row-times-matrix", "J", lambda x, B: B),
    ("transposed", "elementwise-product", "J", lambda x, A: (np.diag(A @ x) + np.diag(x) @ A).T),
    ("transposed", "one-hidden-layer", "dalpha", lambda alpha, beta, x: outer(
        x, output_error(alpha, beta, x) * beta * sigmoid(alpha @ x) * (1 - sigmoid(alpha @ x)))),
    ("factor 2", "weighted-least-squares", "ds", lambda s, A, x, W: -(x - A @ s) @ (W + W.T) @ A / 2),
    ("factor 2", "square-root-and-cosine", "dx", "(1/sqrt(x**2+exp(x**2)) - sin(x**2+exp(x**2))) * (1+exp(x**2)) * 2*x"),
    ("factor 2", "on-a-circle", "dt", "2*sin(t)*cos(t) - sin(t)"),
    ("factor 2", "least-squares", "dw", lambda w, X, y: 4 * X.T @ (X @ w - y)),
    ("factor 2", "gaussian", "dm", lambda m, y: np.sum(m - y) / 2),
    ("missed path", "elementwise-product", "J", lambda x, A: np.diag(x) @ A),
    ("missed path", "backward-trace", "dJdx", lambda x: -sin(sin(x**2) + 3 * x**2) * cos(x**2) * 2 * x),
    ("missed path", "polar", "ds", "2*s*cos(t)*s*sin(t)*cos(t)"),
    ("missed path", "hessian", "H", lambda x: [[2 * x[1], 0], [0, 6 * x[0] * x[1]]]),
    ("missed path", "cosine-of-sum", "dx", lambda x: -sin(sin(x**2) + 3 * x**2) * cos(x**2) * 2 * x),
    ("missed path", "on-a-spiral", "dt", "exp(t*cos(t)*(t*sin(t))**2) * 2*t*cos(t)*t*sin(t)*(sin(t) + t*cos(t))"),
    ("missed path", "quotient-rule", "dx", "(1/x) / x**2"),
    ("dropped term", "cubic", "d2", lambda x1, x2: 3 * x1 * x2**2),
    ("dropped term", "cross-entropy-output", "dy", lambda y, t: -t / y),
    ("chain factor", "deep-chain", "da1", lambda a1, a2, a3, x: (1 - tanh(a3 * tanh(a2 * tanh(a1 * x))) ** 2) * a3 * (
        1 - tanh(a2 * tanh(a1 * x)) ** 2) * a2 * (1 - tanh(a1 * x) ** 2)),
    ("chain factor", "square-of-sum", "dy", lambda x, y: 2 * (x + 2 * y**3)),
    ("chain factor", "composed-directions", "result", lambda x, W, v: 2 * sin(W @ x) @ W @ v),
    ("chain factor", "two-increments", "total", lambda a: fc(a + exp(a))),
    ("wrong layout", "shape-matrix-by-matrix", "denominator", lambda: (2, 3, 5, 4)),
    ("wrong point", "on-a-spiral", "dt", lambda t: spiral(t) * (sin(t) ** 2 * (cos(t) - t * sin(t)) + 2 * cos(t) * sin(t) * (
        sin(t) + t * cos(t)))),
]  # fmt: skip


def diagnosis(item):
    _, exercise, question, answer = item
    report = teach.check(exercise, **{question: as_written(answer, catalogue.find(exercise).at)})
    assert not report[question].right, item
    return report[question].code


def test_four_of_five_fresh_mistakes_are_named():
    assert len(FRESH) == 30
    missed = [(item[0], diagnosis(item), *item[1:3]) for item in FRESH if diagnosis(item) != item[0]]
    assert len(missed) <= 6, missed


@pytest.mark.parametrize("item", FRESH, ids=lambda item: f"{item[1]}-{item[0]}")
def test_no_wrong_answer_passes(item):
    diagnosis(item)

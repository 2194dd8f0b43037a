"""Fifty wrong answers, each made by a mistake and labelled with it; at least 80 % must be diagnosed as what they are.

The answers are written down here as a student would arrive at them, in plain NumPy with the mistake in the formula. Nothing of the
diagnosis is used to make them. A label is the mistake that was made, not what the checker says. *dropped term* means a term of the
outermost sum, *missed path* any other contribution that is left out (half a product rule, one of several uses of a variable).
"""

import numpy as np
import pytest

from dualad import teach
from dualad.teach import catalogue, mistakes

exp, log, sin, cos, inv, outer = np.exp, np.log, np.sin, np.cos, np.linalg.inv, np.outer


def sigmoid(a):
    return 1.0 / (1.0 + exp(-a))


def fc(c):
    """The derivative of sqrt(c) + cos(c)."""
    return 0.5 / np.sqrt(c) - sin(c)


def spiral(t):
    return exp(t * cos(t) * (t * sin(t)) ** 2)


def output_error(alpha, beta, x):
    return sigmoid(beta @ sigmoid(alpha @ x)) - 1.0


#: mistake, exercise, question, wrong answer from the arguments of the exercise
WRONG = [
    # ---- sign
    ("sign", "quiz1", "dx", lambda x, z: round(z * exp(x * z) + z / log(x) + z / log(x) ** 2)),
    ("sign", "cosine-of-sum", "dx", lambda x: sin(sin(x**2) + 3 * x**2) * (cos(x**2) + 3) * 2 * x),
    ("sign", "logistic-regression", "dtheta", lambda theta, x, y: (y - sigmoid(theta @ x)) * x),
    ("sign", "weight-matrix", "dW", lambda W, x, y: outer(y - W @ x, x)),
    ("sign", "inverse-form", "dX", lambda X, a, b: inv(X).T @ outer(a, b) @ inv(X).T),
    ("sign", "cross-entropy-output", "dy", lambda y, t: t / y - (1 - t) / (1 - y)),
    ("sign", "on-a-circle", "dt", "2*sin(t)*cos(t) + 2*sin(t)"),
    ("sign", "quotient-rule", "dx", "(2*x*log(x) - x) / x**4"),
    ("sign", "sgd-step", "theta", lambda theta, x, y, rate: theta + rate * (sigmoid(theta @ x) - y) * x),
    # ---- transposed
    ("transposed", "linear-map", "J", lambda x, W: W.T),
    ("transposed", "trace", "dX", lambda X, A: A),
    ("transposed", "bilinear", "dX", lambda X, u, v: outer(v, u)),
    ("transposed", "inverse-form", "dX", lambda X, a, b: -inv(X) @ outer(b, a) @ inv(X)),
    ("transposed", "determinant", "dX", "det(X) * inv(X)"),
    ("transposed", "weight-matrix", "dW", lambda W, x, y: -outer(x, y - W @ x)),
    # ---- factor 2
    ("factor 2", "least-squares", "dw", lambda w, X, y: X.T @ (X @ w - y)),
    ("factor 2", "squared-norm", "gradient", lambda x: x),
    ("factor 2", "parabola", "gradient", lambda x: [2 * x[0], 2 * x[1]]),
    ("factor 2", "symmetric-form", "gradient", lambda x, S: S @ x),
    ("factor 2", "gaussian", "dm", lambda m, y: 2 * np.sum(m - y)),
    ("factor 2", "one-example", "dw", "(dot(x, w) - y) * x"),
    ("factor 2", "square-of-sum", "dx", "x + 2*y**3"),
    ("factor 2", "weight-matrix", "dW", lambda W, x, y: -2 * outer(y - W @ x, x)),
    # ---- missed path
    ("missed path", "quadratic-form", "gradient", lambda x, A: A @ x),
    ("missed path", "backward-trace", "dJdt", lambda x: -sin(sin(x**2) + 3 * x**2) * 3),
    ("missed path", "square-root-and-cosine", "dx", lambda x: fc(x**2 + exp(x**2)) * exp(x**2) * 2 * x),
    ("missed path", "two-increments", "total", lambda a: fc(a + exp(a)) * exp(a)),
    ("missed path", "product-rule", "dx", "3*x**2 * exp(2*x)"),
    ("missed path", "polar", "dt", lambda s, t: 2 * s * cos(t) * s * sin(t) * (-s * sin(t))),
    ("missed path", "on-a-spiral", "dt", lambda t: spiral(t) * (t * sin(t)) ** 2 * (cos(t) - t * sin(t))),
    ("missed path", "inner-product", "gradient", lambda x, A: (A @ x) * cos(x)),
    ("missed path", "weighted-least-squares", "ds", lambda s, A, x, W: -2 * (x - A @ s) @ W @ A),
    ("missed path", "quadratic-direction", "slope", lambda x, A, v: v @ A @ x),
    ("missed path", "quiz1", "dx", lambda x, z: round(z * exp(x * z) + z / log(x))),
    # ---- dropped term
    ("dropped term", "sum-rule", "dx", "12*x**2 + exp(x)"),
    ("dropped term", "quiz1", "dz", lambda x, z: round(x * exp(x * z) - sin(log(x)) / (x * z**2))),
    ("dropped term", "cubic", "d1", lambda x1, x2: 2 * x1 * x2),
    ("dropped term", "second-derivative", "d2x", "12*x**2"),
    ("dropped term", "bernoulli", "dp", "-k/p"),
    # ---- chain rule: an inner derivative forgotten
    ("chain factor", "chain-rule", "dx", "cos(x**3)"),
    ("chain factor", "cosine-of-sum", "dx", lambda x: -sin(sin(x**2) + 3 * x**2) * (cos(x**2) + 3)),
    ("chain factor", "chain-twice", "dx", lambda x: exp(3 * x) / (1 + exp(3 * x))),
    ("chain factor", "one-hidden-layer", "dalpha", lambda alpha, beta, x: outer(output_error(alpha, beta, x) * beta, x)),
    ("chain factor", "composed-directions", "c", lambda x, W, v: W @ v),
    # ---- layout
    ("wrong layout", "product-by-its-matrix", "J", lambda A, x: np.einsum("ik,j->ijk", np.eye(2), x)),
    ("wrong layout", "shape-vector-by-matrix", "numerator", lambda: (3, 4, 2)),
    ("wrong layout", "squared-norm", "gradient", lambda x: 2 * x[None, :]),
    # ---- rounding
    ("rounding", "on-a-spiral", "dt", lambda t: 1.37),
    ("rounding", "quiz1", "dz", lambda x, z: 809),
]  # fmt: skip
WRONG.append(("wrong point", "chain-rule", "dx", lambda x: cos(x) * 3 * x**2))


def as_written(answer, at):
    """Numbers as on paper, with four decimals; formulas as text."""
    if isinstance(answer, str):
        return answer
    given = answer(**at)
    return given if isinstance(given, tuple | str) else np.round(given, 4)


def diagnosis(item):
    _, exercise, question, answer = item
    report = teach.check(exercise, **{question: as_written(answer, catalogue.find(exercise).at)})
    assert not report[question].right, item
    return report[question].code


def test_four_of_five_mistakes_are_named():
    assert len(WRONG) == 50
    found = [(item[0], diagnosis(item), *item[1:3]) for item in WRONG]
    missed = [each for each in found if each[0] != each[1]]
    assert len(missed) <= 10, missed


def test_no_mistake_is_on_the_list_twice():
    assert len({(kind, exercise, question) for kind, exercise, question, _ in WRONG}) == 50
    assert {item[0] for item in WRONG} <= set(mistakes.CODES)
    assert len({item[1] for item in WRONG}) >= 35


@pytest.mark.parametrize("item", WRONG, ids=lambda item: f"{item[1]}-{item[0]}")
def test_no_wrong_answer_passes(item):
    diagnosis(item)

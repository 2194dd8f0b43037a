"""A hundred and fifteen more wrong answers, written from the exercises' texts alone.

Labels and rules are those of ``test_teach_mistakes``. How many were named correctly as the checker was when they were written: of
the first 55 (``LEARNED`` and ``UNSEEN``) 40, of ``LATER`` 20 of 32, of ``LAST`` 21 of 28, together 70 %. What was missed was made
into rules after each list: a matrix that is not transposed in one step, the inner half of a sigmoid, wrong product and quotient
rules, exchanged answers; a derivation that stops too early, the derivative by another variable, a calculator set to degrees.
``UNSEEN`` was kept back when the others of its list were learned from: 21 of its 25 were then named (84 %).
"""

import numpy as np
import pytest
from test_teach_mistakes import as_written, output_error, sigmoid, spiral

from dualad import teach
from dualad.teach import catalogue

exp, log, sin, cos, tanh, inv, outer = np.exp, np.log, np.sin, np.cos, np.tanh, np.linalg.inv, np.outer


def cubic_slopes(x):
    return 2 * x[0] * x[1] + x[1] ** 3, x[0] ** 2 + 3 * x[0] * x[1] ** 2


def in_degrees(x):
    """The derivative of cos(sin(x^2) + 3x^2) by a calculator that takes angles for degrees."""
    s, c = (lambda a: sin(np.radians(a))), (lambda a: cos(np.radians(a)))
    return -s(s(x**2) + 3 * x**2) * (c(x**2) + 3) * 2 * x


def quiz1_without_inner(x, z):
    """d exp(xz)/dx = exp(xz): the inner z forgotten."""
    return round(exp(x * z) + z / log(x) - z / log(x) ** 2 + (cos(log(x)) - sin(log(x))) / (x * x * z))


#: mistake, exercise, wrong answers by question
LEARNED = [
    ("sign", "deep-chain", {"da3": lambda a1, a2, a3, x: (
        1 + tanh(a3 * tanh(a2 * tanh(a1 * x))) ** 2) * tanh(a2 * tanh(a1 * x))}),
    ("sign", "two-paths", {"total": "2*x*sin(x) - x**2*cos(x)"}),
    ("sign", "linearise", {"value": lambda x, d: 10.0 - cubic_slopes(x) @ d}),
    ("sign", "determinant", {"dX": lambda X: [[X[1, 1], X[1, 0]], [X[0, 1], X[0, 0]]]}),
    ("sign", "backward-trace", {"dJdu": lambda x: sin(sin(x**2) + 3 * x**2)}),
    ("sign", "bernoulli", {"dp": "-k/p - (n - k)/(1 - p)"}),
    ("sign", "difference-quotient", {"error": lambda x, h: 3 * x**2 - ((x + h) ** 3 - x**3) / h}),
    ("transposed", "inverse-form", {"dX": lambda X, a, b: -inv(X) @ outer(a, b) @ inv(X)}),
    ("transposed", "inner-product", {"gradient": lambda x, A: cos(x) * (A @ x) + A @ sin(x)}),
    ("transposed", "layer-shapes", {"dalpha1": lambda: (3, 4)}),
    ("wrong layout", "denominator-layout", {"J": lambda x, W: W}),
    ("factor 2", "second-derivative", {"d2x": "12*x**2 - 3"}),
    ("factor 2", "cosine-of-sum", {"dx": "-sin(sin(x**2) + 3*x**2)*(cos(x**2) + 3)*x"}),
    ("factor 2", "gram", {"diagonal": lambda: 1}),
    ("missed path", "quadratic-direction", {"slope": lambda x, A, v: x @ A @ v}),
    ("missed path", "product-rule", {"dx": "2*x**3*exp(2*x)"}),
    ("missed path", "polar", {"ds": "s**2*cos(t)**2*sin(t)"}),
    ("missed path", "two-paths", {"total": "2*x*sin(x)"}),
    ("dropped term", "on-a-circle", {"dt": "-2*sin(t)"}),
    ("dropped term", "cubic", {"d2": "x1**2"}),
    ("dropped term", "sum-rule", {"dx": "12*x**2 - 5/x"}),
    ("swapped", "quiz1", {"dx": lambda x, z: 810, "dz": lambda x, z: 1208}),
    ("swapped", "mixed-partials", {"xy": lambda: 1, "yx": lambda: -1}),
    ("swapped", "logistic-regression", {"dx": lambda theta, x, y: (sigmoid(theta @ x) - y) * x,
                                        "dtheta": lambda theta, x, y: (sigmoid(theta @ x) - y) * theta}),
    ("chain factor", "sigmoid", {"db": "-1/(1 + exp(-b))**2"}),
    ("chain factor", "one-hidden-layer", {"dbeta": lambda alpha, beta, x: (
        -sigmoid(alpha @ x) / sigmoid(beta @ sigmoid(alpha @ x)))}),
    ("chain factor", "inner-product", {"gradient": lambda x, A: A @ x + A.T @ sin(x)}),
    ("chain factor", "square-root-and-cosine", {"dx": "(0.5/sqrt(x**2+exp(x**2)) - sin(x**2+exp(x**2)))*(1+exp(x**2))"}),
    ("chain factor", "softmax", {"gradient": lambda x: exp(x)}),
    ("quotient rule", "quotient-rule", {"dx": "(x - 2*x*log(x))/x**2"}),
]  # fmt: skip
UNSEEN = [
    ("sign", "weighted-least-squares", {"ds": lambda s, A, x, W: (x - A @ s) @ (W + W.T) @ A}),
    ("sign", "taylor-logarithm", {"coefficients": lambda: [0, 1, 0.5, 0.3333]}),
    ("sign", "softmax", {"gradient": lambda x: -exp(x) / np.sum(exp(x))}),
    ("transposed", "right-to-left", {"inner": lambda: (3, 4)}),
    ("transposed", "sandwich", {"DfV": lambda X, A, C, V: (A @ V @ C).T}),
    ("factor 2", "best-slope", {"w": lambda x, y: 2 * x @ y / (x @ x)}),
    ("factor 2", "along-a-parabola", {"slope": lambda: 1}),
    ("factor 2", "symmetric-form", {"gradient": "4*S@x"}),
    ("missed path", "quadratic-form", {"gradient": "A.T @ x"}),
    ("missed path", "hessian", {"H": lambda x: [[2 * x[1], 2 * x[0]], [2 * x[0], 6 * x[0] * x[1]]]}),
    ("missed path", "inner-product", {"gradient": "A.T @ sin(x)"}),
    ("dropped term", "linearise", {"value": lambda x, d: 10.0 + cubic_slopes(x)[0] * d[0]}),
    ("swapped", "square-of-sum", {"dx": "12*(x+2*y**3)*y**2", "dy": "2*(x+2*y**3)"}),
    ("swapped", "two-paths", {"path1": lambda x: x**2 * cos(x), "path2": lambda x: 2 * x * sin(x)}),
    ("swapped", "sweeps", {"f_forward": lambda: 1, "f_reverse": lambda: 1000}),
    ("chain factor", "deep-chain", {"da3": lambda a1, a2, a3, x: tanh(a2 * tanh(a1 * x))}),
    ("chain factor", "composed-directions", {"c": "cos(W@x)"}),
    ("chain factor", "quiz1", {"dx": quiz1_without_inner}),
    ("order of elements", "inverse-direction", {"DfV": lambda X, V: -inv(X) @ inv(X) @ V}),
    ("power rule", "power-rule", {"dx": "5*x**5"}),
    ("quotient rule", "quotient-rule", {"dx": "(1/x)/(2*x)"}),
    ("product rule", "product-rule", {"dx": "3*x**2*2*exp(2*x)"}),
    ("wrong point", "chain-rule", {"dx": "cos(3*x**2)"}),
    ("factor", "sgd-step", {"theta": lambda theta, x, y, rate: theta - (sigmoid(theta @ x) - y) * x}),
    ("factor", "taylor-exponential", {"coefficients": lambda: [1, 2, 4, 8]}),
]  # fmt: skip

LATER = [
    ("chain factor", "chain-twice", {"dx": "3/(1+exp(3*x))"}),
    ("not differentiated", "sum-rule", {"dx": "12*x**2 - 5*log(x) + exp(x)"}),
    ("power rule", "power-rule", {"dx": "x**4"}),
    ("wrong order", "second-derivative", {"d2x": "4*x**3 - 6*x"}),
    ("not differentiated", "parabola", {"gradient": "[x[0]**2, 2*x[1]**2]"}),
    ("direction", "small-change", {"change": lambda x, dx: 6 * (2 * x + 1) ** 2}),
    (
        "missed path",
        "on-a-spiral",
        {"dt": lambda t: spiral(t) * ((t * sin(t)) ** 2 * (-t * sin(t)) + 2 * t * cos(t) * t * sin(t) * (sin(t) + t * cos(t)))},
    ),
    ("direction", "directional", {"slope": lambda x, v: [2 * x[0] * x[1] + x[1] ** 3, x[0] ** 2 + 3 * x[0] * x[1] ** 2]}),
    ("sign", "inner-product", {"gradient": lambda x, A: (A @ x) * cos(x) - A.T @ sin(x)}),
    ("shape", "elementwise-product", {"J": lambda x, A: A @ x + A @ x}),
    ("wrong layout", "shape-vector-by-matrix", {"stacked": lambda: (4, 2, 3)}),
    ("transposed", "chain-of-shapes", {"outer": lambda: (3, 2)}),
    ("chain factor", "one-example", {"dw": lambda w, x, y: 2 * (x @ w - y)}),
    ("sign", "one-example", {"dw": "2*(y - dot(x, w))*x"}),
    ("chain factor", "least-squares", {"dw": lambda w, X, y: 2 * (X @ w - y)}),
    ("chain factor", "weight-matrix", {"dW": lambda W, x, y: W @ x - y}),
    ("missed path", "weighted-least-squares", {"ds": lambda s, A, x, W: -(x - A @ s) @ W @ A}),
    ("swapped", "linear-form", {"gradient": "x"}),
    ("factor 2", "composed-directions", {"result": lambda x, W, v: sin(W @ x) @ (cos(W @ x) * (W @ v))}),
    ("chain factor", "trace", {"dX": lambda X, A: np.eye(2)}),
    ("chain factor", "inverse-form", {"dX": lambda X, a, b: -inv(X).T @ outer(a, b)}),
    ("chain factor", "softmax", {"gradient": lambda x: np.ones(3) / np.sum(exp(x))}),
    ("factor", "gaussian", {"dm": lambda m, y: m - np.mean(y)}),
    ("chain factor", "two-paths", {"path1": lambda x: 2 * x}),
    ("chain factor", "backward-trace", {"dJdx": lambda x: -sin(sin(x**2) + 3 * x**2) * (cos(x**2) + 3)}),
    ("factor 2", "count-paths", {"edges": lambda: 20}),
    ("sign", "cross-entropy-output", {"dy": "-t/y - (1-t)/(1-y)"}),
    ("chain factor", "logistic-regression", {"dtheta": lambda theta, x, y: sigmoid(theta @ x) - y}),
    ("quotient rule", "sigmoid", {"db": "exp(-b)/(1+exp(-b))"}),
    (
        "chain factor",
        "deep-chain",
        {
            "da1": lambda a1, a2, a3, x: (
                (1 - tanh(a3 * tanh(a2 * tanh(a1 * x))) ** 2)
                * (1 - tanh(a2 * tanh(a1 * x)) ** 2)
                * a2
                * (1 - tanh(a1 * x) ** 2)
                * x
            )
        },
    ),
    ("wrong layout", "layer-shapes", {"dbeta": lambda: (2, 1)}),
    ("degrees", "cosine-of-sum", {"dx": in_degrees}),
]  # fmt: skip
LAST = [
    ("chain factor", "chain-twice", {"dx": "3*exp(3*x)"}),
    ("factor 2", "product-rule", {"dx": "3*x**2*exp(2*x) + x**3*exp(2*x)"}),
    ("quotient rule", "quotient-rule", {"dx": "(1/x)*x**2 - log(x)*2*x"}),
    ("sign", "quotient-rule", {"dx": "(x**2/x + 2*x*log(x))/x**4"}),
    ("power rule", "sum-rule", {"dx": "12*x**2 - 5/x + x*exp(x-1)"}),
    ("power rule", "sum-rule", {"dx": "12*x**3 - 5/x + exp(x)"}),
    ("wrong order", "third-derivative", {"d3x": lambda x: (x + 1) * exp(x)}),
    ("factor", "contour", {"up": lambda x: 20}),
    ("not differentiated", "on-a-circle", {"dt": "2*sin(t)*cos(t) + 2*cos(t)"}),
    ("chain factor", "polar", {"dt": "2*s*cos(t)*(-sin(t))*s*sin(t) + (s*cos(t))**2*s*cos(t)"}),
    ("one entry", "hessian", {"H": lambda x: [[2 * x[1], 2 * x[0] + 3 * x[1] ** 2], [2 * x[0] + 3 * x[1] ** 2, 3 * x[0] * x[1]]]}),
    ("shape", "squared-norm", {"gradient": "2*sum(x)"}),
    ("transposed", "elementwise-product", {"J": lambda x, A: np.diag(x) @ A.T + np.diag(A @ x)}),
    ("sign", "least-squares", {"dw": "2*X.T @ (y - X@w)"}),
    ("not differentiated", "sandwich", {"DfV": "A @ X @ C"}),
    ("missed path", "quadratic-direction", {"slope": "2 * v @ A @ x"}),
    ("transposed", "inverse-form", {"dX": "-inv(X).T @ outer(b, a) @ inv(X).T"}),
    ("sign", "gaussian", {"dm": "sum(y - m)"}),
    ("not differentiated", "backward-trace", {"dJdu": lambda x: cos(sin(x**2) + 3 * x**2)}),
    ("sign", "logistic-regression", {"dx": lambda theta, x, y: (y - sigmoid(theta @ x)) * theta}),
    ("chain factor", "logistic-regression", {"dtheta": lambda theta, x, y: sigmoid(theta @ x) * (1 - sigmoid(theta @ x)) * x}),
    ("sign", "sigmoid", {"db": lambda b: sigmoid(b) * (1 + sigmoid(b))}),
    (
        "chain factor",
        "one-hidden-layer",
        {"dalpha": lambda alpha, beta, x: outer(output_error(alpha, beta, x) * sigmoid(alpha @ x) * (1 - sigmoid(alpha @ x)), x)},
    ),
    ("chain factor", "deep-chain", {"da3": lambda a1, a2, a3, x: 1 - tanh(a3 * tanh(a2 * tanh(a1 * x))) ** 2}),
    ("not differentiated", "difference-quotient", {"quotient": lambda x, h: (x + h) ** 3 - x**3}),
    ("factor", "taylor-logarithm", {"coefficients": lambda: [0, 1, -1, 2]}),
    ("wrong choice", "sweeps", {"g": lambda: "reverse"}),
    ("transposed", "weighted-least-squares", {"ds": lambda s, A, x, W: -2 * (x - A @ s) @ W.T @ A}),
]  # fmt: skip


def diagnoses(item):
    _, exercise, answers = item
    at = catalogue.find(exercise).at
    report = teach.check(exercise, **{question: as_written(answer, at) for question, answer in answers.items()})
    assert not any(report[question].right for question in answers), item
    return {report[question].code for question in answers}


@pytest.mark.parametrize(("items", "missed_at_most"), [(LEARNED, 0), (UNSEEN, 1), (LATER, 1), (LAST, 1)],
                         ids=["learned", "unseen", "later", "last"])
def test_four_of_five_mistakes_of_students_are_named(items, missed_at_most):
    assert len({(kind, exercise, *answers.items()) for kind, exercise, answers in items}) == len(items)
    missed = [(item[:2], diagnoses(item)) for item in items if diagnoses(item) != {item[0]}]
    assert len(missed) <= missed_at_most, missed


@pytest.mark.parametrize("item", LEARNED + UNSEEN + LATER + LAST, ids=lambda item: f"{item[1]}-{item[0]}")
def test_no_wrong_answer_passes(item):
    diagnoses(item)


def test_a_wrong_answer_without_a_reason_gets_none():
    """A checker that knows many mistakes may find one in any number: of random wrong numbers, 95 % must be called just wrong."""
    rng = np.random.default_rng(3)
    named = asked = 0
    for name, exercise in catalogue.EXERCISES.items():
        for question, what in exercise.questions.items():
            if what.kind == "derivative":
                truth = np.asarray(what.truth(**exercise.at), float)
                given = np.round(truth * rng.uniform(0.2, 3.0, truth.shape) + 0.3 * rng.normal(size=truth.shape), 4)
                named += teach.check(name, **{question: given})[question].code != "unknown"
                asked += 1
    assert asked > 50
    assert named <= 0.05 * asked

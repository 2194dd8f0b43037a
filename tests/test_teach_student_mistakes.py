"""Fifty-five more wrong answers, written from the exercises' texts alone, before the diagnosis was read.

Labels and rules are those of ``test_teach_mistakes``. Forty of them (73 %) were named correctly as the checker then was. The
eight misses of ``LEARNED`` were turned into rules (a matrix that is not transposed in one step, the inner half of a sigmoid,
wrong product and quotient rules, exchanged answers); ``UNSEEN`` was measured after that and before anything was learned from it:
21 of 25 (84 %); what those four taught is in since.
"""

import numpy as np
import pytest
from test_teach_mistakes import as_written, sigmoid

from dualad import teach
from dualad.teach import catalogue

exp, log, sin, cos, tanh, inv, outer = np.exp, np.log, np.sin, np.cos, np.tanh, np.linalg.inv, np.outer


def cubic_slopes(x):
    return 2 * x[0] * x[1] + x[1] ** 3, x[0] ** 2 + 3 * x[0] * x[1] ** 2


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


def diagnoses(item):
    _, exercise, answers = item
    at = catalogue.find(exercise).at
    report = teach.check(exercise, **{question: as_written(answer, at) for question, answer in answers.items()})
    assert not any(report[question].right for question in answers), item
    return {report[question].code for question in answers}


@pytest.mark.parametrize(("items", "missed_at_most"), [(LEARNED, 0), (UNSEEN, 2)], ids=["learned", "unseen"])
def test_four_of_five_mistakes_of_students_are_named(items, missed_at_most):
    assert len({(kind, exercise, *answers) for kind, exercise, answers in items}) == len(items)
    missed = [(item[:2], diagnoses(item)) for item in items if diagnoses(item) != {item[0]}]
    assert len(missed) <= missed_at_most, missed


@pytest.mark.parametrize("item", LEARNED + UNSEEN, ids=lambda item: f"{item[1]}-{item[0]}")
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

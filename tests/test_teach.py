"""Exercises: every answer against a closed form; what counts as right; reports, listings, formulas, errors."""

import inspect
import math
import re
from pathlib import Path

import numpy as np
import pytest

import dualad
from dualad import teach
from dualad.teach import catalogue, expression, graph, mistakes, slips

exp, log, sin, cos, tanh, sqrt, inv, outer = np.exp, np.log, np.sin, np.cos, np.tanh, np.sqrt, np.linalg.inv, np.outer


def sigmoid(a):
    return 1.0 / (1.0 + exp(-a))


def fc(c):
    return 0.5 / sqrt(c) - sin(c)


def ju(x):
    """dJ/du of J = cos(u), u = sin(x^2) + 3 x^2."""
    return -sin(sin(x**2) + 3 * x**2)


def layer(alpha, beta, x):
    z = sigmoid(alpha @ x)
    error = sigmoid(beta @ z) - 1.0
    return error * z, outer(error * beta * z * (1 - z), x)


def deep(a1, a2, a3, x):
    u1 = tanh(a1 * x)
    u2 = tanh(a2 * u1)
    top = 1 - tanh(a3 * u2) ** 2
    return top * a3 * (1 - u2**2) * a2 * (1 - u1**2) * x, top * u2


def cubic_hessian(x):
    return [[2 * x[1], 2 * x[0] + 3 * x[1] ** 2], [2 * x[0] + 3 * x[1] ** 2, 6 * x[0] * x[1]]]


def cubic_gradient(x):
    return np.array([2 * x[0] * x[1] + x[1] ** 3, x[0] ** 2 + 3 * x[0] * x[1] ** 2])


#: exercise -> the answers by hand, in the order of its questions
CLOSED = {
    "power-rule": lambda x: [5 * x**4],
    "product-rule": lambda x: [(3 * x**2 + 2 * x**3) * exp(2 * x)],
    "quotient-rule": lambda x: [(1 - 2 * log(x)) / x**3],
    "chain-rule": lambda x: [3 * x**2 * cos(x**3)],
    "chain-twice": lambda x: [3 * exp(3 * x) / (1 + exp(3 * x))],
    "sum-rule": lambda x: [12 * x**2 - 5 / x + exp(x)],
    "second-derivative": lambda x: [12 * x**2 - 6],
    "third-derivative": lambda x: [(x + 3) * exp(x)],
    "maximum-or-minimum": lambda: ["maximum"],
    "absolute-value": lambda: [-1, -1, 1],
    "relu": lambda: [1, 0, 1],
    "parabola": lambda x: [[2 * x[0], 4 * x[1]]],
    "contour": lambda x: [0, sqrt(4 * x[0] ** 2 + 16 * x[1] ** 2)],
    "difference-quotient": lambda x, h: [3 * x**2 + 3 * x * h + h**2, 3 * x * h + h**2],
    "small-change": lambda x, dx: [6 * (2 * x + 1) ** 2, 6 * (2 * x + 1) ** 2 * dx],
    "quiz1": lambda x, z: [
        z * exp(x * z) + z / log(x) - z / log(x) ** 2 + (cos(log(x)) - sin(log(x))) / (x**2 * z),
        x * exp(x * z) + x / log(x) - sin(log(x)) / (x * z**2)],
    "cosine-of-sum": lambda x: [ju(x) * (cos(x**2) + 3) * 2 * x],
    "taylor-exponential": lambda: [[1, 2, 2, 4 / 3]],
    "taylor-logarithm": lambda: [[0, 1, -1 / 2, 1 / 3]],
    "square-of-sum": lambda x, y: [2 * (x + 2 * y**3), 12 * (x + 2 * y**3) * y**2],
    "cubic": lambda x1, x2: list(cubic_gradient([x1, x2])),
    "on-a-circle": lambda t: [2 * sin(t) * (cos(t) - 1)],
    "on-a-spiral": lambda t: [exp(t * cos(t) * (t * sin(t)) ** 2) * (
        (t * sin(t)) ** 2 * (cos(t) - t * sin(t)) + 2 * t * cos(t) * t * sin(t) * (sin(t) + t * cos(t)))],
    "polar": lambda s, t: [3 * s**2 * cos(t) ** 2 * sin(t), s**3 * (cos(t) ** 3 - 2 * cos(t) * sin(t) ** 2)],
    "square-root-and-cosine": lambda x: [fc(x**2 + exp(x**2)) * (1 + exp(x**2)) * 2 * x],
    "hessian": lambda x: [cubic_hessian(x)],
    "linearise": lambda x, d: [x[0] ** 2 * x[1] + x[0] * x[1] ** 3 + cubic_gradient(x) @ d],
    "directional": lambda x, v: [cubic_gradient(x) @ v],
    "not-differentiable": lambda: [0.5, 1],
    "along-a-parabola": lambda: [0.5],
    "mixed-partials": lambda: [-1, 1],
    "squared-norm": lambda x: [2 * x],
    "inner-product": lambda x, A: [(A @ x) * cos(x) + A.T @ sin(x)],
    "linear-map": lambda x, W: [W],
    "row-times-matrix": lambda x, B: [B.T],
    "elementwise-product": lambda x, A: [np.diag(A @ x) + np.diag(x) @ A],
    "shape-of-a-gradient": lambda: [(2, 4), (4, 2), (4, 2)],
    "shape-vector-by-matrix": lambda: [(3, 2, 4), (3, 4, 2), (4, 2, 3)],
    "shape-matrix-by-matrix": lambda: [(2, 3, 5, 4), (2, 3, 4, 5), (4, 5, 2, 3)],
    "chain-of-shapes": lambda: [(2, 3), (3, 4), (2, 4)],
    "right-to-left": lambda: [(4, 3), (3, 2), (4, 2)],
    "layout-quiz": lambda: ["F"],
    "one-example": lambda w, x, y: [2 * (x @ w - y) * x],
    "least-squares": lambda w, X, y: [2 * X.T @ (X @ w - y)],
    "weight-matrix": lambda W, x, y: [-outer(y - W @ x, x)],
    "big-tensor": lambda: [3 * 3 * 4, 3 * 4],
    "best-slope": lambda x, y: [x @ y / (x @ x)],
    "weighted-least-squares": lambda s, A, x, W: [-(x - A @ s) @ (W + W.T) @ A],
    "linear-form": lambda x, a: [a],
    "quadratic-form": lambda x, A: [(A + A.T) @ x],
    "symmetric-form": lambda x, S: [2 * S @ x],
    "denominator-layout": lambda x, W: [W.T],
    "sandwich": lambda X, A, C, V: [A @ V @ C],
    "composed-directions": lambda x, W, v: [cos(W @ x) * (W @ v), 2 * sin(W @ x) @ (cos(W @ x) * (W @ v))],
    "quadratic-direction": lambda x, A, v: [v @ A @ x + x @ A @ v],
    "bilinear": lambda X, u, v: [outer(u, v)],
    "product-by-its-matrix": lambda A, x: [np.einsum("ik,j->ikj", np.eye(2), x)],
    "gram": lambda: [(3, 3, 4, 3), 60, 2],
    "trace": lambda X, A: [A.T],
    "determinant": lambda X: [[[X[1, 1], -X[1, 0]], [-X[0, 1], X[0, 0]]]],
    "inverse-form": lambda X, a, b: [-inv(X).T @ outer(a, b) @ inv(X).T],
    "inverse-direction": lambda X, V: [-inv(X) @ V @ inv(X)],
    "softmax": lambda x: [exp(x) / np.sum(exp(x))],
    "bernoulli": lambda p, k, n: [-k / p + (n - k) / (1 - p), k / n],
    "gaussian": lambda m, y: [np.sum(m - y)],
    "two-paths": lambda x: [2 * x * sin(x), x**2 * cos(x), 2 * x * sin(x) + x**2 * cos(x)],
    "forward-trace": lambda x: [sin(x**2), sin(x**2) + 3 * x**2, cos(sin(x**2) + 3 * x**2)],
    "backward-trace": lambda x: [ju(x), ju(x) * (cos(x**2) + 3), ju(x) * (cos(x**2) + 3) * 2 * x],
    "two-increments": lambda a: [fc(a + exp(a)) * exp(a), fc(a + exp(a)), fc(a + exp(a)) * (exp(a) + 1)],
    "count-paths": lambda: [2**10, 40],
    "cross-entropy-output": lambda y, t: [-t / y + (1 - t) / (1 - y)],
    "logistic-regression": lambda theta, x, y: [(sigmoid(theta @ x) - y) * x, (sigmoid(theta @ x) - y) * theta],
    "sigmoid": lambda b: [sigmoid(b) * (1 - sigmoid(b))],
    "one-hidden-layer": lambda alpha, beta, x: list(layer(alpha, beta, x)),
    "layer-shapes": lambda: [(4, 3), (2,), 26],
    "sgd-step": lambda theta, x, y, rate: [theta - rate * (sigmoid(theta @ x) - y) * x],
    "sweeps": lambda: [1000, 1, "forward"],
    "deep-chain": lambda a1, a2, a3, x: list(deep(a1, a2, a3, x)),
}  # fmt: skip


def by_hand(name, at):
    return dict(zip(catalogue.find(name).questions, CLOSED[name](**at), strict=True))


# ---- the exercises -------------------------------------------------------------------------------------------------------------

def test_closed_forms_cover_every_exercise():
    assert list(CLOSED) == list(teach.list().names)
    assert len(CLOSED) >= 60


@pytest.mark.parametrize("name", CLOSED)
def test_answers_are_the_closed_forms(name):
    for at in catalogue.find(name).points(3):
        for question, want in by_hand(name, at).items():
            got = catalogue.find(name).questions[question].truth(**at)
            if isinstance(want, str | tuple):
                assert got == want
            else:
                assert np.shape(got) == np.shape(want)
                np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", CLOSED)
def test_right_answers_are_right(name):
    """The closed form as a value, and where a derivative is asked for also as a function."""
    exercise = catalogue.find(name)
    report = teach.check(name, **by_hand(name, exercise.at))
    assert report, str(report)
    for i, (key, question) in enumerate(exercise.questions.items()):
        if question.kind == "derivative":
            assert teach.check(name, **{key: _function(name, i)})[key].right


def _function(name, i):
    """A function with the arguments of the exercise, as a student would write it."""
    return lambda *args: CLOSED[name](*args)[i]


@pytest.mark.parametrize("name", CLOSED)
def test_what_a_student_reads(name):
    exercise = teach.show(name)
    text = str(exercise)
    assert f'teach.check("{name}", ' in text
    assert all(question in text for question in exercise.questions)
    assert max(map(len, text.splitlines())) <= 132
    answers = {str(value) for value in exercise.answers().values() if isinstance(value, float)}
    assert not any(answer in text for answer in answers if len(answer) > 6)
    assert exercise._repr_html_().count("<tr>") == len(exercise.questions)


DERIVATIVES = [e.name for e in catalogue.EXERCISES.values() if any(question.f for question in e.questions.values())]


@pytest.mark.parametrize("name", DERIVATIVES)
def test_the_trace_without_a_slip_is_the_derivative(name):
    """The mistakes are made in a derivation that is otherwise right: without them it gives dualad's answer."""
    exercise = catalogue.find(name)
    for question in exercise.questions.values():
        if question.f is not None:
            slope = graph.trace(question.f, exercise.at, question.wrt).derivative()
            if name != "second-derivative":
                want = question.truth(**exercise.at)
                np.testing.assert_allclose(question.after(slope, exercise.at), want, rtol=1e-12, atol=1e-14)
            assert any(wrong is not None for _, _, wrong in slips.slips(question.f, exercise.at, question.wrt))


def test_exercises_follow_the_worked_examples():
    """Every row that has a worked example to do by hand has an exercise."""
    rows = {row for exercise in catalogue.EXERCISES.values() for row in exercise.rows}
    assert {f"L{i:02d}" for i in range(1, 45)} <= rows
    assert {"E1", "E2", "E3", "E4", "E5", "E6", "E7"} <= rows


# ---- right and wrong -----------------------------------------------------------------------------------------------------------

def test_rounded_as_asked():
    assert teach.check("quiz1", dx=1208, dz=810)
    assert teach.check("quiz1", dx=1208.3812, dz=809.7075)
    assert teach.check("quiz1", dx=1209)["dx"].code == "rounding"
    assert teach.check("quiz1", dx=1208, dz=809)["dz"].code == "rounding"


def test_four_digits():
    right = 3 * 1.3**2 * math.cos(1.3**3)
    for digits, verdict in ((8, True), (3, True), (1, False)):
        report = teach.check("chain-rule", dx=round(right, digits))
        assert report["dx"].right is verdict
    assert report["dx"].code == "rounding"


def test_near_is_not_right_for_formulas():
    """A formula that happens to be right at the point is compared at others."""
    value = teach.answers("power-rule")["dx"]
    assert teach.check("power-rule", dx=value)
    assert not teach.check("power-rule", dx=lambda x: value)


def test_missing_answers_are_named():
    report = teach.check("quiz1", dz=810)
    assert not report
    assert report["dz"].right
    assert str(report).splitlines() == ["quiz1: 1 of 2 right", "  dz: right", "  dx: not answered yet"]


def test_report_keeps_the_order_and_hides_the_truth():
    report = teach.check("quiz1", dz=-810, dx=-1208)
    assert [verdict.name for verdict in report.verdicts] == ["dx", "dz"]
    assert [verdict.code for verdict in report.verdicts] == ["sign", "sign"]
    assert "1208" not in str(report)
    assert "<li>dx: wrong (sign)" in report._repr_html_()


@pytest.mark.parametrize(("exercise", "answers", "code"), [
    ("shape-of-a-gradient", {"numerator": (4, 2)}, "wrong layout"),
    ("shape-vector-by-matrix", {"stacked": (2, 4, 3)}, "transposed"),
    ("chain-of-shapes", {"outer": (3, 2)}, "transposed"),
    ("chain-of-shapes", {"outer": (2, 3, 4)}, "shape"),
    ("chain-of-shapes", {"outer": "(5, 3)"}, "shape"),
    ("layer-shapes", {"dbeta": (2, 1)}, "wrong layout"),
    ("layout-quiz", {"answer": "a"}, "wrong choice"),
    ("squared-norm", {"gradient": [4.0, 1.0, -2.4]}, "order of elements"),
    ("squared-norm", {"gradient": [1.0, 2.4, 4.0]}, "sign"),
    ("squared-norm", {"gradient": [1.0, -2.4, 9.0]}, "one entry"),
    ("squared-norm", {"gradient": [3.0, -7.2, 12.0]}, "factor"),
    ("squared-norm", {"gradient": [1.0, -2.4]}, "shape"),
    ("cubic", {"d1": 3.601}, "swapped"),
    ("taylor-exponential", {"coefficients": [1, 2, 4, 8]}, "factor"),
    ("third-derivative", {"d3x": 2.8 * math.exp(0.8)}, "wrong order"),
    ("directional", {"slope": [2.163, 3.601]}, "direction"),
    ("power-rule", {"dx": "x**5"}, "not differentiated"),
    ("power-rule", {"dx": "5*x**5"}, "power rule"),
    ("power-rule", {"dx": "x**4"}, "power rule"),
    ("power-rule", {"dx": "sin(x)"}, "unknown"),
    ("quotient-rule", {"dx": "1/x/x**2 - log(x)*2*x/x**2"}, "quotient rule"),
])  # fmt: skip
def test_codes(exercise, answers, code):
    (verdict,) = teach.check(exercise, **answers).verdicts
    assert (verdict.right, verdict.code) == (False, code)
    assert verdict.hint
    assert "\n" not in verdict.hint


def test_every_code_is_described():
    source = "".join(path.read_text(encoding="utf-8") for path in Path(inspect.getfile(mistakes)).parent.glob("*.py"))
    used = {code for code in mistakes.CODES if source.count(f'"{code}"') > 1}
    assert used == set(mistakes.CODES)


def test_from_the_front():
    assert dualad.teach is teach
    assert dualad.teach.museum.names()
    assert dualad.layout.shape((2,), (3,)) == (2, 3)
    with pytest.raises(AttributeError, match="no attribute 'musem'"):
        dualad.teach.musem  # noqa: B018


NONSENSE = [[], 0, 1e300, -1e-300, 10**400, True, math.inf, None, (1, 2), object(), np.full((3, 2), 0.5), np.ones((2, 2, 2, 2)),
            "", "x", "1/0", "x**1000", "log(-1)", "A", "eye(1000)", "[1, [2]]",
            lambda *args: None, lambda *args: [1, 2], lambda: 1]  # fmt: skip


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", CLOSED)
def test_nonsense_is_judged_or_refused_in_one_line(name):
    for question in catalogue.find(name).questions:
        for given in NONSENSE:
            try:
                text = str(teach.check(name, **{question: given}).verdicts[0])
            except (TypeError, ValueError) as error:
                text = str(error)
            assert text
            assert "\n" not in text
            assert len(text) < 250


def test_zero_is_no_slip():
    """An answer of 0 was explained as the one path of x^5 that is missing."""
    assert teach.check("power-rule", dx=0)["dx"].code == "unknown"


# ---- listings ------------------------------------------------------------------------------------------------------------------

def test_listing():
    everything = teach.list()
    assert str(everything).splitlines()[0].split() == ["exercise", "topic", "asks", "for", "example"]
    assert len(str(everything).splitlines()) == len(everything) + 1
    assert teach.list("kinks").names == ("absolute-value", "relu")
    assert teach.list("L19").names == ("quiz1",)
    assert everything._repr_html_().count("<tr>") == len(everything) + 1


# ---- formulas ------------------------------------------------------------------------------------------------------------------

def test_formulas():
    at = {"x": 2.0, "A": np.array([[1.0, 2.0], [3.0, 4.0]]), "b": np.array([1.0, -1.0])}
    value = lambda text: expression.evaluate(text, at)
    assert value("2*x**3 - 1/x") == 15.5
    assert value("-sin(pi*x) + ln(e)") == pytest.approx(1.0)
    np.testing.assert_array_equal(value("A.T @ b + [1, 0]"), at["A"].T @ at["b"] + [1, 0])
    np.testing.assert_allclose(value("det(A) * inv(A).T"), np.linalg.det(at["A"]) * np.linalg.inv(at["A"]).T)
    assert value("b[1]") == -1.0


@pytest.mark.parametrize(("text", "message"), [
    ("x^2", r"write \*\* for a power"),
    ("2x", "not a formula"),
    ("y + 1", "y is not a variable of this exercise; the variables are"),
    ("sin + 1", "sin is not a variable of this exercise; write it with its argument"),
    ("foo(x)", "no function foo"),
    ("__import__('os').system('true')", "not allowed|no function"),
    ("().__class__", "not allowed"),
    ("x if x else 1", "not allowed"),
    ("[i for i in x]", "not allowed"),
    ("True", "not allowed"),
    ("'a'", "not allowed"),
    ("sin(x, y=1)", "not allowed"),
    ("x[0]", "cannot be evaluated"),
    ("x" * 600, "600 characters"),
    ("(" * 300 + ")" * 300, "not a formula|characters"),
    ("", "not a formula"),
    ("x @ x", "cannot be evaluated"),
])  # fmt: skip
def test_what_is_no_formula(text, message):
    with pytest.raises(ValueError, match=message) as error:
        expression.evaluate(text, {"x": 2.0})
    assert "\n" not in str(error.value)


# ---- errors --------------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("call", "message"), [
    (lambda: teach.check("quiz", dx=1), "no exercise 'quiz'; did you mean 'quiz1'?"),
    (lambda: teach.show("zzz"), "no exercise 'zzz'; teach.list() has them all"),
    (lambda: teach.check("quiz1", dy=1), "quiz1 does not ask for 'dy'; it asks for dx, dz"),
    (lambda: teach.check("quiz1"), "no answer given: write check('quiz1', dx=..., dz=...)"),
    (lambda: teach.check("quiz1", dx=None), "the answer to dx is not finite"),
    (lambda: teach.check("quiz1", dx=math.nan), "the answer to dx is not finite: nan"),
    (lambda: teach.check("quiz1", dx={}), "the answer to dx is {}: write a number"),
    (lambda: teach.check("quiz1", dx=1j), "the answer to dx is 1j: write a number"),
    (lambda: teach.check("quiz1", dx=[[1], [1, 2]]), "write a number"),
    (lambda: teach.check("quiz1", dx="1/0"), "1/0"),
    (lambda: teach.check("quiz1", dx=lambda a: a), "the function for dx failed with TypeError"),
    (lambda: teach.check("count-paths", paths=lambda: 1), "paths asks for a number, not for a function"),
    (lambda: teach.check("chain-of-shapes", outer="abc"), "write a shape, as in (3, 4)"),
    (lambda: teach.check("chain-of-shapes", outer=2.5), "write a shape"),
    (lambda: teach.check("layout-quiz", answer="G"), "answer is one of A, B, C, D, E, F, not 'G'"),
    (lambda: teach.check("maximum-or-minimum", **{"is": "maximums"}), "did you mean maximum?"),
    (lambda: teach.list("cooking"), "no exercises on 'cooking'; the topics are rules of differentiation"),
])  # fmt: skip
def test_bad_input_is_one_clear_line(call, message):
    with pytest.raises((TypeError, ValueError), match=re.escape(message)) as error:
        call()
    assert "\n" not in str(error.value)

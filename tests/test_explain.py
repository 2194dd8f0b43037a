"""dualad.explain: the lecture's tables by closed form, and the laws (version A = version B = grad; forward = jvp)."""

import json
import sys

import numpy as np
import pytest
from explained_examples import baydin, simple

import dualad
from dualad import explain, math, problems
from dualad.explanation import building
from dualad.explanation.building import build
from dualad.explanation.formulas import parse, text_of
from dualad.explanation.program import Block
from dualad.explanation.tracing import record


def quiz1(x, z):
    xz = x * z
    log = math.log(x)
    y = math.exp(xz) + xz / log + math.sin(log) / xz
    return y


def backward(x):
    a = x**2
    b = math.exp(a)
    c = a + b
    d = math.sqrt(c)
    e = math.cos(c)
    f = d + e
    return f


def logistic(theta, x, y_star):
    a = theta @ x
    y = 1 / (1 + np.exp(-a))
    J = y_star * np.log(y) + (1 - y_star) * np.log(1 - y)
    return J


def sigmoid(b):
    return 1 / (1 + np.exp(-b))


def network(alpha, beta, x, y_star):
    a = alpha @ x
    z = sigmoid(a)
    b = beta @ z
    y = sigmoid(b)
    J = y_star * np.log(y) + (1 - y_star) * np.log(1 - y)
    return J


NETWORK = (np.array([[0.1, -0.2, 0.3], [0.4, 0.5, -0.6]]), np.array([0.7, -0.8]), np.array([1.0, 2.0, 3.0]), 1.0)


# ---- closed forms ------------------------------------------------------------------------------------------------------------

def test_baydin_forward_and_reverse():
    """ln x1 + x1 x2 - sin x2 at (2, 5): the running example of the survey of Baydin et al. (2018)."""
    e = explain(baydin, 2.0, 5.0)
    assert e.value == pytest.approx(11.652071, abs=5e-7)
    assert e.tangent("y", "x1") == pytest.approx(5.5, abs=1e-12)
    assert e.gradient() == {"x1": pytest.approx(5.5), "x2": pytest.approx(1.716338, abs=5e-7)}
    table = e.forward(seed="x1")
    assert table.column("primal trace") == (
        "x1", "x2", "v1 = log(x1)", "v2 = x1*x2", "v3 = v1 + v2", "v4 = sin(x2)", "y = v3 - v4")  # fmt: skip
    assert table.column("tangent") == ("1", "0", "0.5", "5", "5.5", "0", "5.5")
    assert e.reverse("B").column("adjoint")[-2:] == ("1.716338", "5.5")


def test_quiz_1():
    e = explain(quiz1, 2.0, 3.0)
    assert e.value == pytest.approx(412.1915, abs=5e-5)
    assert e.gradient() == {"x": pytest.approx(1208.3812, abs=5e-5), "z": pytest.approx(809.7075, abs=5e-5)}


def test_simple_example_at_1():
    e = explain(simple, 1.0)
    assert e.value == pytest.approx(-0.764921, abs=5e-7)
    assert e.gradient() == {"x": pytest.approx(4.560792, abs=5e-7)}
    assert e.names == ("x", "t", "u1", "u2", "u", "J")


def test_backward_example_a_to_f():
    """S4's example: a..f and their adjoints at x = 1."""
    e = explain(backward, 1.0)
    values = {node.name: node.value for node in e.program.nodes}
    for name, value in zip("abcdef", (1.0, 2.718282, 3.718282, 1.928285, -0.838272, 1.090012), strict=True):
        assert values[name] == pytest.approx(value, abs=5e-7)
    for name, value in {"c": 0.804549, "b": 0.804549, "a": 2.991541, "x": 5.983083, "d": 1.0, "e": 1.0}.items():
        assert e.adjoint(name) == pytest.approx(value, abs=2e-6)
    formulas = {(node.name, o.text): o.formula for node in e.program.nodes for o in node.operands}
    assert formulas["a", "x"] == "2*x"
    assert formulas["b", "a"] == "exp(a)"
    assert formulas["c", "a"] == formulas["c", "b"] == "1"
    assert formulas["d", "c"] == "1/(2*sqrt(c))"
    assert formulas["e", "c"] == "-sin(c)"


# ---- the lecture's two columns ---------------------------------------------------------------------------------------------

def test_two_columns_as_the_slide_prints_them():
    table = explain(simple, 1.0).two_column()
    assert table.columns == ("Forward", "Backward")
    assert list(zip(table.column("Forward"), table.column("Backward"), strict=True)) == [
        ("J = cos(u)", "dJ/du += -sin(u)"),
        ("u = u1 + u2", "dJ/du1 += dJ/du * du/du1,  du/du1 = 1\ndJ/du2 += dJ/du * du/du2,  du/du2 = 1"),
        ("u1 = sin(t)", "dJ/dt += dJ/du1 * du1/dt,  du1/dt = cos(t)"),
        ("u2 = 3*t", "dJ/dt += dJ/du2 * du2/dt,  du2/dt = 3"),
        ("t = x**2", "dJ/dx += dJ/dt * dt/dx,  dt/dx = 2*x"),
    ]


def test_latex_is_the_text_of_the_slide():
    """Every formula of the slide "Simple Example", letter for letter."""
    text = explain(simple, 1.0).latex()
    for formula in (
        r"J = \cos(u)", r"\frac{dJ}{du} += -\sin(u)", "u = u_1 + u_2",
        r"\frac{dJ}{du_1} += \frac{dJ}{du} \frac{du}{du_1}, \quad \frac{du}{du_1} = 1",
        r"\frac{dJ}{du_2} += \frac{dJ}{du} \frac{du}{du_2}, \quad \frac{du}{du_2} = 1",
        r"u_1 = \sin(t)", r"\frac{dJ}{dt} += \frac{dJ}{du_1} \frac{du_1}{dt}, \quad \frac{du_1}{dt} = \cos(t)",
        "u_2 = 3t", r"\frac{dJ}{dt} += \frac{dJ}{du_2} \frac{du_2}{dt}, \quad \frac{du_2}{dt} = 3",
        "t = x^2", r"\frac{dJ}{dx} += \frac{dJ}{dt} \frac{dt}{dx}, \quad \frac{dt}{dx} = 2x",
    ):  # fmt: skip
        assert f"${formula}$" in text, formula


def test_logistic_regression_has_the_rows_of_the_slide():
    """J, y, a; dJ/da = y* - y (the slide's sign), dJ/dtheta_j = (dJ/da) x_j, dJ/dx_j = (dJ/da) theta_j."""
    theta, x, y_star = np.array([0.1, 0.2]), np.array([1.0, 2.0]), 1.0
    e = explain(logistic, theta, x, y_star, argnums=(0, 1))
    table = e.two_column()
    assert table.column("Forward") == ("J = y_star*log(y) + 0*log(1 - y)", "y = 1/(1 + exp(-a))", "a = theta @ x")
    assert table.column("Backward")[1:] == (
        "dJ/da += dJ/dy * dy/da,  dy/da = exp(-a)/(1 + exp(-a))**2",
        "dJ/dtheta += dJ/da * da/dtheta,  da/dtheta = x\ndJ/dx += dJ/da * da/dx,  da/dx = theta",
    )
    y = 1 / (1 + np.exp(-theta @ x))
    assert e.adjoint("y") == pytest.approx(y_star / y + (1 - y_star) / (y - 1))
    assert e.adjoint("a") == pytest.approx(y_star - y)
    np.testing.assert_allclose(e.adjoint("theta"), (y_star - y) * x)
    np.testing.assert_allclose(e.adjoint("x"), (y_star - y) * theta)


def test_all_arguments_keep_their_names_in_the_loss():
    e = explain(logistic, np.array([0.1, 0.2]), np.array([1.0, 2.0]), 1.0)
    assert e.two_column().column("Forward")[0] == "J = y_star*log(y) + (1 - y_star)*log(1 - y)"
    assert "y_star/y - (1 - y_star)/(1 - y)" in e.two_column().column("Backward")[0]
    assert r"J = y^* \log(y) + (1 - y^*)\log(1 - y)" in e.latex()


def test_one_hidden_layer_folds_into_the_blocks_of_the_slide():
    """Loss, sigmoid, linear, sigmoid, linear: one row each, whose adjoints are those of the full trace."""
    e = explain(network, *NETWORK)
    folded = e.fold("name")
    assert [node.name for node in folded.program.nodes if node.operation] == ["a", "z", "b", "y", "J"]
    table = e.two_column(values=True)
    assert [row.split(" = ")[0] for row in table.column("Forward")] == ["J", "y", "b", "z", "a"]
    alpha, beta, x, y_star = NETWORK
    z = sigmoid(alpha @ x)
    y = sigmoid(beta @ z)
    db = y_star - y
    da = db * beta * z * (1 - z)
    for name, expected in {"b": db, "beta": db * z, "z": db * beta, "a": da, "alpha": np.outer(da, x), "x": alpha.T @ da}.items():
        np.testing.assert_allclose(folded.adjoint(name), expected, rtol=1e-12)
        np.testing.assert_allclose(e.adjoint(name), expected, rtol=1e-12)
    assert "outer(dJ/da, x)" in table.column("Backward")[-1]
    assert "alpha.T @ dJ/da" in table.column("Backward")[-1]
    assert [node.shape for node in folded.program.nodes if node.name in ("alpha", "a", "b")] == [(2, 3), (2,), ()]


def test_calls_of_one_function_are_told_apart():
    e = explain(network, *NETWORK)
    calls = {node.call for node in e.program.nodes if node.function == "sigmoid"}
    assert len(calls) == 2
    by_function = e.fold("function")
    assert not [node for node in by_function.program.nodes if node.operation != "block" and node.function == "sigmoid"]


# ---- laws --------------------------------------------------------------------------------------------------------------------

@pytest.fixture(params=sorted(problems.PROBLEMS))
def problem(request):
    return problems.PROBLEMS[request.param]


def test_versions_a_and_b_and_grad_agree(problem):
    """A = B to the last bit, and both are what the library's own reverse sweep returns."""
    args = problem.make(problem.sizes[0] if problem.kind == "blocks" else 4, 0)
    e = explain(problem.f, *args, argnums=problem.argnums)
    b, a = e._sweeps.terms()[0], e._sweeps.pulled()
    assert all(np.array_equal(p, q) for p, q in zip(a, b, strict=True))

    def total(*xs):
        out = problem.f(*xs)
        return sum(np.sum(leaf) for leaf in (out if isinstance(out, tuple) else (out,)))

    argnums = (problem.argnums,) if isinstance(problem.argnums, int) else problem.argnums
    exact = dualad.tree.flatten(dualad.grad(total, argnums=argnums)(*args))[0]
    for got, want in zip(e.gradient().values(), exact, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-13)


def test_forward_is_jvp(problem):
    args = problem.make(problem.sizes[0] if problem.kind == "blocks" else 4, 0)
    e = explain(problem.f, *args, argnums=problem.argnums)
    rng = np.random.default_rng(1)
    argnums = (problem.argnums,) if isinstance(problem.argnums, int) else problem.argnums
    fixed = list(args)
    directions = [dualad.tree.tree_map(lambda x: rng.normal(size=np.shape(x)) if np.ndim(x) else float(rng.normal()), args[i])
                  for i in argnums]  # fmt: skip

    def inner(*xs):
        for i, x in zip(argnums, xs, strict=True):
            fixed[i] = x
        return problem.f(*fixed)

    exact = dualad.tree.flatten(dualad.jvp(inner, tuple(args[i] for i in argnums), tuple(directions))[1])[0]
    seeds = dict(zip([e.program.nodes[i].name for i in e.program.inputs], dualad.tree.flatten(tuple(directions))[0], strict=True))
    for i, want in zip(e._built.outputs, exact, strict=True):
        np.testing.assert_allclose(e.tangent(e.names[i], seeds), want, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("by", ["name", "function"])
def test_folding_changes_no_derivative(problem, by):
    args = problem.make(problem.sizes[0] if problem.kind == "blocks" else 4, 0)
    e = explain(problem.f, *args, argnums=problem.argnums)
    folded = e.fold(by)
    assert len(folded.program.nodes) <= len(e.program.nodes)
    before, after = e._sweeps.terms()[0], folded._sweeps.terms()[0]
    t_before, t_after = (s._sweeps.tangents(s._seeds(None)[1]) for s in (e, folded))
    for node in folded.program.nodes:
        old = e.program.node(node.name).index
        np.testing.assert_allclose(after[node.index], before[old], rtol=1e-11, atol=1e-12)
        np.testing.assert_allclose(t_after[node.index], t_before[old], rtol=1e-11, atol=1e-12)


def test_every_formula_is_the_number_that_the_sweeps_use(problem):
    """Formulas of values and partials, evaluated over the names, are the values and partials."""
    args = problem.make(problem.sizes[0] if problem.kind == "blocks" else 4, 0)
    checked = 0
    for e in (explain(problem.f, *args, argnums=problem.argnums), explain(problem.f, *args, argnums=problem.argnums).fold("name")):
        if len(e.program.nodes) > 120:
            continue
        names = ("exp", "log", "sin", "cos", "sqrt", "tanh", "log1p", "absolute", "sinh", "cosh", "sum")
        space = {"erf": dualad.math.erf, **{name: getattr(np, name) for name in names}}
        space.update({node.name: e._built.values[node.index] for node in e.program.nodes if node.name.isidentifier()})
        for node in e.program.nodes:
            if not node.operation:
                continue
            for operand in node.operands:
                if operand.formula and isinstance(operand.partial, float) and operand.text in space:
                    try:
                        got = eval(operand.formula, {}, space)
                    except NameError:
                        continue
                    assert got == pytest.approx(operand.partial, rel=1e-5, abs=1e-9), (node.name, operand)
                    checked += 1
    assert checked or problem.name in ARRAYS_ONLY


ARRAYS_ONLY = {name for name, p in problems.PROBLEMS.items() if "array" in p.tags} | {
    "rosenbrock", "rosenbrock_indexed", "speelpenning", "lorenz_rk4", "helmholtz_loop", "gmm", "ba", "lstm"}  # fmt: skip


# ---- events --------------------------------------------------------------------------------------------------------------------

def test_version_b_zeroes_and_increments():
    events = list(explain(simple, 1.0).steps(version="B"))
    assert [event.action for event in events[:2]] == ["zero", "seed"]
    assert {event.action for event in events[2:]} == {"visit", "increment"}
    increments = [event for event in events if event.action == "increment"]
    assert len(increments) == 6
    e = explain(simple, 1.0)
    last = {event.node: event.value for event in increments}
    expected = {name: pytest.approx(e.adjoint(name)) for name in ("x", "t", "u1", "u2", "u")}
    assert {e.names[i]: v for i, v in last.items()} == expected
    assert [event.text for event in increments][-1].startswith("dJ/dx += dJ/dt * 2*x = 4.56079")


def test_version_a_pulls_from_successors():
    e = explain(simple, 1.0)
    events = list(e.steps(version="A"))
    assert "zero" not in {event.action for event in events}
    t = e.program.node("t").index
    assert [e.names[event.other] for event in events if event.action == "read" and event.node == t] == ["u2", "u1"]
    sets = {e.names[event.node]: event.value for event in events if event.action == "set"}
    assert sets == {name: pytest.approx(e.adjoint(name)) for name in ("x", "t", "u1", "u2", "u")}


@pytest.mark.parametrize("version", ["A", "B"])
def test_counts_of_a_sweep_only_grow(version):
    """Operations: 6 edges, a multiplication each; B adds an addition to each, A to the second term of t only."""
    events = list(explain(simple, 1.0).steps(version=version))
    counts = [event.operations for event in events]
    assert counts == sorted(counts)
    assert counts[-1] == {"A": 7, "B": 12}[version]
    assert events[-1].memory == 12  # 6 values and 6 adjoints


def test_forward_and_tangent_events():
    e = explain(simple, 1.0)
    computed = [event for event in e.steps("forward") if event.action == "compute"]
    assert [e.names[event.node] for event in computed] == ["t", "u1", "u2", "u", "J"]
    assert [event.memory for event in computed] == [2, 3, 4, 5, 6]
    tangents = [event for event in e.steps("tangent", seed="x") if event.action == "compute"]
    assert tangents[-1].value == pytest.approx(4.560792, abs=5e-7)
    with pytest.raises(ValueError, match="forward"):
        e.steps("sideways")


# ---- large programs and other forms --------------------------------------------------------------------------------

def sines(x):
    s = x
    for _ in range(1500):
        s = np.sin(s) + x
    return s


def test_thousands_of_values_are_summarised():
    e = explain(sines, 1.0)
    assert len(e.program.nodes) == 3001
    text = str(e)
    assert len(text.splitlines()) < 12
    assert "1500 sin, 1500 add" in text
    assert e.gradient()["x"] == pytest.approx(dualad.derivative(sines)(1.0))


def test_large_arrays_are_summarised():
    e = explain(lambda x: np.sum(x * x), np.arange(1000.0))
    block = e.program.nodes[0].value
    assert isinstance(block, Block)
    assert (block.shape, block.numbers, block.largest) == ((1000,), (), 999.0)
    assert len(e.json()) < 5000
    with pytest.raises(ValueError, match="summary"):
        block.array()
    assert not e.program.tangents


def test_json_is_the_program():
    made = json.loads(explain(simple, 1.0).json())
    assert [node["name"] for node in made["nodes"]] == ["x", "t", "u1", "u2", "u", "J"]
    assert made["adjoints"][0] == pytest.approx(4.560792, abs=5e-7)
    assert made["nodes"][1]["operands"][0] == {
        "node": 0, "text": "x", "value": None, "partial": 2.0, "formula": "2*x", "pullback": "", "tangent": ""}  # fmt: skip
    infinite = json.loads(explain(lambda x: 1 / x, 0.0).json())
    assert infinite["nodes"][1]["value"] == "inf"


def test_markdown_and_html_escape_what_they_show():
    e = explain(lambda x: x * x, 1.0)
    assert "&lt;lambda&gt;" in e._repr_html_()
    assert "<lambda>" not in e._repr_html_()
    assert r"\<lambda\>" in e.markdown()
    assert "http" not in e._repr_html_()


def test_formula_text_keeps_its_meaning():
    for text in ("a - (b - c)", "a/(b*c)", "-(a + b)*c", "(a + b)**2", "2**-a", "-a**2", "(-a)**2", "a*(b/c)", "-(a - b)",
                 "a - -b", "a*-b", "(a/b)/c", "a**b**c", "(a**b)**c"):  # fmt: skip
        space = {"a": 1.7, "b": 0.6, "c": 2.2}
        assert eval(text_of(parse(text)), {}, space) == pytest.approx(eval(text, {}, space)), text


def test_a_long_table_is_shown_without_its_middle():
    table = explain(sines, 1.0).reverse("B")
    assert len(table.rows) == 3002
    assert len(str(table).splitlines()) < 120
    assert "rows between are not shown" in str(table)
    assert table.html().count("<tr>") < 60
    assert table.markdown().count("\n") < 80


def test_the_cost_of_an_explanation_is_linear_in_the_program():
    """It was quadratic (a list of all names for each operation). Counted: lines that run in the module that builds the program."""
    def f(x, n):
        s = x
        for _ in range(int(n)):
            s = np.sin(s) + x
        return s

    lines = {}
    for n in (250, 500):
        count = [0]

        def local(frame, event, arg, count=count):
            count[0] += event == "line"
            return local

        def trace(frame, event, arg, local=local):
            return local if frame.f_code.co_filename == building.__file__ else None

        e = explain(f, 1.0, n, argnums=0)
        recording = record(f, [1.0, n], {}, (0,), ["x", "n"])
        before = sys.gettrace()
        sys.settrace(trace)
        try:
            build(recording, "f")
        finally:
            sys.settrace(before)
        lines[n] = count[0]
        assert len(e.program.nodes) == 2 * n + 1
    assert lines[500] / lines[250] == pytest.approx(2.0, rel=0.1)

"""Names and places: what dualad.explain calls the values of a function, and how it finds their lines."""

import functools
import math as pmath
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from explained_examples import simple

import dualad
from dualad import explain, math, problems

HERE = Path(__file__).resolve()


def test_rows_link_to_their_lines():
    e = explain(simple, 1.0)
    first = simple.__code__.co_firstlineno
    assert [node.line for node in e.program.nodes] == [0, first + 1, first + 2, first + 3, first + 4, first + 5]
    assert {node.file for node in e.program.nodes if node.line} == {simple.__code__.co_filename}
    assert e.program.node("u2").source == "u2 = 3 * t"
    assert f"#L{first + 1})" in e.markdown()
    html = e._repr_html_()
    assert f'href="#explain-simple-{first + 1}"' in html
    assert f'id="explain-simple-{first + 1}"' in html


def outside(b):
    return 1 / (1 + np.exp(-b))


def test_rows_of_functions_that_are_called_link_to_theirs(tmp_path, monkeypatch):
    """Only the lines of f itself were links: what happens in a function that it calls had a number and nothing behind it."""
    (tmp_path / "lecture_model.py").write_text("def doubled(a):\n    r = a * 2\n    return r + 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    from lecture_model import doubled

    def f(x):
        t = outside(x)
        y = doubled(t)
        return y

    e = explain(f, 1.0)
    rows = e.table().rows
    assert [row[0].text for row in rows[-2:]] == ["lecture_model.py:2", "lecture_model.py:3"]
    html = e._repr_html_()
    places = re.findall(r'href="#([^"]*)"', html)
    assert len(places) == sum(1 for node in e.program.nodes if node.operation)
    for place in places:
        assert html.count(f'id="{place}"') == 1
    assert "def outside(b):" in html
    assert "def doubled(a):" in html
    assert "lecture_model.py#L2)" in e.markdown()
    assert e.two_column().html().count("href=") == len(e.two_column().rows)
    assert "#L2)" in e.two_column().markdown()


def test_a_partial_has_the_name_of_its_function():
    def rate(k, x):
        return math.exp(k * x)

    assert explain(functools.partial(rate, 2.0), 0.5).program.name == "rate"


def test_code_that_dataclasses_make_is_not_the_callers():
    """An __init__ that dataclasses had written for dualad gave its arguments' names to values: a mask was called `result`."""
    e = explain(lambda v: np.where(np.abs(v) < 1, v, 0.0), np.array([0.5, -1.0, 2.0]))
    assert e.program.nodes[-1].formula == "where(abs(v) < 1, v, 0)"
    assert explain(lambda X: np.linalg.slogdet(X)[1], np.eye(2) * 2).program.nodes[-1].name == "y"


def test_elements_are_no_equations_of_themselves():
    e = explain(lambda v: v[0] * v[1], np.array([2.0, 3.0]))
    assert e.table().column("value") == ("v", "v[0]", "v[1]", "y = v[0]*v[1]")
    assert e.forward().column("tangent trace")[:3] == ("dv", "dv[0]", "dv[1]")


def test_arrays_that_move_no_element_are_not_rows():
    e = explain(lambda v: np.sum(np.ravel(v)), np.array([2.0, 3.0]))
    assert [node.operation for node in e.program.nodes] == ["", "sum"]


def test_loops_number_their_values():
    def f(x):
        s = 0.0
        for i in range(3):
            x = math.sin(x)
            s = s + x * i
        return s

    e = explain(f, 1.0)
    assert [name for name in e.names if name.startswith("x")] == ["x", "x_1", "x_2", "x_3"]
    assert [name for name in e.names if name.startswith("s")] == ["s_1", "s_2", "s_3"]


def test_a_taken_name_is_not_given_twice():
    def f(x, x_1):
        for _ in range(2):
            x = x * x_1
        return x

    assert explain(f, 2.0, 3.0).names == ("x", "x_1", "x_2", "x_3")


def test_values_of_functions_that_are_called():
    def inner(b):
        t = b * b
        return t + b

    def f(x):
        t = math.sin(x)
        return inner(t) * t

    e = explain(f, 1.0)
    assert e.names == ("x", "t", "inner.t", "v1", "y")
    assert [node.function for node in e.program.nodes[1:]] == ["f", "inner", "inner", "f"]


def test_containers_elements_and_constants():
    data = np.array([[1.0, 2.0], [3.0, 4.0]])

    def f(p, rate):
        h = data @ p["w"]
        return np.sum(h * rate) + p["b"][0] + p["w"][1]

    e = explain(f, {"w": np.array([1.0, -1.0]), "b": [2.0]}, 0.3, argnums=0)
    assert e.names[:2] == ("p['w']", "p['b'][0]")
    assert e.program.node("h").formula == "data @ p['w']"
    assert "p['w'][1]" in e.names
    assert "rate" in e.program.nodes[3].formula + e.program.nodes[4].formula
    np.testing.assert_allclose(e.adjoint("p['w']"), 0.3 * data.sum(axis=0) + [0.0, 1.0])


def test_what_cannot_be_named_still_gives_a_table():
    assert explain(lambda x: np.sin(x) * x + 1.0, 2.0).names == ("x", "v1", "v2", "y")
    assert explain(np.sin, 2.0).names == ("x", "y")
    assert explain(pmath.sin, 2.0).gradient() == {"x": pytest.approx(pmath.cos(2.0))}
    space = {}
    exec("def g(x):\n    t = x * x\n    return t * x", space)  # as typed into an interpreter: no source
    e = explain(space["g"], 2.0)
    assert e.names == ("x", "t", "y")
    assert e.program.source == ""
    assert e.program.node("t").line == 2
    str(e), e.markdown(), e._repr_html_(), e.latex()


def test_several_outputs_and_a_target():
    def f(x, y):
        u = x * y
        v = x + u
        return u, v

    e = explain(f, 2.0, 3.0)
    assert e.value == (6.0, 8.0)
    assert e.gradient() == {"x": 3.0 + 4.0, "y": 2.0 + 2.0}
    assert e.gradient(target="u") == {"x": 3.0, "y": 2.0}
    assert e.reverse("B", target="v").column("adjoint trace")[-1] == "dv/dx is complete"
    assert e.program.target == "sum"


def test_rename():
    e = explain(lambda x: np.cos(x * x), 1.0).rename({"y": "J", "v1": "t"})
    assert e.names == ("x", "t", "J")
    assert e.two_column(by=None).column("Backward") == ("dJ/dt += -sin(t)", "dJ/dx += dJ/dt * dt/dx,  dt/dx = 2*x")
    with pytest.raises(ValueError, match="two values"):
        explain(lambda x: np.cos(x * x), 1.0).rename({"y": "x"})


# ---- the tracer ----------------------------------------------------------------------------------------------------------------

def test_the_previous_tracer_is_put_back():
    seen = []

    def tracer(frame, event, arg):
        seen.append(frame.f_code.co_name)

    def fails(x):
        raise RuntimeError("inside")

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        explain(lambda x: x * x, 1.0)
        assert sys.gettrace() is tracer
        with pytest.raises(RuntimeError, match="inside"):
            explain(fails, 1.0)
        assert sys.gettrace() is tracer
    finally:
        sys.settrace(before)


def test_the_library_and_numpy_are_not_traced():
    """Every place is in this file, whatever the library and NumPy run inside."""

    def f(x):
        return np.sum(np.linalg.solve(np.outer(x, x) + np.eye(3), x)) + np.mean(np.sort(x))

    e = explain(f, np.array([1.0, 2.0, 3.0]))
    assert {Path(node.file).name for node in e.program.nodes if node.operation} == {HERE.name}
    assert {node.function for node in e.program.nodes if node.operation} == {"f"}


def test_values_are_those_of_the_function():
    for problem in problems.PROBLEMS.values():
        args = problem.make(problem.sizes[0] if problem.kind == "blocks" else 4, 0)
        e = explain(problem.f, *args, argnums=problem.argnums)
        want = dualad.tree.flatten(problem.f(*args))[0]
        got = e.value if isinstance(e.value, tuple) else (e.value,)
        for a, b in zip(got, want, strict=True):
            np.testing.assert_array_equal(np.asarray(a, dtype=float), b, err_msg=problem.name)


def test_a_constant_and_a_value_of_one_name_are_not_mixed_up():
    """An argument y that is a constant, and a result without a name: the result was called y too."""

    def f(x, y):
        return x * y + x

    e = explain(f, 2.0, 3.0, argnums=0)
    assert e.names == ("x", "v1", "f")
    assert e.program.node("v1").formula == "x*y"


def test_names_with_ct_in_them():
    """What an operation sends back is written over `ct`, and was put into names such as vector or factor."""

    def f(matrix, vector, ct):
        product = matrix @ vector
        return np.sum(product * ct)

    e = explain(f, np.eye(2), np.ones(2), 2.0)
    assert e.names == ("matrix", "vector", "ct_1", "product", "v1", "y")
    assert e.two_column().column("Backward")[-1] == "dy/dmatrix += outer(dy/dproduct, vector)\ndy/dvector += matrix.T @ dy/dproduct"


def test_two_hidden_layers_as_the_slide_transposes_them():
    """b_1 beside an argument b1 would be one name in LaTeX; a transpose of a transpose is none."""

    def sigmoid(b):
        return 1 / (1 + np.exp(-b))

    def f(alpha1, b1, beta, x):
        z = sigmoid(alpha1.T @ x + b1)
        y = sigmoid(beta @ z)
        return y

    rng = np.random.default_rng(0)
    e = explain(f, rng.normal(size=(3, 2)), rng.normal(size=2), rng.normal(size=2), rng.normal(size=3))
    assert [node.name for node in e.fold("name").program.nodes if node.operation] == ["b_2", "z", "b_3", "y"]
    assert e.two_column().column("Backward")[-1] == "dy/dalpha1 += outer(x, dy/db_2)\ndy/dx += alpha1 @ dy/db_2\ndy/db1 += dy/db_2"
    adjoint = e.adjoint("b_2")
    np.testing.assert_allclose(e.adjoint("alpha1"), np.outer(e.args[3], adjoint))
    np.testing.assert_allclose(e.adjoint("x"), e.args[0] @ adjoint)


def test_a_literal_is_not_called_by_an_argument_of_its_value():
    """The 1.0 of the sigmoid was printed as `target`: one constant of the file is one object, passed or written."""

    def loss(x, target):
        y = 1.0 / (1.0 + np.exp(-x))
        return target * np.log(y)

    nodes = explain(loss, 0.5, 1.0, argnums=0).program.nodes
    assert [node.formula for node in nodes if node.operation] == ["-x", "exp(v1)", "1 + v2", "1/v3", "log(y)", "target*v4"]

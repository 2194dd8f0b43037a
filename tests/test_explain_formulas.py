"""The printed formulas of array operations, evaluated with NumPy: each is the number of its row."""

import ast

import numpy as np
import pytest

from dualad import explain
from dualad.explanation.building import LARGEST
from dualad.explanation.formulas import parse, substitute
from dualad.explanation.sweeps import tangent_terms, tangent_text, term_text
from dualad.rules.elementwise import NAMESPACE

A = np.array([[1.0, 2.0, -1.0], [0.5, 3.0, 2.0]])
W = np.array([[2.0, -1.0], [0.25, 1.5], [1.0, 0.75]])
B = np.array([[1.5, 0.5], [-0.5, 2.0]])
w3 = np.array([1.0, -2.0, 0.5])
w2 = np.array([0.75, -1.25])
INTEGERS = np.array([[1, 2], [3, 4]])
X = np.array([[0.5, -1.5, 2.0], [1.25, 0.75, -0.25]])
S = np.array([[2.0, 0.5], [-1.0, 1.5]])
V = np.array([0.5, -1.0, 2.0])
T = np.linspace(0.1, 1.3, 24).reshape(2, 3, 4)

NUMPY = {
    **NAMESPACE,
    **{name: getattr(np, name) for name in "sum outer ones eye trace reshape expand_dims cumsum".split()},
    **{name: getattr(np.linalg, name) for name in "inv det solve norm".split()},
}


def _environment(e, node):
    """Trees and values for what a row names: values, constants, and the row's own operation where its text leaves something out."""
    call = e._sweeps.operations[node.index].call
    trees, values = {}, {}

    def bind(text, value, key):
        trees[ast.unparse(parse(text))] = ast.Name(key, ast.Load())
        values[key] = value

    for other, value in zip(e.program.nodes, e._sweeps.values, strict=True):
        bind(other.name, value, f"value{other.index}")
    for k, (operand, value) in enumerate(zip(node.operands, call.values, strict=True)):
        if operand.node is None and np.ndim(value):
            bind(operand.text, value, f"constant{k}")
    own = {name: lambda *a: call.primitive.impl(*a, **call.params) for name in ("pick", "einsum", "stack")}
    own["where"] = lambda _, x, y: np.where(call.params["condition"], x, y)
    return trees, {**NUMPY, **own, **values}


def _evaluate(text, trees, names):
    tree = ast.fix_missing_locations(ast.Expression(_Constants(trees).visit(substitute(parse(text), trees))))
    return eval(compile(tree, text, "eval"), names)


class _Constants(ast.NodeTransformer):
    """A constant without a name is printed by its shape: array(2,)."""

    def __init__(self, trees):
        self.trees = trees

    def visit_Call(self, tree):
        known = self.trees.get(ast.unparse(parse(ast.unparse(tree).replace("array(2)", "array(2,)"))))
        return known if known is not None else self.generic_visit(tree)


def _agree(text, found, wanted):
    assert np.shape(found) == np.shape(wanted), text
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-13, err_msg=text)


def _check(e, seed):
    """Evaluate the tangent and all adjoint lines of each row; how many of each were formulas, and those that were not."""
    program, sweeps = e.program, e._sweeps
    assert len(program.nodes) <= LARGEST
    inputs = {i: np.random.default_rng(seed + i).normal(size=np.shape(sweeps.values[i])) for i in program.inputs}
    tangents = sweeps.tangents(inputs)
    adjoints, terms = sweeps.terms()
    pushed = pulled = 0
    neutral = []
    for node in program.nodes:
        if not node.operation:
            continue
        trees, names = _environment(e, node)
        if any(part.startswith(f"d{node.name}/d") for part in tangent_terms(program, node)):
            neutral.append(("tangent", node.operation))
            continue
        for other, tangent in zip(program.nodes, tangents, strict=True):
            trees[ast.unparse(parse(f"d{other.name}"))] = ast.Name(f"tangent{other.index}", ast.Load())
            names[f"tangent{other.index}"] = tangent
        text = tangent_text(program, node)
        _agree(text, _evaluate(text, trees, names), tangents[node.index])
        pushed += 1
    for u, place, _, term in terms:
        node = program.nodes[u]
        trees, names = _environment(e, node)
        text = term_text(program, "loss", u, place).replace(f"dloss/d{node.name}", "ct")
        if f"d{node.name}/d" in text:
            neutral.append(("adjoint", node.operation))
            continue
        if text.startswith("place("):  # an element's: zero but for one place
            continue
        trees["ct"] = ast.Name("ct", ast.Load())
        names["ct"] = adjoints[u]
        _agree(text, _evaluate(text, trees, names), term)
        pulled += 1
    return pushed, pulled, neutral


FORMULAS = {
    "sum": (lambda v: np.sum(v), V),
    "sum of a product": (lambda v: np.sum(3 * v * v), V),
    "sum of rows": (lambda X: np.sum(X, axis=0), X),
    "sum of columns": (lambda X: np.sum(X, axis=1), X),
    "sum kept": (lambda X: np.sum(X, axis=-1, keepdims=True), X),
    "sum kept whole": (lambda X: X / np.sum(X, keepdims=True), X),
    "sum of a cube": (lambda T: np.sum(T, axis=1), T),
    "sum of two axes": (lambda T: np.sum(T, axis=(0, 2)), T),
    "sum with a first value": (lambda X: np.sum(X, axis=1, initial=3.0), X),
    "mean": (lambda v: np.mean(v), V),
    "mean of rows": (lambda X: np.mean(X, axis=0), X),
    "dot with a constant": (lambda v: v @ w3, V),
    "constant dot": (lambda v: w3 @ v, V),
    "dot": (lambda u, v: u @ v, V, w3 + 1.0),
    "dot with itself": (lambda v: v @ v, V),
    "numpy.dot": (lambda v: np.dot(A, v), V),
    "matrix times vector": (lambda v: A @ v, V),
    "vector times matrix": (lambda u: u @ A, w2 + 1.0),
    "all of a layer": (lambda Z, x, b: np.tanh(Z @ x + b), X, V, w2),
    "matrix times a constant": (lambda X: X @ W, X),
    "constant times matrix": (lambda X: W @ X, X),
    "matrices": (lambda X, Y: X @ Y, X, W + 1.0),
    "loss": (lambda v: np.mean((A @ v - w2) ** 2), V),
    "transpose": (lambda X: X.T @ B, X),
    "reshape": (lambda X: np.reshape(X, (3, 2)) @ w2, X),
    "ravel": (lambda X: np.ravel(X), X),
    "pick": (lambda X: X[1] * w3, X),
    "slices": (lambda X: X[:, 1:] + X[:, :-1], X),
    "cumsum": (lambda X: np.cumsum(X, axis=1), X),
    "outer": (lambda u, v: np.outer(u, v), w2, V),
    "einsum": (lambda X: np.einsum("ij,j->i", X, w3), X),
    "stack": (lambda u, v: np.stack([u, v]), V, w3 + 1.0),
    "where": (lambda X: np.where(X > 0, X, X * X), X),
    "inv": (lambda S: np.linalg.inv(S), S),
    "det": (lambda S: np.linalg.det(S), S),
    "solve": (lambda S, b: np.linalg.solve(S, b), S, w2),
    "solve matrices": (lambda S, b: np.linalg.solve(S, b), S, B),
    "norm": (lambda v: np.linalg.norm(v), V),
    "broadcast of a number": (lambda a, v: a * v + a, 1.5, V),
    "number plus a constant": (lambda a: a + w3, 1.5),
    "number times a constant": (lambda a: a * w3, 1.5),
    "bias of rows": (lambda X, b: X * b + b, X, V),
    "bias of columns": (lambda X, b: X + b, X, np.array([[1.0], [2.0]])),
    "column plus row": (lambda c, r: c * r, np.array([[1.0], [2.0]]), V),
    "softmax": (lambda v: np.exp(v) / np.sum(np.exp(v)), V),
    "unnamed constant": (lambda v: v @ np.array([1.0, 4.0, 2.0]), V),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_printed_formulas_are_the_numbers_of_their_rows(name):
    f, *args = FORMULAS[name]
    pushed, _, neutral = _check(explain(f, *args), 7)
    assert pushed > 0
    assert not [found for found in neutral if found[0] == "tangent"]
    assert not [found for found in neutral if found[1] not in ("pick", "cumsum", "einsum", "stack", "where")]


@pytest.mark.parametrize(
    "f",
    [np.prod, np.max, np.var, np.sort, lambda v: np.maximum(v, 0.0), lambda v: np.sum(v, where=V > 0)],
)
def test_where_no_formula_is_known_the_derivative_is_only_named(f):
    e = explain(lambda v: f(v), V)
    _, _, neutral = _check(e, 3)
    node = e.program.nodes[-1]
    assert ("tangent", node.operation) in neutral or node.operation == "pick"
    if node.operation != "pick":
        assert tangent_text(e.program, node) == f"d{node.name}/dv[dv]"


def test_a_singular_matrix_has_no_formula_with_its_inverse():
    e = explain(lambda S: np.linalg.det(S), np.array([[1.0, 2.0], [2.0, 4.0]]))
    assert tangent_text(e.program, e.program.nodes[-1]) == "dy/dS[dS]"
    assert "inv" not in str(e.reverse())


def _texts(f, *args):
    program = explain(f, *args).program
    return [tangent_text(program, node) for node in program.nodes if node.operation]


def test_tangents_as_a_lecture_writes_them():
    assert _texts(FORMULAS["sum"][0], V) == ["sum(dv)"]
    assert _texts(FORMULAS["dot"][0], V, V) == ["du @ v + u @ dv"]
    assert _texts(FORMULAS["constant times matrix"][0], X) == ["W @ dX"]
    assert _texts(FORMULAS["transpose"][0], X) == ["dX.T", "dv1 @ B"]
    assert _texts(FORMULAS["sum of rows"][0], X) == ["sum(dX, axis=0)"]
    assert _texts(FORMULAS["number plus a constant"][0], 2.0) == ["da*ones(3)"]
    assert _texts(FORMULAS["inv"][0], S) == ["-inv(S) @ dS @ inv(S)"]


def test_adjoints_as_a_lecture_writes_them():
    def f(X):
        U = W @ X
        s = np.sum(U, axis=0)
        z = np.sum(s)
        return 2 * z

    lines = "\n".join(explain(f, X).reverse().column("adjoint trace"))
    assert "dy/ds += dy/dz * ones(3)" in lines
    assert "dy/dU += outer(ones(3), dy/ds)" in lines
    assert "dy/dX += W.T @ dy/dU" in lines


class _Model:
    def __init__(self):
        self.weights = W.copy()

    def predict(self, x):
        return self.weights @ x


def test_arrays_that_are_no_arguments_keep_their_names():
    inner = np.array([[3.0, 1.0], [1.0, 2.0]])

    def closure(x):
        return inner @ x

    def shadow(x):
        A = np.array([[5.0, 5.0], [6.0, 6.0]])  # not the A of the module
        return A @ x

    def integers(x):
        return INTEGERS @ x

    formulas = [explain(f, w2).program.nodes[-1].formula for f in (closure, shadow, integers, lambda x: W @ x, _Model().predict)]
    assert formulas == ["inner @ x", "A @ x", "INTEGERS @ x", "W @ x", "self.weights @ x"]


def test_two_arrays_of_one_name_are_not_mixed_up():
    def inner(x):
        return A @ x  # the module's

    def f(x):
        A = np.ones((3, 3))
        return inner(A @ x)

    e = explain(f, V)
    assert e.program.nodes[1].formula == "A @ x"
    assert e.program.nodes[2].formula == f"inner.A @ {e.program.nodes[1].name}"

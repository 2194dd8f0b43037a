"""The printed formulas of array operations, evaluated with NumPy: each is the number of its row."""

import ast

import explained_arrays
import numpy as np
import pytest
from explained_arrays import ALL, CHOICES, FORMULAS, INTEGERS, MOVES, REDUCTIONS, A, S, V, W, X, Z, w2, w3

from dualad import explain
from dualad.explanation.algebra import parse, substitute
from dualad.explanation.building import LARGEST
from dualad.explanation.sweeps import tangent_terms, tangent_text, term_text
from dualad.explanation.typeset import latex
from dualad.rules.elementwise import NAMESPACE


class _Numpy(dict):
    """Every name that a formula may use is NumPy's; only `place` is not."""

    def __missing__(self, name):
        for module in (np, np.linalg):
            if hasattr(module, name):
                return getattr(module, name)
        raise KeyError(name)


NUMPY = _Numpy({**NAMESPACE, **{name: getattr(np.linalg, name) for name in "inv det solve norm".split()}})


def _program_names(e):
    """Trees and values for the values of a program."""
    trees, values = {}, {}
    for other, value in zip(e.program.nodes, e._sweeps.values, strict=True):
        trees[ast.unparse(parse(other.name))] = ast.Name(f"value{other.index}", ast.Load())
        values[f"value{other.index}"] = value
    for name in ("A", "W", "B", "w3", "w2", "MASK", "V"):
        trees.setdefault(name, ast.Name(f"module_{name}", ast.Load()))
        values[f"module_{name}"] = getattr(explained_arrays, name)
    return trees, values


def _environment(e, node):
    """Trees and values for what a row names: values of the program, arrays of this module, constants without a name."""
    call = e._sweeps.operations[node.index].call
    trees, values = _program_names(e)

    def bind(text, value, key):
        trees[ast.unparse(parse(text))] = ast.Name(key, ast.Load())
        values[key] = value

    for k, (operand, value) in enumerate(zip(node.operands, call.values, strict=True)):
        if operand.node is None and np.ndim(value):
            bind(operand.text, value, f"constant{k}")
    return trees, values


def _evaluate(text, trees, values):
    """A printed formula, by NumPy alone."""
    values = dict(values)
    tree = _Placed(trees, values).visit(parse(text))
    tree = ast.fix_missing_locations(ast.Expression(_Constants(trees).visit(substitute(tree, trees))))
    with np.errstate(all="ignore"):  # 0/0 in the branch that a where does not choose
        return eval(compile(tree, text, "eval"), {}, _Numpy({**NUMPY, **values}))


class _Placed(ast.NodeTransformer):
    """Every place(c, M) as its value."""

    def __init__(self, trees, values):
        self.trees, self.values = trees, values

    def visit_Call(self, tree):
        self.generic_visit(tree)
        if ast.unparse(tree.func) != "place":
            return tree
        key = f"placed{len(self.values)}"
        self.values[key] = _placed(tree, self.trees, self.values)
        return ast.Name(key, ast.Load())


def _placed(tree, trees, values):
    """place(c, M): zeros of the array that M moves, with c added where M takes from: M is run on the numbers of its elements."""
    base = tree.args[1]
    while not isinstance(base, ast.Name):
        base = base.args[0] if isinstance(base, ast.Call) else base.value
    moved = np.asarray(_evaluate(ast.unparse(base), trees, values))
    places = ast.parse(ast.unparse(tree.args[1]), mode="eval")
    first = next(n for n in ast.walk(places) if isinstance(n, ast.Name) and n.id == base.id and _leads(places.body, n))
    numbered = _Replace(first, ast.Name("numbers", ast.Load())).visit(places).body
    index = _evaluate(ast.unparse(numbered), trees, {**values, "numbers": np.arange(moved.size).reshape(moved.shape)})
    out = np.zeros(moved.size)
    np.add.at(out, np.asarray(index), _evaluate(ast.unparse(tree.args[0]), trees, values))
    return out.reshape(moved.shape)


def _leads(tree, leaf):
    """Is it what the functions and indices of the tree are applied to?"""
    while tree is not leaf:
        if isinstance(tree, ast.Call):
            tree = tree.args[0]
        elif isinstance(tree, (ast.Subscript, ast.Attribute)):
            tree = tree.value
        else:
            return False
    return True


class _Replace(ast.NodeTransformer):
    def __init__(self, old, new):
        self.old, self.new = old, new

    def visit(self, tree):
        return self.new if tree is self.old else self.generic_visit(tree)


class _Constants(ast.NodeTransformer):
    """A constant without a name is printed by its shape: array(2,)."""

    def __init__(self, trees):
        self.trees = trees

    def visit_List(self, tree):
        return ast.Call(ast.Name("array", ast.Load()), [self.generic_visit(tree)], [])

    def visit_Call(self, tree):
        known = self.trees.get(ast.unparse(parse(ast.unparse(tree).replace("array(2)", "array(2,)"))))
        if known is not None:
            return known
        if ast.unparse(tree.func) in ("array", "stack", "concatenate", "hstack", "vstack", "column_stack"):  # their own list
            tree.args[0].elts = [self.visit(entry) for entry in tree.args[0].elts]
            return tree
        return self.generic_visit(tree)

    def visit_Subscript(self, tree):  # an index stays a list
        tree.value = self.visit(tree.value)
        return tree


def _agree(text, found, wanted):
    found = np.zeros(np.shape(wanted)) if text == "0" else found
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
        if any(part.startswith(f"d{node.name}/d") for part in tangent_terms(program.nodes, node)):
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
        trees["ct"] = ast.Name("ct", ast.Load())
        names["ct"] = adjoints[u]
        _agree(text, _evaluate(text, trees, names), term)
        pulled += 1
    return pushed, pulled, neutral


@pytest.mark.parametrize("name", ALL)
def test_printed_formulas_are_the_numbers_of_their_rows(name):
    f, *args = ALL[name]
    pushed, pulled, neutral = _check(explain(f, *args), 7)
    assert pushed > 0
    assert pulled > 0
    assert not neutral


@pytest.mark.parametrize("name", ALL)
def test_folded_programs_print_the_numbers_of_their_rows_too(name):
    f, *args = ALL[name]
    e = explain(f, *args).fold("name")
    program, sweeps = e.program, e._sweeps
    folded = [node for node in program.nodes if node.operation == "block"]
    named = [node for node in folded if any(term.startswith(f"d{node.name}/d") for term in tangent_terms(program.nodes, node))]
    assert not named or name in ("min of columns kept", "std kept", "tied max of rows")  # longer than a line
    folded = [node for node in folded if node not in named]
    seeds = {i: np.random.default_rng(i).normal(size=np.shape(sweeps.values[i])) for i in program.inputs}
    tangents = sweeps.tangents(seeds)
    for node in folded:
        trees, values = _program_names(e)
        for other, tangent in zip(program.nodes, tangents, strict=True):
            trees[ast.unparse(parse(f"d{other.name}"))] = ast.Name(f"tangent{other.index}", ast.Load())
            values[f"tangent{other.index}"] = tangent
        text = tangent_text(program, node)
        _agree(text, _evaluate(text, trees, values), tangents[node.index])
    adjoints, terms = sweeps.terms()
    for u, place, _, term in terms:
        text = term_text(program, "loss", u, place).replace(f"dloss/d{program.nodes[u].name}", "ct")
        if f"d{program.nodes[u].name}/d" in text:
            assert name in ("min of columns kept", "std kept", "tied max of rows")
            continue
        trees, values = _environment(e, program.nodes[u]) if program.nodes[u].operation != "block" else _program_names(e)
        _agree(text, _evaluate(text, {**trees, "ct": ast.Name("ct", ast.Load())}, {**values, "ct": adjoints[u]}), term)


@pytest.mark.parametrize("name", ALL)
def test_every_formula_is_set_in_latex(name):
    """No formula is left as text, no bracket open, and each line of a cell has its line of LaTeX."""
    f, *args = ALL[name]
    e = explain(f, *args)
    for table in (e.forward(), e.reverse("A"), e.reverse("B"), e.two_column()):
        for row in table.rows:
            for cell in row:
                if cell.latex:
                    assert len(cell.latex.split("\n")) == len(cell.text.split("\n"))
                    plain = cell.latex.replace(r"\text{ is complete}", "").replace(r"\text{ if }", "").replace(r"\text{ else }", "")
                    assert r"\text{" not in plain
                    assert cell.latex.count("{") == cell.latex.count("}")
                    assert "ct" not in cell.latex.replace("ctan", "")


with np.errstate(all="ignore"):
    NUMBERS = [name for name, (f, *args) in ALL.items() if not np.shape(f(*args))]


@pytest.mark.parametrize("name", NUMBERS)
def test_the_row_that_should_be_is_right(name):
    """What `check` says that a row should be is accepted by it."""
    f, *args = ALL[name]
    e = explain(f, *args)
    for i in e.program.inputs:
        row = f"d{e.program.target}/d{e.names[i]}"
        should = e.check({row: np.full(np.shape(args[i]), 1234.5)})[row].should
        assert should
        if "place(" not in should:
            assert e.check({row: should}), f"{should}: {e.check({row: should})}"


@pytest.mark.parametrize("f", [lambda v: np.quantile(v, 0.3), lambda v: np.linalg.norm(v, 0), lambda v: np.std(v - v)])
def test_where_no_formula_is_known_the_derivative_is_only_named(f):
    e = explain(lambda v: f(v), V)
    _, _, neutral = _check(e, 3)
    node = e.program.nodes[-1]
    assert ("tangent", node.operation) in neutral
    assert tangent_text(e.program, node) == f"d{node.name}/d{node.operands[0].text}[d{node.operands[0].text}]"


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
    assert _texts(REDUCTIONS["prod"][0], V) == ["prod(v)*sum(dv/v)"]
    assert _texts(REDUCTIONS["prod with a zero"][0], Z) == ["v[1]*v[2]*dv[0] + v[0]*v[2]*dv[1] + v[0]*v[1]*dv[2]"]
    assert _texts(REDUCTIONS["var"][0], V) == ["2*mean((v - mean(v))*dv)"]
    assert _texts(REDUCTIONS["std"][0], V) == ["mean((v - mean(v))*dv)/std(v)"]
    assert _texts(MOVES["max"][0], V) == ["dv[2]"]
    assert _texts(CHOICES["relu"][0], V) == ["where(v > 0, 1, 0)*dv"]
    assert _texts(CHOICES["where"][0], X)[-1] == "where(X > 0, dX, dv1)"
    assert _texts(MOVES["concatenate"][0], V, w2) == ["concatenate([du, dv])"]
    assert _texts(MOVES["array of numbers"][0], 1.5, 2.0)[-1] == "array([da, dv1, 0])"
    assert _texts(FORMULAS["einsum"][0], X) == ["einsum('ij,j->i', dX, w3)"]


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


def _sent(f, *args):
    e = explain(f, *args).rename({"y": "J"})
    return [line for cell in e.reverse().column("adjoint trace")[1:] for line in cell.split("\n") if "+=" in line]


def test_adjoints_of_what_moves_chooses_and_reduces():
    assert _sent(lambda v: np.prod(v), V) == ["dJ/dv += prod(v)/v"]
    assert _sent(lambda v: np.var(v), V) == ["dJ/dv += 2*(v - mean(v))/3"]
    assert _sent(lambda v: 2 * np.std(v), V)[-1] == "dJ/dv += dJ/dv1*(v - mean(v))/(3*std(v))"
    assert _sent(lambda v: 2 * np.max(v), V)[-1] == "dJ/dv += place(dJ/dv1, v[2])"
    assert _sent(lambda u, v: np.concatenate([u, v]), V, w2) == ["dJ/du += (dJ/dJ)[:3]", "dJ/dv += (dJ/dJ)[3:]"]
    assert _sent(lambda v: np.cumsum(v), V) == ["dJ/dv += flip(cumsum(flip(dJ/dJ)))"]
    assert _sent(lambda X: np.einsum("ij,j->i", X, w3), X) == ["dJ/dX += einsum('i,j->ij', dJ/dJ, w3)"]
    assert _sent(lambda X: np.where(X > 0, X, 0.0), X) == ["dJ/dX += where(X > 0, dJ/dJ, 0)"]
    assert _sent(lambda X: X[1], X) == ["dJ/dX += place(dJ/dJ, X[1])"]


def test_both_columns_of_a_product_with_itself():
    """The two-column table had only the first of the two terms of X @ X."""
    table = explain(lambda S: np.sum(S @ S), S).two_column()
    assert "dy/dS += S.T @ ones((2, 2)) + ones((2, 2)) @ S.T" in table.column("Backward")[-1]


def test_place_is_explained_where_it_is_used():
    note = "place(c, x[i]) is zero but for c where x[i] is"
    e = explain(lambda X: np.sum(X[1]), X)
    assert note in str(e.reverse())
    assert note in e.two_column().markdown().replace("\\", "")
    assert note not in str(explain(lambda X: np.sum(X), X).reverse())


def test_the_same_lines_in_text_markdown_and_latex():
    e = explain(lambda v: 2 * np.std(v), V).rename({"y": "J"})
    table = e.reverse()
    assert "dJ/dv += dJ/dv1*(v - mean(v))/(3*std(v))" in str(table)
    assert "dJ/dv += dJ/dv1\\*(v - mean(v))/(3\\*std(v))" in table.markdown()
    fraction = r"\frac{dJ}{dv} += \frac{\frac{dJ}{dv_1}(v - \operatorname{mean}(v))}{3\operatorname{std}(v)}"
    assert fraction in table.latex()


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


def test_folded_rows_read_as_on_paper():
    def quadratic(a, b, c):
        d = np.sqrt(b * b - 4 * a * c)
        return (d - b) / (2 * a)

    table = explain(quadratic, 1.0, -3.0, 2.0).two_column()
    assert "dd/db = b/sqrt(b**2 - 4*a*c)" in str(table)  # was 2*b/(2*sqrt(...))

    def rosenbrock(x):
        return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    (row,) = explain(rosenbrock, np.array([1.0, 2.0, 0.5])).two_column().column("Backward")
    terms = ("dy/dx += place(200*(x[1:] - x[:-1]**2), x[1:])", "place(400*(x[1:] - x[:-1]**2)*x[:-1], x[:-1])",
             "place(2*(1 - x[:-1]), x[:-1])")  # fmt: skip
    assert row == " - ".join(terms)

    def neuron(x):
        return np.sum(np.tanh(W @ x))

    (row,) = explain(neuron, w2).two_column().column("Backward")
    assert row == "dy/dx += W.T @ (1 - tanh(W @ x)**2)"

    def product(x):
        return x * (x * (x * 1))

    assert explain(product, 2.0).two_column().column("Backward") == ("dy/dx += 3*x**2",)


def test_conditions_in_latex():
    """They used to be set as a product: (x > 0)(y < 1)."""
    assert latex("(x > 0) & (y < 1)") == r"x > 0 \wedge y < 1"
    assert latex("((x > 0) & (y < 1)) | (z == 2)") == r"(x > 0 \wedge y < 1) \vee z = 2"

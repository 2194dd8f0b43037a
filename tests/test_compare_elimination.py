"""Vertex elimination: the published counts, laws of every order, and graphs taken from recordings."""

import dataclasses
import itertools
import math
import sys

import numpy as np
import pytest

import dualad
from dualad import _core, compare
from dualad.compare.command import main
from dualad.compare.elimination import FUNCTIONS, bow_tie, naumann
from dualad.compare.graph import from_entries, take
from dualad.compare.methods import DisagreementError
from dualad.compare.orders import EXHAUSTIVE, best_order, eliminate, markowitz_order, spectrum
from dualad.reverse import record


def jacobian_of(f, point):
    """By the public API, outputs as rows."""
    g = dualad.jacobian(lambda z: np.stack(f(*(z[i] for i in range(len(point))))))
    return g(np.array(point))


@pytest.mark.parametrize(("name", "forward", "reverse", "best"), [("naumann", 8, 10, 7), ("bowtie", 40, 40, 32)])
def test_published_counts(name, forward, reverse, best):
    """Naumann (2004) and the bow-tie graph: neither mode is the best order."""
    r = compare.elimination(name)
    assert (r.row("forward").multiplications, r.row("reverse").multiplications, r.row("best").multiplications) == (
        forward, reverse, best)
    assert r.row("Markowitz").multiplications == best
    assert max(row.error for row in r.rows) < 1e-14


def test_the_graph_is_that_of_the_tape():
    """Vertices, edges and partials of Naumann's example, by hand."""
    a, b = 0.5, 2.0
    graph = take(naumann, a, b)
    s, t = math.sin(a * b), a * math.sin(a * b)
    assert graph.names("input") == ("x0", "x1")
    assert graph.names("intermediate") == ("v1", "v2", "v3")
    assert graph.names("output") == ("y0", "y1")
    assert graph.edges == pytest.approx({
        ("x0", "v1"): b, ("x1", "v1"): a, ("v1", "v2"): math.cos(a * b), ("x0", "v3"): s, ("v2", "v3"): a,
        ("v3", "y0"): -math.sin(t), ("v3", "y1"): 1 / b, ("x1", "y1"): -t / b**2}, rel=1e-15)  # fmt: skip
    assert [v.value for v in graph.vertices if v.kind == "output"] == pytest.approx([math.cos(t), t / b], rel=1e-15)


def test_the_bow_tie_has_its_shape():
    graph = take(bow_tie, 0.2, 0.4, 0.6, 0.8, 1.0)
    into = {v.name: v.operands for v in graph.vertices}
    assert [len(graph.names(kind)) for kind in ("input", "intermediate", "output")] == [5, 4, 5]
    assert into["v1"] == tuple(f"x{i}" for i in range(5))
    assert [into[f"v{i}"] for i in (2, 3, 4)] == [("v1",), ("v2",), ("v3",)]
    assert all(into[f"y{i}"] == ("v4",) for i in range(5))


@pytest.mark.parametrize("name", ["naumann", "bowtie", "sqrt_plus_cos"])
def test_every_order_gives_the_jacobian(name):
    """All p! of them, and dynamic programming finds the least and counts them right."""
    _, f, point = FUNCTIONS[name]
    graph = take(f, *point)
    exact = jacobian_of(lambda *x: np.atleast_1d(f(*x)) if name == "sqrt_plus_cos" else f(*x), point)
    costs = {}
    for order in itertools.permutations(graph.names("intermediate")):
        jacobian, multiplications, additions, fill = eliminate(graph, order)
        np.testing.assert_allclose(jacobian, np.reshape(exact, jacobian.shape), rtol=1e-13)
        assert multiplications == additions + fill  # a product meets an edge, or makes one
        costs[multiplications] = costs.get(multiplications, 0) + 1
    assert eliminate(graph, best_order(graph))[1] == min(costs)
    assert spectrum(graph) == dict(sorted(costs.items()))


@pytest.mark.parametrize("seed", range(6))
def test_random_graphs(seed):
    """Path sums by matrix algebra: J = sum of C^k from inputs to outputs; best <= greedy, forward, reverse."""
    rng = np.random.default_rng(seed)
    n, p, m = 3, 7, 2
    entries = []
    for slot in range(n, n + p + m):
        below = slot if slot < n + p else n + p
        operands = sorted(rng.choice(below, min(below, int(rng.integers(1, 4))), replace=False).tolist())
        entries.append(("op", slot, operands, rng.normal(size=len(operands)).tolist(), 0.0))
    graph = from_entries(entries, dict.fromkeys(range(n), 1.0), [n + p, n + p + 1])
    size = n + p + m
    c = np.zeros((size, size))
    for _, slot, operands, partials, _ in entries:
        c[slot, operands] = partials
    paths = np.linalg.inv(np.eye(size) - c)
    between = graph.names("intermediate")
    orders = {"forward": between, "reverse": between[::-1], "greedy": markowitz_order(graph), "best": best_order(graph)}
    counts = {}
    for name, order in orders.items():
        jacobian, counts[name], _, _ = eliminate(graph, order)
        np.testing.assert_allclose(jacobian, paths[n + p:, :n], rtol=1e-11, atol=1e-13)
    assert counts["best"] == min(spectrum(graph)) <= min(counts.values())
    assert sum(spectrum(graph).values()) == math.factorial(len(between))


def test_greedy_is_not_best_for_quiz1():
    """The lecture's Quiz 1: Markowitz's rule misses the best order by one multiplication, and the reading says so."""
    r = compare.elimination("quiz1")
    assert (r.row("Markowitz").multiplications, r.row("best").multiplications) == (12, 11)
    assert "does not look ahead" in " ".join(r.reading())


def test_outputs_that_are_used_further_get_a_copy():
    """y0 = x^2 feeds y1, y2 is the input itself, y3 is y0 again: four outputs, all paths end in them."""

    def f(x):
        s = x * x
        return s, np.sin(s), x, s

    graph = take(f, 3.0)
    jacobian = eliminate(graph, graph.names("intermediate"))[0]
    np.testing.assert_allclose(jacobian[:, 0], [6.0, 6.0 * math.cos(9.0), 1.0, 6.0], rtol=1e-15)
    assert [v.operation for v in graph.vertices if v.kind == "output"] == ["copy", "sin", "copy", "copy"]


def test_an_output_with_one_use_gets_a_copy():
    """y0 = x^2 and y1 = sin(y0): the vertex between must go, y0 must stay."""
    graph = take(lambda x: (x * x, np.sin(x * x)), 3.0)
    assert graph.names("intermediate") == ("v1",)  # the square that only the sine uses
    shared = take(lambda x: (lambda s: (s, np.sin(s)))(x * x), 3.0)
    assert [(v.name, v.operation) for v in shared.vertices] == [("x0", ""), ("v1", "multiply"), ("y0", "copy"), ("y1", "sin")]
    np.testing.assert_allclose(eliminate(shared, ("v1",))[0][:, 0], [6.0, 6.0 * math.cos(9.0)], rtol=1e-15)


def test_what_no_output_depends_on_is_left_out():
    def f(x, y):
        np.exp(y)
        return x * 2.0

    graph = take(f, 1.0, 2.0)
    assert len(graph.vertices) == 3
    assert eliminate(graph, ())[0].tolist() == [[2.0, 0.0]]


def test_arrays_are_vertices_element_by_element():
    """An operation on arrays makes a vertex an element; picking and stacking make none."""
    a = np.arange(1.0, 7.0).reshape(2, 3)
    r = compare.elimination(lambda x: np.stack([np.sin(a @ x)[0], np.sum(x)]) * x[1], np.array([0.1, 0.2, 0.3]))
    made = {v.name: (v.operation, v.operands, v.partials) for v in r.graph.vertices}
    assert r.graph.names("input") == ("x0", "x1", "x2")
    assert r.graph.names("output") == ("y0", "y1")
    assert made["v1"][1:] == (("x0", "x1", "x2"), (1.0, 2.0, 3.0))  # a row of the matrix
    assert [made[v][0] for v in ("v2", "v3")] == ["sin", "sum"]
    assert made["y1"][:2] == ("multiply", ("v3", "x1"))
    assert max(row.error for row in r.rows) < 1e-14


def test_an_operand_with_partial_zero_stays_an_operand():
    """0 * x: the structure is the function's, not the point's."""
    assert take(lambda x, y: x * y, 0.0, 0.0).edges == {("x0", "y0"): 0.0, ("x1", "y0"): 0.0}
    assert len(take(lambda x: x * x[::-1], np.zeros(2)).edges) == 4


@pytest.mark.parametrize("f", [
    lambda x: np.linalg.norm(x) * x[0],
    lambda x: np.sort(x)[::-1] / np.max(x),
    lambda x: np.cumsum(x) @ x,
    lambda x: [np.reshape(x, (2, 2)) @ np.reshape(x, (2, 2)), np.where(x > 0.5, x, 0.0 * x)],
    lambda x: np.frexp(x)[0] + np.array([t * x[0] for t in x]),
    lambda x: dualad.math.exp(x[0]) * x[1:],
], ids=range(6))  # fmt: skip
def test_graphs_of_array_functions(f):
    """The experiment holds every order against the sweeps."""
    r = compare.elimination(f, np.array([0.3, 0.9, 0.4, 0.7]))
    assert max(row.error for row in r.rows) < 1e-13


def test_long_graphs_are_searched_by_the_greedy_rule_alone():
    r = compare.elimination(lambda x: np.sum(np.sin(x) * np.cos(x)), np.linspace(0.1, 1.0, 8))
    assert [row.name for row in r.rows] == ["forward", "reverse", "Markowitz"]
    assert str(EXHAUSTIVE) in r.notes[0]
    assert "a better one may exist" in " ".join(r.reading())
    assert len(r.figures()) == 1


@pytest.mark.parametrize(("arguments", "error", "words"), [
    (("nobody",), ValueError, "there are naumann, bowtie"),
    (("naumann", [1.0]), ValueError, "takes 2 numbers"),
    (("naumann", None, ["v1", "v2"]), ValueError, "each of v1, v2, v3 once"),
    (("naumann", None, ["v1", "v2", "v9"]), ValueError, "not v1, v2, v9"),
    ((np.sin,), ValueError, "give the point"),
    ((3.0,), TypeError, "name of a function"),
    ((lambda x: 1.0, 2.0), TypeError, "the constant 1.0"),
    ((lambda x: np.sin(x), np.ones(500)), ValueError, "more than 400 vertices"),
])  # fmt: skip
def test_bad_input(arguments, error, words):
    with pytest.raises(error, match=words):
        compare.elimination(*arguments)


def test_a_wrong_jacobian_is_refused(monkeypatch):
    """A graph with a wrong partial (mutated here) must not pass for the Jacobian."""
    module = sys.modules["dualad.compare.elimination"]
    right = module.take

    def wrong(f, *point):
        graph = right(f, *point)
        return type(graph)(tuple(dataclasses.replace(v, partials=(0.5,)) if v.name == "v2" else v for v in graph.vertices))

    monkeypatch.setattr(module, "take", wrong)
    with pytest.raises(DisagreementError, match="forward order"):
        compare.elimination("naumann")


def test_saved_and_drawn(tmp_path):
    r = compare.elimination("quiz1", order=["v7", "v6", "v5", "v4", "v3", "v2", "v1"])
    r.to_json(tmp_path / "r.json")
    assert compare.load(tmp_path / "r.json") == r
    assert not r.timed
    for figure in r.figures():
        assert figure.caption
        assert figure.alt
    drawn = r.figures()[0]
    assert {mark.text.split()[0] for mark in drawn.marks} == {v.name for v in r.graph.vertices}
    assert sum(y is None for y in drawn.curves[0].y) == len(r.graph.edges)  # the pen lifts after every edge


@pytest.mark.parametrize("name", ["naumann", "quiz1", "sqrt_plus_cos", "baydin"])
def test_the_graph_is_that_of_the_tape_in_c(name):
    """The listing of the compiled tape has the same operations and partials, in the same order."""
    _, f, point = FUNCTIONS[name]
    entries = _core.entries(record(f, list(point), tuple).level)
    inputs = {slot: x for (_, slot, *_), x in zip(entries, point, strict=False)}
    listed = [(operation, slot, [o for o in operands if isinstance(o, int)],
               [p for o, p in zip(operands, partials, strict=True) if isinstance(o, int)], 0.0)
              for operation, slot, _, _, operands, partials in entries if operation != "input"]  # fmt: skip
    used = {operand for _, _, operands, _, _ in listed for operand in operands}
    compiled = from_entries(listed, inputs, [slot for _, slot, *_ in listed if slot not in used])
    graph = take(f, *point)
    for own, other in zip(graph.vertices, compiled.vertices, strict=True):
        assert (own.name, own.operation, own.operands) == (other.name, other.operation, other.operands)
        assert own.partials == pytest.approx(other.partials, rel=1e-14)


def test_the_terminal_draws_no_heights_of_a_graph(capsys):
    assert main(["elimination"]) == 0
    assert "The computational graph:" not in capsys.readouterr().out


def test_places_of_the_vertices_differ():
    for name, (_, f, point) in FUNCTIONS.items():
        figure = take(f, *point).figure("g", name)
        places = [(mark.x, mark.y) for mark in figure.marks]
        assert len(set(places)) == len(places)


def test_command_line(capsys):
    assert main(["elimination", "--function", "naumann", "--order", "v3,v1,v2"]) == 0
    out = capsys.readouterr().out
    assert "best" in out
    assert "given" in out
    assert main(["elimination", "--function", "nobody"]) == 2
    assert main(["elimination", "--function", "math:nothing", "--x", "1"]) == 2


def test_a_named_function_that_fails_is_one_line(tmp_path, monkeypatch, capsys):
    """An IndexError of the caller's function once ended in a traceback."""
    (tmp_path / "elimination_sample.py").write_text(
        "import numpy as np\n\ndef f(x):\n    return np.array([np.exp(x[0]) * x[1], x[0]])\n", encoding="ascii")
    monkeypatch.syspath_prepend(tmp_path)
    assert main(["elimination", "--function", "elimination_sample:f", "--x", "0.5,2"]) == 0
    assert "2 outputs" in capsys.readouterr().out
    assert main(["elimination", "--function", "elimination_sample:f", "--x", "0.5"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1

"""Drawings of programs: layout laws on random graphs, every value and edge drawn, the four forms, summaries of long programs."""

import math
import re
from itertools import combinations, pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from explained_examples import baydin, explained, looped, two_lines
from hypothesis import given, settings
from hypothesis import strategies as st
from random_programs import points, programs

import dualad
from dualad.explanation.graph_diagram import LARGEST_DRAWN, diagram, edge_label, short
from dualad.explanation.graph_layout import arrange, layers
from dualad.explanation.graph_svg import measure
from dualad.explanation.program import Block, Node, Operand, Program
from dualad.report.labels import Box, text_width
from dualad.report.palette import LIGHT, contrast

SVG = "{http://www.w3.org/2000/svg}"


# ---- layout ----------------------------------------------------------------------------------------------------------


@st.composite
def graphs(draw):
    count = draw(st.integers(1, 24))
    edges = []
    for head in range(1, count):
        edges += [(draw(st.integers(0, head - 1)), head) for _ in range(draw(st.integers(0, 3)))]
    sizes = [(draw(st.floats(40, 200)), draw(st.floats(30, 120))) for _ in range(count)]
    labels = [(draw(st.floats(2, 90)), 17.0) for _ in edges]
    return sizes, edges, labels


def curve(route, pieces=12):
    """Points of a drawn edge: straight down and bends in turn, the bends as graph_svg draws them."""
    found = [route[0]]
    for k in range(1, len(route)):
        (x, y), (nx, ny) = route[k - 1], route[k]
        straight = k % 2 == 1
        for j in range(1, pieces + 1):
            t = j / pieces
            bent = x * ((1 - t) ** 3 + 3 * t * (1 - t) ** 2) + nx * (t**3 + 3 * t**2 * (1 - t))
            middle = (y + ny) / 2
            down = y * (1 - t) ** 3 + 3 * middle * t * (1 - t) ** 2 + 3 * middle * t**2 * (1 - t) + ny * t**3
            found.append((x, y + t * (ny - y)) if straight else (bent, down))
    return found


def holds(box, x, y, play=0.5):
    return box.x + play < x < box.x + box.w - play and box.y + play < y < box.y + box.h - play


def check_layout(layout, sizes, edges, labels):
    assert np.allclose([(b.w, b.h) for b in layout.boxes], sizes, rtol=1e-12)
    things = [*layout.boxes, *layout.labels]
    for one, other in combinations(things, 2):
        assert one.overlap(other) < 1e-6, (one, other)
    room = Box(0, 0, layout.width, layout.height)
    assert all(Box(b.x + 1e-6, b.y + 1e-6, b.w - 2e-6, b.h - 2e-6).inside(room) for b in things)
    assert len(layout.routes) == len(edges)
    for number, ((tail, head), route) in enumerate(zip(edges, layout.routes, strict=True)):
        start, end = layout.boxes[tail], layout.boxes[head]
        assert route[0][1] == pytest.approx(start.y + start.h)
        assert start.x < route[0][0] < start.x + start.w
        assert route[-1][1] == pytest.approx(end.y)
        assert end.x < route[-1][0] < end.x + end.w
        assert all(b[1] >= a[1] - 1e-9 for a, b in pairwise(route)), "an edge never turns back up"
        assert all(a[0] == b[0] for a, b in zip(route[::2], route[1::2], strict=False)), "every second stretch is straight down"
        drawn = curve(route)
        for k, box in enumerate(layout.boxes):
            assert not any(holds(box, x, y) for x, y in drawn), f"edge {tail} -> {head} touches box {k}"
        for k, box in enumerate(layout.labels):
            crossed = any(holds(box, x, y) for x, y in drawn)
            assert crossed == (k == number) or (k == number and box.w <= 2), f"edge {tail} -> {head} and label {k}"


@settings(max_examples=150, deadline=None, derandomize=True)
@given(graphs())
def test_random_graphs_have_no_overlap_and_every_edge(graph):
    sizes, edges, labels = graph
    check_layout(arrange(sizes, edges, labels), sizes, edges, labels)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(graphs(), st.sampled_from([150.0, 400.0, 800.0]))
def test_narrow_drawings_keep_all_laws(graph, wide):
    """A width to keep to changes which layer a box is in, nothing else; never is the drawing wider than without it."""
    sizes, edges, labels = graph
    layout = arrange(sizes, edges, labels, wide)
    check_layout(layout, sizes, edges, labels)
    plain = arrange(sizes, edges, labels)
    assert layout.width <= plain.width
    assert layout == plain or plain.width > wide


def test_a_wide_layer_is_wrapped():
    """Twelve leaves of a sum took 1,150 pixels in one row; a screen has 600."""
    edges = [(k, 12) for k in range(12)]
    sizes = [(70, 40)] * 13
    assert arrange(sizes, edges, [(20, 17)] * 12).width > 1100
    layout = arrange(sizes, edges, [(20, 17)] * 12, 600.0)
    assert layout.width < 660
    check_layout(layout, sizes, edges, [(20, 17)] * 12)


def test_what_is_read_in_every_turn_of_a_loop_runs_beside_it():
    """x is read by each of 30 values: one line for all (30 lines made the drawing 1,510 pixels wide), and an upright chain."""
    count = 31
    edges = sorted([(k, k + 1) for k in range(count - 1)] + [(0, k) for k in range(2, count)], key=lambda edge: edge[1])
    sizes = [(150, 90)] * count
    layout = arrange(sizes, edges, [(90, 17) if a else (20, 17) for a, _ in edges])
    assert layout.width < 550
    afar = [route for (a, b), route in zip(edges, layout.routes, strict=True) if a == 0 and b > 3]
    assert len({round(x, 6) for route in afar for x, _ in route[4:-4]}) == 1
    assert max(abs(one.x - other.x) for one, other in pairwise(layout.boxes[1:])) < 20


@settings(max_examples=150, deadline=None, derandomize=True)
@given(graphs())
def test_layers_point_down(graph):
    sizes, edges, _ = graph
    found = layers(len(sizes), edges)
    assert all(found[a] < found[b] for a, b in edges)
    reads = {b for _, b in edges}
    for node in range(len(sizes)):
        above = [found[a] for a, b in edges if b == node]
        below = [found[b] for a, b in edges if a == node]
        if node in reads:
            assert found[node] == max(above) + 1
        elif below:
            assert found[node] == min(below) - 1


def crossings(layout):
    """Pairs of edges that cross between two rows."""
    total = 0
    for one, other in combinations(layout.routes, 2):
        for a, b in zip(one[1::2], one[2::2], strict=False):
            for c, d in zip(other[1::2], other[2::2], strict=False):
                if abs((a[1] + b[1]) - (c[1] + d[1])) < 60 and (a[0] - c[0]) * (b[0] - d[0]) < 0:
                    total += 1
    return total


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (0, 2, 1, 3), (3, 1, 0, 2)])
def test_a_tree_is_drawn_without_a_crossing(order):
    """Four leaves in any order, two sums, one product: a tree is planar, and the order is found."""
    edges = [(order[0], 4), (order[1], 4), (order[2], 5), (order[3], 5), (4, 6), (5, 6)]
    assert crossings(arrange([(60, 30)] * 7, edges, [(20, 17)] * 6)) == 0


def test_a_chain_is_straight():
    layout = arrange([(60, 30), (90, 30), (40, 30)], [(0, 1), (1, 2)], [(20, 17)] * 2)
    assert len({round(x, 6) for route in layout.routes for x, _ in route}) == 1


def test_an_edge_that_passes_rows_is_straight_there():
    """x is read again after three operations: its edge runs down beside them at one place."""
    layout = arrange([(60, 30)] * 5, [(0, 1), (1, 2), (2, 3), (3, 4), (0, 4)], [(20, 17)] * 5)
    assert len({round(x, 6) for x, _ in layout.routes[4][2:-2]}) == 1


def test_an_edge_back_is_refused():
    with pytest.raises(ValueError, match="larger number"):
        arrange([(1, 1)] * 2, [(1, 0)], [(1, 1)])


# ---- programs --------------------------------------------------------------------------------------------------------


def check_drawing(program, drawn):
    """The SVG of a program: well-formed, every value and edge there once, all words inside their boxes and apart."""
    root = ElementTree.fromstring(drawn.svg())
    made = drawn.diagram
    nodes = [g for g in root.iter(f"{SVG}g") if "data-node" in g.attrib]
    assert [int(g.attrib["data-node"]) for g in nodes] == list(range(len(made.vertices)))
    lines = [g.attrib["data-edge"] for g in root.iter(f"{SVG}g") if g.attrib.get("class") == "edge"]
    assert sorted(lines) == sorted(f"{edge.head}-{edge.place}" for edge in made.edges)
    if program is not None:
        assert [v.name for v in made.vertices] == [node.name for node in program.nodes]
        assert [(e.tail, e.head, e.place) for e in made.edges] == list(program.edges())
    sizes = measure(made)
    edges = [(edge.tail, edge.head) for edge in made.edges]
    check_layout(arrange(sizes.boxes, edges, sizes.labels), sizes.boxes, edges, sizes.labels)
    for g in nodes:
        rect = g.findall(f"{SVG}rect")[-1].attrib
        left, right = float(rect["x"]), float(rect["x"]) + float(rect["width"])
        for text in g.findall(f"{SVG}text"):
            wide = text_width(text.text or "", float(text.attrib.get("font-size", 13))) * (
                1.08 if "font-weight" in text.attrib else 1
            )
            x = float(text.attrib["x"]) - (wide if text.attrib.get("text-anchor") == "end" else 0)
            assert left <= x, text.text
            assert x + wide <= right + 0.2, text.text


@pytest.mark.parametrize("name", ["lecture", "baydin", "quiz", "network"])
def test_worked_examples_are_drawn(name):
    e = explained()[name]
    drawn = e.graph()
    shown = e.fold("name").program if name == "network" else e.program
    check_drawing(shown, drawn)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(programs, points())
def test_random_programs_are_drawn(f, point):
    """The random programs of the laws, as they are and folded: every value a box, every edge a line, no overlap."""
    e = dualad.explain(f.scalar, *point[0])
    for by in ("none", "name"):
        drawn = e.graph(by=by)
        program = e.program if by == "none" else e.fold(by).program
        check_drawing(program if len(program.nodes) <= LARGEST_DRAWN else None, drawn)


def test_a_box_says_what_is_asked_of_it():
    root = ElementTree.fromstring(explained()["lecture"].graph().svg())
    groups = [g for g in root.iter(f"{SVG}g") if "data-node" in g.attrib]
    nodes = {int(g.attrib["data-node"]): [t.text for t in g.findall(f"{SVG}text")] for g in groups}
    assert nodes[1] == ["t", "x**2", "value", "1", "tangent", "2", "adjoint", "2.280396"]
    assert nodes[5] == ["J", "cos(u)", "value", "-0.7649206", "tangent", "4.560792", "adjoint", "1"]
    labels = [g.find(f"{SVG}text").text for g in root.iter(f"{SVG}g") if g.attrib.get("class") == "label"]
    assert labels == ["2*x = 2", "cos(t) = 0.5403", "3", "1", "1", "-sin(u) = 0.6441"]


def test_an_array_box_shows_its_shape():
    drawn = explained()["network"].graph()
    assert {v.name: v.shape for v in drawn.diagram.vertices} == {
        "W1": "(4, 3)",
        "b1": "(4,)",
        "W2": "(2, 4)",
        "b2": "(2,)",
        "a": "(4,)",
        "h": "(4,)",
        "c": "(2,)",
        "p": "(2,)",
        "J": "",
    }
    assert "(4, 3)" in drawn.svg()
    assert [e.label for e in drawn.diagram.edges if e.head == 6] == ["outer(·, h)", "W2.T @ ·", "1"]


def test_a_network_folds_into_blocks_unless_told_otherwise():
    e = explained()["network"]
    assert len(e.graph().diagram.vertices) == 9
    assert len(e.graph(by="none").diagram.vertices) == len(e.program.nodes)
    assert e.graph().diagram.vertices[5].operation == "4 operations"


def test_seed_and_target():
    e = dualad.explain(baydin, 2.0, 5.0)
    rows = {v.name: {row.label: row.text for row in v.rows} for v in e.graph(seed="x2", target="v3").diagram.vertices}
    assert rows["y"] == {"value": "11.65207", "tangent": "1.716338", "adjoint": "0"}
    assert rows["v3"]["adjoint"] == "1"
    assert all(row.label != "tangent" for v in e.graph(seed="none").diagram.vertices for row in v.rows)
    with pytest.raises(KeyError, match="no input called 'z'"):
        e.graph(seed="z")


def test_both_operands_of_a_square_have_an_edge():
    drawn = dualad.explain(lambda x: x * x, 3.0).graph()
    assert [(e.tail, e.head, e.place) for e in drawn.diagram.edges] == [(0, 1, 0), (0, 1, 1)]
    check_drawing(None, drawn)


def test_names_and_formulas_with_markup_are_escaped():
    x = Node(0, "<x&y>", "input", value=3.0)
    y = Node(1, 'y"', "output", "less", (Operand(0, "<x&y>", partial=6.0, formula='a<b & "c"'),), 9.0, "2 <x")
    made = diagram(Program("f<g>", (x, y), (0,), (1,), adjoints=(6.0, 1.0), target='y"'))
    from dualad.explanation.graph import Graph

    check_drawing(None, Graph(made))
    assert '"y\\" = 2 <x' in Graph(made).dot()
    assert "&lt;x&amp;y&gt;" in Graph(made).mermaid()


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0.1 + 0.2, "0.3"),
        (-0.0, "0"),
        (1e-300, "1e-300"),
        (math.nan, "nan"),
        (math.inf, "inf"),
        (None, ""),
        (Block((2,), numbers=(1.0, -0.0)), "[1, 0]"),
        (Block((9, 9), norm=2.5), "norm 2.5"),
    ],
)
def test_numbers_in_short(x, text):
    assert short(x) == text


def test_labels_of_edges():
    assert edge_label(Operand(0, "x", partial=3.0, formula="3")) == "3"
    assert edge_label(Operand(0, "x", partial=0.5, formula="1/x")) == "1/x = 0.5"
    assert edge_label(Operand(0, "x", partial=0.5, formula="exp(x)/(1 + exp(x))**2")) == "0.5"
    assert edge_label(Operand(0, "W", pullback="outer(ct, x)")) == "outer(·, x)"
    assert edge_label(Operand(0, "x")) == ""


def test_words_can_be_read_on_paper_and_in_boxes():
    svg = explained()["lecture"].graph().svg()
    used = set(re.findall(r'<text[^>]* fill="(#[0-9a-f]{6})"', svg))
    assert len(used) == 4
    assert all(contrast(c, LIGHT.paper) >= 4.5 and contrast(c, LIGHT.panel) >= 4.5 for c in used), used


# ---- long programs ---------------------------------------------------------------------------------------------------


def test_thousands_of_values_are_summarised():
    e = dualad.explain(looped, 1.0)
    assert len(e.program.nodes) > 3000
    drawn = e.graph()
    made = drawn.diagram
    assert [v.name for v in made.vertices] == ["x", "s_1", "s_2 … s_1001", "y"]
    assert [v.rows[0].text for v in made.vertices] == ["1", "1", "3000", "2"]
    assert [(edge.tail, edge.head) for edge in made.edges] == [(0, 1), (0, 2), (0, 3), (1, 2), (2, 3)]
    assert len(drawn.svg()) < 10_000
    assert len(str(drawn).splitlines()) == 5
    check_drawing(None, drawn)


def test_lines_of_a_loop_that_feed_each_other_are_one_box():
    made = dualad.explain(two_lines, 1.0).graph(by="none").diagram
    assert [v.rows[0].label for v in made.vertices] == ["inputs", "operations"]
    assert made.vertices[1].rows[0].text == "180"
    assert made.vertices[1].shape.startswith("lines ")
    assert all(edge.tail < edge.head for edge in made.edges)


@pytest.mark.parametrize("lines", [LARGEST_DRAWN + 1, 500])
def test_a_long_program_without_loops_gets_few_boxes(lines):
    nodes = [Node(0, "x", "input", value=1.0)]
    for k in range(lines):
        operands = (Operand(k, f"v{k - 1}"), Operand(0, "x"))
        nodes.append(Node(k + 1, f"v{k}", "intermediate", "add", operands, 2.0, "a + x", True, k + 2, "", "f"))
    made = diagram(Program("f", tuple(nodes), (0,), (lines,), adjoints=(1.0,) * len(nodes)))
    assert len(made.vertices) <= 40
    assert sum(int(v.rows[0].text) for v in made.vertices if v.rows[0].label == "operations") == lines
    assert all(edge.tail < edge.head for edge in made.edges)


# ---- other forms -----------------------------------------------------------------------------------------------------


def test_text_of_the_lecture_example():
    assert (
        explained()["lecture"].graph(seed="none").text()
        == """\
●     x             value 1            adjoint 4.560792
╰─●   t = x**2      value 1            adjoint 2.280396    dt/dx = 2*x = 2
●─┤   v1 = sin(t)   value 0.841471     adjoint 0.6441246   dv1/dt = cos(t) = 0.5403023
│ ╰─● v2 = 3*t      value 3            adjoint 0.6441246   dv2/dt = 3
╰─●─╯ u = v1 + v2   value 3.841471     adjoint 0.6441246   du/dv1 = 1, du/dv2 = 1
●─╯   J = cos(u)    value -0.7649206   adjoint 1           dJ/du = -sin(u) = 0.6441246"""
    )


@pytest.mark.parametrize("name", ["lecture", "baydin", "quiz", "network"])
def test_dot_and_mermaid_have_every_node_and_edge(name):
    drawn = explained()[name].graph()
    nodes, edges = len(drawn.diagram.vertices), len(drawn.diagram.edges)
    text = drawn.dot()
    assert len(re.findall(r"^  n\d+ \[label=", text, re.MULTILINE)) == nodes
    assert len(re.findall(r"^  n\d+ -> n\d+ \[label=", text, re.MULTILINE)) == edges
    assert text.count("{") == text.count("}")
    text = drawn.mermaid()
    assert text.startswith("flowchart TB\n")
    assert len(re.findall(r"^  n\d+(\[|\(\[)\"", text, re.MULTILINE)) == nodes
    assert len(re.findall(r"^  n\d+ -->", text, re.MULTILINE)) == edges


def dot_statements(text):
    """Statements of a DOT file by its grammar: "digraph" ID { node [a=b ...]; tail -> head [a=b ...]; a=b; }."""
    token = re.compile(r'\s*("(?:\\.|[^"\\])*"|[A-Za-z_][A-Za-z_0-9]*|-?(?:\.\d+|\d+(?:\.\d*)?)|->|[\[\]{};=,])')
    tokens, at = [], 0
    while text[at:].strip():
        found = token.match(text, at)
        assert found, text[at : at + 40]
        tokens.append(found[1])
        at = found.end()
    word = re.compile(r'["A-Za-z_0-9.-]')
    assert tokens[0] == "digraph"
    assert word.match(tokens[1])
    assert (tokens[2], tokens[-1]) == ("{", "}")
    found, k = [], 3
    while k < len(tokens) - 1:
        end = tokens.index(";", k)
        statement, k = tokens[k:end], end + 1
        assert all(word.match(t) for t in statement[::2][:2]), statement
        if "[" in statement:
            head, given = statement[: statement.index("[")], statement[statement.index("[") + 1 : -1]
            assert statement[-1] == "]"
            assert len(head) == 1 or (len(head) == 3 and head[1] == "->")
            pairs = [given[j : j + 3] for j in range(0, len(given), 4)]
            assert all(len(p) == 3 and p[1] == "=" for p in pairs), given
            assert all(comma == "," for comma in given[3::4])
            found.append((tuple(head), {name: value for name, _, value in pairs}))
        else:
            assert len(statement) == 3
            assert statement[1] == "="
    return found


def strange():
    """Names and formulas that could end a string, a label or a line early."""
    x = Node(0, "<x&y>", "input", value=3.0)
    y = Node(1, 'y"\\', "output", "less", (Operand(0, "<x&y>", pullback='a<b & "c" | `d` #1; end'),), 9.0, "2 <x [] {} () --> end")
    return diagram(Program('f"<g>', (x, y), (0,), (1,), adjoints=(6.0, 1.0), target='y"'))


@pytest.mark.parametrize("name", ["lecture", "baydin", "quiz", "network", "long", "strange"])
def test_dot_and_mermaid_keep_their_grammars(name):
    """Every statement is one of DOT, every line one of Mermaid, none ended early by what is quoted."""
    from dualad.explanation.graph import Graph

    drawn = {"long": lambda: dualad.explain(looped, 1.0).graph(), "strange": lambda: Graph(strange())}.get(
        name, lambda: explained()[name].graph()
    )()
    nodes, edges = len(drawn.diagram.vertices), [(e.tail, e.head) for e in drawn.diagram.edges]
    statements = dot_statements(drawn.dot())
    assert [head for head, _ in statements if head[0].startswith("n") and head[0][1:].isdigit() and len(head) == 1] == [
        (f"n{k}",) for k in range(nodes)
    ]
    assert [(head[0], head[2]) for head, _ in statements if len(head) == 3] == [(f"n{a}", f"n{b}") for a, b in edges]
    first, *lines = drawn.mermaid().splitlines()
    assert first == "flowchart TB"
    box = re.compile(r'  n\d+(?:\[|\(\[)"[^"<>]*(?:<br>[^"<>]*)*"(?:\]|\]\))')
    arrow = re.compile(r'  n\d+ -->(?:\|"[^"<>]*"\|)? n\d+')
    assert all(box.fullmatch(line) for line in lines[:nodes])
    assert all(arrow.fullmatch(line) for line in lines[nodes:])
    assert len(lines) == nodes + len(edges)


def test_an_element_is_named_once():
    """x[0] = x[0] was said of an element of an array."""
    drawn = dualad.explain(lambda x: x[0] * x[1], np.array([2.0, 3.0])).graph()
    assert "x[0]" in [v.name for v in drawn.diagram.vertices]
    assert "x[0] = x[0]" not in drawn.text() + drawn.mermaid() + drawn.dot() + drawn.diagram.alt


def test_text_has_a_line_a_node_and_dots_apart():
    for e in explained().values():
        drawn = e.graph()
        lines = drawn.text().splitlines()
        assert len(lines) == len(drawn.diagram.vertices)
        assert all(line.count("●") == 1 for line in lines)


def test_save_by_ending(tmp_path):
    drawn = explained()["lecture"].graph()
    for ending, start in ((".svg", "<svg"), (".dot", "digraph"), (".gv", "digraph"), (".mmd", "flowchart"), (".txt", "●")):
        drawn.save(tmp_path / f"g{ending}")
        assert (tmp_path / f"g{ending}").read_text(encoding="utf-8").startswith(start)
    with pytest.raises(ValueError, match=r"let it end in \.svg"):
        drawn.save(tmp_path / "g.png")
    assert not (tmp_path / "g.png").exists()
    drawn.save(tmp_path / "G.SVG")
    assert (tmp_path / "G.SVG").read_text(encoding="utf-8").startswith("<svg")
    with pytest.raises(FileNotFoundError):
        drawn.save(tmp_path / "none" / "g.svg")
    with pytest.raises(ValueError, match="by is 'name', 'function' or 'none', not 'names'"):
        explained()["lecture"].graph(by="names")


def test_notebooks_see_the_picture():
    drawn = explained()["lecture"].graph()
    assert drawn._repr_svg_() == drawn.svg()
    assert drawn.svg() in drawn._repr_html_()

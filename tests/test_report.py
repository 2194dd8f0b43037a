"""Drawings: well-formed, complete, readable, every word in a place of its own."""

import math
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from itertools import combinations, pairwise

import pytest
import sample_figures
from hypothesis import given
from hypothesis import strategies as st
from sample_figures import FIGURES

from dualad.compare.figure import Curve, Figure, Heat, Mark
from dualad.report import draw, heat
from dualad.report.axes import Axis, axis
from dualad.report.html import stylesheet
from dualad.report.labels import Box, free_place, spread, text_width, wrap
from dualad.report.palette import MARKERS, SCHEMES, STYLES, all_styles, contrast, diverging, readable, sequential, styles
from dualad.report.svg import shown

WIDTHS = (326, 640, 860)
SVG = "{http://www.w3.org/2000/svg}"
each_figure = pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.name)

# ---- palette ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", SCHEMES)
def test_words_have_contrast(scheme):
    """4.5 : 1 for everything that is read, 3 : 1 for everything that is drawn (WCAG 2.2)."""
    colours = SCHEMES[scheme]
    for ink in (colours.ink, colours.soft, colours.link):
        for paper in (colours.paper, colours.panel):
            assert contrast(ink, paper) >= 4.5, (ink, paper)
    assert contrast(colours.frame, colours.paper) >= 3
    for name, colour in re.findall(r"--w-([\w-]+):(#\w+)", _block(scheme)):
        assert contrast(colour, colours.paper) >= 4.5, name
    drawn = re.findall(r"--k-([\w-]+):(#\w+)", _block(scheme))
    assert len(drawn) == len(all_styles())
    for name, colour in drawn:
        assert contrast(colour, colours.paper) >= 3, name


def _block(scheme):
    """The variables of a scheme, as the page has them."""
    start = ":root{" if scheme == "light" else "[data-scheme=dark]{"
    return stylesheet().split(start, 1)[1].split("}", 1)[0]


def test_contrast_is_that_of_the_standard():
    assert contrast("#ffffff", "#000000") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)  # the best known grey that just fails
    assert contrast("#123456", "#123456") == 1.0


@pytest.mark.parametrize("background", ["#ffffff", "#14161a", "#808080"])
@pytest.mark.parametrize("ratio", [3.0, 4.5])
def test_readable_reaches_the_ratio(background, ratio):
    for style in all_styles():
        assert contrast(readable(style.colour, background, ratio), background) >= min(ratio, 4.0)


def test_roles_differ_in_more_than_colour():
    """Every two roles differ in marker, filling or dash: the figure survives grey print."""
    for (one, a), (other, b) in combinations(STYLES.items(), 2):
        assert (a.marker, a.hollow, a.dash) != (b.marker, b.hollow, b.dash), (one, other)
    assert {style.marker for style in all_styles()} <= set(MARKERS)
    assert len({style.key for style in all_styles()}) == len(all_styles())


def test_unknown_roles_take_colours_that_the_figure_has_not():
    looks = styles(["forward", "", "mine", "", "mine"])
    assert looks[0] is STYLES["forward"]
    assert looks[2] is looks[4]
    assert len({look.colour for look in looks}) == 4


def test_colour_scales_darken_from_the_neutral_end():
    for scale in (lambda t: diverging(t), lambda t: diverging(-t), sequential):
        against_white = [contrast(scale(k / 20), "#ffffff") for k in range(21)]
        assert all(a < b for a, b in pairwise(against_white))


# ---- axes ------------------------------------------------------------------------------------------------------------

exponents = st.floats(-300, 300)


@given(exponents, st.floats(0.35, 300), st.integers(2, 12))
def test_ticks_of_a_logarithmic_axis(start, span, most):
    along = Axis("log", 10.0**start, 10.0 ** min(start + span, 308))
    _check_ticks(along, most)
    for value in along.minor(along.ticks(most)):
        assert -1e-6 <= along.part(value) <= 1 + 1e-6


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e9), st.integers(2, 12))
def test_ticks_of_a_linear_axis(low, span, most):
    _check_ticks(Axis("linear", low, low + span), most)


@given(st.integers(-20, 20), st.integers(2, 40), st.integers(2, 12))
def test_ticks_at_powers_of_two(first, count, most):
    along = Axis("log", 2.0**first, 2.0 ** (first + count), binary=True)
    _check_ticks(along, most)


def _check_ticks(along, most):
    ticks = along.ticks(most)
    assert 1 <= len(ticks) <= most
    assert all(-1e-6 <= along.part(tick.value) <= 1 + 1e-6 for tick in ticks)
    assert all(a.value < b.value for a, b in pairwise(ticks))
    assert len({(tick.text, tick.power) for tick in ticks}) == len(ticks)


def test_ticks_say_their_numbers():
    for along in (Axis("log", 1e-8, 1e9), Axis("log", 3.0, 700.0), Axis("linear", -4.0, 9.0), Axis("log", 1.0, 2.0**30, True)):
        for tick in along.ticks(9):
            text = tick.text.replace("\u2009", "").replace("−", "-")
            front, _, base = text.rpartition("×")
            power = int(tick.power.replace("−", "-")) if tick.power else 1
            assert float(front or 1) * float(base) ** power == pytest.approx(tick.value)


def test_axis_holds_its_numbers_and_marks():
    along = axis("log", [0.0, None, math.inf, 3.0, 5.0], [80.0])
    assert along.low < 3 < 80 < along.high
    assert axis("linear", [3.0, 5.0]).low == 0
    assert axis("linear", [3, 5]).whole
    assert axis("log", []).part(1.0) == 0
    flat = axis("log", [7.0, 7.1])
    assert 0.3 < flat.part(7.0) < 0.7


def test_log_axis_of_the_whole_range_of_floats():
    along = axis("log", [5e-324, 1.7e308])
    assert 0 <= along.part(1.0) <= 1
    assert len(along.ticks(6)) >= 3


# ---- labels ----------------------------------------------------------------------------------------------------------


@given(st.lists(st.floats(0, 400), max_size=12), st.floats(1, 30))
def test_spread_keeps_distance_order_and_range(wanted, gap):
    placed = spread(wanted, gap, 0, 400)
    fits = gap * (len(wanted) - 1) <= 400
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    for i, j in pairwise(order):
        assert placed[j] - placed[i] >= (gap if fits else 400 / (len(wanted) - 1)) - 1e-6
    assert all(-1e-6 <= p <= 400 + 1e-6 for p in placed)


def test_spread_leaves_alone_what_fits():
    assert spread([10.0, 50.0, 90.0], 12, 0, 100) == [10.0, 50.0, 90.0]


def test_free_place_covers_nothing_or_least():
    room = Box(0, 0, 100, 100)
    assert free_place([Box(0, 0, 10, 10)], [Box(5, 5, 1, 1)], room) is None
    two = [Box(0, 0, 10, 10), Box(40, 0, 10, 10)]
    assert free_place(two, [Box(5, 5, 3, 3), Box(45, 5, 2, 2)], room, most=9) == two[1]
    assert free_place([Box(95, 0, 10, 10)], [], room) is None


@given(st.lists(st.text("abcdefgh", min_size=1, max_size=9), min_size=1, max_size=20), st.floats(60, 300))
def test_wrapped_lines_fit(words, width):
    lines = wrap(" ".join(words), 12, width)
    assert " ".join(lines).split() == words
    assert all(text_width(line, 12) <= width or " " not in line for line in lines)


# ---- drawings --------------------------------------------------------------------------------------------------------


@each_figure
@pytest.mark.parametrize("width", WIDTHS)
def test_drawing_is_well_formed_and_says_what_it_is(figure, width):
    root = ElementTree.fromstring(draw(figure, width))
    assert root.get("role") == "img"
    names = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(set(names)) == len(names)
    assert set(root.get("aria-labelledby").split()) <= set(names)
    assert root.find(f"{SVG}title").text == figure.title
    assert root.find(f"{SVG}desc").text == figure.alt
    assert root.get("viewBox").split()[2] == str(width)


@each_figure
@pytest.mark.parametrize("width", WIDTHS)
def test_every_point_has_a_marker(figure, width):
    root = ElementTree.fromstring(draw(figure, width))
    for number, curve in enumerate(figure.curves):
        drawn = [g for g in root.iter(f"{SVG}g") if g.get("data-curve") == str(number)]
        assert drawn, curve.label
        markers = [marker for g in drawn for inner in g.findall(f"{SVG}g") for marker in inner]
        expected = sum(y is not None for y in curve.y) if curve.kind == "points" else 0
        assert len(markers) == expected == (len(shown(figure, curve)) if curve.kind == "points" else 0)


@each_figure
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("legend", [True, False])
def test_words_stay_inside_and_apart(figure, width, legend):
    """By our own widths of letters, which are generous."""
    root = ElementTree.fromstring(draw(figure, width, legend=legend))
    height = float(root.get("viewBox").split()[3])
    boxes = [_box(text, float(root.get("font-size"))) for text in _texts(root)]
    for words, box in boxes:
        assert box.inside(Box(-0.5, 0, width + 1, height)), words
    for (one, a), (other, b) in combinations(boxes, 2):
        assert a.overlap(b) < 3, (one, other)


def _texts(root):
    sizes = {}
    for group in root.iter(f"{SVG}g"):
        for text in group.iter(f"{SVG}text"):
            sizes[text] = group.get("font-size"), group.get("text-anchor")
    for text in root.iter(f"{SVG}text"):
        yield text, *sizes.get(text, (None, None))


def _box(entry, default):
    text, size, anchor = entry
    size = float(text.get("font-size") or size or default)
    words = "".join(text.itertext())
    width = text_width(words, size) * (0.9 if text.find(f"{SVG}tspan") is not None else 1)
    x = float(text.get("x")) - {"end": width, "middle": width / 2}.get(text.get("text-anchor") or anchor, 0)
    return words, Box(x, float(text.get("y")) - 0.72 * size, width, 0.74 * size)


@each_figure
@pytest.mark.parametrize("width", WIDTHS)
def test_every_curve_and_mark_is_named(figure, width):
    """By a label or a legend; the only curve of a figure by its title."""
    words = [" ".join("".join(text.itertext()) for text in ElementTree.fromstring(draw(figure, width)).iter(f"{SVG}text"))]
    names = [curve.label for curve in figure.curves] if len(figure.curves) > 1 or figure.heat else []
    for name in [*names, *(mark.text for mark in figure.marks)]:
        assert all(word in words[0] for word in name.split()), name


def test_small_words_are_eleven_pixels_at_every_width():
    for figure in FIGURES:
        for width in WIDTHS:
            root = ElementTree.fromstring(draw(figure, width))
            sizes = [float(text.get("font-size") or inherited or root.get("font-size")) for text, inherited, _ in _texts(root)]
            assert min(sizes) >= 11


def test_drawing_is_the_same_every_time():
    assert draw(FIGURES[0], 500) == draw(FIGURES[0], 500)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scale", ["log", "linear"])
@pytest.mark.parametrize(
    "curve",
    [
        Curve("none", (), ()),
        Curve("missing", (1.0, 2.0), (None, None)),
        Curve("zeros", (0.0, 1.0), (0.0, 0.0)),
        Curve("not finite", (1.0, 2.0, 3.0), (math.inf, math.nan, 2.0)),
        Curve("negative", (1.0, 2.0), (-1.0, 2.0)),
        Curve("one", (1.0,), (1.0,)),
        Curve("huge", (1e-300, 1e300), (1e300, 1e-300)),
        Curve("band from 0", (1.0, 2.0), (1.0, 1.0), "theory", "band", (0.0, 0.0), (2.0, 3.0)),
        Curve("step", (1.0, 2.0), (1.0, None), kind="step"),
    ],
    ids=lambda curve: curve.label,
)
def test_awkward_data_is_drawn(curve, scale, width):
    figure = Figure("odd", "Odd", "x", "y", "", "", (curve, Curve("other", (1.0, 2.0), (1.0, 2.0))), xscale=scale, yscale=scale)
    text = draw(figure, width)
    ElementTree.fromstring(text)
    assert not re.search(r'[" M L](nan|-?inf)', text)


def test_markup_in_names_is_text():
    nasty = '<script>alert("1")</script> & ]]>'
    figure = Figure("x", nasty, nasty, nasty, nasty, nasty, (Curve(nasty, (1.0, 2.0), (1.0, 2.0)), Curve("b", (1.0,), (1.0,))),
                    None, (Mark(nasty, x=1.5),))  # fmt: skip
    for width in WIDTHS:
        assert "<script" not in draw(figure, width)
        ElementTree.fromstring(draw(figure, width))


@pytest.mark.parametrize("width", WIDTHS)
def test_notes_at_one_place_are_written_apart(width):
    """Lines across and points that lie together: their words find places of their own."""
    curve = Curve("a", (1.0, 1000.0), (1.0, 1000.0))
    marks = [Mark(f"line {k}", x=20.0 + k) for k in range(4)] + [Mark(f"level {k}", y=30.0 + k) for k in range(3)]
    marks += [Mark(f"point {k}", 25.0, 25.0 + k) for k in range(3)]
    root = ElementTree.fromstring(draw(Figure("f", "F", "x", "y", "", "", (curve,), None, tuple(marks)), width))
    boxes = [_box(text, float(root.get("font-size"))) for text in _texts(root)]
    assert {words for words, _ in boxes} >= {mark.text for mark in marks}
    for (one, a), (other, b) in combinations(boxes, 2):
        assert a.overlap(b) < 3, (one, other)


def test_an_axis_without_a_name_has_no_numbers():
    root = ElementTree.fromstring(draw(next(f for f in FIGURES if f.name == "graph"), 860))
    words = ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]
    assert [word for word in words if re.fullmatch(r"[\d.]+", word)] == ["0", "1", "2", "3", "4"]
    assert sum(circle.get("r") == "7" for circle in root.iter(f"{SVG}circle")) == 0  # many words are names, not notes


def test_twelve_curves_are_all_named():
    curves = tuple(Curve(f"peer {k}", (1.0, 10.0), (1.0, 10.0 + k / 10), f"peer {k}") for k in range(1, 13))
    words = draw(Figure("many", "Many", "n", "cost", "", "", curves), 860)
    assert all(f">peer {k}<" in words for k in range(1, 13))


# ---- heat maps -------------------------------------------------------------------------------------------------------


def test_contour_is_where_the_value_is():
    """z = log(x / 3 y) is linear in the logarithms: the interpolated line is exact."""
    xs, ys = tuple(2.0**k for k in range(8)), tuple(2.0**k for k in range(6))
    z = tuple(tuple(math.log(x / (3 * y)) for x in xs) for y in ys)
    (line,) = heat.contour(Heat(xs, ys, z, "z"), 0.0)
    assert len(line) > 6
    assert all(x == pytest.approx(3 * y) for x, y in line)


def test_contour_breaks_where_there_is_no_number():
    assert heat.contour(Heat((1.0, 2.0), (1.0, 2.0), ((-1.0, None), (1.0, 1.0)), "z"), 0.0) == []


def test_cells_have_the_colour_of_their_number():
    z = ((-2.0, 0.0), (None, 2.0))
    figure = Figure("h", "H", "x", "y", "", "", heat=Heat((1.0, 2.0), (1.0, 2.0), z, "z"))
    root = ElementTree.fromstring(draw(figure, 640))
    (cells,) = (g for g in root.iter(f"{SVG}g") if g.get("class") == "cells")
    assert [cell.get("fill") for cell in cells] == [diverging(-1), diverging(0), diverging(1)]
    assert heat.colour(replace(figure.heat, centre=None), 2.0) == sequential(1.0)


def test_heat_of_one_cell_and_of_nothing():
    for z in (((1.0,),), ((None,),)):
        for centre in (0.0, None):
            figure = Figure("h", "H", "x", "y", "", "", heat=Heat((4.0,), (2.0,), z, "z", centre))
            for width in WIDTHS:
                ElementTree.fromstring(draw(figure, width))


def test_sample_covers_every_kind():
    kinds = {curve.kind for figure in FIGURES for curve in figure.curves}
    assert kinds == {"points", "line", "band", "step"}
    assert {(f.xscale, f.yscale) for f in sample_figures.FIGURES} >= {("log", "log"), ("log", "linear"), ("linear", "linear")}

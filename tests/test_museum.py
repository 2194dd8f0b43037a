"""The bug museum: six mistakes, the wrong number each gives, the right one checked against dualad and against a closed form."""

import math

import numpy as np
import pytest

import dualad
from dualad.teach import museum, tiny

#: name -> (right, wrong), by hand
E = math.e
C = 1.0 + E
FC = 0.5 / math.sqrt(C) - math.sin(C)
NUMBERS = {
    "overwrite": (2 * 3.0 + 1.0, 3.0),  # only the last of three contributions, g * x
    "twice": (2 * (1.5 - 3.0), 2 * (0.0 - 3.0) + 2 * (1.5 - 3.0)),  # both gradients
    "order": (2.0 * FC * (1.0 + E), 2.0 * FC),  # the way over e^a comes too late
    "saved": (2 * E**2 + E, (2 * E + 1.0) * (E + 1.0)),  # e^x + 1 where e^x was
    "perturbation": (1.0, 2.0),
    "broadcast": (15.0, np.array([3.0, 5.0, 7.0])),
}


def test_six_exhibits():
    assert museum.names() == tuple(NUMBERS)


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers(name):
    right, wrong = NUMBERS[name]
    np.testing.assert_allclose(museum.run(name, broken=False), right, rtol=1e-14)
    np.testing.assert_allclose(museum.run(name, broken=True), wrong, rtol=1e-14)
    assert np.shape(museum.run(name, broken=True)) == np.shape(wrong)
    np.testing.assert_allclose(museum.EXHIBITS[name].reference(), right, rtol=1e-14)


@pytest.mark.parametrize("name", NUMBERS)
def test_what_is_shown(name):
    view = museum.show(name)
    exhibit = view.exhibit
    text = " ".join(str(view).split())
    for part in (exhibit.title, exhibit.example, exhibit.notice, exhibit.story):
        assert " ".join(part.split()) in text
    assert "wrong" in text
    assert f"def {exhibit.right.__name__}(" in view.difference()
    assert f"def {exhibit.wrong.__name__}(" in view.difference()
    marks = {line[0] for line in view.difference().splitlines()}
    assert {"-", "+"} <= marks <= {"-", "+", " "}
    assert max(map(len, str(view).splitlines())) <= 132
    page = view._repr_html_()
    assert all(f">{part}</th>" in page for part in ("wrong", "right", "dualad"))
    assert "<class" not in page


def test_the_shown_code_is_the_code_that_runs():
    assert "parent.adjoint += pullback" in museum.show("overwrite").difference()
    assert "parent.adjoint = pullback" in museum.show("overwrite").difference()
    assert "np.sum(g)" in museum.show("broadcast").difference()


# ---- the tiny program without a bug is right ----------------------------------------------------------------------------------

def test_tape_against_dualad():
    def f(x, y, m):
        t = m.sin(x * y) if m is tiny else np.sin(x * y)
        u = m.exp(t * x) + y * y
        c = m.cos(u) if m is tiny else np.cos(u)
        return m.sqrt(u * u) * c + t

    for at in ((0.3, 1.2), (-1.1, 0.4)):
        x, y = (tiny.Node(v) for v in at)
        tiny.sweep(f(x, y, tiny))
        want = dualad.grad(lambda x, y: f(x, y, np), argnums=(0, 1))(*at)
        np.testing.assert_allclose((x.adjoint, y.adjoint), want, rtol=1e-13)


def test_tape_constants_and_sums():
    x = tiny.Node(np.array([1.0, -2.0]))
    tiny.sweep(tiny.total((x * x).times(3.0).plus(1.0)))
    np.testing.assert_array_equal(x.adjoint, 6.0 * x.value)


def test_duals_nest_to_any_order():
    d = lambda f: tiny.derivative(f)
    f = lambda x: x * x * x * x
    assert [d(f)(2.0), d(d(f))(2.0), d(d(d(f)))(2.0), d(d(d(d(d(f)))))(2.0)] == [32.0, 48.0, 48.0, 0.0]
    assert d(lambda x: 3.0)(1.0) == 0.0


def test_wrong_parts_are_right_where_the_mistake_cannot_show():
    """A chain has no fan-out and one order: the broken sweeps pass it, which is why small tests miss them."""
    for parts in ({"step": tiny.overwrite}, {"order": tiny.breadth_first}, {"prepare": tiny.kept}):
        x = tiny.Node(0.7)
        tiny.sweep(tiny.sin(tiny.exp(x)), **parts)
        assert x.adjoint == pytest.approx(math.cos(math.exp(0.7)) * math.exp(0.7), rel=1e-15)


@pytest.mark.parametrize("x0", [-1.3, 0.4, 2.0])
def test_wrong_numbers_come_from_the_broken_parts(x0):
    """On other programs and points than the exhibits': what each mistake gives, by hand."""
    x = tiny.Node(x0)
    tiny.sweep(x * x * x, step=tiny.overwrite)
    assert x.adjoint == x0 * x0  # the last of the contributions to x: that of x x, times x
    tiny.sweep(x * x * x, prepare=tiny.kept)
    assert x.adjoint == pytest.approx(x0**2 + 3.0 * x0**2)  # what was there, and 3 x^2
    x = tiny.Node(x0)
    a = x * x
    tiny.sweep(a * tiny.exp(a), order=tiny.breadth_first)
    assert x.adjoint == pytest.approx(2.0 * x0 * math.exp(x0 * x0))  # a comes before e^a, whose part is late
    for exp, factor in ((tiny.exp, math.exp(x0)), (tiny.exp_reading_later, 5.0)):
        x = tiny.Node(x0)
        y = exp(x)
        y.value = 5.0
        tiny.sweep(y)
        assert x.adjoint == factor
    for tag, want in ((tiny.fresh_tag, 2.0 * x0), (tiny.same_tag, x0 + 2.0)):  # the inner derivative x, taken for x + 2
        assert tiny.derivative(lambda x, tag=tag: x * tiny.derivative(lambda y: x * y, tag)(2.0), tag)(x0) == want
    for add, shape in ((tiny.add_bias, ()), (tiny.add_bias_unsummed, (4,))):
        b = tiny.Node(x0)
        tiny.sweep(tiny.total(add(tiny.Node(np.ones(4)), b)))
        assert np.shape(b.adjoint) == shape
        assert np.sum(b.adjoint) == 4.0


@pytest.mark.parametrize("call", [museum.show, lambda name: museum.run(name, broken=True)])
def test_unknown_exhibit(call):
    with pytest.raises(ValueError, match="no exhibit 'overwritten'; there are overwrite, twice, order"):
        call("overwritten")

"""The three orders of the axes of a Jacobian: the definition, the permutations, the printed tables."""

# ruff: noqa: N802 - the ids are written as in the list of examples

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dualad
from dualad import layout

NAMES = ("numerator", "stacked", "denominator")
shapes = st.lists(st.integers(1, 3), max_size=4).map(tuple)


def test_there_are_three():
    assert tuple(layout.CONVENTIONS) == NAMES


# ---- laws ----------------------------------------------------------------------------------------------------------------------

@settings(max_examples=200, deadline=None)
@given(shapes, shapes, st.sampled_from(NAMES), st.sampled_from(NAMES), st.sampled_from(NAMES))
def test_conversion_is_a_permutation_with_an_inverse(y, x, one, two, three):
    """Any rank: there and back is the identity, via a third layout is the direct way, entry (i, j) stays entry (i, j)."""
    j = np.arange(np.prod((*y, *x), dtype=int), dtype=float).reshape(layout.shape(y, x, one))
    there = layout.convert(j, one, two, x_ndim=len(x))
    assert there.shape == layout.shape(y, x, two)
    np.testing.assert_array_equal(layout.convert(there, two, one, y_ndim=len(y)), j)
    via = layout.convert(layout.convert(j, one, three, x_shape=x), three, two, x_shape=x, y_shape=y)
    np.testing.assert_array_equal(via, there)
    stacked = layout.convert(j, one, "stacked", x_ndim=len(x))
    for at in itertools.islice(np.ndindex(*y, *x), 20):
        i, k = at[:len(y)], at[len(y):]
        entry = {"stacked": (*i, *k), "numerator": (*i, *k[::-1]), "denominator": (*k, *i)}
        for name in NAMES:
            assert layout.convert(stacked, "stacked", name, x_ndim=len(x))[entry[name]] == stacked[at]


@pytest.mark.parametrize(("one", "two"), list(itertools.product(NAMES, NAMES)))
def test_axes_are_what_transpose_takes(one, two):
    j = np.arange(2.0 * 3 * 4 * 5).reshape(layout.shape((2, 3), (4, 5), one))
    np.testing.assert_array_equal(j.transpose(layout.axes(2, 2, one, two)), layout.convert(j, one, two, x_ndim=2))


def test_conversion_makes_no_copy():
    j = np.zeros((2, 3, 4))
    assert np.shares_memory(layout.convert(j, "stacked", "denominator", x_ndim=2), j)


def test_conversion_can_be_differentiated():
    a = np.arange(6.0).reshape(2, 3)
    f = lambda x: np.sum(layout.convert(x * a, "stacked", "denominator", x_ndim=1) * a.T)
    np.testing.assert_array_equal(dualad.grad(f)(np.ones((2, 3))), a * a)


# ---- the worked examples -------------------------------------------------------------------------------------------------------

X = np.array([0.3, -1.2, 0.7, 2.0])
A = np.arange(12.0).reshape(3, 4) - 4.0


def test_L05_rules_in_numerator_layout():
    jac = lambda f: layout.jacobian(f, layout="numerator")(X)
    np.testing.assert_array_equal(jac(lambda x: 3.0), np.zeros(4))
    np.testing.assert_array_equal(jac(np.sum), np.ones(4))
    np.testing.assert_allclose(jac(lambda x: x @ x), 2 * X, rtol=1e-15)
    np.testing.assert_array_equal(jac(lambda x: x), np.eye(4))
    np.testing.assert_array_equal(jac(lambda x: A @ x), A)
    np.testing.assert_array_equal(jac(lambda x: x @ A.T), A)
    assert layout.View((), (4,), "numerator").strips["numerator"] == "(1,).(1,4)=(1,4)"  # a gradient is a row


#: the printed table of the first lecture, numerator layout
NINE = [["(1,)", "(1, n)", "(k, n)"], ["(m, 1)", "(m, n)", "(m, k, n)"], ["(m, l)", "(m, l, n)", "(m, l, k, n)"]]


@pytest.mark.parametrize("x_ndim", [0, 1, 2])
@pytest.mark.parametrize("y_ndim", [0, 1, 2])
def test_L06_nine_cells(y_ndim, x_ndim):
    y, x = (4, 5)[:y_ndim], (3, 2)[:x_ndim]
    c, w = np.ones(y)[()], np.ones(x)[()]
    f = lambda x: c * np.sin(np.sum(w * x))
    view = layout.show(f, np.full(x, 0.5)[()], layout="numerator")
    assert view.cells() == NINE
    assert view.cell == (y_ndim, x_ndim)
    assert str(view).count("[(") == 1
    assert f"[{NINE[y_ndim][x_ndim]}]" in str(view)
    for name in NAMES:
        got = layout.jacobian(f, layout=name)(np.full(x, 0.5)[()])
        assert np.shape(got) == view.shapes[name] == layout.shape(y, x, name)
    sizes = dict(zip("mlnk", (4, 5, 3, 2), strict=True))
    written = tuple(sizes.get(letter, 1) for letter in NINE[y_ndim][x_ndim] if letter in "mlnk")
    assert written == view.shapes["numerator"]


def test_the_other_two_tables():
    assert layout.View((), ()).cells() == [["(1,)", "(1, n)", "(n, k)"], ["(m, 1)", "(m, n)", "(m, n, k)"],
                                           ["(m, l)", "(m, l, n)", "(m, l, n, k)"]]
    assert layout.View((), (), "denominator").cells() == [["(1,)", "(n, 1)", "(n, k)"], ["(1, m)", "(n, m)", "(n, k, m)"],
                                                          ["(m, l)", "(n, m, l)", "(n, k, m, l)"]]


def two_layers():
    a, b = np.cos(np.arange(12.0)).reshape(3, 4), np.sin(np.arange(6.0)).reshape(2, 3)
    return (lambda x: np.tanh(a @ x)), (lambda u: np.exp(b @ u))


def test_L07_chain_left_to_right():
    h, g = two_layers()
    whole = dualad.jacobian(lambda x: g(h(x)))(X)
    chain = layout.chain([h, g], X)
    assert chain.in_shapes("numerator") == "(2,3).(3,4)=(2,4)"
    np.testing.assert_allclose(chain.product(), whole, rtol=1e-13)
    scalar = layout.chain([h, lambda u: u @ u], X)
    assert scalar.in_shapes("numerator") == "(1,3).(3,4)=(1,4)"
    np.testing.assert_allclose(scalar.product(), 2 * h(X) @ dualad.jacobian(h)(X), rtol=1e-13)


def test_L12_gradients_as_columns():
    theta, a = X[::-1], np.outer(X, X) + np.diag([1.0, 2.0, 3.0, 4.0]) + np.triu(np.ones((4, 4)))
    jac = lambda f: layout.jacobian(f, layout="denominator")(X)
    np.testing.assert_array_equal(jac(lambda x: theta @ x), theta)
    np.testing.assert_allclose(jac(lambda x: x @ a @ x), (a + a.T) @ X, rtol=1e-13)
    assert layout.View((), (4,)).strips["denominator"] == "(4,1).(1,)=(4,1)"


def test_L13_numerator_w_denominator_w_transposed():
    f = lambda x: A @ x
    np.testing.assert_array_equal(layout.jacobian(f, layout="numerator")(X), A)
    np.testing.assert_array_equal(layout.jacobian(f, layout="denominator")(X), A.T)


def test_L14_chain_right_to_left():
    h, g = two_layers()
    chain = layout.chain([h, g], X)
    assert chain.in_shapes("denominator") == "(4,3).(3,2)=(4,2)"
    dy_dx, dz_dy = (layout.convert(j, "stacked", "denominator", x_ndim=1) for j in chain.jacobians)
    np.testing.assert_allclose(dy_dx @ dz_dy, chain.product("denominator"), rtol=1e-13)


def test_L27_only_one_order_fits():
    """The six options of the quiz: in denominator layout only (du/dx)(dy/du) has the shape (p, 1) of dy/dx."""
    k, p = 3, 4
    dy_du, du_dx = np.ones(layout._written((), (k,), "denominator")), np.ones(layout._written((k,), (p,), "denominator"))
    options = {"A": (dy_du, du_dx), "B": (dy_du.T, du_dx), "C": (dy_du, du_dx.T), "D": (dy_du.T, du_dx.T), "E": (dy_du, du_dx),
               "F": (du_dx, dy_du)}
    shape = {name: (one @ two).shape if one.shape[1] == two.shape[0] else None for name, (one, two) in options.items()}
    assert shape == {"A": None, "B": None, "C": None, "D": (1, p), "E": None, "F": (p, 1)}
    assert layout.View((k,), (p,)).strips["denominator"] == "(4,3).(3,1)=(4,1)"


def test_L38_four_axes():
    r = np.arange(12.0).reshape(4, 3) + 1.0
    f = lambda r: r.T @ r
    ours = dualad.jacobian(f)(r)
    assert layout.show(f, r).shapes == {"numerator": (3, 3, 3, 4), "stacked": (3, 3, 4, 3), "denominator": (4, 3, 3, 3)}
    assert ours.shape == (3, 3, 4, 3)
    for p, q, i, j in np.ndindex(ours.shape):
        want = (p == j) * r[i, q] + (q == j) * r[i, p]
        assert ours[p, q, i, j] == want
        assert layout.convert(ours, "stacked", "numerator", x_ndim=2)[p, q, j, i] == want
        assert layout.convert(ours, "stacked", "denominator", x_ndim=2)[i, j, p, q] == want
    assert np.count_nonzero(layout.convert(ours, "stacked", "denominator", x_ndim=2)) == 60


def test_E7_the_three_texts_disagree_and_convert():
    x, c = np.arange(6.0).reshape(3, 2), np.cos(np.arange(120.0)).reshape(4, 5, 3, 2)
    f = lambda x: np.tensordot(c, x, 2)
    for name, letters in (("numerator", "mlkn"), ("stacked", "mlnk"), ("denominator", "nkml")):
        np.testing.assert_allclose(layout.jacobian(f, layout=name)(x), np.einsum(f"mlnk->{letters}", c), rtol=1e-15)


# ---- what is printed -----------------------------------------------------------------------------------------------------------

def test_chains_of_matrices():
    """Contraction over all axes of the middle; the strip in the three layouts, the product against the whole Jacobian."""
    a = np.sin(np.arange(8.0)).reshape(2, 4)
    h, g = (lambda x: a @ x), (lambda u: np.sum(u**2, axis=0))
    x = np.cos(np.arange(12.0)).reshape(4, 3)
    chain = layout.chain([h, g], x)
    assert str(chain).splitlines() == ["numerator    (3,3,2).(2,3,3,4)=(3,3,4)", "stacked      (3,2,3).(2,3,4,3)=(3,4,3)",
                                       "denominator  (4,3,2,3).(2,3,3)=(4,3,3)"]
    for name in NAMES:
        np.testing.assert_allclose(chain.product(name), layout.jacobian(lambda x: g(h(x)), layout=name)(x), rtol=1e-13)


def test_more_than_two_axes_are_outside_of_the_table():
    view = layout.show(lambda x: x + 1.0, np.zeros((2, 3, 4)))
    assert view.cell is None
    assert "outside of the table" in str(view)
    assert "[" not in str(view)
    assert view.shapes["numerator"] == (2, 3, 4, 4, 3, 2)


@pytest.mark.parametrize(("y", "x"), [((), ()), ((2,), (3,)), ((2, 3), (3,)), ((), (3, 2))])
def test_html_has_the_same_cells(y, x):
    view = layout.View(y, x)
    page = view._repr_html_()
    assert page.count("font-weight:bold") == 1
    for text in [*itertools.chain(*view.cells()), *view.strips.values()]:
        assert f"{text}</td>" in page
    assert page.count("<tr>") == page.count("</tr>") == 4 + 4


def test_a_number_stays_a_number():
    assert type(layout.jacobian(np.sin)(2.0)) is float
    assert type(layout.convert(3.0, "stacked", "numerator")) is float


def test_L05_product_rule_and_transposed_rule():
    """<u, v> -> v^T du + u^T dv, x^T A -> A^T in numerator layout, x^T B -> B in denominator layout."""
    u, v = (lambda x: np.sin(x) * x[0]), (lambda x: np.exp(x[::-1]))
    numerator = lambda f: layout.jacobian(f, layout="numerator")(X)
    np.testing.assert_allclose(numerator(lambda x: u(x) @ v(x)), v(X) @ numerator(u) + u(X) @ numerator(v), rtol=1e-13)
    b = A.T
    np.testing.assert_array_equal(numerator(lambda x: x @ b), b.T)
    np.testing.assert_array_equal(layout.jacobian(lambda x: x @ b, layout="denominator")(X), b)


def test_argnums_choose_x():
    assert layout.show(lambda a, x: a @ x, A, X, argnums=1).shapes["stacked"] == (3, 4)
    assert layout.show(lambda a, x: a @ x, A, X).shapes["stacked"] == (3, 3, 4)


# ---- errors --------------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("call", "message"), [
    (lambda: layout.convert(A, "stacked", "numerators", x_ndim=1), "no layout .numerators.; there are numerator, stacked"),
    (lambda: layout.convert(A, "numpy", "numerator", x_ndim=1), "no layout 'numpy'"),
    (lambda: layout.convert(A, "stacked", "numerator"), "a Jacobian with 2 axes: say how many belong to x"),
    (lambda: layout.convert(A, "stacked", "numerator", x_ndim=3), "a Jacobian with 2 axes cannot have 0 of y and 3 of x"),
    (lambda: layout.convert(A, "stacked", "numerator", x_ndim=1, y_ndim=2), "cannot have 2 of y and 1 of x"),
    (lambda: layout.convert(A, "stacked", "numerator", x_ndim=-1), "x_ndim is -1: write a number of axes"),
    (lambda: layout.convert(A, "stacked", "numerator", x_shape=(3,)), r"has x of shape \(4,\), not \(3,\)"),
    (lambda: layout.convert(A, "stacked", "numerator", x_shape=4), r"a shape is a tuple, \(4,\) for a vector"),
    (lambda: layout.convert((A, A), "stacked", "numerator"), "one Jacobian, not a tuple of them"),
    (lambda: layout.show(A, X), "first argument is a ndarray"),
    (lambda: layout.show(np.sum), "needs the point"),
    (lambda: layout.show(np.sum, X, argnums=1), "argnums is 1, but there are 1 arguments"),
    (lambda: layout.show(lambda x: (x, x), X), "f returns a tuple"),
    (lambda: layout.show(lambda x: 1.0, "abc"), "x is a str"),
    (lambda: layout.jacobian(np.sum, argnums=(0, 1)), "one argument"),
    (lambda: layout.chain([], X), "functions as a list"),
    (lambda: layout.chain(np.sin, X), "functions as a list"),
    (lambda: layout.chain(None, X), "functions as a list"),
    (lambda: layout.chain([np.sin, 3], X), "functions as a list"),
    (lambda: layout.convert("abc", "stacked", "numerator"), "an array of numbers, not a str"),
    (lambda: layout.convert(A, "stacked", "numerator", x_ndim=True), "x_ndim is True"),
    (lambda: layout.jacobian(lambda x: A @ np.stack(x), layout="denominator")([1.0, 2.0, 3.0, 4.0]), "x is a list: .* np.stack"),
    (lambda: layout.jacobian(lambda p: p["a"])({"a": 1.0}), "x is a dict"),
])  # fmt: skip
def test_bad_input_is_one_clear_line(call, message):
    with pytest.raises((TypeError, ValueError), match=message) as error:
        call()
    assert "\n" not in str(error.value)

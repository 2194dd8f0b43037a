"""Checking a derivation by hand, sums over paths, elimination, kinks, and is it differentiable at all."""

import itertools
import math as pmath

import numpy as np
import pytest
from explained_examples import simple

import dualad
from dualad import diagnose, explain, math


def layer(w, x):
    a = w @ x
    z = np.tanh(a)
    loss = z @ z
    return loss


W, X = np.array([[0.5, -0.2], [0.3, 0.8]]), np.array([1.0, -1.5])


# ---- check ---------------------------------------------------------------------------------------------------------------------

def test_a_right_derivation_is_right_row_by_row():
    check = explain(simple, 1.0).check({
        "dJ/du": "-sin(u)", "dJ/du1": "dJ/du", "dJ/dt": "dJ/du1*cos(t) + dJ/du2*3", "dJ/dx": "-sin(u)*(cos(t) + 3)*2*x",
        "dt/dx": "2*x", "du/dx": lambda x: (np.cos(x**2) + 3) * 2 * x, "x": lambda u, t, x: -np.sin(u) * (np.cos(t) + 3) * 2 * x,
    })  # fmt: skip
    assert check
    assert check.points == 6
    assert all("right at 6 points" in row.message for row in check.rows)


MISTAKES = [
    ("dJ/du", "sin(u)", "sign"),
    ("dJ/dx", "sin(u)*(cos(t) + 3)*2*x", "sign"),
    ("dJ/dt", "-sin(u)*cos(t)", "missed path"),
    ("dJ/dt", "-sin(u)*3", "missed path"),
    ("dJ/dt", "-sin(u)*(cos(t) - 3)", "sign"),
    ("dJ/dt", "-sin(u)*(cos(t) + 6)", "double path"),
    ("dJ/dx", "-sin(u)*(cos(t) + 3)*x", "factor"),
    ("dJ/dx", "-sin(u)*(cos(t) + 3)*4*x", "factor"),
    ("dJ/dx", "-sin(u)*(cos(t) + 3)", "inner derivative"),
    ("dJ/dx", "-sin(u)*(cos(t)*2*x + 3)", "inner derivative"),
    ("dJ/dx", "(cos(t) + 3)*2*x", "inner derivative"),
    ("dJ/dx", "cos(u)", "unknown"),
    ("dJ/dx", "[1.0, 2.0]", "shape"),
]


@pytest.mark.parametrize(("row", "given", "mistake"), MISTAKES)
def test_mistakes_of_scalars(row, given, mistake):
    check = explain(simple, 1.0).check({row: given})
    assert not check
    assert check[row].mistake == mistake, check[row].message


ARRAY_MISTAKES = [
    ("dloss/dw", "outer(2*z*(1 - z**2), x)", ""),
    ("dloss/dw", "outer(x, 2*z*(1 - z**2))", "transpose"),
    ("dloss/dw", "-outer(2*z*(1 - z**2), x)", "sign"),
    ("dloss/dw", "outer(z*(1 - z**2), x)", "factor"),
    ("dloss/dx", "w.T @ (2*z*(1 - z**2))", ""),
    ("dloss/dx", "w @ (2*z*(1 - z**2))", "transpose"),
    ("dloss/dz", "2*z", ""),
    ("dloss/dz", "z", "factor"),
    ("da/dx", "w", ""),
    ("da/dx", "w.T", "transpose"),
    ("dloss/dw", "2*z*(1 - z**2)", "shape"),
]


@pytest.mark.parametrize(("row", "given", "mistake"), ARRAY_MISTAKES)
def test_mistakes_of_arrays(row, given, mistake):
    check = explain(layer, W, X).check({row: given})
    assert check[row].mistake == mistake, check[row].message
    assert bool(check) == (not mistake)


def test_a_dropped_term_within_a_row():
    """x sin x: the two ways differ in no value with a name, so a term was dropped, not a path missed."""

    def f(x):
        y = x * math.sin(x)
        return y

    assert explain(f, 1.0).check({"dy/dx": "sin(x)"})["dy/dx"].mistake == "dropped term"
    assert explain(f, 1.0).check({"dy/dx": "x*cos(x)"})["dy/dx"].mistake == "dropped term"
    assert explain(f, 1.0).check({"dy/dx": "sin(x) + x*cos(x)"})


def test_what_comes_back_through_one_of_two_readers():
    def f(x):
        u = np.sin(x)
        v = x * x
        return np.sum(u * v)

    e = explain(f, np.array([0.3, 0.7, 1.1]))
    assert e.check({"dy/dx": "cos(x)*v + 2*x*u"})
    assert e.check({"dy/dx": "cos(x)*v"})["dy/dx"].mistake == "missed path"
    assert e.check({"dy/dx": "cos(x)*v + x*u"})["dy/dx"].mistake == "missed path"  # x * x reads x twice
    assert e.check({"dy/dx": "2*x*u"})["dy/dx"].mistake == "missed path"


def test_numbers_are_compared_at_this_point_only():
    e = explain(simple, 1.0)
    assert e.check({"dJ/dx": 4.560791790678778})
    row = e.check({"dJ/dx": 2.280395895339389})["dJ/dx"]
    assert row.mistake == "factor"
    assert e.check({"dJ/dx": lambda x: 4.560791790678778})["dJ/dx"].message.count("right at x = 1, but not near it") == 1


def test_the_message_says_what_the_row_should_be():
    row = explain(simple, 1.0).check({"dJ/dt": "-sin(u)*cos(t)"})["dJ/dt"]
    assert row.should == "dJ/du1 * cos(t) + dJ/du2 * 3"
    assert "the path t -> u2 -> u -> J is missing" in row.message
    assert "it is 2.280396, not 0.348022, at x = 1" in row.message


@pytest.mark.parametrize(("rows", "error", "words"), [
    ({"dJ/dq": "1"}, KeyError, "no value called 'q'"),
    ({"dJ/dx": "q + 1"}, ValueError, "name 'q' is not defined; there are x, t"),
    ({"dJ/dx": "1 +"}, ValueError, "SyntaxError"),
    ({}, TypeError, "takes a dict"),
    ("dJ/dx", TypeError, "takes a dict"),
])  # fmt: skip
def test_bad_rows_are_one_line(rows, error, words):
    with pytest.raises(error) as caught:
        explain(simple, 1.0).check(rows)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


# ---- paths and elimination -----------------------------------------------------------------------------------------------------

def test_sum_over_paths_is_the_derivative():
    paths = explain(simple, 1.0).paths()
    assert [path.names for path in paths.listed] == [("x", "t", "u1", "u", "J"), ("x", "t", "u2", "u", "J")]
    assert sum(path.product for path in paths.listed) == pytest.approx(paths.total)
    assert paths.total == pytest.approx(4.560792, abs=5e-7)
    assert (paths.naive, paths.factored) == (7, 6)  # 2 paths of 4 factors and a sum; 5 products and a sum


def test_paths_grow_exponentially_and_the_factored_sum_does_not():
    """A chain of n diamonds has 2^n paths: counted, not listed."""

    def diamonds(x):
        for _ in range(50):
            x = math.sin(x) + math.cos(x)
        return x

    paths = explain(diamonds, 0.3).paths()
    assert paths.count == 2**50
    assert len(paths.listed) == 200
    assert paths.total == pytest.approx(dualad.derivative(diamonds)(0.3))
    assert paths.naive == 2**50 * 99 + 2**50 - 1  # 100 factors a path
    assert paths.factored == 4 * 50 - 2 + 50


def test_paths_between_any_two_values():
    e = explain(simple, 1.0)
    assert e.paths("t", "u").total == pytest.approx(pmath.cos(1.0) + 3.0)
    assert e.paths("u1", "u2").count == 0
    assert e.paths("J", "J").total == 1.0
    with pytest.raises(TypeError, match="is an array"):
        explain(layer, W, X).paths("x")


def test_every_order_of_elimination_gives_the_jacobian():
    def f(x1, x2):
        t = x1 * math.sin(x1 * x2)
        return math.cos(t), t / x2

    e = explain(f, 0.5, 2.0)
    between = [node.name for node in e.program.nodes if node.kind == "intermediate"]
    exact = dualad.jacobian(lambda z: np.stack(f(z[0], z[1])))(np.array([0.5, 2.0]))
    costs = set()
    for order in itertools.permutations(between):
        done = e.eliminate(order)
        np.testing.assert_allclose(done.jacobian, exact, rtol=1e-12)
        costs.add(done.multiplications)
    assert e.eliminate("best").multiplications == min(costs)
    assert e.eliminate("forward").multiplications == 8  # Naumann (2004)
    assert e.eliminate("reverse").multiplications == 10
    with pytest.raises(ValueError, match="each of"):
        e.eliminate(["t"])


# ---- kinks ---------------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("f", "at", "left", "used", "right"), [
    (np.abs, 0.0, -1.0, 0.0, 1.0),
    (lambda x: np.maximum(x, 0.0), 0.0, 0.0, 0.5, 1.0),
    (lambda x: np.minimum(x, 0.0), 0.0, 1.0, 0.5, 0.0),
    (np.cbrt, 0.0, np.inf, np.inf, np.inf),
    (np.sqrt, 0.0, np.nan, np.inf, np.inf),
    (lambda x: np.linalg.norm(np.stack([x, 0.0 * x])), 0.0, None, 0.0, None),
])  # fmt: skip
def test_kinks_are_found_with_their_one_sided_derivatives(f, at, left, used, right):
    (kink,) = explain(f, at).kinks
    assert kink.used == used
    assert kink.distance == 0.0
    if left is not None:
        assert kink.left == pytest.approx(left, nan_ok=True)
        assert kink.right == pytest.approx(right, nan_ok=True)
    else:
        assert kink.left == pytest.approx(-kink.right)


@pytest.mark.parametrize(("f", "at"), [(np.sign, 0.0), (np.floor, 2.0), (np.rint, 0.5), (np.trunc, 3.0)])
def test_jumps_are_kinks(f, at):
    (kink,) = explain(lambda x: f(x) * x, at).kinks
    assert kink.jumps
    assert kink.used == 0.0


def test_near_a_kink():
    """Within the tolerance, the distance is found; beyond it there is nothing."""
    (kink,) = explain(lambda x: np.abs(x - 1.0), 1.0 + 1e-9).kinks
    assert kink.distance == pytest.approx(1e-9, rel=1e-5)
    assert (kink.left, kink.used, kink.right) == (-1.0, 1.0, 1.0)
    assert not explain(lambda x: np.abs(x - 1.0), 1.0 + 1e-6).kinks
    assert explain(lambda x: np.abs(x - 1.0), 1.0 + 1e-6, tolerance=1e-5).kinks


def test_elements_at_a_kink_are_counted():
    (kink,) = explain(lambda v: np.sum(np.maximum(v, 0.0)), np.array([1.0, 0.0, -2.0, 0.0])).kinks
    assert kink.elements == 2
    report = explain(lambda v: np.sum(np.maximum(v, 0.0)), np.array([1.0, 0.0, -2.0, 0.0])).kink_report()
    assert report.column("used") == ("0.5",)
    assert "a tie is split evenly" in report.column("convention")[0]


@pytest.mark.parametrize("f", [
    lambda x: np.exp(np.sin(x) * x**3) / (1 + x * x), lambda x: np.sqrt(x) + np.log(x), lambda x: np.abs(x), lambda x: x**2.5,
    lambda x: np.tanh(30 * x) + np.arctan(x), lambda x: np.hypot(x, 1e-3), lambda x: np.maximum(x, 0.0) * np.floor(x)])  # fmt: skip
@pytest.mark.parametrize("at", [0.5001, 3.7, 1200.25])
def test_smooth_points_are_no_kinks(f, at):
    assert not explain(f, at).kinks


# ---- diagnose ------------------------------------------------------------------------------------------------------------------

def test_partials_without_differentiability():
    """y^3/(x^2 + y^2) at 0: D_v f = b^3/(a^2 + b^2), not grad . v = b; at v = (1, 1) that is 1/2 against 1."""
    d = diagnose(lambda x, y: y**3 / (x**2 + y**2) if (x, y) != (0.0, 0.0) else 0.0, 0.0, 0.0)
    assert (d.continuous, d.one_sided, d.linear, bool(d)) == (True, True, False, False)
    assert d.partials == (pytest.approx(0.0), pytest.approx(1.0))
    for direction in d.directions:
        a, b = direction.v
        assert direction.right == pytest.approx(b**3 / (a**2 + b**2), abs=1e-6)
        assert direction.linear == pytest.approx(b, abs=1e-6)


def test_gateaux_is_not_frechet():
    """x^3 y/(x^4 + y^2): every directional derivative is 0, but along y = x^2 the remainder is half the step."""
    d = diagnose(lambda x, y: x**3 * y / (x**4 + y**2) if (x, y) != (0.0, 0.0) else 0.0, 0.0, 0.0)
    assert (d.one_sided, d.linear, d.frechet) == (True, True, False)
    assert "0.5 of the step" in d.words


@pytest.mark.parametrize(("f", "point", "one_sided", "words"), [
    (abs, (0.0,), False, "1 from the right, -1 from the left"),
    (lambda x: x * np.sin(1 / x) if x else 0.0, (0.0,), False, "no limit"),
    (np.cbrt, (0.0,), None, "not differentiable"),
    (np.sqrt, (0.0,), False, "no finite value near the point in the direction (-1)"),
    (lambda x, y: x * y / (x * x + y * y) if (x, y) != (0.0, 0.0) else 0.0, (0.0, 0.0), None, "not continuous"),
    (np.sign, (0.0,), None, "not continuous"),
    (lambda x: np.sin(x) / x, (0.0,), None, "no finite value there"),
    (np.linalg.norm, (np.zeros(3),), False, "1 from the right, -1 from the left"),
])  # fmt: skip
def test_not_differentiable(f, point, one_sided, words):
    d = diagnose(f, *point)
    assert not d
    assert words in d.words
    if one_sided is not None:
        assert d.one_sided is one_sided


@pytest.mark.parametrize(("f", "point"), [
    (lambda v: np.sum(np.sin(v) * v), (np.array([1.0, 2.0, 3.0]),)),
    (lambda x: np.exp(5 * x), (3.0,)),
    (lambda x: x * x if x > 0 else 0.0 * x, (0.0,)),
    (lambda x, y: np.sin(50 * x * y), (1.0, 2.0)),
    (lambda x, y: (x - 1e3) * y, (1e3, 2.0)),
    (lambda x, y: x**2 * y / (x**2 + y**2) * np.hypot(x, y) if (x, y) != (0.0, 0.0) else 0.0 * x, (0.0, 0.0)),
])  # fmt: skip
def test_differentiable(f, point):
    d = diagnose(f, *point)
    assert d, d
    assert str(d).startswith("differentiable as far as can be seen")


def test_jvp_that_is_not_the_limit_is_told():
    """A branch at the very point: the rules see a constant, the limits see the slope."""
    d = diagnose(lambda x: 2.0 * x if x != 0.0 else 0.0, 0.0)
    assert d
    assert d.automatic == (0.0,)
    assert "jvp returns (0) where the limits are (2)" in d.words


@pytest.mark.parametrize(("call", "error", "words"), [
    (lambda: diagnose(3.0, 1.0), TypeError, "takes a function"),
    (lambda: diagnose(abs), TypeError, "give the point"),
    (lambda: diagnose(abs, "a"), TypeError, "str"),
    (lambda: diagnose(abs, float("nan")), ValueError, "nan"),
    (lambda: diagnose(np.sin, np.ones(2)), TypeError, "must return one"),
])  # fmt: skip
def test_diagnose_refuses_in_one_line(call, error, words):
    with pytest.raises(error, match=words) as caught:
        call()
    assert "\n" not in str(caught.value)


# ---- arrays: shapes that do not fit, constants of the caller ---------------------------------------------------------------

TARGET = np.array([1.0, 0.0])


def dense(W, x, b):
    a = W @ x
    h = np.tanh(a + b)
    r = h - TARGET
    J = np.sum(r**2) + 0.5 * np.sum(W**2)
    return J


@pytest.fixture
def of_dense():
    return explain(dense, np.array([[1.0, 2.0, -1.0], [0.5, 3.0, 2.0]]), np.array([1.0, -1.0, 2.0]), np.array([0.1, 0.2]))


@pytest.mark.parametrize(
    ("row", "given", "right"),
    [
        ("dJ/dx", "W @ dJ/da", "W.T @ dJ/da is right"),
        ("dJ/dx", "dJ/da @ W.T", "dJ/da @ W is right"),
        ("dJ/dW", "outer(x, dJ/da) + W", "outer(dJ/da, x) + W is right"),
        ("dJ/dW", "outer(dJ/da, x) + W.T", "outer(dJ/da, x) + W is right"),
    ],
)
def test_a_forgotten_transpose_whose_shapes_do_not_fit(of_dense, row, given, right):
    """W @ dJ/da with W (2, 3) was an error of NumPy's for the whole derivation, not a row that is wrong."""
    found = of_dense.check({"dJ/dr": "2*r", row: given})
    assert found["dJ/dr"].right
    assert found[row].mistake == "transpose"
    assert right in found[row].message


def test_shapes_that_fit_in_no_way(of_dense):
    found = of_dense.check({"dJ/dx": "x @ dJ/da"})["dJ/dx"]
    assert found.mistake == "shape"
    assert found.message.endswith("it should be W.T @ dJ/da")


def test_constants_of_the_caller_may_stand_in_a_row(of_dense):
    """The table shows TARGET, and check did not know it."""
    assert of_dense.check({"dJ/dr": "2*(h - TARGET)", "dJ/dW": "outer(dJ/da, x) + W"})
    assert of_dense.check({"dJ/dr": "h - TARGET"})["dJ/dr"].mistake == "factor"


def test_what_should_be_is_said_over_the_names_of_the_source(of_dense):
    """It was said by a value without a name, dJ/dv1 * 2*r."""
    assert of_dense.check({"dJ/dr": "r"})["dJ/dr"].should == "2*r"
    assert of_dense.check({"dJ/dW": "W"})["dJ/dW"].should == "outer(dJ/da, x) + W"


def test_an_infinite_slope_on_one_side_does_not_agree_with_the_other():
    """inf and 0 agreed for a step, since both differ by less than a share of infinity; zeros were printed as -0."""
    d = diagnose(lambda x: 1.0 if x > 0 else 0.0, 0.0)
    assert not d.one_sided
    assert "-0," not in str(d)
    assert "-0 " not in diagnose(lambda v: np.max(v), np.array([1.0, 1.0])).words
    assert diagnose(np.cbrt, 0.0).directions[0].right == np.inf


def test_a_factor_2_that_is_missing_on_one_path():
    def f(x):
        a = x**2
        b = np.sin(x)
        c = a * b
        J = c + a
        return J

    row = explain(f, 1.3).check({"dJ/dx": "b*x + a*cos(x) + 2*x"})["dJ/dx"]
    assert row.mistake == "factor"
    assert "x -> a -> c -> J" in row.message

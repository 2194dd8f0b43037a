"""The kink report of an explanation: reductions, sorts, norms, branches; one-sided derivatives, and what nothing is said of."""

import numpy as np
import pytest
from kinked_programs import programs

import dualad
from dualad import explain

#: name -> (function, point, one-sided derivatives and the one used along the element that is reported, elements concerned)
WHOLE = {
    "max": (np.max, [2.0, 2.0, 1.0], (0.0, 0.5, 1.0), 2),
    "max of three": (np.max, [2.0, 2.0, 2.0], (0.0, 1 / 3, 1.0), 3),
    "nearly a tie": (np.max, [2.0, 2.0 + 1e-12, 1.0], (0.0, 0.0, 1.0), 2),
    "amin": (np.amin, [1.0, 1.0], (1.0, 0.5, 0.0), 2),
    "nanmax": (lambda x: np.nanmax(x * 1.0), [2.0, 2.0], (0.0, 0.5, 1.0), 2),
    "max of rows": (lambda x: np.max(np.reshape(x, (2, 2)), axis=1) @ np.ones(2), [3.0, 3.0, 1.0, 2.0], (0.0, 0.5, 1.0), 2),
    "maximum.reduce": (np.maximum.reduce, [1.0, 1.0], (0.0, 0.5, 1.0), 2),
    "median": (np.median, [1.0, 2.0, 2.0], (1.0, 1.0, 0.0), 2),
    "quantile": (lambda x: np.quantile(x, 0.5), [1.0, 2.0, 2.0], (1.0, 1.0, 0.0), 2),
    "sort": (lambda x: np.sort(x) @ np.arange(3.0), [1.0, 2.0, 2.0], (1.0, 1.0, 0.0), 2),
    "norm": (np.linalg.norm, [0.0, 0.0], (-1.0, 0.0, 1.0), 2),
    "norm of order 1": (lambda x: np.linalg.norm(x, 1), [3.0, 0.0], (-1.0, 0.0, 1.0), 1),
    "norm of order inf": (lambda x: np.linalg.norm(x, np.inf), [2.0, 2.0], (0.0, 0.5, 1.0), 2),
    "std": (np.std, [1.0, 1.0], (-0.5, 0.0, 0.5), 2),
    "interp": (lambda x: np.interp(x, [0.0, 1.0, 2.0], [0.0, 1.0, 5.0]) @ np.ones(1), [1.0], (1.0, 4.0, 4.0), 1),
    "clip": (lambda x: np.sum(np.clip(x, 0.0, 1.0)), [0.0, 0.5], (0.0, 0.5, 1.0), 1),
}


@pytest.mark.parametrize("name", WHOLE)
def test_functions_of_whole_arrays(name):
    """A sort used to pass unseen, and a tie that was not exact."""
    f, x, (left, used, right), elements = WHOLE[name]
    (kink,) = explain(f, np.array(x)).kinks
    assert (kink.left, kink.used, kink.right) == pytest.approx((left, used, right), abs=1e-7)
    assert kink.elements == elements
    assert kink.distance <= 1e-8
    assert kink.convention.endswith(f": {used:.6g}")
    assert not explain(f, np.array(x) + np.linspace(0.2, 0.4, len(x))).kinks


def test_no_kink_of_a_median_between_two():
    """Of four elements the two in the middle weigh the same: their tie is smooth."""
    assert not explain(np.median, np.array([1.0, 2.0, 2.0, 3.0])).kinks


def test_jumps_of_rounding():
    (kink,) = explain(lambda x: np.round(x, 1) * x, 0.25).kinks
    assert kink.jumps
    assert (kink.left, kink.used, kink.right) == (0.0, 0.0, 0.0)


def test_what_the_result_does_not_depend_on_is_no_kink():
    def f(x):
        np.sort(x), np.max(x)
        return np.sum(x)

    assert not explain(f, np.array([1.0, 1.0])).kinks


def test_the_sort_of_a_sorted_array_has_no_row_and_a_kink():
    (kink,) = explain(lambda x: np.sum(np.sort(x) * np.arange(2.0)), np.array([1.0, 1.0])).kinks
    assert (kink.formula, kink.left, kink.right) == ("sort(x)", 1.0, 0.0)


def test_an_element_of_a_sort_that_moves_nothing():
    """It used to raise KeyError: the row of the sort is left out, and the element was looked for in it."""
    e = explain(lambda x: np.sort(x)[1] * 2.0, np.array([1.0, 1.0, 3.0]))
    assert e.gradient()["x"].tolist() == [0.0, 2.0, 0.0]
    assert e.names[1] == "x[1]"
    assert [kink.formula for kink in e.kinks] == ["sort(x)"]


def relu(x):
    if x > 0.0:
        return x
    return 0.0 * x


def parabola(x):
    return x * x if x >= 0.0 else -x * x


def step(x):
    return 1.0 + x if x >= 0.0 else x


def wrong(x):
    if x == 1.0:
        return 1.0 + 0.0 * x
    return x * x


def guarded(x):
    if x == 0.0:
        return 1.0 + 0.0 * x
    return np.sin(x) / x


SAME, OTHER = "both sides have the same", "both sides have another"
CHANGES, JUMPS = "of the whole function changes", "the value jumps"
#: name -> (function, point, left, used, right, what is said)
BRANCHES = {
    "if": (relu, 0.0, 0.0, 0.0, 1.0, CHANGES),
    "if, from the other side": (lambda x: relu(-x), 0.0, -1.0, 0.0, 0.0, CHANGES),
    "if that joins": (parabola, 0.0, 0.0, 0.0, 0.0, SAME),
    "jump": (step, 0.0, 1.0, 1.0, 1.0, JUMPS),
    "guard": (guarded, 0.0, 0.0, 0.0, 0.0, SAME),
    "wrong guard": (wrong, 1.0, 2.0, 0.0, 2.0, OTHER),
    "max": (lambda x: max(x, 0.0) * 2.0, 0.0, 0.0, 2.0, 2.0, CHANGES),
    "min of two": (lambda x: min(3.0 * x, 2.0 * x), 0.0, 3.0, 3.0, 2.0, CHANGES),
    "sorted": (lambda x: sorted([x, 1.0 * x * x])[0], 1.0, 2.0, 1.0, 1.0, CHANGES),
    "not to first order": (lambda x: x * x if x * x >= 0.0 else -x, 0.0, 0.0, 0.0, 0.0, SAME),
    "both ways": (lambda x: (x if x < 0.0 else 2.0 * x) if not x > 0.0 else 2.0 * x, 0.0, 1.0, 2.0, 2.0, CHANGES),
}


@pytest.mark.parametrize("name", BRANCHES)
def test_branches_decided_between_equal_numbers(name):
    """They used to leave no trace: the derivative was that of the branch taken, and nobody was told."""
    f, x, left, used, right, words = BRANCHES[name]
    e = explain(f, x)
    kinks = [kink for kink in e.kinks if kink.along]
    assert kinks
    for kink in kinks:
        assert (kink.left, kink.used, kink.right) == pytest.approx((left, used, right), abs=1e-9)
        assert words in kink.convention
        assert kink.jumps == (words == JUMPS)
        assert (kink.node, kink.distance, kink.along) == (-1, 0.0, "x")
        assert kink.line > 0
    assert dualad.grad(f)(x) == used
    if words in (CHANGES, SAME):
        assert dualad.one_sided(f, x) == pytest.approx((left, right), abs=1e-9)
    assert not explain(f, x + 0.3).kinks


def test_the_line_and_the_comparison_are_named():
    (kink,) = explain(relu, 0.0).kinks
    assert (kink.name, kink.source) == ("x > 0", "if x > 0.0:")
    assert kink.line == relu.__code__.co_firstlineno + 1
    table = explain(relu, 0.0).kink_report()
    assert table.column("operation") == ("x > 0",)
    assert table.column("along") == ("x",)
    assert f"line {kink.line}: x > 0 compares equal numbers: along x the derivative is 0 from the left, 1 from the right" in str(
        explain(relu, 0.0))


def test_masks_and_several_inputs():
    def f(x, w):
        h = w @ x
        return np.sum(np.where(h > 0.0, h, 0.1 * h)) * x[0]

    (kink,) = explain(f, np.array([2.0, 1.0]), np.array([[1.0, -2.0], [2.0, -1.0]])).kinks
    assert (kink.formula, kink.elements, kink.along) == ("h > 0", 1, "x[1]")
    at = lambda t: f(np.array([2.0, 1.0 + t]), np.array([[1.0, -2.0], [2.0, -1.0]]))
    for side, t in ((kink.left, -1e-7), (kink.right, 1e-7)):
        assert side == pytest.approx((at(t) - at(0.0)) / t, rel=1e-5)


def test_all_kinks_of_the_point_are_on_one_side():
    """The derivatives are those of the whole function: abs and the maximum of an array used to keep their conventions."""
    f = lambda x: abs(x) + max(x, 0.0) + np.max(np.stack([x, -x]))
    e = explain(f, 0.0)
    (kink,) = [kink for kink in e.kinks if kink.along]
    assert (kink.left, kink.used, kink.right) == (-2.0, 1.0, 3.0)
    assert dualad.one_sided(f, 0.0) == (-2.0, 3.0)
    assert len(e.kinks) == 3


def test_random_compositions():
    """150 programs: a one-sided derivative that changes is a kink, and that of a branch is the whole function's."""
    rng = np.random.default_rng(3)
    branches = 0
    for f, x in programs(rng, 150):
        kinks = explain(f, x).kinks
        sides = [dualad.one_sided(f, x, v) for v in np.eye(3)]
        assert kinks or all(left == pytest.approx(right, abs=1e-9) for left, right in sides)
        for kink in kinks:
            if kink.along and kink.distance == 0.0 and not kink.jumps:
                branches += 1
                assert (kink.left, kink.right) == pytest.approx(sides[int(kink.along[2])], abs=1e-9)
    assert branches > 40


def test_not_to_first_order_in_several_inputs():
    def f(x, p):
        return x * x if x * x + p["y"] @ p["y"] >= 0.0 else x

    (kink,) = explain(f, 0.0, {"y": np.zeros(2)}).kinks
    assert (kink.left, kink.used, kink.right, kink.along) == (0.0, 0.0, 0.0, "x")


@pytest.mark.parametrize("tolerance", [-1.0, float("nan"), float("inf"), "a", None, True])
def test_bad_tolerances(tolerance):
    with pytest.raises(ValueError, match=r"explain: tolerance is .*; give a number of at least 0, such as 1e-8"):
        explain(np.abs, 0.0, tolerance=tolerance)


def test_no_tolerance():
    """0 used to find nothing."""
    f = lambda x: np.abs(x) + np.max(np.stack([x, -x])) + max(x, 0.0)
    assert len(explain(f, 0.0, tolerance=0.0).kinks) == 3
    assert not explain(f, 1e-10, tolerance=0.0).kinks


def test_one_branch_in_two_comparisons():
    """x < 0 and x >= 0 are one choice: both are sent the same way."""
    f = lambda x: np.sum(np.piecewise(x, [x < 0.0, x >= 0.0], [lambda t: -t, lambda t: t]))
    (kink,) = explain(f, np.array([0.0, 1.0])).kinks
    assert (kink.left, kink.used, kink.right) == (-1.0, 1.0, 1.0)


def test_functions_that_return_places():
    (kink,) = explain(lambda x: x[np.argmax(x)], np.array([1.0, 1.0])).kinks
    assert (kink.left, kink.right) == (0.0, 1.0)
    (kink,) = explain(lambda x: x * np.searchsorted([0.0, 1.0, 2.0], x), 1.0).kinks
    assert kink.jumps


@pytest.mark.parametrize(("f", "x", "text"), [
    (lambda x: x if abs(x) < 1.0 else 2.0 * x - 1.0, 1.0, "absolute(x) < 1"),
    (lambda x: max(x) * 2.0, np.array([1.0, 1.0, 0.0]), "x[1] > x[0]"),
    (lambda x: x[np.argmin(np.abs(x - 1.0))], np.array([0.0, 2.0]), "argmin(absolute(x - 1))"),
    (lambda x: np.sum(x) * np.count_nonzero(x), np.array([0.0, 1.0]), "count_nonzero(x)"),
])  # fmt: skip
def test_values_without_a_row_are_called_by_their_formula(f, x, text):
    """Nothing that is returned depends on what was compared."""
    (kink,) = explain(f, x).kinks
    assert kink.formula == text


def test_of_several_results_those_count_that_are_used():
    """Repeated eigenvalues: the vectors have infinite derivatives, the eigenvalues one-sided ones."""
    (kink,) = explain(lambda a: np.linalg.eigh(a)[0][0], np.eye(2)).kinks
    assert np.isfinite([kink.left, kink.used, kink.right]).all()
    assert kink.left != kink.right


def test_the_stop_of_an_iteration_is_no_kink():
    """It is decided between numbers that are near to each other, and nothing changes there."""

    def root(a):
        x = a
        while abs(x * x - a) > 1e-12:
            x = 0.5 * (x + a / x)
        return x

    assert not explain(root, 2.0).kinks


def test_a_branch_near_the_point():
    (kink,) = explain(relu, -1e-10).kinks
    assert kink.distance == pytest.approx(1e-10)
    assert (kink.left, kink.used, kink.right) == (0.0, 0.0, 1.0)
    assert not explain(relu, -1e-6).kinks
    assert explain(relu, -1e-6, tolerance=1e-5).kinks


def test_the_other_branch_may_raise():
    def f(x):
        if x < 1.0:
            raise ValueError("too small")
        return np.sqrt(x - 0.5)

    (kink,) = explain(f, 1.0).kinks
    assert np.isnan(kink.left)
    assert kink.right == kink.used == pytest.approx(0.5 / np.sqrt(0.5))
    assert "on one side there is no value" in kink.convention


def test_is_it_nan_is_no_branch():
    assert not explain(lambda x: x if x == x else 0.0 * x, 1.0).kinks


@pytest.mark.parametrize(("choice", "f", "used"), [({"abs": 0.5}, np.abs, 0.5), ({"relu": 0.0}, lambda x: np.maximum(x, 0.0), 0.0)])
def test_a_chosen_subgradient_is_explained_as_chosen(choice, f, used):
    """The program used to show the arithmetic by which the choice was made, and no kink."""
    with dualad.kinks(**choice):
        e = explain(f, 0.0)
    (kink,) = e.kinks
    assert (kink.used, kink.right) == (used, 1.0)
    assert kink.convention.startswith("chosen")
    assert [node.operation for node in e.program.nodes[1:]] == [kink.operation]
    assert e.gradient() == {"x": used}


def test_folding_keeps_the_kinks():
    def f(x):
        a = np.abs(x) + np.sin(x)
        b = a * a if x >= 0.0 else a
        return b

    e = explain(f, 0.0)
    assert [kink.formula for kink in e.fold("name").kinks] == [kink.formula for kink in e.kinks]
    assert len(e.kinks) == 2
    assert "absolute(x) is at a kink" in str(e.fold("name"))
    assert e.fold("name").kink_report().column("operation") == e.kink_report().column("operation")


def test_renaming_reaches_the_kinks():
    def f(x):
        y = np.abs(x)
        z = 2.0 * y if x >= 0.0 else -y
        return z

    e = explain(f, 0.0).rename({"x": "t", "y": "u", "z": "J"})
    assert [kink.formula for kink in e.kinks] == ["u = absolute(t)", "t >= 0"]
    assert [(kink.node, kink.along) for kink in e.kinks] == [(1, ""), (-1, "t")]


def test_kinks_are_plain_data():
    e = explain(relu, 0.0)
    (kink,) = e.program.to_json()["kinks"]
    assert (kink["formula"], kink["along"], kink["left"], kink["right"]) == ("x > 0", "x", 0.0, 1.0)


def test_f_runs_twice_more_for_a_branch():
    runs = []

    def f(x):
        runs.append(x)
        return relu(x)

    explain(f, 1.0)
    assert len(runs) == 1
    explain(f, 0.0)
    assert len(runs) == 4

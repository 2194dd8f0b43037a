"""The cost model: its tables follow from the elementary statements, every operation and family stays inside its bounds.

Counts are exact and the same on every machine; no test asserts a second.
"""

import numpy as np
import pytest

import dualad
from dualad import _core, compare, cost, problems

# ---- golden counts ---------------------------------------------------------------------------------------------------


def baydin(x1, x2):
    return np.log(x1) + x1 * x2 - np.sin(x2)


def cos_of_sum(x):
    t = x * x
    return np.cos(np.sin(t) + 3.0 * t)


def quiz1(x, z):
    xz, log = x * z, np.log(x)
    return np.exp(xz) + xz / log + np.sin(log) / xz


def sqrt_plus_cos(x):
    a = x * x
    c = a + np.exp(a)
    return np.sqrt(c) + np.cos(c)


@pytest.mark.parametrize(
    ("f", "point", "operations", "prices"),
    [
        # log, sin | product | +, -
        (baydin, (2.0, 5.0), compare.Operations(add=2, mult=1, nonlinear=2), (20, 44, 66)),
        # sin, cos | x x, 3 t | +
        (cos_of_sum, (1.0,), compare.Operations(add=1, mult=2, nonlinear=2), (20, 46, 70)),
        # exp, log, sin and two reciprocals | x z and two products with them | +, +
        (quiz1, (2.0, 3.0), compare.Operations(add=2, mult=3, nonlinear=5), (40, 91, 137)),
        # exp, sqrt, cos | x x | +, +
        (sqrt_plus_cos, (1.0,), compare.Operations(add=2, mult=1, nonlinear=3), (24, 53, 79)),
    ],
)
def test_golden_counts(f, point, operations, prices):
    """The lecture functions, counted by hand with the convention of dualad.cost."""
    ops = compare.count(f, *point)
    assert ops == operations
    assert (ops.value(), ops.tangent(), ops.gradient()) == prices


def test_golden_function_of_the_problem_list():
    f = problems.get("baydin").f
    ops = compare.count(f, 2.0, 5.0)
    assert (ops.value(), ops.tangent(), ops.gradient()) == (20, 44, 66)


@pytest.mark.parametrize("cls", cost.CLASSES[1:])
def test_every_operation_lies_in_the_published_bounds(cls):
    """Griewank & Walther: tangent in [2, 5/2], gradient in [3, 4] at the weights 1, 1, 1, 2."""
    ops = compare.Operations(**{cls: 7})
    assert 2 <= ops.tangent() / ops.value() <= 2.5
    assert 3 <= ops.gradient() / ops.value() <= 4
    assert 1.8 <= ops.break_even() <= 2.0
    assert 1.44 <= ops.break_even(separate=True) <= 1.6


def test_bounds_are_attained_and_the_folklore_five_needs_free_moves():
    add, mult, nonlinear = (compare.Operations(**{cls: 1}) for cls in cost.CLASSES[1:])
    assert [o.tangent() / o.value() for o in (add, mult, nonlinear)] == [2.0, 2.5, 2.25]
    assert [o.gradient() / o.value() for o in (add, mult, nonlinear)] == [3.0, 4.0, 3.25]
    flops = compare.Weights(moves=0)
    assert max(o.gradient(flops) / o.value(flops) for o in (add, mult, nonlinear)) == 5.0


def test_every_row_of_the_op_table_has_a_price_and_divisions_are_complete():
    """Drift test: a new row of the table must fall into a class, a new row that divides must be declared."""
    rows = {row["name"]: row for row in _core.rows()}
    for name in rows:
        assert compare.Operations.from_histogram({name: 1}).value() > 0
    divides = {name for name, row in rows.items() if row["cls"] == "MUL" and "/" in row["value"]}
    assert divides == set(cost.DIVISIONS)


@pytest.mark.parametrize(
    ("f", "x", "operations"),
    [
        (lambda x: np.sum(x), np.ones(5), compare.Operations(add=4)),
        (lambda x: np.ones((3, 4)) @ x, np.ones(4), compare.Operations(mult=12, add=9)),
        (lambda x: x @ x, np.ones(4), compare.Operations(mult=4, add=3)),
        (lambda x: np.square(x) / 2.0, np.ones(6), compare.Operations(mult=12, nonlinear=6)),
        (lambda x: np.maximum(x, 0.0), np.ones(3), compare.Operations(add=3)),
        (lambda x: x[1] * x[2], np.ones(3), compare.Operations(mult=1)),  # picking is a view, no operation
        (lambda x: x.T[::-1], np.ones(3), compare.Operations()),
        (lambda x: 3.0 + 0.0 * len(x), np.ones(3), compare.Operations()),
    ],
)
def test_counts_of_array_operations(f, x, operations):
    assert compare.count(f, x) == operations


def test_calls_have_no_price_and_are_reported():
    f = lambda x: np.linalg.det(np.reshape(x, (2, 2))) + np.sum(x)
    x = np.array([2.0, 0.5, 0.25, 1.0])
    assert compare.count(f, x).calls == 1
    assert "calls of primitives" in str(compare.mine(f, x, count_only=True))


def test_count_refuses_a_tape_it_cannot_count():
    with pytest.raises(TypeError, match="outside of grad"):
        dualad.grad(lambda x: float(compare.count(lambda t: t * x, 2.0).value()) * x)(1.0)

"""Laws of differentiation on random programs: what must hold whatever the program computes.

The programs keep every value and slope of order one (see random_programs), so rounding stays within some thousand ulp even
after ten instructions of ten operations each: 1e-11 of the size of the terms.
"""

from __future__ import annotations

import math
import operator

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, reject, settings
from hypothesis import strategies as st
from random_programs import ARRAY, EITHER, NAMES, SCALAR, Program, points, programs

import dualad

ROUNDING = 1e-11
law = settings(max_examples=200, deadline=None, derandomize=True, database=None, print_blob=False,
               suppress_health_check=list(HealthCheck))


def inner(a, b):
    """Inner product of two points (s, x), and the size of its terms."""
    terms = np.concatenate([np.ravel(np.multiply(u, v)) for u, v in zip(a, b, strict=True)])
    return terms.sum(), np.abs(terms).sum()


def close(a, b, size=0.0):
    np.testing.assert_allclose(a, b, rtol=ROUNDING, atol=ROUNDING * (1.0 + size))


@given(programs, points())
@law
def test_tracing_changes_no_bit(program, at):
    """The primal of every transformation is the plain function's result."""
    point, direction = at
    wanted = program.scalar(*point)
    for got in (dualad.jvp(program.scalar, point, direction)[0], dualad.vjp(program.scalar, *point)[0],
                dualad.value_and_grad(program.scalar, argnums=(0, 1))(*point)[0]):
        assert float(got) == float(wanted)
    np.testing.assert_array_equal(dualad.vjp(program.vector, *point)[0], program.vector(*point), strict=True)
    np.testing.assert_array_equal(dualad.jvp(program.vector, point, direction)[0], program.vector(*point), strict=True)


@given(programs, points())
@law
def test_forward_is_reverse(program, at):
    """A tangent is the inner product of the gradient and the direction."""
    point, direction = at
    tangent = dualad.jvp(program.scalar, point, direction)[1]
    close(tangent, *inner(dualad.grad(program.scalar, argnums=(0, 1))(*point), direction))


@given(programs, points())
@law
def test_dot_product(program, at):
    """<w, J v> = <J^T w, v>; a pullback can be used again, and is linear."""
    point, direction = at
    out, pullback = dualad.vjp(program.vector, *point)
    w = np.cos(np.arange(len(out)))
    pushed = dualad.jvp(program.vector, point, direction)[1]
    pulled = pullback(w)
    left, size = inner((w,), (pushed,))
    right, other = inner(pulled, direction)
    close(left, right, size + other)
    for one, two in zip(pulled, pullback(2.0 * w), strict=True):
        close(2.0 * one, two, size)


@given(programs, points())
@law
def test_compiled_path_is_the_generic_path(program, at):
    """Under one more level, whose tangents are zero, the same program runs through the rule strings: same derivatives."""
    point, direction = at
    zero = (0.0, np.zeros_like(point[1]))
    gradient = dualad.grad(program.scalar, argnums=(0, 1))
    for fast, generic in zip(gradient(*point), dualad.jvp(gradient, point, zero)[0], strict=True):
        close(fast, generic)

    def tangent(*p):
        return dualad.jvp(program.scalar, p, direction)[1]

    close(tangent(*point), dualad.jvp(tangent, point, zero)[0])
    close(tangent(*point), dualad.vjp(tangent, *point)[0])


@given(programs, points())
@law
def test_linearize_is_jvp(program, at):
    """The recorded linear map gives the tangents of jvp, for any direction."""
    point, direction = at
    out, push = dualad.linearize(program.vector, *point)
    np.testing.assert_array_equal(out, program.vector(*point))
    for t in (direction, (2.0, -direction[1])):
        close(push(*t), dualad.jvp(program.vector, point, t)[1])


@given(programs, points())
@law
def test_jacobians_agree(program, at):
    """Columns by chunks of tangents, rows by chunks of cotangents; each column a jvp."""
    point, direction = at
    forward = dualad.jacfwd(program.vector, argnums=(0, 1))(*point)
    reverse = dualad.jacrev(program.vector, argnums=(0, 1))(*point)
    for f, r in zip(forward, reverse, strict=True):
        close(f, r)
    close(forward[0] * direction[0] + forward[1] @ direction[1], dualad.jvp(program.vector, point, direction)[1])


@given(programs, points())
@law
def test_second_derivatives_commute(program, at):
    """Forward over reverse is reverse over forward, and <u, H v> = <v, H u>."""
    point, v = at
    u = (np.cos(v[0]), np.sin(3.0 * v[1]))
    gradient = dualad.grad(program.scalar, argnums=(0, 1))
    hv = dualad.jvp(gradient, point, v)[1]
    turned = dualad.grad(lambda s, x: dualad.jvp(program.scalar, (s, x), v)[1], argnums=(0, 1))(*point)
    size = max(np.abs(np.concatenate([np.ravel(h) for h in hv])))
    for one, two in zip(hv, turned, strict=True):
        close(one, two, size)
    left, terms = inner(u, hv)
    right, others = inner(v, dualad.jvp(gradient, point, u)[1])
    close(left, right, terms + others + size)


@given(programs, points())
@law
def test_tangents_are_differences(program, at):
    """Five-point differences along the direction, wherever no comparison turns within the stencil.

    Their own error is read off from two step sizes (it falls as h**4); rounding leaves eps |f| / h, below 1e-11.
    """
    point, direction = at

    def along(t):
        value = program.scalar(point[0] + t * direction[0], point[1] + t * direction[1])
        return value, program.decisions

    h = 2e-3
    samples = {k: along(k * h) for k in (-4, -2, -1, 0, 1, 2, 4)}
    if any(decisions != samples[0][1] for _, decisions in samples.values()):
        return

    def difference(k):
        f = {j: samples[j * k][0] for j in (-2, -1, 1, 2)}
        return (f[-2] - 8.0 * f[-1] + 8.0 * f[1] - f[2]) / (12.0 * k * h)

    fine, coarse = difference(1), difference(2)
    tangent = dualad.jvp(program.scalar, point, direction)[1]
    assert abs(tangent - fine) <= 0.5 * abs(fine - coarse) + 1e-10 * (1.0 + abs(tangent) + abs(samples[0][0]))


@pytest.mark.parametrize("name", NAMES)
def test_every_instruction_obeys_the_laws(name):
    """No instruction is left to chance: each alone, after itself, and on the results of a product."""
    rng = np.random.default_rng(len(name))
    for n in (1, 2, 5):
        at = (float(rng.uniform(0.2, 1.0)), rng.uniform(-1.0, 1.0, n)), (float(rng.normal()), rng.normal(size=n))
        for steps in ([(name, 0, 0, 0.3)], [(name, 1, 0, -0.4), (name, 2, 1, 0.7)], [("multiply", 1, 0, 0.1), (name, 1, 2, 0.2)]):
            program = Program(steps)
            for check in (test_tracing_changes_no_bit, test_forward_is_reverse, test_dot_product, test_linearize_is_jvp,
                          test_compiled_path_is_the_generic_path, test_jacobians_agree, test_second_derivatives_commute,
                          test_tangents_are_differences):
                check.hypothesis.inner_test(program, at)


PARTIALS = {
    operator.add: lambda x, y: (1.0, 1.0), operator.sub: lambda x, y: (1.0, -1.0), operator.mul: lambda x, y: (y, x),
    operator.truediv: lambda x, y: (1.0 / y, -(x / y) / y),
}  # fmt: skip
links = st.tuples(st.sampled_from([operator.mul] * 4 + list(PARTIALS)), st.sampled_from([-1, -1, -1, -2, 0]), st.integers(0, 8))


@given(st.lists(st.floats(0.5, 2.0), min_size=2, max_size=5), st.lists(links, min_size=1, max_size=40), st.integers(1, 3))
@law
def test_chains_are_swept_like_single_operations(xs, steps, last):
    """Running products, with fan-out, squares and breaks: to the last bit the sum of one contribution after another."""

    def run(xs):
        values = list(xs)
        for f, left, right in steps:
            values.append(f(values[left], values[right % len(values)]))
        return values

    try:
        values = run(xs)
    except (ZeroDivisionError, OverflowError):
        reject()
    out = max(0, len(values) - last)
    adjoints = [0.0] * len(values)
    adjoints[out] = 1.0
    for i in reversed(range(len(steps))):
        f, left, right = steps[i]
        result = len(xs) + i
        a, b = (left + result if left < 0 else left), right % result
        for operand, partial in zip((a, b), PARTIALS[f](values[a], values[b]), strict=True):
            adjoints[operand] += partial * adjoints[result]
    assume(all(map(math.isfinite, adjoints)))
    assert dualad.grad(lambda xs: run(xs)[out])(xs) == adjoints[: len(xs)]


def test_the_programs_reach_what_they_should():
    """Scalars, arrays, loops, branches, indexing: no kind of instruction was lost."""
    assert len(SCALAR) >= 4
    assert len(ARRAY) >= 20
    assert len(EITHER) >= 28


def test_a_wrong_rule_breaks_the_laws():
    """The laws are sharp: a tangent wrong by 1e-9 of itself fails."""
    with pytest.raises(AssertionError):
        close(1.0 + 1e-9, 1.0)

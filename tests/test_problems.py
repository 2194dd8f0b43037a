"""Every hand-written derivative of the problem list, checked without dualad, then dualad against it."""

from __future__ import annotations

import inspect
import math

import numpy as np
import pytest

import dualad
from dualad import problems

NAMES = list(problems.PROBLEMS)
SEEDS = (0, 1)
# A fourth-order central difference at h = 1e-3 leaves about h^4 f^(5)/30 and eps/h of rounding: both near
# 1e-12 of the scale of f' here; 1e-8 of the largest entry catches any wrong term and leaves room for the
# stiffer problems.
DIFFERENCE_TOLERANCE = 1e-8
# Both sides are exact up to rounding; long chains (Lorenz: 1000 steps of 73 operations) accumulate about
# sqrt(ops) ulp.
EXACT_TOLERANCE = 1e-11


def flatten(value):
    """All numbers of a nested tuple or list of floats and arrays, in order."""
    if isinstance(value, (tuple, list)):
        return np.concatenate([flatten(v) for v in value]) if value else np.zeros(0)
    return np.asarray(value, dtype=float).ravel()


def unflatten(like, numbers):
    """The structure of `like` filled with `numbers`; the inverse of `flatten`."""
    position = 0

    def fill(part):
        nonlocal position
        if isinstance(part, (tuple, list)):
            return type(part)([fill(p) for p in part])
        size = np.size(part)
        chunk = numbers[position : position + size]
        position += size
        return float(chunk[0]) if isinstance(part, float) else chunk.reshape(np.shape(part))

    return fill(like)


def difference_jacobian(g, primals):
    """(outputs, inputs) Jacobian by fourth-order central differences, step scaled by each input."""
    x = flatten(primals)
    columns = []
    for i in range(len(x)):
        h = 1e-3 * max(0.1, abs(x[i]))
        ys = []
        for k in (-2, -1, 1, 2):
            moved = x.copy()
            moved[i] += k * h
            ys.append(flatten(g(*unflatten(primals, moved))))
        columns.append((ys[0] - 8.0 * ys[1] + 8.0 * ys[2] - ys[3]) / (12.0 * h))
    return np.array(columns).T


def as_matrix(problem, closed, primals, y):
    """A closed form, whatever its kind, as an (outputs, inputs) matrix."""
    if problem.kind != "blocks":
        parts = closed if isinstance(problem.argnums, tuple) else (closed,)
        m = flatten(y).size
        return np.concatenate([flatten(part).reshape(m, -1) for part in parts], axis=1)
    rows, m, _ = closed.shape
    widths = [np.asarray(p).reshape(rows, -1).shape[1] for p in primals]
    pieces = []
    for part, width in zip(np.split(closed, np.cumsum(widths)[:-1], axis=2), widths, strict=True):
        full = np.zeros((rows, m, rows, width))
        full[np.arange(rows), :, np.arange(rows), :] = part
        pieces.append(full.reshape(rows * m, -1))
    return np.concatenate(pieces, axis=1)


def assert_close(actual, wanted, tolerance):
    scale = max(np.max(np.abs(wanted)), 1e-300)
    assert actual.shape == wanted.shape
    assert np.max(np.abs(actual - wanted)) <= tolerance * scale


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", NAMES)
def test_closed_form_against_differences(name, seed):
    """Without dualad: the hand-written derivative agrees with finite differences of the plain function."""
    problem = problems.get(name)
    args = problem.make(problem.sizes[0], seed)
    g, primals = problem.split(args, problem.plain)
    closed = as_matrix(problem, problem.closed_form(*args), primals, g(*primals))
    assert_close(closed, difference_jacobian(g, primals), DIFFERENCE_TOLERANCE)


@pytest.mark.parametrize("name", NAMES)
def test_make_is_a_function_of_size_and_seed(name):
    """The same size and seed give the same arguments, and another seed gives others."""
    problem = problems.get(name)
    once, again, other = (flatten(problem.split(problem.make(4, seed))[1]) for seed in (3, 3, 4))
    assert np.array_equal(once, again)
    assert not np.array_equal(once, other)


@pytest.mark.parametrize("name", NAMES)
def test_f_takes_its_namespace(name):
    """`namespace` is set exactly when `f` has the keyword m."""
    problem = problems.get(name)
    assert (problem.namespace is not None) == ("m" in inspect.signature(problem.f).parameters)


@pytest.mark.parametrize("name", NAMES)
def test_plain_and_traced_namespaces_give_the_same_number(name):
    """On plain inputs `dualad.math` and `dualad.numpy` are `math` and NumPy (erf: an ulp or two)."""
    problem = problems.get(name)
    args = problem.make(problem.sizes[0], 0)
    ours, plain = flatten(problem.f(*args)), flatten(problem.plain(*args))
    assert np.all(np.abs(ours - plain) <= 4 * np.spacing(np.abs(plain)))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("mode", ["forward", "reverse"])
@pytest.mark.parametrize("name", NAMES)
def test_dualad_against_closed_form(name, mode, seed):
    """Both modes give the hand-written derivative, to rounding."""
    problem = problems.get(name)
    args = problem.make(problem.sizes[0], seed)
    g, primals = problem.split(args)
    wanted = as_matrix(problem, problem.closed_form(*args), primals, problem.plain(*args))
    if mode == "forward":
        x = flatten(primals)
        tangents = (unflatten(primals, row) for row in np.eye(len(x)))
        actual = np.array([flatten(dualad.jvp(g, primals, t)[1]) for t in tangents]).T
    else:
        y, pullback = dualad.vjp(g, *primals)
        cotangents = (unflatten(y, row) for row in np.eye(flatten(y).size))
        actual = np.array([flatten(pullback(ct)) for ct in cotangents])
    assert_close(actual, wanted, EXACT_TOLERANCE)


@pytest.mark.parametrize("name", NAMES)
def test_dualad_public_transformation(name):
    """`derivative`, `grad` and `jacobian` return the closed form in its own structure."""
    problem = problems.get(name)
    args = problem.make(problem.sizes[0], 2)
    closed = problem.closed_form(*args)
    if problem.kind == "derivative":
        g, primals = problem.split(args)
        actual = dualad.derivative(g)(*primals)
    elif problem.kind == "gradient":
        actual = dualad.grad(problem.f, argnums=problem.argnums)(*args)
    else:
        actual = dualad.jacobian(problem.f, argnums=problem.argnums)(*args)
        if problem.kind == "blocks":
            rows = np.arange(len(closed))
            actual = np.concatenate([np.asarray(a).reshape(*a.shape[:3], -1)[rows, :, rows, :] for a in actual], axis=2)
    assert_close(flatten(actual), flatten(closed), EXACT_TOLERANCE)


@pytest.mark.parametrize("name", [p.name for p in problems.PROBLEMS.values() if p.kind == "gradient"])
def test_hessian_vector_product_against_closed_form(name):
    """hvp agrees with fourth-order differences of the hand-written gradient along a random direction."""
    problem = problems.get(name)
    args = problem.make(problem.sizes[0], 0)
    g, primals = problem.split(args)
    gradient, _ = problem.split(args, problem.closed_form)
    x = flatten(primals)
    direction = np.random.default_rng(5).normal(size=x.size)
    direction /= np.linalg.norm(direction)
    h = 1e-3 * min(1.0, np.linalg.norm(x))
    ys = [flatten(gradient(*unflatten(primals, x + k * h * direction))) for k in (-2, -1, 1, 2)]
    wanted = (ys[0] - 8.0 * ys[1] + 8.0 * ys[2] - ys[3]) / (12.0 * h)
    actual = flatten(dualad.hvp(g, primals, unflatten(primals, direction)))
    # The difference quotient is good to eps / h of the gradient's scale, which can exceed the product's own.
    assert np.max(np.abs(actual - wanted)) <= DIFFERENCE_TOLERANCE * max(np.max(np.abs(wanted)), np.max(np.abs(ys)))


def test_published_numbers():
    """The figures printed in the lecture notes and surveys."""
    assert round(problems.get("quiz1").plain(2.0, 3.0), 4) == 412.1915
    by_x, by_z = problems.get("quiz1").closed_form(2.0, 3.0)
    assert (round(by_x, 4), round(by_z, 4)) == (1208.3812, 809.7075)
    j = problems.get("cos_of_sum")
    assert (round(j.plain(1.0), 6), round(j.closed_form(1.0), 6)) == (-0.764921, 4.560792)
    f = problems.get("sqrt_plus_cos")
    assert (round(f.plain(1.0), 6), round(f.closed_form(1.0), 6)) == (1.090012, 5.983083)
    h = problems.get("spiral_composite")
    assert (round(h.plain(1.0), 6), round(h.closed_form(1.0), 6)) == (1.466053, 1.529377)
    assert problems.get("baydin").closed_form(2.0, 5.0) == (5.5, 2.0 - math.cos(5.0))
    assert np.count_nonzero(problems.get("gram").closed_form(np.random.default_rng(0).normal(size=(4, 3)))) == 60


def test_bundle_adjustment_without_rotation():
    """At a zero rotation vector the block is ADBench's branch x + r x x, not a 0/0."""
    problem = problems.get("ba")
    cameras, points, weights, features = problem.make(3, 0)
    cameras[:, :3] = 0.0
    blocks = problem.closed_form(cameras, points, weights, features)
    tiny = 1e-7
    for j in range(3):
        moved = [cameras.copy(), cameras.copy()]
        moved[0][:, j] += tiny
        moved[1][:, j] -= tiny
        up, down = (problem.f(c, points, weights, features) for c in moved)
        assert np.allclose((up - down) / (2 * tiny), blocks[:, :, j], rtol=1e-6, atol=1e-5)


def _adbench_text(*arrays):
    return "\n".join(" ".join(repr(float(v)) for v in np.atleast_1d(row)) for array in arrays for row in array)


def test_read_gmm(tmp_path):
    """A file written as ADBench writes it gives the arguments back; a short file is refused."""
    alphas, means, icf, x, gamma, m = problems.get("gmm").make(7, 0)
    path = tmp_path / "gmm_d2_K5.txt"
    path.write_text("2 5 7\n" + _adbench_text(alphas, means, icf, x) + f"\n{gamma} {m}\n", encoding="ascii")
    for read, made in zip(problems.read_gmm(path), (alphas, means, icf, x, gamma, m), strict=True):
        assert np.array_equal(read, made)
    path.write_text("2 5 8\n" + _adbench_text(alphas, means, icf, x) + f"\n{gamma} {m}\n", encoding="ascii")
    with pytest.raises(ValueError, match="n=8 needs"):
        problems.read_gmm(path)


def test_read_lstm(tmp_path):
    """The same for the LSTM, whose blocks are separated by empty lines."""
    args = problems.get("lstm").make(6, 0)
    path = tmp_path / "lstm_l2_c6.txt"
    path.write_text("2 6 14\n\n" + "\n\n".join(_adbench_text(a) for a in args) + "\n\n", encoding="ascii")
    for read, made in zip(problems.read_lstm(path), args, strict=True):
        assert np.array_equal(read, made)


def test_read_ba(tmp_path):
    """One of each is replicated, and observation i joins camera i mod n and point i mod m."""
    cameras, points, weights, features = problems.get("ba").make(1, 0)
    path = tmp_path / "ba1_n2_m3_p5.txt"
    path.write_text("2 3 5\n" + _adbench_text(cameras, points, weights, features) + "\n", encoding="ascii")
    read = problems.read_ba(path)
    assert [len(part) for part in read] == [2, 3, 5, 5, 5]
    assert read[3].tolist() == [[0, 0], [1, 1], [0, 2], [1, 0], [0, 1]]
    gathered = problems.gather_observations(*read)
    assert np.array_equal(problems.get("ba").f(*gathered)[4], problems.get("ba").f(cameras, points, weights, features)[0])


def test_gmm_at_one_point_by_hand():
    """One component, one point, no prior terms but constants: the density of a normal distribution."""
    alphas, means, icf = np.array([0.3]), np.array([[0.5, -1.0]]), np.array([[0.2, -0.1, 0.7]])
    x, gamma, m = np.array([[1.0, 2.0]]), 1.0, 0
    factor = np.array([[math.exp(0.2), 0.0], [0.7, math.exp(-0.1)]])
    white = factor @ (x[0] - means[0])
    log_density = math.log(np.linalg.det(factor)) - 0.5 * white @ white - math.log(2.0 * math.pi)
    wishart_norm = 3 * 2 * math.log(1.0 / math.sqrt(2.0)) - (0.5 * math.log(math.pi) + math.lgamma(1.5) + math.lgamma(1.0))
    prior = 0.5 * (math.exp(0.4) + math.exp(-0.2) + 0.49) - wishart_norm
    assert math.isclose(problems.get("gmm").f(alphas, means, icf, x, gamma, m), log_density + prior, rel_tol=1e-14)


def test_unknown_name_lists_the_names():
    with pytest.raises(KeyError, match="rosenbrock_sliced"):
        problems.get("rosenbrok")


def test_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="blocks"):
        problems.Problem("p", abs, lambda n, seed: (1.0,), "slope", abs, "1", (1, 1))


def test_differentiated_arguments_come_first():
    """`split` binds the rest by name, so other differentiated arguments than the first few are refused."""
    with pytest.raises(ValueError, match="come first"):
        problems.Problem("p", pow, lambda n, seed: (1.0, 2.0), "derivative", pow, "1", (1, 1), argnums=1)

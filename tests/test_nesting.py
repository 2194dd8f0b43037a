"""Any nesting of the transformations, to any order, without confusing the perturbations of different levels.

The confusion cases are those of Siskind & Pearlmutter (2005, "Perturbation confusion and referential transparency"; 2008,
"Nesting forward-mode AD in a functional framework") and Manzyuk et al. (2019, "Perturbation confusion in forward automatic
differentiation of higher-order functions").
"""

import functools
import itertools
import math

import numpy as np
import pytest

import dualad as da

X = np.array([0.5, -1.25, 2.0])


def by_jvp(f):
    return lambda x: da.jvp(f, (x,), (1.0,))[1]


def by_vjp(f):
    return lambda x: da.vjp(f, x)[1](1.0)[0]


def by_linearize(f):
    return lambda x: da.linearize(f, x)[1](1.0)


def by_value_and_grad(f):
    return lambda x: da.value_and_grad(f)(x)[1]


#: every way to the derivative of a function of one float
WAYS = {"derivative": da.derivative, "grad": da.grad, "jvp": by_jvp, "vjp": by_vjp, "linearize": by_linearize,
        "value_and_grad": by_value_and_grad, "jacfwd": da.jacfwd, "jacrev": da.jacrev, "jacobian": da.jacobian}
MODES = {"fwd": da.derivative, "rev": da.grad}
both_modes = pytest.mark.parametrize("d", WAYS.values(), ids=WAYS)
pairs = pytest.mark.parametrize(("outer", "inner"), list(itertools.product(WAYS.values(), repeat=2)),
                                ids=["-".join(p) for p in itertools.product(WAYS, repeat=2)])


# ---- order by order -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_every_order_of_modes_to_order_four(order):
    for ways in itertools.product(MODES.values(), repeat=order):
        f = lambda x: np.exp(0.5 * x) * np.sin(x)
        d = functools.reduce(lambda g, way: way(g), ways, f)
        z = (0.5 + 1j) ** order * np.exp((0.5 + 1j) * 0.75)  # the n-th derivative of Im exp((1/2 + i) x)
        assert d(0.75) == pytest.approx(z.imag, rel=1e-14)


@pairs
def test_every_pair_of_transformations(outer, inner):
    f = lambda x: np.sin(x) * x**2
    x = 0.75
    want = 2 * math.sin(x) + 4 * x * math.cos(x) - x * x * math.sin(x)
    assert outer(inner(f))(x) == pytest.approx(want, rel=1e-14)


@pytest.mark.parametrize("ways", list(itertools.product([da.jacfwd, da.jacrev], repeat=3)))
def test_third_derivatives_of_arrays(ways):
    A = np.arange(9.0).reshape(3, 3) / 7
    f = lambda x: np.sum(np.exp(A @ x))
    d = functools.reduce(lambda g, way: way(g), ways, f)
    np.testing.assert_allclose(d(X), np.einsum("a,ai,aj,ak->ijk", np.exp(A @ X), A, A, A), rtol=1e-13)


def test_hessians_of_derivatives_and_derivatives_of_hessians():
    f = lambda s, x: np.sum(np.sin(s * x))
    want = np.diag(-2 * 0.5 * np.sin(0.5 * X) - 0.25 * X * np.cos(0.5 * X))
    inside = lambda s: da.hessian(lambda x: f(s, x))(X)  # d/ds of -s^2 sin(s x)
    np.testing.assert_allclose(da.derivative(inside)(0.5), want, rtol=1e-14)
    np.testing.assert_allclose(da.jacrev(inside)(0.5), want, rtol=1e-14)
    np.testing.assert_allclose(da.hessian(lambda x: da.derivative(lambda s: f(s, x))(0.5))(X), want, rtol=1e-14)
    np.testing.assert_allclose(da.hessian(lambda x: da.grad(lambda s: f(s, x))(0.5))(X), want, rtol=1e-14)
    v = np.array([1.0, 2.0, -1.0])
    np.testing.assert_allclose(da.derivative(lambda s: da.hvp(lambda x: f(s, x), (X,), (v,)))(0.5), want @ v, rtol=1e-14)


def test_linearize_and_vjp_are_linear_maps_to_outer_levels():
    f = lambda x: np.sin(x) * x
    _, f_jvp = da.linearize(f, X)
    df = np.cos(X) * X + np.sin(X)
    np.testing.assert_allclose(da.jacfwd(f_jvp)(np.ones(3)), np.diag(df), rtol=1e-14)
    np.testing.assert_allclose(da.jacrev(f_jvp)(np.ones(3)), np.diag(df), rtol=1e-14)
    _, pullback = da.vjp(f, X)
    np.testing.assert_allclose(da.jacfwd(lambda ct: pullback(ct)[0])(np.ones(3)), np.diag(df), rtol=1e-14)
    np.testing.assert_allclose(da.jacrev(lambda ct: pullback(ct)[0])(np.ones(3)), np.diag(df), rtol=1e-14)


def test_a_pullback_made_inside_and_called_outside_of_a_level():
    kept = []

    def f(x):
        out, pullback = da.vjp(lambda y: y * y * 3.0, 2.0)
        kept.append(pullback)
        return out * x

    assert da.grad(f)(1.0) == 12.0
    assert kept[0](1.0) == (12.0,)


# ---- perturbation confusion -----------------------------------------------------------------------------------------

@pairs
def test_siskind_pearlmutter_sum(outer, inner):
    """d/dx x (d/dy (x + y)) = 1; with confused perturbations 2."""
    assert outer(lambda x: x * inner(lambda y: x + y)(1.0))(1.0) == 1.0


@pairs
def test_siskind_pearlmutter_product(outer, inner):
    """d/dx x (d/dy x y) at 2 = 2 x = 4."""
    assert outer(lambda x: x * inner(lambda y: x * y)(3.0))(2.0) == 4.0


@pairs
def test_the_same_point_at_both_levels(outer, inner):
    """d/dx of (d/dy x y^2 at y = x) = d/dx 2 x^2 = 4 x."""
    assert outer(lambda x: inner(lambda y: x * y * y)(x))(3.0) == 12.0


@pairs
def test_the_inner_function_ignores_its_argument(outer, inner):
    assert outer(lambda x: inner(lambda y: x * x * 1.0)(2.0) + x)(3.0) == 1.0


@pairs
def test_arrays_of_an_outer_level_in_an_inner_function(outer, inner):
    f = lambda x: inner(lambda y: np.sum(np.sin(x * X) * y * y))(x)  # 2 x sum sin(x X)
    assert outer(f)(0.5) == pytest.approx(2 * np.sum(np.sin(0.5 * X)) + np.sum(X * np.cos(0.5 * X)), rel=1e-14)


@both_modes
def test_three_levels_that_see_one_another(d):
    """x y z with every level's variable in the innermost function."""
    f = lambda x: x * d(lambda y: y * d(lambda z: x * y * z * z)(y))(x)
    # inner: 2 x y z at z = y -> 2 x y^2; times y -> 2 x y^3; d/dy -> 6 x y^2 at y = x -> 6 x^3; times x -> 6 x^4
    assert d(f)(2.0) == pytest.approx(24 * 2.0**3, rel=1e-15)


@both_modes
def test_the_amazing_bug_of_manzyuk(d):
    """The derivative of a curried function is a function: s(u)(f)(x) = f(x + u); s'(0) applied twice is the second derivative.

    With tangents that escape in closures the second application gave 0 (Manzyuk et al. 2019, section 3).  A derivative here
    is taken of a float, so D s(0) is written (f, x) -> d/du s(u)(f)(x) at 0.
    """
    shift = lambda u: lambda f: lambda x: f(x + u)
    d_hat = lambda f: lambda x: d(lambda u: shift(u)(f)(x))(0.0)
    assert d_hat(d_hat(np.exp))(1.0) == pytest.approx(math.e, rel=1e-15)
    assert d_hat(d_hat(d_hat(lambda x: x**4)))(2.0) == pytest.approx(48.0, rel=1e-15)


@both_modes
def test_functions_that_return_functions(d):
    powers = lambda n: lambda x: x**n
    assert [d(powers(float(n)))(2.0) for n in range(4)] == [0.0, 1.0, 4.0, 12.0]
    line = lambda a: lambda x: a * x
    assert d(lambda a: d(line(a))(5.0))(2.0) == 1.0
    assert d(lambda a: line(a)(a))(3.0) == 6.0


def test_a_function_that_leaves_its_level_raises():
    """A closure returned from f holds a value of the ended level: never a silently detached number."""
    with pytest.raises(TypeError, match="function"):
        da.derivative(lambda x: lambda y: x * y)(3.0)
    with pytest.raises(TypeError, match="function"):
        da.grad(lambda x: lambda y: x * y)(3.0)


@pairs
def test_caches_across_levels(outer, inner):
    """A cache keyed by plain numbers, filled with a value of the outer level, read in an inner one."""
    cache = {}

    def f(x):
        cache.clear()
        cache["x2"] = x * x
        return inner(lambda y: cache["x2"] * y * y)(x) + cache["x2"]

    assert outer(f)(2.0) == 6 * 2.0**2 + 2 * 2.0  # 2 x^3 + x^2


@both_modes
def test_a_cache_that_outlives_its_level_raises(d):
    cached = functools.lru_cache(lambda key: box[0] * 2.0)
    box = []

    def f(x):
        box[:] = [x]
        return cached("k") * x

    assert d(f)(3.0) == 12.0
    with pytest.raises(da.LeakedValueError):
        d(f)(3.0)


# ---- constants of an outer level ------------------------------------------------------------------------------------

def test_grad_inside_jvp_with_a_traced_constant():
    f = lambda s: da.grad(lambda x: np.sum(s * x**3))(X)
    out, tangent = da.jvp(f, (2.0,), (1.0,))
    np.testing.assert_allclose(out, 6 * X**2, rtol=1e-15)
    np.testing.assert_allclose(tangent, 3 * X**2, rtol=1e-15)


def test_jvp_inside_grad_with_a_traced_constant():
    f = lambda s: np.sum(da.jvp(lambda x: s**2 * x**3, (X,), (np.ones(3),))[1])
    assert da.grad(f)(2.0) == pytest.approx(4 * np.sum(3 * X**2), rel=1e-15)
    g = lambda w: np.sum(da.jvp(lambda x: np.sin(x) * w, (X,), (w,))[1])
    np.testing.assert_allclose(da.grad(g)(X), 2 * np.cos(X) * X, rtol=1e-15)


def test_traced_primals_and_tangents_of_different_levels():
    f = lambda p: da.derivative(lambda q: da.jvp(lambda x: x**3, (p,), (q,))[1])(5.0)  # 3 p^2
    for d in MODES.values():
        assert d(f)(2.0) == 12.0
    f = lambda p: da.derivative(lambda q: da.vjp(lambda x: x**3, p)[1](q)[0])(5.0)
    for d in MODES.values():
        assert d(f)(2.0) == 12.0


def test_the_values_of_inner_transformations_are_differentiated_too():
    for d in MODES.values():
        assert d(lambda x: da.jvp(lambda y: y * x, (x,), (1.0,))[0])(3.0) == 6.0
        assert d(lambda x: da.vjp(lambda y: y * x, x)[0])(3.0) == 6.0
        assert d(lambda x: da.value_and_grad(lambda y: y * x)(x)[0])(3.0) == 6.0
        assert d(lambda x: da.linearize(lambda y: y * x, x)[0])(3.0) == 6.0


def test_inner_levels_without_any_outer_value():
    for outer, inner in itertools.product(MODES.values(), repeat=2):
        assert outer(lambda x, inner=inner: x * inner(lambda y: y**3)(2.0))(5.0) == 12.0
        got = outer(lambda x: np.sum(x * da.hessian(lambda y: np.sum(y**3))(X)))(5.0)
        assert got == pytest.approx(6 * np.sum(X), rel=1e-14)


@pytest.mark.parametrize("jac", [da.jacfwd, da.jacrev])
@both_modes
def test_jacobians_inside_any_level(d, jac):
    f = lambda s: np.sum(jac(lambda x: s * s * np.outer(x, x)[0])(X) ** 2)
    rows = np.zeros((3, 3))
    rows[:, 0] += X
    rows += X[0] * np.eye(3)
    assert d(f)(1.5) == pytest.approx(4 * 1.5**3 * np.sum(rows**2), rel=1e-14)


def test_newton_inside_gradient_descent():
    """An inner solver that uses derivatives itself: x*(a) = a^(1/3), d/da = a^(-2/3) / 3."""

    def root(a):
        x = 1.5
        for _ in range(8):
            g = lambda x: x**3 - a
            x = x - g(x) / da.derivative(g)(x)
        return x

    for d in MODES.values():
        assert d(root)(2.0) == pytest.approx(2.0 ** (-2 / 3) / 3, rel=1e-14)
        assert d(d(root))(2.0) == pytest.approx(-2 / 9 * 2.0 ** (-5 / 3), rel=1e-13)


def test_minimax_of_siskind_and_pearlmutter():
    """Saddle of x^2 - y^2 + 3 x y by an outer gradient over an inner gradient step (2008, section 8)."""
    h = lambda x, y: x * x - y * y + 3 * x * y
    best = lambda x: functools.reduce(lambda y, _: y + 0.5 * da.grad(lambda y: h(x, y))(y), range(3), 0.25 * x)
    f = lambda x: h(x, best(x))  # the inner step lands on y = 3 x / 2: x^2 (1 + 9/4)
    for d in MODES.values():
        assert d(f)(2.0) == pytest.approx(6.5 * 2.0, rel=1e-15)
        assert d(d(f))(2.0) == pytest.approx(6.5, rel=1e-15)


def test_deep_nesting():
    f = lambda x: x**12
    for k in range(8):
        f = (da.derivative if k % 2 else da.grad)(f)
    assert f(1.0) == pytest.approx(math.perm(12, 8), rel=1e-13)


def test_levels_are_closed_after_all_this():
    assert da._core.open_count() == 0

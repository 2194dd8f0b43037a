"""Rules of the user's own: custom_jvp and custom_vjp in both modes, nested, with containers, constants and closures."""

import functools
import itertools
import math

import numpy as np
import pytest

import dualad as da

X = np.array([0.5, -1.25, 2.0])
MODES = {"fwd": da.derivative, "rev": da.grad}


def cube_jvp():
    """x^3 whose rule says 5 x^2: a wrong derivative that shows that the rule is used."""
    @da.custom_jvp
    def cube(x):
        return x**3

    @cube.defjvp
    def rule(primals, tangents):
        (x,), (t,) = primals, tangents
        return cube(x), 5.0 * x**2 * t

    return cube


def cube_vjp():
    @da.custom_vjp
    def cube(x):
        """The cube."""
        return x**3

    cube.defvjp(lambda x: (cube(x), x), lambda x, ct: (5.0 * x**2 * ct,))
    return cube


@pytest.mark.parametrize("cube", [cube_jvp(), cube_vjp()], ids=["custom_jvp", "custom_vjp"])
def test_the_rule_is_used(cube):
    assert cube(2.0) == 8.0
    np.testing.assert_array_equal(cube(X), X**3)
    assert da.grad(cube)(2.0) == 20.0
    assert da.value_and_grad(lambda x: 2.0 * cube(x))(2.0) == (16.0, 40.0)
    np.testing.assert_allclose(da.grad(lambda x: np.sum(cube(x) * X))(X), 5 * X**3, rtol=1e-15)
    np.testing.assert_allclose(da.jacrev(cube)(X), np.diag(5 * X**2), rtol=1e-15)
    np.testing.assert_allclose(da.vjp(cube, X)[1](X)[0], 5 * X**3, rtol=1e-15)
    assert da.grad(da.grad(cube))(2.0) == 20.0  # the rule itself is differentiated: 10 x


def test_custom_jvp_in_forward_mode():
    cube = cube_jvp()
    assert da.jvp(cube, (2.0,), (1.0,)) == (8.0, 20.0)
    assert da.derivative(cube)(2.0) == 20.0
    np.testing.assert_allclose(da.jacfwd(cube)(X), np.diag(5 * X**2), rtol=1e-15)
    np.testing.assert_allclose(da.linearize(cube, X)[1](X), 5 * X**3, rtol=1e-15)
    np.testing.assert_allclose(da.hessian(lambda x: np.sum(cube(x)))(X), np.diag(10 * X), rtol=1e-15)
    np.testing.assert_allclose(da.hvp(lambda x: np.sum(cube(x)), (X,), (X,)), 10 * X * X, rtol=1e-15)


def test_custom_vjp_refuses_forward_mode_as_jax_does():
    cube = cube_vjp()
    for transform in (da.derivative, da.jacfwd, lambda f: lambda x: da.jvp(f, (x,), (1.0,))):
        with pytest.raises(TypeError, match="custom_jvp"):
            transform(lambda x: cube(x) if not isinstance(x, float) else x)(2.0)
    assert da._core.open_count() == 0


@pytest.mark.parametrize("order", [1, 2, 3])
def test_every_order_of_modes(order):
    """Derivatives of the rule: 5 x^2, 10 x, 10."""
    cube = cube_jvp()
    for ways in itertools.product(MODES.values(), repeat=order):
        d = functools.reduce(lambda g, way: way(g), ways, cube)
        assert d(2.0) == [20.0, 20.0, 10.0][order - 1]


def test_forward_over_a_reverse_rule():
    """The inner level takes the reverse rule, and the outer one differentiates the rule's own operations."""
    cube = da.custom_vjp(lambda x: x**3)
    cube.defvjp(lambda x: (x**3, x), lambda x, ct: (5.0 * x**2 * ct,))
    assert da.derivative(da.grad(cube))(2.0) == 20.0
    np.testing.assert_allclose(da.hessian(lambda x: np.sum(cube(x)))(X), np.diag(10 * X), rtol=1e-15)
    with pytest.raises(TypeError, match="custom_jvp"):  # as in JAX: a fwd that calls the function itself needs its rule forward
        da.derivative(da.grad(cube_vjp()))(2.0)


@pytest.mark.parametrize("outer", MODES.values(), ids=MODES)
def test_closures_over_outer_levels(outer):
    """A custom function made inside an outer function may use that function's traced argument."""
    def f(a):
        @da.custom_jvp
        def line(x):
            return a * x

        line.defjvp(lambda primals, tangents: (line(primals[0]), a * a * tangents[0]))
        return da.grad(line)(3.0) + da.derivative(line)(3.0) + line(a)

    # 2 a^2 + line(a): at the outer level itself `a` is not among the inner arguments of the rule
    def g(a):
        @da.custom_vjp
        def line(x):
            return a * x

        line.defvjp(lambda x: (a * x, None), lambda residuals, ct: (a * a * ct,))
        return da.grad(line)(3.0)

    assert outer(g)(5.0) == 10.0
    with pytest.raises(TypeError, match="pass it as an argument"):  # line(a): a is closed over at its own level
        outer(f)(5.0)


@pytest.mark.parametrize("outer", MODES.values(), ids=MODES)
def test_closures_in_both_modes_inside(outer):
    def f(a):
        @da.custom_jvp
        def line(x):
            return a * x

        line.defjvp(lambda primals, tangents: (line(primals[0]), a * a * tangents[0]))
        return da.grad(line)(3.0) + da.derivative(line)(3.0)

    assert outer(f)(5.0) == 20.0


def test_containers_in_and_out():
    @da.custom_jvp
    def f(p, scale):
        return {"y": p["a"] * scale, "z": (np.sum(p["b"]),)}

    @f.defjvp
    def rule(primals, tangents):
        (p, scale), (dp, dscale) = primals, tangents
        return f(p, scale), {"y": 10.0 * dp["a"] * scale + dscale * p["a"], "z": (np.sum(dp["b"]),)}

    p = {"a": X, "b": np.ones(2)}
    total = lambda p, s: np.sum(f(p, s)["y"]) + f(p, s)["z"][0]
    g, gs = da.grad(total, (0, 1))(p, 2.0)
    np.testing.assert_array_equal(g["a"], [20.0] * 3)
    np.testing.assert_array_equal(g["b"], [1.0] * 2)
    assert gs == np.sum(X)
    out, t = da.jvp(f, (p, 2.0), ({"a": X, "b": np.zeros(2)}, 0.0))
    np.testing.assert_array_equal(out["y"], 2 * X)
    np.testing.assert_array_equal(t["y"], 20 * X)
    assert t["z"] == (0.0,)

    @da.custom_vjp
    def h(p):
        return p["a"] * 2.0, p["b"]

    h.defvjp(lambda p: (h(p), p), lambda p, cts: ({"a": 7.0 * cts[0], "b": cts[1] * p["b"]},))
    got = da.grad(lambda p: np.sum(h(p)[0]) + np.sum(h(p)[1]))(p)
    np.testing.assert_array_equal(got["a"], [7.0] * 3)
    np.testing.assert_array_equal(got["b"], [1.0] * 2)


def test_constant_arguments():
    @functools.partial(da.custom_jvp, nondiff_argnums=(0, 2))
    def apply(fun, x, n):
        return fun(x) * n

    @apply.defjvp
    def rule(fun, n, primals, tangents):
        (x,), (t,) = primals, tangents
        return apply(fun, x, n), 100.0 * n * t

    assert apply(math.sin, 0.5, 2) == 2 * math.sin(0.5)
    assert da.grad(lambda x: apply(np.sin, x, 2))(0.5) == da.derivative(lambda x: apply(np.sin, x, 2))(0.5) == 200.0
    with pytest.raises(TypeError, match="nondiff_argnums"):
        da.grad(lambda n: apply(np.sin, 0.5, n))(2.0)

    @functools.partial(da.custom_vjp, nondiff_argnums=(1,))
    def clip(x, limit):
        return x * 1.0

    clip.defvjp(lambda x, limit: (x * 1.0, None), lambda limit, residuals, ct: (np.clip(ct, -limit, limit),))
    np.testing.assert_array_equal(da.grad(lambda x: np.sum(clip(x, 0.5) * X))(X), np.clip(X, -0.5, 0.5))


def test_arguments_by_keyword_and_default():
    @da.custom_jvp
    def f(x, y=2.0):
        return x * y

    f.defjvp(lambda primals, tangents: (f(*primals), 3.0 * tangents[0] + 5.0 * tangents[1]))
    for d in MODES.values():
        assert d(lambda x: f(x))(1.0) == d(lambda x: f(x=x))(1.0) == 3.0
        assert d(lambda y: f(1.0, y=y))(1.0) == 5.0
        assert d(lambda z: f(y=z, x=z))(1.0) == 8.0


def test_methods():
    class Model:
        @da.custom_jvp
        def square(self, x):
            return x * x

    Model.square.defjvp(lambda primals, tangents: (primals[1] ** 2, 7.0 * tangents[1]))
    assert Model().square(3.0) == 9.0


def test_only_some_arguments_are_traced():
    @da.custom_vjp
    def f(x, y):
        return x * y

    f.defvjp(lambda x, y: (x * y, (x, y)), lambda r, ct: (ct * r[1], ct * r[0] * 10.0))
    assert da.grad(f)(2.0, 3.0) == 3.0
    assert da.grad(f, 1)(2.0, 3.0) == 20.0
    assert da.grad(f, (0, 1))(2.0, 3.0) == (3.0, 20.0)
    g = da.custom_vjp(lambda x, y: x * y)
    g.defvjp(lambda x, y: (x * y, y), lambda y, ct: (ct * y, None))  # None: no cotangent
    assert da.grad(g, (0, 1))(2.0, 3.0) == (3.0, 0.0)


def test_custom_functions_inside_custom_functions():
    cube = cube_jvp()

    @da.custom_jvp
    def twice(x):
        return cube(cube(x))

    twice.defjvp(lambda primals, tangents: da.jvp(lambda x: cube(cube(x)), primals, tangents))
    want = 5 * 8.0**2 * 5 * 2.0**2
    for d in MODES.values():
        assert d(twice)(2.0) == want


def test_a_rule_may_use_the_library():
    """The implicit function theorem as a rule: x^3 = a."""
    @da.custom_jvp
    def root(a):
        return np.cbrt(a)

    @root.defjvp
    def rule(primals, tangents):
        (a,), (t,) = primals, tangents
        x = root(a)
        return x, t / da.grad(lambda x: x**3)(x)

    for ways in itertools.product(MODES.values(), repeat=2):
        assert ways[0](root)(2.0) == pytest.approx(2.0 ** (-2 / 3) / 3, rel=1e-14)
        assert ways[0](ways[1](root))(2.0) == pytest.approx(-2 / 9 * 2.0 ** (-5 / 3), rel=1e-14)


def test_the_function_keeps_its_name():
    assert cube_vjp().__name__ == "cube"
    assert cube_vjp().__doc__ == "The cube."


def test_the_rule_gets_plain_numbers():
    seen = []

    @da.custom_jvp
    def f(x):
        return float(x) * 2.0  # anything may happen to it

    f.defjvp(lambda primals, tangents: seen.append(type(primals[0])) or (f(*primals), 2.0 * tangents[0]))
    assert da.derivative(f)(3.0) == da.grad(f)(3.0) == 2.0
    assert all(issubclass(t, float) for t in seen)


def broken_jvp(rule):
    f = da.custom_jvp(lambda x: x * 2.0)
    f.defjvp(rule)
    return f


def broken_vjp(fwd, bwd):
    f = da.custom_vjp(lambda x: x * 2.0)
    f.defvjp(fwd, bwd)
    return f


@pytest.mark.parametrize(("f", "words"), [
    (da.custom_jvp(lambda x: x), "no rule"), (da.custom_vjp(lambda x: x), "no rule"),
    (broken_jvp(lambda p, t: p[0]), "tangent_out"), (broken_jvp(lambda p, t: (p[0], np.ones(5))), "shapes"),
    (broken_jvp(lambda p, t: (p[0], (t[0], t[0]))), "structure"), (broken_vjp(lambda x: x, lambda r, ct: (ct,)), "residuals"),
    (broken_vjp(lambda x: (x, None), lambda r, ct: ct), "tuple"),
    (broken_vjp(lambda x: (x, None), lambda r, ct: (ct, ct)), "one cotangent"),
    (broken_vjp(lambda x: (x, None), lambda r, ct: (np.ones(5),)), "shape"),
    (broken_vjp(lambda x: (x, None), lambda r, ct: ((ct, ct),)), "structure")])
@pytest.mark.parametrize("x", [2.0, X], ids=["float", "array"])
def test_mistakes_are_explained(f, words, x):
    with pytest.raises((TypeError, ValueError), match=words):
        da.grad(lambda x: np.sum(f(x)))(x)
    assert da._core.open_count() == 0


def test_not_a_function():
    for decorator in (da.custom_jvp, da.custom_vjp):
        with pytest.raises(TypeError, match="function"):
            decorator(3.0)

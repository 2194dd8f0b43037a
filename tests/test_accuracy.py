"""Derivatives to the last digits: every row of the table against mpmath at 400 bits, by every carrier, at most 8 ulp off."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
from exact import LIMIT, PARTIALS, ROWS, UFUNCS, distance, exact_partial, mp, points

import dualad
from dualad import _core

PARTS = [(name, i) for name in ROWS for i in range(len(PARTIALS[name]))]


@functools.cache
def exact(name: str, i: int) -> list[object]:
    return [exact_partial(name, i, point) for point in points(ROWS[name])]


def function_of(name: str, i: int, constants: tuple[object, ...], f=None):
    """The row as a function of its i-th operand."""
    f = f or UFUNCS[name]
    return lambda t: f(*constants[:i], t, *constants[i + 1 :])


def check(name: str, i: int, got: object, which: slice = slice(None)) -> None:
    given, wanted = points(ROWS[name])[which], exact(name, i)[which]
    assert np.shape(got) == (len(given),)
    worst = max((distance(float(g), w), p, float(g), float(w)) for p, g, w in zip(given, got, wanted, strict=True))
    assert worst[0] <= LIMIT, f"{name}, partial {i}: {worst[0]:.1f} ulp at {worst[1]}: {worst[2]!r}, exactly {worst[3]!r}"


def columns(name: str) -> tuple[np.ndarray, ...]:
    return tuple(np.array(c) for c in zip(*points(ROWS[name]), strict=True))


@pytest.mark.parametrize(("name", "i"), PARTS)
@pytest.mark.parametrize("transform", [dualad.derivative, dualad.grad], ids=["Dual", "Var"])
def test_scalars(name, i, transform):
    """Rules compiled for one number: operators of Dual, the sweep of the tape."""
    with np.errstate(all="ignore"):
        check(name, i, [transform(function_of(name, i, p))(p[i]) for p in points(ROWS[name])])


@pytest.mark.parametrize(("name", "i"), PARTS)
@pytest.mark.parametrize("transform", [dualad.derivative, dualad.grad], ids=["Dual", "Var"])
def test_math_functions(name, i, transform):
    """dualad.math takes libm's values; where math raises OverflowError or ValueError, so do we, and there is no derivative."""
    reached = 0
    for p, wanted in zip(points(ROWS[name]), exact(name, i), strict=True):
        try:
            value = _core.MATH[name](*p)
        except (OverflowError, ValueError):
            continue
        if math.isfinite(value):
            got = transform(function_of(name, i, p, _core.MATH[name]))(p[i])
            assert distance(got, wanted) <= LIMIT, (p, got, float(wanted))
            reached += 1
    assert reached >= 10


@pytest.mark.parametrize("name", ROWS)
def test_arrays_in_slots(name):
    """Block kernels, both operands traced where the row has two partials; more points than one block of 512 holds."""
    xs = columns(name)
    repeated = tuple(np.tile(x, 1 + 600 // len(x)) for x in xs)
    wanted = tuple(range(len(PARTIALS[name])))
    gradients = dualad.grad(lambda *t: np.sum(UFUNCS[name](*t, *repeated[len(t):])), argnums=wanted)(*repeated[: len(wanted)])
    for i, g in enumerate(gradients):
        for start in range(0, len(g), len(xs[0])):
            check(name, i, g[start : start + len(xs[0])])


@pytest.mark.parametrize(("name", "i"), PARTS)
def test_strided_arrays_in_slots(name, i):
    """Operands that are packed before a block kernel sees them; the other operand is a constant."""
    xs = columns(name)
    f = function_of(name, i, xs)
    check(name, i, dualad.grad(lambda t: np.sum(f(t[::-2])))(np.repeat(xs[i][::-1], 2))[::-2])


@pytest.mark.parametrize("n", range(1, 18))
def test_tails(n):
    """The lanes left over by vectors of four and eight: every length from 1 to 17 over every row."""
    for name, i in PARTS:
        xs = columns(name)
        for start in range(0, min(len(xs[0]), 36) - n + 1, n):
            few = tuple(x[start : start + n] for x in xs)
            f = function_of(name, i, few)
            check(name, i, dualad.grad(lambda t: np.sum(f(t)))(few[i]), slice(start, start + n))


@pytest.mark.parametrize(("name", "i"), PARTS)
def test_rule_strings(name, i):
    """The same rules evaluated by Python: arrays in forward mode, and the tape of a nested level."""
    xs = columns(name)
    f = function_of(name, i, xs)
    with np.errstate(all="ignore"):
        check(name, i, dualad.jvp(f, (xs[i],), (np.ones(len(xs[i])),))[1])
        check(name, i, dualad.jvp(dualad.grad(lambda t: np.sum(f(t))), (xs[i],), (np.zeros(len(xs[i])),))[0])


@pytest.mark.parametrize(("name", "i"), PARTS)
def test_float32(name, i):
    """float32 stays float32 (but for float_power, whose result is float64), and its derivatives have float32's digits."""
    domain = ROWS[name]["domain"]
    kept = [np.float32(p) for p in points(ROWS[name]) if 1e-6 < abs(p[0]) < 1e6 and (1e-6 < abs(p[-1]) < 1e6 or domain == "ORDER")]
    if domain in ("UNIT", "ABOVE1"):
        kept = [p for p in kept if abs(p[0]) != 1.0]
    if domain == "APART":
        kept = [p for p in kept if p[0] != p[1]]
    xs = tuple(np.array(kept).T.copy())
    rounded = [tuple(map(float, p)) for p in kept]
    f = function_of(name, i, xs)
    with np.errstate(all="ignore"):
        both = dualad.grad(lambda t: np.sum(f(t)))(xs[i]), dualad.jvp(f, (xs[i],), (np.ones_like(xs[i]),))[1]
    assert both[0].dtype == np.float32
    assert name == "float_power" or both[1].dtype == np.float32
    wanted = [exact_partial(name, i, p) for p in rounded]
    for got in both:
        for p, g, w in zip(rounded, got, wanted, strict=True):
            if w == 0 or 1e-30 < abs(w) < 1e30:
                assert abs(float(g) - w) <= LIMIT * float(np.spacing(np.float32(abs(float(w))))), (p, g, float(w))


SPECIAL = [math.inf, -math.inf, math.nan, 0.0, -0.0, 1.0, -1.0, -2.5, 1e308]


@pytest.mark.parametrize(("name", "i"), PARTS)
def test_special_values_are_the_same_in_every_carrier(name, i):
    """Outside the domain, at poles, infinities and NaN: whatever the rule gives, it gives in all four implementations."""
    pairs = [(a, 2.0) for a in SPECIAL] if ROWS[name]["domain"] == "ORDER" else [(a, b) for a in SPECIAL for b in SPECIAL]
    kept = pairs if ROWS[name]["arity"] == 2 else [(a,) for a in SPECIAL]
    xs = tuple(np.array(c) for c in zip(*kept, strict=True))
    f = function_of(name, i, xs)
    with np.errstate(all="ignore"):
        kernels = dualad.grad(lambda t: np.sum(f(t)))(xs[i])
        others = [dualad.jvp(f, (xs[i],), (np.ones(len(kept)),))[1],
                  [dualad.derivative(function_of(name, i, p))(p[i]) for p in kept],
                  [dualad.grad(function_of(name, i, p))(p[i]) for p in kept]]
    for other in others:
        np.testing.assert_allclose(other, kernels, rtol=1e-14, atol=0.0, equal_nan=True)


# The points that ruin textbook formulas: (row, operand, point).
NAMED = [
    *[("hypot", i, (a, b)) for i in (0, 1) for a, b in ((1e200, 1e200), (3e200, -4e199), (1e-200, 1e-200), (5e-324, 5e-324),
                                                        (1.7e308, 1.7e308), (1.0, 1e-300))],
    *[("arctan2", i, (a, b)) for i in (0, 1) for a, b in ((1e200, 1e200), (1e-200, 1e-200), (1e200, 1e-200), (1e-200, -1e200),
                                                          (1.7e308, 1.7e308), (5.87e-321, 3.4e-10), (1e-154, 1e-154))],
    *[("tanh", 0, (s * x,)) for x in (20.0, 300.0, 354.0, 370.0, 1e-300) for s in (1.0, -1.0)],
    *[("expm1", 0, (x,)) for x in (1e-300, -40.0, -745.0, 709.0, 1e-17)],
    *[("log1p", 0, (x,)) for x in (-1.0 + 2.0**-53, -0.5, 1e-300, 1e300, -1e-17)],
    *[(name, 0, (x,)) for name in ("arcsinh", "arccosh") for x in (1e200, 1.7976931348623157e308, 2.0)],
    ("arcsinh", 0, (-1e200,)), ("arcsinh", 0, (5e-324,)), ("arccosh", 0, (1.0 + 2.0**-52,)),
    *[("sinc", 0, (x,)) for x in (5e-324, 1e-300, 1e-9, 0.47, 0.48, 1.4302966531242027, 5.4814579446894740, 1e6, 1e15 + 0.125,
                                  1e200, 1.7e308, 7.0, -2.5)],
    *[("power", 0, (0.0, n)) for n in (1.0, 2.0, 3.0, 7.0, 0.0)], ("power", 0, (-2.0, 3.0)), ("power", 0, (-1e-150, 3.0)),
    *[("power", 1, (0.0, y)) for y in (1.0, 2.5, 0.5)],
    *[("power", i, p) for i in (0, 1) for p in ((1e-300, 1.05), (1e200, -1.5560838428249695), (1e200, 1.6), (1.0 + 2e-16, 3e18),
                                                (5e-324, 0.3), (1.7e308, 0.999), (1.00000000000005, 1.1823731581454736e16))],
    *[(f, i, (a, b)) for f in ("logaddexp", "logaddexp2") for i in (0, 1)
      for a, b in ((0.0, 700.0), (700.0, 0.0), (-1e300, 1e300), (1e300, 1e300), (1e16, 1e16 + 2.0), (0.1, 0.1000001),
                   (0.0, 1074.0))],
    *[(f, 0, (s * x,)) for f in ("erf", "erfc") for x in (26.0, 26.6, 27.2, 5.9, 1e-300) for s in (1.0, -1.0)],
    *[("divide", 1, p) for p in ((5e-324, 3.0), (1e-300, 1e10), (1e-320, 1e-160), (1e10, 1e300), (1.0, 5e-324))],
    *[("arccos", 0, (s * (1.0 - 2.0**-53),)) for s in (1.0, -1.0)], ("arctanh", 0, (1.0 - 2.0**-53,)),
    *[("tan", 0, (x,)) for x in (1.5707963267948966, 1.5707963, 1e5, 1e22)],
    *[("cbrt", 0, (x,)) for x in (5e-324, -1e-300, 1e300)], ("sqrt", 0, (5e-324,)), ("reciprocal", 0, (1e-154,)),
    *[(f, 0, (x,)) for f in ("lgamma", "digamma")
      for x in (1.4616321449683622, 1.4616321449683625, -0.5040830082644554, -2.6107208684441447, -31.765982812458248, -10.3,
                -1e-10, 0.25, 3.0, 9.999, 1e200, 1e-300)],
    *[("gamma", 0, (x,)) for x in (171.0, 1e-300, 1.4616321449683622, -0.5040830082644554, 5e-5)],
    ("gaussian", 0, (26.9,)), ("sech2", 0, (371.0,)),
]


@pytest.mark.parametrize(("name", "i", "point"), NAMED, ids=lambda p: repr(p) if isinstance(p, tuple) else None)
def test_extremes(name, i, point):
    """By every carrier at once: scalars of both modes, block kernels, rule strings."""
    exactly = exact_partial(name, i, point)
    f = function_of(name, i, point)
    rows = function_of(name, i, tuple(np.full(5, p) for p in point))
    at = np.full(5, point[i])
    with np.errstate(all="ignore"):
        got = {"Dual": dualad.derivative(f)(point[i]), "Var": dualad.grad(f)(point[i]),
               "VarArray": dualad.grad(lambda t: np.sum(rows(t)))(at)[4], "DualArray": dualad.jvp(rows, (at,), (np.ones(5),))[1][4],
               "nested": dualad.jvp(dualad.grad(lambda t: np.sum(rows(t))), (at,), (np.zeros(5),))[0][4]}
    off = {carrier: distance(float(g), exactly) for carrier, g in got.items()}
    assert max(off.values()) <= LIMIT, (off, got, float(exactly))


@pytest.mark.parametrize("order", range(0, 24))
def test_derivatives_of_sinc_through_their_zeros(order):
    """Every order of sinc's derivatives, dense through the zeros where its terms cancel, and out to 1e300."""
    xs = [*np.linspace(0.01, 9.0, 60), 1e-12, 1e-300, 1e6 + 0.3, 1e150, 6e307]
    for x in map(float, xs):
        wanted = exact_partial("sincd", 0, (x, float(order)))
        assert distance(_core.row_value(ROWS["sincd"]["code"], x, order + 1.0), wanted) <= LIMIT, x


def test_digamma_between_its_poles():
    """Relative to the value even next to the zeros: 33 of them, one a unit left of 0 (table of roots in mathfn.c)."""
    rng = np.random.default_rng(4)
    for k in range(33):
        root = mp.findroot(lambda x: mp.psi(0, x), (1.3, 1.6)) if k == 0 else mp.findroot(
            lambda x: mp.psi(0, x), (-k + 0.02, -k + 0.6), solver="anderson")
        near = float(root) + float(abs(root)) * np.array([0.0, 1e-15, -1e-12, 1e-9, -1e-6, 1e-3])
        for x in map(float, [*near, *(-k + rng.uniform(0.01, 0.99, 10))]):
            assert distance(_core.row_value(ROWS["digamma"]["code"], x), mp.psi(0, mp.mpf(x))) <= LIMIT, x


def test_the_ruler_tells_right_from_wrong():
    """distance() itself: one ulp is one, infinity is right only where no double is, and NaN never is."""
    assert distance(math.nextafter(1.0, 2.0), mp.mpf(1)) == 1.0
    assert distance(math.nextafter(1e-310, 1.0), mp.mpf(1e-310)) == 1.0
    assert distance(0.1, mp.mpf(1) / 10) < 0.5
    assert distance(math.inf, mp.mpf(10) ** 400) == 0.0
    assert distance(-math.inf, mp.mpf(10) ** 400) == math.inf
    assert distance(math.inf, mp.mpf(10) ** 300) == math.inf
    assert distance(math.nan, mp.mpf(1)) == math.inf

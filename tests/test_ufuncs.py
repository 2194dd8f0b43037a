"""Every ufunc of NumPy: the rows of csrc/ops.def by the laws on every carrier, those with several results, those that only look.

The rows come from the table, and a drift test holds the three groups together equal to NumPy's list of ufuncs.
"""

import fractions

import numpy as np
import pytest
from array_laws import float32_kept, near, obeys_the_laws, same_bits

import dualad as da
from dualad import _core
from dualad.forward import push
from dualad.rules.dispatch import GUFUNCS, PASS_THROUGH

ROWS = {row["name"]: row for row in _core.rows()}
DIFFERENTIATED = [name for name, row in ROWS.items() if row["domain"] != "ORDER"]


def ufunc_of(name):
    return getattr(np, name) if isinstance(getattr(np, name, None), np.ufunc) else _core.OWN_UFUNCS[name]


def signs(rng, shape):
    return rng.choice([-1.0, 1.0], shape)


def away(rng, shape):
    """Away from every integer and half-integer, where floor, rint and their kin jump."""
    return signs(rng, shape) * (rng.integers(0, 3, shape) + rng.choice([0.0, 0.5], shape) + rng.uniform(0.15, 0.35, shape))


DRAW = {
    "REAL": lambda rng, n: (rng.normal(size=n),),
    "POSITIVE": lambda rng, n: (rng.uniform(0.3, 3.0, n),),
    "UNIT": lambda rng, n: (rng.uniform(-0.9, 0.9, n),),
    "ABOVE1": lambda rng, n: (rng.uniform(1.2, 3.0, n),),
    "NONZERO": lambda rng, n: (away(rng, n),),
    "ANY": lambda rng, n: (rng.normal(size=n), rng.normal(size=n)),
    "POSANY": lambda rng, n: (rng.uniform(0.3, 3.0, n), signs(rng, n) * rng.uniform(0.5, 2.0, n)),
    "MODULO": lambda rng, n: (lambda y: (y * away(rng, n), y))(signs(rng, n) * rng.uniform(0.5, 2.0, n)),
    "APART": lambda rng, n: (lambda x: (x, x + signs(rng, n) * rng.uniform(0.02, 0.1, n)))(away(rng, n)),
}


def draw(name, shape, seed=0):
    return DRAW[ROWS[name]["domain"]](np.random.default_rng(seed), shape)


def test_every_ufunc_of_numpy_is_in_one_group():
    """A ufunc that NumPy adds must be differentiated, or pass through, or stay an error by a line in this test."""
    every = {f for f in vars(np).values() if isinstance(f, np.ufunc)}
    rows = {ufunc_of(name) for name in ROWS}
    groups = [rows & every, set(GUFUNCS), PASS_THROUGH]
    assert set().union(*groups) == every
    assert sum(map(len, groups)) == len(every)
    assert len(PASS_THROUGH) == 25


@pytest.mark.parametrize("name", DIFFERENTIATED)
def test_laws_on_arrays(name):
    obeys_the_laws(ufunc_of(name), *draw(name, (3, 4)), tol=1e-8)


@pytest.mark.parametrize("name", DIFFERENTIATED)
def test_laws_on_floats(name):
    for seed in range(3):
        obeys_the_laws(ufunc_of(name), *[float(x) for x in draw(name, (), seed)], tol=1e-8)


@pytest.mark.parametrize("name", DIFFERENTIATED)
def test_laws_on_zero_dimensional_and_strided_and_empty_arrays(name):
    f = ufunc_of(name)
    obeys_the_laws(f, *[np.array(x) for x in draw(name, ())], tol=1e-8, second=False)
    obeys_the_laws(f, *[x.T[::2, ::-1] for x in draw(name, (4, 5))], tol=1e-8, second=False)
    nothing_of_nothing(f, *draw(name, (0, 3)))


def nothing_of_nothing(f, *args):
    """Empty in, empty out: shapes and dtypes are all there is to get right."""
    want = f(*args)
    out, tangent = da.jvp(f, args, args)
    same_bits(out, want)
    near(tangent, want)
    out, pullback = da.vjp(f, *args)
    same_bits(out, want)
    near(pullback(out), args)


@pytest.mark.parametrize("name", [n for n in DIFFERENTIATED if ROWS[n]["arity"] == 2])
def test_laws_of_pairs_broadcast_and_with_constants(name):
    f, (x, y) = ufunc_of(name), draw(name, (3, 4), seed=1)
    if ROWS[name]["domain"] in ("ANY", "POSANY"):
        obeys_the_laws(f, x[:, :1], y[0], tol=1e-8)
        obeys_the_laws(f, float(x[0, 0]), y, tol=1e-8)
        obeys_the_laws(f, x, float(y[0, 0]), tol=1e-8)
    obeys_the_laws(lambda u: f(u, y), x, tol=1e-8)
    obeys_the_laws(lambda u: f(x, u), y, tol=1e-8)
    obeys_the_laws(lambda u: f(u, float(y[0, 0])), x[0, :1], tol=1e-8)
    obeys_the_laws(lambda u: f(float(x[0, 0]), u), y[0, :1], tol=1e-8)


@pytest.mark.parametrize("name", [n for n in DIFFERENTIATED if n != "float_power"])
def test_float32_is_kept(name):
    float32_kept(ufunc_of(name), *draw(name, (3, 4), seed=2))


@pytest.mark.parametrize("name", DIFFERENTIATED)
def test_a_float_with_many_tangents_is_the_same_rule(name):
    """k tangents carried inline (DualVec) against k dual numbers."""
    f, k = ufunc_of(name), 5
    args = [float(x) for x in draw(name, (), seed=3)]
    lanes = [np.random.default_rng(4 + i).normal(size=k) for i in range(len(args))]
    outs, tangents, _ = push(args, lanes, lambda xs: f(*xs), k)
    for i in range(k):
        out, tangent = da.jvp(f, tuple(args), tuple(float(t[i]) for t in lanes))
        assert outs[0] == out
        np.testing.assert_allclose(tangents[0][i], tangent, rtol=1e-15)


#: NumPy has no loop over objects for these, or one that calls what must raise (np.floor calls __floor__, an integer)
NO_OBJECT_LOOP = {name for name in ROWS if not any("O" in t for t in ufunc_of(name).types)} | {"floor", "ceil", "trunc"}


@pytest.mark.parametrize("name", DIFFERENTIATED)
def test_object_arrays_take_the_same_rule_or_raise(name):
    """np.array([t, u]) is an object array of NumPy's making: np.f of it calls t.f(), and never loses the derivative."""
    f, (x, *y) = ufunc_of(name), draw(name, (3,), seed=5)
    plain = lambda x: f(x, *y)
    packed = lambda x: f(np.array([x[0], x[1], x[2]]), *y)
    for jac in (da.jacfwd, da.jacrev):
        if name in NO_OBJECT_LOOP:
            with pytest.raises(TypeError):
                jac(packed)(x)
        else:
            near(jac(packed)(x), jac(plain)(x), 1e-14)


# ---- several results ----------------------------------------------------------------------------------------------


def several(shape):
    rng = np.random.default_rng(6)
    return away(rng, shape), signs(rng, shape) * rng.uniform(0.4, 0.6, shape)


@pytest.mark.parametrize("f", [np.divmod, divmod], ids=["np.divmod", "divmod"])
def test_divmod(f):
    x, y = DRAW["MODULO"](np.random.default_rng(7), (3, 4))
    obeys_the_laws(f, x, y)
    obeys_the_laws(f, float(x[0, 0]), float(y[0, 0]))
    obeys_the_laws(lambda a: f(a, y), x)
    obeys_the_laws(lambda b: f(x, b), y)
    obeys_the_laws(lambda a: f(a, 0.37), float(x[0, 0]))
    q, r = da.value(da.vjp(f, x, y)[0])
    np.testing.assert_array_equal(q * y + r, q * y + r)
    float32_kept(f, x, y)


@pytest.mark.parametrize("shape", [(), (3, 4)], ids=str)
def test_modf(shape):
    x, _ = several(shape)
    obeys_the_laws(np.modf, x if shape else float(x))
    float32_kept(np.modf, np.atleast_1d(x))
    nothing_of_nothing(np.modf, np.zeros((0, 2)))


@pytest.mark.parametrize("shape", [(), (3, 4)], ids=str)
def test_frexp(shape):
    """The mantissa scales by 2**-exponent; the exponent is a plain integer."""
    x, _ = several(shape)
    x = x if shape else float(x)
    obeys_the_laws(lambda x: np.frexp(x)[0], x)
    seen = []
    da.vjp(lambda x: seen.append(np.frexp(x)[1]) or x, x)
    assert np.asarray(seen[0]).dtype == np.frexp(x)[1].dtype


def test_frexp_of_a_denormal_has_a_finite_derivative():
    m, e = np.frexp(2.0**-1070)
    assert da.derivative(lambda x: np.frexp(x)[0])(2.0**-1000) == 2.0**999
    assert da.derivative(lambda x: np.ldexp(np.frexp(x)[0], e))(2.0**-1000) == 2.0**-70
    assert m == 0.5


@pytest.mark.parametrize("shape", [(), (3, 4)], ids=str)
def test_ldexp(shape):
    x, _ = several(shape)
    obeys_the_laws(lambda x: np.ldexp(x, 3), x if shape else float(x))
    obeys_the_laws(lambda x: np.ldexp(x, np.array([[1, -2, 0, 5]] * 2)[:, None]), x if shape else float(x))
    float32_kept(lambda x: np.ldexp(x, -2), x)


def test_ldexp_takes_a_plain_exponent():
    with pytest.raises(TypeError, match="exp2"):
        da.grad(lambda x: np.ldexp(1.5, x))(2.0)


# ---- looking ------------------------------------------------------------------------------------------------------

CARRIED = {
    "float": 0.7,
    "array": np.array([0.7, -1.3, np.nan]),
    "float32": np.array([0.7, np.inf], np.float32),
    "0-d": np.array(2.0),
}


@pytest.mark.parametrize("f", sorted(PASS_THROUGH, key=lambda f: f.__name__), ids=lambda f: f.__name__)
@pytest.mark.parametrize("x", CARRIED.values(), ids=CARRIED)
def test_ufuncs_without_derivative_pass_through_on_values(f, x):
    """Their result is NumPy's, plain; where NumPy has no loop for floats, the error is NumPy's."""
    results = []

    def look(t):
        try:
            results.append(f(*(t,) * f.nin))
        except TypeError as error:
            results.append(str(error))
        return t

    want = look(x) is None or results.pop()
    for outer in (lambda g: da.jvp(g, (x,), (x,)), lambda g: da.vjp(g, x)):
        outer(look)
        outer(lambda t: outer(lambda u: look(u) * 1.0 + t)[0])
    assert len(results) >= 4
    for got in results:
        assert isinstance(got, str) == isinstance(want, str)
        if not isinstance(want, str):
            assert type(got) is type(want)
            np.testing.assert_array_equal(got, want)


# ---- keywords -----------------------------------------------------------------------------------------------------


def test_dtype_is_the_dtype_of_the_computation():
    """np.sin(x, dtype=float32) computes in float32; casting its float64 result would give other bits."""
    x = np.random.default_rng(8).normal(size=50)
    for f in (
        lambda x: np.sin(x, dtype=np.float32),
        lambda x: np.multiply(x, x, dtype=np.float32),
        lambda x: np.add(x, 1.0, dtype="f4"),
    ):
        want = f(x)
        for out in (da.jvp(f, (x,), (x,))[0], da.vjp(f, x)[0]):
            assert out.dtype == np.float32
            assert out.tobytes() == want.tobytes()
    wide = da.jvp(lambda x: np.exp(x, dtype=np.float64), (np.ones(2, np.float32),), (np.ones(2, np.float32),))
    assert wide[0].dtype == wide[1].dtype == np.float64
    with pytest.raises(TypeError, match="int"):
        da.grad(lambda x: np.add(x, 1.0, dtype=int))(1.0)


def test_where_that_selects_all_is_no_keyword():
    x = np.array([0.5, 1.0])
    with pytest.warns(UserWarning, match="where"):
        obeys_the_laws(lambda x: np.exp(x, where=np.array([True, True])), x)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda x: np.exp(x, where=x > 0.7), r"numpy.exp with where=.*np\.where"),
        (lambda x: np.exp(x, out=np.zeros(2)), r"numpy.exp with out=.*use its result"),
        (lambda x: np.divmod(x, 2.0, out=(np.zeros(2), np.zeros(2))), r"numpy.divmod with out="),
        (lambda x: np.exp(np.ones(2), out=x), r"numpy.exp with out="),
        (lambda x: np.isnan(np.ones(2), out=x), r"numpy.isnan with out="),
        (lambda x: np.exp(x, signature="d->d"), r"numpy.exp with signature="),
        (lambda x: np.add.at(np.zeros(2), [0, 0], x), r"numpy.add.at"),
        (lambda x: np.add(x, 1j), r"complex"),
        (lambda x: np.add(x, np.array(["a", "b"])), r"numpy.add"),
    ],
    ids=["where", "out", "out of two", "out traced", "look out traced", "signature", "at", "complex", "text"],
)
@pytest.mark.parametrize("outer", [lambda f, x: da.jvp(f, (x,), (x,)), lambda f, x: da.vjp(f, x)], ids=["jvp", "vjp"])
def test_what_is_not_covered_says_so(call, says, outer):
    with pytest.raises((NotImplementedError, TypeError), match=says):
        outer(call, np.array([0.5, 1.0]))


def test_a_look_may_fill_a_plain_array():
    buffer = np.zeros(2, bool)
    da.grad(lambda x: np.sum(x) if np.greater(x, 0.6, out=buffer) is buffer else 0.0)(np.array([0.5, 1.0]))
    assert buffer.tolist() == [False, True]


# ---- kinks, as the table states them ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "args", "want"),
    [
        (np.abs, (0.0,), (0.0,)),
        (np.fabs, (-0.0,), (0.0,)),
        (np.sqrt, (0.0,), (np.inf,)),
        (np.maximum, (1.0, 1.0), (0.5, 0.5)),
        (np.minimum, (1.0, 1.0), (0.5, 0.5)),
        (np.fmax, (1.0, np.nan), (1.0, 0.0)),
        (np.fmin, (np.nan, 1.0), (0.0, 1.0)),
        (np.hypot, (0.0, 0.0), (0.0, 0.0)),
        (np.sign, (0.0,), (0.0,)),
        (np.floor, (2.0,), (0.0,)),
        (np.copysign, (-2.0, 3.0), (-1.0, 0.0)),
        (np.heaviside, (0.0, 0.5), (0.0, 1.0)),
        (np.power, (0.0, 2.0), (0.0, 0.0)),
        (np.power, (0.0, 1.0), (1.0, 0.0)),
        (np.power, (0.0, 0.0), (0.0, 0.0)),
    ],
)
def test_kinks_are_the_same_on_every_carrier(f, args, want):
    numbers = tuple(range(len(args)))
    for wrap in (float, lambda v: np.array([v]), lambda v: np.array([v], np.float32)):
        given = tuple(wrap(v) for v in args)
        _, pull = da.vjp(f, *given)
        one = np.ones_like(given[0]) if isinstance(given[0], np.ndarray) else 1.0
        for i in numbers:
            tangents = tuple((np.ones_like(v) if isinstance(v, np.ndarray) else 1.0) * (i == j) for j, v in enumerate(given))
            assert np.ravel(pull(one)[i])[0] == want[i]
            assert np.ravel(da.jvp(f, given, tangents)[1])[0] == want[i]


def test_another_librarys_ufunc_is_not_called_numpys():
    """scipy.special.erf is a ufunc of the same name as a row of the table."""
    special = pytest.importorskip("scipy.special")
    with pytest.raises(NotImplementedError, match=r"erf \(a ufunc that is not NumPy's\).*dualad\.numpy\.erf"):
        da.grad(special.erf)(0.5)
    with pytest.raises(NotImplementedError, match=r"expit \(a ufunc that is not NumPy's\)"):
        da.grad(special.expit)(0.5)


@pytest.mark.parametrize("f", [
    lambda x, a: x * a,
    lambda x, a: a * x,
    lambda x, a: np.multiply(x, a),
    lambda x, a: np.add(a, x),
    lambda x, a: np.power(a, x),
    lambda x, a: x / a,
], ids=["x * a", "a * x", "multiply", "add", "power", "x / a"])  # fmt: skip
def test_a_traced_float_beside_float32_is_a_python_float(f):
    """np.multiply(x, a) and a * x of a reverse sweep were float64, where the plain function computes in float32."""
    a = np.array([0.1, 1.7, 2.3], np.float32)
    seen = []
    g = lambda x: seen.append(f(x, a)) or np.sum(seen[-1])
    value, slope = da.value_and_grad(g)(1.3)
    assert seen[-1].dtype == f(1.3, a).dtype == np.float32
    assert value == np.sum(f(1.3, a))
    assert slope == pytest.approx(da.jvp(g, (1.3,), (1.0,))[1], rel=1e-6)


def test_a_call_of_the_protocol_by_hand_is_checked():
    """Calls that NumPy never makes, with another number of inputs or none of them traced, were believed."""

    def f(t):
        assert t.__array_ufunc__(np.add, "__call__", 2.0, 3.0) == 5.0
        for ufunc, inputs in ((np.add, (t,)), (np.sin, (t, t)), (np.matmul, (t,))):
            with pytest.raises((TypeError, ValueError, IndexError)):
                t.__array_ufunc__(ufunc, "__call__", *inputs)
        return np.sum(t)

    assert da.grad(f)(0.7) == 1.0
    assert da.jvp(f, (0.7,), (1.0,)) == (0.7, 1.0)


class Metres:
    """A type that knows ufuncs, as those of units and of symbols do."""

    def __init__(self, value):
        self.value = value

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        return Metres(getattr(ufunc, method)(*(x.value if isinstance(x, Metres) else x for x in inputs), **kwargs))


@pytest.mark.parametrize("x", [2.0, np.array([2.0, 3.0])], ids=["float", "array"])
def test_types_that_know_ufuncs_are_asked(x):
    """NumPy asks the operands from left to right; ours raised where the other one had an answer."""
    for f in (lambda x: np.multiply(x, Metres(5.0)), lambda x: np.multiply(Metres(5.0), x)):
        np.testing.assert_array_equal(da.grad(lambda x, f=f: np.sum(f(x).value))(x), np.full_like(x, 5.0))
        np.testing.assert_array_equal(da.jvp(lambda x, f=f: f(x).value, (x,), (x,))[1], 5.0 * x)
    with pytest.raises(TypeError, match="an operand of type Fraction"):
        da.grad(lambda x: np.sum(np.multiply(x, fractions.Fraction(1, 2))))(x)


def test_a_float_computed_in_float32():
    """jvp said "'float' object has no attribute 'astype'" of np.sin(x, dtype=np.float32)."""
    f = lambda x: np.sin(x, dtype=np.float32)
    value, slope = da.jvp(f, (0.7,), (1.0,))
    assert value == f(0.7)
    assert type(value) is type(slope) is np.float32
    assert slope == np.float32(da.grad(f)(0.7)) == pytest.approx(np.cos(0.7), rel=1e-6)

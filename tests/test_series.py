"""Taylor arithmetic: against mpmath, against nested derivatives, against closed forms; costs by counting."""

import math

import mpmath
import numpy as np
import pytest

import dualad as da
from dualad import _core
from dualad import math as dm
from dualad.rules import series

ROWS = {row["name"]: row for row in _core.rows()}
DOMAINS = {"REAL": 0.7, "POSITIVE": 1.3, "UNIT": 0.4, "ABOVE1": 1.8, "NONZERO": -0.8}
PAIRS = {"ANY": (0.7, -1.1), "POSANY": (1.4, 0.6), "MODULO": (3.3, 1.4), "APART": (0.4, 0.9), "ORDER": (0.8, 1.0)}
CURVE = np.array([0.3, -0.2, 0.15])  # operands move along a + 0.3 t - 0.2 t^2 + 0.15 t^3


def along(a, t):
    return a + CURVE[0] * t + CURVE[1] * t * t + CURVE[2] * t * t * t


def nested(f, x, order):
    out, g = [], f
    for k in range(order + 1):
        out.append(g(x) / math.factorial(k))
        g = da.derivative(g)
    return out


def curves():
    for name, row in ROWS.items():
        f = _core.MATH[name]
        if row["arity"] == 1:
            yield name, lambda t, f=f, a=DOMAINS[row["domain"]]: f(along(a, t))
            continue
        a, b = PAIRS[row["domain"]]
        yield f"{name} x", lambda t, f=f, a=a, b=b: f(along(a, t), b)
        if row["domain"] != "ORDER":
            yield f"{name} y", lambda t, f=f, a=a, b=b: f(a, along(b, t))
            yield f"{name} xy", lambda t, f=f, a=a, b=b: f(along(a, t), along(b, t * 0.5))


@pytest.mark.parametrize(("name", "f"), list(curves()), ids=[name for name, _ in curves()])
def test_every_row_equals_nested_derivatives(name, f):
    """The two carriers of one rule: Taylor arithmetic in C, and the rule strings nested four deep."""
    np.testing.assert_allclose(da.taylor(f, 0.0, 4), nested(f, 0.0, 4), rtol=2e-12, atol=1e-13)


ELEMENTARY = {
    "exp": (0.3, dm.exp, mpmath.exp), "log": (1.7, dm.log, mpmath.log), "sin": (0.9, dm.sin, mpmath.sin),
    "cos": (0.9, dm.cos, mpmath.cos), "tan": (0.6, dm.tan, mpmath.tan), "tanh": (0.8, dm.tanh, mpmath.tanh),
    "sqrt": (2.1, dm.sqrt, mpmath.sqrt), "cbrt": (2.1, dm.cbrt, mpmath.cbrt), "arcsin": (0.3, dm.arcsin, mpmath.asin),
    "arctan": (0.7, dm.arctan, mpmath.atan), "arcsinh": (0.7, dm.arcsinh, mpmath.asinh), "erf": (0.4, dm.erf, mpmath.erf),
    "arccosh": (2.5, dm.arccosh, mpmath.acosh), "lgamma": (3.2, dm.lgamma, mpmath.loggamma), "gamma": (2.6, dm.gamma, mpmath.gamma),
    "sinh": (0.5, dm.sinh, mpmath.sinh), "log1p": (0.5, dm.log1p, mpmath.log1p), "expm1": (0.5, dm.expm1, mpmath.expm1),
    "x**2.5": (1.3, lambda x: x**2.5, lambda x: x ** mpmath.mpf(2.5)), "x**7": (1.3, lambda x: x**7, lambda x: x**7),
    "x**-3": (1.3, lambda x: x**-3, lambda x: x**-3), "x**x": (1.3, lambda x: x**x, lambda x: x**x),
    "2**x": (1.3, lambda x: 2.0**x, lambda x: mpmath.mpf(2) ** x),
    "1/(1+x*x)": (0.6, lambda x: 1.0 / (1.0 + x * x), lambda x: 1 / (1 + x * x)),
    "sin exp": (0.3, lambda x: dm.sin(dm.exp(x) - 1.0), lambda x: mpmath.sin(mpmath.exp(x) - 1)),
    "quotient": (0.3, lambda x: dm.exp(x) / (dm.cos(x) + x), lambda x: mpmath.exp(x) / (mpmath.cos(x) + x)),
}  # fmt: skip


@pytest.mark.parametrize("name", ELEMENTARY)
def test_twelve_orders_against_mpmath(name):
    """Relative to the size of the coefficients: each is a sum of products of the others."""
    x, f, exact = ELEMENTARY[name]
    with mpmath.workdps(60):
        wanted = np.array([float(c) for c in mpmath.taylor(exact, mpmath.mpf(x), 12)])
    np.testing.assert_allclose(da.taylor(f, x, 12), wanted, rtol=1e-12, atol=1e-14 * np.max(np.abs(wanted)))


@pytest.mark.parametrize(("f", "x", "wanted"), [
    (lambda x: x**3, 0.0, [0, 0, 0, 1, 0]),
    (lambda x: x**0, 0.0, [1, 0, 0, 0, 0]),
    (lambda x: (x * x + x) ** 2, 0.0, [0, 0, 1, 2, 1]),
    (lambda x: (x * x) ** 2, 0.0, [0, 0, 0, 0, 1]),
    (lambda x: x**2.5, 0.0, [0, 0, 0, np.inf, np.inf]),
    (lambda x: 5.0, 1.0, [5, 0, 0, 0, 0]),
    (lambda x: abs(x), -2.0, [2, -1, 0, 0, 0]),
    (lambda x: abs(x), 0.0, [0, 0, 0, 0, 0]),
    (lambda x: np.floor(x) * x, 2.5, [5, 2, 0, 0, 0]),
    (lambda x: np.sqrt(x), 0.0, [0, np.inf]),
    (lambda x: np.where(x > 1.0, np.log(x), x), 0.0, [0, 1, 0]),
])  # fmt: skip
def test_special_points(f, x, wanted):
    with np.errstate(all="ignore"):
        got = da.taylor(f, x, len(wanted) - 1)
    assert got[0] == wanted[0]
    np.testing.assert_array_equal(got, np.array(wanted, float))


def test_order_zero_is_the_value():
    assert da.taylor(dm.sin, 0.5, 0).tolist() == [math.sin(0.5)]
    assert da.taylor(np.sin, 0.5, 1).tolist() == [np.sin(0.5), np.cos(0.5)]


def test_arrays_on_the_way():
    """Sums, views, picks, products and choices carry every coefficient; constants on either side."""
    m = np.arange(6.0).reshape(2, 3) / 7.0

    def f(t):
        v = np.sin(t * np.array([1.0, 2.0, 3.0])) + 1.0
        w = (m @ v) * v[1:] + np.where(np.array([True, False]), v[0] * t, 2.0)
        return np.sum(np.exp(-w) / v[[2, 0]]) + np.sum(v[::-1] @ np.outer(v, m[0])) + np.mean(m * v)

    np.testing.assert_allclose(da.taylor(f, 0.4, 4), nested(f, 0.4, 4), rtol=1e-12)


def test_outputs_keep_their_structure():
    got = da.taylor(lambda t: {"curve": np.array([1.0, 2.0]) * t**2, "constant": 3.0, "pair": (t, np.ones(2))}, 0.5, 2)
    np.testing.assert_allclose(got["curve"], [[0.25, 0.5], [1.0, 2.0], [1.0, 2.0]])
    assert got["constant"].tolist() == [3.0, 0.0, 0.0]
    assert got["pair"][0].tolist() == [0.5, 1.0, 0.0]
    assert got["pair"][1].tolist() == [[1.0, 1.0], [0.0, 0.0], [0.0, 0.0]]


def test_calls_of_python_rules():
    """det of a matrix of the variable: nested derivatives take over."""
    f = lambda t: np.linalg.det(np.eye(2) * t + np.array([[0.0, 1.0], [2.0, 0.0]]))
    np.testing.assert_allclose(da.taylor(f, 3.0, 3), [7.0, 6.0, 1.0, 0.0], atol=1e-12)


def test_inside_another_transformation():
    """The third coefficient of sin, differentiated: -(1/6) d/dx cos x = sin x / 6."""
    assert da.grad(lambda x: da.taylor(np.sin, x, 3)[3])(0.4) == pytest.approx(math.sin(0.4) / 6.0, rel=1e-14)
    assert da.derivative(lambda x: da.taylor(lambda t: t * t * x, 2.0, 2)[2])(0.3) == pytest.approx(1.0)


def test_tensors():
    """Value, gradient, half the Hessian, and third derivatives of x^2 y + y^3 z, exactly."""
    f = lambda x: x[0] ** 2 * x[1] + x[1] ** 3 * x[2]
    x = np.array([1.0, 2.0, 3.0])
    value, gradient, second, third = da.taylor(f, x, 3)
    assert value == f(x)
    np.testing.assert_allclose(gradient, da.grad(f)(x), rtol=1e-14)
    np.testing.assert_allclose(2.0 * second, da.hessian(f)(x), rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(6.0 * third, da.jacfwd(da.hessian(f))(x), rtol=1e-12, atol=1e-12)
    step = np.array([0.1, -0.2, 0.3])
    exact = da.taylor(f, x, 4)
    assert da.taylor_value(exact, step) == pytest.approx(f(x + step), rel=1e-12)


def test_tensors_of_a_matrix_and_of_several_outputs():
    f = lambda m: np.array([[1.0, 2.0]]) @ np.exp(m)
    m = np.array([[0.1, 0.2], [0.3, 0.4]])
    value, jacobian, second = da.taylor(f, m, 2)
    assert [np.shape(t) for t in (value, jacobian, second)] == [(1, 2), (1, 2, 2, 2), (1, 2, 2, 2, 2, 2)]
    np.testing.assert_allclose(jacobian, da.jacobian(f)(m), rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(2.0 * second, da.jacfwd(da.jacfwd(f))(m), rtol=1e-12, atol=1e-12)


def test_arrays_that_numpy_builds_of_traced_floats():
    """np.array([x, ...]) used to be refused as a value of an ended transformation."""
    c = da.taylor(lambda x: {"a": np.array([[x, 1], [x * x, np.sin(x)]]), "b": x**3}, 0.5, 3)
    np.testing.assert_array_equal(c["a"][:, 1, 1], da.taylor(np.sin, 0.5, 3))
    np.testing.assert_array_equal(c["a"][:, 0], [[0.5, 1.0], [1.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    np.testing.assert_array_equal(c["b"], [0.125, 0.75, 1.5, 1.0])
    nested = da.taylor(lambda x: np.array([np.linalg.det(np.stack([x, 0.0, x, 2.0]).reshape(2, 2)), x]), 1.5, 2)
    np.testing.assert_allclose(nested, [[3.0, 1.5], [2.0, 1.0], [0.0, 0.0]], rtol=1e-15)


def test_float32_stays_float32():
    """Computed in double, so that the last bit is right."""
    tensors = da.taylor(lambda x: np.exp(x) * x[::-1], np.array([0.5, 1.0], np.float32), 2)
    for c in (da.taylor(np.exp, np.float32(0.5), 3), *tensors):
        assert c.dtype == np.float32
    np.testing.assert_array_equal(da.taylor(np.exp, np.float32(0.5), 3), da.taylor(np.exp, 0.5, 3).astype(np.float32))


def test_a_zero_dimensional_point_is_a_float():
    """It used to fail in reshape."""
    np.testing.assert_array_equal(da.taylor(np.sin, np.array(0.5), 4), da.taylor(np.sin, 0.5, 4))


def test_a_series_at_every_point_of_an_array():
    x = np.linspace(0.2, 2.0, 7)
    c = da.taylor(lambda t: np.log(x + t) * np.sqrt(x + t), 0.0, 5)
    for i, at in enumerate(x):
        np.testing.assert_allclose(c[:, i], da.taylor(lambda t: np.log(t) * np.sqrt(t), at, 5), rtol=1e-14)


def test_too_many_tensors_are_refused():
    with pytest.raises(ValueError, match=r"order 3 in 1000 variables takes \d+ sweeps; along one direction v it is one"):
        da.taylor(np.sum, np.ones(1000), 3)


MPMATH = {
    "quotient": (lambda x: (1 + x * x) / (2 + np.cos(x)), lambda x: (1 + x * x) / (2 + mpmath.cos(x)), 0.3),
    "power": (lambda x: (1 + x) ** 2.5, lambda x: (1 + x) ** mpmath.mpf("2.5"), 0.3),
    "x**x": (lambda x: x**x, lambda x: x**x, 1.3),
    "composed": (lambda x: np.exp(np.sin(x)), lambda x: mpmath.exp(mpmath.sin(x)), 0.7),
    "inverse functions": (lambda x: np.arcsin(x) * np.arctan(x), lambda x: mpmath.asin(x) * mpmath.atan(x), 0.2),
    "roots": (lambda x: np.cbrt(x) + np.sqrt(x) + x**-3, lambda x: mpmath.cbrt(x) + mpmath.sqrt(x) + x**-3, 1.7),
    "a zero of order 7": (lambda x: x**7 * (1 + x) ** 3, lambda x: x**7 * (1 + x) ** 3, 0.0),
}


@pytest.mark.parametrize("name", MPMATH)
def test_forty_orders_against_mpmath(name):
    """Each coefficient relative to the largest of its neighbours (one of them may be nearly zero)."""
    f, g, x = MPMATH[name]
    with mpmath.workdps(80):
        wanted = mpmath.taylor(g, mpmath.mpf(x), 40)
        near = [max(abs(w) for w in wanted[max(0, k - 3) : k + 4]) for k in range(41)]
        for have, want, scale in zip(da.taylor(f, x, 40), wanted, near, strict=True):
            assert abs(mpmath.mpf(have) - want) <= 1e-13 * scale


def test_tensors_against_mpmath():
    """Mixed derivatives to order 6; polarization loses about half a digit an order."""
    c = da.taylor(lambda x: np.exp(x[0] * x[1]) * np.sin(x[0]) / (2.0 + x[1]), np.array([0.3, -0.6]), 6)
    with mpmath.workdps(60):
        g = lambda a, b: mpmath.exp(a * b) * mpmath.sin(a) / (2 + b)
        for k in range(1, 7):
            wanted = np.array([float(mpmath.diff(g, (mpmath.mpf(0.3), mpmath.mpf(-0.6)), (k - j, j))) for j in range(k + 1)])
            have = np.array([c[k][(0,) * (k - j) + (1,) * j] for j in range(k + 1)]) * math.factorial(k)
            np.testing.assert_allclose(have, wanted, rtol=0.0, atol=1e-13 * np.max(np.abs(wanted)))


def test_taylor_value_of_containers():
    """A tuple used to be summed as one array of coefficients: a wrong number."""
    assert da.taylor_value(da.taylor(lambda x: (x, x * x), 1.0, 2), 0.5) == (1.5, 2.25)
    assert da.taylor_value(da.taylor(lambda x: {"a": [x]}, 1.0, 2), 0.5) == {"a": [1.5]}
    found = da.taylor_value(da.taylor(lambda x: {"a": x[0] * x[1], "b": x}, np.ones(2), 2), np.array([0.5, 0.25]))
    assert found["a"] == 1.875
    np.testing.assert_array_equal(found["b"], [1.5, 1.25])
    np.testing.assert_allclose(da.taylor_value(da.taylor(np.exp, 0.0, 20), np.array([0.0, 1.0])), [1.0, math.e], rtol=1e-15)
    with pytest.raises(ValueError, match="belong together"):
        da.taylor_value(da.taylor(lambda x: x @ x, np.ones(2), 2), 1.0)


def test_f_runs_once():
    runs = []
    f = lambda x: runs.append(1) or np.sum(np.sin(x) * x[::-1])
    da.taylor(f, np.ones(3), 4)
    assert len(runs) == 1
    da.taylor(lambda x: runs.append(1) or np.sin(x), 0.5, 30)
    assert len(runs) == 2


@pytest.mark.parametrize("order", [-1, 1.5, True, "2"])
def test_bad_orders(order):
    with pytest.raises(ValueError, match="whole number"):
        da.taylor(np.sin, 0.5, order)


def test_bad_points():
    with pytest.raises(TypeError, match="integer"):
        da.taylor(np.sin, 1, 2)
    with pytest.raises(TypeError, match="taylor"):
        da.taylor(3.0, 1.0, 2)
    with pytest.raises(ValueError, match="belong together"):
        da.taylor_value(da.taylor(lambda x: x[0] * x[1], np.ones(2), 2), np.ones(3))


def test_words_of_every_row():
    """The postfix of each partial, run on numbers, gives the partial: the drift test of the third reader of the table."""
    operations = {"add": lambda a, b: a + b, "subtract": lambda a, b: a - b, "multiply": lambda a, b: a * b,
                  "divide": lambda a, b: a / b if b else math.inf}
    conditions = {"less": lambda a, b: a < b, "less_equal": lambda a, b: a <= b, "equal": lambda a, b: a == b}
    names = {row["code"]: row["name"] for row in ROWS.values()}

    def run(words, x, y, v):
        stack, i = [], 0
        while words[i][0] != "end":
            word, code, number = words[i]
            if word in ("x", "y", "v"):
                stack.append({"x": x, "y": y, "v": v}[word])
            elif word == "constant":
                stack.append(number)
            elif word == "negate":
                stack.append(-stack.pop())
            elif word == "jump":
                i += code
            elif word == "function1":
                stack.append(_core.MATH[names[code]](stack.pop()))
            else:
                b, a = stack.pop(), stack.pop()
                if word in conditions:
                    i += 0 if conditions[word](a, b) else code
                else:
                    stack.append(_core.MATH[names[code]](a, b) if word == "function2" else operations[word](a, b))
            i += 1
        (result,) = stack
        return result

    for name, row in ROWS.items():
        x, y = (DOMAINS[row["domain"]], 0.0) if row["arity"] == 1 else PAIRS[row["domain"]]
        v = _core.MATH[name](x) if row["arity"] == 1 else _core.MATH[name](x, y)
        px, py = _core.row_partials(row["code"], x, y, v)
        assert run(series.words(row["dx"]), x, y, v) == pytest.approx(px, rel=1e-15, nan_ok=True), name
        if row["arity"] == 2:
            assert run(series.words(row["dy"]), x, y, v) == pytest.approx(py, rel=1e-15, nan_ok=True), name


@pytest.mark.parametrize(("f", "exact"), [
    (lambda x: (x * x) ** 1.5, [0.0, 0.0, 0.0, np.nan, np.nan, np.nan, np.nan, np.nan, np.nan]),  # |x|^3
    (lambda x: (x**4) ** 1.5, [0.0] * 6 + [1.0, 0.0, 0.0]),
    (lambda x: (x**4 * (4.0 + x)) ** 1.5, [0.0] * 6 + [8.0, 3.0, 0.1875]),
    (lambda x: (x * x * (4.0 + x)) ** 3.0, [0.0] * 6 + [64.0, 48.0, 12.0]),
    (lambda x: (-x * x) ** 1.5, [0.0, 0.0, 0.0] + [np.nan] * 6),
    (lambda x: (x * x) ** 0.75, [0.0, 0.0] + [np.nan] * 7),
    (lambda x: x**1.5, [0.0, 0.0] + [np.inf] * 7),
    (lambda x: x**2.0 * 1.0, [0.0, 0.0, 1.0] + [0.0] * 6),
])  # fmt: skip
def test_powers_of_what_begins_at_zero(f, exact):
    """(x * x) ** 1.5 was infinite from the second coefficient on: x^y = t^(m y) u^y where x = t^m u."""
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(da.taylor(f, 0.0, 8), exact, rtol=1e-14, atol=0)

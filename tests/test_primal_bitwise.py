"""Tracing never changes the user's numbers: every covered function returns, traced, the bits it returns untraced.

The rows of csrc/ops.def are drawn from the table, the functions from the registry that dispatch reads: an operation that is
added is tested without a line here, as long as a call of one matrix fits it (else it needs an entry in CALLS).
"""

import math
import operator

import numpy as np
import pytest

import dualad as da
from dualad import _core
from dualad.rules.dispatch import GUFUNCS, METHODS
from dualad.rules.passing import PLAIN
from dualad.rules.primitive import FUNCTIONS

ROWS = {row["name"]: row for row in _core.rows()}
SPECIAL = np.array([0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 3.0, 1e-320, 1e-200, 1e200, -1e200, 710.0, -745.0, np.inf, -np.inf, np.nan])


def bits(x):
    """The bytes of x, with every NaN the same (its sign is the processor's affair)."""
    x = np.array(x)
    assert x.dtype != object
    return np.where(np.isnan(x), np.nan, x).tobytes() if x.dtype.kind == "f" else x.tobytes()


def assert_same(got, want):
    if isinstance(want, (tuple, list)):
        assert len(got) == len(want)
        for g, w in zip(got, want, strict=True):
            assert_same(g, w)
        return
    assert np.shape(got) == np.shape(want)
    assert np.asarray(got).dtype == np.asarray(want).dtype
    assert bits(got) == bits(want), (got, want)


def assert_untouched(f, *args):
    """f's values in forward mode, in reverse mode, and two levels deep in either."""
    with np.errstate(all="ignore"):
        want = f(*args)
        ones = tuple(np.ones_like(x) if isinstance(x, (np.ndarray, np.generic)) else 1.0 for x in args)
        assert_same(da.jvp(f, args, ones)[0], want)
        assert_same(da.vjp(f, *args)[0], want)
        inner = {}

        def forward(*xs):
            inner["jvp"] = da.value(da.jvp(f, xs, ones)[0])
            return xs[0]

        def reverse(*xs):
            inner["vjp"] = da.value(da.vjp(f, *xs)[0])
            return xs[0]

        for outer in (forward, reverse):
            da.jvp(outer, args, ones)
            da.vjp(outer, *args)
            assert_same(inner.popitem()[1], want)


def arrays(rng):
    """Contiguous of many lengths (vector loops have tails), strided, transposed, reversed, 0-d, empty, special values."""
    for n in (1, 2, 3, 7, 8, 33, 130):
        yield rng.normal(size=n)
    yield 10.0 ** rng.uniform(-300, 300, 40) * rng.choice([-1.0, 1.0], 40)
    yield rng.normal(size=24)[::3]
    yield rng.normal(size=(5, 4)).T
    yield rng.normal(size=(6, 4))[::-2, 1:]
    yield np.array(0.7)
    yield np.zeros((0, 3))
    yield SPECIAL


def ufunc_of(name):
    return getattr(np, name) if isinstance(getattr(np, name, None), np.ufunc) else _core.OWN_UFUNCS[name]


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_ufuncs_of_arrays(name):
    """np.f of float64 arrays of every layout."""
    f, rng = ufunc_of(name), np.random.default_rng(0)
    for x in arrays(rng):
        if ROWS[name]["arity"] == 1:
            assert_untouched(f, x)
            continue
        order = ROWS[name]["domain"] == "ORDER"  # derivatives of sinc and digamma: the second operand counts them
        y = np.full(x.shape, 2.0) if order else rng.permutation(x.ravel()).reshape(x.shape)
        assert_untouched(f, x, y)
        assert_untouched(lambda u, y=y: f(u, y), x)
        assert_untouched(lambda u, x=x: f(x, u), y)
        assert_untouched(lambda u: f(u, 2.0), x)
        if not order:
            assert_untouched(lambda u: f(2.5, u), x)
            assert_untouched(f, x, x[..., :1] if x.ndim else x)


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_ufuncs_of_float32_arrays_stay_float32(name):
    """np.f of float32 arrays: NumPy's dtype (float_power makes float64 itself) and bits, and tangents of the same dtype."""
    f, rng = ufunc_of(name), np.random.default_rng(1)
    x = rng.uniform(0.1, 0.9, 37).astype(np.float32)
    args = (x,) if ROWS[name]["arity"] == 1 else (x, np.full(37, 2.0, np.float32) if ROWS[name]["domain"] == "ORDER" else x[::-1])
    assert_untouched(f, *args)


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_ufuncs_of_floats(name):
    """np.f of one float is NumPy's loop, not libm's."""
    f = ufunc_of(name)
    for x in np.concatenate([SPECIAL, np.random.default_rng(2).normal(size=12) * 3.0]).tolist():
        if ROWS[name]["arity"] == 1:
            assert_untouched(f, x)
        else:
            for y in (2.0,) if ROWS[name]["domain"] == "ORDER" else (2.0, -1.3, 0.0, 1e-3):
                assert_untouched(f, x, y)


PYTHON = {
    "arcsin": math.asin,
    "arccos": math.acos,
    "arctan": math.atan,
    "arcsinh": math.asinh,
    "arccosh": math.acosh,
    "arctanh": math.atanh,
    "arctan2": math.atan2,
    "power": math.pow,
    "absolute": math.fabs,
    "deg2rad": math.radians,
    "rad2deg": math.degrees,
}
# Python's floor, ceil and trunc give integers, its remainder is another function, its gamma and lgamma are not libm's.
NOT_LIBM = {"floor", "ceil", "trunc", "remainder", "gamma", "lgamma"}
LIBM = {name: PYTHON.get(name) or getattr(math, name, None) for name in ROWS if name not in NOT_LIBM}


@pytest.mark.parametrize("name", sorted(name for name, f in LIBM.items() if f is not None))
def test_math_functions_are_libm(name):
    """dualad.math of a float, a dual and a recorded scalar: Python's math module, bit for bit, errors included."""
    ours, theirs = getattr(da.math, name), LIBM[name]
    for x in np.concatenate([SPECIAL, np.random.default_rng(3).normal(size=40), [20.0, 171.5]]).tolist():
        points = [(x,)] if ROWS[name]["arity"] == 1 else [(x, 1.7), (abs(x), -0.4), (2.0, x)]
        for args in points:
            try:
                want = theirs(*args)
            except (ValueError, OverflowError) as error:
                for call in (
                    lambda a=args: ours(*a),
                    lambda a=args: da.vjp(ours, *a),
                    lambda a=args: da.jvp(ours, a, (1.0,) * len(a)),
                ):
                    with pytest.raises(type(error)):
                        call()
                continue
            assert bits(ours(*args)) == bits(want)
            assert_untouched(ours, *args)
            assert bits(da.jvp(ours, args, (1.0,) * len(args))[0]) == bits(want)


@pytest.mark.parametrize("scale", [1.0, 1e-100, 1e140, 1e153, 1e-160])
def test_squares_are_libms(scale):
    """x**2 takes a short way where rounding leaves no doubt: the same bits as pow, near halfway cases too."""
    values = np.random.default_rng(3).uniform(-3.0, 3.0, 20000) * scale
    near_half = 1.0 + np.arange(1, 20000) * 2.0**-27 + 2.0**-53  # squares with an odd bit right after the last
    for x in [*values.tolist(), *near_half.tolist()]:
        try:
            want = math.pow(x, 2.0)
        except OverflowError:
            want = math.inf
        assert (da.Dual(x, 1.0) ** 2).primal == want


OPERATORS = [
    operator.add,
    operator.sub,
    operator.mul,
    operator.truediv,
    operator.floordiv,
    operator.mod,
    operator.pow,
    divmod,
    operator.lt,
    operator.le,
    operator.eq,
    operator.ne,
    operator.gt,
    operator.ge,
]


@pytest.mark.parametrize("op", OPERATORS, ids=lambda op: op.__name__)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_operators_of_floats_are_pythons(op):
    """t op u, t op 2.0, 2.0 op t of traced floats: Python's own float arithmetic."""
    values = [0.5, -1.25, 3.0, 7.3, -2.0, 1e-3, 1e200, 1e-320]
    for x in values:
        for y in values:
            if op is operator.pow and (x < 0.0 or abs(y) > 10.0):
                continue  # Python gives a complex number, or raises OverflowError
            try:
                want = op(x, y)
            except OverflowError:
                continue
            seen = []
            for f in (lambda a, b: op(a, b), lambda a, b, y=y: op(a, y), lambda a, b, x=x: op(x, b)):
                da.jvp(lambda a, b, f=f: seen.append(da.value(f(a, b))) or a, (x, y), (1.0, 1.0))
                da.vjp(lambda a, b, f=f: seen.append(da.value(f(a, b))) or a, x, y)
            for got in seen:
                assert_same(got, want)


@pytest.mark.parametrize("name", ["gamma", "lgamma", "digamma", "erf", "erfc"])
def test_special_functions_of_traced_floats_are_those_of_floats(name):
    f = getattr(da.math, name)
    for x in np.random.default_rng(5).uniform(0.05, 30.0, 60).tolist():
        assert_untouched(f, x)


def test_unary_operators_of_floats_are_pythons():
    for x in SPECIAL.tolist():
        for op in (operator.neg, operator.pos, abs):
            assert_untouched(op, x)


RNG = np.random.default_rng(4)
A, V, S = RNG.normal(size=(4, 4)), RNG.normal(size=6), 0.7
SPD = A @ A.T + 4.0 * np.eye(4)
POS = np.abs(A) + 0.1
MASK = A > 0.0


def plainly(f, *args):
    return f(*args)


#: how a covered function is called, where f(matrix) is not a call of it
CALLS = {
    np.moveaxis: (lambda f, x: f(x, 0, 1), A),
    np.swapaxes: (lambda f, x: f(x, 0, 1), A),
    np.rollaxis: (lambda f, x: f(x, 1), A),
    np.expand_dims: (lambda f, x: f(x, 1), A),
    np.split: (lambda f, x: f(x, 2), A),
    np.array_split: (lambda f, x: f(x, 3), A),
    np.hsplit: (lambda f, x: f(x, 2), A),
    np.vsplit: (lambda f, x: f(x, 2), A),
    np.dsplit: (lambda f, x: f(x[None], 2), A),
    np.broadcast_to: (lambda f, x: f(x, (3, 4, 4)), A),
    np.lib.stride_tricks.sliding_window_view: (lambda f, x: f(x, (2, 3)), A),
    np.roll: (lambda f, x: f(x, 1, 0), A),
    np.repeat: (lambda f, x: f(x, 2, 1), A),
    np.take: (lambda f, x: f(x, [0, 2, 2]), A),
    np.resize: (lambda f, x: f(x, (3, 7)), A),
    np.tile: (lambda f, x: f(x, (2, 1)), A),
    np.delete: (lambda f, x: f(x, 1, 0), A),
    np.take_along_axis: (lambda f, x: f(x, np.argsort(x, axis=1), 1), A),
    np.compress: (lambda f, x: f([True, False, True], x, 0), A),
    np.extract: (lambda f, x: f(MASK, x), A),
    np.append: (lambda f, x: f(x, V), A),
    np.insert: (lambda f, x, s: f(x, 2, s, axis=1), A, S),
    np.concatenate: (lambda f, x: f([x, x * 2.0, np.ones((1, 4))]), A),
    np.stack: (lambda f, x: f([x, x + 1.0]), A),
    np.vstack: (lambda f, x: f([x, x]), A),
    np.hstack: (lambda f, x: f([x, x]), A),
    np.dstack: (lambda f, x: f([x, x]), A),
    np.column_stack: (lambda f, x: f([x, x]), V),
    np.block: (lambda f, x, s: f([[x, np.ones((4, 1))], [np.zeros((1, 4)), s]]), A, S),
    np.reshape: (lambda f, x: f(x, (2, 8), order="F"), A),
    np.trim_zeros: (plainly, np.array([0.0, 1.5, 0.0])),
    np.astype: (lambda f, x: f(x, np.float32), A),
    _core.ASTYPE: (lambda f, x: x.astype(np.float32), A),
    _core.GETITEM: (lambda f, x: (x[1, 2], x[1:, ::-1], x[[0, 0, 1]], x[x > 0.0], x[..., None]), A),
    np.full_like: (plainly, A, S),
    np.linspace: (lambda f, a, b: f(a, b, 13), S, 2.3),
    np.logspace: (lambda f, a, b: f(a, b, 7), S, 2.3),
    np.geomspace: (lambda f, a, b: f(a, b, 7), S, 2.3),
    np.meshgrid: (lambda f, x, y: f(x, y), V, V[:2]),
    np.pad: (lambda f, x: f(x, 2, "reflect"), A),
    np.shares_memory: (lambda f, x: f(x, x), A),
    np.may_share_memory: (lambda f, x: f(x, x), A),
    np.interp: (lambda f, x: f(x, [-1.0, 0.0, 0.5], [2.0, 1.0, 4.0]), A),
    np.bincount: (lambda f, w: f([0, 3, 3, 1, 0, 3], w), V),
    np.apply_along_axis: (lambda f, x: f(lambda row: row / np.sum(row), 1, x), A),
    np.apply_over_axes: (lambda f, x: f(np.sum, x, (0, 1)), A),
    np.ediff1d: (plainly, V),
    np.where: (lambda f, x, y: f(MASK, x, y), A, SPD),
    np.choose: (lambda f, x, y: f(MASK.astype(int), [x, y]), A, SPD),
    np.select: (lambda f, x: f([MASK, A < -1.0], [x * x, x], 7.0), A),
    np.piecewise: (lambda f, x: f(x, [x < 0.0], [np.exp, 3.0]), V),
    np.clip: (lambda f, x: f(x, -0.5, 0.5), A),
    np.linalg.matmul: (plainly, A, SPD),
    np.linalg.matrix_power: (lambda f, x: f(x, 3), A),
    np.linalg.vecdot: (plainly, A, SPD),
    np.dot: (plainly, A, SPD),
    np.inner: (plainly, A, SPD),
    np.vdot: (plainly, A, SPD),
    np.outer: (plainly, V, V[:2]),
    np.linalg.outer: (plainly, V, V[:2]),
    np.tensordot: (lambda f, x, y: f(x, y, 1), A, SPD),
    np.linalg.tensordot: (lambda f, x, y: f(x, y, axes=1), A, SPD),
    np.kron: (plainly, A, SPD),
    np.linalg.multi_dot: (lambda f, x, y: f([x, y, x]), A, SPD),
    np.einsum: (lambda f, x, y: f("ij,kj->ik", x, y), A, SPD),
    np.einsum_path: (lambda f, x: float(len(f("ij->i", x)[1])), A),
    np.cross: (plainly, A[:, :3], SPD[:, :3]),
    np.linalg.cross: (plainly, A[:, :3], SPD[:, :3]),
    np.correlate: (plainly, V, V[:2]),
    np.convolve: (plainly, V, V[:2]),
    np.polyval: (plainly, V, S),
    np.linalg.solve: (plainly, SPD, A),
    np.linalg.eigh: (lambda f, x: tuple(f(x)), SPD),
    np.linalg.slogdet: (lambda f, x: tuple(f(x)), A),
    np.linalg.svd: (lambda f, x: f(x, compute_uv=False), A),
    np.quantile: (lambda f, x: f(x, 0.3), A),
    np.percentile: (lambda f, x: f(x, 30.0), A),
    np.partition: (lambda f, x: f(x, 2), A),
    np.cumulative_sum: (lambda f, x: f(x, axis=0), A),
    np.cumulative_prod: (lambda f, x: f(x, axis=0), A),
    np.histogram2d: (plainly, V, V[::-1]),
    np.matmul: (plainly, A, SPD),
    np.vecdot: (plainly, A, SPD),
    np.matvec: (plainly, A, V[:4]),
    np.vecmat: (plainly, V[:4], A),
    np.divmod: (plainly, A, POS),
    np.modf: (plainly, SPECIAL[:-1]),
    np.frexp: (plainly, SPECIAL[:-1]),
    np.ldexp: (lambda f, x: f(x, [3, -1, 0, 60]), A),
}
#: single matrices on which f(matrix) is a call that does not work on A
MATRICES = {np.linalg.cholesky: SPD, np.linalg.eigvalsh: SPD}
#: writers, which raise (tests/test_indexing.py), and a helper of np.piecewise
NOT_CALLED = {np.fill_diagonal, np.put_along_axis, np.copyto, np.put, np.place, np.putmask}
COVERED = [
    f
    for f in [*FUNCTIONS, *GUFUNCS]
    if f not in PLAIN and f not in NOT_CALLED and not (callable(f) and getattr(f, "__module__", "").startswith("dualad"))
]


def name_of(f):
    return f if isinstance(f, str) else f"{f.__module__}.{f.__name__}" if hasattr(f, "__module__") else f.__name__


@pytest.mark.parametrize("function", COVERED, ids=name_of)
def test_every_covered_function(function):
    call, *args = CALLS.get(function, (plainly, MATRICES.get(function, A)))
    assert_untouched(lambda *xs: call(function, *xs), *args)


@pytest.mark.parametrize("key", METHODS, ids=lambda k: f"{k[0].__name__ if k[0] else 'any'}.{k[1]}")
def test_every_covered_ufunc_method(key):
    ufunc, method = key
    call = getattr(ufunc or np.multiply, method)
    if method == "outer":
        assert_untouched(call, V, A)
    elif method == "reduceat":
        assert_untouched(lambda x: call(x, [0, 2]), A)
    else:
        assert_untouched(call, A)

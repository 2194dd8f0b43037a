"""Functions that only look at values: on traced arguments they see plain numbers and give NumPy's plain result."""

import numbers

import numpy as np
import pytest

import dualad as da
from dualad import _core
from dualad.rules.passing import PLAIN
from dualad.rules.primitive import FUNCTIONS

RNG = np.random.default_rng(0)
M = np.round(RNG.normal(size=(3, 4)), 1)
N = RNG.integers(0, 5, 6).astype(float)

CALLS = {
    np.shape: [lambda x: np.shape(x), lambda x: np.shape([x[0, 0], x[0, 1]])],
    np.ndim: [lambda x: np.ndim(x), lambda x: np.ndim(x[0, 0])],
    np.size: [lambda x: np.size(x), lambda x: np.size(x, 1)],
    np.all: [lambda x: np.all(x), lambda x: np.all(x > -9.0, axis=0), lambda x: (x > 0.0).all()],
    np.any: [lambda x: np.any(x), lambda x: np.any(x, axis=1, keepdims=True)],
    np.allclose: [lambda x: np.allclose(x, x + 1e-12), lambda x: np.allclose(1.0, x)],
    np.isclose: [lambda x: np.isclose(x, M)],
    np.array_equal: [lambda x: np.array_equal(x, M), lambda x: np.array_equal(x, x.T)],
    np.array_equiv: [lambda x: np.array_equiv(x, M)],
    np.argmax: [lambda x: np.argmax(x), lambda x: np.argmax(x, axis=1), lambda x: x.argmax(0)],
    np.argmin: [lambda x: np.argmin(x, axis=0, keepdims=True), lambda x: x.argmin()],
    np.nanargmax: [lambda x: np.nanargmax(x, axis=1)],
    np.nanargmin: [lambda x: np.nanargmin(x)],
    np.argsort: [lambda x: np.argsort(x), lambda x: np.argsort(x, axis=0, kind="stable"), lambda x: x.argsort()],
    np.argpartition: [lambda x: np.argpartition(x, 2)],
    np.nonzero: [lambda x: np.nonzero(x), lambda x: x.nonzero()],
    np.flatnonzero: [lambda x: np.flatnonzero(x > 0.0), lambda x: np.flatnonzero(x)],
    np.argwhere: [lambda x: np.argwhere(x > 0.0), lambda x: np.argwhere(x)],
    np.lexsort: [lambda x: np.lexsort((x[0], x[1]))],
    np.searchsorted: [lambda x: np.searchsorted(np.sort(x[0]), x[1]), lambda x: np.searchsorted([0.0, 1.0], x)],
    np.digitize: [lambda x: np.digitize(x, [-1.0, 0.0, 1.0])],
    np.isin: [lambda x: np.isin(x, M[0])],
    np.isreal: [lambda x: np.isreal(x)],
    np.iscomplex: [lambda x: np.iscomplex(x)],
    np.isrealobj: [lambda x: np.isrealobj(x)],
    np.iscomplexobj: [lambda x: np.iscomplexobj(x)],
    np.isposinf: [lambda x: np.isposinf(x)],
    np.isneginf: [lambda x: np.isneginf(x)],
    np.result_type: [lambda x: np.result_type(x, np.float32), lambda x: np.result_type(x)],
    np.can_cast: [lambda x: np.can_cast(x.dtype, np.float32)],
    np.min_scalar_type: [lambda x: np.min_scalar_type(x)],
    np.common_type: [lambda x: np.common_type(x, np.ones(1, np.float32))],
    np.unravel_index: [lambda x: np.unravel_index(np.argmax(x), x.shape)],
    np.ravel_multi_index: [lambda x: np.ravel_multi_index((1, 2), np.shape(x))],
    np.shares_memory: [lambda x: np.shares_memory(x, x[1:]), lambda x: np.shares_memory(x, M + 1.0)],
    np.may_share_memory: [lambda x: np.may_share_memory(x[0], x)],
    np.histogram_bin_edges: [lambda x: np.histogram_bin_edges(x, 5)],
    np.histogram: [lambda x: np.histogram(x, 4), lambda x: np.histogram(x, [-1.0, 0.0, 1.0], density=True)],
    np.histogram2d: [lambda x: np.histogram2d(x[0], x[1], 3)],
    np.histogramdd: [lambda x: np.histogramdd(x.T, 2)],
    np.array_repr: [lambda x: np.array_repr(x)],
    np.array_str: [lambda x: np.array_str(x)],
    np.array2string: [lambda x: np.array2string(x, precision=2)],
    np.count_nonzero: [lambda x: np.count_nonzero(x > 0.0, axis=1), lambda x: np.count_nonzero(x)],
    np.ix_: [lambda x: np.ix_(x[0] > 0.0, [1, 2])],
    np.zeros_like: [lambda x: np.zeros_like(x), lambda x: np.zeros_like(x[0, 0])],
    np.ones_like: [lambda x: np.ones_like(x, dtype=np.float32, shape=(2,))],
    np.empty_like: [lambda x: np.empty_like(x).shape],
    np.diag_indices_from: [lambda x: np.diag_indices_from(x[:, :3])],
    np.tril_indices_from: [lambda x: np.tril_indices_from(x)],
    np.triu_indices_from: [lambda x: np.triu_indices_from(x, 1)],
    # no protocol asks us here: these see a traced value as it is
    np.iterable: [lambda x: np.iterable(x), lambda x: np.iterable(x[0, 0])],
    np.isscalar: [lambda x: np.isscalar(x), lambda x: np.isscalar(x[0, 0])],
    np.promote_types: [lambda x: np.promote_types(x.dtype, np.float32)],
    np.issubdtype: [lambda x: np.issubdtype(x.dtype, np.floating)],
    np.typename: [lambda x: np.typename(x.dtype.char)],
    np.broadcast_shapes: [lambda x: np.broadcast_shapes(x.shape, (4,))],
}
CASES = [(f, i) for f, calls in CALLS.items() for i in range(len(calls))]


def assert_plain_and_equal(got, want):
    assert type(got) is type(want) or (isinstance(got, (bool, np.bool_)) and isinstance(want, (bool, np.bool_)))
    if isinstance(want, (tuple, list)):
        for g, w in zip(got, want, strict=True):
            assert_plain_and_equal(g, w)
    else:
        assert not isinstance(got, _core.Traced)
        if isinstance(want, np.ndarray):
            assert got.dtype == want.dtype
        np.testing.assert_array_equal(got, want)


def looked_at(look, x):
    """What `look` sees of x in forward mode, in reverse mode, and two levels deep."""
    seen = []
    both = (lambda g: da.jvp(g, (x,), (x,)), lambda g: da.vjp(g, x))
    for outer in both:
        outer(lambda t: seen.append(look(t)) or t)
        for inner in (lambda g, t: da.jvp(g, (t,), (x,))[0], lambda g, t: da.vjp(g, t)[0]):
            outer(lambda t, inner=inner: inner(lambda u: seen.append(look(u)) or u * 1.0, t))
    return seen


@pytest.mark.parametrize(("f", "i"), CASES, ids=[f"{f.__name__}-{i}" for f, i in CASES])
def test_the_plain_result(f, i):
    look = CALLS[f][i]
    for x in (M, M.astype(np.float32)):
        if f is np.isscalar and i == 1 and x.dtype == np.float32:
            continue  # a float32 scalar is carried by the type that carries arrays
        seen = looked_at(look, x)
        assert len(seen) >= 6
        for got in seen[:1] + seen[3:4] if f is np.isscalar else seen:
            assert_plain_and_equal(got, look(x))


def test_every_function_that_passes_is_called_here():
    assert set(PLAIN) <= set(CALLS)
    assert set(PLAIN) <= set(FUNCTIONS)


def test_what_passes_is_a_constant_to_the_derivative():
    """x * zeros_like(x), x[argmax] and a branch on a test differentiate as if the look were a number."""
    f = lambda x: np.sum(x * np.ones_like(x)) * (2.0 if np.all(x > 0.0) else 3.0) + x[np.argmax(x)]
    x = np.array([1.0, 3.0, 2.0])
    np.testing.assert_array_equal(da.grad(f)(x), [2.0, 3.0, 2.0])
    np.testing.assert_array_equal(da.jacfwd(f)(x), [2.0, 3.0, 2.0])


def test_looks_return_copies():
    """A plain array handed out of a trace does not show the tape, which is used again for the next recording."""
    kept = []
    da.grad(lambda x: kept.append(da.value(x)) or np.sum(x))(np.ones(3))
    da.grad(lambda x: np.sum(x * 5.0))(np.full(3, 7.0))
    np.testing.assert_array_equal(kept[0], np.ones(3))


def test_traced_scalars_are_numbers():
    for outer in (
        lambda f: da.jvp(f, (2.0,), (1.0,)),
        lambda f: da.vjp(f, 2.0),
        lambda f: da.jacfwd(lambda p: f(p[0]))([2.0, 3.0]),
    ):
        outer(lambda t: (np.isscalar(t) and isinstance(t, numbers.Number) and t) or pytest.fail("not a number"))
    assert not isinstance(da.vjp(lambda x: x, np.ones(2))[0], numbers.Number)


@pytest.mark.parametrize("text", [repr, str, "{}".format, "{0!r}".format, np.array_str])
def test_printing_shows_the_values(text):
    for x in (np.array([0.5, -1.25]), np.array([0.5], np.float32)):
        for got in looked_at(text, x):
            assert "0.5" in got
            assert "Error" not in got


def test_weights_of_a_histogram_are_not_lost():
    for f in (
        lambda w: np.histogram2d(np.arange(4.0), np.arange(4.0), weights=w)[0],
        lambda w: np.histogramdd(np.ones((4, 2)), weights=w)[0],
    ):
        with pytest.raises(NotImplementedError, match=r"numpy\.histogram.*bincount"):
            da.vjp(f, np.ones(4))


def test_comparisons_give_plain_truths():
    x = np.array([1.0, 2.0])
    for f in (
        lambda t: t > 1.5,
        lambda t: t == x,
        lambda t: x <= t,
        lambda t: t != t,
        lambda t: t[0] < t[1],
        lambda t: 1.5 >= t[0],
    ):
        for got in looked_at(f, x):
            assert_plain_and_equal(got, f(x))

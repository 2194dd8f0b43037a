"""Indexing and selection: every form of x[...], np.take and its kin, np.where and its kin, and the writes that raise."""

import numpy as np
import pytest
from array_laws import float32_kept, obeys_the_laws, same_bits

import dualad as da
from dualad.reverse import record

RNG = np.random.default_rng(0)
V, M, Q, SQ = RNG.normal(size=6), RNG.normal(size=(3, 4)), RNG.normal(size=(2, 3, 4)), RNG.normal(size=(4, 4))
S = 0.7

KEYS = {
    "x[i]": (V, 2),
    "x[-1] of a matrix": (M, -1),
    "x[np.int64]": (V, np.int64(2)),
    "x[i, j]": (M, (1, -2)),
    "x[i, j, k]": (Q, (1, 2, 3)),
    "x[i:j]": (V, slice(1, 4)),
    "x[i:j:k]": (V, slice(5, 0, -2)),
    "x[::-1]": (V, slice(None, None, -1)),
    "x[9:]": (V, slice(9, None)),
    "x[None]": (V, None),
    "x[:, None]": (V, (slice(None), None)),
    "x[...]": (M, ...),
    "x[()]": (M, ()),
    "x[..., 0]": (Q, (..., 0)),
    "x[0, ..., None, 1]": (Q, (0, ..., None, 1)),
    "x[1, ::2]": (M, (1, slice(None, None, 2))),
    "x[mask]": (V, np.array([True, False, True, True, False, False])),
    "x[mask] of a matrix": (M, M > 0.0),
    "x[mask of rows]": (M, np.array([True, False, True])),
    "x[:, mask]": (M, (slice(None), np.array([True, False, True, True]))),
    "x[no element]": (M, np.zeros((3, 4), bool)),
    "x[True]": (V, True),
    "x[np.False_]": (V, np.False_),
    "x[list]": (V, [0, 2, 5]),
    "x[repeated]": (V, [0, 2, 2, 2, -4]),
    "x[list, list]": (M, ([0, 1, 0], [1, 2, 1])),
    "x[array of rank 2]": (V, np.array([[0, 1], [1, 5]])),
    "x[:, list]": (M, (slice(None), [0, 0, 1])),
    "x[list, :, 0]": (Q, ([0, 1], slice(None), 0)),
    "x[list, None, list]": (M, ([0, 1], None, [1, 2])),
    "x[list, ..., list]": (Q, ([0, 1], ..., [1, 2])),
    "x[ix_]": (M, np.ix_([0, 2], [1, 3])),
    "x[argsort]": (V, np.argsort(V)),
    "x[argmax]": (V, np.argmax(V)),
    "x[unravel_index]": (M, np.unravel_index(np.argmax(M), M.shape)),
    "x[nonzero]": (M, np.nonzero(M > 0.0)),
    "x[tril_indices]": (SQ, np.tril_indices(4)),
    "x[diag_indices]": (SQ, np.diag_indices(4)),
    "x[empty list]": (V, []),
    "x[uint8]": (V, np.array([3, 1], np.uint8)),
}


@pytest.mark.parametrize("case", KEYS)
def test_laws_of_keys(case):
    x, key = KEYS[case]
    if np.size(x[key]):
        obeys_the_laws(lambda x: x[key] * 1.0, x)
        obeys_the_laws(lambda x: x[key], x)
        return
    out, tangent = da.jvp(lambda x: x[key], (x,), (x,))
    same_bits((out, tangent), (x[key], x[key]))
    out, pullback = da.vjp(lambda x: x[key], x)
    same_bits(out, x[key])
    np.testing.assert_array_equal(pullback(out)[0], np.zeros(x.shape))


@pytest.mark.parametrize("case", KEYS)
def test_keys_keep_float32(case):
    x, key = KEYS[case]
    if np.size(x[key]):
        float32_kept(lambda x: x[key], x)


@pytest.mark.parametrize("case", ["x[i:j]", "x[repeated]", "x[..., 0]", "x[mask] of a matrix", "x[i, j]"])
def test_keys_of_views(case):
    """An index into a view of a view."""
    x, key = KEYS[case]
    obeys_the_laws(lambda x: np.exp(x[::-1])[key] * x.T.T[::-1][key], x)


FORMS = {
    "x[x > c]": (lambda x: x[x > 0.0], M),
    "x[argsort(x)]": (lambda x: x[np.argsort(x)], V),
    "x[argmax(x)]": (lambda x: x[np.argmax(x)], V),
    "x[x.argmin()]": (lambda x: x[x.argmin()], V),
    "x[np.where(x > 0)]": (lambda x: x[np.where(x > 0.0)], V),
    "x[searchsorted]": (lambda x: x[np.searchsorted([-1.0, 0.0, 1.0], x)], V),
    "x[0][1]": (lambda x: x[0][1] * x[-1][:2], M),
    "t[None]": (lambda x: np.sum(x)[None], V),
    "t[..., None]": (lambda x: np.sum(x)[..., None, None], V),
    "t[()]": (lambda x: np.sum(x)[()] * np.sum(x)[...], V),
    "0-d[()]": (lambda x: x[()] * x[...], np.array(0.5)),
    "take": (lambda x: np.take(x, [0, 2, 2, -1]), V),
    "take wrap": (lambda x: np.take(x, [0, 7, -9], mode="wrap"), V),
    "take clip": (lambda x: np.take(x, [0, 7, -9], mode="clip"), V),
    "take axis": (lambda x: np.take(x, [[0, 1], [1, 2]], axis=1), M),
    "take one": (lambda x: np.take(x, 5), M),
    "take by keyword": (lambda x: np.take(a=x, indices=[1]), V),
    "x.take": (lambda x: x.take([1, 1], axis=0), M),
    "take_along_axis": (lambda x: np.take_along_axis(x, np.argsort(x, axis=1), axis=1), M),
    "take_along_axis of a flat array": (lambda x: np.take_along_axis(x, np.array([3, 3, 0]), axis=None), M),
    "compress": (lambda x: np.compress([True, False, True], x), V),
    "compress axis": (lambda x: np.compress([True, False, True], x, axis=1), M),
    "x.compress": (lambda x: x.compress([0, 1, 1], axis=0), M),
    "extract": (lambda x: np.extract(x > 0.0, x), M),
    "diagonal": (lambda x: np.diagonal(x, 1, 0, 2), Q),
    "x.diagonal": (lambda x: x.diagonal(), M),
    "linalg.diagonal": (lambda x: np.linalg.diagonal(x, offset=-1), Q),
    "diag of a matrix": (lambda x: np.diag(x, 1), SQ),
    "diag of a vector": (lambda x: np.diag(v=x, k=-1), V),
    "diagflat": (np.diagflat, M),
    "tril": (lambda x: np.tril(x, -1), SQ),
    "triu": (lambda x: np.triu(x, 1), Q),
    "tril of a vector": (np.tril, V),
    "where": (lambda x, y: np.where(x > 0.0, x, y), M, M + 1.0),
    "where broadcasts": (lambda x, y: np.where(np.arange(8).reshape(2, 1, 4) % 3 == 0, x, y), M, M[0]),
    "where of a matrix and a float": (lambda x, y: np.where(x > 0.0, x, y), M, S),
    "where of floats": (lambda x, y: np.where(x > 0.0, x, y), S, S),
    "where of a float and a mask": (lambda x: np.where(np.array([True, False]), x, 2.0), S),
    "where beside a constant": (lambda x: np.where(x > 0.0, 0.0, x), M),
    "where of lists": (lambda x: np.where([True, False], [x[0], 1.0], [2.0, x[1]]), V),
    "where of one truth": (lambda x: np.where(True, x, 0.0), M),
    "where of integers": (lambda x: np.where([1, 0, 2, 0, 0, 1], x, -x), V),
    "choose": (lambda x, y: np.choose([0, 1, 0, 1, 1, 0], [x, y]), V, V[::-1]),
    "choose with constants": (lambda x: np.choose([0, 1], [x, 2.0]), S),
    "choose clip": (lambda x, y: np.choose([0, 1, 4, 1, -1, 0], [x, y], mode="clip"), V, V[::-1]),
    "choose among rows": (lambda x: np.choose([2, 0, 1, 0], x), M),
    "select": (lambda x, y: np.select([x < 0.0, x > 1.0], [x * x, y], default=x), V, V[::-1]),
    "select with constants": (lambda x: np.select([x < 0.0, x > 1.0], [x * x, 5.0]), V),
    "piecewise": (lambda x: np.piecewise(x, [x < 0.0, x >= 0.0], [lambda t: t * t, lambda t: 3.0 * t]), V),
    "piecewise otherwise": (lambda x: np.piecewise(x, [x < 0.0], [lambda t: t * t, lambda t: np.exp(t)]), M),
    "piecewise constants": (lambda x: np.piecewise(x, [x < -1.0, x > 1.0], [-1, 1]) + x, V),
    "piecewise of a float": (lambda x: np.piecewise(x, [x < 0.0], [lambda t: t * t, lambda t: 3.0 * t]), S),
    "piecewise with arguments": (lambda x: np.piecewise(x, x < 0.0, [lambda t, a: a * t, lambda t, a: t], 4.0), V),
    "piecewise with a traced argument": (lambda x, a: np.piecewise(x, [x < 0.0], [lambda t, a: a * t, 0.0], a), V, S),
}


@pytest.mark.parametrize("case", FORMS)
def test_laws(case):
    f, *args = FORMS[case]
    obeys_the_laws(f, *args)


@pytest.mark.parametrize("case", [n for n, (_, *a) in FORMS.items() if len(a) == 1 and isinstance(a[0], np.ndarray)])
def test_float32_is_kept(case):
    f, x = FORMS[case]
    if np.asarray(f(x.astype(np.float32))).dtype == np.float32:
        float32_kept(f, x)


def test_float_of_a_float():
    """np.float64(t)[None] has a meaning, t[0] has none."""
    for f, shape in (
        (lambda x: x[None], (1,)),
        (lambda x: x[None, ..., None], (1, 1)),
        (lambda x: x[()], ()),
        (lambda x: x[...], ()),
    ):
        out, tangent = da.jvp(f, (S,), (2.0,))
        assert np.shape(out) == np.shape(tangent) == shape
        assert np.all(tangent == 2.0)
        assert da.vjp(f, S)[1](np.ones(shape)[()]) == (1.0,)
    for f in (lambda x: x[0], lambda x: x[:], lambda x: x[0, None], lambda x: x[..., ...]):
        for outer in (lambda f: da.jvp(f, (S,), (1.0,)), lambda f: da.vjp(f, S)):
            with pytest.raises(IndexError):
                outer(f)


# ---- safety of the side that is not chosen ------------------------------------------------------------------------

SAFE = {
    "where": lambda x: np.where(x > 0.0, np.sqrt(np.where(x > 0.0, x, 1.0)), 0.0),
    "where, single guard": lambda x: np.where(x > 0.0, np.sqrt(x), 0.0),
    "where, log": lambda x: np.where(x > 0.0, np.log(x), 0.0),
    "where, quotient": lambda x: np.where(x > 0.0, 1.0 / x, 0.0),
    "where, power": lambda x: np.where(x > 0.0, x**-0.5, 0.0),
    "select": lambda x: np.select([x > 0.0], [np.sqrt(x)], 0.0),
    "choose": lambda x: np.choose((x > 0.0).astype(int), [np.zeros(3), np.sqrt(x)]),
    "mask": lambda x: np.sum(np.sqrt(x)[x > 0.0]) + 0.0 * x,
    "piecewise": lambda x: np.piecewise(x, [x > 0.0], [np.sqrt, 0.0]),
    "concatenate": lambda x: np.concatenate([np.sqrt(x)[2:], 0.0 * x[:2]]),
    "take": lambda x: np.take(np.sqrt(x), [2]),
}


@pytest.mark.parametrize("case", SAFE)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_side_not_chosen_contributes_nothing(case, dtype):
    """Its derivative at 0 is infinite and at -1 undefined; no NaN comes through, in either mode, first or second order."""
    f, x = SAFE[case], np.array([0.0, -1.0, 4.0], dtype)
    total = lambda x: np.sum(f(x))
    gradient = da.grad(total)(x)
    assert np.isfinite(gradient).all()
    assert gradient[0] == gradient[1] == 0.0
    assert gradient[2] != 0.0
    along = np.array([0.0, 0.0, 1.0], dtype)
    assert da.jvp(total, (x,), (along,))[1] == pytest.approx(gradient[2], rel=1e-6)
    second = da.jvp(da.grad(total), (x,), (along,))[1]
    assert np.isfinite(second[2])
    assert second[2] != 0.0
    assert np.isfinite(da.grad(lambda x: da.grad(total)(x)[2])(x)).all()


def test_where_of_infinite_values():
    """The values themselves may be infinite or NaN on the side not taken."""
    x = np.array([1.0, np.inf, np.nan])
    np.testing.assert_array_equal(da.grad(lambda x: np.sum(np.where(np.isfinite(x), x * x, 0.0)))(x), [2.0, 0.0, 0.0])


# ---- costs --------------------------------------------------------------------------------------------------------


def test_a_gather_is_one_entry():
    for key in ([0, 2, 2], np.array([True] * 3 + [False] * 3), np.ix_([1, 2])):
        assert record(lambda x, key=key: x[key], [V], tuple).level.nodes == 2  # the input and the gather
    assert record(lambda x: np.where(x > 0.0, x, 0.0), [V], tuple).level.nodes == 2


# ---- writes -------------------------------------------------------------------------------------------------------


def set_item(x):
    x[0] = 1.0


def set_slice(x):
    x[1:] = x[:-1]


def set_mask(x):
    x[x > 0.0] = 0.0


def set_in_a_buffer(x):
    buffer = np.zeros(6)
    buffer[0] = x[0]


def set_all_of_a_buffer(x):
    buffer = np.zeros(6)
    buffer[:] = x


def add_to_a_buffer(x):
    buffer = np.zeros(6)
    buffer += x


def add_in_place(x):
    y = x[1:]
    y += 1.0


def delete_item(x):
    del x[0]


WRITES = {
    "x[0] = 1": (set_item, "np.where, np.concatenate"),
    "x[1:] = y": (set_slice, "np.where, np.concatenate"),
    "x[mask] = 0": (set_mask, "np.where, np.concatenate"),
    "buffer[0] = t": (set_in_a_buffer, "would lose the derivative|setting an array element"),
    "buffer[:] = x": (set_all_of_a_buffer, "would lose the derivative|setting an array element"),
    "buffer += x": (add_to_a_buffer, "numpy.add with out="),
    "y += 1": (add_in_place, r"x = x \+ y|x \+= y"),
    "del x[0]": (delete_item, "delet|item"),
    "fill_diagonal": (lambda x: np.fill_diagonal(np.diag(x), 0.0), "numpy.fill_diagonal.*np.where"),
    "put_along_axis": (lambda x: np.put_along_axis(np.zeros(6), np.array([0]), x, 0), "numpy.put_along_axis"),
    "put_along_axis into x": (lambda x: np.put_along_axis(x, np.array([0]), 1.0, 0), "numpy.put_along_axis"),
    "copyto": (lambda x: np.copyto(np.zeros(6), x), "numpy.copyto"),
    "put": (lambda x: np.put(np.zeros(6), [0], x[0]), "numpy.put"),
    "putmask": (lambda x: np.putmask(x, x > 0.0, 0.0), "numpy.putmask"),
    "place": (lambda x: np.place(np.zeros(6), np.ones(6, bool), x), "numpy.place"),
    "x.fill": (lambda x: x.fill(0.0), "fill"),
    "x.sort": (lambda x: x.sort(), "sort"),
    "x.put": (lambda x: x.put([0], 1.0), "put"),
    "x.partition": (lambda x: x.partition(2), "partition"),
    "x.resize": (lambda x: x.resize(3), "resize"),
    "np.add.at": (lambda x: np.add.at(np.zeros(6), [0], x[0]), "numpy.add.at"),
}


@pytest.mark.parametrize("case", WRITES)
@pytest.mark.parametrize("outer", [lambda f, x: da.jvp(f, (x,), (x,)), lambda f, x: da.vjp(f, x)], ids=["jvp", "vjp"])
def test_writes_raise(case, outer):
    """Never a write that is lost, never a buffer that forgot the derivative."""
    write, says = WRITES[case]
    with pytest.raises((NotImplementedError, TypeError, ValueError, AttributeError), match=says):
        outer(lambda x: write(x) or x, V.copy())


@pytest.mark.parametrize(
    "key",
    [lambda x: x[0], lambda x: [x[0], x[1]], lambda x: (x[0],), lambda x: x, lambda x: slice(x[0], None)],
    ids=["scalar", "list", "tuple", "array", "slice"],
)
@pytest.mark.parametrize("outer", [lambda f, x: da.jvp(f, (x,), (x,)), lambda f, x: da.vjp(f, x)], ids=["jvp", "vjp"])
def test_traced_keys_raise(key, outer):
    with pytest.raises((TypeError, IndexError)):
        outer(lambda x: x[key(x)], V)
    with pytest.raises((TypeError, IndexError)):
        outer(lambda x: x * np.arange(6.0)[key(x)], V)


def test_indices_out_of_bounds_raise():
    for key in (6, -7, [0, 9], (0, 0), np.ones(5, bool), slice(None, None, 0)):
        for outer in (lambda f: da.jvp(f, (V,), (V,)), lambda f: da.vjp(f, V)):
            with pytest.raises((IndexError, ValueError)):
                outer(lambda x, key=key: x[key])

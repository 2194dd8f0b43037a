"""Functions that move elements: shape, joining, splitting, padding, ranges; the laws on each form, views without nodes."""

import numpy as np
import pytest
from array_laws import float32_kept, inner, near, obeys_the_laws, same_bits

import dualad as da
from dualad import _core
from dualad.reverse import record

RNG = np.random.default_rng(0)
V, M, Q, SQ = RNG.normal(size=6), RNG.normal(size=(3, 4)), RNG.normal(size=(2, 3, 4)), RNG.normal(size=(4, 4))
S = 0.7
windows = np.lib.stride_tricks.sliding_window_view

SHAPE = {
    "reshape C": (lambda x: np.reshape(x, (4, 3)), M),
    "reshape F": (lambda x: np.reshape(x, (4, 3), order="F"), M),
    "reshape A": (lambda x: np.reshape(x, (4, 3), order="A"), M),
    "reshape of a transposed array, F": (lambda x: np.reshape(x.T, (2, 6), order="F"), M),
    "reshape of a transposed array, A": (lambda x: np.reshape(x.T, (2, 6), order="A"), M),
    "reshape shape=": (lambda x: np.reshape(x, shape=(4, 3)), M),
    "reshape copy=": (lambda x: np.reshape(x, (4, 3), copy=True), M),
    "reshape of a float": (lambda x: np.reshape(x, (1, 1)), S),
    "x.reshape(a, b)": (lambda x: x.reshape(4, 3), M),
    "x.reshape((a, -1))": (lambda x: x.reshape((4, -1)), M),
    "x.reshape([a, b])": (lambda x: x.reshape([4, 3]), M),
    "x.reshape(-1)": (lambda x: x.reshape(-1), M),
    "x.reshape(order=)": (lambda x: x.reshape(4, 3, order="F"), M),
    "ravel": (np.ravel, M),
    "ravel of a float": (np.ravel, S),
    "ravel of a list": (lambda x: np.ravel([x[0], x[1]]), V),
    **{f"ravel {o} of a transposed array": (lambda x, o=o: np.ravel(x.T, o), M) for o in "CFAK"},
    **{f"ravel {o} of moved axes": (lambda x, o=o: np.ravel(np.moveaxis(x, 0, 1), o), Q) for o in "CFAK"},
    **{f"x.flatten({o})": (lambda x, o=o: x.T.flatten(o), M) for o in "CFAK"},
    "x.ravel": (lambda x: x.ravel(), M),
    "transpose": (np.transpose, M),
    "transpose axes": (lambda x: np.transpose(x, (2, 0, 1)), Q),
    "permute_dims": (lambda x: np.permute_dims(x, (1, 0)), M),
    "x.T": (lambda x: x.T, Q),
    "x.mT": (lambda x: x.mT, Q),
    "x.transpose": (lambda x: x.transpose(), Q),
    "x.transpose(axes)": (lambda x: x.transpose(2, 0, 1), Q),
    "x.transpose((axes))": (lambda x: x.transpose((2, 0, 1)), Q),
    "matrix_transpose": (np.matrix_transpose, Q),
    "linalg.matrix_transpose": (np.linalg.matrix_transpose, Q),
    "repeat": (lambda x: np.repeat(x, 2), M),
    "repeat each": (lambda x: np.repeat(x, [1, 2, 0], axis=0), M),
    "x.repeat": (lambda x: x.repeat(3, axis=1), M),
    "repeat of a float": (lambda x: np.repeat(x, 3), S),
    "tile": (lambda x: np.tile(x, (2, 1, 2)), M),
    "tile by keyword": (lambda x: np.tile(A=x, reps=2), V),
    "tile of a float": (lambda x: np.tile(x, (2, 2)), S),
    **{
        f"{f.__name__} of {name}": (f, x)
        for f in (np.atleast_1d, np.atleast_2d, np.atleast_3d)
        for name, x in (("a float", S), ("a vector", V), ("a matrix", M), ("an array of rank 3", Q))
    },
    "atleast_2d of two": (np.atleast_2d, V, S),
    "atleast_1d with a constant": (lambda x: np.atleast_1d(x, 3.0), S),
    "broadcast_to": (lambda x: np.broadcast_to(x, (2, 3, 4)), M),
    "broadcast_to of a float": (lambda x: np.broadcast_to(x, (2, 3)), S),
    "broadcast_to, then used": (lambda x: np.sin(np.broadcast_to(x, (5, 6))) * np.arange(30.0).reshape(5, 6), V),
    "broadcast_arrays": (np.broadcast_arrays, M, M[0]),
    "broadcast_arrays with constants": (lambda x: np.broadcast_arrays(x, np.ones((3, 1)), 2.0), V),
    "expand_dims": (lambda x: np.expand_dims(x, (0, -1)), M),
    "expand_dims of a float": (lambda x: np.expand_dims(x, 0), S),
    "squeeze": (lambda x: np.squeeze(x[None, :, None]), M),
    "squeeze axis": (lambda x: x[None].squeeze(axis=0), M),
    "squeeze to a scalar": (lambda x: np.squeeze(x[:1]), V),
    "roll": (lambda x: np.roll(x, 2), M),
    "roll axes": (lambda x: np.roll(x, (1, -1), axis=(0, 1)), M),
    "swapaxes": (lambda x: x.swapaxes(0, -1), Q),
    "moveaxis": (lambda x: np.moveaxis(x, 0, -1), Q),
    "rollaxis": (lambda x: np.rollaxis(x, 2), Q),
    "flip": (np.flip, M),
    "flip axes": (lambda x: np.flip(x, axis=(0, 2)), Q),
    "fliplr": (np.fliplr, M),
    "flipud": (np.flipud, M),
    "rot90": (lambda x: np.rot90(x, 3, (0, 2)), Q),
    "windows": (lambda x: windows(x, 3), V),
    "windows of a matrix": (lambda x: windows(x, (2, 2)), M),
    "windows, then used": (lambda x: np.sum(np.exp(windows(x, 3)) * np.arange(3.0), axis=-1), V),
    "resize up": (lambda x: np.resize(x, (4, 5)), V),
    "resize down": (lambda x: np.resize(x, 4), V),
    "trim_zeros": (lambda x: np.trim_zeros(np.concatenate([np.zeros(2), x, np.zeros(1)])), V),
    "trim_zeros front": (lambda x: np.trim_zeros(np.concatenate([np.zeros(2), x, np.zeros(1)]), "f"), V),
    "copy": (np.copy, M),
    "x.copy": (lambda x: x.copy(), M.T),
    "x.astype": (lambda x: x.astype(float), M),
    "x.flat": (lambda x: np.stack(list(x.flat)), M),
    "x.item": (lambda x: x.item(2) * x.item(1, 1), M),
    "x.item()": (lambda x: x[:1].item(), V),
    "x.tolist": (lambda x: np.array(x.tolist()), M),
}

JOINING = {
    "array([t, u])": (lambda x: np.array([x[0], x[1] * 2.0]), V),
    "array([[t, 1], [2, u]])": (lambda x: np.array([[x[0], 1.0], [2.0, x[1]]]), V),
    "array(x)": (np.array, M),
    "array of rows, then used": (lambda x: np.array([x[0], x[1]]) * 2.0, M),
    "array, then sin": (lambda x: np.sin(np.array([x[0], x[1]])), V),
    "array, then @": (lambda x: np.array([[x[0], 1.0], [2.0, x[1]]]) @ np.ones(2), V),
    "array, then beside x": (lambda x: x[:2] * np.array([x[2], x[3]]), V),
    "array, then sum and dot": (lambda x: np.array([x[0], x[1]]).sum() * np.array([x[2], x[1]]).dot(np.ones(2)), V),
    "asarray": (lambda x: np.asarray([x[0], x[1]]) + np.asanyarray([x[2], 1.0]), V),
    "asarray(x), then exp": (lambda x: np.exp(np.asarray(x)) * np.ascontiguousarray(x), M),
    "concatenate": (lambda x, y: np.concatenate([x, y]), M, M),
    "concatenate axis=None": (lambda x: np.concatenate([x, np.ones(2)], axis=None), M),
    "concatenate with constants": (lambda x, y: np.concatenate((x, np.zeros((3, 1)), y), axis=1), M, M),
    "concatenate with integers": (lambda x: np.concatenate((x, np.arange(3))), V),
    "concatenate of lists": (lambda x: np.concatenate([[x[0]], x, [1.0]]), V),
    "concatenate of an array's rows": (lambda x: np.concatenate(x), M),
    "concatenate dtype": (lambda x: np.concatenate([x, x], dtype=float), V),
    "concat": (lambda x: np.concat([x, x]), V),
    "stack": (lambda x, y: np.stack([x, y], axis=1), M, M),
    "stack axis=-1": (lambda x, y: np.stack([x, y], axis=-1), M, M),
    "stack of floats": (lambda x, y: np.stack([x, y, 1.0]), S, S),
    "stack of a generator's values": (lambda x: np.stack([t * t for t in x]), V),
    **{
        f"{f.__name__} of {name}": (lambda x, y, f=f: f([x, y]), x, x)
        for f in (np.vstack, np.hstack, np.dstack, np.column_stack)
        for name, x in (("floats", S), ("vectors", V), ("matrices", M))
    },
    "hstack of an array": (np.hstack, M),
    "vstack with a constant": (lambda x: np.vstack([np.ones(6), x]), V),
    "vstack of lists": (lambda x: np.vstack([[x[0], 1.0], [x[1], x[2]]]), V),
    "block": (lambda x, y: np.block([[x, np.ones((3, 1))], [np.zeros((1, 4)), y]]), M, S),
    "block of one row": (lambda x: np.block([x, 1.0]), V),
    "append": (lambda x: np.append(x, [x[0], 2.0]), V),
    "append axis": (lambda x, y: np.append(x, y, axis=0), M, M),
    "append to a constant": (lambda y: np.append(np.ones(2), y), S),
    "insert": (lambda x, y: np.insert(x, 1, y), V, S),
    "insert a constant": (lambda x: np.insert(x, [0, 2], 5.0), V),
    "insert a column": (lambda x, y: np.insert(x, 1, y, axis=1), M, V[:3]),
    "delete": (lambda x: np.delete(x, [0, 2], axis=1), M),
    "full": (lambda y: np.full((2, 3), y), S),
    "full of an array": (lambda y: np.full((2, 6), y) * 2.0, V),
    "full_like": (np.full_like, M, S),
    "full_like a constant": (lambda x: np.full_like(x, 2.0) + x, M),
    "r_": (lambda x: np.r_[x, 1.0, x[0]], V),
    "c_": (lambda x: np.c_[x, np.ones(6)], V),
}

SPLITTING = {
    "split": (lambda x: np.split(x, 3), V),
    "split at": (lambda x: np.split(x, [1, 4]), V),
    "array_split": (lambda x: np.array_split(x, 4), V),
    "array_split axis": (lambda x: np.array_split(x, 3, axis=1), M),
    "hsplit": (lambda x: np.hsplit(x, 2), M),
    "vsplit": (lambda x: np.vsplit(x, 3), M),
    "dsplit": (lambda x: np.dsplit(x, 2), Q),
    "unstack": (np.unstack, M),
    "unstack axis": (lambda x: np.unstack(x, axis=1), M),
    "unstack to floats": (np.unstack, V),
}

PADDING = {
    **{f"pad {m} a matrix": (lambda x, m=m: np.pad(x, ((1, 2), (0, 1)), m), M) for m in ("edge", "reflect", "symmetric", "wrap")},
    **{f"pad {m}": (lambda x, m=m: np.pad(x, 8, mode=m), V) for m in ("edge", "reflect", "symmetric", "wrap")},
    "pad": (lambda x: np.pad(x, ((1, 2), (0, 1))), M),
    "pad empty": (lambda x: np.pad(x, 2, mode="empty")[2:-2], V),
    "pad by axes": (lambda x: np.pad(x, {0: (1, 2)}), M),
    "pad a constant": (lambda x: np.pad(x, 1, constant_values=3.0), M),
    "pad four constants": (lambda x: np.pad(x, 1, constant_values=((1.0, 2.0), (3.0, 4.0))), M),
    "pad a traced constant": (lambda x, c: np.pad(x, ((1, 2), (0, 1)), constant_values=c), M, S),
    "pad traced constants": (lambda x, c: np.pad(x, 1, constant_values=c), M, SQ[:2, :2]),
    "pad a list of traced constants": (lambda x: np.pad(x, 1, constant_values=(x[0], x[1])), V),
}

CREATION = {
    "linspace": (lambda a, b: np.linspace(a, b, 5), S, 1.9),
    "linspace open": (lambda a, b: np.linspace(a, b, 5, endpoint=False), S, 1.9),
    "linspace of one": (lambda a, b: np.linspace(a, b, 1), S, 1.9),
    "linspace step": (lambda a, b: np.linspace(a, b, 5, retstep=True), S, 1.9),
    "linspace of arrays": (lambda a, b: np.linspace(a, b, 4), V, S),
    "linspace axis": (lambda a: np.linspace(a, 1.0, 4, axis=-1), V),
    "linspace of equal ends": (lambda a: np.linspace(a, a, 4), S),
    "logspace": (lambda a, b: np.logspace(a, b, 5), S, 1.9),
    "logspace base": (lambda a, b: np.logspace(a, 1.0, 5, base=b), S, 1.9),
    "geomspace": (lambda a, b: np.geomspace(a, b, 5), S, 1.9),
    "geomspace open": (lambda a, b: np.geomspace(a, b, 5, endpoint=False), S, 1.9),
    "meshgrid": (np.meshgrid, V, V[:3]),
    "meshgrid ij": (lambda x, y: np.meshgrid(x, y, indexing="ij"), V, V[:3]),
    "meshgrid sparse": (lambda x: np.meshgrid(x, [1.0, 2.0], sparse=True), V),
    "arange times": (lambda a: np.arange(3.2) * a, S),
    "bincount": (lambda w: np.bincount([0, 1, 1, 2, 0, 5], weights=w), V),
    "histogram of weights": (lambda w: np.histogram([0.1, 0.2, 0.5, 0.6, 1.0, 7.0], bins=3, range=(0.1, 1.0), weights=w)[0], V),
    "histogram of weights, edges": (lambda w: np.histogram([[0.1, 0.2], [0.5, -1.0]], [0.0, 0.2, 0.5], weights=w)[0], M[:2, :2]),
    "histogram density": (lambda w: np.histogram(np.arange(6.0), bins=4, weights=w, density=True)[0], np.abs(V)),
    "vectorize": (np.vectorize(lambda t: t * t if t > 0.0 else 3.0 * t), V),
    "apply_along_axis": (lambda x: np.apply_along_axis(lambda r: r * np.sum(r), 0, x), M),
    "apply_along_axis to scalars": (lambda x: np.apply_along_axis(np.prod, 1, x), M),
    "apply_over_axes": (lambda x: np.apply_over_axes(np.sum, x * x, [0, 2]), Q),
}

CASES = {**SHAPE, **JOINING, **SPLITTING, **PADDING, **CREATION}


def as_tuple(f, plain):
    return (lambda *xs: tuple(f(*xs))) if isinstance(plain, list) else f


@pytest.mark.parametrize("case", CASES)
def test_laws(case):
    f, *args = CASES[case]
    plain = f(*args)
    if isinstance(plain, np.ndarray) and plain.dtype == object:
        f = lambda *xs, f=f: np.stack(f(*xs).ravel())
    obeys_the_laws(as_tuple(f, plain), *args)


#: forms without numbers of another dtype in them; x.item and x.tolist give Python floats, object arrays float64
OTHER_DTYPES = (
    "linspace constant list concatenate full r_ c_ block array vectorize append insert "
    "sparse used bincount trim item histogram astype"
).split()
SINGLE = [
    case
    for case, (_, *args) in CASES.items()
    if all(isinstance(a, np.ndarray) for a in args) and not any(word in case for word in OTHER_DTYPES)
]


@pytest.mark.parametrize("case", SINGLE)
def test_float32_stays(case):
    f, *args = CASES[case]
    float32_kept(as_tuple(f, f(*args)), *args)


def test_float32_beside_numbers_of_other_dtypes():
    """The result has NumPy's dtype, and the tangent the result's."""
    x = np.ones(2, np.float32)
    for f in (
        lambda x: np.concatenate([x, np.ones(1)]),
        lambda x: np.concatenate([x, np.ones(1, np.float32)]),
        lambda x: np.append(x, 1.0),
        lambda x: np.pad(x, 1, constant_values=2.0),
        lambda x: np.select([x > 2.0], [x], 1.0),
        lambda x: np.where(x > 0.0, x, 0.0),
        lambda x: np.where(x > 0.0, x, np.zeros(2)),
        lambda x: np.insert(x, 0, 2.5),
        lambda x: np.linspace(x, 2 * x, 3),
        lambda x: np.full_like(x, x[0]),
        lambda x: x.astype(np.float64),
    ):
        want = f(x)
        out, tangent = da.jvp(f, (x,), (x,))
        same_bits(out, want)
        assert tangent.dtype == want.dtype
        out, pullback = da.vjp(f, x)
        same_bits(out, want)
        assert pullback(np.ones_like(want))[0].dtype == np.float32


def test_empty_arrays():
    for shape in ((0,), (3, 0), (0, 4)):
        x = np.zeros(shape)
        for f in (
            np.ravel,
            np.transpose,
            np.flip,
            np.copy,
            np.tril,
            lambda x: x[:0],
            lambda x: x[x > 0.0],
            lambda x: np.concatenate([x, x]),
            lambda x: np.stack([x, x]),
            lambda x: np.pad(x, 1),
            lambda x: np.reshape(x, (0, 7)),
            lambda x: np.broadcast_to(x, (2, *x.shape)),
            lambda x: np.where(x > 0.0, x, 1.0),
            lambda x: np.repeat(x, 2),
        ):
            want = f(x)
            out, tangent = da.jvp(f, (x,), (x,))
            same_bits((out, tangent), (want, want))
            out, pullback = da.vjp(f, x)
            same_bits(out, want)
            assert pullback(want)[0].shape == shape


def test_strided_arguments():
    """Arguments that are not contiguous: every element keeps its own derivative."""
    x = RNG.normal(size=(8, 6))[::2, ::-1].T
    for f in (np.ravel, lambda x: np.ravel(x, "F"), lambda x: x.reshape(4, 6), lambda x: np.roll(x, 1, 1), lambda x: x[1:, ::-1],
              lambda x: np.concatenate([x.T, x.T[::-1]]), lambda x: np.sort(x, axis=0)):  # fmt: skip
        obeys_the_laws(f, x)


# ---- views cost nothing -------------------------------------------------------------------------------------------

VIEWS = {
    "x[i]": lambda x: x[1],
    "x[i, j]": lambda x: x[1, 2],
    "x[i:j]": lambda x: x[1:3],
    "x[::-1]": lambda x: x[::-1],
    "x[None]": lambda x: x[None],
    "x[..., ::2]": lambda x: x[..., ::2],
    "x.T": lambda x: x.T,
    "x.mT": lambda x: x.mT,
    "reshape": lambda x: x.reshape(4, 3),
    "ravel": lambda x: x.ravel(),
    "flatten": lambda x: x.flatten(),
    "transpose": lambda x: np.transpose(x, (1, 0)),
    "swapaxes": lambda x: np.swapaxes(x, 0, 1),
    "moveaxis": lambda x: np.moveaxis(x, 0, 1),
    "expand_dims": lambda x: np.expand_dims(x, 1),
    "squeeze": lambda x: np.squeeze(x[:1]),
    "flip": lambda x: np.flip(x, 1),
    "rot90": np.rot90,
    "broadcast_to": lambda x: np.broadcast_to(x, (2, 3, 4)),
    "split": lambda x: np.split(x, 2, axis=1),
    "unstack": np.unstack,
    "windows": lambda x: windows(x, 2, axis=1),
    "diagonal": np.diagonal,
    "atleast_3d": np.atleast_3d,
    "a chain": lambda x: np.swapaxes(x.T[::-1, 1:][None, :, ::2], 0, 1).reshape(4, 1),
    "all elements": lambda x: [x[i, j] for i in range(3) for j in range(4)],
    "iteration": lambda x: [t for row in x for t in row],
}


@pytest.mark.parametrize("case", VIEWS)
def test_views_record_nothing(case):
    """A view of a traced array is a view of value and adjoint: no entry on the tape, no slot."""
    counts = []

    def f(x):
        level = record_level[0]
        before = level.nodes, level.slots
        out = VIEWS[case](x)
        counts.append((level.nodes - before[0], level.slots - before[1]))
        return out

    record_level = []
    make = _core.Level

    class Watched(make):
        def __init__(self, *args):
            super().__init__(*args)
            record_level.append(self)

    import dualad.reverse as reverse

    reverse.Level = Watched
    try:
        recording = record(f, [M.copy()], tuple)
    finally:
        reverse.Level = make
    assert recording.level.nodes == 1  # the input
    assert counts == [(0, 0)]


def test_a_view_two_levels_down_is_a_view_of_the_lower_tape():
    """Structural functions used to become calls on the outer tape, and its result a copy in C order."""
    seen = []
    da.vjp(lambda x: da.vjp(lambda y: seen.append(y.T) or np.ravel(y.T, "A"), x)[1](np.ones(12))[0], M)
    assert seen[0].primal.strides == (8, 32)


def test_a_loop_over_elements_is_linear_on_every_tape():
    """Entries a pass: one for each operation, none for x[i]; nested, one call splits the whole array."""
    f = lambda x: sum(x[i] * x[i] for i in range(len(x)))
    counts = [record(f, [np.ones(n)], tuple).level.nodes for n in (10, 20, 40)]
    assert counts[2] - counts[1] == 2 * (counts[1] - counts[0])
    generic = [len(record(f, [np.ones(n, np.float32)], tuple).level.calls) for n in (10, 20, 40)]
    assert generic[2] - generic[1] == 2 * (generic[1] - generic[0])
    assert generic[0] <= 2 * 10 + 2


# ---- values that must not be lost ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        lambda x: np.array([x[0], x[1]]),
        lambda x: np.array(x[0]),
        lambda x: np.asarray(x),
        lambda x: np.full(3, x[0]),
        lambda x: np.fromiter([x[0], x[1]], dtype=object),
        lambda x: np.vectorize(lambda t: t, otypes=[object])(x),
        lambda x: np.array([[x[0], 1], [2, x[1]]]),
        lambda x: np.array([x[:2], x[1:3]]),
        lambda x: np.asmatrix(x),
    ],
)
def test_object_arrays_are_packed_on_exit(make):
    """NumPy builds object arrays behind our back; what leaves a transformation is float64 with its derivative."""
    out, tangent = da.jvp(make, (V,), (np.ones(6),))
    assert np.asarray(out).dtype == np.asarray(tangent).dtype == np.float64
    assert np.any(tangent)
    out, pullback = da.vjp(make, V)
    assert np.asarray(out).dtype == np.float64
    ct = np.ones(np.shape(out))[()]
    assert inner(pullback(ct)[0], np.ones(6)) == pytest.approx(np.sum(tangent), rel=1e-15)


LISTS = {
    "np.sum": lambda x: np.sum([x[0], x[1] * x[0], 2.0]),
    "np.prod": lambda x: np.prod([x[0], x[1]]),
    "np.max": lambda x: np.max([x[0], x[1], x[2]]),
    "np.min": lambda x: np.min([[x[0], x[1]], [x[2], x[3]]], axis=0),
    "np.stack": lambda x: np.stack([x[0], x[1]]),
    "np.sort": lambda x: np.sort([x[0], x[1], x[2]]),
    "np.dot": lambda x: np.dot([x[0], x[1]], x[2:4]),
    "np.sin": lambda x: np.sin([x[0], x[1]]),
    "np.maximum": lambda x: np.maximum([x[0], x[1]], x[2]),
    "np.where": lambda x: np.where([True, False], [x[0], 1.0], [2.0, x[1]]),
    "np.cumsum": lambda x: np.cumsum([x[0], x[1]]),
    "np.reshape": lambda x: np.reshape([x[0], x[1]], (2, 1)),
    "np.outer": lambda x: np.outer([x[0], x[1]], [x[2], 1.0]),
    "x times a list": lambda x: x[:2] * [x[2], 1.0],
    "Python's sum": lambda x: sum(x) * sum([x[0], 1]),
    "Python's max": lambda x: max(x) + max(x[0], x[1], 0.0),
    "Python's min": lambda x: min(x[0], 5.0),
    "Python's sorted": lambda x: np.stack(sorted(x, reverse=True)),
    "Python's abs and round": lambda x: abs(x[0]) + round(x[1], 1),
    "unpacking": lambda x: (lambda a, b, *rest: a * b + sum(rest))(*x),
    "zip and enumerate": lambda x: sum(i * a * b for i, (a, b) in enumerate(zip(x, x[::-1], strict=True))),
    "in a dict, a generator": lambda x: sum(t * t for t in {i: t for i, t in enumerate(x)}.values()),
}


@pytest.mark.parametrize("case", LISTS)
def test_lists_of_traced_scalars_and_python_builtins(case):
    f = LISTS[case]
    out, tangent = da.jvp(f, (V,), (V,))
    np.testing.assert_array_equal(out, f(V))
    obeys_the_laws(f, V)
    assert not isinstance(tangent, _core.Traced)


# ---- errors -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "says"),
    [
        (lambda x: np.pad(x, 1, mode="mean"), "numpy.pad with mode='mean'"),
        (lambda x: np.pad(x, 1, mode=lambda *a: None), "numpy.pad with mode="),
        (lambda x: np.pad(x, 1, mode="reflect", reflect_type="odd"), "reflect_type='odd'"),
        (lambda x: np.concatenate([x, [1j]]), "complex"),
        (lambda x: np.where(x > 0.0, x, 1j), "complex"),
        (lambda x: np.concatenate([x, ["a"]]), "U1"),
        (lambda x: np.concatenate([x, np.ones(1, np.longdouble)]), "float128|longdouble"),
        (lambda x: np.insert(np.array([1, 2]), 0, x[0]), "np.insert would cast"),
        (lambda x: np.insert(np.ones(2, np.float32), 0, x[0]), "np.insert would cast"),
        (lambda x: np.full(2, x[0], dtype=float), "numpy.copyto"),
        (lambda x: np.full_like(np.ones(2), x[0]), r"numpy.copyto.*t \* np.ones"),
        (lambda x: np.geomspace(-x[0], x[1]), "numpy.geomspace"),
        (lambda x: np.logspace(x[0], 1.0, base=np.ones(2)), "numpy.logspace"),
        (lambda x: np.trim_zeros(x[None]), "numpy.trim_zeros"),
        (lambda x: np.bincount(x), "np.bincount counts"),
        (lambda x: np.astype(x, int), r"astype\(int64\)"),
        (lambda x: x.astype(complex), r"astype\(complex128\)"),
        (lambda x: np.arange(x[0], 3.0), r"float\(\)"),
        (lambda x: np.take(x, [0], out=np.zeros(1)), "numpy.take with out="),
        (lambda x: np.frompyfunc(lambda t: t * 2, 1, 1)(x), "vectorized"),
        (lambda x: np.histogram2d([1.0], [1.0], weights=x[:1]), "numpy.histogram2d with traced weights"),
    ],
)
@pytest.mark.parametrize("outer", [lambda f, x: da.jvp(f, (x,), (x,)), lambda f, x: da.vjp(f, x)], ids=["jvp", "vjp"])
def test_what_is_not_covered_says_so(f, says, outer):
    with pytest.raises((NotImplementedError, TypeError), match=says):
        outer(f, np.abs(V))


def test_a_mean_of_a_list_says_how_to_build_an_array():
    """np.mean of a list asks no protocol, and makes a float of the object array's sum."""
    for outer in (lambda f: da.jvp(f, (V,), (V,)), lambda f: da.vjp(f, V)):
        with pytest.raises((TypeError, ValueError)) as caught:
            outer(lambda x: np.mean([x[0], x[1]]))
        said = str(caught.value) + str(caught.value.__cause__)
        assert "np.stack" in said


def test_invalid_calls_raise_numpys_errors():
    for f, error in ((lambda x: x.reshape(5), ValueError), (lambda x: np.transpose(x, (0, 0)), ValueError),
                     (lambda x: np.concatenate([x, np.ones((1, 1))]), ValueError), (lambda x: np.squeeze(x, 0), ValueError),
                     (lambda x: np.split(x, 4), ValueError), (lambda x: np.broadcast_to(x, (7,)), ValueError)):  # fmt: skip
        for outer in (lambda f: da.jvp(f, (V,), (V,)), lambda f: da.vjp(f, V)):
            with pytest.raises(error):
                outer(f)
    near(da.grad(lambda x: np.sum(x.reshape(2, 3)))(V), np.ones(6))

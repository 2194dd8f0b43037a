"""Products: every function against NumPy's bits, the laws of array_laws, and closed forms."""

import warnings

import numpy as np
import pytest
from array_laws import float32_kept, obeys_the_laws, same_bits

import dualad as da


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def normal(*shape):
    return np.random.default_rng(sum(shape) + 31 * len(shape)).normal(size=shape)


RANKS = [
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (3, 4)),
    ((2, 3), (3, 4)),
    ((5, 2, 3), (3,)),
    ((3,), (5, 3, 4)),
    ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)),
    ((5, 2, 3), (5, 3, 4)),
    ((5, 1, 2, 3), (4, 3, 2)),
    ((1, 2, 3), (5, 3, 4)),
    ((5, 1, 1), (1, 1, 4)),
]


@pytest.mark.parametrize(("sx", "sy"), RANKS, ids=str)
def test_matmul_of_every_rank(sx, sy):
    x, y = normal(*sx), normal(*sy)
    obeys_the_laws(lambda x, y: x @ y, x, y)
    obeys_the_laws(lambda x: np.matmul(x, y), x, second=False)
    if min(len(sx), len(sy)) > 1:
        obeys_the_laws(lambda y: np.linalg.matmul(x, y), y, second=False)


@pytest.mark.parametrize(
    ("f", "shapes"),
    [
        (np.dot, [(3,), (3,)]),
        (np.dot, [(2, 3), (3,)]),
        (np.dot, [(3,), (3, 4)]),
        (np.dot, [(2, 3), (3, 4)]),
        (np.dot, [(), (3, 2)]),
        (np.dot, [(3,), ()]),
        (np.dot, [(), ()]),
        (np.dot, [(2, 4, 3), (3,)]),
        (np.dot, [(3,), (2, 3, 4)]),
        (np.dot, [(2, 4, 3), (5, 3, 2)]),
        (np.dot, [(2, 3), (5, 3, 2)]),
        (np.inner, [(3,), (3,)]),
        (np.inner, [(2, 3), (3,)]),
        (np.inner, [(2, 4, 3), (5, 3)]),
        (np.inner, [(), (3,)]),
        (np.inner, [(), ()]),
        (np.outer, [(3,), (4,)]),
        (np.outer, [(2, 3), (4, 1)]),
        (np.outer, [(), (3,)]),
        (np.linalg.outer, [(3,), (4,)]),
        (np.vdot, [(3,), (3,)]),
        (np.vdot, [(2, 3), (3, 2)]),
        (np.vdot, [(), ()]),
        (np.kron, [(2, 3), (3, 2)]),
        (np.kron, [(3,), (2,)]),
        (np.kron, [(2,), (2, 3, 2)]),
        (np.kron, [(2, 1, 2), (3,)]),
        (np.kron, [(), (3,)]),
        (np.vecdot, [(4, 3), (4, 3)]),
        (np.vecdot, [(2, 1, 3), (4, 3)]),
        (np.vecdot, [(3,), (4, 3)]),
        (np.matvec, [(4, 2, 3), (4, 3)]),
        (np.matvec, [(2, 3), (4, 3)]),
        (np.matvec, [(5, 1, 2, 3), (4, 3)]),
        (np.vecmat, [(4, 3), (4, 3, 2)]),
        (np.vecmat, [(3,), (4, 3, 2)]),
        (np.linalg.vecdot, [(4, 3), (4, 3)]),
    ],
    ids=lambda p: getattr(p, "__name__", str(p)),
)
def test_products_of_two_operands(f, shapes):
    args = [normal(*s)[()] if s else float(normal(1)[0]) for s in shapes]
    obeys_the_laws(f, *args)


def test_linalg_vecdot_over_another_axis():
    obeys_the_laws(lambda x, y: np.linalg.vecdot(x, y, axis=0), normal(3, 4), normal(3, 4))
    obeys_the_laws(lambda x, y: np.linalg.vecdot(x, y, axis=-2), normal(3, 4), normal(2, 3, 4))


@pytest.mark.parametrize("axes", [2, 1, 0, (2, 0), ([2], [0]), ([1, 2], [1, 0]), ([-1, 0], [-3, 2])], ids=str)
def test_tensordot(axes):
    shapes = {
        2: [(2, 3, 4), (3, 4, 5)],
        1: [(2, 3, 4), (4, 2)],
        0: [(2, 3), (2,)],
        "(2, 0)": [(2, 3, 4), (4, 2)],
        "([2], [0])": [(2, 3, 4), (4, 2)],
        "([1, 2], [1, 0])": [(2, 3, 4), (4, 3, 2)],
        "([-1, 0], [-3, 2])": [(2, 3, 4), (4, 5, 2)],
    }
    x, y = (normal(*s) for s in shapes[axes if isinstance(axes, int) else str(axes)])
    obeys_the_laws(lambda x, y: np.tensordot(x, y, axes=axes), x, y)
    obeys_the_laws(lambda x: np.linalg.tensordot(x, y, axes=axes), x, second=False)


EINSUMS = [
    ("ij,jk->ik", [(2, 3), (3, 4)]),
    ("ij,jk", [(2, 3), (3, 4)]),
    ("ij,kj->ki", [(2, 3), (4, 3)]),
    ("i,i->", [(3,), (3,)]),
    ("i,j->ij", [(3,), (2,)]),
    ("i,i->i", [(3,), (3,)]),
    ("ij->ji", [(2, 3)]),
    ("ij->", [(2, 3)]),
    ("ij->j", [(2, 3)]),
    ("ba", [(2, 3)]),
    ("ii->", [(3, 3)]),
    ("ii->i", [(3, 3)]),
    ("ii", [(3, 3)]),
    ("iij->ij", [(3, 3, 2)]),
    ("iji,j->i", [(3, 2, 3), (2,)]),
    ("iii->i", [(2, 2, 2)]),
    ("ii,ij->j", [(3, 3), (3, 2)]),
    ("bij,bjk->bik", [(5, 2, 3), (5, 3, 2)]),
    ("bij,bjk->ik", [(5, 2, 3), (5, 3, 2)]),
    ("...ij,...jk->...ik", [(5, 2, 3), (5, 3, 2)]),
    ("...ij,...jk", [(5, 2, 3), (3, 2)]),
    ("...i,i...->...", [(2, 3), (3, 2)]),
    ("i...->...", [(3, 2, 2)]),
    ("...,...->...", [(2, 3), (3,)]),
    ("...ii->...i", [(2, 3, 3)]),
    ("b...i,...->b...", [(2, 3, 4), (3,)]),
    ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 2)]),
    ("i,ij,j->", [(3,), (3, 4), (4,)]),
    ("ij,ij,ij->i", [(2, 3), (2, 3), (2, 3)]),
    ("ab,bc,cd,de->ae", [(2, 3), (3, 2), (2, 3), (3, 2)]),
    ("ij,ij->ij", [(2, 1), (2, 3)]),
    ("ij,jk->ik", [(2, 1), (3, 4)]),
    ("i,j,k->kij", [(2,), (3,), (2,)]),
    ("ij,kl->ik", [(2, 3), (2, 2)]),
    (",i->i", [(), (3,)]),
    (" i j , j -> i ", [(2, 3), (3,)]),
]


@pytest.mark.parametrize(("subscripts", "shapes"), EINSUMS, ids=[e[0] for e in EINSUMS])
def test_einsum(subscripts, shapes):
    args = [normal(*s)[()] if s else 0.7 for s in shapes]
    obeys_the_laws(lambda *xs: np.einsum(subscripts, *xs), *args)


def test_einsum_by_sublists_and_by_optimize():
    x, y, z = normal(2, 3), normal(3, 4), normal(4, 2)
    obeys_the_laws(lambda x, y: np.einsum(x, [0, 1], y, [1, 2], [2, 0]), x, y)
    obeys_the_laws(lambda x, y: np.einsum(x, [..., 0], y, [0, 1]), x, y)
    for optimize in (True, "greedy", "optimal", ["einsum_path", (1, 2), (0, 1)]):
        obeys_the_laws(lambda x, y, z, o=optimize: np.einsum("ij,jk,kl->li", x, y, z, optimize=o), x, y, z)
    path = lambda x: np.einsum_path("ij,jk,kl->il", x, x.T, x)[0]
    f = lambda x: np.einsum("ij,ij->", x, np.einsum("ij,jk,kl->il", x, x.T, x, optimize=path(x)))
    obeys_the_laws(f, x)


def random_einsum(rng):
    """Subscripts and shapes: one to three operands over five letters, repeated letters and axes of length 1 among them."""
    sizes = dict(zip("abcde", rng.integers(1, 4, 5).tolist(), strict=True))
    terms = ["".join(rng.choice(list("abcde"), rng.integers(0, 4))) for _ in range(rng.integers(1, 4))]
    seen = sorted(set("".join(terms)))
    result = "".join(rng.permutation(seen)[: rng.integers(0, len(seen) + 1)]) if seen else ""
    narrow = lambda term, s: len(terms) > 1 and term.count(s) == 1 and rng.random() < 0.15
    shapes = [tuple(1 if narrow(term, s) else sizes[s] for s in term) for term in terms]
    return ",".join(terms) + "->" + result, shapes


@pytest.mark.parametrize("seed", range(60))
def test_random_einsum(seed):
    rng = np.random.default_rng(seed)
    subscripts, shapes = random_einsum(rng)
    args = [rng.normal(size=s)[()] if s else float(rng.normal()) for s in shapes]
    obeys_the_laws(lambda *xs: np.einsum(subscripts, *xs), *args)


def test_the_same_operand_twice():
    """An argument that appears as several operands gets the sum of their cotangents."""
    x = normal(3, 3)
    obeys_the_laws(lambda x: np.einsum("ij,jk,ki->", x, x, x), x)
    obeys_the_laws(lambda x: x @ x, x)
    obeys_the_laws(lambda x: x @ x.T, x)
    obeys_the_laws(lambda x: np.dot(x.T, x), x)
    obeys_the_laws(lambda x: np.kron(x, x), x)


@pytest.mark.parametrize(
    "kwargs", [{}, {"offset": 1}, {"offset": -1}, {"axis1": 1, "axis2": 2}, {"offset": 1, "axis1": -1, "axis2": 0}], ids=str
)
def test_trace(kwargs):
    obeys_the_laws(lambda x: np.trace(x, **kwargs), normal(3, 3, 4))
    obeys_the_laws(lambda x: np.linalg.trace(x, offset=kwargs.get("offset", 0)), normal(2, 3, 4))
    obeys_the_laws(lambda x: x.trace(), normal(3, 3))


@pytest.mark.parametrize(
    ("shapes", "kwargs"),
    [
        ([(3,), (3,)], {}),
        ([(4, 3), (3,)], {}),
        ([(4, 1, 3), (2, 3)], {}),
        ([(3, 4), (3, 4)], {"axis": 0}),
        ([(3, 4), (4, 3)], {"axisa": 0}),
        ([(4, 3), (4, 3)], {"axisc": 0}),
        ([(2,), (2,)], {}),
        ([(2,), (3,)], {}),
        ([(3,), (2,)], {}),
        ([(4, 2), (4, 2)], {}),
    ],
    ids=str,
)
def test_cross(shapes, kwargs):
    obeys_the_laws(lambda x, y: np.cross(x, y, **kwargs), *(normal(*s) for s in shapes))


def test_linalg_cross_is_for_three_dimensions():
    obeys_the_laws(lambda x, y: np.linalg.cross(x, y), normal(4, 3), normal(3))
    with pytest.raises(ValueError, match="3-dimensional"):
        da.jvp(lambda x: np.linalg.cross(x, x), (normal(4, 2),), (normal(4, 2),))
    with pytest.raises(ValueError, match="incompatible dimensions"):
        da.grad(lambda x: np.cross(x, x))(normal(4))


@pytest.mark.parametrize("n", range(-3, 8))
def test_matrix_power(n):
    x = normal(3, 3) + 2 * np.eye(3)
    obeys_the_laws(lambda x: np.linalg.matrix_power(x, n), x, tol=2e-8)
    obeys_the_laws(lambda x: np.linalg.matrix_power(x, n), np.stack([x, x.T + 1]), second=False, tol=2e-8)


@pytest.mark.parametrize(
    "shapes", [[(2, 3), (3, 4)], [(2, 3), (3, 4), (4, 2)], [(3,), (3, 4), (4,)], [(2, 5), (5, 1), (1, 4), (4,)]], ids=str
)
def test_multi_dot(shapes):
    obeys_the_laws(lambda *xs: np.linalg.multi_dot(xs), *(normal(*s) for s in shapes))


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("f", [np.convolve, np.correlate], ids=["convolve", "correlate"])
@pytest.mark.parametrize(("na", "nv"), [(6, 3), (6, 4), (3, 6), (4, 6), (5, 5), (4, 1), (1, 1)])
def test_convolution(f, mode, na, nv):
    obeys_the_laws(lambda a, v: f(a, v, mode), normal(na), normal(nv, 1)[:, 0])


def test_polyval():
    obeys_the_laws(np.polyval, normal(4), normal(2, 3))
    obeys_the_laws(np.polyval, normal(4), 0.7)
    obeys_the_laws(lambda x: np.polyval([1, -2, 3], x), normal(3))


# ---- closed forms ------------------------------------------------


def close(got, want):
    assert np.shape(got) == np.shape(want)
    np.testing.assert_allclose(got, want, rtol=1e-13, atol=1e-14)


def test_quadratic_and_bilinear_forms(rng):
    x, y, b = rng.normal(size=4), rng.normal(size=3), rng.normal(size=(4, 4))
    a = rng.normal(size=(4, 3))
    close(da.grad(lambda x: x @ b @ x)(x), (b + b.T) @ x)
    close(da.hessian(lambda x: x @ b @ x)(x), b + b.T)
    close(da.grad(lambda a: x @ a @ y)(a), np.outer(x, y))
    close(da.grad(lambda a: np.einsum("i,ij,j", x, a, y))(a), np.outer(x, y))
    close(da.grad(lambda b: np.trace(b @ b))(b), 2 * b.T)
    close(da.grad(lambda a: np.trace(a.T @ b @ a))(a), (b + b.T) @ a)
    close(da.grad(lambda a: np.sum((x @ a - y) ** 2))(a), 2 * np.outer(x, x @ a - y))


def test_jacobians_of_linear_maps(rng):
    a, x, m = rng.normal(size=(3, 4)), rng.normal(size=4), rng.normal(size=(4, 2))
    for jac in (da.jacfwd, da.jacrev):
        close(jac(lambda x: a @ x)(x), a)
        close(jac(lambda x: np.dot(a, x))(x), a)
        close(jac(lambda m: a @ m)(m), np.einsum("ik,jl->ijkl", a, np.eye(2)))
        close(jac(lambda a: a @ x)(a), np.einsum("ik,l->ikl", np.eye(3), x))
        close(jac(lambda a: np.einsum("ij,j->i", a, x))(a), np.einsum("ik,l->ikl", np.eye(3), x))
    close(da.grad(lambda m: np.trace(m))(np.ones((3, 3))), np.eye(3))


def test_a_chunk_of_lanes_is_one_matrix_product(rng, monkeypatch):
    """k tangents through a product cost one product of an (m, n) and an (n, k) matrix, not k products."""
    from dualad.rules import contraction

    a, x, seen = rng.normal(size=(30, 20)), rng.normal(size=20), []

    class Counting:
        def __getattr__(self, name):
            return getattr(np, name)

        @staticmethod
        def matmul(x, y):
            seen.append((x.shape, y.shape))
            return np.matmul(x, y)

    monkeypatch.setattr(contraction, "np", Counting())
    work = lambda: [int(np.prod(x)) * y[-1] for x, y in seen]
    close(da.jacfwd(lambda x: np.einsum("ij,j->i", a, x))(x), a)
    assert work() == [20 * 20 * 30]
    seen.clear()
    close(da.jacrev(lambda x: np.inner(a, x))(x), a)
    assert work() == [30 * 20 * 30]
    seen.clear()
    np.testing.assert_array_equal(da.jacfwd(lambda x: a.astype(np.float32) @ x)(np.asarray(x, np.float32)), a.astype(np.float32))
    assert work() == [20 * 20 * 30]


# ---- bits, dtypes, layouts, emptiness, errors ------------------------------------------------

LAYOUTS = [
    ("C", lambda x: x),
    ("F", np.asfortranarray),
    ("reversed", lambda x: np.ascontiguousarray(x[::-1])[::-1]),
    ("strided", lambda x: np.repeat(np.repeat(x, 2, 0), 2, -1)[::2, ::2] if x.ndim == 2 else np.repeat(x, 2)[::2]),
]


@pytest.mark.parametrize("layout", [name for name, _ in LAYOUTS])
@pytest.mark.parametrize(
    "f",
    [
        np.dot,
        np.inner,
        lambda a, b: np.tensordot(a, b, 1),
        lambda a, b: np.einsum("ij,jk->ik", a, b),
        lambda a, b: np.einsum("ij,jk->ik", a, b, optimize=True),
        np.outer,
        np.vdot,
        np.kron,
    ],
    ids=["dot", "inner", "tensordot", "einsum", "einsum-optimize", "outer", "vdot", "kron"],
)
def test_values_are_numpys_bit_for_bit_in_every_layout(f, layout, rng):
    """Constants and arguments of forward mode keep their strides, so BLAS is called as NumPy calls it."""
    change = dict(LAYOUTS)[layout]
    for n in (3, 17, 32):
        a, b = change(rng.normal(size=(n, n))), change(rng.normal(size=(n, n)))
        same_bits(da.jvp(lambda a: f(a, b), (a,), (a,))[0], f(a, b))
        same_bits(da.jvp(f, (a, b), (a, b))[0], f(a, b))
        c = np.ascontiguousarray(a)
        same_bits(da.vjp(lambda a: f(a, b), c)[0], f(c, b))


def test_float32_is_kept():
    for f, shapes in [
        (np.matmul, [(2, 3), (3, 4)]),
        (np.matmul, [(3,), (3,)]),
        (np.matmul, [(5, 2, 3), (3, 4)]),
        (np.dot, [(2, 3), (3,)]),
        (np.inner, [(2, 3), (2, 3)]),
        (np.outer, [(2,), (3,)]),
        (np.kron, [(2, 2), (2, 3)]),
        (np.cross, [(3,), (3,)]),
        (np.vecdot, [(4, 3), (4, 3)]),
        (np.convolve, [(5,), (3,)]),
        (np.polyval, [(3,), (4,)]),
        (lambda a: np.einsum("ii->i", a), [(3, 3)]),
        (lambda a: np.einsum("ii", a), [(3, 3)]),
        (np.trace, [(3, 3)]),
        (lambda a, b: np.tensordot(a, b, 1), [(2, 3), (3, 4)]),
    ]:
        float32_kept(f, *(normal(*s) for s in shapes))


@pytest.mark.parametrize(
    ("f", "shapes"),
    [
        (np.matmul, [(0, 3), (3, 2)]),
        (np.matmul, [(2, 0), (0, 3)]),
        (np.matmul, [(0,), (0,)]),
        (np.matmul, [(0, 2, 3), (3, 4)]),
        (np.dot, [(2, 0), (0,)]),
        (np.inner, [(2, 0), (3, 0)]),
        (np.outer, [(0,), (2,)]),
        (np.kron, [(0, 2), (2, 2)]),
        (lambda a, b: np.einsum("ij,jk->ik", a, b), [(2, 0), (0, 3)]),
        (lambda a: np.einsum("ii->i", a), [(0, 0)]),
        (lambda a, b: np.tensordot(a, b, 1), [(2, 0), (0, 3)]),
        (np.trace, [(0, 0)]),
        (np.cross, [(0, 3), (3,)]),
    ],
    ids=str,
)
def test_empty_arrays(f, shapes):
    args = [np.ones(s) for s in shapes]
    out, tangent = da.jvp(f, tuple(args), tuple(args))
    same_bits(out, f(*args))
    assert np.shape(tangent) == np.shape(out)
    assert not np.any(tangent)
    out, pullback = da.vjp(f, *args)
    cts = pullback(np.ones(np.shape(out))[()])
    assert [np.shape(c) for c in cts] == shapes
    assert not any(np.any(c) for c in cts)
    for jac in (da.jacfwd, da.jacrev):
        assert np.shape(jac(f)(*args)) == np.shape(out) + shapes[0]


def test_lists_and_integers_beside_a_traced_array(rng):
    x = rng.normal(size=2)
    close(da.jacrev(lambda x: np.dot([[1, 2], [3, 4]], x))(x), np.array([[1.0, 2.0], [3.0, 4.0]]))
    close(da.jacfwd(lambda x: np.array([[1, 2], [3, 4]]) @ x)(x), np.array([[1.0, 2.0], [3.0, 4.0]]))
    close(da.grad(lambda x: np.dot([x[0], x[1]], [3.0, 4.0]))(x), np.array([3.0, 4.0]))
    close(da.grad(lambda x: np.outer(np.array([True, False]), x)[0, 1])(x), np.array([0.0, 1.0]))


@pytest.mark.parametrize(
    "f",
    [
        np.matmul,
        np.dot,
        np.inner,
        np.outer,
        np.vdot,
        np.kron,
        np.vecdot,
        np.cross,
        lambda a, b: np.einsum("i,i", a, b),
        lambda a, b: np.tensordot(a, b, 1),
        np.convolve,
    ],
    ids=str,
)
def test_complex_operands_are_refused_by_name(f):
    x = np.ones(3)
    for run in (lambda g: da.jvp(g, (x,), (x,)), lambda g: da.vjp(g, x)):
        with pytest.raises(TypeError, match="complex"):
            run(lambda x: f(x, np.array([1j, 2.0, 3.0])))


def test_shapes_that_do_not_fit_raise_as_in_numpy():
    x = np.ones((2, 3))
    for f in (
        lambda x: x @ x,
        lambda x: np.dot(x, x),
        lambda x: np.einsum("ij,jk", x, x),
        lambda x: np.tensordot(x, x, 1),
        lambda x: np.inner(x, x.T),
        lambda x: np.matmul(x, 2.0),
        lambda x: np.einsum("ijk", x),
        lambda x: np.einsum("i,j", x),
        lambda x: np.linalg.outer(x, x),
    ):
        for run in (lambda g: da.jvp(g, (x,), (x,)), lambda g: da.vjp(g, x)):
            with pytest.raises(ValueError, match=r".+"):
                run(f)
    with pytest.raises(np.linalg.LinAlgError):
        da.grad(lambda x: np.sum(np.linalg.matrix_power(x, 2)))(x)
    with pytest.raises(TypeError, match="integer"):
        da.grad(lambda x: np.sum(np.linalg.matrix_power(x, 0.5)))(np.eye(2))


def test_what_is_not_covered_says_so():
    x = np.ones((2, 2))
    for f in (
        lambda x: np.einsum("ij->ji", x, dtype=np.float32),
        lambda x: np.linalg.multi_dot([x, x], out=np.zeros((2, 2))),
        lambda x: np.dot(x, x, out=np.zeros((2, 2))),
        lambda x: np.correlate(x[0], x[1], "nonsense"),
    ):
        with pytest.raises(NotImplementedError, match="numpy"):
            da.jvp(f, (x,), (x,))


def test_a_constant_overwritten_later_changes_no_derivative():
    """A recorded product once kept the caller's array, and a buffer used again gave the gradient of the wrong product."""
    a, x = normal(2, 3), normal(3)
    for product in (np.matmul, np.dot, np.inner, lambda a, x: np.einsum("ij,j->i", a, x), lambda a, x: np.tensordot(a, x, 1)):

        def f(x, product=product):
            buffer = np.array(a, x.dtype)
            y = product(buffer, x)
            buffer[:] = 0.0
            return np.sum(y)

        close(da.grad(f)(x), a.sum(0))
        close(da.grad(lambda x, f=f: da.jvp(f, (x,), (x,))[1])(x), a.sum(0))
        np.testing.assert_allclose(da.grad(f)(np.asarray(x, np.float32)), a.sum(0), rtol=1e-5)


def test_no_warning_escapes():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        x = np.ones((2, 2))
        da.hessian(lambda x: np.sum(np.einsum("ij,jk", x, x)))(x)
        da.jacrev(lambda x: x @ x)(x)

"""Laws that every array rule obeys, as one function: what the tests of products and linear algebra call on each of their cases.

`f` takes float64 arrays (and plain floats) and returns an array, a float or a tuple of them.
"""

import warnings

import numpy as np

import dualad as da


def leaves(out):
    return list(out) if isinstance(out, (tuple, list)) else [out]


def same_bits(got, want):
    """Equal in type of container, shape, dtype and every bit."""
    got, want = leaves(got), leaves(want)
    assert len(got) == len(want)
    for g, w in zip(got, want, strict=True):
        assert np.shape(g) == np.shape(w)
        assert np.asarray(g).dtype == np.asarray(w).dtype
        assert np.asarray(g).tobytes() == np.asarray(w).tobytes()


def inner(xs, ys):
    return sum(np.sum(np.asarray(x) * np.asarray(y)) for x, y in zip(leaves(xs), leaves(ys), strict=True))


def draw(rng, like):
    return [rng.normal(size=np.shape(x))[()] if np.shape(x) else float(rng.normal()) for x in like]


def five_point(f, args, directions, h=1e-3):
    """Directional derivative by five-point differences: error h**4 f'''''/30 and 1e-16/h of rounding."""
    at = lambda s: [np.asarray(y) for y in leaves(f(*[x + s * h * d for x, d in zip(args, directions, strict=True)]))]
    return [(8 * (p - m) - (pp - mm)) / (12 * h) for p, m, pp, mm in zip(at(1), at(-1), at(2), at(-2), strict=True)]


def near(got, want, tol=2e-9):
    for g, w in zip(leaves(got), leaves(want), strict=True):
        assert np.shape(g) == np.shape(w)
        np.testing.assert_allclose(g, w, rtol=tol, atol=tol * (1.0 + np.max(np.abs(w), initial=0.0)))


def obeys_the_laws(f, *args, seed=0, directions=None, second=True, tol=2e-9):
    """Primal bits, differences, dot test, lanes against single directions, and the second order both ways round.

    `directions` draws the directions of a function whose argument is restricted (symmetric matrices): called with the
    generator and the arguments; cotangents are projected by it too before they are compared.
    """
    rng = np.random.default_rng(seed)
    directions = directions or draw
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        want = f(*args)
        ts = directions(rng, args)
        out, tangent = da.jvp(f, tuple(args), tuple(ts))
        same_bits(out, want)
        near(tangent, five_point(f, args, ts), tol)
        out, pullback = da.vjp(f, *args)
        same_bits(out, want)
        ws = draw(rng, leaves(want))
        w = type(out)(*ws) if hasattr(out, "_fields") else tuple(ws) if isinstance(out, tuple) else ws[0]
        cts = pullback(w)
        scale = 1.0 + abs(inner(tangent, w))
        assert abs(inner(cts, ts) - inner(tangent, w)) <= 1e-11 * scale
        for c, x in zip(cts, args, strict=True):
            assert np.shape(c) == np.shape(x)
        _lanes(f, args, want)
        if second:
            _second_order(f, args, ws, ts, directions(rng, args), tol)


def _lanes(f, args, want):
    """A Jacobian is computed in chunks of lanes; its columns and rows are jvp's and vjp's."""
    numbers = tuple(range(len(args)))
    forward = da.jacfwd(f, argnums=numbers)(*args)
    reverse = da.jacrev(f, argnums=numbers)(*args)
    many = isinstance(want, (tuple, list))
    for jacobian, outside in ((da.jacfwd, forward), (da.jacrev, reverse)):
        kept = []  # inside a level there are no slots: f runs on duals with lanes, and on the tape of calls
        da.jvp(lambda s, jacobian=jacobian, kept=kept: kept.append(jacobian(f, argnums=numbers)(*args)) or s, (1.0,), (1.0,))
        for a, b in zip(leaves(kept[0]), leaves(outside), strict=True):
            for u, v in zip(leaves(a), leaves(b), strict=True):
                np.testing.assert_allclose(u, v, rtol=1e-9, atol=1e-10 * (1.0 + np.max(np.abs(v), initial=0.0)))
    for k, y in enumerate(leaves(want)):
        for i, x in enumerate(args):
            a, b = (forward[k][i], reverse[k][i]) if many else (forward[i], reverse[i])
            assert np.shape(a) == np.shape(b) == np.shape(y) + np.shape(x)
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-10 * (1.0 + np.max(np.abs(a), initial=0.0)))
    rng = np.random.default_rng(1)
    for i, x in enumerate(args):
        t = draw(rng, [x])[0]
        zeros = [np.zeros(np.shape(v))[()] if np.shape(v) else 0.0 for v in args]
        zeros[i] = t
        column = leaves(da.jvp(f, tuple(args), tuple(zeros))[1])
        for k, y in enumerate(leaves(want)):
            j = forward[k][i] if many else forward[i]
            total = np.sum(np.reshape(j, (*np.shape(y), -1)) * np.ravel(t), axis=-1)
            np.testing.assert_allclose(total, column[k], rtol=1e-9, atol=1e-10 * (1.0 + np.max(np.abs(total), initial=0.0)))


def _second_order(f, args, ws, ts, us, tol):
    """<w, f> differentiated twice: forward over reverse, reverse over forward, forward over forward, and differences."""
    numbers = tuple(range(len(args)))
    g = lambda *xs: sum(np.sum(w * y) for w, y in zip(ws, leaves(f(*xs)), strict=True))
    gradient = da.grad(g, argnums=numbers)
    _, by_forward = da.jvp(gradient, tuple(args), tuple(ts))
    along = lambda *xs: da.jvp(g, xs, tuple(ts))[1]
    by_reverse = da.grad(along, argnums=numbers)(*args)
    pulled = da.vjp(gradient, *args)[1](tuple(us))  # the Hessian is symmetric: H u from the transpose
    twice = da.jvp(along, tuple(args), tuple(us))[1]
    scale = 1.0 + max(np.max(np.abs(h), initial=0.0) for h in by_forward)
    for a, b in zip(by_forward, by_reverse, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-9 * scale)
    assert abs(inner(by_forward, us) - twice) <= 1e-9 * scale * (1.0 + abs(twice))
    assert abs(inner(pulled, ts) - twice) <= 1e-9 * scale * (1.0 + abs(twice))
    assert abs(five_point(along, args, us)[0] - twice) <= 10 * tol * scale * (1.0 + abs(twice))


def float32_kept(f, *args):
    """float32 in, float32 out: values bit for bit, tangents and gradients in single precision, near the double ones."""
    singles = [np.asarray(x, np.float32) for x in args]
    doubles = [np.asarray(x, np.float64) for x in singles]
    rng = np.random.default_rng(3)
    ts = draw(rng, args)
    out, tangent = da.jvp(f, tuple(singles), tuple(np.asarray(t, np.float32) for t in ts))
    same_bits(out, f(*singles))
    exact = da.jvp(f, tuple(doubles), tuple(np.asarray(np.float32(t), float) for t in ts))[1]
    for t, e in zip(leaves(tangent), leaves(exact), strict=True):
        assert np.asarray(t).dtype == np.float32
        np.testing.assert_allclose(t, e, rtol=2e-4, atol=2e-4 * (1.0 + np.max(np.abs(e), initial=0.0)))
    out, pullback = da.vjp(f, *singles)
    same_bits(out, f(*singles))
    ws = draw(rng, leaves(out))
    cast = [np.asarray(w, np.float32)[()] for w in ws]
    whole = lambda c: type(out)(*c) if hasattr(out, "_fields") else tuple(c) if isinstance(out, tuple) else c[0]
    exact_pull = da.vjp(f, *doubles)[1](whole([np.asarray(c, float)[()] if np.shape(c) else float(c) for c in cast]))
    for c, e in zip(pullback(whole(cast)), exact_pull, strict=True):
        assert np.asarray(c).dtype == np.float32
        np.testing.assert_allclose(c, e, rtol=2e-4, atol=2e-4 * (1.0 + np.max(np.abs(e), initial=0.0)))

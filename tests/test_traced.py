"""Traced values behave as what they stand for (np.float64, ndarray), and Python's own ways to write f all work."""

import itertools

import numpy as np
import pytest

import dualad as da

X = np.array([0.5, -1.25, 2.0])


class Counted:
    """A function that counts its calls."""

    def __init__(self, f):
        self.f, self.calls = f, 0

    def __call__(self, *args):
        self.calls += 1
        return self.f(*args)


TRACERS = {"jvp": lambda f, x: da.jvp(f, (x,), (np.ones_like(x) if np.ndim(x) else 1.0,)), "vjp": da.vjp,
           "jacfwd": lambda f, x: da.jacfwd(f)(x), "generic": lambda f, x: da.jvp(lambda s: da.vjp(f, x * s)[0], (1.0,), (1.0,)),
           "duals of duals": lambda f, x: da.derivative(lambda s: da.jvp(f, (x * s,), (x,))[0])(1.0)}
tracers = pytest.mark.parametrize("trace", TRACERS.values(), ids=TRACERS)


def seen_in(trace, x, look):
    """What look says of a traced x, inside f."""
    seen = []
    trace(lambda t: seen.append(look(t)) or t * 1.0, x)
    return seen[-1]


def public(kind):
    """Names of a NumPy type that make sense for a value: no writes, no buffers, no bits, no strings."""
    out = {"byteswap", "choose", "conjugate", "ctypes", "data", "dump", "dumps",
           "getfield", "newbyteorder", "setfield", "setflags", "strides", "tobytes", "tofile",
           "tostring", "view", "base", "device", "to_device", "hex", "fromhex",
           "is_integer", "as_integer_ratio", "from_number",
           "argpartition", "flags"}
    return [name for name in dir(kind) if not name.startswith("_") and name not in out]


@tracers
def test_attributes_of_numpy(trace):
    for x, kind in ((1.5, np.float64), (X.reshape(3, 1), np.ndarray)):
        missing = seen_in(trace, x, lambda t, kind=kind: [name for name in public(kind) if not hasattr(t, name)])
        assert missing == []
        plain = np.float64(x) if kind is np.float64 else x
        for name in ("shape", "ndim", "size", "dtype", "itemsize", "nbytes"):
            assert seen_in(trace, x, lambda t, name=name: getattr(t, name)) == getattr(plain, name)


@tracers
@pytest.mark.parametrize("look", [
    lambda t: f"{t:.3f}", lambda t: f"{t:8.2e}", lambda t: t > 0, lambda t: t < 1.0, lambda t: t == 1.25, lambda t: t != 1.25,
    lambda t: 0 <= t <= 2,
    lambda t: "big" if t > 1 else "small", bool, lambda t: not t, lambda t: t in (1.0, 1.25),
    lambda t: t is None, lambda t: max(t, 0.5) > 1,
    lambda t: min([2.0, t, 3.0]) == t, lambda t: t > 1 and t < 2, lambda t: len(np.shape(t)), np.ndim,
    lambda t: [k for k in range(5) if k > t],
    lambda t: isinstance(hash(t), int), lambda t: sorted([t + 1, t, t - 1])[0] == 0.25])
def test_scalars_print_compare_and_branch(trace, look):
    assert seen_in(trace, 1.25, look) == look(1.25)


@tracers
@pytest.mark.parametrize("look", [
    len, lambda t: [bool(v > 0) for v in t], lambda t: bool(sum(t) > 1), lambda t: bool(max(t) == 2.0),
    lambda t: bool(min(t) == -1.25),
    lambda t: [bool(v == w) for v, w in zip(sorted(t), np.sort(X), strict=True)], lambda t: [i for i, v in enumerate(t) if v > 0],
    lambda t: 2.0 in t, lambda t: bool(np.all(t > -2)), lambda t: bool((t > 0).any()),
    lambda t: int(np.argmax(t)), lambda t: t.argsort().tolist(),
    lambda t: bool(next(reversed(t)) == 2.0), lambda t: [bool(a < b) for a, b in itertools.pairwise(t)]])
def test_arrays_are_sequences(trace, look):
    assert seen_in(trace, X, look) == look(X)


def horner(x):
    return 1.0 + x * (2.0 + x * (3.0 + x * 4.0))


def by_generator(x):
    return sum(c * p for c, p in zip((1.0, 2.0, 3.0, 4.0), powers(x), strict=False))


def powers(x):
    p = x * 0.0 + 1.0
    while True:
        yield p
        p = p * x


def by_recursion(x, c=(1.0, 2.0, 3.0, 4.0)):
    return c[0] if len(c) == 1 else c[0] + x * by_recursion(x, c[1:])


def by_while(x):
    total, k, p = 0.0, 1, 1.0
    while k < 5:
        total, p, k = total + k * p, p * x, k + 1
    return total


def by_closure(x):
    terms = [lambda y, k=k: (k + 1) * x**k * 1.0 + 0.0 * y for k in range(4)]
    return sum(term(x) for term in terms)


def by_state(x):
    state = {"total": 0.0}
    for k in range(4):
        state["total"] = state["total"] + (k + 1) * x**k
    return state["total"]


@pytest.mark.parametrize("f", [horner, by_generator, by_recursion, by_while, by_closure, by_state])
def test_pythons_ways_to_write_a_polynomial(f):
    for x in (0.5, -2.0, 3.0):
        slope = 2.0 + x * (6.0 + x * 12.0)
        for d in (da.grad, da.derivative, da.jacfwd, da.jacrev):
            assert d(f)(x) == pytest.approx(slope, rel=1e-14)
            assert d(d(f))(x) == pytest.approx(6.0 + 24.0 * x, rel=1e-14)
    np.testing.assert_allclose(da.grad(lambda x: np.sum(f(x)))(X), 2.0 + X * (6.0 + X * 12.0), rtol=1e-14)


@pytest.mark.parametrize("transform", [da.grad, da.value_and_grad, da.derivative, da.jacfwd, da.jacrev, da.jacobian])
def test_f_runs_once(transform):
    for f in (lambda x: x * x, lambda x: np.max(np.linalg.inv(np.eye(2) * x)), lambda x: x * da.derivative(np.sin)(x)):
        counted = Counted(f)
        transform(counted)(2.0)
        assert counted.calls == 1


def test_a_curve_is_run_once():
    """jvp and derivative of a float once ran f again when it returned anything but a float."""
    for returned in (lambda t: np.stack([t, t * t]), lambda t: {"x": t, "y": [t * 2.0]}, lambda t: np.array([t, 1.0]), lambda t: 3):
        runs = []
        f = lambda t, returned=returned: (runs.append(1), returned(t))[1]
        da.derivative(f)(2.0)
        assert len(runs) == 1
        da.jvp(f, (2.0,), (1.0,))
        assert len(runs) == 2
    np.testing.assert_array_equal(da.derivative(lambda t: np.array([t, t * t]))(3.0), [1.0, 6.0])

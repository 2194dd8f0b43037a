"""Containers of numbers: flattening and building, and containers as arguments and results of every transformation."""

from collections import OrderedDict, defaultdict, namedtuple
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import dualad as da
from dualad.tree import flatten, tree_map, unflatten

Pair = namedtuple("Pair", ["a", "b"])


@dataclass
class Layer:
    """A dataclass of parameters."""

    weights: Any
    bias: Any = 0.0


@dataclass(frozen=True)
class Frozen:
    """A frozen one, with a field that is a container."""

    inner: Any
    rest: list = field(default_factory=list)


class Triple(tuple):
    """A subclass of tuple without fields."""

    __slots__ = ()


W = np.arange(6.0).reshape(2, 3) - 2.5
TREES = {
    "tuple": (W, 2.0), "list": [W, 2.0], "dict": {"w": W, "b": 2.0}, "namedtuple": Pair(W, 2.0), "dataclass": Layer(W, 2.0),
    "frozen": Frozen(W, [2.0]), "ordered": OrderedDict(w=W, b=2.0), "nested": {"x": [(W, {"y": Pair(2.0, Layer(1.5, [0.5]))})]},
    "subclass": Triple((W, 2.0)), "none": (W, None, 2.0), "leaf": W, "deep": [[[[[(2.0,)]]]]],
}


def same(a, b):
    """Equal in every type and every bit."""
    assert type(a) is type(b)
    x, s = flatten(a)
    y, t = flatten(b)
    assert s == t
    for u, v in zip(x, y, strict=True):
        assert type(u) is type(v)
        np.testing.assert_array_equal(u, v, strict=True)


@pytest.fixture(params=TREES)
def tree(request):
    return TREES[request.param]


def squares(tree):
    return sum(np.sum(x * x) for x in flatten(tree)[0])


def test_there_and_back(tree):
    leaves, structure = flatten(tree)
    same(unflatten(structure, leaves), tree)
    same(tree_map(lambda x: x, tree), tree)
    hash(structure)


def test_structures_differ():
    structures = [flatten(t)[1] for t in TREES.values()]
    for i, s in enumerate(structures):
        assert [s == t for t in structures].count(True) == 1, i


def test_empty_containers():
    for t in ((), [], {}, None, [(), {}]):
        leaves, structure = flatten(t)
        assert leaves == []
        assert unflatten(structure, []) == t
        assert da.jvp(lambda x, t=t: (x, t), (1.0,), (2.0,)) == ((1.0, t), (2.0, t))


def test_gradients_have_the_container_of_their_argument(tree):
    same(da.grad(squares)(tree), tree_map(lambda x: 2 * x, tree))
    value, gradient = da.value_and_grad(squares)(tree)
    assert value == squares(tree)
    same(gradient, tree_map(lambda x: 2 * x, tree))
    both = da.grad(lambda a, b: squares(a) * b, (0, 1))(tree, 3.0)
    same(both[0], tree_map(lambda x: 6 * x, tree))
    assert both[1] == squares(tree)


def test_containers_in_and_out_of_jvp_vjp_linearize(tree):
    f = lambda t: tree_map(lambda x: x * x, t)
    want, twice = tree_map(lambda x: x * x, tree), tree_map(lambda x: 2 * x, tree)
    ones = tree_map(lambda x: np.ones_like(x) if np.ndim(x) else 1.0, tree)
    out, tangent = da.jvp(f, (tree,), (ones,))
    same(out, want)
    same(tangent, twice)
    out, pullback = da.vjp(f, tree)
    same(out, want)
    (ct,) = pullback(ones)
    same(ct, twice)
    out, f_jvp = da.linearize(f, tree)
    same(out, want)
    same(f_jvp(ones), twice)
    same(da.hvp(squares, (tree,), (ones,)), tree_map(lambda x: 2 * x, ones))


def test_containers_inside_an_open_level(tree):
    """The generic carriers: gradients of containers, differentiated once more."""
    scaled = lambda s: squares(da.grad(squares)(tree_map(lambda x: s * x, tree)))  # 4 s^2 |x|^2
    for d in (da.grad, da.derivative):
        assert d(scaled)(1.5) == pytest.approx(12.0 * squares(tree), rel=1e-14)


@pytest.mark.parametrize("jac", [da.jacfwd, da.jacrev, da.jacobian])
def test_jacobians_hold_containers_of_the_argument_in_that_of_the_output(jac, tree):
    got = jac(lambda t: Pair(squares(t), [3.0 * flatten(t)[0][0]]))(tree)
    assert type(got) is Pair
    same(got.a, tree_map(lambda x: 2 * x, tree))
    first = flatten(tree)[0][0]
    block = flatten(got.b[0])[0][0]
    assert np.shape(block) == np.shape(first) * 2
    np.testing.assert_array_equal(np.reshape(block, (np.size(first), -1)), 3 * np.eye(np.size(first)))


def test_dicts_keep_their_order_and_a_defaultdict_its_entries():
    got = da.grad(lambda p: p["z"] * p["a"])({"z": 2.0, "a": 3.0})
    assert list(got.items()) == [("z", 3.0), ("a", 2.0)]
    p = defaultdict(float, x=2.0)
    assert da.grad(lambda p: p["x"] ** 2)(p)["x"] == 4.0
    assert list(flatten({2: 1.0, 1: 2.0})[0]) == [1.0, 2.0]


def test_a_dataclass_keeps_its_methods_inside_f():
    @dataclass
    class Line:
        slope: Any
        offset: Any

        def at(self, x):
            return self.slope * x + self.offset

    got = da.grad(lambda line: line.at(3.0) ** 2)(Line(2.0, 1.0))
    assert type(got) is Line
    assert (got.slope, got.offset) == (42.0, 14.0)


def test_a_wrong_leaf_is_named_by_its_place():
    with pytest.raises(TypeError, match=r"number 1 in argument 0 is an integer \(3\)"):
        da.grad(lambda p: p["a"] * p["b"])({"a": 2.0, "b": 3})
    with pytest.raises(TypeError, match="word"):
        da.grad(lambda p: p[0])([2.0, "word"])
    for nothing in ([], {}, None):
        with pytest.raises(ValueError, match="nothing to differentiate"):
            da.grad(lambda p: 1.0)(nothing)


def test_containers_of_another_structure_are_refused():
    f = lambda p: p["a"] * p["b"]
    p = {"a": 2.0, "b": 3.0}
    for t in ({"a": 1.0}, {"a": 1.0, "c": 1.0}, [1.0, 1.0], (1.0, 1.0), {"a": 1.0, "b": (1.0,)}):
        with pytest.raises(ValueError, match="structure"):
            da.jvp(f, (p,), (t,))
    _, pullback = da.vjp(lambda x: [x, x], 1.0)
    with pytest.raises(ValueError, match="structure"):
        pullback((1.0, 1.0))


def test_dicts_in_another_order_are_refused_not_mixed_up():
    """Entries are taken in the dict's own order: a direction in another order must not meet the wrong entry."""
    f = lambda p: p["a"] * p["b"]
    with pytest.raises(ValueError, match="structure"):
        da.jvp(f, ({"a": 2.0, "b": 3.0},), ({"b": 0.0, "a": 1.0},))

"""Six ways to a Hessian-vector product: equal answers, counts that compose the tables of the cost model, growth."""

import sys

import numpy as np
import pytest

from dualad import compare
from dualad.compare.command import main
from dualad.compare.hvp import METHODS, G, T, WorkMap, bounds, calls_of, check, counted_work, price_of
from dualad.compare.methods import DisagreementError
from dualad.cost import CLASSES, DEFAULT, GRADIENT, TANGENT, VALUE, Operations, Weights


@pytest.fixture(scope="module")
def result():
    return compare.hvp(count_only=True)


@pytest.mark.parametrize("table", [TANGENT, GRADIENT], ids=["tangent", "gradient"])
def test_the_tables_are_linear_maps_of_work(table):
    """Four classes, four kinds of work: the map is the table, and has no negative or broken entry."""
    work = WorkMap(table)
    for name in CLASSES:
        assert work(VALUE[name]) == table[name]
    assert (work.matrix >= 0).all()


def test_gradient_map_by_hand():
    """An addition moves 3 of its own beside doubling, a product 5 and becomes 3 products and 2 additions, and so on."""
    assert G.matrix.tolist() == [[2, 3, 5, 3], [0, 3, 2, 1], [0, 0, 3, 1], [0, 0, 0, 2]]
    assert T.matrix.tolist() == [[2, 0, 0, 0], [0, 2, 1, 0], [0, 0, 3, 1], [0, 0, 0, 2]]


def test_second_order_bounds():
    assert [bounds(*pair) for pair in ((T, G), (G, T), (G, G))] == [(6, 9.5), (6, 12), (9, 16)]
    assert bounds(T, G, Weights(moves=0)) == (6, 16)  # bare flops, where the folklore's 5 for a gradient comes from


def test_counted_work_of_a_product_by_hand():
    """f = x y of three inputs: value (3, 0, 1, 0), T (6, 1, 3, 0), G (11, 2, 3, 0)."""
    work = counted_work(Operations(mult=1), 3)
    assert work["forward over reverse"] == (22, 7, 9, 0)
    assert work["reverse over forward"] == (30, 9, 9, 0)
    dot = (15, 2, 3, 0)  # 3 products, 2 sums
    assert work["reverse over reverse"] == G([a + b for a, b in zip((11, 2, 3, 0), dot, strict=True)])
    assert work["forward over forward"] == tuple(a + 3 * (b - a) for a, b in zip((6, 1, 3, 0), (12, 5, 9, 0), strict=True))
    assert work["full Hessian"] == (11 + 3 * 11 + 3 * 9 + 3 * 6, 2 + 3 * 5 + 6, 3 + 3 * 6 + 9, 0)


@pytest.mark.parametrize("family", ["helmholtz", "rosenbrock", "logsumexp", "speelpenning", "mlp", "lorenz"])
def test_families_lie_in_the_bounds(family):
    """Whatever the function, forward over reverse, reverse over forward and the gradient do; all ways agree (checked inside)."""
    r = compare.hvp([3, 6], family=family, count_only=True)
    for row in r.rows:
        assert 6 <= row.relative("forward over reverse") <= 9.5
        assert 6 <= row.relative("reverse over forward") <= 12
        assert 3 <= row.relative("gradient") <= 4
        assert row.relative("forward over reverse") <= row.relative("reverse over forward")
        assert row.counted["value"] == row.operations.value()
        assert row.counted["gradient"] == row.operations.gradient()


def test_growth(result):
    """A product with the Hessian does not grow with n, the Hessian does."""
    for name in ("hvp", "reverse over forward", "reverse over reverse"):
        assert result.slope(name) == pytest.approx(0, abs=0.05)
    for name in ("forward over forward", "full Hessian"):
        assert result.slope(name) == pytest.approx(1, abs=0.05)


def test_products_are_those_of_a_hessian_by_hand():
    """Rosenbrock's second derivatives, written down."""
    x, v = np.array([0.3, -0.7, 1.1]), np.array([1.0, -2.0, 0.5])
    hessian = np.zeros((3, 3))
    for i in range(2):
        hessian[i, i] += 1200 * x[i] ** 2 - 400 * x[i + 1] + 2
        hessian[i, i + 1] -= 400 * x[i]
        hessian[i + 1, i] -= 400 * x[i]
        hessian[i + 1, i + 1] += 200
    calls = calls_of(lambda z: np.sum(100 * (z[1:] - z[:-1] ** 2) ** 2 + (1 - z[:-1]) ** 2), x, v)
    assert set(calls) == set(METHODS)
    for name, call in calls.items():
        np.testing.assert_allclose(call(), hessian @ v, rtol=1e-13, err_msg=name)


def test_tapes_in_c(result):
    """hvp and the Hessian sweep the tape of f, the others a longer one; nested forward over reverse has none."""
    for row in result.rows:
        assert "forward over reverse" not in row.tape
        assert row.tape["hvp"] == row.tape["full Hessian"] < row.tape["reverse over reverse"]
        assert row.peak is None


def test_measured_run_has_times_and_bytes(tmp_path):
    r = compare.hvp([4, 8], family="rosenbrock", repeats=1)
    assert r.timed
    assert r.environment
    for row in r.rows:
        assert set(METHODS) < set(row.seconds)
        assert all(timing.median > 0 for timing in row.seconds.values())
        assert set(row.peak) == set(METHODS)
    assert [figure.name for figure in r.figures()] == ["hvp-measured", "hvp-counted"]
    r.to_json(tmp_path / "r.json")
    assert compare.load(tmp_path / "r.json") == r
    assert "overhead" in " ".join(r.reading())


def test_peak_sees_the_hessian():
    """The full Hessian holds 8 n^2 bytes, hvp a few vectors."""
    (row,) = compare.hvp([200], family="rosenbrock", repeats=1).rows
    assert row.peak["full Hessian"] >= 8 * 200 * 200 > row.peak["hvp"]


def test_disagreement_is_refused(monkeypatch):
    with pytest.raises(DisagreementError, match="a and b disagree"):
        check({"a": np.ones(3), "b": np.array([1.0, 1.0, 1.001])})
    with pytest.raises(DisagreementError, match="shape"):
        check({"a": np.ones(3), "b": np.ones(2)})
    with pytest.raises(DisagreementError, match="a and b"):
        check({"a": np.ones(3), "b": np.full(3, np.nan)})
    module = sys.modules["dualad.compare.hvp"]
    right = module.hessian
    monkeypatch.setattr(module, "hessian", lambda f: lambda x: right(f)(x) + 1e-3)
    with pytest.raises(DisagreementError, match="at n = 4: hvp and full Hessian"):
        compare.hvp([4])


@pytest.mark.parametrize(("arguments", "words"), [
    ({"family": "chain"}, "with one output"), ({"at": [1], "family": "rosenbrock"}, "at least 2"), ({"at": [4, 4]}, "increase"),
    ({"at": [2000]}, "up to 1000"), ({"at": [7], "family": "lorenz"}, "up to 6"), ({"repeats": 0}, "repeats"),
])  # fmt: skip
def test_bad_input(arguments, words):
    with pytest.raises(ValueError, match=words):
        compare.hvp(**arguments)


def test_default_sizes_end_where_the_family_does():
    assert [row.n for row in compare.hvp(family="lorenz", count_only=True).rows] == [2, 4, 6]


def test_saved_drawn_and_run_again(result, tmp_path):
    result.to_json(tmp_path / "r.json")
    assert compare.load(tmp_path / "r.json") == result
    settings = {**result.settings, "weights": Weights(**result.settings["weights"])}
    assert compare.hvp(**settings) == result
    (figure,) = result.figures()
    assert figure.curves[0].low[0] == 6
    assert f"{result.rows[-1].relative('full Hessian'):.3g}" in figure.caption
    assert price_of(VALUE["nonlinear"], DEFAULT) == 4


def test_command_line(capsys):
    assert main(["hvp", "--at", "2,4", "--family", "logsumexp", "--count-only"]) == 0
    assert "Forward over reverse" in capsys.readouterr().out
    assert main(["hvp", "--family", "dense"]) == 2

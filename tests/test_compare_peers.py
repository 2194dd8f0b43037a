"""Other libraries beside dualad: f is rebound, answers are checked, what is absent or refuses is named. Libraries that are not
installed are stood in for by a peer made of NumPy; the adapters of those that are installed run."""

import functools
import json
import math
import types

import numpy as np
import pytest

from dualad import compare, jacobian
from dualad import math as dualad_math
from dualad.compare import measure as measuring
from dualad.compare import peers
from dualad.compare.command import main
from dualad.compare.families import FAMILIES
from dualad.compare.methods import METHODS, NotApplicableError
from dualad.compare.peers import adapters, choice
from dualad.compare.recorded import recorded
from dualad.problems import get

SCALE = 3.0


def scaled(x):
    return np.sin(x) * SCALE


def outer(x):
    return np.sum(scaled(x))


class StandIn(peers.Peer):
    """A peer that is always here: central differences of the rebound function, or whatever a test wants."""

    name, module, summary, most, unit = "autograd", "numpy", "a stand-in", 1000, "nodes"

    def __init__(self, factor=1.0, error=None):
        self.factor, self.error, self.calls = factor, error, 0

    def effort(self, tape, n, m):
        return tape.nodes

    def jacobian(self, f, x, m):
        if self.error is not None:
            raise self.error
        g = peers.rebind(f, np)

        def call():
            self.calls += 1
            return METHODS["complex"].jacobian(g, x) * self.factor

        return call

    gradient = None


@pytest.fixture
def stand_in(monkeypatch):
    """Makes the list of peers: one that is here (as given), one that is not."""

    def install(**settings):
        here, gone = StandIn(**settings), StandIn()
        gone.module = "no_such_module_anywhere"
        table = {"autograd": here, "torch": gone}
        for module in (peers, adapters, choice):
            monkeypatch.setattr(module, "PEERS", table)
        return here

    return install


# ---- rebinding ---------------------------------------------------------------------------------------------------------------


def test_rebinding_reaches_functions_closures_partials_defaults_and_modules():
    def make(shift):
        def inner(x, m=dualad_math):
            return m.exp(x) + np.sum(shift)

        return inner

    module = types.ModuleType("tests_of_rebinding")
    module.scaled = scaled

    def f(x):
        return functools.partial(held, x)() + outer(x) + module.scaled(x) + math.sqrt(4.0)

    held = make(np.array([1.0, 2.0]))
    used, made = [], []

    class Recording:
        def __getattr__(self, name):
            used.append(name)
            return getattr(np, name)

    def constant(array):
        made.append(array.tolist())
        return array

    assert peers.rebind(f, Recording(), constant)(0.5) == f(0.5)
    assert sorted(used) == ["exp", "sin", "sin", "sum", "sum"]
    assert made == [[1.0, 2.0]]


def test_rebinding_leaves_the_function_alone_and_takes_recursion():
    def factorial(n):
        return np.float64(1.0) if n == 0 else n * factorial(n - 1)

    fake = types.SimpleNamespace(float64=lambda x: 100.0 * x)
    assert peers.rebind(factorial, fake)(3) == 600.0
    assert factorial(3) == 6.0
    assert peers.rebind(np.sin, fake) is np.sin


def test_rebinding_reaches_called_functions_of_a_problem():
    used = []

    class Recording:
        def __getattr__(self, name):
            used.append(name)
            return getattr(np, name)

    problem = get("lstm")
    args = problem.make(3, seed=0)
    assert peers.rebind(problem.f, Recording())(*args) == problem.f(*args)
    assert {"concatenate", "tanh", "exp"} <= set(used)


# ---- choice ------------------------------------------------------------------------------------------------------------------


def test_peers_are_chosen_by_name():
    assert peers.selected(True) == tuple(peers.PEERS) == ("autograd", "jax", "torch", "num-dual", "casadi")
    assert peers.selected("torch") == ("torch",)
    with pytest.raises(ValueError, match="no peer 'tensorflow'; there are autograd, jax"):
        peers.selected(["tensorflow"])


def test_peers_and_the_extra_are_the_same(request):
    import tomllib

    extra = tomllib.loads((request.config.rootpath / "pyproject.toml").read_text())["project"]["optional-dependencies"]["peers"]
    assert sorted(extra) == sorted(peers.PEERS)


def test_a_peer_that_is_right_is_timed_and_one_that_is_absent_is_named(stand_in):
    here = stand_in()
    r = compare.scaling("n", [1, 2, 4], m=2, depth=3, repeats=2, peers=True)
    assert r.peers() == ["autograd"]
    assert all(row.seconds["autograd"].samples >= 2 for row in r.rows)
    assert here.calls > 3 * 4
    assert any(note == 'torch: not installed (pip install "dualad[peers]")' for note in r.notes)
    assert r.environment["peers"].startswith("autograd")
    assert compare.load is not None
    table = next(table for table in r.tables() if table.title.startswith("Other libraries"))
    assert table.header == ("n", "m", "dualad", "autograd")
    assert len(table.rows) == 3
    figure = next(figure for figure in r.figures() if figure.name == "scaling-n-peers")
    assert [(curve.label, curve.role) for curve in figure.curves] == [
        ("dualad forward", "forward"), ("dualad reverse", "reverse"), ("autograd", "peer 1")]  # fmt: skip
    assert "autograd" in figure.caption
    assert "autograd" in figure.alt
    assert "Other libraries at n = 4" in str(r)
    assert "autograd" in r.fit(True)
    assert "autograd" not in r.fit()


def test_a_result_with_peers_survives_json(stand_in, tmp_path):
    stand_in()
    r = compare.scaling("n", [1, 2], depth=3, repeats=2, peers=["autograd"])
    r.to_json(tmp_path / "run.json")
    assert compare.load(tmp_path / "run.json") == r
    assert r.settings["peers"] == ["autograd"]


def test_a_wrong_answer_is_not_timed(stand_in):
    stand_in(factor=1.0 + 1e-6)
    r = compare.scaling("n", [2], depth=3, repeats=2, peers=["autograd"])
    assert "autograd" not in r.rows[0].seconds
    assert "gives another answer: entry (0, " in r.rows[0].left_out["autograd"]
    assert any("another answer" in note for note in r.notes)


def test_a_nan_is_a_wrong_answer(stand_in):
    stand_in(factor=math.nan)
    assert "another answer" in compare.scaling("n", [2], depth=3, repeats=2, peers=["autograd"]).rows[0].left_out["autograd"]


def test_a_refusal_is_named_with_its_reason(stand_in):
    stand_in(error=TypeError("no such function\nand more lines"))
    r = compare.scaling("n", [2], depth=3, repeats=2, peers=["autograd"])
    assert r.rows[0].left_out["autograd"] == "cannot do this function (TypeError: no such function and more lines)"


def test_too_much_work_is_not_tried(stand_in):
    here = stand_in()
    r = compare.scaling("n", [2], depth=400, repeats=2, peers=["autograd"])
    assert here.calls == 0
    assert r.rows[0].left_out["autograd"] == "more than 1,000 nodes are not tried (1.6e+03)"


def test_slow_peers_are_not_timed(stand_in, monkeypatch):
    here = stand_in()
    monkeypatch.setattr(choice, "PATIENCE", 0.0)
    f, x = np.sin, np.ones(2)
    with pytest.raises(NotApplicableError, match="takes more than 0 s"):
        peers.checked_jacobian("autograd", f, x, jacobian(f)(x), recorded(f, x))
    assert here.calls == 2


def test_another_shape_is_a_wrong_answer(stand_in):
    stand_in()
    with pytest.raises(NotApplicableError, match="gives 4 numbers, not 6"):
        peers.checked_jacobian("autograd", np.sin, np.ones(2), np.ones((3, 2)), recorded(np.sin, np.ones(2)))


def test_no_peer_is_asked_unless_wanted(monkeypatch):
    monkeypatch.setattr(measuring, "checked_jacobian", None)
    assert compare.scaling("n", [2], repeats=2).peers() == []


def test_mine_takes_peers(stand_in):
    stand_in()
    r = compare.mine(outer, np.ones(3), repeats=2, peers=["autograd"])
    assert r.parts[0].peers() == ["autograd"]


def test_peers_are_not_counted(capsys):
    with pytest.raises(ValueError, match="timed, not counted"):
        compare.scaling("n", [2], peers=True, count_only=True)
    assert main(["scaling", "--at", "2", "--peers", "--count-only"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_command_line_has_the_switch(stand_in, capsys, tmp_path):
    stand_in()
    assert main(["scaling", "--at", "1,2", "--depth", "2", "--repeats", "2", "--peers", "--out", str(tmp_path / "r.json")]) == 0
    out = capsys.readouterr().out
    assert "torch: not installed" in out
    assert "Other libraries" in out
    assert json.loads((tmp_path / "r.json").read_text())["settings"]["peers"] is True


# ---- adapters ----------------------------------------------------------------------------------------------------------------


def installed(name):
    if not peers.PEERS[name].installed():
        pytest.skip(f"{name} is not installed")


@pytest.mark.parametrize("name", list(peers.PEERS))
@pytest.mark.parametrize(("family", "n", "m"), [("chain", 3, 5), ("chain", 5, 1), ("dense", 4, 6), ("helmholtz", 4, 1),
                                                ("rosenbrock", 5, 1), ("logsumexp", 5, 1), ("speelpenning", 4, 1), ("mlp", 9, 1),
                                                ("lorenz", 6, 1), ("quiz1", 2, 1)])  # fmt: skip
def test_adapter_does_every_family(name, family, n, m):
    installed(name)
    f, x, _ = FAMILIES[family].make(n, m, 3, 0)
    call = peers.checked_jacobian(name, f, x, np.reshape(jacobian(f)(x), (-1, n)), recorded(f, x))
    assert np.size(call()) == m * n


@pytest.mark.parametrize("name", list(peers.PEERS))
@pytest.mark.parametrize("problem", ["newton_sqrt", "kepler", "rosenbrock", "sum_sin_exp"])
def test_adapter_takes_numbers_lists_and_arrays(name, problem):
    installed(name)
    p = get(problem)
    args = p.make(6, seed=0)
    g, primals = p.split(args)
    peers.checked_gradient(name, p.f, args, 1, p.closed_form(*args), recorded(g, *primals))


@pytest.mark.parametrize("name", list(peers.PEERS))
@pytest.mark.parametrize("problem", ["gmm", "mlp", "mlp_softmax", "black_scholes", "logistic_regression"])
def test_adapter_does_the_array_problems(name, problem):
    """All of them, but for special functions that num-dual and CasADi have no word for."""
    installed(name)
    if (name, problem) in (("num-dual", "black_scholes"), ("num-dual", "logistic_regression"), ("casadi", "logistic_regression")):
        pytest.skip(f"{name} has no such function")
    p = get(problem)
    args = p.make(6, seed=0)
    g, primals = p.split(args)
    peers.checked_gradient(name, p.f, args, len(primals), p.closed_form(*args), recorded(g, *primals))


def test_casadi_refuses_a_loop_that_depends_on_data():
    installed("casadi")
    p = get("newton_sqrt_while")
    args = p.make(1, seed=0)
    with pytest.raises(NotApplicableError, match="cannot do this function"):
        peers.checked_gradient("casadi", p.f, args, 1, p.closed_form(*args), recorded(p.f, *args))

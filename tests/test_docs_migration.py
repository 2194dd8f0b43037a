"""The tables of the migration guides: every row run, on the library it comes from and on dualad, and the numbers compared.

Each cell of a table is code. The first piece of a row's first cell and of its second are evaluated (or executed, where they are
statements), and what they give, or the expressions named in PROBES, must agree. Rows whose cells are names or words have a check
of their own. A row in none of the lists fails: nothing stands in a table unread. Skipped where the library is missing.
"""

import importlib
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import dualad

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGES = ("autograd", "jax", "pytorch")


def rows(page):
    """(peer's cell, our cell) of the page's table."""
    text = (DOCS / f"migration-{page}.md").read_text(encoding="utf-8")
    table = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in text.splitlines() if line.startswith("| ")]
    return [(theirs, ours) for theirs, ours, _ in table if not {"autograd", "JAX", "PyTorch", "---"} & {theirs}]


def pieces(cell):
    return re.findall(r"`([^`]+)`", cell)


def numbers(thing):
    """Every number of what a library returned, in one array."""
    if hasattr(thing, "detach"):
        thing = thing.detach().numpy()
    if isinstance(thing, (list, tuple)):
        return np.concatenate([numbers(part) for part in thing]) if thing else np.zeros(0)
    if isinstance(thing, dict):
        return np.concatenate([numbers(thing[key]) for key in sorted(thing)])
    return np.ravel(np.asarray(thing, dtype=float))


def run(code, names, probe):
    """The value of an expression, or of a statement's probe."""
    try:
        compiled = compile(code, code, "eval")
    except SyntaxError:
        exec(code, names)
        return eval(probe, names)
    names["it"] = eval(compiled, names)
    return eval(probe or "it", names)


def functions(xp):
    """The functions of the tables, written once, over the namespace xp: f scalar, F vector, h by element, c of one number."""
    names = SimpleNamespace(
        f=lambda x: xp.sum(xp.sin(x) * x * x), F=lambda x: xp.sin(x) * xp.sum(x * x), h=lambda x: xp.exp(-x) * x,
        c=lambda t: xp.sin(t) * t, f_aux=lambda x: (xp.sum(x * x * x), xp.sum(x)),
        f_dict=lambda p: xp.sum(p["a"] * xp.sin(p["b"])),
    )  # fmt: skip
    return vars(names)


POINT = {"x": np.array([0.3, -0.7, 1.1]), "v": np.array([1.0, 2.0, -0.5]), "u": np.array([0.5, -1.0, 3.0])}
POINT["p"] = {"a": POINT["x"], "b": POINT["v"]}


def ours():
    return {**functions(np), **POINT, "np": np, "dualad": dualad}


def compare_row(theirs, mine, names, probes):
    """Run the pieces of a row's two cells in pairs."""
    left, right = pieces(theirs), pieces(mine)
    assert len(left) == len(right) or theirs in probes, (theirs, mine)
    for a, b in zip(left, right, strict=False):
        probe_a, probe_b = probes.get(theirs, ("", ""))
        got, want = numbers(run(a, names(), probe_a)), numbers(run(b, ours(), probe_b))
        assert got.size == want.size > 0, (a, b)
        np.testing.assert_allclose(want, got, rtol=1e-12, atol=1e-13, err_msg=f"{a}   against   {b}")


# ---- autograd ----------------------------------------------------------------------------------------------------------------

def autograd_names():
    autograd = pytest.importorskip("autograd", reason="the page compares with autograd: pip install autograd")
    anp, check_grads = importlib.import_module("autograd.numpy"), importlib.import_module("autograd.test_util").check_grads
    importlib.import_module("autograd.scipy.special")
    everything = {name: getattr(autograd, name) for name in autograd.__dict__ if not name.startswith("_")}
    return {**everything, **functions(anp), **POINT, "np": anp, "autograd": autograd, "check_grads": check_grads}


AUTOGRAD_PROBES = {
    "`import autograd.numpy as np`": ("np.sin(x)", "np.sin(x)"),
    "`vjp, y = make_vjp(F)(x)`": ("(y, vjp(u))", "(y, vjp(u))"),
    "`y, dy = make_jvp(F)(x)(v)`": ("(y, dy)", "(y, dy)"),
    '`check_grads(f, modes=["fwd", "rev"], order=2)(x)`': ("1.0 if it is None else 0.0", "1.0 if it is None else 0.0"),
}


def autograd_primitive(names):
    from autograd.extend import defjvp, defvjp, primitive

    anp = names["np"]

    @primitive
    def softplus(x):
        return anp.logaddexp(0.0, x)

    defvjp(softplus, lambda out, x: lambda g: g / (1.0 + anp.exp(-x)))
    defjvp(softplus, lambda g, out, x: g / (1.0 + anp.exp(-x)))
    mine = dualad.custom_jvp(lambda x: np.logaddexp(0.0, x))
    mine.defjvp(lambda primals, tangents: (mine(*primals), tangents[0] / (1.0 + np.exp(-primals[0]))))
    for at in (-2.0, 0.0, 3.0):
        want = names["grad"](softplus)(at)
        assert dualad.grad(mine)(at) == pytest.approx(want, rel=1e-14)
        assert dualad.derivative(mine)(at) == pytest.approx(want, rel=1e-14)
        assert names["make_jvp"](softplus)(at)(1.0)[1] == pytest.approx(want, rel=1e-14)


# ---- JAX ---------------------------------------------------------------------------------------------------------------------

def jax_names():
    jax = pytest.importorskip("jax", reason="the page compares with JAX: pip install jax")
    jax.config.update("jax_enable_x64", True)
    jnp, *_ = (importlib.import_module(f"jax.{part}") for part in ("numpy", "experimental.jet", "test_util"))
    point = {name: jnp.array(value) for name, value in POINT.items() if name != "p"}
    return {**functions(jnp), **point, "jax": jax, "jnp": jnp}


GRADIENT = "{0}.grad(lambda x: f(x) * {1}(f(x)))(x)"
JAX_PROBES = {
    "`import jax.numpy as jnp`": ("jnp.sin(x)", "np.sin(x)"),
    "`y, dy = jax.jvp(F, (x,), (v,))`": ("(y, dy)", "(y, dy)"),
    "`y, pullback = jax.vjp(F, x)`": ("(y, pullback(u), pullback(v))", "(y, pullback(u), pullback(v))"),
    "`y, F_jvp = jax.linearize(F, x)`": ("(y, F_jvp(v), F_jvp(u))", "(y, F_jvp(v), F_jvp(u))"),
    "`jax.experimental.jet.jet(c, (1.5,), ([1.0, 0.0, 0.0],))`": ("[it[0], it[1][0], it[1][1] / 2, it[1][2] / 6]", "it"),
    "`f(x) * jax.lax.stop_gradient(f(x))`": (GRADIENT.format("jax", "jax.lax.stop_gradient"),
                                             GRADIENT.format("dualad", "dualad.stop_gradient")),
    "`jax.test_util.check_grads(f, (x,), order=2)`": ("1.0 if it is None else 0.0", "1.0 if it is None else 0.0"),
    "`x.at[0].set(0.0)`": ("jax.grad(lambda x: f(x.at[0].set(0.0)))(x)",
                           "dualad.grad(lambda x: f(np.where(np.arange(3) == 0, 0.0, x)))(x)"),
    "`jax.vmap(c)(x)`": ("it", "it"),
}  # fmt: skip


def softplus_rules(library, xp):
    """log(1 + e^x) with a rule for jvp, and with one for vjp, in the words JAX and dualad share."""
    forward = library.custom_jvp(lambda x: xp.logaddexp(0.0, x))
    backward = library.custom_vjp(lambda x: xp.logaddexp(0.0, x))

    @forward.defjvp
    def rule(primals, tangents):
        return forward(*primals), tangents[0] / (1.0 + xp.exp(-primals[0]))

    backward.defvjp(lambda x: (backward(x), x), lambda x, u: (u / (1.0 + xp.exp(-x)),))
    return forward, backward


def jax_rules(names):
    for theirs, mine in zip(softplus_rules(names["jax"], names["jnp"]), softplus_rules(dualad, np), strict=True):
        assert dualad.grad(mine)(1.5) == pytest.approx(float(names["jax"].grad(theirs)(1.5)), rel=1e-14)


def jax_loops(names):
    """The page's shrink: under jit it cannot look at its argument; while_loop and cond say it, and the slope is the same."""
    jax = names["jax"]

    def shrink(x):
        steps = 0
        while x > 1.0 and steps < 50:
            x, steps = (x / 2.0 if steps % 2 else 0.9 * x), steps + 1
        return x

    def rewritten(x):
        def body(state):
            return jax.lax.cond(state[1] % 2 == 1, lambda x: x / 2.0, lambda x: 0.9 * x, state[0]), state[1] + 1

        return jax.lax.while_loop(lambda state: (state[0] > 1.0) & (state[1] < 50), body, (x, 0))[0]

    with pytest.raises(jax.errors.TracerBoolConversionError):
        jax.jit(shrink)(10.0)
    with pytest.raises(ValueError, match=r"[Rr]everse-mode differentiation does not work for lax.while_loop"):
        jax.grad(rewritten)(10.0)
    want = float(jax.jacfwd(rewritten)(10.0))
    assert dualad.derivative(shrink)(10.0) == pytest.approx(want, rel=1e-14)
    assert dualad.grad(shrink)(10.0) == pytest.approx(want, rel=1e-14)


def jax_trees(names):
    from dataclasses import dataclass

    @dataclass
    class Line:
        slope: float
        offset: float

    f = lambda line: (2.0 * line.slope + line.offset) ** 2
    assert dualad.grad(f)(Line(1.0, 3.0)) == Line(20.0, 10.0)
    with pytest.raises(TypeError, match=r"not a valid JAX type|registered"):
        names["jax"].grad(f)(Line(1.0, 3.0))
    nested = {"a": [1.0, (2.0, 3.0)]}
    g = lambda p: p["a"][0] * p["a"][1][0] ** 2 * p["a"][1][1]
    np.testing.assert_allclose(numbers(dualad.grad(g)(nested)), numbers(names["jax"].grad(g)(nested)))


def jax_digits(names):
    jax = names["jax"]
    try:
        jax.config.update("jax_enable_x64", False)
        assert names["jnp"].ones(3).dtype == np.float32
    finally:
        jax.config.update("jax_enable_x64", True)
    assert dualad.grad(np.sum)(np.ones(3)).dtype == np.float64
    assert dualad.grad(np.sum)(np.ones(3, np.float32)).dtype == np.float32


def jax_jit(names):
    f, x = names["f"], names["x"]
    np.testing.assert_allclose(numbers(dualad.grad(ours()["f"])(POINT["x"])), numbers(names["jax"].jit(names["jax"].grad(f))(x)))


# ---- PyTorch -----------------------------------------------------------------------------------------------------------------

def torch_names():
    torch = pytest.importorskip("torch", reason="the page compares with PyTorch: pip install torch")
    importlib.import_module("torch.utils.checkpoint")
    point = {name: torch.tensor(value) for name, value in POINT.items() if name != "p"}
    point["x"].requires_grad_()
    matrix = torch.arange(6.0).reshape(2, 3)
    return {**functions(torch), **point, "torch": torch, "m": matrix}


TORCH_PROBES = {
    "`x.requires_grad_()`": ("torch.autograd.grad(f(x), x)[0]", "it(x)"),
    "`f(x).backward(); g = x.grad`": ("g", "g"),
    "`g = torch.autograd.grad(F(x), x, u)`": ("g", "g"),
    "`torch.autograd.grad(f(x), x, create_graph=True)`": ("torch.autograd.grad((it[0] ** 2).sum(), x)[0]", "it"),
    "`torch.func.grad_and_value(f)(x)`": ("it[::-1]", "it"),
    "`torch.func.vjp(F, x)`, `torch.func.jvp(F, (x,), (v,))`": ("it[1](u) if callable(it[1]) else it",) * 2,
    "`torch.func.linearize(F, x)`": ("(it[0], it[1](v))",) * 2,
    "`f(x) * f(x).detach()`": ("torch.autograd.grad(it, x)[0]", GRADIENT.format("dualad", "dualad.stop_gradient")),
    "`with torch.no_grad(): y = f(x)`": ("y if not y.requires_grad else None", "y"),
    "`torch.utils.checkpoint.checkpoint(f, x, use_reentrant=False)`": ("torch.autograd.grad(it, x)[0]",
                                                                      "dualad.grad(dualad.checkpoint(f))(x)"),
    "`torch.autograd.gradcheck(f, x)`": ("1.0 if it is True else 0.0", "1.0 if it is None else 0.0"),
}  # fmt: skip


def torch_axes(names):
    matrix = np.arange(6.0).reshape(2, 3)
    assert eval("np.sum(m, axis=0)", {"np": np, "m": matrix}).tolist() == eval("torch.sum(m, dim=0)", dict(names)).tolist()


def torch_digits(names):
    torch = names["torch"]
    assert torch.ones(3).dtype is torch.float32
    assert dualad.grad(np.sum)(np.ones(3)).dtype == np.float64
    assert dualad.grad(np.sum)(np.ones(3, np.float32)).dtype == np.float32


def torch_values(names):
    """x.item() and x.numpy() give plain numbers; value does, inside a traced function too."""
    seen = []
    dualad.grad(lambda x: (seen.append(dualad.value(x)), np.sum(x))[1])(POINT["x"])
    dualad.grad(lambda t: (seen.append(dualad.value(t)), t)[1])(1.5)
    assert type(seen[0]) is np.ndarray
    assert seen[0].tolist() == names["x"].detach().numpy().tolist()
    assert type(seen[1]) is type(names["torch"].tensor(1.5).item()) is float


def torch_rule(names):
    """The page's clipped, as a torch.autograd.Function and as a custom_vjp."""
    torch = names["torch"]

    class Clipped(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x.clamp(-1.0, 1.0)

        @staticmethod
        def backward(ctx, u):
            (x,) = ctx.saved_tensors
            return u * (x.abs() <= 1.0)

    clipped = dualad.custom_vjp(lambda x: np.clip(x, -1.0, 1.0))
    clipped.defvjp(lambda x: (clipped(x), x), lambda x, u: (u * (np.abs(x) <= 1.0),))
    at = np.array([-2.0, 1.0, 0.5])
    x = torch.tensor(at, requires_grad=True)
    Clipped.apply(x).sum().backward()
    assert dualad.grad(lambda x: np.sum(clipped(x)))(at).tolist() == x.grad.tolist()


def torch_step(names):
    """Both blocks of the page's training step, from the same weights: the same loss after 200 steps."""
    torch = names["torch"]
    page = (DOCS / "migration-pytorch.md").read_text(encoding="utf-8")
    theirs = re.search(r"^```text\n(.*?)^```", page, re.DOTALL | re.MULTILINE)[1]
    rng = np.random.default_rng(0)
    x = rng.standard_normal((50, 2))
    y = np.sin(x[:, 0]) + 0.5 * x[:, 1]
    p = {"w": 0.5 * rng.standard_normal((2, 8)), "b": np.zeros(8), "v": 0.5 * rng.standard_normal(8), "c": 0.0}
    head, _, loop = theirs.partition("optimizer = ")
    with torch.random.fork_rng():
        scope = {"torch": torch, "nn": torch.nn, "x": torch.tensor(x), "y": torch.tensor(y)[:, None]}
        exec(head, scope)
        model = scope["model"].double()
        with torch.no_grad():
            for have, want in zip(model.parameters(), (p["w"].T, p["b"], p["v"][None, :], [p["c"]]), strict=True):
                have.copy_(torch.tensor(np.array(want)))
        exec("optimizer = " + loop, scope)
    loss = lambda p: np.mean((np.tanh(x @ p["w"] + p["b"]) @ p["v"] + p["c"] - y) ** 2)
    for _ in range(199):
        g = dualad.grad(loss)(p)
        p = {name: p[name] - 0.1 * g[name] for name in p}
    assert loss(p) == pytest.approx(scope["loss"].item(), rel=1e-9)


#: rows whose cells are names or words -> what shows that they are true; None: there is nothing to run
OWN = {
    "autograd": {"`@primitive`, `defvjp`, `defjvp`": autograd_primitive},
    "jax": {"`@jax.custom_jvp`, `f.defjvp`": jax_rules, "`@jax.custom_vjp`, `f.defvjp(fwd, bwd)`": jax_rules,
            "`jax.lax.scan`, `while_loop`, `cond`": jax_loops, "`jax.jit(f)`": jax_jit, "pytrees": jax_trees,
            '`jax.config.update("jax_enable_x64", True)`': jax_digits},
    "pytorch": {"`x.item()`, `x.numpy()`": torch_values, "`class F(torch.autograd.Function)`": torch_rule,
                "`nn.Module`, its parameters": torch_step, "`optimizer.step()`": torch_step,
                "`torch.sum(m, dim=0)`": torch_axes, "`torch.ones(3).dtype`": torch_digits, '`.to("cuda")`': None},
}  # fmt: skip
NAMES = {"autograd": autograd_names, "jax": jax_names, "pytorch": torch_names}
PROBES = {"autograd": AUTOGRAD_PROBES, "jax": JAX_PROBES, "pytorch": TORCH_PROBES}
ROWS = [(page, *row) for page in PAGES for row in rows(page)]


@pytest.mark.parametrize(("page", "theirs", "mine"), ROWS, ids=[f"{page} {theirs}".replace("`", "") for page, theirs, _ in ROWS])
def test_row(page, theirs, mine):
    names = NAMES[page]()
    if theirs in OWN[page]:
        if OWN[page][theirs] is not None:
            OWN[page][theirs](names)
        return
    compare_row(theirs, mine, NAMES[page], PROBES[page])


def test_every_row_was_found():
    """The reader of the tables sees them whole, and no check is left without its row."""
    assert [len(rows(page)) for page in PAGES] == [16, 20, 24]
    for page in PAGES:
        assert {*OWN[page], *PROBES[page]} <= {theirs for theirs, _ in rows(page)}


def test_a_wrong_row_fails():
    autograd_names()
    with pytest.raises(AssertionError, match="against"):
        compare_row("`grad(f)(x)`", "`dualad.jacobian(F)(x)[0]`", autograd_names, {})
    with pytest.raises(AssertionError, match="against"):
        compare_row("`hessian(f)(x)`", "`2.0 * dualad.hessian(f)(x)`", autograd_names, {})


# ---- what the pages say to look out for ----------------------------------------------------------------------------------------

def where(xp):
    return lambda x: xp.sum(xp.where(x > 0.0, xp.sqrt(x), x))


@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
@pytest.mark.parametrize("page", PAGES)
def test_the_branch_not_taken(page):
    names = NAMES[page]()
    at = np.array([0.0, 1.0])
    assert dualad.grad(where(np))(at).tolist() == [1.0, 0.5]
    theirs = {"autograd": lambda: names["grad"](where(names["np"]))(at),
              "jax": lambda: names["jax"].grad(where(names["jnp"]))(names["jnp"].array(at)),
              "pytorch": lambda: names["torch"].func.grad(where(names["torch"]))(names["torch"].tensor(at))}[page]()  # fmt: skip
    assert np.isnan(numbers(theirs)[0])


def test_kinks_beside_autograd():
    names = autograd_names()
    assert names["grad"](lambda x: names["np"].maximum(x, 0.0))(0.0) == dualad.grad(lambda x: np.maximum(x, 0.0))(0.0) == 0.5
    with pytest.raises(TypeError):
        names["grad"](lambda x: x * x)(2)
    assert names["grad"](lambda x: names["np"].real(names["np"].exp(1j * x)))(1.0) == pytest.approx(-np.sin(1.0))
    with pytest.raises(TypeError, match="complex"):
        dualad.grad(lambda x: np.real(np.exp(1j * x)))(1.0)

    def written(x):
        x[0] = 1.0
        return x[0]

    for grad in (names["grad"], dualad.grad):
        with pytest.raises((TypeError, NotImplementedError), match=r"assignment|writing"):
            grad(written)(np.ones(2))


def test_kinks_beside_jax():
    names = jax_names()
    grad, jnp = names["jax"].grad, names["jnp"]
    relu = lambda x: np.maximum(x, 0.0)
    assert (float(grad(jnp.abs)(0.0)), dualad.grad(np.abs)(0.0)) == (1.0, 0.0)
    assert float(grad(lambda x: jnp.maximum(x, 0.0))(0.0)) == dualad.grad(relu)(0.0) == 0.5
    with dualad.kinks(relu=0.0):
        assert float(grad(names["jax"].nn.relu)(0.0)) == dualad.grad(relu)(0.0) == 0.0
    assert np.isnan(grad(jnp.linalg.norm)(jnp.zeros(2))).all()
    assert dualad.grad(np.linalg.norm)(np.zeros(2)).tolist() == [0.0, 0.0]


def test_kinks_beside_pytorch():
    torch = torch_names()["torch"]
    slope = lambda f: float(torch.func.grad(f)(torch.tensor(0.0)))
    relu = lambda x: np.maximum(x, 0.0)
    assert slope(torch.relu) == 0.0
    assert dualad.grad(relu)(0.0) == 0.5
    with dualad.kinks(relu=0.0):
        assert dualad.grad(relu)(0.0) == 0.0
    assert (slope(lambda x: torch.clamp(x, 0.0, 1.0)), dualad.grad(lambda x: np.clip(x, 0.0, 1.0))(0.0)) == (1.0, 0.5)

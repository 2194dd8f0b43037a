"""Other libraries on the same problems, where they are installed.

A peer is given the *same source*: the function of the problem with its name `np` (and its keyword `m`) bound
to the peer's own namespace, so nothing is written twice. What a peer cannot run is recorded as such, what is
not installed is named. Set DUALAD_BENCH_PEERS=0 to leave them all out, or to a comma-separated list to
choose.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import os
import types

import numpy as np

PEERS = {}


def _peer(module, most_loops):
    """Register a function (problem, args) -> call without arguments for the library `module`.

    `most_loops` is the size above which a loop of Python operations is not tried: graph libraries take
    minutes there.
    """

    def register(build):
        PEERS[module] = build, most_loops
        return build

    return register


def _chosen():
    wanted = os.environ.get("DUALAD_BENCH_PEERS", "1")
    return {"0": [], "1": list(PEERS)}.get(wanted, wanted.split(","))


def absent():
    """The chosen peers that are not installed."""
    return [name for name in _chosen() if importlib.util.find_spec(name) is None]


def available():
    """The chosen peers that are installed."""
    return [name for name in _chosen() if importlib.util.find_spec(name) is not None]


def calls(problem, args, n, same):
    """Calls of every available peer that runs `problem` and gives the right derivative.

    Parameters
    ----------
    same : callable
        ``same(result)`` raises AssertionError if the derivative is wrong.

    Returns
    -------
    dict
        Name of the peer to a call without arguments.
    """
    found = {}
    for name in available():
        build, most_loops = PEERS[name]
        if ("loop" in problem.tags or "scalar" in problem.tags) and n > most_loops:
            continue
        try:
            call = build(problem, args)
            same(call())
        except Exception as reason:
            # A peer that cannot run a problem is a finding of the comparison, not a failure of the bench.
            print(f"{name} does not run {problem.name}: {type(reason).__name__}: {reason}".splitlines()[0])
            continue
        found[name] = call
    return found


def rebind(f, namespace):
    """`f` and every function of the problem list it calls, with the global name `np` bound to `namespace`."""
    done = {}

    def copy(g):
        if g not in done:
            scope = dict(g.__globals__)
            fresh = types.FunctionType(g.__code__, scope, g.__name__, g.__defaults__, g.__closure__)
            fresh.__kwdefaults__ = g.__kwdefaults__
            done[g] = fresh
            scope["np"] = namespace
            for name in g.__code__.co_names:
                inner = scope.get(name)
                if isinstance(inner, types.FunctionType) and inner.__module__.startswith("dualad.problems"):
                    scope[name] = copy(inner)
        return done[g]

    return copy(f)


class _Joined:
    """Attributes looked up in one module after the other."""

    def __init__(self, *modules):
        self._modules = modules

    def __getattr__(self, name):
        for module in self._modules:
            if hasattr(module, name):
                return getattr(module, name)
        raise AttributeError(name)


class _Methods:
    """``m.sin(x)`` as ``x.sin()``, for libraries whose numbers carry their functions as methods."""

    def __getattr__(self, name):
        return lambda x: getattr(x, name)()


def _bound(problem, np_like, m):
    f = rebind(problem.f, np_like)
    return functools.partial(f, m=m) if problem.namespace else f


def _numbers(problem):
    if problem.kind not in ("derivative", "gradient"):
        raise NotImplementedError(f"only gradients are compared, not {problem.kind}")
    return (problem.argnums,) if isinstance(problem.argnums, int) else problem.argnums


@_peer("autograd", 1000)
def _autograd(problem, args):
    import autograd
    import autograd.numpy as anp
    from autograd.scipy import special

    nums = _numbers(problem)
    f = _bound(problem, anp, _Joined(special, anp))
    gradient = autograd.grad(f, nums if len(nums) > 1 else nums[0])
    return lambda: gradient(*args)


@_peer("jax", 300)
def _jax(problem, args):
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp
    from jax.scipy import special

    nums = _numbers(problem)
    f = _bound(problem, jnp, _Joined(special, jnp))
    if problem.name in ("horner", "rosenbrock", "speelpenning", "lorenz_rk4", "lstm"):
        raise NotImplementedError("unrolled loops compile for minutes")
    fixed = args[len(nums) :]
    gradient = jax.jit(jax.grad(lambda *moving: f(*moving, *fixed), nums if len(nums) > 1 else nums[0]))
    moving = jax.tree.map(jnp.asarray, args[: len(nums)])
    return lambda: jax.block_until_ready(gradient(*moving))


@_peer("torch", 1000)
def _torch(problem, args):
    import torch

    torch.set_num_threads(1)
    nums = _numbers(problem)
    f = _bound(problem, torch, torch)

    def leaf(value):
        return torch.tensor(value, dtype=torch.float64, requires_grad=True)

    def gradient():
        moving = [[leaf(v) for v in a] if isinstance(a, list) else leaf(a) for a in args[: len(nums)]]
        fixed = [torch.as_tensor(a) if isinstance(a, np.ndarray) else a for a in args[len(nums) :]]
        leaves = [v for a in moving for v in (a if isinstance(a, list) else [a])]
        return list(torch.autograd.grad(f(*moving, *fixed), leaves))

    return gradient


@_peer("num_dual", 1000)
def _num_dual(problem, args):
    import num_dual

    if problem.kind != "derivative":
        raise NotImplementedError("forward mode of one number")
    f = _bound(problem, np, _Methods())
    return lambda: num_dual.first_derivative(lambda x: f(x, *args[1:]), args[0])[1]


@_peer("casadi", 1000)
def _casadi(problem, args):
    import casadi

    if "while" in problem.tags or "scalar" not in problem.tags or len(_numbers(problem)) > 1:
        raise NotImplementedError("symbolic scalars without data-dependent branches")
    f = _bound(problem, np, casadi)
    x = casadi.SX.sym("x", len(args[0]) if isinstance(args[0], list) else 1)
    y = f(casadi.vertsplit(x) if isinstance(args[0], list) else x, *args[1:])
    compiled = casadi.Function("gradient", [x], [casadi.gradient(y, x)])
    return lambda: np.asarray(compiled(args[0])).ravel()


def module_of(name):
    """The imported peer, to state its version."""
    return importlib.import_module(name)

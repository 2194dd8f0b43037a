"""One adapter a library: how its Jacobian and its gradient of the rebound function are had."""

from __future__ import annotations

import functools
import math
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from ... import numpy as dualad_numpy
from ...tree import flatten, tree_map, unflatten
from ..recorded import Recorded
from .namespaces import Joined, casadi_numpy, shapes, torch_numpy
from .peer import Call, Peer
from .rebinding import rebind

__all__ = ["PEERS", "Autograd", "CasADi", "Jax", "NumDual", "Torch"]


class Autograd(Peer):
    """autograd: NumPy's functions wrapped, a tape of Python objects."""

    name, module = "autograd", "autograd"
    summary = "jacobian: reverse, a backward pass for each output"
    most, unit = 50_000, "recorded operations times backward passes"

    def effort(self, tape: Recorded, n: int, m: int) -> float:
        return tape.nodes * m

    def _rebound(self, f: Callable[..., Any]) -> Callable[..., Any]:
        import autograd.numpy
        import autograd.scipy.special

        return rebind(f, Joined(shapes(autograd.numpy), autograd.numpy, autograd.scipy.special))

    def jacobian(self, f: Callable[..., Any], x: np.ndarray, m: int) -> Call:
        import autograd

        derivative = autograd.jacobian(self._rebound(f))
        return lambda: derivative(x)

    def gradient(self, f: Callable[..., Any], args: Sequence[Any], count: int) -> Call:
        import autograd

        derivative = autograd.grad(self._rebound(f), tuple(range(count)) if count > 1 else 0)
        return lambda: derivative(*args)


class Jax(Peer):
    """JAX: traced once, compiled by XLA."""

    name, module = "jax", "jax"
    summary = "jit of jacfwd or jacrev, the faster one, compiled before the clock starts"
    most, unit = 300, "recorded operations, which XLA may compile for minutes,"

    def effort(self, tape: Recorded, n: int, m: int) -> float:
        return tape.nodes

    def _rebound(self, f: Callable[..., Any]) -> Callable[..., Any]:
        if "jax" not in sys.modules:  # one thread as everyone else; read once, when JAX starts
            os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
        import jax

        jax.config.update("jax_enable_x64", True)
        import jax.numpy
        import jax.scipy.special

        return rebind(f, Joined(shapes(jax.numpy), jax.numpy, jax.scipy.special))

    def jacobian(self, f: Callable[..., Any], x: np.ndarray, m: int) -> Call:
        g = self._rebound(f)
        import jax

        point = jax.numpy.asarray(x)
        compiled = [jax.jit(mode(g)) for mode in _modes(jax.jacfwd, jax.jacrev, x.size, m)]
        return _fastest([functools.partial(lambda df: jax.block_until_ready(df(point)), df) for df in compiled])

    def gradient(self, f: Callable[..., Any], args: Sequence[Any], count: int) -> Call:
        g = self._rebound(f)
        import jax

        fixed = args[count:]
        derivative = jax.jit(jax.grad(lambda *moving: g(*moving, *fixed), tuple(range(count)) if count > 1 else 0))
        moving = tree_map(jax.numpy.asarray, tuple(args[:count]))
        return lambda: jax.block_until_ready(derivative(*moving))


class Torch(Peer):
    """torch: eager, a graph of C++ objects."""

    name, module = "torch", "torch"
    summary = "autograd.grad for one output, torch.func.jacfwd or jacrev, the faster one, for more"
    most, unit = 20_000, "recorded operations"

    def effort(self, tape: Recorded, n: int, m: int) -> float:
        return tape.nodes

    def _rebound(self, f: Callable[..., Any]) -> Callable[..., Any]:
        import torch

        torch.set_num_threads(1)
        return rebind(f, torch_numpy(torch), torch.from_numpy)

    def jacobian(self, f: Callable[..., Any], x: np.ndarray, m: int) -> Call:
        g = self._rebound(f)
        import torch

        if m > 1:
            made = [mode(g) for mode in _modes(torch.func.jacfwd, torch.func.jacrev, x.size, m)]
            return _fastest([functools.partial(lambda df: df(torch.from_numpy(x)).numpy(), df) for df in made])

        def one_row() -> Any:
            leaf = torch.from_numpy(x).requires_grad_()
            return torch.autograd.grad(g(leaf).reshape(()), leaf)[0].numpy()

        return one_row

    def gradient(self, f: Callable[..., Any], args: Sequence[Any], count: int) -> Call:
        g = self._rebound(f)
        import torch

        values, structure = flatten(tuple(args[:count]))
        fixed = tree_map(lambda a: torch.from_numpy(a) if isinstance(a, np.ndarray) else a, tuple(args[count:]))

        def derivative() -> Any:
            leaves = [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in values]
            return [part.numpy() for part in torch.autograd.grad(g(*unflatten(structure, leaves), *fixed), leaves)]

        return derivative


class NumDual(Peer):
    """num-dual: dual numbers in Rust, here as the entries of NumPy's object arrays."""

    name, module = "num-dual", "num_dual"
    summary = "jacobian: forward, all tangents in one run, a number at a time"
    most, unit = 20_000_000, "operations on numbers times their tangents"

    def effort(self, tape: Recorded, n: int, m: int) -> float:
        return _numbers(tape) * (n + 10)

    def jacobian(self, f: Callable[..., Any], x: np.ndarray, m: int) -> Call:
        import num_dual

        g, point = rebind(f, Joined(np, dualad_numpy)), x.tolist()
        return lambda: num_dual.jacobian(lambda v: list(np.ravel(g(_objects(v)))), point)[1]

    def gradient(self, f: Callable[..., Any], args: Sequence[Any], count: int) -> Call:
        import num_dual

        if count == 1 and isinstance(args[0], float):
            h = rebind(f, _Methods())  # a call of a method instead of NumPy's dispatch
            return lambda: num_dual.first_derivative(lambda x: h(x, *args[1:]), args[0])[1]
        g = rebind(f, Joined(np, dualad_numpy))
        point, build = _spread(args[:count])
        return lambda: num_dual.gradient(lambda v: g(*build(v), *args[count:]), point)[1]


class CasADi(Peer):
    """CasADi: a graph of symbols, one a number, run by its virtual machine on buffers of its own."""

    name, module = "casadi", "casadi"
    summary = "jacobian of a graph of scalar symbols, built before the clock starts"
    most, unit = 100_000, "operations on numbers times sweeps, each a node of its graph,"

    def effort(self, tape: Recorded, n: int, m: int) -> float:
        return _numbers(tape) * min(n, m)

    def _compiled(self, f: Callable[..., Any], point: list[float], build: Callable[[Sequence[Any]], Sequence[Any]],
                  fixed: Sequence[Any]) -> Call:
        import casadi

        x = casadi.SX.sym("x", len(point))
        y = rebind(f, casadi_numpy(casadi))(*build(casadi.vertsplit(x)), *fixed)
        if not isinstance(y, casadi.SX):
            y = casadi.vertcat(*np.ravel(y))
        by_columns = casadi.densify(casadi.jacobian(y, x).T)  # its matrices lie by columns: this one's are the Jacobian's rows
        function = casadi.Function("jacobian", [x], [by_columns])
        buffer, run = function.buffer()  # no conversion of containers in the call
        given, found = np.array(point), np.zeros(by_columns.numel())
        buffer.set_arg(0, given.data)
        buffer.set_res(0, found.data)

        def call(keep: Any = (function, buffer, given)) -> np.ndarray:
            run()
            return found

        return call

    def jacobian(self, f: Callable[..., Any], x: np.ndarray, m: int) -> Call:
        return self._compiled(f, x.tolist(), lambda v: (_objects(v),), ())

    def gradient(self, f: Callable[..., Any], args: Sequence[Any], count: int) -> Call:
        return self._compiled(f, *_spread(args[:count]), args[count:])


class _Methods:
    """``m.sin(x)`` as ``x.sin()``, for libraries whose numbers carry their functions as methods."""

    def __getattr__(self, name: str) -> Any:
        def call(x: Any) -> Any:
            return getattr(x, name)() if hasattr(x, name) else getattr(math, name)(x)

        return call


def _modes(forward: Any, reverse: Any, n: int, m: int) -> list[Any]:
    """The modes worth trying: both, unless the sizes leave no doubt."""
    return [mode for mode, tried in ((forward, n <= 16 * m), (reverse, m <= 16 * n)) if tried]


def _fastest(calls: Sequence[Call]) -> Call:
    """The call that takes least time in the best of three runs after its first (which may compile)."""
    if len(calls) == 1:
        return calls[0]
    seconds = []
    for call in calls:
        call()
        times = []
        for _ in range(3):
            start = time.perf_counter()
            call()
            times.append(time.perf_counter() - start)
        seconds.append(min(times))
    return calls[seconds.index(min(seconds))]


def _numbers(tape: Recorded) -> int:
    return tape.operations.add + tape.operations.mult + tape.operations.nonlinear


def _objects(numbers: Sequence[Any]) -> np.ndarray:
    """An array of a library's numbers, which it must not take apart."""
    array = np.empty(len(numbers), dtype=object)
    array[:] = numbers
    return array


def _spread(args: Sequence[Any]) -> tuple[list[float], Callable[[Sequence[Any]], Sequence[Any]]]:
    """All numbers of some arguments, and what makes such arguments of the library's numbers."""
    leaves, structure = flatten(tuple(args))
    shapes = [np.shape(leaf) for leaf in leaves]
    ends = np.cumsum([math.prod(shape) for shape in shapes]).tolist()

    def build(numbers: Sequence[Any]) -> Sequence[Any]:
        parts = [_objects(numbers[end - math.prod(shape):end]).reshape(shape) if shape else numbers[end - 1]
                 for end, shape in zip(ends, shapes, strict=True)]
        built: Sequence[Any] = unflatten(structure, parts)
        return built

    return np.concatenate([np.ravel(leaf) for leaf in leaves]).astype(float).tolist(), build


PEERS: Mapping[str, Peer] = MappingProxyType({peer.name: peer for peer in (Autograd(), Jax(), Torch(), NumDual(), CasADi())})

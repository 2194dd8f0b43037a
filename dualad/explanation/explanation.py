"""What `dualad.explain` returns: a function at a point, with the derivatives of every value on the way."""

from __future__ import annotations

import json as _json
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from . import paths as _paths
from . import views
from .algebra import is_name
from .building import Built, program_of
from .folding import fold, kept_by
from .program import Event, Kink, Program, UnknownNameError, quantity
from .sweeps import Sweeps, forward_events, reverse_events, tangent_events
from .table import Table

if TYPE_CHECKING:
    from .graph import Graph

__all__ = ["Explanation"]

#: programs with more nodes are folded, then summarised, when they are printed
SHOWN = 60


@dataclass(frozen=True)
class Explanation:
    """A function at a point, with the derivatives of every value on the way.

    Printing it gives a table; in a notebook it is one. Everything in `program` is plain data.

    Parameters
    ----------
    program : Program
    function : callable
    args : tuple
    kwargs : dict
    argnums : tuple of int
        Which arguments are differentiated.

    Examples
    --------
    >>> import dualad
    >>> from dualad import math
    >>> def f(x1, x2):
    ...     y = math.log(x1) + x1 * x2 - math.sin(x2)
    ...     return y
    >>> e = dualad.explain(f, 2.0, 5.0)
    >>> print(e.forward(seed="x1"))
    f at x1 = 2, x2 = 5: forward, seed x1
    line | primal trace | value      | tangent trace         | tangent
    -----+--------------+------------+-----------------------+--------
         | x1           |          2 | dx1                   |       1
         | x2           |          5 | dx2                   |       0
       2 | v1 = log(x1) |  0.6931472 | dv1 = dx1/x1          |     0.5
       2 | v2 = x1*x2   |         10 | dv2 = x2*dx1 + x1*dx2 |       5
       2 | v3 = v1 + v2 |   10.69315 | dv3 = dv1 + dv2       |     5.5
       2 | v4 = sin(x2) | -0.9589243 | dv4 = cos(x2)*dx2     |       0
       2 | y = v3 - v4  |   11.65207 | dy = dv3 - dv4        |     5.5
    """

    program: Program
    function: Callable[..., Any] = field(repr=False)
    args: tuple[Any, ...] = field(repr=False, default=())
    kwargs: Mapping[str, Any] = field(repr=False, default_factory=dict)
    argnums: tuple[int, ...] = field(repr=False, default=())
    _built: Built = field(repr=False, compare=False, default=None)  # type: ignore[assignment]
    _sweeps: Sweeps = field(repr=False, compare=False, default=None)  # type: ignore[assignment]

    # ---- what it is --------------------------------------------------------------------------------------------------

    @property
    def value(self) -> Any:
        """What f returned: a number or array, or a tuple of them."""
        found = tuple(self._built.values[i] for i in self._built.outputs)
        return found[0] if len(found) == 1 else found

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all values, in the order of the program."""
        return tuple(node.name for node in self.program.nodes)

    @property
    def kinks(self) -> tuple[Kink, ...]:
        """Operations that were evaluated at a kink."""
        return self.program.kinks

    def gradient(self, target: str | None = None) -> dict[str, Any]:
        """The derivative of the output by each input, as numbers and arrays.

        Parameters
        ----------
        target : str, optional
            Name of the value to differentiate; by default the output, or the sum of all numbers that f returned.

        Examples
        --------
        >>> import dualad
        >>> dualad.explain(lambda x, y: x * y + y, 2.0, 3.0).gradient()
        {'x': 3.0, 'y': 3.0}
        """
        adjoints = self._sweeps.terms(self._target(target))[0]
        return {self.program.nodes[i].name: _plain(adjoints[i]) for i in self.program.inputs}

    def adjoint(self, name: str, target: str | None = None) -> Any:
        """The derivative of the output (or of the value `target`) by the value called `name`."""
        index = self.program.node(name).index
        return _plain(self._sweeps.terms(self._target(target))[0][index])

    def tangent(self, name: str, seed: str | Mapping[str, Any] | None = None) -> Any:
        """The tangent of the value called `name` for a seed (see :meth:`forward`)."""
        index = self.program.node(name).index
        return _plain(self._sweeps.tangents(self._seeds(seed)[1])[index])

    # ---- tables ------------------------------------------------------------------------------------------------------

    def forward(self, seed: str | Mapping[str, Any] | None = None) -> Table:
        """Primal trace beside tangent trace.

        Parameters
        ----------
        seed : str or mapping, optional
            Name of an input (its tangent is 1, every other's 0), "w[0,2]" for an element of an array, or {name: tangent};
            by default the first input, all elements of an array 1.

        Returns
        -------
        Table

        Raises
        ------
        KeyError
            There is no such input.

        Notes
        -----
        Cost: one forward sweep.

        Examples
        --------
        >>> import dualad
        >>> print(dualad.explain(lambda x, y: x * y, 2.0, 3.0).forward("x").column("tangent"))
        ('1', '0', '3')
        """
        shown = self._readable()
        label, seeds = shown._seeds(seed)
        tangents = [quantity(t) for t in shown._sweeps.tangents(seeds)]
        return views.forward_table(shown.program, label, tangents)

    def reverse(self, version: str = "B", target: str | None = None) -> Table:
        """Primal trace beside adjoint trace, bottom up.

        Parameters
        ----------
        version : {"A", "B"}
            A: each value pulls from the operations that read it. B: all adjoints are zero, and each operation increments those of
            its operands. Both give the same numbers.
        target : str, optional
            The value that is differentiated; by default the output.

        Returns
        -------
        Table

        Examples
        --------
        >>> import dualad
        >>> e = dualad.explain(lambda x: x * x, 3.0)
        >>> e.reverse("A").column("adjoint trace")
        ('dy/dy = 1', 'dy/dx = x + x')
        >>> e.reverse("B").column("adjoint trace")[1]
        'dy/dy = 1\\ndy/dx += x\\ndy/dx += x'
        """
        _check_version(version)
        shown = self._readable()
        number = shown._target(target)
        adjoints, terms = shown._sweeps.terms(number)
        if version == "A":
            adjoints = shown._sweeps.pulled(number)
        return views.reverse_table(
            shown.program,
            version,
            [quantity(a) for a in adjoints],
            terms,
            list(shown._sweeps.seeds(number)),
            target or shown.program.target,
        )

    def two_column(self, values: bool = False, by: str | None = "name", target: str | None = None) -> Table:
        """The lecture's table: Forward | Backward, from the output up to the inputs, with `+=`.

        Parameters
        ----------
        values : bool
            Show the numbers too.
        by : {"name", "function", None}
            How operations are folded into rows: one for each name in the source, one for each function that is called, or none.
        target : str, optional
            The value that is differentiated; by default the output.

        Examples
        --------
        >>> import dualad
        >>> from dualad import math
        >>> def f(x):
        ...     t = x**2
        ...     J = math.cos(3 * t)
        ...     return J
        >>> print(dualad.explain(f, 1.0).two_column())
        Forward      | Backward
        -------------+-------------------------------------
        J = cos(3*t) | dJ/dt += -3*sin(3*t)
        t = x**2     | dJ/dx += dJ/dt * dt/dx,  dt/dx = 2*x
        """
        shown = self if by is None else self.fold(by)
        number = shown._target(target)
        return views.two_columns(
            shown.program, [quantity(a) for a in shown._sweeps.terms(number)[0]], target or shown.program.target, values
        )

    def summary(self) -> Table:
        """One row a source line: how many operations, which ones, the values first and last."""
        return views.summary_table(self.program)

    def kink_report(self) -> Table:
        """Operations that were evaluated at a kink or near one, the derivative that was used, and the one-sided ones."""
        return views.kink_table(self.program)

    def table(self) -> Table:
        """What printing shows: all values with their adjoints; a long program is folded, a very long one is summarised."""
        shown = self._readable()
        return views.node_table(shown.program) if len(shown.program.nodes) <= SHOWN else shown.summary()

    def __str__(self) -> str:
        return str(self.table())

    def _repr_html_(self) -> str:
        return self.table().html()

    # ---- other forms -------------------------------------------------------------------------------------------------

    def markdown(self) -> str:
        """The table of all values and adjoints in Markdown; lines are links to the source."""
        return self.table().markdown()

    def latex(self) -> str:
        """The lecture's two-column table in LaTeX (no package needed)."""
        return self.two_column().latex()

    def json(self, indent: int | None = None) -> str:
        """The whole program as JSON (see :class:`~dualad.explanation.program.Program`)."""
        return _json.dumps(self.program.to_json(), indent=indent, allow_nan=False)

    def graph(self, seed: str | Mapping[str, Any] | None = None, target: str | None = None, by: str | None = None) -> Graph:
        """The computational graph as a picture: see :func:`~dualad.explanation.graph.graph`."""
        from .graph import graph

        return graph(self, seed, target, by)

    def html(self, path: str | os.PathLike[str] | None = None, seed: str | Mapping[str, Any] | None = None,
             target: str | None = None, by: str | None = None) -> str:
        """A page to step through the sweeps, written to `path` (whose name is returned), or its text without one.

        See :func:`~dualad.explanation.stepper.write`.
        """
        from .stepper import write

        return write(self, path, seed, target, by)

    def steps(
        self, sweep: str = "reverse", version: str = "B", seed: str | Mapping[str, Any] | None = None, target: str | None = None
    ) -> Iterator[Event]:
        """The events of a sweep, one by one.

        Parameters
        ----------
        sweep : {"forward", "tangent", "reverse"}
            Values alone, values with tangents, or adjoints.
        version : {"A", "B"}
            Of the reverse sweep.
        seed, target
            As for :meth:`forward` and :meth:`reverse`.

        Examples
        --------
        >>> import dualad
        >>> for event in dualad.explain(lambda x: x * x, 3.0).steps():
        ...     print(event.text)
        all adjoints = 0
        dy/dy = 1
        visit y = x*x
        dy/dx += x = 3
        dy/dx += x = 6
        """
        if sweep == "forward":
            return forward_events(self.program)
        if sweep == "tangent":
            _, seeds = self._seeds(seed)
            return tangent_events(self.program, [quantity(t) for t in self._sweeps.tangents(seeds)])
        if sweep != "reverse":
            raise ValueError(f'sweep is "forward", "tangent" or "reverse", not {sweep!r}')
        _check_version(version)
        return reverse_events(self.program, self._sweeps, version, self._target(target), target or self.program.target)

    # ---- other programs ----------------------------------------------------------------------------------------------

    def fold(self, by: str | Collection[str] = "name") -> Explanation:
        """The same program with fewer, larger rows.

        Parameters
        ----------
        by : {"name", "function"} or collection of str
            "name": what has a name in the source stays. "function": of what happens inside functions that f calls, only what is
            read outside stays. A collection: these names stay (inputs and outputs always do).

        Examples
        --------
        >>> import dualad
        >>> e = dualad.explain(lambda x: x * (x + 1) * (x + 2), 1.0)
        >>> len(e.program.nodes), e.fold("name").program.nodes[-1].formula
        (5, 'x*(x + 1)*(x + 2)')
        """
        keep = kept_by(self._built, by) if isinstance(by, str) else {self.program.node(name).index for name in by}
        return self._with(fold(self._built, keep))

    def rename(self, names: Mapping[str, str]) -> Explanation:
        """The same explanation with other names for some values: {"y": "J"}.

        Raises
        ------
        KeyError
            There is no such value.
        ValueError
            A name that another value has.
        """
        for old, new in names.items():
            self.program.node(old)
            if not is_name(new):
                raise ValueError(f"{new!r} is no name for {old}: names are letters, digits and _, with [...] or .x behind them")
        after = [names.get(name, name) for name in self.names]
        if len(set(after)) != len(after):
            twice = next(name for name, n in Counter(after).items() if n > 1)
            raise ValueError(f"two values would be called {twice!r}")
        kinks = tuple(kink.renamed(_paths.renaming(names)) for kink in self.program.kinks)
        return replace(self, program=replace(self.program, kinks=kinks))._with(_paths.renamed(self._built, names))

    def _with(self, built: Built) -> Explanation:
        sweeps = Sweeps(built.operations, built.values, built.outputs)
        program = program_of(built, sweeps, self.program)
        return replace(self, program=program, _built=built, _sweeps=sweeps)

    def _readable(self) -> Explanation:
        """This explanation, or a folded one where it is long."""
        if len(self.program.nodes) <= SHOWN:
            return self
        shown = self
        for by in ("name", "function"):
            shown = self.fold(by)
            if len(shown.program.nodes) <= SHOWN:
                return shown
        return self

    # ---- paths and checks --------------------------------------------------------------------------------------------

    def paths(self, source: str | None = None, target: str | None = None) -> _paths.PathSum:
        """The derivative as a sum over all paths, beside the factored sum of the reverse sweep, with their counts.

        Parameters
        ----------
        source : str, optional
            An input (any value); by default the first input.
        target : str, optional
            By default the output.

        Returns
        -------
        PathSum

        Raises
        ------
        TypeError
            A value on the way is an array: paths run between numbers.

        Notes
        -----
        Paths are counted exactly (there may be exponentially many), and listed up to 200.

        Examples
        --------
        >>> import dualad
        >>> p = dualad.explain(lambda x: x * (x + 1), 2.0).paths()
        >>> p.count, p.total, p.naive, p.factored
        (2, 5.0, 2, 2)
        """
        return _paths.paths(self.program, self._name(source, self.program.inputs[0]), self._name(target, self.program.outputs[0]))

    def eliminate(self, order: str | Sequence[str] = "reverse") -> _paths.Elimination:
        """The Jacobian by eliminating the values between inputs and outputs, with the number of multiplications.

        Parameters
        ----------
        order : {"forward", "reverse", "Markowitz", "best"} or sequence of str
            Names of all values between, in the order in which they go.

        Examples
        --------
        >>> import dualad
        >>> dualad.explain(lambda x: x * (x + 1), 2.0).eliminate("forward").multiplications
        1
        """
        return _paths.eliminate(self.program, order)

    def check(self, rows: Mapping[str, Any], points: int = 5, seed: int = 0, tolerance: float = 1e-6) -> Any:
        """Compare a derivation by hand with the derivative, row by row, at random points.

        Parameters
        ----------
        rows : mapping
            "dJ/dt" -> what you derived: a formula over the names of the program ("-sin(u)*(cos(t) + 3)", also "dJ/du*cos(t)"),
            a function of the arguments of f, or a number or array (compared at this point only).
        points : int
            How many random points near this one.
        seed : int
        tolerance : float
            Relative.

        Returns
        -------
        Check
            True where all rows are right; printing it says which row is wrong, what it should be, and which mistake it looks like.

        Examples
        --------
        >>> import dualad
        >>> e = dualad.explain(lambda x: x * x, 3.0)
        >>> print(e.check({"dy/dx": "x"}))
        dy/dx = x: wrong, a factor 2 is missing; it is 6, not 3, at x = 3; it should be x + x
        """
        from .checking import check

        return check(self, rows, points, seed, tolerance)

    # ---- selection ---------------------------------------------------------------------------------------------------

    def _name(self, name: str | None, default: int) -> int:
        return default if name is None else self.program.node(name).index

    def _target(self, name: str | None) -> int | None:
        return None if name is None else self.program.node(name).index

    def _seeds(self, seed: str | Mapping[str, Any] | None) -> tuple[str, dict[int, Any]]:
        nodes = self.program.nodes
        inputs = {nodes[i].name: i for i in self.program.inputs}
        if seed is None:
            seed = next(iter(inputs))
        if isinstance(seed, str):
            if seed in inputs:
                return seed, {inputs[seed]: np.ones(nodes[inputs[seed]].shape) if nodes[inputs[seed]].shape else 1.0}
            base, _, index = seed.rpartition("[")
            if base in inputs and nodes[inputs[base]].shape:
                one = np.zeros(nodes[inputs[base]].shape)
                try:
                    one[tuple(int(k) for k in index.rstrip("]").split(","))] = 1.0
                except (ValueError, IndexError):
                    raise UnknownNameError(f"{seed!r} is no element of {base} of shape {one.shape}") from None
                if one.sum() == 1.0:
                    return seed, {inputs[base]: one}
            raise UnknownNameError(
                f"no input called {seed!r}; there are {', '.join(inputs)} (and elements such as w[0,2] of an array w)"
            )
        if not isinstance(seed, Mapping):
            raise TypeError(f'seed is the name of an input, such as {next(iter(inputs))!r}, or {{name: tangent}}, not {seed!r:.40}')
        out = {}
        for name, value in seed.items():
            if name not in inputs:
                raise UnknownNameError(f"no input called {name!r}; there are {', '.join(inputs)}")
            t = np.asarray(value, dtype=float)
            if t.shape != nodes[inputs[name]].shape:
                raise ValueError(f"the tangent of {name} has shape {t.shape}, {name} itself {nodes[inputs[name]].shape}")
            out[inputs[name]] = t if t.ndim else float(t)
        return ", ".join(f"d{name}" for name in seed), out


def _plain(x: Any) -> Any:
    return np.array(x) if np.ndim(x) else float(x)


def _check_version(version: str) -> None:
    if version not in ("A", "B"):
        raise ValueError(f'version is "A" (each value pulls from its readers) or "B" (zero, then increments), not {version!r}')

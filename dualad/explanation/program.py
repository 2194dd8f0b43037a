"""The data of an explanation: the program of elementary operations that a function ran, as plain values.

    Program
      nodes       Node 0, Node 1, ... in the order they ran: operands before what is made of them
      inputs      indices of the nodes that are inputs        outputs   indices of the nodes that f returned
      tangents    {seed: one tangent a node}                  adjoints  one adjoint a node

Nothing here is traced or compiled: numbers, strings and tuples, so that `to_json` is a copy and any drawing can be made from it.
A value, tangent or adjoint is a float, or a :class:`Block` of numbers for an array.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, is_dataclass, replace
from typing import Any

import numpy as np

__all__ = ["Block", "Event", "Kink", "Node", "Operand", "Program", "Quantity", "UnknownNameError", "quantity", "to_plain"]

#: arrays with more elements than this keep a summary only
LARGEST = 64


class UnknownNameError(KeyError):
    """A value that the program has not; the message says which there are."""

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True)
class Block:
    """The numbers of an array, or a summary of them where there are many.

    Parameters
    ----------
    shape : tuple of int
    smallest, largest, mean : float
    norm : float
        Euclidean, of all elements.
    numbers : tuple of float
        All elements in C order; empty for an array of more than 64 elements.

    Examples
    --------
    >>> import numpy as np
    >>> from dualad.explanation.program import quantity
    >>> print(quantity(np.array([3.0, 4.0])))
    [3, 4]
    >>> print(quantity(np.zeros((100, 3))))
    (100, 3): 0 to 0, norm 0
    """

    shape: tuple[int, ...]
    smallest: float = math.nan
    largest: float = math.nan
    mean: float = math.nan
    norm: float = 0.0
    numbers: tuple[float, ...] = ()

    @property
    def size(self) -> int:
        """How many elements the array has."""
        return math.prod(self.shape)

    def array(self) -> np.ndarray:
        """The array itself; ValueError where only a summary is left."""
        if self.size != len(self.numbers):
            raise ValueError(f"of an array of {self.size} elements only a summary is kept (up to {LARGEST} are kept)")
        return np.reshape(np.array(self.numbers, dtype=float), self.shape)

    def __str__(self) -> str:
        if self.size == len(self.numbers) and self.size <= 6:
            return _brackets(self.array().tolist())
        return f"{self.shape}: {self.smallest:.6g} to {self.largest:.6g}, norm {self.norm:.6g}"


def _brackets(x: Any) -> str:
    return f"[{', '.join(map(_brackets, x))}]" if isinstance(x, list) else f"{x:.6g}"


Quantity = float | Block


def quantity(x: Any) -> Quantity:
    """A number as float, an array as :class:`Block`."""
    a = np.asarray(x, dtype=float)
    if not a.ndim:
        return float(a)
    if not a.size:
        return Block(a.shape)
    with np.errstate(all="ignore"):
        return Block(
            a.shape,
            float(a.min()),
            float(a.max()),
            float(a.mean()),
            float(np.linalg.norm(a.ravel())),
            tuple(a.ravel().tolist()) if a.size <= LARGEST else (),
        )


@dataclass(frozen=True)
class Operand:
    """What an operation reads: a node, or a constant.

    Parameters
    ----------
    node : int or None
        Index of the node; None for a constant.
    text : str
        Its name ("u1"), or the constant as text ("3", "array (4, 2)").
    value : float, Block or None
        Of a constant; None for a node (whose value is the node's) and for what is no number.
    partial : float, Block or None
        The local derivative of the result with respect to this operand: a float between numbers, elementwise for an elementwise
        operation on arrays of one shape; None for a constant and where it is a matrix that is never built.
    formula : str
        That derivative over the names of the program ("cos(t)"); "" where it is no formula of one line.
    pullback : str
        Of an array operation: what is added to the operand's adjoint, over `ct`, the adjoint of the result ("W.T @ ct").
    tangent : str
        Of an array operation: what the operand's tangent adds to the result's ("W @ dx"). Where one line holds the tangents of all
        operands ("stack([du, dv])"), the first one has it, and the others have "0".
    """

    node: int | None
    text: str
    value: Quantity | None = None
    partial: Quantity | None = None
    formula: str = ""
    pullback: str = ""
    tangent: str = ""


@dataclass(frozen=True)
class Node:
    """One value of the program.

    Parameters
    ----------
    index : int
        Its place in `Program.nodes`.
    name : str
        As in the caller's source ("t", "u1", "x_2" for the second value of x in a loop), or v1, v2 ...; unique.
    kind : {"input", "intermediate", "output"}
    operation : str
        Name of the elementary operation ("sin", "multiply", "matmul"); "" for an input; "block" where several were folded.
    operands : tuple of Operand
        In the order of the operation; x * x has two that are the same node.
    value : float or Block
    formula : str
        The operation over the names of its operands: "sin(t)", "u1 + u2".
    named : bool
        Does the name come from the caller's source?
    line : int
        Line number in the file, 0 if unknown.
    source : str
        That line of the caller's source, stripped; "" if unknown.
    function : str
        The function it ran in.
    call : int
        Number of that run of the function (0 is f itself): two calls of sigmoid differ here.
    file : str
        The file of `line`.
    count : int
        Operations that are folded into this node.
    """

    index: int
    name: str
    kind: str
    operation: str = ""
    operands: tuple[Operand, ...] = ()
    value: Quantity = 0.0
    formula: str = ""
    named: bool = False
    line: int = 0
    source: str = ""
    function: str = ""
    call: int = 0
    file: str = ""
    count: int = 1

    @property
    def shape(self) -> tuple[int, ...]:
        """() for a number."""
        return self.value.shape if isinstance(self.value, Block) else ()

    @property
    def size(self) -> int:
        """How many numbers it is."""
        return self.value.size if isinstance(self.value, Block) else 1

    @property
    def reads(self) -> tuple[int, ...]:
        """Indices of the nodes it is made of, each once."""
        return tuple(dict.fromkeys(o.node for o in self.operands if o.node is not None))

    @property
    def equation(self) -> str:
        """ "t = x**2"; the name alone for an input, and for an element that is called what it is, "x[0]"."""
        return self.name if self.formula in ("", self.name) else f"{self.name} = {self.formula}"

    @property
    def partials(self) -> tuple[Quantity | None, ...]:
        """One for each operand (see :class:`Operand`)."""
        return tuple(o.partial for o in self.operands)


@dataclass(frozen=True)
class Event:
    """One step of a sweep.

    Parameters
    ----------
    sweep : {"forward", "tangent", "reverse"}
    action : {"visit", "read", "compute", "zero", "seed", "increment", "set"}
        visit: the sweep comes to `node`. read: it looks at `other`. compute: the value (tangent) of `node` is now `value`.
        zero: all adjoints are 0 (version B). seed: the adjoint of the output (the value or tangent of an input) is set. increment:
        the adjoint of `node` grows by `amount`, which comes from `other`, to `value` (version B). set: the adjoint of `node`, the
        sum of what was read from its successors, is `value` (version A).
    node : int or None
    other : int or None
        The node that is read, or that the increment comes from.
    amount : float, Block or None
        What is added (in version A, the term that is read: adjoint times partial).
    value : float, Block or None
        What `node` holds after the step.
    text : str
        The step in a line: "dJ/dt += dJ/du1 * cos(t)".
    operations : int
        Scalar operations of the sweep so far: one for each number an operation writes, two for each number an increment adds (a
        multiplication and an addition).
    memory : int
        Numbers that are held after the step, those of the forward sweep included.
    operand : int or None
        Which operand of `other` (of `node` in the forward sweeps) it is, counted from 0.
    """

    sweep: str
    action: str
    node: int | None
    other: int | None = None
    amount: Quantity | None = None
    value: Quantity | None = None
    text: str = ""
    operations: int = 0
    memory: int = 0
    operand: int | None = None


@dataclass(frozen=True)
class Kink:
    """An operation that was evaluated at, or near, a point where it has no derivative, or a branch decided between equal numbers.

    Parameters
    ----------
    node : int
        -1 for a branch, which is no value of the program, and for an operation that was folded away.
    name, operation : str
        Of a branch the comparison itself ("x >= 0").
    at : float
        The operand there.
    operand : int
        Which one.
    used : float
        The derivative that was used.
    left, right : float
        One-sided derivatives of the operation, for a branch of the whole function (the sum of what it returns); nan where it is not
        defined on that side.
    distance : float
        0 at the kink itself.
    jumps : bool
        Does the value itself jump?
    elements : int
        How many elements of an array operation are concerned.
    convention : str
    formula : str
        "y = max(x)", or "x >= 0".
    line : int
    source, file : str
        Where it is written.
    along : str
        Of a branch: the input along which the derivatives are taken.
    """

    node: int
    name: str
    operation: str
    at: float
    operand: int
    used: float
    left: float
    right: float
    distance: float
    jumps: bool
    elements: int
    convention: str
    formula: str = ""
    line: int = 0
    source: str = ""
    file: str = ""
    along: str = ""

    def renamed(self, put: Callable[[str], str]) -> Kink:
        """The same with other names in its texts."""
        formula = " = ".join(map(put, self.formula.split(" = ", 1)))
        return replace(self, name=put(self.name), formula=formula, along=put(self.along))

    @property
    def note(self) -> str:
        """What is said of it below a table."""
        if not self.along:
            return f"{self.formula} is at a kink: {self.convention}"
        where = f"line {self.line}: " if self.line else ""
        sides = f"{self.left:.6g} from the left, {self.right:.6g} from the right ({self.used:.6g} was used)"
        return f"{where}{self.formula} compares equal numbers: along {self.along} the derivative is {sides}"


@dataclass(frozen=True)
class Program:
    """A program of elementary operations with the derivatives along it.

    Parameters
    ----------
    name : str
        Of the function.
    nodes : tuple of Node
    inputs, outputs : tuple of int
        Indices; an output may be an input, or be read further on.
    tangents : dict of str to tuple
        Seed (name of an input, or "w[0,2]" for an element) -> one tangent a node.
    adjoints : tuple
        One a node: the derivative of the output (of the sum of all numbers returned, if there are several) by that node.
    target : str
        What the adjoints are of: the name of the output, or "sum" if several numbers are returned.
    file, source : str
        Where f is written, and its text; "" if unknown.
    first_line : int
    counts : dict of str to int
        How often each operation ran.
    kinks : tuple of Kink
    notes : tuple of str
        What the reader should know (values that are not finite, parts that are summarised).

    Examples
    --------
    >>> from dualad.explanation.program import Node, Operand, Program
    >>> x = Node(0, "x", "input", value=3.0)
    >>> y = Node(1, "y", "output", "square", (Operand(0, "x", partial=6.0, formula="2*x"),), 9.0, "x**2")
    >>> program = Program("f", (x, y), (0,), (1,))
    >>> program.node("y").reads, program.successors()
    ((0,), ((1,), ()))
    """

    name: str
    nodes: tuple[Node, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    tangents: dict[str, tuple[Quantity, ...]] = field(default_factory=dict)
    adjoints: tuple[Quantity, ...] = ()
    target: str = ""
    file: str = ""
    source: str = ""
    first_line: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    kinks: tuple[Kink, ...] = ()
    notes: tuple[str, ...] = ()

    def node(self, name: str) -> Node:
        """The node of that name; UnknownNameError (a KeyError) says which there are."""
        for node in self.nodes:
            if node.name == name:
                return node
        names = [node.name for node in self.nodes]
        listed = ", ".join(names[:20]) + (" ..." if len(names) > 20 else "")
        raise UnknownNameError(f"no value called {name!r}; there are {listed}")

    def successors(self) -> tuple[tuple[int, ...], ...]:
        """For each node, the nodes that read it, in the order of the program."""
        found: list[list[int]] = [[] for _ in self.nodes]
        for node in self.nodes:
            for operand in node.reads:
                found[operand].append(node.index)
        return tuple(map(tuple, found))

    def edges(self) -> Iterator[tuple[int, int, int]]:
        """(operand's node, node, which operand), in the order of the program."""
        for node in self.nodes:
            for place, operand in enumerate(node.operands):
                if operand.node is not None:
                    yield operand.node, node.index, place

    def to_json(self) -> dict[str, Any]:
        """The program as dicts, lists, strings and numbers (nan and the infinities as the strings "nan", "inf", "-inf")."""
        plain: dict[str, Any] = to_plain(self)
        for node, made in zip(plain["nodes"], self.nodes, strict=True):
            node.update(shape=list(made.shape), size=made.size, reads=list(made.reads))
        return plain


def to_plain(x: Any) -> Any:
    """Dataclasses, tuples and dicts as what JSON holds; numbers that JSON does not know become strings."""
    if is_dataclass(x) and not isinstance(x, type):
        x = asdict(x)
    if isinstance(x, dict):
        return {str(key): to_plain(value) for key, value in x.items()}
    if isinstance(x, (tuple, list)):
        return [to_plain(value) for value in x]
    if isinstance(x, float) and not math.isfinite(x):
        return str(x)
    return x

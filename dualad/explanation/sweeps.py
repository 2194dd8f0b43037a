"""Sweeps over an explained program: tangents, adjoints (versions A and B), and the events of each.

    version A   visit each v in reverse order:   dy/dv  = sum over the u that read v of  dy/du * du/dv
    version B   all adjoints are zero;
                visit each u in reverse order:   dy/dv += dy/du * du/dv   for every v that u reads

Both add the same terms in the same order (the last reader first), so they agree to the last bit; a test holds them together, and
both to `dualad.grad`. The terms come from the rules that the library's own sweeps use.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .algebra import constant, product, without_ct
from .lines import shaped
from .program import Block, Event, Node, Program, quantity

__all__ = ["Operation", "Sweeps", "added", "tangent_terms", "tangent_text"]


@dataclass(frozen=True)
class Operation:
    """The call behind a node: what its rules need.

    Parameters
    ----------
    call : object or None
        Entry of the tape; None for an input.
    place : int
        Which of the call's results the node is.
    operands : tuple of int or None
        For each argument of the call, the node it is; None for a constant.
    """

    call: Any = None
    place: int = 0
    operands: tuple[int | None, ...] = ()

    def contributions(self, ct: Any) -> tuple[Any, ...]:
        """What the adjoint `ct` of the result adds to each operand's; None for a constant."""
        call = self.call
        cts = ct if call.single else tuple(ct if i == self.place else None for i in range(len(call.outputs)))
        needs = [node is not None for node in self.operands]
        with np.errstate(all="ignore"):
            found = call.primitive.vjp(cts, call.values, call.out, needs, 0, **call.params)
        return tuple(g if need else None for g, need in zip(found, needs, strict=True))

    def tangent(self, tangents: Sequence[Any]) -> Any:
        """Tangent of the result; None where no operand has one."""
        call = self.call
        if all(t is None for t in tangents):
            return None
        with np.errstate(all="ignore"):
            out = call.primitive.push(tangents, call.values, call.out, 0, call.params)
        return out if call.single else out[self.place]


class Sweeps:
    """A program with the rules of its operations.

    Parameters
    ----------
    operations : sequence of Operation
        One for each node.
    values : sequence
        Value of each node.
    """

    def __init__(self, operations: Sequence[Operation], values: Sequence[Any], outputs: Sequence[int]) -> None:
        self.operations, self.values, self.outputs = tuple(operations), tuple(values), tuple(outputs)

    @np.errstate(all="ignore")
    def tangents(self, seeds: Mapping[int, Any]) -> list[Any]:
        """One tangent a node, from tangents of inputs; zero where nothing is seeded."""
        found: list[Any] = []
        for i, operation in enumerate(self.operations):
            t = (
                seeds.get(i)
                if operation.call is None
                else operation.tangent([None if o is None else found[o] for o in operation.operands])
            )
            found.append(t)
        return [np.zeros(np.shape(v)) if t is None else t + 0.0 for t, v in zip(found, self.values, strict=True)]

    def seeds(self, target: int | None) -> dict[int, Any]:
        """Adjoints to begin with: 1 for the target, or for every number that f returned."""
        chosen = self.outputs if target is None else (target,)
        out: dict[int, Any] = {}
        for i in chosen:
            one = np.ones(np.shape(self.values[i])) if np.ndim(self.values[i]) else 1.0
            out[i] = out[i] + one if i in out else one
        return out

    @np.errstate(all="ignore")
    def terms(self, target: int | None = None) -> tuple[list[Any], list[tuple[int, int, int, Any]]]:
        """Adjoints, and every term that made them: (reader, operand's place, node, term) in the order of version B."""
        adjoints: list[Any] = [None] * len(self.values)
        for i, seed in self.seeds(target).items():
            adjoints[i] = seed
        found = []
        for i in range(len(self.values) - 1, -1, -1):
            operation, ct = self.operations[i], adjoints[i]
            if operation.call is None or ct is None:
                continue
            for place, (node, g) in enumerate(zip(operation.operands, operation.contributions(ct), strict=True)):
                if node is None or g is None:
                    continue
                adjoints[node] = g if adjoints[node] is None else adjoints[node] + g
                found.append((i, place, node, g))
        return [np.zeros(np.shape(v)) if a is None else a + 0.0 for a, v in zip(adjoints, self.values, strict=True)], found

    @np.errstate(all="ignore")
    def pulled(self, target: int | None = None) -> list[Any]:
        """Adjoints by version A: each is the sum of what its readers send, the last reader first."""
        n = len(self.values)
        readers: list[list[tuple[int, int]]] = [[] for _ in range(n)]
        for i in range(n - 1, -1, -1):
            for place, node in enumerate(self.operations[i].operands):
                if node is not None:
                    readers[node].append((i, place))
        seeds = self.seeds(target)
        adjoints: list[Any] = [None] * n
        sent: dict[int, tuple[Any, ...]] = {}
        for v in range(n - 1, -1, -1):
            value = seeds.get(v)
            for u, place in readers[v]:
                if adjoints[u] is None:
                    continue
                if u not in sent:
                    sent[u] = self.operations[u].contributions(adjoints[u])
                term = sent[u][place]
                value = term if value is None else value + term
            adjoints[v] = value
        return [np.zeros(np.shape(v)) if a is None else a + 0.0 for a, v in zip(adjoints, self.values, strict=True)]


# ---- events ----------------------------------------------------------------------------------------------------------


def forward_events(program: Program) -> Iterator[Event]:
    """The forward sweep: each node is visited, its operands are read, its value is computed and kept."""
    operations = memory = 0
    for node in program.nodes:
        if node.kind == "input" or not node.operation:
            memory += node.size
            yield Event("forward", "seed", node.index, None, None, node.value, f"{node.name} is given", operations, memory)
            continue
        yield Event("forward", "visit", node.index, None, None, None, f"visit {node.equation}", operations, memory)
        for place, operand in enumerate(node.operands):
            if operand.node is not None:
                value = program.nodes[operand.node].value
                yield Event(
                    "forward",
                    "read",
                    node.index,
                    operand.node,
                    None,
                    value,
                    f"read {operand.text} = {_short(value)}",
                    operations,
                    memory,
                    place,
                )
        operations += node.size * node.count
        memory += node.size
        yield Event(
            "forward",
            "compute",
            node.index,
            None,
            None,
            node.value,
            f"{node.equation} = {_short(node.value)}",
            operations,
            memory,
        )


def tangent_events(program: Program, tangents: Sequence[Any]) -> Iterator[Event]:
    """The forward sweep with a tangent beside each value."""
    operations = memory = 0
    for node, value in zip(program.nodes, tangents, strict=True):
        if node.kind == "input" or not node.operation:
            memory += 2 * node.size
            yield Event("tangent", "seed", node.index, None, None, value, f"d{node.name} = {_short(value)}", operations, memory)
            continue
        yield Event("tangent", "visit", node.index, None, None, None, f"visit {node.equation}", operations, memory)
        for place, operand in enumerate(node.operands):
            if operand.node is not None:
                yield Event(
                    "tangent",
                    "read",
                    node.index,
                    operand.node,
                    None,
                    tangents[operand.node],
                    f"read {operand.text} and d{operand.text} = {_short(tangents[operand.node])}",
                    operations,
                    memory,
                    place,
                )
        operations += node.size * (node.count + 2 * len(node.reads))
        memory += 2 * node.size
        text = f"d{node.name} = {tangent_text(program, node)} = {_short(value)}"
        yield Event("tangent", "compute", node.index, None, None, value, text, operations, memory)


def reverse_events(program: Program, sweeps: Sweeps, version: str, target: int | None, label: str) -> Iterator[Event]:
    """The reverse sweep of version A or B; :class:`~dualad.explanation.program.Event` says what the actions are."""
    nodes = program.nodes
    values = sum(node.size for node in nodes)
    seeds, (adjoints, terms) = sweeps.seeds(target), sweeps.terms(target)
    operations, memory = 0, values
    if version == "B":
        memory += values
        yield Event("reverse", "zero", None, None, None, 0.0, "all adjoints = 0", operations, memory)
    for i, seed in seeds.items():
        memory += nodes[i].size if version == "A" else 0
        yield Event(
            "reverse",
            "seed",
            i,
            None,
            quantity(seed),
            quantity(seed),
            f"d{label}/d{nodes[i].name} = {_short(seed)}",
            operations,
            memory,
        )
    if version == "B":
        running: dict[int, Any] = dict(seeds)
        visited = -1
        for u, place, v, term in terms:
            if u != visited:
                visited = u
                yield Event(
                    "reverse",
                    "visit",
                    u,
                    None,
                    None,
                    quantity(adjoints[u]),
                    f"visit {nodes[u].equation}",
                    operations,
                    memory,
                )
            running[v] = running[v] + term if v in running else term
            operations += 2 * nodes[v].size
            yield Event(
                "reverse",
                "increment",
                v,
                u,
                quantity(term + 0.0),
                quantity(running[v] + 0.0),
                f"{increment_text(program, label, u, place)} = {_short(running[v] + 0.0)}",
                operations,
                memory,
                place,
            )
        return
    sent: dict[int, list[tuple[int, int, Any]]] = {}
    for u, place, v, term in terms:
        sent.setdefault(v, []).append((u, place, term))
    for v in range(len(nodes) - 1, -1, -1):
        if v not in sent:
            continue
        yield Event("reverse", "visit", v, None, None, None, f"visit {nodes[v].name}", operations, memory)
        for number, (u, place, term) in enumerate(sent[v]):
            operations += nodes[v].size * (2 if number or v in seeds else 1)
            yield Event(
                "reverse",
                "read",
                v,
                u,
                quantity(term + 0.0),
                quantity(adjoints[u]),
                f"read d{label}/d{nodes[u].name} = {_short(adjoints[u])}: {term_text(program, label, u, place)} = "
                f"{_short(term + 0.0)}",
                operations,
                memory,
                place,
            )
        memory += nodes[v].size if v not in seeds else 0
        parts = " + ".join(term_text(program, label, u, place) for u, place, _ in sent[v])
        if v in seeds:
            parts = f"{_short(seeds[v])} + {parts}"
        yield Event(
            "reverse",
            "set",
            v,
            None,
            None,
            quantity(adjoints[v]),
            f"d{label}/d{nodes[v].name} = {parts} = {_short(adjoints[v])}",
            operations,
            memory,
        )


def term_text(program: Program, label: str, u: int, place: int) -> str:
    """What u sends to its operand: "dJ/du * cos(t)"; the derivative of the output itself is 1 and not written."""
    reader = program.nodes[u]
    operand = reader.operands[place]
    ct = f"d{label}/d{reader.name}"
    if operand.pullback:
        sent = re.sub(r"\bct\b(?=[/.\[])", lambda _: f"({ct})", sent_text(reader, place, label))  # (dJ/dv)/3, (dJ/dv)[:2]
        return re.sub(r"\bct\b", lambda _: ct, sent)
    local = local_text(program, reader, place)
    return local if is_output(reader, label) and operand.formula else scaled(ct, " * ", local, local)


def scaled(ct: str, times: str, factor: str, text: str) -> str:
    """`ct` times a factor, whose plain text says whether it is 1 or -1 and whether it wants brackets."""
    if text in ("1", "-1"):
        return ct if text == "1" else f"-{ct}"
    brackets = text.startswith("-") or " + " in text or " - " in text
    return f"{ct}{times}{f'({factor})' if brackets else factor}"


def is_output(node: Node, label: str) -> bool:
    """Is it what is differentiated, so that its adjoint is 1 and not written?"""
    return node.kind == "output" and node.name == label


def sent_text(reader: Node, place: int, label: str) -> str:
    """What an array operation sends back, over ct; without it where the operation makes the number that is differentiated."""
    sent = reader.operands[place].pullback
    return without_ct(sent) if is_output(reader, label) and not reader.shape else sent


def local_text(program: Program, reader: Node, place: int) -> str:
    """The partial by an operand: its formula (an array where one number holds for every element), or its name."""
    operand = reader.operands[place]
    local = operand.formula or f"d{reader.name}/d{operand.text}"
    shape = program.nodes[operand.node].shape if operand.node is not None else ()
    return shaped(local, shape) if shape and not reader.shape and constant(local) else local


def increment_text(program: Program, label: str, u: int, place: int) -> str:
    """A line of version B: "dJ/dt += dJ/du1 * cos(t)"."""
    return f"d{label}/d{program.nodes[u].operands[place].text} += {term_text(program, label, u, place)}"


def tangent_terms(nodes: Sequence[Node], node: Node) -> list[str]:
    """What each operand that is a value adds to the tangent of a node: ["A @ dx"], ["dr @ v", "r @ dv"]."""
    values = [nodes[o.node].value if o.node is not None else o.value for o in node.operands]
    shapes = [value.shape if isinstance(value, Block) else () for value in values]
    texts = [o.text for o in node.operands]
    traced = [i for i, o in enumerate(node.operands) if o.node is not None]
    found: list[str] = []
    for i in traced:
        text, formula, d = node.operands[i].tangent, node.operands[i].formula, f"d{texts[i]}"
        if not text and formula:
            text = product(formula, d)
            if shapes[i] and not node.shape:
                text = f"sum({text})"
            elif shapes[i] != node.shape and len(traced) == 1 and not _mentions(formula, texts[:i] + texts[i + 1 :]):
                text = shaped(text, node.shape)
        found.append(text or f"d{node.name}/d{texts[i]}[{d}]")
    return found


def _mentions(formula: str, names: Sequence[str]) -> bool:
    return any(re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", formula) for name in names)


def tangent_text(program: Program, node: Node) -> str:
    """The tangent of a node over the tangents of its operands: "cos(t)*dt", "A @ dX", "sum(dv)"."""
    return added(tangent_terms(program.nodes, node))


def added(terms: Sequence[str]) -> str:
    """Terms with signs between them, zeros left out."""
    return " + ".join([term for term in terms if term != "0"] or ["0"]).replace("+ -", "- ")


def _short(x: Any) -> str:
    x = quantity(x) if isinstance(x, (np.ndarray, np.generic)) else x
    return f"{x:.7g}" if isinstance(x, float) else str(x)

"""From a recording to a program: which entries count, what they are called, their formulas and partials."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..generic import GenericVar
from ..rules.elementwise import ROWS
from .algebra import constant_text, product
from .array_formulas import array_lines
from .formulas import call_formula, partial_formula
from .lines import Lines, Site, reduced
from .moves import move_lines, move_name
from .program import Node, Operand, Program, Quantity, quantity
from .sweeps import Operation, Sweeps
from .tracing import Place, Recording, statement, written_near

__all__ = ["SEARCHED", "Built", "build", "operation_name", "program_of"]

#: programs with more nodes than this get no formula for their partials
LARGEST = 400
#: inputs with more numbers than this (all together) get no tangents of their own
SEEDS = 16
#: arrays with more elements than this are not looked at to see whether they were moved
UNMOVED = 10_000
#: above this many nodes no kinks are looked for, and no tangents are kept
SEARCHED = 5000


class Built:
    """Nodes, their operations and values, which are inputs and outputs, and the caller's constants by name."""

    def __init__(
        self,
        nodes: Sequence[Node],
        operations: Sequence[Operation],
        values: Sequence[Any],
        inputs: Sequence[int],
        outputs: Sequence[int],
        places: Sequence[Place],
        notes: Sequence[str],
        constants: Mapping[str, Any],
    ) -> None:
        self.nodes, self.operations, self.values = tuple(nodes), tuple(operations), tuple(values)
        self.inputs, self.outputs, self.places, self.notes = tuple(inputs), tuple(outputs), tuple(places), tuple(notes)
        self.constants = dict(constants)


def build(recording: Recording, name: str) -> Built:
    """The program of a recording: what no output depends on is left out.

    Raises
    ------
    TypeError
        f returned nothing that depends on its arguments.
    """
    level = recording.level
    traced = [x for x in recording.leaves if isinstance(x, GenericVar) and x.level_id == level.level_id]
    if not traced:
        given = recording.leaves[0] if recording.leaves else None
        raise TypeError(f"{name} returned {_brief(given)}, which does not depend on its arguments: there is nothing to explain")
    notes = []
    constant = len(recording.leaves) - len(traced)
    if constant:
        notes.append(f"{constant} of the {len(recording.leaves)} values returned do not depend on the arguments")

    live = {x.key for x in traced}
    for call in reversed(level.calls):
        if any(isinstance(o, GenericVar) and o.key in live for o in call.outputs):
            live.update(x.key for x in call.inputs if x is not None)
    entries: list[tuple[GenericVar, Any, int, Place]] = [(x, None, 0, Place()) for x in recording.inputs]
    dropped = 0
    for call, place in zip(level.calls, recording.places, strict=True):
        for i, out in enumerate(call.outputs):
            if isinstance(out, GenericVar):
                if out.key in live:
                    entries.append((out, call, i, place))
                elif call.primitive.name != "elements":
                    dropped += 1
    if dropped:
        notes.append(
            f"{dropped} operation{'s' if dropped > 1 else ''} that the result does not depend on "
            f"{'are' if dropped > 1 else 'is'} left out"
        )
    same = _unmoved(recording)
    entries = [entry for entry in entries if entry[0].key not in same]
    index = {x.key: i for i, (x, _, _, _) in enumerate(entries)}
    index.update({key: index[kept] for key, kept in same.items() if kept in index})
    outputs = [index[x.key] for x in traced]
    kept = [
        n
        for x, n in zip(recording.leaves, recording.output_names, strict=True)
        if isinstance(x, GenericVar) and x.level_id == level.level_id
    ]
    names = _Namer(recording).names(entries, index, outputs, kept)
    texts = [text for text, _ in names]
    taken = set(texts)
    operations, nodes = [], []
    constants = {name: value for name, value in recording.constants if name not in taken}
    space = dict(constants)
    inputs = tuple(range(len(recording.inputs)))
    for i, (x, call, which, place) in enumerate(entries):
        operands = tuple(None if o is None else index[o.key] for o in call.inputs) if call else ()
        operations.append(Operation(call, which, operands))
        text, named = names[i]
        if call is None:
            space[text] = x.primal
            kind = "output" if i in outputs and i not in inputs else "input"
            nodes.append(Node(i, text, kind, value=quantity(x.primal), named=True))
            continue
        line, source = statement(place.file, place.line) if place.line else (0, "")
        operation = operation_name(call)
        operand_texts = [
            texts[node] if node is not None else _constant(value, recording, taken, source)
            for node, value in zip(operands, call.values, strict=True)
        ]
        traced_ones = tuple(node is not None for node in operands)
        near = written_near(place.file, place.line) if place.line else [ast.Name(name)]
        site = Site(operation, call, tuple(operand_texts), traced_ones, which, space, near)
        lines = _lines(site, operations[i], len(entries) <= LARGEST)
        space[text] = x.primal
        nodes.append(
            Node(
                i,
                text,
                "output" if i in outputs else "intermediate",
                operation,
                _operands(operations[i], x.primal, site, lines),
                quantity(x.primal),
                lines.formula,
                named,
                line,
                source,
                place.function,
                place.call,
                place.file,
            )
        )
    if not all(np.all(np.isfinite(x.primal)) for x, _, _, _ in entries):
        first = next(i for i, (x, _, _, _) in enumerate(entries) if not np.all(np.isfinite(x.primal)))
        notes.append(f"{nodes[first].name} is not finite" + (f" (line {nodes[first].line})" if nodes[first].line else ""))
    values, places = [x.primal for x, _, _, _ in entries], [place for _, _, _, place in entries]
    return Built(nodes, operations, values, inputs, outputs, places, notes, constants)


def _brief(x: Any) -> str:
    return f"{x!r:.40}" if np.ndim(x) == 0 else f"an array of shape {np.shape(x)}"


# ---- operations ------------------------------------------------------------------------------------------------------


def _unmoved(recording: Recording) -> dict[int, int]:
    """Results of calls that move no element (np.ravel of a vector) -> the value that they are; their name goes to it."""
    found: dict[int, int] = {}
    for call in recording.level.calls:
        if call.primitive.name != "pick" or not call.single or len(call.values) != 1 or call.inputs[0] is None:
            continue
        shape = np.shape(call.out)
        if np.shape(call.values[0]) != shape or np.size(call.out) > UNMOVED:
            continue
        if np.array_equal(np.ravel(call.params["moves"].index), np.arange(1, np.size(call.out) + 1)):
            key = call.outputs[0].key
            kept = found.get(call.inputs[0].key, call.inputs[0].key)
            found[key] = kept
            if key in recording.names:
                recording.names.setdefault(kept, recording.names[key])
    return found


def operation_name(call: Any) -> str:
    """The name of an operation; what only moves elements is called by what it does to them."""
    name: str = call.primitive.name.removeprefix("math.")
    if name == "elements":
        return "element"
    if name == "product":
        return "outer" if getattr(call.params.get("f"), "__name__", "") == "outer" else "einsum"
    if name == "pick":
        return move_name(call)
    return name if all(part.isidentifier() for part in name.split(".")) else "function"


def _lines(site: Site, operation: Operation, formulas: bool) -> Lines:
    """What is written about an operation: a row of the table, elements that move, or an operation on arrays."""
    if site.operation in ROWS:
        return Lines(call_formula(site.operation, site.texts))
    if site.operation == "element":
        (text,), place = site.texts, ", ".join(map(str, np.unravel_index(site.which, site.shapes[0])))
        return Lines(f"{text}[{place}]", (f"d{text}[{place}]",), (f"place(ct, {text}[{place}])",))
    if site.call.primitive.name == "pick":
        return move_lines(site, operation.contributions)
    lines = array_lines(site)
    return lines if formulas else Lines(lines.formula)


def _operands(operation: Operation, out: Any, site: Site, lines: Lines) -> tuple[Operand, ...]:
    call, name = operation.call, site.operation
    partials = _partials(operation, out, site.shapes)
    found = []
    for place, (node, text, value) in enumerate(zip(operation.operands, site.texts, call.values, strict=True)):
        if node is None:
            found.append(Operand(None, text, quantity(value) if np.asarray(value).dtype.kind in "fiub" else None))
            continue
        formula, shape = "", site.shapes[place]
        sent, tangent = (found_lines[place] if found_lines else "" for found_lines in (lines.adjoints, lines.tangents))
        if name in ROWS:
            formula = partial_formula(name, site.texts, call.values, out, place)
            if np.shape(out) != shape:
                sent = reduced(product("ct", formula), np.shape(out), shape)
        elif lines.formula == call_formula("dot", site.texts) and len(site.texts) == 2 and not np.shape(out):  # of two vectors
            formula, sent = site.texts[1 - place], ""
        elif name == "sum" and not np.shape(out) and sent.startswith("ct*ones"):
            formula, sent = "1", ""
        found.append(Operand(node, text, None, partials[place], formula, sent, tangent))
    return tuple(found)


def _partials(operation: Operation, out: Any, shapes: Sequence[tuple[int, ...]]) -> list[Quantity | None]:
    """Local derivatives: numbers between numbers, elementwise for rows of the table on operands of one shape."""
    call, shape = operation.call, np.shape(out)
    scalar = not shape
    elementwise = call.primitive.name.removeprefix("math.") in ROWS
    if not scalar and not elementwise:
        return [None] * len(shapes)
    gradient = operation.contributions(np.ones(shape) if shape else 1.0)
    return [
        None if g is None or (s != shape and not (scalar and np.ndim(g) > 0)) else quantity(g + 0.0)
        for g, s in zip(gradient, shapes, strict=True)
    ]


def _constant(value: Any, recording: Recording, taken: Collection[str], source: str) -> str:
    """A constant as the caller called it, where no value of the program has that name; else as a number.

    A float goes by a name only where the statement has that name: a literal 1.0 is the same object as an argument 1.0.
    """
    if isinstance(value, np.ndarray) and value.ndim:
        known = [(name, array) for name, array in recording.constants if name not in taken and np.ndim(array)]
        for name, array in known:
            if array is value:
                return name
        for name, array in known:  # a copy, or the same numbers of another type
            if np.array_equal(array, value):
                return name
    if type(value) is float:
        for name, known in recording.constants:
            if known is value and name not in taken and re.search(rf"\b{re.escape(name)}\b", source):
                return name
    if np.ndim(value) == 0 and np.asarray(value).dtype.kind in "fiub":
        return constant_text(value)
    return constant_text(value) if np.ndim(value) else repr(value)[:40]


# ---- names -----------------------------------------------------------------------------------------------------------


class _Namer:
    """Names of the values: the caller's, made unique, and v1, v2 ... for the rest."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording

    def names(
        self, entries: Sequence[Any], index: Mapping[int, int], outputs: Sequence[int], paths: Sequence[str]
    ) -> list[tuple[str, bool]]:
        """(name, does it come from the source?) for each entry."""
        wanted: list[str | None] = []
        source = self.recording.names
        top = {source[x.key][1] for x, _, _, _ in entries if x.key in source and source[x.key][0] <= 0}
        for x, _, _, _ in entries:
            if x.key not in source:
                wanted.append(None)
                continue
            depth, name, function = source[x.key]
            if depth > 0 and name in top:
                name = f"{function}.{name}" if function.isidentifier() else name
            wanted.append(name)
        for i, (_, call, which, _) in enumerate(entries):
            if call is not None and wanted[i] is None and call.primitive.name == "elements":
                base = wanted[index[call.inputs[0].key]]
                if base:
                    wanted[i] = f"{base}[{', '.join(map(str, np.unravel_index(which, np.shape(call.values[0]))))}]"
        counts = Counter(name for name in wanted if name)
        given = len(self.recording.inputs)
        first_is_input = {wanted[i] for i in range(given)}
        taken = (
            {name for name, _ in self.recording.constants}
            | {name for name in counts if counts[name] == 1}
            | {name for name in first_is_input if name}
        )
        found: list[tuple[str, bool] | None] = [None] * len(entries)
        plain = {name.replace("_", "") for name in taken}  # b_1 beside b1 would be one name in LaTeX
        number: Counter[str] = Counter()
        for i, want in enumerate(wanted):
            if want is None:
                continue
            name = want
            if name != "ct" and (counts[name] == 1 or i < given):  # ct is the adjoint of a result, in what it sends back
                found[i] = (name, True)
                continue
            while True:
                number[name] += 1
                candidate = f"{name}_{number[name]}"
                if candidate.replace("_", "") not in plain:
                    break
            taken.add(candidate)
            plain.add(candidate.replace("_", ""))
            found[i] = (candidate, True)
        self._outputs(found, outputs, paths, taken)
        k = 0
        for i, entry in enumerate(found):
            if entry is None:
                k += 1
                while f"v{k}" in taken:
                    k += 1
                found[i] = (f"v{k}", False)
        return [entry for entry in found if entry is not None]

    @staticmethod
    def _outputs(found: list[tuple[str, bool] | None], outputs: Sequence[int], paths: Sequence[str], taken: set[str]) -> None:
        """Returned values without a name are y, or y1, y2 ... (y['loss'] for an entry of a container with keys)."""
        free = [(i, path) for i, path in zip(outputs, paths, strict=True) if found[i] is None]
        base = next(
            letter
            for letter in ("y", "f", "result", "output", "_y")
            if letter not in taken and not any(re.fullmatch(rf"{letter}\d+", name) for name in taken)
        )
        for number, (i, path) in enumerate(free, 1):
            if found[i] is not None:
                continue
            single = len(outputs) == 1
            name = base if single else f"{base}{path}" if path and not re.fullmatch(r"\[\d+\]", path) else f"{base}{number}"
            taken.add(name)
            found[i] = (name, not single and "'" in path)


# ---- the data ----------------------------------------------------------------------------------------------------------


def program_of(built: Built, sweeps: Sweeps, old: Program) -> Program:
    """The data of a program with its derivatives; what belongs to the function comes from `old`."""
    nodes = built.nodes
    numbers = sum(nodes[i].size for i in built.inputs)
    tangents: dict[str, tuple[Quantity, ...]] = {}
    if numbers <= SEEDS and len(nodes) <= SEARCHED:
        for i in built.inputs:
            for place in np.ndindex(*nodes[i].shape):
                one: Any = np.zeros(nodes[i].shape)
                one[place] = 1.0
                label = f"{nodes[i].name}[{','.join(map(str, place))}]" if place else nodes[i].name
                tangents[label] = tuple(quantity(t) for t in sweeps.tangents({i: one if place else 1.0}))
    adjoints = tuple(quantity(a) for a in sweeps.terms()[0])
    single = len(set(built.outputs)) == 1 and not nodes[built.outputs[0]].shape
    target = nodes[built.outputs[0]].name if len(set(built.outputs)) == 1 else "sum"
    notes = list(built.notes)
    if not single:
        notes.append("several numbers are returned: adjoints are those of their sum; choose one with target")
    index = {node.name: node.index for node in nodes}
    kinks = tuple(replace(kink, node=index.get(kink.name, -1)) for kink in old.kinks)
    counts = Counter(node.operation for node in nodes if node.operation)
    return replace(
        old,
        nodes=nodes,
        inputs=built.inputs,
        outputs=built.outputs,
        tangents=tangents,
        adjoints=adjoints,
        target=target,
        counts=dict(counts),
        kinks=kinks,
        notes=tuple(notes),
    )

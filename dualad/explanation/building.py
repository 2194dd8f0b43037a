"""From a recording to a program: which entries count, what they are called, their formulas and partials."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..generic import GenericVar
from ..rules.elementwise import ROWS
from .formulas import call_formula, constant_text, partial_formula, product, pullback, reduced, repeated
from .program import Node, Operand, Program, Quantity, quantity
from .sweeps import Operation, Sweeps
from .tracing import Place, Recording, statement

__all__ = ["SEARCHED", "Built", "build", "operation_name", "program_of"]

#: programs with more nodes than this get no formula for their partials
LARGEST = 400
#: inputs with more numbers than this (all together) get no tangents of their own
SEEDS = 16
#: above this many nodes no kinks are looked for, and no tangents are kept
SEARCHED = 5000


class Built:
    """Nodes, their operations and values, and which are inputs and outputs."""

    def __init__(
        self,
        nodes: Sequence[Node],
        operations: Sequence[Operation],
        values: Sequence[Any],
        inputs: Sequence[int],
        outputs: Sequence[int],
        places: Sequence[Place],
        notes: Sequence[str],
    ) -> None:
        self.nodes, self.operations, self.values = tuple(nodes), tuple(operations), tuple(values)
        self.inputs, self.outputs, self.places, self.notes = tuple(inputs), tuple(outputs), tuple(places), tuple(notes)


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
    index = {x.key: i for i, (x, _, _, _) in enumerate(entries)}
    outputs = [index[x.key] for x in traced]
    kept = [
        n
        for x, n in zip(recording.leaves, recording.output_names, strict=True)
        if isinstance(x, GenericVar) and x.level_id == level.level_id
    ]
    names = _Namer(recording).names(entries, outputs, kept)
    texts = [text for text, _ in names]
    taken = set(texts)
    operations, nodes = [], []
    inputs = tuple(range(len(recording.inputs)))
    for i, (x, call, which, place) in enumerate(entries):
        operands = tuple(None if o is None else index[o.key] for o in call.inputs) if call else ()
        operations.append(Operation(call, which, operands))
        text, named = names[i]
        if call is None:
            kind = "output" if i in outputs and i not in inputs else "input"
            nodes.append(Node(i, text, kind, value=quantity(x.primal), named=True))
            continue
        line, source = statement(place.file, place.line) if place.line else (0, "")
        operation = operation_name(call)
        described = _operands(
            operations[i], operation, x.primal, texts, taken, recording, len(entries) <= LARGEST
        )
        formula = _formula(operation, call, which, described)
        nodes.append(
            Node(
                i,
                text,
                "output" if i in outputs else "intermediate",
                operation,
                described,
                quantity(x.primal),
                formula,
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
    return Built(nodes, operations, [x.primal for x, _, _, _ in entries], inputs, outputs, [p for _, _, _, p in entries], notes)


def _brief(x: Any) -> str:
    return f"{x!r:.40}" if np.ndim(x) == 0 else f"an array of shape {np.shape(x)}"


# ---- operations ------------------------------------------------------------------------------------------------------


def operation_name(call: Any) -> str:
    """The name of an operation; what only moves elements is called by what it does to them."""
    name: str = call.primitive.name.removeprefix("math.")
    if name == "elements":
        return "element"
    if name == "product":
        return "outer" if getattr(call.params.get("f"), "__name__", "") == "outer" else "einsum"
    if name != "pick":
        return name if name.isidentifier() else "function"
    if len(call.values) > 1:
        return "stack"
    size = int(np.size(call.values[0]))
    shape, out = np.shape(call.values[0]), np.shape(call.out)
    if size != int(np.size(call.out)) or size > 10_000:
        return "pick"
    try:
        moved = call.primitive.impl(np.arange(float(size)).reshape(shape), **call.params)
    except (TypeError, ValueError):
        return "pick"
    if shape != out and np.array_equal(np.ravel(moved), np.arange(size)):
        return "reshape"
    return "transpose" if len(shape) == 2 and np.array_equal(moved, np.arange(float(size)).reshape(shape).T) else "pick"


def _operands(
    operation: Operation, name: str, out: Any, names: Sequence[str], taken: Collection[str], recording: Recording, formulas: bool
) -> tuple[Operand, ...]:
    call = operation.call
    texts = [
        names[node] if node is not None else _constant(value, recording, taken)
        for node, value in zip(operation.operands, call.values, strict=True)
    ]
    fixed = [node is None for node in operation.operands]
    shapes = [np.shape(value) for value in call.values]
    partials = _partials(operation, out, shapes)
    found = []
    for place, (node, text, value) in enumerate(zip(operation.operands, texts, call.values, strict=True)):
        if node is None:
            found.append(Operand(None, text, quantity(value) if np.asarray(value).dtype.kind in "fiub" else None))
            continue
        formula = ""
        if formulas and name in ROWS:
            formula = partial_formula(name, texts, call.values, out, place, fixed)
        elif name in ("matmul", "dot") and shapes[0] == shapes[1] and len(shapes[0]) == 1:
            formula = texts[1 - place]
        elif name == "sum" and not np.shape(out) and _plain(call):
            formula = "1"
        sent = pullback(name, texts, shapes, place) if np.all(out) or name != "det" else ""  # det's needs the inverse
        if formula and name in ROWS and np.shape(out) != shapes[place]:
            sent = reduced(product("ct", formula), np.shape(out), shapes[place])
        elif name == "norm" and _euclidean(call, out):
            sent = f"ct*{text}/norm({text})"
        elif name == "sum" and np.shape(out) and _plain(call):
            sent = repeated(shapes[place], call.params["axis"], call.params["keepdims"])
        elif name == "element":
            sent = f"place(ct, {operation.place})"
        found.append(Operand(node, text, None, partials[place], formula, sent))
    return tuple(found)


def _plain(call: Any) -> bool:
    """Does a reduction count every element (no where=)?"""
    return call.params.get("where", True) is True


def _euclidean(call: Any, out: Any) -> bool:
    """Is it the square root of the sum of all squares, and not zero?"""
    p, axes = call.params.get("p"), call.params.get("axes")
    whole = axes is None or len(axes) == np.ndim(call.values[0])
    return call.params.get("kind") == "vector" and p == 2 and whole and not np.shape(out) and out > 0


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


def _constant(value: Any, recording: Recording, taken: Collection[str]) -> str:
    """A constant as the caller called it, where no value of the program has that name; else as a number."""
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
            if known is value and name not in taken:
                return name
    if np.ndim(value) == 0 and np.asarray(value).dtype.kind in "fiub":
        return constant_text(value)
    return constant_text(value) if np.ndim(value) else repr(value)[:40]


def _keywords(operation: str, call: Any) -> str:
    """What a call says after its operands: the axes of a reduction, the shape of a reshape."""
    if operation == "reshape":
        return f", {np.shape(call.out)}"
    axis = call.params.get("axis")
    known = isinstance(axis, (int, tuple)) and np.ndim(call.values[0]) > 1
    first = call.params.get("initial")
    return (
        (f", axis={axis}" if known else "")
        + (", keepdims=True" if call.params.get("keepdims") is True else "")
        + (f", initial={constant_text(first)}" if isinstance(first, (int, float)) else "")
        + ("" if _plain(call) else ", where=...")
    )


def _formula(operation: str, call: Any, which: int, operands: Sequence[Operand]) -> str:
    texts = [o.text for o in operands]
    if operation == "element":
        place = ", ".join(map(str, np.unravel_index(which, np.shape(call.values[0]))))
        return f"{texts[0]}[{place}]"
    if operation == "where":
        return f"where(..., {', '.join(texts)})"
    formula = call_formula(operation, texts, _keywords(operation, call))
    return formula if call.single else f"{formula}[{which}]"


# ---- names -----------------------------------------------------------------------------------------------------------


class _Namer:
    """Names of the values: the caller's, made unique, and v1, v2 ... for the rest."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording

    def names(self, entries: Sequence[Any], outputs: Sequence[int], paths: Sequence[str]) -> list[tuple[str, bool]]:
        """(name, does it come from the source?) for each entry."""
        wanted: list[str | None] = []
        index = {x.key: i for i, (x, _, _, _) in enumerate(entries)}
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
    kinks = tuple(replace(kink, node=index[kink.name]) for kink in old.kinks if kink.name in index)
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

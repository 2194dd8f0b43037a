"""Fewer, larger nodes: values without a name of the caller's (or inside a function that was called) go into those that read them.

A folded node is a block of operations with rules of its own, which sweep through the block; so tables, events and checks work on a
folded program as on any other, and its tangents and adjoints are those of the nodes that are left.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .algebra import constant, parse, product, simplify, substitute, text_of, total
from .building import Built
from .lines import shaped
from .program import Node, Operand, quantity
from .sweeps import Operation, added, tangent_terms

__all__ = ["BY", "fold", "kept_by"]

BY = ("name", "function")
#: formulas of blocks are written out up to this many operations and characters
_OPERATIONS, _CHARACTERS = 16, 120
#: their tangents and what they send back, up to this many
_LONGEST = 200


class BlockOperation(Operation):
    """Several operations as one.

    Parameters
    ----------
    built : Built
        The program they are part of.
    members : tuple of int
        Nodes of that program, in its order; the last one is the result.
    reads : tuple of int
        The nodes outside that they read, in the order of `operands`.
    """

    def __init__(self, built: Built, members: tuple[int, ...], reads: tuple[int, ...], operands: tuple[int | None, ...]) -> None:
        super().__init__(object(), 0, operands)
        object.__setattr__(self, "built", built)
        object.__setattr__(self, "members", members)
        object.__setattr__(self, "reads", reads)

    built: Built
    members: tuple[int, ...]
    reads: tuple[int, ...]

    def contributions(self, ct: Any) -> tuple[Any, ...]:
        adjoints: dict[int, Any] = {self.members[-1]: ct}
        for i in reversed(self.members):
            operation = self.built.operations[i]
            if i not in adjoints:
                continue
            for node, g in zip(operation.operands, operation.contributions(adjoints[i]), strict=True):
                if node is not None and g is not None:
                    adjoints[node] = adjoints[node] + g if node in adjoints else g
        return tuple(adjoints.get(i, np.zeros(np.shape(self.built.values[i]))) for i in self.reads)

    def tangent(self, tangents: Sequence[Any]) -> Any:
        found: dict[int, Any] = dict(zip(self.reads, tangents, strict=True))
        for i in self.members:
            operation = self.built.operations[i]
            found[i] = operation.tangent([None if o is None else found.get(o) for o in operation.operands])
        return found[self.members[-1]]


def kept_by(built: Built, by: str) -> set[int]:
    """The nodes that stay.

    Parameters
    ----------
    built : Built
    by : {"name", "function"}
        name: what has a name in the source. function: of what happens inside functions that f calls, only what is read outside.
    """
    keep = {*built.inputs, *built.outputs}
    if by == "name":
        return keep | {node.index for node in built.nodes if node.named}
    if by != "function":
        raise ValueError(f"fold by {' or '.join(map(repr, BY))}, not {by!r}")
    outer = [place.outer for place in built.places]
    keep |= {node.index for node in built.nodes if node.named and not outer[node.index]}
    for i, operation in enumerate(built.operations):
        for node in operation.operands:
            if node is not None and outer[node] and outer[node] != outer[i] and (outer[i] or built.nodes[i].named):
                keep.add(node)
    return keep


def fold(built: Built, keep: Collection[int]) -> Built:
    """The program with only the nodes of `keep`, each made of the others that are kept."""
    keep = {*keep, *built.inputs, *built.outputs}
    order = sorted(keep)
    new = {old: i for i, old in enumerate(order)}
    nodes: list[Node] = []
    operations: list[Operation] = []
    for old in order:
        node, operation = built.nodes[old], built.operations[old]
        members = _members(built, old, keep)
        if len(members) == 1:
            operands = tuple(replace(o, node=None if o.node is None else new[o.node]) for o in node.operands)
            nodes.append(replace(node, index=new[old], operands=operands))
            operations.append(
                Operation(operation.call, operation.place, tuple(o.node for o in operands))
                if not isinstance(operation, BlockOperation)
                else BlockOperation(operation.built, operation.members, operation.reads, tuple(o.node for o in operands))
            )
            continue
        reads = _reads(built, members)
        block = BlockOperation(built, members, reads, tuple(new[i] for i in reads))
        operations.append(block)
        nodes.append(_node(built, node, new, members, reads, block))
    return Built(
        nodes,
        operations,
        [built.values[i] for i in order],
        [new[i] for i in built.inputs],
        [new[i] for i in built.outputs],
        [built.places[i] for i in order],
        built.notes,
        built.constants,
    )


def _members(built: Built, root: int, keep: Collection[int]) -> tuple[int, ...]:
    found, todo = {root}, [root]
    while todo:
        for node in built.operations[todo.pop()].operands:
            if node is not None and node not in keep and node not in found:
                found.add(node)
                todo.append(node)
    return tuple(sorted(found))


def _reads(built: Built, members: tuple[int, ...]) -> tuple[int, ...]:
    """Nodes outside that a block reads, in the order in which its formula names them."""
    inside, found = set(members), dict[int, None]()
    seen = set()
    todo = [members[-1]]
    while todo:
        i = todo.pop()
        if i not in inside:
            found[i] = None
        elif i not in seen:
            seen.add(i)
            todo += [node for node in reversed(built.operations[i].operands) if node is not None]
    return tuple(found)


def _node(
    built: Built, node: Node, new: dict[int, int], members: tuple[int, ...], reads: tuple[int, ...], block: BlockOperation
) -> Node:
    trees = _formulas(built, members) if len(members) <= _OPERATIONS else {}
    tree = trees.get(node.index)
    formula = text_of(tree) if tree is not None else ""
    if not formula or len(formula) > _CHARACTERS:
        formula = f"{node.function or 'f'}({', '.join(built.nodes[i].name for i in reads)})"
        tree = None
    shape = np.shape(built.values[node.index])
    scalar = not shape and all(not np.ndim(built.values[i]) for i in reads)
    partials = block.contributions(1.0) if scalar else (None,) * len(reads)
    operands = []
    for i, partial in zip(reads, partials, strict=True):
        local, sent = _derivative(built, members, i, trees) if tree is not None else ("", "")
        operands.append(
            Operand(new[i], built.nodes[i].name, None, None if partial is None else quantity(partial + 0.0), local, sent)
        )
    moved = _tangent(built, members, trees) if tree is not None and not all(o.formula for o in operands) else ""
    if moved:  # one line for all operands
        operands = [replace(o, tangent="0" if k else moved) for k, o in enumerate(operands)]
    count = sum(built.nodes[i].count for i in members)
    return replace(node, index=new[node.index], operation="block", operands=tuple(operands), formula=formula, count=count)


def _formulas(built: Built, members: tuple[int, ...]) -> dict[int, ast.expr]:
    """The formula of each member over the nodes outside the block."""
    inside = {built.nodes[i].name: i for i in members[:-1]}
    found: dict[int, ast.expr] = {}
    for i in members:
        try:
            found[i] = substitute(parse(built.nodes[i].formula), {name: found[j] for name, j in inside.items() if j in found})
        except SyntaxError:
            return {}
    return found


def _has_shape(built: Built, formula: str, shape: tuple[int, ...]) -> bool:
    """Does a partial name a value of this shape, so that it is an array by itself?"""
    named = {ast.unparse(part) for part in ast.walk(parse(formula)) if isinstance(part, (ast.Name, ast.Attribute, ast.Subscript))}
    return bool(shape) and any(node.name in named and node.shape == shape for node in built.nodes)


def _without_ones(text: str) -> str:
    """ "ct*ones(3)" -> "ct": it will be multiplied by an array of that shape."""
    tree = parse(text)
    if isinstance(tree, ast.Call) and ast.unparse(tree.func) == "ones":
        return "1"
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Mult) and ast.unparse(tree.right).startswith("ones("):
        return text_of(tree.left)
    return text


def _tangent(built: Built, members: tuple[int, ...], trees: dict[int, ast.expr]) -> str:
    """The tangent of a block over those of the nodes outside; "" where one of its operations has no formula, or it is too long."""
    names: dict[str, ast.expr] = {}
    for i in members:
        node = built.nodes[i]
        terms = tangent_terms(built.nodes, node)
        if any(term.startswith(f"d{node.name}/d") for term in terms):
            return ""
        try:
            tree = simplify(substitute(parse(added(terms)), names))
        except SyntaxError:
            return ""
        names.update({node.name: trees[i], f"d{node.name}": tree})
    text = text_of(tree)
    return text if len(text) <= _LONGEST else ""


def _derivative(built: Built, members: tuple[int, ...], source: int, trees: dict[int, ast.expr]) -> tuple[str, str]:
    """Formula of the partial of a block by a node outside, and of what it sends there, summed over the ways through the block."""
    names = {built.nodes[i].name: trees[i] for i in members[:-1]}
    local: dict[int, str] = {members[-1]: "1"}
    sent: dict[int, str] = {members[-1]: "ct"}
    linear = True
    for i in reversed(members):
        if i not in sent:
            continue
        for operand in built.nodes[i].operands:
            if operand.node is None or (operand.node not in members and operand.node != source):
                continue
            if not operand.formula and not operand.pullback:
                return "", ""
            try:
                linear = linear and not operand.pullback
                step = operand.pullback or product("ct", operand.formula)
                shape = np.shape(built.values[operand.node])
                if not operand.pullback and _has_shape(built, operand.formula, shape):
                    sent[i] = _without_ones(sent[i])
                if not operand.pullback and shape and not built.nodes[i].shape and constant(operand.formula):
                    step = shaped(step, shape)  # a sum's
                piece = text_of(simplify(substitute(substitute(parse(step), names), {"ct": parse(sent[i])})))
                sent[operand.node] = total([piece, sent[operand.node]]) if operand.node in sent else piece
                if linear:
                    factor = text_of(simplify(substitute(parse(operand.formula), names)))
                    piece = product(local[i], factor)
                    local[operand.node] = total([piece, local[operand.node]]) if operand.node in local else piece
            except (SyntaxError, KeyError):
                return "", ""
    text, pulled = local.get(source, "") if linear else "", sent.get(source, "")
    if len(text) > _CHARACTERS or len(pulled) > _LONGEST:
        return "", ""
    return (text, "") if linear else ("", pulled)

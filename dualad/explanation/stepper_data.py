"""What the script of a stepper's page knows: nodes, edges and events of both sweeps as JSON, packed where they are many.

    nodes    name, formula, count, shape, value, adjoint, text of the tangent, line of the listing
    edges    tail, head, place, partial, the partial in words
    seeds    label and tangents of each seed that can be chosen
    values, tangents, A, B    the events of the sweeps, those of `Explanation.steps` as they are
    groups   of a long program: the box of its summary that each node is in
"""

from __future__ import annotations

import base64
import gzip
import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..report.html import compact_json
from .graph_diagram import edge_tip, short
from .program import Event, Node, Program, Quantity, quantity
from .sweeps import tangent_text

if TYPE_CHECKING:
    from .explanation import Explanation

__all__ = ["element", "seeds_of", "stepper_data"]

#: inputs (or elements of inputs) whose tangents can be chosen
_SEEDS = 8
#: the first letter of Unicode's private use area
_MARK = 0xE000
#: a name, with the index of an element, or a number
_WORD = re.compile(r"[A-Za-z_][\w.]*(?:\[[^\]]*\])?|-?\d[\d.]*(?:e[-+]?\d+)?")

Seeds = list[tuple[str, Sequence[Quantity]]]


def stepper_data(
    shown: Explanation,
    label: str,
    seeds: Seeds,
    adjoints: Sequence[Quantity],
    lines: Mapping[tuple[str, int], int],
    seed: str | Mapping[str, Any] | None,
    target: str | None,
) -> dict[str, Any]:
    """The data of a page.

    Parameters
    ----------
    shown : Explanation
        Folded as the page shows it.
    label : str
        What the adjoints are of.
    seeds : list of (str, sequence)
        Of :func:`seeds_of`.
    adjoints : sequence
        One a node.
    lines : mapping
        (file, line) to the number of a line in the page's listing.
    seed, target
        As for :meth:`~dualad.explanation.Explanation.steps`.
    """
    program = shown.program
    return {
        "target": label,
        "nodes": [_node(program, node, adjoint, lines) for node, adjoint in zip(program.nodes, adjoints, strict=True)],
        "edges": [_edge(program, a, b, place) for a, b, place in program.edges()],
        "seeds": [{"name": text, "t": [_pair(t) for t in tangents]} for text, tangents in seeds],
        "values": [_forward(event) for event in shown.steps("forward")],
        "tangents": [_forward(event) for event in shown.steps("tangent", seed=seed)],
        **{version: [_reverse(event) for event in shown.steps("reverse", version, target=target)] for version in "AB"},
    }


def element(data: Mapping[str, Any], packed: bool) -> str:
    """The element of the page that holds the data; packed it has a twentieth of the size, and the script unpacks it."""
    text = compact_json(_repeating(data) if packed else data)
    if packed:
        text = base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()
    return f'<script type="application/{"gzip" if packed else "json"}" id="program">{text}</script>'


def _repeating(data: Mapping[str, Any]) -> dict[str, Any]:
    """The same so written that the turns of a loop are equal, which is what gzip is good at (`unpacked` in stepper_views.js).

    Numbers as their texts alone; indices and counters as differences; in texts a letter of the private use area for the names and
    numbers of the row itself.
    """
    names = [node["n"] for node in data["nodes"]]
    out = dict(data)
    out["nodes"] = [{**node, "v": node["v"][:1], "a": node["a"][:1]} for node in data["nodes"]]
    out["edges"] = [
        {**edge, "p": edge["p"][:1], "tip": _marked(edge["tip"], (names[edge["tail"]], names[edge["head"]], edge["p"][0]))}
        for edge in data["edges"]
    ]
    out["seeds"] = [{**seed, "t": [t[:1] for t in seed["t"]]} for seed in data["seeds"]]
    for key in ("values", "tangents", "A", "B"):
        rows, last = [], [0, 0, 0]
        for action, node, other, operand, operations, memory, *rest in data[key]:
            now = [last[0] if node is None else node, operations, memory]
            row = [action, None if node is None else node - last[0], None if other is None else other - node, operand]
            row += [now[1] - last[1], now[2] - last[2]]
            if rest:
                text, amount, value = rest
                words = ("" if node is None else names[node], "" if other is None else names[other], amount[0], value[0])
                row += [_marked(text, words), amount[:1], value[:1]]
            rows.append(row)
            last = now
        out[key] = rows
    return out


def _marked(text: str, words: Sequence[str]) -> str:
    """The text with a letter of its own for each name and number of the row; "ds_1" is d and a name."""
    mark = {word: chr(_MARK + k) for k, word in enumerate(words) if word}

    def letter(found: re.Match[str]) -> str:
        word = found[0]
        return mark.get(word) or ("d" + mark[word[1:]] if word[0] == "d" and word[1:] in mark else word)

    return _WORD.sub(letter, text)


def seeds_of(shown: Explanation, seed: str | Mapping[str, Any] | None) -> Seeds:
    """Label and tangents of every seed that can be chosen, the first one first."""
    label, chosen = shown._seeds(seed)
    found: Seeds = [(label, [quantity(t) for t in shown._sweeps.tangents(chosen)])]
    found += [(text, tangents) for text, tangents in shown.program.tangents.items() if text != label]
    return found[:_SEEDS]


def _pair(x: Quantity | None) -> list[Any]:
    """A number as text and, if it is one that can be asked for, as a number; of an array its text."""
    return [short(x), x + 0.0] if isinstance(x, float) and math.isfinite(x) else [short(x)]


def _node(program: Program, node: Node, adjoint: Quantity, lines: Mapping[tuple[str, int], int]) -> dict[str, Any]:
    return {
        "n": node.name,
        "f": node.formula,
        "c": node.count,
        "s": str(node.shape) if node.shape else "",
        "v": _pair(node.value),
        "a": _pair(adjoint),
        "t": tangent_text(program, node) if node.operation else "",
        "l": lines.get((node.file, node.line), -1),
    }


def _edge(program: Program, a: int, b: int, place: int) -> dict[str, Any]:
    operand = program.nodes[b].operands[place]
    return {"tail": a, "head": b, "place": place, "p": _pair(operand.partial), "tip": edge_tip(program.nodes[b], operand)}


def _forward(event: Event) -> list[Any]:
    return [event.action, event.node, event.other, event.operand, event.operations, event.memory]


def _reverse(event: Event) -> list[Any]:
    return [*_forward(event), event.text, _pair(event.amount), _pair(event.value)]

"""An explanation as one HTML page to step through: graph, source and table beside each other, a slider, questions on the way.

    header     the function, where, its value and derivative
    player     slider, buttons, what this step does, what it has cost so far; the question of "predict first"
    main       graph | source, table (all numbers: without the script, and on paper, they stay) | the sweeps in full
    data       nodes, edges and events as JSON, from which the script (stepper.js) shows any step

The page loads nothing. Texts and numbers of reverse sweeps are those of `Explanation.steps`; the script only chooses what is seen.
"""

from __future__ import annotations

import io
import keyword
import math
import os
import tokenize
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..compare.storage import write_atomically
from ..report.html import compact_json, document, stylesheet
from ..report.marks import escape
from ..report.palette import SCHEMES, STYLES, readable
from .graph import Graph, readable_part
from .graph_diagram import Diagram, diagram, edge_tip, short
from .program import Event, Node, Program, Quantity, quantity
from .sweeps import tangent_text

if TYPE_CHECKING:
    from .explanation import Explanation

__all__ = ["STEPPED", "page", "write"]

HERE = Path(__file__).parent
#: a program with more values, even folded, is summarised: nobody presses a key that often
STEPPED = 80
#: inputs (or elements of inputs) whose tangents can be chosen
_SEEDS = 8


def write(
    explanation: Explanation,
    path: str | os.PathLike[str] | None,
    seed: str | Mapping[str, Any] | None = None,
    target: str | None = None,
    by: str | None = None,
) -> str:
    """The page as text, or written to a file if there is a path: the whole file, or nothing.

    Parameters
    ----------
    explanation : Explanation
    path : str, os.PathLike or None
    seed : str or mapping, optional
        What the tangents are by at first, as for :meth:`~dualad.explanation.Explanation.forward`.
    target : str, optional
        What the adjoints are of; by default the output.
    by : {"name", "function", "none"}, optional
        How operations are folded, as for :func:`~dualad.explanation.graph.graph`.

    Returns
    -------
    str
        HTML, complete in itself, under 500 kB; with a path, the path.

    Raises
    ------
    ValueError
        The path does not end in .html or .htm.
    FileNotFoundError
        There is no such folder.

    Examples
    --------
    >>> import dualad
    >>> from dualad.explanation.stepper import write
    >>> html = write(dualad.explain(lambda x: x * x, 3.0), None)
    >>> html.startswith("<!doctype html>"), len(html.encode()) < 500_000
    (True, True)
    """
    if path is not None and Path(path).suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"a page is written to a file that ends in .html, not {os.fspath(path)!r}")
    text = page(explanation, seed, target, by)
    if path is not None:
        write_atomically(path, text)
    return text if path is None else os.fspath(path)


def page(
    explanation: Explanation, seed: str | Mapping[str, Any] | None = None, target: str | None = None, by: str | None = None
) -> str:
    """The page of an explanation; see :func:`write`."""
    shown = readable_part(explanation, by)
    number = shown._target(target)
    label = target or shown.program.target
    name = escape(shown.program.name)
    stepped = len(shown.program.nodes) <= STEPPED
    how = "step by step" if stepped else "summarised"
    head = f'<header><div class="top"><h1><code>{name}</code>, {how}</h1></div>{_result(shown, number, label)}</header>'
    style = stylesheet() + _words() + (HERE / "stepper.css").read_text(encoding="utf-8")
    foot = "<footer>Made by <code>dualad.explain</code>. This file is complete: it loads nothing from anywhere.</footer>"
    if not stepped:
        return document(f"{shown.program.name}, summarised", [head, *_summary(explanation), foot], style, "")
    seeds = _seeds(shown, seed)
    adjoints = [quantity(a) for a in shown._sweeps.terms(number)[0]]
    first = seeds[0][1]
    drawn = Graph(_roomy(diagram(shown.program, first, seeds[0][0], adjoints, label), shown, seeds, target))
    listing, lines = _source(shown.program)
    data: dict[str, Any] = {
        "target": label,
        "nodes": [_node(shown.program, node, adjoint, lines) for node, adjoint in zip(shown.program.nodes, adjoints, strict=True)],
        "edges": [_edge(shown.program, a, b, place) for a, b, place in shown.program.edges()],
        "seeds": [{"name": text, "t": [_pair(t) for t in tangents]} for text, tangents in seeds],
        "values": [_forward(event) for event in shown.steps("forward")],
        "tangents": [_forward(event) for event in shown.steps("tangent", seed=seed)],
        **{version: [_reverse(event) for event in shown.steps("reverse", version, target=target)] for version in "AB"},
    }
    body = [
        '<a class="skip" href="#player">To the player</a>',
        head,
        '<main id="main">',
        _player(data["seeds"]),
        '<div class="desk">',
        f'<section class="picture" aria-labelledby="graph-title"><h2 id="graph-title">Graph</h2>'
        f'<div class="scroll" role="region" tabindex="0" aria-label="Computational graph">{drawn.svg()}</div></section>',
        '<div class="side">',
        listing,
        _table(shown.program, first, adjoints, label),
        "</div></div>",
        _in_full(shown, target, label),
        _notes(shown.program),
        "</main>",
        foot,
        f'<script type="application/json" id="program">{compact_json(data)}</script>',
    ]
    return document(f"{shown.program.name}, step by step", body, style, (HERE / "stepper.js").read_text(encoding="utf-8"))


def _words() -> str:
    """Colours of the sweeps for words, readable on paper and on panels in both schemes."""
    rules = []
    for scheme, colours in SCHEMES.items():
        named = "".join(f"--t-{role}:{readable(STYLES[role].colour, colours.panel)};" for role in ("forward", "reverse"))
        where = f":root[data-scheme={scheme}]" if scheme == "dark" else ":root"
        rules.append(f"@media screen{{{where}{{{named}}}}}" if scheme == "dark" else f"{where}{{{named}}}")
        if scheme == "dark":
            rules.append(f"@media screen and (prefers-color-scheme:dark){{:root:not([data-scheme=light]){{{named}}}}}")
    return "\n" + "\n".join(rules) + "\n"


def _roomy(made: Diagram, shown: Explanation, seeds: Sequence[tuple[str, Sequence[Quantity]]], target: str | None) -> Diagram:
    """The diagram with boxes that hold every number of every step, not only the last ones."""
    texts = [{short(x) for x in (node.value, *(tangents[node.index] for _, tangents in seeds))} for node in shown.program.nodes]
    for version in "AB":
        for event in shown.steps("reverse", version, target=target):
            if event.node is not None and event.action in ("seed", "increment", "set"):
                texts[event.node].add(short(event.value))
    return replace(made, vertices=tuple(replace(v, room=tuple(sorted(t))) for v, t in zip(made.vertices, texts, strict=True)))


# ---- data for the script -----------------------------------------------------------------------------------------------


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


def _seeds(shown: Explanation, seed: str | Mapping[str, Any] | None) -> list[tuple[str, Sequence[Quantity]]]:
    """Label and tangents of every seed that can be chosen, the first one first."""
    label, chosen = shown._seeds(seed)
    found: list[tuple[str, Sequence[Quantity]]] = [(label, [quantity(t) for t in shown._sweeps.tangents(chosen)])]
    found += [(text, tangents) for text, tangents in shown.program.tangents.items() if text != label]
    return found[:_SEEDS]


# ---- parts of the page -------------------------------------------------------------------------------------------------


def _result(shown: Explanation, number: int | None, label: str) -> str:
    program = shown.program
    adjoints = shown._sweeps.terms(number)[0]
    given = ", ".join(
        f"{n.name} of shape {n.shape}" if n.shape else f"{n.name} = {short(n.value)}"
        for n in (program.nodes[i] for i in program.inputs[:6])
    )
    found = [f"{program.nodes[i].name} = {short(program.nodes[i].value)}" for i in program.outputs[:3]]
    found += [
        f"d{label}/d{program.nodes[i].name} = {short(quantity(adjoints[i]))}"
        for i in program.inputs[:6]
        if not program.nodes[i].shape
    ]
    more = " …" if len(program.inputs) > 6 else ""
    return f'<p class="result">At {escape(given)}{more}: <strong>{escape(", ".join(found))}</strong>.</p>'


def _player(seeds: Sequence[Mapping[str, Any]]) -> str:
    chosen = "".join(f'<option value="{k}">values, tangents by {escape(seed["name"])}</option>' for k, seed in enumerate(seeds))
    return (
        '<section id="player" class="player" aria-label="Player" hidden>'
        '<div class="choices"><fieldset><legend>Reverse sweep</legend>'
        '<label><input type="radio" name="version" value="A"> A: each value pulls</label>'
        '<label><input type="radio" name="version" value="B" checked> B: zero, then +=</label></fieldset>'
        f'<label>Forward sweep <select id="seed">{chosen}<option value="-1">values only</option></select></label>'
        '<label class="check"><input type="checkbox" id="predict"> Predict first</label>'
        '<label id="what" hidden>Ask for <select id="ask"><option value="adjoint">adjoints and tangents</option>'
        '<option value="partial">local partials</option></select></label></div>'
        '<div class="transport">'
        '<p class="happening"><span id="sweep"></span> <output id="event" aria-live="polite"></output></p>'
        '<form id="question" hidden><label for="answer" id="asked"></label><div class="typed"><input id="answer" type="text" '
        'inputmode="text" autocomplete="off" autocapitalize="off" spellcheck="false" aria-describedby="told" maxlength="120">'
        '<button type="submit">Check</button><button type="button" id="show">Show me</button></div></form>'
        '<p id="told" role="status"></p>'
        '<input id="slider" type="range" min="0" value="0" step="1" aria-label="Step">'
        '<div class="buttons"><button type="button" id="first" aria-label="First step">|◀</button>'
        '<button type="button" id="back" aria-label="Back">◀ Back</button>'
        '<button type="button" id="next" aria-label="Next">Next ▶</button>'
        '<button type="button" id="last" aria-label="Last step">▶|</button>'
        '<span id="count"></span><span id="score"></span></div>'
        '<dl class="cost" aria-label="Cost so far"><div><dt>operations</dt><dd id="operations"></dd></div>'
        '<div><dt>numbers held</dt><dd id="memory"></dd></div><div><dt>tape</dt><dd id="tape"></dd></div></dl>'
        "</div></section>"
    )


def _table(program: Program, tangents: Sequence[Quantity], adjoints: Sequence[Quantity], label: str) -> str:
    rows = ""
    for node in program.nodes:
        i = node.index
        made = f" = {node.formula}" if node.formula else ""
        shape = f' <span class="shape">{node.shape}</span>' if node.shape else ""
        cells = "".join(
            f'<td class="{kind}" data-cell="{i}-{kind}">{escape(short(x))}</td>'
            for kind, x in (("value", node.value), ("tangent", tangents[i]), ("adjoint", adjoints[i]))
        )
        rows += f'<tr data-row="{i}"><th scope="row"><b>{escape(node.name)}</b>{escape(made)}{shape}</th>{cells}</tr>'
    return (
        '<section class="numbers" aria-labelledby="table-title"><h2 id="table-title">Values</h2>'
        '<div class="scroll" role="region" tabindex="0" aria-labelledby="table-title"><table class="trace"><thead><tr>'
        '<th scope="col">primal</th><th scope="col">value</th>'
        '<th scope="col" class="tangent">tangent</th>'
        f'<th scope="col" class="adjoint">adjoint <span class="of">of {escape(label)}</span></th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div></section>"
    )


def _source(program: Program) -> tuple[str, dict[tuple[str, int], int]]:
    """The listing, and which of its lines a line of a file is: f itself, then lines of other functions that ran."""
    groups: dict[str, list[tuple[str, int, str]]] = {}
    if program.source:
        texts = enumerate(_coloured(program.source), program.first_line)
        groups[""] = [(program.file, number, text) for number, text in texts]
    known = {(file, number) for file, number, _ in groups.get("", ())}
    for node in program.nodes:
        if node.line and node.source and (node.file, node.line) not in known:
            known.add((node.file, node.line))
            groups.setdefault(node.function, []).append((node.file, node.line, "\n".join(_coloured(node.source))))
    place: dict[tuple[str, int], int] = {}
    parts = []
    for function, lines in groups.items():
        if function:
            parts.append(f'<p class="called">in <code>{escape(function)}</code></p>')
        start = len(place)
        lines.sort(key=lambda line: line[:2])
        place.update({(file, number): start + k for k, (file, number, _) in enumerate(lines)})
        parts.append(_lines([(number, text) for _, number, text in lines], start))
    if not place:
        return "", {}
    listing = (
        '<section class="source" aria-labelledby="source-title"><h2 id="source-title">Source</h2>'
        f'<div class="scroll" role="region" tabindex="0" aria-labelledby="source-title">{"".join(parts)}</div></section>'
    )
    return listing, place


def _lines(lines: Iterable[tuple[int, str]], start: int) -> str:
    rows = "".join(
        f'<li data-line="{k}" value="{number}"><code>{text or " "}</code></li>' for k, (number, text) in enumerate(lines, start)
    )
    return f'<ol class="code">{rows}</ol>' if rows else ""


def _coloured(source: str) -> list[str]:
    """Lines of Python with keywords and comments marked; as they are where they are no whole program."""
    lines = source.splitlines()
    marks: list[list[tuple[int, int, str]]] = [[] for _ in lines]
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            kind = (
                "w"
                if token.type == tokenize.NAME and keyword.iskeyword(token.string)
                else ("c" if token.type == tokenize.COMMENT else "")
            )
            if kind:
                marks[token.start[0] - 1].append((token.start[1], token.end[1], kind))
    except (tokenize.TokenError, SyntaxError, IndexError):
        return [escape(line) for line in lines]
    out = []
    for line, found in zip(lines, marks, strict=True):
        text, at = "", 0
        for begin, end, kind in found:
            text += f'{escape(line[at:begin])}<span class="{kind}">{escape(line[begin:end])}</span>'
            at = end
        out.append(text + escape(line[at:]))
    return out


def _in_full(shown: Explanation, target: str | None, label: str) -> str:
    """Both versions of the reverse sweep as lists: for paper, and for who would rather read."""
    parts = []
    for version, how in (
        ("A", "each value pulls from the operations that read it"),
        ("B", "all adjoints are zero, each operation increments"),
    ):
        steps = "".join(
            f"<li>{escape(event.text)}</li>"
            for event in shown.steps("reverse", version, target=target)
            if event.action not in ("visit", "read")
        )
        parts.append(f"<details><summary>Adjoints of {escape(label)}, version {version}: {how}</summary><ol>{steps}</ol></details>")
    head = '<section class="full" aria-labelledby="full-title"><h2 id="full-title">The reverse sweep in full</h2>'
    return f"{head}{''.join(parts)}</section>"


def _notes(program: Program) -> str:
    notes = [*program.notes, *(f"{kink.name} is at a kink: {kink.convention}" for kink in program.kinks[:5])]
    return f'<ul class="notes">{"".join(f"<li>{escape(note)}</li>" for note in notes)}</ul>' if notes else ""


def _summary(explanation: Explanation) -> list[str]:
    """The page of a program that is too long to be stepped through."""
    count = len(explanation.program.nodes)
    return [
        '<main id="main">',
        f"<p>{count} values: too many to step through one by one, so the lines of the source are summarised. "
        "Fold them (<code>e.fold(…)</code>) or explain a smaller case to step through it.</p>",
        '<section class="picture"><h2>Graph</h2><div class="scroll" role="region" tabindex="0" aria-label="Computational graph">'
        f"{explanation.graph().svg()}</div></section>",
        f"<section><h2>Lines</h2>{explanation.summary().html()}</section>",
        "</main>",
    ]

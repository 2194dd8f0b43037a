"""The parts of a stepper's page: result, player, table, listing, the sweeps in full, notes.

All numbers are in them without the script.
"""

from __future__ import annotations

import io
import keyword
import re
import tokenize
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..report.marks import escape
from .graph_diagram import short
from .program import Node, Program, Quantity, quantity

if TYPE_CHECKING:
    from .explanation import Explanation

__all__ = ["drawn_size", "in_full", "notes", "picture", "player", "result", "source", "table"]

#: rows at the beginning and at the end of a table that is too long, while no script shows those near a step
_ENDS = 8
#: pixels of a drawing that is shrunk to one page of paper and can still be read
_PAGE = 1500.0


def result(shown: Explanation, number: int | None, label: str) -> str:
    """Where, the value, the derivatives."""
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


def drawn_size(drawing: str) -> tuple[float, float]:
    """Width and height of an SVG in pixels."""
    found = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', drawing)
    return (float(found[1]), float(found[2])) if found else (0.0, 0.0)


def picture(drawing: str, words: Sequence[str], long: bool) -> str:
    """The graph with its size; the cards around the value of a step, which a long program has first and a short one on demand."""
    around = "" if long else '<label class="check"><input type="checkbox" id="around"> Around this step</label>'
    bar = (
        f'<div class="bar"><h2 id="graph-title">{"Lines" if long else "Graph"}</h2>'
        f'<div id="tools" hidden>{around}<span id="sizes" role="group" aria-label="Size of the drawing">'
        '<button type="button" id="smaller" aria-label="Smaller">−</button>'
        '<button type="button" id="fit" title="Fit the width; keys: + - 0">100 %</button>'
        '<button type="button" id="larger" aria-label="Larger">+</button></span></div></div>'
    )
    width, height = drawn_size(drawing)
    tall = " tall" if height > max(_PAGE, 1.4 * width) else ""
    frame = f'<div class="scroll{tall}" role="region" tabindex="0" aria-label="Computational graph">{drawing}</div>'
    cards = (
        '<div id="cards" role="region" aria-label="The value of this step, what it reads and who reads it" hidden>'
        f"{'<h2>Around this step</h2>' if long else ''}<div class='around'></div></div>"
    )
    inside = cards + bar + frame if long else bar + frame + cards
    said = "".join(f'<p class="said">{escape(note)}.</p>' for note in words)
    return f'<section class="picture" aria-labelledby="graph-title">{inside}{said}</section>'


def player(seeds: Sequence[Mapping[str, Any]], long: bool) -> str:
    """Choices, questions, slider and buttons; hidden while there is no script."""
    chosen = "".join(f'<option value="{k}">values, tangents by {escape(seed["name"])}</option>' for k, seed in enumerate(seeds))
    search = (
        '<form id="search" role="search"><label>Go to <input id="name" type="text" size="8" autocomplete="off" spellcheck="false" '
        'placeholder="name" aria-describedby="found"></label> <button type="submit">Go</button> '
        '<span id="found" role="status"></span></form>'
    )
    strides = [("event", "each event"), ("value", "each value")]
    stride = "".join(f'<option value="{name}">{words}</option>' for name, words in (reversed(strides) if long else strides))
    return (
        '<section id="player" class="player" aria-label="Player" hidden>'
        '<div class="choices"><fieldset><legend>Reverse sweep</legend>'
        '<label><input type="radio" name="version" value="A"> A: each value pulls</label>'
        '<label><input type="radio" name="version" value="B" checked> B: zero, then +=</label></fieldset>'
        f'<label>Forward sweep <select id="seed">{chosen}<option value="-1">values only</option></select></label>'
        '<label class="check"><input type="checkbox" id="predict"> Predict first</label>'
        '<label id="what" hidden>Ask for <select id="ask"><option value="adjoint">adjoints and tangents</option>'
        '<option value="partial">local partials</option></select></label>'
        f'<label>Next shows <select id="stride">{stride}</select></label>{search if long else ""}</div>'
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


def table(program: Program, tangents: Sequence[Quantity], adjoints: Sequence[Quantity], label: str, long: bool) -> str:
    """All values with their derivatives; of a long program the first and the last ones."""
    rows = [_row(node, tangents, adjoints) for node in program.nodes]
    count = len(rows)
    if long:
        rows[_ENDS:-_ENDS] = [f'<tr class="gap"><td colspan="4">… {count - 2 * _ENDS} more …</td></tr>']
    shown = f' <span class="of" id="rows">rows 1 to {_ENDS} and {count - _ENDS + 1} to {count} of {count}</span>' if long else ""
    return (
        f'<section class="numbers" aria-labelledby="table-title"><h2><span id="table-title">Values</span>{shown}</h2>'
        '<div class="scroll" role="region" tabindex="0" aria-labelledby="table-title"><table class="trace"><thead><tr>'
        '<th scope="col">primal</th><th scope="col">value</th>'
        '<th scope="col" class="tangent">tangent</th>'
        f'<th scope="col" class="adjoint">adjoint <span class="of">of {escape(label)}</span></th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div></section>"
    )


def _row(node: Node, tangents: Sequence[Quantity], adjoints: Sequence[Quantity]) -> str:
    i = node.index
    made = f" = {node.formula}" if node.formula and node.formula != node.name else ""  # an element of an array is its own formula
    shape = f' <span class="shape">{node.shape}</span>' if node.shape else ""
    cells = "".join(
        f'<td class="{kind}">{escape(short(x))}</td>'
        for kind, x in (("value", node.value), ("tangent", tangents[i]), ("adjoint", adjoints[i]))
    )
    return f'<tr data-row="{i}"><th scope="row"><b>{escape(node.name)}</b>{escape(made)}{shape}</th>{cells}</tr>'


def source(program: Program) -> tuple[str, dict[tuple[str, int], int]]:
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


def in_full(shown: Explanation, target: str | None, label: str) -> str:
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


def notes(program: Program) -> str:
    """What the reader should know, kinks among it."""
    found = [*program.notes, *(kink.note for kink in program.kinks[:5])]
    return f'<ul class="notes">{"".join(f"<li>{escape(note)}</li>" for note in found)}</ul>' if found else ""

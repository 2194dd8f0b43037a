"""An explanation as one HTML page to step through: graph, source and table beside each other, a slider, questions on the way.

    header     the function, where, its value and derivative
    player     slider, buttons, what this step does, what it has cost so far; the question of "predict first"
    main       graph | source, table (all numbers: without the script, and on paper, they stay) | the sweeps in full
    data       nodes, edges and events as JSON (stepper_data.py), from which the script (stepper.js) shows any step

A program of more than 80 values, folded where that helps, has a box for each line of its source instead of one for each value; the
value of a step is shown with what it reads and who reads it, the table by the rows around it, and the data are packed. So thousands
of values can be stepped through on a page of the same size. One of still more is summarised, and the page says so.

The page loads nothing. Texts and numbers of reverse sweeps are those of `Explanation.steps`; the script only chooses what is seen.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..compare.storage import write_atomically
from ..report.html import document, stylesheet
from ..report.marks import escape
from ..report.palette import SCHEMES, STYLES, readable
from .graph import readable_parts
from .graph_diagram import Diagram, diagram, groups, short, summary
from .graph_svg import draw
from .program import Quantity, quantity
from .stepper_data import element, seeds_of, stepper_data
from .stepper_parts import drawn_size, in_full, notes, picture, player, result, source, table

if TYPE_CHECKING:
    from .explanation import Explanation

__all__ = ["LARGEST_PAGE", "STEPPED", "STEPPED_LONG", "page", "write"]

HERE = Path(__file__).parent
#: a program with more values, even folded, is shown by its lines and the surroundings of the step
STEPPED = 80
#: one with more values than this is summarised, whatever it is folded by: nobody finds a step among so many
STEPPED_LONG = 4000
#: the data of a program with more values are packed
_PLAIN = 40
#: bytes
LARGEST_PAGE = 500_000
#: pixels of the graph's column on a screen of 1400
_COLUMN = 690.0


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
        HTML, complete in itself, under 500 kB; with a path, the path. A program of more than 80 values is shown by its lines and
        what is around each step, one of more than 4000, folded, without steps.

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
    drawn, *folded = readable_parts(explanation, by)
    for shown, long in ((drawn, False), *((folded_one, True) for folded_one in folded or [drawn])):
        if len(shown.program.nodes) <= (STEPPED_LONG if long else STEPPED):
            text = _stepped(explanation, shown, seed, target, long)
            if len(text.encode()) < LARGEST_PAGE:
                return text
    return _summarised(explanation, target)


def _head(shown: Explanation, target: str | None, how: str) -> str:
    found = result(shown, shown._target(target), target or shown.program.target)
    return f'<header><div class="top"><h1><code>{escape(shown.program.name)}</code>, {how}</h1></div>{found}</header>'


_FOOT = "<footer>Made by <code>dualad.explain</code>. This file is complete: it loads nothing from anywhere.</footer>"


def _style() -> str:
    return stylesheet() + _words() + (HERE / "stepper.css").read_text(encoding="utf-8")


def _stepped(
    explanation: Explanation, shown: Explanation, seed: str | Mapping[str, Any] | None, target: str | None, long: bool
) -> str:
    """The page of a program that is stepped through; `long`: the graph is that of its lines."""
    program, label = shown.program, target or shown.program.target
    adjoints = [quantity(a) for a in shown._sweeps.terms(shown._target(target))[0]]
    seeds = seeds_of(shown, seed)
    first = seeds[0][1]
    if long:
        drawn = summary(program, adjoints)
    else:
        drawn = _roomy(diagram(program, first, seeds[0][0], adjoints, label), shown, seeds, target)
    drawing = draw(replace(drawn, notes=()), wide=_COLUMN)
    listing, lines = source(program)
    data = stepper_data(shown, label, seeds, adjoints, lines, seed, target)
    if long:
        data["groups"] = groups(program)
    body = [
        '<a class="skip" href="#player">To the player</a>',
        _head(shown, target, "step by step"),
        f'<main id="main"{" class=long" if long else ""}>',
        _said(explanation, shown) if long else "",
        player(data["seeds"], long),
        f'<div class="desk{" broad" if drawn_size(drawing)[0] > _COLUMN else ""}">',
        picture(drawing, drawn.notes, long),
        '<div class="side">',
        listing,
        table(program, first, adjoints, label, long),
        "</div></div>",
        _lines(explanation) if long else in_full(shown, target, label),
        notes(program),
        "</main>",
        _FOOT,
        element(data, long or len(program.nodes) > _PLAIN),
    ]
    script = "".join((HERE / name).read_text(encoding="utf-8") for name in ("stepper_views.js", "stepper.js"))
    return document(f"{program.name}, step by step", body, _style(), script)


def _said(explanation: Explanation, shown: Explanation) -> str:
    """What a page of a long program leaves out, and where it is."""
    whole, count = len(explanation.program.nodes), len(shown.program.nodes)
    folded = f"{count:,} values. "
    if count < whole:
        folded = f'{whole:,} values, folded into {count:,} (<code>by="none"</code> keeps all). '
    return (
        f'<p class="said">{folded}The value of each step is shown with what it reads above it and who reads it below; the table '
        "has the rows near it, the drawing a box for each line of the source.</p>"
    )


def _lines(explanation: Explanation) -> str:
    """The table of source lines; the listing and the words about it are elsewhere on the page."""
    table = explanation.summary()
    table = replace(table, title="", notes=table.notes[1:], listing=())
    return f'<section aria-labelledby="lines-title"><h2 id="lines-title">All lines</h2>{table.html()}</section>'


def _summarised(explanation: Explanation, target: str | None) -> str:
    """The page of a program that is too long to be stepped through."""
    count = len(explanation.program.nodes)
    body = [
        _head(explanation, target, "summarised"),
        '<main id="main">',
        f"<p>{count:,} values: too many to step through, so the lines of the source are summarised. "
        "Fold them (<code>e.fold(…)</code>) or explain a smaller case to step through it.</p>",
        '<section class="picture"><h2>Graph</h2><div class="scroll" role="region" tabindex="0" aria-label="Computational graph">'
        f"{explanation.graph(target=target).svg()}</div></section>",
        f"<section><h2>Lines</h2>{explanation.summary().html()}</section>",
        "</main>",
        _FOOT,
    ]
    return document(f"{explanation.program.name}, summarised", body, _style(), "")


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

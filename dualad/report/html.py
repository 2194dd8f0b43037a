"""Results as one HTML page that needs nothing else: no network, no font, no library, readable without its script.

    header    what this is
    summary   what the results say, in plain words, first
    results   figures with "What am I seeing?", tables, what was left out, the command
    footer    prices of operations, the machine, the data to take away
"""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

from ..compare.figure import Figure, Table
from ..compare.result import Report, Result
from ..compare.storage import encode
from ..compare.terminal import cell
from .command import command_line
from .marks import escape, swatch
from .palette import LIGHT, SCHEMES, all_styles, readable, styles
from .svg import draw, shown

__all__ = ["NARROW", "WIDE", "compact_json", "document", "page", "stylesheet"]

HERE = Path(__file__).parent
WIDE, NARROW = 860, 326  # what a page of 360 pixels has between its margins
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
_VIEWS = re.compile(r"-(counted|measured)\Z")


def page(results: Result | Report | Sequence[Result]) -> str:
    """The page of a result, a report, or several results.

    Parameters
    ----------
    results : Result, Report or sequence of Result

    Returns
    -------
    str
        HTML, complete in itself.

    Raises
    ------
    ValueError
        There is no result.

    Examples
    --------
    >>> from dualad import compare
    >>> from dualad.report import page
    >>> html = page(compare.scaling("n", [1, 2, 4], count_only=True))
    >>> html.startswith("<!doctype html>"), "http" in html.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "")
    (True, False)
    """
    parts = results.results() if isinstance(results, (Result, Report)) else tuple(results)
    if not parts:
        raise ValueError("a report needs at least one result")
    whole = results if isinstance(results, (Result, Report)) else parts[0] if len(parts) == 1 else Report(parts)
    title = parts[0].title if len(parts) == 1 else "What derivatives cost"
    figures: list[dict[str, Any]] = []
    sections = [_section(number, part, figures) for number, part in enumerate(parts, 1)]
    body = [
        '<a class="skip" href="#main">To the results</a>',
        f'<header><div class="top"><h1>{escape(title)}</h1></div></header>', '<main id="main">', _summary(parts), *sections,
        _prices(parts), _machine(parts), _downloads(whole), "</main>",
        "<footer>Made by <code>dualad compare</code>. This file is complete: it loads nothing from anywhere.</footer>",
        f'<script type="application/json" id="figures">{compact_json(figures)}</script>',
    ]
    return document(title, body, stylesheet(), (HERE / "page.js").read_text(encoding="utf-8"))


def document(title: str, body: Sequence[str], style: str, script: str) -> str:
    """A whole page around its body: it may run what is in it and load nothing; a button in `.top` chooses the colours.

    Parameters
    ----------
    title : str
    body : sequence of str
        HTML.
    style, script : str

    Examples
    --------
    >>> from dualad.report.html import document
    >>> document("A page", ["<p>words</p>"], "", "").count("<script>")
    1
    """
    scripts = (HERE / "scheme.js").read_text(encoding="utf-8") + script
    return (f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">'
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}"><link rel="icon" href="data:,">'
            f"<title>{escape(title)}</title><style>{style}</style></head>\n<body>\n"
            + "\n".join(body) + f"\n<script>{scripts}</script>\n</body></html>\n")


# ---- words -----------------------------------------------------------------------------------------------------------


def _summary(parts: Sequence[Result]) -> str:
    lines = ['<section class="summary" aria-labelledby="in-words"><h2 id="in-words">In plain words</h2>']
    for number, part in enumerate(parts, 1):
        if len(parts) > 1:
            lines.append(f'<h3><a href="#result-{number}">{escape(part.title)}</a></h3>')
        lines.append(_list(part.reading()))
    return "".join(lines) + "</section>"


def _list(items: Iterable[str], kind: str = "") -> str:
    inside = "".join(f"<li>{escape(item)}</li>" for item in items)
    return f"<ul{kind}>{inside}</ul>" if inside else ""


def _section(number: int, result: Result, figures: list[dict[str, Any]]) -> str:
    head = f'<section id="result-{number}" aria-labelledby="title-{number}"><h2 id="title-{number}">{escape(result.title)}</h2>'
    unique = [replace(figure, name=f"r{number}-{figure.name}") for figure in result.figures()]
    pictures = []
    for _, group in groupby(unique, key=lambda figure: _VIEWS.sub("", figure.name)):
        views = list(group)
        drawn = "".join(_figure(figure, figures) for figure in views)
        pictures.append(f'<div class="views">{drawn}</div>' if len(views) > 1 else drawn)
    notes = f'<h3>Left out</h3>{_list(result.notes, " class=notes")}' if result.notes else ""
    tables = "".join(_table(table, f"table-{number}-{k}") for k, table in enumerate(result.tables(), 1))
    command = command_line(result.name, result.settings)
    again = f"<h3>Run it again</h3><pre><code>{escape(command)}</code></pre>" if command else ""
    return head + "".join(pictures) + tables + notes + again + "</section>"


# ---- figures ---------------------------------------------------------------------------------------------------------


def _figure(figure: Figure, figures: list[dict[str, Any]]) -> str:
    looks = styles((curve.role for curve in figure.curves), on_cells=figure.heat is not None)
    entries = ""
    for number, (curve, style) in enumerate(zip(figure.curves, looks, strict=True)):
        kind = "wedge" if curve.kind == "band" and figure.heat is not None else curve.kind
        picture = swatch(style, readable(style.colour, LIGHT.paper, 3.0), kind)
        entries += f'<li data-curve="{number}"><span>{picture}{escape(curve.label)}</span></li>'
    legend = f'<ul class="legend" aria-label="Curves">{entries}</ul>' if entries else ""
    figures.append(_values(figure))
    view = _VIEWS.search(figure.name)
    return (f'<figure id="{figure.name}" data-view="{view[1].capitalize() if view else ""}"><div>'
            f"<h3>{escape(figure.title)}</h3>{legend}"
            f'<div class="plot" data-figure="{len(figures) - 1}">'
            f'<div class="wide">{draw(figure, WIDE, legend=False, title=False)}</div>'
            f'<div class="narrow">{draw(figure, NARROW, legend=False, title=False)}</div></div>'
            f'<output class="readout" aria-live="polite"></output></div>'
            f"<figcaption><strong>What am I seeing?</strong> {escape(figure.caption)}</figcaption></figure>")


def _values(figure: Figure) -> dict[str, Any]:
    """What the script says about each marker."""
    curves = []
    for number, curve in enumerate(figure.curves):
        if curve.kind != "points":
            continue
        points = []
        for k in shown(figure, curve):
            y = curve.y[k]
            point = [_number(curve.x[k]), _number(y if y is not None else 0.0)]
            if curve.low is not None and curve.high is not None:
                point.append(f"band {_number(curve.low[k])} to {_number(curve.high[k])}")
            points.append(point)
        if points:
            curves.append({"n": number, "l": curve.label, "p": points})
    return {"title": figure.title, "x": figure.xlabel, "y": figure.ylabel, "curves": curves}


def _number(value: float) -> str:
    return f"{value:.6g}" if value == int(value) and abs(value) < 1e6 else f"{value:.4g}"


# ---- tables and lists ------------------------------------------------------------------------------------------------


def _table(table: Table, name: str) -> str:
    kinds = []
    for k in range(len(table.header)):
        lengths = [len(str(row[k])) for row in table.rows if isinstance(row[k], str)]
        kinds.append(f' class="words{" long" if max(lengths) > 30 else ""}"' if lengths else "")
    head = "".join(f'<th scope="col"{kind}>{escape(text)}</th>' for text, kind in zip(table.header, kinds, strict=True))
    cells = ("".join(f"<td{kind}>{escape(cell(value))}</td>" for value, kind in zip(row, kinds, strict=True)) for row in table.rows)
    rows = "".join(f"<tr>{row}</tr>" for row in cells)
    caption = f"<p>{escape(table.caption)}</p>" if table.caption else ""
    return (f'<details open><summary id="{name}">{escape(table.title)}</summary>{caption}'
            f'<div class="scroll" role="region" tabindex="0" aria-labelledby="{name}"><table class="data">'
            f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div></details>")


def _definitions(pairs: Mapping[str, Any]) -> str:
    return "<dl>" + "".join(f"<dt>{escape(str(key))}</dt><dd>{escape(str(value))}</dd>" for key, value in pairs.items()) + "</dl>"


def _prices(parts: Sequence[Result]) -> str:
    weights = next((encode(part.settings["weights"]) for part in parts if part.settings.get("weights") is not None), None)
    if not isinstance(weights, dict):
        return ""
    return ('<section aria-labelledby="prices"><h2 id="prices">Prices of the cost model</h2>'
            "<p>Counted costs are numbers of operations times these prices: the model of A. Griewank and A. Walther, "
            "<i>Evaluating Derivatives</i>, 2nd edition (SIAM 2008), "
            f"sections 2.5 and 4.6. Other prices give other bounds.</p>{_definitions(weights)}</section>")


_EXACT = "All numbers are counts: they are the same on every machine."
_ROUNDED = ("Counts are the same on every machine. An error may differ in its last digits where exp, sin and the like of another "
            "machine round otherwise.")


def _machine(parts: Sequence[Result]) -> str:
    environments = list({compact_json(encode(part.environment)): part.environment for part in parts if part.environment}.values())
    if not environments:
        return ('<section aria-labelledby="machine"><h2 id="machine">Nothing was timed</h2>'
                f"<p>{_EXACT if all(part.exact for part in parts) else _ROUNDED}</p></section>")
    lists = "".join(map(_definitions, environments))
    return f'<section aria-labelledby="machine"><h2 id="machine">Where it was measured</h2>{lists}</section>'


def _downloads(whole: Result | Report) -> str:
    links = ""
    for kind, mime, text, words in (("json", "application/json", _compact(whole), "All results (JSON), to load or redraw"),
                                    ("csv", "text/csv", whole.to_csv(), "The rows (CSV)")):
        packed = gzip.compress(text.encode(), 9, mtime=0)  # rows repeat themselves: a tenth of the size; the script unpacks
        content = base64.b64encode(packed).decode()
        links += f'<li><a download="dualad.{kind}.gz" type="{mime}" href="data:application/gzip;base64,{content}">{words}</a></li>'
    return f'<section class="downloads" aria-labelledby="data"><h2 id="data">The data</h2><ul>{links}</ul></section>'


def _compact(whole: Result | Report) -> str:
    return json.dumps(whole.to_dict(), separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def compact_json(value: Any) -> str:
    """JSON that may stand within a script element."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")


# ---- style -----------------------------------------------------------------------------------------------------------


def _variables(scheme: str) -> str:
    colours = SCHEMES[scheme]
    named = {name: getattr(colours, name) for name in colours.__dataclass_fields__}
    for style in all_styles():
        named[f"k-{style.key}"] = readable(style.colour, colours.paper, 4.0 if scheme == "dark" else 3.0)
        named[f"w-{style.key}"] = readable(style.colour, colours.paper, 4.5)
    return "".join(f"--{name}:{colour};" for name, colour in named.items())


def stylesheet() -> str:
    """The page's style: colours of both schemes from the palette, then page.css.

    Examples
    --------
    >>> from dualad.report.html import stylesheet
    >>> "prefers-color-scheme: dark" in stylesheet()
    True
    """
    dark = _variables("dark")
    rules = [f":root{{{_variables('light')}}}",
             f"@media screen and (prefers-color-scheme: dark){{:root:not([data-scheme=light]){{{dark}}}}}",
             f"@media screen{{:root[data-scheme=dark]{{{dark}}}}}"]
    rules += [f".k-{s.key}{{color:var(--k-{s.key})}}.k-{s.key} .name{{fill:var(--w-{s.key})}}" for s in all_styles()]
    rules.append(".k-theory .name{fill:var(--soft)}.k-theory .band{color:var(--frame)}")
    text = re.sub(r"/\*.*?\*/", "", (HERE / "page.css").read_text(encoding="utf-8"), flags=re.DOTALL)
    return "\n".join(rules) + "\n" + "\n".join(line.strip() for line in text.splitlines() if line.strip())

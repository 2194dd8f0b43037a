"""How results look in a notebook: tables and words as an HTML fragment, figures as inline SVG."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from html import escape

from .figure import Table
from .result import Result
from .terminal import cell

__all__ = ["fragment"]


def fragment(results: Sequence[Result]) -> str:
    """HTML of several results, without a page around it.

    Examples
    --------
    >>> from dualad import compare
    >>> from dualad.compare.notebook import fragment
    >>> fragment([compare.scaling("n", [1, 2], count_only=True)]).startswith("<section><h3>chain")
    True
    """
    return "\n".join(_section(result) for result in results)


def _section(result: Result) -> str:
    parts = [f"<section><h3>{escape(result.title)}</h3>"]
    try:
        draw = importlib.import_module("dualad.report.svg").draw  # a layer above
    except ImportError:
        draw = None
    for figure in result.figures():
        picture = draw(figure, 640) if draw else f"<p>{escape(figure.alt)}</p>"
        parts.append(f"<figure>{picture}<figcaption>{escape(figure.caption)}</figcaption></figure>")
    parts += [_table(table) for table in result.tables()]
    parts += [f"<p>{escape(line)}</p>" for line in (*result.reading(), *result.notes)]
    return "\n".join([*parts, "</section>"])


def _table(table: Table) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in table.header)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell(value))}</td>" for value in row) + "</tr>" for row in table.rows)
    return f"<table><caption>{escape(table.title)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

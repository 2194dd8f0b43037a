"""A table of an explanation in four forms: terminal, Markdown, HTML and LaTeX."""

from __future__ import annotations

import html
import os
import re
from dataclasses import dataclass, field

__all__ = ["Cell", "Table"]


#: tables with more rows are shown without their middle: so many rows at each end
LONGEST, ENDS = 120, 25


@dataclass(frozen=True)
class Cell:
    """One cell.

    Parameters
    ----------
    text : str
        Lines are kept.
    latex : str
        The same in LaTeX (math mode), one line a line of `text`; "" where the text is set as it is.
    line : int
        The source line that it links to, 0 for none.
    number : bool
        Is it a number (set to the right)?
    file : str
        Of the source line, where it is another file than the table's.
    """

    text: str
    latex: str = ""
    line: int = 0
    number: bool = False
    file: str = ""


@dataclass(frozen=True)
class Table:
    """Rows of cells under a title.

    Parameters
    ----------
    title : str
    columns : tuple of str
    rows : tuple of tuple of Cell
    notes : tuple of str
    file : str
        What the source lines are lines of.
    listing : tuple of (int, str)
        The source itself, shown below the table where there are links.
    key : str
        Of the links, unique on a page.
    more : tuple of (str, tuple of (int, str))
        Functions that were called, each with its file and its lines.

    Examples
    --------
    >>> from dualad.explanation.table import Cell, Table
    >>> print(Table("squares", ("x", "x^2"), ((Cell("3", number=True), Cell("9", number=True)),)))
    squares
    x | x^2
    --+----
    3 |   9
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    file: str = ""
    listing: tuple[tuple[int, str], ...] = field(default=(), repr=False)
    key: str = "t"
    more: tuple[tuple[str, tuple[tuple[int, str], ...]], ...] = field(default=(), repr=False)

    def column(self, name: str) -> tuple[str, ...]:
        """The texts of one column."""
        place = self.columns.index(name)
        return tuple(row[place].text for row in self.rows)

    def _shown(self) -> tuple[tuple[tuple[Cell, ...], ...], tuple[str, ...]]:
        """Rows and notes as they are shown: a long table without its middle."""
        if len(self.rows) <= LONGEST:
            return self.rows, self.notes
        gap = tuple(Cell("...", "", 0, cell.number) for cell in self.rows[0])
        left = len(self.rows) - 2 * ENDS
        return (*self.rows[:ENDS], gap, *self.rows[-ENDS:]), (*self.notes, f"{left} rows between are not shown; .rows has them all")

    def __str__(self) -> str:
        rows, notes = self._shown()
        if not rows and self.title:
            return "\n".join([self.title, *(f"Note: {note}." for note in notes)])
        cells = [[cell.text.split("\n") for cell in row] for row in rows]
        widths = [max([len(name), *(len(line) for row in cells for line in row[i])]) for i, name in enumerate(self.columns)]
        lines = [self.title] if self.title else []
        lines.append(" | ".join(name.ljust(width) for name, width in zip(self.columns, widths, strict=True)).rstrip())
        lines.append("-+-".join("-" * width for width in widths))
        for row, made in zip(cells, rows, strict=True):
            for k in range(max(map(len, row))):
                parts = [(part[k] if k < len(part) else "") for part in row]
                lines.append(
                    " | ".join(
                        text.rjust(width) if cell.number else text.ljust(width)
                        for text, width, cell in zip(parts, widths, made, strict=True)
                    ).rstrip()
                )
        return "\n".join([*lines, *(f"Note: {note}." for note in notes)])

    def markdown(self) -> str:
        """A Markdown table; lines of the source are links to the file."""
        head = [f"**{_escape_markdown(self.title)}**", ""] if self.title else []
        head.append(f"| {' | '.join(map(_escape_markdown, self.columns))} |")
        aligned = ["---:" if self.rows and self.rows[0][i].number else "---" for i in range(len(self.columns))]
        head.append(f"| {' | '.join(aligned)} |")
        rows, notes = self._shown()
        for row in rows:
            head.append(f"| {' | '.join(map(self._markdown_cell, row))} |")
        return "\n".join([*head, *(part for note in notes for part in ("", f"Note: {_escape_markdown(note)}."))])

    def _markdown_cell(self, cell: Cell) -> str:
        text = "<br>".join(map(_escape_markdown, cell.text.split("\n")))
        file = cell.file or self.file
        if cell.line and file and not file.startswith("<"):
            return f"[{text}]({file.replace(' ', '%20')}#L{cell.line})"
        return text

    def html(self) -> str:
        """An HTML table that needs nothing else; lines of the source are links to the listing below it."""
        known: dict[tuple[str, int], str] = {}
        for number, (file, lines) in enumerate([(self.file, self.listing), *self.more]):
            for line, _ in lines:
                known.setdefault((file, line), f"{self.key}-{number}-{line}" if number else f"{self.key}-{line}")
        out = [
            '<div class="dualad-explain" style="overflow-x:auto">',
            '<table style="border-collapse:collapse;font-family:monospace">',
        ]
        if self.title:
            out.append(f'<caption style="text-align:left;font-weight:bold">{html.escape(self.title)}</caption>')
        cell_style = "padding:2px 10px;border-bottom:1px solid #8888;vertical-align:top;white-space:pre"
        names = "".join(f'<th scope="col" style="{cell_style};text-align:left">{html.escape(name)}</th>' for name in self.columns)
        out.append(f"<thead><tr>{names}</tr></thead><tbody>")
        rows, notes = self._shown()
        for row in rows:
            cells = []
            for cell in row:
                text = html.escape(cell.text)
                place = known.get((cell.file or self.file, cell.line))
                if cell.line and place:
                    text = f'<a href="#{place}">{text}</a>'
                cells.append(f'<td style="{cell_style};text-align:{"right" if cell.number else "left"}">{text}</td>')
            out.append(f"<tr>{''.join(cells)}</tr>")
        out.append("</tbody></table>")
        out += [f"<p>Note: {html.escape(note)}.</p>" for note in notes]
        for file, lines in [(self.file, self.listing), *self.more]:
            if not lines:
                continue
            spans = [f'<span id="{known[file, line]}">{line:>5}  {html.escape(text)}</span>' for line, text in lines]
            name = "source" if file == self.file else f"source, {html.escape(os.path.basename(file))}"
            out.append("<details open><summary>{}</summary><pre>{}</pre></details>".format(name, "\n".join(spans)))
        return "\n".join([*out, "</div>"])

    def _repr_html_(self) -> str:
        return self.html()

    def latex(self) -> str:
        """A LaTeX `array`-free tabular that needs no package."""
        spec = "".join("r" if self.rows and self.rows[0][i].number else "l" for i in range(len(self.columns)))
        lines = [rf"\begin{{tabular}}{{{spec}}}", " & ".join(map(_escape_latex, self.columns)) + r" \\", r"\hline"]
        for row in self._shown()[0]:
            cells = [cell.latex.split("\n") if cell.latex else [] for cell in row]
            texts = [
                [f"${line}$" for line in part] if part else [_escape_latex(line) for line in cell.text.split("\n")]
                for part, cell in zip(cells, row, strict=True)
            ]
            for k in range(max(map(len, texts))):
                lines.append(" & ".join(part[k] if k < len(part) else "" for part in texts) + r" \\")
        return "\n".join([*lines, r"\end{tabular}"])


def _escape_markdown(text: str) -> str:
    return re.sub(r"([\\|*_`\[\]<>])", r"\\\1", text)


def _escape_latex(text: str) -> str:
    out = "".join({"\\": r"\textbackslash{}", "^": r"\^{}", "~": r"\~{}"}.get(c, f"\\{c}" if c in "#$%&_{}" else c) for c in text)
    return out.replace("|", r"\textbar{}")

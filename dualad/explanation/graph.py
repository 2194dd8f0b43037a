"""The computational graph of an explained program as a picture: SVG of our own, text, DOT, Mermaid."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..compare.storage import write_atomically
from .folding import BY
from .graph_diagram import LARGEST_DRAWN, Diagram, diagram
from .graph_svg import draw
from .graph_text import dot, mermaid, text
from .program import quantity

if TYPE_CHECKING:
    from .explanation import Explanation

__all__ = ["Graph", "graph", "readable_parts"]

#: a longer program is folded by the names in its source
_FOLDED = 20
_WRITERS = {".svg": "svg", ".dot": "dot", ".gv": "dot", ".mmd": "mermaid", ".txt": "text"}


@dataclass(frozen=True)
class Graph:
    """A drawing of a program; in a notebook it is seen at once, and printing it draws it with letters.

    Parameters
    ----------
    diagram : Diagram
        What is drawn: boxes and edges as plain data.

    Examples
    --------
    >>> import dualad
    >>> print(dualad.explain(lambda x: x * x, 3.0).graph())
    ●   x         value 3   tangent 1   adjoint 6
    ╰─● y = x*x   value 9   tangent 6   adjoint 1   dy/dx = x = 3, dy/dx = x = 3
    """

    diagram: Diagram

    def svg(self) -> str:
        """An SVG that stands alone: inputs at the top, each value a box with its numbers, each edge with its partial."""
        return draw(self.diagram)

    def dot(self) -> str:
        """For Graphviz."""
        return dot(self.diagram)

    def mermaid(self) -> str:
        """For Markdown viewers that draw Mermaid."""
        return mermaid(self.diagram)

    def text(self) -> str:
        """For a terminal."""
        return text(self.diagram)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to a file; the ending says how: .svg, .dot (.gv), .mmd, .txt.

        Raises
        ------
        ValueError
            Another ending.
        FileNotFoundError
            There is no such folder.
        """
        place = Path(path)
        if place.suffix.lower() not in _WRITERS:
            raise ValueError(f"cannot tell the form of {str(path)!r}; let it end in {', '.join(_WRITERS)}")
        write_atomically(place, getattr(self, _WRITERS[place.suffix.lower()])() + "\n")

    def __str__(self) -> str:
        return self.text()

    def _repr_svg_(self) -> str:
        return self.svg()

    def _repr_html_(self) -> str:
        return f'<div style="overflow-x:auto">{self.svg()}</div>'


def readable_parts(explanation: Explanation, by: str | None) -> list[Explanation]:
    """The explanation as it is drawn: folded where it is long; where that is still long, then its foldings, the finer one first."""
    if by not in (None, "none", *BY):
        raise ValueError(f"by is {', '.join(map(repr, BY))} or 'none', not {by!r}")
    if by is not None:
        return [explanation if by == "none" else explanation.fold(by)]
    if len(explanation.program.nodes) <= _FOLDED:
        return [explanation]
    named = explanation.fold("name")
    if len(named.program.nodes) <= _FOLDED:
        return [named]
    called = explanation.fold("function")
    shown = called if 2 < len(called.program.nodes) - len(called.program.inputs) < len(named.program.nodes) else named
    return [shown] if len(shown.program.nodes) <= LARGEST_DRAWN else [explanation, named, called]


def graph(
    explanation: Explanation, seed: str | Mapping[str, Any] | None = None, target: str | None = None, by: str | None = None
) -> Graph:
    """The computational graph as a picture (SVG, and DOT, Mermaid, text): boxes with their numbers, edges with their partials.

    Parameters
    ----------
    explanation : Explanation
    seed : str or mapping, optional
        What the tangents are by, as for :meth:`~dualad.explanation.Explanation.forward`; "none" leaves them out.
    target : str, optional
        What the adjoints are of; by default the output.
    by : {"name", "function", "none"}, optional
        How operations are folded into boxes. By default a program of more than 20 values is folded by the names in its source; one
        of more than 80 boxes is summarised, a box for each source line or loop.

    Returns
    -------
    Graph

    Notes
    -----
    Cost: one forward and one reverse sweep, and the layout (milliseconds for 20 boxes).

    Examples
    --------
    >>> import dualad
    >>> graph = dualad.explain(lambda x, y: x * y + y, 2.0, 3.0).graph(seed="y")
    >>> [vertex.name for vertex in graph.diagram.vertices], graph.diagram.edges[0].label
    (['x', 'y', 'v1', 'f'], 'y = 3')
    """
    shown = readable_parts(explanation, by)[0]
    adjoints = [quantity(a) for a in shown._sweeps.terms(shown._target(target))[0]]
    tangents, label = None, ""
    if seed != "none":
        label, seeds = shown._seeds(seed)
        tangents = [quantity(t) for t in shown._sweeps.tangents(seeds)]
    return Graph(diagram(shown.program, tangents, label, adjoints, target or shown.program.target))

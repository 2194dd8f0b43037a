"""Formulas of the pages as MathML, made when the site is built: no script, no network, read aloud by screen readers.

docutils carries the converter (docutils.utils.math.latex2mathml); this gives it to Sphinx as the renderer "mathml".
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

__all__ = ["mathml", "setup"]

log = logging.getLogger(__name__)

#: commands of LaTeX the converter does not know -> the same in ones it does
SYNONYMS = {r"\dots": r"\ldots"}

#: a function's name in front of an operand that has no parentheses: a thin space belongs between
FUNCTION = re.compile(r"(<mo>&ApplyFunction;</mo>)(?=\s*<(?:mi|mn|mfrac|msup|msub|mover)>)")


def mathml(formula: str, *, block: bool = False) -> str:
    """A formula of LaTeX as a <math> element.

    Raises
    ------
    docutils.utils.math.MathError
        The formula has a command the converter does not know.
    """
    for command, other in SYNONYMS.items():
        formula = re.sub(re.escape(command) + r"(?![a-zA-Z])", lambda match, other=other: other, formula)
    found = str(tex2mathml(formula, as_block=block))
    # an accent is set apart, not moved onto its letter: browsers without a font for formulas draw the one over the other
    found = found.replace('<mover accent="true">', "<mover>").replace("\N{MODIFIER LETTER MACRON}", "\N{MACRON}")
    return FUNCTION.sub(r'\1<mspace width="0.17em"></mspace>', found)


def converted(node: nodes.math | nodes.math_block, *, block: bool = False) -> str:
    """The formula of a node; a formula that cannot be converted is a warning that names its page."""
    try:
        return mathml(node.astext(), block=block)
    except MathError as error:
        log.warning("formula %r: %s", node.astext(), error, location=node)
        return f"<code>{node.astext()}</code>"


def visit_inline(visitor: Any, node: nodes.math) -> None:
    visitor.body.append(converted(node))
    raise nodes.SkipNode


def visit_block(visitor: Any, node: nodes.math_block) -> None:
    visitor.body.append('<div class="math">' + converted(node, block=True) + "</div>")
    raise nodes.SkipNode


def setup(app: Any) -> dict[str, bool]:
    app.add_html_math_renderer("mathml", inline_renderers=(visit_inline, None), block_renderers=(visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}

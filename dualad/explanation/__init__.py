"""How the derivative of a function comes about, operation by operation: :func:`dualad.explain` and what it returns.

entry      explain itself                                          command    the same from a terminal
tracing    run f once under a line tracer: the tape, and which variable held which value
building   from the recording to nodes with names, formulas and partials
program    those, as plain data                                    folding    fewer, larger nodes
sweeps     tangents, adjoints of versions A and B, events          paths      sums over paths, elimination
views      the tables                                              table      one table in four forms
checking   a derivation by hand against them                       mistakes   what a wrong row looks like
kinks      operations at a kink; choices, branches: what was chosen between equal numbers
diagnosis  is f differentiable there?
graph      the drawing; graph_diagram, graph_layout, graph_svg, graph_text: what is in it, where, in which form
stepper    the page to step through; stepper_data, stepper_parts and the scripts: what is on it

Formulas: algebra (trees and texts), formulas (elementwise), array_formulas, reduction_formulas, moves (arrays), lines and
conditions (what is written about them), typeset (LaTeX).
"""

from __future__ import annotations

from .diagnosis import Diagnosis, diagnose
from .entry import explain
from .explanation import Explanation
from .program import Block, Event, Kink, Node, Operand, Program
from .table import Table

__all__ = ["Block", "Diagnosis", "Event", "Explanation", "Kink", "Node", "Operand", "Program", "Table", "diagnose", "explain"]

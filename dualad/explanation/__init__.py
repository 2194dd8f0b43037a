"""How the derivative of a function comes about, operation by operation: :func:`dualad.explain` and what it returns.

tracing    run f once under a line tracer: the tape, and which variable held which value
building   from the recording to nodes with names, formulas and partials          program   those, as plain data
sweeps     tangents, adjoints of versions A and B, events                           folding   fewer, larger nodes
views      the tables                                                              checking  a derivation by hand against them
"""

from __future__ import annotations

from .diagnosis import Diagnosis, diagnose
from .entry import explain
from .explanation import Explanation
from .program import Block, Event, Kink, Node, Operand, Program
from .table import Table

__all__ = ["Block", "Diagnosis", "Event", "Explanation", "Kink", "Node", "Operand", "Program", "Table", "diagnose", "explain"]

"""How the derivative of a function comes about, operation by operation."""

from __future__ import annotations

from .program import Block, Event, Kink, Node, Operand, Program

__all__ = ["Block", "Event", "Kink", "Node", "Operand", "Program"]

"""A derivation by hand, compared row by row with the derivative at random points; a wrong row is told what it looks like.

The mistakes that are recognised: a transpose, a sign, a constant factor, a path or a term that is missing or counted twice, and an
inner derivative that was forgotten (:mod:`dualad.explanation.mistakes`).
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..tree import tree_map
from .building import build
from .mistakes import Point, ShapesError, close, evaluate, mistake_of, unfitting
from .program import Program, UnknownNameError
from .sweeps import Sweeps, local_text, term_text
from .tracing import paths_of, record

if TYPE_CHECKING:
    from .explanation import Explanation

__all__ = ["Check", "CheckedRow", "check"]


@dataclass(frozen=True)
class CheckedRow:
    """One row of a derivation.

    Parameters
    ----------
    name : str
        "dJ/dt".
    given : str
        What was derived.
    right : bool
    mistake : str
        "", "transpose", "sign", "factor", "missed path", "dropped term", "double path", "inner derivative", "shape", "unknown".
    message : str
        The row in a line.
    should : str
        The right row, by the chain rule over the values that read this one; "" where no line says it.
    expected, found : array
        At the point of the explanation.
    """

    name: str
    given: str
    right: bool
    mistake: str
    message: str
    should: str
    expected: Any
    found: Any


@dataclass(frozen=True)
class Check:
    """All rows of a derivation; true where all are right."""

    rows: tuple[CheckedRow, ...]
    points: int

    def __bool__(self) -> bool:
        return all(row.right for row in self.rows)

    def __getitem__(self, name: str) -> CheckedRow:
        for row in self.rows:
            if row.name == name:
                return row
        raise UnknownNameError(f"no row {name!r}; there are {', '.join(row.name for row in self.rows)}")

    def __str__(self) -> str:
        return "\n".join(row.message for row in self.rows)


def check(explanation: Explanation, rows: Mapping[str, Any], points: int, seed: int, tolerance: float) -> Check:
    """See :meth:`Explanation.check`."""
    if not isinstance(rows, Mapping) or not rows:
        raise TypeError('check takes a dict such as {"dJ/dx": "2*x"}')
    if points < 1:
        raise ValueError(f"points must be at least 1, not {points}")
    there = _points(explanation, points, seed)
    named = explanation.fold("name").program
    found = tuple(_row(explanation, named, name, given, there, tolerance) for name, given in rows.items())
    return Check(found, len(there))


def _points(explanation: Explanation, count: int, seed: int) -> list[Point]:
    """This point first, then random ones near it at which the same operations run."""
    rng = np.random.default_rng(seed)
    here = Point(explanation.args, explanation._built, explanation._sweeps)
    found = [here]
    names = [argument for argument in _names(explanation)]
    shape = [(node.name, node.operation) for node in explanation.program.nodes]
    by_tape = not any(node.operation == "block" for node in explanation.program.nodes)
    for _ in range(4 * count):
        if len(found) > count or not by_tape:
            break
        args = tuple(
            tree_map(lambda x: _near(x, rng), a) if i in explanation.argnums else a for i, a in enumerate(explanation.args)
        )
        try:
            with np.errstate(all="ignore"):
                built = build(
                    record(explanation.function, args, dict(explanation.kwargs), explanation.argnums, names),
                    explanation.program.name,
                )
        except (ArithmeticError, ValueError, TypeError):
            continue
        if [node.operation for node in built.nodes] == [operation for _, operation in shape] and all(
            np.all(np.isfinite(v)) for v in built.values
        ):
            found.append(Point(args, built, Sweeps(built.operations, built.values, built.outputs)))
    return found


def _names(explanation: Explanation) -> list[str]:
    """A name for each argument (those of the differentiated ones are in the program)."""
    names = [f"x{i}" for i in range(len(explanation.args))]
    roots = iter([node.name for node in (explanation.program.nodes[i] for i in explanation.program.inputs)])
    for i in explanation.argnums:
        leaves = paths_of(explanation.args[i], "")
        first = next(roots)
        for _ in leaves[1:]:
            next(roots)
        names[i] = first.removesuffix(leaves[0]) if leaves[0] else first
    return names


def _near(x: Any, rng: np.random.Generator) -> Any:
    moved = np.asarray(x) * (1.0 + rng.uniform(-0.3, 0.3, np.shape(x))) + np.where(
        np.asarray(x) == 0.0, rng.uniform(-0.3, 0.3, np.shape(x)), 0.0
    )
    return moved if np.ndim(x) else float(moved)


# ---- one row ---------------------------------------------------------------------------------------------------------


def _row(
    explanation: Explanation, named: Program, name: str, given: Any, points: Sequence[Point], tolerance: float
) -> CheckedRow:
    program = explanation.program
    target, source = _parse(name, program)
    only_here = not isinstance(given, str) and not callable(given)
    used = points[:1] if only_here else points
    truths = [point.jacobian(target, source) for point in used]
    text = given if isinstance(given, str) else getattr(given, "__name__", None) or f"{given!r:.40}"
    label = f"d{program.nodes[target].name}/d{program.nodes[source].name}"
    should = _should_by_names(program, named, target, source)
    try:
        values = [_evaluate(name, given, program, point) for point in used]
    except ShapesError as error:
        mistake, words = unfitting(str(error), text, [_values(program, point) for point in used], truths, program, used, tolerance)
        rule = f"; it should be {should}" if should else ""
        return CheckedRow(name, text, False, mistake, f"{label} = {text}: wrong, {words}{rule}", should, truths[0], None)
    good = all(v.shape == t.shape and close(v, t, tolerance) for v, t in zip(values, truths, strict=True))
    if good:
        where = "at this point" if len(used) == 1 else f"at {len(used)} points"
        return CheckedRow(name, text, True, "", f"{label} = {text}: right {where}", should, truths[0], values[0])
    mistake, words = mistake_of(program, values, truths, used, target, source, tolerance)
    at = ", ".join(f"{program.nodes[i].name} = {_brief(points[0].built.values[i])}" for i in program.inputs[:3])
    numbers = f"it is {_brief(truths[0])}, not {_brief(values[0])}, at {at}"
    if values[0].shape == truths[0].shape and close(values[0], truths[0], tolerance):
        numbers = f"right at {at}, but not near it"
    rule = f"; it should be {should}" if should and should != text else ""
    return CheckedRow(
        name, text, False, mistake, f"{label} = {text}: wrong, {words}; {numbers}{rule}", should, truths[0], values[0]
    )


def _brief(x: Any) -> str:
    x = np.asarray(x)
    return (
        f"{float(x):.7g}"
        if not x.ndim
        else np.array2string(x, precision=4, separator=", ").replace("\n", "")
        if x.size <= 9
        else (f"an array {x.shape}")
    )


def _parse(name: str, program: Program) -> tuple[int, int]:
    """Indices of target and source of "dJ/dt"; "t" alone is the derivative of the output by t."""
    found = re.fullmatch(r"\s*[d∂](.+?)\s*/\s*[d∂](.+?)\s*", str(name))
    names = {node.name for node in program.nodes}
    if found and found[1] in names and found[2] in names:
        return program.node(found[1]).index, program.node(found[2]).index
    if name in names and program.target in names:
        return program.node(program.target).index, program.node(name).index
    missing = next((part for part in (found.groups() if found else (name,)) if part not in names), name)
    listed = ", ".join(node.name for node in program.nodes[:20]) + (" ..." if len(program.nodes) > 20 else "")
    raise UnknownNameError(f"{name!r}: no value called {missing!r}; write dJ/dx with the names of the table: {listed}")


def _evaluate(name: str, given: Any, program: Program, point: Point) -> np.ndarray:
    """What was derived, at a point."""
    values = _values(program, point)
    try:
        with np.errstate(all="ignore"):
            if isinstance(given, str):
                result = evaluate(given, values, program, point)
            elif callable(given):
                result = _call(given, values, point)
            else:
                result = given
        return np.asarray(result, dtype=float)
    except (ArithmeticError, ValueError, TypeError, NameError, AttributeError, IndexError, SyntaxError) as error:
        reason = str(error).split("\n")[0]
        if isinstance(given, str) and isinstance(error, ValueError) and re.search(r"mismatch|broadcast|align", reason):
            raise ShapesError(reason) from None
        if isinstance(error, NameError):
            reason += f"; there are {', '.join(list(values)[:20])}"
        raise ValueError(f"{name} = {given if isinstance(given, str) else '...'}: {type(error).__name__}: {reason}") from None


def _values(program: Program, point: Point) -> dict[str, Any]:
    """Values of the program and constants of the caller, by name."""
    return {**point.built.constants, **{node.name: v for node, v in zip(program.nodes, point.built.values, strict=True)}}


def _call(given: Callable[..., Any], values: Mapping[str, Any], point: Point) -> Any:
    """A function of the arguments of f, or of values of the program by their names."""
    try:
        names = list(inspect.signature(given).parameters)
    except (TypeError, ValueError):
        names = []
    if names and all(name in values for name in names):
        return given(**{name: values[name] for name in names})
    return given(*point.args)


def _should_by_names(program: Program, named: Program, target: int, source: int) -> str:
    """:func:`_should` over what has a name in the source, where both values have one."""
    index = {node.name: node.index for node in named.nodes}
    names = [program.nodes[i].name for i in (target, source)]
    by_names = _should(named, *(index[name] for name in names)) if all(name in index for name in names) else ""
    return by_names if by_names and f"d{names[0]}/d{names[1]}" not in by_names else _should(program, target, source)


def _should(program: Program, target: int, source: int) -> str:
    """The row by the chain rule over what reads the value: "dJ/du1 * cos(t) + dJ/du2 * 3"; "" for an array's derivative."""
    if program.nodes[target].shape:
        return ""
    label = program.nodes[target].name
    down = {target}
    for node in reversed(program.nodes[: target + 1]):
        if node.index in down:
            down.update(node.reads)
    parts = []
    for _, head, place in (edge for edge in program.edges() if edge[0] == source and edge[1] in down):
        reader = program.nodes[head]
        formula = reader.operands[place].formula and not reader.operands[place].pullback
        parts.append(local_text(program, reader, place) if head == target and formula else term_text(program, label, head, place))
    return " + ".join(parts).replace("+ -", "- ") if 0 < len(parts) <= 6 else "0" if not parts and source != target else ""

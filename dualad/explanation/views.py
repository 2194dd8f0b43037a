"""The tables of an explanation: forward trace, reverse trace, the two columns of a lecture, the summary of a long program."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from .algebra import constant, product, total
from .lines import shaped
from .moves import PLACE
from .program import Node, Program, Quantity
from .sweeps import added, increment_text, is_output, local_text, scaled, sent_text, tangent_terms, tangent_text, term_text
from .table import Cell, Table
from .tracing import function_around
from .typeset import latex, latex_name

__all__ = ["forward_table", "kink_table", "node_table", "reverse_table", "show", "summary_table", "two_columns"]


def show(x: Quantity | None) -> str:
    """A number with seven digits, an array in short."""
    if x is None:
        return ""
    if isinstance(x, float):
        return f"{x + 0.0:.7g}"
    return str(x)


def _number(x: Quantity | None) -> Cell:
    text = show(x)
    return Cell(text, "", 0, not text.startswith(("(", "[")))


def _line(node: Node, program: Program) -> Cell:
    if node.file == program.file or not node.line:
        return Cell(str(node.line) if node.line else "", "", node.line, True)
    return Cell(f"{os.path.basename(node.file)}:{node.line}", "", node.line, True, node.file)


def _made(node: Node) -> Cell:
    """name = formula."""
    if node.equation == node.name:
        return Cell(node.name, latex_name(node.name))
    return Cell(node.equation, f"{latex_name(node.name)} = {latex(node.formula)}")


def _fraction(top: str, bottom: str) -> str:
    return rf"\frac{{d{latex_name(top)}}}{{d{latex_name(bottom)}}}"


def _listing(program: Program) -> tuple[tuple[int, str], ...]:
    if not program.source:
        return ()
    return tuple(enumerate(program.source.splitlines(), program.first_line))


def _called(program: Program) -> tuple[tuple[str, tuple[tuple[int, str], ...]], ...]:
    """The functions beside f itself in which operations were written, each once."""
    seen = {(program.file, line) for line, _ in _listing(program)}
    found = []
    for node in program.nodes:
        if not node.line or (node.file, node.line) in seen:
            continue
        lines = function_around(node.file, node.line)
        new = tuple((line, text) for line, text in lines if (node.file, line) not in seen)
        seen.update((node.file, line) for line, _ in new)
        seen.add((node.file, node.line))
        if new:
            found.append((node.file, new))
    return tuple(found)


def _table(
    program: Program, title: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]], notes: Sequence[str] = ()
) -> Table:
    made = tuple(map(tuple, rows))
    words = (PLACE,) if any("place(" in cell.text for row in made for cell in row) else ()
    return Table(
        title,
        tuple(columns),
        made,
        (*notes, *words, *program.notes),
        program.file,
        _listing(program),
        f"explain-{program.name}".replace("<", "").replace(">", ""),
        _called(program),
    )


def _where(program: Program) -> str:
    nodes = [program.nodes[i] for i in program.inputs[:6]]
    shown = [(node, show(node.value)) for node in nodes]
    given = ", ".join(f"{node.name} = {text}" if len(text) <= 32 else f"{node.name} {node.shape}" for node, text in shown)
    return given + (" ..." if len(program.inputs) > 6 else "")


def node_table(program: Program) -> Table:
    """Values and adjoints: what printing an explanation shows."""
    columns = ["line", "value", "is", "adjoint", "is"]
    shapes = any(node.shape for node in program.nodes)
    rows = []
    for node, adjoint in zip(program.nodes, program.adjoints, strict=True):
        row = [
            _line(node, program),
            _made(node),
            _number(node.value),
            Cell(f"d{program.target}/d{node.name}", _fraction(program.target, node.name)),
            _number(adjoint),
        ]
        rows.append([*row[:2], Cell(_shape(node)), *row[2:]] if shapes else row)
    if shapes:
        columns.insert(2, "shape")
    return _table(program, f"{program.name} at {_where(program)}", columns, rows, _kink_notes(program))


def _shape(node: Node) -> str:
    return str(node.shape) if node.shape else ""


def _kink_notes(program: Program) -> list[str]:
    return [kink.note for kink in program.kinks[:3]]


def forward_table(program: Program, seed: str, tangents: Sequence[Quantity]) -> Table:
    """Primal trace beside tangent trace."""
    rows = []
    for node, tangent in zip(program.nodes, tangents, strict=True):
        name = f"d{node.name}"
        text, tex = f"{name} = {tangent_text(program, node)}", f"d{latex_name(node.name)} = {_tangent_latex(program, node)}"
        if node.equation == node.name:
            text, tex = name, f"d{latex_name(node.name)}"
        rows.append((_line(node, program), _made(node), _number(node.value), Cell(text, tex), _number(tangent)))
    table = _table(
        program,
        f"{program.name} at {_where(program)}: forward, seed {seed}",
        ("line", "primal trace", "value", "tangent trace", "tangent"),
        rows,
    )
    return replace(table, notes=tuple(note for note in table.notes if "adjoints are those" not in note))  # none are here


def _tangent_latex(program: Program, node: Node) -> str:
    operands = [operand for operand in node.operands if operand.node is not None]
    parts = []
    for operand, term in zip(operands, tangent_terms(program.nodes, node), strict=True):
        name = f"d{latex_name(operand.text)}"
        if operand.formula and term == product(operand.formula, f"d{operand.text}"):
            local = latex(operand.formula)
            plain = rf"({local})\,{name}" if " + " in local or " - " in local else rf"{local}\,{name}"
            parts.append(operand.formula.replace("1", name) if operand.formula in ("1", "-1") else plain)
        elif term.startswith(f"d{node.name}/d"):
            parts.append(rf"{_fraction(node.name, operand.text)}[{name}]")
        else:
            tex = latex(term)
            for other in operands:
                tex = tex.replace(latex_name(f"d{other.text}"), f"d{latex_name(other.text)}")
            parts.append(tex)
    return added(parts)


def reverse_table(
    program: Program,
    version: str,
    adjoints: Sequence[Quantity],
    terms: Sequence[tuple[int, int, int, Any]],
    seeded: Sequence[int],
    label: str,
) -> Table:
    """Primal trace beside adjoint trace, bottom up: the last operation first."""
    rows = []
    if version == "B":
        rows.append((Cell("", number=True), Cell("all adjoints = 0"), Cell("", number=True), Cell(""), Cell("", number=True)))
    sent: dict[int, list[tuple[int, int]]] = {}
    made: dict[int, list[tuple[int, int]]] = {}
    for u, place, v, _ in terms:
        sent.setdefault(v, []).append((u, place))
        made.setdefault(u, []).append((v, place))
    for node in reversed(program.nodes):
        i = node.index
        name, fraction = f"d{label}/d{node.name}", _fraction(label, node.name)
        one = shaped("1", node.shape) if node.shape else "1"
        lines: list[tuple[str, str]] = []
        if version == "A":
            parts = [(one, latex(one))] * (i in seeded)
            parts += [(term_text(program, label, u, place), _term_latex(program, label, u, place)) for u, place in sent.get(i, ())]
            texts, texs = zip(*parts, strict=True) if parts else (("0",), ("0",))
            lines.append((f"{name} = {added(texts)}", f"{fraction} = {added(texs)}"))
        else:
            if i in seeded:
                sign = "+=" if sent.get(i) else "="
                lines.append((f"{name} {sign} {one}", f"{fraction} {sign} {latex(one)}"))
            for v, place in made.get(i, ()):
                left = f"{_fraction(label, program.nodes[v].name)} +="
                lines.append((increment_text(program, label, i, place), f"{left} {_term_latex(program, label, i, place)}"))
            if not lines:
                lines.append((f"{name} is complete", rf"{fraction} \text{{ is complete}}"))
        trace = Cell("\n".join(text for text, _ in lines), "\n".join(tex for _, tex in lines))
        rows.append((_line(node, program), _made(node), _number(node.value), trace, _number(adjoints[i])))
    how = (
        "each adjoint pulls from the operations that read its value" if version == "A" else "each operation increments its operands"
    )
    return _table(
        program,
        f"{program.name} at {_where(program)}: reverse, version {version} ({how})",
        ("line", "primal trace", "value", "adjoint trace", "adjoint"),
        rows,
    )


def _term_latex(program: Program, label: str, u: int, place: int) -> str:
    """:func:`~dualad.explanation.sweeps.term_text` in LaTeX."""
    reader = program.nodes[u]
    operand, ct = reader.operands[place], _fraction(label, reader.name)
    if operand.pullback:
        tex, own = latex(sent_text(reader, place, label)), latex_name("ct")
        for mark in ("^", "_"):
            tex = tex.replace(own + mark, rf"\left({ct}\right){mark}")
        return tex.replace(own, ct)
    text = local_text(program, reader, place)
    local = latex(text) if operand.formula else _fraction(reader.name, operand.text)
    return local if is_output(reader, label) and operand.formula else scaled(ct, " ", local, text)


# ---- the two columns of a lecture --------------------------------------------------------------------------------------


def lecture_order(program: Program) -> list[int]:
    """From the output to the inputs, by the longest way to an output; what is equally far keeps the order of the program."""
    far = [0] * len(program.nodes)
    for node in reversed(program.nodes):
        for i in node.reads:
            far[i] = max(far[i], far[node.index] + 1)
    return sorted((node.index for node in program.nodes if node.operation), key=lambda i: (far[i], i))


def two_columns(program: Program, adjoints: Sequence[Quantity], label: str, values: bool) -> Table:
    """Forward | Backward, as lectures print it: the loss on top, an increment for each operand."""
    rows = []
    for i in lecture_order(program):
        node = program.nodes[i]
        texts, texs, numbers = [], [], []
        for place, operand in enumerate(node.operands):
            if operand.node is None or operand.node in [o.node for o in node.operands[:place]]:
                continue
            texts.append(_backward_text(program, node, place, label))
            texs.append(_backward_latex(program, node, place, label))
            numbers.append(show(adjoints[operand.node]))
        line = _line(node, program)
        row = [replace(_made(node), line=line.line, file=line.file), Cell("\n".join(texts), "\n".join(texs))]
        if values:
            row = [row[0], _number(node.value), row[1], Cell("\n".join(numbers), number=True)]
        rows.append(row)
    columns = ("Forward", "value", "Backward", "adjoint") if values else ("Forward", "Backward")
    return _table(program, f"{program.name} at {_where(program)}" if values else "", columns, rows)


def _same(node: Node, place: int) -> list[int]:
    """All places where the operand of one place is read."""
    return [k for k, o in enumerate(node.operands) if o.node == node.operands[place].node]


def _local(program: Program, node: Node, place: int) -> str:
    """Formula of the partial by an operand, all places where it is read together."""
    same = [node.operands[k] for k in _same(node, place)]
    if any(not o.formula or o.pullback for o in same):
        return ""
    local = same[0].formula if len(same) == 1 else total([o.formula for o in same])
    read = node.operands[place].node
    shape = program.nodes[read].shape if read is not None else ()
    return shaped(local, shape) if shape and not node.shape and constant(local) else local


def _backward_text(program: Program, node: Node, place: int, label: str) -> str:
    name, local = node.operands[place].text, _local(program, node, place)
    left = f"d{label}/d{name} +="
    if not local:
        return f"{left} {added([term_text(program, label, node.index, k) for k in _same(node, place)])}"
    if is_output(node, label):
        return f"{left} {local}"
    return f"{left} d{label}/d{node.name} * d{node.name}/d{name},  d{node.name}/d{name} = {local}"


def _backward_latex(program: Program, node: Node, place: int, label: str) -> str:
    name, local = node.operands[place].text, _local(program, node, place)
    left = f"{_fraction(label, name)} +="
    if not local:
        return f"{left} {added([_term_latex(program, label, node.index, k) for k in _same(node, place)])}"
    if is_output(node, label):
        return f"{left} {latex(local)}"
    chain = f"{_fraction(label, node.name)} {_fraction(node.name, name)}"
    return rf"{left} {chain}, \quad {_fraction(node.name, name)} = {latex(local)}"


# ---- long programs ---------------------------------------------------------------------------------------------------


def summary_table(program: Program, largest: int = 40) -> Table:
    """One row a source line of a long program: how many operations, which ones, the values first and last."""
    groups: dict[tuple[str, str, int], list[Node]] = {}
    for node in program.nodes:
        if node.operation:
            groups.setdefault((node.file, node.function, node.line), []).append(node)
    shown = list(groups.items())
    rest: list[tuple[tuple[str, str, int], list[Node]]] = []
    if len(shown) > largest:
        ranked = sorted(shown, key=lambda item: -len(item[1]))[:largest]
        keys = {key for key, _ in ranked}
        rest = [item for item in shown if item[0] not in keys]
        shown = [item for item in shown if item[0] in keys]
    rows = []
    for (_, function, _), nodes in shown:
        counts = Counter(node.operation for node in nodes)
        kinds = ", ".join(f"{n} {name}" for name, n in counts.most_common(4)) + (" ..." if len(counts) > 4 else "")
        ends = nodes[0].name if len(nodes) == 1 else f"{nodes[0].name} ... {nodes[-1].name}"
        rows.append(
            (
                _line(nodes[0], program),
                Cell(function),
                Cell(nodes[0].source[:60]),
                Cell(str(len(nodes)), number=True),
                Cell(kinds),
                Cell(ends),
                _number(nodes[-1].value),
                _number(program.adjoints[nodes[-1].index]),
            )
        )
    notes = [f"{len(program.nodes)} values: the lines are summarised; .fold('name') or .fold('function') gives fewer, larger rows"]
    if rest:
        notes.append(f"{len(rest)} more lines with {sum(len(nodes) for _, nodes in rest)} operations")
    return _table(
        program,
        f"{program.name} at {_where(program)}: {len(program.nodes)} values",
        ("line", "function", "source", "operations", "which", "values", "last value", "its adjoint"),
        rows,
        notes,
    )


def kink_table(program: Program) -> Table:
    """Operations that were evaluated at a kink, or near one."""
    rows = [
        (
            Cell(str(kink.line) if kink.line else "", "", kink.line if kink.file == program.file else 0, True),
            Cell(kink.formula),
            _number(kink.at),
            _number(kink.distance),
            _number(kink.left),
            _number(kink.used),
            _number(kink.right),
            Cell("jumps" if kink.jumps else ""),
            Cell(str(kink.elements), number=True),
            Cell(kink.along),
            Cell(kink.convention),
        )
        for kink in program.kinks
    ]
    title = f"{program.name} at {_where(program)}: " + (
        f"{len(rows)} kink{'s' * (len(rows) > 1)}" if rows else "no operation is at a kink"
    )
    return Table(
        title,
        (
            "line",
            "operation",
            "at",
            "distance",
            "from the left",
            "used",
            "from the right",
            "value",
            "elements",
            "along",
            "convention",
        ),
        tuple(rows),
        (),
        program.file,
        _listing(program),
        "kinks",
    )

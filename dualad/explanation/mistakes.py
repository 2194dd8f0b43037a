"""Which mistake a wrong row of a derivation looks like.

Each mistake is a hypothesis about numbers ("what was given is the sum over all paths but this one") that must hold at every point.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..rules.elementwise import NAMESPACE
from .building import Built
from .program import Program
from .sweeps import Sweeps

__all__ = ["Point", "ShapesError", "close", "evaluate", "mistake_of", "unfitting"]

#: rows with more paths than this are not searched for a missing one
_PATHS = 10
#: derivatives of arrays by arrays with more rows than this are refused
_ROWS = 256


@dataclass(frozen=True)
class Point:
    """The program at one point."""

    args: tuple[Any, ...]
    built: Built
    sweeps: Sweeps

    def jacobian(self, target: int, source: int) -> np.ndarray:
        """d target / d source, shape(target) + shape(source)."""
        shape = np.shape(self.built.values[target])
        size = math.prod(shape)
        if size > _ROWS:
            raise ValueError(f"{self.built.nodes[target].name} has {size} elements: check a row of up to {_ROWS}")
        rows = []
        for i in range(size):
            one = np.zeros(size)
            one[i] = 1.0
            rows.append(self._pull(target, source, one.reshape(shape) if shape else 1.0))
        return np.reshape(np.array(rows), shape + np.shape(self.built.values[source]))

    def _pull(self, target: int, source: int, seed: Any) -> np.ndarray:
        seeded = _Seeded(self.sweeps.operations, self.sweeps.values, (target,), seed)
        return np.asarray(seeded.terms(target)[0][source], dtype=float)


class _Seeded(Sweeps):
    """Sweeps that begin with a given adjoint."""

    def __init__(self, operations: Any, values: Any, outputs: Any, seed: Any) -> None:
        super().__init__(operations, values, outputs)
        self._seed = seed

    def seeds(self, target: int | None) -> dict[int, Any]:
        return {self.outputs[0]: self._seed}


_FUNCTIONS: dict[str, Any] = {
    **NAMESPACE,
    **{
        name: getattr(np, name)
        for name in (
            "abs where sum mean dot outer trace transpose diag eye ones zeros prod cumsum cumprod var std flip roll reshape "
            "expand_dims swapaxes concatenate stack einsum argsort tril triu pi e inf array"
        ).split()
    },
}
_FUNCTIONS.update(
    np=np,
    inv=np.linalg.inv,
    det=np.linalg.det,
    norm=np.linalg.norm,
    solve=np.linalg.solve,
    math=math,
    ln=np.log,
    float=float,
    len=len,
    range=range,
    max=lambda *a, **keywords: np.max(*a, **keywords) if np.ndim(a[0]) else max(*a),
    min=lambda *a, **keywords: np.min(*a, **keywords) if np.ndim(a[0]) else min(*a),
    slogdet=np.linalg.slogdet,
)


def evaluate(text: str, values: Mapping[str, Any], program: Program, point: Point) -> Any:
    """A formula over the names of the program; derivatives of earlier rows may stand in it, and are the right ones."""
    space: dict[str, Any] = dict(_FUNCTIONS)
    for number, name in enumerate(sorted(values, key=len, reverse=True)):
        if name.isidentifier():
            space[name] = values[name]
        elif name in text:
            text = text.replace(name, f"_n{number}")
            space[f"_n{number}"] = values[name]

    def derivative(found: re.Match[str]) -> str:
        if found[1] not in values or found[2] not in values:
            return found[0]
        key = f"_d{len(space)}"
        space[key] = point.jacobian(program.node(found[1]).index, program.node(found[2]).index)[()]
        return key

    text = re.sub(r"\b[d∂]([A-Za-z]\w*)\s*/\s*[d∂]([A-Za-z]\w*)", derivative, text)
    return eval(text.replace("^", "**").strip(), {"__builtins__": {}}, space)  # what the caller of check wrote


class ShapesError(ValueError):
    """A derivation whose shapes do not fit together."""


def unfitting(
    reason: str,
    text: str,
    values: Sequence[Mapping[str, Any]],
    truths: Sequence[np.ndarray],
    program: Program,
    points: Sequence[Point],
    tolerance: float,
) -> tuple[str, str]:
    """What is wrong with a formula that cannot be computed: a transpose that makes it right, or only that its shapes do not fit."""
    for turned in _turnings(text, values[0]):
        try:
            found = [np.asarray(evaluate(turned, v, program, p), dtype=float) for v, p in zip(values, points, strict=True)]
        except (ValueError, TypeError, NameError):
            continue
        if all(close(f, t, tolerance) for f, t in zip(found, truths, strict=True)):
            return "transpose", f"its shapes do not fit: a transpose is missing, {turned} is right"
    return "shape", f"its shapes do not fit ({reason})"


def _turnings(text: str, values: Mapping[str, Any]) -> Iterator[str]:
    """The formula with one matrix transposed, or with the two sides of an @ exchanged as well."""
    for name, value in values.items():
        if np.ndim(value) == 2:
            for found in re.finditer(rf"(?<![\w./]){re.escape(name)}(?![\w\[])(\.T)?", text):
                yield text[: found.start()] + name + ("" if found[1] else ".T") + text[found.end() :]
    sides = text.split("@")
    if len(sides) == 2:
        swapped = f"{sides[1].strip()} @ {sides[0].strip()}"
        yield swapped
        for name, value in values.items():
            if np.ndim(value) == 2 and re.search(rf"(?<![\w./]){re.escape(name)}(?![\w\[.])", swapped):
                yield re.sub(rf"(?<![\w./]){re.escape(name)}(?![\w\[.])", f"{name}.T", swapped)
    for found in re.finditer(r"outer\(([^(),]+), ([^(),]+)\)", text):
        yield text[: found.start()] + f"outer({found[2]}, {found[1]})" + text[found.end() :]


def close(a: np.ndarray, b: np.ndarray, tolerance: float) -> bool:
    if a.shape != b.shape or not np.all(np.isfinite(a)):
        return False
    scale = max(float(np.max(np.abs(b), initial=0.0)), float(np.max(np.abs(a), initial=0.0)))
    return bool(np.max(np.abs(a - b), initial=0.0) <= tolerance * scale + 1e-14)


def mistake_of(
    program: Program,
    values: Sequence[np.ndarray],
    truths: Sequence[np.ndarray],
    points: Sequence[Point],
    target: int,
    source: int,
    tolerance: float,
) -> tuple[str, str]:
    def same(guess: Callable[[int], np.ndarray]) -> bool:
        return all(close(values[k], np.asarray(guess(k)), tolerance) for k in range(len(values)))

    if any(np.asarray(v).dtype.kind == "f" and not np.all(np.isfinite(v)) for v in values):
        return "unknown", "it is not finite everywhere"
    if truths[0].ndim >= 2 and same(lambda k: truths[k].T):
        return "transpose", "it is the transpose"
    if truths[0].ndim >= 2 and same(lambda k: -truths[k].T):
        return "transpose", "it is the transpose, with the wrong sign"
    if truths[0].ndim == 4 and same(lambda k: np.moveaxis(truths[k], (0, 1), (2, 3))):
        return "transpose", "numerator and denominator axes are exchanged"
    if any(v.shape != t.shape for v, t in zip(values, truths, strict=True)):
        if values[0].size == truths[0].size and all(
            close(np.ravel(v), np.ravel(t), tolerance) for v, t in zip(values, truths, strict=True)
        ):
            return "shape", f"its shape is {values[0].shape}, not {truths[0].shape}"
        return "shape", f"a derivative of shape {values[0].shape}, where {truths[0].shape} belongs (shape(y) + shape(x))"
    if same(lambda k: -truths[k]):
        return "sign", "the sign is wrong"
    factor = _constant_factor(values, truths, tolerance) if len(values) > 1 or values[0].size > 1 else None
    if factor is None and len(values) == 1 and values[0].size == 1 and float(values[0].ravel()[0]) != 0.0:
        ratio = float(truths[0].ravel()[0]) / float(values[0].ravel()[0])
        factor = ratio if abs(ratio) in (2.0, 0.5) else None
    by_paths = _by_paths(program, values, points, target, source, tolerance)
    if factor is not None and (abs(factor) in (2.0, 0.5) or not by_paths or by_paths[0] == "inner derivative"):
        size = abs(factor)
        words = f"a factor {size:.7g} is missing" if size >= 1.0 else f"there is a factor {1.0 / size:.7g} too much"
        return "factor", words + (" and the sign is wrong" if factor < 0 else "")
    if by_paths:
        return by_paths
    by_readers = _by_readers(program, values, points, target, source, tolerance)
    return by_readers or ("unknown", "no common mistake explains it")


def _constant_factor(values: Sequence[np.ndarray], truths: Sequence[np.ndarray], tolerance: float) -> float | None:
    """c with truth = c given at all points, or None."""
    a, b = (np.concatenate([np.ravel(x) for x in xs]) for xs in (values, truths))
    where = np.abs(a) > 1e-12
    if not where.any() or len(values) < 2:
        return None
    ratios = b[where] / a[where]
    c = float(np.median(ratios))
    c = round(c) if abs(c - round(c)) < tolerance and round(c) else 0.5 if abs(c - 0.5) < tolerance else c
    return c if c != 0.0 and np.all(np.abs(b - c * a) <= tolerance * np.max(np.abs(b), initial=1e-300)) else None


def _all_paths(program: Program, target: int, source: int) -> Iterator[tuple[tuple[int, int], ...]]:
    """Every path as (node, operand's place) from the target down."""

    def walk(i: int) -> Iterator[tuple[tuple[int, int], ...]]:
        if i == source:
            yield ()
            return
        for place, operand in enumerate(program.nodes[i].operands):
            if operand.node is not None and operand.node >= source:
                for rest in walk(operand.node):
                    yield ((i, place), *rest)

    return walk(target)


def _by_paths(
    program: Program, values: Sequence[np.ndarray], points: Sequence[Point], target: int, source: int, tolerance: float
) -> tuple[str, str] | None:
    """Paths that are missing, doubled, or of the wrong sign; factors that are missing in all paths or in one."""
    if any(v.size != 1 for v in values) or len(program.nodes) > 400:
        return None
    paths = list(itertools.islice(_all_paths(program, target, source), _PATHS + 1))
    if not paths or len(paths) > _PATHS:
        return None
    partials = [
        [[_number(point.built.nodes[i].operands[place].partial) for i, place in path] for path in paths] for point in points
    ]
    terms = [[math.prod(factors) for factors in point] for point in partials]
    given = [float(v.ravel()[0]) for v in values]

    def fits(guess: Callable[[int], float]) -> bool:
        return all(
            abs(given[k] - guess(k)) <= tolerance * (sum(map(abs, terms[k])) + abs(given[k])) + 1e-14 for k in range(len(given))
        )

    whole = [sum(row) for row in terms]
    everything = range(len(paths))
    for size in range(1, len(paths)):
        for gone in itertools.combinations(everything, size):
            if fits(lambda k: whole[k] - sum(terms[k][i] for i in gone)):
                return _missing(program, paths, gone)
    for i in everything:
        if len(paths) > 1 and fits(lambda k: whole[k] + terms[k][i]):
            return "double path", f"the path {_words(program, paths[i])} is counted twice"
        if len(paths) > 1 and fits(lambda k: whole[k] - 0.5 * terms[k][i]):
            return "factor", f"a factor 2 is missing in the term of the path {_words(program, paths[i])}"
        if len(paths) > 1 and fits(lambda k: whole[k] - 2.0 * terms[k][i]):
            return "sign", f"the sign of the term of the path {_words(program, paths[i])} is wrong"
    edges = sorted({edge for path in paths for edge in path})
    for edge in edges:
        if fits(lambda k: sum(_without(partials[k][j], paths[j], edge) for j in everything)):
            return "inner derivative", f"the factor {_edge(program, edge)} is missing"
    for i in everything:
        for edge in paths[i]:
            if fits(lambda k: whole[k] - terms[k][i] + _without(partials[k][i], paths[i], edge)):
                return "inner derivative", f"the factor {_edge(program, edge)} is missing in the path {_words(program, paths[i])}"
    return None


def _number(x: Any) -> float:
    return x if isinstance(x, float) else math.nan


def _without(factors: Sequence[float], path: Sequence[tuple[int, int]], edge: tuple[int, int]) -> float:
    return math.prod(factor for factor, step in zip(factors, path, strict=True) if step != edge)


def _edge(program: Program, edge: tuple[int, int]) -> str:
    node, operand = program.nodes[edge[0]], program.nodes[edge[0]].operands[edge[1]]
    return f"d{node.name}/d{operand.text}" + (f" = {operand.formula}" if operand.formula else "")


def _named(program: Program, path: Sequence[tuple[int, int]]) -> tuple[str, ...]:
    """The values with names of the caller's along a path, from the source up."""
    inner = [program.nodes[i] for i, _ in path]
    return tuple(node.name for node in reversed(inner) if node.named)


def _words(program: Program, path: Sequence[tuple[int, int]]) -> str:
    last, place = path[-1]
    return " -> ".join([program.nodes[last].operands[place].text, *(program.nodes[i].name for i, _ in reversed(path))])


def _missing(program: Program, paths: Sequence[Sequence[tuple[int, int]]], gone: Sequence[int]) -> tuple[str, str]:
    """A path is missing where the named values along it tell it from those that are there; otherwise a term was dropped."""
    there = {_named(program, path) for i, path in enumerate(paths) if i not in gone}
    listed = ", ".join(_words(program, paths[i]) for i in gone)
    if all(_named(program, paths[i]) not in there for i in gone):
        return "missed path", f"the path{'s' * (len(gone) > 1)} {listed} {'are' if len(gone) > 1 else 'is'} missing"
    return "dropped term", f"the term{'s' * (len(gone) > 1)} of {listed} {'are' if len(gone) > 1 else 'is'} missing"


def _by_readers(
    program: Program, values: Sequence[np.ndarray], points: Sequence[Point], target: int, source: int, tolerance: float
) -> tuple[str, str] | None:
    """Arrays: what one of the operations that read the value sends back is missing, doubled, or of the wrong sign."""
    if np.shape(points[0].built.values[target]):
        return None
    sent = [
        [(u, place, np.asarray(term)) for u, place, v, term in point.sweeps.terms(target)[1] if v == source] for point in points
    ]
    count = len(sent[0])
    if not 1 <= count <= _PATHS:
        return None
    whole = [sum(term for _, _, term in terms) for terms in sent]
    for i, (u, place, _) in enumerate(sent[0]):
        turned = [_turned(program, point, u, place, target) for point in points]
        if all(
            t is not None and close(values[k], np.asarray(whole[k] - sent[k][i][2] + t), tolerance) for k, t in enumerate(turned)
        ):
            reader = program.nodes[u]
            return "transpose", f"a transpose is missing in what comes back through {reader.name} = {reader.formula}"
    if count == 1:
        return None
    for size in range(1, count):
        for gone in itertools.combinations(range(count), size):
            if all(
                close(values[k], np.asarray(whole[k] - sum(sent[k][i][2] for i in gone)), tolerance) for k in range(len(values))
            ):
                readers = [program.nodes[u] for u in sorted({sent[0][i][0] for i in gone})]
                return "missed path", f"what comes back through {', '.join(f'{r.name} = {r.formula}' for r in readers)} is missing"
    for words, mistake, change in (("is counted twice", "double path", 1.0), ("has the wrong sign", "sign", -2.0)):
        for i in range(count):
            if all(close(values[k], np.asarray(whole[k] + change * sent[k][i][2]), tolerance) for k in range(len(values))):
                reader = program.nodes[sent[0][i][0]]
                return mistake, f"what comes back through {reader.name} = {reader.formula} {words}"
    return None


def _turned(program: Program, point: Point, u: int, place: int, target: int) -> np.ndarray | None:
    """What a reader would send back if its rule had no transpose in it; None where it has none, or the shapes do not fit."""
    sent = program.nodes[u].operands[place].pullback
    if ".T" not in sent:
        return None
    values = {node.name: value for node, value in zip(program.nodes, point.built.values, strict=True)}
    try:
        return np.asarray(evaluate(sent.replace(".T", ""), {**values, "ct": point.sweeps.terms(target)[0][u]}, program, point))
    except (ValueError, NameError, TypeError):
        return None

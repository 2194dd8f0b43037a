"""Formulas of operations on whole arrays: the operation itself, its tangent, and what it sends back to each operand.

    operation          tangent                                   adjoint, over ct, the adjoint of the result
    A @ x              dA @ x + A @ dx                           outer(ct, x)          A.T @ ct
    sum(X, axis=0)     sum(dX, axis=0)                           outer(ones(m), ct)
    prod(v)            prod(v)*sum(dv/v)                         ct*prod(v)/v
    var(v)             2*mean((v - mean(v))*dv)                  2*ct*(v - mean(v))/n
    where(c, x, y)     where(c, dx, dy)                          where(c, ct, 0)       where(c, 0, ct)
    cumsum(v)          cumsum(dv)                                flip(cumsum(flip(ct)))
    einsum(s, X, w)    einsum(s, dX, w) + einsum(s, X, dw)       einsum of ct and the others

Each operation states its lines once, from what the tape knows of the call. A line that would not hold at these values (a product
with a zero in it, the inverse of a singular matrix) is left out, "", and the derivative is then only named. What moves elements
without computing anything has a file of its own (:mod:`dualad.explanation.moves`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from .algebra import fill
from .conditions import condition_text
from .formulas import call_formula
from .lines import Lines, Site, one_operand, reduced
from .reduction_formulas import REDUCTIONS, keywords

__all__ = ["array_lines"]


def array_lines(site: Site) -> Lines:
    """The lines of an array operation; only its formula where no others are known.

    Examples
    --------
    >>> import numpy as np
    >>> from types import SimpleNamespace
    >>> from dualad.explanation.array_formulas import array_lines
    >>> from dualad.explanation.lines import Site
    >>> A, x = np.ones((3, 2)), np.ones(2)
    >>> call = SimpleNamespace(values=[A, x], out=A @ x, params={}, single=True)
    >>> lines = array_lines(Site("matmul", call, ("A", "x"), (True, True)))
    >>> lines.tangents, lines.adjoints
    (('dA @ x', 'A @ dx'), ('outer(ct, x)', 'A.T @ ct'))
    """
    rule = _LINES.get(site.operation)
    found = rule(site) if rule is not None else None
    if found is not None:
        return found
    formula = call_formula(site.operation, site.texts, keywords(site))
    return Lines(formula if site.call.single else f"{formula}[{site.which}]")


# ---- products --------------------------------------------------------------------------------------------------------


def _linear(site: Site, build: Callable[[Sequence[str]], str], adjoint: Callable[[int], str]) -> Lines:
    """An operation that is linear in each operand: its tangent is itself, with one operand's tangent in the operand's place."""
    return site.lines(build(site.texts), lambda i: build(site.moved(i)), adjoint)


def _matmul(site: Site) -> Lines:
    a, b = site.texts
    ranks = len(site.shapes[0]), len(site.shapes[1])
    lines = {
        (1, 1): ("ct*b", "ct*a"),
        (2, 1): ("outer(ct, b)", "a.T @ ct"),
        (1, 2): ("b @ ct", "outer(a, ct)"),
        (2, 2): ("ct @ b.T", "a.T @ ct"),
    }.get(ranks, ("", ""))
    if ranks[0] == ranks[1] > 2 and site.shapes[0][:-2] == site.shapes[1][:-2]:
        lines = ("ct @ swapaxes(b, -1, -2)", "swapaxes(a, -1, -2) @ ct")
    return _linear(site, lambda texts: call_formula("matmul", texts), lambda i: fill(lines[i], a=a, b=b) if lines[i] else "")


def _outer(site: Site) -> Lines:
    a, b = site.texts
    return _linear(site, lambda texts: call_formula("outer", texts), lambda i: fill("a @ ct", a=a) if i else fill("ct @ b", b=b))


def _einsum(site: Site) -> Lines | None:
    letters, out = site.params["letters"], site.params["out"]
    if letters == ((0,), (0,)) and not out:
        return _matmul(site)
    if site.params.get("missing"):
        return None
    names: dict[int, str] = {}
    for letter in (*(s for own in letters for s in own), *out):
        names.setdefault(letter, "ijklmnopqrstuvwxyzabcdefgh"[len(names) % 26])
    sizes: dict[int, int] = {}
    for own, shape in zip(letters, site.shapes, strict=True):
        for letter, n in zip(own, shape, strict=True):
            if sizes.setdefault(letter, n) != n:  # an axis of length 1 that is repeated
                return Lines(_contraction(letters, out, names, site.texts))

    def adjoint(i: int) -> str:
        specs, others = [out, *letters[:i], *letters[i + 1 :]], ["ct", *site.texts[:i], *site.texts[i + 1 :]]
        target: list[int] = []
        for letter in letters[i]:
            if letter in target:  # a repeated letter: a diagonal
                fresh = max(names) + 1
                names[fresh] = "ijklmnopqrstuvwxyzabcdefgh"[len(names) % 26]
                specs.append((letter, fresh))
                others.append(f"eye({sizes[letter]})")
                target[target.index(letter)] = fresh
            target.append(letter)
        if not out and len(others) == 2 and (specs[1] == tuple(target) or (len(target) == 2 and others[1].startswith("eye("))):
            return fill("ct*b", b=others[1])
        for letter in target:
            if not any(letter in spec for spec in specs):
                specs.append((letter,))
                others.append(f"ones({sizes[letter]})")
        return _contraction(specs, target, names, others)

    return _linear(site, lambda texts: _contraction(letters, out, names, texts), adjoint)


def _contraction(letters: Sequence[Sequence[int]], out: Sequence[int], names: Mapping[int, str], texts: Sequence[str]) -> str:
    subscripts = ",".join("".join(names[s] for s in own) for own in letters)
    return f"einsum('{subscripts}->{''.join(names[s] for s in out)}', {', '.join(texts)})"


# ---- choosing --------------------------------------------------------------------------------------------------------


def _where(site: Site) -> Lines:
    condition = condition_text(site.params["condition"], site) or "..."
    first = site.traced.index(True)
    moved = [f"d{text}" if traced else "0" for text, traced in zip(site.texts, site.traced, strict=True)]
    joint = f"where({condition}, {', '.join(moved)})"
    sides = (f"where({condition}, ct, 0)", f"where({condition}, 0, ct)")
    return site.lines(
        f"where({condition}, {', '.join(site.texts)})",
        lambda i: joint if i == first else "0",
        lambda i: reduced(sides[i], np.shape(site.out), site.shapes[i]),
    )


# ---- linear algebra --------------------------------------------------------------------------------------------------


def _square(site: Site) -> bool:
    return np.ndim(site.x) == 2 and bool(np.all(np.isfinite(site.out)))


def _inv(site: Site) -> Lines | None:
    (a,) = site.texts
    return one_operand(f"inv({a})", f"-inv({a}) @ d{a} @ inv({a})", f"-inv({a}).T @ ct @ inv({a}).T") if _square(site) else None


def _det(site: Site) -> Lines | None:
    (a,) = site.texts
    if not _square(site) or site.out == 0.0:  # the formula needs the inverse
        return None
    return one_operand(f"det({a})", f"det({a})*trace(inv({a}) @ d{a})", f"ct*det({a})*inv({a}).T")


def _slogdet(site: Site) -> Lines | None:
    (a,) = site.texts
    formula = f"slogdet({a})[{site.which}]"
    if np.ndim(site.x) != 2 or not np.isfinite(site.call.out[1]):
        return None
    if site.which == 0:
        return one_operand(formula, "0", "0*ct")
    return one_operand(formula, f"trace(inv({a}) @ d{a})", f"ct*inv({a}).T")


def _solve(site: Site) -> Lines | None:
    a, b = site.texts
    ranks = tuple(map(len, site.shapes))
    if ranks not in ((2, 1), (2, 2)):
        return None
    formula, back = f"solve({a}, {b})", f"solve({a}.T, ct)"
    first = f"-outer({back}, {formula})" if ranks[1] == 1 else f"-{back} @ {formula}.T"
    return site.lines(
        formula,
        lambda i: f"solve({a}, d{b})" if i else f"-solve({a}, d{a} @ {formula})",
        lambda i: back if i else first,
    )


def _linspace(site: Site) -> Lines | None:
    num, end = site.params["num"], site.params["endpoint"]
    words = f", {num}" + ("" if end else ", endpoint=False")
    formula = f"linspace({', '.join(site.texts)}{words})"
    if any(site.shapes):
        return Lines(formula)
    first = site.traced.index(True)
    moved = [f"d{text}" if traced else "0" for text, traced in zip(site.texts, site.traced, strict=True)]
    ends = ("1, 0", "0, 1")
    return site.lines(
        formula,
        lambda i: f"linspace({', '.join(moved)}{words})" if i == first else "0",
        lambda i: f"sum(ct*linspace({ends[i]}{words}))",
    )


_LINES: dict[str, Callable[[Site], Lines | None]] = {
    **REDUCTIONS,
    "matmul": _matmul,
    "dot": _matmul,
    "outer": _outer,
    "einsum": _einsum,
    "where": _where,
    "inv": _inv,
    "det": _det,
    "slogdet": _slogdet,
    "solve": _solve,
    "linspace": _linspace,
}

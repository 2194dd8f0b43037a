"""Formulas of operations that take axes away or run along one: sum, prod, var, max, norm, cumsum and their like."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from .algebra import fill
from .conditions import condition_text
from .formulas import call_formula
from .lines import Lines, Site, axes_of, expanded, one_operand, repeated

__all__ = ["REDUCTIONS", "keywords"]


def keywords(site: Site) -> str:
    """What a call says after its operands: the axes of a reduction, the divisor of var."""
    params = site.params
    axis = params.get("axis")
    known = isinstance(axis, (int, tuple)) and np.ndim(site.x) > 1
    first, ddof, where = params.get("initial"), params.get("ddof", 0), params.get("where", True)
    return (
        (f", axis={axis}" if known else "")
        + (f", ddof={ddof}" if ddof else "")
        + (", keepdims=True" if params.get("keepdims") is True else "")
        + (f", initial={first:.6g}" if isinstance(first, (int, float)) else "")
        + ("" if where is True else f", where={condition_text(where, site) or '...'}")
    )


class _Reduction:
    """A reduction's axes in text: over all of an array, or some axes of it."""

    def __init__(self, site: Site) -> None:
        self.site, self.text = site, site.texts[0]
        shape = site.shapes[0]
        self.axes = axes_of(site.params.get("axis"), len(shape)) if shape else []
        self.whole = len(self.axes) == len(shape)
        self.keepdims = site.params.get("keepdims") is True
        self.count = math.prod(shape[a] for a in self.axes)
        self.formula = call_formula(site.operation, site.texts, keywords(site))

    def of(self, function: str, inner: str, kept: bool = False) -> str:
        """Another reduction over the same axes; `kept`: so that it meets the array again."""
        axis = self.axes[0] if len(self.axes) == 1 else tuple(self.axes)
        leading = self.axes == list(range(len(self.axes)))
        words = ("" if self.whole else f", axis={axis}") + (
            ", keepdims=True" if self.keepdims or (kept and not self.whole and not leading) else ""
        )
        return f"{function}({inner}{words})"

    def spread(self, text: str) -> str:
        """A value of the result's shape so that it meets the array."""
        return text if self.whole or self.keepdims else expanded(text, self.axes)


def _plain(site: Site, *names: str) -> bool:
    """Does a reduction count every element, with no first value?"""
    return site.params.get("where", True) is True and all(site.params.get(name) is None for name in (*names, "initial", "dtype"))


def _sum(site: Site) -> Lines | None:
    r = _Reduction(site)
    where = site.params.get("where", True)
    if where is True:
        tangent = call_formula("sum", site.moved(0), keywords(site).partition(", initial=")[0])
        return one_operand(r.formula, tangent, repeated(site.shapes[0], site.params["axis"], r.keepdims))
    mask = condition_text(where, site)
    if not mask or np.shape(where) != site.shapes[0]:
        return None
    return one_operand(r.formula, call_formula("sum", site.moved(0), keywords(site)), f"where({mask}, {r.spread('ct')}, 0)")


def _prod(site: Site) -> Lines | None:
    r, (x,) = _Reduction(site), site.texts
    if not _plain(site):
        return None
    if np.all(site.x):
        return one_operand(r.formula, fill("p*s", p=r.formula, s=r.of("sum", fill("d/x", d=f"d{x}", x=x))),
                    fill("c/x", c=r.spread(fill("ct*p", p=r.formula)), x=x))  # fmt: skip
    if np.ndim(site.x) != 1 or not 2 <= np.size(site.x) <= 4:
        return None
    others = ["*".join(fill(f"x[{j}]", x=x) for j in range(len(site.x)) if j != i) for i in range(len(site.x))]
    return one_operand(r.formula, " + ".join(f"{rest}*d{x}[{i}]" for i, rest in enumerate(others)), f"ct*[{', '.join(others)}]")


def _var(site: Site) -> Lines | None:
    r, (x,) = _Reduction(site), site.texts
    ddof = site.params.get("ddof", 0)
    root = site.operation == "std"
    n = r.count - ddof
    if not _plain(site) or n <= 0 or (root and not np.all(site.out)):
        return None
    deviation = fill("x - m", x=x, m=r.of("mean", x, kept=True))
    tangent = r.of("sum" if ddof else "mean", fill("e*d", e=deviation, d=f"d{x}"))
    tangent, adjoint = (f"{tangent}/{n:g}" if ddof else tangent), fill("c*e/n", c=r.spread("ct"), e=deviation, n=f"{n:g}")
    if not root:
        return one_operand(r.formula, f"2*{tangent}", f"2*{adjoint}")
    words = f"{x}, ddof={ddof}" if ddof else x
    pulled = fill("c*e/(n*s)", c=r.spread("ct"), e=deviation, n=f"{n:g}", s=r.of("std", words, kept=True))
    return one_operand(r.formula, fill("t/s", t=tangent, s=r.formula), pulled)


def _tied(site: Site) -> Lines | None:
    """max and min where several elements attain them: the even part of each (one alone is picked, as by an index)."""
    r, (x,) = _Reduction(site), site.texts
    if not _plain(site) or not np.all(np.isfinite(site.x)):
        return None
    mask = fill("x == m", x=x, m=r.of(site.operation, x, kept=True))
    if r.whole and not r.keepdims:
        ties = np.count_nonzero(np.equal(site.x, site.out))
        return one_operand(r.formula, f"mean({fill('d[m]', d=f'd{x}', m=mask)})", f"where({mask}, ct/{ties}, 0)")
    ties_of = r.of("sum", mask)
    return one_operand(r.formula, fill("s/n", s=r.of("sum", f"where({mask}, d{x}, 0)"), n=ties_of),
                f"where({mask}, {r.spread(f'ct/{ties_of}')}, 0)")  # fmt: skip


def _log_sum(site: Site) -> Lines | None:
    r, (x,) = _Reduction(site), site.texts
    if not _plain(site) or not np.all(np.isfinite(site.out)):
        return None
    share = fill("exp(x - s)", x=x, s=r.of(site.operation, x, kept=True))
    return one_operand(r.formula, r.of("sum", fill("e*d", e=share, d=f"d{x}")), fill("c*e", c=r.spread("ct"), e=share))


def _norm(site: Site) -> Lines | None:
    p, axes, (x,) = site.params["p"], site.params["axes"], site.texts
    ndim = np.ndim(site.x)
    axis = axes_of(tuple(axes), ndim) if ndim else []
    whole = len(axis) == ndim
    fro = p == 2 or (site.params["kind"] == "spectral" and p == "nuc")
    order = "" if fro and p == 2 and site.params["kind"] == "vector" else f", {p!r}" if isinstance(p, str) else f", {p:g}"
    keep = site.params["keepdims"]
    words = order + ("" if whole else f", axis={axis[0] if len(axis) == 1 else tuple(axis)}") + ", keepdims=True" * keep
    formula = f"norm({x}{words})"
    if site.params["kind"] != "vector" or not np.all(site.out) or not np.all(np.isfinite(site.out)):
        return Lines(formula)
    over = "" if whole else f", axis={axis[0] if len(axis) == 1 else tuple(axis)}"
    over += ", keepdims=True" * keep
    meets = formula if whole or keep else f"norm({x}{words}, keepdims=True)"
    if p == 2:
        back = fill("c*x", c=f"expand_dims(ct/{formula}, {axis[0] if len(axis) == 1 else tuple(axis)})", x=x)
        return one_operand(formula, f"sum({fill('x*d', x=x, d=f'd{x}')}{over})/{formula}",
                    fill("ct*x/n", x=x, n=formula) if whole or keep else back)  # fmt: skip
    spread = "ct" if whole or keep else expanded("ct", axis)
    if p == 1:
        direction = f"sign({x})"
    elif p != 0 and math.isfinite(p) and np.all(site.x):
        direction = fill("sign(x)*(absolute(x)/n)**p", x=x, n=meets, p=f"{p - 1:g}")
    elif math.isinf(p) and whole:
        best = f"absolute({x}) == {meets}"
        ties = np.count_nonzero(np.abs(site.x) == np.ravel(site.out)[0])
        even = f"/{ties}" if ties > 1 else ""
        return one_operand(formula, f"sum(where({best}, {fill('sign(x)*d', x=x, d=f'd{x}')}, 0){over}){even}",
                    f"where({best}, {fill('c*sign(x)', c='ct', x=x)}{even}, 0)")  # fmt: skip
    else:
        return Lines(formula)
    return one_operand(formula, f"sum({fill('e*d', e=direction, d=f'd{x}')}{over})", fill("c*e", c=spread, e=direction))


# ---- running sums and products ---------------------------------------------------------------------------------------


def _running(site: Site) -> Lines | None:
    (x,), ndim = site.texts, np.ndim(site.x)
    axis = site.params["axis"] % ndim
    over, flipped = ("", "") if ndim == 1 else (f", axis={axis}", f", {axis}")
    formula = call_formula(site.operation, site.texts, over)

    def back(text: str) -> str:
        return f"flip(cumsum(flip({text}{flipped}){over}){flipped})"

    if site.operation == "cumsum":
        return one_operand(formula, f"cumsum(d{x}{over})", back("ct"))
    if not np.all(site.x):
        return Lines(formula)
    return one_operand(formula, fill("p*s", p=formula, s=f"cumsum({fill('d/x', d=f'd{x}', x=x)}{over})"),
                fill("s/x", s=back(fill("ct*p", p=formula)), x=x))  # fmt: skip


REDUCTIONS: dict[str, Callable[[Site], Lines | None]] = {
    "sum": _sum,
    "prod": _prod,
    "var": _var,
    "std": _var,
    "max": _tied,
    "min": _tied,
    "logaddexp.reduce": _log_sum,
    "norm": _norm,
    "cumsum": _running,
    "cumprod": _running,
}

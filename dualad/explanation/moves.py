"""Formulas of operations that only move elements: indexing, concatenate, stack, roll, flip, transpose, tile, diag and their like.

The tape knows such an operation as a function that puts elements into other places. What the caller called it, and with what, is
read off that function; its text is believed only if NumPy, given that text, moves the elements in the same way.

The adjoint moves them back. Several texts are tried, from the simplest on, and the first one is taken that gives what the rule
gives:

    concatenate([u, v])    ct[:3]           ct[3:]
    stack([u, v])          ct[0]            ct[1]
    roll(v, 1)             roll(ct, -1)
    X.T                    ct.T
    X[1]                   place(ct, X[1])

``place(ct, X[1])`` is an array of zeros like X with ct put where X[1] is, added up where an element is taken several times.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from .algebra import parse, substitute, text_of
from .conditions import condition_text
from .lines import Lines, Site, reduced

__all__ = ["PLACE", "move_lines", "move_name"]

#: arrays with more elements than this are not moved again to test a text
_LARGEST = 10_000
#: index arrays up to this many numbers are written out
_FEW = 6
#: what a reader of `place` is told
PLACE = "place(c, x[i]) is zero but for c where x[i] is"

#: names that formulas use -> NumPy's functions
_NUMPY = {
    name: getattr(np, name)
    for name in (
        "append array block broadcast_to column_stack compress concatenate delete diag diagflat diagonal dstack expand_dims "
        "extract flip fliplr flipud hstack insert matrix_transpose moveaxis pad permute_dims ravel repeat reshape resize roll "
        "rollaxis rot90 squeeze split array_split hsplit vsplit dsplit unstack stack sum swapaxes take take_along_axis tile "
        "transpose tril triu vstack argsort max min zeros"
    ).split()
}

Build = Callable[[Sequence[str]], str]


def move_name(call: Any) -> str:
    """What a call that moves elements is called: "reshape", "index", "concatenate"; "pick" where that cannot be told."""
    held = _held(call)
    written = getattr(call.params["moves"].rebuild, "__qualname__", "pick").split(".")[0]
    known = str(getattr(held.get("f"), "__name__", written.removesuffix("_traced").lstrip("_")))
    if not call.single:
        return known
    shape, out = np.shape(call.values[0]), np.shape(call.out)
    if len(call.values) > 1:
        return "array" if known in ("stack", "pack") and not any(map(np.ndim, call.values)) else known
    if np.size(call.values[0]) == np.size(call.out) and np.size(call.out) <= _LARGEST:
        numbers = np.arange(float(np.size(call.out))).reshape(shape)
        moved = np.asarray(_again(call, [numbers]))
        if shape != out and np.array_equal(np.ravel(moved), np.ravel(numbers)):
            return "reshape"
        if len(shape) == 2 and np.array_equal(moved, numbers.T):
            return "transpose"
    if "key" in held:
        return "index"
    return known if known.isidentifier() else "pick"


def _again(call: Any, leaves: Sequence[Any], which: int = 0) -> Any:
    found = call.primitive.impl(*leaves, **call.params)
    return found if call.single else found[which]


def _held(call: Any) -> dict[str, Any]:
    """What the function that moves the elements holds: the index, or NumPy's function and its arguments."""
    rebuild = call.params["moves"].rebuild
    code, cells = getattr(rebuild, "__code__", None), getattr(rebuild, "__closure__", None)
    return {} if code is None or not cells else dict(zip(code.co_freevars, (cell.cell_contents for cell in cells), strict=True))


def move_lines(site: Site, contributions: Callable[[Any], Sequence[Any]]) -> Lines:
    """Formula, tangent and adjoints of an operation that moves elements.

    Parameters
    ----------
    site : Site
    contributions : callable
        What an adjoint of the result sends to each operand, by the rule.
    """
    build = _builder(site)
    formula = f"{site.operation}({', '.join(site.texts)})" + ("" if site.call.single else f"[{site.which}]")
    if build is not None:
        formula = _extremum(site) or build(site.texts)
    if np.size(site.out) > _LARGEST:
        return Lines(formula, *_by_formula(site, build))
    rng = np.random.default_rng(len(site.texts))
    ct = rng.normal(size=np.shape(site.out)) if np.shape(site.out) else float(rng.normal())
    sent = contributions(ct)
    adjoints = tuple(
        _first(_backwards(site, i, build), ct, g) if traced and g is not None else ""
        for i, (traced, g) in enumerate(zip(site.traced, sent, strict=True))
    )
    return Lines(formula, _by_formula(site, build)[0], adjoints)


def _extremum(site: Site) -> str:
    """max(v) where v[2] is picked for being the largest, as the caller's line says."""
    if site.operation != "index" or np.ndim(site.out):
        return ""
    for name in _named_extrema(site):
        if np.array_equal(site.out, getattr(np, name)(site.x)):
            return f"{name}({site.texts[0]})"
    return ""


def _named_extrema(site: Site) -> list[str]:
    return [name for name in ("max", "min") if any(site.names(prefix + name) for prefix in ("", "a", "nan"))]


def _by_formula(site: Site, build: Build | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Tangents by the operation itself, for all operands together; adjoints by `place`, for one operand."""
    if build is None:
        return (), ()
    first = site.traced.index(True)
    zeros = map(_zero, site.shapes)
    moved = [f"d{text}" if traced else zero for text, traced, zero in zip(site.texts, site.traced, zeros, strict=True)]
    tangents = tuple(build(moved) if i == first else "0" if traced else "" for i, traced in enumerate(site.traced))
    return tangents, (f"place(ct, {build(site.texts)})",) if len(site.texts) == 1 else ()


def _zero(shape: tuple[int, ...]) -> str:
    return f"zeros({shape[0] if len(shape) == 1 else shape})" if shape else "0"


# ---- the operation itself --------------------------------------------------------------------------------------------


def _builder(site: Site) -> Build | None:
    """The formula as a function of its operands' texts; None where no text is found that moves the elements as the call does."""
    leaves = [np.arange(1.0, 1 + np.size(v)).reshape(np.shape(v)) + 1000.0 * i for i, v in enumerate(site.call.values)]
    if sum(map(np.size, leaves)) > _LARGEST:
        leaves = []
    names = [f"_{i}" for i in range(len(site.texts))]
    for one in _forwards(site):
        build = one if site.call.single else _entry_of(one, site.which)
        try:
            if not leaves:
                return build
            found = _evaluate(build(names), {**site.space, **dict(zip(names, leaves, strict=True))})
            parse(build(site.texts))
        except (TypeError, ValueError, IndexError, SyntaxError, NameError, AttributeError):
            continue
        if np.shape(found) == np.shape(site.out) and np.array_equal(found, _again(site.call, leaves, site.which)):
            return build
    return None


def _entry_of(build: Build, which: int) -> Build:
    return lambda texts: f"{build(texts)}[{which}]"


def _evaluate(text: str, space: Mapping[str, Any]) -> Any:
    """A text of this file over values by their names, x[0] and p['w'] among them."""
    keys = {name: f"_value{i}" for i, name in enumerate(space)}
    tree = substitute(parse(text), {ast.unparse(parse(name)): ast.Name(key, ast.Load()) for name, key in keys.items()})
    code = compile(ast.fix_missing_locations(ast.Expression(tree)), "formula", "eval")
    return eval(code, dict(_NUMPY), {keys[name]: value for name, value in space.items()})


def _forwards(site: Site) -> Iterator[Build]:
    held = _held(site.call)
    out = np.shape(site.out)
    if site.operation == "transpose":
        yield lambda texts: f"{_tight(texts[0])}.T"
    if site.operation == "reshape":
        yield lambda texts: f"reshape({texts[0]}, {out})"
    if "key" in held:
        key = _key(held["key"], site)
        if key:
            yield lambda texts: f"{_tight(texts[0])}[{key}]"
    if len(site.texts) > 1 and not any(site.shapes):
        yield lambda texts: f"array([{', '.join(texts)}])"
    if "axis" in held and "f" not in held:
        over = f", axis={held['axis']}" if held["axis"] else ""
        yield lambda texts: f"stack([{', '.join(texts)}]{over})"
    if site.operation == "pad" and "width" in held:
        width = held["width"] if isinstance(held["width"], int) else np.asarray(held["width"]).tolist()
        yield lambda texts: f"pad({texts[0]}, {width})"
    if {"f", "given", "kwargs", "places"} <= held.keys():
        yield from _calls(held, site)


def _tight(text: str) -> str:
    """A text that an index or .T can follow."""
    return text_of(parse(f"({text})[0]")).removesuffix("[0]")


def _calls(held: dict[str, Any], site: Site) -> Iterator[Build]:
    """A call of NumPy's function with the caller's arguments."""
    name = held["f"].__name__
    places = {(id(holder), key): (at, n) for holder, key, at, n in held["places"]}

    def argument(holder: Any, key: Any, texts: Sequence[str]) -> str:
        if (id(holder), key) in places:
            at, n = places[id(holder), key]
            return texts[at] if n is None else f"[{', '.join(texts[at : at + n])}]"
        return _argument(holder[key], site)

    def shortened(count: int) -> Build:
        def build(texts: Sequence[str]) -> str:
            words = [argument(held["given"], i, texts) for i in range(count)]
            words += [f"{key}={argument(held['kwargs'], key, texts)}" for key in held["kwargs"] if count == len(held["given"])]
            return f"{name}({', '.join(words)})"

        return build

    if name == "take_along_axis" and len(site.texts) == 1:  # sorting is one permutation of each row
        x, axis = np.asarray(site.x), held["given"][2] if len(held["given"]) > 2 else -1
        index = np.asarray(held["given"][1])
        if index.shape == x.shape and np.array_equal(index, np.argsort(x, axis=axis, kind="stable")):
            (own,) = site.texts
            if x.ndim == 1:
                yield lambda texts: f"{_tight(texts[0])}[argsort({own})]"
            else:
                yield lambda texts: f"take_along_axis({texts[0]}, argsort({own}, axis={axis % x.ndim}), axis={axis % x.ndim})"
    for count in range(1, len(held["given"]) + 1):  # without the arguments that change nothing
        yield shortened(count)


def _argument(x: Any, site: Site) -> str:
    if isinstance(x, np.ndarray):
        for name, value in site.space.items():
            if value is x or (isinstance(value, np.ndarray) and value.shape == x.shape and np.array_equal(value, x)):
                return name
        return repr(x.tolist()) if x.size <= _FEW else "..."
    return repr(x)


def _key(key: Any, site: Site) -> str:
    """An index as it stands between brackets; "" where it is too long."""
    parts = [_entry(k, site) for k in (key if isinstance(key, tuple) else (key,))]
    return "" if "" in parts else ", ".join(parts) or "()"


def _entry(k: Any, site: Site) -> str:
    if isinstance(k, slice):
        ends = ["" if end is None else str(end) for end in (k.start, k.stop)]
        return ":".join(ends + ([] if k.step is None else [str(k.step)]))
    if k is None or k is ...:
        return "None" if k is None else "..."
    if isinstance(k, (int, np.integer)) and not isinstance(k, bool):
        return str(int(k))
    a = np.asarray(k)
    if a.dtype == bool:
        return _extreme(a, site) or condition_text(a, site) or (str(a.tolist()) if a.ndim == 1 and a.size <= _FEW else "")
    return _argument(k if isinstance(k, np.ndarray) else a, site).replace("...", "")


def _extreme(mask: np.ndarray, site: Site) -> str:
    """The mask of the largest or smallest element of each row."""
    x, (text,) = np.asarray(site.x), site.texts
    if mask.shape != x.shape:
        return ""
    for name in _named_extrema(site):
        for axis in range(x.ndim):
            if np.array_equal(mask, x == getattr(np, name)(x, axis=axis, keepdims=True)):
                over = "" if x.ndim == 1 else f", axis={axis}, keepdims=True"
                return f"{text} == {name}({text}{over})"
    return ""


# ---- back ------------------------------------------------------------------------------------------------------------


def _first(texts: Iterator[str], ct: Any, sent: Any) -> str:
    """The first text that gives what the rule sends; `place` is what the rule does, said in words."""
    for text in texts:
        if text.startswith("place("):
            return text
        try:
            found = _evaluate(text, {"ct": ct})
        except (TypeError, ValueError, IndexError, SyntaxError, NameError, AttributeError):
            continue
        if np.shape(found) == np.shape(sent) and np.allclose(found, sent, rtol=1e-12, atol=1e-13):
            return text
    return ""


def _backwards(site: Site, place: int, build: Build | None) -> Iterator[str]:
    out, shape = np.shape(site.out), site.shapes[place]
    if len(site.texts) == 1:
        if len(out) == 2:
            yield "ct.T"
        yield f"reshape(ct, {shape})"
        yield from _inverse(site)
        if len(out) >= len(shape) and out != shape:
            yield reduced("ct", out, shape) if _broadcasts(shape, out) else ""
    box = _box(site, place)
    if box:
        yield f"ct[{box}]"
        yield f"reshape(ct[{box}], {shape})"
    if build is not None and len(site.texts) == 1:
        yield f"place(ct, {build(site.texts)})"


def _inverse(site: Site) -> Iterator[str]:
    """The same function on ct, or the one that undoes it."""
    held = _held(site.call)
    name = site.operation
    if "given" not in held or name not in _NUMPY:
        if "key" in held and isinstance(held["key"], slice) and held["key"].step == -1:
            yield "flip(ct)"
        return
    given = [_argument(x, site) for x in held["given"][1:]]
    words = [f"{key}={_argument(x, site)}" for key, x in held["kwargs"].items() if not isinstance(x, np.ndarray) or key != "a"]
    yield f"{name}({', '.join(['ct', *given, *words])})"
    if name == "roll":
        shift = held["given"][1] if len(held["given"]) > 1 else held["kwargs"].get("shift")
        back = tuple(-s for s in shift) if isinstance(shift, tuple) else -shift
        rest = [_argument(x, site) for x in held["given"][2:]] + [word for word in words if not word.startswith("shift")]
        yield f"roll({', '.join(['ct', str(back), *rest])})"
    if np.ndim(site.out) == np.ndim(site.x):
        axes = np.argsort(np.array(_axes_moved(site), dtype=int))
        yield f"transpose(ct, {tuple(axes.tolist())})"
    yield "diag(ct)"


def _axes_moved(site: Site) -> list[int]:
    """Where each axis of the result comes from, if the operation is a transposition."""
    x = np.asarray(site.x)
    steps = _index(site)
    found = []
    for axis, n in enumerate(steps.shape):
        if n == 1:
            found.append(axis)
            continue
        step = int(np.take(steps, 1, axis).ravel()[0] - np.take(steps, 0, axis).ravel()[0])
        strides = [int(np.prod(x.shape[i + 1 :])) for i in range(x.ndim)]
        found.append(strides.index(step) if step in strides else axis)
    return found


def _index(site: Site) -> np.ndarray:
    """For each element of the result, the number of the element that it is (counted from 1 through all operands)."""
    found = site.call.params["moves"].index
    return np.asarray(found if site.call.single else found[site.which], dtype=np.int64)


def _broadcasts(shape: tuple[int, ...], out: tuple[int, ...]) -> bool:
    return all(n in (1, m) for n, m in zip(shape[::-1], out[::-1], strict=False))


def _box(site: Site, place: int) -> str:
    """The operand as a box of the result: its index, "" where it is none."""
    index = _index(site)
    sizes = [int(np.prod(shape)) for shape in site.shapes]
    low = sum(sizes[:place])
    at = np.argwhere((index > low) & (index <= low + sizes[place]))
    if len(at) != sizes[place] or not len(at) or not index.ndim:
        return ""
    first, last = at.min(axis=0), at.max(axis=0)
    if int(np.prod(last - first + 1)) != sizes[place]:
        return ""
    drop = index.ndim - len(site.shapes[place])
    words = []
    for a, b, n in zip(first.tolist(), last.tolist(), index.shape, strict=True):
        if a == b and drop > 0:
            words.append(str(a))
            drop -= 1
        else:
            words.append(f"{a or ''}:{'' if b == n - 1 else b + 1}")
    while len(words) > 1 and words[-1] == ":":
        words.pop()
    return ", ".join(words)

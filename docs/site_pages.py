"""What the site has besides the pages: navigation, API reference, the pages of the root folder, the gallery's figures.

    source-read     a page is read: links to what is no page become text, index pages get their navigation
    builder-inited  before any is read: docs/_generated/ is written (API reference, README and its like, figures)
"""

from __future__ import annotations

import importlib
import inspect
import math
import os
import re
import shutil
import sys
import textwrap
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

__all__ = ["navigation", "rewrite", "setup"]

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
GENERATED = DOCS / "_generated"

#: pages that live outside docs/ -> their place on the site
PROJECT = {"README.md": "readme", "CONTRIBUTING.md": "contributing", "CHANGELOG.md": "changelog", "benches/README.md": "benches",
           "examples/data/README.md": "data"}  # fmt: skip

#: the public modules, in the order of the reference
MODULES = ("dualad", "dualad.math", "dualad.numpy", "dualad.explanation", "dualad.layout", "dualad.teach", "dualad.teach.museum",
           "dualad.compare", "dualad.cost", "dualad.testing", "dualad.problems", "dualad.report", "dualad.plot")  # fmt: skip


# ---- links and navigation ------------------------------------------------------------------------------------------------------

LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)\s]+)\)")
FENCE = re.compile(r"(^```.*?^```$)", re.DOTALL | re.MULTILINE)


def rewrite(text: str, origin: Path, place: Path) -> str:
    """A page's links as they must be on the site.

    Parameters
    ----------
    text : str
    origin : Path
        Where the page lives, so what its links are relative to.
    place : Path
        Where the site has it, below docs/.
    """

    def one(match: re.Match[str]) -> str:
        label, target = match.groups()
        name, _, anchor = target.partition("#")
        if "://" in target or not name:
            return match[0]
        to = (origin.parent / name).resolve()
        known = PROJECT.get(to.relative_to(ROOT).as_posix())
        if known is not None:
            to = GENERATED / f"{known}.md"
        elif to.parent == DOCS / "gallery" and to.suffix == ".py" and origin.parent != to.parent:
            return shown(label, to, place)
        elif to.suffix != ".md" or not to.is_relative_to(DOCS):
            return f"{label} (`{to.relative_to(ROOT).as_posix()}`)"  # a source file or a folder: named, not linked
        return f"[{label}]({os.path.relpath(to, place.parent)}{'#' + anchor if anchor else ''})"

    parts = FENCE.split(text)
    return "".join(part if i % 2 else LINK.sub(one, part) for i, part in enumerate(parts))


def shown(label: str, script: Path, place: Path) -> str:
    """A link to a script of the gallery: on the site its picture, above a link to its entry there."""
    from gallery_figures import described

    figure = described(script)
    anchor = re.sub(r"[^\w\- ]", "", figure.title).strip().lower().replace(" ", "-")
    picture = os.path.relpath(GENERATED / "gallery" / f"{script.stem}.svg", place.parent)
    return f"[{label}]({os.path.relpath(DOCS / 'gallery' / 'index.md', place.parent)}#{anchor})\n\n![{figure.alt}]({picture})\n\n"


def navigation(text: str, extra: dict[str, list[str]] | None = None) -> str:
    """Hidden tables of contents for the links that stand in an index page's lists, one for each of its headings.

    Parameters
    ----------
    text : str
        Of the page.
    extra : dict
        Pages to add, by heading.
    """
    trees = []
    for section in re.split(r"^## ", re.sub(r"^# .*", "", text), flags=re.MULTILINE):  # the first is what stands before any
        heading, _, body = section.partition("\n")
        pages = re.findall(r"^(?:-|\d+\.) \[[^\]]+\]\(([\w./-]+)\.md\)", body, re.MULTILINE)
        pages += (extra or {}).get(heading.strip(), [])
        if pages:
            caption = f":caption: {heading.strip()}\n" if heading.strip() and extra is not None else ""
            trees.append("```{toctree}\n:hidden:\n" + caption + "\n" + "\n".join(dict.fromkeys(pages)) + "\n```\n")
    return "\n\n" + "\n".join(trees)


def read(app: Any, docname: str, source: list[str]) -> None:
    """A page as the site wants it."""
    place = DOCS / f"{docname}.md"
    if GENERATED in place.parents:
        return
    text = source[0]
    if docname == "gallery/index":
        text = gallery_page(text)
    text = rewrite(text, place, place)
    if docname == "index":
        text += navigation(text, {"Reference": [f"_generated/{name}" for name in ("benches", "contributing", "changelog")]})
    elif docname.endswith("/index"):
        text += navigation(text)
    elif docname == "api":
        text += "\n\n```{toctree}\n:hidden:\n\n" + "\n".join(f"_generated/{name}" for name in MODULES) + "\n```\n"
        for name in MODULES:
            text = text.replace(f"| `{name}` |", f"| [`{name}`](_generated/{name}.md) |")
    source[0] = text


# ---- API reference -------------------------------------------------------------------------------------------------------------

def documented(module: ModuleType) -> list[str]:
    """The names of a module that have a docstring of ours: constants are described by the module's, NumPy's names by NumPy."""
    names = []
    for name in {*getattr(module, "__all__", ()), *getattr(module, "_LAZY", ())}:  # the latter are loaded when first used
        value = getattr(module, name)
        if callable(value) and not (module.__name__ == "dualad.numpy" and hasattr(np, name)):
            names.append(name)
    return sorted(names, key=str.lower)


def api_page(name: str) -> str:
    """The page of a public module: its docstring and every function and class it exports."""
    module = importlib.import_module(name)
    parts = [f"# `{name}`\n", "```{eval-rst}", f".. automodule:: {name}", "   :no-members:", ""]
    for n in documented(module):
        kind = "autoclass" if inspect.isclass(getattr(module, n)) else "autofunction"
        arguments = (of_the_table(f"{name}.{n}") or ("",))[0]  # compiled functions have no signature to be read
        parts += [f".. {kind}:: {name}.{n}{arguments}", *(["   :members:"] if kind == "autoclass" else []), ""]
    return "\n".join([*parts, "```", ""])


def reference(app: Any, env: Any, node: Any, content: Any) -> Any:
    """A reference to what has no entry on the site: text, if there is such a thing in dualad; otherwise Sphinx warns."""
    if node.get("refdomain") != "py":
        return None
    target, here = node["reftarget"], node.get("py:module") or ""
    spelled = [target, f"{here}.{target}", f"{here}.{node.get('py:class')}.{target}"]
    if defined_in := getattr(sys.modules.get(here), "__file__", None):
        spelled += [f"{here}.{p.stem}.{target}" for p in Path(defined_in).parent.glob("*.py")]
    return content if any(exists(name) for name in spelled) else None


def exists(name: str) -> bool:
    """Is there an object of this name in dualad?"""
    if name.partition(".")[0] != "dualad":
        return False
    parts = name.split(".")
    for i in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:i]))
        except ImportError:
            continue
        for part in parts[i:]:
            found = getattr(found, part, None)
        return found is not None
    return False


def adapted(app: Any, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
    """A docstring as napoleon should read it.

    It takes the first line of a property for "type: text"; ours begin with a sentence. A module's table of its files, in columns,
    is to stay as it is. And the functions of dualad.math say their derivative in one line, which autodoc takes for a signature.
    """
    if what in ("property", "attribute") and lines:
        lines[0] = lines[0].replace(": ", " \N{EN DASH} ")
    if what == "module":
        lines[:] = "\n\n".join(map(columns, "\n".join(lines).split("\n\n"))).split("\n")
    if what == "function" and (said := of_the_table(name)):
        lines[:] = [said[1], ""]


def columns(paragraph: str) -> str:
    """A paragraph of a module's docstring, as a literal block if it is a table: indented, or in columns from line to line."""
    rows = paragraph.strip("\n").split("\n")
    aligned = [re.search(r"\S {2,}\S", row) is not None for row in rows]
    if ">>>" in paragraph or not (all(aligned) or (any(aligned) and all(row.startswith("    ") for row in rows))):
        return paragraph
    return "::\n\n" + textwrap.indent(textwrap.dedent("\n".join(rows)), "    ") + "\n"


def of_the_table(name: str) -> tuple[str, str] | None:
    """Arguments and description of a function of dualad.math, or of a ufunc that dualad.numpy adds; both are rows of the table."""
    module, _, short = name.rpartition(".")
    if module not in ("dualad.math", "dualad.numpy"):
        return None
    doc = getattr(importlib.import_module("dualad.math"), short).__doc__ or ""
    said = re.fullmatch(r"(\w+)(\(.*?\)): scalar, differentiable; (.*)", " ".join(doc.split()))
    if said is None:  # one that only looks at a value: Python's own words
        return "(x)", " ".join((doc or getattr(math, short).__doc__).split())
    row, arguments, partials = said.groups()
    shown = [f"``{partial}``" if len(partial) < 72 else f"{partial[:4]} on :doc:`the page of rules </rules>`"
             for partial in re.split(r"; (?=d/dy)", partials)]
    before = "Of arrays, element by element: " if module == "dualad.numpy" else f"The same as ``{row}``: " if row != short else ""
    return arguments, before + ", ".join(shown) + "."


# ---- gallery -------------------------------------------------------------------------------------------------------------------

def gallery_page(text: str) -> str:
    """The gallery with its pictures: each entry of the list becomes a picture, its words and its script."""
    from gallery_figures import described

    def one(match: re.Match[str]) -> str:
        name = match[1]
        figure = described(DOCS / "gallery" / f"{name}.py")
        return (f"### {figure.title}\n\n![{figure.alt}](../_generated/gallery/{name}.svg)\n\n{figure.caption}\n\n"
                f"<details>\n<summary>The script</summary>\n\n```python\n{figure.code}```\n\n</details>\n\n")

    return re.sub(r"^- \[[^\]]+\]\(([\w-]+)\.py\):.*\n?(?:^  .*\n?)*", one, text, flags=re.MULTILINE)


# ---- all of it -----------------------------------------------------------------------------------------------------------------

def write(path: Path, text: str) -> None:
    """Write a file unless it says so already: Sphinx reads again what is new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def generate(app: Any) -> None:
    """Write docs/_generated/."""
    for source, name in PROJECT.items():
        place = GENERATED / f"{name}.md"
        text = rewrite((ROOT / source).read_text(encoding="utf-8"), ROOT / source, place)
        write(place, ("" if name in ("benches", "contributing", "changelog") else "---\norphan: true\n---\n") + text)
    for name in MODULES:
        write(GENERATED / f"{name}.md", api_page(name))
    from gallery_figures import build

    build(GENERATED / "gallery")


def clean(app: Any, error: Exception | None) -> None:
    """What was generated is in the site now."""
    if error is None:
        shutil.rmtree(GENERATED, ignore_errors=True)


def setup(app: Any) -> dict[str, bool]:
    if str(ROOT) in sys.path:  # here `dualad` would be the sources, without their compiled core
        sys.path.remove(str(ROOT))
    app.connect("builder-inited", generate)
    app.connect("source-read", read)
    app.connect("autodoc-process-docstring", adapted, priority=400)  # before napoleon
    app.connect("missing-reference", reference)
    app.connect("build-finished", clean)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

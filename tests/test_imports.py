"""The layers: imports point down only, files stay readable, and importing dualad loads nothing but NumPy."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "dualad"

#: module or subpackage -> layer; an import goes to a lower layer, or stays inside one subpackage
LAYERS = {
    "_core": 0,
    "tree": 1, "generic": 1, "math": 1, "numpy": 1, "cost": 1,
    "arguments": 2, "constants": 2, "pull": 2, "closures": 2, "prediction": 2,
    "rules": 3,
    "forward": 4, "reverse": 4,
    "api": 5,
    "jacobians": 6, "series": 6, "kinks": 6, "custom": 6, "rerun": 6, "checkpointing": 7,
    "testing": 7, "problems": 7, "recommendation": 7,
    "__init__": 8,
    "compare": 9, "layout": 9, "teach": 10,
    "report": 10,
    "plot": 11, "explanation": 11,
    "cli": 13,
}  # fmt: skip

#: `from . import x` of the package itself, inside a module of the layer above it, means the public API
FACADE = "__init__"


def sources():
    return sorted(path for path in PACKAGE.rglob("*.py") if "__pycache__" not in path.parts)


def name_of(path):
    """("rules", "structure") for dualad/rules/structure.py, ("api",) for dualad/api.py."""
    return path.relative_to(PACKAGE).with_suffix("").parts


def imported(path):
    """What a file imports from dualad: (line, parts, at the top level of the file), parts as :func:`name_of` gives them."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    top = set(map(id, tree.body))
    package = ("dualad", *name_of(path)[:-1])
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else ()
            base += tuple(node.module.split(".")) if node.module else ()
            targets = [(*base, alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            targets = [tuple(alias.name.split(".")) for alias in node.names]
        else:
            continue
        for target in targets:
            if target[0] == "dualad":
                yield node.lineno, target[1:], id(node) in top


def layer(parts):
    """Layer of an imported name; one that is no module of ours comes from the package's front (dualad.grad, __version__)."""
    return LAYERS.get(parts[0], LAYERS[FACADE]) if parts else LAYERS[FACADE]


def test_every_module_has_a_layer():
    missing = {name_of(path)[0] for path in sources()} - set(LAYERS)
    assert not missing, f"say in LAYERS where {sorted(missing)} belongs"


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_down(path):
    own = name_of(path)
    wrong = [
        f"line {line}: {'.'.join(own)} (layer {layer(own)}) imports {'.'.join(target) or 'dualad'} (layer {layer(target)})"
        for line, target, _ in imported(path)
        if not (target and target[0] == own[0] and len(own) > 1) and layer(target) >= layer(own)
    ]
    assert not wrong, "\n".join(wrong)


def test_this_test_sees_an_upward_import(tmp_path, monkeypatch):
    """The law is not vacuous: an import of api in reverse.py would be found, in each of its spellings."""
    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", tmp_path)
    for line in ("from .api import grad", "from . import api", "import dualad.api", "from dualad import api, grad",
                 "def f():\n    from .forward import push"):  # fmt: skip
        path = tmp_path / "reverse.py"
        path.write_text(line + "\n", encoding="utf-8")
        assert any(layer(target) >= layer(("reverse",)) for _, target, _ in imported(path)), line


def test_forward_and_reverse_never_import_each_other():
    for one, other in (("forward", "reverse"), ("reverse", "forward")):
        assert all(target[:1] != (other,) for _, target, _ in imported(PACKAGE / f"{one}.py"))


def test_rules_have_no_cycle():
    """The modules of rules/ import each other in one direction (at the top level of the file)."""
    graph = {}
    for path in PACKAGE.glob("rules/*.py"):
        own = name_of(path)[1]
        if own != "__init__":
            graph[own] = {t[1] for _, t, at_top in imported(path) if at_top and t[0] == "rules" and len(t) > 1}
    while graph:
        free = [name for name, uses in graph.items() if not uses & set(graph)]
        assert free, f"a cycle among {sorted(graph)}"
        for name in free:
            del graph[name]


def test_core_imports_nothing_of_ours():
    """The compiled core gets its hooks from dualad.rules; it does not import them."""
    for path in [PACKAGE / "_core.pyx", *PACKAGE.glob("_core_parts/*.pxi")]:
        assert not re.search(r"^\s*(from|import) +(dualad|\.)", path.read_text(encoding="utf-8"), re.MULTILINE), path.name


def test_numeric_c_files_do_not_know_python():
    for path in (ROOT / "csrc").glob("*.[ch]"):
        if path.name not in ("pool.h", "pyops.h"):
            assert "Python.h>" not in path.read_text(encoding="utf-8"), path.name


# ---- size and content of files -----------------------------------------------------------------------------------------------

TEXT = {".py", ".pyi", ".pyx", ".pxi", ".c", ".h", ".def", ".md", ".toml", ".yaml", ".txt", ".in", ".cfg"}
FOLDERS = ("dualad", "csrc", "tests", "benches", "docs", "examples", ".ci")


def project_files():
    files = [p for p in ROOT.iterdir() if p.is_file() and p.suffix in TEXT | {""}]
    for folder in FOLDERS:
        files += [p for p in (ROOT / folder).rglob("*") if p.is_file() and (p.suffix in TEXT or folder == ".ci")]
    return sorted(p for p in files if "__pycache__" not in p.parts and not any(part.startswith(".") and part != ".ci" for part in
                                                                               p.relative_to(ROOT).parts[:-1]))  # fmt: skip


def test_no_file_past_500_lines_without_a_reason():
    """A longer file says in its first 30 lines why it is one: a comment or docstring with the words "past 500 lines"."""
    for path in project_files():
        if path.suffix in (".md", ".txt"):
            continue
        lines = path.read_text(encoding="utf-8").splitlines()
        if len(lines) > 500:
            where = f"{path.relative_to(ROOT)} has {len(lines)} lines"
            assert "past 500 lines" in " ".join(lines[:30]), f"{where}: split it, or say in its head why it is past 500 lines"


def test_nothing_mentions_a_machine():
    """No file names a folder of the machine it was written on."""
    folders = "|".join(["work", "home", "root", "opt", "Users", "mnt"])
    pattern = re.compile(rf"(?<![\w.}}$*\])])/(?:{folders})/\w|[A-Z]:\\\\|\.\./shared")
    for path in project_files():
        if path == Path(__file__).resolve():
            continue
        found = pattern.search(path.read_text(encoding="utf-8"))
        assert not found, f"{path.relative_to(ROOT)} mentions {found.group()!r}"
    assert pattern.search("see /home/me/notes")
    assert not pattern.search("$root/work/venv")


# ---- what an import loads ----------------------------------------------------------------------------------------------------

def loaded_by(statement):
    code = f"import sys; {statement}; print(*sys.modules)"
    return set(subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_import_loads_numpy_and_nothing_else():
    """No matplotlib, no SciPy, none of NumPy's own lazy submodules: the import stays near NumPy's."""
    extra = loaded_by("import dualad") - loaded_by("import numpy")
    foreign = {name.split(".")[0] for name in extra if "cython" not in name} - set(sys.stdlib_module_names) - {"dualad"}
    assert foreign <= {"numpy"}, f"import dualad loads {sorted(foreign)}"
    lazy = sorted(name for name in extra if name.startswith("numpy."))
    assert not lazy, f"import dualad loads {lazy}, which import numpy does not"


def test_import_leaves_the_tools_alone():
    """The teaching and checking tools are loaded when they are used."""
    extra = loaded_by("import dualad")
    tools = ("dualad.compare", "dualad.problems", "dualad.cli", "dualad.layout", "dualad.teach")
    assert not [name for name in extra if name.startswith(tools)]

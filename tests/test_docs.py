"""The documentation is true: its code runs, its links resolve, its tables are those of the code, its examples are doctests."""

import ast
import doctest
import importlib
import importlib.util
import inspect
import pkgutil
import re
from pathlib import Path

import numpy as np
import pytest

import dualad
from dualad import _core

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
#: every page; those of the companion run section by section in test_companion.py, the gallery's scripts in test_gallery.py
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("benches/*.md"), *ROOT.glob("examples/**/*.md"),
                *(p for p in DOCS.rglob("*.md") if not {"_build", "_generated"} & set(p.parts))])  # fmt: skip
FLAGS = doctest.ELLIPSIS


def page_id(path):
    return str(path.relative_to(ROOT))


def run_page(path):
    """Run the python blocks of a page in order, in one namespace; how many there were."""
    names = {"__name__": path.stem}
    blocks = list(re.finditer(r"^```python\n(.*?)^```", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE))
    for block in blocks:
        code, line = block[1], path.read_text(encoding="utf-8")[: block.start()].count("\n") + 1
        if ">>>" in code:
            test = doctest.DocTestParser().get_doctest(code, names, page_id(path), str(path), line)
            report = []
            runner = doctest.DocTestRunner(optionflags=FLAGS, verbose=False)
            runner.run(test, out=report.append, clear_globs=False)
            names = test.globs
            assert not runner.failures, "".join(report)
        else:
            exec(compile("\n" * line + code, str(path), "exec"), names)
    return len(blocks)


@pytest.mark.parametrize("path", PAGES, ids=page_id)
def test_code_of_the_pages_runs(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a page may write files
    run_page(path)


def test_pages_have_code():
    """The runner finds blocks at all (a page whose fences it missed would pass)."""
    assert run_page(ROOT / "README.md") >= 3
    assert run_page(DOCS / "limits.md") >= 1


def test_a_wrong_page_fails(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    wrong = tmp_path / "wrong.md"
    wrong.write_text("```python\n>>> 1 + 1\n3\n```\n", encoding="utf-8")
    with pytest.raises(AssertionError, match="Expected"):
        run_page(wrong)


# ---- README ------------------------------------------------------------------------------------------------------------------

def test_readme_has_the_two_commands():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for command in ("pip install . && dualad compare", 'pip install ".[test]" && pytest'):
        assert re.search(rf"^{re.escape(command)}$", text, re.MULTILINE), command


def test_first_block_of_the_readme_says_what_it_returns():
    """The comment in the opening example is the result."""
    block = re.search(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)[1]
    names = {}
    *body, last = block.strip().splitlines()
    exec("\n".join(body), names)
    expression, comment = last.split("#")
    assert repr(eval(expression.strip(), names)) == comment.strip()


def test_readme_names_every_transformation():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in set(dualad.__all__) - {"LeakedValueError", "KinkError", "KinkWarning", "math", "numpy"}:
        assert re.search(rf"`[^`]*\b{name}\b[^`]*`", text), name


def test_cost_table_of_the_readme_is_counted():
    """12 evaluations of f for each number in check_grads, as the table says (and some to see the output)."""
    calls = []

    def f(x):
        calls.append(isinstance(x, _core.Traced))
        return np.sin(x)

    dualad.testing.numerical_jacobian(f, (np.ones(5),))
    assert calls.count(False) == 12 * 5
    assert "12 evaluations of f for each number" in (ROOT / "README.md").read_text(encoding="utf-8")


# ---- links -------------------------------------------------------------------------------------------------------------------

def prose(path):
    """A page without its code blocks."""
    return re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def anchors(path):
    """Anchors of a page's headings, as the usual Markdown renderers make them."""
    headings = re.findall(r"^#+ +(.*)$", prose(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h).strip().lower().replace(" ", "-") for h in headings}


@pytest.mark.parametrize("path", PAGES, ids=page_id)
def test_links_resolve(path):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(path)):
        if target.startswith(("http://", "https://")):
            continue
        name, _, anchor = target.partition("#")
        to = (path.parent / name).resolve() if name else path
        assert to.exists(), f"{page_id(path)} links to {target}"
        assert not anchor or anchor in anchors(to), f"{page_id(path)} links to {target}: no such heading"


def test_index_leads_to_every_page():
    linked = set(re.findall(r"\]\(([\w-]+\.md)\)", (DOCS / "index.md").read_text(encoding="utf-8")))
    assert linked == {p.name for p in DOCS.glob("*.md")} - {"index.md"}
    for folder in (p.parent for p in DOCS.glob("*/index.md")):
        text = (folder / "index.md").read_text(encoding="utf-8")
        assert set(re.findall(r"\]\(([\w-]+\.md)[)#]", text)) >= {p.name for p in folder.glob("*.md")} - {"index.md"}


def test_bibliography_has_what_the_docstrings_cite():
    """Every author named in a References section of the sources is on the page."""
    page = (DOCS / "bibliography.md").read_text(encoding="utf-8")
    cited = set()
    for path in Path(dualad.__file__).parent.rglob("*.py"):
        for section in re.findall(r"References\n *-{10}\n(.*?)(?:\n\n|\"\"\")", path.read_text(encoding="utf-8"), re.DOTALL):
            cited |= set(re.findall(r"(?:\b[A-Z]\.[ -]?)+([A-Z][\w]+)", section))
    assert {"Griewank", "Clarke"} <= cited
    assert not {name for name in cited if name not in page}


# ---- tables ------------------------------------------------------------------------------------------------------------------

def table_rows(path):
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("| ") and "`" in line:
            yield [cell.strip() for cell in line.strip("|").split("|")]


def make_tables():
    spec = importlib.util.spec_from_file_location("make_tables", DOCS / "make_tables.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_rule_page_is_current():
    """docs/rules.md is what docs/make_tables.py writes now."""
    assert (DOCS / "rules.md").read_text(encoding="utf-8") == make_tables().rules_page(), "run python docs/make_tables.py"


def test_options_page_is_current():
    """docs/compare-options.md is what docs/make_tables.py makes of the registered experiments, and names all of them."""
    page = (DOCS / "compare-options.md").read_text(encoding="utf-8")
    assert page == make_tables().options_page(), "run python docs/make_tables.py"
    assert len(re.findall(r"^## ", page, re.MULTILINE)) >= 12
    assert "`--snapshots SIZES`" in page


@pytest.mark.parametrize("name", ["rings", "springs"])
def test_pictures_of_the_tutorials_are_current(name):
    """What the tutorials' files, counted, look like; every word of the picture, and its curves to the pixel."""
    have = (DOCS / "data" / f"{name}.svg").read_text(encoding="utf-8")
    assert have == make_tables().PAGES[f"data/{name}.svg"](), "run python docs/make_tables.py"
    assert any(f"(data/{name}.svg)" in page.read_text(encoding="utf-8") for page in DOCS.glob("first-*.md"))


def test_coverage_page_is_current():
    """docs/coverage.md lists every function of NumPy where it belongs (functions of another NumPy may be missing or too many)."""
    page = (DOCS / "coverage.md").read_text(encoding="utf-8")
    sections = dict(zip(*[iter(re.split(r"^## (.*)$", page, flags=re.MULTILINE)[1:])] * 2, strict=True))
    for lists in make_tables().coverage().values():
        for heading, names in lists.items():
            wrong = [n for n in names if f"`{n}`" not in sections[heading.capitalize()] and f"`{n}`" in page]
            assert not wrong, f"{wrong} belong under {heading!r}: run python docs/make_tables.py"


@pytest.mark.parametrize("name", ["copyto", "fill_diagonal", "place", "put", "put_along_axis", "putmask"])
def test_functions_that_write_raise(name):
    """The coverage page says so."""
    assert f"`{name}`" in make_tables().NOTES["with a rule"]
    with pytest.raises((NotImplementedError, TypeError), match=r"writ|plain|deriv"):
        dualad.grad(lambda x: (getattr(np, name)(x, *WRITES.get(name, (0, 1.0))), np.sum(x))[1])(np.ones((2, 2)))


#: what the writing functions take after the array
WRITES = {"copyto": (np.ones((2, 2)),), "fill_diagonal": (1.0,), "place": (np.ones((2, 2), bool), [1.0]),
          "put_along_axis": (np.zeros((1, 2), int), 1.0, 0), "putmask": (np.ones((2, 2), bool), 1.0)}  # fmt: skip


def test_rule_page_has_every_row():
    names = {row[0].strip("`") for row in table_rows(DOCS / "rules.md")}
    assert names == {row["name"] for row in _core.rows()}
    page = " ".join((DOCS / "rules.md").read_text(encoding="utf-8").split())
    for row in _core.rows():
        for partial in (row["dx"], row["dy"]):
            assert " ".join(partial.split()) in page, row["name"]


KINKS = [row for row in table_rows(DOCS / "kinks.md") if len(row) == 4]


def test_kinks_table_is_read():
    assert len(KINKS) > 20


@pytest.mark.parametrize("mode", ["fwd", "rev"])
@pytest.mark.parametrize("row", KINKS, ids=lambda row: row[0].strip("`"))
def test_kinks(row, mode):
    """Every row of the kink table, evaluated in both modes."""
    formula, point, want = (cell.strip("`") for cell in row[:3])
    f, at, slope = (eval(text, {"np": np}) for text in (f"lambda x: {formula}", point, want))
    with np.errstate(all="ignore"):
        got = dualad.jacobian(f, mode=mode)(at)
    assert np.array_equal(got, slope)


WALK = [row for row in table_rows(DOCS / "how-it-works.md") if len(row) == 4 and row[0].isdigit()]


@pytest.mark.parametrize("row", WALK, ids=lambda row: f"{row[1]} {row[2]}".replace("`", ""))
def test_the_walk_names_files_and_functions_that_exist(row):
    """Each step names a file, and in it a function (or a row of the table)."""
    path, name = ROOT / row[1].strip("`"), row[2].strip("`")
    before = r"\bdef |\bcdef \w+ |\bcdef inline \w+ |^\w+ \*|UNARY\(|BINARY\(|static inline double |DA_SLOT PyObject \*"
    definition = rf"(?:{before}){name}"
    assert re.search(definition, path.read_text(encoding="utf-8"), re.MULTILINE), f"{name} in {path}"
    for other in re.findall(r"`((?:csrc|dualad)/[\w/.]+)`", row[3]):
        assert (ROOT / other).exists(), other


def test_the_walk_names_ten_steps():
    assert [row[0] for row in WALK] == ["1", "2", "3", "4", "5"] * 2


@pytest.mark.parametrize("path", PAGES, ids=page_id)
def test_named_files_and_functions_exist(path):
    """`dualad/x.py` and csrc/x.c in a text exist; `dualad/x.py` (`f`, `g`) defines f and g."""
    text = path.read_text(encoding="utf-8")
    for name in re.findall(r"`((?:csrc|dualad|docs|tests|benches|examples)/[\w/.]+)`", text):
        assert (ROOT / name).exists(), f"{page_id(path)} names {name}"
    for name, functions in re.findall(r"`((?:dualad|csrc)/[\w/]+\.\w+)` \(((?:`\w+`(?:, )?)+)\)", text):
        source = (ROOT / name).read_text(encoding="utf-8")
        for function in re.findall(r"\w+", functions):
            assert re.search(rf"(?:def |class |\b){function}\(", source), f"{page_id(path)}: {function} in {name}"


# ---- docstrings --------------------------------------------------------------------------------------------------------------

def modules():
    names = ["dualad", *(m.name for m in pkgutil.walk_packages(dualad.__path__, "dualad."))]
    return [name for name in names if not name.endswith("__main__")]


@pytest.mark.parametrize("name", modules())
def test_docstring_examples(name):
    """The examples of every module, its functions and classes."""
    module = importlib.import_module(name)
    report = []
    runner = doctest.DocTestRunner(optionflags=FLAGS, verbose=False)
    for test in doctest.DocTestFinder(exclude_empty=True).find(module, name, module=module):
        runner.run(test, out=report.append)
    assert not runner.failures, "".join(report)


@pytest.mark.parametrize("name", sorted(set(dualad.__all__) - {"LeakedValueError", "KinkError", "KinkWarning", "math", "numpy"}))
def test_public_docstrings_are_complete(name):
    """A summary line, parameters and a runnable example: everything a reader of help() needs."""
    public = getattr(dualad, name)
    doc = inspect.getdoc(public)
    assert doc is not None
    assert re.match(r"[^\n]+[.:](\n|$)", doc), "one-line summary"
    assert "Parameters\n----------" in doc
    assert "Examples\n--------\n" in doc
    assert ">>>" in doc


#: functions of the modules of the API reference; NumPy's and Python's own names are described there
REFERENCE = re.findall(r"^\| `(dualad[\w.]*)` \|", (DOCS / "api.md").read_text(encoding="utf-8"), re.MULTILINE)
PUBLIC = sorted((module, name) for module in REFERENCE if module not in ("dualad.math", "dualad.numpy")
                for name in getattr(importlib.import_module(module), "__all__", ()))  # fmt: skip


@pytest.mark.parametrize(("module", "name"), PUBLIC, ids=lambda part: part)
def test_reference_describes_every_function(module, name):
    """numpydoc: what goes in, what comes out, and an example that runs."""
    public = getattr(importlib.import_module(module), name)
    doc = inspect.getdoc(public) or ""
    if not inspect.isroutine(public):
        return
    parameters = [p for p in inspect.signature(public).parameters.values() if p.name not in ("progress", "self")]
    assert "Examples\n--------\n" in doc
    assert ">>>" in doc
    assert not parameters or "Parameters\n----------" in doc
    told = doc.partition("Parameters\n")[2]
    for p in parameters:
        assert re.search(rf"^(?:.*[, *])?{p.name}\b.*$", told, re.MULTILINE), f"{p.name} is not described"
    gives = inspect.signature(public).return_annotation
    assert not parameters or "Returns\n-------" in doc or gives in ("None", None, "Iterator[None]")


# ---- types -------------------------------------------------------------------------------------------------------------------

def test_stub_of_the_core_is_current():
    """dualad/_core.pyi names what the compiled module has, and nothing else (classes down to their own members)."""
    tree = ast.parse((ROOT / "dualad" / "_core.pyi").read_text(encoding="utf-8"))
    stub = {}
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            stub[node.name] = node
        elif isinstance(node, ast.AnnAssign) and "TypeAlias" not in ast.unparse(node.annotation):
            stub[node.target.id] = node
    have = {n for n, v in vars(_core).items() if not n.startswith("__") and not inspect.ismodule(v) and n != "_name"}
    assert set(stub) == have
    for name, node in stub.items():
        if isinstance(node, ast.ClassDef):
            members = {n.name for n in node.body if isinstance(n, ast.FunctionDef)}
            missing = members - set(dir(getattr(_core, name)))
            assert not missing, f"{name} has no {sorted(missing)}"
            public = {n for n in vars(getattr(_core, name)) if not n.startswith("_")}
            described = members.union(*(dir(b) for b in getattr(_core, name).__mro__[1:-1])) | {"primal", "tangent"}
            assert public <= described, f"the stub of {name} lacks {sorted(public - described)}"


def test_package_says_that_it_is_typed():
    assert (Path(dualad.__file__).parent / "py.typed").exists()

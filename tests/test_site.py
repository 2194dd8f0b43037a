"""The documentation as a site: it builds without a warning, and in a real browser no link is dead and no formula is left over.

Needs the extra docs (sphinx, myst-parser, furo, matplotlib), and for the browser selenium and Chromium with its driver (Debian:
chromium, chromium-driver); skipped without them.
"""

import importlib.util
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
NEEDED = ("sphinx", "myst_parser", "furo", "matplotlib")
MISSING = [name for name in NEEDED if importlib.util.find_spec(name) is None]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"the site needs {', '.join(MISSING)}: pip install 'dualad[docs]'")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, built from a copy of the pages."""
    folder = tmp_path_factory.mktemp("site")
    source = folder / "source"
    ignored = shutil.ignore_patterns("_build", "_generated", "__pycache__")
    shutil.copytree(DOCS, source / "docs", ignore=ignored)
    for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("benches", "examples"):
        shutil.copytree(ROOT / name, source / name, ignore=ignored)
    target = folder / "html"
    command = [sys.executable, "-P", "-m", "sphinx", "-W", "-n", "--keep-going", "-q", "-b", "html", "docs", str(target)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert not (source / "docs" / "_generated").exists(), "what was generated is taken away again"
    return target


class Page(HTMLParser):
    """Links, anchors, pictures and visible text of a page."""

    def __init__(self, text):
        super().__init__()
        self.links, self.anchors, self.images, self.words, self._skip = [], set(), [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        if found.get("id"):
            self.anchors.add(found["id"])
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        for name in ("src", "href"):
            if tag in ("img", "script", "link", "source", "iframe") and found.get(name):
                self.images.append(found[name])
        if tag == "img":
            assert found.get("alt"), f"no alt text: {found}"
        if tag in ("script", "style", "code", "pre", "math"):
            self._skip.append(tag)

    def handle_endtag(self, tag):
        if self._skip and self._skip[-1] == tag:
            self._skip.pop()

    def handle_data(self, data):
        if not self._skip:
            self.words.append(data)


@pytest.fixture(scope="module")
def pages(site):
    return {path.resolve(): Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}


def test_every_page_is_on_the_site(site):
    have = {path.relative_to(site).with_suffix("").as_posix() for path in site.rglob("*.html")}
    want = {path.relative_to(DOCS).with_suffix("").as_posix() for path in DOCS.rglob("*.md") if "_build" not in path.parts}
    assert have >= {name for name in want if not name.startswith("_generated")}
    assert have >= {"_generated/readme", "_generated/dualad", "_generated/dualad.compare", "_generated/changelog"}


def test_no_link_is_dead(pages, site):
    links = 0
    for path, page in pages.items():
        for target in [*page.links, *page.images]:
            if target.startswith(("http://", "https://", "mailto:", "data:", "javascript:")):
                continue
            name, _, anchor = target.partition("#")
            to = (path.parent / unquote(name.partition("?")[0])).resolve() if name else path
            assert to.exists(), f"{path.relative_to(site)} links to {target}"
            if anchor and to in pages:
                links += 1
                assert unquote(anchor) in pages[to].anchors | {""}, f"{path.relative_to(site)}: no {target}"
    assert links > 100


def test_nothing_comes_from_a_network(pages, site):
    for path, page in pages.items():
        outside = [target for target in page.images if "://" in target or target.startswith("//")]
        assert not outside, f"{path.relative_to(site)} loads {outside}"
    for sheet in site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(?:https?:)?//", sheet.read_text(encoding="utf-8")), sheet


def test_formulas_are_formulas(pages, site):
    """Dollars and commands of LaTeX are gone from the text, and there is MathML in their place."""
    for path, page in pages.items():
        text = " ".join(page.words)
        left = re.findall(r"\$[^$\s][^$]{0,80}[^$\s]\$|\\(?:frac|partial|bar|dot|mathbb|nabla|sum|begin)\b", text)
        assert not left, f"{path.relative_to(site)}: {left[:3]}"
    built = (site / "companion" / "5-vector-calculus.html").read_text(encoding="utf-8")
    assert built.count("<math") > 100


def test_reference_has_every_public_name(site):
    import dualad

    text = (site / "_generated" / "dualad.html").read_text(encoding="utf-8")
    for name in {*dualad.__all__, "explain", "diagnose"} - {"math", "numpy"}:
        assert f'id="dualad.{name}"' in text, name


def test_functions_of_the_table_have_arguments_and_a_derivative(site):
    """They said it in one line, which was taken for a signature: `absolute(x): scalar, differentiable; d/dx=sign(x)`."""
    text = re.sub(r"<[^>]+>", "", (site / "_generated" / "dualad.math.html").read_text(encoding="utf-8"))
    assert "scalar, differentiable" not in text
    assert re.search(r"dualad\.math\.tanh\(x\)[^d]*d/dx = sech2\(x\)", text)
    assert re.search(r"dualad\.math\.atan2\(x, y\)[^T]*The same as arctan2", text)


def test_tables_of_files_stay_tables(site):
    """The columns of a module's docstring are not run together."""
    tables = {"explanation": "views      the tables  ", "compare": "clock         interleaved", "report": "svg       a Figure"}
    for name, row in tables.items():
        assert row in (site / "_generated" / f"dualad.{name}.html").read_text(encoding="utf-8"), name


def test_every_module_of_the_reference_is_named_and_exists():
    """docs/api.md, the site's list, and what `import dualad` offers as modules agree."""
    import dualad

    text = (DOCS / "api.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(dualad[\w.]*)` \|", text, re.MULTILINE)
    source = (DOCS / "site_pages.py").read_text(encoding="utf-8")
    assert listed == re.findall(r'"(dualad[\w.]*)"', source[source.index("MODULES = "):source.index("# ---- links")])
    assert all(importlib.util.find_spec(name) for name in listed)
    offered = {f"dualad.{name}" for name, module in dualad._LAZY.items() if module == name}
    assert len(offered) >= 3
    assert offered <= set(listed)


def test_gallery_has_its_pictures(site):
    text = (site / "gallery" / "index.html").read_text(encoding="utf-8")
    assert text.count("<img") == text.count("<details>") == text.count("<h3>") == len(list((DOCS / "gallery").glob("*.py"))) >= 20
    assert len(list((site / "_images").glob("*.svg"))) >= 20


# ---- renderer of formulas ------------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def formulas():
    spec = importlib.util.spec_from_file_location("formulas", DOCS / "formulas.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_formula_is_mathml(formulas):
    text = re.sub(r"\s", "", formulas.mathml(r"\frac{\partial J}{\partial x}"))
    assert "<mfrac><mrow><mi>∂</mi><mi>J</mi></mrow>" in text
    assert "…" in formulas.mathml(r"1, \dots, n")
    assert "accent" not in formulas.mathml(r"\bar v")


def test_an_unknown_command_is_an_error(formulas):
    with pytest.raises(formulas.MathError, match="nonsense"):
        formulas.mathml(r"\nonsense x")


# ---- browser -------------------------------------------------------------------------------------------------------------------

SHOWN = """
const text = [...document.querySelectorAll('article p, article li, article td, article h1, article h2, article h3')]
    .map(e => e.cloneNode(true))
    .map(c => { c.querySelectorAll('code, pre, math').forEach(x => x.remove()); return c.textContent; });
return {
  unread: text.filter(t => /^#{1,5} |\\]\\(|\\{toctree\\}/.test(t)).slice(0, 3),
  leftover: text.filter(t => /\\$[^$\\s][^$]*\\$|\\\\[a-z]{3,}/.test(t)).slice(0, 3),
  flat: [...document.querySelectorAll('math')].filter(m => m.checkVisibility() && m.getBoundingClientRect().width < 2).length,
  cut: [...document.querySelectorAll('math')].filter(m => m.checkVisibility() && m.getBoundingClientRect().right > innerWidth + 1
    && !['auto', 'scroll'].includes(getComputedStyle(m.closest('p, div.math, .table-wrapper') || m).overflowX)).length,
  formulas: document.querySelectorAll('math').length,
  broken: [...document.images].filter(i => !i.complete || i.naturalWidth === 0).map(i => i.src),
  wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
};
"""


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1400, "light")])
def test_pages_in_a_browser(browser, site, width, scheme):
    """Every page: no console error, nothing fetched but files, pictures there, formulas drawn, readable, no sideways scrolling."""
    from browser import LOW_CONTRAST, open_page, requests

    formulas = 0
    for path in sorted(site.rglob("*.html")):
        if path.name in ("search.html", "genindex.html", "py-modindex.html"):
            continue
        open_page(browser, path, width, color_scheme=scheme)
        seen = browser.execute_script(SHOWN)
        where = path.relative_to(site)
        errors = [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
        assert not errors, f"{where}: {errors}"
        asked = [url for url in requests(browser) if not url.startswith(("file:", "data:"))]
        assert not asked, f"{where} asks for {asked[:3]}"
        assert not seen["unread"], f"{where}: Markdown that was not understood: {seen['unread']}"
        assert not seen["leftover"], f"{where}: {seen['leftover']}"
        assert not seen["flat"], f"{where}: {seen['flat']} formulas are not drawn"
        assert not seen["cut"], f"{where}: {seen['cut']} formulas stick out of the window"
        assert not seen["broken"], f"{where}: {seen['broken']}"
        assert seen["wide"] <= 1, f"{where} is {seen['wide']} px wider than a window of {width}"
        _, pale = browser.execute_script(LOW_CONTRAST)
        assert not pale, f"{where}: contrast below 4.5 : 1, {scheme}: {pale[:3]}"
        formulas += seen["formulas"]
    assert formulas > 300

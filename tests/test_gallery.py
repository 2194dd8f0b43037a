"""The gallery: every script is short, runs, and leaves one picture with something in it; its page says what the scripts say."""

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"


def load(name):
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


gallery = load("gallery_figures")
SCRIPTS = gallery.scripts()


def test_there_are_about_twenty():
    assert len(SCRIPTS) >= 20
    assert sorted(name for names in gallery.GROUPS.values() for name in names) == sorted(path.stem for path in SCRIPTS)


def test_index_is_current():
    have = (DOCS / "gallery" / "index.md").read_text(encoding="utf-8")
    assert have == gallery.index_page(), "run python docs/gallery_figures.py --index"


def test_a_page_that_links_a_script_shows_its_picture_on_the_site():
    sys.path.insert(0, str(DOCS))  # where site_pages finds its neighbour
    place = DOCS / "companion" / "index.md"
    try:
        page = load("site_pages").rewrite("See [it](../gallery/contour.py)\n", place, place)
    finally:
        sys.path.remove(str(DOCS))
    words = gallery.described(DOCS / "gallery" / "contour.py")
    assert page.startswith("See [it](../gallery/index.md#the-gradient-stands-on-the-contour)\n")
    assert f"![{words.alt}](../_generated/gallery/contour.svg)" in page


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_scripts_are_short_and_say_what_they_show(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= gallery.LONGEST
    words = gallery.described(path)
    assert 3 < len(words.title) < 60
    assert len(words.alt) > 60
    assert "import dualad" in words.code or "from dualad" in words.code


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_scripts_draw(path, tmp_path):
    pytest.importorskip("matplotlib", reason="the gallery draws with matplotlib: pip install 'dualad[plot]'")
    gallery.draw(path, tmp_path / "picture.svg")
    picture = (tmp_path / "picture.svg").read_text(encoding="utf-8")
    assert picture.count("<path") + picture.count("<rect") + picture.count("<image") * len(picture) / 1000 > 10
    assert len(picture) < 500_000


def test_a_script_without_a_picture_is_refused(tmp_path):
    pytest.importorskip("matplotlib", reason="the gallery draws with matplotlib: pip install 'dualad[plot]'")
    (tmp_path / "none.py").write_text('"""Nothing\n\nat all."""\nx = 1\n', encoding="utf-8")
    with pytest.raises(ValueError, match="0 figures"):
        gallery.draw(tmp_path / "none.py", tmp_path / "none.svg")


def test_a_script_that_warns_is_refused(tmp_path):
    pytest.importorskip("matplotlib", reason="the gallery draws with matplotlib: pip install 'dualad[plot]'")
    (tmp_path / "warns.py").write_text('"""A\n\nb."""\nimport numpy as np\nnp.log(np.zeros(1))\n', encoding="utf-8")
    with pytest.raises(RuntimeWarning, match="divide"):
        gallery.draw(tmp_path / "warns.py", tmp_path / "warns.svg")

"""Pictures by matplotlib: the files that were asked for, the styles of the report, and one clear line without matplotlib."""

import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest
from sample_figures import FIGURES

from dualad import plot
from dualad.plot import drawing
from dualad.report.palette import LIGHT, MARKERS, readable, styles
from dualad.report.svg import axes

SIGNATURES = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}


@pytest.fixture(scope="module", autouse=True)
def matplotlib():
    return pytest.importorskip("matplotlib", reason="pictures need matplotlib (extra plot)")


@pytest.mark.parametrize("kind", SIGNATURES)
def test_formats(tmp_path, kind):
    path = plot.save(FIGURES[0], tmp_path / f"cost.{kind}")
    assert path.read_bytes().startswith(SIGNATURES[kind])
    assert [p.name for p in tmp_path.iterdir()] == [f"cost.{kind}"]


def test_all_figures_in_one_file(tmp_path):
    root = ElementTree.parse(plot.save(FIGURES, tmp_path / "all.svg"))
    words = " ".join("".join(text.itertext()) for text in root.iter("{http://www.w3.org/2000/svg}text"))
    for figure in FIGURES:
        assert figure.title in words
        assert figure.xlabel in words
        for mark in figure.marks:
            assert mark.text in words


@pytest.mark.parametrize("kind", SIGNATURES)
def test_same_figures_give_the_same_file(tmp_path, kind):
    files = [plot.save(FIGURES[2:4], tmp_path / f"{name}.{kind}").read_bytes() for name in ("a", "b")]
    assert files[0] == files[1]


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.name)
def test_styles_are_those_of_the_report(matplotlib, figure):
    from matplotlib.colors import to_hex
    from matplotlib.figure import Figure

    place = Figure().subplots()
    drawing.draw(place, figure)
    lines = {line.get_label(): line for line in place.lines}
    for curve, style in zip(figure.curves, styles((c.role for c in figure.curves), on_cells=figure.heat is not None), strict=True):
        if curve.kind == "band":
            continue
        line = lines[curve.label]
        assert to_hex(line.get_color()) == readable(style.colour, LIGHT.paper, 3.0)
        assert line.get_marker() == (MARKERS[style.marker] if curve.kind == "points" else "None")
        assert len(line.get_xdata()) == len(curve.x)
    x, y = axes(figure)
    assert place.get_xlim() == pytest.approx((x.low, x.high))
    assert place.get_ylim() == pytest.approx((y.low, y.high))


def test_a_wrong_name_writes_nothing(tmp_path):
    with pytest.raises(ValueError, match=r"ends in \.png, \.svg, \.pdf, not 'cost\.jpg'"):
        plot.save(FIGURES, tmp_path / "cost.jpg")
    with pytest.raises(ValueError, match="no figure"):
        plot.save([], tmp_path / "cost.png")
    with pytest.raises(OSError):  # noqa: PT011  (which one depends on the system)
        plot.save(FIGURES[4], tmp_path / "nowhere" / "cost.png")
    assert not list(tmp_path.iterdir())


def test_without_matplotlib_one_line_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r'drawing needs matplotlib: pip install "dualad\[plot\]"'):
        plot.save(FIGURES[4], tmp_path / "cost.png")
    assert not list(tmp_path.iterdir())


def test_matplotlib_is_loaded_by_the_first_picture_only():
    code = "import sys, dualad.plot, dualad.report, dualad.compare; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-P", "-c", code], check=False).returncode == 0


def test_settings_of_the_caller_are_left_alone(matplotlib, tmp_path):
    before = dict(matplotlib.rcParams)
    plot.save(FIGURES[5], tmp_path / "a.svg")
    assert dict(matplotlib.rcParams) == before

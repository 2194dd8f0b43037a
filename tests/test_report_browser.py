"""The report in a real browser: no error, no request, every control by keyboard, readable at 360 and 1400 pixels.

Needs selenium (extra browser-test) and Chromium with its driver (Debian: chromium, chromium-driver); skipped without them.
"""

import json
from itertools import combinations

import pytest
from browser import LOW_CONTRAST, focus, needs_browser, open_page, press, requests
from sample_figures import FIGURES, sample
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from dualad.compare import Report
from dualad.report import page
from dualad.report.labels import text_width

pytestmark = needs_browser
WIDTHS = (360, 1400)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "r.html"
    path.write_text(page([sample(), sample("The same again", {})]), encoding="utf-8")
    return path


@pytest.fixture
def opened(browser, report):
    def at(width=1400, media="screen", **features):
        return open_page(browser, report, width, media, **features)

    yield at
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


# ---- loading ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", WIDTHS)
def test_no_error_and_no_request(opened, report, width):
    b = opened(width)
    for tab in b.find_elements(By.CSS_SELECTOR, "[role=tab]"):
        tab.click()
    assert b.get_log("browser") == []
    urls = requests(b)
    assert report.as_uri() in urls  # the log is kept
    assert [url for url in urls if url != report.as_uri() and not url.startswith("data:")] == []
    assert b.execute_script("return performance.getEntriesByType('resource').map(e => e.name)") == []
    assert report.stat().st_size < 500_000


def test_a_request_would_be_seen_and_stopped(opened):
    """The test above can fail: a request from the page is logged, and the page's policy refuses it."""
    b = opened()
    b.execute_script("const i = new Image(); i.src = 'http://127.0.0.1:9/x.png'; document.body.append(i)")
    assert any("Content Security Policy" in entry["message"] for entry in b.get_log("browser"))


# ---- layout ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [*WIDTHS, 320, 859, 860, 1180])
def test_nothing_sticks_out(opened, width):
    b = opened(width)
    assert b.execute_script("return document.documentElement.scrollWidth") <= width
    wide = b.execute_script("""return [...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll, .skip') &&
        e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80))""")
    assert wide == []


@pytest.mark.parametrize("width", WIDTHS)
def test_one_drawing_of_each_figure_is_seen(opened, width):
    b = opened(width)
    seen = b.execute_script("""return [...document.querySelectorAll('figure')].filter(f => !f.hidden).map(f =>
        [...f.querySelectorAll('.drawing')].filter(s => s.getBoundingClientRect().width > 0).length)""")
    assert seen == [1] * (2 * len(FIGURES) - 2)  # counted and measured share a place
    wide = b.execute_script("return [...document.querySelectorAll('.wide .drawing')].map(s => s.getBoundingClientRect().width)")
    assert any(wide) == (width == 1400)


#: text of the drawings that are seen: [words, left, top, right, bottom, font size on the screen]
TEXTS = """return [...document.querySelectorAll('.drawing')].map(s => {
    const view = s.getBoundingClientRect();
    const scale = view.width / s.viewBox.baseVal.width;
    return view.width ? [[view.left, view.top, view.right, view.bottom], [...s.querySelectorAll('text')].map(t => {
        const r = t.getBoundingClientRect();
        return [t.textContent, r.left, r.top, r.right, r.bottom, parseFloat(getComputedStyle(t).fontSize) * scale];
    })] : null }).filter(Boolean)"""


@pytest.mark.parametrize("width", WIDTHS)
def test_words_of_drawings_are_readable_and_apart(opened, width):
    b = opened(width)
    for tab in b.find_elements(By.CSS_SELECTOR, "[role=tab]"):
        tab.click()
        for (left, top, right, bottom), texts in b.execute_script(TEXTS):
            assert len(texts) > 5
            for words, x0, y0, x1, y1, size in texts:
                assert size >= 11, words
                assert x0 >= left - 1 and x1 <= right + 1 and y0 >= top - 1 and y1 <= bottom + 1, words  # noqa: PT018
            for one, other in combinations(texts, 2):
                across = min(one[3], other[3]) - max(one[1], other[1])
                down = min(one[4], other[4]) - max(one[2], other[2])
                assert across < 1 or down < 0.35 * one[5], (one[0], other[0])  # boxes hold the room below the letters too


def test_our_widths_of_letters_are_enough(opened):
    """labels.text_width is not smaller than what the browser draws (3 % of play, and a pixel)."""
    for _, texts in opened(1400).execute_script(TEXTS):
        for words, x0, _, x1, _, size in texts:
            assert x1 - x0 <= 1.03 * text_width(words, size) + 1, words


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_on_the_screen(opened, scheme):
    """The computed colours of all words against the paper behind them."""
    b = opened(1400, color_scheme=scheme)
    low = b.execute_script(LOW_CONTRAST)
    assert low[0] > 500
    assert low[1] == []


def test_schemes_differ_and_paper_is_white(opened):
    paper = "return getComputedStyle(document.body).backgroundColor"
    assert opened(color_scheme="dark").execute_script(paper) == "rgb(20, 22, 26)"
    assert opened(color_scheme="light").execute_script(paper) == "rgb(255, 255, 255)"
    b = opened(media="print", color_scheme="dark")
    assert b.execute_script(paper) == "rgb(255, 255, 255)"
    heights = b.execute_script("return [...document.querySelectorAll('figure')].map(f => f.getBoundingClientRect().height)")
    assert min(heights) > 100, "paper shows the counted and the measured view"


@pytest.mark.parametrize(("motion", "seconds"), [("reduce", "0s"), ("no-preference", "0.15s")])
def test_reduced_motion(opened, motion, seconds):
    b = opened(reduced_motion=motion)
    assert b.execute_script("return getComputedStyle(document.querySelector('button')).transitionDuration") == seconds


# ---- keyboard --------------------------------------------------------------------------------------------------------


def test_everything_is_reached_by_tab(opened):
    b = opened()
    focus(b, b.find_element(By.TAG_NAME, "body"))
    reached = set()
    for _ in range(250):
        press(b, Keys.TAB)
        name = b.execute_script("""const e = document.activeElement; e.dataset.seen = 1;
            return e.id || e.className || e.getAttribute('role') || e.tagName""")
        reached.add(name)
        if name == "BODY":
            break
    missed = b.execute_script("""return [...document.querySelectorAll('button, a, summary, [tabindex="0"]')]
        .filter(e => e.tabIndex >= 0 && e.getClientRects().length && !('seen' in e.dataset)).map(e => e.outerHTML.slice(0, 100))""")
    assert missed == []
    assert {"skip", "scheme", "plot", "scroll"} <= reached


def test_focus_is_seen(opened):
    b = opened()
    press(b, Keys.TAB, Keys.TAB)
    assert b.execute_script("return getComputedStyle(document.activeElement).outlineWidth") == "3px"


def test_legend_hides_and_shows_a_curve(opened):
    b = opened()
    figure = b.find_element(By.CSS_SELECTOR, "figure")
    button = next(e for e in figure.find_elements(By.CSS_SELECTOR, ".legend button") if e.text == "reverse")
    parts = figure.find_elements(By.CSS_SELECTOR, '.wide [data-curve="3"]')
    assert len(parts) == 2  # the curve and its label
    focus(b, button)
    for key, shown in ((Keys.SPACE, False), (Keys.ENTER, True)):
        press(b, key)
        assert button.get_attribute("aria-pressed") == str(shown).lower()
        assert [part.is_displayed() for part in parts] == [shown] * 2
    assert figure.find_element(By.CSS_SELECTOR, '.wide [data-curve="2"]').is_displayed()


def test_arrow_keys_read_the_points(opened):
    b = opened()
    figure = b.find_element(By.CSS_SELECTOR, "figure")
    plot, readout = (figure.find_element(By.CSS_SELECTOR, name) for name in (".plot", ".readout"))
    focus(b, plot)
    assert readout.text == "forward: inputs n = 1, cost / one value of f = 10.2 (band 9.18 to 11.22)"
    scrolled = b.execute_script("return scrollY")
    press(b, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert readout.text.startswith("forward: inputs n = 4, cost / one value of f = 13.8")
    press(b, Keys.ARROW_DOWN)
    assert readout.text.startswith("reverse: inputs n = 4, cost / one value of f = 11.3")
    on = figure.find_elements(By.CSS_SELECTOR, ".on")
    assert len(on) == 2  # in the wide and in the narrow drawing
    press(b, Keys.END)
    assert "n = 256," in readout.text
    press(b, Keys.ARROW_RIGHT)
    assert "n = 256," in readout.text
    press(b, Keys.HOME, Keys.ARROW_UP, Keys.ARROW_UP)
    assert readout.text.startswith("complex: inputs n = 1,")
    assert b.execute_script("return scrollY") == scrolled, "the page stays where it is"
    press(b, Keys.ESCAPE)
    assert readout.text == ""
    assert not figure.find_elements(By.CSS_SELECTOR, ".on")


def test_arrow_keys_pass_over_hidden_curves(opened):
    b = opened()
    figure = b.find_element(By.CSS_SELECTOR, "figure")
    for name in ("forward", "reverse"):
        next(e for e in figure.find_elements(By.CSS_SELECTOR, ".legend button") if e.text == name).click()
    focus(b, figure.find_element(By.CSS_SELECTOR, ".plot"))
    readout = figure.find_element(By.CSS_SELECTOR, ".readout")
    assert readout.text.startswith("n jvp:")
    press(b, Keys.ARROW_UP)
    assert readout.text.startswith("complex:")


def test_pointer_reads_a_point(opened):
    b = opened()
    figure = b.find_element(By.CSS_SELECTOR, "figure")
    marker = figure.find_elements(By.CSS_SELECTOR, '.wide [data-curve="4"] g > *')[3]
    ActionChains(b).move_to_element(marker).perform()
    assert figure.find_element(By.CSS_SELECTOR, ".readout").text.startswith("n jvp: inputs n = 8,")


def test_tabs_switch_counted_and_measured(opened):
    b = opened()
    tabs = b.find_elements(By.CSS_SELECTOR, "#result-1 [role=tab]")
    panels = [b.find_element(By.ID, tab.get_attribute("aria-controls")) for tab in tabs]
    assert [tab.text for tab in tabs] == ["Measured", "Counted"]
    assert [panel.is_displayed() for panel in panels] == [True, False]
    focus(b, tabs[0])
    for key, shown in ((Keys.ARROW_RIGHT, 1), (Keys.ARROW_RIGHT, 0), (Keys.ARROW_LEFT, 1), (Keys.HOME, 0), (Keys.END, 1)):
        press(b, key)
        assert [panel.is_displayed() for panel in panels] == [shown == 0, shown == 1]
        assert b.switch_to.active_element == tabs[shown]
        assert [tab.get_attribute("aria-selected") for tab in tabs] == [str(shown == k).lower() for k in range(2)]


def test_tables_sort_by_keyboard(opened):
    b = opened()
    table = b.find_element(By.CSS_SELECTOR, "table.data")

    def column(k):
        return [row.find_elements(By.TAG_NAME, "td")[k].text for row in table.find_elements(By.CSS_SELECTOR, "tbody tr")]

    heads = table.find_elements(By.CSS_SELECTOR, "th button")
    for key, k, order, direction in ((Keys.ENTER, 0, ["1", "4", "8", "16"], "ascending"),
                                     (Keys.SPACE, 0, ["16", "8", "4", "1"], "descending"),
                                     (Keys.ENTER, 1, ["central", "complex", "forward", "reverse"], "ascending"),
                                     (Keys.ENTER, 2, ["1e-09", "3.50", "20.00", "-"], "ascending"),
                                     (Keys.ENTER, 2, ["20.00", "3.50", "1e-09", "-"], "descending")):  # fmt: skip
        focus(b, heads[k])
        press(b, key)
        assert column(k) == order
        assert [h.get_attribute("aria-sort") for h in table.find_elements(By.TAG_NAME, "th")][k] == direction
    assert len(table.find_elements(By.CSS_SELECTOR, "[aria-sort]")) == 1


def test_scheme_button_goes_round(opened):
    b = opened(color_scheme="light")
    button = b.find_element(By.ID, "scheme")
    focus(b, button)
    seen = []
    for _ in range(4):
        seen.append((button.text, b.execute_script("return getComputedStyle(document.body).backgroundColor")))
        press(b, Keys.ENTER)
    white, black = "rgb(255, 255, 255)", "rgb(20, 22, 26)"
    assert seen == [("Colours: auto", white), ("Colours: light", white), ("Colours: dark", black), ("Colours: auto", white)]


def test_skip_link_leads_to_the_results(opened):
    b = opened()
    press(b, Keys.TAB)
    assert b.switch_to.active_element.text == "To the results"
    press(b, Keys.ENTER)
    assert b.current_url.endswith("#main")


# ---- without the script ----------------------------------------------------------------------------------------------


def test_everything_is_readable_without_the_script(opened, browser):
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    b = opened()
    words = b.find_element(By.TAG_NAME, "main").text
    for figure in FIGURES:
        assert figure.title in words
        assert figure.caption in words
    assert all(figure.is_displayed() for figure in b.find_elements(By.TAG_NAME, "figure"))
    assert not b.find_elements(By.TAG_NAME, "button"), "no control that does nothing"


@pytest.mark.parametrize("kind", ["json", "csv"])
def test_links_save_the_data(opened, tmp_path, kind):
    """Enter on the link saves the file, unpacked."""
    b = opened()
    b.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    focus(b, b.find_element(By.CSS_SELECTOR, f"a[download='dualad.{kind}.gz']"))
    press(b, Keys.ENTER)
    file = tmp_path / f"dualad.{kind}"
    WebDriverWait(b, 10).until(lambda _: file.exists())
    whole = Report((sample(), sample("The same again", {})))
    text = file.read_text(encoding="utf-8")
    assert text == whole.to_csv() if kind == "csv" else json.loads(text) == whole.to_dict()
    assert b.get_log("browser") == []

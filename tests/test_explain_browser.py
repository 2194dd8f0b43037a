"""The stepper in a real browser: no error, no request, words that can be read at 360 and 1400 pixels, by everyone.

Stepping and questions: test_explain_stepping.py.
"""

import re

import pytest
from browser import LOW_CONTRAST, needs_browser, press, requests
from selenium.webdriver import Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select
from stepper_page import body, cell, word

from dualad.report.labels import text_width
from dualad.report.palette import contrast

pytestmark = needs_browser
WIDTHS = (360, 1400)
NAMES = ("lecture", "baydin", "quiz", "network", "long", "euler")


# ---- loading and layout ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", NAMES)
def test_no_error_no_request_and_no_overflow(stepper, stepper_files, name, width):
    b = stepper(name, width)
    for _ in range(3):
        assert b.execute_script("return document.documentElement.scrollWidth") <= width
        wide = b.execute_script("""return [...document.querySelectorAll('body *')].filter(e =>
            !e.closest('.scroll, .skip, .dualad-explain') &&
            e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80))""")
        assert wide == []
        body(b)
        press(b, Keys.END)
    assert b.get_log("browser") == []
    address = (stepper_files / f"{name}.html").as_uri()
    urls = requests(b)
    assert address in urls  # the log is kept
    assert [url for url in urls if url != address and not url.startswith("data:")] == []
    assert b.execute_script("return performance.getEntriesByType('resource').map(e => e.name)") == []


@pytest.mark.parametrize("name", ["lecture", "quiz", "network"])
def test_words_of_the_graph_are_large_and_inside_their_boxes(stepper, name):
    b = stepper(name, 360)
    body(b)
    press(b, Keys.END)
    found = b.execute_script("""return [...document.querySelectorAll('.graph [data-node]')].map(g => {
        const r = [...g.querySelectorAll('rect')].at(-1).getBoundingClientRect();
        return [[r.left, r.right], [...g.querySelectorAll('text')].map(t => { const q = t.getBoundingClientRect();
            const s = getComputedStyle(t); return [t.textContent, q.left, q.right, parseFloat(s.fontSize), s.fontWeight]; })] })""")
    assert len(found) == {"lecture": 6, "quiz": 13, "network": 9}[name]
    for (left, right), texts in found:
        for words, x0, x1, size, weight in texts:
            assert size >= 12
            assert left <= x0
            assert x1 <= right + 0.5, words
            if weight == "400":
                assert x1 - x0 <= 1.03 * text_width(words, size) + 1, words


@pytest.mark.parametrize("name", ["quiz", "network"])
@pytest.mark.parametrize("version", "AB")
def test_numbers_of_every_step_have_room(stepper, name, version):
    """Adjoints on the way, and tangents of another seed, were wider than the last ones and ran into their labels."""
    b = stepper(name)
    b.find_element(By.CSS_SELECTOR, f"input[value={version}]").click()
    body(b)
    walk = """const next = document.getElementById('next'), found = [];
        let steps = 0;
        for (document.getElementById('first').click(); !next.disabled; steps += 1) {
            next.click();
            found.push(...[...document.querySelectorAll('.graph [data-row]')].filter(t => t.getBoundingClientRect().left - 3 <
                t.previousElementSibling.getBoundingClientRect().right).map(t => t.textContent));
        }
        return [steps, found]"""
    for seed in range(len(Select(b.find_element(By.ID, "seed")).options) - 1):
        Select(b.find_element(By.ID, "seed")).select_by_index(seed)
        assert b.execute_script(walk) == [int(b.find_element(By.ID, "slider").get_attribute("max")), []]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("where", ["start", "forward", "reverse"])
@pytest.mark.parametrize("name", ["lecture", "euler"])
def test_contrast_on_the_screen(stepper, scheme, where, name):
    """The computed colours of all words against the paper behind them, at three steps (euler: cards around them)."""
    b = stepper(name, color_scheme=scheme)
    body(b)
    press(b, *{"start": [], "forward": [Keys.ARROW_RIGHT] * 6, "reverse": [Keys.END]}[where])
    count, low = b.execute_script(LOW_CONTRAST)
    assert count > 80
    assert low == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_in_boxes_of_the_graph_have_contrast(stepper, scheme):
    """In SVG the paper behind words is a rectangle's filling, which the test above does not see."""
    b = stepper("lecture", color_scheme=scheme)
    colours = b.execute_script("""return [...document.querySelectorAll('.graph [data-node]')].flatMap(g => {
        const back = getComputedStyle(g.querySelector('rect')).fill;
        return [...g.querySelectorAll('text')].map(t => [getComputedStyle(t).fill, back]); })""")

    def plain(colour):
        return "#" + "".join(f"{int(part):02x}" for part in re.findall(r"\d+", colour)[:3])

    assert len(colours) == 6 * 8 - 1
    assert min(contrast(plain(ink), plain(back)) for ink, back in colours) >= 4.5


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_reduced_motion(stepper, motion):
    b = stepper("network", 360, reduced_motion=motion)
    wanted = "auto" if motion == "reduce" else "smooth"
    b.execute_script("""window.asked = [];
        const frame = document.querySelector('.picture .scroll'), by = frame.scrollBy.bind(frame);
        frame.scrollBy = (options) => { asked.push(options.behavior); by({ ...options, behavior: 'auto' }); };""")
    body(b)
    press(b, Keys.END, Keys.HOME, *[Keys.ARROW_RIGHT] * 12)
    asked = b.execute_script("return window.asked")
    assert asked
    assert set(asked) == {wanted}


# ---- the size of the drawing, and what is around a step ----------------------------------------------------------------


def zoom(b):
    return int(word(b, "fit").removesuffix("%"))


@pytest.mark.parametrize("name", ["lecture", "baydin", "quiz", "network"])
def test_a_drawing_fits_its_column(stepper, name):
    """Quiz 1 was 801 pixels wide in a column of 700."""
    b = stepper(name)
    assert b.execute_script("const f = document.querySelector('.picture .scroll'); return f.scrollWidth <= f.clientWidth")
    assert zoom(b) > 95


def test_the_drawing_is_enlarged_by_keys_and_buttons(stepper):
    b = stepper("quiz", 360)
    assert zoom(b) == 85, "where it would be smaller to fit, the frame scrolls"
    wide = "return document.querySelector('svg.graph').getBoundingClientRect().width"
    before = b.execute_script(wide)
    body(b)
    press(b, "+")
    assert b.execute_script(wide) == pytest.approx(1.25 * before, abs=2)
    assert zoom(b) == 106
    press(b, "-", "-")
    assert zoom(b) == 68
    b.find_element(By.ID, "larger").click()
    assert zoom(b) == 85
    b.find_element(By.ID, "smaller").click()
    b.find_element(By.ID, "fit").click()
    assert zoom(b) == 85
    press(b, "0")
    assert b.execute_script("const f = document.querySelector('.picture .scroll'); return f.scrollWidth <= f.clientWidth")
    assert b.execute_script("return document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("width", WIDTHS)
def test_around_a_step(stepper, width):
    """The value of the step, what it reads, who reads it: cards that need no scrolling sideways, the arrow of the event lit."""
    b = stepper("quiz", width)
    b.find_element(By.ID, "around").click()
    assert not b.find_element(By.CSS_SELECTOR, "svg.graph").is_displayed()
    body(b)
    press(b, Keys.END, *[Keys.ARROW_LEFT] * 5)
    assert word(b, "event") == "dy/dz += dy/dv3 * x = 2.849892"
    cards = "return [...document.querySelectorAll('.card')].map(c => [c.querySelector('.name').textContent, c.className])"
    assert b.execute_script(cards) == [["x", "card input"], ["z", "card input now"], ["v3", "card from"], ["v5", "card"]]
    lit = b.execute_script("return [...document.querySelectorAll('.arrow.now')].map(a => a.innerText.split('\\n'))")
    assert [sorted(part) for part in lit] == [["dv3/dz = x = 2", "↑"]]
    assert b.execute_script("return document.querySelector('.around').scrollWidth") <= width
    b.find_element(By.ID, "around").click()
    assert b.find_element(By.CSS_SELECTOR, "svg.graph").is_displayed()


# ---- who cannot use a mouse, a script, a screen ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["lecture", "long"])
def test_everything_is_reached_by_tab(stepper, name):
    b = stepper(name)
    body(b)
    for _ in range(60):
        press(b, Keys.TAB)
        if b.execute_script("const e = document.activeElement; e.dataset.seen = 1; return e === document.body"):
            break
    missed = b.execute_script("""return [...document.querySelectorAll('button, a, summary, select, input, [tabindex="0"]')]
        .filter(e => e.tabIndex >= 0 && e.getClientRects().length && !e.disabled && !('seen' in e.dataset)
            && !(e.type === 'radio' && !e.checked))
        .map(e => e.outerHTML.slice(0, 100))""")
    assert missed == []


def test_phone_player_stays_in_reach_and_hides_nothing_at_the_end(stepper):
    b = stepper("lecture", 360)
    body(b)
    press(b, Keys.END)
    for place in ("0", "document.body.scrollHeight"):
        b.execute_script(f"scrollTo(0, {place})")
        rect = b.execute_script(
            "const r = document.querySelector('.transport').getBoundingClientRect(); return [r.top, r.bottom, innerHeight]"
        )
        assert rect[1] == pytest.approx(rect[2], abs=1)
        assert rect[2] - rect[0] < 250
    assert b.execute_script("return document.querySelector('footer').getBoundingClientRect().bottom") <= rect[0] + 1


def test_phone_sees_the_box_that_is_asked_about(stepper):
    """The question makes the player higher; the box of J was behind it."""
    b = stepper("lecture", 360, height=740)
    body(b)
    press(b, *[Keys.ARROW_RIGHT] * 20)
    b.execute_script("document.getElementById('predict').click()")
    body(b)
    press(b, Keys.ARROW_RIGHT)
    b.find_element(By.ID, "answer").send_keys("sin(u)", Keys.ENTER)
    assert word(b, "told").startswith("Not sin(u)")
    top, bottom, edge = b.execute_script("""const r = document.querySelector('.graph .node.now').getBoundingClientRect();
        return [r.top, r.bottom, document.querySelector('.transport').getBoundingClientRect().top]""")
    assert 0 <= top
    assert bottom <= edge


def test_phone_sees_the_box_of_each_step(stepper):
    """The frame of the graph comes up from behind the player, and the box into the frame."""
    b = stepper("network", 360)
    for _ in range(37):
        b.find_element(By.ID, "next").click()
        top, bottom, edge = b.execute_script("""const r = document.querySelector('.graph .node.now')?.getBoundingClientRect();
            return [r?.top ?? 0, r?.bottom ?? 0, document.querySelector('.transport').getBoundingClientRect().top]""")
        assert top >= 0
        assert bottom <= edge


def test_paper_shows_the_end(stepper):
    b = stepper(media="print")
    assert not b.find_element(By.ID, "player").is_displayed()
    b.execute_script("dispatchEvent(new Event('beforeprint'))")
    assert cell(b, "x", "adjoint") == "4.560792"
    assert not b.find_elements(By.CSS_SELECTOR, ".now, .from, .fresh"), "paper has no step"
    assert "dJ/dt += dJ/dv2 * 3 = 1.932374" in b.find_element(By.CSS_SELECTOR, ".full").text
    b.execute_script("dispatchEvent(new Event('afterprint'))")
    assert cell(b, "x", "adjoint") == "·"


def test_everything_is_readable_without_the_script(stepper, browser):
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    b = stepper()
    words = b.find_element(By.TAG_NAME, "main").text
    for text in ("-0.7649206", "4.560792", "t = x**2  # inner"):
        assert text in words
    assert not [e for e in b.find_elements(By.CSS_SELECTOR, "button, input, select") if e.is_displayed()]
    assert b.find_element(By.CSS_SELECTOR, "svg.graph").is_displayed()

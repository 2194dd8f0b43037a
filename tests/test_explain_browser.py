"""The stepper in a real browser: slider, keys, versions, predict first; no error, no request, readable at 360 and 1400 pixels.

One story told by one page, past 500 lines on purpose: every part needs the same page, helpers and counts of steps.

Needs selenium (extra browser-test) and Chromium with its driver (Debian: chromium, chromium-driver); skipped without them.
"""

import re

import pytest
from browser import LOW_CONTRAST, focus, needs_browser, open_page, press, requests, start
from explained_examples import explained, looped
from selenium.webdriver import Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

import dualad
from dualad.report.labels import text_width
from dualad.report.palette import contrast

pytestmark = needs_browser
WIDTHS = (360, 1400)
NAMES = ("lecture", "baydin", "quiz", "network", "long")
#: events of the lecture example: 1 input, then visit, reads and compute of 5 operations; B: zero, seed, 5 visits, 6 increments
FORWARD, REVERSE_B, REVERSE_A = 17, 13, 17


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stepper")
    for name, e in {**explained(), "long": dualad.explain(looped, 1.0)}.items():
        e.html(folder / f"{name}.html")
    return folder


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    driver = start(tmp_path_factory.mktemp("profile"))
    yield driver
    driver.quit()


@pytest.fixture
def opened(browser, files):
    def at(name="lecture", width=1400, **features):
        return open_page(browser, files / f"{name}.html", width, **features)

    yield at
    assert browser.get_log("browser") == [], "nothing on the console, whatever was done"
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def word(b, name):
    return b.find_element(By.ID, name).text


def step(b):
    return int(re.match(r"step (\d+) of", word(b, "count"))[1])


def cell(b, row, kind):
    """What the table says, after checking that the graph says the same."""
    shown = b.execute_script(
        """const [row, kind] = arguments;
        const i = [...document.querySelectorAll('[data-row] th b')].findIndex(e => e.textContent === row);
        return [document.querySelector(`tr[data-row="${i}"] .${kind}`).textContent,
                document.querySelector(`[data-node="${i}"] [data-row="${kind}"]`).textContent]""",
        row,
        kind,
    )
    assert shown[0] == shown[1]
    return shown[0]


def body(b):
    b.execute_script("document.activeElement.blur()")


def answer(b, text):
    field = b.find_element(By.ID, "answer")
    field.clear()
    field.send_keys(text, Keys.ENTER)
    return word(b, "told")


# ---- loading and layout ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", NAMES)
def test_no_error_no_request_and_no_overflow(opened, files, name, width):
    b = opened(name, width)
    for _ in range(3):
        assert b.execute_script("return document.documentElement.scrollWidth") <= width
        wide = b.execute_script("""return [...document.querySelectorAll('body *')].filter(e =>
            !e.closest('.scroll, .skip, .dualad-explain') &&
            e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80))""")
        assert wide == []
        body(b)
        press(b, Keys.END)
    assert b.get_log("browser") == []
    address = (files / f"{name}.html").as_uri()
    urls = requests(b)
    assert address in urls  # the log is kept
    assert [url for url in urls if url != address and not url.startswith("data:")] == []
    assert b.execute_script("return performance.getEntriesByType('resource').map(e => e.name)") == []


@pytest.mark.parametrize("name", ["lecture", "quiz", "network"])
def test_words_of_the_graph_are_large_and_inside_their_boxes(opened, name):
    b = opened(name, 360)
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
def test_numbers_of_every_step_have_room(opened, name, version):
    """Adjoints on the way, and tangents of another seed, were wider than the last ones and ran into their labels."""
    b = opened(name)
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
def test_contrast_on_the_screen(opened, scheme, where):
    """The computed colours of all words against the paper behind them, at three steps."""
    b = opened("lecture", color_scheme=scheme)
    body(b)
    press(b, *{"start": [], "forward": [Keys.ARROW_RIGHT] * 6, "reverse": [Keys.END]}[where])
    count, low = b.execute_script(LOW_CONTRAST)
    assert count > 80
    assert low == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_in_boxes_of_the_graph_have_contrast(opened, scheme):
    """In SVG the paper behind words is a rectangle's filling, which the test above does not see."""
    b = opened("lecture", color_scheme=scheme)
    colours = b.execute_script("""return [...document.querySelectorAll('.graph [data-node]')].flatMap(g => {
        const back = getComputedStyle(g.querySelector('rect')).fill;
        return [...g.querySelectorAll('text')].map(t => [getComputedStyle(t).fill, back]); })""")

    def plain(colour):
        return "#" + "".join(f"{int(part):02x}" for part in re.findall(r"\d+", colour)[:3])

    assert len(colours) == 6 * 8 - 1
    assert min(contrast(plain(ink), plain(back)) for ink, back in colours) >= 4.5


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_reduced_motion(opened, motion):
    b = opened("network", 360, reduced_motion=motion)
    wanted = "auto" if motion == "reduce" else "smooth"
    b.execute_script("""window.asked = [];
        const frame = document.querySelector('.picture .scroll'), by = frame.scrollBy.bind(frame);
        frame.scrollBy = (options) => { asked.push(options.behavior); by({ ...options, behavior: 'auto' }); };""")
    body(b)
    press(b, Keys.END, Keys.HOME, *[Keys.ARROW_RIGHT] * 12)
    asked = b.execute_script("return window.asked")
    assert asked
    assert set(asked) == {wanted}


# ---- stepping --------------------------------------------------------------------------------------------------------


def test_arrow_keys_step_through_both_sweeps(opened):
    b = opened()
    body(b)
    assert step(b) == 0
    assert [cell(b, "J", kind) for kind in ("value", "tangent", "adjoint")] == ["·"] * 3
    press(b, Keys.ARROW_RIGHT)
    assert word(b, "event") == "x = 1, dx = 1"
    assert word(b, "sweep") == "Forward sweep"
    assert cell(b, "x", "value") == "1"
    press(b, *[Keys.ARROW_RIGHT] * (FORWARD - 1))
    assert step(b) == FORWARD
    assert (cell(b, "J", "value"), cell(b, "J", "tangent"), cell(b, "J", "adjoint")) == ("-0.7649206", "4.560792", "·")
    forward = b.execute_script("return getComputedStyle(document.getElementById('sweep')).color")
    press(b, Keys.ARROW_RIGHT)
    assert word(b, "sweep") == "Reverse sweep, version B"
    assert word(b, "event") == "all adjoints = 0"
    assert b.execute_script("return getComputedStyle(document.getElementById('sweep')).color") != forward
    assert cell(b, "x", "adjoint") == "0"
    press(b, Keys.END)
    assert step(b) == FORWARD + REVERSE_B
    assert cell(b, "x", "adjoint") == "4.560792"
    press(b, Keys.ARROW_RIGHT)
    assert step(b) == FORWARD + REVERSE_B
    press(b, Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    assert cell(b, "x", "adjoint") == "0"
    press(b, Keys.HOME)
    assert (step(b), cell(b, "x", "value")) == (0, "·")


def test_buttons_and_their_limits(opened):
    b = opened()
    buttons = {name: b.find_element(By.ID, name) for name in ("first", "back", "next", "last")}
    assert [buttons[name].is_enabled() for name in buttons] == [False, False, True, True]
    buttons["last"].click()
    assert [buttons[name].is_enabled() for name in buttons] == [True, True, False, False]
    buttons["back"].click()
    assert step(b) == FORWARD + REVERSE_B - 1
    buttons["next"].click()
    buttons["first"].click()
    assert step(b) == 0


def test_slider_by_keyboard_and_by_script(opened):
    b = opened()
    slider = b.find_element(By.ID, "slider")
    focus(b, slider)
    press(b, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert step(b) == 3
    assert slider.get_attribute("aria-valuetext").startswith("step 3: read x = 1") or "t = " in slider.get_attribute(
        "aria-valuetext"
    )
    press(b, Keys.END)
    assert step(b) == int(slider.get_attribute("max")) == FORWARD + REVERSE_B
    b.execute_script("const s = document.getElementById('slider'); s.value = 9; s.dispatchEvent(new Event('input'))")
    assert step(b) == 9
    split = b.execute_script("return document.documentElement.style.getPropertyValue('--split')")
    assert float(split.rstrip("%")) == pytest.approx(100 * FORWARD / (FORWARD + REVERSE_B))


def test_increment_lights_node_edge_row_and_line(opened):
    b = opened()
    body(b)
    press(b, Keys.END, *[Keys.ARROW_LEFT] * 4)
    assert word(b, "event") == "dJ/dt += dJ/dv2 * 3 = 1.932374"
    lit = b.execute_script("""return [[...document.querySelectorAll('.graph .node.now')].map(e => e.dataset.node),
        [...document.querySelectorAll('.graph .node.from')].map(e => e.dataset.node),
        [...document.querySelectorAll('.graph .edge.now.back')].map(e => e.dataset.edge),
        [...document.querySelectorAll('tr.now')].map(e => e.dataset.row),
        [...document.querySelectorAll('li.now code')].map(e => e.textContent.trim()),
        [...document.querySelectorAll('td.fresh')].length]""")
    assert lit == [["1"], ["3"], ["3-1"], ["1"], ["u = dmath.sin(t) + 3 * t"], 1]


def test_version_switch(opened):
    b = opened()
    body(b)
    press(b, Keys.END)
    b.find_element(By.CSS_SELECTOR, "input[value=A]").click()
    assert word(b, "count") == f"step {FORWARD} of {FORWARD + REVERSE_A}", "the reverse sweep starts again"
    assert cell(b, "J", "adjoint") == "·"
    body(b)
    press(b, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert word(b, "sweep") == "Reverse sweep, version A"
    assert word(b, "event").startswith("read dJ/dJ = 1")
    press(b, Keys.END)
    assert word(b, "event") == "dJ/dx = dJ/dt * 2*x = 4.560792"
    radio = b.find_element(By.CSS_SELECTOR, "input[value=A]")
    focus(b, radio)
    press(b, Keys.ARROW_RIGHT)
    assert b.find_element(By.CSS_SELECTOR, "input[value=B]").is_selected(), "radio buttons keep their own keys"
    body(b)
    press(b, Keys.END)
    assert cell(b, "x", "adjoint") == "4.560792"


def test_seed_switch_and_values_only(opened):
    b = opened("baydin")
    choice = Select(b.find_element(By.ID, "seed"))
    assert [option.text for option in choice.options] == ["values, tangents by x1", "values, tangents by x2", "values only"]
    body(b)
    press(b, Keys.END)
    assert cell(b, "y", "tangent") == "5.5"
    cost = word(b, "operations")
    choice.select_by_index(1)
    assert cell(b, "y", "tangent") == "1.716338"
    choice.select_by_index(2)
    assert not b.find_elements(By.CSS_SELECTOR, "td.tangent:not(.absent)")
    body(b)
    press(b, Keys.END)
    assert word(b, "operations") == "forward 5, reverse 16"
    assert cost == "forward 21, reverse 16"


def test_counters(opened):
    """Those of the events: operations, numbers held and their bytes, entries of the tape."""
    b = opened()
    body(b)
    assert [word(b, name) for name in ("operations", "memory", "tape")] == ["forward 0, reverse 0", "0 (0 bytes)", "0 entries"]
    press(b, *[Keys.ARROW_RIGHT] * 4)
    assert word(b, "tape") == "1 entry"
    press(b, Keys.END)
    e = explained()["lecture"]
    forward, reverse = list(e.steps("tangent"))[-1], list(e.steps("reverse", "B"))[-1]
    assert word(b, "operations") == f"forward {forward.operations}, reverse {reverse.operations}"
    assert word(b, "memory") == f"{reverse.memory} ({8 * reverse.memory} bytes)"
    assert word(b, "tape") == "5 entries"


# ---- predict first ---------------------------------------------------------------------------------------------------


def at_reverse(b):
    """Predict first is switched on where the reverse sweep begins."""
    b.execute_script(f"const s = document.getElementById('slider'); s.value = {FORWARD + 1}; s.dispatchEvent(new Event('input'))")
    focus(b, b.find_element(By.ID, "predict"))
    press(b, Keys.SPACE)
    body(b)


def test_predict_first_asks_and_judges(opened):
    b = opened()
    at_reverse(b)
    press(b, Keys.ARROW_RIGHT)
    assert word(b, "asked") == "Where does the reverse sweep begin: what is dJ/dJ?"
    assert b.switch_to.active_element.get_attribute("id") == "answer"
    assert cell(b, "J", "adjoint") == "0", "not shown before it is answered"
    assert answer(b, "1").startswith("Right")
    assert (cell(b, "J", "adjoint"), b.switch_to.active_element.get_attribute("id")) == ("1", "next")
    press(b, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)  # visit J, then the increment of u
    assert word(b, "asked") == "dJ/du is 0 so far. What is it after the increment from J = cos(u)?"
    assert answer(b, "sin(u)") == "Not sin(u): the sign is the other one. Try again, or let it be shown."
    assert b.find_element(By.ID, "told").get_attribute("data-right") == "no"
    assert cell(b, "u", "adjoint") == "0"
    assert answer(b, "-sin(u)") == "Right: dJ/du += -sin(u) = 0.6441246."
    assert b.find_element(By.ID, "told").get_attribute("data-right") == "yes"
    assert word(b, "score") == "1 of 2 right at once"


def test_wrong_answers_are_told_why(opened):
    """At the second increment of t: = for +=, the old value, the wrong sign, a factor 2, a forgotten factor."""
    b = opened()
    at_reverse(b)
    for _ in range(20):
        press(b, Keys.ARROW_RIGHT)
        if b.find_element(By.ID, "question").is_displayed():
            if word(b, "asked").startswith("dJ/dt is 1.932374"):
                break
            b.find_element(By.ID, "show").click()
    reasons = {"0.348022": "that is the increment alone; += adds it to what is there", "2.280396/2": "it is off by a factor 2"}
    reasons |= {"1.932374": "that is what it was before", "1.932374-0.348022": "the increment is added, not subtracted"}
    reasons |= {"1.932374 + cos(t)": "the local partial has to be multiplied by dJ/dv1 first"}
    for text, why in (reasons | {"77": "the rule here is dJ/dt += dJ/dv1 * cos(t)"}).items():
        assert answer(b, text) == f"Not {text}: {why}. Try again, or let it be shown."
    complaints = {"2..3": "does not fit", "q": "“q” is no number that is known here", "(2": "A bracket is not closed"}
    for text, why in (complaints | {"1/0": "not a finite number", "2+": "Something is missing"}).items():
        assert why in answer(b, text)
    assert answer(b, "2.28").startswith("Right")
    assert cell(b, "t", "adjoint") == "2.280396"


def test_show_me_reveals_and_goes_on(opened):
    b = opened()
    at_reverse(b)
    press(b, Keys.ARROW_RIGHT)
    focus(b, b.find_element(By.ID, "show"))
    press(b, Keys.ENTER)
    assert word(b, "told") == "It is 1: the derivative of a number by itself is 1."
    assert (word(b, "score"), step(b)) == ("0 of 1 right at once", FORWARD + 2)


def test_neither_slider_nor_end_jump_over_a_question(opened):
    b = opened()
    at_reverse(b)
    press(b, Keys.END)
    assert step(b) == FORWARD + 1
    assert b.find_element(By.ID, "question").is_displayed()
    b.execute_script("const s = document.getElementById('slider'); s.value = s.max; s.dispatchEvent(new Event('input'))")
    assert step(b) == FORWARD + 1
    b.find_element(By.ID, "back").click()
    assert not b.find_element(By.ID, "question").is_displayed()
    focus(b, b.find_element(By.ID, "predict"))
    press(b, Keys.SPACE)
    body(b)
    press(b, Keys.END)
    assert step(b) == FORWARD + REVERSE_B


def test_arrow_keys_in_the_field_move_the_cursor(opened):
    b = opened()
    at_reverse(b)
    press(b, Keys.ARROW_RIGHT)
    press(b, "12", Keys.ARROW_LEFT, "0")
    assert b.find_element(By.ID, "answer").get_attribute("value") == "102"
    assert step(b) == FORWARD + 1


def test_partials_can_be_asked(opened):
    b = opened()
    at_reverse(b)
    Select(b.find_element(By.ID, "ask")).select_by_value("partial")
    hidden = "return [...document.querySelectorAll('.graph .label.hidden')].map(e => e.dataset.edge)"
    assert len(b.execute_script(hidden)) == 6, "no partial is given away"
    body(b)
    press(b, Keys.END)
    assert word(b, "asked") == "What is the local partial dJ/du, if J = cos(u) and u = 3.841471?"
    assert "sin(u)" not in word(b, "asked")
    assert answer(b, "cos(u)") == "Not cos(u): that is J itself. Try again, or let it be shown."
    assert answer(b, "-sin(u)") == "Right: dJ/du = -sin(u) = 0.6441246."
    assert len(b.execute_script(hidden)) == 5


def test_tangents_are_asked_in_the_forward_sweep(opened):
    b = opened()
    b.find_element(By.ID, "predict").click()
    body(b)
    press(b, Keys.END)
    assert word(b, "asked") == "What is the tangent dt, if t = x**2?"
    assert cell(b, "t", "tangent") == "·"
    assert answer(b, "1") == "Not 1: that is the value; the tangent is asked for. Try again, or let it be shown."
    assert answer(b, "2*x") == "Right: dt = 2*x*dx = 2."


def test_version_a_asks_for_what_is_sent(opened):
    b = opened()
    b.find_element(By.CSS_SELECTOR, "input[value=A]").click()
    b.execute_script(f"const s = document.getElementById('slider'); s.value = {FORWARD + 1}; s.dispatchEvent(new Event('input'))")
    b.find_element(By.ID, "predict").click()
    body(b)
    press(b, Keys.END)
    assert word(b, "asked") == "What does J = cos(u) send to dJ/du?"
    assert answer(b, "-sin(u)").startswith("Right")
    for _ in range(20):
        press(b, Keys.END)
        if word(b, "asked").startswith("t is read 2 times"):
            break
        b.find_element(By.ID, "show").click()
    assert answer(b, "0.348022") == "Not 0.348022: that is one of the terms; all of them are added. Try again, or let it be shown."
    assert answer(b, "2.280396").startswith("Right")


def test_shapes_are_asked_of_arrays(opened):
    b = opened("network")
    b.find_element(By.ID, "last").click()
    b.find_element(By.ID, "first").click()
    Select(b.find_element(By.ID, "seed")).select_by_visible_text("values only")
    b.find_element(By.ID, "predict").click()
    body(b)
    asked = []
    for _ in range(12):
        press(b, Keys.END)
        if not b.find_element(By.ID, "question").is_displayed():
            break
        asked.append(word(b, "asked"))
        if asked[-1].startswith("What is the shape of dJ/dW1"):
            assert answer(b, "(3, 4)").startswith("Not (3, 4): an adjoint has the shape of its value W1")
            assert answer(b, "4,3").startswith("Right")
        else:
            b.find_element(By.ID, "show").click()
    assert len(asked) == 9
    assert step(b) == int(b.find_element(By.ID, "slider").get_attribute("max"))


# ---- who cannot use a mouse, a script, a screen ------------------------------------------------------------------------


def test_everything_is_reached_by_tab(opened):
    b = opened()
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


def test_phone_player_stays_in_reach_and_hides_nothing_at_the_end(opened):
    b = opened("lecture", 360)
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


def test_phone_sees_the_box_of_each_step(opened):
    """The frame of the graph comes up from behind the player, and the box into the frame."""
    b = opened("network", 360)
    for _ in range(37):
        b.find_element(By.ID, "next").click()
        top, bottom, edge = b.execute_script("""const r = document.querySelector('.graph .node.now')?.getBoundingClientRect();
            return [r?.top ?? 0, r?.bottom ?? 0, document.querySelector('.transport').getBoundingClientRect().top]""")
        assert top >= 0
        assert bottom <= edge


def test_paper_shows_the_end(opened):
    b = opened(media="print")
    assert not b.find_element(By.ID, "player").is_displayed()
    b.execute_script("dispatchEvent(new Event('beforeprint'))")
    assert cell(b, "x", "adjoint") == "4.560792"
    b.execute_script("dispatchEvent(new Event('afterprint'))")
    assert cell(b, "x", "adjoint") == "·"


def test_everything_is_readable_without_the_script(opened, browser):
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    b = opened()
    words = b.find_element(By.TAG_NAME, "main").text
    for text in ("-0.7649206", "4.560792", "t = x**2  # inner"):
        assert text in words
    assert not [e for e in b.find_elements(By.CSS_SELECTOR, "button, input, select") if e.is_displayed()]
    assert b.find_element(By.CSS_SELECTOR, "svg.graph").is_displayed()

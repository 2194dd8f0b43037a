"""Stepping through a page: slider, keys, versions, seeds, counts; predict first: what is asked, what is said about an answer."""

import pytest
from browser import focus, needs_browser, press
from explained_examples import explained
from selenium.webdriver import Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select
from stepper_page import answer, body, cell, step, word

pytestmark = needs_browser
#: events of the lecture example: 1 input, then visit, reads and compute of 5 operations; B: zero, seed, 5 visits, 6 increments
FORWARD, REVERSE_B, REVERSE_A = 17, 13, 17


# ---- stepping --------------------------------------------------------------------------------------------------------


def test_arrow_keys_step_through_both_sweeps(stepper):
    b = stepper()
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


def test_buttons_and_their_limits(stepper):
    b = stepper()
    buttons = {name: b.find_element(By.ID, name) for name in ("first", "back", "next", "last")}
    assert [buttons[name].is_enabled() for name in buttons] == [False, False, True, True]
    buttons["last"].click()
    assert [buttons[name].is_enabled() for name in buttons] == [True, True, False, False]
    buttons["back"].click()
    assert step(b) == FORWARD + REVERSE_B - 1
    buttons["next"].click()
    buttons["first"].click()
    assert step(b) == 0


def test_slider_by_keyboard_and_by_script(stepper):
    b = stepper()
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


def test_increment_lights_node_edge_row_and_line(stepper):
    b = stepper()
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


def test_version_switch(stepper):
    b = stepper()
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


def test_seed_switch_and_values_only(stepper):
    b = stepper("baydin")
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


def test_counters(stepper):
    """Those of the events: operations, numbers held and their bytes, entries of the tape."""
    b = stepper()
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


def test_predict_first_asks_and_judges(stepper):
    b = stepper()
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


def test_wrong_answers_are_told_why(stepper):
    """At the second increment of t: = for +=, the old value, the wrong sign, a factor 2, a forgotten factor."""
    b = stepper()
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


def test_what_is_asked_is_not_said_elsewhere(stepper):
    """The result stood above the questions about it, and the description of the graph told all numbers."""
    b = stepper()
    result = b.find_element(By.CSS_SELECTOR, ".result strong")
    assert result.is_displayed()
    assert "4.56" not in b.execute_script("return document.querySelector('svg.graph desc').textContent")
    at_reverse(b)
    assert not result.is_displayed()
    for _ in range(40):
        press(b, Keys.END)
        if not b.find_element(By.ID, "question").is_displayed():
            break
        b.find_element(By.ID, "show").click()
    assert result.is_displayed()


def test_show_me_reveals_and_goes_on(stepper):
    b = stepper()
    at_reverse(b)
    press(b, Keys.ARROW_RIGHT)
    focus(b, b.find_element(By.ID, "show"))
    press(b, Keys.ENTER)
    assert word(b, "told") == "It is 1: the derivative of a number by itself is 1."
    assert (word(b, "score"), step(b)) == ("0 of 1 right at once", FORWARD + 2)


def test_neither_slider_nor_end_jump_over_a_question(stepper):
    b = stepper()
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


def test_arrow_keys_in_the_field_move_the_cursor(stepper):
    b = stepper()
    at_reverse(b)
    press(b, Keys.ARROW_RIGHT)
    press(b, "12", Keys.ARROW_LEFT, "0")
    assert b.find_element(By.ID, "answer").get_attribute("value") == "102"
    assert step(b) == FORWARD + 1


def test_partials_can_be_asked(stepper):
    b = stepper()
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


def test_tangents_are_asked_in_the_forward_sweep(stepper):
    b = stepper()
    b.find_element(By.ID, "predict").click()
    body(b)
    press(b, Keys.END)
    assert word(b, "asked") == "What is the tangent dt, if t = x**2?"
    assert cell(b, "t", "tangent") == "·"
    assert answer(b, "1") == "Not 1: that is the value; the tangent is asked for. Try again, or let it be shown."
    assert answer(b, "2*x") == "Right: dt = 2*x*dx = 2."


def test_version_a_asks_for_what_is_sent(stepper):
    b = stepper()
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


def test_shapes_are_asked_of_arrays(stepper):
    b = stepper("network")
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

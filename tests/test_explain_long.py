"""Pages of programs of hundreds and thousands of values: what is packed, stepped through and shown near a step."""

import pytest
from browser import focus, needs_browser, press
from explained_examples import euler, looped
from selenium.webdriver import Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select
from stepper_page import answer, body, step, word

import dualad

pytestmark = needs_browser


def rows(b):
    """Name and numbers of each row of the table."""
    return b.execute_script("""return [...document.querySelectorAll('.trace tbody tr')].map(r =>
        [r.querySelector('b').textContent, ...[...r.querySelectorAll('td')].map(d => d.textContent)])""")


def cards(b):
    return b.execute_script("return [...document.querySelectorAll('.card')].map(c => c.querySelector('.name').textContent)")


def at(b, position):
    b.execute_script(f"const s = document.getElementById('slider'); s.value = {position}; s.dispatchEvent(new Event('input'))")


@pytest.mark.parametrize(("name", "f", "args"), [("long", looped, (1.0,)), ("euler", euler, (1.3, 1.0))])
def test_what_is_packed_comes_back(stepper, name, f, args):
    """The events of all sweeps, their texts and numbers, the partials in words."""
    b = stepper(name)
    shown = dualad.explain(f, *args).fold("name")
    data = b.execute_async_script("const done = arguments[0]; unpacked(document.getElementById('program')).then(done)")
    assert [node["n"] for node in data["nodes"]] == list(shown.names)
    for version in "AB":
        events = list(shown.steps("reverse", version))
        assert [row[:7] for row in data[version]] == [
            [e.action, e.node, e.other, e.operand, e.operations, e.memory, e.text] for e in events
        ]
        numbers = [(row[8][1], e.value) for row, e in zip(data[version], events, strict=True) if e.value is not None]
        assert all(abs(mine - theirs) <= 1e-6 * abs(theirs) for mine, theirs in numbers)
    for key, sweep in (("values", "forward"), ("tangents", "tangent")):
        assert [row[:6] for row in data[key]] == [
            [e.action, e.node, e.other, e.operand, e.operations, e.memory] for e in shown.steps(sweep)
        ]
    for edge, (tail, head, place) in zip(data["edges"], shown.program.edges(), strict=True):
        assert (edge["tail"], edge["head"], edge["place"]) == (tail, head, place)
        assert edge["tip"].startswith(f"d{shown.names[head]}/d{shown.names[tail]}")
        assert edge["p"][1] == pytest.approx(shown.program.nodes[head].operands[place].partial, rel=1e-6)


def test_each_key_finishes_a_value(stepper):
    b = stepper("long")
    body(b)
    press(b, *[Keys.ARROW_RIGHT] * 3)
    assert word(b, "event").startswith("s_2 = s_1*0.5 + sin(x) = 0.841471")
    press(b, Keys.ARROW_RIGHT)
    assert word(b, "event").startswith("s_3 = ")
    assert cards(b) == ["s_2", "x", "s_3", "s_4"]
    press(b, Keys.ARROW_LEFT)
    assert word(b, "event").startswith("s_2 = ")
    press(b, Keys.END)
    assert word(b, "sweep") == "Reverse sweep, version B"
    assert step(b) == int(b.find_element(By.ID, "slider").get_attribute("max"))
    assert dict((name, adjoint) for name, _, _, adjoint in rows(b))["x"] == "4.63719"
    before = step(b)
    press(b, Keys.ARROW_LEFT)
    assert word(b, "event").startswith("dy/dx += dy/ds_2 ")
    Select(b.find_element(By.ID, "stride")).select_by_value("event")
    body(b)
    press(b, Keys.ARROW_RIGHT)
    assert step(b) < before, "an event at a time"


def test_to_a_value_by_its_name(stepper):
    """Forward: where it is computed; in the reverse sweep: where its adjoint is complete. Line, box, cards and rows follow."""
    b = stepper("long")
    focus(b, b.find_element(By.ID, "name"))
    press(b, "s_500", Keys.ENTER)
    assert word(b, "event").startswith("s_500 = s_499*0.5 + sin(x) = 1.682942")
    assert cards(b) == ["s_499", "x", "s_500", "s_501"]
    assert word(b, "rows") == "rows 494 to 508 of 1003"
    shown = rows(b)
    assert [name for name, *_ in shown] == [f"s_{k}" for k in range(493, 508)]
    assert [numbers[0] for _, *numbers in shown][6:9] == ["1.682942", "1.682942", "·"]
    places = "return [...document.querySelectorAll('li.now code, .graph .node.now .ink')].map(e => e.textContent.trim())"
    lit = b.execute_script(places)
    assert lit[0] == "s_2 … s_1001"
    assert lit[-1] == "s = s * 0.5 + dmath.sin(x)"
    at(b, int(b.find_element(By.ID, "slider").get_attribute("max")))
    field = b.find_element(By.ID, "name")
    field.clear()
    field.send_keys("s_1000", Keys.ENTER)
    assert word(b, "event").startswith("dy/ds_1000 += ")
    assert word(b, "event").endswith(" = 1.682942")
    field.clear()
    field.send_keys("nothing", Keys.ENTER)
    assert word(b, "found") == "no value is called nothing"


@pytest.mark.parametrize("width", [360, 1400])
def test_the_cards_of_a_step_are_in_view(stepper, width):
    b = stepper("euler", width)
    body(b)
    press(b, *[Keys.ARROW_RIGHT] * 30)
    left, right, top, bottom, edge = b.execute_script("""const r = document.querySelector('.card.now').getBoundingClientRect(),
        t = document.querySelector('.transport'), fixed = getComputedStyle(t).position === 'fixed';
        return [r.left, r.right, r.top, r.bottom, fixed ? t.getBoundingClientRect().top : innerHeight]""")
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= edge


def test_version_a_pulls_from_all_readers(stepper):
    b = stepper("long")
    b.find_element(By.CSS_SELECTOR, "input[value=A]").click()
    body(b)
    press(b, Keys.END)
    assert word(b, "event").endswith(" = 4.63719")
    assert len(cards(b)) == 1 + 4
    assert b.find_element(By.CSS_SELECTOR, ".more").text == "and 998 more read it"


def test_predict_first_asks_in_long_programs_too(stepper):
    b = stepper("euler")
    focus(b, b.find_element(By.ID, "predict"))
    press(b, Keys.SPACE)
    body(b)
    press(b, Keys.END)
    assert word(b, "asked").startswith("What is the tangent drate_1, if rate_1 = ")
    assert answer(b, "77").startswith("Not 77")
    b.find_element(By.ID, "show").click()
    assert word(b, "score") == "0 of 1 right at once"

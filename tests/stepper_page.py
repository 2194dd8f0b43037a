"""What a page to step through says, for its tests."""

import re

from selenium.webdriver import Keys
from selenium.webdriver.common.by import By


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

"""A newcomer with the README alone: its file, its command, and the page that opens, in a real browser."""

from pathlib import Path

from browser import needs_browser, open_page, press, requests
from selenium.webdriver import Keys
from selenium.webdriver.common.by import By
from test_docs_console import check

pytestmark = needs_browser
README = Path(__file__).resolve().parent.parent / "README.md"


def test_the_readme_leads_to_the_stepper(browser, tmp_path):
    """J = cos(sin x^2 + 3 x^2) at x = 1: step by step to dJ/dx = 4.560792, and nothing is asked of a network."""
    assert check(README.read_text(encoding="utf-8"), tmp_path) >= 1
    open_page(browser, tmp_path / "j.html")
    shown = lambda: browser.find_element(By.TAG_NAME, "body").text
    assert "cos(u)" in shown()
    count = lambda: browser.find_element(By.ID, "count").text
    first = count()
    press(browser, Keys.ARROW_RIGHT)
    assert count() != first
    press(browser, Keys.END)
    table = browser.find_element(By.CSS_SELECTOR, "table").text
    assert "4.560792" in table
    assert "-0.7649206" in table
    assert browser.get_log("browser") == []
    assert [url for url in requests(browser) if not url.startswith(("file:", "data:"))] == []

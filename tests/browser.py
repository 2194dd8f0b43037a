"""Chromium without a window for the tests of our pages: started once a module, opened at a width with a scheme, and read.

Needs selenium (extra browser-test) and Chromium with its driver (Debian: chromium, chromium-driver); a test module
that imports this is skipped, with the reason, where they are missing.
"""

import json
import os
import shutil

import pytest

webdriver = pytest.importorskip("selenium.webdriver", reason="browser tests need selenium: pip install 'dualad[browser-test]'")
from selenium.webdriver import ActionChains  # noqa: E402

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
needs_browser = pytest.mark.skipif(
    not (BROWSER and DRIVER), reason="no Chromium with its driver (Debian: apt-get install chromium chromium-driver)")  # fmt: skip

FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--hide-scrollbars")  # fmt: skip

#: script: how many texts were looked at, and those whose contrast with the paper behind them is below 4.5
LOW_CONTRAST = """
        const rgb = c => c.match(/[\\d.]+/g).map(Number);
        const light = c => { const [r, g, b] = rgb(c).slice(0, 3).map(v => { v /= 255;
            return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
        const behind = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
            if (rgb(c).length < 4 || rgb(c)[3] > 0) return c; } return 'rgb(255, 255, 255)'; };
        const found = [];
        let count = 0;
        for (const e of document.querySelectorAll('h1, h2, h3, p, li, a, td, th, dt, dd, button, figcaption, summary, code, footer, svg text')) {
            if (!e.getClientRects().length || e.closest('.numbers')) continue;
            const style = getComputedStyle(e), ink = e instanceof SVGElement ? style.fill : style.color;
            const [a, b] = [light(ink), light(behind(e))].sort((p, q) => p - q);
            count += 1;
            if ((b + 0.05) / (a + 0.05) < 4.5) found.push([e.outerHTML.slice(0, 90), ink, behind(e)]);
        }
        return [count, found];"""  # noqa: E501


def start(profile):
    """A browser with a profile of its own; quit it at the end."""
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER, env={**os.environ, "DISPLAY": ""}))
    driver.get("about:blank")
    return driver


def open_page(browser, path, width=1400, media="screen", height=900, **features):
    """Open a file: `features` are media features such as color_scheme="dark"; old messages are forgotten."""
    for kind in ("browser", "performance"):
        browser.get_log(kind)
    features = {"reduced_motion": "reduce"} | features  # a page that scrolls smoothly moves away under the pointer
    emulated = [{"name": f"prefers-{name.replace('_', '-')}", "value": value} for name, value in features.items()]
    browser.execute_cdp_cmd("Emulation.setFocusEmulationEnabled", {"enabled": True})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": emulated})
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})  # fmt: skip
    browser.get(path.as_uri())
    return browser


def requests(browser):
    """Addresses that were asked for since the page was opened, its own among them; those of the browser's own tabs are not."""
    sent = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    urls = [event["params"]["request"]["url"] for event in sent if event["method"] == "Network.requestWillBeSent"]
    return [url for url in urls if not url.startswith("chrome://")]


def press(browser, *keys):
    ActionChains(browser).send_keys(*keys).perform()


def focus(browser, element):
    browser.execute_script("arguments[0].focus()", element)

"""What several test modules start alike: a browser without a window, the stepper's pages in it."""

import pytest


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """Chromium, one for a module; where it or selenium is missing the test is skipped, with the reason."""
    pytest.importorskip("selenium.webdriver", reason="browser tests need selenium: pip install 'dualad[browser-test]'")
    from browser import BROWSER, DRIVER, start

    if not (BROWSER and DRIVER):
        pytest.skip("no Chromium with its driver (Debian: apt-get install chromium chromium-driver)")
    driver = start(tmp_path_factory.mktemp("profile"))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def stepper_files(tmp_path_factory):
    """Pages to step through: the lecture's examples, a network, a loop of 3004 values, one of 203."""
    from explained_examples import euler, explained, looped

    import dualad

    folder = tmp_path_factory.mktemp("stepper")
    long = {"long": dualad.explain(looped, 1.0), "euler": dualad.explain(euler, 1.3, 1.0)}
    for name, e in {**explained(), **long}.items():
        e.html(folder / f"{name}.html")
    return folder


@pytest.fixture
def stepper(browser, stepper_files):
    """Opens one of the pages; afterwards there is nothing on the console, whatever was done."""
    from browser import open_page

    def at(name="lecture", width=1400, **features):
        return open_page(browser, stepper_files / f"{name}.html", width, **features)

    yield at
    assert browser.get_log("browser") == []
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})

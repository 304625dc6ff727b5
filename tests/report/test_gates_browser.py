from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from dreamseed.config import Stage
from dreamseed.gates.gate import gate
from dreamseed.gates.report import Decision
from dreamseed.gates.timing import timing
from dreamseed.report.gates import gates_page
from tests.gates.situations import situation
from tests.report.browser import DESKTOP, PATIENCE_MS, PHONE, visit
from tests.report.chromium import FLAGS, chromium
from tests.report.test_browser import LEAST_CONTRAST, SMALLEST_TEXT

PLACES = [(DESKTOP, "light"), (PHONE, "light"), (PHONE, "dark")]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        chromium() is None,
        reason="no chromium on PATH: `make browser` installs it as root on Debian; elsewhere install it by hand",
    ),
]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    asked = situation(Stage.B)
    found = [
        Decision(gate=gate(asked, stage, list(Stage)[stage.rank + 1]), timing=timing(asked, stage))
        for stage in list(Stage)[:-1]
    ]
    path = tmp_path_factory.mktemp("gates") / "gates.html"
    path.write_text(gates_page(asked, Stage.B, found, ()), encoding="utf-8")
    return path


@pytest.mark.parametrize(("width", "scheme"), PLACES)
def test_the_gates_can_be_read_at_any_width_and_nothing_is_loaded(file: Path, width: int, scheme: str) -> None:
    seen = visit(file, width=width, scheme=scheme)
    assert (seen.requests, seen.said) == ([], [])
    assert seen.wide == seen.width
    assert seen.contrast >= LEAST_CONTRAST, seen.faintest
    assert seen.smallest >= SMALLEST_TEXT


def test_with_the_keyboard_alone_another_gate_is_opened(file: Path) -> None:
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium(), args=list(FLAGS), timeout=PATIENCE_MS)
        try:
            page = browser.new_page()
            page.goto(file.as_uri())
            for _ in range(40):
                page.keyboard.press("Tab")
                if page.evaluate("document.activeElement.tagName") == "SUMMARY":
                    break
            page.keyboard.press("Enter")
            assert page.evaluate("document.activeElement.parentElement.open")
        finally:
            browser.close()

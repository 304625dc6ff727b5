"""What a real browser makes of a page: looked at once, closed, and told as a value."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from tests.report.chromium import FLAGS, chromium

DESKTOP, PHONE = 1_280, 360
"""Widths in CSS pixels; 360 is that of a small phone."""
HEIGHT = 800
PATIENCE_MS = 600_000
"""A busy machine is no fault of the page: only a browser that hangs is given up."""
SEEN = """() => {
  const shown = (element) => { const box = element.getBoundingClientRect(); return box.width > 0 && box.height > 0; };
  const colour = (text) => {
    const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
    return {rgb: [r, g, b], opaque: a > 0};
  };
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const found = colour(getComputedStyle(each).backgroundColor);
      if (found.opaque) return found.rgb;
    }
    return [255, 255, 255];
  };
  const light = (rgb) => rgb
    .map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
  const contrast = (element) => {
    const both = [behind(element), colour(getComputedStyle(element).color).rgb].map(light);
    return (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
  };
  const written = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  const texts = [...document.querySelectorAll("body *")]
    .filter((element) => !element.closest("svg") && shown(element) && written(element));
  const worst = texts
    .map((element) => [contrast(element), element.textContent.trim().slice(0, 40)])
    .sort((x, y) => x[0] - y[0])[0];
  return {
    wide: document.documentElement.scrollWidth,
    stages: [...document.querySelectorAll("article.stage")].filter(shown).map((element) => element.id),
    drawings: [...document.querySelectorAll(".topology svg")].filter(shown).length,
    pictures: [...document.images].filter((image) => image.complete && image.naturalWidth > 0 && shown(image)).length,
    background: getComputedStyle(document.body).backgroundColor,
    contrast: worst[0],
    faintest: worst[1],
    smallest: Math.min(...texts.map((element) => parseFloat(getComputedStyle(element).fontSize))),
    hidden: [...document.querySelectorAll("details td")].filter((element) => element.checkVisibility()).length,
  };
}"""


@dataclass(frozen=True, kw_only=True)
class Visit:
    """What was seen at one width and colour scheme. `requests` are all but the page itself, `said` is the console."""

    width: int
    wide: int
    stages: list[str]
    drawings: int
    pictures: int
    background: str
    contrast: float
    faintest: str
    smallest: float
    cells_in_details: int
    requests: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


def visit(file: Path, *, width: int = DESKTOP, scheme: str = "light", media: str = "screen") -> Visit:
    """Open `file` in a browser of its own without a network, and return what is there."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium(), args=list(FLAGS), timeout=PATIENCE_MS)
        try:
            context = browser.new_context(
                viewport={"width": width, "height": HEIGHT},
                color_scheme="dark" if scheme == "dark" else "light",
                offline=True,
            )
            context.set_default_timeout(PATIENCE_MS)
            return _seen(context.new_page(), file, width, media)
        finally:
            browser.close()


def _seen(page: Page, file: Path, width: int, media: str) -> Visit:
    requests: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.emulate_media(media="print" if media == "print" else "screen")
    page.goto(file.as_uri())
    seen: dict[str, Any] = page.evaluate(SEEN)
    seen["cells_in_details"] = seen.pop("hidden")
    return Visit(width=width, requests=[url for url in requests if url != file.as_uri()], said=said, **seen)

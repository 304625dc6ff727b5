"""A small SVG writer: boxes, texts, links; every position is a whole pixel, so the same plan gives the same bytes.

Text is measured with the widths of a wide sans-serif (DejaVu Sans), so what fits here fits in any reader's font.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape

FONT = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"
_WIDTHS = {"ijl.,:;'|· ": 0.33, "frt()-/": 0.42, "mMW%": 0.98, "w×+→≤": 0.85, "ABCDEFGHIJKLNOPQRSTUVXYZ–": 0.72}
_OTHER_WIDTH = 0.65
_BOLD_FACTOR = 1.1

LIGHT = {
    "page": "fill:#ffffff",
    "zone": "fill:#f6f8fa;stroke:#d0d7de",
    "box": "fill:#ffffff;stroke:#8c959f",
    "ink": "fill:#1f2328",
    "muted": "fill:#59636e",
    "link": "stroke:#59636e",
    "tip": "fill:#59636e",
    "gpu": "fill:#8250df",
    "on-gpu": "fill:#ffffff",
    "engines": "fill:#f3eafd;stroke:#8250df",
    "database": "fill:#ddf0ff;stroke:#0969da",
    "cache": "fill:#ffe7e5;stroke:#cf222e",
    "events": "fill:#fff4cc;stroke:#9a6700",
    "link-chip": "fill:#ffeedd;stroke:#bc4c00",
    "watch": "fill:#ddf7e3;stroke:#1a7f37",
    "plain": "fill:#eaeef2;stroke:#8c959f",
}
"""Style of each class where the reader's page is light."""

DARK = {
    "page": "fill:#0d1117",
    "zone": "fill:#161b22;stroke:#3d444d",
    "box": "fill:#0d1117;stroke:#6e7681",
    "ink": "fill:#f0f6fc",
    "muted": "fill:#9da7b1",
    "link": "stroke:#9da7b1",
    "tip": "fill:#9da7b1",
    "gpu": "fill:#a371f7",
    "on-gpu": "fill:#0d1117",
    "engines": "fill:#2a1f45;stroke:#a371f7",
    "database": "fill:#0c2d4d;stroke:#4493f8",
    "cache": "fill:#46171a;stroke:#f85149",
    "events": "fill:#3b2a05;stroke:#d29922",
    "link-chip": "fill:#421f06;stroke:#f0883e",
    "watch": "fill:#0f3320;stroke:#3fb950",
    "plain": "fill:#262c36;stroke:#6e7681",
}
"""The same where it is dark."""


def stylesheet(scope: str = "") -> str:
    """Return the styles for light and dark pages; `scope`, such as `.topology `, keeps them from the rest of a page."""
    light, dark = ("".join(f"{scope}.{name}{{{style}}}" for name, style in styles.items()) for styles in (LIGHT, DARK))
    return f"{light}{scope}.link{{stroke-width:2}}@media (prefers-color-scheme: dark){{{dark}}}"


def text_width(text: str, size: int, bold: bool = False) -> int:
    """Return the width of `text` in pixels at most, in any common sans-serif of `size` pixels."""
    units = sum(next((w for letters, w in _WIDTHS.items() if c in letters), _OTHER_WIDTH) for c in text)
    return round(units * size * (_BOLD_FACTOR if bold else 1))


def wrap(text: str, width: int, size: int) -> tuple[str, ...]:
    """Return `text` broken at spaces into lines of at most `width` pixels; a longer word stands alone."""
    lines: list[str] = []
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return tuple(lines)


@dataclass
class Drawing:
    """Shapes in the order in which they are painted, on a page of `width` pixels."""

    width: int
    parts: list[str] = field(default_factory=list)

    def box(self, x: int, y: int, width: int, height: int, style: str, radius: int = 6) -> None:
        """Paint a rectangle with round corners."""
        self.parts.append(f'<rect class="{style}" x="{x}" y="{y}" width="{width}" height="{height}" rx="{radius}"/>')

    def text(
        self, x: int, y: int, text: str, size: int, style: str = "ink", *, bold: bool = False, middle: bool = False
    ) -> None:
        """Write `text` with its baseline at `y`, from `x` on, or around it when `middle`."""
        marks = (' font-weight="600"' if bold else "") + (' text-anchor="middle"' if middle else "")
        self.parts.append(f'<text class="{style}" x="{x}" y="{y}" font-size="{size}"{marks}>{escape(text)}</text>')

    def link(self, start: tuple[int, int], end: tuple[int, int], *, both: bool = False) -> None:
        """Draw a straight horizontal or vertical link with a tip at its `end`, or at both ends."""
        (x1, y1), (x2, y2) = start, end
        self.parts.append(f'<line class="link" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>')
        self._tip(start, end)
        if both:
            self._tip(end, start)

    def _tip(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        x, y = end
        along = 8 if (end > start) else -8
        if start[0] == end[0]:
            points = f"{x},{y} {x - 5},{y - along} {x + 5},{y - along}"
        else:
            points = f"{x},{y} {x - along},{y - 5} {x - along},{y + 5}"
        self.parts.append(f'<polygon class="tip" points="{points}"/>')

    def svg(self, height: int, title: str, *, inline: bool = False) -> str:
        """Return the page as a file; `title` is what a screen reader says.

        `inline` is for an HTML page that holds the `stylesheet` itself, once for all its drawings.
        """
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {height}" '
            f'width="{self.width}" height="{height}" font-family="{FONT}" role="img">'
        )
        style = () if inline else (f"<style>{stylesheet()}</style>",)
        page = f'<rect class="page" width="{self.width}" height="{height}" rx="10"/>'
        return "\n".join((head, f"<title>{escape(title)}</title>", *style, page, *self.parts, "</svg>\n"))

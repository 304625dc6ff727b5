"""Reading a picture back: its boxes and texts with their places."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass

from dreamseed.picture.drawing import text_width

CHIPS = ("engines", "database", "cache", "events", "link-chip", "watch", "plain")
SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True)
class Box:
    """A rectangle on the page; `style` is its class, or "text" for a written line's extent."""

    style: str
    x: int
    y: int
    width: int
    height: int
    text: str = ""

    def overlaps(self, other: Box) -> bool:
        across = self.x < other.x + other.width and other.x < self.x + self.width
        return across and self.y < other.y + other.height and other.y < self.y + self.height

    def holds(self, other: Box) -> bool:
        across = self.x <= other.x and other.x + other.width <= self.x + self.width
        return across and self.y <= other.y and other.y + other.height <= self.y + self.height


def boxes(svg: str) -> list[Box]:
    """Return the rectangles, the page first."""
    found = ElementTree.fromstring(svg).iter(f"{SVG}rect")  # noqa: S314 - drawn by this project
    return [Box(r.get("class", ""), *_place(r)) for r in found]


def _place(shape: ElementTree.Element) -> tuple[int, int, int, int]:
    x, y, width, height = (int(shape.get(key, "0")) for key in ("x", "y", "width", "height"))
    return x, y, width, height


def texts(svg: str) -> list[Box]:
    """Return the extent of every written line, measured as the drawing measures."""
    found = []
    for line in ElementTree.fromstring(svg).iter(f"{SVG}text"):  # noqa: S314 - drawn by this project
        size, said = int(line.get("font-size", "0")), line.text or ""
        width = text_width(said, size, bold=line.get("font-weight") is not None)
        x = int(line.get("x", "0")) - (width // 2 if line.get("text-anchor") == "middle" else 0)
        found.append(Box("text", x, int(line.get("y", "0")) - size + 2, width, size, said))
    return found

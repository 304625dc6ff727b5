"""Reading a page as text: its elements, whether they are closed, and what it would load."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "img", "source", "br", "hr", "input"}
SHAPES = {"rect", "line", "polygon"}
LOADING = {"src", "srcset", "href", "data", "action", "poster"}


@dataclass(frozen=True)
class Element:
    name: str
    attributes: dict[str, str | None]


@dataclass
class Page(HTMLParser):
    """`elements` in order; `faults` are elements that are closed out of order or never; `text` is what is read."""

    elements: list[Element] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    text: str = ""
    stack: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, dict(attrs)))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, dict(attrs)))
        if tag not in VOID | SHAPES:
            self.faults.append(f"<{tag}/>")

    def handle_endtag(self, tag: str) -> None:
        if not self.stack or self.stack.pop() != tag:
            self.faults.append(f"</{tag}> at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        if self.stack[-1:] != ["style"]:
            self.text += data

    def named(self, *names: str) -> list[Element]:
        return [element for element in self.elements if element.name in names]

    def ids(self) -> list[str]:
        return [identity for element in self.elements if (identity := element.attributes.get("id"))]

    def loads(self) -> list[str]:
        """Return every address that a browser would follow by itself or by a click, those on the page left out."""
        found = []
        for element in self.elements:
            for name, value in element.attributes.items():
                if name.rpartition(":")[2] in LOADING and value and not value.startswith(("#", "data:")):
                    found.append(value)
        return found


def parse(text: str) -> Page:
    page = Page()
    page.feed(text)
    page.close()
    page.faults += [f"<{name}> is never closed" for name in page.stack]
    return page

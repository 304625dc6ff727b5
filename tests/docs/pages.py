"""Reading the documentation: its links, the paths, jobs and commands that it names, and its shell blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

PROJECT = Path(__file__).parents[2]
ROOTS: tuple[str, ...] = (
    "bench",
    "components",
    "docs",
    "dreamseed",
    "examples",
    "images",
    "policy",
    "rehearsal",
    "tests",
)
ROOTS += (".ci", ".github")
FILES = ("Makefile", "README.md", "CHANGELOG.md", "__main__.py", "pyproject.toml", "requirements.in")
MADE_BY_THE_READER = ("Pulumi.production.yaml",)
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Page:
    """A Markdown file of the project; `text` may differ from the file in a test of the rules themselves."""

    path: Path
    text: str

    @property
    def prose(self) -> str:
        """Return the text without its blocks of code."""
        return FENCE.sub("", self.text)

    @property
    def code(self) -> str:
        """Return everything that is marked as code, a line each."""
        blocks = [body for _, body in FENCE.findall(self.text)]
        return "\n".join([*SPAN.findall(self.prose), *blocks])

    @property
    def shell_blocks(self) -> list[str]:
        """Return the blocks that a reader is to run."""
        return [body for language, body in FENCE.findall(self.text) if language == "sh"]


def all_pages() -> list[Page]:
    """Return the pages at the project's root and below docs."""
    found = [*sorted(PROJECT.glob("*.md")), *sorted((PROJECT / "docs").rglob("*.md"))]
    return [Page(path, path.read_text(encoding="utf-8")) for path in found]


def anchors(text: str) -> set[str]:
    """Return the anchors of the headings, as GitHub forms them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)
    kept = [re.sub(r"[^\w\- ]", "", re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()) for heading in headings]
    return {heading.strip().replace(" ", "-") for heading in kept}


def broken_links(page: Page) -> list[str]:
    """Return the relative links that lead nowhere."""
    broken = []
    for link in LINK.findall(page.prose):
        if re.match(r"[a-z]+:", link):
            continue
        place, _, anchor = link.partition("#")
        target = (page.path.parent / place).resolve() if place else page.path
        text = page.text if target == page.path else target.read_text("utf-8") if target.is_file() else ""
        if not target.exists() or (anchor and anchor not in anchors(text)):
            broken.append(link)
    return broken


def linked(page: Page) -> set[Path]:
    """Return the files that the page links to."""
    places = (link.partition("#")[0] for link in LINK.findall(page.prose) if not re.match(r"[a-z]+:", link))
    return {(page.path.parent / place).resolve() for place in places if place}


def _expanded(name: str) -> Iterator[str]:
    """Yield what `name` stands for: `{a,b}` and `{a..e}` as in a shell, `stage-x` as any stage."""
    parts: list[list[str]] = []
    for part in re.split(r"(\{[^}]*\})", name.replace("stage-x", "stage-{a..e}")):
        span = re.fullmatch(r"\{(\w)\.\.(\w)\}", part)
        if span:
            parts.append([chr(code) for code in range(ord(span[1]), ord(span[2]) + 1)])
        else:
            parts.append(part[1:-1].split(",") if part.startswith("{") else [part])
    yield from ("".join(chosen) for chosen in product(*parts))


def missing_paths(page: Page) -> list[str]:
    """Return the paths of this project that the page names as code and that do not exist."""
    missing = []
    for token in re.findall(r"[\w.{},*/<>$-]+", page.code):
        name = token.rstrip(".,")
        ours = name.split("/")[0] in ROOTS and "/" in name
        ours = ours or name in FILES or bool(re.fullmatch(r"Pulumi\.[\w.{}-]*yaml", name))
        if not ours or re.search(r"[<>$]", name) or name in MADE_BY_THE_READER:
            continue
        for one in _expanded(name):
            found = any(PROJECT.glob(one)) if "*" in one else (PROJECT / one).exists()
            if not found:
                missing.append(name)
    return missing


def jobs_named(page: Page) -> set[str]:
    """Return the targets of `make TARGET` as code."""
    return set(re.findall(r"(?:^|[\s;(])make ([a-z][\w-]*)", page.code, re.MULTILINE))


def commands_named(page: Page) -> set[tuple[str, ...]]:
    """Return the words of each `dreamseed WORD …` as code, up to the line's end or a sign of the shell."""
    calls = re.findall(r"(?:^|[\s(/\"])dreamseed ([a-z][^\n`;|)\"]*)", page.code, re.MULTILINE)
    return {tuple(call.split()) for call in calls}

"""The documentation as a static site: what MkDocs is told beyond `mkdocs.yml`, as its hooks.

The pages are written to be read in the repository, too. So the three at its root become pages of the site, links to
them and to the folder docs are turned, links to files that are no pages become plain text, and headings get GitHub's
anchors.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

PROJECT = Path(__file__).parents[2]
DOCS = "docs/"
AT_ROOT: Mapping[str, str] = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
"""What stands at the repository's root, and as which page of the site."""
MENUS: Mapping[str, str] = {
    "Tutorial": "tutorial",
    "How to": "how-to",
    "Reference": "reference",
    "Explanation": "explanation",
    "Decisions": "decisions",
    "Runbooks": "runbooks",
}
"""The site's menus, and the folder of docs that each one lists."""
LINK = re.compile(r"(?P<image>!?)\[(?P<text>[^\]]*)\]\((?P<place>[^)\s#]*)(?P<anchor>#[^)\s]*)?\)")
FENCED = re.compile(r"(^ *```.*?^ *```$)", re.MULTILINE | re.DOTALL)


def anchor(heading: str, separator: str) -> str:
    """Return the anchor of a heading as GitHub forms it: words in lower case, spaces as `separator`, no other sign."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", separator)


def turned(text: str, source: str) -> str:
    """Return the page `source` (its path in the repository) with its links as the site needs them.

    Code blocks stay as they are. A link to a file that is no part of the site becomes its text.
    """
    here = PurePosixPath(_page(source) or source).parent

    def turn(link: re.Match[str]) -> str:
        place = link["place"]
        if not place or re.match(r"[a-z]+:", place):
            return link[0]
        target = posixpath.normpath(PurePosixPath(source).parent / place)
        page = _page(target)
        if page is None:
            return link["text"]
        return f"{link['image']}[{link['text']}]({posixpath.relpath(page, here)}{link['anchor'] or ''})"

    return "".join(part if part.lstrip().startswith("```") else LINK.sub(turn, part) for part in FENCED.split(text))


def _page(path: str) -> str | None:
    """Return where a file of the repository is in the site, None when it is not there."""
    return AT_ROOT.get(path) or (path.removeprefix(DOCS) if path.startswith(DOCS) else None)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Make the menus of the folders, and give headings GitHub's anchors."""
    pages = {name: sorted(Path(config.docs_dir, folder).glob("*.md")) for name, folder in MENUS.items()}
    menus = [{name: [path.relative_to(config.docs_dir).as_posix() for path in paths]} for name, paths in pages.items()]
    config.nav = ["index.md", *menus, {"More": ["surprises.md", "contributing.md", "changelog.md"]}]
    config.mdx_configs.setdefault("toc", {})["slugify"] = anchor
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages at the repository's root."""
    for name, page in AT_ROOT.items():
        files.append(File.generated(config, page, content=(PROJECT / name).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001 - as it is called
    """Turn the links of a page."""
    names = {place: name for name, place in AT_ROOT.items()}
    return turned(markdown, names.get(page.file.src_uri, DOCS + page.file.src_uri))

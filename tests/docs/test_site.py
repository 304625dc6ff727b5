from __future__ import annotations

import re
from pathlib import Path

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.exceptions import Abort

from dreamseed.reference.site import anchor, turned
from tests.docs.pages import PROJECT, anchors


def made(site: Path, docs: Path = PROJECT / "docs") -> None:
    config = load_config(str(PROJECT / "mkdocs.yml"), site_dir=str(site), docs_dir=str(docs))
    build(config)


def test_the_site_has_every_page_and_every_link_in_it_leads_somewhere(tmp_path: Path) -> None:
    made(tmp_path)
    pages = {path.relative_to(PROJECT / "docs").with_suffix(".html") for path in (PROJECT / "docs").rglob("*.md")}
    pages = {page.with_name("index.html") if page.name == "README.html" else page for page in pages}
    start = (tmp_path / "index.html").read_text(encoding="utf-8")
    for page in {*pages, Path("contributing.html"), Path("changelog.html")}:
        assert (tmp_path / page).is_file()
        assert f'href="{page}"' in start or page == Path("index.html"), f"no menu leads to {page}"


def test_a_link_that_leads_nowhere_is_refused(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "surprises.md").write_text("# Surprises\n\n[this](no-such-page.md)\n", encoding="utf-8")
    with pytest.raises(Abort):
        made(tmp_path / "site", docs)


@pytest.mark.parametrize(
    ("text", "source", "expected"),
    [
        ("[a](docs/how-to/x.md#part)", "README.md", "[a](how-to/x.md#part)"),
        ("![a](docs/pictures/x.svg)", "README.md", "![a](pictures/x.svg)"),
        ("[a](../../README.md)", "docs/how-to/y.md", "[a](../index.md)"),
        ("[a](../../CONTRIBUTING.md#b)", "docs/how-to/y.md", "[a](../contributing.md#b)"),
        ("[the code](../../dreamseed/cli.py)", "docs/how-to/y.md", "the code"),
        (
            "[a](z.md), [b](#c), [d](https://e.example)",
            "docs/how-to/y.md",
            "[a](z.md), [b](#c), [d](https://e.example)",
        ),
        ("```text\n[a](docs/x.md)\n```", "README.md", "```text\n[a](docs/x.md)\n```"),
    ],
)
def test_links_are_turned_as_the_site_needs_them(text: str, source: str, expected: str) -> None:
    assert turned(text, source) == expected


@pytest.mark.parametrize("heading", ["A → B, killed", "`make chaos`: 32 kills", "Ports, addresses", "What's next?"])
def test_headings_have_githubs_anchors(heading: str) -> None:
    assert anchor(re.sub("`", "", heading), "-") in anchors(f"# {heading}\n")

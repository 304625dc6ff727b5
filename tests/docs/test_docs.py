from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from typer.core import TyperGroup, TyperOption

from dreamseed.cli import build
from dreamseed.reference.commands import commands
from tests.docs.pages import (
    PROJECT,
    Page,
    all_pages,
    broken_links,
    commands_named,
    jobs_named,
    linked,
    missing_paths,
)

PAGES = all_pages()
TARGETS = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def _id(page: Page) -> str:
    return page.path.relative_to(PROJECT).as_posix()


COMMANDS = {path[1:]: command for path, command in commands(build())}


@pytest.mark.parametrize("page", PAGES, ids=_id)
def test_every_relative_link_leads_somewhere(page: Page) -> None:
    assert broken_links(page) == []


@pytest.mark.parametrize("page", PAGES, ids=_id)
def test_every_path_that_a_page_names_exists(page: Page) -> None:
    assert missing_paths(page) == []


@pytest.mark.parametrize("page", PAGES, ids=_id)
def test_every_make_job_that_a_page_names_is_a_target(page: Page) -> None:
    assert jobs_named(page) <= TARGETS


def _wrong_calls(page: Page) -> list[str]:
    """Return the calls of `dreamseed` that name no command, or an option that it does not have."""
    wrong = []
    for words in commands_named(page):
        names = tuple(word for word in words if re.fullmatch(r"[a-z]+(-[a-z]+)*", word))
        known = next((names[:size] for size in range(len(names), 0, -1) if names[:size] in COMMANDS), None)
        command = COMMANDS.get(known) if known else None
        alone = isinstance(command, TyperGroup) and len(names) > len(known or ())
        options = {o for p in command.params if isinstance(p, TyperOption) for o in p.opts} if command else set()
        used = {word for word in words if word.startswith("--")} - {"--help"}
        if command is None or alone or not used <= options:
            wrong.append(" ".join(words))
    return wrong


@pytest.mark.parametrize("page", PAGES, ids=_id)
def test_every_call_of_dreamseed_names_a_command_with_its_own_options(page: Page) -> None:
    assert _wrong_calls(page) == []


@pytest.mark.parametrize("page", [page for page in PAGES if page.shell_blocks], ids=_id)
def test_every_shell_block_is_a_shell_script(page: Page) -> None:
    for block in page.shell_blocks:
        run = subprocess.run(["sh", "-n"], input=block, text=True, capture_output=True, check=False)  # noqa: S607
        assert run.returncode == 0, run.stderr


def test_every_page_can_be_reached_from_the_readme() -> None:
    by_path = {page.path: page for page in PAGES}
    reached, waiting = set[Path](), [PROJECT / "README.md"]
    while waiting:
        path = waiting.pop()
        if path not in reached and path in by_path:
            reached.add(path)
            waiting += linked(by_path[path])
    assert {_id(page) for page in PAGES if page.path not in reached} == set()


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("see [this](docs/no-such-page.md)", broken_links),
        ("see [this](#no-such-heading)", broken_links),
        ("edit `dreamseed/config/no_such_module.py`", missing_paths),
        ("edit `Pulumi.stage-{a..f}.yaml`", missing_paths),
    ],
)
def test_a_page_that_names_what_is_not_there_is_noticed(text: str, rule: object) -> None:
    assert callable(rule)
    assert rule(Page(PROJECT / "README.md", text)) != []


def test_a_job_a_command_and_an_option_that_do_not_exist_are_noticed() -> None:
    page = Page(PROJECT / "README.md", "run `make everything`, `dreamseed deploy` or `dreamseed schema --fix`")
    assert jobs_named(page) - TARGETS == {"everything"}
    assert sorted(_wrong_calls(page)) == ["deploy", "schema --fix"]

from __future__ import annotations

import re
from pathlib import Path

from components.b2_account import ADOPT_VARIABLE, Account
from tests.docs.pages import PROJECT, all_pages

GOLDEN = PROJECT / "tests/golden"
STEPS = ("nothing → A", "A → B", "B → C", "C → D", "D → E")
REMEDY = "the recorded promotions changed: write their figures into README.md's table"


def _recorded(step: str) -> tuple[int, ...]:
    """Return created, updated, replaced and deleted of a recorded step such as `A → B`."""
    before, after = (place if place == "nothing" else f"stage-{place.lower()}" for place in step.split(" → "))
    head = (GOLDEN / f"{before}-to-{after}.txt").read_text(encoding="utf-8").splitlines()[0]
    return tuple(map(int, re.findall(r"(\d+) \w+d\b", head)))


def _shown(text: str, step: str) -> tuple[int, ...]:
    row = re.search(rf"^\| {step} \|((?: \d+ \|){{4}})", text, re.MULTILINE)
    assert row, f"README.md has no row for {step}"
    return tuple(map(int, re.findall(r"\d+", row[1])))


def test_the_readmes_figures_are_those_of_the_recorded_promotions() -> None:
    text = (PROJECT / "README.md").read_text(encoding="utf-8")
    for step in STEPS:
        assert _shown(text, step) == _recorded(step), f"{step}: {REMEDY}"


def test_the_verdict_in_the_readme_destroys_what_the_steps_created() -> None:
    text = (PROJECT / "README.md").read_text(encoding="utf-8")
    created = sum(_recorded(step)[0] for step in STEPS)
    assert f"all {created} destroyed at the end" in text, f"run `make rehearse` and write its verdict. {REMEDY}"


def test_a_wrong_figure_is_noticed() -> None:
    text = (PROJECT / "README.md").read_text(encoding="utf-8")
    assert _shown(text.replace("| A → B |", "| A → B | 1 | 2 | 3 | 4 |\n"), "A → B") == (1, 2, 3, 4)
    assert _recorded("A → B") != (1, 2, 3, 4)


def test_every_variable_of_backblaze_that_a_page_names_is_read_by_the_program() -> None:
    known = {ADOPT_VARIABLE} | {
        f"{account.variable_prefix}{name}"
        for account in Account
        for name in ("APPLICATION_KEY_ID", "APPLICATION_KEY", "ENVIRONMENT")
    }
    named = {variable for page in all_pages() for variable in re.findall(r"`(B2_[A-Z_]+)`", page.text)}
    assert named
    assert named <= known


def test_the_readme_says_that_nothing_was_applied_to_a_real_cloud() -> None:
    text = (PROJECT / "README.md").read_text(encoding="utf-8")
    assert "Nothing has been applied to a real cloud so far." in " ".join(text.split())


def test_pages_are_short_enough_to_be_read() -> None:
    # Reference pages and the changelog are looked things up in, not read from end to end.
    looked_up = {PROJECT / "docs/reference", PROJECT / "CHANGELOG.md"}
    read = [page.path for page in all_pages() if not looked_up & {page.path, *page.path.parents}]
    assert [path.name for path in read if _lines(path) > 150] == []


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())

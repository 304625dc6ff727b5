"""Five pull requests, by the real engine: the comment word for word, and whether the change may be merged.

Write the comments anew with `python -m tests.pull_request.test_cases`.
"""

from __future__ import annotations

import io
import tempfile
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from rich.console import Console

from dreamseed.commands.pull_request import examine
from dreamseed.pull_request.comment import MARKER, comment
from dreamseed.pull_request.findings import Findings
from tests.pull_request.cases import BASE, CASES, TOKEN, repository

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("pull-requests")]
GOLDEN = Path(__file__).parent / "golden"
TODAY = date(2026, 11, 26)
each_case = pytest.mark.parametrize("name", CASES)
MERGED = {"harmless"}


@cache
def found(name: str) -> Findings:
    with tempfile.TemporaryDirectory(prefix="dreamseed-case-", ignore_cleanup_errors=True) as folder:
        tree, said = repository(CASES[name], Path(folder)), Console(file=io.StringIO())
        return examine(tree, BASE, TODAY, said, promotions=CASES[name].promotions)


@each_case
def test_the_comment_is_as_recorded(name: str) -> None:
    recorded = (GOLDEN / f"{name}.md").read_text(encoding="utf-8")
    assert comment(found(name)) == recorded, "if it is meant: .venv/bin/python -m tests.pull_request.test_cases"


@each_case
def test_only_the_harmless_change_may_be_merged_and_the_first_lines_say_so(name: str) -> None:
    marker, verdict, *_ = comment(found(name)).splitlines()
    assert marker == MARKER
    assert (not list(found(name).reasons())) is (name in MERGED)
    assert verdict == ("### ✅ May be merged" if name in MERGED else "### ❌ May not be merged")


def test_a_database_that_would_be_replaced_stands_in_bold() -> None:
    text = comment(found("replaced-database"))
    assert "**dreamseed-recovery (replaced)**" in text
    assert "- **replaced DatabaseInstance `dreamseed-recovery`, which holds state**" in text


def test_a_cost_jump_names_the_guardrail_that_it_breaks() -> None:
    assert [reason for reason in found("cost-jump").reasons() if reason.startswith("cost: stage-a change in USD")]


def test_a_leaked_secret_is_told_by_its_place_and_never_shown() -> None:
    text = comment(found("leaked-secret"))
    assert "**Pulumi.stage-a.yaml, line 35**: looks like a token of GitHub" in text
    assert TOKEN not in text


def test_a_typo_is_told_with_what_to_write_instead_and_nothing_is_rehearsed() -> None:
    text = comment(found("typo"))
    assert "stage-c › api › min_instance: is not a key of this section" in text
    assert "write instead: min_instances" in text
    assert found("typo").stages == ()


def main() -> None:
    """Write every comment anew."""
    GOLDEN.mkdir(exist_ok=True)
    for name in CASES:
        (GOLDEN / f"{name}.md").write_text(comment(found(name)), encoding="utf-8")


if __name__ == "__main__":
    main()

"""The comment on a pull request, word for word. Write it anew with `python -m tests.cost.test_comment`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dreamseed.cost.diff import CostDiff, cost_diff
from dreamseed.cost.report import comment
from dreamseed.cost.report.comment import MARKER, MOST_LINES
from tests.cost.estimates import TODAY, estimated

GOLDEN = Path(__file__).parent / "golden"
ONE_SCREEN = 40
Change = tuple[str, Mapping[str, Any], str, Mapping[str, Any]]
CASES: Mapping[str, Change] = {
    "no-change": ("stage-a", {}, "stage-a", {}),
    "promotion": ("stage-b", {}, "stage-c", {}),
    "business-plan": ("stage-d", {}, "stage-d", {"edge": {"plan": "business"}}),
    "budget-crossed": ("stage-a", {}, "stage-a", {"api": {"min_instances": 1}}),
    "cheaper": ("stage-e", {}, "stage-e", {"api": {"billing": "instance", "min_instances": 2}}),
    "accepted": (
        "stage-b",
        {},
        "stage-b",
        {
            "budget": {
                "accepted_overrun": {
                    "usd_per_month": 70,
                    "reason": "one warm instance until the load of a month is measured",
                    "until": "2027-06-30",
                }
            }
        },
    ),
}


def diff(name: str) -> CostDiff:
    before, base, after, head = CASES[name]
    return cost_diff(estimated(before, base), estimated(after, head), TODAY)


@pytest.mark.parametrize("name", CASES)
def test_the_comment_is_as_recorded(name: str) -> None:
    recorded = (GOLDEN / f"comment-{name}.md").read_text(encoding="utf-8")
    assert comment(diff(name)) == recorded, "if it is meant: .venv/bin/python -m tests.cost.test_comment"


@pytest.mark.parametrize("name", CASES)
def test_the_comment_begins_with_its_marker_and_fits_a_screen(name: str) -> None:
    lines = comment(diff(name)).splitlines()
    assert lines[0] == MARKER
    assert len(lines) <= ONE_SCREEN
    assert sum(line == MARKER for line in lines) == 1


def test_what_is_too_much_for_a_screen_is_summed_up() -> None:
    found = diff("promotion")
    rest = found.changes[MOST_LINES:]
    assert len(rest) > 1
    assert f"| {len(rest)} smaller changes |" in comment(found)
    shown = sum(change.change_usd for change in found.changes)
    assert shown == pytest.approx(found.change_usd, abs=0.02)


def main() -> None:
    """Write every comment anew."""
    for name in CASES:
        (GOLDEN / f"comment-{name}.md").write_text(comment(diff(name)), encoding="utf-8")


if __name__ == "__main__":
    main()

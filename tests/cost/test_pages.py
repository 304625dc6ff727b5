"""The figures on the pages about cost are those of the program."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dreamseed.config import stage_document, stage_file
from dreamseed.cost import estimate
from dreamseed.cost.sensitivity import tornado
from dreamseed.cost.what_if import planned_with
from tests.cost.estimates import TODAY, shipped_estimate
from tests.planning.stages import ROOT

EXPLANATION = ROOT / "docs/explanation/cost.md"
HOW_TO = ROOT / "docs/how-to/know-what-it-costs.md"


def text(path: Path) -> str:
    return " ".join(path.read_text(encoding="utf-8").split())


def total(stage: str, *changes: str) -> float:
    plan = planned_with(stage_document(stage_file(ROOT, stage)), changes, stage)
    return estimate(plan, today=TODAY).total.expected


@pytest.mark.parametrize("stage", "ABCDE")
def test_the_table_of_stages_is_what_the_program_says(stage: str) -> None:
    found = shipped_estimate(f"stage-{stage.lower()}")
    figures = (found.total.expected, found.headroom_usd(), found.total.low, found.total.high)
    row = f"| {stage} | {found.budget_usd:,.0f} | {' | '.join(f'{figure:,.2f}' for figure in figures)} |"
    assert row in EXPLANATION.read_text(encoding="utf-8")


def test_the_table_of_savings_is_what_the_program_says() -> None:
    rows = re.findall(r"^\| `([a-z_]+=\S+)` \| ([+-][\d,.]+) \|$", HOW_TO.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rows) == 6
    base = shipped_estimate("stage-e").total.expected
    assert {change: f"{total('stage-e', change) - base:+,.2f}" for change, _ in rows} == dict(rows)


def test_the_single_figures_are_what_the_program_says() -> None:
    business = total("stage-d", "edge.plan=business") - shipped_estimate("stage-d").total.expected
    smaller = total("stage-b", "api.cpu=1", "api.memory_gib=2", "usage.load_factor=0.05")
    assert f"Business at D costs {business:.2f} USD a month more" in text(HOW_TO)
    assert f"brings B to {smaller:.2f} USD, below its budget" in text(HOW_TO)
    assert smaller < 180


def test_what_is_said_to_move_e_most_does() -> None:
    assert tornado(shipped_estimate("stage-e"))[0].input == "warm_spread_ratio"


def test_the_requests_of_e_cost_a_quarter_of_the_plans_line() -> None:
    requests = next(line for line in shipped_estimate("stage-e").lines if line.name == "API requests")
    assert requests.usd.expected / 400 == pytest.approx(0.25, abs=0.02)

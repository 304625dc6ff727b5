"""The figures on the pages about cost are those of the program."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dreamseed.config import stage_document, stage_file
from dreamseed.cost import estimate
from dreamseed.cost.fit import FitResult, fit
from dreamseed.cost.sensitivity import tornado
from dreamseed.cost.what_if import planned_with
from tests.cost.estimates import TODAY, shipped_estimate
from tests.planning.stages import ROOT, configured

EXPLANATION = ROOT / "docs/explanation/cost.md"
HOW_TO = ROOT / "docs/how-to/know-what-it-costs.md"


README = ROOT / "README.md"


def fitted(name: str) -> FitResult:
    config = configured(name)
    return fit(config, name, config.budget.usd_per_month, today=TODAY)


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


def test_what_the_growth_plan_expects_to_save_is_set_beside_what_the_program_says() -> None:
    rows = re.findall(
        r"^\| ([A-E]) \| (\d+) % \| (`.*`) \| ([\d.]+) % \|$", HOW_TO.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert [stage for stage, *_ in rows] == list("ABCDE")
    for stage, planned_percent, changes, percent in rows:
        name = f"stage-{stage.lower()}"
        before = shipped_estimate(name).total.expected
        saved = 100 * (1 - total(name, *re.findall(r"`([^`]+)`", changes)) / before)
        assert f"{saved:.1f}" == percent
        assert saved < float(planned_percent)


@pytest.mark.parametrize(("stage", "words"), [("c", "C would at up to 0.077"), ("d", "the cheapest D at up to 0.04,")])
def test_the_load_at_which_the_cheapest_fits_is_what_the_solver_says(stage: str, words: str) -> None:
    found = fitted(f"stage-{stage}")
    assert not found.front
    assert f"up to {found.load_factor_that_fits:g}" in words
    assert words in text(EXPLANATION)


def test_b_fits_and_e_does_not_at_any_load_as_the_page_says() -> None:
    assert fitted("stage-b").front
    assert fitted("stage-e").load_factor_that_fits is None
    assert "B fits its budget at the declared load factor of 0.1" in text(EXPLANATION)
    assert "the cheapest E not even at 0" in text(EXPLANATION)


def test_the_readme_says_what_each_stage_is_expected_to_cost() -> None:
    stages = [shipped_estimate(f"stage-{letter}") for letter in "abcde"]
    a, b, c, d, e = (f"{found.total.expected:,.0f} of {found.budget_usd:,.0f}" for found in stages)
    assert f"expected are {b}, {c}, {d} and {e} USD a month; A is within, {a}." in text(README)


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

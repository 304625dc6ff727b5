"""The page on growth says what the program computes."""

from __future__ import annotations

import re

import pytest

from dreamseed.catalog.growth_scenarios import Scenario
from dreamseed.growth.models import Model, trajectories
from dreamseed.growth.parameters import single
from tests.growth.shipped import forecast_of
from tests.program import PROJECT

PAGE = (PROJECT / "docs/explanation/growth.md").read_text(encoding="utf-8")


def row(first: str, text: str = PAGE) -> list[str]:
    found = re.search(rf"^\| {first} \| (.*) \|$", text, re.MULTILINE)
    assert found, f"docs/explanation/growth.md has no row for {first}"
    return found[1].split(" | ")


@pytest.mark.parametrize("model", Model)
def test_the_pages_users_of_each_model_are_those_of_the_program(model: Model) -> None:
    ends = [trajectories(model, single(scenario, {}), 24).sign_ups[0, 24] for scenario in Scenario]
    assert row(f"`{model}`")[-1] == " / ".join(f"{end:,.0f}" for end in ends)


@pytest.mark.parametrize("scenario", Scenario)
def test_the_pages_months_are_those_of_the_program(scenario: Scenario) -> None:
    assert row(scenario) == [str(entry.month) for entry in forecast_of(scenario).entries[1:]]


def test_the_pages_figures_in_sentences_are_those_of_the_program() -> None:
    ones = [forecast_of(scenario).one for scenario in Scenario]
    stages = forecast_of().stages
    near = trajectories(Model.PLAN, single(Scenario.OPTIMISTIC, {}), 26).users[0, 26]
    plan, viral = (
        trajectories(model, single(Scenario.CONSERVATIVE, {}), 24).sign_ups[0, 24]
        for model in (Model.PLAN, Model.VIRAL)
    )
    text = " ".join(PAGE.split())
    for words in (
        f"{near:,.0f} users at month 26, {500_000 - round(near)} short",
        f"differ up to {viral / plan:.0f} times",
        f"stage E brings {stages[-1].revenue_usd:,.0f} USD a month",
        "worth " + " / ".join(f"{one.lifetime_value_usd:.0f}" for one in ones) + " USD",
        "at most " + " / ".join(f"{one.cac_limit_usd:.0f}" for one in ones) + " USD",
        f"{stages[0].conversion_for_gate_of_daily_active:.3%}".replace("%", " %") + " would have to pay",
    ):
        assert words in text


def test_a_wrong_figure_on_the_page_is_noticed() -> None:
    assert row("realistic", PAGE.replace("| realistic | 1 | 17 |", "| realistic | 1 | 18 |"))[1] == "18"
    assert row("realistic")[1] == "17"

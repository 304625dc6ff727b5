from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dreamseed.config.types import Stage
from dreamseed.cost import Unpriced, estimate
from dreamseed.growth import costs
from dreamseed.growth.costs import MEANING_OF_COSTS, Costs, cost_of_stage
from dreamseed.growth.parameters import GrowthError
from dreamseed.interval import Interval
from dreamseed.planning.planner import plan_stage
from tests.growth.shipped import configs, forecast_of


def test_estimated_costs_are_the_estimators_totals() -> None:
    asked = cost_of_stage(Costs.ESTIMATE, configs())
    for config in configs():
        stage = config.service.stage
        assert asked(stage) == estimate(plan_stage(config, f"stage-{stage.lower()}")).total


def test_the_plans_costs_are_the_checklists_budgets() -> None:
    asked = cost_of_stage(Costs.PLAN, configs())
    assert [asked(stage) for stage in Stage] == [Interval.exact(usd) for usd in (100, 180, 290, 500, 800)]


def test_a_stage_with_a_part_that_has_no_price_gets_no_total(monkeypatch: pytest.MonkeyPatch) -> None:
    def with_a_gap(plan: Any) -> Any:
        return replace(estimate(plan), unpriced=(object.__new__(Unpriced),))

    monkeypatch.setattr(costs, "estimate", with_a_gap)
    with pytest.raises(GrowthError) as refused:
        cost_of_stage(Costs.ESTIMATE, configs()[:1])
    assert refused.value.where == "stage-a › cost"


@pytest.mark.parametrize("source", Costs)
def test_a_forecast_says_where_its_costs_are_from(source: Costs) -> None:
    assert MEANING_OF_COSTS[source] in forecast_of(costs=source).notes

"""What a stage costs in a forecast: estimated from its stage file, or the growth plan's own budget."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum

from dreamseed.catalog.growth_plan import GROWTH_PLAN
from dreamseed.config.stage import StageConfig
from dreamseed.config.types import Stage
from dreamseed.cost import estimate
from dreamseed.growth.parameters import GrowthError
from dreamseed.interval import Interval
from dreamseed.planning.planner import plan_stage

CostOfStage = Callable[[Stage], Interval]
"""USD a month of a stage."""


class Costs(StrEnum):
    """Where the costs of the stages are from."""

    ESTIMATE = "estimate"
    PLAN = "plan"


MEANING_OF_COSTS: Mapping[Costs, str] = {
    Costs.ESTIMATE: "costs are estimated from the stage files at dated list prices, without the purchase of hardware",
    Costs.PLAN: "costs are the budgets of the plan's checklist, without the purchase of hardware; "
    "--costs estimate takes the price list's word instead",
}


def planned_budget(stage: Stage) -> Interval:
    """Return the plan's own budget of `stage`: the completion checklist's."""
    return Interval.exact(GROWTH_PLAN[stage].budget_usd)


def estimated(configs: Iterable[StageConfig]) -> CostOfStage:
    """Return the estimated totals of the stages in `configs`; raises `GrowthError` when one holds what has no price."""
    totals = {}
    for config in configs:
        stage = config.service.stage
        found = estimate(plan_stage(config, f"stage-{stage.lower()}"))
        if found.unpriced:
            raise GrowthError(
                f"stage-{stage.lower()} › cost",
                f"{len(found.unpriced)} of its parts have no price",
                "a total without them would be too small",
                "a row in the price book, or --costs plan",
            )
        totals[stage] = found.total
    return totals.__getitem__


def cost_of_stage(costs: Costs, configs: Iterable[StageConfig]) -> CostOfStage:
    """Return what each stage of `configs` costs, from where `costs` says."""
    return estimated(configs) if costs is Costs.ESTIMATE else planned_budget

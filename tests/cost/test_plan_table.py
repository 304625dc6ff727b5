from __future__ import annotations

import pytest

from dreamseed.catalog.growth_plan import GROWTH_PLAN, CostLine
from dreamseed.config.types import Stage
from dreamseed.cost.plan_table import PlanRow, against_plan
from tests.cost.estimates import estimated, shipped_estimate
from tests.planning.stages import STAGE_NAMES


def row(stage: str, line: CostLine) -> PlanRow:
    return next(row for row in against_plan(shipped_estimate(stage)) if row.line is line)


@pytest.mark.parametrize("stage", list(Stage))
def test_the_plans_lines_add_up_to_its_sum(stage: Stage) -> None:
    planned = GROWTH_PLAN[stage]
    assert sum(planned.line_usd(line) for line in CostLine) == planned.sum_usd


def test_only_the_plans_last_sum_differs_from_its_checklist() -> None:
    assert [stage for stage in Stage if GROWTH_PLAN[stage].sum_usd != GROWTH_PLAN[stage].budget_usd] == [Stage.E]


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_the_rows_add_up_to_the_estimate(stage: str) -> None:
    found = shipped_estimate(stage)
    rows = against_plan(found)
    assert sum(each.estimated.expected for each in rows) == pytest.approx(found.total.expected)
    assert sum(each.planned_usd for each in rows) == GROWTH_PLAN[found.plan.config.service.stage].sum_usd


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_every_difference_has_a_reason_and_nothing_else_has(stage: str) -> None:
    for each in against_plan(shipped_estimate(stage)):
        assert bool(each.reason) == (abs(each.difference_usd) >= 0.5), each.line


def test_the_reason_of_electricity_is_what_the_plans_line_leaves_the_servers() -> None:
    # 179, 242, 305, 483 and 662 W over all servers (price facts, section 9)
    watts = {
        stage: row(stage, CostLine.ELECTRICITY).reason.split("leaves a server ")[1].split(" W")[0]
        for stage in STAGE_NAMES
    }
    assert watts == {"stage-a": "179", "stage-b": "242", "stage-c": "305", "stage-d": "483", "stage-e": "331"}


def test_the_reason_of_cloud_run_follows_the_way_of_billing() -> None:
    assert "instances active" in row("stage-c", CostLine.CLOUD_RUN).reason
    other = against_plan(estimated("stage-c", {"api": {"billing": "instance"}}))
    assert "billed busy or not" in next(each.reason for each in other if each.line is CostLine.CLOUD_RUN)


def test_what_the_plan_forgets_is_named_with_its_largest_parts() -> None:
    assert "Cloud SQL regional, CPU 120.60" in row("stage-e", CostLine.NOT_PLANNED).reason
    assert "leaves disaster recovery out" in row("stage-e", CostLine.NOT_PLANNED).reason
    assert row("stage-c", CostLine.DOMAIN).planned_usd == 0

from __future__ import annotations

import pytest

from dreamseed.catalog.growth_plan import GPU_WATTS, GROWTH_PLAN, HOURS_PER_MONTH, USD_PER_KWH
from dreamseed.config.types import Stage
from dreamseed.planning.departures import Departure, departures
from dreamseed.planning.stage_plan import StagePlan
from tests.planning.stages import STAGE_NAMES, planned, shipped

ALWAYS = {"precision", "electricity", "Cloud Run scaling", "reaching the servers", "GPU utilisation"}
BITES: dict[str, set[str]] = {
    "stage-a": {"leader election", "backup", "triggers"},
    "stage-b": {"leader election", "Redis", "triggers"},
    "stage-c": {
        "tensor parallelism",
        "leader election",
        "Backblaze B2",
        "requests per second",
        "spot GPU",
        "triggers",
    },
    "stage-d": {
        "tensor parallelism",
        "fault domains",
        "leader election",
        "Cloudflare plan",
        "Backblaze B2",
        "requests per second",
        "spot GPU",
        "disaster recovery",
        "triggers",
        "network trigger",
    },
    "stage-e": {
        "tensor parallelism",
        "witness",
        "Kafka",
        "PostgreSQL replicas",
        "budget",
        "Cloudflare plan",
        "Backblaze B2",
        "requests per second",
        "spot GPU",
        "disaster recovery",
        "CDN and sharding",
    },
}
"""The topics of the growth plan's section 12, where they bite. Reviewed by hand on 2026-11-23."""


def topic(plan: StagePlan, name: str) -> Departure:
    return next(departure for departure in departures(plan) if departure.topic == name)


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_each_stage_shows_the_departures_that_bite_there(name: str) -> None:
    said = [departure.topic for departure in departures(shipped(name))]
    assert set(said) == ALWAYS | BITES[name]
    assert len(set(said)) == len(said)


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_each_departure_says_what_is_planned_what_is_done_and_why(name: str) -> None:
    for departure in departures(shipped(name)):
        assert all((departure.plan_says, departure.program_does, departure.why)), departure.topic


@pytest.mark.parametrize(
    ("name", "engines", "because"),
    [
        ("stage-c", "tp2 + tp1 on server-1", "40 attention heads are not divisible by 3"),
        ("stage-d", "tp2 + tp2 on server-1", "one fault domain"),
        ("stage-e", "tp2 + tp1 on server-1 and tp2 on server-2", "MLP width 13,824 is not divisible by 5"),
    ],
)
def test_the_gpu_layout_is_named_with_the_reason_against_one_engine(name: str, engines: str, because: str) -> None:
    departure = topic(shipped(name), "tensor parallelism")
    assert departure.program_does.endswith(engines)
    assert because in departure.why


def test_a_departure_goes_when_the_stage_file_does_what_the_plan_says() -> None:
    business = planned("stage-d", {"edge": {"plan": "business"}})
    assert "Cloudflare plan" not in {departure.topic for departure in departures(business)}
    alone = planned("stage-d", {"postgres": {"instances": 1, "synchronous_standbys": 0}})
    assert "fault domains" not in {departure.topic for departure in departures(alone)}


def test_the_last_stage_is_held_to_the_checklist_not_to_the_sum_of_its_lines() -> None:
    budget = topic(shipped("stage-e"), "budget")
    assert "810" in budget.plan_says
    assert "800 USD" in budget.program_does
    assert shipped("stage-e").config.budget.usd_per_month == GROWTH_PLAN[Stage.E].budget_usd


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_the_stage_files_keep_the_budgets_and_gpus_of_the_growth_plan(name: str) -> None:
    plan = shipped(name)
    planned_stage = GROWTH_PLAN[plan.config.service.stage]
    assert plan.config.budget.usd_per_month == planned_stage.budget_usd
    assert plan.layout.gpu_count == planned_stage.gpus


def test_the_price_of_storage_and_the_formula_for_electricity_are_worked_out() -> None:
    assert "76.42 USD when 10,240 GiB" in topic(shipped("stage-e"), "Backblaze B2").program_does
    assert "34.56" in topic(shipped("stage-a"), "electricity").plan_says
    assert round(GPU_WATTS / 1_000 * HOURS_PER_MONTH * USD_PER_KWH, 2) == 34.56


def test_the_two_kinds_of_disaster_recovery_are_told_apart() -> None:
    landing, standby = (topic(shipped(name), "disaster recovery") for name in ("stage-d", "stage-e"))
    assert landing.program_does.startswith("a stopped Cloud SQL that a job loads every 24 h")
    assert "a stopped Cloud SQL receives nothing" in landing.why
    assert standby.program_does.startswith("a Cloud SQL with HA that a job loads every 24 h")
    assert "stopped" not in standby.why
    assert all("15 min is borne by the WAL archive" in one.program_does for one in (landing, standby))

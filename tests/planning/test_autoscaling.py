from __future__ import annotations

from datetime import UTC, datetime

import pytest

from autoscaler.settings import Settings
from dreamseed.catalog.prices import BOOK, PriceBook
from dreamseed.catalog.prices.compute import on_demand_sku, spot_sku
from dreamseed.cost import estimate
from dreamseed.interval import Scenario
from dreamseed.monitoring.contract import EXPORTERS
from dreamseed.monitoring.promql import parsed
from dreamseed.planning.autoscaling import hour, plan_policy, plan_settings
from dreamseed.planning.burst import BurstPlan
from dreamseed.planning.stage_plan import StagePlan
from tests.planning.stages import shipped

STAGES = ("stage-c", "stage-d", "stage-e")


def burst_of(plan: StagePlan) -> BurstPlan:
    assert plan.burst is not None
    return plan.burst


def settings(name: str) -> Settings:
    plan = shipped(name)
    return plan_settings(plan.config, plan.layout, burst_of(plan), "projects/p/regions/r/instanceTemplates/t")


@pytest.mark.parametrize("name", STAGES)
def test_the_daemons_file_survives_json_and_holds_the_stages_own_figures(name: str) -> None:
    found, plan = settings(name), shipped(name)
    assert Settings.model_validate_json(found.model_dump_json()) == found
    assert found.policy.owned_kv_tokens == plan.layout.kv_tokens
    assert found.policy.worker_kv_tokens == burst_of(plan).engine.kv_tokens
    assert found.policy.life.max_run_seconds == burst_of(plan).max_run_seconds
    assert [zone.name for zone in found.policy.zones] == list(burst_of(plan).zones)


@pytest.mark.parametrize("name", STAGES)
def test_a_months_cap_is_what_the_estimate_counts_as_its_worst_case(name: str) -> None:
    plan = shipped(name)
    counted = sum(line.usd.high for line in estimate(plan).lines if line.name.startswith("burst worker"))
    assert settings(name).policy.spending.cap_usd_per_month == pytest.approx(counted, abs=0.3)


def test_an_hour_counts_at_the_price_on_demand_with_disk_and_address_until_the_first_price_is_old() -> None:
    plan = shipped("stage-c")
    usd, fresh_until = hour(burst_of(plan), plan.config.usage.burst_pricing, "us-central1", BOOK, Scenario.HIGH)
    machine = BOOK.find(on_demand_sku("g2-standard-8"), "us-central1")
    assert machine is not None
    assert usd is not None
    assert machine.gross_usd(1, Scenario.HIGH) < usd < machine.gross_usd(1, Scenario.HIGH) + 0.03
    assert datetime.fromtimestamp(fresh_until, UTC).date() <= machine.source.expires_on


def test_a_machine_without_a_price_gives_zones_in_which_nothing_is_bought() -> None:
    plan = shipped("stage-c")
    poor = PriceBook(row for row in BOOK if row.sku != spot_sku("g2-standard-8"))
    found = plan_policy(plan.config, plan.layout, burst_of(plan), poor)
    assert {zone.usd_per_hour for zone in found.zones} == {None}
    assert found.spending.cap_usd_per_month == 0


def test_every_query_reads_metrics_of_the_contract() -> None:
    known = {series for exporter in EXPORTERS for metric in exporter.metrics for series in metric.series}
    for _, expression in settings("stage-c").queries:
        names = parsed(expression).names
        assert names
        assert names <= known

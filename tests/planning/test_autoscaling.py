from __future__ import annotations

from datetime import UTC, datetime

import pytest

from autoscaler.settings import Settings
from dreamseed.catalog.prices import BOOK, PriceBook
from dreamseed.catalog.prices.compute import on_demand_sku, spot_sku
from dreamseed.catalog.prices.model import HOURS_PER_MONTH
from dreamseed.cost import estimate
from dreamseed.interval import Scenario
from dreamseed.monitoring.alerts_service import TAIL_ALERT
from dreamseed.monitoring.contract import EXPORTERS
from dreamseed.monitoring.promql import parsed
from dreamseed.planning.autoscaling import hour, plan_bounds, plan_policy, plan_settings
from dreamseed.planning.burst import BurstPlan
from dreamseed.planning.services.monitoring import plan_rules
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


@pytest.mark.parametrize("name", ["stage-d", "stage-e"])
def test_from_d_on_the_apis_warm_instances_follow_its_own_alert_within_the_stages_bounds(name: str) -> None:
    bounds, config = settings(name).bounds, shipped(name).config
    assert bounds is not None
    assert (bounds.policy.least, bounds.policy.most) == (config.api.min_instances, config.api.max_instances)
    assert bounds.policy.calm_seconds < config.slo.api_p99_ms / 1_000
    groups = plan_rules(config, shipped(name).hosts, shipped(name).services)
    [alert] = [one for group in groups for one in group.alerts if one.name == TAIL_ALERT]
    assert alert.expression.startswith(bounds.queries.tail_seconds)
    assert f'alertname="{TAIL_ALERT}"' in bounds.queries.firing
    for query in bounds.queries.model_dump().values():
        parsed(query)
    assert bounds.service.endswith(f"/services/{config.api.name}")


def test_before_d_cloud_run_scales_by_its_own_settings_alone() -> None:
    assert settings("stage-c").bounds is None


def test_a_warm_instance_costs_what_the_estimate_counts_for_an_idle_one() -> None:
    plan, bounds = shipped("stage-d"), settings("stage-d").bounds
    assert bounds is not None
    counted = sum(line.usd.high for line in estimate(plan).lines if line.name.startswith("API minimum instances"))
    assert bounds.policy.usd_per_hour is not None
    gross = bounds.policy.usd_per_hour * plan.config.api.min_instances * HOURS_PER_MONTH
    # The estimate takes Cloud Run's free share off.
    assert counted <= gross == pytest.approx(counted, rel=0.05)


def test_without_a_price_of_an_idle_instance_none_is_kept_warm() -> None:
    found = plan_bounds(shipped("stage-d").config, PriceBook(rows=()))
    assert found is not None
    assert found.policy.usd_per_hour is None

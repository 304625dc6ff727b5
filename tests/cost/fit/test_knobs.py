from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from dreamseed.catalog.prices.run import RUN_REGION_TIERS
from dreamseed.cost.fit.knobs import COLD_START_SECONDS, KNOBS, LEAST_ROUND_TRIP_MS
from dreamseed.cost.fit.option import no_worse
from dreamseed.cost.fit.setting import Setting, written
from tests.planning.stages import STAGE_NAMES, configured


def values(name: str, stage: str, change: Mapping[str, Any] | None = None) -> tuple[Setting, ...]:
    knob = next(each for each in KNOBS if each.name == name)
    return knob.settings(configured(stage, change))


def lost(name: str, stage: str, key: str, change: Mapping[str, Any] | None = None) -> str:
    """What the value that writes `key` gives up."""
    return next(each.gives_up for each in values(name, stage, change) if key in each.written())


@pytest.mark.parametrize("stage", STAGE_NAMES)
@pytest.mark.parametrize("knob", KNOBS, ids=lambda knob: knob.name)
def test_the_file_s_own_value_is_there_and_every_other_says_what_it_loses(stage: str, knob: Any) -> None:
    settings = knob.settings(configured(stage))
    own = [each for each in settings if not list(each.written())]
    assert len(own) == 1
    for each in settings:
        assert no_worse(own[0].losses, each.losses)
        assert bool(each.gives_up) == (each.losses != own[0].losses)
        assert len(each.losses) == len(own[0].losses)


def test_fewer_warm_instances_are_paid_for_with_the_wait_of_a_cold_start() -> None:
    assert len(values("warm instances", "stage-a")) == 1
    told = lost("warm instances", "stage-e", "api.min_instances=0")
    assert told.startswith("0 instead of 8 instances kept warm")
    assert f"{COLD_START_SECONDS[0]:g} to {COLD_START_SECONDS[1]:g} s" in told


def test_by_hour_the_night_never_has_more_warm_instances_than_the_day() -> None:
    by_hour = [each for each in values("warm instances", "stage-e") if each.night is not None]
    assert len(by_hour) == 6
    for each in by_hour:
        assert each.night is not None
        assert each.night["api"]["min_instances"] < each.change["api"]["min_instances"]
        assert "declares no clock" in each.gives_up


def test_the_free_zone_has_no_managed_firewall_and_pro_has() -> None:
    assert "WAF: no managed rules" in lost("Cloudflare plan", "stage-b", "edge.plan=free")
    business = {"edge": {"plan": "business"}}
    told = lost("Cloudflare plan", "stage-b", "edge.plan=pro", business)
    assert "WAF" not in told
    assert "no uptime SLA" in told


def test_disaster_recovery_loses_recovery_time_and_keeps_the_rpo() -> None:
    for kind in ("landing", "none"):
        told = lost("disaster recovery", "stage-e", f"disaster_recovery.kind={kind}")
        assert told.startswith("RTO: ")
        assert "RPO stays 15 min" in told


def test_the_monitoring_plan_names_its_limit_and_what_the_stage_writes() -> None:
    told = lost("monitoring plan", "stage-d", "monitoring.grafana_cloud=free")
    assert "10,000 series" in told
    assert "6,000 series by its data points, 16,000 at most" in told


def test_a_region_is_offered_only_where_it_is_farther_and_where_users_are_known() -> None:
    seoul: dict[str, dict[str, Any]] = {
        "service": {"region": "asia-northeast3", "zone": "asia-northeast3-a"},
        "vllm": {"burst": {"zones": ["asia-northeast3-a"]}},
    }
    assert len(values("region", "stage-c")) == 1
    (_, iowa) = values("region", "stage-c", seoul)
    assert "service.region=us-central1" in written(iowa.change)
    assert "102 ms" in iowa.gives_up
    elsewhere = {**seoul, "service": {**seoul["service"], "time_zone": "Europe/Berlin"}}
    assert len(values("region", "stage-c", elsewhere)) == 1
    assert set(LEAST_ROUND_TRIP_MS) == set(RUN_REGION_TIERS)


def test_precision_is_a_knob_only_where_the_cloud_loads_the_weights() -> None:
    assert len(values("precision", "stage-a", {"vllm": {"precision": "fp16"}})) == 1
    assert len(values("precision", "stage-c", {"vllm": {"precision": "fp16"}})) == 2
    assert len(values("precision", "stage-c")) == 1


def test_billing_by_instance_gives_up_nothing_and_by_request_the_cpu_between_requests() -> None:
    assert lost("Cloud Run billing", "stage-c", "api.billing=instance") == ""
    told = lost("Cloud Run billing", "stage-c", "api.billing=request", {"api": {"billing": "instance"}})
    assert told.startswith("CPU between requests")


def test_half_an_instance_is_offered_where_cloud_run_has_one() -> None:
    assert lost("instance size", "stage-c", "api.cpu=1").startswith("1 vCPU and 2 GiB")
    assert len(values("instance size", "stage-c", {"api": {"cpu": 1}})) == 1
    assert len(values("instance size", "stage-c", {"api": {"cpu": 6}})) == 1


def test_concurrency_ends_at_what_cloud_run_allows() -> None:
    assert "160 instead of 80" in lost("concurrency", "stage-c", "api.concurrency=160")
    assert len(values("concurrency", "stage-c", {"api": {"concurrency": 1_000}})) == 1

from __future__ import annotations

from typing import Any

import pytest

from dreamseed.config import stage_document, stage_file
from dreamseed.cost import estimate
from dreamseed.cost.what_if import NAMED, overlay, planned_with
from dreamseed.errors import ConfigError, ConfigErrors
from tests.cost.estimates import TODAY, shipped_estimate
from tests.planning.stages import ROOT


def expected(stage: str, *changes: str) -> float:
    plan = planned_with(stage_document(stage_file(ROOT, stage)), changes, stage)
    return estimate(plan, today=TODAY).total.expected


def effect(stage: str, *changes: str) -> float:
    return expected(stage, *changes) - shipped_estimate(stage).total.expected


def test_without_changes_nothing_changes() -> None:
    assert effect("stage-d") == 0


def test_business_costs_180_more_than_pro_by_the_year() -> None:
    assert effect("stage-d", "edge.plan=business") == pytest.approx(200 - 20)
    assert effect("stage-d", "edge.plan=business", "edge.billing=monthly") == pytest.approx(250 - 20)


def test_minimum_0_saves_what_idle_and_spread_instances_cost() -> None:
    assert effect("stage-c", "min_instances=0") < -100


def test_a_hit_rate_of_95_percent_halves_the_content_that_misses() -> None:
    missed = next(line for line in shipped_estimate("stage-c").lines if line.name == "egress, content")
    assert effect("stage-c", "cdn_hit_rate=0.95") == pytest.approx(-missed.usd.expected / 2)


def test_a_commitment_saves_less_than_the_growth_plan_expects() -> None:
    saved = -effect("stage-e", "commitment=one_year") / shipped_estimate("stage-e").total.expected
    assert 0 < saved < 0.25
    assert effect("stage-a", "commitment=three_years") > -20


def test_spot_workers_save_40_percent_in_the_shipped_region() -> None:
    hours = 10
    address = hours * (0.005 - 0.0025)
    assert effect("stage-c", "spot=off") == pytest.approx(hours * (0.8536 - 0.5120) + address)
    assert effect("stage-c", "spot=on") == 0


def test_deleting_old_versions_sooner_saves_their_storage_and_nothing_else() -> None:
    hidden_tb = 10_240 * 2**30 / 1e12 * 0.05
    saved = hidden_tb * 23 / 30 * (730 / 720) * 6.95
    assert effect("stage-e", "lifecycle=7") == pytest.approx(-saved * 1.3)  # 30 % of it lies at the second site too


def test_another_region_changes_cloud_run_and_spot_prices() -> None:
    plan = planned_with(stage_document(stage_file(ROOT, "stage-c")), ("region=asia-northeast3",), "stage-c")
    found = estimate(plan, today=TODAY)
    spot = next(line for line in found.lines if line.price.sku == "spot-g2-standard-8")
    assert found.unpriced == ()
    assert spot.usd.expected == pytest.approx(3.76)


def test_a_single_figure_stands_for_all_three_of_a_range() -> None:
    assert overlay(["usage.load_factor=0.2"]) == {"usage": {"load_factor": {"low": 0.2, "expected": 0.2, "high": 0.2}}}
    assert overlay(["usage.tariff=flat", "api.min_instances=1"]) == {
        "usage": {"tariff": "flat"},
        "api": {"min_instances": 1},
    }


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("min_instances", "'min_instances' has no value"),
        ("=3", "'=3' has no value"),
        ("replicas=3", "'replicas' is no name of a what-if"),
        ("cdn_hit_rate=95", "cdn_hit_rate=95 is no share"),
        ("cdn_hit_rate=true", "cdn_hit_rate=True is no share"),
    ],
)
def test_a_change_that_means_nothing_is_refused(change: str, what: str) -> None:
    with pytest.raises(ConfigError) as refused:
        overlay([change])
    assert refused.value.what == what


@pytest.mark.parametrize("change", ["api.min_instances=99", "usage.load=1", "edge.plan=enterprise", "commitment=ever"])
def test_a_change_is_checked_like_the_stage_file(change: str) -> None:
    with pytest.raises(ConfigErrors, match="stage-c › "):
        expected("stage-c", change)


def test_every_name_is_explained_and_makes_a_change() -> None:
    values: dict[str, Any] = {"cdn_hit_rate": 0.9}
    for name, (change, meaning) in NAMED.items():
        assert change(values.get(name, 1))
        assert len(meaning) > 20

"""Cloud Run by hand, and the five errors of the best-known estimator as cases. Source: price facts, 2026-11-23."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamseed.config.usage import Commitment
from dreamseed.cost.quantities.cloud_run import active_instances, instance_cpu, instance_memory_gib, living_instances
from dreamseed.cost.quantities.load import Load, billed_seconds
from dreamseed.interval import Scenario
from tests.catalog.prices.rows import row
from tests.cost.estimates import api_lines, total_of
from tests.cost.pricing import MONTH_SECONDS, bill, use
from tests.planning.stages import planned, shipped

FREE_USD = 5.22
"""CPU and memory of either way of billing: 180,000 × 0.000024 + 360,000 × 0.0000025."""
ACTIVE, IDLE, INSTANCE = 152.424, 39.42, 115.632
"""2 vCPU and 4 GiB for a month: request-based active, idle minimum, instance-based (facts, section 2)."""
TIER_2_ACTIVE = 2 * MONTH_SECONDS * 0.0000336 + 4 * MONTH_SECONDS * 0.0000035


def instances(kind: str, count: float, region: str = "us-central1") -> float:
    cpu = use(f"run-{kind}-cpu", count * 2 * MONTH_SECONDS, region=region)
    memory = use(f"run-{kind}-memory", count * 4 * MONTH_SECONDS, region=region)
    return bill(cpu, memory)


def load(requests_per_second: float = 0.0, open_requests: float = 0.0) -> Load:
    return Load(
        requests_per_second=requests_per_second,
        generations_per_second=0,
        open_requests=open_requests,
        answer_bytes=0,
        streamed_bytes=0,
        content_bytes=0,
        content_miss_bytes=0,
        backend_bytes=0,
    )


def test_an_instance_that_is_active_all_month_costs_152_less_the_free_tier() -> None:
    assert instances("request", 1) == pytest.approx(ACTIVE - FREE_USD)


def test_an_instance_based_instance_costs_116_less_the_free_tier() -> None:
    assert instances("instance", 1) == pytest.approx(INSTANCE - FREE_USD)


def test_tier_2_costs_more_and_gets_the_free_tier_at_the_tier_1_price() -> None:
    assert instances("request", 1, "asia-northeast3") == pytest.approx(TIER_2_ACTIVE - FREE_USD)
    assert round(TIER_2_ACTIVE, 2) == 213.39


def test_idle_time_replays_a_real_bill() -> None:
    # 1,280,509.98 idle vCPU-s were 3.20 USD and 3,572,782 GiB-s 8.93 USD, before the free tier (facts, section 14).
    before = row("run-idle-cpu").gross_usd(1_280_509.98, Scenario.EXPECTED)
    assert round(before, 2) == 3.20
    assert bill(use("run-idle-cpu", 1_280_509.98)) == 0
    assert bill(use("run-idle-memory", 3_572_782)) == pytest.approx(8.93 - 0.90, abs=0.005)


def test_error_1_request_based_billing_is_not_priced_by_instance_based_rates() -> None:
    assert instances("request", 1) != pytest.approx(instances("instance", 1), rel=0.2)


def test_error_2_minimum_instances_cost_money_while_idle() -> None:
    nothing = {"low": 0, "expected": 0, "high": 0}
    nobody = {"usage": {"load_factor": nothing, "generations_per_active_user_day": nothing}}
    without = total_of("stage-e", nobody | {"api": {"min_instances": 0}}, "API minimum")
    kept = total_of("stage-e", nobody, "API minimum")
    assert without == 0
    idle = 8 * (2.5 + 4.25) * MONTH_SECONDS * 0.0000025
    assert kept == pytest.approx(idle - FREE_USD)


def test_error_3_half_a_million_requests_are_free() -> None:
    assert bill(use("run-requests", 0.5)) == 0
    assert bill(use("run-requests", 3.0)) == pytest.approx(0.40)
    assert bill(use("run-request-cpu", 180_000), use("run-request-memory", 360_000)) == pytest.approx(0)


def test_error_4_fractions_of_a_cpu_are_billed() -> None:
    api = shipped("stage-b").config.api
    assert instance_cpu(api) == 2.5
    assert instance_memory_gib(api) == 4.25
    lines = {line.price.sku: line for line in api_lines("stage-b")}
    assert lines["run-idle-cpu"].quantity.expected == pytest.approx(2.5 * MONTH_SECONDS)


def test_error_5_instance_based_billing_without_minimum_instances_is_not_free() -> None:
    change = {"api": {"min_instances": 0, "billing": "instance"}}
    assert total_of("stage-b", change, "API instances") > 50


def test_instance_based_billing_has_no_fee_for_requests() -> None:
    skus = {line.price.sku for line in api_lines("stage-c", {"api": {"billing": "instance"}})}
    assert skus == {"run-instance-cpu", "run-instance-memory"}


def test_an_active_minimum_instance_is_not_idle_at_the_same_time() -> None:
    month = 2.5 * MONTH_SECONDS
    whole = bill(use("run-idle-cpu", month), use("run-request-cpu", month, paid=("run-idle-cpu", month)))
    assert whole == pytest.approx(month * 0.000024 - 180_000 * 0.000024)


def test_the_free_tier_is_one_for_idle_and_active_time() -> None:
    both = bill(use("run-idle-cpu", 1_000_000), use("run-request-cpu", 1_000_000))
    assert both == pytest.approx(1_000_000 * (0.0000025 + 0.000024) - 4.32)


def test_a_commitment_takes_17_percent_off() -> None:
    whole = 10_000_000 * 0.000024 - 4.32
    assert bill(use("run-request-cpu", 10_000_000), commitment=Commitment.ONE_YEAR) == pytest.approx(0.83 * whole)


@pytest.mark.parametrize(
    ("seconds", "billed"), [(0.05, 0.1), (0.1, 0.1), (0.10001, 0.2), (0.3, 0.3), (3.0, 3.0), (3.01, 3.1), (0, 0)]
)
def test_time_is_rounded_up_to_100_ms(seconds: float, billed: float) -> None:
    assert billed_seconds(seconds) == pytest.approx(billed)


def test_instance_based_is_cheaper_from_67_percent_busy_on() -> None:
    crossover = (INSTANCE - IDLE) / (ACTIVE - IDLE)
    assert crossover == pytest.approx(0.674, abs=0.001)
    for busy, cheaper in ((crossover - 0.01, "request"), (crossover + 0.01, "instance")):
        request = busy * ACTIVE + (1 - busy) * IDLE
        assert (request < INSTANCE) == (cheaper == "request")


def test_requests_spread_over_warm_instances_as_poisson_says() -> None:
    api = shipped("stage-e").config.api
    spread = active_instances(api, load(open_requests=8), 0, 1)
    assert spread == pytest.approx(8 * (1 - math.exp(-1)))
    assert active_instances(api, load(open_requests=8), 0, 0) == pytest.approx(1 - math.exp(-8))


def test_cpu_slots_and_the_maximum_bound_the_active_instances() -> None:
    api = shipped("stage-a").config.api
    assert active_instances(api, load(requests_per_second=100), 0.02, 1) == pytest.approx(100 * 0.02 / (2 * 0.7))
    assert active_instances(api, load(open_requests=128), 0, 1) == pytest.approx(128 / (80 * 0.8))
    assert active_instances(api, load(open_requests=10_000), 0, 1) == api.max_instances


def test_without_requests_and_minimum_instances_nothing_lives() -> None:
    api = planned("stage-a").config.api
    assert living_instances(api, load(), active_instances(api, load(), 0, 1)) == 0


@given(st.floats(0, 500), st.floats(0, 5_000), st.floats(1, 3), st.floats(0, 1))
def test_more_load_never_keeps_fewer_instances_active(
    requests: float, open_requests: float, factor: float, spread: float
) -> None:
    api = shipped("stage-d").config.api
    less = active_instances(api, load(requests, open_requests), 0.02, spread)
    more = active_instances(api, load(requests * factor, open_requests * factor), 0.02, spread)
    assert 0 <= less <= more + 1e-9
    assert more <= api.max_instances

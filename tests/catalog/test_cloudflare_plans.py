from __future__ import annotations

from dataclasses import fields

from dreamseed.catalog.cloudflare_plans import PLAN_LIMITS, RATE_LIMIT_PERIODS_SECONDS, PlanLimits
from dreamseed.config.cloud import CloudflarePlan


def test_every_plan_has_its_limits() -> None:
    assert set(PLAN_LIMITS) == set(CloudflarePlan)


def test_a_larger_plan_allows_no_less() -> None:
    ordered = [PLAN_LIMITS[plan] for plan in CloudflarePlan]
    for field in fields(PlanLimits):
        values = [getattr(limits, field.name) for limits in ordered]
        # The shortest cache time is the one limit that a larger plan lowers.
        expected = sorted(values, reverse=field.name == "min_edge_ttl_seconds")
        assert values == expected, field.name


def test_each_plans_longest_period_is_one_that_the_api_accepts() -> None:
    for limits in PLAN_LIMITS.values():
        assert limits.rate_limit_max_period_seconds in RATE_LIMIT_PERIODS_SECONDS

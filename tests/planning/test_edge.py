from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamseed.catalog.cloudflare_plans import PLAN_LIMITS, RATE_LIMIT_PERIODS_SECONDS
from dreamseed.config.cloud import CloudflarePlan
from dreamseed.errors import PlanError
from dreamseed.planning import edge
from dreamseed.planning.edge import plan_edge
from tests.components.declaring import changed, stage

PLANS = list(CloudflarePlan)


@pytest.mark.parametrize("plan", PLANS)
def test_the_rules_of_each_plan_are_within_its_limits(plan: CloudflarePlan) -> None:
    limits = PLAN_LIMITS[plan]
    made = plan_edge(changed(stage("a"), "edge", plan=plan), "stage-a")
    assert 0 < len(made.custom) <= limits.custom_rules
    assert bool(made.managed) == limits.managed_rulesets
    assert all(
        rule.edge_ttl_seconds is None or rule.edge_ttl_seconds >= limits.min_edge_ttl_seconds for rule in made.cache
    )
    assert limits.regular_expressions or not any(" matches " in rule.expression for rule in made.custom)


@given(plan=st.sampled_from(PLANS), period=st.integers(1, 3_700))
def test_a_period_is_accepted_exactly_when_api_and_plan_allow_it(plan: CloudflarePlan, period: int) -> None:
    legal = period in RATE_LIMIT_PERIODS_SECONDS and period <= PLAN_LIMITS[plan].rate_limit_max_period_seconds
    config = changed(stage("a"), "edge", plan=plan, rate_limit_period_seconds=period)
    if legal:
        assert plan_edge(config, "stage-a").rate_limits[0].period_seconds == period
    else:
        with pytest.raises(PlanError):
            plan_edge(config, "stage-a")


def test_a_refused_period_says_which_ones_the_plan_allows() -> None:
    with pytest.raises(PlanError) as refused:
        plan_edge(changed(stage("b"), "edge", rate_limit_period_seconds=90), "stage-b")
    assert refused.value.where == "stage-b › edge › rate_limit_period_seconds"
    assert refused.value.what == "90 s on the pro plan"
    assert refused.value.remedy == "one of 10, 15, 20, 30, 40, 45, 60"


@pytest.mark.parametrize("plan", PLANS)
def test_nothing_that_blocks_touches_the_traffic_between_the_api_and_the_servers(plan: CloudflarePlan) -> None:
    made = plan_edge(changed(stage("a"), "edge", plan=plan), "stage-a")
    for rule in (*made.custom, *made.managed, *made.rate_limits, *made.cache):
        by_host = 'http.host eq "api.dreamseed.example"' in rule.expression
        # The Free plan cannot limit by host; the model's own paths begin with /v1/.
        by_path = 'starts_with(http.request.uri.path, "/api/")' in rule.expression
        assert by_host or by_path, rule.ref


def test_free_is_no_subscription() -> None:
    assert plan_edge(stage("a"), "stage-a").subscription is None
    assert plan_edge(stage("b"), "stage-b").subscription is CloudflarePlan.PRO


@pytest.mark.parametrize(
    ("noun", "limit"),
    [
        ("custom rules", "custom_rules"),
        ("rate limits", "rate_limit_rules"),
        ("cache rules", "cache_rules"),
        ("redirect rules", "redirect_rules"),
    ],
)
def test_more_rules_than_the_plan_has_are_refused(monkeypatch: pytest.MonkeyPatch, noun: str, limit: str) -> None:
    _tighten(monkeypatch, **{limit: 0})
    with pytest.raises(PlanError, match=f"{noun} on the free plan") as refused:
        plan_edge(stage("a"), "stage-a")
    assert refused.value.where == "stage-a › edge › plan"


def test_a_cache_time_below_the_plans_shortest_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    _tighten(monkeypatch, min_edge_ttl_seconds=edge.CONTENT_EDGE_TTL_SECONDS + 1)
    with pytest.raises(PlanError, match="content_cached caches for 86400 s"):
        plan_edge(stage("a"), "stage-a")


def _tighten(monkeypatch: pytest.MonkeyPatch, **limits: Any) -> None:
    """Make the Free plan stricter than it is, so that the rules break it."""
    stricter = replace(PLAN_LIMITS[CloudflarePlan.FREE], **limits)
    monkeypatch.setattr(edge, "PLAN_LIMITS", {**PLAN_LIMITS, CloudflarePlan.FREE: stricter})

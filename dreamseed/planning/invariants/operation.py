"""How the stage is run: thresholds, retention of metrics, budget, limits of the edge."""

from __future__ import annotations

from collections.abc import Iterator

from dreamseed.catalog.cloudflare_plans import PLAN_LIMITS
from dreamseed.planning.invariants.rule import Invariant
from dreamseed.planning.stage_plan import StagePlan

SLO_PERIOD_DAYS = 30
METRICS_DAYS = 35
"""The SLO's 30 days and the longest burn-rate window. Source: operations facts, section 4, retention."""


def thresholds_lie_beyond_the_stage(plan: StagePlan) -> Iterator[Invariant]:
    """The next stage is due only beyond what this one was built for."""
    capacity, after = plan.config.service.capacity, plan.config.next_stage
    if after is None:
        return
    for noun, key, threshold, built_for in (
        ("sign-ups", "sign_ups", after.sign_ups, capacity.sign_ups),
        ("concurrent users", "concurrent_users", after.concurrent_users, capacity.concurrent_users),
    ):
        yield Invariant(
            name=f"next stage by {noun}",
            where=f"next_stage › {key}",
            left=f"due above {threshold:,} {noun}",
            right=f"this stage is built for {built_for:,}",
            holds=threshold >= built_for,
            why="spend only when users grow: capacity that is paid for is used before more is bought",
            remedy=f"{key} of at least {built_for}",
        )


def metrics_outlive_the_slo(plan: StagePlan) -> Iterator[Invariant]:
    """Metrics are kept longer than the period of the SLOs."""
    days = plan.config.monitoring.retention_days
    yield Invariant(
        name="metrics and SLO period",
        where="monitoring › retention_days",
        left=f"{days} days",
        right=f"an SLO of {SLO_PERIOD_DAYS} days needs {METRICS_DAYS}",
        holds=days >= METRICS_DAYS,
        why="a query beyond the retention is silently cut short, and the error budget looks better than it is",
        remedy=f"retention_days of at least {METRICS_DAYS}",
    )


def cloud_is_part_of_the_budget(plan: StagePlan) -> Iterator[Invariant]:
    """What Google Cloud may bill is a part of the stage's budget."""
    budget = plan.config.budget
    yield Invariant(
        name="cloud share and budget",
        where="budget › cloud_share_usd_per_month",
        left=f"{budget.cloud_share_usd_per_month:g} USD a month",
        right=f"the budget is {budget.usd_per_month:g}",
        holds=budget.cloud_share_usd_per_month <= budget.usd_per_month,
        why="Google Cloud bills a part of the stage's budget",
        remedy=f"cloud_share_usd_per_month of at most {budget.usd_per_month:g}",
    )


def rate_limit_is_allowed(plan: StagePlan) -> Iterator[Invariant]:
    """The zone's plan allows the period that requests are counted over."""
    period = plan.config.edge.rate_limit_period_seconds
    most = PLAN_LIMITS[plan.config.edge.plan].rate_limit_max_period_seconds
    yield Invariant(
        name="rate limit and Cloudflare plan",
        where="edge › rate_limit_period_seconds",
        left=f"counted over {period} s",
        right=f"the {plan.config.edge.plan} plan allows {most}",
        holds=period <= most,
        why="Cloudflare refuses the rule otherwise",
        remedy=f"rate_limit_period_seconds of at most {most}",
    )

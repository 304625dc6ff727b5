"""The weekly and the monthly review. Source: the growth plan, section 10."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import timedelta

from dreamseed.catalog.revenue_plan import GROWTH
from dreamseed.config import StageConfig
from dreamseed.cost.actuals.focus import Bill, Kind
from dreamseed.cost.actuals.month import days_in, days_of
from dreamseed.growth.timing import days_until
from dreamseed.review.observed import Observed
from dreamseed.review.report import Line, Review, Section

WEEK_DAYS, MONTH_DAYS = 7, 30
NEAR = 0.8
"""Share of a trigger from which the next stage is prepared: a choice."""


def weekly(config: StageConfig, following: StageConfig | None, seen: Observed, bill: Bill | None) -> Review:
    """Return the review of a week: users, cost, signals, what to do, the next stage."""
    return Review(
        title=f"Weekly review, stage {config.service.stage}",
        period=_period(config, seen),
        sections=(
            Section(title="Users", lines=tuple(_users(seen, "week"))),
            Section(title="Cost", lines=tuple(_cost(config, seen, bill, "week"))),
            Section(title="Scaling signals", lines=tuple(_signals(config, seen))),
            Section(title="Action items", lines=tuple(_actions(config, seen))),
            Section(title="Next stage", lines=tuple(_next(config, following, seen))),
        ),
    )


def monthly(config: StageConfig, following: StageConfig | None, seen: Observed, bill: Bill | None) -> Review:
    """Return the review of thirty days: growth against its target, the budget, savings, the next stage, debt."""
    return Review(
        title=f"Monthly review, stage {config.service.stage}",
        period=_period(config, seen),
        sections=(
            Section(title="Growth", lines=tuple(_growth(seen))),
            Section(title="Budget", lines=tuple(_cost(config, seen, bill, "month"))),
            Section(title="Savings", lines=tuple(_savings(config))),
            Section(title="Next stage", lines=tuple(_next(config, following, seen))),
            Section(title="Technical debt", lines=tuple(_actions(config, seen))),
        ),
    )


def _period(config: StageConfig, seen: Observed) -> str:
    begin = seen.end - timedelta(days=seen.days)
    return f"{begin:%Y-%m-%d %H:%M} to {seen.end:%Y-%m-%d %H:%M} ({config.service.time_zone})."


def _users(seen: Observed, period: str) -> Iterator[Line]:
    before = seen.before.new_sign_ups if seen.before else None
    change = _change(seen.new_sign_ups, before)
    yield Line(
        question="new sign-ups",
        value=_count(seen.new_sign_ups),
        note=f"{change} on the {period} before" if change else f"the {period} before is unknown",
    )
    yield Line(question="total users", value=_count(seen.sign_ups))
    yield Line(question="peak concurrent users", value=_count(seen.peak_users))
    yield Line(question="requests", value=_count(seen.requests))


def _cost(config: StageConfig, seen: Observed, bill: Bill | None, period: str) -> Iterator[Line]:
    budget = config.budget.usd_per_month
    share = budget * seen.days / days_in(seen.end.date())
    yield Line(
        question=f"the {period}'s cost against the budget",
        value=None
        if seen.cost_usd is None
        else f"{seen.cost_usd:.2f} of {share:.2f} USD ({seen.cost_usd / share:.0%})",
        note="at the stage's rates, and as billed where a bill was imported"
        if seen.cost_usd is not None
        else "the cost exporter counts nothing",
    )
    forecast, source = seen.forecast_usd, "as the cost exporter says"
    if forecast is None and seen.month_to_date_usd is not None:
        elapsed = seen.end.day - 1 + (seen.end.hour * 60 + seen.end.minute) / 1_440
        forecast = seen.month_to_date_usd * days_in(seen.end.date()) / elapsed if elapsed >= 1 else None
        source = "at the pace of the month so far"
    yield Line(
        question="the month's forecast",
        value=_of(forecast, budget),
        note=source if forecast is not None else "",
    )
    yield _anomalies(bill)


def _anomalies(bill: Bill | None) -> Line:
    if bill is None:
        return Line(question="cost anomalies", value=None, note="no bill given: --bill FILE")
    charges = [charge for charge in bill.charges if charge.kind is Kind.SERVICE]
    found = [
        f"{service} on {one.day:%m-%d}: {one.usd:.2f} USD, usually {one.median_usd:.2f}"
        for service in sorted({charge.service for charge in charges})
        for one in days_of([charge for charge in charges if charge.service == service], bill).anomalies
    ]
    return Line(question="cost anomalies", value="; ".join(found) or "none", note=f"in the bill of {bill.month:%Y-%m}")


def _signals(config: StageConfig, seen: Observed) -> Iterator[Line]:
    following = config.next_stage
    if following is None:
        yield Line(question="triggers of the next stage", value="none: this is the last stage")
    else:
        yield _share("sign-ups", seen.sign_ups, following.sign_ups)
        yield _share("concurrent users", seen.peak_users, following.concurrent_users)
        if following.cache_miss_ratio is not None:
            yield _share("cache misses", seen.cache_miss_ratio, following.cache_miss_ratio, lambda one: f"{one:.1%}")
    busy = seen.gpu_busy_share
    yield Line(
        question="a GPU at 85 % or more",
        value=None if busy is None else f"{busy:.1%} of the time, {busy * seen.days * 24:.1f} h",
    )
    before = seen.before
    yield _trend("API p95", seen.api_p95_seconds, before.api_p95_seconds if before else None, config.slo.api_p95_ms)
    yield _trend("p95 of the wait for an engine", seen.queue_p95_seconds, before.queue_p95_seconds if before else None)


def _actions(config: StageConfig, seen: Observed) -> Iterator[Line]:
    overdrawn = {name: left for name, left in seen.budgets_left.items() if left < 0}
    yield Line(
        question="error budgets",
        value=None
        if not seen.budgets_left
        else "; ".join(f"{name} {left:.0%} left" for name, left in sorted(seen.budgets_left.items())),
        note=f"deploy nothing risky until {', '.join(sorted(overdrawn))} recovers" if overdrawn else "",
    )
    yield Line(
        question="alerts that fired",
        value=", ".join(seen.fired) or (None if seen.sign_ups is None and not seen.budgets_left else "none"),
        note="each has a runbook; one that nobody acted on is changed or removed" if seen.fired else "",
    )
    spent = seen.month_to_date_usd
    if spent is not None and spent > config.budget.usd_per_month * max(config.budget.alert_percent[:-1]) / 100:
        yield Line(question="budget", value=f"{spent:.2f} USD are spent", note="dreamseed cost STAGE --fit BUDGET")


def _next(config: StageConfig, following: StageConfig | None, seen: Observed) -> Iterator[Line]:
    trigger = config.next_stage
    if trigger is None or following is None:
        yield Line(question="expected in", value="never: this is the last stage")
        return
    yield Line(question="expected in", value=_weeks(seen, trigger.sign_ups), note="if sign-ups go on as they did")
    yield Line(
        question="budget it needs",
        value=f"{following.budget.usd_per_month:g} USD a month, {trigger.extra_usd_per_month:g} more",
    )
    needs = {
        "servers": [len(one.servers) for one in (config, following)],
        "GPUs": [sum(server.gpus.count for server in one.servers.values()) for one in (config, following)],
        "GiB of memory a server": [
            max(one.memory_gib for one in each.servers.values()) for each in (config, following)
        ],
    }
    parts = [f"{now} → {then} {what}" for what, (now, then) in needs.items() if now != then]
    due = seen.sign_ups is not None and seen.sign_ups >= NEAR * trigger.sign_ups
    note = "order now: a trigger is near" if due else "dreamseed plan STAGE --from STAGE shows the promotion"
    yield Line(question="preparation it needs", value=", ".join(parts) or "none on the servers", note=note)


def _growth(seen: Observed) -> Iterator[Line]:
    growth = None
    if seen.sign_ups is not None and seen.sign_ups_at_begin:
        growth = seen.sign_ups / seen.sign_ups_at_begin - 1
    yield Line(
        question="growth against target",
        value=None if growth is None else f"{growth:.1%}, target {GROWTH.target:.0%}",
        note="sign-ups over 30 days",
    )
    yield Line(
        question="K",
        value=None if growth is None else f"{1 + growth:.2f}",
        note="the plan's formula, 1 + net growth a month: churn is not counted apart",
    )
    yield Line(question="churn and its causes", value=None, note="nobody measures who leaves, nor why")


def _savings(config: StageConfig) -> Iterator[Line]:
    yield Line(
        question="commitments", value=config.usage.commitment, note="as the stage file says; dreamseed cost prices it"
    )
    yield Line(question="spot", value=f"{config.usage.burst_pricing}, {config.vllm.burst.max_workers} workers at most")


def _weeks(seen: Observed, threshold: int) -> str | None:
    """Return when sign-ups reach a threshold if they multiply as they did in the period."""
    if seen.sign_ups is None or not seen.sign_ups_at_begin:
        return None
    days = days_until(threshold, seen.sign_ups, seen.sign_ups_at_begin, seen.days)
    if not days:
        return "now: the threshold is passed"
    return f"{days / 7:.0f} weeks" if math.isfinite(days) else "never: sign-ups do not grow"


def _share(name: str, value: float | None, threshold: float, shown: Callable[[float], str] = "{:,.0f}".format) -> Line:
    return Line(
        question=name,
        value=None if value is None else f"{shown(value)}, {value / threshold:.0%} of {shown(threshold)}",
        note="near: prepare the next stage" if value is not None and NEAR * threshold <= value else "",
    )


def _trend(name: str, now: float | None, before: float | None, objective_ms: int | None = None) -> Line:
    change = _change(now, before)
    limit = f", objective {objective_ms} ms" if objective_ms else ""
    return Line(
        question=name,
        value=None if now is None else f"{now * 1_000:,.0f} ms{limit}",
        note=f"{change} on the period before" if change else "the period before is unknown",
    )


def _change(now: float | None, before: float | None) -> str | None:
    return None if now is None or not before else f"{now / before - 1:+.0%}"


def _of(spent_usd: float | None, budget_usd: float) -> str | None:
    return None if spent_usd is None else f"{spent_usd:.2f} of {budget_usd:.2f} USD ({spent_usd / budget_usd:.0%})"


def _count(value: float | None) -> str | None:
    return None if value is None else f"{value:,.0f}"

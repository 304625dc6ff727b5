"""Recordings and burn alerts of the objectives, in the multi-window, multi-burn-rate form of the SRE workbook.

The recorded ratios keep their names when a stage's objective changes, so that history survives a promotion.
"""

from __future__ import annotations

from collections.abc import Iterator

from dreamseed.config import StageConfig
from dreamseed.monitoring.model import Alert, Group, Recording
from dreamseed.monitoring.slo import BURN_WINDOWS, PERIOD, BurnWindow, Objective, budget, objectives, plain

TARGET = "slo:objective:ratio"
REMAINING = "slo:error_budget_remaining:ratio"
FAILURES, EVENTS = "slo:failures:rate5m", "slo:events:rate5m"
"""Failed and all events a second: what a month is counted from."""
BUDGET_INTERVAL_SECONDS = 300
"""How often a month is counted through."""


def error_ratio(window: str) -> str:
    """Return the name of the recorded share of failures over a range."""
    return f"slo:error_ratio:rate{window}"


def events(window: str) -> str:
    """Return the name of the recorded number of events in a range."""
    return f"slo:events:increase{window}"


def objectives_group(config: StageConfig) -> Group:
    """Return the recorded ratios and the burn alerts."""
    kept = objectives(config.slo)
    return Group(
        name="objectives",
        recordings=tuple(recording for one in kept for recording in _recordings(one)),
        alerts=tuple(_burn(one, pair) for one in kept for pair in BURN_WINDOWS),
    )


def budgets_group(config: StageConfig) -> Group:
    """Return what is left of each budget, 1 for all and below 0 for overdrawn."""
    return Group(
        name="budgets",
        recordings=tuple(
            Recording(
                name=REMAINING,
                # Over two recorded series: a month of every instance's own would be tens of millions of samples.
                expression=f'1 - avg_over_time({FAILURES}{{slo="{one.name}"}}[{PERIOD}]) '
                f'/ avg_over_time({EVENTS}{{slo="{one.name}"}}[{PERIOD}]) / {plain(budget(one.target))}',
                labels={"slo": one.name},
            )
            for one in objectives(config.slo)
        ),
        interval_seconds=BUDGET_INTERVAL_SECONDS,
    )


def _recordings(one: Objective) -> Iterator[Recording]:
    labels = {"slo": one.name}
    yield Recording(name=TARGET, expression=f"vector({one.target:g})", labels=labels)
    yield Recording(name=FAILURES, expression=one.failed_over("5m"), labels=labels)
    yield Recording(name=EVENTS, expression=one.events_over("5m"), labels=labels)
    for window in dict.fromkeys(window for pair in BURN_WINDOWS for window in (pair.short, pair.long)):
        ratio = f"{one.failed_over(window)} / {one.events_over(window)}"
        yield Recording(name=error_ratio(window), expression=ratio, labels=labels)
    for pair in BURN_WINDOWS:
        count = f"{one.events_over(pair.long)} * {pair.long_hours * 3_600}"
        yield Recording(name=events(pair.long), expression=count, labels=labels)


def _burn(one: Objective, pair: BurnWindow) -> Alert:
    ratio, selector = plain(pair.error_ratio(one.target)), f'{{slo="{one.name}"}}'
    return Alert(
        name=f"{one.alert}Burn{pair.long}",
        # In a quiet night one failure is a large share: the guard asks for as many events as make ten failures.
        expression=f"{error_ratio(pair.long)}{selector} > {ratio} and {error_ratio(pair.short)}{selector} > {ratio} "
        f"and {events(pair.long)}{selector} >= {pair.minimum_events(one.target)}",
        severity=pair.severity,
        component=one.component,
        concern=one.concern,
        owner=one.owner,
        runbook=f"{one.alert}Burn",
        labels={"slo": one.name},
        summary=f"{{{{ $value | humanizePercentage }}}} of requests {one.why_failed} over {pair.long}: the budget of "
        f"{one.target:g} burns {plain(pair.factor)} times too fast",
        action="Find the route, the engine or the dependency that fails; roll back a deployment that began with it.",
    )

"""Objectives as code: error budgets, and how fast one burns before somebody is told.

With objective O the budget is B = 1 − O. A window W that may use the fraction f of a period P's budget alerts at
k = f·P/W times the budget, over W and over W/12 so that it also ends soon. Source: Google SRE workbook, chapter 5;
sloth 0.16, read 2026-08.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal

from dreamseed.config.operations import Slo
from dreamseed.errors import PlanError
from dreamseed.monitoring.contract import EXPORTERS
from dreamseed.monitoring.model import Concern, Owner, Severity

PERIOD_HOURS = 30 * 24
PERIOD = "30d"
MINIMUM_FAILURES = 10
"""Failures in the window before a ratio is believed: at low traffic one would be a large share."""
WINDOW = "WINDOW"
"""Stands for the range in an objective's expressions."""


@dataclass(frozen=True, kw_only=True)
class BurnWindow:
    """A pair of windows in PromQL's notation, with the share of the period's budget that the long one may use."""

    long: str
    short: str
    long_hours: int
    budget_share: Decimal
    severity: Severity

    @property
    def factor(self) -> Decimal:
        """Return k: how many times faster than allowed the budget burns when this window alerts."""
        return self.budget_share * PERIOD_HOURS / self.long_hours

    def error_ratio(self, objective: float) -> Decimal:
        """Return the share of failed requests at which the window alerts, for an objective such as 0.995."""
        return self.factor * budget(objective)

    def minimum_events(self, objective: float) -> int:
        """Return the requests in the long window below which a ratio means fewer than ten failures."""
        return math.ceil(MINIMUM_FAILURES / self.error_ratio(objective))

    def seconds_to_fire(self, objective: float, error_ratio: float) -> float:
        """Return after how many seconds of `error_ratio` the long window alerts; infinite where it never does."""
        at = float(self.error_ratio(objective))
        return math.inf if error_ratio <= at else self.long_hours * 3_600 * at / error_ratio


BURN_WINDOWS = (
    BurnWindow(long="1h", short="5m", long_hours=1, budget_share=Decimal("0.02"), severity=Severity.CRITICAL),
    BurnWindow(long="6h", short="30m", long_hours=6, budget_share=Decimal("0.05"), severity=Severity.CRITICAL),
    BurnWindow(long="1d", short="2h", long_hours=24, budget_share=Decimal("0.10"), severity=Severity.WARNING),
    BurnWindow(long="3d", short="6h", long_hours=72, budget_share=Decimal("0.10"), severity=Severity.WARNING),
)


@dataclass(frozen=True, kw_only=True)
class Objective:
    """A promise over 30 days: of the `events` of a range at most 1 − `target` are among the `failed`.

    Both are PromQL of events per second with WINDOW for the range. `name` is the label `slo`, `alert` the stem of its
    alerts' names, `why_failed` finishes "… of requests".
    """

    name: str
    alert: str
    title: str
    target: float
    failed: str
    events: str
    why_failed: str
    component: str
    concern: Concern
    owner: Owner

    def failed_over(self, window: str) -> str:
        """Return the failed events per second of a range. Without a single failure it is 0, not unknown."""
        return f"({self.failed.replace(WINDOW, window)} or 0 * {self.events_over(window)})"

    def events_over(self, window: str) -> str:
        """Return the events per second of a range."""
        return self.events.replace(WINDOW, window)


def budget(target: float) -> Decimal:
    """Return the share of events that may fail, without binary dust."""
    return 1 - Decimal(str(target))


def objectives(slo: Slo) -> tuple[Objective, ...]:
    """Return the objectives of a stage. Source: the growth plan, section 5.

    Client errors (4xx) are no part of any budget, and `abort` is a client that left. That fewer than `max_5xx_ratio`
    fail is stricter than availability below E; it is a ticket of its own (Api5xxRatio). Raises `PlanError` for a
    latency that no histogram has as a bound.
    """
    return (
        Objective(
            name="api-availability",
            alert="ApiAvailability",
            title="API answers without 5xx",
            target=slo.availability,
            failed=f'sum(rate(http_requests_total{{job="api",status="5xx"}}[{WINDOW}]))',
            events=f'sum(rate(http_requests_total{{job="api"}}[{WINDOW}]))',
            why_failed="were answered with 5xx",
            component="api",
            concern=Concern.AVAILABILITY,
            owner=Owner.BACKEND,
        ),
        _latency(95, slo.api_p95_ms),
        _latency(99, slo.api_p99_ms),
        _generation_latency(slo.generation_p95_ms),
        Objective(
            name="generation-success",
            alert="GenerationSuccess",
            title="Generations that do not fail",
            target=float(budget(slo.max_generation_failure_ratio)),
            failed=f'(sum(rate(vllm:request_success_total{{finished_reason="error"}}[{WINDOW}])) or vector(0)) '
            f"+ (sum(rate(vllm:admission_rejections_total[{WINDOW}])) or vector(0))",
            events=f"(sum(rate(vllm:request_success_total[{WINDOW}])) "
            f"+ (sum(rate(vllm:admission_rejections_total[{WINDOW}])) or vector(0)))",
            why_failed="failed or were refused",
            component="vllm",
            concern=Concern.ERRORS,
            owner=Owner.INFERENCE,
        ),
    )


def _latency(percent: int, milliseconds: int) -> Objective:
    selector = 'job="api",kind="plain"'
    return Objective(
        name=f"api-latency-p{percent}",
        alert=f"ApiLatencyP{percent}",
        title=f"{percent} % of plain API answers within {milliseconds} ms",
        target=percent / 100,
        failed=_slower("http_request_duration_seconds", selector, milliseconds, f"api_p{percent}_ms"),
        events=f"sum(rate(http_request_duration_seconds_count{{{selector}}}[{WINDOW}]))",
        why_failed=f"took longer than {milliseconds} ms",
        component="api",
        concern=Concern.LATENCY,
        owner=Owner.BACKEND,
    )


def _generation_latency(milliseconds: int) -> Objective:
    return Objective(
        name="generation-latency",
        alert="GenerationLatency",
        title=f"95 % of generations within {milliseconds / 1_000:g} s",
        target=0.95,
        failed=_slower("vllm:e2e_request_latency_seconds", "", milliseconds, "generation_p95_ms"),
        events=f"sum(rate(vllm:e2e_request_latency_seconds_count[{WINDOW}]))",
        why_failed=f"took longer than {milliseconds / 1_000:g} s",
        component="vllm",
        concern=Concern.LATENCY,
        owner=Owner.INFERENCE,
    )


def _slower(histogram: str, selector: str, milliseconds: int, key: str) -> str:
    """Return the events per second above a bound of a histogram, whichever way the bound is written.

    Prometheus 3 writes ``5.0`` for what a Go client and an OTLP sender call ``5``. Source: its migration guide. Raises
    `PlanError` for the `key` of the stage file when the histogram has no such bound.
    """
    seconds = milliseconds / 1_000
    bounds = next(metric.bounds for one in EXPORTERS for metric in one.metrics if metric.name == histogram)
    if seconds not in bounds:
        raise PlanError(
            f"slo › {key}",
            f"{milliseconds} ms is no bound of {histogram}",
            "which share of events is slower is counted at the histogram's bounds alone",
            f"one of {', '.join(f'{one * 1_000:g}' for one in bounds)}",
        )
    bound = f'le="{seconds:g}"' if seconds % 1 else f'le=~"{seconds:g}|{seconds:g}[.]0"'
    within = ",".join(filter(None, (selector, bound)))
    every = f"{{{selector}}}" if selector else ""
    return f"(sum(rate({histogram}_count{every}[{WINDOW}])) - sum(rate({histogram}_bucket{{{within}}}[{WINDOW}])))"


def plain(number: Decimal) -> str:
    """Return a decimal without trailing zeros or exponent, as PromQL reads it."""
    return format(number.normalize(), "f")

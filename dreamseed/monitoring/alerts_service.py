"""Alerts on the API's objectives: latency as the plan asks, availability by error-budget burn.

The API measures itself and pushes: Cloud Run's own latency holds whole generation streams, which no 300 ms can judge.
Sources: the growth plan, sections 5 and 6; SRE workbook.
"""

from __future__ import annotations

from dreamseed.config import StageConfig
from dreamseed.monitoring.model import Alert, Group, Recording, Severity
from dreamseed.monitoring.slo import BURN_WINDOWS, MINIMUM_FAILURES, BurnWindow, plain

MINIMUM_REQUESTS = 100
"""Requests in five minutes before a percentile is believed."""
SCALED_TO_ZERO_WINDOW = "1d"
REQUESTS = 'http_requests_total{job="api"}'
FAILURES = 'http_requests_total{job="api",status="5xx"}'


def service_group(config: StageConfig) -> Group:
    """Return the recordings and alerts of the API; objectives come from the stage's `slo`."""
    windows = dict.fromkeys(window for pair in BURN_WINDOWS for window in (pair.short, pair.long))
    return Group(
        name="service",
        # The ratios keep their names when the objective changes, so that history survives a promotion.
        recordings=tuple(Recording(name=_ratio(window), expression=_failed_share(window)) for window in windows),
        alerts=(
            _latency("APIHighLatency", 95, config.slo.api_p95_ms, Severity.CRITICAL),
            _latency("ApiTailLatency", 99, config.slo.api_p99_ms, Severity.WARNING),
            *(_burn(pair, config.slo.availability) for pair in BURN_WINDOWS),
            _failures(config.slo.max_5xx_ratio),
            _silent(config),
        ),
    )


def _ratio(window: str) -> str:
    return f"job:api_err:ratio_rate{window}"


def _failed_share(window: str) -> str:
    # Without a single failure the series does not exist; the share is then 0, not unknown.
    return f"(sum(rate({FAILURES}[{window}])) or 0 * sum(rate({REQUESTS}[{window}]))) / sum(rate({REQUESTS}[{window}]))"


def _latency(name: str, percentile: int, objective_ms: int, severity: Severity) -> Alert:
    seconds = f"{objective_ms / 1_000:g}"
    selector = '{job="api",kind="plain"}'
    return Alert(
        name=name,
        expression=f"histogram_quantile({percentile / 100:g}, "
        f"sum by (le) (rate(http_request_duration_seconds_bucket{selector}[5m]))) > {seconds} "
        f"and sum(increase(http_request_duration_seconds_count{selector}[5m])) > {MINIMUM_REQUESTS}",
        for_seconds=300,
        severity=severity,
        summary=f"API p{percentile} is {{{{ $value | humanizeDuration }}}}, the objective {objective_ms} ms",
        action="Look at Cloud Run's instances, PgBouncer's queue and the cache's hit ratio, in this order.",
    )


def _burn(pair: BurnWindow, objective: float) -> Alert:
    ratio = plain(pair.error_ratio(objective))
    return Alert(
        name=f"ApiErrorBudgetBurn{pair.long}",
        expression=f"{_ratio(pair.long)} > {ratio} and {_ratio(pair.short)} > {ratio} "
        f"and sum(increase({REQUESTS}[{pair.long}])) > {pair.minimum_events(objective)}",
        severity=pair.severity,
        summary=f"{{{{ $value | humanizePercentage }}}} of requests failed over {pair.long}: the {objective:g} budget "
        f"burns {plain(pair.factor)} times too fast",
        action="Find the failing route and its dependency; roll the last deployment back if it began there.",
    )


def _failures(maximum: float) -> Alert:
    return Alert(
        name="Api5xxRatio",
        expression=f"{_ratio('1d')} > {maximum:g} and sum(increase({FAILURES}[1d])) >= {MINIMUM_FAILURES}",
        severity=Severity.WARNING,
        summary=f"{{{{ $value | humanizePercentage }}}} of a day's answers were 5xx, {maximum:g} may be",
        action="An objective of its own beside availability: find the route that fails.",
    )


def _silent(config: StageConfig) -> Alert:
    metric = 'http_request_duration_seconds_count{job="api"}'
    sleeps = config.api.min_instances == 0
    # With no instance kept warm a quiet night is silent; a whole day is not.
    absent = f"absent_over_time({metric}[{SCALED_TO_ZERO_WINDOW}])" if sleeps else f"absent({metric})"
    return Alert(
        name="ApiMetricsMissing",
        expression=absent,
        for_seconds=900,
        severity=Severity.WARNING,
        summary="the API sends no metrics: its latency and its errors are unknown",
        action="Check the API's OTLP endpoint and the tunnel's route to Prometheus.",
    )

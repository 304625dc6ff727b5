"""Alerts on the API: latency as the plan asks, failures, silence.

The API measures itself and pushes: Cloud Run's own latency holds whole generation streams, which no 300 ms can judge.
Sources: the growth plan, sections 5 and 6.
"""

from __future__ import annotations

from dreamseed.config import StageConfig
from dreamseed.monitoring.alerts_slo import error_ratio
from dreamseed.monitoring.model import Alert, Concern, Group, Owner, Severity
from dreamseed.monitoring.slo import MINIMUM_FAILURES

MINIMUM_REQUESTS = 100
"""Requests in five minutes before a percentile is believed."""
SCALED_TO_ZERO_WINDOW = "1d"
TAIL_ALERT = "ApiTailLatency"
"""By which the autoscaler keeps more instances warm."""
PLAIN = '{job="api",kind="plain"}'
FAILURES = 'http_requests_total{job="api",status="5xx"}'


def service_group(config: StageConfig) -> Group:
    """Return the alerts of the API; objectives come from the stage's `slo`."""
    return Group(
        name="service",
        alerts=(
            _latency("APIHighLatency", 95, config.slo.api_p95_ms, Severity.CRITICAL),
            _latency(TAIL_ALERT, 99, config.slo.api_p99_ms, Severity.WARNING),
            _failures(config.slo.max_5xx_ratio),
            _silent(config),
        ),
    )


def percentile_seconds(percentile: int) -> str:
    """Return the expression of a percentile of plain routes' latency in five minutes, in seconds."""
    return (
        f"histogram_quantile({percentile / 100:g}, sum by (le) (rate(http_request_duration_seconds_bucket{PLAIN}[5m])))"
    )


def _latency(name: str, percentile: int, objective_ms: int, severity: Severity) -> Alert:
    seconds = f"{objective_ms / 1_000:g}"
    return Alert(
        name=name,
        expression=f"{percentile_seconds(percentile)} > {seconds} "
        f"and sum(increase(http_request_duration_seconds_count{PLAIN}[5m])) > {MINIMUM_REQUESTS}",
        for_seconds=300,
        severity=severity,
        component="api",
        concern=Concern.LATENCY,
        owner=Owner.BACKEND,
        summary=f"API p{percentile} is {{{{ $value | humanizeDuration }}}}, the objective {objective_ms} ms",
        action="Look at Cloud Run's instances, PgBouncer's queue and the cache's hit ratio, in this order.",
    )


def _failures(maximum: float) -> Alert:
    return Alert(
        name="Api5xxRatio",
        expression=f'{error_ratio("1d")}{{slo="api-availability"}} > {maximum:g} '
        f"and on () sum(increase({FAILURES}[1d])) >= {MINIMUM_FAILURES}",
        severity=Severity.WARNING,
        component="api",
        concern=Concern.ERRORS,
        owner=Owner.BACKEND,
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
        component="api",
        concern=Concern.AVAILABILITY,
        owner=Owner.BACKEND,
        summary="the API sends no metrics: its latency and its errors are unknown",
        action="Check the API's OTLP endpoint and the tunnel's route to Prometheus.",
    )

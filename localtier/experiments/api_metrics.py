"""The metrics that the API must push, pushed in its place: made-up users who are served well.

The API is no part of this repository, so a tier has none; without its metrics every panel and alert on it would be
empty. Source of the form: OpenTelemetry protocol 1.x, JSON over HTTP, metrics; Prometheus' OTLP receiver takes it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from dreamseed.monitoring.contract import EXPORTERS, Job, Kind
from dreamseed.planning.services.tunnel import METRICS_INTAKE
from dreamseed.planning.stage_plan import StagePlan
from localtier.experiments.beside import beside

EVERY_SECONDS = 5.0
REQUESTS_PER_SECOND = {
    ("2xx", "plain"): 20.0,
    ("4xx", "plain"): 0.1,
    ("5xx", "plain"): 0.01,
    ("2xx", "generation"): 2.0,
}
"""By class of status and kind; the shares of 4xx and 5xx are half of what the plan's objectives allow."""
SECONDS = {"plain": 0.1, "generation": 2.5}
"""How long each request takes: one of the histogram's bounds."""
CUMULATIVE = 2


def pushed(plan: StagePlan, began_ns: int, now_ns: int) -> dict[str, Any]:
    """Return what the API says at `now_ns` (nanoseconds since 1970) after serving its users since `began_ns`."""
    span = {"startTimeUnixNano": str(began_ns), "timeUnixNano": str(now_ns)}
    seconds = (now_ns - began_ns) / 1e9
    capacity = plan.config.service.capacity
    gauges = {"edu_concurrent_users": capacity.concurrent_users // 2, "edu_signups": capacity.sign_ups // 2}
    metrics: list[dict[str, Any]] = [
        {"name": name, "gauge": {"dataPoints": [{**span, "asDouble": float(value)}]}} for name, value in gauges.items()
    ]
    served = {both: int(rate * seconds) for both, rate in REQUESTS_PER_SECOND.items()}
    counts = [
        {**span, "asDouble": float(count), "attributes": _attributes(status=status, kind=kind)}
        for (status, kind), count in served.items()
    ]
    # The receiver itself writes _total behind a counter's name.
    total = {"dataPoints": counts, "aggregationTemporality": CUMULATIVE, "isMonotonic": True}
    metrics.append({"name": "http_requests", "sum": total})
    times = [_times(span, kind, sum(count for both, count in served.items() if both[1] == kind)) for kind in SECONDS]
    metrics.append(
        {
            "name": "http_request_duration_seconds",
            "histogram": {"dataPoints": times, "aggregationTemporality": CUMULATIVE},
        }
    )
    resource = {"attributes": _attributes(**{"service.name": Job.API.value, "service.instance.id": "made-up"})}
    return {"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": metrics}]}]}


@contextmanager
def pushing(plan: StagePlan, prometheus: str, run: Callable[[Callable[[], None]], None]) -> Iterator[None]:
    """Push to the Prometheus at the URL `prometheus` until the block ends.

    `run` runs a function where that URL leads there. What cannot be pushed shows as an alert on missing metrics.
    """
    began = time.time_ns()

    def push(over: threading.Event) -> None:
        with httpx.Client(base_url=prometheus, trust_env=False, timeout=30) as client:
            while not over.wait(EVERY_SECONDS):
                try:
                    client.post(METRICS_INTAKE, json=pushed(plan, began, time.time_ns())).raise_for_status()
                except httpx.HTTPError:
                    continue

    with beside(lambda over: run(lambda: push(over))):
        yield


def bounds() -> tuple[float, ...]:
    """Return the bounds of the API's latency that the contract asks for."""
    metrics = next(one.metrics for one in EXPORTERS if one.job is Job.API)
    return next(metric.bounds for metric in metrics if metric.kind is Kind.HISTOGRAM)


def _times(span: dict[str, str], kind: str, count: int) -> dict[str, Any]:
    counts = [0] * (len(bounds()) + 1)
    counts[bounds().index(SECONDS[kind])] = count
    return {
        **span,
        "attributes": _attributes(kind=kind),
        "count": str(count),
        "sum": count * SECONDS[kind],
        "explicitBounds": list(bounds()),
        "bucketCounts": [str(one) for one in counts],
    }


def _attributes(**values: str) -> list[dict[str, Any]]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in values.items()]

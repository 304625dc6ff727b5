"""Telling a Prometheus of the newest drills, by OTLP as the API does: what it shows and alerts on is what gates read.

A pushed value is a series for five minutes; rules and panels look back for it. Source: Prometheus documentation,
OpenTelemetry guide; OTLP 1, JSON encoding.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import httpx

from dreamseed.errors import DreamSeedError
from dreamseed.facts.drill import DrillFact
from dreamseed.monitoring.contract import Job
from dreamseed.planning.services.tunnel import METRICS_INTAKE

TIMEOUT_SECONDS = 30


def publish_drills(
    url: str, drills: Iterable[DrillFact], now: datetime, transport: httpx.BaseTransport | None = None
) -> tuple[str, ...]:
    """Tell the Prometheus at `url` of the newest of `drills` for each stage; return the stages, in order.

    Raises `DreamSeedError` when it does not take them, or when there is none.
    """
    newest = newest_drills(drills)
    if not newest:
        raise DreamSeedError(
            "facts/drills",
            "holds no signed drill that is what it claims",
            "Prometheus is told what gates read, and nothing else",
            "dreamseed drill loss stage-x --key KEY; dreamseed gate says why a file is refused",
        )
    metrics = [metric for fact, passed in newest for metric in _metrics(fact, passed, now)]
    content = {
        "resourceMetrics": [
            {
                "resource": {"attributes": [_attribute("service.name", Job.DRILL.value)]},
                "scopeMetrics": [{"metrics": metrics}],
            }
        ]
    }
    try:
        with httpx.Client(base_url=url, timeout=TIMEOUT_SECONDS, transport=transport) as client:
            client.post(METRICS_INTAKE, json=content).raise_for_status()
    except httpx.HTTPError as error:
        raise DreamSeedError(
            url, f"does not take metrics: {error}", "drills are pushed by OTLP", "the URL of a stage's Prometheus"
        ) from error
    return tuple(fact.stage.value for fact, _ in newest)


def newest_drills(drills: Iterable[DrillFact]) -> tuple[tuple[DrillFact, datetime | None], ...]:
    """Return the newest drill of each stage, and when one of that stage last passed with no row missing."""
    by_stage: dict[str, list[DrillFact]] = {}
    for fact in sorted(drills, key=lambda one: one.taken_at):
        by_stage.setdefault(fact.stage.value, []).append(fact)
    return tuple(
        (facts[-1], max((one.taken_at for one in facts if one.passed and not one.missing_rows), default=None))
        for _, facts in sorted(by_stage.items())
    )


def _metrics(fact: DrillFact, passed: datetime | None, now: datetime) -> Iterator[dict[str, Any]]:
    values = {
        "restore_drill_taken_timestamp_seconds": fact.taken_at.timestamp(),
        "restore_drill_passed_timestamp_seconds": passed.timestamp() if passed else 0.0,
        "restore_drill_rpo_seconds": fact.rpo_seconds,
        "restore_drill_rto_seconds": fact.rto_seconds,
        "restore_drill_mb_per_second": fact.restore_mb_per_second,
    }
    for name, value in values.items():
        if value is not None:
            point = {
                "attributes": [_attribute("stage", fact.stage.value)],
                "timeUnixNano": str(int(now.timestamp() * 1e9)),
                "asDouble": value,
            }
            yield {"name": name, "gauge": {"dataPoints": [point]}}


def _attribute(key: str, value: str) -> dict[str, Any]:
    return {"key": key, "value": {"stringValue": value}}

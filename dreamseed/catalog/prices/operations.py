"""What watching and running costs at Google: logs, alert conditions, the clock."""

from __future__ import annotations

from functools import partial

from dreamseed.catalog.prices import sources
from dreamseed.catalog.prices.model import Confidence, Price, between, flat

_row = partial(Price, vendor="Google Cloud")

PRICES = (
    _row(
        service="Cloud Logging",
        sku="logging-ingested",
        unit="GiB",
        tiers=flat(0.50),
        free_quantity=50,
        source=sources.LOGGING,
        confidence=Confidence.MEDIUM,
    ),
    _row(
        service="Cloud Monitoring",
        sku="alert-condition",
        unit="condition-month",
        tiers=between(0, 0.10, 1.50),
        source=sources.ALERTING,
        confidence=Confidence.LOW,
        note="free until charging begins; 1.50 was announced first, 0.10 is recalled",
    ),
    _row(
        service="Cloud Monitoring",
        sku="alert-series",
        unit="million series",
        tiers=between(0, 0.35, 0.35),
        source=sources.ALERTING,
        confidence=Confidence.LOW,
        note="time series that alert conditions return, one an evaluation at least",
    ),
    _row(
        service="Cloud Monitoring",
        sku="uptime-check",
        unit="1,000 executions",
        tiers=flat(0.30),
        free_quantity=1_000,
        source=sources.RECALLED,
        confidence=Confidence.LOW,
        note="a million executions a project are free, recalled",
    ),
    _row(
        service="Cloud Scheduler",
        sku="scheduler-job",
        unit="job-month",
        tiers=flat(0.10),
        free_quantity=3,
        source=sources.SCHEDULER,
        confidence=Confidence.MEDIUM,
    ),
)

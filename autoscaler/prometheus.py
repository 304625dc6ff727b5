"""What Prometheus says: one instant query a signal. A signal that cannot be read is null, which changes nothing.

Only the owners' engines are scraped: a worker is reached through the tunnel alone. What it takes off them shows in
theirs.
"""

from __future__ import annotations

import math

import httpx

from autoscaler.records import Observation
from autoscaler.settings import Queries

TIMEOUT_SECONDS = 5.0


def observe(client: httpx.Client, queries: Queries) -> Observation:
    """Return one sample; each signal alone may be missing."""
    return Observation.model_validate(
        {name: value(client, expression) for name, expression in queries.model_dump().items()}
    )


def value(client: httpx.Client, expression: str) -> float | None:
    """Return the one value of an instant query, or null."""
    try:
        answer = client.get("/api/v1/query", params={"query": expression}, timeout=TIMEOUT_SECONDS)
        answer.raise_for_status()
        (series,) = answer.json()["data"]["result"]
        value = float(series["value"][1])
    except (httpx.HTTPError, ValueError, KeyError, TypeError, IndexError):
        return None
    return value if math.isfinite(value) else None

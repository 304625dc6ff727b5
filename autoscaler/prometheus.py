"""What Prometheus says: one instant query a signal. A signal that cannot be read is null, which changes nothing.

Only the owners' engines are scraped: a worker is reached through the tunnel alone. What it takes off them shows in
theirs.
"""

from __future__ import annotations

import math

import httpx
from pydantic import Field

from autoscaler.policy import Exact
from autoscaler.records import Observation

TIMEOUT_SECONDS = 5.0
FIRST_ANSWER_SECONDS = (
    "sum(rate(vllm:time_to_first_token_seconds_sum[1m])) "
    "/ (sum(rate(vllm:time_to_first_token_seconds_count[1m])) > 0) or vector(0)"
)
"""0 where none was answered in a minute, so that an idle fleet is not an unknown one."""


class Queries(Exact):
    """The PromQL of each signal. `headroom_usd` has no default: it holds the stage's own limit."""

    taken_at: str = "min(timestamp(vllm:num_requests_running))"
    kv_cache_usage: str = "avg(vllm:kv_cache_usage_perc)"
    running: str = "sum(vllm:num_requests_running)"
    waiting: str = "sum(vllm:num_requests_waiting)"
    first_token_seconds: str = FIRST_ANSWER_SECONDS
    headroom_usd: str = Field(min_length=1)


def observe(client: httpx.Client, queries: Queries) -> Observation:
    """Return one sample; each signal alone may be missing."""
    return Observation.model_validate(
        {name: _value(client, expression) for name, expression in queries.model_dump().items()}
    )


def _value(client: httpx.Client, expression: str) -> float | None:
    """Return the one value of an instant query, or null."""
    try:
        answer = client.get("/api/v1/query", params={"query": expression}, timeout=TIMEOUT_SECONDS)
        answer.raise_for_status()
        (series,) = answer.json()["data"]["result"]
        value = float(series["value"][1])
    except (httpx.HTTPError, ValueError, KeyError, TypeError, IndexError):
        return None
    return value if math.isfinite(value) else None

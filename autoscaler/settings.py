"""The file that the daemon is told everything by; `dreamseed autoscaler settings` writes it for a stage."""

from __future__ import annotations

from pydantic import Field

from autoscaler.bounds import BoundsPolicy
from autoscaler.policy import Exact, Policy

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


class BoundsQueries(Exact):
    """The PromQL of each signal of the API's bounds; see `autoscaler.bounds.BoundsObservation`."""

    taken_at: str = Field(min_length=1)
    firing: str = Field(min_length=1)
    tail_seconds: str = Field(min_length=1)
    headroom_usd: str = Field(min_length=1)


class Bounds(Exact):
    """The API's bounds: how they move, what is asked, and the Cloud Run service by its full name."""

    policy: BoundsPolicy
    queries: BoundsQueries
    service: str = Field(pattern=r"^projects/[^/]+/locations/[^/]+/services/[^/]+$")


class Settings(Exact):
    """Policy, queries, and where workers are made: the project, and the template as its self link.

    Without `bounds` Cloud Run scales by its own settings alone.
    """

    policy: Policy
    queries: Queries
    project: str = Field(min_length=1)
    template: str = Field(min_length=1)
    bounds: Bounds | None = None

"""What an autoscaler sees of a simulated fleet, and what it answers: how many spot workers there should be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The fleet at one moment: what its metrics say. Rates and means are of the last minute, `now` is in seconds.

    `owned` and `ready` count engines, `ready` those of workers that serve, too; `ordered` counts all workers that were
    asked for. `concurrency` holds the requests in flight of the last minute, one sample each 2 s, newest last.
    """

    now: float
    owned: int
    ready: int
    ordered: int
    running: int
    waiting: int
    kv_cache_usage: float
    first_token_seconds: float
    requests_per_second: float
    concurrency: list[int]


class Scaler(Protocol):
    """An autoscaler; `seconds` is how often it decides."""

    name: str
    seconds: float

    def workers(self, seen: Seen) -> int:
        """Return how many spot workers there should be, from 0 to 2."""

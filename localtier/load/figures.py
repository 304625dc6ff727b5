"""What a ledger says: counts, errors, latencies, and the longest time without a success."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from localtier.load.ledger import Event, Outcome


@dataclass(frozen=True, kw_only=True)
class Gap:
    """The longest time between two successes of a lane; `since` is the one before it (ISO 8601, UTC)."""

    seconds: float
    since: str
    lane: str


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What a client did in a span of time. Latencies in seconds, of what succeeded; null without any."""

    attempts: int
    succeeded: int
    failed: int
    in_doubt: int
    lost: int
    retries: int
    errors: Mapping[str, int]
    longest_gap: Gap | None
    p50_seconds: float | None
    p99_seconds: float | None
    first_p50_seconds: float | None
    first_p99_seconds: float | None


def figures_of(events: Iterable[Event], since: float = -math.inf, until: float = math.inf) -> Figures:
    """Return the figures of the events between two times (seconds since 1970)."""
    every = sorted(events, key=lambda event: event.time)
    within = [event for event in every if since <= event.time <= until]
    counts = Counter(event.outcome for event in within)
    succeeded = [event for event in within if event.outcome is Outcome.OK]
    latencies = sorted(event.seconds for event in succeeded if event.seconds is not None)
    firsts = sorted(event.first_seconds for event in succeeded if event.first_seconds is not None)
    outcomes = (Outcome.OK, Outcome.FAILED, Outcome.IN_DOUBT, Outcome.LOST)
    return Figures(
        attempts=sum(counts[outcome] for outcome in outcomes),
        succeeded=counts[Outcome.OK],
        failed=counts[Outcome.FAILED],
        in_doubt=counts[Outcome.IN_DOUBT],
        lost=counts[Outcome.LOST],
        retries=sum(event.retries for event in within),
        errors=dict(Counter(event.error for event in within if event.error is not None)),
        longest_gap=longest_gap(every, since, until),
        p50_seconds=_quantile(latencies, 0.5),
        p99_seconds=_quantile(latencies, 0.99),
        first_p50_seconds=_quantile(firsts, 0.5),
        first_p99_seconds=_quantile(firsts, 0.99),
    )


def longest_gap(events: Iterable[Event], since: float = -math.inf, until: float = math.inf) -> Gap | None:
    """Return the longest time without a success of any lane, cut to the span; null before the first success.

    A gap runs from one success to the next attempt that succeeds, or to the last event of all lanes when none does.
    The time between STOP and START counts for no lane. `events` are in order of time.
    """
    last: dict[str, float] = {}
    longest: Gap | None = None
    newest = -math.inf

    def close(lane: str, end: float) -> None:
        nonlocal longest
        begin = max(last[lane], since)
        seconds = min(end, until) - begin
        if seconds > (longest.seconds if longest else 0):
            longest = Gap(seconds=round(seconds, 4), since=_iso(last[lane]), lane=lane)

    for event in events:
        newest = event.time
        if event.outcome is Outcome.OK:
            if event.lane in last:
                close(event.lane, event.time)
            last[event.lane] = event.time
        elif event.outcome in (Outcome.STOP, Outcome.START):
            for lane in last:
                close(lane, event.time if event.outcome is Outcome.STOP else last[lane])
            last.clear()
    for lane in last:
        close(lane, newest)
    return longest


def _quantile(values: Sequence[float], share: float) -> float | None:
    return round(values[min(len(values) - 1, math.ceil(share * len(values)) - 1)], 4) if values else None


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")

"""The spend guard: what workers have cost, what is committed, and whether one more may be bought.

Every figure is the worst case. A worker's hour costs what its zone's price can rise to, and it counts from the request
until its label's expiry, by which its machine has deleted itself without anybody's help. So what is spent can never
pass what was checked here, whatever the traffic, the cloud or this daemon do afterwards.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from math import isfinite

from autoscaler.policy import Policy, Zone
from autoscaler.records import Ledger, Observation, State, Worker

HOUR = 3_600.0
DAY = 86_400.0
ROUNDING_USD = 1e-9


@lru_cache(maxsize=64)
def month_of(day: int) -> str:
    """Return the month, such as ``2026-11``, of a day counted from 1970 (UTC)."""
    return f"{datetime.fromtimestamp(day * DAY, UTC):%Y-%m}"


def turned(ledger: Ledger, now: float) -> Ledger:
    """Return the ledger of `now`'s day and month; workers that live on count whole in the new ones, too."""
    day = int(now // DAY)
    if day == ledger.day:
        return ledger
    month = month_of(day)
    return Ledger(month=month, month_usd=ledger.month_usd if month == ledger.month else 0.0, day=day)


def spent(cap_usd: float, now: float) -> Ledger:
    """Return the ledger of a month of which nobody knows the cost: it counts as spent, up to the cap."""
    return turned(Ledger(), now).model_copy(update={"month_usd": cap_usd})


def settled(ledger: Ledger, worker: Worker, ended_at: float) -> Ledger:
    """Return the ledger with a worker that is gone: it cost what it took until `ended_at`, at most until its end."""
    hours = max(0.0, min(ended_at, worker.expires_at) - worker.requested_at) / HOUR
    return ledger.model_copy(
        update={
            "month_usd": ledger.month_usd + hours * worker.usd_per_hour,
            "day_hours": ledger.day_hours + hours,
        }
    )


def committed_usd(workers: tuple[Worker, ...]) -> float:
    """Return what the workers cost if each runs to its end."""
    return sum((one.expires_at - one.requested_at) / HOUR * one.usd_per_hour for one in workers)


def expiry(state: State, policy: Policy, now: float) -> float:
    """Return when a worker requested now must be gone: after its longest run, or when the episode is over."""
    began = state.episode_began_at if state.episode_began_at is not None else now
    return min(now + policy.life.max_run_seconds, began + policy.spending.max_hours_per_episode * HOUR)


def cheapest_zone(state: State, policy: Policy, now: float) -> Zone | None:
    """Return the cheapest zone with a fresh price and no recent stock-out; equal prices keep the policy's order."""
    empty = {name for name, until in state.stock_outs if until > now}
    usable = [
        (zone.usd_per_hour, place)
        for place, zone in enumerate(policy.zones)
        if zone.usd_per_hour is not None and now <= zone.price_expires_at and zone.name not in empty
    ]
    return policy.zones[min(usable)[1]] if usable else None


def refusal(state: State, observation: Observation, policy: Policy, zone: Zone | None, now: float) -> str | None:
    """Return why no worker may be bought in `zone` now, or null."""
    spending, life = policy.spending, policy.life
    if len(state.workers) >= policy.max_workers:
        return f"{len(state.workers)} of {policy.max_workers} workers are there"
    if now < state.broken_until:
        return f"{spending.failures_to_break} launches failed: none is tried for {state.broken_until - now:.0f} s"
    if zone is None or zone.usd_per_hour is None:
        return "no zone has both a fresh price and stock"
    ends = expiry(state, policy, now)
    useful = life.start_allowance_seconds + life.cold_start_seconds + life.min_serving_seconds + life.drain_seconds
    if ends - now < useful:
        return "the episode is over before another worker is of use"
    hours = (ends - now) / HOUR
    worker_hours = state.ledger.day_hours + sum((one.expires_at - one.requested_at) / HOUR for one in state.workers)
    if worker_hours + hours > spending.max_worker_hours_per_day + ROUNDING_USD:
        return f"{worker_hours:.1f} of {spending.max_worker_hours_per_day:g} worker-hours of the day are taken"
    headroom = observation.headroom_usd
    if headroom is None or not isfinite(headroom):
        return "what the budget leaves is unknown"
    limit = min(spending.cap_usd_per_month, headroom)
    total = state.ledger.month_usd + committed_usd(state.workers) + hours * zone.usd_per_hour
    if total > limit + ROUNDING_USD:
        return f"the month's workers could cost {total:.2f} USD, {max(0.0, limit):.2f} may be spent"
    return None

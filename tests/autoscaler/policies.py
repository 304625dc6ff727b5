"""Policies and samples that tests begin with."""

from __future__ import annotations

from typing import Any

from autoscaler.policy import Policy, Purchase, Spending, Zone
from autoscaler.records import Inventory, Observation

NOW = 1_790_000_000.0
ZONES = (
    Zone(name="us-central1-a", usd_per_hour=0.9, price_expires_at=1e10),
    Zone(name="us-central1-b", usd_per_hour=0.8, price_expires_at=1e10),
    Zone(name="us-central1-c", usd_per_hour=1.0, price_expires_at=1e10),
)


def policy(**changes: Any) -> Policy:
    """Return a policy of a fleet of 60,000 tokens and workers of 8,384."""
    base: dict[str, Any] = {
        "owner": "dreamseed-burst",
        "max_workers": 2,
        "owned_kv_tokens": 60_000,
        "worker_kv_tokens": 8_384,
        "zones": ZONES,
        "spending": Spending(cap_usd_per_month=40),
        "purchase": Purchase(card="rtx-5090", usd=1_999, lead_days=14),
    }
    return Policy(**(base | changes))


def sample(now: float = NOW, **changes: Any) -> Observation:
    """Return a sample that asks for nothing, with an empty list of the cloud's."""
    base: dict[str, Any] = {
        "taken_at": now,
        "kv_cache_usage": 0.7,
        "running": 10.0,
        "waiting": 2.0,
        "first_token_seconds": 2.0,
        "headroom_usd": 1_000.0,
        "inventory": Inventory(taken_at=now),
    }
    return Observation(**(base | changes))


def busy(now: float = NOW, **changes: Any) -> Observation:
    """Return a sample that asks for one more."""
    return sample(now, **({"kv_cache_usage": 0.95, "waiting": 30.0} | changes))


def idle(now: float = NOW, **changes: Any) -> Observation:
    """Return a sample that asks for one fewer."""
    return sample(now, **({"kv_cache_usage": 0.2, "waiting": 0.0, "first_token_seconds": 0.3} | changes))

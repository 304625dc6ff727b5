"""Plans as plain values, in the order of their fields, so that two runs write the same text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from pydantic import BaseModel

from dreamseed.planning.departures import departures
from dreamseed.planning.invariants import check_invariants
from dreamseed.planning.promotion import Promotion
from dreamseed.planning.services.monitoring import plan_series
from dreamseed.planning.stage_plan import StagePlan
from dreamseed.planning.survivability import survivability


def plan_as_json(plan: StagePlan) -> dict[str, Any]:
    """Return the whole plan, its invariants, what it survives and where it departs from the growth plan.

    Files of containers hold the names of secrets in ``⟦…⟧``, never a secret.
    """
    computed = {
        "invariants": check_invariants(plan),
        "survivability": survivability(plan),
        "departures": departures(plan),
        "sent_series": plan_series(plan.config, plan.hosts, plan.services),
    }
    return {**_plain(plan), **_plain(computed)}


def promotion_as_json(promotion: Promotion) -> dict[str, Any]:
    """Return everything that the promotion does."""
    return dict(_plain(promotion))


def _plain(value: Any) -> Any:
    """Return `value` as mappings, lists, texts, numbers, true, false and null."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(_plain(key)): _plain(part) for key, part in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(map(_plain, value))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(part) for part in value]
    if isinstance(value, Enum):
        return value.value
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)

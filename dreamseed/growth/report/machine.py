"""A forecast as plain values, in the order of their fields: the same request writes the same text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date
from enum import Enum
from typing import Any

from dreamseed.growth.forecast import Forecast
from dreamseed.growth.models import MEANING_OF_K

ENDLESS = "infinite"
"""What stands for an infinite number, which JSON does not have: a runway without loss, a ratio without churn."""


def forecast_as_json(shown: Forecast) -> dict[str, Any]:
    """Return the whole forecast; numbers are not rounded, days are ISO 8601, what is unknown or never is null."""
    values = {field.name: _plain(getattr(shown, field.name)) for field in fields(shown)}
    values["kpis"] = [{**_plain(kpi.target), "value": _plain(kpi.value), "met": kpi.met} for kpi in shown.kpis]
    values["meaning_of_k"] = MEANING_OF_K[shown.request.model]
    return values


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(part) for part in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and math.isinf(value):
        return ENDLESS
    return value

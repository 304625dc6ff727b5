"""Numbers as people read them: one place."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date

NEVER = "never"
UNKNOWN = "unknown"
MILLIONS_FROM = 1e8
"""From here on whole millions are shown."""


def count(value: float | None) -> str:
    """Return a count, `never` for None."""
    return NEVER if value is None else _whole(value)


def _whole(value: float) -> str:
    return f"{value:,.0f}" if abs(value) < MILLIONS_FROM else f"{value / 1e6:,.0f} M"


def usd(value: float | None) -> str:
    """Return an amount: whole USD from 100, cents below, more digits below ten cents."""
    if value is None:
        return UNKNOWN
    size = abs(value)
    if size >= 100:
        return _whole(value)
    digits = 2 if size >= 0.1 or size == 0 else 5
    return f"{value:,.{digits}f}"


def percent(value: float | None, digits: int = 1) -> str:
    """Return a ratio as a percentage."""
    return UNKNOWN if value is None else f"{value:,.{digits}%}".replace("%", " %")


def times(value: float | None) -> str:
    """Return a factor, `no end` when it is infinite."""
    if value is None:
        return UNKNOWN
    return "no end" if math.isinf(value) else f"{value:,.1f}×"


def months(value: float | None) -> str:
    """Return a number of months, `no end` when it is infinite."""
    if value is None:
        return UNKNOWN
    return "no end" if math.isinf(value) else f"{value:,.1f} months"


def three(values: Iterable[float | date | None]) -> str:
    """Return percentiles beside each other."""
    return " / ".join(
        NEVER if value is None else f"{value:,.0f}" if isinstance(value, float) else str(value) for value in values
    )


def measured(value: float | None, unit: str) -> str:
    """Return a value of a KPI in its unit: %, USD, × or months, and plain for any other."""
    shown = {"%": percent, "USD": usd, "×": times, "months": months}
    if unit in shown:
        return shown[unit](value)
    return UNKNOWN if value is None else f"{value:g}"

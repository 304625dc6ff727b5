"""Go's duration texts and Docker's nanoseconds."""

from __future__ import annotations

import re

from rehearsal.providers.judge.suppress import UNITS

NANOSECONDS_PER_SECOND = 10**9


def to_nanoseconds(text: str | None) -> int:
    """`1m30s` as nanoseconds; nothing is zero."""
    parts = re.findall(r"([\d.]+)(ns|us|µs|ms|s|m|h)", text or "")
    return round(sum(float(number) * UNITS[unit] for number, unit in parts) * NANOSECONDS_PER_SECOND)


def from_nanoseconds(nanoseconds: int) -> str:
    """Nanoseconds as Go writes them: `1m30s`, `500ms`, `0s`."""
    if 0 < nanoseconds < NANOSECONDS_PER_SECOND:
        return f"{nanoseconds / 10**6:g}ms"
    minutes, rest = divmod(nanoseconds, 60 * NANOSECONDS_PER_SECOND)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{rest // NANOSECONDS_PER_SECOND}"
    fraction = rest % NANOSECONDS_PER_SECOND
    seconds += f".{fraction:09d}".rstrip("0") if fraction else ""
    if hours:
        return f"{hours}h{minutes}m{seconds}s"
    return f"{minutes}m{seconds}s" if minutes else f"{seconds}s"

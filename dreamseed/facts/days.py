"""Local calendar days and months: a day has 23, 24 or 25 hours, and both of its ends are real moments."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the moments, in UTC, at which `day` begins and ends in `zone`."""
    begin, end = (datetime.combine(each, time.min, zone).astimezone(UTC) for each in (day, day + timedelta(days=1)))
    return begin, end


def last_full_day(now: datetime, zone: ZoneInfo) -> date:
    """Return the newest day that is over at the moment `now`."""
    return now.astimezone(zone).date() - timedelta(days=1)


def days_until(last: date, number: int) -> tuple[date, ...]:
    """Return the `number` days that end with `last`, oldest first."""
    return tuple(last - timedelta(days=back) for back in reversed(range(number)))


def month_ends(last: date, number: int) -> tuple[date, ...]:
    """Return the last days of the `number` newest months that are over when the day `last` is, oldest first."""
    ends: list[date] = []
    first = (last + timedelta(days=1)).replace(day=1)
    for _ in range(number):
        ends.append(first - timedelta(days=1))
        first = ends[-1].replace(day=1)
    return tuple(reversed(ends))

"""Days of a month: what each cost, what the month will have cost, and which days stand out.

A charge is spread evenly over its period, so that a fee for the whole month counts for each of its days. The forecast
is linear: what the elapsed days cost, for as many days as the month has. It knows no seasons and no week-ends.
"""

from __future__ import annotations

import calendar
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import median

from dreamseed.cost.actuals.focus import Bill, Charge

DAY = timedelta(days=1)
MAD_FACTOR = 3.5 / 0.6745
"""k: a day stands out above median + k × MAD, the median absolute deviation; about 5.19.

It is a modified z-score of 3.5. Source: Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993.
"""
LEAST_DAYS = 7
"""With fewer days nothing is said to stand out: a choice."""
LEAST_USD = 1.0
"""What stands out is at least so far above the median; equal days have no deviation at all. A choice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Anomaly:
    """A day on which a service cost more than `limit_usd`, its median + k × MAD."""

    day: date
    usd: float
    median_usd: float
    limit_usd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """Effective USD of each elapsed day, one after the other, and of what is charged once, in a month of `in_month`."""

    month: date
    in_month: int
    usd: tuple[float, ...]
    once_usd: float

    @property
    def to_date_usd(self) -> float:
        """Return what the elapsed days cost, with what was charged once."""
        return math.fsum(self.usd) + self.once_usd

    @property
    def forecast_usd(self) -> float:
        """Return what the whole month will have cost at the rate of the elapsed days."""
        return math.fsum(self.usd) * self.in_month / len(self.usd) + self.once_usd

    @property
    def anomalies(self) -> tuple[Anomaly, ...]:
        """Return the days that stand out."""
        if len(self.usd) < LEAST_DAYS:
            return ()
        middle = median(self.usd)
        limit = middle + max(LEAST_USD, MAD_FACTOR * median(abs(usd - middle) for usd in self.usd))
        return tuple(
            Anomaly(day=self.month + DAY * number, usd=usd, median_usd=middle, limit_usd=limit)
            for number, usd in enumerate(self.usd)
            if usd > limit
        )


def days_in(month: date) -> int:
    """Return how many days the month of `month` has."""
    return calendar.monthrange(month.year, month.month)[1]


def elapsed_days(bill: Bill) -> int:
    """Return how many days of the month the bill covers.

    The last charge of a day or less tells; a bill of longer charges alone is taken as complete.
    """
    fine = [charge.end for charge in bill.charges if charge.end - charge.start <= DAY]
    if not fine:
        return days_in(bill.month)
    return min(days_in(bill.month), math.ceil((max(fine) - _midnight(bill.month)) / DAY))


def days_of(charges: Sequence[Charge], bill: Bill) -> Days:
    """Return what `charges` of `bill` cost day by day, as far as the bill goes."""
    elapsed = elapsed_days(bill)
    midnights = [_midnight(bill.month) + DAY * number for number in range(elapsed)]
    running = [charge for charge in charges if not charge.one_time]
    return Days(
        month=bill.month,
        in_month=days_in(bill.month),
        usd=tuple(math.fsum(_on(charge, midnight) for charge in running) for midnight in midnights),
        once_usd=math.fsum(charge.effective_usd for charge in charges if charge.one_time),
    )


def _on(charge: Charge, midnight: datetime) -> float:
    overlap = min(charge.end, midnight + DAY) - max(charge.start, midnight)
    return charge.effective_usd * max(0.0, overlap / (charge.end - charge.start))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)

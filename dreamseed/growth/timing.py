"""Months as dates, and the dates by which hardware must be ordered."""

from __future__ import annotations

import calendar
import math
from collections.abc import Sequence
from datetime import date

import numpy as np

from dreamseed.catalog.growth_scenarios import GPU_LEAD_TIME_DAYS, SERVER_LEAD_TIME_DAYS
from dreamseed.growth.parameters import Floats

PERCENTILES = (10, 50, 90)


def month_after(start: date, months: int) -> date:
    """Return the same day `months` later, or the month's last day where it has no such day."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(start.day, last))


def days_until(threshold: float, now: float, then: float, days_between: float) -> float:
    """Return the days until a figure passes `threshold` if it multiplies as from `then` to `now`: 0 where it has.

    Infinite where it does not grow. `then` and `now` are above 0, `days_between` apart.
    """
    if now > threshold:
        return 0.0
    return math.log(threshold / now) / math.log(now / then) * days_between if now > then else math.inf


def lead_days(new_gpus: int, new_servers: int) -> int:
    """Return the likely days from an order to hardware that serves; 0 when nothing is ordered."""
    if not (new_gpus or new_servers):
        return 0
    return math.ceil(SERVER_LEAD_TIME_DAYS.mode if new_servers else GPU_LEAD_TIME_DAYS.mode)


def order_ordinals(start: date, entries: Floats, lead_days: Floats, horizon: int) -> Floats:
    """Return for each run the day (a proleptic ordinal) to order on; infinite where the stage never begins.

    `entries` are months, at most `horizon`; a part of a lead day counts as a whole one.
    """
    ordinals = np.array([month_after(start, month).toordinal() for month in range(horizon + 1)], dtype=float)
    days = np.full(entries.shape, np.inf)
    reached = np.isfinite(entries)
    days[reached] = ordinals[entries[reached].astype(int)] - np.ceil(lead_days[reached])
    return days


def percentiles(values: Floats, percents: Sequence[int] = PERCENTILES) -> tuple[float, ...]:
    """Return values of the sample, none between two of them: half of the runs never reaching a stage is "never"."""
    return tuple(float(value) for value in np.quantile(values, np.array(percents) / 100, method="inverted_cdf"))

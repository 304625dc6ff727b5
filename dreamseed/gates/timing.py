"""When the next stage is to be expected from the sign-ups so far, and by when its hardware must be ordered."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta

from dreamseed.config import Stage, StageConfig
from dreamseed.facts.days import days_until as days_ending
from dreamseed.facts.measures import Measure
from dreamseed.gates.situation import Situation
from dreamseed.growth.timing import days_until, lead_days

LOOKED_BACK_DAYS = 28
"""Growth is measured over this many days, or over as many as are known, at least `LEAST_DAYS`. A choice."""
LEAST_DAYS = 7
FAR_DAYS = 365 * 30
"""Beyond this nobody knows anything, as for a forecast."""


@dataclass(frozen=True, kw_only=True)
class Timing:
    """When `stage` is expected as of `day`: `expected_on` None is never, or unknown, as `why` says."""

    stage: Stage
    day: date
    expected_on: date | None
    weeks: float | None
    order_by: date | None
    order: str
    why: str

    @property
    def is_late(self) -> bool:
        """Tell whether the day to order by has passed."""
        return self.order_by is not None and self.order_by < self.day


def timing(situation: Situation, current: Stage) -> Timing | None:
    """Return when the stage after `current` is expected if sign-ups multiply as they did; None after the last one."""
    here = situation.stages[current]
    if here.next_stage is None:
        return None
    there = situation.stages[list(Stage)[current.rank + 1]]
    order, lead = _order(here, there)
    days = days_ending(situation.day, LOOKED_BACK_DAYS + 1)
    rows = situation.row(Measure.SIGN_UPS, days)
    known = [(day, row.known) for day, row in zip(days, rows, strict=True) if row and row.known]
    threshold = here.next_stage.sign_ups
    if not known or (known[-1][0] - known[0][0]).days < LEAST_DAYS:
        why = f"unknown: no {LEAST_DAYS} days of sign-ups within the last {LOOKED_BACK_DAYS}"
        return _timing(there, situation.day, None, order, lead, why)
    (first, then), (last, now) = known[0], known[-1]
    left = days_until(threshold, now, then, (last - first).days)
    grew = f"sign-ups went from {then:,.0f} to {now:,.0f} in {(last - first).days} days; the threshold is {threshold:,}"
    if not math.isfinite(left) or left > FAR_DAYS:
        return _timing(there, situation.day, None, order, lead, f"never at this pace: {grew}")
    return _timing(there, situation.day, last + timedelta(days=math.ceil(left)), order, lead, grew, left / 7)


def _timing(
    there: StageConfig, day: date, expected_on: date | None, order: str, lead: int, why: str, weeks: float | None = None
) -> Timing:
    return Timing(
        stage=there.service.stage,
        day=day,
        expected_on=expected_on,
        weeks=weeks,
        order_by=expected_on - timedelta(days=lead) if expected_on and lead else None,
        order=order,
        why=why,
    )


def _order(here: StageConfig, there: StageConfig) -> tuple[str, int]:
    """Return what to order for the next stage, and the days that it takes."""
    cards, servers = (
        max(0, after - before)
        for before, after in (
            [sum(server.gpus.count for server in one.servers.values()) for one in (here, there)],
            [len(one.servers) for one in (here, there)],
        )
    )
    memory = [max(server.memory_gib for server in one.servers.values()) for one in (here, there)]
    parts = [f"{servers} server"] if servers else []
    parts += [f"{cards} GPU"] if cards else []
    parts += [f"memory {memory[0]} → {memory[1]} GiB"] if memory[0] != memory[1] else []
    return ", ".join(parts) or "nothing", lead_days(cards, servers)

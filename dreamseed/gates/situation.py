"""What gates are asked of: the stages, the facts of past days, drills, costs, waivers, and the moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from itertools import groupby
from zoneinfo import ZoneInfo

from dreamseed.config import Stage, StageConfig
from dreamseed.facts.days import days_until, last_full_day
from dreamseed.facts.drill import DrillFact
from dreamseed.facts.measures import Measure
from dreamseed.facts.store import Recorded
from dreamseed.gates.model import Group, Line, Verdict
from dreamseed.gates.waiver import Waiver
from dreamseed.interval import Interval

Facts = Mapping[tuple[Measure, date], Recorded]


@dataclass(frozen=True, kw_only=True)
class Situation:
    """Everything that a gate rests on. `costs` are USD a month; `now` decides which days are over.

    `drills` were verified; `refused` says of files that were not what they claim, why.
    """

    stages: Mapping[Stage, StageConfig]
    costs: Mapping[Stage, Interval]
    facts: Facts
    now: datetime
    drills: Sequence[DrillFact] = ()
    waivers: Sequence[Waiver] = ()
    refused: Sequence[str] = ()

    @cached_property
    def day(self) -> date:
        """Return the last local day that is over, in the service's time zone."""
        zone = next(iter(self.stages.values())).service.time_zone
        return last_full_day(self.now, ZoneInfo(zone))

    def row(self, measure: Measure, days: Sequence[date]) -> list[Recorded | None]:
        """Return what is recorded of each of `days`."""
        return [self.facts.get((measure, day)) for day in days]

    def newest(self, measure: Measure, within_days: int) -> Recorded | None:
        """Return the newest known fact of the last days, the last full one included."""
        rows = self.row(measure, days_until(self.day, within_days))
        return next((row for row in reversed(rows) if row is not None and row.known is not None), None)


@dataclass(frozen=True, kw_only=True)
class InARow:
    """A question that a number of days in a row must answer alike."""

    key: str
    measure: Measure
    days: int
    asks: str
    holds: Callable[[float], bool]
    shown: Callable[[float], str]

    def line(self, situation: Situation) -> Line:
        """Return pass when every one of the newest days is known and holds; fail when a known one does not."""
        rows = situation.row(self.measure, days_until(situation.day, self.days))
        values = [row.known if row else None for row in rows]
        if any(value is not None and not self.holds(value) for value in values):
            verdict = Verdict.FAIL
        elif None in values:
            verdict = Verdict.UNKNOWN
        else:
            verdict = Verdict.PASS
        each = ["unknown" if value is None else self.shown(value) for value in values]
        runs = [(text, len(list(same))) for text, same in groupby(each)]
        told = ", ".join(f"{text} × {number}" if number > 1 else text for text, number in runs)
        return Line(
            key=self.key,
            group=Group.METRICS,
            asks=self.asks,
            verdict=verdict,
            evidence=f"{told} until {situation.day}",
            facts=tuple(row.hash for row in rows if row),
            trigger=True,
        )

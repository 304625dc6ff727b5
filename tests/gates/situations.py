"""Situations made up around the shipped stages: everything met for one gate, and single facts changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from dreamseed.config import Stage, StageConfig
from dreamseed.facts.days import days_until, month_ends
from dreamseed.facts.drill import DrillFact
from dreamseed.facts.measures import Measure
from dreamseed.facts.store import Fact, Recorded
from dreamseed.gates.gather import load_stages
from dreamseed.gates.situation import Facts, Situation
from dreamseed.growth.costs import estimated
from dreamseed.interval import Interval
from playbook.made_up import MONTHLY, passing

PROJECT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)
DAY = date(2026, 11, 25)
"""The last full day at `NOW` in Seoul, where it is noon."""
Values = Mapping[tuple[Measure, date], float | None]


@cache
def stages() -> dict[Stage, StageConfig]:
    return load_stages(PROJECT)


@cache
def costs() -> dict[Stage, Interval]:
    of = estimated(stages().values())
    return {stage: of(stage) for stage in stages()}


def recorded(values: Values, coverage: float = 1.0) -> Facts:
    return {
        (measure, day): Recorded(
            id=number,
            fact=Fact(measure=measure, day=day, value=value, coverage=coverage, source="made up"),
            recorded_at=NOW,
            supersedes=None,
            hash=f"sha256:{number:064x}",
        )
        for number, ((measure, day), value) in enumerate(values.items(), start=1)
    }


def met(stage: Stage, days: int = 40) -> dict[tuple[Measure, date], float | None]:
    """Values with which every line of the gate from `stage` to the next is met."""
    following = stages()[stage].next_stage
    assert following
    values: dict[tuple[Measure, date], float | None] = {
        (measure, day): value for measure, value in passing(following).items() for day in days_until(DAY, days)
    }
    (month,) = month_ends(DAY, 1)
    return {**values, **{(measure, month): value for measure, value in MONTHLY.items()}}


def drill(stage: Stage, **changes: Any) -> DrillFact:
    figures: dict[str, Any] = {
        "stage": stage,
        "taken_at": NOW - timedelta(days=3),
        "passed": True,
        "rpo_seconds": 41.0,
        "rto_seconds": 90.0,
        "restore_mb_per_second": 80.0,
        "data_bytes": 10_000_000,
        "missing_rows": 0,
        "source": "made up",
        "digest": "sha256:" + "d" * 64,
    }
    return DrillFact(**{**figures, **changes})


def situation(stage: Stage, values: Values | None = None, **changes: Any) -> Situation:
    """The situation in which the gate from `stage` to the next is met, unless something is changed."""
    given: dict[str, Any] = {
        "stages": stages(),
        "costs": costs(),
        "facts": recorded(met(stage) if values is None else values),
        "now": NOW,
        "drills": [drill(stage)],
    }
    return Situation(**{**given, **changes})


def following(stage: Stage) -> Stage:
    return list(Stage)[stage.rank + 1]

"""The gate between two neighbouring stages: up when users grew, down when they left or the money did."""

from __future__ import annotations

from collections.abc import Iterator

from dreamseed.catalog.promotion_rules import DOWN_DAYS, DOWN_MONTHS
from dreamseed.config import Stage, StageConfig
from dreamseed.errors import PromotionError
from dreamseed.facts.days import month_ends
from dreamseed.facts.measures import Measure
from dreamseed.gates.checklist import finance, technical
from dreamseed.gates.model import Gate, Group, Line, Verdict
from dreamseed.gates.situation import InARow, Situation
from dreamseed.gates.triggers import triggers
from dreamseed.gates.waiver import DRILL_LINE, apply


def gate(situation: Situation, current: Stage, target: Stage) -> Gate:
    """Return the gate from `current` to `target` as things are; raises `PromotionError` unless they are neighbours."""
    if abs(target.rank - current.rank) != 1:
        raise PromotionError(
            f"stage-{target.lower()}",
            f"stage {current} stands: {'it is the same' if current is target else f'{target} is not next to it'}",
            "a promotion goes one stage at a time, and none is ever skipped",
            f"one of {', '.join(f'stage-{one.lower()}' for one in Stage if abs(one.rank - current.rank) == 1)}",
        )
    here, there = situation.stages[current], situation.stages[target]
    lines = _down(situation, here, there) if target.rank < current.rank else _up(situation, here, there)
    found = Gate(from_stage=current, to_stage=target, day=situation.day, lines=tuple(lines))
    return apply(found, situation.waivers, situation.now)


def _up(situation: Situation, here: StageConfig, there: StageConfig) -> Iterator[Line]:
    if here.next_stage is not None:
        yield from (question.line(situation) for question in triggers(here.next_stage))
    yield from finance(situation, here, there)
    yield from technical(situation, here, there)


def _down(situation: Situation, here: StageConfig, there: StageConfig) -> Iterator[Line]:
    """Yield what speaks for going down, and what must be so before: the users fit, and a restore was tried."""
    begins = there.next_stage.concurrent_users if there.next_stage else 0
    yield InARow(
        key="users-fell",
        measure=Measure.CONCURRENT_USERS,
        days=DOWN_DAYS,
        asks=f"concurrent users below {begins:,}, where stage {here.service.stage} begins, {DOWN_DAYS} days in a row",
        holds=lambda value: value < begins,
        shown="{:,.0f}".format,
    ).line(situation)
    yield _losing(situation)
    fits = there.service.capacity.concurrent_users
    asked = InARow(
        key="users-fit",
        measure=Measure.CONCURRENT_USERS,
        days=DOWN_DAYS,
        asks=f"stage {there.service.stage} is built for the users of the last {DOWN_DAYS} days: {fits:,} at once",
        holds=lambda value: value <= fits,
        shown="{:,.0f}".format,
    ).line(situation)
    yield Line(
        key=asked.key,
        group=Group.TECHNICAL,
        asks=asked.asks,
        verdict=asked.verdict,
        evidence=asked.evidence,
        facts=asked.facts,
    )
    yield from (line for line in technical(situation, here, there) if line.key == DRILL_LINE)


def _losing(situation: Situation) -> Line:
    months = month_ends(situation.day, DOWN_MONTHS)
    told, rows, losing = [], [], []
    for month in months:
        pair = [situation.facts.get((measure, month)) for measure in (Measure.COST_USD, Measure.REVENUE_USD)]
        cost, revenue = (row.known if row else None for row in pair)
        rows += [row.hash for row in pair if row]
        losing.append(None if cost is None or revenue is None else cost > revenue)
        told.append(
            f"{month:%Y-%m} unknown"
            if cost is None or revenue is None
            else f"{month:%Y-%m} cost {cost:,.0f}, revenue {revenue:,.0f} USD"
        )
    verdict = Verdict.FAIL if False in losing else Verdict.UNKNOWN if None in losing else Verdict.PASS
    return Line(
        key="cost-above-revenue",
        group=Group.FINANCE,
        asks=f"cost above revenue in the last {DOWN_MONTHS} months",
        verdict=verdict,
        evidence="; ".join(told),
        facts=tuple(rows),
        trigger=True,
    )

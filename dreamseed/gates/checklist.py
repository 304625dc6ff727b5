"""The checklist's lines besides the metrics: money, and what must be there. Source: the growth plan, section 3."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from dreamseed.catalog.promotion_rules import ATTESTED_DAYS, RESERVE_MONTHS
from dreamseed.catalog.revenue_plan import REVENUE_OVER_COST
from dreamseed.config import StageConfig
from dreamseed.facts.days import days_until, month_ends
from dreamseed.facts.measures import Measure, questions
from dreamseed.facts.store import Recorded
from dreamseed.gates.model import Group, Line, Verdict
from dreamseed.gates.situation import Situation
from dreamseed.gates.waiver import DRILL_LINE

MONITORED_DAYS = 7
"""Days that the stage's metrics must be known for monitoring to count as ready. A choice: the longest row of days."""


def finance(situation: Situation, current: StageConfig, following: StageConfig) -> Iterator[Line]:
    """Yield the three lines of money. The larger of planned and estimated cost decides: neither hides the other."""
    (month,) = month_ends(situation.day, 1)
    revenue, cost = (situation.facts.get((measure, month)) for measure in (Measure.REVENUE_USD, Measure.COST_USD))
    earned, spent = (row.known if row else None for row in (revenue, cost))
    rows = tuple(row.hash for row in (revenue, cost) if row)
    of_month = f"{_usd(earned)} revenue, {_usd(spent)} cost in {month:%Y-%m}"
    yield Line(
        key="revenue",
        group=Group.FINANCE,
        asks=f"monthly revenue above {REVENUE_OVER_COST:g} × monthly cost",
        verdict=_verdict(None if earned is None or spent is None else earned > REVENUE_OVER_COST * spent),
        evidence=of_month,
        facts=rows,
    )
    here, there = (situation.costs[one.service.stage].expected for one in (current, following))
    planned = current.next_stage.extra_usd_per_month if current.next_stage else 0.0
    extra = max(planned, there - here)
    yield Line(
        key="extra-cost",
        group=Group.FINANCE,
        asks=f"the month's profit covers the next stage's extra {extra:,.0f} USD",
        verdict=_verdict(None if earned is None or spent is None else earned - spent >= extra),
        evidence=f"{of_month}; planned are {planned:+,.0f}, estimated {there - here:+,.0f} USD a month",
        facts=rows,
    )
    monthly = max(following.budget.usd_per_month, there)
    yield _at_least(
        situation.newest(Measure.RESERVE_USD, ATTESTED_DAYS),
        key="reserve",
        group=Group.FINANCE,
        asks=f"{RESERVE_MONTHS} months of the next stage in reserve",
        least=RESERVE_MONTHS * monthly,
        unit="USD",
        why=f"{RESERVE_MONTHS} × {monthly:,.0f}, the larger of budget and estimate",
    )


def technical(situation: Situation, current: StageConfig, following: StageConfig) -> Iterator[Line]:
    """Yield what must be there: cards, power, bandwidth, monitoring, a restore that was tried."""
    cards = _gpus(following) - _gpus(current)
    usage = following.usage
    watts = max(
        server.gpus.count * usage.gpu_busy_watts.high + usage.host_watts.high for server in following.servers.values()
    )
    yield _at_least(
        situation.newest(Measure.GPUS_IN_STOCK, ATTESTED_DAYS),
        key="gpus-in-stock",
        group=Group.TECHNICAL,
        asks="the cards that the next stage adds are to be had",
        least=cards,
        unit="cards",
        why=f"{_gpus(current)} → {_gpus(following)}",
    )
    yield _at_least(
        situation.newest(Measure.SERVER_POWER_WATTS, ATTESTED_DAYS),
        key="server-power",
        group=Group.TECHNICAL,
        asks="each server's power carries the next stage's cards",
        least=watts,
        unit="W",
        why="cards at their rating and the host, as high as usage says",
    )
    yield _at_least(
        situation.newest(Measure.LINK_MBIT_PER_SECOND, ATTESTED_DAYS),
        key="bandwidth",
        group=Group.TECHNICAL,
        asks="the servers' link carries the next stage's peak",
        least=peak_mbit_per_second(following),
        unit="Mbit/s",
        why="peak requests and all cards' tokens, as high as usage says",
    )
    yield _monitoring(situation, current)
    yield _drill(situation, current)


def peak_mbit_per_second(config: StageConfig) -> float:
    """Return what the servers send at a stage's peak: API traffic, and every card's tokens as streamed events."""
    usage, capacity = config.usage, config.service.capacity
    api = capacity.requests_per_second_high * usage.backend_kb.high * 1_000
    tokens = _gpus(config) * config.slo.tokens_per_second_per_gpu * usage.streamed_bytes_per_token.high
    return (api + tokens) * 8 / 1e6


def _monitoring(situation: Situation, current: StageConfig) -> Line:
    days = days_until(situation.day, MONITORED_DAYS)
    gaps = {
        asked.measure: sum(row is None or row.known is None for row in situation.row(asked.measure, days))
        for asked in questions(current)
    }
    told = ", ".join(f"{measure} {number} days" for measure, number in gaps.items() if number)
    return Line(
        key="monitoring",
        group=Group.TECHNICAL,
        asks=f"monitoring is ready: every measure known on the last {MONITORED_DAYS} days",
        verdict=Verdict.UNKNOWN if told else Verdict.PASS,
        evidence=f"unknown: {told}" if told else f"{len(gaps)} measures, all known until {situation.day}",
    )


def _drill(situation: Situation, current: StageConfig) -> Line:
    stage, limit = current.service.stage, current.backup.drill_every_days
    asks = f"a restore drill of stage {stage} passed within {limit} days"
    of_stage = [one for one in situation.drills if one.stage is stage and one.taken_at <= situation.now]
    refused = f"; refused: {'; '.join(situation.refused)}" if situation.refused else ""
    if not of_stage:
        return Line(
            key=DRILL_LINE,
            group=Group.TECHNICAL,
            asks=asks,
            verdict=Verdict.UNKNOWN,
            evidence=f"no signed drill of stage {stage}{refused}",
        )
    newest = max(of_stage, key=lambda one: one.taken_at)
    fresh = situation.now - newest.taken_at <= timedelta(days=limit)
    figures = "".join(
        f", {name} {value:g} s" for name, value in (("RPO", newest.rpo_seconds), ("RTO", newest.rto_seconds)) if value
    )
    return Line(
        key=DRILL_LINE,
        group=Group.TECHNICAL,
        asks=asks,
        verdict=_verdict(newest.passed and not newest.missing_rows) if fresh else Verdict.UNKNOWN,
        evidence=f"{'passed' if newest.passed else 'failed'} on {newest.taken_at:%Y-%m-%d %H:%M %Z}{figures}, "
        f"{newest.missing_rows if newest.missing_rows is not None else 'unknown'} rows missing"
        f"{'' if fresh else ': too old'}{refused}",
        facts=(newest.digest,),
    )


def _at_least(row: Recorded | None, *, key: str, group: Group, asks: str, least: float, unit: str, why: str) -> Line:
    value = row.known if row else None
    found = "nothing recorded within " + f"{ATTESTED_DAYS} days"
    if row is not None and value is not None:
        found = f"{value:,.0f} {unit} on {row.fact.day} ({row.fact.source})"
    return Line(
        key=key,
        group=group,
        asks=asks,
        verdict=_verdict(None if value is None else value >= least),
        evidence=f"{found}; needed are {least:,.0f} {unit} ({why})",
        facts=(row.hash,) if row else (),
    )


def _verdict(holds: bool | None) -> Verdict:
    return Verdict.UNKNOWN if holds is None else Verdict.PASS if holds else Verdict.FAIL


def _usd(value: float | None) -> str:
    return "unknown" if value is None else f"{value:,.0f} USD"


def _gpus(config: StageConfig) -> int:
    return sum(server.gpus.count for server in config.servers.values())

"""The page of the gates: where the service stands on the ladder, what the next stage lacks, what was before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dreamseed.config import Stage
from dreamseed.facts.days import month_ends
from dreamseed.facts.measures import Measure
from dreamseed.gates.model import Group, Verdict
from dreamseed.gates.report import Decision, timing_words
from dreamseed.gates.situation import Situation
from dreamseed.promotion.history import Past
from dreamseed.report.page import environment

LIGHTS = {Verdict.PASS: "good", Verdict.FAIL: "bad", Verdict.UNKNOWN: "warn", Verdict.WAIVED: "none"}
"""The colour of each verdict; the word stands beside it, since not everybody tells colours apart."""
MONTHS = 6


@dataclass(frozen=True, kw_only=True)
class Rung:
    """One stage of the ladder as the page shows it; `position` says where it is from the one that stands."""

    stage: Stage
    sign_ups: int
    concurrent_users: int
    cost_usd: float
    budget_usd: float
    position: str


@dataclass(frozen=True, kw_only=True)
class Money:
    """What a month brought and cost, USD; None is unknown."""

    month: str
    revenue: float | None
    cost: float | None


def gates_page(situation: Situation, standing: Stage, decisions: Sequence[Decision], past: Sequence[Past]) -> str:
    """Return the HTML of the page: `decisions` are the gates, that of `standing` (up) among them."""
    own = [one for one in decisions if one.gate.from_stage is standing]
    users = {name: _newest(situation, measure) for name, measure in USERS.items()}
    return (
        environment()
        .get_template("gates.html.j2")
        .render(
            situation=situation,
            standing=standing,
            rungs=[_rung(situation, stage, standing) for stage in situation.stages],
            own=own,
            others=[one for one in decisions if one not in own],
            groups=list(Group),
            lights=LIGHTS,
            users=users,
            money=_money(situation),
            past=list(reversed(past)),
            timing_words=timing_words,
        )
    )


USERS: Mapping[str, Measure] = {"sign-ups": Measure.SIGN_UPS, "most users at once": Measure.CONCURRENT_USERS}
RECENT_DAYS = 7


def _newest(situation: Situation, measure: Measure) -> str:
    row = situation.newest(measure, RECENT_DAYS)
    return "unknown" if row is None or row.known is None else f"{row.known:,.0f} on {row.fact.day}"


def _rung(situation: Situation, stage: Stage, standing: Stage) -> Rung:
    config = situation.stages[stage]
    capacity = config.service.capacity
    away = stage.rank - standing.rank
    return Rung(
        stage=stage,
        sign_ups=capacity.sign_ups,
        concurrent_users=capacity.concurrent_users,
        cost_usd=situation.costs[stage].expected,
        budget_usd=config.budget.usd_per_month,
        position="passed" if away < 0 else "we are here" if away == 0 else "next" if away == 1 else "later",
    )


def _money(situation: Situation) -> list[Money]:
    def known(measure: Measure, index: int) -> float | None:
        row = situation.facts.get((measure, months[index]))
        return row.known if row else None

    months = month_ends(situation.day, MONTHS)
    return [
        Money(month=f"{month:%Y-%m}", revenue=known(Measure.REVENUE_USD, index), cost=known(Measure.COST_USD, index))
        for index, month in enumerate(months)
    ]

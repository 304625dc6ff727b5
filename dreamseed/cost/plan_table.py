"""The estimate beside the growth plan's own cost table, line by line, with the reason of each difference."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dreamseed.catalog.growth_plan import GPU_WATTS, GROWTH_PLAN, HOURS_PER_MONTH, USD_PER_KWH, CostLine
from dreamseed.config.cloud import Billing, RecoveryKind
from dreamseed.cost.estimate import Estimate
from dreamseed.cost.quantities.cloud_run import active_instances, living_instances
from dreamseed.cost.quantities.load import load_of
from dreamseed.cost.quantities.stores import hidden_tb, stored_tb
from dreamseed.cost.quantities.use import Month
from dreamseed.interval import Interval
from dreamseed.planning.hosts import servers

SAME_USD = 0.5
"""The plan's figures are whole dollars."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """One line of the plan's table: its figure, the estimate, and why they differ."""

    line: CostLine
    planned_usd: int
    estimated: Interval
    reason: str

    @property
    def difference_usd(self) -> float:
        """Return the expected estimate minus the plan's figure."""
        return self.estimated.expected - self.planned_usd


def against_plan(estimated: Estimate) -> tuple[PlanRow, ...]:
    """Return every line that the plan or the estimate has a figure for, in the plan's order."""
    planned = GROWTH_PLAN[estimated.plan.config.service.stage]
    rows = []
    for line in CostLine:
        figure, own = planned.line_usd(line), estimated.of_line(line)
        if figure or own.high:
            same = abs(own.expected - figure) < SAME_USD
            reason = "" if same else "; ".join(_reasons(estimated, line, figure))
            rows.append(PlanRow(line=line, planned_usd=figure, estimated=own, reason=reason))
    return tuple(rows)


def _reasons(estimated: Estimate, line: CostLine, figure: int) -> Iterator[str]:
    month = Month(plan=estimated.plan, usage=estimated.plan.config.usage)
    if line is CostLine.ELECTRICITY:
        yield from _electricity(month, figure)
    elif line is CostLine.CLOUD_RUN:
        yield _cloud_run(month)
    elif line is CostLine.STORAGE:
        yield f"{stored_tb(month):.2f} TB and {hidden_tb(month):.2f} TB of overwritten versions, at list price"
    elif line is CostLine.RESERVE:
        yield "the stage file sets another reserve"
    elif line is CostLine.CLOUDFLARE:
        edge = estimated.plan.config.edge
        yield f"{edge.plan}, paid {edge.billing}, by Cloudflare's list"
    elif line is CostLine.DOMAIN:
        yield "a .com costs about 12 USD a year" if figure else "the plan forgets the domain from C on"
    elif line is CostLine.BACKUP:
        yield from _backup(estimated)
    else:
        yield from _largest(estimated, line, figure)


def _electricity(month: Month, figure: int) -> Iterator[str]:
    owned = servers(month.plan.hosts)
    cards = sum(host.gpu_count for host in owned)
    formula = cards * GPU_WATTS / 1_000 * HOURS_PER_MONTH * USD_PER_KWH
    noun = "1 card" if cards == 1 else f"{cards} cards"
    host_watts = (figure - formula) / (HOURS_PER_MONTH * USD_PER_KWH) * 1_000 / len(owned)
    yield f"the plan's formula gives {formula:.2f} for {noun}, so its line leaves a server {host_watts:,.0f} W"
    yield f"counted are {month.host_watts:,.0f} W a server and a month of 730 h"


def _cloud_run(month: Month) -> str:
    api, load = month.plan.config.api, load_of(month)
    active = active_instances(api, load, month.request_cpu_milliseconds / 1_000, month.warm_spread_ratio)
    if api.billing is Billing.INSTANCE:
        return f"{living_instances(api, load, active):.1f} instances are alive on average, billed busy or not"
    return (
        f"{load.open_requests:.1f} requests are open on average, which keep {active:.1f} of at least "
        f"{api.min_instances} instances active, tunnel sidecars included; {load.requests_per_month / 1e6:,.1f} million "
        "requests cost a fee"
    )


def _backup(estimated: Estimate) -> Iterator[str]:
    if estimated.plan.config.backup.second_site:
        yield "the second site holds a copy of the backups; the first one's are in the storage line"
    else:
        yield "backups lie in the same buckets: they are in the storage line"


def _largest(estimated: Estimate, line: CostLine, figure: int) -> Iterator[str]:
    """Yield what makes up most of a line that the plan forgets or guesses."""
    found = sorted((each for each in estimated.lines if each.line is line), key=lambda each: -each.usd.expected)
    parts = [f"{each.name} {each.usd.expected:,.2f}" for each in found if each.usd.expected >= SAME_USD][:4]
    begins = "the plan has no line for it" if not figure else f"the plan's {figure} is not itemised"
    yield f"{begins}: {', '.join(parts)}" if parts else begins
    if line is CostLine.NOT_PLANNED and estimated.plan.config.disaster_recovery.kind is not RecoveryKind.NONE:
        yield "the plan's table leaves disaster recovery out"

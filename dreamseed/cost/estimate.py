"""The estimate of one stage: lines, totals, cost a user, headroom, and what has no price or an old one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from dreamseed.catalog.growth_plan import CostLine
from dreamseed.catalog.prices import BOOK, Price, PriceBook, stale
from dreamseed.config.usage import Usage
from dreamseed.cost.pricing import Bill, Line, Unpriced, price_uses
from dreamseed.cost.quantities import Month, uses
from dreamseed.cost.quantities.load import load_of
from dreamseed.interval import Interval, Scenario
from dreamseed.planning.stage_plan import StagePlan


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a stage costs in a month, in USD. `hardware` is in no total; `unpriced` must be empty for a true total."""

    plan: StagePlan
    lines: tuple[Line, ...]
    hardware: tuple[Line, ...]
    unpriced: tuple[Unpriced, ...]
    stale: tuple[Price, ...]
    notes: tuple[str, ...]

    @property
    def total(self) -> Interval:
        """Return the sum of the lines."""
        return Interval.total(line.usd for line in self.lines)

    @property
    def hardware_total(self) -> Interval:
        """Return the monthly share of purchases."""
        return Interval.total(line.usd for line in self.hardware)

    @property
    def per_user(self) -> Interval:
        """Return the total for each sign-up."""
        return self.total * (1 / self.plan.config.service.capacity.sign_ups)

    @property
    def budget_usd(self) -> float:
        """Return the stage's budget."""
        return self.plan.config.budget.usd_per_month

    def headroom_usd(self, scenario: Scenario = Scenario.EXPECTED) -> float:
        """Return what the budget leaves, negative where it is exceeded."""
        return self.budget_usd - self.total.at(scenario)

    def of_line(self, line: CostLine) -> Interval:
        """Return the sum of the lines that stand for `line` of the growth plan's table."""
        return Interval.total(each.usd for each in self.lines if each.line is line)


def estimate(
    plan: StagePlan,
    profile: Usage | None = None,
    *,
    book: PriceBook = BOOK,
    today: date | None = None,
) -> Estimate:
    """Return what `plan` costs in a month with the usage `profile` (default: the stage file's own).

    `today` (default: the day in UTC) decides which prices are stale. Asks nothing over a network.
    """
    usage = profile or plan.config.usage
    months = {scenario: Month(plan=plan, usage=usage, scenario=scenario) for scenario in Scenario}
    used = {scenario: uses(month) for scenario, month in months.items()}
    lines, hardware, unpriced = price_uses(used, book, usage.commitment)
    rows = {(line.price.sku, line.price.region): line.price for line in (*lines, *hardware)}
    return Estimate(
        plan=plan,
        lines=lines,
        hardware=hardware,
        unpriced=unpriced,
        stale=stale(rows.values(), today or datetime.now(UTC).date()),
        notes=_notes(months[Scenario.EXPECTED]),
    )


def expected_usd(
    plan: StagePlan,
    usage: Usage,
    *,
    replaced: Mapping[str, float] | None = None,
    scenarios: Mapping[str, Scenario] | None = None,
    book: PriceBook = BOOK,
) -> float:
    """Return the expected total alone, with single figures of the usage or single prices other than expected."""
    charges = expected_charges(plan, usage, replaced=replaced, scenarios=scenarios, book=book)
    return sum(usd for _, usd in charges)


def expected_charges(
    plan: StagePlan,
    usage: Usage,
    *,
    replaced: Mapping[str, float] | None = None,
    scenarios: Mapping[str, Scenario] | None = None,
    book: PriceBook = BOOK,
) -> Iterator[tuple[Price, float]]:
    """Yield what the expected total is made of: the price and the USD a month of each use that has a price."""
    bill = Bill(book, Scenario.EXPECTED, usage.commitment, scenarios or {})
    month = Month(plan=plan, usage=usage, replaced=replaced or {})
    for use in uses(month):
        if use.hardware:
            continue
        price, charge = book.find(use.sku, use.region), bill.charge(use)
        if price is not None and charge is not None:
            yield price, charge.usd


def _notes(month: Month) -> tuple[str, ...]:
    """Return where the expected usage asks more than the stage can give."""
    config = month.plan.config
    asked = load_of(month).generations_per_second * month.tokens_per_generation
    cards = sum(server.gpus.count for server in config.servers.values())
    given = cards * config.slo.tokens_per_second_per_gpu
    if asked <= given:
        return ()
    return (f"the expected usage asks for {asked:,.0f} tokens/s on average, the cards' objective is {given:,}",)

"""Estimates in tables, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from dreamseed.catalog.growth_plan import GROWTH_PLAN
from dreamseed.cost.diff import CostDiff
from dreamseed.cost.estimate import Estimate
from dreamseed.cost.fit.option import FitResult
from dreamseed.cost.fit.report import smallest_change
from dreamseed.cost.guardrails import Guardrail, Verdict, guardrails
from dreamseed.cost.plan_table import against_plan
from dreamseed.cost.pricing import Line
from dreamseed.cost.sensitivity import Swing, tornado
from dreamseed.interval import Interval, Scenario
from dreamseed.planning.report.style import table

MOST_SWINGS = 10
BAR_CELLS = 30
STYLES = {Verdict.PASS: "green", Verdict.ACCEPTED: "yellow", Verdict.FAIL: "bold red"}


def stage_tables(estimated: Estimate, today: date, profile: Scenario, *, explain: bool) -> RenderableType:
    """Return one stage's lines, totals, guardrails and tornado; with `explain` also each line's formula and source."""
    return Group(*_stage(estimated, today, profile, explain))


def all_tables(
    estimates: Sequence[Estimate], today: date, profile: Scenario, fits: Mapping[str, FitResult]
) -> RenderableType:
    """Return all stages against the growth plan's table and their budgets; `fits`, by name, of those that are over."""
    return Group(*_all(estimates, today, profile, fits))


def diff_tables(diff: CostDiff) -> RenderableType:
    """Return a change of cost."""
    drawn = _money_table(f"{diff.before.plan.name} → {diff.after.plan.name}", "line", "before", "after", "change")
    for change in diff.changes:
        before, after = ("–" if usd is None else f"{usd:,.2f}" for usd in (change.before_usd, change.after_usd))
        drawn.add_row(change.name, before, after, f"{change.change_usd:+,.2f}")
    before_usd, after_usd = diff.before.total.expected, diff.after.total.expected
    drawn.add_row("expected", f"{before_usd:,.2f}", f"{after_usd:,.2f}", f"{diff.change_usd:+,.2f}", style="bold")
    return Group(drawn, _rules(diff.guardrails))


def _stage(estimated: Estimate, today: date, profile: Scenario, explain: bool) -> Iterator[RenderableType]:
    yield Text(f"{estimated.plan.name}: USD a month, list prices without tax, profile {profile}", style="bold")
    yield _lines(estimated, profile)
    yield _totals(estimated, profile)
    if estimated.hardware:
        yield _hardware(estimated)
    yield _rules(guardrails(estimated, today))
    yield from (Text(f"note: {note}") for note in estimated.notes)
    for price in estimated.stale:
        yield Text(
            f"warning: the price of {price.sku} was read on {price.source.read_on} and is old since "
            f"{price.source.expires_on}",
            style="yellow",
        )
    yield _tornado(tornado(estimated), estimated.total.expected)
    if explain:
        yield _explained(estimated)
    else:
        yield Text("--explain adds each line's formula, its price and where that was read.")


def _money_table(title: str, first: str, *columns: str) -> Table:
    drawn = table(title, first)
    for column in columns:
        drawn.add_column(column, justify="right", no_wrap=True)
    return drawn


def _lines(estimated: Estimate, profile: Scenario) -> Table:
    drawn = _money_table("", "line", "quantity", "unit", "gross", "− off", "USD", "low", "high")
    for line in estimated.lines:
        gross, usd = line.gross_usd.at(profile), line.usd.at(profile)
        drawn.add_row(
            line.name,
            _quantity(line.quantity.at(profile)),
            line.price.unit,
            f"{gross:,.2f}",
            f"{abs(gross - usd):,.2f}",
            f"{usd:,.2f}",
            f"{line.usd.low:,.2f}",
            f"{line.usd.high:,.2f}",
        )
    return drawn


def _totals(estimated: Estimate, profile: Scenario) -> Table:
    drawn = _money_table("", "", "USD", "low", "expected", "high")
    drawn.add_row("total", *_four(estimated.total, profile, 2), style="bold")
    drawn.add_row("a sign-up", *_four(estimated.per_user, profile, 5))
    drawn.add_row(
        "left of the budget",
        *(f"{estimated.headroom_usd(each):,.2f}" for each in (profile, *Scenario)),
    )
    return drawn


def _four(interval: Interval, profile: Scenario, digits: int) -> tuple[str, ...]:
    return tuple(f"{interval.at(each):,.{digits}f}" for each in (profile, *Scenario))


def _hardware(estimated: Estimate) -> Table:
    drawn = _money_table("Purchases spread over their life, in no total", "", "USD", "low", "high")
    for line in estimated.hardware:
        drawn.add_row(line.name, f"{line.usd.expected:,.2f}", f"{line.usd.low:,.2f}", f"{line.usd.high:,.2f}")
    return drawn


def _rules(found: Sequence[Guardrail]) -> Table:
    drawn = table("Guardrails", "rule", "", "found")
    for rule in found:
        drawn.add_row(rule.name, Text(rule.verdict.value, style=STYLES[rule.verdict]), rule.found)
    return drawn


def _tornado(swings: Sequence[Swing], expected: float) -> Table:
    drawn = table(f"What moves the {expected:,.2f} USD most, one at a time", "input", "", "at low", "at high", "")
    widest = swings[0].width_usd if swings else 1.0
    for swing in swings[:MOST_SWINGS]:
        bar = "█" * max(1, round(BAR_CELLS * swing.width_usd / widest))
        drawn.add_row(swing.input, swing.kind, f"{swing.low_usd:,.2f}", f"{swing.high_usd:,.2f}", bar)
    return drawn


def _explained(estimated: Estimate) -> Table:
    drawn = table("Where each line comes from", "line", "formula", "SKU and price", "source")
    for line in (*estimated.lines, *estimated.hardware):
        price = line.price
        drawn.add_row(
            line.name,
            line.why,
            f"{price.sku}, {price.region}: {_price(line)}",
            f"{price.source.text}; read {price.source.read_on}, confidence {price.confidence}"
            + (f"; {price.note}" if price.note else ""),
        )
    return drawn


def _price(line: Line) -> str:
    tiers = ", ".join(
        (f"above {tier.above:g}: " if tier.above else "") + _usd_range(tier.usd) for tier in line.price.tiers
    )
    free = f"; first {line.price.free_quantity:g} free" if line.price.free_quantity else ""
    spending = f"; first {line.price.free_usd:.2f} USD free" if line.price.free_usd else ""
    return f"{tiers} USD per {line.price.unit}{free}{spending}"


def _usd_range(usd: Interval) -> str:
    return f"{usd.expected:.7g}" if not usd.spread else f"{usd.expected:.7g} ({usd.low:.7g} to {usd.high:.7g})"


def _quantity(quantity: float) -> str:
    return f"{quantity:,.0f}" if quantity >= 1_000 else f"{quantity:,.4g}"


def _all(
    estimates: Sequence[Estimate], today: date, profile: Scenario, fits: Mapping[str, FitResult]
) -> Iterator[RenderableType]:
    yield _overview(estimates, profile)
    for estimated in estimates:
        planned = GROWTH_PLAN[estimated.plan.config.service.stage]
        drawn = table(f"{estimated.plan.name} against the growth plan", "line", "plan", "estimate", "difference", "why")
        for row in against_plan(estimated):
            usd = row.estimated.at(profile)
            drawn.add_row(row.line, f"{row.planned_usd}", f"{usd:,.2f}", f"{usd - row.planned_usd:+,.2f}", row.reason)
        total = estimated.total.at(profile)
        checklist = "" if planned.sum_usd == planned.budget_usd else f"the plan's checklist says {planned.budget_usd}"
        drawn.add_row(
            "sum", f"{planned.sum_usd}", f"{total:,.2f}", f"{total - planned.sum_usd:+,.2f}", checklist, style="bold"
        )
        yield drawn
        yield _rules(guardrails(estimated, today))
        if estimated.plan.name in fits:
            yield smallest_change(fits[estimated.plan.name])


def _overview(estimates: Sequence[Estimate], profile: Scenario) -> Table:
    drawn = _money_table(
        f"USD a month, list prices without tax, profile {profile}",
        "stage",
        *("budget", "estimate", "left", "low", "high", "a sign-up", "verdict"),
    )
    for estimated in estimates:
        left = estimated.headroom_usd(profile)
        drawn.add_row(
            estimated.plan.name,
            f"{estimated.budget_usd:,.0f}",
            f"{estimated.total.at(profile):,.2f}",
            f"{left:,.2f}",
            f"{estimated.total.low:,.2f}",
            f"{estimated.total.high:,.2f}",
            f"{estimated.per_user.at(profile):.5f}",
            Text("fits", style="green") if left >= 0 else Text(f"over by {-left:,.2f}", style="bold red"),
        )
    return drawn

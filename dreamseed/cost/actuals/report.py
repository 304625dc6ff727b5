"""A bill against an estimate, for people and for machines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from dreamseed.cost.actuals.comparison import Comparison, ServiceComparison
from dreamseed.cost.actuals.month import LEAST_DAYS, LEAST_USD, MAD_FACTOR
from dreamseed.interval import Scenario
from dreamseed.planning.report.style import mark, table

RULE = f"above median + the larger of {LEAST_USD:.2f} USD and {MAD_FACTOR:.2f} × MAD, over the elapsed days"


def actuals_tables(found: Comparison) -> RenderableType:
    """Return the bill against the estimate, what stands apart, the month's total, and days that stand out."""
    return Group(*_shown(found))


def _shown(found: Comparison) -> Iterator[RenderableType]:
    title = f"{found.name}, {found.month:%Y-%m}: {found.elapsed} of {found.in_month} days billed, USD"
    drawn = table(title, "provider", "service")
    for column in ("low", "estimate", "high", "to date", "forecast", "error", "error %", "inside"):
        drawn.add_column(column, justify="right", no_wrap=True)
    for each in found.services:
        drawn.add_row(*_row(each))
    for each in found.providers:
        drawn.add_row(*_row(each), style="bold")
    yield drawn
    yield Text("error: estimate minus forecast; inside: the forecast lies between low and high")
    yield Text("forecast: linear by days elapsed, without seasons; effective cost, which spreads what is paid ahead\n")
    yield Text(f"billed so far, all rows: {found.billed_usd:,.2f} USD")
    for kind, usd in found.apart_usd.items():
        if usd:
            yield Text(f"  of it {kind}, which have no estimate: {usd:,.2f}")
    yield Text(f"estimator's error: {found.error_usd:+,.2f} of {found.forecast_usd:,.2f} USD forecast")
    left = found.budget_usd - found.month_usd
    yield Text(
        f"whole month: {found.month_usd:,.2f} USD, with {found.not_in_bill.expected:,.2f} estimated for providers that "
        f"this bill does not hold; budget {found.budget_usd:,.2f}, "
        + (f"{left:,.2f} left" if left >= 0 else f"{-left:,.2f} over")
    )
    yield from _anomalies(found)


def _row(each: ServiceComparison) -> tuple[str | Text, ...]:
    usd = each.estimated
    estimates = ("–", "–", "–") if usd is None else tuple(f"{usd.at(one):,.2f}" for one in Scenario)
    return (
        each.provider,
        each.service or "all",
        *estimates,
        f"{each.days.to_date_usd:,.2f}" if each.days else "–",
        f"{each.forecast_usd:,.2f}" if each.days else "–",
        f"{each.error_usd:+,.2f}",
        "–" if each.error_ratio is None else f"{each.error_ratio:+.1%}",
        mark(each.inside),
    )


def _anomalies(found: Comparison) -> Iterator[Text]:
    days = [(each, one) for each in found.services if each.days for one in each.days.anomalies]
    if found.elapsed < LEAST_DAYS:
        yield Text(f"days that stand out: not looked for before {LEAST_DAYS} days")
        return
    yield Text(f"days that stand out ({RULE}): {len(days) or 'none'}")
    for each, one in days:
        yield Text(
            f"  {one.day}: {each.provider} {each.service} {one.usd:,.2f} USD, median {one.median_usd:,.2f}, "
            f"limit {one.limit_usd:,.2f}",
            style="yellow",
        )


def actuals_json(found: Comparison) -> dict[str, Any]:
    """Return everything, USD rounded to cents."""
    return {
        "name": found.name,
        "month": f"{found.month:%Y-%m}",
        "days_elapsed": found.elapsed,
        "days_in_month": found.in_month,
        "services": [_as_json(each) for each in found.services],
        "providers": [_as_json(each) for each in found.providers],
        "usd_billed": _cents(found.billed_usd),
        "usd_apart": {kind.value: _cents(usd) for kind, usd in found.apart_usd.items()},
        "usd_error": _cents(found.error_usd),
        "usd_forecast": _cents(found.forecast_usd),
        "usd_not_in_bill": _cents(found.not_in_bill.expected),
        "usd_month": _cents(found.month_usd),
        "budget": found.budget_usd,
        "anomaly_rule": RULE,
    }


def _as_json(each: ServiceComparison) -> dict[str, Any]:
    usd = each.estimated
    return {
        "provider": each.provider,
        "service": each.service or None,
        "estimate": None if usd is None else {f"usd_{one}": _cents(usd.at(one)) for one in Scenario},
        "usd_to_date": _cents(each.days.to_date_usd) if each.days else None,
        "usd_forecast": _cents(each.forecast_usd) if each.days else None,
        "usd_error": _cents(each.error_usd),
        "error_ratio": None if each.error_ratio is None else round(each.error_ratio, 4),
        "inside": each.inside,
        "anomalies": [
            {"day": str(one.day), "usd": _cents(one.usd), "usd_limit": _cents(one.limit_usd)}
            for one in (each.days.anomalies if each.days else ())
        ],
    }


def _cents(usd: float) -> float:
    return round(usd, 2) + 0.0  # no negative zero

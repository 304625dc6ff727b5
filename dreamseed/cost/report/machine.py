"""Estimates as JSON. USD a month, rounded to cents; quantities as they are."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from dreamseed.catalog.growth_plan import GROWTH_PLAN
from dreamseed.cost.diff import CostDiff
from dreamseed.cost.estimate import Estimate
from dreamseed.cost.guardrails import Guardrail, guardrails
from dreamseed.cost.plan_table import against_plan
from dreamseed.cost.pricing import Line
from dreamseed.cost.sensitivity import tornado
from dreamseed.interval import Interval, Scenario


def as_json(estimated: Estimate, today: date, profile: Scenario = Scenario.EXPECTED) -> dict[str, Any]:
    """Return everything about one stage; `profile` is the column that totals and headroom are judged by."""
    return {
        "stage": estimated.plan.config.service.stage.value,
        "name": estimated.plan.name,
        "profile": profile.value,
        "lines": [_line(line) for line in estimated.lines],
        "totals": _interval(estimated.total),
        "usd_per_user": {key: round(value, 6) for key, value in _figures(estimated.per_user).items()},
        "hardware": [_line(line) for line in estimated.hardware],
        "hardware_totals": _interval(estimated.hardware_total),
        "budget": estimated.budget_usd,
        "headroom": _cents(estimated.headroom_usd(profile)),
        "unpriced": [{"name": each.name, "sku": each.sku, "region": each.region} for each in estimated.unpriced],
        "stale_prices": [{"sku": price.sku, "expired_on": str(price.source.expires_on)} for price in estimated.stale],
        "notes": list(estimated.notes),
        "guardrails": _guardrails(guardrails(estimated, today)),
        "plan": _plan(estimated),
        "tornado": [
            {
                "input": swing.input,
                "kind": swing.kind,
                "usd_at_low": _cents(swing.low_usd),
                "usd_at_high": _cents(swing.high_usd),
            }
            for swing in tornado(estimated)
        ],
    }


def diff_as_json(diff: CostDiff) -> dict[str, Any]:
    """Return a change of cost."""
    return {
        "before": {"name": diff.before.plan.name, "totals": _interval(diff.before.total)},
        "after": {"name": diff.after.plan.name, "totals": _interval(diff.after.total)},
        "usd_change": _cents(diff.change_usd),
        "percent_change": round(100 * diff.change_ratio, 2),
        "headroom": _cents(diff.after.headroom_usd()),
        "changes": [
            {
                "name": change.name,
                "usd_before": None if change.before_usd is None else _cents(change.before_usd),
                "usd_after": None if change.after_usd is None else _cents(change.after_usd),
            }
            for change in diff.changes
        ],
        "guardrails": _guardrails(diff.guardrails),
    }


def _line(line: Line) -> dict[str, Any]:
    price = line.price
    return {
        "name": line.name,
        "plan_line": line.line.value,
        "vendor": price.vendor,
        "service": price.service,
        "sku": price.sku,
        "region": price.region,
        "quantity": line.quantity.expected,
        "quantity_low": line.quantity.low,
        "quantity_high": line.quantity.high,
        "unit": price.unit,
        "usd_low": _cents(line.usd.low),
        "usd_expected": _cents(line.usd.expected),
        "usd_high": _cents(line.usd.high),
        "usd_taken_off": _cents(line.taken_off_usd),
        "source": price.source.text,
        "read_on": str(price.source.read_on),
        "confidence": price.confidence.value,
        "why": line.why,
    }


def _plan(estimated: Estimate) -> dict[str, Any]:
    planned = GROWTH_PLAN[estimated.plan.config.service.stage]
    return {
        "usd_sum": planned.sum_usd,
        "usd_budget": planned.budget_usd,
        "lines": [
            {
                "line": row.line.value,
                "usd_planned": row.planned_usd,
                "usd_expected": _cents(row.estimated.expected),
                "usd_difference": _cents(row.difference_usd),
                "reason": row.reason,
            }
            for row in against_plan(estimated)
        ],
    }


def _guardrails(found: Iterable[Guardrail]) -> list[dict[str, str]]:
    return [{"name": rule.name, "verdict": rule.verdict.value, "found": rule.found} for rule in found]


def _figures(interval: Interval) -> dict[str, float]:
    return {f"usd_{scenario}": interval.at(scenario) for scenario in Scenario}


def _interval(interval: Interval) -> dict[str, float]:
    return {key: _cents(value) for key, value in _figures(interval).items()}


def _cents(usd: float) -> float:
    return round(usd, 2) + 0.0  # no negative zero

"""What an estimate, and a change of it, must not do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from dreamseed.cost.estimate import Estimate


class Verdict(StrEnum):
    """How a guardrail stands."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    ACCEPTED = "accepted"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardrail:
    """One rule: what was found, and where it failed what to do."""

    name: str
    verdict: Verdict
    found: str


def guardrails(estimated: Estimate, today: date) -> tuple[Guardrail, ...]:
    """Return every rule that an estimate is held to: prices, budget, worst case."""
    return (_priced(estimated), _budget(estimated, today), _worst_case(estimated))


def passes(found: tuple[Guardrail, ...]) -> bool:
    """Tell whether none of the rules failed."""
    return all(rule.verdict is not Verdict.FAIL for rule in found)


def _priced(estimated: Estimate) -> Guardrail:
    if not estimated.unpriced:
        return Guardrail(name="prices", verdict=Verdict.PASS, found="everything has a price")
    missing = "; ".join(map(str, estimated.unpriced))
    return Guardrail(
        name="prices",
        verdict=Verdict.FAIL,
        found=f"{missing}. The total leaves it out: add a row to dreamseed/catalog/prices",
    )


def _budget(estimated: Estimate, today: date) -> Guardrail:
    over = -estimated.headroom_usd()
    budget = f"the budget of {estimated.budget_usd:,.0f} USD"
    if over <= 0:
        return Guardrail(name="budget", verdict=Verdict.PASS, found=f"{-over:,.2f} USD below {budget}")
    accepted = estimated.plan.config.budget.accepted_overrun
    found = f"{over:,.2f} USD above {budget}"
    if accepted is None:
        remedy = "spend less, or record budget.accepted_overrun with its reason and end"
        return Guardrail(name="budget", verdict=Verdict.FAIL, found=f"{found}; {remedy}")
    if today > accepted.until:
        return Guardrail(
            name="budget", verdict=Verdict.FAIL, found=f"{found}; the accepted overrun ended on {accepted.until}"
        )
    if over > accepted.usd_per_month:
        return Guardrail(
            name="budget", verdict=Verdict.FAIL, found=f"{found}; only {accepted.usd_per_month:,.2f} USD are accepted"
        )
    return Guardrail(
        name="budget",
        verdict=Verdict.ACCEPTED,
        found=f"{found}; {accepted.usd_per_month:,.2f} USD are accepted until {accepted.until}: {accepted.reason}",
    )


def _worst_case(estimated: Estimate) -> Guardrail:
    limit = estimated.plan.config.budget.guardrails.worst_case_usd_per_month
    worst = estimated.total.high
    verdict = Verdict.PASS if worst <= limit else Verdict.FAIL
    where = "within" if worst <= limit else "above"
    return Guardrail(
        name="worst case", verdict=verdict, found=f"{worst:,.2f} USD, {where} the limit of {limit:,.0f} USD"
    )

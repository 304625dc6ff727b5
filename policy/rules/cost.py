"""What the stage may cost is announced, and its estimate is within its guardrails."""

from __future__ import annotations

from collections.abc import Iterator

from dreamseed.cost.estimate import Estimate, estimate
from dreamseed.cost.guardrails import Verdict, guardrails
from dreamseed.planning.planner import plan_stage
from policy.model import Resource, Rule, Severity, Stage, of_type

BUDGET = "gcp:billing/budget:Budget"
NANOS = 1_000_000_000


def _announced(resource: Resource, stage: Stage) -> Iterator[str]:
    amount = resource.at("amount.specifiedAmount", {})
    usd = float(amount.get("units", 0)) + float(amount.get("nanos", 0)) / NANOS
    if not 0 < usd <= stage.config.budget.cloud_share_usd_per_month:
        yield f"it watches over {usd:g} USD, and the stage's share is {stage.config.budget.cloud_share_usd_per_month:g}"
    rules = {(rule.get("spendBasis"), rule.get("thresholdPercent")) for rule in resource.at("thresholdRules", [])}
    for basis, meaning in (("CURRENT_SPEND", "spent"), ("FORECASTED_SPEND", "forecast")):
        if (basis, 1) not in rules:
            yield f"nobody is told when the whole of it is {meaning}"
    update = resource.at("allUpdatesRule", {})
    if not update.get("monitoringNotificationChannels"):
        yield "nobody is written to"


def _estimate(stage: Stage) -> Estimate:
    return estimate(plan_stage(stage.config, stage.name), today=stage.today)


def _estimated(_: Resource, stage: Stage) -> Iterator[str]:
    verdicts = guardrails(_estimate(stage), stage.today)
    yield from (f"{rule.name}: {rule.found}" for rule in verdicts if rule.verdict is Verdict.FAIL)


def _old_prices(_: Resource, stage: Stage) -> Iterator[str]:
    stale = _estimate(stage).stale
    yield from (f"the price of {price.sku} was to be read again by {price.source.expires_on}" for price in stale)


RULES = (
    Rule(
        name="budget-is-announced",
        description="The cloud's budget is the stage's share, and somebody is told of it, spent or forecast.",
        remedy="take the amount from budget in the stage file, with thresholds of 100 % spent and forecast",
        guards=of_type(BUDGET),
        faults=_announced,
    ),
    Rule(
        name="cost-guardrails",
        description="The stage's estimate has every price, is within its budget, and its worst case within its limit.",
        remedy="see `dreamseed cost STAGE` for the lines and `--fit` for what fits",
        guards=of_type(BUDGET),
        faults=_estimated,
    ),
    Rule(
        name="prices-are-fresh",
        description="No price that the stage's estimate uses is past its shelf life.",
        remedy="read it again at its source, and write its row in dreamseed/catalog/prices with today's date",
        guards=of_type(BUDGET),
        faults=_old_prices,
        severity=Severity.ADVISORY,
    ),
)

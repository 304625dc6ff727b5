"""What the page reports: plan, estimate and claims of each stage, one forecast, and where all that is from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from dreamseed.catalog.growth_scenarios import Scenario
from dreamseed.config import STAGE_NAMES, Stage, stage_file
from dreamseed.cost import Estimate, estimate
from dreamseed.cost.fit import FitResult, fit_overrun
from dreamseed.cost.guardrails import Guardrail, guardrails
from dreamseed.growth.costs import Costs
from dreamseed.growth.forecast import Forecast, Request, forecast
from dreamseed.growth.ladder import ladder
from dreamseed.planning.departures import Departure, departures
from dreamseed.planning.planner import plan_stage_file
from dreamseed.planning.stage_plan import StagePlan
from dreamseed.planning.survivability import Claim, survivability
from dreamseed.report.origin import Origin

DEFAULT_MONTHS = 48
"""In the realistic scenario stage E begins in month 45."""


@dataclass(frozen=True, kw_only=True)
class StageFacts:
    """One stage. Money is USD a month. `fit` says what would come within the budget, None where the stage is."""

    plan: StagePlan
    estimate: Estimate
    guardrails: tuple[Guardrail, ...]
    fit: FitResult | None
    claims: tuple[Claim, ...]
    departures: tuple[Departure, ...]

    @property
    def stage(self) -> Stage:
        """Return its letter."""
        return self.plan.config.service.stage

    @property
    def name(self) -> str:
        """Return the name of its file, `stage-a`, which is also its place on the page."""
        return self.plan.name


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything that the page says, as of `day`."""

    day: date
    origin: Origin
    stages: tuple[StageFacts, ...]
    growth: Forecast


def gather(project: Path, origin: Origin, *, day: date, scenario: Scenario, months: int = DEFAULT_MONTHS) -> Report:
    """Return the facts of the project's stage files as of `day`, which is also month 0 of the forecast.

    Raises `ConfigErrors`, `PlanError` for a stage file that is wrong and `GrowthError` for `months` beyond 1 to 360.
    """
    request = Request(scenario=scenario, start=day, months=months, costs=Costs.ESTIMATE)
    stages = tuple(_stage(plan_stage_file(stage_file(project, name), project), day) for name in STAGE_NAMES)
    totals = {facts.stage: facts.estimate.total for facts in stages}
    rungs = ladder((facts.plan.config for facts in stages), totals.__getitem__)
    return Report(day=day, origin=origin, stages=stages, growth=forecast(request, rungs))


def _stage(plan: StagePlan, day: date) -> StageFacts:
    estimated = estimate(plan, today=day)
    return StageFacts(
        plan=plan,
        estimate=estimated,
        guardrails=guardrails(estimated, day),
        fit=fit_overrun(estimated, day),
        claims=survivability(plan),
        departures=departures(plan),
    )

"""A whole forecast: one trajectory at the plan's values, a simulation around it, money, KPIs and dates."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np

from dreamseed.catalog.growth_scenarios import Scenario
from dreamseed.config.types import Stage
from dreamseed.growth.costs import Costs
from dreamseed.growth.kpis import Kpi, UnitEconomics, kpis, unit_economics
from dreamseed.growth.ladder import Ladder, entry_months
from dreamseed.growth.models import Model, trajectories
from dreamseed.growth.money import Assumptions, MonthMoney, StageMoney, months_money, stage_money
from dreamseed.growth.notes import notes
from dreamseed.growth.parameters import GrowthError, single
from dreamseed.growth.simulation import Simulation, simulate
from dreamseed.growth.timing import lead_days, month_after, order_ordinals, percentiles

HORIZON_MONTHS = 360
"""How far stages are looked for, whatever is shown: 30 years, in which all three scenarios reach E."""
DEFAULT_RUNS = 1_000
DEFAULT_SEED = 1


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked: `known` are parameters that replace the scenario's, by the name of `Parameters`' fields, and
    `costs` says where the costs of the ladder are from.

    Raises `GrowthError` when `months` is not from 1 to 360.
    """

    scenario: Scenario
    start: date
    model: Model = Model.PLAN
    months: int = 24
    runs: int = DEFAULT_RUNS
    seed: int = DEFAULT_SEED
    known: Mapping[str, float] = field(default_factory=dict)
    assumed: Assumptions = field(default_factory=Assumptions)
    costs: Costs = Costs.PLAN

    def __post_init__(self) -> None:
        if not 1 <= self.months <= HORIZON_MONTHS:
            raise GrowthError(
                "grow › months",
                f"{self.months} is out of range",
                "growth takes at least a month, and nobody knows anything beyond 30 years",
                f"1 to {HORIZON_MONTHS}",
            )


@dataclass(frozen=True, kw_only=True)
class Spread:
    """The 10th, 50th and 90th percentile over the runs; None stands for never within the horizon."""

    p10: float | None
    p50: float | None
    p90: float | None


@dataclass(frozen=True, kw_only=True)
class Days:
    """As `Spread`, in days of the calendar."""

    p10: date | None
    p50: date | None
    p90: date | None


@dataclass(frozen=True, kw_only=True)
class Entry:
    """When a stage begins and by when its hardware must be ordered; nothing is ordered for the first stage.

    `month` and `order_by` are those of the scenario's own values. An `order_by` before the start is overdue.
    """

    stage: Stage
    begins_above_sign_ups: int
    month: int | None
    begins_on: date | None
    months: Spread
    share_of_runs: float
    new_gpus: int
    new_servers: int
    order_by: date | None
    order_days: Days


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """Everything that a forecast says; `months` begin with month 0, `users` are the runs' percentiles of each month."""

    request: Request
    parameters: Mapping[str, float]
    ladder: Ladder
    months: tuple[MonthMoney, ...]
    users: tuple[Spread, ...]
    entries: tuple[Entry, ...]
    stages: tuple[StageMoney, ...]
    one: UnitEconomics
    kpis: tuple[Kpi, ...]
    notes: tuple[str, ...]


def forecast(request: Request, rungs: Ladder) -> Forecast:
    """Return the forecast that `request` asks for; raises `GrowthError` when it asks for what cannot be."""
    given = single(request.scenario, request.known)
    parameters = {name: float(values[0]) for name, values in vars(given).items()}
    grown = trajectories(request.model, given, HORIZON_MONTHS)
    simulated = simulate(
        request.model,
        request.scenario,
        request.known,
        rungs,
        months=HORIZON_MONTHS,
        runs=request.runs,
        seed=request.seed,
    )
    months = tuple(months_money(grown, rungs, request.assumed, request.months))
    one = unit_economics(months[-1], parameters["churn"], request.assumed)
    entered = entry_months(rungs, grown.sign_ups)[:, 0]
    return Forecast(
        request=request,
        parameters=parameters,
        ladder=rungs,
        months=months,
        users=tuple(_spread(simulated.trajectories.sign_ups[:, month]) for month in range(request.months + 1)),
        entries=tuple(_entries(request.start, rungs, entered.tolist(), simulated)),
        stages=tuple(stage_money(rung, parameters["churn"], request.assumed.price_usd_per_month) for rung in rungs),
        one=one,
        kpis=kpis(months[-2], months[-1], parameters["k"], one, request.assumed),
        notes=tuple(notes(request.model, request.costs, months, rungs, entered.tolist(), request.assumed)),
    )


def _spread(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Spread:
    p10, p50, p90 = (value if math.isfinite(value) else None for value in percentiles(values))
    return Spread(p10=p10, p50=p50, p90=p90)


def _entries(start: date, rungs: Ladder, entered: list[float], simulated: Simulation) -> Iterator[Entry]:
    for index, rung in enumerate(rungs):
        months = simulated.entries[index]
        month = int(entered[index]) if math.isfinite(entered[index]) else None
        begins_on = month_after(start, month) if month is not None else None
        # The first stage stands already.
        order = lead_days(rung.new_gpus, rung.new_servers) if index else 0
        orders = Days(p10=None, p50=None, p90=None)
        if order:
            lead = simulated.server_lead_days if rung.new_servers else simulated.gpu_lead_days
            spread = _spread(order_ordinals(start, months, lead, HORIZON_MONTHS))
            orders = Days(p10=_day(spread.p10), p50=_day(spread.p50), p90=_day(spread.p90))
        yield Entry(
            stage=rung.stage,
            begins_above_sign_ups=rung.begins_above_sign_ups,
            month=month,
            begins_on=begins_on,
            months=_spread(months),
            share_of_runs=float(np.isfinite(months).mean()),
            new_gpus=rung.new_gpus if index else 0,
            new_servers=rung.new_servers if index else 0,
            order_by=begins_on - timedelta(days=order) if begins_on and order else None,
            order_days=orders,
        )


def _day(ordinal: float | None) -> date | None:
    return date.fromordinal(int(ordinal)) if ordinal is not None else None

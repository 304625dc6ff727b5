"""`dreamseed grow`: how users may grow, what that brings and costs, and when the next stage must be ready."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from dreamseed.catalog.growth_scenarios import Scenario
from dreamseed.catalog.revenue_plan import PRICE_USD_PER_MONTH
from dreamseed.commands.options import write_file
from dreamseed.config import STAGE_NAMES, StageConfig, find_project, load_stage, stage_file
from dreamseed.growth.costs import Costs, cost_of_stage
from dreamseed.growth.forecast import DEFAULT_RUNS, DEFAULT_SEED, Request, forecast
from dreamseed.growth.ladder import ladder
from dreamseed.growth.models import Model
from dreamseed.growth.money import Assumptions
from dreamseed.growth.report import forecast_as_json, forecast_svg, forecast_tables

NARROWEST = 140
"""Columns of a table that goes to a file or a pipe."""


def grow(
    scenario: Annotated[Scenario, typer.Option(help="The plan's scenario of K and churn.")] = Scenario.REALISTIC,
    months: Annotated[int, typer.Option(help="Months to show.")] = 24,
    model: Annotated[Model, typer.Option(help="What K means: the plan's rate, cohorts, or viral cycles.")] = Model.PLAN,
    runs: Annotated[int, typer.Option(help="Runs of the simulation.")] = DEFAULT_RUNS,
    seed: Annotated[int, typer.Option(help="Seed of the simulation: the same seed, the same numbers.")] = DEFAULT_SEED,
    start: Annotated[str | None, typer.Option(help="Month 0 as YYYY-MM-DD (default: today).")] = None,
    users: Annotated[float | None, typer.Option(help="Users at month 0 instead of the plan's.")] = None,
    k: Annotated[float | None, typer.Option("--k", help="K instead of the scenario's, in every run.")] = None,
    churn: Annotated[float | None, typer.Option(help="Churn a month, 0 to 1, instead of the scenario's.")] = None,
    cycle_months: Annotated[float | None, typer.Option(help="Cycle of the viral model in months.")] = None,
    costs: Annotated[Costs, typer.Option(help="Estimated costs, or the plan's budgets.")] = Costs.ESTIMATE,
    price: Annotated[float, typer.Option(help="USD a month of a paying user.")] = PRICE_USD_PER_MONTH,
    cac: Annotated[float | None, typer.Option(help="USD to win one paying user.")] = None,
    fixed_costs: Annotated[float, typer.Option(help="USD a month besides the infrastructure: people, rent.")] = 0.0,
    cash: Annotated[float | None, typer.Option(help="USD at month 0, for the runway.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The whole forecast for machines.")] = False,
    plot: Annotated[Path | None, typer.Option(help="Write the curves to this SVG file too.")] = None,
    project: Annotated[Path | None, typer.Option(help="The folder with Pulumi.yaml (default: found upwards).")] = None,
) -> None:
    """Print how users grow, when each stage begins and its hardware must be ordered, revenue, cost and KPIs.

    Exit status 1 with the place, the reason and the remedy when a figure is out of its range.
    """
    configs = _configs(project)
    given = {"users": users, "k": k, "churn": churn, "cycle_months": cycle_months}
    request = Request(
        scenario=scenario,
        model=model,
        months=months,
        runs=runs,
        seed=seed,
        start=_start(start, configs[0]),
        costs=costs,
        known={name: value for name, value in given.items() if value is not None},
        assumed=Assumptions(
            price_usd_per_month=price, cac_usd_per_payer=cac, fixed_usd_per_month=fixed_costs, cash_usd=cash
        ),
    )
    shown = forecast(request, ladder(configs, cost_of_stage(costs, configs)))
    if plot:
        write_file("--plot", plot, forecast_svg(shown))
    if as_json:
        typer.echo(json.dumps(forecast_as_json(shown), indent=1, ensure_ascii=False))
        return
    console = Console()
    if not console.is_terminal:
        console = Console(width=max(console.width, NARROWEST))
    console.print(forecast_tables(shown), highlight=False)


def _configs(project: Path | None) -> list[StageConfig]:
    folder = find_project(project or Path.cwd())
    return [load_stage(stage_file(folder, name), folder) for name in STAGE_NAMES]


def _start(text: str | None, config: StageConfig) -> date:
    if text is None:
        return datetime.now(ZoneInfo(config.service.time_zone)).date()
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"--start {text!r} is no day: write it as YYYY-MM-DD, such as 2027-01-31") from error

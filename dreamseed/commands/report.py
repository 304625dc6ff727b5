"""`dreamseed report`: the five stages on one page, for a browser."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from dreamseed.catalog.growth_scenarios import Scenario
from dreamseed.commands.options import write_file
from dreamseed.config import STAGE_NAMES, find_project, load_stage, stage_file
from dreamseed.report import DEFAULT_MONTHS, gather, origin_of, report_page


def report(
    output: Annotated[Path, typer.Option(help="The file to write.")] = Path("report.html"),
    scenario: Annotated[Scenario, typer.Option(help="The growth plan's scenario of K and churn.")] = Scenario.REALISTIC,
    months: Annotated[int, typer.Option(help="Months of growth to show, 1 to 360.")] = DEFAULT_MONTHS,
    day: Annotated[
        str | None,
        typer.Option(help="Month 0, and the day that prices are judged on, as YYYY-MM-DD (default: today)."),
    ] = None,
    project: Annotated[Path | None, typer.Option(help="The folder with Pulumi.yaml (default: found upwards).")] = None,
) -> None:
    """Write one HTML file: the stages, their cost against budgets, growth, what they survive and promise.

    The file holds everything it shows: it loads nothing and runs no script. A stage above its budget is shown as such
    and is no error here; `dreamseed cost` is the gate.
    """
    folder = find_project(project or Path.cwd())
    command = f"dreamseed report --scenario {scenario} --months {months}"
    found = gather(folder, origin_of(folder, command), day=_day(day, folder), scenario=scenario, months=months)
    write_file("--output", output, report_page(found))
    typer.echo(f"{output}: five stages as of {found.day}, {output.stat().st_size / 1_000:,.0f} kB")


def _day(text: str | None, folder: Path) -> date:
    if text is None:
        time_zone = load_stage(stage_file(folder, STAGE_NAMES[0]), folder).service.time_zone
        return datetime.now(ZoneInfo(time_zone)).date()
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"--day {text!r} is no day: write it as YYYY-MM-DD, such as 2027-01-31") from error

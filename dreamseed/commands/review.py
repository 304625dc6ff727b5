"""`dreamseed review` and `dreamseed slo`: the feedback loop over a running stage."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

from dreamseed.commands.generated import save
from dreamseed.commands.options import known_stage
from dreamseed.config import STAGE_NAMES, StageConfig, find_project, load_stage, stage_file
from dreamseed.cost.actuals import read_bill
from dreamseed.monitoring.slo import BURN_WINDOWS, MINIMUM_FAILURES, PERIOD_HOURS, budget, objectives, plain
from dreamseed.review.observed import BUDGETS_LEFT, observe
from dreamseed.review.periods import MONTH_DAYS, WEEK_DAYS, monthly, weekly
from dreamseed.review.prometheus import Prometheus
from dreamseed.review.report import UNKNOWN, as_html, as_markdown

PROMETHEUS_HELP = "URL of the stage's Prometheus, such as http://10.20.0.11:9090."
STAGE_HELP = f"One of {', '.join(STAGE_NAMES)}."
UNTIL_HELP = "The moment until which it looks back, such as 2026-11-23T09:00 (default: now)."


class Period(StrEnum):
    """How far a review looks back."""

    WEEKLY = "weekly"
    MONTHLY = "monthly"


def review(
    period: Annotated[Period, typer.Argument(help="A week, or 30 days.")],
    stage: Annotated[str, typer.Option(help=STAGE_HELP)],
    prometheus: Annotated[str, typer.Option(help=PROMETHEUS_HELP)],
    bill: Annotated[Path | None, typer.Option(help="The month's bill as FOCUS CSV, for days that stand out.")] = None,
    until: Annotated[datetime | None, typer.Option(help=UNTIL_HELP)] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write Markdown to this file, not to the terminal.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page to this file, too.")] = None,
    project: Annotated[Path | None, typer.Option(help="The folder with Pulumi.yaml (default: found upwards).")] = None,
) -> None:
    """Print the growth plan's review from a running stage: users, cost, signals, what to do, the next stage.

    What nobody measured is "unknown", never a guess. Exit status 1 when Prometheus does not answer.
    """
    folder = find_project(project or Path.cwd())
    config, following = _stage(stage, folder), None
    if stage != STAGE_NAMES[-1]:
        following = _stage(STAGE_NAMES[STAGE_NAMES.index(stage) + 1], folder)
    days, made = (WEEK_DAYS, weekly) if period is Period.WEEKLY else (MONTH_DAYS, monthly)
    seen = observe(Prometheus(prometheus), _moment(until, config), days)
    found = made(config, following, seen, read_bill(bill) if bill else None)
    if markdown:
        save(markdown, as_markdown(found))
    if html:
        save(html, as_html(found))
    if not markdown:
        typer.echo(as_markdown(found), nl=False)


def slo(
    stage: Annotated[str | None, typer.Option(help=f"{STAGE_HELP} Default: all.")] = None,
    prometheus: Annotated[str | None, typer.Option(help=f"{PROMETHEUS_HELP} Default: only the objectives.")] = None,
    until: Annotated[datetime | None, typer.Option(help=UNTIL_HELP)] = None,
    project: Annotated[Path | None, typer.Option(help="The folder with Pulumi.yaml (default: found upwards).")] = None,
) -> None:
    """Print the objectives of a stage, their error budgets and burn alerts, and what a Prometheus says is left."""
    folder = find_project(project or Path.cwd())
    console = Console()
    if not console.is_terminal:
        console = Console(width=max(console.width, 130))
    for name in [stage] if stage else STAGE_NAMES:
        config = _stage(name, folder)
        left = Prometheus(prometheus).values(BUDGETS_LEFT, _moment(until, config), "slo") if prometheus else None
        console.print(_objectives(name, config, left))


def _objectives(name: str, config: StageConfig, left: dict[str, float] | None) -> Table:
    windows = [f"{pair.long}/{pair.short}" for pair in BURN_WINDOWS]
    table = Table(title=f"{name}: objectives over 30 days", title_justify="left")
    for heading in ("objective", "target", "budget", *windows, "events in 1h", *(["left"] if left is not None else [])):
        table.add_column(heading, justify="left" if heading == "objective" else "right")
    for one in objectives(config.slo):
        hours = float(budget(one.target)) * PERIOD_HOURS
        ratios = [f"{plain(pair.error_ratio(one.target) * 100)} %" for pair in BURN_WINDOWS]
        now = [UNKNOWN if one.name not in left else f"{left[one.name]:.1%}"] if left is not None else []
        row = (one.title, f"{one.target * 100:g} %", f"{hours:.2f} h")
        table.add_row(*row, *ratios, str(BURN_WINDOWS[0].minimum_events(one.target)), *now)
    table.caption = (
        "under each pair of windows: the share of failures above which it alerts; and how many events an hour needs, "
        f"so that this means {MINIMUM_FAILURES} failures"
    )
    return table


def _stage(name: str, folder: Path) -> StageConfig:
    return load_stage(stage_file(folder, known_stage(name)))


def _moment(until: datetime | None, config: StageConfig) -> datetime:
    """Return the moment in the service's time zone."""
    zone = ZoneInfo(config.service.time_zone)
    return datetime.now(UTC).astimezone(zone) if until is None else until.replace(tzinfo=zone)

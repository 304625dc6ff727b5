"""`dreamseed facts`: the daily facts that promotions are decided on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from dreamseed.commands.options import known_stage
from dreamseed.config import STAGE_NAMES, find_project, load_stage, stage_file
from dreamseed.facts.collect import collect
from dreamseed.facts.days import days_until, last_full_day
from dreamseed.facts.imports import import_facts
from dreamseed.facts.measures import MEANING
from dreamseed.facts.store import STORE_FILE, Store
from dreamseed.review.prometheus import Prometheus

app = typer.Typer(help="The daily facts that promotions are decided on.", no_args_is_help=True)
STORE_HELP = f"The store of facts (default: {STORE_FILE} in the project's folder)."
PROJECT_HELP = "The folder with Pulumi.yaml (default: found upwards)."
DEFAULT_DAYS = 3
"""Days looked back at: data that came late within them supersedes what was recorded."""


@app.command("collect")
def from_prometheus(
    stage: Annotated[str, typer.Option(help=f"The stage that stands: one of {', '.join(STAGE_NAMES)}.")],
    prometheus: Annotated[str, typer.Option(help="URL of its Prometheus, such as http://10.20.0.11:9090.")],
    days: Annotated[int, typer.Option(min=1, max=400, help="How many full days to ask for.")] = DEFAULT_DAYS,
    store: Annotated[Path | None, typer.Option(help=STORE_HELP)] = None,
    project: Annotated[Path | None, typer.Option(help=PROJECT_HELP)] = None,
) -> None:
    """Record what a stage's Prometheus knows of the last full days; what has no sample is recorded as unknown."""
    known_stage(stage)
    folder = find_project(project or Path.cwd())
    config, now = load_stage(stage_file(folder, stage)), datetime.now(UTC)
    newest = last_full_day(now, ZoneInfo(config.service.time_zone))
    found = list(collect(Prometheus(prometheus), config, days_until(newest, days), f"Prometheus at {prometheus}"))
    added = Store(store or folder / STORE_FILE).record(found, now)
    unknown = sum(one.value is None for one in found)
    first = newest - timedelta(days=days - 1)
    typer.echo(f"{first} to {newest}: {len(found)} figures, {unknown} unknown, {added} new rows")


@app.command("import")
def from_file(
    file: Annotated[Path, typer.Argument(help="A .csv or .json file: measure, day, value, source, coverage.")],
    store: Annotated[Path | None, typer.Option(help=STORE_HELP)] = None,
    project: Annotated[Path | None, typer.Option(help=PROJECT_HELP)] = None,
) -> None:
    """Record facts that no Prometheus knows, such as revenue, the reserve and what a person looked up."""
    found = import_facts(file)
    path = store or find_project(project or Path.cwd()) / STORE_FILE
    added = Store(path).record(found, datetime.now(UTC))
    typer.echo(f"{file}: {len(found)} facts, {added} new rows")


@app.command("measures")
def measures() -> None:
    """Print which measures there are, and what each means."""
    for measure, meaning in MEANING.items():
        typer.echo(f"{measure:<24} {meaning}")


@app.command("check")
def check(
    store: Annotated[Path | None, typer.Option(help=STORE_HELP)] = None,
    project: Annotated[Path | None, typer.Option(help=PROJECT_HELP)] = None,
) -> None:
    """Check that every row of the store is as it was written; exit status 1 when one is not."""
    path = store or find_project(project or Path.cwd()) / STORE_FILE
    kept = Store(path)
    kept.check()
    rows = kept.rows()
    superseded = sum(row.supersedes is not None for row in rows)
    typer.echo(f"{path}: {len(rows)} rows as they were written, {superseded} of them supersede another")

"""`dreamseed silence`: maintenance windows at a stage's Alertmanager."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dreamseed.commands.options import known_stage
from dreamseed.config import find_project, stage_file
from dreamseed.errors import DreamSeedError
from dreamseed.monitoring.silences import MAXIMUM_HOURS, close_silence, open_silence, silences, touched_alerts
from dreamseed.planning.planner import plan_stage_file

app = typer.Typer(help="Maintenance windows: what is silent at a stage's Alertmanager, and until when.")
URL_HELP = "URL of the stage's Alertmanager, such as http://10.20.0.11:9093."
PROMOTION_HELP = "Silence what this promotion may make fire, such as --promotion stage-b stage-c."
ALERT_HELP = "Silence this alert, too; may be given more than once."
MINUTES_HELP = f"When it ends by itself, at most {MAXIMUM_HOURS * 60}."

Url = Annotated[str, typer.Option("--alertmanager", help=URL_HELP)]


@app.command("open")
def open_window(
    alertmanager: Url,
    author: Annotated[str, typer.Option(help="Who wants it.")],
    reason: Annotated[str, typer.Option(help="Why, for whoever is paged next.")],
    minutes: Annotated[float, typer.Option(help=MINUTES_HELP)],
    promotion: Annotated[tuple[str, str] | None, typer.Option(help=PROMOTION_HELP)] = None,
    alert: Annotated[list[str] | None, typer.Option(help=ALERT_HELP)] = None,
    project: Annotated[Path | None, typer.Option(help="The folder with Pulumi.yaml (default: found upwards).")] = None,
) -> None:
    """Silence alerts until an end, and print the identifier that `dreamseed silence close` takes."""
    alerts = [*(alert or ()), *(_touched(promotion, project) if promotion else ())]
    typer.echo(open_silence(alertmanager, alerts, author=author, reason=reason, minutes=minutes))


@app.command("close")
def close_window(identifier: Annotated[str, typer.Argument(help="What `open` printed.")], alertmanager: Url) -> None:
    """End a silence now."""
    close_silence(alertmanager, identifier)


@app.command("list")
def list_windows(alertmanager: Url) -> None:
    """Print the silences that are open, a line each: identifier, end, author, reason, matchers."""
    for one in silences(alertmanager):
        until = one.ends.isoformat(timespec="minutes")
        typer.echo(f"{one.identifier} until {until} by {one.author}: {one.reason} ({', '.join(one.matchers)})")


def _touched(promotion: tuple[str, str], project: Path | None) -> tuple[str, ...]:
    folder = find_project(project or Path.cwd())
    stages = [known_stage(name) for name in promotion]
    alerts = touched_alerts(*(plan_stage_file(stage_file(folder, name), folder) for name in stages))
    if not alerts:
        raise DreamSeedError(
            f"silence › {' → '.join(promotion)}",
            "touches nothing that an alert is about",
            "there is nothing to silence",
            "another promotion, or --alert with the alert's name",
        )
    return alerts

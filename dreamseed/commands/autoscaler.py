"""`dreamseed autoscaler`: the spot workers' autoscaler, replayed on real traffic."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dreamseed.commands.options import write_file
from dreamseed.config import find_project, stage_file
from dreamseed.errors import PlanError
from dreamseed.planning.autoscaling import plan_settings
from dreamseed.planning.planner import plan_stage_file
from simulator.fleet.figure import figure_svg
from simulator.fleet.replay import SCALERS, replay, setting
from simulator.fleet.report import data, goal, table
from simulator.fleet.traces import SOURCES, trace

app = typer.Typer(help="The spot workers' autoscaler: replay it on real traffic, beside others.", no_args_is_help=True)


@app.command()
def settings(
    stage: Annotated[str, typer.Argument(help="The stage: stage-c, stage-d or stage-e.")],
    template: Annotated[str, typer.Option(help="The workers' template, as its self link.")],
    project: Annotated[Path | None, typer.Option(help="The folder with Pulumi.yaml (default: found upwards).")] = None,
) -> None:
    """Print the file that the daemon, `python -m autoscaler --settings`, is told everything by."""
    plan = plan_stage_file(stage_file(project or find_project(Path.cwd()), stage))
    if plan.burst is None:
        raise PlanError(stage, "the stage has no spot workers", "there is nothing to scale", "stage-c or later")
    typer.echo(plan_settings(plan.config, plan.layout, plan.burst, template).model_dump_json(indent=1))


@app.command("replay")
def replay_trace(
    of: Annotated[str, typer.Argument(metavar="TRACE", help=f"One of {', '.join(SOURCES)}.")],
    stage: Annotated[str, typer.Option(help="The stage whose engines serve: stage-c, stage-d or stage-e.")] = "stage-c",
    scaler: Annotated[list[str] | None, typer.Option(help="An autoscaler; may be given again (default: all).")] = None,
    seed: Annotated[int, typer.Option(help="Draws arrivals, lengths and faults; the same number draws the same.")] = 0,
    plot: Annotated[Path | None, typer.Option(help="Write the minutes to this SVG file.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file too.")] = None,
    project: Annotated[Path | None, typer.Option(help="The folder with Pulumi.yaml (default: found upwards).")] = None,
) -> None:
    """Play TRACE, scaled to the stage, on a simulated fleet: minutes outside the objective, dollars, changes.

    The trace's busiest hundredth of ten-minute windows is more than the owners' engines serve. Nothing is started or
    asked over a network.
    """
    plan = plan_stage_file(stage_file(project or find_project(Path.cwd()), stage))
    scaled = setting(plan, trace(of))
    console = Console()
    outcomes = [replay(scaled, name, seed) for name in _known(scaler or SCALERS)]
    console.print(table(outcomes))
    verdict = goal(outcomes)
    if verdict is not None:
        console.print(f"Goal {verdict}.")
    if plot is not None:
        write_file("--plot", plot, figure_svg(outcomes))
    if json_file is not None:
        write_file("--json", json_file, json.dumps(data(outcomes), indent=1) + "\n")


def _known(names: Iterable[str]) -> list[str]:
    """Return the names. Raises `PlanError` for one that is no autoscaler's, before minutes are spent on the others."""
    asked = list(names)
    for name in asked:
        if name not in SCALERS:
            raise PlanError(
                "--scaler", f"there is no autoscaler {name!r}", "each is re-implemented", f"one of {', '.join(SCALERS)}"
            )
    return asked

"""`dreamseed dashboards`: a stage's dashboards as files, or pushed to Grafana Cloud."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from dreamseed.commands.generated import save
from dreamseed.commands.options import known_stage
from dreamseed.config import STAGE_NAMES, find_project, stage_file
from dreamseed.monitoring.dashboards.push import TOKEN_VARIABLE, push
from dreamseed.planning.planner import plan_stage_file
from dreamseed.planning.services.monitoring_grafana import planned_dashboards


def dashboards(
    stage: Annotated[str, typer.Argument(help=f"One of {', '.join(STAGE_NAMES)}.")],
    push_to: Annotated[
        str | None,
        typer.Option("--push", metavar="URL", help=f"Write them there, with the token in {TOKEN_VARIABLE}."),
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Write them as files to this folder.")] = None,
    project: Annotated[Path | None, typer.Option(help="The folder with Pulumi.yaml (default: found upwards).")] = None,
) -> None:
    """Print which dashboards a stage has, write them as files, or push them to a Grafana such as Grafana Cloud.

    The stage's own Grafana needs none of this: its dashboards are files of its container.
    """
    known_stage(stage)
    folder = find_project(project or Path.cwd())
    found = planned_dashboards(plan_stage_file(stage_file(folder, stage), folder).containers)
    for one in found:
        if output:
            save(output / f"{one['uid']}.json", json.dumps(one, indent=1, ensure_ascii=False) + "\n")
        typer.echo(f"{one['uid']}: {one['title']}, {len(one['panels'])} panels")
    if push_to:
        for address in push(push_to, os.environ.get(TOKEN_VARIABLE, ""), found):
            typer.echo(address)

"""`dreamseed plan`: what a stage file means, for people or machines, before any engine or cloud is asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dreamseed.commands.plan_tables import show_plan, show_promotion
from dreamseed.config import STAGE_NAMES, find_project, stage_file
from dreamseed.errors import ConfigError
from dreamseed.planning.as_json import plan_as_json, promotion_as_json
from dreamseed.planning.promotion import plan_promotion
from dreamseed.planning.stage_plan import StagePlan, plan_stage_file

STAGE_HELP = f"A shipped stage: {', '.join(STAGE_NAMES)}."


def plan(
    stage: Annotated[str | None, typer.Argument(help=STAGE_HELP)] = None,
    file: Annotated[Path | None, typer.Option(help="Any stage file, instead of a shipped stage.")] = None,
    before: Annotated[
        str | None, typer.Option("--from", help="The stage before: show what the promotion does to the servers.")
    ] = None,
    why: Annotated[bool, typer.Option("--why", help="Show the GPU layouts that were refused, and why.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    project: Annotated[Path, typer.Option(help="The project's folder.")] = Path(),
) -> None:
    """Print the plan of a stage: placement, GPU layout, containers, invariants, what it survives, departures.

    Exit status 1, with place, reason and remedy, when the stage cannot work.
    """
    planned = _read(stage, file, project)
    console = Console(highlight=False)
    if before is not None:
        promotion = plan_promotion(_read(before, None, project), planned)
        if as_json:
            typer.echo(json.dumps(promotion_as_json(promotion), indent=2, ensure_ascii=False))
        else:
            show_promotion(promotion, console)
    elif as_json:
        typer.echo(json.dumps(plan_as_json(planned), indent=2, ensure_ascii=False))
    else:
        show_plan(planned, console, why=why)


def _read(stage: str | None, file: Path | None, project: Path) -> StagePlan:
    if (stage is None) == (file is None):
        raise ConfigError(
            "dreamseed plan",
            "names no stage" if stage is None else "names a stage and a file",
            "one stage is planned at a time",
            f"one of {', '.join(STAGE_NAMES)}, or --file PATH",
        )
    folder = find_project(project)
    if file is not None:
        return plan_stage_file(file, folder)
    if stage not in STAGE_NAMES:
        raise ConfigError(
            "dreamseed plan",
            f"there is no stage '{stage}'",
            "the growth plan has five",
            f"one of {', '.join(STAGE_NAMES)}, or --file PATH",
        )
    return plan_stage_file(stage_file(folder, stage), folder)

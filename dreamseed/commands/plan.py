"""`dreamseed plan`: what a stage file means, and what a promotion does to the servers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console, RenderableType

from dreamseed.config import STAGE_NAMES, find_project, stage_file
from dreamseed.errors import DreamSeedError
from dreamseed.planning.planner import plan_stage_file
from dreamseed.planning.promotion import plan_promotion, promotion_refusals
from dreamseed.planning.report import plan_as_json, plan_tables, promotion_as_json, promotion_tables
from dreamseed.planning.stage_plan import StagePlan

NARROWEST = 120
"""Columns of a table that goes to a file or a pipe."""


def plan(
    stage: Annotated[str | None, typer.Argument(help=f"One of {', '.join(STAGE_NAMES)}.")] = None,
    file: Annotated[Path | None, typer.Option(help="Any stage file, in place of a stage's name.")] = None,
    project: Annotated[Path | None, typer.Option(help="The folder with Pulumi.yaml (default: found upwards).")] = None,
    before: Annotated[str | None, typer.Option("--from", help="Show the promotion from this stage instead.")] = None,
    why: Annotated[bool, typer.Option("--why", help="Also what was not chosen, every port and every loss.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The whole plan for machines.")] = False,
) -> None:
    """Print what a stage means: load, GPU layout, containers, promises, what it survives, where it departs.

    Exit status 1 with the place, the reason and the remedy when the stage file is wrong or cannot work.
    """
    if (stage is None) == (file is None):
        raise typer.BadParameter(f"name a stage ({', '.join(STAGE_NAMES)}) or give one --file")
    planned = _plan(stage, file, project)
    if before is None:
        _show(plan_as_json(planned) if as_json else plan_tables(planned, why=why))
        return
    old = _plan(before, None, project or (file.parent if file else None))
    refusals = promotion_refusals(old, planned)
    if refusals:
        _refuse(refusals)
    promotion = plan_promotion(old, planned)
    _show(promotion_as_json(promotion) if as_json else promotion_tables(promotion))


def _plan(stage: str | None, file: Path | None, project: Path | None) -> StagePlan:
    if file is not None:
        return plan_stage_file(file, project)
    name = stage or ""
    folder = find_project(project or Path.cwd())
    path = stage_file(folder, name)
    if not path.is_file():
        there = sorted(found.stem.removeprefix("Pulumi.") for found in folder.glob("Pulumi.*.yaml"))
        raise typer.BadParameter(f"there is no stage {name!r} here: write one of {', '.join(there)}")
    return plan_stage_file(path, folder)


def _show(shown: dict[str, Any] | RenderableType) -> None:
    if isinstance(shown, dict):
        typer.echo(json.dumps(shown, indent=1, ensure_ascii=False))
        return
    console = Console()
    if not console.is_terminal:
        console = Console(width=max(console.width, NARROWEST))
    console.print(shown, highlight=False)


def _refuse(refusals: Sequence[DreamSeedError]) -> None:
    for refusal in refusals:
        typer.echo(str(refusal), err=True)
    raise typer.Exit(1)

"""`dreamseed schema`: write the JSON Schema of stage files, or check that it is fresh."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dreamseed.commands.generated import holds, save
from dreamseed.config import find_project
from dreamseed.config.schema import SCHEMA_PATH, schema_text


def schema(
    check: Annotated[bool, typer.Option("--check", help="write nothing; fail when the file is stale")] = False,
    project: Annotated[Path, typer.Option(help="the project's folder")] = Path(),
) -> None:
    """Write docs/reference/stage.schema.json, which the stage files' first line names to editors."""
    path = find_project(project) / SCHEMA_PATH
    text = schema_text()
    fresh = holds(path, text)
    if check and not fresh:
        typer.echo(f"{SCHEMA_PATH} is stale: a stage file may say other things than it does", err=True)
        typer.echo("  write instead: dreamseed schema", err=True)
        raise typer.Exit(1)
    if not check and not fresh:
        save(path, text)
    typer.echo(f"{SCHEMA_PATH} is {'fresh' if fresh else 'written'}")

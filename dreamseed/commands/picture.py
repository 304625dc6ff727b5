"""`dreamseed picture`: draw the topology of every stage, or check that the committed pictures are fresh."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dreamseed.config import find_project
from dreamseed.picture.files import pictures

REMEDY = "dreamseed picture"


def picture(
    check: Annotated[bool, typer.Option("--check", help="write nothing; fail when a picture is stale")] = False,
    project: Annotated[Path, typer.Option(help="the project's folder")] = Path(),
) -> None:
    """Draw docs/pictures/*.svg from the plans of the project's stage files."""
    folder = find_project(project)
    drawn = pictures(folder)
    stale = [path for path, text in drawn.items() if not _holds(folder / path, text)]
    if check and stale:
        typer.echo(f"{', '.join(stale)} no longer show what the plan says", err=True)
        typer.echo(f"  draw them anew: {REMEDY}", err=True)
        raise typer.Exit(1)
    for path in stale:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(drawn[path], encoding="utf-8")
        typer.echo(f"wrote {path}")
    if not stale:
        typer.echo(f"all {len(drawn)} pictures are fresh")


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text

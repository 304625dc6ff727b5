"""`dreamseed reference`: write the generated pages of the documentation, or check that they are fresh."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dreamseed.cli import build
from dreamseed.config import find_project
from dreamseed.reference.files import pages


def reference(
    check: Annotated[bool, typer.Option("--check", help="write nothing; fail when a page is stale")] = False,
    project: Annotated[Path, typer.Option(help="the project's folder")] = Path(),
) -> None:
    """Write docs/reference/*.md from models, plans and code: stages, promotions, components, commands."""
    folder = find_project(project)
    written = pages(folder, build())
    stale = [path for path, text in written.items() if not _holds(folder / path, text)]
    if check and stale:
        typer.echo(f"{', '.join(stale)} no longer say what the code says", err=True)
        typer.echo("  write them anew: dreamseed reference", err=True)
        raise typer.Exit(1)
    for path in stale:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(written[path], encoding="utf-8")
        typer.echo(f"wrote {path}")
    if not stale:
        typer.echo(f"all {len(written)} pages are fresh")


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text

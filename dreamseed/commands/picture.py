"""`dreamseed picture`: draw the topology of every stage, or check that the committed pictures are fresh."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dreamseed.commands.generated import keep_fresh
from dreamseed.config import find_project
from dreamseed.picture.files import pictures

REMEDY = "dreamseed picture"


def picture(
    check: Annotated[bool, typer.Option("--check", help="write nothing; fail when a picture is stale")] = False,
    project: Annotated[Path, typer.Option(help="the project's folder")] = Path(),
) -> None:
    """Draw docs/pictures/*.svg from the plans of the project's stage files."""
    folder = find_project(project)
    keep_fresh(
        folder,
        pictures(folder),
        check=check,
        fault="no longer show what the plan says",
        remedy=f"draw them anew: {REMEDY}",
        noun="pictures",
    )

"""`dreamseed reference`: write the generated pages of the documentation, or check that they are fresh."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dreamseed.cli import build
from dreamseed.commands.generated import keep_fresh
from dreamseed.config import find_project
from dreamseed.reference.files import pages


def reference(
    check: Annotated[bool, typer.Option("--check", help="write nothing; fail when a page is stale")] = False,
    project: Annotated[Path, typer.Option(help="the project's folder")] = Path(),
) -> None:
    """Write docs/reference/*.md from models, plans and code: stages, promotions, components, commands."""
    folder = find_project(project)
    keep_fresh(
        folder,
        pages(folder, build()),
        check=check,
        fault="no longer say what the code says",
        remedy="write them anew: dreamseed reference",
        noun="pages",
    )

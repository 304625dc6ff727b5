"""The frame of every experiment on the servers here: hosts of its own, ended whatever happens; findings; a verdict."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

from dreamseed.commands.mendable import MENDABLE, mendable
from dreamseed.commands.rehearse import rehearsed_project
from dreamseed.errors import DreamSeedError
from localtier.experiments.users import Users
from localtier.tier import TIERS, Tier
from rehearsal.runner import Project

LOG_COLUMNS = 150
JSON_HELP = "Write everything that was found to this file too, for machines."

JsonFile = Annotated[Path | None, typer.Option("--json", help=JSON_HELP)]


def wide_console() -> Console:
    """Return a console for wide tables: a file or a log has no width of its own."""
    return Console(width=None if sys.stdout.isatty() else LOG_COLUMNS)


@contextmanager
def experiment(folder: str, console: Console, problems: list[str], project: Project | None = None) -> Iterator[Tier]:
    """Yield a tier with hosts of its own, of `TIERS[folder]`, which are removed at the end with all that ran on them.

    What ends the block early is added to `problems` where a person can mend it, or wanted it by an interrupt from the
    keyboard, so that what was found before is shown. `project` stands in for the one that this is. Without what it
    takes to begin, exits with 1.
    """
    with mendable():
        tier = Tier(project or rehearsed_project(), console, folder, TIERS[folder])
        with ExitStack() as afterwards:
            afterwards.callback(tier.down, forget=True)
            afterwards.callback(Users(tier=tier).stop)
            try:
                yield tier
            except KeyboardInterrupt:
                problems.append("ended by hand")
            except (*MENDABLE, DreamSeedError) as error:
                problems.append(f"ended by {type(error).__name__}: {error}")


def conclude(problems: Sequence[str], found: Mapping[str, Any], json_file: Path | None) -> NoReturn:
    """Write what was found to `json_file`, where one is given, and exit with 1 if anything is wrong."""
    if json_file:
        content = {"passed": not problems, "problems": list(problems), **found}
        json_file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    raise typer.Exit(1 if problems else 0)

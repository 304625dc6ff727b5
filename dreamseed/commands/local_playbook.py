"""`dreamseed local playbook`: promotions by the playbook on real Docker Engines, under load, killed in each step."""

from __future__ import annotations

import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dreamseed.commands.local_experiments import LOG_COLUMNS, JsonFile, Last, up_to
from dreamseed.commands.mendable import MENDABLE, mendable
from dreamseed.commands.rehearse import rehearsed_project
from dreamseed.config import STAGE_NAMES
from dreamseed.errors import DreamSeedError
from localtier.experiments.users import Users
from localtier.tier import TIERS, Tier
from playbook.ascent import KILLS, PlaybookAscent

FOLDER = "promotion"
CLEAN_HELP = "Kill nothing: the run that another one's end states are compared with."
LIKE_HELP = "What --json wrote in a run without kills: each stage must end in the same state."
BACK_HELP = "Begin each promotion, kill it in its last step and undo it, before it is made."
USERS_HELP = "How many users k6 plays in the load test, at most; which share of the stage's that is, is told."


def playbook(
    last: Last = STAGE_NAMES[-1],
    clean: Annotated[bool, typer.Option("--clean", help=CLEAN_HELP)] = False,
    roll_back: Annotated[bool, typer.Option("--roll-back", help=BACK_HELP)] = False,
    like: Annotated[Path | None, typer.Option(help=LIKE_HELP)] = None,
    load_users: Annotated[int, typer.Option(help=USERS_HELP)] = 20,
    load_seconds: Annotated[float, typer.Option(help="How long k6 plays them.")] = 20.0,
    json_file: JsonFile = None,
) -> None:
    """Promote by the playbook from nothing up to a stage, killed in each of its steps and gone on with, under load.

    It has hosts of its own beside a stage that stands, and removes them. Facts are made up and keys made on the spot.
    Exit status 1 when a write is lost, a step is not verified, or a stage ends in another state than it should.
    """
    # The tables are wide; a file or a log has no width of its own.
    console = Console(width=None if sys.stdout.isatty() else LOG_COLUMNS)
    with mendable(), tempfile.TemporaryDirectory(prefix="dreamseed-playbook-") as folder:
        tier = Tier(rehearsed_project(), console, FOLDER, TIERS[FOLDER])
        ascent = PlaybookAscent(
            tier=tier,
            stages=up_to(last),
            folder=Path(folder),
            console=console,
            kills={} if clean else KILLS,
            roll_back=roll_back,
            load_users=load_users,
            load_seconds=load_seconds,
        )
        with ExitStack() as afterwards:
            afterwards.callback(tier.down, forget=True)
            afterwards.callback(Users(tier=tier).stop)
            try:
                ascent.run()
            except (*MENDABLE, DreamSeedError) as error:
                ascent.problems.append(f"ended by {type(error).__name__}: {error}")
    if like:
        ascent.compare(like)
    ascent.show()
    if json_file:
        ascent.write(json_file)
    raise typer.Exit(1 if ascent.problems else 0)

"""`dreamseed local playbook`: promotions by the playbook on real Docker Engines, under load, killed in each step."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from dreamseed.commands.experiment import JsonFile, conclude, experiment, wide_console
from dreamseed.commands.local_experiments import Last, up_to
from dreamseed.config import STAGE_NAMES
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
    console = wide_console()
    problems: list[str] = []
    with (
        tempfile.TemporaryDirectory(prefix="dreamseed-playbook-") as folder,
        experiment(FOLDER, console, problems) as tier,
    ):
        ascent = PlaybookAscent(
            tier=tier,
            stages=up_to(last),
            folder=Path(folder),
            console=console,
            kills={} if clean else KILLS,
            roll_back=roll_back,
            load_users=load_users,
            load_seconds=load_seconds,
            problems=problems,
        )
        ascent.run()
    if like:
        ascent.compare(like)
    ascent.show()
    conclude(problems, ascent.found, json_file)

"""`dreamseed local surge`: more load than the cards hold, and a spot worker that comes and goes."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from typing import Annotated

import typer
from rich.console import Console

from dreamseed.commands.local_experiments import LOG_COLUMNS, JsonFile
from dreamseed.commands.mendable import MENDABLE, mendable
from dreamseed.commands.rehearse import rehearsed_project
from dreamseed.config.load import STAGE_NAMES
from dreamseed.errors import DreamSeedError
from localtier.experiments.report import show_verdict, tell
from localtier.experiments.surge import HURRIED, PLANNED, play_case
from localtier.experiments.surge_episode import Case, problems
from localtier.experiments.surge_report import Found, episode_content, episode_table
from localtier.experiments.surge_stage import surge_stage
from localtier.experiments.users import Users
from localtier.load.runner import Rates
from localtier.load.targets import targets_of
from localtier.spot.settings import spot_plan
from localtier.tier import TIERS, Tier

FOLDER = "surge"
STAGE_HELP = f"The stage that is brought up; one with spot workers of {', '.join(STAGE_NAMES)}."
WHOLE_HELP = "Let the autoscaler wait as long as planned before a worker goes: about half an hour."
USERS = Rates(rows=1, row_reads=1, keys=2, key_reads=1, messages=1, chats=2)
"""Few, beside the surge: their chats are what may be lost when a worker goes."""


def surge(
    stage: Annotated[str, typer.Option(help=STAGE_HELP)] = "stage-c",
    whole: Annotated[bool, typer.Option("--whole", help=WHOLE_HELP)] = False,
    json_file: JsonFile = None,
) -> None:
    """Let k6 ask for more than the cards hold, twice: a spot worker comes, serves and drains; one is taken back.

    It has hosts of its own beside a stage that stands, and removes them. Exit status 1 when no worker served, when a
    request was lost, when there were more workers than may be, or when something is left of one.
    """
    if stage not in STAGE_NAMES:
        raise typer.BadParameter(f"there is no stage {stage!r}: write one of {', '.join(STAGE_NAMES)}")
    console = Console(width=None if sys.stdout.isatty() else LOG_COLUMNS)
    found = Found()
    with mendable():
        tier = Tier(rehearsed_project(), console, FOLDER, TIERS[FOLDER])
        spot_plan(tier.plan(stage))
        with ExitStack() as afterwards:
            afterwards.callback(tier.down, forget=True)
            afterwards.callback(Users(tier=tier).stop)
            try:
                _tried(tier, stage, console, found, whole=whole)
            except (*MENDABLE, DreamSeedError) as error:
                found.problems.append(f"ended by {type(error).__name__}: {error}")
    if found.episodes:
        console.print(episode_table(found))
    answers = sum(one.answers for one in found.episodes)
    show_verdict(found.problems, f"surges that a worker served: {len(found.episodes)}; its answers: {answers}", console)
    if json_file:
        content = {"passed": not found.problems, "problems": found.problems}
        episodes = [episode_content(one, found) for one in found.episodes]
        json_file.write_text(json.dumps(content | {"episodes": episodes}, indent=1) + "\n", encoding="utf-8")
    raise typer.Exit(1 if found.problems else 0)


def _tried(tier: Tier, stage: str, console: Console, found: Found, *, whole: bool) -> None:
    users = Users(tier=tier)
    found.problems += users.begin(stage)
    if found.problems:
        return
    plan = tier.plan(stage)
    load = users.load(plan)
    load.start(targets_of(plan), users.secrets(plan), USERS)
    with surge_stage(tier, plan, load, whole=whole) as running:
        found.policy = running.settings.policy
        for case in Case:
            tell(console, f"{case}: {found.users} users ask for more than the cards hold")
            episode = play_case(running, case, PLANNED if whole else HURRIED, lambda text: tell(console, text))
            found.episodes.append(episode)
            found.problems += problems(episode, running.settings.policy, found.usd_per_hour)

"""`dreamseed local surge`: more load than the cards hold, and a spot worker that comes and goes."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from dreamseed.commands.experiment import JsonFile, conclude, experiment, wide_console
from dreamseed.commands.options import known_stage
from dreamseed.config.load import STAGE_NAMES
from localtier.experiments.report import show_verdict, tell
from localtier.experiments.surge import HURRIED, PLANNED, play_case
from localtier.experiments.surge_episode import Case, problems
from localtier.experiments.surge_report import Found, episode_content, episode_table
from localtier.experiments.surge_stage import surge_stage
from localtier.experiments.users import Users
from localtier.load.runner import Rates
from localtier.load.targets import targets_of
from localtier.spot.settings import spot_plan
from localtier.tier import Tier

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
    known_stage(stage)
    console, found = wide_console(), Found()
    with experiment(FOLDER, console, found.problems) as tier:
        _try(tier, stage, console, found, whole=whole)
    if found.episodes:
        console.print(episode_table(found))
    answers = sum(one.answers for one in found.episodes)
    show_verdict(found.problems, f"surges that a worker served: {len(found.episodes)}; its answers: {answers}", console)
    conclude(found.problems, {"episodes": [episode_content(one, found) for one in found.episodes]}, json_file)


def _try(tier: Tier, stage: str, console: Console, found: Found, *, whole: bool) -> None:
    spot_plan(tier.plan(stage))  # before anything is brought up: a stage without spot workers is refused
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

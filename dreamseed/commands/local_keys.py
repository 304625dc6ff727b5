"""`dreamseed local keys`: every key that containers hold is exchanged on a stage that runs, while users use it."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dreamseed.commands.experiment import JsonFile, conclude, experiment, wide_console
from dreamseed.commands.options import known_stage
from dreamseed.commands.rehearse import rehearsed_project, traits
from dreamseed.config.keys import KeyName
from dreamseed.config.load import STAGE_NAMES
from localtier.experiments.keys import Exchanged, exchange, exchangeable, exchanges_table, problems
from localtier.experiments.report import show_verdict, tell
from localtier.experiments.users import Users
from localtier.tier import Tier

FOLDER = "keys"
STAGE_HELP = f"The stage that is brought up: one of {', '.join(STAGE_NAMES)}."
KEY_HELP = "Only this key; more than once for more of them. By default every one that containers hold."


def keys(
    stage: Annotated[str, typer.Option(help=STAGE_HELP)] = "stage-c",
    key: Annotated[list[str] | None, typer.Option(help=KEY_HELP)] = None,
    json_file: JsonFile = None,
) -> None:
    """Exchange each key of a running stage by `dreamseed keys rotate`, and try the new one and the previous one.

    It has hosts of its own beside a stage that stands, and removes them. Exit status 1 when an exchange fails, when the
    previous one still opens anything, when users of another service notice it, or when anything acknowledged is lost.
    """
    known_stage(stage)
    console = wide_console()
    done: list[Exchanged] = []
    found: list[str] = []
    shipped = rehearsed_project()
    with tempfile.TemporaryDirectory(prefix="dreamseed-keys-") as folder:
        # The command writes each generation into Pulumi.yaml: into a copy, here.
        project = shipped.running(shipped.directory / "__main__.py", Path(folder))
        with experiment(FOLDER, console, found, project) as tier:
            _try(tier, stage, _wanted(exchangeable(tier.plan(stage)), key or []), console, done, found)
    console.print(exchanges_table(done))
    show_verdict(found, f"keys of {stage} exchanged while users used it: {len(done)}", console)
    conclude(found, {"exchanged": [asdict(one) for one in done]}, json_file)


def _wanted(there: tuple[KeyName, ...], asked: list[str]) -> tuple[KeyName, ...]:
    if unknown := [name for name in asked if name not in there]:
        raise typer.BadParameter(f"{unknown[0]!r} is not exchanged here: write one of {', '.join(there)}")
    return tuple(name for name in there if not asked or name in asked)


def _try(
    tier: Tier, stage: str, wanted: tuple[KeyName, ...], console: Console, done: list[Exchanged], found: list[str]
) -> None:
    users = Users(tier=tier)
    found += users.begin(stage)
    if found:
        return
    plan = tier.plan(stage)
    users.welcome(plan)
    with tier.engine(plan, tier.world(plan)) as engine:
        for key in wanted:
            tell(console, f"{key}: exchanged while users go on")
            done.append(exchange(users, engine, plan, key, traits, lambda text: tell(console, text)))
            found += problems(done[-1])
    users.leave(plan)

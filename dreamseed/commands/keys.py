"""`dreamseed keys`: which keys a stage has, and the exchange of one of them by one command."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dreamseed.commands.rehearse import traits
from dreamseed.commands.standing import CONFIG_FILE_HELP, STACK_HELP, standing
from dreamseed.config.keys import KeyName
from dreamseed.errors import DreamSeedError
from dreamseed.keys.bringing import Stack
from dreamseed.keys.catalogue import KEYS, Maker
from dreamseed.keys.listing import described
from dreamseed.keys.persons import StageSecrets, given
from dreamseed.keys.rotating import Rotation
from dreamseed.planning.planner import plan_stage_file

app = typer.Typer(help="The keys of a stage, and their exchange.", no_args_is_help=True)
NAME_HELP = "A key of `dreamseed keys list`."
VALUE_HELP = "Where the new one stands, for a key that a person makes; without it, it is read from standard input."

StackName = Annotated[str, typer.Option(help=STACK_HELP)]
ConfigFile = Annotated[Path, typer.Option(exists=True, dir_okay=False, help=CONFIG_FILE_HELP)]


@app.command("list")
def list_keys(stack: StackName, config_file: ConfigFile) -> None:
    """Print each key: what it is, who makes it, where it stands, what its exchange touches and refuses, how old it is.

    The age is that of the state, which knows when the program made a key; what a person wrote has none there. Nothing
    is changed.
    """
    console = Console()
    with standing(config_file) as engine:
        state = engine.read_state(stack)
        plan = plan_stage_file(config_file, engine.workspace.project.directory)
    for name, key in KEYS.items():
        for line in described(name, key, plan, state, datetime.now(UTC)):
            _say(console, line)


@app.command()
def rotate(
    name: Annotated[str, typer.Argument(help=NAME_HELP)],
    stack: StackName,
    config_file: ConfigFile,
    value_file: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help=VALUE_HELP)] = None,
) -> None:
    """Exchange one key: declare it, preview, judge, `up`, and look again; the previous one is gone at the end.

    Refused while anything else waits for an `up`, and where the exchange would touch another key or lose state. Killed
    or failed, it is run again and goes on. A key that a person makes is written, encrypted, into every stage file.
    Exit status 0: it is exchanged, and nothing is left to do; otherwise 1.
    """
    console = Console()
    key = KEYS.get(name)
    if key is None:
        raise typer.BadParameter(f"there is no key {name!r}: write one of {', '.join(n for n in KEYS)}")
    if key.by_hand:
        raise DreamSeedError(
            name, "is exchanged by no command", f"{key.what}: {key.meanwhile}", f"what a person does: {key.by_hand}"
        )
    if value_file is not None and key.maker is Maker.PROGRAM:
        raise typer.BadParameter(f"--value-file is for what a person makes: the program makes {name} itself")
    with standing(config_file) as engine:
        _say(console, f"meanwhile: {key.meanwhile}")
        own = Stack(
            engine=engine,
            name=stack,
            config_file=config_file.resolve(),
            classify=traits,
            say=lambda line: _say(console, line),
        )
        if key.maker is Maker.PERSON:
            text = value_file.read_text(encoding="utf-8") if value_file else sys.stdin.read()
            StageSecrets(own).exchange(name, given(text, name))
        else:
            Rotation(stack=own, key=KeyName(name)).run()
    if key.afterwards:
        _say(console, f"left to do: {key.afterwards}")


def _say(console: Console, line: str) -> None:
    console.print(line, highlight=False, markup=False, emoji=False, soft_wrap=True)

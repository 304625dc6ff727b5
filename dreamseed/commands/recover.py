"""`dreamseed recover`: after an `up` whose answers were lost, bring what it made into the stack's state."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dreamseed.commands.rehearse import rehearsed_project
from rehearsal.providers.cloud.identity import computed_id, is_made_again
from rehearsal.runner import Workspace
from rehearsal.runner.engine import Engine
from rehearsal.runner.recovery import ASKS, Creation, Recovery
from rehearsal.runner.recovery import recover as recover_stack
from rehearsal.toolchain import ToolchainError, ensure_engine

PAUSE_SECONDS = 10.0
STACK_HELP = "The stack whose `up` failed or was killed."
FILE_HELP = "The stage file of that `up`, as for `pulumi up`."
ID_HELP = "The id of something that its cloud numbers by itself, looked up by you: NAME=ID. Once for each."


@dataclass(frozen=True)
class Standing(Workspace):
    """A workspace that is the user's own: its stacks, settings and backend stay where they are."""

    file: Path = Path()

    def config_file(self, stack: str) -> Path:  # noqa: ARG002 - there is one
        """Return the file that was given."""
        return self.file


def recover(
    stack: Annotated[str, typer.Option(help=STACK_HELP)],
    config_file: Annotated[Path, typer.Option(exists=True, dir_okay=False, help=FILE_HELP)],
    identified: Annotated[list[str] | None, typer.Option("--id", metavar="NAME=ID", help=ID_HELP)] = None,
) -> None:
    """Find what an interrupted `up` made and did not record, and record it; nothing is made, changed or deleted.

    Exit status 0: the same `up` can be run again. 1: there are creations whose ids only a person can look up; those
    are named, with what to do.
    """
    ids = _parsed(identified or [])
    with tempfile.TemporaryDirectory(prefix="dreamseed-recover-") as folder:
        workspace = Standing(rehearsed_project(), Path(folder), config_file.resolve())
        environment = {**os.environ, "PULUMI_DEBUG_COMMANDS": "true"}
        try:
            engine = Engine(ensure_engine(), workspace, environment)
            found = recover_stack(
                engine, stack, "", lambda c: _identify(c, ids), asks=ASKS, pause_seconds=PAUSE_SECONDS
            )
        except (ToolchainError, RuntimeError) as error:
            Console(stderr=True).print(str(error), style="red", markup=False)
            raise typer.Exit(1) from error
    raise typer.Exit(0 if _show(found, Console(), frozenset(ids)) else 1)


def _parsed(identified: list[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in identified]
    if wrong := [name for name, equals, id_ in pairs if not (name and equals)]:
        raise typer.BadParameter(f"--id {wrong[0]!r} is no NAME=ID: write the resource's name, = and its id")
    return {name: id_ for name, _, id_ in pairs}


def _identify(creation: Creation, ids: dict[str, str]) -> str | None:
    given = ids.get(creation.urn.rpartition("::")[2])
    return given or computed_id(creation.type, creation.inputs, creation.config)


def _show(found: Recovery, console: Console, given: frozenset[str]) -> bool:
    """Print what was found; return whether nothing is left to look up."""
    for title, urns in (("recorded now", found.found), ("not there, the next up makes it", found.absent)):
        console.print(f"{title}: {len(urns)}", highlight=False)
        for urn in urns:
            console.print(f"  {urn}", highlight=False, markup=False, soft_wrap=True)
    unknown = [c for c in found.not_identified if not is_made_again(c.type) and c.urn.rpartition("::")[2] not in given]
    if unknown:
        console.print(
            f"numbered by their clouds: {len(unknown)}. Look whether one is there, and give its id: --id NAME=ID; "
            "what tells its secret only once (a token, a key) is to be deleted instead. --id NAME= : it is not there.",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
        for creation in unknown:
            console.print(f"  {creation.urn}", highlight=False, markup=False, soft_wrap=True)
    return not unknown

"""A stack of the user's own, with its settings and backend where they are: what commands on its state share."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console

from dreamseed.commands.rehearse import rehearsed_project
from rehearsal.runner import Workspace
from rehearsal.runner.engine import Engine
from rehearsal.toolchain import ToolchainError, ensure_engine

STACK_HELP = "The stack, as for `pulumi up`."
CONFIG_FILE_HELP = "The stage file of its last `up`, as for `pulumi up`."


@dataclass(frozen=True)
class StandingWorkspace(Workspace):
    """A workspace that is the user's own: its stacks, settings and backend stay where they are."""

    file: Path = Path()

    def config_file(self, stack: str) -> Path:  # noqa: ARG002 - there is one
        """Return the file that was given."""
        return self.file


@contextmanager
def standing(config_file: Path) -> Iterator[Engine]:
    """Give the engine on the user's stacks; what it refuses is printed in its words, exit status 1."""
    with tempfile.TemporaryDirectory(prefix="dreamseed-state-") as folder:
        workspace = StandingWorkspace(rehearsed_project(), Path(folder), config_file.resolve())
        try:
            yield Engine(ensure_engine(), workspace, {**os.environ, "PULUMI_DEBUG_COMMANDS": "true"})
        except (ToolchainError, RuntimeError) as error:
            Console(stderr=True).print(str(error), style="red", markup=False)
            raise typer.Exit(1) from error

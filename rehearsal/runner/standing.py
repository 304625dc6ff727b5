"""Stacks that stand ready for the engine's plain command line: a backend that is kept, and what to export for it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from rehearsal.runner.engine import Engine
from rehearsal.runner.workspace import Workspace
from rehearsal.toolchain import Toolchain, ToolchainError


def create_stacks(workspace: Workspace, toolchain: Toolchain, providers: Mapping[str, str]) -> list[str]:
    """Create the project's stacks that are not in the kept backend yet; return their names.

    The project's own files are left as they are. (A later run of the engine adds a line to a stack's file that
    names no `encryptionsalt`; the files of this project name theirs.) Raises ToolchainError in the engine's words.
    """
    workspace.prepare()
    engine = Engine(toolchain, workspace, workspace.environment(toolchain, providers))
    absent = [stack for stack in workspace.project.stacks if stack not in workspace.created]
    for stack in absent:
        run = engine.create_stack(stack, like=stack)
        if not run.succeeded:
            remedy = "set PULUMI_CONFIG_PASSPHRASE to the passphrase of the stack's secrets, then start again"
            raise ToolchainError(f"the stack {stack} could not be created: {' '.join(run.errors)}", remedy)
    return absent


def exports(workspace: Workspace, toolchain: Toolchain, providers: Mapping[str, str]) -> str:
    """Return the shell lines that make a plain `pulumi` run against the attached providers and this backend."""
    variables = {"PATH": workspace.path(toolchain), **workspace.settings(), **providers}
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items())

"""`dreamseed providers`: leave the attached providers running, for the plain `pulumi` command line.

    eval "$(.venv/bin/dreamseed providers start)"
    pulumi preview --stack stage-c --diff
    dreamseed providers stop

The stacks stand in a backend in the user's cache, one for each clone; the fake cloud beside it keeps what `up` made.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dreamseed.commands.rehearse import JUDGE_HELP, rehearsed_project, say_judges
from rehearsal.providers.host import HostFailedError, ProviderHost
from rehearsal.providers.judge.choice import Judging
from rehearsal.providers.plugin.finding import JudgeMode, NoPluginError, require
from rehearsal.runner import Workspace
from rehearsal.runner.standing import create_stacks, exports
from rehearsal.tables.facts import PACKAGES
from rehearsal.toolchain import ToolchainError, ensure_engine
from rehearsal.toolchain.cache import cache_root

app = typer.Typer(help="The attached providers for the plain pulumi command line.", no_args_is_help=True)
FORGET_HELP = "Remove the stacks' states and everything in the fake cloud, too."


@app.command()
def start(judge: Annotated[JudgeMode | None, typer.Option(help=JUDGE_HELP, show_default="auto")] = None) -> None:
    """Start the providers, or find them running; print the lines to `eval` in the shell."""
    said = Console(stderr=True)
    workspace = _workspace()
    host = _host(workspace, judge or JudgeMode.AUTO)
    try:
        if judge is JudgeMode.OFFICIAL:
            require(PACKAGES)
        toolchain = ensure_engine(said)
        running = host.start_detached()
        if judge not in (None, running.judge):
            remedy = "dreamseed providers stop; then start them again (the stacks and the fake cloud are kept)"
            raise HostFailedError(f"the providers run already, with --judge {running.judge}\n  what to do: {remedy}")
        say_judges(running, said)
        create_stacks(workspace, toolchain, host.environment())
    except (ToolchainError, HostFailedError, NoPluginError) as error:
        said.print(str(error), style="red", markup=False)
        raise typer.Exit(1) from error
    typer.echo(exports(workspace, toolchain, host.environment()))
    said.print(
        "The attached providers run: `pulumi preview --stack stage-c` now needs no account.",
        highlight=False,
        soft_wrap=True,
    )


@app.command()
def env() -> None:
    """Print the lines to `eval` in another shell; the providers must be running."""
    workspace = _workspace()
    try:
        typer.echo(exports(workspace, ensure_engine(), _host(workspace).environment()))
    except (ToolchainError, HostFailedError) as error:
        Console(stderr=True).print(f"{error}\n  what to do: dreamseed providers start", style="red", markup=False)
        raise typer.Exit(1) from error


@app.command()
def stop(forget: Annotated[bool, typer.Option("--forget", help=FORGET_HELP)] = False) -> None:
    """Stop the providers; what they and the stacks keep stays for the next start."""
    workspace = _workspace()
    _host(workspace).stop()
    if forget:
        shutil.rmtree(workspace.root, ignore_errors=True)


def _workspace() -> Workspace:
    project = rehearsed_project()
    clone = hashlib.sha256(str(project.directory).encode()).hexdigest()[:12]
    return Workspace(project, cache_root() / f"providers-{clone}")


def _host(workspace: Workspace, judge: JudgeMode = JudgeMode.AUTO) -> ProviderHost:
    judging = Judging(judge, directory=workspace.project.directory)
    return ProviderHost(Path(workspace.root, "cloud"), judging=judging)

"""`dreamseed state`: where the engine's state is kept, and a stack's state restored from a copy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dreamseed.commands.standing import CONFIG_FILE_HELP, STACK_HELP, standing
from dreamseed.config import load_stage
from dreamseed.planning.state_bucket import state_bucket
from dreamseed.recovery.bootstrap import bootstrap as make_bucket
from dreamseed.recovery.bootstrap import signed_in
from dreamseed.recovery.copies import read_copy
from rehearsal.runner.engine import Engine
from rehearsal.runner.recovery import restore as restore_state

app = typer.Typer(help="The engine's state of a stack.", no_args_is_help=True)
BOOTSTRAP_FILE_HELP = "A stage file: project, region and names are the same in all."
DRY_RUN_HELP = "Only say what would be done."
COPY_HELP = "An export, an earlier version of the state's file, its .bak or one of the backend's history."


@app.command()
def bootstrap(
    config_file: Annotated[Path, typer.Option(exists=True, dir_okay=False, help=BOOTSTRAP_FILE_HELP)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help=DRY_RUN_HELP)] = False,
) -> None:
    """Make the bucket of the state at Google Cloud, or bring one that exists to what it must be.

    It is the one that the program declares: private, every version kept. Run again, it does nothing. Whoever is signed
    in (application default credentials) makes it. The last line is the one that signs the engine in to it.
    """
    plan = state_bucket(load_stage(config_file).service)
    lines = make_bucket(signed_in(plan), plan, dry_run=dry_run)
    would = "would be set" if dry_run else "set"
    for line in (*(f"{would}: {line}" for line in lines), *(() if lines else ("nothing to do",))):
        typer.echo(line)
    typer.echo(f"pulumi login {plan.url}")


@app.command()
def restore(
    stack: Annotated[str, typer.Option(help=STACK_HELP)],
    config_file: Annotated[Path, typer.Option(exists=True, dir_okay=False, help=CONFIG_FILE_HELP)],
    copy: Annotated[Path, typer.Option(exists=True, dir_okay=False, help=COPY_HELP)],
) -> None:
    """Put a copy in the place of the stack's state, and refresh it; nothing is made, changed or deleted.

    What stands in the copy and in no cloud any more is dropped. What came after the copy is not in it: `dreamseed
    recover --worksheet FILE` finds that. Exit status 0: the state is the copy, as the clouds are now; otherwise 1.
    """
    console = Console()
    kept = read_copy(copy, stack)
    with standing(config_file) as engine:
        _keep(engine, stack, copy.with_name(f"{stack}-before.json"), console)
        dropped = restore_state(engine, stack, "", kept.state)
    left = len(kept.resources) - len(dropped)
    for line in (
        f"{stack} is as the engine wrote it at {kept.written}, refreshed: {left} resources",
        f"in no cloud any more, and dropped: {len(dropped)}",
        *(f"  {urn}" for urn in dropped),
        "What came later is not in it, and passwords that were exchanged later are the old ones. Next:",
        f"  dreamseed recover --stack {stack} --config-file {config_file} --worksheet recovery.json",
    ):
        console.print(line, highlight=False, markup=False, emoji=False, soft_wrap=True)


def _keep(engine: Engine, stack: str, path: Path, console: Console) -> None:
    """Write what stands in the state's place now to `path`, where it can be read: it may be better than the copy."""
    try:
        state = engine.read_state(stack)
    except RuntimeError as error:
        console.print(f"what stood there cannot be read: {error}", highlight=False, markup=False, soft_wrap=True)
        return
    path.write_text(json.dumps(state), encoding="utf-8")
    console.print(f"what stood there is kept in {path}", highlight=False, markup=False, soft_wrap=True)

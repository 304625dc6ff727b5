"""`dreamseed local`: the servers' tier on real Docker Engines of this machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Annotated

import typer
from rich.console import Console

from dreamseed.commands.local_alerts import alerts
from dreamseed.commands.local_experiments import chaos, climb
from dreamseed.commands.local_keys import keys
from dreamseed.commands.local_playbook import playbook
from dreamseed.commands.local_surge import surge
from dreamseed.commands.mendable import mendable
from dreamseed.commands.options import known_stage
from dreamseed.commands.rehearse import rehearsed_project
from dreamseed.config.load import STAGE_NAMES
from dreamseed.planning.stage_plan import StagePlan
from localtier.checks import Finding
from localtier.k6 import play, summary
from localtier.maintenance import window
from localtier.report import show_memory
from localtier.tier import Standing, Tier
from rehearsal.runner.display import watching
from rehearsal.runner.engine import Run
from rehearsal.runner.steps import Progress

app = typer.Typer(help="The servers' tier on real Docker Engines of this machine (Linux, root).", no_args_is_help=True)
FORGET_HELP = "Remove containers, volumes and states, too: the next `up` begins from nothing."
RUNNING_SECONDS = 10.0
"""How long a container may take to run after the engine ended: it has waited until each was healthy."""
REFRESH_HELP = "First look at what really runs, so that what was changed by hand is put right."
STAGE_HELP = "The stage to bring up: " + ", ".join(STAGE_NAMES) + "."


@app.command()
def up(
    stage: Annotated[str, typer.Argument(help=STAGE_HELP)],
    refresh: Annotated[bool, typer.Option("--refresh", help=REFRESH_HELP)] = False,
) -> None:
    """Bring a stage up from nothing, finish an interrupted promotion, or go one stage up.

    Exit status 1 when the engine failed, or when afterwards a container does not run as planned.
    """
    known_stage(stage)
    console = Console()
    with mendable():
        tier = Tier(rehearsed_project(), console)
        began = time.monotonic()
        with window(tier, stage), watching(console, stage) as (watch,):
            run = tier.up(stage, lambda resources: watch(Progress(stage, 0, 1, resources)), refresh=refresh)
        _tell(run, stage, console)
        plan = tier.plan(stage)
        _refuse_changed(tier.check(plan, RUNNING_SECONDS, ("containers",)), stage, console)
        console.print(f"{stage} stands after {time.monotonic() - began:.0f} s", highlight=False)
        with tier.engines(plan) as engines:
            show_memory(engines, console)


@app.command()
def promote() -> None:
    """Go from the stage that stands to the next one."""
    console = Console()
    with mendable():
        _, standing = _standing(console)
    following = STAGE_NAMES.index(standing.stage) + 1
    if standing.target == standing.stage and following == len(STAGE_NAMES):
        console.print(f"{standing.stage} stands, and it is the last stage", style="red")
        raise typer.Exit(1)
    up(standing.target if standing.target != standing.stage else STAGE_NAMES[following])


@app.command()
def down(forget: Annotated[bool, typer.Option("--forget", help=FORGET_HELP)] = False) -> None:
    """Stop everything that was started; containers and volumes stay for the next `up` unless forgotten."""
    with mendable():
        Tier(rehearsed_project(), Console()).down(forget)


@app.command("load")
def play_users(
    share: Annotated[float, typer.Option(help="How many of the stage's concurrent users, above 0 and up to 1.")] = 0.05,
    seconds: Annotated[float, typer.Option(help="How long.")] = 60.0,
) -> None:
    """Play users of the stage that stands with k6; exit status 1 when one of the stage's objectives is missed."""
    console = Console()
    with mendable():
        tier, standing = _standing(console)
        plan = tier.plan(standing.stage)
        result = play(tier, plan, share, seconds)
    console.print(summary(plan, result), highlight=False, markup=False, soft_wrap=True)
    raise typer.Exit(0 if result.passed else 1)


@app.command()
def check() -> None:
    """Ask everything that runs whether it is as planned; exit status 1 when something is not."""
    _show(lambda tier, plan: tier.check(plan))


@app.command()
def scan() -> None:
    """Try every port of the stage from a container of each network; exit status 1 when one differs from the plan."""
    _show(lambda tier, plan: tier.scan(plan))


app.command("test")(climb)
app.command()(chaos)
app.command()(alerts)
app.command()(playbook)
app.command()(surge)
app.command()(keys)


def _show(look: Callable[[Tier, StagePlan], list[Finding]]) -> None:
    console = Console()
    with mendable():
        tier, standing = _standing(console)
        findings = look(tier, tier.plan(standing.stage))
    wrong = _tell_wrong(findings, console)
    console.print(f"{standing.stage}: {len(findings) - len(wrong)} of {len(findings)} checks passed", highlight=False)
    raise typer.Exit(1 if wrong else 0)


def _tell(run: Run, stage: str, console: Console) -> None:
    if not run.succeeded:
        console.print(f"✗ {stage} is not up; what the engine said:", style="bold red")
        for error in run.errors:
            console.print(error, markup=False, highlight=False, soft_wrap=True)
        console.print(f"what is done stays done: dreamseed local up {stage} goes on from here", highlight=False)
        raise typer.Exit(1)


def _refuse_changed(findings: Iterable[Finding], stage: str, console: Console) -> None:
    """Say what the engine's state does not know: without being asked to, it does not look at what really runs."""
    if _tell_wrong(findings, console):
        console.print(f"changed by hand? make local STAGE={stage} ARGS=--refresh puts it right", highlight=False)
        raise typer.Exit(1)


def _tell_wrong(findings: Iterable[Finding], console: Console) -> list[Finding]:
    wrong = [finding for finding in findings if not finding.ok]
    for finding in wrong:
        console.print(f"✗ {finding.what}: {finding.detail}", markup=False, highlight=False, soft_wrap=True)
    return wrong


def _standing(console: Console) -> tuple[Tier, Standing]:
    tier = Tier(rehearsed_project(), console)
    standing = tier.standing
    if standing is None:
        console.print("nothing stands yet: make local STAGE=stage-a", style="red")
        raise typer.Exit(1)
    return tier, standing

"""`dreamseed promote`: the playbook from one stage to the next, approved, journalled, resumable."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dreamseed.commands.approve import stage_named
from dreamseed.commands.gate import DRILLS_HELP, STORE_HELP
from dreamseed.commands.mendable import mendable
from dreamseed.commands.recover import ID_HELP, parsed_ids
from dreamseed.commands.rehearse import rehearsed_project
from dreamseed.config import STAGE_NAMES, Stage, find_project, stage_file
from dreamseed.cost import estimate
from dreamseed.errors import DreamSeedError, PromotionError
from dreamseed.gates.gather import Places
from dreamseed.journal import Event
from dreamseed.planning.planner import plan_stage_file
from dreamseed.planning.stage_plan import StagePlan
from dreamseed.promotion.playbook import playbook
from dreamseed.promotion.saga import Step
from localtier.tier import TIERS, Tier
from playbook.rehearsed import RehearsedWorld
from playbook.running import RunningWorld
from playbook.session import Session, carry_out, undo
from rehearsal.runner.display import watching
from rehearsal.runner.engine import Reached
from rehearsal.runner.steps import Progress

DEFAULT_FOLDER = Path("build", "promotion")
STANDING_TIER = "tier"
LOCAL_HELP = "On the servers' tier that `dreamseed local` brought up, not in a rehearsal (Linux, root)."
TIER_HELP = f"Which one: {', '.join(TIERS)}."
SHARE_HELP = "How many of the new stage's users k6 plays there, above 0 and up to 1; what was played is told."
MARKS = {Event.VERIFIED: "✓", Event.FAILED: "✗", Event.WAITING: "…", Event.UNDONE: "↩", Event.BEGUN: "→"}


Place = RehearsedWorld | RunningWorld


@dataclass(frozen=True)
class Local:
    """A tier of this machine, and how much of the new stage's users k6 plays there, for how long."""

    tier: str
    share: float
    seconds: float

    def __post_init__(self) -> None:
        if self.tier not in TIERS:
            raise typer.BadParameter(f"there is no tier {self.tier!r}: write one of {', '.join(TIERS)}")
        if not 0 < self.share <= 1:
            raise typer.BadParameter(f"--load-share {self.share:g} is no share of the users: above 0 and up to 1")


def promote(
    to: Annotated[str, typer.Option(help=f"The next stage: one of {', '.join(STAGE_NAMES[1:])}.")],
    plan: Annotated[Path | None, typer.Option(help="Only write what the engine would do to this file.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only print what would be done, and whether it may begin.")
    ] = False,
    gpu_installed: Annotated[bool, typer.Option("--gpu-installed", help="Your word that the GPUs are in.")] = False,
    identified: Annotated[list[str] | None, typer.Option("--id", metavar="NAME=ID", help=ID_HELP)] = None,
    back: Annotated[bool, typer.Option("--roll-back", help="Undo the promotion that is under way.")] = False,
    folder: Annotated[Path | None, typer.Option(help=f"What the rehearsal keeps (default: {DEFAULT_FOLDER}).")] = None,
    local: Annotated[bool, typer.Option("--local", help=LOCAL_HELP)] = False,
    tier: Annotated[str, typer.Option(help=TIER_HELP)] = STANDING_TIER,
    load_share: Annotated[float, typer.Option(help=SHARE_HELP)] = 1.0,
    load_seconds: Annotated[float, typer.Option(help="How long k6 plays them.")] = 60.0,
    store: Annotated[Path | None, typer.Option(help=STORE_HELP)] = None,
    drills: Annotated[Path | None, typer.Option(help=DRILLS_HELP)] = None,
    project: Annotated[Path | None, typer.Option(help="The folder with Pulumi.yaml (default: found upwards).")] = None,
) -> None:
    """Carry out an approved promotion, in a rehearsal or on the servers' tier: seven steps, each verified.

    The journal says what is done before it is done: after a failure, a wait for a person or a kill the same command
    goes on from there. Exit status 1 when a step failed or waits, and when nothing allows the promotion.
    """
    root = find_project(project or Path.cwd())
    check_up(to)
    target = stage_named(to)
    session = Session(
        project=root,
        places=Places.of(root, store, drills),
        here=list(Stage)[target.rank - 1],
        target=target,
        clock=lambda: datetime.now(UTC),
    )
    console = Console()
    place = Local(tier, load_share, load_seconds) if local else folder or root / DEFAULT_FOLDER
    ids = parsed_ids(identified or [])
    with mendable(), _world(session, root, place, console) as found_world:
        world = replace(found_world, identified=ids)
        world.begin()
        if plan:
            found = world.preview()
            found.write(plan)
            console.print(f"{plan}: {found.summary()}\n{found.digest}", highlight=False, soft_wrap=True)
        else:
            _promote(session, world, console, dry_run=dry_run, gpu_installed=gpu_installed, back=back)


def _promote(
    session: Session, world: Place, console: Console, *, dry_run: bool, gpu_installed: bool, back: bool
) -> None:
    if dry_run:
        _would(session, world, console, gpu_installed=gpu_installed)
        return
    approval = session.under_way()
    if approval is None:
        # Nothing was begun: everything that was approved must be what there is.
        session.signed()
        approval, signers = session.approval(world.preview().digest)
        for signer in signers:
            console.print(f"approved by {signer.principal}, {signer.fingerprint}", highlight=False)
    world = replace(world, approved=approval.basis.plan)
    steps = playbook(world, world.before, world.after, gpu_installed=gpu_installed)

    def tell(step: Step, event: Event, told: str) -> None:
        console.print(f"{MARKS[event]} {step.title}{f': {told}' if told else ''}", highlight=False, soft_wrap=True)

    with session.journal(approval) as journal:
        if back:
            undo(journal, approval, steps, world, tell)
            console.print(f"{world.before.name} stands again", highlight=False)
            return
        if gpu_installed:
            world.install()
        carry_out(journal, approval, steps, world, tell)
    console.print(report(world.before, world.after), highlight=False, soft_wrap=True)


def report(before: StagePlan, after: StagePlan) -> str:
    """Return the new capacity and cost in words: the playbook's last line."""
    capacity, layout = after.config.service.capacity, after.layout
    costs = [estimate(one).total.expected for one in (before, after)]
    return (
        f"{after.name} stands: {capacity.sign_ups:,} sign-ups, {capacity.concurrent_users:,} at once, "
        f"{layout.gpu_count} GPUs in {len(layout.replicas)} engine{'s' if len(layout.replicas) > 1 else ''}; "
        f"expected cost {costs[0]:,.0f} → {costs[1]:,.0f} USD a month, budget {after.config.budget.usd_per_month:,.0f}"
    )


def _would(session: Session, world: Place, console: Console, *, gpu_installed: bool) -> None:
    """Print every step, what the engine would do, and what allows the promotion or stands against it."""
    steps = playbook(world, world.before, world.after, gpu_installed=gpu_installed)
    for number, step in enumerate(steps, start=1):
        found = step.check()
        told = f"nothing to do: {found}" if found else "would be done and verified"
        console.print(f"{number}. {step.title}: {told}", highlight=False, soft_wrap=True)
    found_plan = world.preview()
    console.print(f"the engine: {found_plan.summary()}", highlight=False)
    try:
        approval = session.under_way() or session.approval(found_plan.digest)[0]
        allowed = f"it may begin, by approval {approval.number:04}"
    except DreamSeedError as error:
        allowed = f"it may not begin: {error.where} {error.what}"
    console.print(allowed, highlight=False, soft_wrap=True)


@contextmanager
def _world(session: Session, root: Path, place: Path | Local, console: Console) -> Iterator[Place]:
    project = replace(rehearsed_project(), directory=root)
    names = [f"stage-{stage.lower()}" for stage in (session.here, session.target)]
    with watching(console, "engine") as (watch,):
        reached: Reached = lambda resources: watch(Progress("engine", 0, 1, resources))  # noqa: E731
        world: Place
        if isinstance(place, Local):
            tier = Tier(project, console, place.tier, TIERS[place.tier])
            before, after = (tier.plan(name) for name in names)
            world = RunningWorld(
                tier=tier,
                before=before,
                after=after,
                reached=reached,
                clock=session.clock,
                share=place.share,
                seconds=place.seconds,
            )
        else:
            before, after = (plan_stage_file(stage_file(root, name), root) for name in names)
            world = RehearsedWorld(
                root=place, project=project, before=before, after=after, reached=reached, clock=session.clock
            )
        _check_standing(world, session)
        yield world


def check_up(to: str) -> None:
    """Refuse the first stage: nothing leads up to it. Raises `PromotionError`."""
    if to == STAGE_NAMES[0]:
        raise _downwards(to, "it is the first stage")


def _check_standing(world: Place, session: Session) -> None:
    """Refuse a stage that is not the next one of what stands. Raises `PromotionError`."""
    standing = world.standing
    resumed = standing == world.after.name and session.under_way() is not None
    if standing in (None, world.before.name) or resumed:
        return
    if STAGE_NAMES.index(world.after.name) < STAGE_NAMES.index(standing):
        raise _downwards(world.after.name, f"{standing} stands")
    raise PromotionError(
        f"promote › {world.after.name}",
        f"{standing} stands in {world.root}",
        "a promotion goes one stage at a time, and none is ever skipped",
        "the stage after the one that stands, or --folder with another folder for another rehearsal",
    )


def _downwards(to: str, why: str) -> PromotionError:
    return PromotionError(
        f"promote › {to}",
        f"{why}, and a promotion goes up",
        "a way down deletes what the larger stage holds, so a person takes it, one resource after the other",
        "dreamseed gate STAGE --down for whether it is due, then docs/how-to/decide-a-promotion.md, Go down a stage; "
        "--roll-back with the stage that is under way undoes that one",
    )

"""`dreamseed failover`: to the cloud when the servers are lost, and back; journaled, the old primary fenced first."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dreamseed.config.load import STAGE_KEY, find_project, load_stage, stage_file
from dreamseed.errors import DreamSeedError
from dreamseed.failover import Action, Direction, Step, journal_file, perform, steps
from dreamseed.journal import Event, opened, read_journal
from dreamseed.planning.planner import plan_stage_file
from dreamseed.planning.report.style import table
from dreamseed.planning.stage_plan import StagePlan
from dreamseed.signing import write_whole

app = typer.Typer(help="Fail over to the cloud and back: the old primary is fenced first.", no_args_is_help=True)
SECTION, KEY = "disaster_recovery", "active"

Stage = Annotated[str, typer.Argument(help="A stage with something that stands by: stage-d or stage-e.")]
JournalFile = Annotated[
    Path | None,
    typer.Option("--journal", help="The journal; default failover-STAGE-DIRECTION.jsonl beside Pulumi.yaml."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the steps that are left; touch nothing.")]


@app.command("plan")
def plan_command(stage: Stage) -> None:
    """Show the steps there and back, why each comes where it comes, and what is run for it."""
    planned, _ = _planned(stage)
    for direction in Direction:
        _show(f"{stage}: {direction}", steps(planned, direction))


@app.command()
def start(stage: Stage, journal: JournalFile = None, dry_run: DryRun = False) -> None:
    """Fail over, step by step: each is shown, done by you or by this command, and written down; run again to go on."""
    _go(stage, Direction.START, journal, dry_run)


@app.command()
def back(stage: Stage, journal: JournalFile = None, dry_run: DryRun = False) -> None:
    """Fail back, in the same way."""
    _go(stage, Direction.BACK, journal, dry_run)


@app.command()
def verify(stage: Stage, journal: JournalFile = None) -> None:
    """Tell how far the journals of a stage are. Exit status 1 while one is not finished."""
    planned, project = _planned(stage)
    unfinished = False
    for direction in Direction:
        path = journal or journal_file(project, stage, direction)
        if not _is_of(path, direction):
            continue
        left = [step.key for step in steps(planned, direction) if step.key not in _proved(path)]
        unfinished = unfinished or bool(left)
        Console().print(f"{direction}: {'left are ' + ', '.join(left) if left else 'every step was proved'}")
    raise typer.Exit(1 if unfinished else 0)


@dataclass(frozen=True)
class Asked:
    """A step that a person does: shown, and proved by their word."""

    step: Step
    console: Console
    confirmed: list[str]

    def holds(self) -> bool:
        """Tell whether the person said so in this run."""
        return self.step.key in self.confirmed

    def do(self) -> None:
        """Show what to run and ask until it is done."""
        for command in self.step.commands:
            self.console.print(f"  {command}", markup=False, soft_wrap=True)
        typer.confirm("Done, and seen to be so?", abort=True)
        self.confirmed.append(self.step.key)


@dataclass(frozen=True)
class Flipped:
    """`disaster_recovery.active` in the stage file, which this command writes; a person applies it."""

    path: Path
    project: Path
    wanted: bool
    asked: Asked

    def holds(self) -> bool:
        """Tell whether the file says so and the person has applied it."""
        active = load_stage(self.path, self.project).disaster_recovery.active
        return active is self.wanted and self.asked.holds()

    def do(self) -> None:
        """Write the file, then ask for `pulumi up`."""
        text = self.path.read_text(encoding="utf-8")
        write_whole(self.path, with_active(text, self.wanted).encode())
        self.asked.do()


def with_active(text: str, active: bool) -> str:
    """Return a stage file's text with `disaster_recovery.active` as wanted and every other line as it was.

    Raises `DreamSeedError` for a file without the section: nothing stands by there.
    """
    value = "true" if active else "false"
    found = re.search(rf"^(?P<indent> +){SECTION}:\n(?P<body>(?:(?P=indent) +.*\n|\n)*)", text, re.MULTILINE)
    if found is None:
        raise DreamSeedError(
            f"{STAGE_KEY} › {SECTION}",
            "is not a section of lines",
            "its key active is to be written",
            "kind: … below it",
        )
    body, count = re.subn(rf"^( +){KEY}:.*$", rf"\g<1>{KEY}: {value}", found["body"], count=1, flags=re.MULTILINE)
    if not count:
        body = f"{found['indent']}  {KEY}: {value}\n{found['body']}"
    return text[: found.start("body")] + body + text[found.end("body") :]


def _go(stage: str, direction: Direction, journal: Path | None, dry_run: bool) -> None:
    planned, project = _planned(stage)
    known = steps(planned, direction)
    path = journal or journal_file(project, stage, direction)
    proved = _proved(path)
    if dry_run:
        _show(f"{stage}: {direction}, what is left", [step for step in known if step.key not in proved])
        return
    console = Console()
    confirmed = [step.key for step in known if step.key in proved]
    actions: dict[str, Action] = {}
    for step in known:
        asked = Asked(step, console, confirmed)
        flips = step.key in {"activate", "deactivate"}
        wanted = direction is Direction.START
        actions[step.key] = Flipped(stage_file(project, stage), project, wanted, asked) if flips else asked
    began = time.monotonic()
    with opened(path, lambda: datetime.now(UTC)) as kept:
        perform(known, actions, kept, stage, direction, lambda words: console.print(words, markup=False))
    console.print(f"{stage}: {direction} is finished after {time.monotonic() - began:.0f} s; journal: {path}")


def _proved(path: Path) -> set[str]:
    """Return the steps whose last entry in the journal at `path` is that they were proved."""
    last = {entry.step: entry.event for entry in read_journal(path)}
    return {step for step, event in last.items() if event is Event.VERIFIED}


def _is_of(path: Path, direction: Direction) -> bool:
    entries = read_journal(path)
    return bool(entries) and entries[0].detail.get("direction") == direction.value


def _planned(stage: str) -> tuple[StagePlan, Path]:
    project = find_project(Path.cwd())
    path = stage_file(project, stage)
    if not path.is_file():
        raise typer.BadParameter(f"there is no stage {stage!r} here")
    return plan_stage_file(path, project), project


def _show(title: str, shown: list[Step] | tuple[Step, ...]) -> None:
    drawn = table(title, "step", "what", "why", "commands")
    for step in shown:
        drawn.add_row(step.key, step.what, step.why, "\n".join(step.commands))
    Console(width=max(Console().width, 160)).print(drawn, markup=False)

"""`dreamseed gate`: whether the next stage is due, and what its promotion still lacks."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dreamseed.commands.generated import save
from dreamseed.commands.options import known_stage
from dreamseed.config import STAGE_NAMES, Stage, find_project
from dreamseed.facts.drill import DRILLS_FOLDER
from dreamseed.facts.store import STORE_FILE
from dreamseed.gates.gate import gate as gate_between
from dreamseed.gates.gather import Places, gather
from dreamseed.gates.model import Verdict
from dreamseed.gates.report import Decision, as_json, as_markdown, as_table
from dreamseed.gates.situation import Situation
from dreamseed.gates.timing import timing
from dreamseed.promotion.history import history
from dreamseed.promotion.history import standing as standing_after
from dreamseed.report.gates import gates_page

NARROWEST = 130
"""Columns of a table that goes to a file or a pipe."""
STORE_HELP = f"The store of facts (default: {STORE_FILE} in the project's folder)."
DRILLS_HELP = f"The folder of signed restore drills (default: {DRILLS_FOLDER} in the project's folder)."
AT_HELP = "The moment to judge at, with its zone, such as 2026-11-26T12:00+09:00 (default: now)."


def gate(
    stage: Annotated[str | None, typer.Argument(help="The stage that stands (default: each of them).")] = None,
    down: Annotated[bool, typer.Option("--down", help="Ask for the way down to the stage before.")] = False,
    as_json_: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
    markdown: Annotated[Path | None, typer.Option(help="Write Markdown to this file too.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write the page of ladder, gates and history to this file.")] = None,
    store: Annotated[Path | None, typer.Option(help=STORE_HELP)] = None,
    drills: Annotated[Path | None, typer.Option(help=DRILLS_HELP)] = None,
    at: Annotated[str | None, typer.Option(help=AT_HELP)] = None,
    project: Annotated[Path | None, typer.Option(help="The folder with Pulumi.yaml (default: found upwards).")] = None,
) -> None:
    """Print the gate from the stage that stands to the next: every trigger, every line of the checklist.

    Exit status 0 only when every gate asked for passes: what nobody measured is unknown, and unknown is not pass.
    """
    folder = find_project(project or Path.cwd())
    situation = gather(folder, Places.of(folder, store, drills), moment(at), known_at=datetime.now(UTC))
    found = decisions(situation, _standing(stage, down), down=down)
    if as_json_:
        typer.echo(json.dumps([as_json(one) for one in found], indent=2, ensure_ascii=False))
    else:
        console = Console()
        if not console.is_terminal:
            console = Console(width=max(console.width, NARROWEST))
        for one in found:
            console.print(as_table(one))
    if markdown:
        save(markdown, as_markdown(found))
    if html:
        save(html, _page(folder, situation, stage))
    raise typer.Exit(0 if all(one.gate.verdict is Verdict.PASS for one in found) else 1)


def _page(folder: Path, situation: Situation, stage: str | None) -> str:
    """Return the page of all gates, the stage that stands being the one named, or where the history ends."""
    past = history(folder, Places.of(folder).trust)
    here = _standing(stage, down=False)[0] if stage in STAGE_NAMES[:-1] else standing_after(past)
    here = Stage.E if stage == STAGE_NAMES[-1] else here
    found = decisions(situation, _standing(None, down=False), down=False)
    if here.rank:
        found += decisions(situation, (here,), down=True)
    return gates_page(situation, here, found, past)


def decisions(situation: Situation, standing: tuple[Stage, ...], *, down: bool) -> list[Decision]:
    """Return the gates from each of the stages to its neighbour."""
    step = -1 if down else 1
    return [
        Decision(
            gate=gate_between(situation, one, list(Stage)[one.rank + step]),
            timing=None if down else timing(situation, one),
        )
        for one in standing
    ]


def moment(written: str | None) -> datetime:
    """Return the moment that an option names, or now."""
    if written is None:
        return datetime.now(UTC)
    try:
        found = datetime.fromisoformat(written)
    except ValueError as error:
        raise typer.BadParameter(f"--at {written!r} is no moment: write it as 2026-11-26T12:00+09:00") from error
    if found.tzinfo is None:
        raise typer.BadParameter(f"--at {written} has no zone: write it as {written}+09:00")
    return found


def _standing(stage: str | None, down: bool) -> tuple[Stage, ...]:
    ends = list(Stage)[1:] if down else list(Stage)[:-1]
    if stage is None:
        return tuple(ends)
    one = list(Stage)[STAGE_NAMES.index(known_stage(stage))]
    if one not in ends:
        raise typer.BadParameter(f"{stage} is the {'first' if down else 'last'} stage: no gate leads on from it")
    return (one,)

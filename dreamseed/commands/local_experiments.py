"""`dreamseed local test` and `chaos`: stages on real Docker Engines with users, changes by hand, losses and kills."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dreamseed.commands.mendable import mendable
from dreamseed.commands.rehearse import rehearsed_project
from dreamseed.config.load import STAGE_NAMES
from localtier.experiments.ascent import Ascent, Claims, Program
from localtier.experiments.users import Users
from localtier.tier import Tier

FOLDER, PREFIX = "test", "dt"
DRIFT_AT = STAGE_NAMES[1]
KILLED_UP_TO = STAGE_NAMES[1]
KILLS_IN_TEST = 3
K6_SECONDS = 8.0
CLAIMS_HELP = "Which claims of survival are tried at the last stage."
JSON_HELP = "Write everything that was found to this file too, for machines."
KILLS_HELP = "How many in each promotion, Pulumi and Docker Engines in turn."
LAST_HELP = f"Where to end: {', '.join(STAGE_NAMES)}."
SEED_HELP = "Draws the kills; the same number draws the same ones."

Last = Annotated[str, typer.Option(help=LAST_HELP)]
Seed = Annotated[int, typer.Option(help=SEED_HELP)]
JsonFile = Annotated[Path | None, typer.Option("--json", help=JSON_HELP)]


def climb(
    claims: Annotated[Claims, typer.Option(help=CLAIMS_HELP)] = Claims.SAMPLE,
    last: Last = STAGE_NAMES[-1],
    seed: Seed = 1,
    json_file: JsonFile = None,
) -> None:
    """Climb from nothing under load, mend what was changed by hand, lose what is claimed to be survived, kill engines.

    It has hosts of its own beside a stage that stands, and removes them. Exit status 1 when anything differs from what
    the plan says.
    """
    stages = _up_to(last)
    clean = Program(stages=stages, claims={last: claims}, drift_at=DRIFT_AT, k6_seconds=K6_SECONDS)
    killed = Program(stages=_up_to(min(last, KILLED_UP_TO)), kills=KILLS_IN_TEST, seed=seed)
    _ascend([clean, killed], json_file)


def chaos(
    kills: Annotated[int, typer.Option(help=KILLS_HELP)] = 8,
    last: Last = STAGE_NAMES[-1],
    seed: Seed = 1,
    json_file: JsonFile = None,
) -> None:
    """The long run: kill engines again and again in every promotion, and try every claim at every stage."""
    stages = _up_to(last)
    program = Program(stages=stages, claims=dict.fromkeys(stages, Claims.EVERY), kills=kills, seed=seed)
    _ascend([program], json_file)


def _up_to(last: str) -> tuple[str, ...]:
    if last not in STAGE_NAMES:
        raise typer.BadParameter(f"there is no stage {last!r}: write one of {', '.join(STAGE_NAMES)}")
    return STAGE_NAMES[: STAGE_NAMES.index(last) + 1]


def _ascend(programs: Sequence[Program], json_file: Path | None) -> None:
    console = Console()
    with mendable():
        tier = Tier(rehearsed_project(), console, FOLDER, PREFIX)
        ascents = [Ascent(tier, program, console) for program in programs]
        with ExitStack() as afterwards:
            afterwards.callback(tier.down, forget=True)
            afterwards.callback(Users(tier=tier).stop)
            for ascent in ascents:
                ascent.run()
    for number, ascent in enumerate(ascents, start=1):
        ascent.show()
        if json_file:
            ascent.write(json_file.with_stem(f"{json_file.stem}-{number}") if number > 1 else json_file)
    raise typer.Exit(1 if any(ascent.problems for ascent in ascents) else 0)

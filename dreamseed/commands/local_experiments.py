"""`dreamseed local test` and `chaos`: stages on real Docker Engines with users, changes by hand, losses and kills."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NoReturn

import typer

from dreamseed.commands.experiment import JsonFile, conclude, experiment, wide_console
from dreamseed.commands.options import known_stage
from dreamseed.config.load import STAGE_NAMES
from localtier.experiments.ascent import Ascent, Claims, Program
from localtier.experiments.kills import Victim

FOLDER = "test"
DRIFT_AT = ALERTS_AT = "stage-b"
KILLS = {"stage-c": (Victim.PULUMI,), "stage-d": (Victim.DOCKER,)}
"""Where the shorter run kills. A to B and D to E stay clean, so that their gaps are the promotion's own."""
K6_SECONDS = 8.0
CLEAN_HELP = "Kill nothing on the way, so that every gap is the promotion's own."
ALERTS_HELP = f"Make faults at {ALERTS_AT} and require exactly the expected alerts; about six minutes."
CLAIMS_HELP = "Which claims of survival are tried at the last stage."
CLAIMS_OF_EACH_HELP = "Which claims of survival are tried at each stage."
CLAIMS_FROM_HELP = "The first stage whose claims are tried."
KILLS_HELP = "How many in each promotion: Pulumi engines, and last a Docker Engine, of which the run goes on."
LAST_HELP = f"Where to end: {', '.join(STAGE_NAMES)}."
SEED_HELP = "Draws the kills; the same number draws the same ones."

Last = Annotated[str, typer.Option(help=LAST_HELP)]
Seed = Annotated[int, typer.Option(help=SEED_HELP)]


def climb(
    claims: Annotated[Claims, typer.Option(help=CLAIMS_HELP)] = Claims.HOSTS,
    clean: Annotated[bool, typer.Option("--clean", help=CLEAN_HELP)] = False,
    alerts: Annotated[bool, typer.Option("--alerts/--no-alerts", help=ALERTS_HELP)] = True,
    last: Last = STAGE_NAMES[-1],
    seed: Seed = 1,
    json_file: JsonFile = None,
) -> None:
    """Climb from nothing under load, mend what was changed by hand, lose what is claimed to be survived, kill engines.

    At B faults are made on purpose, and exactly the expected alerts must be told of them.

    It has hosts of its own beside a stage that stands, and removes them. Exit status 1 when anything differs from what
    the plan says.
    """
    stages = up_to(last)
    kills = {stage: victims for stage, victims in KILLS.items() if stage in stages and not clean}
    program = Program(
        stages=stages,
        claims={last: claims},
        kills=kills,
        drift_at=DRIFT_AT,
        alerts_at=ALERTS_AT if alerts else None,
        k6_seconds=K6_SECONDS,
        seed=seed,
    )
    _ascend(program, json_file)


def chaos(
    kills: Annotated[int, typer.Option(help=KILLS_HELP)] = 8,
    claims: Annotated[Claims, typer.Option(help=CLAIMS_OF_EACH_HELP)] = Claims.EVERY,
    claims_from: Annotated[str, typer.Option(help=CLAIMS_FROM_HELP)] = STAGE_NAMES[0],
    last: Last = STAGE_NAMES[-1],
    seed: Seed = 1,
    json_file: JsonFile = None,
) -> None:
    """The long run: kill engines again and again in every promotion, and try every claim at every stage."""
    stages = up_to(last)
    below = up_to(claims_from)[:-1]
    victims = (*[Victim.PULUMI] * (kills - 1), Victim.DOCKER) if kills else ()
    program = Program(
        stages=stages,
        claims={stage: claims for stage in stages if stage not in below},
        kills=dict.fromkeys(stages[1:], victims),
        seed=seed,
    )
    _ascend(program, json_file)


def up_to(last: str) -> tuple[str, ...]:
    """Return the stages from the first to `last`; raises `typer.BadParameter` for one that there is not."""
    return STAGE_NAMES[: STAGE_NAMES.index(known_stage(last)) + 1]


def _ascend(program: Program, json_file: Path | None) -> NoReturn:
    """Run the program and tell what it found, also what an error that ended it had let it find."""
    console = wide_console()
    problems: list[str] = []
    with experiment(FOLDER, console, problems) as tier:
        ascent = Ascent(tier, program, console, problems=problems)
        ascent.run()
    ascent.show()
    conclude(problems, ascent.found, json_file)

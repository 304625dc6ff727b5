"""`dreamseed drill`: backups proved by restoring them, in a sandbox of this machine, with a stage's own settings."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from dreamseed.commands.gate import DRILLS_HELP
from dreamseed.commands.mendable import mendable
from dreamseed.config.load import STAGE_NAMES, find_project, load_stage, stage_file
from dreamseed.facts.drill import DRILLS_FOLDER, DrillFact, write_drill
from dreamseed.facts.publish import publish_drills
from dreamseed.gates.gather import Places, verified_drills
from localtier.drills.enclosed import Order, enclose
from localtier.drills.report import (
    crossed,
    crossings_table,
    faults_table,
    judged,
    loads_table,
    loss_table,
    points_table,
)
from localtier.images import ensure_binary

app = typer.Typer(help="Restore drills: backups are lost, damaged and restored in a sandbox (Linux, root).")
DRILLED = STAGE_NAMES[1:]
"""The first stage ships no log: what it loses is up to a week, and no drill makes that less."""
FAILOVER_STAGE = "stage-d"
SHORT_STAGES = ("stage-b", "stage-e")
KEY_HELP = "The SSH key that signs the fact as the role `drill`; without one no fact is written."
FACTS_HELP = "The folder that takes the fact."

Stage = Annotated[str, typer.Argument(help=f"One of {', '.join(DRILLED)}.")]
Seed = Annotated[int, typer.Option(help="Draws the rows and the moment of the loss; the same number draws the same.")]
DataMb = Annotated[int, typer.Option(min=1, help="MB of data beside the rows that are written.")]
Key = Annotated[Path | None, typer.Option(help=KEY_HELP)]
Facts = Annotated[Path, typer.Option(help=FACTS_HELP)]
JsonFile = Annotated[Path | None, typer.Option("--json", help="Write what was found to this file too, for machines.")]
Window = Annotated[float, typer.Option(min=1, help="The loss comes within so many seconds of writing.")]
Rows = Annotated[float, typer.Option(min=0.1, help="Rows of 1 KiB that are written a second, at most.")]
SecondOnly = Annotated[bool, typer.Option("--second-site-only", help="Lose the first site too.")]


@app.command()
def loss(
    stage: Stage,
    seed: Seed = 1,
    data_mb: DataMb = 300,
    window_seconds: Window = 45,
    rows_per_second: Rows = 400,
    second_site_only: SecondOnly = False,
    key: Key = None,
    facts: Facts = DRILLS_FOLDER,
    json_file: JsonFile = None,
) -> None:
    """Lose a server at a random moment while rows are written, restore from the object store alone, and measure.

    Exit status 1 when a confirmed and archived row is missing, anything is damaged, or an objective is missed.
    """
    settings = {
        "seed": seed,
        "data_mb": data_mb,
        "window_seconds": window_seconds,
        "rows_per_second": rows_per_second,
        "second_site_only": second_site_only,
    }
    _finish([_loss(stage, settings, key, facts)], json_file)


@app.command()
def points(stage: Stage, seed: Seed = 1, data_mb: DataMb = 20, json_file: JsonFile = None) -> None:
    """Go back to a chosen second, and to before an operator's DROP TABLE. Exit status 1 when a row differs."""
    _finish([_points(stage, {"seed": seed, "data_mb": data_mb, "rows_per_second": 200.0})], json_file)


@app.command()
def faults(
    stage: Stage,
    seed: Seed = 1,
    only: Annotated[str, typer.Option(help="Only faults whose name holds this text.")] = "",
    store_away_seconds: Annotated[
        float, typer.Option(min=0, help='How long "the object store away" lasts at least; an hour is 3600.')
    ] = 0,
    json_file: JsonFile = None,
) -> None:
    """Damage archive, store, servers and clock, one after the other. Exit status 1 when a fault stays silent."""
    settings: dict[str, Any] = {"seed": seed, "only": only}
    if store_away_seconds:
        # What is written in an hour is replayed by the restore that follows.
        settings |= {"store_away_seconds": store_away_seconds, "rows_per_second": 20.0}
    _finish([_faults(stage, settings)], json_file)


@app.command()
def failover(stage: Stage = FAILOVER_STAGE, seed: Seed = 1, json_file: JsonFile = None) -> None:
    """Fail over to a restored database and back, unplanned and planned, under the real Patroni.

    Exit status 1 when a planned way loses a row, an unplanned one more than the RPO, or an old primary takes a write.
    """
    _finish([_failover(stage, {"seed": seed})], json_file)


@app.command()
def load(stage: Stage = FAILOVER_STAGE, seed: Seed = 1, json_file: JsonFile = None) -> None:
    """Load a PostgreSQL held to what Cloud SQL allows, by the stage's own script, while rows are written.

    Exit status 1 when a load fails, or a copy that lost a row is taken for whole.
    """
    _finish([_load(stage, {"seed": seed})], json_file)


@app.command()
def retention(stage: Stage = FAILOVER_STAGE, seed: Seed = 1, json_file: JsonFile = None) -> None:
    """Compare the model of retention with the real pgBackRest over a random history. Exit status 1 when they differ."""
    _finish([_retention(stage, {"seed": seed})], json_file)


@app.command()
def every(
    short: Annotated[
        bool, typer.Option("--short", help="Two losses and two points, little data: about two minutes.")
    ] = False,
    seed: Seed = 1,
    key: Key = None,
    facts: Facts = DRILLS_FOLDER,
    json_file: JsonFile = None,
) -> None:
    """Every drill: losses at each stage that ships its log, points in time, faults. Exit status 1 when one fails."""
    size = {"data_mb": 20, "window_seconds": 10.0} if short else {"data_mb": 300, "window_seconds": 45.0}
    losses = [{"seed": seed + number, **size} for number in range(len(DRILLED))]
    found = [
        _loss(stage, settings, key, facts)
        for stage, settings in zip(DRILLED, losses, strict=True)
        if stage in SHORT_STAGES or not short
    ]
    found.append(_points(DRILLED[0], {"seed": seed, "data_mb": 5, "rows_per_second": 100.0}))
    if not short:
        found.append(_loss(DRILLED[-1], {"seed": seed, **size, "second_site_only": True}, key, facts))
        found.append(_faults(DRILLED[0], {"seed": seed}))
        found.append(_failover(FAILOVER_STAGE, {"seed": seed}))
        found.append(_load(FAILOVER_STAGE, {"seed": seed}))
        found.append(_retention(FAILOVER_STAGE, {"seed": seed}))
    _finish(found, json_file)


@app.command()
def publish(
    prometheus: Annotated[str, typer.Option(help="URL of a stage's Prometheus, such as http://10.20.0.11:9090.")],
    facts: Annotated[Path | None, typer.Option(help=DRILLS_HELP)] = None,
    project: Annotated[Path | None, typer.Option(help="The folder with Pulumi.yaml (default: found upwards).")] = None,
) -> None:
    """Tell a Prometheus of the newest signed drill of each stage: as gates read them, and again whenever it forgot."""
    now = datetime.now(UTC)
    drills, refused = verified_drills(Places.of(find_project(project or Path.cwd()), drills=facts), now)
    for words in refused:
        Console(stderr=True).print(f"refused: {words}", markup=False, soft_wrap=True)
    stages = publish_drills(prometheus, drills, now)
    typer.echo(f"{prometheus} knows the newest drills of {', '.join(stages)}")


def _loss(stage: str, settings: dict[str, Any], key: Path | None, facts: Path) -> dict[str, Any]:
    project = _project(stage)
    found = _enclosed("loss", stage, settings)
    config = load_stage(stage_file(project, stage), project)
    problems = judged(config, found)
    Console().print(loss_table(stage, config, found, problems))
    fact = DrillFact(
        stage=config.service.stage,
        taken_at=datetime.now(UTC).replace(microsecond=0),
        passed=not problems,
        rpo_seconds=round(found["rpo_seconds"], 3),
        rto_seconds=round(found["rto_seconds"], 3),
        restore_mb_per_second=round(found["restore_mb_per_second"], 3),
        data_bytes=found["data_bytes"],
        missing_rows=found["missing_rows"],
        source=f"sandbox of {stage}, restored from {found['source']}, seed {settings['seed']}: dreamseed drill loss",
    )
    if key is not None:
        Console().print(f"signed fact: {write_drill(facts, fact, key)}", highlight=False, soft_wrap=True)
    return {"stage": stage, "part": "loss", **found, "problems": problems, "fact": fact.record()}


def _points(stage: str, settings: dict[str, Any]) -> dict[str, Any]:
    found = _enclosed("points", stage, settings)
    Console().print(points_table(stage, found["points"]))
    problems = [point["what"] for point in found["points"] if not point["passed"]]
    return {"stage": stage, "part": "points", **found, "problems": problems}


def _faults(stage: str, settings: dict[str, Any]) -> dict[str, Any]:
    found = _enclosed("faults", stage, {"data_mb": 5, "rows_per_second": 200.0, **settings})
    Console().print(faults_table(stage, found["faults"]))
    problems = [fault["name"] for fault in found["faults"] if fault["outcome"] == "silent"]
    return {"stage": stage, "part": "faults", **found, "problems": problems}


def _failover(stage: str, settings: dict[str, Any]) -> dict[str, Any]:
    with mendable():
        etcd = ensure_binary("etcd")
    told = {"rows_per_second": 50.0, **settings, "etcd": str(etcd)}
    both = [_enclosed("failover", stage, {**told, "planned": planned}) for planned in (False, True)]
    ways = [way for found in both for way in found["ways"]]
    Console().print(crossings_table(stage, ways))
    rpo_seconds = load_stage(stage_file(_project(stage), stage), _project(stage)).disaster_recovery.rpo_minutes * 60
    return {"stage": stage, "part": "failover", "ways": ways, "problems": crossed(ways, rpo_seconds)}


def _load(stage: str, settings: dict[str, Any]) -> dict[str, Any]:
    found = _enclosed("load", stage, {"data_mb": 1, "rows_per_second": 200.0, **settings})
    Console().print(loads_table(stage, found["loads"]))
    problems = [each["what"] for each in found["loads"] if not each["passed"]]
    return {"stage": stage, "part": "load", **found, "problems": problems}


def _retention(stage: str, settings: dict[str, Any]) -> dict[str, Any]:
    found = _enclosed("retention", stage, {"data_mb": 1, **settings})
    Console().print(f"{stage}: retention after each of {', '.join(found['history'])} compared", highlight=False)
    return {"stage": stage, "part": "retention", **found, "problems": found["differences"]}


def _enclosed(part: str, stage: str, settings: dict[str, Any]) -> dict[str, Any]:
    project = _project(stage)
    order = Order(part=part, stage_file=str(stage_file(project, stage)), project=str(project), settings=settings)
    with mendable():
        return enclose(order, Console(stderr=True))


def _project(stage: str) -> Path:
    if stage not in DRILLED:
        raise typer.BadParameter(f"{stage!r} ships no log, or is no stage: write one of {', '.join(DRILLED)}")
    return find_project(Path.cwd())


def _finish(found: list[dict[str, Any]], json_file: Path | None) -> None:
    if json_file:
        json_file.write_text(json.dumps(found, indent=1), encoding="utf-8")
    problems = [f"{each['stage']}, {each['part']}: {problem}" for each in found for problem in each["problems"]]
    for problem in problems:
        Console().print(f"FAIL: {problem}", style="red", markup=False)
    if not problems:
        Console().print(f"PASS: {len(found)} drills", style="green")
    raise typer.Exit(1 if problems else 0)

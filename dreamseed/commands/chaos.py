"""`dreamseed chaos`: rehearse promotions under faults at their operations; the next run must bring all in order."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dreamseed.commands.rehearse import rehearsed_project, traits
from rehearsal.chaos.driver import Bench, Start, Tried
from rehearsal.chaos.matrix import Choice, batches, pairs_of
from rehearsal.providers.faults import FaultKind
from rehearsal.providers.host import HostFailedError
from rehearsal.toolchain import ToolchainError, ensure_engine

STAGES = ("stage-c", "stage-d", "stage-e")
ROUNDS, DEATHS = 1, 4

SEED_HELP = "What is drawn follows from it: the same seed tries the same faults again."
ROUNDS_HELP = "In so many batches each operation meets another of its faults; 0: every fault of every operation."
DEATHS_HELP = "So many deaths of the provider or the engine a promotion, each costs a run; -1: at every operation."
SAMPLE_HELP = "Of the other faults only so many a promotion."
LAST_HELP = "The last stage to promote to: stage-c, stage-d or stage-e."


def chaos(
    seed: Annotated[int, typer.Option(help=SEED_HELP)] = 1,
    rounds: Annotated[int, typer.Option(min=0, help=ROUNDS_HELP)] = ROUNDS,
    deaths: Annotated[int, typer.Option(min=-1, help=DEATHS_HELP)] = DEATHS,
    sample: Annotated[int | None, typer.Option(min=1, help=SAMPLE_HELP)] = None,
    last: Annotated[str, typer.Option(help=LAST_HELP)] = STAGES[-1],
) -> None:
    """Make faults at the operations of `up` C and of the promotions C to D and D to E, rehearsed.

    Exit status 0: after each the next run succeeded and a second preview was empty, nothing was left over, twice there
    or lost, nothing stateful was replaced or deleted, and no secret stood anywhere in plain. Otherwise 1.
    """
    if last not in STAGES:
        raise typer.BadParameter(f"there is no {last!r} here: write one of {', '.join(STAGES)}")
    console = Console()
    choice = Choice(seed=seed, rounds=rounds or None, deaths=None if deaths < 0 else deaths, sample=sample)
    root = Path(tempfile.mkdtemp(prefix="dreamseed-chaos-"))
    try:
        bench = Bench(project=rehearsed_project(), toolchain=ensure_engine(), root=root, classify=traits)
        passed = _promotions(bench, choice, STAGES[: STAGES.index(last) + 1], console)
        if passed:
            shutil.rmtree(root)
    except (ToolchainError, HostFailedError, RuntimeError) as error:
        Console(stderr=True).print(str(error), style="red", markup=False)
        raise typer.Exit(1) from error
    raise typer.Exit(0 if passed else 1)


def _promotions(bench: Bench, choice: Choice, stages: tuple[str, ...], console: Console) -> bool:
    tried: list[Tried] = []
    possible, reached = 0, None
    for stage in stages:
        start, reached = bench.begin(stage, reached)
        every = pairs_of(start.steps)
        possible += len(every)
        _say(console, f"up to {stage}: {len(start.steps)} operations, {len(every)} pairs of an operation and a fault")
        _say(console, _identifiers(start))
        for number, batch in enumerate(batches(start.steps, choice), start=1):
            found = bench.try_batch(start, batch, f"{stage}-batch-{number}")
            tried.append(found)
            _say(console, _line(f"  batch {number}", found))
            for wrong in found.wrong:
                _say(console, f"    ✗ {wrong}")
    return _verdict(tried, possible, choice, bench.root, console)


def _identifiers(start: Start) -> str:
    """Return the properties, by type, whose texts are marked as secret and are names or ids that stand in plain too."""
    places = sorted(
        {place.rpartition("$")[2].partition("::")[0] + " " + place.rpartition(" ")[2] for place in start.public}
    )
    return f"  marked as secret, and in plain without a fault too: {', '.join(places) or 'nothing'}"


def _line(name: str, found: Tried) -> str:
    kinds = Counter(fault.kind for fault in found.met)
    counted = ", ".join(f"{kinds[kind]} {kind}" for kind in FaultKind if kinds[kind])
    return f"{name}: {len(found.met)} met in {found.runs} runs, {found.recoveries} recoveries ({counted})"


def _verdict(tried: list[Tried], possible: int, choice: Choice, root: Path, console: Console) -> bool:
    met = sum(len(one.met) for one in tried)
    good = sum(len(one.met) for one in tried if not one.wrong)
    never = sum(len(one.not_met) for one in tried)
    passed = met > 0 and good == met and not any(one.wrong for one in tried) and not never
    _say(
        console,
        f"{'PASS' if passed else 'FAIL'}: {good} of {met} faults met and brought in order by the runs after them, "
        f"{never} never came; {possible} pairs are possible (seed {choice.seed})",
    )
    if not passed:
        _say(console, f"what the wrong batches left: {root}")
    return passed


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)

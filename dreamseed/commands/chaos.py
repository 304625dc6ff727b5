"""`dreamseed chaos`: rehearse promotions, refresh and destroy under faults; the next run must bring all in order."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dreamseed.commands.rehearse import rehearsed_project, traits
from rehearsal.chaos.driver import Bench, Tried
from rehearsal.chaos.matrix import Choice, batches, pairs_of
from rehearsal.chaos.trials import Kind, Start
from rehearsal.providers.faults import FaultKind
from rehearsal.providers.host import HostFailedError
from rehearsal.toolchain import ToolchainError, ensure_engine

STAGES = ("stage-c", "stage-d", "stage-e")
ROUNDS, DEATHS = 1, 4
SECONDS_A_MINUTE = 60

SEED_HELP = "What is drawn follows from it: the same seed tries the same faults again."
ROUNDS_HELP = "In so many batches each operation meets another of its faults; 0: every fault of every operation."
DEATHS_HELP = "So many deaths of the provider or the engine at each, each costs a run; -1: at every operation."
SAMPLE_HELP = "Of the other faults only so many at each."
FROM_HELP = "The first stage to be promoted to under faults: stage-c, stage-d or stage-e; those before go without."
LAST_HELP = "The last stage to promote to: stage-c, stage-d or stage-e. It is refreshed and destroyed."
ONLY_HELP = "What meets faults: up, refresh or destroy; more than once for more of them. By default all."
KIND_HELP = "Only this fault; more than once for more of them."
JOBS_HELP = "So many batches at a time."


@dataclass(frozen=True)
class Phase:
    """All that was tried from one start."""

    start: Start
    tried: tuple[Tried, ...]

    @property
    def possible(self) -> Counter[FaultKind]:
        """Return how many pairs of an operation and a fault there are, by fault."""
        return Counter(fault.kind for fault in pairs_of(self.start.steps))

    @property
    def good(self) -> Counter[FaultKind]:
        """Return how many were met and brought in order."""
        return Counter(fault.kind for one in self.tried if not one.wrong for fault in one.met)


def chaos(
    seed: Annotated[int, typer.Option(help=SEED_HELP)] = 1,
    rounds: Annotated[int, typer.Option(min=0, help=ROUNDS_HELP)] = ROUNDS,
    deaths: Annotated[int, typer.Option(min=-1, help=DEATHS_HELP)] = DEATHS,
    sample: Annotated[int | None, typer.Option(min=1, help=SAMPLE_HELP)] = None,
    first: Annotated[str, typer.Option("--from", help=FROM_HELP)] = STAGES[0],
    last: Annotated[str, typer.Option(help=LAST_HELP)] = STAGES[-1],
    only: Annotated[list[Kind] | None, typer.Option(help=ONLY_HELP)] = None,
    kind: Annotated[list[FaultKind] | None, typer.Option(help=KIND_HELP)] = None,
    jobs: Annotated[int, typer.Option(min=1, help=JOBS_HELP)] = 1,
) -> None:
    """Make faults at the operations of `up` C, C to D and D to E, of a refresh and of a destroy, rehearsed.

    Exit status 0: after each the next run succeeded and a second preview was empty, nothing was left over, twice there
    or lost, nothing stateful was replaced or deleted, and no secret stood anywhere in plain. A destroy ended with
    nothing, and deleted nothing that was protected before its guards were lifted. Otherwise 1.
    """
    for stage in (first, last):
        if stage not in STAGES:
            raise typer.BadParameter(f"there is no {stage!r} here: write one of {', '.join(STAGES)}")
    if STAGES.index(first) > STAGES.index(last):
        raise typer.BadParameter(f"--from {first} comes after --last {last}: write the earlier stage first")
    console = Console()
    kinds = frozenset(kind) if kind else None
    choice = Choice(seed=seed, rounds=rounds or None, deaths=None if deaths < 0 else deaths, sample=sample, kinds=kinds)
    root = Path(tempfile.mkdtemp(prefix="dreamseed-chaos-"))
    began = time.monotonic()
    try:
        bench = Bench(project=rehearsed_project(), toolchain=ensure_engine(), root=root, classify=traits)
        starts = _starts(bench, first, last, frozenset(only or Kind))
        phases = [_try(bench, start, choice, jobs, console) for start in starts]
        passed = _verdict(phases, seed, time.monotonic() - began, root, console)
        if passed:
            shutil.rmtree(root)
    except (ToolchainError, HostFailedError, RuntimeError) as error:
        Console(stderr=True).print(str(error), style="red", markup=False)
        raise typer.Exit(1) from error
    raise typer.Exit(0 if passed else 1)


def _starts(bench: Bench, first: str, last: str, only: frozenset[Kind]) -> Iterator[Start]:
    """Return where faults are tried from, each when those before it were."""
    reached: Start | None = None
    for stage in STAGES[: STAGES.index(last) + 1]:
        start, reached = bench.begin(stage, reached)
        if Kind.UP in only and STAGES.index(stage) >= STAGES.index(first):
            yield start
    if reached is not None and Kind.REFRESH in only:
        yield bench.begin_refresh(reached)
    if reached is not None and Kind.DESTROY in only:
        yield bench.begin_destroy(reached)


def _try(bench: Bench, start: Start, choice: Choice, jobs: int, console: Console) -> Phase:
    every = pairs_of(start.steps)
    _say(console, f"{start.name}: {len(start.steps)} operations, {len(every)} pairs of an operation and a fault")
    _say(console, _identifiers(start))
    tried = []
    with ThreadPoolExecutor(jobs) as pool:
        chosen = batches(start.steps, choice)
        names = [f"{start.kind}-{start.stage}-batch-{number}" for number in range(1, len(chosen) + 1)]
        found_of = pool.map(lambda batch, name: bench.try_batch(start, batch, name), chosen, names)
        for number, found in enumerate(found_of, start=1):
            tried.append(found)
            _say(console, _line(f"  batch {number} of {len(chosen)}", found))
            for wrong in found.wrong:
                _say(console, f"    ✗ {wrong}")
    return Phase(start, tuple(tried))


def _identifiers(start: Start) -> str:
    """Return the properties, by type, whose texts are marked as secret and are names or ids that stand in plain too."""
    places = sorted(
        {place.rpartition("$")[2].partition("::")[0] + " " + place.rpartition(" ")[2] for place in start.public}
    )
    return f"  marked as secret, and in plain without a fault too: {', '.join(places) or 'nothing'}"


def _line(name: str, found: Tried) -> str:
    kinds = Counter(fault.kind for fault in found.met)
    counted = ", ".join(f"{kinds[kind]} {kind}" for kind in FaultKind if kinds[kind])
    return (
        f"{name}: {len(found.met)} met in {found.runs} runs, {found.recoveries} recoveries, {found.seconds:.0f} s "
        f"({counted})"
    )


def _table(phases: list[Phase]) -> Iterator[str]:
    """Return lines: of each fault how many pairs were brought in order, of how many that are possible."""
    yield "brought in order, of the pairs that are possible:"
    width = max(map(len, FaultKind))
    yield f"  {'':{width}}" + "".join(f"{phase.start.name:>18}" for phase in phases)
    for kind in FaultKind:
        cells = (f"{p.good[kind]} of {p.possible[kind]}" if p.possible[kind] else "-" for p in phases)
        yield f"  {kind:{width}}" + "".join(f"{cell:>18}" for cell in cells)
    sums = (f"{p.good.total()} of {p.possible.total()}" for p in phases)
    yield f"  {'all':{width}}" + "".join(f"{cell:>18}" for cell in sums)


def _verdict(phases: list[Phase], seed: int, seconds: float, root: Path, console: Console) -> bool:
    tried = [one for phase in phases for one in phase.tried]
    met = sum(len(one.met) for one in tried)
    good = sum(phase.good.total() for phase in phases)
    never = sum(len(one.not_met) for one in tried)
    possible = sum(phase.possible.total() for phase in phases)
    passed = met > 0 and good == met and not any(one.wrong for one in tried) and not never
    for line in _table(phases):
        _say(console, line)
    minutes, rest = divmod(round(seconds), SECONDS_A_MINUTE)
    _say(
        console,
        f"{'PASS' if passed else 'FAIL'}: {good} of {met} faults met and brought in order by the runs after them, "
        f"{never} never came; {possible} pairs are possible (seed {seed}, {minutes} min {rest} s)",
    )
    if not passed:
        _say(console, f"what the wrong batches left: {root}")
    return passed


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)

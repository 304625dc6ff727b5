"""Which fault may meet which operation, and in which batches they are tried."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from rehearsal.providers.cloud.identity import is_drawn, is_made_again
from rehearsal.providers.faults import DEADLY, Entry, Fault, FaultKind, Operation

CREATION_ONLY = frozenset({FaultKind.HALF_MADE, FaultKind.QUOTA, FaultKind.STOCK_OUT, FaultKind.LATE_LISTING})
HAS_QUOTA = ("gcp:", "cloudflare:", "grafana:", "pulumi-python:")
HAS_STOCK = ("gcp:compute/instance:", "gcp:compute/instanceGroupManager:", "gcp:sql/databaseInstance:")
# What stays in the engine's state alone is in no listing, and nothing of it can be made by halves.
LOCAL, DYNAMIC = "random:", "pulumi-python:"


@dataclass(frozen=True)
class Step:
    """One operation of a run without faults."""

    operation: Operation
    urn: str
    token: str


def steps_of(entries: Sequence[Entry]) -> tuple[Step, ...]:
    """Return the operations of a journal, each once, in their order."""
    return tuple(dict.fromkeys(Step(entry.operation, entry.urn, entry.token) for entry in entries))


def kinds_for(step: Step) -> tuple[FaultKind, ...]:
    """Return the kinds that may meet a step.

    A late listing matters where the object is asked for by its id: one whose id is drawn is looked up by a person.
    """
    return tuple(kind for kind in FaultKind if _applies(kind, step))


def _applies(kind: FaultKind, step: Step) -> bool:
    if kind in CREATION_ONLY and step.operation is not Operation.CREATE:
        return False
    if kind is FaultKind.HALF_MADE:
        return not step.token.startswith((LOCAL, DYNAMIC))
    if kind is FaultKind.QUOTA:
        return step.token.startswith(HAS_QUOTA)
    if kind is FaultKind.STOCK_OUT:
        return step.token.startswith(HAS_STOCK)
    if kind is FaultKind.LATE_LISTING:
        return step.token.startswith("gcp:") and not is_drawn(step.token) and not is_made_again(step.token)
    return True


@dataclass(frozen=True)
class Batch:
    """Faults of different operations that are tried in one line of runs."""

    faults: tuple[Fault, ...]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What is drawn of all pairs of an operation and a kind, by `seed`; None stands for all.

    `rounds`: in how many batches each operation meets one of its kinds that let a run go on. `deaths`: how many pairs
    with a deadly kind are tried. `sample`: of the first, only so many, in one batch.
    """

    seed: int
    rounds: int | None = None
    deaths: int | None = None
    sample: int | None = None


def pairs_of(steps: Sequence[Step]) -> list[Fault]:
    """Return every pair of an operation and a kind that may meet it."""
    return [Fault(step.operation, step.urn, kind) for step in steps for kind in kinds_for(step)]


def batches(steps: Sequence[Step], choice: Choice) -> list[Batch]:
    """Return the batches of a choice: in each, an operation meets one kind."""
    draw = random.Random(choice.seed)  # noqa: S311 - a seed that is printed, so that a run can be repeated
    mild = {step: [kind for kind in kinds_for(step) if kind not in DEADLY] for step in steps}
    deaths = [fault for fault in pairs_of(steps) if fault.kind in DEADLY]
    deaths = deaths if choice.deaths is None else draw.sample(deaths, min(choice.deaths, len(deaths)))
    rounds: list[dict[tuple[Operation, str], Fault]] = [{} for _ in range(max(map(len, mild.values()), default=0))]
    for step, kinds in mild.items():
        for kind, number in zip(
            draw.sample(kinds, len(kinds)), draw.sample(range(len(rounds)), len(kinds)), strict=True
        ):
            rounds[number][step.operation, step.urn] = Fault(step.operation, step.urn, kind)
    rounds = rounds[: choice.rounds]
    if choice.sample is not None:
        every = [fault for one in rounds for fault in one.values()]
        rounds = [{(f.operation, f.urn): f for f in draw.sample(every, min(choice.sample, len(every)))}]
    return [Batch(tuple(one.values())) for one in _with_deaths(rounds, deaths, draw)]


def _with_deaths(
    rounds: list[dict[tuple[Operation, str], Fault]], deaths: Sequence[Fault], draw: random.Random
) -> list[dict[tuple[Operation, str], Fault]]:
    """Put the deaths where their operation meets nothing yet; what finds no place gets a round of its own."""
    for fault in deaths:
        key = (fault.operation, fault.urn)
        free = [one for one in rounds if key not in one]
        if not free:
            free = [{}]
            rounds.append(free[0])
        draw.choice(free)[key] = fault
    return [one for one in rounds if one]

"""Which fault may meet which operation, and in which batches they are tried."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rehearsal.providers.cloud.identity import is_drawn, is_made_again
from rehearsal.providers.faults import DEADLY, Entry, Fault, FaultKind, Operation

CREATION_ONLY = frozenset({FaultKind.HALF_MADE, FaultKind.QUOTA, FaultKind.STOCK_OUT, FaultKind.LATE_LISTING})
READING = frozenset(
    {
        FaultKind.ERROR_BEFORE,
        FaultKind.TIMEOUT,
        FaultKind.RATE_LIMIT,
        FaultKind.REPORTED_GONE,
        FaultKind.PROVIDER_DIES_BEFORE,
        FaultKind.ENGINE_DIES_BEFORE,
    }
)
"""What a read meets: it changes nothing, so it makes no difference whether it fails before or after."""
HAS_QUOTA = ("gcp:", "cloudflare:", "grafana:", "pulumi-python:")
HAS_STOCK = ("gcp:compute/instance:", "gcp:compute/instanceGroupManager:", "gcp:sql/databaseInstance:")
# What stays in the engine's state alone is in no listing, and nothing of it can be made by halves.
LOCAL, DYNAMIC = "random:", "pulumi-python:"


Round = dict[tuple[Operation, str], Fault]
"""Faults by operation and URN: each operation meets one."""


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
    if step.operation is Operation.READ and kind not in READING:
        return False
    if kind is FaultKind.REPORTED_GONE:
        return step.operation is Operation.READ and not step.token.startswith(LOCAL)
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
    with a deadly kind are tried. `sample`: of the first, only so many operations' faults. `kinds`: only these.
    """

    seed: int
    kinds: frozenset[FaultKind] | None = None
    rounds: int | None = None
    deaths: int | None = None
    sample: int | None = None


def pairs_of(steps: Sequence[Step]) -> list[Fault]:
    """Return every pair of an operation and a kind that may meet it."""
    return [Fault(step.operation, step.urn, kind) for step in steps for kind in kinds_for(step)]


def batches(steps: Sequence[Step], choice: Choice) -> list[Batch]:
    """Return the batches of a choice: in each, an operation meets one kind; the order of `steps` does not matter.

    Deletions are met in batches of their own: while one waits, some runs cannot be told to go on after an error.
    """
    draw = random.Random(choice.seed)  # noqa: S311 - a seed that is printed, so that a run can be repeated
    ordered = sorted(steps, key=lambda step: (step.operation, step.urn, step.token))
    chosen = {step: [k for k in kinds_for(step) if choice.kinds is None or k in choice.kinds] for step in ordered}
    mild = {step: [kind for kind in kinds if kind not in DEADLY] for step, kinds in chosen.items()}
    deaths = [Fault(s.operation, s.urn, kind) for s, kinds in chosen.items() for kind in kinds if kind in DEADLY]
    deaths = deaths if choice.deaths is None else draw.sample(deaths, min(choice.deaths, len(deaths)))
    rounds = _rounds(mild, draw)[: choice.rounds]
    if choice.sample is not None:
        every = [fault for one in rounds for fault in one.values()]
        one_each = {(fault.operation, fault.urn): fault for fault in draw.sample(every, len(every))}
        rounds = [dict(list(one_each.items())[: choice.sample])]
    return [
        Batch(tuple(one)) for round_ in _with_deaths(rounds, deaths, draw) for one in _apart(round_.values()) if one
    ]


def _rounds(mild: Mapping[Step, Sequence[FaultKind]], draw: random.Random) -> list[Round]:
    """Return rounds in which each step meets another of its kinds."""
    rounds: list[Round] = [{} for _ in range(max(map(len, mild.values()), default=0))]
    for step, kinds in mild.items():
        for kind, number in zip(
            draw.sample(kinds, len(kinds)), draw.sample(range(len(rounds)), len(kinds)), strict=True
        ):
            rounds[number][step.operation, step.urn] = Fault(step.operation, step.urn, kind)
    return rounds


def _apart(faults: Iterable[Fault]) -> tuple[list[Fault], ...]:
    """Return the faults of all other operations, those that deletions meet, and the deaths in deletions."""
    parts: tuple[list[Fault], ...] = ([], [], [])
    for fault in faults:
        deletes = fault.operation is Operation.DELETE
        parts[deletes + (deletes and fault.kind in DEADLY)].append(fault)
    return parts


def _with_deaths(rounds: list[Round], deaths: Sequence[Fault], draw: random.Random) -> list[Round]:
    """Put the deaths where their operation meets nothing yet; what finds no place gets a round of its own."""
    for fault in deaths:
        key = (fault.operation, fault.urn)
        free = [one for one in rounds if key not in one]
        if not free:
            free = [{}]
            rounds.append(free[0])
        draw.choice(free)[key] = fault
    return [one for one in rounds if one]

"""Each claim of survival tried: something is lost, its clients are watched, and it is given back."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from docker.errors import DockerException
from requests import RequestException
from rich.console import Console

from dreamseed.planning.stage_plan import StagePlan
from dreamseed.planning.survivability import Claim
from localtier.experiments.losses import Losses, reason_not_tried
from localtier.experiments.noticing import POLL_SECONDS, Watch, interruption_seconds, lanes_of, present, watching, works
from localtier.experiments.trials import NOT_TRIED, Client, Trial, clients_of
from localtier.load.run import LoadRun
from localtier.tier import HEALTHY_SECONDS, Tier
from rehearsal.hosts import HostsError, faults

SURVIVE_SECONDS = 60.0
FAIL_SECONDS = 20.0
BASELINE_SECONDS = 60.0
LANES_SECONDS = 5.0
"""So long before the loss the clients are listened to: each lane has some successes in it."""
NOTICED_SECONDS = 8.0
"""A loss may be noticed late: before, no client is said to have survived it. The edge drops a silent connector
after 3 s, Redis a node after 2 s, see localtier/tunnel/protocol.py and dreamseed/planning/survivability/cache.py."""
NOTICED_LATE_SECONDS: Mapping[str, float] = {"etcd": 45.0}
"""Patroni's leader key lives for 30 s, and its loop waits 10 s. Source: dreamseed/planning/templates/patroni.yml.j2."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One claim tried. `observed` is whether it was survived, null where that could not be seen, `detail` says why."""

    trial: Trial
    claim: Claim
    claimed: bool
    observed: bool | None
    interruption_seconds: float
    recovery_seconds: float
    healed: bool
    detail: str = ""

    @property
    def agrees(self) -> bool:
        """Tell whether the claim holds and everything was healthy again afterwards."""
        return self.observed is self.claimed and self.healed


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What became of one claim while the loss lasted."""

    survived: bool
    interruption_seconds: float


class Stage(Protocol):
    """A running stage, as trials need it."""

    def unhealthy(self) -> list[str]:
        """Wait until everything is as planned; return what is not when the time is over."""

    def inject(self, trial: Trial) -> None:
        """Let it be lost."""

    def repair(self, trial: Trial) -> None:
        """Give it back."""

    def clients(self, component: str) -> tuple[Client, ...]:
        """Return who notices that a component is away."""

    def watching(self, clients: frozenset[Client]) -> AbstractContextManager[Watch]:
        """Watch clients until the block ends."""


@dataclass(frozen=True, kw_only=True)
class RunningStage(Losses):
    """The stage that runs in a tier, under a load."""

    tier: Tier
    load: LoadRun

    def unhealthy(self) -> list[str]:
        """Wait until every check passes; return what does not."""
        findings = self.tier.check(self.plan, HEALTHY_SECONDS)
        return [f"{finding.what}: {finding.detail}" for finding in findings if not finding.ok]

    def clients(self, component: str) -> tuple[Client, ...]:
        """Return who notices that a component is away, of those that the stage has."""
        return clients_of(component, present(self.plan))

    def restart_engine(self, host: str) -> None:
        """Kill a host's Docker Engine and start it again."""
        faults.kill_engine(self.world, host)
        faults.start_engine(self.world, host)

    def watching(self, clients: frozenset[Client]) -> AbstractContextManager[Watch]:
        """Watch clients of the load and pages."""
        return watching(self.plan, self.world, self.load.folder, clients)


def try_claims(tier: Tier, plan: StagePlan, load: LoadRun, trials: Sequence[Trial], console: Console) -> list[Outcome]:
    """Try every one of `trials` that may be tried (see `reason_not_tried`) on the stage that stands, under `load`.

    After a trial that leaves something broken the rest is not tried: nothing could be told from it.
    """
    stage = RunningStage(world=tier.world(plan), plan=plan, tier=tier, load=load)
    allowed = [trial for trial in trials if reason_not_tried(plan, trial) is None]
    return try_all(stage, allowed, console)


def try_all(stage: Stage, trials: Sequence[Trial], console: Console) -> list[Outcome]:
    """Try one trial after the other, as long as the stage is whole again after each."""
    done: list[Outcome] = []
    broken = stage.unhealthy()
    for trial in trials:
        if broken:
            done += [
                _unseen(trial, claim, f"not tried, unhealthy before: {'; '.join(broken)}") for claim in trial.claims
            ]
            continue
        outcomes, broken = try_one(stage, trial)
        done += outcomes
        for one in outcomes:
            console.print(line(one), markup=False, highlight=False, soft_wrap=True)
    return done


def line(one: Outcome) -> str:
    """Return an outcome in a line."""
    said = {True: "survives", False: "does not survive", None: "was not seen"}
    text = f"{'✓' if one.agrees else '✗'} {one.trial.name}: {one.claim.component} {said[one.observed]}"
    if one.observed is not None and one.observed is not one.claimed:
        text += f", claimed: {said[one.claimed]}"
    text += f" (away {one.interruption_seconds:.1f} s, whole again {one.recovery_seconds:.0f} s after repair)"
    return f"{text} {one.detail}".rstrip()


def try_one(stage: Stage, trial: Trial) -> tuple[list[Outcome], list[str]]:
    """Lose something, watch, give it back; return the outcomes and what is unhealthy afterwards."""
    clients = {claim: stage.clients(claim.component) for claim in trial.claims}
    if not all(clients.values()):
        return [_unseen(trial, claim, "a claim of it is one that nobody here notices") for claim in trial.claims], []
    seen: dict[Claim, Seen] = {}
    detail = ""
    with stage.watching(frozenset(client for some in clients.values() for client in some)) as watch:
        lanes = _baseline(watch, clients)
        if lanes is None:
            return [_unseen(trial, claim, "its clients did not work before") for claim in trial.claims], []
        try:
            since = watch.now()
            stage.inject(trial)
            seen = observe(watch, clients, lanes, since)
        except (HostsError, DockerException, RequestException) as error:
            detail = f"could not be done: {error}"
        began = time.monotonic()
        broken = _repaired(stage, trial)
    recovery = time.monotonic() - began
    detail = "; ".join(filter(None, (detail, f"unhealthy after: {'; '.join(broken)}" if broken else "")))
    outcomes = [
        Outcome(
            trial=trial,
            claim=claim,
            claimed=claim.survives,
            observed=seen[claim].survived if claim in seen else None,
            interruption_seconds=seen[claim].interruption_seconds if claim in seen else 0.0,
            recovery_seconds=round(recovery, 1),
            healed=not broken,
            detail=detail,
        )
        for claim in trial.claims
    ]
    return outcomes, broken


def _repaired(stage: Stage, trial: Trial) -> list[str]:
    try:
        stage.repair(trial)
    except (HostsError, DockerException, RequestException) as error:
        return [f"not repaired: {error}"]
    return stage.unhealthy()


def _unseen(trial: Trial, claim: Claim, detail: str) -> Outcome:
    return Outcome(
        trial=trial,
        claim=claim,
        claimed=claim.survives,
        observed=None,
        interruption_seconds=0.0,
        recovery_seconds=0.0,
        healed=False,
        detail=detail,
    )


def _baseline(watch: Watch, clients: Mapping[Claim, Sequence[Client]]) -> dict[Client, frozenset[str]] | None:
    """Wait until every client works, and return each one's lanes; null when one does not in time."""
    every = {client for some in clients.values() for client in some}
    began = watch.now()
    while watch.now() - began < BASELINE_SECONDS:
        watch.sleep(POLL_SECONDS)
        lanes = {client: lanes_of(watch.events(client)) for client in every}
        if watch.now() - began >= LANES_SECONDS and all(
            works(watch.events(client), lanes[client], began, watch.now()) for client in every
        ):
            return lanes
    return None


def observe(
    watch: Watch,
    clients: Mapping[Claim, Sequence[Client]],
    lanes: Mapping[Client, frozenset[str]],
    since: float,
) -> dict[Claim, Seen]:
    """Watch until every claim is decided; `since` is when the loss began, and it is complete now."""
    complete = watch.now()
    seen: dict[Claim, Seen] = {}
    while len(seen) < len(clients):
        watch.sleep(POLL_SECONDS)
        now = watch.now()
        for claim in [claim for claim in clients if claim not in seen]:
            events = {client: watch.events(client) for client in clients[claim]}
            working = all(works(events[one], lanes[one], since, now) for one in events)
            survived = decided(claim, working, now - complete)
            if survived is not None:
                away = max(interruption_seconds(events[one], since, now) for one in events)
                seen[claim] = Seen(survived=survived, interruption_seconds=round(away, 2))
    return seen


def decided(claim: Claim, working: bool, elapsed_seconds: float) -> bool | None:
    """Return whether a claim's loss is survived, null as long as that is open.

    Survived: all clients work at some time after the loss must have been noticed, and within `SURVIVE_SECONDS`. A loss
    that is claimed not to be survived is given `FAIL_SECONDS`: whoever works before has survived it.
    """
    noticed_seconds = NOTICED_LATE_SECONDS.get(claim.component, NOTICED_SECONDS)
    if working and elapsed_seconds >= noticed_seconds:
        return True
    patience_seconds = SURVIVE_SECONDS if claim.survives else max(FAIL_SECONDS, noticed_seconds)
    return False if elapsed_seconds >= patience_seconds else None


def not_tried(plan: StagePlan, trials: Sequence[Trial]) -> Iterator[tuple[str, str]]:
    """Return the name and the reason of each trial that `try_claims` leaves out, and of what no trial is made of."""
    yield from NOT_TRIED.items()
    for trial in trials:
        reason = reason_not_tried(plan, trial)
        if reason is not None:
            yield trial.name, reason

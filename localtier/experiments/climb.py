"""Bringing a stage up, and the next one, while users use it: what that took and what they noticed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from dreamseed.planning.promotion import Action, plan_promotion
from dreamseed.planning.stage_plan import StagePlan
from localtier.experiments.kills import Kill, Killing, Victim
from localtier.experiments.noticing import services
from localtier.experiments.users import Users
from localtier.load.report import LoadReport
from localtier.report import memory_mib
from localtier.tier import HEALTHY_SECONDS
from rehearsal.runner.engine import Reached, Run

WRITERS: Mapping[str, str] = {"postgres": "rows", "redis": "keys", "kafka": "messages"}
"""What each writer of the load writes."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step up, from nothing where `before` is None.

    `users` are the load's figures from the engine's start until everything was whole, with the verdict on everything
    that was ever acknowledged; None when there were none yet. `spare_engine` tells whether `before` had a second engine
    to answer chats. `kills` were made on purpose, `kills_not_made` were to be made. `ports_freed` were
    kept by a killed Docker Engine until its restart.
    """

    before: str | None
    stage: str
    checks: int
    faults: tuple[str, ...]
    changed_again: tuple[str, ...]
    engine_seconds: float
    whole_seconds: float
    memory_mib: float
    users: LoadReport | None
    services: tuple[str, ...] = ()
    spare_engine: bool = False
    engines_replaced: tuple[str, ...] = ()
    kills: tuple[Kill, ...] = ()
    kills_not_made: tuple[Kill, ...] = ()
    ports_freed: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Return both ends."""
        return f"{self.before or 'nothing'} → {self.stage}"


def step_up(
    users: Users, before: StagePlan | None, stage: str, reached: Reached, killing: Killing | None = None
) -> Step:
    """Bring the tier to `stage` and return what became of it; users are welcomed to its new services afterwards.

    With `killing` the way is interrupted. A failed run is a fault with the engine's words.
    """
    tier = users.tier
    plan = tier.plan(stage)
    load = users.load(plan)
    began, clock = time.time(), time.monotonic()
    run = killing.bring() if killing else tier.up(stage, reached)
    engine_seconds = time.monotonic() - clock
    faults = [f"the engine: {error}" for error in run.errors]
    again: tuple[str, ...] = ()
    checks = 0
    memory = 0.0
    if run.succeeded:
        findings = tier.check(plan, HEALTHY_SECONDS)
        checks = len(findings)
        faults += [f"{finding.what}: {finding.detail}" for finding in findings if not finding.ok]
    whole_seconds = time.monotonic() - clock
    figures = load.figures(began, time.time()) if before else None
    if run.succeeded:
        again = changed(tier.up(stage, reached))
        users.welcome(plan)
        with tier.engines(plan) as engines:
            memory = sum(sum(memory_mib(engine).values()) for engine in engines.values())
    return Step(
        before=before.name if before else None,
        stage=stage,
        checks=checks,
        faults=tuple(faults),
        changed_again=again,
        engine_seconds=round(engine_seconds, 1),
        whole_seconds=round(whole_seconds, 1),
        memory_mib=round(memory),
        users=with_verdicts(figures, load.verify()) if figures else None,
        services=services(before) if before else (),
        spare_engine=before is not None and len(before.layout.replicas) > 1,
        engines_replaced=engines_replaced(before, plan) if before else (),
        kills=tuple(killing.made) if killing else (),
        kills_not_made=killing.not_made if killing else (),
        ports_freed=tuple(killing.freed) if killing else (),
    )


def changed(run: Run) -> tuple[str, ...]:
    """Return what a run changed, and why it failed if it did: nothing where there was nothing to do."""
    done = (f"{change.action} {change.resource.name}" for change in run.events.all_changes())
    return (*done, *run.errors)


def engines_replaced(before: StagePlan, plan: StagePlan) -> tuple[str, ...]:
    """Return the names of the engines that a promotion replaces."""
    replaced = set(plan_promotion(before, plan).names(Action.REPLACED))
    engines = (one.name for one in before.vllm.containers if one.service == "vllm")
    return tuple(name for name in engines if name in replaced)


def with_verdicts(figures: LoadReport, verified: LoadReport) -> LoadReport:
    """Return `figures`, which are of a span, with the verdicts of `verified`, which are on everything so far."""
    verdicts = {one.client: one for one in verified.clients}
    return LoadReport(
        clients=tuple(
            replace(one, verdict=verdicts[one.client].verdict, unverified=verdicts[one.client].unverified)
            for one in figures.clients
        )
    )


def problems(step: Step) -> Iterator[str]:
    """Return what a step did that it must not do."""
    for fault in step.faults:
        yield f"{step.name}: {fault}"
    for kill in step.kills_not_made:
        yield f"{step.name}: {kill.name}: the promotion was over before, so it was not tried"
    if step.changed_again:
        yield f"{step.name}: a second up changes {', '.join(step.changed_again)}"
    if step.users is None:
        return
    seen = {one.client: one for one in step.users.clients}
    for service in step.services:
        if service not in seen or not seen[service].figures.succeeded:
            yield f"{step.name}: {service}: nothing was acknowledged meanwhile, so nothing is shown"
    yield from (f"{step.name}: {fault}" for one in step.users.clients for fault in one.faults())
    chat = seen.get("chat")
    servers_stood = not any(kill.victim is Victim.DOCKER for kill in step.kills)
    if step.spare_engine and servers_stood and chat is not None and chat.figures.failed:
        failed = f"{chat.figures.failed} chats failed ({chat.figures.errors})"
        yield f"{step.name}: {failed}, and a second engine could have answered them"

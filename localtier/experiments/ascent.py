"""All experiments in one ascent from nothing to the last stage: what is done at each stage, and what was found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from rich.console import Console

from dreamseed.planning.stage_plan import StagePlan
from dreamseed.planning.survivability import DataLoss, Loss
from localtier.experiments import climb, drift, report, restarts
from localtier.experiments.alerts import Seen, benched, seen_content
from localtier.experiments.alerts import Trial as AlertTrial
from localtier.experiments.climb import Step
from localtier.experiments.drift import Drift
from localtier.experiments.kills import Killing, Victim, draw
from localtier.experiments.restarts import Restart, restart_engines
from localtier.experiments.survival import Outcome, not_tried, try_claims
from localtier.experiments.trials import Trial, sample, trials_of
from localtier.experiments.users import Users
from localtier.k6 import K6Result, play, summary
from localtier.load.report import LoadReport
from localtier.load.run import LoadRun
from localtier.tier import HEALTHY_SECONDS, Tier
from rehearsal.runner.display import watching
from rehearsal.runner.engine import Reached
from rehearsal.runner.steps import Progress


class Claims(StrEnum):
    """Which claims of survival are tried at a stage. With any, each host's Docker Engine is restarted after them."""

    NONE = "none"
    HOSTS = "hosts"
    """Every server and every link between two."""
    SAMPLE = "sample"
    """Each kind of container and volume once, every server, every link."""
    EVERY = "every"


@dataclass(frozen=True, kw_only=True)
class Program:
    """What is done on the way through `stages`: `claims` by stage, and `kills` in the promotion to a stage, in order.

    `drift_at` is where changes are made by hand, `alerts_at` where faults must be told exactly. k6 plays `k6_users` of
    a stage's users for `k6_seconds`, not at all with 0. The same `seed` draws the same kills.
    """

    stages: tuple[str, ...]
    claims: Mapping[str, Claims] = field(default_factory=dict)
    kills: Mapping[str, tuple[Victim, ...]] = field(default_factory=dict)
    drift_at: str | None = None
    alerts_at: str | None = None
    k6_users: int = 20
    k6_seconds: float = 0.0
    seed: int = 1


@dataclass
class Ascent:
    """A tier brought up stage by stage under one load. `problems` are all findings against it."""

    tier: Tier
    program: Program
    console: Console
    steps: list[Step] = field(default_factory=list)
    drifts: list[Drift] = field(default_factory=list)
    outcomes: dict[str, list[Outcome]] = field(default_factory=dict)
    restarts: dict[str, list[Restart]] = field(default_factory=dict)
    loads: dict[str, K6Result] = field(default_factory=dict)
    alerts: dict[str, list[Seen]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Begin from nothing and do everything; what a stage finds wrong does not keep the next one from being tried.

        Only a stage that does not come up ends it: nothing can be told of those above.
        """
        users = Users(tier=self.tier)
        users.forget()
        self.tier.down(forget=True)
        before: StagePlan | None = None
        for stage in self.program.stages:
            step = self._step(users, before, stage)
            if step.faults:
                return
            before = self.tier.plan(stage)
            self._scan(before)
            self._k6(before)
            if stage == self.program.drift_at:
                self._drift(before)
            if stage == self.program.alerts_at:
                self._alerts(users, before)
            if self.program.claims.get(stage, Claims.NONE) is not Claims.NONE:
                users = self._claims(users, before)
        if before is not None:
            users.leave(before)

    def _step(self, users: Users, before: StagePlan | None, stage: str) -> Step:
        with watching(self.console, stage) as (watch,):

            def reached(resources: int) -> None:
                watch(Progress(stage, 0, 1, resources))

            if before is None or stage not in self.program.kills:
                step = climb.step_up(users, before, stage, reached)
            else:
                step = self._killed_step(users, before, stage, reached)
        self.steps.append(step)
        self._found(climb.problems(step))
        took = f"{step.engine_seconds:.0f} s, whole after {step.whole_seconds:.0f} s, {step.checks} checks"
        self._tell(f"{step.name}: {took}")
        for kill in step.kills:
            self._tell(f"{step.name}: killed: {kill.name}")
        for port in step.ports_freed:
            self._tell(f"{step.name}: the killed Docker Engine kept {port} for no container: it was restarted")
        return step

    def _killed_step(self, users: Users, before: StagePlan, stage: str, reached: Reached) -> Step:
        plan = self.tier.plan(stage)
        drawn = draw(before, self.program.kills[stage], self.program.seed)
        killing = Killing(tier=self.tier, world=self.tier.world(plan), stage=stage, kills=drawn, reached=reached)
        return climb.step_up(users, before, stage, reached, killing)

    def _scan(self, plan: StagePlan) -> None:
        """Try every port from a container of each network: what is reached must be what the plan says."""
        findings = self.tier.scan(plan)
        self._found([f"{plan.name}: scan: {one.what}: {one.detail}" for one in findings if not one.ok])
        self._tell(f"{plan.name}: {len(findings)} looks at what containers reach")

    def _k6(self, plan: StagePlan) -> None:
        """Play the stage's users; what they get wrong is a finding, a missed objective is told: two cores miss some."""
        if not self.program.k6_seconds:
            return
        share = min(1.0, self.program.k6_users / plan.config.service.capacity.concurrent_users)
        result = play(self.tier, plan, share, self.program.k6_seconds)
        self.loads[plan.name] = result
        self._tell(summary(plan, result))
        if not result.generation.count:
            self._found([f"{plan.name}: k6: nobody asked for a generation, so nothing is shown"])
        if result.wrong_answers:
            self._found([f"{plan.name}: k6: {result.wrong_answers} of {result.generation.count} answers are wrong"])

    def _drift(self, plan: StagePlan) -> None:
        seen = drift.try_drift(self.tier, plan, lambda _: None)
        self.drifts.append(seen)
        self._found(drift.problems(seen))
        for text in report.drift_lines(seen):
            self._tell(text)
        findings = self.tier.check(plan, HEALTHY_SECONDS)
        self._found(f"{plan.name}: after drift: {one.what}: {one.detail}" for one in findings if not one.ok)

    def _alerts(self, users: Users, plan: StagePlan) -> None:
        """Make faults in place of the users, who come back afterwards, and require exactly the expected alerts."""
        users.leave(plan)
        with benched(self.tier, plan, users) as bench:
            found = AlertTrial(bench, lambda text: self._tell(f"{plan.name}: {text}"), short=True).run()
        self.alerts[plan.name] = found.seen
        self._found(f"{plan.name}: alerts: {problem}" for problem in found.problems)
        findings = self.tier.check(plan, HEALTHY_SECONDS)
        self._found(f"{plan.name}: after the alerts: {one.what}: {one.detail}" for one in findings if not one.ok)
        users.welcome(plan)

    def _claims(self, users: Users, plan: StagePlan) -> Users:
        """Try the claims, verify what was written before and meanwhile, and return users for the next stage.

        They are others, who do not miss the keys that a cache may lose.
        """
        chosen = self._chosen(plan)
        for name, reason in not_tried(plan, chosen):
            self._tell(f"{plan.name}: not tried: {name}: {reason}")
        load = users.load(plan)
        self.outcomes[plan.name] = outcomes = try_claims(self.tier, plan, load, chosen, self.console)
        self._found(f"{plan.name}: {problem}" for problem in report.outcome_problems(outcomes))
        if all(one.healed for one in outcomes):
            self._restarts(plan, load)
        users.leave(plan)
        self._found(f"{plan.name}: after the losses: {problem}" for problem in lost(load.verify(), outcomes))
        others = users.others()
        others.welcome(plan)
        return others

    def _restarts(self, plan: StagePlan, load: LoadRun) -> None:
        self.restarts[plan.name] = done = restart_engines(self.tier, plan, load)
        for one in done:
            self._tell(f"{plan.name}: {restarts.line(one)}")
        self._found(f"{plan.name}: {problem}" for problem in restarts.problems(done))

    def _chosen(self, plan: StagePlan) -> Sequence[Trial]:
        every = trials_of(plan)
        match self.program.claims[plan.name]:
            case Claims.EVERY:
                return every
            case Claims.SAMPLE:
                return sample(every)
            case _:
                return [trial for trial in every if trial.loss in (Loss.SERVER, Loss.LINK)]

    def _found(self, problems: Iterator[str] | Sequence[str]) -> None:
        for problem in problems:
            self.problems.append(problem)
            self.console.print(f"✗ {problem}", style="red", markup=False, highlight=False, soft_wrap=True)

    def _tell(self, text: str) -> None:
        report.tell(self.console, text)

    def show(self) -> None:
        """Print what was found as tables, and the verdict."""
        self.console.print(report.steps_table(self.steps))
        for text in report.causes(self.steps):
            self.console.print(text, markup=False, highlight=False, soft_wrap=True)
        for stage, outcomes in self.outcomes.items():
            self.console.print(report.losses_table(stage, outcomes))
        report.show_verdict(self.problems, self.words, self.console)

    @property
    def words(self) -> str:
        """Return what was done, in a line."""
        made = sum(len(step.kills) for step in self.steps)
        tried = [one for outcomes in self.outcomes.values() for one in outcomes]
        parts = [f"{len(self.steps)} steps to {self.steps[-1].stage if self.steps else 'nowhere'}"]
        parts += [f"{made} {'kill' if made == 1 else 'kills'} on the way"] if made else []
        parts += [f"{len(tried)} claims tried"] if tried else []
        restarted = sum(len(each) for each in self.restarts.values())
        parts += [f"{restarted} Docker {'Engine' if restarted == 1 else 'Engines'} restarted"] if restarted else []
        told = sum(len(each) for each in self.alerts.values())
        parts += [f"{told} faults told exactly"] if told else []
        parts += [f"drift mended at {', '.join(one.stage for one in self.drifts)}"] if self.drifts else []
        return ", ".join([*parts, "nothing acknowledged was lost that is claimed to survive"])

    @property
    def found(self) -> dict[str, Any]:
        """Return everything that was found beside the problems, for machines."""
        return {
            "steps": [asdict(step) for step in self.steps],
            "drifts": [report.drift_content(one) for one in self.drifts],
            "claims": {
                stage: [report.outcome_content(one) for one in outcomes] for stage, outcomes in self.outcomes.items()
            },
            "restarts": {stage: [asdict(one) for one in each] for stage, each in self.restarts.items()},
            "alerts": {stage: [seen_content(one) for one in each] for stage, each in self.alerts.items()},
            "k6": {stage: asdict(result) for stage, result in self.loads.items()},
        }


def lost(after: LoadReport, outcomes: Iterable[Outcome]) -> Iterator[str]:
    """Return which acknowledged writes are missing after the losses that were tried.

    Keys of the cache may be, where a claim that was tried says so. What is there twice or changed is always a fault.
    """
    tried = [one.claim for one in outcomes if one.observed is not None]
    forgetful = {claim.component for claim in tried if claim.data_lost is DataLoss.CACHE}
    for one in after.clients:
        yield from one.faults(may_forget=one.client.removesuffix("-reader") in forgetful)

"""The world of a rehearsal: the real engine against attached providers, stand-ins for what needs servers.

Its load test is computed, not played: the model's bound of the cards against what the stage's users ask on average.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from dreamseed.cost.quantities import Month
from dreamseed.cost.quantities.load import load_of
from dreamseed.interval import Scenario
from dreamseed.monitoring.silences import touched_alerts
from dreamseed.planning.stage_plan import StagePlan
from dreamseed.promotion.playbook import gpus_of
from dreamseed.promotion.saga import StepError
from dreamseed.signing import canonical, write_whole
from playbook import state
from playbook.applying import Applying
from playbook.engine_plan import EnginePlan
from playbook.stand_ins import FileSilence, StandIns
from rehearsal.providers.host import ProviderHost
from rehearsal.runner import Project, Workspace
from rehearsal.runner.engine import Engine, Reached
from rehearsal.toolchain import ensure_engine

STACK = "promoted"
# The engine writes its state after each step, so that it can be killed at any time.
REHEARSAL_ONLY = "PULUMI_SKIP_CHECKPOINTS"


@dataclass(frozen=True, kw_only=True)
class RehearsedWorld:
    """A promotion from `before` to `after` in the folder `root`, which keeps everything between two commands.

    `approved` is the digest of the plan that may be carried out.
    """

    root: Path
    project: Project
    before: StagePlan
    after: StagePlan
    reached: Reached
    clock: Callable[[], datetime]
    approved: str = ""
    identified: Mapping[str, str] = field(default_factory=dict)

    @property
    def silence(self) -> FileSilence:
        """Return a silence of the alerts that the promotion makes fire, in a file: a rehearsal has no Alertmanager."""
        return FileSilence(self.root / "silence.json", self.clock, touched_alerts(self.before, self.after))

    @property
    def standing(self) -> str | None:
        """Return the stage that stands, such as ``stage-a``; None when nothing does."""
        path = self.root / "standing.json"
        return str(json.loads(path.read_text(encoding="utf-8"))["stage"]) if path.exists() else None

    def begin(self) -> None:
        """Bring `before` up from nothing where nothing stands. Raises `StepError`."""
        self.stand_ins.begin(gpus_of(self.before))
        if self.standing is not None:
            return
        with self._engine() as engine:
            if STACK not in engine.workspace.created:
                engine.create_stack(STACK, like=self.before.name)
            run = engine.up(STACK, self.before.name, self.reached)
        if not run.succeeded:
            raise StepError(
                "promote", f"{self.before.name} is not up: {run.errors}", "it is where to begin", "try again"
            )
        self._stand(self.before.name)

    def install(self) -> None:
        """Put in the cards that a person says are in."""
        self.stand_ins.install(gpus_of(self.after))

    def preview(self) -> EnginePlan:
        """Return what the engine would change."""
        with self._engine() as engine:
            return self._applying(engine).preview()

    def back_up(self) -> None:
        """Back the stand-in of the database up, and archive the model's name."""
        self.stand_ins.back_up(self.after.name, self.before.config.vllm.model)

    def verify_backup(self) -> str:
        """Restore it into an empty place and compare every row."""
        return self.stand_ins.verify_backup(self.after.name, self.before.config.vllm.model)

    def gpus_seen(self) -> Mapping[str, int]:
        """Return the cards that the stand-in shows."""
        return self.stand_ins.gpus

    def is_applied(self) -> str | None:
        """Return that the stage stands, if it does."""
        return f"{self.after.name} stands" if self.standing == self.after.name else None

    def apply(self) -> None:
        """Bring the stage up by the approved plan."""
        with self._engine() as engine:
            self._applying(engine).up(self.approved)
        self._stand(self.after.name)

    def verify_engines(self) -> str:
        """See that the engines in the state have the planned parallelism."""
        return state.engines(self.after, self._resources())

    def verify_api_bounds(self) -> str:
        """See that the API in the state has the planned bounds."""
        return state.api_bounds(self.after, self._resources())

    def reload_thresholds(self) -> None:
        """Do nothing: the rules are files of a container that was replaced."""

    def verify_thresholds(self) -> str:
        """See that the rules in the state are those of the new stage."""
        return state.thresholds(self.after, self._resources())

    def play_load(self) -> None:
        """Do nothing: the rehearsal computes instead."""

    def verify_load(self) -> str:
        """Compare the cards' bound with what the stage's users ask on average. Raises `StepError` when it is less."""
        plan = self.after
        month = Month(plan=plan, usage=plan.config.usage, scenario=Scenario.EXPECTED)
        asked = load_of(month).generations_per_second * month.tokens_per_generation
        bound = plan.layout.capacities[0]
        told = (
            f"computed, not played: {asked:,.0f} tokens/s asked on average, at most {bound.tokens_per_second_low:,.0f} "
            f"tokens/s with {bound.resident_sequences} requests at once"
        )
        if asked > bound.tokens_per_second_low:
            raise StepError("promote › load-test", told, "the cards must carry their users", "more cards")
        return told

    def roll_back(self) -> str:
        """Bring the stage before up again."""
        with self._engine() as engine:
            told = self._applying(engine).roll_back()
        self._stand(self.before.name)
        return told

    @property
    def stand_ins(self) -> StandIns:
        """Return what stands for the servers."""
        return StandIns(self.root / "stand-ins")

    def _applying(self, engine: Engine) -> Applying:
        return Applying(
            engine=engine,
            stack=STACK,
            before=self.before.name,
            after=self.after.name,
            reached=self.reached,
            kept_in=self.root,
            identified=self.identified,
        )

    def _resources(self) -> list[Mapping[str, object]]:
        return list(state.resources(self._workspace.backend, STACK))

    @property
    def _workspace(self) -> Workspace:
        return Workspace(self.project, self.root / "workspace")

    def _stand(self, stage: str) -> None:
        write_whole(self.root / "standing.json", canonical({"stage": stage}))

    @contextmanager
    def _engine(self) -> Iterator[Engine]:
        toolchain, workspace = ensure_engine(), self._workspace
        workspace.prepare()
        with ProviderHost(self.root / "cloud") as host:
            environment = workspace.environment(toolchain, host.environment())
            environment.pop(REHEARSAL_ONLY, None)
            yield Engine(toolchain, workspace, environment)

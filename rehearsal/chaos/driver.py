"""Try batches of faults on one promotion: run until every fault was met and a run succeeds, then judge."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rehearsal.chaos.lookup import Person
from rehearsal.chaos.matrix import Batch, Step, steps_of
from rehearsal.chaos.verdict import differences, existing, leaks, secrets_of
from rehearsal.providers import faults
from rehearsal.providers.cloud.fake_cloud import FakeCloud
from rehearsal.providers.faults import DEADLY, ENGINE_DIES, MADE_UP, PROVIDER_DIES, Entry, Fault, FaultKind, Operation
from rehearsal.providers.host import ProviderHost
from rehearsal.runner import Project
from rehearsal.runner.engine import Engine, Run
from rehearsal.runner.recovery import ASKS, recover
from rehearsal.runner.resources import Action, Classify
from rehearsal.runner.workspace import Workspace
from rehearsal.toolchain import Toolchain

STACK = "chaos"
CHECKPOINTS = "PULUMI_SKIP_CHECKPOINTS"
RUNS_AT_MOST = 80
SETTLE_SECONDS = 30.0
SETTLE_POLL_SECONDS = 0.05
LOSES = (Action.REPLACE, Action.DELETE)
EXPLAINED = (MADE_UP, "is required and missing", "malformed RPC secret: missing value")
"""What errors of a run with faults say. What waits for an output that never came is checked without it."""
MAY_LEAVE = DEADLY | {FaultKind.ERROR_AFTER, FaultKind.TIMEOUT, FaultKind.LATE_LISTING}
"""Kinds after which something may be there that nobody recorded."""


@dataclass(frozen=True, kw_only=True)
class Start:
    """Where a promotion starts: a folder with the engine's state and the fake cloud, and what a run without faults did.

    `objects` counts what is in the cloud after it, by type. `public` are the places of texts that the state marks as
    secret and that stand in plain without a fault too: names and ids of keys, which their secrets go with.
    """

    stage: str
    folder: Path
    steps: tuple[Step, ...]
    objects: Counter[str]
    public: frozenset[str]


@dataclass(frozen=True)
class Tried:
    """What came of a batch: the faults that were met, those that never came, the runs, and what was wrong."""

    met: tuple[Fault, ...]
    not_met: tuple[Fault, ...]
    runs: int
    recoveries: int
    wrong: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Where promotions of `project` are tried; `root` takes all files."""

    project: Project
    toolchain: Toolchain
    root: Path
    classify: Classify

    def engine(self, folder: Path, host: ProviderHost, *, may_die: bool = False) -> Engine:
        """Return the engine on the state in `folder`; one that may die writes its state after each step."""
        workspace = Workspace(self.project, folder / "engine")
        workspace.prepare()
        environment = workspace.environment(self.toolchain, host.environment())
        if may_die:
            environment.pop(CHECKPOINTS)
        return Engine(self.toolchain, workspace, environment, pid_file=folder / "cloud" / faults.ENGINE)

    def begin(self, stage: str, after: Start | None) -> tuple[Start, Start]:
        """Run the promotion to `stage` without a fault; return where it starts, and where it ended."""
        before, ended = self.root / f"before-{stage}", self.root / f"at-{stage}"
        if after is not None:
            shutil.copytree(after.folder, before)
        else:
            before.mkdir(parents=True)
            with ProviderHost(before / "cloud") as host:
                _needs(self.engine(before, host).create_stack(STACK, like=stage))
        shutil.copytree(before, ended)
        faults.write_plan(ended / "cloud", ())
        with ProviderHost(ended / "cloud") as host:
            engine = self.engine(ended, host)
            _needs(engine.up(STACK, stage, lambda _: None))
            secrets = secrets_of(engine.read_state(STACK, show_secrets=True))
        public = frozenset(leaks(secrets, [ended / "cloud", engine.workspace.backend], []))
        steps = steps_of(faults.journal(ended / "cloud"))
        objects = Counter(token for token, _ in _objects(ended / "cloud"))
        start = Start(stage=stage, folder=before, steps=steps, objects=objects, public=public)
        return start, replace(start, folder=ended)

    def try_batch(self, start: Start, batch: Batch, name: str) -> Tried:
        """Try one batch from `start`; whatever it makes is removed when nothing was wrong."""
        folder = self.root / name
        shutil.copytree(start.folder, folder)
        faults.write_plan(folder / "cloud", batch.faults)
        trial = _Trial(self, start, folder, batch.faults)
        trial.run()
        waiting = trial.waiting()
        met = tuple(fault for fault in batch.faults if fault not in waiting)
        if not trial.wrong:
            shutil.rmtree(folder)
        return Tried(met, waiting, len(trial.runs), trial.recoveries, tuple(trial.wrong))


@dataclass
class _Trial:
    """One line of runs under faults."""

    bench: Bench
    start: Start
    folder: Path
    planned: tuple[Fault, ...]
    runs: list[Run] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    recoveries: int = 0

    @property
    def cloud(self) -> Path:
        return self.folder / "cloud"

    def waiting(self) -> tuple[Fault, ...]:
        """Return the faults that were not met yet."""
        return faults.not_met(self.planned, faults.journal(self.cloud))

    def run(self) -> None:
        """Run until one succeeds, then look at everything."""
        with ExitStack() as stack:
            host = stack.enter_context(ProviderHost(self.cloud))
            while not self.wrong:
                seen = len(faults.journal(self.cloud))
                (self.cloud / faults.RUN).write_text(str(len(self.runs)), encoding="utf-8")
                waiting = self.waiting()
                engine = self.bench.engine(
                    self.folder, host, may_die=any(fault.kind in ENGINE_DIES for fault in waiting)
                )
                # Told to continue, engine 3.259.0 never ends when the deletion before a replacement fails.
                go_on = all(fault.operation is not Operation.DELETE for fault in waiting)
                run = engine.up(STACK, self.start.stage, lambda _: None, continue_on_error=go_on)
                self.runs.append(run)
                if run.succeeded:
                    break
                self._settle(seen)
                met = faults.journal(self.cloud)[seen:]
                self.wrong += self._unexplained(run, met)
                kinds = {entry.kind for entry in met}
                if kinds.intersection(PROVIDER_DIES):
                    host = stack.enter_context(ProviderHost(self.cloud))
                    engine = self.bench.engine(self.folder, host)
                if kinds & MAY_LEAVE and not self.wrong:
                    self._recover(engine, asks=ASKS if FaultKind.LATE_LISTING in kinds else 1)
                if len(self.runs) >= RUNS_AT_MOST:
                    self.wrong.append(f"after {RUNS_AT_MOST} runs there was still something to do")
            if not self.wrong:
                self._judge(self.bench.engine(self.folder, host))

    def _settle(self, seen: int) -> None:
        """Wait until what timed out in the run since `seen` is done; a process that died does nothing more."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < deadline:
            met = faults.journal(self.cloud)[seen:]
            late = [entry.settled for entry in met if entry.kind is FaultKind.TIMEOUT]
            if late.count(True) == late.count(False) or any(entry.kind in PROVIDER_DIES for entry in met):
                return
            time.sleep(SETTLE_POLL_SECONDS)
        self.wrong.append(f"what timed out was not done within {SETTLE_SECONDS:g} s")

    def _unexplained(self, run: Run, met: Sequence[Entry]) -> list[str]:
        """Return the errors of a run that no fault explains; who is killed cannot tell."""
        if not any(entry.kind for entry in met):
            return [f"run {len(self.runs)} failed with no fault: {error}" for error in run.errors]
        if any(entry.kind in DEADLY for entry in met):
            return []
        return [f"run {len(self.runs)}: {error}" for error in run.errors if not any(e in error for e in EXPLAINED)]

    def _recover(self, engine: Engine, asks: int) -> None:
        self.recoveries += 1
        engine.workspace.unlock(STACK)
        cloud = FakeCloud(self.cloud)
        try:
            person = Person(cloud, _ids(engine.read_state(STACK)))
            recover(engine, STACK, self.start.stage, person, asks=asks)
        except RuntimeError as error:
            self.wrong.append(f"the recovery after run {len(self.runs)} failed: {error}")
        finally:
            cloud.close()

    def _judge(self, engine: Engine) -> None:
        again = engine.preview(STACK, self.start.stage, lambda _: None)
        changes = again.events.all_changes() if again.succeeded else []
        self.wrong += [f"second preview: {error}" for error in again.errors]
        self.wrong += [f"second preview: {c.action} {c.resource.urn} ({', '.join(c.properties)})" for c in changes]
        lost = {
            change.resource.urn
            for run in self.runs
            for change in run.events.changes()
            if change.action in LOSES and self.bench.classify(change.resource).stateful
        }
        self.wrong += [f"stateful, and replaced or deleted: {urn}" for urn in sorted(lost)]
        state = engine.read_state(STACK, show_secrets=True)
        cloud = FakeCloud(self.cloud)
        try:
            self.wrong += differences(state, cloud, self.start.objects)
        finally:
            cloud.close()
        outputs = [run.output + "\n".join(run.errors) for run in (*self.runs, again)]
        secrets = {place: text for place, text in secrets_of(state).items() if place not in self.start.public}
        leaked = leaks(secrets, [self.cloud, engine.workspace.backend], outputs)
        self.wrong += [f"the secret {place} stands in {', '.join(names)}" for place, names in leaked.items()]


def _objects(cloud_folder: Path) -> list[tuple[str, str]]:
    cloud = FakeCloud(cloud_folder)
    try:
        return existing(cloud)
    finally:
        cloud.close()


def _ids(state: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """Return the recorded ids by type."""
    resources = state["deployment"].get("resources") or []
    return {
        r["type"]: frozenset(o["id"] for o in resources if o["type"] == r["type"] and o.get("id")) for r in resources
    }


def _needs(run: Run) -> None:
    if not run.succeeded:
        raise RuntimeError("\n".join(run.errors))

"""One line of runs under faults: run until one succeeds, mend what a fault may have left, then look at everything."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from rehearsal.chaos.lookup import Person
from rehearsal.chaos.matrix import Step
from rehearsal.chaos.verdict import Object, differences, existing, guards, leaks, miscounted, recorded, secrets_of
from rehearsal.guards import lift
from rehearsal.providers import faults
from rehearsal.providers.cloud.fake_cloud import FakeCloud
from rehearsal.providers.faults import DEADLY, ENGINE_DIES, MADE_UP, PROVIDER_DIES, Entry, Fault, FaultKind, Operation
from rehearsal.providers.host import ProviderHost
from rehearsal.runner.engine import Engine, Run
from rehearsal.runner.recovery import ASKS, recover, restore
from rehearsal.runner.resources import Action, Classify

STACK = "chaos"
RUNS_AT_MOST = 80
"""In one line, beside one for each death: that many ends always end in a run that meets no fault."""
SETTLE_SECONDS = 30.0
SETTLE_POLL_SECONDS = 0.05
LOSES = (Action.REPLACE, Action.DELETE)
EXPLAINED = (MADE_UP, "is required and missing", "and none is set", "malformed RPC secret: missing value")
"""What errors of a run with faults say. What waits for an output that never came is checked without it."""
MAY_LEAVE = DEADLY | {FaultKind.ERROR_AFTER, FaultKind.TIMEOUT, FaultKind.LATE_LISTING}
"""Kinds after which something may be there that nobody recorded."""


class Kind(StrEnum):
    """What is run under faults."""

    UP = "up"
    REFRESH = "refresh"
    DESTROY = "destroy"


@dataclass(frozen=True, kw_only=True)
class Start:
    """Where a line of runs starts: a folder with the engine's state and the fake cloud, and what one run does there.

    `steps` and `objects` are of a run without faults: what it asked for, and what is in the cloud after it, by type.
    `public` are the places of texts that the state marks as secret and that stand in plain without a fault too: names
    and ids of keys, which their secrets go with.
    """

    kind: Kind = Kind.UP
    stage: str
    folder: Path
    steps: tuple[Step, ...]
    objects: Counter[str]
    public: frozenset[str]

    @property
    def name(self) -> str:
        """What it is called: the run and its stage."""
        return f"{self.kind} {self.stage}"


class OpensEngine(Protocol):
    """Opens the engine on the state in a folder."""

    def __call__(self, folder: Path, host: ProviderHost, *, may_die: bool = False) -> Engine:
        """Return it; one that may die writes its state after each step."""


@dataclass
class Trial(ABC):
    """One line of runs under faults, in `folder`, a copy of the start's."""

    engine_on: OpensEngine
    classify: Classify
    start: Start
    folder: Path
    planned: tuple[Fault, ...]
    runs: list[Run] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    recoveries: int = 0
    _hosts: ExitStack = field(default_factory=ExitStack)
    _host: ProviderHost | None = None

    @property
    def cloud(self) -> Path:
        """Return the folder of the fake cloud and of the journal of faults."""
        return self.folder / "cloud"

    def waiting(self) -> tuple[Fault, ...]:
        """Return the faults that were not met yet."""
        return faults.not_met(self.planned, faults.journal(self.cloud))

    def run(self) -> None:
        """Run until one succeeds, then look at everything."""
        with self._hosts:
            self._serve()
            self._go()

    @abstractmethod
    def _go(self) -> None:
        """The line itself."""

    def _serve(self) -> None:
        self._host = self._hosts.enter_context(ProviderHost(self.cloud))

    def _engine(self, *, may_die: bool = False) -> Engine:
        if self._host is None:
            raise RuntimeError("no provider process was started")
        engine = self.engine_on(self.folder, self._host, may_die=may_die)
        engine.workspace.unlock(STACK)
        return engine

    def _until_it_succeeds(self, do: Callable[[Engine], Run], mend: Callable[[set[FaultKind]], None]) -> None:
        """Run again and again; `mend` comes after each run that failed, and is told the kinds that it met."""
        most = RUNS_AT_MOST + sum(fault.kind in DEADLY for fault in self.planned)
        while not self.wrong:
            run, met = self._once(do)
            if run.succeeded:
                return
            self.wrong += self._unexplained(run, met)
            if not self.wrong:
                mend({entry.kind for entry in met if entry.kind})
            if len(self.runs) >= most:
                self.wrong.append(f"after {most} runs there was still something to do")

    def _once(self, do: Callable[[Engine], Run]) -> tuple[Run, list[Entry]]:
        """Run once; return what the run met, too. Providers that died are started again."""
        seen = len(faults.journal(self.cloud))
        self._name_run(str(len(self.runs)))
        run = do(self._engine(may_die=any(fault.kind in ENGINE_DIES for fault in self.waiting())))
        self.runs.append(run)
        self._settle(seen)
        met = faults.journal(self.cloud)[seen:]
        if any(entry.kind in PROVIDER_DIES for entry in met):
            self._serve()
        return run, met

    def _name_run(self, name: str) -> None:
        """Say that another run begins: limits and shortages are over then."""
        (self.cloud / faults.RUN).write_text(name, encoding="utf-8")

    def _begin_recovery(self) -> Engine:
        self.recoveries += 1
        self._name_run(f"recovery {self.recoveries}")
        return self._engine()

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

    def _met(self, kind: FaultKind) -> bool:
        return any(entry.kind is kind for entry in faults.journal(self.cloud))

    def _restore(self, state: Mapping[str, Any]) -> None:
        """Put the state back as it was, refreshed; nothing may be missing that is there."""
        try:
            restore(self._begin_recovery(), STACK, self.start.stage, state)
        except RuntimeError as error:
            self.wrong.append(f"the recovery after run {len(self.runs)} failed: {error}")

    def _objects(self) -> list[Object]:
        with closing(FakeCloud(self.cloud)) as cloud:
            return existing(cloud)

    def _compare(self, state: Mapping[str, Any]) -> None:
        with closing(FakeCloud(self.cloud)) as cloud:
            self.wrong += differences(state, cloud, self.start.objects)

    def _look_for_secrets(self, state: Mapping[str, Any], runs: Sequence[Run]) -> None:
        """Look for the secrets of a state that shows them, in every file and in what the runs printed."""
        outputs = [run.output + "\n".join(run.errors) for run in runs]
        secrets = {place: text for place, text in secrets_of(state).items() if place not in self.start.public}
        leaked = leaks(secrets, [self.cloud, self._engine().workspace.backend], outputs)
        self.wrong += [f"the secret {place} stands in {', '.join(names)}" for place, names in leaked.items()]

    def _look_again(self) -> None:
        """Nothing is left to do, state and cloud hold the same, and no secret stands anywhere in plain."""
        engine = self._engine()
        again = engine.preview(STACK, self.start.stage, lambda _: None)
        changes = again.events.all_changes() if again.succeeded else []
        self.wrong += [f"second preview: {error}" for error in again.errors]
        self.wrong += [f"second preview: {c.action} {c.resource.urn} ({', '.join(c.properties)})" for c in changes]
        state = engine.read_state(STACK, show_secrets=True)
        self._compare(state)
        self._look_for_secrets(state, (*self.runs, again))


class UpTrial(Trial):
    """A first `up` or a promotion; after a lost answer the recovery comes before the next run."""

    def _go(self) -> None:
        self._until_it_succeeds(self._up, self._recover)
        if not self.wrong:
            self.wrong += [f"stateful, and replaced or deleted: {urn}" for urn in sorted(self._lost())]
            self._look_again()

    def _up(self, engine: Engine) -> Run:
        # Told to continue, engine 3.259.0 never ends when the deletion before a replacement fails.
        go_on = all(fault.operation is not Operation.DELETE for fault in self.waiting())
        return engine.up(STACK, self.start.stage, lambda _: None, continue_on_error=go_on)

    def _recover(self, kinds: set[FaultKind]) -> None:
        if not kinds & MAY_LEAVE:
            return
        engine = self._begin_recovery()
        with closing(FakeCloud(self.cloud)) as cloud:
            try:
                person = Person(cloud, _ids(engine.read_state(STACK)))
                asks = ASKS if FaultKind.LATE_LISTING in kinds else 1
                recover(engine, STACK, self.start.stage, person, asks=asks)
            except RuntimeError as error:
                self.wrong.append(f"the recovery after run {len(self.runs)} failed: {error}")

    def _lost(self) -> set[str]:
        return {
            change.resource.urn
            for run in self.runs
            for change in run.events.changes()
            if change.action in LOSES and self.classify(change.resource).stateful
        }


class RefreshTrial(Trial):
    """A refresh of what nobody changed: it must not make the next `up` do anything.

    One that was told that something is gone drops it. So whoever refreshes keeps the state from before, and puts it
    back (`dreamseed state restore`) where something was dropped.
    """

    def _go(self) -> None:
        before = self._engine().read_state(STACK)
        self._until_it_succeeds(lambda engine: engine.refresh(STACK, self.start.stage, lambda _: None), lambda _: None)
        if not self.wrong and self._met(FaultKind.REPORTED_GONE):
            self._restore(before)
        if not self.wrong:
            self._look_again()


class DestroyTrial(Trial):
    """Everything is deleted: once with every guard in place, then, the guards lifted, until it succeeds.

    What was told to be gone is not deleted; so the state from before is asked for again, and what is found is deleted.
    """

    def _go(self) -> None:
        before = self._engine().read_state(STACK, show_secrets=True)
        guarded = self._guarded(before)
        run, _ = self._once(self._destroy)
        there = set(self._objects())
        self.wrong += [f"protected, and deleted: {token} {id_}" for token, id_ in sorted(guarded - there)]
        if run.succeeded and guarded:
            self.wrong.append("a destroy with guards in place succeeded")
        self._lift()
        self._until_it_succeeds(self._destroy, lambda _: None)
        if not self.wrong and self._met(FaultKind.REPORTED_GONE):
            self._restore(before)
            self._lift()
            self._until_it_succeeds(self._destroy, lambda _: None)
        if not self.wrong:
            left = self._engine().read_state(STACK)
            self.wrong += [f"still recorded: {r['urn']}" for r in left["deployment"].get("resources") or []]
            # Some a deletion only forgets, as a zone's settings: they are left without a fault, too.
            counted = Counter(token for token, _ in self._objects())
            self.wrong += miscounted(counted, self.start.objects)
            self._look_for_secrets(before, self.runs)

    def _destroy(self, engine: Engine) -> Run:
        # Told to continue, engine 3.259.0 never ends when the provider dies in a deletion.
        go_on = all(fault.kind not in PROVIDER_DIES for fault in self.waiting())
        return engine.destroy(STACK, self.start.stage, lambda _: None, continue_on_error=go_on)

    def _lift(self) -> None:
        take_off_guards(self._engine(), self.cloud)

    def _guarded(self, state: Mapping[str, Any]) -> set[Object]:
        """Return what the engine protects and what its cloud guards, as far as it is in the cloud."""
        protected = [r for r in state["deployment"]["resources"] if r.get("protect")]
        with closing(FakeCloud(self.cloud)) as cloud:
            return {*recorded({"deployment": {"resources": protected}}), *guards(cloud)}


TRIALS: Mapping[Kind, type[Trial]] = {Kind.UP: UpTrial, Kind.REFRESH: RefreshTrial, Kind.DESTROY: DestroyTrial}


def take_off_guards(engine: Engine, cloud: Path) -> None:
    """Take off the engine's protection and the cloud's, as their owner does before taking all down."""
    engine.unprotect(STACK)
    lift(cloud)


def _ids(state: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """Return the recorded ids by type."""
    resources = state["deployment"].get("resources") or []
    return {
        r["type"]: frozenset(o["id"] for o in resources if o["type"] == r["type"] and o.get("id")) for r in resources
    }

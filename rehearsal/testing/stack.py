"""A stack under rehearsal, and what each run of the engine on it came to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from rehearsal import guards
from rehearsal.providers.cloud.fake_cloud import FakeCloud
from rehearsal.providers.judge.choice import Judging
from rehearsal.providers.plugin.client import SECONDS
from rehearsal.providers.plugin.finding import JudgeMode
from rehearsal.providers.values import UNKNOWN
from rehearsal.providers.wire import UNKNOWN_TEXT
from rehearsal.runner.engine import Engine, Reached, Run
from rehearsal.runner.events import Change, Diagnostic
from rehearsal.runner.resources import Action, Resource
from rehearsal.testing.program import Given
from rehearsal.testing.session import Operation, Session, Settings, session
from rehearsal.toolchain import Toolchain

# What the fixture `rehearse` is: called with the arguments of `Stack.of`, but `toolchain` and `root`.
Rehearse = Callable[..., "Stack"]


class RehearsalFailedError(AssertionError):
    """The engine, a provider or the program refused: the message holds their words. `outcome` tells the rest."""

    def __init__(self, operation: str, outcome: Outcome) -> None:
        self.outcome = outcome
        super().__init__(f"{operation} failed:\n" + "\n".join(outcome.errors))


class Stack:
    """A stack of a program in a fake cloud of its own. Every operation returns an `Outcome`, from which one goes on.

    A failed operation raises `RehearsalFailedError`; with `check=False` it is an outcome like another.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    @classmethod
    @contextmanager
    def of(
        cls,
        program: Given,
        *,
        toolchain: Toolchain,
        root: Path,
        stack: str | None = None,
        config: Mapping[str, Any] | None = None,
        tables: Path | str | None = None,
        passphrase: str = "",
        judge: JudgeMode | str = JudgeMode.TABLES,
        judge_seconds: float = SECONDS,
        preloaded: Sequence[str] = (),
    ) -> Iterator[Stack]:
        """Give a stack of `program` (a project's folder, or a function of a module) where nothing exists yet.

        `stack` names a settings file of the project; `config` is put over it, keys without a namespace being the
        project's own. `tables` is the folder of the tables (default: `tables` beside the program). `root` is an empty
        folder, which the caller removes. `judge` is `tables`, `official` (the vendors' plugins) or `auto` (those that
        are installed); each may take `judge_seconds` for an answer. `preloaded` are modules, such as those of SDKs, to
        be imported once for many runs: they read nothing of a run while they are imported. Raises `ProgramError` and
        `TablesError`, and ValueError for another judge.
        """
        judging = Judging(JudgeMode(judge), judge_seconds)
        with session(
            program,
            toolchain=toolchain,
            root=root,
            stack=stack,
            config=config,
            tables=tables,
            passphrase=passphrase,
            judging=judging,
            preloaded=preloaded,
        ) as found:
            yield cls(found)

    @property
    def judges(self) -> Mapping[str, str]:
        """By package, who judges it."""
        return self._session.host.announcement.judges

    @property
    def cloud(self) -> FakeCloud:
        """The fake cloud: `list`, and `edit` or `remove` for what somebody does behind the engine's back."""
        return self._session.cloud

    def preview(
        self,
        *,
        stack: str | None = None,
        config: Mapping[str, Any] | None = None,
        program: Given | None = None,
        check: bool = True,
    ) -> Outcome:
        """Say what `up` would do, or `promote` with the same arguments; nothing is changed."""
        return self._run("preview", Engine.preview, self._session.changed(program, stack, config), check)

    def up(self, *, check: bool = True) -> Outcome:
        """Bring the stack to what the program declares."""
        return self._run("up", Engine.up, self._session.settings, check)

    def promote(
        self,
        *,
        stack: str | None = None,
        config: Mapping[str, Any] | None = None,
        program: Given | None = None,
        check: bool = True,
    ) -> Outcome:
        """Bring the same state to the settings of another stack, to more configuration, or to another program.

        They hold from then on. Raises TypeError when nothing is to be exchanged.
        """
        if stack is None and config is None and program is None:
            raise TypeError("promote() changes nothing: name a `stack`, a `config` or a `program`, or call up()")
        self._session.settings = self._session.changed(program, stack, config)
        return self._run("promotion", Engine.up, self._session.settings, check)

    def refresh(self, *, check: bool = True) -> Outcome:
        """Bring the state to what is in the cloud; `steps` are what was found changed."""
        return self._run("refresh", Engine.refresh, self._session.settings, check)

    def destroy(self, *, force: bool = False, check: bool = True) -> Outcome:
        """Delete everything; with `force` the engine's and the cloud's protections are taken off before."""

        def forced(engine: Engine, name: str, stage: str, reached: Reached) -> Run:
            engine.unprotect(name)
            guards.lift(self._session.host.state_dir)
            return engine.destroy(name, stage, reached)

        return self._run("destroy", forced if force else Engine.destroy, self._session.settings, check)

    def _run(self, what: str, operation: Operation, settings: Settings, check: bool) -> Outcome:
        before = set(self._session.records.glob("*"))
        run = self._session.run(operation, settings)
        new = sorted(set(self._session.records.glob("*")) - before)
        outcome = Outcome(self._session, run, new[-1] if new else None)
        if check and not run.succeeded:
            raise RehearsalFailedError(f"{what} of {settings.program.name}", outcome)
        return outcome


class Outcome(Stack):
    """What one run of the engine did, or would do in a preview; the stack goes on from it."""

    def __init__(self, session: Session, run: Run, record: Path | None) -> None:
        super().__init__(session)
        self._run_result = run
        self._record = record

    @property
    def succeeded(self) -> bool:
        """Whether the engine ended without an error."""
        return self._run_result.succeeded

    @property
    def errors(self) -> tuple[str, ...]:
        """Why it failed, in the words of the engine, the providers and the program."""
        return self._run_result.errors

    @property
    def seconds(self) -> float:
        """How long the engine ran."""
        return self._run_result.seconds

    @cached_property
    def steps(self) -> tuple[Change, ...]:
        """What changed, in the engine's order: each with its `resource`, `action` and the `properties` that differ.

        Neither the stack nor providers nor components are among them; a replacement is one step.
        """
        return tuple(self._run_result.events.changes())

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many resources were created, updated, replaced and deleted; an action that did not happen is left out."""
        actions = [step.action for step in self.steps]
        return {str(action): actions.count(action) for action in Action if action in actions}

    @cached_property
    def resources(self) -> dict[str, Resource]:
        """By logical name, what exists after the run; two of one name in two components are told apart by `urns`."""
        return {resource.name: resource for resource in self.urns.values()}

    @cached_property
    def urns(self) -> dict[str, Resource]:
        """By URN, what exists after the run."""
        return {
            resource.urn: replace(resource, inputs=_known(resource.inputs), outputs=_known(resource.outputs))
            for resource in self._run_result.events.resources()
        }

    @property
    def outputs(self) -> Mapping[str, Any]:
        """The stack's outputs, as the engine tells them: secrets hidden, UNKNOWN what no preview can know."""
        outputs: Mapping[str, Any] = _known(self._run_result.events.stack_outputs)
        return outputs

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """What was said during the run, by whom and how grave, without what only a developer of the engine needs."""
        return tuple(said for said in self._run_result.events.diagnostics if said.severity != "debug")

    @cached_property
    def events(self) -> tuple[Mapping[str, Any], ...]:
        """The engine's events as it recorded them, one by one (apitype.EngineEvent)."""
        if self._record is None:
            return ()
        return tuple(map(json.loads, self._record.read_text(encoding="utf-8").splitlines()))


def _known(value: Any) -> Any:
    """The value with `UNKNOWN` where the engine writes the text that stands for it."""
    if isinstance(value, Mapping):
        return {key: _known(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_known(item) for item in value]
    return UNKNOWN if value == UNKNOWN_TEXT else value

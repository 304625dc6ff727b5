from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from rehearsal.runner.engine import Engine, Interruption, Reached, Run
from rehearsal.runner.events import EventLog
from rehearsal.runner.ladder import LADDER_STACK, SECOND_PREVIEW, climb, judged, take_down
from rehearsal.runner.outcome import Failure, Promotion
from rehearsal.runner.resources import Action, by_default
from rehearsal.runner.steps import Steps
from rehearsal.runner.workspace import Project, Workspace
from rehearsal.toolchain import Toolchain

STAGES = ("stage-a", "stage-b", "stage-c")
DATA = "urn:pulumi:ladder::sample::docker:index/volume:Volume::data"
CACHE = "urn:pulumi:ladder::sample::docker:index/volume:Volume::cache"
Operations = dict[str, str]


def ran(operations: Operations, error: str = "") -> Run:
    log = EventLog()
    for urn, operation in operations.items():
        side = {"urn": urn, "type": "docker:index/volume:Volume", "custom": True, "protect": urn == DATA}
        step = {"op": operation, "urn": urn, "new": side, "diffs": ["labels"]}
        log.feed([json.dumps({"resourcePreEvent": {"metadata": step}})])
    return Run(not error, log, 1.0, (error,) if error else (), "")


@dataclass(frozen=True)
class ScriptedEngine(Engine):
    """An engine that does what the test says: by command and stage, which operations on which resources."""

    ups: dict[str, Run] = field(default_factory=dict)
    previews: dict[str, Run] = field(default_factory=dict)
    destroys: Callable[[], Run] = lambda: ran({DATA: "delete", CACHE: "delete"})
    calls: list[str] = field(default_factory=list)

    def with_copied_state(self, name: str) -> Engine:
        return self

    def create_stack(self, name: str, like: str) -> Run:
        return ran({})

    def preview(self, name: str, stage: str, reached: Reached, diff: bool = False) -> Run:
        self.calls.append(f"preview {stage}")
        return self.previews.get(stage, ran({DATA: "same"}))

    def up(
        self,
        name: str,
        stage: str,
        reached: Reached,
        *,
        interruption: Interruption | None = None,
        continue_on_error: bool = False,
    ) -> Run:
        self.calls.append(f"up {stage}")
        return self.ups.get(stage, ran({DATA: "same"}))

    def unprotect(self, name: str) -> Run:
        self.calls.append("unprotect")
        return ran({})

    def destroy(self, name: str, stage: str, reached: Reached, *, continue_on_error: bool = False) -> Run:
        self.calls.append(f"destroy {stage}")
        return self.destroys()


def engine(**script: Any) -> ScriptedEngine:
    project = Project(directory=Path(), stacks=STAGES, passphrase="")
    return ScriptedEngine(Toolchain(Path(), Path(), ""), Workspace(project, Path()), {}, **script)


def climbed(
    scripted: ScriptedEngine, before_destroy: Callable[[], None] = lambda: None
) -> tuple[list[Promotion], int, list[Failure]]:
    steps = Steps(4, lambda _: None)

    def look_again(engine: Engine, stage: str) -> Future[Run]:
        found: Future[Run] = Future()
        found.set_result(steps.run(stage, SECOND_PREVIEW, partial(engine.preview, LADDER_STACK, stage)))
        return found

    rungs = climb(scripted, STAGES, look_again, steps)
    promotions = [judged(rung, by_default, steps) for rung in rungs]
    destroyed = take_down(scripted, STAGES[-1], before_destroy, steps) if len(rungs) == len(STAGES) else 0
    return promotions, destroyed, steps.failures


def test_the_ladder_is_one_up_and_one_preview_a_stage_and_a_destroy_at_the_end() -> None:
    scripted = engine()
    promotions, destroyed, failures = climbed(scripted)
    steps = [call for stage in STAGES for call in (f"up {stage}", f"preview {stage}")]
    assert scripted.calls == [*steps, "unprotect", "destroy stage-c"]
    assert [(p.from_stage, p.to_stage) for p in promotions] == [(None, STAGES[0]), STAGES[:2], STAGES[1:]]
    assert (destroyed, failures) == (2, [])


def test_protected_resources_that_are_created_or_updated_are_named_and_pass() -> None:
    scripted = engine(ups={"stage-a": ran({DATA: "create", CACHE: "create"}), "stage-b": ran({DATA: "update"})})
    promotions, _, failures = climbed(scripted)
    touched = [(t.urn, t.action) for p in promotions for t in p.stateful_touched]
    assert touched == [(DATA, Action.CREATE), (DATA, Action.UPDATE)]
    assert failures == []


def test_a_protected_resource_that_is_replaced_or_deleted_fails() -> None:
    for operation in ("replace", "delete", "create-replacement", "delete-replaced", "discard-replaced"):
        _, _, failures = climbed(engine(ups={"stage-b": ran({DATA: operation})}))
        assert [(f.stage, f.step) for f in failures] == [("stage-b", "promotion stage-a →")], operation
        assert DATA in failures[0].message


def test_what_holds_no_state_may_be_replaced() -> None:
    promotions, _, failures = climbed(engine(ups={"stage-b": ran({CACHE: "replace"})}))
    assert promotions[1].counts[Action.REPLACE] == 1
    assert failures == []


def test_a_second_preview_with_something_to_do_fails_names_it_and_climbs_on() -> None:
    promotions, destroyed, failures = climbed(engine(previews={"stage-b": ran({CACHE: "update"})}))
    assert [p.second_preview_changes for p in promotions] == [0, 1, 0]
    assert (destroyed, len(failures)) == (2, 1)
    assert f"update {CACHE} (labels)" in failures[0].message


def test_an_engine_that_fails_ends_the_climb_with_its_words_and_destroys_nothing() -> None:
    scripted = engine(ups={"stage-b": ran({}, error="unable to replace resource: protected")})
    promotions, destroyed, failures = climbed(scripted)
    assert [p.to_stage for p in promotions] == ["stage-a"]
    assert "destroy stage-c" not in scripted.calls
    assert (destroyed, failures[0].message) == (0, "unable to replace resource: protected")


def test_a_second_preview_that_fails_is_told_and_the_climb_goes_on() -> None:
    scripted = engine(previews={"stage-a": ran({}, error="no state")})
    promotions, destroyed, failures = climbed(scripted)
    assert (len(promotions), destroyed) == (3, 2)
    assert [(f.stage, f.step, f.message) for f in failures] == [("stage-a", SECOND_PREVIEW, "no state")]


def test_the_callers_hook_comes_between_the_last_preview_and_the_destroy() -> None:
    lifted: list[str] = []

    def destroys() -> Run:
        return ran({DATA: "delete"}) if lifted else ran({}, error="deletion protection is on")

    scripted = engine(destroys=destroys)
    assert climbed(scripted)[2][0].step == "destroy"
    promotions, destroyed, failures = climbed(scripted, before_destroy=lambda: lifted.append(scripted.calls[-1]))
    assert lifted == ["unprotect"]
    assert (len(promotions), destroyed, failures) == (3, 1, [])

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dreamseed.config import Stage
from dreamseed.planning.services.vllm import engine_name
from dreamseed.planning.stage_plan import StagePlan
from dreamseed.promotion.playbook import playbook
from dreamseed.promotion.saga import StepError
from playbook import state
from playbook.stand_ins import ROWS, FileSilence, StandIns
from tests.promotion.saga_world import FilesWorld, plan_of

MODEL = "meta-llama/Llama-2-13b-chat-hf"
Resources = list[dict[str, Any]]


def standing(plan: StagePlan) -> Resources:
    """What the engine's state holds when `plan` stands, as far as a promotion looks at it."""
    prefix = "urn:pulumi:promoted::dreamseed::"
    found: Resources = [
        {
            "urn": f"{prefix}{state.CONTAINER}::{engine_name(one)}",
            "type": state.CONTAINER,
            "inputs": {"command": ["serve", state.PARALLEL, str(one.tensor_parallel)]},
        }
        for one in plan.layout.replicas
    ]
    for container in plan.monitoring.containers:
        uploads = [{"file": file.path, "content": file.text} for file in container.files]
        urn = f"{prefix}{state.CONTAINER}::{container.name}"
        found.append({"urn": urn, "type": state.CONTAINER, "inputs": {"uploads": uploads}})
    scaling = {"minInstanceCount": plan.config.api.min_instances, "maxInstanceCount": plan.config.api.max_instances}
    template = {"template": {"scaling": scaling}}
    found.append({"urn": f"{prefix}{state.API_SERVICE}::api", "type": state.API_SERVICE, "outputs": template})
    return found


LOOKS: list[Callable[[StagePlan, list[Mapping[str, Any]]], str]] = [state.engines, state.api_bounds, state.thresholds]


@pytest.mark.parametrize("stage", Stage)
def test_what_stands_as_planned_is_told(stage: Stage) -> None:
    plan = plan_of(stage)
    told = [look(plan, list(standing(plan))) for look in LOOKS]
    assert told[0].count("tp") == len(plan.layout.replicas)
    assert told[1] == f"{plan.config.api.min_instances} to {plan.config.api.max_instances} instances"
    assert told[2].startswith("the rules of prometheus")


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("stage", list(Stage)[1:])
def test_the_stage_before_is_not_taken_for_the_new_one(
    stage: Stage, look: Callable[[StagePlan, list[Mapping[str, Any]]], str]
) -> None:
    before = plan_of(list(Stage)[stage.rank - 1])
    with pytest.raises(StepError, match="planned are"):
        look(plan_of(stage), list(standing(before)))


@pytest.mark.parametrize("look", LOOKS)
def test_where_nothing_stands_nothing_is_verified(
    look: Callable[[StagePlan, list[Mapping[str, Any]]], str],
) -> None:
    with pytest.raises(StepError):
        look(plan_of(Stage.B), [])


def test_the_state_is_read_from_the_engines_file(tmp_path: Path) -> None:
    file = tmp_path / ".pulumi" / "stacks" / "dreamseed" / "promoted.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"checkpoint": {"latest": {"resources": [{"urn": "u"}]}}}))
    assert list(state.resources(tmp_path, "promoted")) == [{"urn": "u"}]
    assert list(state.resources(tmp_path, "another")) == []


@pytest.fixture
def stand_ins(tmp_path: Path) -> StandIns:
    made = StandIns(tmp_path)
    made.begin({"server-1": 1})
    made.back_up("stage-b", MODEL)
    return made


def test_a_backup_is_restored_and_every_row_compared(stand_ins: StandIns) -> None:
    told = stand_ins.verify_backup("stage-b", MODEL)
    assert told.startswith(f"restored into an empty place: {ROWS} rows, all alike")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE answer SET text = 'other' WHERE id = 7",
        "DELETE FROM answer WHERE id = 7",
        "INSERT INTO answer VALUES (-1, 'x')",
    ],
)
def test_a_backup_that_differs_in_one_row_is_found(stand_ins: StandIns, tmp_path: Path, statement: str) -> None:
    with closing(sqlite3.connect(tmp_path / "backups" / "stage-b.sqlite")) as connection, connection:
        connection.execute(statement)
    with pytest.raises(StepError, match="another content"):
        stand_ins.verify_backup("stage-b", MODEL)


def test_a_missing_backup_and_an_archive_of_another_model_are_found(stand_ins: StandIns) -> None:
    with pytest.raises(StepError, match="is missing"):
        stand_ins.verify_backup("stage-c", MODEL)
    with pytest.raises(StepError, match="another model"):
        stand_ins.verify_backup("stage-b", "another")


def test_cards_are_those_that_a_person_put_in(stand_ins: StandIns) -> None:
    assert stand_ins.gpus == {"server-1": 1}
    stand_ins.install({"server-1": 2})
    stand_ins.begin({"server-1": 1})
    assert stand_ins.gpus == {"server-1": 2}


@pytest.mark.parametrize(
    ("stage", "words"),
    [(Stage.A, "1 in server-1"), (Stage.B, "1 in server-1"), (Stage.D, "1 out of server-1, 2 in server-2")],
)
def test_a_person_is_told_which_cards_go_where(stage: Stage, words: str, tmp_path: Path) -> None:
    before, after = plan_of(stage), plan_of(list(Stage)[stage.rank + 1])
    steps = playbook(FilesWorld(tmp_path), before, after, gpu_installed=False)
    assert steps[1].title == f"install the GPUs: {words}"


def test_a_silence_says_until_when_and_is_closed_twice_without_an_error(tmp_path: Path) -> None:
    silence = FileSilence(tmp_path / "silence.json", lambda: datetime(2026, 11, 26, 12, tzinfo=UTC), ("A", "B"))
    assert silence.open() == "2 alerts until 2026-11-26 14:00 UTC"
    assert json.loads(silence.path.read_text())["alerts"] == ["A", "B"]
    silence.close()
    silence.close()
    assert not silence.path.exists()

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from dreamseed.planning.container import VolumeKind
from localtier.experiments.drift import (
    FOREIGN_LABELS,
    LIMITED,
    REMOVED,
    Change,
    Changes,
    Drift,
    changes_of,
    problems,
    try_drift,
)
from localtier.report import MIB
from rehearsal.hosts import HostsError
from rehearsal.runner.engine import Run
from rehearsal.runner.resources import Action
from tests.localtier.experiments.fakes import run
from tests.planning.stages import STAGE_NAMES, container, shipped

B = shipped("stage-b")
ENGINE = "server-1-vllm-1"
CHANGE = Change(
    what="limit of x, y removed",
    found={"x": Action.UPDATE, "y": Action.DELETE},
    mended={"x": Action.UPDATE, "y": Action.CREATE},
    make=lambda _: None,
)
MENDED = Drift(stage="stage-b", changes=(CHANGE,), found=CHANGE.found, mended=CHANGE.mended, errors=())


def found(**changes: Any) -> list[str]:
    return list(problems(replace(MENDED, **changes)))


def test_a_drift_that_was_found_and_mended_exactly_has_no_problem() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        ({"x": Action.UPDATE}, "y: nothing, where it should be delete"),
        ({"x": Action.UPDATE, "y": Action.DELETE, "z": Action.UPDATE}, "z: update, where it should be nothing"),
        ({"x": Action.REPLACE, "y": Action.DELETE}, "x: replace, where it should be update"),
    ],
    ids=["too little", "too much", "another thing"],
)
def test_a_refresh_that_finds_something_else_is_a_problem(seen: Changes, said: str) -> None:
    assert found(found=seen) == [f"stage-b: refresh: {said}"]


@pytest.mark.parametrize(
    ("done", "said"),
    [
        ({"y": Action.CREATE}, "x: nothing, where it should be update"),
        ({"x": Action.UPDATE, "y": Action.CREATE, "pg-1-1": Action.REPLACE}, "pg-1-1: replace, where it should be"),
        ({"x": Action.REPLACE, "y": Action.CREATE}, "x: replace, where it should be update"),
    ],
    ids=["too little", "too much", "another thing"],
)
def test_an_up_that_mends_something_else_is_a_problem(done: Changes, said: str) -> None:
    (told,) = found(mended=done)
    assert told.startswith(f"stage-b: up after refresh: {said}")


def test_a_run_that_failed_is_a_problem_though_it_changed_what_it_should() -> None:
    assert found(errors=("x: is refused",)) == ["stage-b: drift: x: is refused"]


def test_what_is_changed_by_hand_is_a_container_gone_a_limit_and_a_volumes_label() -> None:
    removed, limited, relabelled = changes_of(B)
    assert (removed.found, removed.mended) == ({"grafana": Action.DELETE}, {"grafana": Action.CREATE})
    assert limited.found == limited.mended == {"alertmanager": Action.UPDATE}
    (volume,) = (one.name for one in B.vllm.volumes if one.kind is VolumeKind.CACHE)
    assert relabelled.found == {volume: Action.UPDATE, ENGINE: Action.DELETE}
    assert relabelled.mended == {volume: Action.REPLACE, ENGINE: Action.CREATE}


def test_no_two_changes_are_of_one_resource_so_that_none_hides_another() -> None:
    for stage in STAGE_NAMES[1:]:
        changes = changes_of(shipped(stage))
        assert len({name for change in changes for name in change.found}) == sum(len(one.found) for one in changes)


def test_two_resources_of_one_name_do_not_hide_each_other() -> None:
    twice = run({"alertmanager": "update"})
    volume = {"urn": "urn:pulumi:local::dreamseed::docker:index/volume:Volume::alertmanager"}
    state = {**volume, "type": "docker:index/volume:Volume", "custom": True}
    twice.events.feed([json.dumps({"resourcePreEvent": {"metadata": {**volume, "op": "replace", "new": state}}})])
    tier: Any = Tier(run(), twice)
    assert try_drift(tier, B, lambda _: None).mended == {
        "docker:index/container:Container alertmanager": Action.UPDATE,
        "docker:index/volume:Volume alertmanager": Action.REPLACE,
    }


def test_a_stage_that_cannot_take_the_changes_says_from_which_on_one_can() -> None:
    with pytest.raises(HostsError, match=r"stage-a has 0 containers of grafana(.|\n)*stage from B on"):
        changes_of(shipped("stage-a"))


class Docker:
    """A Docker Engine that notes what is done by hand; `things` are containers and volumes."""

    def __init__(self, told: list[str]) -> None:
        self.told = told
        self.containers = SimpleNamespace(get=self.container)
        self.volumes = SimpleNamespace(get=self.volume, create=self.create)

    def container(self, name: str) -> SimpleNamespace:
        return SimpleNamespace(
            remove=lambda force: self.told.append(f"remove {name}"),
            update=lambda mem_limit, memswap_limit: self.told.append(f"limit {name} {mem_limit} {memswap_limit}"),
        )

    def volume(self, name: str) -> SimpleNamespace:
        return SimpleNamespace(remove=lambda: self.told.append(f"remove {name}"))

    def create(self, name: str, labels: Mapping[str, str]) -> None:
        self.told.append(f"create {name} {labels}")

    def close(self) -> None:
        self.told.append("close")


class Tier:
    """A tier on one Docker Engine, of which refresh and up end as they are told."""

    def __init__(self, refreshed: Run, mended: Run) -> None:
        self.told: list[str] = []
        self.ends = {"refresh": refreshed, "up": mended}

    def world(self, _: object) -> Tier:
        return self

    def client(self, host: str) -> Docker:
        return Docker(self.told)

    @contextmanager
    def engine(self, plan: object, world: object) -> Iterator[Tier]:
        yield self

    def refresh(self, stack: str, stage: str, reached: object) -> Run:
        self.told.append(f"refresh {stack} {stage}")
        return self.ends["refresh"]

    def up(self, stack: str, stage: str, reached: object) -> Run:
        self.told.append(f"up {stack} {stage}")
        return self.ends["up"]


def test_the_changes_are_made_then_looked_for_and_then_mended() -> None:
    tier: Any = Tier(run({"grafana": "delete"}), run({"grafana": "create"}, "alertmanager: is refused"))
    drift = try_drift(tier, B, lambda _: None)
    (volume,) = (one.name for one in B.vllm.volumes if one.kind is VolumeKind.CACHE)
    halved = container(B, LIMITED).memory_mib // 2 * MIB
    assert [text for text in tier.told if text != "close"] == [
        f"remove {REMOVED}",
        f"limit {LIMITED} {halved} {halved}",
        f"remove {ENGINE}",
        f"remove {volume}",
        f"create {volume} {FOREIGN_LABELS}",
        "refresh local stage-b",
        "up local stage-b",
    ]
    assert tier.told.count("close") == 3
    assert drift.found == {"grafana": Action.DELETE}
    assert drift.mended == {"grafana": Action.CREATE}
    assert drift.errors == ("alertmanager: is refused",)
    assert len(list(problems(drift))) == 7

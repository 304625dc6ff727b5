from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from itertools import pairwise
from typing import Any

import pytest

from dreamseed.errors import PromotionError
from dreamseed.planning import promotion as product
from dreamseed.planning.container import Container, Volume, VolumeKind
from dreamseed.planning.promotion import IN_PLACE, UNTOLD, Action, Promotion, plan_promotion, promotion_refusals
from dreamseed.planning.stage_plan import StagePlan
from tests.planning.stages import STAGE_NAMES, configured, planned, shipped

STEPS = list(pairwise(STAGE_NAMES))


def step(old: str, new: str) -> Promotion:
    return plan_promotion(shipped(old), shipped(new))


def refused(old: StagePlan, new: StagePlan) -> dict[str, PromotionError]:
    return {refusal.where: refusal for refusal in promotion_refusals(old, new)}


def stateful(plan: StagePlan) -> set[str]:
    """The containers that stand on data volumes."""
    data = {volume.name for volume in plan.volumes if volume.kind is VolumeKind.DATA}
    return {one.name for one in plan.containers if {mount.volume for mount in one.mounts} & data}


@pytest.mark.parametrize(("old", "new"), STEPS)
def test_no_shipped_promotion_removes_a_container_or_a_volume(old: str, new: str) -> None:
    planned_step = step(old, new)
    assert planned_step.names(Action.REMOVED) == ()
    assert planned_step.volumes_removed == ()
    assert planned_step.volumes_added
    assert planned_step.unchanged >= 10


@pytest.mark.parametrize(("old", "new"), STEPS)
def test_no_shipped_promotion_moves_a_volume_to_another_host(old: str, new: str) -> None:
    before = {volume.name: volume for volume in shipped(old).volumes}
    after = {volume.name: volume for volume in shipped(new).volumes}
    assert all(after[name].host == volume.host and after[name].kind == volume.kind for name, volume in before.items())


REPLACED_ON_DATA: Mapping[tuple[str, str], set[str]] = {
    ("stage-a", "stage-b"): set(),
    ("stage-b", "stage-c"): set(),
    ("stage-c", "stage-d"): set(),
    ("stage-d", "stage-e"): {"pg-1-3", "kafka-1", "kafka-2", "kafka-3"},
}
"""Containers with data of their own that a promotion replaces, always on the same volume: at the last step the third
database becomes asynchronous, and Kafka's votes move. Nothing else may. Reviewed by hand on 2026-11-23."""


@pytest.mark.parametrize(("old", "new"), STEPS)
def test_only_the_reviewed_containers_with_data_of_their_own_are_replaced(old: str, new: str) -> None:
    helpers = ("-backup", "-exporter", "prometheus", "alertmanager", "grafana", "autoscaler")
    replaced = set(step(old, new).names(Action.REPLACED)) & stateful(shipped(old))
    assert {name for name in replaced if not name.endswith(helpers)} == REPLACED_ON_DATA[old, new]


def test_the_third_database_is_replaced_for_its_tags_alone() -> None:
    changes = {change.name: change for change in step("stage-d", "stage-e").containers}
    assert changes["pg-1-3"].fields == ("files /etc/patroni/patroni.yml",)
    old, new = (
        next(
            file for one in shipped(name).containers if one.name == "pg-1-3" for file in one.files if "yml" in file.path
        )
        for name in ("stage-d", "stage-e")
    )
    differing = [(a, b) for a, b in zip(old.text.splitlines(), new.text.splitlines(), strict=True) if a != b]
    assert differing == [
        ("  nofailover: false", "  nofailover: true"),
        ("  nosync: false", "  nosync: true"),
    ]


def test_the_database_grows_in_place_at_the_first_step() -> None:
    planned_step = step("stage-a", "stage-b")
    assert planned_step.names(Action.CHANGED) == ("pg-1-1",)
    assert {change.name: change.fields for change in planned_step.containers}["pg-1-1"] == ("memory_mib",)


def test_engines_of_the_largest_size_keep_their_cards() -> None:
    touched = {change.name for change in step("stage-b", "stage-c").containers}
    assert "server-1-vllm-1" not in touched
    assert "server-1-vllm-2" in touched


@pytest.mark.parametrize(("old", "new"), STEPS)
def test_what_rolls_together_is_replaced_one_after_the_other(old: str, new: str) -> None:
    after = {one.name: one.after for one in shipped(new).containers}
    for service, names in step(old, new).rolls.items():
        for earlier, later in pairwise(names):
            seen, todo = set(), [*after[later]]
            while todo:
                one = todo.pop()
                if one not in seen:
                    seen.add(one)
                    todo += after[one]
            assert earlier in seen, f"{later} of {service} does not wait for {earlier}"


def test_a_stage_is_never_skipped_nor_gone_back_to() -> None:
    skipped = refused(shipped("stage-a"), shipped("stage-c"))["stage-c › service › stage"]
    assert skipped.what == "from stage A to stage C"
    assert skipped.remedy == "stage B after A"
    assert "stage-b › service › stage" in refused(shipped("stage-c"), shipped("stage-b"))
    with pytest.raises(PromotionError, match="from stage A to stage C"):
        plan_promotion(shipped("stage-a"), shipped("stage-c"))


def test_a_change_within_a_stage_is_no_promotion_and_is_allowed() -> None:
    assert plan_promotion(shipped("stage-c"), planned("stage-c", {"api": {"max_instances": 20}})).old == "stage-c"
    assert step("stage-c", "stage-c").containers == ()


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_a_stage_that_runs_without_packet_filters_takes_them_and_nothing_of_it_is_touched(stage: str) -> None:
    plan = shipped(stage)
    filters = tuple(one.name for one in plan.packet_filter.containers)
    without = replace(plan, packet_filter=replace(plan.packet_filter, containers=()))
    taken = plan_promotion(without, plan)
    assert (taken.names(Action.ADDED), len(taken.containers)) == (filters, len(filters))
    assert not taken.volumes_added


def test_fewer_brokers_would_take_data_away_and_are_refused() -> None:
    fewer = planned("stage-d", {"kafka": {"brokers": 2, "replication_factor": 2, "min_insync_replicas": 1}})
    refusal = refused(shipped("stage-c"), fewer)["stage-d › volume kafka-3-data"]
    assert refusal.what == "is gone, and server-1 holds data in it"


def test_a_database_that_moves_to_another_server_is_refused() -> None:
    roomy = {"servers": {"server-2": {"memory_gib": 256, "cpu_cores": 64, "disk_gib": 4000}}}
    moved = planned("stage-e", roomy | {"postgres": {"placement": {"server-1": 1, "server-2": 3}}})
    refusal = refused(shipped("stage-d"), moved)["stage-e › volume pg-1-2-data"]
    assert refusal.what == "moves from server-1 to server-2"


def test_without_the_rule_about_volumes_the_move_would_pass_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(product, "_volumes", lambda _old, _new: ())
    fewer = planned("stage-d", {"kafka": {"brokers": 2, "replication_factor": 2, "min_insync_replicas": 1}})
    assert plan_promotion(shipped("stage-c"), fewer).volumes_removed == ("kafka-3-data",)


def test_a_volume_that_is_data_no_longer_is_refused() -> None:
    def cached(volume: Volume) -> Volume:
        return replace(volume, kind=VolumeKind.CACHE) if volume.name == "redis-1-data" else volume

    new = shipped("stage-c")
    relabelled = replace(new, redis=replace(new.redis, volumes=tuple(map(cached, new.redis.volumes))))
    refusal = refused(shipped("stage-b"), relabelled)["stage-c › volume redis-1-data"]
    assert refusal.what == "changes from data to cache"


def test_what_may_never_change_is_refused() -> None:
    place = {"region": "europe-west1", "zone": "europe-west1-b"}
    moved = planned("stage-d", {"service": place, "vllm": {"burst": {"zones": ["europe-west1-b"]}}})
    assert "stage-d › service › region" in refused(shipped("stage-c"), moved)


def test_partitions_never_shrink() -> None:
    topics = [topic.model_dump() for topic in shipped("stage-d").config.kafka.topics]
    topics[0]["partitions"] = 6
    refusal = refused(shipped("stage-c"), planned("stage-d", {"kafka": {"topics": topics}}))
    assert refusal["stage-d › kafka › topics › user-events › partitions"].what == "shrinks from 12 to 6"


def test_the_extra_cost_that_the_gate_shows_is_the_difference_of_the_budgets() -> None:
    dearer = planned("stage-d", {"budget": {"usd_per_month": 600}})
    refusal = refused(shipped("stage-c"), dearer)["stage-c › next_stage › extra_usd_per_month"]
    assert refusal.what == "210, and the two budgets differ by 310"


def test_each_stage_carries_more_than_the_threshold_that_leads_to_it() -> None:
    capacity = configured("stage-d").service.capacity.model_dump() | {"sign_ups": 100_000, "concurrent_users": 3_000}
    same = planned("stage-d", {"service": {"capacity": capacity}})
    assert "stage-d › service › capacity › sign_ups" in refused(shipped("stage-c"), same)


CHANGED: dict[str, Any] = {
    "name": "other",
    "component": "other",
    "service": "other",
    "host": "other",
    "image": "other",
    "networks": (),
    "memory_mib": 1,
    "cpu_cores": 9.0,
    "health": None,
    "command": ("other",),
    "entrypoint": ("other",),
    "environment": {"OTHER": "1"},
    "files": (),
    "mounts": (),
    "ports": (),
    "inner_ports": (1,),
    "aliases": ("other",),
    "hears": ("10.0.0.1:1",),
    "gpu_indices": (7,),
    "shm_size_mib": 1,
    "ulimits": {"other": 1},
    "user": "other",
    "stop_grace_seconds": 1,
    "host_paths": {"/other": "/other"},
    "host_network": True,
    "job": True,
    "after": ("other",),
}


@pytest.mark.parametrize("name", [field.name for field in fields(Container) if field.name != "name"])
def test_every_field_of_a_container_is_weighed(name: str) -> None:
    old = shipped("stage-c")
    kafka = old.kafka.containers[0]
    others = old.kafka.containers[1:]
    change = {name: CHANGED[name]}
    new = replace(old, kafka=replace(old.kafka, containers=(replace(kafka, **change), *others)))
    touched = [one for one in plan_promotion(old, new).containers if one.name == kafka.name]
    if name in UNTOLD:
        assert touched == []
    else:
        assert [one.action for one in touched] == [Action.CHANGED if name in IN_PLACE else Action.REPLACED]

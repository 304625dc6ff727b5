from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from dreamseed.planning import invariants
from dreamseed.planning.invariants import quorums
from dreamseed.planning.services import etcd, postgres, redis
from dreamseed.planning.stage_plan import StagePlan
from dreamseed.planning.survivability import WHOLE, Claim, DataLoss, Loss, survivability
from tests.planning.stages import STAGE_NAMES, WITNESS, planned, server, shipped

ENTRANCES = ("vllm-router", "pg-proxy-1", "pgbouncer", "tunnel")
DATABASE = "postgres shard 1"
ONE_SERVER = {(part, Loss.SERVER, "server-1") for part in (WHOLE, "vllm", *ENTRANCES, DATABASE, "etcd")}
WATCHERS = {
    (name, loss, target)
    for name in ("prometheus", "alertmanager", "grafana")
    for loss, target in ((Loss.CONTAINER, name), (Loss.SERVER, "server-1"))
}
SCALER = {("autoscaler", Loss.CONTAINER, "autoscaler"), ("autoscaler", Loss.SERVER, "server-1")}
BASIC_WATCHERS = {row for row in WATCHERS if row[0] != "grafana"}
ONE_DATABASE = {(DATABASE, Loss.CONTAINER, "pg-1-1"), (DATABASE, Loss.DISK, "pg-1-1-data")}
ONE_ENGINE = {("vllm", Loss.CONTAINER, "server-1-vllm-1")}
PARTED_CACHE = {
    ("redis", loss, target)
    for number in (1, 2, 3)
    for loss, target in ((Loss.CONTAINER, f"redis-{number}"), (Loss.DISK, f"redis-{number}-data"))
}
CACHE_ON_ONE = {("redis", Loss.SERVER, "server-1")}
STREAM_ON_ONE = {("kafka", Loss.SERVER, "server-1")}

NOT_SURVIVED: Mapping[str, set[tuple[str, Loss, str]]] = {
    "stage-a": ONE_SERVER | BASIC_WATCHERS | ONE_DATABASE | ONE_ENGINE,
    "stage-b": ONE_SERVER
    | WATCHERS
    | ONE_DATABASE
    | ONE_ENGINE
    | CACHE_ON_ONE
    | {("redis", Loss.CONTAINER, "redis-1"), ("redis", Loss.DISK, "redis-1-data")},
    "stage-c": ONE_SERVER | WATCHERS | SCALER | ONE_DATABASE | CACHE_ON_ONE | PARTED_CACHE | STREAM_ON_ONE,
    "stage-d": ONE_SERVER | WATCHERS | SCALER | CACHE_ON_ONE | PARTED_CACHE | STREAM_ON_ONE,
    "stage-e": WATCHERS | SCALER | {("wireguard", Loss.CONTAINER, f"server-{number}-wireguard") for number in (1, 2)},
}
"""Every loss that is not survived, stage by stage; all others are. Reviewed by hand on 2026-11-23."""

LOST_FOR_GOOD: Mapping[str, set[tuple[str, Loss, str, DataLoss]]] = {
    "stage-a": {
        (WHOLE, Loss.SERVER, "server-1", DataLoss.SINCE_LAST_COPY),
        (DATABASE, Loss.SERVER, "server-1", DataLoss.SINCE_LAST_COPY),
        (DATABASE, Loss.DISK, "pg-1-1-data", DataLoss.UP_TO_RPO),
    },
    "stage-d": {
        (WHOLE, Loss.SERVER, "server-1", DataLoss.UP_TO_RPO),
        (DATABASE, Loss.SERVER, "server-1", DataLoss.UP_TO_RPO),
        ("kafka", Loss.SERVER, "server-1", DataLoss.UNREPLICATED),
    },
    "stage-e": set(),
}
"""What is lost for good beyond a cache and beyond metrics. Reviewed by hand on 2026-11-23."""


def rows(claims: Sequence[Claim]) -> set[tuple[str, Loss, str]]:
    return {(claim.component, claim.loss, claim.target) for claim in claims}


def claim(plan: StagePlan, component: str, loss: Loss, target: str) -> Claim:
    return next(c for c in survivability(plan) if (c.component, c.loss, c.target) == (component, loss, target))


def at(change: Mapping[str, Any], *gone: Any) -> StagePlan:
    """Stage E changed, planned without the rules `gone` that would refuse it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(invariants, "RULES", tuple(rule for rule in invariants.RULES if rule not in gone))
        return planned("stage-e", change)


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_what_a_stage_does_not_survive_is_what_was_reviewed(name: str) -> None:
    claims = survivability(shipped(name))
    assert rows([c for c in claims if not c.survives]) == NOT_SURVIVED[name]
    assert len(rows(claims)) == len(claims), "one claim for each component and loss"


@pytest.mark.parametrize("name", sorted(LOST_FOR_GOOD))
def test_what_is_lost_for_good_is_what_was_reviewed(name: str) -> None:
    spared = {DataLoss.NONE, DataLoss.CACHE}
    lost = {
        (c.component, c.loss, c.target, c.data_lost)
        for c in survivability(shipped(name))
        if c.data_lost not in spared and c.component != "prometheus"
    }
    assert lost == LOST_FOR_GOOD[name]


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_every_container_that_serves_and_every_data_volume_has_a_claim(name: str) -> None:
    plan = shipped(name)
    claims = survivability(plan)
    claimed = {c.target for c in claims}
    serving = {c.name for c in plan.containers if not c.job and not c.service.endswith("-exporter")}
    assert serving - claimed == set()
    assert {volume.name for volume in plan.volumes if volume.kind == "data"} - claimed == set()
    assert {host.name for host in plan.hosts} <= claimed


def test_either_server_the_witness_and_the_link_may_be_lost_at_the_last_stage() -> None:
    whole = [c for c in survivability(shipped("stage-e")) if c.component == WHOLE]
    assert {(c.loss, c.target) for c in whole} == {
        (Loss.SERVER, "server-1"),
        (Loss.SERVER, "server-2"),
        (Loss.SERVER, "witness"),
        (Loss.LINK, "server-1 – server-2"),
    }
    assert all(c.survives and c.data_lost in (DataLoss.NONE, DataLoss.CACHE) for c in whole)


def test_without_the_witness_neither_quorum_survives_the_first_server() -> None:
    plan = at({"network": {"witness": None}}, quorums.redis_survives_a_host)
    for component in ("etcd", "redis", "kafka", DATABASE, WHOLE):
        assert not claim(plan, component, Loss.SERVER, "server-1").survives, component
    assert "etcd has no majority" in claim(plan, DATABASE, Loss.SERVER, "server-1").consequence
    assert claim(plan, DATABASE, Loss.SERVER, "server-1").data_lost is DataLoss.NONE
    assert claim(plan, DATABASE, Loss.SERVER, "server-2").survives
    link = claim(plan, DATABASE, Loss.LINK, "server-1 – server-2")
    assert link.survives
    assert link.consequence.startswith("only server-1 reaches a majority of etcd")


def test_one_synchronous_standby_of_three_voters_on_a_server_may_stand_beside_its_primary(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(postgres, "plan_instances", unmarked(postgres.plan_instances))
    plan = at({"postgres": {"synchronous_standbys": 1}}, quorums.standbys_cover_another_server)
    lost = claim(plan, DATABASE, Loss.SERVER, "server-1")
    assert (lost.survives, lost.data_lost) == (False, DataLoss.UNREPLICATED)
    assert claim(plan, DATABASE, Loss.CONTAINER, "pg-1-1").survives


def unmarked(plan_instances: Any) -> Any:
    """Break the product: no instance is asynchronous."""

    def broken(*arguments: Any) -> Any:
        return tuple(replace(instance, asynchronous=False) for instance in plan_instances(*arguments))

    return broken


def test_without_synchronous_standbys_the_last_commits_may_be_lost() -> None:
    plan = planned("stage-d", {"postgres": {"synchronous_standbys": 0}})
    lost = claim(plan, DATABASE, Loss.CONTAINER, "pg-1-1")
    assert (lost.survives, lost.data_lost) == (True, DataLoss.UNREPLICATED)


def test_two_servers_of_the_fourth_stage_survive_one_way_only() -> None:
    servers = {"server-1": server(1), "server-2": server(2)}
    plan = planned("stage-d", {"servers": servers})
    assert claim(plan, DATABASE, Loss.SERVER, "server-2").survives
    first = claim(plan, DATABASE, Loss.SERVER, "server-1")
    assert (first.survives, first.data_lost) == (False, DataLoss.NONE), "by hand, and nothing is lost"
    assert not claim(plan, "redis", Loss.SERVER, "server-2").survives


def test_three_servers_need_no_witness() -> None:
    servers = {f"server-{n}": server(n) for n in (1, 2, 3)}
    change = {
        "servers": servers,
        "redis": {"masters": 3, "replicas_per_master": 1},
        "kafka": {"brokers": 6, "replication_factor": 3},
        "postgres": {"synchronous_standbys": 1, "max_connections": 400},
    }
    plan = planned("stage-d", change)
    assert plan.topology.promises_a_host
    assert {host.name for host in plan.topology.etcd} == set(servers)
    assert {node.host.name for node in plan.topology.kafka if node.controller} == set(servers)
    voting = [c for c in survivability(plan) if c.loss is Loss.SERVER and c.component in ("etcd", "kafka", "redis")]
    assert len(voting) == 9
    assert all(c.survives for c in voting)


def test_three_copies_on_two_servers_stop_writes_with_one_of_them() -> None:
    plan = at({"kafka": {"replication_factor": 3}}, quorums.kafka_copies_survive_a_host)
    lost = [claim(plan, "kafka", Loss.SERVER, name) for name in ("server-1", "server-2")]
    assert not all(c.survives for c in lost)
    assert any("1 of the 2 copies" in c.consequence for c in lost)
    assert all(c.data_lost is DataLoss.NONE for c in lost), "a copy is left, it only takes no writes"
    assert not claim(plan, "kafka", Loss.LINK, "server-1 – server-2").survives


def test_a_witness_that_is_not_counted_would_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis, "_witnesses", lambda _nodes, _hosts: ())
    plan = at({}, quorums.redis_survives_a_host)
    assert not claim(plan, "redis", Loss.SERVER, "server-1").survives
    assert claim(plan, "redis", Loss.SERVER, "server-2").survives


def test_one_member_of_etcd_that_stands_alone_lets_the_primary_go_on_and_nobody_take_over() -> None:
    alone = claim(shipped("stage-d"), "etcd", Loss.CONTAINER, "etcd-1")
    assert alone.survives
    assert "failsafe" in alone.consequence


def test_two_members_of_etcd_would_be_worse_than_one(monkeypatch: pytest.MonkeyPatch) -> None:
    two = etcd.voting_hosts(shipped("stage-e").hosts)[:2]
    monkeypatch.setattr(etcd, "voting_hosts", lambda _hosts: two)
    plan = at({}, *invariants.RULES)
    assert not claim(plan, "etcd", Loss.CONTAINER, "etcd-1").survives
    assert not claim(plan, "etcd", Loss.CONTAINER, "etcd-2").survives


def test_a_cache_that_never_evicts_loses_more_than_a_cache() -> None:
    kept = planned("stage-e", {"redis": {"eviction": "noeviction"}})
    assert claim(kept, "redis", Loss.CONTAINER, "redis-1").data_lost is DataLoss.UNREPLICATED
    assert claim(shipped("stage-e"), "redis", Loss.CONTAINER, "redis-1").data_lost is DataLoss.CACHE


def test_a_witness_beside_one_server_promises_nothing() -> None:
    plan = planned("stage-d", {"network": {"witness": WITNESS}})
    assert not plan.topology.promises_a_host
    assert not claim(plan, WHOLE, Loss.SERVER, "server-1").survives


def test_a_stage_without_archive_loses_up_to_a_week_with_its_server() -> None:
    assert "7 days" in claim(shipped("stage-a"), DATABASE, Loss.SERVER, "server-1").consequence
    assert "15 minutes" in claim(shipped("stage-b"), DATABASE, Loss.SERVER, "server-1").consequence

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from dreamseed.errors import PlanError
from dreamseed.planning import invariants
from dreamseed.planning.container import Container, ServicePlan
from dreamseed.planning.hosts import Host
from dreamseed.planning.invariants import connections, containers, operation, quorums, reach, recovery
from dreamseed.planning.invariants.rule import Rule
from dreamseed.planning.placement import HostLoad
from dreamseed.planning.services.packet_filter import plan_packet_filter
from dreamseed.planning.stage_plan import StagePlan
from tests.planning.stages import STAGE_NAMES, planned, server, shipped

TWO = {"server-1": server(1, 3), "server-2": server(2, 2)}
ROOMY = {"servers": {"server-1": {"memory_gib": 512, "cpu_cores": 64, "disk_gib": 4000}}}


@dataclass(frozen=True)
class Broken:
    """A change of a shipped stage that one rule alone refuses, where, and with which remedy."""

    rule: Rule
    base: str
    change: Mapping[str, Any]
    where: str
    remedy: str


BROKEN = [
    Broken(
        connections.api_fits_a_pooler,
        "stage-c",
        {"api": {"database_pool_size": 100}},
        "api › database_pool_size",
        "database_pool_size of at most 66, or postgres.pgbouncer.max_client_connections of at least 1500",
    ),
    Broken(
        connections.pooled_fit_postgres,
        "stage-e",
        {"postgres": {"pgbouncer": {"pool_size": 100}}},
        "postgres › pgbouncer › pool_size",
        "pool_size of at most 70, or postgres.max_connections of at least 418",
    ),
    Broken(
        connections.pooled_fit_a_proxy,
        "stage-e",
        {"postgres": {"pgbouncer": {"pool_size": 600}, "max_connections": 4000}},
        "postgres › pgbouncer › pool_size",
        "pool_size of at most 500",
    ),
    Broken(
        recovery.archive_meets_rpo,
        "stage-c",
        {"backup": {"archive_timeout_seconds": 800}},
        "backup › archive_timeout_seconds",
        "archive_timeout_seconds of at most 660",
    ),
    Broken(
        recovery.restore_meets_rto,
        "stage-d",
        {"disaster_recovery": {"restore_mb_per_second": 10}},
        "disaster_recovery › rto_minutes",
        "restore_mb_per_second of at least 25, once a drill measured it, or rto_minutes of at least 281",
    ),
    Broken(
        recovery.restore_meets_rto,
        "stage-b",
        {"disaster_recovery": {"rto_minutes": 10}},
        "disaster_recovery › rto_minutes",
        "rto_minutes of at least 35",
    ),
    Broken(
        recovery.backups_reach_back,
        "stage-b",
        {"backup": {"keep_full": 4}},
        "backup › keep_full",
        "keep_full: 15, or wal_retention_days of at most 3",
    ),
    Broken(
        recovery.retention_covers_rpo,
        "stage-c",
        {"disaster_recovery": {"rpo_minutes": 30_000}},
        "backup › wal_retention_days",
        "wal_retention_days of at least 21",
    ),
    Broken(
        recovery.retention_spans_a_full_backup,
        "stage-c",
        {"backup": {"full_every_days": 15}},
        "backup › wal_retention_days",
        "wal_retention_days of at least 15",
    ),
    Broken(
        recovery.incrementals_lie_between,
        "stage-b",
        {"backup": {"incremental_every_hours": 24}},
        "backup › incremental_every_hours",
        "fewer than 24 hours, or null",
    ),
    Broken(
        quorums.standbys_cover_another_server,
        "stage-e",
        ROOMY | {"postgres": {"placement": {"server-1": 4, "server-2": 0}}},
        "postgres › synchronous_standbys",
        "instances on two servers (postgres.placement), and synchronous_standbys: 2 for three or more instances",
    ),
    Broken(
        quorums.redis_survives_a_host,
        "stage-e",
        ROOMY | {"redis": {"placement": {"server-1": 5, "server-2": 1}}},
        "redis › placement",
        "a placement with as many nodes on one server as on the other, or none",
    ),
    Broken(
        quorums.redis_survives_a_host,
        "stage-e",
        {"redis": {"masters": 1}},
        "redis › masters",
        "masters: 3, with replicas on both servers",
    ),
    Broken(
        quorums.kafka_votes_survive_a_host,
        "stage-e",
        ROOMY | {"kafka": {"placement": {"server-1": 5, "server-2": 0}}},
        "kafka › placement",
        "a placement with brokers on each of two servers",
    ),
    Broken(
        quorums.kafka_copies_survive_a_host,
        "stage-e",
        {"kafka": {"replication_factor": 3}},
        "kafka › replication_factor",
        "replication_factor: 4 over two servers with at least 2 brokers each",
    ),
    Broken(
        operation.thresholds_lie_beyond_the_stage,
        "stage-b",
        {"next_stage": {"sign_ups": 9_000}},
        "next_stage › sign_ups",
        "sign_ups of at least 10000",
    ),
    Broken(
        operation.metrics_outlive_the_slo,
        "stage-b",
        {"monitoring": {"retention_days": 30}},
        "monitoring › retention_days",
        "retention_days of at least 35",
    ),
]


def without(rule: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    """Break the product: the rule is gone."""
    monkeypatch.setattr(invariants, "RULES", tuple(one for one in invariants.RULES if one is not rule))


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_every_shipped_stage_keeps_every_invariant(name: str) -> None:
    checked = invariants.check_invariants(shipped(name))
    assert [one.name for one in checked if not one.holds] == []
    assert len(checked) >= 20


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: f"{broken.rule.__name__}-{broken.where}")
def test_a_broken_promise_is_refused_with_place_and_remedy(broken: Broken) -> None:
    with pytest.raises(PlanError) as refused:
        planned(broken.base, broken.change)
    assert refused.value.where == f"{broken.base} › {broken.where}"
    assert refused.value.remedy == broken.remedy


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: f"{broken.rule.__name__}-{broken.where}")
def test_without_its_rule_a_broken_promise_would_pass_unseen(broken: Broken, monkeypatch: pytest.MonkeyPatch) -> None:
    without(broken.rule, monkeypatch)
    if broken.rule is quorums.kafka_votes_survive_a_host:  # brokers on one server break the copies, too
        without(quorums.kafka_copies_survive_a_host, monkeypatch)
    assert planned(broken.base, broken.change).name == broken.base


def test_the_remedy_of_a_refusal_is_itself_accepted() -> None:
    assert planned("stage-e", {"postgres": {"pgbouncer": {"pool_size": 70}}}).name == "stage-e"
    with pytest.raises(PlanError, match="pool_size"):
        planned("stage-e", {"postgres": {"pgbouncer": {"pool_size": 71}}})


def changed(plan: StagePlan, section: str, name: str, **fields: Any) -> StagePlan:
    """The plan with other values in the container `name` of the service plan `section`."""
    service: ServicePlan = getattr(plan, section)
    new = [replace(one, **fields) if one.name == name else one for one in service.containers]
    return swapped(plan, {section: replace(service, containers=tuple(new))})


def swapped(plan: StagePlan, sections: Mapping[str, Any]) -> StagePlan:
    return replace(plan, **sections)


def public(plan: StagePlan) -> StagePlan:
    hosts: tuple[Host, ...] = tuple(replace(host, address="8.8.8.8") for host in plan.hosts)
    return replace(plan, hosts=hosts)


def crowded(plan: StagePlan) -> StagePlan:
    loads: tuple[HostLoad, ...] = tuple(replace(load, memory_mib=10**6) for load in plan.loads)
    return replace(plan, loads=loads)


def connected(plan: StagePlan) -> StagePlan:
    many = plan.config.postgres.model_copy(update={"max_connections": 10_000})
    return replace(plan, config=plan.config.model_copy(update={"postgres": many}))


def another_card(plan: StagePlan) -> StagePlan:
    first, *others = plan.layout.replicas
    return replace(plan, layout=replace(plan.layout, replicas=(replace(first, gpu_indices=(0, 9)), *others)))


def filtered_for(plan: StagePlan, others: Callable[[Container], Container | None]) -> StagePlan:
    seen = [known for one in plan.containers if (known := others(one)) is not None]
    return replace(plan, packet_filter=plan_packet_filter(plan.config, plan.hosts, seen))


IMPOSSIBLE: list[tuple[Rule, Callable[[StagePlan], StagePlan]]] = [
    (containers.services_roll, lambda plan: changed(plan, "vllm", "vllm-router-2", after=())),
    (containers.containers_are_bounded_and_watched, lambda plan: changed(plan, "redis", "redis-1", health=None)),
    (containers.containers_are_bounded_and_watched, lambda plan: changed(plan, "redis", "redis-1", memory_mib=0)),
    (containers.parts_fit_their_container, lambda plan: changed(plan, "redis", "redis-1", memory_mib=9_000)),
    (containers.parts_fit_their_container, lambda plan: changed(plan, "kafka", "kafka-1", memory_mib=2_000)),
    (containers.parts_fit_their_container, lambda plan: changed(plan, "vllm", "server-1-vllm-1", shm_size_mib=10**6)),
    (connections.api_fits_a_router, lambda plan: changed(plan, "vllm", "vllm-router-1", memory_mib=32)),
    (containers.users_have_few_rights, lambda plan: changed(plan, "redis", "redis-1", user=None)),
    (containers.processes_fit_their_limit, connected),
    (containers.ports_are_private, public),
    (
        containers.ports_are_private,
        lambda plan: changed(plan, "monitoring", "server-1-node-exporter", command=("--web.listen-address=:9100",)),
    ),
    (
        reach.filters_pass_what_is_told,
        lambda plan: filtered_for(plan, lambda one: None if one.component == "monitoring" else one),
    ),
    (
        reach.filters_pass_what_members_say,
        lambda plan: filtered_for(plan, lambda one: replace(one, hears=())),
    ),
    (containers.hosts_hold_their_containers, crowded),
    (containers.gpus_are_there, another_card),
]
"""Plans that no stage file leads to, made by hand: each the fault of a planner."""


@pytest.mark.parametrize(("rule", "spoil"), IMPOSSIBLE)
def test_a_planner_that_goes_wrong_is_caught(rule: Rule, spoil: Callable[[StagePlan], StagePlan]) -> None:
    good = shipped("stage-d")
    assert all(one.holds for one in rule(good))
    spoilt = spoil(good)
    assert [one for one in rule(spoilt) if not one.holds]
    with pytest.raises(PlanError):
        invariants.require_invariants(spoilt)


def test_an_even_number_of_votes_is_refused() -> None:
    plan = shipped("stage-e")
    vars(plan)["topology"] = plan.topology
    even = replace(plan)
    vars(even)["topology"] = replace(plan.topology, etcd=plan.topology.etcd[:2])
    assert [one.name for one in quorums.votes_are_odd(even) if not one.holds] == ["etcd votes"]
    assert [one.left for one in quorums.etcd_survives_a_host(plan)] == ["2 of 3 votes are left without server-1"]


def test_without_a_third_host_no_promise_about_a_host_is_made() -> None:
    plan = planned("stage-d", {"servers": TWO, "postgres": {"synchronous_standbys": 2}})
    assert not plan.topology.promises_a_host
    said = {one.name for one in invariants.check_invariants(plan)}
    assert "etcd without a host" not in said
    assert "standbys on another server" in said


def test_a_container_behind_another_service_still_waits_for_the_one_before() -> None:
    chain = [
        Container(
            name=name,
            component="x",
            service=service,
            host="server-1",
            image="redis",
            networks=(),
            memory_mib=16,
            cpu_cores=0.1,
            job=True,
            after=after,
        )
        for name, service, after in (("a", "s", ()), ("b", "t", ("a",)), ("c", "s", ("b",)))
    ]
    plan = shipped("stage-a")
    empty = {name: ServicePlan(component=name) for name in ("vllm", "postgres", "redis", "kafka", "monitoring")}
    plan = swapped(plan, empty | {"tunnel": ServicePlan(component="x", containers=tuple(chain))})
    assert all(one.holds for one in containers.services_roll(plan))

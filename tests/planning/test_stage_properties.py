"""Whole stages, drawn: each is refused in words that help, or its plan keeps everything that the oracle knows.

`HYPOTHESIS_PROFILE=long` draws ten times as many stages, others at each run.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Network
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, event, find, given, settings

from dreamseed.config import STAGE_NAMES, merge
from dreamseed.errors import ConfigErrors, DreamSeedError, PlanError
from dreamseed.planning import invariants, placement, planner, ports
from dreamseed.planning.container import Container, File, Mount, NetworkName, ServicePlan
from dreamseed.planning.hosts import Host, servers
from dreamseed.planning.invariants import connections, containers, quorums, recovery
from dreamseed.planning.invariants.rule import Rule
from dreamseed.planning.planner import plan_stage
from dreamseed.planning.services import etcd, kafka, postgres, redis
from dreamseed.planning.services.postgres_instance import Instance
from dreamseed.planning.stage_plan import StagePlan
from tests.planning.stage_oracle import faults
from tests.planning.strategies import MANY_NODES, ODDITIES, StageFile, Values, stage_files, with_values

COMMON = settings(deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
PROFILES = {
    "ci": settings(COMMON, max_examples=200, derandomize=True),
    "long": settings(COMMON, max_examples=2_000, derandomize=False),
}
PROFILE = PROFILES[os.environ.get("HYPOTHESIS_PROFILE", "ci")]
SEARCH = settings(PROFILES["ci"], phases=(Phase.generate,))
LEAST_PLANNED = 0.3
LEAST_PROMISING = 0.1
"""Shares of all drawn stages: those that are planned, and those of them that promise to survive any one host."""


def outcome(file: StageFile) -> StagePlan | Sequence[DreamSeedError]:
    """The plan of a stage, or why there is none; anything else that is raised is a fault of the planner."""
    try:
        return plan_stage(file.parse(), file.base)
    except ConfigErrors as refused:
        return refused.errors
    except PlanError as refused:
        return (refused,)


def check(file: StageFile) -> StagePlan | None:
    """Hold the outcome against the oracle and return the plan, if there is one."""
    found = outcome(file)
    if isinstance(found, StagePlan):
        assert faults(found) == []
        return found
    assert found
    for refusal in found:
        assert refusal.where.startswith(file.base)
        assert all(text.strip() for text in (refusal.what, refusal.why, refusal.remedy))
    return None


def test_a_drawn_stage_is_refused_with_a_remedy_or_its_plan_is_sound() -> None:
    outcomes: Counter[str] = Counter()

    @PROFILE
    @given(stage_files())
    def run(file: StageFile) -> None:
        outcomes["drawn"] += 1
        plan = check(file)
        event("refused" if plan is None else "planned")
        if plan is not None:
            outcomes["planned"] += 1
            outcomes["promising"] += plan.topology.promises_a_host and bool(plan.kafka.containers)

    run()
    assert outcomes["drawn"] >= PROFILE.max_examples
    assert outcomes["planned"] >= LEAST_PLANNED * outcomes["drawn"], outcomes
    assert outcomes["promising"] >= LEAST_PROMISING * outcomes["drawn"], outcomes
    assert outcomes["planned"] < outcomes["drawn"]


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_the_oracle_finds_nothing_in_a_shipped_stage(name: str) -> None:
    assert check(with_values(name)) is not None


@pytest.mark.parametrize("oddity", ODDITIES, ids=str)
def test_an_odd_value_is_refused_with_a_remedy_or_the_plan_is_sound(oddity: Values) -> None:
    check(with_values("stage-c", **oddity))


@pytest.mark.parametrize(
    ("values", "where", "what"),
    [
        ({"servers": {"server-1": {"memory_gib": 4}}}, "servers › server-1", "MiB of memory asked for, 0 there are"),
        ({"servers": {"server-1": {"disk_gib": 80}}}, "servers › server-1", "GiB of disk asked for, 0 there are"),
        ({"servers": {"server-1": {"disk_gib": 50}}}, "servers › server-1", "GiB of disk asked for, -30 there are"),
        (
            {"network": {"cloud_range": "10.40.0.0/22"}, "disaster_recovery": {"active": True}},
            "network › cloud_range",
            "10.40.0.0/22 is too small",
        ),
        (
            {"disaster_recovery": {"kind": "none", "active": True}},
            "disaster_recovery › active",
            "the API is sent to the restored database, but the kind is none",
        ),
        ({"kafka": {"replication_factor": 1, "min_insync_replicas": 2}}, "kafka", "min_insync_replicas 2"),
        (
            {"servers": {"server-1": {"cpu_cores": 64}}, "redis": MANY_NODES | {"masters": 32}},
            "redis › masters",
            "redis-32 and postgres are both reached on port 6432",
        ),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_the_oracle_once_found_is_refused_now(values: Values, where: str, what: str) -> None:
    found = outcome(with_values("stage-c", **values))
    assert not isinstance(found, StagePlan)
    assert [refusal.where for refusal in found] == [f"stage-c › {where}"]
    assert what in found[0].what


Patch = Callable[[pytest.MonkeyPatch], None]


def gone(*rules: Rule) -> Patch:
    """Break the planner: it forgets these rules."""
    kept = tuple(rule for rule in invariants.RULES if rule not in rules)
    return lambda patch: patch.setattr(invariants, "RULES", kept)


def swapped(owner: object, name: str, new: object) -> Patch:
    """Break the planner: one of its functions is another."""
    return lambda patch: patch.setattr(owner, name, new)


def _all_may_confirm(*arguments: Any) -> tuple[Instance, ...]:
    return tuple(replace(one, asynchronous=False) for one in _plan_instances(*arguments))


def _waits_for_nobody(*arguments: Any) -> Container:
    return replace(_member(*arguments), after=())


def _first_brokers(topic: str, partitions: int, replication: int, brokers: Sequence[kafka.Node]) -> list[Values]:
    copies = [broker.number for broker in brokers][:replication]
    return [{"topic": topic, "partition": number, "replicas": copies} for number in range(partitions)]


def _first_server(hosts: Sequence[Host]) -> tuple[Host, ...]:
    return servers(hosts)[:1]


_plan_instances, _member = postgres.plan_instances, etcd._member


@dataclass(frozen=True)
class Mutant:
    """A planner without one of its checks or steps, a stage on which that shows, and what the oracle says."""

    name: str
    patches: tuple[Patch, ...]
    base: str
    values: Mapping[str, Values]
    says: str


MUTANTS = (
    Mutant(
        "overflow",
        (swapped(planner, "check_placement", lambda _where, *rest: placement.add_up(*rest)),),
        "stage-d",
        {"servers": {"server-1": {"disk_gib": 400}}},
        "GiB of disk of 320",
    ),
    Mutant(
        "ports",
        (swapped(ports, "patroni", ports.postgres), swapped(placement, "_check_ports", lambda *_: None)),
        "stage-a",
        {},
        "published port ('server-1', 5431) is taken 2 times",
    ),
    Mutant(
        "pooler",
        (gone(connections.api_fits_a_pooler),),
        "stage-c",
        {"api": {"database_pool_size": 100}},
        "takes 1000 of the API's 1500 connections",
    ),
    Mutant(
        "pool",
        (gone(connections.pooled_fit_postgres),),
        "stage-e",
        {"postgres": {"pgbouncer": {"pool_size": 100}}},
        "400 pooled connections of 300",
    ),
    Mutant(
        "routes",
        (gone(connections.routes_have_their_own_ports),),
        "stage-c",
        {"servers": {"server-1": {"cpu_cores": 64}}, "redis": MANY_NODES | {"masters": 32}},
        "port of the sidecar 6432 is taken 2 times",
    ),
    Mutant(
        "witness of the cache",
        (swapped(redis, "_witnesses", lambda *_: ()), gone(quorums.redis_survives_a_host)),
        "stage-e",
        {},
        "redis loses its majority",
    ),
    Mutant(
        "place of a replica",
        (gone(quorums.redis_survives_a_host),),
        "stage-e",
        {
            "servers": {"server-1": {"cpu_cores": 32}},
            "redis": {"placement": {"server-1": 4, "server-2": 2}, "maxmemory_mib": 1_024},
        },
        "stands on one host",
    ),
    Mutant(
        "votes",  # the planner's own rules fall silent with it: it believes that nothing is promised
        (swapped(etcd, "voting_hosts", _first_server),),
        "stage-e",
        {},
        "etcd loses its majority with server-1",
    ),
    Mutant(
        "standbys",
        (swapped(postgres, "plan_instances", _all_may_confirm), gone(quorums.standbys_cover_another_server)),
        "stage-e",
        {},
        "a commit of shard 1 may stand on server-1 alone",
    ),
    Mutant(
        "order",
        (swapped(etcd, "_member", _waits_for_nobody), gone(containers.services_roll)),
        "stage-e",
        {},
        "etcd-1 and etcd-2 of etcd may go at once",
    ),
    Mutant(
        "racks",
        (swapped(kafka, "assignment", _first_brokers), gone(quorums.kafka_copies_survive_a_host)),
        "stage-e",
        {},
        "has too few copies without server-1",
    ),
    Mutant(
        "archive",
        (gone(recovery.archive_meets_rpo),),
        "stage-b",
        {"backup": {"archive_timeout_seconds": 3_600}},
        "archives every 3600 s, promised are 900",
    ),
    Mutant(
        "restore",
        (gone(recovery.a_disaster_has_a_restore),),
        "stage-b",
        {"disaster_recovery": {"active": True}},
        "the API is sent to 10.40.0.20",
    ),
)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_oracle_finds_what_a_broken_planner_lets_through(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    file = with_values(mutant.base, **mutant.values)
    check(file)
    for patch in mutant.patches:
        patch(monkeypatch)
    plan = outcome(file)
    assert isinstance(plan, StagePlan), plan
    assert any(mutant.says in fault for fault in faults(plan)), faults(plan)


@pytest.mark.parametrize(
    ("rule", "pushed"),
    [
        (connections.pooled_fit_postgres, {"postgres": {"max_connections": 200, "pgbouncer": {"pool_size": 60}}}),
        (quorums.redis_survives_a_host, {"redis": MANY_NODES | {"masters": 4, "replicas_per_master": 1}}),
        (
            quorums.standbys_cover_another_server,
            {"postgres": {"instances": 3, "synchronous_standbys": 1, "placement": {"server-1": 3, "server-2": 0}}},
        ),
    ],
    ids=["pooled_fit_postgres", "redis_survives_a_host", "standbys_cover_another_server"],
)
def test_drawn_stages_find_a_rule_that_is_gone(rule: Rule, pushed: Values, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = stage_files().map(lambda file: StageFile(file.base, merge(file.stage, pushed)))
    gone(rule)(monkeypatch)

    def unsound(file: StageFile) -> bool:
        plan = outcome(file)
        return isinstance(plan, StagePlan) and bool(faults(plan))

    found = find(drawn, unsound, settings=SEARCH)
    monkeypatch.undo()
    check(found)


def changed(section: str, name: str, **fields: Any) -> Callable[[StagePlan], StagePlan]:
    """Break a plan: the container `name` of a section is another."""

    def change(plan: StagePlan) -> StagePlan:
        service: ServicePlan = getattr(plan, section)
        new = tuple(replace(one, **fields) if one.name == name else one for one in service.containers)
        fields_of_plan: dict[str, Any] = {section: replace(service, containers=new)}
        return replace(plan, **fields_of_plan)

    return change


def _one_subnet(plan: StagePlan) -> StagePlan:
    subnets = dict.fromkeys(NetworkName, IPv4Network("172.30.0.0/24"))
    return replace(plan, hosts=tuple(replace(host, subnets=subnets) for host in plan.hosts))


SPOILT = {
    "has no memory": changed("redis", "redis-1", memory_mib=0),
    "waits for nobody-1, which is not there": changed("redis", "redis-1", after=("nobody-1",)),
    "containers wait for each other": changed("redis", "redis-1", after=("redis-3",)),
    "mounts server-9-models": changed("redis", "redis-1", mounts=(Mount(volume="server-9-models", path="/data"),)),
    "shows a secret": changed("redis", "redis-1", command=("--requirepass", "⟦redis⟧")),
    "has a secret in REDIS_PASSWORD": changed("kafka", "kafka-1", environment={"REDIS_PASSWORD": "x"}),
    "lets all read": changed("vllm", "vllm-router-1", files=(File(path="/key", text="⟦vllm-api-key⟧"),)),
    "uses a card of another engine": changed("vllm", "server-1-vllm-2", gpu_indices=(0, 1)),
    "uses a card that server-1 lacks": changed("vllm", "server-1-vllm-2", gpu_indices=(3, 4)),
    "has the tensor-parallel size 3": changed("vllm", "server-1-vllm-2", command=("--tensor-parallel-size", "3")),
    "overlaps": _one_subnet,
}


@pytest.mark.parametrize("says", SPOILT)
def test_the_oracle_finds_what_no_stage_file_leads_to(says: str) -> None:
    plan = check(with_values("stage-d"))
    assert plan is not None
    found = faults(SPOILT[says](plan))
    assert any(says in fault for fault in found), found

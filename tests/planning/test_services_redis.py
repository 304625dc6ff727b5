from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest

from dreamseed.planning.services import redis
from dreamseed.planning.services.redis import Node, plan_nodes
from dreamseed.planning.stage_plan import StagePlan
from dreamseed.planning.topology import is_majority
from tests.planning.stages import configured, configured_container, container, file, shipped


def nodes(plan: StagePlan) -> tuple[Node, ...]:
    return plan_nodes(plan.config, plan.hosts)


def votes_without(members: Sequence[Node], host: str) -> tuple[int, int]:
    masters = [node for node in members if node.master]
    return sum(node.host.name != host for node in masters), len(masters)


def test_there_is_no_cache_at_the_first_stage() -> None:
    plan = shipped("stage-a")
    assert nodes(plan) == ()
    assert plan.redis.containers == ()


def test_a_node_keeps_its_container_when_others_join() -> None:
    for stage, name in (("stage-b", "redis-1"), ("stage-c", "redis-3")):
        assert configured_container(shipped(stage), name) == configured_container(shipped("stage-e"), name)


def test_masters_are_spread_over_the_servers_and_each_replica_stands_on_another() -> None:
    members = nodes(shipped("stage-e"))
    masters = {node.shard: node for node in members if node.master and node.shard}
    assert sorted(node.host.name for node in masters.values()) == ["server-1", "server-1", "server-2"]
    for node in members:
        if not node.master:
            assert node.host.name != masters[node.shard].host.name


@pytest.mark.parametrize("masters", [3, 4, 5, 6, 7])
def test_as_many_witnesses_vote_as_a_majority_without_any_server_needs(masters: int) -> None:
    change = {"redis": {"masters": masters, "replicas_per_master": 1}}
    members = plan_nodes(configured("stage-e", change), shipped("stage-e").hosts)
    for host in ("server-1", "server-2", "witness"):
        assert is_majority(*votes_without(members, host)), host
    witnesses = [node for node in members if node.shard == 0]
    fewer = [node for node in members if node is not witnesses[-1]]
    assert not all(is_majority(*votes_without(fewer, host)) for host in ("server-1", "server-2"))


def test_one_witness_fewer_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    all_of_them = redis._witnesses
    monkeypatch.setattr(redis, "_witnesses", lambda data, hosts: all_of_them(data, hosts)[1:])
    config = shipped("stage-e")
    members = plan_nodes(config.config, config.hosts)
    assert not is_majority(*votes_without(members, "server-1"))


def test_no_witness_votes_where_one_server_holds_all_masters() -> None:
    assert all(node.shard for node in nodes(shipped("stage-d")))


def script(plan: StagePlan) -> str:
    return file(container(plan, "redis-cluster"), "/etc/dreamseed/job.sh").text


def said(plan: StagePlan, name: str) -> str:
    found: list[str] = re.findall(rf'^{name}="(.*)"$', script(plan), re.M)
    return found[0]


def shards(plan: StagePlan) -> list[str]:
    return re.findall(r"^leader=\$\(head_of (.+)\)$", script(plan), re.M)


def test_the_cluster_is_born_with_one_master_and_grows_by_shards() -> None:
    one, three = shipped("stage-b"), shipped("stage-c")
    assert shards(one) == ["10.20.0.11:6401"]
    assert shards(three) == ["10.20.0.11:6401", "10.20.0.11:6402", "10.20.0.11:6403"]
    assert said(three, "leaders") == said(three, "nodes") == " ".join(shards(three))
    assert said(three, "witnesses") == ""


def test_the_last_stage_adds_replicas_witnesses_and_swaps_one_master() -> None:
    plan = shipped("stage-e")
    assert shards(plan) == [f"10.20.0.11:640{n} 10.20.0.12:640{n + 3}" for n in (1, 2, 3)]
    assert said(plan, "leaders") == "10.20.0.11:6401 10.20.0.12:6405 10.20.0.11:6403"
    assert said(plan, "witnesses") == "10.40.0.10:6451 10.40.0.10:6452"


@pytest.mark.parametrize("name", ["stage-b", "stage-e"])
def test_each_node_announces_the_address_and_ports_that_are_published(name: str) -> None:
    plan = shipped(name)
    address = {host.name: host.address for host in plan.hosts}
    for one in plan.redis.containers:
        if one.service == "redis":
            said: dict[str, Any] = dict(
                line.split(" ", 1) for line in file(one, "/etc/redis/redis.conf").text.splitlines()
            )
            assert said["cluster-announce-ip"] == address[one.host]
            ports = [str(port.published) for port in one.ports]
            assert ports == [said["cluster-announce-port"], said["cluster-announce-bus-port"]]
            assert int(ports[1]) == int(ports[0]) + 10_000
            assert said["cluster-enabled"] == "yes"
            assert said["appendonly"] == "yes"

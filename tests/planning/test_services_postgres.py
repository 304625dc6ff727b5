from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dreamseed.planning.container import Container
from dreamseed.planning.services.postgres import plan_instances
from dreamseed.planning.services.postgres_instance import Instance
from dreamseed.planning.stage_plan import StagePlan
from tests.planning.stages import STAGE_NAMES, configured, container, file, planned, server, shipped


def instances(placement: dict[str, int], standbys: int) -> tuple[Instance, ...]:
    change = {
        "servers": {name: server(number) for number, name in enumerate(placement, start=1)},
        "postgres": {
            "instances": sum(placement.values()),
            "placement": placement,
            "synchronous_standbys": standbys,
        },
    }
    config = configured("stage-d", change)
    hosts = planned("stage-d", {"servers": change["servers"], "postgres": {"max_connections": 600}}).hosts
    return plan_instances(config, hosts, 1)


def stands_on_two_servers(members: tuple[Instance, ...], standbys: int) -> bool:
    """Whether any primary and any `standbys` confirming standbys stand on two servers."""
    voting = [one for one in members if not one.asynchronous]
    return all(
        len({primary.host.name, *(one.host.name for one in chosen)}) > 1
        for primary in voting
        for chosen in combinations([one for one in voting if one is not primary], min(standbys, len(voting) - 1))
    )


def marked(members: tuple[Instance, ...]) -> list[str]:
    return [one.name for one in members if one.asynchronous]


def test_the_third_database_on_a_server_is_asynchronous_at_the_last_stage() -> None:
    plan = shipped("stage-e")
    assert marked(plan_instances(plan.config, plan.hosts, 1)) == ["pg-1-3"]


def test_on_one_server_every_database_may_become_primary() -> None:
    plan = shipped("stage-d")
    assert marked(plan_instances(plan.config, plan.hosts, 1)) == []


def test_without_synchronous_standbys_nobody_is_marked() -> None:
    assert marked(instances({"server-1": 3, "server-2": 1}, 0)) == []


@given(
    st.lists(st.integers(1, 3), min_size=2, max_size=3),
    st.integers(1, 3),
)
def test_any_primary_and_its_confirming_standbys_stand_on_two_servers(counts: list[int], standbys: int) -> None:
    placement = {f"server-{number}": count for number, count in enumerate(counts, start=1)}
    standbys = min(standbys, sum(counts) - 1)
    assert stands_on_two_servers(instances(placement, standbys), standbys)


def test_without_the_mark_a_commit_could_stand_on_one_server() -> None:
    members = instances({"server-1": 3, "server-2": 1}, 2)
    unmarked = tuple(replace(one, asynchronous=False) for one in members)
    assert stands_on_two_servers(members, 2)
    assert not stands_on_two_servers(unmarked, 2)


def patroni(of: Container) -> Any:
    return yaml.safe_load(file(of, "/etc/patroni/patroni.yml").text.replace("⟦", "").replace("⟧", ""))


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_patroni_is_told_the_published_addresses_and_one_member_of_etcd(name: str) -> None:
    plan = shipped(name)
    address = {host.name: host.address for host in plan.hosts}
    for one in plan.postgres.containers:
        if one.service != "postgres-1":
            continue
        said = patroni(one)
        published = {port.container: port.published for port in one.ports}
        assert said["postgresql"]["connect_address"] == f"{address[one.host]}:{published[5432]}"
        assert said["restapi"]["connect_address"] == f"{address[one.host]}:{published[8008]}"
        assert said["name"] == one.name
        (member,) = said["etcd3"]["hosts"]
        assert member.split(":")[0] in address.values()
        assert said["tags"]["nosync"] is said["tags"]["nofailover"]


def test_a_running_database_keeps_its_whole_configuration_through_four_promotions() -> None:
    first, last = (container(shipped(name), "pg-1-1") for name in ("stage-a", "stage-e"))
    assert first.files == last.files
    assert first.ports == last.ports
    assert first.mounts == last.mounts
    assert first.command == last.command


def dynamic(plan: StagePlan) -> Any:
    return json.loads(file(container(plan, "pg-1-configure"), "/etc/dreamseed/dynamic.json").text)


def test_what_differs_between_stages_is_dynamic() -> None:
    a, d, e = (dynamic(shipped(name)) for name in ("stage-a", "stage-d", "stage-e"))
    assert [one["synchronous_mode"] for one in (a, d, e)] == [False, True, True]
    assert e["synchronous_node_count"] == 2
    assert "local.conf" in a["postgresql"]["parameters"]["archive_command"]
    assert "offsite.conf" in d["postgresql"]["parameters"]["archive_command"]
    assert all(one["failsafe_mode"] for one in (a, d, e))


def test_patronis_times_obey_its_own_rule() -> None:
    said = dynamic(shipped("stage-a"))
    assert said["loop_wait"] + 2 * said["retry_timeout"] <= said["ttl"]
    assert said["ttl"] >= 20


def test_a_second_shard_leaves_the_first_untouched() -> None:
    roomy = {"server-1": {"memory_gib": 256, "cpu_cores": 32}}
    one = planned("stage-d", {"servers": roomy, "postgres": {"disk_gib": 60}})
    two = planned("stage-d", {"servers": roomy, "postgres": {"disk_gib": 60, "shards": 2}})
    for name in ("pg-1-1", "pg-1-2", "pg-1-3", "pg-proxy-1-1", "pg-1-configure"):
        assert container(one, name) == container(two, name)
    assert {one.name for one in two.containers if one.name.startswith("pg-2-")} >= {"pg-2-1", "pg-2-2", "pg-2-3"}
    ini = file(container(two, "pgbouncer-1"), "/etc/pgbouncer/pgbouncer.ini").text
    assert "dreamseed = host=postgres-1" in ini
    assert "dreamseed_2 = host=postgres-2" in ini


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_every_proxy_knows_every_instance_and_asks_patroni_who_is_primary(name: str) -> None:
    plan = shipped(name)
    members = plan_instances(plan.config, plan.hosts, 1)
    for one in plan.postgres.containers:
        if one.service == "pg-proxy-1":
            text = file(one, "/usr/local/etc/haproxy/haproxy.cfg").text
            for member in members:
                line = f"server {member.name} {member.address}:{member.port} check port {member.check_port}"
                assert text.count(line) == 2, "for the primary and for readers"
            assert "option httpchk OPTIONS /primary" in text
            assert "on-marked-down shutdown-sessions" in text


def test_proxies_and_poolers_stand_twice_on_each_server() -> None:
    for name, expected in (("stage-a", 2), ("stage-e", 4)):
        for service in ("pg-proxy-1", "pgbouncer"):
            placed = [one.host for one in shipped(name).postgres.containers if one.service == service]
            assert len(placed) == expected
            assert all(placed.count(host) == 2 for host in placed)

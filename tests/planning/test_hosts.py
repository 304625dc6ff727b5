from __future__ import annotations

from ipaddress import IPv4Network
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamseed.errors import PlanError
from dreamseed.planning.hosts import Host, plan_hosts, servers, spread
from tests.planning.stages import WITNESS, configured, server, shipped


def fleet(number: int, *, witness: bool = False) -> tuple[Host, ...]:
    change: dict[str, Any] = {"servers": {f"server-{n}": server(n) for n in range(1, number + 1)}}
    if witness:
        change["network"] = {"witness": WITNESS}
    return plan_hosts(configured("stage-d", change), "stage-d")


@pytest.mark.parametrize("number", [1, 2, 3, 8])
def test_every_container_network_of_every_host_is_its_own(number: int) -> None:
    nets = [net for host in fleet(number, witness=True) for net in host.subnets.values()]
    assert len(nets) == 3 * (number + 1)
    assert not any(one.overlaps(other) for one, other in combinations(nets, 2))
    assert all(net.subnet_of(IPv4Network("172.30.0.0/16")) for net in nets)


def test_a_host_that_is_added_moves_no_network_of_the_others() -> None:
    before = {host.name: host.subnets for host in fleet(2, witness=True)}
    after = {host.name: host.subnets for host in fleet(3, witness=True)}
    assert all(after[name] == subnets for name, subnets in before.items())


def test_the_witness_comes_last_and_is_no_server() -> None:
    hosts = shipped("stage-e").hosts
    assert [host.name for host in hosts] == ["server-1", "server-2", "witness"]
    assert [host.name for host in servers(hosts)] == ["server-1", "server-2"]
    assert hosts[-1].gpu_count == 0


def test_a_server_keeps_a_share_for_its_own_system() -> None:
    (host,) = fleet(1)
    assert host.memory_mib == 256 * 1024 - 4096
    assert host.disk_gib == 1000 - 80


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"servers": {"server-1": {"private_address": "10.21.0.11"}}}, "servers › server-1 › private_address"),
        ({"network": {"witness": {**WITNESS, "address": "10.41.0.10"}}}, "network › witness › address"),
        ({"network": {"container_range": "10.40.0.0/17"}}, "network › container_range"),
        ({"network": {"container_range": "172.30.0.0/23"}}, "network › container_range"),
    ],
)
def test_addresses_that_could_not_be_routed_are_refused(change: dict[str, Any], where: str) -> None:
    with pytest.raises(PlanError) as refused:
        plan_hosts(configured("stage-d", change), "stage-d")
    assert refused.value.where == f"stage-d › {where}"
    assert refused.value.why
    assert refused.value.remedy


@given(st.integers(0, 12), st.integers(1, 4))
def test_instances_are_spread_evenly_the_first_servers_one_more(count: int, number: int) -> None:
    hosts = fleet(number)
    placed = [host.name for host in spread(count, hosts, None)]
    counts = [placed.count(host.name) for host in hosts]
    assert sum(counts) == count
    assert max(counts) - min(counts) <= 1
    assert counts == sorted(counts, reverse=True)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=3), st.integers(0, 4))
def test_instances_on_a_later_server_never_renumber_the_earlier_ones(counts: list[int], more: int) -> None:
    hosts = fleet(len(counts) + 1)
    placement = {host.name: count for host, count in zip(hosts, counts, strict=False)}
    before = spread(sum(counts), hosts, placement)
    after = spread(sum(counts) + more, hosts, {**placement, hosts[-1].name: more})
    assert after[: len(before)] == before


def test_nothing_is_spread_onto_the_witness() -> None:
    assert {host.name for host in spread(7, fleet(2, witness=True), None)} == {"server-1", "server-2"}

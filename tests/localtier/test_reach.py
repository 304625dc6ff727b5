from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from dreamseed.planning.reach import leaves_by, listens_on, published_ports
from dreamseed.planning.services.packet_filter import passes
from dreamseed.planning.stage_plan import StagePlan
from localtier.reach import Asking, listening_ports, look
from localtier.scanning import AT_ONCE, open_doors
from tests.planning.stages import STAGE_NAMES, shipped


class Running:
    """A stage whose containers run as planned, with an address on each network of theirs, made up from its plan."""

    def __init__(self, plan: StagePlan) -> None:
        self.plan = plan
        self.inspected: dict[str, dict[str, dict[str, Any]]] = {host.name: {} for host in plan.hosts}
        self.listening: dict[int, set[int]] = {}
        self.published = set(published_ports(plan))
        self.filters = {one.host: one for one in plan.packet_filter.containers}
        self.walls = True
        """Whether Docker keeps packets of one network from another."""
        subnets = {host.name: host.subnets for host in plan.hosts}
        for pid, one in enumerate(plan.containers, start=10):
            joined = {f"dreamseed-{name}": {"IPAddress": str(subnets[one.host][name][pid])} for name in one.networks}
            state = {"Pid": 0 if one.job else pid}
            self.inspected[one.host][one.name] = {"State": state, "NetworkSettings": {"Networks": joined}}
            self.listening[pid] = set(listens_on(one))

    def pid(self, name: str) -> int:
        return int(self.seen(name)["State"]["Pid"])

    def seen(self, name: str) -> dict[str, Any]:
        return next(seen[name] for seen in self.inspected.values() if name in seen)

    def scan(self, pid: int, doors: Sequence[tuple[str, int]]) -> frozenset[tuple[str, int]]:
        """What a container reaches, by the rules of Docker's networks and of its server's packet filter."""
        everybody = [one for seen in self.inspected.values() for one in seen.values()]
        here = next(one for one in everybody if one["State"]["Pid"] == pid)
        reached = {door for door in self.published if self.is_let_through(pid, door)}
        for other in everybody:
            for network, address in other["NetworkSettings"]["Networks"].items():
                own = here["NetworkSettings"]["Networks"].get(network, {}).get("IPAddress", "")
                beside = own.rpartition(".")[0] == address["IPAddress"].rpartition(".")[0]
                if beside or not self.walls:
                    ports = self.listening.get(other["State"]["Pid"], set())
                    reached |= {(address["IPAddress"], port) for port in ports}
        return frozenset(reached & set(doors))

    def is_let_through(self, pid: int, door: tuple[str, int]) -> bool:
        """What the loaded rules say to a container that leaves by the gateway of its first network."""
        host = next(
            host for host in self.plan.hosts for one in self.inspected[host.name].values() if self.is_(one, pid)
        )
        container = next(one for one in self.plan.containers if self.is_(self.seen(one.name), pid))
        rules = self.filters.get(host.name)
        return rules is None or passes(rules, host.subnets[leaves_by(container.networks)], *door)

    @staticmethod
    def is_(one: dict[str, Any], pid: int) -> bool:
        return bool(one["State"]["Pid"] == pid)

    def faults(self) -> list[str]:
        asking = Asking(listening=lambda pid: frozenset(self.listening[pid]), scan=self.scan)
        return [one.detail for one in look(self.plan, self.inspected, asking) if not one.ok]


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_nothing_is_found_against_a_stage_whose_networks_are_as_planned(name: str) -> None:
    assert Running(shipped(name)).faults() == []


def an_additional_port(stage: Running) -> None:
    stage.listening[stage.pid("redis-1")].add(9_999)


def a_program_that_does_not_listen(stage: Running) -> None:
    stage.listening[stage.pid("pgbouncer-1")].clear()


def a_door_of_the_server(stage: Running) -> None:
    stage.published.add(("10.20.0.11", 22))


def a_door_of_a_gateway(stage: Running) -> None:
    stage.published.add((str(next(iter(stage.plan.hosts[0].subnets.values()))[1]), 2_375))


def a_port_that_is_not_published(stage: Running) -> None:
    stage.published.discard(("10.20.0.11", 2_379))


def a_server_without_its_filter(stage: Running) -> None:
    del stage.filters["server-2"]


def a_filter_that_lets_through_what_nobody_needs(stage: Running) -> None:
    changed_rules(stage, "172.30.0.0/24 . 10.20.0.11 . 8001,", "172.30.0.0/24 . 10.20.0.11 . 5431,")


def a_filter_that_refuses_what_is_needed(stage: Running) -> None:
    changed_rules(stage, "      172.30.1.0/24 . 10.20.0.12 . 6404,\n", "")


def changed_rules(stage: Running, old: str, new: str) -> None:
    rules = stage.filters["server-1"]
    files = tuple(replace(file, text=file.text.replace(old, new)) for file in rules.files)
    assert files != rules.files
    stage.filters["server-1"] = replace(rules, files=files)


def no_walls_between_networks(stage: Running) -> None:
    stage.walls = False


def a_container_in_another_network(stage: Running) -> None:
    host = stage.plan.hosts[0]
    monitoring = next(subnet for name, subnet in host.subnets.items() if name == "monitoring")
    joined = stage.seen("pg-1-1")["NetworkSettings"]["Networks"]
    joined["dreamseed-monitoring"] = {"IPAddress": str(monitoring[250])}


def a_missing_network(stage: Running) -> None:
    del stage.seen("alertmanager")["NetworkSettings"]["Networks"]["dreamseed-monitoring"]


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (an_additional_port, "redis-1 listens on 9999, which is not planned"),
        (an_additional_port, "reaches redis-1:9999, which is not declared"),
        (a_program_that_does_not_listen, "pgbouncer-1 does not listen on 6432"),
        (a_program_that_does_not_listen, "does not reach pgbouncer-1:6432"),
        (a_door_of_the_server, "reaches 10.20.0.11:22, which is not declared"),
        (a_door_of_a_gateway, "reaches 172.30.0.1:2375, which is not declared"),
        (a_port_that_is_not_published, "does not reach 10.20.0.11:2379"),
        (a_server_without_its_filter, "reaches 10.20.0.11:3000, which is not declared"),
        (a_filter_that_lets_through_what_nobody_needs, "reaches 10.20.0.11:5431, which is not declared"),
        (a_filter_that_lets_through_what_nobody_needs, "does not reach 10.20.0.11:8001"),
        (a_filter_that_refuses_what_is_needed, "does not reach 10.20.0.12:6404"),
        (no_walls_between_networks, "which is not declared"),
        (a_container_in_another_network, "reaches pg-1-1:5432, which is not declared"),
        (a_missing_network, "does not reach alertmanager:9093"),
    ],
)
def test_what_is_reached_and_not_declared_or_the_other_way_is_told(
    broken: Callable[[Running], None], words: str
) -> None:
    stage = Running(shipped("stage-e"))
    broken(stage)
    assert any(words in fault for fault in stage.faults())


def test_a_network_that_nobody_can_be_asked_from_is_a_fault() -> None:
    stage = Running(shipped("stage-a"))
    for one in stage.plan.containers:
        if "monitoring" in one.networks:
            stage.seen(one.name)["State"]["Pid"] = 0
    assert any("no container of it runs" in fault for fault in stage.faults())


@contextmanager
def listener(address: str) -> Iterator[int]:
    with socket.create_server((address, 0)) as server:
        yield server.getsockname()[1]


def test_the_scanner_finds_the_one_open_door_among_more_than_it_tries_at_once() -> None:
    with listener("127.0.0.1") as port:
        closed = [("127.0.0.2", number) for number in range(20_000, 20_000 + AT_ONCE)]
        assert open_doors([*closed, ("127.0.0.1", port)]) == {("127.0.0.1", port)}


def test_the_scanner_gives_up_on_a_door_that_says_nothing() -> None:
    # 192.0.2.0/24 is nobody's (RFC 5737): refused, unreachable or silent, it is not open.
    assert open_doors([("192.0.2.1", 9)], patience_seconds=0.2) == frozenset()


def test_a_listening_socket_is_seen_in_the_kernels_own_list_and_loopback_is_not() -> None:
    with listener("0.0.0.0") as everywhere, listener("127.0.0.1") as inside:
        seen = listening_ports(os.getpid())
        assert everywhere in seen
        assert inside not in seen

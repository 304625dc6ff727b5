from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest

from dreamseed.planning import ports
from dreamseed.planning.container import Container, NetworkName
from dreamseed.planning.reach import (
    Doors,
    is_filtered,
    leaves_by,
    listens_on,
    needed,
    plan_reach,
    published_ports,
    told,
)
from dreamseed.planning.services.packet_filter import RULES_FILE, passes
from dreamseed.planning.stage_plan import StagePlan
from tests.planning.stages import STAGE_NAMES, container, file, planned, shipped

each_stage = pytest.mark.parametrize("name", STAGE_NAMES)
ROW = re.compile(r"^ {6}(\S+) \. (\S+) \. (\d+),$", re.MULTILINE)


@each_stage
def test_what_reads_the_models_input_shares_no_network_with_what_leads_to_the_database(name: str) -> None:
    reach = next(one for one in plan_reach(shipped(name)) if one.networks == ("inference",))
    services = {container(shipped(name), neighbour).service for neighbour, _ in reach.neighbours}
    assert services == {"vllm", "vllm-router", "tunnel"}


@each_stage
def test_pooler_proxies_and_router_are_reached_by_their_neighbours_alone(name: str) -> None:
    plan = shipped(name)
    inner = {ports.PGBOUNCER, ports.POSTGRES_PRIMARY, ports.POSTGRES_REPLICAS, ports.ROUTER}
    assert {port for one in plan.containers for port in one.inner_ports} == inner
    assert not inner & {port for _, port in published_ports(plan)}


def test_a_job_and_who_shares_its_hosts_network_have_no_door_on_a_container_network() -> None:
    plan = shipped("stage-e")
    assert listens_on(container(plan, "redis-cluster")) == frozenset()
    assert listens_on(container(plan, "server-1-node-exporter")) == frozenset()
    assert ("10.20.0.11", ports.NODE_EXPORTER) in published_ports(plan)


def test_each_host_has_a_reach_for_each_set_of_networks_that_somebody_joined() -> None:
    found = {(one.host, " ".join(one.networks)) for one in plan_reach(shipped("stage-e"))}
    sets = ("inference", "data", "inference data", "monitoring")
    servers = {(host, name) for host in ("server-1", "server-2") for name in sets}
    assert found == {*servers, ("witness", "data"), ("witness", "monitoring")}


def services_behind(plan: StagePlan, network: NetworkName) -> set[str]:
    """The services whose published ports a container of `network` reaches on any server, each with its purpose."""
    address_of = {host.name: host.address for host in plan.hosts}
    doors = {
        (address_of[one.host], port.published): f"{re.sub(r'(-[0-9]+)+', '', one.service)}: {port.purpose}"
        for one in plan.containers
        for port in one.ports
    }
    filtered = {host.name for host in plan.hosts if is_filtered(host)}
    return {
        doors[door]
        for reach in plan_reach(plan)
        if reach.networks == (network,) and reach.host in filtered
        for door in reach.published
    }


METRICS = {
    *("vllm: vLLM, for the routers", "vllm-router: HAProxy metrics", "pg-proxy: HAProxy metrics"),
    *("tunnel: tunnel metrics", "node-exporter: host metrics", "dcgm-exporter: GPU metrics"),
    *("postgres-exporter: PostgreSQL metrics", "pgbackrest-exporter: backup metrics"),
    *("pgbouncer-exporter: pooler metrics", "redis-exporter: cache metrics", "kafka-exporter: event stream metrics"),
    *("cost-exporter: the month's cost", "autoscaler: the autoscaler's metrics"),
    *("prometheus: Prometheus", "alertmanager: Alertmanager"),
}
WATCHED = {"etcd: etcd clients", "postgres: PostgreSQL", "postgres: Patroni REST", "redis: Redis", "kafka: Kafka"}
"""What Prometheus and the exporters ask among the data's own doors."""
CLUSTERS = {*WATCHED, "etcd: etcd peers", "redis: Redis cluster bus", "kafka: Kafka quorum"}


def test_the_declared_matrix_of_stage_e_is_this_one() -> None:
    plan = shipped("stage-e")
    agent = "autoscaler: how many spot workers serve, for the routers"
    assert services_behind(plan, NetworkName.INFERENCE) == {"vllm: vLLM, for the routers", agent}
    through_the_tunnel = {"kafka: Kafka through the tunnel", "prometheus: Prometheus"}
    assert services_behind(plan, NetworkName.DATA) == CLUSTERS | through_the_tunnel
    assert services_behind(plan, NetworkName.MONITORING) == METRICS | WATCHED


@each_stage
def test_the_dashboards_are_reached_by_no_container_of_a_server(name: str) -> None:
    plan = shipped(name)
    filtered = {host.name for host in plan.hosts if is_filtered(host)}
    reached: set[tuple[str, int]] = set()
    for reach in plan_reach(plan):
        reached |= reach.published if reach.host in filtered else frozenset()
    left = published_ports(plan) - reached
    assert {port for _, port in left} == ({ports.GRAFANA} if plan.config.monitoring.dashboards else set())


@each_stage
def test_the_rules_of_a_server_are_exactly_what_its_networks_need(name: str) -> None:
    plan = shipped(name)
    for host in filter(is_filtered, plan.hosts):
        rules = file(container(plan, f"{host.name}-packet-filter"), RULES_FILE).text
        seen = {(subnet, address, int(port)) for subnet, address, port in ROW.findall(rules)}
        wanted = {
            (str(subnet), *door)
            for network, subnet in host.subnets.items()
            for door in needed(host, network, plan.hosts, tuple(plan.containers))
        }
        assert seen == wanted
        assert f"ip saddr != {{ {', '.join(map(str, host.subnets.values()))} }} accept" in rules


def test_the_witness_has_no_filter_and_its_containers_reach_every_published_port() -> None:
    plan = shipped("stage-e")
    assert {one.host for one in plan.packet_filter.containers} == {"server-1", "server-2"}
    assert {one.published for one in plan_reach(plan) if one.host == "witness"} == {published_ports(plan)}


def named_beside(text: str, published: Doors) -> Iterator[tuple[str, int]]:
    """Every published door whose address and port stand in one line of a text, however they are written."""
    for line in text.splitlines():
        numbers = {int(word) for word in re.findall(r"(?<![\d.])\d{4,5}(?![\d.])", line)}
        yield from ((address, port) for address, port in published if port in numbers and address in line)


def forgotten(plan: StagePlan, tell: Callable[[Container], Doors] = told) -> list[str]:
    """What containers name in a line and `tell` does not tell of any container that leaves by the same network."""
    published = published_ports(plan)
    containers = [one for one in plan.containers if one.networks]
    known: dict[tuple[str, NetworkName], set[tuple[str, int]]] = {}
    for one in containers:
        known.setdefault((one.host, leaves_by(one.networks)), set()).update(tell(one))
    return [
        f"{one.name} {door}"
        for one in containers
        for text in texts_of(one)
        for door in named_beside(text, published)
        if door not in known[one.host, leaves_by(one.networks)]
    ]


def texts_of(one: Container) -> Sequence[str]:
    return (*one.entrypoint, *one.command, *one.environment.values(), *(of.text for of in one.files))


@each_stage
def test_no_line_of_a_configuration_names_a_door_that_is_not_let_through(name: str) -> None:
    assert forgotten(shipped(name)) == []


def test_a_derivation_that_forgets_what_haproxy_asks_beside_a_server_is_noticed() -> None:
    plan = shipped("stage-e")

    def pairs_alone(one: Container) -> Doors:
        found = re.findall(r"(10\.20\.0\.\d+):(\d+)", "\n".join(texts_of(one)))
        return frozenset((address, int(port)) for address, port in found)

    lost = forgotten(plan, pairs_alone)
    assert f"vllm-router-1 {('10.20.0.11', ports.AUTOSCALER_AGENT)}" in lost


def test_while_a_quorum_moves_the_leaving_voters_doors_stay_open() -> None:
    plan = shipped("stage-e")
    leaving = ("10.20.0.11", ports.kafka_controller(2))
    assert leaving not in published_ports(plan)
    assert leaving in published_ports(shipped("stage-d"))
    for host in filter(is_filtered, plan.hosts):
        rules = container(plan, f"{host.name}-packet-filter")
        assert passes(rules, host.subnets[NetworkName.DATA], *leaving)
        assert not passes(rules, host.subnets[NetworkName.INFERENCE], *leaving)


def test_who_is_in_two_networks_reaches_the_neighbours_of_both_and_what_the_first_by_name_needs() -> None:
    reach = {(one.host, one.networks): one for one in plan_reach(shipped("stage-e"))}
    inference, data = NetworkName.INFERENCE, NetworkName.DATA
    both, first, second = (reach["server-1", of] for of in ((inference, data), (data,), (inference,)))
    assert both.neighbours == first.neighbours | second.neighbours
    assert both.published == first.published != second.published


def test_a_container_of_several_networks_leaves_by_the_first_ones_gateway() -> None:
    plan = shipped("stage-e")
    tunnel = container(plan, "tunnel-1")
    assert (tunnel.networks, leaves_by(tunnel.networks)) == (("inference", "data"), "data")
    cache = ("10.20.0.11", ports.redis(1))
    assert cache in told(tunnel)
    assert cache not in needed(plan.hosts[0], NetworkName.INFERENCE, plan.hosts, [tunnel])
    assert cache in needed(plan.hosts[0], NetworkName.DATA, plan.hosts, [tunnel])


def test_doors_of_others_than_the_servers_are_none_of_the_filters() -> None:
    plan = shipped("stage-a")
    mails = replace(container(plan, "alertmanager"), command=("--to=192.0.2.7:25", "--own=127.0.0.1:9093"))
    assert {("192.0.2.7", 25), ("127.0.0.1", 9_093)} <= told(mails)
    assert needed(plan.hosts[0], NetworkName.MONITORING, plan.hosts, [replace(mails, files=())]) == frozenset()


@pytest.mark.parametrize(
    ("text", "doors"),
    [
        ("10.20.0.11:6401", {("10.20.0.11", 6_401)}),
        ("redis://10.20.0.11:6401,10.20.0.12:6402/0", {("10.20.0.11", 6_401), ("10.20.0.12", 6_402)}),
        ("255.255.255.255:65535", {("255.255.255.255", 65_535)}),
        ("server a 10.20.0.11:5401 check port 8008", {("10.20.0.11", 5_401), ("10.20.0.11", 8_008)}),
        ("agent-addr 10.20.0.11 agent-port 9101", {("10.20.0.11", 9_101)}),
        ("10.20.0.11:80:443", {("10.20.0.11", 80)}),
        ("1.10.20.0.11:80 10.20.0:80 10.20.0.11 :80 redis:6379 at 12:30", set()),
        ("10.20.0.11\n:80", set()),
    ],
)
def test_doors_are_found_in_texts(text: str, doors: set[tuple[str, int]]) -> None:
    bare = replace(container(shipped("stage-a"), "alertmanager"), files=(), entrypoint=(), environment={}, hears=())
    assert told(replace(bare, command=(text,))) == doors


def test_a_password_that_is_exchanged_is_told_to_every_instance() -> None:
    generations = {"keys": {"postgres-application": {"generation": 2, "with_previous": True}}}
    plan = planned("stage-e", generations)
    exchange = container(plan, "pg-1-exchange")
    assert {port for _, port in told(exchange)} == {ports.postgres(1, number) for number in (1, 2, 3, 4)}

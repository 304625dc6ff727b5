"""Packet filters: they let pass what containers are told of, and what members of a cluster say to one another."""

from __future__ import annotations

from collections.abc import Iterator

from dreamseed.planning import ports
from dreamseed.planning.container import NetworkName
from dreamseed.planning.hosts import Host
from dreamseed.planning.invariants.rule import Invariant
from dreamseed.planning.reach import is_filtered, leaves_by, told
from dreamseed.planning.services.packet_filter import passes
from dreamseed.planning.stage_plan import StagePlan


def filters_pass_what_is_told(plan: StagePlan) -> Iterator[Invariant]:
    """Whatever door a container's own texts name, the filter of its server lets its network reach."""
    addresses = {host.address for host in plan.hosts}
    wanted = [
        (container.name, container.host, leaves_by(container.networks), door)
        for container in plan.containers
        if container.networks
        for door in sorted(told(container))
        if door[0] in addresses
    ]
    yield _passed(plan, "what containers are told of", wanted)


def filters_pass_what_members_say(plan: StagePlan) -> Iterator[Invariant]:
    """Members of a cluster hear of one another while they run: the filters let each reach all."""
    wanted = [
        (f"{cluster} on {host}", host, NetworkName.DATA, door)
        for cluster, members, doors in _clusters(plan)
        for host in dict.fromkeys(member.name for member in members)
        for door in doors
    ]
    yield _passed(plan, "what members of clusters say", wanted)


def _clusters(plan: StagePlan) -> Iterator[tuple[str, list[Host], list[tuple[str, int]]]]:
    """Yield each cluster with the hosts of its members and the doors at which they reach one another."""
    topology = plan.topology
    yield "etcd", [*topology.etcd], [(host.address, ports.ETCD_PEER) for host in topology.etcd]
    votes = [(host.address, ports.ETCD_CLIENT) for host in topology.etcd]
    for shard in topology.shards:
        doors = [(one.address, port) for one in shard for port in (one.port, one.check_port)]
        yield "PostgreSQL", [one.host for one in shard], [*votes, *doors]
    nodes = topology.redis
    yield "Redis", [one.host for one in nodes], [(one.address, p) for one in nodes for p in (one.port, one.bus_port)]
    doors = [(one.address, one.port) for one in topology.kafka if one.broker]
    doors += [(one.address, one.controller_port) for one in topology.kafka if one.controller]
    yield "Kafka", [one.host for one in topology.kafka], doors


def _passed(plan: StagePlan, name: str, wanted: list[tuple[str, str, NetworkName, tuple[str, int]]]) -> Invariant:
    filtered = {host.name: host for host in plan.hosts if is_filtered(host)}
    rules = {one.host: one for one in plan.packet_filter.containers}
    faults = [
        f"{who} needs {address}:{port}, which the packet filter of {host} refuses"
        for who, host, network, (address, port) in wanted
        if host in filtered and not passes(rules[host], filtered[host].subnets[network], address, port)
    ]
    return Invariant(
        name=name,
        where="containers",
        left=faults[0] if faults else f"{len(wanted)} connections are needed",
        right="a packet filter lets pass whatever a container of its server needs",
        holds=not faults,
        why="what is refused is missing from the service, and nobody else says why",
        remedy="the door in the container's texts or in its `hears`, where it is planned",
    )

"""Which TCP ports a container needs, and reaches, on the servers: derived from what containers are told.

A container reaches whatever its neighbours on a container network listen on, by their own addresses. Ports that are
published on a host's private address it reaches where somebody of its network needs them: members of clusters talk
over those (decision 0003), and the packet filter of each server refuses what nobody asked for (decision 0013). It
reaches no other container: Docker lets no packet pass from one of its networks to another. `dreamseed local scan`
tries every pair.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dreamseed.planning.container import Container, NetworkName
from dreamseed.planning.hosts import Host
from dreamseed.planning.stage_plan import StagePlan

Doors = frozenset[tuple[str, int]]
"""Names of containers, or addresses of hosts, each with a TCP port."""
_PORT = re.compile(r":(?P<port>\d+)(?: check port (?P<check>\d+))?|agent-addr (?P<agent>\S+) agent-port (?P<asked>\d+)")
"""The port of a door in a text, and what HAProxy asks beside it. Source: HAProxy 3 configuration manual."""
_ADDRESS = re.compile(r"(?<![\d.])\d+\.\d+\.\d+\.\d+\Z")
"""What stands before the port. To look for that first takes seven times as long: most digits are in no address."""
_LONGEST_ADDRESS = len("255.255.255.255")


@dataclass(frozen=True, kw_only=True)
class Reach:
    """What a container that has joined exactly `networks` on `host` reaches.

    `neighbours` are doors of containers by name, as the container listens; `published` are doors of hosts by address.
    """

    host: str
    networks: tuple[NetworkName, ...]
    neighbours: Doors
    published: Doors


def listens_on(container: Container) -> frozenset[int]:
    """Return the ports on which the container listens for others, in its own network; none where it has none."""
    if container.host_network or container.job:
        return frozenset()
    return frozenset((*(port.container for port in container.ports), *container.inner_ports))


def published_ports(plan: StagePlan) -> Doors:
    """Return every port that is published on a host's address, or listened on there in the host's own network."""
    address_of = {host.name: host.address for host in plan.hosts}
    return frozenset(
        (address_of[container.host], port.published) for container in plan.containers for port in container.ports
    )


def is_filtered(host: Host) -> bool:
    """Tell whether the host has a packet filter: the owners' servers have.

    The witness has none: the kernel of its system, Container-Optimized OS, has no nf_tables. Source:
    containers/netavark#1054 (2024) and linkerd/linkerd2#9053 (2022), read 2026-11-27.
    """
    return not host.in_cloud


def told(container: Container) -> Doors:
    """Return every address and port that the container's command, environment and files name, or that it hears of."""
    texts = (*container.entrypoint, *container.command, *container.environment.values(), *container.hears)
    found: set[tuple[str, int]] = set()
    for text in (*texts, *(file.text for file in container.files)):
        for door in _PORT.finditer(text):
            if door["agent"] is not None:
                found.add((door["agent"], int(door["asked"])))
            elif address := _ADDRESS.search(text, max(0, door.start() - _LONGEST_ADDRESS), door.start()):
                found |= {(address[0], int(port)) for port in door.group("port", "check") if port is not None}
    return frozenset(found)


def leaves_by(networks: Sequence[NetworkName]) -> NetworkName:
    """Return the one of a container's `networks` by whose gateway it reaches hosts: of several, the first by name.

    Source: Docker documentation, "Connecting to multiple networks", where no priority of gateways is given.
    """
    return min(networks)


def needed(host: Host, network: NetworkName, hosts: Sequence[Host], containers: Sequence[Container]) -> Doors:
    """Return the doors of `hosts` that `containers` need which leave `host` by `network`.

    Among them may be one that no container publishes any more: while a promotion is under way the old one still does.
    """
    addresses = {one.address for one in hosts}
    leaving = [
        one for one in containers if one.host == host.name and one.networks and leaves_by(one.networks) is network
    ]
    return frozenset(door for one in leaving for door in told(one) if door[0] in addresses)


def plan_reach(plan: StagePlan) -> tuple[Reach, ...]:
    """Return the reach of each set of networks that a container of a host has joined and stays in, host by host."""
    return tuple(_reaches(plan, published_ports(plan), tuple(plan.containers)))


def _reaches(plan: StagePlan, published: Doors, containers: Sequence[Container]) -> Iterator[Reach]:
    for host in plan.hosts:
        here = [one for one in containers if one.host == host.name]
        for networks in dict.fromkeys(one.networks for one in here if one.networks and not one.job):
            beside = [one for one in here if set(networks) & set(one.networks)]
            neighbours = frozenset((one.name, port) for one in beside for port in listens_on(one))
            doors = needed(host, leaves_by(networks), plan.hosts, containers) if is_filtered(host) else published
            yield Reach(host=host.name, networks=networks, neighbours=neighbours, published=doors & published)

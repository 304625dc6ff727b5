"""Which TCP ports a container reaches on the servers: derived from networks and published ports, and held by Docker.

A container reaches whatever its neighbours on a container network listen on, by their own addresses, and every port
that is published on a host's private address, whoever published it: members of clusters talk over those (decision
0003), and nothing on the servers tells one container's connections to them from another's. It reaches no other
container: Docker lets no packet pass from one of its networks to another. `dreamseed local scan` tries every pair.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dreamseed.planning.container import Container, NetworkName
from dreamseed.planning.stage_plan import StagePlan

Doors = frozenset[tuple[str, int]]
"""Names of containers, or addresses of hosts, each with a TCP port."""


@dataclass(frozen=True, kw_only=True)
class Reach:
    """What a container that has joined `network` on `host`, and no other, reaches.

    `neighbours` are doors of containers by name, as the container listens; `published` are doors of hosts by address.
    """

    host: str
    network: NetworkName
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


def plan_reach(plan: StagePlan) -> tuple[Reach, ...]:
    """Return the reach of each network of each host in which a container runs, in the order of hosts and networks."""
    return tuple(_reaches(plan, published_ports(plan)))


def _reaches(plan: StagePlan, published: Doors) -> Iterator[Reach]:
    for host in plan.hosts:
        for network in NetworkName:
            joined = [one for one in plan.containers if one.host == host.name and network in one.networks]
            if any(not one.job for one in joined):
                neighbours = frozenset((one.name, port) for one in joined for port in listens_on(one))
                yield Reach(host=host.name, network=network, neighbours=neighbours, published=published)

"""The machines that containers run on, and how instances are spread over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from itertools import pairwise

from dreamseed.config import StageConfig
from dreamseed.config.stage import WITNESS
from dreamseed.errors import PlanError
from dreamseed.planning.container import NetworkName

RESERVED_MEMORY_MIB = 4_096
RESERVED_DISK_GIB = 80
"""For the operating system, Docker and the images. A choice, not a fact: measure on the real servers."""


@dataclass(frozen=True, kw_only=True)
class Host:
    """A Docker Engine: one of the owners' servers, or the witness VM (`in_cloud`)."""

    name: str
    docker_host: str
    address: str
    cpu_cores: int
    memory_mib: int
    disk_gib: int
    gpu_count: int
    in_cloud: bool
    subnets: Mapping[NetworkName, IPv4Network]


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A member of a cluster: numbered from 1, and standing on a host for all stages."""

    name: str
    number: int
    host: Host

    @property
    def address(self) -> str:
        """Return where others reach it: its host's private address."""
        return self.host.address


def plan_hosts(config: StageConfig, where: str) -> tuple[Host, ...]:
    """Return the stage's servers in the file's order, then the witness if there is one.

    Each server's container networks are the next /24s of `network.container_range`, in the order of `NetworkName`; the
    witness takes the last ones, so a host that is added never moves the others. Raises `PlanError` when the
    ranges overlap or run out.
    """
    network = config.network
    _check_disjoint(
        where,
        {
            "network › cloud_range": network.cloud_range,
            "network › container_range": network.container_range,
            "network › servers_range": network.servers_range,
        },
    )
    subnets = _subnets(network.container_range, len(config.servers) + 1, where)
    hosts: list[Host] = []
    for name, server in config.servers.items():
        if server.private_address not in network.servers_range:
            raise PlanError(
                f"{where} › servers › {name} › private_address",
                f"{server.private_address} is not in network › servers_range {network.servers_range}",
                "routes and firewalls are made for that range",
                f"an address of {network.servers_range}, or another servers_range",
            )
        hosts.append(
            Host(
                name=name,
                docker_host=server.docker_host,
                address=str(server.private_address),
                cpu_cores=server.cpu_cores,
                memory_mib=server.memory_gib * 1_024 - RESERVED_MEMORY_MIB,
                disk_gib=server.disk_gib - RESERVED_DISK_GIB,
                gpu_count=server.gpus.count,
                in_cloud=False,
                subnets=subnets[len(hosts)],
            )
        )
    if network.witness is not None:
        witness = network.witness
        if witness.address not in network.cloud_range:
            raise PlanError(
                f"{where} › network › witness › address",
                f"{witness.address} is not in network › cloud_range {network.cloud_range}",
                "the witness is a VM of the cloud network",
                f"an address of {network.cloud_range}",
            )
        hosts.append(
            Host(
                name=WITNESS,
                docker_host=f"ssh://dreamseed@{witness.address}",
                address=str(witness.address),
                cpu_cores=witness.cpu_cores,
                memory_mib=witness.memory_gib * 1_024 - 768,
                disk_gib=witness.disk_gib - 6,
                gpu_count=0,
                in_cloud=True,
                subnets=subnets[-1],
            )
        )
    return tuple(hosts)


def servers(hosts: Sequence[Host]) -> tuple[Host, ...]:
    """Return the owners' servers, without the witness."""
    return tuple(host for host in hosts if not host.in_cloud)


def on_each_server(hosts: Sequence[Host], times: int) -> tuple[Host, ...]:
    """Return each of the owners' servers `times` times, server by server: a later server never renumbers an earlier."""
    return tuple(host for host in servers(hosts) for _ in range(times))


def spread(count: int, hosts: Sequence[Host], placement: Mapping[str, int] | None) -> tuple[Host, ...]:
    """Return the host of each instance 1…`count`, numbered server by server.

    Without a placement the first servers hold one more when it does not divide. Numbering runs server by server, so
    that adding instances on a later server never moves an earlier one.
    """
    owned = servers(hosts)
    if placement is None:
        base, extra = divmod(count, len(owned))
        placement = {host.name: base + (1 if index < extra else 0) for index, host in enumerate(owned)}
    return tuple(host for host in owned for _ in range(placement.get(host.name, 0)))


def _subnets(container_range: IPv4Network, hosts: int, where: str) -> list[Mapping[NetworkName, IPv4Network]]:
    """Return the networks of each of `hosts` hosts, the last host's at the end of the range."""
    per_host = len(NetworkName)
    available = 2 ** max(0, 24 - container_range.prefixlen) if container_range.prefixlen <= 24 else 0
    if available < hosts * per_host:
        raise PlanError(
            f"{where} › network › container_range",
            f"{container_range} is too small",
            f"each of {hosts} hosts needs {per_host} networks of 256 addresses",
            "a range such as 172.30.0.0/16",
        )
    networks = list(container_range.subnets(new_prefix=24))
    starts = [*range(0, (hosts - 1) * per_host, per_host), available - per_host]
    return [dict(zip(NetworkName, networks[start : start + per_host], strict=True)) for start in starts]


def _check_disjoint(where: str, ranges: Mapping[str, IPv4Network]) -> None:
    ordered = sorted(ranges.items(), key=lambda item: item[1])
    for (first, lower), (second, upper) in pairwise(ordered):
        if lower.overlaps(upper):
            raise PlanError(
                f"{where} › {second}",
                f"{upper} overlaps {first} {lower}",
                "a packet could not be routed to one of them",
                "ranges that do not overlap, such as 10.20.0.0/24, 10.40.0.0/16 and 172.30.0.0/16",
            )

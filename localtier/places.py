"""Where the plan's hosts stand in the networks of this machine."""

from __future__ import annotations

from ipaddress import IPv4Network

from dreamseed.planning.stage_plan import StagePlan
from rehearsal.hosts import HostSpec, Lan


def lans(plan: StagePlan) -> tuple[Lan, ...]:
    """Return the servers' network and the cloud's, each with its first address as the gateway.

    The gateways belong to the outside, which routes between them: it stands for the VPN and the internet.
    """
    network = plan.config.network
    return (_lan("servers", network.servers_range), _lan("cloud", network.cloud_range))


def specs(plan: StagePlan) -> tuple[HostSpec, ...]:
    """Return the plan's hosts, each in its network with its private address."""
    servers, cloud = lans(plan)
    return tuple(
        HostSpec(name=host.name, address=host.address, network=cloud if host.in_cloud else servers)
        for host in plan.hosts
    )


def _lan(name: str, network: IPv4Network) -> Lan:
    return Lan(name=name, cidr=str(network), gateway=str(network[1]))

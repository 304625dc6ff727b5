"""The cloud's end of the VPN to the owners' router: two tunnels, each with its BGP session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.base import Component
from components.compute_sdk import (
    ExternalVpnGateway,
    ExternalVpnGatewayInterfaceArgs,
    HaVpnGateway,
    Network,
    Router,
    RouterBgpArgs,
    RouterInterface,
    RouterPeer,
    RouterPeerAdvertisedIpRangeArgs,
    VPNTunnel,
)
from components.labels import labels
from components.secrets import declare_password
from dreamseed.config.cloud import Vpn
from dreamseed.config.service import Service
from dreamseed.planning.cloud_network import CloudNetworkPlan
from dreamseed.planning.keys import FIRST, Generations

UNUSED_ASN = 64_512
"""The number of a router that only translates addresses and speaks to nobody."""


def declare_router(parent: Component, service: Service, vpn: Vpn | None, network: Network) -> Router:
    """Declare the cloud router, with the VPN's number when there is one."""
    return Router(
        service.name,
        name=service.name,
        project=service.gcp_project,
        region=service.region,
        network=network.id,
        bgp=RouterBgpArgs(asn=vpn.cloud_asn if vpn is not None else UNUSED_ASN),
        opts=parent.child(),
    )


@dataclass(frozen=True, kw_only=True)
class Ends:
    """What all tunnels share: the settings and planned addresses, the router, the gateway, the owners' side."""

    vpn: Vpn
    plan: CloudNetworkPlan
    router: Router
    gateway: HaVpnGateway
    peer: ExternalVpnGateway


def declare_vpn(
    parent: Component,
    service: Service,
    vpn: Vpn,
    network: Network,
    router: Router,
    plan: CloudNetworkPlan,
    generations: Mapping[str, Generations],
) -> pulumi.Output[Sequence[str]]:
    """Declare gateway, tunnels and sessions; return the gateway's public addresses, one a tunnel.

    `generations` are those of the tunnels' secrets, ``vpn-0`` and ``vpn-1``, where they are not the first. One public
    address on the owners' side makes it 99.9 % at Google, not 99.99 %.
    """
    name, project = f"{service.name}-vpn", service.gcp_project
    gateway = HaVpnGateway(
        name,
        name=name,
        project=project,
        region=service.region,
        network=network.id,
        labels=labels(service.name),
        deletion_policy="PREVENT",
        opts=parent.stateful(),
    )
    peer = ExternalVpnGateway(
        name,
        name=name,
        project=project,
        redundancy_type="SINGLE_IP_INTERNALLY_REDUNDANT",
        interfaces=[ExternalVpnGatewayInterfaceArgs(id=0, ip_address=str(vpn.peer_address))],
        labels=labels(service.name),
        opts=parent.child(depends_on=[network]),  # it waits for the project's APIs
    )
    both = Ends(vpn=vpn, plan=plan, router=router, gateway=gateway, peer=peer)
    for index in range(len(plan.links)):
        secret = declare_password(parent, f"{name}-{index}", generations.get(f"vpn-{index}", FIRST)).current
        _declare_tunnel(parent, service, both, index, secret)
    return gateway.vpn_interfaces.apply(lambda interfaces: [str(each.ip_address) for each in interfaces or ()])


def _declare_tunnel(parent: Component, service: Service, ends: Ends, index: int, secret: pulumi.Output[str]) -> None:
    """Declare the tunnel of the gateway's interface `index`, and the session over it."""
    name, project, link = f"{service.name}-vpn-{index}", service.gcp_project, ends.plan.links[index]
    tunnel = VPNTunnel(
        name,
        name=name,
        project=project,
        region=service.region,
        vpn_gateway=ends.gateway.id,
        vpn_gateway_interface=index,
        peer_external_gateway=ends.peer.id,
        peer_external_gateway_interface=0,
        shared_secret=secret,
        ike_version=2,
        router=ends.router.id,
        labels=labels(service.name),
        opts=parent.child(),
    )
    interface = RouterInterface(
        name,
        name=name,
        project=project,
        region=service.region,
        router=ends.router.name,
        ip_range=str(link.cloud),
        vpn_tunnel=tunnel.name,
        opts=parent.child(),
    )
    RouterPeer(
        name,
        name=name,
        project=project,
        region=service.region,
        router=ends.router.name,
        interface=interface.name,
        ip_address=str(link.cloud.ip),
        peer_ip_address=str(link.peer),
        peer_asn=ends.vpn.peer_asn,
        advertise_mode="CUSTOM",
        advertised_groups=["ALL_SUBNETS"],
        advertised_ip_ranges=[
            RouterPeerAdvertisedIpRangeArgs(range=str(ends.plan.services), description="managed services")
        ],
        opts=parent.child(),
    )

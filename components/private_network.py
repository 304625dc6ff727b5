"""The network at Google Cloud, its links to the owners' servers, and the witness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
from pulumi_gcp import servicenetworking

from components.base import Component
from components.compute_sdk import (
    Address,
    Firewall,
    FirewallAllowArgs,
    GlobalAddress,
    Network,
    Router,
    RouterNat,
    RouterNatSubnetworkArgs,
    Subnetwork,
)
from components.labels import labels
from components.vpn import declare_router, declare_vpn
from components.witness import WITNESS_TAG, declare_witness
from dreamseed.config.cloud import Network as NetworkConfig
from dreamseed.config.service import Service
from dreamseed.planning.cloud_network import CloudNetworkPlan
from dreamseed.planning.keys import Generations

SSH_PORT = 22


@dataclass(frozen=True, kw_only=True)
class PrivateNetworkArgs:
    """What `PrivateNetwork` needs.

    `witness_ports` are the TCP ports that the servers reach on the witness, beside SSH; `witness_ssh_key`
    the public key (``ssh-ed25519 …``) of whoever runs the program, null without a witness; `enabled` what
    must exist first; `generations` those of the VPN's secrets by key, where they are not the first.
    """

    service: Service
    network: NetworkConfig
    plan: CloudNetworkPlan
    witness_ports: Sequence[int] = ()
    witness_ssh_key: pulumi.Input[str] | None = None
    enabled: Sequence[pulumi.Resource] = ()
    generations: Mapping[str, Generations] = field(default_factory=dict)


class PrivateNetwork(Component):
    """A network with one subnet, closed to the internet; as the stage asks, VPN, way out, peering and witness.

    Declares no rule that denies: a network of one's own lets nothing in but what a rule allows. What calls
    out from it leaves by one static address, which is what others can be told to expect. The VPN has two
    tunnels to the one public address of the owners' router, routes by BGP and tells the router of the
    subnet and of managed services; the router's own configuration and its second line are the owners'.
    Source: docs/surprises.md, sections 1 and 2, 2026-11-22.
    """

    token = "dreamseed:network:PrivateNetwork"  # noqa: S105 - a resource's type token, not a secret

    network_id: pulumi.Output[str]
    subnetwork_id: pulumi.Output[str]
    peering: Sequence[pulumi.Resource]
    """What Cloud SQL instances wait for; empty without the peering."""
    witness: Sequence[pulumi.Resource]
    """What the witness's Docker Engine waits for; empty without a witness."""
    vpn_addresses: pulumi.Output[Sequence[str]]
    """Public addresses of the cloud's ends of the tunnels, for the owners' router; empty without a VPN."""

    def __init__(self, name: str, args: PrivateNetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        service, plan = args.service, args.plan
        self.network = Network(
            service.name,
            name=service.name,
            project=service.gcp_project,
            auto_create_subnetworks=False,
            opts=self.child(depends_on=list(args.enabled)),
        )
        self.subnetwork = Subnetwork(
            service.name,
            name=service.name,
            project=service.gcp_project,
            region=service.region,
            network=self.network.id,
            ip_cidr_range=str(plan.subnet),
            private_ip_google_access=True,
            opts=self.child(),
        )
        self.peering = [self._peer(args)] if plan.peering else []
        addresses: pulumi.Output[Sequence[str]] = pulumi.Output.from_input([])
        if args.network.vpn is not None or plan.nat:
            router = declare_router(self, args.service, args.network.vpn, self.network)
            if args.network.vpn is not None:
                addresses = declare_vpn(
                    self, args.service, args.network.vpn, self.network, router, plan, args.generations
                )
            if plan.nat:
                self._way_out(service, router)
        self.witness = self._witness(args)
        self.publish(network_id=self.network.id, subnetwork_id=self.subnetwork.id, vpn_addresses=addresses)

    def _peer(self, args: PrivateNetworkArgs) -> servicenetworking.Connection:
        """Declare the range that managed services take their addresses from, and the link to them."""
        service, services = args.service, args.plan.services
        name = f"{service.name}-services"
        reserved = GlobalAddress(
            name,
            name=name,
            project=service.gcp_project,
            purpose="VPC_PEERING",
            address_type="INTERNAL",
            address=str(services.network_address),
            prefix_length=services.prefixlen,
            network=self.network.id,
            labels=labels(service.name),
            deletion_policy="PREVENT",
            opts=self.stateful(),
        )
        # Google refuses to cut the link for days after the last instance is gone: forget it rather than fail.
        return servicenetworking.Connection(
            name,
            network=self.network.id,
            service="servicenetworking.googleapis.com",
            reserved_peering_ranges=[reserved.name],
            deletion_policy="ABANDON",
            opts=self.child(),
        )

    def _way_out(self, service: Service, router: Router) -> None:
        """Declare address translation for instances without a public address, by one static address."""
        name = f"{service.name}-out"
        address = Address(
            name,
            name=name,
            project=service.gcp_project,
            region=service.region,
            address_type="EXTERNAL",
            labels=labels(service.name),
            deletion_policy="PREVENT",
            # The network waits for the project's APIs.
            opts=self.stateful(depends_on=[self.network]),
        )
        RouterNat(
            name,
            name=name,
            project=service.gcp_project,
            region=service.region,
            router=router.name,
            nat_ip_allocate_option="MANUAL_ONLY",
            nat_ips=[address.self_link],
            source_subnetwork_ip_ranges_to_nat="LIST_OF_SUBNETWORKS",
            subnetworks=[RouterNatSubnetworkArgs(name=self.subnetwork.id, source_ip_ranges_to_nats=["ALL_IP_RANGES"])],
            opts=self.child(),
        )

    def _witness(self, args: PrivateNetworkArgs) -> list[pulumi.Resource]:
        if args.network.witness is None:
            return []
        if args.witness_ssh_key is None:
            raise ValueError("network › witness: the witness needs the public SSH key of whoever runs the program")
        service = args.service
        Firewall(
            f"{service.name}-witness",
            name=f"{service.name}-witness",
            project=service.gcp_project,
            network=self.network.id,
            direction="INGRESS",
            source_ranges=[str(args.network.servers_range)],
            target_tags=[WITNESS_TAG],
            allows=[
                FirewallAllowArgs(protocol="tcp", ports=[str(port) for port in sorted({SSH_PORT, *args.witness_ports})])
            ],
            opts=self.child(),
        )
        witness = declare_witness(self, service, args.network.witness, self.subnetwork, args.witness_ssh_key)
        return [witness]

"""The cloud network: which part of `network.cloud_range` is for what, and which links and ways out the stage needs.

The parts are the same in all stages, so that a promotion adds links and moves nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from dreamseed.config import StageConfig
from dreamseed.errors import PlanError

PART_PREFIX_LENGTH = 20
"""Instances stand in the first part, Cloud SQL and other managed services in the second: 4,096 addresses each."""
RESERVED_AT_START, RESERVED_AT_END = 2, 2
"""Addresses that Google keeps of every subnet. Source: VPC documentation, subnets, recalled 2026-11-23, unverified."""
RESTORE_OFFSET = 20
"""The restore VM's place in the first part."""
LINK_NETWORKS = (IPv4Network("169.254.10.0/30"), IPv4Network("169.254.10.4/30"))
"""One link-local network a VPN tunnel; the cloud has the first address, the owners' router the second."""


@dataclass(frozen=True, kw_only=True)
class VpnLink:
    """The two ends of one tunnel's BGP session."""

    cloud: IPv4Interface
    peer: IPv4Address


@dataclass(frozen=True, kw_only=True)
class CloudNetworkPlan:
    """`subnet` holds instances, `services` managed services, to which `peering` asks for the link.

    `nat` lets instances without a public address call out; `links` are those of the VPN, none without one.
    """

    subnet: IPv4Network
    services: IPv4Network
    restore_address: IPv4Address
    peering: bool
    nat: bool
    links: tuple[VpnLink, ...]


def plan_cloud_network(config: StageConfig, where: str) -> CloudNetworkPlan:
    """Return the stage's cloud network; raises `PlanError` when a range or the witness's address does not fit."""
    network, recovery = config.network, config.disaster_recovery
    if network.cloud_range.prefixlen >= PART_PREFIX_LENGTH:
        raise PlanError(
            f"{where} › network › cloud_range",
            f"{network.cloud_range} is too small",
            f"instances and managed services take a /{PART_PREFIX_LENGTH} each",
            "a range such as 10.40.0.0/16",
        )
    subnet, services = _parts(network.cloud_range)
    if network.witness is not None:
        _check_witness(network.witness.address, subnet, where)
    return CloudNetworkPlan(
        subnet=subnet,
        services=services,
        restore_address=restore_address(config),
        peering=recovery.kind != "none",
        nat=network.witness is not None or recovery.active,
        links=tuple(_link(link) for link in LINK_NETWORKS) if network.vpn is not None else (),
    )


def restore_address(config: StageConfig) -> IPv4Address:
    """Return where the restored database answers while a disaster lasts."""
    return _parts(config.network.cloud_range)[0][RESTORE_OFFSET]


def _parts(cloud_range: IPv4Network) -> tuple[IPv4Network, IPv4Network]:
    parts = cloud_range.subnets(new_prefix=PART_PREFIX_LENGTH)
    return next(parts), next(parts)


def _link(network: IPv4Network) -> VpnLink:
    return VpnLink(cloud=IPv4Interface(f"{network[1]}/{network.prefixlen}"), peer=network[2])


def _check_witness(address: IPv4Address, subnet: IPv4Network, where: str) -> None:
    first, last = subnet[RESERVED_AT_START], subnet[-1 - RESERVED_AT_END]
    if not first <= address <= last or address == subnet[RESTORE_OFFSET]:
        raise PlanError(
            f"{where} › network › witness › address",
            f"{address} is not free in {subnet}",
            f"instances stand in the first /{PART_PREFIX_LENGTH} of cloud_range; Google keeps its ends, and "
            f"{subnet[RESTORE_OFFSET]} is the restore VM's",
            f"an address such as {subnet[10]}",
        )

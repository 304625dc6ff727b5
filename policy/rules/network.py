"""Who reaches what: private addresses only, nothing opened to the internet, no way around the edge."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from dreamseed.config.types import PRIVATE_NETWORKS
from policy.model import UNKNOWN, Resource, Rule, Stage, of_type
from policy.rules.containers import CONTAINER
from policy.rules.state import SQL

FIREWALL = "gcp:compute/firewall:Firewall"
MACHINES = ("gcp:compute/instance:Instance", "gcp:compute/instanceTemplate:InstanceTemplate")
VPN_TUNNEL = "gcp:compute/vPNTunnel:VPNTunnel"
NETWORK = "gcp:compute/network:Network"


def _is_private(written: object) -> bool:
    try:
        found = ipaddress.ip_network(str(written), strict=False)
    except ValueError:
        return False
    return isinstance(found, ipaddress.IPv4Network) and any(map(found.subnet_of, PRIVATE_NETWORKS))


def _published(resource: Resource, _: Stage) -> Iterator[str]:
    for port in resource.at("ports", []):
        if port.get("ip") is not UNKNOWN and not _is_private(port.get("ip")):
            yield f"port {port.get('external')} is published on {port.get('ip') or 'every address'}"


def _opened(resource: Resource, _: Stage) -> Iterator[str]:
    ranges = resource.at("sourceRanges", [])
    if resource.at("direction", "INGRESS") == "INGRESS" and not ranges:
        yield "it names no range of sources, so it opens to the whole internet"
    yield from (f"it opens to {each}" for each in ranges if each is not UNKNOWN and not _is_private(each))
    for allowed in resource.at("allows", []):
        if allowed.get("protocol") in ("all", None) or not allowed.get("ports"):
            yield f"it opens every port of {allowed.get('protocol')}"


def _database(resource: Resource, _: Stage) -> Iterator[str]:
    addresses = resource.at("settings.ipConfiguration", {})
    if addresses.get("ipv4Enabled") is not False:
        yield "it has a public address"
    if not addresses.get("privateNetwork"):
        yield "it is in no private network"
    if addresses.get("authorizedNetworks"):
        yield "it lets networks of the internet in"


def _machine(resource: Resource, _: Stage) -> Iterator[str]:
    for interface in resource.at("networkInterfaces", []):
        if interface.get("accessConfigs") is not None:
            yield "it has a public address"
    if resource.at("shieldedInstanceConfig.enableSecureBoot") is not True:
        yield "it boots what nobody signed"
    if str(resource.at("metadata.block-project-ssh-keys", "")).upper() != "TRUE":
        yield "keys of the whole project open it"


RULES = (
    Rule(
        name="published-on-private-addresses",
        description="A container's ports are published on private addresses only.",
        remedy="publish on the server's private address",
        guards=lambda resource: resource.type == CONTAINER and bool(resource.at("ports")),
        faults=_published,
    ),
    Rule(
        name="firewall-opens-to-ours-only",
        description="A firewall rule lets in named ports from private ranges only.",
        remedy="name the servers' range and the ports of the one service",
        guards=of_type(FIREWALL),
        faults=_opened,
    ),
    Rule(
        name="database-without-public-address",
        description="Cloud SQL has a private address only.",
        remedy="set ipv4Enabled to false and name the private network",
        guards=of_type(SQL),
        faults=_database,
    ),
    Rule(
        name="machines-are-closed",
        description="A machine has no public address, boots what is signed, and takes no keys of the project.",
        remedy="leave accessConfigs out, set enableSecureBoot and block-project-ssh-keys",
        guards=of_type(*MACHINES),
        faults=_machine,
    ),
    Rule(
        name="network-of-our-own",
        description="No subnetwork is made by itself in every region.",
        remedy="set autoCreateSubnetworks to false",
        guards=of_type(NETWORK),
        faults=lambda r, _: [] if r.at("autoCreateSubnetworks") is False else ["it makes a subnetwork in each region"],
    ),
    Rule(
        name="vpn-by-ikev2",
        description="A VPN's keys are agreed by IKEv2.",
        remedy="set ikeVersion to 2",
        guards=of_type(VPN_TUNNEL),
        faults=lambda r, _: [] if r.at("ikeVersion") == 2 else [f"it uses IKE version {r.at('ikeVersion')}"],
    ),
)

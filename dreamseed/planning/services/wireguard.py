"""What passes between the owners' servers is encrypted: WireGuard below their private addresses, nothing above changes.

One container a server where there are two or more, in the server's own network; its program is images/wireguard. It
sends what goes to another server's private address through an interface of WireGuard, which seals it for that server
alone, and lets nothing come from such an address in any other way. The witness is no peer: the VPN encrypts what goes
to the cloud. Sources: wg(8), https://www.wireguard.com/protocol/ and /netns/ (the mark), read 2026-11-27.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dreamseed.config import StageConfig
from dreamseed.config.keys import KeyName
from dreamseed.planning import ports
from dreamseed.planning.container import Container, File, Health, ServicePlan
from dreamseed.planning.hosts import Host, servers
from dreamseed.planning.render import render
from dreamseed.planning.secrets import ProvidedSecret

COMPONENT = "wireguard"
SERVICE = "wireguard"
INTERFACE = "dsw0"
TABLE = "dreamseed_link"
MARK = "0xd5"
"""Borne by what WireGuard has encrypted. The program's own: images/wireguard; `tests/images` hold both to it."""
FOLDER = "/etc/dreamseed"
CONFIGURATION_FILE = f"{FOLDER}/wireguard.conf"
RULES_FILE = f"{FOLDER}/wireguard.nft"
PROGRAM = "/usr/local/bin/wireguard-link"
KEY = KeyName.WIREGUARD
"""What every server's private key is derived from: `dreamseed.wireguard_keys`."""


@dataclass(frozen=True, kw_only=True)
class Peer:
    """Another server, as a server's configuration names it; `key` is the name of its public key."""

    name: str
    address: str
    key: str


def plan_wireguard(config: StageConfig, hosts: Sequence[Host]) -> ServicePlan:
    """Return the links' containers in order of replacement: one a server of the owners, none where there is one."""
    owned = servers(hosts)
    links: list[Container] = []
    for host in owned if len(owned) > 1 else ():
        after = (links[-1].name,) if links else ()
        links.append(_link(config, host, [other for other in owned if other is not host], after))
    return ServicePlan(component=COMPONENT, containers=tuple(links))


def public_key_of(server: str) -> str:
    """Return the name by which files ask for the public key of `server`. It is no secret."""
    return f"wireguard-public-{server}"


def _link(config: StageConfig, host: Host, others: Sequence[Host], after: tuple[str, ...]) -> Container:
    peers = [Peer(name=other.name, address=other.address, key=public_key_of(other.name)) for other in others]
    known = {"host": host.name, "port": ports.WIREGUARD, "mark": MARK}
    told = (FOLDER, host.address, *(peer.address for peer in peers))
    configuration = render("wireguard.conf.j2", private=ProvidedSecret.WIREGUARD_PRIVATE, peers=peers, **known)
    rules = render(
        "wireguard.nft.j2",
        table=TABLE,
        interface=INTERFACE,
        address=host.address,
        peers=[peer.address for peer in peers],
        **known,
    )
    return Container(
        name=f"{host.name}-wireguard",
        component=COMPONENT,
        service=SERVICE,
        host=host.name,
        image=config.network.wireguard_image,
        networks=(),
        host_network=True,
        # wireguard-go held 124 MB when a lost server was back and caught up; the kernel's own needs nothing of it.
        memory_mib=512,
        cpu_cores=0.05,
        entrypoint=(PROGRAM,),
        command=("keep", *told),
        files=(
            File(path=CONFIGURATION_FILE, text=configuration, mode="0400"),
            File(path=RULES_FILE, text=rules),
        ),
        health=Health(test=("CMD", PROGRAM, "check", *told), start_period_seconds=20),
        stop_grace_seconds=5,
        after=after,
    )

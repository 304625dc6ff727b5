"""What a world consists of: networks and hosts, as values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from rehearsal.hosts.errors import HostsError

NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
MAXIMUM_INTERFACE_NAME = 15
"""Linux's IFNAMSIZ is 16 with the closing zero byte."""


@dataclass(frozen=True, kw_only=True)
class Lan:
    """A network of hosts, e.g. `10.20.0.0/24`; `gateway` is the outside's address in it."""

    name: str
    cidr: str
    gateway: str


@dataclass(frozen=True, kw_only=True)
class HostSpec:
    """A machine with a Docker Engine and one address; `network` is the LAN that it is in."""

    name: str
    address: str
    network: Lan


def check(prefix: str, hosts: Sequence[HostSpec], lans: Sequence[Lan]) -> None:
    """Raise `HostsError` for names, networks or addresses that cannot stand side by side on this machine."""
    for kind, name in [
        ("prefix", prefix),
        *(("network", lan.name) for lan in lans),
        *(("host", h.name) for h in hosts),
    ]:
        if not NAME.fullmatch(name):
            raise HostsError(f"{kind} {name!r} is no name", "write lower-case letters, digits and dashes, at most 32")
    for lan in lans:
        if len(lan.name) > MAXIMUM_INTERFACE_NAME:
            raise HostsError(f"network name {lan.name!r} is too long for an interface", "at most 15 characters")
        if IPv4Address(lan.gateway) not in IPv4Network(lan.cidr):
            raise HostsError(f"gateway {lan.gateway} is not in {lan.cidr}", f"write an address of {lan.cidr}")
    taken: dict[str, str] = {lan.gateway: f"the gateway of {lan.name}" for lan in lans}
    names: set[str] = {"outside", *(lan.name for lan in lans)}
    for host in hosts:
        if host.network not in lans:
            raise HostsError(f"host {host.name} is in an unknown network {host.network.name}", "give that network too")
        if IPv4Address(host.address) not in IPv4Network(host.network.cidr):
            raise HostsError(f"{host.name}'s {host.address} is not in {host.network.cidr}", "write an address of it")
        if host.address in taken:
            raise HostsError(f"{host.name}'s {host.address} is {taken[host.address]}", "give it another address")
        if host.name in names:
            raise HostsError(f"the name {host.name} is taken twice", "give the host another name")
        names.add(host.name)
        taken[host.address] = f"the address of {host.name}"

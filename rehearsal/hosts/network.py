"""The network of a world: a namespace that is everything outside, and one a host, joined by cables.

The outside holds a bridge for each LAN with the LAN's gateway address, and routes between them. Nothing of it is in
the machine's own namespace, so its addresses may be those of production. There is no way to the internet.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

from rehearsal.hosts.commands import run, succeeds
from rehearsal.hosts.spec import MAXIMUM_INTERFACE_NAME, HostSpec, Lan

NAMESPACES = Path("/run/netns")
OUTSIDE = "outside"
HOST_INTERFACE = "eth0"
OUTSIDE_SETTINGS = ("net.ipv4.ip_forward", "net.bridge.bridge-nf-call-iptables")
"""Set to 1 outside: packets go from LAN to LAN, and the packet filter sees also those between two ports of a bridge."""


@dataclass(frozen=True, kw_only=True)
class Network:
    """The namespaces whose names begin with `prefix`."""

    prefix: str

    def namespace(self, name: str) -> str:
        """Return the namespace's name of a host, or of the outside."""
        return f"{self.prefix}-{name}"

    def path(self, name: str) -> Path:
        """Return the file that stands for the namespace of a host, or of the outside."""
        return NAMESPACES / self.namespace(name)

    def enter(self, name: str) -> list[str]:
        """Return what to write before a command to run it there.

        Not `ip netns exec`: that hides the control groups from the command, and an engine needs them.
        """
        return ["nsenter", f"--net={self.path(name)}"]

    def exists(self, name: str) -> bool:
        """Tell whether the namespace is there."""
        return self.path(name).exists()

    def ensure_outside(self, lans: Sequence[Lan], addresses: Sequence[str] = ()) -> None:
        """Make what is missing of the outside: the gateways of `lans`, and further `addresses` of its own."""
        if not self.exists(OUTSIDE):
            run(["ip", "netns", "add", self.namespace(OUTSIDE)])
        self._ip(OUTSIDE, "link", "set", "lo", "up")
        for setting in OUTSIDE_SETTINGS:
            run([*self.enter(OUTSIDE), "sysctl", "-q", "-w", f"{setting}=1"])
        there = self.addresses(OUTSIDE)
        for lan in lans:
            if lan.name not in there:
                self._ip(
                    OUTSIDE, "link", "add", "name", lan.name, "address", hardware_address(lan.name), "type", "bridge"
                )
            if lan.gateway not in there.get(lan.name, frozenset()):
                self._ip(OUTSIDE, "address", "add", with_length(lan.gateway, lan), "dev", lan.name)
            self._ip(OUTSIDE, "link", "set", lan.name, "up")
        for address in addresses:
            if address not in there.get("lo", frozenset()):
                self._ip(OUTSIDE, "address", "add", f"{address}/32", "dev", "lo")

    def ensure_host(self, host: HostSpec) -> None:
        """Make a host's namespace and cable, or make them again when they are there only in part."""
        if self.exists(host.name):
            if host.address in self.addresses(host.name).get(HOST_INTERFACE, frozenset()) and self._ip(
                host.name, "route", "show", "default"
            ):
                return
            self.remove_host(host.name)
        cable = interface_name(host.name)
        run(["ip", "netns", "add", self.namespace(host.name)])
        self._ip(host.name, "link", "set", "lo", "up")
        mac = ("address", hardware_address(host.name))
        peer = ("peer", "name", HOST_INTERFACE, *mac, "netns", self.namespace(host.name))
        run(["ip", "link", "add", cable, "netns", self.namespace(OUTSIDE), "type", "veth", *peer])
        self._ip(OUTSIDE, "link", "set", cable, "master", host.network.name, "up")
        self._ip(host.name, "address", "add", with_length(host.address, host.network), "dev", HOST_INTERFACE)
        self._ip(host.name, "link", "set", HOST_INTERFACE, "up")
        self._ip(host.name, "route", "add", "default", "via", host.network.gateway)

    def remove_host(self, name: str) -> None:
        """Remove a host's cable and namespace, as far as they are there."""
        if self.exists(OUTSIDE) and interface_name(name) in self.addresses(OUTSIDE):
            self._ip(OUTSIDE, "link", "delete", interface_name(name))
        self._remove(name)

    def remove_outside(self) -> None:
        """Remove the outside with its bridges."""
        self._remove(OUTSIDE)

    def plug(self, name: str, *, connected: bool) -> None:
        """Plug a host's cable in, or pull it out. Nothing happens when there is no cable."""
        if self.exists(OUTSIDE) and interface_name(name) in self.addresses(OUTSIDE):
            self._ip(OUTSIDE, "link", "set", interface_name(name), "up" if connected else "down")

    def cut(self, one: str, other: str) -> None:
        """Drop every packet between two addresses, without a word to either."""
        for rule in self._rules(one, other):
            if not succeeds([*self._filter(), "-C", *rule]):
                run([*self._filter(), "-I", *rule])

    def heal(self, one: str, other: str) -> None:
        """Undo `cut`."""
        for rule in self._rules(one, other):
            while succeeds([*self._filter(), "-D", *rule]):
                pass

    def addresses(self, name: str) -> dict[str, frozenset[str]]:
        """Return the interfaces of a namespace with the IPv4 addresses of each."""
        found = json.loads(self._ip(name, "-j", "address", "show") or "[]")
        return {
            link["ifname"]: frozenset(a["local"] for a in link["addr_info"] if a["family"] == "inet") for link in found
        }

    def _ip(self, name: str, *arguments: str) -> str:
        return run(["ip", "-n", self.namespace(name), *arguments]).strip()

    def _filter(self) -> list[str]:
        return [*self.enter(OUTSIDE), "iptables", "-w"]

    def _rules(self, one: str, other: str) -> tuple[list[str], list[str]]:
        pairs = (one, other), (other, one)
        first, second = (["FORWARD", "-s", source, "-d", target, "-j", "DROP"] for source, target in pairs)
        return first, second

    def _remove(self, name: str) -> None:
        if self.exists(name):
            run(["ip", "netns", "delete", self.namespace(name)])


def interface_name(host: str) -> str:
    """Return the name of a host's cable where it ends outside: the host's, shortened to what an interface can have."""
    if len(host) <= MAXIMUM_INTERFACE_NAME:
        return host
    return f"{host[:8]}-{hashlib.sha256(host.encode()).hexdigest()[:6]}"


def hardware_address(name: str) -> str:
    """Return the hardware address of a host or a LAN's gateway.

    Always the same, as a network card's: others remember it for minutes, also while the host is off.
    """
    octets = hashlib.sha256(name.encode()).digest()[:5]
    return ":".join(["02", *(f"{octet:02x}" for octet in octets)])


def with_length(address: str, lan: Lan) -> str:
    """Return the address with its LAN's prefix length, e.g. `10.20.0.11/24`."""
    return f"{address}/{IPv4Network(lan.cidr).prefixlen}"

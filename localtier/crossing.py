"""What crosses the cable between two servers: WireGuard's packets, or something that can be read on the way.

Sources: packet(7); RFC 791 and 768 (headers); https://www.wireguard.com/protocol/ (a message begins with its type, 1 to
4, and three zeros), read 2026-11-27.
"""

from __future__ import annotations

import fcntl
import socket
import struct
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from localtier.network import ask_in

EVERY_PROTOCOL = 0x0003
"""ETH_P_ALL: outgoing packets, too. Source: linux/if_ether.h."""
IPV4 = 0x0800
ADDRESS_OF = 0x8915
"""SIOCGIFADDR. Source: netdevice(7)."""
UDP = 17
MESSAGE_TYPES = frozenset({1, 2, 3, 4})
LONGEST = 65_536
SHOWN = 5
LOOK_SECONDS = 0.1
"""Where nothing comes, it is asked so often whether it is over."""


@dataclass(frozen=True, kw_only=True)
class Crossing:
    """How many packets were sealed, how many were not, and in words some of those."""

    sealed: int = 0
    plain: int = 0
    shown: tuple[str, ...] = ()


def watch(
    namespace: Path, own: str, others: Sequence[str], over: Callable[[], bool], *, port: int, beside: str
) -> Crossing:
    """Return what crosses the cable at `own` from or to addresses of `others` until it is `over`.

    The cable is in the network `namespace`. The UDP of WireGuard has `port`; its interface is `beside`, where the same
    packets are seen opened. Raises `LookupError` when no other interface has the address `own`.
    """
    return ask_in(namespace, lambda: _watch(own, frozenset(others), over, port, beside))


def for_seconds(seconds: float) -> Callable[[], bool]:
    """Return what tells whether so many seconds are over from now on."""
    until = time.monotonic() + seconds
    return lambda: time.monotonic() >= until


def _watch(own: str, others: frozenset[str], over: Callable[[], bool], port: int, beside: str) -> Crossing:
    seen: list[str | None] = []
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(EVERY_PROTOCOL)) as tap:
        tap.bind((cable(own, beside), EVERY_PROTOCOL))
        tap.settimeout(LOOK_SECONDS)
        while not over():
            try:
                packet, (_, protocol, *_) = tap.recvfrom(LONGEST)
            except TimeoutError:
                continue
            if protocol == IPV4 and others & set(ends(packet)):
                seen.append(read(packet, port))
    plain = [words for words in seen if words is not None]
    return Crossing(sealed=len(seen) - len(plain), plain=len(plain), shown=tuple(dict.fromkeys(plain))[:SHOWN])


def cable(own: str, beside: str) -> str:
    """Return the interface of this network namespace that has the address `own`, and is not `beside`."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        for _, name in socket.if_nameindex():
            try:
                found = fcntl.ioctl(asked, ADDRESS_OF, struct.pack("256s", name.encode()))
            except OSError:  # it has no address
                continue
            if name != beside and str(IPv4Address(found[20:24])) == own:
                return name
    raise LookupError(f"no interface has the address {own}")


def ends(packet: bytes) -> tuple[str, str]:
    """Return from where an IPv4 packet comes, and where it goes."""
    return str(IPv4Address(packet[12:16])), str(IPv4Address(packet[16:20]))


def read(packet: bytes, port: int) -> str | None:
    """Return in words what an IPv4 packet is that WireGuard at `port` has not sealed, None for one that it has."""
    source, target = ends(packet)
    rest = packet[(packet[0] & 0x0F) * 4 :]
    if packet[9] == UDP and len(rest) > 12 and struct.unpack("!HH", rest[:4]) == (port, port):
        kind, zeros = rest[8], rest[9:12]
        if kind in MESSAGE_TYPES and not any(zeros):
            return None
    name = {1: "ICMP", 6: "TCP", UDP: "UDP"}.get(packet[9], f"protocol {packet[9]}")
    ports = " to port {}".format(*struct.unpack("!H", rest[2:4])) if packet[9] in (6, UDP) and len(rest) >= 4 else ""
    return f"{name} from {source} to {target}{ports}"

from __future__ import annotations

import socket
import struct

import pytest

from localtier.crossing import ends, read

PORT = 51_820
ONE, OTHER = "10.20.0.11", "10.20.0.12"


def packet(protocol: int, rest: bytes, options: bytes = b"") -> bytes:
    """An IPv4 packet between the two servers."""
    head = struct.pack(
        "!BBHHHBBH", 0x40 | (5 + len(options) // 4), 0, 20 + len(options) + len(rest), 1, 0, 64, protocol, 0
    )
    return head + socket.inet_aton(ONE) + socket.inet_aton(OTHER) + options + rest


def udp(source: int, target: int, body: bytes) -> bytes:
    return struct.pack("!HHHH", source, target, 8 + len(body), 0) + body


@pytest.mark.parametrize("kind", [1, 2, 3, 4])
@pytest.mark.parametrize("options", [b"", bytes(8)])
def test_a_message_of_wireguard_is_sealed(kind: int, options: bytes) -> None:
    sealed = packet(17, udp(PORT, PORT, bytes([kind, 0, 0, 0]) + bytes(28)), options)
    assert ends(sealed) == (ONE, OTHER)
    assert read(sealed, PORT) is None


@pytest.mark.parametrize(
    ("protocol", "rest", "words"),
    [
        (6, struct.pack("!HH", 40_000, 2380) + bytes(16), f"TCP from {ONE} to {OTHER} to port 2380"),
        (1, bytes(8), f"ICMP from {ONE} to {OTHER}"),
        (47, bytes(8), f"protocol 47 from {ONE} to {OTHER}"),
        (17, udp(PORT, 53, bytes([4, 0, 0, 0]) + bytes(28)), f"UDP from {ONE} to {OTHER} to port 53"),
        (17, udp(53, PORT, bytes([4, 0, 0, 0]) + bytes(28)), f"UDP from {ONE} to {OTHER} to port {PORT}"),
        (17, udp(PORT, PORT, b"plain to see at the right port"), f"UDP from {ONE} to {OTHER} to port {PORT}"),
        (17, udp(PORT, PORT, b"\x05\0\0\0" + bytes(28)), f"UDP from {ONE} to {OTHER} to port {PORT}"),
        (17, udp(PORT, PORT, b""), f"UDP from {ONE} to {OTHER} to port {PORT}"),
        (17, b"", f"UDP from {ONE} to {OTHER}"),
    ],
)
def test_anything_else_is_plain_and_told(protocol: int, rest: bytes, words: str) -> None:
    assert read(packet(protocol, rest), PORT) == words

"""The frames between connector and edge: many streams over one connection, each with its own window."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import struct
from dataclasses import dataclass
from enum import IntEnum

EDGE_HOST = "region1.v2.argotunnel.com"
EDGE_PORT = 7844
"""Where cloudflared calls to. Source: Cloudflare documentation, tunnel with firewall, read 2026-11-22."""
CONNECTIONS = 4
"""What a connector keeps open. Source: Cloudflare documentation, tunnel availability, read 2026-11-22."""
PING_SECONDS = 1.0
DEAD_AFTER_SECONDS = 3.0
WINDOW_BYTES = 256 * 1024
"""What may be under way in one direction of a stream before its reader has taken it."""
CHUNK_BYTES = 32 * 1024
MAX_PAYLOAD_BYTES = 1024 * 1024
HEADER = struct.Struct("!BII")


class Kind(IntEnum):
    """What a frame says. CHALLENGE to CONFIG concern the connection, the others one stream."""

    CHALLENGE = 1
    HELLO = 2
    WELCOME = 3
    DENIED = 4
    CONFIG = 5
    PING = 6
    DRAIN = 7
    OPEN = 8
    OPENED = 9
    REFUSED = 10
    """The target did not take the stream."""
    BUSY = 11
    """The connector takes no more streams; another one may."""
    DATA = 12
    CREDIT = 13
    FINISH = 14
    RESET = 15


KINDS = frozenset(Kind)


@dataclass(frozen=True)
class Frame:
    """One frame; `stream` is 0 where it concerns the connection."""

    kind: Kind
    stream: int
    payload: bytes


class ProtocolError(ConnectionError):
    """The other side does not speak this protocol."""


def encode(kind: Kind, stream: int = 0, payload: bytes = b"") -> bytes:
    """Return the bytes of a frame."""
    return HEADER.pack(kind, stream, len(payload)) + payload


async def read_frame(reader: asyncio.StreamReader) -> Frame:
    """Return the next frame. Raises ProtocolError for what is none, IncompleteReadError at the end."""
    kind, stream, length = HEADER.unpack(await reader.readexactly(HEADER.size))
    if length > MAX_PAYLOAD_BYTES or kind not in KINDS:
        raise ProtocolError(f"no frame: kind {kind}, {length} bytes")
    return Frame(Kind(kind), stream, await reader.readexactly(length))


def proof(token: str, nonce: bytes) -> str:
    """Return what shows that the sender holds `token`, which itself never travels."""
    return hmac.new(token.encode(), nonce, hashlib.sha256).hexdigest()

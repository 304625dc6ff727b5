"""How a connector proves that it holds the tunnel's token, and receives where each name leads and how long to try."""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

from localtier.tunnel.protocol import Kind, encode, proof, read_frame

HANDSHAKE_SECONDS = 5.0
NONCE_BYTES = 32
CONNECT_TIMEOUT_SECONDS = 30.0
"""What cloudflared allows where the tunnel says nothing. Source: Cloudflare documentation (connectTimeout), 2026-11."""


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who calls: the connector's own id, and which of its connections this is."""

    connector: str
    connection: int


@dataclass(frozen=True, kw_only=True)
class Directions:
    """What connectors are told: the services by hostname, and how long connecting to one may take."""

    services: dict[str, str] = field(default_factory=dict)
    connect_timeout_seconds: float = CONNECT_TIMEOUT_SECONDS

    def as_payload(self) -> bytes:
        """Return them as they travel."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_payload(cls, payload: bytes) -> Directions:
        """Return what `payload` says. Raises ValueError, TypeError for what is none."""
        return cls(**json.loads(payload))


class DeniedError(Exception):
    """The edge does not take the connector in."""


async def call_in(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, caller: Caller, token: str) -> Directions:
    """Return what the edge answers with. Raises DeniedError, OSError, EOFError."""
    async with asyncio.timeout(HANDSHAKE_SECONDS):
        nonce = (await read_frame(reader)).payload
        hello = {"connector": caller.connector, "connection": caller.connection, "proof": proof(token, nonce)}
        writer.write(encode(Kind.HELLO, 0, json.dumps(hello).encode()))
        answer = await read_frame(reader)
    if answer.kind is not Kind.WELCOME:
        raise DeniedError(answer.payload.decode())
    return Directions.from_payload(answer.payload)


async def take_in(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, tokens: Iterable[str], directions: Directions
) -> Caller:
    """Return who calls, once it has proved one of `tokens`. Raises DeniedError, OSError, EOFError, ValueError."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    writer.write(encode(Kind.CHALLENGE, 0, nonce))
    async with asyncio.timeout(HANDSHAKE_SECONDS):
        hello = json.loads((await read_frame(reader)).payload)
    given = str(hello["proof"])
    if not any(hmac.compare_digest(proof(token, nonce), given) for token in tokens):
        # cloudflared's own words for it.
        writer.write(encode(Kind.DENIED, 0, b"Unauthorized: Invalid tunnel secret"))
        await writer.drain()
        raise DeniedError("Unauthorized: Invalid tunnel secret")
    writer.write(encode(Kind.WELCOME, 0, directions.as_payload()))
    return Caller(connector=str(hello["connector"]), connection=int(hello["connection"]))

"""How a connector proves that it holds the tunnel's token, and receives where each name leads."""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from localtier.tunnel.protocol import Kind, encode, proof, read_frame

HANDSHAKE_SECONDS = 5.0
NONCE_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who calls: the connector's own id, and which of its connections this is."""

    connector: str
    connection: int


class DeniedError(Exception):
    """The edge does not take the connector in."""


async def call_in(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, caller: Caller, token: str
) -> dict[str, str]:
    """Return the services by hostname that the edge answers with. Raises DeniedError, OSError, EOFError."""
    async with asyncio.timeout(HANDSHAKE_SECONDS):
        nonce = (await read_frame(reader)).payload
        hello = {"connector": caller.connector, "connection": caller.connection, "proof": proof(token, nonce)}
        writer.write(encode(Kind.HELLO, 0, json.dumps(hello).encode()))
        answer = await read_frame(reader)
    if answer.kind is not Kind.WELCOME:
        raise DeniedError(answer.payload.decode())
    return services_from(answer.payload)


async def take_in(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, tokens: Iterable[str], services: Mapping[str, str]
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
    writer.write(encode(Kind.WELCOME, 0, services_text(services)))
    return Caller(connector=str(hello["connector"]), connection=int(hello["connection"]))


def services_text(services: Mapping[str, str]) -> bytes:
    """Return the services by hostname as they travel."""
    return json.dumps(dict(services)).encode()


def services_from(payload: bytes) -> dict[str, str]:
    """Return the services by hostname that `payload` holds."""
    return {str(hostname): str(service) for hostname, service in json.loads(payload).items()}

"""What the edge offers on a local port: one route, whose clients get a stream to its service each."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus

from localtier.tunnel.http_request import (
    MAX_HEAD_BYTES,
    NO_CONNECTOR,
    RefusedError,
    check,
    forwarded,
    parse_head,
    refusal,
)
from localtier.tunnel.link import TargetRefusedError
from localtier.tunnel.pool import NoConnectorError, Pool
from localtier.tunnel.settings import AccessToken, EdgeRoute
from localtier.tunnel.stream import Stream, reset_socket, splice

HEAD_SECONDS = 10.0


@dataclass
class Offer:
    """A route on its local port, from `start` to `stop`, with its counts."""

    route: EdgeRoute
    access: AccessToken | None
    pool: Pool
    served: int = 0
    refused: int = 0
    cut: int = 0
    _server: asyncio.Server | None = None
    _clients: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self) -> None:
        """Listen. Raises OSError where the port is taken, or a file of the certificate cannot be read."""
        handle = self._request if self.route.http else self._bytes
        self._server = await asyncio.start_server(
            lambda reader, writer: self._track(handle(reader, writer)),
            self.route.address,
            self.route.local_port,
            limit=MAX_HEAD_BYTES,
            ssl=_tls(self.route),
        )

    async def stop(self) -> None:
        """Close the port and cut the clients that are left."""
        if self._server is not None:
            self._server.close()
        for client in self._clients:
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    def _track(self, client: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(client)
        self._clients.add(task)
        task.add_done_callback(self._clients.discard)

    async def _bytes(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            stream = await self.pool.open(self.route.hostname)
        except (NoConnectorError, TargetRefusedError):
            self.refused += 1
            reset_socket(writer)
            return
        await self._splice(stream, reader, writer)

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(HEAD_SECONDS):
                head = parse_head(await reader.readuntil(b"\r\n\r\n"))
            check(head, self.route, self.access)
            stream = await self._opened()
            await stream.write(forwarded(head, self.route))
        except (RefusedError, OSError) as error:
            self.refused += 1
            known = error if isinstance(error, RefusedError) else RefusedError(HTTPStatus.BAD_GATEWAY, "cut")
            await _answer(writer, known)
        except (EOFError, asyncio.LimitOverrunError):
            reset_socket(writer)
        else:
            await self._splice(stream, reader, writer)

    async def _opened(self) -> Stream:
        try:
            return await self.pool.open(self.route.hostname)
        except NoConnectorError as error:
            raise RefusedError(NO_CONNECTOR, "error code: 1033") from error
        except TargetRefusedError as error:
            raise RefusedError(HTTPStatus.BAD_GATEWAY, "the service cannot be reached") from error

    async def _splice(self, stream: Stream, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.served += 1
        try:
            spliced = await splice(stream, reader, writer)
        except asyncio.CancelledError:
            reset_socket(writer)
            raise
        if not spliced.cut:
            writer.close()
            return
        self.cut += 1
        if self.route.http and not spliced.delivered_bytes:
            await _answer(writer, RefusedError(HTTPStatus.BAD_GATEWAY, "the connection to the service was cut"))
        else:
            reset_socket(writer)


def _tls(route: EdgeRoute) -> ssl.SSLContext | None:
    if route.certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(route.certificate, route.key)
    return context


async def _answer(writer: asyncio.StreamWriter, error: RefusedError) -> None:
    with suppress(OSError):
        writer.write(refusal(error))
        await writer.drain()
    writer.close()

"""The running connector: its connections to the edge, and the streams that the edge sends through them."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import signal
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from localtier.tunnel.arguments import GRACE_SECONDS, RunArguments
from localtier.tunnel.handshake import Caller, DeniedError, Directions, call_in
from localtier.tunnel.link import Link
from localtier.tunnel.monitor import Figures, metrics_text, ready_text, serve_text
from localtier.tunnel.protocol import CONNECTIONS, DEAD_AFTER_SECONDS, EDGE_HOST, EDGE_PORT, Frame, Kind
from localtier.tunnel.stream import Stream, reset_socket, splice

LOG = logging.getLogger("cloudflared-stand-in")
EDGE_VARIABLE = "TUNNEL_EDGE"
"""Another edge, as ADDRESS:PORT. Source: cloudflare/cloudflared, hidden flag --edge."""
FIRST_BACKOFF_SECONDS = 0.5
LONGEST_BACKOFF_SECONDS = 5.0
SETTLED_SECONDS = 5.0
"""A connection that stood this long is called again without waiting."""
STANDARD_PORTS = {"http": 80, "https": 443}


@dataclass
class Connector:
    """A connector with `token` that calls `edge`. `run` serves until `stop` is set and the streams are done."""

    edge: tuple[str, int]
    token: str
    grace_seconds: float = GRACE_SECONDS
    dead_after_seconds: float = DEAD_AFTER_SECONDS
    identity: str = field(default_factory=lambda: str(uuid.uuid4()))
    figures: Figures = field(default_factory=Figures)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    links: dict[int, Link] = field(default_factory=dict)
    directions: Directions = field(default_factory=Directions)

    async def run(self) -> None:
        """Keep the connections until `stop`, then let the streams end for at most `grace_seconds`."""
        callers = [asyncio.create_task(self._keep(number)) for number in range(CONNECTIONS)]
        await self.stop.wait()
        for link in self.links.values():
            link.drain()
        deadline = time.monotonic() + self.grace_seconds
        while any(link.stream_count for link in self.links.values()) and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        for caller in callers:
            caller.cancel()
        await asyncio.gather(*callers, return_exceptions=True)

    def answer(self, path: str) -> tuple[int, str]:
        """Return status and text of the connector's own pages."""
        if path == "/ready":
            return ready_text(self.figures, self.identity)
        return (200, metrics_text(self.figures)) if path == "/metrics" else (404, "404 page not found\n")

    async def _keep(self, number: int) -> None:
        backoff_seconds = FIRST_BACKOFF_SECONDS
        while not self.stop.is_set():
            began = time.monotonic()
            try:
                await self._connect(number)
            except (OSError, EOFError, DeniedError, ValueError) as error:
                LOG.warning("connection %d: %s; calling again", number, error)
            if time.monotonic() - began > SETTLED_SECONDS:
                backoff_seconds = FIRST_BACKOFF_SECONDS
            await asyncio.sleep(backoff_seconds * random.uniform(0.5, 1))  # noqa: S311 - only spreads calls
            backoff_seconds = min(LONGEST_BACKOFF_SECONDS, backoff_seconds * 2)

    async def _connect(self, number: int) -> None:
        async with asyncio.timeout(self.dead_after_seconds):
            reader, writer = await asyncio.open_connection(*self.edge)
        try:
            self.directions = await call_in(
                reader, writer, Caller(connector=self.identity, connection=number), self.token
            )
            link = self._link(reader, writer)
            self.links[number] = link
            self.figures.connections += 1
            LOG.info("connection %d to %s:%d stands", number, *self.edge)
            try:
                await link.run()
            finally:
                self.figures.connections -= 1
                self.links.pop(number, None)
        finally:
            writer.transport.abort()
        LOG.info("connection %d ended", number)

    def _link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Link:
        async def offered(stream: Stream, hostname: str) -> None:
            await self._serve(link, stream, hostname)

        link = Link(reader, writer, offered=offered, told=self._told, dead_after_seconds=self.dead_after_seconds)
        link.draining = self.stop.is_set()
        return link

    def _told(self, frame: Frame) -> None:
        if frame.kind is Kind.CONFIG:
            self.directions = Directions.from_payload(frame.payload)

    async def _serve(self, link: Link, stream: Stream, hostname: str) -> None:
        self.figures.total_requests += 1
        try:
            target = target_of(self.directions.services[hostname])
            async with asyncio.timeout(self.directions.connect_timeout_seconds):
                reader, writer = await asyncio.open_connection(*target)
        except (KeyError, OSError) as error:
            self.figures.request_errors += 1
            LOG.warning("%s cannot be reached: %r", hostname, error)
            link.refuse(stream)
            return
        self.figures.concurrent_requests += 1
        cut = True
        try:
            link.accept(stream)
            cut = (await splice(stream, reader, writer)).cut
        finally:
            self.figures.concurrent_requests -= 1
            if cut:
                reset_socket(writer)
            else:
                writer.close()


def target_of(service: str) -> tuple[str, int]:
    """Return host and port of a service such as tcp://redis:6401 or http://llm:8080. Raises KeyError for others."""
    parts = urlsplit(service)
    return parts.hostname or "", parts.port or STANDARD_PORTS[parts.scheme]


def serve(arguments: RunArguments) -> int:
    """Run a connector until SIGTERM and return its exit status."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        token = arguments.token_file.read_text(encoding="utf-8").strip()
    except OSError as error:
        LOG.error("Failed to read token file: %s", error)
        return 1
    if not token:
        LOG.error("Provided Tunnel token is not valid: %s is empty", arguments.token_file)
        return 1
    host, _, port = os.environ.get(EDGE_VARIABLE, f"{EDGE_HOST}:{EDGE_PORT}").rpartition(":")
    with suppress(KeyboardInterrupt):
        asyncio.run(_run((host, int(port)), token, arguments))
    return 0


async def _run(edge: tuple[str, int], token: str, arguments: RunArguments) -> None:
    connector = Connector(edge=edge, token=token, grace_seconds=arguments.grace_seconds)
    server = await serve_text(arguments.metrics, connector.answer)

    def on_signal() -> None:
        if connector.stop.is_set():
            os._exit(1)
        LOG.info("Initiating graceful shutdown due to signal terminated ...")
        connector.stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, on_signal)
    await connector.run()
    server.close()

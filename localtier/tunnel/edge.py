"""Stands for Cloudflare's edge and the API's sidecar: `python -m localtier.tunnel.edge --settings FILE`.

Connectors call in and prove the tunnel's token. Each route gets a local port: bytes for TCP services, as the sidecar
offers them, and requests for HTTP services, checked as Access and the tunnel's rules do. Not imitated: TLS, the zone's
rules and cache, rate limits, Cloudflare's own limits and delays. TCP clients need no service token here, because the
sidecar adds it. The file is read again when it changes; what it no longer names is closed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localtier.tunnel.handshake import DeniedError, take_in
from localtier.tunnel.link import Link
from localtier.tunnel.monitor import serve_text
from localtier.tunnel.offer import Offer
from localtier.tunnel.pool import Pool
from localtier.tunnel.protocol import DEAD_AFTER_SECONDS, EDGE_PORT, Frame, Kind
from localtier.tunnel.settings import LOOPBACK, STATUS_PORT, EdgeRoute, EdgeSettings, SettingsError, read_settings

LOG = logging.getLogger("edge-stand-in")
REREAD_SECONDS = 0.5


@dataclass
class Edge:
    """The edge: `start`, then `apply` settings as often as they change, then `stop`."""

    dead_after_seconds: float = DEAD_AFTER_SECONDS
    settings: EdgeSettings = field(default_factory=lambda: EdgeSettings(tokens=(), routes=()))
    pool: Pool = field(default_factory=Pool)
    offers: dict[EdgeRoute, Offer] = field(default_factory=dict)
    denied: int = 0
    _server: asyncio.Server | None = None

    async def start(self, address: tuple[str, int]) -> tuple[str, int]:
        """Listen for connectors and return where. Raises OSError where the port is taken."""
        self._server = await asyncio.start_server(self._connector, *address)
        host, port = self._server.sockets[0].getsockname()[:2]
        return str(host), int(port)

    async def apply(self, settings: EdgeSettings) -> None:
        """Offer the routes of `settings` and no others; routes that stay the same keep their clients.

        A port that is taken is left out and tried again at the next call.
        """
        access_changed = settings.access != self.settings.access
        if settings.directions != self.settings.directions:
            self.pool.tell(settings.directions.as_payload())
        self.settings = settings
        for route in [known for known in self.offers if known not in settings.routes or access_changed]:
            await self.offers.pop(route).stop()
        for route in settings.routes:
            if route not in self.offers:
                offer = Offer(route=route, access=settings.access, pool=self.pool)
                try:
                    await offer.start()
                except OSError as error:
                    LOG.warning("%s: %s", route.name, error)
                else:
                    self.offers[route] = offer

    @property
    def complete(self) -> bool:
        """Tell whether every route of the settings is offered."""
        return all(route in self.offers for route in self.settings.routes)

    def status(self, path: str) -> tuple[int, str]:
        """Return the edge's state as JSON, at /status."""
        if path != "/status":
            return 404, "write /status\n"
        routes: list[dict[str, Any]] = [
            {
                "name": route.name,
                "local_port": route.local_port,
                "served": offer.served,
                "refused": offer.refused,
                "cut": offer.cut,
            }
            for route, offer in self.offers.items()
        ]
        state = {"complete": self.complete, "denied": self.denied, "connections": self.pool.status(), "routes": routes}
        return 200, json.dumps(state)

    async def stop(self) -> None:
        """Close everything."""
        if self._server is not None:
            self._server.close()
        for offer in self.offers.values():
            await offer.stop()
        for _, link in list(self.pool.members):
            await link.close()

    async def _connector(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            told_first = self.settings.directions
            caller = await take_in(reader, writer, self.settings.tokens, told_first)
        except (DeniedError, OSError, EOFError, ValueError, TypeError, KeyError) as error:
            self.denied += 1
            LOG.warning("a connector was not taken in: %r", error)
            writer.close()
            return

        def told(frame: Frame) -> None:
            if frame.kind is Kind.DRAIN:
                link.draining = True

        link = Link(reader, writer, told=told, dead_after_seconds=self.dead_after_seconds)
        if self.settings.directions != told_first:
            link.configure(self.settings.directions.as_payload())
        self.pool.add(caller, link)
        LOG.info("connection %d of connector %s stands", caller.connection, caller.connector)
        try:
            await link.run()
        finally:
            self.pool.remove(link)
            LOG.info("connection %d of connector %s ended", caller.connection, caller.connector)


async def follow(edge: Edge, path: Path) -> None:
    """Apply the file whenever it changes; a wrong one is reported and leaves everything as it is."""
    seen: tuple[int, int, int] | None = None
    while True:
        found = path.stat() if path.exists() else None
        mark = (found.st_mtime_ns, found.st_size, found.st_ino) if found else None
        if mark is not None and (mark != seen or not edge.complete):
            try:
                await edge.apply(read_settings(path))
            except SettingsError as error:
                LOG.error("%s", error)
            seen = mark
        await asyncio.sleep(REREAD_SECONDS)


async def serve(arguments: argparse.Namespace) -> None:
    """Run the edge until SIGTERM."""
    edge = Edge()
    await edge.start((arguments.listen, arguments.port))
    status = await serve_text((LOOPBACK, arguments.status_port), edge.status)
    following = asyncio.create_task(follow(edge, arguments.settings))
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await stopped.wait()
    following.cancel()
    status.close()
    await edge.stop()


def main(words: Sequence[str]) -> int:
    """Run the edge and return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m localtier.tunnel.edge", description=__doc__)
    parser.add_argument("--settings", type=Path, required=True, help="file made by write_settings")
    parser.add_argument("--listen", default="0.0.0.0", help="address for connectors")  # noqa: S104 - they call from outside
    parser.add_argument("--port", type=int, default=EDGE_PORT)
    parser.add_argument("--status-port", type=int, default=STATUS_PORT)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    asyncio.run(serve(parser.parse_args(words)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""An edge, connectors and a service on loopback, for one test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace

from localtier.tunnel.connecting import Connector
from localtier.tunnel.edge import Edge
from localtier.tunnel.protocol import CONNECTIONS
from localtier.tunnel.settings import AccessToken, EdgeRoute, EdgeSettings
from tests.ports import free_port

TOKEN = "a-token"
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()


@dataclass
class Tier:
    edge: Edge
    address: tuple[str, int]
    service_port: int
    connectors: list[Connector] = field(default_factory=list)
    runs: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def route(self) -> EdgeRoute:
        return self.edge.settings.routes[0]

    async def add_connector(self, token: str = TOKEN, grace_seconds: float = 30.0) -> Connector:
        connector = Connector(edge=self.address, token=token, grace_seconds=grace_seconds)
        connector.dead_after_seconds = self.edge.dead_after_seconds
        before = len(self.edge.pool.members)
        self.connectors.append(connector)
        self.runs.append(asyncio.create_task(connector.run()))
        if token == TOKEN:
            await until(lambda: len(self.edge.pool.members) == before + CONNECTIONS)
        return connector

    async def kill(self, connector: Connector) -> None:
        """End a connector as SIGKILL does: its sockets break, nothing is said."""
        run = self.runs[self.connectors.index(connector)]
        run.cancel()
        for link in list(connector.links.values()):
            await link.close()
        connector.stop.set()
        await asyncio.gather(run, return_exceptions=True)

    async def client(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.route.local_port)

    async def change(self, *routes: EdgeRoute) -> None:
        await self.edge.apply(replace(self.edge.settings, routes=routes))


@asynccontextmanager
async def tier(
    handler: Handler = echo,
    *,
    connectors: int = 1,
    scheme: str = "tcp",
    path: str | None = None,
    access: AccessToken | None = None,
    dead_after_seconds: float = 30,
) -> AsyncIterator[Tier]:
    async with AsyncExitStack() as stack:
        service = await asyncio.start_server(handler, "127.0.0.1", 0)
        stack.callback(service.close)
        port = int(service.sockets[0].getsockname()[1])
        edge = Edge(dead_after_seconds=dead_after_seconds)
        address = await edge.start(("127.0.0.1", 0))
        stack.push_async_callback(edge.stop)
        route = EdgeRoute(
            name="one",
            hostname="one.example",
            service=f"{scheme}://127.0.0.1:{port}",
            local_port=free_port(),
            path=path,
        )
        await edge.apply(EdgeSettings(tokens=(TOKEN,), routes=(route,), access=access))
        made = Tier(edge, address, port)
        try:
            for _ in range(connectors):
                await made.add_connector()
            yield made
        finally:
            for connector in made.connectors:
                await made.kill(connector)

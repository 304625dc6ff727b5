"""A simulated server behind aiohttp's own test client."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp.test_utils import TestClient, TestServer
from prometheus_client.parser import text_string_to_metric_families

from simulator.server import Server
from tests.simulator.made import settings

CHAT = {"model": "llama-2-13b-chat", "messages": [{"role": "user", "content": "What is a quorum?"}]}


class Client:
    """Asks one server; `server` is the object behind it."""

    def __init__(self, client: TestClient[Any, Any], server: Server) -> None:
        self.http = client
        self.server = server

    async def chat(self, **more: object) -> tuple[int, Any]:
        """Return the status and the body of a chat completion."""
        return await self.post("/v1/chat/completions", {**CHAT, **more})

    async def post(self, path: str, body: object, **headers: str) -> tuple[int, Any]:
        """Return the status and the body of a request with `body` as JSON."""
        async with self.http.post(path, json=body, headers=headers) as response:
            return response.status, await response.json()

    async def stream(self, path: str, body: object) -> bytes:
        """Return the bytes of a stream."""
        async with self.http.post(path, json=body) as response:
            assert response.status == 200
            assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
            return await response.read()

    async def metric(self, name: str, **labels: str) -> float:
        """Return the sum of a metric's samples with these labels. Raises KeyError when there is none."""
        async with self.http.get("/metrics") as response:
            families = text_string_to_metric_families(await response.text())
        values = [
            sample.value
            for family in families
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        if not values:
            raise KeyError(name)
        return sum(values)


def served(
    scenario: Callable[[Client], Awaitable[None]], *arguments: str, api_key: str | None = None, **environment: str
) -> None:
    """Play `scenario` against a server of the planned arguments and `arguments`."""

    async def play() -> None:
        server = Server(settings(*arguments, api_key=api_key, **environment))
        # aiohttp's test server cancels the handlers of clients that leave, as the real one is told to.
        test_server = TestServer(server.application())
        async with TestClient(test_server) as client:
            await scenario(Client(client, server))

    asyncio.run(play())

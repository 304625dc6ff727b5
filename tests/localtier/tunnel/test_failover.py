"""Connectors that die, drain, come back or hold a wrong token."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from localtier.tunnel.monitor import Figures, metrics_text, serve_text
from localtier.tunnel.protocol import CONNECTIONS
from tests.localtier.tunnel.tier import Tier, tier, until
from tests.ports import free_port


async def roundtrip(made: Tier) -> bytes:
    reader, writer = await made.client()
    writer.write(b"hello")
    writer.write_eof()
    try:
        return await asyncio.wait_for(reader.read(-1), 20)
    finally:
        writer.close()


def test_the_streams_of_a_dead_connector_break_and_those_of_the_other_go_on() -> None:
    async def run() -> tuple[int, int, list[bytes]]:
        async with tier(connectors=2) as made:
            clients = [await made.client() for _ in range(2 * CONNECTIONS)]
            for reader, writer in clients:
                writer.write(b"a")
                assert await reader.readexactly(1) == b"a"
            await made.kill(made.connectors[0])
            broken = going = 0
            for reader, writer in clients:
                try:
                    writer.write(b"b")
                    await writer.drain()
                    going += await asyncio.wait_for(reader.readexactly(1), 20) == b"b"
                except (OSError, EOFError):
                    broken += 1
            return broken, going, [await roundtrip(made) for _ in range(CONNECTIONS * 2)]

    broken, going, later = asyncio.run(run())
    assert (broken, going) == (CONNECTIONS, CONNECTIONS)
    assert later == [b"hello"] * 8


def test_a_silent_connector_is_given_up_and_its_openings_go_to_another_one() -> None:
    async def run() -> tuple[list[bytes], bool]:
        async with tier(connectors=2, dead_after_seconds=0.6) as made:
            silent = [
                link for caller, link in made.edge.pool.members if caller.connector == made.connectors[0].identity
            ]
            for link in made.connectors[0].links.values():
                link.send = lambda *_: None  # type: ignore[method-assign]
            answers = await asyncio.gather(*(roundtrip(made) for _ in range(2 * CONNECTIONS)))
            return answers, all(link.lost for link in silent)

    assert asyncio.run(run()) == ([b"hello"] * 8, True)


def test_a_draining_connector_ends_its_streams_in_peace_and_gets_no_new_one() -> None:
    async def run() -> tuple[bytes, bool, int]:
        async with tier(connectors=2) as made:
            leaving, staying = made.connectors
            clients = [await made.client() for _ in range(2 * CONNECTIONS)]
            await until(lambda: sum(link.stream_count for link in leaving.links.values()) == CONNECTIONS)
            leaving.stop.set()
            await until(lambda: all(link.draining for link in leaving.links.values()))
            before = staying.figures.total_requests
            for _ in range(CONNECTIONS):
                assert await roundtrip(made) == b"hello"
            taken = staying.figures.total_requests - before
            answers = b""
            for reader, writer in clients:
                writer.write(b"z")
                writer.write_eof()
                answers += await reader.read(-1)
                writer.close()
            await asyncio.wait_for(made.runs[0], 20)
            return answers, made.runs[0].done(), taken

    assert asyncio.run(run()) == (b"z" * 8, True, CONNECTIONS)


def test_a_drain_that_takes_too_long_ends_when_the_grace_ends() -> None:
    async def run() -> bool:
        async with tier(connectors=0) as made:
            connector = await made.add_connector(grace_seconds=0.2)
            reader, writer = await made.client()
            writer.write(b"a")
            await reader.readexactly(1)
            connector.stop.set()
            await asyncio.wait_for(made.runs[0], 20)
            with pytest.raises(ConnectionResetError):
                await reader.read(1)
            return made.runs[0].done()

    assert asyncio.run(run())


def test_a_connector_calls_again_when_the_edge_comes_back() -> None:
    async def run() -> bytes:
        async with tier() as made:
            for _, link in list(made.edge.pool.members):
                await link.close()
            await until(lambda: not made.connectors[0].links)
            assert made.connectors[0].answer("/ready")[0] == 503
            await until(lambda: len(made.edge.pool.members) == CONNECTIONS)
            return await roundtrip(made)

    assert asyncio.run(run()) == b"hello"


def test_a_wrong_token_is_denied_and_the_connector_never_becomes_ready() -> None:
    async def run() -> tuple[int, int, int]:
        async with tier(connectors=0) as made:
            connector = await made.add_connector(token="another")
            await until(lambda: made.edge.denied >= CONNECTIONS)
            return len(made.edge.pool.members), connector.answer("/ready")[0], connector.figures.connections

    assert asyncio.run(run()) == (0, 503, 0)


def test_the_connectors_pages_tell_what_cloudflared_tells() -> None:
    async def run() -> tuple[tuple[int, str], tuple[int, str]]:
        async with tier() as made:
            await roundtrip(made)
            return made.connectors[0].answer("/ready"), made.connectors[0].answer("/metrics")

    ready, metrics = asyncio.run(run())
    assert ready[0] == 200
    assert json.loads(ready[1])["readyConnections"] == CONNECTIONS
    assert "cloudflared_tunnel_ha_connections 4\n" in metrics[1]
    assert "cloudflared_tunnel_total_requests 1\n" in metrics[1]


def test_the_pages_have_the_type_without_which_prometheus_takes_none() -> None:
    async def run() -> str:
        server = await serve_text(("127.0.0.1", 0), lambda _: (200, metrics_text(Figures())))
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(b"GET /metrics HTTP/1.1\r\n\r\n")
            answer = (await reader.read()).decode()
            writer.close()
        return answer

    assert "\r\nContent-Type: text/plain; version=0.0.4" in asyncio.run(run())


def test_without_a_connector_a_client_is_refused_at_once() -> None:
    async def run() -> None:
        async with tier(connectors=0) as made:
            reader, _ = await made.client()
            with pytest.raises(ConnectionResetError):
                await reader.readexactly(1)

    asyncio.run(run())


def test_changed_routes_open_and_close_ports_and_leave_the_others_alone() -> None:
    async def run() -> tuple[bytes, bytes, list[str]]:
        async with tier() as made:
            old = made.route
            reader, writer = await made.client()
            writer.write(b"a")
            await reader.readexactly(1)
            added = replace(old, name="two", hostname="two.example", local_port=free_port())
            await made.change(old, added)
            other_reader, other = await asyncio.open_connection("127.0.0.1", added.local_port)
            other.write(b"new")
            first = await other_reader.readexactly(3)
            await made.change(old)
            with pytest.raises(ConnectionResetError):
                await other_reader.readexactly(1)
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", added.local_port)
            writer.write(b"still")
            kept = await reader.readexactly(5)
            state = json.loads(made.edge.status("/status")[1])
            return first, kept, [route["name"] for route in state["routes"]]

    assert asyncio.run(run()) == (b"new", b"still", ["one"])

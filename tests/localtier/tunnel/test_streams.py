"""Bytes through edge and connector: whole, in order, both ways, with ends and cuts told apart."""

from __future__ import annotations

import asyncio
import random
import socket
from contextlib import ExitStack
from dataclasses import replace

import pytest

from localtier.tunnel.protocol import WINDOW_BYTES
from localtier.tunnel.stream import reset_socket
from tests.localtier.tunnel.tier import echo, tier, until
from tests.ports import free_port


def test_megabytes_arrive_whole_and_in_order_on_several_streams_at_once() -> None:
    async def one(port: int, size: int) -> bool:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        sent = random.Random(size).randbytes(size)  # noqa: S311 - only different bytes

        async def write() -> None:
            writer.write(sent)
            await writer.drain()
            writer.write_eof()

        _, got = await asyncio.gather(write(), reader.read(-1))
        writer.close()
        return got == sent

    async def run() -> list[bool]:
        async with tier(connectors=2) as made:
            return await asyncio.gather(*(one(made.route.local_port, 2_000_000 + number) for number in range(4)))

    assert asyncio.run(run()) == [True] * 4


def test_a_client_that_finished_sending_still_gets_the_answer() -> None:
    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        size = len(await reader.read(-1))
        writer.write(f"{size} bytes".encode())
        await writer.drain()
        writer.close()

    async def run() -> bytes:
        async with tier(count) as made:
            reader, writer = await made.client()
            writer.write(b"x" * 100_000)
            writer.write_eof()
            return await reader.read(-1)

    assert asyncio.run(run()) == b"100000 bytes"


def test_a_service_that_does_not_read_stops_the_sender_and_not_other_streams() -> None:
    async def run() -> tuple[int, bytes]:
        calls = 0

        async def first_deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal calls
            calls += 1
            if calls == 1:
                await asyncio.sleep(60)
            await echo(reader, writer)

        async with tier(first_deaf) as made:
            _, deaf = await made.client()
            await until(lambda: made.edge.offers[made.route].served == 1)
            deaf.write(b"x" * 40_000_000)
            sizes = [0, -1]
            while sizes[-1] != sizes[-2]:
                await asyncio.sleep(0.3)
                sizes.append(deaf.transport.get_write_buffer_size())
            replies = []
            for _ in range(4):
                reader, writer = await made.client()
                writer.write(b"hello")
                writer.write_eof()
                replies.append(await asyncio.wait_for(reader.read(-1), 20))
                writer.close()
            deaf.transport.abort()
            return sizes[-1], b"".join(replies)

    waiting_bytes, replies = asyncio.run(run())
    assert waiting_bytes > 40_000_000 - 32 * 1_048_576 - WINDOW_BYTES
    assert replies == b"hello" * 4


def test_a_service_that_breaks_off_is_seen_as_broken_not_as_ended() -> None:
    async def breaks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"half an ans")
        await writer.drain()
        reset_socket(writer)

    async def run() -> None:
        async with tier(breaks) as made:
            reader, writer = await made.client()
            writer.write(b"?")
            with pytest.raises(ConnectionResetError):
                await reader.read(-1)

    asyncio.run(run())


def test_a_service_that_is_not_there_refuses_the_client() -> None:
    async def run() -> int:
        async with tier() as made:
            await made.change(replace(made.route, service=f"tcp://127.0.0.1:{free_port()}", local_port=free_port()))
            reader, writer = await made.client()
            with pytest.raises(ConnectionResetError):
                await reader.read(1)
            writer.close()
            return made.edge.offers[made.route].refused

    assert asyncio.run(run()) == 1


def test_a_service_that_does_not_answer_is_given_up_after_what_the_edge_says() -> None:
    """As behind a cut cable: a socket whose queue is full answers no call."""

    async def main() -> None:
        async with tier() as made, asyncio.timeout(20):
            with ExitStack() as stack:
                deaf = stack.enter_context(socket.socket())
                deaf.bind(("127.0.0.1", 0))
                deaf.listen(0)
                for _ in range(2):
                    caller = stack.enter_context(socket.socket())
                    caller.setblocking(False)
                    caller.connect_ex(deaf.getsockname())
                address, port = deaf.getsockname()
                route = replace(made.route, service=f"tcp://{address}:{port}")
                settings = replace(made.edge.settings, routes=(route,), connect_timeout_seconds=0.2)
                await made.edge.apply(settings)
                await until(lambda: made.connectors[0].directions == settings.directions)
                reader, _ = await made.client()
                with pytest.raises(ConnectionResetError):
                    await reader.read(1)
                assert made.connectors[0].figures.request_errors == 1

    asyncio.run(main())

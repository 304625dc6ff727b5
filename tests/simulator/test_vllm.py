from __future__ import annotations

import asyncio
import logging
import os
import signal

import aiohttp
import pytest

from simulator.vllm import main, serve
from tests import ports
from tests.simulator.made import PLANNED, settings


@pytest.fixture
def free_port() -> int:
    return ports.free_port()


def test_an_engine_that_refuses_to_start_ends_with_status_1_and_its_words(caplog: pytest.LogCaptureFixture) -> None:
    assert main((*PLANNED, "--tensor-parallel-size", "3"), {}) == 1
    assert "must be divisible by tensor parallel size (3)" in caplog.text


def test_the_port_opens_after_the_start_and_a_signal_ends_the_server(free_port: int) -> None:
    made = settings("--host", "127.0.0.1", "--port", str(free_port), SIMULATOR_START_SECONDS="0.05")
    url = f"http://127.0.0.1:{free_port}/health"

    async def scenario() -> None:
        server = asyncio.create_task(serve(made))
        async with aiohttp.ClientSession() as session:
            await asyncio.sleep(0)
            with pytest.raises(aiohttp.ClientConnectorError):
                await session.get(url)
            while True:
                try:
                    async with session.get(url) as response:
                        assert (response.status, await response.read()) == (200, b"")
                    break
                except aiohttp.ClientConnectorError:
                    await asyncio.sleep(0.01)
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.wait_for(server, 5)

    asyncio.run(scenario())


def test_a_signal_during_the_start_ends_it(free_port: int) -> None:
    made = settings("--port", str(free_port), SIMULATOR_START_SECONDS="3600")

    async def scenario() -> None:
        server = asyncio.create_task(serve(made))
        await asyncio.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(server, 5)

    asyncio.run(scenario())


def test_the_log_says_first_that_nothing_is_real(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(_: object) -> None:
        return None

    monkeypatch.setattr("simulator.vllm.serve", nothing)
    with caplog.at_level(logging.INFO):
        assert main(PLANNED, {"VLLM_API_KEY": "secret"}) == 0
    assert "is simulated here: no model, no GPU" in caplog.messages[0]
    assert "GPU KV cache size: 19,392 tokens" in caplog.text
    assert "secret" not in caplog.text

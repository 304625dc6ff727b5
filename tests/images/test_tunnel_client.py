import asyncio
import importlib.util
import os
import signal
import sys
from pathlib import Path
from types import ModuleType

import pytest

from dreamseed.planning.api import SIDECAR_CHECK_PATH
from tests.ports import free_port

SOURCE = Path(__file__).parents[2] / "images" / "tunnel-client" / "tunnel_client.py"
FAKE = """#!{python}
import socket, sys, time
host, _, port = sys.argv[sys.argv.index("--url") + 1].rpartition(":")
assert sys.argv[1:3] == ["access", "tcp"] and sys.argv[sys.argv.index("--hostname") + 1]
server = socket.create_server((host, int(port)))
time.sleep(60)
"""


def _module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tunnel_client", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


client = _module()


def test_routes_are_read_as_the_plan_writes_them() -> None:
    assert client.read_routes("6432=postgres.example,6401=redis-1.example") == {
        6432: "postgres.example",
        6401: "redis-1.example",
    }
    assert client.read_routes("") == {}


@pytest.mark.parametrize("text", ["6432", "=postgres.example", "0=a", "70000=a", "x=a", "1=a,1=b"])
def test_a_wrong_route_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="TUNNEL_ROUTES"):
        client.read_routes(text)


def test_only_sockets_that_listen_count() -> None:
    head = "  sl  local_address rem_address   st tx_queue rx_queue"
    listening = "   0: 0100007F:1920 00000000:0000 0A 00000000:00000000"
    connected = "   1: 0100007F:1901 0100007F:1920 01 00000000:00000000"
    assert client.listening_ports("\n".join((head, listening, connected))) == {6432}


def test_the_sidecar_is_ready_once_every_route_listens_and_starts_a_listener_that_ended_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "cloudflared"
    program.write_text(FAKE.format(python=sys.executable), encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(client, "RESTART_SECONDS", 0.01)
    started: list[asyncio.subprocess.Process] = []
    create = asyncio.create_subprocess_exec

    async def watched(*words: str) -> asyncio.subprocess.Process:
        started.append(await create(*words))
        return started[-1]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", watched)
    check, route = free_port(), free_port()

    async def scenario() -> None:
        environment = {"TUNNEL_ROUTES": f"{route}=db.example", "CHECK_PORT": str(check)}
        running = asyncio.create_task(client.run(environment))
        await _until(check, 200)
        started[0].kill()
        while len(started) < 2:
            await asyncio.sleep(0.01)
        await _until(check, 200)
        assert await _status(check, "/elsewhere") == 404
        os.kill(os.getpid(), signal.SIGTERM)
        await running
        assert all(process.returncode is not None for process in started)

    asyncio.run(asyncio.wait_for(scenario(), 30))


def test_a_route_that_does_not_listen_keeps_the_sidecar_from_being_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(port: int, hostname: str) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(client, "keep_listening", never)
    check = free_port()

    async def scenario() -> None:
        environment = {"TUNNEL_ROUTES": f"{free_port()}=db.example", "CHECK_PORT": str(check)}
        running = asyncio.create_task(client.run(environment))
        await _until(check, 503)
        os.kill(os.getpid(), signal.SIGTERM)
        await running

    asyncio.run(asyncio.wait_for(scenario(), 30))


async def _until(port: int, status: int) -> None:
    while await _status(port, SIDECAR_CHECK_PATH) != status:
        await asyncio.sleep(0.01)


async def _status(port: int, path: str) -> int:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return 0
    writer.write(f"GET {path} HTTP/1.1\r\nHost: sidecar\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return int(answer.split()[1])

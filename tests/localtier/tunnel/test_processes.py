"""Edge and connector as they are run: command lines, settings as a file, signals."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from localtier.tunnel.arguments import ReadyArguments, RunArguments, UsageError, parse
from localtier.tunnel.connecting import target_of
from localtier.tunnel.connector import main
from localtier.tunnel.settings import (
    AccessToken,
    EdgeRoute,
    EdgeSettings,
    SettingsError,
    edge_routes,
    read_settings,
    write_settings,
)
from tests.planning.stages import shipped
from tests.ports import free_port

PLANS = [shipped(f"stage-{letter}") for letter in "abcde"]


def wait(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_every_command_line_of_every_stage_is_known() -> None:
    containers = [container for plan in PLANS for container in plan.tunnel.containers]
    assert containers
    for container in containers:
        assert isinstance(parse(container.command), RunArguments)
        assert container.health is not None
        assert container.health.test[:2] == ("CMD", "cloudflared")
        assert isinstance(parse(container.health.test[2:]), ReadyArguments)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "version",
        "tunnel",
        "tunnel run",
        "tunnel run --token abc",
        "tunnel --no-autoupdat run --token-file f",
        "tunnel --metrics",
        "tunnel --metrics 2000 ready",
        "tunnel --metrics 127.0.0.1:2000 ready now",
        "tunnel run --token-file f --protocol quic",
        "tunnel --grace-period 100 run --token-file f",
        "tunnel --grace-period 2m run --token-file f",
    ],
)
def test_an_unknown_command_line_is_refused(line: str) -> None:
    with pytest.raises(UsageError):
        parse(line.split())
    assert main(line.split()) == 1


def test_a_connector_may_be_told_how_long_its_requests_may_end() -> None:
    told = parse(["--no-autoupdate", "tunnel", "--no-autoupdate", "--grace-period", "100s", "run", "--token-file", "f"])
    assert isinstance(told, RunArguments)
    assert told.grace_seconds == 100
    usual = parse(["tunnel", "run", "--token-file", "f"])
    assert isinstance(usual, RunArguments)
    assert usual.grace_seconds == 30


def test_the_health_check_of_a_connector_that_does_not_run_fails() -> None:
    assert main(["tunnel", "--metrics", f"127.0.0.1:{free_port()}", "ready"]) == 1


def test_a_connector_without_its_token_ends_with_a_reason(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert main(["tunnel", "run", "--token-file", str(tmp_path / "absent")]) == 1
    assert "Failed to read token file" in caplog.text


def test_targets_of_services_have_their_ports() -> None:
    assert target_of("tcp://10.20.0.11:6401") == ("10.20.0.11", 6401)
    assert target_of("http://llm:8080") == ("llm", 8080)
    assert target_of("http://llm") == ("llm", 80)
    with pytest.raises(KeyError):
        target_of("ftp://files")


def test_the_routes_of_every_stage_get_a_local_port_each() -> None:
    for plan in PLANS:
        routes = edge_routes(plan.routes)
        assert [route.name for route in routes] == [route.name for route in plan.routes]
        assert len({route.local_port for route in routes}) == len(routes)
        assert {route.name for route in routes if route.http} == {"llm", "metrics"}


def test_settings_come_back_as_they_were_written_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    route = EdgeRoute(name="n", hostname="h", service="tcp://s:1", local_port=5, path="/p")
    access = AccessToken(client_id="i", client_secret="s")
    settings = EdgeSettings(tokens=("t",), routes=(route,), access=access, connect_timeout_seconds=1.5)
    path = tmp_path / "folder" / "edge.json"
    write_settings(path, settings)
    assert read_settings(path) == settings
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["edge.json"]


@pytest.mark.parametrize("text", ["", "{}", '{"tokens": [], "routes": [{"name": "x"}]}'])
def test_a_wrong_settings_file_is_refused_with_its_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "edge.json"
    path.write_text(text)
    with pytest.raises(SettingsError, match=r"edge\.json"):
        read_settings(path)


def test_edge_and_connector_as_processes_carry_bytes_follow_the_file_and_end_at_sigterm(tmp_path: Path) -> None:
    service = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        while True:
            try:
                client, _ = service.accept()
            except OSError:
                return
            with client:
                client.sendall(client.recv(100).upper())

    threading.Thread(target=answer, daemon=True).start()
    edge_port, metrics_port, local_port = free_port(), free_port(), free_port()
    settings = EdgeSettings(tokens=("secret",), routes=())
    write_settings(tmp_path / "edge.json", settings)
    (tmp_path / "token").write_text("secret\n")
    options = f"--settings {tmp_path / 'edge.json'} --listen 127.0.0.1 --port {edge_port} --status-port {free_port()}"
    edge = subprocess.Popen(
        [sys.executable, "-m", "localtier.tunnel.edge", *options.split()], stderr=subprocess.DEVNULL
    )
    command = f"tunnel --metrics 127.0.0.1:{metrics_port} run --token-file {tmp_path / 'token'}"
    environment = {**os.environ, "TUNNEL_EDGE": f"127.0.0.1:{edge_port}"}
    connector = subprocess.Popen(
        [sys.executable, "-m", "localtier.tunnel.connector", *command.split()],
        env=environment,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait(lambda: main(["tunnel", "--metrics", f"127.0.0.1:{metrics_port}", "ready"]) == 0)
        port = service.getsockname()[1]
        route = EdgeRoute(name="n", hostname="h", service=f"tcp://127.0.0.1:{port}", local_port=local_port)
        write_settings(tmp_path / "edge.json", EdgeSettings(tokens=("secret",), routes=(route,)))
        wait(lambda: socket.socket().connect_ex(("127.0.0.1", local_port)) == 0)
        with socket.create_connection(("127.0.0.1", local_port)) as client:
            client.sendall(b"hello")
            assert client.recv(100) == b"HELLO"
        connector.send_signal(signal.SIGTERM)
        assert connector.wait(10) == 0
        edge.send_signal(signal.SIGTERM)
        assert edge.wait(10) == 0
    finally:
        service.close()
        for process in (connector, edge):
            process.kill()
            process.wait()

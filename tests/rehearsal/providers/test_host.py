from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from rehearsal.providers.host import ANNOUNCEMENT, LOG, PROJECT, HostFailedError, ProviderHost
from rehearsal.tables.facts import PACKAGES
from tests.rehearsal.providers.given import NETWORK

SECONDS = 10.0


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def connected(host: ProviderHost, package: str) -> grpc.Channel:
    return grpc.insecure_channel(f"127.0.0.1:{host.announcement.providers[package]}")


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + SECONDS
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_alive(pid)


def test_a_host_serves_every_package_and_stops_with_its_block(tmp_path: Path) -> None:
    with ProviderHost(tmp_path) as host:
        environment, announced = host.environment(), host.announcement
        for package in announced.providers:
            with connected(host, package) as channel:
                stub = provider_pb2_grpc.ResourceProviderStub(channel)
                assert stub.GetPluginInfo(empty_pb2.Empty()).version
    assert set(announced.providers) == {*PACKAGES, "pulumi-python"}
    attached = dict(part.split(":") for part in environment["PULUMI_DEBUG_PROVIDERS"].split(","))
    assert attached == {name: str(port) for name, port in announced.providers.items()}
    assert environment["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] == "true"
    assert environment["B2_ENVIRONMENT"] == announced.b2
    assert not (tmp_path / ANNOUNCEMENT).exists()
    assert not is_alive(announced.pid)


def test_a_detached_host_is_found_again_and_stopped_by_another_command(tmp_path: Path) -> None:
    first = ProviderHost(tmp_path).start_detached()
    try:
        assert ProviderHost(tmp_path).start_detached() == first
        assert ProviderHost(tmp_path).announcement == first
        with pytest.raises(HostFailedError, match=r"serves .* already"), ProviderHost(tmp_path):
            pass
        assert is_alive(first.pid)
    finally:
        ProviderHost(tmp_path).stop()
    # This test is the process's parent: collect it, as the init process would have.
    os.waitpid(first.pid, 0)
    assert not is_alive(first.pid)
    with pytest.raises(HostFailedError, match="no provider process serves"):
        _ = ProviderHost(tmp_path).announcement


def test_a_host_stops_when_its_parent_is_gone(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from rehearsal.providers.host import ProviderHost\n"
        "host = ProviderHost(Path(sys.argv[1])).__enter__(); print(host.announcement.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], cwd=PROJECT, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    with parent.stdout:
        pid = int(parent.stdout.readline())
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    wait_until_gone(pid)


def test_an_announcement_left_behind_is_no_running_host(tmp_path: Path) -> None:
    left = {"pid": os.getpid(), "providers": {"docker": 1}, "b2": ""}
    (tmp_path / ANNOUNCEMENT).write_text(json.dumps(left), encoding="utf-8")
    ProviderHost(tmp_path).stop()
    with pytest.raises(HostFailedError, match="no provider process serves"):
        ProviderHost(tmp_path).environment()


def test_a_host_that_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "cloud.sqlite").write_text("this is no database", encoding="utf-8")
    with (
        pytest.raises(HostFailedError, match=r"(?s)ended; the end of .*providers\.log:.*file is not a database"),
        ProviderHost(tmp_path),
    ):
        pass
    assert (tmp_path / LOG).exists()


def test_a_type_without_a_table_reaches_the_engine_as_an_error(tmp_path: Path) -> None:
    tag = "docker:index/tag:Tag"
    with ProviderHost(tmp_path) as host, connected(host, "docker") as channel:
        stub = provider_pb2_grpc.ResourceProviderStub(channel)
        known = provider_pb2.CheckRequest(urn=f"urn:pulumi:s::p::{NETWORK}::a", name="a", type=NETWORK)
        assert list(stub.Check(known).failures) == []
        unknown = provider_pb2.CheckRequest(urn=f"urn:pulumi:s::p::{tag}::a", name="a", type=tag)
        with pytest.raises(
            grpc.RpcError, match=r"UNIMPLEMENTED(?s:.*)no table describes docker:index/tag:Tag: add it to"
        ):
            stub.Check(unknown)

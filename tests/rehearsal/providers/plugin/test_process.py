"""The process of a plugin: what it is given, and that it ends with the process that asked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rehearsal.providers.host import PROJECT
from rehearsal.providers.plugin.finding import Plugin
from rehearsal.providers.plugin.process import PluginProcess
from tests.rehearsal.providers.plugin.installed import install
from tests.rehearsal.providers.test_host import wait_until_gone

SECONDS = 120.0


def plugin_that(folder: Path, script: str) -> Plugin:
    """A plugin that is a script of the shell."""
    binary = folder / "pulumi-resource-acme"
    binary.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    binary.chmod(0o755)
    return Plugin("acme", binary, "2.3.0")


def test_a_plugin_gets_the_engines_address_no_credential_and_no_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "hunter2")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/secret.json")
    seen = tmp_path / "seen"
    plugin = plugin_that(tmp_path, f"(echo $1; pwd -P; env) > {seen}; echo 4711; sleep 60")
    (tmp_path / "program").mkdir()
    process = PluginProcess(plugin, tmp_path / "plugins", tmp_path / "program")
    assert process.start(SECONDS) is None
    process.stop()
    assert process.address == "127.0.0.1:4711"
    told, where, *environment = seen.read_text("utf-8").splitlines()
    assert told == process.engine_address
    assert where == str((tmp_path / "program").resolve())
    assert "hunter2" not in "".join(environment)
    given = dict(line.split("=", 1) for line in environment)
    assert given["HOME"] == str(tmp_path / "plugins")
    assert given["HTTPS_PROXY"] == "http://127.0.0.1:9"
    assert given["PULUMI_GCP_SKIP_REGION_VALIDATION"] == "true"
    assert "GOOGLE_APPLICATION_CREDENTIALS" not in given


def test_stopping_ends_what_a_plugin_started_as_well(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    script = f"sleep 600 & echo $! > {pid_file}; echo 4711; wait"
    process = PluginProcess(plugin_that(tmp_path, script), tmp_path / "plugins")
    assert process.start(SECONDS) is None
    process.stop()
    wait_until_gone(int(pid_file.read_text("utf-8")))


def test_last_words_are_those_of_a_plugin_that_ended(tmp_path: Path) -> None:
    process = PluginProcess(plugin_that(tmp_path, "echo 70000; echo out of memory >&2; exit 7"), tmp_path / "plugins")
    assert process.start(SECONDS) == "ended before it printed a port"
    assert "out of memory" in process.last_words()
    assert "ended with status 7" in process.last_words()
    process.stop()


def test_a_plugin_ends_when_the_process_that_started_it_is_killed(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path\n"
        "from rehearsal.providers.plugin.client import PluginClient\n"
        "from rehearsal.providers.plugin.finding import Plugin\n"
        "client = PluginClient(Plugin('acme', Path(sys.argv[1])), Path(sys.argv[2]))\n"
        "print('started', flush=True); time.sleep(600)"
    )
    binary = install(tmp_path)
    command = [sys.executable, "-c", script, str(binary), str(tmp_path / "plugins")]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "started\n"
        plugins = [pid for pid in processes() if str(binary) in command_line(pid) or str(tmp_path) in command_line(pid)]
        assert len(plugins) >= 2
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
    for pid in plugins:
        wait_until_gone(pid)


def processes() -> list[int]:
    """Every process of this machine."""
    if not Path("/proc").is_dir():
        pytest.skip("this machine has no /proc to look into")
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()]


def command_line(pid: int) -> str:
    """What a process was started with; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text("utf-8").replace("\0", " ")
    except OSError:
        return ""

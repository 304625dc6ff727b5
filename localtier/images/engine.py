"""The builder: a Docker Engine of our own with its own data, started for a build and stopped after it.

It has no bridge and touches no packet filter: builds use the machine's network as it is.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
from docker.errors import DockerException
from rich.console import Console

from localtier.images.errors import ImageError
from localtier.images.machine import command_path, require_root
from rehearsal.toolchain import cache

START_SECONDS = 60.0
STOP_SECONDS = 60.0
CLIENT_TIMEOUT_SECONDS = 1_800
"""One step of a build may be silent for long."""


def local_cache() -> Path:
    """Return the folder that the servers' tier keeps its things in."""
    return cache.cache_root() / "local"


@contextmanager
def builder(console: Console) -> Iterator[docker.DockerClient]:
    """Run the builder for the block, by one process at a time; yield its client.

    Raises ImageError without root or when the engine does not start.
    """
    require_root()
    folder = local_cache() / "builder"
    folder.mkdir(parents=True, exist_ok=True)
    with cache.locked(
        folder.with_suffix(".lock"), lambda: console.print("Another process is using the image builder: waiting ...")
    ):
        process = _start(folder)
        try:
            client = _connected(folder, process)
            try:
                yield client
            finally:
                client.close()
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            _unmount_left_behind(folder)


def _start(folder: Path) -> subprocess.Popen[bytes]:
    _stop_left_behind(folder)
    with (folder / "dockerd.log").open("wb") as log:
        return subprocess.Popen(
            [
                command_path("dockerd"),
                f"--data-root={folder / 'data'}",
                f"--exec-root={folder / 'exec'}",
                f"--pidfile={folder / 'docker.pid'}",
                f"--host=unix://{folder / 'docker.sock'}",
                "--bridge=none",
                "--iptables=false",
                "--ip-masq=false",
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            # A Ctrl-C of the build must not stop the engine before its client.
            start_new_session=True,
        )


def _stop_left_behind(folder: Path) -> None:
    """End the engine that a killed run left with this folder: the lock is held, so nobody uses it."""
    try:
        pid = int((folder / "docker.pid").read_text(encoding="ascii"))
        ours = f"--data-root={folder / 'data'}".encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        ours = False
    if ours:
        os.kill(pid, signal.SIGTERM)
        until = time.monotonic() + STOP_SECONDS
        while Path(f"/proc/{pid}").exists() and time.monotonic() < until:
            time.sleep(0.1)
    for stale in ("docker.pid", "docker.sock"):
        (folder / stale).unlink(missing_ok=True)


def _unmount_left_behind(folder: Path) -> None:
    """Release the network namespace that dockerd keeps for builds: mounted, it keeps the folder from being removed."""
    namespace = folder / "exec" / "netns" / "default"
    if namespace.exists():
        subprocess.run([command_path("umount"), str(namespace)], capture_output=True, check=False)


def _connected(folder: Path, process: subprocess.Popen[bytes]) -> docker.DockerClient:
    until = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < until:
        try:
            client = docker.DockerClient(f"unix://{folder / 'docker.sock'}", timeout=CLIENT_TIMEOUT_SECONDS)
            client.ping()
        except (DockerException, OSError):
            time.sleep(0.1)
        else:
            return client
    log = (folder / "dockerd.log").read_text(encoding="utf-8", errors="replace").splitlines()[-15:]
    raise ImageError(
        "the image builder's Docker Engine did not start:\n" + "\n".join(log),
        f"see {folder / 'dockerd.log'}; a stale engine of the same folder must end first",
    )

"""One host's Docker Engine: how it is started, and how everything that runs on the host is found and ended."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import docker
import requests
from docker.errors import DockerException

from rehearsal.hosts.commands import run
from rehearsal.hosts.errors import HostsError
from rehearsal.hosts.layout import EngineFolder
from rehearsal.hosts.processes import POLL_SECONDS, last_lines, recorded, start_detached

CONTROL_GROUPS = Path("/sys/fs/cgroup")
START_TIMEOUT_SECONDS = 240.0
"""An engine answers only when it has ended and started its containers: 12 s for 40 small ones, on 2 cores."""
KILL_TIMEOUT_SECONDS = 20.0
CONTAINER_STOP_SECONDS = 15
"""What a container without a stop timeout of its own gets when the engine stops: dockerd's default."""
ENGINE_STOP_SECONDS = 180.0
"""Longer than any container's own time to stop; what is left then is killed."""
API_TIMEOUT_SECONDS = 60
MOUNT_POINT = 4
"""The field of `/proc/self/mountinfo` that holds the mount point. Source: proc(5)."""


def command(folder: EngineFolder, *, enter: Sequence[str], control_group: str, dns: str) -> list[str]:
    """Return the command line of a host's engine.

    The userland proxy stays on, as by default in production: without it a container cannot reach a port that another
    network's container publishes on the same host's address (the bridges are kept apart by the packet filter).
    The cgroup driver is named, because a group of our own must exist also where systemd is the default driver.
    """
    return [
        *enter,
        "dockerd",
        f"--host=unix://{folder.socket}",
        f"--data-root={folder.data}",
        f"--exec-root={folder.running}",
        f"--pidfile={folder.pid_file}",
        f"--cgroup-parent={control_group}",
        "--exec-opt=native.cgroupdriver=cgroupfs",
        f"--dns={dns}",
        "--iptables=true",
        "--ip6tables=false",
        "--userland-proxy=true",
        f"--shutdown-timeout={CONTAINER_STOP_SECONDS}",
        "--log-level=warn",
    ]


def start(folder: EngineFolder, *, enter: Sequence[str], control_group: str, dns: str) -> None:
    """Start the engine when it does not run; it answers only later, see `wait`."""
    if recorded(folder.record) is not None:
        return
    folder.root.mkdir(parents=True, exist_ok=True)
    # Left by an engine that was killed: a process that now has one of these ids would pass for it.
    for stale in (folder.pid_file, folder.running / "containerd" / "containerd.pid", folder.socket):
        stale.unlink(missing_ok=True)
    words = command(folder, enter=enter, control_group=control_group, dns=dns)
    start_detached(words, log=folder.log, record=folder.record)


def client(folder: EngineFolder) -> docker.DockerClient:
    """Return a client of the engine, which need not run yet."""
    return docker.DockerClient(base_url=f"unix://{folder.socket}", version="1.41", timeout=API_TIMEOUT_SECONDS)


def wait(folder: EngineFolder, host: str) -> None:
    """Wait until the engine answers. Raises `HostsError` with its last words when it ends or takes too long."""
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    connection = client(folder)
    try:
        while True:
            with suppress(DockerException, requests.RequestException):
                connection.ping()
                return
            alive = recorded(folder.record) is not None
            if not alive or time.monotonic() > deadline:
                what = f"did not answer within {START_TIMEOUT_SECONDS:.0f} s" if alive else "ended while starting"
                words = f"the engine of {host} {what}; its log {folder.log} ends:\n{last_lines(folder.log)}"
                raise HostsError(words, "mend what the log names, then start again")
            time.sleep(POLL_SECONDS)
    finally:
        connection.close()


def stop(folders: Sequence[EngineFolder]) -> None:
    """Stop engines, and with them their containers, all at once; return when they have ended or the time is over."""
    engines = [engine for folder in folders if (engine := recorded(folder.record)) is not None]
    for engine in engines:
        engine.send(signal.SIGTERM)
    deadline = time.monotonic() + ENGINE_STOP_SECONDS
    for engine in engines:
        engine.ends_within(max(0.0, deadline - time.monotonic()))


def kill(folder: EngineFolder) -> None:
    """SIGKILL the engine and its containerd; the containers' own processes and their shims stay, as on a real host."""
    engine = recorded(folder.record)
    if engine is None:
        return
    engine.send(signal.SIGKILL)
    engine.ends_within(KILL_TIMEOUT_SECONDS)
    config = str(folder.running / "containerd" / "containerd.toml")
    # Its parent-death signal ends containerd with the engine; this is for one that is slow about it.
    _kill_until_none(lambda: (pid for pid in _processes() if config in _arguments(pid)))
    folder.record.unlink(missing_ok=True)


def kill_everything(folder: EngineFolder, *, namespace: Path, control_group: str) -> None:
    """SIGKILL all that runs on the host at once: engine, containerd, shims, and every container's processes."""
    _kill_until_none(lambda: on_host(namespace, control_group))
    for record in (folder.record, folder.pid_file, folder.socket):
        record.unlink(missing_ok=True)


def on_host(namespace: Path, control_group: str) -> Iterator[int]:
    """Yield the ids of the processes of a host: those in its network namespace and those in its control group."""
    inode = namespace.stat().st_ino if namespace.exists() else None
    in_group = set(_in_group(control_group))
    for pid in _processes():
        with suppress(OSError):
            if pid in in_group or (inode and Path(f"/proc/{pid}/ns/net").stat().st_ino == inode):
                yield pid


def unmount_below(folder: Path) -> None:
    """Unmount whatever is still mounted below a folder, the innermost first."""
    lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    points = [Path(line.split()[MOUNT_POINT].replace("\\040", " ")) for line in lines]
    for point in reversed([point for point in points if point.is_relative_to(folder)]):
        run(["umount", "--lazy", str(point)])


def remove_control_group(control_group: str) -> None:
    """Remove the empty control groups of a host that has ended."""
    for group in _group_folders(control_group):
        for folder in reversed(_folders(group)):
            with suppress(OSError):
                folder.rmdir()


def _kill_until_none(find: Callable[[], Iterable[int]]) -> None:
    deadline = time.monotonic() + KILL_TIMEOUT_SECONDS
    while left := list(find()):
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        if time.monotonic() > deadline:
            raise HostsError(f"processes {left} do not end", "see what they wait for: they are in the kernel")
        time.sleep(POLL_SECONDS)


def _processes() -> Iterator[int]:
    return (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())


def _arguments(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []


def _group_folders(control_group: str) -> list[Path]:
    """Return the group's folders: one in version 2, one a controller in version 1."""
    name = control_group.lstrip("/")
    roots = [CONTROL_GROUPS, *(path for path in CONTROL_GROUPS.iterdir() if path.is_dir() and not path.is_symlink())]
    return [root / name for root in roots if (root / name).is_dir()]


def _in_group(control_group: str) -> Iterator[int]:
    for group in _group_folders(control_group):
        for folder in _folders(group):
            with suppress(OSError):
                yield from (int(line) for line in (folder / "cgroup.procs").read_text(encoding="ascii").split())


def _folders(group: Path) -> list[Path]:
    """Return a group and all below, each before those in it. One that goes meanwhile is passed over."""
    return [Path(folder) for folder, _, _ in os.walk(group)]

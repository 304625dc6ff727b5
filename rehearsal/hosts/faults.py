"""What goes wrong with real hosts, done to these: crashes, lost power, cut cables, lost disks."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path
from typing import Any

from docker.models.containers import Container

from rehearsal.hosts import engine
from rehearsal.hosts.errors import HostsError
from rehearsal.hosts.world import World

VOLUME_STOP_SECONDS = 30


def kill_container(world: World, host: str, name: str, *, stay_down: bool = False) -> None:
    """SIGKILL a container's main process, as a crash would: Docker's restart policy then acts.

    With `stay_down` the engine is told to kill it, and then leaves it down as whoever tells it so wants.
    Raises `HostsError` when it does not run.
    """
    client = world.client(host)
    try:
        container = client.containers.get(name)
        if stay_down:
            container.kill()
            return
        pid = _main_process(container)
        descriptor = os.pidfd_open(pid)
        try:
            # The descriptor holds the process that has this id now; so it is asked again whose id that is.
            container.reload()
            if _main_process(container) == pid:
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        finally:
            os.close(descriptor)
    except ProcessLookupError:
        raise HostsError(f"container {name} of {host} ended by itself", "look at its log") from None
    finally:
        client.close()


def kill_engine(world: World, host: str) -> None:
    """SIGKILL the Docker Engine and its containerd. The containers run on, without any engine to look after them.

    The engine that is started next ends them first and then starts those whose restart policy says so: it runs
    without live restore, as by default.
    """
    with world.changing():
        engine.kill(world.layout.engine(world.host(host).name))


def start_engine(world: World, host: str) -> None:
    """Start the engine of a host that has none, and wait until it answers."""
    with world.changing():
        world.power_up(world.host(host))
        engine.wait(world.layout.engine(host), host)


def restart_engine(world: World, host: str) -> None:
    """Stop the engine in order, as `systemctl restart docker` does, and start it again with its containers."""
    with world.changing():
        engine.stop([world.layout.engine(world.host(host).name)])
    start_engine(world, host)


def power_off(world: World, host: str) -> None:
    """Take a host's power away: first its network, then everything that runs on it, at once and without a word.

    What was written to its volumes stays, also what a real disk would have lost of it: nothing here loses unsynced
    writes, for the kernel that holds them runs on.
    """
    with world.changing():
        world.network.plug(world.host(host).name, connected=False)
        world.clear(host)


def power_on(world: World, host: str) -> None:
    """Give the power back and wait until the engine answers; containers start as their restart policies say."""
    connect(world, host)
    start_engine(world, host)


def cut_link(world: World, one: str, other: str) -> None:
    """Drop every packet between two hosts; each still reaches every other one and the outside."""
    with world.changing():
        world.network.cut(world.address(one), world.address(other))


def heal_link(world: World, one: str, other: str) -> None:
    """Undo `cut_link`."""
    with world.changing():
        world.network.heal(world.address(one), world.address(other))


def disconnect(world: World, host: str) -> None:
    """Pull a host's cable: it runs on, and nobody reaches it."""
    with world.changing():
        world.network.plug(world.host(host).name, connected=False)


def connect(world: World, host: str) -> None:
    """Undo `disconnect`."""
    with world.changing():
        world.network.plug(world.host(host).name, connected=True)


def wipe_volume(world: World, host: str, volume: str) -> tuple[str, ...]:
    """Lose a disk: stop the containers that use a volume, delete all that is in it, start those that ran.

    Returns their names. Raises `HostsError` for a volume that is not in the host's own folder.
    """
    client = world.client(host)
    try:
        content = Path(client.volumes.get(volume).attrs["Mountpoint"])
        if not content.is_relative_to(world.layout.engine(host).data):
            raise HostsError(f"volume {volume} of {host} stands at {content}", "wipe only local volumes of that host")
        users = client.containers.list(filters={"volume": volume})
        for container in users:
            container.stop(timeout=VOLUME_STOP_SECONDS)
        for path in content.iterdir():
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        for container in users:
            container.start()
        return tuple(sorted(str(container.name) for container in users))
    finally:
        client.close()


def _main_process(container: Container) -> int:
    state: dict[str, Any] = container.attrs["State"]
    if not state["Running"] or not state["Pid"]:
        raise HostsError(f"container {container.name} does not run, but is {state['Status']}", "start it first")
    return int(state["Pid"])

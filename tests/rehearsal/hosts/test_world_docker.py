"""A world of real engines: who reaches whom, what each fault does, and that nothing is left behind."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from docker.models.containers import Container

from rehearsal.hosts import HostsError, World, engine, faults
from tests.rehearsal.hosts.worlds import (
    CLOUD,
    IMAGE,
    ONE,
    SERVERS,
    TWO,
    WITNESS,
    fetch,
    give_image,
    output,
    temporary_world,
)

pytestmark = pytest.mark.docker

PORT = 8080
PAGE = "hello"
SERVE = ["sh", "-c", f"echo {PAGE} > /www/index.html; trap exit TERM; httpd -f -p 80 -h /www & wait"]
"""Ends at once when told to, unlike a first process without a handler."""


def eventually(what: Callable[[], bool], seconds: float = 15.0) -> bool:
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def serve(world: World, host: str, name: str, port: int, policy: str = "unless-stopped") -> Container:
    client = world.client(host)
    if not client.networks.list(names=["apart"]):
        client.networks.create("apart")
    options: dict[str, Any] = {
        "name": name,
        "network": "apart",
        "ports": {"80/tcp": (world.address(host), port)},
        "restart_policy": {"Name": policy},
        "volumes": {f"{name}-data": {"bind": "/data"}},
    }
    container: Container = client.containers.run(IMAGE, SERVE, detach=True, **options)
    return container


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with temporary_world("t", (ONE, TWO, WITNESS)) as started:
        yield started


@pytest.fixture
def page(world: World) -> Iterator[Container]:
    container = serve(world, "one", "page", PORT)
    assert eventually(lambda: answered(world))
    yield container
    world.start()
    faults.heal_link(world, "one", "two")
    client = world.client("one")
    client.containers.get("page").remove(force=True, v=True)


def answered(world: World, by: str | None = None) -> bool:
    command = fetch(ONE.address, PORT)
    return output(world.outside(command) if by is None else world.inside(by, command)) == PAGE


def container_gets(world: World, host: str, network: str) -> bool:
    client = world.client(host)
    if network != "bridge" and not client.networks.list(names=[network]):
        client.networks.create(network)
    script = fetch(ONE.address, PORT)[2].replace("busybox", "/bin/busybox")
    return client.containers.run(IMAGE, ["sh", "-c", script], network=network, remove=True).decode().strip() == PAGE


@pytest.mark.parametrize(
    ("host", "network"), [("one", "apart"), ("one", "another"), ("two", "bridge"), ("witness", "bridge")]
)
def test_a_published_port_is_reached_from_containers_of_every_host_and_network(
    world: World, page: Container, host: str, network: str
) -> None:
    assert container_gets(world, host, network)


def test_a_published_port_is_reached_from_outside_and_from_every_host(world: World, page: Container) -> None:
    assert [answered(world, by) for by in (None, "one", "two", "witness")] == [True] * 4


def test_a_published_port_listens_on_the_hosts_address_only(world: World, page: Container) -> None:
    assert world.listening("one") == {(ONE.address, PORT)}
    assert world.listening("two") == frozenset()


def test_this_machine_has_neither_the_addresses_nor_a_way_to_them(world: World, page: Container) -> None:
    assert "10.20.0." not in output(["ip", "-o", "address"])
    assert output(fetch(ONE.address, PORT)) != PAGE


def test_a_cut_link_parts_two_hosts_and_nobody_else(world: World, page: Container) -> None:
    faults.cut_link(world, "two", "one")
    faults.cut_link(world, "two", "one")
    assert [answered(world, by) for by in (None, "two", "witness")] == [True, False, True]
    faults.heal_link(world, "one", "two")
    assert answered(world, "two")


def test_a_disconnected_host_runs_on_and_is_reached_by_nobody(world: World, page: Container) -> None:
    faults.disconnect(world, "one")
    assert [answered(world, by) for by in (None, "one", "two", "witness")] == [False, True, False, False]
    faults.connect(world, "one")
    assert eventually(lambda: answered(world, "two"))


def test_power_off_ends_everything_at_once_and_power_on_starts_the_containers_again(
    world: World, page: Container
) -> None:
    page.exec_run(["sh", "-c", "echo kept > /data/file"])
    group = world.control_group("one")
    assert len(list(engine.on_host(world.network.path("one"), group))) > 3
    faults.power_off(world, "one")
    assert not list(engine.on_host(world.network.path("one"), group))
    assert not world.is_running("one")
    assert not answered(world)
    assert world.is_running("two")
    faults.power_on(world, "one")
    assert eventually(lambda: answered(world))
    assert world.client("one").containers.get("page").exec_run(["busybox", "cat", "/data/file"]).output == b"kept\n"


def test_containers_outlive_their_killed_engine_and_the_next_one_ends_them_first(world: World, page: Container) -> None:
    """Docker's own behaviour without live restore: it counts as stopped by hand what it ends then."""
    always = serve(world, "one", "always", PORT + 1, policy="always")
    faults.kill_engine(world, "one")
    assert not world.is_running("one")
    assert answered(world)
    faults.start_engine(world, "one")
    client = world.client("one")
    assert eventually(lambda: client.containers.get(str(always.name)).status == "running")
    assert client.containers.get("page").status == "exited"
    client.containers.get("page").start()
    client.containers.get(str(always.name)).remove(force=True, v=True)


def test_a_killed_container_starts_again_unless_it_is_to_stay_down(world: World, page: Container) -> None:
    faults.kill_container(world, "one", "page")
    client = world.client("one")
    assert eventually(lambda: client.containers.get("page").attrs["RestartCount"] == 1 and answered(world))
    faults.kill_container(world, "one", "page", stay_down=True)
    time.sleep(0.5)
    assert client.containers.get("page").status == "exited"
    with pytest.raises(HostsError, match="does not run"):
        faults.kill_container(world, "one", "page")


def test_a_wiped_volume_is_empty_and_its_container_runs_again(world: World, page: Container) -> None:
    page.exec_run(["sh", "-c", "mkdir -p /data/deep && echo lost > /data/deep/file"])
    assert faults.wipe_volume(world, "one", "page-data") == ("page",)
    assert eventually(lambda: answered(world))
    assert world.client("one").containers.get("page").exec_run(["busybox", "ls", "-A", "/data"]).output == b""


def test_another_root_cannot_take_the_same_namespaces(world: World, tmp_path: Path) -> None:
    other = World(root=tmp_path, prefix=world.prefix, lans=world.lans, hosts=world.hosts)
    with pytest.raises(HostsError, match="another prefix"):
        other.start()


def test_a_service_outside_is_found_again_kept_changed_and_ended(world: World) -> None:
    same = World(root=world.root, prefix=world.prefix, lans=world.lans, hosts=world.hosts)
    world.start_service("sleeper", ["sleep", "1000"])
    first = world.layout.services.joinpath("sleeper.json").read_text()
    same.start_service("sleeper", ["sleep", "1000"])
    assert world.layout.services.joinpath("sleeper.json").read_text() == first
    same.start_service("sleeper", ["sleep", "2000"])
    assert world.layout.services.joinpath("sleeper.json").read_text() != first
    assert same.is_service_running("sleeper")
    world.stop_service("sleeper")
    assert not same.is_service_running("sleeper")


def test_hosts_are_added_later_and_stop_leaves_nothing_but_data(world: World) -> None:
    root = Path(tempfile.mkdtemp(prefix="world-"))
    small = World(root=root, prefix="tt", lans=(SERVERS,), hosts=(ONE,))
    large = World(root=root, prefix="tt", lans=(SERVERS, CLOUD), hosts=(ONE, TWO, WITNESS))
    try:
        small.start()
        give_image(small)
        serve(small, "one", "page", PORT)
        before = small.layout.engine("one").record.read_text()
        large.start()
        assert small.layout.engine("one").record.read_text() == before
        assert eventually(lambda: answered(large, "witness"))
        large.start_service("sleeper", ["sleep", "1000"])
        # By the world that knows of one host only: what was started stands in the folder.
        small.stop()
        assert traces(root, "tt") == []
        assert (root / "hosts/one/data/volumes/page-data").is_dir()
        small.start()
        assert eventually(lambda: answered(small))
    finally:
        large.forget()
    assert traces(root, "tt") == []
    assert [path.name for path in root.iterdir()] == ["lock"]
    shutil.rmtree(root)


def traces(root: Path, prefix: str) -> list[str]:
    """Namespaces, mounts, processes and control groups of a world."""
    namespaces = [line for line in output(["ip", "netns", "list"]).splitlines() if line.startswith(f"{prefix}-")]
    mounts = [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if str(root) in line]
    processes = [line for line in output(["ps", "-eo", "args"]).splitlines() if str(root) in line]
    groups = [str(path) for path in engine.CONTROL_GROUPS.glob(f"**/{prefix}-*")]
    return namespaces + mounts + processes + groups

"""Real worlds for the tests marked `docker`: hosts in two networks, each with an engine and a small image."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from rehearsal.hosts import HostSpec, Lan, World

ASKED_FOR = "DREAMSEED_WORLD_TESTS"
IMAGE = "busybox:test"
SERVERS = Lan(name="servers", cidr="10.20.0.0/24", gateway="10.20.0.1")
CLOUD = Lan(name="cloud", cidr="10.40.0.0/16", gateway="10.40.0.1")
ONE = HostSpec(name="one", address="10.20.0.11", network=SERVERS)
TWO = HostSpec(name="two", address="10.20.0.12", network=SERVERS)
WITNESS = HostSpec(name="witness", address="10.40.0.10", network=CLOUD)


def image_archive() -> bytes:
    """A root file system of one static program."""
    busybox = shutil.which("busybox")
    assert busybox is not None, "apt-get install busybox-static"
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.add(busybox, "bin/busybox", filter=lambda member: member.replace(mode=0o755))
        for name in ("sh", "sleep", "httpd", "nslookup"):
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
        for folder in ("tmp", "www", "data"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o777
            tar.addfile(entry)
    return archive.getvalue()


def give_image(world: World) -> None:
    for host in world.hosts:
        client = world.client(host.name)
        client.api.import_image_from_data(image_archive(), repository="busybox", tag="test")
        client.close()


@contextmanager
def temporary_world(prefix: str, hosts: Sequence[HostSpec]) -> Iterator[World]:
    """A started world in a folder of its own, with the image; skips loudly where none was asked for."""
    if os.environ.get(ASKED_FOR) != "1":
        pytest.skip(f"starts engines as root: set {ASKED_FOR}=1 to run it")
    root = Path(tempfile.mkdtemp(prefix="world-"))
    world = World(root=root, prefix=prefix, lans=(SERVERS, CLOUD), hosts=tuple(hosts))
    try:
        world.start()
        give_image(world)
        yield world
    finally:
        world.forget()
        shutil.rmtree(root)


def fetch(address: str, port: int) -> list[str]:
    """The command that prints a web page; Debian's static busybox has a wget that crashes, so by hand."""
    return ["sh", "-c", f"printf 'GET / HTTP/1.0\\r\\n\\r\\n' | busybox nc -w 2 {address} {port} | busybox tail -n 1"]


def output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30).stdout.strip()

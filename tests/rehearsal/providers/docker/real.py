"""A real Docker Engine for tests, and a tiny image on it."""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
from pathlib import Path

import pytest
from docker.api.client import APIClient
from docker.errors import APIError

VARIABLE = "DREAMSEED_DOCKER_SOCKET"
HOST = "ssh://dreamseed@server-1.example"
TINY = "dreamseed-test-tiny:1"
REFERENCE = f"registry.example/tiny:1@sha256:{'a' * 64}"
"""What the tiny image stands in for."""
PREFIX = "dreamseed-test-"
"""Every object of these tests is called so; what is left over from an earlier run goes first."""
APPLETS = ("sh", "sleep", "cat", "echo", "test", "touch", "true", "false", "rm", "exit")


def socket() -> str:
    """The URL of the engine that the environment names; without it the tests are skipped, saying so."""
    path = os.environ.get(VARIABLE, "")
    if not path:
        pytest.skip(f"needs a real Docker Engine: set {VARIABLE} to the path of its socket")
    return f"unix://{path}"


def docker_hosts(folder: Path) -> Path:
    """A mapping file with the engine as the one host."""
    file = folder / "docker-hosts.json"
    file.write_text(json.dumps({HOST: socket()}), encoding="utf-8")
    return file


def engine_with_tiny_image() -> APIClient:
    """A client of the engine, which holds the tiny image and nothing else of these tests."""
    api = APIClient(base_url=socket(), version="auto")
    for container in api.containers(all=True, filters={"name": PREFIX}):
        api.remove_container(container["Id"], v=True, force=True)
    for network in api.networks(names=[PREFIX]):
        api.remove_network(network["Id"])
    for volume in api.volumes(filters={"name": PREFIX})["Volumes"] or []:
        api.remove_volume(volume["Name"])
    if not api.images(name=TINY):
        _import_tiny(api)
    return api


def _import_tiny(api: APIClient) -> None:
    busybox = shutil.which("busybox")
    if busybox is None:
        pytest.skip("needs a statically linked busybox for its image: apt-get install busybox-static")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.add(busybox, "bin/busybox")
        for applet in APPLETS:
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
    name, _, tag = TINY.partition(":")
    label = f"LABEL from=image dreamseed.stands-in-for={REFERENCE}"
    changes = ["ENV PATH=/bin", 'CMD ["sleep","1000"]', label]
    api.import_image_from_data(buffer.getvalue(), repository=name, tag=tag, changes=changes)


def containers(api: APIClient) -> list[str]:
    """Names of these tests' containers, running or not."""
    return sorted(c["Names"][0].lstrip("/") for c in api.containers(all=True, filters={"name": PREFIX}))


def exists(api: APIClient, name: str) -> bool:
    """Whether the container is there."""
    try:
        api.inspect_container(name)
    except APIError:
        return False
    return True

"""What a container may do on its server: as little as its image runs with, by one rule for all of them.

Only the packet filter and the encrypted link have a capability, one each: none of the other programs needs one as the
plan runs them, since none changes its user, opens a port below 1024 by privilege or touches another's files. Sources
for each image: docs/reference/rights.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from dreamseed.planning.container import Container

PROCESSES_OF_A_USER = 16_384
"""Processes and threads that one user of a server may have, in all its containers that run as the same user.

Docker's limit of a container's own processes (`--pids-limit`) is no input of the provider 5.2; RLIMIT_NPROC is, and the
kernel counts it by user and holds root to none. Source: getrlimit(2). So it is a bound that one container out of
control meets before the server does, above whatever stages need, and the same for all, so that no promotion changes it.
"""
AS_ROOT: Mapping[str, str] = MappingProxyType(
    {
        "vllm": "weights and caches lie in root's home, in a volume that has been root's since its first start",
        "etcd": "the image has no other user, and none owns the folder that Docker makes for the volume but root",
        "dcgm-exporter": "the image's start script makes the linker's cache anew, which is root's",
        "packet-filter": "Docker gives capabilities to root alone, and the kernel takes rules from NET_ADMIN",
        "wireguard": "Docker gives capabilities to root alone, and the kernel takes interfaces from NET_ADMIN",
    }
)
"""Service → why its containers run as root."""
_CAPABILITIES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"packet-filter": ("NET_ADMIN",), "wireguard": ("NET_ADMIN",)}
)
"""Service → the capabilities of its containers: the rules of its host's network are made with this one."""
_DEVICES: Mapping[str, tuple[str, ...]] = MappingProxyType({"wireguard": ("/dev/net/tun",)})
"""Service → the devices of its host that it opens: a kernel without WireGuard has its packets sealed by a program."""


def is_read_only(container: Container) -> bool:
    """Tell whether the container's root file system is read-only: where no file is put into it before it starts.

    Docker copies no file into a container whose root file system is read-only, not even below one of its volumes, and
    secrets have no other way in that `docker inspect` does not show. Source: moby, daemon/archive.go; the provider
    uploads to `/`; tried with Docker Engine 20.10.24 on 2026-11-27.
    """
    return not container.files


def capabilities_of(container: Container) -> tuple[str, ...]:
    """Return all capabilities that the container has, by the names that Docker takes; none but for two services."""
    return _CAPABILITIES.get(container.service, ())


def devices_of(container: Container) -> tuple[str, ...]:
    """Return the devices of its host that the container reaches, by their paths; GPUs are given in another way."""
    return _DEVICES.get(container.service, ())


def limits_of(container: Container) -> Mapping[str, int]:
    """Return the container's limits by their names in `ulimits`; that of processes has no meaning for root."""
    if container.user is None:
        return container.ulimits
    return {"nproc": PROCESSES_OF_A_USER, **container.ulimits}

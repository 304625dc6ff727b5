"""Containers of the servers: known images, limits, health checks, no more rights than they need."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from policy.model import UNKNOWN, Resource, Rule, Stage, of_type

CONTAINER = "docker:index/container:Container"
IMAGE = "docker:index/remoteImage:RemoteImage"
BY_DIGEST = re.compile(r"[^@\s]+@sha256:[0-9a-f]{64}")
SEES_THE_HOST = "-node-exporter"
"""The name's end of the one container that measures its host: the host's network, and its files to read."""
FILTERS = "packet-filter"
"""The one service that makes its host's packet filter: the host's network, and the capability that takes."""
LINKS = "wireguard"
"""The one service that encrypts between servers: the same, and the device with which a program makes an interface."""
TUNNEL_DEVICE = "/dev/net/tun"
SOCKET = "/var/run/docker.sock"
MAY_BE_ROOT = frozenset({"vllm", "etcd", "dcgm-exporter", FILTERS, LINKS})
"""The services whose images run as root alone: docs/reference/rights.md says why."""
MOST_PROCESSES = 16_384
OF_ITS_OWN = re.compile(r"[1-9]\d*(:[1-9]\d*)?")


def is_job(resource: Resource) -> bool:
    """Tell whether the container ends by itself, and is waited for."""
    return resource.at("attach") is True and resource.at("mustRun") is False


def service_of(resource: Resource) -> str:
    """Return the service that the container's label names, "" for none."""
    labels: Any = resource.at("labels", [])
    return next((str(one.get("value")) for one in labels if one.get("label") == "service"), "")


def _image(resource: Resource, _: Stage) -> Iterator[str]:
    if not BY_DIGEST.fullmatch(str(resource.at("name", ""))):
        yield f"{resource.at('name')} names no digest"


def _runs_known_image(resource: Resource, _: Stage) -> Iterator[str]:
    image = resource.at("image")
    if image is not UNKNOWN and not str(image).startswith("sha256:"):
        yield f"it runs {image}, which is not the id of an image that the program declares"


def _health(resource: Resource, _: Stage) -> Iterator[str]:
    check = resource.at("healthcheck")
    if not isinstance(check, Mapping) or not check.get("tests") or check["tests"][0] == "NONE":
        yield "it has no health check"
    elif resource.at("wait") is not True:
        yield "what follows does not wait until it is healthy"


def _limits(resource: Resource, _: Stage) -> Iterator[str]:
    memory = resource.at("memory") or 0
    if memory <= 0:
        yield "its memory has no limit"
    if resource.at("memorySwap") != resource.at("memory"):
        yield "it may swap"
    if (resource.at("cpuShares") or 0) <= 0:
        yield "it has no share of the CPU"
    logs: Any = resource.at("logOpts", {})
    if not logs.get("max-size") or not logs.get("max-file"):
        yield "its log may fill the disk"
    limits: Any = resource.at("ulimits", [])
    of_processes = [one.get("hard") or 0 for one in limits if one.get("name") == "nproc"]
    if service_of(resource) not in MAY_BE_ROOT and not any(0 < limit <= MOST_PROCESSES for limit in of_processes):
        yield f"its user may have more than {MOST_PROCESSES:,} processes"


def _identity(resource: Resource) -> Iterator[str]:
    if "ALL" not in (resource.at("capabilities.drops") or []):
        yield "it keeps Docker's capabilities"
    if resource.at("readOnly") is not True and not resource.at("uploads"):
        yield "its root file system can be written, and no file has to be put there"
    user = resource.at("user")
    if user is None and service_of(resource) not in MAY_BE_ROOT:
        yield "it runs as whom its image says, which may be root"
    elif user is not None and not OF_ITS_OWN.fullmatch(str(user)):
        yield f"it is told to run as {user}, not as the number of a user of its own"


def _rights(resource: Resource, _: Stage) -> Iterator[str]:
    yield from _identity(resource)
    measures = resource.name.endswith(SEES_THE_HOST)
    if "no-new-privileges:true" not in resource.at("securityOpts", []):
        yield "it may gain privileges"
    if any("unconfined" in str(option) for option in resource.at("securityOpts", [])):
        yield "the kernel's filters are off"
    if resource.at("privileged"):
        yield "it is privileged"
    administers = service_of(resource) in (FILTERS, LINKS)
    gained: Any = resource.at("capabilities.adds") or []
    if too_many := set(gained) - ({"NET_ADMIN"} if administers else set()):
        yield f"it gains {', '.join(sorted(too_many))}"
    for name in ("networkMode", "pidMode", "ipcMode", "usernsMode"):
        if resource.at(name) == "host" and not ((measures or administers) and name == "networkMode"):
            yield f"{name} is the host's"
    for device in resource.at("devices") or []:
        if service_of(resource) != LINKS or device.get("hostPath") != TUNNEL_DEVICE:
            yield f"it reaches the device {device.get('hostPath')} of its host"
    for volume in resource.at("volumes", []):
        path = volume.get("hostPath")
        if path and (path == SOCKET or not measures or volume.get("readOnly") is not True):
            yield f"it reaches {path} of its host"


def _restarts(resource: Resource, _: Stage) -> Iterator[str]:
    wanted = "no" if is_job(resource) else "always"
    if resource.at("restart") != wanted:
        yield f"its restart policy is {resource.at('restart')}, not {wanted}"


RULES = (
    Rule(
        name="images-by-digest",
        description="An image is named by its digest.",
        remedy="write NAME:TAG@sha256:DIGEST in dreamseed/catalog/images.py",
        guards=of_type(IMAGE),
        faults=_image,
    ),
    Rule(
        name="containers-run-declared-images",
        description="A container runs an image that the program declares.",
        remedy="pass the declared image's id",
        guards=of_type(CONTAINER),
        faults=_runs_known_image,
    ),
    Rule(
        name="containers-are-checked",
        description="A container that stays has a health check, and what follows waits for it.",
        remedy="write a health check in the service's plan",
        guards=lambda resource: resource.type == CONTAINER and not is_job(resource),
        faults=_health,
    ),
    Rule(
        name="containers-have-limits",
        description="A container has limits of memory and its user's processes, a share of the CPU, a log that ends.",
        remedy="set memory, memorySwap to the same, ulimits nproc, cpuShares, and logOpts max-size and max-file",
        guards=of_type(CONTAINER),
        faults=_limits,
    ),
    Rule(
        name="containers-have-few-rights",
        description="A container is a user of its own, has no capability, a read-only root where no file is put in, "
        "no way to gain privileges, and nothing of its host; one measures it, reading only, one filters packets, one "
        "encrypts them.",
        remedy="set user, readOnly and capabilities.drops: [ALL], leave out what it gains: docs/reference/rights.md",
        guards=of_type(CONTAINER),
        faults=_rights,
    ),
    Rule(
        name="containers-come-back",
        description="A container that stays is started again whenever it ends; a job is not.",
        remedy="restart: always for what stays, no for a job",
        guards=of_type(CONTAINER),
        faults=_restarts,
    ),
)

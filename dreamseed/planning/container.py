"""What runs on a server, as data: containers, their files, volumes, ports and checks.

The plan decides everything here; `components/` only declares it. Units: memory in MiB, CPU in cores, disk in GiB,
times in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

SECRET_OPEN, SECRET_CLOSE = "⟦", "⟧"


def secret(name: str) -> str:
    """Return the marker that a file's text holds where the secret `name` will stand."""
    return f"{SECRET_OPEN}{name}{SECRET_CLOSE}"


class NetworkName(StrEnum):
    """The container networks of a server; a container joins only those it needs."""

    INFERENCE = "inference"
    DATA = "data"
    MONITORING = "monitoring"


class VolumeKind(StrEnum):
    """What a volume's loss would mean."""

    DATA = "data"
    """Cannot be made again from elsewhere without loss: protected."""
    CACHE = "cache"
    """Fetched or computed again when lost."""


@dataclass(frozen=True, kw_only=True)
class Volume:
    """A named volume on one host, `size_gib` planned (Docker does not enforce it)."""

    name: str
    host: str
    kind: VolumeKind
    size_gib: int


@dataclass(frozen=True, kw_only=True)
class Mount:
    """Where a volume stands in a container."""

    volume: str
    path: str
    read_only: bool = False


@dataclass(frozen=True, kw_only=True)
class File:
    """A file put into the container before it starts; its text may hold `secret` markers."""

    path: str
    text: str
    owner: int = 0
    mode: str = "0444"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return the names of the secrets that the text asks for, in order of appearance."""
        parts = self.text.split(SECRET_OPEN)[1:]
        return tuple(dict.fromkeys(part.split(SECRET_CLOSE, 1)[0] for part in parts))


@dataclass(frozen=True, kw_only=True)
class Port:
    """A container port, published on the host's private address as `published`."""

    container: int
    published: int
    purpose: str


@dataclass(frozen=True, kw_only=True)
class Health:
    """How Docker finds out that the container works: `test` run every `interval_seconds`."""

    test: tuple[str, ...]
    interval_seconds: int = 10
    timeout_seconds: int = 5
    retries: int = 6
    start_period_seconds: int = 60

    @property
    def wait_timeout_seconds(self) -> int:
        """Return how long the engine waits for the container to be healthy."""
        return self.start_period_seconds + (self.retries + 1) * (self.interval_seconds + self.timeout_seconds)


@dataclass(frozen=True, kw_only=True)
class Container:
    """One container on one host.

    `service` names the group whose members must never all go at once; `after` the containers that are healthy
    before this one is touched. `image` is a key of the catalogue or a full reference by digest. A `job` runs to its
    end and is not restarted. One in the `host_network` joins no other: nothing is published for it, it must listen on
    its host's private address itself, at its `ports`. `user` is a number, with its group after a colon where the image
    does not name the user; None is root, see `rights.AS_ROOT`. What else it may do: `dreamseed.planning.rights`.
    At its `inner_ports` it listens for the containers of its networks alone: they are not published. It `hears` of
    further doors (``address:port``) while it runs, from others: what it connects to beside what its own texts name.
    """

    name: str
    component: str
    service: str
    host: str
    image: str
    networks: tuple[NetworkName, ...]
    memory_mib: int
    cpu_cores: float
    health: Health | None = None
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    files: tuple[File, ...] = ()
    mounts: tuple[Mount, ...] = ()
    ports: tuple[Port, ...] = ()
    inner_ports: tuple[int, ...] = ()
    aliases: tuple[str, ...] = ()
    hears: tuple[str, ...] = ()
    gpu_indices: tuple[int, ...] = ()
    shm_size_mib: int | None = None
    ulimits: Mapping[str, int] = field(default_factory=dict)
    user: str | None = None
    stop_grace_seconds: int = 30
    host_paths: Mapping[str, str] = field(default_factory=dict)
    job: bool = False
    host_network: bool = False
    after: tuple[str, ...] = ()

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return the names of all secrets that the container's files ask for."""
        return tuple(dict.fromkeys(name for file in self.files for name in file.secrets))


@dataclass(frozen=True, kw_only=True)
class ServicePlan:
    """What one component runs: its containers in order of replacement, and their volumes."""

    component: str
    containers: tuple[Container, ...] = ()
    volumes: tuple[Volume, ...] = ()

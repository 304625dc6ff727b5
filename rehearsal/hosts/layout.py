"""Where a world keeps its things: one folder, with a folder a host and one for the services outside."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rehearsal.hosts.errors import HostsError

MAXIMUM_SOCKET_PATH = 107
"""Source: unix(7), `sun_path` holds 108 bytes with the closing zero byte."""

CONTAINERD_SOCKET = "containerd/containerd-debug.sock"
"""The longest of the sockets that an engine's containerd opens below the engine's exec root."""


@dataclass(frozen=True, kw_only=True)
class EngineFolder:
    """The files of one host's engine. The data survives a loss of power, what runs does not."""

    root: Path

    @property
    def data(self) -> Path:
        """Return the data root: images, volumes, containers."""
        return self.root / "data"

    @property
    def running(self) -> Path:
        """Return the exec root: what on a real machine stands in memory."""
        return self.root / "exec"

    @property
    def socket(self) -> Path:
        """Return the engine's socket."""
        return self.root / "docker.sock"

    @property
    def pid_file(self) -> Path:
        """Return where the engine writes its process id."""
        return self.root / "docker.pid"

    @property
    def log(self) -> Path:
        """Return the engine's log."""
        return self.root / "engine.log"

    @property
    def record(self) -> Path:
        """Return where the engine's process is recorded."""
        return self.root / "engine.json"


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The files of one world."""

    root: Path

    @property
    def lock(self) -> Path:
        """Return the file that whoever changes the world locks."""
        return self.root / "lock"

    @property
    def state(self) -> Path:
        """Return where it is recorded what was started."""
        return self.root / "world.json"

    @property
    def hosts(self) -> Path:
        """Return the folder of the hosts."""
        return self.root / "hosts"

    @property
    def services(self) -> Path:
        """Return the folder of records and logs of the services outside."""
        return self.root / "services"

    def engine(self, host: str) -> EngineFolder:
        """Return a host's folder."""
        return EngineFolder(root=self.hosts / host)

    def check(self, host: str) -> None:
        """Raise `HostsError` when the paths of a host's sockets would be too long for the kernel."""
        longest = self.engine(host).running / CONTAINERD_SOCKET
        if len(str(longest)) > MAXIMUM_SOCKET_PATH:
            raise HostsError(
                f"{longest} has {len(str(longest))} characters, the path of a socket at most {MAXIMUM_SOCKET_PATH}",
                "keep the world in a folder with a shorter path",
            )

"""One server of a drill: an overlay of an image's file system, in which processes run as the image's user.

A drill has a mount, a process and a network namespace of its own (see `localtier.drills.enclosed`): nothing of it is
seen outside, and all of it ends with its first process.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from dreamseed.planning.services.postgres_instance import POSTGRES_UID
from localtier.images.machine import command_path

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/postgresql/17/bin"
"""That of the official image. Source: docker-library/postgres Dockerfile (Debian), PG_MAJOR 17."""
KILL_SECONDS = 20.0


class DrillError(Exception):
    """The drill itself could not go on: what was run, and its last words."""


@dataclass(kw_only=True)
class Server:
    """A place over the image's file system `image`; everything it writes is in `folder`, until it is lost."""

    name: str
    image: Path
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    """What every process that starts from now on gets besides its path."""
    _started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def root(self) -> Path:
        """Return where its file system is seen from outside."""
        return self.folder / "root"

    def make(self, names: Mapping[str, str]) -> None:
        """Mount it, empty; `names` are the host names that it knows, with their addresses."""
        for part in ("upper", "work", "root"):
            (self.folder / part).mkdir(parents=True)
        layers = f"lowerdir={self.image},upperdir={self.folder / 'upper'},workdir={self.folder / 'work'}"
        mount("-t", "overlay", "-o", layers, "overlay", str(self.root))
        for special in ("proc", "dev", "tmp"):
            kind = ("-t", "tmpfs", "tmpfs") if special == "tmp" else ("--rbind", f"/{special}")
            mount(*kind, str(self.root / special))
        mount("-t", "tmpfs", "tmpfs", str(self.root / "dev/shm"))
        for shared in ("tmp", "dev/shm"):
            (self.root / shared).chmod(0o1777)
        lines = [f"{address} {name}" for name, address in {"localhost": "127.0.0.1", **names}.items()]
        (self.root / "etc/hosts").write_text("\n".join([*lines, ""]), encoding="ascii")
        for owned in ("var/lib/postgresql", "var/lib/postgresql/data", "run/postgresql", "var/lib/pgbackrest"):
            self.own(owned)

    def own(self, path: str) -> Path:
        """Make a folder of the server's that belongs to the database's user; return it as seen from outside."""
        made = self.root / path.lstrip("/")
        made.mkdir(parents=True, exist_ok=True)
        os.chown(made, POSTGRES_UID, POSTGRES_UID)
        return made

    def write(self, path: str, text: str, mode: int = 0o400) -> None:
        """Put a file in place, readable by the database's user."""
        target = self.root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        target.write_text(text, encoding="utf-8")
        target.chmod(mode)
        os.chown(target, POSTGRES_UID, POSTGRES_UID)

    def command(self, arguments: Sequence[str]) -> list[str]:
        """Return the command line that runs `arguments` inside, as the database's user."""
        user = str(POSTGRES_UID)
        return [
            *(command_path("chroot"), str(self.root), "/usr/bin/env", "-i", f"PATH={PATH}", "HOME=/var/lib/postgresql"),
            *("setpriv", "--reuid", user, "--regid", user, "--clear-groups"),
            # As that user already: a library that is preloaded leaves files that are its own.
            *("env", *(f"{name}={value}" for name, value in self.environment.items()), *arguments),
        ]

    def run(self, *arguments: str, seconds: float = 600.0) -> subprocess.CompletedProcess[str]:
        """Run a command inside to its end; its exit status is for the caller to judge."""
        try:
            return subprocess.run(
                self.command(arguments),
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                timeout=seconds,
            )
        except subprocess.TimeoutExpired as error:
            raise DrillError(f"{self.name}: {' '.join(arguments)[:200]} did not end within {seconds:.0f} s") from error

    def must(self, *arguments: str, seconds: float = 600.0) -> str:
        """Run a command inside that has to succeed; return what it printed. Raises `DrillError`."""
        done = self.run(*arguments, seconds=seconds)
        if done.returncode:
            words = (done.stderr.strip() + "\n" + done.stdout.strip())[-2_000:]
            raise DrillError(f"{self.name}: {' '.join(arguments)[:200]} ended with {done.returncode}:\n{words}")
        return done.stdout

    def start(self, *arguments: str, log: str) -> subprocess.Popen[bytes]:
        """Start a command inside that stays; its output goes to the file `log` of the server's folder."""
        with (self.folder / log).open("ab") as output:
            process = subprocess.Popen(
                self.command(arguments),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._started.append(process)
        return process

    def kill(self) -> None:
        """Kill -9 every process of the server at once, as a power cut does, and wait until none is left."""
        until = time.monotonic() + KILL_SECONDS
        killed: set[int] = set()
        while (alive := set(self._processes())) or any(Path(f"/proc/{pid}").exists() for pid in killed):
            if time.monotonic() > until:
                raise DrillError(f"{self.name}: processes {alive or killed} outlived SIGKILL for {KILL_SECONDS:.0f} s")
            for pid in alive:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            killed |= alive
            # Whoever is not waited for keeps its number: our own here, orphans by the namespace's first process.
            for process in self._started:
                process.poll()
            time.sleep(0.02)
        self._started.clear()

    def lose(self) -> None:
        """Kill the server and take its disks away: nothing of what it wrote is left."""
        self.kill()
        unmount(self.root)
        shutil.rmtree(self.folder)

    def _processes(self) -> list[int]:
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with suppress(OSError):
                    alive = "\nState:\tZ" not in (entry / "status").read_text(encoding="utf-8", errors="replace")
                    if alive and (entry / "root").readlink() == self.root:
                        found.append(int(entry.name))
        return found


def mount(*arguments: str) -> None:
    """Mount something in this drill's own namespace. Raises `DrillError`."""
    done = subprocess.run([command_path("mount"), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise DrillError(f"mount {' '.join(arguments)}: {done.stderr.strip()}")


def unmount(path: Path) -> None:
    """Take a mount and all below it away, also while something still looks at it."""
    subprocess.run([command_path("umount"), "--recursive", "--lazy", str(path)], capture_output=True, check=False)

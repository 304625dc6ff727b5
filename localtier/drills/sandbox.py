"""What a drill stands on: object stores with TLS and keys, and servers with exactly the files of the plan.

The addresses of the object stores' names are this namespace's own, so nothing of a drill reaches a network. What
differs from the servers of a stage: no Docker Engine, Patroni only where a drill asks for it, and less memory.
"""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dreamseed.planning.container import SECRET_CLOSE, SECRET_OPEN, Container
from dreamseed.planning.secrets import GeneratedSecret, ProvidedSecret
from dreamseed.planning.stage_plan import StagePlan
from localtier.certificates import CaFiles, ensure_ca, issue
from localtier.drills.server import DrillError, Server
from localtier.images.machine import command_path
from localtier.services import KeyPair, object_store
from localtier.services.object_store import HTTPS_PORT, Site

INSTANCE = "pg-1-1"
"""The instance that a drill runs; every stage has it."""
STORE_SECONDS = 15.0


@dataclass(kw_only=True)
class Sandbox:
    """The place of one drill of `plan`, below `folder`. `image` is the database image's file system."""

    plan: StagePlan
    image: Path
    versitygw: Path
    folder: Path
    secrets: dict[str, str] = field(default_factory=dict)
    _stores: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _servers: int = 0

    def start(self) -> None:
        """Make the secrets and start the object stores with their keys."""
        run("ip", "link", "set", "lo", "up")
        for name in (*GeneratedSecret, *ProvidedSecret):
            self.secrets.setdefault(name.value, secrets.token_hex(16))
        for site in self.sites:
            run("ip", "address", "replace", f"{site.address}/32", "dev", "lo")
            object_store.prepare(site)
        self.give_keys()
        for site in self.sites:
            self.start_store(site.region)

    @property
    def sites(self) -> tuple[Site, ...]:
        """Return the object stores of the plan's backups: one, or two where it has a second site."""
        backups = [bucket for bucket in self.plan.buckets if bucket.role.value.startswith("backups")]
        return object_store.sites(backups, self.folder / "object-store")

    @property
    def authority(self) -> CaFiles:
        """Return the authority that the drill's servers trust, and nobody else."""
        return ensure_ca(self.folder / "authority")

    def keys(self) -> dict[str, KeyPair]:
        """Return the backups' keys by the end of their bucket's name."""
        prefix = self.plan.config.object_store.bucket_prefix
        names = {
            "backups": (ProvidedSecret.BACKUP_KEY_ID, ProvidedSecret.BACKUP_KEY),
            "backups-second": (ProvidedSecret.BACKUP_SECOND_KEY_ID, ProvidedSecret.BACKUP_SECOND_KEY),
        }
        return {
            end: KeyPair(self.secrets[key_id], self.secrets[key], f"{prefix}-{end}")
            for end, (key_id, key) in names.items()
        }

    def give_keys(self, *without: str) -> None:
        """Let the object stores take the plan's keys from now on, except those for the buckets that end so."""
        given = [key for end, key in self.keys().items() if end not in without]
        for site in self.sites:
            object_store.sync_keys(site, given)

    def start_store(self, region: str, authority: CaFiles | None = None) -> None:
        """Start the object store of a region and wait until it listens; its certificate is of `authority`."""
        site = self.site(region)
        certificate = issue(authority or self.authority, [site.endpoint], [], site.folder / "certificate")
        with (site.folder / "server.log").open("ab") as log:
            self._stores[region] = subprocess.Popen(
                object_store.command(self.versitygw, site, certificate),
                env=os.environ | object_store.environment(site),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_for(f"the object store of {region}", lambda: listening(site.address, HTTPS_PORT), STORE_SECONDS)

    def stop_store(self, region: str) -> None:
        """Take the object store of a region down: its address refuses connections."""
        process = self._stores.pop(region, None)
        if process is not None:
            process.kill()
            process.wait()

    def site(self, region: str) -> Site:
        """Return the object store of a region."""
        return next(site for site in self.sites if site.region == region)

    def server(self, name: str) -> Server:
        """Return a new, empty server that trusts the object stores and holds the files of the plan's first instance."""
        self._servers += 1
        made = Server(name=name, image=self.image, folder=self.folder / f"server-{self._servers}-{name}")
        made.make({site.endpoint: site.address for site in self.sites})
        trusted = made.root / "etc/ssl/certs/ca-certificates.crt"
        trusted.write_bytes(self.authority.certificate.read_bytes())
        for container in (INSTANCE, f"{INSTANCE}-backup"):
            self.give_files(made, self.container(container))
        return made

    def give_files(self, server: Server, container: Container) -> None:
        """Put a planned container's files in place, its secrets filled in."""
        for file in container.files:
            server.write(file.path, self.filled(file.text), int(file.mode, 8))

    def filled(self, text: str) -> str:
        """Return `text` with this drill's secrets in place of their markers."""
        return re.sub(f"{SECRET_OPEN}(.*?){SECRET_CLOSE}", lambda marker: self.secrets[marker[1]], text)

    def container(self, name: str) -> Container:
        """Return a container of the plan."""
        return next(container for container in self.plan.containers if container.name == name)


def run(program: str, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
    """Run a command of this machine that has to succeed; return its output. Raises `DrillError`."""
    command = [command_path(program), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise DrillError(f"{' '.join(command)[:200]}: {(done.stderr or done.stdout).strip()[-1_000:]}")
    return done.stdout


def listening(address: str, port: int) -> bool:
    """Tell whether something listens at an address of this namespace (or at all of them)."""
    found = run("ss", "--listening", "--tcp", "--numeric", "--no-header")
    return any(f"{where}:{port} " in found for where in (address, "*", "0.0.0.0"))  # noqa: S104 - compared, not bound


def wait_for(what: str, holds: Callable[[], bool], seconds: float, poll_seconds: float = 0.1) -> float:
    """Wait until `holds`; return how long it took. Raises `DrillError` when it does not within `seconds`."""
    began = time.monotonic()
    while not holds():
        if time.monotonic() - began > seconds:
            raise DrillError(f"waited {seconds:.0f} s in vain for {what}")
        time.sleep(poll_seconds)
    return time.monotonic() - began

"""The servers' side of a fail-over: PostgreSQL under the real Patroni and etcd, with the plan's files and script."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
import yaml

from dreamseed.planning import ports
from dreamseed.planning.secrets import GeneratedSecret
from dreamseed.planning.services.postgres import dynamic_configuration
from localtier.drills.database import SHARD, SMALLER, Database
from localtier.drills.sandbox import INSTANCE, Sandbox, run, wait_for
from localtier.drills.server import DrillError, Server

ETCD = "etcd-1"
PATRONI = f"http://127.0.0.1:{ports.PATRONI}"
LEAD_SECONDS = 120.0
POLL_SECONDS = 1.0
BACKUP_SECONDS = 300.0


@dataclass(kw_only=True)
class Cluster:
    """One server with etcd, Patroni and the backup script; `etcd` is etcd's program on this machine."""

    sandbox: Sandbox
    server: Server
    etcd: Path
    _member: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def database(self) -> Database:
        """Return its PostgreSQL."""
        return Database(sandbox=self.sandbox, server=self.server, port=ports.POSTGRES)

    def create(self) -> None:
        """Give the server its addresses and published ports, start everything, and apply the stage's configuration."""
        member = self.sandbox.container(INSTANCE)
        address = str(yaml.safe_load(self._patroni_file())["restapi"]["connect_address"]).partition(":")[0]
        run("ip", "address", "replace", f"{address}/32", "dev", "lo")
        for port in member.ports:
            forward = ["-p", "tcp", "-d", address, "--dport", str(port.published)]
            run("iptables", "-t", "nat", "-A", "OUTPUT", *forward, "-j", "REDIRECT", "--to-ports", str(port.container))
        program = self.server.root / "usr/local/bin/etcd"
        program.write_bytes(self.etcd.read_bytes())
        program.chmod(0o755)
        self.server.own("/data")
        self.power_on()
        wait_for("Patroni's PostgreSQL", self.database.takes_writes, LEAD_SECONDS)
        self.configure(dynamic_configuration(self.sandbox.plan.config, SHARD))
        wait_for("the archive command", self._archives, LEAD_SECONDS)

    def power_on(self) -> None:
        """Start etcd, Patroni and the backup script, as Docker does when the server is back; wait for Patroni."""
        etcd = self.sandbox.container(ETCD)
        self.server.start(*etcd.entrypoint, *etcd.command, log="etcd.log")
        self.start_member()
        backup = self.sandbox.container(f"{INSTANCE}-backup")
        self.server.start(*backup.entrypoint, *backup.command, log="backup.log")

    def start_member(self) -> None:
        """Start Patroni alone, as `docker start` does, and wait until it answers."""
        member = self.sandbox.container(INSTANCE)
        self._member = self.server.start(*member.entrypoint, *member.command, log="patroni.log")
        try:
            wait_for("Patroni to answer", self._answers, LEAD_SECONDS, POLL_SECONDS)
        except DrillError as error:
            raise DrillError(f"{error}\n{self.log}") from error

    def stop_member(self) -> None:
        """Stop Patroni and with it PostgreSQL, as `docker stop` does."""
        member = self._member
        if member is not None:
            member.terminate()
            wait_for("Patroni to stop", lambda: member.poll() is not None, LEAD_SECONDS)

    @property
    def log(self) -> str:
        """Return the last words of Patroni and its PostgreSQL."""
        return (self.server.folder / "patroni.log").read_text(encoding="utf-8", errors="replace")[-3_000:]

    def wait_for_backup(self) -> None:
        """Wait until the script has taken a full backup."""
        wait_for("a full backup", self._full_backup.exists, BACKUP_SECONDS)

    def forget_backup(self) -> None:
        """Make a full backup due."""
        self._full_backup.unlink(missing_ok=True)

    @property
    def _full_backup(self) -> Path:
        return self.server.root / "var/lib/pgbackrest/last-offsite-full"

    @property
    def role(self) -> str:
        """Return what Patroni says this member is; nothing while its PostgreSQL does not run."""
        with suppress(httpx.HTTPError, ValueError):
            answer = httpx.get(f"{PATRONI}/health", timeout=5)
            return str(answer.json()["role"]) if answer.status_code == httpx.codes.OK else ""
        return ""

    def configure(self, changes: dict[str, Any]) -> None:
        """Change Patroni's dynamic configuration, as the stage's job does; memory stays small."""
        parameters = changes.get("postgresql", {}).get("parameters")
        if parameters is not None:
            parameters |= SMALLER
        # While a member starts it has nothing to change yet.
        wait_for("Patroni to take a configuration", lambda: self._patched(changes), LEAD_SECONDS)

    def is_fenced(self) -> bool:
        """Tell whether Patroni holds the cluster as another's standby, and no write is accepted."""
        with suppress(httpx.HTTPError, ValueError):
            held = bool(httpx.get(f"{PATRONI}/config", timeout=5).json().get("standby_cluster"))
            # While it has nothing to follow yet, Patroni keeps PostgreSQL down: no role is known then.
            return held and self.role != "primary" and not self.database.takes_writes()
        return False

    @staticmethod
    def _answers() -> bool:
        with suppress(httpx.HTTPError):
            return httpx.get(f"{PATRONI}/liveness", timeout=5).status_code > 0
        return False

    def _patched(self, changes: dict[str, Any]) -> bool:
        with suppress(httpx.HTTPError):
            password = self.sandbox.secrets[GeneratedSecret.PATRONI_API]
            answer = httpx.patch(f"{PATRONI}/config", json=changes, auth=("patroni", password), timeout=10)
            return answer.status_code == httpx.codes.OK
        return False

    def _archives(self) -> bool:
        with suppress(psycopg.Error):
            return "archive-push" in str(self.database.value("show archive_command"))
        return False

    def _patroni_file(self) -> str:
        files = self.sandbox.container(INSTANCE).files
        return self.sandbox.filled(next(file.text for file in files if file.path == "/etc/patroni/patroni.yml"))

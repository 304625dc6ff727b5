"""PostgreSQL and pgBackRest on a server of a drill, set up from the files that the plan gives the first instance."""

from __future__ import annotations

import json
import re
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg
import yaml

from dreamseed.planning.recovery import RESTORE_ARGUMENTS, archive_configuration, restored_settings
from dreamseed.planning.secrets import GeneratedSecret
from dreamseed.planning.services.postgres import dynamic_configuration, stanza_of
from localtier.drills.sandbox import INSTANCE, Sandbox, wait_for
from localtier.drills.server import DrillError, Server

SHARD = 1
OFFSITE = "/etc/pgbackrest/offsite.conf"
SMALLER = {"shared_buffers": "64MB", "effective_cache_size": "256MB"}
"""What a drill gives PostgreSQL in place of the stage's memory."""
SEGMENT_BYTES = 16 * 2**20
LSN_BITS = 32


@dataclass(kw_only=True)
class Database:
    """PostgreSQL on `server`, at `port` of this namespace; `overrides` are settings that a drill shortens."""

    sandbox: Sandbox
    server: Server
    port: int
    overrides: dict[str, str] = field(default_factory=dict)
    user: str = "postgres"
    password: GeneratedSecret = GeneratedSecret.POSTGRES_SUPERUSER
    name: str = "postgres"
    """Who connects, to which of its databases."""
    restored_with: str = ""
    start_seconds: float = 300.0

    @property
    def data(self) -> str:
        """Return the data directory, the plan's."""
        return str(self._patroni["postgresql"]["data_dir"])

    @property
    def log(self) -> str:
        """Return what PostgreSQL has logged."""
        path = self.server.folder / "postgres.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def create(self) -> None:
        """Make an empty cluster as the plan's Patroni does, and start it as a primary that archives."""
        superuser = self.sandbox.secrets[GeneratedSecret.POSTGRES_SUPERUSER]
        self.server.write("/tmp/superuser", superuser)  # noqa: S108 - the drill's own, in memory
        options = []
        for option in self._patroni["bootstrap"]["initdb"]:
            for name, value in option.items() if isinstance(option, dict) else [(option, None)]:
                options.append(f"--{name}" if value is None else f"--{name}={value}")
        self.server.must("initdb", "-D", self.data, "-U", "postgres", "--pwfile=/tmp/superuser", *options)
        self.server.write(f"{self.data}/pg_hba.conf", "\n".join([*self._patroni["postgresql"]["pg_hba"], ""]), 0o600)
        self.start_primary()

    def start_primary(self) -> None:
        """Start PostgreSQL with the stage's parameters and wait until it takes writes."""
        parameters = dynamic_configuration(self.sandbox.plan.config, SHARD)["postgresql"]["parameters"]
        self._start(parameters | self._patroni["postgresql"]["parameters"] | SMALLER | self.overrides)

    def start_restored(self) -> None:
        """Start PostgreSQL as the restore of a disaster does, and wait until it takes writes."""
        self._start({**restored_settings(self.sandbox.plan.config), **SMALLER, **self.overrides})

    def start_as_found(self) -> None:
        """Start PostgreSQL as the restore of a disaster does, and wait until it answers, whatever it is now."""
        self._start({**restored_settings(self.sandbox.plan.config), **SMALLER, **self.overrides}, leads=False)

    def _start(self, parameters: dict[str, Any], *, leads: bool = True) -> None:
        settings = {name: str(value) for name, value in parameters.items()} | {
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "hot_standby": "on",
        }
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        process = self.server.start("postgres", "-D", self.data, *words, log="postgres.log")
        wait_for(f"PostgreSQL on {self.server.name}", lambda: self._ready(process, leads), self.start_seconds)

    def _ready(self, process: subprocess.Popen[bytes], leads: bool) -> bool:
        if process.poll() is not None:
            raise DrillError(f"{self.server.name}: PostgreSQL ended while starting:\n{self.log[-1_500:]}")
        with suppress(psycopg.OperationalError):
            return not self.value("select pg_is_in_recovery()") or not leads
        return False

    def takes_writes(self) -> bool:
        """Tell whether a write is accepted; what cannot be asked accepts none."""
        with suppress(psycopg.Error):
            self.rows("create temporary table accepted (one int)")
            return True
        return False

    def connect(self) -> psycopg.Connection[Any]:
        """Return a new connection."""
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=self.user,
            password=self.sandbox.secrets[self.password],
            dbname=self.name,
            autocommit=True,
            connect_timeout=5,
        )

    def rows(self, query: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a statement, which is a transaction of its own."""
        with self.connect() as connection:
            cursor = connection.execute(query, values)
            return cursor.fetchall() if cursor.description else []

    def value(self, query: str, values: tuple[object, ...] = ()) -> Any:
        """Return the one value of a query."""
        return self.rows(query, values)[0][0]

    def stop(self) -> None:
        """Stop PostgreSQL as a planned shutdown does: its last segment is archived."""
        self.server.must("pg_ctl", "stop", "-D", self.data, "-m", "fast", "-w", "-t", "120")

    def pgbackrest(self, *arguments: str, seconds: float = 600.0) -> subprocess.CompletedProcess[str]:
        """Run pgBackRest with the plan's configuration of the off-site repository."""
        return self.server.run("pgbackrest", *self.common, *arguments, seconds=seconds)

    def backup_command(self, kind: str) -> tuple[str, ...]:
        """Return the command line of a backup, as the plan's script takes it."""
        keep = self.sandbox.plan.config.backup.keep_full
        return ("pgbackrest", *self.common, f"--type={kind}", f"--repo1-retention-full={keep}", "backup")

    def backup(self, kind: str) -> None:
        """Take a backup as the plan's script does. Raises `DrillError`."""
        self.server.must(*self.backup_command(kind))

    def restore_command(self, *target: str) -> tuple[str, ...]:
        """Return the command line of the plan's restore; `target` asks for another point than the archive's end."""
        return ("pgbackrest", *self.common, *target, *RESTORE_ARGUMENTS)

    def restore(self, *target: str) -> subprocess.CompletedProcess[str]:
        """Restore as the plan's restore does, by default to the end of the archive; `target` asks for another point."""
        self.server.own(self.data).chmod(0o700)
        done = self.server.run(*self.restore_command(*target))
        self.restored_with = done.stdout + done.stderr
        return done

    def backup_used(self) -> str:
        """Return the label of the backup that the last restore here took."""
        found = re.search(r"restore backup set (\S+?),", self.restored_with)
        return found[1] if found else "unknown"

    def must_restore(self, *target: str) -> None:
        """Restore, start and wait until it takes writes. Raises `DrillError`."""
        done = self.restore(*target)
        if done.returncode:
            raise DrillError(f"{self.server.name}: the restore failed:\n{(done.stderr + done.stdout)[-1_500:]}")
        self.start_restored()

    def read_second_site(self) -> None:
        """From now on, read the second site's copy of the repository."""
        config = self.sandbox.plan.config
        self.server.write(OFFSITE, self.sandbox.filled(archive_configuration(config, SHARD, second_site=True)))

    def info(self) -> dict[str, Any]:
        """Return pgBackRest's information on the stanza, with its archive and its backups."""
        done = self.pgbackrest("--output=json", "--log-level-console=off", "info")
        if done.returncode:
            raise DrillError(f"pgbackrest info: {(done.stderr + done.stdout)[-1_000:]}")
        stanza: dict[str, Any] = json.loads(done.stdout)[0]
        return stanza

    def archived_to(self) -> int:
        """Return the end of the last archived segment, as a number of bytes since the cluster's beginning."""
        return max((segment_end(archive["max"]) for archive in self.info()["archive"] if archive["max"]), default=0)

    def replayed_to(self) -> int:
        """Return how far this restored cluster has replayed, in bytes."""
        return lsn(self.value("select coalesce(pg_last_wal_replay_lsn(), pg_current_wal_lsn())::text"))

    def current(self) -> int:
        """Return the end of what this primary has written, in bytes."""
        return lsn(str(self.value("select pg_current_wal_flush_lsn()")))

    @property
    def common(self) -> tuple[str, str]:
        """Return what every call of pgBackRest is told: the plan's configuration and stanza."""
        return (f"--config={OFFSITE}", f"--stanza={stanza_of(SHARD)}")

    @property
    def _patroni(self) -> Any:
        files = self.sandbox.container(INSTANCE).files
        text = next(file.text for file in files if file.path == "/etc/patroni/patroni.yml")
        return yaml.safe_load(self.sandbox.filled(text))


def lsn(text: str) -> int:
    """Return a position such as ``0/16B3748`` in bytes."""
    high, _, low = text.partition("/")
    return (int(high, 16) << LSN_BITS) + int(low, 16)


def segment_end(name: str) -> int:
    """Return where the segment of this name ends, in bytes. Source: PostgreSQL, xlog_internal.h, XLogFileName."""
    log, number = int(name[8:16], 16), int(name[16:24], 16)
    return (log << LSN_BITS) + (number + 1) * SEGMENT_BYTES

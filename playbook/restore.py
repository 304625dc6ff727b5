"""A backup of a running database, and its restore into an empty place beside it: real pgBackRest, real PostgreSQL.

What is compared: every row whose transaction was over when the backup was drawn up. A copy of the files keeps each
row's transaction number, so both databases can be asked for exactly those, also while users go on writing to one.
Source: PostgreSQL 17 documentation, system columns (xmin), pg_snapshot_xmin, "Recovery Target"; pgBackRest command
reference, restore.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import Any

import docker
from docker.errors import NotFound
from docker.models.containers import Container as Running

from dreamseed.config import StageConfig
from dreamseed.planning import ports
from dreamseed.planning.recovery import RESTORE_ARGUMENTS, restored_settings
from dreamseed.planning.services.postgres import stanza_of
from dreamseed.planning.stage_plan import StagePlan
from dreamseed.promotion.saga import StepError

WHERE = "promote › back-up"
PLACE = "promotion-restore"
"""The name of the container and of the volume that a restore is made in: both go when it is over."""
DATA = "/var/lib/postgresql/data"
LOG = f"{DATA}/restored.log"
REPOSITORY = "/var/lib/pgbackrest"
ARCHIVE_SECONDS = 180.0
RECOVERY_SECONDS = 300
LOCKED_SECONDS = 300.0
"""So long a backup waits for one that the backup container takes at the same time."""
LOCKED = 50
"""pgBackRest's exit status when another command has the lock. Source: pgBackRest, error.auto.c, LockAcquireError."""
SMALLER = {"shared_buffers": "64MB", "effective_cache_size": "256MB"}
POLL_SECONDS = 1.0
UNFINISHED = "select pg_snapshot_xmin(pg_current_snapshot())::text::bigint % 4294967296"
DATABASES = "select datname from pg_database where datallowconn and not datistemplate order by 1"
ROWS = """
select format('select %%L, count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) from %%I.%%I t'
  ' where age(t.xmin) > age(%%L::xid)', nspname || '.' || relname, nspname, relname, '%s')
from pg_class join pg_namespace on pg_namespace.oid = relnamespace
where relkind = 'r' and relpersistence = 'p' and nspname not in ('pg_catalog', 'information_schema') order by 1 \\gexec
"""


@dataclass(frozen=True, kw_only=True)
class Backup:
    """A backup of one shard: its `label`, the named point after it, and what was there before that point.

    `rows` holds for each table, as ``database schema.table``, how many rows of transactions before `unfinished` there
    are, and the sum of their hashes.
    """

    shard: int
    label: str
    point: str
    unfinished: int
    rows: dict[str, tuple[int, str]]

    def record(self) -> dict[str, Any]:
        """Return the JSON record."""
        return asdict(self)

    @staticmethod
    def of(record: Mapping[str, Any]) -> Backup:
        """Return the backup that a record is of."""
        return Backup(**{**record, "rows": {name: (count, total) for name, (count, total) in record["rows"].items()}})


@dataclass(frozen=True, kw_only=True)
class Shard:
    """One shard of a stage that runs; `engines` are clients of each host's Docker Engine."""

    plan: StagePlan
    engines: Mapping[str, docker.DockerClient]
    number: int

    def back_up(self, point: str) -> Backup:
        """Take a backup, note every row, then name this point in the log, and wait until that is archived."""
        primary, host = self._primary()
        label = self._take(self.engines[host].containers.get(f"{primary.name}-backup"))
        unfinished = int(_sql(primary, UNFINISHED))
        rows = rows_of(primary, unfinished)
        segment = _sql(primary, f"select pg_walfile_name(pg_create_restore_point('{point}'))")
        _sql(primary, "select pg_switch_wal()")
        # Names of segments sort as the log goes on.
        _wait(
            f"shard {self.number}: {segment} in the archive",
            lambda: _sql(primary, "select last_archived_wal from pg_stat_archiver") >= segment,
            ARCHIVE_SECONDS,
        )
        return Backup(shard=self.number, label=label, point=point, unfinished=unfinished, rows=rows)

    def verify(self, backup: Backup) -> str:
        """Restore `backup` into an empty place up to its point, and compare every row. Raises `StepError`."""
        primary, host = self._primary()
        began = time.monotonic()
        with self._place(host, primary.name or "") as place:
            target = ("--type=name", f"--target={backup.point}", "--target-action=promote", f"--set={backup.label}")
            _must(place, *self._pgbackrest, *target, *RESTORE_ARGUMENTS)
            settings = {**restored_settings(self.plan.config), **SMALLER, "listen_addresses": ""}
            words = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
            _must(
                place,
                "pg_ctl",
                "start",
                "-s",
                "-w",
                "-t",
                f"{RECOVERY_SECONDS:.0f}",
                "-D",
                f"{DATA}/pg",
                "-l",
                LOG,
                "-o",
                words,
            )
            _wait("the end of the recovery", lambda: _sql(place, "select pg_is_in_recovery()") == "f", RECOVERY_SECONDS)
            found = rows_of(place, backup.unfinished)
        if found != backup.rows:
            names = sorted(name for name in {*found, *backup.rows} if found.get(name) != backup.rows.get(name))
            raise failed(f"shard {self.number}: the restored database differs in {', '.join(names)}")
        count = sum(rows for rows, _ in found.values())
        return (
            f"{backup.label} of shard {self.number} restored into an empty place in {time.monotonic() - began:.0f} s: "
            f"{count:,} rows in {len(found)} tables, all alike"
        )

    @property
    def _pgbackrest(self) -> tuple[str, ...]:
        archive = "offsite" if self.plan.config.backup.wal_archive else "local"
        return ("pgbackrest", f"--config=/etc/pgbackrest/{archive}.conf", f"--stanza={stanza_of(self.number)}")

    def _primary(self) -> tuple[Running, str]:
        for one in self.plan.containers:
            if one.service == f"postgres-{self.number}" and one.host in self.engines:
                with suppress(NotFound):
                    member = self.engines[one.host].containers.get(one.name)
                    if _ran(member, "curl", "-fsS", "-m", "5", f"http://127.0.0.1:{ports.PATRONI}/primary")[0] == 0:
                        return member, one.host
        raise failed(f"shard {self.number} has no primary")

    def _take(self, backup: Running) -> str:
        """Take an incremental backup, or a full one where there is none yet; return its label."""
        keep = f"--repo1-retention-full={self.plan.config.backup.keep_full}"
        ended = (LOCKED, "", "")

        def done() -> bool:
            nonlocal ended
            ended = _ran(backup, *self._pgbackrest, "--type=incr", keep, "backup")
            return ended[0] != LOCKED

        _wait(f"the lock of another backup of shard {self.number}", done, LOCKED_SECONDS)
        if ended[0]:
            raise failed(f"shard {self.number}: the backup failed: {(ended[1] + ended[2])[-1_000:]}")
        told = json.loads(_must(backup, *self._pgbackrest, "--output=json", "--log-level-console=off", "info"))
        return str(told[0]["backup"][-1]["label"])

    @contextmanager
    def _place(self, host: str, primary: str) -> Iterator[Running]:
        """Give a container with an empty volume and the archive's configuration; both are gone afterwards."""
        engine = self.engines[host]
        backup = engine.containers.get(f"{primary}-backup")
        _clear(engine)
        try:
            made = engine.containers.create(
                backup.attrs["Image"],
                name=PLACE,
                entrypoint=["sleep", "infinity"],
                user=backup.attrs["Config"]["User"],
                network=next(iter(backup.attrs["NetworkSettings"]["Networks"])),
                mounts=[
                    docker.types.Mount(DATA, PLACE, type="volume"),
                    docker.types.Mount(REPOSITORY, f"{primary}-backup", type="volume", read_only=True),
                ],
                init=True,
            )
            chunks, _ = backup.get_archive("/etc/pgbackrest")
            made.put_archive("/etc", io.BytesIO(b"".join(chunks)))
            made.start()
            yield made
        finally:
            _clear(engine)


def shards(config: StageConfig) -> range:
    """Return the numbers of a stage's shards."""
    return range(1, config.postgres.shards + 1)


def rows_of(database: Running, unfinished: int) -> dict[str, tuple[int, str]]:
    """Return every table with its rows of transactions before `unfinished`: how many, and the sum of their hashes."""
    found = {}
    for name in _sql(database, DATABASES).split():
        for line in _sql(database, ROWS % unfinished, name).splitlines():
            table, count, total = line.split("|")
            found[f"{name} {table}"] = (int(count), total)
    return found


def failed(what: str) -> StepError:
    """Return the error of a backup or a restore that did not succeed."""
    return StepError(WHERE, what, "nothing is changed before a backup was restored", "a new backup: the same command")


def _wait(what: str, holds: Callable[[], bool], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            raise failed(f"waited {seconds:.0f} s in vain for {what}")
        time.sleep(POLL_SECONDS)


def _clear(engine: docker.DockerClient) -> None:
    """Take away what a restore leaves, also one that was killed."""
    with suppress(NotFound):
        engine.containers.get(PLACE).remove(force=True)
    with suppress(NotFound):
        engine.volumes.get(PLACE).remove(force=True)


def _sql(database: Running, statements: str, name: str = "postgres") -> str:
    script = 'printf "%s" "$1" | psql -qXAt -v ON_ERROR_STOP=1 -h /run/postgresql -U postgres -d "$2"'
    return _must(database, "sh", "-c", script, "ask", statements, name).strip()


def _must(container: Running, *arguments: str) -> str:
    status, said, complained = _ran(container, *arguments)
    if status:
        raise failed(f"{container.name}: {arguments[0]} ended with {status}: {(complained or said).strip()[-1_000:]}")
    return said


def _ran(container: Running, *arguments: str) -> tuple[int, str, str]:
    """Run a command in a container as its own user; return its status, its output and its complaints."""
    done = container.exec_run(list(arguments), environment={"PGTZ": "UTC"}, demux=True)
    parts: tuple[Any, Any] = done.output  # type: ignore[assignment]
    said, complained = ((part or b"").decode(errors="replace") for part in parts)
    return int(done.exit_code or 0), said, complained

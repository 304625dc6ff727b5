"""The drill: write, lose the server at a random moment, restore from the object store alone, and measure.

RPO is how old the oldest confirmed row is that the restore misses; RTO is the time from the loss until the restored
database takes writes. Both are of this machine: the object store answers over loopback.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dreamseed.planning.ports import POSTGRES
from localtier.drills.database import Database
from localtier.drills.sandbox import Sandbox
from localtier.drills.server import DrillError
from localtier.drills.site import Backups
from localtier.drills.writer import CREATE, Found, Writer, read

Tell = Callable[[str], None]
BALLAST = """
create table ballast as
  select number as id, string_agg(encode(sha256((number * 64 + part)::text::bytea), 'hex'), '') as body
  from generate_series(1, {rows}) as number, generate_series(1, 64) as part group by number;
create index on ballast (id);
create index on ballast (substr(body, 1, 32));
"""
BALLAST_ROW_BYTES = 4_160
MB = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a drill goes: the writer's pace, how much lies there already, and the longest time until the loss."""

    seed: int
    data_mb: int = 200
    rows_per_second: float = 400.0
    window_seconds: float = 45.0
    second_site_only: bool = False
    store_away_seconds: float = 0.0
    """How long the fault "the object store away" lasts at least."""
    overrides: tuple[tuple[str, str], ...] = ()
    """Settings of PostgreSQL that the drill shortens; none by default."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a drill found. MB are 10^6 bytes of database files; `missing_rows` were confirmed and archived, yet lost."""

    seconds_until_loss: float
    acknowledged_rows: int
    restored_rows: int
    lost_rows: int
    missing_rows: int
    changed_rows: int
    rpo_seconds: float
    rto_seconds: float
    restore_seconds: float
    replay_seconds: float
    data_bytes: int
    replayed_bytes: int
    restore_mb_per_second: float
    copy_mb_per_second: float
    amcheck: str
    source: str


def run_drill(sandbox: Sandbox, settings: Settings, tell: Tell) -> Measured:
    """Run one drill in `sandbox`, which is started. Raises `DrillError` when it cannot be brought to its end."""
    primary = begin(sandbox, settings, tell)
    writer = Writer(database=primary, seed=settings.seed, rows_per_second=settings.rows_per_second)
    primary.rows(CREATE)
    with Backups(sandbox=sandbox, database=primary) as backups:
        tell("the stage's backup script takes the first full backup")
        backups.first()
        if settings.second_site_only:
            tell("the second site takes its copy")
            backups.copied()
        writer.resume()
        if sandbox.plan.config.backup.incremental_every_hours:
            tell("an incremental backup, as the stage takes them")
            primary.backup("incr")
        wait = random.Random(settings.seed).uniform(0.2, 1.0) * settings.window_seconds  # noqa: S311 - to repeat it
        time.sleep(wait)
        killed_at = time.monotonic()
        primary.server.kill()
    writer.stop()
    tell(f"the server was killed after {wait:.1f} s of writing, {writer.last:,} rows confirmed; its disks are gone")
    primary.server.lose()
    source = _source(sandbox, settings)
    restored, restore_seconds, replay_seconds = _restored(sandbox, source)
    rto = time.monotonic() - killed_at
    return _judged(sandbox, settings, writer, killed_at, restored, (rto, restore_seconds, replay_seconds), source)


def begin(sandbox: Sandbox, settings: Settings, tell: Tell, port: int = POSTGRES) -> Database:
    """Return a new primary that holds `data_mb` of data."""
    primary = Database(sandbox=sandbox, server=sandbox.server("primary"), port=port, overrides=dict(settings.overrides))
    tell(f"a primary with the settings of {sandbox.plan.name}, and {settings.data_mb} MB in it")
    primary.create()
    with primary.connect() as connection:
        connection.execute(BALLAST.format(rows=max(1, settings.data_mb * MB // BALLAST_ROW_BYTES)))
        connection.execute("create extension amcheck")
    return primary


def _source(sandbox: Sandbox, settings: Settings) -> str:
    """Return the region to restore from; a drill of the second site alone takes the first one away for good."""
    first = sandbox.sites[0].region
    if not settings.second_site_only:
        return first
    if len(sandbox.sites) == 1:
        raise DrillError(f"{sandbox.plan.name} has no second site to restore from alone")
    sandbox.stop_store(first)
    shutil.rmtree(sandbox.site(first).data)
    return sandbox.sites[1].region


def _restored(sandbox: Sandbox, source: str) -> tuple[Database, float, float]:
    """Restore onto an empty server; return it, and the seconds of the restore and of the replay."""
    database = Database(sandbox=sandbox, server=sandbox.server("restored"), port=5432)
    if source != sandbox.sites[0].region:
        database.read_second_site()
    began = time.monotonic()
    done = database.restore()
    if done.returncode:
        raise DrillError(f"the restore failed:\n{(done.stderr + done.stdout)[-1_500:]}")
    copied = time.monotonic()
    database.start_restored()
    return database, copied - began, time.monotonic() - copied


def _judged(
    sandbox: Sandbox,
    settings: Settings,
    writer: Writer,
    killed_at: float,
    restored: Database,
    times: tuple[float, float, float],
    source: str,
) -> Measured:
    rto, restore_seconds, replay_seconds = times
    found: Found = read(restored, settings.seed)
    archived = restored.archived_to()
    surely_archived = min(writer.confirmed_before(archived), writer.last)
    missing = len(found.missing) + max(0, surely_archived - found.last)
    replayed = restored.replayed_to()
    amcheck = restored.server.run(
        "pg_amcheck", "-h", "/run/postgresql", "-U", "postgres", "--all", "--install-missing", "--heapallindexed"
    )
    size = int(restored.value("select sum(pg_database_size(oid)) from pg_database"))
    restored.stop()
    checksums = restored.server.run("pg_checksums", "--check", "-D", restored.data)
    problems = [words for done in (amcheck, checksums) if done.returncode for words in [done.stdout + done.stderr]]
    return Measured(
        seconds_until_loss=killed_at - writer.acknowledged[0].at,
        acknowledged_rows=writer.last,
        restored_rows=found.rows,
        lost_rows=max(0, writer.last - found.last),
        missing_rows=missing,
        changed_rows=len(found.changed),
        rpo_seconds=writer.lost_seconds(found.last, killed_at),
        rto_seconds=rto,
        restore_seconds=restore_seconds,
        replay_seconds=replay_seconds,
        data_bytes=size,
        replayed_bytes=replayed,
        restore_mb_per_second=size / MB / restore_seconds,
        copy_mb_per_second=_copy_speed(sandbox, restored.server.root / restored.data.lstrip("/")),
        amcheck="\n".join(problems)[:2_000] or "clean",
        source=source,
    )


def _copy_speed(sandbox: Sandbox, folder: Path) -> float:
    """Return at how many MB/s this disk copies the same files, written through to it."""
    target = sandbox.folder / "copy"
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    subprocess.run(["/bin/sync", "--file-system", str(sandbox.folder)], check=True)
    began = time.monotonic()
    shutil.copytree(folder, target, symlinks=True)
    subprocess.run(["/bin/sync", "--file-system", str(target)], check=True)
    seconds = time.monotonic() - began
    shutil.rmtree(target)
    return size / MB / seconds

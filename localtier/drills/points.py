"""Going back in time: to a chosen second, and to before an operator's DROP TABLE, from the backup that lay before."""

from __future__ import annotations

import time
from dataclasses import dataclass

from localtier.drills.database import Database
from localtier.drills.drill import Settings, Tell, begin
from localtier.drills.sandbox import Sandbox, wait_for
from localtier.drills.site import Backups
from localtier.drills.writer import TABLE, Writer, read

ARCHIVE_SECONDS = 180.0
APART_SECONDS = 1.2
WRITE_SECONDS = 4.0


@dataclass(frozen=True, kw_only=True)
class Point:
    """A restore to a point in time: what was wanted, what was there, from which backup, in how many seconds."""

    what: str
    wanted_rows: int
    restored_rows: int
    intact: bool
    backup: str
    seconds: float

    @property
    def passed(self) -> bool:
        """Tell whether exactly the wanted rows were there, unchanged."""
        return self.intact and self.restored_rows == self.wanted_rows


def run_points(sandbox: Sandbox, settings: Settings, tell: Tell) -> tuple[Point, ...]:
    """Write, note a second, take the next full backup, drop the table; go back to both, each on a new server."""
    primary = begin(sandbox, settings, tell)
    writer = Writer(database=primary, seed=settings.seed, rows_per_second=settings.rows_per_second)
    with Backups(sandbox=sandbox, database=primary) as backups:
        backups.first()
        writer.start()
        chosen = _noted(primary, writer)
        writer.resume()
        time.sleep(WRITE_SECONDS)
        writer.stop()
        primary.backup("full")
        labels = [backup["label"] for backup in primary.info()["backup"]]
        writer.resume()
        before_drop = _noted(primary, writer)
        tell("an operator drops the table")
        primary.rows(f"drop table {TABLE}")
        archive_now(primary)
        points = []
        for what, (rows, moment), label in (
            ("a chosen second, older than the newest full backup", chosen, labels[0]),
            ("the moment before an operator's DROP TABLE", before_drop, labels[-1]),
        ):
            points.append(_restored(sandbox, settings.seed, what, rows, moment, label))
            tell(f"{what}: {points[-1].restored_rows:,} of {rows:,} rows in {points[-1].seconds:.1f} s")
    primary.server.lose()
    return tuple(points)


def archive_now(primary: Database) -> None:
    """Close the current segment and wait until the archive has it."""
    primary.rows("select pg_logical_emit_message(true, 'drill', '')")
    name = str(primary.value("select pg_walfile_name(pg_switch_wal())"))
    wait_for(
        f"segment {name} in the archive",
        lambda: any((archive["max"] or "") >= name for archive in primary.info()["archive"]),
        ARCHIVE_SECONDS,
    )


def _noted(primary: Database, writer: Writer) -> tuple[int, str]:
    """Let the writer write, stop it, and return how many rows there are and a moment at which nothing was written."""
    time.sleep(WRITE_SECONDS)
    writer.stop()
    time.sleep(APART_SECONDS)
    moment = str(primary.value("select clock_timestamp()::text"))
    time.sleep(APART_SECONDS)
    return writer.last, moment


def _restored(sandbox: Sandbox, seed: int, what: str, rows: int, moment: str, label: str) -> Point:
    began = time.monotonic()
    database = Database(sandbox=sandbox, server=sandbox.server("point"), port=5433)
    database.must_restore("--type=time", f"--target={moment}", "--target-action=promote", "--log-level-console=info")
    seconds = time.monotonic() - began
    found = read(database, seed)
    used = database.backup_used()
    database.server.lose()
    return Point(
        what=what,
        wanted_rows=rows,
        restored_rows=found.rows,
        intact=not found.missing and not found.changed and used == label,
        backup=used,
        seconds=seconds,
    )

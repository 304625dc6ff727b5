"""What may go wrong with backups, each tried for real: it must be detected or survived, and never pass in silence.

`survived`: every confirmed row that the archive held is there afterwards. `detected`: whoever looks is told, by a
command that ends with an error or by a check that the stage's script makes each day. All else is `silent` and fails.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from dreamseed.planning.services.postgres import LOOKS_TABLE, stanza_of
from localtier.drills.database import SHARD, Database
from localtier.drills.drill import Settings, Tell, begin
from localtier.drills.points import archive_now
from localtier.drills.sandbox import Sandbox, run
from localtier.drills.server import DrillError
from localtier.drills.site import Backups
from localtier.drills.writer import Found, Writer, read

ROWS = 300


class Outcome(StrEnum):
    """How a fault ended."""

    DETECTED = "detected"
    SURVIVED = "survived"
    SILENT = "silent"


@dataclass(frozen=True, kw_only=True)
class Tried:
    """A fault that was tried: how it ended, what told of it, and in how many seconds."""

    name: str
    outcome: Outcome
    told_by: str
    seconds: float


Verdict = tuple[Outcome, str]


@dataclass(kw_only=True)
class Scene:
    """A primary with a full and a later backup and confirmed rows in its archive, on which faults are tried in turn."""

    sandbox: Sandbox
    primary: Database
    writer: Writer
    seed: int
    store_away_seconds: float = 0.0
    last_segment: str = ""
    """The segment that holds the last confirmed row."""

    @property
    def store(self) -> Path:
        """Return the repository's folder in the object store."""
        backups = self.sandbox.sites[0]
        return backups.data / backups.buckets[0].name / stanza_of(SHARD)

    def write(self, rows: int = ROWS) -> None:
        """Have so many more rows confirmed and archived."""
        self.confirm(rows)
        self.last_segment = str(self.primary.value("select pg_walfile_name(pg_current_wal_flush_lsn())"))
        archive_now(self.primary)

    def confirm(self, rows: int) -> None:
        """Have so many more rows confirmed."""
        wanted = self.writer.last + rows
        self.writer.resume()
        while self.writer.last < wanted:
            time.sleep(0.02)
        self.writer.stop()

    @contextmanager
    def damaged(self) -> Iterator[Path]:
        """Let the block damage the repository; put it back afterwards as it was, with what was archived meanwhile."""
        kept = self.sandbox.folder / "kept"
        run("cp", "--archive", str(self.store), str(kept))
        try:
            yield self.store
        finally:
            run("cp", "--archive", f"{kept}/.", str(self.store))
            shutil.rmtree(kept)

    def restore(self, *target: str, prepare: Callable[[Database], None] | None = None) -> Verdict:
        """Restore to a new server and tell how it ended: refused, complete, or short of what the archive held."""
        database = Database(sandbox=self.sandbox, server=self.sandbox.server("restored"), port=5433)
        database.start_seconds = 45.0
        try:
            if prepare is not None:
                prepare(database)
            done = database.restore(*target)
            if done.returncode:
                return Outcome.DETECTED, "the restore refuses: " + error_of(done.stdout + done.stderr)
            try:
                database.start_restored()
            except DrillError as error:
                return Outcome.DETECTED, "the restored database refuses to start: " + error_of(str(error))
            return self.judged(database)
        finally:
            database.server.lose()

    def judged(self, database: Database) -> Verdict:
        """Compare a restored database with what was confirmed and archived."""
        found: Found = read(database, self.seed)
        if found.last == self.writer.last and not found.missing and not found.changed:
            return Outcome.SURVIVED, f"all {found.rows:,} rows are there"
        position, archived = database.replayed_to(), self.primary.archived_to()
        if position < archived - SEGMENT_TOLERANCE:
            return (
                Outcome.DETECTED,
                f"the restore ends {(archived - position) / 2**20:.0f} MiB before the archive's end",
            )
        return Outcome.SILENT, f"{found.rows:,} of {self.writer.last:,} rows are there"

    def examine(self) -> Verdict:
        """Tell whether the stage's daily look at the whole repository finds the damage."""
        done = self.primary.server.run("sh", "/etc/dreamseed/backup.sh", "examine")
        noted = self.primary.value(f"select passed from {LOOKS_TABLE}")  # noqa: S608 - our own name
        if noted is not (done.returncode == 0):
            return Outcome.SILENT, "the daily look does not write down what it found, so no alert follows"
        if done.returncode:
            return Outcome.DETECTED, "the daily look: " + error_of(done.stdout + done.stderr)
        return Outcome.SILENT, "the daily look finds nothing"


def scene(sandbox: Sandbox, settings: Settings, tell: Tell) -> Scene:
    """Set the scene: a primary, the stage's own first backup, an incremental one, and rows before and after it."""
    primary = begin(sandbox, settings, tell)
    writer = Writer(database=primary, seed=settings.seed, rows_per_second=settings.rows_per_second)
    made = Scene(
        sandbox=sandbox,
        primary=primary,
        writer=writer,
        seed=settings.seed,
        store_away_seconds=settings.store_away_seconds,
    )
    with Backups(sandbox=sandbox, database=primary) as backups:
        backups.first()
    writer.start()
    made.write()
    primary.backup("incr")
    made.write()
    made.write()
    return made


SEGMENT_TOLERANCE = 16 * 2**20
Fault = Callable[[Scene], Verdict]


def error_of(text: str) -> str:
    """Return the line of a program's output that says what is wrong, without its time and level."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if "ERROR" in line or "FATAL" in line or "PANIC" in line]
    telling = telling or [line for line in lines if re.search(r"missing: [^0]|invalid: [^0]|error", line)]
    named = [line for line in lines if re.search(r"\[\w+Error\]", line)]
    line = (named or telling or lines or ["it says nothing"])[0]
    for mark in ("ERROR: ", "FATAL: ", "PANIC: ", "WARN: "):
        line = line.rpartition(mark)[2]
    return line.strip()[:150]


def try_all(scene: Scene, faults: Sequence[tuple[str, Fault]], tell: Callable[[str], None]) -> tuple[Tried, ...]:
    """Try every fault in turn; a fault that breaks the scene itself is silent, with what broke."""
    tried = []
    for name, fault in faults:
        began = time.monotonic()
        try:
            outcome, told_by = fault(scene)
        except DrillError as error:
            outcome, told_by = Outcome.SILENT, f"the drill could not go on: {str(error)[-1500:]}"
        tried.append(Tried(name=name, outcome=outcome, told_by=told_by, seconds=time.monotonic() - began))
        tell(f"{name}: {outcome} in {tried[-1].seconds:.1f} s: {told_by}")
    return tuple(tried)

"""Who writes during a drill: numbered rows whose contents follow from a seed, one commit each, every answer noted."""

from __future__ import annotations

import hashlib
import threading
import time
from bisect import bisect_right
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg

from localtier.drills.database import Database, lsn

TABLE = "drill_rows"
CREATE = f"create table {TABLE} (id bigint primary key, body text not null, checksum text not null)"
POSITION_EVERY_ROWS = 10
BODY_BYTES = 1_024


@dataclass(frozen=True)
class Acknowledged:
    """A row that the database confirmed, and when (seconds of the monotonic clock)."""

    number: int
    at: float


@dataclass(kw_only=True)
class Writer:
    """Writes rows 1, 2, 3, … to `database` until it is stopped; a row without an answer is tried again.

    `rows_per_second` is at most reached. Rows are never skipped: the next one is written when the last was confirmed.
    """

    database: Database
    seed: int
    rows_per_second: float
    acknowledged: list[Acknowledged] = field(default_factory=list)
    positions: list[tuple[int, int]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    _ending: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Make the table and begin."""
        self.database.rows(CREATE)
        self.resume()

    def resume(self) -> None:
        """Go on after the last confirmed row."""
        self._ending.clear()
        self._thread = threading.Thread(target=self._write, name="writer", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the row that is being written."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join()

    @property
    def last(self) -> int:
        """Return the number of the last confirmed row, 0 before the first."""
        return self.acknowledged[-1].number if self.acknowledged else 0

    def confirmed_before(self, position: int) -> int:
        """Return the last row that surely was committed before `position` of the log (bytes), 0 when none was."""
        index = bisect_right(self.positions, position, key=lambda known: known[0])
        return self.positions[index - 1][1] if index else 0

    def lost_seconds(self, restored: int, killed_at: float) -> float:
        """Return how old the oldest confirmed row was that a restore up to row `restored` misses; 0 when none is."""
        return lost_seconds(self.acknowledged, restored, killed_at)

    def _write(self) -> None:
        connection: psycopg.Connection[Any] | None = None
        while not self._ending.is_set():
            began = time.monotonic()
            try:
                connection = connection or self.database.connect()
                self._row(connection, self.last + 1)
            except psycopg.Error as error:
                self.errors.append(str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__)
                with suppress(psycopg.Error):
                    if connection is not None:
                        connection.close()
                connection = None
                self._ending.wait(0.2)
            self._ending.wait(max(0.0, 1 / self.rows_per_second - (time.monotonic() - began)))
        if connection is not None:
            connection.close()

    def _row(self, connection: psycopg.Connection[Any], number: int) -> None:
        body = body_of(self.seed, number)
        # A row whose answer was lost may be there already: it counts once.
        connection.execute(
            f"insert into {TABLE} values (%s, %s, %s) on conflict (id) do nothing",  # noqa: S608 - our own name
            (number, body, checksum_of(body)),
        )
        self.acknowledged.append(Acknowledged(number, time.monotonic()))
        if number % POSITION_EVERY_ROWS == 0:
            position = connection.execute("select pg_current_wal_insert_lsn()::text").fetchone()
            if position is not None:
                self.positions.append((lsn(str(position[0])), number))


def lost_seconds(acknowledged: Sequence[Acknowledged], restored: int, killed_at: float) -> float:
    """Return how old the oldest confirmed row was that a restore up to row `restored` misses; 0 when none is."""
    missed = next((row.at for row in acknowledged if row.number > restored), None)
    return 0.0 if missed is None else max(0.0, killed_at - missed)


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a database holds of a writer's rows: how many, the last one, and the numbers that are missing or changed."""

    rows: int
    last: int
    missing: tuple[int, ...]
    changed: tuple[int, ...]


def read(database: Database, seed: int) -> Found:
    """Read every row back, compare each with what the seed says, and look for gaps below the last."""
    numbers: list[int] = []
    changed: list[int] = []
    with database.connect() as connection:
        for number, body, checksum in connection.execute(f"select * from {TABLE} order by id"):  # noqa: S608
            numbers.append(number)
            if body != body_of(seed, number) or checksum != checksum_of(body):
                changed.append(number)
    last = numbers[-1] if numbers else 0
    missing = sorted(set(range(1, last + 1)) - set(numbers))
    return Found(rows=len(numbers), last=last, missing=tuple(missing), changed=tuple(changed))


def body_of(seed: int, number: int) -> str:
    """Return the contents of a row, which no other row has and no compression makes much smaller."""
    return hashlib.shake_128(f"{seed}:{number}".encode()).hexdigest(BODY_BYTES // 2)


def checksum_of(body: str) -> str:
    """Return the checksum that is stored beside the contents."""
    return hashlib.sha256(body.encode()).hexdigest()

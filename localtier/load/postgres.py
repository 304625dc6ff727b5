"""The database's clients: rows with growing numbers, one commit each, through the pooler."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg import Connection, errors
from psycopg.rows import TupleRow

from localtier.load.client import Acknowledged, Client, Reader, kind_of
from localtier.load.content import checksum, text_of
from localtier.load.ledger import Outcome
from localtier.load.targets import LOOPBACK, PostgresTarget

TABLE = "load_rows"
CONNECT_SECONDS = 5
ANSWER_SECONDS = 10.0
PAGE_ROWS = 5_000
# No unique key: a row that was written twice must be found, not refused.
CREATE = (
    f"create table if not exists {TABLE} (series text not null, id bigint not null, body text not null,"
    " checksum text not null, written timestamptz not null default now())",
    f"create index if not exists {TABLE}_id on {TABLE} (series, id)",
)


class Database:
    """A connection that is made when it is needed and dropped after an error; the next one uses today's `password`."""

    def __init__(self, target: PostgresTarget, password: str) -> None:
        self._target = target
        self.password = password
        self._connection: Connection[TupleRow] | None = None
        self.warned = False

    def connected(self) -> Connection[TupleRow]:
        """Return the connection, made anew when there is none. Raises psycopg.Error."""
        if self._connection is None:
            made = psycopg.connect(
                host=LOOPBACK,
                port=self._target.port,
                dbname=self._target.database,
                user=self._target.user,
                password=self.password,
                connect_timeout=CONNECT_SECONDS,
                sslmode="disable",
                autocommit=True,
                prepare_threshold=None,
            )
            made.add_notice_handler(self._notice)
            self._connection = made
        return self._connection

    def execute(self, query: str, values: tuple[object, ...] = ()) -> list[TupleRow]:
        """Return the rows of a statement, which is a transaction of its own. Raises psycopg.Error.

        An answer that does not come within `ANSWER_SECONDS` is an error.
        """
        connection = self.connected()
        self.warned = False
        try:
            with _cut_after(connection, ANSWER_SECONDS):
                cursor = connection.execute(query, values)
                return cursor.fetchall() if cursor.description else []
        except psycopg.Error:
            self.drop()
            raise

    def drop(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
            self._connection = None

    def _notice(self, diagnostic: errors.Diagnostic) -> None:
        self.warned = self.warned or diagnostic.severity_nonlocalized == "WARNING"


@contextmanager
def _cut_after(connection: Connection[TupleRow], seconds: float) -> Iterator[None]:
    """Break the connection when the block takes longer: libpq itself waits for an answer for ever."""
    own = socket.socket(fileno=os.dup(connection.fileno()))

    def cut() -> None:
        with suppress(OSError):
            own.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        own.close()


class PostgresWriter(Client):
    """Inserts a row a step. Acknowledged is what was committed without a warning.

    A warning may be "canceling wait for synchronous replication": committed here, on no standby.
    """

    name = "postgres"

    def __init__(self, folder: Path, per_second: float, series: str, database: Database, written: Acknowledged) -> None:
        super().__init__(folder, per_second)
        self._series = series
        self._database = database
        self._written = written
        self._keys = self.ledger.new_keys()
        self._created = False

    def step(self) -> None:
        """Insert the next row."""
        began = time.monotonic()
        try:
            if not self._created:
                for statement in CREATE:
                    self._database.execute(statement)
                self._created = True
            self._database.connected()
        except psycopg.Error as error:
            self.ledger.write(Outcome.FAILED, error=kind_of(error))
            return
        key = str(next(self._keys))
        body = text_of(self._series, key)
        try:
            self._database.execute(
                f"insert into {TABLE} (series, id, body, checksum) values (%s, %s, %s, %s)",  # noqa: S608 - a constant
                (self._series, int(key), body, checksum(body)),
            )
        except psycopg.Error as error:
            self.ledger.write(Outcome.IN_DOUBT, key=key, error=kind_of(error))
            return
        if self._database.warned:
            self.ledger.write(Outcome.IN_DOUBT, key=key, error="committed with a warning")
            return
        self.ledger.write(Outcome.OK, key=key, seconds=round(time.monotonic() - began, 4))
        self._written.add(key)

    def close(self) -> None:
        """Close the connection."""
        self._database.drop()


class PostgresReader(Reader):
    """Reads a row back a step."""

    name = "postgres-reader"

    def __init__(self, folder: Path, per_second: float, series: str, database: Database, written: Acknowledged) -> None:
        super().__init__(folder, per_second, written)
        self._series = series
        self._database = database

    def is_whole(self, key: str) -> bool:
        """Tell whether the row is there once, as it was written."""
        try:
            rows = self._database.execute(
                f"select body, checksum from {TABLE} where series = %s and id = %s",  # noqa: S608 - a constant
                (self._series, int(key)),
            )
        except psycopg.Error as error:
            raise ConnectionError(str(error)) from error
        text = text_of(self._series, key)
        return rows == [(text, checksum(text))]

    def close(self) -> None:
        """Close the connection."""
        self._database.drop()


def found_rows(database: Database, series: str) -> Iterator[tuple[str, str]]:
    """Return every row of a series as key and text; a text whose checksum differs is spoilt. Raises psycopg.Error.

    Page by page in order of number; rows of one number never stand on two pages.
    """
    last = -1
    while True:
        rows = database.execute(
            f"select id, body, checksum from {TABLE} where series = %s and id > %s"  # noqa: S608 - a constant
            f" order by id fetch first {PAGE_ROWS} rows with ties",
            (series, last),
        )
        if not rows:
            return
        for number, body, stored in rows:
            yield str(number), body if checksum(body) == stored else f"checksum differs: {body}"
        last = rows[-1][0]

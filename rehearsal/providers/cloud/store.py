"""Where the fake cloud keeps its objects: one SQLite file, shared by every process that opens it.

A value that the program marked secret is never written: a keyed digest stands for it, enough to see that it is still
the same.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal.providers.values import UNKNOWN, Opaque, Secret, Value, Values, plain

SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
  token TEXT NOT NULL, scope TEXT NOT NULL, id TEXT NOT NULL, identity TEXT NOT NULL, urn TEXT NOT NULL,
  inputs TEXT NOT NULL, outputs TEXT NOT NULL, PRIMARY KEY (token, scope, identity)
);
CREATE INDEX IF NOT EXISTS by_id ON objects (token, id);
CREATE TABLE IF NOT EXISTS counts (name TEXT PRIMARY KEY, made INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
FILE = "cloud.sqlite"
SEALED, OPAQUE = "$sealed", "$opaque"
BUSY_SECONDS = 30.0


@dataclass(frozen=True)
class Row:
    """One object as kept: secrets are sealed in it."""

    token: str
    scope: str
    id: str
    identity: str
    urn: str
    inputs: Values
    outputs: Values


class Store:
    """Objects by type, scope and identity; safe for many threads, and for a few processes."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(
            directory / FILE, timeout=BUSY_SECONDS, check_same_thread=False, isolation_level=None
        )
        (directory / FILE).chmod(0o600)
        self._connection.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; {SCHEMA}")
        self._key = self._setting("key", secrets.token_hex(32)).encode()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One atomic step; other writers wait."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def _setting(self, name: str, default: str) -> str:
        with self.transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO settings VALUES (?, ?)", (name, default))
            row = connection.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
        return str(row[0])

    def count(self, key: str) -> int:
        """How often this was called with the key, this time included."""
        statement = "INSERT INTO counts VALUES (?, 1) ON CONFLICT DO UPDATE SET made = made + 1 RETURNING made"
        with self.transaction() as connection:
            return int(connection.execute(statement, (key,)).fetchone()[0])

    def rows(self, token: str = "") -> list[Row]:
        """Every object of a type, or of all types."""
        return self._select("WHERE token = ? OR ? = ''", (token, token))

    def by_identity(self, token: str, scope: str, identity: str) -> Row | None:
        """The object that a second one of the same identity would collide with."""
        found = self._select("WHERE token = ? AND scope = ? AND identity = ?", (token, scope, identity))
        return found[0] if found else None

    def by_id(self, token: str, scope: str, object_id: str, urn: str) -> Row | None:
        """An object by its id; where several share one, the one that this resource made."""
        found = self._select("WHERE token = ? AND scope = ? AND id = ?", (token, scope, object_id))
        return next((row for row in found if row.urn == urn), found[0] if found else None)

    def _select(self, condition: str, arguments: tuple[str, ...]) -> list[Row]:
        # The condition is one of this module's constants, never a caller's text.
        columns = "token, scope, id, identity, urn, inputs, outputs"
        statement = f"SELECT {columns} FROM objects {condition} ORDER BY token, id"  # noqa: S608 - see above
        with self._lock:
            rows = self._connection.execute(statement, arguments).fetchall()
        return [
            Row(token, scope, object_id, identity, urn, json.loads(inputs), json.loads(outputs))
            for token, scope, object_id, identity, urn, inputs, outputs in rows
        ]

    def put(self, row: Row) -> None:
        """Keep an object, in the place of one with the same identity."""
        kept = (row.token, row.scope, row.id, row.identity, row.urn, json.dumps(row.inputs), json.dumps(row.outputs))
        with self.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?, ?)", kept)

    def remove(self, row: Row) -> None:
        """Forget an object."""
        with self.transaction() as connection:
            key = (row.token, row.scope, row.identity)
            connection.execute("DELETE FROM objects WHERE token = ? AND scope = ? AND identity = ?", key)

    def digest(self, value: Value) -> str:
        """What stands for a secret in the file."""
        text = json.dumps(self.sealed(value), sort_keys=True)
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()

    def sealed(self, value: Value) -> Any:
        """A value as JSON, secrets replaced by their digest."""
        if isinstance(value, Secret):
            return {SEALED: self.digest(plain(value))}
        if isinstance(value, Opaque):
            return {OPAQUE: [value.signature, self.sealed(dict(value.fields))]}
        if isinstance(value, dict):
            return {key: self.sealed(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.sealed(item) for item in value]
        return None if value is UNKNOWN else value

    def opened(self, kept: Any, known: Value) -> Value:
        """A kept value, with the secrets that the engine knows already put back.

        A secret that changed behind the engine's back comes as its digest; one the engine never knew is left out.
        """
        bare = plain(known)
        if isinstance(kept, dict) and SEALED in kept:
            if known is None:
                return None
            return Secret(bare if self.digest(bare) == kept[SEALED] else f"changed ({kept[SEALED][:12]})")
        if isinstance(kept, dict) and OPAQUE in kept:
            signature, fields = kept[OPAQUE]
            return Opaque(signature, fields)
        opened: Value = kept
        if isinstance(kept, dict):
            before = bare if isinstance(bare, dict) else {}
            items = {key: self.opened(item, before.get(key)) for key, item in kept.items()}
            opened = {key: item for key, item in items.items() if item is not None}
        elif isinstance(kept, list):
            earlier = bare if isinstance(bare, list) else []
            opened = [self.opened(item, earlier[i] if i < len(earlier) else None) for i, item in enumerate(kept)]
        return Secret(opened) if isinstance(known, Secret) else opened

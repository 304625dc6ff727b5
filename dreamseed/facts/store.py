"""The store of daily facts: SQLite, append-only, each row with source, query and a hash over it and the row before.

A later figure for a day is a new row that supersedes the one before; nothing is ever changed. Triggers refuse updates,
deletes and a row that supersedes another than the current one. They stop mistakes, not an owner of the file with a
tool: that breaks the chain of hashes, which `Store.check` finds. Source: SQLite documentation, CREATE TRIGGER.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from dreamseed.catalog.promotion_rules import LEAST_COVERAGE
from dreamseed.errors import DreamSeedError
from dreamseed.facts.measures import Measure
from dreamseed.signing import digest

STORE_FILE = Path("facts", "facts.sqlite")
NOTHING = "sha256:" + "0" * 64
"""The hash that stands before the first row."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS fact (
  id INTEGER PRIMARY KEY,
  measure TEXT NOT NULL,
  day TEXT NOT NULL,
  value REAL,
  coverage REAL NOT NULL CHECK (coverage BETWEEN 0 AND 1),
  source TEXT NOT NULL CHECK (source <> ''),
  query TEXT NOT NULL,
  recorded_at TEXT NOT NULL,
  supersedes INTEGER REFERENCES fact (id),
  previous TEXT NOT NULL,
  hash TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS fact_of_a_day ON fact (measure, day);
CREATE TRIGGER IF NOT EXISTS fact_keeps_its_rows BEFORE DELETE ON fact
  BEGIN SELECT RAISE(ABORT, 'facts are never deleted'); END;
CREATE TRIGGER IF NOT EXISTS fact_keeps_its_values BEFORE UPDATE ON fact
  BEGIN SELECT RAISE(ABORT, 'facts are never changed: record a new one'); END;
CREATE TRIGGER IF NOT EXISTS fact_is_appended BEFORE INSERT ON fact
  WHEN NEW.id IS NOT (SELECT coalesce(max(id), 0) + 1 FROM fact)
    OR NEW.previous IS NOT coalesce((SELECT hash FROM fact ORDER BY id DESC LIMIT 1), '{nothing}')
    OR NEW.supersedes IS NOT (SELECT max(id) FROM fact WHERE measure = NEW.measure AND day = NEW.day)
  BEGIN SELECT RAISE(ABORT, 'a fact follows the newest one and supersedes the one of its day'); END;
""".replace("{nothing}", NOTHING)


class StoreError(DreamSeedError):
    """The store of facts cannot be read, or is not as it was written."""


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One measure of one local day. `value` None is unknown; `coverage` is the share of the day that was recorded."""

    measure: Measure
    day: date
    value: float | None
    coverage: float = 1.0
    source: str
    query: str = ""

    def __post_init__(self) -> None:
        finite = self.value is None or math.isfinite(self.value)
        if not finite or not 0 <= self.coverage <= 1 or (self.value or 0) < 0 or not self.source:
            raise StoreError(
                f"facts › {self.measure} › {self.day}",
                f"value {self.value}, coverage {self.coverage}, source {self.source!r}",
                "a fact is a finite number from 0, or unknown; a coverage is 0 to 1; its source is named",
                "the figure as it was measured, in the unit that the measure's name ends with",
            )


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """A fact in the store, with its row's hash."""

    id: int
    fact: Fact
    recorded_at: datetime
    supersedes: int | None
    hash: str

    @property
    def known(self) -> float | None:
        """Return the value, or None where too little of the day was recorded to know it."""
        return self.fact.value if self.fact.coverage >= LEAST_COVERAGE else None


class Store:
    """The facts in one SQLite file, made when the first fact is recorded."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def record(self, facts: Iterable[Fact], now: datetime) -> int:
        """Append those of `facts` that say something new, all or none; return how many they were."""
        added = 0
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            for fact in facts:
                added += _append(connection, fact, now)
            connection.execute("COMMIT")
        return added

    def rows(self) -> tuple[Recorded, ...]:
        """Return every row, superseded ones too, in the order of their recording; none where there is no file."""
        if not self._path.is_file():
            return ()
        with self._connection() as connection:
            return tuple(_recorded(row) for row in connection.execute("SELECT * FROM fact ORDER BY id"))

    def current(self, until: datetime | None = None) -> dict[tuple[Measure, date], Recorded]:
        """Return the fact that holds for each measure and day: the newest, or the newest recorded by `until`."""
        found: dict[tuple[Measure, date], Recorded] = {}
        for row in self.rows():
            if until is None or row.recorded_at <= until:
                found[row.fact.measure, row.fact.day] = row
        return found

    def check(self) -> None:
        """Raise `StoreError` naming the first row that is not as it was written."""
        previous = NOTHING
        for number, row in enumerate(self.rows(), start=1):
            if row.id != number or row.hash != _hash(row.fact, row.recorded_at, row.supersedes, previous):
                raise StoreError(
                    f"{self._path} › row {number}",
                    "is not as it was written",
                    "each row's hash covers it and the row before; this one's does not fit",
                    "the file from a backup; then import again what came after",
                )
            previous = row.hash

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._path, isolation_level=None)) as connection:
                connection.row_factory = sqlite3.Row
                connection.executescript(f"PRAGMA synchronous = FULL; {_SCHEMA}")
                yield connection
        except (sqlite3.DatabaseError, OSError, ValueError) as error:
            raise StoreError(
                str(self._path),
                f"is no store of facts that can be used ({error})",
                "it is the SQLite file that `dreamseed facts` writes",
                "the path of such a file, or of none to begin one",
            ) from error


def _append(connection: sqlite3.Connection, fact: Fact, now: datetime) -> bool:
    """Append a fact unless the current one of its day says the same."""
    of_day = "SELECT * FROM fact WHERE measure = ? AND day = ? ORDER BY id DESC LIMIT 1"
    before = connection.execute(of_day, (fact.measure, fact.day.isoformat())).fetchone()
    if before is not None and _recorded(before).fact == fact:
        return False
    newest = connection.execute("SELECT id, hash FROM fact ORDER BY id DESC LIMIT 1").fetchone()
    number, previous = (newest["id"] + 1, newest["hash"]) if newest else (1, NOTHING)
    supersedes = before["id"] if before is not None else None
    moment = now.astimezone(UTC).replace(microsecond=0)
    connection.execute(
        "INSERT INTO fact VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(number, fact.measure.value, fact.day.isoformat(), fact.value, fact.coverage, fact.source, fact.query),
            *(moment.isoformat(), supersedes, previous, _hash(fact, moment, supersedes, previous)),
        ),
    )
    return True


def _hash(fact: Fact, recorded_at: datetime, supersedes: int | None, previous: str) -> str:
    content = {**asdict(fact), "day": fact.day.isoformat(), "recorded_at": recorded_at.isoformat()}
    # SQLite gives back 3.0 for 3: both are one number.
    numbers = {name: None if content[name] is None else float(content[name]) for name in ("value", "coverage")}
    return digest({**content, **numbers, "supersedes": supersedes, "previous": previous})


def _recorded(row: sqlite3.Row) -> Recorded:
    fact = Fact(
        measure=Measure(row["measure"]),
        day=date.fromisoformat(row["day"]),
        value=row["value"],
        coverage=row["coverage"],
        source=row["source"],
        query=row["query"],
    )
    return Recorded(
        id=row["id"],
        fact=fact,
        recorded_at=datetime.fromisoformat(row["recorded_at"]),
        supersedes=row["supersedes"],
        hash=row["hash"],
    )

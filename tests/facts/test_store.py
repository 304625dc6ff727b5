from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from dreamseed.facts.measures import Measure
from dreamseed.facts.store import Fact, Store, StoreError

NOW = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)
DAY = date(2026, 11, 25)
COPIED = "measure, day, 99, coverage, source, query, recorded_at"


def fact(value: float | None = 10.0, *, coverage: float = 1.0, day: date = DAY, source: str = "test") -> Fact:
    return Fact(measure=Measure.SIGN_UPS, day=day, value=value, coverage=coverage, source=source)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "facts.sqlite")


def test_nothing_is_known_where_there_is_no_file(store: Store, tmp_path: Path) -> None:
    assert store.rows() == ()
    assert list(tmp_path.iterdir()) == []


def test_late_data_is_a_new_row_that_supersedes_and_the_old_one_stays(store: Store) -> None:
    store.record([fact(10)], NOW)
    store.record([fact(12)], NOW + timedelta(days=1))
    first, second = store.rows()
    assert (first.fact.value, second.fact.value, second.supersedes) == (10, 12, first.id)
    assert store.current()[Measure.SIGN_UPS, DAY] == second
    assert store.current(NOW + timedelta(hours=1))[Measure.SIGN_UPS, DAY] == first


def test_the_same_again_adds_nothing(store: Store) -> None:
    assert store.record([fact(10), fact(None, day=DAY - timedelta(days=1))], NOW) == 2
    assert store.record([fact(10), fact(None, day=DAY - timedelta(days=1))], NOW + timedelta(days=1)) == 0


def test_too_little_coverage_is_unknown_whatever_the_value(store: Store) -> None:
    store.record([fact(10, coverage=0.94), fact(10, coverage=0.95, day=DAY - timedelta(days=1))], NOW)
    found = store.current()
    assert found[Measure.SIGN_UPS, DAY].known is None
    assert found[Measure.SIGN_UPS, DAY - timedelta(days=1)].known == 10


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE fact SET value = 99", "never changed"),
        ("DELETE FROM fact", "never deleted"),
        (
            "INSERT OR REPLACE INTO fact SELECT id, COPIED, supersedes, previous, hash FROM fact",
            "follows the newest",
        ),
        (
            "INSERT INTO fact SELECT 3, COPIED, NULL, hash, 'h' FROM fact WHERE id = 2",
            "supersedes the one of its day",
        ),
        ("INSERT INTO fact SELECT 4, COPIED, 2, hash, 'h' FROM fact WHERE id = 2", "follows the newest"),
    ],
)
def test_nothing_in_the_store_can_be_changed(store: Store, tmp_path: Path, statement: str, words: str) -> None:
    store.record([fact(10)], NOW)
    store.record([fact(11)], NOW)
    connection = sqlite3.connect(tmp_path / "facts.sqlite")
    with pytest.raises(sqlite3.DatabaseError, match=words):
        connection.execute(statement.replace("COPIED", COPIED))
    connection.close()
    assert [row.fact.value for row in store.rows()] == [10, 11]


@pytest.mark.parametrize("column", ["value", "coverage", "source", "query", "recorded_at", "day"])
def test_a_row_changed_behind_the_triggers_breaks_the_chain(store: Store, tmp_path: Path, column: str) -> None:
    store.record([fact(10), fact(11, day=DAY - timedelta(days=1))], NOW)
    store.check()
    new = {"value": 99.0, "coverage": 0.5, "day": "2026-01-01", "recorded_at": "2026-01-01T00:00:00+00:00"}
    connection = sqlite3.connect(tmp_path / "facts.sqlite", isolation_level=None)
    connection.execute("DROP TRIGGER fact_keeps_its_values")
    connection.execute(f"UPDATE fact SET {column} = ? WHERE id = 1", (new.get(column, "forged"),))  # noqa: S608
    connection.close()
    with pytest.raises(StoreError, match="row 1: is not as it was written"):
        store.check()


def test_a_removed_row_breaks_the_chain(store: Store, tmp_path: Path) -> None:
    store.record([fact(value, day=DAY - timedelta(days=value)) for value in range(3)], NOW)
    connection = sqlite3.connect(tmp_path / "facts.sqlite", isolation_level=None)
    connection.execute("DROP TRIGGER fact_keeps_its_rows")
    connection.execute("DELETE FROM fact WHERE id = 2")
    connection.close()
    with pytest.raises(StoreError, match="row 2"):
        store.check()


def test_all_facts_of_a_recording_or_none(store: Store) -> None:
    def broken() -> list[Fact]:
        return [fact(10), fact(-1, day=DAY - timedelta(days=1))]

    with pytest.raises(StoreError, match="finite number from 0"):
        store.record((one for one in broken()), NOW)
    assert store.rows() == ()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.5])
def test_no_number_is_no_fact(value: float) -> None:
    with pytest.raises(StoreError):
        fact(value)


def test_another_file_is_told_as_no_store(tmp_path: Path) -> None:
    path = tmp_path / "facts.sqlite"
    path.write_text("no database at all, but long enough to be taken for one" * 100)
    with pytest.raises(StoreError, match="no store of facts"):
        Store(path).rows()

"""The database's clients against a table in memory, and what counts as acknowledged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest

from localtier.load import postgres
from localtier.load.client import Acknowledged
from localtier.load.content import compare
from localtier.load.ledger import Outcome, acknowledged, read_events
from localtier.load.postgres import Database, PostgresReader, PostgresWriter, found_rows
from localtier.load.targets import PostgresTarget

SERIES = "abcd"


class Table(Database):
    """Does what the clients' statements mean; `fault` is what the next insert gets."""

    def __init__(self) -> None:
        super().__init__(PostgresTarget(port=1, database="d", user="u"), "p")
        self.rows: list[tuple[int, str, str]] = []
        self.fault = ""

    def connected(self) -> Any:
        if self.fault == "away":
            raise psycopg.OperationalError("connection refused")

    def execute(self, query: str, values: tuple[object, ...] = ()) -> list[Any]:
        self.connected()
        self.warned = False
        if query.startswith("insert"):
            if self.fault != "unsent":
                self.rows.append((int(str(values[1])), str(values[2]), str(values[3])))
            self.warned = self.fault == "warning"
            if self.fault in ("unsent", "unanswered"):
                raise psycopg.OperationalError("server closed the connection")
            return []
        if "order by" in query:
            later = sorted(row for row in self.rows if row[0] > int(str(values[1])))
            size = postgres.PAGE_ROWS
            return later[:size] + [row for row in later[size:] if row[0] == later[size - 1][0]]
        if query.startswith("select"):
            return [(body, stored) for number, body, stored in self.rows if number == int(str(values[1]))]
        return []


def writer_of(table: Table, folder: Path) -> PostgresWriter:
    return PostgresWriter(folder, 1, SERIES, table, Acknowledged())


def outcomes(folder: Path) -> list[Outcome]:
    return [event.outcome for event in read_events(folder / "postgres.jsonl")][1:]


def test_rows_are_acknowledged_with_growing_numbers_and_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "PAGE_ROWS", 4)
    table = Table()
    writer = writer_of(table, tmp_path)
    for _ in range(11):
        writer.step()
    keys = acknowledged(tmp_path / "postgres.jsonl")
    assert [int(key) for key in keys] == sorted({int(key) for key in keys})
    assert len(keys) == 11
    assert compare(SERIES, keys, found_rows(table, SERIES)).sound


@pytest.mark.parametrize(
    ("fault", "outcome", "rows"),
    [
        ("away", Outcome.FAILED, 0),
        ("unsent", Outcome.IN_DOUBT, 0),
        ("unanswered", Outcome.IN_DOUBT, 1),
        ("warning", Outcome.IN_DOUBT, 1),
    ],
)
def test_only_a_commit_without_error_or_warning_is_acknowledged_and_the_next_row_has_another_number(
    tmp_path: Path, fault: str, outcome: Outcome, rows: int
) -> None:
    table = Table()
    writer = writer_of(table, tmp_path)
    writer.step()
    table.rows.clear()
    table.fault = fault
    writer.step()
    assert len(table.rows) == rows
    table.fault = ""
    writer.step()
    assert outcomes(tmp_path) == [Outcome.OK, outcome, Outcome.OK]
    assert len({row[0] for row in table.rows}) == rows + 1


@pytest.mark.parametrize("fault", ["none", "dropped", "doubled", "body", "checksum"])
def test_verification_and_reader_see_each_fault_of_a_row(tmp_path: Path, fault: str) -> None:
    table = Table()
    writer = writer_of(table, tmp_path)
    for _ in range(5):
        writer.step()
    keys = acknowledged(tmp_path / "postgres.jsonl")
    number, body, stored = table.rows.pop(2)
    table.rows += {
        "none": [(number, body, stored)],
        "dropped": [],
        "doubled": [(number, body, stored)] * 2,
        "body": [(number, body[::-1], stored)],
        "checksum": [(number, body, stored[::-1])],
    }[fault]
    verdict = compare(SERIES, keys, found_rows(table, SERIES))
    seen = (verdict.missing, verdict.duplicated, verdict.corrupted)
    expected = {"none": (0, 0, 0), "dropped": (1, 0, 0), "doubled": (0, 1, 0)}
    assert seen == expected.get(fault, (0, 0, 1))
    reader = PostgresReader(tmp_path, 1, SERIES, table, Acknowledged(tmp_path / "postgres.jsonl"))
    assert reader.is_whole(keys[2]) is (fault == "none")
    assert reader.is_whole(keys[1])

"""Ledgers survive kills, and keys are never used twice."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from localtier.load.ledger import Ledger, Outcome, acknowledged, read_events, series_of


def test_what_was_written_is_on_disk_at_once_and_comes_back(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "a.jsonl")
    ledger.write(Outcome.OK, key="1", seconds=0.5, lane="3")
    ledger.write(Outcome.IN_DOUBT, key="2", error="reset")
    events = list(read_events(tmp_path / "a.jsonl"))
    assert [event.outcome for event in events] == [Outcome.START, Outcome.OK, Outcome.IN_DOUBT]
    assert (events[1].key, events[1].seconds, events[1].lane) == ("1", 0.5, "3")
    assert acknowledged(tmp_path / "a.jsonl") == ["1"]
    ledger.close()
    ledger.write(Outcome.OK, key="9")
    assert acknowledged(tmp_path / "a.jsonl") == ["1"]


def test_a_line_that_a_kill_cut_short_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    Ledger(path).write(Outcome.OK, key="1")
    with path.open("a") as file:
        file.write('{"time":1.0,"outco')
    Ledger(path).write(Outcome.OK, key="2")
    assert acknowledged(path) == ["1", "2"]


def test_a_new_run_never_uses_a_key_of_an_earlier_one(tmp_path: Path) -> None:
    first = list(islice(Ledger(tmp_path / "a.jsonl").new_keys(), 3))
    second = list(islice(Ledger(tmp_path / "a.jsonl").new_keys(), 3))
    assert first == sorted(set(first))
    assert min(second) > max(first)


def test_a_folder_keeps_its_series_and_another_has_another(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    assert series_of(tmp_path) == series_of(tmp_path)
    assert series_of(tmp_path) != series_of(tmp_path / "other")

"""The judges of drills, by cases that must fail: a drill that cannot fail proves nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
from rich.console import Console

from localtier.drills.database import Database, lsn, segment_end
from localtier.drills.enclosed import Order, enclose
from localtier.drills.faults import Fault, Outcome, Scene, error_of, try_all
from localtier.drills.load import Loaded
from localtier.drills.report import crossed, judged
from localtier.drills.sandbox import Sandbox
from localtier.drills.server import DrillError
from localtier.drills.writer import Acknowledged, Writer, body_of, checksum_of
from localtier.images import ImageError
from tests.components.declaring import stage
from tests.planning.stages import shipped

GOOD: dict[str, Any] = {
    "missing_rows": 0,
    "changed_rows": 0,
    "amcheck": "clean",
    "rpo_seconds": 12.0,
    "restore_mb_per_second": 60.0,
    "data_bytes": 200_000_000,
}
WAY: dict[str, Any] = {
    "what": "planned",
    "lost_rows": 0,
    "rpo_seconds": 0.0,
    "rows_after": 1,
    "damaged_rows": 0,
    "old_refuses_after_restart": True,
}


def writer(*acknowledged: Acknowledged, positions: list[tuple[int, int]] | None = None) -> Writer:
    return Writer(
        database=cast(Database, None),
        seed=1,
        rows_per_second=1,
        acknowledged=list(acknowledged),
        positions=positions or [],
    )


def test_a_drill_as_promised_passes() -> None:
    assert judged(stage("d"), GOOD) == []


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({"missing_rows": 1}, "1 confirmed and archived rows are missing"),
        ({"changed_rows": 2}, "2 rows were changed"),
        ({"amcheck": "heap table: bad"}, "the restored database is damaged"),
        ({"rpo_seconds": 901.0}, "promised are 15 min"),
        ({"restore_mb_per_second": 20.0}, "promised are 120 min"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_whatever_is_not_as_promised_fails_the_drill(found: dict[str, Any], told: str) -> None:
    [problem] = judged(stage("d"), GOOD | found)
    assert told in problem


def test_the_speed_of_a_small_database_is_not_judged() -> None:
    assert judged(stage("d"), GOOD | {"restore_mb_per_second": 1.0, "data_bytes": 5_000_000}) == []


@pytest.mark.parametrize(
    ("way", "problems"),
    [
        ({}, 0),
        ({"lost_rows": 1}, 1),
        ({"what": "unplanned", "lost_rows": 9, "rpo_seconds": 100.0}, 0),
        ({"what": "unplanned", "rpo_seconds": 901.0}, 1),
        ({"old_refuses_after_restart": False}, 1),
        ({"what": "back", "lost_rows": 1}, 1),
        ({"rows_after": 0}, 1),
        ({"damaged_rows": 1}, 1),
    ],
)
def test_a_way_that_loses_rows_or_leaves_two_primaries_fails(way: dict[str, Any], problems: int) -> None:
    assert len(crossed([WAY | way], 900)) == problems


@pytest.mark.parametrize(
    ("taken", "expected", "stopped", "passes"),
    [
        (True, True, True, True),
        (False, False, True, True),
        (True, False, True, False),
        (False, True, True, False),
        (True, True, False, False),
    ],
)
def test_a_load_passes_when_a_whole_copy_is_taken_or_a_lossy_one_refused_and_the_instance_rests(
    taken: bool, expected: bool, stopped: bool, passes: bool
) -> None:
    load = Loaded(
        what="load", taken=taken, expected_taken=expected, rows=1, told_by="", left_stopped=stopped, seconds=1
    )
    assert load.passed is passes


def test_the_rpo_is_the_age_of_the_oldest_confirmed_row_that_is_missing() -> None:
    three = writer(Acknowledged(1, 10.0), Acknowledged(2, 11.0), Acknowledged(3, 14.0))
    assert [three.lost_seconds(restored, 15.0) for restored in (0, 1, 2, 3)] == [5.0, 4.0, 1.0, 0.0]


def test_a_row_counts_as_archived_only_when_the_log_surely_reaches_beyond_it() -> None:
    known = writer(positions=[(1_000, 10), (2_000, 20)])
    assert [known.confirmed_before(position) for position in (999, 1_000, 1_999, 2_000, 9_999)] == [0, 10, 10, 20, 20]


def test_positions_and_names_of_the_log_are_read_as_postgresql_writes_them() -> None:
    assert lsn("1/16B3748") == (1 << 32) + 0x16B3748
    assert segment_end("000000010000000000000001") == 2 * 16 * 2**20
    assert segment_end("0000000200000001000000FF") == 2 << 32


def test_a_rows_contents_follow_from_seed_and_number_alone() -> None:
    assert body_of(1, 7) == body_of(1, 7)
    assert len({body_of(1, 7), body_of(2, 7), body_of(1, 8)}) == 3
    assert len(checksum_of(body_of(1, 7))) == 64


def test_a_fault_that_the_drill_itself_cannot_bear_is_silent_and_the_next_is_tried() -> None:
    def breaks(_: Scene) -> tuple[Outcome, str]:
        raise DrillError("nothing answers")

    faults: list[tuple[str, Fault]] = [("one", breaks), ("two", lambda _: (Outcome.SURVIVED, "all there"))]
    tried = try_all(cast(Scene, None), faults, lambda _: None)
    assert [(one.name, one.outcome) for one in tried] == [("one", Outcome.SILENT), ("two", Outcome.SURVIVED)]


def test_of_a_long_output_the_line_that_says_what_is_wrong_is_told() -> None:
    output = "P00   INFO: restore command begin\nP00  ERROR: [055]: unable to load info file\nP00   INFO: end"
    assert error_of(output) == "[055]: unable to load info file"
    assert error_of("") == "it says nothing"


def test_a_drill_without_root_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(ImageError, match="run the command as root"):
        enclose(Order(part="loss", stage_file="x", project="x", settings={}), Console())


def test_a_sandbox_fills_secrets_in_and_knows_both_sites(tmp_path: Path) -> None:
    sandbox = Sandbox(plan=shipped("stage-e"), image=tmp_path, versitygw=tmp_path, folder=tmp_path)
    sandbox.secrets = {"backup-key": "opened"}
    assert sandbox.filled("key=⟦backup-key⟧") == "key=opened"
    assert [site.region for site in sandbox.sites] == ["us-west-004", "eu-central-003"]

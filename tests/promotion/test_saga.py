from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dreamseed.errors import DreamSeedError
from dreamseed.journal import Event, Journal, JournalError, opened, read_journal
from dreamseed.promotion import saga
from dreamseed.promotion.saga import Step, StepError, Tell, Waiting
from tests.promotion.saga_world import NOW, STEPS, FilesWorld, promote

WHOLE = {
    "stage": "B",
    "gpus": 2,
    "writes": 0,
    "silence": False,
    "backup": "A",
    "engine": "tp2",
    "bounds": "1-8",
    "rules": "B",
    "load": "met",
}


def world(folder: Path, **changes: object) -> FilesWorld:
    folder.mkdir(parents=True, exist_ok=True)
    return FilesWorld(folder, **changes)  # type: ignore[arg-type]


def events(folder: Path) -> list[tuple[str, Event]]:
    return [(entry.step, entry.event) for entry in read_journal(folder / "journal.jsonl")]


def killed(act: Callable[[], object]) -> None:
    """Let a child process act until it kills itself."""
    child = os.fork()
    if child == 0:
        try:
            act()
        finally:
            os._exit(3)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "the child was to be killed before its end"


def test_seven_steps_are_checked_done_and_verified_in_order(tmp_path: Path) -> None:
    told = promote(world(tmp_path))
    assert told == [(name, event) for name in STEPS for event in (Event.BEGUN, Event.VERIFIED)]
    assert world(tmp_path).state == WHOLE
    assert events(tmp_path)[0] == ("", Event.SILENCED)
    assert events(tmp_path)[-2:] == [("", Event.UNSILENCED), ("", Event.FINISHED)]


def points(folder: Path) -> int:
    """How many moments there are at which a promotion can be killed."""
    one = world(folder)
    promote(one)
    return one.points


def test_killed_at_any_point_and_resumed_it_ends_as_if_nothing_had_happened(tmp_path: Path) -> None:
    last = points(tmp_path / "whole")
    assert last > 60
    for number in range(1, last + 1):
        folder = tmp_path / str(number)
        killed(lambda folder=folder, number=number: promote(world(folder, kill_at=number)))  # type: ignore[misc]
        noted = events(folder) if (folder / "journal.jsonl").exists() else []
        for key, step in (("backup", "back-up"), ("engine", "vllm"), ("rules", "thresholds"), ("load", "load-test")):
            assert key not in world(folder).state or (step, Event.BEGUN) in noted, "the journal is written before"
        promote(world(folder))
        assert world(folder).state == WHOLE, number
        verified = [step for step, event in events(folder) if event is Event.VERIFIED]
        assert verified == list(STEPS), f"killed at {number}: each step is verified once, in order"
        assert [event for _, event in events(folder)].count(Event.FINISHED) == 1


def test_killed_twice_it_still_ends_the_same(tmp_path: Path) -> None:
    last = points(tmp_path / "whole")
    for number in range(2, last, 7):
        folder = tmp_path / str(number)
        killed(lambda folder=folder, number=number: promote(world(folder, kill_at=number)))  # type: ignore[misc]
        killed(lambda folder=folder: promote(world(folder, kill_at=2)))  # type: ignore[misc]
        promote(world(folder))
        assert world(folder).state == WHOLE


def test_what_is_verified_is_not_done_again(tmp_path: Path) -> None:
    with pytest.raises(StepError):
        promote(world(tmp_path, failing="verify_thresholds"))
    again = world(tmp_path)
    promote(again)
    assert [name for name in again.acted if not name.endswith("silence")] == [
        *("reload_thresholds", "verify_thresholds", "play_load", "verify_load")
    ]


@pytest.mark.parametrize(
    ("failing", "step"),
    [
        ("back_up", "back-up"),
        ("verify_backup", "back-up"),
        ("apply", "vllm"),
        ("verify_engines", "vllm"),
        ("verify_api_bounds", "api-bounds"),
        ("reload_thresholds", "thresholds"),
        ("verify_thresholds", "thresholds"),
        ("play_load", "load-test"),
        ("verify_load", "load-test"),
    ],
)
def test_a_failed_step_stops_the_run_and_ends_the_silence(tmp_path: Path, failing: str, step: str) -> None:
    with pytest.raises(StepError):
        promote(world(tmp_path, failing=failing))
    noted = events(tmp_path)
    assert noted[-2:] == [(step, Event.FAILED), ("", Event.UNSILENCED)]
    later = STEPS[STEPS.index(step) + 1 :]
    assert not [one for one, _ in noted if one in later]
    assert world(tmp_path).state["silence"] is False
    promote(world(tmp_path))
    assert world(tmp_path).state == WHOLE


def test_without_a_verified_restore_nothing_is_changed(tmp_path: Path) -> None:
    with pytest.raises(StepError):
        promote(world(tmp_path, failing="verify_backup"))
    assert world(tmp_path).state["stage"] == "A"


def test_it_waits_for_the_person_who_puts_the_gpu_in(tmp_path: Path) -> None:
    with pytest.raises(Waiting, match="--gpu-installed"):
        promote(world(tmp_path), gpu_installed=False)
    assert events(tmp_path)[-2:] == [("gpu-install", Event.WAITING), ("", Event.UNSILENCED)]
    promote(world(tmp_path))
    assert world(tmp_path).state == WHOLE


def test_a_gpu_that_is_not_seen_stops_before_anything_is_changed(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text(json.dumps({"stage": "A", "gpus": 1, "writes": 0}))
    with pytest.raises(StepError, match="server-1 1 of 2"):
        promote(world(tmp_path))
    assert world(tmp_path).state["stage"] == "A"


def test_a_finished_promotion_is_not_run_again(tmp_path: Path) -> None:
    promote(world(tmp_path))
    before, again = events(tmp_path), world(tmp_path)
    assert promote(again) == []
    assert (again.acted, events(tmp_path)) == ([], before)


def test_it_rolls_back_the_last_step_first_and_says_what_is_kept(tmp_path: Path) -> None:
    with pytest.raises(StepError):
        promote(world(tmp_path, failing="verify_load"))
    told = promote(world(tmp_path), back=True)
    assert told == [(name, Event.UNDONE) for name in reversed(STEPS)]
    assert world(tmp_path).state == {**WHOLE, "stage": "A", "engine": "tp1", "bounds": "0-3", "rules": "A"}
    (kept,) = [
        entry
        for entry in read_journal(tmp_path / "journal.jsonl")
        if (entry.step, entry.event) == ("vllm", Event.UNDONE)
    ]
    assert kept.detail == {"told": "A is up again; kept: redis-1-data"}
    assert events(tmp_path)[-1] == ("", Event.ROLLED_BACK)


def test_only_what_was_begun_is_rolled_back(tmp_path: Path) -> None:
    with pytest.raises(StepError):
        promote(world(tmp_path, failing="verify_backup"))
    one = world(tmp_path)
    assert promote(one, back=True) == [("back-up", Event.UNDONE)]
    assert "roll_back" not in one.acted


def test_a_roll_back_that_was_killed_is_gone_on_from(tmp_path: Path) -> None:
    def broken(folder: Path) -> None:
        with pytest.raises(StepError):
            promote(world(folder, failing="verify_load"))

    broken(tmp_path / "whole")
    whole = world(tmp_path / "whole")
    promote(whole, back=True)
    for number in range(1, whole.points + 1, 3):
        folder = tmp_path / str(number)
        broken(folder)
        killed(lambda folder=folder, number=number: promote(world(folder, kill_at=number), back=True))  # type: ignore[misc]
        promote(world(folder), back=True)
        assert world(folder).state == whole.state


def clock() -> datetime:
    return datetime(2026, 11, 26, tzinfo=UTC)


def test_half_a_line_at_the_end_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    Journal(path, clock).note(Event.BEGUN, "one")
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"at":"2026-11-2')
    journal = Journal(path, clock)
    journal.note(Event.DONE, "one")
    assert [entry.event for entry in read_journal(path)] == [Event.BEGUN, Event.DONE]


@pytest.mark.parametrize("old_and_new", [(b"begun", b"done "), (b'"step":"one"', b'"step":"two"'), (b"{", b"[")])
def test_an_edited_journal_is_refused(tmp_path: Path, old_and_new: tuple[bytes, bytes]) -> None:
    path = tmp_path / "journal.jsonl"
    journal = Journal(path, clock)
    for event in (Event.BEGUN, Event.DONE):
        journal.note(event, "one")
    path.write_bytes(path.read_bytes().replace(*old_and_new, 1))
    with pytest.raises(JournalError, match="as it was written"):
        Journal(path, clock)


def test_a_line_taken_out_of_a_journal_is_found(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    journal = Journal(path, clock)
    for name in ("one", "two", "three"):
        journal.note(Event.VERIFIED, name)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[2])
    with pytest.raises(JournalError, match="line 2"):
        Journal(path, clock)


def test_two_cannot_write_one_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with opened(path, clock), pytest.raises(DreamSeedError, match="another process"), opened(path, clock):
        pass


def test_the_clock_is_the_callers(tmp_path: Path) -> None:
    promote(world(tmp_path))
    assert {entry.at for entry in read_journal(tmp_path / "journal.jsonl")} == {NOW}


def noted_too_late(step: Step, journal: Journal, tell: Tell) -> None:
    """A saga that acts first and writes its journal afterwards."""
    if step.check() is None:
        step.do()
    for event in (Event.BEGUN, Event.DONE):
        journal.note(event, step.name)
    journal.note(Event.VERIFIED, step.name, told=step.verify())
    tell(step, Event.VERIFIED, "")


def never_verified(step: Step, journal: Journal, tell: Tell) -> None:
    """A saga that takes what was done for what is so."""
    journal.note(Event.BEGUN, step.name)
    if step.check() is None:
        step.do()
    journal.note(Event.VERIFIED, step.name, told="")
    tell(step, Event.VERIFIED, "")


@pytest.mark.parametrize(
    ("mutant", "test"),
    [
        (noted_too_late, test_killed_at_any_point_and_resumed_it_ends_as_if_nothing_had_happened),
        (never_verified, test_without_a_verified_restore_nothing_is_changed),
    ],
)
def test_a_saga_that_is_broken_is_noticed(
    mutant: Callable[[Step, Journal, Tell], None],
    test: Callable[[Path], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(saga, "_bring", mutant)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        test(tmp_path)

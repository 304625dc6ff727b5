from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rehearsal.hosts import processes
from rehearsal.hosts.processes import ProcessRecord, boot_id, digest, end, recorded, start_detached, started_ticks

SLEEP = ["sleep", "1000"]


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """A process that nobody here may touch."""
    process = subprocess.Popen(SLEEP)
    yield process
    process.kill()
    process.wait()


def write(record: Path, found: ProcessRecord) -> Path:
    record.write_text(json.dumps(found.__dict__), encoding="utf-8")
    return record


def of(process: subprocess.Popen[bytes]) -> ProcessRecord:
    ticks = started_ticks(process.pid)
    assert ticks is not None
    return ProcessRecord(pid=process.pid, started_ticks=ticks, boot_id=boot_id(), command_digest="")


def test_a_started_process_is_found_by_its_record_and_ended(tmp_path: Path) -> None:
    record = tmp_path / "record.json"
    started = start_detached(SLEEP, log=tmp_path / "log", record=record)
    assert recorded(record) == started
    assert os.getsid(started.pid) == started.pid
    end(record, grace_seconds=5)
    assert not started.is_alive()
    assert recorded(record) is None
    assert not record.exists()


def test_one_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    record = tmp_path / "record.json"
    script = ["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1000 & wait; done"]
    started = start_detached(script, log=tmp_path / "log", record=record)
    while "ready" not in (tmp_path / "log").read_text():
        pass
    end(record, grace_seconds=0.1)
    assert not started.is_alive()
    os.killpg(started.pid, signal.SIGKILL)


@pytest.mark.parametrize("change", [{"started_ticks": 1}, {"boot_id": "another"}])
def test_a_process_that_got_the_same_id_later_is_never_hit(
    tmp_path: Path, bystander: subprocess.Popen[bytes], change: dict[str, object]
) -> None:
    record = write(tmp_path / "record.json", replace(of(bystander), **change))  # type: ignore[arg-type] # one field each
    assert recorded(record) is None
    end(record, grace_seconds=0.1)
    assert bystander.poll() is None


def test_the_start_time_is_what_keeps_it_from_being_hit(
    tmp_path: Path, bystander: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    record = write(tmp_path / "record.json", replace(of(bystander), started_ticks=1))
    monkeypatch.setattr(processes, "started_ticks", lambda pid: 1 if bystander.poll() is None else None)
    end(record, grace_seconds=5)
    assert bystander.poll() is not None


def test_an_ended_child_counts_as_ended_before_anybody_collects_it(tmp_path: Path) -> None:
    started = start_detached(["true"], log=tmp_path / "log", record=tmp_path / "record.json")
    assert started.ends_within(5)
    assert started_ticks(started.pid) is None


def test_a_name_with_parentheses_and_blanks_does_not_shift_the_fields(tmp_path: Path) -> None:
    program = tmp_path / "a) 1 (b"
    program.symlink_to("/bin/sleep")
    process = subprocess.Popen([str(program), "1000"])
    try:
        found = of(process)
        assert found.started_ticks >= (started_ticks(os.getpid()) or 0)
        assert found.is_alive()
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("text", ["", "{}", '{"pid": 1}', "[1]"])
def test_a_damaged_record_is_no_process(tmp_path: Path, text: str) -> None:
    record = tmp_path / "record.json"
    record.write_text(text)
    assert recorded(record) is None


def test_output_goes_to_the_log_and_the_environment_is_not_told(tmp_path: Path) -> None:
    record, log = tmp_path / "record.json", tmp_path / "log"
    start_detached(
        ["sh", "-c", 'test "$KEY" = hidden && echo known'], log=log, record=record, environment={"KEY": "hidden"}
    )
    while not log.read_text():
        pass
    assert log.read_text() == "known\n"
    assert "hidden" not in record.read_text()


def test_another_environment_is_another_service() -> None:
    assert digest(SLEEP, None) == digest(SLEEP, {})
    assert len({digest(SLEEP, {}), digest(SLEEP, {"A": "1"}), digest(SLEEP, {"A": "2"}), digest(["true"], {})}) == 4

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from tests.planning.stages import container, file, shipped

FOLDER = "/var/lib/pgbackrest"
# One turn of the loop: `sleep` ends the script, `pgbackrest` writes down what it was asked for.
TOOLS = {
    "curl": "exit 0",
    "sleep": "kill $PPID",
    "rclone": "exit 0",
    "pgbackrest": 'echo "$@" >> "$ASKED"; exit "$STATUS"',
}


def script(stage: str) -> str:
    return file(container(shipped(stage), "pg-1-1-backup"), "/etc/dreamseed/backup.sh").text


def put(tools: Path, bodies: Mapping[str, str]) -> None:
    tools.mkdir(exist_ok=True)
    for name, body in bodies.items():
        (tools / name).write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        (tools / name).chmod(0o700)


def turn(text: str, folder: Path, status: int = 0) -> list[str]:
    """Run one turn of the backup script over `folder`; return the backups it asked for, which all end with `status`."""
    tools = folder / "tools"
    put(tools, TOOLS)
    asked = folder / "asked"
    asked.unlink(missing_ok=True)
    subprocess.run(
        ["/bin/sh", "-c", text.replace(FOLDER, str(folder))],
        env={"PATH": f"{tools}:/usr/bin:/bin", "ASKED": str(asked), "STATUS": str(status)},
        check=False,
        timeout=20,
    )
    calls = asked.read_text(encoding="utf-8").splitlines()
    return [call for call in calls if call.endswith(" backup")]


def test_the_first_backup_is_a_full_one_and_the_next_turn_takes_none(tmp_path: Path) -> None:
    [first] = turn(script("stage-b"), tmp_path)
    assert "--type=full" in first
    assert "offsite.conf" in first
    assert turn(script("stage-b"), tmp_path) == []


def test_a_new_repository_gets_a_full_backup_though_the_old_one_has_a_young_one(tmp_path: Path) -> None:
    assert len(turn(script("stage-a"), tmp_path)) == 1
    [full] = turn(script("stage-b"), tmp_path)
    assert "--type=full" in full
    assert "offsite.conf" in full


def test_times_that_two_repositories_shared_would_leave_the_new_one_without_a_backup(tmp_path: Path) -> None:
    shared = [script(stage).replace("$repository-", "") for stage in ("stage-a", "stage-b")]
    assert len(turn(shared[0], tmp_path)) == 1
    assert turn(shared[1], tmp_path) == []


@pytest.mark.parametrize("stage", ["stage-a", "stage-b"])
def test_a_backup_that_failed_is_taken_again_at_the_next_turn(tmp_path: Path, stage: str) -> None:
    assert len(turn(script(stage), tmp_path, status=1)) == 1
    assert len(turn(script(stage), tmp_path)) == 1
    assert turn(script(stage), tmp_path) == []


@pytest.mark.parametrize("at", ["sleep", "backup"])
def test_a_stop_ends_the_waiting_at_once_and_a_backup_at_its_end(tmp_path: Path, at: str) -> None:
    tools, said = tmp_path / "tools", tmp_path / "said"
    under_way = 'case "$*" in *" backup") echo began >> "$SAID"; read -r _ < "$GO"; echo ended >> "$SAID" ;; esac'
    waiting = 'echo began >> "$SAID"; exec /bin/sleep 600'
    put(tools, TOOLS | ({"pgbackrest": under_way} if at == "backup" else {"pgbackrest": "exit 0", "sleep": waiting}))
    os.mkfifo(tmp_path / "go")
    os.mkfifo(said)
    process = subprocess.Popen(
        ["/bin/sh", "-c", script("stage-b").replace(FOLDER, str(tmp_path))],
        env={"PATH": f"{tools}:/usr/bin:/bin", "SAID": str(said), "GO": str(tmp_path / "go")},
        start_new_session=True,
    )
    try:
        assert said.read_text(encoding="utf-8") == "began\n"
        process.send_signal(signal.SIGTERM)
        if at == "backup":
            (tmp_path / "go").write_text("\n", encoding="utf-8")
            assert said.read_text(encoding="utf-8") == "ended\n"
        assert process.wait(timeout=60) == 143
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

from __future__ import annotations

import subprocess
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


def turn(text: str, folder: Path, status: int = 0) -> list[str]:
    """Run one turn of the backup script over `folder`; return the backups it asked for, which all end with `status`."""
    tools = folder / "tools"
    tools.mkdir(exist_ok=True)
    for name, body in TOOLS.items():
        (tools / name).write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        (tools / name).chmod(0o700)
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

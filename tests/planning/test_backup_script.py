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
SEGMENT = "/17-1/{head}/{name}-" + "0" * 40 + ".zst"
TOOLS = {
    "curl": "exit 0",
    "sleep": "kill $PPID",
    "rclone": "exit 0",
    # A database that archives wherever it is asked for.
    "psql": "echo --config=/etc/pgbackrest/local.conf --config=/etc/pgbackrest/offsite.conf archive-push %p",
    "pgbackrest": 'echo "$@" >> "$ASKED"; exit "$STATUS"',
}


def script(stage: str) -> str:
    return file(container(shipped(stage), "pg-1-1-backup"), "/etc/dreamseed/backup.sh").text


def put(tools: Path, bodies: Mapping[str, str]) -> None:
    tools.mkdir(exist_ok=True)
    for name, body in bodies.items():
        (tools / name).write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        (tools / name).chmod(0o700)


def run(text: str, folder: Path, bodies: dict[str, str], *arguments: str, status: int = 0) -> int:
    """Run the backup script over `folder` with stand-ins, to the end of all its loops; return how it ends."""
    put(folder / "tools", bodies)
    done = subprocess.run(
        ["/bin/sh", "-c", text.replace(FOLDER, str(folder)), "backup.sh", *arguments],
        env={
            "PATH": f"{folder / 'tools'}:/usr/bin:/bin",
            "ASKED": str(folder / "asked"),
            "STATUS": str(status),
            "FOLDER": str(folder),
        },
        check=False,
        # Ends when the last of the script's loops has closed its output, not with the first.
        capture_output=True,
        timeout=20,
    )
    return done.returncode


def turn(text: str, folder: Path, status: int = 0, tools: dict[str, str] = TOOLS) -> list[str]:
    """Run one turn of the backup script over `folder`; return the backups it asked for, which all end with `status`."""
    asked = folder / "asked"
    asked.unlink(missing_ok=True)
    run(text, folder, tools, status=status)
    calls = asked.read_text(encoding="utf-8").splitlines()
    return [call for call in calls if call.endswith(" backup")]


def test_the_first_backup_is_a_full_one_and_the_next_turn_takes_none(tmp_path: Path) -> None:
    [first] = turn(script("stage-b"), tmp_path)
    assert "--type=full" in first
    assert "offsite.conf" in first
    assert turn(script("stage-b"), tmp_path) == []


def test_an_incremental_backup_is_due_its_hours_after_the_full_one_and_not_at_the_next_turn(tmp_path: Path) -> None:
    assert len(turn(script("stage-e"), tmp_path)) == 1
    assert turn(script("stage-e"), tmp_path) == []
    last = tmp_path / "last-offsite-incr"
    earlier = last.stat().st_mtime - (shipped("stage-e").config.backup.incremental_every_hours or 0) * 3_600
    os.utime(last, (earlier, earlier))
    [incremental] = turn(script("stage-e"), tmp_path)
    assert "--type=incr" in incremental


def test_a_full_backup_that_did_not_count_would_be_followed_by_an_incremental_one_at_once(tmp_path: Path) -> None:
    forgets = script("stage-e").replace(' "/var/lib/pgbackrest/last-$repository-incr"', "")
    assert [len(turn(forgets, tmp_path)), len(turn(forgets, tmp_path))] == [1, 1]


@pytest.mark.parametrize("status", [0, 1])
def test_after_a_full_backup_that_failed_the_next_turn_comes_soon(tmp_path: Path, status: int) -> None:
    slept = TOOLS | {"sleep": 'echo "$1" >> "$FOLDER/slept"; kill $PPID'}
    turn(script("stage-b"), tmp_path, status=status, tools=slept)
    assert ("10" in (tmp_path / "slept").read_text(encoding="utf-8").split()) is bool(status)


def test_a_new_repository_gets_a_full_backup_though_the_old_one_has_a_young_one(tmp_path: Path) -> None:
    assert len(turn(script("stage-a"), tmp_path)) == 1
    [full] = turn(script("stage-b"), tmp_path)
    assert "--type=full" in full
    assert "offsite.conf" in full


def test_no_backup_is_begun_while_the_database_archives_elsewhere(tmp_path: Path) -> None:
    elsewhere = TOOLS | {"psql": "echo pgbackrest --config=/etc/pgbackrest/local.conf --stanza=shard-1 archive-push %p"}
    assert turn(script("stage-b"), tmp_path, tools=elsewhere) == []
    assert turn(script("stage-a"), tmp_path, tools=TOOLS | {"psql": "exit 2"}) == []
    assert len(turn(script("stage-a"), tmp_path, tools=elsewhere)) == 1


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
        # The script's other loops wait as well, and may say so first.
        assert set(said.read_text(encoding="utf-8").splitlines()) == {"began"}
        process.send_signal(signal.SIGTERM)
        if at == "backup":
            (tmp_path / "go").write_text("\n", encoding="utf-8")
            assert said.read_text(encoding="utf-8") == "ended\n"
        assert process.wait(timeout=60) == 143
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def archive(*numbers: int) -> str:
    """What pgBackRest lists of an archive with these segments."""
    names = [f"00000001{number >> 8:08X}{number & 255:08X}" for number in numbers]
    return "\n".join(SEGMENT.format(head=name[:16], name=name) for name in names)


def examined(folder: Path, *, listed: str, verified: str = "status: ok", check: int = 0) -> int:
    """How the daily look ends over an archive of `listed` files of which verify says `verified`."""
    (folder / "listed").write_text(listed, encoding="utf-8")
    cases = ('*repo-ls*) cat "$FOLDER/listed"', f'*verify*) echo "{verified}"', f"*check*) exit {check}")
    answers = {"pgbackrest": f'case "$*" in {";; ".join(cases)};; esac'}
    # Only what a look found reaches the database here, on standard input.
    return run(script("stage-b"), folder, TOOLS | answers | {"psql": 'cat >> "$FOLDER/noted"'}, "examine")


@pytest.mark.parametrize("numbers", [(1, 2, 3), (254, 255, 256, 257), (7,), ()])
def test_a_whole_archive_passes_the_daily_look_which_then_is_not_due(tmp_path: Path, numbers: tuple[int, ...]) -> None:
    assert examined(tmp_path, listed=archive(*numbers)) == 0
    assert (tmp_path / "last-offsite-verify").exists()


@pytest.mark.parametrize("numbers", [(1, 3), (254, 256), (1, 2, 3, 5, 6)])
def test_a_segment_that_is_missing_between_two_fails_the_daily_look(tmp_path: Path, numbers: tuple[int, ...]) -> None:
    assert examined(tmp_path, listed=archive(*numbers)) == 1
    assert not (tmp_path / "last-offsite-verify").exists()


def test_segments_of_another_timeline_are_counted_for_themselves(tmp_path: Path) -> None:
    second = archive(9, 10).replace("/00000001", "/00000002")
    assert examined(tmp_path, listed=f"{archive(1, 2, 3)}\n{second}") == 0


@pytest.mark.parametrize(("verified", "check"), [("status: error", 0), ("", 0), ("status: ok", 82)])
def test_what_pgbackrest_finds_fails_the_daily_look(tmp_path: Path, verified: str, check: int) -> None:
    assert examined(tmp_path, listed=archive(1, 2), verified=verified, check=check) == 1


@pytest.mark.parametrize(("numbers", "found"), [((1, 2, 3), "true"), ((1, 3), "false")])
def test_what_a_look_found_is_written_into_the_database_where_the_exporters_read_it(
    tmp_path: Path, numbers: tuple[int, ...], found: str
) -> None:
    examined(tmp_path, listed=archive(*numbers))
    assert f"VALUES ('shard-1', {found}, now()" in (tmp_path / "noted").read_text(encoding="utf-8")


def looks(text: str, folder: Path, *, hours_later: float) -> int:
    """Return how many looks a second turn takes after one that failed; backups were just taken."""
    asked = folder / "asked"
    for name in ("full", "incr"):
        (folder / f"last-offsite-{name}").touch()
    fails = {"pgbackrest": 'echo "$@" >> "$ASKED"; case "$*" in *" check") exit 82 ;; esac'}
    run(text, folder, TOOLS | fails)
    last = folder / "last-offsite-look"
    earlier = last.stat().st_mtime - hours_later * 3_600
    os.utime(last, (earlier, earlier))
    asked.unlink()
    run(text, folder, TOOLS | fails)
    return sum(call.endswith(" check") for call in asked.read_text(encoding="utf-8").splitlines())


def test_a_look_that_failed_is_made_again_after_an_hour_and_not_at_every_turn(tmp_path: Path) -> None:
    assert looks(script("stage-b"), tmp_path, hours_later=0.5) == 0
    assert looks(script("stage-b"), tmp_path, hours_later=1) == 1


def test_a_look_that_waits_for_nothing_would_read_the_whole_archive_at_every_turn(tmp_path: Path) -> None:
    hasty = script("stage-b").replace(' && is_due "$repository-look" 3600', "")
    assert looks(hasty, tmp_path, hours_later=0.5) == 1


def test_what_names_backups_reaches_the_second_site_after_them(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    run(script("stage-e"), tmp_path, TOOLS | {"rclone": 'echo "$@" >> "$ASKED.copies"'})
    copies = [line for line in Path(f"{asked}.copies").read_text(encoding="utf-8").splitlines() if " copy " in line]
    assert [("*.info" in copy, "second:" in copy) for copy in copies] == [(True, False), (True, True), (False, True)]
    assert "--include" in copies[0]
    assert "--exclude" in copies[1]


@pytest.mark.parametrize(("curl", "beats"), [("exit 0", True), ("exit 22", False)])
def test_only_a_primary_writes_the_heartbeat_that_keeps_an_idle_archive_young(
    tmp_path: Path, curl: str, beats: bool
) -> None:
    run(script("stage-b"), tmp_path, TOOLS | {"curl": curl, "psql": 'touch "$FOLDER/beat"'})
    assert (tmp_path / "beat").exists() is beats

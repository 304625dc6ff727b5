"""Faults of the primary, of the machine that restores, and of people."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from localtier.drills.database import Database
from localtier.drills.faults import Outcome, Scene, Verdict, error_of
from localtier.drills.points import archive_now
from localtier.drills.sandbox import wait_for
from localtier.drills.server import Server, mount, unmount

FULL_DISK_MIB = 24
STEP_SECONDS = 60.0


def killed_in_backup(scene: Scene) -> Verdict:
    """The primary's server dies in the middle of a full backup: earlier backups and the archive are what is left."""
    before = [backup["label"] for backup in scene.primary.info()["backup"]]
    command = scene.primary.backup_command("full")
    running = scene.primary.server.start(*command, log="killed-backup.log")
    time.sleep(0.7)
    scene.primary.server.kill()
    running.wait()
    scene.primary.start_primary()
    after = [backup["label"] for backup in scene.primary.info()["backup"]]
    outcome, told_by = scene.restore()
    if after != before:
        return Outcome.SILENT, f"a backup that was cut off is listed: {set(after) - set(before)}"
    scene.primary.backup("full")
    return outcome, f"the backup that was cut off is not listed and the next one succeeds; {told_by}"


def two_backups(scene: Scene) -> Verdict:
    """Two backups of one stanza at once: the second must wait or refuse."""
    first = scene.primary.server.start(*scene.primary.backup_command("full"), log="two.log")
    time.sleep(0.3)
    second = scene.primary.server.run(*scene.primary.backup_command("full"))
    first.wait()
    if first.returncode or not second.returncode:
        return Outcome.SILENT, f"the two ended with {first.returncode} and {second.returncode}"
    return Outcome.DETECTED, "the second refuses: " + error_of(second.stdout + second.stderr)


def two_restores(scene: Scene) -> Verdict:
    """Two drills restore from one repository at the same time."""
    verdicts: list[Verdict] = []
    threads = [
        threading.Thread(target=lambda port=port: verdicts.append(_restored_at(scene, port))) for port in (5433, 5434)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if [outcome for outcome, _ in verdicts] != [Outcome.SURVIVED, Outcome.SURVIVED]:
        return Outcome.SILENT, f"the two ended with {verdicts}"
    return Outcome.SURVIVED, f"both are complete: {verdicts[0][1]}"


def _restored_at(scene: Scene, port: int) -> Verdict:
    database = Database(sandbox=scene.sandbox, server=scene.sandbox.server(f"at-{port}"), port=port)
    try:
        done = database.restore()
        if done.returncode:
            return Outcome.DETECTED, error_of(done.stdout + done.stderr)
        database.start_restored()
        return scene.judged(database)
    finally:
        database.server.lose()


def interrupted_restore(scene: Scene) -> Verdict:
    """The restore is killed in its middle: what is there must not start, and the next restore completes it."""
    database = Database(sandbox=scene.sandbox, server=scene.sandbox.server("cut-off"), port=5433)
    try:
        database.server.own(database.data).chmod(0o700)
        process = database.server.start(*database.restore_command(), log="restore.log")
        data = database.server.root / database.data.lstrip("/")
        wait_for("the restore to begin", lambda: any(data.rglob("base/*/*")), STEP_SECONDS, 0.005)
        database.server.kill()
        process.wait()
        half = database.server.run("postgres", "-D", database.data, "-c", "port=5433", seconds=30)
        if half.returncode == 0 or (data / "global/pg_control").exists():
            return Outcome.SILENT, "half a restore starts"
        database.must_restore()
        outcome, told_by = scene.judged(database)
        return outcome, f"half of it does not start ({error_of(half.stderr)[:60]}); restored again, {told_by}"
    finally:
        database.server.lose()


def restore_disk_full(scene: Scene) -> Verdict:
    """The machine that restores has too small a disk."""
    server = scene.sandbox.server("small")
    place = server.root / "var/lib/postgresql/data"
    mount("-t", "tmpfs", "-o", f"size={FULL_DISK_MIB}m,uid=999,gid=999", "tmpfs", str(place))
    database = Database(sandbox=scene.sandbox, server=server, port=5433)
    try:
        done = database.restore()
    finally:
        unmount(place)
        server.lose()
    if done.returncode == 0:
        return Outcome.SILENT, "it fits"
    return Outcome.DETECTED, "the restore refuses: " + error_of(done.stdout + done.stderr)


def primary_disk_full(scene: Scene) -> Verdict:
    """The primary's disk is full: nothing is confirmed that is not kept, and what was confirmed is there afterwards."""
    server = scene.primary.server
    scene.primary.stop()
    place = server.root / "var/lib/postgresql/data"
    kept = _moved_to_memory(server, place)
    scene.primary.start_primary()
    errors = len(scene.writer.errors)
    ballast = place / "ballast"
    scene.writer.resume()
    subprocess.run(["/bin/dd", "if=/dev/zero", f"of={ballast}", "bs=1M"], capture_output=True, check=False)
    wait_for("a refused write", lambda: len(scene.writer.errors) > errors, STEP_SECONDS)
    scene.writer.stop()
    refused = scene.writer.errors[-1]
    server.kill()
    ballast.unlink()
    scene.primary.start_primary()
    archive_now(scene.primary)
    outcome, told_by = scene.restore()
    scene.primary.stop()
    _moved_back(place, kept)
    scene.primary.start_primary()
    return outcome, f"writes are refused ({refused[:60]}); with room again, {told_by}"


def _moved_to_memory(server: Server, place: Path) -> Path:
    """Put the data onto a disk of its own that is nearly full; return where it was."""
    kept = server.folder / "kept-data"
    subprocess.run(["/bin/cp", "--archive", str(place), str(kept)], check=True)
    used = sum(path.stat().st_size for path in kept.rglob("*") if path.is_file()) // 2**20
    mount("-t", "tmpfs", "-o", f"size={used + 64}m,uid=999,gid=999", "tmpfs", str(place))
    subprocess.run(["/bin/cp", "--archive", f"{kept}/.", str(place)], check=True)
    return kept


def _moved_back(place: Path, kept: Path) -> None:
    subprocess.run(["/bin/rm", "--recursive", "--force", str(kept)], check=True)
    subprocess.run(["/bin/cp", "--archive", str(place), str(kept)], check=True)
    unmount(place)
    subprocess.run(["/usr/bin/find", str(place), "-mindepth", "1", "-delete"], check=True)
    subprocess.run(["/bin/cp", "--archive", f"{kept}/.", str(place)], check=True)


def clock_back(scene: Scene) -> Verdict:
    """The primary's clock is two hours behind when a backup is taken: its label would lie before the last one's."""
    with _clock(scene.primary, "-2h"):
        *command, backup = scene.primary.backup_command("full")
        # Shortened: a certificate that is younger than the clock says is refused, again and again.
        done = scene.primary.server.run(*command, "--io-timeout=5", backup)
    outcome, told_by = scene.restore()
    if done.returncode and "ERROR" not in done.stdout + done.stderr:
        return Outcome.SILENT, f"the backup ends with {done.returncode} and does not say why"
    if done.returncode and outcome is Outcome.SURVIVED:
        return Outcome.DETECTED, "the backup refuses: " + error_of(done.stdout + done.stderr)
    return outcome, f"a backup with an old date does no harm; {told_by}"


@contextmanager
def _clock(database: Database, offset: str) -> Iterator[None]:
    """Let what starts within the block see another time (libfaketime)."""
    server = database.server
    library = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    (server.root / "usr/lib/libfaketime.so").write_bytes(library.read_bytes())
    server.environment = {"LD_PRELOAD": "/usr/lib/libfaketime.so", "FAKETIME": offset}
    try:
        yield
    finally:
        server.environment = {}


def other_cluster(scene: Scene) -> Verdict:
    """Another cluster archives into this stanza, as one does that was set up with a copied configuration."""
    other = Database(sandbox=scene.sandbox, server=scene.sandbox.server("stranger"), port=5434)
    try:
        other.create()
        other.rows("select pg_logical_emit_message(true, 'stranger', ''), pg_switch_wal()")
        done = other.pgbackrest("--archive-timeout=10", f"--pg1-port={other.port}", "check")
    finally:
        other.server.lose()
    outcome, told_by = scene.restore()
    if outcome is not Outcome.SURVIVED or done.returncode == 0:
        return Outcome.SILENT, f"its check ends with {done.returncode}; {told_by}"
    return Outcome.DETECTED, f"its check refuses: {error_of(done.stdout + done.stderr)[:80]}; here {told_by}"


SERVER_FAULTS = (
    ("the primary killed during a backup", killed_in_backup),
    ("two backups at once", two_backups),
    ("two restores at once", two_restores),
    ("an interrupted restore", interrupted_restore),
    ("the disk of the restore full", restore_disk_full),
    ("the disk of the primary full", primary_disk_full),
    ("the clock two hours behind during a backup", clock_back),
    ("another cluster in the same stanza", other_cluster),
)

"""Faults of the object store and of what lies in it."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from dreamseed.planning.secrets import GeneratedSecret, ProvidedSecret
from localtier.certificates import ensure_ca
from localtier.drills.database import OFFSITE, Database
from localtier.drills.faults import Outcome, Scene, Verdict
from localtier.drills.points import archive_now
from localtier.drills.sandbox import wait_for

DRAIN_SECONDS = 150.0
AWAY_SEGMENTS = 4
SWITCH_SECONDS = 60.0
"""While the store is away for long, a segment is ended as often, busier than a stage's `archive_timeout`."""


def segment(scene: Scene) -> Path:
    """Return the archived segment that holds the last confirmed row."""
    return next(scene.store.glob(f"archive/*/*/*/{scene.last_segment}-*.zst"))


def largest(store: Path) -> Path:
    """Return the largest file of the newest backup."""
    newest = sorted(path for path in (store / "backup").glob("*/*") if (path / "pg_data").is_dir())[-1]
    return max(
        (path for path in (newest / "pg_data").rglob("*") if path.is_file()), key=lambda path: path.stat().st_size
    )


def flip(path: Path) -> None:
    """Change one bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def nothing(scene: Scene) -> Verdict:
    """Nothing is wrong: the restore is complete and the daily look finds nothing, else neither could be believed."""
    outcome, told_by = scene.examine()
    return (
        scene.restore() if outcome is Outcome.SILENT else (Outcome.SILENT, f"told although nothing is wrong: {told_by}")
    )


def segment_deleted(scene: Scene) -> Verdict:
    """A segment is gone: PostgreSQL ends its recovery there without an error, so something else must tell."""
    with scene.damaged():
        segment(scene).unlink()
        return found_by_both(scene)


def segment_damaged(scene: Scene) -> Verdict:
    """One bit of an archived segment is another."""
    with scene.damaged():
        flip(segment(scene))
        return found_by_both(scene)


def found_by_both(scene: Scene) -> Verdict:
    """A gap must be told by the daily look, before a restore, and by the restore that ends at it."""
    looked, restored = scene.examine(), scene.restore()
    if looked[0] is Outcome.SILENT or restored[0] is Outcome.SILENT:
        return Outcome.SILENT, f"{looked[1]}; {restored[1]}"
    return Outcome.DETECTED, f"{looked[1]}; {restored[1]}"


def backup_damaged(scene: Scene) -> Verdict:
    """One bit of a backup is another."""
    with scene.damaged() as store:
        flip(largest(store))
        return scene.restore()


def backup_damage_verified(scene: Scene) -> Verdict:
    """The same, before anybody has to restore: the daily look must find it."""
    with scene.damaged() as store:
        flip(largest(store))
        return scene.examine()


def backup_truncated(scene: Scene) -> Verdict:
    """A file of a backup ends in its middle."""
    with scene.damaged() as store:
        path = largest(store)
        os.truncate(path, path.stat().st_size // 2)
        return scene.restore()


def manifest_missing(scene: Scene) -> Verdict:
    """The newest backup has lost its manifest and the manifest's copy."""
    with scene.damaged() as store:
        newest = sorted((store / "backup").glob("*/*/backup.manifest"))[-1].parent
        for path in newest.glob("backup.manifest*"):
            path.unlink()
        return scene.restore()


def index_missing(scene: Scene) -> Verdict:
    """The list of backups is gone; pgBackRest keeps a copy beside it."""
    with scene.damaged() as store:
        for path in store.glob("backup/*/backup.info"):
            path.unlink()
        return scene.restore()


def wrong_cipher(scene: Scene) -> Verdict:
    """Whoever restores has another passphrase."""
    return scene.restore(prepare=_with(scene, {GeneratedSecret.BACKUP_CIPHER: "another"}))


def wrong_key(scene: Scene) -> Verdict:
    """Whoever restores has a key that the object store does not know."""
    return scene.restore(prepare=_with(scene, {ProvidedSecret.BACKUP_KEY: "another"}))


def untrusted_certificate(scene: Scene) -> Verdict:
    """Somebody else answers in the object store's place, with a certificate of an authority that nobody trusts."""
    region = scene.sandbox.sites[0].region
    scene.sandbox.stop_store(region)
    scene.sandbox.start_store(region, ensure_ca(scene.sandbox.folder / "other-authority"))
    try:
        # Shortened from 60 s, twice of which pgBackRest tries for.
        return scene.restore("--io-timeout=5")
    finally:
        scene.sandbox.stop_store(region)
        scene.sandbox.start_store(region)


def other_stanza(scene: Scene) -> Verdict:
    """Whoever restores asks for a stanza that is not there."""

    def rename(database: Database) -> None:
        path = database.server.root / OFFSITE.lstrip("/")
        database.server.write(
            OFFSITE, path.read_text(encoding="utf-8").replace("repo1-path=/shard-1", "repo1-path=/shard-9")
        )

    return scene.restore(prepare=rename)


def before_retention(scene: Scene) -> Verdict:
    """A moment is asked for that lies before the oldest backup."""
    return scene.restore("--type=time", "--target=2020-01-01 00:00:00+00", "--target-action=promote")


def store_down(scene: Scene) -> Verdict:
    """The object store is away while segments are written: they wait on the primary's disk and follow by themselves.

    It stays away until a queue has grown, and for `Settings.store_away_seconds` in all.
    """
    region = scene.sandbox.sites[0].region
    waiting = scene.primary.server.root / scene.primary.data.lstrip("/") / "pg_wal/archive_status"
    scene.sandbox.stop_store(region)
    began, grown = time.monotonic(), 0
    scene.writer.resume()
    try:
        for _ in range(AWAY_SEGMENTS):
            end_segment(scene.primary)
        wait_for("a queue", lambda: len(list(waiting.glob("*.ready"))) >= AWAY_SEGMENTS, DRAIN_SECONDS)
        while (left := began + scene.store_away_seconds - time.monotonic()) > 0:
            time.sleep(min(left, SWITCH_SECONDS))
            end_segment(scene.primary)
        away = time.monotonic() - began
        grown = len(list(waiting.glob("*.ready")))
    finally:
        scene.writer.stop()
        scene.sandbox.start_store(region)
    drained = wait_for("the queue to drain", lambda: not list(waiting.glob("*.ready")), DRAIN_SECONDS)
    archive_now(scene.primary)
    outcome, told_by = scene.restore()
    waited = f"away for {away:.0f} s, {grown} segments waited and were sent {drained:.0f} s after it was back"
    return outcome, f"{waited}; {told_by}"


def end_segment(primary: Database) -> None:
    """Write something to the log and end its segment."""
    primary.rows("select pg_logical_emit_message(true, 'drill', ''), pg_switch_wal()")


def key_revoked(scene: Scene) -> Verdict:
    """The archive's key is taken away and given back: `check`, part of the daily look, must fail meanwhile."""
    scene.sandbox.give_keys("backups")
    try:
        done = scene.primary.pgbackrest("--archive-timeout=10", "check")
    finally:
        scene.sandbox.give_keys()
    if done.returncode == 0:
        return Outcome.SILENT, "check passes without a key"
    archive_now(scene.primary)
    outcome, told_by = scene.restore()
    if outcome is not Outcome.SURVIVED:
        return outcome, told_by
    return Outcome.DETECTED, f"check ends with {done.returncode}; given back, {told_by}"


def first_site_lost(scene: Scene) -> Verdict:
    """The repository's bucket is emptied: a primary that lives on must not archive into the void."""
    with scene.damaged() as store:
        for part in ("archive", "backup"):
            shutil.rmtree(store / part)
        done = scene.primary.pgbackrest("--archive-timeout=10", "check")
    verdict = Outcome.DETECTED if done.returncode else Outcome.SILENT
    return verdict, f"check ends with {done.returncode}"


def _with(scene: Scene, others: dict[str, str]) -> Callable[[Database], None]:
    """Return what writes the archive's configuration with other secrets."""

    def prepare(database: Database) -> None:
        path = database.server.root / OFFSITE.lstrip("/")
        text = path.read_text(encoding="utf-8")
        for name, value in others.items():
            text = text.replace(scene.sandbox.secrets[name], value)
        database.server.write(OFFSITE, text)

    return prepare


STORE_FAULTS = (
    ("nothing, for comparison", nothing),
    ("a WAL segment deleted", segment_deleted),
    ("a bit flipped in a WAL segment", segment_damaged),
    ("a bit flipped in a backup, restored", backup_damaged),
    ("a bit flipped in a backup, verified", backup_damage_verified),
    ("a backup's file truncated", backup_truncated),
    ("a backup's manifest missing", manifest_missing),
    ("the list of backups missing", index_missing),
    ("a wrong cipher passphrase", wrong_cipher),
    ("a wrong key of the object store", wrong_key),
    ("the object store's certificate not trusted", untrusted_certificate),
    ("the stanza of nobody", other_stanza),
    ("a moment before the retention", before_retention),
    ("the object store away", store_down),
    ("the archive's key revoked", key_revoked),
    ("the bucket emptied", first_site_lost),
)

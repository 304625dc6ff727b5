"""What a stage's settings promise after the loss of all its servers: how much is missing, and for how long it is away.

RPO is `archive_timeout` and the time to push the segment and once more; a second site adds a turn of its copying. RTO
is the restore machine's start, the whole database at the restore's speed, and the log since the last backup. Where no
log is shipped, the weekly copy bears the RPO. The speed is what the stage declares; every drill measures it again.
"""

from __future__ import annotations

from dataclasses import dataclass

from dreamseed.config import StageConfig

PUSH_MARGIN_SECONDS = 240
"""A WAL segment's push and one retry, each bounded by pgBackRest's archive-timeout of 120 s.

Source: templates/pgbackrest.conf.j2; operations facts, section 9: RPO is archive_timeout + push time (+ retry).
"""
SECOND_COPY_SECONDS = 120
"""A pause of 60 s between two copies, and as long for one: the templates' loop, and a choice."""
WEEKLY_COPY_SECONDS = 7 * 86_400
"""Between two copies of a stage that ships no log. Source: templates/postgres-backup.sh.j2; the plan, section 12.10."""
START_SECONDS = 600
"""A machine that boots, reads its secrets and pulls the image. A choice: nothing of it was measured in a cloud."""
SEGMENT_MB = 16 * 2**20 / 1e6
MB_PER_GIB = 2**30 / 1e6


@dataclass(frozen=True, kw_only=True)
class Objectives:
    """What the settings promise, in seconds, beside what the stage is to keep.

    `rpo_seconds` holds for the loss of every server, `second_site_rpo_seconds` for that of the first site too (None
    without a second one). `restored_gb` is what is copied, `replayed_gb` the log on top, in 10^9 bytes.
    """

    rpo_seconds: int
    second_site_rpo_seconds: int | None
    rto_seconds: int
    restored_gb: float
    replayed_gb: float


def objectives(config: StageConfig, mb_per_second: float | None = None) -> Objectives:
    """Return what `config` promises, at its own declared restore speed or at another in MB/s."""
    backup = config.backup
    speed = mb_per_second or config.disaster_recovery.restore_mb_per_second
    rpo = backup.archive_timeout_seconds + PUSH_MARGIN_SECONDS if backup.wal_archive else WEEKLY_COPY_SECONDS
    restored = config.usage.database_gib.high * MB_PER_GIB
    replayed = _log_mb(config)
    return Objectives(
        rpo_seconds=rpo,
        second_site_rpo_seconds=rpo + SECOND_COPY_SECONDS if backup.second_site else None,
        rto_seconds=round(START_SECONDS + (restored + replayed) / speed),
        restored_gb=restored / 1e3,
        replayed_gb=replayed / 1e3,
    )


def _log_mb(config: StageConfig) -> float:
    """Return the log between two backups, taken as one full segment at each archive_timeout: more was not planned."""
    backup = config.backup
    hours = backup.incremental_every_hours or backup.full_every_days * 24
    return hours * 3_600 / backup.archive_timeout_seconds * SEGMENT_MB if backup.wal_archive else 0.0

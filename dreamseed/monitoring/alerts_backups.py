"""Alerts on the database's archive, its backups, the daily looks at them and the drills that prove them.

Sources: exporters' sources, read 2026-08 to 2026-11; the growth plan, sections 1 and 12.9.
"""

from __future__ import annotations

from dreamseed.config import StageConfig
from dreamseed.monitoring.model import Alert, Concern, Group, Severity

BACKUP_GRACE_HOURS = 2
ARCHIVE_PUSH_SECONDS = 120
"""Time to push a segment after archive_timeout switched it. A choice, not a fact."""
RPO_SHARE = 0.8
"""Share of the RPO that is gone when the archive's alert fires: the rest is left to act in."""
LOOK_HOURS = 24
"""Between two looks at the archive that pass. Source: templates/postgres-backup.sh.j2; one that failed is made anew
after an hour."""
LOOK_FAILS_SECONDS = 4_200
"""Longer than an hour: what failed once and not again wakes nobody."""


def backups_group(config: StageConfig) -> Group:
    """Return the alerts on what a restore would rest on."""
    alerts = (*_archive(config), *_backups(config), *_looks(config), *_drills(config))
    return Group(name="backups", alerts=alerts)


def _archive(config: StageConfig) -> tuple[Alert, ...]:
    due = config.backup.archive_timeout_seconds + ARCHIVE_PUSH_SECONDS
    deadline = int(config.disaster_recovery.rpo_minutes * 60 * RPO_SHARE)
    # A local archive falls with its server, so there it bears no RPO.
    severity = Severity.CRITICAL if config.backup.wal_archive else Severity.WARNING
    # An idle database switches no segment; a record a minute, written beside the backups, keeps it from idling.
    late = f"pg_stat_archiver_last_archive_age > {due} and on (instance) pg_replication_is_replica == 0"
    return (
        Alert(
            name="WalArchiveLate",
            expression=late,
            severity=Severity.WARNING,
            component="postgres",
            concern=Concern.BACKUP,
            summary="{{ $labels.instance }} archived nothing for {{ $value | humanizeDuration }}; "
            f"the RPO is {config.disaster_recovery.rpo_minutes} min",
            action="Run pgbackrest check beside the primary, before half of the RPO becomes all of it.",
        ),
        Alert(
            name="WalArchiveStale",
            expression=late,
            for_seconds=max(60, deadline - due),
            severity=severity,
            component="postgres",
            concern=Concern.BACKUP,
            summary="{{ $labels.instance }} archived nothing for {{ $value | humanizeDuration }}; "
            f"the RPO is {config.disaster_recovery.rpo_minutes} min",
            action="Run pgbackrest check beside the primary; a full disk follows if it stays.",
        ),
        Alert(
            name="WalNeverArchived",
            expression="(pg_replication_is_replica == 0) unless on (instance) pg_stat_archiver_last_archive_age",
            for_seconds=900,
            severity=severity,
            component="postgres",
            concern=Concern.BACKUP,
            summary="{{ $labels.instance }} is primary and has never archived a segment",
            action="Check archive_command (patronictl show-config) and the stanza.",
        ),
        Alert(
            name="WalArchiveFailing",
            expression="increase(pg_stat_archiver_failed_count[15m]) > 0",
            severity=Severity.WARNING,
            component="postgres",
            concern=Concern.BACKUP,
            summary="{{ $labels.instance }} failed to archive {{ $value | humanize }} times in 15 minutes",
            action="Read PostgreSQL's log for the archive command's answer.",
        ),
    )


def _backups(config: StageConfig) -> tuple[Alert, ...]:
    backup = config.backup
    hours = min(backup.full_every_days * 24, backup.incremental_every_hours or 24 * 365) + BACKUP_GRACE_HOURS
    return (
        Alert(
            name="BackupOld",
            expression=f"min by (stanza) (pgbackrest_backup_since_last_completion_seconds) > {hours * 3_600}",
            for_seconds=1_800,
            severity=Severity.CRITICAL,
            component="postgres",
            concern=Concern.BACKUP,
            summary=f"the last backup of {{{{ $labels.stanza }}}} is {{{{ $value | humanizeDuration }}}} old, "
            f"{hours} h is the most",
            action="Read the log of the backup container beside the primary.",
        ),
        Alert(
            name="BackupDamaged",
            expression="max by (stanza) (pgbackrest_backup_last_error_status) > 0 "
            "or max by (stanza) (pgbackrest_stanza_status) > 0",
            for_seconds=1_800,
            severity=Severity.CRITICAL,
            component="postgres",
            concern=Concern.BACKUP,
            summary="{{ $labels.stanza }}: no valid backup, or the last one met a page with a wrong checksum",
            action="Keep older backups, run pgbackrest info and amcheck, restore from the last good one.",
        ),
    )


def _looks(config: StageConfig) -> tuple[Alert, ...]:
    hours = LOOK_HOURS + BACKUP_GRACE_HOURS
    passed = "max by (shard) (archive_look_passed_timestamp_seconds)"
    return (
        Alert(
            name="ArchiveLookFailing",
            expression="max by (shard) (archive_look_failed) > 0",
            for_seconds=LOOK_FAILS_SECONDS,
            severity=Severity.CRITICAL if config.backup.wal_archive else Severity.WARNING,
            component="postgres",
            concern=Concern.BACKUP,
            summary="the archive of shard {{ $labels.shard }} is damaged, has gaps, or is not reached",
            action="sh /etc/dreamseed/backup.sh examine beside the primary says which; then take a full backup.",
        ),
        Alert(
            name="ArchiveLookOld",
            # Where no look has passed yet, the shards are counted from their members.
            expression=f"time() - {passed} > {hours * 3_600} or (count by (shard) (pg_up) unless {passed}) * 0",
            for_seconds=3_600,
            severity=Severity.WARNING,
            component="postgres",
            concern=Concern.BACKUP,
            summary=f"no look at the archive of shard {{{{ $labels.shard }}}} has passed within {hours} h",
            action="Read the log of the backup container beside the primary: a long backup, or a look that fails.",
        ),
    )


def _drills(config: StageConfig) -> tuple[Alert, ...]:
    backup, stage = config.backup, config.service.stage
    if not backup.wal_archive:
        return ()
    # The drill's outcome is pushed once and is no series after five minutes.
    passed = f'restore_drill_passed_timestamp_seconds{{stage="{stage}"}}'
    window = f"{passed}[{backup.drill_every_days + 1}d]"
    last = f"max by (stage) (last_over_time({window}))"
    return (
        Alert(
            name="RestoreDrillOld",
            expression=f"time() - {last} > {backup.drill_every_days * 86_400} or absent_over_time({window})",
            severity=Severity.WARNING,
            component="postgres",
            concern=Concern.BACKUP,
            summary=f"no restore drill of stage {{{{ $labels.stage }}}} is known to have passed within "
            f"{backup.drill_every_days} days",
            action="dreamseed drill loss with --key, then dreamseed drill publish; promotions wait for it too.",
        ),
    )

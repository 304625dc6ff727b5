"""Alerts on the database, its votes, its archive and its backups.

Sources: exporters' sources, read 2026-08 to 2026-11; the growth plan, sections 1, 8 and 12.9. Thresholds without a
plan value (lag of a replica, share of connections) are choices.
"""

from __future__ import annotations

from dreamseed.config import StageConfig
from dreamseed.monitoring.model import Alert, Concern, Group, Owner, Severity

REPLICA_LAG_SECONDS = 60
CONNECTION_SHARE = 0.8
DCS_SECONDS = 60
"""Twice Patroni's default lease of 30 s."""
ETCD_SPACE_SHARE = 0.8
ETCD_FSYNC_SECONDS = 0.512
"""The bound above the 0.5 s of etcd's own rules. Source: etcd contrib/mixin, read 2026-11; etcd advises 0.01 s."""
BACKUP_GRACE_HOURS = 2
ARCHIVE_PUSH_SECONDS = 120
"""Time to push a segment after archive_timeout switched it. A choice, not a fact."""
RPO_SHARE = 0.8
"""Share of the RPO that is gone when the archive's alert fires: the rest is left to act in."""


def database_group(config: StageConfig) -> Group:
    """Return the alerts on PostgreSQL, its votes, its archive and its backups."""
    alerts = (*_servers(config), *_replicas(config), *_patroni(), *_votes(), *_archive(config), *_backups(config))
    return Group(name="database", alerts=alerts)


def _servers(config: StageConfig) -> tuple[Alert, ...]:
    most = config.postgres.max_connections
    return (
        Alert(
            name="PgDown",
            expression="pg_up == 0",
            for_seconds=120,
            severity=Severity.CRITICAL,
            component="postgres",
            concern=Concern.AVAILABILITY,
            summary="PostgreSQL {{ $labels.instance }} does not answer its exporter",
            action="patronictl list shows which members live and which leads.",
        ),
        Alert(
            name="PgPrimaryCount",
            # A count over nothing is nothing, not 0: shards are counted from all members, also when none leads.
            expression="count by (shard) (pg_replication_is_replica == 0) != 1 "
            "or (count by (shard) (pg_up) unless count by (shard) (pg_replication_is_replica == 0)) * 0",
            for_seconds=60,
            severity=Severity.CRITICAL,
            component="postgres",
            concern=Concern.AVAILABILITY,
            summary="shard {{ $labels.shard }} has {{ $value | humanize }} primaries",
            action="patronictl list; etcd without a leader stops failovers.",
        ),
        Alert(
            name="PgConnectionsHigh",
            expression=f"sum by (instance) (pg_stat_database_numbackends) > {most * CONNECTION_SHARE:g}",
            for_seconds=300,
            severity=Severity.WARNING,
            component="postgres",
            concern=Concern.SATURATION,
            owner=Owner.BACKEND,
            summary=f"{{{{ $labels.instance }}}} has {{{{ $value | humanize }}}} of {most} connections",
            action="Find who bypasses PgBouncer (pg_stat_activity).",
        ),
    )


def _replicas(config: StageConfig) -> tuple[Alert, ...]:
    if config.postgres.instances == 1:
        return ()
    return (
        Alert(
            name="PgReplicaLag",
            expression=f"pg_replication_lag_seconds > {REPLICA_LAG_SECONDS} "
            "and on (instance) pg_replication_is_replica == 1",
            for_seconds=300,
            severity=Severity.WARNING,
            component="postgres",
            concern=Concern.REPLICATION,
            summary="{{ $labels.instance }} is {{ $value | humanizeDuration }} behind its primary",
            action="Long queries on the replica or a slow disk; it grows by itself while nothing is written.",
        ),
        Alert(
            name="PgReplicaMissing",
            expression=f"(count by (shard) (pg_replication_is_replica == 1) or count by (shard) (pg_up) * 0) "
            f"< {config.postgres.instances - 1}",
            for_seconds=300,
            severity=Severity.WARNING,
            component="postgres",
            concern=Concern.REPLICATION,
            summary="shard {{ $labels.shard }} has {{ $value | humanize }} of "
            f"{config.postgres.instances - 1} replicas",
            action="patronictl list; a replica that cannot follow is made anew by patronictl reinit.",
        ),
    )


def _patroni() -> tuple[Alert, ...]:
    return (
        Alert(
            name="PatroniPaused",
            expression="max by (shard) (patroni_is_paused) > 0",
            for_seconds=3_600,
            severity=Severity.WARNING,
            component="postgres",
            concern=Concern.AVAILABILITY,
            summary="Patroni of shard {{ $labels.shard }} is paused: nothing fails over",
            action="patronictl resume, once whoever paused it has finished.",
        ),
        Alert(
            name="PatroniWithoutVotes",
            expression=f"time() - max by (instance) (patroni_dcs_last_seen) > {DCS_SECONDS}",
            for_seconds=60,
            severity=Severity.CRITICAL,
            component="postgres",
            concern=Concern.AVAILABILITY,
            summary="{{ $labels.instance }} last reached etcd {{ $value | humanizeDuration }} ago",
            action="Bring etcd back: a primary that cannot renew its lease steps down.",
        ),
        Alert(
            name="PatroniRestartPending",
            expression="max by (instance) (patroni_pending_restart) > 0",
            for_seconds=86_400,
            severity=Severity.WARNING,
            component="postgres",
            concern=Concern.ERRORS,
            summary="{{ $labels.instance }} runs with settings that are a day old",
            action="patronictl restart at a quiet hour, replicas first.",
        ),
    )


def _votes() -> tuple[Alert, ...]:
    return (
        Alert(
            name="EtcdMemberDown",
            expression='up{job="etcd"} == 0',
            for_seconds=120,
            severity=Severity.WARNING,
            component="etcd",
            concern=Concern.AVAILABILITY,
            summary="etcd member {{ $labels.instance }} on {{ $labels.host }} does not answer",
            action="Read its log; one more and no majority is left.",
        ),
        Alert(
            name="EtcdNoLeader",
            expression="min by (instance) (etcd_server_has_leader) == 0",
            for_seconds=60,
            severity=Severity.CRITICAL,
            component="etcd",
            concern=Concern.REPLICATION,
            summary="etcd member {{ $labels.instance }} sees no leader: the database cannot fail over",
            action="Bring a majority of etcd's members back.",
        ),
        Alert(
            name="EtcdSpaceLow",
            expression="max by (instance) (etcd_mvcc_db_total_size_in_bytes) "
            f"/ max by (instance) (etcd_server_quota_backend_bytes) > {ETCD_SPACE_SHARE:g}",
            for_seconds=600,
            severity=Severity.WARNING,
            component="etcd",
            concern=Concern.SATURATION,
            summary="{{ $labels.instance }} has {{ $value | humanizePercentage }} of its quota: full, it is read-only",
            action="etcdctl defrag each member, one after the other; look for who writes beside Patroni.",
        ),
        Alert(
            name="EtcdDiskSlow",
            expression="histogram_quantile(0.99, sum by (instance, le) "
            f"(rate(etcd_disk_wal_fsync_duration_seconds_bucket[5m]))) > {ETCD_FSYNC_SECONDS:g}",
            for_seconds=600,
            severity=Severity.WARNING,
            component="etcd",
            concern=Concern.SATURATION,
            summary="{{ $labels.instance }} waits {{ $value | humanizeDuration }} for its disk",
            action="See what else writes to the host's disk: leaders are lost when votes come late.",
        ),
    )


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

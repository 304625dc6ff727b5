"""Alerts on what the service stores, caches and streams.

Sources: exporters' sources, read 2026-08 to 2026-11; the growth plan, sections 1, 8 and 12.9. Thresholds without a
plan value (lag of a consumer, share of connections) are choices.
"""

from __future__ import annotations

from dreamseed.config import StageConfig
from dreamseed.monitoring.model import Alert, Group, Severity

REPLICA_LAG_SECONDS = 60
CONNECTION_SHARE = 0.8
CACHE_HIT_RATIO = 0.8
"""Source: the growth plan, sections 8 and 11."""
CONSUMER_LAG_EVENTS = 10_000
BACKUP_GRACE_HOURS = 2
ARCHIVE_PUSH_SECONDS = 120
"""Time to push a segment after archive_timeout switched it. A choice, not a fact."""
RPO_SHARE = 0.8
"""Share of the RPO that is gone when the archive's alert fires: the rest is left to act in."""


def database_group(config: StageConfig) -> Group:
    """Return the alerts on PostgreSQL, its votes, its archive and its backups."""
    return Group(name="database", alerts=(*_servers(config), *_archive(config), *_backups(config)))


def cache_group() -> Group:
    """Return the alerts on Redis. Memory is none: a cache that evicts is full by design."""
    hits, misses = (f"sum(rate(redis_keyspace_{kind}_total[15m]))" for kind in ("hits", "misses"))
    return Group(
        name="cache",
        alerts=(
            Alert(
                name="RedisDown",
                expression="redis_up == 0",
                for_seconds=120,
                severity=Severity.CRITICAL,
                summary="cache node {{ $labels.instance }} does not answer",
                action="Read its container's log; its replica takes over where there is one.",
            ),
            Alert(
                name="RedisClusterBroken",
                expression="min(redis_cluster_state) == 0 or max(redis_cluster_slots_fail) > 0",
                for_seconds=60,
                severity=Severity.CRITICAL,
                summary="a part of the cache's slots is not served",
                action="See which node is away (redis-cli cluster nodes).",
            ),
            Alert(
                name="RedisHitRatioLow",
                expression=f"{hits} / ({hits} + {misses}) < {CACHE_HIT_RATIO:g}",
                for_seconds=1_800,
                severity=Severity.WARNING,
                summary="{{ $value | humanizePercentage }} of reads find their key in the cache, 80 % should",
                action="Look at evictions: many ask for memory, none for other keys or longer lifetimes.",
            ),
        ),
    )


def events_group(config: StageConfig) -> Group:
    """Return the alerts on Kafka; how many brokers and copies there must be stands in the stage."""
    kafka = config.kafka
    return Group(
        name="events",
        alerts=(
            Alert(
                name="KafkaBrokerMissing",
                expression=f"(max(kafka_brokers) or vector(0)) < {kafka.brokers}",
                for_seconds=120,
                severity=Severity.CRITICAL,
                summary=f"{{{{ $value | humanize }}}} of {kafka.brokers} brokers are in the cluster",
                action="Read the missing broker's log; writes stop below min.insync.replicas copies.",
            ),
            Alert(
                name="KafkaUnderReplicated",
                expression="sum(kafka_topic_partition_under_replicated_partition) > 0",
                for_seconds=300,
                severity=Severity.WARNING,
                summary="{{ $value | humanize }} partitions have fewer copies than they should",
                action="Wait for a broker that just started; else look for a slow or full disk.",
            ),
            Alert(
                name="KafkaBelowMinimumInSync",
                expression=f"min(kafka_topic_partition_in_sync_replica) < {kafka.min_insync_replicas}",
                for_seconds=120,
                severity=Severity.CRITICAL,
                summary="a partition refuses writes: too few of its copies are in sync",
                action="Bring the missing brokers back before anything else.",
            ),
            Alert(
                name="KafkaConsumerLag",
                expression=f"sum by (consumergroup, topic) (kafka_consumergroup_lag) > {CONSUMER_LAG_EVENTS}",
                for_seconds=600,
                severity=Severity.WARNING,
                summary="{{ $labels.consumergroup }} is {{ $value | humanize }} events behind on {{ $labels.topic }}",
                action="See whether the consumer runs, then whether it needs more members.",
            ),
        ),
    )


def _servers(config: StageConfig) -> tuple[Alert, ...]:
    most = config.postgres.max_connections
    return (
        Alert(
            name="PgDown",
            expression="pg_up == 0",
            for_seconds=120,
            severity=Severity.CRITICAL,
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
            summary="shard {{ $labels.shard }} has {{ $value | humanize }} primaries",
            action="patronictl list; etcd without a leader stops failovers.",
        ),
        Alert(
            name="PgReplicaLag",
            expression=f"pg_replication_lag_seconds > {REPLICA_LAG_SECONDS} "
            "and on (instance) pg_replication_is_replica == 1",
            for_seconds=300,
            severity=Severity.WARNING,
            summary="{{ $labels.instance }} is {{ $value | humanizeDuration }} behind its primary",
            action="Long queries on the replica or a slow disk; it grows by itself while nothing is written.",
        ),
        Alert(
            name="PgConnectionsHigh",
            expression=f"sum by (instance) (pg_stat_database_numbackends) > {most * CONNECTION_SHARE:g}",
            for_seconds=300,
            severity=Severity.WARNING,
            summary=f"{{{{ $labels.instance }}}} has {{{{ $value | humanize }}}} of {most} connections",
            action="Find who bypasses PgBouncer (pg_stat_activity).",
        ),
        Alert(
            name="EtcdNoLeader",
            expression="min by (instance) (etcd_server_has_leader) == 0",
            for_seconds=60,
            severity=Severity.CRITICAL,
            summary="etcd member {{ $labels.instance }} sees no leader: the database cannot fail over",
            action="Bring a majority of etcd's members back.",
        ),
    )


def _archive(config: StageConfig) -> tuple[Alert, ...]:
    due = config.backup.archive_timeout_seconds + ARCHIVE_PUSH_SECONDS
    deadline = int(config.disaster_recovery.rpo_minutes * 60 * RPO_SHARE)
    written = " + ".join(
        f"sum by (instance) (increase(pg_stat_database_tup_{kind}[10m]))" for kind in ("inserted", "updated", "deleted")
    )
    # A local archive falls with its server, so there it bears no RPO.
    severity = Severity.CRITICAL if config.backup.wal_archive else Severity.WARNING
    primary = "on (instance) pg_replication_is_replica == 0"
    return (
        Alert(
            name="WalArchiveStale",
            # An idle database switches no segment; only what was written can be missing from the archive.
            expression=f"pg_stat_archiver_last_archive_age > {due} and {primary} and on (instance) ({written}) > 0",
            for_seconds=max(60, deadline - due),
            severity=severity,
            summary="{{ $labels.instance }} archived nothing for {{ $value | humanizeDuration }} "
            f"although data was written; the RPO is {config.disaster_recovery.rpo_minutes} min",
            action="Run pgbackrest check beside the primary; a full disk follows if it stays.",
        ),
        Alert(
            name="WalNeverArchived",
            expression="(pg_replication_is_replica == 0) unless on (instance) pg_stat_archiver_last_archive_age",
            for_seconds=900,
            severity=severity,
            summary="{{ $labels.instance }} is primary and has never archived a segment",
            action="Check archive_command (patronictl show-config) and the stanza.",
        ),
        Alert(
            name="WalArchiveFailing",
            expression="increase(pg_stat_archiver_failed_count[15m]) > 0",
            severity=Severity.WARNING,
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
            summary="{{ $labels.stanza }}: no valid backup, or the last one met a page with a wrong checksum",
            action="Keep older backups, run pgbackrest info and amcheck, restore from the last good one.",
        ),
    )

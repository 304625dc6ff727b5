"""Alerts on the database and its votes.

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


def database_group(config: StageConfig) -> Group:
    """Return the alerts on PostgreSQL and its votes."""
    alerts = (*_servers(config), *_replicas(config), *_patroni(), *_votes())
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

"""Cases of the database, its votes and its backups, the cache and the event stream."""

from __future__ import annotations

from tests.monitoring.proof.series import GONE, Book, Series, counter, gauge
from tests.monitoring.proof.shapes import any_increase, change, quantile

INSTANCE = {"instance": "pg-1-1"}
SHARD = {"shard": "1"}


def member(number: int, more: str = "") -> str:
    """Return the labels of a database's series."""
    return f'job="postgres",host="server-1",instance="pg-1-{number}",shard="1"{more}'


FULL = {"job": "postgres", "host": "server-1", "instance": "pg-1-1", "shard": "1"}


def servers(book: Book) -> None:
    """Write down the cases of PostgreSQL's instances."""
    up = f"pg_up{{{member(1)}}}"
    book.fires("PgDown", 420, {up: change(1, 0, 120)}, FULL)
    book.silent("PgDown", 420, {up: gauge((1, 420))})
    _primaries(book)
    backends = [f'pg_stat_database_numbackends{{{member(1)},datid="{one}",datname="d{one}"}}' for one in (1, 2)]
    book.fires(
        "PgConnectionsHigh", 600, {backends[0]: change(10, 120, 300), backends[1]: change(10, 121, 300)}, INSTANCE
    )
    book.silent("PgConnectionsHigh", 600, {name: gauge((120, 600)) for name in backends})
    lag, replica = f"pg_replication_lag_seconds{{{member(1)}}}", f"pg_replication_is_replica{{{member(1)}}}"
    book.fires("PgReplicaLag", 600, {lag: change(0, 61, 300), replica: gauge((1, 600))}, FULL)
    book.silent("PgReplicaLag", 600, {lag: gauge((60, 600)), replica: gauge((1, 600))})
    book.silent("PgReplicaLag", 600, {lag: gauge((61, 600)), replica: gauge((0, 600))})


def _primaries(book: Book) -> None:
    def cluster(*replicas: Series) -> dict[str, Series]:
        found: dict[str, Series] = {f"pg_up{{{member(number)}}}": gauge((1, 900)) for number in range(1, 5)}
        found |= {f"pg_replication_is_replica{{{member(number)}}}": one for number, one in enumerate(replicas, start=1)}
        return found

    leads, follows = gauge((0, 900)), gauge((1, 900))
    sound = cluster(leads, follows, follows, follows)
    book.fires("PgPrimaryCount", 360, cluster(leads, change(1, 0, 600), follows, follows), SHARD)
    book.fires("PgPrimaryCount", 360, cluster(change(0, 1, 600), follows, follows, follows), SHARD)
    book.silent("PgPrimaryCount", 360, sound)
    book.fires("PgReplicaMissing", 600, cluster(leads, follows, follows, change(1, GONE, 600)), SHARD)
    book.fires("PgReplicaMissing", 600, cluster(leads, *[change(1, GONE, 600)] * 3), SHARD)
    book.silent("PgReplicaMissing", 600, sound)


def patroni(book: Book) -> None:
    """Write down Patroni's cases."""
    labels = 'job="patroni",host="server-1",instance="pg-1-1",shard="1",scope="s",name="n"'
    paused, pending = f"patroni_is_paused{{{labels}}}", f"patroni_pending_restart{{{labels}}}"
    book.fires("PatroniPaused", 4_200, {paused: change(0, 1, 3_600, since=600)}, SHARD, step=300, tick=300)
    book.silent("PatroniPaused", 4_200, {paused: gauge((0, 4_200))}, step=300, tick=300)
    book.fires(
        "PatroniRestartPending", 93_600, {pending: change(0, 1, 86_400, since=7_200)}, INSTANCE, step=3_600, tick=3_600
    )
    book.silent("PatroniRestartPending", 93_600, {pending: gauge((0, 93_600))}, step=3_600, tick=3_600)
    seen = f"patroni_dcs_last_seen{{{labels}}}"
    book.fires("PatroniWithoutVotes", 422, {seen: counter((1, 300), (0, 300))}, INSTANCE, step=2, tick=2)
    book.silent("PatroniWithoutVotes", 600, {seen: counter((1, 600))}, step=2, tick=2)


def votes(book: Book) -> None:
    """Write down etcd's cases."""
    labels = 'job="etcd",host="server-1",instance="etcd-1"'
    one = {"instance": "etcd-1"}
    book.fires(
        "EtcdMemberDown", 420, {f"up{{{labels}}}": change(1, 0, 120)}, {"job": "etcd", "host": "server-1", **one}
    )
    book.silent("EtcdMemberDown", 420, {f"up{{{labels}}}": gauge((1, 420))})
    leader = f"etcd_server_has_leader{{{labels}}}"
    book.fires("EtcdNoLeader", 360, {leader: change(1, 0, 60)}, one)
    book.silent("EtcdNoLeader", 360, {leader: gauge((1, 360))})
    size, quota = f"etcd_mvcc_db_total_size_in_bytes{{{labels}}}", f"etcd_server_quota_backend_bytes{{{labels}}}"
    book.fires("EtcdSpaceLow", 900, {size: change(1e8, 8.2e8, 600), quota: gauge((1e9, 900))}, one)
    book.silent("EtcdSpaceLow", 900, {size: gauge((8e8, 900)), quota: gauge((1e9, 900))})
    fsync, bounds = "etcd_disk_wal_fsync_duration_seconds", ("0.256", "0.512", "1.024")
    book.fires("EtcdDiskSlow", 1_800, quantile(fsync, labels, bounds, ((0, 900), (0.0102, 900))), one, step=15)
    book.silent("EtcdDiskSlow", 1_800, quantile(fsync, labels, bounds, ((0.0095, 1_800),)), step=15)


def archive(book: Book) -> None:
    """Write down the cases of the WAL archive and the backups."""
    _late(book)
    replica, age = f"pg_replication_is_replica{{{member(1)}}}", f"pg_stat_archiver_last_archive_age{{{member(1)}}}"
    book.fires("WalNeverArchived", 1_200, {replica: change(1, 0, 900)}, FULL)
    book.silent("WalNeverArchived", 1_200, {replica: gauge((0, 1_200)), age: gauge((5, 1_200))})
    any_increase(book, "WalArchiveFailing", f"pg_stat_archiver_failed_count{{{member(1)}}}", 900, FULL)
    stanza = {"stanza": "dreamseed-1"}
    labels = 'job="pgbackrest",host="server-1",instance="b",stanza="dreamseed-1"'
    since = "pgbackrest_backup_since_last_completion_seconds"
    old, new = f'{since}{{{labels},backup_type="full"}}', f'{since}{{{labels},backup_type="incr"}}'
    book.fires("BackupOld", 2_100, {old: gauge((3e5, 2_100)), new: change(100, 28_900, 1_800)}, stanza)
    book.silent("BackupOld", 2_100, {old: gauge((3e5, 2_100)), new: gauge((28_800, 2_100))})
    error = f'pgbackrest_backup_last_error_status{{{labels},backup_type="full"}}'
    status = f"pgbackrest_stanza_status{{{labels}}}"
    sound = gauge((0, 2_100))
    book.fires("BackupDamaged", 2_100, {error: change(0, 1, 1_800), status: sound}, stanza)
    book.fires("BackupDamaged", 2_100, {error: sound, status: change(0, 1, 1_800)}, stanza)
    book.silent("BackupDamaged", 2_100, {error: sound, status: sound})
    _looks(book)
    _drills(book)


def _late(book: Book) -> None:
    """Write down a late archive; 421 s is one more than the stage allows."""
    age, replica = f"pg_stat_archiver_last_archive_age{{{member(1)}}}", f"pg_replication_is_replica{{{member(1)}}}"
    late, primary = change(0, 421, 1_200), gauge((0, 1_500))
    for alert, fires_at in (("WalArchiveLate", 300), ("WalArchiveStale", 600)):
        book.fires(alert, fires_at, {age: late, replica: primary}, FULL)
        book.silent(alert, 600, {age: late, replica: gauge((1, 1_500))})
        book.silent(alert, 600, {age: gauge((420, 1_500)), replica: primary})


def _looks(book: Book) -> None:
    """Write down the daily looks; one is old after 26 hours, and one that failed is made anew after one."""
    labels = member(1, ',server="s",stanza="shard-1"')
    failed, passed = f"archive_look_failed{{{labels}}}", f"archive_look_passed_timestamp_seconds{{{labels}}}"
    slow = {"step": 300, "tick": 300}
    book.fires("ArchiveLookFailing", 5_100, {failed: change(0, 1, 4_200, since=900)}, SHARD, **slow)
    book.silent("ArchiveLookFailing", 5_100, {failed: gauge((0, 5_100))}, **slow)
    members = {f"pg_up{{{member(number)}}}": gauge((1, 104_400)) for number in (1, 2)}
    old = {**members, passed: gauge((0, 104_400))}
    book.fires("ArchiveLookOld", 97_500, old, SHARD, **slow)
    book.silent("ArchiveLookOld", 93_600, old, **slow)
    book.fires("ArchiveLookOld", 3_600, members, SHARD, **slow)
    book.silent("ArchiveLookOld", 104_400, {**members, passed: change(0, 43_200, 61_200, since=43_200)}, **slow)


def _drills(book: Book) -> None:
    """Write down drills; each is told once, and is old after 30 days."""
    passed = 'restore_drill_passed_timestamp_seconds{job="drill",stage="E"}'
    rare, one = {"step": 21_600, "tick": 21_600}, {"stage": "E"}
    once = {passed: gauge((0, 21_600), (GONE, 3_000_000))}
    book.fires("RestoreDrillOld", 2_613_600, once, one, **rare)
    book.silent("RestoreDrillOld", 2_592_000, once, **rare)
    # What was told is forgotten after another day, whatever it said.
    later = {passed: gauge((9_000_000, 21_600), (GONE, 3_000_000))}
    book.silent("RestoreDrillOld", 2_656_800, later, **rare)
    book.fires("RestoreDrillOld", 2_678_400, later, one, **rare)
    other = {'restore_drill_passed_timestamp_seconds{job="drill",stage="D"}': gauge((0, 86_400))}
    book.fires("RestoreDrillOld", 43_200, other, one, first=False, **rare)


def cache(book: Book) -> None:
    """Write down the cache's cases."""
    labels = 'job="redis",host="server-1",instance="redis-1"'
    one = {"instance": "redis-1"}
    up = f"redis_up{{{labels}}}"
    book.fires("RedisDown", 420, {up: change(1, 0, 120)}, {"job": "redis", "host": "server-1", **one})
    book.silent("RedisDown", 420, {up: gauge((1, 420))})
    state, slots = f"redis_cluster_state{{{labels}}}", f"redis_cluster_slots_fail{{{labels}}}"
    book.fires("RedisClusterBroken", 420, {state: change(1, 0, 120), slots: gauge((0, 420))}, {})
    book.fires("RedisClusterBroken", 420, {state: gauge((1, 420)), slots: change(0, 1, 120)}, {})
    book.silent("RedisClusterBroken", 420, {state: gauge((1, 420)), slots: gauge((0, 420))})
    hits, misses = (f"redis_keyspace_{kind}_total{{{labels}}}" for kind in ("hits", "misses"))
    falls = {hits: counter((10, 1_800), (7.95, 2_700)), misses: counter((0, 1_800), (2.05, 2_700))}
    book.fires("RedisHitRatioLow", 4_500, falls, {})
    # A ratio does not say over which range each of its rates is taken; these histories do.
    for last in (((3, 3_600), (12, 450)), ((3, 3_150), (11, 450), (4, 450))):
        book.fires("RedisHitRatioLow", 4_050, {hits: counter(*last), misses: counter((2.5, 4_050))}, {}, first=False)
    book.silent("RedisHitRatioLow", 4_500, {hits: counter((8.2, 4_500)), misses: counter((1.8, 4_500))})
    clients, most = f"redis_connected_clients{{{labels}}}", f"redis_config_maxclients{{{labels}}}"
    book.fires("RedisClientsHigh", 600, {clients: change(10, 8_200, 300), most: gauge((1e4, 600))}, one)
    book.silent("RedisClientsHigh", 600, {clients: gauge((8_000, 600)), most: gauge((1e4, 600))})
    link = f'redis_master_link_up{{{labels},master_host="h",master_port="1"}}'
    book.fires("RedisReplicaCut", 600, {link: change(1, 0, 300)}, one)
    book.silent("RedisReplicaCut", 600, {link: gauge((1, 600))})
    other = 'job="redis",host="server-2",instance="redis-2"'
    witness = 'redis_up{job="redis",host="witness",instance="redis-witness-1"}'
    nodes = {up: gauge((1, 1_500)), f"redis_up{{{other}}}": gauge((1, 1_500)), witness: gauge((1, 1_500))}
    follows = f'redis_master_link_up{{{other},master_host="h",master_port="1"}}'
    both = {**nodes, follows: gauge((1, 1_500)), link: change(1, GONE, 900)}
    book.fires("RedisMastersTogether", 1_200, both, {"host": "server-1"})
    book.silent("RedisMastersTogether", 1_500, {**nodes, link: gauge((1, 1_500)), follows: gauge((1, 1_500))})
    # A server without any node that runs has lost more than its roles, of which other alerts tell.
    away = {up: gauge((0, 1_500)), f"redis_up{{{other}}}": gauge((1, 1_500)), follows: gauge((1, 1_500))}
    book.silent("RedisMastersTogether", 1_500, away)


def events(book: Book) -> None:
    """Write down the event stream's cases."""
    labels = 'job="kafka",host="server-1",instance="kafka-exporter"'
    brokers = f"kafka_brokers{{{labels}}}"
    book.fires("KafkaBrokerMissing", 420, {brokers: change(5, 4, 120)}, {})
    book.fires("KafkaBrokerMissing", 420, {brokers: change(5, GONE, 120)}, {})
    book.silent("KafkaBrokerMissing", 420, {brokers: gauge((5, 420))})
    partition = f'{labels},topic="t",partition="0"'
    under = f"kafka_topic_partition_under_replicated_partition{{{partition}}}"
    book.fires("KafkaUnderReplicated", 600, {under: change(0, 1, 300)}, {})
    book.silent("KafkaUnderReplicated", 600, {under: gauge((0, 600))})
    synchronous = f"kafka_topic_partition_in_sync_replica{{{partition}}}"
    book.fires("KafkaBelowMinimumInSync", 420, {synchronous: change(4, 1, 120)}, {})
    book.silent("KafkaBelowMinimumInSync", 420, {synchronous: gauge((2, 420))})
    lags = [f'kafka_consumergroup_lag{{{labels},consumergroup="g",topic="t",partition="{one}"}}' for one in (0, 1)]
    group = {"consumergroup": "g", "topic": "t"}
    book.fires("KafkaConsumerLag", 900, {lags[0]: change(0, 5_001, 600), lags[1]: change(0, 5_000, 600)}, group)
    book.silent("KafkaConsumerLag", 900, {name: gauge((5_000, 900)) for name in lags})

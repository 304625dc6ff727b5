"""Alerts on the cache and the event stream.

Sources: exporters' sources, read 2026-08 to 2026-11; the growth plan, sections 8 and 11. Thresholds without a plan
value (lag of a consumer, share of connections) are choices.
"""

from __future__ import annotations

from dreamseed.config import StageConfig
from dreamseed.monitoring.model import Alert, Concern, Group, Owner, Severity

CLIENT_SHARE = 0.8
CACHE_HIT_RATIO = 0.8
"""Source: the growth plan, sections 8 and 11."""
CONSUMER_LAG_EVENTS = 10_000


def hit_ratio(window: str) -> str:
    """Return, as PromQL over a range, the share of reads that find their key."""
    hits, misses = _reads(window)
    return f"{hits} / ({hits} + {misses})"


def miss_ratio(window: str) -> str:
    """Return, as PromQL over a range, the share of reads that find none."""
    hits, misses = _reads(window)
    return f"{misses} / ({hits} + {misses})"


def _reads(window: str) -> tuple[str, str]:
    hits, misses = (f"sum(rate(redis_keyspace_{kind}_total[{window}]))" for kind in ("hits", "misses"))
    return hits, misses


def cache_group(config: StageConfig) -> Group:
    """Return the alerts on Redis. Memory is none: a cache that evicts is full by design."""
    return Group(name="cache", alerts=(*_nodes(), *(_copies() if config.redis.replicas_per_master else ())))


def _nodes() -> tuple[Alert, ...]:
    return (
        Alert(
            name="RedisDown",
            expression="redis_up == 0",
            for_seconds=120,
            severity=Severity.CRITICAL,
            component="redis",
            concern=Concern.AVAILABILITY,
            summary="cache node {{ $labels.instance }} does not answer",
            action="Read its container's log; its replica takes over where there is one.",
        ),
        Alert(
            name="RedisClusterBroken",
            expression="min(redis_cluster_state) == 0 or max(redis_cluster_slots_fail) > 0",
            # No sooner than RedisDown, which explains it where it is a node that is away.
            for_seconds=120,
            severity=Severity.CRITICAL,
            component="redis",
            concern=Concern.AVAILABILITY,
            summary="a part of the cache's slots is not served",
            action="See which node is away (redis-cli cluster nodes).",
        ),
        Alert(
            name="RedisHitRatioLow",
            expression=f"{hit_ratio('15m')} < {CACHE_HIT_RATIO:g}",
            for_seconds=1_800,
            severity=Severity.WARNING,
            component="redis",
            concern=Concern.SATURATION,
            owner=Owner.BACKEND,
            summary="{{ $value | humanizePercentage }} of reads find their key in the cache, 80 % should",
            action="Look at evictions: many ask for memory, none for other keys or longer lifetimes.",
        ),
        Alert(
            name="RedisClientsHigh",
            expression="max by (instance) (redis_connected_clients) "
            f"/ max by (instance) (redis_config_maxclients) > {CLIENT_SHARE:g}",
            for_seconds=300,
            severity=Severity.WARNING,
            component="redis",
            concern=Concern.SATURATION,
            owner=Owner.BACKEND,
            summary="{{ $labels.instance }} has {{ $value | humanizePercentage }} of the clients that it takes",
            action="Find who opens connections without closing them (redis-cli client list).",
        ),
    )


def _copies() -> tuple[Alert, ...]:
    return (
        Alert(
            name="RedisReplicaCut",
            expression="min by (instance) (redis_master_link_up) == 0",
            for_seconds=300,
            severity=Severity.WARNING,
            component="redis",
            concern=Concern.REPLICATION,
            summary="{{ $labels.instance }} does not follow its master: the part that it copies has one copy",
            action="Read both nodes' logs; a replica that loads a whole copy again and again needs a larger backlog.",
        ),
        Alert(
            name="RedisMastersTogether",
            # Only a replica has a link to a master. The witnesses' nodes hold no keys and never have one.
            expression='count by (host) (redis_up{instance!~"redis-witness-.*"} == 1) '
            "unless on (host) count by (host) (redis_master_link_up)",
            for_seconds=900,
            severity=Severity.WARNING,
            component="redis",
            concern=Concern.AVAILABILITY,
            summary="{{ $labels.host }} has all masters of the cache: with it the cache would be lost for minutes",
            action="Start the job redis-cluster, which gives the planned masters their role back.",
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
                component="kafka",
                concern=Concern.AVAILABILITY,
                summary=f"{{{{ $value | humanize }}}} of {kafka.brokers} brokers are in the cluster",
                action="Read the missing broker's log; writes stop below min.insync.replicas copies.",
            ),
            Alert(
                name="KafkaUnderReplicated",
                expression="sum(kafka_topic_partition_under_replicated_partition) > 0",
                for_seconds=300,
                severity=Severity.WARNING,
                component="kafka",
                concern=Concern.REPLICATION,
                summary="{{ $value | humanize }} partitions have fewer copies than they should",
                action="Wait for a broker that just started; else look for a slow or full disk.",
            ),
            Alert(
                name="KafkaBelowMinimumInSync",
                expression=f"min(kafka_topic_partition_in_sync_replica) < {kafka.min_insync_replicas}",
                for_seconds=120,
                severity=Severity.CRITICAL,
                component="kafka",
                concern=Concern.REPLICATION,
                summary="a partition refuses writes: too few of its copies are in sync",
                action="Bring the missing brokers back before anything else.",
            ),
            Alert(
                name="KafkaConsumerLag",
                expression=f"sum by (consumergroup, topic) (kafka_consumergroup_lag) > {CONSUMER_LAG_EVENTS}",
                for_seconds=600,
                severity=Severity.WARNING,
                component="kafka",
                concern=Concern.SATURATION,
                owner=Owner.BACKEND,
                summary="{{ $labels.consumergroup }} is {{ $value | humanize }} events behind on {{ $labels.topic }}",
                action="See whether the consumer runs, then whether it needs more members.",
            ),
        ),
    )

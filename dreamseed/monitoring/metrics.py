"""The metric contract: every metric that a rule or a dashboard may name, by the job that exports it.

A name outside the contract is refused: public rule collections carry dozens of alerts on metrics that never existed and
that no syntax check finds. Sources: a live scrape of vLLM 0.32; exporters' sources and documentation read 2026-08 to
2026-11; DCGM field list; `pushed` jobs are this project's own and say what the API and the cost report must send.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from dreamseed.errors import PlanError


class Job(StrEnum):
    """The value of the label `job`: who exports a metric."""

    NODE = "node"
    DCGM = "dcgm"
    VLLM = "vllm"
    POSTGRES = "postgres"
    PGBACKREST = "pgbackrest"
    ETCD = "etcd"
    REDIS = "redis"
    KAFKA = "kafka"
    PROMETHEUS = "prometheus"
    ALERTMANAGER = "alertmanager"
    API = "api"
    COST = "cost"

    @property
    def pushed(self) -> bool:
        """Return whether the job sends its metrics by OTLP instead of being scraped.

        Cloud Run's instances cannot be scraped one by one. OTLP's `service.name` becomes the label `job`.
        Source: Prometheus documentation, OpenTelemetry guide, read 2026-11-23.
        """
        return self in (Job.API, Job.COST)


METRICS: Mapping[Job, frozenset[str]] = MappingProxyType(
    {
        Job.NODE: frozenset(
            {
                "node_cpu_seconds_total",
                "node_filesystem_avail_bytes",
                "node_filesystem_size_bytes",
                "node_load1",
                "node_memory_MemAvailable_bytes",
                "node_memory_MemTotal_bytes",
            }
        ),
        # 0 to 100, MiB, degrees Celsius, watts. DCGM_FI_PROF_* do not exist on GeForce cards.
        Job.DCGM: frozenset(
            {
                "DCGM_FI_DEV_GPU_UTIL",
                "DCGM_FI_DEV_GPU_TEMP",
                "DCGM_FI_DEV_POWER_USAGE",
                "DCGM_FI_DEV_FB_USED",
                "DCGM_FI_DEV_FB_FREE",
                "DCGM_FI_DEV_XID_ERRORS",
            }
        ),
        Job.VLLM: frozenset(
            {
                "vllm:num_requests_running",
                "vllm:num_requests_waiting",
                "vllm:kv_cache_usage_perc",
                "vllm:num_preemptions_total",
                "vllm:prompt_tokens_total",
                "vllm:generation_tokens_total",
                "vllm:request_success_total",
                "vllm:admission_rejections_total",
                "vllm:request_queue_time_seconds_bucket",
                "vllm:e2e_request_latency_seconds_bucket",
                "vllm:time_to_first_token_seconds_bucket",
            }
        ),
        # The pg_stat_* counters carry no _total.
        Job.POSTGRES: frozenset(
            {
                "pg_up",
                "pg_replication_is_replica",
                "pg_replication_lag_seconds",
                "pg_stat_archiver_failed_count",
                "pg_stat_archiver_last_archive_age",
                "pg_stat_database_numbackends",
                "pg_stat_database_tup_deleted",
                "pg_stat_database_tup_inserted",
                "pg_stat_database_tup_updated",
                "pg_stat_database_xact_commit",
                "pg_stat_database_xact_rollback",
            }
        ),
        Job.PGBACKREST: frozenset(
            {
                "pgbackrest_backup_last_error_status",
                "pgbackrest_backup_since_last_completion_seconds",
                "pgbackrest_stanza_status",
            }
        ),
        Job.ETCD: frozenset({"etcd_server_has_leader", "etcd_server_leader_changes_seen_total"}),
        Job.REDIS: frozenset(
            {
                "redis_up",
                "redis_cluster_slots_fail",
                "redis_cluster_state",
                "redis_evicted_keys_total",
                "redis_keyspace_hits_total",
                "redis_keyspace_misses_total",
                "redis_memory_used_bytes",
            }
        ),
        Job.KAFKA: frozenset(
            {
                "kafka_brokers",
                "kafka_consumergroup_lag",
                "kafka_topic_partition_in_sync_replica",
                "kafka_topic_partition_under_replicated_partition",
            }
        ),
        Job.PROMETHEUS: frozenset(
            {
                "prometheus_notifications_errors_total",
                "prometheus_remote_storage_highest_timestamp_in_seconds",
                "prometheus_remote_storage_queue_highest_sent_timestamp_seconds",
                "prometheus_rule_evaluation_failures_total",
            }
        ),
        Job.ALERTMANAGER: frozenset({"alertmanager_notifications_failed_total"}),
        # `status` is the class, such as "5xx"; `kind` is "plain" or "generation"; 0.3 and 0.5 are bucket bounds, since
        # objectives are read there. The users are counted once for the whole service.
        Job.API: frozenset(
            {
                "edu_concurrent_users",
                "edu_signups",
                "http_request_duration_seconds_bucket",
                "http_request_duration_seconds_count",
                "http_requests_total",
            }
        ),
        # USD; labels `stage` and `component`, what the money is spent on.
        Job.COST: frozenset({"edu_cost_last_update_timestamp_seconds", "edu_cost_month_to_date"}),
    }
)

BUILT_IN = frozenset({"up", "ALERTS"})
"""Made by Prometheus itself, for every job."""

_JOB_OF = {metric: job for job, metrics in METRICS.items() for metric in metrics}
_STRING = r'"(?:[^"\\]|\\.)*"'
_MATCHERS = re.compile(rf'\{{(?:[^"}}]|{_STRING})*\}}')
_NOT_METRICS = re.compile(
    rf"""
    {_MATCHERS.pattern}
    | {_STRING}
    | \b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)
    | \[[^\]]*\]
    | \boffset\s+\S+
    """,
    re.VERBOSE,
)
_NAME = re.compile(r"(?<![\w:.])[A-Za-z_:][\w:]*(?!\s*\()(?![\w:])")
_OPERATORS = frozenset({"and", "or", "unless", "bool", "atan2", "inf", "nan"})
_JOB_MATCHER = re.compile(r'\bjob="([^"]+)"')


def metrics_of(expression: str) -> frozenset[str]:
    """Return the names of the metrics that a PromQL expression reads."""
    rest = _NOT_METRICS.sub(" ", expression)
    return frozenset(name for name in _NAME.findall(rest) if name.lower() not in _OPERATORS)


def jobs_of(
    expression: str, where: str, recorded: Mapping[str, frozenset[Job]] = MappingProxyType({})
) -> frozenset[Job]:
    """Return the jobs without which `expression` can never give a result.

    `where` names the rule or panel; `recorded` tells the jobs behind each recording rule. Raises `PlanError` for a
    metric or a job that the contract does not know.
    """
    jobs: set[Job] = set()
    for metric in sorted(metrics_of(expression) - BUILT_IN):
        if metric in recorded:
            jobs |= recorded[metric]
        elif metric in _JOB_OF:
            jobs.add(_JOB_OF[metric])
        else:
            raise PlanError(
                where,
                f"no job exports the metric '{metric}'",
                "an alert or a panel on a metric that does not exist stays silent for ever",
                "a name of METRICS in dreamseed/monitoring/metrics.py, or add it there with its source",
            )
    for job in _JOB_MATCHER.findall(" ".join(_MATCHERS.findall(expression))):
        if job not in set(Job):
            raise PlanError(where, f"there is no job '{job}'", "it would match no series", f"one of {', '.join(Job)}")
        jobs.add(Job(job))
    return frozenset(jobs)

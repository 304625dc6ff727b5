"""The metric contract: every metric that a rule or a dashboard may name, with its exporter, type, labels and bounds.

Public rule collections carry dozens of alerts on metrics that never existed, which no syntax check finds. Where the
exporter runs here, a scrape of it is kept in tests/monitoring/recorded and a test holds this table to it; where it
does not, `source` says what was read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Job(StrEnum):
    """The value of the label `job`: who exports a metric."""

    NODE = "node"
    DCGM = "dcgm"
    VLLM = "vllm"
    POSTGRES = "postgres"
    PATRONI = "patroni"
    PGBACKREST = "pgbackrest"
    ETCD = "etcd"
    REDIS = "redis"
    KAFKA = "kafka"
    HAPROXY = "haproxy"
    PGBOUNCER = "pgbouncer"
    CLOUDFLARED = "cloudflared"
    PROMETHEUS = "prometheus"
    ALERTMANAGER = "alertmanager"
    API = "api"
    COST = "cost"
    AUTOSCALER = "autoscaler"
    DRILL = "drill"

    @property
    def pushed(self) -> bool:
        """Return whether the job sends its metrics by OTLP instead of being scraped.

        Cloud Run's instances cannot be scraped one by one, and a drill is over when it is told. OTLP's `service.name`
        becomes the label `job`.
        Source: Prometheus documentation, OpenTelemetry guide, read 2026-11-23.
        """
        return self in (Job.API, Job.DRILL)


PUSHED = frozenset(job for job in Job if job.pushed)
"""Jobs that are there whatever is scraped."""


class Kind(StrEnum):
    """Prometheus' types, as an exporter announces them."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric: its own labels, without those that every series of the job carries; bounds of a histogram."""

    name: str
    kind: Kind
    labels: frozenset[str] = frozenset()
    bounds: tuple[float, ...] = ()

    @property
    def series(self) -> tuple[str, ...]:
        """Return the names that its series have."""
        if self.kind is not Kind.HISTOGRAM:
            return (self.name,)
        return tuple(f"{self.name}_{part}" for part in ("bucket", "count", "sum"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Exporter:
    """Who exports the metrics of a job, which build of it was looked at, and where its text is recorded.

    `recorded` is a file of tests/monitoring/recorded, empty where the exporter was not run.
    """

    job: Job
    program: str
    version: str
    source: str
    metrics: tuple[Metric, ...]
    recorded: str = ""


def _all(kind: Kind, names: str, labels: str = "") -> tuple[Metric, ...]:
    """Return metrics of one kind that carry the same labels; both are lists with blanks."""
    return tuple(Metric(name=name, kind=kind, labels=frozenset(labels.split())) for name in names.split())


def _gauges(names: str, labels: str = "") -> tuple[Metric, ...]:
    return _all(Kind.GAUGE, names, labels)


def _counters(names: str, labels: str = "") -> tuple[Metric, ...]:
    return _all(Kind.COUNTER, names, labels)


def _histograms(names: str, labels: str, bounds: Iterable[float]) -> tuple[Metric, ...]:
    le = frozenset({*labels.split(), "le"})
    return tuple(
        Metric(name=name, kind=Kind.HISTOGRAM, labels=le, bounds=tuple(map(float, bounds))) for name in names.split()
    )


_VLLM_SECONDS = (0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680)
_FIRST_TOKEN = (
    *(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75),
    *(1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640, 2560),
)
_API_SECONDS = (0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5, 5, 10)
_DISK_SECONDS = tuple(0.001 * 2**power for power in range(14))

EXPORTERS: tuple[Exporter, ...] = (
    Exporter(
        job=Job.NODE,
        program="node_exporter",
        version="1.10.2",
        source="its own scrape with the plan's collectors",
        recorded="node_exporter.prom",
        metrics=(
            *_counters("node_cpu_seconds_total", "cpu mode"),
            *_gauges("node_filesystem_avail_bytes node_filesystem_size_bytes", "device device_error fstype mountpoint"),
            *_gauges("node_load1 node_memory_MemAvailable_bytes node_memory_MemTotal_bytes"),
            *_counters("node_network_receive_bytes_total node_network_transmit_bytes_total", "device"),
        ),
    ),
    Exporter(
        job=Job.DCGM,
        program="dcgm-exporter",
        version="4.8.2",
        source="DCGM field list and NVIDIA/dcgm-exporter #326, read 2026-08: no card was at hand. 0 to 100, MiB, "
        "degrees Celsius, watts; DCGM_FI_PROF_* do not exist on GeForce cards",
        metrics=_gauges(
            "DCGM_FI_DEV_GPU_UTIL DCGM_FI_DEV_GPU_TEMP DCGM_FI_DEV_POWER_USAGE DCGM_FI_DEV_FB_USED "
            "DCGM_FI_DEV_FB_FREE DCGM_FI_DEV_XID_ERRORS",
            "gpu UUID device modelName Hostname pci_bus_id",
        ),
    ),
    Exporter(
        job=Job.VLLM,
        program="vLLM",
        version="0.31.0",
        source="v1/metrics/loggers.py and buckets.py of 0.31.0, and a scrape of 0.32.0 on CPU; admission_rejections "
        "is only in the later one. The simulator is held to the same names and bounds",
        metrics=(
            *_gauges(
                "vllm:num_requests_running vllm:num_requests_waiting vllm:kv_cache_usage_perc", "model_name engine"
            ),
            *_counters("vllm:num_preemptions_total vllm:prompt_tokens_total", "model_name engine"),
            *_counters("vllm:generation_tokens_total", "model_name engine"),
            *_counters("vllm:request_success_total", "model_name engine finished_reason"),
            *_counters("vllm:admission_rejections_total", "model_name reason"),
            *_histograms(
                "vllm:request_queue_time_seconds vllm:e2e_request_latency_seconds", "model_name engine", _VLLM_SECONDS
            ),
            *_histograms("vllm:time_to_first_token_seconds", "model_name engine", _FIRST_TOKEN),
        ),
    ),
    Exporter(
        job=Job.POSTGRES,
        program="postgres_exporter",
        version="0.19.1",
        source="its own scrape of PostgreSQL 15; its pg_stat_* counters carry no _total",
        recorded="postgres_exporter.prom",
        metrics=(
            *_gauges("pg_up pg_replication_is_replica pg_replication_lag_seconds"),
            *_gauges("pg_stat_archiver_last_archive_age", "server"),
            *_counters("pg_stat_archiver_failed_count", "server"),
            # Of the plan's own query.
            *_gauges(
                "archive_look_failed archive_look_passed_timestamp_seconds archive_look_last_timestamp_seconds",
                "server stanza",
            ),
            *_gauges("pg_stat_database_numbackends", "datid datname"),
            *_counters(
                "pg_stat_database_tup_deleted pg_stat_database_tup_inserted pg_stat_database_tup_updated "
                "pg_stat_database_xact_commit pg_stat_database_xact_rollback",
                "datid datname",
            ),
        ),
    ),
    Exporter(
        job=Job.PATRONI,
        program="Patroni",
        version="4.1.5",
        source="patroni/api.py of 4.1.5 (do_GET_metrics), installed from PyPI and read 2026-11-26",
        metrics=(
            *_gauges(
                "patroni_postgres_running patroni_primary patroni_replica patroni_cluster_unlocked "
                "patroni_dcs_last_seen patroni_is_paused patroni_pending_restart",
                "scope name",
            ),
        ),
    ),
    Exporter(
        job=Job.PGBACKREST,
        program="pgbackrest_exporter",
        version="0.22",
        source="its documentation, read 2026-08",
        metrics=(
            *_gauges("pgbackrest_backup_since_last_completion_seconds", "backup_type block_incr stanza"),
            *_gauges("pgbackrest_backup_last_error_status", "backup_type block_incr stanza"),
            *_gauges("pgbackrest_stanza_status", "stanza"),
        ),
    ),
    Exporter(
        job=Job.ETCD,
        program="etcd",
        version="3.6.12",
        source="its own scrape",
        recorded="etcd.prom",
        metrics=(
            *_gauges("etcd_server_has_leader etcd_server_quota_backend_bytes etcd_mvcc_db_total_size_in_bytes"),
            *_counters("etcd_server_leader_changes_seen_total"),
            *_histograms("etcd_disk_wal_fsync_duration_seconds", "", _DISK_SECONDS),
        ),
    ),
    Exporter(
        job=Job.REDIS,
        program="redis_exporter",
        version="1.84.0",
        source="oliver006/redis_exporter, exporter/metrics.go, read 2026-08; its own scrape of 1.45 (Debian)",
        recorded="redis_exporter.prom",
        metrics=(
            *_gauges("redis_up redis_cluster_slots_fail redis_cluster_state redis_memory_used_bytes"),
            *_gauges("redis_connected_clients redis_config_maxclients"),
            *_gauges("redis_master_link_up", "master_host master_port"),
            *_counters("redis_evicted_keys_total redis_keyspace_hits_total redis_keyspace_misses_total"),
        ),
    ),
    Exporter(
        job=Job.KAFKA,
        program="kafka_exporter",
        version="1.9.0",
        source="its documentation, read 2026-08; the stand-in here is a program of our own. No JMX: "
        "docs/decisions/0011-kafka-is-watched-from-outside.md",
        metrics=(
            *_gauges("kafka_brokers"),
            *_gauges("kafka_consumergroup_lag", "consumergroup topic partition"),
            *_gauges(
                "kafka_topic_partition_in_sync_replica kafka_topic_partition_under_replicated_partition",
                "topic partition",
            ),
        ),
    ),
    Exporter(
        job=Job.HAPROXY,
        program="HAProxy",
        version="3.2.21",
        source="its built-in prometheus-exporter; its own scrape of 2.6.12 (Debian 12). `proxy` is its section",
        recorded="haproxy.prom",
        metrics=(
            *_gauges("haproxy_process_current_connections haproxy_process_max_connections"),
            *_gauges(
                "haproxy_backend_active_servers haproxy_backend_current_queue haproxy_backend_current_sessions", "proxy"
            ),
            *_counters("haproxy_backend_redispatch_warnings_total", "proxy"),
        ),
    ),
    Exporter(
        job=Job.PGBOUNCER,
        program="pgbouncer_exporter",
        version="0.12.1",
        source="its own scrape of PgBouncer 1.18 (Debian 12); it asks with the user that the admin console lets read",
        recorded="pgbouncer_exporter.prom",
        metrics=(
            *_gauges("pgbouncer_up pgbouncer_used_clients pgbouncer_config_max_client_connections"),
            *_gauges(
                "pgbouncer_pools_client_active_connections pgbouncer_pools_client_waiting_connections "
                "pgbouncer_pools_client_maxwait_seconds pgbouncer_pools_server_active_connections",
                "database user",
            ),
            *_counters("pgbouncer_stats_totals_sql_transactions_pooled_total", "database"),
        ),
    ),
    Exporter(
        job=Job.CLOUDFLARED,
        program="cloudflared",
        version="2026.9.3",
        source="cloudflare/cloudflared, proxy/metrics.go and connection/metrics.go, read 2026-11-26; counters carry no "
        "_total. The connector of localtier/tunnel is held to the same names",
        metrics=(
            *_gauges("cloudflared_tunnel_ha_connections cloudflared_tunnel_concurrent_requests_per_tunnel"),
            *_counters("cloudflared_tunnel_total_requests cloudflared_tunnel_request_errors"),
        ),
    ),
    Exporter(
        job=Job.PROMETHEUS,
        program="Prometheus",
        version="3.13.1",
        source="its own scrape with remote write",
        recorded="prometheus.prom",
        metrics=(
            *_counters("prometheus_notifications_errors_total", "alertmanager"),
            *_counters("prometheus_rule_evaluation_failures_total", "rule_group"),
            *_counters("prometheus_tsdb_size_retentions_total"),
            *_gauges("prometheus_tsdb_head_series prometheus_remote_storage_highest_timestamp_in_seconds"),
            *_gauges("prometheus_remote_storage_queue_highest_sent_timestamp_seconds", "remote_name url"),
        ),
    ),
    Exporter(
        job=Job.ALERTMANAGER,
        program="Alertmanager",
        version="0.31.1",
        source="its own scrape",
        recorded="alertmanager.prom",
        metrics=_counters("alertmanager_notifications_failed_total", "integration reason"),
    ),
    Exporter(
        job=Job.API,
        program="the API",
        version="-",
        source="what the API must push: `status` is the class, such as 5xx; `kind` is plain or generation; 0.3 and 0.5 "
        "are bounds, since objectives are read there; users are counted once for the whole service",
        metrics=(
            *_gauges("edu_concurrent_users edu_signups"),
            *_counters("http_requests_total", "status kind"),
            *_histograms("http_request_duration_seconds", "kind", _API_SECONDS),
        ),
    ),
    Exporter(
        job=Job.COST,
        program="the cost exporter",
        version="-",
        source="images/cost-exporter of this project, in USD; `component` is a service of the price book, "
        "`source` measured or expected. A test holds the program to it",
        metrics=(
            *_gauges("edu_cost_month_to_date edu_cost_month_forecast", "stage component"),
            *_gauges("edu_cost_last_update_timestamp_seconds"),
            *_gauges("edu_cost_usage", "stage usage source"),
        ),
    ),
    Exporter(
        job=Job.AUTOSCALER,
        program="the autoscaler",
        version="-",
        source="autoscaler/metrics.py of this project, in USD and Unix seconds; `phase` is a worker's. A test holds "
        "the program to it",
        metrics=(
            *_gauges("edu_autoscaler_leader edu_autoscaler_paused edu_autoscaler_last_success_timestamp_seconds"),
            *_gauges("edu_autoscaler_month_usd edu_autoscaler_committed_usd edu_autoscaler_cap_usd"),
            *_gauges("edu_autoscaler_workers", "phase"),
            *_counters("edu_autoscaler_actions_total", "kind"),
            *_counters("edu_autoscaler_verdicts_total", "verdict"),
        ),
    ),
    Exporter(
        job=Job.DRILL,
        program="dreamseed drill publish",
        version="-",
        source="dreamseed/facts/publish.py: the newest signed drill of a stage; a test holds the program to it",
        metrics=_gauges(
            "restore_drill_taken_timestamp_seconds restore_drill_passed_timestamp_seconds restore_drill_rpo_seconds "
            "restore_drill_rto_seconds restore_drill_mb_per_second",
            "stage",
        ),
    ),
)

MANAGED: tuple[Metric, ...] = (
    *_all(Kind.COUNTER, "run_googleapis_com:request_count", "response_code response_code_class route"),
    *_all(Kind.GAUGE, "run_googleapis_com:container_instance_count", "state"),
    *_all(Kind.COUNTER, "run_googleapis_com:job_completed_execution_count", "job_name result"),
    Metric(
        name="run_googleapis_com:request_latencies",
        kind=Kind.HISTOGRAM,
        labels=frozenset({"response_code", "response_code_class", "route", "le"}),
    ),
)
"""What Google Cloud itself counts of Cloud Run, by its names in PromQL; latencies in ms, with bounds of its own.

No exporter of ours is asked: policies read them in Cloud Monitoring. Source: Cloud Monitoring documentation, metrics
list (run.googleapis.com) and PromQL mapping, read 2026-11; never tried against a real project.
"""
MANAGED_LABELS = frozenset(
    {"monitored_resource", "project_id", "location", "service_name", "revision_name", "configuration_name"}
)
"""Of the resource cloud_run_revision, which every series of a service carries; a job's has `job_name` in place of the
service's. Source: the same list of resources."""

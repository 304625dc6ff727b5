"""A dashboard for each component and one for the objectives, with the alerts' thresholds as lines."""

from __future__ import annotations

from dreamseed.config import StageConfig
from dreamseed.monitoring.alerts_access import POOLER_WAIT_SECONDS, ROUTER_QUEUE, TUNNEL_CONNECTIONS
from dreamseed.monitoring.alerts_data import CONNECTION_SHARE, ETCD_FSYNC_SECONDS, REPLICA_LAG_SECONDS
from dreamseed.monitoring.alerts_llm import KV_CACHE_SHARE, QUEUED_REQUESTS
from dreamseed.monitoring.alerts_operations import DISK_LEFT, DISK_SHARE, MEMORY_SHARE, WAYS, link_mbit
from dreamseed.monitoring.alerts_slo import REMAINING, TARGET, error_ratio
from dreamseed.monitoring.alerts_stores import CACHE_HIT_RATIO, CONSUMER_LAG_EVENTS, hit_ratio
from dreamseed.monitoring.dashboards.board import RANGE, Board, Kind, Panel
from dreamseed.monitoring.dashboards.scaling import api_latency, cpu, queue
from dreamseed.monitoring.slo import BURN_WINDOWS

FASTEST = BURN_WINDOWS[0]
"""The window that pages first."""


def _lines(title: str, description: str, unit: str, queries: dict[str, str], mark: float | None = None) -> Panel:
    marks = ((mark, "red"),) if mark is not None else ()
    return Panel(title=title, description=description, unit=unit, queries=queries, marks=marks, lines=bool(marks))


def _quantile(metric: str, by: str, quantile: float = 0.95) -> str:
    return f"histogram_quantile({quantile:g}, sum by (le, {by}) (rate({metric}_bucket[{RANGE}])))"


def objectives_board(config: StageConfig) -> Board:
    """Return budgets, burn rates and what the objectives are made of."""
    share = 'sum(rate(http_requests_total{job="api",status="%s"}[1d])) / sum(rate(http_requests_total{job="api"}[1d]))'
    tokens = config.slo.tokens_per_second_per_gpu
    return Board(
        name="objectives",
        title="Objectives",
        description="What is left of each error budget, and how fast it burns.",
        panels=(
            Panel(
                kind=Kind.GAUGE,
                title="Budget left",
                description="Of 30 days: 100 % is all of it, below 0 it is overdrawn and nothing risky is deployed.",
                unit="percentunit",
                queries={REMAINING: "{{slo}}"},
                minimum=-1,
                maximum=1,
            ),
            _lines(
                "Burn rate",
                "How many times faster than allowed the budget is used, over an hour; the line is where it pages.",
                "short",
                {f"{error_ratio(FASTEST.long)} / on (slo) (1 - {TARGET})": "{{slo}}"},
                float(FASTEST.factor),
            ),
            _lines(
                "Failures",
                "Share of failed events over an hour.",
                "percentunit",
                {error_ratio(FASTEST.long): "{{slo}}"},
            ),
            api_latency(config),
            _lines(
                "Generation latency",
                "p95 from request to last token; the line is the objective.",
                "s",
                {_quantile("vllm:e2e_request_latency_seconds", "model_name"): "{{model_name}}"},
                config.slo.generation_p95_ms / 1_000,
            ),
            _lines(
                "Client and server errors",
                "Share of a day's answers. 4xx is how clients behave and in no budget; 5xx has the line.",
                "percentunit",
                {share % status: status for status in ("4xx", "5xx")},
                config.slo.max_5xx_ratio,
            ),
            _lines(
                "Tokens a second and engine",
                f"What is written; while requests wait it should be {tokens} a card.",
                "short",
                {f"sum by (instance) (rate(vllm:generation_tokens_total[{RANGE}]))": "{{instance}}"},
                tokens,
            ),
            _lines(
                "Alerts that fire",
                "By severity.",
                "short",
                {'sum by (severity) (ALERTS{alertstate="firing"})': "{{severity}}"},
            ),
        ),
    )


def llm_board(_: StageConfig) -> Board:
    """Return engines and cards."""
    waits, first = "vllm:request_queue_time_seconds", "vllm:time_to_first_token_seconds"
    return Board(
        name="llm",
        title="Engines and cards",
        description="What each engine holds and writes, and how its card fares.",
        panels=(
            queue(),
            _lines(
                "Requests that wait",
                "Over the fleet; the line is where the alert stands.",
                "short",
                {"sum by (model_name) (vllm:num_requests_waiting)": "{{model_name}}"},
                QUEUED_REQUESTS,
            ),
            _lines(
                "KV cache",
                "Share in use: above 90 % sequences may be thrown out.",
                "percentunit",
                {"avg by (instance) (vllm:kv_cache_usage_perc)": "{{instance}}"},
                KV_CACHE_SHARE,
            ),
            _lines(
                "Sequences thrown out",
                "Preemptions a second: work that is done twice.",
                "short",
                {f"sum by (instance) (rate(vllm:num_preemptions_total[{RANGE}]))": "{{instance}}"},
            ),
            _lines(
                "Wait and first token",
                "p95, per model.",
                "s",
                {_quantile(waits, "model_name"): "wait", _quantile(first, "model_name"): "first token"},
            ),
            _lines(
                "Finished",
                "Generations a second by how they ended; abort is a client that left.",
                "reqps",
                {f"sum by (finished_reason) (rate(vllm:request_success_total[{RANGE}]))": "{{finished_reason}}"},
            ),
            _lines(
                "Cards: temperature",
                "Degrees Celsius.",
                "celsius",
                {"max by (host, gpu) (DCGM_FI_DEV_GPU_TEMP)": "{{host}} GPU {{gpu}}"},
            ),
            _lines(
                "Cards: power",
                "Watts.",
                "watt",
                {"max by (host, gpu) (DCGM_FI_DEV_POWER_USAGE)": "{{host}} GPU {{gpu}}"},
            ),
        ),
    )


def database_board(config: StageConfig) -> Board:
    """Return PostgreSQL, its archive and its votes."""
    most = config.postgres.max_connections
    return Board(
        name="database",
        title="Database",
        description="PostgreSQL, its archive, its backups and etcd.",
        panels=(
            _lines("Answers", "1 while PostgreSQL answers.", "short", {"pg_up": "{{instance}}"}),
            _lines(
                "Connections",
                f"Of {most}; the line is where the alert stands.",
                "short",
                {"sum by (instance) (pg_stat_database_numbackends)": "{{instance}}"},
                most * CONNECTION_SHARE,
            ),
            _lines(
                "Transactions",
                "Commits and rollbacks a second.",
                "short",
                {
                    f"sum by (instance) (rate(pg_stat_database_xact_commit[{RANGE}]))": "{{instance}} committed",
                    f"sum by (instance) (rate(pg_stat_database_xact_rollback[{RANGE}]))": "{{instance}} rolled back",
                },
            ),
            _lines(
                "Replicas behind",
                "Seconds; it also grows while nothing is written.",
                "s",
                {"pg_replication_lag_seconds": "{{instance}}"},
                REPLICA_LAG_SECONDS,
            ),
            _lines(
                "Since the last archived segment",
                f"The recovery point is {config.disaster_recovery.rpo_minutes} minutes while data is written.",
                "s",
                {"pg_stat_archiver_last_archive_age and on (instance) pg_replication_is_replica == 0": "{{instance}}"},
                config.disaster_recovery.rpo_minutes * 60,
            ),
            _lines(
                "Since the last backup",
                "Of any kind, per stanza.",
                "s",
                {"min by (stanza) (pgbackrest_backup_since_last_completion_seconds)": "{{stanza}}"},
            ),
            *_proofs(config),
            _lines(
                "etcd waits for its disk",
                "p99 of a write; the line is where the alert stands, etcd wants 0.01 s.",
                "s",
                {_quantile("etcd_disk_wal_fsync_duration_seconds", "instance", 0.99): "{{instance}}"},
                ETCD_FSYNC_SECONDS,
            ),
            _lines(
                "etcd's leaders",
                "Changes of leader seen in an hour.",
                "short",
                {"sum by (instance) (increase(etcd_server_leader_changes_seen_total[1h]))": "{{instance}}"},
            ),
        ),
    )


def _proofs(config: StageConfig) -> tuple[Panel, ...]:
    """Return what proves backups: the daily looks and, where there are any, the drills."""
    whole = _lines(
        "Since the archive was found whole",
        "A look a day reads all of it; the alert stands at 26 hours.",
        "s",
        {"time() - max by (shard) (archive_look_passed_timestamp_seconds)": "shard {{shard}}"},
    )
    if not config.backup.wal_archive:
        return (whole,)
    told = f"[{config.backup.drill_every_days + 1}d]"
    figures = {
        f"max by (stage) (last_over_time(restore_drill_{name}_seconds{told}))": f"{{{{stage}}}} {name.upper()}"
        for name in ("rpo", "rto")
    }
    return (whole, _lines("Restore drills", "Measured by the newest drill of each stage.", "s", figures))


def cache_board(_: StageConfig) -> Board:
    """Return Redis."""
    return Board(
        name="cache",
        title="Cache",
        description="Redis: hits, evictions, memory, clients.",
        panels=(
            _lines(
                "Hits",
                "Share of reads that find their key; the line is the objective.",
                "percentunit",
                {hit_ratio(RANGE): "hits"},
                CACHE_HIT_RATIO,
            ),
            _lines(
                "Evictions",
                "Keys a second that made room; a full cache evicts by design.",
                "short",
                {f"sum by (instance) (rate(redis_evicted_keys_total[{RANGE}]))": "{{instance}}"},
            ),
            _lines("Memory", "In use, per node.", "bytes", {"redis_memory_used_bytes": "{{instance}}"}),
            _lines("Clients", "Connected, per node.", "short", {"redis_connected_clients": "{{instance}}"}),
        ),
    )


def events_board(config: StageConfig) -> Board:
    """Return Kafka."""
    return Board(
        name="events",
        title="Event stream",
        description="Kafka: brokers, copies, consumers.",
        panels=(
            _lines(
                "Brokers",
                f"In the cluster; {config.kafka.brokers} are planned.",
                "short",
                {"max(kafka_brokers)": "brokers"},
            ),
            _lines(
                "Partitions with too few copies",
                "In sync copies below the planned number.",
                "short",
                {"sum by (topic) (kafka_topic_partition_under_replicated_partition)": "{{topic}}"},
            ),
            _lines(
                "Fewest copies in sync",
                "Below the line a partition refuses writes.",
                "short",
                {"min by (topic) (kafka_topic_partition_in_sync_replica)": "{{topic}}"},
                config.kafka.min_insync_replicas,
            ),
            _lines(
                "Consumers behind",
                "Events; the line is where the alert stands.",
                "short",
                {"sum by (consumergroup, topic) (kafka_consumergroup_lag)": "{{consumergroup}} {{topic}}"},
                CONSUMER_LAG_EVENTS,
            ),
        ),
    )


def access_board(_: StageConfig) -> Board:
    """Return routers, database proxies, poolers and the tunnel."""
    requests, errors = (f"rate(cloudflared_tunnel_{name}[{RANGE}])" for name in ("total_requests", "request_errors"))
    waits = "pgbouncer_pools_client_waiting_connections"
    transactions = "pgbouncer_stats_totals_sql_transactions_pooled_total"
    return Board(
        name="access",
        title="The way in",
        description="What stands between clients and engines or stores: tunnel, routers, proxies, poolers.",
        panels=(
            _lines(
                "Tunnel: connections",
                "To Cloudflare, of each connector; the line is what it should keep.",
                "short",
                {"cloudflared_tunnel_ha_connections": "{{instance}}"},
                TUNNEL_CONNECTIONS,
            ),
            _lines(
                "Tunnel: requests",
                "A second over all connectors, and those that could not reach their service.",
                "reqps",
                {f"sum({requests})": "requests", f"sum({errors})": "errors"},
            ),
            _lines(
                "Routers: servers in use",
                "Engines that each router sends to, and the primary that each database proxy sends to.",
                "short",
                {'haproxy_backend_active_servers{proxy=~"engines|primary"}': "{{instance}} {{proxy}}"},
            ),
            _lines(
                "Routers: requests that wait",
                "Over all routers, before any engine has them; the line is where the alert stands.",
                "short",
                {ROUTER_QUEUE: "waiting"},
                QUEUED_REQUESTS,
            ),
            _lines(
                "Routers: tried elsewhere",
                "Requests and connections a second that another server took over.",
                "reqps",
                {
                    f"sum by (instance) (rate(haproxy_backend_redispatch_warnings_total[{RANGE}]))": "{{instance}}",
                },
            ),
            _lines(
                "Poolers: clients",
                "That are served, and that wait for a connection to the database.",
                "short",
                {
                    "sum by (instance) (pgbouncer_pools_client_active_connections)": "{{instance}} served",
                    f"sum by (instance) ({waits})": "{{instance}} waiting",
                },
            ),
            _lines(
                "Poolers: longest wait",
                "For a connection to the database; the line is where the alert stands.",
                "s",
                {"max by (instance) (pgbouncer_pools_client_maxwait_seconds)": "{{instance}}"},
                POOLER_WAIT_SECONDS,
            ),
            _lines(
                "Poolers: transactions",
                "A second, that passed the poolers.",
                "short",
                {f"sum by (instance) (rate({transactions}[{RANGE}]))": "{{instance}}"},
            ),
        ),
    )


def hosts_board(_: StageConfig) -> Board:
    """Return the machines and the monitoring on them."""
    return Board(
        name="hosts",
        title="Hosts and monitoring",
        description="CPU, memory, disks and network of each host; what Prometheus holds and reaches.",
        panels=(
            cpu(),
            _lines("Load", "Over a minute.", "short", {"node_load1": "{{host}}"}),
            _lines(
                "Memory left",
                "Share that is available.",
                "percentunit",
                {"node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes": "{{host}}"},
                MEMORY_SHARE,
            ),
            _lines("Disk left", "Share of each device.", "percentunit", {DISK_LEFT: "{{host}} {{device}}"}, DISK_SHARE),
            _lines(
                "Network",
                "Of each host's network cards, both ways.",
                "Mbits",
                {link_mbit(way, RANGE): f"{{{{host}}}} {way}" for way in WAYS},
            ),
            _lines("Targets away", "That cannot be scraped.", "short", {"sum by (job) (1 - up)": "{{job}}"}),
            _lines("Series", "That Prometheus holds.", "short", {"max(prometheus_tsdb_head_series)": "series"}),
        ),
    )

"""Alerts on the machines, the month's cost and the monitoring itself.

Sources: the growth plan, section 6; node_exporter and Prometheus documentation. Shares of disk, memory and CPU are
choices.
"""

from __future__ import annotations

from dreamseed.config import StageConfig
from dreamseed.config.operations import GrafanaCloud
from dreamseed.monitoring.model import Alert, Concern, Fleet, Group, Owner, Recording, Severity

BUDGET_SHARE = 0.9
"""Source: the growth plan, section 6."""
COST_DATA_HOURS = 1
"""The exporter remembers the cost with each scrape: an hour without is a full disk, or an exporter that is away."""
REMOTE_WRITE_LAG_SECONDS = 300
MOST_SERIES = 200_000
"""What 2 GiB hold at 4 to 8 KiB a series, twice over for queries. A choice; `dreamseed plan` counts far fewer."""
MEMORY_SHARE = 0.05
DISK_SHARE = 0.1
ON_DISK = 'fstype!~"tmpfs|overlay|squashfs|ramfs"'
DISK_LEFT = (
    f"min by (host, device) (node_filesystem_avail_bytes{{{ON_DISK}}} / node_filesystem_size_bytes{{{ON_DISK}}})"
)
"""A device has one space, however many mounts show it."""
BUDGET = "edu_budget_monthly"
STAGE_INFO = "edu_stage_info"


WAYS = ("receive", "transmit")


def link_mbit(way: str, window: str) -> str:
    """Return, as PromQL, what each host's network cards carry one way, in Mbit/s over `window`."""
    return f"sum by (host) (rate(node_network_{way}_bytes_total[{window}])) * 8 / 1e6"


def busiest_link_mbit(way: str) -> str:
    """Return, as PromQL, what the busiest host carries one way, in Mbit/s over five minutes."""
    return f"max({link_mbit(way, '5m')})"


def hosts_group() -> Group:
    """Return the alerts on servers and witness."""
    return Group(
        name="hosts",
        alerts=(
            Alert(
                name="HostDown",
                expression='up{job="node"} == 0',
                for_seconds=120,
                severity=Severity.CRITICAL,
                component="host",
                concern=Concern.AVAILABILITY,
                summary="{{ $labels.host }} does not answer",
                action="Power, network, Docker Engine, in this order.",
            ),
            Alert(
                name="HostCpuHigh",
                expression='1 - avg by (host) (rate(node_cpu_seconds_total{mode="idle"}[5m])) > 0.9',
                for_seconds=900,
                severity=Severity.WARNING,
                component="host",
                concern=Concern.SATURATION,
                summary="{{ $labels.host }} uses {{ $value | humanizePercentage }} of its CPU",
                action="docker stats on the host shows which container.",
            ),
            Alert(
                name="HostMemoryLow",
                expression=f"node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes < {MEMORY_SHARE:g}",
                for_seconds=300,
                severity=Severity.WARNING,
                component="host",
                concern=Concern.SATURATION,
                summary="{{ $labels.host }} has {{ $value | humanizePercentage }} of its memory left",
                action="docker stats on the host; limits add up to less than its memory, so look beside Docker too.",
            ),
            Alert(
                name="DiskFullSoon",
                expression="min by (host, device) "
                f"(predict_linear(node_filesystem_avail_bytes{{{ON_DISK}}}[1h], 14400)) < 0",
                for_seconds=900,
                severity=Severity.CRITICAL,
                component="host",
                concern=Concern.SATURATION,
                summary="{{ $labels.device }} of {{ $labels.host }} is full within four hours",
                action="Find what grows: WAL that is not archived, metrics, images.",
            ),
            Alert(
                name="DiskLow",
                expression=f"{DISK_LEFT} < {DISK_SHARE:g}",
                for_seconds=900,
                severity=Severity.WARNING,
                component="host",
                concern=Concern.SATURATION,
                summary="{{ $labels.device }} of {{ $labels.host }} has {{ $value | humanizePercentage }} left",
                action="docker system df; old images and models go first.",
            ),
        ),
    )


def cost_group(config: StageConfig, fleet: Fleet) -> Group:
    """Return the stage and its budget as series, and the alerts on the month's cost, in USD."""
    stage = config.service.stage.value
    updated = "edu_cost_last_update_timestamp_seconds"
    return Group(
        name="cost",
        recordings=(
            Recording(name=BUDGET, expression=f"vector({config.budget.usd_per_month:g})", labels={"stage": stage}),
            # The history of this series is the history of scaling: it changes with every promotion.
            Recording(
                name=STAGE_INFO,
                expression="vector(1)",
                labels={"stage": stage, "gpus": str(fleet.gpus), "engines": str(fleet.engines)},
            ),
        ),
        alerts=(
            Alert(
                name="BudgetExceeded",
                expression=f"sum by (stage) (edu_cost_month_to_date) / on (stage) {BUDGET} > {BUDGET_SHARE:g}",
                for_seconds=3_600,
                severity=Severity.CRITICAL,
                component="cost",
                concern=Concern.COST,
                owner=Owner.FINANCE,
                summary="{{ $value | humanizePercentage }} of the month's "
                f"{config.budget.usd_per_month:g} USD is spent",
                action="See which component grew; the cost report prints the smallest changes that fit.",
            ),
            Alert(
                name="CostDataStale",
                expression=f"time() - max({updated}) > {COST_DATA_HOURS * 3_600} or absent({updated})",
                for_seconds=3_600,
                severity=Severity.WARNING,
                component="cost",
                concern=Concern.AVAILABILITY,
                owner=Owner.FINANCE,
                summary="the month's cost is unknown, or older than an hour",
                action="Read the cost exporter's log; until it counts, BudgetExceeded cannot fire.",
            ),
        ),
    )


def monitoring_group(config: StageConfig) -> Group:
    """Return the alerts on Prometheus, its targets and what it sends on."""
    alerts = [
        Alert(
            name="TargetDown",
            expression='up{job!~"node|vllm|etcd|haproxy|cloudflared"} == 0',
            for_seconds=300,
            severity=Severity.WARNING,
            component="exporter",
            concern=Concern.AVAILABILITY,
            summary="{{ $labels.job }} on {{ $labels.host }} cannot be scraped ({{ $labels.instance }})",
            action="Read the exporter's log; alerts on what it measures are blind until then.",
        ),
        Alert(
            name="RuleFailures",
            expression='increase(prometheus_rule_evaluation_failures_total{job="prometheus"}[15m]) > 0',
            severity=Severity.WARNING,
            component="prometheus",
            concern=Concern.ERRORS,
            summary="Prometheus cannot evaluate a rule of {{ $labels.rule_group }}",
            action="Prometheus shows the error beside the rule (Status, Rules).",
        ),
        Alert(
            name="AlertDeliveryFailing",
            expression="increase(prometheus_notifications_errors_total[15m]) > 0 "
            "or increase(alertmanager_notifications_failed_total[15m]) > 0",
            severity=Severity.CRITICAL,
            component="alertmanager",
            concern=Concern.AVAILABILITY,
            summary="alerts do not reach the receiver",
            action="Check the webhook in the stack's secrets (alert-webhook).",
        ),
    ]
    alerts += _metrics_store(config)
    if config.monitoring.grafana_cloud is not GrafanaCloud.NONE:
        alerts.append(_remote_write())
    return Group(name="monitoring", alerts=tuple(alerts))


def _metrics_store(config: StageConfig) -> list[Alert]:
    return [
        Alert(
            name="PrometheusSeriesHigh",
            expression=f"max(prometheus_tsdb_head_series) > {MOST_SERIES}",
            for_seconds=1_800,
            severity=Severity.WARNING,
            component="prometheus",
            concern=Concern.SATURATION,
            summary=f"Prometheus holds {{{{ $value | humanize }}}} series, its memory is planned for {MOST_SERIES:,}",
            action="Find the metric that grew (Prometheus, Status, TSDB) and the label that made it grow.",
        ),
        Alert(
            name="MetricsCutShort",
            expression="increase(prometheus_tsdb_size_retentions_total[1d]) > 0",
            severity=Severity.WARNING,
            component="prometheus",
            concern=Concern.SATURATION,
            summary=f"metrics younger than {config.monitoring.retention_days} days were removed to make room",
            action="Raise monitoring.disk_gib; budgets of 30 days are counted from what is left.",
        ),
    ]


def _remote_write() -> Alert:
    return Alert(
        name="RemoteWriteBehind",
        expression="max(prometheus_remote_storage_highest_timestamp_in_seconds) "
        "- min(prometheus_remote_storage_queue_highest_sent_timestamp_seconds) "
        f"> {REMOTE_WRITE_LAG_SECONDS}",
        for_seconds=900,
        severity=Severity.WARNING,
        component="prometheus",
        concern=Concern.REPLICATION,
        summary="Grafana Cloud is {{ $value | humanizeDuration }} behind",
        action="Check its token and whether the account's series limit is reached.",
    )

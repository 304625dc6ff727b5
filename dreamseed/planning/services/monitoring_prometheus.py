"""Prometheus' container and configuration: what it scrapes, keeps, evaluates and sends on.

Source: Prometheus 3.13 documentation, read 2026-11-23.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dreamseed.config import StageConfig
from dreamseed.config.operations import GrafanaCloud
from dreamseed.monitoring.dashboards.board import Board
from dreamseed.monitoring.metrics import Job
from dreamseed.monitoring.model import Group
from dreamseed.monitoring.rules import rules_content, runbooks_of
from dreamseed.monitoring.series import read_metrics
from dreamseed.planning import ports
from dreamseed.planning.container import Container, File, Mount, NetworkName, Port, secret
from dreamseed.planning.hosts import Host
from dreamseed.planning.secrets import ProvidedSecret
from dreamseed.planning.services.monitoring_exporters import COMPONENT, NOBODY_UID, page_health
from dreamseed.planning.services.monitoring_files import secret_file, yaml_text
from dreamseed.planning.services.monitoring_scrape import Target, scrape_config

VOLUME = "prometheus-data"
METRICS_DISK_SHARE = 0.8
"""Share of the volume that blocks may fill; the write-ahead log needs the rest."""
OUT_OF_ORDER_WINDOW = "10m"
"""For pushed metrics that arrive late. Source: Prometheus documentation, OpenTelemetry guide."""
FLUSH_SECONDS = 10
"""How long a Prometheus that is stopped goes on sending to Grafana Cloud; its disk keeps everything anyway."""
CLOUD_TOKEN_FILE = "/run/secrets/grafana-cloud-token"  # noqa: S105 - a file's path, not a token
CLOUD_USER_FILE = "/run/secrets/grafana-cloud-user"


def plan_prometheus(config: StageConfig, host: Host) -> Container:
    """Return the container without its files: it is a target of the configuration that they hold."""
    monitoring = config.monitoring
    return Container(
        name="prometheus",
        component=COMPONENT,
        service="prometheus",
        host=host.name,
        image="prometheus",
        networks=(NetworkName.MONITORING,),
        memory_mib=2_048,
        cpu_cores=0.5,
        user=str(NOBODY_UID),
        command=(
            "--config.file=/etc/prometheus/prometheus.yml",
            "--storage.tsdb.path=/prometheus",
            f"--storage.tsdb.retention.time={monitoring.retention_days}d",
            f"--storage.tsdb.retention.size={int(monitoring.disk_gib * METRICS_DISK_SHARE)}GB",
            "--web.enable-otlp-receiver",
            f"--web.external-url=http://{host.address}:{ports.PROMETHEUS}",
            f"--storage.remote.flush-deadline={FLUSH_SECONDS}s",
        ),
        mounts=(Mount(volume=VOLUME, path="/prometheus"),),
        ports=(Port(container=ports.PROMETHEUS, published=ports.PROMETHEUS, purpose="Prometheus"),),
        # Ready only after its write-ahead log is read again.
        health=page_health(ports.PROMETHEUS, "/-/ready", start_period_seconds=180),
        stop_grace_seconds=120,
        after=("alertmanager",),
    )


def prometheus_files(
    config: StageConfig, targets: Sequence[Target], groups: Sequence[Group], boards: Sequence[Board]
) -> tuple[File, ...]:
    """Return configuration, rules and, with Grafana Cloud, its credentials."""
    contents = {
        "/etc/prometheus/prometheus.yml": _settings(config, targets, groups, boards),
        "/etc/prometheus/rules.yml": rules_content(groups, runbooks_of(config)),
    }
    files = tuple(File(path=path, text=yaml_text(content), owner=NOBODY_UID) for path, content in contents.items())
    if config.monitoring.grafana_cloud is GrafanaCloud.NONE:
        return files
    return (
        *files,
        secret_file(CLOUD_USER_FILE, ProvidedSecret.GRAFANA_CLOUD_USER, NOBODY_UID),
        secret_file(CLOUD_TOKEN_FILE, ProvidedSecret.GRAFANA_CLOUD_TOKEN, NOBODY_UID),
    )


def _settings(
    config: StageConfig, targets: Sequence[Target], groups: Sequence[Group], boards: Sequence[Board]
) -> dict[str, Any]:
    by_job: dict[Job, list[Target]] = {}
    for target in targets:
        by_job.setdefault(target.job, []).append(target)
    settings: dict[str, Any] = {
        "global": {
            "scrape_interval": f"{config.monitoring.scrape_interval_seconds}s",
            "scrape_timeout": f"{min(10, config.monitoring.scrape_interval_seconds)}s",
            "evaluation_interval": f"{config.monitoring.evaluation_interval_seconds}s",
            # No stage: another label would begin every series anew at a promotion.
            "external_labels": {"service": config.service.name},
        },
        "storage": {"tsdb": {"out_of_order_time_window": OUT_OF_ORDER_WINDOW}},
        "rule_files": ["/etc/prometheus/rules.yml"],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"alertmanager:{ports.ALERTMANAGER}"]}]}]},
        "scrape_configs": [scrape_config(of_job) for of_job in by_job.values()],
    }
    if config.monitoring.grafana_cloud is not GrafanaCloud.NONE:
        settings["remote_write"] = [_remote_write(tuple(by_job), groups, boards)]
    return settings


def _remote_write(scraped: Sequence[Job], groups: Sequence[Group], boards: Sequence[Board]) -> dict[str, Any]:
    """Return what goes to Grafana Cloud, which bills series: what rules and dashboards read, and what rules record."""
    read = read_metrics(groups, boards)
    jobs = [*scraped, *(job for job in Job if job.pushed)]
    patterns = [f"{job};({'|'.join(sorted(read.get(job, frozenset()) | {'up'}))})" for job in jobs]
    recorded = sorted({rule.name for group in groups for rule in group.recordings})
    patterns.append(f";({'|'.join(['ALERTS', *recorded])})")
    # ALERTS keep the labels of what they are about, `job` too.
    patterns.append("[^;]+;ALERTS")
    return {
        "url": secret(ProvidedSecret.GRAFANA_CLOUD_URL),
        "basic_auth": {"username_file": CLOUD_USER_FILE, "password_file": CLOUD_TOKEN_FILE},
        "write_relabel_configs": [
            {"source_labels": ["job", "__name__"], "regex": "|".join(patterns), "action": "keep"}
        ],
    }

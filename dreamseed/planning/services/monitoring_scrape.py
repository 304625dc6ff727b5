"""What Prometheus scrapes: derived from the planned containers and their published ports, never listed by hand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from dreamseed.errors import PlanError
from dreamseed.monitoring.metrics import Job
from dreamseed.planning import ports
from dreamseed.planning.container import Container
from dreamseed.planning.hosts import Host

# Where each scraped job's metrics are: the `service` of its containers, as a regular expression, and their port.
# Redis' nodes are scraped through one exporter and Patroni's beside their databases, so their jobs are not here.
SOURCES: Mapping[Job, tuple[str, int]] = MappingProxyType(
    {
        Job.NODE: ("node-exporter", ports.NODE_EXPORTER),
        Job.DCGM: ("dcgm-exporter", ports.DCGM_EXPORTER),
        Job.VLLM: ("vllm", ports.VLLM),
        Job.POSTGRES: ("postgres-exporter", ports.POSTGRES_EXPORTER),
        Job.PGBACKREST: ("pgbackrest-exporter", ports.PGBACKREST_EXPORTER),
        Job.ETCD: ("etcd", ports.ETCD_CLIENT),
        Job.KAFKA: ("kafka-exporter", ports.KAFKA_EXPORTER),
        Job.HAPROXY: (r"vllm-router|pg-proxy-\d+", ports.HAPROXY_STATS),
        Job.PGBOUNCER: ("pgbouncer-exporter", ports.PGBOUNCER_EXPORTER),
        Job.CLOUDFLARED: ("tunnel", ports.TUNNEL_METRICS),
        Job.COST: ("cost-exporter", ports.COST_EXPORTER),
        Job.AUTOSCALER: ("autoscaler", ports.AUTOSCALER),
        Job.PROMETHEUS: ("prometheus", ports.PROMETHEUS),
        Job.ALERTMANAGER: ("alertmanager", ports.ALERTMANAGER),
    }
)


@dataclass(frozen=True, kw_only=True)
class Target:
    """One thing to scrape: where, and the labels that its series carry (`instance` and `host` at least).

    `exporter` is the ``address:port`` that asks the targets of its job in their place, or None.
    """

    job: Job
    address: str
    labels: Mapping[str, str]
    exporter: str | None = None


def plan_targets(
    containers: Sequence[Container], hosts: Sequence[Host], extra_labels: Mapping[str, Mapping[str, str]]
) -> tuple[Target, ...]:
    """Return the targets of all `containers`; `extra_labels` by container name.

    Raises `PlanError` when a container that should be scraped does not publish its metrics' port.
    """
    address_of = {host.name: host.address for host in hosts}
    targets = []
    for job, (service, port) in SOURCES.items():
        for container in containers:
            if not re.fullmatch(service, container.service):
                continue
            published = [one.published for one in container.ports if one.container == port]
            if not published:
                raise PlanError(
                    f"monitoring › {container.name}",
                    f"does not publish its port {port}",
                    f"Prometheus scrapes the job {job} there, over the servers' private network",
                    f"Port(container={port}, published=…, purpose=…)",
                )
            labels = {"host": container.host, "instance": container.name, **extra_labels.get(container.name, {})}
            targets.append(Target(job=job, address=f"{address_of[container.host]}:{published[0]}", labels=labels))
    return tuple(targets)


def scrape_config(targets: Sequence[Target]) -> dict[str, Any]:
    """Return the scrape configuration of one job's targets."""
    config: dict[str, Any] = {
        "job_name": targets[0].job.value,
        "static_configs": [{"targets": [target.address], "labels": dict(target.labels)} for target in targets],
        # Each counter and histogram of a Python client has a twin that only tells its birthday.
        "metric_relabel_configs": [{"source_labels": ["__name__"], "regex": ".+_created", "action": "drop"}],
    }
    if targets[0].exporter is not None:
        config["metrics_path"] = "/scrape"
        config["relabel_configs"] = [
            {"source_labels": ["__address__"], "target_label": "__param_target"},
            {"target_label": "__address__", "replacement": targets[0].exporter},
        ]
    return config

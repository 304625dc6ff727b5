"""How many series leave the servers for Grafana Cloud: only what a rule or a dashboard reads, counted from the plan.

Counts are upper bounds: an API at its most instances, every reason of every engine; each alert counts once.
Source of the limit: Grafana Cloud's pricing as transcribed 2026-05-25: 10,000 active series on the free plan; that Pro
includes as many is unverified. Pro bills data points a minute where they are more than the series.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dreamseed.config import StageConfig
from dreamseed.monitoring.contract import EXPORTERS, Job, Kind, Metric
from dreamseed.monitoring.dashboards.board import Board, as_promql
from dreamseed.monitoring.metrics import METRICS, metrics_of
from dreamseed.monitoring.model import Group

LIMIT = 10_000
DATABASES = 4
"""template0, template1, postgres and the service's own."""
OFFSETS_PARTITIONS = 50
"""Of Kafka's own topic __consumer_offsets. Source: Kafka documentation, offsets.topic.num.partitions."""
FILE_SYSTEMS = 4
"""Mounts a host that are on a disk: a choice."""
NETWORK_CARDS = 4
"""A host that carry traffic of its own: a choice."""
PROXIES = 2
"""Of a database proxy that lead on, to the primary and to the replicas; a router has one."""
CPU_MODES = 8
NOTIFICATION_FAILURES = 90
"""Pairs of integration and reason. Source: a scrape of Alertmanager 0.31.1."""
COST_COMPONENTS = 20
"""Services of the price book that a stage pays for: 18 at E."""


@dataclass(frozen=True, kw_only=True)
class SentSeries:
    """What one job sends: `targets` of it, each `a_target` series at most."""

    job: str
    targets: int
    a_target: int

    @property
    def total(self) -> int:
        """Return the series of all targets."""
        return self.targets * self.a_target


def read_metrics(groups: Sequence[Group], boards: Sequence[Board]) -> Mapping[Job, frozenset[str]]:
    """Return the names of exported series that the rules and dashboards read, by job."""
    rules = [rule.expression for group in groups for rule in group.recordings]
    rules += [rule.expression for group in groups for rule in group.alerts]
    panels = (as_promql(query) for board in boards for panel in board.panels for query in panel.queries)
    read = frozenset[str]().union(*map(metrics_of, (*rules, *panels)))
    return {job: names & read for job, names in METRICS.items() if names & read}


def sent_series(
    config: StageConfig, targets: Mapping[Job, int], groups: Sequence[Group], boards: Sequence[Board]
) -> tuple[SentSeries, ...]:
    """Return what each job sends, `targets` of each, and what the rules record; `up` is one more a scraped target."""
    read = read_metrics(groups, boards)
    metrics = {exporter.job: exporter.metrics for exporter in EXPORTERS}
    counts = [
        SentSeries(
            job=job.value,
            targets=config.api.max_instances if job is Job.API else targets.get(job, 1),
            a_target=sum(_series(config, metric, names) for metric in metrics[job]) + (not job.pushed),
        )
        for job, names in read.items()
        if job in targets or job.pushed
    ]
    recorded = sum(len(group.recordings) for group in groups)
    alerts = sum(len(group.alerts) for group in groups)
    return (*counts, SentSeries(job="recorded", targets=1, a_target=recorded + alerts))


def data_points_a_minute(config: StageConfig, series: Iterable[SentSeries]) -> int:
    """Return how many values a minute are sent."""
    return sum(one.total for one in series) * math.ceil(60 / config.monitoring.scrape_interval_seconds)


def _series(config: StageConfig, metric: Metric, read: frozenset[str]) -> int:
    """Return how many series of `metric` a target sends, of those of its names that are read."""
    values = _values(config, metric)
    each = math.prod(values.get(label, 1) for label in metric.labels if label != "le")
    if metric.kind is not Kind.HISTOGRAM:
        return each if metric.name in read else 0
    parts = {f"{metric.name}_bucket": len(metric.bounds) + 1, f"{metric.name}_count": 1, f"{metric.name}_sum": 1}
    return each * sum(count for name, count in parts.items() if name in read)


def _values(config: StageConfig, metric: Metric) -> Mapping[str, int]:
    """Return how many values each label has at most; of labels that go together one carries the count."""
    own = sum(topic.partitions for topic in config.kafka.topics)
    lag = metric.name == "kafka_consumergroup_lag"
    return {
        "cpu": max(server.cpu_cores for server in config.servers.values()),
        "mode": CPU_MODES,
        "mountpoint": FILE_SYSTEMS,
        "gpu": max(server.gpus.count for server in config.servers.values()),
        "finished_reason": 5,
        "reason": NOTIFICATION_FAILURES if metric.name.startswith("alertmanager") else 2,
        "datname": DATABASES,
        "backup_type": 3,
        "proxy": PROXIES,
        "device": NETWORK_CARDS if metric.name.startswith("node_network") else 1,
        "database": DATABASES,
        "partition": own if lag else own + OFFSETS_PARTITIONS,
        "rule_group": 14,
        "status": 4,
        "kind": 2,
        "component": COST_COMPONENTS,
        "usage": 3,
        "phase": 8,
    }

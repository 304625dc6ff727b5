"""Monitoring on the first server: Prometheus, Alertmanager, Grafana, and exporters where there is something to measure.

Prometheus scrapes published ports over the servers' private network and takes what the API pushes by OTLP. Its
configuration changes with the stage, so a promotion replaces its container; its volume stays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dreamseed.config import StageConfig
from dreamseed.config.operations import GrafanaCloud
from dreamseed.monitoring.dashboards.board import Board
from dreamseed.monitoring.dashboards.boards import boards
from dreamseed.monitoring.metrics import Job
from dreamseed.monitoring.model import Fleet, Group
from dreamseed.monitoring.rules import rule_groups
from dreamseed.monitoring.series import SentSeries, sent_series
from dreamseed.planning.container import Container, ServicePlan, Volume, VolumeKind
from dreamseed.planning.hosts import Host, servers
from dreamseed.planning.services import (
    monitoring_alertmanager,
    monitoring_cost,
    monitoring_grafana,
    monitoring_prometheus,
    postgres,
    redis,
)
from dreamseed.planning.services.monitoring_exporters import COMPONENT, exporter_name, plan_exporters, redis_target
from dreamseed.planning.services.monitoring_scrape import SOURCES, Target, plan_targets

SMALL_DISK_GIB = 2
"""For silences, users and dashboards drawn by hand."""
COST_DISK_GIB = 1


@dataclass(frozen=True, kw_only=True)
class _Watched:
    """What is measured and what is made of it; Prometheus is the last of the containers, and has no files yet."""

    containers: tuple[Container, ...]
    targets: tuple[Target, ...]
    groups: tuple[Group, ...]
    boards: tuple[Board, ...]


def plan_monitoring(config: StageConfig, hosts: Sequence[Host], services: Sequence[ServicePlan]) -> ServicePlan:
    """Return the exporters, Alertmanager, Prometheus and, from the stage that has dashboards on, Grafana.

    `services` are the plans of everything else that runs on the hosts: targets are their containers. Raises
    `PlanError` when one of them cannot be scraped as planned.
    """
    host = servers(hosts)[0]
    watched = _watched(config, hosts, services)
    files = monitoring_prometheus.prometheus_files(config, watched.targets, watched.groups, watched.boards)
    *others, prometheus = watched.containers
    containers = [*others, replace(prometheus, files=files)]
    volumes = [
        _volume(monitoring_alertmanager.VOLUME, host, SMALL_DISK_GIB),
        _volume(monitoring_prometheus.VOLUME, host, config.monitoring.disk_gib),
        # What is lost of it is counted anew, at the rates of the stage that stands.
        replace(_volume(monitoring_cost.VOLUME, host, COST_DISK_GIB), kind=VolumeKind.CACHE),
    ]
    if config.monitoring.dashboards:
        containers.append(monitoring_grafana.plan_grafana(config, host, watched.boards))
        volumes.append(_volume(monitoring_grafana.VOLUME, host, SMALL_DISK_GIB))
    return ServicePlan(component=COMPONENT, containers=tuple(containers), volumes=tuple(volumes))


def plan_series(config: StageConfig, hosts: Sequence[Host], services: Sequence[ServicePlan]) -> tuple[SentSeries, ...]:
    """Return how many series each job sends to Grafana Cloud at most; none where the stage has no such thing."""
    if config.monitoring.grafana_cloud is GrafanaCloud.NONE:
        return ()
    watched = _watched(config, hosts, [plan for plan in services if plan.component != COMPONENT])
    return sent_series(config, Counter(target.job for target in watched.targets), watched.groups, watched.boards)


def plan_rules(config: StageConfig, hosts: Sequence[Host], services: Sequence[ServicePlan]) -> tuple[Group, ...]:
    """Return the groups of rules that the stage's Prometheus evaluates."""
    return _watched(config, hosts, [plan for plan in services if plan.component != COMPONENT]).groups


def _watched(config: StageConfig, hosts: Sequence[Host], services: Sequence[ServicePlan]) -> _Watched:
    host = servers(hosts)[0]
    exporters = plan_exporters(config, hosts, services)
    running = [container for plan in services for container in plan.containers]
    alertmanager = monitoring_alertmanager.plan_alertmanager(config, host)
    prometheus = monitoring_prometheus.plan_prometheus(config, host)
    targets = (
        *plan_targets([*running, *exporters, alertmanager, prometheus], hosts, _database_labels(config, hosts)),
        *_patroni_targets(config, hosts),
        *_cache_targets(config, hosts, exporters),
    )
    fleet = Fleet(
        gpus=sum(server.gpu_count for server in servers(hosts)),
        engines=sum(container.service == SOURCES[Job.VLLM][0] for container in running),
    )
    jobs = {target.job for target in targets}
    groups = rule_groups(config, jobs, fleet)
    return _Watched(
        containers=(*exporters, alertmanager, prometheus),
        targets=targets,
        groups=groups,
        boards=boards(config, jobs, groups),
    )


def _database_labels(config: StageConfig, hosts: Sequence[Host]) -> dict[str, dict[str, str]]:
    """Return the labels of each database exporter by container: whose metrics they are, not who exports them."""
    return {
        exporter_name(instance): {"instance": instance.name, "shard": str(shard)}
        for shard in range(1, config.postgres.shards + 1)
        for instance in postgres.plan_instances(config, hosts, shard)
    }


def _patroni_targets(config: StageConfig, hosts: Sequence[Host]) -> list[Target]:
    """Return the REST interface of each database's Patroni, which the proxies ask for the primary too."""
    return [
        Target(
            job=Job.PATRONI,
            address=f"{instance.host.address}:{instance.check_port}",
            labels={"host": instance.host.name, "instance": instance.name, "shard": str(shard)},
        )
        for shard in range(1, config.postgres.shards + 1)
        for instance in postgres.plan_instances(config, hosts, shard)
    ]


def _cache_targets(config: StageConfig, hosts: Sequence[Host], exporters: Sequence[Container]) -> list[Target]:
    """Return the cache's nodes, all asked through the one exporter."""
    address_of = {host.name: host.address for host in hosts}
    at = [f"{address_of[one.host]}:{one.ports[0].published}" for one in exporters if one.service == "redis-exporter"]
    return [
        Target(
            job=Job.REDIS,
            address=redis_target(node),
            labels={"host": node.host.name, "instance": node.name},
            exporter=at[0],
        )
        for node in redis.plan_nodes(config, hosts)
    ]


def _volume(name: str, host: Host, size_gib: int) -> Volume:
    return Volume(name=name, host=host.name, kind=VolumeKind.DATA, size_gib=size_gib)

"""What everything stateful must be watched for, and what has a reason not to be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from dreamseed.config import StageConfig
from dreamseed.config.operations import GrafanaCloud
from dreamseed.monitoring.model import Alert, Concern
from dreamseed.planning.container import ServicePlan, VolumeKind
from dreamseed.planning.services.packet_filter import COMPONENT as PACKET_FILTER
from dreamseed.planning.services.wireguard import COMPONENT as WIREGUARD

NEEDED = (Concern.AVAILABILITY, Concern.SATURATION, Concern.REPLICATION, Concern.BACKUP)
NEEDED_ON_THE_WAY = (Concern.AVAILABILITY, Concern.SATURATION)
"""What a service that keeps nothing needs: engines, routers, proxies, poolers, connectors."""
_OWN = "nothing on the server can tell that its own watcher is away; Google Cloud watches the API from outside"
_SILENCES = "it holds silences and what it has told already: a new one begins empty and tells again"
_SPENT = "where its state is lost the month counts as spent, so that it buys nothing until the next one begins"
_DRAWN = "dashboards and data source are files of its container; what is drawn by hand is not kept"
EXEMPTIONS: Mapping[tuple[str, Concern], str] = MappingProxyType(
    {
        ("etcd", Concern.BACKUP): "it holds the database's leader key alone, which Patroni writes anew",
        ("redis", Concern.BACKUP): "a cache holds nothing that cannot be made again",
        ("kafka", Concern.BACKUP): "events have copies on other brokers, and none is kept longer than its retention",
        ("tunnel", Concern.SATURATION): "cloudflared names no limit of its own; the routers and poolers behind it do",
        ("prometheus", Concern.AVAILABILITY): _OWN,
        ("prometheus", Concern.BACKUP): "from stage C on Grafana Cloud holds a copy; before, a month of metrics may go",
        ("alertmanager", Concern.SATURATION): _SILENCES,
        ("alertmanager", Concern.REPLICATION): _SILENCES,
        ("alertmanager", Concern.BACKUP): _SILENCES,
        ("autoscaler", Concern.REPLICATION): _SPENT,
        ("autoscaler", Concern.BACKUP): _SPENT,
        ("grafana", Concern.AVAILABILITY): "dashboards show, they tell nobody: alerts do not pass through it",
        ("grafana", Concern.SATURATION): _DRAWN,
        ("grafana", Concern.REPLICATION): _DRAWN,
        ("grafana", Concern.BACKUP): _DRAWN,
    }
)
"""Why something stateful has no alert of a kind."""


def exemptions(config: StageConfig) -> Mapping[tuple[str, Concern], str]:
    """Return why something stateful of a stage has no alert of a kind: always, or since the stage has one copy."""
    single: dict[tuple[str, Concern], str] = {}
    if config.postgres.instances == 1:
        single["postgres", Concern.REPLICATION] = "one instance: its only copy is the archive, which is watched"
    if not config.redis.replicas_per_master:
        single["redis", Concern.REPLICATION] = "the plan has no replicas: what a lost node held is cached anew"
    if config.monitoring.grafana_cloud is GrafanaCloud.NONE:
        single["prometheus", Concern.REPLICATION] = "nothing is sent on before Grafana Cloud"
    return {**EXEMPTIONS, **single}


def stateful_services(plans: Iterable[ServicePlan]) -> frozenset[str]:
    """Return the services whose containers own a volume of data; a shard's number is left out.

    The owner is the first container that mounts it: a backup's container stands beside its database.
    """
    owners: dict[str, str] = {}
    for plan in plans:
        data = {volume.name for volume in plan.volumes if volume.kind is VolumeKind.DATA}
        for container in plan.containers:
            for mount in container.mounts:
                if mount.volume in data:
                    owners.setdefault(mount.volume, re.sub(r"-\d+$", "", container.service))
    return frozenset(owners.values())


def services_on_the_way(plans: Sequence[ServicePlan]) -> frozenset[str]:
    """Return the services that run and keep nothing, without a shard's number; not what watches, nor what ends.

    A backup's container belongs to its database, and nothing passes through a packet filter's: its rules are the
    kernel's, and stay while it is away. What passes a link between servers belongs to the services at its ends: their
    alerts tell when nothing does.
    """
    beside = {"monitoring", PACKET_FILTER, WIREGUARD}
    containers = [one for plan in plans if plan.component not in beside for one in plan.containers if not one.job]
    names = {re.sub(r"-\d+$", "", one.service) for one in containers if not one.service.startswith("backup-")}
    return frozenset(names) - stateful_services(plans)


def missing_alerts(
    config: StageConfig,
    services: Iterable[str],
    alerts: Iterable[Alert],
    needed: Iterable[Concern] = NEEDED,
) -> tuple[str, ...]:
    """Return ``SERVICE: CONCERN`` for each needed alert that is neither there nor exempt."""
    there = {(alert.component, alert.concern) for alert in alerts} | exemptions(config).keys()
    return tuple(
        f"{service}: {concern}" for service in sorted(services) for concern in needed if (service, concern) not in there
    )

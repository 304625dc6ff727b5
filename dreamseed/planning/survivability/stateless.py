"""What keeps no data: engines, routers, proxies, poolers, tunnels, monitoring, and the API in the cloud."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dreamseed.config.operations import GrafanaCloud
from dreamseed.planning.container import Container, VolumeKind
from dreamseed.planning.services.packet_filter import SERVICE as PACKET_FILTER
from dreamseed.planning.services.vllm import engine_name
from dreamseed.planning.services.wireguard import SERVICE as WIREGUARD
from dreamseed.planning.stage_plan import StagePlan
from dreamseed.planning.survivability.claims import Claim, DataLoss, Loss, links

ENTRANCES = ("vllm-router", "pgbouncer", "tunnel")
"""Services of which each server has its own, so that what enters on a server finds one there."""
PROXY_OF_SHARD = "pg-proxy-"
"""How the services begin of which the same holds, one for each shard."""
WATCHERS = ("prometheus", "alertmanager", "grafana", "autoscaler")


def claims(plan: StagePlan) -> Iterator[Claim]:
    """Return what happens at each loss to what can be started again anywhere."""
    groups: dict[str, list[Container]] = {}
    for container in plan.containers:
        groups.setdefault(container.service, []).append(container)
    yield from _engines(plan, groups["vllm"])
    for service, containers in groups.items():
        if service in ENTRANCES or service.startswith(PROXY_OF_SHARD):
            yield from _entrances(plan, service, containers)
        elif service.startswith("backup-"):
            text = "no backup is taken until it is back; WAL goes on being archived by the database itself"
            yield _claim("backup", Loss.CONTAINER, containers[0].name, True, text)
        elif service == PACKET_FILTER:
            text = "its rules stay in the kernel; a table that somebody changes is mended when it is back"
            yield from (_claim(service, Loss.CONTAINER, one.name, True, text) for one in containers)
        elif service == WIREGUARD:
            text = "as when the server's links are cut, until it is back; the kernel's own WireGuard goes on without it"
            yield from (_claim(service, Loss.CONTAINER, one.name, False, text) for one in containers)
        elif service in WATCHERS:
            yield from _watchers(plan, service, containers)
    text = "Cloud Run sends its requests to the others or starts another; those in flight fail"
    yield _claim("cloud run", Loss.CONTAINER, "an instance", True, text)


def _claim(
    component: str, loss: Loss, target: str, survives: bool, consequence: str, data_lost: DataLoss = DataLoss.NONE
) -> Claim:
    return Claim(
        component=component, loss=loss, target=target, survives=survives, data_lost=data_lost, consequence=consequence
    )


def _engines(plan: StagePlan, engines: Sequence[Container]) -> Iterator[Claim]:
    def lost(names: set[str]) -> tuple[bool, str]:
        left = [replica for replica in plan.layout.replicas if engine_name(replica) not in names]
        if not left:
            return False, "no engine is left: generations fail, everything else works"
        gpus = f"{sum(replica.tensor_parallel for replica in left)} of {plan.layout.gpu_count} GPUs"
        return True, f"{len(left)} of {len(engines)} engines go on with {gpus}; running answers break off"

    for engine in engines:
        yield _claim("vllm", Loss.CONTAINER, engine.name, *lost({engine.name}))
    for volume in plan.vllm.volumes:
        if volume.kind is VolumeKind.CACHE:
            text = "running engines keep their weights; the next start downloads them again"
            yield _claim("vllm", Loss.DISK, volume.name, True, text, DataLoss.CACHE)
    for host in plan.hosts:
        here = {engine.name for engine in engines if engine.host == host.name}
        if here:
            yield _claim("vllm", Loss.SERVER, host.name, *lost(here))
    for link in links(plan.hosts):
        sides = {engine.host for engine in engines} & {link.one.name, link.other.name}
        both = len(sides) == 2
        text = "each side's routers use the engines of their own side" if both else f"only {min(sides)} has engines"
        yield _claim("vllm", Loss.LINK, link.name, bool(sides), text)


def _entrances(plan: StagePlan, service: str, containers: Sequence[Container]) -> Iterator[Claim]:
    for container in containers:
        beside = sum(other.host == container.host for other in containers) - 1
        elsewhere = len(containers) - 1 - beside
        reached = beside > 0 or (service == "tunnel" and elsewhere > 0)
        text = "the others take its connections; those that it held break off" if reached else "what enters there fails"
        yield _claim(service, Loss.CONTAINER, container.name, reached, text)
    for host in plan.hosts:
        here = sum(container.host == host.name for container in containers)
        if here:
            left = len(containers) - here
            text = f"{left} of {len(containers)} go on elsewhere" if left else "none is left"
            yield _claim(service, Loss.SERVER, host.name, left > 0, text)
    for link in links(plan.hosts):
        text = "what enters on one server for something on the other fails there, and succeeds when tried again"
        yield _claim(service, Loss.LINK, link.name, True, text)


def _watchers(plan: StagePlan, service: str, containers: Sequence[Container]) -> Iterator[Claim]:
    hosted = plan.config.monitoring.grafana_cloud is not GrafanaCloud.NONE
    away = {
        "prometheus": "no metrics and alerts of the servers until it is back; Cloud Monitoring watches the API",
        "alertmanager": "alerts fire but are not sent until it is back; Cloud Monitoring watches the API",
        "grafana": "no dashboards until it is back; alerts go on",
        "autoscaler": "no peak is bridged until it is back; spot workers that are there end by themselves",
    }[service]
    history = service == "prometheus" and not hosted
    lost = DataLoss.UNREPLICATED if history else DataLoss.NONE
    empty = "it starts empty"
    if service == "prometheus" and hosted:
        empty += "; Grafana Cloud keeps the metrics"
    if service == "autoscaler":
        empty = "the month counts as spent, so that no spot worker is bought until the next"
    for container in containers:
        yield _claim(service, Loss.CONTAINER, container.name, False, away)
        for mount in container.mounts:
            yield _claim(service, Loss.DISK, mount.volume, True, empty, lost)
        yield _claim(service, Loss.SERVER, container.host, False, away, lost)

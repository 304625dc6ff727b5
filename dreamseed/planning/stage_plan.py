"""The plan of a stage: everything that money, capacity and safety depend on, as one value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from dreamseed.config import StageConfig
from dreamseed.planning.api import ApiPlan
from dreamseed.planning.burst import BurstPlan
from dreamseed.planning.cloud_network import CloudNetworkPlan
from dreamseed.planning.container import Container, ServicePlan, Volume
from dreamseed.planning.edge import EdgePlan
from dreamseed.planning.gpu import GpuLayout
from dreamseed.planning.grafana_cloud import GrafanaCloudPlan
from dreamseed.planning.hosts import Host
from dreamseed.planning.object_store import BucketPlan
from dreamseed.planning.placement import HostLoad
from dreamseed.planning.recovery import RecoveryPlan
from dreamseed.planning.services.tunnel import TunnelRoute
from dreamseed.planning.topology import Topology, plan_topology


@dataclass(frozen=True, kw_only=True)
class StagePlan:
    """One stage, decided. `name` is only for messages: nothing branches on it."""

    name: str
    config: StageConfig
    hosts: tuple[Host, ...]
    layout: GpuLayout
    vllm: ServicePlan
    postgres: ServicePlan
    redis: ServicePlan
    kafka: ServicePlan
    tunnel: ServicePlan
    autoscaler: ServicePlan
    monitoring: ServicePlan
    packet_filter: ServicePlan
    wireguard: ServicePlan
    routes: tuple[TunnelRoute, ...]
    buckets: tuple[BucketPlan, ...]
    edge: EdgePlan
    api: ApiPlan
    recovery: RecoveryPlan | None
    burst: BurstPlan | None
    cloud_network: CloudNetworkPlan
    grafana_cloud: GrafanaCloudPlan | None
    loads: tuple[HostLoad, ...]

    @property
    def services(self) -> tuple[ServicePlan, ...]:
        """Return the plans of all services that run on the hosts."""
        return (
            self.packet_filter,
            self.wireguard,
            self.vllm,
            self.postgres,
            self.redis,
            self.kafka,
            self.tunnel,
            self.autoscaler,
            self.monitoring,
        )

    @property
    def containers(self) -> Iterator[Container]:
        """Return every container."""
        return (container for service in self.services for container in service.containers)

    @property
    def images(self) -> Mapping[str, tuple[str, ...]]:
        """Return the images that each host's containers need, by host, in order of first use."""
        images: dict[str, dict[str, None]] = {host.name: {} for host in self.hosts}
        for container in self.containers:
            images[container.host][container.image] = None
        return {host: tuple(keys) for host, keys in images.items()}

    @property
    def volumes(self) -> Iterator[Volume]:
        """Return every volume."""
        return (volume for service in self.services for volume in service.volumes)

    @cached_property
    def topology(self) -> Topology:
        """Return who votes and who holds copies."""
        return plan_topology(self.config, self.hosts)

    @property
    def secrets(self) -> frozenset[str]:
        """Return the names of the secrets that the containers ask for."""
        return frozenset(name for container in self.containers for name in container.secrets)

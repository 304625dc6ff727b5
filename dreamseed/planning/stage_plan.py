"""The plan of a stage: everything that money, capacity and safety depend on, decided before any cloud is asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from dreamseed.config import StageConfig, load_stage
from dreamseed.planning.api import ApiPlan, plan_api
from dreamseed.planning.burst import BurstPlan, plan_burst
from dreamseed.planning.cloud_names import check_names
from dreamseed.planning.cloud_network import CloudNetworkPlan, plan_cloud_network
from dreamseed.planning.container import Container, ServicePlan, Volume
from dreamseed.planning.edge import EdgePlan, plan_edge
from dreamseed.planning.gpu import GpuLayout
from dreamseed.planning.grafana_cloud import GrafanaCloudPlan, plan_grafana_cloud
from dreamseed.planning.hosts import Host, plan_hosts
from dreamseed.planning.invariants import require_invariants
from dreamseed.planning.object_store import BucketPlan, plan_buckets
from dreamseed.planning.placement import HostLoad, check_placement
from dreamseed.planning.recovery import RecoveryPlan, plan_recovery
from dreamseed.planning.services.kafka import plan_kafka
from dreamseed.planning.services.monitoring import plan_monitoring
from dreamseed.planning.services.postgres import plan_postgres
from dreamseed.planning.services.redis import plan_redis
from dreamseed.planning.services.tunnel import PRIMARY_ROUTE, TunnelRoute, plan_routes, plan_tunnel
from dreamseed.planning.services.vllm import plan_layout, plan_vllm
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
    monitoring: ServicePlan
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
        return (self.vllm, self.postgres, self.redis, self.kafka, self.tunnel, self.monitoring)

    @property
    def containers(self) -> Iterator[Container]:
        """Return every container."""
        return (container for service in self.services for container in service.containers)

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


def plan_stage(config: StageConfig, name: str) -> StagePlan:
    """Return the plan of `config`; `name` (such as ``stage-c``) begins the places in errors.

    Raises `PlanError` with the first thing that cannot work.
    """
    check_names(config, name)
    hosts = plan_hosts(config, name)
    cloud_network = plan_cloud_network(config, name)  # first: others take addresses of its parts
    layout = plan_layout(config, name)
    services = {
        "vllm": plan_vllm(config, layout, hosts, name),
        "postgres": plan_postgres(config, hosts),
        "redis": plan_redis(config, hosts),
        "kafka": plan_kafka(config, hosts),
        "tunnel": plan_tunnel(config, hosts),
    }
    services["monitoring"] = plan_monitoring(config, hosts, tuple(services.values()))
    routes = plan_routes(config, hosts)
    primary = next((route for route in routes if route.name == PRIMARY_ROUTE), None)
    buckets = plan_buckets(config, name)
    plan = StagePlan(
        name=name,
        config=config,
        hosts=hosts,
        layout=layout,
        routes=routes,
        buckets=buckets,
        edge=plan_edge(config, name),
        api=plan_api(config, [route for route in routes if route is not primary], buckets),
        recovery=plan_recovery(config, primary, name),
        burst=plan_burst(config, name),
        cloud_network=cloud_network,
        grafana_cloud=plan_grafana_cloud(config.service, config.monitoring),
        loads=check_placement(name, hosts, tuple(services.values())),
        **services,
    )
    require_invariants(plan)
    return plan


def plan_stage_file(path: Path, project: Path | None = None) -> StagePlan:
    """Return the plan of the stage file `path`, over what `project` shares (default: found from `path`)."""
    return plan_stage(load_stage(path, project), path.stem.removeprefix("Pulumi."))

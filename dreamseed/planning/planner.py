"""From a stage file to its plan, decided and checked before any cloud is asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dreamseed.config import StageConfig, load_stage
from dreamseed.cost.exporting import rates_of
from dreamseed.planning.api import plan_api
from dreamseed.planning.burst import plan_burst
from dreamseed.planning.cloud_names import check_names
from dreamseed.planning.cloud_network import plan_cloud_network
from dreamseed.planning.edge import plan_edge
from dreamseed.planning.grafana_cloud import plan_grafana_cloud
from dreamseed.planning.hosts import plan_hosts
from dreamseed.planning.invariants import require_invariants
from dreamseed.planning.object_store import plan_buckets
from dreamseed.planning.placement import check_placement
from dreamseed.planning.recovery import plan_recovery
from dreamseed.planning.services.autoscaler import plan_autoscaler
from dreamseed.planning.services.kafka import plan_kafka
from dreamseed.planning.services.monitoring import plan_monitoring
from dreamseed.planning.services.monitoring_cost import with_rates
from dreamseed.planning.services.packet_filter import plan_packet_filter
from dreamseed.planning.services.postgres import plan_postgres
from dreamseed.planning.services.redis import plan_redis
from dreamseed.planning.services.tunnel import PRIMARY_ROUTE, plan_routes, plan_tunnel
from dreamseed.planning.services.vllm import plan_engines, plan_layout, with_routers
from dreamseed.planning.services.wireguard import plan_wireguard
from dreamseed.planning.stage_plan import StagePlan


def plan_stage(config: StageConfig, name: str) -> StagePlan:
    """Return the plan of `config`; `name` (such as ``stage-c``) begins the places in errors.

    Raises `PlanError` with the first thing that cannot work.
    """
    check_names(config, name)
    hosts = plan_hosts(config, name)
    cloud_network = plan_cloud_network(config, name)  # first: others take addresses of its parts
    layout = plan_layout(config, name)
    engines = plan_engines(config, layout, name)
    burst = plan_burst(config, name)
    services = {
        "vllm": with_routers(engines, config, layout, burst, hosts),
        "postgres": plan_postgres(config, hosts),
        "redis": plan_redis(config, hosts),
        "kafka": plan_kafka(config, hosts),
        "tunnel": plan_tunnel(config, hosts),
        "autoscaler": plan_autoscaler(config, layout, burst, hosts),
    }
    services["monitoring"] = plan_monitoring(config, hosts, tuple(services.values()))
    services["packet_filter"] = plan_packet_filter(
        config, hosts, [container for service in services.values() for container in service.containers]
    )
    services["wireguard"] = plan_wireguard(config, hosts)
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
        burst=burst,
        cloud_network=cloud_network,
        grafana_cloud=plan_grafana_cloud(config.service, config.monitoring),
        loads=check_placement(name, hosts, tuple(services.values())),
        **services,
    )
    # Last, since a stage is priced from its whole plan: only this file of the cost exporter depends on it.
    plan = replace(plan, monitoring=with_rates(plan.monitoring, rates_of(plan)))
    require_invariants(plan)
    return plan


def plan_stage_file(path: Path, project: Path | None = None) -> StagePlan:
    """Return the plan of the stage file `path`, over what `project` shares (default: found from `path`)."""
    return plan_stage(load_stage(path, project), path.stem.removeprefix("Pulumi."))

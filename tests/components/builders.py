"""The cloud components of a shipped stage, each declared alone with made-up values of the others."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import pulumi

from components.api import ApiService, ApiServiceArgs, Egress
from components.autoscaler import Autoscaler, AutoscalerArgs, ScaledApi
from components.cost_guard import CostGuard, CostGuardArgs
from components.delivery import Delivery, DeliveryArgs
from components.disaster_recovery import DisasterRecovery, DisasterRecoveryArgs
from components.edge import EdgeZone, EdgeZoneArgs
from components.gpu_burst import GpuBurst, GpuBurstArgs
from components.object_store import ObjectStore, ObjectStoreArgs
from components.private_network import PrivateNetwork, PrivateNetworkArgs
from components.servers import Servers, ServersArgs
from dreamseed.config import StageConfig
from dreamseed.planning.api import ApiSecret, plan_api
from dreamseed.planning.burst import BurstSecret, plan_burst, secret_prefix
from dreamseed.planning.cloud_network import plan_cloud_network
from dreamseed.planning.edge import plan_edge
from dreamseed.planning.hosts import plan_hosts
from dreamseed.planning.keys import Generations
from dreamseed.planning.object_store import plan_buckets
from dreamseed.planning.planner import plan_stage
from dreamseed.planning.recovery import plan_recovery
from dreamseed.planning.services.tunnel import TunnelRoute, plan_routes
from tests.components.declaring import Declared, changed, declare, stage

WHERE = "stage-x"
EGRESS = Egress(network="network-id", subnetwork="subnetwork-id")
PRIMARY = TunnelRoute(
    name="postgres-primary", hostname="pg.dreamseed.example", service="tcp://postgres-1:5000", local_port=5_000
)
SSH_KEY = "ssh-ed25519 AAAA operator"


def secret_of(name: str) -> str:
    """Return the made-up value of a secret."""
    return f"value-of-{name}"


def _secret(name: str) -> pulumi.Output[str]:
    return pulumi.Output.secret(secret_of(name))


def routes_of(config: StageConfig) -> tuple[TunnelRoute, ...]:
    """Return the private names of the stage."""
    return plan_routes(config, plan_hosts(config, WHERE))


def declare_api(config: StageConfig) -> Declared:
    """Declare the API."""
    plan = plan_api(config, routes_of(config), plan_buckets(config, WHERE))
    args = ApiServiceArgs(
        service=config.service,
        api=config.api,
        plan=plan,
        secrets={kind: _secret(kind) for kind in ApiSecret},
        zone_id="zone-id",
        egress=EGRESS,
        deployer="serviceAccount:deployer@p.iam.gserviceaccount.com",
    )
    return declare(lambda: ApiService("api", args))


def declare_edge(config: StageConfig) -> Declared:
    """Declare the zone."""
    args = EdgeZoneArgs(
        service=config.service,
        edge=config.edge,
        plan=plan_edge(config, WHERE),
        routes=routes_of(config),
        tunnel_secret=_secret("tunnel-0123456789012345678901234567890"),
    )
    return declare(lambda: EdgeZone("edge", args))


def declare_store(config: StageConfig) -> Declared:
    """Declare the buckets."""
    buckets = plan_buckets(config, WHERE)
    return declare(lambda: ObjectStore("object-store", ObjectStoreArgs(buckets=buckets)))


def declare_delivery(config: StageConfig) -> Declared:
    """Declare delivery."""
    return declare(lambda: Delivery("delivery", DeliveryArgs(service=config.service)))


def declare_guard(config: StageConfig) -> Declared:
    """Declare the budget."""
    return declare(lambda: CostGuard("cost-guard", CostGuardArgs(service=config.service, budget=config.budget)))


def declare_network(config: StageConfig, generations: Mapping[str, Generations] | None = None) -> Declared:
    """Declare the cloud network, with the VPN's secrets in their first `generations` by default."""
    args = PrivateNetworkArgs(
        service=config.service,
        network=config.network,
        plan=plan_cloud_network(config, WHERE),
        witness_ports=(2_379, 2_380),
        witness_ssh_key=SSH_KEY if config.network.witness else None,
        generations=generations or {},
    )
    return declare(lambda: PrivateNetwork("network", args))


def declare_burst(config: StageConfig) -> Declared:
    """Declare the spot worker's template."""
    plan = plan_burst(config, WHERE)
    assert plan is not None, "the stage has no spot workers"
    args = GpuBurstArgs(
        service=config.service,
        plan=plan,
        account_id=config.edge.account_id,
        zone_id="zone-id",
        policy_id="policy-id",
        subnetwork_id="subnetwork-id",
        secrets={kind: _secret(kind) for kind in BurstSecret if kind is not BurstSecret.TUNNEL_TOKEN},
    )
    return declare(lambda: GpuBurst("gpu-burst", args))


def declare_autoscaler(config: StageConfig) -> Declared:
    """Declare the autoscaler on a server that is not there."""
    plan = plan_stage(config, WHERE)
    service = plan.autoscaler

    def build() -> Autoscaler:
        hosts = Servers(
            "servers", ServersArgs(hosts=plan.hosts, images={host.name: plan.images[host.name] for host in plan.hosts})
        ).hosts
        args = AutoscalerArgs(
            service=config.service,
            plan=service,
            hosts=hosts,
            secrets={},
            owner=secret_prefix(config.service.name),
            template=pulumi.Output.from_input("https://compute/template"),
            worker_account="projects/p/serviceAccounts/worker",
            api=ScaledApi(service_name=config.api.name, account="projects/p/serviceAccounts/api")
            if config.api.warm_cap_usd_per_month
            else None,
        )
        return Autoscaler("autoscaler", args)

    return declare(build)


def declare_recovery(config: StageConfig) -> Declared:
    """Declare what stands by."""
    plan = plan_recovery(config, PRIMARY, WHERE)
    assert plan is not None, "the stage has nothing that stands by"
    network = plan_cloud_network(config, WHERE)
    names = ("source-password", "tunnel-client-id", "tunnel-client-secret", *plan.restore_secrets)
    args = DisasterRecoveryArgs(
        service=config.service,
        plan=plan,
        image=config.postgres.image,
        tunnel_image=config.api.tunnel_image,
        egress=EGRESS,
        restore_address=network.restore_address,
        callers=[network.subnet, config.network.servers_range],
        secrets={str(name): _secret(name) for name in names},
        peering=(),
    )
    return declare(lambda: DisasterRecovery("recovery", args))


@cache
def everything() -> tuple[tuple[str, Declared], ...]:
    """Return every cloud component of stage E with a disaster on, and of the API behind a load balancer."""
    config = stage("e")
    active = changed(config, "disaster_recovery", active=True)
    return (
        ("api", declare_api(config)),
        ("api behind a balancer", declare_api(changed(config, "api", exposure="load_balancer"))),
        ("edge", declare_edge(config)),
        ("object store", declare_store(config)),
        ("delivery", declare_delivery(config)),
        ("cost guard", declare_guard(config)),
        ("network", declare_network(active)),
        ("burst", declare_burst(config)),
        ("autoscaler", declare_autoscaler(config)),
        ("recovery", declare_recovery(active)),
    )

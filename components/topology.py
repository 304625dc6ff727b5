"""The whole service: every component of a stage, wired. Decides nothing; the plan did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_gcp as gcp

from components.api import ApiService, ApiServiceArgs, Egress
from components.autoscaler import Autoscaler, AutoscalerArgs, ScaledApi
from components.base import Component, Secrets
from components.containers import HostResources
from components.cost_guard import CostGuard, CostGuardArgs
from components.delivery import Delivery, DeliveryArgs
from components.disaster_recovery import DisasterRecovery, DisasterRecoveryArgs
from components.edge import EdgeZone, EdgeZoneArgs
from components.gpu_burst import GpuBurst, GpuBurstArgs
from components.kafka import KafkaCluster, KafkaClusterArgs
from components.object_store import ObjectStore, ObjectStoreArgs
from components.observability import Observability, ObservabilityArgs
from components.packet_filter import PacketFilter, PacketFilterArgs
from components.postgres import PostgresCluster, PostgresClusterArgs
from components.private_network import PrivateNetwork, PrivateNetworkArgs
from components.redis import RedisCache, RedisCacheArgs
from components.secrets import Secrets as GeneratedSecrets
from components.secrets import SecretsArgs
from components.servers import Servers, ServersArgs
from components.tunnel import TunnelConnectors, TunnelConnectorsArgs
from components.vllm import VllmFleet, VllmFleetArgs
from components.wireguard import WireGuard, WireGuardArgs
from dreamseed.config.keys import KeyName
from dreamseed.config.stage import WITNESS
from dreamseed.planning.api import ApiSecret
from dreamseed.planning.burst import BurstSecret, secret_prefix
from dreamseed.planning.keys import generations_of
from dreamseed.planning.secrets import GeneratedSecret, ProvidedSecret
from dreamseed.planning.stage_plan import StagePlan


@dataclass(frozen=True, kw_only=True)
class Foundation:
    """What the other components stand on: secrets by name, the buckets, the zone, the network, the project."""

    plan: StagePlan
    cloud: pulumi.ResourceOptions
    secrets: Secrets
    store: ObjectStore
    edge: EdgeZone
    delivery: Delivery
    network: PrivateNetwork


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the API calls on the servers; without a cache there is none."""

    vllm: VllmFleet
    postgres: PostgresCluster
    redis: RedisCache | None


def declare(plan: StagePlan, configured: Secrets) -> dict[str, Any]:
    """Declare every component of `plan`; return the stack's outputs. `configured` are the owners' own secrets."""
    base = _declare_foundation(plan, configured)
    servers = Servers("servers", ServersArgs(hosts=plan.hosts, images=plan.images, witness=base.network.witness))
    hosts = PacketFilter("packet-filter", PacketFilterArgs(plan=plan.packet_filter, hosts=servers.hosts)).hosts
    if plan.wireguard.containers:
        generations = generations_of(plan.config, KeyName.WIREGUARD)
        hosts = WireGuard("wireguard", WireGuardArgs(plan=plan.wireguard, hosts=hosts, generations=generations)).hosts
    services = _declare_services(base, hosts)
    api = _declare_api(base, services)
    watched = CostGuardArgs(service=plan.config.service, budget=plan.config.budget, enabled=base.delivery.enabled)
    guard = CostGuard("cost-guard", watched, base.cloud)
    watch = _declare_observability(base, hosts, guard)
    _declare_burst(base, hosts, api)
    _declare_recovery(base)
    return {
        "api_url": api.url,
        "name_servers": base.edge.name_servers,
        "image_repository": base.delivery.repository,
        "state_bucket": base.delivery.state_bucket,
        "identity_provider": base.delivery.identity_provider,
        "vpn_addresses": base.network.vpn_addresses,
        "router_url": services.vllm.router_url,
        "dashboards": watch.urls,
    }


def _declare_foundation(plan: StagePlan, configured: Secrets) -> Foundation:
    config = plan.config
    # Project, region and zone are pinned, whatever the environment's defaults are.
    provider = gcp.Provider(
        "gcp", project=config.service.gcp_project, region=config.service.region, zone=config.service.zone
    )
    cloud = pulumi.ResourceOptions(providers=[provider])
    generations = {str(key): generations_of(config, key) for key in KeyName}
    generated = GeneratedSecrets("secrets", SecretsArgs(names=list(GeneratedSecret), generations=generations)).values
    store = ObjectStore("object-store", ObjectStoreArgs(buckets=plan.buckets))
    delivery = Delivery("delivery", DeliveryArgs(service=config.service), cloud)
    edge = EdgeZone(
        "edge",
        EdgeZoneArgs(
            service=config.service,
            edge=config.edge,
            plan=plan.edge,
            routes=plan.routes,
            tunnel_secret=generated[GeneratedSecret.TUNNEL],
            token_generations=generations_of(config, KeyName.SERVICE_TOKEN),
        ),
    )
    network = PrivateNetwork(
        "network",
        PrivateNetworkArgs(
            service=config.service,
            network=config.network,
            plan=plan.cloud_network,
            witness_ports=_witness_ports(plan),
            witness_ssh_key=config.network.witness.ssh_public_key if config.network.witness else None,
            enabled=delivery.enabled,
            generations=generations,
        ),
        cloud,
    )
    secrets = {
        **configured,
        **generated,
        **_backup_keys(store),
        ProvidedSecret.TUNNEL_TOKEN: edge.tunnel_token,
        ProvidedSecret.TUNNEL_CLIENT_ID: edge.access_client_id,
        ProvidedSecret.TUNNEL_CLIENT_SECRET: edge.access_client_secret,
    }
    return Foundation(
        plan=plan, cloud=cloud, secrets=secrets, store=store, edge=edge, delivery=delivery, network=network
    )


def _declare_services(base: Foundation, hosts: Mapping[str, HostResources]) -> Services:
    plan, secrets = base.plan, base.secrets
    vllm = VllmFleet("vllm", VllmFleetArgs(plan=plan.vllm, hosts=hosts, secrets=secrets))
    postgres = PostgresCluster("postgres", PostgresClusterArgs(plan=plan.postgres, hosts=hosts, secrets=secrets))
    redis = None
    if plan.redis.containers:
        redis = RedisCache("redis", RedisCacheArgs(plan=plan.redis, hosts=hosts, secrets=secrets))
    behind: list[Component] = [each for each in (vllm, postgres, redis) if each is not None]
    if plan.kafka.containers:
        behind.append(KafkaCluster("kafka", KafkaClusterArgs(plan=plan.kafka, hosts=hosts)))
    TunnelConnectors("tunnel", TunnelConnectorsArgs(plan=plan.tunnel, hosts=hosts, secrets=secrets, behind=behind))
    return Services(vllm=vllm, postgres=postgres, redis=redis)


def _declare_observability(base: Foundation, hosts: Mapping[str, HostResources], guard: CostGuard) -> Observability:
    plan = base.plan
    return Observability(
        "observability",
        ObservabilityArgs(
            service=plan.config.service,
            api=plan.config.api,
            slo=plan.config.slo,
            plan=plan.monitoring,
            hosts=hosts,
            secrets=base.secrets,
            api_hostname=plan.api.hostname,
            channel=guard.channel,
            grafana_cloud=plan.grafana_cloud,
            load_job=plan.recovery.refresh_job if plan.recovery else None,
            token_generations=generations_of(plan.config, KeyName.GRAFANA_CLOUD_TOKEN),
            enabled=base.delivery.enabled,
        ),
        base.cloud,
    )


def _declare_api(base: Foundation, services: Services) -> ApiService:
    plan, secrets = base.plan, base.secrets
    egress = Egress(network=base.network.network_id, subnetwork=base.network.subnetwork_id)
    return ApiService(
        "api",
        ApiServiceArgs(
            service=plan.config.service,
            api=plan.config.api,
            plan=plan.api,
            secrets={
                ApiSecret.DATABASE_PASSWORD: secrets[GeneratedSecret.POSTGRES_APPLICATION],
                ApiSecret.REDIS_PASSWORD: secrets[GeneratedSecret.REDIS],
                ApiSecret.VLLM_API_KEY: secrets[GeneratedSecret.VLLM_API_KEY],
                ApiSecret.CONTENT_KEY_ID: base.store.key_ids["content"],
                ApiSecret.CONTENT_KEY: base.store.keys["content"],
                ApiSecret.TUNNEL_CLIENT_ID: base.edge.access_client_id,
                ApiSecret.TUNNEL_CLIENT_SECRET: base.edge.access_client_secret,
            },
            zone_id=base.edge.zone_id,
            egress=egress,
            deployer=base.delivery.deployer,
            after=_taught_first(plan, services),
            enabled=base.delivery.enabled,
        ),
        base.cloud,
    )


def _taught_first(plan: StagePlan, services: Services) -> dict[ApiSecret, list[pulumi.Resource]]:
    """Return what learns an API's secret before the API does, while it is exchanged: otherwise it would be refused."""
    rows: list[tuple[KeyName, ApiSecret, Component | None]] = [
        (KeyName.POSTGRES_APPLICATION, ApiSecret.DATABASE_PASSWORD, services.postgres),
        (KeyName.REDIS, ApiSecret.REDIS_PASSWORD, services.redis),
        (KeyName.VLLM_API_KEY, ApiSecret.VLLM_API_KEY, services.vllm),
    ]
    return {
        secret: [service]
        for key, secret, service in rows
        if service is not None and generations_of(plan.config, key).with_previous
    }


def _declare_burst(base: Foundation, hosts: Mapping[str, HostResources], api: ApiService) -> None:
    plan = base.plan
    if plan.burst is None:
        return
    workers = GpuBurst(
        "gpu-burst",
        GpuBurstArgs(
            service=plan.config.service,
            plan=plan.burst,
            account_id=plan.config.edge.account_id,
            zone_id=base.edge.zone_id,
            policy_id=base.edge.access_policy_id,
            subnetwork_id=base.network.subnetwork_id,
            secrets={
                BurstSecret.MODELS_KEY_ID: base.store.key_ids["models"],
                BurstSecret.MODELS_KEY: base.store.keys["models"],
                BurstSecret.VLLM_API_KEY: base.secrets[GeneratedSecret.VLLM_API_KEY],
            },
            tunnel_generations=generations_of(plan.config, KeyName.BURST_TUNNEL),
            enabled=base.delivery.enabled,
        ),
        base.cloud,
    )
    Autoscaler(
        "autoscaler",
        AutoscalerArgs(
            service=plan.config.service,
            plan=plan.autoscaler,
            hosts=hosts,
            secrets=base.secrets,
            owner=secret_prefix(plan.config.service.name),
            template=workers.template,
            worker_account=workers.account,
            api=ScaledApi(service_name=api.service_name, account=api.account_name)
            if plan.config.api.warm_cap_usd_per_month
            else None,
            key_generations=generations_of(plan.config, KeyName.AUTOSCALER_KEY),
            enabled=base.delivery.enabled,
        ),
        base.cloud,
    )


def _declare_recovery(base: Foundation) -> None:
    plan, config = base.plan, base.plan.config
    if plan.recovery is None:
        return
    DisasterRecovery(
        "disaster-recovery",
        DisasterRecoveryArgs(
            service=config.service,
            plan=plan.recovery,
            image=config.postgres.image,
            tunnel_image=config.api.tunnel_image,
            egress=Egress(network=base.network.network_id, subnetwork=base.network.subnetwork_id),
            restore_address=plan.cloud_network.restore_address,
            callers=[plan.cloud_network.subnet, config.network.servers_range],
            secrets={
                "source-password": base.secrets[GeneratedSecret.POSTGRES_APPLICATION],
                "tunnel-client-id": base.edge.access_client_id,
                "tunnel-client-secret": base.edge.access_client_secret,
                **{name: base.secrets[name] for name in plan.recovery.restore_secrets},
            },
            peering=base.network.peering,
            enabled=base.delivery.enabled,
            generations=generations_of(config, KeyName.RECOVERY_POSTGRES),
        ),
        base.cloud,
    )


def _witness_ports(plan: StagePlan) -> list[int]:
    """Return what the servers reach on the witness, beside SSH."""
    return sorted(
        {port.published for container in plan.containers if container.host == WITNESS for port in container.ports}
    )


def _backup_keys(store: ObjectStore) -> dict[str, pulumi.Output[str]]:
    keys: dict[str, pulumi.Output[str]] = {
        ProvidedSecret.BACKUP_KEY_ID: store.key_ids["backups"],
        ProvidedSecret.BACKUP_KEY: store.keys["backups"],
    }
    if "backups-second" in store.keys:
        keys[ProvidedSecret.BACKUP_SECOND_KEY_ID] = store.key_ids["backups-second"]
        keys[ProvidedSecret.BACKUP_SECOND_KEY] = store.keys["backups-second"]
    return keys

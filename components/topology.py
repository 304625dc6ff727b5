"""The whole service: every component of a stage, wired. Decides nothing; the plan did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_gcp as gcp

from components.api import ApiService, ApiServiceArgs
from components.base import Secrets
from components.edge import EdgeZone, EdgeZoneArgs
from components.kafka import KafkaCluster, KafkaClusterArgs
from components.object_store import ObjectStore, ObjectStoreArgs
from components.postgres import PostgresCluster, PostgresClusterArgs
from components.redis import RedisCache, RedisCacheArgs
from components.secrets import Secrets as GeneratedSecrets
from components.secrets import SecretsArgs
from components.servers import Servers, ServersArgs
from components.tunnel import TunnelConnectors, TunnelConnectorsArgs
from components.vllm import VllmFleet, VllmFleetArgs
from dreamseed.planning.api import ApiSecret
from dreamseed.planning.secrets import GeneratedSecret, ProvidedSecret
from dreamseed.planning.stage_plan import StagePlan


def declare(plan: StagePlan, configured: Secrets) -> dict[str, Any]:
    """Declare every component of `plan`; return the stack's outputs. `configured` are the owners' own secrets."""
    config = plan.config
    generated = GeneratedSecrets("secrets", SecretsArgs(names=list(GeneratedSecret))).values
    store = ObjectStore("object-store", ObjectStoreArgs(buckets=plan.buckets))
    edge = EdgeZone(
        "edge",
        EdgeZoneArgs(
            service=config.service,
            edge=config.edge,
            plan=plan.edge,
            routes=plan.routes,
            tunnel_secret=generated[GeneratedSecret.TUNNEL],
        ),
    )
    secrets = {
        **configured,
        **generated,
        **_backup_keys(store),
        ProvidedSecret.TUNNEL_TOKEN: edge.tunnel_token,
    }
    api = _declare_api(plan, secrets, store, edge)
    hosts = Servers("servers", ServersArgs(hosts=plan.hosts, images=_images(plan))).hosts
    vllm = VllmFleet("vllm", VllmFleetArgs(plan=plan.vllm, hosts=hosts, secrets=secrets))
    postgres = PostgresCluster("postgres", PostgresClusterArgs(plan=plan.postgres, hosts=hosts, secrets=secrets))
    if plan.redis.containers:
        RedisCache("redis", RedisCacheArgs(plan=plan.redis, hosts=hosts, secrets=secrets))
    if plan.kafka.containers:
        KafkaCluster("kafka", KafkaClusterArgs(plan=plan.kafka, hosts=hosts))
    TunnelConnectors("tunnel", TunnelConnectorsArgs(plan=plan.tunnel, hosts=hosts, secrets=secrets))
    return {
        "api_url": api.url,
        "name_servers": edge.name_servers,
        "router_url": vllm.router_url,
        "database": postgres.pooler_address,
    }


def _cloud(plan: StagePlan) -> pulumi.ResourceOptions:
    """Return options that pin project, region and zone, whatever the environment's defaults are."""
    service = plan.config.service
    provider = gcp.Provider("gcp", project=service.gcp_project, region=service.region, zone=service.zone)
    return pulumi.ResourceOptions(providers=[provider])


def _declare_api(plan: StagePlan, secrets: Secrets, store: ObjectStore, edge: EdgeZone) -> ApiService:
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
                ApiSecret.CONTENT_KEY_ID: store.key_ids["content"],
                ApiSecret.CONTENT_KEY: store.keys["content"],
                ApiSecret.TUNNEL_CLIENT_ID: edge.access_client_id,
                ApiSecret.TUNNEL_CLIENT_SECRET: edge.access_client_secret,
            },
            zone_id=edge.zone_id,
            egress=None,
        ),
        _cloud(plan),
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


def _images(plan: StagePlan) -> Mapping[str, list[str]]:
    """Return the images that each host's containers need, in order of first use."""
    images: dict[str, dict[str, None]] = {host.name: {} for host in plan.hosts}
    for container in plan.containers:
        images[container.host][container.image] = None
    return {host: list(keys) for host, keys in images.items()}

"""The whole service: every component of a stage, wired. Decides nothing; the plan did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from components.base import Secrets
from components.kafka import KafkaCluster, KafkaClusterArgs
from components.object_store import ObjectStore, ObjectStoreArgs
from components.postgres import PostgresCluster, PostgresClusterArgs
from components.redis import RedisCache, RedisCacheArgs
from components.secrets import Secrets as GeneratedSecrets
from components.secrets import SecretsArgs
from components.servers import Servers, ServersArgs
from components.vllm import VllmFleet, VllmFleetArgs
from dreamseed.planning.object_store import plan_buckets
from dreamseed.planning.secrets import GeneratedSecret, ProvidedSecret
from dreamseed.planning.stage_plan import StagePlan


def declare(plan: StagePlan, configured: Secrets) -> dict[str, Any]:
    """Declare every component of `plan`; return the stack's outputs. `configured` are the owners' own secrets."""
    generated = GeneratedSecrets("secrets", SecretsArgs(names=list(GeneratedSecret)))
    store = ObjectStore("object-store", ObjectStoreArgs(buckets=plan_buckets(plan.config, plan.name)))
    secrets: dict[str, pulumi.Output[str]] = {
        **configured,
        **generated.values,
        **_backup_keys(store),
    }
    servers = Servers("servers", ServersArgs(hosts=plan.hosts, images=_images(plan)))
    hosts = servers.hosts
    vllm = VllmFleet("vllm", VllmFleetArgs(plan=plan.vllm, hosts=hosts, secrets=secrets))
    postgres = PostgresCluster("postgres", PostgresClusterArgs(plan=plan.postgres, hosts=hosts, secrets=secrets))
    if plan.redis.containers:
        RedisCache("redis", RedisCacheArgs(plan=plan.redis, hosts=hosts, secrets=secrets))
    if plan.kafka.containers:
        KafkaCluster("kafka", KafkaClusterArgs(plan=plan.kafka, hosts=hosts))
    return {"router_url": vllm.router_url, "database": postgres.pooler_address}


def _backup_keys(store: ObjectStore) -> dict[str, pulumi.Output[str]]:
    keys = {ProvidedSecret.BACKUP_KEY_ID: store.key_ids["backups"], ProvidedSecret.BACKUP_KEY: store.keys["backups"]}
    if "backups-second" in store.keys:
        keys[ProvidedSecret.BACKUP_SECOND_KEY_ID] = store.key_ids["backups-second"]
        keys[ProvidedSecret.BACKUP_SECOND_KEY] = store.keys["backups-second"]
    return dict(keys)


def _images(plan: StagePlan) -> Mapping[str, list[str]]:
    """Return the images that each host's containers need, in order of first use."""
    images: dict[str, dict[str, None]] = {host.name: {} for host in plan.hosts}
    for container in plan.containers:
        images[container.host][container.image] = None
    return {host: list(keys) for host, keys in images.items()}

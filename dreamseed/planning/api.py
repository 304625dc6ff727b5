"""What the API's containers on Cloud Run are told: addresses, routes, and which secret stands where.

The API reaches every private TCP service on its own loopback, where the tunnel sidecar listens, on the very
port that the service has on its server; the model it reaches by HTTPS with the tunnel's service token in
two headers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from dreamseed.config import StageConfig
from dreamseed.planning import ports
from dreamseed.planning.cloud_network import restore_address
from dreamseed.planning.object_store import BucketPlan, BucketRole
from dreamseed.planning.services.kafka import ACKNOWLEDGE_TIMEOUT_MS, CLIENT_TIMEOUT_MS
from dreamseed.planning.services.tunnel import TunnelRoute

LOOPBACK = "127.0.0.1"
LISTEN_PORT = 8_080
"""The API's HTTP port. Source: Cloud Run container contract, default of PORT."""
CHECK_PATH = "/health"
"""Where the API answers 200 while it works; it must not ask the services behind it.

Not /healthz: Cloud Run reserves paths that end in z. Source: Cloud Run documentation, known issues,
2026-11-23.
"""
SIDECAR_CHECK_PORT = 8_081
SIDECAR_CHECK_PATH = "/ready"
"""Where the sidecar answers 200 once it listens for each of its routes."""
SIDECAR_CPU_MILLICORES = 500
SIDECAR_MEMORY_MIB = 256
"""The sidecar's share, beside the API's own and billed like it. That a sidecar may have less than one vCPU follows from
Google's tutorial on an nginx sidecar, recalled and not tried; if it may not, 1,000 is the next legal number.
"""


class ApiSecret(StrEnum):
    """Secrets of the API, by what they are; each has a Secret Manager secret of its own."""

    DATABASE_PASSWORD = "database-password"  # noqa: S105 - a secret's name, not a secret
    REDIS_PASSWORD = "redis-password"  # noqa: S105 - a secret's name, not a secret
    VLLM_API_KEY = "vllm-api-key"
    CONTENT_KEY_ID = "content-key-id"
    CONTENT_KEY = "content-key"
    TUNNEL_CLIENT_ID = "tunnel-client-id"
    TUNNEL_CLIENT_SECRET = "tunnel-client-secret"  # noqa: S105 - a secret's name, not a secret


API_SECRETS: Mapping[str, ApiSecret] = {
    "DATABASE_PASSWORD": ApiSecret.DATABASE_PASSWORD,
    "REDIS_PASSWORD": ApiSecret.REDIS_PASSWORD,
    "VLLM_API_KEY": ApiSecret.VLLM_API_KEY,
    "CONTENT_KEY_ID": ApiSecret.CONTENT_KEY_ID,
    "CONTENT_KEY": ApiSecret.CONTENT_KEY,
    "CF_ACCESS_CLIENT_ID": ApiSecret.TUNNEL_CLIENT_ID,
    "CF_ACCESS_CLIENT_SECRET": ApiSecret.TUNNEL_CLIENT_SECRET,
}
"""The API's variables and their secrets, the same in all stages so that no stage deletes a secret."""

SIDECAR_SECRETS: Mapping[str, ApiSecret] = {
    "TUNNEL_SERVICE_TOKEN_ID": ApiSecret.TUNNEL_CLIENT_ID,
    "TUNNEL_SERVICE_TOKEN_SECRET": ApiSecret.TUNNEL_CLIENT_SECRET,
}
"""Names that ``cloudflared access tcp`` reads. Source: Cloudflare documentation, service tokens, 2026-11-22."""


@dataclass(frozen=True, kw_only=True)
class ApiPlan:
    """What the API's two containers are told. `hostname` is public; environments hold no secret.

    `joins_network`: the instances stand in the cloud network, to reach the servers by VPN or a restored
    database.
    """

    hostname: str
    joins_network: bool
    environment: Mapping[str, str]
    sidecar_environment: Mapping[str, str]


def plan_api(config: StageConfig, routes: Sequence[TunnelRoute], buckets: Sequence[BucketPlan]) -> ApiPlan:
    """Return what the API is told in this stage; services that the stage lacks have no variable.

    While a disaster lasts its database is the restored one, reached directly: `disaster_recovery.active` is
    the switch.
    """
    active = config.disaster_recovery.active
    content = next(bucket for bucket in buckets if bucket.role is BucketRole.CONTENT)
    environment = {
        "LLM_URL": f"https://{_one(routes, 'llm').hostname}/v1",
        # Instances cannot be scraped: they push, with the tunnel's service token in two headers.
        "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": _pushed_to(_one(routes, "metrics")),
        "LLM_MODEL": config.vllm.served_name,
        "DATABASE_HOST": str(restore_address(config)) if active else LOOPBACK,
        "DATABASE_PORT": str(ports.POSTGRES if active else _one(routes, "postgres").local_port),
        "DATABASE_NAME": config.postgres.database,
        "DATABASE_USER": config.postgres.database,
        "DATABASE_POOL_SIZE": str(config.api.database_pool_size),
        "CONTENT_BUCKET": content.name,
        "CONTENT_ENDPOINT": content.endpoint,
        "CONTENT_REGION": content.region,
    }
    for variable, prefix in (("REDIS_NODES", "redis-"), ("KAFKA_BROKERS", "kafka-")):
        members = [f"{LOOPBACK}:{route.local_port}" for route in routes if route.name.startswith(prefix)]
        if members:
            environment[variable] = ",".join(members)
    if "KAFKA_BROKERS" in environment:
        environment["KAFKA_SOCKET_TIMEOUT_MS"] = str(CLIENT_TIMEOUT_MS)
        environment["KAFKA_REQUEST_TIMEOUT_MS"] = str(ACKNOWLEDGE_TIMEOUT_MS)
    return ApiPlan(
        hostname=f"api.{config.service.domain}",
        joins_network=active or config.network.vpn is not None,
        environment=environment,
        sidecar_environment={
            "TUNNEL_ROUTES": ",".join(
                f"{route.local_port}={route.hostname}" for route in routes if route.local_port is not None
            ),
            "CHECK_PORT": str(SIDECAR_CHECK_PORT),
        },
    )


def secret_id(service_name: str, secret: ApiSecret) -> str:
    """Return the name of `secret` in Secret Manager."""
    return f"{service_name}-{secret}"


def _pushed_to(route: TunnelRoute) -> str:
    return f"https://{route.hostname}{route.path or ''}"


def _one(routes: Sequence[TunnelRoute], name: str) -> TunnelRoute:
    return next(route for route in routes if route.name == name)

"""Where the clients of the load go, and the files by which a running load is told."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dreamseed.planning.secrets import GeneratedSecret
from dreamseed.planning.stage_plan import StagePlan
from localtier.tunnel.settings import edge_routes

LOOPBACK = "127.0.0.1"
TOPIC = "user-events"
PATIENCE_SECONDS = 60
"""A learner gives up waiting for an answer before the API does."""
ACCESS_CLIENT_ID = "tunnel-client-id"
ACCESS_CLIENT_SECRET = "tunnel-client-secret"  # noqa: S105 - a secret's name
USED_SECRETS = frozenset(
    {GeneratedSecret.POSTGRES_APPLICATION, GeneratedSecret.REDIS, GeneratedSecret.VLLM_API_KEY}
    | {ACCESS_CLIENT_ID, ACCESS_CLIENT_SECRET}
)
"""What the clients need of the credentials, by name; the two of Access only where the edge asks for them."""


@dataclass(frozen=True, kw_only=True)
class PostgresTarget:
    """The pooler, and whose database it is."""

    port: int
    database: str
    user: str


@dataclass(frozen=True, kw_only=True)
class RedisTarget:
    """The nodes' local ports; each is the very port that its node announces."""

    ports: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class KafkaTarget:
    """The brokers' local ports, and the topic."""

    ports: tuple[int, ...]
    topic: str


@dataclass(frozen=True, kw_only=True)
class ChatTarget:
    """The model's local port, and its name."""

    port: int
    model: str
    timeout_seconds: int


@dataclass(frozen=True, kw_only=True)
class Targets:
    """The services that a stage has; null for those that it lacks."""

    postgres: PostgresTarget
    chat: ChatTarget
    redis: RedisTarget | None = None
    kafka: KafkaTarget | None = None


def targets_of(plan: StagePlan) -> Targets:
    """Return where the clients of a stage go."""
    routes = edge_routes(plan.routes)
    port = {route.name: route.local_port for route in routes}
    redis = tuple(route.local_port for route in routes if route.name.startswith("redis-"))
    kafka = tuple(route.local_port for route in routes if route.name.startswith("kafka-"))
    config = plan.config
    return Targets(
        postgres=PostgresTarget(
            port=port["postgres"], database=config.postgres.database, user=config.postgres.database
        ),
        chat=ChatTarget(
            port=port["llm"],
            model=config.vllm.served_name,
            timeout_seconds=min(config.api.request_timeout_seconds, PATIENCE_SECONDS),
        ),
        redis=RedisTarget(ports=redis) if redis else None,
        kafka=KafkaTarget(ports=kafka, topic=TOPIC) if kafka else None,
    )


def write_private(path: Path, content: Mapping[str, Any]) -> None:
    """Replace a JSON file at once; only its owner reads it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.touch(mode=0o600)
    temporary.write_text(json.dumps(content, indent=1), encoding="utf-8")
    temporary.replace(path)


def write_targets(path: Path, targets: Targets) -> None:
    """Replace the file of the targets."""
    write_private(path, asdict(targets))


def read_targets(path: Path) -> Targets:
    """Return the targets in a file. Raises OSError, ValueError, KeyError, TypeError for one that is none."""
    content = json.loads(path.read_text(encoding="utf-8"))
    redis, kafka = content["redis"], content["kafka"]
    return Targets(
        postgres=PostgresTarget(**content["postgres"]),
        chat=ChatTarget(**content["chat"]),
        redis=RedisTarget(ports=tuple(redis["ports"])) if redis else None,
        kafka=KafkaTarget(ports=tuple(kafka["ports"]), topic=kafka["topic"]) if kafka else None,
    )

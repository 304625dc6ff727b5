"""Connections: from the API's instances through routers, poolers and proxies into PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

from dreamseed.planning import ports
from dreamseed.planning.invariants.rule import Invariant
from dreamseed.planning.services.postgres import dynamic_configuration
from dreamseed.planning.services.postgres_access import PROXY_MAX_CONNECTIONS
from dreamseed.planning.services.vllm import CONNECTION_KIB, router_connections
from dreamseed.planning.stage_plan import StagePlan

DIRECT_CONNECTIONS = {
    "the superuser's reserve": 3,
    "Patroni": 3,
    "the exporters": 4,
    "the backup": 3,
    "the configuration job": 1,
    "the copy to Cloud SQL": 4,
}
"""Connections of one instance that bypass the poolers. The reserve is PostgreSQL's default of
superuser_reserved_connections; the others are upper bounds chosen from how the tools connect, not measured. Replicas
do not count: since PostgreSQL 12 their WAL senders have slots of their own, max_wal_senders."""


def _poolers(plan: StagePlan) -> int:
    return sum(container.service == "pgbouncer" for container in plan.postgres.containers)


def api_fits_a_pooler(plan: StagePlan) -> Iterator[Invariant]:
    """Every API instance's pool fits into one pooler: while the others are replaced, all clients are its own."""
    api, bouncer = plan.config.api, plan.config.postgres.pgbouncer
    needed, allowed = api.max_instances * api.database_pool_size, bouncer.max_client_connections
    yield Invariant(
        name="API to pooler",
        where="api › database_pool_size",
        left=f"{api.max_instances} instances × {api.database_pool_size} connections = {needed:,}",
        right=f"one pooler takes {allowed:,}",
        holds=needed <= allowed,
        why="while a pooler is replaced or away the others hold its clients, and one of them must do",
        remedy=f"database_pool_size of at most {max(1, allowed // api.max_instances)}, "
        f"or postgres.pgbouncer.max_client_connections of at least {needed}",
    )


def pooled_fit_postgres(plan: StagePlan) -> Iterator[Invariant]:
    """All poolers together leave PostgreSQL the connections that do not come through them."""
    postgres, poolers = plan.config.postgres, _poolers(plan)
    each, direct = postgres.pgbouncer.pool_size, sum(DIRECT_CONNECTIONS.values())
    pooled = poolers * each
    left_over = max(0, postgres.max_connections - direct) // poolers
    yield Invariant(
        name="poolers to PostgreSQL",
        where="postgres › pgbouncer › pool_size",
        left=f"{poolers} poolers × {each} and {direct} direct = {pooled + direct:,} connections",
        right=f"max_connections is {postgres.max_connections:,}",
        holds=pooled + direct <= postgres.max_connections,
        why=f"a connection above the limit is refused; direct are those of {', '.join(DIRECT_CONNECTIONS)}",
        remedy=(f"pool_size of at most {left_over}, or " if left_over else "")
        + f"postgres.max_connections of at least {pooled + direct}",
    )


def pooled_fit_a_proxy(plan: StagePlan) -> Iterator[Invariant]:
    """Every pooler's connections to a shard fit into one of its proxies."""
    poolers, pool_size = _poolers(plan), plan.config.postgres.pgbouncer.pool_size
    yield Invariant(
        name="poolers to proxy",
        where="postgres › pgbouncer › pool_size",
        left=f"{poolers} poolers × {pool_size} = {poolers * pool_size:,} connections",
        right=f"one proxy takes {PROXY_MAX_CONNECTIONS:,}",
        holds=poolers * pool_size <= PROXY_MAX_CONNECTIONS,
        why="while a proxy is replaced or away the others hold its connections, and one of them must do",
        remedy=f"pool_size of at most {PROXY_MAX_CONNECTIONS // poolers}",
    )


def replicas_have_senders(plan: StagePlan) -> Iterator[Invariant]:
    """The primary can send WAL to every replica, to one that joins and to a standby in the cloud."""
    postgres = plan.config.postgres
    senders = dynamic_configuration(plan.config, 1)["postgresql"]["parameters"]["max_wal_senders"]
    needed = postgres.instances - 1 + 2 + 1
    yield Invariant(
        name="replicas and WAL senders",
        where="postgres › instances",
        left=f"{postgres.instances - 1} replicas, 2 senders of one that joins, 1 of the cloud's copy = {needed}",
        right=f"max_wal_senders is {senders}",
        holds=needed <= senders,
        why="a replica without a sender does not follow",
        remedy=f"instances of at most {senders - 2}",
    )


def api_fits_a_router(plan: StagePlan) -> Iterator[Invariant]:
    """Every request that the API can hold fits into the memory of one router."""
    connections = router_connections(plan.config)
    memory_mib = min(c.memory_mib for c in plan.vllm.containers if c.service == "vllm-router")
    held = memory_mib * 1_024 // CONNECTION_KIB
    yield Invariant(
        name="API to router",
        where="api › concurrency",
        left=f"{plan.config.api.max_instances} instances × {plan.config.api.concurrency} requests = {connections:,}",
        right=f"a router's {memory_mib:,} MiB hold {held:,} connections",
        holds=connections <= held,
        why="while a router is replaced or away the others hold its requests, and one of them must do",
        remedy="fewer instances or a lower concurrency",
    )


def routes_have_their_own_ports(plan: StagePlan) -> Iterator[Invariant]:
    """The API's sidecar listens for each private service on a port of its own."""
    listening: dict[int, str] = {}
    faults = []
    for route in plan.routes:
        if route.local_port is not None:
            other = listening.setdefault(route.local_port, route.name)
            if other != route.name:
                faults.append(f"{route.name} and {other} are both reached on port {route.local_port}")
    yield Invariant(
        name="routes and the sidecar's ports",
        where="redis › masters",
        left=faults[0] if faults else f"{len(listening)} services are reached on {len(listening)} ports",
        right="each service is reached on a port of its own",
        holds=not faults,
        why="the sidecar listens for all of them on one loopback address",
        remedy=f"at most {ports.PGBOUNCER - ports.REDIS_PUBLISHED - 1} nodes, masters × (1 + replicas_per_master)",
    )

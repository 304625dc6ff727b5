"""PostgreSQL on the servers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from components.base import Component, Secrets
from components.containers import HostResources, declare_service
from dreamseed.planning import ports
from dreamseed.planning.container import ServicePlan
from dreamseed.planning.services.postgres_access import POOLER_ALIAS


@dataclass(frozen=True, kw_only=True)
class PostgresClusterArgs:
    """The planned etcd members, instances, proxies, poolers and jobs; their hosts; the secrets by name."""

    plan: ServicePlan
    hosts: Mapping[str, HostResources]
    secrets: Secrets


class PostgresCluster(Component):
    """PostgreSQL under Patroni with etcd, HAProxy, PgBouncer and pgBackRest, one or more shards.

    It declares what the plan holds; every data volume is protected. It does not hold backups (the object store does)
    and does not fail over (Patroni does). The disaster's standby is another component.
    """

    token = "dreamseed:database:PostgresCluster"  # noqa: S105 - a Pulumi type token
    pooler_address: pulumi.Output[str]

    def __init__(self, name: str, args: PostgresClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        containers = declare_service(args.plan, args.hosts, args.secrets, self)
        pooler = containers["pgbouncer-1"]
        self.publish(
            pooler_address=pooler.name.apply(lambda _: f"{POOLER_ALIAS}:{ports.PGBOUNCER}"),
            instances=[c.name for c in args.plan.containers if c.service.startswith("postgres-")],
        )

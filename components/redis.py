"""The cache on the servers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from components.base import Component, Secrets
from components.containers import HostResources, declare_service
from dreamseed.planning.container import ServicePlan


@dataclass(frozen=True, kw_only=True)
class RedisCacheArgs:
    """The planned nodes and cluster job; their hosts; the secrets by name."""

    plan: ServicePlan
    hosts: Mapping[str, HostResources]
    secrets: Secrets


class RedisCache(Component):
    """Redis in cluster mode: its nodes, their volumes, and the job that forms and reshapes the cluster.

    A cache: nothing in it is backed up, and what is evicted or lost is computed again. Memory is in MiB.
    """

    token = "dreamseed:cache:RedisCache"  # noqa: S105 - a Pulumi type token

    def __init__(self, name: str, args: RedisCacheArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        declare_service(args.plan, args.hosts, args.secrets, self)
        nodes = [container for container in args.plan.containers if container.service == "redis"]
        self.publish(
            nodes=[f"{args.hosts[node.host].address}:{node.ports[0].published}" for node in nodes],
        )

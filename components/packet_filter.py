"""The servers' packet filters: what a container may connect to, before any container is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from components.base import Component
from components.containers import HostResources, declare_service
from dreamseed.planning.container import ServicePlan


@dataclass(frozen=True, kw_only=True)
class PacketFilterArgs:
    """The planned filters; the hosts."""

    plan: ServicePlan
    hosts: Mapping[str, HostResources]


class PacketFilter(Component):
    """One filter a server; everything declared on its `hosts` waits until all of them hold the stage's rules.

    So doors are opened before who needs them comes. It filters nothing that comes from outside, and what it loaded
    stays in the server's kernel when it is deleted: docs/decisions/0013-a-packet-filter-on-each-server.md.
    """

    token = "dreamseed:servers:PacketFilter"  # noqa: S105 - a Pulumi type token
    hosts: Mapping[str, HostResources]

    def __init__(self, name: str, args: PacketFilterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        filters = declare_service(args.plan, args.hosts, {}, self)
        self.hosts = {name: host.after(filters.values()) for name, host in args.hosts.items()}
        self.publish(filters=list(filters))

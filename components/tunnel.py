"""The tunnel's connectors on the servers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.base import Component, Secrets
from components.containers import HostResources, declare_service
from dreamseed.planning.container import ServicePlan


@dataclass(frozen=True, kw_only=True)
class TunnelConnectorsArgs:
    """The planned connectors; their hosts; the secrets by name (the tunnel's token).

    `behind` are the services that the tunnel leads to.
    """

    plan: ServicePlan
    hosts: Mapping[str, HostResources]
    secrets: Secrets
    behind: Sequence[pulumi.Resource] = ()


class TunnelConnectors(Component):
    """cloudflared on each server: it calls out, so no port of the servers is open to the internet.

    A connector starts when the services behind it are healthy: it is sent requests from its first second on. Which
    hostname leads where is declared with the zone (EdgeZone), not here.
    """

    token = "dreamseed:edge:TunnelConnectors"  # noqa: S105 - a Pulumi type token

    def __init__(self, name: str, args: TunnelConnectorsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        declare_service(args.plan, args.hosts, args.secrets, self, depends_on=args.behind)
        self.publish(connectors=[container.name for container in args.plan.containers])

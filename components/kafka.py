"""The event stream on the servers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from components.base import Component
from components.containers import HostResources, declare_service
from dreamseed.planning.container import ServicePlan


@dataclass(frozen=True, kw_only=True)
class KafkaClusterArgs:
    """The planned nodes and cluster job; their hosts."""

    plan: ServicePlan
    hosts: Mapping[str, HostResources]


class KafkaCluster(Component):
    """Kafka in KRaft mode: brokers, controllers, their volumes, and the job that sets voters, topics and placement.

    Topics and the place of every partition are declared in the plan. It declares no clients' rights: who is on the
    data network may write.
    """

    token = "dreamseed:events:KafkaCluster"  # noqa: S105 - a Pulumi type token

    def __init__(self, name: str, args: KafkaClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        declare_service(args.plan, args.hosts, {}, self)
        brokers = [container for container in args.plan.containers if container.environment and container.ports]
        self.publish(
            bootstrap_servers=[f"{args.hosts[broker.host].address}:{broker.ports[0].published}" for broker in brokers],
        )

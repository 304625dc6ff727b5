"""The vLLM fleet on the servers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from components.base import Component, Secrets
from components.containers import HostResources, declare_service
from dreamseed.planning import ports
from dreamseed.planning.container import ServicePlan


@dataclass(frozen=True, kw_only=True)
class VllmFleetArgs:
    """The planned engines and routers, the hosts they run on, the secrets by name."""

    plan: ServicePlan
    hosts: Mapping[str, HostResources]
    secrets: Secrets


class VllmFleet(Component):
    """One container a replica, with its GPUs by index, and load-aware routers in front.

    It declares the model cache volumes, engines and routers of the plan. It does not download the model (the engine
    does, with the owners' Hugging Face token) and publishes nothing beyond the servers' private addresses.
    Memory is in MiB, GPUs are device indices.
    """

    token = "dreamseed:inference:VllmFleet"  # noqa: S105 - a Pulumi type token
    router_url: pulumi.Output[str]

    def __init__(self, name: str, args: VllmFleetArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        containers = declare_service(args.plan, args.hosts, args.secrets, self)
        routers = [
            containers[container.name] for container in args.plan.containers if container.service == "vllm-router"
        ]
        self.publish(
            router_url=routers[0].name.apply(lambda router: f"http://{router}:{ports.ROUTER}"),
            engines=[container.name for container in args.plan.containers if container.service == "vllm"],
        )

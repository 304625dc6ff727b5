"""The links between the owners' servers: encrypted before any other container sends something over them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import pulumi
import pulumi_docker as docker

from components.base import Component, Secrets
from components.containers import HostResources, declare_service
from components.secrets import declare_password
from dreamseed.planning.container import Container, ServicePlan
from dreamseed.planning.keys import FIRST, Generations
from dreamseed.planning.secrets import ProvidedSecret
from dreamseed.planning.services.wireguard import KEY, public_key_of
from dreamseed.wireguard_keys import private_key, public_key


@dataclass(frozen=True, kw_only=True)
class WireGuardArgs:
    """The planned containers, one a server; the hosts; which generations of the key stand."""

    plan: ServicePlan
    hosts: Mapping[str, HostResources]
    generations: Generations = field(default=FIRST)


class WireGuard(Component):
    """One end a server, with a key of its own; everything declared on its `hosts` waits until all of them are there.

    All keys are derived from one protected secret; each server is given its own private key and the others' public
    ones. What passes through is not its matter, and the witness is no peer:
    docs/decisions/0014-wireguard-between-the-servers.md.
    """

    token = "dreamseed:servers:WireGuard"  # noqa: S105 - a Pulumi type token
    hosts: Mapping[str, HostResources]

    def __init__(self, name: str, args: WireGuardArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        secret = declare_password(self, KEY, args.generations).current
        members = [container.host for container in args.plan.containers]
        links: dict[str, docker.Container] = {}
        for container in args.plan.containers:
            # One at a time, since each has a private key of its own under the same name.
            alone = replace(args.plan, containers=(container,))
            before = [links[other] for other in container.after]
            links |= declare_service(alone, args.hosts, _keys(container, members, secret), self, before)
        self.hosts = {name: host.after(links.values()) for name, host in args.hosts.items()}
        self.publish(links=list(links.values()))


def _keys(container: Container, members: list[str], secret: pulumi.Output[str]) -> Secrets:
    """Return what the container's files ask for: its own private key, and the public keys of the other members."""
    own = container.host
    return {
        ProvidedSecret.WIREGUARD_PRIVATE: pulumi.Output.secret(_derived(private_key, secret, own)),
        **{public_key_of(other): _derived(public_key, secret, other) for other in members if other != own},
    }


def _derived(derive: Callable[[str, str], str], secret: pulumi.Output[str], server: str) -> pulumi.Output[str]:
    return secret.apply(lambda known: derive(known, server))

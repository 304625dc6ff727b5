"""The hosts: a Docker provider each, its networks, and the images that its containers need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from components.base import Component
from components.containers import HostResources
from dreamseed.catalog.images import reference_of
from dreamseed.planning.container import NetworkName
from dreamseed.planning.hosts import Host

SSH_OPTIONS = ["-o", "StrictHostKeyChecking=yes", "-o", "ConnectTimeout=10", "-o", "ConnectionAttempts=30"]
"""Only known hosts, and patience with a machine that is still starting."""


@dataclass(frozen=True, kw_only=True)
class ServersArgs:
    """`hosts` as planned; `images` by host name: catalogue keys or full references by digest.

    `witness` is the VM that the host in the cloud runs on: what is declared there waits for it.
    """

    hosts: Sequence[Host]
    images: Mapping[str, Sequence[str]]
    witness: Sequence[pulumi.Resource] = ()


class Servers(Component):
    """One Docker provider a host (SSH only), a bridge network for each purpose, and each image by digest.

    Networks carry fixed subnets. Images are kept on the host when they leave the program, so that going back needs no
    download. It does not install Docker, drivers or keys: the owners do.
    """

    token = "dreamseed:servers:Servers"  # noqa: S105 - a Pulumi type token
    hosts: Mapping[str, HostResources]

    def __init__(self, name: str, args: ServersArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self.hosts = {host.name: self._host(host, args) for host in args.hosts}
        self.publish(addresses={host.name: host.address for host in args.hosts})

    def _host(self, host: Host, args: ServersArgs) -> HostResources:
        waits = list(args.witness) if host.in_cloud else []
        provider = docker.Provider(
            f"docker-{host.name}",
            host=host.docker_host,
            ssh_opts=SSH_OPTIONS,
            # The witness does not exist while the stage that brings it is previewed.
            disable_docker_daemon_check=host.in_cloud or None,
            opts=self.child(),
        )
        networks = {network: self._network(host, network, provider, waits) for network in NetworkName}
        images = {
            key: docker.RemoteImage(
                f"{host.name}-{_short(key)}",
                name=reference_of(key),
                keep_locally=True,
                opts=self.child(provider=provider, depends_on=waits),
            )
            for key in args.images[host.name]
        }
        return HostResources(provider=provider, address=host.address, networks=networks, images=images)

    def _network(
        self, host: Host, network: NetworkName, provider: docker.Provider, waits: list[pulumi.Resource]
    ) -> docker.Network:
        subnet = host.subnets[network]
        return docker.Network(
            f"{host.name}-{network}",
            name=f"dreamseed-{network}",
            driver="bridge",
            ipam_configs=[docker.NetworkIpamConfigArgs(subnet=str(subnet), gateway=str(subnet[1]))],
            labels=[docker.NetworkLabelArgs(label="managed-by", value="dreamseed")],
            opts=self.child(provider=provider, depends_on=waits),
        )


def _short(key: str) -> str:
    """Return the catalogue key, or the repository's last part of a full reference."""
    return key.split("@", 1)[0].rsplit("/", 1)[-1].split(":", 1)[0]

"""Declaring planned containers and volumes on Docker hosts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import pulumi
import pulumi_docker as docker

from components.base import Component, Secrets
from dreamseed.planning.container import (
    SECRET_CLOSE,
    SECRET_OPEN,
    Container,
    File,
    Health,
    NetworkName,
    ServicePlan,
    Volume,
    VolumeKind,
)
from dreamseed.planning.rights import capabilities_of, devices_of, is_read_only, limits_of

MANAGED_BY = "dreamseed"
NEVER_APPLIED_IN_PLACE = ["healthcheck", "init", "tmpfs"]
"""Inputs that the provider updates in its state only; the running container keeps the old ones unless replaced.

Source: kreuzwerker/terraform-provider-docker, resource_docker_container_funcs.go, read 2026-08-14.
"""


@dataclass(frozen=True, kw_only=True)
class HostResources:
    """What containers need of their host: provider, address, networks by name, images by reference.

    `first` is what every container there waits for.
    """

    provider: docker.Provider
    address: str
    networks: Mapping[NetworkName, docker.Network]
    images: Mapping[str, docker.RemoteImage]
    first: Sequence[pulumi.Resource] = ()

    def after(self, resources: Iterable[pulumi.Resource]) -> HostResources:
        """Return the same host, where every container waits for `resources`, too."""
        return replace(self, first=(*self.first, *resources))


def declare_service(
    plan: ServicePlan,
    hosts: Mapping[str, HostResources],
    secrets: Secrets,
    parent: Component,
    depends_on: Sequence[pulumi.Resource] = (),
) -> dict[str, docker.Container]:
    """Declare the volumes and containers of `plan` under `parent`; return the containers by name.

    A container waits for those named in its `after` to be healthy and passes no output to the next as an input: with
    delete-before-replace that makes the engine roll through a service one by one instead of taking it down whole
    (measured on engine 3.259, 2026-11-23). `secrets` must hold every name that the plan's files ask for.
    """
    for volume in plan.volumes:
        _declare_volume(volume, hosts[volume.host], parent)
    declared: dict[str, docker.Container] = {}
    for container in plan.containers:
        host = hosts[container.host]
        after = [declared[name] for name in container.after if name in declared]
        declared[container.name] = _declare_container(
            container, host, secrets, parent, [*host.first, *depends_on, *after]
        )
    return declared


def _declare_volume(volume: Volume, host: HostResources, parent: Component) -> docker.Volume:
    options = parent.stateful if volume.kind is VolumeKind.DATA else parent.child
    return docker.Volume(
        volume.name,
        name=volume.name,
        labels=[
            docker.VolumeLabelArgs(label="managed-by", value=MANAGED_BY),
            docker.VolumeLabelArgs(label="kind", value=volume.kind.value),
        ],
        opts=options(provider=host.provider),
    )


def _declare_container(
    container: Container,
    host: HostResources,
    secrets: Secrets,
    parent: Component,
    depends_on: Sequence[pulumi.Resource],
) -> docker.Container:
    job = container.job
    return docker.Container(
        container.name,
        name=container.name,
        hostname=container.name,
        image=host.images[container.image].image_id,
        entrypoints=list(container.entrypoint) or None,
        command=list(container.command) or None,
        envs=[f"{key}={value}" for key, value in container.environment.items()] or None,
        user=container.user,
        uploads=[_upload(file, secrets) for file in container.files],
        volumes=_mounts(container),
        network_mode="host" if container.host_network else None,
        networks_advanced=[
            docker.ContainerNetworksAdvancedArgs(
                name=host.networks[network].name, aliases=[container.name, *container.aliases]
            )
            for network in container.networks
        ],
        ports=[
            docker.ContainerPortArgs(internal=port.container, external=port.published, ip=host.address, protocol="tcp")
            for port in container.ports
            if not container.host_network
        ],
        memory=container.memory_mib,
        # Equal to `memory`: no swap. Left out, the provider would show an update at every preview.
        memory_swap=container.memory_mib,
        cpu_shares=max(2, round(container.cpu_cores * 1_024)),
        shm_size=container.shm_size_mib,
        gpus=f"device={','.join(map(str, container.gpu_indices))}" if container.gpu_indices else None,
        ulimits=[
            docker.ContainerUlimitArgs(name=name, soft=value, hard=value)
            for name, value in limits_of(container).items()
        ],
        capabilities=docker.ContainerCapabilitiesArgs(adds=list(capabilities_of(container)) or None, drops=["ALL"]),
        devices=[
            docker.ContainerDeviceArgs(host_path=path, container_path=path, permissions="rwm")
            for path in devices_of(container)
        ]
        or None,
        read_only=is_read_only(container),
        security_opts=["no-new-privileges:true"],
        init=True,
        log_driver="json-file",
        log_opts={"max-size": "50m", "max-file": "3"},
        labels=[
            docker.ContainerLabelArgs(label="managed-by", value=MANAGED_BY),
            docker.ContainerLabelArgs(label="component", value=container.component),
            docker.ContainerLabelArgs(label="service", value=container.service),
        ],
        healthcheck=_healthcheck(container.health) if container.health else None,
        # Not unless-stopped: after a crash of the Docker Engine no such container comes back (docs/surprises.md).
        restart="no" if job else "always",
        must_run=not job,
        attach=job or None,
        wait=container.health is not None or None,
        wait_timeout=container.health.wait_timeout_seconds if container.health else None,
        stop_timeout=container.stop_grace_seconds,
        # Without it the provider kills the container at once when it deletes or replaces it.
        destroy_grace_seconds=container.stop_grace_seconds,
        opts=parent.child(
            provider=host.provider,
            depends_on=list(depends_on),
            delete_before_replace=True,
            replace_on_changes=NEVER_APPLIED_IN_PLACE,
        ),
    )


def _mounts(container: Container) -> list[docker.ContainerVolumeArgs]:
    named = [
        docker.ContainerVolumeArgs(volume_name=mount.volume, container_path=mount.path, read_only=mount.read_only)
        for mount in container.mounts
    ]
    bound = [
        docker.ContainerVolumeArgs(host_path=source, container_path=target, read_only=True)
        for source, target in container.host_paths.items()
    ]
    return [*named, *bound]


def _healthcheck(health: Health) -> docker.ContainerHealthcheckArgs:
    return docker.ContainerHealthcheckArgs(
        tests=list(health.test),
        interval=f"{health.interval_seconds}s",
        timeout=f"{health.timeout_seconds}s",
        retries=health.retries,
        start_period=f"{health.start_period_seconds}s",
    )


def _upload(file: File, secrets: Secrets) -> docker.ContainerUploadArgs:
    return docker.ContainerUploadArgs(
        file=file.path,
        content=fill(file, secrets),
        permissions=file.mode,
        owner=str(file.owner),
        group=str(file.owner),
    )


def fill(file: File, secrets: Secrets) -> pulumi.Input[str]:
    """Return the file's text with its secrets in place, itself a secret if it holds any."""
    if not file.secrets:
        return file.text
    values = {name: secrets[name] for name in file.secrets}

    def substitute(known: dict[str, str]) -> str:
        text = file.text
        for name, value in known.items():
            text = text.replace(f"{SECRET_OPEN}{name}{SECRET_CLOSE}", value)
        return text

    return pulumi.Output.secret(pulumi.Output.all(**values).apply(substitute))

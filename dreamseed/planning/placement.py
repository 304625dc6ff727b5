"""Adding up what stands on each host, and refusing what does not fit or would collide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from dreamseed.errors import PlanError
from dreamseed.planning.container import Container, ServicePlan
from dreamseed.planning.hosts import Host

MONITORING = "monitoring"
SHARES = (("memory_mib", "MiB of memory"), ("cpu_cores", "CPU cores"), ("disk_gib", "GiB of disk"))


@dataclass(frozen=True, kw_only=True)
class HostLoad:
    """What one host holds: containers, memory (MiB), CPU (cores), disk (GiB), and what it has of each."""

    host: Host
    containers: int
    memory_mib: int
    cpu_cores: float
    disk_gib: int

    def share(self, resource: str) -> float:
        """Return which part of the host's `resource` (memory_mib, cpu_cores or disk_gib) is taken, 0 to 1."""
        return float(getattr(self, resource) / getattr(self.host, resource))


def add_up(hosts: Sequence[Host], services: Sequence[ServicePlan]) -> tuple[HostLoad, ...]:
    """Return the load of each host."""
    loads = []
    for host in hosts:
        containers = [c for service in services for c in service.containers if c.host == host.name]
        volumes = [v for service in services for v in service.volumes if v.host == host.name]
        loads.append(
            HostLoad(
                host=host,
                containers=len(containers),
                memory_mib=sum(container.memory_mib for container in containers),
                cpu_cores=round(sum(container.cpu_cores for container in containers), 2),
                disk_gib=sum(volume.size_gib for volume in volumes),
            )
        )
    return tuple(loads)


def check_placement(where: str, hosts: Sequence[Host], services: Sequence[ServicePlan]) -> tuple[HostLoad, ...]:
    """Return the load of each host; raises `PlanError` at the first overflow, collision or unknown reference."""
    containers = [container for service in services for container in service.containers]
    _check_names(where, containers, services)
    _check_references(where, hosts, containers, services)
    _check_ports(where, containers)
    _check_gpus(where, hosts, containers)
    loads = add_up(hosts, services)
    for load in loads:
        for resource, words in SHARES:
            # Not the share: a server smaller than the system's own part has nothing, or less, to share.
            if getattr(load, resource) > getattr(load.host, resource):
                _refuse_overflow(where, load, resource, words, services)
    return loads


def _refuse_overflow(where: str, load: HostLoad, resource: str, words: str, services: Sequence[ServicePlan]) -> None:
    per_component: Counter[str] = Counter()
    for service in services:
        parts = service.volumes if resource == "disk_gib" else service.containers
        for part in parts:
            if part.host == load.host.name:
                value = part.size_gib if resource == "disk_gib" else getattr(part, resource)  # type: ignore[union-attr]
                per_component[service.component] += value
    most = ", ".join(f"{name} {amount:g}" for name, amount in per_component.most_common(4))
    raise PlanError(
        f"{where} › servers › {load.host.name}",
        f"{getattr(load, resource):g} {words} asked for, {getattr(load.host, resource):g} there are",
        f"what stands there ({most}) and the system's own share must fit at once",
        "smaller limits for the largest of these, or a server with more",
    )


def _check_names(where: str, containers: Sequence[Container], services: Sequence[ServicePlan]) -> None:
    volumes = [volume.name for service in services for volume in service.volumes]
    for kind, names in (("container", [c.name for c in containers]), ("volume", volumes)):
        for name, times in Counter(names).items():
            if times > 1:
                raise PlanError(
                    f"{where} › {kind} {name}", "is planned twice", "a resource is found by its name", "distinct names"
                )


def _check_references(
    where: str, hosts: Sequence[Host], containers: Sequence[Container], services: Sequence[ServicePlan]
) -> None:
    known_hosts = {host.name for host in hosts}
    volumes = {volume.name: volume.host for service in services for volume in service.volumes}
    names = {container.name for container in containers}
    for container in containers:
        faults = [f"the host {container.host}"] if container.host not in known_hosts else []
        faults += [f"the container {name} in `after`" for name in container.after if name not in names]
        faults += [
            f"the volume {mount.volume} on {container.host}"
            for mount in container.mounts
            if volumes.get(mount.volume) != container.host
        ]
        if faults:
            raise PlanError(
                f"{where} › container {container.name}",
                f"asks for {' and '.join(faults)}, which the plan does not have",
                "a container uses only what is planned on its own host",
                "the missing part in the same service plan",
            )


def _check_ports(where: str, containers: Sequence[Container]) -> None:
    taken: dict[tuple[str, int], str] = {}
    for container in containers:
        for port in container.ports:
            other = taken.setdefault((container.host, port.published), container.name)
            if other != container.name:
                raise PlanError(
                    f"{where} › container {container.name}",
                    f"publishes port {port.published} of {container.host}, which {other} has",
                    "one address and port leads to one container",
                    "another number in dreamseed/planning/ports.py",
                )


def _check_gpus(where: str, hosts: Sequence[Host], containers: Sequence[Container]) -> None:
    counts = {host.name: host.gpu_count for host in hosts}
    taken: dict[tuple[str, int], str] = {}
    for container in containers:
        for index in container.gpu_indices:
            shares = container.component == MONITORING  # an exporter reads every card and computes on none
            other = container.name if shares else taken.setdefault((container.host, index), container.name)
            if other != container.name or index >= counts[container.host]:
                raise PlanError(
                    f"{where} › container {container.name}",
                    f"uses GPU {index} of {container.host}, which {other} has or the server lacks",
                    "an engine's cards are its own",
                    "a layout made by plan_gpu_layout",
                )

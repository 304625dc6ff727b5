"""Containers: what fits into their memory, who watches them, where they listen, and that they never all go at once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from ipaddress import IPv4Address
from itertools import pairwise

from dreamseed.config.types import PRIVATE_NETWORKS
from dreamseed.planning.container import Container
from dreamseed.planning.invariants.rule import Invariant
from dreamseed.planning.rights import AS_ROOT, PROCESSES_OF_A_USER
from dreamseed.planning.services.redis import MEMORY_FACTOR
from dreamseed.planning.stage_plan import StagePlan

SCRAPED_ONLY = frozenset({"dcgm-exporter", "redis-exporter"})
"""Exporters whose images hold one program and nothing to check it with: Prometheus sees them go (`up`), and no
container waits for them. Source: their Dockerfiles (distroless and scratch), read 2026-11-23."""
THREADS_OF_A_PROGRAM = 256
"""Room for the threads of one container beside connections: a Kafka broker had 114, the most at C (2026-11-27)."""
LARGEST_HEAP = re.compile(r"-Xmx(\d+)m")


def _all_or_first(name: str, where: str, faults: list[str], rule: str, why: str, remedy: str) -> Invariant:
    """Return the invariant that holds when there is no fault, else names the first of them."""
    return Invariant(
        name=name,
        where=where,
        left=faults[0] if faults else "no container at fault",
        right=f"every container {rule}",
        holds=not faults,
        why=why,
        remedy=remedy,
    )


def hosts_hold_their_containers(plan: StagePlan) -> Iterator[Invariant]:
    """The limits of all containers of a host fit into its memory at once."""
    for load in plan.loads:
        yield Invariant(
            name=f"memory of {load.host.name}",
            where=f"servers › {load.host.name}",
            left=f"{load.containers} containers take {load.memory_mib:,} MiB",
            right=f"{load.host.memory_mib:,} MiB are left beside the system",
            holds=load.memory_mib <= load.host.memory_mib,
            why="limits that are reached together must not make the system kill a database",
            remedy="smaller limits, or a server with more memory",
        )


def gpus_are_there(plan: StagePlan) -> Iterator[Invariant]:
    """Each server has the cards that its engines use, each card used once."""
    for host in plan.hosts:
        used = [gpu for replica in plan.layout.replicas_on(host.name) for gpu in replica.gpu_indices]
        if not host.in_cloud:
            yield Invariant(
                name=f"GPUs of {host.name}",
                where=f"servers › {host.name} › gpus",
                left=f"engines use {len(used)}",
                right=f"there are {host.gpu_count}, each for one engine",
                holds=len(set(used)) == len(used) and set(used) <= set(range(host.gpu_count)),
                why="an engine's cards are its own",
                remedy="a layout made by plan_gpu_layout",
            )


def parts_fit_their_container(plan: StagePlan) -> Iterator[Invariant]:
    """Shared memory, Java heaps and caches fit into the limit of their container."""
    faults = [fault for container in plan.containers for fault in _too_large(container, plan)]
    yield _all_or_first(
        "parts of a container's memory",
        "containers",
        faults,
        "holds its shared memory, its Java heap (twice) and its cache (one and a half times)",
        "what grows beyond the limit is killed by the system in the middle of its work",
        "a larger memory limit for it",
    )


def _too_large(container: Container, plan: StagePlan) -> Iterator[str]:
    limit = container.memory_mib
    if (container.shm_size_mib or 0) > limit:
        yield f"{container.name} has {container.shm_size_mib:,} MiB of shared memory in {limit:,} MiB"
    heap = LARGEST_HEAP.search(container.environment.get("KAFKA_HEAP_OPTS", ""))
    if heap and int(heap.group(1)) * 2 > limit:
        yield f"{container.name} has a heap of {heap.group(1)} MiB in {limit:,} MiB"
    cache_mib = {node.name: node.maxmemory_mib for node in plan.topology.redis}.get(container.name, 0)
    if cache_mib * MEMORY_FACTOR > limit:
        yield f"{container.name} has a cache of {cache_mib:,} MiB in {limit:,} MiB"


def containers_are_bounded_and_watched(plan: StagePlan) -> Iterator[Invariant]:
    """Every container has a memory limit, and a health check unless it runs to an end or is only scraped."""
    faults = [f"{c.name} has no memory limit" for c in plan.containers if c.memory_mib <= 0]
    unwatched = [c for c in plan.containers if not (c.health or c.job or c.service in SCRAPED_ONLY)]
    faults += [f"{container.name} has no health check" for container in unwatched]
    yield _all_or_first(
        "limits and health checks",
        "containers",
        faults,
        "has a memory limit, and a health check unless it is a job or only scraped",
        "one leak must not take the server, and the next container waits for the health of the one before",
        "both in its service plan",
    )


def users_have_few_rights(plan: StagePlan) -> Iterator[Invariant]:
    """Only services with a reason run as root, and what needs a folder to write in has a volume for it."""
    roots = [c for c in plan.containers if c.user is None and c.service not in AS_ROOT]
    yield _all_or_first(
        "users",
        "containers",
        [f"{container.name} of {container.service} runs as root" for container in roots],
        f"runs as a user of its own, except those of {', '.join(AS_ROOT)}",
        "who breaks out of a container is the same user on its server",
        "the number of its image's user, or its reason in dreamseed/planning/rights.py",
    )


def processes_fit_their_limit(plan: StagePlan) -> Iterator[Invariant]:
    """The user of a host that runs most, a process for each connection to PostgreSQL, stays below its limit."""
    databases = {instance.name for instances in plan.topology.shards for instance in instances}
    needed: Counter[tuple[str, str]] = Counter()
    for container in plan.containers:
        if container.user is not None:
            connections = plan.config.postgres.max_connections if container.name in databases else 0
            needed[container.host, container.user.partition(":")[0]] += connections + THREADS_OF_A_PROGRAM
    for (host, user), most in needed.most_common(1):
        yield Invariant(
            name="processes of a user",
            where="postgres › max_connections",
            left=f"user {user} of {host} runs up to {most:,} processes and threads",
            right=f"one user may have {PROCESSES_OF_A_USER:,}",
            holds=most <= PROCESSES_OF_A_USER,
            why="at the limit a database refuses connections, and health checks cannot start",
            remedy="fewer connections, or fewer instances on one server",
        )


def ports_are_private(plan: StagePlan) -> Iterator[Invariant]:
    """Ports are published on private addresses only, and who shares its host's network listens on that one alone."""
    public = {
        host.name
        for host in plan.hosts
        if not any(IPv4Address(host.address) in network for network in PRIVATE_NETWORKS)
    }
    faults = [
        f"{container.name} publishes {port.published} on {container.host}"
        for container in plan.containers
        for port in container.ports
        if container.host in public
    ]
    faults += [fault for container in plan.containers for fault in _listens_anywhere(container, plan)]
    yield _all_or_first(
        "published ports",
        "servers",
        faults,
        "publishes, or listens, on a private address (RFC 1918)",
        "no server listens on the internet",
        "a private_address of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16",
    )


def _listens_anywhere(container: Container, plan: StagePlan) -> Iterator[str]:
    """Yield each port of a container in its host's network that its command does not bind to the private address."""
    address = next(host.address for host in plan.hosts if host.name == container.host)
    for port in container.ports if container.host_network else ():
        if not any(word.endswith(f"={address}:{port.published}") for word in container.command):
            yield f"{container.name} is not told to listen on {address}:{port.published} alone"


def services_roll(plan: StagePlan) -> Iterator[Invariant]:
    """Within a service each container waits for the one before, so they are never replaced all at once."""
    after = {container.name: container.after for container in plan.containers}
    groups: dict[str, list[str]] = {}
    for container in plan.containers:
        groups.setdefault(container.service, []).append(container.name)
    faults = [
        f"{later} of {service} does not wait for {earlier}"
        for service, names in groups.items()
        for earlier, later in pairwise(names)
        if earlier not in _waits_for(later, after)
    ]
    yield _all_or_first(
        "order of replacement",
        "containers",
        faults,
        "waits for the one before it in its service",
        "containers that wait for nobody are replaced at the same time, and the service is gone meanwhile",
        "the name of the one before in `after`",
    )


def _waits_for(name: str, after: dict[str, tuple[str, ...]]) -> set[str]:
    seen: set[str] = set()
    todo = list(after[name])
    while todo:
        one = todo.pop()
        if one not in seen:
            seen.add(one)
            todo += after.get(one, ())
    return seen

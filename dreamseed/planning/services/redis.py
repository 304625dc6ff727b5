"""The cache: Redis in cluster mode from its first node on, so that growing only adds nodes and moves slots.

A cluster of one holds every slot; masters are added and slots moved to them while clients go on; replicas stand on
another server than their master. Redis decides a failover by the votes of masters that hold a slot: where two servers
share them, witnesses with one slot each are added until the loss of either server leaves a majority, and shards are
swapped so that the servers hold masters evenly. Sources: Redis cluster specification; measurements
of 2026-11-23.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dreamseed.config import StageConfig
from dreamseed.config.keys import KeyName
from dreamseed.planning import ports
from dreamseed.planning.container import (
    Container,
    File,
    Health,
    Mount,
    NetworkName,
    Port,
    ServicePlan,
    Volume,
    VolumeKind,
    secret,
)
from dreamseed.planning.hosts import Host, Placed, spread
from dreamseed.planning.keys import generations_of
from dreamseed.planning.render import render
from dreamseed.planning.secrets import GeneratedSecret

COMPONENT = "redis"
REDIS_UID = 999
MEMORY_FACTOR = 1.5
"""Container memory over maxmemory: fork, fragmentation, replication buffers. Source: docs/surprises.md, section 6."""
WITNESS_MAXMEMORY_MIB = 64


@dataclass(frozen=True, kw_only=True)
class Node(Placed):
    """One Redis node. `shard` counts from 1 and is 0 for a witness; `master` is its intended role."""

    shard: int
    master: bool
    maxmemory_mib: int

    @property
    def port(self) -> int:
        """Return the port that the node announces."""
        return ports.redis(self.number)

    @property
    def bus_port(self) -> int:
        """Return the port at which the other nodes reach it."""
        return self.port + ports.REDIS_BUS_OFFSET

    @property
    def endpoint(self) -> str:
        """Return where it is reached, as ``address:port``."""
        return f"{self.address}:{self.port}"


def plan_nodes(config: StageConfig, hosts: Sequence[Host]) -> tuple[Node, ...]:
    """Return the nodes with the roles the cluster is brought to: masters first joined, replicas, witnesses.

    Node n ≤ masters is born as the master of shard n; node masters + k replicates shard ((k − 1) mod masters) + 1.
    Where a shard has members on several servers, the server with fewer masters so far gets the role.
    """
    redis = config.redis
    if not redis.masters:
        return ()
    placed = spread(redis.nodes, hosts, redis.placement)
    shards = [(number - 1) % redis.masters + 1 for number in range(1, redis.nodes + 1)]
    masters_on: dict[str, int] = {}
    chosen: set[int] = set()
    for shard in range(1, redis.masters + 1):
        members = [index for index, of in enumerate(shards) if of == shard]
        best = min(members, key=lambda index: (masters_on.get(placed[index].name, 0), index))
        masters_on[placed[best].name] = masters_on.get(placed[best].name, 0) + 1
        chosen.add(best)
    nodes = tuple(
        Node(
            name=f"redis-{index + 1}",
            number=index + 1,
            host=host,
            shard=shards[index],
            master=index in chosen,
            maxmemory_mib=redis.maxmemory_mib,
        )
        for index, host in enumerate(placed)
    )
    return (*nodes, *_witnesses(nodes, hosts))


def _witnesses(nodes: Sequence[Node], hosts: Sequence[Host]) -> tuple[Node, ...]:
    """Return as many one-slot masters on the witness host as a majority without any one server needs."""
    witness_host = next((host for host in hosts if host.in_cloud), None)
    votes: dict[str, int] = {}
    for node in nodes:
        if node.master:
            votes[node.host.name] = votes.get(node.host.name, 0) + 1
    if witness_host is None or len(votes) < 2:
        return ()
    total, largest = sum(votes.values()), max(votes.values())
    count = 0
    while 2 * (total + count - largest) <= total + count:
        count += 1
    return tuple(
        Node(
            name=f"redis-witness-{number}",
            number=50 + number,
            host=witness_host,
            shard=0,
            master=True,
            maxmemory_mib=WITNESS_MAXMEMORY_MIB,
        )
        for number in range(1, count + 1)
    )


def plan_redis(config: StageConfig, hosts: Sequence[Host]) -> ServicePlan:
    """Return the nodes in order of replacement and the job that forms the cluster; nothing without a cache."""
    nodes = plan_nodes(config, hosts)
    if not nodes:
        return ServicePlan(component=COMPONENT)
    containers: list[Container] = []
    for node in nodes:
        previous = (containers[-1].name,) if containers else ()
        containers.append(_node(config, node, nodes, previous))
    containers.append(_cluster_job(config, nodes, containers[-1].name))
    volumes = tuple(
        Volume(
            name=f"{node.name}-data",
            host=node.host.name,
            kind=VolumeKind.DATA,
            size_gib=max(1, node.maxmemory_mib * 3 // 1_024),
        )
        for node in nodes
    )
    return ServicePlan(component=COMPONENT, containers=tuple(containers), volumes=volumes)


def _node(config: StageConfig, node: Node, nodes: Sequence[Node], previous: tuple[str, ...]) -> Container:
    text = render(
        "redis.conf.j2",
        port=node.port,
        bus_port=node.bus_port,
        address=node.address,
        maxmemory_mib=node.maxmemory_mib,
        eviction=config.redis.eviction,
        exchanging=_exchanging(config),
    )
    ping = f'REDISCLI_AUTH="$(cat /run/secrets/redis)" redis-cli -p {node.port} ping | grep -q PONG'
    return Container(
        name=node.name,
        component=COMPONENT,
        service="redis",
        host=node.host.name,
        image="redis",
        networks=(NetworkName.DATA,),
        memory_mib=int(node.maxmemory_mib * MEMORY_FACTOR) + 32,
        cpu_cores=0.5,
        user=str(REDIS_UID),
        command=("redis-server", "/etc/redis/redis.conf"),
        files=(
            File(path="/etc/redis/redis.conf", text=text, owner=REDIS_UID, mode="0400"),
            File(path="/run/secrets/redis", text=secret(GeneratedSecret.REDIS), owner=REDIS_UID, mode="0400"),
        ),
        mounts=(Mount(volume=f"{node.name}-data", path="/data"),),
        ports=(
            Port(container=node.port, published=node.port, purpose="Redis"),
            Port(container=node.bus_port, published=node.bus_port, purpose="Redis cluster bus"),
        ),
        # The nodes tell one another who is in the cluster.
        hears=tuple(f"{one.address}:{port}" for one in nodes for port in (one.port, one.bus_port)),
        health=Health(test=("CMD-SHELL", ping), start_period_seconds=60),
        stop_grace_seconds=60,
        after=previous,
    )


def _exchanging(config: StageConfig) -> bool:
    """Return whether nodes take two passwords: clients and replicas give the previous one until all do."""
    return generations_of(config, KeyName.REDIS).with_previous


def _cluster_job(config: StageConfig, nodes: Sequence[Node], after: str) -> Container:
    data = [node for node in nodes if node.shard]
    script = render(
        "redis-cluster.sh.j2",
        nodes=nodes,
        shards=[
            [node for node in data if node.shard == shard] for shard in range(1, max(node.shard for node in data) + 1)
        ],
        witnesses=[node for node in nodes if not node.shard],
        exchanging=_exchanging(config),
    )
    return Container(
        name="redis-cluster",
        component=COMPONENT,
        service="redis-cluster",
        host=data[0].host.name,
        image="redis",
        networks=(NetworkName.DATA,),
        memory_mib=64,
        cpu_cores=0.05,
        user=str(REDIS_UID),
        entrypoint=("/bin/sh", "/etc/dreamseed/job.sh"),
        files=(
            File(path="/etc/dreamseed/job.sh", text=script),
            File(path="/run/secrets/redis", text=secret(GeneratedSecret.REDIS), owner=REDIS_UID, mode="0400"),
        ),
        job=True,
        after=(after,),
    )

"""The event stream: Kafka in KRaft mode with a quorum that can change while it runs.

The first broker is born as the only controller; other controllers join by themselves, so that a cluster made at any
stage is the same as one that grew. Three brokers vote. Where three hosts can vote, the votes move: one controller on
each of them joins, then the brokers that stop voting leave and restart one by one, and keep their volumes. Sources:
Kafka 4.1 documentation (KRaft, dynamic quorums, KIP-853); measurements of 2026-11-23.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dreamseed.config import StageConfig
from dreamseed.config.data import Topic
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
)
from dreamseed.planning.hosts import Host, Placed, spread
from dreamseed.planning.render import render
from dreamseed.planning.services import etcd

COMPONENT = "kafka"
KAFKA_UID = 1_000
CLUSTER_ID = base64.urlsafe_b64encode(b"dreamseed-events").decode().rstrip("=")
WITNESS_NODE = 100
CONTROLLER_MEMORY_MIB = 1_024
CONTROLLER_HEAP_MIB = 512
FIRST_VOTERS = 3
JOINED = "/tmp/dreamseed-joined"  # noqa: S108 - a mark inside the container, made anew at each of its starts
INTERNAL_TOPICS = ("__consumer_offsets", "__transaction_state", "__share_group_state")
ACKNOWLEDGE_TIMEOUT_MS = 5_000
"""How long a leader may wait for its copies before it says so, and the client asks anew who leads."""
CLIENT_TIMEOUT_MS = 10_000
"""How long clients wait for a broker that says nothing before they connect anew. By default librdkafka waits 60 s, and
with the link between the servers cut messages were away for 60.5 s and more (seen on 2026-11-26)."""
MS_PER_HOUR = 3_600_000
INTERNAL_PARTITIONS = 50
"""Partitions of each internal topic. Source: Kafka 4.1 broker configuration, defaults of *.topic.num.partitions."""


@dataclass(frozen=True, kw_only=True)
class Node(Placed):
    """One Kafka node; a broker, a controller or both."""

    broker: bool
    controller: bool

    @property
    def port(self) -> int:
        """Return the port of clients on the servers' network."""
        return ports.kafka(self.number)

    @property
    def controller_port(self) -> int:
        """Return the port of the quorum."""
        return ports.kafka_controller(self.number)

    @property
    def tunnel_port(self) -> int:
        """Return the port of clients behind the tunnel, who reach it on their own loopback."""
        return ports.kafka_tunnel(self.number)

    @property
    def directory_id(self) -> str:
        """Return the fixed id of the founder's log directory: 16 bytes, base64url."""
        return base64.urlsafe_b64encode(b"dreamseed" + self.number.to_bytes(7, "big")).decode().rstrip("=")

    @property
    def listeners(self) -> str:
        """Return what the node listens on."""
        own = f"INTERNAL://:{self.port},TUNNEL://:{self.tunnel_port}" if self.broker else ""
        quorum = f"CONTROLLER://:{self.controller_port}" if self.controller else ""
        return ",".join(filter(None, (own, quorum)))

    @property
    def advertised(self) -> str:
        """Return what the node tells others to connect to."""
        own = f"INTERNAL://{self.address}:{self.port},TUNNEL://127.0.0.1:{self.tunnel_port}" if self.broker else ""
        quorum = f"CONTROLLER://{self.address}:{self.controller_port}" if self.controller else ""
        return ",".join(filter(None, (own, quorum)))


def plan_brokers(config: StageConfig, hosts: Sequence[Host]) -> tuple[Node, ...]:
    """Return the brokers; those that also vote are marked."""
    placed = spread(config.kafka.brokers, hosts, config.kafka.placement) if config.kafka.brokers else ()
    voters = _voting_numbers(placed, hosts)
    return tuple(
        Node(name=f"kafka-{number}", number=number, host=host, broker=True, controller=number in voters)
        for number, host in enumerate(placed, start=1)
    )


def plan_nodes(config: StageConfig, hosts: Sequence[Host]) -> tuple[Node, ...]:
    """Return the brokers and, where the witness votes, its controller."""
    brokers = plan_brokers(config, hosts)
    witness = next((host for host in _voting_hosts([broker.host for broker in brokers], hosts) if host.in_cloud), None)
    if witness is None:
        return brokers
    controller = Node(name="kafka-witness", number=WITNESS_NODE, host=witness, broker=False, controller=True)
    return (*brokers, controller)


def _voting_hosts(placed: Sequence[Host], hosts: Sequence[Host]) -> tuple[Host, ...]:
    """Return the three hosts that vote, each with a broker or the witness; none where no three are to be had."""
    voting = etcd.voting_hosts(hosts)
    able = len(voting) == 3 and all(host.in_cloud or host in placed for host in voting)
    return voting if able else ()


def _voting_numbers(placed: Sequence[Host], hosts: Sequence[Host]) -> frozenset[int]:
    """Return which brokers vote: the first on each voting host, else the first three (or the only one)."""
    voting = _voting_hosts(placed, hosts)
    if not voting:
        return frozenset(range(1, (FIRST_VOTERS if len(placed) >= FIRST_VOTERS else 1) + 1)) if placed else frozenset()
    return frozenset(placed.index(host) + 1 for host in voting if not host.in_cloud)


def in_order(nodes: Sequence[Node]) -> tuple[Node, ...]:
    """Return the nodes in order of replacement: those that vote, and are waited for until they do, before the others.

    So votes are added before any goes: in the other order two of three voters stop before the new ones have joined,
    and a quorum without a majority takes in nobody (seen with Kafka 4.1.1 on 2026-11-23).
    """
    return (*(node for node in nodes if node.controller), *(node for node in nodes if not node.controller))


def plan_kafka(config: StageConfig, hosts: Sequence[Host]) -> ServicePlan:
    """Return the nodes in order of replacement and the job that shapes the cluster; nothing without brokers."""
    nodes = plan_nodes(config, hosts)
    if not nodes:
        return ServicePlan(component=COMPONENT)
    containers: list[Container] = []
    for node in in_order(nodes):
        previous = (containers[-1].name,) if containers else ()
        containers.append(_node(config, node, nodes, previous))
    containers.append(_cluster_job(config, nodes, containers[-1].name))
    volumes = tuple(
        Volume(
            name=f"{node.name}-data",
            host=node.host.name,
            kind=VolumeKind.DATA,
            size_gib=config.kafka.disk_gib if node.broker else 5,
        )
        for node in nodes
    )
    return ServicePlan(component=COMPONENT, containers=tuple(containers), volumes=volumes)


def _may_lead(node: Node) -> bool:
    """Tell whether a node votes, or may still do so while a promotion is under way.

    A node that has not heard of its leader for `controller.quorum.fetch.timeout.ms` asks the bootstrap servers alone
    from then on. Where the leader is none of them it never catches up, so it cannot join (seen with Kafka 4.1.1 on
    2026-11-26, D to E on a busy machine).
    """
    return node.controller or node.number <= FIRST_VOTERS


def _node(config: StageConfig, node: Node, nodes: Sequence[Node], previous: tuple[str, ...]) -> Container:
    kafka = config.kafka
    founder = nodes[0]
    controllers = ",".join(f"{member.address}:{member.controller_port}" for member in nodes if member.controller)
    bootstrap = ",".join(f"{member.address}:{member.controller_port}" for member in nodes if _may_lead(member))
    joins = node.controller and node is not founder
    properties = render(
        "kafka.properties.j2",
        node=node,
        bootstrap=bootstrap,
        replication=kafka.replication_factor,
        min_insync=kafka.min_insync_replicas,
    )
    founded = f"{founder.number}@{founder.address}:{founder.controller_port}:{founder.directory_id}"
    script = render(
        "kafka-node.sh.j2",
        cluster_id=CLUSTER_ID,
        node=node,
        controllers=controllers,
        joined=JOINED,
        joins=joins,
        leaves=not node.controller and _may_lead(node),
        # Who joins later finds the voters in the running quorum's own log.
        format_arguments=f"--initial-controllers {founded}" if node is founder else "--no-initial-controllers",
    )
    heap = kafka.heap_mib if node.broker else CONTROLLER_HEAP_MIB
    published = [(node.port, "Kafka"), (node.tunnel_port, "Kafka through the tunnel")] if node.broker else []
    published += [(node.controller_port, "Kafka quorum")] if node.controller else []
    probe = f"exec 3<>/dev/tcp/127.0.0.1/{node.port if node.broker else node.controller_port}"
    check = f"[ -f {JOINED} ] && {probe}" if joins else probe
    return Container(
        name=node.name,
        component=COMPONENT,
        service="kafka",
        host=node.host.name,
        image="kafka",
        networks=(NetworkName.DATA,),
        memory_mib=kafka.memory_mib if node.broker else CONTROLLER_MEMORY_MIB,
        cpu_cores=0.75 if node.broker else 0.25,
        user=str(KAFKA_UID),
        environment={"KAFKA_HEAP_OPTS": f"-Xms{heap}m -Xmx{heap}m"},
        entrypoint=("/bin/sh", "/etc/dreamseed/node.sh"),
        files=(
            File(path="/etc/kafka/server.properties", text=properties),
            File(path="/etc/dreamseed/node.sh", text=script),
        ),
        mounts=(Mount(volume=f"{node.name}-data", path="/var/lib/kafka/data"),),
        ports=tuple(Port(container=port, published=port, purpose=purpose) for port, purpose in published),
        # The quorum's log tells who the brokers are.
        hears=tuple(f"{member.address}:{member.port}" for member in nodes if member.broker),
        health=Health(test=("CMD", "bash", "-c", check), start_period_seconds=120),
        stop_grace_seconds=90,
        after=previous,
    )


def assignment(topic: str, partitions: int, replication: int, brokers: Sequence[Node]) -> list[dict[str, Any]]:
    """Return where the copies of each partition of `topic` stand: on the racks in turn, so each holds its share."""
    by_rack: dict[str, list[int]] = {}
    for broker in brokers:
        by_rack.setdefault(broker.host.name, []).append(broker.number)
    racks = list(by_rack.values())
    placed = []
    for partition in range(partitions):
        copies: list[int] = []
        turn = partition
        while len(copies) < replication:
            rack = racks[turn % len(racks)]
            free = [number for number in rack if number not in copies]
            if free:
                copies.append(free[(partition + turn) % len(free)])
            turn += 1
        placed.append({"topic": topic, "partition": partition, "replicas": copies})
    return placed


def assignments(config: StageConfig, brokers: Sequence[Node]) -> dict[str, list[dict[str, Any]]]:
    """Return the assignment of each topic by its name, Kafka's own topics included.

    Consumers commit and transactions end only while `min_insync_replicas` copies of Kafka's own topics live, so
    these must survive what the service's topics survive.
    """
    partitions = {topic.name: topic.partitions for topic in config.kafka.topics}
    partitions |= dict.fromkeys(INTERNAL_TOPICS, INTERNAL_PARTITIONS)
    replication = config.kafka.replication_factor
    return {topic: assignment(topic, count, replication, brokers) for topic, count in partitions.items()}


def _cluster_job(config: StageConfig, nodes: Sequence[Node], after: str) -> Container:
    kafka = config.kafka
    brokers = [node for node in nodes if node.broker]
    placed = assignments(config, brokers)
    script = render(
        "kafka-cluster.sh.j2",
        bootstrap=",".join(f"{node.address}:{node.port}" for node in brokers),
        voting=[node for node in nodes if node.controller],
        topics=[
            {
                "name": topic.name,
                "partitions": topic.partitions,
                "placed": ",".join(_joined(row, ":") for row in placed[topic.name]),
                "settings": " ".join(f"{key}={value}" for key, value in topic_settings(config, topic).items()),
            }
            for topic in kafka.topics
        ],
    )
    rows = "".join(
        f"{row['topic']} {row['partition']} {_joined(row, ',')}\n" for topic in placed.values() for row in topic
    )
    return Container(
        name="kafka-cluster",
        component=COMPONENT,
        service="kafka-cluster",
        host=brokers[0].host.name,
        image="kafka",
        networks=(NetworkName.DATA,),
        memory_mib=384,
        cpu_cores=0.1,
        user=str(KAFKA_UID),
        environment={"KAFKA_HEAP_OPTS": "-Xmx192m"},
        entrypoint=("/bin/sh", "/etc/dreamseed/job.sh"),
        files=(
            File(path="/etc/dreamseed/job.sh", text=script),
            File(path="/etc/dreamseed/placement", text=rows),
        ),
        job=True,
        after=(after,),
    )


def topic_settings(config: StageConfig, topic: Topic) -> dict[str, int]:
    """Return the settings that `topic` has of its own, by Kafka's names."""
    return {
        "min.insync.replicas": config.kafka.min_insync_replicas,
        "retention.ms": topic.retention_hours * MS_PER_HOUR,
    }


def _joined(row: dict[str, Any], by: str) -> str:
    return by.join(map(str, row["replicas"]))

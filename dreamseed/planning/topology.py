"""Who votes and who holds copies, by host: what quorum rules and survivability are derived from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dreamseed.config import StageConfig
from dreamseed.planning.hosts import Host, servers
from dreamseed.planning.services import etcd, kafka, postgres, redis
from dreamseed.planning.services.postgres_instance import Instance


@dataclass(frozen=True, kw_only=True)
class Topology:
    """The members of every system that votes or replicates.

    `etcd` are the hosts of its members in order, `shards` the PostgreSQL instances shard by shard, `copies` the
    brokers that hold each partition, by topic and in the order of partitions.
    """

    hosts: tuple[Host, ...]
    etcd: tuple[Host, ...]
    shards: tuple[tuple[Instance, ...], ...]
    redis: tuple[redis.Node, ...]
    kafka: tuple[kafka.Node, ...]
    copies: Mapping[str, tuple[frozenset[int], ...]]

    @property
    def promises_a_host(self) -> bool:
        """Return whether the loss of any one host can be survived: two servers, and three hosts that vote."""
        return len(servers(self.hosts)) > 1 and len(self.etcd) > 2


def plan_topology(config: StageConfig, hosts: Sequence[Host]) -> Topology:
    """Return the members of the stage's systems."""
    brokers = kafka.plan_brokers(config, hosts)
    assigned = kafka.assignments(config, brokers) if brokers else {}
    return Topology(
        hosts=tuple(hosts),
        etcd=etcd.voting_hosts(hosts),
        shards=tuple(postgres.plan_instances(config, hosts, n) for n in range(1, config.postgres.shards + 1)),
        redis=redis.plan_nodes(config, hosts),
        kafka=kafka.plan_nodes(config, hosts),
        copies={
            topic: tuple(frozenset(row["replicas"]) for row in partitions) for topic, partitions in assigned.items()
        },
    )


def is_majority(votes: int, of: int) -> bool:
    """Tell whether `votes` decide among `of`: more than half."""
    return 2 * votes > of


def redis_voters(nodes: Iterable[redis.Node]) -> tuple[redis.Node, ...]:
    """Return the nodes whose votes count: masters, each of which holds a slot. Source: Redis cluster specification."""
    return tuple(node for node in nodes if node.master)


def synchronous_names(voting: int, asked: int) -> int:
    """Return how many standbys confirm a commit, `voting` instances being able to: Patroni never waits for ever."""
    return max(0, min(asked, voting - 1))

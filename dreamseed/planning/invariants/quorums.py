"""Votes and copies: what a majority and an acknowledged write need, now and without any one host."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dreamseed.planning.hosts import Host, servers
from dreamseed.planning.invariants.rule import Invariant
from dreamseed.planning.services.postgres_instance import Instance
from dreamseed.planning.stage_plan import StagePlan
from dreamseed.planning.topology import is_majority, redis_voters, synchronous_names


def _worst_loss(voters: Iterable[Host], hosts: Iterable[Host]) -> tuple[int, int, str]:
    """Return all votes, those left without the host that holds most, and that host."""
    votes = [host.name for host in voters]
    worst = max(hosts, key=lambda host: votes.count(host.name)).name
    return len(votes), len(votes) - votes.count(worst), worst


def _survives_a_host(name: str, where: str, plan: StagePlan, voters: Iterable[Host], remedy: str) -> Invariant:
    total, left, worst = _worst_loss(voters, plan.hosts)
    return Invariant(
        name=name,
        where=where,
        left=f"{left} of {total} votes are left without {worst}",
        right=f"{total // 2 + 1} decide",
        holds=is_majority(left, total),
        why="with two servers and a third host that votes, the loss of any one of them must leave a majority",
        remedy=remedy,
    )


def votes_are_odd(plan: StagePlan) -> Iterator[Invariant]:
    """etcd and Kafka's controllers have an odd number of votes: one more to an even number only adds a way to stop."""
    for name, where, votes in (
        ("etcd votes", "servers", len(plan.topology.etcd)),
        ("Kafka votes", "kafka › brokers", sum(node.controller for node in plan.topology.kafka)),
    ):
        if votes:
            yield Invariant(
                name=name,
                where=where,
                left=f"{votes} vote{'' if votes == 1 else 's'}",
                right="the number must be odd",
                holds=votes % 2 == 1,
                why="an even number tolerates no more losses than one fewer, and has one more part that can fail",
                remedy="one or three hosts that vote",
            )


def etcd_survives_a_host(plan: StagePlan) -> Iterator[Invariant]:
    """The database's leader can be chosen without any one host."""
    if plan.topology.promises_a_host:
        yield _survives_a_host("etcd without a host", "network › witness", plan, plan.topology.etcd, "a witness")


def kafka_votes_survive_a_host(plan: StagePlan) -> Iterator[Invariant]:
    """Kafka's controllers keep a majority without any one host."""
    voters = [node.host for node in plan.topology.kafka if node.controller]
    if plan.topology.promises_a_host and voters:
        yield _survives_a_host(
            "Kafka without a host", "kafka › placement", plan, voters, "a placement with brokers on each of two servers"
        )


def kafka_copies_are_distinct(plan: StagePlan) -> Iterator[Invariant]:
    """Each copy of a partition stands on a broker of its own, and one may be lost while writes go on."""
    kafka, copies = plan.config.kafka, plan.topology.copies
    if not copies:
        return
    brokers = sum(node.broker for node in plan.topology.kafka)
    fewest = min(len(held) for partitions in copies.values() for held in partitions)
    yield Invariant(
        name="Kafka copies and brokers",
        where="kafka › replication_factor",
        left=f"{kafka.replication_factor} copies on {fewest} brokers of {brokers}",
        right="each copy stands on a broker of its own",
        holds=kafka.replication_factor == fewest <= brokers,
        why="two copies on one broker are lost together",
        remedy=f"replication_factor of at most {brokers}",
    )
    if kafka.replication_factor > 1:
        yield Invariant(
            name="Kafka copies and confirmations",
            where="kafka › min_insync_replicas",
            left=f"{kafka.min_insync_replicas} copies confirm a write",
            right=f"there are {kafka.replication_factor}, of which one may be away",
            holds=kafka.min_insync_replicas < kafka.replication_factor,
            why="the loss of one broker must not stop every write",
            remedy=f"min_insync_replicas of at most {kafka.replication_factor - 1}",
        )


def kafka_copies_survive_a_host(plan: StagePlan) -> Iterator[Invariant]:
    """Without any one server every partition keeps the copies that confirm a write."""
    topology, needed = plan.topology, plan.config.kafka.min_insync_replicas
    if not (topology.promises_a_host and topology.copies):
        return
    rack = {node.number: node.host.name for node in topology.kafka}
    fewest, worst = min(
        (sum(rack[broker] != server.name for broker in held), server.name)
        for server in servers(plan.hosts)
        for partitions in topology.copies.values()
        for held in partitions
    )
    yield Invariant(
        name="Kafka copies without a server",
        where="kafka › replication_factor",
        left=f"a partition keeps {fewest} copies without {worst}",
        right=f"{needed} confirm a write (min_insync_replicas)",
        holds=fewest >= needed,
        why="the loss of either server must not stop writes to any topic, Kafka's own included",
        remedy=f"replication_factor: {needed * 2} over two servers with at least {needed} brokers each",
    )


def redis_survives_a_host(plan: StagePlan) -> Iterator[Invariant]:
    """Without any one host, a cache with replicas keeps a majority of its votes and a member of each shard."""
    nodes = plan.topology.redis
    if not (plan.topology.promises_a_host and plan.config.redis.replicas_per_master):
        return
    voters = [node.host for node in redis_voters(nodes)]
    yield _survives_a_host(
        "Redis without a host", "redis › masters", plan, voters, "masters: 3, with replicas on both servers"
    )
    shards = {shard: {n.host.name for n in nodes if n.shard == shard} for shard in {n.shard for n in nodes} - {0}}
    alone = sorted(shard for shard, hosts in shards.items() if len(hosts) < 2)
    yield Invariant(
        name="Redis replicas and servers",
        where="redis › placement",
        left=f"shard {alone[0]} stands on one server only" if alone else "each shard stands on two servers or more",
        right="a master and its replica stand on different servers",
        holds=not alone,
        why="a replica is there to take over when its master's server is lost",
        remedy="a placement with as many nodes on one server as on the other, or none",
    )


def standbys_cover_another_server(plan: StagePlan) -> Iterator[Invariant]:
    """With several servers a confirmed commit stands on two of them, whichever instance is the primary."""
    asked = plan.config.postgres.synchronous_standbys
    if len(servers(plan.hosts)) < 2 or not asked:
        return
    instances = plan.topology.shards[0]
    voting = [instance for instance in instances if not instance.asynchronous]
    names = synchronous_names(len(voting), asked)
    beside = max(_beside(voting, primary) for primary in voting)
    elsewhere = len({instance.host.name for instance in voting}) > 1
    yield Invariant(
        name="standbys on another server",
        where="postgres › synchronous_standbys",
        left=f"{names} standbys confirm a commit",
        right=f"{beside} that may stand on the primary's own server"
        + ("" if elsewhere else ", and none stands on another"),
        holds=elsewhere and names > beside,
        why="a commit that only one server holds is lost with it, although it was acknowledged",
        remedy="instances on two servers (postgres.placement), and synchronous_standbys: 2 for three or more instances",
    )


def _beside(voting: Iterable[Instance], primary: Instance) -> int:
    return sum(other.host.name == primary.host.name for other in voting) - 1

"""Kafka: whether its controllers decide and every partition keeps the copies that confirm a write.

Sources: Kafka 4.1 documentation (KRaft, replication); measured on 2026-11-23: killing the active controller, leader of
partitions too, stalled them for at most 10.8 s, 10,000 of 10,000 acknowledged events were read back; a voter with an
empty disk, the founder too, was back among the voters and in sync within 20 s.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from dreamseed.config import StageConfig
from dreamseed.planning.services.kafka import Node
from dreamseed.planning.survivability.claims import Claim, DataLoss, Link, Loss, links
from dreamseed.planning.topology import Topology, is_majority

STALL_SECONDS = 11
REPLICA_LAG_SECONDS = 30
"""Kafka's default replica.lag.time.max.ms: a copy that is silent for longer is no longer waited for."""

Outcome = tuple[bool, DataLoss, str]


def claims(config: StageConfig, topology: Topology) -> Iterator[Claim]:
    """Return what happens to the event stream at each loss; nothing where there is none."""
    nodes = topology.kafka
    for node in nodes:
        survives, _, text = _after_loss(config, topology, [node])
        yield _claim(Loss.CONTAINER, node.name, survives, DataLoss.NONE, text)
        survives, data_lost, text = _after_loss(config, topology, [node])
        again = "; it copies its partitions again from the others" if survives and node.broker else ""
        yield _claim(Loss.DISK, f"{node.name}-data", survives, data_lost, text + again)
    for host in topology.hosts:
        lost = [node for node in nodes if node.host.name == host.name]
        if lost:
            yield _claim(Loss.SERVER, host.name, *_after_loss(config, topology, lost))
    if nodes:
        for link in links(topology.hosts):
            yield _claim(Loss.LINK, link.name, *_parted(config, topology, link))


def _claim(loss: Loss, target: str, survives: bool, data_lost: DataLoss, consequence: str) -> Claim:
    return Claim(
        component="kafka", loss=loss, target=target, survives=survives, data_lost=data_lost, consequence=consequence
    )


def _fewest_copies(topology: Topology, lost: Collection[int]) -> int:
    return min(len(held - set(lost)) for partitions in topology.copies.values() for held in partitions)


def _after_loss(config: StageConfig, topology: Topology, lost: Collection[Node]) -> Outcome:
    controllers = [node for node in topology.kafka if node.controller]
    votes = sum(node not in lost for node in controllers)
    copies = _fewest_copies(topology, {node.number for node in lost})
    data_lost = DataLoss.NONE if copies else DataLoss.UNREPLICATED
    needed = min(config.kafka.min_insync_replicas, config.kafka.replication_factor)
    if not is_majority(votes, len(controllers)):
        text = f"{votes} of {len(controllers)} controllers are no majority: no partition gets another leader"
        return False, data_lost, text
    if copies < needed:
        return (
            False,
            data_lost,
            f"some partitions keep {copies} of the {needed} copies that confirm a write: writes stop",
        )
    if not any(node.broker for node in lost):
        return True, DataLoss.NONE, f"{votes} of {len(controllers)} controllers go on"
    text = f"other leaders take over, at most {STALL_SECONDS} s without writes there; nothing acknowledged is lost"
    return True, DataLoss.NONE, text


def _parted(config: StageConfig, topology: Topology, link: Link) -> Outcome:
    """Return what a cut does: a leader writes on a side that reaches the controllers, with the copies of that side."""
    controllers = [node for node in topology.kafka if node.controller]
    needed = min(config.kafka.min_insync_replicas, config.kafka.replication_factor)
    if len({node.host.name for node in topology.kafka} & {link.one.name, link.other.name}) < 2:
        return True, DataLoss.NONE, "its nodes stand on one side of it"
    deciding = [
        (end, away)
        for end, away in link.sides
        if is_majority(sum(node.host.name != away.name for node in controllers), len(controllers))
    ]
    if not deciding:
        return False, DataLoss.NONE, "neither side reaches a majority of the controllers until the link is back"
    for end, away in deciding:
        copies = _fewest_copies(topology, {node.number for node in topology.kafka if node.host.name == away.name})
        if copies < needed:
            text = f"{end.name} keeps {copies} of the {needed} copies that confirm a write for some partitions"
            return False, DataLoss.NONE, f"{text}: their writes stop until the link is back"
    text = f"writes wait up to {REPLICA_LAG_SECONDS} s for the copies on the other side, then go on without them"
    return True, DataLoss.NONE, text

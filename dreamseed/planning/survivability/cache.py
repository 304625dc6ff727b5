"""Redis: whether a shard's replica may take over.

A failover needs the votes of a majority of the masters that hold a slot. Source: Redis cluster specification;
measured on 2026-11-23: a replica was master 3.6 to 4.1 s after a kill with a node timeout of 2,000 ms.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from dreamseed.config import StageConfig
from dreamseed.config.data import EvictionPolicy
from dreamseed.planning.services.redis import Node
from dreamseed.planning.survivability.claims import Claim, DataLoss, Link, Loss, links
from dreamseed.planning.topology import Topology, is_majority, redis_voters

FAILOVER_SECONDS = 4
SLOTS = 16_384


@dataclass(frozen=True)
class Outcome:
    """What becomes of the cache. A failover forgets what the replica had not received, whether disks stay or not."""

    survives: bool
    consequence: str
    failover: bool = False
    keys_on_disk: bool = False


def claims(config: StageConfig, topology: Topology) -> Iterator[Claim]:
    """Return what happens to the cache at each loss; nothing where there is none."""
    nodes = topology.redis
    evicts = config.redis.eviction is not EvictionPolicy.NOEVICTION
    worst = DataLoss.CACHE if evicts else DataLoss.UNREPLICATED

    def claim(loss: Loss, target: str, outcome: Outcome, *, wiped: bool, text: str = "") -> Claim:
        forgotten = outcome.failover or (wiped and outcome.keys_on_disk)
        return Claim(
            component="redis",
            loss=loss,
            target=target,
            survives=outcome.survives,
            data_lost=worst if forgotten else DataLoss.NONE,
            consequence=outcome.consequence + text,
        )

    for node in nodes:
        outcome = _after_loss(nodes, [node])
        yield claim(Loss.CONTAINER, node.name, outcome, wiped=False)
        stranger = "; it comes back as a stranger and has to be taken in again by hand"
        yield claim(Loss.DISK, f"{node.name}-data", outcome, wiped=True, text=stranger)
    for host in topology.hosts:
        lost = [node for node in nodes if node.host.name == host.name]
        if lost:
            yield claim(Loss.SERVER, host.name, _after_loss(nodes, lost), wiped=True)
    for link in links(topology.hosts) if nodes else ():
        yield claim(Loss.LINK, link.name, _parted(nodes, link), wiped=False)


def _after_loss(nodes: Collection[Node], lost: Collection[Node]) -> Outcome:
    """Return whether every shard has a master again when the nodes `lost` go at once, and how."""
    shards = {node.shard for node in nodes} - {0}
    voters = redis_voters(nodes)
    votes = sum(voter not in lost for voter in voters)
    without = [shard for shard in shards if all(node in lost for node in nodes if node.shard == shard)]
    headless = [node for node in lost if node.shard and node.master and node.shard not in without]
    if without:
        text = f"away: {len(without)} of {len(shards)} shards; what stood there is asked of the database again"
        return Outcome(False, text, keys_on_disk=True)
    if headless and not is_majority(votes, len(voters)):
        text = f"{votes} of {len(voters)} votes are no majority: no replica takes over, its shards are away"
        return Outcome(False, text, keys_on_disk=True)
    if headless:
        text = f"replicas take over in about {FAILOVER_SECONDS} s; writes that had not reached them are lost"
        return Outcome(True, text, failover=True)
    if all(node.shard == 0 for node in lost):
        return Outcome(True, f"only votes and {len(lost)} of {SLOTS:,} slots are away", keys_on_disk=True)
    return Outcome(True, "its master goes on without this replica")


def _parted(nodes: Collection[Node], link: Link) -> Outcome:
    """Return what a cut does: a side with a majority of votes goes on, and takes over only what a majority misses."""
    if len({node.host.name for node in nodes} & {link.one.name, link.other.name}) < 2:
        return Outcome(True, "its nodes stand on one side of it")
    voters = redis_voters(nodes)
    deciding = [
        away
        for _, away in link.sides
        if is_majority(sum(voter.host.name != away.name for voter in voters), len(voters))
    ]
    if len(deciding) == 2:
        return Outcome(
            True,
            "both sides reach a majority, so nothing moves; replicas on the other side fall behind until it is back",
        )
    if not deciding:
        return Outcome(False, "neither side reaches a majority of the votes: both stop until the link is back")
    outcome = _after_loss(nodes, [node for node in nodes if node.host.name == deciding[0].name])
    return replace(outcome, consequence=f"the side without {deciding[0].name} goes on: {outcome.consequence}")

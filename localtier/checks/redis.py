"""Whether the cache's cluster is whole: every slot served, every replica connected, nobody lost in anyone's table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dreamseed.planning.services.redis import Node
from dreamseed.planning.survivability.cache import SLOTS
from localtier.checks.finding import Finding, compared, none_of
from localtier.checks.site import Site

_SPLIT = "===="
_ASK = (
    'export REDISCLI_AUTH="$(cat /run/secrets/redis)"; ask() { redis-cli -p "$0" --no-auth-warning "$@"; }; '
    f"ask cluster info; echo {_SPLIT}; ask cluster nodes; echo {_SPLIT}; ask info replication"
)


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of a node table. `slots` counts what the node serves, `moving` the slots under way.

    Source: Redis command documentation, CLUSTER NODES.
    """

    id: str
    address: str
    flags: frozenset[str]
    master: str
    slots: int
    moving: int


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What one node says of itself and of the others."""

    state: str
    assigned: int
    table: tuple[Line, ...]
    link_up: bool | None
    """A replica's link to its master; None for a master."""

    @property
    def myself(self) -> Line:
        """Return the node's own line."""
        return next(line for line in self.table if "myself" in line.flags)


def redis(site: Site) -> Iterator[Finding]:
    """Ask every node, and compare what they say with the plan; nothing without a cache."""
    nodes = site.plan.topology.redis
    if nodes:
        answers = {node.name: site.exec_text(node.name, ["sh", "-c", _ASK, str(node.port)]) for node in nodes}
        yield from cluster_findings(nodes, {name: parse(text) for name, text in answers.items()})


def parse(text: str) -> Seen:
    """Return what a node said, given the three answers in one text; raises ValueError when one is missing."""
    info, table, replication = text.replace("\r", "").split(f"{_SPLIT}\n")
    said = _fields(info)
    link = _fields(replication).get("master_link_status")
    return Seen(
        state=said.get("cluster_state", "unknown"),
        assigned=int(said.get("cluster_slots_assigned", 0)),
        table=tuple(_line(line) for line in table.splitlines() if line),
        link_up=None if link is None else link == "up",
    )


def _fields(text: str) -> dict[str, str]:
    return {key: value for key, colon, value in (line.partition(":") for line in text.splitlines()) if colon}


def _line(text: str) -> Line:
    name, address, flags, master, _, _, _, _, *ranges = text.split()
    served = [part.split("-") for part in ranges if not part.startswith("[")]
    return Line(
        id=name,
        address=address.partition("@")[0],
        flags=frozenset(flags.split(",")),
        master="" if master == "-" else master,
        slots=sum(int(part[-1]) - int(part[0]) + 1 for part in served),
        moving=sum(part.startswith("[") for part in ranges),
    )


def cluster_findings(nodes: Sequence[Node], seen: Mapping[str, Seen]) -> Iterator[Finding]:
    """Return what each node's state, table and link say against the plan."""
    yield none_of(
        f"cache: state and {SLOTS} slots on every node",
        [
            f"{name}: {one.state}, {one.assigned} slots"
            for name, one in seen.items()
            if (one.state, one.assigned) != ("ok", SLOTS)
        ],
    )
    yield none_of("cache: nobody is lost, joining or moving slots", list(_oddities(nodes, seen)))
    yield compared("cache: masters of shards", len(_leading(nodes, seen)), len({one.shard for one in nodes} - {0}))
    yield none_of("cache: each shard has one master, and its replicas follow it", list(_shard_faults(nodes, seen)))
    yield none_of(
        "cache: each witness holds a slot",
        [one.name for one in nodes if not one.shard and not _serves(seen[one.name])],
    )
    yield none_of("cache: links to masters are up", [name for name, one in seen.items() if one.link_up is False])


def _serves(one: Seen) -> bool:
    return "master" in one.myself.flags and one.myself.slots > 0


def _leading(nodes: Sequence[Node], seen: Mapping[str, Seen]) -> list[Node]:
    return [node for node in nodes if node.shard and _serves(seen[node.name])]


def _oddities(nodes: Sequence[Node], seen: Mapping[str, Seen]) -> Iterator[str]:
    planned = {seen[node.name].myself.id: node for node in nodes}
    odd = {"fail", "fail?", "noaddr", "handshake"}
    for name, one in seen.items():
        for line in one.table:
            if line.flags & odd:
                yield f"{name} sees {line.address} as {','.join(sorted(line.flags & odd))}"
            elif line.id not in planned:
                yield f"{name} knows {line.address}, which is not planned"
            elif line.address != planned[line.id].endpoint:
                yield f"{name} sees {planned[line.id].name} at {line.address}"
            if line.moving:
                yield f"{name}: {line.moving} slots are moving"
        for gone in planned.keys() - {line.id for line in one.table}:
            yield f"{name} does not know {planned[gone].name}"


def _shard_faults(nodes: Sequence[Node], seen: Mapping[str, Seen]) -> Iterator[str]:
    for shard in sorted({node.shard for node in nodes} - {0}):
        members = [node for node in nodes if node.shard == shard]
        leaders = [node.name for node in _leading(members, seen)]
        if len(leaders) != 1:
            yield f"shard {shard} is led by {', '.join(leaders) or 'nobody'}"
            continue
        leader = seen[leaders[0]].myself.id
        for node in members:
            if node.name != leaders[0] and seen[node.name].myself.master != leader:
                yield f"{node.name} does not replicate {leaders[0]}"

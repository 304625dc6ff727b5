"""etcd: whether the database's leader can be chosen.

Sources: etcd documentation (failures, replacing a failed member); Patroni documentation (failsafe mode) and its
``patroni/dcs/etcd.py`` 4.1.5, `StaleEtcdNodeGuard`, read 2026-11-27: an etcd with a lower term than the one it knew is
refused, and a wiped single member begins anew with the same cluster's id and a lower term. Tried at A. What a wiped
member of three does by itself was not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dreamseed.planning.hosts import Host
from dreamseed.planning.survivability.claims import Claim, DataLoss, Loss, links
from dreamseed.planning.topology import Topology, is_majority


def claims(topology: Topology) -> Iterator[Claim]:
    """Return what happens to each member, and to the choice of a leader, at each loss."""
    members = topology.etcd
    alone = len(members) == 1

    def claim(loss: Loss, target: str, survives: bool, consequence: str) -> Claim:
        return Claim(
            component="etcd",
            loss=loss,
            target=target,
            survives=survives,
            data_lost=DataLoss.NONE,
            consequence=consequence,
        )

    left = is_majority(len(members) - 1, len(members))
    lost_text = f"{len(members) - 1} of {len(members)} votes go on" if left else "no leader can be chosen"
    if alone:
        lost_text = (
            "the primary goes on in Patroni's failsafe mode while it reaches every instance; nobody can take over "
            "until etcd is back"
        )
    rejoin = (
        "starts empty, and Patroni refuses it, as older than the one it knew. The primary goes on in failsafe mode "
        "until the database's containers are started again, the primary's first"
        if alone
        else f"{lost_text}; remove the member and add it again by hand before it starts on an empty disk"
    )
    for number, host in enumerate(members, start=1):
        yield claim(Loss.CONTAINER, f"etcd-{number}", alone or left, lost_text)
        yield claim(Loss.DISK, f"etcd-{number}-data", alone or left, rejoin)
        yield claim(Loss.SERVER, host.name, left, "it goes with its server" if alone else lost_text)
    for link in links(topology.hosts):
        whole = [end.name for end, away in link.sides if _majority_without(away, members)]
        text = f"still reaching a majority: {' and '.join(whole) or 'neither side'}"
        yield claim(Loss.LINK, link.name, bool(whole), text)


def _majority_without(away: Host, members: Sequence[Host]) -> bool:
    return is_majority(sum(member.name != away.name for member in members), len(members))

"""What a plan claims about one loss, so that a person can read it and an experiment can try it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

from dreamseed.planning.hosts import Host, servers


class Loss(StrEnum):
    """One thing that is lost while everything else works."""

    CONTAINER = "container"
    """Killed, and it stays away. (A crash that Docker restarts from is shorter.)"""
    DISK = "disk"
    """A volume is wiped, and its containers start again on the empty one."""
    SERVER = "server"
    """A host with all its containers and volumes."""
    LINK = "link"
    """No packet passes between two servers; both still reach the witness and the internet."""


class DataLoss(StrEnum):
    """What is gone for good, the worst that can happen."""

    NONE = "none"
    CACHE = "cache"
    """Only what is fetched or computed again."""
    UNREPLICATED = "unreplicated"
    """What no other copy held yet, or no other copy was kept of."""
    UP_TO_RPO = "up to RPO"
    SINCE_LAST_COPY = "since the last off-site copy"


def worst(kinds: Iterable[DataLoss]) -> DataLoss:
    """Return the worst of `kinds`, in the order of `DataLoss`; nothing is lost where there are none."""
    return max(kinds, key=tuple(DataLoss).index, default=DataLoss.NONE)


@dataclass(frozen=True, kw_only=True)
class Claim:
    """`component` survives the loss of `target`, or not, and what happens then.

    It survives when it goes on serving without anyone acting, after a short interruption at most, for clients that
    try again.
    """

    component: str
    loss: Loss
    target: str
    survives: bool
    data_lost: DataLoss
    consequence: str


@dataclass(frozen=True, kw_only=True)
class Link:
    """The network between two servers."""

    one: Host
    other: Host

    @property
    def name(self) -> str:
        """Return both ends, in the order of the stage file."""
        return f"{self.one.name} – {self.other.name}"

    @property
    def sides(self) -> tuple[tuple[Host, Host], tuple[Host, Host]]:
        """Return each end and the host that it does not reach."""
        return (self.one, self.other), (self.other, self.one)


def links(hosts: Sequence[Host]) -> Iterator[Link]:
    """Return the link between each pair of servers."""
    return (Link(one=one, other=other) for one, other in combinations(servers(hosts), 2))

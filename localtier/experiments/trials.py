"""What is to be tried: the claims of a plan as trials, one for each thing that can be lost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from dreamseed.planning.stage_plan import StagePlan
from dreamseed.planning.survivability import WHOLE, Claim, Loss, survivability


class Client(StrEnum):
    """Who notices that a component is away: a client of the load, or a page on a server's address."""

    POSTGRES = "postgres"
    REDIS = "redis"
    KAFKA = "kafka"
    CHAT = "chat"
    PROMETHEUS = "prometheus"
    ALERTMANAGER = "alertmanager"
    GRAFANA = "grafana"


_CLIENTS = {
    "vllm": (Client.CHAT,),
    "vllm-router": (Client.CHAT,),
    "pgbouncer": (Client.POSTGRES,),
    "etcd": (Client.POSTGRES,),
    "redis": (Client.REDIS,),
    "kafka": (Client.KAFKA,),
    "prometheus": (Client.PROMETHEUS,),
    "alertmanager": (Client.ALERTMANAGER,),
    "grafana": (Client.GRAFANA,),
}
_USERS = (Client.POSTGRES, Client.REDIS, Client.KAFKA, Client.CHAT)
NOT_TRIED = {
    "cloud run": "runs in the cloud, which is rehearsed here",
    "autoscaler": "users notice nothing: it buys for peaks, and what it bought ends by itself",
    "backup": "users notice nothing at once; restoring is what proves a backup",
    "wireguard": "tried as the loss of the link between the servers",
    "packet-filter": "users notice nothing: its rules stay in the server's kernel",
}


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One loss and every claim about it that can be tried here."""

    loss: Loss
    target: str
    claims: tuple[Claim, ...]

    @property
    def name(self) -> str:
        """Return what is lost, in words."""
        return f"{self.loss} {self.target}"


def trials_of(plan: StagePlan) -> tuple[Trial, ...]:
    """Return the trials of `plan`'s claims, in their order; claims of `NOT_TRIED` components are left out."""
    grouped: dict[tuple[Loss, str], list[Claim]] = {}
    for claim in survivability(plan):
        if claim.component not in NOT_TRIED and claim.component != WHOLE:
            grouped.setdefault((claim.loss, claim.target), []).append(claim)
    return tuple(Trial(loss=loss, target=target, claims=tuple(claims)) for (loss, target), claims in grouped.items())


def claims_not_tried(plan: StagePlan) -> tuple[Claim, ...]:
    """Return the claims that no experiment here can try."""
    return tuple(claim for claim in survivability(plan) if claim.component in NOT_TRIED)


def clients_of(component: str, present: Iterable[Client]) -> tuple[Client, ...]:
    """Return which of the `present` clients notice that `component` is away.

    Raises KeyError for a component that no client is known for: a new one must be given its client.
    """
    if component.startswith(("postgres shard", "pg-proxy")):
        wanted: tuple[Client, ...] = (Client.POSTGRES,)
    elif component == "tunnel":
        wanted = _USERS
    else:
        wanted = _CLIENTS[component]
    there = set(present)
    return tuple(client for client in wanted if client in there)


def sample(trials: Sequence[Trial]) -> tuple[Trial, ...]:
    """Return the first trial of each kind of loss and set of components, and every server and link.

    So each kind of container and of volume is lost once.
    """
    chosen: dict[tuple[object, ...], Trial] = {}
    for trial in trials:
        whole = trial.loss in (Loss.SERVER, Loss.LINK)
        of = (trial.target,) if whole else tuple(claim.component for claim in trial.claims)
        chosen.setdefault((trial.loss, *of), trial)
    return tuple(chosen.values())

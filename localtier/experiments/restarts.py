"""Docker Engines killed and started again, one host after the other: what ran there comes back by itself."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from docker.errors import DockerException
from requests import RequestException

from dreamseed.planning.stage_plan import StagePlan
from localtier.experiments.noticing import Watch, interruption_seconds, present
from localtier.experiments.survival import RunningStage
from localtier.experiments.trials import Client
from localtier.load.run import LoadRun
from localtier.tier import Tier
from rehearsal.hosts import HostsError


@dataclass(frozen=True, kw_only=True)
class Restart:
    """An engine killed and started again: each client's longest time without a success, and until all was whole.

    `broken` is what was not as planned when the time for that was over.
    """

    host: str
    away_seconds: Mapping[Client, float]
    whole_seconds: float
    broken: tuple[str, ...]


class Restartable(Protocol):
    """A running stage whose engines can be restarted."""

    def restart_engine(self, host: str) -> None:
        """Kill a host's Docker Engine and start it again."""

    def unhealthy(self) -> list[str]:
        """Wait until everything is as planned; return what is not when the time is over."""

    def shape_cache(self) -> None:
        """Give the cache's planned masters their role back."""

    def watching(self, clients: frozenset[Client]) -> AbstractContextManager[Watch]:
        """Watch clients until the block ends."""


def restart_engines(tier: Tier, plan: StagePlan, load: LoadRun) -> list[Restart]:
    """Restart each engine of the stage that stands, under `load`, see `restart_each`."""
    stage = RunningStage(world=tier.world(plan), plan=plan, tier=tier, load=load)
    return restart_each(stage, [host.name for host in plan.hosts], present(plan))


def restart_each(stage: Restartable, hosts: Sequence[str], clients: Collection[Client]) -> list[Restart]:
    """Restart the engine of each of `hosts`, and wait each time until everything is whole again.

    Then the cache's masters go back to where they were: on one server they would not survive its loss.
    After one that leaves something broken the rest is not tried: nothing could be told from it.
    """
    done: list[Restart] = []
    for host in hosts:
        with stage.watching(frozenset(clients)) as watch:
            since = watch.now()
            try:
                stage.restart_engine(host)
                broken = tuple(stage.unhealthy())
            except (HostsError, DockerException, RequestException) as error:
                broken = (f"could not be done: {error}",)
            now = watch.now()
            away = {one: round(interruption_seconds(watch.events(one), since, now), 1) for one in sorted(clients)}
        done.append(Restart(host=host, away_seconds=away, whole_seconds=round(now - since, 1), broken=broken))
        if broken:
            break
        stage.shape_cache()
    return done


def line(one: Restart) -> str:
    """Return a restart in a line."""
    away = ", ".join(f"{client} {seconds:.1f} s" for client, seconds in one.away_seconds.items())
    text = f"Docker Engine of {one.host} killed and started: whole after {one.whole_seconds:.0f} s; away: {away}"
    return f"{text}; not as planned: {'; '.join(one.broken)}" if one.broken else text


def problems(restarts: Sequence[Restart]) -> Iterator[str]:
    """Return what did not come back."""
    return (line(one) for one in restarts if one.broken)

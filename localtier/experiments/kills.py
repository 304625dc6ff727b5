"""Killing the Pulumi engine or a Docker Engine in the middle of a promotion, and letting the next `up` finish it."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from dreamseed.planning.stage_plan import StagePlan
from localtier.tier import Tier
from rehearsal.hosts import World, faults
from rehearsal.runner.engine import Interruption, Reached, Run

MOST_CHANGES = 3
"""A kill comes after 1 to so many changes of its run, so that a promotion can be killed again and again."""


AT_ONCE = 2
"""So few resources does an engine change at once that is one of several to be killed: else the first runs, and what
they had begun, leave nothing to do for the later ones (A to B was over after two of eight kills)."""


NOT_REPEATABLE = ("gcp:", "cloudflare:", "grafana:", "pulumi-python:")
"""Types of which a creation that no state records is refused when it is repeated: "already exists" (seen with Grafana's
stack). A person has to import such a one, as in docs/how-to/promote-a-stage.md; on the servers it is adopted."""


PORT_KEPT = re.compile(r"Bind for (?P<address>[0-9.]+):(?P<port>\d+) failed: port is already allocated")
"""What Docker says of a port that a container holds, and sometimes, after it was killed, of one that none holds.

Source: moby issue 36591 (open), seen with 20.10; a restart of the Docker Engine frees the port.
"""


class Victim(StrEnum):
    """What is killed, with SIGKILL."""

    PULUMI = "Pulumi engine"
    DOCKER = "Docker Engine"


@dataclass(frozen=True, kw_only=True)
class Kill:
    """A kill to be made once a run has begun to change `after_changes` resources; `host` is a Docker Engine's."""

    victim: Victim
    after_changes: int
    host: str = ""

    @property
    def name(self) -> str:
        """Return what is killed, and when."""
        of = f" of {self.host}" if self.host else ""
        return f"{self.victim}{of} after {self.after_changes} changes"


def draw(plan: StagePlan, victims: Sequence[Victim], seed: int) -> tuple[Kill, ...]:
    """Return a random kill of each of `victims` for the promotion that leaves `plan`, the same ones for a seed."""
    chance = random.Random(f"{seed} {plan.name}")  # noqa: S311 - repeatable, not secret
    hosts = [host.name for host in plan.hosts]
    return tuple(
        Kill(
            victim=victim,
            after_changes=chance.randint(1, MOST_CHANGES),
            host=chance.choice(hosts) if victim is Victim.DOCKER else "",
        )
        for victim in victims
    )


@dataclass
class Killing:
    """Brings a tier to `stage` through `kills`, each in a run of its own; the run after the last one must finish it.

    `made` are the kills that came about: a run may end before its own. `freed` are the ports that a Docker Engine kept
    for no container: it was restarted, as docs/how-to/promote-a-stage.md says.
    """

    tier: Tier
    world: World
    stage: str
    kills: Sequence[Kill]
    reached: Reached

    def __post_init__(self) -> None:
        self.made: list[Kill] = []
        self.freed: list[str] = []

    def bring(self) -> Run:
        """Do it, and return the last run."""
        for kill in self.kills:
            run = self._up(self._interruption(kill))
            if not run.interrupted:
                return run
            self.made.append(kill)
        return self._up(None)

    def _up(self, interruption: Interruption | None) -> Run:
        run = self.tier.up(self.stage, self.reached, interruption=interruption)
        kept = {} if run.interrupted else ports_kept(self.world, run.errors)
        for host in sorted(set(kept.values())):
            faults.restart_engine(self.world, host)
        self.freed += kept
        return self.tier.up(self.stage, self.reached, interruption=interruption) if kept else run

    def _interruption(self, kill: Kill) -> Interruption:
        strike = self._restart(kill.host) if kill.victim is Victim.DOCKER else None
        at_once = AT_ONCE if len(self.kills) > 1 else None
        return Interruption(after_changes=kill.after_changes, strike=strike, at_once=at_once, spared=NOT_REPEATABLE)

    def _restart(self, host: str) -> Callable[[], None]:
        def strike() -> None:
            faults.kill_engine(self.world, host)
            faults.start_engine(self.world, host)

        return strike

    @property
    def not_made(self) -> tuple[Kill, ...]:
        """Return the kills that did not come about: the promotion was over before."""
        return tuple(self.kills[len(self.made) :])


def ports_kept(world: World, errors: Sequence[str]) -> dict[str, str]:
    """Return the ports that an engine says are taken though no container of it that runs has them, with their hosts."""
    kept: dict[str, str] = {}
    names = {host.address: host.name for host in world.hosts}
    for told in PORT_KEPT.finditer("\n".join(errors)):
        host = names[told["address"]]
        if told["port"] not in ports_held(world, host):
            kept[f"{told['address']}:{told['port']}"] = host
    return kept


def ports_held(world: World, host: str) -> frozenset[str]:
    """Return the ports that the host's running containers publish."""
    client = world.client(host)
    try:
        bindings = [container.attrs["HostConfig"].get("PortBindings") or {} for container in client.containers.list()]
    finally:
        client.close()
    return frozenset(str(one["HostPort"]) for ports in bindings for given in ports.values() for one in given or ())

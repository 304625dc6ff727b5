"""What clients notice while something is away: ledgers of the load that grow, and pages that are asked for."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from dreamseed.planning.stage_plan import StagePlan
from localtier.experiments.trials import Client
from localtier.load.figures import longest_gap
from localtier.load.ledger import Event, Outcome, event_of
from rehearsal.hosts import World

QUIET_SECONDS = 3.0
"""So long without an error, and with successes in every lane, before a client is said to work."""
FRESH_SECONDS = 1.0
POLL_SECONDS = 0.25
PAGE_SECONDS = 2
TROUBLE = frozenset({Outcome.FAILED, Outcome.IN_DOUBT, Outcome.LOST})
LEDGERS: Mapping[Client, str] = MappingProxyType(
    {
        Client.POSTGRES: "postgres.jsonl",
        Client.REDIS: "redis-[0-9]*.jsonl",
        Client.KAFKA: "kafka.jsonl",
        Client.CHAT: "chat.jsonl",
    }
)
"""The writers' ledgers in the load's folder. Source: localtier/load, the names of its clients."""
PAGES: Mapping[Client, str] = MappingProxyType(
    {Client.PROMETHEUS: "/-/ready", Client.ALERTMANAGER: "/-/ready", Client.GRAFANA: "/api/health"}
)
"""The pages that the containers' own health checks ask for. Source: dreamseed/planning/services/monitoring_*.py."""


class Watch(Protocol):
    """What clients did so far, by the clock that their events are written by (seconds since 1970)."""

    def events(self, client: Client) -> Sequence[Event]:
        """Return a client's events in order of time, from some seconds before the loss on."""

    def now(self) -> float:
        """Return the time."""

    def sleep(self, seconds: float) -> None:
        """Let time pass."""


def lanes_of(events: Iterable[Event]) -> frozenset[str]:
    """Return the lanes that had a success: each of them has to have one again."""
    return frozenset(event.lane for event in events if event.outcome is Outcome.OK)


def works(events: Iterable[Event], lanes: Collection[str], since: float, now: float) -> bool:
    """Tell whether a client works `now`, seen by what happened after `since`.

    No error for `QUIET_SECONDS`, meanwhile a success in every one of `lanes`, and one in the last second.
    """
    if now - since < QUIET_SECONDS:
        return False
    recent = [event for event in events if now - QUIET_SECONDS < event.time <= now]
    succeeded = [event for event in recent if event.outcome is Outcome.OK]
    return (
        not any(event.outcome in TROUBLE for event in recent)
        and lanes_of(succeeded) >= set(lanes)
        and any(event.time > now - FRESH_SECONDS for event in succeeded)
    )


def interruption_seconds(events: Sequence[Event], since: float, now: float) -> float:
    """Return the longest time without a success of any lane between `since` and `now`, up to `now` where it lasts."""
    until_now = [event for event in events if event.time <= now]
    gap = longest_gap([*until_now, Event(time=now, outcome=Outcome.FAILED)], since, now)
    return gap.seconds if gap else 0.0


@dataclass
class Tail:
    """New lines of a client's ledgers, read from where they ended when this was made."""

    folder: Path
    pattern: str
    _offsets: dict[Path, int] = field(default_factory=dict)
    _rests: dict[Path, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._offsets.update({path: path.stat().st_size for path in self.folder.glob(self.pattern)})

    def take(self) -> Iterator[Event]:
        """Return the events since the last call. A line that is still being written comes with the next call.

        One that was cut short by a kill is left out.
        """
        for path in sorted(self.folder.glob(self.pattern)):
            with path.open("rb") as ledger:
                ledger.seek(self._offsets.get(path, 0))
                new = ledger.read()
            self._offsets[path] = self._offsets.get(path, 0) + len(new)
            *lines, self._rests[path] = (self._rests.get(path, "") + new.decode()).split("\n")
            yield from (event for line in lines if (event := event_of(line)) is not None)


class Probe:
    """Asks for a page from outside of the servers, again and again, until it is stopped."""

    def __init__(self, world: World, url: str) -> None:
        options = ("-sf", "-m", str(PAGE_SECONDS), "-o", "/dev/null")
        self._command = world.outside(["curl", *options, url])
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=url, daemon=True)
        self.events: list[Event] = []
        self._thread.start()

    def _run(self) -> None:
        while not self._stopping.wait(POLL_SECONDS):
            answered = subprocess.run(self._command, capture_output=True, check=False).returncode == 0
            self.events.append(Event(time=time.time(), outcome=Outcome.OK if answered else Outcome.FAILED))

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        self._thread.join()


class RunningWatch:
    """The load's ledgers and the pages, of the `clients` that are given."""

    def __init__(self, tails: Mapping[Client, Tail], probes: Mapping[Client, Probe]) -> None:
        self._tails = tails
        self._probes = probes
        self._seen: dict[Client, list[Event]] = {client: [] for client in tails}

    def events(self, client: Client) -> Sequence[Event]:
        """Return a client's events since this watch began, in order of time."""
        if client in self._probes:
            return tuple(self._probes[client].events)
        seen = self._seen[client]
        seen.extend(self._tails[client].take())
        seen.sort(key=lambda event: event.time)
        return seen

    def now(self) -> float:
        """Return the time."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        time.sleep(seconds)


@contextmanager
def watching(plan: StagePlan, world: World, ledgers: Path, clients: Iterable[Client]) -> Iterator[RunningWatch]:
    """Watch `clients` until the block ends; `ledgers` is the load's folder."""
    wanted = set(clients)
    urls = pages(plan)
    probes = {client: Probe(world, urls[client]) for client in sorted(wanted & set(PAGES))}
    try:
        yield RunningWatch({client: Tail(ledgers, LEDGERS[client]) for client in sorted(wanted & set(LEDGERS))}, probes)
    finally:
        for probe in probes.values():
            probe.stop()


def pages(plan: StagePlan) -> dict[Client, str]:
    """Return where each page of the stage is, on its server's private address."""
    addresses = {host.name: host.address for host in plan.hosts}
    return {
        client: f"http://{addresses[container.host]}:{container.ports[0].published}{path}"
        for client, path in PAGES.items()
        for container in plan.containers
        if container.service == client and container.ports
    }


def services(plan: StagePlan) -> tuple[Client, ...]:
    """Return the load's clients that a stage has."""
    lacks = {Client.REDIS: not plan.topology.redis, Client.KAFKA: not plan.topology.kafka}
    return tuple(client for client in LEDGERS if not lacks.get(client, False))


def present(plan: StagePlan) -> tuple[Client, ...]:
    """Return the clients of the services that the stage has, the pages too."""
    return (*services(plan), *pages(plan))

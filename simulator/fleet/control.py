"""How an autoscaler's answers become machines: ours by `decide`, the others by a number of workers."""

from __future__ import annotations

from typing import Protocol

from autoscaler.cloud import DRAIN_ITEM, EXPIRY_LABEL, OWNER_LABEL
from autoscaler.policy import Policy
from autoscaler.records import Observation, State
from autoscaler.tick import turn
from simulator.compute.direct import DirectCloud
from simulator.compute.model import Compute, Machine, RefusedError
from simulator.fleet.scaler import Scaler, Seen

ZONES = ("us-central1-a", "us-central1-b", "us-central1-c")
FOREVER_SECONDS = 1e8
DRAIN_SECONDS = 120.0
"""How long a worker of the others may drain: as long as ours."""
AMPLE_USD = 100_000.0


class Control(Protocol):
    """An autoscaler with its hands: `actions` counts what it asked for, up and down."""

    name: str
    seconds: float
    actions: int

    def act(self, seen: Seen) -> None:
        """Decide and ask the cloud."""


class Held:
    """Keeps the state as it is."""

    def __init__(self) -> None:
        self.state = State()

    def read(self) -> State:
        """Return the state."""
        return self.state

    def save(self, state: State) -> None:
        """Keep the state."""
        self.state = state


class Ours:
    """The daemon's own turn, with every threshold and limit of `policy`."""

    seconds = 15.0

    def __init__(self, name: str, policy: Policy, compute: Compute) -> None:
        self.name, self.actions = name, 0
        self._policy = policy
        self._keeper, self._cloud = Held(), DirectCloud(compute, policy.owner)

    def act(self, seen: Seen) -> None:
        """Take a turn with what a Prometheus would say."""
        observation = Observation(
            taken_at=seen.now,
            kv_cache_usage=min(1.0, seen.kv_cache_usage),
            running=float(seen.running),
            waiting=float(seen.waiting),
            first_token_seconds=seen.first_token_seconds,
            headroom_usd=AMPLE_USD,
        )
        before = self._keeper.state
        turn(self._keeper, self._cloud, observation, self._policy, seen.now, lambda _: None)
        after = self._keeper.state
        self.actions += after.launches - before.launches
        self.actions += after.changed_down_at != before.changed_down_at


class Wanted:
    """A number of workers made true: missing ones are launched, of too many the newest drains and goes.

    A stock-out is tried again with the next decision, in the next zone.
    """

    OWNER = "baseline"

    def __init__(self, scaler: Scaler, compute: Compute) -> None:
        self.name, self.seconds, self.actions = scaler.name, scaler.seconds, 0
        self._scaler, self._compute, self._number = scaler, compute, 0

    def act(self, seen: Seen) -> None:
        """Ask the scaler, then the cloud."""
        now = seen.now
        alive = [one for one in self._compute.machines if now < one.ends_at]
        staying = [one for one in alive if DRAIN_ITEM not in one.metadata]
        for machine in alive:
            since = machine.metadata.get(DRAIN_ITEM)
            if since is not None and (now >= machine.drained_at or now - float(since) >= DRAIN_SECONDS):
                self._compute.delete(machine.name, machine.zone, now)
        wanted = self._scaler.workers(seen)
        for _ in range(wanted - len(staying)):
            self._launch(now)
        for machine in staying[wanted:][::-1] if wanted < len(staying) else ():
            self._release(machine, now)

    def _launch(self, now: float) -> None:
        self._number += 1
        self.actions += 1
        name, zone = f"{self.OWNER}-{self._number}", ZONES[self._number % len(ZONES)]
        labels = {OWNER_LABEL: self.OWNER, EXPIRY_LABEL: str(int(now + FOREVER_SECONDS))}
        self._compute.insert(name, zone, labels, FOREVER_SECONDS, name, now)

    def _release(self, machine: Machine, now: float) -> None:
        self.actions += 1
        try:
            if machine.report(now) == "serving":
                metadata = {**machine.metadata, DRAIN_ITEM: str(now)}
                self._compute.drain(machine.name, machine.zone, metadata, str(machine.fingerprint), now)
            else:
                self._compute.delete(machine.name, machine.zone, now)
        except RefusedError:
            return

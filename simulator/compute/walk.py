"""Random walks of the daemon's turn on the stand-in, with faults and crashes, held at every step to what is promised.

- No more machines exist than may, and a month's machines never cost more than its cap, each at its zone's price.
- Every machine is gone by the expiry on its label, even if the daemon never comes back.
- Changes that were decided, up or down, are a cooldown apart.
- A crash at any call, and a restart, end in the same workers as no crash at all.
"""

from __future__ import annotations

import copy
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from autoscaler.cloud import EXPIRY_LABEL, Cloud
from autoscaler.policy import Policy
from autoscaler.records import BuyCard, Decision, Delete, Drain, Inventory, Launch, Observation, Phase, State
from autoscaler.tick import turn
from simulator.compute.direct import DirectCloud
from simulator.compute.model import Compute, Faults

BEGINS_AT = 1_790_000_000.0
TWIN_TURNS = 160
FAULTS = Faults(
    stock_outs=0.2,
    rate_limits=0.1,
    lost_answers=0.1,
    never_serve=0.1,
    preemptions_per_hour=0.3,
    listing_lag_seconds=60,
    provisioning_seconds=300,
)


class BrokenPromiseError(Exception):
    """A walk found what must never happen; its text says where to look."""


class CrashError(Exception):
    """The daemon died here."""


class Memory:
    """Keeps the state as text, like the file."""

    def __init__(self, text: str = State().model_dump_json()) -> None:
        self.text = text

    def read(self) -> State:
        """Return the state."""
        return State.model_validate_json(self.text)

    def save(self, state: State) -> None:
        """Keep the state."""
        self.text = state.model_dump_json()


@dataclass
class Mortal:
    """Keeper and cloud of a daemon that dies at its `left`-th call; a call of half a count dies after it."""

    keeper: Memory
    cloud: Cloud
    left: float

    def _live(self) -> None:
        self.left -= 0.5
        if self.left < 0:
            raise CrashError

    def read(self) -> State:
        """Return the state."""
        return self.keeper.read()

    def save(self, state: State) -> None:
        """Keep the state, or die before or after."""
        self._live()
        self.keeper.save(state)
        self._live()

    def inventory(self, now: float) -> Inventory:
        """Return the cloud's list."""
        return self.cloud.inventory(now)

    def launch(self, action: Launch) -> None:
        """Launch, or die before or after."""
        self._live()
        self.cloud.launch(action)
        self._live()

    def drain(self, action: Drain) -> None:
        """Drain, or die before or after."""
        self._live()
        self.cloud.drain(action)
        self._live()

    def delete(self, action: Delete) -> None:
        """Delete, or die before or after."""
        self._live()
        self.cloud.delete(action)
        self._live()


@dataclass
class Found:
    """What a walk saw, so that nobody takes a walk in which nothing happened for a proof."""

    steps: int = 0
    launches: int = 0
    drains: int = 0
    crashes: int = 0
    twins: int = 0
    machines: int = 0
    most_machines: int = 0
    usd_by_month: dict[str, float] = field(default_factory=dict)

    def add(self, other: Found) -> None:
        """Add another walk's."""
        for name in ("steps", "launches", "drains", "crashes", "twins", "machines"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.most_machines = max(self.most_machines, other.most_machines)


class Walk:
    """One project, one daemon and the traffic that it sees."""

    def __init__(self, policy: Policy, seed: int, faults: Faults = FAULTS) -> None:
        self.policy, self.now = policy, BEGINS_AT
        self.random = random.Random(seed)  # noqa: S311 - a walk, not secrets
        self.compute = Compute(faults, seed)
        self.cloud = DirectCloud(self.compute, policy.owner)
        self.memory = Memory()
        self.found = Found()
        self._usage, self._changed_at = 0.5, -1e9
        self._names: set[str] = set()

    def step(self) -> None:
        """Let some time pass, take a turn that may die, and look at what is there."""
        self._pass_time()
        observation = self._observe()
        before = self.memory.read()
        crash = self.random.random() < 0.05
        if crash and self.random.random() < 0.01:
            self.twin(observation, self.random.randrange(8) / 2)
        if crash:
            self.found.crashes += self.die(self.memory, self.cloud, observation, self.random.randrange(8) / 2)
        else:
            self.take(self.memory, self.cloud, observation)
        self._check_changes(before, self.memory.read())
        self._check_machines()
        self.found.steps += 1
        if self.found.steps % 256 == 0:
            self.compute.forget(self.now)

    def take(self, memory: Memory, cloud: Cloud, observation: Observation) -> Decision:
        """Take a turn."""
        return turn(memory, cloud, observation, self.policy, self.now, _nobody)

    def die(self, memory: Memory, cloud: Cloud, observation: Observation, left: float) -> bool:
        """Take a turn that dies at a call; return whether it did."""
        mortal = Mortal(memory, cloud, left)
        try:
            turn(mortal, mortal, observation, self.policy, self.now, _nobody)
        except CrashError:
            return True
        return False

    def twin(self, observation: Observation, left: float) -> None:
        """Go on twice from here, without faults: one daemon dies in its turn and takes it again, the other does not."""
        ends = []
        for dies in (False, True):
            other = copy.deepcopy(self)
            other.compute.faults = Faults(provisioning_seconds=60, loading_seconds=120, drain_seconds=30)
            for machine in other.compute.machines:
                machine.serving_at = min(machine.serving_at, machine.running_at + 120)
            if dies:
                other.die(other.memory, other.cloud, observation, left)
            other.take(other.memory, other.cloud, observation)
            for _ in range(TWIN_TURNS):
                other.now += 15
                other.take(other.memory, other.cloud, other.calm())
            ends.append((_alive(other.memory.read()), sorted(_there(other))))
        self.found.twins += 1
        if ends[0] != ends[1]:
            raise BrokenPromiseError(
                f"step {self.found.steps}, crash at {left}: {ends[0]} without it, {ends[1]} with it"
            )

    def calm(self) -> Observation:
        """Return a sample that asks for nothing."""
        return Observation(
            taken_at=self.now, kv_cache_usage=0.7, running=10, waiting=2, first_token_seconds=2, headroom_usd=1_000
        )

    def _pass_time(self) -> None:
        """Let seconds pass, now and then hours; what runs is billed at its zone's price."""
        seconds = self.random.uniform(5, 60) if self.random.random() < 0.998 else self.random.uniform(600, 30_000)
        prices = {zone.name: (zone.usd_per_hour or 0.0) / 3_600 for zone in self.policy.zones}
        month = f"{datetime.fromtimestamp(self.now, UTC):%Y-%m}"
        until = self.now + seconds
        spent = self.found.usd_by_month.get(month, 0.0) + sum(
            (one.billed_seconds(until) - one.billed_seconds(self.now)) * prices[one.zone]
            for one in self.compute.machines
        )
        self.found.usd_by_month[month] = spent
        self.now = until
        if spent > self.policy.spending.cap_usd_per_month + 1e-6:
            raise BrokenPromiseError(f"step {self.found.steps}: {spent:.3f} USD in {month}")

    def _observe(self) -> Observation:
        """Return a sample of a load that wanders, now and then one that cannot be used."""
        chance = self.random
        self._usage = min(1.0, max(0.01, self._usage + chance.gauss(0, 0.08)))
        if chance.random() < 0.01:
            self._usage = chance.choice((0.1, 0.95))
        waiting = chance.randrange(60) if self._usage > 0.9 else 0
        sample: dict[str, Any] = {
            "taken_at": self.now,
            "kv_cache_usage": self._usage,
            "running": 10.0,
            "waiting": float(waiting),
            "first_token_seconds": 0.2 + waiting / 5,
            "headroom_usd": chance.choice((5.0, 1_000.0, 1_000.0, 1_000.0)),
        }
        if chance.random() < 0.05:
            sample[chance.choice(sorted(sample))] = chance.choice((None, float("nan"), -1.0, float("inf")))
        return Observation(**sample, killed=chance.random() < 0.002)

    def _check_changes(self, before: State, after: State) -> None:
        """Hold what was decided to the cooldown, from the workers alone."""
        earlier = {one.name: one for one in before.workers}
        launched = after.launches - before.launches
        own_end = self.policy.life.drain_seconds + self.policy.life.start_allowance_seconds
        drained = sum(
            one.phase is Phase.DRAINING
            and earlier[one.name].phase is Phase.SERVING
            and one.expires_at - self.now > own_end
            for one in after.workers
            if one.name in earlier
        )
        self.found.launches += launched
        self.found.drains += drained
        if not launched + drained:
            return
        cooldown = min(self.policy.up_cooldown_seconds, self.policy.down_cooldown_seconds)
        if launched + drained > 1 or self.now - self._changed_at < cooldown:
            raise BrokenPromiseError(
                f"step {self.found.steps}: a change {self.now - self._changed_at:.0f} s after the last"
            )
        self._changed_at = self.now

    def _check_machines(self) -> None:
        alive = [one for one in self.compute.machines if self.now < one.gone_at]
        self.found.most_machines = max(self.found.most_machines, len(alive))
        if len(alive) > self.policy.max_workers:
            raise BrokenPromiseError(f"step {self.found.steps}: {len(alive)} machines")
        for one in alive:
            if one.gone_at > float(one.labels[EXPIRY_LABEL]):
                raise BrokenPromiseError(f"step {self.found.steps}: {one.name} outlives its label")
            if one.name not in self._names:
                self._names.add(one.name)
                self.found.machines += 1


def walk(policy: Policy, seed: int, steps: int) -> Found:
    """Take `steps` from a fresh start. Raises `BrokenPromiseError`."""
    one = Walk(policy, seed)
    for _ in range(steps):
        one.step()
    return one.found


def _alive(state: State) -> list[tuple[str, str, Phase]]:
    return sorted((one.name, one.zone, one.phase) for one in state.workers)


def _there(of: Walk) -> list[tuple[str, str]]:
    return [(one.name, one.zone) for one in of.compute.machines if of.now < one.gone_at]


def _nobody(_: BuyCard) -> None:
    """Tell nobody that a card is due."""

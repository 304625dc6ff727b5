"""Instances, operations and their faults, without a network and without a clock of its own.

What is imitated: an insertion answers with an operation and fails later (stock-outs) or at once (429, 409); a list lags
behind; a spot machine is taken back; a machine ends itself after its longest run and is deleted then; an answer may be
lost although the request was carried out. Sources: Compute Engine API v1 and its pages on spot machines and on
limiting a machine's run time, as recalled; the 30 s of notice are unverified.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

NOTICE_SECONDS = 30.0
"""From a stop to the end, whether taken back, ended or deleted."""
OPERATIONS_SECONDS = 86_400.0
"""How long an operation is listed in a long run; Google keeps them for longer."""


class RefusedError(Exception):
    """An answer with an error: its HTTP status and Google's word for the reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status} {reason}")
        self.status, self.reason = status, reason


class LostError(Exception):
    """The request was carried out and its answer never came."""


@dataclass(frozen=True, kw_only=True)
class Faults:
    """How often something goes wrong: shares of calls, pre-emptions an hour; times in seconds at most."""

    stock_outs: float = 0.0
    rate_limits: float = 0.0
    lost_answers: float = 0.0
    never_serve: float = 0.0
    preemptions_per_hour: float = 0.0
    listing_lag_seconds: float = 0.0
    provisioning_seconds: float = 60.0
    loading_seconds: float = 420.0
    drain_seconds: float = 60.0


@dataclass(slots=True, kw_only=True)
class Machine:
    """One instance, its fate decided when it is made; times are Unix seconds, `inf` is never."""

    name: str
    zone: str
    labels: dict[str, str]
    max_run_seconds: float
    created_at: float
    listed_at: float
    running_at: float
    serving_at: float
    ends_at: float
    """When it stops by itself: taken back, or at the end of its longest run."""
    gone_lag_seconds: float
    metadata: dict[str, str] = field(default_factory=dict)
    fingerprint: int = 0
    drained_at: float = float("inf")

    @property
    def gone_at(self) -> float:
        """Return when nothing is left of it."""
        return self.ends_at + NOTICE_SECONDS

    def status(self, now: float) -> str:
        """Return its status as the API names it."""
        if now >= self.ends_at:
            return "STOPPING"
        if now >= self.running_at:
            return "RUNNING"
        return "STAGING" if now >= (self.created_at + self.running_at) / 2 else "PROVISIONING"

    def report(self, now: float) -> str | None:
        """Return what it says of itself, or null while it has said nothing."""
        if not self.running_at <= now < self.ends_at:
            return None
        if now >= self.drained_at:
            return "drained"
        return "serving" if now >= self.serving_at else "loading"

    def billed_seconds(self, until: float) -> float:
        """Return how long it is billed until then: from the moment it runs."""
        return max(0.0, min(until, self.gone_at) - self.running_at)


@dataclass(slots=True, kw_only=True)
class Operation:
    """One insertion: its target, and the error it ends with."""

    name: str
    request_id: str
    target: str
    zone: str
    done_at: float
    error: str | None = None


class Compute:
    """One project. Each call takes the time; nothing happens between calls that cannot be computed from it."""

    def __init__(self, faults: Faults, seed: int = 0) -> None:
        self.faults = faults
        self.machines: list[Machine] = []
        self.operations: list[Operation] = []
        self._random = random.Random(seed)  # noqa: S311 - faults, not secrets
        self._requests: dict[str, Operation] = {}

    def insert(
        self, name: str, zone: str, labels: dict[str, str], max_run_seconds: float, request_id: str, now: float
    ) -> Operation:
        """Make a machine; the same request id is the same insertion. Raises `RefusedError` or `LostError`."""
        self._limit()
        known = self._requests.get(request_id)
        if known is not None:
            return known
        if self.find(name, zone, now) is not None:
            raise RefusedError(409, "alreadyExists")
        operation = Operation(
            name=f"operation-{len(self.operations)}", request_id=request_id, target=name, zone=zone, done_at=now
        )
        self._requests[request_id] = operation
        self.operations.append(operation)
        faults, chance = self.faults, self._random
        if self._sold_out():
            operation.done_at += chance.uniform(0, faults.provisioning_seconds)
            operation.error = "ZONE_RESOURCE_POOL_EXHAUSTED"
        else:
            self.machines.append(self._machine(name, zone, labels, max_run_seconds, now))
        if chance.random() < faults.lost_answers:
            raise LostError
        return operation

    def _sold_out(self) -> bool:
        """Tell whether the zone has no machine for the insertion that is being made."""
        return self._random.random() < self.faults.stock_outs

    def _machine(self, name: str, zone: str, labels: dict[str, str], max_run_seconds: float, now: float) -> Machine:
        faults, chance = self.faults, self._random
        running_at = now + chance.uniform(0.1, 1) * faults.provisioning_seconds
        taken_after = (
            chance.expovariate(faults.preemptions_per_hour / 3_600) if faults.preemptions_per_hour else float("inf")
        )
        serves = chance.random() >= faults.never_serve
        return Machine(
            name=name,
            zone=zone,
            labels=labels,
            max_run_seconds=max_run_seconds,
            created_at=now,
            listed_at=now + chance.uniform(0, faults.listing_lag_seconds),
            running_at=running_at,
            serving_at=running_at + chance.uniform(0.5, 1) * faults.loading_seconds if serves else float("inf"),
            # The notice belongs to the run: a machine is gone when its longest run is over.
            ends_at=running_at + min(taken_after, max_run_seconds - NOTICE_SECONDS),
            gone_lag_seconds=chance.uniform(0, faults.listing_lag_seconds),
        )

    def find(self, name: str, zone: str, now: float) -> Machine | None:
        """Return the machine of that name that is there now."""
        for machine in reversed(self.machines):
            if machine.name == name and machine.zone == zone and now < machine.gone_at:
                return machine
        return None

    def listed(self, now: float) -> list[Machine]:
        """Return what a list shows: it learns of machines, and of their end, late. Raises `RefusedError`."""
        self._limit()
        return [one for one in self.machines if one.listed_at <= now < one.gone_at + one.gone_lag_seconds]

    def failed(self, now: float) -> list[Operation]:
        """Return the insertions that ended in an error."""
        return [one for one in self.operations if one.error is not None and one.done_at <= now]

    def forget(self, now: float) -> None:
        """Leave out what nobody can be shown any more, so that a long run stays as fast as a short one."""
        self.machines = [one for one in self.machines if now < one.gone_at + one.gone_lag_seconds]
        self.operations = [one for one in self.operations if now < one.done_at + OPERATIONS_SECONDS]
        self._requests = {key: one for key, one in self._requests.items() if now < one.done_at + OPERATIONS_SECONDS}

    def drain(self, name: str, zone: str, metadata: dict[str, str], fingerprint: str, now: float) -> None:
        """Set a machine's metadata; an old fingerprint is refused. Raises `RefusedError` or `LostError`."""
        self._limit()
        machine = self._there(name, zone, now)
        if fingerprint != str(machine.fingerprint):
            raise RefusedError(412, "conditionNotMet")
        machine.metadata, machine.fingerprint = dict(metadata), machine.fingerprint + 1
        machine.drained_at = now + self._random.uniform(0, self.faults.drain_seconds)
        self._lose()

    def delete(self, name: str, zone: str, now: float) -> None:
        """Stop a machine, which is gone soon after. Raises `RefusedError` or `LostError`."""
        self._limit()
        machine = self._there(name, zone, now)
        machine.ends_at = min(machine.ends_at, max(now, machine.created_at))
        machine.running_at = min(machine.running_at, machine.gone_at)
        self._lose()

    def preempt(self, name: str, zone: str, now: float) -> None:
        """Take a machine back."""
        machine = self._there(name, zone, now)
        machine.ends_at = min(machine.ends_at, now)

    def _there(self, name: str, zone: str, now: float) -> Machine:
        machine = self.find(name, zone, now)
        if machine is None:
            raise RefusedError(404, "notFound")
        return machine

    def _limit(self) -> None:
        if self.faults.rate_limits and self._random.random() < self.faults.rate_limits:
            raise RefusedError(429, "rateLimitExceeded")

    def _lose(self) -> None:
        if self.faults.lost_answers and self._random.random() < self.faults.lost_answers:
            raise LostError

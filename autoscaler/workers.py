"""The workers' lives, read from the cloud's list: memory only says what was asked for and what it may cost.

requested → provisioning → loading → serving → draining → deleting → gone. A worker may also be pre-empted, meet a
stock-out, or be an orphan: a machine with this owner's label that nobody remembers. Each ends in gone.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from autoscaler.policy import Policy
from autoscaler.records import (
    Action,
    Delete,
    Drain,
    Failure,
    Instance,
    Inventory,
    Launch,
    Ledger,
    Phase,
    Report,
    State,
    Status,
    Worker,
)
from autoscaler.signals import CLOCKS_APART_SECONDS
from autoscaler.spending import settled

REQUESTS = uuid.UUID("6f1d0a5e-9b1c-5d0b-8a52-3c5d6f1c7a10")
"""The space of the requests' ids."""
ENDING = frozenset({Phase.DELETING, Phase.PREEMPTED, Phase.ORPHAN})


@dataclass(slots=True)
class Reconciled:
    """The workers as they are, and what follows from that."""

    ledger: Ledger
    workers: list[Worker] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    stock_outs: list[str] = field(default_factory=list)
    failed: int = 0
    began_serving: bool = False

    def gone(self, worker: Worker, ended_at: float, why: str, *, failed: bool = False) -> None:
        """Let a worker go: its cost is settled, its place is free."""
        self.ledger = settled(self.ledger, worker, ended_at)
        self.failed += failed
        self.reasons.append(f"{worker.name}: {why}")

    def keep(self, worker: Worker, action: Action | None = None, why: str = "") -> None:
        """Keep a worker in its place, perhaps with something to do about it."""
        self.workers.append(worker)
        if action is not None:
            self.actions.append(action)
            self.reasons.append(f"{worker.name}: {why}")


def usable(inventory: Inventory | None, policy: Policy, now: float) -> bool:
    """Tell whether the list is there and neither old nor of the future."""
    return inventory is not None and -CLOCKS_APART_SECONDS <= now - inventory.taken_at <= policy.stale_seconds


def reconcile(state: State, inventory: Inventory, policy: Policy, now: float, *, may_ask: bool) -> Reconciled:
    """Return each worker's place in its life, from the list; a lost request is made again only if it `may_ask`."""
    found = Reconciled(state.ledger)
    listed = {(one.name, one.zone): one for one in inventory.instances}
    failures = {(one.name, one.request_id): one for one in inventory.failures}
    for worker in state.workers:
        instance = listed.pop((worker.name, worker.zone), None)
        if instance is None:
            due = may_ask and now - worker.asked_at >= policy.life.listing_seconds
            again = launch(worker, state.epoch, policy, now) if due else None
            failure = failures and failures.get((worker.name, request_id(worker.name, worker.asked_at)))
            _absent(found, worker, failure or None, again, policy, now)
        else:
            _present(found, worker, instance, policy, now)
    for instance in listed.values():
        orphan = _adopted(instance, policy, now)
        found.keep(orphan, Delete(name=orphan.name, zone=orphan.zone), "nobody remembers it")
    return found


def _absent(
    found: Reconciled, worker: Worker, failure: Failure | None, again: Launch | None, policy: Policy, now: float
) -> None:
    life = policy.life
    if not worker.seen:
        if failure is not None:
            if failure.stock_out:
                found.stock_outs.append(worker.zone)
            found.gone(worker, worker.requested_at, failure.message or "could not be created", failed=True)
        elif now >= worker.expires_at or (worker.phase in ENDING and now - worker.asked_at >= life.listing_seconds):
            found.gone(worker, now, "never seen")
        elif again is not None and worker.phase is Phase.REQUESTED:
            found.keep(worker.model_copy(update={"asked_at": now}), again, "asked for once more: it is not listed")
        else:
            found.keep(worker)
        return
    since = worker.missing_since if worker.missing_since is not None else now
    if now - since >= life.listing_seconds or worker.phase in ENDING or now >= worker.expires_at:
        found.gone(worker, since, "gone", failed=worker.serving_since is None and worker.phase not in ENDING)
    else:
        found.keep(worker.model_copy(update={"missing_since": since}))


def _present(found: Reconciled, worker: Worker, instance: Instance, policy: Policy, now: float) -> None:
    life = policy.life
    draining_since = instance.draining_since if instance.draining_since is not None else worker.draining_since
    phase = _phase(worker, instance, draining_since)
    serving_since = worker.serving_since
    if phase is Phase.SERVING and serving_since is None:
        serving_since, found.began_serving = now, True
    delete = Delete(name=worker.name, zone=instance.zone)
    action: Action | None = None
    why = ""
    if phase in ENDING:
        if phase is not worker.phase or now - worker.asked_at >= life.listing_seconds:
            action, why = delete, f"is {phase}"
    elif now >= worker.expires_at:
        phase, action, why = Phase.DELETING, delete, "its time is over"
    elif phase is Phase.DRAINING:
        drained = instance.report is Report.DRAINED or now - (draining_since or now) >= life.drain_seconds
        if drained:
            phase, action, why = Phase.DELETING, delete, "has drained"
        elif instance.draining_since is None:
            action, why = (
                Drain(name=worker.name, zone=instance.zone, since=draining_since or now),
                "is told to drain once more",
            )
    elif phase is not Phase.SERVING and now - worker.requested_at >= life.start_timeout_seconds:
        phase, action, why = Phase.DELETING, delete, "did not serve in time"
        found.failed += 1
    elif phase is Phase.SERVING and worker.expires_at - now <= life.drain_seconds + life.start_allowance_seconds:
        phase, draining_since = Phase.DRAINING, now
        action, why = Drain(name=worker.name, zone=instance.zone, since=now), "its time is nearly over"
    found.keep(
        worker.model_copy(
            update={
                "phase": phase,
                "seen": True,
                "missing_since": None,
                "serving_since": serving_since,
                "draining_since": draining_since,
                "asked_at": now if isinstance(action, Delete) else worker.asked_at,
            }
        ),
        action,
        why,
    )


def _phase(worker: Worker, instance: Instance, draining_since: float | None) -> Phase:
    if worker.phase in ENDING:
        return worker.phase
    if instance.status in (Status.STOPPING, Status.TERMINATED):
        return Phase.PREEMPTED
    if instance.status is not Status.RUNNING:
        return Phase.PROVISIONING
    if draining_since is not None:
        return Phase.DRAINING
    serves = instance.report is Report.SERVING or (worker.phase is Phase.SERVING and instance.report is None)
    return Phase.SERVING if serves else Phase.LOADING


def _adopted(instance: Instance, policy: Policy, now: float) -> Worker:
    """Return an orphan as a worker at the dearest price, so that it counts until it is gone."""
    dearest = max((zone.usd_per_hour or 0.0 for zone in policy.zones), default=0.0)
    began = min(instance.created_at, now)
    expires_at = instance.expires_at if instance.expires_at is not None else began + policy.life.max_run_seconds
    return Worker(
        name=instance.name,
        zone=instance.zone,
        requested_at=began,
        asked_at=now,
        expires_at=max(expires_at, now),
        usd_per_hour=dearest,
        phase=Phase.ORPHAN,
        seen=True,
    )


def request_id(name: str, asked_at: float) -> str:
    """Return the id of the request for `name` made at `asked_at`.

    A failure counts only if it is the newest request's: an older one may have failed before a newer one succeeded.
    """
    return str(uuid.uuid5(REQUESTS, f"{name}/{asked_at!r}"))


def launch(worker: Worker, epoch: int, policy: Policy, now: float) -> Launch | None:
    """Return the request for `worker`, or null when too little of its time is left to start."""
    run_seconds = int(worker.expires_at - now - policy.life.start_allowance_seconds)
    if run_seconds <= policy.life.cold_start_seconds:
        return None
    return Launch(
        name=worker.name,
        request_id=request_id(worker.name, now),
        zone=worker.zone,
        owner=policy.owner,
        epoch=epoch,
        expires_at=worker.expires_at,
        max_run_seconds=run_seconds,
    )

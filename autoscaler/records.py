"""What the autoscaler sees, remembers and asks for; all of it is JSON (pydantic), times are Unix seconds."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, FiniteFloat

from autoscaler.policy import Exact


class Phase(StrEnum):
    """Where a worker is in its life. One that is gone, or for which no zone had a machine, is no worker any more."""

    REQUESTED = "requested"
    PROVISIONING = "provisioning"
    LOADING = "loading"
    SERVING = "serving"
    DRAINING = "draining"
    DELETING = "deleting"
    PREEMPTED = "preempted"
    ORPHAN = "orphan"


class Status(StrEnum):
    """A machine's status as Compute Engine lists it; what is not known here counts as `RUNNING`: it costs money."""

    PROVISIONING = "PROVISIONING"
    STAGING = "STAGING"
    RUNNING = "RUNNING"
    STOPPING = "STOPPING"
    TERMINATED = "TERMINATED"


class Report(StrEnum):
    """What a worker says about itself in its guest attributes."""

    LOADING = "loading"
    SERVING = "serving"
    DRAINED = "drained"


class Instance(Exact):
    """One machine of the cloud's list that carries this owner's label."""

    name: str
    zone: str
    status: Status
    created_at: FiniteFloat
    expires_at: FiniteFloat | None = None
    draining_since: FiniteFloat | None = None
    report: Report | None = None


class Failure(Exact):
    """A creation that the cloud refused for good: that request made nothing. Another one of the same name may have."""

    name: str
    request_id: str
    stock_out: bool
    message: str = ""


class Inventory(Exact):
    """The cloud's list at one moment."""

    taken_at: FiniteFloat
    instances: tuple[Instance, ...] = ()
    failures: tuple[Failure, ...] = ()


class Observation(Exact):
    """What was measured; null is what could not be. Signals are of all engines that serve, workers included.

    `headroom_usd` is what the month's budget leaves beside everything but the workers. `killed` is the kill switch.
    """

    taken_at: float | None = None
    kv_cache_usage: float | None = None
    running: float | None = None
    waiting: float | None = None
    first_token_seconds: float | None = None
    headroom_usd: float | None = None
    inventory: Inventory | None = None
    killed: bool = False


class Verdict(StrEnum):
    """What one sample says."""

    UP = "up"
    DOWN = "down"
    HOLD = "hold"
    UNKNOWN = "unknown"


class Worker(Exact):
    """One worker whose money is committed: what was asked for, and what the cloud said last.

    `requested_at` is when its money begins to count, `asked_at` when the cloud was last asked to make or delete it.
    """

    name: str
    zone: str
    requested_at: float
    asked_at: float
    expires_at: float
    usd_per_hour: float
    phase: Phase = Phase.REQUESTED
    seen: bool = False
    missing_since: float | None = None
    serving_since: float | None = None
    draining_since: float | None = None


class Ledger(Exact):
    """What workers that are gone have cost, at most: USD of the month, worker-hours of the day (UTC both)."""

    month: str = ""
    month_usd: float = 0.0
    day: int = 0
    day_hours: float = 0.0


class Pattern(Exact):
    """The load of each part of the day, in shares of the owners' cache, and the sum of the part that runs."""

    loads: tuple[float | None, ...] = ()
    bin: int = -1
    total: float = 0.0
    samples: int = 0


class BoundsChange(Exact):
    """One line of the audit: when the minimum was changed, from what to what, and why."""

    at: float
    before: int
    after: int
    why: str


class BoundsState(Exact):
    """What must survive a restart. `wanted` is the minimum that was decided on last, null before the first one."""

    decided_at: float = 0.0
    wanted: int | None = None
    verdicts: tuple[Verdict, ...] = ()
    changed_at: float | None = None
    ledger: Ledger = Ledger()
    audit: tuple[BoundsChange, ...] = ()


class State(Exact):
    """What must survive a restart. `epoch` is the leader's, see `autoscaler.store`."""

    epoch: int = 0
    decided_at: float = 0.0
    launches: int = 0
    verdicts: tuple[Verdict, ...] = ()
    workers: tuple[Worker, ...] = ()
    ledger: Ledger = Ledger()
    changed_up_at: float | None = None
    changed_down_at: float | None = None
    episode_began_at: float | None = None
    failed_launches: int = 0
    broken_until: float = 0.0
    stock_outs: tuple[tuple[str, float], ...] = ()
    alerted_at: float | None = None
    pattern: Pattern = Pattern()
    bounds: BoundsState = BoundsState()


class Launch(Exact):
    """Create a worker; asked twice it is created once, for its name decides. It ends itself after `max_run_seconds`."""

    kind: Literal["launch"] = "launch"
    name: str
    request_id: str
    zone: str
    owner: str
    epoch: int
    expires_at: float
    max_run_seconds: int


class Drain(Exact):
    """Tell a worker to take no more requests and to finish those it has."""

    kind: Literal["drain"] = "drain"
    name: str
    zone: str
    since: float


class Delete(Exact):
    """Delete a worker; one that is gone already is no error."""

    kind: Literal["delete"] = "delete"
    name: str
    zone: str


class BuyCard(Exact):
    """Tell the owners that a card of their own is due: what it costs, how long it takes."""

    kind: Literal["buy-card"] = "buy-card"
    card: str
    usd: float
    lead_days: int


Action = Annotated[Launch | Drain | Delete | BuyCard, Field(discriminator="kind")]


class Decision(Exact):
    """What `decide` returns: the state to persist before acting, the actions in order, and why, in words.

    `sound` tells whether signals and the cloud's list were of use: without them nothing can be bought or released.
    """

    state: State
    sound: bool = False
    actions: tuple[Action, ...] = ()
    reasons: tuple[str, ...] = ()

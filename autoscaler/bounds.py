"""`decide_bounds`: how many instances of the API Cloud Run keeps warm while its slowest answers are too slow.

Cloud Run itself adds instances by load, up to the stage's `max_instances`. What it does not know is the API's own p99:
while that alert fires, the service-level minimum is raised step by step, and lowered again once it is calm. The
minimum stands between the stage's two bounds, whatever is asked for, seen or remembered. As `decide`, this reads no
clock and no network, and data that is missing, old or out of its range changes nothing.

A raised minimum has no end of its own, unlike a worker's machine: if this daemon died, it would cost until somebody
lowers it. So one is bought only if it may stand until the month is over, at the price of an idle instance that the
price book knows at most, within the smaller of a month's cap and what the budget leaves.
"""

from __future__ import annotations

from datetime import UTC, datetime
from math import ceil, floor, isfinite
from typing import Literal

from pydantic import Field, model_validator

from autoscaler.decide import agreed
from autoscaler.policy import Exact, Seconds, Usd, Window
from autoscaler.records import BoundsChange, BoundsState, Ledger, Verdict
from autoscaler.signals import CLOCKS_APART_SECONDS
from autoscaler.spending import HOUR, ROUNDING_USD, turned

AUDITED = 50
"""So many changes are remembered."""


class BoundsPolicy(Exact):
    """The stage's bounds, how fast the minimum moves within them, and what that may cost.

    `usd_per_hour` is of one idle instance at most; null or an expired price raises nothing.
    """

    least: int = Field(ge=0, le=1_000)
    most: int = Field(ge=1, le=1_000)
    calm_seconds: float = Field(gt=0, allow_inf_nan=False)
    """p99 below this is calm; between it and the alert's threshold nothing changes."""
    up_window: Window = Window(agreeing=2, samples=3)
    down_window: Window = Window(agreeing=38, samples=40)
    up_cooldown_seconds: Seconds = 300
    down_cooldown_seconds: Seconds = 600
    growth: float = Field(default=1.5, gt=1, le=4)
    stale_seconds: Seconds = 60
    usd_per_hour: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    price_expires_at: float = Field(default=0.0, allow_inf_nan=False)
    cap_usd_per_month: Usd = 0.0

    @model_validator(mode="after")
    def _ordered(self) -> BoundsPolicy:
        if self.least > self.most:
            raise ValueError(f"least {self.least} is above most {self.most}; write at most {self.most}")
        return self


class BoundsObservation(Exact):
    """What was measured; null is what could not be.

    `firing` is 1 while the alert on the API's p99 fires, `tail_seconds` that p99, `warm` the service-level minimum that
    Cloud Run has now, `headroom_usd` what the month's budget leaves. `killed` is the kill switch.
    """

    taken_at: float | None = None
    firing: float | None = None
    tail_seconds: float | None = None
    warm: int | None = None
    headroom_usd: float | None = None
    killed: bool = False


class SetWarm(Exact):
    """Let Cloud Run keep so many instances warm; asked twice it is the same."""

    kind: Literal["set-warm"] = "set-warm"
    count: int


class BoundsDecision(Exact):
    """The state to keep before acting, what to do, and why."""

    state: BoundsState
    action: SetWarm | None = None
    reason: str


def decide_bounds(
    state: BoundsState, observation: BoundsObservation, policy: BoundsPolicy, now: float
) -> BoundsDecision:
    """Return the state to keep, what to do and why. Total; the same arguments give the same decision."""
    if not isfinite(now) or now < 0:
        return BoundsDecision(state=state, reason="the clock shows no time")
    now = max(now, state.decided_at)
    verdict, why = judge_tail(observation, policy, now)
    kept = max(policy.up_window.samples, policy.down_window.samples)
    wanted = _within(_minimum(state, policy), policy)
    ledger = _spent(state, policy, now)
    verdicts = (*state.verdicts, verdict)[-kept:]
    draft = state.model_copy(update={"decided_at": now, "verdicts": verdicts, "ledger": ledger, "wanted": wanted})
    if observation.killed:
        after, why = policy.least, "the kill switch is on"
    else:
        after, why = _next(draft, observation, policy, verdict, why, now)
    if after != wanted:
        change = BoundsChange(at=now, before=wanted, after=after, why=why)
        draft = draft.model_copy(
            update={"wanted": after, "changed_at": now, "audit": (*draft.audit, change)[-AUDITED:]}
        )
    # What is there may be another's, such as an `up` that wrote the service anew: it is set again, within the bounds.
    if observation.warm is None or observation.warm == after:
        return BoundsDecision(state=draft, reason=why)
    return BoundsDecision(state=draft, action=SetWarm(count=after), reason=f"{why}; {observation.warm} → {after} warm")


def judge_tail(observation: BoundsObservation, policy: BoundsPolicy, now: float) -> tuple[Verdict, str]:
    """Return what the sample says, and why."""
    taken_at, firing, tail = observation.taken_at, observation.firing, observation.tail_seconds
    if taken_at is None or firing is None or tail is None:
        return Verdict.UNKNOWN, "a signal is missing"
    if not isfinite(taken_at + firing + tail) or tail < 0 or firing not in (0, 1):
        return Verdict.UNKNOWN, "a signal is out of its range"
    if now - taken_at > policy.stale_seconds or taken_at - now > CLOCKS_APART_SECONDS:
        return Verdict.UNKNOWN, "the signals are not of now"
    if firing:
        return Verdict.UP, f"the alert on the API's p99 fires ({tail:.2f} s)"
    if tail < policy.calm_seconds:
        return Verdict.DOWN, f"the API's p99 is calm ({tail:.2f} s)"
    return Verdict.HOLD, f"the API's p99 is between the thresholds ({tail:.2f} s)"


def _next(
    state: BoundsState, observation: BoundsObservation, policy: BoundsPolicy, verdict: Verdict, why: str, now: float
) -> tuple[int, str]:
    """Return the next minimum and why; the present one where nothing may change."""
    present = _minimum(state, policy)
    since = now - state.changed_at if state.changed_at is not None else float("inf")
    if verdict is Verdict.UP and agreed(state.verdicts, Verdict.UP, policy.up_window):
        after = _within(max(present + 1, ceil(present * policy.growth)), policy)
        if after == present:
            return present, f"{why}; the stage's {policy.most} are warm"
        if since < policy.up_cooldown_seconds:
            return present, f"{why}; the last change is too recent"
        affordable, refused = _affordable(state, observation, policy, now)
        if affordable <= present:
            return present, f"{why}; {refused}"
        return min(after, affordable), why
    if verdict is Verdict.DOWN and agreed(state.verdicts, Verdict.DOWN, policy.down_window):
        if present == policy.least or since < policy.down_cooldown_seconds:
            return present, why
        return _within(min(present - 1, int(present / policy.growth)), policy), why
    return present, why


def _affordable(
    state: BoundsState, observation: BoundsObservation, policy: BoundsPolicy, now: float
) -> tuple[int, str]:
    """Return the largest minimum that may stand until the month is over, and why none above it."""
    if policy.usd_per_hour is None or now > policy.price_expires_at:
        return 0, "an idle instance has no fresh price"
    headroom = observation.headroom_usd
    if headroom is None or not isfinite(headroom):
        return 0, "what the budget leaves is unknown"
    limit = min(policy.cap_usd_per_month, headroom)
    each_usd = max(0.0, month_ends_at(now) - now) / HOUR * policy.usd_per_hour
    left_usd = limit - state.ledger.month_usd + ROUNDING_USD
    # At the very end of a month one costs nothing any more; the stage's bound holds then.
    extra = min(policy.most, floor(left_usd / each_usd)) if left_usd < each_usd * policy.most else policy.most
    told = f"one more to the month's end costs {each_usd:.2f} USD, {max(0.0, limit):.2f} a month may be spent"
    return policy.least + max(0, extra), told


def kept_usd(state: BoundsState, policy: BoundsPolicy, now: float) -> float:
    """Return what the instances above the stage's least cost if they stand until the month is over."""
    return max(0.0, month_ends_at(now) - now) / HOUR * _usd_per_hour(state, policy)


def _spent(state: BoundsState, policy: BoundsPolicy, now: float) -> Ledger:
    """Return the ledger of now: what the instances above the stage's least have cost since the last decision."""
    ledger, usd_per_hour = turned(state.ledger, now), _usd_per_hour(state, policy)
    if not usd_per_hour or not state.decided_at:
        return ledger
    began = max(state.decided_at, month_began_at(now))
    return ledger.model_copy(update={"month_usd": ledger.month_usd + (now - began) / HOUR * usd_per_hour})


def _minimum(state: BoundsState, policy: BoundsPolicy) -> int:
    return state.wanted if state.wanted is not None else policy.least


def _usd_per_hour(state: BoundsState, policy: BoundsPolicy) -> float:
    """Return what an hour of the instances above the stage's least costs; nothing while they have no price."""
    return max(0, _minimum(state, policy) - policy.least) * (policy.usd_per_hour or 0.0)


def _within(count: int, policy: BoundsPolicy) -> int:
    return min(policy.most, max(policy.least, count))


def month_began_at(now: float) -> float:
    """Return when the month of `now` began (UTC, Unix seconds)."""
    at = datetime.fromtimestamp(now, UTC)
    return datetime(at.year, at.month, 1, tzinfo=UTC).timestamp()


def month_ends_at(now: float) -> float:
    """Return when the month of `now` ends."""
    at = datetime.fromtimestamp(now, UTC)
    year, month = (at.year + 1, 1) if at.month == 12 else (at.year, at.month + 1)
    return datetime(year, month, 1, tzinfo=UTC).timestamp()

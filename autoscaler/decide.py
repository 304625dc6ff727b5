"""`decide`: everything the autoscaler decides, as one pure function of what it knows. It reads no clock and no network.

Whoever calls it persists the new state before acting: an action is then never taken that is not remembered, and one
that was remembered and not taken is asked for again, because the cloud's list lacks it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from autoscaler.lookahead import learned, peak_ahead
from autoscaler.policy import Policy, Window
from autoscaler.records import (
    Action,
    BuyCard,
    Decision,
    Delete,
    Drain,
    Observation,
    Phase,
    State,
    Verdict,
    Worker,
)
from autoscaler.signals import judge, load
from autoscaler.spending import cheapest_zone, expiry, refusal, turned
from autoscaler.workers import ENDING, launch, reconcile, usable

LATEST = 253_402_300_799
"""The last second of the year 9999."""
STARTING = frozenset({Phase.REQUESTED, Phase.PROVISIONING, Phase.LOADING})


@dataclass(slots=True)
class _Draft:
    """A decision in the making."""

    state: State
    actions: list[Action] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def change(self, **changes: Any) -> None:
        self.state = self.state.model_copy(update=changes)


def decide(state: State, observation: Observation, policy: Policy, now: float) -> Decision:
    """Return the state to persist, the actions to take afterwards, and why.

    Total: any observation gives a decision. A clock that is no time changes nothing; one that goes back counts as
    standing still. The same arguments give the same decision.
    """
    if not 0 <= now <= LATEST:
        return Decision.model_construct(state=state, sound=False, actions=(), reasons=("the clock shows no time",))
    now = max(now, state.decided_at)
    verdict, why = judge(observation, policy, now)
    kept = max(policy.up_window.samples, policy.down_window.samples)
    draft = _Draft(state, reasons=[why])
    draft.change(decided_at=now, verdicts=(*state.verdicts, verdict)[-kept:], ledger=turned(state.ledger, now))
    listed = usable(observation.inventory, policy, now)
    sound = listed and verdict is not Verdict.UNKNOWN
    if listed:
        _reconcile(draft, observation, policy, now, sound=sound)
    else:
        draft.reasons.append("the cloud's list is missing or old")
    if observation.killed:
        _stop(draft, now)
    elif sound:
        _scale(draft, observation, policy, verdict, now)
    return Decision.model_construct(
        state=draft.state, sound=sound, actions=tuple(draft.actions), reasons=tuple(draft.reasons)
    )


def agreed(verdicts: tuple[Verdict, ...], wanted: Verdict, window: Window) -> bool:
    """Tell whether enough of the newest samples say `wanted`; unknown ones agree to nothing."""
    return verdicts[-window.samples :].count(wanted) >= window.agreeing


def _reconcile(draft: _Draft, observation: Observation, policy: Policy, now: float, *, sound: bool) -> None:
    """Bring the workers up to date with the cloud's list; failures in a row open the breaker."""
    inventory, state = observation.inventory, draft.state
    if inventory is None or not (state.workers or inventory.instances):
        return
    found = reconcile(state, inventory, policy, now, may_ask=sound)
    failed = 0 if found.began_serving else state.failed_launches + found.failed
    changes: dict[str, Any] = {"ledger": found.ledger, "workers": tuple(found.workers), "failed_launches": failed}
    if not found.workers:
        changes["episode_began_at"] = None
    if found.stock_outs:
        until = now + policy.spending.stock_out_seconds
        earlier = [one for one in state.stock_outs if one[1] > now and one[0] not in found.stock_outs]
        changes["stock_outs"] = (*earlier, *((zone, until) for zone in dict.fromkeys(found.stock_outs)))
    if failed >= policy.spending.failures_to_break:
        changes |= {"broken_until": now + policy.spending.break_seconds, "failed_launches": 0}
        found.reasons.append(f"{failed} launches in a row failed")
    draft.change(**changes)
    draft.actions += found.actions
    draft.reasons += found.reasons


def _stop(draft: _Draft, now: float) -> None:
    """Delete every worker: the kill switch asks neither signals nor cooldowns."""
    draft.reasons.append("the kill switch is on")
    asked = {one.name for one in draft.actions if isinstance(one, Delete)}
    draft.actions = [one for one in draft.actions if isinstance(one, Delete)]
    workers = []
    for worker in draft.state.workers:
        if worker.phase in ENDING:
            workers.append(worker)
            continue
        if worker.name not in asked:
            draft.actions.append(Delete(name=worker.name, zone=worker.zone))
        workers.append(worker.model_copy(update={"phase": Phase.DELETING, "asked_at": now}))
    draft.change(workers=tuple(workers))


def _scale(draft: _Draft, observation: Observation, policy: Policy, verdict: Verdict, now: float) -> None:
    """Buy one worker or let one drain, where the signals agree and nothing forbids it."""
    state = draft.state
    serving = sum(one.phase is Phase.SERVING for one in state.workers)
    asked, ahead = load(observation, policy, serving), False
    if policy.look_ahead is not None:
        draft.change(pattern=learned(state.pattern, asked, now, policy.look_ahead))
        lead, level = policy.life.cold_start_seconds, policy.up.kv_cache_usage
        ahead = peak_ahead(state.pattern, asked, now, lead, level, policy.look_ahead)
    overloaded = verdict is Verdict.UP and agreed(state.verdicts, Verdict.UP, policy.up_window)
    if overloaded or (ahead and not state.workers):
        _buy(draft, observation, policy, now, "the load is above the threshold" if overloaded else "a peak is due")
    elif verdict is Verdict.DOWN and agreed(state.verdicts, Verdict.DOWN, policy.down_window) and not ahead:
        _release(draft, observation, policy, now)


def _buy(draft: _Draft, observation: Observation, policy: Policy, now: float, why: str) -> None:
    state = draft.state
    starting = sum(one.phase in STARTING for one in state.workers)
    if starting and _enough(observation, policy, starting):
        draft.reasons.append(f"{why}; {starting} on the way will do")
        return
    zone = cheapest_zone(state, policy, now)
    refused = refusal(state, observation, policy, zone, now)
    if refused is not None or zone is None or zone.usd_per_hour is None:
        draft.reasons.append(f"{why}; {refused}")
        _ask_for_card(draft, policy, now)
        return
    if _cooling(state, policy.up_cooldown_seconds, now):
        draft.reasons.append(f"{why}; the last change is too recent")
        return
    number = state.launches + 1
    worker = Worker(
        name=f"{policy.owner}-{number:06d}",
        zone=zone.name,
        requested_at=now,
        asked_at=now,
        expires_at=expiry(state, policy, now),
        usd_per_hour=zone.usd_per_hour,
    )
    request = launch(worker, state.epoch, policy, now)
    if request is None:
        return
    draft.change(
        launches=number,
        workers=(*state.workers, worker),
        changed_up_at=now,
        episode_began_at=state.episode_began_at if state.episode_began_at is not None else now,
    )
    draft.actions.append(request)
    draft.reasons.append(f"{why}; {worker.name} is bought in {zone.name}")


def _enough(observation: Observation, policy: Policy, starting: int) -> bool:
    """Tell whether the thresholds would be kept once those that are starting serve."""
    more = 1 + starting * policy.worker_kv_tokens / policy.owned_kv_tokens
    usage, waiting = observation.kv_cache_usage or 0.0, observation.waiting or 0.0
    return usage / more <= policy.up.kv_cache_usage and waiting <= policy.up.waiting * (1 + starting)


def _release(draft: _Draft, observation: Observation, policy: Policy, now: float) -> None:
    """Take the newest worker away: one that serves drains first, one that does not yet is deleted."""
    state = draft.state
    leaving = [one for one in state.workers if one.phase in STARTING or one.phase is Phase.SERVING]
    if not leaving or _cooling(state, policy.down_cooldown_seconds, now):
        return
    worker = leaving[-1]
    if worker.serving_since is not None and now - worker.serving_since < policy.life.min_serving_seconds:
        return
    serving = sum(one.phase is Phase.SERVING for one in state.workers)
    if worker.phase is Phase.SERVING and not _bearable_without(observation, policy, serving):
        draft.reasons.append("one fewer would ask for one more")
        return
    if worker.phase is Phase.SERVING:
        left = worker.model_copy(update={"phase": Phase.DRAINING, "draining_since": now})
        draft.actions.append(Drain(name=worker.name, zone=worker.zone, since=now))
    else:
        left = worker.model_copy(update={"phase": Phase.DELETING, "asked_at": now})
        draft.actions.append(Delete(name=worker.name, zone=worker.zone))
    workers = tuple(left if one.name == worker.name else one for one in state.workers)
    draft.change(workers=workers, changed_down_at=now)
    draft.reasons.append(f"{worker.name} is no longer needed")


def _bearable_without(observation: Observation, policy: Policy, serving: int) -> bool:
    """Tell whether the rest, given what one worker holds, stays below the threshold that would buy it again."""
    capacity = policy.owned_kv_tokens + serving * policy.worker_kv_tokens
    after = (observation.kv_cache_usage or 0.0) * capacity / (capacity - policy.worker_kv_tokens)
    return after < policy.up.kv_cache_usage


def _cooling(state: State, seconds: float, now: float) -> bool:
    changes = [at for at in (state.changed_up_at, state.changed_down_at) if at is not None]
    return bool(changes) and now - max(changes) < seconds


def _ask_for_card(draft: _Draft, policy: Policy, now: float) -> None:
    """Tell the owners that workers do not bridge the load, once in a while and not with each sample."""
    alerted = draft.state.alerted_at
    if alerted is not None and now - alerted < policy.purchase.repeat_seconds:
        return
    buy = policy.purchase
    draft.change(alerted_at=now)
    draft.actions.append(BuyCard(card=buy.card, usd=buy.usd, lead_days=buy.lead_days))

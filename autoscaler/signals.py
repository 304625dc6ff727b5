"""What one sample says. Data that is missing, old, not a number or in contradiction to itself says nothing."""

from __future__ import annotations

from math import isfinite

from autoscaler.policy import Policy
from autoscaler.records import Observation, Verdict

CLOCKS_APART_SECONDS = 5.0
"""How far in the future a sample may lie: clocks differ."""


def fault(observation: Observation, policy: Policy, now: float) -> str | None:
    """Return why the signals cannot be used, or null."""
    taken_at = observation.taken_at
    usage, running, waiting = observation.kv_cache_usage, observation.running, observation.waiting
    first_token = observation.first_token_seconds
    if taken_at is None or usage is None or running is None or waiting is None or first_token is None:
        return "a signal is missing"
    if not isfinite(taken_at + usage + running + waiting + first_token):
        return "a signal is not a number"
    if now - taken_at > policy.stale_seconds:
        return f"the signals are {now - taken_at:.0f} s old"
    if taken_at - now > CLOCKS_APART_SECONDS:
        return "the signals are of the future"
    if not 0 <= usage <= 1 or running < 0 or waiting < 0 or first_token < 0:
        return "a signal is out of its range"
    if usage == 0 and running > 0:
        return "requests run and no cache is used"
    if waiting > 0 and running == 0:
        return "requests wait and none runs: the engines are stuck or away, which a worker does not mend"
    return None


def judge(observation: Observation, policy: Policy, now: float) -> tuple[Verdict, str]:
    """Return what the sample says, and why."""
    wrong = fault(observation, policy, now)
    if wrong is not None:
        return Verdict.UNKNOWN, wrong
    usage, waiting = observation.kv_cache_usage or 0.0, observation.waiting or 0.0
    first_token = observation.first_token_seconds or 0.0
    up, down = policy.up, policy.down
    if usage > up.kv_cache_usage:
        return Verdict.UP, f"{usage:.0%} of the KV cache is used"
    if waiting > up.waiting:
        return Verdict.UP, f"{waiting:.0f} requests wait"
    if first_token > up.first_token_seconds:
        return Verdict.UP, f"the first token takes {first_token:.1f} s"
    if usage < down.kv_cache_usage and waiting <= down.waiting and first_token < down.first_token_seconds:
        return Verdict.DOWN, "little is used and none waits"
    return Verdict.HOLD, "between the thresholds"


def load(observation: Observation, policy: Policy, serving: int) -> float:
    """Return what sound signals ask for, in shares of the owners' cache: those that wait count as those that run."""
    usage, running, waiting = observation.kv_cache_usage or 0.0, observation.running or 0.0, observation.waiting or 0.0
    capacity = 1 + serving * policy.worker_kv_tokens / policy.owned_kv_tokens
    return usage * capacity * (1 + waiting / max(1.0, running))

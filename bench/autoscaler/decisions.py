"""How many decisions a second one core takes: workers come, serve and go, and each decision reads the cloud's list."""

from __future__ import annotations

import time

from autoscaler.decide import decide
from autoscaler.policy import LookAhead, Policy
from autoscaler.records import Instance, Inventory, Observation, Phase, Report, State, Status

DECISIONS = 60_000
RUNS = 3
PER_SECOND_AT_LEAST = 20_000
TURN_SECONDS = 15.0
BUSY_TURNS, QUIET_TURNS = 100, 100


def decisions_per_second(policy: Policy) -> float:
    """Return the best of some runs, by the core's own time: what else the machine does is not counted."""
    policy = policy.model_copy(update={"look_ahead": LookAhead()})
    samples = _recorded(policy)
    return max(_replayed(policy, samples) for _ in range(RUNS))


def _recorded(policy: Policy) -> list[tuple[Observation, float]]:
    """Return samples that show what the decisions before them asked for, with their times."""
    state, now, found = State(), 1_790_000_000.0, []
    for number in range(DECISIONS):
        now += TURN_SECONDS
        found.append((_sample(state, now, number % (BUSY_TURNS + QUIET_TURNS) < BUSY_TURNS), now))
        state = decide(state, found[-1][0], policy, now).state
    return found


def _replayed(policy: Policy, samples: list[tuple[Observation, float]]) -> float:
    state, began = State(), time.process_time()
    for observation, now in samples:
        state = decide(state, observation, policy, now).state
    return len(samples) / (time.process_time() - began)


def _sample(state: State, now: float, busy: bool) -> Observation:
    instances = tuple(
        Instance(
            name=one.name,
            zone=one.zone,
            status=Status.RUNNING,
            created_at=one.requested_at,
            expires_at=one.expires_at,
            draining_since=one.draining_since,
            report=Report.DRAINED if one.draining_since else Report.SERVING,
        )
        for one in state.workers
        if one.phase is not Phase.DELETING
    )
    return Observation(
        taken_at=now,
        kv_cache_usage=0.95 if busy else 0.2,
        running=40.0,
        waiting=20.0 if busy else 0.0,
        first_token_seconds=3.0 if busy else 0.2,
        headroom_usd=1_000.0,
        inventory=Inventory(taken_at=now, instances=instances),
    )

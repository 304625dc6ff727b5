"""The users of the stage that stands in a tier, played by k6 from outside."""

from __future__ import annotations

from dreamseed.planning.secrets import GeneratedSecret
from dreamseed.planning.stage_plan import StagePlan
from localtier.credentials import read_credentials
from localtier.images.binaries import ensure_binary
from localtier.k6.run import K6Result, run_k6
from localtier.load.targets import LOOPBACK, targets_of
from localtier.tier import Tier


def play(tier: Tier, plan: StagePlan, share: float, seconds: float) -> K6Result:
    """Let `share` of the stage's concurrent users use the model for `seconds`, through the edge as the API does.

    Raises `K6Failed`, and `PlanError` unless 0 < share ≤ 1.
    """
    with tier.engines(plan) as engines:
        key = read_credentials(plan, engines, only=frozenset({GeneratedSecret.VLLM_API_KEY}))
    return run_k6(
        ensure_binary("k6", tier.console),
        f"http://{LOOPBACK}:{targets_of(plan).chat.port}",
        key[GeneratedSecret.VLLM_API_KEY],
        plan,
        share,
        seconds,
        within=tier.world(plan).outside,
    )


def summary(plan: StagePlan, result: K6Result) -> str:
    """Return a result in a line: who, what they saw, and the objectives that were missed."""
    seen = ", ".join(
        f"{one.count} {name}, p95 {'–' if one.p95_ms is None else f'{one.p95_ms:,.0f} ms'}"
        for name, one in (("API requests", result.api), ("generations", result.generation))
    )
    missed = f"missed: {'; '.join(result.missed)}" if result.missed else "every objective met"
    return f"{plan.name}: k6: {result.users} users for {result.seconds:g} s: {seen}; {missed}"

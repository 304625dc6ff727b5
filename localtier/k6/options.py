"""What k6 is told of a stage: how many users, in what rhythm, and which objectives they hold it to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dreamseed.errors import PlanError
from dreamseed.planning.stage_plan import StagePlan

REQUESTS_PER_GENERATION = 10
"""Of how many requests one is a generation. A choice, not a fact: take it from the service's own metrics."""
TOKENS_PER_GENERATION = 64
"""So many tokens does a generation ask for, at most. A choice, small enough for two cores."""
API, GENERATION = "api", "generation"


def users(plan: StagePlan, scale: float) -> int:
    """Return the stage's concurrent users times `scale`, one at least; raises `PlanError` unless 0 < scale ≤ 1."""
    if not 0 < scale <= 1:
        raise PlanError(
            f"{plan.name} › scale",
            f"{scale:g} users for each planned one",
            "a load test is made with the stage's users or a part of them",
            "a number above 0 and up to 1, such as 0.05",
        )
    return max(1, round(plan.config.service.capacity.concurrent_users * scale))


def period_seconds(plan: StagePlan) -> float:
    """Return the time between two requests of one user, at the stage's upper planned peak."""
    capacity = plan.config.service.capacity
    return capacity.concurrent_users / capacity.requests_per_second_high


def tokens_per_second(plan: StagePlan, scale: float, tokens_per_generation: float = TOKENS_PER_GENERATION) -> float:
    """Return what `scale` of the stage's users ask of the cards, at the stage's upper planned peak."""
    return users(plan, scale) / period_seconds(plan) / REQUESTS_PER_GENERATION * tokens_per_generation


def k6_options(plan: StagePlan, scale: float, seconds: float = 60) -> dict[str, Any]:
    """Return k6's options: `scale` of the stage's concurrent users for `seconds`, and the SLO as thresholds.

    The rhythm of one user is the same at every scale. Source of the form: k6 1.8 documentation, scenarios, thresholds.
    """
    slo = plan.config.slo
    return {
        "scenarios": {
            "users": {
                "executor": "constant-vus",
                "vus": users(plan, scale),
                "duration": f"{round(seconds * 1_000)}ms",
                "gracefulStop": f"{plan.config.api.request_timeout_seconds}s",
            }
        },
        "thresholds": {
            f"http_req_duration{{kind:{API}}}": [f"p(95)<{slo.api_p95_ms}", f"p(99)<{slo.api_p99_ms}"],
            f"http_req_duration{{kind:{GENERATION}}}": [f"p(95)<{slo.generation_p95_ms}"],
            f"http_req_failed{{kind:{API}}}": [f"rate<={slo.max_5xx_ratio}"],
            f"http_req_failed{{kind:{GENERATION}}}": [f"rate<={slo.max_generation_failure_ratio}"],
            # Without a limit, only so that they are counted apart.
            f"http_reqs{{kind:{API}}}": ["count>=0"],
            f"http_reqs{{kind:{GENERATION}}}": ["count>=0"],
            "checks": ["rate>=0"],
        },
        "summaryTrendStats": ["avg", "p(50)", "p(95)", "p(99)", "max"],
    }


@dataclass(frozen=True, kw_only=True)
class Surge:
    """Users beyond what the cards hold: each asks for the next generation of `tokens`, never less, as one ends."""

    users: int
    tokens: int
    seconds: float


BEGIN_SECONDS = 5.0
"""Within which a surge's users begin."""


def surge_options(plan: StagePlan, surge: Surge) -> dict[str, Any]:
    """Return k6's options of a surge: every generation that was begun may end, and none may fail."""
    return {
        "scenarios": {
            "users": {
                "executor": "constant-vus",
                "vus": surge.users,
                "duration": f"{round(surge.seconds * 1_000)}ms",
                "gracefulStop": f"{plan.config.api.request_timeout_seconds}s",
            }
        },
        "thresholds": {
            f"http_req_failed{{kind:{GENERATION}}}": ["rate<=0"],
            # Without a limit, only so that they are counted apart.
            f"http_req_duration{{kind:{GENERATION}}}": ["p(95)>=0"],
            f"http_reqs{{kind:{GENERATION}}}": ["count>=0"],
            "checks": ["rate>=0"],
        },
        "summaryTrendStats": ["avg", "p(50)", "p(95)", "p(99)", "max"],
    }

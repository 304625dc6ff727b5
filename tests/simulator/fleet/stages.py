"""A shipped stage's engines."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from dreamseed.config import find_project, stage_file
from dreamseed.planning.gpu.intent import EngineIntent
from dreamseed.planning.gpu.layout import Replica
from dreamseed.planning.planner import plan_stage_file
from dreamseed.planning.stage_plan import StagePlan


@cache
def plan(stage: str = "stage-c") -> StagePlan:
    return plan_stage_file(stage_file(find_project(Path(__file__).parent), stage))


def engines() -> tuple[EngineIntent, tuple[Replica, ...]]:
    """Return the intent, and an engine of two cards, one of one, and a worker's."""
    burst = plan().burst
    assert burst is not None
    return plan().layout.intent, (*plan().layout.replicas, burst.engine)

"""What a stage file means: pure functions from a configuration to a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dreamseed.planning.stage_plan import StagePlan, plan_stage, plan_stage_file

__all__ = ["StagePlan", "plan_stage", "plan_stage_file"]


def __getattr__(name: str) -> Any:
    """Import the whole planner only when one of its names is asked for: parts of it are also used alone."""
    if name in __all__:
        from dreamseed.planning import stage_plan

        return getattr(stage_plan, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

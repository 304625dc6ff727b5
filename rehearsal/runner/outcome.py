"""What a rehearsal found, for people and machines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.runner.events import Change
from rehearsal.runner.resources import Action


@dataclass(frozen=True)
class StagePreview:
    """A preview of one stage from nothing: its resources, how many belong to each component, its seconds."""

    stage: str
    resources: int
    by_component: Mapping[str, int]
    components: int
    seconds: float


@dataclass(frozen=True)
class Touched:
    """A stateful resource that a promotion did something to."""

    urn: str
    action: Action


@dataclass(frozen=True)
class Promotion:
    """One step of the ladder in one state; `from_stage` is None where it starts from nothing.

    `changes` names every resource that the step did something to, and the inputs that differed.
    """

    from_stage: str | None
    to_stage: str
    counts: Mapping[Action, int]
    stateful_touched: tuple[Touched, ...]
    changes: tuple[Change, ...]
    second_preview_changes: int
    seconds: float


@dataclass(frozen=True)
class Failure:
    """Why the verdict is "fail": at which stage, in which step, what happened, and what to do next."""

    stage: str
    step: str
    message: str
    remedy: str


@dataclass(frozen=True)
class Rehearsal:
    """Everything a rehearsal found; it passes when nothing failed."""

    stages: tuple[StagePreview, ...]
    promotions: tuple[Promotion, ...]
    destroyed: int
    failures: tuple[Failure, ...]
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether every preview succeeded, every second preview was empty and no state was lost."""
        return not self.failures

    def as_json(self) -> dict[str, Any]:
        """Return the outcome as JSON values; `first_up` starts the ladder, `promotions` are the rest."""
        steps = [_promotion_json(promotion) for promotion in self.promotions]
        return {
            "stages": {
                s.stage: {
                    "resources": s.resources,
                    "by_component": dict(s.by_component),
                    "components": s.components,
                    "seconds": round(s.seconds, 2),
                }
                for s in self.stages
            },
            "first_up": next((step for step in steps if step["from"] is None), None),
            "promotions": [step for step in steps if step["from"] is not None],
            "destroyed": self.destroyed,
            "verdict": "pass" if self.passed else "fail",
            "failures": [vars(failure) for failure in self.failures],
            "seconds": round(self.seconds, 2),
        }


def _promotion_json(promotion: Promotion) -> dict[str, Any]:
    return {
        "from": promotion.from_stage,
        "to": promotion.to_stage,
        "created": promotion.counts[Action.CREATE],
        "updated": promotion.counts[Action.UPDATE],
        "replaced": promotion.counts[Action.REPLACE],
        "deleted": promotion.counts[Action.DELETE],
        "stateful_touched": [{"urn": t.urn, "action": t.action.value} for t in promotion.stateful_touched],
        "second_preview_changes": promotion.second_preview_changes,
        "seconds": round(promotion.seconds, 2),
    }
